package drill

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestQuestionOfTheWeek(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).AddDate(0, 0, n) }
	questions := []Question{{"q-old", "i1", day(-30)}, {"q-new", "i2", day(-2)}, {"q-later", "i3", day(20)}}
	ask := func(who string, h []Answer, now time.Time) string {
		t.Helper()
		got, ok, err := OfTheWeek(who, questions, h, now)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return ""
		}
		return got.ID
	}
	if got := ask("ana", nil, day(0)); got != "q-new" {
		t.Errorf("the latest incident comes first, not %s", got)
	}
	history := []Answer{{"ana", "q-new", day(0), true}}
	if got := ask("ana", history, day(3)); got != "" {
		t.Errorf("a second one in the week: %s", got)
	}
	if got := ask("ana", history, day(7)); got != "q-new" {
		t.Errorf("what is due comes before what is new, not %s", got)
	}
	history = append(history, Answer{"ana", "q-new", day(7), true})
	if got := ask("ana", history, day(14)); got != "q-old" {
		t.Errorf("before it is due: %s", got)
	}
	if got := ask("ben", history, day(3)); got != "q-new" {
		t.Errorf("somebody else's answers count: %s", got)
	}
	history = append(history, Answer{"ana", "q-old", day(14), false})
	// What was wrong comes back soon, what was right later; both before new ones that wait.
	due := func(id string, from int) int {
		for n := from; n < 2000; n++ {
			list, err := Due("ana", questions, history, day(n))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range list {
				if a.ID == id {
					return n
				}
			}
		}
		return -1
	}
	wrong, right := due("q-old", 15)-14, due("q-new", 8)-7
	if wrong < 1 || wrong >= right || right > 60 {
		t.Errorf("wrong after %d days, right twice after %d", wrong, right)
	}
	if got := ask("ana", history, day(21)); got != "q-old" {
		t.Error("a new question before one that is due")
	}
	// Right again and again, the gaps grow; the order and the copies of the history do not matter.
	grown := []Answer{}
	at, gaps := 0, []int{}
	for range 5 {
		grown = append(grown, Answer{"ana", "q-old", day(at), true})
		history = grown
		next := due("q-old", at+1)
		gaps = append(gaps, next-at)
		at = next
	}
	if !slices.IsSorted(gaps) || gaps[0] < 1 || gaps[4] <= gaps[0] || gaps[4] > 365 {
		t.Errorf("gaps %v", gaps)
	}
	mixed := append(slices.Clone(grown), grown[2])
	slices.Reverse(mixed)
	a, err1 := Due("ana", questions, grown, day(at))
	b, err2 := Due("ana", questions, mixed, day(at))
	if err1 != nil || err2 != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("%v and %v", a, b)
	}
}
