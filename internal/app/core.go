package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Core is the data's path without pages: log, warehouse, sink, answers. The server puts
// HTTP in front of it; a command that opens the data directory itself uses it as it is.
// Parts that the roles leave out are nil.
type Core struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	cleanup cleanup

	Broker    *broker.Broker
	Vault     *identity.Vault // who stands behind the tokens in events
	DB        *warehouse.DB
	Publisher *ingest.Publisher
	Sink      *ingest.Sink
	Store     *analytics.Store

	deriver  *deriver           // nil without the role sink, and in commands
	forgot   func(ids []string) // told whom nobody is to know any more; may be nil
	newVault bool               // the identity table was not there
	failed   chan error         // of a loop that must not end; buffered
}

// trimEvery is how often the embedded log gives back what the sink has stored.
const trimEvery = 30 * time.Second

// openCore starts the parts that the roles need. On an error everything that did start
// is stopped again.
func openCore(ctx context.Context, cfg Config) (_ *Core, err error) {
	c := &Core{cfg: cfg, log: cfg.Log, metrics: newMetrics(), failed: make(chan error, 2)}
	c.cleanup.log = cfg.Log
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close(context.WithoutCancel(ctx)))
		}
	}()
	if err := os.MkdirAll(cfg.Data, 0o755); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	if err := c.openStorage(ctx); err != nil {
		return nil, err
	}
	if err := c.openVault(ctx); err != nil {
		return nil, err
	}
	if err := c.openPublisher(); err != nil {
		return nil, err
	}
	if c.DB != nil {
		if err := c.openAnswers(ctx); err != nil {
			return nil, err
		}
		if err := c.warnOfPlain(ctx); err != nil {
			return nil, err
		}
	}
	if c.cfg.has(RoleSink) {
		if err := c.openSink(ctx); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// openStorage starts log and warehouse at the same time, since neither waits for the
// other and a cold start is short of time.
func (c *Core) openStorage(ctx context.Context) error {
	// Both errors are kept: which of the two notices first that a directory is taken is
	// chance, and only the log's says by whom when it is this very process.
	var both sync.WaitGroup
	var logErr, dbErr error
	both.Go(func() { c.Broker, logErr = broker.Start(ctx, c.cfg.brokerConfig()) })
	if c.cfg.has(RoleWeb) || c.cfg.has(RoleSink) {
		both.Go(func() { c.DB, dbErr = warehouse.Open(ctx, c.cfg.warehouseConfig(c.metrics.statement)) })
	}
	both.Wait()
	err := errors.Join(logErr, dbErr)
	if c.Broker != nil {
		c.cleanup.add("the log", c.Broker.Stop)
		c.metrics.watchBroker(c.Broker)
	}
	if c.DB != nil {
		c.cleanup.add("the warehouse", func(context.Context) error { return c.DB.Close() })
	}
	if errors.Is(err, broker.ErrLocked) || errors.Is(err, warehouse.ErrInUse) {
		return fmt.Errorf("%w: %w", &BusyError{Dir: c.cfg.Data}, err)
	}
	return err
}

// BusyError means that another process has the data directory open.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string {
	return "the data directory " + e.Dir + " belongs to another process"
}

func (c *Core) kafkaSASL() ingest.SASL {
	return ingest.SASL{Mechanism: c.cfg.KafkaSASL, User: c.cfg.KafkaUser, Password: c.cfg.KafkaPass}
}

func (c *Core) openAnswers(ctx context.Context) error {
	if err := c.DB.Migrate(ctx, ingest.Migrations()); err != nil {
		return fmt.Errorf("prepare the warehouse: %w", err)
	}
	var err error
	c.Store, err = analytics.Open(ctx, c.DB, analytics.Config{Zone: c.cfg.Zone, Now: c.cfg.Now, Log: c.log.With("part", "analytics"), Names: c.Vault, Ledger: &ledger{c.Publisher, c.cfg.Now}})
	if err != nil {
		return err
	}
	c.cleanup.add("what is being asked", func(context.Context) error { c.Store.Close(); return nil })
	return nil
}

func (c *Core) openPublisher() error {
	p, err := ingest.NewPublisher(ingest.PublisherConfig{
		Brokers: c.Broker.Addrs(), TLS: c.Broker.TLS(), SASL: c.kafkaSASL(), Topic: c.cfg.Topic, Vault: c.Vault,
		Now: c.cfg.Now, Log: c.log.With("part", "publisher"),
	})
	if err != nil {
		return err
	}
	c.Publisher = p
	c.cleanup.add("the publisher", func(context.Context) error { return p.Close() })
	return nil
}

func (c *Core) openSink(ctx context.Context) error {
	id, err := c.Broker.TopicID(ctx, c.cfg.Topic)
	if err != nil {
		return fmt.Errorf("ask the log for its topic: %w", err)
	}
	// A lost engine directory must not look like an empty history: the log is the source of
	// truth. With a cluster's log others may be storing it at this moment.
	empty := false
	if c.Broker.Embedded() {
		if empty, err = c.storedNothing(ctx); err != nil {
			return err
		}
	}
	c.Sink, err = ingest.NewSink(ingest.SinkConfig{
		Brokers: c.Broker.Addrs(), TLS: c.Broker.TLS(), SASL: c.kafkaSASL(),
		Topic: c.cfg.Topic, TopicID: id, DB: c.DB, Direct: c.Broker.Embedded(), Replay: empty, Vault: c.Vault,
		Log: c.log, Observe: c.metrics.span,
	})
	if err != nil {
		return err
	}
	c.metrics.watchSink(c.Sink)
	c.loop("the sink", c.Sink.Run)
	if c.Broker.Embedded() {
		c.loop("the trimming of the log", c.trim)
	}
	return nil
}

// loop runs f until the core closes. f returning earlier is a failure of the product.
func (c *Core) loop(name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		err := f(ctx)
		if ctx.Err() == nil {
			c.failed <- fmt.Errorf("%s ended by itself: %w", name, errors.Join(err, errEnded))
		}
	})
	c.cleanup.add(name, func(ctx context.Context) error {
		cancel()
		return waitFor(ctx, &done)
	})
}

var errEnded = errors.New("it should run as long as the process")

func waitFor(ctx context.Context, done *sync.WaitGroup) error {
	ended := make(chan struct{})
	go func() { done.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// trim gives back the part of the embedded log that is stored in the warehouse. An error
// is said and tried again; the log refuses appends before it could lose anything.
func (c *Core) trim(ctx context.Context) error {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := c.Broker.Trim(ctx, c.cfg.Topic, c.Sink.Committed()); err != nil && ctx.Err() == nil {
			c.log.Warn("the log could not be trimmed", "error", err)
		}
	}
}

// Close stops everything in the reverse order of its start. It is safe to call twice.
func (c *Core) Close(ctx context.Context) error { return c.cleanup.run(ctx) }

// zoneFile keeps the organisation's zone, so that a command on the free directory gives
// the answers the server would.
func zoneFile(dir string) string { return filepath.Join(dir, "zone") }

func rememberZone(dir string, zone *time.Location) error {
	return replaceFile(zoneFile(dir), []byte(zone.String()+"\n"), 0o644)
}

// storedNothing says whether the warehouse holds neither events nor quarantined records.
func (c *Core) storedNothing(ctx context.Context) (bool, error) {
	rows, err := c.DB.Query(ctx, "is it empty", "SELECT (SELECT count() FROM events) + (SELECT count() FROM quarantine) AS n")
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var n uint64
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return false, err
		}
	}
	return n == 0, rows.Err()
}
