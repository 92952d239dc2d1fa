package app

import (
	"context"
	"time"

	"github.com/stewardhq/steward/dashboards"
)

// askAhead keeps warm what first looks are made of (analytics/warm.go).
func (a *App) askAhead() {
	a.core.loop("asking ahead", func(ctx context.Context) error {
		a.core.Store.KeepWarm(ctx, a.cfg.aheadEvery, a.windows, func(err error) {
			a.log.Warn("what pages ask could not be asked ahead; they ask for themselves", "error", err)
		})
		return nil
	})
}

// windows are the starts of those that pages open in. That of /skills is its own to know, and
// begins on a Monday of the organisation's zone.
func (a *App) windows() []time.Time {
	return []time.Time{dashboards.SkillsSince(a.cfg.Now(), a.cfg.Zone)}
}
