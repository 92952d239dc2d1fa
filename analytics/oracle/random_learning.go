package oracle

import (
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// What people show, tag and learn in random histories.
var (
	skills  = []string{"alert-triage", "datastore-ops", "queue-stream-ops"}
	modules = []string{"FX3", "FX4", "PG1"}
	tracks  = []string{"FX", "PG"}
	// Kinds of evidence; solos are frequent, so that people become independent.
	evidenceKinds = []string{"solo", "solo", "solo", "reverse_shadow", "led", "assist", "taught", "taught", "drill", "drill", "attested",
		"quiz", "shadow", "module", "rumour"}
)

// learning tells one more thing about skills, and what depends on them.
func (m *maker) learning() {
	switch n := m.r.Intn(20); {
	case n < 7:
		m.showing()
	case n < 11:
		m.tagged()
	case n < 12:
		m.voided()
	case n < 13:
		service := pick(m.r, services)
		m.add(event.ServiceDescribed, service, m.before(), map[string]any{"service": service, "name": service, "tier": 1 + m.r.Intn(2)})
	case n < 14:
		m.longWatch()
	default:
		m.training()
	}
}

// before is up to two years before a focal moment: what is long past still counts, but not
// as current.
func (m *maker) before() time.Time {
	if m.chance(3) {
		return m.moment()
	}
	return pick(m.r, m.focal).Add(-time.Duration(m.r.Intn(260*86400)) * time.Second)
}

// showing is one person's evidence in one skill: a few pieces, on one day or on several.
func (m *maker) showing() {
	person, skill, at := pick(m.r, people), pick(m.r, skills), m.before()
	kinds := []string{"drill", "solo", "drill"} // level 3, unless the drills are the same
	if m.chance(2) {
		kinds = nil
		for range 1 + m.r.Intn(6) {
			kinds = append(kinds, pick(m.r, evidenceKinds))
		}
	}
	for _, kind := range kinds {
		ref := fmt.Sprint("drill", m.r.Intn(3))
		if len(m.opened) > 0 && m.chance(2) {
			ref = pick(m.r, m.opened)
		}
		m.add(event.SkillEvidenced, person, at, map[string]any{"person": person, "skill": skill, "kind": kind, "ref": ref, "rule_version": "1"})
		m.proof = append(m.proof, m.events[len(m.events)-1].ID)
		if m.chance(2) {
			at = at.Add(time.Duration(m.r.Intn(20*86400)) * time.Second)
		}
	}
}

func (m *maker) voided() {
	id := "nothing"
	if len(m.proof) > 0 {
		id = pick(m.r, m.proof)
	}
	m.add(event.EvidenceVoided, id, m.moment(), map[string]any{"evidence": id, "reason": "it was somebody else"})
}

func (m *maker) tagged() {
	for range 1 + m.r.Intn(4) {
		id := "ghost" // an incident that was never heard of
		if len(m.opened) > 0 && !m.chance(12) {
			id = pick(m.r, m.opened)
		}
		m.add(event.SkillTagged, id, m.moment(), map[string]any{"incident": id, "skill": pick(m.r, skills), "basis": pick(m.r, []string{"rule", "responder", "reviewer"})})
	}
	if !m.chance(3) {
		return
	}
	// Somebody takes one back, or what was never said. The moment may be before the tag's, or
	// its very own, where ids decide.
	last := m.events[len(m.events)-1]
	at, id := m.moment(), pick(m.r, append([]string{last.Key}, m.opened...))
	if m.chance(2) {
		at, id = last.At, last.Key
	}
	d := map[string]any{"incident": id, "skill": pick(m.r, skills), "by": pick(m.r, people)}
	if m.chance(2) {
		d["basis"] = pick(m.r, []string{"rule", "responder", "reviewer"})
	}
	m.add(event.SkillUntagged, id, at, d)
}

// longWatch is a shift of a week or so: without any, nobody is on call around the clock.
func (m *maker) longWatch() {
	start := m.moment()
	m.add(event.ShiftPlanned, "watch", start.Add(-time.Duration(m.r.Intn(20*24))*time.Hour), map[string]any{
		"schedule": pick(m.r, []string{"rota", "night"}), "person": pick(m.r, people), "shift": fmt.Sprint("watch", len(m.events)),
		"start": start, "end": start.Add(time.Duration(150+m.r.Intn(60)) * time.Hour), "level": 1 + m.r.Intn(2),
	})
}

// training assigns something or tells what became of it. Ids are few, so that one is
// assigned anew, is begun before it is assigned, or by somebody it is not for.
func (m *maker) training() {
	id, at := fmt.Sprint("a", m.r.Intn(6)), m.moment()
	d := map[string]any{"assignment": id}
	switch n := m.r.Intn(8); {
	case n < 3:
		d["by"] = "lead@example.org"
		if m.chance(4) {
			d["track"] = pick(m.r, tracks)
		} else {
			d["module"] = pick(m.r, modules)
			if m.chance(2) {
				d["track"] = pick(m.r, tracks)
			}
		}
		if m.chance(2) {
			d["team"] = pick(m.r, append([]string{"ghosts"}, teams...))
		}
		if d["team"] == nil || m.chance(3) {
			d["person"] = pick(m.r, people)
		}
		switch m.r.Intn(4) {
		case 0:
			d["due"] = m.moment().Format(time.DateOnly)
		case 1:
			d["due"] = m.moment().Format(time.RFC3339)
		case 2:
			d["due"] = pick(m.r, []string{"", "some day"})
		}
		m.add(event.TrainingAssigned, id, at, d)
	case n == 3:
		d["by"], d["reason"] = "lead@example.org", "equivalent"
		if m.chance(2) {
			d["person"] = pick(m.r, people)
		}
		m.add(event.TrainingWaived, id, at, d)
	default:
		d["module"], d["person"] = pick(m.r, append([]string{"FX"}, modules...)), pick(m.r, people)
		kind := pick(m.r, []event.Kind{event.TrainingStarted, event.TrainingAnswered, event.TrainingPassed, event.TrainingFailed, event.TrainingCompleted, event.TrainingAbandoned})
		if kind == event.TrainingAnswered {
			d["question"], d["correct"] = 1, m.chance(2)
		}
		m.add(kind, id, at, d)
	}
}
