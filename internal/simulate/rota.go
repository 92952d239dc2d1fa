package simulate

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// rota is who is on call in one team: the shifts of the last days and the coming two weeks.
type rota struct {
	team   *team
	next   time.Time // start of the first week that is not planned yet
	turn   int
	shifts []shift
	walk   walk // of the newcomer who looked on last
	turns  []turn
	alerts int // that newcomers acknowledged
}

type shift struct {
	level      int
	person     *person
	start, end time.Time
	override   bool
}

// planned two weeks ahead, as PagerDuty users do
const planAhead = 14 * 24 * time.Hour

// onCall is who has the level at t: an override before the plan; nil if nobody.
func (r *rota) onCall(level int, t time.Time) *person {
	var p *person
	for _, s := range r.shifts {
		if s.level == level && !t.Before(s.start) && t.Before(s.end) {
			if s.override {
				return s.person
			}
			p = s.person
		}
	}
	return p
}

// planRota plans every week whose plan is made on this day.
func (w *world) planRota(t *team, day time.Time) {
	r := &t.rota
	if t.peculiar == withoutOnCall || day.Add(24*time.Hour).Before(t.formed) {
		return
	}
	keep := r.shifts[:0]
	for _, s := range r.shifts {
		if s.end.After(day.Add(-48 * time.Hour)) {
			keep = append(keep, s)
		}
	}
	r.shifts = keep
	if r.next.IsZero() {
		r.next = w.monday(t, laterTime(w.start, t.formed))
	}
	for r.next.Before(day.Add(planAhead + 24*time.Hour)) {
		begun := t.formed.Add(2 * time.Hour)
		start := laterTime(r.next, begun)
		r.next = w.monday(t, r.next.Add(8*24*time.Hour))
		w.planWeek(t, start, r.next, laterTime(start.Add(-planAhead), begun))
	}
}

// monday is the hand-over of the week that holds at: Monday 09:00 in the team's first
// zone, or midnight UTC for a team that follows the sun.
func (w *world) monday(t *team, at time.Time) time.Time {
	zone, hour := time.UTC, 0
	if t.peculiar != followsTheSun && len(t.members) > 0 {
		zone, hour = t.members[0].person.zone, 9
	}
	l := at.In(zone)
	back := (int(l.Weekday()) + 6) % 7
	m := time.Date(l.Year(), l.Month(), l.Day()-back, hour, 0, 0, 0, zone)
	if m.After(at) {
		m = time.Date(l.Year(), l.Month(), l.Day()-back-7, hour, 0, 0, 0, zone)
	}
	return m.UTC()
}

// planWeek plans one week. Nobody is planned who leaves before its end, or, outside a new
// team, who joined less than three weeks before.
func (w *world) planWeek(t *team, start, end, at time.Time) {
	var able []*person
	var novice *person
	for _, m := range t.members {
		if m.from.After(at) && !m.from.Equal(t.formed) || !m.to.IsZero() && m.to.Before(end) {
			continue
		}
		if m.from.Add(21*24*time.Hour).After(start) && !m.from.Equal(t.formed) {
			novice = m.person
			continue
		}
		able = append(able, m.person)
	}
	if len(able) == 0 {
		return
	}
	r := &t.rota
	r.turn++
	primary := able[r.turn%len(able)]
	switch {
	case t.peculiar == followsTheSun:
		w.planSun(t, able, start, end, at)
	case t.peculiar == weekendGap:
		w.shift(t, 1, primary, start, start.Add(4*24*time.Hour+9*time.Hour), at, nil)
	default:
		var cover *shift
		if len(able) > 2 && end.Sub(start) > 6*24*time.Hour && w.chance(0.2) {
			from := start.Add(time.Duration(w.pick(6)) * 24 * time.Hour).Add(time.Duration(w.pick(2)) * 9 * time.Hour)
			cover = &shift{level: 1, person: able[(r.turn+2)%len(able)], start: from,
				end: minTime(from.Add(time.Duration(w.between(1, 4))*12*time.Hour), end), override: true}
		}
		w.shift(t, 1, primary, start, end, at, cover)
	}
	if len(able) > 1 {
		w.shift(t, 2, able[(r.turn+1)%len(able)], start, end, at, nil)
	}
	if novice != nil {
		w.shadow(t, novice, start, end, at)
		r.walk = walk{person: novice, weeks: reverseWeeks}
	} else {
		w.reverse(t, able, start, end, at)
	}
}

// planSun gives each region the eight hours of its day; a region without anybody is left
// to the next one.
func (w *world) planSun(t *team, able []*person, start, end, at time.Time) {
	regions := make([][]*person, 3)
	for _, p := range able {
		for k, zone := range t.zones {
			if p.zoneName == zone {
				regions[k%3] = append(regions[k%3], p)
			}
		}
	}
	for from := start; from.Before(end); from = from.Add(8 * time.Hour) {
		k := int(from.Sub(start)/(8*time.Hour)) % 3
		for try := 0; try < 2 && len(regions[k]) == 0; try++ {
			k = (k + 1) % 3
		}
		who := able
		if len(regions[k]) > 0 {
			who = regions[k]
		}
		w.shift(t, 1, who[t.rota.turn%len(who)], from, from.Add(8*time.Hour), at, nil)
	}
}

// shift plans and works one shift, with cover for a part of it by somebody else: what is
// left of the shift is then worked in up to two pieces around the cover.
func (w *world) shift(t *team, level int, p *person, start, end, at time.Time, cover *shift) {
	t.rota.shifts = append(t.rota.shifts, shift{level: level, person: p, start: start, end: end})
	w.shiftEvent(event.ShiftPlanned, t, level, p, start, end, at, false)
	if cover == nil {
		w.shiftEvent(event.ShiftWorked, t, level, p, start, end, end, false)
		return
	}
	t.rota.shifts = append(t.rota.shifts, *cover)
	agreed := laterTime(at, cover.start.Add(-w.days(1, 6)))
	w.shiftEvent(event.ShiftPlanned, t, level, cover.person, cover.start, cover.end, agreed, true)
	w.shiftEvent(event.ShiftWorked, t, level, cover.person, cover.start, cover.end, cover.end, true)
	// The first piece replaces the plan of the same start, and if the cover begins with
	// the shift it is empty: a shift that ends at its start did not happen.
	w.shiftEvent(event.ShiftWorked, t, level, p, start, cover.start, laterTime(cover.start, at), false)
	if cover.end.Before(end) {
		w.shiftEvent(event.ShiftWorked, t, level, p, cover.end, end, end, false)
	}
}

// shadow lets a newcomer walk along for a week; every fourth time it is called off.
func (w *world) shadow(t *team, p *person, start, end, at time.Time) {
	at = laterTime(at, start.Add(-5*24*time.Hour))
	w.roleEvent(event.ShiftPlanned, t, 1, "shadow", p, start, end, at, false)
	if w.shadows++; w.shadows%4 == 2 {
		w.roleEvent(event.ShiftPlanned, t, 1, "shadow", p, start, start, laterTime(at.Add(time.Hour), start.Add(-30*time.Hour)), false)
		return
	}
	w.roleEvent(event.ShiftWorked, t, 1, "shadow", p, start, end, end, false)
}

func (w *world) shiftEvent(kind event.Kind, t *team, level int, p *person, start, end, at time.Time, override bool) {
	role := "primary"
	if level == 2 {
		role = "secondary"
	}
	w.roleEvent(kind, t, level, role, p, start, end, at, override)
}

func (w *world) roleEvent(kind event.Kind, t *team, level int, role string, p *person, start, end, at time.Time, override bool) {
	subject, key, d := roleData(t, level, role, p, start, end, override)
	w.add(kind, subject, key, at, d)
}

func roleData(t *team, level int, role string, p *person, start, end time.Time, override bool) (subject, key string, d shiftData) {
	d = shiftData{Schedule: t.schedule(level), Person: p.id, Start: stamp(start), End: stamp(end), Level: level,
		Role: role, Override: override, Policy: t.policy}
	d.Shift = fmt.Sprintf("%s/%d/%s/%s", d.Schedule, level, p.id, d.Start)
	if override {
		d.Shift += "/override"
	}
	if role == "shadow" || role == "reverse_shadow" {
		d.Shift += "/" + role
	}
	return d.Shift, fmt.Sprintf("%s/%s/%d/%s/%t", d.Shift, d.End, level, role, override), d
}

// schedule names the schedule of a level.
func (t *team) schedule(level int) string {
	if level == 1 {
		return t.id + "-primary"
	}
	return t.id + "-secondary"
}
