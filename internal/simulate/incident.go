package simulate

import (
	"strconv"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// life is one incident while it is played.
type life struct {
	w         *world
	id        string
	service   *service
	class     class
	fired     time.Time
	opened    time.Time
	clears    time.Time // when the alert clears by itself; zero if it does not
	urgency   string
	priority  string
	severity  string
	words     string
	team      *team // who has it now
	steps     int
	pages     int
	firstPage string
	paged     *person   // of the first page
	ended     bool      // the service resolved it while somebody was still being paged
	halt      time.Time // paging stops, because it is merged then; zero if never
	drill     bool
	trainee   *person // who took it in a reverse shadow; nil if nobody
}

// play turns an arrival into events.
func (w *world) play(a arrival) {
	if len(a.victims) == 0 {
		l := w.open(a)
		l.run()
		if share := map[string]float64{"high": 0.16, "low": 0.04}[l.urgency]; !l.drill && w.chance(share) {
			l.review()
		}
		return
	}
	w.playStorm(a)
}

// open draws what the incident is and emits its alert and its opening.
func (w *world) open(a arrival) *life {
	w.incidents++
	l := &life{w: w, id: w.prefix + strconv.Itoa(10000+w.incidents), service: a.service, class: a.class, drill: a.drill}
	l.team, l.urgency = a.service.routed, "low"
	if w.chance(a.class.high) {
		l.urgency = "high"
	}
	l.words = a.service.id + ": " + a.class.words
	l.rank()
	l.fired, l.opened = a.at, a.at.Add(w.seconds(1, 20))
	if w.chance(a.class.auto) {
		l.clears = l.opened.Add(w.spread(9*time.Minute, 0.9))
	}
	if !a.drill {
		l.alert(event.AlertFired, l.fired)
	}
	w.learning.remember(l)
	l.add(event.IncidentOpened, l.opened, openedData{Incident: l.id, Title: l.words, Service: l.service.id, Team: l.team.id,
		Urgency: l.urgency, Priority: l.priority, Severity: l.severity, AlertClass: a.class.name, Drill: a.drill})
	return l
}

// rank gives severity and priority by urgency and the service's tier.
func (l *life) rank() {
	if l.urgency == "low" {
		l.severity, l.priority = "info", "P5"
		if l.w.chance(0.5) {
			l.severity, l.priority = "warning", "P4"
		}
		return
	}
	switch u := l.w.rand.Float64(); {
	case l.service.tier == 1 && u < 0.08:
		l.severity, l.priority = "critical", "P1"
	case u < 0.3/float64(l.service.tier):
		l.severity, l.priority = "critical", "P2"
	default:
		l.severity, l.priority = "error", "P3"
	}
	if l.class.noise {
		l.severity, l.priority = "warning", "" // nobody ever set one
	}
}

// add emits an event of this incident. Its key counts the incident's steps.
func (l *life) add(kind event.Kind, at time.Time, data payload) {
	l.steps++
	l.w.add(kind, l.id, l.id+"/"+strconv.Itoa(l.steps), at, data)
}

func (l *life) alert(kind event.Kind, at time.Time) {
	s := l.service
	d := alertData{Fingerprint: s.id + "/" + l.class.name, StartsAt: stamp(l.fired), Service: s.id,
		Severity: l.severity, RunbookURL: s.runbook(), Labels: map[string]string{"alertname": l.class.name, "env": "production"}}
	if s.owner != nil {
		d.Team = s.owner.id
	}
	l.w.add(kind, d.Fingerprint, d.Fingerprint+"/"+l.id+"/"+d.StartsAt, at, d)
}

// run plays the incident from its opening to its end.
func (l *life) run() {
	if l.drill {
		l.test()
		return
	}
	if l.urgency == "low" {
		l.runLow()
		return
	}
	p, at := l.page(l.team, 1, l.opened)
	if p == nil {
		if !l.ended {
			p, at = l.noticed(at)
		}
		if p == nil {
			return
		}
	}
	p, at = l.route(p, at)
	if l.ended {
		return
	}
	l.gather(p, at)
	l.finish(p, at, at.Add(l.work(p, at)))
}

// work is how long the fixing takes once somebody who can do it has begun.
func (l *life) work(p *person, at time.Time) time.Duration {
	median := 16 * time.Minute
	switch l.priority {
	case "P1":
		median = 70 * time.Minute
	case "P2":
		median = 38 * time.Minute
	}
	if night(p, at) {
		median = median * 5 / 4
	}
	return min(l.w.spread(median, 0.85), 20*time.Hour)
}

// noticed: the pages led nowhere, and sooner or later somebody of the team sees it.
func (l *life) noticed(at time.Time) (*person, time.Time) {
	p := l.team.lead(at)
	if p == nil || l.w.chance(0.02) {
		return nil, at // still open; a page shows that too
	}
	at = minTime(at.Add(l.w.spread(50*time.Minute, 0.7)), laterTime(morning(p, at).Add(l.w.seconds(0, 1800)), at.Add(time.Minute)))
	if l.cleared(at) {
		return nil, at
	}
	l.acknowledge(p, at)
	return p, at
}

// cleared resolves the incident by the service if its alert clears before until.
func (l *life) cleared(until time.Time) bool {
	if l.clears.IsZero() || !l.clears.Before(until) {
		return false
	}
	l.end(l.clears, resolvedData{Incident: l.id, ActorKind: "service", Auto: true, Reason: "the alert cleared"})
	l.ended = true
	return true
}

func (l *life) end(at time.Time, d resolvedData) {
	l.alert(event.AlertResolved, at)
	l.add(event.IncidentResolved, at, d)
}

func (l *life) acknowledge(p *person, at time.Time) {
	channel := []string{"push", "push", "sms", "phone", "chat"}[l.w.pick(5)]
	l.add(event.IncidentAcknowledged, at, actionData{Incident: l.id, Person: l.taken(p, at), ActorKind: "user", Channel: channel})
}

// finish resolves the incident, with what tends to happen on the way: a note, a changed
// priority, an acknowledgement that ran out, a resolution that did not hold.
func (l *life) finish(p *person, at, done time.Time) {
	w := l.w
	if w.chance(0.02) {
		lost := at.Add(30 * time.Minute)
		if lost.Before(done) {
			l.add(event.IncidentUnacknowledged, lost, actionData{Incident: l.id, ActorKind: "service"})
			l.notify(p, lost, lost.Add(2*time.Minute), 1)
			l.acknowledge(p, lost.Add(w.seconds(60, 240)))
			done = laterTime(done, lost.Add(6*time.Minute))
		}
	}
	if w.chance(0.05) && l.priority > "P1" {
		l.priority = "P" + string(l.priority[1]-1)
		l.add(event.IncidentUpdated, at.Add(done.Sub(at)/4), updatedData{Incident: l.id, Priority: l.priority, Person: p.id, ActorKind: "user"})
	}
	if w.chance(0.25) {
		l.note(p, at.Add(done.Sub(at)*3/4))
	}
	if !l.clears.IsZero() && l.clears.After(at) && l.clears.Before(done) && w.chance(0.7) {
		l.end(l.clears, resolvedData{Incident: l.id, ActorKind: "service", Auto: true, Reason: "the alert cleared"})
		return
	}
	l.end(done, resolvedData{Incident: l.id, Person: l.hands(p, done), ActorKind: "user", Reason: reason(w.pick(6))})
	l.tag(p, done)
	if w.chance(0.03) {
		again := done.Add(w.seconds(300, 4000))
		l.add(event.IncidentReopened, again, actionData{Incident: l.id, ActorKind: "service"})
		l.clears = time.Time{}
		q, ack := l.page(l.team, 1, again)
		if q == nil {
			q, ack = l.noticed(ack)
		}
		if q != nil {
			l.end(ack.Add(l.work(q, ack)), resolvedData{Incident: l.id, Person: q.id, ActorKind: "user", Reason: reason(w.pick(6))})
		}
	}
	if l.severity == "critical" && w.chance(0.6) {
		by := morning(p, done).Add(w.days(1, 12))
		l.add(event.ReviewPublished, by, reviewData{Incident: l.id, URL: "https://reviews.example.org/" + l.id, By: p.id, Factors: l.factors()})
		if url := l.service.runbook(); url != "" && w.chance(0.5) {
			by = by.Add(w.seconds(3600, 90000))
			w.add(event.RunbookReviewed, l.service.id, l.service.id+"/"+l.id, by, runbookData{Service: l.service.id, URL: url, By: p.id})
		}
	}
}

func (l *life) note(p *person, at time.Time) {
	texts := []string{"Looked at the dashboards; one instance stands out.", "Rolled back the last deployment, errors are going down.",
		"Raised the memory limit and restarted one by one.", "Waiting for the provider; their status page confirms it.",
		"Runbook step 3 helped, step 4 is out of date.", "Moved traffic to the other zone.", "Cleared old segments, 40 % free again."}
	l.add(event.IncidentNoted, at, notedData{Incident: l.id, Text: texts[l.w.pick(len(texts))], Person: p.id, ActorKind: "user"})
}

func reason(n int) string {
	return []string{"rolled back", "restarted", "scaled out", "configuration corrected", "recovered while we watched", "fixed forward"}[n]
}

// runLow plays an incident that nobody is woken for: it waits for the morning, is put to
// sleep, or clears.
func (l *life) runLow() {
	w, at := l.w, l.opened
	p := l.team.rota.onCall(1, at)
	if p == nil {
		p = l.team.lead(at)
	}
	if p == nil {
		l.add(event.PageFailed, at, failedData{Incident: l.id, Reason: "no one on call", Level: 1})
		l.cleared(w.cfg.End)
		return
	}
	l.send(p, at, "email", 1)
	begin := at.Add(w.spread(25*time.Minute, 0.8))
	if office(p, at) {
		l.send(p, at, "push", 1)
	} else {
		l.send(p, at.Add(time.Second), "chat", 1)
		begin = morning(p, at).Add(w.spread(25*time.Minute, 0.7))
	}
	if l.cleared(begin) {
		return
	}
	if w.chance(0.7) {
		l.acknowledge(p, begin)
	}
	if w.chance(0.12) {
		until := morning(p, begin)
		l.add(event.IncidentSnoozed, begin.Add(2*time.Minute), snoozedData{Incident: l.id, Until: stamp(until), Person: p.id, ActorKind: "user"})
		begin = until
	}
	l.end(begin.Add(w.spread(80*time.Minute, 1)), resolvedData{Incident: l.id, Person: p.id, ActorKind: "user", Reason: reason(w.pick(6))})
}

// test plays a test page: it is announced, answered at once, and counts nowhere.
func (l *life) test() {
	p := l.team.rota.onCall(1, l.opened)
	if p == nil {
		return
	}
	l.send(p, l.opened, "push", 1)
	at := l.opened.Add(l.w.seconds(20, 150))
	l.acknowledge(p, at)
	l.add(event.IncidentResolved, at.Add(time.Minute), resolvedData{Incident: l.id, Person: p.id, ActorKind: "user", Reason: "test passed"})
}

// review gives the verdict of the next weekly review, Monday or Tuesday morning.
func (l *life) review() {
	w := l.w
	by := l.team.lead(l.opened)
	if by == nil || l.firstPage == "" {
		return
	}
	at := morning(by, l.opened)
	for d := at.In(by.zone).Weekday(); d != time.Monday && d != time.Tuesday; d = at.In(by.zone).Weekday() {
		at = morning(by, at.Add(9*time.Hour))
	}
	d := reviewedData{Page: l.firstPage, Incident: l.id, By: by.id, Verdict: "service", MadeSense: true}
	switch u := w.rand.Float64(); {
	case l.class.noise && u < 0.75:
		d.Verdict, d.MadeSense = []string{"threshold", "check-faulty", "not-needed"}[w.pick(3)], false
		d.Note = "Clears by itself; nothing was done."
	case night(l.paged, l.opened) && u < 0.3:
		d.Verdict, d.MadeSense = []string{"inappropriate-hour", "service-inappropriate-hour"}[w.pick(2)], u < 0.1
	case u < 0.12:
		d.Verdict = "view"
	case u < 0.2:
		d.Verdict, d.MadeSense = []string{"threshold", "not-needed", "downtime-not-set", "downtime-expired"}[w.pick(4)], false
	}
	l.add(event.PageReviewed, at.Add(w.seconds(1200, 4200)), d)
}
