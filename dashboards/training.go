package dashboards

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

func (s *Server) learnRoutes(r router) {
	r.get("/training", signedIn, s.training, r.zip)
	r.get("/assignments", signedIn, s.assignments, r.csrf)
	r.get("/training/assign", signedIn, s.givePage, r.csrf)
	r.post("/training/assign", signedIn, s.giveWork, r.csrf)
	r.get("/training/:module", signedIn, s.module, r.csrf)
	r.get("/training/:module/word", signedIn, s.word, r.csrf)
	r.post("/training/:module/word", signedIn, s.attest, r.csrf)
	r.post("/training/:module/end", signedIn, s.onModule("ended", s.endRule), r.csrf)
	r.post("/training/:module/rate", signedIn, s.onModule("rated", s.rate), r.csrf)
	r.post("/training/:module/assign", signedIn, s.onModule("assigned", s.assign), r.csrf)
	r.post("/training/:module/start", signedIn, s.onModule("started", s.start), r.csrf)
	r.post("/training/:module/quiz", signedIn, s.answer, r.csrf)
	r.post("/training/:module/complete", signedIn, s.onModule("completed", s.complete), r.csrf)
	r.post("/training/:module/abandon", signedIn, s.onModule("abandoned", s.abandon), r.csrf)
	r.post("/training/:module/waive", signedIn, s.onModule("waived", s.waive), r.csrf)
	r.get("/api/v1/assignments", signedIn, s.apiAssignments, r.zip)
}

// training answers: what is there to learn, and what is due?
func (s *Server) training(c echo.Context) error {
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	x := s.toLearn(ask, w, "")
	adv := s.adviseOwn(ask)
	week, drawn := s.asksQuestion(ask, w), s.asksRollouts(ask)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	cur := s.Learn.Curriculum()
	p := &page{Title: "Training", Nav: "Training"}
	p.Sub = say("What a developer learns whose team operates its own services. A module is read, its quiz passed, and completed by evidence of doing it. ", linked("What is due", "/assignments"))
	if x.leads {
		p.Sub = append(p.Sub, say(" · ", linked("assign training", "/training/assign"))...)
	}
	if s.Outgoing != nil {
		p.Sub = append(p.Sub, say(" · ", linked("reminders and calendar", "/training/reminders"))...)
	}
	p.Answer = s.trainingAnswer(f, cur, x)
	if x.self {
		p.Cards = append(p.Cards, s.learnCard(f, n, x.own))
	}
	p.Cards = append(p.Cards, adv(f)...)
	if x.leads {
		p.Cards = append(p.Cards, s.dueCard(f, n, w, x.led))
	}
	halves := s.trainingExtras(c, ask, n, *week, *drawn)
	if t := s.adviceTeams(w, n, ""); t != nil && s.advises() {
		halves = append([]card{*t}, halves...)
	}
	p.Cards = append(p.Cards, inPairs(halves)...)
	for _, t := range cur.Tracks {
		p.Cards = append(p.Cards, s.trackCard(f, t, x.self, x.own))
	}
	return s.render(c, p)
}

// toLearn is one's own work and that of the teams one leads; empty, and false, for whom it
// is not.
type toLearn struct {
	self, leads bool
	own, led    []analytics.AssignmentRow
}

// toLearn asks for both. Own work is read whole, since what a module wants first depends on
// the others; the teams' is of a module if one is named.
func (s *Server) toLearn(ask *asker, w access.Who, module string) *toLearn {
	x := &toLearn{self: w.Learns() == nil, leads: w.IsOperator() || len(w.Heads()) > 0}
	read := func(into *[]analytics.AssignmentRow, f analytics.AssignmentFilter) {
		f.Tracks = s.tracks()
		ask.do(func(ctx context.Context) (err error) { *into, err = ask.read.Assignments(ctx, f); return })
	}
	if x.self {
		read(&x.own, analytics.AssignmentFilter{Own: true})
	}
	if x.leads {
		read(&x.led, analytics.AssignmentFilter{Team: w.Heads(), Module: module})
	}
	return x
}

func (s *Server) trainingAnswer(f *filter, cur *training.Curriculum, x *toLearn) []bit {
	out := say("There are ", strong(plural(float64(len(cur.Modules())), "module", "modules")), " in ", plural(float64(len(cur.Tracks)), "track", "tracks"), ", ", count(float64(cur.Minutes())/60), " hours in all.")
	open, overdue := tally(x.own)
	switch {
	case x.self && open > 0:
		out = say("You have ", strong(plural(float64(open), "module", "modules")), " to learn", late(overdue), ". ", out)
	case x.self:
		out = say("Nothing is assigned to you. ", out)
	}
	if x.leads {
		open, overdue := tally(x.led)
		out = append(out, say(" Your teams have ", strong(plural(float64(open), "open assignment", "open assignments")), late(overdue), ".")...)
	}
	return out
}

func tally(rows []analytics.AssignmentRow) (open, overdue int) {
	for _, r := range rows {
		if r.ToDo() {
			open++
		}
		if r.Overdue {
			overdue++
		}
	}
	return open, overdue
}

func late(n int) []bit {
	if n == 0 {
		return nil
	}
	return say(", ", strong(count(float64(n))+" overdue"))
}

// lastDay writes the day that ends at a due moment.
func (f *filter) lastDay(due time.Time) string {
	if due.IsZero() {
		return "no date"
	}
	return due.Add(-time.Millisecond).In(f.zone).Format("2 Jan 2006")
}

func (f *filter) dueCell(r analytics.AssignmentRow) cell {
	c := cell{Text: f.lastDay(r.Due)}
	if !r.Due.IsZero() {
		c.Time = r.Due.Add(-time.Millisecond).In(f.zone).Format(time.DateOnly)
	}
	if r.Overdue {
		c.Sub = "overdue"
	}
	return c
}

func (s *Server) moduleCell(id string) cell {
	m, ok := s.Learn.Curriculum().Module(id)
	if !ok { // taught once, and not any more
		return txt(clip(id, 60))
	}
	return ref(m.ID+" "+m.Title, at("training", m.ID))
}

// stateWords say how far a row is; scores only where the asker reads them.
func stateWords(f *filter, r analytics.AssignmentRow) string {
	switch {
	case r.State == analytics.StateAssigned:
		return "not begun"
	case r.State == analytics.StateCompleted:
		return "completed " + r.Completed.In(f.zone).Format("2 Jan 2006")
	case r.State == analytics.StateWaived:
		return "waived: " + excuseWords(r.Excuse)
	case r.State == analytics.StateStarted && len(r.Tried) > 0:
		return "begun, quiz tried " + plural(float64(len(r.Tried)), "time", "times")
	case r.State == analytics.StateStarted:
		return "begun"
	case r.State == analytics.StatePassed && r.Scored:
		return fmt.Sprintf("quiz passed with %.0f %%", 100*r.Score)
	}
	return r.State
}

// excuseWords are why somebody was excused, in words; what is none of ours stays as it came.
func excuseWords(reason string) string {
	switch reason {
	case "equivalent-in-a-real-incident":
		return "shown in a real incident"
	case "tested-out":
		return "passed a test of it"
	case "equivalent":
		return "learned elsewhere"
	}
	return clip(reason, 60)
}

// step is what comes next for somebody.
func (s *Server) step(f *filter, r analytics.AssignmentRow) string {
	m, ok := s.Learn.Curriculum().Module(r.Module)
	switch {
	case !ok:
		return "the module is not taught any more; ask for a waiver"
	case r.State == analytics.StateAssigned:
		return fmt.Sprintf("start it, %d min", m.Minutes)
	case r.State == analytics.StateStarted:
		if _, from, _ := NextTry(r); s.Now().Before(from) {
			return "read again; the next attempt is possible at " + from.In(f.zone).Format("15:04")
		}
		return "read it and answer the quiz"
	case r.State == analytics.StatePassed:
		return "show it by " + evidenceWords[m.Evidence.Kind]
	case r.State == analytics.StateAbandoned:
		return "start it again, or have it waived"
	}
	return ""
}

var evidenceWords = map[string]string{"event": "what happens at work", "drill": "a drill", "upload": "handing in what you made", "attestation": "somebody else’s word"}

// learnCard answers, for oneself: what should I learn?
func (s *Server) learnCard(f *filter, n *names, rows []analytics.AssignmentRow) card {
	open, overdue := tally(rows)
	c := card{ID: "learn", Title: "What is on my list?", Wide: "w12", N: openOf(open, len(rows))}
	t := &table{List: true, Caption: "Own open assignments", Head: heads("module", "due", "state", "next step", "given by", "why")}
	for _, r := range rows {
		if r.ToDo() {
			by := n.person(r.By)
			if r.By == r.Person {
				by = "yourself"
			}
			next := s.step(f, r)
			if m, ok := s.Learn.Curriculum().Module(r.Module); ok && r.Started.IsZero() {
				if before := Missing(s.Learn.Curriculum(), m, rows); len(before) > 0 {
					next = "first comes " + before[0].ID + " " + before[0].Title
				}
			}
			t.add(s.moduleCell(r.Module), f.dueCell(r), txt(stateWords(f, r)), txt(next), txt(clip(by, 100)), txt(clip(r.Reason, 300)))
		}
	}
	if len(rows) > 0 {
		c.CSV = "/api/v1/assignments?format=csv&person=" + url.QueryEscape(rows[0].Person)
	}
	if len(t.Rows) == 0 {
		c.Empty = say("Nothing is waiting for you. ", linked("Any module", "/training"), " can be started of one’s own accord; “Ready for the pager” is where to begin before a first shift.")
		return c
	}
	c.Say = say(strong(plural(float64(open), "module", "modules")), " to do", late(overdue), ".")
	c.Body = t
	return c
}

// openOf counts what is open of all that was ever assigned.
func openOf(open, all int) string {
	if all == 0 {
		return "0 assignments"
	}
	return count(float64(open)) + " open of " + plural(float64(all), "assignment", "assignments")
}

// dueShown is how many open assignments of a lead's teams stand above the modules; the others
// have a page of their own.
const dueShown = 12

// dueCard answers, for a lead: what is open and overdue in my teams? By day, then by name.
func (s *Server) dueCard(f *filter, n *names, w access.Who, rows []analytics.AssignmentRow) card {
	open, overdue := tally(rows)
	c := card{ID: "due", Title: "What is open in my teams?", Wide: "w12", N: openOf(open, len(rows))}
	v := url.Values{"format": {"csv"}, "team": w.Heads()}
	c.CSV = "/api/v1/assignments?" + v.Encode()
	t := &table{List: true, Caption: "Open assignments of the teams, overdue ones first, then by day, then by name", Head: heads("who", "module", "due", "state", "given by")}
	for _, r := range byDay(rows) {
		if r.ToDo() {
			if len(t.Rows) < dueShown {
				t.add(f.personCell(n, r.Person), s.moduleCell(r.Module), f.dueCell(r), txt(leadState(f, r)), txt(clip(n.person(r.By), 100)))
			}
		}
	}
	if len(t.Rows) == 0 {
		if len(rows) == 0 {
			c.CSV = ""
		}
		c.Empty = say("Nothing is open. A module’s page has the form that assigns it, to one person, several, or the team.")
		return c
	}
	c.Say = say(strong(plural(float64(open), "assignment", "assignments")), " open", late(overdue), ", overdue ones first. How somebody did in a quiz is theirs. ", linked("All of them, and where to waive one", "/assignments"), ".")
	c.Body = t
	return c
}

// trackCard lists a track's modules with what is needed first, and how far oneself is.
func (s *Server) trackCard(f *filter, t *training.Track, self bool, own []analytics.AssignmentRow) card {
	c := card{ID: "track-" + t.ID, Title: t.Name, Wide: "w6", N: plural(float64(len(t.Modules)), "module", "modules")}
	c.Say = say("For ", t.Audience, "; ", strong(plural(float64(t.Minutes()), "minute", "minutes")), ".")
	names := []string{"module", "#minutes", "after"}
	if self {
		names = append(names, "you")
	}
	c.Body = &table{List: true, Caption: "Modules of " + t.Name, Head: heads(names...)}
	for _, m := range t.Modules {
		line := []cell{s.moduleCell(m.ID), counted(float64(m.Minutes)), txt(or(strings.Join(m.Prereqs, ", "), "–"))}
		if self {
			state := txt("–")
			if r, ok := Current(own, m.ID); ok {
				state = txt(stateWords(f, r))
				if r.Open() && !r.Due.IsZero() {
					state.Sub = "due " + f.lastDay(r.Due)
				}
			}
			line = append(line, state)
		}
		c.Body.add(line...)
	}
	return c
}
