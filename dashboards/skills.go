package dashboards

import (
	"context"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// Theory of operation of the pages of skills
//
//  1. /skills answers which skills the coming days lack. The days to come are cut into parts,
//     day and night (skills_ahead.go); what a team lacks is the list of gaps (skills_gaps.go).
//  2. Everything here is of teams, as of now: a moment of the past cannot be chosen, since two
//     moments would tell of whoever joined between them. Who can do what is on nobody's page
//     but their own.
//  3. A row that lacks something carries its action: the module that teaches the skill, with
//     team, reason and incidents filled in, and the drills.
//  4. Skills that the list does not know are shown by their id; no module teaches them.

// SkillReading is what the pages of skills read.
type SkillReading interface {
	Gaps(ctx context.Context, f analytics.SkillFilter) ([]analytics.GapRow, []analytics.Withheld, error)
	Demand(ctx context.Context) ([]analytics.DemandRow, error)
	Standing(ctx context.Context, f analytics.SkillFilter) ([]analytics.StandingRow, []analytics.Withheld, error)
	Cited(ctx context.Context, f analytics.SkillFilter, limit int) ([]analytics.CitedRow, error)
	Ahead(ctx context.Context, f analytics.SkillFilter, until time.Time) ([]analytics.Piece, []analytics.Withheld, error)
	OnCall(ctx context.Context, f analytics.SkillFilter, until time.Time) ([]analytics.OnCallRow, error)
	Underload(ctx context.Context, f analytics.SkillFilter) (analytics.Underload, error)
}

func (s *Server) skillRoutes(r router) {
	r.get("/skills", signedIn, s.skills, r.zip)
	r.get("/api/v1/skills/:table", signedIn, s.apiSkills, r.zip)
}

const (
	aheadDays   = 14
	weekDays    = 7
	citedShown  = 50
	gapsShown   = 25
	skillWindow = "52w" // unless another is asked for; gaps are of a year
)

// SkillsSince is where the window of /skills begins, in the organisation's zone, if it is
// opened now without asking for another.
func SkillsSince(now time.Time, zone *time.Location) time.Time {
	m := windowText.FindStringSubmatch(skillWindow)
	n, _ := strconv.Atoi(m[1])
	f := filter{to: now, zone: zone}
	return f.back(n, m[2])
}

// skillAnswers are what the pages ask about skills. Each error stays with what it is about.
type skillAnswers struct {
	gaps               []analytics.GapRow
	pieces             []analytics.Piece
	standing           []analytics.StandingRow
	left, hidden       []analytics.Withheld // of gaps and pieces; of standing
	gapsErr, piecesErr error
	parts              []part
	standErr, underErr error
	rota               []analytics.OnCallRow
	cited              []analytics.CitedRow
	under              analytics.Underload
	overlap, coverage  *result
	rotaErr, citedErr  error
	team, skill        string // filters
	window, from, to   string
}

// skills asks what a team, or all, lack and what the coming days hold.
func (a *asker) skills(filter analytics.SkillFilter, days int) *skillAnswers {
	x := &skillAnswers{parts: a.f.parts(days)}
	until := x.parts[len(x.parts)-1].to
	a.do(func(ctx context.Context) error { x.gaps, x.left, x.gapsErr = a.read.Gaps(ctx, filter); return nil })
	a.do(func(ctx context.Context) error {
		x.pieces, _, x.piecesErr = a.read.Ahead(ctx, analytics.SkillFilter{Team: filter.Team}, until)
		return nil
	})
	return x
}

// shifts asks what the coming days hold, and of demand only as much as it takes to measure them.
func (a *asker) shifts(days int) *skillAnswers {
	x := &skillAnswers{parts: a.f.parts(days)}
	until := x.parts[len(x.parts)-1].to
	a.do(func(ctx context.Context) error {
		var demand []analytics.DemandRow
		demand, x.gapsErr = a.read.Demand(ctx)
		for _, d := range demand {
			x.gaps = append(x.gaps, analytics.GapRow{Team: d.Team, Skill: d.Skill, Incidents: d.Incidents, Demand: d.Demand})
		}
		return nil
	})
	a.do(func(ctx context.Context) error {
		x.pieces, _, x.piecesErr = a.read.Ahead(ctx, analytics.SkillFilter{}, until)
		return nil
	})
	return x
}

// failedRead words the error of a read that is no metric's.
func (s *Server) failedRead(metric string, errs ...error) string {
	for _, err := range errs {
		if err != nil {
			return s.failed(&result{Metric: s.metrics[metric], Err: err})
		}
	}
	return ""
}

// skills answers: which skills does the next week lack?
func (s *Server) skills(c echo.Context) error {
	v := c.QueryParams()
	v.Del("as_of")
	v.Del("known_at")
	if v.Get("window") == "" && v.Get("from") == "" {
		v.Set("window", skillWindow)
	}
	f := s.filter(c)
	team, skill := f.get("team"), f.get("skill")
	if team != "" {
		if err := s.expect(c, f, "team", team); err != nil {
			return err
		}
	}
	filter := analytics.SkillFilter{From: f.from, Team: one(team), Skill: one(skill)}
	if f.toText != "" {
		filter.To = f.to
	}
	ask := s.asker(c, f)
	dir := ask.names()
	x := ask.skills(filter, aheadDays)
	x.team, x.skill = team, skill
	x.window, x.from, x.to = f.get("window"), f.get("from"), f.get("to")
	until := x.parts[len(x.parts)-1].to
	ask.do(func(ctx context.Context) error {
		x.standing, x.hidden, x.standErr = ask.read.Standing(ctx, filter)
		return nil
	})
	ask.do(func(ctx context.Context) error {
		x.rota, x.rotaErr = ask.read.OnCall(ctx, analytics.SkillFilter{Team: one(team)}, until)
		return nil
	})
	ask.do(func(ctx context.Context) error {
		x.under, x.underErr = ask.read.Underload(ctx, analytics.SkillFilter{Team: one(team)})
		return nil
	})
	if team != "" || skill != "" {
		ask.do(func(ctx context.Context) error {
			x.cited, x.citedErr = ask.read.Cited(ctx, filter, citedShown)
			return nil
		})
	}
	x.overlap = ask.metric("skill_overlap", "team", team)
	x.overlap.Params["skill"] = s.platformSkills()
	x.coverage = ask.metric("skill_coverage", "team", team, "skill", skill)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Skills", Nav: "Skills", Filter: s.skillForm(f, n)}
	p.Sub = say("What teams can do by the evidence of their incidents and drills, against what their incidents take. Of teams, as of now; nobody’s level stands here.")
	s.unsettled(p)
	if skill != "" {
		p.Title = s.skillName(skill)
		p.Sub = say(linked("all skills", f.link("/skills", "team", team)), " · ", p.Sub[0])
	}
	if s.failedRead("skill_gaps", x.gapsErr, x.piecesErr) == "" {
		p.Answer = s.skillsAnswer(c, f, n, x)
	}
	if skill != "" {
		p.Cards = append(p.Cards, s.skillCard(f, skill))
	}
	p.Cards = append(p.Cards, s.aheadCard(f, n, x), s.gapsCard(c, f, n, x))
	if team != "" || skill != "" {
		p.Cards = append(p.Cards, s.citedCard(f, n, x))
	}
	p.Cards = append(p.Cards, s.matrixCard(f, n, x), s.pastCard(f, x), s.overlapCard(f, n, x), s.underloadCard(c, f, n, x), s.rotaCard(c, f, n, x))
	return s.render(c, p)
}

// unsettled says on a page that speaks of skills that what it says is not all yet: without it
// the first minute of a history reads as if nobody could do anything.
func (s *Server) unsettled(p *page) {
	if s.Deriving != nil && s.Deriving() && p.Notice == "" {
		p.Notice = "Skills are still being worked out from the incidents and drills there are: until that is done, what stands here about them is too little. Open the page again in a minute."
	}
}

// skillForm is the form without a moment of the past.
func (s *Server) skillForm(f *filter, n *names) *filterView {
	v := s.form(f, n.dir, "team", "skill")
	v.Fields = slices.DeleteFunc(v.Fields, func(fd field) bool { return fd.Name == "as_of" })
	v.Chips = slices.DeleteFunc(v.Chips, func(c chip) bool { return c.Label == "as of" })
	return v
}

// skillChoices are the skills of the list; one of another list stays as it came.
func (s *Server) skillChoices() [][2]string {
	out := [][2]string{{"", "all"}}
	if s.Learn != nil {
		for _, k := range s.Learn.Curriculum().Skills {
			out = append(out, [2]string{k.ID, k.Name})
		}
	}
	return out
}

// skillName is what the list calls a skill, else its id as it came.
func (s *Server) skillName(id string) string {
	if s.Learn != nil {
		if k, ok := s.Learn.Curriculum().Skill(id); ok {
			return k.Name
		}
	}
	return clip(id, 80)
}

// platformSkills are those that count for the intersection with platform knowledge.
func (s *Server) platformSkills() []string {
	var out []string
	if s.Learn != nil {
		for _, k := range s.Learn.Curriculum().Skills {
			if k.Platform {
				out = append(out, k.ID)
			}
		}
	}
	return out
}

// inOrder sorts skills as the list has them; others come after, by their id.
func (s *Server) inOrder(ids []string) []string {
	place := map[string]int{}
	for i, c := range s.skillChoices() {
		place[c[0]] = i
	}
	sort.Slice(ids, func(i, j int) bool {
		a, b := place[ids[i]], place[ids[j]]
		if (a == 0) != (b == 0) {
			return b == 0
		}
		if a != b {
			return a < b
		}
		return ids[i] < ids[j]
	})
	return slices.Compact(ids)
}

func (f *filter) skillCell(s *Server, id, team string) cell {
	return ref(s.skillName(id), f.link("/skills", "skill", id, "team", team))
}

// skillCard says what a skill is and what shows it.
func (s *Server) skillCard(f *filter, id string) card {
	c := card{ID: "skill", Title: "What is it?", Wide: "w12"}
	if s.Learn == nil {
		return c
	}
	cur := s.Learn.Curriculum()
	k, known := cur.Skill(id)
	if !known {
		c.Empty = say("“", clip(id, 80), "” is not in the list of skills, so it has no definition and no module teaches it. Events named it; its figures are shown as they are.")
		return c
	}
	c.Say = say(strong(capital(k.Definition)), ". Level 3 and a retention of 0.7 or more is what counts below as current.")
	t := &table{List: true, Caption: "Levels and what shows them", Head: heads("level", "what shows it")}
	t.add(txt("1 aware"), txt("a module and its quiz"))
	for level, word := range map[int]string{2: "2 assisted", 3: "3 independent", 4: "4 multiplier"} {
		t.add(txt(word), txt(k.Sign(level)))
	}
	slices.SortFunc(t.Rows, func(a, b []cell) int { return strings.Compare(a[0].Text, b[0].Text) })
	c.Body = t
	if modules := cur.TeachesSkill(id); len(modules) > 0 {
		c.Say = append(c.Say, say(" Taught by ")...)
		for i, m := range modules {
			if i > 0 {
				c.Say = append(c.Say, bit{Text: ", "})
			}
			c.Say = append(c.Say, linked(m.ID+" "+m.Title, at("training", m.ID)))
		}
		c.Say = append(c.Say, say("; practised in ", linked("drills", "/drills?"+url.Values{"skill": {id}}.Encode()), ".")...)
	}
	return c
}
