// Package limit keeps one caller from taking what belongs to all: a token bucket for each,
// in bounded memory, and who a caller is.
//
// Theory of operation
//
//  1. Every key, a token's id or an address, has a bucket (golang.org/x/time/rate). A full
//     bucket is the same as none: so a bucket is forgotten when it is full again, and only
//     then. Forgetting one that is not full would set a blocked caller free, and a flood
//     of new addresses is how it would ask for that.
//  2. At most Keys buckets exist. When all are in use, the full ones are swept out, once a
//     second at most. What still finds no place shares a few buckets by its hash: under a
//     flood from thousands of addresses strangers are slowed together, those who are known
//     are not, and memory stays as it is (about 200 bytes a key).
//  3. The address of a caller is that of the connection, unless the operator has said that
//     a proxy stands there (address.go). An IPv6 caller is its /64, since one host has as
//     many addresses as it likes.
package limit

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// DefaultKeys bounds the memory of a Limiter to about 2 MB.
const DefaultKeys = 10_000

// shared is how many buckets those without one of their own are spread over.
const shared = 64

// sweepEvery bounds what the search for full buckets costs under a flood.
const sweepEvery = time.Second

// Config is what a caller may do. All fields but Keys are required.
type Config struct {
	PerSecond float64 // sustained
	Burst     int     // at once, after a pause
	Keys      int     // default DefaultKeys
	Now       func() time.Time
}

// Limiter holds the buckets. All methods are goroutine-safe.
type Limiter struct {
	cfg  Config
	seed maphash.Seed

	mu     sync.Mutex
	own    map[string]*rate.Limiter
	crowd  [shared]*rate.Limiter
	swept  time.Time
	sweeps int // for tests
}

// New makes a Limiter in which nobody has done anything yet.
func New(cfg Config) *Limiter {
	if cfg.Keys <= 0 {
		cfg.Keys = DefaultKeys
	}
	l := &Limiter{cfg: cfg, seed: maphash.MakeSeed(), own: make(map[string]*rate.Limiter)}
	for i := range l.crowd {
		l.crowd[i] = l.bucket()
	}
	return l
}

func (l *Limiter) bucket() *rate.Limiter {
	return rate.NewLimiter(rate.Limit(l.cfg.PerSecond), l.cfg.Burst)
}

// Take counts one doing of key. If it is one too many, ok is false, nothing is counted,
// and wait is how long the caller should.
func (l *Limiter) Take(key string) (wait time.Duration, ok bool) {
	now := l.cfg.Now()
	b := l.find(key, now, true)
	if b.AllowN(now, 1) {
		return 0, true
	}
	return l.until(b, now), false
}

// Blocked says whether Take would refuse, without counting anything.
func (l *Limiter) Blocked(key string) (wait time.Duration, blocked bool) {
	now := l.cfg.Now()
	b := l.find(key, now, false)
	if b == nil || b.TokensAt(now) >= 1 {
		return 0, false
	}
	return l.until(b, now), true
}

// until is when the bucket holds one again, at least a second.
func (l *Limiter) until(b *rate.Limiter, now time.Time) time.Duration {
	seconds := (1 - b.TokensAt(now)) / l.cfg.PerSecond
	// Whole seconds are what Retry-After can say; what is left of the division is not one.
	return max(time.Duration(math.Ceil(seconds-1e-6))*time.Second, time.Second)
}

// find is the bucket of a key; without add nil where it has none.
func (l *Limiter) find(key string, now time.Time, add bool) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.own[key]; b != nil {
		return b
	}
	if len(l.own) >= l.cfg.Keys {
		l.sweep(now)
	}
	if len(l.own) >= l.cfg.Keys {
		return l.crowd[maphash.String(l.seed, key)%shared]
	}
	if !add {
		return nil
	}
	b := l.bucket()
	l.own[key] = b
	return b
}

// sweep forgets the full buckets.
func (l *Limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepEvery && !now.Before(l.swept) {
		return
	}
	l.swept = now
	l.sweeps++
	for key, b := range l.own {
		if b.TokensAt(now) >= float64(l.cfg.Burst) {
			delete(l.own, key)
		}
	}
}
