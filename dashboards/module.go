package dashboards

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"

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
	Help         *helpView
	Held         []bit // how many of the teams' people hold it, for a lead
}

// helpView is what people said of the module, and the form for one's own word.
type helpView struct {
	Say  []bit
	Form bool
	Mine string // yes, no or nothing yet
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

type teamLine struct {
	Name, Href, State, Due, By string
	Evidence, Badge            string
	Overdue                    bool
	Assignment, Person         string // of the form that waives; empty: nothing to waive
}

// done are the words after an act.
var doneWords = map[string]string{
	"assigned": "Assigned.", "started": "Started. Read the text, then answer the questions below it.", "completed": "Completed. Well done.",
	"abandoned": "Ended. It can be started again at any time.", "waived": "Waived.", "attested": "Your word is kept. Thank you.", "rated": "Thank you.", "ended": "The rule has ended.",
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
	skills := ask.ownSkills()
	var helped analytics.Helped
	ask.do(func(ctx context.Context) (err error) { helped, err = ask.read.Helped(ctx, m.ID); return })
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
		ev, err := s.evidence(c.Request().Context(), w, s.reading(c), f, n, m, r)
		if err != nil {
			return err
		}
		v.Evidence = ev
		if b, ok := badgeOf(m, x.own, skills()); ok {
			kept := "; refreshed by its quiz or by new evidence"
			if b.Until.After(b.Refresh) {
				kept = "; kept past " + b.Refresh.In(f.zone).Format("2 Jan 2006") + " by the use of its skills"
			}
			v.Facts = append(v.Facts, fact{Name: "your badge", Text: "since " + b.Since.In(f.zone).Format("2 Jan 2006") + ", " + s.badgeWords(f, b) + kept})
		}
	}
	v.Help = help(m, x.self, x.own, helped)
	if marked != nil {
		v.Result = marks(m, *marked)
	}
	if x.leads {
		v.Give = give(c, w, n)
		v.Give.More = giveLink("module", m.ID)
		v.Team = s.teamLines(f, n, m, x.led)
		v.Held = s.held(m, x.led)
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
	return say("For you: ", strong(stateWords(f, r)), ".")
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
		v.Say = say("So far: ", stateWords(f, r), ".")
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

func (s *Server) teamLines(f *filter, n *names, m *training.Module, rows []analytics.AssignmentRow) []teamLine {
	var out []teamLine
	for _, r := range rows {
		l := teamLine{Name: n.person(r.Person), Href: f.personCell(n, r.Person).Href, State: r.State, Due: f.lastDay(r.Due), By: n.person(r.By), Overdue: r.Overdue, Evidence: clip(r.Evidence, 300)}
		switch {
		case r.State == analytics.StateAssigned:
			l.State = "not begun"
		case r.State == analytics.StateWaived:
			l.State = "waived: " + excuseWords(r.Excuse)
		}
		if r.State == analytics.StateCompleted {
			if b, ok := badgeOf(m, of(rows, r.Person), nil); ok {
				l.Badge = "refresh due " + b.Refresh.In(f.zone).Format("2 Jan 2006")
				if b.Expired(s.Now()) {
					l.Badge = "refresh overdue since " + b.Refresh.In(f.zone).Format("2 Jan 2006")
				}
			}
		}
		if r.Open() || r.State == analytics.StateAbandoned {
			l.Assignment, l.Person = r.ID, r.Person
		}
		out = append(out, l)
	}
	return out
}

// of are the rows of a person.
func of(rows []analytics.AssignmentRow, person string) (out []analytics.AssignmentRow) {
	for _, r := range rows {
		if r.Person == person {
			out = append(out, r)
		}
	}
	return out
}

// held says how many people of a lead's teams hold the module's badge, by its refresh period.
func (s *Server) held(m *training.Module, rows []analytics.AssignmentRow) []bit {
	people := map[string]bool{}
	current := 0
	for _, r := range rows {
		if people[r.Person] {
			continue
		}
		people[r.Person] = true
		if b, ok := badgeOf(m, of(rows, r.Person), nil); ok && !b.Expired(s.Now()) {
			current++
		}
	}
	return say(strong(plural(float64(current), "person", "people")), " of the ", count(float64(len(people))), " below showed it within its refresh period of ", plural(float64(m.RefreshDays), "day", "days"), ". By name; how somebody did in the quiz is theirs.")
}

// help says whether the module helped people, and asks who knows it.
func help(m *training.Module, self bool, own []analytics.AssignmentRow, h analytics.Helped) *helpView {
	v := &helpView{}
	switch {
	case h.People == 0:
		v.Say = say("Nothing is said of it yet: a count is shown from three people’s answers on.")
	default:
		v.Say = say(strong(count(float64(h.Yes))+" of "+count(float64(h.People))), " people say that it helped. Of each the last answer counts; who said what is shown to nobody.")
	}
	v.Form = self && slices.ContainsFunc(own, func(r analytics.AssignmentRow) bool { return r.Module == m.ID && r.Known() })
	if h.Mine != nil {
		v.Mine = map[bool]string{true: "yes", false: "no"}[*h.Mine]
	}
	if !v.Form && h.People == 0 {
		return nil
	}
	return v
}
