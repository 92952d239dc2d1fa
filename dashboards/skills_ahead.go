package dashboards

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// Days to come are cut at 08:00 and 22:00 of the page's zone, the bounds of hour class sleep,
// so that "the next night shift" is one field. A night belongs to the day it begins on.

const dayBegins, nightBegins = 8, 22

// aMoment, in hours, is how much of the part that runs may have passed between the page's
// question and the answer it was given, which may be some seconds old.
const aMoment = 0.02

// part is a day or a night to come; the one that runs begins now.
type part struct {
	from, to time.Time
	day      time.Time // midnight of the day it belongs to
	night    bool
}

// parts are those of the running day, or night, and days more.
func (f *filter) parts(days int) []part {
	now := f.now.In(f.zone)
	y, m, d := now.Date()
	clock := func(day, hour int) time.Time { return time.Date(y, m, day, hour, 0, 0, 0, f.zone) }
	var out []part
	for i := d - 1; i < d+days; i++ {
		for _, p := range []part{{clock(i, dayBegins), clock(i, nightBegins), clock(i, 0), false}, {clock(i, nightBegins), clock(i+1, dayBegins), clock(i, 0), true}} {
			if !p.to.After(now) {
				continue
			}
			if p.from.Before(now) {
				p.from = now
			}
			out = append(out, p)
		}
	}
	return out
}

// shift is a part in a sentence: "Thursday night’s shift".
func (p part) shift() string {
	if p.night {
		return p.day.Format("Monday") + " night’s shift"
	}
	return p.day.Format("Monday") + "’s day shift"
}

// words are a part in a table: "Thu 3 Dec, night".
func (p part) words() string {
	if p.night {
		return p.day.Format("Mon 2 Jan") + ", night"
	}
	return p.day.Format("Mon 2 Jan") + ", day"
}

func (p part) hours() float64 { return p.to.Sub(p.from).Hours() }

// cover is how many hours of a part a team has somebody on call, and somebody current. Of a
// team too small to say so, hidden is true.
type cover struct {
	onCall, covered float64
	hidden          bool
}

func (p part) cover(pieces []analytics.Piece, team, skill string) (out cover) {
	for _, x := range pieces {
		from, to := x.From, x.To
		if p.from.After(from) {
			from = p.from
		}
		if p.to.Before(to) {
			to = p.to
		}
		if x.Team != team || !from.Before(to) {
			continue
		}
		h := to.Sub(from).Hours()
		out.onCall += h
		out.hidden = out.hidden || x.Hidden
		if slices.Contains(x.Skills, skill) {
			out.covered += h
		}
	}
	return out
}

// lacks says that somebody is on call and nobody of them is current.
func (c cover) lacks() bool { return c.onCall > 0 && !c.hidden && c.covered == 0 }

// whole says that every hour on call is covered.
func (c cover) whole() bool { return c.covered > c.onCall-1e-9 }

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

// uncovered is a part of a team in which nobody on call is current in a skill.
type uncovered struct {
	part        part
	team, skill string
	cover       cover
}

// demandedMost is how many of a team's most demanded skills a shift is measured by.
const demandedMost = 3

// firstLack is what the coming week lacks: nights before days, own teams before others, the
// larger gap first. teams counts those on call whose demand is known, lacking those of them
// with an hour of the week in which nobody is current in one of their most demanded skills.
func (x *skillAnswers) firstLack(n *names, own func(string) bool, until time.Time) (found *uncovered, short, measured []string) {
	type ranked struct {
		uncovered
		rank [4]float64
	}
	var all []ranked
	gap := map[string]float64{}
	for i, g := range x.gaps {
		gap[g.Team+"\n"+g.Skill] = float64(i)
	}
	for _, team := range x.teamsAhead(n) {
		lack, known := false, false
		for _, skill := range x.demanded(team, demandedMost) {
			for i, p := range x.parts {
				if !p.from.Before(until) {
					break
				}
				c := p.cover(x.pieces, team, skill)
				if c.hidden || c.onCall == 0 {
					continue
				}
				known = true
				lack = lack || !c.whole()
				if !c.lacks() {
					continue
				}
				place, listed := gap[team+"\n"+skill]
				if !listed {
					place = float64(len(x.gaps))
				}
				all = append(all, ranked{uncovered{p, team, skill, c}, [4]float64{boolTo(!own(team)), boolTo(!p.night), place, float64(i)}})
			}
		}
		if known {
			measured = append(measured, team)
		}
		if lack {
			short = append(short, team)
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		return slices.Compare(a.rank[:], b.rank[:])
	})
	if len(all) > 0 {
		found = &all[0].uncovered
	}
	return found, short, measured
}

func boolTo(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// skillsAnswer says it in a sentence.
func (s *Server) skillsAnswer(c echo.Context, f *filter, n *names, x *skillAnswers) []bit {
	if len(x.gaps) == 0 && x.skill == "" {
		return say(strong("No incident has been tagged with a skill yet"), ", so nothing is known of what incidents take. Tags come by rule, from the responder’s one tap on an incident, or as skill.tagged events.")
	}
	if len(x.pieces) == 0 {
		return say(strong("No shift is known for the coming days"), ", so nobody can say whether they can cope. Send shift.planned events, or connect a tool that has schedules.")
	}
	own := who(c).InTeam
	first, short, measured := x.firstLack(n, own, f.now.AddDate(0, 0, weekDays))
	lacking, teams := len(short), len(measured)
	what := "one of the skills that their incidents take most"
	if x.skill != "" {
		what = s.skillName(x.skill)
	}
	if first == nil && teams == 0 {
		return say("What the coming shifts lack is not shown for these teams: they are too small to say so without saying it of a person, or nothing of theirs was tagged.")
	}
	if first == nil && lacking == 0 {
		whole := what
		if x.skill == "" {
			whole = "every one of the skills that incidents take most"
		}
		which := "all of " + plural(float64(teams), "team", "teams")
		if teams == 1 {
			which = n.team(measured[0])
		}
		return say("In the coming ", weekDays, " days ", strong("every hour on call has somebody current"), " in ", whole, ", in ", which, ".")
	}
	var out []bit
	if first == nil || !own(first.team) { // nothing of the asker's own stands in what follows
		out = ownAhead(n, own, short, measured, what)
	}
	theirs := len(out) > 0 // of other teams is said which they are; what they do about it is theirs
	if first != nil {
		p := first.part
		out = append(out, say("On ", strong(p.shift()+" of "+n.team(first.team)), " (", p.from.Format("2 Jan 15:04"), "–", p.to.Format("15:04 MST"), ") ",
			strong("nobody on call is current in "+s.skillName(first.skill)), ". ")...)
		g := analytics.GapRow{Team: first.team, Skill: first.skill}
		for _, known := range x.gaps {
			if known.Team == g.Team && known.Skill == g.Skill {
				g = known
			}
		}
		if !theirs {
			for i, act := range s.acts(who(c), n, g) {
				if i > 0 {
					act.Text = strings.ToLower(act.Text[:1]) + act.Text[1:]
					out = append(out, bit{Text: ", or "})
				}
				out = append(out, act)
			}
			out = append(out, bit{Text: ". "})
		}
	}
	when := fmt.Sprintf("In the coming %d days ", weekDays)
	if theirs {
		when = ""
	}
	return append(out, say(when, strong(count(float64(lacking))+" of "+plural(float64(teams), "team", "teams")), verb(lacking, " has", " have"),
		" hours on call with nobody current in ", what, ": ", namedShort(n, short), ".")...)
}

// ownAhead says of the asker's own teams whether the coming week lacks something.
func ownAhead(n *names, own func(string) bool, short, measured []string, what string) []bit {
	var whole, open []string
	for _, t := range measured {
		switch {
		case !own(t):
		case slices.Contains(short, t):
			open = append(open, n.team(t))
		default:
			whole = append(whole, n.team(t))
		}
	}
	var out []bit
	if len(open) > 0 {
		out = say(strong(list(open)+verb(len(open), " has", " have")+" hours on call with nobody current"), " in ", what, ". ")
	}
	if len(whole) > 0 {
		out = append(out, say(strong(list(whole)+verb(len(whole), " is", " are")+" covered"), ": in the coming ", weekDays, " days every hour on call has somebody current. ")...)
	}
	return out
}

// namedShort are the teams that lack something, by name; of very many the first.
func namedShort(n *names, short []string) string {
	const most = 6
	var out []string
	for _, t := range short[:min(most, len(short))] {
		out = append(out, n.team(t))
	}
	if more := len(short) - most; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return list(out)
}

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
		skills := x.demanded(team, most)
		for _, skill := range skills {
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
					hours, covered = hours+v.onCall, covered+v.covered
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
		c.Say = append(c.Say, say("in the ", plural(float64(most), "skill", "skills"), " that each team’s incidents took most. Choose a skill or a team above for more.")...)
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
