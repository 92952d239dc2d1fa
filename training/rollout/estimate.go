package rollout

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Result is an estimate with all that must be shown beside it. Effects are on the scale of
// the draw: a difference in the metric's unit, or the relative change (−0.4 for 40 % less).
type Result struct {
	Drawn Drawn `json:"drawn"`

	Low    *float64 `json:"low"` // nil: unbounded, the draw is too small for an end
	High   *float64 `json:"high"`
	Level  int      `json:"level"` // of the interval, in percent: 90 one-sided, 95 two-sided
	Effect float64  `json:"effect"`

	P         float64 `json:"p"`
	SmallestP float64 `json:"smallest_p"` // the least p that any data could give under this draw
	Draws     string  `json:"draws"`      // how many draws were possible
	Computed  int     `json:"computed"`   // of which so many were computed
	Exact     bool    `json:"exact"`      // which is all of them

	Teams         int     `json:"teams"`
	Trained       int     `json:"trained"`        // teams trained in a week that is compared
	TrainedWeeks  int     `json:"trained_weeks"`  // team-weeks after training, in weeks that are compared
	NotYetWeeks   int     `json:"not_yet_weeks"`  // team-weeks not yet trained, in the same weeks
	PreWeeks      int     `json:"pre_weeks"`      // weeks before the first start
	ComparedWeeks int     `json:"compared_weeks"` // weeks with both trained and not yet trained teams
	Base          float64 `json:"base"`           // mean of the metric before the first start; geometric for ratios
	Spread        float64 `json:"spread"`         // of a team's movement, see PowerNote; on logarithms for ratios

	Pre []PreWeek `json:"pre"`
	// PreDrift is how far the teams of the first step moved against the others inside the
	// pre-period, from its first half to its second. Chance drew the teams, so it is
	// chance; a large one warns that the effect may be too. Nil with less than two weeks.
	PreDrift *float64 `json:"pre_drift"`
}

// PreWeek is one week before the first start: the mean of the teams of the first step and
// of the others, nil without a value.
type PreWeek struct {
	Week   time.Time `json:"week"`
	First  *float64  `json:"first"`
	Others *float64  `json:"others"`
}

// alpha is the share of a tail, 1/20: what is called a result happens by chance in at most
// this share of roll-outs without any effect.
const alphaIn = 20

// Estimate computes the effect of the training on the draw's metric.
//
//	effect: see (*panel).effect; a draw's weeks are compared only while some team is not trained
//	p:      the share of assignments whose effect is as low (expect lower) or as high (higher) as the
//	        observed one, itself counted; for either, twice the smaller of the two, at most 1
//	level:  90 % for lower and higher, 95 % for either: both ends by the same tail as the test
//
// The interval inverts the test. Under a constant effect τ, τ taken off the trained
// team-weeks leaves what would have been without training, so τ is rejected where too few
// assignments are as extreme on those. The effect is linear in the data, so assignment π has
// there e(π) − τ·c(π), with c(π) the effect that an added 1 for the trained would have under
// π, and the observed one e − τ. π is as low as the observed at all τ ≤ r(π) = (e − e(π))/(1 − c(π)),
// and as high at all τ ≥ r(π); where c(π) = 1, as for the observed one itself, it is so at
// every τ or at none. So the ends are order statistics of r, exactly, without a search.
//
// The percentages of a difference take Base as given.
func Estimate(data []Value, d Drawn) (Result, error) {
	p, err := panelOf(data, d)
	if err != nil {
		return Result{}, err
	}
	observed := d.assignment()
	e, ok := p.effect(p.moved, observed)
	if !ok {
		return Result{}, fmt.Errorf("data: no week has values of both trained and not yet trained teams")
	}
	// Two assignments that differ only by rounding are equal; a tie counts against a claim.
	tie := 1e-9 * (1 + p.largest())
	one := p.treated(observed)
	var r []float64
	low, high := 0, 0
	lowAlways, highAlways := 0, 0 // of these, the ones that are so at every τ
	n, exact := assignments(d, func(group []int) {
		ep, ok := p.effect(p.moved, group)
		asLow, asHigh := !ok || ep <= e+tie, !ok || ep >= e-tie // what compares nothing is as extreme as anything
		c, _ := p.effect(one, group)
		fixed := !ok || c > 1-1e-9
		if !fixed {
			r = append(r, (e-ep)/(1-c))
		}
		low, lowAlways = low+count(asLow), lowAlways+count(asLow && fixed)
		high, highAlways = high+count(asHigh), highAlways+count(asHigh && fixed)
	})
	out := Result{Drawn: d, Effect: e, Draws: d.Assignments().String(), Computed: n, Exact: exact, Teams: len(d.Teams), Level: 90}
	tail, least := n/alphaIn, 1/float64(n)
	switch d.Expect {
	case Lower:
		out.P = float64(low) / float64(n)
	case Higher:
		out.P = float64(high) / float64(n)
	case Either:
		out.P, out.Level = min(1, 2*float64(min(low, high))/float64(n)), 95
		tail, least = n/(2*alphaIn), min(1, 2/float64(n))
	}
	out.SmallestP = max(d.SmallestP(), least)
	slices.Sort(r)
	// An effect is kept while more than tail assignments are as extreme: tail+1 of them, some
	// of which are so everywhere.
	if m := tail + 1 - highAlways; m > 0 && m <= len(r) {
		bottom := r[m-1]
		out.Low = &bottom
	}
	if m := tail + 1 - lowAlways; m > 0 && m <= len(r) {
		top := r[len(r)-m]
		out.High = &top
	}
	p.describe(&out, observed)
	if d.Scale == Ratio {
		out.Effect = math.Expm1(out.Effect)
		for _, end := range []*float64{out.Low, out.High, out.PreDrift} {
			if end != nil {
				*end = math.Expm1(*end)
			}
		}
	}
	return out, nil
}

// SmallestP is the least p that a draw can give, whatever the data: the observed assignment
// alone of all, twice that for a two-sided test. 3 of 6 teams give 1/20.
func (d Drawn) SmallestP() float64 {
	n, _ := d.Assignments().Float64()
	if d.Expect == Either {
		return min(1, 2/n)
	}
	return 1 / n
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

func (p *panel) largest() float64 {
	out := 0.0
	for _, row := range p.moved {
		for _, y := range row {
			if !math.IsNaN(y) {
				out = max(out, math.Abs(y))
			}
		}
	}
	return out
}

// describe fills in n, the pre-period and the spread.
func (p *panel) describe(out *Result, group []int) {
	trained := map[int]bool{}
	apart := make([][]float64, len(p.teams)) // each team's distance from its arm's mean, week by week
	for w := range len(p.weeks) - p.pre {
		var arm [2][]int
		var values [2][]float64
		for i := range p.teams {
			if y := p.moved[i][w]; !math.IsNaN(y) {
				a := 0
				if p.start[group[i]] <= w+p.pre {
					a = 1
				}
				arm[a], values[a] = append(arm[a], i), append(values[a], y)
			}
		}
		if len(arm[0]) == 0 || len(arm[1]) == 0 {
			continue
		}
		out.ComparedWeeks++
		out.NotYetWeeks += len(arm[0])
		out.TrainedWeeks += len(arm[1])
		for a := range arm {
			m, _ := mean(values[a])
			for k, i := range arm[a] {
				apart[i] = append(apart[i], values[a][k]-m)
				if a == 1 {
					trained[i] = true
				}
			}
		}
	}
	out.Trained, out.PreWeeks = len(trained), p.pre
	squares, n := 0.0, 0
	for _, row := range apart {
		if m, k := mean(row); k > 0 {
			squares, n = squares+m*m, n+1
		}
	}
	if n > 2 {
		out.Spread = math.Sqrt(squares / float64(n-2))
	}
	var all, first, others []float64
	for w := range p.pre {
		var f, o []float64
		for i := range p.teams {
			if group[i] == 0 {
				f = append(f, p.y[i][w])
			} else {
				o = append(o, p.y[i][w])
			}
		}
		all = append(append(all, f...), o...)
		fm, fn := mean(f)
		om, on := mean(o)
		first, others = append(first, fm), append(others, om)
		out.Pre = append(out.Pre, PreWeek{p.weeks[w], out.shown(fm, fn), out.shown(om, on)})
	}
	out.Base, _ = mean(all)
	if out.Drawn.Scale == Ratio {
		out.Base = math.Exp(out.Base)
	}
	half := p.pre / 2
	if half == 0 {
		return
	}
	f1, a := mean(first[:half])
	f2, b := mean(first[half:])
	o1, c := mean(others[:half])
	o2, e := mean(others[half:])
	if a > 0 && b > 0 && c > 0 && e > 0 {
		drift := (f2 - f1) - (o2 - o1)
		out.PreDrift = &drift
	}
}

// shown is a mean in the metric's unit.
func (r *Result) shown(m float64, n int) *float64 {
	if n == 0 {
		return nil
	}
	if r.Drawn.Scale == Ratio {
		m = math.Exp(m)
	}
	return &m
}

// Claim is the direction of a result, empty for none. There is one only where p is at most
// 0.05 and the interval excludes no change; a page must not draw an arrow without it.
func (r Result) Claim() Direction {
	switch {
	case r.P > 1.0/alphaIn:
		return ""
	case r.High != nil && *r.High < 0:
		return Lower
	case r.Low != nil && *r.Low > 0:
		return Higher
	}
	return ""
}
