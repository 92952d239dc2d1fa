package dashboards

import (
	"math"

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
	ask := s.asker(c.Request().Context(), f)
	dir := ask.names()
	people := ask.metric("interruptions", "by", "person", "bucket", "month")
	load := ask.metric("interruptions", "by", "team", "bucket", "week")
	owned := ask.metric("ownership_quadrant", "by", "team")
	incidents := ask.metric("incidents", "by", "team", "bucket", "week")
	services := ask.metric("incidents", "by", "service")
	acks := ask.metric("time_to_ack", "by", "team")
	recent := f.lastWeeks(4)
	hours := ask.metric("oncall_hours", "by", "team", "from", recent)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Overview", Nav: "Overview", Filter: s.form(f, n.dir, "lens", "hours", "profile")}
	p.Sub = say(plural(float64(len(n.dir.Teams)), "team", "teams"), " · ", plural(float64(len(n.dir.Services)), "service", "services"),
		" · ", plural(float64(len(n.dir.People)), "person", "people"))
	if len(n.dir.Teams) == 0 && len(n.dir.Services) == 0 && len(incidents.rows()) == 0 && s.failed(incidents) == "" {
		p.Answer = say(strong("Nothing has arrived yet."), " Point a PagerDuty webhook at ", strong("/ingest/pagerduty"),
			", post CloudEvents to ", strong("/ingest/cloudevents"), ", or load a file with ", strong("steward import"), "; ", strong("steward serve --demo"), " shows an invented organisation.")
		return s.render(c, p)
	}
	p.Cards = []card{
		s.wornDown(f, people, load),
		s.unownedCard(f, n, owned, services),
		s.nextShift(f, n, incidents, hours, recent),
		s.teamsCard(f, n, load, owned, incidents, acks),
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

func (s *Server) wornDown(f *filter, people, weeks *result) card {
	c := card{ID: "worn", Title: "Is anyone being worn down?", Wide: "w8", Err: s.failed(people, weeks), Key: hourKey}
	if c.Err != "" {
		return c
	}
	w := people.total()
	persons := float64(len(keys(as, nil, people)))
	c.sourced(f, weeks, plural(w.n("interruptions"), "interruption", "interruptions")+", "+plural(persons, "person", "people"), f.link("/incidents"))
	c.csvWithout("by")
	if w.n("interruptions") == 0 {
		c.Lead = say("Nobody was interrupted in ", f.since(), ".")
		c.Say = c.Lead
		return c
	}
	worn := map[string]bool{}
	for _, m := range people.rows() {
		if m.n("sleep")+m.n("off") > badMonth {
			worn[m.key()] = true
		}
	}
	c.Lead = say("In ", f.since(), ", ", strong(count(float64(len(worn)))+" of "+plural(persons, "person", "people")), " who were interrupted had a month that wears down.")
	c.Say = say(strong(plural(w.n("interruptions"), "interruption", "interruptions")), ", ", strong(count(w.n("sleep"))+" of them asleep"), ", on ", plural(w.n("nights"), "night", "nights"),
		". A month wears down with more than 7 outside working hours; 2 is good, 19 is burnout.")
	c.Chart, c.Fold = f.weekly("worn", weeks)
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
	return " (95 % interval " + count(low) + " to " + count(high) + " %; " + p + ")"
}

// nextShift measures the last four weeks against the budget of a shift: what comes next is
// not known, what a shift has been like is.
func (s *Server) nextShift(f *filter, n *names, incidents, hours *result, recent string) card {
	c := card{ID: "next", Title: "Can the next shift cope?", Wide: "w12", Err: s.failed(incidents, hours)}
	if c.Err != "" {
		return c
	}
	open := incidents.sum("open")
	hrs, by := hours.byKey(), incidents.since(recent)
	units := 0.0
	for _, w := range by {
		units += w.n("incident_load")
	}
	c.sourced(f, incidents, plural(units, "unit of incident load", "units of incident load"), f.link("/incidents", "from", recent, "window", ""))
	t := &table{Caption: "Incident load per 12 hours on call in the last four weeks, by team", Head: heads("team", "against 2 per 12 hours", "#per 12 h", "#incident load", "#primary on-call")}
	over, known := 0, 0
	for _, id := range keys(n.team, nil, incidents, hours) {
		h := hrs[id].n("primary")
		if id == "" || h == 0 {
			continue
		}
		known++
		rate := by[id].n("incident_load") / h * shiftHours
		class := "business"
		if rate > shiftBudget {
			over++
			class = "off"
		}
		t.add(f.teamCell(n, id), cell{Bar: []seg{{class, 0, math.Min(100, 100*rate/(2*shiftBudget))}}, BarLabel: decimal(rate) + " per 12 hours, budget 2"},
			num(decimal(rate)), counted(by[id].n("incident_load")), num(count(h)+" h"))
	}
	c.Lead = say(strong(plural(open, "open incident", "open incidents")), verbN(open, " waits", " wait"), " for the next shift")
	if known == 0 {
		c.Lead = append(c.Lead, bit{Text: "."})
		c.Empty = say("No shifts are known for the last four weeks, so their load cannot be measured. Send shift.planned or shift.worked events, or connect a tool that has schedules.")
		return c
	}
	c.Lead = append(c.Lead, say("; ", strong(count(float64(over))+" of "+plural(float64(known), "team", "teams")), verb(over, " has", " have"), " been over the budget of a shift.")...)
	c.Say = say("What a shift has been like in the last four weeks: new incidents, grouped, per 12 hours of primary on-call. More than 2 is more than a shift can handle well. ",
		plural(open, "incident", "incidents"), verbN(open, " is", " are"), " open.")
	c.Body = t
	c.Key = []keyItem{{"business", "within the budget"}, {"off", "over it (the bar ends at twice the budget)"}}
	return c
}

func verbN(n float64, one, many string) string {
	if math.Round(n) == 1 {
		return one
	}
	return many
}

// teamsCard is the table of all teams, by name and never ranked.
func (s *Server) teamsCard(f *filter, n *names, load, owned, incidents, acks *result) card {
	c := card{ID: "teams", Title: "How is each team?", Wide: "w12", Err: s.failed(load, owned, incidents, acks), Key: hourKey}
	if c.Err != "" {
		return c
	}
	var ids []string
	for _, t := range n.dir.Teams {
		ids = append(ids, t.ID)
	}
	loads, quads, incs, tta := load.perKey(), owned.perKey(), incidents.perKey(), acks.byKey()
	longest := 0.0
	for _, w := range loads {
		longest = math.Max(longest, w.n("interruptions"))
	}
	t := &table{Caption: "Teams by name", Head: heads("team", "interruptions by hour class", "#interruptions", "#asleep", "#owned", "#incidents", "#open", "#time to ack, p50", "#p90", "#people", "#services")}
	for _, id := range keys(n.team, ids, load, owned, incidents) {
		w, q, i, a := loads[id], quads[id], incs[id], tta[id]
		own := ownedShare(q)
		if id == "" {
			own = dash()
		}
		t.add(f.teamCell(n, id), stackBar(w, longest), counted(w.n("interruptions")), counted(w.n("sleep")), own,
			counted(i.n("incidents")), counted(i.n("open")), seconds(a, "p50"), seconds(a, "p90").with("n "+count(a.n("n"))),
			counted(float64(len(n.teams[id].Members))), counted(float64(len(n.teams[id].Services))))
	}
	c.sourced(f, load, plural(load.sum("interruptions"), "interruption", "interruptions")+", "+plural(incidents.sum("incidents"), "incident", "incidents"), f.link("/incidents"))
	c.unbucketed()
	c.Say = say("By name, never ranked. Interruptions go to the team of the person paged, incidents to the team that owned the service; “owned” is paged to and resolved by the owner, in per cent from ten incidents on.")
	if len(t.Rows) == 0 {
		c.Empty = say("No teams are known yet. Import a catalog (team.described, service.owned, member.joined), and each team has its page.")
		return c
	}
	c.Body = t
	return c
}
