package ingest

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/stewardhq/steward/internal/warehouse"
)

// The conformance suite: what the product needs of a log, on the embedded broker and on
// an Apache Kafka.

func TestConformanceEmbedded(t *testing.T) { conformance(t, false) }

func TestConformanceKafka(t *testing.T) {
	if os.Getenv("STEWARD_KAFKA") == "" {
		unavailable(t, "STEWARD_KAFKA names no Kafka")
	}
	conformance(t, true)
}

func conformance(t *testing.T, real bool) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, real bool)
	}{
		{"publish", testPublish},
		{"the table of who is who is a topic", testIdentityTopic},
		{"sink", testSink},
		{"direct", testDirect},
		{"records that are no events", testBadRecords},
		{"rebalance with three members", testRebalance},
		{"member killed", testMemberKilled},
		{"member paused", testMemberPaused},
		{"broker restart", testBrokerRestart},
		{"warehouse away", testOutage},
		{"warehouse hangs", testHang},
		{"reply lost", testReplyLost},
		{"rows refused", testRefused},
		{"upgrade with an intent pending", testPendingIntent},
		{"committed beyond the end", testBeyondEnd},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, real) })
	}
}

func testPublish(t *testing.T, real bool) {
	w := newWorld(t, real, 8)
	events := sample("p", 400)
	w.publish(events...)
	s, err := NewSink(w.config())
	if err != nil {
		t.Fatal(err)
	}
	home := make(map[string]int)
	var got []string
	for p := range 8 {
		for pos := int64(0); ; {
			records, next, end, err := s.fetch(t.Context(), p, pos, 50*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				e, f, err := ParseCloudEvent(r.value)
				if err != nil {
					t.Fatal(err)
				}
				if at, ok := home[f.Incident]; ok && at != p {
					t.Errorf("%s is on partitions %d and %d", f.Incident, at, p)
				}
				home[f.Incident] = p
				got = append(got, e.ID)
			}
			if pos = next; pos >= end {
				break
			}
		}
	}
	var want []string
	for _, e := range events {
		want = append(want, e.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d events in the log, want %d", len(got), len(want))
	}
	if len(home) < 50 {
		t.Errorf("%d incidents", len(home))
	}
}

func testSink(t *testing.T, real bool) {
	w := newWorld(t, real, 4)
	s, _ := w.start(w.config())
	w.publish(sample("a", 3000)...)
	w.drain(s)
	w.publish(sample("b", 3000)...)
	w.drain(s)
	w.exactly(6000, 0)
	lag, err := s.Lag(t.Context())
	if err != nil || lag.Records != 0 || lag.Oldest != 0 {
		t.Errorf("lag %+v, %v", lag, err)
	}
	// Idle: committed to the end, and no intent left to age.
	deadline := time.Now().Add(10 * time.Second)
	for {
		commits, err := s.commits(t.Context(), []int{0, 1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		_, ends, err := s.bounds(t.Context(), []int{0, 1, 2, 3})
		if err != nil {
			t.Fatal(err)
		}
		idle := true
		for p, c := range commits {
			idle = idle && c.CommittedOffset == ends[p] && c.Metadata == ""
		}
		if idle {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("commits %+v, ends %v", commits, ends)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := s.Health(); err != nil {
		t.Error(err)
	}
}

func testDirect(t *testing.T, real bool) {
	w := newWorld(t, real, 4)
	cfg := w.config()
	cfg.Direct = true
	s, stop := w.start(cfg)
	w.publish(sample("a", 2000)...)
	w.drain(s)
	stop()
	w.publish(sample("b", 2000)...)
	s, _ = w.start(cfg)
	w.drain(s)
	w.exactly(4000, 0)
}

func (w *world) raw(msgs ...kafka.Message) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := w.pub.write(ctx, msgs); err != nil {
		w.t.Fatal(err)
	}
}

func testBadRecords(t *testing.T, real bool) {
	w := newWorld(t, real, 2)
	s, _ := w.start(w.config())
	good := sample("good", 40)
	bomb := strings.Repeat("[", 10_000)
	bad := []string{
		"", "{", "null", "not json", "\x00", "\xff\xfe", bomb, `{"specversion":"1.0","data":` + bomb,
		`{"specversion":"1.0","id":"1","source":"/x","type":"com.example.other"}`,
		`{"specversion":"1.0","id":"1","source":"/x","type":"dev.steward.incident.opened.v1","time":"2026-01-01T00:00:00Z","data":{"incident":"i"}}`,
		`{"specversion":"1.0","id":1e400,"source":"/x","type":"dev.steward.incident.opened.v1"}`,
	}
	for i, text := range bad {
		w.publish(good[2*i])
		w.raw(kafka.Message{Key: []byte("k"), Value: []byte(text)})
		w.publish(good[2*i+1])
	}
	w.raw(kafka.Message{Key: []byte("k")}) // a tombstone
	if err := w.pub.PublishPoison(t.Context(), Poison{Source: "pagerduty", Account: "acme", Reason: "no event", Field: "event.id", Header: map[string]string{"content-type": "application/json"}, Body: []byte(`{"event":{}}`), Received: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	w.drain(s)
	if got := queryUint(t, w.db, "SELECT count() FROM events"); got != uint64(2*len(bad)) {
		t.Errorf("%d neighbours stored, want %d", got, 2*len(bad))
	}
	if got := queryUint(t, w.db, "SELECT count() FROM quarantine"); got != uint64(len(bad)+1) {
		t.Errorf("%d rows in quarantine, want %d", got, len(bad)+1)
	}
	for _, text := range bad {
		rows, err := w.db.Query(t.Context(), "test", "SELECT count() FROM quarantine WHERE raw = {raw:String} AND source = 'kafka' AND reason != ''", warehouse.Param{Name: "raw", Value: text})
		if err != nil {
			t.Fatal(err)
		}
		var n uint64
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				t.Fatal(err)
			}
		}
		rows.Close()
		if n != 1 && !(strings.Contains(text, "\x00") || strings.Contains(text, "\xff")) { // parameters are text; those two are in the count above
			t.Errorf("%.40q is in quarantine %d times", text, n)
		}
	}
	if got := queryUint(t, w.db, `SELECT count() FROM quarantine WHERE source = 'pagerduty' AND account = 'acme' AND field = 'event.id'
		AND reason = 'no event' AND raw = '{"event":{}}' AND received = '2026-01-02 03:04:05.000' AND headers = '{"content-type":"application/json"}'`); got != 1 {
		t.Error("the poison's row is not as it was published")
	}
}

func testRebalance(t *testing.T, real bool) {
	w := newWorld(t, real, 6)
	const rounds, each = 12, 500
	var members []func()
	var sinks []*Sink
	add := func() {
		s, stop := w.start(w.config())
		members, sinks = append(members, stop), append(sinks, s)
	}
	add()
	add()
	add()
	for i := range rounds {
		w.publish(sample(fmt.Sprintf("r%d-", i), each)...)
		switch i {
		case 3:
			members[0]()
			members, sinks = members[1:], sinks[1:]
		case 6:
			add()
		case 9:
			members[0]()
			members, sinks = members[1:], sinks[1:]
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.drain(sinks[0])
	w.exactly(rounds*each, 0)
}

// testMemberKilled cuts a member off at each step of the protocol; it never comes back.
func testMemberKilled(t *testing.T, real bool) {
	for _, stage := range []string{"commit", "intent", "stored"} {
		t.Run(stage, func(t *testing.T) {
			w := newWorld(t, real, 2)
			cable := &wire{}
			release := make(chan struct{})
			var killed atomic.Bool
			cfg := w.config()
			cfg.dial = cable.dial
			reached := make(chan struct{})
			cfg.hook = func(at string, _ int, metadata string) {
				if at == stage && metadata != "" {
					if killed.CompareAndSwap(false, true) {
						cable.cut()
						close(reached)
					}
				}
				if killed.Load() {
					<-release // a dead process does nothing more
				}
			}
			w.publish(sample("a", 1000)...)
			_, stop := w.start(cfg)
			<-reached
			s, _ := w.start(w.config())
			w.drain(s)
			close(release)
			stop()
			w.publish(sample("b", 100)...)
			w.drain(s)
			w.exactly(1100, 0)
		})
	}
}

// testMemberPaused freezes a member between its intent and its insert for longer than its
// session, lets another take over, and wakes it inside the old generation.
func testMemberPaused(t *testing.T, real bool) {
	w := newWorld(t, real, 2)
	cable := &wire{}
	var once sync.Once
	var asleep atomic.Bool
	paused, wake := make(chan struct{}), make(chan struct{})
	cfg := w.config()
	cfg.dial = cable.dial
	cfg.hook = func(at string, _ int, _ string) {
		if at == "intent" {
			once.Do(func() { cable.freeze(); asleep.Store(true); close(paused) })
		}
		if asleep.Load() {
			<-wake
		}
	}
	w.publish(sample("a", 1000)...)
	zombie, _ := w.start(cfg)
	<-paused
	s, _ := w.start(w.config())
	w.drain(s)
	w.exactly(1000, 0)
	asleep.Store(false)
	close(wake)
	cable.unfreeze()
	w.publish(sample("b", 1000)...)
	w.drain(s)
	w.drain(zombie)
	w.exactly(2000, 0)
}

func testBrokerRestart(t *testing.T, real bool) {
	var own string
	if real {
		// A node of its own: the one of STEWARD_KAFKA serves other packages' tests meanwhile.
		own = t.TempDir()
		out := kafkaScript(t, "start", own)
		t.Cleanup(func() { kafkaScript(t, "stop", own) })
		_, rest, _ := strings.Cut(out, "STEWARD_KAFKA=")
		address, _, _ := strings.Cut(rest, " ")
		t.Setenv("STEWARD_KAFKA", strings.TrimSpace(address))
	}
	w := newWorld(t, real, 4)
	s, _ := w.start(w.config())
	var published, acknowledged int
	for round := range 3 {
		done := make(chan int)
		go func() {
			n := 0
			for i := range 30 {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				if w.pub.Publish(ctx, sample(fmt.Sprintf("x%d-%d-", round, i), 50)...) == nil {
					n += 50
				}
				cancel()
			}
			done <- n
		}()
		time.Sleep(50 * time.Millisecond)
		if real {
			kafkaScript(t, "restart", own)
		} else {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			if err := w.broker.Restart(ctx); err != nil {
				t.Fatal(err)
			}
			cancel()
		}
		acknowledged += <-done
		published += 1500
	}
	w.drain(s)
	// A batch whose reply was lost is in the log without having been acknowledged, perhaps
	// twice; identities are what counts, and every acknowledged one is there.
	got := int(queryUint(t, w.db, "SELECT uniqExact(source, id) FROM events"))
	if got < acknowledged || got > published {
		t.Errorf("%d events stored, %d acknowledged of %d", got, acknowledged, published)
	}
	if n, m := queryUint(t, w.db, "SELECT count() FROM passed"), queryUint(t, w.db, "SELECT uniqExact(partition, offset) FROM passed"); n != m {
		t.Errorf("%d rows in the view for %d records", n, m)
	}
	if acknowledged == 0 {
		t.Error("nothing was acknowledged")
	}
}

// kafkaScript runs .ci/kafka.sh on a node of ours.
func kafkaScript(t *testing.T, verb, dir string) string {
	t.Helper()
	cmd := exec.Command("bash", "../.ci/kafka.sh", verb, dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("kafka.sh %s: %v", verb, err)
	}
	return string(out)
}

func testOutage(t *testing.T, real bool) {
	w := newWorld(t, real, 2)
	var away atomic.Bool
	away.Store(true)
	sharedFaults.set(func(*http.Request, string) error {
		if away.Load() {
			return errCut
		}
		return nil
	}, nil)
	s, _ := w.start(w.config())
	w.publish(sample("a", 2000)...)
	for deadline := time.Now().Add(30 * time.Second); s.Health() == nil && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if lag, err := s.Lag(t.Context()); err != nil || lag.Records != 2000 || lag.Oldest <= 0 {
		t.Errorf("lag while away: %+v, %v", lag, err)
	}
	if err := s.Health(); err == nil || !strings.Contains(err.Error(), "attempts") {
		t.Errorf("health while away: %v", err)
	}
	w.publish(sample("b", 500)...)
	w.exactly(0, 0)
	away.Store(false)
	w.drain(s)
	if err := s.Health(); err != nil {
		t.Errorf("health afterwards: %v", err)
	}
	w.exactly(2500, 0)
}

func testHang(t *testing.T, real bool) {
	w := newWorld(t, real, 2)
	var hangs atomic.Int64
	sharedFaults.set(func(req *http.Request, _ string) error {
		if hangs.Add(1) <= 3 {
			<-req.Context().Done()
			return req.Context().Err()
		}
		return nil
	}, nil)
	cfg := w.config()
	cfg.InsertTimeout = 500 * time.Millisecond
	cfg.Direct = true
	s, _ := w.start(cfg)
	w.publish(sample("a", 400)...)
	deadline := time.Now().Add(20 * time.Second)
	for hangs.Load() < 3 && time.Now().Before(deadline) {
		time.Sleep(20 * time.Millisecond)
	}
	w.drain(s)
	w.exactly(400, 0)
}

func testReplyLost(t *testing.T, real bool) {
	w := newWorld(t, real, 2)
	var lost atomic.Int64
	sharedFaults.set(nil, func(*http.Request, string) error {
		if lost.Add(1)%2 == 1 {
			return errCut
		}
		return nil
	})
	s, _ := w.start(w.config())
	for i := range 5 {
		w.publish(sample(fmt.Sprint("a", i), 400)...)
		w.drain(s)
	}
	w.exactly(2000, 0)
	if lost.Load() < 10 {
		t.Errorf("%d inserts: no reply was lost", lost.Load())
	}
}

func testRefused(t *testing.T, real bool) {
	w := newWorld(t, real, 2)
	ctx := t.Context()
	if err := w.db.Exec(ctx, "test", "ALTER TABLE events ADD CONSTRAINT IF NOT EXISTS no_poison CHECK title NOT LIKE '%POISON%'"); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.db.Exec(context.Background(), "test", "ALTER TABLE events DROP CONSTRAINT IF EXISTS no_poison"); err != nil {
			t.Error(err)
		}
	}()
	events := sample("a", 1200)
	bad := 0
	for i := 0; i < len(events); i += 400 { // openings
		events[i].Data = []byte(strings.Replace(string(events[i].Data), "Disk full", "POISON", 1))
		bad++
	}
	w.publish(events...)
	s, _ := w.start(w.config())
	w.drain(s)
	w.exactly(1200-bad, bad)
	if got := queryUint(t, w.db, "SELECT count() FROM quarantine WHERE reason LIKE 'refused by the warehouse%' AND raw LIKE '%POISON%'"); got != uint64(bad) {
		t.Errorf("%d rows say that the warehouse refused them, want %d", got, bad)
	}
}

// testPendingIntent starts on what another version left: an intent whose insert was done,
// and one whose insert was not.
func testPendingIntent(t *testing.T, real bool) {
	for _, done := range []bool{false, true} {
		t.Run(fmt.Sprintf("inserted=%t", done), func(t *testing.T) {
			w := newWorld(t, real, 1)
			w.publish(sample("a", 300)...)
			old, err := NewSink(w.config())
			if err != nil {
				t.Fatal(err)
			}
			l := &lane{s: old, partition: 0, generation: -1}
			if err := l.commit(t.Context(), 20, "20-219"); err != nil {
				t.Fatal(err)
			}
			read := func(from, to int64) *block {
				b := &block{span: span{from, to}}
				for pos := from; pos <= to; {
					records, next, _, err := old.fetch(t.Context(), 0, pos, 100*time.Millisecond)
					if err != nil {
						t.Fatal(err)
					}
					for _, r := range records {
						if r.offset <= to {
							b.add(w.topic, 0, r)
						}
					}
					pos = next
				}
				return b
			}
			// The first twenty were stored long ago, by spans of another size.
			if err := l.insertOnce(t.Context(), read(0, 19)); err != nil {
				t.Fatal(err)
			}
			if done {
				if err := l.insertOnce(t.Context(), read(20, 219)); err != nil {
					t.Fatal(err)
				}
			}
			cfg := w.config()
			var replayed atomic.Int64
			cfg.Rows = 64 // smaller than the intent, which is replayed whole all the same
			cfg.Observe = func(st SinkStat) {
				if st.Replayed {
					replayed.Add(int64(st.Rows))
				}
			}
			s, _ := w.start(cfg)
			w.drain(s)
			w.exactly(300, 0)
			if replayed.Load() != 200 {
				t.Errorf("%d rows replayed, want 200", replayed.Load())
			}
		})
	}
}

func testBeyondEnd(t *testing.T, real bool) {
	w := newWorld(t, real, 1)
	w.publish(sample("a", 10)...)
	s, err := NewSink(w.config())
	if err != nil {
		t.Fatal(err)
	}
	l := &lane{s: s, partition: 0, generation: -1}
	if err := l.commit(t.Context(), 5000, ""); err != nil {
		t.Fatal(err)
	}
	s, _ = w.start(w.config())
	deadline := time.Now().Add(20 * time.Second)
	for s.Health() == nil {
		if time.Now().After(deadline) {
			t.Fatal("no alarm")
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.exactly(0, 0)
}
