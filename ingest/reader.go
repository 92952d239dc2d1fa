package ingest

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// reader cuts a partition into blocks. It works one block ahead of its lane: while the
// lane inserts, the reader goes on filling the next one, so spans grow with the load by
// themselves.
type reader struct {
	l     *lane
	pos   int64 // the next offset to read
	first int64 // the offset the next span starts at: one behind the last span
	out   chan *block
	cost  chan time.Duration // of the lane's last insert
	free  chan *block        // stored, to be filled again

	linger  time.Duration
	current *block
	since   time.Time // when current got its first record
}

// maxSpanWidth cuts spans that would be wider than an intent may be, should a log have
// enormous gaps.
const maxSpanWidth = maxIntent / 2

// run reads until ctx ends. replay is cut first, exactly.
func (r *reader) run(ctx context.Context, replay *span) {
	cfg := &r.l.s.cfg
	r.linger = cfg.Idle
	backoff := 50 * time.Millisecond
	r.first = r.pos
	if replay != nil {
		r.current = &block{span: span{replay.first, replay.last}, replayed: true, vault: r.l.s.cfg.Vault}
		r.pos = max(r.pos, replay.first)
	}
	for ctx.Err() == nil {
		wait := 500 * time.Millisecond
		if r.current != nil {
			wait = cfg.Idle
		}
		records, next, end, err := r.l.s.fetch(ctx, r.l.partition, r.pos, wait)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, errRange) {
			if err = r.outOfRange(ctx); err == nil {
				continue
			}
		}
		for _, rec := range records {
			if !r.take(ctx, rec) {
				return
			}
		}
		if len(records) > 0 || next > r.pos {
			backoff = 50 * time.Millisecond
		}
		r.pos = max(r.pos, next)
		if err != nil {
			if ctx.Err() == nil {
				r.l.s.log.Warn("reading the log", "partition", r.l.partition, "offset", r.pos, "error", err)
			}
			pause(ctx, backoff)
			backoff = min(2*backoff, cfg.MaxBackoff)
			continue
		}
		if !r.afterFetch(ctx, len(records), end) {
			return
		}
	}
}

// block takes one that the lane is done with, or makes one.
func (r *reader) block(s span) *block {
	select {
	case b := <-r.free:
		return b.recycle(s)
	default:
		return &block{span: s, vault: r.l.s.cfg.Vault}
	}
}

// take adds a record and emits what is full.
func (r *reader) take(ctx context.Context, rec record) bool {
	cfg := &r.l.s.cfg
	if b := r.current; b != nil && b.replayed && rec.offset > b.span.last {
		if !r.emit(ctx) {
			return false
		}
	}
	if r.current == nil {
		r.current, r.since = r.block(span{r.first, rec.offset}), time.Now()
	}
	b := r.current
	b.add(cfg.Topic, int32(r.l.partition), rec)
	if b.replayed {
		if rec.offset == b.span.last {
			return r.emit(ctx)
		}
		return true
	}
	b.span.last = rec.offset
	if len(b.records) >= cfg.Rows || b.bytes >= cfg.Bytes || b.span.last-b.span.first >= maxSpanWidth {
		return r.emit(ctx)
	}
	return true
}

// afterFetch emits a block that has waited long enough, when the lane is free for it.
func (r *reader) afterFetch(ctx context.Context, got int, end int64) bool {
	select {
	case c := <-r.cost:
		// Under steady load a span waits as long as storing one takes: an event is then
		// visible after about twice that, and the warehouse has half of the time for
		// questions. Spans grow by themselves when it is busy.
		r.linger = min(max(c, r.l.s.cfg.Idle), r.l.s.cfg.MaxWait)
	default:
	}
	b := r.current
	if b == nil {
		if r.pos > r.first && got == 0 { // only control records since the last span
			r.current = &block{span: span{r.first, r.pos - 1}, vault: r.l.s.cfg.Vault}
			return r.offer()
		}
		return true
	}
	if b.replayed {
		if r.pos > b.span.last {
			return r.emit(ctx)
		}
		return true
	}
	if b.span.last < r.pos-1 {
		b.span.last = r.pos - 1 // control records behind the last event belong to the span
	}
	linger := r.linger
	if r.pos < end { // more is there already: fill the span
		linger = r.l.s.cfg.MaxWait
	}
	if got == 0 || time.Since(r.since) >= linger {
		return r.offer()
	}
	return true
}

// emit waits for the lane.
func (r *reader) emit(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case r.out <- r.current:
		r.first, r.current = r.current.span.last+1, nil
		return true
	}
}

// offer leaves the block growing when the lane is busy.
func (r *reader) offer() bool {
	select {
	case r.out <- r.current:
		r.first, r.current = r.current.span.last+1, nil
	default:
		if len(r.current.records) == 0 {
			r.current = nil
		}
	}
	return true
}

// outOfRange tells a log that was trimmed under the reader from one that lost its end.
func (r *reader) outOfRange(ctx context.Context) error {
	starts, ends, err := r.l.s.bounds(ctx, []int{r.l.partition})
	if err != nil {
		return err
	}
	start, end := starts[r.l.partition], ends[r.l.partition]
	switch {
	case r.pos < start:
		r.l.s.alarm(r.l.partition, fmt.Sprintf("records %d to %d were removed from the log before they were stored", r.pos, start-1))
		r.pos = start
		return nil
	case r.pos > end:
		_ = r.l.beyond(ctx, r.pos, end)
		return ctx.Err()
	}
	return errRange
}
