package analytics_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// disputes are events whose copies tell them differently: what was said first, and what
// later copies say.
func disputes(t *testing.T) (background, first, second []event.Event) {
	t.Helper()
	day := time.Date(2025, 6, 10, 0, 0, 0, 0, time.UTC)
	tell := func(kind event.Kind, id string, at, seen time.Duration, data map[string]any) event.Event {
		t.Helper()
		e, err := event.New("/test", kind, "x", id, day.Add(at), data)
		if err != nil {
			t.Fatal(err)
		}
		e.ID, e.Seen = id, day.Add(seen)
		return e
	}
	const h = time.Hour
	background = []event.Event{
		tell(event.IncidentOpened, "open-a", 1*h, 1*h, map[string]any{"incident": "a", "title": "t", "service": "s"}),
		tell(event.IncidentOpened, "open-b", 1*h, 1*h, map[string]any{"incident": "b", "title": "t", "service": "s"}),
		tell(event.IncidentOpened, "open-q", 2*h, 2*h, map[string]any{"incident": "q", "title": "quiet", "service": "s"}),
		tell(event.IncidentResolved, "end-q", 3*h, 3*h, map[string]any{"incident": "q", "actor_kind": "user", "person": "p@example.org"}),
	}
	first = []event.Event{
		tell(event.IncidentResolved, "end-a", 2*h, 2*h, map[string]any{"incident": "a", "actor_kind": "user", "person": "p@example.org"}),
		tell(event.IncidentUpdated, "move-b", 90*time.Minute, 2*h, map[string]any{"incident": "b", "service": "r"}),
		tell(event.PageSent, "page", 2*h, 2*h, map[string]any{"page": "1", "incident": "b", "person": "p@example.org", "channel": "sms"}),
		tell(event.PageSent, "bare", 4*h, 4*h, map[string]any{"page": "2", "person": "p@example.org", "channel": "sms"}),
	}
	second = []event.Event{
		tell(event.IncidentResolved, "end-a", 8*h, 30*h, map[string]any{"incident": "a", "actor_kind": "user", "person": "p@example.org"}),            // sent again, with the time of the second sending
		tell(event.IncidentUpdated, "move-b", 90*time.Minute, 30*h, map[string]any{"incident": "b", "service": "z"}),                                  // at the same moment, about another service
		tell(event.PageSent, "page", 50*h, 51*h, map[string]any{"page": "1", "incident": "a", "person": "o@example.org", "channel": "sms"}),           // two days on, about another incident
		tell(event.PageSent, "bare", 4*h, 51*h, map[string]any{"page": "2", "incident": "a", "person": "o@example.org", "channel": "sms"}),            // with an incident, now
		tell(event.IncidentOpened, "open-a", 1*h, 51*h, map[string]any{"incident": "a", "title": "t", "service": "s"}),                                // says the same
		tell(event.IncidentNoted, "noise", 52*h, 52*h, map[string]any{"incident": "q", "actor_kind": "user", "person": "p@example.org", "text": "x"}), // no copy of anything
	}
	return background, first, second
}

// Of copies that differ the one seen first counts, in whatever order they come, before and
// after the log was merged, and after a rebuild.
func TestDisputedEvents(t *testing.T) {
	background, first, second := disputes(t)
	for name, ways := range map[string][][]event.Event{
		"first copies first": {background, first, second},
		"first copies last":  {second, background, first},
		"at once":            {slices.Concat(second, first, background)},
	} {
		t.Run(name, func(t *testing.T) {
			s, db := openStore(t, time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC))
			for _, part := range ways {
				insert(t, db, part)
			}
			check := func(when string) {
				t.Helper()
				expect := func(metric, key, column string, want any, params ...string) {
					t.Helper()
					if got := cellOf(t, ask(t, s, metric, params...), key, column); got != want {
						t.Errorf("%s, %s of %q %v: %v, want %v", when, metric+"."+column, key, params, got, want)
					}
				}
				expect("time_to_resolve", "s", "mean", 3600.0, "by=service") // a and q took an hour each
				expect("incidents", "r", "incidents", int64(1), "by=service")
				expect("incidents", "z", "incidents", nil, "by=service")
				expect("pages", "p@example.org", "pages", int64(2), "by=person")
				expect("pages", "o@example.org", "pages", nil, "by=person")
				expect("pages", "", "pages", nil, "from=2025-06-12", "to=2025-06-13") // the second copy's day
				expect("pages", "r", "pages", int64(1), "by=service")
				expect("time_to_resolve", "", "unresolved", int64(2), "as_of=2025-06-10T01:45:00Z")
				expect("interruptions", "p@example.org", "interruptions", int64(2), "by=person", "known_at=2025-06-11T12:00:00Z")
			}
			check("as it came")
			if err := db.Exec(t.Context(), "merge", "OPTIMIZE TABLE events FINAL"); err != nil {
				t.Fatal(err)
			}
			check("merged")
			if err := s.Rebuild(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			check("rebuilt")
			i, err := s.Incident(t.Context(), "a")
			if err != nil || !i.Resolved.Equal(i.Opened.Add(time.Hour)) {
				t.Errorf("the incident's page: resolved %v of %v, %v", i.Resolved, i.Opened, err)
			}
		})
	}
}

// Copies that say the same keep a question on the projections; so does an upgrade, for
// rows that were stored before there was a digest.
func TestCopiesThatAgreeAreNotDisputed(t *testing.T) {
	background, first, _ := disputes(t)
	s, db := openStore(t, time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC))
	insert(t, db, background)
	insert(t, db, first)
	again := slices.Clone(first)
	for i := range again {
		again[i].Seen = again[i].Seen.Add(time.Hour)
	}
	insert(t, db, again)
	if err := db.Exec(t.Context(), "as before", "INSERT INTO events (* EXCEPT digest) SELECT * EXCEPT digest FROM events WHERE id = 'end-a'"); err != nil {
		t.Fatal(err)
	}
	if found, err := s.IsDisputed(t.Context()); err != nil || found {
		t.Errorf("disputed: %v, %v", found, err)
	}
	_, _, second := disputes(t)
	insert(t, db, second)
	time.Sleep(60 * time.Millisecond) // the mark is shared for a moment
	if found, err := s.IsDisputed(t.Context()); err != nil || !found {
		t.Errorf("not disputed: %v, %v", found, err)
	}
}
