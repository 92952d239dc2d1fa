package training

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Assignment is work to learn that somebody was given: a module, or a whole track, to a
// person, to whoever is in a team, or to whoever of a team is to hold their first shift on a
// rota. Of a track that is given module by module, each says which track it belongs to.
type Assignment struct {
	Module string   `json:"module,omitempty"`
	Track  string   `json:"track,omitempty"`
	Person string   `json:"person,omitempty"`
	Team   string   `json:"team,omitempty"`
	Rota   string   `json:"rota,omitempty"`   // a schedule, or AnyRota; a standing rule
	Within string   `json:"within,omitempty"` // of a rota's: the team whose people it is for
	Before string   `json:"before,omitempty"` // of a rota's: FirstShift
	By     string   `json:"by"`
	Reason string   `json:"reason,omitempty"`
	Cites  []string `json:"cites,omitempty"` // incidents that show why
	Due    string   `json:"due,omitempty"`   // a date, the last day; in the organisation's zone
}

// What a standing rule says: who has not held a shift on the rota when the rule is given, and
// comes to hold one, learns it until the day before their first.
const (
	AnyRota    = "*"
	FirstShift = "first-shift"
)

type assignedData struct {
	Assignment
	ID string `json:"assignment"`
}

// Assigned is that work was given, and under which id. The id follows from what was given to
// whom at which moment, so that the same form sent twice by a retry is one assignment; it
// tells nobody's name.
func Assigned(a Assignment, at time.Time) (event.Event, string, error) {
	switch {
	case a.Module == "" && a.Track == "":
		return event.Event{}, "", errors.New("module: a module or a track is assigned")
	case filled(a.Person, a.Team, a.Rota) != 1:
		return event.Event{}, "", errors.New("person: work is given either to a person, to a team or to a rota")
	case a.Rota != "" && a.Within == "":
		return event.Event{}, "", errors.New("within: missing: whose people on the rota?")
	case (a.Rota != "") != (a.Before == FirstShift), a.Rota == "" && a.Within != "":
		return event.Event{}, "", errors.New("before: " + FirstShift + " is what a rota's assignment is due before, and no other's")
	case a.Rota != "" && a.Due != "":
		return event.Event{}, "", errors.New("due: a rota's assignment is due before each one's first shift")
	case a.By == "":
		return event.Event{}, "", errors.New("by: missing: who gives it?")
	}
	if _, err := time.Parse(time.DateOnly, a.Due); err != nil && a.Due != "" {
		return event.Event{}, "", errors.New("due: must be a date like 2026-03-29")
	}
	key := framed(a.Module, a.Track, event.PersonID(a.Person), a.Team, event.PersonID(a.By), a.Due)
	if a.Rota != "" {
		key += framed(a.Rota, a.Within)
	}
	id := event.NewID(source, event.TrainingAssigned, key, at)
	e, err := event.New(source, event.TrainingAssigned, Enrolment{Assignment: id}.subject(), key, at, assignedData{a, id})
	return e, id, err
}

// filled counts those that are not empty.
func filled(texts ...string) (n int) {
	for _, t := range texts {
		if t != "" {
			n++
		}
	}
	return n
}

// Waiver excuses from an assigned module: whom it names, or everybody of the assignment.
type Waiver struct {
	Assignment string `json:"assignment"`
	Module     string `json:"module,omitempty"`
	Person     string `json:"person,omitempty"`
	By         string `json:"by"`
	Reason     string `json:"reason"`
	Note       string `json:"note,omitempty"`
}

// WaiverReasons are the reasons that excuse, the weightiest first.
func WaiverReasons() []string {
	return []string{"equivalent-in-a-real-incident", "tested-out", "equivalent", "administrative"}
}

// Waived is that somebody was excused.
func Waived(w Waiver, at time.Time) (event.Event, error) {
	if !slices.Contains(WaiverReasons(), w.Reason) {
		return event.Event{}, fmt.Errorf("reason: must be one of %s", strings.Join(WaiverReasons(), ", "))
	}
	n := Enrolment{Assignment: w.Assignment}
	return event.New(source, event.TrainingWaived, n.subject(), framed(w.Assignment, w.Module, event.PersonID(w.Person)), at, w)
}

// Abandoned is that somebody stopped before the end. Starting again is always possible.
func Abandoned(n Enrolment, at time.Time) (event.Event, error) {
	return event.New(source, event.TrainingAbandoned, n.subject(), n.key(), at, n)
}

// framed joins parts so that no two different lists give the same text.
func framed(parts ...string) string {
	var out strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&out, "%d:%s/", len(p), p)
	}
	return out.String()
}
