package dashboards

import (
	"context"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/rollout"
)

// Theory of operation of the pages of roll-outs
//
//  1. The form is read twice. As an address it shows what the draw could show at all, and
//     publishes nothing; sent, it is drawn, with the seed that nobody chose.
//  2. After that every figure follows from the published draw and the data. An address has no
//     parameter that changes a result.
//  3. There is one look: a result is given when the window has ended, and not while it fills.
//     Who looks each week and stops when it pleases finds an effect too often.

// Rollouts draws. Errors: one or several *LearnError, joined, are the caller's mistakes.
type Rollouts interface {
	// Plan is the draw as the form asks for it, with seed 0 and published nowhere.
	Plan(ctx context.Context, who access.Who, f RolloutForm) (rollout.Drawn, error)
	// Draw publishes it with a random seed and says under which id. The same form sent
	// twice is one draw.
	Draw(ctx context.Context, who access.Who, f RolloutForm) (id string, err error)
}

// RolloutForm is the form as it was filled in. Dates are of Mondays; Weeks and Counts are the
// starts, in pairs, of which empty ones are none.
type RolloutForm struct {
	ID, Module, Metric, Expect, From, To string
	Teams                                []string
	Weeks, Counts                        []string
}

// mostStarts is how many steps the form has.
const mostStarts = 4

func (s *Server) rolloutRoutes(r router) {
	r.get("/training/rollouts", signedIn, s.rollouts, r.zip)
	if s.Rollouts != nil {
		r.get("/training/rollouts/new", signedIn, s.rolloutNew, r.csrf)
		r.post("/training/rollouts", signedIn, s.rolloutDraw, r.csrf)
	}
	r.get("/training/rollouts/:rollout", signedIn, s.rollout, r.zip)
	r.get("/training/rollouts/:rollout/draw", signedIn, s.rolloutJSON, r.zip)
	r.get("/training/rollouts/:rollout/weeks", signedIn, s.rolloutCSV, r.zip)
}

// taught are the modules and tracks that a roll-out can be about.
func (s *Server) taught() [][2]string {
	var out [][2]string
	for _, t := range s.Learn.Curriculum().Tracks {
		out = append(out, [2]string{t.ID, "the track " + t.Name})
		for _, m := range t.Modules {
			out = append(out, [2]string{m.ID, m.ID + " " + m.Title})
		}
	}
	return out
}

func (s *Server) taughtName(id string) string {
	for _, x := range s.taught() {
		if x[0] == id {
			return x[1]
		}
	}
	return clip(id, 60)
}

// taughtHref is the page of a module, or of a track among all modules.
func (s *Server) taughtHref(id string) string {
	if _, ok := s.Learn.Curriculum().Module(id); ok {
		return at("training", id)
	}
	return "/training#track-" + id
}

func rolloutPath(id string) string { return at("training/rollouts", id) }

func postedForm(c echo.Context) RolloutForm {
	v, _ := c.FormParams()
	f := RolloutForm{ID: v.Get("id"), Module: v.Get("module"), Metric: v.Get("metric"), Expect: v.Get("expect"), From: v.Get("from"), To: v.Get("to"), Teams: v["team"]}
	f.Weeks, f.Counts = v["week"], v["teams"]
	return f
}
