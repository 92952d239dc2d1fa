package ingest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Position is one record's place in the log.
type Position struct {
	Partition int
	Offset    int64
}

// Lag is how far the warehouse is behind the log.
type Lag struct {
	Records int64         // appended and not yet stored
	Oldest  time.Duration // age of the oldest of them, by the log's clock; 0 when there is none
}

// Committed answers the offset behind the last stored record of each partition that this
// process owns. The embedded log may be trimmed up to there.
func (s *Sink) Committed() map[int32]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.committed)
}

// Health is nil, or says what keeps records from being stored: what only a person can
// repair (a committed offset beyond the log's end, records removed before they were
// stored), and an outage of the warehouse that more than one attempt has met.
func (s *Sink) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var texts []string
	for _, what := range []map[int]string{s.alarms, s.trouble} {
		for _, p := range slices.Sorted(maps.Keys(what)) {
			texts = append(texts, fmt.Sprintf("partition %d: %s", p, what[p]))
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return fmt.Errorf("sink: %s", strings.Join(texts, "; "))
}

// Lag asks the broker, so it covers every member of the group. It costs two requests, and
// one more for each partition that is behind.
func (s *Sink) Lag(ctx context.Context) (Lag, error) {
	behind, err := s.behind(ctx, nil)
	if err != nil {
		return Lag{}, err
	}
	var lag Lag
	for p, b := range behind {
		lag.Records += b.end - b.at
		records, _, _, err := s.fetch(ctx, p, b.at, 10*time.Millisecond)
		if err == nil && len(records) > 0 {
			lag.Oldest = max(lag.Oldest, time.Since(records[0].time))
		}
	}
	return lag, nil
}

type gap struct{ at, end int64 }

// behind answers the partitions whose committed offset is below their end, or below want
// where that is given.
func (s *Sink) behind(ctx context.Context, want map[int]int64) (map[int]gap, error) {
	var partitions []int
	var err error
	if want != nil {
		partitions = slices.Collect(maps.Keys(want))
	} else if partitions, err = s.partitions(ctx); err != nil {
		return nil, err
	}
	starts, ends, err := s.bounds(ctx, partitions)
	if err != nil {
		return nil, err
	}
	commits, err := s.commits(ctx, partitions)
	if err != nil {
		return nil, err
	}
	out := make(map[int]gap)
	for _, p := range partitions {
		at, end := commits[p].CommittedOffset, ends[p]
		if at < 0 {
			at = starts[p]
		}
		if want != nil {
			end = want[p]
		}
		if at < end {
			out[p] = gap{at, end}
		}
	}
	return out, nil
}

// WaitFor returns when every position is stored and queryable, or with ctx's error.
func (s *Sink) WaitFor(ctx context.Context, positions ...Position) error {
	want := make(map[int]int64)
	for _, p := range positions {
		want[p.Partition] = max(want[p.Partition], p.Offset+1)
	}
	return s.reach(ctx, want)
}

// Drain returns when everything appended before the call is stored and queryable.
func (s *Sink) Drain(ctx context.Context) error {
	for {
		partitions, err := s.partitions(ctx)
		var ends map[int]int64
		if err == nil {
			_, ends, err = s.bounds(ctx, partitions)
		}
		if err == nil {
			return s.reach(ctx, ends)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("drain: %w", ctx.Err())
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// reach watches this process's lanes, and asks the broker for partitions of others.
func (s *Sink) reach(ctx context.Context, want map[int]int64) error {
	want = maps.Clone(want)
	for {
		s.mu.Lock()
		foreign := make(map[int]int64)
		maps.DeleteFunc(want, func(p int, end int64) bool {
			at, ours := s.committed[int32(p)]
			if !ours {
				foreign[p] = end
			}
			return end == 0 || ours && at >= end
		})
		changed := s.changed
		s.mu.Unlock()
		if len(foreign) > 0 {
			if behind, err := s.behind(ctx, foreign); err == nil {
				for p := range foreign {
					if _, still := behind[p]; !still {
						delete(want, p)
					}
				}
			}
		}
		if len(want) == 0 {
			return nil
		}
		poll := time.NewTimer(50 * time.Millisecond)
		select {
		case <-ctx.Done():
			poll.Stop()
			return fmt.Errorf("waiting for %d partitions to be stored: %w", len(want), ctx.Err())
		case <-changed:
		case <-poll.C:
		}
		poll.Stop()
	}
}
