package app

import (
	"context"
	"sync"
	"time"

	"github.com/stewardhq/steward/dashboards"
)

// askAhead keeps what first looks are made of warm (analytics/warm.go), until the cleanup.
func (a *App) askAhead() {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		since := func() []time.Time { return []time.Time{dashboards.SkillsSince(a.cfg.Now(), a.cfg.Zone)} }
		a.core.Store.KeepWarm(ctx, since, func(err error) {
			a.log.Warn("what pages ask could not be asked ahead; pages ask for themselves", "error", err)
		})
	})
	a.cleanup.add("asking ahead", func(ctx context.Context) error {
		cancel()
		return waitFor(ctx, &done)
	})
}
