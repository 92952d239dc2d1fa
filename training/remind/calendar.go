package remind

import (
	"fmt"
	"strings"
	"time"

	"github.com/stewardhq/steward/training/ical"
)

// Date is something else of the person's that has a time, such as a drill that was booked.
type Date struct {
	Key   string // stable
	At    time.Time
	Title string
	Text  string
	Path  string // of its page
}

// Refresh is how often a calendar is worth fetching again.
const Refresh = 4 * time.Hour

// Calendar is what stands in a person's own calendar: the last days of open work, each turn
// of duty with what to learn before it, and dates. It names nobody. site is the address of
// Steward without a slash at its end; home the zone in which due days are meant.
func (p Person) Calendar(title func(module string) string, dates []Date, site string, home *time.Location, now time.Time) ical.Calendar {
	if home == nil {
		home = time.UTC
	}
	uid := func(parts ...string) string { return digest(append([]string{p.ID}, parts...)...) + "@steward" }
	c := ical.Calendar{Name: "Steward: learning and on call", Refresh: Refresh}
	var open []string
	for _, w := range p.Work {
		open = append(open, "- "+title(w.Module))
		if w.Due.IsZero() {
			continue
		}
		last := w.Due.Add(-time.Millisecond).In(home)
		text := "Assigned " + w.Assigned.In(home).Format("2 Jan 2006") + "."
		if !now.Before(w.Due) {
			text += " It is overdue."
		}
		c.Reminders = append(c.Reminders, ical.Reminder{
			UID: uid("due", w.Assignment, w.Module), At: last, Day: true,
			Title: "Due: " + title(w.Module), Text: text, URL: site + "/training/" + w.Module,
		})
	}
	for _, t := range p.turns(now) {
		text := "Nothing is left to learn before it."
		if len(open) > 0 {
			text = "To learn before it:\n" + strings.Join(open, "\n")
		}
		c.Reminders = append(c.Reminders, ical.Reminder{
			UID: uid("shift", fmt.Sprint(t.Start.Unix())), At: t.Start, Lasts: t.End.Sub(t.Start),
			Title: "On call", Text: text, URL: site + "/training/reminders",
		})
	}
	for _, d := range dates {
		c.Reminders = append(c.Reminders, ical.Reminder{
			UID: uid("date", d.Key), At: d.At, Lasts: time.Hour, Title: d.Title, Text: d.Text, URL: site + d.Path, Alarm: 24 * time.Hour,
		})
	}
	return c
}

// turns are the shifts of the person that are not over, by start.
func (p Person) turns(now time.Time) []Shift {
	var out []Shift
	for _, s := range sorted(p.Shifts) {
		if s.End.After(now) {
			out = append(out, s)
		}
	}
	return out
}
