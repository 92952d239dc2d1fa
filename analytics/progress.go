package analytics

import (
	"cmp"
	"slices"

	"github.com/stewardhq/steward/access"
)

// behindProgress takes out of an answer of training_progress what tells how far one or two
// people are. How far somebody is with what they learn is theirs, their lead's and people
// admins'; others read rows over at least access.GroupSize assignments, of the usual window up
// to now alone, since two windows or moments of one's choice differ by one assignment. Rows
// that are left out are three assignments together at least, so that none follows from a sum.
func (v *View) behindProgress(q question, a *Answer) *Answer {
	switch {
	case q.metric.Name != "training_progress" || len(a.Rows) == 0, v.unveiled(), q.by == "person", len(q.who) > 0:
		return a
	case len(q.team) > 0 && !slices.ContainsFunc(q.team, func(t string) bool { return !v.who.HeadsTeam(t) }):
		return a
	}
	out := *a
	out.Withheld = slices.Clone(a.Withheld)
	now := v.s.now()
	lately := func(d int64) bool { return d >= -int64(knownLately) && d <= int64(knownLately) }
	if !lately(int64(now.Sub(q.asOf))) || !lately(int64(now.Sub(q.knownAt))) || !lately(int64(now.Sub(q.to))) || !lately(int64(q.to.Sub(q.from)-q.usual())) {
		out.Rows, out.Withheld = [][]any{}, append(out.Withheld, Withheld{Reason: "how far people are is shown to others of the usual window up to now; ask without from, to, as_of and known_at"})
		return &out
	}
	at := slices.IndexFunc(a.Columns, func(c Column) bool { return c.Name == "assigned" })
	assigned := func(r []any) int64 { n, _ := r[at].(int64); return n }
	rows := slices.Clone(a.Rows)
	slices.SortStableFunc(rows, func(x, y []any) int { return cmp.Compare(assigned(x), assigned(y)) })
	gone, few := map[string]bool{}, int64(0)
	for _, r := range rows {
		if assigned(r) >= access.GroupSize && (few == 0 || few >= access.GroupSize) {
			break
		}
		key, _ := r[1].(string)
		gone[key], few = true, few+assigned(r)
	}
	if len(gone) == 0 {
		return a
	}
	out.Rows = slices.DeleteFunc(slices.Clone(a.Rows), func(r []any) bool { key, _ := r[1].(string); return gone[key] })
	for _, r := range a.Rows {
		if key, _ := r[1].(string); gone[key] {
			out.Withheld = append(out.Withheld, Withheld{Key: key, Reason: "fewer than three assignments, or needed so that those of others do not follow"})
		}
	}
	return &out
}
