package recall

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/open-spaced-repetition/go-fsrs/v4"
)

// Theory of operation of the schedule
//
//  1. Once an ISO week, as somebody lives it in their zone, they are asked one question. What
//     they were asked before and is due comes first, what is likeliest forgotten in front;
//     else it is a new one. What is due is judged as of the week's Monday, so the question
//     stays the same all week.
//  2. The spacing is FSRS-6 with its published default weights and a wanted recall of 90 %,
//     in whole days: without its steps of minutes, which suit an evening of vocabulary and
//     not one question a week, and without fuzz, so that history alone decides. No gap is
//     longer than a year: systems change faster than memory fades.
//  3. Nothing is stored. The state of a card is the answers so far, replayed; an answer that
//     arrives late changes the schedule from there on, as if it had been known. Of several
//     answers of one week, as by two windows, the first counts.

// Answer is one that was given: question.answered.
type Answer struct {
	Question, Incident string
	Week               string // "2026-W24", as the person lived it
	At                 time.Time
	Correct            bool
}

// Card is a question that was answered, with its place in the schedule.
type Card struct {
	Question, Incident string
	Answers            int
	Last               time.Time
	Correct            bool // the last time
	Due                time.Time
	Recall             float64 // how likely it is still known, 0 to 1
}

// Week is an ISO week of somebody's.
type Week struct {
	Name     string // "2026-W24"
	From, To time.Time
}

// WeekOf is the week that goes on in a zone.
func WeekOf(now time.Time, zone *time.Location) Week {
	local := now.In(zone)
	y, m, d := local.Date()
	d -= (int(local.Weekday()) + 6) % 7
	year, week := local.ISOWeek()
	return Week{fmt.Sprintf("%d-W%02d", year, week), time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+7, 0, 0, 0, 0, zone)}
}

// Cards are the questions somebody answered by now, as of now: what is to be asked first in
// front, by how likely it is to be forgotten, then by id.
func Cards(history []Answer, now time.Time) ([]Card, error) {
	schedule := scheduler()
	cards := map[string]fsrs.Card{}
	var out []Card
	for _, a := range Replayed(history, now) {
		i := slices.IndexFunc(out, func(c Card) bool { return c.Question == a.Question })
		if i < 0 {
			i, out = len(out), append(out, Card{Question: a.Question, Incident: a.Incident})
			cards[a.Question] = fsrs.NewCard(a.At)
		}
		next, err := schedule.Next(cards[a.Question], a.At, grade(a.Correct))
		if err != nil {
			return nil, fmt.Errorf("question %s: answer of %s: %w", a.Question, a.At.Format(time.RFC3339), err)
		}
		cards[a.Question] = next.Card
		out[i].Answers, out[i].Last, out[i].Correct, out[i].Due = out[i].Answers+1, a.At, a.Correct, next.Card.Due
	}
	for i := range out {
		var err error
		if out[i].Recall, err = schedule.Retrievability(cards[out[i].Question], now); err != nil {
			return nil, fmt.Errorf("question %s: %w", out[i].Question, err)
		}
	}
	slices.SortFunc(out, func(a, b Card) int {
		return cmp.Or(cmp.Compare(a.Recall, b.Recall), cmp.Compare(a.Question, b.Question))
	})
	return out, nil
}

// Replayed are the answers that count, in order of time: those up to now, the first of each
// week. Of two at one moment the wrong one is heard.
func Replayed(history []Answer, now time.Time) []Answer {
	var out []Answer
	for _, a := range history {
		if !a.At.After(now) {
			a.At = a.At.UTC()
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b Answer) int {
		order := cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Question, b.Question))
		if order == 0 && a.Correct != b.Correct {
			if a.Correct {
				return 1
			}
			return -1
		}
		return order
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(a Answer) bool {
		again := seen[a.Week]
		seen[a.Week] = true
		return again
	})
}

// Grade is the number of an answer as FSRS knows it: 1 for a wrong one, 3 for a right one.
func Grade(correct bool) int { return int(grade(correct)) }

func grade(correct bool) fsrs.Rating {
	if correct {
		return fsrs.Good
	}
	return fsrs.Again
}

func scheduler() *fsrs.FSRS {
	p := fsrs.DefaultParam()
	p.EnableShortTerm = false
	p.EnableFuzz = false
	p.MaximumInterval = 365
	return fsrs.NewFSRS(p)
}

// Rank orders what somebody could be asked anew in a week: each incident has a place that
// nobody chose and that another incident does not move.
func Rank(person string, week Week, thing string) string { return hash(person, week.Name, thing) }
