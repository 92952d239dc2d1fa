package analytics

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// smallTeams are the teams whose figures of work are not everybody's, since everybody would
// know whose work it was: those with one or two members now, and so many more, the smallest
// first, that together they are a group, or what all teams sum to, less the others, would
// be about one of them. Which services such a team owns or owned tells the same and is left
// out with it. It changes with membership and ownership only, so no filter and no window
// changes it, and no two answers can be subtracted to get behind it.
type smallTeams struct {
	teams    map[string]bool
	tiny     map[string]bool     // of these, those with one or two members
	services map[string][]string // service → the small teams that owned it at any time
}

type smallCache struct {
	mu    sync.Mutex
	dir   *Directory
	small smallTeams
}

func (s *Store) smallTeams(ctx context.Context) (smallTeams, error) {
	d, err := s.everybody(ctx)
	if err != nil {
		return smallTeams{}, err
	}
	s.small.mu.Lock()
	defer s.small.mu.Unlock()
	if s.small.dir == d { // the directory is made anew when anything arrived
		return s.small.small, nil
	}
	out := smallTeams{teams: pickSmall(d.Teams), tiny: map[string]bool{}, services: map[string][]string{}}
	for _, t := range d.Teams {
		if n := len(t.Members); n > 0 && n < access.GroupSize {
			out.tiny[t.ID] = true
		}
	}
	if len(out.teams) > 0 {
		err = s.look(ctx, access.Working(), "services of small teams", s.present(), []string{"ownership_epoch"},
			"SELECT DISTINCT service, team FROM ownership_epoch ORDER BY service, team", nil,
			func(r *warehouse.Rows) error {
				var service, team string
				err := r.Scan(&service, &team)
				if out.teams[team] {
					out.services[service] = append(out.services[service], team)
				}
				return err
			})
		if err != nil {
			return smallTeams{}, err
		}
	}
	s.small.dir, s.small.small = d, out
	return out, nil
}

// pickSmall chooses them. A team without members is nobody's work.
func pickSmall(teams []Team) map[string]bool {
	out, people := map[string]bool{}, group{}
	rest := slices.Clone(teams)
	sort.SliceStable(rest, func(i, j int) bool {
		if len(rest[i].Members) != len(rest[j].Members) {
			return len(rest[i].Members) < len(rest[j].Members)
		}
		return rest[i].ID < rest[j].ID
	})
	for _, t := range rest {
		n := len(t.Members)
		if n == 0 || n >= access.GroupSize && !people.small() {
			continue
		}
		out[t.ID] = true
		for _, p := range t.Members {
			people[p] = true
		}
	}
	return out
}

// withoutSmall leaves out of an answer about work what is about teams too small for the
// asker.
func (v *View) withoutSmall(ctx context.Context, q question, a *Answer) (*Answer, error) {
	if q.metric.people != peopleWork || v.who.IsOperator() {
		return a, nil
	}
	small, err := v.s.smallTeams(ctx)
	if err != nil {
		return nil, err
	}
	hides := func(team string) bool { return small.teams[team] && !v.who.TeamSums(team) }
	reason := fmt.Sprintf("a team of fewer than %d people, or one that is withheld with it", access.GroupSize)
	out := *a
	out.Withheld = slices.Clone(a.Withheld)
	drop := func(key string) {
		if !slices.ContainsFunc(out.Withheld, func(w Withheld) bool { return w.Key == key }) {
			out.Withheld = append(out.Withheld, Withheld{key, reason})
		}
	}
	hidesService := func(service string) bool { return slices.ContainsFunc(small.services[service], hides) }
	for _, f := range []struct {
		given []string
		hides func(string) bool
	}{{q.team, hides}, {q.service, hidesService}} {
		for _, id := range f.given {
			if f.hides(id) {
				out.Rows = [][]any{}
				drop(id)
			}
		}
	}
	if !v.who.Has(access.PeopleAdmin) && slices.ContainsFunc(q.team, func(t string) bool { return small.tiny[t] }) {
		withoutSkills(&out, q.metric.Name)
	}
	var by func(string) bool
	switch q.by {
	case "team":
		by = hides
	case "service":
		by = hidesService
	default:
		return &out, nil
	}
	out.Rows = slices.DeleteFunc(slices.Clone(out.Rows), func(r []any) bool {
		key, _ := r[1].(string)
		if by(key) {
			drop(key)
			return true
		}
		return false
	})
	return &out, nil
}

// ofSkills are the columns that say, of a team of one or two, what each of them can do: who
// is in it knows their own part and learns the other's.
var ofSkills = map[string][]string{
	"skill_gaps":     {"supply", "coverage", "gap"},
	"skill_coverage": {"covered", "coverage"},
}

// withoutSkills empties those columns. The team's own demand stays.
func withoutSkills(a *Answer, metric string) {
	columns := ofSkills[metric]
	if len(columns) == 0 || len(a.Rows) == 0 {
		return
	}
	rows := make([][]any, len(a.Rows))
	for i, r := range a.Rows {
		rows[i] = slices.Clone(r)
		for j, c := range a.Columns {
			if slices.Contains(columns, c.Name) {
				rows[i][j] = nil
			}
		}
	}
	a.Rows = rows
	a.Withheld = append(a.Withheld, Withheld{Reason: fmt.Sprintf("%s: of a team of fewer than %d people", strings.Join(columns, ", "), access.GroupSize)})
}
