package simulate

import (
	"io"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// BenchmarkWrite prints events/s of the whole way to bytes, and two ratios of one run:
// how much of the time is the writing, and what an event costs in a history of four times
// the length (one, if cost is linear).
func BenchmarkWrite(b *testing.B) {
	short, long := Defaults(), Defaults()
	long.Days *= 4
	var whole, inventing, longer time.Duration
	var events, longEvents int
	timed := func(sum *time.Duration, do func() error) {
		begin := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		*sum += time.Since(begin)
	}
	count := func(n *int) func(event.Event) error { return func(event.Event) error { *n++; return nil } }
	for b.Loop() {
		timed(&whole, func() error { return Write(io.Discard, short) })
		timed(&inventing, func() error { return Events(short, count(&events)) })
		timed(&longer, func() error { return Events(long, count(&longEvents)) })
	}
	b.ReportMetric(float64(events)/whole.Seconds(), "events/s")
	b.ReportMetric(1-inventing.Seconds()/whole.Seconds(), "writing/whole")
	b.ReportMetric((longer.Seconds()/float64(longEvents))/(inventing.Seconds()/float64(events)), "4×days/event")
}
