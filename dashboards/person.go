package dashboards

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/identity"
)

// Limits of METRICS for interruptions outside working hours, a person and month.
const (
	goodMonth    = 2
	burnoutMonth = 19
)

// looksShown is how many looks the page of a person lists.
const looksShown = 200

// person answers what somebody carries, to those who may see it.
func (s *Server) person(c echo.Context) error {
	w := who(c)
	f := s.filter(c)
	id := param(c, "person")
	if w.Is(id) {
		return c.Redirect(http.StatusSeeOther, f.link("/me"))
	}
	d, err := s.reading(c).Directory(c.Request().Context())
	if err != nil {
		return err
	}
	team := ""
	n := newNames(d)
	if !w.SeesLoad() { // as a lead, they see what the person carries in the teams they lead
		for _, t := range n.people[id].Teams {
			if w.LeadsTeam(t) {
				team = t
				break
			}
		}
		if team == "" { // whether there is such a person is not said either
			return &access.Denied{Reason: "what a person carries is shown to that person, to the lead of their team and to people admins"}
		}
	} else if _, known := n.people[id]; !known || identity.IsFormer(id) {
		return missing("person", id)
	}
	can := s.abilityAsk(w.IsOperator() || w.Has(access.PeopleAdmin), id)
	return s.carries(c, f, id, team, "Teams", can.ask, func(*names) (before, after []card) { return nil, nil }, can)
}

// carries is the page of one person: what they carry, then what they can do, with the cards
// of more before and after it.
func (s *Server) carries(c echo.Context, f *filter, id, team, nav string, also func(*asker), more func(*names) (before, after []card), can *abilityAsk) error {
	ask := s.asker(c, f)
	dir := ask.names()
	months := ask.metric("interruptions", "person", id, "team", team, "bucket", "month")
	weeks := ask.metric("interruptions", "person", id, "team", team, "bucket", "week")
	hours := ask.metric("oncall_hours", "person", id, "team", team, "bucket", "week")
	classes := ask.metric("oncall_hours", "person", id, "team", team, "by", "hour_class")
	also(ask)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	title := n.person(id)
	p := &page{Title: title, Nav: nav, Filter: s.form(f, n.dir, "hours")}
	if nav == "Me" {
		s.unsettled(p)
	}
	var facts []string
	if title != id {
		facts = append(facts, id)
	}
	if z := n.people[id].Zone; z != "" {
		facts = append(facts, z)
	}
	for _, t := range n.people[id].Teams {
		facts = append(facts, n.team(t))
	}
	p.Sub = say(strings.Join(facts, " · "))
	if s.failed(months, classes) == "" {
		p.Answer = carriesAnswer(f, id == who(c).Person, n.person(id), months, classes)
	}
	before, after := more(n)
	onCall := s.ownHours(f, hours, classes)
	if len(before) == 0 {
		onCall.Wide = "w12" // nothing stands beside it
	}
	p.Cards = append([]card{s.ownMonths(f, months), s.ownWeeks(f, weeks), onCall}, before...)
	p.After = after
	p.Ability, p.Notice = s.ability(c, f, n, can), saidDone[c.QueryParam("done")]
	return s.render(c, p)
}

func carriesAnswer(f *filter, self bool, name string, months, classes *result) []bit {
	w := months.total()
	subject, within, was := name, name, " was" // at a sentence's beginning, and within it
	if self {
		subject, within, was = "You", "you", " were"
	}
	on := 0.0
	for _, c := range classes.rows() {
		on += c.n("total")
	}
	if w.n("interruptions") == 0 && on == 0 {
		return say(subject, was, " neither interrupted nor on call in ", f.since(), ".")
	}
	return say("In ", f.since(), ", ", within, was, " interrupted ", strong(plural(w.n("interruptions"), "time", "times")), ", ", strong(count(w.n("sleep"))+" of them asleep"),
		"; ", plural(w.n("nights"), "night", "nights"), " disturbed; on call for ", strong(count(on)+" hours"), ".")
}

// ownMonths measures each month against the limits of what people can bear.
func (s *Server) ownMonths(f *filter, r *result) card {
	c := card{ID: "months", Title: "Is it too much?", Wide: "w6", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, r, plural(r.sum("interruptions"), "interruption", "interruptions"), "")
	by := r.perBucket()
	var months []string
	for k := range by {
		months = append(months, k)
	}
	slices.Sort(months)
	if len(months) == 0 {
		c.Empty = say("No interruptions in this window.")
		return c
	}
	t := &table{Caption: "Interruptions outside working hours by month, against the limits", Head: heads("month", "against the limits", "#asleep and off", "#business", "#nights", "verdict")}
	worst := 0.0
	for _, k := range months {
		w := by[k]
		out := w.n("sleep") + w.n("off")
		worst = math.Max(worst, out)
		class, verdict := "good", "fine"
		switch {
		case out > burnoutMonth:
			class, verdict = "bad", "burns people out"
		case out > badMonth:
			class, verdict = "bad", "wears down"
		case out > goodMonth:
			class, verdict = "warn", "more than good"
		}
		t.add(txt(month(k)), cell{Bar: []seg{{class, 0, math.Min(100, 100*out/burnoutMonth)}, {"mark", 100*float64(badMonth)/burnoutMonth - 0.2, 0.4}}, BarLabel: count(out) + ", the limit is 7"},
			counted(out), counted(w.n("business")), counted(w.n("nights")), txt(verdict))
	}
	c.Say = say("The worst month had ", strong(count(worst)), " outside working hours. Up to 2 is good, more than 7 wears down, more than 19 burns people out. A month at the window’s edge may be cut.")
	c.Key = []keyItem{{"mark", "7 a month; the bar ends at 19"}}
	c.Body = t
	return c
}

func (s *Server) ownWeeks(f *filter, r *result) card {
	c := card{ID: "weeks", Title: "When?", Wide: "w6", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, r, plural(r.sum("interruptions"), "interruption", "interruptions"), "")
	if r.sum("interruptions") == 0 {
		c.Empty = say("No interruptions in this window.")
		return c
	}
	c.Key = f.weekKey(hourKey)
	c.Say = f.lastWeek(r)
	c.Chart, c.Fold = f.weekly("weeks", r)
	return c
}

// ownHours says how much of the time somebody is on call; METRICS: at most a quarter.
func (s *Server) ownHours(f *filter, weeks, classes *result) card {
	c := card{ID: "hours", Title: "How much time on call?", Wide: "w6", Err: s.failed(weeks, classes)}
	if c.Err != "" {
		return c
	}
	total := weeks.sum("total")
	c.sourced(f, weeks, count(total)+" hours", "")
	if total == 0 {
		c.Empty = say("No shift in this window.")
		return c
	}
	window := f.to.Sub(f.from).Hours()
	c.Say = say(strong(fmt.Sprintf("%.0f %%", 100*total/math.Max(window, 1))), " of the window on call; more than 25 % is more than people should carry. ", count(weeks.sum("primary")), " h primary, ", count(weeks.sum("secondary")), " h secondary.")
	t := &table{Caption: "Hours on call by hour class", Head: heads("hours", "#primary", "#secondary", "#all")}
	by := classes.byKey()
	for _, k := range hourKey {
		w := by[k.Class]
		t.add(txt(k.Text), num(count(w.n("primary"))+" h"), num(count(w.n("secondary"))+" h"), num(count(w.n("total"))+" h"))
	}
	c.Body = t
	return c
}

// looksCard is the ledger of who looked.
func (s *Server) looksCard(f *filter, n *names, looks []analytics.LookRow) card {
	c := card{ID: "looks", Title: "Who looked at this?", Wide: "w6", N: plural(float64(len(looks)), "look", "looks")}
	if len(looks) == 0 {
		c.Empty = say("Nobody but you. When a lead or a people admin looks at what you carry, on a page or by an export, it stands here.")
		return c
	}
	if len(looks) == looksShown {
		c.Say = say("The newest ", count(looksShown), ".")
	} else {
		c.Say = say("Newest first.")
	}
	t := &table{List: true, Caption: "Looks of others at what you carry", Head: heads("when", "who", "what")}
	for _, l := range looks {
		t.add(f.moment(l.At), txt(n.person(l.By)), txt(clip(l.What, 300)))
	}
	c.Body = t
	return c
}
