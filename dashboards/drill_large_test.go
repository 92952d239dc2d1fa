package dashboards

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/drill"
)

// largeDrill is one of n notes, as a long night with a talkative tool leaves behind.
func largeDrill(t *testing.T, n int) drill.Drill {
	t.Helper()
	start := testNow.Add(-24 * time.Hour)
	var events []drill.Event
	add := func(i int, kind event.Kind, data map[string]any) {
		events = append(events, drill.Event{Kind: kind, At: start.Add(time.Duration(i) * time.Minute), ID: fmt.Sprint(i), Person: "ann@example.org", Service: fmt.Sprint("svc", i%7), Data: data})
	}
	add(0, event.IncidentOpened, map[string]any{"title": "slow"})
	for i := 1; i < n-1; i++ {
		add(i, event.IncidentNoted, map[string]any{"text": fmt.Sprint("measured again, number ", i)})
	}
	add(n-1, event.IncidentResolved, map[string]any{"reason": "done"})
	o := drill.Options{ID: "large", Incident: "i", Title: "A long night", Skills: []string{"logs-and-traces"}, Decisive: []string{"note-60"},
		Decisions: []drill.Decision{{ID: "d1", At: 60, Question: "What now?", Options: []drill.Option{{ID: "a", Text: "x", Value: 1, Why: "y"}, {ID: "b", Text: "z", Why: "y"}}}}, Redactions: map[string]drill.Redaction{}}
	first, err := drill.Compile(events, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range first.Texts {
		o.Redactions[x.Place] = drill.Redaction{Decision: drill.Keep, Of: x.Digest}
	}
	d, err := drill.Compile(events, o)
	if err != nil || len(d.Cards) != n || len(d.Unpublished()) > 0 {
		t.Fatalf("%d cards, %v, %v", len(d.Cards), d.Unpublished(), err)
	}
	return d
}

// A large drill stays a page that a phone can load: a card costs a few hundred bytes, whether
// it was opened or not, and its forms share one token.
func TestALargeDrill(t *testing.T) {
	const n = 500
	d := largeDrill(t, n)
	a := analytics.Attempt{ID: "large", Person: "player", Drill: d, Started: testNow.Add(-time.Hour)}
	for i, c := range d.Cards {
		if i%2 == 0 {
			a.Steps = append(a.Steps, drill.Timed{Step: drill.Step{N: i + 1, Offset: c.Offset, Action: "open:" + c.ID}, At: a.Started.Add(time.Duration(i) * time.Second)})
		}
	}
	a.Steps = append(a.Steps, drill.Timed{Step: drill.Step{N: n + 1, Offset: d.Facts.Resolved, Action: "speed:1"}, At: testNow.Add(-time.Second)})
	over := a
	over.ID, over.Finished = "large-over", testNow
	over.Steps = append(over.Steps[:len(over.Steps):len(over.Steps)], drill.Timed{Step: drill.Step{N: n + 2, Offset: d.Facts.Resolved, Action: "finish"}, At: testNow})
	store := newFake()
	store.played = []analytics.Attempt{a, over}
	s := boot(t, store, asPlayer)
	for path, perCard := range map[string]int{"/drills/large/large": 700, "/drills/large/large-over": 700} {
		page := body(t, get(t, s, path))
		if got := strings.Count(page, "measured again, number "); got < n/2-1 {
			t.Fatalf("%s shows %d notes", path, got)
		}
		if len(page) > n*perCard {
			t.Errorf("%s has %d bytes, more than %d a card", path, len(page), perCard)
		}
		if tokens := strings.Count(page, `name="csrf"`); tokens > 20 {
			t.Errorf("%s holds its token %d times", path, tokens)
		}
	}
}
