package limit

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time        { return time.Unix(1_780_000_000, c.at.Load()) }
func (c *clock) pass(by time.Duration) { c.at.Add(int64(by)) }

func TestTake(t *testing.T) {
	c := &clock{}
	l := New(Config{PerSecond: 10.0 / 60, Burst: 20, Now: c.now})
	for i := range 20 {
		if _, ok := l.Take("a"); !ok {
			t.Fatalf("number %d of a burst of 20 is refused", i+1)
		}
	}
	if wait, ok := l.Take("a"); ok || wait != 6*time.Second {
		t.Errorf("after the burst: %v, wait %v; want 6s", ok, wait)
	}
	if wait, blocked := l.Blocked("a"); !blocked || wait != 6*time.Second {
		t.Errorf("Blocked says %v, %v", blocked, wait)
	}
	if _, blocked := l.Blocked("b"); blocked {
		t.Error("a stranger is blocked")
	}
	if _, ok := l.Take("b"); !ok {
		t.Error("one caller is refused for another")
	}
	c.pass(5 * time.Second)
	if wait, ok := l.Take("a"); ok || wait != time.Second {
		t.Errorf("a second too early: %v, wait %v", ok, wait)
	}
	c.pass(time.Second)
	if _, ok := l.Take("a"); !ok {
		t.Error("who waited as told is refused")
	}
	if _, ok := l.Take("a"); ok {
		t.Error("one is refilled and two are let through")
	}
}

// A flood of new callers neither sets a blocked one free nor grows the memory, and those
// who have a bucket keep it.
func TestFlood(t *testing.T) {
	c := &clock{}
	l := New(Config{PerSecond: 1, Burst: 5, Keys: 100, Now: c.now})
	for range 5 {
		l.Take("blocked")
	}
	l.Take("regular")
	refused := 0
	for i := range 20_000 {
		if _, ok := l.Take(fmt.Sprint("stranger ", i)); !ok {
			refused++
		}
		if _, ok := l.Take("blocked"); ok {
			t.Fatalf("after %d strangers the blocked one is free", i)
		}
	}
	if n := len(l.own); n > 100 {
		t.Errorf("%d buckets, the bound is 100", n)
	}
	if refused < 19_000 {
		t.Errorf("%d of 20000 strangers are refused", refused)
	}
	if _, ok := l.Take("regular"); !ok {
		t.Error("who was there before the flood is refused")
	}
	if l.sweeps > 1 {
		t.Errorf("%d sweeps within one moment", l.sweeps)
	}
	// When it is over, full buckets give way.
	c.pass(10 * time.Second)
	if _, ok := l.Take("late"); !ok || l.own["late"] == nil || len(l.own) > 2 {
		t.Errorf("after the flood %d buckets are left", len(l.own))
	}
}

// Under the bound a sweep forgets nothing that matters: what a caller may do is the same
// as without any bound.
func TestSweepForgetsOnlyTheFull(t *testing.T) {
	c := &clock{}
	small := New(Config{PerSecond: 1, Burst: 3, Keys: 4, Now: c.now})
	large := New(Config{PerSecond: 1, Burst: 3, Keys: 1000, Now: c.now})
	for i := range 2000 {
		// A few callers at a time, always others.
		key := fmt.Sprint(i/20, " ", i%3)
		if _, a := small.Take(key); true {
			if _, b := large.Take(key); a != b {
				t.Fatalf("request %d: %v with a bound, %v without", i, a, b)
			}
		}
		c.pass(300 * time.Millisecond)
		if i%20 == 19 {
			c.pass(3 * time.Second)
		}
	}
	if small.sweeps < 10 {
		t.Errorf("%d sweeps: nothing was tried", small.sweeps)
	}
}

func TestConcurrentTakes(t *testing.T) {
	c := &clock{}
	l := New(Config{PerSecond: 1, Burst: 50, Keys: 10, Now: c.now})
	var all sync.WaitGroup
	var let atomic.Int64
	for range 8 {
		all.Go(func() {
			for i := range 500 {
				if _, ok := l.Take("one"); ok {
					let.Add(1)
				}
				l.Blocked("one")
				l.Take(fmt.Sprint(i))
			}
		})
	}
	all.Wait()
	if let.Load() != 50 {
		t.Errorf("%d of a burst of 50 are let through", let.Load())
	}
}

func BenchmarkTake(b *testing.B) {
	l := New(Config{PerSecond: 1e9, Burst: 1e9, Now: time.Now})
	for b.Loop() {
		l.Take("token")
	}
}
