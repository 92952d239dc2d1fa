package simulate

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// What learning pages are to show must be in the default organisation: work in every state,
// at its end too, newcomers who go along, and words of responders.
func TestTheDefaultOrganisationLearns(t *testing.T) {
	cfg := Defaults()
	events := collect(t, cfg)
	n := map[string]int{}
	type work struct {
		module, person, due string
		at                  time.Time
		last                event.Kind
	}
	given := map[string]*work{}
	known := map[string]bool{}  // person and module: quiz passed, or excused
	passed := map[string]bool{} // quiz passed
	along := map[string][][2]time.Time{}
	newcomer := map[string]bool{}
	for _, e := range events {
		var d struct {
			Assignment, Module, Person, By, Due, Role, Start, End, Incident, Kind, Skill string
			Cites                                                                        []string
			MadeSense                                                                    bool `json:"made_sense"`
		}
		if err := json.Unmarshal(e.Data, &d); err != nil {
			t.Fatal(err)
		}
		n[string(e.Kind)]++
		switch e.Kind {
		case event.TrainingAssigned:
			for _, x := range lessons() {
				if x.id != d.Module {
					continue
				}
				for _, before := range x.needs {
					if !known[d.Person+before] {
						t.Fatalf("%s is given %s without %s", d.Person, d.Module, before)
					}
				}
			}
			if known[d.Person+d.Module] {
				t.Fatalf("%s is given %s, which they know", d.Person, d.Module)
			}
			given[d.Assignment] = &work{d.Module, d.Person, d.Due, e.At, e.Kind}
			if len(d.Cites) > 0 {
				n["with incidents"]++
			}
		case event.TrainingStarted, event.TrainingPassed, event.TrainingFailed, event.TrainingCompleted, event.TrainingAbandoned, event.TrainingWaived, event.TrainingAnswered:
			w := given[d.Assignment]
			if w == nil || e.At.Before(w.at) || w.module != d.Module || w.person != d.Person {
				t.Fatalf("%s of nothing: %s", e.Kind, e.Data)
			}
			if e.Kind == event.TrainingCompleted && !passed[d.Person+d.Module] {
				t.Fatalf("completed after %s, without the quiz", w.last)
			}
			w.last = e.Kind
			if e.Kind == event.TrainingPassed || e.Kind == event.TrainingWaived {
				known[d.Person+d.Module] = true
				passed[d.Person+d.Module] = passed[d.Person+d.Module] || e.Kind == event.TrainingPassed
			}
		case event.ShiftWorked, event.ShiftPlanned:
			if d.Role == "reverse_shadow" {
				from, err1 := time.Parse(time.RFC3339, d.Start)
				to, err2 := time.Parse(time.RFC3339, d.End)
				if err1 != nil || err2 != nil {
					t.Fatal(err1, err2)
				}
				if along[d.Person] = append(along[d.Person], [2]time.Time{from, to}); to.After(cfg.End) {
					n["going along at the end"]++
				}
				n["reverse shadows"]++
			}
		case event.IncidentAcknowledged:
			if slices.ContainsFunc(along[d.Person], func(s [2]time.Time) bool { return !e.At.Before(s[0]) && e.At.Before(s[1]) }) {
				n["taken by a trainee"]++
			}
		case event.ReviewPublished:
			if strings.Contains(string(e.Data), `"factors":[`) {
				n["reviews with factors"]++
			}
		case event.MemberJoined:
			if e.At.After(cfg.End.AddDate(0, 0, -14)) {
				newcomer[d.Person] = true
			}
		}
	}
	day := cfg.End.Format(time.DateOnly)
	for _, w := range given {
		n["last "+string(w.last)]++
		if w.due < day && slices.Contains([]event.Kind{event.TrainingAssigned, event.TrainingStarted, event.TrainingPassed}, w.last) {
			n["overdue"]++
		}
	}
	n["newcomers"] = len(newcomer)
	for what, least := range map[string]int{
		"training.assigned": 150, "with incidents": 30, "training.failed": 20, "training.completed": 50, "training.rated": 20, "skill.tagged": 60,
		"last training.assigned": 10, "last training.started": 1, "last training.passed": 10, "last training.failed": 1, "last training.completed": 50, "last training.waived": 10, "last training.abandoned": 2,
		"overdue": 10, "reviews with factors": 50, "reverse shadows": 6, "taken by a trainee": 30, "newcomers": 1,
	} {
		if n[what] < least {
			t.Errorf("%s: %d, want %d at least", what, n[what], least)
		}
	}
	if n["training.answered"] > len(events)/8 {
		t.Errorf("%d of %d events are answers", n["training.answered"], len(events))
	}
	t.Logf("%v", n)
}

// Incidents do not follow from what is invented about learning: with another generator for
// it, everything that is not about learning or who went along is the same.
func TestLearningChangesNoIncident(t *testing.T) {
	cfg := small()
	history := func(seed uint64) []byte {
		w, err := newWorld(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.learning = newLearning(seed)
		w.found()
		var out bytes.Buffer
		for day := w.start; day.Before(cfg.End); day = day.Add(24 * time.Hour) {
			w.live(day)
			err := w.flush(day.Add(24*time.Hour), func(e event.Event) error {
				switch {
				case strings.HasPrefix(string(e.Kind), "training."), e.Kind == event.SkillTagged, e.Kind == event.PageReviewed, e.Kind == event.ReviewPublished,
					e.Kind == event.IncidentAcknowledged, e.Kind == event.IncidentResolved, strings.Contains(string(e.Data), "reverse_shadow"):
					return nil
				}
				out.WriteString(e.ID + " " + stamp(e.At) + " " + stamp(e.Seen) + " " + string(e.Data) + "\n")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		return out.Bytes()
	}
	if a, b := history(1), history(2); !bytes.Equal(a, b) || len(a) < 1e6 {
		t.Errorf("%d and %d bytes", len(a), len(b))
	}
}
