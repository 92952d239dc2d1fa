package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of drills and attempts
//
//  1. A drill is one of those that ship with the product, or the latest that was published
//     under its id. Only Steward itself publishes: events of other sources are no drills.
//  2. An attempt is the events of one person, and is read by that person: lead and people
//     admin are told the same as of an attempt that does not exist.
//  3. It is played to its end with the content it was begun with, whatever is published
//     under the id meanwhile.
//  4. What is read here holds the answers. Pages in play show drill.Table of it.

// Drill is a drill that can be played.
type Drill struct {
	drill.Drill
	Intro     string    // Markdown, of those that ship with the product
	Published time.Time // zero for those
}

// Drills lists what can be played, in order of id. They are everybody's.
func (v *View) Drills(ctx context.Context) ([]Drill, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	out, err := shipped()
	if err != nil {
		return nil, err
	}
	err = v.s.look(ctx, access.Working(), "drills", v.s.present(), nil, `
SELECT argMax(at, (at, id)), argMax(data, (at, id))
FROM (SELECT at, id, source, data FROM events WHERE kind = 'drill.compiled' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')} ORDER BY seen LIMIT 1 BY source, id)
GROUP BY JSONExtractString(data, 'drill')`, nil, func(r *warehouse.Rows) error {
		d, err := v.s.readDrill(r)
		if err == nil && !slices.ContainsFunc(out, func(x Drill) bool { return x.ID == d.ID }) {
			out = append(out, d)
		}
		return err
	})
	// What a later version published and this one cannot read is not offered.
	out = slices.DeleteFunc(out, func(d Drill) bool { return d.ID == "" })
	slices.SortFunc(out, func(a, b Drill) int { return strings.Compare(a.ID, b.ID) })
	return out, err
}

// Drill is one drill as it can be played now; ErrNotFound.
func (v *View) Drill(ctx context.Context, id string) (*Drill, error) {
	all, err := v.Drills(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(all, func(d Drill) bool { return d.ID == id }); i >= 0 {
		return &all[i], nil
	}
	return nil, fmt.Errorf("drill: %w", ErrNotFound)
}

func shipped() ([]Drill, error) {
	demos, err := drill.Demos()
	if err != nil {
		return nil, err
	}
	var out []Drill
	for _, d := range demos {
		out = append(out, Drill{Drill: d.Drill, Intro: d.Intro})
	}
	return out, nil
}

// readDrill reads one row of a publication; a drill without an id is one that cannot be read.
func (s *Store) readDrill(r *warehouse.Rows) (Drill, error) {
	var d Drill
	var data string
	if err := r.Scan(&d.Published, &data); err != nil {
		return d, err
	}
	content, err := drill.ReadCompiled([]byte(s.revealJSON(data)))
	if err != nil {
		s.log.Warn("a published drill cannot be read", "error", err)
		return Drill{}, nil
	}
	d.Drill = content
	return d, nil
}

// AttemptRow is one attempt of the asker in short.
type AttemptRow struct {
	ID, Drill         string
	Started, Finished time.Time // Finished is zero while it is open
	Score             float64
	Parts             []drill.Part
	Unaided           bool // finished without knowing the answers: see drill.Unaided
}

// Passed says whether it was finished with drill.PassMark or more.
func (a AttemptRow) Passed() bool { return !a.Finished.IsZero() && drill.Passed(a.Score) }

// Attempts lists the asker's own attempts, newest first.
func (v *View) Attempts(ctx context.Context) ([]AttemptRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	if v.who.Person == "" {
		return nil, nil
	}
	var out []AttemptRow
	err := v.s.look(ctx, access.Working(), "attempts", v.s.present(), []string{"membership_epoch"}, `
SELECT kind = 'drill.finished', at, data
FROM (SELECT kind, at, id, source, data FROM events
    WHERE kind IN ('drill.started', 'drill.finished') AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), transform(person, {alias:Array(String)}, {person_of:Array(String)}, person))
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at, kind DESC, id`,
		[]warehouse.Param{{Name: "of", Value: v.s.stored([]string{v.who.Person})}},
		func(r *warehouse.Rows) error {
			var over bool
			var at time.Time
			var data string
			if err := r.Scan(&over, &at, &data); err != nil {
				return err
			}
			var d struct {
				Drill, Attempt string
				Score          float64
				Parts          []drill.Part
			}
			if err := json.Unmarshal([]byte(data), &d); err != nil {
				return err
			}
			i := slices.IndexFunc(out, func(a AttemptRow) bool { return a.ID == d.Attempt })
			switch {
			case i < 0 && !over:
				out = append(out, AttemptRow{ID: d.Attempt, Drill: d.Drill, Started: at})
			case i >= 0 && over && out[i].Finished.IsZero():
				out[i].Finished, out[i].Score, out[i].Parts = at, d.Score, d.Parts
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	if err := v.unaided(ctx, out); err != nil {
		return nil, err
	}
	slices.Reverse(out)
	return out, nil
}

// unaided judges the asker's attempts.
func (v *View) unaided(ctx context.Context, rows []AttemptRow) error {
	var own []string
	if len(rows) > 0 {
		authors, err := v.s.drillAuthors(ctx, access.Working())
		if err != nil {
			return err
		}
		for id, by := range authors {
			if slices.ContainsFunc(by, v.who.Is) {
				own = append(own, id)
			}
		}
	}
	for i := range rows {
		r := &rows[i]
		var last time.Time
		for _, x := range rows {
			if x.Drill == r.Drill && x.Finished.Before(r.Finished) && x.Finished.After(last) {
				last = x.Finished
			}
		}
		r.Unaided = !r.Finished.IsZero() && drill.Unaided(last, r.Finished, slices.Contains(own, r.Drill))
	}
	return nil
}

// drillAuthors are the people who published each drill, once or again.
func (s *Store) drillAuthors(ctx context.Context, pass access.Pass) (map[string][]string, error) {
	alias, err := s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	err = s.look(ctx, pass, "authors of drills", s.present(), nil, `
SELECT DISTINCT JSONExtractString(data, 'drill'), JSONExtractString(data, 'by') FROM events
WHERE kind = 'drill.compiled' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}`, nil, func(r *warehouse.Rows) error {
		var id, by string
		err := r.Scan(&id, &by)
		out[id] = append(out[id], s.canonical(alias, s.reveal(by)))
		return err
	})
	return out, err
}

// Attempt is one attempt with everything that was done in it.
type Attempt struct {
	ID, Person        string
	Drill             drill.Drill // as it was begun
	Started, Finished time.Time
	Steps             []drill.Timed // in order of their numbers
}

// Clock is the attempt's.
func (a *Attempt) Clock() drill.Clock { return drill.ClockOf(a.Started, a.Steps) }

// Plain are the steps without their moments.
func (a *Attempt) Plain() []drill.Step {
	var out []drill.Step
	for _, s := range a.Steps {
		out = append(out, s.Step)
	}
	return out
}

// Attempt is an attempt of the asker. Of others, as of one that does not exist: ErrNotFound.
func (v *View) Attempt(ctx context.Context, id string) (*Attempt, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	a, err := v.s.attempt(ctx, access.Working(), id)
	if err != nil {
		return nil, err
	}
	if _, err := v.who.Plays(a.Person); err != nil { // that there is such an attempt is not for others either
		return nil, fmt.Errorf("attempt: %w", ErrNotFound)
	}
	return a, nil
}

// attempt is one attempt, whoever's it is; ErrNotFound.
func (s *Store) attempt(ctx context.Context, pass access.Pass, id string) (*Attempt, error) {
	var out *Attempt
	var name string
	err := s.look(ctx, pass, "attempt", s.present(), []string{"membership_epoch"}, `
SELECT toString(kind), at, transform(person, {alias:Array(String)}, {person_of:Array(String)}, person), data
FROM (SELECT kind, at, id, source, person, data FROM events
    WHERE kind IN ('drill.started', 'drill.acted', 'drill.finished') AND source = '/steward' AND subject = {subject:String} AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY kind != 'drill.started', at, id`,
		[]warehouse.Param{{Name: "subject", Value: "steward:attempt:" + id}},
		func(r *warehouse.Rows) error {
			var kind, person, data string
			var at time.Time
			if err := r.Scan(&kind, &at, &person, &data); err != nil {
				return err
			}
			person = s.reveal(person)
			var d struct {
				Drill string
				drill.Step
			}
			if err := json.Unmarshal([]byte(s.revealJSON(data)), &d); err != nil {
				return err
			}
			switch {
			case kind == "drill.started" && out == nil:
				out, name = &Attempt{ID: id, Person: person, Started: at}, d.Drill
			case out == nil || person != out.Person: // of an attempt that nobody began, or somebody else's
			case kind == "drill.acted":
				out.Steps = append(out.Steps, drill.Timed{Step: d.Step, At: at})
			case kind == "drill.finished" && out.Finished.IsZero():
				out.Finished = at
			}
			return nil
		})
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, fmt.Errorf("attempt: %w", ErrNotFound)
	}
	slices.SortStableFunc(out.Steps, func(a, b drill.Timed) int { return a.N - b.N })
	out.Drill, err = s.drillAt(ctx, name, out.Started)
	return out, err
}

// drillAt is a drill as it was at a moment.
func (s *Store) drillAt(ctx context.Context, id string, at time.Time) (drill.Drill, error) {
	demos, err := shipped()
	if err != nil {
		return drill.Drill{}, err
	}
	if i := slices.IndexFunc(demos, func(d Drill) bool { return d.ID == id }); i >= 0 {
		return demos[i].Drill, nil
	}
	q := s.present()
	q.asOf = at
	var out Drill
	err = s.look(ctx, access.Working(), "drill", q, nil, `
SELECT at, data FROM (SELECT at, id, source, data FROM events
    WHERE kind = 'drill.compiled' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')} AND JSONExtractString(data, 'drill') = {id:String}
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at DESC, id DESC LIMIT 1`, []warehouse.Param{{Name: "id", Value: id}}, func(r *warehouse.Rows) error {
		out, err = s.readDrill(r)
		return err
	})
	if err == nil && out.ID == "" {
		err = fmt.Errorf("drill: %w", ErrNotFound)
	}
	return out.Drill, err
}
