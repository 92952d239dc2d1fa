package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Theory of operation of learning
//
//  1. A team takes the curriculum up on a day of the window, or never. From then on its lead
//     looks every Monday who has nothing open and gives some of them the next module of
//     their way, by name, until a date, with incidents of the team that show why.
//  2. What becomes of it depends on the team: begun after days or never, tried once to three
//     times, shown by evidence later, waived for who has done it for years, given up.
//     What lies after the end has not happened, so the last weeks are full of open work.
//  3. Drills are Steward's own to tell of: what is played here is said in words only, and the
//     loader of the demo plays some for whoever still owes one.
//  4. All of it is drawn from a generator of its own: what is invented about learning changes
//     nothing about the incidents of the same seed.
type learning struct {
	rand     *rand.Rand
	sequence int // apart from the incidents' own
	recent   map[*team]map[string][]string
	people   map[*person]*learner
}

// learner is how far somebody is.
type learner struct {
	known map[string]bool        // quiz passed, done or waived
	given map[string][]enrolData // what they were given, by module
	busy  time.Time              // until then they have enough to do
}

// habit is how a team learns, by its place in the list modulo eight.
type habit struct {
	from      float64 // of the window, when it takes the curriculum up; 2 is never
	starts    float64 // share of what is given that is begun
	gives     float64 // share of those with nothing open who are given something, a week
	passes    float64 // share of first attempts
	completes float64 // share of what was passed that is shown by evidence in time
}

func (t *team) habit() habit {
	return []habit{
		{0.35, 0.95, 0.5, 0.75, 0.97}, // takes it seriously
		{0.4, 0.9, 0.35, 0.9, 0.95},   // knows much of it already
		{0.55, 0.8, 0.3, 0.65, 0.88},  // so so
		{0.8, 0.5, 0.6, 0.6, 0.7},     // late, and much at once
		{0.5, 0.75, 0.3, 0.5, 0.85},   // fails first
		{0.6, 0.25, 0.25, 0.6, 0.6},   // is given work and does not begin it
		{2, 0, 0, 0, 0},               // does not
		{0.5, 0.85, 0.6, 0.65, 0.92},  // new to on-call
	}[t.index%peculiarities]
}

func newLearning(seed uint64) learning {
	return learning{rand: rand.New(rand.NewPCG(seed, 0x1ea4)), recent: map[*team]map[string][]string{}, people: map[*person]*learner{}}
}

func (l *learning) chance(p float64) bool { return l.rand.Float64() < p }
func (l *learning) hours(a, b float64) time.Duration {
	return time.Duration((a + (b-a)*l.rand.Float64()) * float64(time.Hour)).Truncate(time.Second)
}

func (l *learning) of(p *person) *learner {
	if l.people[p] == nil {
		l.people[p] = &learner{known: map[string]bool{}, given: map[string][]enrolData{}}
	}
	return l.people[p]
}

// say is add for what is told of learning.
func (w *world) say(kind event.Kind, subject, key string, at time.Time, data payload) {
	if !at.Before(w.cfg.End) {
		return
	}
	l := &w.learning
	l.sequence++
	subject = "simulate:" + w.source[len("/simulate/"):] + ":" + subject
	seen := minTime(at.Add(time.Duration(150+l.rand.IntN(900))*time.Millisecond), w.cfg.End)
	// Behind everything else of the same moment, whatever that is.
	w.waiting = append(w.waiting, &queued{1<<40 + l.sequence, makeEvent(w.source, kind, subject, key, at, seen, data)})
}

// remember keeps a few incidents of each class by the team that owns the service.
func (l *learning) remember(i *life) {
	t := i.service.owner
	if t == nil || i.drill {
		return
	}
	if l.recent[t] == nil {
		l.recent[t] = map[string][]string{}
	}
	of := append(l.recent[t][i.class.name], i.id)
	l.recent[t][i.class.name] = of[max(0, len(of)-3):]
}

// teach is one day of learning.
func (w *world) teach(day time.Time) {
	for _, t := range w.teams {
		begins := w.start.Add(time.Duration(t.habit().from * float64(w.cfg.Days) * 24 * float64(time.Hour)))
		if t.peculiar == formedLater {
			begins = laterTime(begins, t.formed)
		}
		if day.Weekday() != time.Monday || day.Before(begins) {
			continue
		}
		lead := t.lead(day)
		if lead == nil {
			continue
		}
		first := day.Before(begins.Add(7 * 24 * time.Hour))
		for _, m := range t.members {
			if !m.active(day) || t.elsewhere(m.person, day) {
				continue
			}
			joined := m.from.After(w.start) && day.Sub(m.from) < 42*24*time.Hour // before a first shift there is no waiting
			who := w.learning.of(m.person)
			if day.Before(who.busy) || !first && !joined && !w.learning.chance(t.habit().gives) {
				continue
			}
			if next, ok := w.learning.next(who, t); ok {
				at := day.Add(8*time.Hour + w.learning.hours(0, 8))
				w.give(t, lead, m.person, next, at, m.from.Before(w.start))
			}
		}
	}
}

// elsewhere says whether another team, earlier in the list, is the one that gives them work.
func (t *team) elsewhere(p *person, at time.Time) bool {
	return p.home(at) != nil && p.home(at) != t
}

// next is what somebody should learn next: of what they are ready for, the module whose
// alerts the team had lately, else the first.
func (l *learning) next(who *learner, t *team) (lesson, bool) {
	var ready []lesson
	for _, x := range lessons() {
		if !who.known[x.id] && !slices.ContainsFunc(x.needs, func(id string) bool { return !who.known[id] }) {
			ready = append(ready, x)
		}
	}
	for _, x := range ready {
		if x.id[:2] == "FX" && slices.ContainsFunc(x.classes, func(c string) bool { return len(l.recent[t][c]) > 0 }) && l.chance(0.6) {
			return x, true
		}
	}
	if len(ready) == 0 {
		return lesson{}, false
	}
	return ready[0], true
}

// give assigns a module and plays what becomes of it.
func (w *world) give(t *team, lead, p *person, x lesson, at time.Time, veteran bool) {
	l, h := &w.learning, t.habit()
	due := at.AddDate(0, 0, []int{14, 21, 28}[l.rand.IntN(3)])
	d := givenData{Module: x.id, Person: p.id, By: lead.id, Due: due.Format(time.DateOnly), Reason: "next on the way to the pager"}
	for _, c := range x.classes {
		d.Cites = append(d.Cites, l.recent[t][c]...)
	}
	if d.Cites = d.Cites[max(0, len(d.Cites)-3):]; len(d.Cites) > 0 {
		d.Reason = "these took longer than they had to"
	}
	n := w.learning.sequence
	d.Assignment = event.NewID(w.source, event.TrainingAssigned, fmt.Sprint(p.index, "/", x.id, "/", n), at)
	subject := "assignment:" + d.Assignment
	w.say(event.TrainingAssigned, subject, d.Assignment, at, d)
	who := l.of(p)
	tell := func(kind event.Kind, after string, at time.Time, data payload) {
		w.say(kind, subject, d.Assignment+after, at, data)
	}
	e := enrolData{Assignment: d.Assignment, Module: x.id, Version: 1, Person: p.id}
	earlier := who.given[x.id]
	who.given[x.id] = append(earlier, e)
	if veteran && x.id[:2] == "PG" && x.id != "PG1" && l.chance(0.7) {
		who.known[x.id] = true
		tell(event.TrainingWaived, "/waived", at.Add(l.hours(1, 60)), waivedData{e.Assignment, x.id, p.id, lead.id, []string{"equivalent-in-a-real-incident", "tested-out"}[l.rand.IntN(2)]})
		return
	}
	start := p.atWork(at.Add(l.hours(20, 160)), l)
	if !l.chance(h.starts) { // never begun; after a while the lead has mercy, or it goes on for ever
		who.busy = due.AddDate(0, 0, 30)
		if l.chance(0.3) {
			who.known[x.id] = true
			tell(event.TrainingWaived, "/waived", due.AddDate(0, 0, 20), waivedData{e.Assignment, x.id, p.id, lead.id, "administrative"})
		}
		return
	}
	tell(event.TrainingStarted, "", start, e)
	if l.chance(0.04) {
		who.busy = start.AddDate(0, 0, 21)
		tell(event.TrainingAbandoned, "/left", start.Add(l.hours(20, 200)), e)
		return
	}
	done := w.quiz(x, e, subject, p.atWork(start.Add(l.hours(1, 110)), l), h.passes)
	if !done.Before(w.cfg.End) {
		who.busy = done
		return
	}
	who.known[x.id] = true
	who.busy = done.AddDate(0, 0, 3)
	if !l.chance(h.completes) || x.played() {
		return
	}
	shown := p.atWork(done.Add(l.hours(4, 190)), l)
	ref := "https://wiki.example.org/" + p.index36() + "/" + x.id
	switch n := len(d.Cites); {
	case x.kind == "drill":
		ref = "played with the team on " + shown.Format(time.DateOnly)
	case x.kind == "event" && n > 0:
		ref = d.Cites[n-1]
	case x.kind == "event":
		ref = "seen at work on " + shown.Format(time.DateOnly)
	}
	tell(event.TrainingCompleted, "/done", shown, completedData{e, x.kind, ref, ""})
	for _, o := range earlier { // what shows it, shows it for what was given before and never done
		w.say(event.TrainingCompleted, "assignment:"+o.Assignment, o.Assignment+"/done", shown, completedData{o, x.kind, ref, ""})
	}
	if l.chance(0.6) {
		tell(event.TrainingRated, "/rated", shown.Add(l.hours(0.1, 2)), ratedData{Module: x.id, Person: p.id, Helped: l.chance(0.8), After: "module"})
	}
}

// quiz plays up to three attempts and says when the last was passed.
func (w *world) quiz(x lesson, e enrolData, subject string, at time.Time, passes float64) time.Time {
	l := &w.learning
	for try := 1; ; try++ {
		passed := try == 3 || l.chance(min(1, passes+0.2*float64(try-1)))
		right := x.questions - l.rand.IntN(2)
		if !passed {
			right = x.questions/2 - l.rand.IntN(2)
		}
		wrong := l.rand.Perm(x.questions)[:x.questions-right]
		for q := range x.questions {
			w.say(event.TrainingAnswered, subject, fmt.Sprintf("%s/%d/%d", e.Assignment, try, q+1), at, answeredData{e, try, q + 1, !slices.Contains(wrong, q)})
		}
		kind := event.TrainingFailed
		if passed {
			kind = event.TrainingPassed
		}
		w.say(kind, subject, fmt.Sprintf("%s/%d", e.Assignment, try), at, scoredData{e, try, float64(right) / float64(x.questions), right, x.questions})
		if passed {
			return at
		}
		at = at.Add(l.hours(1, 150))
	}
}

// atWork moves a moment into the person's next working hours.
func (p *person) atWork(at time.Time, l *learning) time.Time {
	if office(p, at) {
		return at
	}
	return morning(p, at).Add(l.hours(0.2, 6))
}

// factors are what a review found: one or two of what reviews tend to find.
func (l *life) factors() []string {
	r := l.w.learning.rand
	all := []string{"escalated late", "runbook out of date", "the alert said nothing of users", "declared after an hour", "the status page lagged behind"}
	if l.class.name == "deploy-regression" {
		return []string{"deployed without a flag", all[r.IntN(len(all))]}
	}
	i, n := r.IntN(len(all)), r.IntN(3)
	return all[i:min(i+n, len(all))]
}

// tag is what a responder says that an incident took, when they are asked at the end.
func (l *life) tag(p *person, at time.Time) {
	learn := &l.w.learning
	if l.drill || !learn.chance(0.06) {
		return
	}
	skill := taggedAs(l.class.name)
	l.w.say(event.SkillTagged, l.id, l.id+"/tag/"+skill, at.Add(learn.hours(0.02, 0.4)), tagData{l.id, skill, "responder", p.id})
}
