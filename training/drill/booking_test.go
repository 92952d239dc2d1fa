package drill

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestSuggestedTimes(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		t.Helper()
		if s == "" {
			return time.Time{}
		}
		out, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// 2026-03-02 is a Monday; the clocks go forward on Sunday, 2026-03-29.
	for _, c := range []struct {
		name, now, shift, want string
		before                 bool
	}{
		{"a shift on Thursday night", "2026-03-02 09:00", "2026-03-05 18:00", "2026-03-04 14:00", true},
		{"a shift on Monday: the Friday before", "2026-03-02 09:00", "2026-03-09 08:00", "2026-03-06 14:00", true},
		{"a shift on Sunday: the Friday before", "2026-03-02 09:00", "2026-03-08 08:00", "2026-03-06 14:00", true},
		{"across the change of clocks", "2026-03-23 09:00", "2026-03-30 08:00", "2026-03-27 14:00", true},
		{"tonight", "2026-03-02 09:00", "2026-03-02 18:00", "2026-03-02 14:00", true},
		{"tonight, and it is late", "2026-03-02 13:30", "2026-03-02 18:00", "2026-03-03 14:00", false},
		{"tomorrow, and yesterday is gone", "2026-03-02 15:00", "2026-03-03 18:00", "2026-03-03 14:00", true},
		{"at noon, too soon after", "2026-03-02 15:00", "2026-03-03 15:00", "2026-03-03 14:00", true},
		{"on Saturday, asked on Friday evening", "2026-03-06 17:00", "2026-03-07 08:00", "2026-03-09 14:00", false},
		{"a shift that has begun", "2026-03-02 09:00", "2026-03-02 08:00", "2026-03-02 14:00", false},
		{"no shift", "2026-03-06 13:30", "", "2026-03-09 14:00", false},
		{"no shift, in the morning", "2026-03-06 13:00", "", "2026-03-06 14:00", false},
	} {
		got, before := Suggest(at(c.now), at(c.shift), berlin)
		if !got.Equal(at(c.want)) || before != c.before {
			t.Errorf("%s: %s %v, want %s %v", c.name, got.Format(time.DateTime), before, c.want, c.before)
		}
	}
}

func TestBookingsAndSharesAreEvents(t *testing.T) {
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	b := Booking{Drill: "d", By: "lead@x.example", Person: "ann@x.example", Starts: at.Add(time.Hour), Reason: "why"}
	e, id, err := Booked(b, at)
	if err != nil {
		t.Fatal(err)
	}
	again, id2, err := Booked(b, at)
	if err != nil || id2 != id || again.ID != e.ID {
		t.Errorf("the same booking is %s and %s, %v", id, id2, err)
	}
	if strings.Contains(id+e.ID+e.Subject, "ann") {
		t.Errorf("an id names a person: %s %s %s", id, e.ID, e.Subject)
	}
	var data map[string]any
	if err := json.Unmarshal(e.Data, &data); err != nil || data["booking"] != id || data["starts_at"] != "2026-03-02T10:00:00Z" || data["person"] != b.Person || data["team"] != nil || data["cancelled"] != nil {
		t.Errorf("%s, %v", e.Data, err)
	}
	b.ID, b.Cancelled = id, true
	if gone, _, err := Booked(b, at); err != nil || gone.ID == e.ID {
		t.Errorf("its end is another event: %v", err)
	}
	for field, bad := range map[string]Booking{"drill": {Person: "p", Starts: at}, "for": {Drill: "d", Starts: at}, "for:": {Drill: "d", Person: "p", Team: "t", Starts: at}, "starts_at": {Drill: "d", Team: "t"}} {
		if _, _, err := Booked(bad, at); err == nil || !strings.HasPrefix(err.Error(), strings.TrimSuffix(field, ":")+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	p := Player{"d", "a1", "ann@x.example"}
	on, err := Shared(Share{p, true, "team:x"}, at)
	if err != nil {
		t.Fatal(err)
	}
	off, err := Shared(Share{p, false, "team:x"}, at)
	if err != nil || on.ID == off.ID || on.Key != off.Key {
		t.Errorf("to share and to end it: %v", err)
	}
	for _, to := range []string{"", "x", "team:", "person:bob", "policy:x"} {
		if _, err := Shared(Share{p, true, to}, at); err == nil {
			t.Errorf("shared with %q", to)
		}
	}
}

func TestPassing(t *testing.T) {
	for score, want := range map[float64]bool{0: false, 69.9: false, 70: true, 100: true} {
		if Passed(score) != want {
			t.Errorf("%v passes: %v", score, !want)
		}
	}
	day := func(n int) time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	for _, c := range []struct {
		last         time.Time
		author, want bool
	}{{time.Time{}, false, true}, {day(0), false, true}, {day(0).Add(time.Millisecond), false, false}, {day(89), false, false}, {time.Time{}, true, false}, {day(-300), true, false}} {
		if Unaided(c.last, day(90), c.author) != c.want {
			t.Errorf("finished on %v and again 90 days after the first day, author %v: unaided is %v", c.last, c.author, !c.want)
		}
	}
}
