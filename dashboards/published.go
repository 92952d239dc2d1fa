package dashboards

import (
	"math"
	"slices"
	"time"
)

// Cards for those to whom single people's load is not shown: whole months, by team, over
// groups. They ask the same metrics; the answers come in the published form.

// month names a bucket for a reader.
func month(iso string) string {
	d, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return d.Format("Jan 2006")
}

const publishedWords = "Whole months that have ended, in the organisation’s zone; sums over fewer than three people are withheld."

// monthly draws interruptions by month: stacked by hour class where the classes may be
// told, in one colour where not. Months without a row are gaps, not zeros: nothing happened
// or it is withheld, and the footer says which.
func (f *filter) monthly(id string, r *result) (*chart, *table) {
	by := r.perBucket()
	var months []string
	for k := range by {
		months = append(months, k)
	}
	slices.Sort(months)
	names := make([]string, len(months))
	values := map[string][]float64{}
	split := true
	for _, k := range months {
		split = split && by[k].has("sleep")
	}
	t := &table{Caption: "Interruptions by month", Head: heads("month", "#asleep", "#off hours", "#business hours", "#all", "#people")}
	for i, k := range months {
		w := by[k]
		names[i] = month(k)
		for _, class := range []string{"business", "off", "sleep", "interruptions"} {
			values[class] = append(values[class], w.n(class))
		}
		t.add(txt(month(k)), maybe(w, "sleep", count), maybe(w, "off", count), maybe(w, "business", count), counted(w.n("interruptions")), counted(w.n("people")))
	}
	label := "Interruptions by month; the table has the same numbers"
	if !split {
		return stacked(id, label, names, nil, series{"interruptions", "--owned", values["interruptions"]}), t
	}
	return stacked(id, label, names, nil,
		series{"business hours", "--business", values["business"]},
		series{"off hours", "--off", values["off"]},
		series{"asleep", "--sleep", values["sleep"]}), t
}

// monthsCard answers how often people are interrupted, to those who see no single one.
func (s *Server) monthsCard(f *filter, id, title, wide string, r *result, events string) card {
	c := card{ID: id, Title: title, Wide: wide, Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	w := r.total()
	c.sourced(f, r, plural(w.n("interruptions"), "interruption", "interruptions"), events)
	if len(r.rows()) == 0 {
		c.Empty = say("Nothing to show. ", publishedWords)
		return c
	}
	c.Say = say(strong(plural(w.n("interruptions"), "interruption", "interruptions")), " in ", plural(float64(len(r.perBucket())), "month", "months"))
	if w.has("sleep") {
		c.Key = hourKey
		c.Say = append(c.Say, say(", ", strong(count(w.n("sleep"))+" of them asleep"))...)
	}
	c.Say = append(c.Say, say(". ", publishedWords)...)
	c.Chart, c.Fold = f.monthly(id, r)
	return c
}

// teamMonths is what each team carried, in the published form.
func (s *Server) teamMonths(f *filter, n *names, load, hours *result, events string) card {
	c := card{ID: "teams", Title: "What does each team carry?", Wide: "w12", Err: s.failed(load, hours)}
	if c.Err != "" {
		return c
	}
	c.sourced(f, load, plural(load.sum("interruptions"), "interruption", "interruptions")+", "+count(hours.sum("total"))+" on-call hours", events)
	t := &table{Caption: "On-call load per team, by name", Head: heads("team", "by hour class", "#interruptions", "#asleep", "#off hours", "#nights", "#people paged", "#primary", "#secondary")}
	longest := 0.0
	for _, w := range load.rows() {
		longest = math.Max(longest, w.n("interruptions"))
	}
	hrs := func(w row, col string) cell { return maybe(w, col, func(v float64) string { return count(v) + " h" }) }
	ls, hs := load.byKey(), hours.byKey()
	for _, id := range keys(n.team, nil, load, hours) {
		w, h := ls[id], hs[id]
		t.add(f.teamCell(n, id), stackBar(w, longest), maybe(w, "interruptions", count), maybe(w, "sleep", count), maybe(w, "off", count), maybe(w, "nights", count), maybe(w, "people", count), hrs(h, "primary"), hrs(h, "secondary"))
	}
	c.Key = hourKeyOf(ls)
	c.Say = say("By name, never ranked. ", publishedWords)
	if len(t.Rows) == 0 {
		c.Key, c.Say, c.Empty = nil, nil, say("Nothing to show. ", publishedWords)
		return c
	}
	c.Body = t
	return c
}
