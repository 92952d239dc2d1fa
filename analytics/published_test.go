package analytics

import (
	"fmt"
	"math/big"
	"slices"
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
		metric := rapid.SampledFrom([]string{"interruptions", "pages", "oncall_hours"}).Draw(t, "metric")
		c, columns := drawCells(t, metric)
		for _, learned := range sensitive(c, columns, metric, c.judge(columns, metric)) {
			t.Fatalf("%s: %s can be computed from what is shown\n%v", metric, learned, c.teams)
		}
	})
}

// The attack itself must be able to succeed: with nothing hidden it does.
func TestDifferencesWouldReveal(t *testing.T) {
	columns := columnsOf("interruptions")
	one := []float64{4, 1, 1, 2, 3, 4, 1, 1}
	c := cells{teams: map[string]map[string][]float64{"a": {"1": one, "2": one, "3": one}, "b": {"4": one}}}
	all := shown{hidden: map[string]bool{"b": true}, whole: map[string]bool{"b": true}, all: true, split: true} // b hidden, a not: all less a is b
	if len(sensitive(c, columns, "interruptions", all)) == 0 {
		t.Error("the sum of all teams less the one shown is one person, and that was not noticed")
	}
	if got := c.judge(columns, "interruptions"); !got.hidden["a"] || !got.all {
		t.Errorf("%+v: team a has to be hidden with b, and their sum may be told", got)
	}
}

func columnsOf(metric string) []Column {
	names := map[string][]string{
		"interruptions": {"interruptions", "sleep", "off", "business", "groups", "hours", "nights", "people"},
		"pages":         {"pages", "people", "interrupting", "unanswered"},
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
			case "pages":
				if a+b == 0 {
					a = 1
				}
				rows[name] = []float64{a + b, 1, a, 0}
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

// sensitive lists what of few people is in the span of what is shown. The unknowns are, for
// every team and person, the parts of the metric; a sum is a row of coefficients.
func sensitive(c cells, columns []Column, metric string, v shown) []string {
	type unknown struct {
		team, person string
		part         int
	}
	counts := partCounts(columns, metric)
	if metric == "interruptions" {
		counts = counts[:3] // nights are a count of their own, looked at below
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
		span = append(span, vector(func(unknown) bool { return true }))
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
		span = append(span, vector(func(u unknown) bool { return u.team == team }))
		for part := range counts {
			if !v.whole[team] {
				span = append(span, vector(func(u unknown) bool { return u.team == team && u.part == part }))
			}
		}
	}
	span = eliminate(span)
	var people []string
	for _, u := range unknowns {
		if !slices.Contains(people, u.person) {
			people = append(people, u.person)
		}
	}
	slices.Sort(people)
	var out []string
	learn := func(what string, in func(unknown) bool) {
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

func TestSmallTeamsAreAGroupTogether(t *testing.T) {
	team := func(id string, members ...string) Team { return Team{ID: id, Members: members} }
	for _, c := range []struct {
		name  string
		teams []Team
		want  []string
	}{
		{"none is small", []Team{team("a", "1", "2", "3"), team("b", "4", "5", "6")}, nil},
		{"nobody is in it", []Team{team("a", "1", "2", "3"), team("b")}, nil},
		{"one small team takes the next with it", []Team{team("a", "1", "2"), team("b", "4", "5", "6", "7"), team("c", "8", "9", "0")}, []string{"a", "c"}},
		{"two that are a group", []Team{team("a", "1", "2"), team("b", "3"), team("c", "8", "9", "0")}, []string{"a", "b"}},
		{"two of the same people", []Team{team("a", "1", "2"), team("b", "1", "2"), team("c", "8", "9", "0")}, []string{"a", "b", "c"}},
	} {
		var got []string
		for id := range pickSmall(c.teams) {
			got = append(got, id)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if access.GroupSize != 3 {
		t.Error("the words of published answers say three")
	}
}
