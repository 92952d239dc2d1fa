package broker

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProduceAndConsumeAcrossRestarts(t *testing.T) {
	eachKind(t, func(t *testing.T, b *anyBroker) {
		id, err := b.TopicID(t.Context(), b.topic)
		if err != nil || len(id) != 32 {
			t.Fatalf("topic id %q, %v", id, err)
		}
		sent := 0
		for round := range 3 {
			c := producer(t, b.Addrs())
			for i := range 20 {
				p := int32(i % 4)
				want := int64(round*5 + i/4)
				if got := mustSend(t, c, b.topic, p, fmt.Sprintf("%d/%d", p, want)); got != want {
					t.Fatalf("round %d: offset %d, want %d", round, got, want)
				}
				sent++
			}
			c.Close()
			b.reopen()
			if err := b.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			n := 0
			for p, records := range readAll(t, b.Broker, b.topic) {
				for _, r := range records {
					if want := fmt.Sprintf("%d/%d", p, r.Offset); string(r.Value) != want {
						t.Fatalf("%s at %s", r.Value, want)
					}
					n++
				}
			}
			if n != sent {
				t.Fatalf("%d of %d records after the restart", n, sent)
			}
		}
		if again, err := b.TopicID(t.Context(), b.topic); err != nil || again != id {
			t.Fatalf("the topic's id changed from %s to %s, %v", id, again, err)
		}
	})
}

func TestGroupOffsetsWithMetadataSurvive(t *testing.T) {
	eachKind(t, func(t *testing.T, b *anyBroker) {
		group := "sink-" + b.topic
		c := producer(t, b.Addrs())
		for range 10 {
			mustSend(t, c, b.topic, 2, "x")
		}
		eventually(t, func() error { return commit(t, c, group, b.topic, 2, 4, "4-8") })
		b.reopen()
		c = producer(t, b.Addrs())
		var offset int64
		var note string
		eventually(t, func() error {
			if offset, note = committed(t, c, group, b.topic, 2); offset < 0 {
				return errors.New("the coordinator has not loaded the group")
			}
			return nil
		})
		if offset != 4 || note != "4-8" {
			t.Fatalf("committed %d %q", offset, note)
		}
	})
}

func TestAnExistingTopicKeepsItsPartitions(t *testing.T) {
	eachKind(t, func(t *testing.T, b *anyBroker) {
		cfg := b.cfg
		stop(t, b.Broker)
		cfg.Topics = []Topic{{b.topic, 7}, {b.topic + ".second", 2}}
		again := start(t, cfg)
		for topic, want := range map[string]int{b.topic: 4, b.topic + ".second": 2} {
			if ends, err := again.Ends(t.Context(), topic); err != nil || len(ends) != want {
				t.Fatalf("%s has %d partitions, want %d: %v", topic, len(ends), want, err)
			}
		}
	})
}

func TestRestartKeepsTheAddress(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), Topics: []Topic{{EventsTopic, 1}}})
	before := b.Addrs()[0]
	c := producer(t, b.Addrs())
	acked := map[int64]string{}
	tries := 0
	for i := range 5 {
		// The client may only now notice that its connections are closed. It gives up a record
		// that is on its way when its own question for metadata fails, so a try that failed may
		// have been written: as often as it was tried, and never instead of one acknowledged.
		eventually(t, func() error {
			value := fmt.Sprintf("%d/%d", i, tries)
			tries++
			got, err := send(t, c, EventsTopic, 0, value)
			if err == nil {
				if was, taken := acked[got]; taken {
					t.Fatalf("offset %d of %q was given again to %q", got, was, value)
				}
				acked[got] = value
			}
			return err
		})
		if err := b.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if now := b.Addrs()[0]; now != before {
			t.Fatalf("moved from %s to %s", before, now)
		}
	}
	kept := readAll(t, b, EventsTopic)[0]
	if len(acked) != 5 || len(kept) > tries {
		t.Fatalf("%d acknowledged, %d kept after %d tries", len(acked), len(kept), tries)
	}
	seen := map[string]bool{}
	for _, r := range kept {
		value := string(r.Value)
		if seen[value] {
			t.Fatalf("%q was written twice", value)
		}
		seen[value] = true
		if want, ok := acked[r.Offset]; ok && value != want {
			t.Fatalf("offset %d holds %q, acknowledged was %q", r.Offset, value, want)
		}
		delete(acked, r.Offset)
	}
	if len(acked) > 0 {
		t.Fatalf("acknowledged and missing: %v", acked)
	}
}

func TestATakenPortIsGivenUp(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := rememberPort(dir, l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	b := start(t, Config{Dir: dir, Topics: []Topic{{EventsTopic, 1}}})
	if b.Addrs()[0] == l.Addr().String() {
		t.Fatal("two listeners on one port")
	}
	mustSend(t, producer(t, b.Addrs()), EventsTopic, 0, "x")
}

func TestOneBrokerPerDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	c := startChild(t, dir)
	_, err := Start(t.Context(), Config{Dir: dir})
	if !errors.Is(err, ErrLocked) {
		t.Fatalf("started twice: %v", err)
	}
	for _, part := range []string{dir, fmt.Sprintf("process %d", c.cmd.Process.Pid)} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not say %s", err, part)
		}
	}
	c.kill()
	start(t, Config{Dir: dir})
}

func TestOnlyLoopback(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir()})
	host, _, err := net.SplitHostPort(b.Addrs()[0])
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Fatalf("listens on %v", b.Addrs())
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), Topics: []Topic{{EventsTopic, 1}}})
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"\xff\xff\xff\xff\x00\x00\x00\x00",
		"\x00\x00\x00\x0e\x7f\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", // no such request
		"\x00\x00\x00\x02\x00\x00\x00\x00",
		"\x00\x00\x00\x0a\x00\x00\x00\x09\x00\x00\x00\x00\xff\xff", // a produce request without its body
	} {
		c, err := net.Dial("tcp", b.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q was not turned away: %v", text, err)
		}
		c.Close()
	}
	mustSend(t, producer(t, b.Addrs()), EventsTopic, 0, "x")
}

func TestAfterStop(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), Topics: []Topic{{EventsTopic, 1}}})
	stop(t, b)
	stop(t, b)
	_, err := b.Ends(t.Context(), EventsTopic)
	_, idErr := b.TopicID(t.Context(), EventsTopic)
	_, faultErr := b.Inject(Fault{})
	for i, err := range []error{err, idErr, faultErr, b.Writable(), b.Check(t.Context()), b.Trim(t.Context(), EventsTopic, nil), b.Restart(t.Context())} {
		if !errors.Is(err, ErrStopped) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, "neither addresses nor a directory"},
		{Config{Dir: "x", SASL: &SASL{Mechanism: "PLAIN", User: "u"}}, "loopback only"},
		{Config{Addrs: []string{"x:1"}, SASL: &SASL{Mechanism: "GSSAPI", User: "u"}}, `"GSSAPI" is not one of`},
		{Config{Addrs: []string{"x:1"}, SASL: &SASL{Mechanism: "PLAIN"}}, "without a user"},
		{Config{Dir: "x", Topics: []Topic{{"a", -1}}}, "-1 partitions"},
		{Config{Dir: "x", MaxBytes: -1}, "negative"},
	} {
		if _, err := Start(t.Context(), c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.cfg, err, c.want)
		}
	}
}

func TestFaultsAreInjected(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), Topics: []Topic{{EventsTopic, 1}}})
	c := producer(t, b.Addrs())
	remove, err := b.Inject(Fault{Key: 0, Topic: EventsTopic, Code: 19, Times: -1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(t, c, EventsTopic, 0, "refused"); err == nil {
		t.Fatal("the fault did not happen")
	}
	remove()
	mustSend(t, c, EventsTopic, 0, "kept")
	if _, err := b.Inject(Fault{Key: 0, Lost: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := send(t, c, EventsTopic, 0, "kept, unknown to the sender"); err == nil {
		t.Fatal("the answer was not lost")
	}
	got := readAll(t, b, EventsTopic)[0]
	if len(got) != 2 || string(got[1].Value) != "kept, unknown to the sender" {
		t.Fatalf("%d records", len(got))
	}
}
