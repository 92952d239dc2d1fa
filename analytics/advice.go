package analytics

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of what recommendations go by
//
//  1. The figures are those of the metrics: skill_gaps, and of oneself skill_levels. What is
//     read here besides are the incidents behind them, the coming time on call, how many
//     people of a team are at a module, and what was dismissed.
//  2. A team's are for whoever package access lets read what it should learn. They are the
//     same for each of them, since what is suggested to a team must not depend on who looks.
//  3. A person's are the asker's own. There is no way to ask for somebody else's.
//  4. What is read for all teams at once is kept as slow rows are (slowly.go): several cards of
//     one page, and every team's, stand on it.

// took365 is how far back incidents are looked for, as by skill_gaps.
const took365 = 365 * 24 * time.Hour

// TookRow is an incident on a service that a team owned then, and one skill that it took.
type TookRow struct {
	Incident, Skill, Team string
	Opened                time.Time
	Severe                bool   // counts three times in demand
	Away                  bool   // escalated away
	Yours                 bool   // the asker was paged first, or acted first
	paged, acted          string // who was first, as stored; does not leave
}

// DemandBehind are the incidents of the last 365 days behind what these teams' skills are
// wanted for, newest first; merged ones are left out, as by skill_gaps.
func (v *View) DemandBehind(ctx context.Context, teams ...string) ([]TookRow, error) {
	for _, t := range teams {
		if err := v.who.Advised(t); err != nil {
			return nil, err
		}
	}
	if len(teams) == 0 {
		return nil, nil
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	me := map[string]bool{}
	if v.who.Person != "" {
		for _, p := range v.s.stored([]string{v.who.Person}) {
			me[alias.person(p)] = true
		}
	}
	all, err := v.s.keptBehind(ctx, slowFor)
	if err != nil {
		return nil, err
	}
	var out []TookRow
	for _, x := range all {
		if slices.Contains(teams, x.Team) {
			x.Yours = x.paged != "" && me[x.paged] || x.acted != "" && me[x.acted]
			x.paged, x.acted = "", ""
			out = append(out, x)
		}
	}
	return out, nil
}

// keptBehind are what demandBehind reads, most old at most.
func (s *Store) keptBehind(ctx context.Context, most time.Duration) ([]TookRow, error) {
	return slowly(ctx, s, most, "behind demand", s.demandBehind)
}

// demandBehind reads them for all teams: what one team's costs is what all teams' do.
func (s *Store) demandBehind(ctx context.Context) ([]TookRow, error) {
	q := s.present()
	q.metric.Name, q.from = "skill_gaps", q.to.Add(-took365)
	var out []TookRow
	err := s.look(ctx, access.Working(), "incidents by skill", q, []string{"incident_teamed", "tag_standing"}, `
SELECT i.incident, t.skill, i.owner_then, i.opened_at,
    hasAny(['P1', 'P2', 'SEV1', 'SEV2', 'CRITICAL'], [upper(i.last_priority), upper(i.last_severity)]) AS is_severe,
    i.quadrant = 'escalated_away' AS is_away,
    if(i.is_paged, transform(i.paged.3, {alias:Array(String)}, {person_of:Array(String)}, i.paged.3), '') AS first_paged,
    if(i.is_acted, substring(i.first_act.3, 8), '') AS first_acted
FROM incident_teamed AS i
INNER JOIN tag_standing AS t ON i.incident = t.incident
WHERE NOT i.is_merged AND i.owner_then != ''
ORDER BY i.opened_at DESC, i.incident DESC, t.skill`, nil,
		func(r *warehouse.Rows) error {
			var x TookRow
			var severe, away bool
			err := r.Scan(&x.Incident, &x.Skill, &x.Team, &x.Opened, &severe, &away, &x.paged, &x.acted)
			x.Severe, x.Away = severe, away
			out = append(out, x)
			return err
		})
	return out, err
}

// AheadRow is a stretch of a team's coming time on call, with the skills that somebody on
// call has at level 3 and current.
type AheadRow struct {
	From, To time.Time
	Skills   []string
}

// TeamAhead is a team's coming time on call up to a moment, AheadMost at most, in order. Of a
// team of fewer than three people it is empty: it would say what each of them can do.
func (v *View) TeamAhead(ctx context.Context, team string, until time.Time) ([]AheadRow, error) {
	if err := v.who.Advised(team); err != nil {
		return nil, err
	}
	if small, err := v.tiny(ctx, team); small || err != nil {
		return nil, err
	}
	all, err := v.s.coming(ctx, until)
	if err != nil {
		return nil, err
	}
	var out []AheadRow
	for _, x := range all {
		if x.Team == team {
			out = append(out, AheadRow{x.From, x.To, x.Skills})
		}
	}
	return out, nil
}

// tiny says whether a team had one or two members at any moment of the last 365 days.
func (v *View) tiny(ctx context.Context, team string) (bool, error) {
	moves, _, err := v.s.movesAndServices(ctx)
	if err != nil {
		return false, err
	}
	now := v.s.now()
	return slices.Contains(smallIn(moves, now.Add(-took365), now), team), nil
}

// TeamLearning is how far a team is with modules, without saying who.
type TeamLearning struct {
	Members int
	Small   bool           // fewer than three people at some moment of 365 days
	Held    map[string]int // module → people who have it to do, did it or are excused; of a small team only what all of it was given
}

// TeamLearning counts a team's people by module. tracks are the modules of each track.
func (v *View) TeamLearning(ctx context.Context, team string, tracks map[string][]string) (TeamLearning, error) {
	out := TeamLearning{Held: map[string]int{}}
	if err := v.who.Advised(team); err != nil {
		return out, err
	}
	var err error
	if out.Small, err = v.tiny(ctx, team); err != nil {
		return out, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return out, err
	}
	in := map[string]bool{}
	for _, t := range d.Teams {
		if t.ID == team {
			out.Members = t.Size
			for _, m := range t.Members {
				in[m] = true
			}
		}
	}
	// Read as the operator, so that it is the same whoever asks; only counts leave.
	rows, err := v.s.For(access.Operator(), "").Assignments(ctx, AssignmentFilter{Team: []string{team}, Tracks: tracks})
	if err != nil {
		return out, err
	}
	counted := map[[2]string]bool{}
	for _, r := range rows {
		at := [2]string{r.Module, r.Person}
		if counted[at] || !in[r.Person] || r.State == StateAbandoned || out.Small && r.Team != team {
			continue
		}
		counted[at] = true
		out.Held[r.Module]++
	}
	return out, nil
}

// TurnRow is a stretch of the asker's own coming time on call.
type TurnRow struct {
	Team     string // whose member they are then
	From, To time.Time
	Begun    bool // they are on call now, and From is the moment of the look
}

// OwnTurns are the asker's own coming time on call up to a moment, in order, and whether they
// were ever on call before; shadowing does not count.
func (v *View) OwnTurns(ctx context.Context, until time.Time) (coming []TurnRow, before bool, err error) {
	if err := v.who.Learns(); err != nil {
		return nil, false, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, false, err
	}
	all, err := v.s.comingTurns(ctx, until)
	if err != nil {
		return nil, false, err
	}
	// What began earlier was cut to the moment at which it was looked at, which is by now.
	me, now := v.s.canonical(alias, v.who.Person), v.s.now()
	for _, x := range all { // by their beginning
		if x.Person != me {
			continue
		}
		if n := len(coming); n > 0 && coming[n-1].Team == x.Team && !x.From.After(coming[n-1].To) { // one shift, cut
			if x.To.After(coming[n-1].To) {
				coming[n-1].To = x.To
			}
			continue
		}
		coming = append(coming, TurnRow{Team: x.Team, From: x.From, To: x.To, Begun: !x.From.After(now)})
	}
	of := []warehouse.Param{{Name: "of", Value: v.s.stored([]string{v.who.Person})}}
	// What a shift was stated last: one that was called off, or given to somebody else, was none of theirs.
	err = v.s.look(ctx, access.Working(), "whether on call before", v.s.present(), []string{"shift_said"},
		"SELECT 1 FROM shift_said WHERE role NOT IN ('shadow', 'reverse_shadow') AND start < {as_of:DateTime64(3, 'UTC')} AND "+
			"has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), member) LIMIT 1", of,
		func(*warehouse.Rows) error { before = true; return nil })
	return coming, before, err
}

// DismissedRow is that somebody does not want a recommendation.
type DismissedRow struct {
	Recommendation, By, Reason string
	At                         time.Time
}

// Dismissals are those of a team or, without one, of the asker; oldest first. Only Steward
// itself says them.
func (v *View) Dismissals(ctx context.Context, team string) ([]DismissedRow, error) {
	where, of := "team = {of_team:String} AND person = ''", []string{}
	if team != "" {
		if err := v.who.Advised(team); err != nil {
			return nil, err
		}
	} else {
		if err := v.who.Learns(); err != nil {
			return nil, err
		}
		where = "has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), transform(person, {alias:Array(String)}, {person_of:Array(String)}, person))"
		of = v.s.stored([]string{v.who.Person})
	}
	var out []DismissedRow
	err := v.s.look(ctx, access.Working(), "dismissals", v.s.present(), []string{"membership_epoch"}, `
SELECT at, data FROM (SELECT at, id, source, team, person, data FROM events
    WHERE kind = 'recommendation.dismissed' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen, at LIMIT 1 BY source, id)
WHERE `+where+` ORDER BY at, id`,
		[]warehouse.Param{{Name: "of", Value: of}, {Name: "of_team", Value: team}},
		func(r *warehouse.Rows) error {
			var x DismissedRow
			var data string
			if err := r.Scan(&x.At, &data); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(v.s.revealJSON(data)), &x); err != nil {
				return err
			}
			x.Reason = strings.TrimSpace(x.Reason)
			out = append(out, x)
			return nil
		})
	return out, err
}
