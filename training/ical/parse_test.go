package ical

import (
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
)

// A reader that is not ours finds what was written.
func TestOthersReadIt(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("Überlast, Nachtschicht; ", 20)
	feed := written(t, Calendar{Name: "Training", Refresh: time.Hour, Reminders: []Reminder{
		{UID: "due/1@steward", At: time.Date(2026, 10, 25, 0, 0, 0, 0, berlin), Day: true, Title: "Due: PG3", Text: long},
		{UID: "shift/1@steward", At: time.Date(2026, 10, 25, 8, 0, 0, 0, berlin), Lasts: 12 * time.Hour, Title: "On call", URL: "https://steward.example.org/me", Alarm: time.Hour},
	}})
	for i, line := range strings.Split(feed, "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line %d is %d octets long", i+1, len(line))
		}
	}
	c, err := ics.ParseCalendar(strings.NewReader(feed))
	if err != nil {
		t.Fatal(err)
	}
	events := c.Events()
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	text := func(e *ics.VEvent, p ics.ComponentProperty) string {
		if found := e.GetProperty(p); found != nil {
			return found.Value
		}
		return ""
	}
	due, shift := events[0], events[1]
	if got := text(due, ics.ComponentPropertyDescription); ics.FromText(got) != long && got != long {
		t.Errorf("%q", got)
	}
	if from, err := due.GetAllDayStartAt(); err != nil || from.Format(time.DateOnly) != "2026-10-25" {
		t.Error(from, err)
	}
	if to, err := due.GetAllDayEndAt(); err != nil || to.Format(time.DateOnly) != "2026-10-26" {
		t.Error(to, err)
	}
	if from, err := shift.GetStartAt(); err != nil || !from.Equal(time.Date(2026, 10, 25, 7, 0, 0, 0, time.UTC)) { // winter time since that night
		t.Error(from, err)
	}
	if at, err := shift.GetDtStampTime(); err != nil || !at.Equal(now) {
		t.Error(at, err)
	}
	if len(shift.Alarms()) != 1 || text(shift, ics.ComponentPropertyUrl) != "https://steward.example.org/me" {
		t.Error("the alarm or the address is lost")
	}
}
