package dashboards

import (
	"context"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// me answers: what do I carry, what should I learn before my next shift, and who saw it?
func (s *Server) me(c echo.Context) error {
	w := who(c)
	f := s.filter(c)
	if w.Person == "" {
		p := &page{Title: "Me", Nav: "Me"}
		p.Answer = say("This page shows what one person carries and learns, and who looked at it. You are ", strong(w.Label()), ", which is nobody in particular.")
		if s.ViewAs {
			p.Answer = append(p.Answer, say(" Choose a person under “viewing as” above.")...)
		}
		return s.render(c, p)
	}
	can := s.abilityAsk(true, w.Person)
	if teams := w.Teams(); len(teams) == 1 {
		can.team = teams[0]
	}
	var looks []analytics.LookRow
	var work []analytics.AssignmentRow
	var booked []analytics.BookingRow
	var drills []analytics.Drill
	var notices *told
	var week **analytics.WeekQuestion
	skills := func() map[string]time.Time { return nil }
	advice := func(*filter) []card { return nil }
	return s.carries(c, f, w.Person, "", "Me", func(ask *asker) {
		can.ask(ask)
		ask.do(func(ctx context.Context) (err error) { looks, err = ask.read.Looks(ctx, looksShown); return })
		ask.do(func(ctx context.Context) (err error) {
			booked, err = ask.read.Bookings(ctx, analytics.BookingFilter{Own: true})
			return
		})
		ask.do(func(ctx context.Context) (err error) { drills, err = ask.read.Drills(ctx); return })
		if s.Learn == nil {
			return
		}
		ask.do(func(ctx context.Context) (err error) {
			work, err = ask.read.Assignments(ctx, analytics.AssignmentFilter{Own: true, Tracks: s.tracks()})
			return
		})
		skills, week = ask.ownSkills(), s.asksQuestion(ask, w)
		if s.Outgoing != nil {
			notices = s.toldOf(ask, w, false)
		}
		advice = s.adviseOwn(ask)
	}, func(n *names) (before, after []card) {
		before = []card{s.looksCard(f, n, looks)} // beside the hours on call
		if s.Learn == nil {
			return append(before, s.bookedCard(f, n, booked, drills)), nil
		}
		before = append(append(before, s.learnCard(f, n, work)), advice(f)...)
		var small []card
		if q := questionCard(*week); q != nil {
			small = append(small, *q)
		}
		after = append(inPairs(append(small, s.bookedCard(f, n, booked, drills))), s.badgesCard(f, work, skills()), s.readyLink())
		if notices != nil {
			after = append(after, s.comingCard(n, w.Person, s.coming(n, w.Person, work, notices), notices, true))
		}
		return before, after
	}, can)
}
