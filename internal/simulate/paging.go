package simulate

import (
	"strconv"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// page climbs a team's policy from a level on until somebody acknowledges. It returns who
// and when; nil if nobody did: then either the alert cleared first (l.ended) or every
// level was exhausted, and the time is that of the end.
func (l *life) page(t *team, level int, at time.Time) (*person, time.Time) {
	w := l.w
	var asked *person
	for ; level <= 3 && !l.halted(at); level++ {
		p := w.target(t, level, at)
		if level > 1 && p != nil && asked != nil {
			l.add(event.IncidentEscalated, at, escalatedData{Incident: l.id, To: []string{"person:" + p.id}, From: "policy:" + t.policy,
				Level: level, Cause: "timeout", ActorKind: "service"})
		}
		if p == nil {
			if level < 3 {
				l.add(event.PageFailed, at, failedData{Incident: l.id, Reason: "no one on call", Level: level})
				at = at.Add(time.Second)
			}
			continue
		}
		asked = p
		timeout := time.Duration(t.timeouts[level-1]) * time.Minute
		ack := at.Add(l.answer(p, at, level))
		end := minTime(ack, at.Add(timeout))
		if !l.halt.IsZero() {
			end = minTime(end, l.halt)
		}
		if !l.clears.IsZero() {
			end = minTime(end, laterTime(l.clears, at))
		}
		reached := l.notify(p, at, end, level)
		if l.cleared(end.Add(time.Millisecond)) {
			return nil, end
		}
		if reached && ack.Equal(end) {
			l.acknowledge(p, ack)
			return p, ack
		}
		at = at.Add(timeout)
	}
	if l.halted(at) {
		return nil, l.halt
	}
	l.add(event.PageUnanswered, at, failedData{Incident: l.id, Reason: "exhausted", Level: 3})
	return nil, at
}

func (l *life) halted(at time.Time) bool { return !l.halt.IsZero() && !at.Before(l.halt) }

// target is who a level of the policy means at that moment.
func (w *world) target(t *team, level int, at time.Time) *person {
	if level == t.leadLevel() {
		return t.lead(at)
	}
	return t.rota.onCall(min(level, 2), at)
}

// answer is how long somebody takes to acknowledge; now and then they do not at all, and
// at the last level, where people are asked who are not on call, often.
func (l *life) answer(p *person, at time.Time, level int) time.Duration {
	w := l.w
	median, never := 2*time.Minute, 0.01
	switch {
	case night(p, at):
		median, never = 4*time.Minute, 0.09
	case !office(p, at):
		median, never = 3*time.Minute, 0.05
	}
	if level == 3 {
		never += 0.3
	}
	if w.chance(never) {
		return 12 * time.Hour
	}
	return max(w.spread(time.Duration(float64(median)*p.speed), 0.75), 4*time.Second)
}

// notify rings a person by the channels they chose until until, and says whether any
// of it arrived.
func (l *life) notify(p *person, at, until time.Time, level int) bool {
	type ring struct {
		after   time.Duration
		channel string
	}
	rules := [...][]ring{
		{{0, "push"}, {0, "email"}, {30 * time.Second, "sms"}, {3 * time.Minute, "phone"}},
		{{0, "push"}, {90 * time.Second, "phone"}},
		{{0, "sms"}, {0, "push"}, {2 * time.Minute, "phone"}},
		{{0, "push"}, {0, "email"}, {45 * time.Second, "phone"}, {5 * time.Minute, "sms"}},
	}
	reached, rang := false, false
	for _, r := range rules[p.style%len(rules)] {
		t := at.Add(r.after)
		if r.after > 0 && !t.Before(until) {
			break
		}
		arrived := l.send(p, t, r.channel, level)
		rang = rang || r.channel != "email"
		reached = reached || arrived && r.channel != "email"
	}
	if rang && !reached {
		l.add(event.PageFailed, at.Add(20*time.Second), failedData{Incident: l.id, Reason: "delivery failed", Level: level})
	}
	return reached
}

// send is one page over one channel; it says whether it arrived.
func (l *life) send(p *person, at time.Time, channel string, level int) bool {
	w := l.w
	l.pages++
	yes, no := true, false
	d := pageData{Page: l.id + "-page-" + strconv.Itoa(l.pages), Incident: l.id, Person: p.handle(), Policy: l.team.policy,
		Level: level, Channel: channel, Urgency: l.urgency}
	if channel == "push" || channel == "sms" || channel == "phone" {
		if l.firstPage == "" {
			l.firstPage, l.paged = d.Page, p
		}
		if w.chance(0.012) {
			d.Delivered = &no
		} else if channel != "phone" {
			d.Delivered = &yes
		}
	}
	l.add(event.PageSent, at, d)
	return d.Delivered != &no
}

// route brings an acknowledged incident to somebody who can solve it: the owner if paging
// was behind the catalog, or another team if a skill was missing. It returns who works on
// it in the end, and since when.
func (l *life) route(p *person, at time.Time) (*person, time.Time) {
	w, owner := l.w, l.service.owner
	switch {
	case owner != nil && owner != l.team && w.chance(0.65):
		return l.reassign(p, owner, at.Add(w.spread(8*time.Minute, 0.6)))
	case w.chance(l.gap(at)):
		return l.escalate(p, at.Add(w.spread(12*time.Minute, 0.6)))
	}
	return p, at
}

// gap is the chance that the people paged lack the skill: high after a hand-over, and
// falling as they learn.
func (l *life) gap(at time.Time) float64 {
	base := 0.06
	if l.class.name == "replica-lag" || l.class.name == "certificate-expiry" {
		base = 0.2
	}
	if l.service.movedAt.IsZero() {
		return base
	}
	return base + 0.4/(1+at.Sub(l.service.movedAt).Hours()/24/30)
}

// reassign hands the incident to the team that owns the service. One in seven comes back
// once, because the owner sees the cause elsewhere.
func (l *life) reassign(p *person, owner *team, at time.Time) (*person, time.Time) {
	w, from := l.w, l.team
	who, then := l.assign(p, owner, at)
	if who == nil || l.ended || !w.chance(0.15) {
		return or(who, p), then
	}
	back, then2 := l.assign(who, from, then.Add(w.spread(10*time.Minute, 0.5)))
	if back == nil || l.ended || w.chance(0.3) {
		return or(back, who), then2
	}
	last, then3 := l.assign(back, owner, then2.Add(w.spread(10*time.Minute, 0.5)))
	return or(last, back), then3
}

// assign is one hop: written as a team, a policy or a person, as different tools do.
func (l *life) assign(by *person, to *team, at time.Time) (*person, time.Time) {
	w := l.w
	if l.cleared(at) {
		return nil, at
	}
	target := "team:" + to.id
	who := to.rota.onCall(1, at)
	switch {
	case to.peculiar == withoutOnCall:
		who = to.lead(at)
		fallthrough
	case w.chance(0.4):
		if who != nil {
			target = "person:" + who.id
		}
	case w.chance(0.2):
		target = "policy:" + to.policy
	}
	l.add(event.IncidentReassigned, at, reassignedData{Incident: l.id, To: target, From: "team:" + l.team.id, Person: by.id, ActorKind: "user"})
	l.team = to
	if to.peculiar == withoutOnCall {
		if who == nil {
			return nil, at
		}
		// Nobody rings there: they see it when they next look.
		l.send(who, at, "email", 1)
		if !office(who, at) {
			at = morning(who, at)
		}
		at = at.Add(w.spread(20*time.Minute, 0.6))
		l.acknowledge(who, at)
		return who, at
	}
	return l.page(to, 1, at)
}

// escalate asks another team by hand: the former owner of a service that moved lately,
// else the platform team.
func (l *life) escalate(p *person, at time.Time) (*person, time.Time) {
	w, to := l.w, l.w.platform(l.service)
	if prev := l.service.previous; prev != nil && prev.peculiar != withoutOnCall {
		to = prev
	}
	if to == l.team || l.cleared(at) {
		return p, at
	}
	who := to.rota.onCall(1, at)
	if who == nil || who == p {
		return p, at
	}
	target := "person:" + who.id
	if w.chance(0.5) {
		target = "team:" + to.id
	}
	l.add(event.IncidentEscalated, at, escalatedData{Incident: l.id, To: []string{target}, From: "person:" + p.id,
		Level: 1, Cause: "manual", Person: p.id, ActorKind: "user"})
	l.team = to
	q, then := l.page(to, 1, at)
	return or(q, p), then
}

// gather asks others to help with what matters most.
func (l *life) gather(p *person, at time.Time) {
	w := l.w
	if l.ended || l.priority != "P1" && l.priority != "P2" {
		return
	}
	seen := map[*person]bool{p: true}
	for _, d := range l.service.depends {
		q := d.routed.rota.onCall(1, at)
		if q == nil || seen[q] || w.chance(0.35) {
			continue
		}
		seen[q] = true
		asked := at.Add(w.seconds(120, 900))
		l.add(event.ResponderRequested, asked, responderData{Incident: l.id, Person: q.id, State: "pending"})
		l.send(q, asked.Add(time.Second), "push", 1)
		state := "accepted"
		if w.chance(0.12) {
			state = "declined"
		}
		l.add(event.ResponderResponded, asked.Add(l.answer(q, asked, 1)), responderData{Incident: l.id, Person: q.id, State: state})
	}
}

// playStorm plays one cause with many alerts: the first incident is worked on, the others
// page whoever is on call for them and are merged into it once the link is understood.
func (w *world) playStorm(a arrival) {
	root := w.open(a)
	root.clears, root.priority, root.severity = time.Time{}, "P1", "critical"
	root.add(event.IncidentUpdated, root.opened.Add(time.Minute), updatedData{Incident: root.id, Priority: "P1", Severity: "critical", ActorKind: "service"})
	p, at := root.page(root.team, 1, root.opened)
	if p == nil {
		if p, at = root.noticed(at); p == nil {
			return
		}
	}
	understood := at.Add(w.spread(9*time.Minute, 0.4))
	var merged []*life
	for _, s := range a.victims {
		v := w.open(arrival{at: a.at.Add(w.seconds(20, 900)), service: s, class: stormClass(a.service)})
		v.clears = time.Time{}
		own := w.chance(0.2) // worked on by its own team until the cause is gone
		if !own {
			v.halt = laterTime(understood, v.opened).Add(time.Duration(20+7*len(merged)) * time.Second)
		}
		q, ack := v.page(v.team, 1, v.opened)
		if own && q != nil {
			v.finish(q, ack, laterTime(ack.Add(10*time.Minute), understood.Add(w.spread(30*time.Minute, 0.4))))
			continue
		}
		if own {
			continue // nobody answered, and nobody merged it: it stays open
		}
		merged = append(merged, v)
	}
	p, at = root.route(p, at)
	root.gather(p, at)
	done := laterTime(at, understood).Add(root.work(p, at) + 20*time.Minute)
	for _, v := range merged {
		v.add(event.IncidentMerged, v.halt, mergedData{Incident: v.id, Into: root.id, Person: p.id, ActorKind: "user"})
		v.alert(event.AlertResolved, done.Add(w.seconds(0, 120)))
	}
	root.note(p, laterTime(at, understood).Add(time.Minute))
	root.finish(p, at, done)
	root.review()
}

func or(p, otherwise *person) *person {
	if p != nil {
		return p
	}
	return otherwise
}

// night and office are the person's own; what a metric calls them is its own matter.
func night(p *person, at time.Time) bool {
	if p == nil {
		return false
	}
	h := at.In(p.zone).Hour()
	return h >= 22 || h < 8
}

func office(p *person, at time.Time) bool {
	l := at.In(p.zone)
	return l.Weekday() != time.Saturday && l.Weekday() != time.Sunday && l.Hour() >= 9 && l.Hour() < 17
}

// morning is the next working day's nine o'clock of that person.
func morning(p *person, at time.Time) time.Time {
	l := at.In(p.zone)
	for d := 0; ; d++ {
		m := time.Date(l.Year(), l.Month(), l.Day()+d, 9, 0, 0, 0, p.zone)
		if m.After(at) && m.Weekday() != time.Saturday && m.Weekday() != time.Sunday {
			return m.UTC()
		}
	}
}
