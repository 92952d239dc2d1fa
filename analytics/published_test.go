package analytics

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stewardhq/steward/access"
)

// What everybody may ask about a month are sums over teams and over all of them, and their
// parts. Whoever has every answer can add and subtract them in any way: what they can learn
// is the linear span of the sums that are shown. No single person's figure may be in it,
// nor the sum of any two.
func TestDifferencesRevealNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metric := rapid.SampledFrom([]string{"interruptions", "oncall_hours"}).Draw(t, "metric")
		c, columns := drawCells(t, metric)
		v := c.judge(columns, metric)
		for _, insider := range append([]string{""}, c.names()...) { // a team's lead knows its people exactly
			for _, learned := range sensitive(c, columns, metric, v, insider) {
				t.Fatalf("%s: the lead of %q can compute %s from what is shown\n%v", metric, insider, learned, c.teams)
			}
		}
	})
}

// The attack itself must be able to succeed: with nothing hidden it does.
func TestDifferencesWouldReveal(t *testing.T) {
	columns := columnsOf("interruptions")
	one := []float64{4, 1, 1, 2, 3, 4, 1, 1}
	c := cells{teams: map[string]map[string][]float64{"a": {"1": one, "2": one, "3": one}, "b": {"4": one}}}
	all := shown{hidden: map[string]bool{"b": true}, whole: map[string]bool{"b": true}, all: true, split: true} // b hidden, a not: all less a is b
	if len(sensitive(c, columns, "interruptions", all, "")) == 0 {
		t.Error("the sum of all teams less the one shown is one person, and that was not noticed")
	}
	// Of two teams the lead of one would know the other by their sum, so that is not told.
	if got := c.judge(columns, "interruptions"); !got.hidden["a"] || got.all {
		t.Errorf("%+v: nothing may be told of a small team and one other", got)
	}
	c.teams["c"] = map[string][]float64{"5": one, "6": one, "7": one}
	c.teams["d"] = map[string][]float64{"8": one, "9": one, "10": one, "11": one}
	if got := c.judge(columns, "interruptions"); !got.hidden["a"] || !got.hidden["c"] || got.hidden["d"] || !got.all {
		t.Errorf("%+v: two teams have to be hidden with the small one, so that the lead of one knows no single person", got)
	}
}

// Months that the drawing above makes once in thousands: each was computed from while one
// step of judge was left out.
func TestPartsDoNotFollow(t *testing.T) {
	people := func(first, sleep, off int) map[string][]float64 { // all of one kind each
		rows := map[string][]float64{}
		for i := range sleep + off {
			row := []float64{1, 1, 0, 0, 1, 1, 1, 1}
			if i >= sleep {
				row = []float64{1, 0, 1, 0, 1, 1, 0, 1}
			}
			rows[fmt.Sprint("p", first+i)] = row
		}
		return rows
	}
	hours := func(first int, each ...[2]float64) map[string][]float64 {
		rows := map[string][]float64{}
		for i, h := range each {
			rows[fmt.Sprint("p", first+i)] = []float64{h[0], h[1], h[0] + h[1], 1}
		}
		return rows
	}
	for name, x := range map[string]struct {
		metric string
		teams  map[string]map[string][]float64
	}{
		"the parts of two teams follow from their sums": {"interruptions", map[string]map[string][]float64{
			"a": people(1, 2, 3), "b": people(11, 1, 0), "c": people(21, 3, 0), "d": people(31, 2, 3)}},
		"a lead takes the own team out": {"oncall_hours", map[string]map[string][]float64{
			"a": hours(1, [2]float64{0, 1}, [2]float64{0, 2}, [2]float64{1, 0}, [2]float64{1, 1}, [2]float64{2, 0}),
			"b": hours(11, [2]float64{0, 2}, [2]float64{0, 1}, [2]float64{0, 1}),
			"c": hours(21, [2]float64{2, 1}, [2]float64{1, 0}, [2]float64{2, 1}, [2]float64{1, 2}, [2]float64{2, 1}),
			"d": hours(31, [2]float64{1, 1}, [2]float64{2, 0}, [2]float64{0, 1}, [2]float64{1, 0}, [2]float64{1, 0})}},
		"hiding for one part bares another": {"oncall_hours", map[string]map[string][]float64{
			"a": hours(1, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{0, 2}, [2]float64{2, 0}),
			"b": hours(11, [2]float64{0, 1}),
			"c": hours(21, [2]float64{0, 2}, [2]float64{2, 0}, [2]float64{2, 0}),
			"d": hours(31, [2]float64{2, 0}, [2]float64{1, 0}, [2]float64{2, 0}),
			"e": hours(41, [2]float64{1, 0}, [2]float64{1, 0}, [2]float64{1, 0}),
			"f": hours(51, [2]float64{0, 1}, [2]float64{0, 2})}},
	} {
		columns := columnsOf(x.metric)
		c := cells{teams: x.teams}
		v := c.judge(columns, x.metric)
		for _, insider := range append([]string{""}, c.names()...) {
			for _, learned := range sensitive(c, columns, x.metric, v, insider) {
				t.Errorf("%s: the lead of %q can compute %s from what is shown", name, insider, learned)
			}
		}
	}
}

func columnsOf(metric string) []Column {
	names := map[string][]string{
		"interruptions": {"interruptions", "sleep", "off", "business", "groups", "hours", "nights", "people"},
		"oncall_hours":  {"primary", "secondary", "total", "people"},
	}[metric]
	out := []Column{{Name: "bucket", Type: "string"}, {Name: "key", Type: "string"}}
	for _, n := range names {
		out = append(out, Column{Name: n, Type: "integer"})
	}
	return out
}

// drawCells makes a month of few people, where hiding is hard.
func drawCells(t *rapid.T, metric string) (cells, []Column) {
	columns := columnsOf(metric)
	c := cells{start: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), teams: map[string]map[string][]float64{}}
	person := 0
	for team := range rapid.IntRange(0, 6).Draw(t, "teams") {
		rows := map[string][]float64{}
		for range rapid.IntRange(0, 5).Draw(t, "people") {
			person++
			name := fmt.Sprint("p", person)
			if rapid.IntRange(0, 9).Draw(t, "moved") == 0 && person > 1 { // somebody of another team, who moved
				name = fmt.Sprint("p", rapid.IntRange(1, person-1).Draw(t, "who"))
			}
			n := func(label string) float64 { return float64(rapid.IntRange(0, 2).Draw(t, label)) }
			a, b, d := n("a"), n("b"), n("c")
			switch metric {
			case "interruptions":
				if a+b+d == 0 {
					a = 1
				}
				rows[name] = []float64{a + b + d, a, b, d, 1, 1, min(a, 1), 1}
			case "oncall_hours":
				if a+b == 0 {
					a = 1
				}
				rows[name] = []float64{a, b, a + b, 1}
			}
		}
		if rapid.IntRange(0, 5).Draw(t, "nobody") == 0 { // pages that name nobody
			rows[""] = make([]float64, len(columns)-2)
		}
		if len(rows) > 0 {
			c.teams[fmt.Sprint("t", team)] = rows
		}
	}
	return c, columns
}

// sensitive lists what of few people is in the span of what is shown. Nights are no part of
// the sum of interruptions, so they are a span of their own, without totals.
func sensitive(c cells, columns []Column, metric string, v shown, insider string) []string {
	counts := partCounts(columns, metric)
	if metric != "interruptions" {
		return spanned(c, counts, true, v, insider)
	}
	return append(spanned(c, counts[:3], true, v, insider), spanned(c, counts[3:], false, v, insider)...)
}

// spanned is sensitive for columns that add up to a total, if it is shown. The unknowns are,
// for every team and person, the counts; a sum is a row of coefficients.
func spanned(c cells, counts []func([]float64) float64, total bool, v shown, insider string) []string {
	type unknown struct {
		team, person string
		part         int
	}
	var unknowns []unknown
	for _, team := range c.names() {
		for p, values := range c.teams[team] {
			for i, count := range counts {
				if p != "" && count(values) > 0 { // who has none of it tells nothing by it
					unknowns = append(unknowns, unknown{team, p, i})
				}
			}
		}
	}
	vector := func(in func(unknown) bool) []*big.Rat {
		out := make([]*big.Rat, len(unknowns))
		for i, u := range unknowns {
			out[i] = new(big.Rat)
			if in(u) {
				out[i].SetInt64(1)
			}
		}
		return out
	}
	var span [][]*big.Rat
	if v.all {
		if total {
			span = append(span, vector(func(unknown) bool { return true }))
		}
		for part := range counts {
			if v.split {
				span = append(span, vector(func(u unknown) bool { return u.part == part }))
			}
		}
	}
	for _, team := range c.names() {
		if v.hidden[team] {
			continue
		}
		if total {
			span = append(span, vector(func(u unknown) bool { return u.team == team }))
		}
		for part := range counts {
			if !v.whole[team] {
				span = append(span, vector(func(u unknown) bool { return u.team == team && u.part == part }))
			}
		}
	}
	for i, u := range unknowns {
		if u.team == insider && insider != "" {
			span = append(span, vector(func(x unknown) bool { return x == unknowns[i] }))
		}
	}
	span = eliminate(span)
	var people []string
	for _, u := range unknowns {
		if !slices.Contains(people, u.person) && u.team != insider {
			people = append(people, u.person)
		}
	}
	slices.Sort(people)
	var out []string
	learn := func(what string, of func(unknown) bool) {
		in := func(u unknown) bool { return of(u) && (u.team != insider || insider == "") }
		if x := vector(in); !zero(x) && inSpan(span, x) {
			out = append(out, what)
		}
	}
	for i, p := range people {
		for _, q := range people[i:] { // q = p: one person
			of := func(u unknown) bool { return u.person == p || u.person == q }
			learn(fmt.Sprintf("what %s and %s have in all", p, q), of)
			for part := range counts {
				learn(fmt.Sprintf("part %d of %s and %s", part, p, q), func(u unknown) bool { return of(u) && u.part == part })
			}
			for _, team := range c.names() {
				learn(fmt.Sprintf("what %s and %s have in %s", p, q, team), func(u unknown) bool { return of(u) && u.team == team })
				for part := range counts {
					learn(fmt.Sprintf("part %d of %s and %s in %s", part, p, q, team), func(u unknown) bool { return of(u) && u.team == team && u.part == part })
				}
			}
		}
	}
	return out
}

// eliminate brings rows into echelon form.
func eliminate(rows [][]*big.Rat) [][]*big.Rat {
	var out [][]*big.Rat
	for _, r := range rows {
		if r = reduce(out, r); !zero(r) {
			out = append(out, r)
		}
	}
	return out
}

func pivot(r []*big.Rat) int {
	return slices.IndexFunc(r, func(x *big.Rat) bool { return x.Sign() != 0 })
}

func reduce(rows [][]*big.Rat, x []*big.Rat) []*big.Rat {
	out := make([]*big.Rat, len(x))
	for i := range x {
		out[i] = new(big.Rat).Set(x[i])
	}
	for again := true; again; {
		again = false
		for _, r := range rows {
			p := pivot(r)
			if out[p].Sign() == 0 {
				continue
			}
			// Rows were reduced by those before them only, so passes repeat until nothing changes.
			f := new(big.Rat).Quo(out[p], r[p])
			for i := range out {
				out[i].Sub(out[i], new(big.Rat).Mul(f, r[i]))
			}
			again = true
		}
	}
	return out
}

func zero(r []*big.Rat) bool { return pivot(r) < 0 }

func inSpan(rows [][]*big.Rat, x []*big.Rat) bool { return zero(reduce(rows, x)) }

func TestWholeMonths(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		x, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct{ from, to, now, want string }{
		{"2026-01-01 00:00", "2026-04-01 00:00", "2026-05-01 00:00", "Jan Feb Mar"},
		{"2026-01-01 00:01", "2026-04-01 00:00", "2026-05-01 00:00", "Feb Mar"},
		{"2026-01-01 00:00", "2026-03-31 23:59", "2026-05-01 00:00", "Jan Feb"},
		{"2026-01-01 00:00", "2027-01-01 00:00", "2026-03-15 12:00", "Jan Feb"}, // what fills is not shown
		{"2026-03-02 00:00", "2026-03-30 00:00", "2026-05-01 00:00", ""},
		{"2026-10-01 00:00", "2026-12-01 00:00", "2026-12-01 00:00", "Oct Nov"}, // over the change of clocks
	} {
		got := ""
		for _, m := range wholeMonths(at(c.from), at(c.to), at(c.now), berlin) {
			got += " " + m.In(berlin).Format("Jan")
		}
		if got != c.want && got != " "+c.want {
			t.Errorf("%v: %s", c, got)
		}
	}
}

func TestSmallTeams(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 5, day, 0, 0, 0, 0, time.UTC) }
	in := func(day int, team string, members ...string) (out []move) {
		for _, m := range members {
			out = append(out, move{at(day), team, m, true})
		}
		return out
	}
	moves := slices.Concat(in(1, "big", "1", "2", "3"), in(1, "duo", "4", "5"), in(1, "grows", "6", "7"), in(1, "shrinks", "8", "9", "0"), in(1, "ends", "x", "y", "z"))
	moves = append(moves, in(10, "grows", "a", "b")...)
	moves = append(moves, move{at(20), "shrinks", "8", false}, move{at(21), "ends", "x", false}, move{at(21), "ends", "y", false}, move{at(21), "ends", "z", false})
	for _, c := range []struct {
		from, to int
		want     string
	}{
		{2, 30, "duo grows shrinks"}, {11, 19, "duo"}, {11, 20, "duo shrinks"}, {21, 30, "duo shrinks"}, {2, 9, "duo grows"}, {1, 1, "duo grows"},
	} {
		if got := strings.Join(smallIn(moves, at(c.from), at(c.to)), " "); got != c.want {
			t.Errorf("from %d to %d: %q, want %q", c.from, c.to, got, c.want)
		}
	}
	if access.GroupSize != 3 {
		t.Error("the words of published answers say three")
	}
}
