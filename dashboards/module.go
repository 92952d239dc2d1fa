package dashboards

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// moduleView is a module's page: where one stands, the text, the quiz, what shows that it
// was done; for a lead, who is to learn it.
type moduleView struct {
	Action, Csrf string // the page's address, which its forms lead below
	Facts        []fact
	Sections     []navItem // of the text
	Work         *workView
	Body         template.HTML
	Result       *resultView
	Quiz         *quizView
	Evidence     *evidenceView
	Give         *giveView
	Team         []teamLine
	Reasons      []string // that excuse
}

// workView is one's own work on the module.
type workView struct {
	Say              []bit
	Why              string
	Cites            []navItem
	Assignment       string
	CanStart, CanEnd bool
	StartText        string
}

type quizView struct {
	Assignment, Digest string
	Number, Right, Of  int    // what passes
	Wait               string // until when, instead of a form
	Questions          []questionView
}

type questionView struct {
	Name    string
	Number  int
	Q       template.HTML
	Options []template.HTML
}

type resultView struct {
	Passed    bool
	Say       []bit
	Questions []answeredView
}

type answeredView struct {
	Right                         bool
	Number                        int
	Q, Chosen, Why, Explain, Best template.HTML
}

type evidenceView struct {
	Rule, Kind, Assignment string
	Form                   bool
	Done                   string
}

type giveView struct {
	Teams, People      []choice
	Due, Reason, Cites string
}

type teamLine struct {
	Name, Href, State, Due, By string
	Evidence                   string
	Overdue                    bool
	Assignment, Person         string // of the form that waives; empty: nothing to waive
}

// done are the words after an act.
var doneWords = map[string]string{
	"assigned": "Assigned.", "started": "Started. Read the text, then answer the questions below it.", "completed": "Completed. Well done.",
	"abandoned": "Ended. It can be started again at any time.", "waived": "Waived.",
}

func (s *Server) module(c echo.Context) error {
	m, err := s.moduleOf(c)
	if err != nil {
		return err
	}
	return s.modulePage(c, m, http.StatusOK, doneWords[c.QueryParam("done")], nil)
}

// modulePage draws a module's page, after an act with what came of it.
func (s *Server) modulePage(c echo.Context, m *training.Module, status int, notice string, marked *training.Marked) error {
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	x := s.toLearn(ask, w, m.ID)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	csrf, _ := c.Get("csrf").(string)
	v := &moduleView{Action: at("training", m.ID), Csrf: csrf, Body: m.HTML, Reasons: training.WaiverReasons(), Facts: s.moduleFacts(m, x.self, x.own)}
	p := &page{Title: m.ID + " " + m.Title, Nav: "Training", Module: v, Notice: notice}
	for _, name := range training.Sections() {
		v.Sections = append(v.Sections, navItem{name, "#" + training.SectionID(name)})
	}
	t, _ := s.Learn.Curriculum().Track(m.Track)
	p.Sub = say(linked("all modules", "/training"), " · ", t.Name, " · ", m.Minutes, " min · version ", m.Version)
	r, found := Current(x.own, m.ID)
	p.Answer = s.moduleAnswer(f, m, x.self, r, found)
	if x.self {
		v.Work = s.work(f, n, m, x.own, r, found)
		v.Quiz = s.quiz(f, w, m, r)
		v.Evidence = s.evidence(f, m, r)
	}
	if marked != nil {
		v.Result = marks(m, *marked)
	}
	if x.leads {
		v.Give = give(c, w, n)
		v.Team = s.teamLines(f, n, x.led)
	}
	p.Version, p.Dev = s.Version, s.Dev
	return s.draw(c, status, p)
}

func (s *Server) moduleFacts(m *training.Module, self bool, own []analytics.AssignmentRow) []fact {
	cur := s.Learn.Curriculum()
	var out []fact
	for _, t := range m.Skills {
		if k, ok := cur.Skill(t.ID); ok {
			out = append(out, fact{Name: "skill", Text: k.Name + ", to level " + strconv.Itoa(t.MaxLevel) + " at most"})
		}
	}
	unknown := Missing(cur, m, own)
	for _, id := range m.Prereqs {
		if before, ok := cur.Module(id); ok {
			text := before.ID + " " + before.Title
			if self {
				text += ", done"
				if slices.Contains(unknown, before) {
					text = before.ID + " " + before.Title + ", not yet"
				}
			}
			out = append(out, fact{Name: "first comes", Text: text, Href: at("training", before.ID)})
		}
	}
	out = append(out, fact{Name: "completed by", Text: m.Evidence.Rule + " (" + m.Evidence.Kind + ")"})
	return append(out, fact{Name: "refreshed after", Text: plural(float64(m.RefreshDays), "day", "days")})
}

func (s *Server) moduleAnswer(f *filter, m *training.Module, self bool, r analytics.AssignmentRow, found bool) []bit {
	about := say("A lesson of ", strong(plural(float64(m.Minutes), "minute", "minutes")), " with ", plural(float64(len(m.Quiz)), "question", "questions"), ".")
	switch {
	case !self:
		return about
	case !found:
		return say("You have not begun it. ", about)
	case r.Open():
		out := say("Next: ", strong(s.step(f, r)), ".")
		if !r.Due.IsZero() {
			out = append(out, say(" It is due on ", strong(f.lastDay(r.Due)))...)
			if r.Overdue {
				out = append(out, say(", which has passed")...)
			}
			out = append(out, bit{Text: "."})
		}
		return out
	}
	return say("For you it is ", strong(stateWords(f, r)), ".")
}

// work says why one is to learn this, and offers what can be done.
func (s *Server) work(f *filter, n *names, m *training.Module, own []analytics.AssignmentRow, r analytics.AssignmentRow, found bool) *workView {
	v := &workView{StartText: "Start"}
	if found && r.Open() {
		by := n.person(r.By)
		if r.By == r.Person {
			by = "yourself"
		}
		v.Say = say("Given by ", strong(clip(by, 100)), " on ", r.Assigned.In(f.zone).Format("2 Jan 2006"), "; ", stateWords(f, r), ".")
		v.Why, v.Assignment = r.Reason, r.ID
		for _, id := range r.Cites {
			v.Cites = append(v.Cites, navItem{clip(id, 100), at("incidents", id)})
		}
		v.CanEnd = !r.Started.IsZero()
	} else if found {
		v.Say = say("It is ", stateWords(f, r), ".")
		v.StartText = "Start again"
	} else {
		v.Say = say("Nobody has assigned it to you; it can be started of one’s own accord.")
	}
	if !found || r.Started.IsZero() || !r.Open() {
		if before := Missing(s.Learn.Curriculum(), m, own); len(before) > 0 {
			v.Say = append(v.Say, say(" First comes ")...)
			for i, b := range before {
				if i > 0 {
					v.Say = append(v.Say, bit{Text: " and "})
				}
				v.Say = append(v.Say, linked(b.ID+" "+b.Title, at("training", b.ID)))
			}
			v.Say = append(v.Say, say(": pass its quiz, or have it waived by your lead.")...)
		} else {
			v.CanStart = true
		}
	}
	return v
}

// quiz is the form of the next attempt, where one may be made.
func (s *Server) quiz(f *filter, w access.Who, m *training.Module, r analytics.AssignmentRow) *quizView {
	number, from, ok := NextTry(r)
	if !r.Open() || r.Started.IsZero() || !ok || len(m.Quiz) == 0 {
		return nil
	}
	v := &quizView{Assignment: r.ID, Digest: m.Digest, Number: number, Of: len(m.Quiz)}
	for v.Right = 0; float64(v.Right) < m.PassMark*float64(v.Of)-1e-9; v.Right++ {
	}
	if s.Now().Before(from) {
		v.Wait = from.In(f.zone).Format("15:04 MST")
		return v
	}
	a := training.Attempt{Assignment: r.ID, Person: w.Person, Module: m.ID, Number: number}
	for i, q := range a.Shown(m) {
		x := questionView{Name: "q" + strconv.Itoa(i), Number: i + 1, Q: training.Inline(q.Q)}
		for _, o := range q.Options {
			x.Options = append(x.Options, training.Inline(o.Text))
		}
		v.Questions = append(v.Questions, x)
	}
	return v
}

// marks explains a marked attempt.
func marks(m *training.Module, k training.Marked) *resultView {
	v := &resultView{Passed: k.Passed}
	verdict := "not passed"
	if k.Passed {
		verdict = "passed"
	}
	v.Say = say(strong(fmt.Sprintf("%d of %d right: %s.", k.Right, k.Of, verdict)), fmt.Sprintf(" %.0f %% are wanted. This is shown once; which option somebody chose is not kept.", 100*m.PassMark))
	for i, q := range k.Questions {
		a := answeredView{Right: q.Right, Number: i + 1, Q: training.Inline(q.Q), Chosen: training.Inline(q.Chosen.Text), Why: training.Inline(q.Chosen.Why)}
		if q.Right || k.Passed { // elsewhere the explanation would give the answer away
			a.Explain = training.Inline(q.Explain)
		}
		if !q.Right && k.Passed {
			a.Best = training.Inline(q.Solution)
		}
		v.Questions = append(v.Questions, a)
	}
	return v
}

func (s *Server) evidence(f *filter, m *training.Module, r analytics.AssignmentRow) *evidenceView {
	v := &evidenceView{Rule: m.Evidence.Rule, Kind: evidenceWords[m.Evidence.Kind], Assignment: r.ID}
	switch {
	case r.State == analytics.StateCompleted:
		v.Done = r.Evidence
	case !r.Open() || r.Started.IsZero():
		return nil
	default:
		v.Form = m.Evidence.Kind == "upload" && !r.Passed.IsZero()
	}
	return v
}

// give is the form that assigns; what the address or a refused form holds is kept in it.
func give(c echo.Context, w access.Who, n *names) *giveView {
	form, _ := c.FormParams()
	chosen := func(v string) bool { return slices.Contains(form["for"], v) }
	v := &giveView{Due: form.Get("due"), Reason: form.Get("reason"), Cites: form.Get("cites")}
	for _, t := range n.dir.Teams {
		if w.HeadsTeam(t.ID) && t.Size > 0 {
			v.Teams = append(v.Teams, choice{"team:" + t.ID, "everybody in " + t.Name, chosen("team:" + t.ID)})
		}
	}
	for _, p := range n.dir.People {
		if slices.ContainsFunc(p.Teams, w.HeadsTeam) {
			v.People = append(v.People, choice{"person:" + p.ID, p.Name, chosen("person:" + p.ID)})
		}
	}
	slices.SortStableFunc(v.People, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
	return v
}

func (s *Server) teamLines(f *filter, n *names, rows []analytics.AssignmentRow) []teamLine {
	var out []teamLine
	for _, r := range rows {
		l := teamLine{Name: n.person(r.Person), Href: f.personCell(n, r.Person).Href, State: r.State, Due: f.lastDay(r.Due), By: n.person(r.By), Overdue: r.Overdue, Evidence: clip(r.Evidence, 300)}
		switch {
		case r.State == analytics.StateAssigned:
			l.State = "not begun"
		case r.State == analytics.StateWaived:
			l.State = "waived: " + r.Excuse
		}
		if r.Open() || r.State == analytics.StateAbandoned {
			l.Assignment, l.Person = r.ID, r.Person
		}
		out = append(out, l)
	}
	return out
}
