package analytics_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

// openStore starts the real engine in a temporary directory with every projection.
func openStore(t testing.TB, now time.Time) (*analytics.View, *warehouse.DB) {
	t.Helper()
	ctx := context.Background()
	db, err := warehouse.Open(ctx, warehouse.Config{Dir: t.TempDir()})
	if err != nil {
		if os.Getenv("STEWARD_CI") == "" && strings.Contains(err.Error(), "make engine") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(ctx, ingest.Migrations()); err != nil {
		t.Fatal(err)
	}
	s, err := analytics.Open(ctx, db, analytics.Config{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return s.For(access.Operator(), "tests"), db
}

func insert(t testing.TB, db *warehouse.DB, events []event.Event) {
	t.Helper()
	if len(events) == 0 {
		return
	}
	if err := ingest.InsertDirect(context.Background(), db, events); err != nil {
		t.Fatal(err)
	}
}

// ask queries with "name=value" parameters.
func ask(t testing.TB, s *analytics.View, metric string, params ...string) *analytics.Answer {
	t.Helper()
	v := url.Values{}
	for _, p := range params {
		k, x, _ := strings.Cut(p, "=")
		v.Add(k, x)
	}
	a, err := s.Query(context.Background(), metric, v)
	if err != nil {
		t.Fatalf("%s %v: %v", metric, params, err)
	}
	return a
}

// cellOf is one cell of the row with a key (of bucket "").
func cellOf(t testing.TB, a *analytics.Answer, key, column string) any {
	t.Helper()
	for i, c := range a.Columns {
		if c.Name != column {
			continue
		}
		for _, r := range a.Rows {
			if r[1] == key {
				return r[i]
			}
		}
		return nil
	}
	t.Fatalf("%s has no column %s", a.Metric, column)
	return nil
}
