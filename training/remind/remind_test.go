package remind

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func moment(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// said lists what Coming plans: the moment in the person's zone, and the occasions.
func said(p Person, ms []Message) (out []string) {
	for _, m := range ms {
		line := m.At.In(p.zone()).Format("Mon 2006-01-02 15:04 MST")
		for _, it := range m.Items {
			for _, o := range it.Occasions {
				line += fmt.Sprintf(" %s:%s-%d", it.Module, o.Kind, o.Days)
			}
		}
		out = append(out, line)
	}
	return out
}

// everyDay are shifts of ten hours.
func everyDay(from string, days int) (out []string) {
	for i := range days {
		at := moment(from).AddDate(0, 0, i)
		out = append(out, at.Format(time.RFC3339)+"/"+at.Add(10*time.Hour).Format(time.RFC3339))
	}
	return out
}

// Worked out by hand on a calendar.
func TestPlan(t *testing.T) {
	given := moment("2026-01-01T00:00:00Z")
	for _, c := range []struct {
		name   string
		zone   string
		now    string
		days   int
		due    []string // of modules M0, M1 …; "" none
		shifts []string // start/end
		want   []string
	}{
		{"before a shift over the start of summer time", "Europe/Berlin", "2026-03-24T12:00:00Z", 10, []string{""}, []string{"2026-03-30T06:00:00Z/2026-03-30T18:00:00Z"},
			[]string{"Fri 2026-03-27 09:00 CET M0:shift-3", "Sun 2026-03-29 09:00 CEST M0:shift-1"}},
		{"the day of the shift counts where it began: Sunday evening in New York", "America/New_York", "2026-11-01T00:00:00Z", 12, []string{""}, []string{"2026-11-09T02:00:00Z/2026-11-10T02:00:00Z"},
			[]string{"Thu 2026-11-05 09:00 EST M0:shift-3", "Sat 2026-11-07 09:00 EST M0:shift-1"}},
		{"due, then overdue each week", "UTC", "2026-05-01T00:00:00Z", 30, []string{"2026-05-11T00:00:00Z"}, nil,
			[]string{"Sun 2026-05-03 09:00 UTC M0:due-7", "Sat 2026-05-09 09:00 UTC M0:due-1", "Mon 2026-05-11 09:00 UTC M0:overdue-0", "Mon 2026-05-18 09:00 UTC M0:overdue-1", "Mon 2026-05-25 09:00 UTC M0:overdue-2"}},
		{"collected: one message a day", "UTC", "2026-05-08T12:00:00Z", 3, []string{"2026-05-11T00:00:00Z", ""}, []string{"2026-05-10T08:00:00Z/2026-05-10T18:00:00Z"},
			[]string{"Fri 2026-05-08 09:00 UTC M0:shift-3 M0:due-7 M1:shift-3", "Sat 2026-05-09 09:00 UTC M0:shift-1 M0:due-1 M1:shift-1"}},
		{"at night nothing more of today", "UTC", "2026-05-09T22:00:00Z", 1, []string{"2026-05-11T00:00:00Z"}, nil, nil},
		{"a rota of working days is told before its week", "UTC", "2026-05-05T05:00:00Z", 9, []string{""},
			[]string{"2026-05-04T08:00:00Z/2026-05-04T18:00:00Z", "2026-05-05T08:00:00Z/2026-05-05T18:00:00Z", "2026-05-06T08:00:00Z/2026-05-06T18:00:00Z", "2026-05-11T08:00:00Z/2026-05-11T18:00:00Z", "2026-05-12T08:00:00Z/2026-05-12T18:00:00Z"},
			[]string{"Fri 2026-05-08 09:00 UTC M0:shift-3", "Sun 2026-05-10 09:00 UTC M0:shift-1"}},
		{"on call each day: told once a week", "UTC", "2026-05-05T05:00:00Z", 14, []string{""}, everyDay("2026-04-27T08:00:00Z", 30),
			[]string{"Fri 2026-05-08 09:00 UTC M0:shift-3", "Sun 2026-05-10 09:00 UTC M0:shift-1", "Fri 2026-05-15 09:00 UTC M0:shift-3", "Sun 2026-05-17 09:00 UTC M0:shift-1"}},
		{"a day that Samoa left out", "Pacific/Apia", "2011-12-28T20:00:00Z", 5, []string{"2012-01-01T10:00:00Z"}, nil,
			[]string{"Wed 2011-12-28 09:00 -10 M0:due-7", "Sat 2011-12-31 09:00 +14 M0:due-1"}},
		{"ahead of the organisation: the last day ends on Tokyo's next morning", "Asia/Tokyo", "2026-05-01T00:00:00Z", 13, []string{"2026-05-11T00:00:00Z"}, nil,
			[]string{"Mon 2026-05-04 09:00 JST M0:due-7", "Sun 2026-05-10 09:00 JST M0:due-1", "Mon 2026-05-11 09:00 JST M0:overdue-0"}},
	} {
		p := Person{ID: "ana@example.org", Zone: zone(t, c.zone)}
		for i, due := range c.due {
			w := Work{Assignment: fmt.Sprint("a", i), Module: fmt.Sprint("M", i), Assigned: given}
			if moment(c.now).Before(given) {
				w.Assigned = moment(c.now).AddDate(0, 0, -1)
			}
			if due != "" {
				w.Due = moment(due)
			}
			p.Work = append(p.Work, w)
		}
		for _, s := range c.shifts {
			from, to, _ := strings.Cut(s, "/")
			p.Shifts = append(p.Shifts, Shift{moment(from), moment(to)})
		}
		if got := said(p, Coming(p, Defaults(), moment(c.now), c.days)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got  %s\n want %s", c.name, strings.Join(got, "\n      "), strings.Join(c.want, "\n      "))
		}
	}
}

func TestDone(t *testing.T) {
	p := Person{ID: "ana@example.org", Work: []Work{{Assignment: "a", Module: "PG1", Assigned: moment("2026-05-01T00:00:00Z"), Due: moment("2026-05-11T00:00:00Z")}}}
	now := moment("2026-05-09T09:00:00Z")
	m, ok := Due(p, Defaults(), now)
	if !ok || len(m.Items) != 1 {
		t.Fatal(m, ok)
	}
	again, _ := Due(p, Defaults(), now.Add(12*time.Hour))
	if again.Key != m.Key || !again.At.Equal(m.At) {
		t.Error("a retry on the same day is another message")
	}
	e, err := m.Event("mail")
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := m.Event("mail"); other.ID != e.ID {
		t.Error("one message, two ids")
	}
	if other, _ := m.Event("webhook:chat"); other.ID == e.ID {
		t.Error("two channels, one id")
	}
	if strings.Contains(e.ID+e.Subject+e.Key+m.Key+strings.Join(m.Covers, ""), "ana") {
		t.Error("an id tells who it is of")
	}
	p.Sent = []Sent{{m.At, m.Covers}}
	if _, ok := Due(p, Defaults(), now.Add(time.Hour)); ok {
		t.Error("twice on a day")
	}
	if _, ok := Due(p, Defaults(), now.Add(24*time.Hour)); ok {
		t.Error("the same stage on the next day")
	}
	p.Sent, p.Work = nil, nil // completed, waived, given up
	if _, ok := Due(p, Defaults(), now); ok {
		t.Error("a reminder of nothing")
	}
	other := Person{ID: "bo@example.org", Work: []Work{{Assignment: "a", Module: "PG1", Assigned: moment("2026-05-01T00:00:00Z"), Due: moment("2026-05-11T00:00:00Z")}}}
	if o, _ := Due(other, Defaults(), now); o.Key == m.Key {
		t.Error("two people's messages have one key")
	}
}

func TestWords(t *testing.T) {
	m := Message{Items: []Item{
		{Work{Module: "PG1"}, []Occasion{{BeforeShift, 3, moment("2026-03-30T06:00:00Z")}, {Overdue, 0, moment("2026-03-20T23:00:00Z")}}},
		{Work{Module: "PG2"}, []Occasion{{BeforeDue, 1, moment("2026-03-28T23:00:00Z")}}},
	}}
	subject, text := m.Words(func(id string) string { return id + " Title" }, "https://steward.example.org", zone(t, "Asia/Tokyo"), zone(t, "Europe/Berlin"))
	if subject != "2 modules to learn before your shift on Mon 30 Mar, 1 overdue" {
		t.Error(subject)
	}
	want := "PG1 Title\n  your next shift begins Mon 30 Mar 2026 15:00 JST\n  overdue since Fri 20 Mar 2026\n  https://steward.example.org/training/PG1\n\n" +
		"PG2 Title\n  due Sat 28 Mar 2026\n  https://steward.example.org/training/PG2\n\n" +
		"What is to come, and how to switch these messages off: https://steward.example.org/training/reminders\n"
	if text != want {
		t.Errorf("%q", text)
	}
}

func TestRules(t *testing.T) {
	if err := Defaults().Validate(); err != nil {
		t.Fatal(err)
	}
	err := Rules{BeforeShift: []int{0}, BeforeDue: []int{99}, Hour: 22}.Validate()
	for _, field := range []string{"before_shift_days: 0", "before_due_days: 99", "overdue_every_days: 0", "hour: 22"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

// The slow reading: walk the quarters of hours one by one. On each day in question, ask by
// counting midnights which stage counts; a stage that was not said is said then.
func slow(p Person, r Rules, from time.Time, hours int) (out []string) {
	z := p.zone()
	midnights := func(a, b time.Time) int { // between a and b, signed
		sign := 1
		if b.Before(a) {
			a, b, sign = b, a, -1
		}
		n := 0
		for t := a; t.Before(b); {
			next := t.Add(6 * time.Hour)
			if next.After(b) {
				next = b
			}
			if t.In(z).Format(time.DateOnly) != next.In(z).Format(time.DateOnly) {
				n++
			}
			t = next
		}
		return sign * n
	}
	told := map[string]bool{}
	for i := range 4 * hours {
		at := from.Add(time.Duration(i) * 15 * time.Minute)
		if at.In(z).Hour() != r.Hour || at.In(z).Minute() != 0 {
			continue
		}
		line := ""
		for _, w := range p.Work {
			if !w.Assigned.Before(at) {
				continue
			}
			tell := func(kind string, n int, of time.Time) {
				key := fmt.Sprint(w.Assignment, kind, n, of.Unix())
				if !told[key] {
					told[key] = true
					line += fmt.Sprintf(" %s:%s-%d", w.Module, kind, n)
				}
			}
			var next time.Time
			for _, s := range p.Shifts {
				if begins(s, p.Shifts, z) && s.Start.After(at) && (next.IsZero() || s.Start.Before(next)) {
					next = s.Start
				}
			}
			if !next.IsZero() {
				for _, n := range []int{1, 3} {
					if midnights(at, next) <= n {
						tell(BeforeShift, n, next)
						break
					}
				}
			}
			switch {
			case w.Due.IsZero():
			case at.Before(w.Due):
				for _, n := range []int{1, 7} {
					if midnights(at, w.Due.Add(-time.Millisecond)) <= n {
						tell(BeforeDue, n, w.Due)
						break
					}
				}
			default:
				first := w.Due
				for first.In(z).Hour() != r.Hour || first.In(z).Minute() != 0 {
					first = first.Add(15 * time.Minute)
				}
				tell(Overdue, midnights(first, at)/7, w.Due)
			}
		}
		if line != "" {
			out = append(out, at.In(z).Format("Mon 2006-01-02 15:04 MST")+line)
		}
	}
	return out
}

// begins says whether a turn of duty begins with a shift, walking back from it.
func begins(s Shift, all []Shift, z *time.Location) bool {
	from, before := s.Start, time.Time{}
	for again := true; again; {
		again = false
		for _, o := range all {
			if o.Start.Before(s.Start) && o.Start.After(before) {
				before = o.Start
			}
			if o.Start.Before(from) && from.Sub(o.End) <= 24*time.Hour {
				from, again = o.Start, true
			}
		}
	}
	if from.Equal(s.Start) {
		return true
	}
	weeks := func(t time.Time) string { y, w := t.In(z).ISOWeek(); return fmt.Sprint(y, w) }
	return s.Start.Sub(from) >= 6*24*time.Hour && weeks(before) != weeks(s.Start)
}

func anybody(t *rapid.T) (Person, time.Time) {
	names := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham"}
	start := time.Date(2026, time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), 0, 0, 0, 0, time.UTC)
	p := Person{ID: "ana@example.org", Zone: zone(t, rapid.SampledFrom(names).Draw(t, "zone"))}
	quarter := func(label string, days int) time.Time {
		return start.Add(time.Duration(rapid.IntRange(0, days*96).Draw(t, label)) * 15 * time.Minute)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "works") {
		w := Work{Assignment: fmt.Sprint("a", i), Module: fmt.Sprint("M", i), Assigned: quarter("assigned", 5)}
		if rapid.Bool().Draw(t, "due at all") {
			w.Due = quarter("due", 20)
		}
		p.Work = append(p.Work, w)
	}
	for range rapid.IntRange(0, 9).Draw(t, "shifts") {
		s := quarter("start", 25)
		p.Shifts = append(p.Shifts, Shift{s, s.Add(time.Duration(rapid.IntRange(1, 96).Draw(t, "hours")) * time.Hour)})
	}
	return p, start
}

func TestPlanAgainstASlowReading(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, start := anybody(t)
		start = dayOf(start, p.zone()).clock(0, p.zone())
		got, want := said(p, Coming(p, Defaults(), start, 30)), slow(p, Defaults(), start, 30*24)
		if len(got) > 0 && len(want) > 0 { // the last day may be cut by a change of the clocks
			n := min(len(got), len(want))
			if len(got)-n > 1 || len(want)-n > 1 {
				t.Fatalf("\n got  %s\n want %s", strings.Join(got, "\n      "), strings.Join(want, "\n      "))
			}
			got, want = got[:n], want[:n]
		}
		if !slices.Equal(got, want) {
			t.Fatalf("\n got  %s\n want %s", strings.Join(got, "\n      "), strings.Join(want, "\n      "))
		}
	})
}

// Whatever fails and for however long: no key twice, one message a day, never at night, and
// nothing after the work is done.
func TestPlanOverOutages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := anybody(t)
		end := now.AddDate(0, 0, 30)
		done := now.Add(time.Duration(rapid.IntRange(0, 30*24).Draw(t, "done")) * time.Hour)
		days, keys := map[string]bool{}, map[string]bool{}
		for now.Before(end) {
			if now.After(done) {
				p.Work = nil
			}
			m, ok := Due(p, Defaults(), now)
			if ok && !rapid.Bool().Draw(t, "fails") {
				local := now.In(p.zone())
				day := local.Format(time.DateOnly)
				switch {
				case days[day]:
					t.Fatalf("twice on %s", day)
				case local.Hour() < 8 || local.Hour() >= 22:
					t.Fatalf("at night: %s", local)
				case now.After(done):
					t.Fatal("after the end")
				case m.At.After(now):
					t.Fatal("before its time")
				}
				days[day] = true
				for _, k := range m.Covers {
					if keys[k] {
						t.Fatalf("a stage twice: %v", m)
					}
					keys[k] = true
				}
				p.Sent = append(p.Sent, Sent{m.At, m.Covers})
			}
			now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "pause")) * time.Hour)
		}
	})
}
