package app

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/simulate"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/drill"
)

// The generator may not import the curriculum, so what it knows of it is compared here.
func TestTheDemosLessonsAreTheCurriculums(t *testing.T) {
	c, err := training.Load()
	if err != nil {
		t.Fatal(err)
	}
	lessons := simulate.Lessons()
	for _, l := range lessons {
		m, ok := c.Module(l.ID)
		if !ok || m.Version != 1 || len(m.Quiz) != l.Questions || m.Evidence.Kind != l.Kind || !slices.Equal(slices.Sorted(slices.Values(m.Prereqs)), slices.Sorted(slices.Values(l.Needs))) {
			t.Errorf("%+v is not as the curriculum has it: %v %+v", l, ok, m)
		}
	}
	demos, err := drill.Demos()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lessons {
		m, _ := c.Module(l.ID)
		fits := l.Kind == "drill" && slices.ContainsFunc(demos, func(d drill.Demo) bool {
			return slices.ContainsFunc(m.Skills, func(s training.Teaches) bool { return slices.Contains(d.Drill.Skills, s.ID) })
		})
		if l.Played != fits {
			t.Errorf("%s: played %v, and a drill fits: %v", l.ID, l.Played, fits)
		}
	}
	if len(lessons) < 15 {
		t.Errorf("%d lessons", len(lessons))
	}
}

// The loader's history is the same each time, Steward says what was learned and played, the
// scores are those of the steps, and what a drill completes it fits.
func TestWhatTheDemoLearned(t *testing.T) {
	cfg := simulate.Defaults()
	cfg.Days = 200
	c, err := training.Load()
	if err != nil {
		t.Fatal(err)
	}
	demos, err := drill.Demos()
	if err != nil {
		t.Fatal(err)
	}
	history := func() (out []event.Event, text []byte) {
		var b bytes.Buffer
		err := demoEvents(cfg, func(e event.Event) error {
			if !e.At.Before(cfg.End) {
				t.Errorf("%s at %s", e.Kind, e.At)
			}
			if e.Kind.Own() || strings.HasPrefix(string(e.Kind), "training.") || strings.HasPrefix(string(e.Kind), "drill.") {
				out = append(out, e)
			}
			b.WriteString(e.Source + e.ID + string(e.Data))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out, b.Bytes()
	}
	events, once := history()
	if _, twice := history(); !bytes.Equal(once, twice) {
		t.Error("two loads differ")
	}
	steps, scores, n := map[string][]drill.Step{}, map[string]float64{}, map[string]int{}
	byAttempt := map[string]drill.Drill{}
	ids := map[string]bool{}
	good, poor := 0, 0
	for _, e := range events {
		if ids[e.ID] || e.Source != event.OwnSource {
			t.Fatalf("%s %s of %s", e.Kind, e.ID, e.Source)
		}
		ids[e.ID] = true
		n[string(e.Kind)]++
		if _, err := event.Decode(e.Kind, e.Data, json.Unmarshal); err != nil {
			t.Fatal(err)
		}
		var d struct {
			drill.Step
			Drill, Attempt, Module, Kind, Ref string
			Score                             float64
			StartsAt                          time.Time `json:"starts_at"`
		}
		if strings.HasPrefix(string(e.Kind), "drill.") || e.Kind == event.TrainingCompleted {
			if err := json.Unmarshal(e.Data, &d); err != nil {
				t.Fatal(err)
			}
		}
		switch e.Kind {
		case event.DrillStarted:
			i := slices.IndexFunc(demos, func(x drill.Demo) bool { return x.Drill.ID == d.Drill })
			byAttempt[d.Attempt] = demos[i].Drill
		case event.DrillActed:
			steps[d.Attempt] = append(steps[d.Attempt], d.Step)
		case event.DrillFinished:
			scores[d.Attempt] = d.Score
			if want, err := drill.Score(byAttempt[d.Attempt], steps[d.Attempt]); err != nil || want.Score != d.Score {
				t.Errorf("an attempt scores %v, its steps %v %v", d.Score, want.Score, err)
			}
			if d.Score >= 70 {
				good++
			} else {
				poor++
			}
		case event.DrillBooked:
			if !d.StartsAt.After(cfg.End) {
				t.Errorf("booked for %s", d.StartsAt)
			}
		case event.TrainingCompleted:
			if a, ok := byAttempt[d.Ref]; ok {
				m, _ := c.Module(d.Module)
				if n["by a drill"]++; scores[d.Ref] < 70 || !slices.ContainsFunc(m.Skills, func(x training.Teaches) bool { return slices.Contains(a.Skills, x.ID) }) {
					t.Errorf("%s by %s with %v", d.Module, a.ID, scores[d.Ref])
				}
			}
		}
	}
	if good < 6 || poor < 2 || n["drill.booked"] != 2 || n["by a drill"] < 2 {
		t.Errorf("%d good and %d poor attempts, %v", good, poor, n)
	}
}
