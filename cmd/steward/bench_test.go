package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// BenchmarkColdStart times serve from its start to answering, on an empty directory and on
// one with a year of the demo's size behind it, and what it keeps in memory when idle.
func BenchmarkColdStart(b *testing.B) {
	dir := b.TempDir()
	history := steward(b, nil, "simulate", "--days", "90")
	file := filepath.Join(dir, "history.json")
	if err := os.WriteFile(file, []byte(history.out), 0o600); err != nil {
		b.Fatal(err)
	}
	full := filepath.Join(dir, "full")
	if got := steward(b, nil, "import", "--format", "cloudevents", "--data", full, file); got.code != exitDone {
		b.Fatal(got.err)
	}
	for _, name := range []string{"empty", "full"} {
		b.Run(name, func(b *testing.B) {
			var took time.Duration
			var idle float64
			n := 0
			for b.Loop() {
				data := full
				if name == "empty" {
					data = filepath.Join(dir, "empty"+itoa(n))
				}
				n++
				begin := time.Now()
				s := start(b, data)
				took += time.Since(begin)
				time.Sleep(2 * time.Second) // what start-up needed is given back
				idle = max(idle, resident(b, s.cmd.Process.Pid))
				if err := s.stop(syscall.SIGTERM); err != nil {
					b.Fatal(err, s.log.String())
				}
			}
			b.ReportMetric(took.Seconds()/float64(n), "cold-start-s")
			if idle > 0 {
				b.ReportMetric(idle, "idle-MB")
			}
		})
	}
}

// resident answers megabytes, 0 where /proc does not tell.
func resident(b *testing.B, pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(text), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	return 0
}

// BenchmarkVisible sends a thousand events a second for half a minute, while two people
// each report an incident and reload its page until it is there, one after the other: the
// time from sending the event to having the page, its making included. More of them would
// be most of the load on two cores.
func BenchmarkVisible(b *testing.B) {
	s := start(b, filepath.Join(b.TempDir(), "data"), "--dev")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	one := func(id string) string {
		return fmt.Sprintf(`{"specversion":"1.0","id":"b%s","source":"/bench/v","type":"dev.steward.incident.opened.v1","subject":"v:%s","time":"%s","data":{"incident":"v:%s","title":"Slow"}}`, id, id, time.Now().UTC().Format(time.RFC3339Nano), id)
	}
	probe := func(id string) (time.Duration, error) {
		begin := time.Now()
		if err := post(client, s.url, "["+one(id)+"]"); err != nil {
			return 0, err
		}
		for time.Since(begin) < time.Minute {
			resp, err := client.Get(s.url + "/incidents/v:" + id)
			if err != nil {
				return 0, err
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				return 0, err
			}
			if resp.StatusCode == http.StatusOK && strings.Contains(string(body), "Slow") {
				return time.Since(begin), nil
			}
			time.Sleep(20 * time.Millisecond)
		}
		return 0, errors.New("an event is not visible after a minute")
	}
	var took []time.Duration
	sent := 0
	for b.Loop() {
		var (
			mu   sync.Mutex
			all  sync.WaitGroup
			done = make(chan struct{})
		)
		for p := range 2 {
			all.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-done:
						return
					case <-time.After(50 * time.Millisecond):
					}
					d, err := probe(fmt.Sprintf("probe-%d-%d-%d", sent, p, i))
					if err != nil {
						b.Error(err)
						return
					}
					mu.Lock()
					took = append(took, d)
					mu.Unlock()
				}
			})
		}
		tick := time.NewTicker(10 * time.Millisecond)
		for range 3000 {
			<-tick.C
			var batch []string
			for range 10 {
				sent++
				batch = append(batch, one(itoa(sent)))
			}
			all.Go(func() {
				if err := post(client, s.url, "["+strings.Join(batch, ",")+"]"); err != nil {
					b.Error(err)
				}
			})
		}
		tick.Stop()
		close(done)
		all.Wait()
	}
	if err := s.stop(syscall.SIGTERM); err != nil {
		b.Error(err)
	}
	if len(took) == 0 {
		b.Fatal("nothing was probed")
	}
	slices.Sort(took)
	b.ReportMetric(float64(len(took)), "probes")
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "visible-p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Milliseconds()), "visible-p99-ms")
}

func post(client *http.Client, url, batch string) error {
	resp, err := client.Post(url+"/ingest/cloudevents", "application/cloudevents-batch+json", strings.NewReader(batch))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}
