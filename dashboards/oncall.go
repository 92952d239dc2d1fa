package dashboards

import (
	"math"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// listed is how many incidents a page lists before it points to the list of all.
const listed = 40

// oncall answers: what did being on call cost, and whom?
func (s *Server) oncall(c echo.Context) error {
	f := s.filter(c)
	team := f.get("team")
	ask := s.asker(c, f)
	dir := ask.names()
	pages := s.toReview(ask, f, team)
	if !ask.who.SeesLoad(one(team)...) {
		return s.oncallPublished(c, f, ask, dir, team, pages)
	}
	noise := ask.metric("verdicts", "team", team, "by", "alert_class")
	week := ask.metric("interruptions", "team", team, "bucket", "week")
	teams := ask.metric("interruptions", "team", team, "by", "team")
	people := ask.metric("interruptions", "team", team, "by", "person", "bucket", "month")
	hoursTeam := ask.metric("oncall_hours", "team", team, "by", "team")
	hoursPerson := ask.metric("oncall_hours", "team", team, "by", "person")
	hoursClass := ask.metric("oncall_hours", "team", team, "by", "hour_class")
	levels := ask.metric("pages", "team", team, "by", "level")
	warm := ask.metric("interruptions", "team", team, "by", "weekday_hour")
	var rows []analytics.IncidentRow
	ask.incidents(&rows, listed, team, "", "")
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "On call", Nav: "On call", Filter: s.form(f, n.dir, "team", "lens", "hours")}
	if team != "" {
		p.Sub = say("only ", linked(n.team(team), f.link(at("teams", team))))
	}
	p.Answer = s.oncallAnswer(f, people, levels, hoursClass)
	if pages != nil {
		p.Review = s.week(c, f, n, *pages)
	}
	load := s.oncallTeams(f, n, team, teams, hoursTeam)
	if load.Body == nil && load.Err == "" && len(rows) == 0 { // one card that says what to do, not six
		p.Cards = []card{load}
		return s.render(c, p)
	}
	p.Cards = []card{
		s.oncallWeeks(f, team, week),
		s.oncallShape(f, team, levels),
		load,
		s.oncallHeat(f, team, warm),
		s.oncallPeople(f, n, team, people, hoursPerson),
		s.worthCard(f, team, noise),
		s.incidentCard(f, n, "latest", "What were we paged for last?", rows, team, ""),
	}
	return s.render(c, p)
}

// oncallPublished is the page for those who do not see what single people carry.
func (s *Server) oncallPublished(c echo.Context, f *filter, ask *asker, dir **names, team string, pages *[]analytics.PageRow) error {
	months := ask.metric("interruptions", "team", team, "bucket", "month")
	load := ask.metric("interruptions", "team", team, "by", "team")
	hours := ask.metric("oncall_hours", "team", team, "by", "team")
	var rows []analytics.IncidentRow
	ask.incidents(&rows, listed, team, "", "")
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "On call", Nav: "On call", Filter: s.form(f, n.dir, "team")}
	if team != "" {
		p.Sub = say("only ", linked(n.team(team), f.link(at("teams", team))))
	}
	if pages != nil {
		p.Review = s.week(c, f, n, *pages)
	}
	w := months.total()
	if s.failed(months) == "" && len(months.rows()) > 0 {
		p.Answer = say("In ", plural(float64(len(months.perBucket())), "whole month", "whole months"), " people were interrupted ", strong(plural(w.n("interruptions"), "time", "times")), ".")
		if w.has("sleep") {
			p.Answer = append(p.Answer[:len(p.Answer)-1], say(", ", strong(count(w.n("sleep"))+" of them asleep"), ".")...)
		}
	}
	events := f.link("/incidents", "team", team)
	p.Cards = []card{
		s.monthsCard(f, "weeks", "How often, month by month?", "w12", months, events),
		s.teamMonths(f, n, load, hours, events),
		s.incidentCard(f, n, "latest", "What were we paged for last?", rows, team, ""),
	}
	return s.render(c, p)
}

func (s *Server) oncallAnswer(f *filter, people, pages, classes *result) []bit {
	if s.failed(people, pages, classes) != "" {
		return nil
	}
	w, pg := people.total(), pages.total()
	persons := float64(len(keys(as, nil, people)))
	if pg.n("pages") == 0 && len(classes.rows()) == 0 {
		return say(strong("No pages and no shifts"), " in ", f.since(), ". Connect a tool that pages people, or send page.sent and shift.worked events.")
	}
	out := say("In ", f.since(), ", ", plural(pg.n("pages"), "page", "pages"), " interrupted ", plural(persons, "person", "people"), " ", strong(plural(w.n("interruptions"), "time", "times")),
		": ", strong(count(w.n("sleep"))+" asleep"), ", ", count(w.n("off")), " in off hours, ", count(w.n("business")), " in business hours. ", strong(plural(w.n("nights"), "night", "nights")), verbN(w.n("nights"), " was", " were"), " disturbed. ")
	var total float64
	for _, c := range classes.rows() {
		total += c.n("total")
	}
	if total > 0 {
		out = append(out, say("People stood on call for ", count(total), " hours: one interruption every ", duration(total*3600/math.Max(1, w.n("interruptions"))), ".")...)
	}
	return out
}

func (s *Server) oncallWeeks(f *filter, team string, week *result) card {
	c := card{ID: "weeks", Title: "How often, week by week?", Wide: "w8", Err: s.failed(week)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, week, plural(week.sum("interruptions"), "interruption", "interruptions"), f.link("/incidents", "team", team))
	if week.sum("interruptions") == 0 {
		c.Empty = say("No interruptions in this window.")
		return c
	}
	c.Key = f.weekKey(hourKey)
	c.Chart, c.Fold = f.weekly("weeks", week)
	c.Say = f.lastWeek(week)
	return c
}

func (s *Server) oncallShape(f *filter, team string, levels *result) card {
	c := card{ID: "shape", Title: "How far did pages go?", Wide: "w4", Err: s.failed(levels)}
	if c.Err != "" {
		return c
	}
	w := levels.total()
	c.sourced(f, levels, plural(w.n("pages"), "page", "pages"), f.link("/incidents", "team", team))
	if w.n("pages") == 0 {
		c.Empty = say("No pages in this window.")
		return c
	}
	c.Say = say(strong(count(w.n("interrupting"))+" of "+plural(w.n("pages"), "page", "pages")), " interrupt (push, sms or phone).")
	if u := w.n("unanswered"); u > 0 {
		c.Say = append(c.Say, say(" ", strong(plural(u, "page", "pages")), " went unanswered.")...)
	}
	c.Body = &table{Caption: "Pages by escalation level", Head: heads("level", "#pages", "#people")}
	for _, l := range levels.rows() {
		c.Body.add(txt("level "+or(l.key(), "unknown")), counted(l.n("pages")), counted(l.n("people")))
	}
	return c
}

func (s *Server) oncallTeams(f *filter, n *names, team string, load, hours *result) card {
	c := card{ID: "teams", Title: "What does each team carry?", Wide: "w12", Err: s.failed(load, hours), Key: hourKey}
	if c.Err != "" {
		return c
	}
	c.sourced(f, load, plural(load.sum("interruptions"), "interruption", "interruptions")+", "+count(hours.sum("total"))+" on-call hours", f.link("/incidents", "team", team))
	t := &table{Caption: "On-call load per team, by name", Head: heads("team", "by hour class", "#interruptions", "#asleep", "#off hours", "#disturbances", "#nights", "#people paged", "#primary", "#secondary")}
	longest := 0.0
	for _, w := range load.rows() {
		longest = math.Max(longest, w.n("interruptions"))
	}
	ls, hs := load.byKey(), hours.byKey()
	for _, id := range keys(n.team, nil, load, hours) {
		w, h := ls[id], hs[id]
		t.add(f.teamCell(n, id), stackBar(w, longest), counted(w.n("interruptions")), counted(w.n("sleep")), counted(w.n("off")), counted(w.n("groups")), counted(w.n("nights")), counted(w.n("people")),
			num(count(h.n("primary"))+" h"), num(count(h.n("secondary"))+" h"))
	}
	c.Say = say("By name, never ranked. A disturbance joins interruptions of one person while gaps are at most 20 minutes; a night runs from noon to noon.")
	if len(t.Rows) == 0 {
		c.Key, c.Say, c.Empty = nil, nil, say("No pages and no shifts yet. Import a calendar or connect PagerDuty.")
		return c
	}
	c.Body = t
	return c
}

func (s *Server) oncallPeople(f *filter, n *names, team string, load, hours *result) card {
	c := card{ID: "people", Title: "What does each person carry?", Wide: "w12", Err: s.failed(load, hours)}
	if c.Err != "" {
		return c
	}
	ids := keys(n.person, nil, load, hours)
	c.sourced(f, load, plural(load.sum("interruptions"), "interruption", "interruptions")+", "+plural(float64(len(ids)), "person", "people"), f.link("/incidents", "team", team))
	worst := map[string]float64{}
	for _, m := range load.rows() {
		worst[m.key()] = math.Max(worst[m.key()], m.n("sleep")+m.n("off"))
	}
	over := 0
	for _, v := range worst {
		if v > badMonth {
			over++
		}
	}
	c.Key = hourKey
	c.Say = say("By name, never ranked. ", strong(plural(float64(over), "person", "people")), " had a month with more than 7 interruptions outside working hours; 2 is good, 19 is burnout.")
	longest := 0.0
	ls, hs := load.perKey(), hours.byKey()
	for _, w := range ls {
		longest = math.Max(longest, w.n("interruptions"))
	}
	c.unbucketed()
	t := &table{Caption: "On-call load per person, by name", Head: heads("person", "by hour class", "#interruptions", "#asleep", "#nights", "#worst month, off and asleep", "#primary", "#secondary")}
	for _, id := range ids {
		if id == "" {
			continue
		}
		w, h := ls[id], hs[id]
		t.add(f.personCell(n, id), stackBar(w, longest), counted(w.n("interruptions")), counted(w.n("sleep")), counted(w.n("nights")), counted(worst[id]), num(count(h.n("primary"))+" h"), num(count(h.n("secondary"))+" h"))
	}
	if len(t.Rows) == 0 {
		c.Key, c.Say, c.Empty = nil, nil, say("Nobody was paged or on shift in this window.")
		return c
	}
	c.Body = t
	return c
}

func (s *Server) oncallHeat(f *filter, team string, r *result) card {
	c := card{ID: "heat", Title: "At which hours?", Wide: "w12", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, r, plural(r.sum("interruptions"), "interruption", "interruptions"), f.link("/incidents", "team", team))
	if len(r.rows()) == 0 {
		c.Empty = say("No interruptions to place.")
		return c
	}
	c.Key = hourKey
	c.Say = f.heatWords(r)
	c.Chart, c.Fold = heat("heat", r)
	return c
}

// incidentCard lists the newest incidents of the window.
func (s *Server) incidentCard(f *filter, n *names, id, title string, rows []analytics.IncidentRow, team, service string) card {
	c := card{ID: id, Title: title, Wide: "w12", N: plural(float64(len(rows)), "incident", "incidents") + " shown", Events: f.link("/incidents", "team", team, "service", service)}
	if len(rows) == 0 {
		c.Events, c.Empty = "", say("No incidents opened in this window. Choose a longer one above.")
		return c
	}
	if len(rows) >= listed {
		c.Say = say("The newest ", count(float64(len(rows))), "; ", linked("the list of all", c.Events), ".")
	} else {
		c.Say = say("Newest first.")
	}
	c.Body = f.incidentTable(n, rows, service == "")
	return c
}

// incidentTable is a list of incidents with what became of each; their service is a column
// where it is not the same for all.
func (f *filter) incidentTable(n *names, rows []analytics.IncidentRow, services bool) *table {
	t := &table{List: true, Caption: "Incidents, newest first", Head: heads("incident", "opened", "service", "owner then", "resolved by", "#acknowledged after", "#resolved after", "urgency")}
	if !services {
		t.Head = slices.Delete(t.Head, 2, 3)
	}
	for _, i := range rows {
		ack, res := dash(), num("open")
		if !i.Acked.IsZero() {
			ack = num(took(i.Opened, i.Acked))
		}
		if !i.Resolved.IsZero() {
			res = num(took(i.Opened, i.Resolved))
		}
		by := "–"
		if i.Withheld && i.Over {
			res = num("over")
		}
		switch {
		case i.Merged:
			res, by = num("–"), "merged"
		case i.Auto && !i.Resolved.IsZero():
			by = "itself"
		case i.Resolver != "":
			by = n.person(i.Resolver)
		}
		owner := f.teamCell(n, i.OwnerThen)
		if i.OwnerThen == "" {
			owner = txt("nobody")
		}
		cells := []cell{ref(or(clip(i.Title, 90), i.ID), f.link(at("incidents", i.ID))), f.moment(i.Opened), f.serviceCell(n, i.Service), owner, txt(by), ack, res, txt(i.Urgency)}
		if !services {
			cells = slices.Delete(cells, 2, 3)
		}
		t.add(cells...)
	}
	return t
}

// moment is a time in the page's zone, with the zone.
func (f *filter) moment(t time.Time) cell {
	return cell{Text: f.stamp(t), Time: t.UTC().Format(time.RFC3339)}
}
