package analytics_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
)

// lessonsBegin is the moment that teller counts hours from.
var lessonsBegin = time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC)

// teller adds events to out, each so many hours after lessonsBegin.
func teller(t *testing.T, out *[]event.Event) func(kind event.Kind, hours int, data map[string]any) {
	return func(kind event.Kind, hours int, data map[string]any) {
		t.Helper()
		e, err := event.New("/import/test", kind, "assignment", fmt.Sprint(len(*out)), lessonsBegin.Add(time.Duration(hours)*time.Hour), data)
		if err != nil {
			t.Fatal(err)
		}
		*out = append(*out, e)
	}
}

// learning tells training events. Each assignment a0, a1 … is of one person of alpha or beta;
// team is given to alpha, track to art.
func learning(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	tell := teller(t, &out)
	for i, p := range slices.Concat(alpha, beta[:1]) {
		tell(event.TrainingAssigned, 0, map[string]any{"assignment": fmt.Sprint("a", i), "module": "PG1", "person": p, "by": alpha[0], "reason": "because " + p, "cites": []string{"i1"}, "due": "2025-07-10"})
	}
	in := func(id, module, person string, more ...any) map[string]any {
		m := map[string]any{"assignment": id, "module": module, "person": person}
		for i := 0; i < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	tell(event.TrainingStarted, 1, in("a1", "PG1", "chat:abe"))
	tell(event.TrainingFailed, 2, in("a1", "PG1", alpha[1], "attempt", 1, "score", 0.375))
	tell(event.TrainingFailed, 3, in("a1", "PG1", alpha[1], "attempt", 1, "score", 0.375))
	tell(event.TrainingPassed, 4, in("a1", "PG1", alpha[1], "attempt", 2, "score", 0.875))
	tell(event.TrainingStarted, 1, in("a2", "PG1", alpha[2]))
	tell(event.TrainingAbandoned, 2, in("a2", "PG1", alpha[2]))
	tell(event.TrainingCompleted, 2, in("a3", "PG1", alpha[3], "kind", "upload", "ref", "https://example.org/x"))
	tell(event.TrainingPassed, 5, in("a1", "PG1", beta[1], "attempt", 1, "score", 1)) // not theirs
	tell(event.TrainingAssigned, 0, map[string]any{"assignment": "team", "module": "LS1", "team": "alpha", "by": alpha[0]})
	tell(event.TrainingWaived, 9, map[string]any{"assignment": "team", "module": "LS1", "person": alpha[2], "by": alpha[0], "reason": "tested-out"})
	tell(event.TrainingAssigned, 0, map[string]any{"assignment": "track", "track": "FX", "person": alpha[3], "by": alpha[0], "due": "2026-01-01"})
	for id, hours := range map[string]int{"b1": 1, "b2": 3} { // given before and after it was shown
		tell(event.TrainingAssigned, hours, map[string]any{"assignment": id, "module": "PG1", "person": alpha[3], "by": alpha[0]})
	}
	return append(out, out[8]) // one came twice
}

func TestAssignmentsAndWhoReadsThem(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, viewNow)
	insert(t, db, slices.DeleteFunc(viewHistory(t), func(e event.Event) bool { return strings.HasPrefix(string(e.Kind), "training.") })) // it has assignments of its own
	insert(t, db, learning(t))
	ledger := &heard{}
	all.Keep(ledger)
	policy := access.Policy{Default: access.Viewer}
	who := askers(t, func(id access.Identity) access.Who {
		m, err := all.Membership(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := policy.Resolve(id, m)
		return w
	})
	tracks := map[string][]string{"FX": {"FX1", "FX2"}}
	short := func(rows []analytics.AssignmentRow) string {
		var out []string
		for _, r := range rows {
			s := r.ID + " " + r.Module + " " + r.Person[:3] + " " + r.State
			if r.Overdue {
				s += "!"
			}
			if r.Scored && len(r.Tried) > 0 {
				s += fmt.Sprintf(" %d:%g", len(r.Tried), r.Score)
			}
			out = append(out, s)
		}
		return strings.Join(out, ", ")
	}
	const (
		mine  = "team LS1 abe assigned, a1 PG1 abe quiz passed! 2:0.875"
		art   = "track FX1 art assigned, track FX2 art assigned, team LS1 art assigned, a3 PG1 art completed, b1 PG1 art completed, b2 PG1 art assigned"
		amy   = "team LS1 amy waived, a2 PG1 amy abandoned!"
		ann   = "team LS1 ann assigned, a0 PG1 ann assigned!"
		bea   = "a4 PG1 bea assigned!"
		state = "team LS1 abe assigned, a1 PG1 abe quiz passed!"
	)
	everything := mine + ", " + amy + ", " + ann + ", " + art + ", " + bea
	for name, want := range map[string]struct {
		rows  string
		looks []string
	}{
		"viewer": {}, "admin": {}, "token": {}, "member": {rows: mine}, "lead": {rows: state + ", " + amy + ", " + ann + ", " + art}, "lead of beta": {rows: bea},
		"people admin": {everything, []string{alpha[1], alpha[2], alpha[0], alpha[3], beta[0]}}, "operator": {rows: everything},
	} {
		rows, err := all.For(who[name], "x").Assignments(ctx, analytics.AssignmentFilter{Tracks: tracks})
		if err != nil || short(rows) != want.rows {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, short(rows), want.rows)
		}
		slices.Sort(want.looks)
		if told := ledger.take(); !slices.Equal(told, want.looks) {
			t.Errorf("%s: the ledger has %v", name, told)
		}
		for _, r := range rows {
			if !r.Scored && (r.Tried != nil || r.Score != 0) {
				t.Errorf("%s reads scores of %s: %+v", name, r.Person, r)
			}
		}
	}
	no := errors.New("refused")
	for _, c := range []struct {
		name string
		f    analytics.AssignmentFilter
		want string
		err  error
	}{
		{"member", analytics.AssignmentFilter{Person: []string{"chat:abe"}}, mine, nil},
		{"member", analytics.AssignmentFilter{Person: alpha[2:3]}, "", no},
		{"member", analytics.AssignmentFilter{Team: []string{"alpha"}}, "", no},
		{"lead", analytics.AssignmentFilter{Person: alpha[1:2]}, state, nil},
		{"lead", analytics.AssignmentFilter{Own: true}, ann, nil},
		{"lead", analytics.AssignmentFilter{Team: []string{"alpha"}, Module: "PG1"}, "a1 PG1 abe quiz passed!, a2 PG1 amy abandoned!, a0 PG1 ann assigned!, a3 PG1 art completed, b1 PG1 art completed, b2 PG1 art assigned", nil},
		{"lead", analytics.AssignmentFilter{Person: beta[:1]}, "", no},
		{"lead of beta", analytics.AssignmentFilter{Person: []string{alpha[1]}}, "", no},
		{"viewer", analytics.AssignmentFilter{Person: []string{"nobody@example.org"}}, "", no},
		{"nobody", analytics.AssignmentFilter{}, "", no},
		{"people admin", analytics.AssignmentFilter{Team: []string{"beta"}}, bea, nil},
	} {
		rows, err := all.For(who[c.name], "x").Assignments(ctx, c.f)
		var denied *access.Denied
		if errors.As(err, &denied) != (c.err != nil) || short(rows) != c.want {
			t.Errorf("%s, %+v: %v, %s", c.name, c.f, err, short(rows))
		}
	}
	ledger.take()
	ledger.err = errors.New("the log is down")
	if rows, err := all.For(who["people admin"], "x").Assignments(ctx, analytics.AssignmentFilter{}); err == nil || rows != nil {
		t.Errorf("given unrecorded: %v", err)
	}
	rows, err := all.For(who["member"], "x").Assignments(ctx, analytics.AssignmentFilter{Module: "PG1"})
	if err != nil || len(rows) != 1 || rows[0].By != alpha[0] || rows[0].Reason != "because "+alpha[1] || !slices.Equal(rows[0].Cites, []string{"i1"}) || !rows[0].Due.Equal(time.Date(2025, 7, 11, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%v, %+v", err, rows)
	}
}

// TestGivenTwiceAndGivenUp: what the list says of an assignment that was changed and of one that
// was given up is what the metric counts, and who gave it is named by the id that they have everywhere.
func TestGivenTwiceAndGivenUp(t *testing.T) {
	all, db := openStore(t, viewNow)
	insert(t, db, slices.DeleteFunc(viewHistory(t), func(e event.Event) bool { return strings.HasPrefix(string(e.Kind), "training.") }))
	var told []event.Event
	tell := teller(t, &told)
	give := func(hours int, module, person, due, why string) {
		tell(event.TrainingAssigned, hours, map[string]any{"assignment": "twice", "module": module, "person": person, "by": "chat:abe", "due": due, "reason": why})
	}
	give(5, "LS1", alpha[2], "2025-07-05", "then") // sent in any order: times decide
	give(0, "PG1", alpha[1], "2099-01-01", "first")
	tell(event.TrainingStarted, 6, map[string]any{"assignment": "twice", "module": "LS1", "person": alpha[2]})
	tell(event.TrainingAbandoned, 7, map[string]any{"assignment": "twice", "module": "LS1", "person": alpha[2]})
	rule := func(hours int, module, why string) {
		tell(event.TrainingAssigned, hours, map[string]any{"assignment": "rule", "module": module, "rota": "of nobody", "within": "alpha", "by": alpha[0], "reason": why})
	}
	rule(3, "LS1", "then")
	rule(1, "PG1", "first")
	rule(9, "PG2", "a mistake")
	tell(event.EvidenceVoided, 10, map[string]any{"evidence": told[len(told)-1].ID, "reason": "a mistake", "by": alpha[0]})
	insert(t, db, told)

	rules, err := all.Rules(t.Context())
	if err != nil || len(rules) != 1 || rules[0].Module != "LS1" || rules[0].Reason != "then" || !rules[0].Given.Equal(lessonsBegin.Add(time.Hour)) {
		t.Errorf("%v, %+v", err, rules)
	}
	rows, err := all.Assignments(t.Context(), analytics.AssignmentFilter{})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%v, %+v", err, rows)
	}
	if r := rows[0]; r.Module != "LS1" || r.Person != alpha[2] || r.Reason != "then" || r.By != alpha[1] || !r.Assigned.Equal(lessonsBegin) || r.State != analytics.StateAbandoned || !r.Overdue || r.Open() || !r.ToDo() {
		t.Errorf("%+v", r)
	}
	a := ask(t, all, "training_progress", "by=person", "from=2025-07-01T08:00:00Z", "to=2025-07-01T10:00:00Z")
	if len(a.Rows) != 1 {
		t.Fatalf("%+v", a.Rows)
	}
	for column, want := range map[string]int64{"assigned": 1, "started": 1, "completed": 0, "overdue": 1, "waived": 0} {
		if got := cellOf(t, a, alpha[2], column); got != want {
			t.Errorf("%s: %v, want %d", column, got, want)
		}
	}
}

// TestWhatWasShownThen: an assignment is done by what is said of it first, and where nothing is, by
// the first that showed its module since it was given.
func TestWhatWasShownThen(t *testing.T) {
	all, db := openStore(t, viewNow)
	insert(t, db, slices.DeleteFunc(viewHistory(t), func(e event.Event) bool { return strings.HasPrefix(string(e.Kind), "training.") }))
	var told []event.Event
	tell := teller(t, &told)
	for id, hours := range map[string]int{"first": 0, "second": 2, "third": 5} {
		tell(event.TrainingAssigned, hours, map[string]any{"assignment": id, "module": "PG1", "person": alpha[1], "by": alpha[0]})
	}
	for _, hours := range []int{4, 1, 3} {
		tell(event.TrainingCompleted, hours, map[string]any{"assignment": "first", "module": "PG1", "person": alpha[1], "kind": "upload", "ref": fmt.Sprint("at ", hours)})
	}
	insert(t, db, told)
	rows, err := all.Assignments(t.Context(), analytics.AssignmentFilter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.ID+" "+r.State+" "+r.Evidence)
	}
	if want := []string{"first completed at 1", "second completed at 3", "third assigned "}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
