package analytics_test

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics/oracle"
)

// TestPathsAgree asks the same questions twice. First the latest event is known at
// known_at, so projections answer. Then a second history arrives that concerns the same
// people, services and incidents but was learned after known_at, so that the events have
// to be read. The answers, watermark included, are the same to the last digit. as_of falls
// into the middle of a day, where the two paths differ most.
func TestPathsAgree(t *testing.T) {
	r := rand.New(rand.NewSource(int64(number("STEWARD_SEED", 1)) + 5))
	events := oracle.History(r, 200)
	var known time.Time
	var happened []time.Time
	for _, e := range events {
		happened = append(happened, e.At)
		if e.Seen.After(known) {
			known = e.Seen
		}
	}
	slices.SortFunc(happened, time.Time.Compare)
	middle := happened[len(happened)*3/4].Truncate(24 * time.Hour)
	later := oracle.History(r, 200)
	for i := range later {
		later[i].ID = "later-" + later[i].ID
		later[i].Seen = known.Add(time.Duration(1+i) * time.Millisecond)
	}
	news := slices.Clone(events) // and news of the first history, again
	for i := range news {
		news[i].Seen = known.Add(time.Duration(1+i) * time.Second)
	}

	s, db := openStore(t, oracle.Now())
	insert(t, db, events)
	at := func(name string, v time.Time) string { return name + "=" + v.Format(time.RFC3339Nano) }
	bys := map[string]string{"incidents": "hour_class", "time_to_ack": "team", "time_to_resolve": "priority", "hops": "service",
		"ownership_quadrant": "weekday_hour", "pages": "team", "interruptions": "urgency", "oncall_hours": "level",
		"skill_levels": "person", "skill_gaps": "skill", "skill_coverage": "skill", "skill_overlap": "team", "training_progress": "person", "verdicts": "alert_class", "graduation": "person"}
	var questions []question
	for i, m := range s.Metrics() {
		by, ok := bys[m.Name]
		if !ok {
			t.Errorf("%s: say by what to ask it here", m.Name)
		}
		questions = append(questions, question{m.Name, []string{"from=2025-01-01", at("known_at", known), "by=" + by, "tz=Europe/Berlin",
			at("as_of", middle.Add(11*time.Hour+13*time.Minute+17*time.Second+19*time.Millisecond))}})
		if i%3 == 0 {
			questions = append(questions, question{m.Name, []string{"from=2025-01-01", at("known_at", known)}})
		}
	}
	before := askAll(t, s, questions)
	insert(t, db, later)
	insert(t, db, news)
	time.Sleep(100 * time.Millisecond) // the state of the log is looked at 20 times a second
	matters := 0
	for i, after := range askAll(t, s, questions) {
		q, was := questions[i], *before[i]
		if after == before[i] {
			t.Fatalf("%v was kept although events arrived", q)
		}
		if after.Watermark.After(known) || after.Watermark.After(was.Watermark) {
			t.Errorf("%v: watermark %v, before %v, known at %v", q, after.Watermark, was.Watermark, known)
		}
		was.Watermark = after.Watermark
		if !reflect.DeepEqual(&was, after) {
			t.Errorf("%v\n  by projections %v %v\n  by events      %v %v", q, was.Rows, was.Assumed, after.Rows, after.Assumed)
		}
		if len(after.Rows) == 0 {
			t.Errorf("%v has no rows: it compares nothing", q)
		}
		if len(q.params) == 2 { // without known_at, what came later counts
			if now := ask(t, s, q.metric, q.params[0]); fmt.Sprint(now.Rows) != fmt.Sprint(after.Rows) {
				matters++
			}
		}
	}
	if matters < 2 {
		t.Errorf("what came later changes only %d metrics: the test shows little", matters)
	}
}
