package training

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

func enrolment(m *Module) Enrolment {
	return Enrolment{Assignment: "a1", Module: m.ID, Version: 1, Person: "ana@example.org"}
}

func TestAnswered(t *testing.T) {
	m := quizzed(4, 3, 0.75)
	n := enrolment(m)
	seen := map[string]bool{}
	for number, right := range map[int]int{1: 2, 2: 3} {
		a := answering(m, number, right)
		marked, err := a.Mark(m)
		if err != nil {
			t.Fatal(err)
		}
		events, err := Answered(n, a, marked)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Answered(n, a, marked)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) != 5 {
			t.Fatalf("%d events", len(events))
		}
		for i, e := range events {
			if e.ID != again[i].ID || string(e.Data) != string(again[i].Data) {
				t.Errorf("the same attempt gives %s and %s", e.ID, again[i].ID)
			}
			if seen[e.ID] {
				t.Errorf("%s is there twice", e.ID)
			}
			seen[e.ID] = true
			if e.Source != "/steward" || e.Key != "assignment:a1" || !e.At.Equal(a.At) {
				t.Errorf("%+v", e)
			}
			var d struct {
				Question, Attempt int
				Correct           *bool
				Score             *float64
				Assignment        string
			}
			if err := json.Unmarshal(e.Data, &d); err != nil {
				t.Fatal(err)
			}
			if d.Attempt != number || d.Assignment != "a1" {
				t.Errorf("%s", e.Data)
			}
			if i < 4 {
				if e.Kind != event.TrainingAnswered || d.Question != i+1 || d.Correct == nil || *d.Correct != (i < right) {
					t.Errorf("%s %s", e.Kind, e.Data)
				}
				continue
			}
			want := map[int]event.Kind{1: event.TrainingFailed, 2: event.TrainingPassed}[number]
			if e.Kind != want || d.Score == nil || *d.Score != float64(right)/4 {
				t.Errorf("%s %s", e.Kind, e.Data)
			}
		}
	}
	if _, err := Answered(Enrolment{Assignment: "other", Module: m.ID, Person: n.Person}, answering(m, 1, 1), Marked{}); err == nil {
		t.Error("another's attempt is taken")
	}
}

// Ids are told apart however the parts are written.
func TestIDsDoNotRunTogether(t *testing.T) {
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	a, err1 := Started(Enrolment{Assignment: "a/1:b", Module: "c", Person: "p"}, at)
	b, err2 := Started(Enrolment{Assignment: "a", Module: "1:b/c", Person: "p"}, at)
	if err1 != nil || err2 != nil || a.ID == b.ID {
		t.Errorf("%s %s %v %v", a.ID, b.ID, err1, err2)
	}
	if a.Kind != event.TrainingStarted {
		t.Error(a.Kind)
	}
}

func TestCompletedNeedsEvidence(t *testing.T) {
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind string // of the module
		Evidence
		want string // part of the error; empty: it is completed
	}{
		{"drill", Evidence{"drill", "drill:7/2", ""}, ""},
		{"upload", Evidence{"upload", "sha256:ab", "bo@example.org"}, ""},
		{"attestation", Evidence{"attestation", "pagerduty:x:1", "bo@example.org"}, ""},
		{"drill", Evidence{"upload", "x", ""}, "evidence.kind"},
		{"drill", Evidence{"click", "x", ""}, "evidence.kind"},
		{"click", Evidence{"click", "x", ""}, "evidence.kind"},
		{"drill", Evidence{"drill", "", ""}, "evidence.ref"},
		{"attestation", Evidence{"attestation", "x", ""}, "evidence.by"},
		{"attestation", Evidence{"attestation", "x", "Ana@Example.org"}, "nobody attests for themselves"},
	} {
		m := &Module{ID: "AA1", Evidence: Shown{Kind: c.kind}}
		e, err := Completed(enrolment(m), m, c.Evidence, at)
		switch {
		case c.want == "" && (err != nil || e.Kind != event.TrainingCompleted || !strings.Contains(string(e.Data), `"ref":"`+c.Ref+`"`)):
			t.Errorf("%v: %v, %s", c.Evidence, err, e.Data)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v: %v", c.Evidence, err)
		}
	}
	if _, err := Completed(Enrolment{Module: "AA2"}, &Module{ID: "AA1", Evidence: Shown{Kind: "drill"}}, Evidence{"drill", "x", ""}, at); err == nil {
		t.Error("the evidence of another module completes it")
	}
}
