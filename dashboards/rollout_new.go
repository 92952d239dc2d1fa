package dashboards

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/rollout"
)

// rolloutView is the form of a draw, and what the draw could show.
type rolloutView struct {
	Csrf, ID                  string
	Modules, Metrics, Expects []choice
	Teams                     []rolloutTeam
	From, To, Change          string
	Starts                    []startField
	Problems                  []string
	Plan                      *planView
	Hidden                    [][2]string // the plan, as the form that draws it sends it
}

type rolloutTeam struct {
	choice
	Off string // why it cannot take part
}

type startField struct {
	N           int
	Week, Teams string
}

// planView is what is known of a draw before it.
type planView struct {
	Say      []bit
	Warnings []string
	Facts    []fact
	Power    string
}

// usualChange is the change that the power note is about unless another is asked, in percent.
const usualChange = 30

// rolloutNew answers: what could be shown at all?
func (s *Server) rolloutNew(c echo.Context) error {
	return s.rolloutForm(c, http.StatusOK, postedForm(c), c.QueryParams().Has("module"), nil)
}

// rolloutDraw draws.
func (s *Server) rolloutDraw(c echo.Context) error {
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	f := postedForm(c)
	id, err := s.Rollouts.Draw(c.Request().Context(), who(c), f)
	if problems := formProblems(err); len(problems) > 0 {
		return s.rolloutForm(c, http.StatusBadRequest, f, false, problems)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, rolloutPath(id))
}

// rolloutForm shows the form as it was filled in and, if it was, what its draw could show.
func (s *Server) rolloutForm(c echo.Context, status int, f RolloutForm, filled bool, problems []string) error {
	w, read, ctx := who(c), s.reading(c), c.Request().Context()
	if !w.DrawsSome() {
		return w.Draws()
	}
	d, err := read.Directory(ctx)
	if err != nil {
		return err
	}
	csrf, _ := c.Get("csrf").(string)
	f.ID = or(f.ID, strings.ToLower(rand.Text()))
	v := s.rolloutFields(w, newNames(d), &f, filled)
	v.Csrf, v.Problems, v.Change = csrf, problems, c.QueryParam("change")
	if filled {
		switch drawn, err := s.Rollouts.Plan(ctx, w, f); {
		case err == nil:
			if v.Plan, err = s.rolloutPlan(ctx, read, drawn, v); err != nil {
				return err
			}
			v.Hidden = f.hidden()
		case len(formProblems(err)) > 0:
			v.Problems, status = formProblems(err), http.StatusBadRequest
		default:
			return err
		}
	}
	p := &page{Title: "Plan a roll-out", Nav: "Training", Rollout: v}
	p.Sub = say(linked("all roll-outs", "/training/rollouts"))
	p.Answer = say("Choose what is taught, to which teams, and what it should change. ", strong("All of it is decided before anybody is trained"), "; chance then decides who is first.")
	p.Version, p.Dev = s.Version, s.Dev
	return s.draw(c, status, p)
}

// hidden are the fields of a form as it is sent again.
func (f RolloutForm) hidden() [][2]string {
	out := [][2]string{{"id", f.ID}, {"module", f.Module}, {"metric", f.Metric}, {"expect", f.Expect}, {"from", f.From}, {"to", f.To}}
	for _, t := range f.Teams {
		out = append(out, [2]string{"team", t})
	}
	for i := range f.Weeks {
		out = append(out, [2]string{"week", f.Weeks[i]})
		if i < len(f.Counts) {
			out = append(out, [2]string{"teams", f.Counts[i]})
		}
	}
	return out
}

// rolloutFields are the form's fields; an empty form is filled with what is usual.
func (s *Server) rolloutFields(w access.Who, n *names, f *RolloutForm, filled bool) *rolloutView {
	if !filled && f.From == "" {
		now := s.monday()
		first := now.AddDate(0, 0, 14)
		f.From, f.To = now.AddDate(0, 0, -6*7).Format("2006-01-02"), first.AddDate(0, 0, 8*7).Format("2006-01-02")
		f.Weeks = []string{first.Format("2006-01-02")}
	}
	v := &rolloutView{ID: f.ID, From: f.From, To: f.To}
	for _, x := range s.taught() {
		v.Modules = append(v.Modules, choice{x[0], x[1], x[0] == f.Module})
	}
	for _, m := range analytics.Measures() {
		text := m.Name
		if m.Load {
			text += " (shown to people admins and to who leads all teams)"
		}
		v.Metrics = append(v.Metrics, choice{m.Key, text, m.Key == f.Metric})
	}
	for _, x := range [][2]string{{string(rollout.Lower), "it falls"}, {string(rollout.Higher), "it rises"}, {string(rollout.Either), "it changes, either way"}} {
		v.Expects = append(v.Expects, choice{x[0], x[1], x[0] == f.Expect})
	}
	for _, t := range n.dir.Teams {
		if w.Draws(t.ID) != nil || t.Size == 0 {
			continue
		}
		x := rolloutTeam{choice: choice{t.ID, fmt.Sprintf("%s, %s", t.Name, plural(float64(t.Size), "person", "people")), slices.Contains(f.Teams, t.ID)}}
		if t.Size < rollout.TeamSize {
			x.Off, x.Selected = fmt.Sprintf("fewer than %d people: what it does is what somebody does", rollout.TeamSize), false
		}
		v.Teams = append(v.Teams, x)
	}
	for i := range mostStarts {
		x := startField{N: i + 1}
		if i < len(f.Weeks) {
			x.Week = f.Weeks[i]
		}
		if i < len(f.Counts) {
			x.Teams = f.Counts[i]
		}
		v.Starts = append(v.Starts, x)
	}
	return v
}

// rolloutPlan says what the draw could show, before it is made.
func (s *Server) rolloutPlan(ctx context.Context, read Reading, d rollout.Drawn, v *rolloutView) (*planView, error) {
	m, _ := analytics.MeasureOf(d.Metric)
	from, to, err := d.Weeks()
	if err != nil {
		return nil, err
	}
	last := d.Steps[len(d.Steps)-1].Week
	before, after := weeksBetween(from, d.Steps[0].Week), weeksBetween(d.Steps[0].Week, to)
	p := &planView{Facts: []fact{
		{Name: "teams", Text: fmt.Sprint(len(d.Teams))}, {Name: "possible draws", Text: thousands(d.Assignments().String())},
		{Name: "smallest possible p", Text: rollout.Probability(d.SmallestP())}, {Name: "weeks before the first start", Text: fmt.Sprint(before)}, {Name: "weeks after it", Text: fmt.Sprint(after)},
		{Name: "measured as a", Text: string(d.Scale)},
	}}
	p.Say = say("Chance chooses one of ", strong(thousands(d.Assignments().String())+" possible draws"), "; the smallest p that it can give is ", strong(rollout.Probability(d.SmallestP())), ".")
	if d.SmallestP() > 0.05 {
		p.Warnings = append(p.Warnings, "With these teams and starts nothing can be shown, whatever happens: no p can be 0.05 or less. Take more teams, or another number that starts first.")
	}
	if before < 4 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("Only %s before the first start: each team is compared with its own past, and that is little of it.", plural(float64(before), "week", "weeks")))
	}
	if len(d.Teams) == startedTeams(d) && last.AddDate(0, 0, 7).Before(to) {
		p.Warnings = append(p.Warnings, "All teams have started by "+last.Format("2 Jan 2006")+"; the weeks after it compare nothing, since nobody is left who is not trained.")
	}
	if m.Load {
		p.Warnings = append(p.Warnings, "This metric speaks of what people carry: the result will be shown to people admins and to who leads all these teams, and to nobody else.")
	}
	change := float64(usualChange)
	if d.Expect != rollout.Higher {
		change = -change
	}
	if v.Change != "" {
		if change, err = percent(v.Change); err != nil {
			v.Problems = append(v.Problems, "Change: "+err.Error()+".")
			return p, nil
		}
	}
	v.Change = strconv.FormatFloat(change, 'f', -1, 64)
	p.Power, err = s.forecast(ctx, read, d, m, change)
	return p, err
}

// forecast is the power note of a draw by the newest weeks there are: the same weeks before
// and after, moved back until all of them have ended, as if the first teams of the alphabet
// had been trained. What it takes from them is the spread between teams, and no effect.
func (s *Server) forecast(ctx context.Context, read Reading, d rollout.Drawn, m analytics.Measure, change float64) (string, error) {
	from, to, err := d.Weeks()
	if err != nil {
		return "", err
	}
	back := weeksBetween(s.monday(), to)
	past := d
	past.Order, past.Steps = d.Teams, slices.Clone(d.Steps)
	for i := range past.Steps {
		past.Steps[i].Week = past.Steps[i].Week.AddDate(0, 0, -7*back)
	}
	from, to = from.AddDate(0, 0, -7*back), to.AddDate(0, 0, -7*back)
	past.Window = from.Format("2006-01-02") + "/" + to.Format("2006-01-02")
	panel, err := read.Panel(ctx, m, d.Teams, from, to)
	var denied *access.Denied
	switch {
	case errors.As(err, &denied):
		return "How many teams are needed cannot be said to you: " + denied.Reason + ".", nil
	case err != nil:
		return "", err
	}
	r, err := rollout.Estimate(panel.Values, past)
	if err != nil {
		return "How many teams are needed cannot be said: in the same number of weeks until now, some team has no value of the metric.", nil
	}
	note, err := rollout.PowerNote(r, change)
	if err != nil {
		return "", err
	}
	return note + fmt.Sprintf(" By how far these teams moved apart from %s to %s, without any training.", from.Format("2 Jan 2006"), to.AddDate(0, 0, -1).Format("2 Jan 2006")), nil
}

func startedTeams(d rollout.Drawn) int {
	n := 0
	for _, x := range d.Steps {
		n += x.Teams
	}
	return n
}

func percent(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.NewReplacer("%", "", "−", "-", " ", "").Replace(text), 64)
	switch {
	case err != nil || v == 0 || math.IsNaN(v): // "NaN" is read as a number
		return 0, errors.New("a number of percent is wanted, as −30")
	case v <= -100 || v > 1000:
		return 0, errors.New("must be above −100 and at most 1000")
	}
	return v, nil
}

var stepField = regexp.MustCompile(`^steps\[(\d+)\]\.?(\w*)$`)

// formProblems are the caller's mistakes of an error, by field; nil for any other error.
func formProblems(err error) []string {
	var out []string
	var add func(error) bool
	add = func(err error) bool {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				if !add(e) {
					return false
				}
			}
			return true
		}
		var bad *LearnError
		if !errors.As(err, &bad) {
			return false
		}
		field := bad.Field
		if m := stepField.FindStringSubmatch(field); m != nil {
			n, _ := strconv.Atoi(m[1])
			field = strings.TrimSuffix(fmt.Sprintf("start %d, %s", n+1, m[2]), ", ")
		}
		out = append(out, bad.under(field))
		return true
	}
	if err == nil || !add(err) {
		return nil
	}
	return out
}
