package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// incidentsMax is how many incidents the list reads; beyond it a narrower window helps more
// than another page.
const incidentsMax = 300

// incidents lists the incidents behind a number.
func (s *Server) incidents(c echo.Context) error {
	f := s.filter(c)
	team, service, class, state, paged := f.get("team"), f.get("service"), f.get("alert_class"), f.get("state"), f.get("paged")
	if state != "" && state != "open" {
		f.complain(&analytics.ParamError{Param: "state", Reason: fmt.Sprintf("%q is not known", state), Allowed: []string{"open"}})
		state = ""
	}
	ask := s.asker(c, f)
	dir := ask.names()
	total := ask.metric("incidents", "team", team, "service", service, "alert_class", class, "lens", "owner_then")
	var rows []analytics.IncidentRow
	limit := incidentsMax
	if class != "" || state != "" || paged != "" {
		limit = 10000 // the store's list has no such filters, or no metric counts it
	}
	ask.incidents(&rows, limit, team, service, paged)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	rows = slices.DeleteFunc(rows, func(r analytics.IncidentRow) bool {
		over := r.Merged || (r.Over || !r.Resolved.IsZero()) && !r.Resolved.After(f.now)
		return class != "" && r.AlertClass != class || state == "open" && over
	})
	found := float64(len(rows))
	rows = rows[:min(len(rows), incidentsMax)]
	p := &page{Title: "Incidents", Nav: "Incidents", Filter: s.form(f, n.dir, "team", "service")}
	if class != "" {
		p.Filter.Hidden = append(p.Filter.Hidden, chip{"alert_class", class})
		p.Filter.Chips = append(p.Filter.Chips, chip{"alert class", class})
	}
	all := total.one().n("incidents")
	p.Answer = say(strong(plural(all, "incident", "incidents")), " opened in ", f.since())
	if state == "open" {
		p.Filter.Hidden = append(p.Filter.Hidden, chip{"state", state})
		p.Filter.Chips = append(p.Filter.Chips, chip{"state", state})
		all = total.one().n("open")
		p.Answer = say(strong(plural(all, "incident", "incidents")), " of ", f.since(), verbN(all, " is", " are"), " still open")
	}
	if paged != "" {
		p.Filter.Hidden = append(p.Filter.Hidden, chip{"paged", paged})
		p.Filter.Chips = append(p.Filter.Chips, chip{"paged", n.team(paged)})
		all = found
		p.Answer = say(strong(plural(all, "incident", "incidents")), " paged people of ", strong(n.team(paged)), " in ", f.since(), ", whoever owned the service")
	}
	if team != "" {
		p.Answer = append(p.Answer, say(" on services that ", strong(n.team(team)), " owned then")...)
	}
	if service != "" {
		p.Answer = append(p.Answer, say(" on ", strong(n.service(service)))...)
	}
	if class != "" {
		p.Answer = append(p.Answer, say(" with alert class ", strong(class))...)
	}
	p.Answer = append(p.Answer, bit{Text: "."})
	cd := card{ID: "list", Title: "What happened?", Wide: "w12", Err: s.failed(total)}
	if cd.Err == "" {
		cd.sourced(f, total, plural(all, "incident", "incidents")+", "+count(float64(len(rows)))+" shown", "")
		if paged != "" { // the metric counts others
			cd.Metric, cd.CSV, cd.Notes = nil, "", nil
		}
		if len(rows) == 0 {
			cd.Empty = say("None. Choose a longer window or another team above; if nothing ever arrived, ", linked("the overview", "/"), " says how to send something.")
		} else {
			cd.Say = say("Newest first; each has a page with every event behind it.")
			if float64(len(rows)) < all {
				cd.Say = say("The newest ", count(float64(len(rows))), "; a shorter window or one service shows the others. Each has a page with every event behind it.")
			}
			cd.Body = f.incidentTable(n, rows, service == "")
		}
	}
	p.Cards = []card{cd}
	return s.render(c, p)
}

// fact is one line of what is known about a thing.
type fact struct{ Name, Text, Href string }

// incidentView is an incident's page.
type incidentView struct {
	Facts       []fact
	Events      []eventView
	Count, Zone string
	JSON        string
	Took        *tookView
}

// eventView is one event of the timeline.
type eventView struct {
	ISO, Clock, Day, After      string
	Class, What, Detail         string
	Kind, Source, Seen, Quality string
	Raw, ID, Subject            string
}

// incident answers: what happened, minute by minute?
func (s *Server) incident(c echo.Context) error {
	id := param(c, "incident")
	f := s.filter(c)
	ask := s.asker(c, f)
	dir := ask.names()
	inc, err := s.reading(c).Incident(c.Request().Context(), id)
	if err != nil {
		_ = ask.wait()
		return err
	}
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: or(clip(inc.Title, 200), id), Nav: "Incidents"}
	p.Sub = say("incident "+id+" · ", linked("all incidents", f.link("/incidents")))
	v := &incidentView{Zone: f.zone.String(), Count: plural(float64(len(inc.Events)), "event", "events"), JSON: "/api/v1/events?incident=" + url.QueryEscape(id)}
	v.Facts = s.incidentFacts(f, n, inc)
	zero := inc.Opened
	if zero.IsZero() && len(inc.Events) > 0 {
		zero = inc.Events[0].At
	}
	for _, e := range inc.Events {
		v.Events = append(v.Events, s.event(f, n, e, zero))
	}
	if inc.Outside {
		v.Count += "; who was woken, and what was written, is told to the teams concerned"
	}
	if w := who(c); s.Play != nil && !inc.Resolved.IsZero() && (w.IsOperator() || w.InTeam(inc.OwnerThen) || w.InTeam(inc.OwnerNow)) {
		p.Sub = append(p.Sub, say(" · ", linked("make a drill of it", at("incidents", id)+"/drill"))...)
	}
	if link := s.giveForIncident(who(c), inc); link != "" {
		p.Sub = append(p.Sub, say(" · ", linked("assign training", link))...)
	}
	t, err := s.reading(c).Took(c.Request().Context(), id)
	if err != nil {
		return err
	}
	v.Took = s.took(c, f, n, inc, t)
	if p.Review, err = s.incidentReview(c, f, n, inc); err != nil {
		return err
	}
	p.Incident, p.Notice = v, saidDone[c.QueryParam("done")]
	p.Answer = incidentAnswer(f, n, inc, zero)
	if cd := s.teachesCard(f, who(c), inc); cd != nil {
		p.Cards = append(p.Cards, *cd)
	}
	return s.render(c, p)
}

func incidentAnswer(f *filter, n *names, inc *analytics.Incident, zero time.Time) []bit {
	out := say("Opened ", strong(f.stamp(zero)))
	if inc.Withheld {
		state := "it is open"
		if inc.Over {
			state = "it is over"
		}
		return append(out, say("; ", strong(state), ". How so few people handled it is shown to their team.")...)
	}
	pages, people := 0, map[string]bool{}
	var acker, resolver string
	for _, e := range inc.Events {
		switch {
		case e.Kind == "page.sent":
			pages++
			if e.Person != "" {
				people[e.Person] = true
			}
		case e.Kind == "incident.acknowledged" && e.Person != "" && acker == "":
			acker = e.Person
		case e.Kind == "incident.resolved":
			resolver = e.Person
		}
	}
	if pages > 0 || inc.Pages > 0 {
		out = append(out, say(", it sent ", plural(float64(pages), "page", "pages"))...)
	}
	if len(people) > 0 {
		out = append(out, say(" to ", plural(float64(len(people)), "person", "people"))...)
	}
	if inc.Acked.IsZero() {
		out = append(out, say("; nobody acknowledged it")...)
	} else {
		out = append(out, say("; acknowledged after ", strong(took(zero, inc.Acked)))...)
		if acker != "" {
			out = append(out, say(" by ", n.person(acker))...)
		}
	}
	switch {
	case inc.Merged:
		out = append(out, say("; merged into another incident.")...)
	case inc.Resolved.IsZero():
		out = append(out, say("; ", strong("it is open"), ".")...)
	case inc.Auto || resolver == "":
		out = append(out, say("; it resolved itself after ", strong(took(zero, inc.Resolved)), ".")...)
	default:
		out = append(out, say("; resolved after ", strong(took(zero, inc.Resolved)), " by ", n.person(resolver), ".")...)
	}
	if who := n.people[inc.Resolver]; inc.OwnerThen != "" && len(who.Teams) > 0 && !slices.Contains(who.Teams, inc.OwnerThen) {
		out = append(out, say(" ", n.team(inc.OwnerThen), " owned the service; the last to act, ", n.person(inc.Resolver), ", is in ", strong(n.team(who.Teams[0])), ".")...)
	}
	if inc.Drill {
		out = append(out, say(" ", strong("It was a drill"), " and counts nowhere.")...)
	}
	return out
}

func (s *Server) incidentFacts(f *filter, n *names, inc *analytics.Incident) []fact {
	var out []fact
	add := func(name, text, href string) {
		if text != "" {
			out = append(out, fact{name, text, href})
		}
	}
	if inc.Service != "" {
		add("service", n.service(inc.Service), f.link(at("services", inc.Service)))
	}
	if inc.OwnerThen != "" {
		add("owner then", n.team(inc.OwnerThen), f.link(at("teams", inc.OwnerThen)))
	} else {
		add("owner then", "nobody", "")
	}
	if inc.OwnerNow != inc.OwnerThen {
		add("owner now", or(n.teams[inc.OwnerNow].Name, or(inc.OwnerNow, "nobody")), "")
	}
	if inc.Resolver != "" {
		add("last to act", n.person(inc.Resolver), "")
	}
	add("urgency", inc.Urgency, "")
	add("priority", inc.Priority, "")
	add("alert class", inc.AlertClass, "")
	if !inc.Resolved.IsZero() {
		add("lasted", took(inc.Opened, inc.Resolved), "")
	}
	return out
}

// eventWords are the kinds of an incident's timeline in a reader's words, with the colour
// of their dot; hour classes and the quadrant keep theirs to themselves.
var eventWords = map[string][2]string{
	"incident.opened": {"Opened", "bad"}, "incident.acknowledged": {"Acknowledged", "act"}, "incident.unacknowledged": {"Acknowledgement taken back", "warn"},
	"incident.escalated": {"Escalated", "warn"}, "incident.reassigned": {"Reassigned", "warn"}, "incident.updated": {"Changed", "none"}, "incident.resolved": {"Resolved", "good"},
	"incident.reopened": {"Reopened", "bad"}, "incident.snoozed": {"Snoozed", "none"}, "incident.merged": {"Merged", "none"}, "incident.noted": {"Note", "none"},
	"responder.requested": {"Asked for help", "warn"}, "responder.responded": {"Answered the request", "act"}, "page.sent": {"Paged", "page"}, "page.failed": {"Page failed", "bad"},
	"page.unanswered": {"Page went unanswered", "bad"}, "page.reviewed": {"Reviewed", "none"}, "alert.fired": {"Alert fired", "bad"}, "alert.resolved": {"Alert ended", "good"},
	"skill.tagged": {"Skill tagged", "none"}, "skill.untagged": {"Skill tag taken back", "none"}, "review.published": {"Review published", "none"},
}

func (s *Server) event(f *filter, n *names, e analytics.EventRow, zero time.Time) eventView {
	local := e.At.In(f.zone)
	words, ok := eventWords[e.Kind]
	if !ok {
		words = [2]string{e.Kind, "none"}
	}
	after := "+" + took(zero, e.At)
	if e.At.Before(zero) {
		after = "−" + took(e.At, zero)
	}
	v := eventView{
		ISO: e.At.UTC().Format(time.RFC3339Nano), Clock: local.Format("15:04:05 MST"), Day: local.Format("Mon 2 Jan 2006"), After: after,
		What: words[0], Class: words[1], Kind: e.Kind, Source: e.Source, Seen: f.stamp(e.Seen), Quality: e.TimeQuality, ID: e.ID, Subject: e.Subject, Raw: pretty(e.Data),
	}
	v.Detail = s.detail(n, e)
	return v
}

// detail says who, to whom, how and why, from the event's data.
func (s *Server) detail(n *names, e analytics.EventRow) string {
	d := map[string]any{}
	dec := json.NewDecoder(strings.NewReader(e.Data))
	dec.UseNumber()
	_ = dec.Decode(&d) // what cannot be read is shown raw below it
	text := func(k string) string {
		switch v := d[k].(type) {
		case string:
			return v
		case json.Number:
			return v.String()
		}
		return ""
	}
	target := func(v string) string {
		kind, id, ok := strings.Cut(v, ":")
		if !ok {
			return v
		}
		switch kind {
		case "person":
			return n.person(id)
		case "team":
			return n.team(id)
		}
		return v
	}
	var parts []string
	add := func(format, v string) {
		if v != "" {
			parts = append(parts, fmt.Sprintf(format, clip(v, 300)))
		}
	}
	person := ""
	if e.Person != "" {
		person = n.person(e.Person)
	}
	if e.Kind == "page.sent" || e.Kind == "responder.requested" {
		add("%s", person)
	} else {
		add("by %s", person)
	}
	if e.Person == "" && (e.Actor == "service" || d["auto"] == true) {
		parts = append(parts, "by automation")
	}
	switch to := d["to"].(type) {
	case string:
		add("to %s", target(to))
	case []any:
		var names []string
		for _, t := range to {
			if v, ok := t.(string); ok {
				names = append(names, target(v))
			}
		}
		add("to %s", list(names))
	}
	switch channel := text("channel"); {
	case channel == "unknown":
	case strings.HasPrefix(e.Kind, "page."):
		add("by %s", channel)
	default:
		add("over %s", channel)
	}
	add("at level %s", text("level"))
	if d["delivered"] == false {
		parts = append(parts, "not delivered")
	}
	if c := text("cause"); c != "unknown" {
		add("(%s)", c)
	}
	add("%s", text("state"))
	add("until %s", text("until"))
	add("into %s", text("into"))
	if strings.HasPrefix(e.Kind, "skill.") {
		if id := text("skill"); id != "" {
			add("%s", s.skillName(id))
		}
		if by := text("by"); by != "" && by != analytics.ByRules {
			add("by %s", n.person(by))
		} else {
			add("by the rule %s", text("rule"))
		}
	}
	add("because: %s", text("reason"))
	add("“%s”", text("text"))
	if e.Kind == "incident.opened" || e.Kind == "incident.updated" {
		add("as “%s”", text("title"))
		var rest []string
		for _, k := range []string{"urgency", "priority", "severity"} {
			if v := text(k); v != "" {
				rest = append(rest, k+" "+clip(v, 200))
			}
		}
		add("with %s", list(rest))
	}
	return strings.Join(parts, " ")
}

// pretty indents JSON without changing a digit of it; anything else stays as it is.
func pretty(s string) string {
	var out bytes.Buffer
	if json.Indent(&out, []byte(s), "", "  ") != nil {
		return s
	}
	return out.String()
}
