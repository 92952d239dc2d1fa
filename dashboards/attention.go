package dashboards

import (
	"fmt"
	"slices"
	"sort"

	"github.com/stewardhq/steward/analytics"
)

// What it takes to stand in the list. They are few on purpose: a list that always has ten
// lines is read by nobody.
const (
	noisyAt      = 10  // interruptions of one alert class in the window
	noisyAuto    = 0.5 // of its incidents resolved by themselves
	noisyOf      = 5   // incidents before that half says something
	actedAt      = 5   // incidents of a service before its owner's absence means something
	paperAt      = 10  // handled incidents before a share means something
	attentionMax = 8
)

// teamTodo lists what needs attention, most urgent first, each line with where to act.
func (s *Server) teamTodo(f *filter, n *names, t analytics.Team, a teamAnswers) card {
	c := card{ID: "todo", Title: "What needs attention?", Wide: "w4", Err: s.failed(a.byService, a.byClass, a.autos, a.services, a.hops, a.unanswered, a.acks)}
	if c.Err != "" {
		return c
	}
	all := slices.Clone(a.more)
	add := func(urgency float64, class string, what []bit, why, action, href string) {
		all = append(all, todo{Class: class, What: what, Why: why, Action: action, Href: href, Urgency: urgency})
	}
	service := func(id string) string { return f.link(at("services", id)) }

	for _, w := range a.byService.rows() {
		id := w.key()
		if sv, ok := n.services[id]; ok && sv.Owner == "" && w.n("interruptions") > 0 {
			add(1e6+w.n("interruptions"), "bad", say(strong(n.service(id)), " has no owner"),
				plural(w.n("interruptions"), "interruption", "interruptions")+" of this team, "+count(w.n("sleep"))+" asleep", "See service", service(id))
		}
	}
	if u := a.unanswered.one().n("unanswered"); u > 0 {
		add(9e5+u, "bad", say(strong(plural(u, "page", "pages")), " went unanswered"), "nobody on call, or everybody was tried", "See incidents", f.link("/incidents", "team", t.ID))
	}
	for _, w := range a.hops.rows() {
		id := w.key()
		if n.services[id].Owner == t.ID && w.n("n") >= actedAt && w.n("owner_acted") == 0 {
			add(8e5+w.n("n"), "bad", say(strong(n.service(id)), ": nobody of the owning team ever acted"), "on "+plural(w.n("n"), "incident", "incidents"), "See service", service(id))
		}
	}
	for _, w := range a.services.rows() {
		id, h := w.key(), handled(w)
		if h < paperAt {
			continue
		}
		switch away := w.n("escalated_away"); {
		case 2*w.n("owned_on_paper") >= h:
			add(6e5+h, "warn", say(strong(n.service(id)), " is owned on paper"), fmt.Sprintf("%s of %s handled incidents went past its owner: transfer it", count(w.n("owned_on_paper")), count(h)), "See service", service(id))
		case 2*w.n("misrouted") >= h:
			add(5e5+h, "warn", say(strong(n.service(id)), " pages another team first"), fmt.Sprintf("%s of %s handled incidents: fix the routing", count(w.n("misrouted")), count(h)), "See service", service(id))
		case 3*away >= h:
			add(4e5+away, "warn", say(strong(n.service(id)), " is often resolved by another team"), fmt.Sprintf("%s of %s handled incidents: skills, access or docs", count(away), count(h)), "See service", service(id))
		}
	}
	autos := a.autos.byKey()
	for _, w := range a.byClass.rows() {
		k := w.key()
		i := autos[k]
		if k == "" || w.n("interruptions") < noisyAt || i.n("incidents") < noisyOf || i.n("auto_resolved") < noisyAuto*i.n("incidents") {
			continue
		}
		add(2e5+w.n("interruptions"), "warn", say(strong(k), ": "+plural(w.n("interruptions"), "interruption", "interruptions")+", "+count(w.n("sleep"))+" asleep"),
			fmt.Sprintf("%s of %s incidents resolved themselves: raise the threshold or send it to a ticket", count(i.n("auto_resolved")), count(i.n("incidents"))),
			"See incidents", f.link("/incidents", "team", t.ID, "alert_class", k))
	}
	if ack := a.acks.one(); ack.n("not_acked") > 0 {
		add(1e5, "none", say(strong(plural(ack.n("not_acked"), "incident", "incidents")), " never acknowledged"), "of "+count(ack.n("n")+ack.n("not_acked"))+" that did not resolve by themselves", "See incidents", f.link("/incidents", "team", t.ID))
	}
	if t.Size == 0 {
		add(7e5, "warn", say("The team has no members"), "nobody can be shown to act for it", "See teams", f.link("/teams"))
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Urgency > all[j].Urgency })
	found := len(all)
	if found > attentionMax {
		all = all[:attentionMax]
	}
	c.Todo = all
	switch {
	case found == 0:
		c.Empty = say("Nothing stands out in this window: no unowned service pages this team, no page went unanswered, no alert is mostly noise.")
	case found > attentionMax:
		c.Say = say("The ", count(attentionMax), " most urgent of ", count(float64(found)), ".")
	default:
		c.Say = say(plural(float64(found), "thing", "things"), ", most urgent first.")
	}
	c.N = plural(float64(found), "finding", "findings")
	return c
}
