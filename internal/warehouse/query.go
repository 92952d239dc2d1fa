package warehouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Stat is what the hook learns of one statement.
type Stat struct {
	Name     string        // as given to Query, Exec or Insert
	Kind     string        // query, exec, insert
	Duration time.Duration // until the last row was read or the write was acknowledged
	Rows     uint64        // rows given to the caller, or inserted
	Code     int32         // ClickHouse's error code; 0 = none, -1 = an error without a code (network, cancelled)
}

func (db *DB) observe(name, kind string, start time.Time, rows uint64, err error) {
	if db.cfg.Observe == nil {
		return
	}
	s := Stat{Name: name, Kind: kind, Duration: time.Since(start), Rows: rows}
	if err != nil {
		s.Code = -1
		var e *Error
		if errors.As(err, &e) {
			s.Code = e.Code
		}
	}
	db.cfg.Observe(s)
}

// withOptions puts settings and parameters where clickhouse-go looks for them.
func withOptions(ctx context.Context, settings clickhouse.Settings, params clickhouse.Parameters) context.Context {
	opts := []clickhouse.QueryOption{clickhouse.WithSettings(settings)}
	if len(params) > 0 {
		opts = append(opts, clickhouse.WithParameters(params))
	}
	return clickhouse.Context(ctx, opts...)
}

// Query runs a read-only statement. name reaches the query log (log_comment) and the hook. Without a deadline
// in ctx, Config.QueryTimeout applies to the statement and to reading its rows. Cancelling ctx kills it.
func (db *DB) Query(ctx context.Context, name, sql string, params ...Param) (*Rows, error) {
	start := time.Now()
	bound, err := bindParams(params)
	if err != nil {
		return nil, fmt.Errorf("query %s: %w", name, err)
	}
	cancel := context.CancelFunc(func() {})
	if _, ok := ctx.Deadline(); !ok {
		ctx, cancel = context.WithTimeout(ctx, db.cfg.QueryTimeout)
	}
	deadline, _ := ctx.Deadline()
	settings := clickhouse.Settings{"log_comment": name, "max_execution_time": max(1, int(time.Until(deadline).Seconds()+0.999))}
	if db.engine == nil {
		settings["readonly"] = 1
		if db.cte {
			settings["enable_materialized_cte"] = 1
		}
		if db.cfg.QueryMemory > 0 {
			settings["max_memory_usage"] = db.cfg.QueryMemory
		}
		if db.cfg.MaxThreads > 0 {
			settings["max_threads"] = db.cfg.MaxThreads
		}
		if db.http {
			settings["cancel_http_readonly_queries_on_client_close"] = 1
		}
	}
	inner, err := db.read.Query(withOptions(ctx, settings, bound), sql)
	if err != nil {
		err = fmt.Errorf("query %s: %w", name, asError(cause(ctx, err)))
		cancel()
		db.observe(name, "query", start, 0, err)
		return nil, err
	}
	return &Rows{inner: inner, ctx: ctx, db: db, name: name, sql: sql, params: params, start: start, cancel: cancel}, nil
}

// Exec runs a statement that changes something: DDL, INSERT SELECT. It has no time limit but ctx's.
func (db *DB) Exec(ctx context.Context, name, sql string, params ...Param) error {
	return db.exec(ctx, name, sql, nil, params...)
}

func (db *DB) exec(ctx context.Context, name, sql string, settings clickhouse.Settings, params ...Param) error {
	start := time.Now()
	bound, err := bindParams(params)
	if err != nil {
		return fmt.Errorf("statement %s: %w", name, err)
	}
	all := clickhouse.Settings{"log_comment": name}
	for k, v := range settings {
		all[k] = v
	}
	sql = strings.TrimRight(strings.TrimSpace(sql), "; \n")
	db.forgetTypes("")
	err = db.write.Exec(withOptions(ctx, all, bound), sql)
	if err != nil {
		err = fmt.Errorf("statement %s: %w", name, asError(cause(ctx, err)))
	}
	db.observe(name, "exec", start, 0, err)
	return err
}

// cause adds why the context ended to an error that only says that it did.
func cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	return fmt.Errorf("%w (%w)", err, ctx.Err())
}
