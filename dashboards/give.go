package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// Theory of operation of the page that assigns
//
//  1. Its address fills the form in, so that a gap, a team or an incident is two clicks away
//     from an assignment: a link, and the button. The parameters are
//     for=person:ID|team:ID|rota:TEAM:SCHEDULE and module, skill (repeatable), track, path,
//     team, cites (apart by commas), reason and due.
//  2. A skill without a module chooses the module that leads furthest in it.
//  3. Who lacks what before a module is said to the lead, who reads how far somebody is
//     anyway. One tick gives these as well, in the order in which they build on one another.

// giveView is the form that assigns. A module's page has a small one, of that module.
type giveView struct {
	Teams, Rotas, People []choice
	Due, Reason, Cites   string
	More                 string // address of the page that assigns, from a module's
	// On the page of its own:
	Csrf    string
	Chosen  []choice    // modules that the address chose, or that teach its skills
	Tracks  []giveTrack // all modules
	Whole   []choice    // a track as a whole
	Path    []choice    // a stage of the path for a team that is new to on-call
	Lacking [][2]string // who lacks what first, by name
	Looked  bool        // whether that was looked at
	First   bool
	Skills  []navItem
}

type giveTrack struct {
	Name    string
	Modules []choice
}

// give fills in whom a lead may give work to; what the address or a refused form holds is kept.
func give(c echo.Context, w access.Who, n *names) *giveView {
	form, _ := c.FormParams()
	chosen := func(v string) bool { return slices.Contains(form["for"], v) }
	v := &giveView{Due: form.Get("due"), Reason: form.Get("reason"), Cites: strings.Join(split(form["cites"]), ", ")}
	only := form.Get("team")
	for _, t := range n.dir.Teams {
		if w.HeadsTeam(t.ID) && t.Size > 0 && (only == "" || only == t.ID) {
			v.Teams = append(v.Teams, choice{"team:" + t.ID, "everybody in " + t.Name, chosen("team:" + t.ID)})
		}
	}
	for _, p := range n.dir.People {
		if slices.ContainsFunc(p.Teams, func(t string) bool { return w.HeadsTeam(t) && (only == "" || only == t) }) {
			v.People = append(v.People, choice{"person:" + p.ID, p.Name, chosen("person:" + p.ID)})
		}
	}
	slices.SortStableFunc(v.People, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
	return v
}

// givePage shows the form.
func (s *Server) givePage(c echo.Context) error { return s.giveForm(c, http.StatusOK, "", false) }

func (s *Server) giveForm(c echo.Context, status int, notice string, look bool) error {
	f, w := s.filter(c), who(c)
	form, err := c.FormParams()
	if err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	if !w.IsOperator() && len(w.Heads()) == 0 {
		return &access.Denied{Reason: "work to learn is given and waived by the lead of the team"}
	}
	if t := form.Get("team"); t != "" {
		if err := w.Gives(t); err != nil {
			return err
		}
	}
	ask := s.asker(c, f)
	dir := ask.names()
	x := s.toLearn(ask, w, "")
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	v := give(c, w, n)
	v.Csrf, _ = c.Get("csrf").(string)
	v.First = form.Get("first") != ""
	if err := s.giveRotas(c.Request().Context(), s.reading(c), w, n, form, v); err != nil {
		return err
	}
	asked, err := s.askedOf(c.Request().Context(), s.reading(c), form)
	if err != nil {
		return err
	}
	chosen := s.giveModules(form, asked, v)
	p := &page{Title: "Assign training", Nav: "Training", Give: v, Notice: notice, Version: s.Version, Dev: s.Dev}
	p.Sub = say(linked("training", "/training"), " · ", linked("what is due", "/assignments"))
	people := chosenPeople(form["for"], n)
	v.Looked = look || len(people) > 0 && len(chosen) > 0
	if v.Looked {
		v.Lacking = s.lacking(n, people, chosen, x.led)
	}
	p.Answer = s.giveAnswer(form, chosen, people)
	return s.draw(c, status, p)
}

// giveRotas are the rotas of the teams that are shown, for their newcomers.
func (s *Server) giveRotas(ctx context.Context, read Reading, w access.Who, n *names, form url.Values, v *giveView) error {
	for _, t := range n.dir.Teams {
		if !w.HeadsTeam(t.ID) || t.Size == 0 || form.Get("team") != "" && form.Get("team") != t.ID {
			continue
		}
		rotas, err := read.Rotas(ctx, t.ID)
		if err != nil {
			return err
		}
		add := func(schedule, text string) {
			value := rotaText(TeamRota{t.ID, schedule})
			v.Rotas = append(v.Rotas, choice{value, text, slices.Contains(form["for"], value)})
		}
		for _, r := range rotas {
			coming := "nobody new is planned yet"
			if len(r.Coming) > 0 {
				coming = plural(float64(len(r.Coming)), "newcomer", "newcomers") + " planned"
			}
			add(r.Schedule, t.Name+" on "+clip(r.Schedule, 80)+" ("+coming+")")
		}
		if len(rotas) != 1 {
			add(training.AnyRota, t.Name+" on any rota")
		}
	}
	return nil
}

// giveModules marks what is chosen: by name, by a skill, by a track or by a stage of the path.
func (s *Server) giveModules(form url.Values, asked map[string]int64, v *giveView) []*training.Module {
	cur := s.Learn.Curriculum()
	picked := map[string]bool{}
	for _, id := range form["module"] {
		picked[id] = true
	}
	offered := map[string]bool{}
	for _, id := range form["skill"] {
		k, ok := cur.Skill(id)
		if !ok {
			continue
		}
		v.Skills = append(v.Skills, navItem{Name: k.Name})
		for i, m := range cur.TeachesSkill(id) {
			offered[m.ID] = true
			if i == 0 && len(form["module"]) == 0 && form.Get("do") == "" {
				picked[m.ID] = true
			}
		}
	}
	v.Whole, v.Path = []choice{{"", "none", false}}, []choice{{"", "none", false}}
	whole := map[string]bool{}
	for _, t := range cur.Tracks {
		on := form.Get("track") == t.ID
		v.Whole = append(v.Whole, choice{t.ID, t.ID + " " + t.Name + ", " + minutes(t.Minutes()), on})
		g := giveTrack{Name: t.ID + " " + t.Name}
		for _, m := range t.Modules {
			if on {
				whole[m.ID] = true
			}
			x := choice{m.ID, m.ID + " " + m.Title + ", " + minutes(m.Minutes), picked[m.ID]}
			if picked[m.ID] || offered[m.ID] {
				v.Chosen = append(v.Chosen, x)
			} else {
				g.Modules = append(g.Modules, x)
			}
		}
		v.Tracks = append(v.Tracks, g)
	}
	for i, st := range cur.DefaultPath() {
		on := form.Get("path") == count(float64(i+1))
		v.Path = append(v.Path, choice{count(float64(i + 1)), stageText(st, asked), on})
		for _, m := range stageModules(st, asked) {
			if on {
				whole[m.ID] = true
			}
		}
	}
	var out []*training.Module
	for _, m := range cur.Order() {
		if picked[m.ID] || whole[m.ID] {
			out = append(out, m)
		}
	}
	return out
}

func minutes(n int) string { return count(float64(n)) + " min" }

// chosenPeople are those whom a form names, and who are in a team that it names.
func chosenPeople(to []string, n *names) []string {
	var out []string
	for _, p := range n.dir.People {
		if slices.Contains(to, "person:"+p.ID) || slices.ContainsFunc(p.Teams, func(t string) bool { return slices.Contains(to, "team:"+t) }) {
			out = append(out, p.ID)
		}
	}
	slices.SortStableFunc(out, func(a, b string) int {
		return strings.Compare(strings.ToLower(n.person(a)), strings.ToLower(n.person(b)))
	})
	return out
}

// lacking says for each person what comes before the chosen modules and is not known to them,
// nor chosen, in order.
func (s *Server) lacking(n *names, people []string, chosen []*training.Module, rows []analytics.AssignmentRow) [][2]string {
	cur := s.Learn.Curriculum()
	var out [][2]string
	for _, p := range people {
		var lacks []string
		for _, m := range cur.Order() {
			before := slices.ContainsFunc(chosen, func(x *training.Module) bool { return slices.Contains(cur.Prerequisites(x.ID), m) })
			known := slices.ContainsFunc(rows, func(r analytics.AssignmentRow) bool { return r.Person == p && r.Module == m.ID && r.Known() })
			if before && !known && !slices.Contains(chosen, m) {
				lacks = append(lacks, m.ID+" "+m.Title)
			}
		}
		if len(lacks) > 0 {
			out = append(out, [2]string{n.person(p), strings.Join(lacks, ", then ")})
		}
	}
	return out
}

func (s *Server) giveAnswer(form url.Values, chosen []*training.Module, people []string) []bit {
	total := 0
	for _, m := range chosen {
		total += m.Minutes
	}
	switch {
	case len(chosen) == 0:
		return say("Choose what is to be learned, by whom and until when. It stands on each one’s own page with the reason and the incidents.")
	case len(people) == 0:
		return say(strong(plural(float64(len(chosen)), "module", "modules")), ", ", minutes(total), ". Choose who learns it and until when.")
	}
	return say(strong(plural(float64(len(chosen)), "module", "modules")), " of ", minutes(total), " for ", strong(plural(float64(len(people)), "person", "people")), ". Check the day and the reason, and assign.")
}

// giveWork reads the form and gives what it says.
func (s *Server) giveWork(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	if form.Get("do") == "look" {
		return s.giveForm(c, http.StatusOK, "", true)
	}
	w, err := workOf(c)
	if err == nil {
		w.Modules, w.Track, w.First = slices.Clone(form["module"]), form.Get("track"), form.Get("first") != ""
		if w.Track != "" && len(w.Modules) > 0 {
			err = &LearnError{"track", "is given as a whole, or single modules are, and not both"}
		}
		if stage := form.Get("path"); stage != "" {
			asked, failed := s.askedOf(c.Request().Context(), s.reading(c), form)
			if failed != nil {
				return failed
			}
			found := false
			for i, st := range s.Learn.Curriculum().DefaultPath() {
				for _, m := range stageModules(st, asked) {
					if stage == count(float64(i+1)) {
						w.Modules, found = append(w.Modules, m.ID), true
					}
				}
			}
			if !found {
				err = &LearnError{"path", "has no such stage"}
			}
		}
	}
	if err == nil {
		_, err = s.Learn.Assign(c.Request().Context(), who(c), w)
	}
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return s.giveForm(c, http.StatusBadRequest, bad.sentence(), true)
	case err != nil:
		return err
	}
	to := url.Values{"done": {"assigned"}}
	if t := form.Get("team"); t != "" {
		to.Set("team", t)
	}
	return c.Redirect(http.StatusSeeOther, "/assignments?"+to.Encode())
}

// giveLink is the address of the form, filled in; names and values in turn, "" left out.
func giveLink(pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Add(pairs[i], pairs[i+1])
		}
	}
	return "/training/assign?" + v.Encode()
}

// giveForIncident is the address of the form for what an incident would have taken: its cite,
// and the skills that it is tagged with. Empty for who gives no work.
func (s *Server) giveForIncident(w access.Who, inc *analytics.Incident) string {
	if s.Learn == nil || !w.IsOperator() && len(w.Heads()) == 0 {
		return ""
	}
	pairs := []string{"cites", inc.ID, "reason", clip(inc.Title, 200)}
	for _, t := range []string{inc.OwnerNow, inc.OwnerThen} {
		if w.HeadsTeam(t) {
			pairs = append(pairs, "team", t)
			break
		}
	}
	for _, k := range tagged(inc.Events) {
		pairs = append(pairs, "skill", k)
	}
	return giveLink(pairs...)
}

// tagged are the skills that an incident's events say it took, in the order in which they were
// said first, without those that were untagged since.
func tagged(events []analytics.EventRow) []string {
	var order []string
	standing := map[string]map[string]bool{} // skill → bases on which it stands
	for _, e := range events {               // in order of their time
		var d struct{ Skill, Basis string }
		if e.Kind != "skill.tagged" && e.Kind != "skill.untagged" || json.Unmarshal([]byte(e.Data), &d) != nil || d.Skill == "" {
			continue
		}
		if standing[d.Skill] == nil {
			standing[d.Skill] = map[string]bool{}
			order = append(order, d.Skill)
		}
		switch {
		case e.Kind == "skill.tagged":
			standing[d.Skill][d.Basis] = true
		case d.Basis != "":
			delete(standing[d.Skill], d.Basis)
		default:
			standing[d.Skill] = map[string]bool{}
		}
	}
	return slices.DeleteFunc(order, func(k string) bool { return len(standing[k]) == 0 })
}
