package warehouse_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/internal/warehouse/fronttest"
)

type (
	DB     = warehouse.DB
	Config = warehouse.Config
	Param  = warehouse.Param
	Batch  = warehouse.Batch
)

// needEngine skips a test where the engine cannot be; in CI that is a failure.
func needEngine(t testing.TB) {
	t.Helper()
	e, err := warehouse.OpenEngine(context.Background(), Config{Dir: t.TempDir()})
	if errors.Is(err, warehouse.ErrNoLibrary) && os.Getenv("STEWARD_CI") != "1" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// newDB opens a warehouse for one test.
func newDB(t testing.TB, change ...func(*Config)) *DB {
	t.Helper()
	cfg := Config{}
	for _, f := range change {
		f(&cfg)
	}
	if cfg.DSN == "" && cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	db, err := warehouse.Open(context.Background(), cfg)
	if errors.Is(err, warehouse.ErrNoLibrary) && os.Getenv("STEWARD_CI") != "1" {
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

// place is a kind of warehouse that the suite runs on.
type place struct {
	name string
	open func(t *testing.T, change ...func(*Config)) *DB
}

// places are the embedded engine, the same behind a socket, and the server of STEWARD_CLICKHOUSE if there is one.
func places() []place {
	list := []place{
		{"embedded", func(t *testing.T, change ...func(*Config)) *DB { return newDB(t, change...) }},
		{"front", func(t *testing.T, change ...func(*Config)) *DB {
			needEngine(t)
			cfg := Config{Dir: t.TempDir()}
			for _, f := range change {
				f(&cfg)
			}
			front := fronttest.New(t, cfg)
			return newDB(t, append(change, func(c *Config) { c.DSN = front.DSN() })...)
		}},
	}
	if dsn := os.Getenv("STEWARD_CLICKHOUSE"); dsn != "" {
		list = append(list, place{"server", func(t *testing.T, change ...func(*Config)) *DB {
			admin := newDB(t, func(c *Config) { c.DSN = dsn })
			name := "steward_test_" + strings.ToLower(rand.Text()[:12])
			do(t, admin, "CREATE DATABASE "+name)
			t.Cleanup(func() { do(t, admin, "DROP DATABASE "+name) })
			base, query, _ := strings.Cut(dsn, "?")
			scheme, rest, _ := strings.Cut(base, "://")
			host, _, _ := strings.Cut(rest, "/")
			return newDB(t, append(change, func(c *Config) { c.DSN = scheme + "://" + host + "/" + name + "?" + query })...)
		}})
	}
	return list
}

func everywhere(t *testing.T, test func(t *testing.T, open func(change ...func(*Config)) *DB)) {
	for _, p := range places() {
		t.Run(p.name, func(t *testing.T) {
			test(t, func(change ...func(*Config)) *DB { return p.open(t, change...) })
		})
	}
}

func do(t testing.TB, db *DB, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := db.Exec(context.Background(), "test", sql); err != nil {
			t.Fatalf("%s\n%v", sql, err)
		}
	}
}

// table reads a whole answer.
func table(t testing.TB, db *DB, sql string, params ...Param) [][]any {
	t.Helper()
	out, err := readAll(context.Background(), db, sql, params...)
	if err != nil {
		t.Fatalf("%s\n%v", sql, err)
	}
	return out
}

func readAll(ctx context.Context, db *DB, sql string, params ...Param) ([][]any, error) {
	rows, err := db.Query(ctx, "test", sql, params...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func number(t testing.TB, db *DB, sql string, params ...Param) uint64 {
	t.Helper()
	rows := table(t, db, sql, params...)
	if len(rows) != 1 {
		t.Fatalf("%s: %d rows", sql, len(rows))
	}
	n, ok := rows[0][0].(uint64)
	if !ok {
		t.Fatalf("%s: %T", sql, rows[0][0])
	}
	return n
}

type duration = time.Duration

const timeStep = time.Millisecond

var testTime = time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC)
