package oracle

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// weights of evidence in hundredths, by kind. Others have none.
var weights = map[string]int{"solo": 100, "reverse_shadow": 70, "led": 60, "assist": 40, "taught": 50, "drill": 50, "attested": 30,
	"quiz": 20, "shadow": 15, "module": 10}

// evidence is what somebody showed of a skill.
type evidence struct {
	person, skill, kind, ref string
	at                       time.Time
}

// standing is all evidence that has a weight and that no voiding takes out, in order.
func (q *question) standing() []evidence {
	voided := map[string]bool{}
	for _, f := range q.facts {
		if f.Kind == event.EvidenceVoided {
			voided[f.raw.Evidence] = true
		}
	}
	var out []evidence
	for _, f := range q.facts {
		if f.Kind == event.SkillEvidenced && !voided[f.ID] && weights[f.raw.Kind] > 0 {
			out = append(out, evidence{q.who(f.f.Person), f.raw.Skill, f.raw.Kind, string(f.raw.Ref), f.At})
		}
	}
	return out
}

// ability is what is known of a person's skill at a moment.
type ability struct {
	level     int
	weight    int
	last      time.Time // the last evidence that qualifies
	retention float64
}

// able judges one person's evidence in one skill up to t. ok is false without any.
func (q *question) able(all []evidence, person, skill string, t time.Time) (a ability, ok bool) {
	var last, lastStrong time.Time
	strong, capped := 0, 0
	count := map[string]int{}
	days, drills := map[string]bool{}, map[string]bool{}
	for _, e := range all {
		if e.person != person || e.skill != skill || e.at.After(t) {
			continue
		}
		ok = true
		count[e.kind]++
		last = e.at
		if e.kind == "quiz" || e.kind == "module" {
			capped += weights[e.kind]
			continue
		}
		lastStrong = e.at
		strong += weights[e.kind]
		switch e.kind {
		case "solo":
			days[e.at.In(q.zone).Format(time.DateOnly)] = true
		case "drill":
			drills[e.ref] = true
		}
	}
	if strong > 0 || count["quiz"] > 0 && count["module"] > 0 {
		a.level = 1
	}
	if len(drills) >= 1 || count["shadow"]+count["reverse_shadow"]+count["assist"]+count["led"]+count["solo"] >= 2 {
		a.level = 2
	}
	if strong >= 300 && len(days) >= 2 || count["solo"] >= 1 && len(drills) >= 2 {
		a.level = 3
		if count["taught"] >= 2 {
			a.level = 4
		}
	}
	a.weight, a.last = strong+capped, last
	if a.level > 1 {
		a.last = lastStrong
	}
	a.retention = math.Exp2(-t.Sub(a.last).Hours() / 24 / 200)
	return a, ok
}

// isSupply: at level 3 or above, and current.
func (a ability) isSupply() bool { return a.level >= 3 && a.retention >= 0.7 }

// inTeams: the person is in one of the teams, if any are named, as of as_of; the empty one is
// that of people who are in none.
func (q *question) inTeams(person string) bool {
	teams, _ := q.teams(person, q.AsOf)
	if len(teams) == 0 {
		teams = []string{""}
	}
	return len(q.Team) == 0 || slices.ContainsFunc(teams, func(t string) bool { return slices.Contains(q.Team, t) })
}

// skillNames are the skills asked for, else those that anything named.
func (q *question) skillNames() []string {
	known := map[string]bool{}
	for _, s := range q.Skill {
		known[s] = true
	}
	for _, f := range q.facts {
		if f.Kind == event.SkillEvidenced || f.Kind == event.SkillTagged {
			known[f.raw.Skill] = len(q.Skill) == 0 || known[f.raw.Skill]
		}
	}
	maps.DeleteFunc(known, func(s string, is bool) bool { return s == "" || !is })
	return slices.Sorted(maps.Keys(known))
}

// peopleIn are those whom evidence is about, in order.
func peopleIn(all []evidence) []string {
	out := map[string]bool{}
	for _, e := range all {
		out[e.person] = true
	}
	return slices.Sorted(maps.Keys(out))
}

// skillLevels shows what each person can do as of as_of.
func (q *question) skillLevels() Result {
	rows, all := map[rowKey]*ability{}, q.standing()
	asked := []string{}
	for _, p := range q.Person {
		asked = append(asked, q.who(p))
	}
	for _, person := range peopleIn(all) {
		for _, skill := range q.skillNames() {
			a, ok := q.able(all, person, skill, q.AsOf)
			if !ok || !passes(asked, person) || !q.inTeams(person) {
				continue
			}
			key := person
			if q.By == "skill" {
				key = skill
			}
			r := at(rows, rowKey{"", key})
			r.level, r.weight = max(r.level, a.level), r.weight+a.weight
			r.retention = max(r.retention, a.retention)
			if a.last.After(r.last) {
				r.last = a.last
			}
		}
	}
	return table([]string{"level", "weight", "retention", "last_evidence"}, rows, func(a *ability) []any {
		return []any{int64(a.level), float64(a.weight) / 100, round6(a.retention), a.last.UTC().Format("2006-01-02T15:04:05.000Z")}
	})
}

func round6(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// tags are the skills of each incident. Facts come in order, so an untag finds what it takes
// back, and what is said after it stands.
func (q *question) tags() map[string][]string {
	said := map[string]map[string]map[string]bool{} // incident, skill, basis
	for _, f := range q.facts {
		id, skill := f.f.Incident, f.raw.Skill
		if f.Kind != event.SkillTagged && f.Kind != event.SkillUntagged || !passes(q.Skill, skill) {
			continue
		}
		if said[id] == nil {
			said[id] = map[string]map[string]bool{}
		}
		switch {
		case f.Kind == event.SkillTagged && said[id][skill] == nil:
			said[id][skill] = map[string]bool{f.raw.Basis: true}
		case f.Kind == event.SkillTagged:
			said[id][skill][f.raw.Basis] = true
		case f.raw.Basis == "":
			delete(said[id], skill)
		default:
			delete(said[id][skill], f.raw.Basis)
		}
	}
	out := map[string][]string{}
	for id, skills := range said {
		for skill, by := range skills {
			if len(by) > 0 {
				out[id] = append(out[id], skill)
			}
		}
		slices.Sort(out[id])
	}
	return out
}

// tierOne are the teams that own a service of tier 1 as of as_of.
func (q *question) tierOne() map[string]bool {
	tier := map[string]int{}
	for _, f := range q.facts {
		if f.Kind == event.ServiceDescribed && f.raw.Tier > 0 {
			tier[f.f.Service] = f.raw.Tier
		}
	}
	out := map[string]bool{}
	for service, n := range tier {
		if team, _ := q.owner(service, q.AsOf); team != "" && n == 1 {
			out[team] = true
		}
	}
	return out
}

// byTime orders moments.
func byTime(t []time.Time) []time.Time {
	slices.SortFunc(t, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) })
	return slices.CompactFunc(t, time.Time.Equal)
}
