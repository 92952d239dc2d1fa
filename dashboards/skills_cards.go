package dashboards

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// place is one field of the matrix.
type place struct{ team, skill string }

// matrixCard is teams × skills: how many are current and fading, against what is needed.
func (s *Server) matrixCard(f *filter, n *names, x *skillAnswers) card {
	c := card{ID: "matrix", Title: "Who can, team by team?", Wide: "w12", Err: s.failedRead("skill_levels", x.standErr, x.gapsErr)}
	if c.Err != "" {
		return c
	}
	standing, gaps := map[place]analytics.StandingRow{}, map[place]analytics.GapRow{}
	why := map[string]string{}
	var teams, skills []string
	for _, r := range x.standing {
		standing[place{r.Team, r.Skill}] = r
		teams, skills = append(teams, r.Team), append(skills, r.Skill)
	}
	for _, g := range x.gaps {
		gaps[place{g.Team, g.Skill}] = g
		teams, skills = append(teams, g.Team), append(skills, g.Skill)
	}
	for _, w := range x.hidden {
		why[w.Key] = w.Reason
		c.Notes = append(c.Notes, "withheld of "+n.team(w.Key)+": "+w.Reason)
	}
	if m := s.metrics["skill_gaps"]; m.Name != "" {
		c.Metric = &m
	}
	teams, skills = byName(teams, n.team), s.inOrder(skills)
	if len(teams) == 0 {
		c.Metric = nil
		c.Empty = say("Nobody has shown ", s.whichSkill(x), " yet, as far as events say, and no incident took it. Evidence comes from incidents, drills and modules.")
		return c
	}
	c.CSV, c.N = skillCSV("standing", x), plural(float64(len(teams)), "team", "teams")+", "+plural(float64(len(skills)), "skill", "skills")
	c.Say = say("How many of each team are at level 3 or above and ", strong("current"), ", and after a plus how many are ", strong("fading"), ", against the people needed where incidents took the skill. Counts only, of teams of at least three people; nobody’s level is shown to others.")
	g := &grid{Caption: "People current and fading by skill and team", Corner: "skill"}
	t := &table{Caption: "People current and fading, demand and past coverage by team and skill", Head: heads("team", "skill", "#current", "#fading", "#need", "#demand", "#past coverage")}
	for _, team := range teams {
		g.Parts = append(g.Parts, n.team(team))
	}
	for _, skill := range skills {
		row := gridRow{Head: s.skillName(skill), Href: f.link("/skills", "skill", skill, "team", x.team)}
		for _, team := range teams {
			st, gap, asked := standing[place{team, skill}], gaps[place{team, skill}], false
			_, asked = gaps[place{team, skill}]
			demand := "no demand"
			line := []cell{txt(n.team(team)), txt(s.skillName(skill)), counted(float64(st.Current)), counted(float64(st.Fading)), dash(), dash(), dash()}
			if asked {
				demand = fmt.Sprintf("%d needed, demand %d", gap.Need, gap.Demand)
				line[4], line[5] = counted(float64(gap.Need)), counted(float64(gap.Demand))
				if gap.Coverage != nil {
					line[6] = sharePercent(*gap.Coverage)
				}
			}
			k := gridCell{Class: "hn", Text: "", Label: fmt.Sprintf("%d current, %d fading; %s", st.Current, st.Fading, demand)}
			switch {
			case why[team] != "":
				k.Text, k.Label = "withheld", why[team]
				line[2], line[3] = dash().with("withheld"), dash()
			case asked:
				k.Text, k.Class = fmt.Sprintf("%d of %d", st.Current, gap.Need), shareClass(float64(st.Current), float64(gap.Need))
			case st.Current+st.Fading > 0:
				k.Text = fmt.Sprint(st.Current)
			}
			if st.Fading > 0 && why[team] == "" {
				k.Text += fmt.Sprintf(" +%d", st.Fading)
			}
			row.Cells = append(row.Cells, k)
			if asked || st.Current+st.Fading > 0 {
				t.Rows = append(t.Rows, line)
			}
		}
		g.Rows = append(g.Rows, row)
	}
	c.Grid, c.Fold = g, t
	c.Key = []keyItem{{"h0", "nobody current"}, {"h1", "less than half of the need"}, {"h2", "half or more"}, {"h3", "as many as needed"}, {"hn", "no incident took it, or withheld"}}
	return c
}

// pastCard is the coverage of past hours by skill.
func (s *Server) pastCard(f *filter, x *skillAnswers) card {
	c := card{ID: "past", Title: "How were past on-call hours covered?", Wide: "w6 rows2", Err: s.failed(x.coverage)}
	if c.Err != "" {
		return c
	}
	rows := x.coverage.byKey()
	hours := 0.0
	var ids []string
	for id, w := range rows {
		if id != "" {
			ids = append(ids, id)
		}
		hours = max(hours, w.n("hours"))
	}
	c.sourced(f, x.coverage, count(hours)+" hours on call", "")
	if len(ids) == 0 {
		c.Empty = say("No hour on call is known in this window, or no skill was named by anything.")
		return c
	}
	t := &table{Caption: "Past on-call hours with somebody current, by skill", Head: heads("skill", "covered", "#share", "#hours covered")}
	var never []string
	for _, id := range s.inOrder(ids) {
		w := rows[id]
		if w.has("covered") && w.n("covered") == 0 {
			never = append(never, s.skillName(id))
			continue
		}
		bar := cell{BarLabel: "withheld"}
		if w.has("coverage") {
			p := 100 * w.n("coverage")
			bar = cell{Bar: []seg{{"owned", 0, p}}, BarLabel: fmt.Sprintf("%.0f per cent", p)}
		}
		t.add(f.skillCell(s, id, x.team), bar, maybe(w, "coverage", func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }), maybe(w, "covered", count))
	}
	c.Say = say("Of ", strong(count(hours)+" on-call hours"), " in ", f.since(), ", those in which primary or secondary was current when the shift began.")
	if len(never) > 0 {
		c.Say = append(c.Say, say(" Nobody ever was in "+list(never)+".")...)
	}
	if len(t.Rows) > 0 {
		c.Body = t
	}
	return c
}

// overlapCard is each team's intersection with the platform skills.
func (s *Server) overlapCard(f *filter, n *names, x *skillAnswers) card {
	c := card{ID: "overlap", Title: "Do product teams overlap with the platform team?", Wide: "w6", Err: s.failed(x.overlap)}
	if c.Err != "" {
		return c
	}
	rows := x.overlap.byKey()
	var ids []string
	for id := range rows {
		ids = append(ids, id)
	}
	ids = byName(ids, n.team)
	of := len(s.platformSkills())
	c.sourced(f, x.overlap, plural(float64(of), "platform skill", "platform skills"), "")
	if len(ids) == 0 || of == 0 {
		c.Empty = say("No team with members is known, or the list names no platform skill. Import the teams (member.joined), and each stands here against the platform skills.")
		return c
	}
	platform, mark := "", -1.0
	for _, id := range ids {
		if w := rows[id]; platform == "" && strings.Contains(strings.ToLower(id+" "+n.team(id)), "platform") {
			if platform = id; w.has("share") {
				mark = 100 * w.n("share")
			}
		}
	}
	t := &table{Caption: "Share of the platform skills that each team has, by name", Head: heads("team", "against all platform skills", "#skills", "#share")}
	for _, id := range ids {
		w := rows[id]
		bar := cell{BarLabel: "withheld"}
		if w.has("share") {
			class := "owned"
			if id == platform {
				class = "paper"
			}
			p := 100 * w.n("share")
			bar = cell{Bar: []seg{{class, 0, p}}, BarLabel: fmt.Sprintf("%.0f of %d platform skills", w.n("shared"), of)}
			if mark >= 0 && id != platform {
				bar.Bar = append(bar.Bar, seg{"mark", max(0, mark-0.4), 0.8})
			}
		}
		t.add(f.teamCell(n, id), bar, maybe(w, "shared", func(v float64) string { return fmt.Sprintf("%.0f of %d", v, of) }), maybe(w, "share", func(v float64) string { return fmt.Sprintf("%.0f %%", 100*v) }))
	}
	c.Say = say("A team has a platform skill when ", strong("two of its people"), " are at level 2 or above and current. The aim is that product teams overlap with the platform team; nobody becomes a specialist in everything.")
	c.Key = []keyItem{{"owned", "the team"}}
	switch {
	case platform != "" && x.team == "":
		c.Key = append(c.Key, keyItem{"paper", n.team(platform)})
		if mark >= 0 {
			c.Key = append(c.Key, keyItem{"mark", "what " + n.team(platform) + " has"})
		}
	case platform == "" && x.team == "":
		c.Say = append(c.Say, say(" No team here has “platform” in its name, so none is marked.")...)
	}
	c.Body = t
	return c
}

const rotaShown = 30

// rotaCard says who is on call, to whose work list it is.
func (s *Server) rotaCard(c echo.Context, f *filter, n *names, x *skillAnswers) card {
	k := card{ID: "rota", Title: "Who is on call?", Wide: "w12", Err: s.failedRead("oncall_hours", x.rotaErr)}
	if k.Err != "" {
		return k
	}
	if len(x.rota) == 0 {
		k.Empty = say("Who is on call is the work list of a team: its members read it here, and whoever is on call reads their own shifts.")
		if slices.ContainsFunc(who(c).Teams(), func(t string) bool { return x.team == "" || t == x.team }) {
			k.Empty = say("Nobody of your teams is planned for the coming ", aheadDays, " days. Send shift.planned events, or connect a tool that has schedules.")
		}
		return k
	}
	t := &table{List: true, Caption: "Coming shifts, by time", Head: heads("from", "to", "who", "team", "level")}
	for _, d := range x.rota[:min(rotaShown, len(x.rota))] {
		level := "primary"
		if d.Level > 1 {
			level = "secondary"
		}
		name := cell{Text: n.person(d.Person)}
		if who(c).Is(d.Person) {
			name = ref("you", "/me")
		}
		from := cell{Text: "now"}
		if d.From.After(f.now.Add(time.Minute)) { // one that runs begins at the moment of the answer
			from = f.shiftTime(d.From)
		}
		t.add(from, f.shiftTime(d.To), name, f.teamCell(n, d.Team), txt(level))
	}
	k.N = plural(float64(len(x.rota)), "shift", "shifts")
	k.Say = say("In the coming ", aheadDays, " days, as planned now. By name for the teams you belong to.")
	if len(x.rota) > rotaShown {
		k.Say = append(k.Say, say(" The next ", rotaShown, "; a team above shows its own.")...)
	}
	k.Body = t
	return k
}

// shiftTime is an edge of a coming shift: its year is no question.
func (f *filter) shiftTime(t time.Time) cell {
	return cell{Text: t.In(f.zone).Format("Mon 2 Jan 15:04 MST"), Time: t.UTC().Format(time.RFC3339)}
}

// underloadCard says where people are on call and handle nothing.
func (s *Server) underloadCard(c echo.Context, f *filter, n *names, x *skillAnswers) card {
	k := card{ID: "underload", Title: "Who gets no practice?", Wide: "w6", Err: s.failedRead("oncall_hours", x.underErr)}
	if k.Err != "" {
		return k
	}
	u := x.under
	if len(u.Teams) == 0 {
		k.Empty = say("Nobody is known to have been on call in 90 days.")
		return k
	}
	t := &table{List: true, Caption: "People on call who handled no incident in 90 days, by team", Head: heads("team", "#on call", "#handled nothing", "who")}
	people, idle, named := 0, 0, false
	for _, r := range u.Teams {
		people, idle, named = people+r.People, idle+r.Idle, named || r.Named
		line := []cell{f.teamCell(n, r.Team), counted(float64(r.People)), counted(float64(r.Idle)), txt("–")}
		switch {
		case r.Withheld != "":
			line[1], line[2], line[3] = dash(), dash(), txt("withheld: "+r.Withheld)
		case r.Named && r.Idle > 0:
			var who []string
			for _, p := range r.Persons {
				who = append(who, n.person(p))
			}
			slices.SortFunc(who, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
			line[3] = txt(list(who))
		case !r.Named:
			line[3] = txt("not named")
		}
		t.add(line...)
	}
	k.N = plural(float64(people), "person", "people") + " on call"
	k.CSV = skillCSV("underload", x)
	k.Say = say(strong(count(float64(idle))+" of "+plural(float64(people), "person", "people")), " with a shift in 90 days handled no incident in that time: no acknowledgement, no step, no resolve. It is a reason to practise in ", linked("drills", "/drills"), ", and no fault.")
	if u.OwnIdle {
		k.Say = append(say(strong("You were on call and handled nothing in 90 days. ")), k.Say...)
	}
	if !named {
		k.Say = append(k.Say, say(" Counted over the 90 days before ", u.MonthTo.In(f.zone).Format("2 Jan 2006"), ", of teams with at least three people on call.")...)
	} else {
		k.Say = append(k.Say, say(" By name for the teams you lead, and each look is told; other teams are counted over the 90 days before ", u.MonthTo.In(f.zone).Format("2 Jan 2006"), ".")...)
	}
	k.Body = t
	return k
}

// skillCSV is the address of a table's numbers, under the page's filters.
func skillCSV(table string, x *skillAnswers) string {
	v := url.Values{"format": {"csv"}}
	if x.team != "" {
		v.Set("team", x.team)
	}
	if x.skill != "" {
		v.Set("skill", x.skill)
	}
	if x.window != "" {
		v.Set("window", x.window)
	}
	for name, value := range map[string]string{"from": x.from, "to": x.to} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return "/api/v1/skills/" + table + "?" + v.Encode()
}
