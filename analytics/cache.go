package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of the cache
//
//  1. mark is what the warehouse holds: how many rows of events, the latest seen, and the last
//     insert into every projection. Any insert moves it, so a key with a mark in it can never
//     serve an answer from before. Only looks and acts do not: no answer rests on them, and a
//     lead who opens a page makes some. Projections are in it, since an insert reaches them one
//     after the other, after events: who asks between reads half of it, which must not be kept
//     under the mark of the whole.
//  2. A question with a given as_of is the same for ever at one mark. One without ends
//     "now": at one mark it may be shared for freshFor, and says in its own as_of when it was asked.
//  3. Identical questions under way at the same time are asked once. The one that runs is
//     detached from its caller's cancellation as long as others may wait for it.

const (
	freshFor    = 30 * time.Second
	markFor     = 50 * time.Millisecond
	cacheLimit  = 512
	askDeadline = 60 * time.Second
)

// counting are the events that answers rest on (schema/arrival.sql).
const counting = "(kind NOT IN ('view.recorded', 'audit.recorded'))"

// mark is the state of the log that an answer rests on.
type mark struct {
	rows uint64
	seen time.Time
	last uint64 // a digest of the last insert into each projection
	gone uint64 // how many texts of people were forgotten
}

type cached struct {
	answer *Answer
	asOf   time.Time
	used   time.Time
}

type cache struct {
	mu      sync.Mutex
	answers map[string]cached
	flight  singleflight.Group
	life    *life

	aliasMu   sync.Mutex
	alias     aliases
	aliasMark mark
	aliasKept bool

	markMu sync.Mutex
	mark   mark
	markAt time.Time

	disputeMu     sync.Mutex
	disputes      map[stretch]bool // whether events have copies that differ, at disputeMark
	disputeMark   mark
	disputeFlight singleflight.Group

	dayMu   sync.Mutex
	days    map[string]time.Time // exact freshness of whole days at dayMark
	dayMark mark
}

func newCache(life *life) *cache { return &cache{answers: map[string]cached{}, life: life} }

func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = map[string]cached{}
}

// get answers questions that differ in their split only: each with a kept answer, or
// with what ask says of those that have none.
func (c *cache) get(ctx context.Context, m mark, questions []question, ask func(context.Context, []question) ([]*Answer, error)) ([]*Answer, error) {
	out := make([]*Answer, len(questions))
	for _, group := range alike(questions) {
		var asked []question
		var keys []string
		var places []int
		for _, i := range group {
			key := questions[i].cacheKey(m)
			if out[i] = c.kept(key, questions[i].asOf); out[i] == nil {
				asked, keys, places = append(asked, questions[i]), append(keys, key), append(places, i)
			}
		}
		if len(asked) == 0 {
			continue
		}
		answers, err := c.fly(ctx, strings.Join(keys, "\n"), func(ctx context.Context) ([]*Answer, error) {
			answers, err := ask(ctx, asked)
			for i, a := range answers {
				if err == nil {
					c.put(keys[i], cached{answer: a, asOf: a.AsOf, used: time.Now()})
				}
			}
			return answers, err
		})
		if err != nil {
			return nil, err
		}
		for i, place := range places {
			out[place] = answers[i]
		}
	}
	return out, nil
}

// alike groups questions that use the same facts, by their places: one that does not need
// teams or hour classes, asked together with one that does, would count assumptions that
// it does not rest on. place is a byte, which bounds a group.
func alike(questions []question) [][]int {
	var groups [][]int
next:
	for i := range questions {
		q := &questions[i]
		for g, group := range groups {
			first := &questions[group[0]]
			if first.usesTeam() == q.usesTeam() && first.usesHours() == q.usesHours() && len(group) < 200 {
				groups[g] = append(group, i)
				continue next
			}
		}
		groups = append(groups, []int{i})
	}
	return groups
}

// kept returns the answer under a key if it still stands at the moment asOf, else nil.
func (c *cache) kept(key string, asOf time.Time) *Answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	hit, ok := c.answers[key]
	if !ok || asOf.Sub(hit.asOf) >= freshFor || asOf.Before(hit.asOf) {
		return nil
	}
	hit.used = time.Now()
	c.answers[key] = hit
	return hit.answer
}

// fly asks once for all who come with the same key meanwhile.
func (c *cache) fly(ctx context.Context, key string, ask func(context.Context) ([]*Answer, error)) ([]*Answer, error) {
	ch := c.flight.DoChan(key, func() (any, error) {
		own, cancel := c.life.detach(ctx)
		defer cancel()
		return ask(own)
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.([]*Answer), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// put keeps an answer and drops the one used longest ago when there are too many.
func (c *cache) put(key string, e cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[key] = e
	if len(c.answers) <= cacheLimit {
		return
	}
	oldest := ""
	for k, v := range c.answers {
		if oldest == "" || v.used.Before(c.answers[oldest].used) {
			oldest = k
		}
	}
	delete(c.answers, oldest)
}

// cacheKey: the exact instants are part of it only where they were given.
func (q *question) cacheKey(m mark) string {
	params := q.applied()
	if !q.asOfGiven {
		delete(params, "as_of")
		if q.to.Equal(q.asOf) {
			delete(params, "to")
			if q.from.Equal(q.to.Add(-q.usual())) {
				delete(params, "from")
			}
		}
	}
	if !q.knownGiven {
		delete(params, "known_at")
	}
	b, err := json.Marshal(params) // maps are written with sorted keys
	if err != nil {
		return "" // strings and lists of strings always marshal
	}
	return fmt.Sprintf("%s/%d/%d/%d/%d/%d/%s/%q/%s", q.metric.Name, q.metric.Version, m.rows, m.seen.UnixMilli(), m.last, m.gone, q.onlyIncident, q.withheld, b)
}

// mark reads the state of the log; it is shared for a moment so that the eight questions
// of a page ask once.
func (s *Store) mark(ctx context.Context) (mark, error) {
	c := s.cache
	c.markMu.Lock()
	defer c.markMu.Unlock()
	if !c.markAt.IsZero() && time.Since(c.markAt) < markFor && c.mark.gone == s.forgotten() {
		return c.mark, nil
	}
	m := mark{gone: s.forgotten()}
	rows, err := s.run(ctx, access.Working(), "mark", "SELECT toUInt64((SELECT count() FROM events) - (SELECT count() FROM events WHERE NOT "+counting+")) AS rows, (SELECT max(latest) FROM arrival) AS seen, ("+lastInsert(s.projected())+") AS last")
	if err != nil {
		return m, fmt.Errorf("mark: %w", err)
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(&m.rows, &m.seen, &m.last); err != nil {
			return m, fmt.Errorf("mark: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return m, fmt.Errorf("mark: %w", err)
	}
	c.mark, c.markAt = m, time.Now()
	return m, nil
}

// projected are the projections that answers read. Arrival is left out: what is read of it is
// in the mark.
func (s *Store) projected() []string {
	var names []string
	for _, p := range s.projections {
		if p.Name != "arrival" {
			names = append(names, p.Name)
		}
	}
	return names
}

// lastInsert is a statement whose one number every insert into one of these projections moves,
// and nothing else: the last block that each table took. Merges leave it, and counting the
// tables' rows would cost each question 30 ms in place of 5.
func lastInsert(projections []string) string {
	return "SELECT sum(cityHash64(table, partition_id, block)) FROM (SELECT table, partition_id, max(max_block_number) AS block FROM system.parts" +
		" WHERE active AND database = currentDatabase() AND match(table, '^(" + strings.Join(projections, "|") + ")_[0-9a-f]{12}(_[0-9]+)?$') GROUP BY table, partition_id)"
}
