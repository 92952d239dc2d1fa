package dashboards

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// uncovered is a part of a team in which nobody on call is current in a skill.
type uncovered struct {
	part        part
	team, skill string
	cover       cover
}

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
