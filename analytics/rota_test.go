package analytics_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
)

// rotaHistory is a rule of the team "night" for the schedule nights, and a plan that changes
// after it. old holds a shift before the rule and again; new is planned, moved from the 20th to the
// 18th and has a shadow shift before; gone is planned and taken off; late is planned only on the
// 12th; other is of another team. Every completion but one of late's stands.
func rotaHistory(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	tell := func(kind event.Kind, at string, data map[string]any) string {
		moment, err := time.Parse("2006-01-02T15:04", at)
		if err != nil {
			t.Fatal(err)
		}
		e, err := event.New("/import/test", kind, "s", fmt.Sprint(len(out)), moment, data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
		return e.ID
	}
	for _, p := range []string{"old", "new", "gone", "late", "lead", "other"} {
		team := "night"
		if p == "other" {
			team = "day"
		}
		role := "member"
		if p == "lead" {
			role = "lead"
		}
		tell(event.PersonDescribed, "2026-01-01T09:00", map[string]any{"person": p + "@example.org", "name": p, "aliases": []string{"chat:" + p}})
		tell(event.MemberJoined, "2026-01-01T09:00", map[string]any{"team": team, "person": p + "@example.org", "role": role})
	}
	shift := func(kind event.Kind, said, id, person, role, start, end string) {
		m := map[string]any{"shift": id, "schedule": "nights", "person": person, "start": start + ":00Z", "end": end + ":00Z"}
		if role != "" {
			m["role"] = role
		}
		tell(kind, said, m)
	}
	shift(event.ShiftWorked, "2026-02-02T08:00", "o1", "old@example.org", "", "2026-02-01T20:00", "2026-02-02T08:00")
	tell(event.TrainingAssigned, "2026-03-01T12:00", map[string]any{"assignment": "rule", "module": "PG1", "rota": "nights", "within": "night", "before": "first-shift", "by": "lead@example.org", "reason": "before you are alone"})
	shift(event.ShiftPlanned, "2026-03-02T09:00", "n1", "chat:new", "", "2026-03-20T20:00", "2026-03-21T08:00")
	shift(event.ShiftPlanned, "2026-03-05T09:00", "n1", "chat:new", "", "2026-03-18T20:00", "2026-03-19T08:00")
	shift(event.ShiftPlanned, "2026-03-02T09:00", "n0", "new@example.org", "shadow", "2026-03-08T20:00", "2026-03-09T08:00")
	shift(event.ShiftPlanned, "2026-03-02T09:00", "o2", "old@example.org", "", "2026-03-22T20:00", "2026-03-23T08:00")
	shift(event.ShiftPlanned, "2026-03-02T09:00", "g1", "gone@example.org", "", "2026-03-24T20:00", "2026-03-25T08:00")
	shift(event.ShiftPlanned, "2026-03-06T09:00", "g1", "gone@example.org", "", "2026-03-24T20:00", "2026-03-24T20:00")
	shift(event.ShiftPlanned, "2026-03-02T09:00", "x1", "other@example.org", "", "2026-03-26T20:00", "2026-03-27T08:00")
	tell(event.ShiftPlanned, "2026-03-02T09:00", map[string]any{"shift": "swapped", "schedule": "days", "person": "chat:other", "start": "2026-03-10T08:00:00Z", "end": "2026-03-10T20:00:00Z"})
	tell(event.ShiftWorked, "2026-03-10T20:00", map[string]any{"shift": "swapped", "schedule": "days", "person": "stranger@example.org", "start": "2026-03-10T08:00:00Z", "end": "2026-03-10T20:00:00Z"})
	shift(event.ShiftPlanned, "2026-03-12T09:00", "l1", "late@example.org", "", "2026-03-14T20:00", "2026-03-15T08:00")
	in := func(person string, more ...any) map[string]any {
		m := map[string]any{"assignment": "rule", "module": "PG1", "person": person}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	tell(event.TrainingStarted, "2026-03-10T09:00", in("new@example.org"))
	tell(event.TrainingPassed, "2026-03-11T09:00", in("chat:new", "attempt", 1, "score", 1))
	tell(event.TrainingCompleted, "2026-03-12T10:00", in("new@example.org", "kind", "upload", "ref", "https://example.org/new"))
	tell(event.TrainingStarted, "2026-03-13T09:00", in("late@example.org"))
	wrong := tell(event.TrainingCompleted, "2026-03-13T10:00", in("late@example.org", "kind", "upload", "ref", "https://example.org/somebody-elses"))
	tell(event.EvidenceVoided, "2026-03-14T09:00", map[string]any{"evidence": wrong, "reason": "it was somebody else's"})
	return out
}

func TestARotasNewcomersHaveItBeforeTheirFirstShift(t *testing.T) {
	history := rotaHistory(t)
	show := func(rows []analytics.AssignmentRow) string {
		var out []string
		for _, r := range rows {
			short, _, _ := strings.Cut(r.Person, "@")
			s := short + " " + r.State
			if !r.Due.IsZero() {
				s += " " + r.Due.Add(-time.Millisecond).Format("02 Jan")
			}
			if r.Overdue {
				s += "!"
			}
			out = append(out, s)
		}
		return strings.Join(out, ", ")
	}
	rows := func(now string, events []event.Event) (out string) {
		t.Run(now, func(t *testing.T) { // one engine after the other
			at, err := time.Parse("2006-01-02T15:04", now)
			if err != nil {
				t.Fatal(err)
			}
			all, db := openStore(t, at)
			insert(t, db, events)
			got, err := all.Assignments(t.Context(), analytics.AssignmentFilter{})
			if err != nil {
				t.Fatal(err)
			}
			if now == "2026-03-15T12:00" {
				rules, err := all.Rules(t.Context())
				if err != nil || len(rules) != 1 || rules[0].Rota != "nights" || rules[0].Team != "night" || rules[0].Reason != "before you are alone" {
					t.Errorf("rules: %+v, %v", rules, err)
				}
				rotas, err := all.Rotas(t.Context(), "night")
				if err != nil || len(rotas) != 1 || rotas[0].Schedule != "nights" || !slices.Equal(rotas[0].Coming, []string{"new@example.org"}) {
					t.Errorf("rotas: %+v, %v", rotas, err)
				}
			}
			out = show(got)
		})
		return out
	}
	// The plan of each moment decides: gone is to come, then is not; late comes only later.
	if got, want := rows("2026-03-04T12:00", history), "gone assigned 23 Mar, new assigned 19 Mar"; got != want {
		t.Errorf("on the 4th: %s, want %s", got, want)
	}
	const want = "late started 13 Mar!, new completed 17 Mar"
	if got := rows("2026-03-15T12:00", history); got != want {
		t.Errorf("on the 15th: %s, want %s", got, want)
	}
	// In another order, and each event once or three times, it is the same.
	shuffled := slices.Concat(history, history[5:], history[9:])
	r := rand.New(rand.NewPCG(7, 11))
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	if got := rows("2026-03-15T12:00", shuffled); got != want {
		t.Errorf("shuffled: %s, want %s", got, want)
	}
	// The rule ends for everybody who has not begun; nobody is excused.
	end, err := event.New("/steward", event.TrainingWaived, "s", "end", time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), map[string]any{"assignment": "rule", "by": "lead@example.org", "reason": "administrative"})
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{"2026-03-04T13:00": "", "2026-03-15T13:00": want} {
		if got := rows(now, append(slices.Clone(history), end)); got != want {
			t.Errorf("ended, on %s: %s, want %s", now, got, want)
		}
	}
}

// What somebody was in is read by that person, and by Steward itself where evidence is checked.
func TestOwnEventsAreOnesOwn(t *testing.T) {
	all, db := openStore(t, time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC))
	insert(t, db, rotaHistory(t))
	for _, w := range []access.Who{
		access.As(access.Identity{Person: "lead@example.org"}, access.Membership{Leads: []string{"night"}}, access.Viewer, access.Lead),
		access.As(access.Identity{Person: "p@example.org"}, access.Membership{}, access.Viewer, access.PeopleAdmin), {},
	} {
		if got, err := all.For(w, "x").EventsOf(t.Context(), "new@example.org", time.Time{}, "shift.planned"); err == nil || got != nil {
			t.Errorf("%s reads %v", w.Label(), got)
		}
		if _, err := all.For(w, "x").ShadowingOf(t.Context(), "new@example.org"); err == nil {
			t.Errorf("%s reads how far somebody's shadowing is", w.Label())
		}
	}
	self := access.As(access.Identity{Person: "new@example.org"}, access.Membership{Person: "new@example.org"}, access.Viewer, access.Member)
	got, err := all.For(self, "x").EventsOf(t.Context(), "new@example.org", time.Time{}, "shift.planned")
	if err != nil || len(got) != 2 || got[0].Shift != "n1" || got[0].From.Day() != 18 || got[1].Role != "shadow" {
		t.Errorf("own shifts: %+v, %v", got, err)
	}
	gone := access.As(access.Identity{Person: "gone@example.org"}, access.Membership{Person: "gone@example.org"}, access.Viewer, access.Member)
	if got, err := all.For(gone, "x").EventsOf(t.Context(), "gone@example.org", time.Time{}, "shift.planned"); err != nil || len(got) != 0 {
		t.Errorf("a shift that was taken off: %+v, %v", got, err)
	}
	other := access.As(access.Identity{Person: "other@example.org"}, access.Membership{Person: "other@example.org"}, access.Viewer, access.Member)
	if got, err := all.For(other, "x").EventsOf(t.Context(), "other@example.org", time.Time{}, "shift.planned", "shift.worked"); err != nil || len(got) != 1 || got[0].Shift != "x1" {
		t.Errorf("a shift that somebody else took over: %+v, %v", got, err)
	}
	if x, err := all.For(self, "x").ShadowingOf(t.Context(), "new@example.org"); err != nil || x != (analytics.Shadowing{Shadowed: 1}) {
		t.Errorf("shadowing: %+v, %v", x, err)
	}
}

// The metric counts what the list shows: assigned, started, passed, completed, overdue, waived.
func TestProgressCountsARotasNewcomers(t *testing.T) {
	all, db := openStore(t, time.Date(2026, 3, 15, 12, 0, 0, 0, time.UTC))
	insert(t, db, rotaHistory(t))
	for _, c := range []struct {
		params []string
		person string
		want   string
	}{
		{nil, "new@example.org", "1 1 1 1 0 0"},
		{nil, "late@example.org", "1 1 0 0 1 0"}, // the completion is voided
		{nil, "old@example.org", ""},
		{nil, "other@example.org", ""},
		{nil, "gone@example.org", ""},
		{[]string{"as_of=2026-03-04T12:00:00Z"}, "gone@example.org", "1 0 0 0 0 0"},
		{[]string{"as_of=2026-03-13T12:00:00Z"}, "late@example.org", "1 1 0 1 0 0"}, // not voided yet
		{[]string{"team=night"}, "new@example.org", "1 1 1 1 0 0"},
		{[]string{"team=day"}, "new@example.org", ""},
		{[]string{"as_of=2026-03-04T12:00:00Z"}, "new@example.org", "1 0 0 0 0 0"},
	} {
		a := ask(t, all, "training_progress", append(c.params, "by=person", "from=2026-01-01")...)
		got := ""
		for _, r := range a.Rows {
			if r[1] == c.person {
				got = strings.Trim(fmt.Sprint(r[2:]), "[]")
			}
		}
		if got != c.want {
			t.Errorf("%v, %s: %q, want %q", c.params, c.person, got, c.want)
		}
	}
	// A rule that ended before anybody began is nobody's, and one that ended later is theirs who did.
	end, err := event.New("/steward", event.TrainingWaived, "s", "end", time.Date(2026, 3, 3, 12, 0, 0, 0, time.UTC), map[string]any{"assignment": "rule", "by": "lead@example.org", "reason": "administrative"})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, db, []event.Event{end})
	if a := ask(t, all, "training_progress", "by=person", "from=2026-01-01", "as_of=2026-03-04T13:00:00Z"); len(a.Rows) != 0 {
		t.Errorf("after the rule ended: %v", a.Rows)
	}
	ended := ask(t, all, "training_progress", "by=person", "from=2026-01-01")
	if got := cellOf(t, ended, "late@example.org", "waived"); got != int64(0) {
		t.Errorf("the end of a rule excused somebody: %v", got)
	}
	if got := cellOf(t, ended, "late@example.org", "overdue"); got != int64(1) { // who began keeps the date, as in the list
		t.Errorf("after a rule ended, overdue of who had begun: %v", got)
	}
}
