package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training"
)

// Bounds of what the form of an assignment may carry.
const (
	longestReason = 500 // characters
	mostWork      = 100 // people and teams
	mostCites     = 20
)

// Assign gives work to people and teams that whoever gives it leads.
func (l learner) Assign(ctx context.Context, who access.Who, w dashboards.Work) error {
	if _, err := l.module(w.Module); err != nil {
		return err
	}
	defer l.turn(who)() // so that a double click finds what the first one did
	if err := l.check(ctx, who, &w); err != nil {
		return err
	}
	d, err := l.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return err
	}
	var events []event.Event
	give := func(a training.Assignment) error {
		a.Module, a.By, a.Due, a.Reason, a.Cites = w.Module, who.By(), w.Due, w.Reason, w.Cites
		e, _, err := training.Assigned(a, l.now())
		if err != nil {
			return built(err)
		}
		events = append(events, e)
		return nil
	}
	for _, p := range w.People {
		i := slices.IndexFunc(d.People, func(x analytics.Person) bool { return x.ID == p })
		var teams []string
		if i >= 0 {
			teams = d.People[i].Teams
		}
		// Whether there is such a person is told to their lead alone.
		if err := who.Gives(teams...); err != nil || i < 0 {
			if err == nil {
				err = wrong("for", "nobody is called so")
			}
			return err
		}
		if err := give(training.Assignment{Person: p}); err != nil {
			return err
		}
	}
	for _, t := range w.Teams {
		if err := who.Gives(t); err != nil {
			return err
		}
		if !slices.ContainsFunc(d.Teams, func(x analytics.Team) bool { return x.ID == t }) {
			return wrong("for", "no team is called so")
		}
		if err := give(training.Assignment{Team: t}); err != nil {
			return err
		}
	}
	if err := l.fresh(ctx, w); err != nil {
		return err
	}
	return l.publish(ctx, events...)
}

// fresh is nil if nobody has the same work, with the same last day, to do already.
func (l learner) fresh(ctx context.Context, w dashboards.Work) error {
	f := l.filter()
	f.Module = w.Module
	rows, err := l.c.Store.For(access.Operator(), "").Assignments(ctx, f)
	if err != nil {
		return err
	}
	day, _ := time.ParseInLocation(time.DateOnly, w.Due, l.c.cfg.Zone) // checked before
	for _, r := range rows {
		same := r.Due.IsZero() && w.Due == "" || r.Due.Equal(day.AddDate(0, 0, 1))
		switch {
		case !r.Open() || !same:
		case r.Team != "" && slices.Contains(w.Teams, r.Team):
			return wrong("for", "the team %s has it to do already, until the same day", clip(r.Team))
		case r.Team == "" && slices.Contains(w.People, r.Person):
			return wrong("for", "%s has it to do already, until the same day", clip(r.Person))
		}
	}
	return nil
}

// check reads what a form says besides to whom, and puts it into its form.
func (l learner) check(ctx context.Context, who access.Who, w *dashboards.Work) error {
	slices.Sort(w.People)
	slices.Sort(w.Teams)
	w.People, w.Teams = slices.Compact(w.People), slices.Compact(w.Teams)
	switch n := len(w.People) + len(w.Teams); {
	case n == 0:
		return wrong("for", "a person or a team is wanted")
	case n > mostWork:
		return wrong("for", "at most %d at a time", mostWork)
	case len([]rune(w.Reason)) > longestReason:
		return wrong("reason", "at most %d characters", longestReason)
	case len(w.Cites) > mostCites:
		return wrong("cites", "at most %d incidents", mostCites)
	}
	if w.Due != "" {
		day, err := time.ParseInLocation(time.DateOnly, w.Due, l.c.cfg.Zone)
		switch {
		case err != nil:
			return wrong("due", "must be a date like 2026-03-29")
		case !day.AddDate(0, 0, 1).After(l.now()):
			return wrong("due", "is in the past")
		case day.After(l.now().AddDate(5, 0, 0)):
			return wrong("due", "is more than five years away")
		}
	}
	for _, id := range w.Cites {
		if _, err := l.c.Store.For(who, "a cited incident").Incident(ctx, id); errors.Is(err, analytics.ErrNotFound) {
			return wrong("cites", "there is no incident %q", clip(id))
		} else if err != nil {
			return err
		}
	}
	return nil
}

func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

// Waive excuses a person whose lead asks for it.
func (l learner) Waive(ctx context.Context, who access.Who, assignment, module, person, reason string) error {
	m, err := l.module(module)
	if err != nil {
		return err
	}
	d, err := l.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return err
	}
	var teams []string
	for _, p := range d.People {
		if p.ID == person {
			teams = p.Teams
		}
	}
	if err := who.Gives(teams...); err != nil {
		return err
	}
	f := l.filter()
	f.Person, f.Module = []string{person}, m.ID
	rows, err := l.c.Store.For(access.Operator(), "").Assignments(ctx, f)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r analytics.AssignmentRow) bool { return r.ID == assignment })
	switch {
	case i < 0:
		return wrong("assignment", "there is none such")
	case rows[i].State == analytics.StateCompleted || rows[i].State == analytics.StateWaived:
		return wrong("assignment", "it is %s already", rows[i].State)
	}
	e, err := training.Waived(training.Waiver{Assignment: assignment, Module: m.ID, Person: person, By: who.By(), Reason: reason}, l.now())
	if err != nil {
		return built(err)
	}
	return l.publish(ctx, e)
}
