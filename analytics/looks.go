package analytics

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// toldOf is the people whose ledger already has this view.
type toldOf struct {
	mu     sync.Mutex
	people map[string]bool
}

// fewPeople says whether a row of an answer about load rests on too few people to be a group.
func fewPeople(q question, a *Answer) bool {
	at := slices.IndexFunc(a.Columns, func(c Column) bool { return c.Name == "people" })
	if at < 0 { // a responder's team's work: it may be anybody's
		return q.metric.people != peopleLoad && q.lens == "responder_team" && len(a.Rows) > 0
	}
	return slices.ContainsFunc(a.Rows, func(r []any) bool {
		n, _ := r[at].(int64)
		return n > 0 && n < access.GroupSize
	})
}

// behind are the people whom a question about load rests on.
func (v *View) behind(ctx context.Context, pass access.Pass, q question, m mark) ([]string, error) {
	if q.metric.people != peopleLoad { // incidents have no rows by person: the team's people of the window
		moves, _, err := v.s.movesAndServices(ctx)
		if err != nil {
			return nil, err
		}
		var out []string
		for _, x := range moves {
			if x.in && (len(q.team) == 0 || slices.Contains(q.team, x.team)) {
				out = append(out, v.s.reveal(x.member))
			}
		}
		return out, nil
	}
	// Rows of the question, each with its people: only those of rows that are too few count.
	// Under other splits than team a person is in many rows, and everybody counts.
	rows, each, exactly := "none", "person", false
	switch q.by {
	case "none":
		rows, exactly = q.bucket, true
	case "team":
		rows, each, exactly = q.bucket, byTeamPerson, true
	}
	q.bucket, q.by, q.splits = rows, each, []Split{{rows, each}}
	answers, err := v.s.answer(ctx, pass, []question{q}, m)
	if err != nil {
		return nil, err
	}
	people := map[[2]string][]string{}
	for _, r := range answers[0].Rows {
		bucket, _ := r[0].(string)
		key, _ := r[1].(string)
		team := ""
		if each == byTeamPerson {
			team, key, _ = strings.Cut(key, "\n")
			key = v.s.reveal(key)
		}
		people[[2]string{bucket, team}] = append(people[[2]string{bucket, team}], key)
	}
	var out []string
	for _, in := range people {
		if !exactly || len(in) < access.GroupSize {
			out = append(out, in...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// record tells the ledger of a look, each person once a view.
func (v *View) record(ctx context.Context, pass access.Pass, people []string) error {
	v.told.mu.Lock()
	defer v.told.mu.Unlock()
	// Who is forgotten has no page to read it on, and no name to record it under.
	people = slices.DeleteFunc(slices.Clone(people), func(p string) bool { return v.told.people[p] || isFormer(p) })
	looks := pass.Looks(v.purpose, people...)
	if len(looks) == 0 {
		return nil
	}
	if v.s.ledger == nil {
		return errors.New("a look at people's data cannot be recorded here, so it is not given")
	}
	if err := v.s.ledger.Record(ctx, looks); err != nil {
		return fmt.Errorf("the look could not be recorded, so it is not given: %w", err)
	}
	if v.told.people == nil {
		v.told.people = map[string]bool{}
	}
	for _, l := range looks {
		v.told.people[l.Person] = true
	}
	return nil
}

// LookRow is one entry of the view ledger.
type LookRow struct {
	At   time.Time
	By   string // who looked: a person's id, or what asked in nobody's name
	What string
}

// Looks lists who looked at the asker's own data, newest first, at most limit.
func (v *View) Looks(ctx context.Context, limit int) ([]LookRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	out := []LookRow{}
	if v.who.Person == "" {
		return out, nil
	}
	err := v.s.look(ctx, access.Working(), "looks", v.s.present(), []string{"membership_epoch"}, `
SELECT at, JSONExtractString(data, 'by') AS by, JSONExtractString(data, 'what') AS what
FROM (SELECT at, data, source, id FROM events
    WHERE kind = 'view.recorded' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), transform(person, {alias:Array(String)}, {person_of:Array(String)}, person))
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at DESC, id DESC LIMIT {limit:UInt32}`,
		[]warehouse.Param{{Name: "of", Value: v.s.stored([]string{v.who.Person})}, {Name: "limit", Value: uint32(limit)}},
		func(r *warehouse.Rows) error {
			var l LookRow
			err := r.Scan(&l.At, &l.By, &l.What)
			l.By, l.What = v.s.reveal(l.By), v.s.reveal(l.What)
			out = append(out, l)
			return err
		})
	return out, err
}
