package dashboards

import (
	"fmt"
	"math"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// What the overview and a team's page say of skills.

// coverMost is how many of a team's most demanded skills its coverage is a mean over.
const coverMost = 5

// weekAhead is the share of a team's on-call hours of the coming days with somebody current, as
// a mean over its most demanded skills; ok is false where that is not known or not shown.
func (x *skillAnswers) weekAhead(team string, days int, f *filter) (share float64, skills int, ok bool) {
	until := f.now.AddDate(0, 0, days)
	on, covered := 0.0, 0.0
	for _, skill := range x.demanded(team, coverMost) {
		skills++
		for _, p := range x.parts {
			if !p.from.Before(until) {
				break
			}
			c := p.cover(x.pieces, team, skill)
			if c.hidden {
				return 0, 0, false
			}
			on, covered = on+c.onCall, covered+c.covered
		}
	}
	if on == 0 {
		return 0, skills, false
	}
	return covered / on, skills, true
}

// coverCell is a team's coverage of the coming week in the table of teams.
func (f *filter) coverCell(x *skillAnswers, team string) cell {
	if x == nil || x.gapsErr != nil || x.piecesErr != nil {
		return dash()
	}
	share, skills, ok := x.weekAhead(team, weekDays, f)
	if !ok {
		return dash()
	}
	return num(fmt.Sprintf("%.0f %%", math.Floor(100*share+1e-9))).with("of " + plural(float64(skills), "skill", "skills"))
}

// shiftLack says what the coming week lacks, for the overview's third question.
func (s *Server) shiftLack(c echo.Context, f *filter, n *names, x *skillAnswers) []bit {
	if x == nil || x.gapsErr != nil || x.piecesErr != nil {
		return nil
	}
	first, short, measured := x.firstLack(n, who(c).InTeam, f.now.AddDate(0, 0, weekDays))
	lacking, teams := len(short), len(measured)
	if teams == 0 {
		return nil
	}
	if first == nil && lacking == 0 {
		return say(" In the coming ", weekDays, " days every hour on call has somebody current in what incidents take most.")
	}
	out := say(" In the coming ", weekDays, " days ", strong(count(float64(lacking))+" of "+plural(float64(teams), "team", "teams")), verb(lacking, " has", " have"), " hours on call with nobody ",
		linked("current in a skill that their incidents take most", f.link("/skills", "window", "")))
	if first != nil {
		out = append(out, say(", such as ", first.part.shift()+" of "+n.team(first.team), " in ", s.skillName(first.skill))...)
	}
	return append(out, bit{Text: "."})
}

// What it takes for a gap to need attention.
const (
	gapAt        = 5 // of demand; ten plain incidents with nobody current, and nothing that left the team
	missingShown = 5
)

// skillTodos is the one line on skills among what needs attention: a coming part of the week in
// which nobody on call is current, else the largest gap. The cards below have the others.
func (s *Server) skillTodos(c echo.Context, f *filter, n *names, team string, x *skillAnswers) []todo {
	if x == nil || x.gapsErr != nil || x.piecesErr != nil {
		return nil
	}
	act := func(skill string) (string, string) {
		for _, g := range x.gaps {
			if m := s.teaches(skill); m != nil && g.Skill == skill && who(c).HeadsTeam(team) {
				return "Assign a module", assignHref(m, team, s.gapReason(n, g), g.Cites)
			}
		}
		return "See the skill", f.link("/skills", "team", team, "skill", skill, "window", "")
	}
	var out []todo
	first, _, _ := x.firstLack(n, func(string) bool { return true }, f.now.AddDate(0, 0, weekDays))
	if first != nil {
		action, href := act(first.skill)
		out = append(out, todo{Class: "bad", What: say(strong(first.part.shift()), ": nobody on call is current in ", strong(s.skillName(first.skill))),
			Why:    fmt.Sprintf("%s to %s, %s hours on call", first.part.from.Format("2 Jan 15:04"), first.part.to.Format("15:04 MST"), decimal(first.cover.onCall)),
			Action: action, Href: href, Urgency: 7.5e5})
	}
	for _, g := range x.gaps {
		if g.Gap == nil || *g.Gap < gapAt || *g.Supply >= g.Need || len(out) > 0 {
			continue
		}
		action, href := act(g.Skill)
		out = append(out, todo{Class: "warn", What: say(strong(s.skillName(g.Skill)), ": ", count(float64(*g.Supply)), " of ", count(float64(g.Need)), " people needed are current"),
			Why: plural(float64(g.Incidents), "incident", "incidents") + " in a year took it, gap " + decimal(*g.Gap), Action: action, Href: href, Urgency: 3e5 + *g.Gap})
	}
	return out
}

// missingCard is a team's largest gaps with their parts and what to do.
func (s *Server) missingCard(c echo.Context, f *filter, n *names, team string, x *skillAnswers) card {
	k := card{ID: "missing", Title: "Which skills are missing?", Wide: "w7", Err: s.failedRead("skill_gaps", x.gapsErr, x.piecesErr)}
	if k.Err != "" {
		return k
	}
	s.gapFooter(&k, f, &skillAnswers{gaps: x.gaps, left: x.left, team: team})
	k.N = plural(float64(len(x.gaps)), "skill", "skills") + " that incidents of the last 365 days took"
	k.Events, k.EventsText = f.link("/skills", "team", team, "window", "")+"#cited", "the incidents behind"
	if len(x.gaps) == 0 {
		k.CSV, k.Events = "", ""
		k.Empty = say("No incident of the last 365 days was tagged with a skill, so none is missed. A tag comes by rule, or by one tap on an incident’s page.")
		for _, w := range x.left {
			if w.Key == team {
				k.Empty = say("Not shown: ", w.Reason, ".")
			}
		}
		return k
	}
	k.Body = &table{List: true, Caption: "The largest gaps with all their parts", Head: heads("skill", "#incidents", "#demand", "#current", "#covered", "#away", "#gap", "do")}
	for _, g := range x.gaps[:min(missingShown, len(x.gaps))] {
		cell0 := f.skillCell(s, g.Skill, team)
		cell0.Href = f.link("/skills", "skill", g.Skill, "team", team, "window", "")
		p := gapCells(g) // supply and need stand as one
		if g.Supply != nil {
			p[2].Text += " of " + p[3].Text
		}
		k.Body.add(cell0, p[0], p[1], p[2], p[4], p[5], p[6], cell{Acts: s.acts(who(c), n, g)[:1]})
	}
	k.Say = say("The largest gaps of ", strong(plural(float64(len(x.gaps)), "skill", "skills")), " that incidents took. ")
	if share, skills, ok := x.weekAhead(team, weekDays, f); ok {
		k.Say = append(k.Say, say("In the coming ", weekDays, " days ", strong(fmt.Sprintf("%.0f %%", math.Floor(100*share+1e-9))), " of on-call hours have somebody current, as a mean over the ", plural(float64(skills), "skill", "skills"), " taken most. ")...)
	}
	k.Say = append(k.Say, linked("All skills of the team", f.link("/skills", "team", team, "window", "")), bit{Text: "."})
	return k
}

// learnsCard says what a team is to learn and how far it is, in counts; who is who stands on the
// lead's page of training.
func (s *Server) learnsCard(c echo.Context, f *filter, team string, r *result) card {
	k := card{ID: "learns", Title: "Who learns what?", Wide: "w5", Err: s.failed(r)}
	if k.Err != "" {
		return k
	}
	w := r.total()
	k.sourced(f, r, plural(w.n("assigned"), "assignment", "assignments")+" of the last 90 days", "")
	if len(r.rows()) == 0 {
		k.Empty = say("Nothing was assigned to this team in the last 90 days. ")
		for _, x := range r.notes() {
			k.Empty = say("Nothing to show: ", x, ". ")
		}
		k.Empty = append(k.Empty, say(linked("Modules", "/training"), " are assigned from a gap or from a module’s page.")...)
		return k
	}
	t := &table{Caption: "Assignments of the team by module", Head: heads("module", "#assigned", "#done", "#overdue")}
	for _, m := range r.rows() {
		t.add(s.moduleCell(m.key()), counted(m.n("assigned")), counted(m.n("completed")), counted(m.n("overdue")))
	}
	k.Say = say(strong(count(w.n("completed"))+" of "+plural(w.n("assigned"), "assignment", "assignments")), " completed, ", strong(count(w.n("overdue"))+" overdue"), ", ", count(w.n("waived")), " waived. ")
	if who(c).HeadsTeam(team) {
		k.Say = append(k.Say, say(linked("By person, without scores", "/training#due"), ".")...)
	} else {
		k.Say = append(k.Say, say("By person it is the lead’s and each one’s own.")...)
	}
	k.Body = t
	return k
}

// skilled says whether a page speaks of skills: there is a curriculum to act by, and the page
// is of now, as the reads of skills are.
func (a *asker) skilled() bool {
	return a.s.Learn != nil && a.f.get("as_of") == "" && a.f.get("known_at") == ""
}

// teamSkills are the questions about a team's skills; nil where the page does not speak of them.
func (a *asker) teamSkills(team string) (*skillAnswers, *result) {
	if !a.skilled() {
		return nil, nil
	}
	return a.skills(analytics.SkillFilter{Team: []string{team}}, weekDays), a.metric("training_progress", "team", team, "by", "module", "from", "", "to", "")
}
