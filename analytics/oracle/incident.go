package oracle

import (
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// incident is one incident as of as_of.
type incident struct {
	id    string
	facts []fact // all that make it, in order

	opened       time.Time
	assumed      bool   // no opening was ever seen
	source       string // of the event it was opened by
	resolution   *fact  // nil: open
	auto         bool
	reopened     bool
	merged       bool
	drill        bool
	firstPage    *fact  // nil: nobody was paged
	service      string // as of as_of, like the four that follow
	urgency      string
	priority     string
	severity     string
	alertClass   string
	firstService string // the service at the first page, by which ownership goes
}

// allIncidents assembles every incident that exists, drills too, by id.
func (q *question) allIncidents() map[string]incident {
	out := map[string]incident{}
	for id, facts := range q.about {
		out[id] = q.assemble(id, facts)
	}
	return out
}

func (q *question) assemble(id string, facts []fact) incident {
	i := incident{id: id, facts: facts}
	opening := opening(facts)
	i.opened, i.source, i.assumed = opening.At, opening.Source, opening.Kind != event.IncidentOpened
	i.resolution = resolution(facts)
	i.auto = i.resolution != nil && automatic(*i.resolution)
	for _, f := range facts {
		switch f.Kind {
		case event.IncidentReopened:
			i.reopened = true
		case event.IncidentMerged:
			i.merged = true
		case event.IncidentOpened: // any opening that says drill makes it one
			i.drill = i.drill || f.f.Drill != nil && *f.f.Drill
		}
	}
	i.firstPage = firstPage(facts)
	i.service = latest(facts, func(f event.Fields) string { return f.Service })
	i.urgency = latest(facts, func(f event.Fields) string { return f.Urgency })
	i.priority = latest(facts, func(f event.Fields) string { return f.Priority })
	i.severity = latest(facts, func(f event.Fields) string { return f.Severity })
	i.alertClass = latest(facts, func(f event.Fields) string { return f.AlertClass })
	i.firstService = serviceAt(facts, i.ownedAt())
	return i
}

// opening is the earliest incident.opened; without any, the earliest event stands in.
func opening(facts []fact) fact {
	for _, f := range facts {
		if f.Kind == event.IncidentOpened {
			return f
		}
	}
	return facts[0]
}

// resolution is the last incident.resolved, unless a reopening follows it.
func resolution(facts []fact) *fact {
	for _, f := range slices.Backward(facts) {
		switch f.Kind {
		case event.IncidentResolved:
			return &f
		case event.IncidentReopened:
			return nil
		}
	}
	return nil
}

// automatic: a resolution that says auto, or was made by anything but a user.
func automatic(f fact) bool {
	return f.f.Auto != nil && *f.f.Auto || f.f.Actor() != "user"
}

// firstPage is the earliest page to a person by a channel other than e-mail and chat,
// delivered or not.
func firstPage(facts []fact) *fact {
	for _, f := range facts {
		if f.Kind == event.PageSent && f.f.Person != "" && f.f.Channel != "email" && f.f.Channel != "chat" {
			return &f
		}
	}
	return nil
}

// latest is the last value of an incident's attribute that is not empty. Only incident.*
// events speak of the incident; a page's urgency is the page's own.
func latest(facts []fact, attribute func(event.Fields) string) string {
	for _, f := range slices.Backward(facts) {
		if v := attribute(f.f); v != "" && onIncident(f) {
			return v
		}
	}
	return ""
}

// serviceAt is the service known at t, the latest stated by then; if none was, the first
// one stated later stands for it.
func serviceAt(facts []fact, t time.Time) string {
	service := func(f event.Fields) string { return f.Service }
	past := upTo(facts, t)
	if s := latest(past, service); s != "" {
		return s
	}
	for _, f := range facts[len(past):] {
		if onIncident(f) && f.f.Service != "" {
			return f.f.Service
		}
	}
	return ""
}

// ownedAt is the moment by which an incident's ownership is judged: its first page, else
// its opening.
func (i incident) ownedAt() time.Time {
	if i.firstPage != nil {
		return i.firstPage.At
	}
	return i.opened
}

// humanActions are what people did about an incident: incident.* events other than
// openings by a user who is named, and accepted requests; nothing after the last
// resolution, if the incident is resolved.
func (i incident) humanActions() []fact {
	var out []fact
	for _, f := range i.facts {
		if i.resolution != nil && earlier(f, *i.resolution) > 0 {
			break
		}
		byUser := onIncident(f) && f.Kind != event.IncidentOpened && f.f.Actor() == "user" && f.f.Person != ""
		accepted := f.Kind == event.ResponderResponded && f.f.State == "accepted"
		if byUser || accepted {
			out = append(out, f)
		}
	}
	return out
}

// ownerThen is the owner of the first page's service at the first page, else the opening.
func (q *question) ownerThen(i incident) (team string, assumed bool) {
	return q.owner(i.firstService, i.ownedAt())
}

// resolverTeam is the team, at that action, of the last person to act: a user who made the
// last resolution is that person, since nothing after it counts.
func (q *question) resolverTeam(i incident) (team string, assumed bool) {
	acts := i.humanActions()
	if len(acts) == 0 {
		return "", false
	}
	owner, _ := q.ownerThen(i)
	last := acts[len(acts)-1]
	return q.teamOf(q.who(last.f.Person), last.At, owner)
}

// opensUnit: an incident opens a new unit of load when no other of the same service and
// alert class opened in the 30 minutes, inclusive, before it. Of two at one instant the
// smaller id is first. Without an alert class each is its own.
func opensUnit(i incident, all map[string]incident) bool {
	if i.alertClass == "" {
		return true
	}
	for _, o := range all {
		if o.id == i.id || o.drill || o.service != i.service || o.alertClass != i.alertClass {
			continue
		}
		gap := i.opened.Sub(o.opened)
		if gap > 0 && gap <= 30*time.Minute || gap == 0 && o.id < i.id {
			return false
		}
	}
	return true
}
