package ical

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var now = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func written(t testing.TB, c Calendar) string {
	t.Helper()
	var out strings.Builder
	if err := c.Write(&out, now); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFeed(t *testing.T) {
	got := written(t, Calendar{Name: "Training, Ana", Refresh: time.Hour, Reminders: []Reminder{{
		UID: "a1/PG3@steward.example.org", At: time.Date(2026, 5, 6, 10, 30, 0, 0, time.FixedZone("", 2*3600)), Lasts: 30 * time.Minute,
		Title: "PG3: The first five minutes; before your shift", Text: "Due on 8 May.\nC:\\runbook", URL: "https://steward.example.org/training/PG3", Alarm: 24 * time.Hour,
	}}})
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Steward//Training//EN
METHOD:PUBLISH
X-WR-CALNAME:Training\, Ana
REFRESH-INTERVAL;VALUE=DURATION:PT60M
BEGIN:VEVENT
UID:a1/PG3@steward.example.org
DTSTAMP:20260504T090000Z
DTSTART:20260506T083000Z
DURATION:PT30M
SUMMARY:PG3: The first five minutes\; before your shift
DESCRIPTION:Due on 8 May.\nC:\\runbook
URL:https://steward.example.org/training/PG3
TRANSP:TRANSPARENT
BEGIN:VALARM
ACTION:DISPLAY
DESCRIPTION:PG3: The first five minutes\; before your shift
TRIGGER:-PT1440M
END:VALARM
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestEmptyFeedAndMissingUID(t *testing.T) {
	if got := written(t, Calendar{}); strings.Contains(got, "VEVENT") || !strings.HasSuffix(got, "END:VCALENDAR\r\n") {
		t.Error(got)
	}
	if err := (Calendar{Reminders: []Reminder{{Title: "x"}}}).Write(&strings.Builder{}, now); err == nil || !strings.Contains(err.Error(), "UID") {
		t.Error(err)
	}
}

// Whatever a title holds, the feed stays a feed: short lines, whole characters, and no line
// that the title has made.
func FuzzFeed(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nATTENDEE:mailto:x@y.z", "\u2028\x00\x7f", strings.Repeat("ü", 200), strings.Repeat("日本", 99), "\xff\xfe", "a\rb\nc", strings.Repeat("\\", 80)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := written(t, Calendar{Name: s, Reminders: []Reminder{{UID: "u" + s, At: now, Title: s, Text: s, URL: s, Alarm: time.Minute}}})
		if !utf8.ValidString(got) {
			t.Error("not UTF-8")
		}
		lines := strings.Split(strings.TrimSuffix(got, "\r\n"), "\r\n")
		unfolded := 0
		for _, l := range lines {
			if len(l) > 75 || strings.ContainsAny(l, "\r\n") || !utf8.ValidString(l) {
				t.Errorf("%q", l)
			}
			if !strings.HasPrefix(l, " ") {
				unfolded++
			}
		}
		if want := 19 + map[bool]int{true: 1}[s != ""]*2; unfolded != want {
			t.Errorf("%d lines, not %d: %q", unfolded, want, got)
		}
	})
}
