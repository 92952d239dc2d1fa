package dashboards

import (
	"context"
	"time"

	"github.com/stewardhq/steward/analytics"
)

// skillMetrics are the fake's catalogue of what people can do and learn.
func skillMetrics() []analytics.Metric {
	gaps := metricOf("skill_gaps", "gap", "skill", "skill team", "incidents demand supply need coverage away gap")
	overlap := metricOf("skill_overlap", "share", "team", "skill team", "skills shared share")
	coverage := metricOf("skill_coverage", "hours", "skill", "skill team", "hours covered coverage")
	progress := metricOf("training_progress", "assignments", "module team track person", "team person", "assigned started passed completed overdue waived")
	return []analytics.Metric{coverage, gaps, overlap, progress}
}

// The first team lacks queues on its nights; the second has nobody to spare; the third's skill
// is of no list, and what it can do is withheld.
func (s *fake) Gaps(_ context.Context, f analytics.SkillFilter) ([]analytics.GapRow, []analytics.Withheld, error) {
	if s.empty || s.broken != nil {
		return nil, nil, s.broken
	}
	number := func(n int64) *int64 { return &n }
	real := func(v float64) *float64 { return &v }
	all := []analytics.GapRow{
		{Team: hostile[0], Skill: "queue-stream-ops", Incidents: 12, Demand: 20, Supply: number(1), Need: 3, Coverage: real(0.25), Away: 0.4, Gap: real(10.67), Cites: []string{hostile[2], hostile[6]}},
		{Team: hostile[1], Skill: "datastore-ops", Incidents: 4, Demand: 4, Supply: number(2), Need: 2, Coverage: real(1), Away: 0, Gap: real(0), Cites: []string{"i1"}},
		{Team: hostile[2], Skill: hostile[0], Incidents: 2, Demand: 6, Need: 2, Away: 0.1, Withheld: "a team of fewer than 3 people", Cites: []string{hostile[4]}},
	}
	var out []analytics.GapRow
	for _, g := range all {
		if (len(f.Team) == 0 || f.Team[0] == g.Team) && (len(f.Skill) == 0 || f.Skill[0] == g.Skill) {
			out = append(out, g)
		}
	}
	return out, []analytics.Withheld{{Key: hostile[4], Reason: "too small"}}, nil
}

func (s *fake) Demand(ctx context.Context) ([]analytics.DemandRow, error) {
	gaps, _, err := s.Gaps(ctx, analytics.SkillFilter{})
	var out []analytics.DemandRow
	for _, g := range gaps {
		out = append(out, analytics.DemandRow{Team: g.Team, Skill: g.Skill, Incidents: g.Incidents, Demand: g.Demand})
	}
	return out, err
}

func (s *fake) Standing(context.Context, analytics.SkillFilter) ([]analytics.StandingRow, []analytics.Withheld, error) {
	if s.empty || s.broken != nil {
		return nil, nil, s.broken
	}
	return []analytics.StandingRow{{Team: hostile[0], Skill: "queue-stream-ops", Current: 1, Fading: 2}, {Team: hostile[1], Skill: "datastore-ops", Current: 2}, {Team: hostile[1], Skill: "host-debugging", Current: 1}},
		[]analytics.Withheld{{Key: hostile[2], Reason: "a team of fewer than 3 people"}}, nil
}

func (s *fake) Cited(context.Context, analytics.SkillFilter, int) ([]analytics.CitedRow, error) {
	if s.empty || s.broken != nil {
		return nil, s.broken
	}
	return []analytics.CitedRow{{Team: hostile[0], Skill: "queue-stream-ops", Incident: hostile[2], Title: hostile[0], Service: hostile[4], Opened: s.now.AddDate(0, 0, -3), Severe: true, Away: true}}, nil
}

// Ahead: the first team's days are covered and its nights are not, until Thursday, when nobody
// is on call; the second is covered throughout; the third may not be told of.
func (s *fake) Ahead(_ context.Context, f analytics.SkillFilter, until time.Time) ([]analytics.Piece, []analytics.Withheld, error) {
	if s.empty || s.broken != nil {
		return nil, nil, s.broken
	}
	var all []analytics.Piece
	berlin := time.FixedZone("CET", 3600) // where the organisation of these tests is
	for day := time.Date(2026, 11, 22, 0, 0, 0, 0, berlin); day.Before(time.Date(2026, 11, 26, 0, 0, 0, 0, berlin)); day = day.AddDate(0, 0, 1) {
		all = append(all,
			analytics.Piece{Team: hostile[0], From: day.Add(8 * time.Hour), To: day.Add(22 * time.Hour), Skills: []string{"queue-stream-ops"}},
			analytics.Piece{Team: hostile[0], From: day.Add(22 * time.Hour), To: day.Add(32 * time.Hour)})
	}
	all = append(all, analytics.Piece{Team: hostile[1], From: s.now, To: until, Skills: []string{"datastore-ops"}}, analytics.Piece{Team: hostile[2], From: s.now, To: until, Hidden: true})
	var out []analytics.Piece
	for _, p := range all {
		if p.From.Before(s.now) {
			p.From = s.now
		}
		if len(f.Team) == 0 || f.Team[0] == p.Team {
			out = append(out, p)
		}
	}
	return out, nil, nil
}

func (s *fake) OnCall(context.Context, analytics.SkillFilter, time.Time) ([]analytics.OnCallRow, error) {
	if s.empty || s.broken != nil {
		return nil, s.broken
	}
	return []analytics.OnCallRow{{Team: hostile[0], Person: hostile[2], Level: 1, From: s.now, To: s.now.Add(9 * time.Hour)}, {Team: hostile[0], Person: hostile[4], Level: 2, From: s.now, To: s.now.Add(90 * time.Hour)}}, nil
}

func (s *fake) Underload(context.Context, analytics.SkillFilter) (analytics.Underload, error) {
	if s.empty || s.broken != nil {
		return analytics.Underload{}, s.broken
	}
	return analytics.Underload{From: s.now.AddDate(0, 0, -90), To: s.now, MonthFrom: s.now.AddDate(0, 0, -111), MonthTo: s.now.AddDate(0, 0, -21), OnCall: true, OwnIdle: true, Teams: []analytics.IdleTeam{
		{Team: hostile[0], People: 5, Idle: 2, Named: true, Persons: []string{hostile[2], hostile[4]}}, {Team: hostile[1], People: 4, Idle: 1}, {Team: hostile[2], Withheld: "fewer than 3 people on call"},
	}}, nil
}
