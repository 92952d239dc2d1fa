package broker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
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
