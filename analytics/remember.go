package analytics

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
)

// remembered are rows that several pages ask for within seconds. They are everybody's rows,
// before it is decided who reads what of them; who gets them must not change them.
type remembered struct {
	fresh shelf[mark]
	slow  shelf[slowMark]
	asked atomic.Int64 // when a page last asked for slow rows, Unix milliseconds
}

// shelf keeps rows while a mark stays what it was.
type shelf[M comparable] struct {
	mu     sync.Mutex
	mark   M
	rows   map[string]aged
	flight singleflight.Group
}

type aged struct {
	at   time.Time
	rows any
}

// rememberedMost bounds what is kept; windows are anybody's to choose.
const rememberedMost = 64

// remember is what read says, or what it said less than freshFor ago if nothing arrived since.
func remember[T any](ctx context.Context, s *Store, key string, read func(context.Context) (T, error)) (T, error) {
	m, err := s.mark(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return keep(ctx, s.life, &s.kept.fresh, m, s.now(), freshFor, key, read)
}

// keep is what read says, or what it said at this mark and less than most ago. Who asks at once
// is answered by one read, which goes on when its caller leaves: the next will ask again.
func keep[M comparable, T any](ctx context.Context, l *life, c *shelf[M], m M, now time.Time, most time.Duration, key string, read func(context.Context) (T, error)) (T, error) {
	var none T
	c.mu.Lock()
	if c.mark != m || c.rows == nil || len(c.rows) >= rememberedMost {
		c.mark, c.rows = m, map[string]aged{}
	}
	old, found := c.rows[key]
	c.mu.Unlock()
	if age := now.Sub(old.at); found && age >= 0 && age < most {
		return old.rows.(T), nil
	}
	ch := c.flight.DoChan(fmt.Sprint(m, " ", key), func() (any, error) {
		own, cancel := l.detach(ctx)
		defer cancel()
		rows, err := read(own)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.mark == m && c.rows != nil {
			c.rows[key] = aged{now, rows}
		}
		return rows, nil
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
