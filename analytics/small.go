package analytics

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Figures of work are of services. Those of a team of one or two people are those people's,
// so to everybody else such a team's services do not exist in them: in no row, no filter
// and no total, which leaves nothing to subtract. A team is small for a window if it had
// one or two members at any moment of it; its services are those it ever owned.

// smallCache keeps what the sizes of teams follow from, until anything arrives.
type smallCache struct {
	mu    sync.Mutex
	dir   *Directory
	moves []move
	owned map[string][]string // team → services it ever owned
}

// move is a person joining or leaving a team.
type move struct {
	at           time.Time
	team, member string
	in           bool
}

// movesAndServices reads them, once for a state of the directory.
func (s *Store) movesAndServices(ctx context.Context) ([]move, map[string][]string, error) {
	d, err := s.everybody(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := &s.small
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dir == d { // the directory is made anew when anything arrived
		return c.moves, c.owned, nil
	}
	var moves []move
	was, who := []string{}, ""
	err = s.look(ctx, access.Working(), "sizes of teams", s.present(), []string{"membership_epoch"},
		"SELECT member, valid_from, teams FROM membership_epoch ORDER BY member, valid_from", nil,
		func(r *warehouse.Rows) error {
			var member string
			var at time.Time
			var teams []string
			if err := r.Scan(&member, &at, &teams); err != nil {
				return err
			}
			if member != who {
				was, who = nil, member
			}
			for _, t := range was {
				if !slices.Contains(teams, t) {
					moves = append(moves, move{at, t, member, false})
				}
			}
			for _, t := range teams {
				if !slices.Contains(was, t) {
					moves = append(moves, move{at, t, member, true})
				}
			}
			was = teams
			return nil
		})
	if err != nil {
		return nil, nil, err
	}
	sort.SliceStable(moves, func(i, j int) bool { return moves[i].at.Before(moves[j].at) })
	owned := map[string][]string{}
	err = s.look(ctx, access.Working(), "services of teams", s.present(), []string{"ownership_epoch"},
		"SELECT DISTINCT service, team FROM ownership_epoch WHERE team != '' ORDER BY service, team", nil,
		func(r *warehouse.Rows) error {
			var service, team string
			err := r.Scan(&service, &team)
			owned[team] = append(owned[team], service)
			return err
		})
	if err != nil {
		return nil, nil, err
	}
	c.dir, c.moves, c.owned = d, moves, owned
	return moves, owned, nil
}

// smallIn lists the teams that had one or two members at any moment of [from, to], sorted.
// A team without members is nobody's.
func smallIn(moves []move, from, to time.Time) []string {
	size, small := map[string]int{}, map[string]bool{}
	judge := func(team string) {
		if n := size[team]; n > 0 && n < access.GroupSize {
			small[team] = true
		}
	}
	i := 0
	for ; i < len(moves) && !moves[i].at.After(from); i++ {
		if moves[i].in {
			size[moves[i].team]++
		} else {
			size[moves[i].team]--
		}
	}
	for team := range size {
		judge(team)
	}
	for ; i < len(moves) && !moves[i].at.After(to); i++ {
		at := moves[i].at
		touched := map[string]bool{}
		for ; i < len(moves) && moves[i].at.Equal(at); i++ { // all that happens at once
			if moves[i].in {
				size[moves[i].team]++
			} else {
				size[moves[i].team]--
			}
			touched[moves[i].team] = true
		}
		i--
		for team := range touched {
			judge(team)
		}
	}
	var out []string
	for team := range small {
		out = append(out, team)
	}
	sort.Strings(out)
	return out
}

// smallTo lists the teams that are too small for the asker, and their services.
func (v *View) smallTo(ctx context.Context, from, to time.Time) (teams, services []string, err error) {
	if v.who.IsOperator() {
		return nil, nil, nil
	}
	moves, owned, err := v.s.movesAndServices(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range smallIn(moves, from, to) {
		if !v.who.TeamSums(t) {
			teams = append(teams, t)
			services = append(services, owned[t]...)
		}
	}
	sort.Strings(services)
	return teams, slices.Compact(services), nil
}

// withhold takes services of small teams out of a question about work, and returns what to
// say of it.
func (v *View) withhold(ctx context.Context, q *question) ([]Withheld, error) {
	if q.metric.people != peopleWork {
		return nil, nil
	}
	from, to := q.from, q.to
	if ofSkills[q.metric.Name] != nil { // which speaks of as_of too, whatever the window
		if q.asOf.Before(from) {
			from = q.asOf
		}
		if q.asOf.After(to) {
			to = q.asOf
		}
	}
	teams, services, err := v.smallTo(ctx, from, to)
	if err != nil {
		return nil, err
	}
	if ofSkills[q.metric.Name] != nil && len(q.team) == 0 && !v.unveiled() { // less the others' it would be their own team's
		moves, _, err := v.s.movesAndServices(ctx)
		if err != nil {
			return nil, err
		}
		teams = smallIn(moves, from, to)
	}
	if len(teams) == 0 {
		return nil, nil
	}
	if q.metric.takesParam("team") && !q.metric.takesParam("service") { // of teams' people rather than of services
		return withoutTeams(q, teams, v.teamsEver()), nil
	}
	q.withheld = services
	reason := fmt.Sprintf("a team of fewer than %d people, at some moment of the window", access.GroupSize)
	var out []Withheld
	say := func(keys []string, given []string) {
		for _, k := range keys {
			if len(given) == 0 || slices.Contains(given, k) {
				out = append(out, Withheld{k, reason})
			}
		}
	}
	switch {
	case q.by == "team" || len(q.team) > 0:
		say(teams, q.team)
	case q.by == "service" || len(q.service) > 0:
		say(services, q.service)
	default:
		out = append(out, Withheld{Reason: "services of teams of fewer than three people, at some moment of the window, are left out"})
	}
	return out, nil
}

// withoutTeams leaves small teams out of a question whose teams are people's: named they are
// taken off the list, and where none is named all others are.
func withoutTeams(q *question, small, all []string) []Withheld {
	reason := fmt.Sprintf("a team of fewer than %d people, at some moment of the window", access.GroupSize)
	var out []Withheld
	given := q.team
	if len(given) == 0 {
		given = append([]string{""}, all...)
	}
	q.team = nil
	for _, t := range given {
		if slices.Contains(small, t) {
			out = append(out, Withheld{t, reason})
		} else {
			q.team = append(q.team, t)
		}
	}
	if len(q.team) == 0 {
		q.team = []string{"\x00"} // nobody's
	}
	return out
}

// teamsEver are all teams that anybody was in.
func (v *View) teamsEver() []string {
	v.s.small.mu.Lock()
	defer v.s.small.mu.Unlock()
	var out []string
	for _, m := range v.s.small.moves {
		out = append(out, m.team)
	}
	sort.Strings(out)
	return slices.Compact(out)
}
