package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/goccy/go-json"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

// InsertDirect writes events straight into `events`, past the log: the same rows as the
// sink would write, without its guarantees. It is for tests and benchmarks of the read
// side, where a broker would only be in the way. An event without Seen is seen at At.
func InsertDirect(ctx context.Context, db *warehouse.DB, events []event.Event) error {
	b := &block{}
	for i, e := range events {
		f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
		if err != nil {
			return fmt.Errorf("event %d: %w", i, err)
		}
		e.At = e.At.UTC().Truncate(time.Millisecond)
		if e.Seen.IsZero() {
			e.Seen = e.At
		}
		e.Seen = e.Seen.UTC().Truncate(time.Millisecond)
		b.append(e, f, 0, record{offset: int64(i)})
	}
	return db.Insert(ctx, "events", eventColumns, "", b.fill)
}
