package remind

import (
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
)

func TestCalendar(t *testing.T) {
	now := moment("2026-05-09T10:00:00Z")
	p := Person{ID: "ana@example.org", Zone: zone(t, "Asia/Tokyo"),
		Work: []Work{
			{Assignment: "a", Module: "PG1", Assigned: moment("2026-05-01T00:00:00Z"), Due: moment("2026-05-07T22:00:00Z")},
			{Assignment: "b", Module: "PG2", Assigned: moment("2026-05-01T00:00:00Z"), Due: moment("2026-05-11T22:00:00Z")},
			{Assignment: "c", Module: "LS1", Assigned: moment("2026-05-01T00:00:00Z")},
		},
		Shifts: []Shift{{moment("2026-05-20T06:00:00Z"), moment("2026-05-20T18:00:00Z")}, {moment("2026-05-09T06:00:00Z"), moment("2026-05-09T18:00:00Z")}, {moment("2026-05-08T06:00:00Z"), moment("2026-05-08T18:00:00Z")}},
	}
	dates := []Date{{"bk", moment("2026-05-12T08:00:00Z"), "Drill: disk full", "", "/drills/d1"}}
	write := func(p Person, at time.Time) string {
		var out strings.Builder
		if err := p.Calendar(func(id string) string { return id + " T" }, dates, "https://steward.example.org", zone(t, "Europe/Berlin"), now).Write(&out, at); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	feed := write(p, now)
	c, err := ics.ParseCalendar(strings.NewReader(feed))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	uids := map[string]bool{}
	for _, e := range c.Events() {
		uids[e.Id()] = true
		at, err := e.GetStartAt()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.GetProperty(ics.ComponentPropertySummary).Value+" "+at.UTC().Format("0102T1504")+" "+e.GetProperty(ics.ComponentPropertyUrl).Value)
	}
	want := []string{
		"Due: PG1 T 0507T0000 https://steward.example.org/training/PG1", "Due: PG2 T 0511T0000 https://steward.example.org/training/PG2", // last days in Berlin
		"On call 0509T0600 https://steward.example.org/training/reminders", "On call 0520T0600 https://steward.example.org/training/reminders",
		"Drill: disk full 0512T0800 https://steward.example.org/drills/d1",
	}
	if !slices.Equal(got, want) || len(uids) != len(want) {
		t.Errorf("\n got  %q\n want %q", got, want)
	}
	if !strings.Contains(feed, `To learn before it:\n- PG1 T\n- PG2 T\n- LS1 T`) || strings.Contains(feed, "ana@") {
		t.Error(feed)
	}
	// Done: its day is gone, the others keep their ids.
	p.Work = p.Work[1:]
	less, err := ics.ParseCalendar(strings.NewReader(write(p, now)))
	if err != nil || len(less.Events()) != len(want)-1 {
		t.Fatal(err)
	}
	for _, e := range less.Events() {
		if !uids[e.Id()] {
			t.Error("an entry has another id after a fetch")
		}
	}
}
