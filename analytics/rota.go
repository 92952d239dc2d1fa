package analytics

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// anyRota stands for all schedules, as in training.AnyRota.
const anyRota = "*"

// seat is a person's place on a schedule, or on any.
type seat struct{ rota, person string }

// firstShifts are when each person's first shift on each schedule begins, and on any of them.
// The latest statement about a shift holds; one that was cancelled, and one that somebody
// shadows or is shadowed in, is no shift of their own.
func (s *Store) firstShifts(ctx context.Context, alias aliases) (map[seat]time.Time, error) {
	out := map[seat]time.Time{}
	err := s.look(ctx, access.Working(), "first shifts", s.present(), nil, `
SELECT said.1, said.2, min(said.3)
FROM (
    SELECT argMax((schedule, person, start, end, toString(role)), (at, id, source)) AS said
    FROM (SELECT shift, at, id, source, schedule, person, start, end, role, seen FROM shift ORDER BY seen, at LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')}
    GROUP BY shift)
WHERE said.3 < said.4 AND said.5 NOT IN ('shadow', 'reverse_shadow')
GROUP BY said.1, said.2`, nil, func(r *warehouse.Rows) error {
		var rota, person string
		var begins time.Time
		if err := r.Scan(&rota, &person, &begins); err != nil {
			return err
		}
		person = s.reveal(alias.person(person))
		for _, at := range []seat{{rota, person}, {anyRota, person}} {
			if was, ok := out[at]; !ok || begins.Before(was) {
				out[at] = begins
			}
		}
		return nil
	})
	return out, err
}

// dayBefore is the end of the day before a shift, in the organisation's zone; of a shift that
// begins on the day after work was given, or earlier, the end of that day.
func (s *Store) dayBefore(begins, given time.Time) time.Time {
	end := func(t time.Time, days int) time.Time {
		t = t.In(s.zone)
		return time.Date(t.Year(), t.Month(), t.Day()+days, 0, 0, 0, 0, s.zone).UTC()
	}
	due := end(begins, 0)
	if least := end(given, 1); due.Before(least) {
		due = least
	}
	return due
}

// Rota is a schedule that people of a team are on.
type Rota struct {
	Schedule string
	Coming   []string // of them, whose first shift is still to come; canonical ids, sorted
}

// Rotas are the schedules on which people of a team were in the last 90 days or are to be, in
// order of id. It is for who gives the team work.
func (v *View) Rotas(ctx context.Context, team string) ([]Rota, error) {
	if err := v.who.Gives(team); err != nil {
		return nil, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.Teams, func(t Team) bool { return t.ID == team })
	if i < 0 {
		return nil, fmt.Errorf("team: %w", ErrNotFound)
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	first, err := v.s.firstShifts(ctx, alias)
	if err != nil {
		return nil, err
	}
	var out []Rota
	q := v.s.present()
	err = v.s.look(ctx, access.Working(), "rotas", q, nil, `
SELECT schedule, groupUniqArray(person) FROM shift
WHERE at <= {as_of:DateTime64(3, 'UTC')} AND end > {from:DateTime64(3, 'UTC')} AND schedule != '' GROUP BY schedule ORDER BY schedule`, nil, func(r *warehouse.Rows) error {
		var x Rota
		var people []string
		if err := r.Scan(&x.Schedule, &people); err != nil {
			return err
		}
		found := false
		for _, p := range people {
			p = v.s.reveal(alias.person(p))
			if !slices.Contains(d.Teams[i].Members, p) {
				continue
			}
			found = true
			if first[seat{x.Schedule, p}].After(q.asOf) && !slices.Contains(x.Coming, p) {
				x.Coming = append(x.Coming, p)
			}
		}
		if found {
			slices.Sort(x.Coming)
			out = append(out, x)
		}
		return nil
	})
	return out, err
}

// Rule is a standing assignment of a rota.
type Rule struct {
	ID, Module, Team, Rota, By, Reason string
	Given                              time.Time
}

// Rules are the standing rules that hold, of the teams whose people the asker gives work, in
// the order in which they were given. A waiver that names no person ends a rule.
func (v *View) Rules(ctx context.Context) ([]Rule, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	events, err := v.s.learning(ctx, alias)
	if err != nil {
		return nil, err
	}
	given, order, ended := asGiven(events)
	var out []Rule
	for _, id := range order {
		if a := given[id]; a.Rota != "" && !ended[id] && v.who.HeadsTeam(a.Within) {
			out = append(out, Rule{ID: id, Module: a.Module, Team: a.Within, Rota: a.Rota, By: a.By, Reason: a.Reason, Given: a.at})
		}
	}
	return out, nil
}
