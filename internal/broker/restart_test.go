package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestStoppedWhileAppending restarts the broker, and stops it and starts it again,
// under load. An orderly stop leaves nothing to repair, and what was acknowledged,
// records and commits, is there afterwards.
func TestStoppedWhileAppending(t *testing.T) {
	const writers, partitions = 6, 2
	cycles := 60
	if testing.Short() {
		cycles = 20
	}
	type where struct {
		partition int32
		offset    int64
	}
	cfg := Config{Dir: t.TempDir(), Topics: []Topic{{EventsTopic, partitions}}}
	// A disk that takes its time makes the stop meet a request between the gate's
	// answer and the write nearly always.
	cfg.free = func(dir string) (free, total int64, err error) {
		time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
		return freeBytes(dir)
	}
	b := start(t, cfg)
	addrs := b.Addrs()
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	acked := make(map[where]string)
	commits := make([]int64, partitions)
	var wg sync.WaitGroup
	for w := range writers {
		c := producer(t, addrs, kgo.RetryBackoffFn(func(int) time.Duration { return 2 * time.Millisecond }))
		wg.Go(func() {
			p := int32(w % partitions)
			for n := 0; ctx.Err() == nil; n++ {
				value := fmt.Sprintf("%d/%d", w, n)
				offset, err := send(t, c, EventsTopic, p, value)
				if err != nil {
					continue // not acknowledged: stopped, or on its way to be
				}
				mu.Lock()
				if before, ok := acked[where{p, offset}]; ok {
					t.Errorf("%d/%d acknowledged to %s and to %s", p, offset, before, value)
				}
				acked[where{p, offset}] = value
				mu.Unlock()
				if w < partitions && commit(t, c, "sink", EventsTopic, p, offset, "") == nil {
					mu.Lock()
					commits[p] = offset
					mu.Unlock()
				}
			}
		})
	}
	for cycle := range cycles {
		time.Sleep(time.Duration(10+rand.IntN(30)) * time.Millisecond)
		if cycle%3 > 0 {
			if err := b.Restart(t.Context()); err != nil {
				t.Fatalf("restart %d: %v", cycle, err)
			}
		} else {
			stop(t, b)
			b = start(t, cfg)
		}
		if f := b.Findings(); len(f) > 0 {
			t.Fatalf("restart %d: findings %v", cycle, f)
		}
		if err := b.Check(t.Context()); err != nil {
			t.Fatalf("restart %d: %v", cycle, err)
		}
	}
	cancel()
	wg.Wait()
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	stored := make(map[where]string)
	for p, records := range readAll(t, b, EventsTopic) {
		for _, r := range records {
			stored[where{p, r.Offset}] = string(r.Value)
		}
	}
	for at, value := range acked {
		if stored[at] != value {
			t.Fatalf("%v was acknowledged with %s and holds %q", at, value, stored[at])
		}
	}
	c := producer(t, b.Addrs())
	for p, want := range commits {
		if offset, _ := committed(t, c, "sink", EventsTopic, int32(p)); offset < want {
			t.Fatalf("the commit of %d in partition %d came back as %d", want, p, offset)
		}
	}
	if len(acked) == 0 || commits[0] == 0 {
		t.Fatal("nothing was acknowledged, so nothing was tried")
	}
	t.Logf("%d stops, %d acknowledged, %d stored", cycles, len(acked), len(stored))
}
