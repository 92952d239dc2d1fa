package analytics

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/rollout"
)

// Theory of operation of roll-outs
//
//  1. A roll-out is the draw that Steward itself published: events of other sources are none.
//     Of several draws under one id the one seen first counts, and how many came later is
//     told. Nothing else is stored, and nothing about a draw can be chosen while reading it.
//  2. A draw that was published after its first start decided nothing: it is marked.
//  3. Draws of the same module over some of the same teams are listed with each other, since
//     whoever draws until the order pleases has not drawn.

// Rollout is one draw.
type Rollout struct {
	rollout.Drawn
	At     time.Time // when it was published
	Again  int       // later draws under the same id, which do not count
	Late   bool      // published after its first start
	Others []string  // ids of earlier draws of the module over some of its teams
}

// Over says whether the window has ended by the week that is going on.
func (r Rollout) Over(thisWeek time.Time) bool {
	_, to, err := r.Weeks()
	return err == nil && !to.After(thisWeek)
}

// Rollouts lists the draws, newest first. They are everybody's who is signed in: they name
// teams and no person.
func (v *View) Rollouts(ctx context.Context) ([]Rollout, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	var out []Rollout
	err := v.s.look(ctx, access.Working(), "rollouts", v.s.present(), nil, `
SELECT at, data
FROM (SELECT at, seen, id, source, data FROM events WHERE kind = 'rollout.drawn' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY seen, id`, nil, func(r *warehouse.Rows) error {
		var at time.Time
		var data string
		if err := r.Scan(&at, &data); err != nil {
			return err
		}
		d, err := rollout.Read([]byte(v.s.revealJSON(data)))
		if err != nil {
			v.s.log.Warn("a published draw cannot be read", "error", err)
			return nil
		}
		if i := slices.IndexFunc(out, func(x Rollout) bool { return x.Rollout == d.Rollout }); i >= 0 {
			out[i].Again++
			return nil
		}
		x := Rollout{Drawn: d, At: at.UTC(), Late: !at.Before(v.s.midnight(d.Steps[0].Week))}
		for _, before := range out {
			if before.Module == d.Module && slices.ContainsFunc(before.Teams, func(t string) bool { return slices.Contains(d.Teams, t) }) {
				x.Others = append(x.Others, before.Rollout)
			}
		}
		out = append(out, x)
		return nil
	})
	slices.SortStableFunc(out, func(a, b Rollout) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Rollout, b.Rollout)) })
	return out, err
}

// Rollout is one draw; ErrNotFound.
func (v *View) Rollout(ctx context.Context, id string) (*Rollout, error) {
	all, err := v.Rollouts(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(r Rollout) bool { return r.Rollout == id }); i >= 0 {
		return &all[i], nil
	}
	return nil, fmt.Errorf("roll-out: %w", ErrNotFound)
}

// midnight is when a date begins in the organisation's zone.
func (s *Store) midnight(date time.Time) time.Time {
	return startOfDay(date.Year(), date.Month(), date.Day(), s.zone)
}
