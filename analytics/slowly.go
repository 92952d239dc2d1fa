package analytics

import (
	"context"
	"fmt"
	"time"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of slow rows
//
//  1. What teams can do and lack is of a year's incidents, and costs most of what pages ask.
//     What moves it are tags, evidence, shifts, people and owners, of which few arrive; most of
//     what arrives are pages and what happens to incidents, each of which would make all
//     answers ask again.
//  2. So these rows are kept until one of those arrives, and slowFor at most: by how much an
//     incident that was only just escalated or resolved may be missing from a year's sums.
//  3. They are everybody's rows, before it is decided who reads what of them; who gets them
//     must not change them.
//  4. Pages seldom wait for them: they are asked ahead (warm.go).

// slowFor is how old they may be while nothing that moves them arrives.
const slowFor = 5 * time.Minute

// slowMark is the state of what moves them; gone as in mark.
type slowMark struct {
	last               uint64 // the last insert into one of moving
	described, reviews uint64 // how many such events; they have no projection
	gone               uint64
}

// moving are the projections that slow rows stand on.
var moving = []string{"tag", "skill", "shift", "person", "membership", "ownership", "policy"}

// slowMark is what it was if nothing arrived since: a page asks for it a dozen times.
func (s *Store) slowMark(ctx context.Context) (slowMark, error) {
	return remember(ctx, s, "slow mark", s.readSlowMark)
}

func (s *Store) readSlowMark(ctx context.Context) (slowMark, error) {
	m := slowMark{gone: s.forgotten()}
	rows, err := s.run(ctx, access.Working(), "slow mark", "SELECT ("+lastInsert(moving)+
		"), (SELECT count() FROM events WHERE kind = 'service.described'), (SELECT count() FROM events WHERE kind = 'page.reviewed')")
	if err != nil {
		return m, fmt.Errorf("slow mark: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&m.last, &m.described, &m.reviews); err != nil {
			return m, fmt.Errorf("slow mark: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return m, fmt.Errorf("slow mark: %w", err)
	}
	return m, nil
}

// slowly is what read says, or said less than most ago, as slow rows are kept.
func slowly[T any](ctx context.Context, s *Store, most time.Duration, key string, read func(context.Context) (T, error)) (T, error) {
	m, err := s.slowMark(ctx)
	if err != nil {
		var none T
		return none, err
	}
	if most == slowFor { // a page; what is asked ahead wants younger rows
		s.kept.asked.Store(time.Now().UnixMilli())
	}
	return keep(ctx, s.life, &s.kept.slow, m, s.now(), most, key, read)
}
