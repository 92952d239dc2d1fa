package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"

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
	Linger  time.Duration // how long a batch waits for company; default 2 ms
	Timeout time.Duration // of one attempt to write; default 5 s
	Now     func() time.Time
	Log     *slog.Logger
}

// Publisher appends events to the log. All methods are goroutine-safe; a process needs
// one, so that batches form across requests.
//
// An event's key chooses its partition, so all of an incident's events are in one order.
// There is no idempotent producer in kafka-go: a retry after a lost reply appends twice,
// which deterministic ids and order-free projections absorb.
type Publisher struct {
	cfg    PublisherConfig
	writer *kafka.Writer
}

// NewPublisher connects lazily, on the first Publish. It fails only on a SASL mechanism
// that does not exist.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if cfg.Linger <= 0 {
		cfg.Linger = 2 * time.Millisecond
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
		BatchSize:       2000,
		BatchBytes:      maxRecord,
		BatchTimeout:    cfg.Linger,
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
// Seen gets the present moment. Errors: ErrUnavailable, ErrTooLarge, ctx's.
func (p *Publisher) Publish(ctx context.Context, events ...event.Event) error {
	if len(events) == 0 {
		return nil
	}
	now := p.cfg.Now().UTC().Truncate(time.Millisecond)
	msgs := make([]kafka.Message, len(events))
	for i, e := range events {
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
			Headers: structuredHeaders,
		}
	}
	return p.write(ctx, msgs)
}

// structuredHeaders is shared by all messages and never written to.
var structuredHeaders = []kafka.Header{{Key: "content-type", Value: []byte(contentStructured)}}

func (p *Publisher) write(ctx context.Context, msgs []kafka.Message) error {
	err := p.writer.WriteMessages(ctx, msgs...)
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("publish: %w", ctx.Err())
	}
	first := firstError(err)
	var large kafka.MessageTooLargeError
	if errors.As(err, &large) || errors.Is(first, kafka.MessageSizeTooLarge) {
		return fmt.Errorf("publish: %w", ErrTooLarge)
	}
	p.cfg.Log.Error("the log did not acknowledge", "events", len(msgs), "error", first)
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
