package analytics

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/recall"
)

// What a question can be made of is read from an incident here: the asker's own view of its
// events, the directory of now, and for whom was brought in the memberships of then.

// questions are those of an incident; none if it is not of a team the asker is in.
func (p *pastOf) questions(ctx context.Context, id string) ([]recall.Question, error) {
	inc, err := p.v.Incident(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case inc.Merged || inc.Drill || inc.Resolved.IsZero() || !p.v.who.InTeam(inc.OwnerThen) && !p.v.who.InTeam(inc.OwnerNow):
		return nil, nil
	}
	rows, err := p.incidents(ctx)
	if err != nil {
		return nil, err
	}
	c := recall.Case{Incident: inc.ID, Title: newScrubber(p.d, access.Who{}).words(inc.Title), Owner: inc.OwnerThen, AlertClass: inc.AlertClass, Opened: inc.Opened, Resolved: inc.Resolved}
	service := map[string]string{}
	for _, s := range p.d.Services {
		service[s.ID] = cmp.Or(s.Name, s.ID)
		c.Services = append(c.Services, recall.Named{ID: s.ID, Name: service[s.ID]})
	}
	owner := map[string]bool{}
	for _, s := range p.d.Services {
		owner[s.ID] = s.Owner == inc.OwnerThen
	}
	near := func(close func(string) bool) func(a, b recall.Named) int {
		return func(a, b recall.Named) int {
			return cmp.Or(boolean(close(b.ID))-boolean(close(a.ID)), cmp.Compare(recall.Rank(id, recall.Week{}, a.ID), recall.Rank(id, recall.Week{}, b.ID)))
		}
	}
	slices.SortFunc(c.Services, near(func(s string) bool { return owner[s] }))
	for _, t := range p.d.Teams {
		c.Teams = append(c.Teams, recall.Named{ID: t.ID, Name: cmp.Or(t.Name, t.ID)})
	}
	slices.SortFunc(c.Teams, near(func(string) bool { return false }))
	for _, r := range rows {
		if r.AlertClass != "" && !slices.Contains(c.Classes, r.AlertClass) {
			c.Classes = append(c.Classes, r.AlertClass)
		}
	}
	slices.SortFunc(c.Classes, func(a, b string) int {
		return cmp.Compare(recall.Rank(id, recall.Week{}, a), recall.Rank(id, recall.Week{}, b))
	})
	name := func(s string) recall.Named { return recall.Named{ID: s, Name: cmp.Or(service[s], s)} }
	c.Service = name(inc.Service)
	if inc.Service != "" && inc.AlertClass != "" {
		before, err := p.v.Incidents(ctx, IncidentFilter{Service: []string{inc.Service}, From: inc.Opened.AddDate(0, 0, -30), To: inc.Opened, Limit: 10000})
		if err != nil {
			return nil, err
		}
		c.BeforeKnown = true
		for _, r := range before {
			c.Before += boolean(r.AlertClass == inc.AlertClass)
		}
	}
	first := ""
	if c.Steps, first, err = p.steps(ctx, inc); err != nil {
		return nil, err
	}
	c.First = name(cmp.Or(first, inc.Service))
	return recall.Ask(c), nil
}

func boolean(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// steps are what people did up to the last resolution, and the service it was filed under.
func (p *pastOf) steps(ctx context.Context, inc *Incident) (steps []recall.Step, first string, err error) {
	alias, err := p.v.s.aliasesNow(ctx)
	if err != nil {
		return nil, "", err
	}
	moves, _, err := p.v.s.movesAndServices(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, e := range inc.Events {
		if e.Kind == "incident.opened" {
			first = cmp.Or(first, e.Service)
		}
		if e.At.After(inc.Resolved) || e.Actor == "service" || e.Actor == "unknown" {
			continue
		}
		var data struct {
			Cause, Severity, Priority, Service, Person string
			To                                         any
		}
		if json.Unmarshal([]byte(e.Data), &data) != nil { // whose members are of other types
			continue
		}
		step := recall.Step{At: e.At}
		bring := func(targets ...string) {
			step.Kind = recall.BringIn
			for _, t := range targets {
				if step.Team == "" {
					step.Team = p.teamOf(t, inc.OwnerThen, e.At, alias, moves)
				}
			}
		}
		switch e.Kind {
		case "incident.acknowledged":
			step.Kind = recall.Acknowledge
		case "incident.escalated":
			if data.Cause != "manual" {
				continue
			}
			bring(targetsOf(data.To)...)
		case "incident.reassigned":
			bring(targetsOf(data.To)...)
		case "responder.requested":
			bring("person:" + data.Person)
		case "incident.updated":
			switch {
			case data.Service != "":
				step.Kind = recall.Move
			case data.Severity != "" || data.Priority != "":
				step.Kind = recall.Regrade
			default:
				continue
			}
		case "incident.noted":
			step.Kind = recall.Note
		case "incident.resolved":
			step.Kind = recall.Resolve
		default:
			continue
		}
		steps = append(steps, step)
	}
	return steps, first, nil
}

func targetsOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// teamOf is the team behind a target at a moment: of a person the owner if they were in it,
// else the first of theirs; nothing for a policy.
func (p *pastOf) teamOf(target, owner string, at time.Time, alias aliases, moves []move) string {
	kind, id, ok := strings.Cut(target, ":")
	switch {
	case ok && kind == "team":
		return id
	case !ok || kind != "person":
		return ""
	}
	var members []string
	for _, stored := range p.v.s.stored([]string{id}) {
		members = append(members, alias.person(stored))
	}
	var in []string
	assumed := ""
	for _, m := range moves {
		switch {
		case !slices.Contains(members, m.member):
		case m.in && assumed == "":
			assumed = m.team
			fallthrough
		case m.in:
			if !m.at.After(at) {
				in = append(in, m.team)
			}
		case !m.at.After(at):
			in = slices.DeleteFunc(in, func(t string) bool { return t == m.team })
		}
	}
	slices.Sort(in)
	switch {
	case slices.Contains(in, owner):
		return owner
	case len(in) > 0:
		return in[0]
	}
	return assumed
}
