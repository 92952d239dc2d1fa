package app

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training"
)

// learner makes events of what people do about learning.
//
// Theory of operation
//
//  1. Every act is decided here, whatever the page offered: who may is package access's to
//     say, how far somebody is the log's.
//  2. One's own rows are read as oneself, so nothing here can tell anybody more than their
//     own page does. Where people are and whether they are of a team is read for itself.
//  3. The acts of one person come one after the other, or two answers at once would be one
//     attempt.
type learner struct {
	c          *Core
	curriculum *training.Curriculum
	turns      *[64]sync.Mutex
}

func newLearner(c *Core, curriculum *training.Curriculum) learner {
	return learner{c, curriculum, new([64]sync.Mutex)}
}

// longestRef bounds evidence that is handed in, in bytes.
const longestRef = 2000

func (l learner) Curriculum() *training.Curriculum { return l.curriculum }

// turn waits for a person's turn; its result ends it.
func (l learner) turn(who access.Who) func() {
	h := fnv.New32a()
	_, _ = h.Write([]byte(who.Person))
	m := &l.turns[h.Sum32()%uint32(len(l.turns))]
	m.Lock()
	return m.Unlock
}

func wrong(field, format string, args ...any) error {
	return &dashboards.LearnError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// built turns a builder's complaint, "field: reason", into the form's.
func built(err error) error {
	if field, reason, ok := strings.Cut(err.Error(), ": "); ok && !strings.Contains(field, " ") {
		return wrong(field, "%s", reason)
	}
	return err
}

// publish keeps events and waits a moment until the next page shows them.
func (l learner) publish(ctx context.Context, events ...event.Event) error {
	if err := l.c.Publisher.Publish(ctx, events...); err != nil {
		return err
	}
	if l.c.Sink == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := l.c.Sink.Drain(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func (l learner) now() time.Time { return l.c.cfg.Now() }

func (l learner) module(id string) (*training.Module, error) {
	m, ok := l.curriculum.Module(id)
	if !ok {
		return nil, wrong("module", "there is none called so")
	}
	return m, nil
}

func (l learner) filter() analytics.AssignmentFilter {
	f := analytics.AssignmentFilter{Tracks: map[string][]string{}}
	for _, t := range l.curriculum.Tracks {
		for _, m := range t.Modules {
			f.Tracks[t.ID] = append(f.Tracks[t.ID], m.ID)
		}
	}
	return f
}

// own are the rows of who asks.
func (l learner) own(ctx context.Context, who access.Who) ([]analytics.AssignmentRow, error) {
	if err := who.Learns(); err != nil {
		return nil, err
	}
	f := l.filter()
	f.Own = true
	return l.c.Store.For(who, "").Assignments(ctx, f)
}

// mine is one's own row of an assignment, which must be open, and all of one's own.
func (l learner) mine(ctx context.Context, who access.Who, assignment, module string) (analytics.AssignmentRow, []analytics.AssignmentRow, error) {
	rows, err := l.own(ctx, who)
	if err != nil {
		return analytics.AssignmentRow{}, nil, err
	}
	for _, r := range rows {
		if r.ID != assignment || r.Module != module {
			continue
		}
		if !r.Open() {
			return r, rows, wrong("assignment", "it is %s already", r.State)
		}
		return r, rows, nil
	}
	return analytics.AssignmentRow{}, rows, wrong("assignment", "you have none such")
}

func (l learner) enrolment(who access.Who, assignment string, m *training.Module) training.Enrolment {
	return training.Enrolment{Assignment: assignment, Module: m.ID, Version: m.Version, Person: who.Person}
}

// Start begins a module. Without an assignment that is open it is one's own choice, which is
// an assignment by oneself.
func (l learner) Start(ctx context.Context, who access.Who, module string) error {
	m, err := l.module(module)
	if err != nil {
		return err
	}
	defer l.turn(who)()
	rows, err := l.own(ctx, who)
	if err != nil {
		return err
	}
	if before := dashboards.Missing(l.curriculum, m, rows); len(before) > 0 {
		var names []string
		for _, b := range before {
			names = append(names, b.ID+" "+b.Title)
		}
		return wrong("prerequisites", "first comes %s: pass its quiz, or have it waived by your lead", strings.Join(names, ", then "))
	}
	var events []event.Event
	r, found := dashboards.Current(rows, m.ID)
	switch {
	case found && r.Open() && !r.Started.IsZero():
		return nil // a second click
	case !found || !r.Open() && r.State != analytics.StateAbandoned:
		e, id, err := training.Assigned(training.Assignment{Module: m.ID, Person: who.Person, By: who.Person, Reason: "own choice"}, l.now())
		if err != nil {
			return built(err)
		}
		events, r.ID = append(events, e), id
	}
	e, err := training.Started(l.enrolment(who, r.ID, m), l.now())
	if err != nil {
		return built(err)
	}
	return l.publish(ctx, append(events, e)...)
}

// Answer marks an attempt and keeps what came of it.
func (l learner) Answer(ctx context.Context, who access.Who, a training.Attempt) (training.Marked, error) {
	m, err := l.module(a.Module)
	if err != nil {
		return training.Marked{}, err
	}
	defer l.turn(who)()
	r, rows, err := l.mine(ctx, who, a.Assignment, a.Module)
	if err != nil {
		return training.Marked{}, err
	}
	a.Person, a.At = who.Person, l.now()
	number, from, ok := dashboards.NextTry(r)
	switch {
	case r.Started.IsZero():
		return training.Marked{}, wrong("assignment", "start the module first")
	case !ok:
		return training.Marked{}, wrong("number", "the quiz is passed already")
	case a.Number != number:
		return training.Marked{}, wrong("number", "this attempt was handed in already; the next is number %d", number)
	case a.At.Before(from):
		return training.Marked{}, wrong("number", "the next attempt may be handed in from %s on; the pause is for reading again", from.In(l.c.cfg.Zone).Format("15:04"))
	}
	marked, err := a.Mark(m)
	if err != nil {
		var bad *training.AttemptError
		if errors.As(err, &bad) {
			return training.Marked{}, wrong(bad.Field, "%s", bad.Reason)
		}
		return training.Marked{}, err
	}
	events, err := training.Answered(l.enrolment(who, r.ID, m), a, marked)
	if err != nil {
		return training.Marked{}, err
	}
	if !marked.Passed {
		return marked, l.publish(ctx, events...)
	}
	if again := l.renewed(rows, r, m, a.At); len(again) > 0 {
		return marked, l.publish(ctx, append(events, again...)...)
	}
	if err := l.publish(ctx, events...); err != nil {
		return training.Marked{}, err
	}
	r.Passed = a.At
	_, err = l.byDrill(ctx, who, rows, m, r, nil)
	return marked, err
}

// Abandon ends one's own work on a module before its end.
func (l learner) Abandon(ctx context.Context, who access.Who, assignment, module string) error {
	m, err := l.module(module)
	if err != nil {
		return err
	}
	defer l.turn(who)()
	r, _, err := l.mine(ctx, who, assignment, module)
	if err != nil {
		return err
	}
	e, err := training.Abandoned(l.enrolment(who, r.ID, m), l.now())
	if err != nil {
		return built(err)
	}
	return l.publish(ctx, e)
}
