package drill

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/open-spaced-repetition/go-fsrs/v4"
)

// Theory of operation of the question of the week
//
//  1. Once an ISO week a person is asked one question about an incident that they were in.
//     Each question is one card of spaced repetition, for each person apart.
//  2. The spacing is FSRS-6 with its published default weights and a wanted recall of 90 %,
//     in whole days: without its steps of minutes, which suit an evening of vocabulary and
//     not one question a week, and without fuzz, so that history alone decides. No gap is
//     longer than a year: systems change faster than memory fades.
//  3. Nothing is stored. The state of a card is the answers so far, replayed; an answer that
//     arrives late changes the schedule from there on, as if it had been known.

// Question is asked about an incident; Since is when it could first be, as its resolution.
type Question struct {
	ID       string
	Incident string
	Since    time.Time
}

// Answer is one that was given: training.answered.
type Answer struct {
	Person   string
	Question string
	At       time.Time
	Correct  bool
}

// Asked is a question with its place in the schedule.
type Asked struct {
	Question
	Due    time.Time
	New    bool    // never answered by this person
	Recall float64 // how likely it is still known, 0 for a new one
}

// Due lists what a person could be asked at a moment, what should be asked first in front:
// questions that are due by how likely they are to have been forgotten, then new ones, the
// latest incident first; of equal ones by id. Answers of others and after now do not exist.
func Due(person string, questions []Question, history []Answer, now time.Time) ([]Asked, error) {
	schedule := scheduler()
	answers := answersOf(person, history, now)
	var out []Asked
	for _, q := range questions {
		if q.Since.After(now) {
			continue
		}
		card := fsrs.NewCard(q.Since)
		for _, a := range answers {
			if a.Question != q.ID {
				continue
			}
			grade := fsrs.Again
			if a.Correct {
				grade = fsrs.Good
			}
			next, err := schedule.Next(card, a.At, grade)
			if err != nil {
				return nil, fmt.Errorf("question %s: answer of %s: %w", q.ID, a.At.UTC().Format(time.RFC3339), err)
			}
			card = next.Card
		}
		asked := Asked{Question: q, Due: card.Due, New: card.Reps == 0}
		if !asked.New {
			var err error
			if asked.Recall, err = schedule.Retrievability(card, now); err != nil {
				return nil, fmt.Errorf("question %s: %w", q.ID, err)
			}
		}
		if !asked.Due.After(now) {
			out = append(out, asked)
		}
	}
	slices.SortFunc(out, func(a, b Asked) int {
		switch {
		case a.New != b.New && a.New:
			return 1
		case a.New != b.New:
			return -1
		case a.New:
			return cmp.Or(b.Since.Compare(a.Since), cmp.Compare(a.ID, b.ID))
		}
		return cmp.Or(cmp.Compare(a.Recall, b.Recall), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// OfTheWeek is the question a person is asked now: none if they answered one in this ISO
// week already, counted in UTC, or if nothing is due.
func OfTheWeek(person string, questions []Question, history []Answer, now time.Time) (Asked, bool, error) {
	year, week := now.UTC().ISOWeek()
	for _, a := range answersOf(person, history, now) {
		if y, w := a.At.UTC().ISOWeek(); y == year && w == week {
			return Asked{}, false, nil
		}
	}
	due, err := Due(person, questions, history, now)
	if err != nil || len(due) == 0 {
		return Asked{}, false, err
	}
	return due[0], true, nil
}

// answersOf are a person's answers up to now, in order, each once.
func answersOf(person string, history []Answer, now time.Time) []Answer {
	var out []Answer
	for _, a := range history {
		if a.Person == person && !a.At.After(now) {
			a.At = a.At.UTC()
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Answer) int {
		order := cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Question, b.Question))
		if order == 0 && a.Correct != b.Correct {
			if a.Correct { // of two answers at one moment the wrong one is heard
				return 1
			}
			return -1
		}
		return order
	})
	return slices.CompactFunc(out, func(a, b Answer) bool { return a.Question == b.Question && a.At.Equal(b.At) })
}

func scheduler() *fsrs.FSRS {
	p := fsrs.DefaultParam()
	p.EnableShortTerm = false
	p.EnableFuzz = false
	p.MaximumInterval = 365
	return fsrs.NewFSRS(p)
}
