package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// location loads a zone once. Zones are checked on intake, so an unknown one cannot occur;
// it would be read as the organisation's.
func (q *question) location(name string) *time.Location {
	if name == "" {
		return q.zone
	}
	loc, ok := q.zones[name]
	if !ok {
		loc, _ = time.LoadLocation(name)
		if loc == nil {
			loc = q.zone
		}
		q.zones[name] = loc
	}
	return loc
}

// local is t on the wall clock of a person.
func (q *question) local(d description, t time.Time) time.Time {
	return t.In(q.location(d.zone))
}

// hourClass is sleep, off or business at t for somebody so described. Inside described
// working hours it is business whatever the clock says; outside them the set decides, but
// its business counts as off; on a holiday nothing is business.
func (q *question) hourClass(d description, t time.Time) string {
	local := q.local(d, t)
	holiday := slices.Contains(d.holidays, local.Format(time.DateOnly))
	if !holiday && withinHours(d.hours, local) {
		return "business"
	}
	class := q.setClass(local)
	if class == "business" && (holiday || d.hours != nil) {
		return "off"
	}
	return class
}

// withinHours: the wall clock is in one of the weekday's pairs, the end not included.
func withinHours(hours map[string][][]string, local time.Time) bool {
	clock := local.Format("15:04")
	for _, pair := range hours[strings.ToLower(local.Format("Mon"))] {
		if pair[0] <= clock && clock < pair[1] { // "24:00" sorts after every clock
			return true
		}
	}
	return false
}

// setClass is the hour set's own rule for a wall clock, leaving people aside.
//
//	steward, pagerduty: sleep 22–08 every day, business 08–18 Monday to Friday, else off
//	incident-io: business 08–19, off 19–23, sleep 23–08, all days alike
func (q *question) setClass(local time.Time) string {
	h := local.Hour()
	weekend := local.Weekday() == time.Saturday || local.Weekday() == time.Sunday
	if q.Hours == "incident-io" {
		switch {
		case h < 8 || h >= 23:
			return "sleep"
		case h < 19:
			return "business"
		}
		return "off"
	}
	switch {
	case h < 8 || h >= 22:
		return "sleep"
	case h < 18 && !weekend:
		return "business"
	}
	return "off"
}

// bucketOf is the ISO date on which the bucket of t begins on the organisation's calendar.
func (q *question) bucketOf(t time.Time) string {
	y, m, d := t.In(q.zone).Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC) // a calendar date, free of clock changes
	switch q.Bucket {
	case "day":
	case "week": // ISO: from Monday
		for day.Weekday() != time.Monday {
			day = day.AddDate(0, 0, -1)
		}
	case "month":
		day = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	case "quarter":
		day = time.Date(y, (m-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	default:
		return ""
	}
	return day.Format(time.DateOnly)
}

// weekdayHour is the organisation's local hour of the week, Monday 08:00 as "1-08".
func (q *question) weekdayHour(t time.Time) string {
	local := t.In(q.zone)
	return fmt.Sprintf("%d-%02d", (int(local.Weekday())+6)%7+1, local.Hour())
}

// night names the local night of t, which runs from noon to noon: the date of its evening.
func night(local time.Time) string {
	y, m, d := local.Date()
	day := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if local.Hour() < 12 {
		day = day.AddDate(0, 0, -1)
	}
	return day.Format(time.DateOnly)
}

// clockHour names the local clock hour of t. An hour that a clock change repeats has two
// offsets and so is two.
func clockHour(local time.Time) string {
	return local.Format("2006-01-02 15 -0700")
}
