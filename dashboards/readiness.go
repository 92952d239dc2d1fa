package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// Theory of operation of readiness
//
//  1. What is left before a first shift on one's own: the modules of the default path, looking
//     on, being on call with a host behind, and enough alerts that made sense. It is computed
//     from events each time; nobody is ticked off.
//  2. The newcomer reads all of it. Their lead, who decides who goes on the rota, reads how far
//     they are and how many alerts they acknowledged, and of the alerts nothing else: which of
//     them made no sense is the newcomer's and people admins' (package access).
//  3. Shifts to walk along are planned here beside the shifts of the rota.

// readyView is the part of the page with forms.
type readyView struct {
	Action, Csrf string
	Name         string
	Coming       []walkLine
	Hosts        []choice
	Role         string
	May          bool
	Self         bool
}

type walkLine struct{ ID, Text, Host, Role string }

var roleWords = map[string]string{analytics.RoleShadow: "looks on", analytics.RoleReverse: "on call, with the host behind"}

func (s *Server) shadowRoutes(r router) {
	r.post("/oncall/reviews", signedIn, s.tap, r.csrf)
	if s.Learn == nil {
		return
	}
	r.get("/readiness", signedIn, s.ownReadiness, r.csrf)
	r.get("/readiness/:person", signedIn, s.readiness, r.csrf)
	r.post("/readiness/:person/walk", signedIn, s.walk, r.csrf)
	r.post("/readiness/:person/calloff", signedIn, s.callOff, r.csrf)
}

// ownReadiness leads to one's own page.
func (s *Server) ownReadiness(c echo.Context) error {
	w := who(c)
	if w.Person == "" {
		p := &page{Title: "Readiness", Nav: "Training"}
		p.Answer = say("This page shows what is left for one person before their first shift. You are ", strong(w.Label()), ", which is nobody in particular.")
		if s.ViewAs {
			p.Answer = append(p.Answer, say(" Choose a person under “viewing as” above.")...)
		}
		return s.render(c, p)
	}
	return s.readyPage(c, w.Person, http.StatusOK, "")
}

func (s *Server) readiness(c echo.Context) error {
	id := param(c, "person")
	if who(c).Is(id) {
		return c.Redirect(http.StatusSeeOther, "/readiness")
	}
	return s.readyPage(c, id, http.StatusOK, map[string]string{"planned": "Planned.", "off": "Called off."}[c.QueryParam("done")])
}

// readyPage answers: what is left before the first shift on one's own?
func (s *Server) readyPage(c echo.Context, id string, status int, notice string) error {
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	var far []analytics.Readiness
	var work []analytics.AssignmentRow
	ask.do(func(ctx context.Context) (err error) {
		far, err = ask.read.Readiness(ctx, analytics.ReadinessFilter{Person: id})
		return
	})
	ask.do(func(ctx context.Context) (err error) {
		work, err = ask.read.Assignments(ctx, analytics.AssignmentFilter{Person: []string{id}, Tracks: s.tracks()})
		return
	})
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	if len(far) == 0 {
		return missing("person", id)
	}
	r := far[0]
	self := w.Is(r.Person)
	name := clip(n.person(r.Person), 80)
	p := &page{Title: "Readiness of " + name, Nav: "Training", Notice: notice}
	if self {
		p.Title = "Am I ready for the pager?"
		p.Notice = or(notice, map[string]string{"planned": "Planned.", "off": "Called off."}[c.QueryParam("done")])
	}
	p.Sub = say(linked("training", "/training"))
	for _, t := range r.Teams {
		p.Sub = append(p.Sub, say(" · ", linked(n.team(t), f.link(at("teams", t))))...)
	}
	x := readied{r: r, self: self, name: name, work: work, stage: s.firstStage()}
	p.Answer = s.readyAnswer(f, x)
	ready, err := s.walks(c, f, n, x)
	if err != nil {
		return err
	}
	p.Ready = ready
	p.Cards = []card{s.leftCard(f, x), s.pathCard(f, x), s.graduationCard(f, n, x)}
	p.Version, p.Dev = s.Version, s.Dev
	return s.draw(c, status, p)
}

// readied is what the page knows of somebody.
type readied struct {
	r     analytics.Readiness
	self  bool
	name  string
	work  []analytics.AssignmentRow
	stage []*training.Module
}

// firstStage are the modules before the first shift on one's own.
func (s *Server) firstStage() []*training.Module {
	for _, st := range s.Learn.Curriculum().DefaultPath() {
		return st.Modules
	}
	return nil
}

// left is one thing that is missing, or there.
type left struct {
	done      bool
	what, why string
	href      string
}

// lefts are all of them, in the order in which they come.
func (s *Server) lefts(f *filter, x readied) []left {
	var out []left
	for _, m := range x.stage {
		l := left{what: m.ID + " " + m.Title, href: at("training", m.ID), why: "not assigned yet"}
		if !x.self { // a lead is led to the form that assigns it
			l.href += "?" + url.Values{"for": {"person:" + x.r.Person}}.Encode() + "#assign"
		}
		if r, ok := Current(x.work, m.ID); ok {
			l.done = r.State == analytics.StateCompleted || r.State == analytics.StateWaived
			l.why = r.State
			if r.State == analytics.StateAssigned {
				l.why = "not begun"
			}
			if !l.done && !r.Due.IsZero() {
				l.why += ", due " + f.lastDay(r.Due)
			}
		}
		out = append(out, l)
	}
	walked := func(n, coming int, what string) {
		l := left{done: n > 0, what: what, why: "none yet", href: "#walks"}
		switch {
		case n > 0:
			l.why = plural(float64(n), "shift", "shifts") + " done"
		case coming > 0:
			l.why = "planned"
		}
		out = append(out, l)
	}
	coming := map[string]int{}
	for _, w := range x.r.Coming {
		coming[w.Role]++
	}
	walked(x.r.Shadow, coming[analytics.RoleShadow], "looking on in a shift")
	walked(x.r.Reverse, coming[analytics.RoleReverse], "a shift on call with a host behind")
	l := left{done: !x.r.Graduated.IsZero(), what: "graduation", href: "#graduation"}
	l.why = fmt.Sprintf("%d of at least %d alerts acknowledged", x.r.Acknowledged, analytics.AlertsNeeded)
	if l.done {
		l.why = "since " + f.stamp(x.r.Graduated)
	}
	return append(out, l)
}

// readyAnswer says first what is missing.
func (s *Server) readyAnswer(f *filter, x readied) []bit {
	var missing []string
	all := s.lefts(f, x)
	for _, l := range all {
		if !l.done {
			missing = append(missing, l.what)
		}
	}
	subject, has := x.name, " has"
	if x.self {
		subject, has = "You", " have"
	}
	next := say(" No shift on their own is planned.")
	if x.self {
		next = say(" No shift on your own is planned.")
	}
	if !x.r.Next.IsZero() {
		next = say(" The next shift on call, on ", clip(x.r.NextSchedule, 80), ", begins ", strong(f.stamp(x.r.Next)), ".")
		if x.r.Next.Before(f.now) {
			next = say(" On call now, on ", clip(x.r.NextSchedule, 80), ", since ", strong(f.stamp(x.r.Next)), ".")
		}
	}
	if !x.r.First.IsZero() && x.r.First.Before(f.now) {
		out := say("The first shift on call of ", x.name, " was on ", strong(f.stamp(x.r.First)), ". ")
		if x.self {
			out = say("Your first shift on call was on ", strong(f.stamp(x.r.First)), ". ")
		}
		if len(missing) == 0 {
			return append(append(out, say("All ", count(float64(len(all))), " things that come before one are done.")...), next...)
		}
		return append(append(out, say("Of what comes before one, ", strong(fmt.Sprintf("%d of %d", len(missing), len(all))), verbN(float64(len(missing)), " is", " are"), " still open.")...), next...)
	}
	if len(missing) == 0 {
		return append(say(strong("Nothing is left"), " before a first shift on one’s own: ", subject, has, " done all ", count(float64(len(all))), " of what comes before it."), next...)
	}
	// The first few in words; the card has all.
	words := missing
	if len(words) > 4 {
		words = append(slices.Clone(missing[:3]), plural(float64(len(missing)-3), "more", "more"))
	}
	return append(say(strong(fmt.Sprintf("%d of %d", len(missing), len(all))), verbN(float64(len(missing)), " is", " are"), " left before a first shift on one’s own: ", strong(list(words)), "."), next...)
}

func (s *Server) leftCard(f *filter, x readied) card {
	all := s.lefts(f, x)
	c := card{ID: "left", Title: "What is left, and what is done?", Wide: "w5", N: plural(float64(len(all)), "thing", "things")}
	t := &table{List: true, Caption: "What comes before a first shift, in its order", Head: heads("what", "state", "how far")}
	done := 0
	for _, l := range all {
		state := "left"
		if l.done {
			state = "done"
			done++
		}
		t.add(ref(l.what, l.href), txt(state), txt(l.why))
	}
	c.Say = say(strong(fmt.Sprintf("%d of %d", done, len(all))), " are done.")
	c.Body = t
	return c
}

// graduationCard says how far, by the published rule, and for whom it is by which alerts.
func (s *Server) graduationCard(f *filter, n *names, x readied) card {
	r := x.r
	c := card{ID: "graduation", Title: "Has it made sense often enough?", Wide: "w12", N: plural(float64(r.Acknowledged), "alert", "alerts")}
	if m, ok := s.metrics["graduation"]; ok {
		c.Metric = &m
		if r.Detailed {
			c.CSV = "/api/v1/metrics/graduation?" + url.Values{"format": {"csv"}, "person": {r.Person}}.Encode()
		}
	}
	rule := fmt.Sprintf("In shifts on call with a host behind, at least %d acknowledged alerts of which more than %.0f %% made sense.", analytics.AlertsNeeded, 100*analytics.SenseNeeded)
	if r.Acknowledged == 0 {
		c.Empty = say(rule, " No alert was acknowledged in such a shift yet.")
		return c
	}
	switch {
	case !r.Graduated.IsZero():
		c.Say = say(strong("Graduated"), " on ", f.stamp(r.Graduated), ". ", rule)
	default:
		c.Say = say(strong(fmt.Sprintf("%d of %d", r.Acknowledged, analytics.AlertsNeeded)), " alerts acknowledged; not graduated yet. ", rule)
	}
	if !r.Detailed {
		c.Say = append(c.Say, say(" Which of them made sense is ", x.name, "’s to read.")...)
		return c
	}
	c.Say = append(c.Say, say(" So far ", strong(fmt.Sprintf("%d of %d", r.Sensible, r.Acknowledged)), " made sense")...)
	if wait := r.Acknowledged - r.Rated; wait > 0 {
		c.Say = append(c.Say, say("; ", plural(float64(wait), "waits", "wait"), " for a tap, and without one an alert does not count as making sense")...)
	}
	c.Say = append(c.Say, bit{Text: "."})
	t := &table{List: true, Caption: "Alerts acknowledged in shifts with a host behind", Head: heads("alert", "acknowledged", "made sense", "says")}
	for _, a := range slices.Backward(r.Alerts) { // the newest are those that wait for a tap
		sense, by := "nobody has said", ""
		if a.MadeSense != nil {
			sense, by = map[bool]string{true: "yes", false: "no"}[*a.MadeSense], clip(n.person(a.By), 80)
		}
		t.add(ref(clip(or(a.Title, a.Incident), 120), at("incidents", a.Incident)+"#review"), f.moment(a.Acked), txt(sense), txt(by))
	}
	c.Body = t
	return c
}

// pathCard is the default path with what shows that each module was done; PG2's is the list
// of accesses.
func (s *Server) pathCard(f *filter, x readied) card {
	c := card{ID: "path", Title: "What is there to learn first?", Wide: "w7", N: plural(float64(len(x.stage)), "module", "modules")}
	minutes := 0
	t := &table{List: true, Caption: "Modules before the first shift", Head: heads("module", "#minutes", "state", "shown by")}
	for _, m := range x.stage {
		minutes += m.Minutes
		state, shown := "not assigned", m.Evidence.Rule
		if r, ok := Current(x.work, m.ID); ok {
			if state = r.State; state == analytics.StateAssigned {
				state = "not begun"
			}
			if r.Evidence != "" {
				shown = clip(r.Evidence, 300)
			}
		}
		line := txt(shown)
		if m.ID == "PG2" {
			line = line.with("the checklist of accesses")
		}
		t.add(ref(m.ID+" "+m.Title, at("training", m.ID)), counted(float64(m.Minutes)), txt(state), line)
	}
	c.Say = say(strong(plural(float64(minutes), "minute", "minutes")), " in all. A module is done by what shows it; where nothing does yet, the rule says what would.")
	c.Body = t
	return c
}

// walks are the shifts to walk along to come, and the form that plans one.
func (s *Server) walks(c echo.Context, f *filter, n *names, x readied) (*readyView, error) {
	w := who(c)
	csrf, _ := c.Get("csrf").(string)
	v := &readyView{Action: at("readiness", x.r.Person), Csrf: csrf, Name: x.name, Self: x.self, Role: c.FormValue("role"), May: w.Plans(x.r.Person, x.r.Teams) == nil}
	for _, r := range x.r.Coming {
		v.Coming = append(v.Coming, walkLine{ID: r.ID, Role: roleWords[r.Role], Host: clip(or(n.person(r.Host), "nobody"), 80), Text: s.shiftWords(f, r)})
	}
	if !v.May {
		return v, nil
	}
	for _, t := range x.r.Teams {
		rows, err := s.reading(c).Rota(c.Request().Context(), t)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			key := HostKey(r)
			if r.Walks() || r.Person == x.r.Person || slices.ContainsFunc(v.Hosts, func(o choice) bool { return o.Value == key }) {
				continue
			}
			v.Hosts = append(v.Hosts, choice{key, s.shiftWords(f, r) + ", " + clip(n.person(r.Person), 80), key == c.FormValue("host")})
		}
	}
	return v, nil
}

func (s *Server) shiftWords(f *filter, r analytics.ShiftRow) string {
	return fmt.Sprintf("%s level %d, %s to %s", clip(r.Schedule, 80), r.Level, r.Start.In(f.zone).Format("Mon 2 Jan 15:04"), r.End.In(f.zone).Format("Mon 2 Jan 15:04 MST"))
}

// walk plans a shift to walk along.
func (s *Server) walk(c echo.Context) error {
	id := param(c, "person")
	err := s.Shadow.Walk(c.Request().Context(), who(c), Walk{Person: id, Role: filled(c, "role"), Host: filled(c, "host")})
	return s.walked(c, id, "planned", err)
}

func (s *Server) callOff(c echo.Context) error {
	id := param(c, "person")
	err := s.Shadow.CallOff(c.Request().Context(), who(c), id, c.FormValue("shift"))
	return s.walked(c, id, "off", err)
}

func (s *Server) walked(c echo.Context, id, done string, err error) error {
	var bad *LearnError
	if errors.As(err, &bad) {
		return s.readyPage(c, id, http.StatusBadRequest, bad.sentence())
	}
	if err != nil {
		return err
	}
	to := at("readiness", id)
	if who(c).Is(id) {
		to = "/readiness"
	}
	return c.Redirect(http.StatusSeeOther, to+"?done="+done)
}
