package rollout

import (
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// STEWARD_ROLLOUT_RUNS makes the simulation long; docs say what 1,000 runs gave.
func runs(t *testing.T, short int) int {
	if v := os.Getenv("STEWARD_ROLLOUT_RUNS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatalf("STEWARD_ROLLOUT_RUNS: %v", err)
		}
		return n
	}
	return short
}

// organisation simulates weekly values as they are: teams of very different load, a season
// that all share, bad weeks of one team that last, and factor on what training changed.
type organisation struct {
	counts bool    // incidents a week, many of them 0; else hours, skewed to the right
	spread float64 // of a team-week, on logarithms
	last   float64 // how much of a bad week stays in the next one
	factor float64
}

func (o organisation) values(r *rand.Rand, d Drawn, weeks int) []Value {
	begin := map[string]int{}
	k := 0
	for _, s := range d.Steps {
		for range s.Teams {
			begin[d.Order[k]] = int(s.Week.Sub(first).Hours() / 168)
			k++
		}
	}
	season := make([]float64, weeks)
	for w := range season {
		season[w] = r.NormFloat64() * 0.3
	}
	var out []Value
	for _, team := range d.Teams {
		level, noise := 1.5+r.NormFloat64(), 0.0
		for w := range weeks {
			fresh := r.NormFloat64() * o.spread
			noise = o.last*noise + math.Sqrt(1-o.last*o.last)*fresh
			v := math.Exp(level + season[w] + noise)
			if b, ok := begin[team]; ok && w >= b {
				v *= o.factor
			}
			if o.counts {
				v = float64(poisson(r, v))
			}
			out = append(out, Value{team, week(w), v})
		}
	}
	return out
}

func poisson(r *rand.Rand, mean float64) int {
	if mean > 200 {
		return int(max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n, p, limit := 0, r.Float64(), math.Exp(-mean)
	for ; p > limit; n++ {
		p *= r.Float64()
	}
	return n
}

// share is how many of n simulated roll-outs claim something. Each has its own draw.
func share(t *testing.T, n int, p Plan, size int, steps []Start, o organisation) float64 {
	claims := 0
	for run := range n {
		d := draw(t, p, size, steps, int64(run))
		_, to, _ := d.Weeks()
		r, err := Estimate(o.values(rand.New(rand.NewPCG(uint64(run), 77)), d, int(to.Sub(first).Hours()/168)), d)
		if err != nil {
			t.Fatal(err)
		}
		if r.Claim() != "" {
			claims++
		}
	}
	return float64(claims) / float64(n)
}

// tolerance is 3.3 standard deviations of a share: one false alarm in 1,000 runs of the test.
func tolerance(p float64, n int) float64 { return 3.3 * math.Sqrt(p*(1-p)/float64(n)) }

func TestNoEffectIsRarelyClaimed(t *testing.T) {
	n := runs(t, 300)
	for _, c := range []struct {
		name  string
		plan  Plan
		teams int
		steps []Start
		org   organisation
	}{
		{"counts, one step", plan(8, 8), 8, []Start{{week(8), 4}}, organisation{true, 0.5, 0.6, 1}},
		{"counts, three steps", plan(6, 9), 6, []Start{{week(6), 2}, {week(9), 2}, {week(12), 2}}, organisation{true, 0.5, 0.6, 1}},
		{"hours, two-sided", with(plan(8, 8), Ratio, Either), 9, []Start{{week(8), 3}, {week(11), 3}}, organisation{false, 0.8, 0.8, 1}},
		{"few teams", plan(4, 4), 6, []Start{{week(4), 3}}, organisation{true, 0.5, 0, 1}},
	} {
		got := share(t, n, c.plan, c.teams, c.steps, c.org)
		t.Logf("%s: claimed in %.1f %% of %d roll-outs without effect", c.name, 100*got, n)
		if got > 0.05+tolerance(0.05, n) {
			t.Errorf("%s: an effect is claimed in %.1f %% of %d roll-outs without any", c.name, 100*got, n)
		}
	}
}

func with(p Plan, s Scale, e Direction) Plan { p.Scale, p.Expect = s, e; return p }

// A true reduction by 40 % is found as often as Power says, at the number of teams that
// Needed gives and beside it.
func TestTrueEffectIsFoundAsOftenAsStated(t *testing.T) {
	n := runs(t, 250)
	// Weeks independent of each other: a team's movement is the mean of 8 less that of 8.
	const weekly = 0.6
	spread, effect := weekly*math.Sqrt(1.0/8+1.0/8), math.Log(0.6)
	need, ok := Needed(spread, effect, Lower)
	if !ok || need < 6 || need > 14 {
		t.Fatalf("needed %d, %v", need, ok)
	}
	for _, size := range []int{6, need, need + 2} {
		stated := Power(size, spread, effect, Lower)
		got := share(t, n, with(plan(8, 8), Ratio, Lower), size, []Start{{week(8), size / 2}}, organisation{false, weekly, 0, 0.6})
		t.Logf("%d teams: found in %.1f %% of %d roll-outs, stated %.1f %%", size, 100*got, n, 100*stated)
		if math.Abs(got-stated) > tolerance(stated, n)+0.02 { // 0.02: the formula is the t test's
			t.Errorf("%d teams: found in %.1f %% of %d roll-outs, stated %.1f %%", size, 100*got, n, 100*stated)
		}
	}
	if p := Power(need, spread, effect, Lower); p < power {
		t.Errorf("%d teams give a power of %v only", need, p)
	}
}

// The spread that a result reports, and a power note rests on, is the true one on average,
// with and without an effect.
func TestSpreadIsTheTrueOne(t *testing.T) {
	n, squares := 200, 0.0
	for run := range n {
		d := draw(t, with(plan(8, 8), Ratio, Lower), 10, []Start{{week(8), 5}}, int64(run))
		r, err := Estimate(organisation{false, 0.6, 0, 0.6}.values(rand.New(rand.NewPCG(uint64(run), 5)), d, 16), d)
		if err != nil {
			t.Fatal(err)
		}
		squares += r.Spread * r.Spread / float64(n)
	}
	if got := math.Sqrt(squares); math.Abs(got-0.3) > 0.02 { // √(0.36/8 + 0.36/8)
		t.Errorf("spread %v, want 0.3", got)
	}
}

func TestPowerByTheTables(t *testing.T) {
	for _, c := range []struct{ q, v, want float64 }{{0.95, 4, 2.1318}, {0.95, 5, 2.0150}, {0.975, 10, 2.2281}, {0.95, 30, 1.6973}, {0.5, 7, 0}} {
		if got := studentQuantile(c.q, c.v); math.Abs(got-c.want) > 1e-4 {
			t.Errorf("t(%v, %v) = %v, want %v", c.q, c.v, got, c.want)
		}
	}
	// Two groups of 17, one spread apart in units of the spread 1: the tables give 0.80 to 0.81
	// two-sided at effect 1 and 0.88 one-sided.
	if two, one := Power(34, 1, 1, Either), Power(34, 1, 1, Lower); math.Abs(two-0.807) > 0.01 || math.Abs(one-0.888) > 0.01 {
		t.Errorf("%v two-sided, %v one-sided", two, one)
	}
	if Power(4, 0.01, 1, Lower) != 0 || Power(6, 0.01, 1, Either) != 0 || Power(6, 0.01, 1, Lower) < 0.99 {
		t.Error("4 teams one-sided and 6 two-sided can show nothing, 6 one-sided can")
	}
}

func TestPowerNote(t *testing.T) {
	d := draw(t, plan(2, 2), 6, []Start{{week(2), 3}}, 3)
	r := Result{Drawn: d, Teams: 6, Base: 10, Spread: 4}
	text, err := PowerNote(r, -40)
	if want := "About 28 teams are needed to find a change of −40 % in 80 % of roll-outs, half of them trained first; this one has 6."; err != nil || text != want {
		t.Error(text, err)
	}
	if text, err = PowerNote(r, -0.1); err != nil || text != "A change of −0.1 % is too small against the spread between teams to be found by any number of teams up to 2000." {
		t.Error(text, err)
	}
	if _, err = PowerNote(r, -100); err == nil {
		t.Error("−100 % is accepted")
	}
}
