package simulate

import (
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// found emits what was there before the window, in the words of a catalog that was
// connected shortly before it: it knows when things happened, but Steward learned late.
func (w *world) found() {
	for _, t := range w.teams {
		d := teamData{Team: t.id, Name: title(t.id), Parent: "engineering", Contact: "#team-" + t.id}
		at := w.start.Add(-365 * 24 * time.Hour)
		if !t.formed.IsZero() {
			at = t.formed
		}
		w.plan(at, func() { w.fact(event.TeamDescribed, t.id, at, d) })
		for _, m := range t.members {
			w.plan(m.from, func() {
				w.fact(event.MemberJoined, t.id+"/"+m.person.id, m.from, memberData{Team: t.id, Person: m.person.id, Role: m.role})
			})
			if !m.to.IsZero() {
				w.plan(m.to, func() {
					w.fact(event.MemberLeft, t.id+"/"+m.person.id, m.to, memberData{Team: t.id, Person: m.person.id})
				})
			}
		}
	}
	for i, p := range w.people {
		at := w.start.Add(-w.days(20, 60))
		if i%15 == 4 {
			at = w.start.Add(w.days(10, 40)) // described only after the first pages
		}
		w.plan(at, func() {
			w.fact(event.PersonDescribed, p.id, at, personData{Person: p.id, Name: p.name, TimeZone: p.zoneName,
				WorkingHours: p.hours, Holidays: p.holidays, Aliases: p.aliases, Manager: p.manager})
		})
	}
	for _, s := range w.services {
		w.foundService(s)
	}
	for _, t := range w.teams {
		at := w.start.Add(-w.days(20, 200))
		switch {
		case !t.formed.IsZero():
			at = t.formed.Add(time.Hour)
		case t.index%peculiarities == 5:
			at = w.start.Add(w.days(15, 30))
		}
		if t.peculiar != withoutOnCall {
			w.plan(at, func() { w.publish(t, at) })
		}
	}
	w.changes.apply(w.start)
}

func (w *world) foundService(s *service) {
	if s.owner != nil {
		owner, at := s.owner, w.start.Add(-w.days(30, 800))
		if s.index%11 == lateOwner {
			at = w.start.Add(w.days(15, 40))
		}
		w.plan(at, func() { w.own(s, owner, at) })
	}
	at := w.start.Add(-w.days(20, 300))
	if s.index%9 == lateDescribed {
		at = w.start.Add(w.days(12, 45))
	}
	w.plan(at, func() { w.describe(s, at) })
	if s.index%17 == deprecated {
		at := w.after(0.55, 0.75)
		w.plan(at, func() { s.lifecycle = "deprecated"; w.describe(s, at) })
	}
}
