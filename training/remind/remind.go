// Package remind plans what people are told about learning that they have not finished, and
// when: before their next shift, before a due date, and when one has passed.
//
// Theory of operation
//
//  1. A plan is a pure function of a person's open work, their shifts, what was sent, and the
//     moment. Nothing is queued: work that is done, waived or given up is not in the list any
//     more, and so is never reminded of.
//  2. All is counted in days of the person's own zone. A day has one moment for a message, at
//     the same hour of the clock in summer and winter; a message that could not go out then may
//     follow until the person's night begins, and never in it.
//  3. Each piece of work has stages: so many days before a shift, so many before it is due, each
//     so many days after. The nearest stage that is reached counts, and earlier ones do not any
//     more: who was unreachable for a week gets one message and not five.
//  4. A stage has a key that tells nothing of the person. What was sent says which keys it
//     covered, and a key goes out once. Everything of a day is one message.
//  5. Shifts that follow each other within a day are one turn of duty: who is on call every
//     working day is told before the week and not before each of its mornings. A row of shifts
//     that does not end is one turn a week, from Monday on.
package remind

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The hours of the clock within which nobody is disturbed are those that METRICS calls sleep.
const (
	nightBegins = 22
	nightEnds   = 8
)

// together is the pause up to which shifts are one turn of duty, long how long a row of them
// lasts before a Monday begins a new one.
const (
	together = 24 * time.Hour
	long     = 6 * 24 * time.Hour
)

// Rules say how early, in days of the person's calendar.
type Rules struct {
	BeforeShift  []int // days before the start of the next turn of duty
	BeforeDue    []int // days before the last day
	OverdueEvery int   // days between reminders of what is overdue; the first is on the day after
	Hour         int   // of the clock where the person lives
}

// Defaults are the rules without a configuration.
func Defaults() Rules {
	return Rules{BeforeShift: []int{3, 1}, BeforeDue: []int{7, 1}, OverdueEvery: 7, Hour: 9}
}

// farthest bounds the days of a rule: what was sent is remembered for longer than that.
const farthest = 30

// Remembered is how long what was sent matters.
const Remembered = (farthest + 15) * 24 * time.Hour

// Validate names each rule that cannot be followed.
func (r Rules) Validate() error {
	var errs []error
	for name, days := range map[string][]int{"before_shift_days": r.BeforeShift, "before_due_days": r.BeforeDue} {
		for _, d := range days {
			if d < 1 || d > farthest {
				errs = append(errs, fmt.Errorf("%s: %d is not a number of days from 1 to %d", name, d, farthest))
			}
		}
	}
	if r.OverdueEvery < 1 || r.OverdueEvery > farthest {
		errs = append(errs, fmt.Errorf("overdue_every_days: %d is not a number of days from 1 to %d", r.OverdueEvery, farthest))
	}
	if r.Hour < nightEnds || r.Hour >= nightBegins {
		errs = append(errs, fmt.Errorf("hour: %d is not within the hours from %d to %d, outside of which people sleep", r.Hour, nightEnds, nightBegins-1))
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// Work is one open assignment of a person.
type Work struct {
	Assignment, Module string
	Assigned           time.Time
	Due                time.Time // the end of the last day; zero: none
}

// Shift is one time on call.
type Shift struct{ Start, End time.Time }

// Sent is one message that went out: the moment that it was planned for, and its keys.
type Sent struct {
	At     time.Time
	Covers []string
}

// Person is somebody with open work. Zone nil is UTC.
type Person struct {
	ID     string
	Zone   *time.Location
	Work   []Work
	Shifts []Shift // those under way and coming, in any order
	Sent   []Sent  // through the channel that is planned for
}

// Kinds of occasions.
const (
	BeforeShift = "shift"
	BeforeDue   = "due"
	Overdue     = "overdue"
)

// Occasion is why a piece of work is spoken of.
type Occasion struct {
	Kind string
	Days int       // of the rule; of overdue: how many times it was said before
	At   time.Time // the start of the turn of duty, or the end of the last day
}

// Item is a piece of work with its occasions.
type Item struct {
	Work
	Occasions []Occasion
}

// Message is all that a person is told on a day.
type Message struct {
	Key    string // the same for the same keys of the same person
	Person string
	At     time.Time // when it is planned for
	Items  []Item    // in the order of the person's work
	Covers []string  // sorted
}

// Event is the fact that a message went out through a channel. It has one id, whoever writes
// it and however often.
func (m Message) Event(channel string) (event.Event, error) {
	return event.New(event.OwnSource, event.ReminderSent, "reminder:"+m.Key, m.Key+"/"+channel, m.At,
		map[string]any{"reminder": m.Key, "person": m.Person, "channel": channel, "covers": m.Covers})
}

// Due is the message that is to go out now, if there is one.
func Due(p Person, r Rules, now time.Time) (Message, bool) {
	d := dayOf(now, p.zone())
	if now.Before(d.clock(r.Hour, p.zone())) || !now.Before(d.clock(nightBegins, p.zone())) {
		return Message{}, false
	}
	return p.message(r, d, now)
}

// Coming are the messages of the next days if nothing changes: no work is done, no shift moves.
func Coming(p Person, r Rules, now time.Time, days int) []Message {
	p.Sent = slices.Clone(p.Sent)
	var out []Message
	first := dayOf(now, p.zone())
	for i := range days {
		d := first.plus(i)
		at := d.clock(r.Hour, p.zone())
		if i == 0 && now.After(at) {
			if at = now; !now.Before(d.clock(nightBegins, p.zone())) {
				continue
			}
		}
		if m, ok := p.message(r, d, at); ok {
			out = append(out, m)
			p.Sent = append(p.Sent, Sent{m.At, m.Covers})
		}
	}
	return out
}

func (p Person) zone() *time.Location {
	if p.Zone == nil {
		return time.UTC
	}
	return p.Zone
}

// message is what a day's message holds as of a moment of that day.
func (p Person) message(r Rules, d day, asOf time.Time) (Message, bool) {
	zone := p.zone()
	at := d.clock(r.Hour, zone)
	if dayOf(at, zone) != d { // the zone left this day out
		return Message{}, false
	}
	told := map[string]bool{}
	for _, s := range p.Sent {
		if dayOf(s.At, zone) == d {
			return Message{}, false
		}
		for _, key := range s.Covers {
			told[key] = true
		}
	}
	m := Message{Person: p.ID, At: at}
	turn := NextTurn(p.Shifts, asOf, zone)
	for _, w := range p.Work {
		if !w.Assigned.Before(at) { // whoever got it today knows of it
			continue
		}
		item := Item{Work: w}
		for _, o := range w.occasions(r, d, asOf, turn, zone) {
			if key := p.key(w, o); !told[key] && !slices.Contains(m.Covers, key) {
				item.Occasions = append(item.Occasions, o)
				m.Covers = append(m.Covers, key)
			}
		}
		if len(item.Occasions) > 0 {
			m.Items = append(m.Items, item)
		}
	}
	slices.Sort(m.Covers)
	m.Key = digest(append([]string{event.PersonID(p.ID)}, m.Covers...)...)
	return m, len(m.Items) > 0
}

// occasions are the stages that a piece of work has reached on a day.
func (w Work) occasions(r Rules, d day, asOf, turn time.Time, zone *time.Location) []Occasion {
	var out []Occasion
	if !turn.IsZero() {
		if n, ok := stage(r.BeforeShift, dayOf(turn, zone).since(d)); ok {
			out = append(out, Occasion{BeforeShift, n, turn})
		}
	}
	switch {
	case w.Due.IsZero():
	case asOf.Before(w.Due):
		if n, ok := stage(r.BeforeDue, dayOf(w.Due.Add(-time.Millisecond), zone).since(d)); ok {
			out = append(out, Occasion{BeforeDue, n, w.Due})
		}
	default:
		first := dayOf(w.Due, zone)
		if first.clock(r.Hour, zone).Before(w.Due) {
			first = first.plus(1)
		}
		if late := d.since(first); late >= 0 {
			out = append(out, Occasion{Overdue, late / r.OverdueEvery, w.Due})
		}
	}
	return out
}

// stage is the nearest rule that so many days before have reached.
func stage(rules []int, days int) (n int, ok bool) {
	for _, rule := range rules {
		if days <= rule && (!ok || rule < n) {
			n, ok = rule, true
		}
	}
	return n, ok
}

// NextTurn is when the next turn of duty begins after a moment; zero: none is planned. Weeks
// are those of the zone.
func NextTurn(shifts []Shift, after time.Time, zone *time.Location) time.Time {
	var began, last, until time.Time // of the row of shifts so far: its start, its latest one's, its end
	for _, s := range sorted(shifts) {
		begins := until.IsZero() || s.Start.Sub(until) > together
		if begins {
			began = s.Start
		}
		begins = begins || s.Start.Sub(began) >= long && monday(s.Start, zone) != monday(last, zone)
		last = s.Start
		if begins && s.Start.After(after) {
			return s.Start
		}
		if s.End.After(until) {
			until = s.End
		}
	}
	return time.Time{}
}

// monday is the first day of a moment's week.
func monday(t time.Time, zone *time.Location) day {
	d := dayOf(t, zone)
	return d.plus(-((int(d.Weekday()) + 6) % 7))
}

func sorted(shifts []Shift) []Shift {
	out := slices.Clone(shifts)
	slices.SortFunc(out, func(a, b Shift) int { return a.Start.Compare(b.Start) })
	return out
}

// key is a stage of somebody's piece of work, without telling who they are.
func (p Person) key(w Work, o Occasion) string {
	return digest(event.PersonID(p.ID), w.Assignment, w.Module, o.Kind, strconv.FormatInt(o.At.UnixMilli(), 10), strconv.Itoa(o.Days))
}

// digest frames its parts, so that no two lists give the same.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s/", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// day is a day of the calendar, as its midnight in UTC.
type day struct{ time.Time }

func dayOf(t time.Time, zone *time.Location) day {
	y, m, d := t.In(zone).Date()
	return day{time.Date(y, m, d, 0, 0, 0, 0, time.UTC)}
}

func (d day) plus(n int) day      { return day{d.AddDate(0, 0, n)} }
func (d day) since(other day) int { return int(d.Sub(other.Time).Hours()) / 24 }

// clock is an hour of the clock on that day in a zone.
func (d day) clock(hour int, zone *time.Location) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day(), hour, 0, 0, 0, zone)
}
