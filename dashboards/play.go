package dashboards

import (
	"context"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/drill"
)

// Play does what somebody does in a drill. Only they themselves can: an attempt of another
// is analytics.ErrNotFound. What could not have been done is a *drill.StepError. A page asked
// for afterwards shows the step, unless storing is far behind.
type Play interface {
	Start(ctx context.Context, who access.Who, drill string) (attempt string, err error)
	// Act does one action, as package drill writes them, at the moment that the attempt's
	// clock shows.
	Act(ctx context.Context, who access.Who, attempt, action string) error
	// Wait lets the clock jump to when something more is released.
	Wait(ctx context.Context, who access.Who, attempt string) error
	Finish(ctx context.Context, who access.Who, attempt string) error
	// Publish puts a compiled drill where everybody can play it. The caller has read its
	// source, and so may.
	Publish(ctx context.Context, who access.Who, d drill.Drill) error

	// Share lets a team of the player's read a finished attempt, or ends that. Its errors, and
	// those of bookings, are *LearnError for the caller's mistake and *access.Denied.
	Share(ctx context.Context, who access.Who, attempt, team string, on bool) error
	// Book books a drill for everybody and every team named, or for none of them.
	Book(ctx context.Context, who access.Who, w Session) error
	// Rebook moves a booking; starts is as in Session.
	Rebook(ctx context.Context, who access.Who, booking, starts string) error
	Unbook(ctx context.Context, who access.Who, booking string) error
}

// Session is a drill to be played at a time.
type Session struct {
	Drill         string
	People, Teams []string
	Starts        string // 2026-03-29T14:00 in the organisation's zone
	Reason        string
	Cites         []string // ids of incidents
}
