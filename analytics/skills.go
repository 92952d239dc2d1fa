package analytics

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of what teams can do
//
//  1. The pages of skills ask of every team at once what the metrics skill_gaps and
//     skill_levels say of one, so there is one statement for all of them (fact gap_team) and
//     one for who is current. They are as of now: no moment can be chosen, and no people.
//  2. What all teams' rows are is kept as slow rows are (slowly.go); what of it the asker reads
//     is decided for each (veil.go, small.go).
//  3. Of a team that is too small, others read no row and its own people read demand alone.

// SkillFilter selects teams and skills; empty lists are all. From and To are the window of
// what happened; zero times are the 365 days up to now.
type SkillFilter struct {
	From, To    time.Time
	Team, Skill []string
}

func (f SkillFilter) wants(team, skill string) bool {
	return (len(f.Team) == 0 || slices.Contains(f.Team, team)) && (len(f.Skill) == 0 || slices.Contains(f.Skill, skill))
}

// key tells kept rows of different windows apart.
func (f SkillFilter) key() string { return f.From.UTC().String() + "/" + f.To.UTC().String() }

// skillsQuestion is a question of the metric skill_gaps about all teams.
func (s *Store) skillsQuestion(f SkillFilter) question {
	q := s.present()
	q.metric = s.metrics["skill_gaps"] // its variants of facts are the ones wanted
	q.metric.key = ""
	if !f.To.IsZero() {
		q.to = f.To.UTC()
	}
	q.from = q.to.Add(-q.usual())
	if !f.From.IsZero() {
		q.from = f.From.UTC()
	}
	return q
}

// GapRow is one team's lack of one skill with all its parts, as the metric skill_gaps defines
// them. What is nil is withheld, and Withheld says why; Coverage is nil, too, without hours on
// call. Cites are up to five incidents: those that left the team, then the severe, newest first.
type GapRow struct {
	Team, Skill             string
	Incidents, Demand, Need int64
	Supply                  *int64
	Coverage                *float64
	Away                    float64
	Gap                     *float64
	Withheld                string
	Cites                   []string
}

// Gaps are what each team lacks, largest gap first; after them the rows whose gap is withheld,
// largest demand first. Withheld names the teams that have no rows here.
func (v *View) Gaps(ctx context.Context, f SkillFilter) ([]GapRow, []Withheld, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, nil, err
	}
	q := v.s.skillsQuestion(f)
	all, err := v.s.keptGaps(ctx, f, slowFor)
	if err != nil {
		return nil, nil, err
	}
	hidden, small, left, err := v.teamsHidden(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	var out []GapRow
	for _, r := range all {
		if !f.wants(r.Team, r.Skill) || slices.Contains(small, r.Team) {
			continue
		}
		if why := hidden.hidden[r.Team]; why != "" && !v.who.IsOperator() {
			r.Supply, r.Gap, r.Withheld = nil, nil, why
			if hidden.few[r.Team] {
				r.Coverage = nil
			}
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b GapRow) int {
		if (a.Gap == nil) != (b.Gap == nil) {
			return cmp.Compare(boolean(a.Gap == nil), boolean(b.Gap == nil))
		}
		if a.Gap != nil && *a.Gap != *b.Gap {
			return cmp.Compare(*b.Gap, *a.Gap)
		}
		return cmp.Or(cmp.Compare(b.Demand, a.Demand), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Skill, b.Skill))
	})
	return out, left, nil
}

// teamsHidden are the veil of a question, the teams that do not exist for the asker, and the
// words for these.
func (v *View) teamsHidden(ctx context.Context, q question) (veil, []string, []Withheld, error) {
	from, to := q.from, q.to
	if q.asOf.Before(from) {
		from = q.asOf
	}
	if q.asOf.After(to) {
		to = q.asOf
	}
	hidden, err := v.veil(ctx, from, to, q.asOf)
	if err != nil {
		return veil{}, nil, nil, err
	}
	small, _, err := v.smallTo(ctx, from, to)
	if err != nil {
		return veil{}, nil, nil, err
	}
	var left []Withheld
	for _, t := range small {
		left = append(left, Withheld{t, tooFew})
	}
	return hidden, small, left, nil
}

// keptGaps are all teams' gaps, most old at most.
func (s *Store) keptGaps(ctx context.Context, f SkillFilter, most time.Duration) ([]GapRow, error) {
	return slowly(ctx, s, most, "gaps/"+f.key(), func(ctx context.Context) ([]GapRow, error) { return s.gaps(ctx, s.skillsQuestion(f)) })
}

func (s *Store) gaps(ctx context.Context, q question) ([]GapRow, error) {
	var out []GapRow
	err := s.look(ctx, access.Working(), "gaps of teams", q, []string{"gap_team"}, `
SELECT team, skill, toInt64(incidents) AS incidents, toInt64(demand) AS demand, toInt64(supply) AS supply, toInt64(need) AS need,
    on_call > 0 AS is_on_call, if(on_call = 0, 0, round(covered / on_call, 6)) AS coverage, round(shrunk, 6) AS away,
    round(demand * (0.5 * (1 - least(supply / need, 1)) + 0.5 * shrunk), 6) AS gap, telling
FROM gap_team ORDER BY team, skill`, nil,
		func(r *warehouse.Rows) error {
			var g GapRow
			var supply int64
			var coverage, gap float64
			var onCall uint8
			if err := r.Scan(&g.Team, &g.Skill, &g.Incidents, &g.Demand, &supply, &g.Need, &onCall, &coverage, &g.Away, &gap, &g.Cites); err != nil {
				return err
			}
			g.Supply, g.Gap = &supply, &gap
			if onCall == 1 {
				g.Coverage = &coverage
			}
			out = append(out, g)
			return nil
		})
	return out, err
}

// DemandRow is what incidents on a team's services took of a skill in the last 365 days:
// incidents, and their weight by severity.
type DemandRow struct {
	Team, Skill       string
	Incidents, Demand int64
}

// Demand lists it, largest first. It costs much less than Gaps.
func (v *View) Demand(ctx context.Context) ([]DemandRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	q := v.s.skillsQuestion(SkillFilter{})
	all, err := v.s.keptDemand(ctx, slowFor)
	if err != nil {
		return nil, err
	}
	small, _, err := v.smallTo(ctx, q.from, q.to)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(r DemandRow) bool { return slices.Contains(small, r.Team) }), nil
}

// keptDemand is all teams' demand, most old at most.
func (s *Store) keptDemand(ctx context.Context, most time.Duration) ([]DemandRow, error) {
	return slowly(ctx, s, most, "demand", func(ctx context.Context) ([]DemandRow, error) { return s.demand(ctx, s.skillsQuestion(SkillFilter{})) })
}

func (s *Store) demand(ctx context.Context, q question) ([]DemandRow, error) {
	var out []DemandRow
	err := s.look(ctx, access.Working(), "demand of teams", q, []string{"demand_team"},
		"SELECT team, skill, toInt64(incidents) AS incidents, toInt64(demand) AS demand FROM demand_team ORDER BY demand DESC, team, skill", nil,
		func(r *warehouse.Rows) error {
			var x DemandRow
			err := r.Scan(&x.Team, &x.Skill, &x.Incidents, &x.Demand)
			out = append(out, x)
			return err
		})
	return out, err
}

// StandingRow is how many of a team have a skill at level 3 or above and are current, or
// fading, which is a retention of 0.5 to 0.7. Who they are is said nowhere.
type StandingRow struct {
	Team, Skill     string
	Current, Fading int64
}

// Standing counts them for teams that are large enough, by team and skill; a skill that
// nobody of a team has has no row. Withheld names the other teams and why.
func (v *View) Standing(ctx context.Context, f SkillFilter) ([]StandingRow, []Withheld, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, nil, err
	}
	q := v.s.skillsQuestion(SkillFilter{})
	all, err := v.s.keptStanding(ctx, slowFor)
	if err != nil {
		return nil, nil, err
	}
	hidden, _, _, err := v.teamsHidden(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	var out []StandingRow
	for _, r := range all {
		if f.wants(r.Team, r.Skill) && (hidden.hidden[r.Team] == "" || v.who.IsOperator()) {
			out = append(out, r)
		}
	}
	var left []Withheld
	for t, why := range hidden.hidden {
		if len(f.Team) == 0 || slices.Contains(f.Team, t) {
			left = append(left, Withheld{t, why})
		}
	}
	slices.SortFunc(left, func(a, b Withheld) int { return cmp.Compare(a.Key, b.Key) })
	if v.who.IsOperator() {
		left = nil
	}
	return out, left, nil
}

// keptStanding is all teams' standing, most old at most.
func (s *Store) keptStanding(ctx context.Context, most time.Duration) ([]StandingRow, error) {
	return slowly(ctx, s, most, "standing", func(ctx context.Context) ([]StandingRow, error) {
		return s.standing(ctx, s.skillsQuestion(SkillFilter{}))
	})
}

func (s *Store) standing(ctx context.Context, q question) ([]StandingRow, error) {
	var out []StandingRow
	err := s.look(ctx, access.Working(), "standing of teams", q, []string{"skill_now"}, `
SELECT team, skill, toInt64(countIf(is_supply)) AS current, toInt64(countIf(NOT is_supply AND retention >= 0.5)) AS fading
FROM skill_now ARRAY JOIN teams AS team
WHERE level >= 3
GROUP BY team, skill HAVING current + fading > 0 ORDER BY team, skill`, nil,
		func(r *warehouse.Rows) error {
			var x StandingRow
			err := r.Scan(&x.Team, &x.Skill, &x.Current, &x.Fading)
			out = append(out, x)
			return err
		})
	return out, err
}

// CitedRow is an incident that took a skill.
type CitedRow struct {
	Team, Skill              string
	Incident, Title, Service string
	Opened                   time.Time
	Severe, Away             bool // P1, P2, SEV1, SEV2 or critical; escalated away from its owner
}

// Cited lists the incidents behind a demand, newest first, at most limit: those that the
// filter's teams owned then. Teams that are too small for the asker have none here.
func (v *View) Cited(ctx context.Context, f SkillFilter, limit int) ([]CitedRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	q := v.s.skillsQuestion(f)
	_, small, _, err := v.teamsHidden(ctx, q)
	if err != nil {
		return nil, err
	}
	st, err := v.story(ctx)
	if err != nil {
		return nil, err
	}
	q.team, q.skill = slices.Clone(f.Team), slices.Clone(f.Skill)
	var out []CitedRow
	err = v.s.look(ctx, access.Working(), "incidents of skills", q, []string{"gap_tagged"}, `
SELECT owner, skill, incident, last_title, service, opened_at, weight > 1 AS is_severe, is_away
FROM gap_tagged WHERE is_asked AND NOT has({small:Array(String)}, owner)
ORDER BY opened_at DESC, incident DESC, skill LIMIT {limit:UInt32}`,
		[]warehouse.Param{{Name: "limit", Value: uint32(limit)}, {Name: "small", Value: append([]string{}, small...)}},
		func(r *warehouse.Rows) error {
			var x CitedRow
			var severe, away uint8
			if err := r.Scan(&x.Team, &x.Skill, &x.Incident, &x.Title, &x.Service, &x.Opened, &severe, &away); err != nil {
				return err
			}
			i := IncidentRow{ID: x.Incident, Title: v.s.reveal(x.Title), Service: x.Service, Opened: x.Opened, OwnerThen: x.Team}
			if !v.who.IsOperator() {
				st.of(i)
				st.row(&i)
			}
			x.Title, x.Severe, x.Away = i.Title, severe == 1, away == 1
			out = append(out, x)
			return nil
		})
	return out, err
}
