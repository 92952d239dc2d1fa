// Package drill turns a past incident of the organisation into an exercise with the future
// hidden, replays what a trainee did in it, and scores it in parts.
//
// Theory of operation
//
//  1. Compile reads an incident's events and the author's decisions and gives a Drill: cards
//     of evidence at their real offsets, the facts of the real case, and what the author asks.
//     It is a pure function: the same events and decisions give the same bytes.
//  2. Nobody is named. Everybody who appears is "responder 1", "responder 2", by first
//     appearance; free text is kept apart from the cards, and a drill is unpublished until
//     the author has decided on each text: keep, replace or drop.
//  3. An attempt is a list of steps at offsets of drill time. Replaying it is the state
//     machine: it knows what was on the table at each offset and refuses what could not have
//     been done. What is not released yet never leaves it; see Table.
//  4. Score and Debrief are pure functions of the drill and the steps. Answers (right service,
//     decisive cards, the worth of an option) are in the Drill, so a Drill is for the server
//     and the debrief; a page in play gets a Table.
package drill

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// Format is the version of a drill's JSON. A reader refuses others rather than guess.
const Format = 1

// Drill is a compiled drill. Offsets are whole seconds from the incident's opening.
type Drill struct {
	Format       int        `json:"format"`
	ID           string     `json:"id"`
	Incident     string     `json:"incident"`
	Title        string     `json:"title"`  // for the list of drills: must not give the cause away
	Lesson       string     `json:"lesson"` // what the debrief ends with
	Skills       []string   `json:"skills"` // ids of the skills it exercises
	AlertClass   string     `json:"alert_class"`
	Participants int        `json:"participants"` // "responder 1" to "responder n"
	Services     []string   `json:"services"`     // what can be looked at, in alphabetical order
	Targets      []string   `json:"targets"`      // who can be paged: "team:…" and "policy:…", in alphabetical order
	Cards        []Card     `json:"cards"`        // in order of release
	Texts        []Text     `json:"texts"`
	Facts        Facts      `json:"facts"`
	Decisive     []string   `json:"decisive"` // cards
	Herrings     []Herring  `json:"herrings"`
	Decisions    []Decision `json:"decisions"`
}

// Card is one piece of evidence. Its id is made of what it is and when, as in "note-840", so
// that an event which arrives late does not move the author's decisions to another card.
type Card struct {
	ID      string   `json:"id"`
	Offset  int64    `json:"offset_s"`
	Before  int64    `json:"before_s,omitempty"` // it happened so long before the opening; released at 0
	Kind    string   `json:"kind"`               // of the event, "alert.fired"
	Service string   `json:"service,omitempty"`
	Team    string   `json:"team,omitempty"`
	Person  string   `json:"person,omitempty"`  // "responder 2"
	Summary string   `json:"summary"`           // on the table: what it is, before it is opened
	Details []Detail `json:"details,omitempty"` // when opened, with its texts
}

// Detail is a named value that holds no free text.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Text is a piece of free text and the author's decision on it. Before the decision Text is
// what the event says, with known people replaced; after it, what the author lets stand.
type Text struct {
	Place    string `json:"place"` // "note-840.text": card and field
	Card     string `json:"card"`
	Field    string `json:"field"`
	Decision Redact `json:"decision"`
	Text     string `json:"text"`
	Digest   string `json:"digest,omitempty"` // of an undecided text: what a decision to keep must repeat
}

// Facts are those of the real case. Offsets are nil where it did not happen.
type Facts struct {
	Service     string   `json:"service"`      // where the cause was: the author's word, else the incident's last service
	EscalatedTo []string `json:"escalated_to"` // teams and policies, by first escalation
	Escalated   *int64   `json:"escalated_s"`  // first escalation that was not a timeout
	Declared    *int64   `json:"declared_s"`   // severity or priority first raised, or the first escalation, whichever came first
	Updates     int      `json:"updates"`      // notes and changes by people until it was mitigated
	UpdateGap   *int64   `json:"update_gap_s"` // their median gap, the first counted from the opening; sorted[n/2]
	Mitigated   *int64   `json:"mitigated_s"`  // the author's word, else the last alert.resolved with none firing after it
	Resolved    int64    `json:"resolved_s"`
	Norm        Norm     `json:"norm"`
	Reference   int64    `json:"reference_s"` // what a trainee's time is held against: the norm's median, else Mitigated, else Resolved
}

// Norm is how long real responders took for incidents of the same service and alert class:
// n people, each with their own median. Below NormSize there is only a reason.
type Norm struct {
	N      int    `json:"n"`
	Q1     int64  `json:"q1_s,omitempty"`
	Median int64  `json:"median_s,omitempty"`
	Q3     int64  `json:"q3_s,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Herring is evidence that misleads: a service or a card, and why.
type Herring struct {
	Service string `json:"service,omitempty"`
	Card    string `json:"card,omitempty"`
	Why     string `json:"why"`
}

// Decision is a question with authored options. It is put at its offset; the first answer stands.
type Decision struct {
	ID        string   `json:"id"`
	At        int64    `json:"at_s"`
	Question  string   `json:"question"`
	Options   []Option `json:"options"`
	Mitigates bool     `json:"mitigates,omitempty"` // a good option here ends the harm: a trainee's time is taken at it
	Real      string   `json:"real,omitempty"`      // the option that was taken in the real case
}

// Option is one answer: Value is from −3 (harmful) over 0 (neutral) to 3 (good).
type Option struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Value int    `json:"value"`
	Why   string `json:"why"`
}

// Encode writes a drill as JSON: the same drill, the same bytes.
func (d Drill) Encode() ([]byte, error) {
	if err := d.Validate(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(d); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Decode reads what Encode wrote. Unknown fields are an error: a later format has another number.
func Decode(data []byte) (Drill, error) {
	var d Drill
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Drill{}, fmt.Errorf("drill: %w", err)
	}
	return d, d.Validate()
}

func (d Drill) card(id string) *Card {
	for i := range d.Cards {
		if d.Cards[i].ID == id {
			return &d.Cards[i]
		}
	}
	return nil
}

func (d Drill) decision(id string) *Decision {
	for i := range d.Decisions {
		if d.Decisions[i].ID == id {
			return &d.Decisions[i]
		}
	}
	return nil
}

func (d Decision) option(id string) *Option {
	for i := range d.Options {
		if d.Options[i].ID == id {
			return &d.Options[i]
		}
	}
	return nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
