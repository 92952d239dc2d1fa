package signin

import (
	"container/list"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
)

// What a session may be. The groups of a session are those of its start: a group that
// somebody leaves is felt after atMost at the latest, or at once by SignOutEverywhere.
const (
	idle        = 12 * time.Hour
	atMost      = 7 * 24 * time.Hour
	mostAll     = 10_000  // of all people; some 50 MB when full, most of it ID tokens
	mostPerson  = 50      // of one person or token, so that nobody's scripts drive the others out
	longestHint = 4 << 10 // bytes of an ID token that is kept for the provider's sign-out
)

// key is what a session is found by: a hash of the id in the cookie, so that whoever reads
// this memory or a dump of it cannot present an id.
type key [sha256.Size]byte

type session struct {
	key     key
	id      access.Identity
	csrf    string
	hint    string // the ID token, for the provider's sign-out; empty when too long
	started time.Time
	seen    time.Time
}

// sessions are kept in memory, the one idle for longest at the back. All methods are
// goroutine-safe. A restart of the server signs everybody out, which costs people a
// redirect while the provider still knows them.
type sessions struct {
	mu    sync.Mutex
	now   func() time.Time
	byKey map[key]*list.Element
	order *list.List // of *session
}

func newSessions(now func() time.Time) *sessions {
	return &sessions{now: now, byKey: map[key]*list.Element{}, order: list.New()}
}

// alike says whether two sessions are of one person or, where nobody in particular signed in,
// of one token: without a person all tokens would share what one of them may have.
func alike(a, b access.Identity) bool {
	if a.Person != "" || b.Person != "" {
		return a.Person == b.Person
	}
	return a.Method == b.Method && a.Name == b.Name
}

// add starts a session; who has too many loses the one idle for longest, and so do all.
func (s *sessions) add(n *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	n.started, n.seen = now, now
	for e := s.order.Back(); e != nil && now.Sub(e.Value.(*session).seen) >= idle; e = s.order.Back() {
		s.drop(e)
	}
	own, oldest := 0, (*list.Element)(nil)
	for e := s.order.Front(); e != nil; e = e.Next() {
		if alike(e.Value.(*session).id, n.id) {
			own, oldest = own+1, e
		}
	}
	if own >= mostPerson {
		s.drop(oldest)
	}
	if s.order.Len() >= mostAll {
		s.drop(s.order.Back())
	}
	s.byKey[n.key] = s.order.PushFront(n)
}

// get finds a session that is alive, and keeps it so.
func (s *sessions) get(k key) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.byKey[k]
	if e == nil {
		return session{}, false
	}
	n, now := e.Value.(*session), s.now()
	if now.Sub(n.seen) >= idle || now.Sub(n.started) >= atMost {
		s.drop(e)
		return session{}, false
	}
	n.seen = now
	s.order.MoveToFront(e)
	return *n, true
}

func (s *sessions) remove(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.byKey[k]; e != nil {
		s.drop(e)
	}
}

// removePerson ends all sessions of a person and says how many there were.
func (s *sessions) removePerson(person string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if person == "" { // of tokens, which are nobody's
		return 0
	}
	ended := 0
	for e := s.order.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*session).id.Person == person {
			s.drop(e)
			ended++
		}
		e = next
	}
	return ended
}

func (s *sessions) drop(e *list.Element) {
	delete(s.byKey, e.Value.(*session).key)
	s.order.Remove(e)
}
