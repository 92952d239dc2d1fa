package warehouse

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// newDB opens an embedded warehouse for one test.
func newDB(t testing.TB, change ...func(*Config)) *DB {
	t.Helper()
	cfg := Config{Dir: t.TempDir()}
	for _, f := range change {
		f(&cfg)
	}
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

func exec(t testing.TB, db *DB, statements ...string) {
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
