package oracle

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"
)

// subject is one counted thing, an incident, a page or a stretch of a shift, as filters,
// by and the window see it. Team is already read through the lens.
type subject struct {
	at                                                             time.Time
	team, service, person, urgency, priority, severity, alertClass string
	source, level, hourClass                                       string
	doubts                                                         doubts
}

// rowKey is where a subject is counted.
type rowKey struct{ bucket, key string }

// selects: the subject lies in [from, to) and passes every filter; the values of one
// filter are alternatives.
func (q *question) selects(s subject) bool {
	if s.at.Before(q.From) || !s.at.Before(q.To) {
		return false
	}
	persons := []string{}
	for _, p := range q.Person {
		persons = append(persons, q.who(p))
	}
	return passes(q.Team, s.team) && passes(q.Service, s.service) && passes(persons, s.person) &&
		passes(q.Urgency, s.urgency) && passes(q.Priority, s.priority) &&
		passes(q.AlertClass, s.alertClass) && passes(q.Source, s.source)
}

func passes(filter []string, value string) bool {
	return len(filter) == 0 || slices.Contains(filter, value)
}

// row is the bucket and key of a subject; a key is empty where the attribute is.
func (q *question) row(s subject) rowKey {
	key := map[string]string{
		"team": s.team, "service": s.service, "person": s.person, "urgency": s.urgency, "priority": s.priority,
		"severity": s.severity, "alert_class": s.alertClass, "source": s.source, "level": s.level,
		"hour_class": s.hourClass, "weekday_hour": q.weekdayHour(s.at),
	}[q.By]
	return rowKey{q.bucketOf(s.at), key}
}

// incidentSubject reads an incident for selection. Its hour class is that of the first
// page at the paged person, else of the opening in the organisation's zone.
func (q *question) incidentSubject(i incident) subject {
	s := subject{
		at: i.opened, service: i.service, urgency: i.urgency, priority: i.priority, severity: i.severity,
		alertClass: i.alertClass, source: i.source,
	}
	s.doubts.opened = i.assumed
	switch q.Lens {
	case "owner_then":
		s.team, s.doubts.owner = q.ownerThen(i)
	case "owner_now":
		s.team, _ = q.owner(i.firstService, q.AsOf)
	case "responder_team":
		s.team, s.doubts.team = q.resolverTeam(i)
	}
	if i.firstPage == nil {
		s.hourClass = q.hourClass(description{}, i.opened)
	} else {
		d, assumed := q.describe(q.who(i.firstPage.f.Person), i.firstPage.At)
		s.hourClass, s.doubts.zone = q.hourClass(d, i.firstPage.At), assumed && d.zone != ""
	}
	return s
}

// asked are the incidents that an incident metric is about, with their row: no drills,
// selected, of the wanted kind of resolution. Merged ones are still among them.
func (q *question) asked(visit func(i incident, all map[string]incident, row rowKey, s subject)) {
	all := q.allIncidents()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		i := all[id]
		if i.drill || q.AutoResolved == "exclude" && i.auto || q.AutoResolved == "only" && !i.auto {
			continue
		}
		if s := q.incidentSubject(i); q.selects(s) {
			visit(i, all, q.row(s), s)
		}
	}
}

// table renders rows in order of bucket and key.
func table[T any](columns []string, rows map[rowKey]*T, cells func(*T) []any) Result {
	res := Result{Columns: append([]string{"bucket", "key"}, columns...), Rows: [][]any{}, Assumed: map[string]uint64{}}
	keys := slices.SortedFunc(maps.Keys(rows), func(a, b rowKey) int {
		return cmp.Or(cmp.Compare(a.bucket, b.bucket), cmp.Compare(a.key, b.key))
	})
	for _, k := range keys {
		res.Rows = append(res.Rows, append([]any{k.bucket, k.key}, cells(rows[k])...))
	}
	return res
}

// at gives the row of a key, made when first needed: rows are not invented for empty groups.
func at[T any](rows map[rowKey]*T, k rowKey) *T {
	if rows[k] == nil {
		rows[k] = new(T)
	}
	return rows[k]
}

// elapsed is a duration in seconds with milliseconds; below zero it counts as zero.
func elapsed(from, to time.Time) float64 {
	return float64(max(0, to.Sub(from).Milliseconds())) / 1000
}

// quantile is sorted[int(p·n)], nil of nothing.
func quantile(values []float64, p float64) any {
	if len(values) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(p*float64(len(sorted)))]
}

// mean is rounded to three decimals, nil of nothing. It sums thousandths, so that the
// order of the values cannot matter.
func mean(values []float64) any {
	if len(values) == 0 {
		return nil
	}
	thousandths := int64(0)
	for _, v := range values {
		thousandths += int64(math.Round(v * 1000))
	}
	return math.Round(float64(thousandths)/float64(len(values))) / 1000
}

func levelText(level *int) string {
	if level == nil {
		return ""
	}
	return strconv.Itoa(*level)
}
