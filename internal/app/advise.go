package app

import (
	"context"
	"slices"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/training/advice"
	"github.com/stewardhq/steward/training/recommend"
)

// adviser says what to learn next and takes that somebody does not want it.
//
// Theory of operation
//
//  1. Everything is read as whoever asks. What is suggested to a team is of its sums; what is
//     suggested to a person is read by nobody else, so there is no look to record.
//  2. What is dismissed must be suggested at that moment: the id in a form is looked up among
//     what the rules say, and the event holds what they said.
type adviser struct{ learner }

func (a adviser) at() advice.At { return advice.At{Now: a.now(), Zone: a.c.cfg.Zone} }

// Team is what a team should learn next.
func (a adviser) Team(ctx context.Context, who access.Who, team string) (recommend.List, error) {
	return advice.Team(ctx, a.c.Store.For(who, "what the team should learn"), a.curriculum, a.at(), team)
}

// Own is what the asker should learn next.
func (a adviser) Own(ctx context.Context, who access.Who) (recommend.List, error) {
	return advice.Own(ctx, a.c.Store.For(who, "what to learn"), a.curriculum, a.at(), who)
}

// Dismiss takes that a recommendation is not wanted: a team's by its lead, one's own by
// oneself.
func (a adviser) Dismiss(ctx context.Context, who access.Who, team, id, reason string) error {
	may := who.Learns
	if team != "" {
		may = func() error { return who.Gives(team) }
	}
	if err := may(); err != nil {
		return err
	}
	switch {
	case reason == "":
		return wrong("reason", "missing: why is it not wanted?")
	case len([]rune(reason)) > longestReason:
		return wrong("reason", "at most %d characters", longestReason)
	}
	defer a.turn(who)()
	read := a.Own
	if team != "" {
		read = func(ctx context.Context, who access.Who) (recommend.List, error) { return a.Team(ctx, who, team) }
	}
	all, err := read(ctx, who)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all.Open, func(r recommend.Recommendation) bool { return r.ID == id })
	if i < 0 {
		if _, there := all.Find(id); there {
			return wrong("recommendation", "it is dismissed already")
		}
		return wrong("recommendation", "it is not suggested now")
	}
	e, err := recommend.Dismiss(all.Open[i], who.By(), reason, a.now())
	if err != nil {
		return built(err)
	}
	return a.publish(ctx, e)
}

var _ dashboards.Advise = adviser{}
