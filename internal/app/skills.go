package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/evidence"
)

// Theory of operation of deriving skills
//
//  1. A loop beside the sink looks every few seconds for incidents, shifts, quizzes and drills
//     of which something was learned since it last looked, derives their tags and evidence
//     anew (package training/evidence) and publishes the difference to what the log holds:
//     what is missing, and voids of what its rules said and do not say any more.
//  2. Everything follows from the log, and ids follow from what is said. So a run that is
//     killed is done again, two processes that derive at once publish the same events, and a
//     run that finds nothing to say costs reading only.
//  3. skills.json notes by which rules all of history was derived, and up to when what was
//     learned has been looked at. Other rules, an import, whose events may have been learned
//     elsewhere long ago, or a day gone by, and all of history is derived again, a month at a
//     time from the newest on. That is also what finds what the loop does not look for: an
//     alias, a catalog or a primary's shift that came late.
//  4. What it costs: a look that finds nothing is four small statements. History is read in
//     batches of 500 incidents, and the loop rests as long as each batch took, and after a
//     look twenty times as long, so that it takes half a core of an idle machine while it
//     derives history and a twentieth otherwise.
//  5. The pages wake it after what people do, so that its consequences stand soon after.

const (
	deriveEvery = 15 * time.Second
	deriveAgain = 24 * time.Hour
	deriveBatch = 500
	// unseen is how long before a look something may have been learned that was stored after
	// it; to it comes what the sink is behind.
	deriveLate = 2 * time.Minute
)

// deriver keeps tags and evidence true to what happened.
type deriver struct {
	c          *Core
	rules      *evidence.Rules
	curriculum *training.Curriculum
	skills     map[string]bool
	mu         sync.Mutex // one run at a time
	wake       chan struct{}
	held       atomic.Bool // while the demo is loaded
	behind     atomic.Bool // all of history is yet to be derived by these rules
	rest       func(context.Context, time.Duration)
}

// derived is what a run came to.
type derived struct {
	Incidents, Tags, Evidence, Undone int
	All, Learning                     bool
}

func (d derived) events() int { return d.Tags + d.Evidence + d.Undone }

// deriveNote is skills.json.
type deriveNote struct {
	Rules   string    `json:"rules"`
	Through time.Time `json:"through"` // what was learned by then has been looked at
	All     time.Time `json:"all"`     // all of history was derived then
}

func deriveNotePath(dir string) string { return filepath.Join(dir, "skills.json") }

func newDeriver(c *Core, rules *evidence.Rules, curriculum *training.Curriculum) (*deriver, error) {
	all, err := training.Skills()
	if err != nil {
		return nil, err
	}
	d := &deriver{c: c, rules: rules, curriculum: curriculum, skills: map[string]bool{}, wake: make(chan struct{}, 1)}
	for _, s := range all {
		d.skills[s.ID] = true
	}
	d.rest = func(ctx context.Context, took time.Duration) {
		select {
		case <-ctx.Done():
		case <-time.After(took):
		}
	}
	return d, nil
}

// deriveSkills starts the loop.
func (c *Core) deriveSkills(rules *evidence.Rules, curriculum *training.Curriculum) error {
	d, err := newDeriver(c, rules, curriculum)
	if err != nil {
		return err
	}
	note, err := d.note()
	if err != nil {
		return err
	}
	d.behind.Store(note.Rules != d.version())
	c.deriver = d
	c.loop("the deriving of skills", d.run)
	return nil
}

// skillsChanged tells the loop that something happened; it is nobody's to wait for.
func (c *Core) skillsChanged() {
	if c.deriver == nil {
		return
	}
	select {
	case c.deriver.wake <- struct{}{}:
	default: // it is awake already
	}
}

// skillsBehind says whether what the pages know of skills is only a part, because history is
// still being derived. A process that derives nothing does not know, and does not say so.
func (c *Core) skillsBehind() bool { return c.deriver != nil && c.deriver.behind.Load() }

// skillsUnknown lets the next run derive all of history.
func (c *Core) skillsUnknown() error {
	if c.deriver != nil { // before the note goes: a run that ends meanwhile must not leave it set for good
		c.deriver.behind.Store(true)
	}
	if err := os.Remove(deriveNotePath(c.cfg.Data)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		if c.deriver != nil {
			c.deriver.behind.Store(false)
		}
		return err
	}
	c.skillsChanged()
	return nil
}

func (d *deriver) run(ctx context.Context) error {
	wait := deriveEvery / 5 // a start has other things to do first
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		case <-d.wake:
			d.rest(ctx, time.Second/5) // what comes together is looked at together
		}
		if d.held.Load() {
			continue
		}
		start := time.Now()
		got, err := d.settle(ctx)
		took := time.Since(start)
		wait = max(deriveEvery, 20*took)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil: // the warehouse or the log may be away; it is derived later
			d.c.log.Warn("skills could not be derived; they will be", "error", err)
		case got.All || got.events() > 0:
			d.c.log.Info("skills derived", "incidents", got.Incidents, "tags", got.Tags, "evidence", got.Evidence, "taken_back", got.Undone, "all", got.All, "took", took.Round(time.Millisecond))
		}
		if got.All {
			wait = deriveEvery
		}
	}
}

// version of everything that derives what incidents show.
func (d *deriver) version() string { return evidence.Version + "+" + d.rules.Version }

// settle derives what is new, or everything, and publishes the difference.
func (d *deriver) settle(ctx context.Context) (out derived, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	note, err := d.note()
	if err != nil {
		return out, err
	}
	now := d.c.cfg.Now().UTC()
	lag, err := d.c.Sink.Lag(ctx)
	if err != nil {
		return out, err
	}
	through := now.Add(-lag.Oldest)
	out.All = note.Rules != d.version() || now.Sub(note.All) >= deriveAgain
	if out.All {
		err = d.everything(ctx, &out)
		note.Rules, note.All = d.version(), now
	} else {
		err = d.touched(ctx, note.Through.Add(-deriveLate), &out)
	}
	if err != nil {
		return out, err
	}
	if note.Through = through; !out.All && !out.Learning && out.events() == 0 && out.Incidents == 0 {
		return out, nil // looking again from the same moment on costs nothing
	}
	if err := d.write(note); err != nil {
		return out, err
	}
	d.behind.Store(false)
	return out, nil
}

func (d *deriver) note() (deriveNote, error) {
	var n deriveNote
	text, err := os.ReadFile(deriveNotePath(d.c.cfg.Data))
	if errors.Is(err, fs.ErrNotExist) {
		return n, nil
	}
	if err != nil {
		return n, fmt.Errorf("read the note of derived skills: %w", err)
	}
	if json.Unmarshal(text, &n) != nil {
		return deriveNote{}, nil // damaged: everything is derived again
	}
	return n, nil
}

func (d *deriver) write(n deriveNote) error {
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return replaceFile(deriveNotePath(d.c.cfg.Data), append(text, '\n'), 0o644)
}

func (d *deriver) read() *analytics.View { return d.c.Store.For(access.Operator(), "") }

// publish sends what came of a batch, and waits until it is stored, so that the next batch
// compares with it.
func (d *deriver) publish(ctx context.Context, out *derived, events []event.Event) error {
	const most = 1000
	for len(events) > 0 {
		n := min(most, len(events))
		if err := d.c.Publisher.Publish(ctx, events[:n]...); err != nil {
			return fmt.Errorf("publish skills: %w", err)
		}
		for _, e := range events[:n] {
			switch e.Kind {
			case event.SkillTagged:
				out.Tags++
			case event.SkillEvidenced:
				out.Evidence++
			default:
				out.Undone++
			}
		}
		if events = events[n:]; len(events) == 0 {
			return d.c.Sink.Drain(ctx)
		}
	}
	return nil
}
