package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/notify"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/remind"
)

// sender sends reminders.
//
// Theory of operation
//
//  1. Each minute it reads who has open work, who is on call when, and what was sent, and sends
//     what is due by now (package remind). It keeps no queue: what is due is worked out anew,
//     so work that was done a minute ago is not reminded of.
//  2. One process sends: the one whose sink owns the first partition of the log. With the
//     embedded log that is the only one; in a cluster the group of sinks sees to it that one owns
//     it, and that another takes over. While it is handed over two may believe they do; what
//     both send has one id.
//  3. A message is sent first and then written down as reminder.sent, so one is never lost; a
//     crash between the two sends it again, under the same id, by which receivers can drop it.
//     What could not be written down is kept and written before anything else is sent.
//  4. Before it reads it waits until everything that was written is stored. If that takes too
//     long, nothing is sent this minute: an old reading would send again.
//  5. A failure is tried again later and later, by person; after three in a row the channel
//     itself rests. What the other side refuses for good is left off for two days.
//  6. Who is forgotten, in no team any more, or has switched reminders off gets nothing.
type sender struct {
	c          *Core
	curriculum *training.Curriculum
	cfg        *notify.Config
	home       *time.Location
	ways       []*way
	turn       sync.Mutex    // one round at a time
	owed       []event.Event // sent, and not written down yet
}

// way is a channel and how it goes.
type way struct {
	notify.Channel
	mu       sync.Mutex
	state    dashboards.ChannelState
	failures int
	rests    time.Time            // until when nothing is tried
	people   map[string]*trouble  // by person
	refused  map[string]time.Time // keys of messages, and when
}

// trouble is what failed for one person.
type trouble struct {
	failures int
	until    time.Time
}

// inARow is how many people may fail one after the other before a channel rests.
const inARow = 3

const (
	storedSoon  = 30 * time.Second
	rememberFor = 48 * time.Hour // what was refused
)

// openSender makes the channels of the configuration; nil without any.
func openSender(c *Core, curriculum *training.Curriculum) (*sender, error) {
	cfg := c.cfg.Notify
	if !cfg.Sends() {
		return nil, nil
	}
	s := &sender{c: c, curriculum: curriculum, cfg: cfg, home: c.cfg.Zone}
	add := func(ch notify.Channel, err error) error {
		if err != nil {
			return err
		}
		s.ways = append(s.ways, &way{Channel: ch, state: dashboards.ChannelState{Name: ch.Name()}, people: map[string]*trouble{}, refused: map[string]time.Time{}})
		return nil
	}
	for _, w := range cfg.Webhooks {
		if err := add(notify.NewWebhook(w, c.cfg.Now)); err != nil {
			return nil, err
		}
	}
	if cfg.SMTP != nil {
		if err := add(notify.NewMail(*cfg.SMTP, cfg.Site)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// run sends until ctx ends.
func (s *sender) run(ctx context.Context) error {
	tick := time.NewTicker(s.c.cfg.noticeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.round(ctx); err != nil && ctx.Err() == nil {
			s.c.log.Warn("reminders could not be worked out", "error", err)
			s.c.metrics.notices.WithLabelValues("all", "not planned").Inc()
		}
	}
}

// sendsAlone says whether this process is the one that sends.
func (c *Core) sendsAlone() bool {
	if c.Broker.Embedded() {
		return true
	}
	_, first := c.Sink.Committed()[0]
	return first
}

// stored waits until everything that was written is stored.
func (c *Core) stored(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, storedSoon)
	defer cancel()
	return c.Sink.Drain(ctx)
}

// round sends what is due by now.
func (s *sender) round(ctx context.Context) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	if !s.c.sendsAlone() {
		return nil
	}
	if len(s.owed) > 0 {
		if err := s.c.Publisher.Publish(ctx, s.owed...); err != nil {
			return fmt.Errorf("write down what was sent: %w", err)
		}
		s.owed = nil
	}
	if err := s.c.stored(ctx); err != nil {
		return err
	}
	now := s.c.cfg.Now()
	people, err := s.people(ctx, now)
	if err != nil {
		return err
	}
	for _, w := range s.ways {
		if err := s.through(ctx, w, people, now); err != nil {
			return err
		}
	}
	return nil
}

// addressee is somebody who may be told something.
type addressee struct {
	remind.Person
	name, address string
	sent          []analytics.ReminderRow
}

// people are those whom reminders are for, with what they were told.
func (s *sender) people(ctx context.Context, now time.Time) ([]addressee, error) {
	v := s.c.Store.For(access.Operator(), "reminders")
	f := analytics.AssignmentFilter{Tracks: tracksOf(s.curriculum)}
	rows, err := v.Assignments(ctx, f)
	if err != nil {
		return nil, err
	}
	rows = taughtOf(s.curriculum, rows)
	from, to := remind.Window(now)
	shifts, err := v.Duties(ctx, analytics.DutyFilter{From: from, To: to})
	if err != nil {
		return nil, err
	}
	sent, err := v.Reminders(ctx, now.Add(-remind.Remembered))
	if err != nil {
		return nil, err
	}
	off, err := v.ReminderChoices(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := v.Directory(ctx)
	if err != nil {
		return nil, err
	}
	addresses, err := v.Addresses(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]analytics.Person{}
	for _, p := range dir.People {
		known[p.ID] = p
	}
	told := map[string][]analytics.ReminderRow{}
	for _, r := range sent {
		told[r.Person] = append(told[r.Person], r)
	}
	var out []addressee
	for _, p := range remind.People(rows, shifts, func(person string) *time.Location { return zoneOf(known[person].Zone, s.home) }) {
		if off[p.ID] || identity.IsFormer(p.ID) || len(known[p.ID].Teams) == 0 {
			continue
		}
		out = append(out, addressee{p, known[p.ID].Name, addresses[p.ID], told[p.ID]})
	}
	return out, nil
}

// through sends through one channel what is due. An error is one of writing down.
func (s *sender) through(ctx context.Context, w *way, people []addressee, now time.Time) error {
	waiting, failed := 0, 0
	defer func() {
		w.say(func(st *dashboards.ChannelState) { st.Waiting = waiting })
		s.c.metrics.waiting.WithLabelValues(w.Name()).Set(float64(waiting))
	}()
	w.prune(now)
	for _, p := range people {
		p.Person.Sent = nil
		for _, r := range p.sent {
			if r.Channel == w.Name() {
				p.Person.Sent = append(p.Person.Sent, remind.Sent{At: r.At, Covers: r.Covers})
			}
		}
		m, due := remind.Due(p.Person, s.cfg.Reminders.Rules(), now)
		if _, refused := w.refused[m.Key]; !due || refused {
			continue
		}
		if t := w.people[p.ID]; now.Before(w.rests) || t != nil && now.Before(t.until) {
			waiting++
			continue
		}
		switch err := w.Send(ctx, s.note(m, p)); {
		case err == nil:
			failed, w.failures = 0, 0
			delete(w.people, p.ID)
			if err := s.sent(ctx, w, m, now); err != nil {
				return err
			}
		case ctx.Err() != nil:
			return ctx.Err()
		case notify.Refused(err):
			w.refused[m.Key] = now
			s.failed(w, "refused", err)
		default:
			waiting++
			s.failed(w, "failed", err)
			t := w.people[p.ID]
			if t == nil {
				t = &trouble{}
				w.people[p.ID] = t
			}
			t.failures++
			t.until = now.Add(notify.Backoff(t.failures, err))
			var wait *notify.WaitError
			if failed++; failed >= inARow || errors.As(err, &wait) {
				w.failures++
				w.rests = now.Add(notify.Backoff(w.failures, err))
			}
		}
	}
	return nil
}

// sent writes down that a message went out.
func (s *sender) sent(ctx context.Context, w *way, m remind.Message, now time.Time) error {
	e, err := m.Event(w.Name())
	if err != nil {
		return err
	}
	w.say(func(st *dashboards.ChannelState) { st.Sent++; st.Last = now })
	s.c.metrics.notices.WithLabelValues(w.Name(), "sent").Inc()
	if err := s.c.Publisher.Publish(ctx, e); err != nil {
		s.owed = append(s.owed, e)
		return fmt.Errorf("write down what was sent: %w", err)
	}
	return nil
}

func (s *sender) failed(w *way, outcome string, err error) {
	w.say(func(st *dashboards.ChannelState) { st.Failed++; st.Trouble = err.Error() })
	s.c.metrics.notices.WithLabelValues(w.Name(), outcome).Inc()
	s.c.log.Warn("a reminder could not be sent", "channel", w.Name(), "outcome", outcome, "error", err)
}

func (w *way) say(change func(*dashboards.ChannelState)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.state)
}

// prune forgets what does not matter any more.
func (w *way) prune(now time.Time) {
	for key, at := range w.refused {
		if now.Sub(at) > rememberFor {
			delete(w.refused, key)
		}
	}
	for person, t := range w.people {
		if now.Sub(t.until) > rememberFor {
			delete(w.people, person)
		}
	}
}

// states are how the channels go, for the page.
func (s *sender) states() []dashboards.ChannelState {
	if s == nil {
		return nil
	}
	var out []dashboards.ChannelState
	for _, w := range s.ways {
		w.mu.Lock()
		out = append(out, w.state)
		w.mu.Unlock()
	}
	return out
}
