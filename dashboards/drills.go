package dashboards

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

func (s *Server) drillRoutes(r router) {
	r.get("/drills", signedIn, s.drills, r.csrf)
	r.get("/drills/:drill", signedIn, s.drill, r.csrf)
	r.get("/drills/:drill/:attempt", signedIn, s.attempt, r.csrf)
	r.get("/drills/:drill/:attempt/table", signedIn, s.tableJSON, r.zip)
	if s.Play == nil {
		return
	}
	r.post("/drills", signedIn, s.bookDrill, r.csrf)
	r.post("/bookings/:booking", signedIn, s.changeBooking, r.csrf)
	r.post("/drills/:drill", signedIn, s.drillStart, r.csrf)
	r.post("/drills/:drill/:attempt", signedIn, s.playStep, r.csrf)
	r.post("/drills/:drill/:attempt/share", signedIn, s.shareAttempt, r.csrf)
	r.get("/incidents/:incident/drill", signedIn, s.author, r.csrf)
	r.post("/incidents/:incident/drill", signedIn, s.publish, r.csrf)
}

// drillView is the page a drill is started from.
type drillView struct {
	Intro  []string // paragraphs
	Facts  []fact
	Action string
	Csrf   string
	Play   bool   // whether the asker can
	Open   string // an attempt that goes on, empty for none
}

// worthShown is how many incidents are suggested to be made into drills.
const worthShown = 8

// played is what the pages of drills stand on besides the drills.
type played struct {
	all      []analytics.Drill
	own      []analytics.AttemptRow
	shares   map[string][]string
	shared   []analytics.SharedRow
	mine     []analytics.BookingRow
	led      []analytics.BookingRow
	worth    []analytics.Worth
	leads    bool
	gaps     []analytics.GapRow
	gapsErr  error
	gapsFrom []string // the teams whose gaps they are, in order
}

// played asks for it; empty where it is not the asker's.
func (s *Server) played(ask *asker, w access.Who, drill string) *played {
	x := &played{leads: w.IsOperator() || len(w.Heads()) > 0}
	ask.do(func(ctx context.Context) (err error) { x.all, err = ask.read.Drills(ctx); return })
	ask.do(func(ctx context.Context) (err error) { x.own, err = ask.read.Attempts(ctx); return })
	ask.do(func(ctx context.Context) (err error) { x.shares, err = ask.read.Shares(ctx); return })
	if w.Learns() == nil {
		ask.do(func(ctx context.Context) (err error) {
			x.mine, err = ask.read.Bookings(ctx, analytics.BookingFilter{Own: true, Drill: drill})
			return
		})
	}
	if x.leads {
		ask.do(func(ctx context.Context) (err error) {
			x.led, err = ask.read.Bookings(ctx, analytics.BookingFilter{Team: w.Heads(), Drill: drill})
			return
		})
	}
	return x
}

// drills answers: could I have handled it?
func (s *Server) drills(c echo.Context) error { return s.drillsPage(c, http.StatusOK, "") }

// drillsPage draws the list, after a form that was refused with what was wrong.
func (s *Server) drillsPage(c echo.Context, status int, problem string) error {
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	x := s.played(ask, w, "")
	ask.do(func(ctx context.Context) (err error) { x.shared, err = ask.read.Shared(ctx); return })
	if s.Play != nil {
		ask.do(func(ctx context.Context) (err error) { x.worth, err = ask.read.WorthDrill(ctx, worthShown); return })
	}
	x.askGaps(ask, w, f.get("team"))
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	next := x.rank(f, n, f.get("skill"))
	p := &page{Title: "Drills", Nav: "Drills", Notice: drillWords[c.QueryParam("done")]}
	p.Sub = say("A drill is a past incident with its future hidden. What you do in one is shown to you alone, unless you share it.")
	p.Answer = x.answer(f, next)
	p.Filter = skillFilter(f, n, w)
	book, err := s.bookings(c, f, n, x, next, problem)
	if err != nil {
		return err
	}
	p.Book = book
	p.Cards = []card{s.nextCard(f, x, next)}
	played := []card{s.ownAttempts(f, n, x, x.all)}
	if w.Learns() == nil {
		played = append(played, s.sharedCard(f, n, x))
	}
	if len(played) == 2 && played[0].Body == nil && played[1].Body == nil {
		played = inPairs(played)
	}
	p.Cards = append(p.Cards, played...)
	if s.Play != nil && (w.IsOperator() || len(w.Teams()) > 0) {
		p.Cards = append(p.Cards, s.compileCard(f, n, x))
	}
	p.Version, p.Dev = s.Version, s.Dev
	return s.draw(c, status, p)
}

// drillWords are said after an act.
var drillWords = map[string]string{"booked": "Booked. It stands on the page of who is to play it.", "moved": "Moved to the new time.", "cancelled": "Cancelled.",
	"shared": "Shared. Members of the team can read this debrief now.", "withdrawn": "Withdrawn. Nobody else can read this debrief in that team any more."}

func (x *played) answer(f *filter, next []ranked) []bit {
	finished := map[string]bool{}
	for _, a := range x.own {
		if !a.Finished.IsZero() {
			finished[a.Drill] = true
		}
	}
	total := float64(len(x.all))
	out := say(strong(plural(total, "drill", "drills")), verbN(total, " is", " are"), " ready to play; you have finished ", strong(fmt.Sprint(len(finished))), ".")
	for _, r := range x.mine {
		if r.Open() {
			return say("Next for you: ", linked(x.title(r.Drill), at("drills", r.Drill)), ", booked for ", strong(f.stamp(r.Starts)), ". ", out)
		}
	}
	if len(next) > 0 && next[0].why != "" {
		out = append(out, say(" First comes ", linked(next[0].Title, at("drills", next[0].ID)), ": ", next[0].why, ".")...)
	}
	return out
}

// title is a drill's, or its id if it is not there any more.
func (x *played) title(id string) string {
	for _, d := range x.all {
		if d.ID == id {
			return d.Title
		}
	}
	return clip(id, 100)
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

// best is the best attempt at a drill; false without a finished one.
func best(own []analytics.AttemptRow, drill string) (top analytics.AttemptRow, ok bool) {
	for _, a := range own {
		if a.Drill == drill && !a.Finished.IsZero() && (!ok || a.Score > top.Score) {
			top, ok = a, true
		}
	}
	return top, ok
}

// points writes points with their tenth, if they have one.
func points(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0") }

// partNames are the parts of a score in a reader's words.
var partNames = map[string]string{"service": "right service first", "evidence": "decisive evidence opened", "decisions": "decisions", "escalation": "help brought in", "cadence": "updates", "time": "time"}

// ownAttempts is the card of what the asker has tried, with the parts of each score.
func (s *Server) ownAttempts(f *filter, n *names, x *played, all []analytics.Drill) card {
	cd := card{ID: "own", Title: "How did I do?", Wide: "w12"}
	t := &table{List: true, Caption: "Your attempts, newest first", Head: heads("drill", "begun", "#score", "parts", "who can read it")}
	for _, a := range x.own {
		i := slices.IndexFunc(all, func(d analytics.Drill) bool { return d.ID == a.Drill })
		if i < 0 && len(all) == 1 { // the page of one drill
			continue
		}
		title := clip(a.Drill, 100)
		if i >= 0 {
			title = all[i].Title
		}
		score, parts, readers := num("goes on"), "", "only you"
		if !a.Finished.IsZero() {
			score = num(points(a.Score)).with(map[bool]string{true: "passed", false: "not passed"}[a.Passed()])
			var each []string
			for _, x := range a.Parts {
				if x.Applies {
					each = append(each, fmt.Sprintf("%s %s/%s", or(partNames[x.Part], x.Part), points(x.Points), points(x.Of)))
				}
			}
			parts = strings.Join(each, " · ")
		}
		if with := x.shares[a.ID]; len(with) > 0 && !a.Finished.IsZero() {
			readers = "you and " + teamNames(n, with)
		}
		t.add(ref(title, attemptPath(a.Drill, a.ID)), f.moment(a.Started), score, txt(parts), txt(readers))
	}
	if len(t.Rows) == 0 {
		cd.Empty = say("You have not played yet. The clock can be paused at any time.")
		return cd
	}
	cd.N = plural(float64(len(t.Rows)), "attempt", "attempts")
	cd.Say = say("From ", strong(fmt.Sprint(drill.PassMark)+" points"), " on an attempt is passed. The first one finished at a drill is unaided, and one that is finished 90 days or more after the last; others know its answers.")
	cd.Body = t
	return cd
}

func attemptPath(drill, attempt string) string {
	return at("drills", drill) + "/" + url.PathEscape(attempt)
}

// drill answers: what am I getting into?
func (s *Server) drill(c echo.Context) error {
	f, w := s.filter(c), who(c)
	d, err := s.reading(c).Drill(c.Request().Context(), param(c, "drill"))
	if err != nil {
		return err
	}
	ask := s.asker(c, f)
	dir := ask.names()
	x := s.played(ask, w, d.ID)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	csrf, _ := c.Get("csrf").(string)
	v := &drillView{Intro: paragraphs(d.Intro), Action: at("drills", d.ID), Csrf: csrf, Play: s.Play != nil && w.Person != ""}
	if len(v.Intro) == 0 {
		v.Intro = []string{about(*d)}
	}
	for _, a := range x.own {
		if a.Drill == d.ID && a.Finished.IsZero() {
			v.Open = attemptPath(a.Drill, a.ID)
			break
		}
	}
	v.Facts = []fact{{Name: "the incident lasted", Text: duration(float64(d.Facts.Resolved))}, {Name: "evidence", Text: plural(float64(len(d.Cards)), "card", "cards")},
		{Name: "decisions", Text: fmt.Sprint(len(d.Decisions))}, {Name: "services to look at", Text: fmt.Sprint(len(d.Services))}, {Name: "passed with", Text: fmt.Sprintf("%d of 100 points", drill.PassMark)}}
	for _, id := range d.Skills {
		v.Facts = append(v.Facts, fact{Name: "skill", Text: skillName(id), Href: "/drills?skill=" + url.QueryEscape(id)})
	}
	p := &page{Title: d.Title, Nav: "Drills", Drill: v, Notice: drillWords[c.QueryParam("done")]}
	p.Sub = say(linked("all drills", "/drills"))
	p.Answer = say("You are on call. Evidence comes as it came then; ", strong("the clock can be paused, and runs up to 60 times as fast"), ".")
	for _, r := range x.mine {
		if r.Open() {
			p.Answer = append(say("Booked for you on ", strong(f.stamp(r.Starts)), ". "), p.Answer...)
			break
		}
	}
	p.Cards = []card{s.ownAttempts(f, n, x, []analytics.Drill{*d})}
	if p.Book, err = s.bookings(c, f, n, x, []ranked{{Drill: *d}}, ""); err != nil {
		return err
	}
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
