package rollout

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Value is the metric of one team in one week: the ISO week's Monday, 00:00 UTC. A week in
// which the metric has no value, as a median without incidents, is left out, not written as 0.
type Value struct {
	Team  string
	Week  time.Time
	Value float64
}

// panel is the values as the test needs them: one row a team, one column a week.
type panel struct {
	teams []string
	weeks []time.Time
	pre   int         // the columns before the first start
	y     [][]float64 // on the draw's scale; NaN where there is none
	moved [][]float64 // y less the team's own mean before the first start; columns from pre on
	start []int       // of each group: the first column in which its teams are trained; past the end for never
}

// panelOf reads the values inside the draw's window. Values of other teams and weeks are an
// error and not left out, since a figure over the wrong data looks like any other.
func panelOf(data []Value, d Drawn) (*panel, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("draw: %w", err)
	}
	from, to, err := d.Weeks()
	if err != nil {
		return nil, fmt.Errorf("draw: window: %w", err)
	}
	p := &panel{teams: d.Teams}
	for w := from; w.Before(to); w = w.AddDate(0, 0, 7) {
		p.weeks = append(p.weeks, w)
	}
	column := func(w time.Time) int { return int(w.Sub(from).Hours() / (7 * 24)) }
	for _, s := range d.Steps {
		p.start = append(p.start, column(s.Week))
	}
	p.pre = p.start[0]
	p.start = append(p.start, len(p.weeks))
	for range p.teams {
		p.y = append(p.y, slices.Repeat([]float64{math.NaN()}, len(p.weeks)))
	}
	for i, v := range data {
		team, known := slices.BinarySearch(p.teams, v.Team)
		switch {
		case !known:
			return nil, fmt.Errorf("data[%d].team: not in the draw", i)
		case !monday(v.Week) || v.Week.Before(from) || !v.Week.Before(to):
			return nil, fmt.Errorf("data[%d].week: must be a Monday, 00:00 UTC, in %s", i, d.Window)
		case math.IsNaN(v.Value) || math.IsInf(v.Value, 0):
			return nil, fmt.Errorf("data[%d].value: must be finite", i)
		case d.Scale == Ratio && v.Value <= 0:
			return nil, fmt.Errorf("data[%d].value: %v; a ratio needs values above zero", i, v.Value)
		case !math.IsNaN(p.y[team][column(v.Week)]):
			return nil, fmt.Errorf("data[%d]: a second value for the same team and week", i)
		}
		y := v.Value
		if d.Scale == Ratio {
			y = math.Log(y)
		}
		p.y[team][column(v.Week)] = y
	}
	for i, row := range p.y {
		base, n := mean(row[:p.pre])
		if n == 0 {
			return nil, fmt.Errorf("data: no value before the first start for teams[%d]: its own past is what it is compared with", i)
		}
		moved := make([]float64, 0, len(row)-p.pre)
		for _, y := range row[p.pre:] {
			moved = append(moved, y-base)
		}
		p.moved = append(p.moved, moved)
	}
	return p, nil
}

// mean is that of the values there are, and how many those are; NaN and 0 for none.
func mean(row []float64) (float64, int) {
	sum, n := 0.0, 0
	for _, y := range row {
		if !math.IsNaN(y) {
			sum, n = sum+y, n+1
		}
	}
	return sum / float64(n), n
}

// effect is the difference in differences under an assignment of teams to groups:
//
//	effect = Σ over weeks w of  k(w) · (mean of moved over trained teams − over not yet trained teams) / Σ k(w)
//	k(w)   = t·u/(t+u), of t trained and u not yet trained teams with a value in that week
//
// which is the weight that a week's precision gives it. Weeks in which everybody or nobody
// is trained compare nothing and have weight 0. ok is false where no week compares anything.
func (p *panel) effect(moved [][]float64, group []int) (effect float64, ok bool) {
	sum, weights := 0.0, 0.0
	for w := range len(p.weeks) - p.pre {
		var st, su, t, u float64
		for i, row := range moved {
			switch y := row[w]; {
			case math.IsNaN(y):
			case p.start[group[i]] <= w+p.pre:
				st, t = st+y, t+1
			default:
				su, u = su+y, u+1
			}
		}
		if t > 0 && u > 0 {
			k := t * u / (t + u)
			sum, weights = sum+k*(st/t-su/u), weights+k
		}
	}
	return sum / weights, weights > 0
}

// treated is the panel of "trained by then" under an assignment, 1 or 0, missing where a
// value is: what an added effect of 1 would look like.
func (p *panel) treated(group []int) [][]float64 {
	out := make([][]float64, len(p.moved))
	for i, row := range p.moved {
		for w, y := range row {
			switch {
			case math.IsNaN(y):
			case p.start[group[i]] <= w+p.pre:
				y = 1
			default:
				y = 0
			}
			out[i] = append(out[i], y)
		}
	}
	return out
}
