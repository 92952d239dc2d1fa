package dashboards

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// adviseTeam asks what a team should learn next, where the asker may read it; its result
// makes the card after wait.
func (s *Server) adviseTeam(ask *asker, team string) func(*filter) []card {
	if !s.advises() || ask.who.Advised(team) != nil {
		return func(*filter) []card { return nil }
	}
	a, w := s.advise(ask, team), ask.who
	return func(f *filter) []card {
		return []card{s.advice(f, w, card{ID: "advice", Title: "What should we learn next?", Wide: "w12"}, team, a, nil)}
	}
}

// adviseOwn likewise, of the asker.
func (s *Server) adviseOwn(ask *asker) func(*filter) []card {
	if !s.advises() || ask.who.Learns() != nil {
		return func(*filter) []card { return nil }
	}
	a, w := s.advise(ask, ""), ask.who
	return func(f *filter) []card {
		return []card{s.advice(f, w, card{ID: "advice", Title: "What should I learn before my next shift?", Wide: "w12"}, "", a, nil)}
	}
}

// teachesCard answers, of an incident: what teaches what it took? Nil where nobody said what
// it took, or the reader can do nothing about it.
func (s *Server) teachesCard(f *filter, w access.Who, inc *analytics.Incident) *card {
	if s.Learn == nil || w.Learns() != nil && !w.HeadsTeam(inc.OwnerThen) && !w.HeadsTeam(inc.OwnerNow) {
		return nil
	}
	skills := tookSkills(inc.Events)
	if len(skills) == 0 {
		return nil
	}
	cur := s.Learn.Curriculum()
	c := card{ID: "teaches", Title: "What teaches what it took?", Wide: "w12"}
	t := &table{List: true, Caption: "Modules for the skills that the incident took", Head: heads("skill", "module", "#minutes", "leads to", "do")}
	for _, id := range skills {
		k, ok := cur.Skill(id)
		if !ok {
			continue
		}
		for _, m := range cur.TeachesSkill(id) {
			do := ref("start", at("training", m.ID))
			for _, team := range []string{inc.OwnerNow, inc.OwnerThen} {
				if w.HeadsTeam(team) {
					do = ref("assign", s.assignHref(f, m.ID, "team:"+team, "incident "+inc.ID+" took "+k.Name, []string{inc.ID}, time.Time{}))
					break
				}
			}
			level := 1
			for _, x := range m.Skills {
				if x.ID == id {
					level = max(level, x.MaxLevel)
				}
			}
			t.add(txt(k.Name), s.moduleCell(m.ID), counted(float64(m.Minutes)), txt("level "+count(float64(level))), do)
		}
	}
	if len(t.Rows) == 0 {
		return nil
	}
	c.N = plural(float64(len(skills)), "skill", "skills")
	c.Say = say("It took ", strong(list(namesOf(skills, func(id string) string { k, _ := cur.Skill(id); return or(k.Name, id) }))), ", by a rule, its responders or a reviewer. Those that lead furthest stand first.")
	c.Body = t
	return &c
}

func namesOf(ids []string, name func(string) string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = name(id)
	}
	return out
}

// tookSkills are the skills that the tags among an incident's events say, and no later word
// took back; events come in order of their time.
func tookSkills(events []analytics.EventRow) []string {
	by := map[string]map[string]bool{} // skill → bases that stand
	for _, e := range events {
		if e.Kind != "skill.tagged" && e.Kind != "skill.untagged" {
			continue
		}
		var d struct{ Skill, Basis string }
		if json.Unmarshal([]byte(e.Data), &d) != nil || d.Skill == "" {
			continue // shown raw in the timeline
		}
		switch {
		case e.Kind == "skill.tagged":
			if by[d.Skill] == nil {
				by[d.Skill] = map[string]bool{}
			}
			by[d.Skill][d.Basis] = true
		case d.Basis == "":
			delete(by, d.Skill)
		default:
			if delete(by[d.Skill], d.Basis); len(by[d.Skill]) == 0 {
				delete(by, d.Skill)
			}
		}
	}
	var out []string
	for skill := range by {
		out = append(out, skill)
	}
	slices.Sort(out)
	return out
}
