// Package recall asks people, once a week, about incidents of their own teams, and spaces
// what they were asked so that it is remembered.
//
// Theory of operation
//
//  1. A question is made of facts that the log holds: which service, which team was brought
//     in, what came first, how long it took. It never asks what somebody should have done,
//     and names nobody: a title is given without people's names.
//  2. The same facts give the same question, options in the same order, in every process; a
//     digest tells a page that was opened before the facts changed.
//  3. Wrong options are real things of the same kind, those near to the incident first: other
//     services of the team, teams that exist, classes of alerts that fire there.
//  4. One question about one incident is one card of spaced repetition, for each person apart
//     (schedule.go). What was answered is an event; everything else is computed from those.
package recall

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Option is one answer.
type Option struct {
	Key  string // what a form sends
	Text string
}

// Question is about one incident. Right and Explain are for the server until it is answered.
type Question struct {
	ID       string // kind and incident
	Incident string
	Title    string // of the incident, without names
	Opened   time.Time
	Text     string
	Options  []Option
	Right    string // a key
	Explain  string
	Digest   string // of what was shown
}

// Answer is the text of an option; empty for a key that is none.
func (q Question) Answer(key string) string {
	if i := slices.IndexFunc(q.Options, func(o Option) bool { return o.Key == key }); i >= 0 {
		return q.Options[i].Text
	}
	return ""
}

// Named is a thing with what people call it.
type Named struct{ ID, Name string }

// Step is what people did, in order of time.
type Step struct {
	Kind string // one of the Steps
	At   time.Time
	Team string // that was brought in
}

// The steps that a question can be about.
const (
	Acknowledge = "acknowledge"
	BringIn     = "bring-in"
	Regrade     = "regrade"
	Move        = "move"
	Note        = "note"
	Resolve     = "resolve"
)

// Case is an incident as far as questions go. Title must hold nobody's name.
type Case struct {
	Incident, Title  string
	First, Service   Named // the service it was filed under first, and in the end
	Owner            string
	AlertClass       string
	Opened, Resolved time.Time
	Steps            []Step // of people, up to the last resolution
	Before           int    // incidents of the same service and class in the 30 days before
	BeforeKnown      bool
	Services, Teams  []Named // that exist, the nearest first
	Classes          []string
}

// options is how many a question has.
const options = 4

// Ask makes the questions of an incident: those for which the log has the fact, and wrong
// options enough. In order of their ids.
func Ask(c Case) []Question {
	var out []Question
	for _, make := range []func(Case) (Question, bool){cause, help, first, lasted, class, again} {
		if q, ok := make(c); ok {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, func(a, b Question) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// put finishes a question: right among wrong ones, in an order that follows from its id.
func (c Case) put(kind, text, explain string, right Option, wrong []Option) (Question, bool) {
	q := Question{ID: kind + ":" + c.Incident, Incident: c.Incident, Title: c.Title, Opened: c.Opened, Text: text, Right: right.Key, Explain: explain}
	q.Options = append(q.Options, right)
	for _, o := range wrong {
		same := func(x Option) bool { return x.Key == o.Key || strings.EqualFold(x.Text, o.Text) }
		if o.Text != "" && !slices.ContainsFunc(q.Options, same) && len(q.Options) < options {
			q.Options = append(q.Options, o)
		}
	}
	if len(q.Options) < 3 || right.Text == "" {
		return Question{}, false
	}
	slices.SortFunc(q.Options, func(a, b Option) int { return cmp.Compare(hash(q.ID, a.Key), hash(q.ID, b.Key)) })
	shown := []string{q.ID, q.Title, q.Text}
	for _, o := range q.Options {
		shown = append(shown, o.Key, o.Text)
	}
	q.Digest = hash(shown...)[:16] // without the right one, which could be found by trying
	return q, true
}

// hash is a digest of texts that frames each, so that no two lists are alike.
func hash(texts ...string) string {
	h := sha256.New()
	for _, t := range texts {
		fmt.Fprintf(h, "%d:%s/", len(t), t)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// cause asks for the service, unless the title says it.
func cause(c Case) (Question, bool) {
	if c.Service.ID == "" || mentions(c.Title, c.Service.ID) || mentions(c.Title, c.Service.Name) {
		return Question{}, false
	}
	var wrong []Option
	text := "Which service was it?"
	explain := fmt.Sprintf("It was %s, from the beginning.", c.Service.Name)
	if c.First.ID != "" && c.First.ID != c.Service.ID {
		text = fmt.Sprintf("It was filed under %s first. Which service was it in the end?", c.First.Name)
		explain = fmt.Sprintf("It was filed under %s and moved to %s.", c.First.Name, c.Service.Name)
		wrong = append(wrong, Option{c.First.ID, c.First.Name})
	}
	for _, s := range c.Services {
		wrong = append(wrong, Option{s.ID, s.Name})
	}
	return c.put("cause", text, explain, Option{c.Service.ID, c.Service.Name}, wrong)
}

// nobodyElse is the key of no team.
const nobodyElse = "-"

// help asks whom the team brought in.
func help(c Case) (Question, bool) {
	right := Option{nobodyElse, "no other team"}
	explain := "No other team was brought in."
	for _, s := range c.Steps {
		if s.Kind != BringIn || s.Team == "" || s.Team == c.Owner {
			continue
		}
		right = Option{s.Team, c.team(s.Team)}
		explain = fmt.Sprintf("%s was brought in after %s.", right.Text, lapse(s.At.Sub(c.Opened)))
		break
	}
	if len(c.Steps) == 0 {
		return Question{}, false
	}
	wrong := []Option{{nobodyElse, "no other team"}}
	for _, t := range c.Teams {
		if t.ID != c.Owner {
			wrong = append(wrong, Option{t.ID, t.Name})
		}
	}
	return c.put("help", "Which other team was brought in first?", explain, right, wrong)
}

func (c Case) team(id string) string {
	for _, t := range c.Teams {
		if t.ID == id {
			return t.Name
		}
	}
	return id
}

var stepWords = map[string]string{
	BringIn: "somebody else was brought in", Regrade: "its severity or priority was changed", Move: "it was moved to another service",
	Note: "a note was written", Resolve: "it was resolved",
}

// first asks for the step after the acknowledgement.
func first(c Case) (Question, bool) {
	at := slices.IndexFunc(c.Steps, func(s Step) bool { return s.Kind == Acknowledge })
	if at < 0 {
		return Question{}, false
	}
	rest := c.Steps[at+1:]
	next := slices.IndexFunc(rest, func(s Step) bool { return s.Kind != Acknowledge })
	if next < 0 {
		return Question{}, false
	}
	s := rest[next]
	var wrong []Option
	for _, kind := range []string{BringIn, Note, Regrade, Resolve, Move} {
		wrong = append(wrong, Option{kind, stepWords[kind]})
	}
	explain := fmt.Sprintf("It was acknowledged after %s; %s after that, %s.", lapse(c.Steps[at].At.Sub(c.Opened)), lapse(s.At.Sub(c.Steps[at].At)), stepWords[s.Kind])
	return c.put("first", "What came first after it was acknowledged?", explain, Option{s.Kind, stepWords[s.Kind]}, wrong)
}

// bands are of durations, in minutes.
var bands = []struct {
	key, text string
	below     time.Duration
}{
	{"15m", "less than 15 minutes", 15 * time.Minute}, {"1h", "15 minutes to an hour", time.Hour},
	{"4h", "one to four hours", 4 * time.Hour}, {"long", "more than four hours", 1<<63 - 1},
}

// lasted asks how long it took.
func lasted(c Case) (Question, bool) {
	if c.Resolved.IsZero() || c.Resolved.Before(c.Opened) {
		return Question{}, false
	}
	took := c.Resolved.Sub(c.Opened)
	var right Option
	var all []Option
	for _, b := range bands {
		o := Option{b.key, b.text}
		if right.Key == "" && took < b.below {
			right = o
		}
		all = append(all, o)
	}
	return c.put("lasted", "How long did it take from its opening to its resolution?", fmt.Sprintf("It took %s.", lapse(took)), right, all)
}

// class asks for the kind of alert, unless the title says it.
func class(c Case) (Question, bool) {
	if c.AlertClass == "" || mentions(c.Title, c.AlertClass) {
		return Question{}, false
	}
	var wrong []Option
	for _, k := range c.Classes {
		wrong = append(wrong, Option{k, k})
	}
	return c.put("class", "Which class of alert was it?", fmt.Sprintf("It was %s.", c.AlertClass), Option{c.AlertClass, c.AlertClass}, wrong)
}

var counts = []struct {
	text string
	most int
}{{"never", 0}, {"once", 1}, {"two to four times", 4}, {"five times or more", 1 << 30}}

// again asks whether it was known.
func again(c Case) (Question, bool) {
	if !c.BeforeKnown || c.AlertClass == "" || c.Service.ID == "" {
		return Question{}, false
	}
	var right Option
	var all []Option
	for _, k := range counts {
		o := Option{k.text, k.text}
		if right.Key == "" && c.Before <= k.most {
			right = o
		}
		all = append(all, o)
	}
	text := fmt.Sprintf("How often had %s had an incident of the same class in the 30 days before?", c.Service.Name)
	return c.put("again", text, fmt.Sprintf("%d of them in the 30 days before.", c.Before), right, all)
}

// mentions says whether a text names a thing, however its words are joined.
func mentions(text, thing string) bool {
	flat := func(s string) string {
		return strings.NewReplacer("-", " ", "_", " ", ".", " ", "/", " ").Replace(strings.ToLower(s))
	}
	return thing != "" && strings.Contains(flat(text), flat(thing))
}

// lapse writes a time that passed.
func lapse(d time.Duration) string {
	unit := func(n int, one string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %ss", n, one)
	}
	switch m := int(d.Round(time.Minute) / time.Minute); {
	case d < time.Minute:
		return "less than a minute"
	case m < 120:
		return unit(m, "minute")
	case m < 48*60:
		return unit(m/60, "hour")
	default:
		return unit(m/(24*60), "day")
	}
}
