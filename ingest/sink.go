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

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/internal/warehouse"
)

// The sink moves the log into the warehouse, exactly once.
//
// Theory of operation
//
//  1. The consumer group gives this process partitions for one generation. Each gets a
//     lane (lane.go), which is synchronous: one span of offsets at a time. A Reader with
//     a GroupID would commit without a generation and could move another member's offset.
//  2. A lane cuts a span, and before inserting it commits the offset it starts at with
//     the metadata "first-last": the intent. Then it inserts the span's rows under the
//     token topic/partition/first-last, and commits last+1 with empty metadata. When the
//     next span is cut already, its intent is that commit.
//  3. Whoever owns the partition next, after any crash, finds the intent, reads exactly
//     that span and inserts it under the same token. If the rows are in, ClickHouse
//     drops the second copy, in the views too; if they are half in, it completes them.
//  4. A zombie of an old generation cannot commit, so it cannot start a span. If it is
//     inside an insert, the new owner replays the same token: one of the two is dropped.
//     Hence: any error of a commit means fenced, and the lane ends without inserting.
//  5. An outage is waited out: the same span under the same token, with growing pauses,
//     until the generation ends. Never exit, skip or drop.
//  6. A span whose data the warehouse refuses is cut in half, and each half is a span of
//     its own with intent, insert and commit. What remains is one record; it goes to
//     quarantine.
//  7. Never resume from max(offset) in the table: an insert may be torn.
//  8. A span that may have been cut short is counted after its replay, and what the token
//     hid is put back (restore.go).
//
// With Direct, for the one node whose broker lives in its own process, all partitions
// are taken without joining a group: a rejoining member would wait out the session of
// the one that was killed. The lock on the broker's directory keeps others away; the
// protocol is otherwise the same.

// SinkConfig says where from, where to and how eagerly. Zero values are defaults.
type SinkConfig struct {
	Brokers []string
	TLS     *tls.Config
	SASL    SASL
	Topic   string
	// TopicID, if known, goes into the deduplication token, so that a topic deleted and
	// created again cannot be mistaken for its predecessor. It must not change otherwise.
	TopicID string
	Group   string // default "steward-sink"
	DB      *warehouse.DB
	Direct  bool
	// Vault seals records that somebody else wrote to the topic in plain; nil: none.
	Vault *identity.Vault

	Rows          int           // of a span; default 10,000
	Bytes         int           // of a span's records; default 4 MiB
	MaxWait       time.Duration // age of a span's first record when it is cut; default 1 s
	Idle          time.Duration // without a new record, after which a span is cut; default 50 ms
	Session       time.Duration // of the group's member; default 10 s
	Timeout       time.Duration // of one request to the broker; default 5 s
	InsertTimeout time.Duration // of one attempt to insert; default 60 s
	MaxBackoff    time.Duration // between attempts in an outage; default 5 s

	Log     *slog.Logger
	Observe func(SinkStat) // after each span, from the lane's goroutine

	// Replay says that the warehouse holds nothing although the log may have been stored
	// before: every partition is stored from its first record, whatever was committed.
	Replay bool

	// hook lets tests stop, delay or kill a lane between steps.
	hook func(stage string, partition int, s string)
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// SinkStat is what the hook learns of a span that was stored.
type SinkStat struct {
	Partition   int
	Rows        int           // events inserted
	Quarantined int           // records that went to quarantine
	Attempts    int           // inserts it took; 1 when nothing went wrong
	Duration    time.Duration // from cutting the span to its rows being queryable
	Age         time.Duration // of the span's oldest record at that moment, by the log's clock
	Replayed    bool          // an intent that was found
}

// Sink moves events from the log to the warehouse. All methods are goroutine-safe.
type Sink struct {
	cfg    SinkConfig
	log    *slog.Logger
	client *kafka.Client
	dialer *kafka.Dialer

	mu        sync.Mutex
	committed map[int32]int64 // by lanes of this process, while they own the partition
	changed   chan struct{}   // closed and replaced on every commit
	alarms    map[int]string
	trouble   map[int]string // outages that are being waited out
	replayed  map[int]bool   // partitions that Replay has had its way with
}

// NewSink makes a sink; Run starts it. It fails only on a SASL mechanism that does not exist.
func NewSink(cfg SinkConfig) (*Sink, error) {
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{
		{&cfg.MaxWait, time.Second}, {&cfg.Idle, 50 * time.Millisecond}, {&cfg.Session, 10 * time.Second},
		{&cfg.Timeout, 5 * time.Second}, {&cfg.InsertTimeout, time.Minute}, {&cfg.MaxBackoff, 5 * time.Second},
	} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if cfg.Rows <= 0 {
		cfg.Rows = 10_000
	}
	if cfg.Bytes <= 0 {
		cfg.Bytes = 4 << 20
	}
	if cfg.Group == "" {
		cfg.Group = "steward-sink"
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.hook == nil {
		cfg.hook = func(string, int, string) {}
	}
	mechanism, err := cfg.SASL.mechanism()
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	pool := transport(cfg.TLS, mechanism)
	if cfg.dial != nil {
		pool.Dial = cfg.dial
	}
	return &Sink{
		cfg: cfg, log: cfg.Log.With("part", "sink"),
		client: &kafka.Client{Addr: kafka.TCP(cfg.Brokers...), Transport: pool},
		dialer: &kafka.Dialer{
			ClientID: "steward", Timeout: 3 * time.Second, DualStack: true, KeepAlive: 15 * time.Second,
			TLS: cfg.TLS, SASLMechanism: mechanism, DialFunc: cfg.dial,
		},
		committed: make(map[int32]int64), changed: make(chan struct{}), alarms: make(map[int]string), trouble: make(map[int]string), replayed: make(map[int]bool),
	}, nil
}

// Run moves events until ctx ends, which is the only reason for it to return, with nil.
func (s *Sink) Run(ctx context.Context) error {
	defer func() {
		if t, ok := s.client.Transport.(*kafka.Transport); ok {
			t.CloseIdleConnections()
		}
	}()
	if s.cfg.Direct {
		return s.runDirect(ctx)
	}
	return s.runGroup(ctx)
}

func (s *Sink) runGroup(ctx context.Context) error {
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: s.cfg.Group, Brokers: s.cfg.Brokers, Dialer: s.dialer, Topics: []string{s.cfg.Topic},
		HeartbeatInterval: s.cfg.Session / 4, SessionTimeout: s.cfg.Session, RebalanceTimeout: s.cfg.Session,
		// A fresh cluster answers "coordinator not available" at first, and kafka-go would
		// sit out five seconds.
		JoinGroupBackoff:      300 * time.Millisecond,
		WatchPartitionChanges: true, PartitionWatchInterval: 5 * time.Second,
		StartOffset: kafka.FirstOffset, Timeout: s.cfg.Timeout,
	})
	if err != nil {
		return fmt.Errorf("sink: %w", err)
	}
	defer func() { // Close can hang on a dead network
		done := make(chan struct{})
		go func() { group.Close(); close(done) }()
		select {
		case <-done:
		case <-time.After(2 * s.cfg.Timeout):
			s.log.Warn("left the group without saying goodbye")
		}
	}()
	for {
		gen, err := group.Next(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.log.Warn("no place in the group yet", "error", err)
			if errors.Is(err, kafka.ErrGroupClosed) {
				return fmt.Errorf("sink: %w", err)
			}
			continue
		}
		s.forget()
		owned := gen.Assignments[s.cfg.Topic]
		s.log.Info("joined", "generation", gen.ID, "partitions", len(owned))
		for _, a := range owned {
			l := &lane{s: s, partition: a.ID, generation: int(gen.ID), member: gen.MemberID}
			gen.Start(func(genCtx context.Context) {
				both, cancel := context.WithCancel(genCtx)
				defer cancel()
				defer context.AfterFunc(ctx, cancel)()
				if err := l.run(both); err != nil && both.Err() == nil {
					s.log.Warn("lane ended, rejoining", "partition", l.partition, "error", err)
					pause(both, 200*time.Millisecond)
				}
			})
		}
	}
}

func (s *Sink) runDirect(ctx context.Context) error {
	var partitions []int
	for {
		var err error
		if partitions, err = s.partitions(ctx); err == nil {
			break
		}
		if ctx.Err() != nil {
			return nil
		}
		s.log.Warn("the log is not there yet", "error", err)
		pause(ctx, 300*time.Millisecond)
	}
	var lanes sync.WaitGroup
	for _, p := range partitions {
		lanes.Go(func() {
			for ctx.Err() == nil {
				l := &lane{s: s, partition: p, generation: -1}
				if err := l.run(ctx); err != nil && ctx.Err() == nil {
					s.log.Warn("lane ended, starting again", "partition", p, "error", err)
					pause(ctx, 200*time.Millisecond)
				}
			}
		})
	}
	lanes.Wait()
	return nil
}

// forget clears what lanes of an older generation knew.
func (s *Sink) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.committed)
	clear(s.alarms)
	clear(s.trouble)
}

// replay says, once for each partition, whether Replay wants it from its beginning.
func (s *Sink) replay(partition int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.cfg.Replay && !s.replayed[partition]
	s.replayed[partition] = true
	return first
}

// struggle records that a partition's span is not being taken; nil clears it.
func (s *Sink) struggle(partition, attempts int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		delete(s.trouble, partition)
		return
	}
	why := "it does not answer"
	var we *warehouse.Error
	if errors.As(err, &we) && we.Name != "" {
		why = we.Name
	}
	s.trouble[partition] = fmt.Sprintf("the warehouse has not taken a span in %d attempts: %s", attempts, why)
}

func (s *Sink) setCommitted(partition int, offset int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.committed[int32(partition)] = offset
	close(s.changed)
	s.changed = make(chan struct{})
}

// alarm records what only a person can repair. An empty text clears it.
func (s *Sink) alarm(partition int, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if text == "" {
		delete(s.alarms, partition)
		return
	}
	if s.alarms[partition] != text {
		s.alarms[partition] = text
		s.log.Error("ALARM: "+text, "partition", partition)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
