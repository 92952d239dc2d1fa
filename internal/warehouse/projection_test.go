package warehouse_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/stewardhq/steward/internal/warehouse"
)

const testEvents = `-- the log
CREATE TABLE IF NOT EXISTS events (id String, kind LowCardinality(String), at DateTime64(3, 'UTC'), n UInt64)
ENGINE = ReplacingMergeTree ORDER BY (kind, at, id)`

const testSeen = `-- projection: seen
-- One row per id; semicolons; in comments are not ends.
CREATE TABLE seen
(
    id    String, -- the ) is not the end
    first SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    most  SimpleAggregateFunction(max, UInt64)
)
ENGINE = AggregatingMergeTree
ORDER BY (id);

SELECT id, min(at) AS first, max(n) AS most FROM events WHERE kind != 'x;y' GROUP BY id
`

func TestParseProjection(t *testing.T) {
	p, err := warehouse.ParseProjection("seen.sql", []byte(testSeen))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "seen" || p.Engine != "AggregatingMergeTree\nORDER BY (id)" || p.Settings != "" || !strings.HasSuffix(p.Columns, "most  SimpleAggregateFunction(max, UInt64)") {
		t.Errorf("parsed %+v", p)
	}
	same, err := warehouse.ParseProjection("seen.sql", []byte(strings.ReplaceAll(testSeen, "-- the ) is not the end", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if same.Hash() != p.Hash() {
		t.Error("a comment changed the hash")
	}
	other, err := warehouse.ParseProjection("seen.sql", []byte(strings.ReplaceAll(testSeen, "max(n)", "min(n)")))
	if err != nil {
		t.Fatal(err)
	}
	if other.Hash() == p.Hash() {
		t.Error("another SELECT has the same hash")
	}
	for name, text := range map[string]string{
		"no head": "CREATE TABLE a (b String) ENGINE = MergeTree ORDER BY b; SELECT b FROM events",
		"three":   testSeen + "; SELECT 1",
		"name":    strings.Replace(testSeen, "CREATE TABLE seen", "CREATE TABLE saw", 1),
		"insert":  strings.Replace(testSeen, "SELECT id", "INSERT INTO x SELECT id", 1),
	} {
		if _, err := warehouse.ParseProjection(name, []byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func insertEvents(db *DB, token string, from, to int) error {
	return db.Insert(context.Background(), "events", []string{"id", "kind", "at", "n"}, token, func(b Batch) error {
		for i := from; i < to; i++ {
			if err := b.Append(fmt.Sprint("e", i%1000), "k", testTime.Add(timeStep*duration(i)), uint64(i)); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestProjectionLife(t *testing.T) {
	everywhere(t, func(t *testing.T, open func(...func(*Config)) *DB) { life(t, open()) })
}

// life takes a projection through its whole life while inserts go on.
func life(t *testing.T, db *DB) {
	ctx := context.Background()
	files := fstest.MapFS{"1_events.sql": {Data: []byte(testEvents)}, "2_seen.sql": {Data: []byte(testSeen)}}
	if err := db.Migrate(ctx, files); err != nil {
		t.Fatal(err)
	}
	before := table(t, db, "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name")
	if err := db.Migrate(ctx, files); err != nil {
		t.Fatal("the second time: ", err)
	}
	if after := table(t, db, "SELECT name FROM system.tables WHERE database = currentDatabase() ORDER BY name"); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Fatalf("migrating twice changed %v to %v", before, after)
	}
	p, err := warehouse.ParseProjection("seen.sql", []byte(testSeen))
	if err != nil {
		t.Fatal(err)
	}
	if rebuilt, err := db.EnsureProjection(ctx, p); err != nil || rebuilt {
		t.Fatalf("rebuilt %v, %v", rebuilt, err)
	}

	stop := make(chan struct{})
	var wg sync.WaitGroup
	inserted := 0
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := insertEvents(db, fmt.Sprint("t", i), i*500, i*500+500); err != nil {
				t.Error(err)
				return
			}
			inserted = i*500 + 500
		}
	})
	check := func(step, fn string) {
		t.Helper()
		want := fmt.Sprint(table(t, db, "SELECT id, min(at), "+fn+"(n) FROM events GROUP BY id ORDER BY id"))
		got := fmt.Sprint(table(t, db, "SELECT id, min(first), max(most) FROM seen GROUP BY id ORDER BY id"))
		if got != want {
			t.Errorf("%s: the projection differs from the events", step)
		}
	}
	changed := p
	changed.Select = strings.Replace(p.Select, "max(n)", "max(n + 1) - 1", 1)
	for i, q := range []warehouse.Projection{changed, p, changed} {
		if rebuilt, err := db.EnsureProjection(ctx, q); err != nil || !rebuilt {
			t.Fatalf("change %d: rebuilt %v, %v", i, rebuilt, err)
		}
	}
	if err := db.Rebuild(ctx, changed, func(uint64) {}); err != nil {
		t.Fatal(err)
	}
	close(stop)
	wg.Wait()
	if n := number(t, db, "SELECT count() FROM events"); n != uint64(inserted) {
		t.Errorf("%d events, %d inserted", n, inserted)
	}
	check("after the rebuilds", "max")
	if err := insertEvents(db, "last", inserted, inserted+500); err != nil {
		t.Fatal(err)
	}
	check("after one more insert", "max")
	left := table(t, db, "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'seen%' ORDER BY name")
	if len(left) != 3 {
		t.Errorf("left: %v", left)
	}
	if got := fmt.Sprint(table(t, db, "SELECT count() FROM seen FINAL")); got != "[[1000]]" {
		t.Errorf("FINAL through the name gives %s", got)
	}

	// a build that died leaves a table and a view; the next start removes them
	do(t, db, "CREATE TABLE seen_0123456789ab (id String) ENGINE = MergeTree ORDER BY id",
		"CREATE MATERIALIZED VIEW seen_mv_0123456789ab TO seen_0123456789ab AS SELECT id FROM events")
	if rebuilt, err := db.EnsureProjection(ctx, changed); err != nil || rebuilt {
		t.Fatalf("rebuilt %v, %v", rebuilt, err)
	}
	if left := table(t, db, "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'seen%'"); len(left) != 3 {
		t.Errorf("left: %v", left)
	}
	// a live generation without its view is built again
	do(t, db, "DROP VIEW "+fmt.Sprint(table(t, db, "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'seen\\_mv%'")[0][0]))
	if rebuilt, err := db.EnsureProjection(ctx, changed); err != nil || !rebuilt {
		t.Fatalf("rebuilt %v, %v", rebuilt, err)
	}
	check("after the view was lost", "max")
}

func TestMigrateRefusesLoss(t *testing.T) {
	dir := t.TempDir()
	in := func(c *Config) { c.Dir = dir }
	db := newDB(t, in)
	ctx := context.Background()
	for _, sql := range []string{"DROP TABLE events", "TRUNCATE TABLE events", "ALTER TABLE events DROP COLUMN n", "ALTER TABLE events DELETE WHERE 1",
		"CREATE OR REPLACE TABLE events (a String) ENGINE = MergeTree ORDER BY a"} {
		err := db.Migrate(ctx, fstest.MapFS{"a.sql": {Data: []byte("CREATE TABLE IF NOT EXISTS made (a String) ENGINE = MergeTree ORDER BY a;\n" + sql)}})
		if err == nil || !strings.Contains(err.Error(), "only add") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if n := number(t, db, "SELECT count() FROM system.tables WHERE name = 'made'"); n != 0 {
		t.Error("a refused file ran in part")
	}
	// a changed file is applied again, within its own process only under its own name
	one := fstest.MapFS{"b.sql": {Data: []byte("CREATE TABLE IF NOT EXISTS b (a String) ENGINE = MergeTree ORDER BY a")}}
	two := fstest.MapFS{"b.sql": {Data: []byte("CREATE TABLE IF NOT EXISTS b (a String) ENGINE = MergeTree ORDER BY a; ALTER TABLE b ADD COLUMN IF NOT EXISTS c UInt8")}}
	if err := db.Migrate(ctx, one); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrate(ctx, two); err == nil || !strings.Contains(err.Error(), "two schema files") {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = newDB(t, in) // the next version starts
	if err := db.Migrate(ctx, two); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "SELECT count() FROM system.columns WHERE table = 'b'"); n != 2 {
		t.Errorf("%d columns", n)
	}
	full := fmt.Sprint(table(t, db, "SELECT engine_full FROM system.tables WHERE name = 'b' AND database = currentDatabase()"))
	for _, name := range []string{"non_replicated_deduplication_window = 10000", "fsync_after_insert = 1", "fsync_part_directory = 1", "min_rows_to_fsync_after_merge = 1"} {
		if !strings.Contains(full, name) {
			t.Errorf("%s is missing in %s", name, full)
		}
	}
}

func projection(t testing.TB, text string) warehouse.Projection {
	t.Helper()
	p, err := warehouse.ParseProjection("test.sql", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
