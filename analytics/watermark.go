package analytics

import (
	"context"
	"fmt"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of the watermark
//
//  1. It is the latest seen among the events of a question, where an event that came
//     several times was seen when its first copy was: a redelivery moves no watermark.
//     Looks and acts are none of them.
//  2. To ask the log would cost its whole length. arrival holds, per UTC day of the events,
//     the latest seen of any copy: a bound, and the exact value unless copies came late.
//  3. So the days are taken from the highest bound downwards, and each one's exact value is
//     read from that day's events, until no bound is left that could exceed it. Mostly that
//     is one day, and it is kept until something arrives.
//  4. The day that as_of cuts is read up to there. When copies came late for many days the
//     whole log is asked once.

// looked is how many days are looked at one by one.
const looked = 6

func (s *Store) watermark(ctx context.Context, q question, m mark) (time.Time, error) {
	if m.rows == 0 {
		return time.Time{}, nil
	}
	if m.seen.After(q.knownAt) {
		return s.logSeen(ctx, q)
	}
	type bound struct {
		day            time.Time
		latest, newest time.Time
	}
	var bounds []bound
	rows, err := s.run(ctx, access.Working(), "watermark", `
SELECT toDateTime64(a.day, 3, 'UTC') AS day, max(a.latest) AS latest, max(a.newest) AS newest FROM arrival AS a
WHERE a.day <= toDate32({as_of:DateTime64(3, 'UTC')}) GROUP BY day ORDER BY latest DESC, day DESC LIMIT {most:UInt16}`,
		append(q.bind(), warehouse.Param{Name: "most", Value: uint16(looked + 1)})...)
	if err != nil {
		return time.Time{}, fmt.Errorf("watermark: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var b bound
		if err := rows.Scan(&b.day, &b.latest, &b.newest); err != nil {
			return time.Time{}, fmt.Errorf("watermark: %w", err)
		}
		bounds = append(bounds, b)
	}
	if err := rows.Err(); err != nil {
		return time.Time{}, fmt.Errorf("watermark: %w", err)
	}
	var best time.Time
	for i, b := range bounds {
		if !b.latest.After(best) {
			return best, nil
		}
		if i == looked {
			return s.logSeen(ctx, q)
		}
		t, err := s.daySeen(ctx, q, m, b.day, b.newest.After(q.asOf))
		if err != nil {
			return time.Time{}, err
		}
		if t.After(best) {
			best = t
		}
	}
	return best, nil
}

// daySeen is the exact freshness of one day; that of a whole day is kept.
func (s *Store) daySeen(ctx context.Context, q question, m mark, day time.Time, cut bool) (time.Time, error) {
	c, key := s.cache, day.Format(time.DateOnly)
	if !cut {
		c.dayMu.Lock()
		if c.dayMark != m || c.days == nil {
			c.days, c.dayMark = map[string]time.Time{}, m
		}
		t, kept := c.days[key]
		c.dayMu.Unlock()
		if kept {
			return t, nil
		}
	}
	t, err := s.latestSeen(ctx, q, `
SELECT max(earliest) AS latest, count() AS n FROM (
    SELECT min(seen) AS earliest FROM events
    WHERE at >= {day:DateTime64(3, 'UTC')} AND at < {day:DateTime64(3, 'UTC')} + toIntervalDay(1) AND at <= {as_of:DateTime64(3, 'UTC')} AND `+counting+`
    GROUP BY source, id)`, warehouse.Param{Name: "day", Value: day})
	if err == nil && !cut {
		c.dayMu.Lock()
		if c.dayMark == m {
			c.days[key] = t
		}
		c.dayMu.Unlock()
	}
	return t, err
}

// newest is how many of the log's latest rows are looked at for being first copies.
const newest = 1000

// logSeen reads the whole log: FINAL keeps the copy of an event that was seen first, and
// needs no memory for it; for a day, grouping is quicker. Copies that differ it keeps side by
// side, so that of the latest rows it is asked when their events were seen first. If that is
// before all of them, which takes a thousand such copies in a row, the log is grouped.
func (s *Store) logSeen(ctx context.Context, q question) (time.Time, error) {
	const known = "at <= {as_of:DateTime64(3, 'UTC')} AND seen <= {known_at:DateTime64(3, 'UTC')} AND " + counting
	const grouped = "SELECT source, id, min(seen) AS earliest FROM events WHERE " + known
	rows := warehouse.Param{Name: "newest", Value: uint16(newest)}
	const late = "SELECT source, id, seen FROM events FINAL WHERE " + known + " ORDER BY seen DESC LIMIT {newest:UInt16}"
	bound, err := s.latestSeen(ctx, q, "SELECT min(seen) AS latest, count() AS n FROM ("+late+")", rows)
	if err != nil || bound.IsZero() {
		return bound, err
	}
	latest, err := s.latestSeen(ctx, q, "SELECT max(earliest) AS latest, count() AS n FROM ("+grouped+" AND (source, id) IN (SELECT source, id FROM ("+late+")) GROUP BY source, id)", rows)
	if err != nil || !latest.Before(bound) {
		return latest, err
	}
	return s.latestSeen(ctx, q, "SELECT max(earliest) AS latest, count() AS n FROM ("+grouped+" GROUP BY source, id)")
}

// latestSeen reads a moment and how many rows it rests on; of none it is the zero time.
func (s *Store) latestSeen(ctx context.Context, q question, sql string, extra ...warehouse.Param) (t time.Time, err error) {
	rows, err := s.run(ctx, access.Working(), "watermark", sql, append(q.bind(), extra...)...)
	if err != nil {
		return t, fmt.Errorf("watermark: %w", err)
	}
	defer rows.Close()
	var n uint64
	if rows.Next() {
		if err := rows.Scan(&t, &n); err != nil {
			return t, fmt.Errorf("watermark: %w", err)
		}
	}
	if n == 0 {
		t = time.Time{}
	}
	return t, rows.Err()
}
