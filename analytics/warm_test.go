package analytics_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
)

// slowRows are the statements whose rows are asked ahead.
var slowRows = []string{"gaps of teams", "incidents by skill", "coming hours", "coming turns", "graduations", "standing of teams", "demand of teams", "underload"}

func TestPagesFindWhatWasAskedAhead(t *testing.T) {
	ctx := t.Context()
	c := openCounted(t, skillsNow)
	insert(t, c.db, overlapping(t))
	if names := c.Unknown(); len(names) > 0 {
		t.Errorf("slow rows would not move with %q, which are no projections", names)
	}
	weeks := skillsNow.AddDate(0, 0, -7*52)
	ran := func(f func()) map[string]int {
		count := func() map[string]int {
			c.mu.Lock()
			defer c.mu.Unlock()
			return maps.Clone(c.n)
		}
		before := count()
		f()
		out := map[string]int{}
		for name, n := range count() {
			if n > before[name] {
				out[name] = n - before[name]
			}
		}
		return out
	}
	warm := func() {
		if err := c.Warm(ctx, weeks); err != nil {
			t.Fatal(err)
		}
	}
	pages := func() {
		_, _, e1 := c.Gaps(ctx, analytics.SkillFilter{})
		_, _, e9 := c.Gaps(ctx, analytics.SkillFilter{From: weeks})
		_, e2 := c.DemandBehind(ctx, "alpha")
		_, _, e3 := c.Ahead(ctx, analytics.SkillFilter{}, skillsNow.AddDate(0, 0, 7))
		_, e4 := c.OnCall(ctx, analytics.SkillFilter{}, skillsNow.AddDate(0, 0, 7))
		_, _, e5 := c.Standing(ctx, analytics.SkillFilter{})
		_, e6 := c.Demand(ctx)
		_, e7 := c.Underload(ctx, analytics.SkillFilter{})
		_, e8 := c.Readiness(ctx, analytics.ReadinessFilter{})
		for _, err := range []error{e1, e2, e3, e4, e5, e6, e7, e8, e9} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	first := ran(warm)
	for _, name := range slowRows {
		if first[name] == 0 {
			t.Errorf("%q was not asked ahead", name)
		}
	}
	expect := func(what string, want int, f func()) {
		t.Helper()
		got := ran(f)
		for _, name := range slowRows {
			if (got[name] > 0) != (want > 0) {
				t.Errorf("%s: %q was asked %d times", what, name, got[name])
			}
		}
	}
	expect("pages after it", 0, pages)
	expect("ahead again at once", 0, warm)
	c.later(4*time.Minute + time.Second)
	expect("pages find rows under five minutes old", 0, pages)
	expect("ahead before they are too old", 1, warm)
	expect("pages after that", 0, pages)
	// A tag moves them: nobody is told what stood before it.
	e, err := event.New("/import/test", event.SkillTagged, "t", "late", skillsNow, map[string]any{"incident": "none", "skill": "queue-stream-ops", "basis": "rule"})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, c.db, []event.Event{e})
	expect("pages after a tag", 1, pages)
	expect("ahead after pages", 0, warm)
}

// What is read for others goes on when its caller leaves, and does not hold up a warehouse
// that is to close.
func TestClosingEndsWhatIsBeingRead(t *testing.T) {
	c := openCounted(t, skillsNow)
	caller, leave := context.WithCancel(t.Context())
	read, done := c.Detach(caller)
	defer done()
	leave()
	if read.Err() != nil {
		t.Error("a read ends with who asked first")
	}
	c.Close()
	if !errors.Is(read.Err(), context.Canceled) {
		select {
		case <-read.Done():
		case <-time.After(10 * time.Second):
			t.Error("a read outlives the store")
		}
	}
	if _, _, err := c.Gaps(t.Context(), analytics.SkillFilter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a store that has closed answers: %v", err)
	}
}
