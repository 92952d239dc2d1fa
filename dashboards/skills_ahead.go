package dashboards

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/stewardhq/steward/analytics"
)

// aMoment, in hours, is how much of the part that runs may have passed between the page's
// question and the answer it was given, which may be some seconds old.
const aMoment = 0.02

// teamsAhead are those with somebody on call, by name.
func (x *skillAnswers) teamsAhead(n *names) []string {
	var out []string
	for _, p := range x.pieces {
		out = append(out, p.Team)
	}
	return byName(out, n.team)
}

// demanded are the skills that a team's incidents took most, at most so many; the skill that
// is looked at, if one is.
func (x *skillAnswers) demanded(team string, most int) []string {
	if x.skill != "" {
		return []string{x.skill}
	}
	var rows []analytics.GapRow
	for _, g := range x.gaps {
		if g.Team == team {
			rows = append(rows, g)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Demand > rows[j].Demand })
	var out []string
	for _, g := range rows[:min(most, len(rows))] {
		out = append(out, g.Skill)
	}
	return out
}

// charted are the skills of a team that the heat map shows: the most demanded ones, and of those
// that a shift is measured by also who lacks somebody in the coming week. The page's first
// sentence may speak of one of these, and what it says must be seen.
func (x *skillAnswers) charted(team string, most int, until time.Time) []string {
	out := x.demanded(team, most)
	for _, skill := range x.demanded(team, demandedMost) {
		lacks := slices.ContainsFunc(x.parts, func(p part) bool {
			return p.from.Before(until) && p.cover(x.pieces, team, skill).lacks()
		})
		if lacks && !slices.Contains(out, skill) {
			out = append(out, skill)
		}
	}
	return out
}

// demandedMost is how many of a team's most demanded skills a shift is measured by.
const demandedMost = 3

// shareClass colours a covered share; its number stands in the field, so colour is not alone.
func shareClass(k, n float64) string {
	switch {
	case k == 0:
		return "h0"
	case k < n/2:
		return "h1"
	case k < n-1e-9:
		return "h2"
	}
	return "h3"
}

// aheadCard is the rota's heat map.
func (s *Server) aheadCard(f *filter, n *names, x *skillAnswers) card {
	c := card{ID: "ahead", Title: "Are the coming on-call hours covered?", Wide: "w12", Err: s.failedRead("skill_coverage", x.piecesErr, x.gapsErr)}
	if c.Err != "" {
		return c
	}
	teams, most := x.teamsAhead(n), 2
	switch {
	case x.team != "":
		most = 5
	case len(teams) > 10: // a page stays a page
		most = 1
	}
	g := &grid{Caption: "Share of on-call hours with somebody current, by team, skill and part of the coming days, in per cent", Corner: "team, skill"}
	for i, p := range x.parts {
		if i == 0 || !x.parts[i-1].day.Equal(p.day) {
			g.Days = append(g.Days, gridDay{Text: p.day.Format("Mon"), Sub: p.day.Format("2 Jan")})
		}
		g.Days[len(g.Days)-1].Span++
		name := "day"
		if p.night {
			name = "night"
		}
		g.Parts = append(g.Parts, name)
	}
	hours, covered, empty, small := 0.0, 0.0, 0.0, false
	for _, team := range teams {
		var blank []gridCell
		missing := 0.0
		for _, p := range x.parts {
			v := p.cover(x.pieces, team, "")
			none := p.hours() - v.onCall
			cell := gridCell{Text: "", Label: "somebody at every hour"}
			if none > aMoment {
				missing += none
				cell = gridCell{Class: "hx", Text: decimal(none), Label: fmt.Sprintf("nobody for %s of %s hours", decimal(none), decimal(p.hours()))}
			}
			blank = append(blank, cell)
		}
		empty += missing
		for i, skill := range x.charted(team, most, f.now.AddDate(0, 0, weekDays)) {
			row := gridRow{Head: n.team(team), Href: f.link("/skills", "team", team), Sub: s.skillName(skill), SubHref: f.link("/skills", "team", team, "skill", skill)}
			for _, p := range x.parts {
				v := p.cover(x.pieces, team, skill)
				switch {
				case v.onCall == 0:
					row.Cells = append(row.Cells, gridCell{Class: "hx", Text: "–", Label: "nobody on call"})
				case v.hidden:
					small = true
					row.Cells = append(row.Cells, gridCell{Class: "hn", Text: "·", Label: "withheld, the team is too small"})
				default:
					if i < most { // one that is shown for what it lacks would make all look worse
						hours, covered = hours+v.onCall, covered+v.covered
					}
					row.Cells = append(row.Cells, gridCell{Class: shareClass(v.covered, v.onCall), Text: fmt.Sprintf("%.0f", math.Floor(100*v.covered/v.onCall+1e-9)),
						Label: fmt.Sprintf("%s of %s hours", decimal(v.covered), decimal(v.onCall))})
				}
			}
			g.Rows = append(g.Rows, row)
		}
		if missing > 0 {
			g.Rows = append(g.Rows, gridRow{Head: n.team(team), Href: f.link("/skills", "team", team), Sub: "hours with nobody on call", Cells: blank})
		}
	}
	c.CSV = skillCSV("ahead", x)
	m := s.metrics["skill_coverage"]
	if m.Name != "" {
		c.Metric = &m
	}
	if len(x.pieces) == 0 {
		c.CSV = ""
		c.Empty = say("No shift is known for the coming ", aheadDays, " days. Send shift.planned events, or connect a tool that has schedules; a team’s rota then stands here, with what it lacks.")
		return c
	}
	if len(g.Rows) == 0 {
		c.Empty = say("Shifts are known, and no skill to measure them by: no incident of these teams has been tagged. Choose a skill above, or tag incidents.")
		return c
	}
	c.N = count(hours) + " hours on call"
	c.Grid = g
	c.Key = []keyItem{{"h0", "nobody current"}, {"h1", "less than half"}, {"h2", "half or more"}, {"h3", "somebody current at every hour"}, {"hx", "nobody on call"}}
	c.Say = say("The share of on-call hours in which primary or secondary is at level 3 or above and current, in per cent, ")
	switch {
	case x.skill != "":
		c.Say = append(c.Say, say("in ", strong(s.skillName(x.skill)), ".")...)
	default:
		c.Say = append(c.Say, say("in the ", plural(float64(most), "skill", "skills"), " that each team’s incidents took most")...)
		if most < demandedMost {
			c.Say = append(c.Say, say(", and in the next where nobody is current at some time of the coming ", weekDays, " days")...)
		}
		c.Say = append(c.Say, bit{Text: ". Choose a skill or a team above for more."})
	}
	if hours > 0 {
		c.Say = append(c.Say, say(" In all ", strong(fmt.Sprintf("%.0f %%", 100*covered/hours)), ".")...)
	}
	if empty > 0 {
		c.Say = append(c.Say, say(" For ", strong(plural(empty, "hour", "hours")), " nobody is on call at all; they count in no share.")...)
	}
	c.Say = append(c.Say, say(" Day is 08–22, night 22–08, in ", f.zone.String(), "; by the shifts planned now and what people can do now.")...)
	if small {
		c.Notes = append(c.Notes, "left out: what teams of fewer than three people can do")
	}
	for _, w := range x.left {
		c.Notes = append(c.Notes, "left out: "+n.team(w.Key)+", "+w.Reason)
	}
	return c
}
