package signin

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Tickets: what the server must remember of a sign-in under way.
//
//  1. Everybody may start signing in, so what a start costs the server must be nothing:
//     the ticket is a cookie sealed with a key of this process, not memory.
//  2. Each ticket has a cookie of its own, named after its state, so that several tabs
//     sign in side by side. Seal and name belong together.
//  3. A ticket is good once: the browser is told to forget it, and its state is remembered
//     as spent until it would have expired. That memory is bounded; a flood can push a
//     spent ticket out of it, and then the code, which the provider takes once, still is.
const (
	ticketFor   = 10 * time.Minute
	mostTickets = 4 // of one browser; more would not fit into the headers that servers take
	mostSpent   = 10_000
)

type ticket struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"` // of PKCE
	Next     string    `json:"to"`
	Until    time.Time `json:"x"`
}

type tickets struct {
	now  func() time.Time
	seal cipher.AEAD

	mu    sync.Mutex
	spent map[[sha256.Size]byte]struct{}
	order []spentTicket // oldest first
}

type spentTicket struct {
	state [sha256.Size]byte
	at    time.Time
}

func newTickets(now func() time.Time) (*tickets, error) {
	k := make([]byte, 32)
	_, _ = rand.Read(k) // never fails
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &tickets{now: now, seal: seal, spent: map[[sha256.Size]byte]struct{}{}}, nil
}

// write is the cookie value of a ticket.
func (t *tickets) write(name string, n ticket) (string, error) {
	b, err := json.Marshal(n)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(t.seal.Seal(nil, nil, b, []byte(name))), nil
}

// read opens a cookie value that this process sealed for this name and that has not expired.
func (t *tickets) read(name, value string) (ticket, bool) {
	if len(value) > 4096 {
		return ticket{}, false
	}
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return ticket{}, false
	}
	if b, err = t.seal.Open(nil, nil, b, []byte(name)); err != nil {
		return ticket{}, false
	}
	var n ticket
	if json.Unmarshal(b, &n) != nil || !t.now().Before(n.Until) {
		return ticket{}, false
	}
	return n, true
}

// spend says whether a ticket is used for the first time.
func (t *tickets) spend(n ticket) bool {
	state := sha256.Sum256([]byte(n.State))
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for len(t.order) > 0 && (len(t.order) >= mostSpent || now.Sub(t.order[0].at) > ticketFor) {
		delete(t.spent, t.order[0].state)
		t.order = t.order[1:]
	}
	if _, used := t.spent[state]; used {
		return false
	}
	t.spent[state] = struct{}{}
	t.order = append(t.order, spentTicket{state, now})
	return true
}

// prefix starts the names of tickets' cookies.
func (s *SignIn) ticketPrefix() string {
	if s.insecure {
		return "steward_signin_"
	}
	return "__Host-steward-signin-"
}

func (s *SignIn) ticketCookie(state string) string {
	h := sha256.Sum256([]byte(state))
	return s.ticketPrefix() + base64.RawURLEncoding.EncodeToString(h[:9])
}

// issue gives the browser a ticket and takes the ones away that are too many or dead.
func (s *SignIn) issue(w http.ResponseWriter, r *http.Request, n ticket) error {
	name := s.ticketCookie(n.State)
	value, err := s.tickets.write(name, n)
	if err != nil {
		return err
	}
	kept := 0
	for _, c := range r.Cookies() {
		if !strings.HasPrefix(c.Name, s.ticketPrefix()) {
			continue
		}
		if _, alive := s.tickets.read(c.Name, c.Value); alive && kept < mostTickets-1 {
			kept++
			continue
		}
		s.put(w, c.Name, "", 0)
	}
	s.put(w, name, value, int(ticketFor/time.Second))
	return nil
}

// redeem finds the ticket of a state and spends it. The browser forgets it either way.
func (s *SignIn) redeem(w http.ResponseWriter, r *http.Request, state string) (ticket, bool) {
	name := s.ticketCookie(state)
	found := r.CookiesNamed(name)
	if len(found) == 0 {
		return ticket{}, false
	}
	s.put(w, name, "", 0)
	if len(found) > 1 {
		return ticket{}, false
	}
	n, ok := s.tickets.read(name, found[0].Value)
	if !ok || subtle.ConstantTimeCompare([]byte(n.State), []byte(state)) != 1 || !s.tickets.spend(n) {
		return ticket{}, false
	}
	return n, true
}
