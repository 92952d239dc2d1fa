package oracle

// doubts says which facts are assumed.
type doubts struct{ owner, team, zone, opened bool }

// count adds one subject in question to the counts of assumed facts, but only by facts
// that the question uses: the team seen through the lens where by or a filter looks at
// it, the zone for interruptions and by hour class, the opening in metrics of incidents.
// own is what the metric itself rests on, quadrant and hops on owner and team.
func (q *question) count(assumed map[string]uint64, seen doubts, own doubts) {
	ofTeam := q.By == "team" || len(q.Team) > 0
	ofHour := q.By == "hour_class" || q.metric == "interruptions"
	for name, is := range map[string]bool{
		"owner":  seen.owner && ofTeam || own.owner,
		"team":   seen.team && ofTeam || own.team,
		"zone":   seen.zone && ofHour || own.zone,
		"opened": seen.opened || own.opened,
	} {
		if is {
			assumed[name]++
		}
	}
}
