package warehouse

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Column names a column of an answer and its ClickHouse type.
type Column struct{ Name, Type string }

// Rows is an answer that is being read. Close it, always; Next closes it after the last row.
type Rows struct {
	inner  driver.Rows
	ctx    context.Context
	db     *DB
	name   string
	sql    string
	params []Param
	start  time.Time
	cancel context.CancelFunc
	types  []driver.ColumnType
	n      uint64
	err    error
	closed bool
}

// Next moves to the next row; false after the last one or an error (Err).
func (r *Rows) Next() bool {
	if r.closed || r.err != nil {
		return false
	}
	if r.inner.Next() {
		r.n++
		return true
	}
	r.Close()
	return false
}

// Scan copies the current row.
func (r *Rows) Scan(dest ...any) error {
	if err := r.inner.Scan(dest...); err != nil {
		return fmt.Errorf("query %s: %w", r.name, err)
	}
	return nil
}

// Columns describes the answer. An answer without rows comes without its header, and is described by asking
// again; if that fails there are no columns.
func (r *Rows) Columns() []Column {
	r.loadTypes()
	if len(r.types) == 0 && r.n == 0 {
		return r.describe()
	}
	out := make([]Column, len(r.types))
	for i, t := range r.types {
		out[i] = Column{Name: t.Name(), Type: t.DatabaseTypeName()}
	}
	return out
}

func (r *Rows) describe() (out []Column) {
	rows, err := r.db.Query(context.WithoutCancel(r.ctx), r.name, "DESCRIBE TABLE ("+strings.TrimRight(strings.TrimSpace(r.sql), ";")+"\n)", r.params...)
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			return nil
		}
		name, _ := v[0].(string)
		kind, _ := v[1].(string)
		out = append(out, Column{Name: name, Type: kind})
	}
	return out
}

func (r *Rows) loadTypes() {
	if r.types == nil {
		r.types = r.inner.ColumnTypes()
	}
}

// Values gives the current row as Go values: string, bool, int64, uint64, float64, time.Time (UTC), slices and
// maps as clickhouse-go has them, and nil for NULL.
func (r *Rows) Values() ([]any, error) {
	r.loadTypes()
	dest := make([]any, len(r.types))
	for i, t := range r.types {
		dest[i] = reflect.New(t.ScanType()).Interface()
	}
	if err := r.Scan(dest...); err != nil {
		return nil, err
	}
	for i := range dest {
		dest[i] = plain(reflect.ValueOf(dest[i]).Elem())
	}
	return dest, nil
}

// plain widens numbers and looks through pointers.
func plain(v reflect.Value) any {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		if v.IsNil() {
			return nil
		}
		if _, ok := v.Interface().(fmt.Stringer); ok && v.Kind() == reflect.Pointer {
			break
		}
		v = v.Elem()
	}
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC()
	}
	switch v.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return v.Uint()
	case reflect.Float32, reflect.Float64:
		return v.Float()
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return v.Bool()
	}
	return v.Interface()
}

// Err is the error that ended the rows, if any.
func (r *Rows) Err() error { return r.err }

// Close ends the answer, killing the statement when rows are left, and returns Err.
func (r *Rows) Close() error {
	if r.closed {
		return r.err
	}
	r.closed = true
	err := r.inner.Err()
	if err == nil && r.ctx.Err() != nil {
		err = r.ctx.Err()
	}
	r.cancel() // rows nobody wants are not read to their end
	if cerr := r.inner.Close(); err == nil && cerr != nil && r.ctx.Err() == nil {
		err = cerr
	}
	if err != nil {
		r.err = fmt.Errorf("query %s: %w", r.name, asError(err))
	}
	r.db.observe(r.name, "query", r.start, r.n, r.err)
	return r.err
}
