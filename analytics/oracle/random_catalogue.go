package oracle

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// catalogue states some facts about who and what there is, before, amid and after the
// focal moments; whatever it leaves out stays unknown.
func (m *maker) catalogue() {
	for range 6 + m.r.Intn(14) {
		m.fact()
	}
}

// fact is one more statement of a catalogue: owners move, people join, leave and are
// described, policies change. Half of them lie long before, the rest where they hurt.
func (m *maker) fact() {
	at := m.moment()
	if m.chance(2) {
		at = pick(m.r, m.focal).Add(-time.Duration(10+m.r.Intn(40)) * 24 * time.Hour)
	}
	switch m.r.Intn(9) {
	case 0, 1:
		team := pick(m.r, teams)
		if m.chance(5) {
			team = "" // from now on unowned
		}
		service := pick(m.r, services)
		m.add(event.ServiceOwned, service, at, map[string]any{"service": service, "team": team})
	case 2, 3:
		person := pick(m.r, people)
		m.add(event.MemberJoined, person, at, map[string]any{"team": pick(m.r, teams), "person": person})
		if m.chance(3) { // a second team, at once or later
			m.add(event.MemberJoined, person, at.Add(pick(m.r, ruleGaps)), map[string]any{"team": pick(m.r, teams), "person": person})
		}
		if m.chance(4) {
			m.add(event.MemberLeft, person, m.moment(), map[string]any{"team": pick(m.r, teams), "person": person})
		}
	case 4:
		person := pick(m.r, people)
		m.add(event.MemberLeft, person, at, map[string]any{"team": pick(m.r, teams), "person": person})
	case 5, 6, 7:
		person := pick(m.r, people)
		m.add(event.PersonDescribed, person, at, m.description(person))
	default:
		policy := pick(m.r, policies)
		list := []string{}
		for range m.r.Intn(3) {
			list = append(list, pick(m.r, services))
		}
		m.add(event.PolicyPublished, policy, at, map[string]any{"policy": policy, "services": list})
	}
}

// description tells some part of a person: tools know different parts, and some say
// nothing in many ways. Aliases are claimed freely, so that chains, two claims on one id,
// claims on oneself and circles come up.
func (m *maker) description(person string) map[string]any {
	d := map[string]any{"person": person}
	switch m.r.Intn(5) {
	case 0:
		d["time_zone"] = ""
	case 1, 2, 3:
		d["time_zone"] = pick(m.r, zoneName)
	}
	switch m.r.Intn(6) {
	case 0:
		d["working_hours"] = map[string]any{}
	case 1:
		d["working_hours"] = nil
	case 2, 3:
		d["working_hours"] = m.workingHours()
	}
	switch m.r.Intn(5) {
	case 0:
		d["holidays"] = []string{}
	case 1, 2:
		d["holidays"] = []string{m.moment().Format(time.DateOnly), m.moment().Format(time.DateOnly)}
	}
	switch m.r.Intn(5) {
	case 0:
		d["aliases"] = []string{}
	case 1, 2:
		d["aliases"] = []string{pick(m.r, people)}
	case 3:
		d["aliases"] = []string{pick(m.r, people), pick(m.r, people)}
	}
	return d
}

func (m *maker) workingHours() map[string]any {
	out := map[string]any{}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		switch m.r.Intn(5) {
		case 0:
		case 1:
			out[day] = [][]string{}
		case 2:
			out[day] = [][]string{{"09:00", "12:00"}, {"12:30", "17:30"}}
		case 3:
			out[day] = [][]string{{fmt.Sprintf("%02d:%02d", m.r.Intn(12), m.r.Intn(60)), "24:00"}}
		case 4:
			out[day] = [][]string{{"00:00", fmt.Sprintf("%02d:%02d", m.r.Intn(24), m.r.Intn(60))}}
		}
	}
	return out
}

// shift states one or more versions of a shift: planned, overridden, worked, corrected
// under the same id, cancelled (it ends at its start), shadowed; the rotas are few, so
// they overlap.
func (m *maker) shift() {
	start := m.moment()
	if m.chance(2) {
		start = start.Truncate(time.Hour)
	}
	d := map[string]any{
		"schedule": pick(m.r, []string{"rota", "rota", "night"}), "person": pick(m.r, people),
		"start": start, "end": start.Add(time.Duration(1+m.r.Intn(14*60)) * time.Minute),
	}
	named := !m.chance(6)
	id := fmt.Sprint("shift", m.r.Intn(12), "-", len(m.events)/8)
	if named {
		d["shift"] = id
	}
	if m.chance(2) {
		d["level"] = 1 + m.r.Intn(3)
	}
	if m.chance(3) {
		d["role"] = pick(m.r, []string{"primary", "secondary", "secondary", "shadow", "reverse_shadow"})
	}
	if m.chance(3) {
		d["override"] = m.chance(2)
	}
	kind := event.ShiftPlanned
	at := start.Add(-time.Duration(m.r.Intn(7*24)) * time.Hour)
	if m.chance(4) {
		kind, at = event.ShiftWorked, d["end"].(time.Time)
	}
	m.add(kind, id, at, d)
	for named && m.chance(3) { // said again, differently
		again := map[string]any{}
		for k, v := range d {
			again[k] = v
		}
		at = at.Add(pick(m.r, ruleGaps))
		switch m.r.Intn(5) {
		case 0:
			again["end"] = start
		case 1:
			again["person"] = pick(m.r, people)
		case 2:
			again["end"] = start.Add(time.Duration(1+m.r.Intn(20*60)) * time.Minute)
		case 3:
			kind, at = event.ShiftWorked, d["end"].(time.Time)
		case 4:
			again["level"] = 1 + m.r.Intn(2)
		}
		m.add(kind, id, at, again)
	}
}
