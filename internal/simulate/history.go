package simulate

import (
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// reorganise decides, on one day, which services will change hands, and lets the stories
// that every history has begin on their day.
func (w *world) reorganise(day time.Time) {
	for range w.poisson(0.0006 * float64(len(w.services))) {
		s := w.services[w.pick(len(w.services))]
		to := w.teams[w.pick(len(w.teams))]
		at := workday(day.Add(time.Duration(w.between(9*60, 16*60)) * time.Minute))
		if day.Before(w.start.Add(45*24*time.Hour)) || s.owner == nil || s.owner == to ||
			!to.formed.IsZero() && at.Before(to.formed) || w.hasStory(s) {
			continue
		}
		w.plan(at, func() { w.handOver(s, to, at, w.days(3, 45)) })
	}
	if day.Equal(w.start) {
		w.stories()
	}
}

// hasStory says that a service's moves are scripted, so chance leaves it alone.
func (w *world) hasStory(s *service) bool {
	return s.index%40 == neverOwned || s.index%40 == abandoned || w.teams[s.index%len(w.teams)].peculiar == formedLater
}

// stories are the moves that pages are to show in any history: services that go to a
// newly formed team, and one that nobody owned for a while.
func (w *world) stories() {
	for _, s := range w.services {
		switch home := w.teams[s.index%len(w.teams)]; {
		case s.index%40 == neverOwned:
		case home.peculiar == formedLater:
			at := workday(home.formed.Add(w.days(0, 12)).Truncate(24 * time.Hour).Add(w.seconds(10*3600, 16*3600)))
			w.plan(at, func() { w.handOver(s, home, at, w.days(1, 30)) })
		case s.index%40 == abandoned:
			left := w.after(0.28, 0.34)
			adopted := workday(left.Add(time.Duration(w.cfg.Days/4) * 24 * time.Hour))
			to := w.teams[(s.index+3)%len(w.teams)]
			if !to.formed.IsZero() {
				to = w.teams[0]
			}
			w.plan(left, func() { w.own(s, nil, left) })
			w.plan(adopted, func() { w.handOver(s, to, adopted, w.days(2, 20)) })
		}
	}
}

// handOver gives a service to a team. Paging follows only after lag: until then the former
// team is woken for a service that is no longer its own, which is what "misrouted" shows.
func (w *world) handOver(s *service, to *team, at time.Time, lag time.Duration) {
	if to == s.owner {
		return
	}
	if s.owner != nil {
		s.previous = s.owner
	}
	s.movedAt = at
	w.own(s, to, at)
	old, next := s.routed, to
	if to.peculiar == withoutOnCall {
		next = w.platform(s)
	}
	if next == old {
		return
	}
	then := at.Add(lag)
	w.plan(then, func() {
		if s.owner != to {
			return // it went on before paging was changed
		}
		s.route(next)
		w.publish(old, then)
		w.publish(next, then.Add(time.Minute))
	})
}

// route makes t the team that is paged for s. Teams keep their own lists, so that a
// change costs a team's services and not the organisation's.
func (s *service) route(t *team) {
	if s.routed != nil {
		s.routed.paged = slices.DeleteFunc(s.routed.paged, func(o *service) bool { return o == s })
	}
	s.routed = t
	t.paged = append(t.paged, s)
}

func (w *world) own(s *service, t *team, at time.Time) {
	d := ownedData{Service: s.id}
	if t != nil {
		d.Team = t.id
	}
	s.owner = t
	w.fact(event.ServiceOwned, s.id, at, d)
}

// describe publishes a service as the catalog knows it at that moment.
func (w *world) describe(s *service, at time.Time) {
	d := serviceData{Service: s.id, Name: title(s.id), Description: s.about.description, Tier: s.tier,
		Lifecycle: s.lifecycle, RunbookURL: s.runbook(), PagingIDs: []string{"pagerduty:demo:P" + code(s.index+5000)}}
	if s.owner != nil {
		d.Contact = "#team-" + s.owner.id
	}
	if s.dashboard {
		d.Dashboards = []string{"https://dashboards.example.org/d/" + s.id}
	}
	for _, on := range s.depends {
		d.Dependencies = append(d.Dependencies, on.id)
	}
	w.fact(event.ServiceDescribed, s.id, at, d)
}

// runbook is where a service's runbook is; one service in seven has none.
func (s *service) runbook() string {
	if s.index%7 == 6 {
		return ""
	}
	return "https://runbooks.example.org/" + s.id
}

// publish writes a team's escalation policy with the services it is paged for now.
func (w *world) publish(t *team, at time.Time) {
	if t.peculiar == withoutOnCall {
		return
	}
	d := policyData{Policy: t.policy, Name: title(t.id) + " escalation", Services: []string{}}
	for _, s := range t.paged {
		d.Services = append(d.Services, s.id)
	}
	for level := 1; level <= 3; level++ {
		target := policyTarget{Schedule: t.schedule(level)}
		if level == t.leadLevel() {
			lead := t.lead(at)
			if lead == nil {
				continue
			}
			target = policyTarget{Person: lead.id}
		}
		d.Levels = append(d.Levels, policyLevel{[]policyTarget{target}, t.timeouts[level-1]})
	}
	w.fact(event.PolicyPublished, t.policy, at, d)
}
