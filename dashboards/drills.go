package dashboards

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// drillView is the page a drill is started from.
type drillView struct {
	Intro  []string // paragraphs
	Facts  []fact
	Action string
	Csrf   string
	Play   bool   // whether the asker can
	Open   string // an attempt that goes on, empty for none
}

// drills answers: could I have handled it?
func (s *Server) drills(c echo.Context) error {
	f, ctx := s.filter(c), c.Request().Context()
	all, err := s.reading(c).Drills(ctx)
	if err != nil {
		return err
	}
	own, err := s.reading(c).Attempts(ctx)
	if err != nil {
		return err
	}
	p := &page{Title: "Drills", Nav: "Drills"}
	p.Sub = say("A drill is a past incident with its future hidden. What you do in one is shown to you alone.")
	tried := map[string]bool{}
	for _, a := range own {
		if !a.Finished.IsZero() {
			tried[a.Drill] = true
		}
	}
	p.Answer = say(strong(plural(float64(len(all)), "drill", "drills")), verbN(float64(len(all)), " is", " are"), " ready to play; you have finished ", strong(fmt.Sprint(len(tried))), ".")
	cd := card{ID: "ready", Title: "Which can I play?", Wide: "w12", Say: say("None of these lines says what the cause was.")}
	t := &table{List: true, Caption: "Drills that can be played", Head: heads("drill", "what it is about", "#lasted", "#evidence", "your best")}
	for _, d := range all {
		t.add(ref(d.Title, at("drills", d.ID)), txt(about(d)), num(duration(float64(d.Facts.Resolved))), num(plural(float64(len(d.Cards)), "card", "cards")), txt(best(own, d.ID)))
	}
	cd.Body = t
	p.Cards = append(p.Cards, cd)
	p.Cards = append(p.Cards, s.ownAttempts(f, own, all))
	return s.render(c, p)
}

// about is what a drill is about, as whoever was on call first knew it.
func about(d analytics.Drill) string {
	if paras := paragraphs(d.Intro); len(paras) > 0 {
		return paras[0]
	}
	return fmt.Sprintf("An incident of your organisation, with %s and %s to take.", plural(float64(d.Participants), "responder", "responders"), plural(float64(len(d.Decisions)), "decision", "decisions"))
}

// paragraphs are those of a simple Markdown text, without its heading.
func paragraphs(text string) []string {
	var out []string
	for _, block := range strings.Split(text, "\n\n") {
		lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(block), "\n"), func(l string) bool { return l == "" || strings.HasPrefix(l, "# ") })
		if len(lines) > 0 {
			out = append(out, strings.Join(lines, " "))
		}
	}
	return out
}

func best(own []analytics.AttemptRow, drill string) string {
	top, n := 0.0, 0
	for _, a := range own {
		if a.Drill == drill && !a.Finished.IsZero() {
			top, n = max(top, a.Score), n+1
		}
	}
	if n == 0 {
		return "not played"
	}
	return fmt.Sprintf("%s of 100", points(top))
}

// points writes points with their tenth, if they have one.
func points(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

// partNames are the parts of a score in a reader's words.
var partNames = map[string]string{"service": "right service first", "evidence": "decisive evidence opened", "decisions": "decisions", "escalation": "help brought in", "cadence": "updates", "time": "time"}

// ownAttempts is the card of what the asker has tried, with the parts of each score.
func (s *Server) ownAttempts(f *filter, own []analytics.AttemptRow, all []analytics.Drill) card {
	cd := card{ID: "own", Title: "How did I do?", Wide: "w12"}
	if len(own) == 0 {
		cd.Empty = say("You have not played yet. Choose a drill above; the clock can be paused at any time.")
		return cd
	}
	cd.N = plural(float64(len(own)), "attempt", "attempts")
	t := &table{List: true, Caption: "Your attempts, newest first", Head: heads("drill", "begun", "#score", "parts")}
	for _, a := range own {
		title := a.Drill
		if i := slices.IndexFunc(all, func(d analytics.Drill) bool { return d.ID == a.Drill }); i >= 0 {
			title = all[i].Title
		}
		score, parts := num("goes on"), ""
		if !a.Finished.IsZero() {
			score = num(points(a.Score))
			var each []string
			for _, x := range a.Parts {
				if x.Applies {
					each = append(each, fmt.Sprintf("%s %s/%s", or(partNames[x.Part], x.Part), points(x.Points), points(x.Of)))
				}
			}
			parts = strings.Join(each, " · ")
		}
		t.add(ref(title, attemptPath(a.Drill, a.ID)), f.moment(a.Started), score, txt(parts))
	}
	cd.Body = t
	return cd
}

func attemptPath(drill, attempt string) string {
	return at("drills", drill) + "/" + url.PathEscape(attempt)
}

// drill answers: what am I getting into?
func (s *Server) drill(c echo.Context) error {
	f, ctx := s.filter(c), c.Request().Context()
	d, err := s.reading(c).Drill(ctx, param(c, "drill"))
	if err != nil {
		return err
	}
	own, err := s.reading(c).Attempts(ctx)
	if err != nil {
		return err
	}
	own = slices.DeleteFunc(own, func(a analytics.AttemptRow) bool { return a.Drill != d.ID })
	csrf, _ := c.Get("csrf").(string)
	v := &drillView{Intro: paragraphs(d.Intro), Action: at("drills", d.ID), Csrf: csrf, Play: s.Play != nil && who(c).Person != ""}
	if len(v.Intro) == 0 {
		v.Intro = []string{about(*d)}
	}
	for _, a := range own {
		if a.Finished.IsZero() {
			v.Open = attemptPath(a.Drill, a.ID)
			break
		}
	}
	v.Facts = []fact{{Name: "the incident lasted", Text: duration(float64(d.Facts.Resolved))}, {Name: "evidence", Text: plural(float64(len(d.Cards)), "card", "cards")},
		{Name: "decisions", Text: fmt.Sprint(len(d.Decisions))}, {Name: "services to look at", Text: fmt.Sprint(len(d.Services))}}
	p := &page{Title: d.Title, Nav: "Drills", Drill: v}
	p.Sub = say(linked("all drills", "/drills"))
	p.Answer = say("You are on call. Evidence comes as it came then; ", strong("the clock can be paused, and runs up to 60 times as fast"), ".")
	p.Cards = []card{s.ownAttempts(f, own, []analytics.Drill{*d})}
	return s.render(c, p)
}

// drillStart begins an attempt and leads to it.
func (s *Server) drillStart(c echo.Context) error {
	id := param(c, "drill")
	attempt, err := s.Play.Start(c.Request().Context(), who(c), id)
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, attemptPath(id, attempt))
}
