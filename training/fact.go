package training

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// source is where events come from that Steward itself is the witness of.
const source = "/steward"

// Enrolment is one person's work on one module under one assignment; the assignment may be a
// team's or a track's.
type Enrolment struct {
	Assignment string `json:"assignment"`
	Module     string `json:"module"`
	Version    int    `json:"version"` // of the module's text
	Person     string `json:"person"`
}

// subject keeps an assignment's events in one ordered partition.
func (n Enrolment) subject() string { return "assignment:" + n.Assignment }

// key makes ids: what happened to whom, so that the same fact said twice is one event. Parts
// are framed by their lengths, since an assignment's id may hold any character.
func (n Enrolment) key(more ...any) string {
	out := fmt.Sprintf("%d:%s/%d:%s/%d:%s", len(n.Assignment), n.Assignment, len(n.Module), n.Module, len(n.Person), n.Person)
	for _, m := range more {
		out += fmt.Sprint("/", m)
	}
	return out
}

// Started is that somebody opened a module to work on it. The first one counts.
func Started(n Enrolment, at time.Time) (event.Event, error) {
	return event.New(source, event.TrainingStarted, n.subject(), n.key(), at, n)
}

// answeredData is one answer. Question counts from 1 as the page does. Which option was
// chosen is not kept: nobody's wrong answers are worth storing.
type answeredData struct {
	Enrolment
	Attempt  int  `json:"attempt"`
	Question int  `json:"question"`
	Correct  bool `json:"correct"`
}

type scoredData struct {
	Enrolment
	Attempt int     `json:"attempt"`
	Score   float64 `json:"score"` // share of right answers, 0 to 1
	Right   int     `json:"right"`
	Of      int     `json:"of"`
}

// Answered is what a marked attempt says: one event a question, and one of passing or failing,
// which is last. The same attempt handed in at the same moment gives the same events. One
// handed in twice, as by a double click, gives two of each with one attempt number, so
// attempts are counted by distinct numbers.
func Answered(n Enrolment, a Attempt, m Marked) ([]event.Event, error) {
	if a.Assignment != n.Assignment || a.Module != n.Module || a.Person != n.Person {
		return nil, errors.New("attempt: it belongs to another enrolment")
	}
	var out []event.Event
	for i, q := range m.Questions {
		e, err := event.New(source, event.TrainingAnswered, n.subject(), n.key(a.Number, i+1), a.At, answeredData{n, a.Number, i + 1, q.Right})
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	kind := event.TrainingFailed
	if m.Passed {
		kind = event.TrainingPassed
	}
	e, err := event.New(source, kind, n.subject(), n.key(a.Number), a.At, scoredData{n, a.Number, m.Score, m.Right, m.Of})
	if err != nil {
		return nil, err
	}
	return append(out, e), nil
}

// Evidence is what shows that a module was done.
type Evidence struct {
	Kind string // as the module's
	Ref  string // the event, drill attempt, file or note that shows it
	By   string // who checked it; an attestation needs somebody else than the person
}

type completedData struct {
	Enrolment
	Kind string `json:"kind"`
	Ref  string `json:"ref"`
	By   string `json:"by,omitempty"`
}

// Completed is that evidence of the module's kind is there. There is no other way to complete
// a module. Whether the quiz was passed as well is asked of the log, by who publishes it.
func Completed(n Enrolment, m *Module, e Evidence, at time.Time) (event.Event, error) {
	switch {
	case m.ID != n.Module:
		return event.Event{}, fmt.Errorf("module: the enrolment is in %s", n.Module)
	case !slices.Contains(EvidenceKinds(), e.Kind) || e.Kind != m.Evidence.Kind:
		return event.Event{}, fmt.Errorf("evidence.kind: %s is completed by %s, not by %q", m.ID, m.Evidence.Kind, e.Kind)
	case e.Ref == "":
		return event.Event{}, errors.New("evidence.ref: missing: what shows it?")
	case e.Kind == "attestation" && e.By == "":
		return event.Event{}, errors.New("evidence.by: an attestation says who attests")
	case e.Kind == "attestation" && event.PersonID(e.By) == event.PersonID(n.Person):
		return event.Event{}, errors.New("evidence.by: nobody attests for themselves")
	}
	return event.New(source, event.TrainingCompleted, n.subject(), n.key(e.Kind, e.Ref), at, completedData{n, e.Kind, e.Ref, e.By})
}
