package oracle

import (
	"strings"
	"time"
)

// owner is the team that owned a service at t, empty if none: the last service.owned at
// or before t. Before the first one that first owner is assumed.
func (q *question) owner(service string, t time.Time) (team string, assumed bool) {
	all := q.owned[service]
	if service == "" || len(all) == 0 {
		return "", false
	}
	if past := upTo(all, t); len(past) > 0 {
		return past[len(past)-1].f.Team, false
	}
	if q.Assume == "first" {
		return all[0].f.Team, true
	}
	return "", false
}

// policyServices are the services of a policy at t: those of its last publication, before
// the first one those of the first.
func (q *question) policyServices(policy string, t time.Time) []string {
	all := q.policies[policy]
	if past := upTo(all, t); len(past) > 0 {
		return past[len(past)-1].raw.Services
	}
	if len(all) > 0 && q.Assume == "first" {
		return all[0].raw.Services
	}
	return nil
}

// policyTeam is the one team that owns all owned services of a policy at t; empty if
// there are several such teams or none. assumed: the owner of one of them was.
func (q *question) policyTeam(policy string, t time.Time) (only string, assumed bool) {
	for _, s := range q.policyServices(policy, t) {
		team, a := q.owner(s, t)
		if team == "" {
			continue
		}
		if only != "" && only != team {
			return "", false
		}
		only, assumed = team, assumed || a
	}
	return only, assumed
}

// targetTeam is the team a target stands for at t: a person their team then (owner, if
// they are in it), a policy the team that owns its services, a team itself, described or
// not. Empty: the target stands for no team and is skipped.
func (q *question) targetTeam(target string, t time.Time, owner string) (team string, d doubts) {
	kind, id, _ := strings.Cut(target, ":")
	switch kind {
	case "person":
		team, d.team = q.teamOf(q.who(id), t, owner)
	case "policy":
		team, d.owner = q.policyTeam(id, t)
	case "team":
		team = id
	}
	return team, d
}
