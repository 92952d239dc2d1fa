package analytics

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of coming shifts
//
//  1. Which shifts count is as for on-call hours (fact/shift_held.sql): the latest statement of
//     a shift holds, shadows never count, and on one schedule and level worked shifts come
//     before planned overrides, and those before planned shifts.
//  2. What is left of a shift after that may be several pieces. They are not cut off at now.
//  3. When somebody is on call next is part of their work list: it is read by whom access lets
//     read what they are to learn.

// DutyRow is one stretch on call.
type DutyRow struct {
	Person, Schedule string
	Level            int
	Start, End       time.Time
}

// DutyFilter selects shifts that end after From and begin before To: all that the asker
// reads, those of the teams' people of now, or their own alone.
type DutyFilter struct {
	From, To time.Time
	Team     []string
	Own      bool
}

// Shifts are who is on call when, by start and then person, as far as the asker reads it.
func (v *View) Duties(ctx context.Context, f DutyFilter) ([]DutyRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	alias, teams, err := v.s.belonging(ctx)
	if err != nil {
		return nil, err
	}
	for _, t := range f.Team {
		if err := v.who.LearningOf("", t); err != nil {
			return nil, err
		}
	}
	var all []ranked
	err = v.s.look(ctx, access.Working(), "shifts", v.s.present(), nil, `
SELECT said.1, said.2, said.3, said.4, said.5, said.6
FROM (
    SELECT argMax((schedule, person, start, end, level, rank, role IN ('shadow', 'reverse_shadow')), (at, id, source)) AS said
    FROM (SELECT shift, at, id, source, schedule, person, start, end, level, rank, role, seen FROM shift ORDER BY seen, at LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')}
    GROUP BY shift)
WHERE said.7 = 0 AND said.3 < said.4 AND said.4 > {since:DateTime64(3, 'UTC')} AND said.3 < {until:DateTime64(3, 'UTC')}`,
		[]warehouse.Param{{Name: "since", Value: f.From}, {Name: "until", Value: f.To}},
		func(r *warehouse.Rows) error {
			var x ranked
			var level int16
			if err := r.Scan(&x.Schedule, &x.Person, &x.Start, &x.End, &level, &x.rank); err != nil {
				return err
			}
			x.Level, x.Person = int(level), v.s.reveal(alias.person(x.Person))
			all = append(all, x)
			return nil
		})
	if err != nil {
		return nil, err
	}
	var out []DutyRow
	for _, x := range held(all) {
		if v.reads(x.Person, teams[x.Person], f.Own, f.Team) && x.End.After(f.From) {
			out = append(out, x)
		}
	}
	slices.SortFunc(out, func(a, b DutyRow) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Person, b.Person), cmp.Compare(a.Schedule, b.Schedule), cmp.Compare(a.Level, b.Level))
	})
	return out, nil
}

// belonging is who stands behind an id, and the teams of each person, of now.
func (s *Store) belonging(ctx context.Context) (aliases, map[string][]string, error) {
	alias, err := s.aliasesNow(ctx)
	if err != nil {
		return aliases{}, nil, err
	}
	d, err := s.everybody(ctx)
	if err != nil {
		return aliases{}, nil, err
	}
	teams, _ := d.placed()
	return alias, teams, nil
}

// reads says whether a row of a work list is the asker's to read, and asked for. Rows that a
// people admin would have to be recorded for are read by Assignments; lists beside it leave
// them out.
func (v *View) reads(person string, teams []string, own bool, of []string) bool {
	reads, _, p := v.who.Learning(person, teams)
	return reads && (!p.Records() || v.who.Is(person)) && (!own || v.who.Is(person)) &&
		(len(of) == 0 || slices.ContainsFunc(teams, func(t string) bool { return slices.Contains(of, t) }))
}

// ranked is a stated shift: 3 worked, 2 planned override, 1 planned.
type ranked struct {
	DutyRow
	rank uint8
}

// held takes from each shift the times at which a better one of its schedule and level holds.
func held(all []ranked) []DutyRow {
	var out []DutyRow
	for _, x := range all {
		pieces := []DutyRow{x.DutyRow}
		for _, y := range all {
			if y.rank <= x.rank || y.Schedule != x.Schedule || y.Level != x.Level {
				continue
			}
			var left []DutyRow
			for _, p := range pieces {
				if !y.Start.Before(p.End) || !p.Start.Before(y.End) {
					left = append(left, p)
					continue
				}
				if p.Start.Before(y.Start) {
					before := p
					before.End = y.Start
					left = append(left, before)
				}
				if y.End.Before(p.End) {
					after := p
					after.Start = y.End
					left = append(left, after)
				}
			}
			pieces = left
		}
		out = append(out, pieces...)
	}
	return out
}
