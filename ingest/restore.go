package ingest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

// The engine notes an insert's token before the part that it stands for is in its place.
// Killed in between, it takes the repeated insert for one it has and drops the rows: the
// views have them and the base table has not. Seen once in some hundred kills on a busy
// machine, where the moment is longer.
//
//  1. So a span that may have been cut short (an intent that was found, or an insert that
//     took more than one attempt) is counted afterwards, by its place in the log.
//  2. Too few rows: they go into a table beside, and its part is attached. Attaching feeds
//     no view, so what is there stays as it is.
//  3. Fewer rows than records is also what a merge leaves of copies of one event. Attaching
//     those again is harmless: the next merge takes them away.

// restore makes sure that a span's rows are in `events`.
func (l *lane) restore(ctx context.Context, b *block) error {
	db := l.s.cfg.DB
	if b.rows() == 0 || !db.Embedded() {
		return nil
	}
	rows, err := db.Query(ctx, "count a span", "SELECT count() FROM events WHERE partition = {partition:Int32} AND offset >= {first:Int64} AND offset <= {last:Int64}",
		warehouse.Param{Name: "partition", Value: int32(l.partition)}, warehouse.Param{Name: "first", Value: b.span.first}, warehouse.Param{Name: "last", Value: b.span.last})
	if err != nil {
		return err
	}
	defer rows.Close()
	var n uint64
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil || n >= uint64(b.rows()) {
		return err
	}
	l.s.log.Warn("a span's rows are put back", "partition", l.partition, "span", b.span.metadata(), "there", n, "want", b.rows())
	beside := "events_beside_" + strconv.Itoa(l.partition)
	for _, sql := range []string{"DROP TABLE IF EXISTS " + beside, "CREATE TABLE " + beside + " AS events"} {
		if err := db.Exec(ctx, "put back", sql); err != nil {
			return err
		}
	}
	if err := db.Insert(ctx, beside, eventColumns, fmt.Sprint(l.token(b.span), "/", time.Now().UnixNano()), b.fill); err != nil {
		return err
	}
	for _, sql := range []string{"ALTER TABLE events ATTACH PARTITION ALL FROM " + beside, "DROP TABLE " + beside} {
		if err := db.Exec(ctx, "put back", sql); err != nil {
			return err
		}
	}
	return nil
}
