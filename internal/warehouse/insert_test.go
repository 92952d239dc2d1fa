package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/internal/warehouse/fronttest"
)

// counters make a table with a view that counts, which no projection of ours may do: it shows what a
// replayed insert adds.
var counters = []string{
	"CREATE TABLE base (id String, n UInt64) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1",
	"CREATE TABLE counted (c UInt64) ENGINE = SummingMergeTree ORDER BY tuple() SETTINGS non_replicated_deduplication_window = 1000",
	"CREATE MATERIALIZED VIEW counted_mv TO counted AS SELECT count() AS c FROM base",
}

func put(db *DB, token string, rows int) error {
	return db.Insert(context.Background(), "base", []string{"id", "n"}, token, func(b Batch) error {
		for i := range rows {
			if err := b.Append(fmt.Sprint(token, "-", i), uint64(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

func counts(t testing.TB, db *DB) string {
	t.Helper()
	return fmt.Sprint(table(t, db, "SELECT (SELECT count() FROM base), (SELECT sum(c) FROM counted)")[0])
}

func TestTokens(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		do(t, db, counters...)
		for _, step := range []struct {
			token string
			rows  int
			want  string
		}{{"a", 10, "[10 10]"}, {"a", 10, "[10 10]"}, {"b", 5, "[15 15]"}, {"a", 10, "[15 15]"}, {"a'; \\ \t\n", 1, "[16 16]"}, {"a'; \\ \t\n", 1, "[16 16]"}} {
			if err := put(db, step.token, step.rows); err != nil {
				t.Fatal(err)
			}
			if got := counts(t, db); got != step.want {
				t.Errorf("after token %q: %s, not %s", step.token, got, step.want)
			}
		}
	})
}

func TestInsertKinds(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) {
		db := open()
		ctx := context.Background()
		do(t, db, "CREATE TABLE kinds (s String, l LowCardinality(String), t DateTime64(3,'UTC'), i Int16, u UInt64, a Array(String), n Nullable(Float64), m UInt64 MATERIALIZED u + 1, d String DEFAULT 'def') ENGINE = MergeTree ORDER BY s")
		columns := []string{"u", "s", "l", "t", "i", "a", "n"}
		at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
		err := db.Insert(ctx, "kinds", columns, "columns", func(b Batch) error {
			half := 0.5
			for i, v := range []any{[]uint64{1, 2}, []string{"tab\t\\", "nul\x00"}, []string{"x", "x"}, []time.Time{at, at.Add(time.Millisecond)}, []int16{-1, 7}, [][]string{{"a", ""}, {}}, []*float64{&half, nil}} {
				if err := b.Column(i).Append(v); err != nil {
					return err
				}
			}
			if b.Rows() != 2 {
				t.Errorf("%d rows", b.Rows())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprintf("%q", table(t, db, "SELECT s, l, toString(t), i, a, n, m, d FROM kinds ORDER BY u"))
		want := fmt.Sprintf("%q", [][]any{{"tab\t\\", "x", "2026-01-02 03:04:05.678", int64(-1), []string{"a", ""}, 0.5, uint64(2), "def"}, {"nul\x00", "x", "2026-01-02 03:04:05.679", int64(7), []string{}, nil, uint64(3), "def"}})
		if got != want {
			t.Errorf("stored %s\nnot    %s", got, want)
		}
		for name, fill := range map[string]func(b Batch) error{
			"a column short": func(b Batch) error { return b.Column(0).Append([]uint64{9, 9, 9}) },
			"a wrong type":   func(b Batch) error { return b.Append("nine", "s", "l", at, 1, []string{}, nil) },
		} {
			if err := db.Insert(ctx, "kinds", columns, name, fill); !warehouse.IsRefused(err) || warehouse.IsTransient(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		stop := errors.New("stop")
		if err := db.Insert(ctx, "kinds", columns, "stop", func(b Batch) error { return stop }); !errors.Is(err, stop) {
			t.Error(err)
		}
		if err := db.Insert(ctx, "kinds", columns, "empty", func(b Batch) error { return nil }); err != nil {
			t.Error(err)
		}
		if n := number(t, db, "SELECT count() FROM kinds"); n != 2 {
			t.Errorf("%d rows", n)
		}
		// refused by the server: the data's fault; a missing table is not
		do(t, db, "CREATE TABLE strict (u UInt64, CONSTRAINT small CHECK u < 10) ENGINE = MergeTree ORDER BY u")
		big := func(b Batch) error { return b.Append(uint64(10)) }
		if err := db.Insert(ctx, "strict", []string{"u"}, "", big); code(err) != 469 || !warehouse.IsRefused(err) || warehouse.IsTransient(err) {
			t.Errorf("a constraint gave %v", err)
		}
		if err := db.Insert(ctx, "nowhere", []string{"u"}, "", big); code(err) != 60 || warehouse.IsRefused(err) {
			t.Errorf("a missing table gave %v", err)
		}
		if err := db.Insert(ctx, "strict", []string{"v"}, "", big); code(err) != 16 || warehouse.IsRefused(err) {
			t.Errorf("a missing column gave %v", err)
		}
		if n := number(t, db, "SELECT count() FROM strict"); n != 0 {
			t.Errorf("%d rows", n)
		}
	})
}

// TestFaults: whatever happens on the way, a repeated insert with its token ends in exactly its rows.
func TestFaults(t *testing.T) {
	needEngine(t)
	front := fronttest.New(t, Config{Dir: t.TempDir()})
	db := newDB(t, func(c *Config) { c.DSN = front.DSN() })
	do(t, db, counters...)
	if err := put(db, "first", 10); err != nil {
		t.Fatal(err)
	}
	want := 10
	for _, fault := range []fronttest.Fault{fronttest.CutBefore, fronttest.LoseReply, fronttest.Unavailable, fronttest.TooManyParts, fronttest.Hang} {
		front.Inject(fault, 3, "INSERT INTO `base`")
		token := fmt.Sprint("fault", fault)
		tries := 0
		for {
			tries++
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			err := db.Insert(ctx, "base", []string{"id", "n"}, token, func(b Batch) error { return b.Append(token, uint64(1)) })
			cancel()
			if err == nil {
				break
			}
			if !warehouse.IsTransient(err) || warehouse.IsRefused(err) {
				t.Fatalf("fault %d is not transient: %v", fault, err)
			}
			if tries > 10 {
				t.Fatal(err)
			}
		}
		want++
		if got := counts(t, db); got != fmt.Sprint([]int{want, want}) {
			t.Errorf("after fault %d and %d tries: %s, not %d", fault, tries, got, want)
		}
		if front.Hits(fault) == 0 {
			t.Errorf("fault %d never struck", fault)
		}
	}
	// an answer cut in half is an error, not a short answer
	front.Inject(fronttest.CutAnswer, 1, "SELECT number")
	if rows, err := readAll(context.Background(), db, "SELECT number, toString(number) FROM numbers(1000)"); err == nil {
		t.Errorf("a cut answer gave %d rows and no error", len(rows))
	}
	// an error in the middle of an answer keeps its code
	if _, err := readAll(context.Background(), db, "SELECT throwIf(number = 900000), number FROM numbers(1000000)"); code(err) != 395 {
		t.Errorf("an error in the middle gave %v", err)
	}
	// slow is not wrong
	front.Delay(50 * time.Millisecond)
	if err := put(db, "slow", 1); err != nil {
		t.Error(err)
	}
	front.Clear()
	if got := counts(t, db); got != fmt.Sprint([]int{want + 1, want + 1}) {
		t.Error(got)
	}
}

func TestServerAddress(t *testing.T) {
	for _, dsn := range []string{"nonsense://secret@x", "http://", "clickhouse://u:secret@127.0.0.1:1/x?dial_timeout=1s"} {
		db, err := warehouse.Open(context.Background(), Config{DSN: dsn})
		if err == nil {
			db.Close()
			t.Errorf("%s opened", dsn)
			continue
		}
		if s := err.Error(); len(s) == 0 || contains(s, "secret") {
			t.Errorf("%q tells the password", s)
		}
	}
}
