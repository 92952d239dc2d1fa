package remind

import (
	"fmt"
	"strings"
	"time"
)

// Words says a message to a person: a subject and plain text. title is what a module is
// called, site the address of Steward without a slash at its end, or empty. Days of due
// dates are written in home, the organisation's zone, in which they were given; shifts in
// the person's.
func (m Message) Words(title func(module string) string, site string, zone, home *time.Location) (subject, text string) {
	if zone == nil {
		zone = time.UTC
	}
	if home == nil {
		home = time.UTC
	}
	overdue, shift := 0, time.Time{}
	for _, it := range m.Items {
		for _, o := range it.Occasions {
			switch o.Kind {
			case Overdue:
				overdue++
			case BeforeShift:
				shift = o.At
			}
		}
	}
	subject = plural(len(m.Items)) + " to learn"
	if !shift.IsZero() {
		subject += " before your shift on " + shift.In(zone).Format("Mon 2 Jan")
	}
	if overdue > 0 {
		subject += fmt.Sprintf(", %d overdue", overdue)
	}
	var b strings.Builder
	for _, it := range m.Items {
		fmt.Fprintf(&b, "%s\n", title(it.Module))
		for _, o := range it.Occasions {
			fmt.Fprintf(&b, "  %s\n", o.Words(zone, home))
		}
		if site != "" {
			fmt.Fprintf(&b, "  %s/training/%s\n", site, it.Module)
		}
		b.WriteByte('\n')
	}
	if site != "" {
		fmt.Fprintf(&b, "What is to come, and how to switch these messages off: %s/training/reminders\n", site)
	}
	return subject, b.String()
}

// Words says an occasion.
func (o Occasion) Words(zone, home *time.Location) string {
	last := o.At.Add(-time.Millisecond).In(home).Format("Mon 2 Jan 2006")
	switch o.Kind {
	case BeforeShift:
		return "your next shift begins " + o.At.In(zone).Format("Mon 2 Jan 2006 15:04 MST")
	case BeforeDue:
		return "due " + last
	}
	return "overdue since " + last
}

func plural(n int) string {
	if n == 1 {
		return "1 module"
	}
	return fmt.Sprintf("%d modules", n)
}
