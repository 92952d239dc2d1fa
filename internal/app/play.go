package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of playing
//
//  1. An attempt is its events. A step is checked against those before it and published; the
//     offset is the attempt's own clock's, made anew from them, so a browser chooses none.
//  2. What was published is in the log and may not be stored yet. Until it is, it is
//     remembered here, so that a quick second step knows of the first.
//  3. Steps of one process are checked one at a time. With several processes two windows
//     could number two steps alike; replaying then keeps whichever was possible.

// player writes the events of attempts.
type player struct {
	c     *Core
	mu    sync.Mutex
	ahead map[string]*analytics.Attempt                               // published, and perhaps not stored
	over  func(context.Context, access.Who, *analytics.Attempt) error // told who finished an attempt, and which if it may not be stored yet; may be nil
}

// secondClick is how long after a start another is taken for a second click on the same button:
// the form has nothing to know one by, and an attempt that nobody plays goes on for ever.
const secondClick = 5 * time.Second

// most is how many attempts are remembered ahead of the warehouse.
const most = 200

func newPlayer(c *Core) *player { return &player{c: c, ahead: map[string]*analytics.Attempt{}} }

// Start begins an attempt.
func (p *player) Start(ctx context.Context, who access.Who, id string) (string, error) {
	if who.Person == "" {
		return "", &access.Denied{Reason: "an attempt is somebody's: sign in as a person to play"}
	}
	d, err := p.c.Store.For(who, "").Drill(ctx, id)
	if err != nil {
		return "", err
	}
	if _, err := drill.Begin(d.Drill); err != nil {
		return "", err
	}
	a, err := p.begin(ctx, who, d.Drill)
	if err != nil {
		return "", err
	}
	return a.ID, p.stored(ctx)
}

// begin is a new attempt, or the one that a second click finds just begun.
func (p *player) begin(ctx context.Context, who access.Who, d drill.Drill) (*analytics.Attempt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	for _, a := range p.ahead {
		if who.Is(a.Person) && a.Drill.ID == d.ID && len(a.Steps) == 0 && now.Sub(a.Started) < secondClick {
			return a, nil
		}
	}
	a := &analytics.Attempt{ID: strings.ToLower(rand.Text()), Person: who.Person, Drill: d, Started: now}
	e, err := drill.Started(playerOf(a), a.Started)
	if err != nil {
		return nil, err
	}
	return a, p.publish(ctx, a, e)
}

func (p *player) now() time.Time { return p.c.cfg.Now().UTC().Truncate(time.Millisecond) }

// Act does one action now.
func (p *player) Act(ctx context.Context, who access.Who, attempt, action string) error {
	return p.step(ctx, who, attempt, func(a *analytics.Attempt, c drill.Clock, at time.Time) (drill.Step, error) {
		return drill.Step{Offset: c.Offset(at), Action: action}, nil
	})
}

// Wait jumps to the next release. As a step it sets the speed that the clock already has,
// at the offset that was waited for.
func (p *player) Wait(ctx context.Context, who access.Who, attempt string) error {
	return p.step(ctx, who, attempt, func(a *analytics.Attempt, c drill.Clock, at time.Time) (drill.Step, error) {
		s := drill.Step{Offset: c.Offset(at), Action: fmt.Sprint("speed:", c.Speed())}
		r, err := drill.Replay(a.Drill, a.Plain())
		if err != nil {
			return s, err
		}
		next := r.Table(s.Offset).Next
		switch {
		case c.Paused():
			return s, &drill.StepError{Step: s, Field: "action", Reason: "wait: the clock is paused: resume first"}
		case next == nil:
			return s, &drill.StepError{Step: s, Field: "action", Reason: "wait: nothing more is to come"}
		}
		s.Offset = *next
		return s, nil
	})
}

// Finish ends an attempt and keeps its score.
func (p *player) Finish(ctx context.Context, who access.Who, attempt string) error {
	if err := p.Act(ctx, who, attempt, string(drill.Finish)); err != nil || p.over == nil {
		return err
	}
	p.mu.Lock()
	a := p.ahead[attempt] // nil where many others were played since: then it is stored
	p.mu.Unlock()
	return p.over(ctx, who, a)
}

// Publish makes an event of a compiled drill.
func (p *player) Publish(ctx context.Context, who access.Who, d drill.Drill) error {
	e, err := drill.Compiled(d, who.By(), p.now())
	if err != nil {
		return err
	}
	if err := p.c.Publisher.Publish(ctx, e); err != nil {
		return err
	}
	return p.stored(ctx)
}

// step checks one step of who plays, and publishes it.
func (p *player) step(ctx context.Context, who access.Who, attempt string, make func(*analytics.Attempt, drill.Clock, time.Time) (drill.Step, error)) error {
	if err := p.next(ctx, who, attempt, make); err != nil {
		return err
	}
	return p.stored(ctx)
}

func (p *player) next(ctx context.Context, who access.Who, attempt string, make func(*analytics.Attempt, drill.Clock, time.Time) (drill.Step, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, err := p.attempt(ctx, who, attempt)
	if err != nil {
		return err
	}
	at := p.now()
	if n := len(a.Steps); n > 0 && at.Before(a.Steps[n-1].At) { // a wall clock that stepped back
		at = a.Steps[n-1].At
	}
	s, err := make(a, a.Clock(), at)
	if err != nil {
		return err
	}
	s.N = 1
	for _, before := range a.Steps {
		s.N = max(s.N, before.N+1)
	}
	r, err := drill.Replay(a.Drill, a.Plain())
	if err != nil {
		return err
	}
	s.Offset = max(s.Offset, r.Now())
	if err := r.Act(s); err != nil {
		return err
	}
	e, err := drill.Acted(playerOf(a), s, at)
	if err != nil {
		return err
	}
	events := []event.Event{e}
	out := *a
	out.Steps = append(out.Steps[:len(out.Steps):len(out.Steps)], drill.Timed{Step: s, At: at})
	if r.Finished() {
		if e, err = drill.Finished(playerOf(a), r.Score(), at); err != nil {
			return err
		}
		events, out.Finished = append(events, e), at
	}
	return p.publish(ctx, &out, events...)
}

// attempt is the asker's own, with what is published and not stored yet.
func (p *player) attempt(ctx context.Context, who access.Who, id string) (*analytics.Attempt, error) {
	gone := fmt.Errorf("attempt: %w", analytics.ErrNotFound)
	a, err := p.c.Store.For(who, "").Attempt(ctx, id)
	if m := p.ahead[id]; m != nil && who.Is(m.Person) && (err != nil || len(m.Steps) > len(a.Steps)) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	if !who.Is(a.Person) { // reading is also the operator's; playing is not
		return nil, gone
	}
	delete(p.ahead, id)
	return a, nil
}

func (p *player) publish(ctx context.Context, a *analytics.Attempt, events ...event.Event) error {
	if err := p.c.Publisher.Publish(ctx, events...); err != nil {
		return err
	}
	for id := range p.ahead { // any will do: stored by now, most likely
		if len(p.ahead) < most {
			break
		}
		delete(p.ahead, id)
	}
	p.ahead[a.ID] = a
	return nil
}

// stored waits a moment for the sink, so that the next page shows the step.
func (p *player) stored(ctx context.Context) error {
	if p.c.Sink == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if err := p.c.Sink.Drain(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}

func playerOf(a *analytics.Attempt) drill.Player {
	return drill.Player{Drill: a.Drill.ID, Attempt: a.ID, Person: a.Person}
}
