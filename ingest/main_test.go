package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
)

// TestMain lets the test binary be the process that is killed (chaos_test.go).
func TestMain(m *testing.M) {
	if role := os.Getenv("STEWARD_CHAOS_ROLE"); role != "" {
		os.Exit(chaosChild(role))
	}
	code := m.Run()
	if sharedDB != nil {
		sharedDB.Close()
		os.RemoveAll(sharedDir)
	}
	os.Exit(code)
}

// The engine can be opened once per process, so tests share it and start from empty tables.
var (
	sharedDB     *warehouse.DB
	sharedDir    string
	sharedFaults = &faults{}
)

// unavailable skips, but fails in CI, which provides everything.
func unavailable(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("STEWARD_CI") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

func testLog(t testing.TB) *slog.Logger {
	if os.Getenv("STEWARD_TEST_LOG") == "" {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// openDB gives the shared warehouse with empty tables, and a projection with a view that
// counts what passes through it, so that a block folded in twice is seen.
func openDB(t testing.TB) *warehouse.DB {
	t.Helper()
	ctx := context.Background()
	if sharedDB == nil {
		dir, err := os.MkdirTemp("", "steward-ingest")
		if err != nil {
			t.Fatal(err)
		}
		db, err := openWarehouse(ctx, dir, sharedFaults)
		if err != nil {
			os.RemoveAll(dir)
			t.Fatal(err)
		}
		sharedDB, sharedDir = db, dir
	}
	sharedFaults.clear()
	for _, table := range []string{"events", "quarantine", "quarantine_redrive", "passed"} {
		if err := sharedDB.Exec(ctx, "truncate", "TRUNCATE TABLE "+table); err != nil {
			t.Fatal(err)
		}
	}
	return sharedDB
}

func openWarehouse(ctx context.Context, dir string, f *faults) (*warehouse.DB, error) {
	cfg := warehouse.Config{Dir: dir}
	if f != nil {
		cfg.Transport = f.wrap
	}
	db, err := warehouse.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, Migrations()); err != nil {
		return nil, err
	}
	for _, sql := range []string{
		`CREATE TABLE IF NOT EXISTS passed (id String, offset Int64, partition Int32) ENGINE = MergeTree ORDER BY (partition, offset)
			SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1`,
		`CREATE MATERIALIZED VIEW IF NOT EXISTS passed_mv TO passed AS SELECT id, offset, partition FROM events`,
	} {
		if err := db.Exec(ctx, "passed", sql); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// world is a log with a topic of its own, and the warehouse.
type world struct {
	t      testing.TB
	broker *broker.Broker
	real   bool // an Apache Kafka
	topic  string
	id     string
	db     *warehouse.DB
	pub    *Publisher
}

var topics atomic.Int64

func newWorld(t testing.TB, real bool, partitions int) *world {
	t.Helper()
	w := &world{t: t, db: openDB(t), real: real}
	w.topic = fmt.Sprintf("steward.test.%d.%d.%d", os.Getpid(), topics.Add(1), time.Now().UnixNano())
	cfg := broker.Config{Dir: t.TempDir(), Topics: []broker.Topic{{Name: w.topic, Partitions: partitions}}, Log: testLog(t)}
	if real {
		cfg.Dir, cfg.Addrs = "", strings.Split(os.Getenv("STEWARD_KAFKA"), ",")
	}
	b, err := broker.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.broker = b
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if w.id, err = b.TopicID(t.Context(), w.topic); err != nil {
		t.Fatal(err)
	}
	w.pub, err = NewPublisher(PublisherConfig{Brokers: b.Addrs(), Topic: w.topic, Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.pub.Close() })
	return w
}

func (w *world) config() SinkConfig {
	return SinkConfig{
		Brokers: w.broker.Addrs(), Topic: w.topic, TopicID: w.id, Group: "sink." + w.topic, DB: w.db,
		Session: 2 * time.Second, Timeout: 2 * time.Second, MaxBackoff: 300 * time.Millisecond, InsertTimeout: 20 * time.Second, Log: testLog(w.t),
	}
}

// start runs a sink until the returned function is called, or the test ends.
func (w *world) start(cfg SinkConfig) (*Sink, func()) {
	w.t.Helper()
	s, err := NewSink(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				w.t.Errorf("sink: %v", err)
			}
		case <-time.After(30 * time.Second):
			w.t.Error("the sink did not stop")
		}
	}
	w.t.Cleanup(stop)
	return s, stop
}

func (w *world) publish(events ...event.Event) {
	w.t.Helper()
	for len(events) > 0 {
		n := min(len(events), 2000)
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		err := w.pub.Publish(ctx, events[:n]...)
		cancel()
		if err != nil {
			w.t.Fatal(err)
		}
		events = events[n:]
	}
}

func (w *world) drain(s *Sink) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.Drain(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// sample makes n events of several kinds about n/4 incidents.
func sample(prefix string, n int) []event.Event {
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	out := make([]event.Event, 0, n)
	for i := range n {
		incident := fmt.Sprintf("test:acme:%s%d", prefix, i/4)
		at := start.Add(time.Duration(i) * 17 * time.Second)
		kind, data := event.IncidentNoted, map[string]any{"incident": incident, "text": "a note with \"quotes\" and ünïcode \u2028"}
		switch i % 4 {
		case 0:
			kind, data = event.IncidentOpened, map[string]any{"incident": incident, "title": fmt.Sprint("Disk full on host ", i), "service": "svc-" + fmt.Sprint(i%40), "urgency": "high", "priority": "P2"}
		case 1:
			kind, data = event.IncidentAcknowledged, map[string]any{"incident": incident, "person": "Ana@example.org", "actor_kind": "user", "channel": "push"}
		case 2:
			kind, data = event.IncidentEscalated, map[string]any{"incident": incident, "cause": "timeout", "level": 2, "to": []string{"person:Bo@example.org", "team:payments"}}
		}
		e, err := event.New("/import/test", kind, incident, fmt.Sprint(prefix, i), at, data)
		if err != nil {
			panic(err)
		}
		e.Seen = at.Add(time.Second)
		out = append(out, e)
	}
	return out
}

func queryUint(t testing.TB, db *warehouse.DB, sql string) uint64 {
	t.Helper()
	rows, err := db.Query(context.Background(), "test", sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n uint64
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// exactly checks I1 and I2: every event once in the table, without FINAL, and once in the
// view behind it; offsets contiguous in each partition unless records are expected in
// quarantine.
func (w *world) exactly(events, quarantined int) {
	w.t.Helper()
	for name, sql := range map[string]string{
		"rows in events":       "SELECT count() FROM events",
		"identities in events": "SELECT uniqExact(source, id) FROM events",
		"rows in the view":     "SELECT count() FROM passed",
		"records in the view":  "SELECT uniqExact(partition, offset) FROM passed",
	} {
		if got := queryUint(w.t, w.db, sql); got != uint64(events) {
			w.t.Errorf("%s: %d, want %d", name, got, events)
		}
	}
	if got := queryUint(w.t, w.db, "SELECT count() FROM quarantine"); got != uint64(quarantined) {
		w.t.Errorf("rows in quarantine: %d, want %d", got, quarantined)
	}
	missing := `SELECT toUInt64(sum(gap)) FROM (SELECT max(offset) - min(offset) + 1 - toInt64(count()) AS gap FROM
		(SELECT partition, offset FROM events UNION ALL SELECT partition, offset FROM quarantine) GROUP BY partition)`
	if got := queryUint(w.t, w.db, missing); got != 0 {
		w.t.Errorf("%d offsets are in no table", got)
	}
}
