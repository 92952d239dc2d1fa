package dashboards

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of the player
//
//  1. The page is forms. Each act is a POST, which leads back to the place on the page where
//     it was done; without script "wait" lets the clock jump to what comes next.
//  2. What a page in play knows of the drill is drill.Table at the clock's offset, and what
//     the player did. The answers are for the debrief, which is the same address after the end.
//  3. The script lets the shown clock run, asks for the table as JSON when something more is
//     due, and puts what is new at the end of its list: nothing that somebody reads or writes
//     in moves.

// playerView is an attempt in play.
type playerView struct {
	Action, JSON, Csrf   string
	Play                 bool // whether the asker can act
	Offset, Total        int64
	Whole                string // Total in words
	Clock, Next, Problem string
	NextOffset           int64 // -1 for nothing
	Paused               bool
	Speed                int
	Speeds               []choice
	Cards                []cardView
	Questions            []decisionView
	Services, Targets    []choice
	Severities           []string
	Looked               string // the service looked at last
	Seen                 []cardView
	Last, Before         []actView // what was done, the newest first
}

type cardView struct {
	drill.Seen
	Anchor, Clock string
	Class, Type   string // what it is: the colour of its dot, and a word
}

// cardTypes are what evidence is, for the eye that looks for alerts or notes in a long list.
var cardTypes = map[string][2]string{
	"alert.fired": {"bad", "alert"}, "alert.resolved": {"good", "alert"}, "change.deployed": {"warn", "change"}, "incident.noted": {"act", "note"}, "incident.updated": {"act", "change of state"},
	"page.sent": {"page", "page"}, "page.failed": {"page", "page"}, "page.unanswered": {"page", "page"}, "incident.resolved": {"good", "end"},
}

func viewCard(x drill.Seen) cardView {
	kind, ok := cardTypes[x.Kind]
	if !ok {
		kind = [2]string{"none", ""}
	}
	return cardView{x, "card-" + x.ID, onClock(x.Offset - x.Before), kind[0], kind[1]}
}

type decisionView struct {
	drill.Put
	Anchor, Clock, Answer string
}

type actView struct{ Clock, What string }

// attempt is the asker's attempt that the path names.
func (s *Server) attemptOf(c echo.Context) (*analytics.Attempt, error) {
	a, err := s.reading(c).Attempt(c.Request().Context(), param(c, "attempt"))
	if err == nil && a.Drill.ID != param(c, "drill") {
		err = fmt.Errorf("attempt: %w", analytics.ErrNotFound)
	}
	return a, err
}

// attempt shows what is on the table, and after the end the debrief, which others may read too.
func (s *Server) attempt(c echo.Context) error {
	a, err := s.reading(c).Debrief(c.Request().Context(), param(c, "attempt"))
	if err == nil && a.Drill.ID != param(c, "drill") {
		err = fmt.Errorf("attempt: %w", analytics.ErrNotFound)
	}
	if err != nil {
		return err
	}
	if !a.Finished.IsZero() {
		return s.debrief(c, a)
	}
	return s.play(c, http.StatusOK, a, "")
}

func (s *Server) play(c echo.Context, status int, a *analytics.Attempt, problem string) error {
	r, err := drill.Replay(a.Drill, a.Plain())
	if err != nil {
		return err
	}
	clock := a.Clock()
	t := r.Table(clock.Offset(s.Now()))
	csrf, _ := c.Get("csrf").(string)
	path := attemptPath(a.Drill.ID, a.ID)
	v := &playerView{Action: path, JSON: path + "/table", Csrf: csrf, Play: s.Play != nil && who(c).Is(a.Person), Offset: t.Offset, Total: max(1, a.Drill.Facts.Resolved), Whole: duration(float64(a.Drill.Facts.Resolved)), Clock: onClock(t.Offset), NextOffset: -1,
		Paused: clock.Paused(), Speed: clock.Speed(), Problem: problem, Severities: []string{"SEV1", "SEV2", "SEV3", "SEV4"}}
	if t.Next != nil {
		v.NextOffset, v.Next = *t.Next, onClock(*t.Next)
	}
	for _, n := range drill.Speeds() {
		v.Speeds = append(v.Speeds, choice{fmt.Sprint(n), fmt.Sprintf("%d×", n), n == clock.Speed()})
	}
	for _, x := range t.Cards {
		v.Cards = append(v.Cards, viewCard(x))
	}
	for _, q := range t.Questions {
		w := decisionView{Put: q, Anchor: "question-" + q.ID, Clock: onClock(q.At)}
		if i := slices.IndexFunc(q.Options, func(o drill.Choice) bool { return o.ID == q.Chosen }); i >= 0 {
			w.Answer = q.Options[i].Text
		}
		v.Questions = append(v.Questions, w)
	}
	for _, x := range t.Services {
		v.Services = append(v.Services, choice{Value: x, Text: x})
	}
	for _, x := range t.Targets {
		v.Targets = append(v.Targets, choice{Value: x, Text: targetWords(x)})
	}
	v.done(r)
	for _, x := range v.Cards {
		if v.Looked != "" && x.Service == v.Looked {
			v.Seen = append(v.Seen, x)
		}
	}
	p := &page{Title: a.Drill.Title, Nav: "Drills", Player: v}
	p.Sub = say(linked("all drills", "/drills"), " · ", linked("about this one", at("drills", a.Drill.ID)))
	open := 0
	for _, q := range v.Questions {
		if q.Chosen == "" {
			open++
		}
	}
	p.Answer = say("On the table: ", strong(plural(float64(len(v.Cards)), "card", "cards")), " of evidence and ", strong(plural(float64(open), "question", "questions")), " without an answer.")
	return s.draw(c, status, p)
}

// done lists what the player did; the clock's verbs are theirs and no acts.
func (v *playerView) done(r *drill.Attempt) {
	for _, d := range slices.Backward(r.Done) {
		what := ""
		switch d.Action.Verb {
		case drill.Look:
			what = "looked at " + d.Action.What
			v.Looked = or(v.Looked, d.Action.What)
		case drill.Page:
			what = "paged " + targetWords(d.Action.What)
		case drill.Declare:
			what = "declared " + d.Action.What
		case drill.Update:
			what = "gave an update: " + or(d.Action.What, "(no words)")
		case drill.Hypothesis:
			what = "suspected: " + d.Action.What
		case drill.Open:
			what = "opened a card"
		case drill.Decide:
			what = "decided"
		default:
			continue
		}
		act := actView{onClock(d.Offset), what}
		if len(v.Last) < 3 {
			v.Last = append(v.Last, act)
		} else {
			v.Before = append(v.Before, act)
		}
	}
}

func targetWords(target string) string {
	kind, id, ok := strings.Cut(target, ":")
	if !ok {
		return target
	}
	return kind + " " + id
}

// onClock writes drill time: 14:05, 1:02:03, −1:30:00 for what was before the opening.
func onClock(s int64) string {
	sign := ""
	if s < 0 {
		sign, s = "−", -s
	}
	if s >= 3600 {
		return fmt.Sprintf("%s%d:%02d:%02d", sign, s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%s%d:%02d", sign, s/60, s%60)
}

// tableJSON is the table at this moment with the clock, for the script and for others.
func (s *Server) tableJSON(c echo.Context) error {
	a, err := s.attemptOf(c)
	if err != nil {
		return err
	}
	if !a.Finished.IsZero() {
		return c.JSON(http.StatusOK, map[string]any{"finished": true})
	}
	r, err := drill.Replay(a.Drill, a.Plain())
	if err != nil {
		return err
	}
	clock := a.Clock()
	return c.JSON(http.StatusOK, map[string]any{"finished": false, "paused": clock.Paused(), "speed": clock.Speed(), "table": r.Table(clock.Offset(s.Now()))})
}

// places are where an act leads back to.
var places = map[string]string{"pause": "clock", "resume": "clock", "speed": "clock", "wait": "clock", "open": "card-", "decide": "question-"}

// act does what a form asks for. A text that goes with the action is a field of its own.
func (s *Server) playStep(c echo.Context) error {
	ctx, w, id := c.Request().Context(), who(c), param(c, "attempt")
	a, err := s.attemptOf(c)
	if err != nil {
		return err
	}
	action := strings.TrimSpace(c.FormValue("action"))
	if text := strings.TrimSpace(c.FormValue("text")); text != "" {
		action += ":" + text
	}
	switch action {
	case "wait":
		err = s.Play.Wait(ctx, w, id)
	case "finish":
		err = s.Play.Finish(ctx, w, id)
	default:
		err = s.Play.Act(ctx, w, id, action)
	}
	var step *drill.StepError
	if errors.As(err, &step) && a.Finished.IsZero() {
		return s.play(c, http.StatusBadRequest, a, "That could not be done: "+step.Reason+".")
	}
	if errors.As(err, &step) {
		return &apiError{status: http.StatusBadRequest, Message: step.Error(), Param: step.Field}
	}
	if err != nil {
		return err
	}
	verb, rest, _ := strings.Cut(action, ":")
	place := or(places[verb], "done")
	if strings.HasSuffix(place, "-") {
		what, _, _ := strings.Cut(rest, ":")
		place += what
	}
	path := attemptPath(a.Drill.ID, a.ID)
	if verb == "finish" {
		return c.Redirect(http.StatusSeeOther, path)
	}
	return c.Redirect(http.StatusSeeOther, path+"#"+url.PathEscape(place))
}
