package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// cleanup is what has to be undone, by name, in the reverse order of its making. A step
// that fails does not keep the later ones from running.
type cleanup struct {
	log   *slog.Logger
	steps []step
}

type step struct {
	name string
	undo func(context.Context) error
}

func (c *cleanup) add(name string, undo func(context.Context) error) {
	c.steps = append(c.steps, step{name, undo})
}

// run undoes everything once and joins the errors; a second call finds nothing to do.
func (c *cleanup) run(ctx context.Context) error {
	var errs []error
	for len(c.steps) > 0 {
		last := c.steps[len(c.steps)-1]
		c.steps = c.steps[:len(c.steps)-1]
		start := time.Now()
		if err := last.undo(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stopping %s: %w", last.name, err))
		}
		c.log.Debug("stopped", "what", last.name, "took", time.Since(start))
	}
	return errors.Join(errs...)
}
