package signin

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
)

func numbered(i int) key {
	return key{byte(i), byte(i >> 8), byte(i >> 16)}
}

// Ten thousand sessions are kept; those idle for longest go first.
func TestSessionsAreBounded(t *testing.T) {
	c := &clock{}
	s := newSessions(c.now)
	for i := range mostAll {
		s.add(&session{key: numbered(i), id: access.Identity{Person: strconv.Itoa(i)}})
	}
	if _, ok := s.get(numbered(0)); !ok { // so that 1 is idle for longest
		t.Fatal("a session is gone too early")
	}
	s.add(&session{key: numbered(mostAll), id: access.Identity{Person: "new"}})
	for i, want := range map[int]bool{0: true, 1: false, 2: true, mostAll: true} {
		if _, ok := s.get(numbered(i)); ok != want {
			t.Errorf("session %d is there: %v", i, ok)
		}
	}
	if len(s.byKey) != mostAll || s.order.Len() != mostAll {
		t.Errorf("%d sessions, %d in order", len(s.byKey), s.order.Len())
	}
	c.set(idle + time.Second)
	s.add(&session{key: numbered(mostAll + 1)})
	if len(s.byKey) != 1 || s.order.Len() != 1 {
		t.Errorf("%d idle sessions are kept", len(s.byKey))
	}
}

// One person's sessions push out that person's own.
func TestSessionsOfOnePersonAreBounded(t *testing.T) {
	s := newSessions(time.Now)
	s.add(&session{key: numbered(0), id: access.Identity{Person: "bob"}})
	for i := range 3 * mostPerson {
		s.add(&session{key: numbered(i + 1), id: access.Identity{Person: "ada"}})
	}
	if _, ok := s.get(numbered(0)); !ok || len(s.byKey) != mostPerson+1 {
		t.Errorf("bob is there: %v, of %d", ok, len(s.byKey))
	}
	if n := s.removePerson("ada"); n != mostPerson {
		t.Errorf("%d sessions of ada", n)
	}
}

// Sessions that were begun with tokens are of nobody in particular, and each token has its
// own: signing in with one of them over and over ends no session of the others.
func TestSessionsOfOneTokenAreBounded(t *testing.T) {
	s := newSessions(time.Now)
	s.add(&session{key: numbered(0), id: access.Identity{Method: "token", Name: "aaaa"}})
	s.add(&session{key: numbered(1), id: access.Identity{Person: "bob"}})
	for i := range 3 * mostPerson {
		s.add(&session{key: numbered(i + 2), id: access.Identity{Method: "token", Name: "bbbb"}})
	}
	for i, who := range []string{"the other token", "bob"} {
		if _, ok := s.get(numbered(i)); !ok {
			t.Errorf("%s is signed out", who)
		}
	}
	if len(s.byKey) != mostPerson+2 {
		t.Errorf("%d sessions", len(s.byKey))
	}
	if n := s.removePerson(""); n != 0 || len(s.byKey) != mostPerson+2 {
		t.Errorf("signing out nobody ended %d sessions", n)
	}
}

func TestSessionsTogether(t *testing.T) {
	s := newSessions(time.Now)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 300 {
				k := numbered(g*1000 + i)
				s.add(&session{key: k, id: access.Identity{Person: strconv.Itoa(i)}})
				s.get(k)
				switch i % 3 {
				case 0:
					s.remove(k)
				case 1:
					s.removePerson(strconv.Itoa(i))
				}
			}
		})
	}
	wg.Wait()
	if len(s.byKey) != s.order.Len() {
		t.Errorf("%d sessions, %d in order", len(s.byKey), s.order.Len())
	}
}

// What is remembered of spent tickets is bounded, and forgets the oldest.
func TestSpentTicketsAreBounded(t *testing.T) {
	c := &clock{}
	n, err := newTickets(c.now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range mostSpent + 10 {
		if !n.spend(ticket{State: strconv.Itoa(i)}) {
			t.Fatalf("ticket %d is spent already", i)
		}
	}
	if len(n.spent) != mostSpent || len(n.order) != mostSpent || n.spend(ticket{State: strconv.Itoa(mostSpent)}) {
		t.Errorf("%d spent tickets", len(n.spent))
	}
	c.set(ticketFor + time.Second)
	if n.spend(ticket{State: "x"}); len(n.spent) != 1 {
		t.Errorf("%d spent tickets are kept", len(n.spent))
	}
}
