package drill

import (
	"fmt"
	"slices"
	"strings"
)

// Theory of operation of an attempt
//
//  1. An attempt is its steps and nothing else. Act checks one step against the drill and
//     what was done before, and keeps it or refuses it; a refused step changes nothing.
//  2. Time is the steps' own offsets, which never go back. The clock's verbs are steps too,
//     so that the replay knows of the pauses; the offsets already contain their effect.
//  3. While the clock stands still what lies on the table can be read, and nothing can be
//     done: a pause is for reading, and costs nobody who reads slowly or by ear.
//  4. Replay of stored steps skips what Act refuses and reports it. An attempt that some
//     earlier version let pass is then still readable, and scores what was possible.

// Attempt is a drill being played or replayed.
type Attempt struct {
	Drill   Drill
	Done    []Done
	Refused []*StepError

	now      int64
	paused   bool
	finished bool
	opened   map[string]bool
	chosen   map[string]string
}

// Done is a step that was possible, with its action parsed.
type Done struct {
	Step
	Action Action
}

// StepError says which field of which step could not be.
type StepError struct {
	Step   Step
	Field  string // "offset_s" or "action"
	Reason string
}

func (e *StepError) Error() string {
	return fmt.Sprintf("step %d: %s: %s", e.Step.N, e.Field, e.Reason)
}

// Begin starts an attempt. A drill that is not published cannot be played: its texts are not redacted.
func Begin(d Drill) (*Attempt, error) {
	if left := d.Unpublished(); len(left) > 0 {
		return nil, fmt.Errorf("drill: not published: %s", strings.Join(left, "; "))
	}
	return &Attempt{Drill: d, opened: map[string]bool{}, chosen: map[string]string{}}, nil
}

// Replay plays stored steps, in order of their numbers. What could not have been done is in
// Refused and has no effect.
func Replay(d Drill, steps []Step) (*Attempt, error) {
	a, err := Begin(d)
	if err != nil {
		return nil, err
	}
	ordered := slices.Clone(steps)
	slices.SortStableFunc(ordered, func(x, y Step) int { return x.N - y.N })
	ordered = slices.CompactFunc(ordered, func(x, y Step) bool { return x == y }) // a redelivered event
	for _, s := range ordered {
		if err := a.act(s); err != nil {
			a.Refused = append(a.Refused, err)
		}
	}
	return a, nil
}

// Act does one step, or says what is wrong with it and changes nothing: a *StepError.
func (a *Attempt) Act(s Step) error {
	if err := a.act(s); err != nil {
		return err
	}
	return nil
}

func (a *Attempt) act(s Step) *StepError {
	bad := func(field, format string, args ...any) *StepError {
		return &StepError{Step: s, Field: field, Reason: fmt.Sprintf(format, args...)}
	}
	act, err := Parse(s.Action)
	switch {
	case err != nil:
		return bad("action", "%s", strings.TrimPrefix(err.Error(), "action: "))
	case a.finished:
		return bad("action", "the attempt is finished")
	case s.Offset < a.now:
		return bad("offset_s", "%d is before %d, where the attempt is", s.Offset, a.now)
	case a.paused && s.Offset > a.now:
		return bad("offset_s", "the clock is paused at %d", a.now)
	}
	if reason := a.refuses(act, s.Offset); reason != "" {
		return bad("action", "%s", reason)
	}
	a.now = s.Offset
	switch act.Verb {
	case Open:
		a.opened[act.What] = true
	case Decide:
		a.chosen[act.What] = act.Option
	case Pause:
		a.paused = true
	case Resume:
		a.paused = false
	case Finish:
		a.finished = true
	}
	a.Done = append(a.Done, Done{s, act})
	return nil
}

// refuses is why an action is not possible at an offset, empty where it is.
func (a *Attempt) refuses(act Action, at int64) string {
	d := a.Drill
	switch act.Verb {
	case Pause:
		if a.paused {
			return "the clock is already paused"
		}
		return ""
	case Resume:
		if !a.paused {
			return "the clock is running"
		}
		return ""
	case Speed, Finish:
		return ""
	}
	if a.paused {
		return "the clock is paused: resume first"
	}
	switch act.Verb {
	case Look:
		if !slices.Contains(d.Services, act.What) {
			return fmt.Sprintf("look: no service %q", act.What)
		}
	case Open:
		// One answer for both, so that nobody learns by guessing what is still to come.
		if card := d.card(act.What); card == nil || card.Offset > at {
			return fmt.Sprintf("open: card %q is not on the table at %d", act.What, at)
		}
	case Page:
		if !slices.Contains(d.Targets, act.What) {
			return fmt.Sprintf("page: no target %q", act.What)
		}
	case Decide:
		q := d.decision(act.What)
		if q == nil || q.At > at {
			return fmt.Sprintf("decide: decision %q is not put at %d", act.What, at)
		}
		if q.option(act.Option) == nil {
			return fmt.Sprintf("decide: decision %q has no option %q", act.What, act.Option)
		}
		if a.chosen[act.What] != "" {
			return fmt.Sprintf("decide: decision %q is taken; the first answer stands", act.What)
		}
	}
	return ""
}

// Finished says whether the attempt has ended.
func (a *Attempt) Finished() bool { return a.finished }

// Now is the offset of the last step.
func (a *Attempt) Now() int64 { return a.now }

// Table is what a trainee may see at an offset, and all that a page in play is given.
type Table struct {
	Offset    int64    `json:"offset_s"`
	Services  []string `json:"services"`
	Targets   []string `json:"targets"`
	Cards     []Seen   `json:"cards"`
	Questions []Put    `json:"questions"`
	Next      *int64   `json:"next_s"` // when something more is released, nil for nothing: that it will is no secret, what is
}

// Seen is a card on the table; its details and texts only once it is opened.
type Seen struct {
	Card
	Opened bool   `json:"opened"`
	Texts  []Text `json:"texts,omitempty"`
}

// Put is a question on the table, without the worth of its options.
type Put struct {
	ID       string   `json:"id"`
	At       int64    `json:"at_s"`
	Question string   `json:"question"`
	Options  []Choice `json:"options"`
	Chosen   string   `json:"chosen,omitempty"`
}

// Choice is an option without its worth.
type Choice struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

// Table is what was visible at an offset, with what had been opened and chosen by then.
func (a *Attempt) Table(offset int64) Table {
	d := a.Drill
	t := Table{Offset: offset, Services: d.Services, Targets: d.Targets, Cards: []Seen{}, Questions: []Put{}}
	opened, chosen := map[string]bool{}, map[string]string{}
	for _, done := range a.Done {
		if done.Offset > offset {
			break
		}
		switch done.Action.Verb {
		case Open:
			opened[done.Action.What] = true
		case Decide:
			chosen[done.Action.What] = done.Action.Option
		}
	}
	next := func(at int64) {
		if t.Next == nil || at < *t.Next {
			t.Next = &at
		}
	}
	for _, card := range d.Cards {
		if card.Offset > offset {
			next(card.Offset)
			continue
		}
		s := Seen{Card: card, Opened: opened[card.ID]}
		if !s.Opened {
			s.Details = nil
		} else {
			for _, x := range d.Texts {
				if x.Card == card.ID && x.Text != "" {
					s.Texts = append(s.Texts, x)
				}
			}
		}
		t.Cards = append(t.Cards, s)
	}
	for _, q := range d.Decisions {
		if q.At > offset {
			next(q.At)
			continue
		}
		p := Put{ID: q.ID, At: q.At, Question: q.Question, Chosen: chosen[q.ID]}
		for _, o := range q.Options {
			p.Options = append(p.Options, Choice{o.ID, o.Text})
		}
		t.Questions = append(t.Questions, p)
	}
	return t
}
