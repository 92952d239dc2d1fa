package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/app"
)

func itoa(n int) string { return strconv.Itoa(n) }

// logs is written by the process's pipe and read by the test.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// server is the whole program in a process of its own.
type server struct {
	cmd  *exec.Cmd
	url  string
	log  logs
	stop func(os.Signal) error // signals and waits; the error is the exit
}

func start(t testing.TB, data string, more ...string) *server {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	before, err := app.ReadRecord(data)
	if err != nil {
		t.Fatal(err)
	}
	s := &server{cmd: exec.Command(exe, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, more...)...)}
	// Empty is not set: a Kafka for other tests must not become this one's.
	s.cmd.Env = append(os.Environ(), "STEWARD_TEST_PROGRAM=1", "STEWARD_KAFKA=")
	s.cmd.Stderr = &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	for deadline := time.Now().Add(time.Minute); ; {
		r, err := app.ReadRecord(data)
		if err == nil && r != nil && r.PID == s.cmd.Process.Pid && (before == nil || r.PID != before.PID) {
			s.url = r.URL
			break
		}
		select {
		case err := <-ended:
			if strings.Contains(s.log.String(), "make engine") && os.Getenv("STEWARD_CI") == "" {
				t.Skip("the engine is not here")
			}
			t.Fatalf("serve ended: %v\n%s", err, s.log.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("serve does not come up\n%s", s.log.String())
		}
	}
	t.Cleanup(func() { _ = s.cmd.Process.Kill() }) // nothing to kill is fine
	s.stop = func(sig os.Signal) error {
		if err := s.cmd.Process.Signal(sig); err != nil {
			return err
		}
		return <-ended
	}
	return s
}

// Whatever moment the process is killed at, every event that was answered with 202 is in
// the answers once, and the answers are those of an undisturbed import of the same history.
func TestChaosKillTheWholeProcess(t *testing.T) {
	cycles := 3
	if v := os.Getenv("STEWARD_CHAOS_CYCLES"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		cycles = n
	}
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d cycles", seed, cycles)
	random := rand.New(rand.NewPCG(seed, 1))

	// Enough history that there is something to send in every cycle.
	history := steward(t, nil, "simulate", "--teams", "3", "--services", "8", "--people", "15", "--days", itoa(20+cycles*4), "--end", "2026-06-01")
	if history.code != exitDone {
		t.Fatal(history.err)
	}
	calm := filepath.Join(dir, "calm")
	file := filepath.Join(dir, "history.json")
	if err := os.WriteFile(file, []byte(history.out), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := steward(t, nil, "import", "--format", "cloudevents", "--strict", "--data", calm, file); got.code != exitDone {
		t.Fatal(got.err)
	}
	batches := cut(strings.Split(strings.TrimSpace(history.out), "\n"), 10)

	data := filepath.Join(dir, "stormy")
	var address sync.Map // "url" of the server of the moment
	s := start(t, data, "--dev")
	address.Store("url", s.url)
	var senders sync.WaitGroup
	todo := make(chan string, len(batches))
	for range 4 {
		senders.Go(func() {
			for b := range todo {
				deliver(t, &address, b)
			}
		})
	}
	share := len(batches)/cycles + 1
	for i := range cycles {
		for _, b := range batches[min(i*share, len(batches)):min((i+1)*share, len(batches))] {
			todo <- b
		}
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		if err := s.stop(syscall.SIGKILL); err == nil {
			t.Fatalf("cycle %d: a killed process ends with 0", i)
		}
		s = start(t, data, "--dev")
		address.Store("url", s.url)
		// The note stands after the word in the log, which comes through a pipe and may be late.
		for end := time.Now().Add(10 * time.Second); !strings.Contains(s.log.String(), "did not end cleanly") && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		if !strings.Contains(s.log.String(), "did not end cleanly") {
			t.Fatalf("cycle %d: the restart does not say that its predecessor was killed\n%s", i, s.log.String())
		}
	}
	close(todo)
	senders.Wait()
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Fatalf("SIGTERM: %v\n%s", err, s.log.String())
	}

	for _, metric := range []string{"incidents", "pages", "interruptions", "time_to_ack", "time_to_resolve", "oncall_hours", "ownership_quadrant", "hops"} {
		want, got := rows(t, calm, metric), rows(t, data, metric)
		if want != got {
			t.Errorf("%s after %d kills (seed %d)\nundisturbed %s\nkilled      %s", metric, cycles, seed, want, got)
		}
		if want == "" {
			t.Errorf("%s is empty: nothing was compared", metric)
		}
	}
}

func rows(t *testing.T, data, metric string) string {
	t.Helper()
	got := steward(t, nil, "query", metric, "--data", data, "--format", "csv", "--by", "team", "--from", "2025-01-01", "--to", "2026-06-01", "--as-of", "2026-06-01")
	if got.code != exitDone {
		t.Fatal(got.err)
	}
	if strings.Count(got.out, "\n") < 2 {
		return ""
	}
	return got.out
}

// deliver sends a batch until it is acknowledged, as webhook senders do.
func deliver(t *testing.T, address *sync.Map, batch string) {
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		u, _ := address.Load("url")
		resp, err := client.Post(fmt.Sprint(u, "/ingest/cloudevents"), "application/cloudevents-batch+json", strings.NewReader(batch))
		if err == nil {
			var answer struct {
				Accepted int    `json:"accepted"`
				Error    string `json:"error"`
			}
			bad := json.NewDecoder(resp.Body).Decode(&answer)
			resp.Body.Close()
			if bad == nil && resp.StatusCode == http.StatusAccepted {
				return
			}
			if resp.StatusCode >= 400 && resp.StatusCode < 500 {
				t.Errorf("a good batch is refused with %s: %s", resp.Status, answer.Error)
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("a batch is not accepted for two minutes")
}

func cut(lines []string, n int) (batches []string) {
	for len(lines) > 0 {
		k := min(n, len(lines))
		batches = append(batches, "["+strings.Join(lines[:k], ",")+"]")
		lines = lines[k:]
	}
	return batches
}
