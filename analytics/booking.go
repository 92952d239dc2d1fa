package analytics

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of bookings
//
//  1. A booking is drill.booked, which counts if Steward says it. Of one booking the latest
//     word holds, as a new time; when it was made is when it was first said. A cancelled one
//     has no rows.
//  2. A row is one person. A team's booking has a row for each who is in the team now.
//  3. It is done when the person finished that drill after the booking was made, however it
//     went. That is all a row says of it: a booking is a work list, and package access decides
//     on it as on what somebody is to learn.

// BookingFilter selects rows: of one drill, of these teams' people, of one booking. Own leaves
// out everybody but the asker.
type BookingFilter struct {
	Drill, ID string
	Team      []string
	Own       bool
}

// BookingRow is one person who is to play a drill.
type BookingRow struct {
	ID, Drill      string
	Person, Team   string // Team: where it was booked for the team
	By, Reason     string
	Cites          []string // incidents
	Booked, Starts time.Time
	Done           time.Time // zero: not
}

// Open says whether it is still to be played.
func (r BookingRow) Open() bool { return r.Done.IsZero() }

// Bookings are the drills booked for people, as far as the asker reads them: by their time,
// then by person's name. A filter by a team they may not ask about is refused.
func (v *View) Bookings(ctx context.Context, f BookingFilter) ([]BookingRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	for _, t := range f.Team {
		if err := v.who.LearningOf("", t); err != nil {
			return nil, err
		}
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	all, err := v.s.bookings(ctx, access.Working(), d)
	if err != nil {
		return nil, err
	}
	teams, names := d.placed()
	var out []BookingRow
	var pass access.Pass
	var seen []string
	for _, r := range all {
		reads, _, p := v.who.Learning(r.Person, teams[r.Person])
		switch {
		case !reads,
			f.Own && !v.who.Is(r.Person),
			f.Drill != "" && r.Drill != f.Drill,
			f.ID != "" && r.ID != f.ID,
			len(f.Team) > 0 && !slices.ContainsFunc(teams[r.Person], func(t string) bool { return slices.Contains(f.Team, t) }):
			continue
		}
		if p.Records() && !v.who.Is(r.Person) {
			pass, seen = p, append(seen, r.Person)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b BookingRow) int {
		return cmp.Or(a.Starts.Compare(b.Starts), strings.Compare(strings.ToLower(names[a.Person]), strings.ToLower(names[b.Person])), strings.Compare(a.Person, b.Person), strings.Compare(a.ID, b.ID))
	})
	if err := v.record(ctx, pass, seen); err != nil {
		return nil, err
	}
	return out, nil
}

// bookings are the rows of everybody.
func (s *Store) bookings(ctx context.Context, pass access.Pass, d *Directory) ([]BookingRow, error) {
	alias, err := s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	type played struct{ person, drill string }
	said, first := map[string]drill.Booking{}, map[string]time.Time{}
	finished := map[played][]time.Time{}
	var order []string
	err = s.look(ctx, pass, "bookings", s.present(), nil, `
SELECT toString(kind), at, person, data
FROM (SELECT kind, at, id, source, person, data FROM events
    WHERE kind IN ('drill.booked', 'drill.finished') AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at, id`, nil, func(r *warehouse.Rows) error {
		var kind, person, data string
		var at time.Time
		if err := r.Scan(&kind, &at, &person, &data); err != nil {
			return err
		}
		var b drill.Booking
		if kind == "drill.finished" {
			var f struct{ Drill string }
			if err := json.Unmarshal([]byte(data), &f); err != nil {
				return err
			}
			key := played{s.reveal(alias.person(person)), f.Drill}
			finished[key] = append(finished[key], at)
			return nil
		}
		if err := json.Unmarshal([]byte(s.revealJSON(data)), &b); err != nil {
			return err
		}
		if b.Person != "" {
			b.Person = s.reveal(alias.person(person))
		}
		if _, again := first[b.ID]; !again {
			first[b.ID], order = at, append(order, b.ID)
		}
		said[b.ID] = b
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out []BookingRow
	for _, id := range order {
		b := said[id]
		if b.Cancelled {
			continue
		}
		people := []string{b.Person}
		if b.Team != "" {
			people = nil
			for _, t := range d.Teams {
				if t.ID == b.Team {
					people = t.Members
				}
			}
		}
		for _, p := range people {
			row := BookingRow{ID: id, Drill: b.Drill, Person: p, Team: b.Team, By: b.By, Reason: b.Reason, Cites: b.Cites, Booked: first[id], Starts: b.Starts.UTC()}
			for _, at := range finished[played{p, b.Drill}] {
				if at.After(row.Booked) {
					row.Done = at
					break
				}
			}
			out = append(out, row)
		}
	}
	return out, nil
}

// NextShift is when the next on-call shift begins that is planned for a person, or without one
// for anybody of a team; zero if none is. Shadows are not on call.
func (v *View) NextShift(ctx context.Context, person, team string) (time.Time, error) {
	if _, err := v.who.Facts(); err != nil {
		return time.Time{}, err
	}
	teams, err := v.teamsOf(ctx)
	if err != nil {
		return time.Time{}, err
	}
	if person == "" {
		err = v.who.LearningOf("", team)
	} else {
		err = v.who.LearningOf(person, teams[person]...)
	}
	if err != nil {
		return time.Time{}, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return time.Time{}, err
	}
	var next time.Time
	err = v.s.look(ctx, access.Working(), "next shift", v.s.present(), nil, `
SELECT said.1, said.2
FROM (SELECT argMax((person, start, role IN ('shadow', 'reverse_shadow')), (at, id, source)) AS said
    FROM (SELECT shift, at, id, source, person, start, role, seen FROM shift ORDER BY seen, at LIMIT 1 BY source, id)
    WHERE at <= {as_of:DateTime64(3, 'UTC')}
    GROUP BY shift)
WHERE said.2 > {as_of:DateTime64(3, 'UTC')} AND said.3 = 0
ORDER BY said.2`, nil, func(r *warehouse.Rows) error {
		var who string
		var start time.Time
		if err := r.Scan(&who, &start); err != nil {
			return err
		}
		who = v.s.reveal(alias.person(who))
		if next.IsZero() && (person != "" && who == person || person == "" && slices.Contains(teams[who], team)) {
			next = start
		}
		return nil
	})
	return next, err
}
