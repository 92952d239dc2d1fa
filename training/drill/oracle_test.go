package drill

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// slowScore reads the score's description once more, by itself: actions by their text, every
// part as a loop over all steps, cadence second by second, without the package's helpers.
func slowScore(d Drill, steps []Step) (points map[string]float64, of map[string]float64, score float64) {
	possible := slowReplay(d, steps)
	share := map[string]float64{}

	// The trainee's time.
	mitigated := math.Inf(1)
	chosen := map[string]string{}
	hasMitigation := false
	for _, q := range d.Decisions {
		hasMitigation = hasMitigation || q.Mitigates
	}
	for _, s := range possible {
		f := strings.Split(s.Action, ":")
		if f[0] != "decide" {
			continue
		}
		chosen[f[1]] = f[2]
		for _, q := range d.Decisions {
			for _, o := range q.Options {
				if q.ID == f[1] && o.ID == f[2] && q.Mitigates && o.Value > 0 {
					mitigated = min(mitigated, float64(s.Offset))
				}
			}
		}
	}

	if len(d.Services) >= 2 {
		share["service"] = 0
		before := map[string]bool{}
		for _, s := range possible {
			if name, ok := strings.CutPrefix(s.Action, "look:"); ok {
				if name == d.Facts.Service {
					share["service"] = max(0, 1-float64(len(before))/4)
					break
				}
				before[name] = true
			}
		}
	}
	if n := float64(len(d.Decisive)); n > 0 {
		share["evidence"] = 0
		for _, id := range d.Decisive {
			release := 0.0
			for _, c := range d.Cards {
				if c.ID == id {
					release = float64(c.Offset)
				}
			}
			for _, s := range possible {
				if s.Action == "open:"+id {
					late := float64(s.Offset) - release
					switch {
					case late <= 300:
						share["evidence"] += 1 / n
					case late >= 2100:
						share["evidence"] += 0.5 / n
					default:
						share["evidence"] += (1 - 0.5*(late-300)/1800) / n
					}
					break
				}
			}
		}
	}
	if len(d.Decisions) > 0 {
		got, most := 0.0, 0.0
		for _, q := range d.Decisions {
			top := 0
			for _, o := range q.Options {
				if o.Value > top {
					top = o.Value
				}
				if chosen[q.ID] == o.ID {
					got += float64(o.Value)
				}
			}
			most += float64(top)
		}
		share["decisions"] = max(0, got/most)
	}
	if d.Facts.Declared != nil {
		share["escalation"] = 0
		for _, s := range possible {
			counts := strings.HasPrefix(s.Action, "declare:")
			if who, ok := strings.CutPrefix(s.Action, "page:"); ok {
				if !strings.Contains(who, ":") {
					who = "team:" + who
				}
				counts = len(d.Facts.EscalatedTo) == 0
				for _, t := range d.Facts.EscalatedTo {
					counts = counts || t == who
				}
			}
			if counts {
				late := float64(s.Offset - *d.Facts.Declared)
				share["escalation"] = min(1, max(0, (2100-late)/1800))
				break
			}
		}
	}
	if d.Facts.UpdateGap != nil {
		gap := float64(*d.Facts.UpdateGap)
		end := mitigated
		if math.IsInf(end, 1) {
			end = float64(d.Facts.Reference)
			if n := len(possible); n > 0 {
				end = max(end, float64(possible[n-1].Offset))
			}
		}
		// Second by second: is it at most a gap since the opening or an update?
		known := []float64{0}
		for _, s := range possible {
			if (s.Action == "update" || strings.HasPrefix(s.Action, "update:")) && float64(s.Offset) <= end {
				known = append(known, float64(s.Offset))
			}
		}
		informed := 0.0
		for sec := 0.0; sec < end; sec++ {
			for _, k := range known {
				if k <= sec && sec < k+gap {
					informed++
					break
				}
			}
		}
		switch {
		case end == 0:
			share["cadence"] = 1
		case len(known) == 1 && !math.IsInf(mitigated, 1) && mitigated <= gap:
			share["cadence"] = 1
		case len(known) == 1:
			share["cadence"] = 0
		default:
			share["cadence"] = informed / end
		}
	}
	if hasMitigation {
		r := float64(d.Facts.Reference)
		switch {
		case mitigated <= r:
			share["time"] = 1
		case mitigated >= 2*r:
			share["time"] = 0
		default:
			share["time"] = (2*r - mitigated) / r
		}
	}

	weight := map[string]int{"service": 20, "evidence": 20, "decisions": 25, "escalation": 15, "cadence": 10, "time": 10}
	order := []string{"service", "evidence", "decisions", "escalation", "cadence", "time"}
	total := 0
	for _, p := range order {
		if _, ok := share[p]; ok {
			total += weight[p]
		}
	}
	tenth, rest, sum := map[string]int{}, map[string]int{}, 0
	for _, p := range order {
		if _, ok := share[p]; ok {
			tenth[p], rest[p] = weight[p]*1000/total, weight[p]*1000%total
			sum += tenth[p]
		}
	}
	for ; sum < 1000; sum++ {
		largest := ""
		for _, p := range order {
			if r, ok := rest[p]; ok && (largest == "" || r > rest[largest]) {
				largest = p
			}
		}
		tenth[largest]++
		delete(rest, largest)
	}
	points, of = map[string]float64{}, map[string]float64{}
	all := 0.0
	for p, s := range share {
		got := math.Floor(s*float64(tenth[p]) + 0.5 + 1e-9)
		points[p], of[p] = got/10, float64(tenth[p])/10
		all += got
	}
	return points, of, all / 10
}

// slowReplay keeps the steps that were possible.
func slowReplay(d Drill, steps []Step) []Step {
	var out []Step
	last, paused, done := int64(0), false, false
	taken := map[string]bool{}
	for _, s := range steps {
		f := strings.SplitN(s.Action, ":", 2)
		arg := ""
		if len(f) == 2 {
			arg = f[1]
		}
		ok := false
		switch f[0] {
		case "look":
			for _, name := range d.Services {
				ok = ok || name == arg
			}
		case "open":
			for _, c := range d.Cards {
				ok = ok || c.ID == arg && c.Offset <= s.Offset
			}
		case "page":
			for _, t := range d.Targets {
				ok = ok || t == arg || t == "team:"+arg && !strings.Contains(arg, ":")
			}
		case "declare", "hypothesis":
			ok = arg != ""
		case "update":
			ok = len(f) == 1 || arg != ""
		case "decide":
			for _, q := range d.Decisions {
				for _, o := range q.Options {
					ok = ok || arg == q.ID+":"+o.ID && q.At <= s.Offset && !taken[q.ID]
				}
			}
		case "pause":
			ok = !paused
		case "resume":
			ok = paused
		case "speed":
			ok = strings.Contains(" 1 2 5 10 20 60 ", " "+arg+" ")
		case "finish":
			ok = true
		}
		reading := f[0] == "resume" || f[0] == "speed" || f[0] == "finish"
		if !ok || done || s.Offset < last || paused && (s.Offset > last || !reading) {
			continue
		}
		switch f[0] {
		case "decide":
			taken[strings.SplitN(arg, ":", 2)[0]] = true
		case "pause":
			paused = true
		case "resume":
			paused = false
		case "finish":
			done = true
		}
		last = s.Offset
		out = append(out, s)
	}
	return out
}

// randomDrill is one that Validate passes, with parts that do not apply here and there.
func randomDrill(t *rapid.T) Drill {
	end := int64(rapid.IntRange(600, 6000).Draw(t, "resolved"))
	maybe := func(label string) *int64 {
		if rapid.Bool().Draw(t, label) {
			return nil
		}
		v := int64(rapid.IntRange(1, int(end)).Draw(t, label))
		return &v
	}
	d := Drill{Format: Format, ID: "d", Incident: "i", Title: "t", Services: []string{"a", "b", "c", "d", "e", "f"}[:rapid.IntRange(1, 6).Draw(t, "services")],
		Targets: []string{"policy:p", "team:x", "team:y"}}
	at := int64(0)
	for i := range rapid.IntRange(1, 8).Draw(t, "cards") {
		d.Cards = append(d.Cards, Card{ID: fmt.Sprintf("c%d", i), Offset: at, Kind: "incident.noted", Summary: "s"})
		at = min(end, at+int64(rapid.IntRange(0, 900).Draw(t, "gap")))
	}
	for _, c := range d.Cards {
		if c.ID == "c0" || rapid.IntRange(0, 2).Draw(t, "decisive") == 0 {
			d.Decisive = append(d.Decisive, c.ID)
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "decisions") {
		q := Decision{ID: fmt.Sprintf("q%d", i), At: int64(rapid.IntRange(0, int(end)).Draw(t, "at")), Question: "?", Mitigates: rapid.Bool().Draw(t, "mitigates")}
		for j, v := range []int{rapid.IntRange(1, 3).Draw(t, "good"), rapid.IntRange(-3, 3).Draw(t, "v"), rapid.IntRange(-3, 0).Draw(t, "bad")} {
			q.Options = append(q.Options, Option{ID: fmt.Sprintf("o%d", j), Text: "x", Value: v, Why: "y"})
		}
		d.Decisions = append(d.Decisions, q)
	}
	d.Facts = Facts{Service: rapid.SampledFrom(d.Services).Draw(t, "right"), Declared: maybe("declared"), UpdateGap: maybe("update gap"), Resolved: end,
		Reference: int64(rapid.IntRange(1, int(end)).Draw(t, "reference"))}
	if rapid.Bool().Draw(t, "to") {
		d.Facts.EscalatedTo = []string{"team:x"}
	}
	return d
}

func randomSteps(t *rapid.T, d Drill) []Step {
	var out []Step
	at := int64(0)
	for n := range rapid.IntRange(0, 25).Draw(t, "steps") {
		if step := rapid.IntRange(-1, 12).Draw(t, "time"); step > 2 {
			at += int64(step-2) * 60
		} else if step < 0 {
			at = max(0, at-30)
		}
		verb := rapid.SampledFrom([]string{"look", "look", "open", "open", "open", "page", "declare", "update", "update", "decide", "decide", "decide", "rare"}).Draw(t, "verb")
		action := verb
		switch verb {
		case "look":
			action = "look:" + rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "zzz"}).Draw(t, "service")
		case "open":
			action = "open:" + fmt.Sprintf("c%d", rapid.IntRange(0, 8).Draw(t, "card"))
		case "page":
			action = "page:" + rapid.SampledFrom([]string{"x", "team:y", "policy:p", "team:none"}).Draw(t, "target")
		case "declare":
			action = "declare:SEV2"
		case "decide":
			action = fmt.Sprintf("decide:q%d:o%d", rapid.IntRange(0, 4).Draw(t, "q"), rapid.IntRange(0, 3).Draw(t, "o"))
		case "rare":
			action = rapid.SampledFrom([]string{"pause", "resume", "resume", "speed:10", "speed:3", "finish", "update:we look", "hypothesis:lag", "dance"}).Draw(t, "rare")
		}
		out = append(out, Step{n + 1, at, action})
	}
	return out
}

func TestScoreMeetsTheSlowReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := randomDrill(t)
		if err := d.Validate(); err != nil {
			t.Fatal(err)
		}
		steps := randomSteps(t, d)
		got, err := Score(d, steps)
		if err != nil {
			t.Fatal(err)
		}
		points, of, score := slowScore(d, steps)
		sum, whole := 0.0, 0.0
		for _, p := range got.Parts {
			want, applies := points[p.Part]
			if applies != p.Applies || math.Abs(p.Points-want) > 0.051 || math.Abs(p.Of-of[p.Part]) > 1e-9 || p.Points < 0 || p.Points > p.Of || p.Why == "" {
				t.Fatalf("%+v, want %v of %v", p, want, of[p.Part])
			}
			// A share on the edge of a tenth may be rounded differently by the other way of computing it.
			if p.Points != want {
				t.Logf("%s: rounded to %v and to %v", p.Part, p.Points, want)
			}
			sum, whole = sum+p.Points, whole+p.Of
		}
		if math.Abs(got.Score-score) > 0.3 || math.Abs(sum-got.Score) > 1e-9 || math.Abs(whole-100) > 1e-9 || got.Score < 0 || got.Score > 100 {
			t.Fatalf("score %v, want %v; parts sum to %v of %v", got.Score, score, sum, whole)
		}
	})
}

// What is visible at an offset depends on nothing that comes later, and never names an answer.
func TestTableShowsNoFuture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := randomDrill(t)
		a, err := Replay(d, randomSteps(t, d))
		if err != nil {
			t.Fatal(err)
		}
		for _, done := range a.Done {
			table := a.Table(done.Offset)
			for _, c := range table.Cards {
				if c.Offset > done.Offset || !c.Opened && (len(c.Details) > 0 || len(c.Texts) > 0) {
					t.Fatalf("at %d: %+v", done.Offset, c)
				}
			}
			for _, q := range table.Questions {
				if q.At > done.Offset {
					t.Fatalf("at %d: %+v", done.Offset, q)
				}
			}
			if done.Action.Verb == Open && !strings.Contains(fmt.Sprint(table.Cards), done.Action.What) {
				t.Fatalf("opened %s, which is not on the table", done.Action.What)
			}
		}
		if len(a.Done)+len(a.Refused) == 0 {
			return
		}
		for _, e := range a.Refused {
			if !strings.HasPrefix(e.Error(), fmt.Sprintf("step %d: ", e.Step.N)) || e.Field != "action" && e.Field != "offset_s" {
				t.Fatal(e)
			}
		}
	})
}
