package oracle

import (
	"slices"
	"strings"
)

// lack is what a team, or several as one, lacks of a skill.
type lack struct {
	incidents, demand, away int64
	everywhere, awayThere   int64 // demand of all teams, and what of it left its team
}

// severe incidents weigh three times.
func severity(i incident) int64 {
	for _, s := range []string{i.priority, i.severity} {
		if slices.Contains([]string{"P1", "P2", "SEV1", "SEV2", "CRITICAL"}, strings.ToUpper(s)) {
			return 3
		}
	}
	return 1
}

// skillGaps: demand on owned services, by the owner then; supply as of as_of; the share
// escalated away, shrunk; half of what is missing and half of what left, times demand.
func (q *question) skillGaps() Result {
	lacks, tags := map[string]*lack{}, q.tags()
	assumed := map[string]uint64{}
	for _, i := range q.allIncidents() {
		owner, _ := q.ownerThen(i)
		if i.drill || i.merged || owner == "" || i.opened.Before(q.From) || !i.opened.Before(q.To) {
			continue
		}
		place, doubt := q.quadrantOf(i)
		for _, skill := range tags[i.id] {
			if lacks[skill] == nil {
				lacks[skill] = &lack{}
			}
			l, w := lacks[skill], severity(i)
			l.everywhere += w
			if place == "escalated_away" {
				l.awayThere += w
			}
			if !passes(q.Team, owner) {
				continue
			}
			l.incidents, l.demand = l.incidents+1, l.demand+w
			if place == "escalated_away" {
				l.away += w
			}
			q.count(assumed, doubts{opened: i.assumed}, doubt)
		}
	}
	supply, all := map[string]int64{}, q.standing()
	for _, person := range peopleIn(all) {
		teams, _ := q.teams(person, q.AsOf)
		for _, skill := range q.skillNames() {
			if a, ok := q.able(all, person, skill, q.AsOf); ok && a.isSupply() && len(teams) > 0 && q.inTeams(person) {
				supply[skill]++
			}
		}
	}
	stretches := q.stretches()
	need, round := int64(2), q.aroundTheClock(stretches)
	for team := range q.tierOne() {
		if round[team] {
			need = 3
		}
	}
	rows := map[rowKey]*[]any{}
	for skill, l := range lacks {
		if l.incidents == 0 {
			continue
		}
		var c cover
		for _, s := range stretches {
			c.add(s, skill)
		}
		mu := float64(l.awayThere) / float64(l.everywhere)
		away := (float64(l.away) + 5*mu) / (float64(l.demand) + 5)
		open := 1 - min(float64(supply[skill])/float64(need), 1)
		gap := float64(l.demand) * (0.5*open + 0.5*away)
		*at(rows, rowKey{"", skill}) = []any{l.incidents, l.demand, supply[skill], need, c.share(), round6(away), round6(gap)}
	}
	res := table([]string{"incidents", "demand", "supply", "need", "coverage", "away", "gap"}, rows, func(cells *[]any) []any { return *cells })
	res.Assumed = assumed
	return res
}
