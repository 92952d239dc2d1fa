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

// recipient is somebody, or a group, that work is given to.
type recipient struct {
	person, team string
	rota         dashboards.TeamRota
}

// Assign gives work to people, teams and rotas that whoever gives it leads.
func (l learner) Assign(ctx context.Context, who access.Who, w dashboards.Work) (int, error) {
	defer l.turn(who)() // so that a double click finds what the first one did
	if err := l.check(ctx, who, &w); err != nil {
		return 0, err
	}
	d, err := l.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return 0, err
	}
	targets, err := l.targets(ctx, who, w, d)
	if err != nil {
		return 0, err
	}
	rows, err := l.c.Store.For(access.Operator(), "").Assignments(ctx, l.filter())
	if err != nil {
		return 0, err
	}
	rules, err := l.c.Store.For(access.Operator(), "").Rules(ctx)
	if err != nil {
		return 0, err
	}
	var events []event.Event
	var had error
	given := map[string]bool{}
	give := func(t recipient, m *training.Module) error {
		a := training.Assignment{Module: m.ID, Track: w.Track, Person: t.person, Team: t.team, By: who.By(), Due: w.Due, Reason: w.Reason, Cites: w.Cites}
		if m.Track != w.Track { // what comes first may be another's
			a.Track = ""
		}
		if t.rota.Schedule != "" {
			a.Rota, a.Within, a.Before, a.Due = t.rota.Schedule, t.rota.Team, training.FirstShift, ""
		}
		if err := l.fresh(rows, rules, t, m.ID, a.Due); err != nil {
			had = err
			return nil
		}
		e, id, err := training.Assigned(a, l.now())
		if err != nil {
			return built(err)
		}
		if !given[id] {
			given[id] = true
			events = append(events, e)
		}
		return nil
	}
	for _, t := range targets {
		for _, m := range l.lessons(w, t, d, rows) {
			for _, to := range m.to {
				if err := give(to, m.Module); err != nil {
					return 0, err
				}
			}
		}
	}
	if len(events) == 0 {
		if had == nil {
			had = wrong("module", "they know all of it already")
		}
		return 0, had
	}
	return len(events), l.publish(ctx, events...)
}

// targets decides, for each group and person named, whether they may be given work.
func (l learner) targets(ctx context.Context, who access.Who, w dashboards.Work, d *analytics.Directory) ([]recipient, error) {
	var out []recipient
	for _, p := range w.People {
		i := slices.IndexFunc(d.People, func(x analytics.Person) bool { return x.ID == p })
		var teams []string
		if i >= 0 {
			teams = d.People[i].Teams
		}
		// Whether there is such a person is told to their lead alone.
		if err := who.Gives(teams...); err != nil {
			return nil, err
		} else if i < 0 {
			return nil, wrong("for", "nobody is called so")
		}
		out = append(out, recipient{person: p})
	}
	known := func(team string) error {
		if err := who.Gives(team); err != nil {
			return err
		}
		if !slices.ContainsFunc(d.Teams, func(x analytics.Team) bool { return x.ID == team }) {
			return wrong("for", "no team is called so")
		}
		return nil
	}
	for _, t := range w.Teams {
		if err := known(t); err != nil {
			return nil, err
		}
		out = append(out, recipient{team: t})
	}
	for _, r := range w.Rotas {
		if err := known(r.Team); err != nil {
			return nil, err
		}
		if r.Schedule != training.AnyRota {
			rotas, err := l.c.Store.For(who, "").Rotas(ctx, r.Team)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(rotas, func(x analytics.Rota) bool { return x.Schedule == r.Schedule }) {
				return nil, wrong("for", "nobody of the team is on a rota called so")
			}
		}
		out = append(out, recipient{rota: r})
	}
	return out, nil
}

// lesson is a module with whom it is given to.
type lesson struct {
	*training.Module
	to []recipient
}

// lessons are what a recipient is given, in an order that keeps what modules require. One module
// is given as it was asked for. Of several, a person is not given those they know; and what
// comes first is given to those who lack it, of a team to each of them alone.
func (l learner) lessons(w dashboards.Work, t recipient, d *analytics.Directory, rows []analytics.AssignmentRow) []lesson {
	knows := func(person, module string) bool {
		return slices.ContainsFunc(rows, func(r analytics.AssignmentRow) bool {
			return r.Person == person && r.Module == module && r.Known()
		})
	}
	var out []lesson
	for _, m := range l.curriculum.Order() {
		asked := slices.Contains(w.Modules, m.ID)
		before := w.First && slices.ContainsFunc(w.Modules, func(id string) bool {
			return slices.Contains(l.curriculum.Prerequisites(id), m)
		})
		x := lesson{Module: m}
		switch {
		case !asked && !before:
		case t.person != "":
			if asked && len(w.Modules) == 1 || !knows(t.person, m.ID) {
				x.to = []recipient{t}
			}
		case asked || t.team == "": // who is to be on a rota is not known yet
			x.to = []recipient{t}
		default:
			for _, team := range d.Teams {
				for _, p := range team.Members {
					if team.ID == t.team && !knows(p, m.ID) {
						x.to = append(x.to, recipient{person: p})
					}
				}
			}
		}
		out = append(out, x)
	}
	return out
}

// fresh is nil unless a recipient has the same work, with the same last day, to do already.
func (l learner) fresh(rows []analytics.AssignmentRow, rules []analytics.Rule, t recipient, module, due string) error {
	if t.rota.Schedule != "" {
		if slices.ContainsFunc(rules, func(r analytics.Rule) bool {
			return r.Module == module && r.Rota == t.rota.Schedule && r.Team == t.rota.Team
		}) {
			return wrong("for", "it is a rule for the rota’s newcomers already")
		}
		return nil
	}
	day, _ := time.ParseInLocation(time.DateOnly, due, l.c.cfg.Zone) // checked before
	for _, r := range rows {
		same := r.Due.IsZero() && due == "" || r.Due.Equal(day.AddDate(0, 0, 1))
		switch {
		case !r.Open() || r.Module != module:
		case r.Rota != "" || !same:
		case t.team != "" && r.Team == t.team:
			return wrong("for", "the team %s has it to do already, until the same day", clip(r.Team))
		case t.person != "" && r.Team == "" && r.Person == t.person:
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
	if w.Track != "" {
		t, ok := l.curriculum.Track(w.Track)
		if !ok {
			return wrong("track", "there is none called so")
		}
		for _, m := range t.Modules {
			w.Modules = append(w.Modules, m.ID)
		}
	}
	slices.Sort(w.Modules)
	w.Modules = slices.Compact(w.Modules)
	for _, id := range w.Modules {
		if _, err := l.module(id); err != nil {
			return err
		}
	}
	switch n := len(w.People) + len(w.Teams) + len(w.Rotas); {
	case len(w.Modules) == 0:
		return wrong("module", "at least one is wanted")
	case n == 0:
		return wrong("for", "a person, a team or a rota is wanted")
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
	// In the turn of whose work it is, since they, and another lead, may act on it as well.
	defer l.turn(access.Who{Identity: access.Identity{Person: person}})()
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

// End ends a standing rule of a team whose lead asks for it.
func (l learner) End(ctx context.Context, who access.Who, assignment, module string) error {
	defer l.turn(who)()
	rules, err := l.c.Store.For(access.Operator(), "").Rules(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rules, func(r analytics.Rule) bool { return r.ID == assignment && r.Module == module })
	if i < 0 {
		if !who.IsOperator() && len(who.Heads()) == 0 { // that there is none is a lead's to know
			return who.Gives("")
		}
		return wrong("assignment", "there is no such rule")
	}
	if err := who.Gives(rules[i].Team); err != nil {
		return err
	}
	e, err := training.Waived(training.Waiver{Assignment: assignment, By: who.By(), Reason: "administrative", Note: "the rule has ended"}, l.now())
	if err != nil {
		return built(err)
	}
	return l.publish(ctx, e)
}
