package keys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Why a token is refused. HTTP answers all of them alike, so that nobody learns which
// tokens once existed; logs may tell them apart.
var (
	ErrUnknown = errors.New("there is no such token")
	ErrExpired = errors.New("the token has expired")
	ErrRevoked = errors.New("the token is revoked")
	// ErrMistyped is an ErrUnknown: the text is no token at all, or one with a typo.
	ErrMistyped = fmt.Errorf("the text is not a complete token: %w", ErrUnknown)
)

// ErrNoID means that an id names nothing.
var ErrNoID = errors.New("there is no such id")

// The text of a token is stw_, 43 characters that are 256 random bits in base 62, and 6
// that are the CRC-32 of everything before, in base 62 too: 53 characters that a double
// click selects as one word. The prefix lets scanners of source code find lost tokens, the
// checksum keeps them from false alarms and tells a typo from a token that is gone.
const (
	tokenPrefix  = "stw_"
	bodyLength   = 43
	sumLength    = 6
	digits62     = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	maxName      = 64
	randomLength = 32
)

// Token is what is known of a token: everything but its text.
type Token struct {
	ID        string    `json:"id"`   // short and public: for lists, logs and revoking
	Name      string    `json:"name"` // what its maker calls it
	Scopes    []string  `json:"scopes"`
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
	Expires   time.Time `json:"expires,omitzero"`   // zero: never
	LastUsed  time.Time `json:"last_used,omitzero"` // to the minute; zero: not yet
	Revoked   time.Time `json:"revoked,omitzero"`   // zero: it is not
}

// Allows says whether one of the token's scopes covers scope. "ingest" covers every
// "ingest:SOURCE"; nothing else covers anything but itself. A token that configures Steward
// has no business with the figures, nor the other way round; one that sends incidents has
// none with who leads a team.
func (t Token) Allows(scope string) bool {
	return slices.ContainsFunc(t.Scopes, func(has string) bool {
		return has == scope || has == ScopeIngest && strings.HasPrefix(scope, ScopeIngest+":")
	})
}

// State is "valid", "expired" or "revoked" at a moment.
func (t Token) State(at time.Time) string {
	switch {
	case !t.Revoked.IsZero():
		return "revoked"
	case !t.Expires.IsZero() && !at.Before(t.Expires):
		return "expired"
	}
	return "valid"
}

// Issue makes a token and answers its text, which is nowhere else: show it once. A zero
// expires means never; by says who asked for it.
func (s *Store) Issue(name string, scopes []string, expires time.Time, by string) (text string, t Token, err error) {
	if err := checkName(name); err != nil {
		return "", Token{}, err
	}
	if scopes, err = ParseScopes(scopes); err != nil {
		return "", Token{}, err
	}
	now := s.now().UTC().Truncate(time.Second)
	if !expires.IsZero() && !expires.After(now) {
		return "", Token{}, errors.New("expires: the moment is past")
	}
	text = newToken()
	sum := sha256.Sum256([]byte(text))
	t = Token{Name: name, Scopes: scopes, Created: now, CreatedBy: by, Expires: expires.UTC()}
	err = s.change(func(d *document) error {
		t.ID = newID(func(id string) bool {
			return slices.ContainsFunc(d.Tokens, func(o storedToken) bool { return o.ID == id })
		})
		d.Tokens = append(d.Tokens, storedToken{Token: t, Hash: hex.EncodeToString(sum[:])})
		return nil
	})
	if err != nil {
		return "", Token{}, err
	}
	return text, t, nil
}

// Check answers the token of a text, or ErrUnknown, ErrMistyped, ErrExpired, ErrRevoked.
// With ErrExpired and ErrRevoked the token is answered too, for a log that names it.
func (s *Store) Check(text string) (Token, error) {
	if !wellFormed(text) {
		return Token{}, ErrMistyped
	}
	sum := sha256.Sum256([]byte(text))
	s.refresh(false)
	t, found := s.byText(sum)
	if !found {
		// Perhaps the command line made it a moment ago.
		s.refresh(true)
		if t, found = s.byText(sum); !found {
			return Token{}, ErrUnknown
		}
	}
	now := s.now()
	switch t.State(now) {
	case "revoked":
		return t, ErrRevoked
	case "expired":
		return t, ErrExpired
	}
	s.use(t, now)
	return t, nil
}

func (s *Store) byText(sum [sha256.Size]byte) (Token, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.byHash[sum]; t != nil {
		return *t, true
	}
	return Token{}, false
}

// Revoke ends a token for good. Revoking one that is revoked changes nothing.
func (s *Store) Revoke(id string) error {
	now := s.now().UTC().Truncate(time.Second)
	return s.change(func(d *document) error {
		for i := range d.Tokens {
			if t := &d.Tokens[i]; t.ID == id {
				if t.Revoked.IsZero() {
					t.Revoked = now
				}
				return nil
			}
		}
		return fmt.Errorf("token: %w", ErrNoID) // what was given may be the text of one
	})
}

// List answers every token there ever was, the oldest first, with last uses up to now.
func (s *Store) List() []Token {
	s.refresh(true)
	s.mu.RLock()
	out := make([]Token, 0, len(s.file.Tokens))
	for _, t := range s.file.Tokens {
		t.Scopes = slices.Clone(t.Scopes)
		out = append(out, t.Token)
	}
	s.mu.RUnlock()
	s.using.Lock()
	defer s.using.Unlock()
	for i := range out {
		if at := s.used[out[i].ID]; at.After(out[i].LastUsed) {
			out[i].LastUsed = at
		}
	}
	return out
}

// checkName keeps names fit for a line of a terminal or a log.
func checkName(name string) error {
	if strings.TrimSpace(name) != name || name == "" || len(name) > maxName || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("name: it has 1 to %d bytes, printable and without spaces around them", maxName)
	}
	return nil
}

func newToken() string {
	start := tokenPrefix + random62()
	return start + checksum(start)
}

// wellFormed is decided before the hash, and costs a stranger's text no look at anything.
func wellFormed(text string) bool {
	if len(text) != len(tokenPrefix)+bodyLength+sumLength || !strings.HasPrefix(text, tokenPrefix) {
		return false
	}
	return checksum(text[:len(text)-sumLength]) == text[len(text)-sumLength:]
}

func checksum(s string) string {
	return pad62(new(big.Int).SetUint64(uint64(crc32.ChecksumIEEE([]byte(s)))), sumLength)
}

// random62 is 256 random bits. Reading them cannot fail: without randomness Go ends the
// program.
func random62() string {
	var b [randomLength]byte
	rand.Read(b[:])
	return pad62(new(big.Int).SetBytes(b[:]), bodyLength)
}

// pad62 writes a number in base 62 with leading zeros.
func pad62(n *big.Int, length int) string {
	out := make([]byte, length)
	base, digit := big.NewInt(62), new(big.Int)
	for i := length - 1; i >= 0; i-- {
		n.QuoRem(n, base, digit)
		out[i] = digits62[digit.Int64()]
	}
	return string(out)
}

// newID is short enough to type and not yet taken. It proves nothing.
func newID(taken func(string) bool) string {
	for {
		var b [4]byte
		rand.Read(b[:])
		if id := hex.EncodeToString(b[:]); !taken(id) {
			return id
		}
	}
}
