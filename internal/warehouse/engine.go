package warehouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Engine is the embedded ClickHouse: libchdb in this process, one data directory, answering ClickHouse's
// HTTP interface as an http.RoundTripper (transport.go). Open uses it; tests put it behind a real socket.
//
//  1. A connection runs one statement at a time and belongs to one request from checkout to return. Shared
//     connections answered with other callers' rows, so there is no other way to reach one.
//  2. Readers executed SET readonly = 1, which nothing can undo: they cannot insert, nor reach file() or url().
//     Writers are unrestricted. Both pools are filled lazily and bounded; a request waits for its turn.
//  3. Every connection carries a log_comment of its own. To cancel, a spare connection kills by that comment,
//     again and again until the statement has returned; SYNC is never used, since it can wait for ever.
//  4. The configuration is one file of ours, named at connect. Without it the engine would take ./config.xml,
//     ~/.clickhouse-local or /etc/clickhouse-local, whoever wrote them.
//  5. Every connect saves the signal table and puts it back, one connect at a time.
//  6. Close waits for what is running, closes every connection and with the last one the engine; the directory
//     is then free for others. A lock file says who has it until then.
type Engine struct {
	lib     *library
	cfg     Config
	log     *slog.Logger
	lock    *dirLock
	readers *pool
	writers *pool
	version string

	spareMu sync.Mutex
	spare   *conn

	serial atomic.Uint64
	closed atomic.Bool
}

// database is where everything of ours lives: an Atomic database, so that EXCHANGE TABLES works. The engine's
// own `default` database also shows files of the disk as tables.
const database = "steward"

// OpenEngine starts the embedded engine on cfg.Dir. One directory per process and one process per directory.
func OpenEngine(ctx context.Context, cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	if cfg.Dir == "" {
		return nil, errors.New("the embedded engine needs a data directory")
	}
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	cfg.Dir = dir

	process.Lock()
	defer process.Unlock()
	lib, err := loadLibrary(cfg.Library)
	if err != nil {
		return nil, err
	}
	if process.path != "" {
		return nil, fmt.Errorf("open the warehouse in %s: this process already has one open in %s", dir, process.path)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{lib: lib, cfg: cfg, log: cfg.Log, lock: lock}
	if lock.died != "" {
		e.log.Warn("the warehouse was not closed the last time; what it had acknowledged is on disk", "by", lock.died)
	}
	e.readers = newPool(cfg.Readers)
	e.writers = newPool(cfg.Writers)
	if err := e.start(ctx); err != nil {
		if e.spare != nil {
			e.disconnect(e.spare)
		}
		lock.release()
		return nil, err
	}
	process.path = dir
	return e, nil
}

// start boots the engine with its first connection, which becomes the spare one. process is locked.
func (e *Engine) start(context.Context) error {
	if err := e.writeConfig(); err != nil {
		return err
	}
	c, err := e.connectLocked(true)
	if err != nil {
		return err
	}
	e.spare = c
	if err := e.run(c, "CREATE DATABASE IF NOT EXISTS "+database+" ENGINE = Atomic"); err != nil {
		return fmt.Errorf("prepare the database: %w", err)
	}
	if err := e.run(c, "USE "+database); err != nil {
		return fmt.Errorf("select the database: %w", err)
	}
	res, err := e.query(c, "SELECT version()", "TSVRaw", nil)
	if err != nil {
		return fmt.Errorf("ask the engine for its version: %w", err)
	}
	e.version = strings.TrimSpace(string(res.copy()))
	res.close()
	return nil
}

// writeConfig puts the configuration where only we look for it.
func (e *Engine) writeConfig() error {
	const text = `<!-- Written by steward at every start; edits are lost. -->
<clickhouse>
    <timezone>UTC</timezone>
</clickhouse>
`
	if err := os.WriteFile(e.configFile(), []byte(text), 0o600); err != nil {
		return fmt.Errorf("write the engine's configuration: %w", err)
	}
	return nil
}

func (e *Engine) configFile() string { return filepath.Join(e.cfg.Dir, "engine.xml") }

// conn is one connection of the engine. Its owner is the goroutine that checked it out.
type conn struct {
	handle  unsafe.Pointer // chdb_connection *
	inner   uintptr        // chdb_connection
	comment string
	applied map[string]string // settings changed from their defaults, writers only
}

// connectLocked opens one connection; process must be locked, because connecting disturbs the signal table.
func (e *Engine) connectLocked(boot bool) (*conn, error) {
	comment := "steward-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(e.serial.Add(1), 10)
	args := []string{"steward", "--path=" + e.cfg.Dir, "--config-file=" + e.configFile()}
	if boot {
		if e.cfg.MaxMemory > 0 {
			args = append(args, "--max_server_memory_usage="+strconv.FormatInt(e.cfg.MaxMemory, 10))
		}
		merges := strconv.Itoa(min(16, max(2, runtime.NumCPU()/2)))
		args = append(args,
			"--background_pool_size="+merges, "--background_merges_mutations_concurrency_ratio=2", "--background_schedule_pool_size=4",
			"--background_common_pool_size=2", "--mark_cache_size=67108864")
	}
	argv := make([]uintptr, 0, len(args)+1)
	var pin runtime.Pinner
	defer pin.Unpin()
	for _, a := range args {
		b := append([]byte(a), 0)
		pin.Pin(&b[0])
		argv = append(argv, uintptr(unsafe.Pointer(&b[0])))
	}
	argv = append(argv, 0)
	pin.Pin(&argv[0])

	runtime.LockOSThread()
	signals := saveSignals()
	handle := e.lib.connect(int32(len(args)), unsafe.Pointer(&argv[0]))
	signals.restore()
	runtime.UnlockOSThread()
	if handle == nil {
		return nil, fmt.Errorf("the embedded engine did not open %s: another program may be using the directory, or it is damaged (the engine wrote the reason to standard error)", e.cfg.Dir)
	}
	c := &conn{handle: handle, inner: *(*uintptr)(handle), comment: comment, applied: map[string]string{}}
	set := "SET log_comment = '" + comment + "', session_timezone = 'UTC', enable_materialized_cte = 1" +
		// These passes compare expressions with each other, each down to its tables. On statements put together
		// from many common table expressions they cost more than all the rest of the analysis, and find nothing.
		", optimize_and_compare_chain = 0, optimize_redundant_comparisons = 0, optimize_extract_common_expressions = 0" +
		", optimize_aggregators_of_group_by_keys = 0, optimize_truncate_order_by_after_group_by_keys = 0, optimize_syntax_fuse_functions = 0" +
		", optimize_group_by_function_keys = 0, optimize_injective_functions_in_group_by = 0, optimize_limit_by_function_keys = 0" +
		// A set of thousands of ids excludes no granule, yet every granule would be held against it.
		", use_index_for_in_with_subqueries_max_values = 1000"
	if e.cfg.QueryMemory > 0 {
		set += ", max_memory_usage = " + strconv.FormatInt(e.cfg.QueryMemory, 10)
	}
	if e.cfg.MaxThreads > 0 {
		set += ", max_threads = " + strconv.Itoa(e.cfg.MaxThreads)
	}
	if err := e.run(c, set); err != nil {
		e.disconnect(c)
		return nil, fmt.Errorf("set up a connection: %w", err)
	}
	return c, nil
}

// connect opens a pooled connection.
func (e *Engine) connect(readonly bool) (*conn, error) {
	process.Lock()
	defer process.Unlock()
	c, err := e.connectLocked(false)
	if err != nil {
		return nil, err
	}
	steps := []string{"USE " + database}
	if readonly {
		steps = append(steps, "SET readonly = 1")
	}
	for _, sql := range steps {
		if err := e.run(c, sql); err != nil {
			e.disconnect(c)
			return nil, fmt.Errorf("set up a connection: %w", err)
		}
	}
	return c, nil
}

func (e *Engine) disconnect(c *conn) { e.lib.closeConn(c.handle) }

// Version is the engine's ClickHouse version, such as 26.7.3.1.
func (e *Engine) Version() string { return e.version }

// Close ends the engine after the statements that are running. It is safe to call twice.
func (e *Engine) Close() error {
	if e.closed.Swap(true) {
		return nil
	}
	open := append(e.readers.drain(), e.writers.drain()...)
	process.Lock()
	defer process.Unlock()
	for _, c := range open {
		e.disconnect(c)
	}
	e.spareMu.Lock()
	e.disconnect(e.spare)
	e.spareMu.Unlock()
	process.path = ""
	return e.lock.release()
}

// pool hands out connections, each to one caller at a time. A slot holds nil until it is first used.
type pool struct{ slots chan *conn }

func newPool(n int) *pool {
	p := &pool{slots: make(chan *conn, n)}
	for range n {
		p.slots <- nil
	}
	return p
}

// drain takes every slot, waiting for the ones in use.
func (p *pool) drain() []*conn {
	var open []*conn
	for range cap(p.slots) {
		if c := <-p.slots; c != nil {
			open = append(open, c)
		}
	}
	return open
}

// checkout waits for a connection that nobody else uses; give it back with p.slots <- c.
func (e *Engine) checkout(ctx context.Context, p *pool, readonly bool) (*conn, error) {
	if e.closed.Load() {
		return nil, ErrClosed
	}
	select {
	case c := <-p.slots:
		if e.closed.Load() {
			p.slots <- c
			return nil, ErrClosed
		}
		if c != nil {
			return c, nil
		}
		c, err := e.connect(readonly)
		if err != nil {
			p.slots <- nil
			return nil, err
		}
		return c, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
