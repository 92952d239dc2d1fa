package oracle

import (
	"github.com/stewardhq/steward/ingest/event"
)

// pageSubject reads a page for selection, at the page's own moment. Service, priority,
// severity and alert class are its incident's, the urgency its own, else the incident's;
// source and level are its own. A page.unanswered is read the same way: it has no person.
func (q *question) pageSubject(f fact, all map[string]incident) subject {
	i := all[f.f.Incident] // the zero incident for a page without one
	s := subject{
		at: f.At, service: i.service, priority: i.priority, severity: i.severity, alertClass: i.alertClass,
		urgency: i.urgency, source: f.Source, level: levelText(f.f.Level),
	}
	if f.Kind == event.PageSent {
		s.person = q.who(f.f.Person)
		s.urgency = or(f.f.Urgency, i.urgency)
	}
	owner, assumedOwner := q.owner(i.firstService, f.At)
	switch q.Lens {
	case "owner_then": // the owner, at the page, of the service at the incident's first page
		s.team, s.doubts.owner = owner, assumedOwner
	case "owner_now":
		s.team, _ = q.owner(i.firstService, q.AsOf)
	case "responder_team":
		s.team, s.doubts.team = q.teamOf(s.person, f.At, owner)
	}
	var d description
	if s.person != "" {
		var assumed bool
		d, assumed = q.describe(s.person, f.At)
		s.doubts.zone = assumed && d.zone != ""
	}
	s.hourClass = q.hourClass(d, f.At)
	return s
}

// pages counts page.sent events, and page.unanswered ones beside them.
func (q *question) pages() Result {
	type counts struct {
		pages, interrupting, unanswered int64
		people                          map[string]bool
	}
	rows, assumed, all := map[rowKey]*counts{}, map[string]uint64{}, q.allIncidents()
	for _, f := range q.facts {
		if f.Kind != event.PageSent && f.Kind != event.PageUnanswered || all[f.f.Incident].drill {
			continue
		}
		s := q.pageSubject(f, all)
		if !q.selects(s) {
			continue
		}
		c := at(rows, q.row(s))
		if c.people == nil {
			c.people = map[string]bool{}
		}
		if f.Kind == event.PageUnanswered {
			c.unanswered++
		} else {
			c.pages++
			c.interrupting += one(interrupting(f))
		}
		if s.person != "" {
			c.people[s.person] = true
		}
		q.count(assumed, s.doubts, doubts{})
	}
	res := table([]string{"pages", "people", "interrupting", "unanswered"}, rows, func(c *counts) []any {
		return []any{c.pages, int64(len(c.people)), c.interrupting, c.unanswered}
	})
	res.Assumed = assumed
	return res
}

// interrupting: a push, a text or a call that is not known to have failed.
func interrupting(f fact) bool {
	switch f.f.Channel {
	case "push", "sms", "phone":
		return f.f.Delivered == nil || *f.f.Delivered
	}
	return false
}
