package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// shift is one stretch of duty as last stated, cut at the window and at as_of.
type shift struct {
	schedule, person string
	level, rank      int
	start, end       time.Time
}

// shifts keeps the latest statement about each shift id. Shadowing is no duty. Worked
// shifts rank before planned overrides, those before planned shifts.
func (q *question) shifts() []shift {
	latest := map[string]fact{}
	for _, f := range q.facts { // in order, so the last one stays
		if f.Kind == event.ShiftPlanned || f.Kind == event.ShiftWorked {
			latest[shiftID(f)] = f
		}
	}
	var out []shift
	for _, id := range slices.Sorted(maps.Keys(latest)) {
		f := latest[id]
		s := shift{schedule: f.raw.Schedule, person: q.who(f.f.Person), level: shiftLevel(f), rank: 1}
		if f.raw.Override {
			s.rank = 2
		}
		if f.Kind == event.ShiftWorked {
			s.rank = 3
		}
		s.start = latestOf(f.raw.Start, q.From)
		s.end = earliestOf(f.raw.End, q.To, q.AsOf)
		if s.start.Before(s.end) && f.raw.Role != "shadow" && f.raw.Role != "reverse_shadow" {
			out = append(out, s)
		}
	}
	return out
}

// shiftID is the id given, else what the shift is made of.
func shiftID(f fact) string {
	if f.raw.Shift != "" {
		return f.raw.Shift
	}
	return fmt.Sprint(f.raw.Schedule, "/", shiftLevel(f), "/", f.f.Person, "/", f.raw.Start.UnixMilli())
}

// shiftLevel: without a level it is 1, with the role secondary 2.
func shiftLevel(f fact) int {
	switch {
	case f.raw.Level != nil:
		return *f.raw.Level
	case f.raw.Role == "secondary":
		return 2
	}
	return 1
}

// levelHeld is the lowest level that a person holds at t, 0 for none. On one schedule and
// level only the shifts of the highest rank at that moment count, side by side.
func levelHeld(shifts []shift, person string, t time.Time) int {
	on := func(s shift) bool { return !t.Before(s.start) && t.Before(s.end) }
	lowest := 0
	for _, s := range shifts {
		if s.person != person || !on(s) || lowest != 0 && s.level >= lowest {
			continue
		}
		outranked := slices.ContainsFunc(shifts, func(o shift) bool {
			return on(o) && o.schedule == s.schedule && o.level == s.level && o.rank > s.rank
		})
		if !outranked {
			lowest = s.level
		}
	}
	return lowest
}

// cuts are the moments at which anything about a person's duty can change: a shift of
// anybody begins or ends, the person joins, leaves or is described.
func (q *question) cuts(person string, shifts []shift) []time.Time {
	var out []time.Time
	for _, s := range shifts {
		out = append(out, s.start, s.end)
	}
	for _, f := range slices.Concat(q.members[person], q.described[person]) {
		out = append(out, f.At)
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal)
}

// onCall is a person's time in a row.
type onCall struct{ primary, secondary time.Duration }

// oncallHours adds up duty minute by minute, so that hour classes, hours of the week and
// days are right whatever clocks do (no zone is off by part of a minute). A moment counts
// once per person, at the lowest level held. No incident or page is in question, so nothing
// is counted as assumed.
func (q *question) oncallHours() Result {
	type row struct{ people map[string]*onCall }
	rows := map[rowKey]*row{}
	shifts := q.shifts()
	people := map[string]bool{}
	for _, s := range shifts {
		people[s.person] = true
	}
	for person := range people {
		cuts := q.cuts(person, shifts)
		for n := 0; n+1 < len(cuts); n++ {
			level := levelHeld(shifts, person, cuts[n])
			if level == 0 {
				continue
			}
			s := subject{person: person, level: strconv.Itoa(level)}
			s.team, _ = q.teamOf(person, cuts[n], "")
			d, _ := q.describe(person, cuts[n])
			for t := cuts[n]; t.Before(cuts[n+1]); {
				next := earliestOf(t.Truncate(time.Minute).Add(time.Minute), cuts[n+1])
				s.at = t
				s.hourClass = q.hourClass(d, t)
				if q.selects(s) {
					r := at(rows, q.row(s))
					if r.people == nil {
						r.people = map[string]*onCall{}
					}
					if r.people[person] == nil {
						r.people[person] = &onCall{}
					}
					r.people[person].add(level, next.Sub(t))
				}
				t = next
			}
		}
	}
	return table([]string{"primary", "secondary", "total", "people"}, rows, func(r *row) []any {
		var sum onCall
		for _, p := range r.people {
			sum.primary += p.primary
			sum.secondary += p.secondary
		}
		return []any{hours(sum.primary), hours(sum.secondary), hours(sum.primary + sum.secondary), int64(len(r.people))}
	})
}

func (o *onCall) add(level int, d time.Duration) {
	if level == 1 {
		o.primary += d
	} else {
		o.secondary += d
	}
}

// hours is exact to the millisecond, rounded to six decimals of an hour.
func hours(d time.Duration) float64 {
	return math.Round(float64(d.Milliseconds())/3600000*1e6) / 1e6
}

func latestOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a.Truncate(time.Millisecond)
	}
	return b
}

func earliestOf(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.Before(first) {
			first = t
		}
	}
	return first.Truncate(time.Millisecond)
}
