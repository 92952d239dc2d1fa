package warehouse_test

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// BenchmarkInsert is rows per second by block size, with fsync, into a table as the schema files make them.
func BenchmarkInsert(b *testing.B) {
	for _, n := range []int{1, 100, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db := newDB(b)
			do(b, db, "CREATE TABLE e (kind LowCardinality(String), at DateTime64(3,'UTC'), id String, service String, data String CODEC(ZSTD(1)), n Int64) ENGINE = ReplacingMergeTree ORDER BY (kind, at, id) "+
				"SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1")
			kinds, ids, services, data := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
			ats, ns := make([]time.Time, n), make([]int64, n)
			for i := range n {
				kinds[i], ids[i], services[i], data[i] = "incident.opened", fmt.Sprintf("id-%012d", i), fmt.Sprint("service-", i%40), `{"title":"something is wrong","urgency":"high"}`
				ats[i], ns[i] = testTime.Add(time.Duration(i)*time.Second), int64(i)
			}
			columns := []string{"kind", "at", "id", "service", "data", "n"}
			token := 0
			for b.Loop() {
				token++
				err := db.Insert(context.Background(), "e", columns, fmt.Sprint(token), func(batch Batch) error {
					for i, v := range []any{kinds, ats, ids, services, data, ns} {
						if err := batch.Column(i).Append(v); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkQuery is the cost of a small question, and of a million rows on their way to Go.
func BenchmarkQuery(b *testing.B) {
	db := newDB(b)
	for name, sql := range map[string]string{"one": "SELECT {n:UInt64}", "million": "SELECT number, toString(number) FROM numbers(1000000) WHERE {n:UInt64} = 1"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				rows, err := db.Query(context.Background(), "bench", sql, Param{"n", 1})
				if err != nil {
					b.Fatal(err)
				}
				for rows.Next() {
				}
				if err := rows.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRebuild compares a rebuild with the plain INSERT SELECT inside it.
func BenchmarkRebuild(b *testing.B) {
	db := newDB(b)
	ctx := context.Background()
	do(b, db, "CREATE TABLE events (kind LowCardinality(String), at DateTime64(3,'UTC'), id String, incident String) ENGINE = ReplacingMergeTree ORDER BY (kind, at, id)",
		"INSERT INTO events SELECT 'k', toDateTime64('2026-01-01 00:00:00',3,'UTC') + number, toString(number), concat('i', toString(intDiv(number, 8))) FROM numbers(2000000)")
	p := projection(b, `-- projection: incident
CREATE TABLE incident (incident String, first SimpleAggregateFunction(min, Tuple(DateTime64(3,'UTC'), String)), last SimpleAggregateFunction(max, Tuple(DateTime64(3,'UTC'), String))) ENGINE = AggregatingMergeTree ORDER BY incident;
SELECT incident, min((at, id)) AS first, max((at, id)) AS last FROM events GROUP BY incident`)
	do(b, db, "CREATE TABLE plain (incident String, first SimpleAggregateFunction(min, Tuple(DateTime64(3,'UTC'), String)), last SimpleAggregateFunction(max, Tuple(DateTime64(3,'UTC'), String))) ENGINE = AggregatingMergeTree ORDER BY incident")
	var plain, rebuild time.Duration
	for b.Loop() {
		do(b, db, "TRUNCATE TABLE plain")
		start := time.Now()
		do(b, db, "INSERT INTO plain "+p.Select)
		plain += time.Since(start)
		start = time.Now()
		if err := db.Rebuild(ctx, p, nil); err != nil {
			b.Fatal(err)
		}
		rebuild += time.Since(start)
	}
	b.ReportMetric(plain.Seconds()/rebuild.Seconds(), "plain/rebuild")
	b.ReportMetric(2e6*float64(b.N)/rebuild.Seconds(), "events/s")
}
