package training

import (
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

func TestWalks(t *testing.T) {
	start := time.Date(2026, 4, 6, 8, 0, 0, 0, time.UTC)
	w := Walk{Schedule: "payments", Level: 1, Person: "ana@example.org", Reverse: true, Start: start, End: start.Add(time.Hour)}
	planned, err := Walks(w, start.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	off, err := CalledOff(w, start.Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	short, err := CalledOff(w, start.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if planned.Subject != off.Subject || planned.Subject != short.Subject || strings.Contains(planned.Subject, "ana") {
		t.Errorf("subjects %s, %s, %s", planned.Subject, off.Subject, short.Subject)
	}
	for e, want := range map[*event.Event]string{
		&planned: `"end":"2026-04-06T09:00:00.000Z"`, &off: `"end":"2026-04-06T08:00:00.000Z"`, &short: `"end":"2026-04-06T08:01:00.000Z"`,
	} {
		if text := string(e.Data); !strings.Contains(text, want) || !strings.Contains(text, `"role":"reverse_shadow"`) {
			t.Errorf("%s, want %s", text, want)
		}
	}
	other := w
	other.Reverse = false
	if e, err := Walks(other, start); err != nil || e.Subject == planned.Subject {
		t.Errorf("looking on and acting are one shift: %v", err)
	}
	w.End = w.Start
	if _, err := Walks(w, start); err == nil {
		t.Error("a shift without length was planned")
	}
}

func TestReviewed(t *testing.T) {
	at := time.Date(2026, 4, 6, 8, 0, 0, 0, time.UTC)
	yes, ids := true, map[string]bool{}
	for _, v := range Verdicts() { // each is one of the vocabulary, or the event would be refused
		for _, sense := range []*bool{nil, &yes} {
			e, err := Reviewed(Review{Incident: "i", By: "ana@example.org", Verdict: v.ID, MadeSense: sense}, at)
			if err != nil {
				t.Fatal(err)
			}
			if ids[e.ID] || e.Key != "i" || strings.Contains(string(e.Data), "made_sense") != (sense != nil) {
				t.Errorf("%s: %s, key %s, %s", v.ID, e.ID, e.Key, e.Data)
			}
			ids[e.ID] = true
		}
	}
	if len(ids) != 18 {
		t.Errorf("%d ids", len(ids))
	}
	if _, err := Reviewed(Review{Incident: "i", By: "b", Verdict: "fine"}, at); err == nil {
		t.Error("a verdict that is none was given")
	}
}
