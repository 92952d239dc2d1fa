// Package rollout finds out whether training helped, by the only way that a busy
// organisation can afford: teams are trained in steps, and chance decides who comes first.
//
// Theory of operation
//
//  1. A draw assigns teams to starting weeks at random and is published as rollout.drawn
//     before the first start: teams, order, seed, metric, window, scale and the direction
//     that is hoped for. What was decided before looking is therefore in the log, and an
//     estimate takes these from the draw and from nowhere else.
//  2. The estimate compares, week by week, how far the trained teams have moved from their
//     own weeks before the first start with how far the not yet trained teams have moved in
//     the same week (difference in differences). A season, a release or a bad month hits both.
//  3. Significance comes from the draw itself: the same figure is computed for every
//     assignment that the draw could have given. Nothing is assumed of the distribution of
//     incidents, which is never normal and never independent from week to week.
//  4. The interval is the set of effects which that test does not reject, so the test and the
//     interval cannot contradict each other.
//  5. Few teams mean few assignments, and then no result can be called one. The smallest p
//     that a draw can give is known before anybody is trained, and is said.
//  6. Everything is by team, of at least TeamSize people. There is no effect of a person.
package rollout

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"
)

// TeamSize is the smallest team that takes part: the figures of a smaller one are somebody's.
const TeamSize = 3

// Scale says what an effect is measured in.
type Scale string

// The scales. Incident counts and shares are usually compared as differences, durations as
// ratios, because a duration's spread grows with its size.
const (
	Difference Scale = "difference" // in the metric's unit; needs no positive values
	Ratio      Scale = "ratio"      // as a factor, on logarithms; every value must be above zero
)

// Direction is what was hoped for before looking. It decides which tail the test uses, so
// it belongs to the draw: choosing it afterwards would halve every p.
type Direction string

// The directions.
const (
	Lower  Direction = "lower"  // less of the metric is better: one-sided
	Higher Direction = "higher" // more is better: one-sided
	Either Direction = "either" // any change is a finding: two-sided
)

// Team takes part in a draw. People is its size on the day of the draw.
type Team struct {
	ID     string
	People int
}

// Start is one step: so many teams begin the module in the week of this Monday.
type Start struct {
	Week  time.Time `json:"week"`
	Teams int       `json:"teams"`
}

// Plan is what is decided before the draw.
type Plan struct {
	Rollout, Module, Metric string
	Scale                   Scale     // default Difference
	Expect                  Direction // default Lower
	From, To                time.Time // the half-open window of the metric, both Mondays; the weeks before the first start are the pre-period
}

// Drawn is a published draw, in the form of the event's data. Steps are in order of time;
// Order lists the teams in the order they start, those that stay untrained inside the window last.
type Drawn struct {
	Rollout string    `json:"rollout"`
	Module  string    `json:"module"`
	Metric  string    `json:"metric"`
	Window  string    `json:"window"` // "2026-01-05/2026-06-29": half-open, Mondays
	Scale   Scale     `json:"scale"`
	Expect  Direction `json:"expect"`
	Teams   []string  `json:"teams"` // sorted
	Steps   []Start   `json:"steps"`
	Order   []string  `json:"order"`
	Seed    int64     `json:"seed"`
}

// seeds are below 2^53, so that every reader of JSON reads the same number.
const maxSeed = 1<<53 - 1

// Draw assigns the teams to the starts by the seed. The same plan, teams, starts and seed
// give the same draw in every version: the shuffle is written out below rather than left to
// a library. Starts may name fewer teams than there are; the others are the comparison to
// the end. The order in which teams and starts are passed has no influence.
func Draw(plan Plan, teams []Team, starts []Start, seed int64) (Drawn, error) {
	if plan.Scale == "" {
		plan.Scale = Difference
	}
	if plan.Expect == "" {
		plan.Expect = Lower
	}
	d := Drawn{
		Rollout: plan.Rollout, Module: plan.Module, Metric: plan.Metric, Window: window(plan.From, plan.To),
		Scale: plan.Scale, Expect: plan.Expect, Steps: slices.Clone(starts), Seed: seed,
	}
	for i, t := range teams {
		if t.People < TeamSize {
			return Drawn{}, fmt.Errorf("teams[%d].people: %d; a team of fewer than %d people would show what somebody does", i, t.People, TeamSize)
		}
		d.Teams = append(d.Teams, t.ID)
	}
	slices.Sort(d.Teams)
	for i := range d.Steps {
		d.Steps[i].Week = d.Steps[i].Week.UTC()
	}
	slices.SortFunc(d.Steps, func(a, b Start) int { return a.Week.Compare(b.Week) })
	d.Order = shuffled(d.Teams, seed)
	if err := d.Validate(); err != nil {
		return Drawn{}, err
	}
	return d, nil
}

// shuffled is Fisher and Yates's shuffle by a PCG generator, without modulo bias.
func shuffled(teams []string, seed int64) []string {
	out, r := slices.Clone(teams), source(seed, 0)
	for i := len(out) - 1; i > 0; i-- {
		j := int(below(r, uint64(i+1)))
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// source is the generator of a seed; use tells the draw's numbers from the test's.
func source(seed int64, use uint64) *rand.PCG { return rand.NewPCG(uint64(seed), use) }

// below is uniform on [0, n): what would favour the small numbers is drawn again.
func below(r *rand.PCG, n uint64) uint64 {
	limit := math.MaxUint64 - math.MaxUint64%n
	for {
		if v := r.Uint64(); v < limit {
			return v % n
		}
	}
}

// Validate names every field at fault.
func (d Drawn) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	for _, f := range []struct{ name, value string }{{"rollout", d.Rollout}, {"module", d.Module}, {"metric", d.Metric}} {
		if f.value == "" {
			bad(f.name, "required")
		}
	}
	if d.Scale != Difference && d.Scale != Ratio {
		bad("scale", "%q; the scales are difference, ratio", d.Scale)
	}
	if d.Expect != Lower && d.Expect != Higher && d.Expect != Either {
		bad("expect", "%q; the directions are lower, higher, either", d.Expect)
	}
	if d.Seed < 0 || d.Seed > maxSeed {
		bad("seed", "must be from 0 to 2^53-1")
	}
	from, to, err := d.Weeks()
	if err != nil {
		bad("window", "%v", err)
	}
	if len(d.Teams) < 2 {
		bad("teams", "%d; somebody has to be trained and somebody not yet", len(d.Teams))
	}
	for i, t := range d.Teams {
		if t == "" || i > 0 && t <= d.Teams[i-1] {
			bad(fmt.Sprintf("teams[%d]", i), "must be named, sorted and listed once")
		}
	}
	if sorted := slices.Sorted(slices.Values(d.Order)); !slices.Equal(sorted, d.Teams) {
		bad("order", "must list exactly the teams")
	}
	total := 0
	if len(d.Steps) == 0 {
		bad("steps", "required")
	}
	for i, s := range d.Steps {
		field := fmt.Sprintf("steps[%d]", i)
		total += max(s.Teams, 0)
		if s.Teams < 1 {
			bad(field+".teams", "must be at least 1")
		}
		if !monday(s.Week) {
			bad(field+".week", "must be a Monday, 00:00 UTC")
		}
		if i > 0 && !s.Week.After(d.Steps[i-1].Week) {
			bad(field+".week", "must be after the step before")
		}
		if err == nil && (!s.Week.After(from) || !s.Week.Before(to)) {
			bad(field+".week", "must lie inside the window and leave a week before it")
		}
	}
	if total > len(d.Teams) {
		bad("steps", "name %d teams, there are %d", total, len(d.Teams))
	}
	if len(d.Steps) == 1 && total == len(d.Teams) {
		bad("steps", "all teams start in the same week: nobody is left to compare with")
	}
	return errors.Join(errs...)
}

// groups is how many teams start at each step, and in the last place how many do not start.
func (d Drawn) groups() []int {
	var out []int
	rest := len(d.Teams)
	for _, s := range d.Steps {
		out, rest = append(out, s.Teams), rest-s.Teams
	}
	return append(out, rest)
}

// assignment is the group of each team, by the order of Teams.
func (d Drawn) assignment() []int {
	out := make([]int, len(d.Teams))
	k := 0
	for g, size := range d.groups() {
		for range size {
			i, _ := slices.BinarySearch(d.Teams, d.Order[k])
			out[i] = g
			k++
		}
	}
	return out
}

// Assignments is how many draws were possible: the multinomial coefficient of the groups.
// 3 of 6 teams give 20, 8 of 16 give 12,870.
func (d Drawn) Assignments() *big.Int {
	n, rest := big.NewInt(1), len(d.Teams)
	for _, size := range d.groups() {
		n.Mul(n, new(big.Int).Binomial(int64(rest), int64(size)))
		rest -= size
	}
	return n
}

// Week is the Monday, 00:00 UTC, of the ISO week that holds t.
func Week(t time.Time) time.Time {
	t = t.UTC()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7)
}

// LocalWeek is the date, as 00:00 UTC, of the Monday of the week that goes on in a zone.
func LocalWeek(now time.Time, zone *time.Location) time.Time {
	y, m, d := now.In(zone).Date()
	return Week(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
}

func monday(t time.Time) bool { return t.Equal(Week(t)) }
