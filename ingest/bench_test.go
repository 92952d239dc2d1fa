package ingest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

// BenchmarkSinkRatio prints how fast the sink stores a log that waits for it, against the
// bare streaming insert of the same rows, as blocks of the same size, into the same
// tables with the same view.
func BenchmarkSinkRatio(b *testing.B) {
	const n = 200_000
	events := sample("bench", n)
	ctx := context.Background()
	for _, partitions := range []int{1, 8} {
		b.Run(fmt.Sprint(partitions, "-partitions"), func(b *testing.B) {
			for b.Loop() {
				w := newWorld(b, false, partitions)
				w.publish(events...)
				cfg := w.config()
				cfg.Direct = true
				start := time.Now()
				s, stop := w.start(cfg)
				w.drain(s)
				sink := time.Since(start)
				stop()
				w.exactly(n, 0)

				var blocks []*block
				for i := 0; i < n; i += 10_000 {
					blk := &block{span: span{int64(i), int64(i + 9_999)}}
					for j, e := range events[i : i+10_000] {
						blk.add(w.topic, 0, record{offset: int64(i + j), time: e.Seen, value: MarshalCloudEvent(e)})
					}
					blocks = append(blocks, blk)
				}
				db := openDB(b)
				start = time.Now()
				for i, blk := range blocks {
					if err := db.Insert(ctx, "events", eventColumns, fmt.Sprint(w.topic, i), blk.fill); err != nil {
						b.Fatal(err)
					}
				}
				bare := time.Since(start)
				b.ReportMetric(n/sink.Seconds(), "sink-rows/s")
				b.ReportMetric(n/bare.Seconds(), "bare-rows/s")
				b.ReportMetric(bare.Seconds()/sink.Seconds(), "ratio")
			}
		})
	}
}

var _ warehouse.Batch
