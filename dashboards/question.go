package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/recall"
)

// Questions marks answers. Errors: *LearnError is the caller's mistake, *access.Denied says
// who may.
type Questions interface {
	// Answer marks the asker's answer to their question of the week, keeps whether it was
	// right, and tells the question as it was marked.
	Answer(ctx context.Context, who access.Who, question, digest, option string) (q recall.Question, right bool, err error)
}

// questionPage is the question, or what came of it.
type questionPage struct {
	Csrf, ID, Digest  string
	Problem           string
	About, When, Text string
	Again             bool
	Options           []recall.Option
	Right             bool
	Verdict           []bit // after the answer
	Explain           string
	Incident          navItem
}

func (s *Server) questionRoutes(r router) {
	if s.Questions == nil {
		return
	}
	r.get("/training/question", signedIn, s.question, r.csrf)
	r.post("/training/question", signedIn, s.questionAnswer, r.csrf)
}

// question asks: do I still know what happened here?
func (s *Server) question(c echo.Context) error {
	return s.questionShown(c, http.StatusOK, "", nil)
}

// marked is an answer that was just given.
type marked struct {
	recall.Question
	chosen string
	right  bool
}

// questionAnswer marks an answer and shows at once what came of it: which option was chosen
// is kept nowhere.
func (s *Server) questionAnswer(c echo.Context) error {
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	option := filled(c, "answer")
	q, right, err := s.Questions.Answer(c.Request().Context(), who(c), filled(c, "question"), filled(c, "digest"), option)
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return s.questionShown(c, http.StatusBadRequest, bad.sentence(), nil)
	case err != nil:
		return err
	}
	return s.questionShown(c, http.StatusOK, "", &marked{q, q.Answer(option), right})
}

func (s *Server) questionShown(c echo.Context, status int, problem string, m *marked) error {
	p := &page{Title: "Question of the week", Nav: "Training"}
	p.Sub = say(linked("Training", "/training"), " · about an incident of your own teams, once a week; what you answer is shown to you and to nobody else")
	if who(c).Learns() != nil {
		p.Answer = say("A question is asked of a person. You are ", strong(who(c).Label()), ", which is nobody in particular.")
		if who(c).IsOperator() {
			p.Answer = append(p.Answer, bit{Text: " Choose a person under “viewing as” above."})
		}
		p.Version, p.Dev = s.Version, s.Dev
		return s.draw(c, status, p)
	}
	f, ctx := s.filter(c), c.Request().Context()
	x, err := s.reading(c).Question(ctx)
	if err != nil {
		return err
	}
	csrf, _ := c.Get("csrf").(string)
	v := &questionPage{Csrf: csrf, Problem: problem}
	switch q := x.Question; {
	case m != nil:
		v.show(s, m.Question, x)
		v.mark(m.Question, m.right, m.chosen)
		p.Answer = say(v.Verdict, " ", next(x))
	case x.Answered != nil && q != nil:
		v.show(s, *q, x)
		v.mark(*q, x.Answered.Correct, "")
		p.Answer = say(v.Verdict, " ", next(x))
	case x.Answered != nil:
		p.Answer = say("You answered this week’s question. ", next(x))
	case q == nil:
		p.Answer = say("There is nothing to ask you this week.")
		p.Cards = append(p.Cards, card{ID: "none", Title: "Why is there no question?", Wide: "w12", Empty: say("It is made of incidents of the last ", fmt.Sprint(analytics.QuestionReach), " days of services that your teams own, once they are resolved. Nobody’s are old enough, or you are in no team yet. ", linked("The incidents", "/incidents"), ".")})
	default:
		v.show(s, *q, x)
		v.ID, v.Digest, v.Options = q.ID, q.Digest, q.Options
		p.Answer = say("One question about an incident of your team; it stays until ", strong(x.Week.To.Add(-time.Minute).Format("Monday, 2 Jan, 15:04 MST")), ".")
	}
	if v.Text != "" {
		p.Question = v
	} else if problem != "" {
		p.Cards = append(p.Cards, card{ID: "refused", Title: "What was wrong?", Wide: "w12", Err: problem})
	}
	p.Cards = append(p.Cards, s.cardsCard(f, x))
	p.Version, p.Dev = s.Version, s.Dev
	return s.draw(c, status, p)
}

// next says when there is another question.
func next(x *analytics.WeekQuestion) []bit {
	return say("The next one comes on ", strong(x.Week.To.Format("Monday, 2 Jan")), ".")
}

func (v *questionPage) show(s *Server, q recall.Question, x *analytics.WeekQuestion) {
	v.About, v.Text, v.Again = q.Title, q.Text, x.Again && x.Answered == nil
	v.When = q.Opened.In(x.Week.From.Location()).Format("Monday, 2 Jan 2006, 15:04 MST")
	v.Incident = navItem{"the incident, minute by minute", at("incidents", q.Incident)}
}

// mark says what came of an answer. What was chosen is known only at once.
func (v *questionPage) mark(q recall.Question, right bool, chosen string) {
	v.Right, v.Explain = right, q.Explain
	answer := q.Answer(q.Right)
	switch {
	case right:
		v.Verdict = say(strong("Right: “" + answer + "”."))
	case chosen != "":
		v.Verdict = say("You said “"+chosen+"”; ", strong("it was “"+answer+"”"), ". It will be asked again soon.")
	default:
		v.Verdict = say(strong("It was “"+answer+"”."), " You had another answer; it will be asked again soon.")
	}
}

// cardsCard lists what was asked so far, and when it comes again.
func (s *Server) cardsCard(f *filter, x *analytics.WeekQuestion) card {
	zone := x.Week.From.Location()
	cd := card{ID: "asked", Title: "What was I asked, and when does it come again?", Wide: "w12", N: plural(float64(len(x.Cards)), "question", "questions")}
	if len(x.Cards) == 0 {
		cd.Empty = say("Nothing yet. What you know comes again after weeks and then months; what you did not, soon.")
		return cd
	}
	cd.Say = say("Spaced by FSRS, for a recall of 90 %: what is right comes later each time. It is yours alone.")
	t := &table{List: true, Caption: "Own answered questions, the last answered first", Head: heads("incident", "last answered", "it was", "#times", "from when on it is due"), Rows: nil}
	for _, k := range x.Cards {
		was := "not right"
		if k.Correct {
			was = "right"
		}
		t.add(ref(clip(k.Incident, 80), at("incidents", k.Incident)), cell{Text: k.Last.In(zone).Format("2 Jan 2006"), Time: k.Last.In(zone).Format(time.DateOnly)}, txt(was), counted(float64(k.Answers)),
			cell{Text: k.Due.In(zone).Format("2 Jan 2006"), Time: k.Due.In(zone).Format(time.DateOnly), Num: true})
	}
	cd.Body = t
	return cd
}

// questionCard is the question on other pages of oneself; nil for nothing to say.
func questionCard(x *analytics.WeekQuestion) *card {
	if x == nil {
		return nil
	}
	cd := card{ID: "question", Title: "Question of the week", Wide: "w6"}
	switch {
	case x.Answered != nil:
		cd.Say = say("Answered. ", next(x))
	case x.Question == nil:
		return nil
	default:
		cd.Todo = []todo{{Class: "none", What: say("About “" + clip(x.Question.Title, 120) + "”, " + x.Question.Opened.In(x.Week.From.Location()).Format("2 Jan")), Why: "one question about an incident of your team, a minute; the answer is yours alone", Action: "answer it", Href: "/training/question"}}
	}
	return &cd
}

// asksQuestion reads the asker's question beside a page's own; nil where there is none.
func (s *Server) asksQuestion(ask *asker, w access.Who) **analytics.WeekQuestion {
	out := new(*analytics.WeekQuestion)
	if s.Questions != nil && w.Learns() == nil {
		ask.do(func(ctx context.Context) (err error) { *out, err = ask.read.Question(ctx); return })
	}
	return out
}
