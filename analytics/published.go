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
//  2. A cell over fewer than access.GroupSize people is hidden. What all teams sum to, less
//     the cells that are shown, is the sum of the hidden ones, so as many more are hidden as
//     that sum needs to be over a group; and if even all together are no group, nothing of
//     that month is shown.
//  3. Within a cell the columns that split it (asleep, off, business; primary, secondary)
//     are shown only if each part that is not empty is over a group; and the parts of all
//     teams only if no part of few people follows from what is shown of the others.
//  4. A month is shown when it has ended: one that still fills would tell by its growth
//     between two looks who was paged in between. An event that arrives late can still tell
//     that much; docs/security.md says so.
//  5. Which cell is hidden depends on nothing but the month's own data, so that every asker
//     and every question sees the same cells. Withheld says which and why.

// byTeamPerson is the split that published figures are made of; nobody can ask for it.
const byTeamPerson = "team_person"

// parts are the columns of a metric that split others; the rest part is what the columns
// before it leave of the first column of the metric.
var parts = map[string][]string{
	"interruptions": {"sleep", "off", "business", "nights"},
	"pages":         {"interrupting", "rest of pages"},
	"oncall_hours":  {"primary", "secondary"},
}

// cells is one month: per team, per person, the metric's columns after bucket and key.
type cells struct {
	start time.Time
	teams map[string]map[string][]float64
}

// shown is what may be said of one month.
type shown struct {
	hidden map[string]bool // teams
	whole  map[string]bool // teams whose parts are hidden
	all    bool            // whether the month's sum may be said
	split  bool            // and its parts
}

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
	a.Assumed, a.OrgZone, a.Watermark = answers[0].Assumed, answers[0].OrgZone, answers[0].Watermark
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

// group is a set of people; who has no name belongs to nobody and makes no group.
type group map[string]bool

func (g group) small() bool { return len(g) > 0 && len(g) < access.GroupSize }

// peopleOf are those of a team for whom count is above zero.
func (c cells) peopleOf(team string, count func([]float64) float64) group {
	g := group{}
	for person, values := range c.teams[team] {
		if person != "" && count(values) > 0 {
			g[person] = true
		}
	}
	return g
}

// anything counts whoever has a row at all.
func anything([]float64) float64 { return 1 }

// names are the month's teams in order, so that what is hidden depends on no map's order.
func (c cells) names() []string {
	var out []string
	for t := range c.teams {
		out = append(out, t)
	}
	sort.Strings(out)
	return out
}

// judge says what may be shown of a month.
func (c cells) judge(columns []Column, metric string) shown {
	v := shown{hidden: map[string]bool{}, whole: map[string]bool{}}
	v.all = c.hide(v.hidden, anything)
	counts := partCounts(columns, metric)
	own := map[string]bool{} // teams whose parts would not be shown for their own sake
	for _, t := range c.names() {
		for _, count := range counts {
			own[t] = own[t] || v.hidden[t] || c.peopleOf(t, count).small()
		}
		if own[t] {
			v.whole[t] = true
		}
	}
	v.split = v.all
	for again := true; again && v.split; { // hiding for one part may bare another
		before := len(v.whole)
		for _, count := range counts {
			v.split = v.split && c.hide(v.whole, count)
		}
		if v.split && c.derivable(v, summing(counts, metric)) {
			v.split = c.hideOne(v.whole)
		}
		again = len(v.whole) > before
	}
	if !v.split { // without the sum's parts each team stands for itself
		v.whole = own
	}
	return v
}

// summing are the parts that add up to the metric's first column; nights are a count of
// their own.
func summing(counts []func([]float64) float64, metric string) []func([]float64) float64 {
	if metric == "interruptions" {
		return counts[:3]
	}
	return counts
}

// derivable says whether parts of few people follow from what is shown: for every team
// whose parts are hidden its sum, for every part the sum over these teams. Teams that are
// hidden altogether are one row, whose sum follows from the others. A cell of such a table
// follows from the sums of rows and columns if the cells, as edges between rows and
// columns, fall apart without it; so cells of few people must not be what holds them
// together.
func (c cells) derivable(v shown, counts []func([]float64) float64) bool {
	type cell struct {
		row  string
		part int
	}
	people := map[cell]group{}
	for t := range v.whole {
		row := t
		if v.hidden[t] {
			row = "\x00hidden"
		}
		for part, count := range counts {
			for p := range c.peopleOf(t, count) {
				at := cell{row, part}
				if people[at] == nil {
					people[at] = group{}
				}
				people[at][p] = true
			}
		}
	}
	pieces := func(with func(group) bool) int {
		piece := map[string]string{}
		var find func(string) string
		find = func(x string) string {
			if piece[x] == "" || piece[x] == x {
				piece[x] = x
				return x
			}
			piece[x] = find(piece[x])
			return piece[x]
		}
		for at, who := range people { // every row and column that has a cell counts
			row, part := find("row "+at.row), find(fmt.Sprint("part ", at.part))
			if with(who) {
				piece[row] = part
			}
		}
		n := 0
		for x := range piece {
			if find(x) == x {
				n++
			}
		}
		return n
	}
	return pieces(func(g group) bool { return !g.small() }) > pieces(func(group) bool { return true })
}

// hideOne takes one more team's parts away, the one of most people, who hold a table
// together best. It is false if there is none.
func (c cells) hideOne(whole map[string]bool) bool {
	best, most := "", 0
	for _, t := range c.names() {
		if n := len(c.peopleOf(t, anything)); !whole[t] && n > most {
			best, most = t, n
		}
	}
	if most > 0 {
		whole[best] = true
	}
	return most > 0
}

// hide adds teams to hidden until those that are small are hidden and the hidden ones
// together are a group or nothing. It is false if even all of them are none.
func (c cells) hide(hidden map[string]bool, count func([]float64) float64) bool {
	names := c.names()
	union := group{}
	take := func(t string) {
		hidden[t] = true
		for p := range c.peopleOf(t, count) {
			union[p] = true
		}
	}
	for _, t := range names {
		if hidden[t] || c.peopleOf(t, count).small() {
			take(t)
		}
	}
	for union.small() {
		next, fewest := "", math.MaxInt
		for _, t := range names {
			if n := len(c.peopleOf(t, count)); !hidden[t] && n > 0 && n < fewest {
				next, fewest = t, n
			}
		}
		if fewest == math.MaxInt {
			return false
		}
		take(next)
	}
	return true
}

// partCounts read the parts of a metric out of a row's columns.
func partCounts(columns []Column, metric string) []func([]float64) float64 {
	at := map[string]int{}
	for i, c := range columns[2:] {
		at[c.Name] = i
	}
	var out []func([]float64) float64
	for _, name := range parts[metric] {
		if i, ok := at[name]; ok {
			out = append(out, func(v []float64) float64 { return v[i] })
		} else { // what the first part leaves of the whole
			whole, part := at[strings.TrimPrefix(name, "rest of ")], at[parts[metric][0]]
			out = append(out, func(v []float64) float64 { return v[whole] - v[part] })
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
