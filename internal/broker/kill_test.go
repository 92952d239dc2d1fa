package broker

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

func kerrOf(code int16) error { return kerr.ErrorForCode(code) }

// TestKilledWhileAppending kills the broker at random moments under load. What
// was acknowledged must be at its offset afterwards, offsets must follow one
// another, and so must the committed offset of a group.
func TestKilledWhileAppending(t *testing.T) {
	const cycles, writers = 8, 8
	dir := t.TempDir()
	type where struct {
		partition int32
		offset    int64
	}
	var mu sync.Mutex
	acked := make(map[where]string)
	commitOf := int64(-1)
	for cycle := range cycles {
		broker := startChild(t, dir)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for w := range writers {
			c := producer(t, []string{broker.addr})
			wg.Go(func() {
				defer c.Close()
				for n := 0; ctx.Err() == nil; n++ {
					value := fmt.Sprintf("%d/%d/%d %s", cycle, w, n, strings.Repeat("x", rand.IntN(3000)))
					p := int32(w % 4)
					offset, err := send(t, c, EventsTopic, p, value)
					if err != nil {
						return
					}
					mu.Lock()
					if before, ok := acked[where{p, offset}]; ok {
						t.Errorf("%d/%d acknowledged to %.20s and to %.20s", p, offset, before, value)
					}
					acked[where{p, offset}] = value
					mu.Unlock()
					if w == 0 && n%5 == 4 {
						if commit(t, c, "sink", EventsTopic, p, offset, fmt.Sprintf("%d-", offset)) != nil {
							return
						}
						mu.Lock()
						commitOf = offset
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		broker.kill()
		cancel()
		wg.Wait()
	}
	b := start(t, Config{Dir: dir, MaxBytes: 8 << 20, Topics: []Topic{{EventsTopic, 4}}})
	if f := b.Findings(); len(f) > 0 {
		t.Errorf("findings after a kill: %v", f)
	}
	if err := b.Check(t.Context()); err != nil {
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
			t.Fatalf("%v was acknowledged with %.20s and holds %.20q", at, value, stored[at])
		}
	}
	offset, note := committed(t, producer(t, b.Addrs()), "sink", EventsTopic, 0)
	if offset < commitOf || note != fmt.Sprintf("%d-", offset) {
		t.Fatalf("the group's commit of %d came back as %d %q", commitOf, offset, note)
	}
	if len(acked) == 0 || commitOf < 0 {
		t.Fatal("nothing was acknowledged, so nothing was tried")
	}
	t.Logf("%d kills, %d acknowledged, %d stored", cycles, len(acked), len(stored))
}
