package training

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// Theory of operation of quizzes
//
//  1. An Attempt is one person's answers to one module of one assignment. Attempts are
//     numbered from 1, and a number is answered once.
//  2. Options are shown in an order that follows from the attempt, so that the page and the
//     marking agree without anything being kept, and a retry shows another order: who only
//     remembers "the second one" has not learned.
//  3. An answer is the place that was clicked, counted in the order shown.
//  4. The attempt names the text it was shown by its digest. If the module has changed since,
//     the answers are to other questions, and nothing is marked.
//  5. After the second failure there is a pause: reading again takes longer than guessing.

// Attempt is a try at a module's quiz.
type Attempt struct {
	Assignment string
	Person     string
	Module     string
	Number     int       // from 1
	At         time.Time // when it was handed in
	Digest     string    // of the module as it was shown
	Answers    []int     // by question: the place of the chosen option as shown, from 0; -1 is none
}

// AttemptError says what is wrong with an attempt, so that the page can say it where it is.
type AttemptError struct {
	Field  string // "digest", "answers", "answers[2]"
	Reason string
}

func (e *AttemptError) Error() string { return e.Field + ": " + e.Reason }

// Marked is what came of an attempt.
type Marked struct {
	Right, Of int
	Score     float64 // Right / Of
	Passed    bool
	Questions []MarkedQuestion
}

// MarkedQuestion explains one answer. Solution is the right option once the quiz is passed,
// and empty before: what was chosen and why it is wrong teaches without ending the retry.
type MarkedQuestion struct {
	Q        string
	Chosen   Option
	Right    bool
	Explain  string
	Solution string
}

// Shown is the module's questions with their options as the attempt shows them.
func (a Attempt) Shown(m *Module) []Question {
	out := make([]Question, len(m.Quiz))
	for i, q := range m.Quiz {
		out[i] = q
		out[i].Options = make([]Option, len(q.Options))
		for place, from := range a.order(i, len(q.Options)) {
			out[i].Options[place] = q.Options[from]
		}
	}
	return out
}

// Mark marks an attempt. An attempt that leaves out a question is an *AttemptError and not a
// failure: nobody fails by an oversight.
func (a Attempt) Mark(m *Module) (Marked, error) {
	switch {
	case a.Module != m.ID:
		return Marked{}, &AttemptError{"module", "the answers are to " + a.Module}
	case a.Number < 1:
		return Marked{}, &AttemptError{"number", "must be 1 or more"}
	case a.Digest != m.Digest:
		return Marked{}, &AttemptError{"digest", "the module has changed since it was opened; read what is new and answer again"}
	case len(a.Answers) != len(m.Quiz):
		return Marked{}, &AttemptError{"answers", fmt.Sprintf("%d answers to %d questions", len(a.Answers), len(m.Quiz))}
	case len(m.Quiz) == 0:
		return Marked{}, &AttemptError{"answers", "the module has no questions"}
	}
	out := Marked{Of: len(m.Quiz)}
	for i, q := range a.Shown(m) {
		place := a.Answers[i]
		field := fmt.Sprintf("answers[%d]", i)
		if place == -1 {
			return Marked{}, &AttemptError{field, "not answered"}
		}
		if place < 0 || place >= len(q.Options) {
			return Marked{}, &AttemptError{field, "there is no such option"}
		}
		chosen := q.Options[place]
		if chosen.Right {
			out.Right++
		}
		out.Questions = append(out.Questions, MarkedQuestion{Q: q.Q, Chosen: chosen, Right: chosen.Right, Explain: q.Explain})
	}
	out.Score = float64(out.Right) / float64(out.Of)
	// 0.55 of 100 is 55 right answers, though 0.55·100 is a little more in binary.
	out.Passed = float64(out.Right) >= m.PassMark*float64(out.Of)-1e-9
	if out.Passed {
		for i, q := range m.Quiz {
			for _, o := range q.Options {
				if o.Right {
					out.Questions[i].Solution = o.Text
				}
			}
		}
	}
	return out, nil
}

// order says which option stands at each place. The orders of n options are numbered 0 to
// n!−1. The first attempt takes one by lot, and each further one steps on by a lot that has
// no factor in common with n!, so every order comes once before any comes again. The lots
// are hashes: the same on every machine and in every version of Go.
//
// Check lets pass four options at most. Beyond mostShuffled, whose factorial squared still
// fits, the rest stays where it is.
func (a Attempt) order(question, n int) []int {
	if n > mostShuffled {
		out := a.order(question, mostShuffled)
		for i := mostShuffled; i < n; i++ {
			out = append(out, i)
		}
		return out
	}
	all := uint64(1)
	for i := 2; i <= n; i++ {
		all *= uint64(i)
	}
	first := a.lot("first", question) % all
	step := uint64(1)
	if all > 2 {
		for step = a.lot("step", question)%(all-1) + 1; gcd(step, all) != 1; step = step%(all-1) + 1 {
		}
	}
	return permutation(n, all, (first+step*(uint64(a.Number-1)%all))%all)
}

const mostShuffled = 8

func (a Attempt) lot(of string, question int) uint64 {
	h := sha256.New()
	for _, part := range []string{of, a.Assignment, a.Person, a.Module, strconv.Itoa(question)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// permutation is number k, from 0, of the n! = all orders of 0 to n−1 in dictionary order.
func permutation(n int, all, k uint64) []int {
	left := make([]int, n)
	for i := range left {
		left[i] = i
	}
	out := make([]int, 0, n)
	for ; n > 0; n-- {
		all /= uint64(n)
		i := int(k / all)
		k %= all
		out = append(out, left[i])
		left = append(left[:i], left[i+1:]...)
	}
	return out
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
