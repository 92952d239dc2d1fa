package dashboards

import (
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Theory of operation of sharing on pages
//
//  1. Who can read a debrief stands on it, with the form that lets a team read it and the one
//     that ends that. Only its player has the forms.
//  2. A reader who has not finished the drill themselves is told that it gives the answers
//     away, and goes on only if they say so: the drill would be worth nothing to them then.

// shareView says who can read an attempt, and changes it.
type shareView struct {
	Action, Csrf, Problem string
	Readers               []bit
	With                  []choice // teams that can read it
	Teams                 []choice // teams it can be shared with
}

func (s *Server) shareOf(c echo.Context, n *names, a *analytics.Attempt, with []string) *shareView {
	w := who(c)
	csrf, _ := c.Get("csrf").(string)
	v := &shareView{Action: attemptPath(a.Drill.ID, a.ID) + "/share", Csrf: csrf, Readers: say("Only you.")}
	for _, t := range with {
		v.With = append(v.With, choice{Value: t, Text: n.team(t)})
	}
	if len(with) > 0 {
		v.Readers = say("You, and who is a member of ", strong(teamNames(n, with)), " at the moment of reading.")
	}
	for _, t := range w.Teams() {
		if !slices.Contains(with, t) && w.Shares(w.Person, t) == nil {
			v.Teams = append(v.Teams, choice{Value: t, Text: n.team(t)})
		}
	}
	return v
}

// shareAttempt lets a team read an attempt, or ends that.
func (s *Server) shareAttempt(c echo.Context) error {
	a, err := s.attemptOf(c)
	if err != nil {
		return err
	}
	on := filled(c, "shared")
	if on != "true" && on != "false" {
		return &apiError{status: http.StatusBadRequest, Message: "shared: must be true or false", Param: "shared"}
	}
	err = s.Play.Share(c.Request().Context(), who(c), a.ID, filled(c, "team"), on == "true")
	var bad *LearnError
	if errors.As(err, &bad) {
		return &apiError{status: http.StatusBadRequest, Message: bad.Error(), Param: bad.Field}
	}
	if err != nil {
		return err
	}
	done := map[string]string{"true": "shared", "false": "withdrawn"}[on]
	return c.Redirect(http.StatusSeeOther, attemptPath(a.Drill.ID, a.ID)+"?done="+done+"#readers")
}

// sharedCard answers: what do others let my teams read?
func (s *Server) sharedCard(f *filter, n *names, x *played) card {
	cd := card{ID: "shared", Title: "What is shared with my teams?", Wide: "w12"}
	if len(x.shared) == 0 {
		cd.Empty = say("Nothing. Whoever has finished a drill can let a team of theirs read the debrief; the form is at its end.")
		return cd
	}
	cd.N = plural(float64(len(x.shared)), "debrief", "debriefs")
	cd.Say = say("By date. A debrief gives the answers away: play the drill first.")
	t := &table{List: true, Caption: "Debriefs that others share, the latest first", Head: heads("drill", "who", "shared with", "finished", "you")}
	for _, r := range x.shared {
		mine := "not played yet"
		if _, ok := best(x.own, r.Drill); ok {
			mine = "played"
		}
		t.add(ref(x.title(r.Drill), attemptPath(r.Drill, r.Attempt)), txt(n.person(r.Person)), txt(n.team(r.Team)), f.moment(r.Finished), txt(mine))
	}
	cd.Body = t
	return cd
}

// spoils says whether a debrief of somebody else would give a drill's answers to somebody who
// can still play it without knowing them.
func spoils(w access.Who, a *analytics.Attempt, own []analytics.AttemptRow) bool {
	_, finished := best(own, a.Drill.ID)
	return !w.IsOperator() && !w.Is(a.Person) && !finished
}
