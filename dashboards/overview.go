package dashboards

import (
	"math"
	"slices"

	"github.com/labstack/echo/v4"
)

// Limits that the overview measures against; METRICS names them.
const (
	badMonth    = 7 // interruptions outside working hours a person and month
	shiftBudget = 2 // grouped incidents in 12 hours on call
	shiftHours  = 12
)

// overview answers: is anyone being worn down, is anything unowned, can the next shift cope?
func (s *Server) overview(c echo.Context) error {
	f := s.filter(c)
	ask := s.asker(c, f)
	dir := ask.names()
	exact := ask.who.SeesLoad()
	bucket := "week"
	if !exact {
		bucket = "month"
	}
	worn := ask.worn()
	load := ask.metric("interruptions", "by", "team", "bucket", bucket)
	all := load
	if !exact { // teams that are withheld count in the whole
		all = ask.metric("interruptions", "bucket", bucket)
	}
	owned := ask.metric("ownership_quadrant", "by", "team")
	incidents := ask.metric("incidents", "by", "team", "bucket", "week")
	services := ask.metric("incidents", "by", "service")
	acks := ask.metric("time_to_ack", "by", "team")
	recent := f.lastWeeks(4)
	var hours *result
	if exact {
		hours = ask.metric("oncall_hours", "by", "team", "from", recent)
	}
	var skills *skillAnswers
	var learning *result
	if ask.skilled() {
		skills, learning = ask.shifts(weekDays), ask.metric("training_progress", "by", "team", "from", "", "to", "")
	}
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Overview", Nav: "Overview", Filter: s.form(f, n.dir, "lens", "hours", "profile")}
	s.unsettled(p)
	p.Sub = say(plural(float64(len(n.dir.Teams)), "team", "teams"), " · ", plural(float64(len(n.dir.Services)), "service", "services"),
		" · ", plural(float64(n.dir.Size), "person", "people"))
	if len(n.dir.Teams) == 0 && len(n.dir.Services) == 0 && len(incidents.rows()) == 0 && s.failed(incidents) == "" {
		p.Answer = say(strong("Nothing has arrived yet."), " Send what your tools know in one of these ways; this page fills as it arrives.")
		p.Filter, p.Sub, p.Start = nil, nil, firstSteps(c.Scheme()+"://"+c.Request().Host, s.ViewAs)
		return s.render(c, p)
	}
	p.Cards = []card{
		s.wornDown(f, worn, all, exact),
		s.unownedCard(f, n, owned, services),
		s.nextShift(f, n, incidents, hours, recent, s.shiftLack(c, f, n, skills)),
		s.teamsCard(f, n, load, owned, incidents, acks, skills, learning),
	}
	p.Answer = overviewAnswer(p.Cards)
	return s.render(c, p)
}

// overviewAnswer says the one figure of each of the three questions; the cards explain.
func overviewAnswer(cards []card) []bit {
	var out []bit
	for _, c := range cards {
		if c.Err == "" && len(c.Lead) > 0 {
			out = append(append(out, c.Lead...), bit{Text: " "})
		}
	}
	return out
}

func (s *Server) wornDown(f *filter, worn *wornResult, load *result, exact bool) card {
	c := card{ID: "worn", Title: "Is anyone being worn down?", Wide: "w8", Err: s.failed(&worn.result, load)}
	if c.Err != "" {
		return c
	}
	w := load.total()
	persons := float64(worn.People)
	c.sourced(f, load, plural(w.n("interruptions"), "interruption", "interruptions")+", "+plural(persons, "person", "people"), f.link("/incidents"))
	c.csvWithout("by")
	since := f.since()
	if worn.Months > 0 {
		since = "the last " + plural(float64(worn.Months), "whole month", "whole months")
	}
	if worn.Withheld != "" {
		c.Empty = say("Nothing to show: " + worn.Withheld + ". " + publishedWords)
		return c
	}
	if w.n("interruptions") == 0 {
		c.Lead = say("Nobody is known to have been interrupted in ", f.since(), ".")
		c.Empty = say("No page to a person in this window. If people were paged, no page.sent event of theirs has arrived.")
		return c
	}
	who := strong(count(float64(worn.Over)) + " of " + plural(persons, "person", "people"))
	c.Lead = say("In ", since, ", ", who, " who were interrupted had a month with more than ", badMonth, " interruptions outside working hours, which wears down.")
	c.Say = say(who, " had a month with more than ", badMonth, " outside working hours; 2 is good, 19 is burnout. In all ", plural(w.n("interruptions"), "interruption", "interruptions"))
	if w.has("sleep") {
		c.Say = append(c.Say, say(", ", strong(count(w.n("sleep"))+" of them asleep"), ", which disturbed ", plural(w.n("nights"), "night", "nights"))...)
	}
	c.Say = append(c.Say, bit{Text: "."})
	if !exact {
		c.Say = append(c.Say, say(" ", publishedWords)...)
		c.Chart, c.Fold = f.monthly("worn", load)
		c.Key = hourKey
		return c
	}
	c.Chart, c.Fold = f.weekly("worn", load)
	c.Key = f.weekKey(hourKey)
	return c
}

func (s *Server) unownedCard(f *filter, n *names, owned, services *result) card {
	c := card{ID: "unowned", Title: "Is anything unowned?", Wide: "w4", Err: s.failed(owned, services)}
	if c.Err != "" {
		return c
	}
	w := owned.total()
	c.sourced(f, owned, plural(w.n("n"), "incident", "incidents"), f.link("/incidents"))
	without := 0
	by := services.byKey()
	for _, sv := range n.dir.Services {
		if sv.Owner != "" {
			continue
		}
		without++
		if len(c.Todo) < 4 {
			c.Todo = append(c.Todo, todo{Class: "bad", What: say(strong(sv.Name), " has no owner"), Why: plural(by[sv.ID].n("incidents"), "incident", "incidents") + " in the window",
				Action: "See service", Href: f.link(at("services", sv.ID))})
		}
	}
	c.Lead = say(strong(count(float64(without))+" of "+plural(float64(len(n.dir.Services)), "service", "services")), " ", verb(without, "has", "have"), " no owner")
	if h := handled(w); h > 0 {
		c.Lead = append(c.Lead, say(", and ", strong(count(h-w.n("owned"))+" of "+plural(h, "incident", "incidents")), " that a person handled went past the owner")...)
	}
	c.Lead = append(c.Lead, bit{Text: "."})
	c.Say = say(strong(count(float64(without))+" of "+plural(float64(len(n.dir.Services)), "service", "services")), " ", verb(without, "has", "have"), " no owner now. ")
	if w.n("n") > 0 {
		c.Say = append(c.Say, say(strong(count(w.n("unowned"))+" of "+plural(w.n("n"), "incident", "incidents")), " met a service that nobody owned then. ")...)
		if h := handled(w); h > 0 {
			c.Say = append(c.Say, say("Of ", count(h), " that a person handled, ", strong(count(w.n("owned"))), " were paged to and resolved by the owner", interval(w.n("owned"), h), ".")...)
		}
		c.Quad = quad(w)
	}
	return c
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// interval is a share with its 95 % interval in words, or nothing below ten.
func interval(k, n float64) string {
	p, ok := share(k, n)
	if !ok {
		return ""
	}
	low, high := wilson(k, n)
	return " (" + p + ", 95 % interval " + count(low) + " to " + count(high) + " %)"
}

// nextShift measures the last four weeks against the budget of a shift: what comes next is
// not known, what a shift has been like is.
func (s *Server) nextShift(f *filter, n *names, incidents, hours *result, recent string, lack []bit) card {
	c := card{ID: "next", Title: "Can the next shift cope?", Wide: "w12", Err: s.failed(incidents, hours)}
	if c.Err != "" {
		return c
	}
	open := incidents.sum("open")
	if hours == nil {
		c.N = plural(open, "open incident", "open incidents")
		c.Lead = say(linked(plural(open, "open incident", "open incidents"), f.link("/incidents", "state", "open")), verbN(open, " waits", " wait"), " for the next shift.")
		c.Lead = append(c.Lead, lack...)
		c.Say = append(slices.Clone(c.Lead), say(" What a shift of the last four weeks carried is shown to the leads of its team and to people admins.")...)
		return c
	}
	hrs, by := hours.byKey(), incidents.since(recent)
	units := 0.0
	for _, w := range by {
		units += w.n("incident_load")
	}
	c.sourced(f, incidents, plural(units, "unit of incident load", "units of incident load"), f.link("/incidents", "from", recent, "window", ""))
	t := &table{Caption: "Incident load per 12 hours on call in the last four weeks, by team", Head: heads("team", "against 2 per 12 hours", "#per 12 h", "#incident load", "#primary on-call")}
	over, known := 0, 0
	var without []string
	for _, id := range keys(n.team, teamIDs(n), incidents, hours) {
		h := hrs[id].n("primary")
		if id == "" {
			continue
		}
		if h == 0 {
			without = append(without, n.team(id))
			continue
		}
		known++
		rate := by[id].n("incident_load") / h * shiftHours
		class := "good"
		if rate > shiftBudget {
			over++
			class = "bad"
		}
		t.add(f.teamCell(n, id), cell{Bar: []seg{{class, 0, math.Min(100, 100*rate/(2*shiftBudget))}, {"mark", 49.8, 0.4}}, BarLabel: decimal(rate) + " per 12 hours, budget 2"},
			num(decimal(rate)), counted(by[id].n("incident_load")), num(count(h)+" h"))
	}
	waiting := linked(plural(open, "open incident", "open incidents"), f.link("/incidents", "state", "open"))
	c.Lead = say(waiting, verbN(open, " waits", " wait"), " for the next shift")
	if known == 0 {
		c.Lead = append(append(c.Lead, bit{Text: "."}), lack...)
		c.Empty = say("No shifts are known for the last four weeks, so their load cannot be measured. Send shift.planned or shift.worked events, or connect a tool that has schedules.")
		return c
	}
	c.Lead = append(c.Lead, say("; ", strong(count(float64(over))+" of "+plural(float64(known), "team", "teams")), " went over the budget of a shift in the last four weeks.")...)
	c.Lead = append(c.Lead, lack...)
	c.Say = say(strong(count(float64(over))+" of "+plural(float64(known), "team", "teams")), " had more than ", shiftBudget, " new incidents, grouped, per ", shiftHours,
		" hours of primary on-call in the last four weeks; more is more than a shift can handle well. ", waiting, verbN(open, " is", " are"), " open now.")
	c.Say = append(c.Say, lack...)
	switch {
	case len(without) > 6:
		c.Say = append(c.Say, say(" ", len(without), " teams have no known shift and are left out.")...)
	case len(without) > 0:
		c.Say = append(c.Say, say(" Without a known shift: ", list(without), ".")...)
	}
	c.Body = t
	c.Key = []keyItem{{"good", "within the budget"}, {"bad", "over it"}, {"mark", "the budget; the bar ends at twice of it"}}
	return c
}

func teamIDs(n *names) []string {
	var out []string
	for _, t := range n.dir.Teams {
		out = append(out, t.ID)
	}
	return out
}

func verbN(n float64, one, many string) string {
	if math.Round(n) == 1 {
		return one
	}
	return many
}

// teamsCard is the table of all teams, by name and never ranked.
// Columns on skills and training are there where skills is not nil.
func (s *Server) teamsCard(f *filter, n *names, load, owned, incidents, acks *result, skills *skillAnswers, learning *result) card {
	c := card{ID: "teams", Title: "How is each team?", Wide: "w12", Err: s.failed(load, owned, incidents, acks, learning), Key: hourKey}
	if c.Err != "" {
		return c
	}
	loads, quads, incs, tta := load.perKey(), owned.perKey(), incidents.perKey(), acks.byKey()
	c.Key = hourKeyOf(loads)
	longest := 0.0
	for _, w := range loads {
		longest = math.Max(longest, w.n("interruptions"))
	}
	t := &table{Caption: "Teams by name", Head: heads("team", "interruptions by hour class", "#interruptions", "#asleep", "#owned", "#incidents", "#open", "#time to ack, p50", "#time to ack, p90", "#people", "#services")}
	overdue := map[string]row{}
	if skills != nil {
		t.Head, overdue = append(t.Head, heads("#skills covered, 7 days", "#overdue training")...), learning.byKey()
	}
	for _, id := range keys(n.team, teamIDs(n), load, owned, incidents) {
		w, q, i, a := loads[id], quads[id], incs[id], tta[id]
		own := ownedShare(q)
		if id == "" {
			own = dash()
		}
		t.add(f.teamCell(n, id), stackBar(w, longest), maybe(w, "interruptions", count), maybe(w, "sleep", count), own,
			counted(i.n("incidents")), counted(i.n("open")), seconds(a, "p50"), seconds(a, "p90").with("n "+count(a.n("n"))),
			counted(float64(n.teams[id].Size)), counted(float64(len(n.teams[id].Services))))
		if last := len(t.Rows) - 1; skills != nil {
			t.Rows[last] = append(t.Rows[last], f.coverCell(skills, id), maybe(overdue[id], "overdue", count))
		}
	}
	c.sourced(f, load, plural(load.sum("interruptions"), "interruption", "interruptions")+", "+plural(incidents.sum("incidents"), "incident", "incidents"), f.link("/incidents"))
	c.unbucketed()
	c.Say = say("By name, never ranked. Interruptions go to the team of the person paged, incidents to the team that owned the service; “owned” is paged to and resolved by the owner, in per cent from ten incidents on.")
	if load.Answer != nil && load.Answer.Published {
		c.Say = append(c.Say, say(" Interruptions are of whole months that have ended; sums over fewer than three people are withheld.")...)
	}
	if skills != nil {
		c.Say = append(c.Say, say(" Skills covered: the share of on-call hours of the coming 7 days with somebody current, as a mean over the up to ", coverMost, " skills that the team’s incidents took most.")...)
	}
	if len(t.Rows) == 0 {
		c.Key, c.Say, c.Empty = nil, nil, say("No teams are known yet. Import a catalog (team.described, service.owned, member.joined), and each team has its page.")
		return c
	}
	c.Body = t
	return c
}
