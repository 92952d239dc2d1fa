package app

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/dashboards"
)

// A form that is sent twice says what it says once, also when both arrive at the same moment.
func TestSentTwiceIsSaidOnce(t *testing.T) {
	var ticks atomic.Int64
	l := newLearners(t, func(c *Config) { // no two acts at one moment, which would be one event anyway
		at := c.Now
		c.Now = func() time.Time { return at().Add(time.Duration(ticks.Add(1)) * time.Millisecond) }
	})
	lead, abe, amy := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2]
	said := func(kind string) uint64 {
		t.Helper()
		l.stored()
		return rowsOf(t, l.a.core, "SELECT 'n', uniqExact((source, id)) FROM events WHERE source = '/steward' AND kind = '"+kind+"'")["n"]
	}
	atOnce := func(act func() error) (errs []error) {
		var all sync.WaitGroup
		out := make([]error, 4)
		for i := range out {
			all.Add(1)
			go func() { defer all.Done(); out[i] = act() }()
		}
		all.Wait()
		for _, err := range out {
			if err != nil {
				errs = append(errs, err)
			}
		}
		return errs
	}
	as := func(p string, roles ...access.Role) access.Who {
		return access.As(access.Identity{Person: p}, access.Membership{Person: p, Teams: []string{"alpha"}, Leads: []string{"alpha"}}, append(roles, access.Viewer, access.Member)...)
	}

	l.page(lead, "/training/PG1")
	l.gives(lead, http.StatusSeeOther, "", url.Values{"module": {"PG1"}, "for": {"person:" + amy}})
	_, rows, _ := strings.Cut(l.page(lead, "/api/v1/assignments?format=csv&person="+url.QueryEscape(amy)), "\n")
	assignment, _, _ := strings.Cut(rows, ",")
	learn := newLearner(l.a.core, l.a.curriculum)
	errs := atOnce(func() error {
		return learn.Waive(t.Context(), as(lead, access.Lead), assignment, "PG1", amy, "tested-out")
	})
	for _, err := range errs {
		if bad := (*dashboards.LearnError)(nil); !errors.As(err, &bad) || bad.Reason != "it is waived already" {
			t.Errorf("a second waiver: %v", err)
		}
	}
	if n := said("training.waived"); n != 1 || len(errs) != 3 {
		t.Errorf("%d waivers of one form, %d refused", n, len(errs))
	}

	play, before := newPlayer(l.a.core), said("drill.started")
	attempts := make(chan string, 5)
	start := func() error {
		id, err := play.Start(t.Context(), as(abe), "lag-that-does-not-drain")
		attempts <- id
		return err
	}
	if errs := atOnce(start); len(errs) > 0 {
		t.Error(errs)
	}
	first := <-attempts
	for range 3 {
		if id := <-attempts; id != first {
			t.Errorf("one click begins %s and %s", first, id)
		}
	}
	if n := said("drill.started") - before; n != 1 {
		t.Errorf("%d attempts of one click", n)
	}
	l.later(time.Minute)
	if err := start(); err != nil || <-attempts == first {
		t.Errorf("a new attempt a minute later is the old one: %v", err)
	}

	tap := func(person, verdict string) {
		t.Helper()
		l.later(time.Second)
		l.wants(person, "/oncall/reviews", url.Values{"incident": {"inc-alpha-2-0"}, "verdict": {verdict}}, http.StatusSeeOther, "")
	}
	l.page(abe, "/oncall")
	for i, x := range []struct {
		who, verdict string
		events       uint64
	}{{abe, "threshold", 1}, {abe, "threshold", 1}, {lead, "view", 2}, {abe, "threshold", 3}, {abe, "view", 4}} {
		tap(x.who, x.verdict)
		if n := said("page.reviewed"); n != x.events {
			t.Errorf("tap %d, %s of %s: %d events, want %d", i, x.verdict, x.who, n, x.events)
		}
	}
}
