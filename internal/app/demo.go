package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/simulate"
)

// SimulateConfig is the size of an invented organisation.
type SimulateConfig = simulate.Config

// SimulateDefaults is the organisation of --demo with a fixed end.
func SimulateDefaults() SimulateConfig { return simulate.Defaults() }

// Simulate writes an invented organisation as CloudEvents, one a line.
func Simulate(ctx context.Context, cfg SimulateConfig, w io.Writer) error {
	if err := cfg.Validate(); err != nil {
		return &UsageError{Message: err.Error()}
	}
	return simulate.Write(contextWriter{ctx, w}, cfg)
}

// contextWriter ends long output when the command is interrupted.
type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c contextWriter) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}

// demoNote says which organisation is being loaded, or was. A load that a kill cut short
// is repeated with the same numbers at the next start: the same ids, so nothing doubles.
type demoNote struct {
	End  time.Time `json:"end"`
	Seed uint64    `json:"seed"`
	Done bool      `json:"done"`
}

// loadDemo fills an empty installation in the background.
func (c *Core) loadDemo() {
	ctx, cancel := context.WithCancel(context.Background())
	if c.deriver != nil {
		c.deriver.held.Store(true) // half a history would be derived twice
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.demo(ctx); err != nil && ctx.Err() == nil {
			c.log.Error("the demo organisation is not complete; the next start goes on with it", "error", err)
		}
		if c.deriver != nil {
			c.deriver.held.Store(false)
			c.skillsChanged()
		}
	}()
	c.cleanup.add("the demo", func(ctx context.Context) error {
		cancel()
		select {
		case <-ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

func (c *Core) demo(ctx context.Context) error {
	path := filepath.Join(c.cfg.Data, "demo.json")
	note, err := readDemoNote(path)
	if err != nil {
		return err
	}
	if note == nil {
		if err := c.Sink.Drain(ctx); err != nil {
			return err
		}
		if used, err := c.hasEvents(ctx); err != nil {
			return err
		} else if used {
			c.log.Info("there are events already, so the demo organisation is not loaded")
			return nil
		}
		// The windows people look at first end now, so the invented history does too.
		note = &demoNote{End: c.cfg.Now().UTC().Truncate(time.Hour), Seed: 1}
		if err := note.write(path); err != nil {
			return err
		}
	}
	if note.Done {
		return nil
	}
	start := time.Now()
	cfg := simulate.Defaults()
	cfg.End, cfg.Seed = note.End, note.Seed
	n, err := c.publishAll(ctx, func(emit func(event.Event) error) error { return demoEvents(cfg, emit) })
	if err != nil {
		return err
	}
	if err := c.Sink.Drain(ctx); err != nil {
		return err
	}
	if err := c.skillsUnknown(); err != nil {
		return err
	}
	note.Done = true
	if err := note.write(path); err != nil {
		return err
	}
	c.log.Info("demo organisation loaded", "events", n, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// publishAll sends a history to the log in batches, each acknowledged before the next.
func (c *Core) publishAll(ctx context.Context, events func(emit func(event.Event) error) error) (n int, err error) {
	const batch = 1000
	pending := make([]event.Event, 0, batch)
	flush := func() error {
		if err := c.Publisher.Publish(ctx, pending...); err != nil {
			return err
		}
		n += len(pending)
		pending = pending[:0]
		return nil
	}
	err = events(func(e event.Event) error {
		pending = append(pending, e)
		if len(pending) < batch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return n, err
	}
	return n, flush()
}

func (c *Core) hasEvents(ctx context.Context) (bool, error) {
	rows, err := c.DB.Query(ctx, "any events", "SELECT 1 FROM events LIMIT 1")
	if err != nil {
		return false, err
	}
	any := rows.Next()
	return any, errors.Join(rows.Err(), rows.Close())
}

func readDemoNote(path string) (*demoNote, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the note of the demo: %w", err)
	}
	var n demoNote
	if err := json.Unmarshal(text, &n); err != nil {
		return nil, fmt.Errorf("%s is damaged; remove it to load the demo again: %w", path, err)
	}
	return &n, nil
}

func (n *demoNote) write(path string) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return replaceFile(path, append(text, '\n'), 0o644)
}
