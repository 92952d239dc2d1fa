package drill

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// shop is a small drill whose scores can be computed in the head: right service b, decisive
// c1 (at 0) and c2 (at 600), need for help at 900, updates every 600, reference 2,000.
func shop() Drill {
	need, gap := int64(900), int64(600)
	return Drill{Format: Format, ID: "d", Incident: "i", Title: "t", Services: []string{"a", "b", "c"}, Targets: []string{"team:x", "team:y"},
		Cards: []Card{{ID: "c1", Summary: "first"}, {ID: "c2", Offset: 600, Summary: "second"}, {ID: "c3", Offset: 700, Summary: "third"}},
		Texts: []Text{{Place: "c2.text", Card: "c2", Field: "text", Decision: Keep, Text: "decisive words"}, {Place: "c3.text", Card: "c3", Field: "text", Decision: Drop}},
		Facts: Facts{Service: "b", EscalatedTo: []string{"team:x"}, Declared: &need, Escalated: &need, UpdateGap: &gap, Updates: 3, Resolved: 3000, Reference: 2000,
			Norm: Norm{N: 5, Q1: 1500, Median: 2000, Q3: 2500}},
		Decisive: []string{"c1", "c2"}, Herrings: []Herring{{Service: "a", Why: "it is loud"}, {Card: "c3", Why: "it is late"}},
		Decisions: []Decision{
			{ID: "d1", At: 100, Question: "one?", Options: []Option{{"g", "good", 2, "y"}, {"h", "harm", -3, "n"}}},
			{ID: "d2", At: 600, Question: "two?", Mitigates: true, Real: "g", Options: []Option{{"g", "good", 3, "y"}, {"n", "none", 0, "m"}, {"h", "harm", -1, "n"}}}},
	}
}

func steps(actions ...any) []Step {
	var out []Step
	for i := 0; i < len(actions); i += 2 {
		out = append(out, Step{len(out) + 1, int64(actions[i].(int)), actions[i+1].(string)})
	}
	return out
}

func TestScoreByHand(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []Step
		want  [6]float64
	}{
		{"nothing", nil, [6]float64{}},
		{"all well", steps(0, "look:b", 10, "open:c1", 100, "decide:d1:g", 600, "update", 610, "open:c2", 900, "page:x", 1200, "update:still on it", 1500, "decide:d2:g", 1600, "finish"), [6]float64{20, 20, 25, 15, 10, 10}},
		// Second service looked at: 15. c1 open after 1,200 s: half way of fading, 0.75; c2 never: 7.5.
		// d1 harmful, d2 good: (−3+3)/5 = 0. Declared 900 s after 900+300 … 1,800 of 2,100: half of 15.
		// E = 3,000, update at 1,200: 600 known, then 600 more: 1,200 of 3,000. Time 3,000 of 2,000: half.
		{"half", steps(5, "look:a", 9, "look:b", 100, "decide:d1:h", 1200, "open:c1", 1200, "update", 2100, "declare:SEV2", 3000, "decide:d2:g"), [6]float64{15, 7.5, 0, 7.5, 4, 5}},
		// Paging who is not needed is no escalation. Neutral is no mitigation: E = max(last step, 2,000); no update.
		{"neutral", steps(1, "look:a", 2, "look:c", 3, "look:a", 4, "look:b", 700, "page:y", 800, "decide:d2:n", 800, "finish"), [6]float64{10, 0, 0, 0, 0, 0}},
		// Mitigated at 600 with a gap of 600: no update was due.
		{"fast", steps(600, "decide:d2:g", 600, "finish"), [6]float64{0, 0, 15, 0, 10, 10}},
		// Impossible steps count for nothing: cards and questions before their time, the second answer, after the end.
		{"impossible", steps(10, "open:c2", 20, "decide:d2:g", 100, "decide:d1:h", 110, "decide:d1:g", 120, "finish", 900, "open:c2", 900, "look:b"), [6]float64{}},
	} {
		got, err := Score(shop(), c.steps)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for i, p := range got.Parts {
			sum += p.Points
			if p.Points != c.want[i] || p.Of != float64(weights[i].points) {
				t.Errorf("%s: %+v, want %v", c.name, p, c.want[i])
			}
		}
		if got.Score != sum {
			t.Errorf("%s: score %v of parts %v", c.name, got.Score, sum)
		}
	}
}

// Where the real case needed no help and had no updates, 75 points carry the 100:
// 20/75, 20/75, 25/75, 10/75 in tenths are 266.67, 266.67, 333.33, 133.33, and the two tenths
// that are left go to the largest remainders.
func TestPointsOfWhatDoesNotApplyAreShared(t *testing.T) {
	d := shop()
	d.Facts.Declared, d.Facts.Escalated, d.Facts.UpdateGap = nil, nil, nil
	got, err := Score(d, steps(0, "look:b", 10, "open:c1", 100, "decide:d1:g", 600, "decide:d2:g", 600, "open:c2"))
	if err != nil {
		t.Fatal(err)
	}
	var of []float64
	for _, p := range got.Parts {
		of = append(of, p.Of)
	}
	if want := []float64{26.7, 26.7, 33.3, 0, 0, 13.3}; !slices.Equal(of, want) || got.Score != 100 {
		t.Errorf("%v, score %v", of, got.Score)
	}
	if p := got.Parts[3]; p.Applies || p.Why != "the real case was neither declared nor escalated" {
		t.Errorf("%+v", p)
	}
}

func TestReplayNamesWhatCouldNotBe(t *testing.T) {
	a, err := Replay(shop(), steps(50, "open:c2", 40, "look:nowhere", 60, "pause", 60, "look:b", 70, "resume", 60, "resume", 55, "update", 80, "speed:7", 90, "page:person:x", 99, "decide:d1:g", 100, "decide:d1:z", 110, "juggle"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range a.Refused {
		got = append(got, e.Error())
	}
	want := []string{
		`step 1: action: open: card "c2" is not on the table at 50`,
		`step 2: action: look: no service "nowhere"`,
		`step 4: action: the clock is paused: resume first`,
		`step 5: offset_s: the clock is paused at 60`,
		`step 7: offset_s: 55 is before 60, where the attempt is`,
		`step 8: action: speed: must be one of [1 2 5 10 20 60]`,
		`step 9: action: page: must be a team or a policy`,
		`step 10: action: decide: decision "d1" is not put at 99`,
		`step 11: action: decide: decision "d1" has no option "z"`,
		`step 12: action: "juggle" is not known`,
	}
	if !slices.Equal(got, want) || len(a.Done) != 2 {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// A refused step changes nothing, and a done one is no error.
func TestAct(t *testing.T) {
	a, err := Begin(shop())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Act(Step{1, 500, "open:c2"}); err == nil || a.Now() != 0 {
		t.Errorf("%v at %d", err, a.Now())
	}
	for i, action := range []string{"look:b", "decide:d1:g", "finish"} {
		if err := a.Act(Step{i + 1, 100, action}); err != nil {
			t.Error(err)
		}
	}
	if !a.Finished() || len(a.Done) != 3 {
		t.Errorf("%+v", a.Done)
	}
}

func TestTable(t *testing.T) {
	a, err := Replay(shop(), steps(620, "open:c2"))
	if err != nil {
		t.Fatal(err)
	}
	before, after := a.Table(619), a.Table(620)
	if len(before.Cards) != 2 || before.Cards[1].Opened || len(before.Cards[1].Texts) != 0 || *before.Next != 700 || len(before.Questions) != 2 {
		t.Errorf("%+v", before)
	}
	if !after.Cards[1].Opened || after.Cards[1].Texts[0].Text != "decisive words" {
		t.Errorf("%+v", after.Cards[1])
	}
	if a.Table(700).Next != nil {
		t.Error("more is announced after the last card")
	}
	typ := reflect.TypeFor[Choice]()
	for i := range typ.NumField() {
		if name := typ.Field(i).Name; name == "Value" || name == "Why" {
			t.Errorf("a choice shows its %s", name)
		}
	}
}

func TestActionsComeBack(t *testing.T) {
	for in, want := range map[string]string{"look:a b": "look:a b", "page:x": "page:team:x", "page:policy:P1": "page:policy:P1", "decide:d1:a": "decide:d1:a", "update": "update", "update: now: 5xx": "update:now: 5xx", "speed:20": "speed:20", "pause": "pause"} {
		a, err := Parse(in)
		if err != nil || a.String() != want {
			t.Errorf("%s: %v %v", in, a, err)
			continue
		}
		if again, err := Parse(want); err != nil || again != a {
			t.Errorf("%s: %+v and %+v", in, a, again)
		}
	}
	for _, bad := range []string{"", "look:", "look", "open", "decide:d1", "decide:d1:", "page:person:a", "speed:0", "pause:1", "update:", "hypothesis:" + strings.Repeat("x", 2001)} {
		if _, err := Parse(bad); err == nil || !strings.HasPrefix(err.Error(), "action: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestClock(t *testing.T) {
	act := func(s string) Action {
		a, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	c := StartClock(at(0))
	c = c.Apply(act("speed:10"), at(30)) // 30
	c = c.Apply(act("pause"), at(60))    // 330
	c = c.Apply(act("speed:2"), at(100)) // still
	c = c.Apply(act("look:a"), at(150))  // changes nothing
	if got := c.Offset(at(200)); got != 330 || !c.Paused() {
		t.Errorf("paused at %d", got)
	}
	if _, ok := c.Wall(400); ok {
		t.Error("a paused clock reaches something")
	}
	c = c.Apply(act("resume"), at(200))
	if got := c.Offset(at(210)); got != 350 {
		t.Errorf("at %d, want 350", got)
	}
	if wall, ok := c.Wall(400); !ok || !wall.Equal(at(235)) || c.Offset(wall) != 400 {
		t.Errorf("%v", wall)
	}
	if got := c.Offset(at(100)); got != 330 {
		t.Errorf("a clock that steps back shows %d", got)
	}
}

func TestDebrief(t *testing.T) {
	d, err := NewDebrief(shop(), steps(5, "look:a", 9, "look:b", 20, "open:c3", 700, "open:c3", 710, "hypothesis:lag", 720, "decide:d2:g", 730, "finish"))
	if err != nil {
		t.Fatal(err)
	}
	if *d.Time != 720 || d.Norm.Median != 2000 || len(d.Skip) != 1 {
		t.Errorf("%+v", d)
	}
	if want := []Followed{{5, "a", "", "it is loud"}, {700, "", "c3", "it is late"}}; !slices.Equal(d.Parts.Herrings, want) {
		t.Errorf("%+v", d.Parts.Herrings)
	}
	var yours, real []string
	for _, m := range d.Yours {
		yours = append(yours, fmt.Sprint(m.Offset, " ", m.What, " ", m.Mark))
	}
	for _, m := range d.Real {
		real = append(real, fmt.Sprint(m.Offset, " ", m.What, " ", m.Mark))
	}
	if want := []string{"5 looked at a herring", "9 looked at b right", "700 opened: third herring", "710 suspected ", "720 two? good good", "730 finished "}; !slices.Equal(yours, want) {
		t.Errorf("%q", yours)
	}
	if want := []string{"0 first decisive", "600 second decisive", "600 two? In the real case: good good", "700 third herring", "900 help was brought in fact", "900 the incident was declared fact", "3000 the incident was over fact"}; !slices.Equal(real, want) {
		t.Errorf("%q", real)
	}
}

func TestEvents(t *testing.T) {
	p := Player{"d", "a1", "ana@example.org"}
	all := steps(5, "look:a", 5, "look:b", 700, "open:c3")
	var bodies [][]byte
	ids := map[string]bool{}
	for _, s := range all {
		e, err := Acted(p, s, at(1))
		if err != nil {
			t.Fatal(err)
		}
		again, _ := Acted(p, s, at(1))
		if e.ID != again.ID || ids[e.ID] || e.Key != "steward:attempt:a1" {
			t.Errorf("%s %s", e.ID, e.Key)
		}
		ids[e.ID] = true
		bodies = append([][]byte{e.Data, e.Data}, bodies...) // the other way round, and twice
	}
	if got, err := Steps("a1", bodies); err != nil || !slices.Equal(got, all) {
		t.Errorf("%v %v", got, err)
	}
	if got, _ := Steps("a2", bodies); len(got) != 0 {
		t.Errorf("somebody else's: %v", got)
	}
	if _, err := Started(p, at(0)); err != nil {
		t.Error(err)
	}
	parts, _ := Score(shop(), all)
	e, err := Finished(p, parts, at(2))
	if err != nil || !strings.Contains(string(e.Data), `"score":15`) {
		t.Errorf("%s %v", e.Data, err)
	}
	if _, err := Acted(p, Step{1, 0, "juggle"}, at(0)); err == nil {
		t.Error("an unknown action becomes an event")
	}
}

func TestDemos(t *testing.T) {
	all, err := Demos()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 3 {
		t.Fatalf("%d demos", len(all))
	}
	for _, demo := range all {
		d := demo.Drill
		if left := d.Unpublished(); len(left) > 0 {
			t.Errorf("%s: %v", d.ID, left)
		}
		if n := len(d.Cards); n < 8 || n > 14 {
			t.Errorf("%s: %d cards", d.ID, n)
		}
		if n := len(d.Decisions); n < 3 || n > 4 {
			t.Errorf("%s: %d decisions", d.ID, n)
		}
		if file, _ := os.ReadFile("demo/" + d.ID + ".json"); true {
			if body, err := d.Encode(); err != nil || string(body) != string(file) {
				t.Errorf("%s: the file is not as Encode writes it: %v", d.ID, err)
			}
		}
		if !strings.HasPrefix(demo.Intro, "# "+d.Title+"\n") || len(d.Skills) == 0 || d.Lesson == "" || len(d.Herrings) == 0 {
			t.Errorf("%s: introduction, skills, lesson and red herrings", d.ID)
		}
		people := map[string]bool{}
		for _, c := range d.Cards {
			if c.Person != "" {
				people[c.Person] = true
			}
		}
		if len(people) != d.Participants {
			t.Errorf("%s: %d people of %d", d.ID, len(people), d.Participants)
		}
		// The facts agree with the cards.
		var gaps []int64
		last, updates := int64(0), 0
		for _, c := range d.Cards {
			if (c.Kind == "incident.noted" || c.Kind == "incident.updated") && c.Offset <= *d.Facts.Mitigated {
				gaps, last, updates = append(gaps, c.Offset-last), c.Offset, updates+1
			}
		}
		slices.Sort(gaps)
		if d.Facts.Updates != updates || *d.Facts.UpdateGap != gaps[len(gaps)/2] {
			t.Errorf("%s: %d updates, gaps %v", d.ID, updates, gaps)
		}
		best, worst := play(d, true), play(d, false)
		good, err := Score(d, best)
		if err != nil || good.Score != 100 || len(good.Herrings) != 0 {
			t.Errorf("%s: played well it gives %+v, %v", d.ID, good, err)
		}
		bad, err := Score(d, worst)
		if err != nil || bad.Score > 30 || len(bad.Herrings) < 2 {
			t.Errorf("%s: played badly it gives %+v, %v", d.ID, bad, err)
		}
		t.Logf("%s: %v and %v", d.ID, good.Score, bad.Score)
	}
}

// play makes the steps of a trainee who does everything as the author thinks best, or as badly.
func play(d Drill, well bool) []Step {
	type moment struct {
		at     int64
		action string
	}
	var all []moment
	add := func(at int64, format string, args ...any) {
		all = append(all, moment{at, fmt.Sprintf(format, args...)})
	}
	if well {
		add(30, "look:%s", d.Facts.Service)
		add(*d.Facts.Declared, "page:%s", d.Facts.EscalatedTo[0])
		for at := *d.Facts.UpdateGap; at < *d.Facts.Mitigated; at += *d.Facts.UpdateGap {
			add(at, "update")
		}
		for _, id := range d.Decisive {
			add(d.card(id).Offset+60, "open:%s", id)
		}
	} else {
		for _, h := range d.Herrings {
			if h.Service != "" {
				add(30, "look:%s", h.Service)
			} else {
				add(d.card(h.Card).Offset+60, "open:%s", h.Card)
			}
		}
	}
	for _, q := range d.Decisions {
		options := slices.Clone(q.Options)
		slices.SortFunc(options, func(a, b Option) int { return a.Value - b.Value })
		pick := options[0]
		if well {
			pick = options[len(options)-1]
		}
		add(q.At+10, "decide:%s:%s", q.ID, pick.ID)
	}
	slices.SortStableFunc(all, func(a, b moment) int { return int(a.at - b.at) })
	var out []Step
	for _, m := range all {
		out = append(out, Step{len(out) + 1, m.at, m.action})
	}
	return append(out, Step{len(out) + 1, d.Facts.Resolved, "finish"})
}

// The clock is made anew from the steps: a step that says it was done later sets it forward.
func TestClockOfSteps(t *testing.T) {
	start := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	steps := []Timed{{Step{1, 10, "speed:10"}, at(10)}, {Step{2, 110, "look:b"}, at(20)}, {Step{3, 600, "speed:10"}, at(21)}, {Step{4, 650, "pause"}, at(26)}, {Step{5, 650, "resume"}, at(100)}}
	for i, want := range []int64{10, 110, 600, 650, 650} {
		if got := ClockOf(start, steps[:i+1]).Offset(steps[i].At); got != want {
			t.Errorf("after step %d: %d, want %d", i+1, got, want)
		}
	}
	c := ClockOf(start, steps)
	if got := c.Offset(at(103)); got != 680 || c.Speed() != 10 || c.Paused() {
		t.Errorf("%d at speed %d", got, c.Speed())
	}
	if c.Reach(600, at(103)).Offset(at(103)) != 680 {
		t.Error("the clock went back")
	}
}
