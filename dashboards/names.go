package dashboards

import (
	"context"
	"slices"
	"sort"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/identity"
)

// names turns ids into what people call them.
type names struct {
	dir      *analytics.Directory
	teams    map[string]analytics.Team
	services map[string]analytics.Service
	people   map[string]analytics.Person
}

func newNames(d *analytics.Directory) *names {
	n := &names{dir: d, teams: map[string]analytics.Team{}, services: map[string]analytics.Service{}, people: map[string]analytics.Person{}}
	if d == nil {
		n.dir = &analytics.Directory{}
		return n
	}
	for _, t := range d.Teams {
		n.teams[t.ID] = t
	}
	for _, s := range d.Services {
		n.services[s.ID] = s
	}
	for _, p := range d.People {
		n.people[p.ID] = p
	}
	return n
}

// expect is nil for a team or service that the directory knows, or that the window speaks
// of all the same; else a 404. It looks before a page's questions are asked, since a name
// that was mistyped or made up should not cost a dozen answers of nothing.
func (s *Server) expect(c echo.Context, f *filter, kind, id string) error {
	d, err := s.reading(c).Directory(c.Request().Context())
	if err != nil {
		return err
	}
	n := newNames(d)
	_, team := n.teams[id]
	_, service := n.services[id]
	if kind == "team" && team || kind == "service" && service {
		return nil
	}
	ask := s.asker(c, f)
	incidents, load := ask.metric("incidents", kind, id), ask.metric("interruptions", kind, id)
	if err := ask.wait(); err != nil {
		return err
	}
	if len(incidents.rows()) == 0 && len(load.rows()) == 0 && s.failed(incidents, load) == "" {
		return missing(kind, id)
	}
	return nil
}

// as is the name of what is called by its id.
func as(id string) string { return id }

// names starts reading the directory beside a page's questions; read it after wait.
func (a *asker) names() **names {
	out := new(*names)
	a.do(func(ctx context.Context) error {
		d, err := a.read.Directory(ctx)
		*out = newNames(d)
		return err
	})
	return out
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (n *names) team(id string) string {
	return or(or(n.teams[id].Name, id), "no team")
}
func (n *names) service(id string) string {
	return or(or(n.services[id].Name, id), "no service")
}
func (n *names) person(id string) string { return or(or(n.people[id].Name, id), "nobody") }

// teamCell links a team; an empty id is said in words.
func (f *filter) teamCell(n *names, id string) cell {
	if id == "" {
		return txt("no team")
	}
	return ref(n.team(id), f.link(at("teams", id)))
}

// personCell links a person's own page.
func (f *filter) personCell(n *names, id string) cell {
	if identity.IsFormer(id) { // nobody may look for them any more
		return txt(n.person(id))
	}
	return ref(n.person(id), f.link(at("people", id)))
}

func (f *filter) serviceCell(n *names, id string) cell {
	if id == "" {
		return txt("no service")
	}
	return ref(n.service(id), f.link(at("services", id)))
}

// byName orders ids by what they are called, never by a figure. What has no id, as "no
// team", is no name among names and comes last.
func byName(ids []string, name func(string) string) []string {
	sort.SliceStable(ids, func(i, j int) bool {
		if (ids[i] == "") != (ids[j] == "") {
			return ids[j] == ""
		}
		a, b := strings.ToLower(name(ids[i])), strings.ToLower(name(ids[j]))
		if a != b {
			return a < b
		}
		return ids[i] < ids[j]
	})
	return slices.Compact(ids)
}

// keys are the ids that answers speak of, in name order, with others that belong to them.
func keys(name func(string) string, others []string, results ...*result) []string {
	seen := map[string]bool{}
	var out []string
	add := func(id string) {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	for _, id := range others {
		add(id)
	}
	for _, r := range results {
		for _, w := range r.rows() {
			add(w.key())
		}
	}
	return byName(out, name)
}
