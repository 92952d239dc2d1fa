package analytics

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of the veil over what teams can do
//
//  1. How many of a team can do something is a figure of the team, and everybody's; what each
//     of them can do is theirs alone. So it is shown of teams of at least access.GroupSize
//     people, at the moment it speaks of and in its window.
//  2. Two groups that differ by one or two people would tell of these by their difference,
//     however many are in each. Of two such teams only the first by name is shown, and
//     several teams are added up only where the people in each combination of them are a
//     group too.
//  3. So would one team at two moments, of which somebody may choose any: before and after one
//     joined. A past moment is answered where the team's people were those of now, and what was
//     known at a past moment is not.
//  4. Coverage is of hours, and every hour is one team's: there size alone counts.
//  5. Whoever holds the data directory and people admins see levels by person, so nothing is
//     kept from them. Nobody else is an exception, also not the team's own lead: who is in a
//     group knows their own part already, and needs one the less to tell another's.

// veil is which teams' sums over what people can do are not shown, and why.
type veil struct {
	members map[string]group  // at that moment
	few     map[string]bool   // too small, then or in the window
	hidden  map[string]string // these, and those that differ from another by too few
}

// veilAt works it out for a window and the moment at that a figure speaks of.
func veilAt(moves []move, from, to, at time.Time) veil {
	v := veil{members: map[string]group{}, few: map[string]bool{}, hidden: map[string]string{}}
	for _, m := range moves {
		if m.at.After(at) {
			break
		}
		if v.members[m.team] == nil {
			v.members[m.team] = group{}
		}
		if m.in {
			v.members[m.team][m.member] = true
		} else {
			delete(v.members[m.team], m.member)
		}
	}
	if at.Before(from) {
		from = at
	}
	if at.After(to) {
		to = at
	}
	for _, t := range smallIn(moves, from, to) {
		v.few[t], v.hidden[t] = true, tooFew
	}
	var names []string
	for t := range v.members {
		names = append(names, t)
	}
	sort.Strings(names)
	for i, t := range names {
		for _, shown := range names[:i] {
			if v.hidden[t] == "" && v.hidden[shown] == "" && near(v.members[shown], v.members[t]) {
				v.hidden[t] = fmt.Sprintf("its people differ from those of %s by fewer than %d", shown, access.GroupSize)
			}
		}
	}
	return v
}

// tooFew is the reason of a team's size.
var tooFew = fmt.Sprintf("a team of fewer than %d people, at some moment of the window", access.GroupSize)

// near says whether two groups differ, and by too few people.
func near(a, b group) bool {
	n := 0
	for p := range a {
		if !b[p] {
			n++
		}
	}
	for p := range b {
		if !a[p] {
			n++
		}
	}
	return n > 0 && n < access.GroupSize
}

// sum says why a sum over several teams is not shown; empty if it is. No teams are all.
func (v veil) sum(teams []string) string {
	if len(teams) == 0 {
		for t := range v.members {
			teams = append(teams, t)
		}
		sort.Strings(teams)
	}
	where := map[string]string{} // person → the teams of these they are in
	union := group{}
	for _, t := range teams {
		if why := v.hidden[t]; why != "" {
			return why
		}
		for p := range v.members[t] {
			where[p] += "\n" + t
			union[p] = true
		}
	}
	size := map[string]int{}
	for _, in := range where {
		size[in]++
	}
	if len(teams) < 2 {
		return ""
	}
	for _, n := range size {
		if n < access.GroupSize {
			return fmt.Sprintf("fewer than %d people are in the same ones of these teams", access.GroupSize)
		}
	}
	for t, people := range v.members {
		if !slices.Contains(teams, t) && v.hidden[t] == "" && near(people, union) {
			return fmt.Sprintf("the people of these teams differ from those of another by fewer than %d", access.GroupSize)
		}
	}
	return ""
}

// others says why a team's sum at a moment is not shown, empty if it is: its people are
// others now. No teams are all.
func (v veil) others(now map[string]group, teams ...string) string {
	if len(teams) == 0 {
		for t := range v.members {
			teams = append(teams, t)
		}
		for t := range now {
			teams = append(teams, t)
		}
	}
	for _, t := range teams {
		if !maps.Equal(v.members[t], now[t]) {
			return otherPeople
		}
	}
	return ""
}

const otherPeople = "other people were in the team then than now, and the difference would tell of these; ask without as_of"

// knownLately is how far back known_at may lie to be of now.
const knownLately = time.Minute

// unveiled says whether the asker sees levels by person, so that sums tell them nothing new.
func (v *View) unveiled() bool { return v.who.IsOperator() || v.who.Has(access.PeopleAdmin) }

// veil is what to hide, for a window and a moment.
func (v *View) veil(ctx context.Context, from, to, at time.Time) (veil, error) {
	moves, _, err := v.s.movesAndServices(ctx)
	if err != nil {
		return veil{}, err
	}
	return veilAt(moves, from, to, at), nil
}

// ofSkills are the columns that say what people of a team can do.
var ofSkills = map[string][]string{
	"skill_gaps":     {"supply", "coverage", "gap"},
	"skill_coverage": {"covered", "coverage"},
	"skill_overlap":  {"shared", "share"},
}

// behindVeil empties the columns of an answer that the asker may not read. Demand stays.
func (v *View) behindVeil(ctx context.Context, q question, a *Answer) (*Answer, error) {
	columns := ofSkills[q.metric.Name]
	if columns == nil || v.unveiled() || len(a.Rows) == 0 {
		return a, nil
	}
	veil, err := v.veil(ctx, q.from, q.to, q.asOf)
	if err != nil {
		return nil, err
	}
	now, err := v.veil(ctx, q.from, q.to, v.s.now())
	if err != nil {
		return nil, err
	}
	why := map[string]string{}
	switch {
	case q.metric.Name != "skill_coverage" && v.s.now().Sub(q.knownAt) > knownLately:
		why[""] = "who was in a team is asked as it is known now; ask without known_at"
	case q.metric.Name == "skill_coverage":
		if slices.ContainsFunc(q.team, func(t string) bool { return veil.few[t] }) {
			why[""] = tooFew
		}
	case q.by == "team":
		for _, r := range a.Rows {
			key, _ := r[1].(string)
			if reason := cmp.Or(veil.hidden[key], veil.others(now.members, key)); reason != "" {
				why[key] = reason
			}
		}
	default:
		if reason := cmp.Or(veil.sum(q.team), veil.others(now.members, q.team...)); reason != "" {
			why[""] = reason
		}
	}
	if len(why) == 0 {
		return a, nil
	}
	out := *a
	out.Withheld, out.Rows = slices.Clone(a.Withheld), make([][]any, len(a.Rows))
	for i, r := range a.Rows {
		key, _ := r[1].(string)
		out.Rows[i] = r
		if why[key] == "" && why[""] == "" {
			continue
		}
		out.Rows[i] = slices.Clone(r)
		for j, c := range a.Columns {
			if slices.Contains(columns, c.Name) {
				out.Rows[i][j] = nil
			}
		}
	}
	var keys []string
	for k := range why {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		out.Withheld = append(out.Withheld, Withheld{Key: k, Reason: strings.Join(columns, ", ") + ": " + why[k]})
	}
	return &out, nil
}
