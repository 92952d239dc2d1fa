package broker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// TestMain is also the child process of the tests that kill a broker.
func TestMain(m *testing.M) {
	if dir := os.Getenv("STEWARD_TEST_BROKER_DIR"); dir != "" {
		if err := runChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runChild is a broker until its standard input ends.
func runChild(dir string) error {
	b, err := Start(context.Background(), Config{Dir: dir, MaxBytes: 8 << 20, Topics: []Topic{{EventsTopic, 4}}})
	if err != nil {
		return err
	}
	fmt.Println(b.Addrs()[0])
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return b.Stop(context.Background())
}

type child struct {
	cmd  *exec.Cmd
	addr string
}

func startChild(t *testing.T, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STEWARD_TEST_BROKER_DIR="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not start: %v, %v", err, cmd.Wait())
	}
	c := &child{cmd, strings.TrimSpace(addr)}
	t.Cleanup(c.kill)
	return c
}

func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	}
}

// anyBroker is one of the two kinds the common suite runs on.
type anyBroker struct {
	*Broker
	topic  string
	reopen func() *Broker // stop and start with the same configuration
}

// eachKind runs the suite on the embedded broker and on a real Kafka.
func eachKind(t *testing.T, test func(t *testing.T, b *anyBroker)) {
	for _, kind := range []string{"embedded", "kafka"} {
		t.Run(kind, func(t *testing.T) {
			cfg := Config{Topics: []Topic{{EventsTopic, 4}}}
			if kind == "kafka" {
				cfg.Addrs = realKafka(t)
				cfg.Topics[0].Name = fmt.Sprintf("steward.test.%s.%d", strings.ReplaceAll(t.Name(), "/", "."), time.Now().UnixNano())
			} else {
				cfg.Dir = t.TempDir()
			}
			b := &anyBroker{Broker: start(t, cfg), topic: cfg.Topics[0].Name}
			b.reopen = func() *Broker {
				stop(t, b.Broker)
				b.Broker = start(t, cfg)
				return b.Broker
			}
			test(t, b)
		})
	}
}

// realKafka answers the addresses of the cluster that .ci/kafka.sh starts.
func realKafka(t *testing.T) []string {
	t.Helper()
	addrs := os.Getenv("STEWARD_KAFKA")
	if addrs == "" {
		missing(t, "STEWARD_KAFKA names no real Kafka; .ci/kafka.sh starts one")
	}
	return strings.Split(addrs, ",")
}

// missing skips a test that lacks something, except in CI, which has everything.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("STEWARD_CI") == "1" {
		t.Fatal(what)
	}
	t.Skip(what)
}

func start(t *testing.T, cfg Config) *Broker {
	t.Helper()
	b, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, b) })
	return b
}

func stop(t *testing.T, b *Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := b.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// producer sends each record once, acknowledged by all, as the product does.
func producer(t *testing.T, addrs []string, more ...kgo.Opt) *kgo.Client {
	t.Helper()
	return client(t, append([]kgo.Opt{
		kgo.SeedBrokers(addrs...),
		kgo.MaxVersions(kversion.V2_8_0()), // commits name topics, not ids, as kafka-go's do
		kgo.DisableIdempotentWrite(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.RecordRetries(0),
		kgo.MaxProduceRequestsInflightPerBroker(1),
		kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(1 << 20),
	}, more...)...)
}

func client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.MetadataMinAge(20 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func send(t *testing.T, c *kgo.Client, topic string, partition int32, value string) (offset int64, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r, err := c.ProduceSync(ctx, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)}).First()
	if err != nil {
		return -1, err
	}
	return r.Offset, nil
}

func mustSend(t *testing.T, c *kgo.Client, topic string, partition int32, value string) int64 {
	t.Helper()
	offset, err := send(t, c, topic, partition, value)
	if err != nil {
		t.Fatal(err)
	}
	return offset
}

// readAll reads every partition from its start to its end, and fails when an
// offset is missing or comes twice.
func readAll(t *testing.T, b *Broker, topic string) map[int32][]*kgo.Record {
	t.Helper()
	starts, ends, err := b.bounds(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	from := make(map[int32]kgo.Offset)
	left := 0
	for p, end := range ends {
		from[p] = kgo.NewOffset().At(starts[p])
		if end > starts[p] {
			left++
		}
	}
	c := client(t, kgo.SeedBrokers(b.Addrs()...), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}))
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	got := make(map[int32][]*kgo.Record)
	for left > 0 {
		fetches := c.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if want := starts[r.Partition] + int64(len(got[r.Partition])); r.Offset != want {
				t.Fatalf("%s/%d has offset %d where %d follows", topic, r.Partition, r.Offset, want)
			}
			got[r.Partition] = append(got[r.Partition], r)
			if r.Offset == ends[r.Partition]-1 {
				left--
			}
		})
	}
	return got
}

// commit commits an offset with metadata outside of a generation.
func commit(t *testing.T, c *kgo.Client, group, topic string, partition int32, offset int64, note string) error {
	t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	rt := kmsg.NewOffsetCommitRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewOffsetCommitRequestTopicPartition()
	rp.Partition, rp.Offset, rp.Metadata = partition, offset, &note
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	return kerrOf(resp.Topics[0].Partitions[0].ErrorCode)
}

func committed(t *testing.T, c *kgo.Client, group, topic string, partition int32) (int64, string) {
	t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	rt := kmsg.NewOffsetFetchRequestTopic()
	rt.Topic, rt.Partitions = topic, []int32{partition}
	req.Topics = append(req.Topics, rt)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	resp, err := c.Request(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	p := resp.(*kmsg.OffsetFetchResponse).Topics[0].Partitions[0]
	return p.Offset, *p.Metadata
}

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

// eventually retries what a real cluster may refuse while it elects coordinators.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	var err error
	for range 100 {
		if err = try(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal(err)
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
	for i := range 5 {
		eventually(t, func() error { // the client may only now notice that its connection is closed
			got, err := send(t, c, EventsTopic, 0, "x")
			if err == nil && got != int64(i) {
				t.Fatalf("offset %d, want %d", got, i)
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
	if len(readAll(t, b, EventsTopic)[0]) != 5 {
		t.Fatal("records are missing")
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
