package warehouse

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// A projection is a table derived from `events` by one SELECT that is written once.
//
//  1. Rows live in a generation, NAME_<hash of the text>, which a materialized view NAME_mv_<hash> feeds. Neither
//     is ever renamed: a view finds its target by name, so renaming a live target would misdirect inserts.
//  2. NAME itself is a Merge table over the live generation and has no rows; FINAL, filters and the primary key
//     reach through it. Readers and metric files only know NAME.
//  3. A rebuild makes the next generation: table, then view, so that no insert is missed; then the backfill from
//     `events`; then EXCHANGE TABLES of NAME with a Merge table over the new generation, which is the one atomic
//     step; then the old view and table go. Rows met by both view and backfill merge into one (order-free merges).
//  4. A crash before the exchange leaves NAME as it was, after it complete; what lies about is removed by the
//     next EnsureProjection. Nothing but NAME says which generation is live, so nothing can disagree with it.

// Projection is the text of one derived table.
type Projection struct {
	Name     string
	Columns  string // between the parentheses of CREATE TABLE
	Engine   string // after ENGINE =, up to SETTINGS: engine, ORDER BY, PARTITION BY …
	Settings string // after SETTINGS
	Select   string // over the table events; no condition on time
}

// Hash names the text: comments and spacing do not count.
func (p Projection) Hash() string {
	return hashSQL(strings.Join([]string{p.Columns, p.Engine, p.Settings, p.Select}, "\n;\n"))
}

var (
	projectionHead = regexp.MustCompile(`(?m)\A\s*--\s*projection:\s*([a-z][a-z0-9_]*)\s*$`)
)

// projectionName is the name in a projection file's first line, or "".
func projectionName(text []byte) string {
	if m := projectionHead.FindSubmatch(text); m != nil {
		return string(m[1])
	}
	return ""
}

// ParseProjection reads a schema file: the line `-- projection: NAME`, a CREATE TABLE of NAME, and its SELECT.
func ParseProjection(name string, text []byte) (Projection, error) {
	fail := func(format string, args ...any) (Projection, error) {
		return Projection{}, fmt.Errorf("projection file %s: %w", name, fmt.Errorf(format, args...))
	}
	p := Projection{Name: projectionName(text)}
	if p.Name == "" {
		return fail("the first line is not `-- projection: NAME`")
	}
	statements := splitStatements(string(text))
	if len(statements) != 2 {
		return fail("it has %d statements, not CREATE TABLE and SELECT", len(statements))
	}
	create := statements[0]
	s := parseStatement(create)
	e := s.engine()
	if s.verb != "CREATE" || s.object != "TABLE" || s.name < 1 || e < 0 {
		return fail("the first statement is not CREATE TABLE … ENGINE = …")
	}
	if got := strings.Trim(s.ts[s.name-1].text, "`\""); got != p.Name {
		return fail("it creates %s", got)
	}
	open, end := s.ts[s.name], -1
	for i := s.name + 1; i < len(s.ts); i++ {
		if s.ts[i].text == ")" && s.ts[i].depth == 0 {
			end = s.ts[i].start
			break
		}
	}
	if open.text != "(" || end < 0 {
		return fail("the table has no list of columns")
	}
	p.Columns = strings.TrimSpace(create[open.start+1 : end])
	p.Engine = strings.TrimSpace(create[s.ts[e].start:])
	if i := clause(s.ts, e, "SETTINGS"); i >= 0 {
		p.Engine = strings.TrimSpace(create[s.ts[e].start:s.ts[i].start])
		p.Settings = strings.TrimSpace(create[s.ts[i].start+len("SETTINGS"):])
	}
	p.Select = statements[1]
	if first := words(p.Select); !first[0].is("SELECT") && !first[0].is("WITH") {
		return fail("the second statement is not a SELECT")
	}
	return p, nil
}

// create is the statement that makes a generation's table.
func (p Projection) create(table string) string {
	sql := "CREATE TABLE IF NOT EXISTS " + quoteName(table) + "\n(\n" + p.Columns + "\n)\nENGINE = " + p.Engine
	if p.Settings != "" {
		sql += "\nSETTINGS " + p.Settings
	}
	return sql
}

// generation is one build of a projection: its table NAME_<suffix> and view NAME_mv_<suffix>.
type generation struct{ name, suffix string }

func (g generation) table() string { return g.name + "_" + g.suffix }
func (g generation) view() string  { return g.name + "_mv_" + g.suffix }
func (g generation) hash() string  { h, _, _ := strings.Cut(g.suffix, "_"); return h }

// built is what the warehouse has of a projection.
type built struct {
	exists bool         // NAME is there
	live   generation   // what NAME reads; the zero value when that is gone
	intact bool         // live has its table and its view
	others []generation // of builds that did not end
}

// EnsureProjection makes the live generation the one of this text, building it beside the old one when it is
// not. rebuilt is false when nothing had to be done. Work is linear in `events`; reads and inserts go on.
func (db *DB) EnsureProjection(ctx context.Context, p Projection) (rebuilt bool, err error) {
	db.schemaMu.Lock()
	defer db.schemaMu.Unlock()
	was, err := db.tidy(ctx, p.Name)
	if err != nil {
		return false, err
	}
	if was.intact && was.live.hash() == p.Hash() {
		return false, nil
	}
	return true, db.build(ctx, p, was, nil)
}

// Rebuild builds the projection again from `events`, whatever is there. progress, if given, hears now and then
// how many rows have been read.
func (db *DB) Rebuild(ctx context.Context, p Projection, progress func(rows uint64)) error {
	db.schemaMu.Lock()
	defer db.schemaMu.Unlock()
	was, err := db.tidy(ctx, p.Name)
	if err != nil {
		return err
	}
	return db.build(ctx, p, was, progress)
}

// tidy says what there is of a projection, after removing what a build that did not end has left.
func (db *DB) tidy(ctx context.Context, name string) (built, error) {
	was, err := db.look(ctx, name)
	if err != nil {
		return was, err
	}
	for _, g := range was.others {
		if err := db.dropGeneration(ctx, g); err != nil {
			return was, err
		}
	}
	return was, nil
}

var suffixText = regexp.MustCompile(`^[0-9a-f]{12}(_[0-9]+)?$`)

func (db *DB) look(ctx context.Context, name string) (was built, err error) {
	const sql = "SELECT name, engine, engine_full FROM system.tables WHERE database = currentDatabase() AND (name = {name:String} OR startsWith(name, concat({name:String}, '_')))"
	rows, err := db.Query(ctx, "projection "+name, sql, Param{"name", name})
	if err != nil {
		return was, err
	}
	defer rows.Close()
	parts := map[generation]int{}
	target := ""
	for rows.Next() {
		var table, engine, full string
		if err := rows.Scan(&table, &engine, &full); err != nil {
			return was, err
		}
		suffix, ours := strings.CutPrefix(table, name+"_")
		suffix = strings.TrimPrefix(suffix, "mv_")
		switch {
		case table == name && engine != "Merge":
			return was, fmt.Errorf("table %s is a %s and not a projection of ours: rename or drop it", name, engine)
		case table == name:
			was.exists, target = true, full
		case ours && suffixText.MatchString(suffix):
			parts[generation{name, suffix}]++
		}
	}
	for g, n := range parts {
		if strings.Contains(target, "'^"+g.table()+"$'") {
			was.live, was.intact = g, n == 2
		} else {
			was.others = append(was.others, g)
		}
	}
	slices.SortFunc(was.others, func(a, b generation) int { return strings.Compare(a.suffix, b.suffix) })
	return was, rows.Err()
}

// build makes the next generation and puts it in the place of the live one.
func (db *DB) build(ctx context.Context, p Projection, was built, progress func(uint64)) error {
	start := time.Now()
	next := generation{p.Name, p.Hash()}
	for n := 2; next == was.live; n++ {
		next.suffix = p.Hash() + "_" + strconv.Itoa(n)
	}
	what := "projection " + p.Name
	if err := db.change(ctx, what, p.create(next.table())); err != nil {
		return err
	}
	view := "CREATE MATERIALIZED VIEW IF NOT EXISTS " + quoteName(next.view()) + " TO " + quoteName(next.table()) + " AS\n" + p.Select
	if err := db.change(ctx, what, view); err != nil {
		return errors.Join(err, db.dropGeneration(context.WithoutCancel(ctx), next))
	}
	if err := db.settle(ctx); err != nil {
		return errors.Join(err, db.dropGeneration(context.WithoutCancel(ctx), next))
	}
	if err := db.backfill(ctx, p, next, progress); err != nil {
		return errors.Join(fmt.Errorf("fill the projection %s: %w", p.Name, err), db.dropGeneration(context.WithoutCancel(ctx), next))
	}
	merge := func(verb, name string) string {
		return verb + " " + quoteName(name) + " AS " + quoteName(next.table()) + " ENGINE = Merge(currentDatabase(), '^" + next.table() + "$')"
	}
	if !was.exists {
		if err := db.change(ctx, what, merge("CREATE TABLE", p.Name)); err != nil {
			return err
		}
	} else {
		spare := p.Name + "_next"
		for _, sql := range []string{
			"DROP TABLE IF EXISTS " + quoteName(spare),
			merge("CREATE TABLE", spare),
			"EXCHANGE TABLES " + quoteName(spare) + " AND " + quoteName(p.Name),
			"DROP TABLE IF EXISTS " + quoteName(spare),
		} {
			if err := db.change(ctx, what, sql); err != nil {
				return err
			}
		}
		if was.live.suffix != "" {
			if err := db.dropGeneration(ctx, was.live); err != nil {
				return err
			}
		}
	}
	db.cfg.Log.Info("projection built", "projection", p.Name, "generation", next.suffix, "took", time.Since(start).Round(time.Millisecond))
	return nil
}

// settle waits for the inserts that began before the views changed: they feed the old set of views, and their
// rows may not be in `events` yet for a backfill to find.
func (db *DB) settle(ctx context.Context) error {
	if err := db.landed(ctx); err != nil || db.Embedded() {
		return err
	}
	from := "system.processes"
	if db.cfg.Cluster != "" {
		from = "clusterAllReplicas('" + quoteEscaper.Replace(db.cfg.Cluster) + "', system.processes)"
	}
	running := func(filter string, params ...Param) (string, error) {
		return db.text(ctx, "inserts under way", "SELECT toString(groupArray(query_id)) FROM "+from+" WHERE query_kind = 'Insert' AND "+filter, params...)
	}
	before, err := running("1")
	for err == nil && before != "[]" {
		var left string
		if left, err = running("has({ids:Array(String)}, query_id)", Param{"ids", rawParam(before)}); err != nil || left == "[]" {
			break
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err == nil && db.cfg.Cluster != "" {
		err = db.Exec(ctx, "sync replica", "SYSTEM SYNC REPLICA events")
	}
	return err
}

// dropGeneration removes the view first: without its target it would fail every insert. Inserts that have
// seen the view may still be writing, and would be aborted.
func (db *DB) dropGeneration(ctx context.Context, g generation) error {
	what := "projection " + g.name
	if err := db.change(ctx, what, "DROP VIEW IF EXISTS "+quoteName(g.view())); err != nil {
		return err
	}
	if err := db.settle(ctx); err != nil {
		return err
	}
	return db.change(ctx, what, "DROP TABLE IF EXISTS "+quoteName(g.table()))
}

// backfill folds all of `events` into a generation. Identical blocks are not dropped (insert_deduplicate), and
// what does not fit in memory while grouping goes to disk.
func (db *DB) backfill(ctx context.Context, p Projection, g generation, progress func(uint64)) error {
	spill := int64(1 << 30)
	if db.cfg.MaxMemory > 0 {
		spill = db.cfg.MaxMemory / 4
	}
	settings := clickhouse.Settings{"insert_deduplicate": 0, "max_bytes_before_external_group_by": spill, "max_insert_threads": 2}
	if progress != nil {
		done, ended := make(chan struct{}), make(chan struct{})
		defer func() { close(done); <-ended }()
		go func() {
			defer close(ended)
			db.watchRows(ctx, g.table(), done, progress)
		}()
	}
	return db.exec(ctx, "backfill "+p.Name, "INSERT INTO "+quoteName(g.table())+"\n"+p.Select, settings)
}

// watchRows reports the rows that the running INSERT into a table has read.
func (db *DB) watchRows(ctx context.Context, table string, done <-chan struct{}, progress func(uint64)) {
	const sql = "SELECT toString(max(read_rows)) FROM system.processes WHERE query_kind = 'Insert' AND position(query, {table:String}) > 0"
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		text, err := db.text(ctx, "progress", sql, Param{"table", table})
		if err != nil {
			continue // progress is a courtesy; the backfill reports its own errors
		}
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && n > 0 {
			progress(n)
		}
	}
}
