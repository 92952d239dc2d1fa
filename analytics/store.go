// Package analytics is the read side: events become answers.
//
// Theory of operation
//
//  1. Projections (schema/*.sql) fold every inserted block in the same insert that stores
//     it. They only take minima, maxima and unions over (at, id), so duplicates, reordering
//     and late arrivals cannot change an answer.
//  2. A question names a metric and parameters. compose puts the metric's SELECT behind the
//     facts it needs; parameters are bound, never spliced.
//  3. What was not known at known_at must not exist, and of an event's copies the one seen
//     first counts. Where that makes no difference, whole days come from the incident
//     projection and the day of as_of from its events; the incidents for which it does are
//     put together by the projection's own SELECT over their events. Same text, same answer.
//  4. Nobody reads the store itself: For makes a View for somebody, which asks package
//     access what they may see of whom, and gives it in that form (view.go).
//  5. Answers are kept by metric version, parameters and watermark; concurrent identical
//     questions are asked once (see cache.go).
package analytics

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/url"
	"sort"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Config tells the store what it cannot know by itself. Zero values mean: UTC, the wall
// clock, the built-in hour sets, no log.
type Config struct {
	Zone     *time.Location
	Now      func() time.Time
	Log      *slog.Logger
	HourSets []HourSet       // besides the built-in ones
	Names    *identity.Vault // who is behind the tokens of events; nil: they hold ids
	Ledger   Ledger          // keeps who looked at whom; without one nobody but the operator sees named people
}

// Ledger keeps looks at people's data. Record returns when they cannot be lost any more.
type Ledger interface {
	Record(ctx context.Context, looks []access.Look) error
}

// Store answers questions. All methods are goroutine-safe.
type Store struct {
	db          *warehouse.DB
	zone        *time.Location
	now         func() time.Time
	log         *slog.Logger
	sets        []HourSet
	facts       map[string]fact
	metrics     map[string]metricFile
	projections []warehouse.Projection
	cache       *cache
	directory   directoryCache
	small       smallCache
	kept        remembered
	life        *life
	ledger      Ledger
	names       *identity.Vault
}

// Open makes sure the projections exist, rebuilding those whose definition changed, and
// loads the catalogue.
func Open(ctx context.Context, db *warehouse.DB, cfg Config) (*Store, error) {
	s := &Store{db: db, zone: cfg.Zone, now: cfg.Now, log: cfg.Log, ledger: cfg.Ledger, names: cfg.Names}
	s.life = newLife()
	s.cache = newCache(s.life)
	if s.zone == nil {
		s.zone = time.UTC
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.sets = BuiltinHourSets()
	for _, set := range cfg.HourSets {
		if err := set.Validate(); err != nil {
			return nil, fmt.Errorf("analytics: %w", err)
		}
		s.sets = append(s.sets, set)
	}
	var err error
	if s.projections, err = loadProjections(files); err != nil {
		return nil, fmt.Errorf("analytics: %w", err)
	}
	if s.facts, err = loadFacts(files); err != nil {
		return nil, fmt.Errorf("analytics: %w", err)
	}
	if s.metrics, err = loadMetrics(files); err != nil {
		return nil, fmt.Errorf("analytics: %w", err)
	}
	for _, p := range s.projections {
		rebuilt, err := db.EnsureProjection(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("analytics: projection %s: %w", p.Name, err)
		}
		if rebuilt {
			s.log.Info("projection rebuilt", "projection", p.Name)
		}
	}
	return s, s.expand()
}

func loadProjections(fsys fs.FS) ([]warehouse.Projection, error) {
	names, err := fs.Glob(fsys, "schema/*.sql")
	if err != nil {
		return nil, err
	}
	var out []warehouse.Projection
	for _, n := range names {
		b, err := fs.ReadFile(fsys, n)
		if err != nil {
			return nil, err
		}
		p, err := warehouse.ParseProjection(n, b)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// expand fills the placeholders of facts: the hour-class expression, and the incident
// projection's own SELECT restricted to the events that count.
func (s *Store) expand() error {
	macro := map[string]string{}
	for _, name := range []string{"hour_class", "hour_slot"} {
		b, err := fs.ReadFile(files, "fact/"+name+".macro")
		if err != nil {
			return err
		}
		macro["/*"+name+"*/"] = strings.TrimSpace(string(b))
	}
	incident := ""
	for _, p := range s.projections {
		if p.Name == "incident" {
			incident = strings.TrimSuffix(strings.TrimSpace(p.Select), ";")
		}
	}
	const anchor = "FROM events\nWHERE "
	if strings.Count(incident, anchor) != 1 {
		return fmt.Errorf("analytics: schema/incident.sql: want one %q to restrict", anchor)
	}
	const today = "at >= toDateTime64(toDate32({as_of:DateTime64(3, 'UTC')}), 3, 'UTC') AND at <= {as_of:DateTime64(3, 'UTC')}"
	live := strings.Replace(incident, anchor, anchor+today+" AND ", 1)
	exact := strings.Replace(incident, anchor, `FROM (
    SELECT * FROM events WHERE `+today+` AND incident NOT IN (SELECT incident FROM unsettled)
    UNION ALL
    SELECT * FROM (
        SELECT * FROM events WHERE `+kinds+` AND incident IN (SELECT incident FROM unsettled) AND seen <= {known_at:DateTime64(3, 'UTC')}
        ORDER BY seen, at, data LIMIT 1 BY source, id)) AS events
WHERE at <= {as_of:DateTime64(3, 'UTC')} AND `, 1)
	one := strings.Replace(incident, anchor, `FROM (
    SELECT * FROM events WHERE incident = {only_incident:String} AND seen <= {known_at:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id) AS events
WHERE at <= {as_of:DateTime64(3, 'UTC')} AND `, 1)
	parts := map[string]string{"incident_part.live": live, "incident_part.exact": exact, "incident_part.one": one}
	for name, f := range s.facts {
		for mark, text := range macro {
			f.body = strings.ReplaceAll(f.body, mark, text)
		}
		f.body = expandDisputed(f.body)
		if part, ok := parts[name]; ok { // a mark anywhere else stays, and a test finds it
			f.body = strings.ReplaceAll(f.body, "/*incident*/", part)
		}
		s.facts[name] = f
	}
	return nil
}

// Metrics lists the catalogue by name.
func (s *Store) Metrics() []Metric {
	out := make([]Metric, 0, len(s.metrics))
	for _, m := range s.metrics {
		c := m.Metric
		for i := range c.Params {
			if c.Params[i].Name == "hours" {
				c.Params = append([]Param(nil), c.Params...)
				for _, set := range s.sets {
					c.Params[i].Allowed = append(c.Params[i].Allowed, set.Name)
				}
			}
		}
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// Zone is the organisation's zone.
func (s *Store) Zone() *time.Location { return s.zone }

// questions reads what is asked of one metric, once for each split.
func (s *Store) questions(name string, params url.Values, splits []Split) ([]question, error) {
	m, ok := s.metrics[name]
	if !ok {
		known := make([]string, 0, len(s.metrics))
		for n := range s.metrics {
			known = append(known, n)
		}
		sort.Strings(known)
		return nil, &UnknownMetricError{Name: name, Known: known}
	}
	now := s.now()
	questions := make([]question, len(splits))
	for i, split := range splits {
		v := maps.Clone(params)
		if v == nil {
			v = url.Values{}
		}
		v["bucket"], v["by"] = instead(params["bucket"], split.Bucket), instead(params["by"], split.By)
		var err error
		if questions[i], err = parse(m, v, now, s.zone, s.sets); err != nil {
			return nil, err
		}
		questions[i].persons = s.stored(questions[i].person)
	}
	return questions, nil
}

// answer runs questions that differ in their split only.
func (s *Store) answer(ctx context.Context, pass access.Pass, questions []question, mark mark) ([]*Answer, error) {
	return s.cache.get(ctx, mark, questions, func(ctx context.Context, asked []question) ([]*Answer, error) {
		return s.ask(ctx, pass, asked, mark)
	})
}

// instead puts one value in the place of a parameter's. One that was given more than once
// stays, so that it is refused.
func instead(values []string, one string) []string {
	if len(values) > 1 {
		return values
	}
	return []string{one}
}

// statement is the SQL that a question runs.
func (s *Store) statement(q question) (string, error) {
	return compose(s.facts, q)
}

// settle finds out in which form a question must run: whether not everything is known to
// it, and whether copies of an event differ.
func (s *Store) settle(ctx context.Context, q *question, m mark) (err error) {
	if q.onlyIncident != "" { // it reads its events
		return nil
	}
	q.past = m.seen.After(q.knownAt)
	q.disputed, err = s.isDisputed(ctx, *q, m)
	return err
}

// hidden counts the columns behind a metric's own: what its rows assume, and which split
// they belong to.
var hidden = []string{"assumed_owner", "assumed_team", "assumed_zone", "assumed_opened", "org_zone", "place"}

// ask answers questions that differ in their split only, with one statement.
func (s *Store) ask(ctx context.Context, pass access.Pass, questions []question, mark mark) ([]*Answer, error) {
	q := questions[0]
	q.splits = nil
	for _, each := range questions {
		q.splits = append(q.splits, each.splits...)
	}
	if err := s.settle(ctx, &q, mark); err != nil {
		return nil, err
	}
	sql, err := s.statement(q)
	if err != nil {
		return nil, err
	}
	if q.aliases, err = s.aliases(ctx, q.knownAt, mark); err != nil {
		return nil, fmt.Errorf("aliases: %w", err)
	}
	rows, err := s.run(ctx, pass, "metric "+q.metric.Name, sql, q.bind()...)
	if err != nil {
		return nil, fmt.Errorf("metric %s: %w", q.metric.Name, err)
	}
	defer rows.Close()
	m := q.metric
	answers := make([]*Answer, len(questions))
	for i, each := range questions {
		answers[i] = &Answer{
			Metric: m.Name, Version: m.Version, Title: m.Title, Unit: m.Unit, Definition: m.Definition,
			Params: each.applied(), AsOf: q.asOf, KnownAt: q.knownAt, Columns: m.Columns, Rows: [][]any{},
			Assumed: map[string]uint64{"owner": 0, "team": 0, "zone": 0, "opened": 0}, Withheld: []Withheld{},
		}
	}
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			return nil, fmt.Errorf("metric %s: %w", m.Name, err)
		}
		if got, want := len(v), len(m.Columns)+len(hidden); got != want {
			return nil, fmt.Errorf("metric %s: %d columns, want %d", m.Name, got, want)
		}
		row := make([]any, len(m.Columns))
		for i, c := range m.Columns {
			if row[i], err = cell(c, v[i]); err != nil {
				return nil, fmt.Errorf("metric %s: column %s: %w", m.Name, c.Name, err)
			}
		}
		behind := v[len(m.Columns):]
		place := unsigned(behind[5])
		if place >= uint64(len(answers)) {
			return nil, fmt.Errorf("metric %s: a row of split %d of %d", m.Name, place, len(answers))
		}
		a := answers[place]
		for i, dst := range []string{"owner", "team", "zone", "opened"} {
			a.Assumed[dst] += unsigned(behind[i])
		}
		a.OrgZone += unsigned(behind[4])
		a.Rows = append(a.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("metric %s: %w", m.Name, err)
	}
	watermark, err := s.watermark(ctx, q, mark)
	for i, a := range answers {
		a.Watermark = watermark
		if questions[i].by == "person" {
			s.nameRows(a)
		}
	}
	return answers, err
}

// Rebuild fills every projection anew from the events, beside the live one, and swaps.
func (s *Store) Rebuild(ctx context.Context, progress func(name string, rows uint64)) error {
	for _, p := range s.projections {
		if err := s.db.Rebuild(ctx, p, func(rows uint64) {
			if progress != nil {
				progress(p.Name, rows)
			}
		}); err != nil {
			return fmt.Errorf("rebuild %s: %w", p.Name, err)
		}
	}
	s.cache.clear()
	return nil
}
