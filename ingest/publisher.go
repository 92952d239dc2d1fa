package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
)

var (
	// ErrUnavailable is found in a publisher's error when the log did not acknowledge:
	// it is down, full or too slow. The same events may be published again; their ids
	// make a second copy harmless.
	ErrUnavailable = errors.New("the log does not take events now")
	// ErrTooLarge is found when one event exceeds what the log takes in one record.
	ErrTooLarge = errors.New("too large for the log")
)

// maxRecord keeps one produce request, batch overhead included, under the broker's 4 MiB.
const maxRecord = 3 << 20

// PublisherConfig names the log. Brokers and Topic are required.
type PublisherConfig struct {
	Brokers []string
	TLS     *tls.Config
	SASL    SASL
	Topic   string
	Linger  time.Duration // how long a batch waits for company while there is much of it; default 1 ms
	Timeout time.Duration // of one attempt to write; default 5 s
	// Vault holds the texts that events have tokens for; nil: events keep them.
	Vault *identity.Vault
	Now   func() time.Time
	Log   *slog.Logger
}

// Publisher appends events to the log. All methods are goroutine-safe; a process needs
// one, so that batches form across requests.
//
// An event's key chooses its partition, so all of an incident's events are in one order.
// There is no idempotent producer in kafka-go: a retry after a lost reply appends twice,
// which deterministic ids and order-free projections absorb.
//
// Batches form by themselves: while one is being written and synced, what arrives gathers
// for the next. kafka-go's own batching closes a batch every few milliseconds instead, and
// under load a queue of small ones would build up, each with its fsync.
type Publisher struct {
	cfg    PublisherConfig
	writer *kafka.Writer

	mu      sync.Mutex
	waiting []*writing
	busy    bool // a goroutine is in flush
}

// writing is the messages of one call, and where its outcome goes.
type writing struct {
	ctx  context.Context
	msgs []kafka.Message
	done chan error // buffered
}

// A flush takes whole calls until it has this many messages or bytes.
const (
	flushMessages = 4000
	flushBytes    = 8 << 20
)

// NewPublisher connects lazily, on the first Publish. It fails only on a SASL mechanism
// that does not exist.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if cfg.Linger <= 0 {
		cfg.Linger = time.Millisecond
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	mechanism, err := cfg.SASL.mechanism()
	if err != nil {
		return nil, fmt.Errorf("publisher: %w", err)
	}
	return &Publisher{cfg: cfg, writer: &kafka.Writer{
		Addr:            kafka.TCP(cfg.Brokers...),
		Topic:           cfg.Topic,
		Balancer:        &kafka.Hash{},
		RequiredAcks:    kafka.RequireAll,
		BatchSize:       500, // kafka-go allocates a batch of this size for every write
		BatchBytes:      maxRecord,
		BatchTimeout:    time.Microsecond, // batches are formed here, not there
		WriteTimeout:    cfg.Timeout,
		ReadTimeout:     cfg.Timeout,
		MaxAttempts:     4,
		WriteBackoffMin: 50 * time.Millisecond,
		WriteBackoffMax: 500 * time.Millisecond,
		Transport:       transport(cfg.TLS, mechanism),
	}}, nil
}

// transport is a pool of connections with deadlines of our own, since a dead network
// would otherwise hold a caller for ever.
func transport(t *tls.Config, s sasl.Mechanism) *kafka.Transport {
	return &kafka.Transport{
		TLS: t, SASL: s, ClientID: "steward",
		DialTimeout: 3 * time.Second,
		IdleTimeout: 5 * time.Minute,
		MetadataTTL: 2 * time.Second,
		Dial:        (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
	}
}

// Publish returns nil only after every in-sync replica has every event. An event without
// Seen gets the present moment. With a vault, who somebody is stands in the vault and not
// in the log, and is durable there first. Errors: ErrUnavailable, ErrTooLarge, ctx's.
func (p *Publisher) Publish(ctx context.Context, events ...event.Event) error {
	if len(events) == 0 {
		return nil
	}
	now := p.cfg.Now().UTC().Truncate(time.Millisecond)
	msgs := make([]kafka.Message, len(events))
	var people []identity.Entry
	headers := structuredHeaders
	if p.cfg.Vault != nil {
		headers = sealedHeaders
	}
	for i, e := range events {
		seal(p.cfg.Vault, &e, &people)
		if e.Seen.IsZero() {
			e.Seen = now
		}
		if e.At.IsZero() {
			e.At, e.TimeQuality = now, qualityReceived
		}
		key := e.Key
		if key == "" {
			key = e.ID
		}
		msgs[i] = kafka.Message{
			Key:     []byte(key),
			Value:   MarshalCloudEvent(e),
			Headers: headers,
		}
	}
	if err := p.cfg.Vault.Register(ctx, people...); err != nil {
		return fmt.Errorf("publish: %w: %w", ErrUnavailable, err)
	}
	return p.write(ctx, msgs)
}

// Headers shared by all messages and never written to.
var (
	structuredHeaders = []kafka.Header{{Key: "content-type", Value: []byte(contentStructured)}}
	sealedHeaders     = append(structuredHeaders[:1:1], kafka.Header{Key: headerSealed, Value: []byte("1")})
)

// headerSealed says that the publisher has sealed the record, so that the sink need not
// look. Who else may write to the topic could set it on plain records, and would then
// store what cannot be forgotten.
const headerSealed = "steward-sealed"

func (p *Publisher) write(ctx context.Context, msgs []kafka.Message) error {
	for i := range msgs { // before it could fail the calls it would share a batch with
		if size(&msgs[i]) > maxRecord-1024 {
			return fmt.Errorf("publish: %w", ErrTooLarge)
		}
	}
	w := &writing{ctx: ctx, msgs: msgs, done: make(chan error, 1)}
	p.mu.Lock()
	p.waiting = append(p.waiting, w)
	if !p.busy {
		p.busy = true
		go p.flush()
	}
	p.mu.Unlock()
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("publish: %w", ctx.Err())
	}
}

func size(m *kafka.Message) int {
	n := len(m.Key) + len(m.Value)
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value) + 10
	}
	return n
}

// flush writes what waits until nothing does.
func (p *Publisher) flush() {
	for crowd := 0; ; {
		if crowd > 4 { // those just answered are about to send again
			time.Sleep(p.cfg.Linger)
		}
		calls, msgs := p.take()
		if len(calls) == 0 {
			return
		}
		crowd = len(calls)
		p.settle(calls, len(msgs), p.writer.WriteMessages(context.Background(), msgs...))
	}
}

// take removes the calls of the next batch from the queue. When there is none, the flush
// is over.
func (p *Publisher) take() (calls []*writing, msgs []kafka.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, total := 0, 0
	for _, w := range p.waiting {
		if len(msgs) >= flushMessages || total >= flushBytes {
			break
		}
		n++
		if w.ctx.Err() != nil {
			continue // its caller has gone, unacknowledged
		}
		calls = append(calls, w)
		msgs = append(msgs, w.msgs...)
		for i := range w.msgs {
			total += size(&w.msgs[i])
		}
	}
	p.waiting = p.waiting[n:]
	if len(p.waiting) == 0 {
		p.waiting = nil
		p.busy = len(calls) > 0
	}
	return calls, msgs
}

// settle tells each call how its own messages fared.
func (p *Publisher) settle(calls []*writing, n int, err error) {
	var each kafka.WriteErrors
	if err != nil {
		p.cfg.Log.Error("the log did not acknowledge", "events", n, "error", firstError(err))
		if !errors.As(err, &each) || len(each) != n {
			each = nil
		}
	}
	for _, w := range calls {
		outcome := err
		if each != nil {
			mine := each[:len(w.msgs)]
			each = each[len(w.msgs):]
			if outcome = nil; mine.Count() > 0 {
				outcome = mine
			}
		}
		w.done <- unacknowledged(outcome)
	}
}

func unacknowledged(err error) error {
	if err == nil {
		return nil
	}
	first := firstError(err)
	var large kafka.MessageTooLargeError
	if errors.As(err, &large) || errors.Is(first, kafka.MessageSizeTooLarge) {
		return fmt.Errorf("publish: %w", ErrTooLarge)
	}
	return fmt.Errorf("publish: %w: %w", ErrUnavailable, first)
}

// firstError reduces kafka.WriteErrors, whose text joins one line per message and would
// fill a log with a batch of them.
func firstError(err error) error {
	var many kafka.WriteErrors
	if errors.As(err, &many) {
		for _, e := range many {
			if e != nil {
				return e
			}
		}
	}
	return err
}

// Close flushes what is in flight. It gives up after the write timeout on a dead network.
func (p *Publisher) Close() error {
	done := make(chan error, 1)
	go func() { done <- p.writer.Close() }()
	select {
	case err := <-done:
		return err
	case <-time.After(p.cfg.Timeout + time.Second):
		return fmt.Errorf("closing the publisher: %w", ErrUnavailable)
	}
}
