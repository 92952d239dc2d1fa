package oracle

import (
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

var verdicts = []string{"service", "service-inappropriate-hour", "view", "inappropriate-hour", "downtime-expired", "downtime-not-set", "threshold", "check-faulty", "not-needed"}

// shadowing gives people shifts with a host behind them, lets them acknowledge about as many
// alerts as graduation takes, on and beside the edges of these shifts, and reviews pages and
// incidents, some several times over.
func (m *maker) shadowing() {
	before := len(m.events)
	for range 1 + m.r.Intn(2) {
		m.trainee(pick(m.r, people))
	}
	for range 6 {
		d := map[string]any{}
		if m.chance(2) {
			d["page"] = fmt.Sprint("p", m.r.Intn(1+before))
		}
		if (d["page"] == nil || m.chance(3)) && len(m.opened) > 0 {
			d["incident"] = pick(m.r, m.opened)
		}
		if len(d) > 0 {
			m.review(d, m.moment(), 2)
		}
	}
}

// trainee is one person's shift, perhaps said again, and what they did in it.
func (m *maker) trainee(person string) {
	start := m.moment().Truncate(time.Millisecond)
	end := start.Add(time.Duration(6+m.r.Intn(60)) * time.Hour)
	d := map[string]any{"schedule": "rota", "person": person, "shift": fmt.Sprint("reverse", len(m.events)), "start": start, "end": end, "role": "reverse_shadow"}
	m.add(event.ShiftPlanned, "reverse", start.Add(-time.Duration(m.r.Intn(9*24))*time.Hour), d)
	if m.chance(4) { // cut short, or called off
		d["end"] = pick(m.r, []time.Time{start, start.Add(end.Sub(start) / 2)})
		m.add(event.ShiftWorked, "reverse", pick(m.r, []time.Time{start.Add(-time.Hour), end}), d)
	}
	ids, diligent := slices.Clone(m.opened), m.chance(2) // so that some graduate
	for range 9 + m.r.Intn(7) {
		at := start.Add(time.Duration(m.r.Int63n(int64(end.Sub(start)))).Truncate(time.Millisecond))
		switch m.r.Intn(14) {
		case 0:
			at = start
		case 1:
			at = end
		case 2:
			at = end.Add(-time.Millisecond)
		case 3:
			at = start.Add(-time.Millisecond)
		}
		id := fmt.Sprint("alert", len(m.events))
		if len(ids) > 0 && m.chance(8) {
			id = pick(m.r, ids)
		}
		ids = append(ids, id)
		if !m.chance(6) {
			m.add(event.IncidentOpened, id, at.Add(-time.Minute), map[string]any{"incident": id, "title": "alert", "drill": m.chance(30)})
		}
		actor, by := "user", person
		if m.chance(12) {
			by = pick(m.r, people)
		}
		if m.chance(20) {
			actor = pick(m.r, []string{"service", "unknown"})
		}
		m.add(event.IncidentAcknowledged, id, at, map[string]any{"incident": id, "person": by, "actor_kind": actor})
		if m.chance(30) {
			m.add(event.IncidentMerged, id, m.moment(), map[string]any{"incident": id, "into": "other"})
		}
		about := map[string]any{"incident": id}
		if m.chance(4) {
			page := fmt.Sprint("alertpage", len(m.events))
			m.add(event.PageSent, "page", at.Add(-time.Minute), map[string]any{"page": page, "incident": id, "person": person, "channel": "push"})
			about["page"] = page
			if m.chance(2) {
				delete(about, "incident")
			}
		}
		for diligent || !m.chance(6) {
			m.review(about, at.Add(time.Duration(m.r.Intn(200)-20)*time.Hour/4), map[bool]int{true: 30, false: 6}[diligent])
			if !m.chance(4) {
				break
			}
		}
	}
}

// review is a tap; one in n does not make sense, and where that is common, one in six says nothing of it.
func (m *maker) review(about map[string]any, at time.Time, n int) {
	d := map[string]any{"by": pick(m.r, people), "verdict": pick(m.r, verdicts)}
	for k, v := range about {
		d[k] = v
	}
	if n >= 30 || !m.chance(6) {
		d["made_sense"] = !m.chance(n)
	}
	m.add(event.PageReviewed, "review", at, d)
}
