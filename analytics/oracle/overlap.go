package oracle

import (
	"maps"
	"slices"
)

// skillOverlap: of the skills in question, those of which each team has two people at level
// 2 or above and current, as of as_of.
func (q *question) skillOverlap() Result {
	able := map[string]map[string]int{} // team → skill → people
	all := q.standing()
	for _, person := range slices.Sorted(maps.Keys(q.members)) {
		teams, _ := q.teams(person, q.AsOf)
		for _, team := range teams {
			if !passes(q.Team, team) {
				continue
			}
			if able[team] == nil {
				able[team] = map[string]int{}
			}
			for _, skill := range q.skillNames() {
				if a, ok := q.able(all, person, skill, q.AsOf); ok && a.level >= 2 && a.retention >= 0.7 {
					able[team][skill]++
				}
			}
		}
	}
	rows := map[rowKey]*[]any{}
	n := len(q.skillNames())
	for team, skills := range able {
		shared := 0
		for _, people := range skills {
			if people >= 2 {
				shared++
			}
		}
		if n > 0 {
			*at(rows, rowKey{"", team}) = []any{int64(n), int64(shared), round6(float64(shared) / float64(n))}
		}
	}
	return table([]string{"skills", "shared", "share"}, rows, func(cells *[]any) []any { return *cells })
}
