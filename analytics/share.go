package analytics

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of sharing
//
//  1. That a team may read an attempt is the player's word, drill.shared, which Steward alone
//     may say. Of an attempt and a team the latest word holds; there are few, so all are read.
//  2. It opens a finished attempt to who is in the team when they read, while the player is in
//     it too: who changes teams takes what they showed along. Package access decides.
//  3. What it opens is the debrief. An attempt in play stays the player's alone.

// standing is an attempt that a team may read.
type standing struct {
	attempt, drill, person, team string
	at                           time.Time
}

// standings are the words that hold, and when each attempt was finished.
func (v *View) standings(ctx context.Context, pass access.Pass) ([]standing, map[string]time.Time, error) {
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, nil, err
	}
	var out []standing
	finished, player := map[string]time.Time{}, map[string]string{}
	err = v.s.look(ctx, pass, "shared attempts", v.s.present(), nil, `
SELECT toString(kind), at, person, data
FROM (SELECT kind, at, id, source, person, data FROM events
    WHERE kind IN ('drill.shared', 'drill.finished') AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at, id`, nil, func(r *warehouse.Rows) error {
		var kind, person, data string
		var at time.Time
		if err := r.Scan(&kind, &at, &person, &data); err != nil {
			return err
		}
		var d struct {
			Drill, Attempt, To string
			Shared             bool
		}
		if err := json.Unmarshal([]byte(data), &d); err != nil {
			return err
		}
		person = v.s.reveal(alias.person(person))
		if kind == "drill.finished" {
			if finished[d.Attempt].IsZero() {
				finished[d.Attempt], player[d.Attempt] = at, person
			}
			return nil
		}
		x := standing{d.Attempt, d.Drill, person, strings.TrimPrefix(d.To, "team:"), at}
		out = slices.DeleteFunc(out, func(s standing) bool { return s.attempt == x.attempt && s.team == x.team })
		if d.Shared {
			out = append(out, x)
		}
		return nil
	})
	// Whose attempt it is its end says, and nobody else shares it.
	out = slices.DeleteFunc(out, func(s standing) bool { return player[s.attempt] != "" && player[s.attempt] != s.person })
	return out, finished, err
}

// teamsOf are the teams that people are in now, by person.
func (v *View) teamsOf(ctx context.Context) (map[string][]string, error) {
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	for _, p := range d.People {
		out[p.ID] = p.Teams
	}
	return out, nil
}

// Shares are the teams that may read each of the asker's attempts now, by attempt. A team that
// the asker has left is not among them.
func (v *View) Shares(ctx context.Context) (map[string][]string, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	out := map[string][]string{}
	if v.who.Person == "" {
		return out, nil
	}
	all, _, err := v.standings(ctx, access.Working())
	if err != nil {
		return nil, err
	}
	teams, err := v.teamsOf(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if v.who.Is(s.person) && slices.Contains(teams[s.person], s.team) {
			out[s.attempt] = append(out[s.attempt], s.team)
		}
	}
	for _, t := range out {
		slices.Sort(t)
	}
	return out, nil
}

// SharedRow is an attempt of somebody else that the asker may read. It says not how it went:
// that is in the debrief, which is read one at a time.
type SharedRow struct {
	Attempt, Drill, Person, Team string
	Finished                     time.Time
}

// Shared lists what others let the asker's teams read, the latest finished first.
func (v *View) Shared(ctx context.Context) ([]SharedRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	all, finished, err := v.standings(ctx, access.Working())
	if err != nil {
		return nil, err
	}
	teams, err := v.teamsOf(ctx)
	if err != nil {
		return nil, err
	}
	var out []SharedRow
	for _, s := range all {
		at := finished[s.attempt]
		if v.who.Is(s.person) || at.IsZero() || !slices.Contains(teams[s.person], s.team) {
			continue
		}
		if _, err := v.who.Debriefs(s.person, []string{s.team}); err != nil {
			continue
		}
		if !slices.ContainsFunc(out, func(r SharedRow) bool { return r.Attempt == s.attempt }) { // by several teams
			out = append(out, SharedRow{s.attempt, s.drill, s.person, s.team, at})
		}
	}
	slices.SortFunc(out, func(a, b SharedRow) int {
		return cmp.Or(b.Finished.Compare(a.Finished), strings.Compare(a.Attempt, b.Attempt))
	})
	return out, nil
}

// Debrief is an attempt for who reads what came of it: the asker's own, or one that is
// finished and shared with a team that both belong to. Of others, as of one that does not
// exist: ErrNotFound.
func (v *View) Debrief(ctx context.Context, id string) (*Attempt, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	a, err := v.s.attempt(ctx, access.Working(), id)
	if err != nil {
		return nil, err
	}
	if _, err := v.who.Plays(a.Person); err == nil {
		return a, nil
	}
	gone := fmt.Errorf("attempt: %w", ErrNotFound) // that there is such an attempt is not for others either
	if a.Finished.IsZero() {
		return nil, gone
	}
	all, _, err := v.standings(ctx, access.Working())
	if err != nil {
		return nil, err
	}
	teams, err := v.teamsOf(ctx)
	if err != nil {
		return nil, err
	}
	var with []string
	for _, s := range all {
		if s.attempt == id && s.person == a.Person && slices.Contains(teams[s.person], s.team) {
			with = append(with, s.team)
		}
	}
	if _, err := v.who.Debriefs(a.Person, with); err != nil {
		return nil, gone
	}
	return a, nil
}
