package xapi

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Theory of operation of the export
//
//  1. Statements are folded from facts, in the order of their time, each time anew: the same
//     facts give the same statements under the same ids. A fact that arrives late adds its own
//     and changes no other's id.
//  2. A registration is one person under one assignment. Work on one module under it is one
//     session until it is given up; beginning again begins the next.
//  3. An attempt is one statement however often it was handed in. A completion that rests on
//     evidence which was voided is withdrawn: its statement stays, as stores want it, and a
//     voiding statement follows.
//  4. What cannot be said within the rules is not said: facts of no assignment, of other
//     people's, of modules that it does not hold.

// Fact is one event about learning. Which fields matter follows from the kind.
type Fact struct {
	Kind               event.Kind
	At, Seen           time.Time // when it happened; when it became known here
	ID                 string
	Person             string
	Assignment, Module string
	Track              string
	Attempt            int
	Score              float64 // 0 to 1
	Reason             string  // of a waiver
	Ref                string  // what a completion or a piece of evidence rests on
	Evidence           string  // the id of what was voided
}

// Site is where statements come from.
type Site struct {
	Home      string                                                    // IRI of the installation, without a slash at its end; of accounts too
	Publisher string                                                    // IRI of the curriculum wherever it is taught, likewise
	Module    func(id string) (title string, passMark float64, ok bool) // ok false: it is not taught any more
	Tracks    map[string][]string                                       // modules of each track
	Name      func(person string) string                                // opaque, of an account
	Address   func(person string) string                                // nil: actors are accounts; otherwise their e-mail address, "" for none
}

// Exported is a statement and whose it is.
type Exported struct {
	Statement
	Person string
	Seen   time.Time // when what it says became known here
	Void   bool      // withdrawn by a later one
}

type place struct{ assignment, module, person string }

// work is a person's work on a module so far.
type work struct {
	started  time.Time
	sessions int
	tried    map[int]bool
	done     bool
	waived   bool
	since    time.Time // when a withdrawal that makes room became known here
}

// Statements folds facts into statements, in the order in which they became known.
func (x Site) Statements(facts []Fact) ([]Exported, error) {
	facts = slices.Clone(facts)
	slices.SortStableFunc(facts, func(a, b Fact) int {
		if c := a.At.Compare(b.At); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	given, works := map[string][]Fact{}, map[place]*work{}
	for _, f := range facts {
		if f.Kind == event.TrainingAssigned {
			given[f.Assignment] = append(given[f.Assignment], f)
		}
	}
	gone := withdrawals(facts)
	var out []Exported
	for _, f := range facts {
		a, found := x.under(given[f.Assignment], f)
		if !found {
			continue
		}
		if f.Person == "" {
			f.Person = a.Person // a waiver of one person's assignment
		}
		modules := []string{f.Module}
		if f.Kind == event.TrainingWaived && f.Module == "" {
			modules = x.modules(a)
		}
		for _, m := range modules {
			if f.Person == "" || !slices.Contains(x.modules(a), m) {
				continue
			}
			at := place{f.Assignment, m, f.Person}
			if works[at] == nil {
				works[at] = &work{tried: map[int]bool{}}
			}
			f.Module = m
			said, err := x.say(f, works[at])
			if err != nil {
				return nil, err
			}
			for _, s := range said {
				e := Exported{Statement: s, Person: f.Person, Seen: later(later(f.Seen, a.Seen), works[at].since)}
				if v, voided := gone[f.ID]; voided && f.Kind == event.TrainingCompleted {
					e.Void = true
					works[at].done, works[at].since = false, later(v.Seen, works[at].since) // other evidence may complete it
					out = append(out, Exported{Statement: Voiding(Account{x.Home, "steward"}, s.ID, v.At), Person: f.Person, Seen: later(v.Seen, e.Seen)})
				}
				out = append(out, e)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Exported) int {
		if c := a.Seen.Compare(b.Seen); c != 0 {
			return c
		}
		if c := strings.Compare(a.Timestamp, b.Timestamp); c != 0 {
			return c
		}
		if av, bv := a.Verb.ID == voided, b.Verb.ID == voided; av != bv { // what is withdrawn comes first
			if bv {
				return -1
			}
			return 1
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// under is what gives somebody the work that a fact is about. Of several that give one
// assignment any will do, the one known first before others, so that what was said stays said
// when the assignment is changed; a waiver that names nobody is of the one that held then.
func (x Site) under(given []Fact, f Fact) (out Fact, found bool) {
	for _, a := range given {
		switch {
		case f.Person == "":
			if !found || !a.At.After(f.At) {
				out, found = a, true
			}
		case a.Person != "" && a.Person != f.Person, f.Module != "" && !slices.Contains(x.modules(a), f.Module):
		case !found || a.Seen.Before(out.Seen):
			out, found = a, true
		}
	}
	return out, found
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (x Site) modules(assigned Fact) []string {
	if assigned.Module != "" {
		return []string{assigned.Module}
	}
	return x.Tracks[assigned.Track]
}

// say are the statements of one fact; none if it says nothing new.
func (x Site) say(f Fact, w *work) ([]Statement, error) {
	s, mastery := x.session(f, w)
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("statement of %s: %w", f.ID, err)
	}
	took := time.Duration(0)
	if !w.started.IsZero() {
		took = f.At.Sub(w.started)
	}
	var out []Statement
	switch f.Kind {
	case event.TrainingStarted:
		if !w.started.IsZero() {
			return nil, nil
		}
		w.started = f.At
		out = []Statement{s.Launched(f.At), s.Initialized(f.At)}
	case event.TrainingPassed, event.TrainingFailed:
		if w.tried[f.Attempt] {
			return nil, nil
		}
		w.tried[f.Attempt] = true
		score := min(max(f.Score, 0), 1)
		passed := f.Kind == event.TrainingPassed
		// The mark of today may not be that of then: what was judged stays judged, and the
		// profile wants no mark that disagrees.
		mastery = mastery && passed == (score >= s.MasteryScore)
		if passed {
			out = []Statement{s.Passed(f.At, score, took)}
		} else {
			out = []Statement{s.Failed(f.At, score, took)}
		}
	case event.TrainingCompleted:
		if w.done {
			return nil, nil
		}
		w.done = true
		out = []Statement{s.Completed(f.At, took)}
	case event.TrainingAbandoned:
		if w.started.IsZero() {
			return nil, nil
		}
		out = []Statement{s.Abandoned(f.At, took)}
		w.started = time.Time{}
		w.sessions++
	case event.TrainingWaived:
		if w.waived {
			return nil, nil
		}
		w.waived = true
		s.ID = "waiver/" + s.ID
		waived, err := s.Waived(f.At, f.Reason)
		if err != nil {
			return nil, nil // a stranger's reason, which the profile has no word for
		}
		out = []Statement{waived}
	}
	for i := range out {
		if !mastery {
			delete(out[i].Context.Extensions, extensions+"masteryscore")
		}
		if x.Address != nil {
			address := x.Address(f.Person)
			if address == "" {
				return nil, nil // whom nobody can reach is nobody to the store
			}
			out[i].Actor = Mbox(address)
		}
	}
	return out, nil
}

func (x Site) session(f Fact, w *work) (s Session, mastery bool) {
	title, mark, taught := x.Module(f.Module)
	if title == "" {
		title = f.Module
	}
	name := x.Name(f.Person)
	id := func(what event.Kind, parts ...string) string {
		return event.NewID("/steward/xapi", what, fmt.Sprintf("%q", parts), time.UnixMilli(0))
	}
	return Session{
		Learner:      Account{x.Home, name},
		Registration: id("registration", f.Assignment, name),
		ID:           id("session", f.Assignment, f.Module, name, fmt.Sprint(w.sessions)),
		Activity:     x.Home + "/training/" + f.Module, Publisher: x.Publisher + "/" + f.Module,
		Title: title, LaunchURL: x.Home + "/training/" + f.Module, MasteryScore: mark,
	}, taught
}

// withdrawals says which completions do not stand any more, and by which voiding: those that
// were voided themselves, those whose evidence was, and those that rest on what only voided
// evidence of the person rests on.
func withdrawals(facts []Fact) map[string]Fact {
	voids, evidence := map[string]Fact{}, map[string]Fact{}
	for _, f := range facts {
		switch f.Kind {
		case event.EvidenceVoided:
			if _, twice := voids[f.Evidence]; !twice {
				voids[f.Evidence] = f
			}
		case event.SkillEvidenced:
			evidence[f.ID] = f
		}
	}
	out := map[string]Fact{}
	for _, f := range facts {
		if f.Kind != event.TrainingCompleted {
			continue
		}
		for _, id := range []string{f.ID, f.Ref} {
			if v, found := voids[id]; found && (id == f.ID || evidence[id].Person == f.Person) {
				out[f.ID] = v
			}
		}
		if _, found := out[f.ID]; found {
			continue
		}
		// Evidence that names the completion, or the same attempt or incident.
		var last Fact
		stands := false
		for _, e := range evidence {
			if e.Person != f.Person || e.Ref != f.ID && (f.Ref == "" || e.Ref != f.Ref) {
				continue
			}
			v, found := voids[e.ID]
			stands = stands || !found
			if found && (last.ID == "" || v.At.After(last.At) || v.At.Equal(last.At) && v.ID > last.ID) {
				last = v
			}
		}
		if last.ID != "" && !stands {
			out[f.ID] = last
		}
	}
	return out
}
