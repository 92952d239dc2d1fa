// Package broker gives the product its log: a Kafka-protocol broker inside this
// process, or the addresses of a real cluster. Nothing else in the product
// knows which of the two it talks to.
//
// Theory of operation
//
//  1. Start with no addresses runs franz-go's kfake on a loopback port, with its
//     data in a directory and an fsync behind every append. kfake was written for
//     tests, so everything a log needs beyond that is done here, around it.
//  2. The directory is locked first (lock.go): two brokers appending to the same
//     segments would interleave them.
//  3. The directory is read and judged before kfake sees it (verify.go). kfake
//     cuts a segment at the first byte it dislikes and goes on; records that were
//     acknowledged would vanish without a word. What only looks torn at the very
//     end is set aside and reported; anything else refuses to start.
//  4. Topics are created on every start, since kfake seeds them only into an
//     empty directory. The port is remembered in the directory, so clients of a
//     restarted broker find it again.
//  5. Every append passes the gate (gate.go), which refuses it while the log is
//     at its cap or the disk is nearly full. kfake ignores errors of fsync and
//     acknowledges offset commits it could not write, so the disk must never get
//     as far as being full.
//  6. A stop shuts the door first (door.go): it refuses what would write and waits
//     for what is in flight, because kfake would append behind what it saved.
//  7. Trim removes what the sink has committed, and always leaves the last record
//     of a partition: an emptied partition starts again at offset 0 after a kill.
//  8. With addresses, Start connects, creates missing topics and explains what is
//     wrong when it cannot (cluster.go). Retention and space are the cluster's.
//
// The embedded log survives the death of the process at any moment. It is not
// proven against loss of power: kfake does not look at what fsync answers and
// does not sync directories.
package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// EventsTopic is the one topic of the product.
	EventsTopic = "steward.events"
	// DefaultPartitions is used for a Topic that names no number. Every partition
	// of the embedded log costs an fsync of its own for each batch.
	DefaultPartitions = 2
	// DefaultMaxBytes caps the embedded log. All of it is read into memory for a
	// moment at start, so a larger cap costs that much memory.
	DefaultMaxBytes = 1 << 30
	// MaxMessageBytes is the largest batch of records the topics accept.
	MaxMessageBytes = 4 << 20
)

var (
	// ErrFull is found with errors.Is in the answers of Writable and Check while
	// the embedded broker refuses appends, because the log is at its cap or the
	// disk is nearly full. Producers see KAFKA_STORAGE_ERROR meanwhile. Nothing
	// is lost, and appends are accepted again once there is room.
	ErrFull = errors.New("the log is full")
	// ErrDamaged is found in the same answers after a write failed inside the
	// embedded broker. It heals by itself when the disk has room again.
	ErrDamaged = errors.New("the log could not be written")
	// ErrLocked is found in Start's error when the directory is in use.
	ErrLocked = errors.New("the directory is in use")
	// ErrStopped answers every call after Stop.
	ErrStopped = errors.New("the broker is stopped")
)

// Topic is created by Start when it does not exist. An existing topic is never
// altered: more partitions would move incidents to other partitions.
type Topic struct {
	Name       string
	Partitions int // 0 means DefaultPartitions
}

// SASL says how to sign in to a real cluster.
type SASL struct {
	Mechanism      string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	User, Password string
}

// Config says which broker to use. The zero value of a field means its default.
type Config struct {
	Addrs []string // host:port of a real cluster; empty: embedded, in Dir

	Dir      string // data directory of the embedded broker, created if missing
	MaxBytes int64  // cap of the embedded log on disk, in bytes; default DefaultMaxBytes
	// Reserve is how many bytes of the disk the embedded log leaves free. Default
	// 256 MiB or a twentieth of the file system, whichever is less.
	Reserve int64

	Topics []Topic
	// Compacted are those of Topics that keep the last record of each key, and demand that
	// what it replaces is gone within an hour. For a real cluster only.
	Compacted []string

	TLS  *tls.Config // nil: no TLS
	SASL *SASL       // nil: no sign-in

	Log *slog.Logger

	// free reports free and total bytes of the file system that holds dir; tests
	// inject a full disk here.
	free func(dir string) (free, total int64, err error)
}

// Validate reports everything that is wrong with the configuration, joined.
func (cfg Config) Validate() error {
	var errs []error
	if len(cfg.Addrs) == 0 && cfg.Dir == "" {
		errs = append(errs, errors.New("broker: neither addresses nor a directory given"))
	}
	if len(cfg.Addrs) == 0 && (cfg.TLS != nil || cfg.SASL != nil) {
		errs = append(errs, errors.New("broker: TLS and SASL are for a real cluster; the embedded broker listens on loopback only"))
	}
	for _, t := range cfg.Topics {
		if t.Name == "" || t.Partitions < 0 {
			errs = append(errs, fmt.Errorf("broker: topic %q with %d partitions", t.Name, t.Partitions))
		}
	}
	if s := cfg.SASL; s != nil {
		if !slices.Contains([]string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}, s.Mechanism) {
			errs = append(errs, fmt.Errorf("broker: SASL mechanism %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", s.Mechanism))
		}
		if s.User == "" {
			errs = append(errs, errors.New("broker: SASL without a user"))
		}
	}
	if cfg.MaxBytes < 0 || cfg.Reserve < 0 {
		errs = append(errs, errors.New("broker: negative size"))
	}
	return errors.Join(errs...)
}

// Broker is a running log. All methods are goroutine-safe.
type Broker struct {
	cfg Config
	log *slog.Logger

	client *kgo.Client // real cluster only

	// What follows is the embedded broker's.
	lock *dirLock
	gate *gate
	quit chan struct{} // closed by Stop; ends the healing loop
	done sync.WaitGroup

	mu       sync.RWMutex // write: starting, stopping; read: using cluster
	cluster  *kfake.Cluster
	door     *door // of cluster
	addrs    []string
	findings []string
	stopped  bool
}

// Start returns a log that takes appends: every topic exists and has a leader.
// The errors are for people: they say what is wrong and what to do. A directory
// in use gives ErrLocked, a damaged one a *CorruptError.
func Start(ctx context.Context, cfg Config) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.free == nil {
		cfg.free = freeBytes
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = DefaultMaxBytes
	}
	cfg.Topics = slices.Clone(cfg.Topics)
	for i := range cfg.Topics {
		if cfg.Topics[i].Partitions == 0 {
			cfg.Topics[i].Partitions = DefaultPartitions
		}
	}
	b := &Broker{cfg: cfg, log: cfg.Log.With("part", "broker"), quit: make(chan struct{})}
	var err error
	if b.Embedded() {
		err = b.startEmbedded(ctx)
	} else {
		err = b.connect(ctx)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Embedded reports whether the log lives in this process.
func (b *Broker) Embedded() bool { return len(b.cfg.Addrs) == 0 }

// Addrs returns where clients connect: the loopback address of the embedded
// broker, which stays the same across Restart, or the configured addresses.
func (b *Broker) Addrs() []string {
	if !b.Embedded() {
		return slices.Clone(b.cfg.Addrs)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.addrs)
}

// TLS returns the configuration clients use, or nil.
func (b *Broker) TLS() *tls.Config {
	if b.cfg.TLS == nil {
		return nil
	}
	return b.cfg.TLS.Clone()
}

// SASL returns how clients sign in, or nil.
func (b *Broker) SASL() *SASL {
	if b.cfg.SASL == nil {
		return nil
	}
	s := *b.cfg.SASL
	return &s
}

// Findings returns what the last start of the embedded broker found damaged and
// set aside, one sentence each. It is empty for a healthy directory.
func (b *Broker) Findings() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return slices.Clone(b.findings)
}

// probe is a delivery of some size: a log that has no room for it is not writable.
const probe = 64 << 10

// Writable answers nil when an append would be accepted, and otherwise an error
// with ErrFull, ErrDamaged or ErrStopped that says why, with sizes. It costs one
// statfs, so a handler can ask before it publishes. A real cluster is always
// writable as far as this can tell.
func (b *Broker) Writable() error {
	if !b.Embedded() {
		return nil
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.stopped || b.cluster == nil {
		return ErrStopped
	}
	return b.gate.writable(probe)
}

// Bytes answers how much disk the embedded log takes; 0 for a real cluster.
func (b *Broker) Bytes() int64 {
	if !b.Embedded() {
		return 0
	}
	return b.gate.usedBytes()
}

// Stop writes what the embedded broker holds and releases its directory, or
// closes the connections to the cluster. If ctx ends first, Stop returns its
// error and the directory is released as soon as the broker is done.
func (b *Broker) Stop(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.mu.Lock()
		if b.stopped {
			b.mu.Unlock()
			return
		}
		b.stopped = true
		close(b.quit)
		if b.client != nil {
			b.client.Close()
		}
		b.shut()
		b.mu.Unlock()
		b.done.Wait()
		if b.lock != nil {
			b.lock.release()
		}
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stopping the broker: %w", ctx.Err())
	}
}

// withTimeout bounds an administrative call that came without a deadline, since
// a dead network would otherwise hold it for ever.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}
