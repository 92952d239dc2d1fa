// Package warehouse is the one handle to ClickHouse: a server reached by a DSN, or the engine itself inside
// this process. Everything above it speaks ClickHouse SQL and cannot tell which it is.
//
//  1. Two clickhouse-go handles over one Engine (or one server): readers, whose statements are read-only, and
//     writers. The embedded engine answers clickhouse-go's HTTP protocol through a round-tripper (engine.go).
//  2. Every statement carries a name and limits: the name reaches the query log and the hook Config.Observe.
//  3. Inserts are synchronous, deduplicated by a token, and folded into the materialized views in the same
//     statement; an error by code says whether to retry, to cut the block down, or to stop (errors.go).
//  4. Migrate applies additive files once; EnsureProjection keeps a table, its view and its SELECT together and
//     rebuilds beside the old table when the text changes (projection.go).
package warehouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Config says where the warehouse is and what it may use. The zero value of every limit is its default.
type Config struct {
	DSN          string        // "" = embedded engine in Dir; else clickhouse://… (native) or http(s)://…; TLS by ?secure=true
	Dir          string        // data directory of the embedded engine
	Library      string        // path of libchdb; "" = LIBCHDB, then the usual places
	MaxMemory    int64         // bytes the embedded engine may use in all; 0 = the engine's own rule (a part of the machine)
	QueryMemory  int64         // bytes one statement may use; 0 = no limit of its own
	QueryTimeout time.Duration // for statements of Query whose context has no deadline; default 30 s
	MaxThreads   int           // threads of one statement; 0 = the engine's rule
	Readers      int           // connections for Query; default 8
	Writers      int           // connections for Exec and Insert; default 4
	Cluster      string        // non-empty: schema statements become ON CLUSTER with Replicated engines
	Log          *slog.Logger  // default: none
	Observe      func(Stat)    // called after every statement, from the goroutine that ran it
	// Transport wraps the round-tripper, for tests that inject faults.
	Transport func(http.RoundTripper) http.RoundTripper
}

func (c Config) withDefaults() Config {
	if c.QueryTimeout <= 0 {
		c.QueryTimeout = 30 * time.Second
	}
	if c.Readers <= 0 {
		c.Readers = 8
	}
	if c.Writers <= 0 {
		c.Writers = 4
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// DB is an open warehouse. All methods are safe for concurrent use.
type DB struct {
	cfg     Config
	engine  *Engine // nil with a DSN
	read    driver.Conn
	write   driver.Conn
	http    bool
	cte     bool // the server knows enable_materialized_cte and has to be told
	version string

	typesMu sync.Mutex
	types   map[string][]clickhouse.ColumnNameAndType // column types by table, for inserts over HTTP

	flightMu sync.Mutex
	flight   map[chan struct{}]struct{} // inserts on their way, each closed when it ends

	schemaMu sync.Mutex        // one schema change at a time
	applied  map[string]string // schema files of this process: name to hash
}

// Open connects to the server of cfg.DSN, or starts the embedded engine in cfg.Dir. Errors: ErrNoLibrary when
// the engine is not installed, ErrInUse when another process has the directory.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	cfg = cfg.withDefaults()
	db := &DB{cfg: cfg}
	read, write, err := db.options(ctx)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*DB, error) {
		return nil, errors.Join(err, db.Close())
	}
	if db.read, err = clickhouse.Open(read); err != nil {
		return fail(fmt.Errorf("open the warehouse: %w", asError(err)))
	}
	if db.write, err = clickhouse.Open(write); err != nil {
		return fail(fmt.Errorf("open the warehouse: %w", asError(err)))
	}
	if db.version, err = db.text(ctx, "version", "SELECT version()"); err != nil {
		return fail(fmt.Errorf("reach the warehouse: %w", err))
	}
	if db.engine == nil {
		n, err := db.text(ctx, "version", "SELECT toString(count()) FROM system.settings WHERE name = 'enable_materialized_cte'")
		if err != nil {
			return fail(fmt.Errorf("reach the warehouse: %w", err))
		}
		db.cte = n == "1"
	}
	return db, nil
}

// options gives the reader's and the writer's clickhouse-go options, starting the engine if it is embedded.
func (db *DB) options(ctx context.Context) (read, write *clickhouse.Options, err error) {
	if db.cfg.DSN == "" {
		if db.engine, err = OpenEngine(ctx, db.cfg); err != nil {
			return nil, nil, err
		}
		db.http = true
		base := clickhouse.Options{Protocol: clickhouse.HTTP, Addr: []string{"embedded:8123"}}
		return db.finish(base, db.engine.Transport(true)), db.finish(base, db.engine.Transport(false)), nil
	}
	parsed, err := clickhouse.ParseDSN(db.cfg.DSN)
	if err != nil {
		return nil, nil, fmt.Errorf("the ClickHouse address is not understood: %w", redact(err, db.cfg.DSN))
	}
	if u, err := url.Parse(db.cfg.DSN); err == nil && u.Scheme == "https" && parsed.TLS == nil {
		parsed.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	db.http = parsed.Protocol == clickhouse.HTTP
	return db.finish(*parsed, nil), db.finish(*parsed, nil), nil
}

// redact keeps the DSN, which may hold a password, out of an error.
func redact(err error, dsn string) error {
	if strings.Contains(err.Error(), dsn) {
		return errors.New("it does not parse as clickhouse://… or http(s)://…")
	}
	return err
}

// finish adds what is common to every handle.
func (db *DB) finish(o clickhouse.Options, rt http.RoundTripper) *clickhouse.Options {
	o.ClientInfo.Products = append(o.ClientInfo.Products, struct{ Name, Version string }{"steward", runtime.Version()})
	o.MaxOpenConns = db.cfg.Readers + db.cfg.Writers
	o.MaxIdleConns = o.MaxOpenConns
	if o.DialTimeout == 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.ReadTimeout == 0 {
		o.ReadTimeout = 5 * time.Minute
	}
	if db.http {
		o.TransportFunc = func(t *http.Transport) (http.RoundTripper, error) {
			var out http.RoundTripper = t
			if rt != nil {
				out = rt
			}
			if db.cfg.Transport != nil {
				out = db.cfg.Transport(out)
			}
			return out, nil
		}
	}
	return &o
}

// Version is the ClickHouse version that answers.
func (db *DB) Version() string { return db.version }

// Embedded says whether the engine runs in this process.
func (db *DB) Embedded() bool { return db.engine != nil }

// Close ends every connection, waiting for statements that run in the embedded engine. It is safe to call twice.
func (db *DB) Close() error {
	var errs []error
	if db.read != nil {
		errs = append(errs, db.read.Close())
	}
	if db.write != nil {
		errs = append(errs, db.write.Close())
	}
	if db.engine != nil {
		errs = append(errs, db.engine.Close())
	}
	return errors.Join(errs...)
}
