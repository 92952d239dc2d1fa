package analytics

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of assignments
//
//  1. What was given, begun, tried, done and excused are events. Of an event's copies the one
//     seen first counts. There are few of them, so they are read in one statement, kept until
//     anything arrives, and folded here.
//  2. A row is one person, one module, one assignment. A team's assignment has a row for each
//     who is in the team now, and for each who has done something under it; a track's has one
//     for each module of the track.
//  3. A rota's assignment is a standing rule: it has a row for each of the team it is within
//     whose first shift on the rota begins after the rule was given, due the day before that
//     shift. Rows follow the plan: who is added later has one then, a shift that moves moves the
//     date, and one that is cancelled takes the row away unless something was done under it. A
//     waiver of the whole rule ends it: it takes away every row under which nothing was done,
//     and excuses nobody, since who is excused counts as knowing.
//  4. Of several that give one assignment the latest says what and to whom, the first when. What
//     is past its date and neither completed nor waived is overdue, also if it was given up. Both
//     as in the metric training_progress.
//  5. A voiding that names an event takes that event out, as if it had never been.
//  6. Attempts are counted by their numbers: the log may deliver one twice, and a double click
//     makes two events of one attempt.
//  7. Package access says of each row whether it is read, and whether with scores. Rows with
//     scores of others are recorded before they are given.

// AssignmentFilter selects rows: of these people, of these teams' people, of a module. Tracks
// are the modules of each track. Own leaves out everybody but the asker.
type AssignmentFilter struct {
	Person, Team []string
	Module       string
	Own          bool
	Tracks       map[string][]string
}

// States of a row, from the first to the last.
const (
	StateAssigned  = "assigned"
	StateStarted   = "started"
	StatePassed    = "quiz passed"
	StateAbandoned = "abandoned"
	StateCompleted = "completed"
	StateWaived    = "waived"
)

// Try is one marked attempt at a quiz.
type Try struct {
	Number int
	At     time.Time
	Passed bool
	Score  float64
}

// AssignmentRow is one person's work on one module under one assignment.
type AssignmentRow struct {
	ID, Module, Track string    // Track: where the whole track was assigned
	Person, Team      string    // Team: where it was given to the team, or by a rule to who joins its rota
	Rota              string    // of a rule: the schedule, or "*" for any
	FirstShift        time.Time // of a rule: when their first shift there begins
	By, Reason        string
	Cites             []string  // incidents
	Due               time.Time // the end of the last day; zero: none
	Assigned          time.Time
	Started, Passed   time.Time // first ones; zero: not
	Completed, Waived time.Time
	Abandoned         time.Time
	Evidence          string // what completed it
	EvidenceBy        string // who vouched for that; empty: nobody had to
	WaivedBy, Excuse  string
	State             string
	Overdue           bool
	Scored            bool    // whether the asker reads what follows
	Tried             []Try   // by number, each once
	Score             float64 // the best
}

// Open says whether there is something left to do.
func (r AssignmentRow) Open() bool {
	return r.State == StateAssigned || r.State == StateStarted || r.State == StatePassed
}

// ToDo says whether a list of work holds it: also what was given up comes back when its date
// is past, to be begun again or waived.
func (r AssignmentRow) ToDo() bool { return r.Open() || r.Overdue }

// Known says whether what a module teaches may be taken for known: its quiz was passed, it
// was completed, or somebody answers for it by a waiver. Evidence may wait for an occasion;
// the next lesson does not have to.
func (r AssignmentRow) Known() bool {
	return !r.Passed.IsZero() || !r.Completed.IsZero() || !r.Waived.IsZero()
}

// learned is the data of training events.
type learned struct {
	Assignment, Module, Track string
	By, Reason, Due           string
	Cites                     []string
	Rota, Within              string
	Attempt                   int
	Score                     float64
	Kind, Ref                 string
	Evidence                  string // of a voiding: which event it takes out
}

type learning struct {
	id, kind, person, team string
	at                     time.Time
	learned
}

// Assignments are what people are to learn and how far they are, as far as the asker reads
// it: by person's name, then module. A filter that names somebody they may not ask about is
// refused.
func (v *View) Assignments(ctx context.Context, f AssignmentFilter) ([]AssignmentRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	teams, names := d.placed()
	var persons []string
	for _, p := range f.Person {
		p = v.s.canonical(alias, p)
		if err := v.who.LearningOf(p, teams[p]...); err != nil {
			return nil, err
		}
		persons = append(persons, p)
	}
	for _, t := range f.Team {
		if err := v.who.LearningOf("", t); err != nil {
			return nil, err
		}
	}
	// What all events say is read once; each row is decided below, before it leaves.
	events, err := v.s.learning(ctx, alias)
	if err != nil {
		return nil, err
	}
	first := map[seat]time.Time{}
	if slices.ContainsFunc(events, func(e learning) bool { return e.Rota != "" }) {
		if first, err = v.s.firstShifts(ctx, alias); err != nil {
			return nil, err
		}
	}
	var out []AssignmentRow
	var pass access.Pass
	var seen []string
	for _, r := range v.s.assignments(events, d, f.Tracks, first) {
		reads, scores, p := v.who.Learning(r.Person, teams[r.Person])
		switch {
		case !reads,
			f.Own && !v.who.Is(r.Person),
			f.Module != "" && r.Module != f.Module,
			len(persons) > 0 && !slices.Contains(persons, r.Person),
			len(f.Team) > 0 && !slices.ContainsFunc(teams[r.Person], func(t string) bool { return slices.Contains(f.Team, t) }):
			continue
		}
		if r.Scored = scores; !scores {
			r.Tried, r.Score = nil, 0
		}
		if p.Records() && !v.who.Is(r.Person) {
			pass, seen = p, append(seen, r.Person)
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b AssignmentRow) int {
		return cmp.Or(strings.Compare(strings.ToLower(names[a.Person]), strings.ToLower(names[b.Person])), strings.Compare(a.Person, b.Person), strings.Compare(a.Module, b.Module), a.Assigned.Compare(b.Assigned), strings.Compare(a.ID, b.ID))
	})
	if err := v.record(ctx, pass, seen); err != nil {
		return nil, err
	}
	return out, nil
}

// learning are all events of assignments that stand, in order of their time, with who is behind
// ids. They are kept until anything arrives.
func (s *Store) learning(ctx context.Context, alias aliases) ([]learning, error) {
	events, err := remember(ctx, s, "assignments", func(ctx context.Context) ([]learning, error) { return s.readLearning(ctx, alias) })
	return unvoided(events), err
}

func (s *Store) readLearning(ctx context.Context, alias aliases) ([]learning, error) {
	var events []learning
	err := s.look(ctx, access.Working(), "assignments", s.present(), nil, `
SELECT id, kind, at, person, team, data
FROM (SELECT toString(kind) AS kind, at, id, person, team, data FROM events
    WHERE kind IN ('training.assigned', 'training.started', 'training.passed', 'training.failed', 'training.completed', 'training.abandoned', 'training.waived', 'evidence.voided')
      AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`, nil,
		func(r *warehouse.Rows) error {
			var e learning
			var data string
			if err := r.Scan(&e.id, &e.kind, &e.at, &e.person, &e.team, &data); err != nil {
				return err
			}
			if json.Unmarshal([]byte(s.revealJSON(data)), &e.learned) != nil {
				return nil // a stranger's, whose members are of other types: there is nothing to read in it
			}
			if e.person != "" {
				e.person = s.reveal(alias.person(e.person))
			}
			if e.By != "" { // who gave, excused or vouched is named as everywhere, also where another id of theirs stands
				e.By = s.canonical(alias, e.By)
			}
			events = append(events, e)
			return nil
		})
	return events, err
}

// unvoided leaves out what a voiding names, and the voidings.
func unvoided(events []learning) []learning {
	gone := map[string]bool{}
	for _, e := range events {
		if e.kind == "evidence.voided" {
			gone[e.Evidence] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(events), func(e learning) bool { return e.kind == "evidence.voided" || gone[e.id] })
}
