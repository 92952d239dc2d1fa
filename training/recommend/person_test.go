package recommend

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// Ana is of payments and on call next from tomorrow noon; she was before.
func ana() Person {
	return Person{ID: "ana@example.org", Now: now, Zone: time.UTC, OnCall: true, Levels: map[string]Level{}, Modules: map[string]State{},
		Next:  &Shift{Team: "payments", TeamName: "Payments", From: at(24), To: at(48)},
		Needs: map[string][]Need{"payments": payments().Needs}, Away: map[string][]Incident{}}
}

func known(ids ...string) map[string]State {
	out := map[string]State{}
	for _, id := range ids {
		out[id] = State{Known: true}
	}
	return out
}

// Queues 11, network 12 and data 5 are demanded; metrics by two incidents only. She covers
// network, has lapsed in data at level 3, and knows no queues.
func TestWhatTheNextShiftNeeds(t *testing.T) {
	p := ana()
	p.Levels = map[string]Level{network: {3, 0.7, ago(102)}, data: {3, 0.4, ago(264)}, reading: {0, 0, time.Time{}}}
	p.Modules = known("PG1", "LS1", "LS2", "LS4")
	drills := []Drill{{ID: "a", Skills: []string{data}, Done: true}, {ID: "b", Skills: []string{data}}}
	list := ForPerson(builtIn(), drills, p)
	const want = `next-shift FX4 q7,q5,q3,q2,q6
next-shift practise ` + data + ` in b d2,d3,d1`
	if got := said(list.Open); got != want {
		t.Fatalf("%s\nwant\n%s", got, want)
	}
	first, second := list.Open[0], list.Open[1]
	if first.Because != "Your next shift, for Payments, begins Thu 5 Mar 12:00 UTC, and 7 incidents in 365 days took queues and streams (weighted 11; 3 left the team). You are at level 0; 3 covers a shift." || !first.By.Equal(at(24)) || first.Person != p.ID {
		t.Errorf("%+v", first)
	}
	if !strings.HasSuffix(second.Because, "You are at level 3, lapsed: last shown on 13 Jun 2025, retention 0.40.") || len(second.Also) != 1 {
		t.Errorf("%+v", second)
	}
	// What is being learned is not suggested, nor anything else of its skill.
	p.Modules["FX4"] = State{Open: true}
	if got := said(ForPerson(builtIn(), drills, p).Open); strings.Contains(got, queues) || strings.Contains(got, "FX4") {
		t.Errorf("while FX4 is open: %s", got)
	}
	// Done not long ago, or waived: practice. Done and grown old: again.
	fx4, _ := builtIn().Module("FX4")
	for days, want := range map[float64]string{1: "practise " + queues, float64(fx4.RefreshDays) - 1: "practise " + queues, float64(fx4.RefreshDays) + 1: "FX4"} {
		p.Modules["FX4"] = State{Known: true, Done: ago(days)}
		if got := said(ForPerson(builtIn(), nil, p).Open); !strings.HasPrefix(got, "next-shift "+want) {
			t.Errorf("done %v days ago: %s", days, got)
		}
	}
	p.Modules["FX4"] = State{Known: true, Waived: true}
	if got := said(ForPerson(builtIn(), nil, p).Open); strings.Contains(got, "FX4") {
		t.Errorf("waived: %s", got)
	}
	// Without a shift nothing is needed for it; what lapsed still has.
	p.Next = nil
	if got := said(ForPerson(builtIn(), drills, p).Open); got != "fading practise "+data+" in b d2,d3,d1" {
		t.Errorf("without a shift: %s", got)
	}
}

func TestFadingCurrency(t *testing.T) {
	p := ana()
	p.Next = nil
	p.Levels = map[string]Level{
		queues: {2, 0.69, ago(107)}, network: {3, 0.7, ago(102)}, data: {3, 0.5, ago(200)},
		"incident-command": {4, 0.1, ago(664)} /* which no incident took */, "blameless-review": {2, 0.05, ago(864)}, "host-debugging": {1, 0.1, ago(664)},
		"juggling": {3, 0.1, ago(664)}, // nobody teaches it
	}
	list := ForPerson(builtIn(), []Drill{{ID: "d", Skills: []string{queues}, Done: true}}, p)
	const want = `fading practise queue-stream-ops in d q7,q5,q3,q2,q6
fading practise datastore-ops d2,d3,d1`
	if got := said(list.Open); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for i, want := range []string{"level 2, fading: last shown on 17 Nov 2025, retention 0.69. Your teams’ incidents took it 7 times in 365 days.", "level 3, fading"} {
		if !strings.Contains(list.Open[i].Because, want) {
			t.Errorf("%s\nwant %s", list.Open[i].Because, want)
		}
	}
}

func TestWhatWasEscalatedAway(t *testing.T) {
	p := ana()
	p.Next = nil
	p.Away = map[string][]Incident{
		queues:  {{"q7", ago(2), true, true}, {"q5", ago(10), false, true}, {"old", ago(91), true, true}},
		data:    {{"d3", ago(89), false, true}},
		network: {{"n9", ago(90), false, true}}, // to the moment: too old
	}
	const want = `escalated-away FX4 by PG1 LS1 LS2 LS4 FX4 q7,q5
escalated-away FX3 by PG1 LS1 LS2 LS4 FX3 d3`
	list := ForPerson(builtIn(), nil, p)
	if got := said(list.Open); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := list.Open[0]; got.Because != "2 incidents of yours in the last 90 days took queues and streams and left your team." || got.N != 2 {
		t.Errorf("%+v", got)
	}
}

func TestBeforeAFirstShift(t *testing.T) {
	p := ana()
	p.OnCall, p.Needs = false, map[string][]Need{"payments": nil}
	p.Modules = known("PG1", "PG2")
	p.Modules["LS1"] = State{Open: true}
	r := ForPerson(builtIn(), nil, p).Open
	if got := said(r); got != "first-shift PG6 by PG3 PG4 PG5 PG6 " {
		t.Fatalf("%s", got)
	}
	if want := "You were never on call, and your first shift, for Payments, begins Thu 5 Mar 12:00 UTC. 4 modules of the way there are left, 195 minutes."; r[0].Because != want || !r[0].By.Equal(at(24)) {
		t.Errorf("%s, want %s", r[0].Because, want)
	}
	p.Next = nil
	if r := ForPerson(builtIn(), nil, p).Open; len(r) != 1 || !r[0].By.IsZero() || !strings.HasPrefix(r[0].Because, "You were never on call. ") {
		t.Errorf("%+v", r)
	}
	p.OnCall = true
	if r := ForPerson(builtIn(), nil, p).Open; len(r) != 0 {
		t.Errorf("after the first: %s", said(r))
	}
	p.OnCall, p.Needs = false, nil // of no team
	if r := ForPerson(builtIn(), nil, p).Open; len(r) != 0 {
		t.Errorf("of no team: %s", said(r))
	}
	p.Needs, p.Modules = map[string][]Need{"payments": nil}, known("PG1", "PG2", "PG3", "PG4", "PG5", "PG6", "LS1")
	if r := ForPerson(builtIn(), nil, p).Open; len(r) != 0 {
		t.Errorf("all known: %s", said(r))
	}
}

// Of random facts: what is suggested is never being learned, waived or freshly done; each
// thing stands once; its way ends with it, holds nothing known and each thing after what it
// wants; at most five incidents are cited, all of them facts; ids are one for each thing.
func TestPropertiesOfAPersonsRecommendations(t *testing.T) {
	c := builtIn()
	r := rand.New(rand.NewPCG(1, 2))
	suggested := 0
	for range 500 {
		p := ana()
		p.OnCall = r.IntN(3) > 0
		var needs []Need
		ids := map[string]bool{}
		for _, s := range c.Skills {
			if r.IntN(3) == 0 {
				p.Levels[s.ID] = Level{r.IntN(5), r.Float64(), ago(float64(r.IntN(400)))}
			}
			var texts []string
			for i := range r.IntN(9) {
				id := fmt.Sprint(s.ID, i)
				texts = append(texts, fmt.Sprint(id, " ", r.IntN(365), " ", []string{"", "s", "a", "sa"}[r.IntN(4)]))
				ids[id] = true
			}
			n := need(s.ID, 0, 2, 0, texts...)
			needs = append(needs, n)
			if r.IntN(4) == 0 {
				p.Away[s.ID] = n.Incidents
			}
		}
		p.Needs["payments"] = needs
		for _, m := range c.Modules() {
			switch r.IntN(6) {
			case 0:
				p.Modules[m.ID] = State{Open: true}
			case 1:
				p.Modules[m.ID] = State{Known: true, Waived: true}
			case 2:
				p.Modules[m.ID] = State{Known: true, Done: ago(float64(r.IntN(700)))}
			}
		}
		all := ForPerson(c, nil, p)
		seen := map[string]bool{}
		for _, x := range all.Open {
			suggested++
			if what := or(x.Module, x.Skill+"!"); seen[what] || seen[x.ID] {
				t.Fatalf("%s twice", what)
			} else {
				seen[what], seen[x.ID] = true, true
			}
			if len(x.Cites) > 5 || len(x.Cites) != min(5, x.N) || slices.ContainsFunc(x.Cites, func(id string) bool { return !ids[id] }) {
				t.Fatalf("%+v", x)
			}
			if x.Module == "" {
				continue
			}
			m, _ := c.Module(x.Module)
			s := p.Modules[x.Module]
			if s.Open || s.Waived || !s.Done.IsZero() && now.Sub(s.Done) < time.Duration(m.RefreshDays)*24*time.Hour || x.Path[len(x.Path)-1] != x.Module {
				t.Fatalf("%+v: %+v", x, s)
			}
			for i, id := range x.Path[:len(x.Path)-1] {
				before, _ := c.Module(id)
				if p.Modules[id].Known || slices.ContainsFunc(before.Prereqs, func(q string) bool { return slices.Contains(x.Path[i:], q) }) {
					t.Fatalf("%v", x.Path)
				}
			}
		}
		// One incident that tells brings back what was dismissed, and nothing else changes.
		if len(all.Open) == 0 {
			continue
		}
		d := all.Open[r.IntN(len(all.Open))]
		p.Dismissed = []Dismissal{{d.ID, p.ID, "no", now}}
		after := ForPerson(c, nil, p)
		if len(after.Dismissed) != 1 || after.Dismissed[0].ID != d.ID || len(after.Open) != len(all.Open)-1 {
			t.Fatalf("dismissed %s: %s", d.ID, said(after.Open))
		}
	}
	if suggested < 500 {
		t.Errorf("%d recommendations prove little", suggested)
	}
}
