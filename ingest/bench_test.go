package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
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
				var spans atomic.Int64
				cfg.Observe = func(SinkStat) { spans.Add(1) }
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
				b.ReportMetric(float64(spans.Load()), "spans")
				b.ReportMetric(n/sink.Seconds(), "sink-rows/s")
				b.ReportMetric(n/bare.Seconds(), "bare-rows/s")
				b.ReportMetric(bare.Seconds()/sink.Seconds(), "ratio")
			}
		})
	}
}

// BenchmarkWebhookAck prints signed deliveries acknowledged a second by 64 clients over
// HTTP, and the p99 of an acknowledgement against the p99 of a bare append with fsync.
func BenchmarkWebhookAck(b *testing.B) {
	for _, partitions := range []int{1, 8} {
		b.Run(fmt.Sprint(partitions, "-partitions"), func(b *testing.B) { webhookAck(b, partitions) })
	}
}

func webhookAck(b *testing.B, partitions int) {
	w := newWorld(b, false, partitions)
	intake := NewIntake(IntakeConfig{Publisher: w.pub, Secrets: map[string][]string{"pagerduty": {"secret"}}})
	server := httptest.NewServer(intake)
	defer server.Close()
	const clients = 64
	body := delivery(b)
	var envelope struct {
		Event struct{ Data struct{ ID string } }
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Event.Data.ID == "" {
		b.Fatal("the delivery names no incident: ", err)
	}
	incident := []byte(`"` + envelope.Event.Data.ID + `"`)
	// The clients write requests by hand: on a machine of few cores a whole HTTP client
	// would cost as much as the server that is measured.
	post := func(c *bufio.ReadWriter, n int64) error {
		own := bytes.ReplaceAll(body, incident, fmt.Appendf(nil, `"Q%013d"`, n%1000))
		fmt.Fprintf(c, "POST /ingest/pagerduty HTTP/1.1\r\nHost: steward\r\nContent-Type: application/json\r\nX-PagerDuty-Signature: %s\r\nContent-Length: %d\r\n\r\n", sign("secret", own), len(own))
		c.Write(own)
		if err := c.Flush(); err != nil {
			return err
		}
		status, err := c.ReadString('\n')
		if err != nil || !strings.HasPrefix(status, "HTTP/1.1 202 ") {
			return fmt.Errorf("%q %w", status, err)
		}
		length := 0
		for {
			line, err := c.ReadString('\n')
			if err != nil {
				return err
			}
			if line == "\r\n" {
				break
			}
			fmt.Sscanf(line, "Content-Length: %d", &length)
		}
		_, err = c.Discard(length)
		return err
	}

	raw := &kafka.Client{Addr: kafka.TCP(w.broker.Addrs()...), Transport: transport(nil, nil)}
	value := MarshalCloudEvent(sample("b", 1)[0])
	var bare []time.Duration
	for i := range 600 {
		start := time.Now()
		res, err := raw.Produce(b.Context(), &kafka.ProduceRequest{
			Topic: w.topic, Partition: i % partitions, RequiredAcks: kafka.RequireAll,
			Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte("k")), Value: kafka.NewBytes(value)}),
		})
		if err != nil || res.Error != nil {
			b.Fatal(err, res)
		}
		if i >= 100 {
			bare = append(bare, time.Since(start))
		}
	}

	const each = 400
	for b.Loop() {
		took := make([][]time.Duration, clients)
		var n atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		for c := range clients {
			wg.Go(func() {
				conn, err := net.Dial("tcp", server.Listener.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer conn.Close()
				rw := bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriterSize(conn, 16<<10))
				for range each {
					from := time.Now()
					if err := post(rw, n.Add(1)); err != nil {
						b.Error(err)
						return
					}
					took[c] = append(took[c], time.Since(from))
				}
			})
		}
		wg.Wait()
		wall := time.Since(start)
		ack := p99(slices.Concat(took...))
		b.ReportMetric(clients*each/wall.Seconds(), "acks/s")
		b.ReportMetric(float64(ack.Microseconds())/1000, "ack-p99-ms")
		b.ReportMetric(float64(p99(bare).Microseconds())/1000, "append-p99-ms")
		b.ReportMetric(ack.Seconds()/p99(bare).Seconds(), "p99-ratio")
	}
}

func p99(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)*99/100]
}
