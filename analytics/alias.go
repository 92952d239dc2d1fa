package analytics

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// claim is one statement that an id is somebody's alias.
type claim struct {
	alias, person string
	at            time.Time
	id, source    string
}

// later is the total order of claims.
func (c claim) later(d claim) bool {
	if !c.at.Equal(d.at) {
		return c.at.After(d.at)
	}
	if c.id != d.id {
		return c.id > d.id
	}
	if c.source != d.source {
		return c.source > d.source
	}
	return c.person > d.person
}

// resolve answers for every claimed alias who stands behind it, chains followed. Claims
// are taken from the latest to the earliest: of two to one alias the later holds, and one
// that would close a circle is passed over as if never made, so that every chain ends.
func resolve(claims []claim) map[string]string {
	sort.Slice(claims, func(i, j int) bool { return claims[i].later(claims[j]) })
	next := map[string]string{}
	end := func(id string) string {
		for {
			n, ok := next[id]
			if !ok {
				return id
			}
			id = n
		}
	}
	for _, c := range claims {
		if _, taken := next[c.alias]; taken || c.alias == "" || end(c.person) == c.alias {
			continue
		}
		next[c.alias] = c.person
	}
	out := make(map[string]string, len(next))
	for a := range next {
		out[a] = end(a)
	}
	return out
}

// aliases is resolve's answer as two parallel arrays, the form in which the statements
// take it: transform(id, {alias}, {person_of}, id) is one hash look-up a row. It is
// worked out here because a chain has no bound and a circle no natural end in SQL; the
// price is a few dozen bytes of parameters per alias. Claims count up to known_at,
// whatever as_of says.
type aliases struct{ from, to []string }

func (s *Store) aliases(ctx context.Context, knownAt time.Time, m mark) (aliases, error) {
	live := !m.seen.After(knownAt)
	c := s.cache
	if live {
		c.aliasMu.Lock()
		defer c.aliasMu.Unlock()
		if c.aliasKept && c.aliasMark == m {
			return c.alias, nil
		}
	}
	var claims []claim
	rows, err := s.run(ctx, access.Working(), "aliases", `
SELECT person, arrayJoin(aliases), at, id, toString(source)
FROM (SELECT person, aliases, at, id, source, seen FROM person WHERE seen <= {known_at:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
WHERE notEmpty(aliases)`, warehouse.Param{Name: "known_at", Value: knownAt})
	if err != nil {
		return aliases{}, err
	}
	defer rows.Close()
	for rows.Next() {
		var k claim
		if err := rows.Scan(&k.person, &k.alias, &k.at, &k.id, &k.source); err != nil {
			return aliases{}, err
		}
		claims = append(claims, k)
	}
	if err := rows.Err(); err != nil {
		return aliases{}, err
	}
	a := aliases{from: []string{""}, to: []string{""}} // transform wants at least one pair
	known := resolve(claims)
	for alias := range known {
		a.from = append(a.from, alias)
	}
	sort.Strings(a.from)
	for _, alias := range a.from[1:] {
		a.to = append(a.to, known[alias])
	}
	if live {
		c.alias, c.aliasMark, c.aliasKept = a, m, true
	}
	return a, nil
}

// aliasesNow are the aliases as claimed up to now.
func (s *Store) aliasesNow(ctx context.Context) (aliases, error) {
	m, err := s.mark(ctx)
	if err != nil {
		return aliases{}, err
	}
	a, err := s.aliases(ctx, s.present().knownAt, m)
	if err != nil {
		return aliases{}, fmt.Errorf("aliases: %w", err)
	}
	return a, nil
}

// person is who stands behind an id.
func (a aliases) person(id string) string {
	if i, found := slices.BinarySearch(a.from[1:], id); found {
		return a.to[1+i]
	}
	return id
}
