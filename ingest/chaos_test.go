package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/broker"
	"github.com/stewardhq/steward/internal/warehouse"
)

// The kill -9 harness. The test binary runs itself as the process that dies: it kills
// itself at a random step of the protocol or in the middle of an insert, so that every
// place to die is reached, not only those a timer happens to hit. Meanwhile one insert in
// ten fails, loses its reply or hangs, and one event in fifty is refused.

// chaosConfig is what a child is told, as JSON in STEWARD_CHAOS.
type chaosConfig struct {
	Addrs     []string // of a broker elsewhere, or:
	BrokerDir string   // of a broker of its own
	Topic     string
	Dir       string // of the warehouse
	Group     string
	Seed      uint64 // 0: neither kills nor faults
	Serve     bool   // take events over HTTP
}

// digestOf is everything two runs must agree on.
type digestOf struct {
	Rows, Identities, Passed, Records, Quarantined uint64
	Events, Places, Bad                            string // hashes over all rows; of copies of one event, those that count
}

const chaosPartitions = 4

// chaosChild is the child's main. Roles: run, until killed; finish, which stores what is
// left and prints the digest.
func chaosChild(role string) int {
	var cfg chaosConfig
	if err := json.Unmarshal([]byte(os.Getenv("STEWARD_CHAOS")), &cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := chaosRun(role, cfg); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func chaosRun(role string, cfg chaosConfig) error {
	ctx := context.Background()
	bcfg := broker.Config{Addrs: cfg.Addrs, Dir: cfg.BrokerDir, Topics: []broker.Topic{{Name: cfg.Topic, Partitions: chaosPartitions}}}
	b, err := broker.Start(ctx, bcfg)
	if err != nil {
		return err
	}
	id, err := b.TopicID(ctx, cfg.Topic)
	if err != nil {
		return err
	}
	var f *faults
	random := rand.New(rand.NewPCG(cfg.Seed, 1))
	var mu sync.Mutex
	chance := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n) == 0
	}
	if cfg.Seed != 0 {
		f = chaosFaults(chance)
	}
	db, err := openWarehouse(ctx, cfg.Dir, f)
	if err != nil {
		return err
	}
	if err := db.Exec(ctx, "chaos", "ALTER TABLE events ADD CONSTRAINT IF NOT EXISTS no_poison CHECK title NOT LIKE '%POISON%'"); err != nil {
		return err
	}
	scfg := SinkConfig{
		Brokers: b.Addrs(), Topic: cfg.Topic, TopicID: id, Group: cfg.Group, DB: db, Direct: cfg.BrokerDir != "",
		Rows: 300, Session: time.Second, InsertTimeout: time.Second, MaxBackoff: 100 * time.Millisecond,
	}
	if role == "finish" {
		scfg.InsertTimeout = time.Minute
	}
	if cfg.Seed != 0 {
		scfg.hook = func(string, int, string) {
			switch {
			case chance(60):
				kill9()
			case chance(40): // inside whatever comes next
				mu.Lock()
				d := time.Duration(random.IntN(30_000)) * time.Microsecond
				mu.Unlock()
				time.AfterFunc(d, kill9)
			}
		}
	}
	s, err := NewSink(scfg)
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(run) }()
	if cfg.Serve {
		p, err := NewPublisher(PublisherConfig{Brokers: b.Addrs(), Topic: cfg.Topic})
		if err != nil {
			return err
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		go http.Serve(ln, NewIntake(IntakeConfig{Publisher: p}))
		fmt.Println("serving", ln.Addr())
	}
	if role != "finish" {
		return <-done
	}
	drain, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	if err := s.Drain(drain); err != nil {
		return err
	}
	stop()
	if err := <-done; err != nil {
		return err
	}
	d, err := digestTables(ctx, db)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if err := b.Stop(ctx); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(d)
}

func kill9() { syscall.Kill(os.Getpid(), syscall.SIGKILL) }

func chaosFaults(chance func(int) bool) *faults {
	f := &faults{}
	f.set(func(req *http.Request, _ string) error {
		switch {
		case chance(30):
			return errCut
		case chance(100):
			<-req.Context().Done()
			return req.Context().Err()
		}
		return nil
	}, func(*http.Request, string) error {
		if chance(15) {
			return errCut
		}
		return nil
	})
	return f
}

func digestTables(ctx context.Context, db *warehouse.DB) (digestOf, error) {
	var d digestOf
	rows, err := db.Query(ctx, "digest", `SELECT
		(SELECT count() FROM events FINAL), (SELECT uniqExact(source, id) FROM events),
		(SELECT count() FROM passed), (SELECT uniqExact(partition, offset) FROM passed),
		(SELECT count() FROM quarantine),
		(SELECT toString(sum(cityHash64(* EXCEPT (partition, offset)))) FROM events FINAL),
		(SELECT toString(sum(cityHash64(*))) FROM passed),
		(SELECT toString(sum(cityHash64(*))) FROM quarantine)`)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&d.Rows, &d.Identities, &d.Passed, &d.Records, &d.Quarantined, &d.Events, &d.Places, &d.Bad); err != nil {
			return d, err
		}
	}
	return d, rows.Err()
}

// child starts this binary as a chaos child.
func child(t *testing.T, role string, cfg chaosConfig, stdout io.Writer) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "STEWARD_CHAOS_ROLE="+role, "STEWARD_CHAOS="+string(text))
	cmd.Stdout = stdout
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func finish(t *testing.T, cfg chaosConfig) digestOf {
	t.Helper()
	cfg.Seed, cfg.Serve = 0, false
	var out bytes.Buffer
	if err := child(t, "finish", cfg, &out).Wait(); err != nil {
		t.Fatalf("the last run: %v", err)
	}
	var d digestOf
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		t.Fatalf("the last run said %q: %v", out.String(), err)
	}
	return d
}

func chaosCycles(t *testing.T) int {
	text := os.Getenv("STEWARD_CHAOS_CYCLES")
	if text == "" {
		if testing.Short() {
			return 2
		}
		return 6
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("STEWARD_CHAOS_CYCLES=%q", text)
	}
	return n
}

// chaosBatch is 20 events in batched mode; one in 260 will be refused, and takes some ten inserts to isolate.
func chaosBatch(i int) []byte {
	b := []byte{'['}
	for j, e := range sample(fmt.Sprintf("c%d-", i), 20) {
		if (i*20+j)%260 == 0 {
			e.Data = bytes.Replace(e.Data, []byte("Disk full"), []byte("POISON"), 1)
		}
		if j > 0 {
			b = append(b, ',')
		}
		b = append(b, MarshalCloudEvent(e)...)
	}
	return append(b, ']')
}

// compare checks I1 to I3: everything acknowledged once, no block folded in twice, and the
// tables equal to those of a run that nothing disturbed.
func compare(t *testing.T, got, undisturbed digestOf, acknowledged int) {
	t.Helper()
	t.Logf("%+v", got)
	if got != undisturbed {
		t.Errorf("tables differ from the undisturbed run:\n%+v\n%+v", got, undisturbed)
	}
	if got.Passed != got.Records {
		t.Errorf("%d rows in the view for %d records", got.Passed, got.Records)
	}
	if got.Rows != got.Identities {
		t.Errorf("%d rows for %d events", got.Rows, got.Identities)
	}
	if n := got.Identities + got.Quarantined; int(n) < acknowledged {
		t.Errorf("%d events and %d in quarantine for %d acknowledged", got.Identities, got.Quarantined, acknowledged)
	}
	if got.Quarantined == 0 {
		t.Error("nothing was refused")
	}
}

// TestChaosSinkKilled kills the sink alone, again and again, and restarts the broker under
// it at times.
func TestChaosSinkKilled(t *testing.T) {
	openDB(t) // says so when there is no engine, before a child has to
	cycles := chaosCycles(t)
	dir := t.TempDir()
	topic := "steward.chaos"
	b, err := broker.Start(t.Context(), broker.Config{Dir: filepath.Join(dir, "log"), Topics: []broker.Topic{{Name: topic, Partitions: chaosPartitions}}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Stop(context.Background())
	p, err := NewPublisher(PublisherConfig{Brokers: b.Addrs(), Topic: topic})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cfg := chaosConfig{Addrs: b.Addrs(), Topic: topic, Dir: filepath.Join(dir, "warehouse"), Group: "chaos"}

	total := 0
	for cycle := range cycles {
		cfg.Seed = uint64(cycle + 1)
		cmd := child(t, "run", cfg, io.Discard)
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		limit := time.NewTimer(4 * time.Second)
		for alive, n := true, 0; alive; n++ {
			if n < 40 {
				events, _, err := ParseBatch(chaosBatch(cycle*40 + n))
				if err != nil {
					t.Fatal(err)
				}
				for ctx := t.Context(); p.Publish(ctx, events...) != nil; {
					if ctx.Err() != nil {
						t.Fatal(ctx.Err())
					}
				}
				total += len(events)
			}
			if cycle%3 == 2 && n == 20 {
				if err := b.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			select {
			case <-ended:
				alive = n < 40
			case <-limit.C:
				cmd.Process.Kill()
				<-ended
				alive = n < 40
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	got := finish(t, cfg)
	calm := cfg
	calm.Dir, calm.Group = filepath.Join(dir, "calm"), "calm"
	compare(t, got, finish(t, calm), total)
}

// TestChaosNodeKilled kills the whole process: broker, warehouse, intake and sink. What
// the sender got a 202 for must be there.
func TestChaosNodeKilled(t *testing.T) {
	openDB(t) // says so when there is no engine, before a child has to
	cycles := chaosCycles(t)
	dir := t.TempDir()
	cfg := chaosConfig{BrokerDir: filepath.Join(dir, "log"), Topic: "steward.chaos", Dir: filepath.Join(dir, "warehouse"), Group: "chaos", Serve: true}

	var address atomic.Pointer[string]
	var acknowledged atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	var next atomic.Int64
	for range 3 {
		senders.Go(func() {
			for ctx.Err() == nil {
				body := chaosBatch(int(next.Add(1)))
				for !send(ctx, &address, body) && ctx.Err() == nil {
					time.Sleep(20 * time.Millisecond)
				}
				if ctx.Err() == nil {
					acknowledged.Add(20)
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	for cycle := range cycles {
		cfg.Seed = uint64(1000 + cycle)
		r, w := io.Pipe()
		cmd := child(t, "run", cfg, w)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait(); w.Close() }()
		go func() {
			for lines := bufio.NewScanner(r); lines.Scan(); {
				if at, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
					at = "http://" + at
					address.Store(&at)
				}
			}
		}()
		select {
		case <-ended:
		case <-time.After(4 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
	}
	stop()
	senders.Wait()
	if acknowledged.Load() == 0 {
		t.Fatal("nothing was acknowledged")
	}
	got := finish(t, cfg)
	calm := cfg
	calm.Dir, calm.Group = filepath.Join(dir, "calm"), "calm"
	compare(t, got, finish(t, calm), int(acknowledged.Load()))
}

func send(ctx context.Context, address *atomic.Pointer[string], body []byte) bool {
	at := address.Load()
	if at == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, *at+"/ingest/cloudevents", bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", contentBatch)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusAccepted
}
