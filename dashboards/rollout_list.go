package dashboards

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/rollout"
)

// rollouts answers: which training is being tried, and what came of it?
func (s *Server) rollouts(c echo.Context) error {
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	var all []analytics.Rollout
	ask.do(func(ctx context.Context) (err error) { all, err = ask.read.Rollouts(ctx); return })
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Did it help?", Nav: "Training"}
	p.Sub = say(linked("Training", "/training"), " · A team’s own before and after cannot tell: with 30 incidents on each side an unchanged team looks 20 % better three times in ten. So teams start in steps, chance decides who is first, and the trained are compared with those not yet trained.")
	over := 0
	for _, r := range all {
		if r.Over(s.monday()) {
			over++
		}
	}
	if p.Answer = say(strong("No roll-out"), " was drawn yet."); len(all) > 0 {
		p.Answer = say("There ", verbN(float64(len(all)), "is ", "are "), strong(plural(float64(len(all)), "roll-out", "roll-outs")), ", ", canBeRead(over), ".")
	}
	if w.DrawsSome() {
		p.Answer = append(p.Answer, say(" ", linked("Draw a new one", "/training/rollouts/new"), ".")...)
	}
	cd := card{ID: "rollouts", Title: "Which roll-outs are there?", Wide: "w12", N: plural(float64(len(all)), "roll-out", "roll-outs")}
	if len(all) == 0 {
		cd.Empty = say("None. A people admin, or whoever leads all of its teams, chooses what to teach and at least two teams of three or more people, and draws which starts first.")
		if w.DrawsSome() {
			cd.Empty = append(cd.Empty, say(" ", linked("Plan one", "/training/rollouts/new"), ".")...)
		}
	} else {
		cd.Say = say("The newest first. What is measured was decided when it was drawn.")
		t := &table{List: true, Caption: "Roll-outs, the newest first", Head: heads("what is taught", "measured by", "#teams", "first start", "window ends", "state")}
		for _, r := range all {
			_, to, _ := r.Weeks() // a draw that is read was validated
			t.add(ref(s.taughtName(r.Module), rolloutPath(r.Rollout)), txt(measureName(r.Metric)), counted(float64(len(r.Teams))), dateCell(r.Steps[0].Week), dateCell(to.AddDate(0, 0, -1)), txt(s.rolloutState(r)))
		}
		cd.Body = t
	}
	p.Cards = append(p.Cards, cd)
	if todo := s.startCard(c.Request().Context(), ask.read, w, n, all); todo != nil {
		p.Cards = append([]card{*todo}, p.Cards...)
	}
	return s.render(c, p)
}

func (s *Server) monday() time.Time { return rollout.LocalWeek(s.Now(), s.Zone) }

func measureName(key string) string {
	if m, ok := analytics.MeasureOf(key); ok {
		return m.Name
	}
	return clip(key, 60)
}

// dateCell is a date that is one in every zone.
func dateCell(t time.Time) cell {
	return cell{Text: t.Format("2 Jan 2006"), Time: t.Format(time.DateOnly)}
}

func (s *Server) rolloutState(r analytics.Rollout) string {
	now, last := s.monday(), r.Steps[len(r.Steps)-1].Week
	switch {
	case r.Over(now):
		return "can be read"
	case now.Before(r.Steps[0].Week):
		return "drawn, not begun"
	case now.Before(last):
		return "teams are starting"
	}
	return "all starts made, the window is open"
}

// startCard lists the teams whose start has come and that were not given the work yet, for
// who gives it to them; nil for nothing. A team whose Monday is ahead is not offered.
func (s *Server) startCard(ctx context.Context, read Reading, w access.Who, n *names, all []analytics.Rollout) *card {
	cd := card{ID: "start", Title: "Which team is to start now?", Wide: "w12"}
	now := s.monday()
	for _, r := range all {
		if r.Over(now) {
			continue
		}
		begun := r.Started()
		var due []string
		for _, t := range r.Teams {
			if week, starts := begun[t]; starts && !week.After(now) && w.HeadsTeam(t) {
				due = append(due, t)
			}
		}
		if len(due) == 0 {
			continue
		}
		given, err := read.Assignments(ctx, analytics.AssignmentFilter{Team: due, Tracks: s.tracks()})
		if err != nil {
			return &card{ID: cd.ID, Title: cd.Title, Wide: cd.Wide, Err: "What the teams were given could not be read."}
		}
		for _, t := range due {
			if slices.ContainsFunc(given, func(a analytics.AssignmentRow) bool {
				return a.Team == t && (a.Module == r.Module || a.Track == r.Module)
			}) {
				continue
			}
			cd.Todo = append(cd.Todo, todo{Class: "warn", What: say(n.team(t), " starts ", linked(s.taughtName(r.Module), rolloutPath(r.Rollout))),
				Why: "drawn for the week of " + begun[t].Format("2 Jan 2006") + "; every week later makes an effect look smaller", Action: "assign it", Href: s.startHref(r, t)})
		}
	}
	if len(cd.Todo) == 0 {
		return nil
	}
	return &cd
}

// startHref is the form that gives a team the work, filled in.
func (s *Server) startHref(r analytics.Rollout, team string) string {
	href := s.taughtHref(r.Module)
	if strings.Contains(href, "#") { // a track is assigned module by module
		return href
	}
	return href + "?" + url.Values{"for": {"team:" + team}, "reason": {"the stepped roll-out of " + s.taughtName(r.Module)}}.Encode() + "#assign"
}

// asksRollouts reads the draws beside a page's own questions.
func (s *Server) asksRollouts(ask *asker) *[]analytics.Rollout {
	out := new([]analytics.Rollout)
	ask.do(func(ctx context.Context) (err error) { *out, err = ask.read.Rollouts(ctx); return })
	return out
}

// trainingExtras are what the training page says besides the modules: the question of the
// week, which team is to start now, and where roll-outs are.
func (s *Server) trainingExtras(c echo.Context, ask *asker, n *names, week *analytics.WeekQuestion, drawn []analytics.Rollout) []card {
	var out []card
	if cd := questionCard(week); cd != nil {
		out = append(out, *cd)
	}
	if cd := s.startCard(c.Request().Context(), ask.read, ask.who, n, drawn); cd != nil {
		if all := len(cd.Todo); all > startsShown {
			cd.Todo = cd.Todo[:startsShown]
			cd.Say = say("The first ", startsShown, " of ", all, "; ", linked("the roll-outs", "/training/rollouts"), " have all.")
		}
		out = append(out, *cd)
	}
	over := 0
	for _, r := range drawn {
		if r.Over(s.monday()) {
			over++
		}
	}
	cd := card{ID: "rollouts", Title: "Did it help?", Wide: "w12", Say: say("Teams that start in steps, in an order that chance decides, show whether training changed anything: ")}
	if len(drawn) == 0 {
		cd.Say = append(cd.Say, say("no ", linked("roll-out", "/training/rollouts"), " was drawn yet.")...)
	} else {
		cd.Say = append(cd.Say, say(linked(plural(float64(len(drawn)), "roll-out", "roll-outs"), "/training/rollouts"), ", ", canBeRead(over), ".")...)
	}
	return append(out, cd)
}

// startsShown is how many teams that are to start stand on the page of training.
const startsShown = 4

// canBeRead says of how many roll-outs the window has ended.
func canBeRead(over int) string {
	if over == 0 {
		return "none of which can be read yet"
	}
	return fmt.Sprint(over) + " of which can be read"
}
