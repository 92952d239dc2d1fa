package oracle

import (
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// incidents counts incidents, merged ones too.
func (q *question) incidents() Result {
	type counts struct{ incidents, load, auto, reopened, merged, open int64 }
	rows, assumed := map[rowKey]*counts{}, map[string]uint64{}
	q.asked(func(i incident, all map[string]incident, row rowKey, s subject) {
		c := at(rows, row)
		c.incidents++
		c.load += one(opensUnit(i, all))
		c.auto += one(i.auto)
		c.reopened += one(i.reopened)
		c.merged += one(i.merged)
		c.open += one(i.resolution == nil && !i.merged)
		q.count(assumed, s.doubts, doubts{})
	})
	res := table([]string{"incidents", "incident_load", "auto_resolved", "reopened", "merged", "open"}, rows,
		func(c *counts) []any { return []any{c.incidents, c.load, c.auto, c.reopened, c.merged, c.open} })
	res.Assumed = assumed
	return res
}

// durations is a row of times: those that have one, and how many have not.
type durations struct {
	seconds []float64
	without int64
}

func (d *durations) cells() []any {
	return []any{int64(len(d.seconds)), d.without, quantile(d.seconds, 0.5), quantile(d.seconds, 0.9), mean(d.seconds)}
}

// timeToAck is the time from opening to the first acknowledgement as the profile has it.
// Merged incidents are left out.
func (q *question) timeToAck() Result {
	rows, assumed := map[rowKey]*durations{}, map[string]uint64{}
	q.asked(func(i incident, _ map[string]incident, row rowKey, s subject) {
		if i.merged || i.resolution == nil && (q.Profile == "goalert" || q.Profile == "opsgenie") {
			return // these two know closed incidents only
		}
		r := at(rows, row)
		if acked, ok := q.acknowledged(i); ok {
			r.seconds = append(r.seconds, elapsed(i.opened, acked))
		} else {
			r.without++
		}
		q.count(assumed, s.doubts, doubts{})
	})
	res := table([]string{"n", "not_acked", "p50", "p90", "mean"}, rows, (*durations).cells)
	res.Assumed = assumed
	return res
}

// acknowledged is when a profile takes an incident as acknowledged: at the first
// incident.acknowledged by a named user. For grafana-oncall anybody's resolve or silence
// does too, whichever is first; for opsgenie the close stands in for a missing one.
func (q *question) acknowledged(i incident) (time.Time, bool) {
	for _, f := range i.facts {
		byPerson := f.Kind == event.IncidentAcknowledged && f.f.Actor() == "user" && f.f.Person != ""
		handled := q.Profile == "grafana-oncall" &&
			slices.Contains([]event.Kind{event.IncidentResolved, event.IncidentSnoozed}, f.Kind)
		if byPerson || handled {
			return f.At, true
		}
	}
	if q.Profile == "opsgenie" {
		return i.resolution.At, true
	}
	return time.Time{}, false
}

// timeToResolve is the time from opening to the last resolution; reopened time counts, an
// open incident is counted as unresolved, merged ones are left out.
func (q *question) timeToResolve() Result {
	rows, assumed := map[rowKey]*durations{}, map[string]uint64{}
	q.asked(func(i incident, _ map[string]incident, row rowKey, s subject) {
		if i.merged {
			return
		}
		r := at(rows, row)
		if i.resolution == nil {
			r.without++
		} else {
			r.seconds = append(r.seconds, elapsed(i.opened, i.resolution.At))
		}
		q.count(assumed, s.doubts, doubts{})
	})
	res := table([]string{"n", "unresolved", "p50", "p90", "mean"}, rows, (*durations).cells)
	res.Assumed = assumed
	return res
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
