package analytics

import (
	"context"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
)

// IsDisputed tells tests in which form a question of now would run.
func (v *View) IsDisputed(ctx context.Context) (bool, error) {
	s := v.s
	m, err := s.mark(ctx)
	if err != nil {
		return false, err
	}
	q := s.present()
	return s.isDisputed(ctx, q, m)
}

// Rebuild rebuilds the store behind a view.
func (v *View) Rebuild(ctx context.Context, progress func(string, uint64)) error {
	return v.s.Rebuild(ctx, progress)
}

// For is the store behind a view as somebody else sees it.
func (v *View) For(who access.Who, purpose string) *View { return v.s.For(who, purpose) }

// Keep has looks recorded by a ledger.
func (v *View) Keep(l Ledger) { v.s.ledger = l }

// PersonColumn and NamesPeople are the door's reading of a statement.
var PersonColumn = personColumn

// Membership is that of the store behind a view.
func (v *View) Membership(ctx context.Context, id access.Identity) (access.Membership, error) {
	return v.s.Membership(ctx, id)
}

// CalendarOf is that of the store behind a view.
func (v *View) CalendarOf(ctx context.Context, digest string) (string, []string, bool, error) {
	return v.s.CalendarOf(ctx, digest)
}

// Warm is that of the store behind a view.
func (v *View) Warm(ctx context.Context, since ...time.Time) error { return v.s.Warm(ctx, since...) }

// Detach is that of the store behind a view.
func (v *View) Detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return v.s.life.detach(ctx)
}

// Close is that of the store behind a view.
func (v *View) Close() { v.s.Close() }

// Unknown are the projections that slow rows are said to stand on and that do not exist.
func (v *View) Unknown() (out []string) {
	known := v.s.projected()
	for _, name := range moving {
		if !slices.Contains(known, name) {
			out = append(out, name)
		}
	}
	return out
}
