package analytics_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
)

// What recommendations go by, in the organisation of skill_test.go and by hand.
func TestWhatRecommendationsGoBy(t *testing.T) {
	all, db := openStore(t, skillsNow)
	events := skillsHistory(t)
	for i, d := range []map[string]any{
		{"recommendation": "r1", "by": person("bo"), "reason": "later", "team": "payments"},
		{"recommendation": "r2", "by": person("ana"), "reason": "known", "person": person("ana")},
		{"recommendation": "r3", "by": person("cy"), "reason": "theirs", "person": person("cy")},
	} {
		for _, source := range []string{"/steward", "/import/liar"} { // only Steward's own word counts
			if source != "/steward" {
				d["recommendation"] = fmt.Sprint("forged", i)
			}
			e, err := event.New(source, event.RecommendationDismissed, "x", fmt.Sprint(i, source), skillsNow.Add(-time.Hour), d)
			if err != nil {
				t.Fatal(err)
			}
			e.Seen = e.At
			events = append(events, e)
		}
	}
	// A shift of Dee's that was called off before it began, and one that became Fay's.
	for i, d := range []map[string]any{
		{"shift": "off", "person": person("dee"), "end": skillsNow.Add(-12 * time.Hour)}, {"shift": "off", "person": person("dee"), "end": skillsNow.Add(-24 * time.Hour)},
		{"shift": "swapped", "person": person("dee"), "end": skillsNow.Add(-12 * time.Hour)}, {"shift": "swapped", "person": person("fay"), "end": skillsNow.Add(-12 * time.Hour)},
	} {
		d["schedule"], d["start"] = "search-rota", skillsNow.Add(-24*time.Hour)
		e, err := event.New("/import/test", event.ShiftPlanned, fmt.Sprint(d["shift"]), fmt.Sprint(i), skillsNow.Add(time.Duration(i-96)*time.Hour), d)
		if err != nil {
			t.Fatal(err)
		}
		e.Seen = e.At
		events = append(events, e)
	}
	insert(t, db, events)
	member := func(short string, teams ...string) *analytics.View {
		return all.For(access.As(access.Identity{Person: person(short)}, access.Membership{Person: person(short), Teams: teams}, access.Viewer, access.Member), "x")
	}
	anaView, bo, dee := member("ana", "payments"), member("bo", "payments"), member("dee", "search")
	until := skillsNow.Add(14 * 24 * time.Hour)

	// i1 was severe and Ana's; i2 hers; i6 was paged to Bo first, and Fay of search resolved it.
	took := func(v *analytics.View, teams ...string) string {
		t.Helper()
		rows, err := v.DemandBehind(t.Context(), teams...)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range rows {
			out = append(out, fmt.Sprintf("%s %s %s %v %v %v", r.Incident, r.Skill, r.Team, r.Severe, r.Away, r.Yours))
		}
		return strings.Join(out, "\n")
	}
	if got, want := took(anaView, "payments"), `i6 queue-stream-ops payments false true false
i2 queue-stream-ops payments false false true
i1 queue-stream-ops payments true false true`; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := took(bo, "payments"); !strings.HasPrefix(got, "i6 queue-stream-ops payments false true true") || strings.Count(got, "true true") != 1 {
		t.Errorf("Bo's: %s", got)
	}
	if got, want := took(dee, "search"), `i8 datastore-ops search false false true
i7 datastore-ops search true true true
i7 queue-stream-ops search true true true`; got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	// The week to come is Ana's, who is current; nobody is planned after it.
	ahead, err := bo.TeamAhead(t.Context(), "payments", until)
	if err != nil || len(ahead) != 1 || !ahead[0].From.Equal(skillsNow) || !ahead[0].To.Equal(skillsNow.AddDate(0, 0, 7)) || strings.Join(ahead[0].Skills, " ") != queues {
		t.Errorf("%v %v", ahead, err)
	}
	turns, before, err := anaView.OwnTurns(t.Context(), until)
	if err != nil || !before || len(turns) != 1 || turns[0].Team != "payments" || !turns[0].From.Equal(skillsNow) || !turns[0].To.Equal(skillsNow.AddDate(0, 0, 7)) || !turns[0].Begun {
		t.Errorf("%v %v %v", turns, before, err)
	}
	if turns, before, err := dee.OwnTurns(t.Context(), until); err != nil || before || len(turns) != 0 {
		t.Errorf("Dee was never on call: %v %v %v", turns, before, err)
	}
	// FX4 is all of search's, of whom Dee did it; Fay's FX3 was never given.
	learning, err := dee.TeamLearning(t.Context(), "search", map[string][]string{"PG": {"PG1", "PG2"}})
	if err != nil || learning.Members != 3 || learning.Small || fmt.Sprint(learning.Held) != "map[FX4:3]" {
		t.Errorf("%+v %v", learning, err)
	}
	// PG1 is Cy's, and with the whole track, Bo's, who is excused from both of its modules.
	if learning, err = bo.TeamLearning(t.Context(), "payments", map[string][]string{"PG": {"PG1", "PG2"}}); err != nil || fmt.Sprint(learning.Held) != "map[PG1:2 PG2:1]" {
		t.Errorf("%+v %v", learning, err)
	}
	for _, c := range []struct {
		v          *analytics.View
		team, want string
	}{{anaView, "payments", "r1 bo@example.org later"}, {anaView, "", "r2 ana@example.org known"}, {bo, "", ""}} {
		rows, err := c.v.Dismissals(t.Context(), c.team)
		got := ""
		for _, r := range rows {
			got += r.Recommendation + " " + r.By + " " + r.Reason
		}
		if err != nil || got != c.want {
			t.Errorf("dismissals of %q: %s %v", c.team, got, err)
		}
	}

	// Nobody reads what another team should learn by, and nobody who is no person has own facts.
	nobody := all.For(access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer), "x")
	for name, ask := range map[string]func(v *analytics.View) error{
		"took":       func(v *analytics.View) error { _, err := v.DemandBehind(t.Context(), "payments"); return err },
		"ahead":      func(v *analytics.View) error { _, err := v.TeamAhead(t.Context(), "payments", until); return err },
		"learning":   func(v *analytics.View) error { _, err := v.TeamLearning(t.Context(), "payments", nil); return err },
		"dismissals": func(v *analytics.View) error { _, err := v.Dismissals(t.Context(), "payments"); return err },
	} {
		var denied *access.Denied
		if err := ask(dee); !errors.As(err, &denied) {
			t.Errorf("another team reads %s: %v", name, err)
		}
		if err := ask(nobody); !errors.As(err, &denied) {
			t.Errorf("a viewer reads %s: %v", name, err)
		}
		if err := ask(bo); err != nil {
			t.Errorf("a member does not read %s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"turns":      func() error { _, _, err := nobody.OwnTurns(t.Context(), until); return err }(),
		"dismissals": func() error { _, err := nobody.Dismissals(t.Context(), ""); return err }(),
	} {
		var denied *access.Denied
		if !errors.As(err, &denied) {
			t.Errorf("nobody in particular has %s: %v", name, err)
		}
	}
}

// Of a team of two what is coming says what each can do, so it is not told to them either.
func TestASmallTeamsComingTimeIsNotTold(t *testing.T) {
	all, db := openStore(t, skillsNow)
	events := skillsHistory(t)
	left, err := event.New("/import/test", event.MemberLeft, "x", "left", skillsNow.Add(-48*time.Hour), map[string]any{"team": "payments", "person": person("cy")})
	if err != nil {
		t.Fatal(err)
	}
	left.Seen = left.At
	insert(t, db, append(events, left))
	v := all.For(access.As(access.Identity{Person: person("bo")}, access.Membership{Person: person("bo"), Teams: []string{"payments"}}, access.Viewer, access.Member), "x")
	if rows, err := v.TeamAhead(t.Context(), "payments", skillsNow.Add(14*24*time.Hour)); err != nil || len(rows) != 0 {
		t.Errorf("%v %v", rows, err)
	}
	learning, err := v.TeamLearning(t.Context(), "payments", map[string][]string{"PG": {"PG1", "PG2"}})
	if err != nil || !learning.Small || learning.Members != 2 || len(learning.Held) != 0 {
		t.Errorf("what one of two was given shows: %+v %v", learning, err)
	}
}
