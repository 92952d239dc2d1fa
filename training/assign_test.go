package training

import (
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

func TestAssignmentsAreOneFactEach(t *testing.T) {
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	base := Assignment{Module: "PG1", Person: "Ana@example.org", By: "l@example.org", Due: "2026-03-29"}
	first, id, err := Assigned(base, at)
	if err != nil || id == "" || strings.Contains(id, "ana") || first.Subject != "assignment:"+id || first.Key != first.Subject {
		t.Fatalf("%+v, %q, %v", first, id, err)
	}
	again := base
	again.Person = "ana@example.org"
	if _, same, err := Assigned(again, at); err != nil || same != id {
		t.Errorf("the same work twice is %s and %s, %v", id, same, err)
	}
	if e, other, err := Assigned(Assignment{Module: "PG1", Person: "bob", By: "l@example.org", Due: "2026-03-29"}, at); err != nil || other == id || e.ID == first.ID {
		t.Errorf("somebody else's work is the same: %v", err)
	}
	for field, bad := range map[string]Assignment{
		"module": {Person: "p", By: "b"}, "person": {Module: "M", By: "b"}, "by": {Module: "M", Person: "p"}, "due": {Module: "M", Person: "p", By: "b", Due: "soon"},
	} {
		if _, _, err := Assigned(bad, at); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	// Every reason is of the vocabulary, and no other excuses.
	for _, r := range WaiverReasons() {
		if e, err := Waived(Waiver{Assignment: id, Module: "PG1", Person: "p", By: "b", Reason: r}, at); err != nil || e.Subject != first.Subject {
			t.Errorf("%s: %v", r, err)
		}
	}
	if _, err := Waived(Waiver{Assignment: id, By: "b", Reason: "busy"}, at); err == nil || !strings.HasPrefix(err.Error(), "reason:") {
		t.Errorf("busy: %v", err)
	}
	if e, err := Abandoned(Enrolment{Assignment: id, Module: "PG1", Person: "p"}, at); err != nil || e.Kind != event.TrainingAbandoned {
		t.Errorf("%v", err)
	}
}
