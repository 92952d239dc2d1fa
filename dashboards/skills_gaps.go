package dashboards

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// assignForm is where the page of a module assigns it.
const assignForm = "#assign"

// teaches is the module to give for a skill: of those that lead furthest, one that is about
// this skill before others.
func (s *Server) teaches(skill string) *training.Module {
	if s.Learn == nil {
		return nil
	}
	level := func(m *training.Module) int {
		i := slices.IndexFunc(m.Skills, func(t training.Teaches) bool { return t.ID == skill })
		return m.Skills[i].MaxLevel
	}
	all := s.Learn.Curriculum().TeachesSkill(skill)
	for _, m := range all {
		if m.Skills[0].ID == skill && level(m) == level(all[0]) {
			return m
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// assignHref is the form that assigns a module to a team, filled in but for the date.
func assignHref(m *training.Module, team, reason string, cites []string) string {
	v := url.Values{"for": {"team:" + team}, "reason": {clip(reason, 480)}}
	if len(cites) > 0 {
		v.Set("cites", strings.Join(cites, ","))
	}
	return at("training", m.ID) + "?" + v.Encode() + assignForm
}

func drillsHref(team, skill string) string {
	return "/drills?" + url.Values{"skill": {skill}, "team": {team}}.Encode()
}

// acts are what can be done about a gap: assign the module, where the asker gives the team
// work, or read it; and a drill.
func (s *Server) acts(w access.Who, n *names, g analytics.GapRow) []bit {
	var out []bit
	if m := s.teaches(g.Skill); m != nil {
		if w.HeadsTeam(g.Team) {
			out = append(out, linked("Assign "+m.ID, assignHref(m, g.Team, s.gapReason(n, g), g.Cites)))
		} else {
			out = append(out, linked("Read "+m.ID, at("training", m.ID)))
		}
	}
	return append(out, linked("Book a drill", drillsHref(g.Team, g.Skill)))
}

// gapReason says a gap in the words that stand on people's pages. Who reads them is in the
// team, and a supply that is withheld is not in them.
func (s *Server) gapReason(n *names, g analytics.GapRow) string {
	out := fmt.Sprintf("%s: %s took it", s.skillName(g.Skill), plural(float64(g.Incidents), "incident of ours", "incidents of ours"))
	if g.Supply != nil {
		out += fmt.Sprintf("; %d of %d people needed are current", *g.Supply, g.Need)
	}
	return out
}

// gapCells are a gap's parts, all of them, always.
func gapCells(g analytics.GapRow) []cell {
	out := []cell{counted(float64(g.Incidents)), counted(float64(g.Demand)), dash(), counted(float64(g.Need)), dash(), sharePercent(g.Away), dash()}
	if g.Supply != nil {
		out[2] = counted(float64(*g.Supply))
	}
	if g.Coverage != nil {
		out[4] = sharePercent(*g.Coverage)
	}
	if g.Gap != nil {
		out[6] = num(decimal(*g.Gap))
	}
	return out
}

func sharePercent(v float64) cell { return num(fmt.Sprintf("%.0f %%", 100*v)) }

var gapHeads = []string{"#incidents", "#demand", "#supply", "#need", "#coverage", "#away", "#gap"}

// gapsCard lists what is lacking, the largest first, each with what to do about it.
func (s *Server) gapsCard(c echo.Context, f *filter, n *names, x *skillAnswers) card {
	k := card{ID: "gaps", Title: "Which skills are missing most?", Wide: "w12", Err: s.failedRead("skill_gaps", x.gapsErr)}
	if k.Err != "" {
		return k
	}
	s.gapFooter(&k, f, x)
	if len(x.gaps) == 0 {
		k.Empty = say("No incident of this window was tagged with ", s.whichSkill(x), ", so nothing was demanded: no opportunity is no gap. A longer window shows more; incidents are tagged by rule, by a tap on the incident’s page, or by skill.tagged events.")
		return k
	}
	t := &table{List: true, Caption: "Gaps of teams with all their parts, largest first", Head: heads(append(append([]string{"skill", "team"}, gapHeads...), "do")...)}
	for _, g := range x.gaps[:min(gapsShown, len(x.gaps))] {
		line := append([]cell{f.skillCell(s, g.Skill, g.Team), f.teamCell(n, g.Team)}, gapCells(g)...)
		line[2].Href = f.link("/skills", "skill", g.Skill, "team", g.Team) + "#cited"
		if g.Withheld != "" {
			line[4].Sub = "withheld"
		}
		t.add(append(line, cell{Acts: s.acts(who(c), n, g)})...)
	}
	top := x.gaps[0]
	if top.Gap != nil {
		k.Say = say("Largest: ", strong(s.skillName(top.Skill)+" in "+n.team(top.Team)), ", where ", plural(float64(top.Incidents), "incident", "incidents"), " took it and ", count(float64(*top.Supply)), " of ", count(float64(top.Need)), " people needed are current. ")
	}
	k.Say = append(k.Say, say("gap = demand × (half the share of need that supply leaves open + half of what went away); severe incidents weigh three.")...)
	if len(x.gaps) > gapsShown {
		k.Say = append(k.Say, say(" The ", gapsShown, " largest of ", count(float64(len(x.gaps))), "; the CSV has all.")...)
	}
	k.Body = t
	return k
}

func (s *Server) whichSkill(x *skillAnswers) string {
	if x.skill != "" {
		return s.skillName(x.skill)
	}
	return "a skill"
}

// gapFooter is what stands under figures of gaps.
func (s *Server) gapFooter(k *card, f *filter, x *skillAnswers) {
	if m := s.metrics["skill_gaps"]; m.Name != "" {
		k.Metric = &m
	}
	sum := int64(0)
	for _, g := range x.gaps {
		sum += g.Incidents
	}
	k.N = plural(float64(sum), "tagged incident", "tagged incidents") + ", " + f.since()
	k.CSV = skillCSV("gaps", x)
	k.Events, k.EventsText = f.link("/incidents", "team", x.team), "incidents of the window"
	if x.team != "" || x.skill != "" {
		k.Events, k.EventsText = "#cited", "the incidents behind"
	}
	for _, w := range x.left {
		k.Notes = append(k.Notes, "left out: "+w.Key+", "+w.Reason)
	}
	for _, g := range x.gaps {
		if note := "withheld of " + g.Team + ": " + g.Withheld; g.Withheld != "" && !slices.Contains(k.Notes, note) {
			k.Notes = append(k.Notes, note)
		}
	}
}

// citedCard lists the incidents behind the demand that is looked at.
func (s *Server) citedCard(f *filter, n *names, x *skillAnswers) card {
	k := card{ID: "cited", Title: "Which incidents took it?", Wide: "w12", Err: s.failedRead("skill_gaps", x.citedErr)}
	if k.Err != "" {
		return k
	}
	k.CSV, k.N = skillCSV("incidents", x), plural(float64(len(x.cited)), "incident", "incidents")+", "+f.since()
	if len(x.cited) == 0 {
		k.CSV, k.Empty = "", say("None of this window was tagged so.")
		return k
	}
	t := &table{List: true, Caption: "Incidents by the skills they took, newest first", Head: heads("incident", "opened", "service", "team", "skill", "what of it")}
	away := 0
	for _, i := range x.cited {
		var what []string
		if i.Severe {
			what = append(what, "severe")
		}
		if i.Away {
			away++
			what = append(what, "escalated away")
		}
		t.add(ref(clip(or(i.Title, i.Incident), 120), at("incidents", i.Incident)).with(clip(i.Incident, 60)), f.moment(i.Opened), f.serviceCell(n, i.Service), f.teamCell(n, i.Team), f.skillCell(s, i.Skill, x.team), txt(or(strings.Join(what, ", "), "–")))
	}
	k.Say = say("Newest first")
	if len(x.cited) == citedShown {
		k.Say = say("The newest ", citedShown)
	}
	k.Say = append(k.Say, say("; ", strong(count(float64(away))), " of them left the team that owned the service. An incident that took two skills stands here twice.")...)
	k.Body = t
	return k
}
