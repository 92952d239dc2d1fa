package oracle

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// shown adds one piece of evidence of ana's in k8s: "kind@day ref".
func (h *history) shown(what string) *event.Event {
	kind, rest, _ := strings.Cut(what, "@")
	day, ref, _ := strings.Cut(rest, " ")
	return h.add(day+"T12:00:00Z", event.SkillEvidenced, data{"person": ana, "skill": "k8s", "kind": kind, "ref": ref, "rule_version": 1})
}

// TestLevels: what each level asks for, and what does not reach it.
func TestLevels(t *testing.T) {
	for _, c := range []struct {
		evidence string // separated by commas
		level    int64
		weight   float64
		days     float64 // since what currency counts from, as of 1 December noon
	}{
		{"rumour@2025-11-01 x", -1, 0, 0}, // no evidence, no row
		{"module@2025-11-01 x", 0, 0.1, 30},
		{"quiz@2025-11-01 x", 0, 0.2, 30},
		{"quiz@2025-11-01 x,quiz@2025-11-02 x", 0, 0.4, 29},
		{"module@2025-11-01 x,quiz@2025-11-11 x", 1, 0.3, 20},
		{"shadow@2025-11-01 i1", 1, 0.15, 30}, // who was there is aware
		{"attested@2025-11-01 i1,attested@2025-11-02 i2", 1, 0.6, 29},
		{"taught@2025-11-01 i1", 1, 0.5, 30},
		{"solo@2025-11-01 i1", 1, 1, 30},
		{"shadow@2025-11-01 i1,shadow@2025-11-02 i2", 2, 0.3, 29},
		{"assist@2025-11-01 i1,shadow@2025-11-02 i2", 2, 0.55, 29},
		{"reverse_shadow@2025-11-01 i1,led@2025-11-02 i2", 2, 1.3, 29}, // more than an assist is one
		{"solo@2025-11-01 i1,solo@2025-11-02 i2", 2, 2, 29},            // two days, but not 3
		{"drill@2025-11-01 d1", 2, 0.5, 30},
		{"drill@2025-11-01 d1,quiz@2025-11-20 x", 2, 0.7, 30}, // a quiz restores nothing above 1
		{"drill@2025-11-01 d1,drill@2025-11-20 d1", 2, 1, 11}, // a drill does
		{"solo@2025-11-01 i1,solo@2025-11-01 i2,solo@2025-11-01 i3", 2, 3, 30},
		{"solo@2025-11-01 i1,solo@2025-11-01 i2,solo@2025-11-02 i3", 3, 3, 29},
		{"solo@2025-11-01 i1,solo@2025-11-02 i2,led@2025-11-03 i3,assist@2025-11-04 i4", 3, 3, 27},
		{"solo@2025-11-01 i1,solo@2025-11-02 i2,led@2025-11-03 i3,attested@2025-11-04 i4", 2, 2.9, 27},
		{"solo@2025-11-01 i1,solo@2025-11-02 i2,led@2025-11-03 i3,quiz@2025-11-04 x,quiz@2025-11-05 x", 2, 3, 28}, // quizzes do not add up to 3
		{"led@2025-11-01 i1,led@2025-11-02 i2,led@2025-11-03 i3,led@2025-11-04 i4,led@2025-11-05 i5,solo@2025-11-06 i6", 2, 4, 25},
		{"solo@2025-11-01 i1,drill@2025-11-02 d1,drill@2025-11-03 d2", 3, 2, 28},
		{"solo@2025-11-01 i1,drill@2025-11-02 d1,drill@2025-11-03 d1", 2, 2, 28}, // the same drill
		{"drill@2025-11-02 d1,drill@2025-11-03 d2,drill@2025-11-04 d3", 2, 1.5, 27},
		{"solo@2025-11-01 i1,drill@2025-11-02 d1,drill@2025-11-03 d2,taught@2025-11-04 r", 3, 2.5, 27},
		{"solo@2025-11-01 i1,drill@2025-11-02 d1,drill@2025-11-03 d2,taught@2025-11-04 r,taught@2025-11-05 s", 4, 3, 26},
		{"taught@2025-11-04 r,taught@2025-11-05 s", 1, 1, 26},                     // nothing to teach
		{"solo@2025-01-01 i1,drill@2025-01-02 d1,drill@2025-01-03 d2", 3, 2, 332}, // a level does not fall
		{"solo@2025-12-02 i1", -1, 0, 0},                                          // not yet
	} {
		h := &history{t: t}
		for _, e := range strings.Split(c.evidence, ",") {
			h.shown(e)
		}
		res := h.answer("skill_levels", Params{AsOf: ts(t, "2025-12-01T12:00:00Z")})
		want := []string{}
		if c.level >= 0 {
			a := ability{last: ts(t, "2025-12-01T12:00:00Z").Add(-time.Duration(c.days*24) * time.Hour)}
			want = []string{fmt.Sprint("|", ana, "|", c.level, "|", c.weight, "|", a.last.Format("2006-01-02T15:04:05.000Z"))}
		}
		if got := rows(t, res, "level", "weight", "last_evidence"); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", c.evidence, got, want)
		}
	}
}

// TestDaysAreLocal: two solo resolves on one evening are on two days further east.
func TestDaysAreLocal(t *testing.T) {
	h := &history{t: t}
	h.shown("solo@2025-11-01 i1")
	for _, at := range []string{"2025-11-01T13:00:00Z", "2025-11-01T19:00:00Z"} {
		h.add(at, event.SkillEvidenced, data{"person": ana, "skill": "k8s", "kind": "solo", "ref": at, "rule_version": 1})
	}
	for zone, level := range map[string]int64{"UTC": 2, "Asia/Kolkata": 3} {
		if got := h.answer("skill_levels", Params{TZ: zone}).Rows[0][2]; got != level {
			t.Errorf("%s: level %v, want %d", zone, got, level)
		}
	}
}

// TestCurrencyBounds: 0.7 is reached 102.914… days after.
func TestCurrencyBounds(t *testing.T) {
	h := &history{t: t}
	h.joined("2025-01-01T00:00:00Z", "core", ana)
	for _, e := range []string{"solo@2025-02-01 i1", "drill@2025-02-01 d1", "drill@2025-02-01 d2"} {
		h.shown(e)
	}
	h.owned("2025-01-01T00:00:00Z", "db", "core")
	h.opened("2025-02-01T00:00:00Z", "i1", data{"service": "db"})
	h.add("2025-02-01T00:00:00Z", event.SkillTagged, data{"incident": "i1", "skill": "k8s", "basis": "rule"})
	last := ts(t, "2025-02-01T12:00:00Z")
	for since, want := range map[time.Duration]int64{102 * 24 * time.Hour: 1, 8891824 * time.Second: 1, 8891825 * time.Second: 0, 103 * 24 * time.Hour: 0} {
		res := h.answer("skill_gaps", Params{AsOf: last.Add(since)})
		if got := res.Rows[0][4]; got != want {
			t.Errorf("after %v: supply %v, want %d", since, got, want)
		}
	}
}

// around are the answers that a voiding may change, and others, by name and row.
func around(t *testing.T, events []event.Event, teams []string, asOf time.Time) map[string]string {
	t.Helper()
	out := map[string]string{}
	put := func(name, metric string, p Params) {
		p.From, p.To, p.AsOf = time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), Now(), asOf
		res, err := Answer(events, metric, p, Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res.Rows {
			out[fmt.Sprint(name, "/", r[1])] = fmt.Sprint(r)
		}
	}
	for _, skill := range skills {
		put("levels/"+skill, "skill_levels", Params{Skill: []string{skill}})
	}
	for _, team := range teams {
		put("gaps/"+team, "skill_gaps", Params{Team: []string{team}})
		put("coverage/"+team, "skill_coverage", Params{Team: []string{team}})
	}
	for _, metric := range []string{"training_progress", "oncall_hours", "incidents", "ownership_quadrant"} {
		put(metric, metric, Params{})
	}
	return out
}

// TestVoidingChangesWhatItMust: a voiding takes one piece of evidence away, which is what
// the history without it says; and that differs in the level of that person and skill, and
// in gaps and coverage for that skill of teams the person was in, and in nothing else.
func TestVoidingChangesWhatItMust(t *testing.T) {
	changed := map[string]int{}
	for seed := range int64(40) {
		r := rand.New(rand.NewSource(seed))
		events := oneCopyEach(History(r, 120))
		slices.SortFunc(events, func(a, b event.Event) int { return strings.Compare(a.Source+a.ID, b.Source+b.ID) })
		all := append([]string{""}, teams...)
		q, err := ask("skill_levels", Params{}, Now())
		if err != nil {
			t.Fatal(err)
		}
		if q.world, err = gather(events, q.AsOf, q.KnownAt); err != nil {
			t.Fatal(err)
		}
		var proof []fact
		for _, f := range q.facts {
			if f.Kind == event.SkillEvidenced && weights[f.raw.Kind] > 0 && !slices.ContainsFunc(events, func(o event.Event) bool { return o.ID == f.ID && o.Source != f.Source }) {
				proof = append(proof, f)
			}
		}
		if len(proof) == 0 {
			continue
		}
		const later = 40 * 24 * time.Hour
		wrong := pick(r, proof)
		for _, f := range proof { // rather one that somebody with a team owes their standing to
			person, skill, t := q.who(f.f.Person), f.raw.Skill, f.At.Add(later)
			all := q.standing()
			rest := slices.DeleteFunc(slices.Clone(all), func(e evidence) bool { return e.at.Equal(f.At) && e.kind == f.raw.Kind && e.person == person })
			with, _ := q.able(all, person, skill, t)
			if less, _ := q.able(rest, person, skill, t); with.isSupply() && !less.isSupply() && len(q.members[person]) > 0 {
				wrong = f
			}
		}
		asOf := wrong.At.Add(later)
		before := around(t, events, all, asOf)
		void, err := event.New("/steward", event.EvidenceVoided, wrong.ID, "void", asOf, data{"evidence": wrong.ID, "reason": "contested"})
		if err != nil {
			t.Fatal(err)
		}
		void.Seen = void.At
		after := around(t, append(slices.Clone(events), void), all, asOf)
		without := around(t, slices.DeleteFunc(slices.Clone(events), func(e event.Event) bool { return e.ID == wrong.ID && e.Source == wrong.Source }), all, asOf)
		person, skill := q.who(wrong.f.Person), wrong.raw.Skill
		theirs := map[string]bool{"": true}
		for _, f := range q.members[person] {
			theirs[f.f.Team] = true
		}
		names := map[string]bool{}
		for name := range before {
			names[name] = true
		}
		for name := range after {
			names[name] = true
		}
		for name := range names {
			if before[name] == after[name] {
				continue
			}
			part := strings.Split(name, "/")
			changed[part[0]]++
			switch {
			case part[0] == "levels" && part[1] == skill && part[2] == person:
			case (part[0] == "gaps" || part[0] == "coverage") && part[2] == skill && theirs[part[1]]:
			default:
				t.Errorf("seed %d: voiding %s's %s changes %s\n  from %s\n  to   %s", seed, person, skill, name, before[name], after[name])
			}
			if part[0] != "coverage" && after[name] != without[name] { // coverage of a skill that nothing else names keeps its hours
				t.Errorf("seed %d: %s\n  voided  %s\n  without %s", seed, name, after[name], without[name])
			}
		}
	}
	for _, what := range []string{"levels", "gaps", "coverage"} {
		if changed[what] == 0 {
			t.Errorf("no voiding changed any of %s: nothing is shown", what)
		}
	}
	t.Log(changed)
}
