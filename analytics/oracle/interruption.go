package oracle

import (
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// interruption stands for the pages within 60 seconds of its first one, by which it is
// selected and classed.
type interruption struct {
	subject
	opensGroup bool // no interruption of this person began in the 20 minutes before
	opensNight bool // the first sleep-class one of this person's local night
	clockHour  string
}

// allInterruptions forms every person's interruptions, groups and nights over all their
// pages, drills apart, before any filter or window.
func (q *question) allInterruptions() []interruption {
	all := q.allIncidents()
	byPerson := map[string][]fact{}
	for _, f := range q.facts {
		if f.Kind == event.PageSent && f.f.Person != "" && interrupting(f) && !all[f.f.Incident].drill {
			byPerson[q.who(f.f.Person)] = append(byPerson[q.who(f.f.Person)], f)
		}
	}
	var out []interruption
	for person, pages := range byPerson {
		nights := map[string]bool{}
		var previous time.Time // first page of the person's interruption before
		for _, f := range firstPages(pages) {
			d, _ := q.describe(person, f.At)
			local := q.local(d, f.At)
			n := interruption{subject: q.pageSubject(f, all), clockHour: clockHour(local)}
			n.opensGroup = previous.IsZero() || f.At.Sub(previous) > 20*time.Minute
			if n.hourClass == "sleep" && !nights[night(local)] {
				nights[night(local)], n.opensNight = true, true
			}
			previous = f.At
			out = append(out, n)
		}
	}
	return out
}

// firstPages are the pages that begin an interruption: the first, and then each that is
// more than 60 seconds after the one that began the last interruption.
func firstPages(pages []fact) []fact {
	var out []fact
	for _, f := range pages {
		if len(out) == 0 || f.At.Sub(out[len(out)-1].At) > time.Minute {
			out = append(out, f)
		}
	}
	return out
}

// interruptions counts them by hour class. A group and a night count where their first
// page does; clock hours are distinct per person within a row.
func (q *question) interruptions() Result {
	type counts struct {
		interruptions, groups, nights int64
		class                         map[string]int64
		hours                         map[[2]string]bool // person, clock hour
		people                        map[string]bool
	}
	rows, assumed := map[rowKey]*counts{}, map[string]uint64{}
	for _, n := range q.allInterruptions() {
		if !q.selects(n.subject) {
			continue
		}
		c := at(rows, q.row(n.subject))
		if c.class == nil {
			c.class, c.hours, c.people = map[string]int64{}, map[[2]string]bool{}, map[string]bool{}
		}
		c.interruptions++
		c.class[n.hourClass]++
		c.groups += one(n.opensGroup)
		c.nights += one(n.opensNight)
		c.hours[[2]string{n.person, n.clockHour}] = true
		c.people[n.person] = true
		q.count(assumed, n.doubts, doubts{})
	}
	res := table([]string{"interruptions", "sleep", "off", "business", "groups", "hours", "nights", "people"}, rows,
		func(c *counts) []any {
			return []any{c.interruptions, c.class["sleep"], c.class["off"], c.class["business"], c.groups,
				int64(len(c.hours)), c.nights, int64(len(c.people))}
		})
	res.Assumed = assumed
	return res
}
