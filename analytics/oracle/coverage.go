package oracle

import (
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// watch is a shift as far as it lies in the window, after as_of too, with its own start.
type watch struct {
	shift
	begun time.Time
}

// watches are the shifts that count, not cut off at as_of.
func (q *question) watches() []watch {
	latest := map[string]fact{}
	for _, f := range q.facts {
		if f.Kind == event.ShiftPlanned || f.Kind == event.ShiftWorked {
			latest[shiftID(f)] = f
		}
	}
	var out []watch
	for _, f := range latest {
		w := watch{shift{schedule: f.raw.Schedule, person: q.who(f.f.Person), level: shiftLevel(f), rank: 1}, f.raw.Start.UTC().Truncate(time.Millisecond)}
		if f.raw.Override {
			w.rank = 2
		}
		if f.Kind == event.ShiftWorked {
			w.rank = 3
		}
		w.start, w.end = latestOf(f.raw.Start, q.From), earliestOf(f.raw.End, q.To)
		if w.start.Before(w.end) && f.raw.Role != "shadow" && f.raw.Role != "reverse_shadow" {
			out = append(out, w)
		}
	}
	return out
}

// stretch is a team's time on call without any change in it, and the skills it has then.
type stretch struct {
	team     string
	from, to time.Time
	skills   map[string]bool
}

// stretches looks at every moment at which anything may change: a shift begins or ends,
// anybody joins or leaves, a day begins, as_of passes.
func (q *question) stretches() []stretch {
	watches, all, names := q.watches(), q.standing(), q.skillNames()
	cuts := []time.Time{q.AsOf}
	for _, w := range watches {
		cuts = append(cuts, w.start, w.end)
		y, m, d := w.start.In(q.zone).Date()
		for t := time.Date(y, m, d, 0, 0, 0, 0, q.zone); t.Before(w.end); {
			cuts = append(cuts, t.UTC())
			d++
			t = time.Date(y, m, d, 0, 0, 0, 0, q.zone)
		}
	}
	for _, facts := range q.members {
		for _, f := range facts {
			cuts = append(cuts, f.At)
		}
	}
	cuts = byTime(cuts)
	var out []stretch
	for n := 0; n+1 < len(cuts); n++ {
		t := cuts[n]
		on := func(w watch) bool { return !t.Before(w.start) && t.Before(w.end) }
		teams := map[string]map[string]bool{}
		for _, w := range watches {
			outranked := slices.ContainsFunc(watches, func(o watch) bool {
				return on(o) && o.schedule == w.schedule && o.level == w.level && o.rank > w.rank
			})
			if !on(w) || outranked {
				continue
			}
			team, _ := q.teamOf(w.person, t, "")
			if !passes(q.Team, team) {
				continue
			}
			if teams[team] == nil {
				teams[team] = map[string]bool{}
			}
			judged := w.begun // past: as of the shift's start
			if !t.Before(q.AsOf) {
				judged = q.AsOf
			}
			for _, skill := range names {
				if a, ok := q.able(all, w.person, skill, judged); ok && a.isSupply() {
					teams[team][skill] = true
				}
			}
		}
		for team, skills := range teams {
			out = append(out, stretch{team, t, cuts[n+1], skills})
		}
	}
	return out
}

// cover is time on call, and how much of it has a skill.
type cover struct{ all, covered time.Duration }

func (c *cover) add(s stretch, skill string) {
	took := s.to.Sub(s.from)
	c.all += took
	if s.skills[skill] {
		c.covered += took
	}
}

// share is covered over all, nil of nothing.
func (c *cover) share() any {
	if c.all == 0 {
		return nil
	}
	return round6(float64(c.covered) / float64(c.all))
}

func (q *question) skillCoverage() Result {
	rows := map[rowKey]*cover{}
	for _, s := range q.stretches() {
		for _, skill := range q.skillNames() {
			at(rows, rowKey{q.bucketOf(s.from), skill}).add(s, skill)
		}
	}
	return table([]string{"hours", "covered", "coverage"}, rows, func(c *cover) []any {
		return []any{hours(c.all), hours(c.covered), c.share()}
	})
}

// aroundTheClock are the teams with time on call in each of the 168 hours of the week.
func (q *question) aroundTheClock(all []stretch) map[string]bool {
	seen := map[string]map[string]bool{}
	for _, s := range all {
		if seen[s.team] == nil {
			seen[s.team] = map[string]bool{}
		}
		for t := s.from; t.Before(s.to); t = t.Truncate(time.Minute).Add(time.Minute) {
			seen[s.team][q.weekdayHour(t)] = true
		}
	}
	out := map[string]bool{}
	for team, hours := range seen {
		out[team] = len(hours) == 168
	}
	return out
}
