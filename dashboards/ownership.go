package dashboards

import (
	"github.com/labstack/echo/v4"
)

// ownership answers: where do paging, ownership and fixing disagree?
func (s *Server) ownership(c echo.Context) error {
	f := s.filter(c)
	team := f.get("team")
	ask := s.asker(c, f)
	dir := ask.names()
	teams := ask.metric("ownership_quadrant", "team", team, "by", "team", "bucket", "week")
	services := ask.metric("ownership_quadrant", "team", team, "by", "service")
	hops := ask.metric("hops", "team", team, "by", "team")
	lenses := map[string]*result{}
	for _, l := range lensChoices[1:] {
		if l[0] == "responder_team" && !ask.who.SeesLoad() {
			continue // what a team's people resolved is theirs
		}
		lenses[l[0]] = ask.metric("incidents", "by", "team", "lens", l[0])
	}
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Ownership", Nav: "Ownership", Filter: s.form(f, n.dir, "team", "owner lens")}
	if team != "" {
		p.Sub = say("only ", linked(n.team(team), f.link(at("teams", team))))
	}
	if s.failed(teams, hops) == "" {
		p.Answer = ownershipAnswer(f, teams.total(), hops.total())
	}
	events := f.link("/incidents", "team", team)
	quad := s.quadCard(f, "quad", "Was the owner paged, and did the owner fix it?", "w5", teams, events)
	if teams.total().n("n") == 0 && quad.Err == "" { // nothing to judge; seven cards would say so seven times
		p.Cards = []card{quad}
		if len(n.dir.Services) > 0 {
			p.Cards = append(p.Cards, s.unownedTable(f, n, services, events))
		}
		return s.render(c, p)
	}
	p.Cards = []card{
		quad,
		s.ownedWeeks(f, teams, events),
		s.quadTable(f, n, teams, events),
		s.hopsTable(f, n, hops, events),
		s.lensTable(f, n, lenses),
		s.unownedTable(f, n, services, events),
		s.disagree(f, n, services, events),
	}
	return s.render(c, p)
}

func ownershipAnswer(f *filter, q, h row) []bit {
	if q.n("n") == 0 {
		return say("No incidents in ", f.since(), ", so ownership cannot be judged. It needs incidents, pages to people, service.owned and member.joined events.")
	}
	out := say("In ", f.since(), ", ", strong(count(q.n("owned"))+" of "+count(handled(q))), " incidents that a person handled were paged to and resolved by the owner", interval(q.n("owned"), handled(q)), "; ",
		strong(count(q.n("escalated_away"))), " left it for another team, ", strong(count(q.n("misrouted"))), " first woke the wrong team, ", strong(count(q.n("owned_on_paper"))), " never met the owner. ")
	if q.n("unowned") > 0 {
		out = append(out, say(strong(count(q.n("unowned"))), " had no owner at all. ")...)
	}
	if h.n("n") > 0 {
		out = append(out, say("An incident changed teams ", decimal2(h.n("hops")/h.n("n")), " times on average; ", strong(count(h.n("ping_pong"))), " went back to a team that already had it.")...)
	}
	return out
}

func (s *Server) ownedWeeks(f *filter, week *result, events string) card {
	c := card{ID: "weeks", Title: "Is it getting better?", Wide: "w7", Err: s.failed(week)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, week, plural(week.sum("n"), "incident", "incidents"), events)
	if len(week.rows()) == 0 {
		c.Empty = say("No incidents in this window.")
		return c
	}
	byWeek := week.perBucket()
	weeks := f.weeks()
	parts := []series{{"owned", "--owned", nil}, {"escalated away", "--away", nil}, {"misrouted", "--misrouted", nil}, {"owned on paper", "--paper", nil}, {"unowned", "--none", nil}}
	columns := []string{"owned", "escalated_away", "misrouted", "owned_on_paper", "unowned"}
	t := &table{Caption: "Handled and unowned incidents by week", Head: heads("week from", "#owned", "#escalated away", "#misrouted", "#owned on paper", "#unowned", "#untouched")}
	var labels []string
	for _, k := range weeks {
		w := byWeek[k]
		labels = append(labels, shortDate(k))
		cells := []cell{f.weekCell(k)}
		for i, col := range columns {
			parts[i].values = append(parts[i].values, w.n(col))
			cells = append(cells, counted(w.n(col)))
		}
		t.add(append(cells, counted(w.n("untouched")))...)
	}
	half := len(weeks) / 2
	sums := [2][2]float64{}
	for i, k := range weeks {
		j := 0
		if i >= half {
			j = 1
		}
		sums[j][0] += byWeek[k].n("owned")
		sums[j][1] += handled(byWeek[k])
	}
	c.Say = trend(sums)
	c.Key = f.weekKey([]keyItem{{"owned", "owned"}, {"away", "escalated away"}, {"misrouted", "misrouted"}, {"paper", "owned on paper"}, {"none", "unowned"}})
	c.Chart, c.Fold = stacked("weeks", "Incidents by week, stacked by quadrant; the table has the same numbers", labels, f.cutWeeks(weeks), parts...), t
	return c
}

// trend compares the two halves of a window by the intervals of their shares: where these
// overlap, nothing has been shown.
func trend(sums [2][2]float64) []bit {
	if sums[0][1] < 10 || sums[1][1] < 10 {
		return say("Too few handled incidents to compare the first half of the window with the second (", count(sums[0][1]), " and ", count(sums[1][1]), ").")
	}
	a1, a2 := wilson(sums[0][0], sums[0][1])
	b1, b2 := wilson(sums[1][0], sums[1][1])
	verdict := "No change is shown"
	if b1 > a2 {
		verdict = "Better"
	} else if b2 < a1 {
		verdict = "Worse"
	}
	return say(strong(verdict), ": in the first half of the window ", count(a1), " to ", count(a2), " % of what a person handled was owned (95 % interval, n = ", count(sums[0][1]), "), in the second ",
		count(b1), " to ", count(b2), " % (n = ", count(sums[1][1]), ").")
}

// quadTable is the quadrant of each team.
func (s *Server) quadTable(f *filter, n *names, r *result, events string) card {
	c := card{ID: "by-team", Title: "In which teams do they disagree?", Wide: "w12", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, r, plural(r.sum("n"), "incident", "incidents"), events)
	c.unbucketed()
	t := &table{Caption: "Ownership quadrant by team", Head: heads("team", "quadrant", "#owned share", "#owned", "#escalated away", "#misrouted", "#owned on paper", "#unowned", "#untouched", "#n")}
	rows := r.perKey()
	for _, id := range keys(n.team, nil, r) {
		w := rows[id]
		name := f.teamCell(n, id)
		if id == "" {
			name = txt("nobody owned it")
		}
		t.add(name, quadBar(w), ownedShare(w), counted(w.n("owned")), counted(w.n("escalated_away")), counted(w.n("misrouted")), counted(w.n("owned_on_paper")), counted(w.n("unowned")), counted(w.n("untouched")), counted(w.n("n")))
	}
	c.Key = []keyItem{{"owned", "owned"}, {"away", "escalated away"}, {"misrouted", "misrouted"}, {"paper", "owned on paper"}}
	c.Say = say("The team is ", lensText(r), ". By name, never ranked; per cent from ten handled incidents on.")
	if len(t.Rows) == 0 {
		c.Key, c.Empty = nil, say("No incidents in this window.")
		return c
	}
	c.Body = t
	return c
}

func lensText(r *result) string {
	switch r.Params.Get("lens") {
	case "owner_now":
		return "the one that owns the service now"
	case "responder_team":
		return "the one that resolved it"
	}
	return "the one that owned the service when it paged"
}

// quadBar is the quadrant as one bar of full length.
func quadBar(w row) cell {
	c := cell{Bar: []seg{}, BarLabel: count(w.n("owned")) + " of " + count(handled(w)) + " owned"}
	x, h := 0.0, handled(w)
	for _, q := range [][2]string{{"owned", "owned"}, {"escalated_away", "away"}, {"misrouted", "misrouted"}, {"owned_on_paper", "paper"}} {
		if v := w.n(q[0]); v > 0 {
			c.Bar = append(c.Bar, seg{q[1], x, 100 * v / h})
			x += 100 * v / h
		}
	}
	return c
}

func (s *Server) hopsTable(f *filter, n *names, r *result, events string) card {
	c := card{ID: "hops", Title: "How far does an incident travel before its owner acts?", Wide: "w12", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, r, plural(r.sum("n"), "incident", "incidents"), events)
	t := &table{Caption: "Hops between teams and time until the owner acts, by team", Head: heads("team", "#hops, mean", "#hops, p90", "#ping-pong", "#owner acted", "#time to owner, p50", "#time to owner, p90", "#n")}
	rows := r.byKey()
	for _, id := range keys(n.team, nil, r) {
		w := rows[id]
		name := f.teamCell(n, id)
		if id == "" {
			name = txt("nobody owned it")
		}
		part, ok := share(w.n("owner_acted"), w.n("n"))
		if !ok {
			part = "–"
		}
		acted := num(part).with("of " + count(w.n("n")))
		if id == "" { // who was not there could not act
			acted = dash()
		}
		t.add(name, num(decimal2(w.n("hops_mean"))), counted(w.n("hops_p90")), counted(w.n("ping_pong")), acted, seconds(w, "to_owner_p50"), seconds(w, "to_owner_p90"), counted(w.n("n")))
	}
	c.Say = say("A hop is a change of team; ping-pong is a return to a team that already had the incident.")
	if len(t.Rows) == 0 {
		c.Say, c.Empty = nil, say("No incidents in this window.")
		return c
	}
	c.Body = t
	return c
}

// lensTable puts the three readings of "team" side by side.
func (s *Server) lensTable(f *filter, n *names, by map[string]*result) card {
	then, now, resp := by["owner_then"], by["owner_now"], by["responder_team"]
	c := card{ID: "lens", Title: "Owner then, owner now, or who did the work?", Wide: "w5 rows2", Err: s.failed(then, now, resp)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, then, plural(then.sum("incidents"), "incident", "incidents"), f.link("/incidents"))
	t := &table{Caption: "Incidents by team, under each lens", Head: heads("team", "#owner then", "#owner now")}
	if resp != nil {
		t.Head = append(t.Head, head{"resolved", true})
	}
	a, b, d := then.byKey(), now.byKey(), resp.byKey()
	for _, id := range keys(n.team, nil, then, now, resp) {
		cells := []cell{f.teamCell(n, id), counted(a[id].n("incidents")), counted(b[id].n("incidents"))}
		if resp != nil {
			cells = append(cells, counted(d[id].n("incidents")))
		}
		t.add(cells...)
	}
	c.Say = say("The same incidents counted anew under each; where a row differs, ownership moved or others do the work. See this page by ",
		linked("owner at the time", f.link("/ownership", "team", f.get("team"), "lens", "owner_then")), " or ", linked("owner now", f.link("/ownership", "team", f.get("team"), "lens", "owner_now")))
	if resp != nil {
		c.Say = append(c.Say, say(" or ", linked("the resolver’s team", f.link("/ownership", "team", f.get("team"), "lens", "responder_team")))...)
	}
	c.Say = append(c.Say, bit{Text: "."})
	if len(t.Rows) == 0 {
		c.Empty = say("No incidents in this window.")
		return c
	}
	c.Body = t
	return c
}

func (s *Server) unownedTable(f *filter, n *names, services *result, events string) card {
	c := card{ID: "unowned", Title: "What is unowned?", Wide: "w7", Err: s.failed(services)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, services, plural(float64(len(n.dir.Services)), "service", "services"), events)
	t := &table{Caption: "Services without an owner now, or whose incidents met none", Head: heads("service", "owner now", "#incidents", "#with no owner then", "#tier")}
	rows := services.byKey()
	var others []string
	for _, sv := range n.dir.Services {
		if sv.Owner == "" {
			others = append(others, sv.ID)
		}
	}
	orphans := len(others)
	for _, id := range keys(n.service, others, services) {
		w, sv := rows[id], n.services[id]
		if id == "" || (sv.Owner != "" && w.n("unowned") == 0) {
			continue
		}
		owner, tier := txt("nobody"), dash()
		if sv.Owner != "" {
			owner = f.teamCell(n, sv.Owner)
		}
		if sv.Tier > 0 {
			tier = counted(float64(sv.Tier))
		}
		t.add(f.serviceCell(n, id), owner, counted(w.n("n")), counted(w.n("unowned")), tier)
	}
	c.Say = say(strong(plural(float64(orphans), "service", "services")), verbN(float64(orphans), " has", " have"), " no owner now.")
	if len(t.Rows) == 0 {
		c.Empty = say("Every service has an owner, and had one at every incident of the window.")
		return c
	}
	c.Body = t
	return c
}

// disagree lists services whose owner is not who is paged or who fixes.
func (s *Server) disagree(f *filter, n *names, services *result, events string) card {
	c := card{ID: "disagree", Title: "Which services go past their owner?", Wide: "w7", Err: s.failed(services)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, services, plural(services.sum("n"), "incident", "incidents"), events)
	t := &table{Caption: "Services of which at least a third of the handled incidents went past the owner", Head: heads("service", "owner now", "quadrant", "#owned share", "#escalated away", "#misrouted", "#owned on paper")}
	rows := services.byKey()
	for _, id := range keys(n.service, nil, services) {
		w := rows[id]
		if h := handled(w); id == "" || h < paperAt || 3*w.n("owned") > 2*h {
			continue
		}
		t.add(f.serviceCell(n, id), f.teamCell(n, n.services[id].Owner), quadBar(w), ownedShare(w), counted(w.n("escalated_away")), counted(w.n("misrouted")), counted(w.n("owned_on_paper")))
	}
	c.Say = say("At least ten handled incidents, of which a third or more were not paged to and resolved by the owner. Escalated away asks for skills, access or docs; misrouted for routing; owned on paper for a transfer.")
	c.Key = []keyItem{{"owned", "owned"}, {"away", "escalated away"}, {"misrouted", "misrouted"}, {"paper", "owned on paper"}}
	if len(t.Rows) == 0 {
		c.Key, c.Empty = nil, say("None in this window.")
		return c
	}
	c.Body = t
	return c
}
