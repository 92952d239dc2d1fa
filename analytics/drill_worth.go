package analytics

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of what is worth a drill
//
//  1. An incident teaches if it was long, grave, needed help, and somebody wrote down what they
//     thought: each counts from 0 to 1, and the sum orders the list. It is a suggestion: what
//     there is to learn its author knows.
//  2. Only incidents of the asker's teams are looked at, since only their members may compile
//     one. Ones that resolved themselves, were merged, or have their drill are left out.

// worthSpan is how far back is looked, worthShort how many of the longest are looked into.
const (
	worthSpan  = 365 * 24 * time.Hour
	worthShort = 200
)

// Worth is an incident that could become a drill. Notes are those of people.
type Worth struct {
	IncidentRow
	Took               time.Duration
	Notes, Escalations int
	Grave              bool
	Points             float64 // 0 to 4
}

// WorthDrill lists at most limit incidents of the asker's teams, what is most worth a drill first.
func (v *View) WorthDrill(ctx context.Context, limit int) ([]Worth, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	teams := v.who.Teams()
	if len(teams) == 0 && !v.who.IsOperator() {
		return nil, nil
	}
	drills, err := v.Drills(ctx)
	if err != nil {
		return nil, err
	}
	now := v.s.now().UTC()
	rows, err := v.s.incidents(ctx, access.Working(), IncidentFilter{From: now.Add(-worthSpan), To: now, Team: teams, Limit: 10000})
	if err != nil {
		return nil, err
	}
	var out []Worth
	for _, r := range rows {
		if r.Resolved.IsZero() || r.Auto || r.Merged || slices.ContainsFunc(drills, func(d Drill) bool { return d.Incident == r.ID }) {
			continue
		}
		if _, err := v.who.Authors([]string{r.OwnerThen, r.OwnerNow}); err != nil {
			continue
		}
		out = append(out, Worth{IncidentRow: r, Took: r.Resolved.Sub(r.Opened)})
	}
	slices.SortStableFunc(out, func(a, b Worth) int { return cmp.Compare(b.Took, a.Took) })
	out = out[:min(len(out), worthShort)]
	if len(out) == 0 {
		return nil, nil
	}
	place := map[string]int{}
	var ids []string
	for i, w := range out {
		place[w.ID], ids = i, append(ids, w.ID)
	}
	err = v.s.look(ctx, access.Working(), "worth a drill", v.s.present(), nil, `
SELECT incident, countIf(kind = 'incident.noted' AND actor != 'service'),
    countIf(kind IN ('incident.reassigned', 'responder.requested') OR kind = 'incident.escalated' AND JSONExtractString(data, 'cause') != 'timeout'),
    groupUniqArrayArray([lower(toString(severity)), lower(toString(priority))])
FROM (SELECT kind, incident, actor, severity, priority, data, source, id FROM events
    WHERE incident IN {ids:Array(String)} AND at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
GROUP BY incident`, []warehouse.Param{{Name: "ids", Value: ids}}, func(r *warehouse.Rows) error {
		var id string
		var notes, escalations uint64
		var words []string
		if err := r.Scan(&id, &notes, &escalations, &words); err != nil {
			return err
		}
		w := &out[place[id]]
		w.Notes, w.Escalations = int(notes), int(escalations)
		w.Grave = slices.ContainsFunc(words, func(s string) bool {
			return slices.Contains([]string{"p1", "p2", "sev1", "sev2", "critical"}, strings.ReplaceAll(s, "-", ""))
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		w := &out[i]
		w.Points = min(1, w.Took.Hours()/2) + min(1, float64(w.Notes)/4) + min(1, float64(w.Escalations))
		if w.Grave {
			w.Points++
		}
	}
	slices.SortStableFunc(out, func(a, b Worth) int {
		return cmp.Or(cmp.Compare(b.Points, a.Points), b.Opened.Compare(a.Opened), strings.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), limit)], nil
}
