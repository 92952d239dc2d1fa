package analytics

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// window resolves from, to, as_of and known_at. They are kept to the millisecond, the
// precision of events: an instant between two milliseconds is the earlier one for the
// inclusive bounds, which nothing can fall behind.
func (q *question) window(v url.Values, now time.Time) error {
	now = now.UTC().Truncate(time.Millisecond)
	q.asOf, q.knownAt = now, now
	for name, dst := range map[string]*time.Time{"as_of": &q.asOf, "known_at": &q.knownAt} {
		if s := v.Get(name); s != "" {
			t, err := q.instant(name, s)
			if err != nil {
				return err
			}
			*dst = t
		}
	}
	q.asOfGiven, q.knownGiven = v.Get("as_of") != "", v.Get("known_at") != ""
	q.to = q.asOf
	if s := v.Get("to"); s != "" {
		t, err := q.instant("to", s)
		if err != nil {
			return err
		}
		q.to = t
	}
	q.from = q.to.Add(-q.usual())
	if s := v.Get("from"); s != "" {
		t, err := q.instant("from", s)
		if err != nil {
			return err
		}
		q.from = t
	}
	if q.from.After(q.to) {
		return &ParamError{Param: "from", Reason: "after to"}
	}
	return nil
}

func (q *question) instant(name, s string) (time.Time, error) {
	if d, err := time.Parse(time.DateOnly, s); err == nil {
		if d.Year() < 1901 || d.Year() > 2200 {
			return time.Time{}, &ParamError{Param: name, Reason: "outside the years 1901 to 2200"}
		}
		return startOfDay(d.Year(), d.Month(), d.Day(), q.zone).UTC(), nil
	}
	// A "+" of an offset arrives as a blank where a URL was not encoded; RFC 3339 allows a small t and z.
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.Replace(s, " ", "+", 1)))
	if err != nil {
		return time.Time{}, &ParamError{Param: name, Reason: fmt.Sprintf("%q is neither a date like 2026-03-29 nor an RFC 3339 time", s)}
	}
	if t.Year() < 1901 || t.Year() > 2200 {
		return time.Time{}, &ParamError{Param: name, Reason: "outside the years 1901 to 2200"}
	}
	t = t.UTC()
	if name == "from" || name == "to" { // half-open bounds: round up, so that no earlier event slips in
		if c := t.Truncate(time.Millisecond); c.Before(t) {
			return c.Add(time.Millisecond), nil
		}
	}
	return t.Truncate(time.Millisecond), nil
}

// startOfDay is the first instant of a local date. Midnight may not exist (some zones
// change their clocks then) or exist twice.
func startOfDay(y int, m time.Month, d int, loc *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	want := time.Date(y, m, d, 12, 0, 0, 0, time.UTC).Format(time.DateOnly)
	for t.Format(time.DateOnly) < want {
		t = t.Add(15 * time.Minute)
	}
	for t.Add(-15*time.Minute).Format(time.DateOnly) >= want {
		t = t.Add(-15 * time.Minute)
	}
	return t
}

// usual is how long the window is unless asked otherwise.
func (q *question) usual() time.Duration { return time.Duration(q.metric.days) * 24 * time.Hour }

// looksAhead says whether time after as_of counts: of shifts that are planned.
func (q *question) looksAhead() bool {
	return q.metric.Name == "skill_coverage" || q.metric.Name == "skill_gaps"
}

// cuts are the bounds of all buckets strictly inside the window, in Unix milliseconds.
func (q *question) cuts() []int64 {
	out := []int64{}
	wanted := map[string]bool{}
	for _, s := range q.splits {
		wanted[s.Bucket] = s.Bucket != "none"
	}
	if !slices.Contains(slices.Collect(maps.Values(wanted)), true) {
		return out
	}
	local := q.from.In(q.zone)
	d := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	end := q.to
	if q.asOf.Before(end) && !q.looksAhead() {
		end = q.asOf
	}
	for {
		d = d.AddDate(0, 0, 1)
		t := startOfDay(d.Year(), d.Month(), d.Day(), q.zone)
		if !t.Before(end) {
			return out
		}
		if wanted["day"] || wanted["week"] && d.Weekday() == time.Monday || wanted["month"] && d.Day() == 1 ||
			wanted["quarter"] && d.Day() == 1 && (d.Month()-1)%3 == 0 {
			out = append(out, t.UnixMilli())
		}
	}
}
