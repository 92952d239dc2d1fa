package app

import (
	"context"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/recall"
)

// questioner marks answers to the question of the week. The question is made anew when it is
// answered, so that a form can bring neither another question nor its own right answer; one
// is answered a week, and the first answer counts.
type questioner struct{ learner }

// Answer marks the asker's answer and keeps whether it was right.
func (q questioner) Answer(ctx context.Context, who access.Who, id, digest, option string) (recall.Question, bool, error) {
	none := recall.Question{}
	if err := who.Learns(); err != nil {
		return none, false, err
	}
	defer q.turn(who)()
	x, err := q.c.Store.For(who, "").Question(ctx)
	switch {
	case err != nil:
		return none, false, err
	case x.Answered != nil:
		return none, false, wrong("answer", "you answered this week’s question already")
	case x.Question == nil || x.Question.ID != id || x.Question.Digest != digest:
		return none, false, wrong("question", "it has changed since the page was opened; this is the one now")
	case x.Question.Answer(option) == "":
		return none, false, wrong("answer", "choose one")
	}
	right := option == x.Question.Right
	e, err := recall.Answered(who.Person, *x.Question, x.Week, right, q.now())
	if err != nil {
		return none, false, err
	}
	return *x.Question, right, q.publish(ctx, e)
}
