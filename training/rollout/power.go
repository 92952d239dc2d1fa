package rollout

import (
	"fmt"
	"math"
	"math/big"
)

// power is what a plan aims at, the usual one.
const power = 0.8

// most is where the search for enough teams ends; no organisation has more.
const most = 2000

// Power is how often a roll-out to half of n teams finds an effect that is really there:
// spread is the standard deviation between teams of a team's movement (mean after less mean
// before the first start) and effect the change to be found, both on the same scale; for a
// ratio both on logarithms (40 % less is math.Log(0.6)).
//
// It is the t test's power, which the permutation test's nears: with ν = n−2 and
// λ = |effect| / (spread·√(4/n)),
//
//	power ≈ 1 − Φ( (t·(1 − 1/(4ν)) − λ) / √(1 + t²/(2ν)) )
//
// (Abramowitz and Stegun 26.7.10) at the quantile t of the share of a tail that the draw can
// attain, floor(N/20)/N of N = n over n/2 assignments (N/40 for either); where that is 0,
// nothing can be found. Stepped starts compare fewer team-weeks in full and find a little less.
func Power(n int, spread, effect float64, expect Direction) float64 {
	if n < 4 || n%2 == 1 {
		return 0
	}
	a := attainable(n, expect)
	switch {
	case a == 0 || effect == 0:
		return 0
	case spread == 0:
		return 1
	}
	v := float64(n - 2)
	lambda := math.Abs(effect) / (spread * math.Sqrt(4/float64(n)))
	t := studentQuantile(1-a, v)
	return 1 - normal((t*(1-1/(4*v))-lambda)/math.Sqrt(1+t*t/(2*v)))
}

// attainable is the largest share of a tail up to 5 % (2.5 % for either) that whole
// assignments make.
func attainable(n int, expect Direction) float64 {
	in := int64(alphaIn)
	if expect == Either {
		in *= 2
	}
	all := new(big.Int).Binomial(int64(n), int64(n/2))
	if !all.IsInt64() || all.Int64() > exactMost {
		return 1 / float64(in)
	}
	return float64(all.Int64()/in) / float64(all.Int64())
}

// Needed is the smallest even number of teams, half of them trained, that finds the effect
// in 80 % of roll-outs; ok is false where not even 2000 would.
func Needed(spread, effect float64, expect Direction) (teams int, ok bool) {
	for n := 4; n <= most; n += 2 {
		if Power(n, spread, effect, expect) >= power {
			return n, true
		}
	}
	return 0, false
}

// PowerNote says how many teams a change of so many percent would need, given the spread of
// a result. percent is negative for less, above −100.
func PowerNote(r Result, percent float64) (string, error) {
	effect := percent / 100
	switch {
	case percent <= -100 || percent == 0 || math.IsNaN(percent) || math.IsInf(percent, 0):
		return "", fmt.Errorf("percent: %v; must be above −100 and not 0", percent)
	case r.Drawn.Scale == Ratio:
		effect = math.Log1p(effect)
	default:
		effect *= r.Base
	}
	if r.Spread == 0 || effect == 0 {
		return "How many teams would be needed cannot be said: the teams so far show no spread.", nil
	}
	n, ok := Needed(r.Spread, effect, r.Drawn.Expect)
	if !ok {
		return fmt.Sprintf("A change of %s is too small against the spread between teams to be found by any number of teams up to %d.", signed(percent/100), most), nil
	}
	return fmt.Sprintf("About %d teams are needed to find a change of %s in 80 %% of roll-outs, half of them trained first; this one has %d.", n, signed(percent/100), r.Teams), nil
}

// normal is the standard normal distribution function.
func normal(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// studentQuantile is that of Student's t with v degrees of freedom, by bisection on its
// distribution function, which is summed in closed form (Abramowitz and Stegun 26.7.3, 26.7.4).
func studentQuantile(q, v float64) float64 {
	low, high := -1e3, 1e3
	for range 100 {
		if mid := (low + high) / 2; student(mid, int(v)) < q {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

func student(t float64, v int) float64 {
	theta := math.Atan(t / math.Sqrt(float64(v)))
	s, c := math.Sincos(theta)
	sum := 0.0
	if v%2 == 1 {
		term := c
		for k := 1; k <= v-2; k += 2 {
			sum += term
			term *= c * c * float64(k+1) / float64(k+2)
		}
		return 0.5 + (theta+s*sum)/math.Pi
	}
	term := 1.0
	for k := 0; k <= v-2; k += 2 {
		sum += term
		term *= c * c * float64(k+1) / float64(k+2)
	}
	return 0.5 + s*sum/2
}
