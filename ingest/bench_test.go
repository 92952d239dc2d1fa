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
	"strconv"
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

// BenchmarkWebhookAck prints what 64 clients get who send signed deliveries over HTTP and
// wait for each acknowledgement, and what they pay beside what the log costs by itself.
//
//   - acks/s: as fast as they can.
//   - ack-p99-ms: at 10,000 a second, each delivery counted from the moment it was due, so
//     that a stall is not hidden by the clients that wait for it.
//   - p99-ratio: that ÷ the p99 of the same 64 clients who append one record each to the
//     broker and wait for its fsync, with nothing of ours between.
//   - lone-ratio: that ÷ the p99 of a single client who appends with nobody else there.
func BenchmarkWebhookAck(b *testing.B) {
	for _, partitions := range []int{1, 2, 8} {
		b.Run(fmt.Sprint(partitions, "-partitions"), func(b *testing.B) { webhookAck(b, partitions) })
	}
}

const (
	webhookClients = 64
	webhookRate    = 10_000 // a second, of all clients together
)

func webhookAck(b *testing.B, partitions int) {
	w := newWorld(b, false, partitions)
	intake := NewIntake(IntakeConfig{Publisher: w.pub, SecretsFor: secretsOf("pagerduty", "secret")})
	server := httptest.NewServer(intake)
	defer server.Close()
	body := delivery(b)
	var envelope struct {
		Event struct{ Data struct{ ID string } }
	}
	if err := json.Unmarshal(body, &envelope); err != nil || envelope.Event.Data.ID == "" {
		b.Fatal("the delivery names no incident: ", err)
	}
	// The requests are written beforehand, whole: on a machine of few cores the making of
	// signatures and headers would take from the server that is measured.
	requests := make([][]byte, 1000)
	for i := range requests {
		own := bytes.ReplaceAll(body, []byte(`"`+envelope.Event.Data.ID+`"`), fmt.Appendf(nil, `"Q%013d"`, i))
		head := fmt.Sprintf("POST /ingest/pagerduty HTTP/1.1\r\nHost: steward\r\nContent-Type: application/json\r\nX-PagerDuty-Signature: %s\r\nContent-Length: %d\r\n\r\n", sign("secret", own), len(own))
		requests[i] = append([]byte(head), own...)
	}
	deliver := func() (func(n int) error, func() error) {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
		answer := bufio.NewReader(conn)
		return func(n int) error {
			if _, err := conn.Write(requests[n%len(requests)]); err != nil {
				return err
			}
			return accepted(answer)
		}, conn.Close
	}
	raw := &kafka.Client{Addr: kafka.TCP(w.broker.Addrs()...), Transport: transport(nil, nil)}
	value := MarshalCloudEvent(sample("b", 1)[0])
	bare := func() (func(n int) error, func() error) {
		return func(n int) error {
			res, err := raw.Produce(b.Context(), &kafka.ProduceRequest{
				Topic: w.topic, Partition: n % partitions, RequiredAcks: kafka.RequireAll,
				Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte("k")), Value: kafka.NewBytes(value)}),
			})
			if err != nil {
				return err
			}
			return res.Error
		}, func() error { return nil }
	}
	crowd(b, webhookClients, 3200, 0, deliver) // connections are made, code is warm
	crowd(b, 1, 100, 0, bare)
	for b.Loop() {
		lone, _ := crowd(b, 1, 500, 0, bare)
		together, _ := crowd(b, webhookClients, 6400, 0, bare)
		_, rate := crowd(b, webhookClients, 64_000, 0, deliver)
		paced, _ := crowd(b, webhookClients, 5*webhookRate, webhookRate, deliver)
		ack := p99(paced)
		b.ReportMetric(rate, "acks/s")
		b.ReportMetric(float64(ack.Microseconds())/1000, "ack-p99-ms")
		b.ReportMetric(float64(p99(lone).Microseconds())/1000, "lone-append-p99-ms")
		b.ReportMetric(float64(p99(together).Microseconds())/1000, "append-p99-ms")
		b.ReportMetric(ack.Seconds()/p99(together).Seconds(), "p99-ratio")
		b.ReportMetric(ack.Seconds()/p99(lone).Seconds(), "lone-ratio")
	}
}

// crowd lets clients do n things together, rate a second if it is not 0, and answers how
// long each took and how many a second were done.
func crowd(b *testing.B, clients, n, rate int, client func() (do func(int) error, end func() error)) (took []time.Duration, perSecond float64) {
	each := make([][]time.Duration, clients)
	var wait sync.WaitGroup
	start := time.Now()
	for c := range clients {
		do, end := client()
		wait.Go(func() {
			defer end()
			for i := c; i < n; i += clients {
				due := time.Now()
				if rate > 0 {
					due = start.Add(time.Duration(i) * time.Second / time.Duration(rate))
					time.Sleep(time.Until(due))
				}
				if err := do(i); err != nil {
					b.Error(err)
					return
				}
				each[c] = append(each[c], time.Since(due))
			}
		})
	}
	wait.Wait()
	return slices.Concat(each...), float64(n) / time.Since(start).Seconds()
}

// accepted reads an answer that must be 202.
func accepted(answer *bufio.Reader) error {
	status, err := answer.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(status, []byte("HTTP/1.1 202 ")) {
		return fmt.Errorf("%q %w", status, err)
	}
	length := 0
	for {
		line, err := answer.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			break
		}
		if text, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(text))); err != nil {
				return err
			}
		}
	}
	_, err = answer.Discard(length)
	return err
}

func p99(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)*99/100]
}
