package analytics_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/drill"
)

func TestDrillsAndAttempts(t *testing.T) {
	now := time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	s, db := openStore(t, now)
	ctx := context.Background()
	demos, err := drill.Demos()
	if err != nil {
		t.Fatal(err)
	}
	ours := demos[0].Drill
	ours.ID, ours.Title = "ours", "first"
	second := ours
	second.Title = "second"
	foreign := ours
	foreign.ID = "foreign"
	var all []event.Event
	add := func(e event.Event, err error) event.Event {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
		return e
	}
	day := func(n int) time.Time { return now.AddDate(0, 0, n-10) }
	add(drill.Compiled(ours, "ann", day(1)))
	add(drill.Compiled(second, "ann", day(3)))
	add(drill.Compiled(foreign, "eve", day(1)))
	all[len(all)-1].Source = "/import/elsewhere" // not Steward's word
	p := drill.Player{Drill: "ours", Attempt: "a1", Person: "ann"}
	add(event.New("/steward", event.PersonDescribed, "ann", "ann", day(0), map[string]any{"person": "ann", "aliases": []string{"chat:ANN"}}))
	add(drill.Started(p, day(2)))
	add(drill.Acted(p, drill.Step{N: 1, Offset: 30, Action: "look:" + ours.Services[0]}, day(2).Add(30*time.Second)))
	copied := add(drill.Acted(p, drill.Step{N: 2, Offset: 90, Action: "finish"}, day(2).Add(90*time.Second)))
	all = append(all, copied)
	add(drill.Acted(drill.Player{Drill: "ours", Attempt: "a1", Person: "eve"}, drill.Step{N: 3, Offset: 91, Action: "update"}, day(2).Add(91*time.Second)))
	parts, err := drill.Score(ours, []drill.Step{{N: 1, Offset: 30, Action: "look:" + ours.Services[0]}})
	if err != nil {
		t.Fatal(err)
	}
	add(drill.Finished(p, parts, day(2).Add(90*time.Second)))
	add(drill.Started(drill.Player{Drill: demos[1].Drill.ID, Attempt: "a2", Person: "chat:ANN"}, day(5)))
	insert(t, db, all)

	member := func(person string, roles ...access.Role) *analytics.View {
		return s.For(access.As(access.Identity{Person: person}, access.Membership{Person: person, Teams: []string{"x"}, Leads: []string{"x"}}, append(roles, access.Viewer, access.Member)...), "tests")
	}
	ann := member("ann")
	drills, err := member("zoe").Drills(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range drills {
		ids = append(ids, d.ID)
		if d.ID == "ours" && d.Title != "second" {
			t.Errorf("the latest publication is %q", d.Title)
		}
	}
	if want := []string{demos[0].Drill.ID, "ours", demos[1].Drill.ID, demos[2].Drill.ID}; !slices.Equal(ids, want) {
		t.Errorf("drills %v, want %v", ids, want)
	}
	rows, err := ann.Attempts(ctx)
	if err != nil || len(rows) != 2 || rows[0].ID != "a2" || !rows[0].Finished.IsZero() || rows[1].Score != parts.Score || len(rows[1].Parts) != 6 {
		t.Errorf("attempts %+v, %v", rows, err)
	}
	a, err := ann.Attempt(ctx, "a1")
	if err != nil {
		t.Fatal(err)
	}
	if a.Drill.Title != "first" || len(a.Steps) != 2 || a.Steps[1].Action != "finish" || a.Finished.IsZero() || a.Clock().Offset(a.Finished) != 90 {
		t.Errorf("the attempt reads %q with %+v", a.Drill.Title, a.Steps)
	}
	if a, err = ann.Attempt(ctx, "a2"); err != nil || a.Person != "ann" {
		t.Errorf("her attempt under another id: %v", err)
	}
	// Nobody else reads it, whatever they are.
	for name, v := range map[string]*analytics.View{
		"a lead": member("lea", access.Lead), "a people admin": member("pam", access.PeopleAdmin), "an admin": member("adm", access.Admin),
		"a token": s.For(access.Token("t", true, true), ""), "a viewer": s.For(access.As(access.Identity{}, access.Membership{}, access.Viewer), ""),
	} {
		if _, err := v.Attempt(ctx, "a1"); !errors.Is(err, analytics.ErrNotFound) {
			t.Errorf("%s reads the attempt: %v", name, err)
		}
		if rows, err := v.Attempts(ctx); err != nil || len(rows) != 0 {
			t.Errorf("%s has %d attempts, %v", name, len(rows), err)
		}
	}
	if _, err := s.For(access.Who{}, "").Attempt(ctx, "a1"); err == nil {
		t.Error("nobody reads the attempt")
	}
	if _, err := s.Attempt(ctx, "a1"); err != nil {
		t.Errorf("the operator: %v", err)
	}
	if _, err := ann.Attempt(ctx, "a9"); !errors.Is(err, analytics.ErrNotFound) {
		t.Errorf("no such attempt: %v", err)
	}
}
