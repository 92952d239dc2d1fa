package rollout

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func teams(n int) []Team {
	var out []Team
	for i := range n {
		out = append(out, Team{fmt.Sprintf("team-%02d", i), 6})
	}
	return out
}

func plan(pre, after int) Plan {
	return Plan{Rollout: "queues-2026", Module: "FX4", Metric: "pages", From: first, To: week(pre + after)}
}

func draw(t testing.TB, p Plan, n int, steps []Start, seed int64) Drawn {
	t.Helper()
	d, err := Draw(p, teams(n), steps, seed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAssignments(t *testing.T) {
	for _, c := range []struct {
		n     int
		steps []Start
		want  string
		p     float64
	}{
		{6, []Start{{week(2), 3}}, "20", 0.05},
		{16, []Start{{week(2), 8}}, "12870", 1.0 / 12870},
		{6, []Start{{week(2), 2}, {week(3), 2}, {week(4), 2}}, "90", 1.0 / 90},
		{40, []Start{{week(2), 10}, {week(3), 10}, {week(4), 10}}, "4705360871073570227520", 0},
	} {
		d := draw(t, plan(2, 4), c.n, c.steps, 1)
		if got := d.Assignments().String(); got != c.want {
			t.Errorf("%d teams: %s draws, want %s", c.n, got, c.want)
		}
		if c.p > 0 && d.SmallestP() != c.p {
			t.Errorf("%d teams: smallest p %v, want %v", c.n, d.SmallestP(), c.p)
		}
		seen, n := map[string]bool{}, 0
		count, exact := assignments(d, func(g []int) { seen[fmt.Sprint(g)], n = true, n+1 })
		if count != n || exact && (len(seen) != n || fmt.Sprint(n) != c.want) || !exact && n != sampled+1 || !seen[fmt.Sprint(d.assignment())] {
			t.Errorf("%d teams: %d visited, %d different, exact %v", c.n, n, len(seen), exact)
		}
	}
}

// Every team comes first equally often, and a draw never changes with the version.
func TestDrawIsFairAndStable(t *testing.T) {
	d := draw(t, plan(2, 4), 6, []Start{{week(2), 3}}, 42)
	if want := []string{"team-02", "team-04", "team-00", "team-03", "team-01", "team-05"}; !slices.Equal(d.Order, want) {
		t.Errorf("seed 42 gives %v, it gave %v", d.Order, want)
	}
	mixed := teams(6)
	slices.Reverse(mixed)
	if again, err := Draw(plan(2, 4), mixed, []Start{{week(2), 3}}, 42); err != nil || !reflect.DeepEqual(d, again) {
		t.Errorf("the order of the teams changed the draw: %v, %v", again, err)
	}
	got := map[string]int{}
	const runs = 6000
	for seed := range int64(runs) {
		got[strings.Join(slices.Sorted(slices.Values(draw(t, plan(2, 4), 6, []Start{{week(2), 3}}, seed).Order[:3])), " ")]++
	}
	chi := 0.0
	for _, n := range got {
		chi += math.Pow(float64(n)-runs/20, 2) / (runs / 20)
	}
	if len(got) != 20 || chi > 50 { // 19 degrees of freedom: above 43.8 in one of 1,000
		t.Errorf("%d of 20 assignments, χ² %.1f", len(got), chi)
	}
}

func TestDrawEvent(t *testing.T) {
	d := draw(t, plan(2, 4), 6, []Start{{week(3), 1}, {week(2), 3}}, 1<<53-1)
	e, err := d.Event(week(1))
	if err != nil {
		t.Fatal(err)
	}
	again, _ := d.Event(week(1))
	if e.ID != again.ID || e.Subject != "steward:rollout:queues-2026" {
		t.Errorf("%s and %s, subject %s", e.ID, again.ID, e.Subject)
	}
	back, err := Read(e.Data)
	if err != nil || !reflect.DeepEqual(back, d) {
		t.Errorf("%v %+v", err, back)
	}
	if _, err := d.Event(week(2)); err == nil || !strings.HasPrefix(err.Error(), "at:") {
		t.Errorf("published at the first start: %v", err)
	}
}

func TestDrawRefuses(t *testing.T) {
	ok := []Start{{week(2), 3}}
	for field, change := range map[string]func(*Plan, *[]Team, *[]Start, *int64){
		"rollout":         func(p *Plan, _ *[]Team, _ *[]Start, _ *int64) { p.Rollout = "" },
		"scale":           func(p *Plan, _ *[]Team, _ *[]Start, _ *int64) { p.Scale = "log" },
		"expect":          func(p *Plan, _ *[]Team, _ *[]Start, _ *int64) { p.Expect = "better" },
		"window":          func(p *Plan, _ *[]Team, _ *[]Start, _ *int64) { p.From = first.Add(24 * time.Hour) },
		"seed":            func(_ *Plan, _ *[]Team, _ *[]Start, s *int64) { *s = -1 },
		"teams[1].people": func(_ *Plan, ts *[]Team, _ *[]Start, _ *int64) { (*ts)[1].People = 2 },
		"teams[1]":        func(_ *Plan, ts *[]Team, _ *[]Start, _ *int64) { (*ts)[1].ID = (*ts)[0].ID },
		"steps":           func(_ *Plan, _ *[]Team, s *[]Start, _ *int64) { (*s)[0].Teams = 6 },
		"steps[0].teams":  func(_ *Plan, _ *[]Team, s *[]Start, _ *int64) { (*s)[0].Teams = 0 },
		"steps[0].week":   func(_ *Plan, _ *[]Team, s *[]Start, _ *int64) { (*s)[0].Week = first },
		"steps[1].week":   func(_ *Plan, _ *[]Team, s *[]Start, _ *int64) { *s = append(*s, Start{week(2), 1}) },
	} {
		p, ts, s, seed := plan(2, 4), teams(6), slices.Clone(ok), int64(1)
		change(&p, &ts, &s, &seed)
		if _, err := Draw(p, ts, s, seed); err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Six teams with 10 before; 6 after where trained and 10 where not: the effect is −4, no
// other of the 20 draws gives as low a figure, so p is 1/20.
func TestEstimateByHand(t *testing.T) {
	d := draw(t, plan(2, 2), 6, []Start{{week(2), 3}}, 3)
	var data []Value
	for k, team := range d.Order {
		for w := range 4 {
			v := 10.0
			if w >= 2 && k < 3 {
				v = 6
			}
			data = append(data, Value{team, week(w), v})
		}
	}
	r, err := Estimate(data, d)
	if err != nil {
		t.Fatal(err)
	}
	if r.Effect != -4 || r.P != 0.05 || r.SmallestP != 0.05 || r.Computed != 20 || !r.Exact || r.Claim() != Lower {
		t.Errorf("%+v", r)
	}
	if *r.Low != -4 || *r.High != -4 || r.Level != 90 {
		t.Errorf("interval %v %v", *r.Low, *r.High)
	}
	if r.Teams != 6 || r.Trained != 3 || r.TrainedWeeks != 6 || r.NotYetWeeks != 6 || r.PreWeeks != 2 || r.ComparedWeeks != 2 || r.Base != 10 || *r.PreDrift != 0 {
		t.Errorf("%+v", r)
	}
	// The same two-sided: its mirror image is as extreme, and nothing can be claimed.
	d.Expect = Either
	if r, err = Estimate(data, d); err != nil || r.P != 0.1 || r.SmallestP != 0.1 || r.Low != nil || r.Claim() != "" {
		t.Errorf("%v %+v", err, r)
	}
	// As a ratio it is 40 % less.
	d.Expect, d.Scale = Lower, Ratio
	if r, err = Estimate(data, d); err != nil || math.Abs(r.Effect+0.4) > 1e-9 || math.Abs(*r.High+0.4) > 1e-9 || math.Abs(r.Base-10) > 1e-9 {
		t.Errorf("%v %+v", err, r)
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestEstimateRefuses(t *testing.T) {
	d := draw(t, plan(2, 2), 6, []Start{{week(2), 3}}, 3)
	full := func() []Value {
		var out []Value
		for _, team := range d.Teams {
			for w := range 4 {
				out = append(out, Value{team, week(w), 1})
			}
		}
		return out
	}
	for want, change := range map[string]func([]Value) []Value{
		"data[0].team:":  func(v []Value) []Value { v[0].Team = "nobody"; return v },
		"data[1].week:":  func(v []Value) []Value { v[1].Week = week(9); return v },
		"data[2].value:": func(v []Value) []Value { v[2].Value = math.NaN(); return v },
		"data[24]:":      func(v []Value) []Value { return append(v, v[0]) },
		"teams[0]":       func(v []Value) []Value { return v[2:] },
		"no week has": func(v []Value) []Value {
			return slices.DeleteFunc(v, func(v Value) bool { return !v.Week.Before(week(2)) })
		},
	} {
		if _, err := Estimate(change(full()), d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	d.Scale = Ratio
	if v := full(); true {
		v[3].Value = 0
		if _, err := Estimate(v, d); err == nil || !strings.Contains(err.Error(), "data[3].value:") {
			t.Errorf("%v", err)
		}
	}
}

func TestWords(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	d := draw(t, plan(8, 8), 6, []Start{{week(8), 3}}, 42)
	r := Result{Drawn: d, Low: f(-4.5), High: f(6), Level: 90, Effect: -1, P: 0.35, SmallestP: 0.05, Draws: "20", Computed: 20, Exact: true,
		Teams: 6, Trained: 3, TrainedWeeks: 24, NotYetWeeks: 24, PreWeeks: 8, ComparedWeeks: 8, Base: 10, Spread: 2, PreDrift: f(0.3)}
	want := []string{
		"−45 % to +60 % (90 % interval; 6 teams, 24 team-weeks after training against 24 without). The best estimate of the change in pages per week is −10 %.",
		"p = 0.35 from 20 possible draws, all of them computed; the smallest p this draw could give is 0.05.",
		"A difference in pages per week is not shown, and neither is its absence: the interval says what remains possible.",
		"Before the first start, 8 weeks are compared, in which the first teams moved by +3 % against the others, by chance alone.",
		"Decided before looking: metric pages, window 2026-01-05 to 2026-04-27, the test that it falls, measured as a difference, teams drawn by seed 42: 3 from 2026-03-02.",
	}
	if got := Words(r, "pages per week"); !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	r.High, r.Effect, r.P = f(-0.5), -2.5, 0.05
	if got := Words(r, "pages per week")[2]; !strings.HasPrefix(got, "Trained teams had lower pages per week") {
		t.Error(got)
	}
	r.Drawn.Expect, r.SmallestP, r.P, r.Low, r.High = Either, 0.1, 0.1, nil, nil
	if got := Words(r, "pages per week"); !strings.HasPrefix(got[0], "No 90 % interval can be given (6 teams") || !strings.HasPrefix(got[2], "This draw is too small") {
		t.Error(got)
	}
	r.Drawn.Expect, r.SmallestP, r.P, r.Low, r.High = Lower, 0.05, 1, f(1), f(3)
	if got := Words(r, "pages per week")[2]; !strings.HasPrefix(got, "Teams moved against what was hoped for") {
		t.Error(got)
	}
	for p, want := range map[float64]string{1.0 / 12870: "0.000078", 0.0500001: "0.051", 0.05: "0.05", 1: "1", 643.0 / 12870: "0.05", 0.349: "0.35"} {
		if got := probability(p); got != want {
			t.Errorf("p %v is written %s, want %s", p, got, want)
		}
	}
}

// No text claims more than the figures: without a claim no word of success, always n before
// the point, and never a team or a person by name.
func TestWordsNeverClaimWithoutProof(t *testing.T) {
	d := draw(t, plan(4, 4), 6, []Start{{week(4), 3}}, 5)
	for seed := range int64(200) {
		r := source(seed, 9)
		var data []Value
		for _, team := range d.Teams {
			for w := range 8 {
				data = append(data, Value{team, week(w), float64(below(r, 20))})
			}
		}
		res, err := Estimate(data, d)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(Words(res, "pages"), " ")
		if claims := strings.Contains(text, "Trained teams had"); claims != (res.Claim() != "") || claims && res.P > 0.05 {
			t.Fatalf("p %v: %s", res.P, text)
		}
		if strings.Index(text, "6 teams") > strings.Index(text, "best estimate") || strings.Contains(text, "team-0") {
			t.Fatal(text)
		}
	}
}
