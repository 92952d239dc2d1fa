package training

import (
	"slices"
	"testing"
	"time"
)

func TestWhichDrillsShowAModule(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 5, 1, hour, 0, 0, 0, time.UTC) }
	m := &Module{Skills: []Teaches{{ID: "queues"}, {ID: "logs"}}, PassMark: 0.75, Evidence: Shown{Kind: "drill", Drills: 2}}
	play := func(id, drill string, hour int, score float64, skills ...string) Played {
		return Played{Attempt: id, Drill: drill, Skills: skills, Score: score, Finished: at(hour)}
	}
	a, again, b := play("a", "lag", 3, 75, "queues"), play("again", "lag", 4, 99, "queues"), play("b", "logs", 5, 80, "logs", "other")
	useless := []Played{play("low", "lag", 3, 74.9, "queues"), play("early", "lag", 1, 90, "queues"), play("else", "disk", 3, 90, "host"), {Attempt: "open", Drill: "poison", Skills: []string{"queues"}, Score: 90}}
	for name, c := range map[string]struct {
		played []Played
		want   []string
	}{
		"two drills":            {[]Played{a, b}, []string{"a", "b"}},
		"in another order":      {[]Played{b, again, a}, []string{"a", "b"}},
		"the same drill twice":  {[]Played{again, a}, []string{"a"}},
		"the same attempt":      {[]Played{a, a, a}, []string{"a"}},
		"none that counts":      {useless, nil},
		"among those that fail": {slices.Concat(useless, []Played{b, a}), []string{"a", "b"}},
		"no more than it takes": {[]Played{a, b, play("c", "third", 9, 90, "logs")}, []string{"a", "b"}},
	} {
		var got []string
		for _, p := range m.DrillsFor(c.played, at(2)) {
			got = append(got, p.Attempt)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	m.Evidence = Shown{Kind: "drill", Score: 70}
	if m.LeastScore() != 70 || m.LeastDrills() != 1 || len(m.DrillsFor(useless[:1], at(2))) != 1 {
		t.Error("the module's own score does not count")
	}
}

// Worked by hand: 365 days from 10 January 2026 end on 10 January 2027; R = 2^(-d/200) falls to 0.7
// after 200·log2(1/0.7) = 102.9146 days: 102 days, 21 h and 57 min.
func TestBadgesExpire(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if got := CurrentFor.Round(time.Minute); got != 102*24*time.Hour+21*time.Hour+57*time.Minute {
		t.Errorf("evidence keeps a skill current for %v", got)
	}
	m := &Module{Skills: []Teaches{{ID: "a"}, {ID: "b"}}, RefreshDays: 365}
	done := []time.Time{day("2026-01-10")}
	kept := day("2026-12-01").Add(CurrentFor) // 13 March 2027
	for name, c := range map[string]struct {
		completed, passed              []time.Time
		latest                         map[string]time.Time
		since, renewed, refresh, until time.Time
	}{
		"completed":                 {completed: done, since: done[0], renewed: done[0], refresh: day("2027-01-10"), until: day("2027-01-10")},
		"the pass before it":        {completed: done, passed: []time.Time{day("2026-01-09")}, since: done[0], renewed: done[0], refresh: day("2027-01-10"), until: day("2027-01-10")},
		"the quiz again":            {completed: done, passed: []time.Time{day("2026-06-01"), day("2026-01-09")}, since: done[0], renewed: day("2026-06-01"), refresh: day("2027-06-01"), until: day("2027-06-01")},
		"completed twice, copies":   {completed: []time.Time{day("2026-08-01"), done[0], {}, day("2026-08-01")}, since: done[0], renewed: day("2026-08-01"), refresh: day("2027-08-01"), until: day("2027-08-01")},
		"evidence of one skill":     {completed: done, latest: map[string]time.Time{"a": day("2026-12-24")}, since: done[0], renewed: done[0], refresh: day("2027-01-10"), until: day("2027-01-10")},
		"evidence of both":          {completed: done, latest: map[string]time.Time{"a": day("2026-12-24"), "b": day("2026-12-01")}, since: done[0], renewed: done[0], refresh: day("2027-01-10"), until: kept},
		"old evidence shortens not": {completed: done, latest: map[string]time.Time{"a": day("2026-02-01"), "b": day("2026-12-01")}, since: done[0], renewed: done[0], refresh: day("2027-01-10"), until: day("2027-01-10")},
	} {
		b, ok := NewBadge(m, c.completed, c.passed, c.latest)
		if !ok || !b.Since.Equal(c.since) || !b.Renewed.Equal(c.renewed) || !b.Refresh.Equal(c.refresh) || !b.Until.Equal(c.until) {
			t.Errorf("%s: %+v, %v", name, b, ok)
		}
		if b.Expired(b.Until.Add(-time.Second)) || !b.Expired(b.Until) {
			t.Errorf("%s: expires at another moment than it says", name)
		}
	}
	if kept.Format("2006-01-02 15:04") != "2027-03-13 21:57" {
		t.Errorf("kept until %v", kept)
	}
	if _, ok := NewBadge(m, []time.Time{{}}, []time.Time{day("2026-06-01")}, nil); ok {
		t.Error("a badge without a completion")
	}
}

// Every module of the curriculum can be completed by its kind of evidence: by a check that is
// known, by a drill of which there is a number, or by a text or a word.
func TestEveryModuleCanBeCompleted(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range c.Modules() {
		n++
		if m.Evidence.Kind == "event" && m.Evidence.Check == "" {
			t.Errorf("%s names no check, so any event would do", m.ID)
		}
		e := Evidence{Kind: m.Evidence.Kind, Ref: "x", By: "b@example.org"}
		if _, err := Completed(Enrolment{Assignment: "a", Module: m.ID, Version: 1, Person: "p@example.org"}, m, e, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil {
			t.Errorf("%s: %v", m.ID, err)
		}
	}
	if n != 33 {
		t.Errorf("%d modules", n)
	}
}
