package recall

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/open-spaced-repetition/go-fsrs/v4"
)

func day(n int) time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).AddDate(0, 0, n) }

func answer(question string, n int, correct bool) Answer {
	y, w := day(n).ISOWeek()
	return Answer{Question: question, Incident: "i-" + question, Week: fmt.Sprintf("%d-W%02d", y, w), At: day(n), Correct: correct}
}

// A schedule that is recomputed from the log is the one that the library's own steps give,
// one after the other.
func TestTheScheduleIsTheLibrarys(t *testing.T) {
	p := fsrs.DefaultParam()
	p.EnableShortTerm, p.EnableFuzz, p.MaximumInterval = false, false, 365
	library := fsrs.NewFSRS(p)
	r := rand.New(rand.NewPCG(1, 2))
	for run := range 200 {
		cards, history := map[string]fsrs.Card{}, []Answer{}
		for week := range 60 {
			if r.IntN(4) == 0 { // a week off
				continue
			}
			a := answer(fmt.Sprint("q", r.IntN(6)), 7*week+r.IntN(7), r.IntN(3) > 0)
			history = append(history, a)
			card, known := cards[a.Question]
			if !known {
				card = fsrs.NewCard(a.At)
			}
			rating := fsrs.Again
			if a.Correct {
				rating = fsrs.Good
			}
			log, err := library.Repeat(card, a.At) // the other way in: all four, of which one is taken
			if err != nil {
				t.Fatal(err)
			}
			cards[a.Question] = log[rating].Card
		}
		got, err := Cards(history, day(500))
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(cards) {
			t.Fatalf("run %d: %d cards, want %d", run, len(got), len(cards))
		}
		for _, c := range got {
			want := cards[c.Question]
			recall, err := library.Retrievability(want, day(500))
			if err != nil {
				t.Fatal(err)
			}
			if !c.Due.Equal(want.Due) || !c.Last.Equal(want.LastReview) || c.Answers != int(want.Reps) || c.Recall != recall {
				t.Fatalf("run %d: %+v, the library has %+v, recall %v", run, c, want, recall)
			}
		}
		// The order in which they arrive and copies change nothing.
		mixed := append(slices.Clone(history), history...)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		again, err := Cards(mixed, day(500))
		if err != nil || !reflect.DeepEqual(got, again) {
			t.Fatalf("run %d: in another order %+v, %v", run, again, err)
		}
	}
}

// What is known comes later each time, what is not comes soon, and nothing after a year.
func TestGapsGrow(t *testing.T) {
	var history []Answer
	at, gaps := 0, []int{}
	for range 12 {
		history = append(history, answer("q", at, true))
		cards, err := Cards(history, day(at))
		if err != nil {
			t.Fatal(err)
		}
		gap := int(cards[0].Due.Sub(day(at)).Hours() / 24)
		gaps, at = append(gaps, gap), at+max(gap, 7)
	}
	if !slices.IsSorted(gaps) || gaps[0] < 1 || gaps[3] < 4*gaps[0] || gaps[11] != 365 {
		t.Errorf("gaps %v", gaps)
	}
	history = append(history, answer("q", at, false))
	cards, err := Cards(history, day(at))
	if err != nil {
		t.Fatal(err)
	}
	if gap := int(cards[0].Due.Sub(day(at)).Hours() / 24); gap < 1 || gap > 60 || cards[0].Correct {
		t.Errorf("after a wrong answer %d days: %+v", gap, cards[0])
	}
}

// Of several answers of one week, as by two windows, the first counts; those to come do not.
func TestOneAnswerAWeek(t *testing.T) {
	first, second, later := answer("a", 1, false), answer("b", 3, true), answer("a", 9, true)
	got := Replayed([]Answer{later, second, first}, day(5))
	if len(got) != 1 || got[0].Question != "a" || got[0].Correct {
		t.Errorf("%+v", got)
	}
	if got := Replayed([]Answer{second, later, first}, day(30)); len(got) != 2 || got[1].Question != "a" {
		t.Errorf("%+v", got)
	}
	right, wrong := answer("a", 1, true), answer("a", 1, false)
	if got := Replayed([]Answer{right, wrong}, day(2)); len(got) != 1 || got[0].Correct {
		t.Errorf("of two at one moment: %+v", got)
	}
}

// A week begins on Monday where somebody lives, and lasts to the next, whatever the clocks do.
func TestWeeks(t *testing.T) {
	auckland, err := time.LoadLocation("Pacific/Auckland")
	if err != nil {
		t.Fatal(err)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		now      string
		zone     *time.Location
		name     string
		from, to string
	}{
		{"2026-06-21T11:59:00Z", auckland, "2026-W25", "2026-06-14T12:00:00Z", "2026-06-21T12:00:00Z"}, // Sunday, 23:59
		{"2026-06-21T12:00:00Z", auckland, "2026-W26", "2026-06-21T12:00:00Z", "2026-06-28T12:00:00Z"}, // Monday there, Sunday in Greenwich
		{"2026-06-21T12:00:00Z", time.UTC, "2026-W25", "2026-06-15T00:00:00Z", "2026-06-22T00:00:00Z"},
		{"2026-03-29T10:00:00Z", berlin, "2026-W13", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z"}, // an hour less
		{"2027-01-02T10:00:00Z", time.UTC, "2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"},
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		w := WeekOf(now, c.zone)
		if w.Name != c.name || w.From.UTC().Format(time.RFC3339) != c.from || w.To.UTC().Format(time.RFC3339) != c.to {
			t.Errorf("%s in %s: %s from %s to %s", c.now, c.zone, w.Name, w.From.UTC(), w.To.UTC())
		}
	}
}
