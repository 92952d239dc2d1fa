package dashboards

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/rollout"
)

// trial is a roll-out with what can be said of it now. Weeks holds those before the first
// start until the window has ended, and then all of them.
type trial struct {
	analytics.Rollout
	measure analytics.Measure
	over    bool // the window has ended
	begun   bool // the first teams have started
	panel   *analytics.Panel
	weeks   []rollout.Contrast
	result  *rollout.Result
	why     string // there is no result
	denied  bool   // to this asker
}

// rolloutOf reads the roll-out of the address, and of the data what may be looked at now.
func (s *Server) rolloutOf(c echo.Context) (*trial, error) {
	ctx, read := c.Request().Context(), s.reading(c)
	r, err := read.Rollout(ctx, param(c, "rollout"))
	if errors.Is(err, analytics.ErrNotFound) {
		return nil, missing("roll-out", param(c, "rollout"))
	}
	if err != nil {
		return nil, err
	}
	x := &trial{Rollout: *r, over: r.Over(s.monday()), begun: !r.Steps[0].Week.After(s.monday())}
	m, known := analytics.MeasureOf(r.Metric)
	if !known {
		x.why = "This version of Steward does not know the metric " + clip(r.Metric, 60) + "."
		return x, nil
	}
	x.measure = m
	return x, x.look(ctx, read)
}

// look reads the panel. Only what was drawn says what is asked for.
func (x *trial) look(ctx context.Context, read Reading) error {
	from, to, err := x.Weeks()
	if err != nil {
		return err
	}
	if !x.over { // no peeking
		to = x.Steps[0].Week
		x.why = "There is no result yet. It is read once, when the window has ended: who looks each week and stops when it pleases finds an effect too often."
	}
	var denied *access.Denied
	switch x.panel, err = read.Panel(ctx, x.measure, x.Teams, from, to); {
	case errors.As(err, &denied):
		x.why, x.denied = "Not shown to you: what people carry by the week is for people admins and for who leads all of these teams.", true
		return nil
	case err != nil:
		return err
	}
	if len(x.panel.Withheld) > 0 {
		x.why = "There is no result: the figures of one of these teams are withheld, since it had fewer than three people at some moment of the window."
		return nil
	}
	if x.weeks, err = rollout.Weekly(x.panel.Values, x.Drawn); err != nil {
		x.weeks = nil
		if x.over {
			x.why = "There is no result: at least one team has no value of the metric before the first start, so there is nothing of its own to compare it with."
		}
		return nil
	}
	if !x.over {
		x.weeks = slices.DeleteFunc(x.weeks, func(w rollout.Contrast) bool { return !w.Before })
		return nil
	}
	result, err := rollout.Estimate(x.panel.Values, x.Drawn)
	if err != nil {
		x.why = "There is no result: no week has values of both trained and not yet trained teams."
		return nil
	}
	x.result, x.why = &result, ""
	return nil
}

// rollout answers: did the training help?
func (s *Server) rollout(c echo.Context) error {
	x, err := s.rolloutOf(c)
	if err != nil {
		return err
	}
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Did “" + strings.TrimPrefix(s.taughtName(x.Module), "the track ") + "” help?", Nav: "Training"}
	p.Sub = say(linked("all roll-outs", "/training/rollouts"), " · ", linked(s.taughtName(x.Module), s.taughtHref(x.Module)), " · weeks begin on Monday, ", s.Zone.String())
	p.Answer = x.answer()
	if todo := s.startCard(c.Request().Context(), ask.read, w, n, []analytics.Rollout{x.Rollout}); todo != nil {
		p.Cards = append(p.Cards, *todo)
	}
	if x.result != nil {
		p.Cards = append(p.Cards, s.resultCard(x))
	}
	p.Cards = append(p.Cards, s.weeksCard(x), s.orderCard(x, n), s.decidedCard(x, n))
	return s.render(c, p)
}

func (x *trial) answer() []bit {
	if x.result == nil {
		_, to, _ := x.Weeks()
		out := say(x.why)
		if !x.over && !x.denied {
			first := "; the first teams start on "
			if x.begun {
				first = "; the first teams started on "
			}
			out = append(out, say(" The window ends on ", strong(to.AddDate(0, 0, -1).Format("2 Jan 2006")), first, strong(x.Steps[0].Week.Format("2 Jan 2006")), ".")...)
		}
		return out
	}
	words := rollout.Words(*x.result, x.measure.Name)
	out := say(words[0], " ", strong(words[2]))
	if x.result.Low != nil && x.result.High != nil { // else the sentence says that there is no interval
		out = append(say("Against the teams not yet trained, "+x.measure.Name+" changed by "), out...)
	}
	return out
}

// resultCard is the result in full: interval, point, p, and what it would take.
func (s *Server) resultCard(x *trial) card {
	r := x.result
	words := rollout.Words(*r, x.measure.Name)
	cd := card{ID: "result", Title: "What came of it?", Wide: "w5", Say: say(words[1], " ", words[3])}
	cd.N = fmt.Sprintf("%s and %s %s", plural(float64(r.Teams), "team", "teams"), count(x.panel.N), x.behind())
	end := func(v *float64) string {
		if v == nil {
			return "none"
		}
		return r.Amount(*v)
	}
	t := &table{Caption: "The result in numbers", Head: heads("what", "#value")}
	t.add(txt(fmt.Sprintf("%d %% interval, from", r.Level)), num(end(r.Low)))
	t.add(txt(fmt.Sprintf("%d %% interval, to", r.Level)), num(end(r.High)))
	t.add(txt("best estimate of the change"), num(r.Amount(r.Effect)))
	t.add(txt("p"), num(rollout.Probability(r.P)))
	t.add(txt("smallest p this draw could give"), num(rollout.Probability(r.SmallestP)))
	t.add(txt("possible draws"), num(thousands(r.Draws)))
	t.add(txt("teams"), counted(float64(r.Teams)))
	t.add(txt("of these trained in weeks that are compared"), counted(float64(r.Trained)))
	t.add(txt("weeks before the first start"), counted(float64(r.PreWeeks)))
	t.add(txt("weeks compared"), counted(float64(r.ComparedWeeks)))
	t.add(txt("team-weeks after training"), counted(float64(r.TrainedWeeks)))
	t.add(txt("team-weeks without"), counted(float64(r.NotYetWeeks)))
	t.add(txt("mean before the first start, "+x.measure.Name+", a team"), num(x.unit(r.Base)))
	cd.Body = t
	if m, ok := s.metrics[x.measure.Metric]; ok {
		cd.Metric = &m
	}
	for _, change := range x.changes() {
		if note, err := rollout.PowerNote(*r, change); err == nil {
			cd.Say = append(cd.Say, say(" ", note)...)
		}
	}
	cd.Notes = append(cd.Notes, fmt.Sprintf("Metric %s, version %d, of weeks that ended by %s. Changes are shares of the mean before the first start.", x.measure.Metric, x.panel.Version, x.panel.AsOf.In(s.Zone).Format("2 Jan 2006 15:04 MST")),
		"What it does not see: trained teams that help the others, teams that learned of the draw and waited, effects that need longer than the window.")
	return cd
}

// behind names what stands behind the values.
func (x *trial) behind() string {
	if x.measure.Load {
		return "interruptions"
	}
	return "incidents"
}

// changes are those that the power note is about, in percent.
func (x *trial) changes() []float64 {
	if x.Expect == rollout.Higher {
		return []float64{20, 40}
	}
	return []float64{-20, -40}
}

// orderCard says who starts when.
func (s *Server) orderCard(x *trial, n *names) card {
	cd := card{ID: "order", Title: "Who starts when?", Wide: "w6", N: plural(float64(len(x.Teams)), "team", "teams")}
	begun, now := x.Started(), s.monday()
	t := &table{Caption: "Teams in the order that was drawn", Head: heads("team", "starts in the week of", "now")}
	for _, id := range x.Order {
		week, starts := begun[id]
		line := []cell{ref(n.team(id), at("teams", id)), txt("not in this window"), txt("the others are compared with it")}
		if starts {
			state := "for " + plural(float64(weeksBetween(week, now)+1), "week", "weeks")
			switch {
			case week.After(now):
				state = "in " + plural(float64(weeksBetween(now, week)), "week", "weeks")
			case week.Equal(now):
				state = "this week"
			}
			line[1], line[2] = dateCell(week), txt(state)
		}
		t.add(line...)
	}
	cd.Say = say("Chance decided it. A team is to be given the work in its week and not before: a team that starts early makes an effect look smaller.")
	cd.Body = t
	return cd
}

// decidedCard is what was decided before looking, and how to check it.
func (s *Server) decidedCard(x *trial, n *names) card {
	cd := card{ID: "decided", Title: "What was decided before looking?", Wide: "w6", N: "1 draw"}
	from, to, _ := x.Weeks()
	expect := map[rollout.Direction]string{rollout.Lower: "it falls", rollout.Higher: "it rises", rollout.Either: "it changes, either way"}[x.Expect]
	t := &table{Caption: "The published draw", Head: heads("what", "value")}
	t.add(txt("drawn"), txt(x.At.In(s.Zone).Format("2 Jan 2006 15:04 MST")))
	t.add(txt("metric"), txt(measureName(x.Metric)))
	t.add(txt("hoped for"), txt(expect))
	t.add(txt("measured as a"), txt(string(x.Scale)))
	t.add(txt("window"), txt(from.Format("2 Jan 2006")+" to "+to.AddDate(0, 0, -1).Format("2 Jan 2006")))
	for i, step := range x.Steps {
		t.add(txt(fmt.Sprintf("start %d", i+1)), txt(fmt.Sprintf("%s in the week of %s", plural(float64(step.Teams), "team", "teams"), step.Week.Format("2 Jan 2006"))))
	}
	t.add(txt("possible draws"), txt(thousands(x.Assignments().String())))
	t.add(txt("smallest possible p"), txt(rollout.Probability(x.SmallestP())))
	t.add(txt("seed"), txt(strconv.FormatInt(x.Seed, 10)))
	cd.Say = say("The seed gives this order and no other. Anybody can check it: ", linked("download the draw", rolloutPath(x.Rollout.Rollout)+"/draw"), " and run ", strong("steward rollout check draw.json"), ".")
	if err := x.Reproduce(); err != nil {
		cd.Say = say(strong("The order is not the one that the seed gives."), " This draw shows nothing.")
	}
	cd.Body = t
	if x.Late {
		cd.Notes = append(cd.Notes, "It was published after the first start, so it decided nothing: who starts may have been known.")
	}
	if x.Again > 0 {
		cd.Notes = append(cd.Notes, fmt.Sprintf("It was drawn again %s under the same id; only the first draw counts.", plural(float64(x.Again), "time", "times")))
	}
	if len(x.Others) > 0 {
		cd.Notes = append(cd.Notes, fmt.Sprintf("Of the same module and some of these teams there %s before it: a draw that is repeated until it pleases is none.", plural(float64(len(x.Others)), "was a draw", "were draws")))
	}
	return cd
}

// rolloutJSON is the draw as it was published.
func (s *Server) rolloutJSON(c echo.Context) error {
	r, err := s.reading(c).Rollout(c.Request().Context(), param(c, "rollout"))
	if errors.Is(err, analytics.ErrNotFound) {
		return missing("roll-out", param(c, "rollout"))
	}
	if err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="draw.json"`)
	return c.JSON(http.StatusOK, r.Drawn)
}

func weeksBetween(from, to time.Time) int { return int(math.Round(to.Sub(from).Hours() / (7 * 24))) }

// thousands writes digits as 12,345.
func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
