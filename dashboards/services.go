package dashboards

import (
	"context"
	"math"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// services lists what there is, by name.
func (s *Server) services(c echo.Context) error {
	f := s.filter(c)
	team := f.get("team")
	ask := s.asker(c, f)
	dir := ask.names()
	quads := ask.metric("ownership_quadrant", "by", "service", "team", team)
	incs := ask.metric("incidents", "by", "service", "team", team)
	acks := ask.metric("time_to_ack", "by", "service", "team", team)
	var loads *result // whom a service wakes can be of any team
	if ask.who.SeesLoad() || team != "" && ask.who.SeesLoad(team) {
		loads = ask.metric("interruptions", "by", "service", "team", team)
	}
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Services", Nav: "Services", Filter: s.form(f, n.dir, "team", "lens", "hours", "profile")}
	cd := card{ID: "services", Title: "Who owns what, and how does it do?", Wide: "w12", Err: s.failed(quads, incs, acks, loads), Key: hourKey}
	if cd.Err != "" {
		p.Cards = []card{cd}
		return s.render(c, p)
	}
	q, i, a, l := quads.byKey(), incs.byKey(), acks.byKey(), loads.byKey()
	longest, orphans := 0.0, 0
	for _, w := range l {
		longest = math.Max(longest, w.n("interruptions"))
	}
	var ids []string
	for _, sv := range n.dir.Services {
		if team == "" || sv.Owner == team {
			ids = append(ids, sv.ID)
		}
		if sv.Owner == "" {
			orphans++
		}
	}
	t := &table{Caption: "Services by name", Head: heads("service", "owner now", "#incidents", "#open", "#owned", "#time to ack, p50", "#tier")}
	if loads != nil {
		t.Head = append(t.Head, heads("interruptions by hour class", "#interruptions")...)
	}
	for _, id := range keys(n.service, ids, quads, incs) {
		if id == "" {
			continue
		}
		sv := n.services[id]
		owner, tier := txt("nobody"), dash()
		if sv.Owner != "" {
			owner = f.teamCell(n, sv.Owner)
		}
		if sv.Tier > 0 {
			tier = counted(float64(sv.Tier))
		}
		t.add(f.serviceCell(n, id), owner, counted(i[id].n("incidents")), counted(i[id].n("open")), ownedShare(q[id]), seconds(a[id], "p50"), tier)
		if loads != nil {
			last := len(t.Rows) - 1
			t.Rows[last] = append(t.Rows[last], stackBar(l[id], longest), counted(l[id].n("interruptions")))
		}
	}
	p.Answer = say(strong("No service is known yet."))
	if len(t.Rows) > 0 {
		p.Answer = say(strong(plural(float64(len(n.dir.Services)), "service", "services")), ", of which ", strong(count(float64(orphans))), verb(orphans, " has", " have"), " no owner now; in ", f.since(), " they had ", strong(plural(incs.sum("incidents"), "incident", "incidents")), ".")
	}
	cd.sourced(f, incs, plural(incs.sum("incidents"), "incident", "incidents"), f.link("/incidents", "team", team))
	if len(t.Rows) == 0 {
		cd.Key, cd.Empty = nil, say("No services are known yet. Send service.described and service.owned events, or let incidents arrive.")
	} else {
		cd.Body = t
		cd.Say = say("By name, never ranked. “Owned” is paged to and resolved by the owner, in per cent from ten handled incidents on.")
		if loads != nil {
			cd.Say = append(cd.Say, say(" Interruptions are of anybody whom the service’s incidents woke.")...)
		} else {
			cd.Key = nil
		}
	}
	p.Cards = []card{cd}
	return s.render(c, p)
}

// service answers: who owned this when, and do they really?
func (s *Server) service(c echo.Context) error {
	id := param(c, "service")
	f := s.filter(c)
	if err := s.expect(c, f, "service", id); err != nil {
		return err
	}
	ask := s.asker(c, f)
	dir := ask.names()
	quads := ask.metric("ownership_quadrant", "service", id)
	hops := ask.metric("hops", "service", id)
	week := ask.metric("incidents", "service", id, "bucket", "week")
	acks := ask.metric("time_to_ack", "service", id)
	resolves := ask.metric("time_to_resolve", "service", id)
	var loads *result
	if ask.who.SeesLoad() {
		loads = ask.metric("interruptions", "service", id, "bucket", "week")
	}
	classes := ask.metric("incidents", "service", id, "by", "alert_class")
	var rows []analytics.IncidentRow
	ask.incidents(&rows, listed, "", id, "")
	var history []analytics.OwnershipSpan
	ask.do(func(ctx context.Context) (err error) { history, err = s.reading(c).OwnershipHistory(ctx, id); return })
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	sv := n.services[id]
	p := &page{Title: n.service(id), Nav: "Services", Filter: s.form(f, n.dir, "hours", "profile")}
	p.Sub = s.serviceSub(f, n, sv)
	if s.failed(quads, hops, week, acks) == "" {
		p.Answer = serviceAnswer(f, n, sv, quads.one(), hops.one(), week.total(), history)
	}
	events := f.link("/incidents", "service", id)
	if s.failed(week, loads) == "" && len(week.rows()) == 0 && len(loads.rows()) == 0 {
		p.Cards = []card{s.ownershipCard(f, n, history), s.quadCard(f, "quad", "Does the owner really own it?", "w5", quads, events)}
		return s.render(c, p)
	}
	p.Cards = []card{
		s.ownershipCard(f, n, history),
		s.quadCard(f, "quad", "Does the owner really own it?", "w5", quads, events),
		s.serviceWeeks(f, loads, week, events),
		s.serviceTimes(f, hops, acks, resolves, events),
		s.serviceClasses(f, classes, id, events),
		s.incidentCard(f, n, "latest", "What happened lately?", rows, "", id),
	}
	return s.render(c, p)
}

func (s *Server) serviceSub(f *filter, n *names, sv analytics.Service) []bit {
	out := say("no owner now")
	if sv.Owner != "" {
		out = say("owned by ", linked(n.team(sv.Owner), f.link(at("teams", sv.Owner))))
	}
	if sv.Tier > 0 {
		out = append(out, say(" · tier ", sv.Tier)...)
	}
	if sv.Lifecycle != "" {
		out = append(out, say(" · "+sv.Lifecycle)...)
	}
	if sv.RunbookURL != "" {
		b := bit{Text: "runbook", Href: safeLink(sv.RunbookURL)}
		if b.Href == "" {
			b.Text = "runbook: " + sv.RunbookURL
		}
		out = append(out, say(" · ", b)...)
	}
	if sv.Description != "" {
		out = append(out, say(" · "+sv.Description)...)
	}
	return out
}

func serviceAnswer(f *filter, n *names, sv analytics.Service, q, h, i row, history []analytics.OwnershipSpan) []bit {
	var out []bit
	switch last := len(history) - 1; {
	case last >= 0 && history[last].Team != "":
		out = say(strong(n.team(history[last].Team)), " has owned it since ", history[last].From.In(f.zone).Format("2 Jan 2006"))
	case last >= 0:
		out = say(strong("Nobody"), " has owned it since ", history[last].From.In(f.zone).Format("2 Jan 2006"))
	default:
		out = say(strong("No owner"), " was ever written down")
	}
	if i.n("incidents") == 0 {
		return append(out, say("; it had no incidents in ", f.since(), ".")...)
	}
	out = append(out, say(". In ", f.since(), ", it had ", strong(plural(i.n("incidents"), "incident", "incidents")), ", ", count(i.n("auto_resolved")), " of which resolved themselves and ", count(i.n("open")), " are open. ")...)
	if hd := handled(q); hd > 0 {
		out = append(out, say("Of ", count(hd), " that a person handled, ", strong(count(q.n("owned"))), " were paged to and resolved by the owner", interval(q.n("owned"), hd), ". ")...)
	}
	if h.has("to_owner_p50") {
		out = append(out, say("Somebody of the owning team acted within ", strong(duration(h.n("to_owner_p50"))), " in half of them.")...)
	}
	return out
}

func (s *Server) ownershipCard(f *filter, n *names, history []analytics.OwnershipSpan) card {
	c := card{ID: "owners", Title: "Who owned it when?", Wide: "w7", N: plural(float64(len(history)), "stretch of ownership", "stretches of ownership")}
	if len(history) == 0 {
		c.Empty = say("No owner was ever written down. Send a service.owned event, or import a catalog.")
		return c
	}
	t := &table{Caption: "Owners over time", Head: heads("team", "when", "from", "to", "#days")}
	start, end := history[0].From, f.now
	if !end.After(start) {
		end = start.Add(24 * time.Hour)
	}
	x := func(at time.Time) float64 {
		return math.Max(0, math.Min(100, 100*at.Sub(start).Seconds()/end.Sub(start).Seconds()))
	}
	for _, h := range history {
		if h.From.After(end) {
			continue
		}
		to, until := h.To, f.moment(h.To)
		if to.IsZero() || to.After(end) {
			to, until = end, txt("now")
		}
		class, name := "owned", f.teamCell(n, h.Team)
		if h.Team == "" {
			class, name = "none", txt("nobody")
		}
		line := cell{Bar: []seg{{class, math.Min(99, x(h.From)), math.Max(1, x(to)-x(h.From))}}, BarLabel: "from " + f.stamp(h.From) + " to " + until.Text}
		t.add(name, line, f.moment(h.From), until, counted(math.Ceil(to.Sub(h.From).Hours()/24)))
	}
	c.Body = t
	c.Key = []keyItem{{"owned", "owned"}, {"none", "nobody"}}
	c.Say = say("From the first owner that was written down until ", f.stamp(end), ", oldest first.")
	return c
}

func (s *Server) serviceWeeks(f *filter, loads, week *result, events string) card {
	c := card{ID: "weeks", Title: "How often does it interrupt, and when?", Wide: "w7", Err: s.failed(loads, week)}
	if c.Err != "" {
		return c
	}
	if loads == nil {
		c.Title = "How often does something happen?"
		c.sourced(f, week, plural(week.sum("incidents"), "incident", "incidents"), events)
		c.Say = say(strong(plural(week.sum("incidents"), "incident", "incidents")), " in ", f.since(), ".")
		c.Key = f.weekKey(nil)
		c.Chart, c.Fold = f.perWeek("weeks", "incidents", "incidents", week)
		return c
	}
	total := loads.sum("interruptions")
	c.sourced(f, loads, plural(total, "interruption", "interruptions")+" in "+plural(week.sum("incidents"), "incident", "incidents"), events)
	if total == 0 {
		if week.sum("incidents") == 0 {
			c.Empty = say("Nothing in this window.")
			return c
		}
		c.Say = say("Nobody was interrupted; these are its incidents.")
		c.sourced(f, week, plural(week.sum("incidents"), "incident", "incidents"), events)
		c.Key = f.weekKey(nil)
		c.Chart, c.Fold = f.perWeek("weeks", "incidents", "incidents", week)
		return c
	}
	c.Key = f.weekKey(hourKey)
	c.Say = say(strong(plural(total, "interruption", "interruptions")), ", ", count(loads.sum("sleep")), " of them asleep, from ", plural(week.sum("incidents"), "incident", "incidents"), ".")
	c.Chart, c.Fold = f.weekly("weeks", loads)
	return c
}

func (s *Server) serviceTimes(f *filter, hops, acks, resolves *result, events string) card {
	c := card{ID: "times", Title: "How fast, and how far?", Wide: "w5", Err: s.failed(hops, acks, resolves)}
	if c.Err != "" {
		return c
	}
	h, a, r := hops.one(), acks.one(), resolves.one()
	c.sourced(f, acks, plural(h.n("n"), "incident", "incidents"), events)
	if h.n("n") == 0 {
		c.Empty = say("No incidents in this window.")
		return c
	}
	t := &table{Caption: "Times and hops", Head: heads("what", "#p50", "#p90", "#n")}
	t.add(txt("time to acknowledge").with(count(a.n("not_acked"))+" never were"), seconds(a, "p50"), seconds(a, "p90"), counted(a.n("n")))
	t.add(txt("time to resolve").with(count(r.n("unresolved"))+" are open"), seconds(r, "p50"), seconds(r, "p90"), counted(r.n("n")))
	t.add(txt("time until the owner acts"), seconds(h, "to_owner_p50"), seconds(h, "to_owner_p90"), counted(h.n("owner_acted")))
	t.add(txt("changes of team").with("mean "+decimal2(h.n("hops_mean"))+", "+count(h.n("ping_pong"))+" ping-pong"), dash(), counted(h.n("hops_p90")), counted(h.n("n")))
	c.Body = t
	c.Say = say("Times are of incidents that a person handled; those that resolved themselves are left out.")
	return c
}

func (s *Server) serviceClasses(f *filter, r *result, id, events string) card {
	c := card{ID: "classes", Title: "Which alerts?", Wide: "w12", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, r, plural(r.sum("incidents"), "incident", "incidents"), events)
	t := &table{Caption: "Incidents by alert class", Head: heads("alert class", "#incidents", "#incident load", "#resolved themselves", "#reopened", "#open")}
	rows := r.byKey()
	for _, k := range keys(as, nil, r) {
		w := rows[k]
		name := ref(k, f.link("/incidents", "service", id, "alert_class", k))
		if k == "" {
			name = txt("none given")
		}
		t.add(name, counted(w.n("incidents")), counted(w.n("incident_load")), counted(w.n("auto_resolved")), counted(w.n("reopened")), counted(w.n("open")))
	}
	if len(t.Rows) == 0 {
		c.Empty = say("No incidents in this window.")
		return c
	}
	c.Body = t
	return c
}
