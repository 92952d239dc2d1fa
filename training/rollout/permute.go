package rollout

import "slices"

// The limits of the test: up to exactMost possible assignments all are computed, above it
// sampled ones of them, which with the observed one make p exact for what was sampled.
const (
	exactMost = 20_000
	sampled   = 10_000
)

// assignments calls visit with assignments of the groups to the teams, the observed one
// among them, and says how many and whether they are all there are. The slice is reused.
func assignments(d Drawn, visit func(group []int)) (n int, exact bool) {
	if all := d.Assignments(); all.IsInt64() && all.Int64() <= exactMost {
		each(len(d.Teams), d.groups(), visit)
		return int(all.Int64()), true
	}
	visit(d.assignment())
	r, group := source(d.Seed, 1), d.assignment()
	slices.Sort(group)
	for range sampled {
		for i := len(group) - 1; i > 0; i-- {
			j := int(below(r, uint64(i+1)))
			group[i], group[j] = group[j], group[i]
		}
		visit(group)
	}
	return sampled + 1, false
}

// each visits every way to fill the groups.
func each(teams int, sizes []int, visit func(group []int)) {
	left, group := slices.Clone(sizes), make([]int, teams)
	var fill func(i int)
	fill = func(i int) {
		if i == teams {
			visit(group)
			return
		}
		for g := range left {
			if left[g] > 0 {
				left[g]--
				group[i] = g
				fill(i + 1)
				left[g]++
			}
		}
	}
	fill(0)
}
