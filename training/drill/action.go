package drill

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Verb is what a trainee does.
type Verb string

// The verbs, as they stand before the colon of an action:
//
//	look:checkout            looks at a service
//	open:note-840            opens a card
//	page:team:payments       pages a team or a policy; page:payments is the team
//	declare:SEV2             declares the incident, or raises it
//	update, update:TEXT      tells the others how it stands
//	hypothesis:TEXT          writes down a suspected cause; not scored
//	decide:d1:b              takes option b of decision d1
//	pause, resume            stops the clock and lets it go on
//	speed:10                 lets it run so many times as fast
//	finish                   ends the attempt
const (
	Look       Verb = "look"
	Open       Verb = "open"
	Page       Verb = "page"
	Declare    Verb = "declare"
	Update     Verb = "update"
	Hypothesis Verb = "hypothesis"
	Decide     Verb = "decide"
	Pause      Verb = "pause"
	Resume     Verb = "resume"
	Speed      Verb = "speed"
	Finish     Verb = "finish"
)

// Speeds are those the clock knows: real time, and what still lets somebody read.
func Speeds() []int { return []int{1, 2, 5, 10, 20, 60} }

// longest bounds what a trainee writes into an action, which becomes an event.
const longest = 2000

// Action is one act, parsed. What is the service, card, target, severity or text; of decide
// it is the decision and Option the option.
type Action struct {
	Verb   Verb
	What   string
	Option string
	N      int // of speed
}

// Parse reads an action; the error begins with "action".
func Parse(s string) (Action, error) {
	word, rest, has := strings.Cut(s, ":")
	a := Action{Verb: Verb(word), What: strings.TrimSpace(rest)}
	bad := func(format string, args ...any) (Action, error) {
		return Action{}, fmt.Errorf("action: %s", fmt.Sprintf(format, args...))
	}
	if len(a.What) > longest {
		return bad("%s: longer than %d bytes", word, longest)
	}
	switch a.Verb {
	case Look, Open, Declare, Hypothesis:
		if a.What == "" {
			return bad("%s: names nothing", word)
		}
	case Page:
		if a.What == "" {
			return bad("page: names nobody")
		}
		if !strings.Contains(a.What, ":") {
			a.What = "team:" + a.What
		}
		if !target(a.What) {
			return bad("page: must be a team or a policy")
		}
	case Update:
		if has && a.What == "" {
			return bad("update: empty text")
		}
	case Decide:
		var ok bool
		if a.What, a.Option, ok = strings.Cut(a.What, ":"); !ok || a.What == "" || a.Option == "" {
			return bad("decide: must name a decision and an option, as in decide:d1:b")
		}
	case Speed:
		n, err := strconv.Atoi(a.What)
		if err != nil || !slices.Contains(Speeds(), n) {
			return bad("speed: must be one of %v", Speeds())
		}
		a.N = n
	case Pause, Resume, Finish:
		if has {
			return bad("%s: takes nothing", word)
		}
	default:
		return bad("%q is not known", word)
	}
	return a, nil
}

// String is the action as an event writes it; Parse reads it back.
func (a Action) String() string {
	switch {
	case a.Verb == Decide:
		return fmt.Sprintf("%s:%s:%s", a.Verb, a.What, a.Option)
	case a.Verb == Speed:
		return fmt.Sprintf("%s:%d", a.Verb, a.N)
	case a.What == "":
		return string(a.Verb)
	}
	return string(a.Verb) + ":" + a.What
}

// Step is one act of an attempt: its number from 1, and the drill time in seconds.
type Step struct {
	N      int    `json:"n"`
	Offset int64  `json:"offset_s"`
	Action string `json:"action"`
}
