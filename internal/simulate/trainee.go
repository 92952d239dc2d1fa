package simulate

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Somebody who has gone along for three weeks holds the pager with a host behind them: in
// their reverse-shadow shifts they acknowledge what comes, resolve most of it, and say of each
// whether it made sense to them.

// along is a reverse-shadow shift.
type along struct {
	team       *team
	person     *person
	host       *person // the week's primary
	start, end time.Time
}

// reverse plans such a week for whoever joined three to six weeks before it.
func (w *world) reverse(t *team, host *person, start, end, at time.Time) {
	for _, m := range t.members {
		age := start.Sub(m.from)
		if m.person == host || m.from.Before(w.start) || m.from.Equal(t.formed) || age < 21*24*time.Hour || age > 42*24*time.Hour || !m.active(end) {
			continue
		}
		d := shiftData{Schedule: t.schedule(1), Person: m.person.id, Start: stamp(start), End: stamp(end), Level: 1, Role: "reverse_shadow", Policy: t.policy}
		d.Shift = fmt.Sprintf("%s/1/%s/%s/reverse", d.Schedule, m.person.id, d.Start)
		w.say(event.ShiftPlanned, d.Shift, d.Shift+"/planned", laterTime(at, m.from), d)
		w.say(event.ShiftWorked, d.Shift, d.Shift+"/worked", end, d)
		w.along = append(w.along, along{t, m.person, host, start, end})
		return
	}
}

// trainee is who holds the pager of a team with p behind them; nil if nobody does.
func (w *world) trainee(t *team, p *person, at time.Time) *person {
	for i := len(w.along) - 1; i >= 0 && i >= len(w.along)-200; i-- {
		if a := w.along[i]; a.team == t && a.host == p && !at.Before(a.start) && at.Before(a.end) {
			return a.person
		}
	}
	return nil
}

// taken is who acknowledges what p was paged for.
func (l *life) taken(p *person, at time.Time) string {
	q := l.w.trainee(l.team, p, at)
	if q == nil || l.drill || l.w.learning.chance(0.1) { // sometimes the host is quicker
		return p.id
	}
	l.trainee = q
	learn := &l.w.learning
	d := reviewedData{Page: l.firstPage, Incident: l.id, By: q.id, Verdict: "service", MadeSense: learn.chance(0.9)}
	if l.class.noise {
		d.Verdict = "threshold"
	}
	l.w.say(event.PageReviewed, l.id, l.id+"/sense", q.atWork(at.Add(learn.hours(0.5, 8)), learn), d)
	return q.id
}

// hands are whose it is resolved by: the trainee's who has it, unless the host takes over.
func (l *life) hands(p *person, at time.Time) string {
	if l.trainee == nil || l.w.learning.chance(0.2) {
		return p.id
	}
	return l.trainee.id
}

// home is the team that gives somebody work: of those they are in, the one they joined first.
func (p *person) home(at time.Time) *team {
	var first *membership
	for _, m := range p.teams {
		if m.active(at) && (first == nil || m.from.Before(first.from)) {
			first = m
		}
	}
	if first == nil {
		return nil
	}
	return first.team
}
