package dashboards

import (
	"slices"
	"time"
)

// Weeks are local and begin on Monday. The first and the last of a window may be cut, the
// last one mostly because it is not over; charts draw such a week paler and tables say so,
// else every chart would seem to end in a fall.

// weeks are the local Mondays of the window, as metrics name their buckets, also those
// in which nothing happened.
func (f *filter) weeks() []string {
	d := f.from.In(f.zone)
	d = time.Date(d.Year(), d.Month(), d.Day()-(int(d.Weekday())+6)%7, 12, 0, 0, 0, time.UTC)
	end := f.last().Format(time.DateOnly)
	var out []string
	for ; d.Format(time.DateOnly) <= end && len(out) < 600; d = d.AddDate(0, 0, 7) {
		out = append(out, d.Format(time.DateOnly))
	}
	return out
}

// cut says how a week is less than whole, or nothing.
func (f *filter) cut(week string) string {
	d, err := time.ParseInLocation(time.DateOnly, week, f.zone)
	switch {
	case err != nil:
		return ""
	case d.AddDate(0, 0, 7).After(f.to) && f.toText == "" && f.get("as_of") == "":
		return "so far"
	case d.Before(f.from) || d.AddDate(0, 0, 7).After(f.to):
		return "in part"
	}
	return ""
}

func (f *filter) cutWeeks(weeks []string) map[int]bool {
	out := map[int]bool{}
	for i, w := range weeks {
		out[i] = f.cut(w) != ""
	}
	return out
}

// weekCell heads a week's row.
func (f *filter) weekCell(week string) cell { return txt(week).with(f.cut(week)) }

// weekKey adds to a chart's key what paler columns are, if there are any.
func (f *filter) weekKey(key []keyItem) []keyItem {
	for _, w := range f.weeks() {
		switch f.cut(w) {
		case "so far":
			return append(slices.Clone(key), keyItem{"cut", "paler: the week is not over"})
		case "in part":
			return append(slices.Clone(key), keyItem{"cut", "paler: only part of the week is in the window"})
		}
	}
	return key
}

// lastWeek says the newest week of a window against the one before.
func (f *filter) lastWeek(r *result) []bit {
	weeks, by := f.weeks(), r.perBucket()
	if len(weeks) == 0 {
		return nil
	}
	last := weeks[len(weeks)-1]
	w := by[last]
	out := say("The week from ", shortDate(last), " has ", strong(plural(w.n("interruptions"), "interruption", "interruptions")))
	if w.n("interruptions") > 0 {
		out = append(out, say(", ", count(w.n("sleep")), " asleep")...)
	}
	if cut := f.cut(last); cut != "" {
		out = append(out, bit{Text: ", " + cut})
	}
	if len(weeks) > 1 {
		p := by[weeks[len(weeks)-2]]
		if p.n("interruptions") == 0 {
			out = append(out, bit{Text: "; the one before had none"})
		} else {
			out = append(out, say("; the one before had ", count(p.n("interruptions")), ", ", count(p.n("sleep")), " asleep")...)
		}
	}
	return append(out, bit{Text: "."})
}

// weekly draws interruptions per local week, stacked by hour class, and the same as a table.
func (f *filter) weekly(id string, r *result) (*chart, *table) {
	weeks := f.weeks()
	byWeek := r.perBucket()
	names := make([]string, len(weeks))
	values := map[string][]float64{}
	t := &table{Caption: "Interruptions by week and hour class", Head: heads("week from", "#asleep", "#off hours", "#business hours", "#all")}
	for i, k := range weeks {
		names[i] = shortDate(k)
		w := byWeek[k]
		for _, class := range []string{"business", "off", "sleep"} {
			values[class] = append(values[class], w.n(class))
		}
		t.add(f.weekCell(k), counted(w.n("sleep")), counted(w.n("off")), counted(w.n("business")), counted(w.n("interruptions")))
	}
	return stacked(id, "Interruptions by week, stacked by hour class; the table has the same numbers", names, f.cutWeeks(weeks),
		series{"business hours", "--business", values["business"]},
		series{"off hours", "--off", values["off"]},
		series{"asleep", "--sleep", values["sleep"]}), t
}

// perWeek draws one column per local week.
func (f *filter) perWeek(id, what, column string, r *result) (*chart, *table) {
	weeks := f.weeks()
	byWeek := r.perBucket()
	names := make([]string, len(weeks))
	values := make([]float64, len(weeks))
	t := &table{Caption: what + " by week", Head: heads("week from", "#"+what)}
	for i, k := range weeks {
		names[i], values[i] = shortDate(k), byWeek[k].n(column)
		t.add(f.weekCell(k), counted(values[i]))
	}
	return stacked(id, what+" by week; the table has the same numbers", names, f.cutWeeks(weeks), series{what, "--owned", values}), t
}

func shortDate(iso string) string {
	d, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	return d.Format("2 Jan")
}
