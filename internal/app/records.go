package app

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/notify"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/xapi"
)

// Theory of operation of learning records
//
//  1. Statements are folded from the log, the same for whoever asks by the API and for the
//     store that they are pushed to (package xapi).
//  2. The process that sends reminders pushes, each minute, what the store does not have yet.
//     Which it has stands in a file of the data directory; another process, or a lost file,
//     repeats the history once, which the statements' ids make harmless.
//  3. An outage is waited out, later and later, over restarts too. A refusal stops the pushing
//     until the next start: it stands in the log, in a metric and on the page.

// sentFile lists the statements that the store of learning records has.
func sentFile(dir string) string { return filepath.Join(dir, "xapi-sent") }

type pusher struct {
	c        *Core
	site     func() xapi.Site
	store    *notify.Store
	mu       sync.Mutex
	state    dashboards.ChannelState
	failures int
}

// openPusher is nil without a store in the configuration.
func openPusher(c *Core, curriculum *training.Curriculum) (*pusher, error) {
	cfg := c.cfg.Notify
	if cfg == nil || cfg.LRS == nil {
		return nil, nil
	}
	sent, err := notify.OpenSent(sentFile(c.cfg.Data))
	if err != nil {
		return nil, err
	}
	return &pusher{c: c, site: func() xapi.Site { return siteOf(c, curriculum, cfg.Site) }, store: notify.NewStore(*cfg.LRS, sent, c.cfg.Now), state: dashboards.ChannelState{Name: "learning records"}}, nil
}

// run pushes until ctx ends.
func (p *pusher) run(ctx context.Context) error {
	wait := p.c.cfg.noticeEvery
	for {
		again := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			again.Stop()
			return nil
		case <-again.C:
		}
		wait = p.c.cfg.noticeEvery
		err := p.round(ctx)
		stopped := (*notify.StoppedError)(nil)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &stopped):
			p.c.log.Error("learning records are not sent any more until Steward is started again", "error", err)
			p.c.metrics.lrsStopped.Set(1)
			<-ctx.Done()
			return nil
		case err != nil:
			p.failures++
			wait = notify.Backoff(p.failures, err)
			p.c.log.Warn("learning records could not be sent", "error", err, "again_in", wait)
		default:
			p.failures = 0
		}
	}
}

// round pushes what there is.
func (p *pusher) round(ctx context.Context) error {
	if !p.c.sendsAlone() {
		return nil
	}
	done, err := p.push(ctx)
	m := p.c.metrics.records
	m.WithLabelValues("sent").Add(float64(done.Sent))
	m.WithLabelValues("conflict").Add(float64(done.Conflicts))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Sent += done.Sent + done.Conflicts
	if done.Sent > 0 {
		p.state.Last = p.c.cfg.Now()
	}
	p.state.Trouble = ""
	if done.Invalid > 0 {
		p.state.Trouble = "some statements break the rules of xAPI and are kept back; this is a fault of Steward"
	}
	if err != nil {
		p.state.Failed++
		p.state.Trouble = err.Error()
		m.WithLabelValues("failed").Inc()
	}
	return err
}

func (p *pusher) push(ctx context.Context) (notify.Outcome, error) {
	v := p.c.Store.For(access.Operator(), "learning records")
	facts, err := v.LearningFacts(ctx, true, nil)
	if err != nil {
		return notify.Outcome{}, err
	}
	site := p.site()
	if p.store.Mbox() {
		addresses, err := v.Addresses(ctx)
		if err != nil {
			return notify.Outcome{}, err
		}
		site.Address = func(person string) string { return addresses[person] }
	}
	all, err := site.Statements(factsOf(facts))
	if err != nil {
		return notify.Outcome{}, err
	}
	list := make([]xapi.Statement, len(all))
	for i, s := range all {
		list[i] = s.Statement
	}
	return p.store.Push(ctx, list)
}

func (p *pusher) states() []dashboards.ChannelState {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return []dashboards.ChannelState{p.state}
}

// publisherIRI names the curriculum's modules wherever they are taught.
const publisherIRI = "https://github.com/stewardhq/steward/curriculum"

// siteOf is where statements come from.
func siteOf(c *Core, curriculum *training.Curriculum, home string) xapi.Site {
	return xapi.Site{
		Home: home, Publisher: publisherIRI, Tracks: tracksOf(curriculum), Name: c.Store.Opaque,
		Module: func(id string) (string, float64, bool) {
			m, ok := curriculum.Module(id)
			if !ok {
				return id, 0, false
			}
			return m.Title, m.PassMark, true
		},
	}
}

// factsOf are facts as statements are made of them.
func factsOf(facts []analytics.LearningFact) []xapi.Fact {
	out := make([]xapi.Fact, len(facts))
	for i, f := range facts {
		out[i] = xapi.Fact{
			Kind: event.Kind(f.Kind), At: f.At, Seen: f.Seen, ID: f.ID, Person: f.Person, Assignment: f.Assignment, Module: f.Module, Track: f.Track,
			Attempt: f.Attempt, Score: f.Score, Reason: f.Reason, Ref: f.Ref, Evidence: f.Evidence,
		}
	}
	return out
}
