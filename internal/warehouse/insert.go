package warehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Batch collects the rows of one insert, by row or by column.
type Batch interface {
	// Append adds one row, values in the order of Insert's columns.
	Append(row ...any) error
	// Column gives the buffer of one column; all of them must end at the same length.
	Column(i int) ColumnBuilder
	Rows() int
}

// ColumnBuilder takes whole slices of a column's Go type: []string, []time.Time, []int64 …
type ColumnBuilder interface{ Append(v any) error }

// insertSettings make an insert safe to repeat: the token covers the table and every view behind it, and the
// answer comes when all of them have the rows.
func insertSettings(name, token string) clickhouse.Settings {
	s := clickhouse.Settings{
		"insert_deduplicate": 1,
		"deduplicate_blocks_in_dependent_materialized_views": 1,
		"async_insert": 0,
		"log_comment":  name,
	}
	if token != "" {
		s["insert_deduplication_token"] = token
	}
	return s
}

// Insert writes the rows that fill appends, in one statement. Equal tokens mean equal rows: the second insert
// of a token within the tables' deduplication window is acknowledged and changes nothing; "" leaves it to the
// rows' own hash. A nil error means that the table and its views have the rows, on disk where the table says so.
// After an error nothing is known; repeat with the same token (IsTransient) or cut the block (IsRefused).
func (db *DB) Insert(ctx context.Context, table string, columns []string, token string, fill func(b Batch) error) error {
	start := time.Now()
	defer db.takeOff()()
	rows, err := db.insert(ctx, table, columns, token, fill)
	if err != nil {
		err = fmt.Errorf("insert into %s: %w", table, asError(cause(ctx, err)))
	}
	db.observe(table, "insert", start, uint64(rows), err)
	return err
}

func (db *DB) insert(ctx context.Context, table string, columns []string, token string, fill func(b Batch) error) (rows int, err error) {
	opts := []clickhouse.QueryOption{clickhouse.WithSettings(insertSettings("insert "+table, token))}
	if db.http {
		types, err := db.columnTypes(ctx, table, columns)
		if err != nil {
			return 0, err
		}
		opts = append(opts, clickhouse.WithColumnNamesAndTypes(types))
	}
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = quoteName(c)
	}
	sql := "INSERT INTO " + quoteTable(table)
	if len(columns) > 0 {
		sql += " (" + strings.Join(quoted, ", ") + ")"
	}
	inner, err := db.write.PrepareBatch(clickhouse.Context(ctx, opts...), sql)
	if err != nil {
		db.forgetTypes(table)
		return 0, err
	}
	b := &batch{inner: inner}
	if err := fill(b); err != nil {
		return 0, errors.Join(err, abort(inner))
	}
	rows = b.Rows()
	// clickhouse-go sends an empty body when the columns differ in length, and an empty body is a good insert
	// of nothing: it must be caught here.
	for i, c := range inner.Columns() {
		if c.Rows() != rows {
			return 0, errors.Join(&dataError{fmt.Errorf("column %d has %d rows, the first has %d", i, c.Rows(), rows)}, abort(inner))
		}
	}
	if rows == 0 {
		return 0, abort(inner)
	}
	if err := inner.Send(); err != nil {
		db.forgetTypes(table)
		return 0, err
	}
	return rows, nil
}

// takeOff notes an insert as on its way until the returned function is called.
func (db *DB) takeOff() (land func()) {
	ended := make(chan struct{})
	db.flightMu.Lock()
	defer db.flightMu.Unlock()
	if db.flight == nil {
		db.flight = map[chan struct{}]struct{}{}
	}
	db.flight[ended] = struct{}{}
	return func() {
		db.flightMu.Lock()
		delete(db.flight, ended)
		db.flightMu.Unlock()
		close(ended)
	}
}

// landed waits for the inserts that are on their way now; later ones do not count.
func (db *DB) landed(ctx context.Context) error {
	db.flightMu.Lock()
	now := slices.Collect(maps.Keys(db.flight))
	db.flightMu.Unlock()
	for _, ended := range now {
		select {
		case <-ended:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// abort gives the connection back; an insert that sent nothing has nothing to undo.
func abort(b driver.Batch) error {
	if b.IsSent() {
		return nil
	}
	if err := b.Abort(); err != nil && !errors.Is(err, clickhouse.ErrBatchAlreadySent) {
		return err
	}
	return nil
}

// batch hides clickhouse-go's batch and marks what it refuses as the data's fault.
type batch struct{ inner driver.Batch }

func (b *batch) Append(row ...any) error {
	if err := b.inner.Append(row...); err != nil {
		return &dataError{err}
	}
	return nil
}

func (b *batch) Column(i int) ColumnBuilder { return columnBuilder{b.inner.Column(i)} }
func (b *batch) Rows() int                  { return b.inner.Rows() }

type columnBuilder struct{ inner driver.BatchColumn }

func (c columnBuilder) Append(v any) error {
	if err := c.inner.Append(v); err != nil {
		return &dataError{err}
	}
	return nil
}

// columnTypes asks once per table what its columns are; an HTTP insert needs to know before it can encode.
// Changing statements forget it.
func (db *DB) columnTypes(ctx context.Context, table string, columns []string) ([]clickhouse.ColumnNameAndType, error) {
	db.typesMu.Lock()
	known := db.types[table]
	db.typesMu.Unlock()
	if known == nil {
		rows, err := db.Query(ctx, "describe", "DESCRIBE TABLE "+quoteTable(table))
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			v, err := rows.Values()
			if err != nil {
				return nil, err
			}
			name, _ := v[0].(string)
			kind, _ := v[1].(string)
			if made, _ := v[2].(string); made == "MATERIALIZED" || made == "ALIAS" {
				continue // cannot be inserted
			}
			known = append(known, clickhouse.ColumnNameAndType{Name: name, Type: kind})
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
		db.typesMu.Lock()
		if db.types == nil {
			db.types = map[string][]clickhouse.ColumnNameAndType{}
		}
		db.types[table] = known
		db.typesMu.Unlock()
	}
	if len(columns) == 0 {
		return known, nil
	}
	out := make([]clickhouse.ColumnNameAndType, 0, len(columns))
next:
	for _, name := range columns {
		for _, k := range known {
			if k.Name == name {
				out = append(out, k)
				continue next
			}
		}
		db.forgetTypes(table)
		return nil, &Error{Code: 16, Name: "NO_SUCH_COLUMN_IN_TABLE", Message: "no column " + name + " in table " + table}
	}
	return out, nil
}

func (db *DB) forgetTypes(table string) {
	db.typesMu.Lock()
	defer db.typesMu.Unlock()
	if table == "" {
		db.types = nil
		return
	}
	delete(db.types, table)
}

// quoteName makes an identifier of any text.
func quoteName(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}

// quoteTable quotes table or database.table.
func quoteTable(name string) string {
	if db, table, ok := strings.Cut(name, "."); ok {
		return quoteName(db) + "." + quoteName(table)
	}
	return quoteName(name)
}
