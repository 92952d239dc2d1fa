package analytics

import (
	"bytes"
	"fmt"
	"sort"
)

// HourSet is a way to call the hours of a week sleep, off or business, in the person's
// own zone. Spans are half-open, in minutes since Monday 00:00 (0 to 10,080); what no
// span covers is off.
type HourSet struct {
	Name  string
	Spans []HourSpan
}

// HourSpan is [From, To) minutes of the week with one class.
type HourSpan struct {
	From, To int
	Class    string // sleep, off, business
}

const (
	day  = 24 * 60
	week = 7 * day
)

// daily covers [from, to) minutes of each of the days first..last (0 = Monday).
func daily(first, last, from, to int, class string) []HourSpan {
	var out []HourSpan
	for d := first; d <= last; d++ {
		out = append(out, HourSpan{d*day + from, d*day + to, class})
	}
	return out
}

func join(parts ...[]HourSpan) []HourSpan {
	var out []HourSpan
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// BuiltinHourSets are the sets METRICS names. steward and pagerduty share their bounds:
// sleep 22–08 every day, business 08–18 Monday to Friday, off between. incident-io knows
// no weekend: 08–19 business, 19–23 off, 23–08 sleep.
func BuiltinHourSets() []HourSet {
	classic := join(
		daily(0, 6, 0, 8*60, "sleep"), daily(0, 6, 22*60, day, "sleep"),
		daily(0, 4, 8*60, 18*60, "business"), daily(0, 4, 18*60, 22*60, "off"),
		daily(5, 6, 8*60, 22*60, "off"))
	return []HourSet{
		{Name: "steward", Spans: classic},
		{Name: "pagerduty", Spans: classic},
		{Name: "incident-io", Spans: join(
			daily(0, 6, 0, 8*60, "sleep"), daily(0, 6, 23*60, day, "sleep"),
			daily(0, 6, 8*60, 19*60, "business"), daily(0, 6, 19*60, 23*60, "off"))},
	}
}

// Validate refuses spans outside the week, empty ones, overlaps and unknown classes.
func (h HourSet) Validate() error {
	if h.Name == "" {
		return fmt.Errorf("hour set: name missing")
	}
	s := append([]HourSpan(nil), h.Spans...)
	sort.Slice(s, func(i, j int) bool { return s[i].From < s[j].From })
	for i, p := range s {
		if p.From < 0 || p.To > week || p.From >= p.To {
			return fmt.Errorf("hour set %s: span %d–%d is outside the week or empty", h.Name, p.From, p.To)
		}
		if p.Class != "sleep" && p.Class != "off" && p.Class != "business" {
			return fmt.Errorf("hour set %s: class %q: want sleep, off or business", h.Name, p.Class)
		}
		if i > 0 && p.From < s[i-1].To {
			return fmt.Errorf("hour set %s: spans overlap at minute %d", h.Name, p.From)
		}
	}
	return nil
}

// slots is the week as one letter per step: b, o or s. The statement looks a minute up by
// its place.
func (h HourSet) slots() string {
	step := h.step()
	out := bytes.Repeat([]byte{'o'}, week/step)
	for _, p := range h.Spans {
		for i := p.From / step; i < p.To/step; i++ {
			out[i] = p.Class[0]
		}
	}
	return string(out)
}

// step is the widest grid, in minutes, on which every bound of the set lies: 15, 5 or 1.
func (h HourSet) step() int {
	for _, g := range []int{15, 5} {
		ok := true
		for _, p := range h.Spans {
			ok = ok && p.From%g == 0 && p.To%g == 0
		}
		if ok {
			return g
		}
	}
	return 1
}
