// Package xapi writes what somebody learned as statements of the Experience API 1.0.3, with
// the verbs of its profile cmi5, for an organisation that collects learning records elsewhere.
//
// Theory of operation
//
//  1. A Session is one person's work on one module. Its methods make the statements; nothing
//     else does, so that every statement has the profile's context.
//  2. The actor is an account: the installation's address and an opaque name. A record store
//     is out of reach of forgetting, so an e-mail address leaves by this way only where the
//     organisation has said so in words (Mbox); the profile then calls for an account still.
//  3. A statement's id follows from session, verb and moment: what is exported twice is one
//     statement to the store. What was exported wrongly is withdrawn by a voiding statement;
//     statements are never changed.
//  4. A Site makes statements of the facts in the log (export.go), always the same ones.
//  5. Validate and ValidateCmi5 read a statement as JSON against the specifications' rules,
//     knowing nothing of the types here. Whoever sends statements validates them first: a
//     store refuses a whole batch for one fault.
//
// Sources: xAPI 1.0.3 part two, "Experience API Data", and cmi5 section 9, "xAPI Statement
// Data Model".
package xapi

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Statement is what happened: an actor did something with an object.
type Statement struct {
	ID        string   `json:"id"`
	Actor     Agent    `json:"actor"`
	Verb      Verb     `json:"verb"`
	Object    Object   `json:"object"`
	Result    *Result  `json:"result,omitempty"`
	Context   *Context `json:"context,omitempty"`
	Timestamp string   `json:"timestamp"`
	Stored    string   `json:"stored,omitempty"` // by whoever answers with it; senders leave it out
}

// Agent is a person, known by an account or by an address, never by both.
type Agent struct {
	ObjectType string   `json:"objectType"`
	Account    *Account `json:"account,omitempty"`
	Mbox       string   `json:"mbox,omitempty"` // mailto:…
}

// Known is somebody with an account.
func Known(by Account) Agent { return Agent{ObjectType: "Agent", Account: &by} }

// Mbox is somebody with an e-mail address.
func Mbox(address string) Agent { return Agent{ObjectType: "Agent", Mbox: "mailto:" + address} }

// Account is a name within a site.
type Account struct {
	HomePage string `json:"homePage"`
	Name     string `json:"name"`
}

// Verb is what was done.
type Verb struct {
	ID      string            `json:"id"`
	Display map[string]string `json:"display"`
}

// Object is an activity, or a statement referred to.
type Object struct {
	ObjectType string      `json:"objectType"`
	ID         string      `json:"id"`
	Definition *Definition `json:"definition,omitempty"`
}

// Definition says what an activity is.
type Definition struct {
	Name map[string]string `json:"name,omitempty"`
	Type string            `json:"type,omitempty"`
}

// Result is how it came out.
type Result struct {
	Score      *Score         `json:"score,omitempty"`
	Success    *bool          `json:"success,omitempty"`
	Completion *bool          `json:"completion,omitempty"`
	Duration   string         `json:"duration,omitempty"` // ISO 8601
	Extensions map[string]any `json:"extensions,omitempty"`
}

// Score is the share of right answers, 0 to 1.
type Score struct {
	Scaled float64 `json:"scaled"`
}

// Context is what the statement belongs to.
type Context struct {
	Registration      string            `json:"registration"`
	ContextActivities ContextActivities `json:"contextActivities"`
	Extensions        map[string]any    `json:"extensions"`
}

// ContextActivities are how a store's filters find statements.
type ContextActivities struct {
	Grouping []Object `json:"grouping,omitempty"`
	Category []Object `json:"category,omitempty"`
}

// Session is one person's work on one module under one registration.
type Session struct {
	Learner      Account
	Registration string // UUID of the person's assignment
	ID           string // unique; a waiver has one of its own
	Activity     string // IRI of the module for this installation
	Publisher    string // IRI of the module wherever it is taught, the same in all installations
	Title        string
	LaunchURL    string  // of the module's page
	MasteryScore float64 // the module's pass mark
}

// Validate names the field that would make every statement of the session wrong, or that
// would let out who somebody is.
func (s Session) Validate() error {
	var errs []error
	for _, c := range []struct {
		field string
		ok    bool
		want  string
	}{
		{"learner.homePage", isIRI(s.Learner.HomePage), "an address"},
		{"learner.name", s.Learner.Name != "" && !strings.ContainsAny(s.Learner.Name, "@ "), "an opaque name, and no e-mail address"},
		{"registration", isUUID(s.Registration), "a UUID"},
		{"id", s.ID != "", "there"},
		{"activity", isIRI(s.Activity), "an IRI"},
		{"publisher", isIRI(s.Publisher), "an IRI"},
		{"launch URL", isIRI(s.LaunchURL), "an address"},
		{"mastery score", s.MasteryScore >= 0 && s.MasteryScore <= 1, "from 0 to 1"},
	} {
		if !c.ok {
			errs = append(errs, fmt.Errorf("%s: must be %s", c.field, c.want))
		}
	}
	return errors.Join(errs...)
}

// The kinds of activities of which a satisfied statement speaks.
const (
	Block  = "https://w3id.org/xapi/cmi5/activitytype/block"  // a track
	Course = "https://w3id.org/xapi/cmi5/activitytype/course" // the curriculum
)

// The verbs, and the IRIs of cmi5.
const (
	adl        = "http://adlnet.gov/expapi/verbs/"
	adlNew     = "https://w3id.org/xapi/adl/verbs/"
	cmi5       = "https://w3id.org/xapi/cmi5/"
	categories = cmi5 + "context/categories/"
	extensions = cmi5 + "context/extensions/"
	reasonIRI  = cmi5 + "result/extensions/reason"
	voided     = adl + "voided"
)

var verbs = map[string]string{
	"launched": adl + "launched", "initialized": adl + "initialized", "completed": adl + "completed", "passed": adl + "passed", "failed": adl + "failed",
	"terminated": adl + "terminated", "abandoned": adlNew + "abandoned", "waived": adlNew + "waived", "satisfied": adlNew + "satisfied",
}

// Launched is that somebody was sent to the module. A module is done once there is evidence
// for it, which is the profile's completion.
func (s Session) Launched(at time.Time) Statement {
	out := s.statement("launched", at, nil)
	x := out.Context.Extensions
	x[extensions+"launchmode"], x[extensions+"launchurl"], x[extensions+"moveon"] = "Normal", s.LaunchURL, "Completed"
	x[extensions+"masteryscore"] = s.MasteryScore
	return out
}

// Initialized is that they have begun.
func (s Session) Initialized(at time.Time) Statement { return s.statement("initialized", at, nil) }

// Passed and Failed are a quiz's outcome; took is the time since beginning.
func (s Session) Passed(at time.Time, score float64, took time.Duration) Statement {
	return s.judged("passed", at, score, true, took)
}

func (s Session) Failed(at time.Time, score float64, took time.Duration) Statement {
	return s.judged("failed", at, score, false, took)
}

func (s Session) judged(verb string, at time.Time, score float64, success bool, took time.Duration) Statement {
	out := s.statement(verb, at, &Result{Score: &Score{score}, Success: &success, Duration: iso(took)})
	out.Context.Extensions[extensions+"masteryscore"] = s.MasteryScore
	return out
}

// Completed is that the evidence is there.
func (s Session) Completed(at time.Time, took time.Duration) Statement {
	yes := true
	return s.statement("completed", at, &Result{Completion: &yes, Duration: iso(took)})
}

// Waived is that the module need not be done. The reason is Steward's, as training.waived has
// it; the profile knows four, and an unknown one is an error.
func (s Session) Waived(at time.Time, reason string) (Statement, error) {
	theirs, ok := map[string]string{
		"tested-out": "Tested Out", "equivalent": "Equivalent AU",
		"equivalent-in-a-real-incident": "Equivalent Outside Activity", "administrative": "Administrative",
	}[reason]
	if !ok {
		return Statement{}, fmt.Errorf("reason: %q is not one of tested-out, equivalent, equivalent-in-a-real-incident, administrative", reason)
	}
	yes, too := true, true
	return s.statement("waived", at, &Result{Success: &yes, Completion: &too, Extensions: map[string]any{reasonIRI: theirs}}), nil
}

// Abandoned is that somebody gave the module up after this time.
func (s Session) Abandoned(at time.Time, took time.Duration) Statement {
	return s.statement("abandoned", at, &Result{Duration: iso(took)})
}

// Terminated is that they left the module.
func (s Session) Terminated(at time.Time, took time.Duration) Statement {
	return s.statement("terminated", at, &Result{Duration: iso(took)})
}

// Satisfied is that this session was the last that a track or the curriculum needed; kind is
// Block or Course, and id and publisher its IRIs.
func (s Session) Satisfied(at time.Time, kind, id, publisher, title string) Statement {
	s.Activity, s.Publisher, s.Title = id, publisher, title
	out := s.statement("satisfied", at, nil)
	out.Object.Definition.Type = kind
	return out
}

// Voiding withdraws a statement: from then on a store answers as if it were not there.
func Voiding(by Account, statement string, at time.Time) Statement {
	return Statement{
		ID:        event.NewID("/steward/xapi", "voided", statement, at),
		Actor:     Known(by),
		Verb:      Verb{voided, map[string]string{"en": "voided"}},
		Object:    Object{ObjectType: "StatementRef", ID: statement},
		Timestamp: stamp(at),
	}
}

func (s Session) statement(verb string, at time.Time, result *Result) Statement {
	category := []Object{{ObjectType: "Activity", ID: categories + "cmi5"}}
	if result != nil && (result.Success != nil || result.Completion != nil) {
		category = append(category, Object{ObjectType: "Activity", ID: categories + "moveon"})
	}
	return Statement{
		ID:     event.NewID("/steward/xapi", event.Kind(verb), fmt.Sprintf("%d:%s/%d:%s", len(s.ID), s.ID, len(s.Activity), s.Activity), at),
		Actor:  Known(s.Learner),
		Verb:   Verb{verbs[verb], map[string]string{"en": verb}},
		Object: Object{ObjectType: "Activity", ID: s.Activity, Definition: &Definition{Name: map[string]string{"en": s.Title}}},
		Result: result,
		Context: &Context{
			Registration:      s.Registration,
			ContextActivities: ContextActivities{Grouping: []Object{{ObjectType: "Activity", ID: s.Publisher}}, Category: category},
			Extensions:        map[string]any{extensions + "sessionid": s.ID},
		},
		Timestamp: stamp(at),
	}
}

func stamp(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }

// iso is a duration to the hundredth of a second, as far as stores compare. Clocks of two
// machines can make a short one negative, which the format does not know.
func iso(d time.Duration) string {
	return "PT" + strconv.FormatFloat(max(d, 0).Round(10*time.Millisecond).Seconds(), 'f', -1, 64) + "S"
}
