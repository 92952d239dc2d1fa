package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/training"
)

// Theory of operation of taps and of walking along
//
//  1. A tap says one thing: a verdict, or whether it made sense, or a note. What its giver said
//     of the same page before is taken along, so that each event is all that they say.
//  2. A verdict on an incident is one on all its pages; who may give it is asked of the pages
//     that the asker reads. Of others nothing is told, not even that there are any.
//  3. A walk is planned beside a shift that stands in the rota, at its time. It makes nobody
//     on call. It is called off by saying that it ends at its start.

// shadower makes events of reviews and of walks.
type shadower struct{ learner }

// longestNote bounds what is written beside a verdict, in characters.
const longestNote = 500

// reviewable is how far back pages can be reviewed one by one.
const reviewable = 400 * 24 * time.Hour

// Review keeps a tap.
func (s shadower) Review(ctx context.Context, who access.Who, t dashboards.Tap) error {
	switch {
	case t.Page == "" && t.Incident == "":
		return wrong("page", "missing: a verdict on what?")
	case t.Verdict == "" && t.MadeSense == nil && t.Note == "":
		return wrong("verdict", "missing: choose one")
	case len([]rune(t.Note)) > longestNote:
		return wrong("note", "at most %d characters", longestNote)
	}
	if err := who.Reviews(who.Person, nil, nil); err != nil { // whoever is a person
		return err
	}
	defer s.turn(who)()
	now := s.now()
	view := s.c.Store.For(who, "a page to review")
	f := analytics.ReviewFilter{Page: t.Page, Incident: t.Incident, From: now.Add(-reviewable), To: now.Add(time.Millisecond)}
	if t.Incident != "" { // its pages are not looked for in a year of others
		switch inc, err := view.Incident(ctx, t.Incident); {
		case errors.Is(err, analytics.ErrNotFound):
			return who.Reviews("", nil, nil)
		case err != nil:
			return err
		case len(inc.Events) > 0:
			f.From = inc.Events[0].At
		}
	}
	rows, err := view.Reviews(ctx, f)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(r analytics.PageRow) bool { return !r.May })
	if len(rows) == 0 {
		return who.Reviews("", nil, nil) // whoever may not: as if there were none
	}
	row := rows[0]
	r := training.Review{Page: t.Page, Incident: row.Incident, By: who.By(), Verdict: t.Verdict, MadeSense: t.MadeSense, Note: t.Note}
	if own := row.Own; own != nil {
		if r.MadeSense == nil {
			r.MadeSense = own.MadeSense
		}
		if r.Verdict == "" {
			r.Verdict = own.Verdict
		}
		if r.Note == "" {
			r.Note = own.Note
		}
	}
	if r.Verdict == "" && row.Verdict != nil {
		r.Verdict = row.Verdict.Verdict
	}
	if r.Verdict == "" {
		return wrong("verdict", "missing: say first what it turned out to be")
	}
	if !slices.ContainsFunc(rows, func(x analytics.PageRow) bool { return !stands(x, r) }) {
		return nil // a second click
	}
	e, err := training.Reviewed(r, now)
	if err != nil {
		return built(err)
	}
	return s.publish(ctx, e)
}

// stands says whether a page's verdict is this one already: its giver's latest, and nobody's since.
func stands(x analytics.PageRow, r training.Review) bool {
	own, now := x.Own, x.Verdict
	return own != nil && now != nil && now.By == own.By && now.At.Equal(own.At) && own.Verdict == r.Verdict && own.Note == r.Note &&
		(own.MadeSense == nil) == (r.MadeSense == nil) && (r.MadeSense == nil || *own.MadeSense == *r.MadeSense)
}

// Walk plans a shift for a newcomer beside a host's.
func (s shadower) Walk(ctx context.Context, who access.Who, w dashboards.Walk) error {
	if w.Role != analytics.RoleShadow && w.Role != analytics.RoleReverse {
		return wrong("role", "looking on, or being on call with a host behind")
	}
	defer s.turn(who)()
	teams, err := s.planned(ctx, who, w.Person)
	if err != nil {
		return err
	}
	now := s.now().UTC().Truncate(time.Millisecond)
	var host *analytics.ShiftRow
	var own []analytics.ShiftRow
	for _, t := range teams {
		rows, err := s.c.Store.For(access.Operator(), "").Rota(ctx, t)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Person == w.Person {
				own = append(own, r)
			} else if !r.Walks() && dashboards.HostKey(r) == w.Host {
				host = &r
			}
		}
	}
	if host == nil {
		return wrong("host", "there is no such shift of a team-mate to come")
	}
	start := host.Start
	if start.Before(now) {
		start = now
	}
	for _, r := range own {
		if !r.Start.Before(host.End) || !start.Before(r.End) {
			continue
		}
		if r.Walks() {
			return wrong("host", "they walk along then already, from %s on", r.Start.In(s.c.cfg.Zone).Format("2 Jan 15:04"))
		}
		return wrong("host", "they are on call themselves then, from %s on", r.Start.In(s.c.cfg.Zone).Format("2 Jan 15:04"))
	}
	e, err := training.Walks(training.Walk{Schedule: host.Schedule, Level: host.Level, Person: w.Person, Reverse: w.Role == analytics.RoleReverse, Start: start, End: host.End}, now)
	if err != nil {
		return built(err)
	}
	return s.publish(ctx, e)
}

// planned are the teams of a person whose walks the asker plans.
func (s shadower) planned(ctx context.Context, who access.Who, person string) ([]string, error) {
	d, err := s.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.People, func(p analytics.Person) bool { return p.ID == person })
	if i < 0 { // whether there is such a person is told to their lead alone
		if err := who.Plans("", nil); err != nil {
			return nil, err
		}
		return nil, wrong("person", "nobody is called so")
	}
	return d.People[i].Teams, who.Plans(person, d.People[i].Teams)
}

// CallOff ends a walk that is to come at its start, and one that runs now.
func (s shadower) CallOff(ctx context.Context, who access.Who, person, shift string) error {
	defer s.turn(who)()
	if _, err := s.planned(ctx, who, person); err != nil {
		return err
	}
	far, err := s.c.Store.For(access.Operator(), "").Readiness(ctx, analytics.ReadinessFilter{Person: person})
	if err != nil {
		return err
	}
	for _, r := range far {
		for _, x := range r.Coming {
			if x.ID != shift {
				continue
			}
			e, err := training.CalledOff(training.Walk{Shift: x.ID, Schedule: x.Schedule, Level: x.Level, Person: person, Reverse: x.Role == analytics.RoleReverse, Start: x.Start, End: x.End}, s.now().UTC().Truncate(time.Millisecond))
			if err != nil {
				return built(err)
			}
			return s.publish(ctx, e)
		}
	}
	return wrong("shift", "%s has none such to come", strings.TrimSpace(clip(person)))
}
