package warehouse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	chproto "github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2/lib/column"
	"github.com/ClickHouse/clickhouse-go/v2/lib/proto"
)

// open is newDB for the tests inside the package.
func open(t testing.TB, cfg Config) *DB {
	t.Helper()
	cfg.Dir = t.TempDir()
	db, err := Open(context.Background(), cfg)
	if errors.Is(err, ErrNoLibrary) && os.Getenv("STEWARD_CI") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestFlush: rows of a failed statement must not come with the next one's (see Engine.query).
func TestFlush(t *testing.T) {
	db := open(t, Config{Readers: 1})
	c, err := db.engine.checkout(context.Background(), db.engine.readers, true)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { db.engine.readers.slots <- c }()
	if _, err := db.engine.query(c, "SELECT throwIf(number = 500000) FROM numbers(1000000)", "Native", nil); err == nil {
		t.Fatal("no error")
	}
	res, err := db.engine.query(c, "SELECT 1", "TSV", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.close()
	if string(res.data) != "1\n" {
		t.Errorf("%d bytes instead of two", len(res.data))
	}
}

// BenchmarkOverBare compares Insert with the engine's own streaming insert of a block that is encoded already.
func BenchmarkOverBare(b *testing.B) {
	db := open(b, Config{})
	ctx := context.Background()
	const n = 10_000
	const create = "CREATE TABLE %s (id String, at DateTime64(3, 'UTC'), service String, data String, n Int64) ENGINE = ReplacingMergeTree ORDER BY id " +
		"SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1"
	for _, name := range []string{"bare", "ours"} {
		if err := db.Exec(ctx, "bench", fmt.Sprintf(create, name)); err != nil {
			b.Fatal(err)
		}
	}
	names := []string{"id", "at", "service", "data", "n"}
	block := proto.NewBlock()
	for i, kind := range []string{"String", "DateTime64(3, 'UTC')", "String", "String", "Int64"} {
		if err := block.AddColumn(names[i], column.Type(kind)); err != nil {
			b.Fatal(err)
		}
	}
	ids, services, data, ats, ns := make([]string, n), make([]string, n), make([]string, n), make([]time.Time, n), make([]int64, n)
	for i := range n {
		ids[i], services[i], data[i] = fmt.Sprintf("id-%012d", i), fmt.Sprint("service-", i%40), strings.Repeat("x", 80)
		ats[i], ns[i] = time.UnixMilli(int64(i)).UTC(), int64(i)
	}
	all := []any{ids, ats, services, data, ns}
	for i, c := range block.Columns {
		if _, err := c.Append(all[i]); err != nil {
			b.Fatal(err)
		}
	}
	buf := new(chproto.Buffer)
	if err := block.Encode(buf, 0); err != nil {
		b.Fatal(err)
	}
	var bare, ours time.Duration
	token := 0
	for b.Loop() {
		token++
		start := time.Now()
		c, err := db.engine.checkout(ctx, db.engine.writers, false)
		if err != nil {
			b.Fatal(err)
		}
		if err := db.engine.insertNative(c, fmt.Sprintf("INSERT INTO bare SETTINGS insert_deduplication_token = '%d'", token), buf.Buf); err != nil {
			b.Fatal(err)
		}
		db.engine.writers.slots <- c
		bare += time.Since(start)
		start = time.Now()
		err = db.Insert(ctx, "ours", names, fmt.Sprint(token), func(batch Batch) error {
			for i, v := range all {
				if err := batch.Column(i).Append(v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		ours += time.Since(start)
	}
	b.ReportMetric(bare.Seconds()/ours.Seconds(), "ours/bare")
	b.ReportMetric(n*float64(b.N)/ours.Seconds(), "rows/s")
}
