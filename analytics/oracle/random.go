package oracle

import (
	"fmt"
	"math/rand"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The names that random histories and random questions draw from. "ghost" names are asked
// for, never described.
var (
	teams    = []string{"apex", "bolt", "core", "dune"}
	services = []string{"api", "billing", "cache", "db", "edge"}
	policies = []string{"P1", "P2", "P3"}
	classes  = []string{"disk", "latency", "cert"}
	sources  = []string{"/pagerduty/acme/webhook", "/import/uci", "/steward"}
	zoneName = []string{"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"}
	// people as sources write them: one human may appear under several of these.
	people = []string{"ana@example.org", "Bo@Example.org", "cy@example.org", "dee@example.org", "eve@example.org",
		"pagerduty:acme:U1", "pagerduty:acme:U2", "slack:acme:W1", "slack:acme:W2", "old.bo@example.org"}
)

// Now is a moment after everything that History invents, copies and late news included.
func Now() time.Time { return time.Date(2025, 12, 20, 9, 30, 0, 0, time.UTC) }

// anchors are moments at which rules change: clocks in each zone, in both directions, and
// local midnight, noon, the ends of the working day, month and quarter.
func anchors() []time.Time {
	var out []time.Time
	for _, s := range []string{
		"2025-03-09T07:00:00Z", // New York springs forward
		"2025-03-30T01:00:00Z", // Berlin springs forward
		"2025-04-05T15:00:00Z", // Lord Howe falls back by half an hour
		"2025-10-04T15:30:00Z", // Lord Howe springs forward
		"2025-10-26T01:00:00Z", // Berlin falls back: 02:00 to 03:00 twice
		"2025-11-02T06:00:00Z", // New York falls back: 01:00 to 02:00 twice
		"2025-03-10T08:00:00Z", "2025-03-10T18:00:00Z", "2025-03-14T22:00:00Z", "2025-03-15T12:00:00Z",
		"2025-03-31T22:00:00Z", // midnight in Berlin, of a month and a quarter
		"2025-10-31T23:00:00Z", "2025-10-31T18:30:00Z", "2025-11-03T05:00:00Z", "2025-11-03T17:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, s)
		if err == nil {
			out = append(out, at)
		}
	}
	return out
}

// maker collects the events of one history. Few focal moments are shared by all of them,
// so that distances of a minute, of 20 and 30 minutes and ties are common.
type maker struct {
	r      *rand.Rand
	focal  []time.Time
	events []event.Event
	opened []string // incidents begun so far
	proof  []string // ids of evidence so far
}

// History invents about size events that make the definitions hard: facts that arrive
// late or never, copies, ties, aliases in chains and circles, moves of people and
// services, clocks that change. Every event is valid; they come in no order. Copies of an
// event are equal but for seen. The same state of r gives the same history.
func History(r *rand.Rand, size int) []event.Event {
	m := &maker{r: r}
	all := anchors()
	for range 1 + r.Intn(3) {
		m.focal = append(m.focal, all[r.Intn(len(all))])
	}
	m.catalogue()
	for len(m.events) < size {
		switch n := r.Intn(20); {
		case n < 9:
			m.incident()
		case n < 11:
			m.burst()
		case n < 14:
			m.shift()
		case n < 15:
			m.page(m.moment(), "") // of no incident
		case n < 16:
			m.afterthought()
		default:
			m.fact()
		}
	}
	for n := size / 3; n > 0; n-- {
		m.learning()
	}
	m.shadowing()
	m.copies()
	r.Shuffle(len(m.events), func(i, j int) { m.events[i], m.events[j] = m.events[j], m.events[i] })
	return m.events
}

// add appends a valid event. Delivery is mostly prompt, sometimes days late, now and then
// earlier than the event by a source's fast clock. Ids are mostly hashes, sometimes short
// text, and now and then that of an event of another source at the same moment.
func (m *maker) add(kind event.Kind, subject string, at time.Time, d map[string]any) {
	source := pick(m.r, sources)
	e, err := event.New(source, kind, subject, fmt.Sprint("k", len(m.events)), at, d)
	if err != nil {
		panic(fmt.Sprintf("the generator made an invalid %s: %v", kind, err)) // a mistake in this file
	}
	switch n := m.r.Intn(20); {
	case n < 6:
		e.ID = fmt.Sprintf("%c%d", 'a'+rune(m.r.Intn(26)), len(m.events))
	case n == 6 && len(m.events) > 0:
		twin := m.events[m.r.Intn(len(m.events))]
		if twin.Source != source {
			e.ID, e.At = twin.ID, twin.At
		}
	}
	for _, old := range m.events { // an identity is taken once
		if old.ID == e.ID && old.Source == e.Source {
			e.ID += "'"
		}
	}
	e.Seen = e.At.Add(m.delay())
	m.events = append(m.events, e)
}

func (m *maker) delay() time.Duration {
	switch n := m.r.Intn(10); {
	case n < 5:
		return time.Duration(m.r.Intn(5000)) * time.Millisecond
	case n < 7:
		return time.Duration(m.r.Intn(48)) * time.Hour
	case n < 8:
		return -time.Duration(m.r.Intn(300)) * time.Second
	}
	return time.Duration(m.r.Intn(30*24)) * time.Hour
}

// moment is near a focal moment: exactly on it, a rule's distance away, or anywhere within
// hours or days of it.
func (m *maker) moment() time.Time {
	return near(m.r, pick(m.r, m.focal))
}

// near moves t by distances that the rules know, or anywhere.
func near(r *rand.Rand, t time.Time) time.Time {
	switch r.Intn(6) {
	case 0:
		return t.Add(pick(r, ruleGaps))
	case 1:
		return t.Add(time.Duration(r.Intn(25)-12) * 15 * time.Minute)
	case 2:
		return t.Add(time.Duration(r.Intn(6*3600_000)-3*3600_000) * time.Millisecond)
	case 3:
		return t.Add(time.Duration(r.Intn(49)-24) * time.Hour)
	case 4:
		return t.Add(time.Duration(r.Intn(2*86400_000)-86400_000) * time.Millisecond)
	}
	return t.Add(time.Duration(r.Intn(14*86400)-7*86400) * time.Second)
}

// ruleGaps are the distances at which rules turn, with a millisecond either side.
var ruleGaps = []time.Duration{
	0, 0, time.Millisecond, -time.Millisecond, 30 * time.Second, time.Minute, time.Minute + time.Millisecond,
	time.Minute - time.Millisecond, 20 * time.Minute, 20*time.Minute + time.Millisecond, 30 * time.Minute,
	30*time.Minute + time.Millisecond, -30 * time.Minute, time.Hour, -time.Hour, 12 * time.Hour,
}

// copies redelivers some events: mostly the same but for when they were seen, mostly later,
// sometimes earlier than the one made first. Some say something else: another moment, or
// what another event of their kind says. No two copies that differ are seen at once.
func (m *maker) copies() {
	made := m.events[:len(m.events):len(m.events)]
	for _, e := range made {
		for m.r.Intn(6) == 0 {
			c := e
			c.Seen = c.Seen.Add(time.Duration(m.r.Intn(20*86400)-5*86400) * time.Second)
			if m.chance(3) {
				c.Seen = c.Seen.Add(time.Duration(1+len(m.events)) * time.Millisecond)
				c.At = c.At.Add(time.Duration(m.r.Intn(12*86400)-6*86400) * time.Second)
			}
			if other := pick(m.r, made); m.chance(3) || other.Kind == c.Kind && m.chance(2) {
				for range 200 {
					if other.Kind == c.Kind {
						break
					}
					other = pick(m.r, made)
				}
				if other.Kind == c.Kind {
					c.Seen = c.Seen.Add(time.Duration(1+len(m.events)) * time.Millisecond)
					c.Data = other.Data
				}
			}
			m.events = append(m.events, c)
		}
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.Intn(len(from))] }

// chance is true once in n.
func (m *maker) chance(n int) bool { return m.r.Intn(n) == 0 }
