package analytics

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of what is shown of a month
//
//  1. A cell over fewer than access.GroupSize people is hidden. What all teams sum to, less
//     the cells that are shown, is the sum of the hidden ones, so as many more are hidden as
//     that sum needs to be over a group; and if even all together are no group, nothing of
//     that month is shown.
//  2. Within a cell the columns that split it (asleep, off, business; primary, secondary)
//     are shown only if each part that is not empty is over a group; and the parts of all
//     teams only if no part of few people follows from what is shown of the others.
//  3. Leads see their own teams exactly. So what is hidden must be a group also without any
//     one of the hidden teams.
//  4. Which cell is hidden depends on nothing but the month's own data, so that every asker
//     and every question sees the same cells. Withheld says which and why.

// parts are the columns of a metric that split others.
var parts = map[string][]string{
	"interruptions": {"sleep", "off", "business", "nights"},
	"oncall_hours":  {"primary", "secondary"},
}

// cells is one month: per team, per person, the metric's columns after bucket and key.
type cells struct {
	start time.Time
	teams map[string]map[string][]float64
}

// shown is what may be said of one month.
type shown struct {
	hidden map[string]bool // teams
	whole  map[string]bool // teams whose parts are hidden
	all    bool            // whether the month's sum may be said
	split  bool            // and its parts
}

// group is a set of people; who has no name belongs to nobody and makes no group.
type group map[string]bool

func (g group) small() bool { return len(g) > 0 && len(g) < access.GroupSize }

// peopleOf are those of a team for whom count is above zero.
func (c cells) peopleOf(team string, count func([]float64) float64) group {
	g := group{}
	for person, values := range c.teams[team] {
		if person != "" && count(values) > 0 {
			g[person] = true
		}
	}
	return g
}

// anything counts whoever has a row at all.
func anything([]float64) float64 { return 1 }

// names are the month's teams in order, so that what is hidden depends on no map's order.
func (c cells) names() []string {
	var out []string
	for t := range c.teams {
		out = append(out, t)
	}
	sort.Strings(out)
	return out
}

// judge says what may be shown of a month.
func (c cells) judge(columns []Column, metric string) shown {
	v := shown{hidden: map[string]bool{}, whole: map[string]bool{}}
	v.all = c.hide(v.hidden, anything)
	counts := partCounts(columns, metric)
	own := map[string]bool{} // teams whose parts would not be shown for their own sake
	for _, t := range c.names() {
		for _, count := range counts {
			own[t] = own[t] || v.hidden[t] || c.peopleOf(t, count).small()
		}
		if own[t] {
			v.whole[t] = true
		}
	}
	v.split = v.all
	for again := true; again && v.split; { // hiding for one part may bare another
		before := len(v.whole)
		for _, count := range counts {
			v.split = v.split && c.hide(v.whole, count)
		}
		if v.split && c.derivable(v, summing(counts, metric)) {
			v.split = c.hideOne(v.whole)
		}
		again = len(v.whole) > before
	}
	if !v.split { // without the sum's parts each team stands for itself
		v.whole = own
	}
	return v
}

// summing are the parts that add up to the metric's first column; nights are a count of
// their own.
func summing(counts []func([]float64) float64, metric string) []func([]float64) float64 {
	if metric == "interruptions" {
		return counts[:3]
	}
	return counts
}

// derivable says whether parts of few people follow from what is shown: for every team
// whose parts are hidden its sum, for every part the sum over these teams. Teams that are
// hidden altogether are one row, whose sum follows from the others. A cell of such a table
// follows from the sums of rows and columns if the cells, as edges between rows and
// columns, fall apart without it; so cells of few people must not be what holds them
// together.
func (c cells) derivable(v shown, counts []func([]float64) float64) bool {
	type cell struct {
		row  string
		part int
	}
	table := func(without string) map[cell]group {
		people := map[cell]group{}
		for t := range v.whole {
			row := t
			if v.hidden[t] {
				row = "\x00hidden"
			}
			for part, count := range counts {
				for p := range c.peopleOf(t, count) {
					at := cell{row, part}
					if people[at] == nil {
						people[at] = group{}
					}
					if t != without {
						people[at][p] = true
					}
				}
			}
		}
		for at, g := range people {
			if len(g) == 0 {
				delete(people, at)
			}
		}
		return people
	}
	pieces := func(people map[cell]group, with func(group) bool) int {
		piece := map[string]string{}
		var find func(string) string
		find = func(x string) string {
			if piece[x] == "" || piece[x] == x {
				piece[x] = x
				return x
			}
			piece[x] = find(piece[x])
			return piece[x]
		}
		for at, who := range people { // every row and column that has a cell counts
			row, part := find("row "+at.row), find(fmt.Sprint("part ", at.part))
			if with(who) {
				piece[row] = part
			}
		}
		n := 0
		for x := range piece {
			if find(x) == x {
				n++
			}
		}
		return n
	}
	// A lead knows what their own team has in each cell, and can take it out: with every
	// team in turn, and with none.
	for _, insider := range append([]string{"\x00nobody"}, slices.Sorted(maps.Keys(v.whole))...) {
		people := table(insider)
		if pieces(people, func(g group) bool { return !g.small() }) > pieces(people, func(group) bool { return true }) {
			return true
		}
	}
	return false
}

// hideOne takes one more team's parts away, the one of most people, who hold a table
// together best. It is false if there is none.
func (c cells) hideOne(whole map[string]bool) bool {
	best, most := "", 0
	for _, t := range c.names() {
		if n := len(c.peopleOf(t, anything)); !whole[t] && n > most {
			best, most = t, n
		}
	}
	if most > 0 {
		whole[best] = true
	}
	return most > 0
}

// hide adds teams to hidden until those that are small are hidden, and the hidden ones
// together are a group or nothing, also without any one of them. It is false if even all of
// them are none. Those of fewest people go first, so that most is still shown.
func (c cells) hide(hidden map[string]bool, count func([]float64) float64) bool {
	names := c.names()
	union := group{}
	take := func(t string) {
		hidden[t] = true
		for p := range c.peopleOf(t, count) {
			union[p] = true
		}
	}
	for _, t := range names {
		if hidden[t] || c.peopleOf(t, count).small() {
			take(t)
		}
	}
	// A team's lead knows its part exactly, so what is left without it must be a group too.
	bare := func() bool {
		if union.small() {
			return true
		}
		for _, t := range names {
			if !hidden[t] || len(c.peopleOf(t, count)) == 0 {
				continue
			}
			rest := group{}
			for _, o := range names {
				if hidden[o] && o != t {
					for p := range c.peopleOf(o, count) {
						rest[p] = true
					}
				}
			}
			if rest.small() {
				return true
			}
		}
		return false
	}
	for bare() {
		next, fewest := "", math.MaxInt
		for _, t := range names {
			if n := len(c.peopleOf(t, count)); !hidden[t] && n > 0 && n < fewest {
				next, fewest = t, n
			}
		}
		if fewest == math.MaxInt {
			return false
		}
		take(next)
	}
	return true
}

// partCounts read the parts of a metric out of a row's columns.
func partCounts(columns []Column, metric string) []func([]float64) float64 {
	at := map[string]int{}
	for i, c := range columns[2:] {
		at[c.Name] = i
	}
	var out []func([]float64) float64
	for _, name := range parts[metric] {
		i := at[name]
		out = append(out, func(v []float64) float64 { return v[i] })
	}
	return out
}
