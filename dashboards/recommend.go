package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/recommend"
)

// Advise says what to learn next. Errors: *access.Denied says who may, *LearnError is the
// caller's mistake.
type Advise interface {
	// Team is what a team should learn next.
	Team(ctx context.Context, who access.Who, team string) (recommend.List, error)
	// Own is what the asker should learn next.
	Own(ctx context.Context, who access.Who) (recommend.List, error)
	// Dismiss takes that a recommendation is not wanted: a team's, or without one the asker's.
	Dismiss(ctx context.Context, who access.Who, team, id, reason string) error
}

func (s *Server) recommendRoutes(r router) {
	r.get("/recommendations", signedIn, s.recommendations, r.csrf)
	r.post("/recommendations/dismiss", signedIn, s.dismiss, r.csrf)
	r.get("/api/v1/recommendations", signedIn, s.apiRecommendations, r.zip)
}

// advises says whether there is anybody to ask what to learn next.
func (s *Server) advises() bool { return s.Learn != nil && s.Advise != nil }

// adviceLine is one recommendation as a page shows it.
type adviceLine struct {
	ID, Team      string
	What          []bit
	First         []navItem // what comes before it, in order
	Because       string
	Also          []string
	Rule          recommend.Rule
	Metric        *analytics.Metric // whose definition it stands on
	N             string
	Cites         []navItem
	By            string
	Actions       []navItem
	Dismiss       string // where it can be dismissed; empty: not by this reader
	Form          *dismissForm
	Gone, Returns string // that it was dismissed, and when it comes back
}

// dismissForm is the form that dismisses one.
type dismissForm struct{ Csrf, Team string }

// advised is what a page asked for; read it after wait.
type advised struct {
	list recommend.List
	err  error
}

// advise asks beside a page's questions. An error stays with its card.
func (s *Server) advise(ask *asker, team string) *advised {
	out := &advised{}
	ask.do(func(ctx context.Context) error {
		if team != "" {
			out.list, out.err = s.Advise.Team(ctx, ask.who, team)
		} else {
			out.list, out.err = s.Advise.Own(ctx, ask.who)
		}
		return nil
	})
	return out
}

// adviceShown is how many a card shows beside others; the page of recommendations has all.
const adviceShown = 3

// advice is the card of recommendations; form is nil but on their own page.
func (s *Server) advice(f *filter, w access.Who, c card, team string, a *advised, form *dismissForm) card {
	if c.Err = s.adviceErr(a.err); c.Err != "" {
		return c
	}
	href := adviceHref(team)
	may := team == "" || w.HeadsTeam(team)
	open := a.list.Open
	if form == nil {
		open = open[:min(adviceShown, len(open))]
	} else if !may {
		form = nil
	}
	for _, r := range open {
		l := s.adviceLine(f, w, r)
		if l.Form = form; may && form == nil {
			l.Dismiss = href + "#r-" + r.ID
		}
		c.Advice = append(c.Advice, l)
	}
	c.N = plural(float64(len(a.list.Open)), "recommendation", "recommendations")
	switch {
	case len(c.Advice) == 0 && team != "":
		c.Empty = say("Nothing stands out: no skill that the team’s incidents took is lacking, or none was said yet. Each incident’s page takes what it needed.")
	case len(c.Advice) == 0:
		c.Empty = say("Nothing is lacking for your next shift, and nothing of yours fades. ", linked("Any module", "/training"), " can be started of one’s own accord.")
	case len(open) < len(a.list.Open):
		c.Say = say("The first ", count(float64(len(open))), " of ", linked(plural(float64(len(a.list.Open)), "recommendation", "recommendations"), href), "; each says its rule and the incidents behind it.")
	default:
		c.Say = say("Each says its rule and the incidents behind it.")
	}
	if n := len(a.list.Dismissed); n > 0 && form == nil && len(c.Say) > 0 {
		c.Say = append(c.Say, say(" ", linked(plural(float64(n), "other was dismissed", "others were dismissed"), href+"#dismissed"), ".")...)
	}
	return c
}

func adviceHref(team string) string {
	if team == "" {
		return "/recommendations"
	}
	return "/recommendations?team=" + url.QueryEscape(team)
}

// adviceErr words an error of recommendations for a card.
func (s *Server) adviceErr(err error) string {
	if err == nil {
		return ""
	}
	e := s.explain(err)
	if _, denied := refusedTo(err); denied {
		return withheld + e.Message
	}
	if e.status >= 500 && !errors.Is(err, context.Canceled) {
		s.Log.Error("recommendations failed", "err", clip(err.Error(), 2000))
	}
	return "recommendations: " + e.Message
}

func (s *Server) adviceLine(f *filter, w access.Who, r recommend.Recommendation) adviceLine {
	cur := s.Learn.Curriculum()
	l := adviceLine{ID: r.ID, Team: r.Team, Because: r.Because, Also: r.Also, Rule: r.Rule}
	skill := r.Skill
	if k, ok := cur.Skill(r.Skill); ok {
		skill = k.Name
	}
	if m, ok := s.metrics[r.Rule.Metric]; ok {
		l.Metric = &m
	}
	if r.N > 0 {
		l.N = plural(float64(r.N), "incident", "incidents")
	}
	for _, id := range r.Cites {
		l.Cites = append(l.Cites, navItem{clip(id, 60), at("incidents", id)})
	}
	switch {
	case r.By.IsZero():
	case r.By.After(s.Now()):
		l.By = "by " + f.stamp(r.By)
	default: // of a shift that goes on
		l.By = "now"
	}
	switch m, ok := cur.Module(r.Module); {
	case ok:
		l.What = say(linked(m.ID+" "+m.Title, at("training", m.ID)), ", ", plural(float64(m.Minutes), "minute", "minutes"))
		if skill != "" {
			l.What = append(l.What, say(", for ", strong(skill))...)
		}
		for _, id := range r.Path[:max(0, len(r.Path)-1)] {
			if before, ok := cur.Module(id); ok {
				l.First = append(l.First, navItem{before.ID + " " + before.Title, at("training", before.ID)})
			}
		}
		if r.Team == "" {
			if first, ok := cur.Module(r.Path[0]); ok {
				l.Actions = append(l.Actions, navItem{"Start with " + first.ID, at("training", first.ID)})
			}
		} else if w.HeadsTeam(r.Team) {
			l.Actions = append(l.Actions, navItem{"Assign " + m.ID, s.assignHref(f, m.ID, "team:"+r.Team, reasonOf(r), r.Cites, r.By)})
		}
	case r.Drill != "":
		l.What = say("Practise ", strong(skill), " in ", linked("a drill", at("drills", r.Drill)))
		l.Actions = append(l.Actions, navItem{"See the drill", at("drills", r.Drill)})
	default:
		l.What = say("Practise ", strong(skill), ": no drill of it is there yet; one can be made of an incident cited here")
		if len(r.Cites) > 0 {
			l.Actions = append(l.Actions, navItem{"See the incident", at("incidents", r.Cites[0])})
		}
	}
	if r.Drill != "" && r.Team != "" && w.HeadsTeam(r.Team) && s.Play != nil {
		v := url.Values{"skill": {r.Skill}, "team": {r.Team}, "reason": {clip(reasonOf(r), 490)}, "cites": {strings.Join(r.Cites, " ")}}
		l.Actions = append(l.Actions, navItem{"Book a drill", "/drills?" + v.Encode()})
	}
	if d := r.Dismissed; d != nil {
		l.Gone = fmt.Sprintf("Dismissed on %s: %s", f.stamp(d.At), clip(d.Reason, 500))
		l.Returns = "It comes back after " + r.Back.In(f.zone).Format("2 Jan 2006") + ", or earlier with an incident of this skill that is severe or left the team."
	}
	return l
}

// reasonOf is what an assignment that follows a recommendation says of why.
func reasonOf(r recommend.Recommendation) string { return r.Rule.Title + ": " + r.Because }

// assignHref is the form that assigns a module, filled in. due is the day before by.
func (s *Server) assignHref(f *filter, module, to, reason string, cites []string, by time.Time) string {
	v := url.Values{"for": {to}, "reason": {clip(reason, 490)}, "cites": {strings.Join(cites, " ")}}
	if due := by.In(f.zone).AddDate(0, 0, -1); !by.IsZero() && due.After(s.Now()) {
		v.Set("due", due.Format(time.DateOnly))
	}
	if slices.ContainsFunc(s.echo.Routes(), func(r *echo.Route) bool { return r.Path == "/training/assign" && r.Method == http.MethodGet }) {
		v.Set("module", module)
		return "/training/assign?" + v.Encode()
	}
	return at("training", module) + "?" + v.Encode() + "#assign"
}

// recommendations answers: what should I, or a team, learn next, and by which rule?
func (s *Server) recommendations(c echo.Context) error {
	return s.recommendationsPage(c, http.StatusOK, map[string]string{"dismissed": "Dismissed. It is listed below with when it comes back."}[c.QueryParam("done")])
}

func (s *Server) recommendationsPage(c echo.Context, status int, notice string) error {
	f, w := s.filter(c), who(c)
	team := strings.TrimSpace(c.FormValue("team"))
	ask := s.asker(c, f)
	dir := ask.names()
	var a *advised
	if team != "" || w.Learns() == nil {
		a = s.advise(ask, team)
	}
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	csrf, _ := c.Get("csrf").(string)
	p := &page{Title: "What should I learn next?", Nav: "Training", Notice: notice}
	s.unsettled(p)
	if team != "" {
		p.Title = "What should " + n.team(team) + " learn next?"
	}
	p.Sub = say("What fixed rules suggest, with the incidents behind each. Nobody is compared with anybody.")
	if a != nil {
		if denied, no := refusedTo(a.err); no {
			return denied
		}
		p.Answer = adviceAnswer(s, a, team, n)
		p.Cards = append(p.Cards, s.advice(f, w, card{ID: "open", Title: "What is suggested?", Wide: "w12"}, team, a, &dismissForm{csrf, team}))
		if len(a.list.Dismissed) > 0 {
			d := card{ID: "dismissed", Title: "What was dismissed?", Wide: "w12", N: plural(float64(len(a.list.Dismissed)), "recommendation", "recommendations"),
				Say: say("What the rules still say, and somebody did not want.")}
			for _, r := range a.list.Dismissed {
				l := s.adviceLine(f, w, r)
				l.Actions = nil
				d.Advice = append(d.Advice, l)
			}
			p.Cards = append(p.Cards, d)
		}
	} else {
		p.Answer = say("Recommendations are for a person or a team. You are ", strong(w.Label()), ", which is nobody in particular.")
		if s.adviceTeams(w, n, team) != nil {
			p.Answer = append(p.Answer, bit{Text: " Choose a team below."})
		} else if w.IsOperator() {
			p.Answer = append(p.Answer, bit{Text: " No team is known yet: they come with member.joined events, and people then stand under “viewing as” above."})
		}
	}
	if t := s.adviceTeams(w, n, team); t != nil {
		p.Cards = append(p.Cards, *t)
	}
	p.Cards = append(p.Cards, ruleCard(s, team))
	p.Version, p.Dev = s.Version, s.Dev
	if status != http.StatusOK {
		return s.draw(c, status, p)
	}
	return s.render(c, p)
}

func adviceAnswer(s *Server, a *advised, team string, n *names) []bit {
	if a.err != nil {
		return nil
	}
	if len(a.list.Open) == 0 {
		return say(strong("Nothing"), " is suggested now.")
	}
	r := a.list.Open[0]
	what := "practise " + s.skillName(r.Skill)
	if m, ok := s.Learn.Curriculum().Module(r.Module); ok {
		what = m.ID + " " + m.Title
	}
	subject := "you"
	if team != "" {
		subject = n.team(team)
	}
	return say(plural(float64(len(a.list.Open)), "thing is", "things are"), " suggested to ", subject, ", the first: ", strong(what), ". ", r.Because)
}

// adviceTeams leads to the recommendations of the teams that somebody leads or is in.
func (s *Server) adviceTeams(w access.Who, n *names, but string) *card {
	c := card{ID: "teams", Title: "What should a team learn next?", Wide: "w12"}
	var teams [][]bit
	for _, x := range n.dir.Teams {
		if x.ID != but && x.Size > 0 && w.Advised(x.ID) == nil && (w.InTeam(x.ID) || w.HeadsTeam(x.ID)) {
			teams = append(teams, say(linked(x.Name, adviceHref(x.ID)), " ("+plural(float64(x.Size), "person", "people")+")"))
		}
	}
	if len(teams) == 0 {
		return nil
	}
	c.Say = say("By the incidents of each: ")
	for i, t := range teams {
		if i > 0 {
			c.Say = append(c.Say, bit{Text: ", "})
		}
		c.Say = append(c.Say, t...)
	}
	c.Say = append(c.Say, bit{Text: "."})
	return &c
}

func ruleCard(s *Server, team string) card {
	c := card{ID: "rules", Title: "By which rules?", Wide: "w12", Say: say("In the order in which they are asked; what two of them suggest stands once, with both reasons.")}
	t := &table{List: true, Caption: "Rules of recommendations", Head: heads("rule", "#version", "what it says", "stands on")}
	for _, r := range recommend.Rules() {
		own := !slices.Contains([]string{recommend.ComingShift.ID, recommend.LargestGap.ID}, r.ID)
		if own != (team == "") {
			continue
		}
		on := txt("–")
		if r.Metric != "" {
			on = ref(r.Metric, "/definitions#"+r.Metric)
		}
		t.add(txt(r.Title), counted(float64(r.Version)), txt(r.Text), on)
	}
	c.Body, c.N = t, plural(float64(len(t.Rows)), "rule", "rules")
	return c
}

// dismiss reads the form that dismisses; what was wrong is said on the page.
func (s *Server) dismiss(c echo.Context) error {
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	team := filled(c, "team")
	err := s.Advise.Dismiss(c.Request().Context(), who(c), team, filled(c, "recommendation"), filled(c, "reason"))
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return s.recommendationsPage(c, http.StatusBadRequest, bad.sentence())
	case err != nil:
		return err
	}
	v := url.Values{"done": {"dismissed"}}
	if team != "" {
		v.Set("team", team)
	}
	return c.Redirect(http.StatusSeeOther, "/recommendations?"+v.Encode())
}
