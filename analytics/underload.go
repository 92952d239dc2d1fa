package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of underload
//
//  1. Whoever is on a rota and handles nothing for long forgets how. Underload is a person
//     with a shift of level 1 or 2 in 90 days who in that time acted on no incident: no
//     human action of theirs on one, as METRICS defines it. It is a signal to practise, and
//     no fault.
//  2. It is load, so it is that person's and their lead's by name, and the look is recorded.
//     Everybody else reads a count of a team, of the 90 days before this month began, where
//     at least access.GroupSize of the team were on call.
//  3. A person counts for the team that stands for them at their shift, as for on-call hours.

const underloadDays = 90

// IdleTeam is a team's people on call and those of them who handled nothing.
type IdleTeam struct {
	Team         string
	People, Idle int
	Named        bool     // the asker reads who
	Persons      []string // who handled nothing, where Named
	Withheld     string   // why there are no counts
}

// Underload is what the asker may know of it. Own and its rest are the asker's own.
type Underload struct {
	From, To           time.Time // of one's own and of named rows
	MonthFrom, MonthTo time.Time // of counts
	OnCall, OwnIdle    bool
	Teams              []IdleTeam // by team
}

// stint is somebody on call for a team, and when they last handled an incident in the
// window; zero: they did not.
type stint struct {
	team, person string
	last         time.Time
}

// underloadSpan is the length of its windows.
const underloadSpan = underloadDays * 24 * time.Hour

// underloadEnds are the ends of its two windows: now, and the start of this month.
func (s *Store) underloadEnds() (now, month time.Time) {
	now = s.present().asOf
	local := now.In(s.zone)
	return now, startOfDay(local.Year(), local.Month(), 1, s.zone).UTC()
}

// keptStints are everybody's in the two windows, most old at most.
func (s *Store) keptStints(ctx context.Context, most time.Duration) (live, months []stint, err error) {
	now, month := s.underloadEnds()
	live, err = slowly(ctx, s, most, "underload", func(ctx context.Context) ([]stint, error) { return s.stints(ctx, now.Add(-underloadSpan), now) })
	if err != nil {
		return nil, nil, err
	}
	months, err = slowly(ctx, s, most, "underload/"+month.String(), func(ctx context.Context) ([]stint, error) { return s.stints(ctx, month.Add(-underloadSpan), month) })
	return live, months, err
}

// Underload says who, or how many, were on call in 90 days and handled no incident.
func (v *View) Underload(ctx context.Context, f SkillFilter) (Underload, error) {
	var out Underload
	if _, err := v.who.Facts(); err != nil {
		return out, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return out, err
	}
	nowIn := map[string][]string{}
	for _, p := range d.People {
		nowIn[p.ID] = p.Teams
	}
	out.To, out.MonthTo = v.s.underloadEnds()
	out.From, out.MonthFrom = out.To.Add(-underloadSpan), out.MonthTo.Add(-underloadSpan)
	live, months, err := v.s.keptStints(ctx, slowFor)
	if err != nil {
		return out, err
	}
	hidden, err := v.veil(ctx, out.MonthFrom, out.MonthTo, out.MonthTo)
	if err != nil {
		return out, err
	}
	var teams []string
	for _, s := range slices.Concat(live, months) {
		if s.team != "" && (len(f.Team) == 0 || slices.Contains(f.Team, s.team)) && !slices.Contains(teams, s.team) {
			teams = append(teams, s.team)
		}
	}
	slices.Sort(teams)
	out.OnCall = slices.ContainsFunc(live, func(s stint) bool { return v.who.Is(s.person) })
	out.OwnIdle = out.OnCall && !slices.ContainsFunc(live, func(s stint) bool { return v.who.Is(s.person) && !s.last.IsZero() })
	var pass access.Pass
	var seen []string
	for _, team := range teams {
		row := IdleTeam{Team: team}
		// Who may see everybody names the team they look at, so that the look is one.
		asked := len(f.Team) > 0 || v.who.IsOperator() || v.who.LeadsTeam(team)
		if p, err := v.who.Decide(access.Ask{Load: true, Named: true, Teams: []string{team}}); err == nil && asked {
			row.Named, row.Persons = true, []string{}
			for _, s := range live {
				// Of people who have left a lead's team its sums are all there is.
				if s.team != team || !v.unveiled() && !v.who.Is(s.person) && !slices.ContainsFunc(nowIn[s.person], v.who.LeadsTeam) {
					continue
				}
				row.People++
				pass, seen = p, append(seen, s.person) // also that somebody is not idle is shown
				if s.last.IsZero() {
					row.Idle, row.Persons = row.Idle+1, append(row.Persons, s.person)
				}
			}
			slices.Sort(row.Persons)
			out.Teams = append(out.Teams, row)
			continue
		}
		for _, s := range months {
			if s.team == team {
				row.People++
				if s.last.IsZero() {
					row.Idle++
				}
			}
		}
		if row.People < access.GroupSize || hidden.few[team] {
			row = IdleTeam{Team: team, Withheld: fmt.Sprintf("fewer than %d people on call", access.GroupSize)}
		}
		out.Teams = append(out.Teams, row)
	}
	return out, v.record(ctx, pass, seen)
}

// stints reads one row per person on call and team.
func (s *Store) stints(ctx context.Context, from, to time.Time) ([]stint, error) {
	q := s.present()
	q.metric = s.metrics["oncall_hours"]
	q.from, q.to = from, to
	var out []stint
	err := s.look(ctx, access.Working(), "underload", q, []string{"shift_hours", "incident_state"}, `
SELECT s.team AS team, s.member AS member, h.last AS last
FROM (SELECT DISTINCT team, member FROM shift_hours WHERE level <= 2 AND began < ended) AS s
LEFT JOIN (
    SELECT member, max(at) AS last
    FROM (
        SELECT transform(act.3, {alias:Array(String)}, {person_of:Array(String)}, act.3) AS member, act.1 AS at
        FROM (SELECT arrayJoin(arrayFilter(a -> NOT is_resolved OR (a.1, a.2) <= (resolution.1, resolution.2), acts)) AS act FROM incident_state))
    WHERE at >= {from:DateTime64(3, 'UTC')} AND at < {to:DateTime64(3, 'UTC')}
    GROUP BY member) AS h ON s.member = h.member
ORDER BY team, member`, nil,
		func(r *warehouse.Rows) error {
			var x stint
			if err := r.Scan(&x.team, &x.person, &x.last); err != nil {
				return err
			}
			if x.last.Before(from) { // nothing found reads as the zero of its type
				x.last = time.Time{}
			}
			x.person = s.reveal(x.person)
			out = append(out, x)
			return nil
		})
	slices.SortStableFunc(out, func(a, b stint) int { return cmp.Or(cmp.Compare(a.team, b.team), cmp.Compare(a.person, b.person)) })
	return out, err
}
