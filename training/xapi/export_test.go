package xapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stewardhq/steward/ingest/event"
)

func site() Site {
	return Site{
		Home: "https://steward.example.org", Publisher: "https://steward.dev/curriculum",
		Module: func(id string) (string, float64, bool) { return "Title of " + id, 0.75, id != "OLD" },
		Tracks: map[string][]string{"PG": {"PG1", "PG2"}},
		Name:   func(person string) string { return "n-" + strings.Map(func(r rune) rune { return r + 1 }, person) },
	}
}

var day0 = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

// told numbers facts and gives them an hour each.
func told(facts ...Fact) []Fact {
	for i := range facts {
		facts[i].ID = fmt.Sprintf("e%02d", i)
		facts[i].At = day0.Add(time.Duration(i) * time.Hour)
		facts[i].Seen = facts[i].At.Add(time.Second)
	}
	return facts
}

// words are the verbs with whom and what they are about, withdrawn ones in brackets.
func words(t testing.TB, x Site, facts []Fact) (out []string) {
	t.Helper()
	got, err := x.Statements(facts)
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]string{}
	for _, s := range got {
		text, err := json.Marshal(s.Statement)
		if err != nil {
			t.Fatal(err)
		}
		faults := Validate(text)
		if x.Address == nil {
			faults = ValidateCmi5(text)
		}
		if len(faults) > 0 {
			t.Errorf("%v in %s", faults, text)
		}
		verb := s.Verb.Display["en"]
		line := s.Person + " " + verb + " " + s.Object.ID[strings.LastIndexByte(s.Object.ID, '/')+1:]
		if verb == "voided" {
			line = s.Person + " voided " + ids[s.Object.ID]
		}
		if ids[s.ID] != "" {
			t.Errorf("%s and %s have one id", ids[s.ID], line)
		}
		ids[s.ID] = line
		if s.Void {
			line = "(" + line + ")"
		}
		out = append(out, line)
	}
	return out
}

func TestExport(t *testing.T) {
	a := Fact{Kind: event.TrainingAssigned, Assignment: "a", Module: "PG1", Person: "ana"}
	in := func(kind event.Kind, f Fact) Fact {
		f.Kind = kind
		if f.Assignment == "" {
			f.Assignment, f.Module, f.Person = "a", "PG1", "ana"
		}
		return f
	}
	for _, c := range []struct {
		name  string
		facts []Fact
		want  []string
	}{
		{"the way through", []Fact{a, in(event.TrainingStarted, Fact{}), in(event.TrainingFailed, Fact{Attempt: 1, Score: 0.5}), in(event.TrainingPassed, Fact{Attempt: 2, Score: 0.8}), in(event.TrainingCompleted, Fact{Ref: "note"})},
			[]string{"ana initialized PG1", "ana launched PG1", "ana failed PG1", "ana passed PG1", "ana completed PG1"}},
		{"said twice", []Fact{a, in(event.TrainingStarted, Fact{}), in(event.TrainingStarted, Fact{}), in(event.TrainingPassed, Fact{Attempt: 1, Score: 1}), in(event.TrainingPassed, Fact{Attempt: 1, Score: 1}), in(event.TrainingCompleted, Fact{Ref: "x"}), in(event.TrainingCompleted, Fact{Ref: "x"})},
			[]string{"ana initialized PG1", "ana launched PG1", "ana passed PG1", "ana completed PG1"}},
		{"given up and begun again", []Fact{a, in(event.TrainingAbandoned, Fact{}), in(event.TrainingStarted, Fact{}), in(event.TrainingAbandoned, Fact{}), in(event.TrainingStarted, Fact{})},
			[]string{"ana initialized PG1", "ana launched PG1", "ana abandoned PG1", "ana initialized PG1", "ana launched PG1"}},
		{"somebody else's, nobody's, another module", []Fact{a, in(event.TrainingStarted, Fact{Assignment: "a", Module: "PG1", Person: "bo"}), in(event.TrainingStarted, Fact{Assignment: "b", Module: "PG1", Person: "ana"}), in(event.TrainingStarted, Fact{Assignment: "a", Module: "PG2", Person: "ana"})}, nil},
		{"given to another, and what was said stays", []Fact{a, in(event.TrainingStarted, Fact{}), {Kind: event.TrainingAssigned, Assignment: "a", Module: "PG2", Person: "bo"}, in(event.TrainingStarted, Fact{Assignment: "a", Module: "PG2", Person: "bo"}), in(event.TrainingStarted, Fact{Assignment: "a", Module: "PG1", Person: "bo"}), {Kind: event.TrainingWaived, Assignment: "a", Reason: "equivalent"}},
			[]string{"ana initialized PG1", "ana launched PG1", "bo initialized PG2", "bo launched PG2", "bo waived PG2"}},
		{"a team's track, waived for one", []Fact{{Kind: event.TrainingAssigned, Assignment: "t", Track: "PG"}, {Kind: event.TrainingWaived, Assignment: "t", Person: "bo", Reason: "tested-out"}, {Kind: event.TrainingStarted, Assignment: "t", Module: "PG2", Person: "ana"}},
			[]string{"bo waived PG1", "bo waived PG2", "ana initialized PG2", "ana launched PG2"}},
		{"a team's waiver is of nobody in particular", []Fact{{Kind: event.TrainingAssigned, Assignment: "t", Track: "PG"}, {Kind: event.TrainingWaived, Assignment: "t", Reason: "tested-out"}}, nil},
		{"a waiver for a reason of strangers", []Fact{a, in(event.TrainingWaived, Fact{Reason: "busy"})}, nil},
		{"a mark that has changed since", []Fact{a, in(event.TrainingStarted, Fact{}), in(event.TrainingPassed, Fact{Attempt: 1, Score: 0.6}), in(event.TrainingFailed, Fact{Attempt: 2, Score: 0.9})},
			[]string{"ana initialized PG1", "ana launched PG1", "ana passed PG1", "ana failed PG1"}},
		{"a module that is not taught any more", []Fact{{Kind: event.TrainingAssigned, Assignment: "o", Module: "OLD", Person: "ana"}, {Kind: event.TrainingFailed, Assignment: "o", Module: "OLD", Person: "ana", Attempt: 1, Score: 0.9}},
			[]string{"ana failed OLD"}},
		{"voided itself", []Fact{a, in(event.TrainingCompleted, Fact{Ref: "x"}), {Kind: event.EvidenceVoided, Evidence: "e01"}},
			[]string{"(ana completed PG1)", "ana voided ana completed PG1"}},
		{"voided, and completed by other evidence", []Fact{a, in(event.TrainingCompleted, Fact{Ref: "x"}), {Kind: event.EvidenceVoided, Evidence: "e01"}, in(event.TrainingCompleted, Fact{Ref: "y"})},
			[]string{"(ana completed PG1)", "ana voided ana completed PG1", "ana completed PG1"}},
		{"its evidence voided", []Fact{a, {Kind: event.SkillEvidenced, Person: "ana", Ref: "drill"}, in(event.TrainingCompleted, Fact{Ref: "e01"}), {Kind: event.EvidenceVoided, Evidence: "e01"}},
			[]string{"(ana completed PG1)", "ana voided ana completed PG1"}},
		{"one of two pieces of evidence voided", []Fact{a, {Kind: event.SkillEvidenced, Person: "ana", Ref: "drill"}, {Kind: event.SkillEvidenced, Person: "ana", Ref: "drill"}, in(event.TrainingCompleted, Fact{Ref: "drill"}), {Kind: event.EvidenceVoided, Evidence: "e01"}},
			[]string{"ana completed PG1"}},
		{"both voided", []Fact{a, {Kind: event.SkillEvidenced, Person: "ana", Ref: "drill"}, {Kind: event.SkillEvidenced, Person: "ana", Ref: "drill"}, in(event.TrainingCompleted, Fact{Ref: "drill"}), {Kind: event.EvidenceVoided, Evidence: "e01"}, {Kind: event.EvidenceVoided, Evidence: "e02"}},
			[]string{"(ana completed PG1)", "ana voided ana completed PG1"}},
		{"another's evidence voided", []Fact{a, {Kind: event.SkillEvidenced, Person: "bo", Ref: "drill"}, in(event.TrainingCompleted, Fact{Ref: "drill"}), {Kind: event.EvidenceVoided, Evidence: "e01"}},
			[]string{"ana completed PG1"}},
	} {
		got := words(t, site(), told(c.facts...))
		slices.Sort(got)
		want := slices.Clone(c.want)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n got  %q\n want %q", c.name, got, want)
		}
	}
}

func TestExportByAddress(t *testing.T) {
	x := site()
	x.Address = func(person string) string {
		if person == "ana" {
			return "ana@example.org"
		}
		return ""
	}
	facts := told(Fact{Kind: event.TrainingAssigned, Assignment: "a", Module: "PG1"}, Fact{Kind: event.TrainingStarted, Assignment: "a", Module: "PG1", Person: "ana"}, Fact{Kind: event.TrainingStarted, Assignment: "a", Module: "PG1", Person: "bo"})
	if got := words(t, x, facts); len(got) != 2 {
		t.Error(got)
	}
	all, err := x.Statements(facts)
	if err != nil || all[0].Actor.Mbox != "mailto:ana@example.org" || all[0].Actor.Account != nil {
		t.Error(all, err)
	}
	// By account nobody's name is in it.
	x.Address = nil
	all, _ = x.Statements(facts)
	if text, _ := json.Marshal(all); strings.Contains(string(text), `"ana`) && strings.Contains(string(text), "example.org/ana") {
		t.Error(string(text))
	}
}

// In whatever order facts come, and however often the export runs, the statements are the
// same; what comes later takes no statement away and gives none another id.
func TestExportIsStable(t *testing.T) {
	kinds := []event.Kind{event.TrainingAssigned, event.TrainingStarted, event.TrainingPassed, event.TrainingFailed, event.TrainingCompleted, event.TrainingAbandoned, event.TrainingWaived, event.EvidenceVoided, event.SkillEvidenced}
	rapid.Check(t, func(t *rapid.T) {
		facts := []Fact{{Kind: event.TrainingAssigned, Assignment: "a", Module: "PG1", Person: "ana"}, {Kind: event.TrainingAssigned, Assignment: "t", Track: "PG"}}
		for range rapid.IntRange(0, 14).Draw(t, "n") {
			facts = append(facts, Fact{
				Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Assignment: rapid.SampledFrom([]string{"a", "t"}).Draw(t, "assignment"),
				Module: rapid.SampledFrom([]string{"PG1", "PG2"}).Draw(t, "module"), Person: rapid.SampledFrom([]string{"ana", "bo"}).Draw(t, "person"),
				Attempt: rapid.IntRange(1, 2).Draw(t, "attempt"), Score: rapid.Float64Range(-0.5, 1.5).Draw(t, "score"), Reason: "equivalent",
				Ref: rapid.SampledFrom([]string{"e02", "d"}).Draw(t, "ref"), Evidence: rapid.SampledFrom([]string{"e02", "e03", "e04"}).Draw(t, "evidence"),
			})
		}
		facts = told(facts...)
		all, err := site().Statements(facts)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range all {
			text, _ := json.Marshal(s.Statement)
			if faults := ValidateCmi5(text); len(faults) > 0 {
				t.Fatalf("%v in %s", faults, text)
			}
		}
		again, err := site().Statements(rapid.Permutation(facts).Draw(t, "order"))
		if err != nil {
			t.Fatal(err)
		}
		one, _ := json.Marshal(all)
		two, _ := json.Marshal(again)
		if string(one) != string(two) {
			t.Fatalf("%s\n%s", one, two)
		}
		k := rapid.IntRange(2, len(facts)).Draw(t, "so far")
		before, err := site().Statements(facts[:k])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range before {
			if !slices.ContainsFunc(all, func(o Exported) bool { return o.ID == s.ID }) {
				t.Fatalf("%s %s is gone", s.Verb.Display["en"], s.ID)
			}
		}
	})
}
