package training

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"
)

func quizzed(questions, options int, pass float64) *Module {
	m := &Module{ID: "AA1", Digest: "d", PassMark: pass}
	for i := range questions {
		q := Question{Q: fmt.Sprintf("q%d", i), Explain: fmt.Sprintf("e%d", i)}
		for j := range options {
			q.Options = append(q.Options, Option{Text: fmt.Sprintf("o%d", j), Right: j == i%options, Why: fmt.Sprintf("w%d", j)})
		}
		m.Quiz = append(m.Quiz, q)
	}
	return m
}

// answering is an attempt that answers the first right questions rightly and the rest wrongly.
func answering(m *Module, number, right int) Attempt {
	a := Attempt{Assignment: "a1", Person: "ana@example.org", Module: m.ID, Number: number, At: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), Digest: m.Digest}
	for i, q := range a.Shown(m) {
		a.Answers = append(a.Answers, slices.IndexFunc(q.Options, func(o Option) bool { return o.Right == (i < right) }))
	}
	return a
}

func TestMark(t *testing.T) {
	for _, c := range []struct {
		questions, right int
		pass             float64
		passed           bool
	}{
		{4, 4, 0.75, true}, {4, 3, 0.75, true}, {4, 2, 0.75, false}, {4, 0, 0.75, false}, {6, 5, 0.75, true}, {6, 4, 0.75, false},
		{8, 8, 1, true}, {8, 7, 1, false}, {10, 7, 0.7, true}, {3, 1, 1.0 / 3, true}, {7, 4, 4.0 / 7, true}, {100, 29, 0.29, true}, {100, 28, 0.29, false}, {100, 55, 0.55, true}, {100, 54, 0.55, false},
	} {
		m := quizzed(c.questions, 3, c.pass)
		got, err := answering(m, 1, c.right).Mark(m)
		if err != nil {
			t.Fatal(err)
		}
		if got.Right != c.right || got.Of != c.questions || got.Passed != c.passed || got.Score != float64(c.right)/float64(c.questions) {
			t.Errorf("%d of %d right at %v: %+v", c.right, c.questions, c.pass, got)
		}
		for i, q := range got.Questions {
			if q.Right != (i < c.right) || q.Chosen.Right != q.Right || q.Chosen.Why == "" || q.Explain != m.Quiz[i].Explain || q.Q != m.Quiz[i].Q {
				t.Errorf("question %d: %+v", i, q)
			}
			if want := map[bool]string{true: fmt.Sprintf("o%d", i%3)}[c.passed]; q.Solution != want {
				t.Errorf("passed %v, and the solution says %q", c.passed, q.Solution)
			}
		}
	}
}

func TestMarkRefuses(t *testing.T) {
	m := quizzed(4, 3, 0.75)
	for _, c := range []struct {
		field  string
		change func(*Attempt)
	}{
		{"module", func(a *Attempt) { a.Module = "AA2" }},
		{"number", func(a *Attempt) { a.Number = 0 }},
		{"digest", func(a *Attempt) { a.Digest = "of an older text" }},
		{"answers", func(a *Attempt) { a.Answers = a.Answers[:3] }},
		{"answers", func(a *Attempt) { a.Answers = append(a.Answers, 0) }},
		{"answers[1]", func(a *Attempt) { a.Answers[1] = -1 }},
		{"answers[2]", func(a *Attempt) { a.Answers[2] = 3 }},
		{"answers[0]", func(a *Attempt) { a.Answers[0] = -2 }},
	} {
		a := answering(m, 1, 4)
		c.change(&a)
		_, err := a.Mark(m)
		var wrong *AttemptError
		if !errors.As(err, &wrong) || wrong.Field != c.field {
			t.Errorf("want %s, got %v", c.field, err)
		}
	}
	if _, err := (Attempt{Module: "AA1", Number: 1}).Mark(&Module{ID: "AA1"}); err == nil {
		t.Error("a quiz without questions is passed")
	}
}

// Each attempt shows every option once, the same way each time; the next shows another order;
// and every order comes once before any comes again.
func TestOrder(t *testing.T) {
	for n, all := range []int{1, 1, 2, 6, 24, 120} {
		for question := range 20 {
			seen := map[string]bool{}
			before := ""
			for number := 1; number <= all; number++ {
				a := Attempt{Assignment: "a", Person: "p", Module: "M", Number: number}
				order := a.order(question, n)
				if again := a.order(question, n); !reflect.DeepEqual(order, again) {
					t.Fatalf("attempt %d: %v and %v", number, order, again)
				}
				sorted := slices.Sorted(slices.Values(order))
				for i, v := range sorted {
					if i != v || len(sorted) != n {
						t.Fatalf("%v is no order of %d", order, n)
					}
				}
				text := fmt.Sprint(order)
				if text == before || seen[text] {
					t.Fatalf("%d options, attempt %d: %s again", n, number, text)
				}
				seen[text], before = true, text
			}
		}
	}
	for _, n := range []int{9, 12, 30} { // more than anybody writes: some of it shuffled, all of it there
		order := Attempt{Number: 1 << 40}.order(0, n)
		if sorted := slices.Sorted(slices.Values(order)); len(sorted) != n || sorted[n-1] != n-1 || sorted[0] != 0 {
			t.Errorf("%d options: %v", n, order)
		}
	}
}

// Over many people each option is at each place about equally often.
func TestOrderIsFair(t *testing.T) {
	const people = 6000
	var at [3][3]int
	for i := range people {
		for place, option := range (Attempt{Assignment: "a", Person: fmt.Sprint(i), Module: "M", Number: 1 + i%4}).order(i%5, 3) {
			at[place][option]++
		}
	}
	for place := range at {
		for option, n := range at[place] {
			if n < people/3-200 || n > people/3+200 { // five standard deviations are 183
				t.Errorf("option %d is at place %d %d times of %d", option, place, n, people)
			}
		}
	}
}

func TestNext(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 5, 4, 9, minute, 0, 0, time.UTC) }
	for _, c := range []struct {
		name   string
		tried  []Tried
		number int
		from   time.Time
		ok     bool
	}{
		{"never tried", nil, 1, time.Time{}, true},
		{"failed once", []Tried{{1, at(0), false}}, 2, time.Time{}, true},
		{"failed once, said twice", []Tried{{1, at(0), false}, {1, at(0), false}, {1, at(1), false}}, 2, time.Time{}, true},
		{"failed twice", []Tried{{1, at(0), false}, {2, at(5), false}}, 3, at(15), true},
		{"failed twice, out of order", []Tried{{2, at(5), false}, {1, at(0), false}}, 3, at(15), true},
		{"failed three times", []Tried{{1, at(0), false}, {2, at(5), false}, {3, at(20), false}}, 4, at(30), true},
		{"one is missing", []Tried{{1, at(0), false}, {3, at(20), false}}, 4, at(30), true},
		{"passed", []Tried{{1, at(0), false}, {2, at(5), true}}, 0, time.Time{}, false},
	} {
		if number, from, ok := Next(c.tried); number != c.number || !from.Equal(c.from) || ok != c.ok {
			t.Errorf("%s: %d, %v, %v", c.name, number, from, ok)
		}
	}
}
