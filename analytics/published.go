package analytics

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of published figures
//
//  1. Who may not see single people must not learn about one by putting answers side by
//     side: a window that is a day longer, a filter more, all teams less one. So their
//     questions about people come from a small, fixed set: sums by calendar month in the
//     organisation's zone, of one team or of all. Every answer is a sum of the same cells,
//     month × team, and what can be learned from any number of answers is what the cells
//     and their sums say.
//  2. Which cells and which of their columns are shown is judged in judge.go.
//  3. A month is shown when it has ended: one that still fills would tell by its growth
//     between two looks who was paged in between. An event that arrives late can still tell
//     that much; docs/security.md says so.

// byTeamPerson is the split that published figures are made of; nobody can ask for it.
const byTeamPerson = "team_person"

// published answers a question about people in the published form.
func (s *Store) published(ctx context.Context, pass access.Pass, q question, m mark) (*Answer, error) {
	if err := publishable(q, s.zone); err != nil {
		return nil, err
	}
	months := wholeMonths(q.from, q.to, q.asOf, s.zone)
	a := &Answer{
		Metric: q.metric.Name, Version: q.metric.Version, Title: q.metric.Title, Unit: q.metric.Unit, Definition: q.metric.Definition + publishedNote,
		AsOf: q.asOf, KnownAt: q.knownAt, Columns: q.metric.Columns, Rows: [][]any{}, Withheld: []Withheld{},
		Assumed: map[string]uint64{"owner": 0, "team": 0, "zone": 0, "opened": 0}, Published: true,
	}
	if len(months) == 0 {
		q.to = q.from
		a.Params = q.applied()
		a.Withheld = append(a.Withheld, Withheld{Reason: "the window holds no whole month that has ended; sums over people are shown by whole months"})
		return a, nil
	}
	inner := q
	inner.from, inner.to = months[0], monthAfter(months[len(months)-1], s.zone)
	inner.bucket, inner.by, inner.team = "month", byTeamPerson, nil
	inner.splits = []Split{{"month", byTeamPerson}}
	answers, err := s.answer(ctx, pass, []question{inner}, m)
	if err != nil {
		return nil, err
	}
	// How many pages rest on an assumption, or on nobody's zone, can be one person's: not said.
	a.Watermark = answers[0].Watermark
	q.from, q.to = inner.from, inner.to
	a.Params = q.applied()
	gather(a, q, monthsOf(answers[0], months, s.zone))
	return a, nil
}

const publishedNote = " Shown as published: whole calendar months of the organisation's zone, sums over fewer than three people withheld."

// publishable refuses what published figures are not made of, with the words for it.
func publishable(q question, zone *time.Location) error {
	refuse := func(what string) error {
		return &access.Denied{Reason: what + " could single out a person, so it is shown for oneself and for teams one leads; everybody may ask for whole months by team: by none or team, bucket none, month or quarter"}
	}
	switch {
	case q.by != "none" && q.by != "team":
		return refuse("by=" + q.by)
	case q.bucket == "day" || q.bucket == "week":
		return refuse("bucket=" + q.bucket)
	case len(q.service)+len(q.urgency)+len(q.priority)+len(q.alertClass)+len(q.source) > 0:
		return refuse("a filter besides team")
	case q.lens != "responder_team" && q.metric.takesParam("lens"):
		return refuse("the lens " + q.lens)
	case q.metric.people != peopleLoad:
		return refuse("the lens responder_team of " + q.metric.Name)
	case q.metric.Name == "pages", q.metric.Name == "verdicts":
		// Mostly they are the interruptions over again, and where they are not, the
		// difference is a few people's e-mails.
		return &access.Denied{Reason: q.metric.Name + ": pages differ from interruptions by what a few people got, so they are shown for oneself and for teams one leads; everybody may ask for interruptions"}
	case q.zone.String() != zone.String():
		return refuse("another zone than " + zone.String())
	case q.asOfGiven:
		return refuse("as_of")
	case q.knownGiven:
		return refuse("known_at")
	case q.assume != "first":
		return refuse("assume=" + q.assume)
	case q.metric.takesParam("hours") && q.hours.Name != "steward":
		return refuse("another set of hour classes")
	}
	return nil
}

// wholeMonths are the first instants of the months that lie within the window and have ended.
func wholeMonths(from, to, now time.Time, zone *time.Location) []time.Time {
	if now.Before(to) {
		to = now
	}
	local := from.In(zone)
	t := startOfDay(local.Year(), local.Month(), 1, zone)
	if t.Before(from) {
		t = monthAfter(t, zone)
	}
	var out []time.Time
	for ; !monthAfter(t, zone).After(to); t = monthAfter(t, zone) {
		out = append(out, t.UTC())
	}
	return out
}

func monthAfter(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	next := time.Date(local.Year(), local.Month()+1, 1, 12, 0, 0, 0, time.UTC)
	return startOfDay(next.Year(), next.Month(), 1, zone).UTC()
}

// monthsOf sorts rows by month, team and person into cells.
func monthsOf(a *Answer, months []time.Time, zone *time.Location) []cells {
	out := make([]cells, len(months))
	at := map[string]int{}
	for i, t := range months {
		out[i] = cells{start: t, teams: map[string]map[string][]float64{}}
		at[t.In(zone).Format(time.DateOnly)] = i
	}
	for _, r := range a.Rows {
		bucket, _ := r[0].(string)
		i, ok := at[bucket]
		if !ok {
			continue
		}
		key, _ := r[1].(string)
		team, person, _ := strings.Cut(key, "\n")
		if out[i].teams[team] == nil {
			out[i].teams[team] = map[string][]float64{}
		}
		out[i].teams[team][person] = numbersOf(r[2:])
	}
	return out
}

func numbersOf(values []any) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		switch v := v.(type) {
		case int64:
			out[i] = float64(v)
		case float64:
			out[i] = v
		}
	}
	return out
}

// gather sums cells into the rows of an answer.
func gather(a *Answer, q question, months []cells) {
	columns := q.metric.Columns
	isPart := make([]bool, len(columns))
	people := -1
	for i, c := range columns {
		isPart[i] = slices.Contains(parts[q.metric.Name], c.Name)
		if c.Name == "people" {
			people = i
		}
	}
	type sum struct {
		values []float64
		people group
		parts  bool
	}
	sums := map[[2]string]*sum{}
	add := func(bucket, key string, rows map[string][]float64, split bool) {
		s := sums[[2]string{bucket, key}]
		if s == nil {
			s = &sum{values: make([]float64, len(columns)-2), people: group{}, parts: true}
			sums[[2]string{bucket, key}] = s
		}
		for person, values := range rows {
			for i, v := range values {
				s.values[i] += v
			}
			if person != "" {
				s.people[person] = true
			}
		}
		s.parts = s.parts && split
	}
	wanted := func(team string) bool { return len(q.team) == 0 || slices.Contains(q.team, team) }
	for _, c := range months {
		v := c.judge(columns, q.metric.Name)
		bucket := q.bucketOf(c.start)
		month := c.start.In(q.zone).Format("2006-01")
		if q.by == "none" && len(q.team) == 0 {
			if !v.all {
				a.Withheld = append(a.Withheld, Withheld{Reason: "in " + month + " fewer than " + fmt.Sprint(access.GroupSize) + " people"})
				continue
			}
			for _, t := range c.names() {
				add(bucket, "", c.teams[t], v.split)
			}
			continue
		}
		for _, t := range c.names() {
			if !wanted(t) {
				continue
			}
			key := t
			if q.by == "none" {
				key = ""
			}
			if v.hidden[t] {
				a.Withheld = append(a.Withheld, Withheld{Key: t, Reason: hiddenReason(c, t, month)})
				continue
			}
			add(bucket, key, c.teams[t], !v.whole[t])
		}
	}
	var keys [][2]string
	for k := range sums {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(x, y [2]string) int {
		return strings.Compare(x[0]+"\x00"+x[1], y[0]+"\x00"+y[1])
	})
	partial := map[string]bool{}
	for _, k := range keys {
		s := sums[k]
		row := []any{k[0], k[1]}
		for i, v := range s.values {
			c := columns[i+2]
			switch {
			case i+2 == people:
				row = append(row, int64(len(s.people)))
			case isPart[i+2] && !s.parts:
				row, partial[k[1]] = append(row, nil), true
			case c.Type == "integer":
				row = append(row, int64(math.Round(v)))
			default:
				row = append(row, math.Round(v*1e6)/1e6)
			}
		}
		a.Rows = append(a.Rows, row)
	}
	var split []string
	for k := range partial {
		split = append(split, k)
	}
	sort.Strings(split)
	var names []string
	for i, c := range columns {
		if isPart[i] {
			names = append(names, c.Name)
		}
	}
	for _, k := range split {
		a.Withheld = append(a.Withheld, Withheld{Key: k, Reason: strings.Join(names, ", ") + ": a part would be over fewer than " + fmt.Sprint(access.GroupSize) + " people"})
	}
}

func hiddenReason(c cells, team, month string) string {
	if c.peopleOf(team, anything).small() {
		return "in " + month + " fewer than " + fmt.Sprint(access.GroupSize) + " people"
	}
	return "in " + month + " withheld with others, whose few people it would show by subtraction"
}

// bucketOf is the bucket of a month's figures.
func (q *question) bucketOf(start time.Time) string {
	local := start.In(q.zone)
	switch q.bucket {
	case "month":
		return local.Format(time.DateOnly)
	case "quarter":
		return time.Date(local.Year(), (local.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	return ""
}
