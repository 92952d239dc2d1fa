package oracle

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// incident begins one incident, sometimes without its opening, and tells a few things
// about it in an order of its own.
func (m *maker) incident() {
	id := fmt.Sprintf("%s%d", pick(m.r, []string{"i", "q", "z"}), len(m.opened))
	m.opened = append(m.opened, id)
	at := m.moment()
	if !m.chance(7) {
		m.open(id, at)
	}
	for range 1 + m.r.Intn(8) {
		m.about(id, at)
		at = at.Add(m.step())
	}
}

// step is the time to the next thing that happens, often none.
func (m *maker) step() time.Duration {
	if m.chance(3) {
		return pick(m.r, ruleGaps)
	}
	return time.Duration(m.r.Intn(3*3600_000)) * time.Millisecond
}

// afterthought adds something to an incident that was told before: a late fact.
func (m *maker) afterthought() {
	if len(m.opened) > 0 {
		m.about(pick(m.r, m.opened), m.moment())
	}
}

func (m *maker) open(id string, at time.Time) {
	d := map[string]any{"incident": id, "title": "t " + id}
	m.attributes(d)
	if m.chance(2) {
		d["alert_class"] = pick(m.r, classes)
	}
	if m.chance(3) {
		d["team"] = pick(m.r, teams)
	}
	if m.chance(15) {
		d["drill"] = true
	} else if m.chance(10) {
		d["drill"] = false
	}
	m.add(event.IncidentOpened, id, at, d)
}

// attributes says some of what an opening or an update may say, empty text included.
func (m *maker) attributes(d map[string]any) {
	if m.chance(2) {
		d["service"] = pick(m.r, append([]string{""}, services...))
	}
	if m.chance(2) {
		d["urgency"] = pick(m.r, []string{"high", "low"})
	}
	if m.chance(3) {
		d["priority"] = pick(m.r, []string{"", "P1", "P2"})
	}
	if m.chance(3) {
		d["severity"] = pick(m.r, []string{"critical", "warning"})
	}
}

// actor names who did something: a person, a person without a kind, a machine, nobody.
func (m *maker) actor(d map[string]any, required bool) {
	switch m.r.Intn(8) {
	case 0:
		d["actor_kind"] = "service"
	case 1:
		d["actor_kind"] = "unknown"
	case 2:
		d["actor_kind"] = "user" // but who?
	case 3:
		d["actor_kind"], d["person"] = "service", pick(m.r, people)
	case 4:
		d["person"] = pick(m.r, people)
		if required {
			d["actor_kind"] = "user"
		}
	default:
		d["actor_kind"], d["person"] = "user", pick(m.r, people)
	}
}

// about is one event of an incident.
func (m *maker) about(id string, at time.Time) {
	d := map[string]any{"incident": id}
	switch m.r.Intn(20) {
	case 0, 1, 2:
		m.actor(d, true)
		m.add(event.IncidentAcknowledged, id, at, d)
	case 3:
		m.actor(d, true)
		m.add(event.IncidentUnacknowledged, id, at, d)
	case 4, 5, 6:
		m.actor(d, true)
		if m.chance(4) {
			d["auto"] = m.chance(2)
		}
		m.add(event.IncidentResolved, id, at, d)
	case 7:
		m.actor(d, false)
		m.add(event.IncidentReopened, id, at, d)
	case 8, 9:
		m.actor(d, false)
		d["cause"], d["to"] = pick(m.r, []string{"manual", "timeout", "unknown"}), m.targets()
		m.add(event.IncidentEscalated, id, at, d)
	case 10:
		m.actor(d, false)
		d["to"] = m.target()
		m.add(event.IncidentReassigned, id, at, d)
	case 11:
		m.actor(d, false)
		m.attributes(d)
		m.add(event.IncidentUpdated, id, at, d)
	case 12:
		m.note(id, at, d)
	case 13:
		d["person"], d["state"] = pick(m.r, people), pick(m.r, []string{"pending", "accepted", "declined"})
		m.add(pick(m.r, []event.Kind{event.ResponderResponded, event.ResponderResponded, event.ResponderRequested}), id, at, d)
	case 14:
		d["level"], d["reason"] = m.r.Intn(3), "exhausted"
		m.add(pick(m.r, []event.Kind{event.PageUnanswered, event.PageUnanswered, event.PageFailed}), id, at, d)
	default:
		m.page(at, id)
	}
}

// note covers the rarer kinds, a second opening (perhaps a drill) among them.
func (m *maker) note(id string, at time.Time, d map[string]any) {
	switch m.r.Intn(5) {
	case 0:
		m.actor(d, false)
		d["until"] = at.Add(time.Hour)
		m.add(event.IncidentSnoozed, id, at, d)
	case 1:
		m.actor(d, false)
		d["into"] = "i0"
		m.add(event.IncidentMerged, id, at, d)
	case 2:
		m.open(id, at)
	default:
		m.actor(d, false)
		d["text"] = "hm"
		m.add(event.IncidentNoted, id, at, d)
	}
}

// target is a person, a team, a policy or something that stands for no team.
func (m *maker) target() string {
	switch m.r.Intn(8) {
	case 0, 1, 2:
		return "person:" + pick(m.r, people)
	case 3, 4:
		return "team:" + pick(m.r, append([]string{"ghosts"}, teams...))
	case 5, 6:
		return "policy:" + pick(m.r, policies)
	}
	return pick(m.r, []string{"policy:none", "person:nobody@example.org", "schedule:rota", "team:"})
}

func (m *maker) targets() []string {
	out := []string{}
	for range m.r.Intn(4) {
		out = append(out, m.target())
	}
	return out
}

// page sends one page, of an incident or of none.
func (m *maker) page(at time.Time, incident string) { m.pageTo(at, incident, pick(m.r, people)) }

func (m *maker) pageTo(at time.Time, incident, person string) {
	d := map[string]any{
		"page":    fmt.Sprint("p", m.r.Intn(1+len(m.events))), // ids of pages may repeat
		"channel": pick(m.r, []string{"push", "push", "sms", "phone", "email", "chat", "webhook", "unknown"}),
	}
	if incident != "" {
		d["incident"] = incident
	}
	if !m.chance(8) {
		d["person"] = person
	}
	if m.chance(3) {
		d["level"] = m.r.Intn(3)
	}
	if m.chance(4) {
		d["urgency"] = pick(m.r, []string{"high", "low"})
	}
	if m.chance(5) {
		d["delivered"] = m.chance(2)
	}
	m.add(event.PageSent, "page", at, d)
}

// burst pages one or two people again and again at the distances of the rules.
func (m *maker) burst() {
	at, who := m.moment(), []string{pick(m.r, people), pick(m.r, people)}
	for range 2 + m.r.Intn(7) {
		id := ""
		if len(m.opened) > 0 && !m.chance(4) {
			id = pick(m.r, m.opened)
		}
		m.pageTo(at, id, pick(m.r, who))
		if gap := pick(m.r, ruleGaps); gap >= 0 {
			at = at.Add(gap)
		}
	}
}
