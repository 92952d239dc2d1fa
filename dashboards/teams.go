package dashboards

import (
	"fmt"
	"math"
	"net/url"
	"sort"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// teams lists who there is, by name.
func (s *Server) teams(c echo.Context) error {
	f := s.filter(c)
	ask := s.asker(c, f)
	dir := ask.names()
	load := ask.metric("interruptions", "by", "team") // in the published form to most
	owned := ask.metric("ownership_quadrant", "by", "team")
	incidents := ask.metric("incidents", "by", "team")
	acks := ask.metric("time_to_ack", "by", "team")
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Teams", Nav: "Teams", Filter: s.form(f, n.dir, "lens", "hours", "profile")}
	p.Answer = say(strong("No team is known yet."))
	if teams := float64(len(n.dir.Teams)); teams > 0 {
		owned := 0
		for _, sv := range n.dir.Services {
			if sv.Owner != "" {
				owned++
			}
		}
		p.Answer = say(strong(plural(teams, "team", "teams")), verbN(teams, " owns ", " own "), strong(count(float64(owned))), " of ", plural(float64(len(n.dir.Services)), "service", "services"), ". Each has a page that says how it is doing.")
	}
	cards := []card{s.teamsCard(f, n, load, owned, incidents, acks, nil, nil)}
	p.Cards = cards
	return s.render(c, p)
}

// teamAnswers are the questions of a team's page.
type teamAnswers struct {
	week, heat, people, hours, byService, byClass *result
	services, hops, incService, autos             *result
	acks, ackService, unanswered                  *result
	more                                          []todo // what other parts of the page found to need attention
	exact                                         bool   // whether the asker sees what single people of the team carry
}

// team answers: how is my team?
func (s *Server) team(c echo.Context) error {
	id := param(c, "team")
	f := s.filter(c)
	if err := s.expect(c, f, "team", id); err != nil {
		return err
	}
	ask := s.asker(c, f)
	dir := ask.names()
	a := teamAnswers{
		exact:      ask.who.SeesLoad(id),
		services:   ask.metric("ownership_quadrant", "team", id, "by", "service"),
		hops:       ask.metric("hops", "team", id, "by", "service"),
		incService: ask.metric("incidents", "team", id, "by", "service"),
		autos:      ask.metric("incidents", "team", id, "by", "alert_class"),
		acks:       ask.metric("time_to_ack", "team", id),
		ackService: ask.metric("time_to_ack", "team", id, "by", "service"),
	}
	switch {
	case a.exact:
		a.week = ask.metric("interruptions", "team", id, "bucket", "week")
		a.heat = ask.metric("interruptions", "team", id, "by", "weekday_hour")
		a.people = ask.metric("interruptions", "team", id, "by", "person")
		a.byService = ask.metric("interruptions", "team", id, "by", "service")
		a.byClass = ask.metric("interruptions", "team", id, "by", "alert_class")
		a.hours = ask.metric("oncall_hours", "team", id, "by", "person")
	default:
		a.week = ask.metric("interruptions", "team", id, "bucket", "month")
	}
	if ask.who.SeesLoad() { // pages on the team's services wake people of other teams too
		a.unanswered = ask.metric("pages", "team", id, "lens", or(ownerLens(f), "owner_then"))
	}
	adv := s.adviseTeam(ask, id)
	walking := s.toWalk(ask, id)
	skills, learning := ask.teamSkills(id)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	t := n.teams[id]
	t.ID = id
	p := &page{Title: n.team(id), Nav: "Teams", Filter: s.form(f, n.dir, "lens", "hours", "profile")}
	s.unsettled(p)
	p.Sub = say(plural(float64(len(t.Services)), "service", "services"), " · ", plural(float64(t.Size), "person", "people"))
	if t.Parent != "" {
		parent := bit{Text: n.team(t.Parent)}
		if _, known := n.teams[t.Parent]; known { // a department may only ever be named
			parent.Href = f.link(at("teams", t.Parent))
		}
		p.Sub = append(p.Sub, say(" · part of ", parent)...)
	}
	if t.Contact != "" {
		p.Sub = append(p.Sub, say(" · contact "+t.Contact)...)
	}
	if s.Learn != nil && who(c).HeadsTeam(id) {
		p.Sub = append(p.Sub, say(" · ", linked("assign training", giveLink("team", id)), " · ", linked("what is due", "/assignments?team="+url.QueryEscape(id)))...)
	}
	p.Answer = s.teamAnswer(f, n, id, a)
	a.more = s.skillTodos(c, f, n, id, skills)
	todos := s.teamTodo(f, n, t, a)
	events := f.link("/incidents", "team", id)
	p.Cards = []card{s.monthsCard(f, "weeks", "How often are we interrupted, and when?", "w8", a.week, events), todos}
	if a.exact {
		p.Cards = []card{s.teamWeeks(f, id, a), todos, s.teamPeople(f, n, t, a), s.teamHeat(f, id, a)}
	} else if who(c).InTeam(id) {
		p.Cards = append(p.Cards, card{ID: "people", Title: "Who carries it?", Wide: "w12",
			Empty: say("What each person carries is shown to that person and to the lead of the team. ", linked("What you carry", f.link("/me")), ".")})
	}
	p.Cards = append(p.Cards,
		s.quadCard(f, "quad", "Do we own what pages us?", "w4", a.services, f.link("/incidents", "team", id)),
		s.teamServices(f, n, t, a),
	)
	p.Cards = append(p.Cards, adv(f)...)
	if skills != nil {
		p.Cards = append(p.Cards, s.missingCard(c, f, n, id, skills), s.learnsCard(c, f, id, learning))
	}
	p.Cards = append(p.Cards, s.walkingCards(f, n, walking)...)
	return s.render(c, p)
}

// ownerLens is the page's lens where it speaks of owners.
func ownerLens(f *filter) string {
	if l := f.get("lens"); l == "owner_now" {
		return l
	}
	return ""
}

func (s *Server) teamAnswer(f *filter, n *names, id string, a teamAnswers) []bit {
	if s.failed(a.people, a.services, a.incService, a.acks) != "" {
		return nil
	}
	if !a.exact {
		return append(teamWords(f, n, id, a), teamSpeed(a)...)
	}
	w, q := a.people.total(), a.services.total()
	if w.n("interruptions") == 0 && a.incService.sum("incidents") == 0 {
		return say("Nobody in ", n.team(id), " was interrupted in ", f.since(), ", and none of its services had an incident.")
	}
	out := say("In ", f.since(), ", nobody in ", n.team(id), " was interrupted")
	if w.n("interruptions") > 0 {
		out = say("In ", f.since(), ", ", n.team(id), " was interrupted ", strong(plural(w.n("interruptions"), "time", "times")+", "+count(w.n("sleep"))+" of them asleep"))
	}
	if k, half := carriers(a.people); half > 0 && k > 1 {
		out = append(out, say("; ", count(float64(half)), " of ", plural(float64(k), "person", "people"), " carried half of it")...)
	}
	out = append(out, bit{Text: ". "})
	if h := handled(q); h > 0 {
		out = append(out, ownedWords(q)...)
	}
	return append(out, teamSpeed(a)...)
}

// teamWords is a team's answer to those who see no single person's load.
func teamWords(f *filter, n *names, id string, a teamAnswers) []bit {
	q := a.services.total()
	out := say("In ", f.since(), ", services of ", n.team(id), " had ", strong(plural(a.incService.sum("incidents"), "incident", "incidents")), ". ")
	if handled(q) > 0 {
		out = append(out, ownedWords(q)...)
	}
	return out
}

func ownedWords(q row) []bit {
	h := handled(q)
	return say("Of ", plural(h, "incident", "incidents"), " on its services that a person handled, ", strong(count(q.n("owned"))), " were paged to and resolved by the owner",
		interval(q.n("owned"), h), ". ")
}

func teamSpeed(a teamAnswers) []bit {
	ack := a.acks.one()
	if !ack.has("p50") {
		return nil
	}
	return say("Half were acknowledged within ", strong(duration(ack.n("p50"))), ", nine in ten within ", duration(ack.n("p90")), " (n = ", count(ack.n("n")), "; ", count(ack.n("not_acked")), " never were).")
}

// carriers says how many people were interrupted, and the fewest who carried half of it.
func carriers(people *result) (all, half int) {
	var v []float64
	sum := 0.0
	for _, w := range people.rows() {
		if w.key() != "" {
			v = append(v, w.n("interruptions"))
			sum += w.n("interruptions")
		}
	}
	sort.Sort(sort.Reverse(sort.Float64Slice(v)))
	got := 0.0
	for i, x := range v {
		if got += x; got*2 >= sum {
			return len(v), i + 1
		}
	}
	return len(v), 0
}

func (s *Server) teamWeeks(f *filter, id string, a teamAnswers) card {
	c := card{ID: "weeks", Title: "How often are we interrupted, and when?", Wide: "w8", Err: s.failed(a.people, a.week)}
	if c.Err != "" {
		return c
	}
	w := a.people.total()
	c.sourced(f, a.week, plural(w.n("interruptions"), "interruption", "interruptions"), f.link("/incidents", "team", id))
	if w.n("interruptions") == 0 {
		c.Empty = say("No interruptions in this window. A longer window shows more, or no page.sent event of these people has arrived.")
		return c
	}
	c.Key = f.weekKey(hourKey)
	weeks := math.Max(1, f.to.Sub(f.from).Hours()/24/7)
	worst := 0.0
	for _, x := range a.week.rows() {
		worst = math.Max(worst, x.n("sleep"))
	}
	c.Say = say(strong(decimal(w.n("interruptions")/weeks)+" a week"), "; asleep ", decimal(w.n("sleep")/weeks), " a week, ", count(worst), " in the worst week; ",
		plural(w.n("nights"), "night", "nights"), " disturbed, ", plural(w.n("groups"), "disturbance", "disturbances"), " in all.")
	c.Chart, c.Fold = f.weekly("weeks", a.week)
	return c
}

func (s *Server) teamHeat(f *filter, id string, a teamAnswers) card {
	c := card{ID: "heat", Title: "At which hours?", Err: s.failed(a.heat)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, a.heat, plural(a.heat.sum("interruptions"), "interruption", "interruptions"), f.link("/incidents", "team", id))
	if len(a.heat.rows()) == 0 {
		c.Empty = say("No interruptions to place.")
		return c
	}
	c.Key = hourKey
	c.Say = f.heatWords(a.heat)
	c.Chart, c.Fold = heat("heat", a.heat)
	return c
}

// heatWords names the weekday and hour with most interruptions, and says what the picture's
// colours and hours are: its hours are the page's, hour classes those of who was paged.
func (f *filter) heatWords(r *result) []bit {
	var best row
	for _, w := range r.rows() {
		if w.n("interruptions") > best.n("interruptions") {
			best = w
		}
	}
	k := best.key()
	if len(k) != 4 || k[0] < '1' || k[0] > '7' {
		return nil
	}
	return say("Most on ", strong(fmt.Sprintf("%s from %s:00", weekdays[k[0]-'1'], k[2:])), ", ", plural(best.n("interruptions"), "time", "times"), ". Hours are those of ", f.zone.String(),
		"; a field is the stronger the more there were, in the colour of the hour class that most of them had where the person paged lives.")
}

func (s *Server) teamPeople(f *filter, n *names, t analytics.Team, a teamAnswers) card {
	c := card{ID: "people", Title: "Who carries it?", Err: s.failed(a.people, a.hours)}
	if c.Err != "" {
		return c
	}
	loads, hours := a.people.byKey(), a.hours.byKey()
	var v, sl []float64
	longest := 0.0
	ids := keys(n.person, t.Members, a.people, a.hours)
	for _, id := range ids {
		if id != "" {
			v, sl = append(v, loads[id].n("interruptions")), append(sl, loads[id].n("sleep"))
			longest = math.Max(longest, loads[id].n("interruptions"))
		}
	}
	c.sourced(f, a.people, plural(a.people.sum("interruptions"), "interruption", "interruptions")+", "+plural(float64(len(v)), "person", "people"), f.link("/incidents", "team", t.ID))
	if len(v) == 0 {
		c.Empty = say("Nobody is known in this team. Send member.joined events, or import the people with their shifts.")
		return c
	}
	c.Say = say("Gini ", strong(fmt.Sprintf("%.2f", gini(v))), " for interruptions, ", fmt.Sprintf("%.2f", gini(sl)), " for those asleep (0 is shared evenly; ", plural(float64(len(v)), "person", "people"), ").")
	c.Say = append(c.Say, say(" By name, never ranked.")...)
	c.Key = hourKey
	c.Body = &table{Caption: "Load per person, by name", Head: heads("person", "by hour class", "#interruptions", "#asleep", "#nights", "#on call")}
	for _, id := range ids {
		if id == "" {
			continue
		}
		w, h := loads[id], hours[id]
		c.Body.add(f.personCell(n, id), stackBar(w, longest), counted(w.n("interruptions")), counted(w.n("sleep")), counted(w.n("nights")), num(count(h.n("total"))+" h"))
	}
	return c
}

// quadCard draws the ownership quadrant of all rows of an answer together.
func (s *Server) quadCard(f *filter, id, title, wide string, r *result, events string) card {
	c := card{ID: id, Title: title, Wide: wide, Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	w := r.total()
	c.sourced(f, r, plural(w.n("n"), "incident", "incidents"), events)
	c.unbucketed()
	if w.n("n") == 0 {
		c.Empty = say("No incidents in this window, so there is nothing to say about ownership.")
		return c
	}
	h := handled(w)
	if h == 0 {
		c.Empty = say("No incident with an owner was handled by a person: ", count(w.n("unowned")), " had no owner, ", count(w.n("untouched")), " no human touched.")
		return c
	}
	c.Say = say(strong(count(w.n("owned"))+" of "+count(h)), " handled incidents were paged to and resolved by the owner", interval(w.n("owned"), h), "; ", count(w.n("escalated_away")),
		" left the owner, ", count(w.n("unowned")), " had none, ", count(w.n("untouched")), " no human touched.")
	c.Quad = quad(w)
	t := &table{Caption: "The ownership quadrant in numbers", Head: heads("field", "#incidents")}
	for _, k := range []string{"owned", "escalated_away", "misrouted", "owned_on_paper", "unowned", "untouched", "n"} {
		t.add(txt(strings.ReplaceAll(k, "_", " ")), counted(w.n(k)))
	}
	c.Fold = t
	return c
}

func (s *Server) teamServices(f *filter, n *names, t analytics.Team, a teamAnswers) card {
	c := card{ID: "services", Title: "Which services, and how do they do?", Wide: "w8", Err: s.failed(a.services, a.incService, a.ackService, a.byService)}
	if c.Err != "" {
		return c
	}
	quads, incs, tta, loads := a.services.byKey(), a.incService.byKey(), a.ackService.byKey(), a.byService.byKey()
	c.sourced(f, a.services, plural(a.services.sum("n"), "incident", "incidents"), f.link("/incidents", "team", t.ID))
	c.Body = &table{Caption: "Services of the team", Head: heads("service", "owner now", "#incidents", "#owned", "#escalated away", "#time to ack, p50", "#tier")}
	if a.exact {
		c.Body.Head = append(c.Body.Head, head{"our interruptions", true})
	}
	for _, id := range keys(n.service, t.Services, a.services, a.incService) {
		if id == "" {
			continue
		}
		q := quads[id]
		owner := txt("nobody")
		switch o := n.services[id].Owner; {
		case o == t.ID:
			owner = txt("this team")
		case o != "":
			owner = f.teamCell(n, o)
		}
		tier := dash()
		if v := n.services[id].Tier; v > 0 {
			tier = counted(float64(v))
		}
		c.Body.add(f.serviceCell(n, id), owner, counted(incs[id].n("incidents")), ownedShare(q), counted(q.n("escalated_away")), seconds(tta[id], "p50"), tier)
		if a.exact {
			last := len(c.Body.Rows) - 1
			c.Body.Rows[last] = append(c.Body.Rows[last], counted(loads[id].n("interruptions")))
		}
	}
	c.Say = say("What this team owned when the incident came, by name.")
	if len(c.Body.Rows) == 0 {
		c.Body, c.Empty = nil, say("This team owns no service. Send service.owned events, or import a catalog.")
	}
	return c
}
