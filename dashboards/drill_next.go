package dashboards

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of what to play next
//
//  1. First comes what was asked for by skill, then what is booked, then by need: the largest
//     gap of the asker's teams among a drill's skills counts up to 2, one's own team's incident
//     1, not having played it 1; having passed it takes 2 away.
//  2. Each line says why it stands where it stands. The need is the team's: what a person can
//     do orders nothing here.

// skillNames are the skills by id.
var skillNames = sync.OnceValue(func() map[string]training.Skill {
	out := map[string]training.Skill{}
	all, err := training.Skills()
	if err != nil {
		return out // the curriculum, which stands on the same list, says it at the start
	}
	for _, k := range all {
		out[k.ID] = k
	}
	return out
})

// skillName is a skill's name, or its id if nobody knows it.
func skillName(id string) string { return or(skillNames()[id].Name, clip(id, 60)) }

func skillWords(ids []string) string {
	var out []string
	for _, id := range ids {
		out = append(out, skillName(id))
	}
	return strings.Join(out, ", ")
}

// gapTeams is of how many of their own teams somebody sees the needs: an order by those of all
// teams would be nobody's.
const gapTeams = 3

// askGaps asks for the gaps of the team named, else of the asker's own.
func (x *played) askGaps(ask *asker, w access.Who, team string) {
	x.gapsFrom = w.Teams()
	if team != "" {
		x.gapsFrom = []string{team}
	}
	x.gapsFrom = x.gapsFrom[:min(len(x.gapsFrom), gapTeams)]
	if len(x.gapsFrom) == 0 {
		return // no filter would be all teams
	}
	ask.do(func(ctx context.Context) error {
		x.gaps, _, x.gapsErr = ask.read.Gaps(ctx, analytics.SkillFilter{Team: x.gapsFrom})
		return nil
	})
}

// ranked is a drill in its place, and why it stands there.
type ranked struct {
	analytics.Drill
	why    string
	points float64
	asked  bool // it is of the skill that was asked for
	booked int  // place among the bookings; -1 for none
}

func (x *played) rank(f *filter, n *names, skill string) []ranked {
	type need struct {
		team string
		gap  float64
	}
	gaps, largest := map[string]need{}, 0.0
	for _, t := range x.gapsFrom {
		for _, r := range x.gaps {
			if r.Team == t && r.Gap != nil && *r.Gap > gaps[r.Skill].gap {
				gaps[r.Skill] = need{t, *r.Gap}
				largest = max(largest, *r.Gap)
			}
		}
	}
	var out []ranked
	for _, d := range x.all {
		r := ranked{Drill: d, asked: skill != "" && slices.Contains(d.Skills, skill), booked: -1}
		var why []string
		for i, b := range x.mine {
			if b.Open() && b.Drill == d.ID {
				r.booked, why = i, append(why, "booked for "+f.stamp(b.Starts))
				break
			}
		}
		worst := ""
		for _, k := range d.Skills {
			if gaps[k].gap > gaps[worst].gap {
				worst = k
			}
		}
		if worst != "" {
			r.points += 2 * gaps[worst].gap / largest
			word := "a gap of "
			if gaps[worst].gap == largest {
				word = "the largest gap of "
			}
			why = append(why, skillName(worst)+", "+word+n.team(gaps[worst].team)+" ("+count(gaps[worst].gap)+")")
		}
		if owner := ownerOf(n, d); owner != "" && slices.Contains(x.gapsFrom, owner) {
			r.points++
			why = append(why, "an incident of "+n.team(owner))
		}
		switch top, ok := best(x.own, d.ID); {
		case !ok:
			r.points++
			why = append(why, "not played yet")
		case top.Passed():
			r.points -= 2
			why = append(why, "passed")
		}
		r.why = strings.Join(why, "; ")
		out = append(out, r)
	}
	place := func(r ranked) int {
		switch {
		case r.asked:
			return -2
		case r.booked >= 0:
			return -1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.booked, b.booked), cmp.Compare(b.points, a.points), strings.Compare(a.ID, b.ID))
	})
	return out
}

// ownerOf is the team that owns the service a published drill was opened on: what is known
// when it begins, and says nothing of where the cause was.
func ownerOf(n *names, d analytics.Drill) string {
	i := slices.IndexFunc(d.Cards, func(c drill.Card) bool { return c.Kind == "incident.opened" })
	if i < 0 || d.Published.IsZero() { // what ships with the product is of a shop that does not exist
		return ""
	}
	return n.services[d.Cards[i].Service].Owner
}

// nextCard answers: which should I play next?
func (s *Server) nextCard(f *filter, x *played, next []ranked) card {
	cd := card{ID: "ready", Title: "Which should I play next?", Wide: "w12", N: plural(float64(len(next)), "drill", "drills")}
	if m := s.metrics["skill_gaps"]; m.Name != "" && len(x.gaps) > 0 {
		cd.Metric = &m
	}
	cd.Say = say("First what is booked, then by need: gaps of your team’s skills over the last 365 days, incidents of your own team, what you have not played. No line gives away what the cause was.")
	if msg := s.failedRead("skill_gaps", x.gapsErr); msg != "" {
		cd.Say = append(cd.Say, say(" The gaps could not be read: ", msg, ".")...)
	}
	t := &table{List: true, Caption: "Drills that can be played", Head: heads("drill", "why now", "skills", "#lasted", "#evidence", "your best")}
	for _, d := range next {
		top := "not\u00a0played"
		if b, ok := best(x.own, d.ID); ok {
			top = points(b.Score) + " of 100"
		}
		t.add(ref(d.Title, at("drills", d.ID)).with(about(d.Drill)), txt(strings.ReplaceAll(d.why, "not played yet", "not\u00a0played\u00a0yet")), txt(or(skillWords(d.Skills), "none named")), num(duration(float64(d.Facts.Resolved))), num(plural(float64(len(d.Cards)), "card", "cards")), txt(top))
	}
	cd.Body = t
	return cd
}

// skillFilter is the form that asks for drills of a skill, and by whose gaps.
func skillFilter(f *filter, n *names, w access.Who) *filterView {
	skill, team := f.get("skill"), f.get("team")
	v := &filterView{Action: "/drills", Reset: "/drills"}
	skills := field{Name: "skill", Label: "Skill first", Kind: "select", Choices: []choice{{"", "any", skill == ""}}}
	known := skill == ""
	ids := make([]string, 0, len(skillNames()))
	for id := range skillNames() {
		ids = append(ids, id)
	}
	for _, id := range byName(ids, skillName) {
		known = known || id == skill
		skills.Choices = append(skills.Choices, choice{id, skillName(id), id == skill})
	}
	if !known {
		f.complain(&analytics.ParamError{Param: "skill", Reason: "is not known"})
		skills.Bad = true
	}
	teams := field{Name: "team", Label: "Gaps of", Kind: "select", Hint: "a team of two or less has none that are shown", Choices: []choice{{"", "my own teams", team == ""}}}
	for _, t := range n.dir.Teams {
		if t.Size > 0 {
			teams.Choices = append(teams.Choices, choice{t.ID, t.Name, t.ID == team})
		}
	}
	if _, ok := n.teams[team]; team != "" && !ok {
		f.complain(&analytics.ParamError{Param: "team", Reason: "is not known"})
		teams.Bad = true
	}
	v.Fields = []field{skills, teams}
	v.Chips = []chip{{"skill first", or(skillNames()[skill].Name, "any")}, {"gaps of", or(n.teams[team].Name, "my own teams")}}
	for _, p := range f.problems {
		v.Problems = append(v.Problems, p.Param+": "+p.Reason)
	}
	return v
}

// compileCard answers: which of our incidents should become a drill?
func (s *Server) compileCard(f *filter, n *names, x *played) card {
	cd := card{ID: "worth", Title: "Which of our incidents should become a drill?", Wide: "w12"}
	if len(x.worth) == 0 {
		cd.Empty = say("No incident of your teams in the last 365 days was resolved by somebody and has no drill yet.")
		return cd
	}
	cd.N = plural(float64(len(x.worth)), "incident", "incidents")
	cd.Say = say("Of the last 365 days: long ones, severe ones, ones that needed help, ones with notes; each counts alike. You read every text before anybody else does.")
	t := &table{List: true, Caption: "Incidents worth a drill, the most first", Head: heads("incident", "why", "service", "opened", "drill")}
	for _, w := range x.worth {
		why := []string{"lasted " + duration(w.Took.Seconds())}
		if w.Grave {
			why = append(why, "severe")
		}
		if w.Escalations > 0 {
			why = append(why, "needed help")
		}
		if w.Notes > 0 {
			why = append(why, plural(float64(w.Notes), "note", "notes"))
		}
		t.add(ref(or(clip(w.Title, 120), w.ID), at("incidents", w.ID)), txt(strings.Join(why, ", ")), f.serviceCell(n, w.Service), f.moment(w.Opened), ref("make a drill", "/incidents/"+url.PathEscape(w.ID)+"/drill"))
	}
	cd.Body = t
	return cd
}

// teamNames joins teams' names.
func teamNames(n *names, teams []string) string {
	var out []string
	for _, t := range teams {
		out = append(out, n.team(t))
	}
	return strings.Join(out, ", ")
}
