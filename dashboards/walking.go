package dashboards

import (
	"context"
	"fmt"

	"github.com/stewardhq/steward/analytics"
)

// walking is who walks along in a team: from now on for its people, and how far newcomers
// are for its lead.
type walking struct {
	rota []analytics.ShiftRow
	far  []analytics.Readiness
	lead bool
}

// toWalk asks for it; nil for whom it is not.
func (s *Server) toWalk(ask *asker, team string) *walking {
	w := ask.who
	if s.Shadow == nil || s.Learn == nil || !w.IsOperator() && !w.InTeam(team) {
		return nil
	}
	x := &walking{lead: w.HeadsTeam(team)}
	ask.do(func(ctx context.Context) (err error) { x.rota, err = ask.read.Rota(ctx, team); return })
	if x.lead {
		ask.do(func(ctx context.Context) (err error) {
			x.far, err = ask.read.Readiness(ctx, analytics.ReadinessFilter{Team: team})
			return
		})
	}
	return x
}

// walkingCards answer: who gets ready for the pager?
func (s *Server) walkingCards(f *filter, n *names, x *walking) []card {
	if x == nil {
		return nil
	}
	c := card{ID: "walking", Title: "Who gets ready for the pager?", Wide: "w12"}
	coming := 0
	t := &table{List: true, Caption: "Shifts in which somebody walks along, from now on", Head: heads("from", "who", "how", "host", "schedule")}
	for _, r := range x.rota {
		if r.Walks() {
			coming++
			t.add(f.moment(r.Start), txt(clip(n.person(r.Person), 80)), txt(roleWords[r.Role]), txt(clip(n.person(r.Host), 80)), txt(clip(r.Schedule, 80)))
		}
	}
	if !x.lead {
		if coming == 0 {
			c.Empty = say("Nobody walks along with a shift that is planned. ", linked("Am I ready?", "/readiness"), " says what is left for you, and plans one.")
			return []card{c}
		}
		c.N, c.Body = plural(float64(coming), "shift", "shifts"), t
		c.Say = say(strong(plural(float64(coming), "shift", "shifts")), " with somebody beside the host. ", linked("Am I ready?", "/readiness"), " says what is left for you.")
		return []card{c}
	}
	if coming > 0 {
		c.Fold = t
	}
	graduated := 0
	list := &table{List: true, Caption: "Newcomers by name", Head: heads("who", "state", "alerts acknowledged", "next to walk along", "first shift on their own")}
	for _, r := range x.far {
		if !r.Graduated.IsZero() {
			graduated++
		}
		next := txt("none planned")
		if len(r.Coming) > 0 {
			next = f.moment(r.Coming[0].Start).with(roleWords[r.Coming[0].Role])
		}
		first := txt("none planned")
		if !r.First.IsZero() {
			first = f.moment(r.First)
		}
		list.add(ref(clip(n.person(r.Person), 80), at("readiness", r.Person)), txt(r.State), txt(fmt.Sprintf("%d of %d", r.Acknowledged, analytics.AlertsNeeded)), next, first)
	}
	if len(x.far) == 0 {
		c.Empty = say("Nobody in the team walks along, did so in the last half year, or is yet to have a first shift. A person’s readiness page plans a shift to walk along.")
		return []card{c}
	}
	c.N, c.Body = plural(float64(len(x.far)), "newcomer", "newcomers"), list
	if m, ok := s.metrics["graduation"]; ok {
		c.Metric = &m
	}
	c.Say = say(strong(plural(float64(len(x.far)), "newcomer", "newcomers")), ", ", strong(count(float64(graduated))+" graduated"), ". By name; which alerts made sense to whom is theirs to read. A page of each says what is left, and plans a shift to walk along.")
	return []card{c}
}

// readyLink leads from one's own page to what is left before a first shift.
func (s *Server) readyLink() card {
	return card{ID: "ready", Title: "Am I ready for the pager?", Wide: "w4",
		Say: say(linked("What is left before a first shift on my own", "/readiness"), ": modules, shifts to walk along, and the alerts that made sense.")}
}
