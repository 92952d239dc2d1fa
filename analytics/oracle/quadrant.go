package oracle

import "github.com/stewardhq/steward/ingest/event"

// assignment is one entry of an incident's sequence of teams.
type assignment struct {
	team    string
	assumed doubts // what its team rests on
}

// assignments are the teams that an opening, a reassignment or an escalation named, in
// order, the entries of one list in theirs. Targets that stand for no team are skipped;
// then repeats in a row count once.
func (q *question) assignments(i incident) []assignment {
	owner, _ := q.ownerThen(i)
	var out []assignment
	add := func(team string, assumed doubts) {
		if team != "" && (len(out) == 0 || out[len(out)-1].team != team) {
			out = append(out, assignment{team, assumed})
		}
	}
	for _, f := range i.facts {
		switch f.Kind {
		case event.IncidentOpened:
			add(f.f.Team, doubts{})
		case event.IncidentReassigned, event.IncidentEscalated:
			for _, target := range f.f.To {
				add(q.targetTeam(target, f.At, owner))
			}
		}
	}
	return out
}

// firstPagedTeam is the team of the person of the first page; without pages, the first
// team assigned, else the team of the first person to act.
func (q *question) firstPagedTeam(i incident, owner string) (team string, d doubts) {
	if i.firstPage != nil {
		team, d.team = q.teamOf(q.who(i.firstPage.f.Person), i.firstPage.At, owner)
		return team, d
	}
	if a := q.assignments(i); len(a) > 0 {
		return a[0].team, a[0].assumed
	}
	act := i.humanActions()[0]
	team, d.team = q.teamOf(q.who(act.f.Person), act.At, owner)
	return team, d
}

// quadrantOf names an incident's place: unowned before anything else, untouched without a
// human action, else by whether the owner was paged first and whether the owner resolved.
func (q *question) quadrantOf(i incident) (place string, d doubts) {
	owner, assumed := q.ownerThen(i)
	d.owner = assumed
	if owner == "" {
		return "unowned", d
	}
	if len(i.humanActions()) == 0 {
		return "untouched", d
	}
	paged, assumedPaged := q.firstPagedTeam(i, owner)
	resolver, assumedResolver := q.resolverTeam(i)
	d.owner, d.team = assumed || assumedPaged.owner, assumedPaged.team || assumedResolver
	switch {
	case paged == owner && resolver == owner:
		return "owned", d
	case paged == owner:
		return "escalated_away", d
	case resolver == owner:
		return "misrouted", d
	}
	return "owned_on_paper", d
}

// quadrant counts incidents by their place; merged ones are left out.
func (q *question) quadrant() Result {
	places := []string{"owned", "escalated_away", "misrouted", "owned_on_paper", "unowned", "untouched"}
	type counts struct {
		n  int64
		by map[string]int64
	}
	rows, assumed := map[rowKey]*counts{}, map[string]uint64{}
	q.asked(func(i incident, _ map[string]incident, row rowKey, s subject) {
		if i.merged {
			return
		}
		place, d := q.quadrantOf(i)
		c := at(rows, row)
		if c.by == nil {
			c.by = map[string]int64{}
		}
		c.n++
		c.by[place]++
		q.count(assumed, s.doubts, d)
	})
	res := table(append([]string{"n"}, places...), rows, func(c *counts) []any {
		cells := []any{c.n}
		for _, p := range places {
			cells = append(cells, c.by[p])
		}
		return cells
	})
	res.Assumed = assumed
	return res
}

// ownerActed is the first human action by somebody of the owning team, nil if none.
// assumed: a membership looked up on the way was assumed.
func (q *question) ownerActed(i incident, owner string) (act *fact, assumed bool) {
	if owner == "" {
		return nil, false
	}
	for _, f := range i.humanActions() {
		team, a := q.teamOf(q.who(f.f.Person), f.At, owner)
		assumed = assumed || a
		if team == owner {
			return &f, assumed
		}
	}
	return nil, assumed
}

// hops counts how often an incident changed teams, and how long it took to reach its owner.
func (q *question) hops() Result {
	type path struct {
		hops, toOwner []float64
		pingPong      int64
	}
	rows, assumed := map[rowKey]*path{}, map[string]uint64{}
	q.asked(func(i incident, _ map[string]incident, row rowKey, s subject) {
		if i.merged {
			return
		}
		p, teams := at(rows, row), q.assignments(i)
		p.hops = append(p.hops, float64(max(0, len(teams)-1)))
		p.pingPong += one(returns(teams))
		owner, assumedOwner := q.ownerThen(i)
		act, assumedTeam := q.ownerActed(i, owner)
		if act != nil {
			p.toOwner = append(p.toOwner, elapsed(i.ownedAt(), act.At))
		}
		for _, a := range teams {
			assumedOwner, assumedTeam = assumedOwner || a.assumed.owner, assumedTeam || a.assumed.team
		}
		q.count(assumed, s.doubts, doubts{owner: assumedOwner, team: assumedTeam})
	})
	res := table([]string{"n", "hops", "hops_mean", "hops_p90", "ping_pong", "owner_acted", "to_owner_p50", "to_owner_p90"},
		rows, func(p *path) []any {
			sum := int64(0)
			for _, h := range p.hops {
				sum += int64(h)
			}
			return []any{int64(len(p.hops)), sum, mean(p.hops), quantile(p.hops, 0.9), p.pingPong,
				int64(len(p.toOwner)), quantile(p.toOwner, 0.5), quantile(p.toOwner, 0.9)}
		})
	res.Assumed = assumed
	return res
}

// returns: a team appears again after another had the incident.
func returns(teams []assignment) bool {
	had := map[string]bool{}
	for _, a := range teams {
		if had[a.team] {
			return true
		}
		had[a.team] = true
	}
	return false
}
