package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

var june = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

// tale builds a small history by hand.
type tale struct {
	t      *testing.T
	events []event.Event
}

// tell adds an event at June's start plus hours, seen as long after it as late says.
func (s *tale) tell(kind event.Kind, subject string, hours float64, late time.Duration, d map[string]any) {
	s.t.Helper()
	at := june.Add(time.Duration(hours * float64(time.Hour)))
	e, err := event.New("/test", kind, subject, fmt.Sprint(len(s.events)), at, d)
	if err != nil {
		s.t.Fatal(err)
	}
	e.Seen = at.Add(late)
	s.events = append(s.events, e)
}

type m = map[string]any

// lookupHistory: two teams, a service that changes hands, a person with two ids, and
// incidents of every shape. Now is 30 days after June's start.
func lookupHistory(t *testing.T) []event.Event {
	s := &tale{t: t}
	s.tell(event.TeamDescribed, "a", 0, 0, m{"team": "a", "name": "Zebra", "contact": "#zebra"})
	s.tell(event.TeamDescribed, "a", 1, 0, m{"team": "a", "name": "Zebra crossing", "parent": "top"})
	s.tell(event.ServiceDescribed, "db", 0, 0, m{"service": "db", "name": "Database", "tier": 1, "runbook_url": "https://example.org/db"})
	s.tell(event.ServiceOwned, "db", 24, 0, m{"service": "db", "team": "a"})
	s.tell(event.ServiceOwned, "db", 48, 0, m{"service": "db", "team": "a"}) // says nothing new
	s.tell(event.ServiceOwned, "db", 240, 0, m{"service": "db", "team": ""})
	s.tell(event.ServiceOwned, "db", 264, 0, m{"service": "db", "team": "b"})
	s.tell(event.PersonDescribed, "ana@example.org", 0, 0, m{"person": "Ana@example.org", "name": "Ana", "time_zone": "Europe/Berlin", "aliases": []string{"slack:W1"}})
	s.tell(event.MemberJoined, "ana@example.org", 0, 0, m{"team": "a", "person": "ana@example.org"})
	s.tell(event.MemberJoined, "ana@example.org", 240, 0, m{"team": "b", "person": "ana@example.org"})

	// i1: a whole life. Its opening is delivered again, later.
	s.tell(event.IncidentOpened, "i1", 100, time.Second, m{"incident": "i1", "title": "disk", "service": "db", "urgency": "high", "priority": "P1", "alert_class": "disk"})
	s.tell(event.PageSent, "i1", 100.01, time.Second, m{"page": "p1", "incident": "i1", "person": "slack:W1", "channel": "push", "level": 1})
	s.tell(event.IncidentAcknowledged, "i1", 100.1, time.Second, m{"incident": "i1", "person": "slack:W1", "actor_kind": "user"})
	s.tell(event.IncidentResolved, "i1", 101, 48*time.Hour, m{"incident": "i1", "person": "ana@example.org", "actor_kind": "user"})
	again := s.events[len(s.events)-4]
	again.Seen = again.Seen.Add(72 * time.Hour)
	s.events = append(s.events, again)
	// i2: known by a note before anybody told its opening.
	s.tell(event.IncidentNoted, "i2", 300, 0, m{"incident": "i2", "text": "looks odd", "person": "ana@example.org"})
	s.tell(event.IncidentOpened, "i2", 301, 0, m{"incident": "i2", "title": "odd", "service": "db"})
	// i3: known by a note alone.
	s.tell(event.IncidentNoted, "i3", 310, 0, m{"incident": "i3", "text": "?", "person": "ana@example.org"})
	// i4: a drill.
	s.tell(event.IncidentOpened, "i4", 320, 0, m{"incident": "i4", "title": "drill", "service": "db", "drill": true})
	s.tell(event.PageSent, "i4", 320.1, 0, m{"page": "p4", "incident": "i4", "person": "ana@example.org", "channel": "push"})
	// i5: resolved by itself, of a service nobody described, and merged.
	s.tell(event.IncidentOpened, "i5", 330, 0, m{"incident": "i5", "title": "flap", "service": "web"})
	s.tell(event.IncidentMerged, "i5", 331, 0, m{"incident": "i5", "into": "i1"})
	s.tell(event.IncidentResolved, "i5", 332, 0, m{"incident": "i5", "actor_kind": "service", "auto": true})
	// i6 has not happened yet.
	s.tell(event.IncidentOpened, "i6", 24*40, -24*20*time.Hour, m{"incident": "i6", "title": "next month", "service": "db"})
	return s.events
}

func hour(h float64) time.Time { return june.Add(time.Duration(h * float64(time.Hour))) }

func TestLookups(t *testing.T) {
	ctx := context.Background()
	s, db := openStore(t, june.AddDate(0, 0, 30))
	insert(t, db, lookupHistory(t))
	t.Run("incident", func(t *testing.T) { incident(ctx, t, s) })
	t.Run("incidents", func(t *testing.T) { incidentList(ctx, t, s) })
	t.Run("events", func(t *testing.T) { eventList(ctx, t, s) })
	t.Run("directory", func(t *testing.T) { directory(ctx, t, s) })
	t.Run("ownership", func(t *testing.T) { ownership(ctx, t, s) })
	t.Run("quarantine", func(t *testing.T) { quarantine(ctx, t, s, db) })
}

func incident(ctx context.Context, t *testing.T, s *analytics.View) {
	for _, c := range []struct {
		id     string
		want   analytics.IncidentRow
		events int
	}{
		{"i1", analytics.IncidentRow{ID: "i1", Title: "disk", Service: "db", Urgency: "high", Priority: "P1", AlertClass: "disk", Opened: hour(100),
			Acked: hour(100.1), Resolved: hour(101), OwnerThen: "a", OwnerNow: "b", Resolver: "ana@example.org", Over: true, Pages: 1}, 4},
		{"i2", analytics.IncidentRow{ID: "i2", Title: "odd", Service: "db", Opened: hour(301), OwnerThen: "b", OwnerNow: "b"}, 2},
		{"i3", analytics.IncidentRow{ID: "i3", Opened: hour(310)}, 1},
		{"i4", analytics.IncidentRow{ID: "i4", Opened: hour(320), Drill: true, Pages: 1}, 2},
		{"i5", analytics.IncidentRow{ID: "i5", Title: "flap", Service: "web", Opened: hour(330), Resolved: hour(332), Auto: true, Merged: true, Over: true}, 3},
	} {
		got, err := s.Incident(ctx, c.id)
		if err != nil {
			t.Errorf("%s: %v", c.id, err)
			continue
		}
		row := got.IncidentRow
		if c.id == "i2" || c.id == "i3" { // a note is an action: whoever wrote it last stands as resolver
			row.Resolver = ""
		}
		if row.Opened, row.Acked, row.Resolved = row.Opened.UTC(), row.Acked.UTC(), row.Resolved.UTC(); row != c.want {
			t.Errorf("%s:\n  got  %+v\n  want %+v", c.id, row, c.want)
		}
		if len(got.Events) != c.events {
			t.Errorf("%s: %d events, want %d", c.id, len(got.Events), c.events)
		}
	}
	for _, id := range []string{"nothing", "", "i6", "i1' OR 1=1 --"} {
		if got, err := s.Incident(ctx, id); !errors.Is(err, analytics.ErrNotFound) {
			t.Errorf("%q: %+v, %v; want ErrNotFound", id, got, err)
		}
	}
}

func incidentList(ctx context.Context, t *testing.T, s *analytics.View) {
	for _, c := range []struct {
		name   string
		filter analytics.IncidentFilter
		want   string
	}{
		{"all, newest first, no drill", analytics.IncidentFilter{}, "i5 i3 i2 i1"},
		{"limit", analytics.IncidentFilter{Limit: 2}, "i5 i3"},
		{"from is in, to is out", analytics.IncidentFilter{From: hour(301), To: hour(330)}, "i3 i2"},
		{"owner then", analytics.IncidentFilter{Team: []string{"a"}}, "i1"},
		{"two owners", analytics.IncidentFilter{Team: []string{"a", "b"}}, "i2 i1"},
		{"service", analytics.IncidentFilter{Service: []string{"web"}}, "i5"},
		{"both", analytics.IncidentFilter{Service: []string{"web"}, Team: []string{"a"}}, ""},
		{"paged, by whom people stood for", analytics.IncidentFilter{Paged: []string{"a"}}, "i1"},
		{"paged nobody of theirs", analytics.IncidentFilter{Paged: []string{"b"}}, ""},
		{"paged in the window, opened before it", analytics.IncidentFilter{Paged: []string{"a"}, From: june.Add(100*time.Hour + 30*time.Second)}, "i1"},
		{"paged before the window", analytics.IncidentFilter{Paged: []string{"a"}, From: june.Add(100*time.Hour + 50*time.Second)}, ""},
		{"paged after the window", analytics.IncidentFilter{Paged: []string{"a"}, To: june.Add(100 * time.Hour)}, ""},
	} {
		rows, err := s.Incidents(ctx, c.filter)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var ids []string
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func eventList(ctx context.Context, t *testing.T, s *analytics.View) {
	for _, c := range []struct {
		name   string
		filter analytics.EventFilter
		want   string
	}{
		{"in order, each once", analytics.EventFilter{Incident: "i1"}, "incident.opened page.sent incident.acknowledged incident.resolved"},
		{"limit", analytics.EventFilter{Incident: "i1", Limit: 2}, "incident.opened page.sent"},
		{"as_of is in", analytics.EventFilter{Incident: "i1", AsOf: hour(100.1)}, "incident.opened page.sent incident.acknowledged"},
		{"as_of a millisecond before", analytics.EventFilter{Incident: "i1", AsOf: hour(100.1).Add(-time.Millisecond)}, "incident.opened page.sent"},
		{"the resolution was learned two days late", analytics.EventFilter{Incident: "i1", KnownAt: hour(120)}, "incident.opened page.sent incident.acknowledged"},
		{"known_at is in", analytics.EventFilter{Incident: "i1", KnownAt: hour(149)}, "incident.opened page.sent incident.acknowledged incident.resolved"},
		{"not yet", analytics.EventFilter{Incident: "i6"}, ""},
		{"unknown", analytics.EventFilter{Incident: "none"}, ""},
	} {
		rows, err := s.Events(ctx, c.filter)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var kinds []string
		for _, r := range rows {
			kinds = append(kinds, r.Kind)
			if r.Kind == "incident.opened" && !r.Seen.Equal(hour(100).Add(time.Second)) {
				t.Errorf("%s: the copy seen at %v stands, want the first", c.name, r.Seen)
			}
		}
		if got := strings.Join(kinds, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func directory(ctx context.Context, t *testing.T, s *analytics.View) {
	d, err := s.Directory(ctx)
	if err != nil {
		t.Fatal(err)
	}
	teams := []analytics.Team{
		{ID: "b", Name: "b", Members: []string{"ana@example.org"}, Size: 1, Services: []string{"db"}},
		{ID: "a", Name: "Zebra crossing", Parent: "top", Contact: "#zebra", Members: []string{"ana@example.org"}, Size: 1},
	}
	services := []analytics.Service{
		{ID: "db", Name: "Database", Owner: "b", RunbookURL: "https://example.org/db", Tier: 1},
		{ID: "web", Name: "web"},
	}
	people := []analytics.Person{{ID: "ana@example.org", Name: "Ana", Zone: "Europe/Berlin", Teams: []string{"a", "b"}}}
	for what, pair := range map[string][2]any{"teams": {d.Teams, teams}, "services": {d.Services, services}, "people": {d.People, people}} {
		if got, want := fmt.Sprintf("%+v", pair[0]), fmt.Sprintf("%+v", pair[1]); got != want {
			t.Errorf("%s:\n  got  %s\n  want %s", what, got, want)
		}
	}
}

func ownership(ctx context.Context, t *testing.T, s *analytics.View) {
	got, err := s.OwnershipHistory(ctx, "db")
	if err != nil {
		t.Fatal(err)
	}
	want := []analytics.OwnershipSpan{
		{Team: "a", From: hour(24), To: hour(240)}, {Team: "", From: hour(240), To: hour(264)}, {Team: "b", From: hour(264)},
	}
	if !slices.EqualFunc(got, want, func(a, b analytics.OwnershipSpan) bool {
		return a.Team == b.Team && a.From.Equal(b.From) && a.To.Equal(b.To)
	}) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, err := s.OwnershipHistory(ctx, "nothing"); err != nil || len(got) != 0 {
		t.Errorf("of an unknown service: %+v, %v", got, err)
	}
}

func quarantine(ctx context.Context, t *testing.T, s *analytics.View, db *warehouse.DB) {
	if rows, total, err := s.Quarantine(ctx, 10, 0); err != nil || total != 0 || len(rows) != 0 {
		t.Fatalf("empty: %v, %d, %v", rows, total, err)
	}
	columns := []string{"id", "received", "seen", "source", "account", "reason", "field", "headers", "raw", "digest", "partition", "offset"}
	raw := "{\"title\":\"\x00\xff</script>\"" // the bytes as they came, whatever they are
	for range 2 {                             // the second copy is the first
		if err := db.Insert(ctx, "quarantine", columns, "", func(b warehouse.Batch) error {
			for i := range 3 {
				at := hour(float64(i))
				if err := b.Append(fmt.Sprintf("q%d", i), at, at, "pagerduty", "acme", "unknown type", "event.type",
					`{"Content-Type":"application/json"}`, raw, "", int32(1), int64(i)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Insert(ctx, "quarantine_redrive", []string{"id", "at", "outcome"}, "", func(b warehouse.Batch) error {
		if err := b.Append("q1", hour(50), "still unreadable"); err != nil {
			return err
		}
		return b.Append("q1", hour(60), "published 1 events")
	}); err != nil {
		t.Fatal(err)
	}

	rows, total, err := s.Quarantine(ctx, 2, 0)
	if err != nil || total != 3 || len(rows) != 2 || rows[0].ID != "q2" || rows[1].ID != "q1" {
		t.Fatalf("newest first, two of three: %+v of %d, %v", rows, total, err)
	}
	if r := rows[0]; !r.Redriven.IsZero() || r.Outcome != "" || r.Raw != nil || r.Bytes != len(raw) || r.Offset != 2 || r.Partition != 1 || !r.Received.Equal(hour(2)) {
		t.Errorf("%+v", r)
	}
	if r := rows[1]; !r.Redriven.Equal(hour(60)) || r.Outcome != "published 1 events" {
		t.Errorf("redriven %v: %q, want the last outcome", r.Redriven, r.Outcome)
	}
	if rows, _, err := s.Quarantine(ctx, 2, 2); err != nil || len(rows) != 1 || rows[0].ID != "q0" {
		t.Errorf("the next page: %+v, %v", rows, err)
	}
	item, err := s.QuarantineItem(ctx, "q0")
	if err != nil {
		t.Fatal(err)
	}
	if string(item.Raw) != raw || item.Headers["Content-Type"] != "application/json" || item.Reason != "unknown type" || item.Field != "event.type" ||
		item.Source != "pagerduty" || item.Account != "acme" {
		t.Errorf("%+v, raw %q", item, item.Raw)
	}
	if _, err := s.QuarantineItem(ctx, "none"); !errors.Is(err, analytics.ErrNotFound) {
		t.Errorf("an unknown record: %v, want ErrNotFound", err)
	}
}
