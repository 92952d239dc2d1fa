package oracle

import (
	"maps"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// reverse is a shift of somebody with a host behind them.
type reverse struct {
	person     string
	start, end time.Time
}

// reverses are the reverse-shadow shifts as last stated.
func (q *question) reverses() []reverse {
	latest := map[string]fact{}
	for _, f := range q.facts {
		if f.Kind == event.ShiftPlanned || f.Kind == event.ShiftWorked {
			latest[shiftID(f)] = f
		}
	}
	var out []reverse
	for _, f := range latest {
		if w := (reverse{q.who(f.f.Person), f.raw.Start.Truncate(time.Millisecond), f.raw.End.Truncate(time.Millisecond)}); f.raw.Role == "reverse_shadow" && w.start.Before(w.end) {
			out = append(out, w)
		}
	}
	return out
}

// taken are the alerts that each trainee acknowledged in such a shift: incident to the first
// moment of it.
func (q *question) taken() map[string]map[string]time.Time {
	out, reverses, all := map[string]map[string]time.Time{}, q.reverses(), q.allIncidents()
	for _, f := range q.facts {
		i := all[f.f.Incident]
		if f.Kind != event.IncidentAcknowledged || f.f.Actor() != "user" || f.f.Person == "" || i.drill || i.merged {
			continue
		}
		person := q.who(f.f.Person)
		if !slices.ContainsFunc(reverses, func(w reverse) bool {
			return w.person == person && !f.At.Before(w.start) && f.At.Before(w.end)
		}) {
			continue
		}
		if out[person] == nil {
			out[person] = map[string]time.Time{}
		}
		if _, already := out[person][f.f.Incident]; !already { // facts come in order
			out[person][f.f.Incident] = f.At
		}
	}
	return out
}

// incidentsOf a review are the one it names, or else those that a page of its name was of.
func (q *question) incidentsOf(review fact) []string {
	if review.f.Incident != "" {
		return []string{review.f.Incident}
	}
	var out []string
	for _, f := range q.facts {
		if f.Kind == event.PageSent && f.f.Page == review.f.Page && f.f.Incident != "" {
			out = append(out, f.f.Incident)
		}
	}
	return out
}

// tap is one word about whether an alert made sense.
type tap struct {
	incident string
	at       time.Time
	yes      bool
}

func (q *question) taps() []tap {
	var out []tap
	for _, r := range q.reviews() {
		if r.raw.MadeSense != nil {
			for _, id := range q.incidentsOf(r) {
				out = append(out, tap{id, r.At, *r.raw.MadeSense})
			}
		}
	}
	return out
}

// sense counts a person's alerts at a moment: all, those with a tap, those whose last tap
// says yes.
func sense(alerts map[string]time.Time, taps []tap, t time.Time) (n, rated, yes int64) {
	for id, acked := range alerts {
		if acked.After(t) {
			continue
		}
		n++
		for _, tap := range slices.Backward(taps) {
			if tap.incident == id && !tap.at.After(t) {
				rated++
				yes += one(tap.yes)
				break
			}
		}
	}
	return n, rated, yes
}

// graduation looks at every moment at which anything happened, from the first on.
func (q *question) graduation() Result {
	type trainee struct {
		n, rated, yes int64
		graduated     any
	}
	rows, all, taps := map[rowKey]*trainee{}, q.taken(), q.taps()
	asked := []string{}
	for _, p := range q.Person {
		asked = append(asked, q.who(p))
	}
	for person, alerts := range all {
		if !passes(asked, person) || !q.inTeams(person) {
			continue
		}
		r := at(rows, rowKey{"", person})
		r.n, r.rated, r.yes = sense(alerts, taps, q.AsOf)
		moments := slices.Collect(maps.Values(alerts))
		for _, tap := range taps {
			moments = append(moments, tap.at)
		}
		slices.SortFunc(moments, time.Time.Compare)
		for _, t := range moments {
			if n, _, yes := sense(alerts, taps, t); n >= 10 && float64(yes)/float64(n) > 0.8 {
				r.graduated = t.UTC().Format("2006-01-02T15:04:05.000Z")
				break
			}
		}
	}
	return table([]string{"acknowledged", "rated", "made_sense", "share", "graduated_at"}, rows, func(r *trainee) []any {
		return []any{r.n, r.rated, r.yes, round6(float64(r.yes) / float64(r.n)), r.graduated}
	})
}
