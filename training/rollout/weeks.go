package rollout

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Contrast is one week of the window as a reader sees it: the trained teams beside the others.
// Before the first start the trained are those who will be first. Means are in the metric's
// unit, geometric for ratios; nil without a value.
type Contrast struct {
	Week    time.Time
	Before  bool // the first start
	Trained int  // teams with a value
	NotYet  int
	Mean    *float64 // of the trained
	Others  *float64
	// Apart is how far the trained teams moved from their own weeks before the first start,
	// less how far the others did, on the scale of a result. Nil where nothing is compared.
	Apart *float64
}

// Weekly lists the weeks of a window. The effect of a result is the mean of Apart over the
// weeks from the first start on, weighted as Estimate says.
func Weekly(data []Value, d Drawn) ([]Contrast, error) {
	p, err := panelOf(data, d)
	if err != nil {
		return nil, err
	}
	group := d.assignment()
	out := make([]Contrast, len(p.weeks))
	for w, monday := range p.weeks {
		x := Contrast{Week: monday, Before: w < p.pre}
		var y, moved [2][]float64
		for i := range p.teams {
			v := p.y[i][w]
			if math.IsNaN(v) {
				continue
			}
			arm := 0
			if p.start[group[i]] <= w || x.Before && group[i] == 0 {
				arm = 1
			}
			base, _ := mean(p.y[i][:p.pre])
			y[arm], moved[arm] = append(y[arm], v), append(moved[arm], v-base)
		}
		x.NotYet, x.Trained = len(y[0]), len(y[1])
		x.Others, x.Mean = d.unit(y[0]), d.unit(y[1])
		if x.NotYet > 0 && x.Trained > 0 {
			a, _ := mean(moved[1])
			b, _ := mean(moved[0])
			apart := a - b
			if d.Scale == Ratio {
				apart = math.Expm1(apart)
			}
			x.Apart = &apart
		}
		out[w] = x
	}
	return out, nil
}

// unit is the mean of values on the draw's scale, in the metric's unit.
func (d Drawn) unit(values []float64) *float64 {
	m, n := mean(values)
	if n == 0 {
		return nil
	}
	if d.Scale == Ratio {
		m = math.Exp(m)
	}
	return &m
}

// Started is the start of each team that starts inside the window, by team.
func (d Drawn) Started() map[string]time.Time {
	out, k := map[string]time.Time{}, 0
	for _, s := range d.Steps {
		for range s.Teams {
			out[d.Order[k]] = s.Week
			k++
		}
	}
	return out
}

// Reproduce is nil if the order is the one that the seed gives: drawing again by the
// published teams and seed must end where the publication did.
func (d Drawn) Reproduce() error {
	if err := d.Validate(); err != nil {
		return err
	}
	if again := shuffled(d.Teams, d.Seed); !slices.Equal(again, d.Order) {
		return fmt.Errorf("order: seed %d gives %v, the draw says %v", d.Seed, again, d.Order)
	}
	return nil
}

// MaxSeed is the largest seed.
const MaxSeed = maxSeed

// Amount writes an effect on the scale of a result as its words do.
func (r Result) Amount(effect float64) string { return r.amount(effect) }
