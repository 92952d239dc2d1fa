package analytics_test

import (
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The trainees of these tests walk from Monday, 6 April 2026, 08:00, to the next Monday.
var (
	walkStart = time.Date(2026, 4, 6, 8, 0, 0, 0, time.UTC)
	walkEnd   = walkStart.Add(7 * 24 * time.Hour)
	walkNow   = walkEnd.Add(14 * 24 * time.Hour)
)

// walkers tells what trainees did, each under their own name.
type walkers struct {
	t   *testing.T
	out []event.Event
}

func (w *walkers) tell(kind event.Kind, at time.Time, data map[string]any) {
	w.t.Helper()
	e, err := event.New("/steward", kind, "x", fmt.Sprint(len(w.out)), at, data)
	if err != nil {
		w.t.Fatal(err)
	}
	w.out = append(w.out, e)
}

func (w *walkers) shift(who, role string, start, end, said time.Time) {
	w.t.Helper()
	w.tell(event.ShiftPlanned, said, map[string]any{"shift": "shift of " + who, "schedule": "payments", "person": who + "@example.org", "start": walkTime(start), "end": walkTime(end), "role": role})
}

func walkTime(t time.Time) string { return t.Format(time.RFC3339Nano) }

func (w *walkers) alert(who, id string, acked time.Time) {
	w.t.Helper()
	w.tell(event.IncidentOpened, acked.Add(-time.Minute), map[string]any{"incident": id, "title": "down"})
	w.tell(event.IncidentAcknowledged, acked, map[string]any{"incident": id, "person": who + "@example.org", "actor_kind": "user"})
}

func (w *walkers) tap(id string, at time.Time, sense any) {
	w.t.Helper()
	d := map[string]any{"incident": id, "by": "host@example.org", "verdict": "service"}
	if sense != nil {
		d["made_sense"] = sense
	}
	w.tell(event.PageReviewed, at, d)
}

// walk is a shift with n alerts an hour apart, of which the first made sense, the next did
// not, and nobody said anything of the others.
func (w *walkers) walk(who string, n, yes, no int) {
	w.t.Helper()
	w.shift(who, "reverse_shadow", walkStart, walkEnd, walkStart.Add(-time.Hour))
	for i := range n {
		id, at := fmt.Sprint(who, i), walkStart.Add(time.Duration(i)*time.Hour)
		w.alert(who, id, at)
		if i < yes+no {
			w.tap(id, at.Add(30*time.Minute), i < yes)
		}
	}
}

func walkHistory(t *testing.T) []event.Event {
	w := &walkers{t: t}
	w.walk("nine-of-ten", 10, 9, 1)
	w.walk("eight-of-ten", 10, 8, 2)
	w.walk("nine-of-nine", 9, 9, 0)
	w.walk("nine-of-eleven", 11, 9, 2)
	w.walk("nine-of-eleven-rated", 11, 9, 0)
	w.walk("nine-of-twelve-rated", 12, 9, 0)
	w.walk("four-in-five", 15, 12, 3) // 80 % is not more than 80 %

	// What is said last holds, and what was reached stays.
	w.walk("changed-their-mind", 10, 8, 2)
	w.tap("changed-their-mind9", walkEnd.Add(time.Hour), true)
	w.tap("changed-their-mind9", walkEnd.Add(2*time.Hour), nil) // says nothing of it
	w.walk("lost-it-again", 10, 10, 0)
	for i := range 3 {
		w.tap(fmt.Sprint("lost-it-again", i), walkEnd.Add(time.Hour), false)
	}

	// The edges of a shift, and what is no alert.
	w.shift("edges", "reverse_shadow", walkStart, walkEnd, walkStart.Add(-time.Hour))
	w.alert("edges", "at the start", walkStart)
	w.alert("edges", "before the start", walkStart.Add(-time.Millisecond))
	w.alert("edges", "before the end", walkEnd.Add(-time.Millisecond))
	w.alert("edges", "at the end", walkEnd)
	w.alert("edges", "drill", walkStart.Add(time.Hour))
	w.tell(event.IncidentOpened, walkEnd.Add(time.Hour), map[string]any{"incident": "drill", "title": "a drill, it turned out", "drill": true})
	w.alert("edges", "merged", walkStart.Add(2*time.Hour))
	w.tell(event.IncidentMerged, walkEnd.Add(time.Hour), map[string]any{"incident": "merged", "into": "at the start"})
	w.alert("edges", "twice", walkStart.Add(3*time.Hour))
	w.alert("edges", "twice", walkStart.Add(4*time.Hour))
	w.tell(event.IncidentAcknowledged, walkStart.Add(5*time.Hour), map[string]any{"incident": "by a service", "person": "edges@example.org", "actor_kind": "service"})
	w.alert("host", "by the host", walkStart.Add(5*time.Hour))
	w.tell(event.PersonDescribed, walkStart, map[string]any{"person": "edges@example.org", "aliases": []string{"chat:edges"}})
	w.tell(event.IncidentAcknowledged, walkStart.Add(6*time.Hour), map[string]any{"incident": "by alias", "person": "chat:edges", "actor_kind": "user"})
	w.tell(event.PageSent, walkStart, map[string]any{"page": "its page", "incident": "by alias", "person": "chat:edges", "channel": "push"})
	w.tell(event.PageReviewed, walkEnd, map[string]any{"page": "its page", "by": "host@example.org", "verdict": "view", "made_sense": true})

	// Shifts that are none: called off afterwards, and looking on.
	w.walk("called-off", 12, 12, 0)
	w.shift("called-off", "reverse_shadow", walkStart, walkStart, walkEnd.Add(time.Hour))
	w.walk("looking-on", 12, 12, 0)
	w.shift("looking-on", "shadow", walkStart, walkEnd, walkStart.Add(-time.Minute))
	return w.out
}

func TestGraduationOnTheEdges(t *testing.T) {
	s, db := openStore(t, walkNow)
	events := walkHistory(t)
	// In any order, each event twice.
	r := rand.New(rand.NewSource(1))
	events = append(events, slices.Clone(events)...)
	r.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for len(events) > 0 {
		n := min(len(events), 1+r.Intn(100))
		insert(t, db, events[:n])
		events = events[n:]
	}
	moment := func(t time.Time) any { return t.Format("2006-01-02T15:04:05.000Z") }
	tenth := walkStart.Add(9 * time.Hour)
	want := map[string][]any{ // acknowledged, rated, made sense, share, graduated
		"nine-of-ten":          {int64(10), int64(10), int64(9), 0.9, moment(tenth)}, // the tenth did not make sense: its tap changes nothing
		"eight-of-ten":         {int64(10), int64(10), int64(8), 0.8, nil},
		"nine-of-nine":         {int64(9), int64(9), int64(9), 1.0, nil},
		"nine-of-eleven":       {int64(11), int64(11), int64(9), 0.818182, moment(tenth)},
		"nine-of-eleven-rated": {int64(11), int64(9), int64(9), 0.818182, moment(tenth)},
		"nine-of-twelve-rated": {int64(12), int64(9), int64(9), 0.75, moment(tenth)},
		"four-in-five":         {int64(15), int64(15), int64(12), 0.8, moment(tenth)}, // with the first ten; what comes later takes nothing back
		"changed-their-mind":   {int64(10), int64(10), int64(9), 0.9, moment(walkEnd.Add(time.Hour))},
		"lost-it-again":        {int64(10), int64(10), int64(7), 0.7, moment(tenth)},
		"edges":                {int64(4), int64(1), int64(1), 0.25, nil},
	}
	a := ask(t, s, "graduation")
	got := map[string][]any{}
	for _, row := range a.Rows {
		got[row[1].(string)] = row[2:]
	}
	if len(got) != len(want) {
		t.Errorf("%d trainees, want %d: %v", len(got), len(want), got)
	}
	for who, w := range want {
		if g := got[who+"@example.org"]; !slices.EqualFunc(g, w, same) {
			t.Errorf("%s: %v, want %v", who, g, w)
		}
	}
	// As of the moment itself it holds, a millisecond before it does not.
	day := walkEnd.Add(time.Hour)
	for at, want := range map[time.Time]any{day: moment(day), day.Add(-time.Millisecond): nil} {
		a := ask(t, s, "graduation", "person=changed-their-mind@example.org", "as_of="+walkTime(at))
		if g := cellOf(t, a, "changed-their-mind@example.org", "graduated_at"); g != want {
			t.Errorf("as of %s: %v, want %v", at, g, want)
		}
	}
}
