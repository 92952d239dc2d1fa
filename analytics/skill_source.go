package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of what skills are derived from
//
//  1. The rules of package training/evidence are pure; here is what they read: incidents with
//     what was done in them and what they are tagged with, shifts, what was learned, and the
//     evidence that was published before. All of it is the operator's to read, and leaves as
//     people's ids behind their aliases.
//  2. Of an event's copies the one seen first counts, as everywhere.
//  3. What changed since a moment is found by the days of the events that came since, which
//     the projection arrival knows: a quiet hour costs one look at that, a busy one the days
//     of its events and not the history.
//  4. Events of incidents are found by the index over incidents, evidence by the projection
//     skill. Reading 500 incidents of a history of 20,000 takes some 30 ms.

// SkillAct is one incident.* or responder.* event.
type SkillAct struct {
	Kind, Person, Cause, State string
	User                       bool
	At                         time.Time
	To                         []string
}

// SkillTag is one skill.tagged or skill.untagged. Own is one of rules' (of Steward itself).
type SkillTag struct {
	Skill, Basis, By, Rule string
	At                     time.Time
	ID                     string
	Own, Untags            bool
}

// SkillIncident is an incident as rules read it; acts and tags are in order of (at, id).
type SkillIncident struct {
	ID, Service, AlertClass, Title, Severity, Priority string
	Drill, Merged                                      bool
	Acts                                               []SkillAct
	Tags                                               []SkillTag
	Factors, Verdicts                                  []string
}

// skillKinds are the events that what an incident took and shows follows from.
const skillKinds = `('incident.opened', 'incident.acknowledged', 'incident.unacknowledged', 'incident.escalated', 'incident.reassigned', 'incident.updated', 'incident.resolved',
    'incident.reopened', 'incident.snoozed', 'incident.merged', 'incident.noted', 'responder.requested', 'responder.responded', 'page.reviewed', 'review.published', 'skill.tagged', 'skill.untagged')`

// SkillsTouched are the incidents of which something was learned at or after since, whatever
// the rules said themselves apart, and whether anything was learned of modules and drills;
// shifts are those of somebody who goes along. Everything is from the days of such events on.
func (v *View) SkillsTouched(ctx context.Context, since time.Time) (incidents []string, learning bool, along []SkillShift, err error) {
	pass, err := v.who.Derives()
	if err != nil {
		return nil, false, nil, err
	}
	param := []warehouse.Param{{Name: "since", Value: since.UTC()}}
	const days = `seen >= {since:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
  AND at >= (SELECT toDateTime64(min(day), 3, 'UTC') FROM (SELECT day FROM arrival GROUP BY day HAVING max(latest) >= {since:DateTime64(3, 'UTC')}))
  AND toDate32(at) IN (SELECT day FROM arrival GROUP BY day HAVING max(latest) >= {since:DateTime64(3, 'UTC')})`
	err = v.s.look(ctx, pass, "skills touched", v.s.present(), nil, `
SELECT DISTINCT incident FROM events
WHERE kind IN `+skillKinds+` AND incident != '' AND `+days+`
  AND NOT (kind IN ('skill.tagged', 'skill.untagged') AND source = '/steward' AND JSONExtractString(data, 'rule_version') != '')
ORDER BY incident`, param,
		func(r *warehouse.Rows) error {
			var id string
			err := r.Scan(&id)
			incidents = append(incidents, id)
			return err
		})
	if err != nil {
		return nil, false, nil, err
	}
	err = v.s.look(ctx, pass, "learning touched", v.s.present(), nil, `
SELECT 1 FROM events WHERE kind IN ('drill.compiled', 'drill.finished', 'training.passed', 'training.completed') AND source = '/steward' AND `+days+` LIMIT 1`, param,
		func(r *warehouse.Rows) error {
			var one uint8
			learning = true
			return r.Scan(&one)
		})
	if err != nil {
		return nil, false, nil, err
	}
	along, err = v.shifts(ctx, pass, `seen >= {since:DateTime64(3, 'UTC')} AND role IN ('shadow', 'reverse_shadow')`, param)
	return incidents, learning, along, err
}

// SkillsResolved are the incidents with a resolution in [from, to), in the order of the first.
func (v *View) SkillsResolved(ctx context.Context, from, to time.Time) ([]string, error) {
	pass, err := v.who.Derives()
	if err != nil {
		return nil, err
	}
	var out []string
	err = v.s.look(ctx, pass, "incidents resolved", v.s.present(), nil, `
SELECT incident FROM events
WHERE kind = 'incident.resolved' AND incident != '' AND at >= {lower:DateTime64(3, 'UTC')} AND at < {upper:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
GROUP BY incident ORDER BY min(at), incident`,
		[]warehouse.Param{{Name: "lower", Value: from.UTC()}, {Name: "upper", Value: to.UTC()}},
		func(r *warehouse.Rows) error {
			var id string
			err := r.Scan(&id)
			out = append(out, id)
			return err
		})
	return out, err
}

// SkillsSpan is when incidents were resolved first and last; zero if none ever was.
func (v *View) SkillsSpan(ctx context.Context) (first, last time.Time, err error) {
	pass, err := v.who.Derives()
	if err != nil {
		return first, last, err
	}
	var n uint64
	err = v.s.look(ctx, pass, "span of resolutions", v.s.present(), nil, `
SELECT min(at), max(at), count() FROM events WHERE kind = 'incident.resolved' AND incident != '' AND at <= {as_of:DateTime64(3, 'UTC')}`, nil,
		func(r *warehouse.Rows) error { return r.Scan(&first, &last, &n) })
	if n == 0 {
		return time.Time{}, time.Time{}, err
	}
	return first, last, err
}

// SkillIncidents are incidents by id, in no order that matters; those that no event names are
// left out.
func (v *View) SkillIncidents(ctx context.Context, ids []string) ([]SkillIncident, error) {
	pass, err := v.who.Derives()
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	// Their days first: reading what was done reads those and not the history.
	var from, to time.Time
	err = v.s.look(ctx, pass, "span of incidents", v.s.present(), nil, `
SELECT min(at), max(at) FROM events WHERE kind IN `+skillKinds+` AND incident IN {ids:Array(String)} AND at <= {as_of:DateTime64(3, 'UTC')}`,
		[]warehouse.Param{{Name: "ids", Value: ids}}, func(r *warehouse.Rows) error { return r.Scan(&from, &to) })
	if err != nil {
		return nil, err
	}
	index := map[string]int{}
	var out []SkillIncident
	err = v.s.look(ctx, pass, "incidents for skills", v.s.present(), nil, `
SELECT kind, at, id, source, incident, service, person, actor, title, priority, severity, alert_class, cause, state, targets, drill,
    if(kind IN ('skill.tagged', 'skill.untagged', 'page.reviewed', 'review.published'), data, '') AS rest
FROM (SELECT toString(kind) AS kind, at, id, toString(source) AS source, incident, service, person, toString(actor) AS actor, title, toString(priority) AS priority,
        toString(severity) AS severity, toString(alert_class) AS alert_class, toString(cause) AS cause, toString(state) AS state, targets, drill, data
    FROM events
    WHERE events.kind IN `+skillKinds+` AND incident IN {ids:Array(String)} AND at >= {lower:DateTime64(3, 'UTC')} AND at <= {upper:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY incident, at, id, source`,
		[]warehouse.Param{{Name: "ids", Value: ids}, {Name: "lower", Value: from}, {Name: "upper", Value: to}},
		func(r *warehouse.Rows) error {
			var kind, id, source, incident, service, person, actor, title, priority, severity, class, cause, state, rest string
			var at time.Time
			var to []string
			var drill uint8
			if err := r.Scan(&kind, &at, &id, &source, &incident, &service, &person, &actor, &title, &priority, &severity, &class, &cause, &state, &to, &drill, &rest); err != nil {
				return err
			}
			k, known := index[incident]
			if !known {
				k, index[incident], out = len(out), len(out), append(out, SkillIncident{ID: incident})
			}
			i := &out[k]
			if rest != "" {
				return i.found(v.s, alias, kind, source, id, at, rest)
			}
			if strings.HasPrefix(kind, "incident.") {
				latest := func(into *string, value string) {
					if value != "" {
						*into = value
					}
				}
				latest(&i.Service, service)
				latest(&i.Title, v.s.reveal(title))
				latest(&i.Priority, priority)
				latest(&i.Severity, severity)
				latest(&i.AlertClass, class)
			}
			i.Drill = i.Drill || drill == 1 && kind == "incident.opened"
			i.Merged = i.Merged || kind == "incident.merged"
			a := SkillAct{Kind: kind, At: at, Cause: cause, State: state, User: actor == "user"}
			if person != "" {
				a.Person = v.s.reveal(alias.person(person))
			}
			for _, t := range to {
				if p, ok := strings.CutPrefix(t, "person:"); ok {
					t = "person:" + v.s.reveal(alias.person(p))
				}
				a.To = append(a.To, t)
			}
			i.Acts = append(i.Acts, a)
			return nil
		})
	return out, err
}

// found reads an event of what people and rules found out about an incident.
func (i *SkillIncident) found(s *Store, alias aliases, kind, source, id string, at time.Time, data string) error {
	var d struct {
		Skill, Basis, By, Rule, Verdict string
		Version                         json.RawMessage `json:"rule_version"`
		Factors                         []string
	}
	if json.Unmarshal([]byte(s.revealJSON(data)), &d) != nil {
		return nil // a stranger's, whose members are of other types
	}
	switch kind {
	case "page.reviewed":
		i.Verdicts = append(i.Verdicts, d.Verdict)
	case "review.published":
		i.Factors = append(i.Factors, d.Factors...)
	default:
		own := source == "/steward" && len(d.Version) > 0
		by := d.By
		if by != "" {
			by = s.canonical(alias, by)
		}
		i.Tags = append(i.Tags, SkillTag{d.Skill, d.Basis, by, d.Rule, at, id, own, kind == "skill.untagged"})
	}
	return nil
}

// SkillShift is a shift by its last statement. ID is as it is stored, with people's tokens in
// it: it tells shifts apart, and is nobody's to read. Role is empty where none was given.
type SkillShift struct {
	ID, Schedule, Person, Role string
	Start, End                 time.Time
	Level                      int
	Worked                     bool
}

// SkillShifts are the shifts of schedules on which anybody goes along that overlap [from, to).
func (v *View) SkillShifts(ctx context.Context, from, to time.Time) ([]SkillShift, error) {
	pass, err := v.who.Derives()
	if err != nil {
		return nil, err
	}
	return v.shifts(ctx, pass, `start < {upper:DateTime64(3, 'UTC')} AND end > {lower:DateTime64(3, 'UTC')}
  AND schedule IN (SELECT schedule FROM shift WHERE role IN ('shadow', 'reverse_shadow'))`,
		[]warehouse.Param{{Name: "lower", Value: from.UTC()}, {Name: "upper", Value: to.UTC()}})
}

func (v *View) shifts(ctx context.Context, pass access.Pass, where string, params []warehouse.Param) ([]SkillShift, error) {
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	var out []SkillShift
	err = v.s.look(ctx, pass, "shifts for skills", v.s.present(), nil, `
SELECT shift, l.1 AS schedule, l.2 AS person, l.3 AS role, l.4 AS start, l.5 AS end, l.6 AS level, l.7 = 3 AS worked
FROM (
    SELECT shift, argMax((schedule, person, toString(role), start, end, level, rank), (at, id, source)) AS l, max(seen) AS seen
    FROM (SELECT * FROM shift WHERE at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen, at LIMIT 1 BY source, id)
    GROUP BY shift)
WHERE `+where+` ORDER BY shift`, params,
		func(r *warehouse.Rows) error {
			var s SkillShift
			var level int16
			var worked uint8
			if err := r.Scan(&s.ID, &s.Schedule, &s.Person, &s.Role, &s.Start, &s.End, &level, &worked); err != nil {
				return err
			}
			s.Person, s.Level, s.Worked = v.s.reveal(alias.person(s.Person)), int(level), worked == 1
			out = append(out, s)
			return nil
		})
	return out, err
}

// SkillsActed are the incidents about which any of these people did something in [from, to).
func (v *View) SkillsActed(ctx context.Context, people []string, from, to time.Time) ([]string, error) {
	pass, err := v.who.Derives()
	if err != nil {
		return nil, err
	}
	ids, err := v.s.idsOf(ctx, people)
	if err != nil {
		return nil, err
	}
	var out []string
	err = v.s.look(ctx, pass, "incidents acted in", v.s.present(), nil, `
SELECT DISTINCT incident FROM events
WHERE kind IN `+skillKinds+` AND startsWith(kind, 'incident.') AND kind != 'incident.opened' AND incident != '' AND person IN {people:Array(String)}
  AND at >= {lower:DateTime64(3, 'UTC')} AND at < {upper:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
ORDER BY incident`,
		[]warehouse.Param{{Name: "people", Value: ids}, {Name: "lower", Value: from.UTC()}, {Name: "upper", Value: to.UTC()}},
		func(r *warehouse.Rows) error {
			var id string
			err := r.Scan(&id)
			out = append(out, id)
			return err
		})
	return out, err
}

// idsOf are all ids under which the log may hold these people, their aliases' too.
func (s *Store) idsOf(ctx context.Context, people []string) ([]string, error) {
	alias, err := s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	ids := s.stored(people)
	for i := 1; i < len(alias.from); i++ {
		if slices.Contains(people, s.reveal(alias.to[i])) {
			ids = append(ids, alias.from[i])
		}
	}
	return ids, nil
}

// SkillLearned is a passed quiz, a completed module or a finished drill of somebody.
type SkillLearned struct {
	Kind, Person       string // training.passed, training.completed, drill.finished
	Module, Assignment string
	Drill              string
	Attempt            string // of a drill
	Score              float64
	At                 time.Time
	Author             bool // of the drill, published by this person
}

// SkillsLearned are those that Steward itself is the witness of, in order of time.
func (v *View) SkillsLearned(ctx context.Context) ([]SkillLearned, error) {
	pass, err := v.who.Derives()
	if err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	authors, err := v.s.drillAuthors(ctx, pass)
	if err != nil {
		return nil, err
	}
	var out []SkillLearned
	err = v.s.look(ctx, pass, "what was learned", v.s.present(), nil, `
SELECT kind, at, person, data
FROM (SELECT toString(kind) AS kind, at, id, source, person, data FROM events
    WHERE events.kind IN ('training.passed', 'training.completed', 'drill.finished') AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`, nil,
		func(r *warehouse.Rows) error {
			var l SkillLearned
			var person, data string
			if err := r.Scan(&l.Kind, &l.At, &person, &data); err != nil {
				return err
			}
			var said struct {
				Module, Assignment, Drill string
				Attempt                   any // a drill's is an id, a quiz's a number
				Score                     float64
			}
			if err := json.Unmarshal([]byte(v.s.revealJSON(data)), &said); err != nil {
				return fmt.Errorf("%s: %w", l.Kind, err)
			}
			l.Module, l.Assignment, l.Drill, l.Score = said.Module, said.Assignment, said.Drill, said.Score
			l.Attempt, _ = said.Attempt.(string)
			l.Person = v.s.reveal(alias.person(person))
			l.Author = slices.Contains(authors[l.Drill], l.Person)
			out = append(out, l)
			return nil
		})
	return out, err
}

// SkillEvidence is the evidence in the log about these things, voided or not: of the kinds, if
// any are named, else of all.
func (v *View) SkillEvidence(ctx context.Context, refs, kinds []string) ([]EvidenceRow, error) {
	pass, err := v.who.Derives()
	if err != nil || len(refs) == 0 {
		return nil, err
	}
	where := "ref IN {refs:Array(String)}"
	params := []warehouse.Param{{Name: "refs", Value: append(slices.Clone(refs), v.s.stored(refs)...)}}
	if len(kinds) > 0 {
		where += " AND kind IN {kinds:Array(String)}"
		params = append(params, warehouse.Param{Name: "kinds", Value: kinds})
	}
	return v.evidence(ctx, pass, where, params)
}
