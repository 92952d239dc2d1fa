package analytics

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of disputed events
//
//  1. An event is its source and id; of its copies the one seen first counts. Mostly they
//     say the same, and then a projection may merge them all. Where they do not (an event
//     sent again without a time of its own, a page of another tool exported twice with a
//     title changed between) the merge would mix them.
//  2. The log keeps copies that differ side by side (digest is in its sorting key), so that
//     one look at a stretch of it tells whether any event there is disputed. That costs
//     some ten milliseconds, and is kept until something arrives.
//  3. Mostly none is, and a question runs on the projections. Otherwise it runs in its exact
//     form: incidents named by a disputed copy are put together from their events, and
//     pages are looked at wherever one of their copies lies.
//  4. Copies are looked for a quarter of a year around the window. Ones that are further
//     apart are taken for what they say.

// apart is how far from the window, in days, another copy of an event in it is looked for.
const apart = 92

// kinds are the events that projections merge; dated facts are read one by one.
const kinds = "(startsWith(kind, 'incident.') OR startsWith(kind, 'responder.') OR startsWith(kind, 'page.'))"

// disputable are those events near the window.
const disputable = kinds + " AND at >= {from:DateTime64(3, 'UTC')} - toIntervalSecond({reach:UInt32}) - toIntervalDay({apart:UInt16}) AND at <= {to:DateTime64(3, 'UTC')} + toIntervalDay({apart:UInt16})"

// disputed are the identities of events whose copies differ. Copies stored before they
// were told apart have no digest.
const disputed = "SELECT identity FROM events WHERE " + disputable + " AND digest != 0 GROUP BY identity HAVING min(digest) != max(digest)"

// expandDisputed fills the marks of the facts that look for copies.
func expandDisputed(body string) string {
	return strings.NewReplacer("/*disputable*/", disputable, "/*disputed*/", disputed).Replace(body)
}

// stretch is the days in which a question looks for copies.
type stretch struct{ first, last string }

// isDisputed says whether any event that the question may touch has copies that differ.
func (s *Store) isDisputed(ctx context.Context, q question, m mark) (bool, error) {
	const day = 24 * time.Hour
	q.from = q.from.UTC().Truncate(day).Add(-farthest) // so that all metrics of a page share one look
	q.to = q.to.UTC().Truncate(day).Add(day)
	key := stretch{q.from.Format(time.DateOnly), q.to.Format(time.DateOnly)}
	c := s.cache
	c.disputeMu.Lock()
	if c.disputeMark != m || c.disputes == nil {
		c.disputes, c.disputeMark = map[stretch]bool{}, m
	}
	found, kept := c.disputes[key]
	c.disputeMu.Unlock()
	if kept {
		return found, nil
	}
	v, err, _ := c.disputeFlight.Do(fmt.Sprint(m, key), func() (any, error) {
		rows, err := s.run(context.WithoutCancel(ctx), access.Working(), "disputed", disputed+" LIMIT 1", q.bind()...)
		if err != nil {
			return false, err
		}
		defer rows.Close()
		found := rows.Next()
		for rows.Next() { // to its end, as a stream wants to be read
		}
		return found, rows.Err()
	})
	if err != nil {
		return false, fmt.Errorf("disputed: %w", err)
	}
	found = v.(bool)
	c.disputeMu.Lock()
	if c.disputeMark == m {
		c.disputes[key] = found
	}
	c.disputeMu.Unlock()
	return found, nil
}
