package analytics

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/training/rollout"
)

// Theory of operation of measures
//
//  1. A roll-out is judged by one measure of teams by week, from a closed list, so that
//     nobody can look for the metric that happens to have moved.
//  2. A measure is a metric asked as everybody asks it, by team and week. So what a team too
//     small to be a group did is withheld here as elsewhere, and what people carry by the
//     week is for people admins and for whoever leads all the teams; others are refused.
//  3. Counts are 0 in a week without a row. Medians, means and shares have no value then:
//     such a week is left out, since nothing happened is not the same as nothing was slow.

// Measure is what a roll-out can be judged by.
type Measure struct {
	Key    string // as in rollout.drawn
	Name   string // in running words: "incidents per week"
	Unit   string
	Metric string
	Load   bool // speaks of what people carry
	Scale  rollout.Scale
	Expect rollout.Direction // what is usually hoped for

	of     []string // columns of the value, summed
	over   []string // columns it is a share of, summed; empty: none
	n      []string // columns that count what is behind it, summed
	counts bool     // a week without a row is 0
}

var handledColumns = []string{"owned", "escalated_away", "misrouted", "owned_on_paper"}

var measures = []Measure{
	{Key: "incidents", Name: "incidents per week", Unit: "incidents a week", Metric: "incidents", Scale: rollout.Difference, Expect: rollout.Lower, of: []string{"incidents"}, n: []string{"incidents"}, counts: true},
	{Key: "time_to_resolve_p50", Name: "median time to resolve", Unit: "seconds", Metric: "time_to_resolve", Scale: rollout.Ratio, Expect: rollout.Lower, of: []string{"p50"}, n: []string{"n"}},
	{Key: "time_to_ack_p50", Name: "median time to acknowledge", Unit: "seconds", Metric: "time_to_ack", Scale: rollout.Ratio, Expect: rollout.Lower, of: []string{"p50"}, n: []string{"n"}},
	{Key: "escalated_away_share", Name: "share of incidents escalated away", Unit: "share", Metric: "ownership_quadrant", Scale: rollout.Difference, Expect: rollout.Lower, of: []string{"escalated_away"}, over: handledColumns, n: handledColumns},
	{Key: "hops_mean", Name: "mean hops between teams", Unit: "hops", Metric: "hops", Scale: rollout.Difference, Expect: rollout.Lower, of: []string{"hops_mean"}, n: []string{"n"}},
	{Key: "interruptions", Name: "interruptions per week", Unit: "interruptions a week", Metric: "interruptions", Load: true, Scale: rollout.Difference, Expect: rollout.Lower, of: []string{"interruptions"}, n: []string{"interruptions"}, counts: true},
	{Key: "sleep_interruptions", Name: "interruptions in sleeping hours per week", Unit: "interruptions a week", Metric: "interruptions", Load: true, Scale: rollout.Difference, Expect: rollout.Lower, of: []string{"sleep"}, n: []string{"sleep"}, counts: true},
}

// Measures lists what a roll-out can be judged by.
func Measures() []Measure { return slices.Clone(measures) }

// MeasureOf is the measure of a key.
func MeasureOf(key string) (Measure, bool) {
	i := slices.IndexFunc(measures, func(m Measure) bool { return m.Key == key })
	if i < 0 {
		return Measure{}, false
	}
	return measures[i], true
}

// leastDuration stands for a median below it, in seconds: a ratio needs values above zero,
// and a source's clock may run behind.
const leastDuration = 1

// Panel is a measure by team and week.
type Panel struct {
	Measure  Measure
	Version  int // of the metric
	From, To time.Time
	Values   []rollout.Value
	N        float64           // incidents or interruptions behind the values
	Withheld map[string]string // teams that are left out, and why
	AsOf     time.Time
}

// Panel asks for the whole weeks in [from, to), Mondays as dates: a week is local, of the
// organisation's zone, and begins at its Monday's midnight there. Weeks that have not ended
// by now are left out. Errors as of Query: a measure of load is refused with *access.Denied.
func (v *View) Panel(ctx context.Context, m Measure, teams []string, from, to time.Time) (*Panel, error) {
	p := &Panel{Measure: m, From: from, To: earlier(to, rollout.LocalWeek(v.s.now(), v.s.zone)), Withheld: map[string]string{}}
	if !p.From.Before(p.To) {
		p.To = p.From
	}
	q := url.Values{"by": {"team"}, "bucket": {"week"}, "team": slices.Clone(teams), "from": {from.Format(time.DateOnly)}, "to": {p.To.Format(time.DateOnly)}}
	if p.From.Equal(p.To) { // nothing has ended, and whether they may ask is to be said all the same
		q.Set("from", from.AddDate(0, 0, -7).Format(time.DateOnly))
		q.Set("to", from.Format(time.DateOnly))
	}
	a, err := v.Query(ctx, m.Metric, q)
	if err != nil {
		return nil, err
	}
	p.Version, p.AsOf = a.Version, a.AsOf
	for _, w := range a.Withheld {
		if w.Key == "" || slices.Contains(teams, w.Key) {
			p.Withheld[w.Key] = w.Reason
		}
	}
	index := map[string]int{}
	for i, c := range a.Columns {
		index[c.Name] = i
	}
	type cell struct {
		team string
		week time.Time
	}
	seen := map[cell]bool{}
	for _, r := range a.Rows {
		bucket, _ := r[0].(string)
		team, _ := r[1].(string)
		week, err := time.Parse(time.DateOnly, bucket)
		if err != nil || week.Before(p.From) || !week.Before(p.To) {
			continue
		}
		value, ok := m.value(r, index)
		if !ok {
			continue
		}
		n, _ := sumOf(r, index, m.n)
		p.N += n
		p.Values, seen[cell{team, week}] = append(p.Values, rollout.Value{Team: team, Week: week, Value: value}), true
	}
	if m.counts {
		for _, t := range teams {
			for w := p.From; w.Before(p.To) && p.Withheld[t] == ""; w = w.AddDate(0, 0, 7) {
				if !seen[cell{t, w}] {
					p.Values = append(p.Values, rollout.Value{Team: t, Week: w})
				}
			}
		}
	}
	slices.SortFunc(p.Values, func(a, b rollout.Value) int {
		if a.Team != b.Team {
			return strings.Compare(a.Team, b.Team)
		}
		return a.Week.Compare(b.Week)
	})
	return p, nil
}

func (m Measure) value(r []any, index map[string]int) (float64, bool) {
	value, ok := sumOf(r, index, m.of)
	if len(m.over) > 0 {
		whole, _ := sumOf(r, index, m.over)
		if whole == 0 {
			return 0, false
		}
		value /= whole
	}
	if m.Scale == rollout.Ratio {
		value = math.Max(value, leastDuration)
	}
	return value, ok
}

// sumOf adds columns; false where one has no value.
func sumOf(r []any, index map[string]int, columns []string) (float64, bool) {
	sum := 0.0
	for _, c := range columns {
		i, known := index[c]
		if !known {
			return 0, false
		}
		switch v := r[i].(type) {
		case int64:
			sum += float64(v)
		case float64:
			sum += v
		default:
			return 0, false
		}
	}
	return sum, true
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
