package ingest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/stewardhq/steward/internal/warehouse"
)

// lane is one partition of one generation. Its reader decodes the next span while the
// lane inserts the present one.
type lane struct {
	s          *Sink
	partition  int
	generation int
	member     string

	lastInsert time.Duration // what storing a span costs at present
}

// run returns when ctx ends or on the first error of a commit.
func (l *lane) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	start, replay, err := l.resume(ctx)
	if err != nil {
		cancel()
		return err
	}
	r := &reader{l: l, pos: start, out: make(chan *block), cost: make(chan time.Duration, 1), free: make(chan *block, 2)}
	done := make(chan struct{})
	go func() { defer close(done); r.run(ctx, replay) }()
	defer func() { cancel(); <-done }()

	var next *block
	for {
		b := next
		next = nil
		if b == nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case b = <-r.out:
			}
			if len(b.records) == 0 { // only control records went by
				if err := l.commit(ctx, b.span.last+1, ""); err != nil {
					return err
				}
				continue
			}
			if err := l.commit(ctx, b.span.first, b.span.metadata()); err != nil {
				return err
			}
		}
		l.s.cfg.hook("intent", l.partition, b.span.metadata())
		if err := l.store(ctx, b); err != nil {
			return err
		}
		select { // sets the reader's linger without waiting for it
		case r.cost <- l.lastInsert:
		default:
		}
		l.s.cfg.hook("stored", l.partition, b.span.metadata())
		select {
		case next = <-r.out:
			if len(next.records) > 0 {
				err = l.commit(ctx, next.span.first, next.span.metadata())
				break
			}
			b, next = next, nil
			err = l.commit(ctx, b.span.last+1, "")
		default:
			err = l.commit(ctx, b.span.last+1, "")
		}
		if err != nil {
			return err
		}
		l.s.cfg.hook("committed", l.partition, b.span.metadata())
		select {
		case r.free <- b:
		default:
		}
	}
}

// resume finds where to start and the intent of a predecessor, if there is one.
func (l *lane) resume(ctx context.Context) (start int64, replay *span, err error) {
	commits, err := l.s.commits(ctx, []int{l.partition})
	if err != nil {
		return 0, nil, err
	}
	starts, ends, err := l.s.bounds(ctx, []int{l.partition})
	if err != nil {
		return 0, nil, err
	}
	first, end := starts[l.partition], ends[l.partition]
	at := commits[l.partition].CommittedOffset
	if at < 0 {
		return first, nil, nil
	}
	if l.s.replay(l.partition) && at > first {
		l.s.log.Warn("the warehouse is empty although the log was stored before; storing the log again", "partition", l.partition, "from", first, "to", at)
		return first, nil, nil
	}
	intent, pending, ok := parseIntent(at, commits[l.partition].Metadata)
	if !ok {
		l.s.log.Warn("metadata of the committed offset is not an intent of ours", "partition", l.partition)
	}
	if at > end || pending && intent.last >= end {
		return 0, nil, l.beyond(ctx, at, end)
	}
	if at < first {
		// What is gone cannot be stored any more; waiting would only lose the rest as well.
		l.s.alarm(l.partition, fmt.Sprintf("records %d to %d were removed from the log before they were stored", at, first-1))
		if pending && intent.last >= first {
			return at, &intent, nil
		}
		return first, nil, nil
	}
	l.s.alarm(l.partition, "")
	l.s.setCommitted(l.partition, at)
	if pending {
		l.s.log.Info("replaying the span of an intent", "partition", l.partition, "span", intent.metadata())
		return at, &intent, nil
	}
	return at, nil, nil
}

// beyond waits for the generation's end: the log has lost its tail or is another log, and
// reading on would silently skip whatever is written up to the committed offset.
func (l *lane) beyond(ctx context.Context, at, end int64) error {
	l.s.alarm(l.partition, fmt.Sprintf("the committed offset %d is beyond the log's end %d: the log lost records or was made anew", at, end))
	<-ctx.Done()
	return ctx.Err()
}

// commit moves the partition's offset. Every error means that this lane may own the
// partition no more.
func (l *lane) commit(ctx context.Context, offset int64, metadata string) error {
	l.s.cfg.hook("commit", l.partition, metadata)
	if err := ctx.Err(); err != nil {
		return err
	}
	cctx, cancel := context.WithTimeout(ctx, l.s.cfg.Timeout)
	defer cancel()
	res, err := l.s.client.OffsetCommit(cctx, &kafka.OffsetCommitRequest{
		GroupID: l.s.cfg.Group, GenerationID: l.generation, MemberID: l.member,
		Topics: map[string][]kafka.OffsetCommit{l.s.cfg.Topic: {{Partition: l.partition, Offset: offset, Metadata: metadata}}},
	})
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	answered := false
	for _, p := range res.Topics[l.s.cfg.Topic] {
		if p.Partition == l.partition {
			answered = true
			if p.Error != nil {
				return fmt.Errorf("commit: %w", p.Error)
			}
		}
	}
	if !answered {
		return errors.New("commit: no answer for the partition")
	}
	l.s.setCommitted(l.partition, offset)
	return nil
}

// store inserts a block whose intent is committed. When the data is refused it cuts the
// block, and each piece becomes a span with an intent of its own.
func (l *lane) store(ctx context.Context, b *block) error {
	started := time.Now()
	attempts, err := l.insert(ctx, b)
	if err == nil {
		l.lastInsert = time.Since(started)
		l.observe(b, attempts, started)
		return nil
	}
	var refused *refusedError
	if !errors.As(err, &refused) {
		return err
	}
	topic, partition := l.s.cfg.Topic, int32(l.partition)
	if len(b.records) == 1 {
		l.s.log.Warn("the warehouse refused a record; it goes to quarantine", "partition", l.partition, "offset", b.records[0].offset, "error", refused.err)
		return l.store(ctx, b.refused(topic, partition, refused.err))
	}
	head, tail := b.halve(topic, partition)
	for _, half := range []*block{head, tail} {
		if err := l.commit(ctx, half.span.first, half.span.metadata()); err != nil {
			return err
		}
		l.s.cfg.hook("intent", l.partition, half.span.metadata())
		if err := l.store(ctx, half); err != nil {
			return err
		}
	}
	return nil
}

// refusedError says that the events, not the moment, are at fault.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return "refused: " + e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

// token names a span for ever. It depends on nothing but the place in the log.
func (l *lane) token(s span) string {
	topic := l.s.cfg.Topic
	if l.s.cfg.TopicID != "" {
		topic += ":" + l.s.cfg.TopicID
	}
	return topic + "/" + strconv.Itoa(l.partition) + "/" + s.metadata()
}

// insert tries until the block is stored, refused, or ctx ends.
func (l *lane) insert(ctx context.Context, b *block) (attempts int, err error) {
	backoff := 50 * time.Millisecond
	defer l.s.struggle(l.partition, 0, nil)
	for {
		attempts++
		err := l.insertOnce(ctx, b)
		taken := err == nil // whatever putting rows back meets, the data is not at fault
		if taken && (b.replayed || attempts > 1) {
			err = l.restore(ctx, b)
		}
		switch {
		case err == nil:
			return attempts, nil
		case ctx.Err() != nil:
			return attempts, ctx.Err()
		case !taken && b.rows() > 0 && warehouse.IsRefused(err):
			return attempts, &refusedError{err}
		}
		if attempts == 1 || backoff >= l.s.cfg.MaxBackoff {
			l.s.log.Error("the warehouse does not take a span; trying again", "partition", l.partition, "span", b.span.metadata(), "attempt", attempts, "error", err)
		}
		if attempts > 2 {
			l.s.struggle(l.partition, attempts, err)
		}
		pause(ctx, backoff)
		backoff = min(2*backoff, l.s.cfg.MaxBackoff)
	}
}

func (l *lane) insertOnce(ctx context.Context, b *block) error {
	ctx, cancel := context.WithTimeout(ctx, l.s.cfg.InsertTimeout)
	defer cancel()
	if err := b.vault.Register(ctx, b.people...); err != nil {
		return err
	}
	token := l.token(b.span)
	if b.rows() > 0 {
		if err := l.s.cfg.DB.Insert(ctx, "events", eventColumns, token, b.fill); err != nil {
			return err
		}
	}
	if len(b.bad) > 0 {
		return l.s.cfg.DB.Insert(ctx, "quarantine", badColumns, token, func(to warehouse.Batch) error { return fillBad(to, b.bad) })
	}
	return nil
}

func (l *lane) observe(b *block, attempts int, started time.Time) {
	if l.s.cfg.Observe == nil {
		return
	}
	l.s.cfg.Observe(SinkStat{
		Partition: l.partition, Rows: b.rows(), Quarantined: len(b.bad), Attempts: attempts,
		Duration: time.Since(started), Age: time.Since(b.records[0].time), Replayed: b.replayed,
	})
}
