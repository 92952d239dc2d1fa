package rollout

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var first = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func week(k int) time.Time { return first.AddDate(0, 0, 7*k) }

// slow computes what Estimate promises, from its description and without its code: teams by
// name, weeks by number, every order of all teams instead of every assignment.
type slow struct {
	teams []string
	begin map[string]int // the first trained week of each team; far for never
	pre   int
	weeks int
	y     map[string]map[int]float64
}

const far = 1 << 20

func (s slow) effect(begin map[string]int, y map[string]map[int]float64) (float64, bool) {
	num, den := 0.0, 0.0
	for w := s.pre; w < s.weeks; w++ {
		var trained, others []float64
		for _, t := range s.teams {
			v, ok := y[t][w]
			if !ok {
				continue
			}
			base, n := 0.0, 0.0
			for p := 0; p < s.pre; p++ {
				if b, ok := y[t][p]; ok {
					base, n = base+b, n+1
				}
			}
			if begin[t] <= w {
				trained = append(trained, v-base/n)
			} else {
				others = append(others, v-base/n)
			}
		}
		if len(trained) == 0 || len(others) == 0 {
			continue
		}
		a, b := 0.0, 0.0
		for _, v := range trained {
			a += v / float64(len(trained))
		}
		for _, v := range others {
			b += v / float64(len(others))
		}
		k := 1 / (1/float64(len(trained)) + 1/float64(len(others)))
		num, den = num+k*(a-b), den+k
	}
	return num / den, den > 0
}

// tails are the shares of orders whose effect is at most, and at least, the observed one
// once an effect of tau is taken off the trained team-weeks.
func (s slow) tails(starts []int, tau float64) (low, high float64) {
	y := map[string]map[int]float64{}
	for t, row := range s.y {
		y[t] = map[int]float64{}
		for w, v := range row {
			if s.begin[t] <= w {
				v -= tau
			}
			y[t][w] = v
		}
	}
	observed, _ := s.effect(s.begin, y)
	n := 0.0
	var order func(k int, left []string, begin map[string]int)
	order = func(k int, left []string, begin map[string]int) {
		if len(left) == 0 {
			n++
			e, ok := s.effect(begin, y)
			if !ok || e <= observed+1e-7 {
				low++
			}
			if !ok || e >= observed-1e-7 {
				high++
			}
			return
		}
		for i, t := range left {
			begin[t] = starts[k]
			rest := append(append([]string{}, left[:i]...), left[i+1:]...)
			order(k+1, rest, begin)
		}
	}
	order(0, s.teams, map[string]int{})
	return low / n, high / n
}

func TestEstimateMeetsTheSlowReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 6).Draw(t, "teams")
		pre, after := rapid.IntRange(1, 3).Draw(t, "pre"), rapid.IntRange(1, 4).Draw(t, "after")
		var teams []Team
		for i := range n {
			teams = append(teams, Team{fmt.Sprintf("t%d", i), 5})
		}
		var starts []Start
		var slots []int
		left := n
		for k := 0; k < after && left > 1; k++ {
			if size := rapid.IntRange(0, min(2, left-1)).Draw(t, "size"); size > 0 {
				starts = append(starts, Start{week(pre + k), size})
				left -= size
				for range size {
					slots = append(slots, pre+k)
				}
			}
		}
		if len(starts) == 0 {
			starts, slots, left = []Start{{week(pre), 1}}, []int{pre}, n-1
		}
		for range left {
			slots = append(slots, far)
		}
		plan := Plan{Rollout: "r", Module: "FX4", Metric: "pages", From: first, To: week(pre + after),
			Expect: rapid.SampledFrom([]Direction{Lower, Higher, Either}).Draw(t, "expect")}
		d, err := Draw(plan, teams, starts, int64(rapid.IntRange(0, 1000).Draw(t, "seed")))
		if err != nil {
			t.Fatal(err)
		}
		s := slow{begin: map[string]int{}, pre: slots[0], weeks: pre + after, y: map[string]map[int]float64{}}
		for k, team := range d.Order {
			s.begin[team] = slots[k]
		}
		var data []Value
		for i := range n {
			team := fmt.Sprintf("t%d", i)
			s.teams, s.y[team] = append(s.teams, team), map[int]float64{}
			for w := range pre + after {
				if w > 0 && rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
					continue
				}
				v := float64(rapid.IntRange(0, 12).Draw(t, "v")) // few values: ties are the rule
				data, s.y[team][w] = append(data, Value{team, week(w), v}), v
			}
		}
		want, ok := s.effect(s.begin, s.y)
		got, err := Estimate(data, d)
		if !ok {
			if err == nil {
				t.Fatal("an estimate of nothing")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Effect-want) > 1e-9 {
			t.Fatalf("effect %v, want %v", got.Effect, want)
		}
		low, high := s.tails(slots, 0)
		p, tail := low, 0.05
		switch plan.Expect {
		case Higher:
			p = high
		case Either:
			p, tail = min(1, 2*min(low, high)), 0.025
		}
		if math.Abs(got.P-p) > 1e-9 || got.P < got.SmallestP-1e-12 {
			t.Fatalf("p %v, smallest %v, want %v", got.P, got.SmallestP, p)
		}
		// Just inside an end the effect is not rejected, just outside it is.
		const step = 1e-4
		if _, high := s.tails(slots, -1e5); got.Low == nil && high <= tail+1e-12 {
			t.Fatal("the lower end is missing, and exists")
		}
		if low, _ := s.tails(slots, 1e5); got.High == nil && low <= tail+1e-12 {
			t.Fatal("the upper end is missing, and exists")
		}
		if got.Low != nil {
			_, in := s.tails(slots, *got.Low+step)
			_, out := s.tails(slots, *got.Low-step)
			if in <= tail+1e-12 || out > tail+1e-12 {
				t.Fatalf("the lower end %v: %v inside, %v outside", *got.Low, in, out)
			}
		}
		if got.High != nil {
			in, _ := s.tails(slots, *got.High-step)
			out, _ := s.tails(slots, *got.High+step)
			if in <= tail+1e-12 || out > tail+1e-12 {
				t.Fatalf("the upper end %v: %v inside, %v outside", *got.High, in, out)
			}
		}
	})
}
