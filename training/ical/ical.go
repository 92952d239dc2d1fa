// Package ical writes reminders as a calendar that people subscribe to (RFC 5545).
//
// Theory of operation
//
//  1. A reminder is an event in the calendar and not a to-do: subscribed to-dos are not shown
//     by most calendars.
//  2. Its UID is the reminder's own, so that a date that moves moves in the calendar, and one
//     that is done disappears with the next fetch.
//  3. Moments are written in UTC, which every calendar shows in its reader's zone; days are
//     days, wherever one is.
//  4. Text is escaped and lines are folded at 75 octets, never inside a character; a calendar
//     that finds a longer line, or half a character, may drop the whole feed.
package ical

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Reminder is one entry.
type Reminder struct {
	UID   string // stable, and unique in the world: "a1/PG3@steward.example.org"
	At    time.Time
	Lasts time.Duration // whole minutes, at least one
	Day   bool          // instead it is of the whole day that At has in its own zone
	Title string
	Text  string
	URL   string        // may be empty
	Alarm time.Duration // before At; 0 is none
}

// Calendar is a feed of reminders.
type Calendar struct {
	Name      string
	Refresh   time.Duration // how often it is worth fetching again; 0 says nothing
	Reminders []Reminder
}

// Write writes the feed. now stands in every entry as the moment of its making: calendars
// show the entry with the later one.
func (c Calendar) Write(w io.Writer, now time.Time) error {
	var out strings.Builder
	line := func(name, value string) { fold(&out, name+":"+value) }
	line("BEGIN", "VCALENDAR")
	line("VERSION", "2.0")
	line("PRODID", "-//Steward//Training//EN")
	line("METHOD", "PUBLISH")
	line("X-WR-CALNAME", escape(c.Name)) // not in the standard; what calendars show all the same
	if c.Refresh > 0 {
		fold(&out, "REFRESH-INTERVAL;VALUE=DURATION:"+lasting(c.Refresh)) // RFC 7986
	}
	for _, r := range c.Reminders {
		if r.UID == "" {
			return fmt.Errorf("reminder %q: UID: missing", r.Title)
		}
		line("BEGIN", "VEVENT")
		line("UID", escape(r.UID))
		line("DTSTAMP", stamp(now))
		if r.Day {
			fold(&out, "DTSTART;VALUE=DATE:"+r.At.Format("20060102"))
			fold(&out, "DTEND;VALUE=DATE:"+r.At.AddDate(0, 0, 1).Format("20060102")) // the day behind it
		} else {
			line("DTSTART", stamp(r.At))
			line("DURATION", lasting(r.Lasts))
		}
		line("SUMMARY", escape(r.Title))
		if r.Text != "" {
			line("DESCRIPTION", escape(r.Text))
		}
		if r.URL != "" {
			line("URL", one(r.URL))
		}
		line("TRANSP", "TRANSPARENT") // it does not make anybody busy
		if r.Alarm > 0 {
			line("BEGIN", "VALARM")
			line("ACTION", "DISPLAY")
			line("DESCRIPTION", escape(r.Title))
			line("TRIGGER", "-"+lasting(r.Alarm))
			line("END", "VALARM")
		}
		line("END", "VEVENT")
	}
	line("END", "VCALENDAR")
	_, err := io.WriteString(w, out.String())
	return err
}

func stamp(at time.Time) string { return at.UTC().Format("20060102T150405Z") }

// lasting is whole minutes, at least one.
func lasting(d time.Duration) string { return fmt.Sprintf("PT%dM", max(int(d/time.Minute), 1)) }

var escaping = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

func escape(s string) string { return one(escaping.Replace(s)) }

// one takes out what would end a line or is no text.
func one(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// widest is in octets, without the line's end.
const widest = 75

// fold writes a line in pieces, each but the first behind a blank.
func fold(out *strings.Builder, s string) {
	room := widest
	for len(s) > room {
		cut := room
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		out.WriteString(s[:cut] + "\r\n ")
		s, room = s[cut:], widest-1
	}
	out.WriteString(s + "\r\n")
}
