package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"
)

// Target is where a command does its work.
type Target interface {
	// Describe says in one sentence which it is, for standard error.
	Describe() string
	// Import returns when everything it read can be queried.
	Import(ctx context.Context, req ImportRequest) (ImportProgress, error)
	// Query answers a metric as "json", the body of the API, or "csv". What does not exist
	// is a *UsageError.
	Query(ctx context.Context, metric string, params url.Values, format string) ([]byte, error)
	// Rebuild makes every projection again; progress may be nil.
	Rebuild(ctx context.Context, progress func(projection string, rows uint64)) error
	// Forget makes a person unreadable. Whom nobody knows is a *UsageError.
	Forget(ctx context.Context, person string) (ForgetResult, error)
	Close() error
}

// TargetConfig says where to look.
type TargetConfig struct {
	Server string // address of a server; empty: the data directory decides
	Token  string // for Server; "" sends none. A server found in the directory has its own
	Create bool   // make the data directory if it is not there
	Config Config // Data, Version, Log; the rest is taken from the directory
}

// OpenTarget asks the server that is named, else the one that has noted itself in the data
// directory and answers, else opens the directory in this process.
func OpenTarget(ctx context.Context, t TargetConfig) (Target, error) {
	cfg := t.Config.withDefaults()
	if t.Server != "" {
		u, err := url.Parse(t.Server)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, &UsageError{Message: fmt.Sprintf("the server %q is not an address like http://127.0.0.1:8080", t.Server)}
		}
		if err := confidential(u, t.Token); err != nil {
			return nil, err
		}
		return newRemote(strings.TrimRight(t.Server, "/"), "using the server at "+u.Redacted(), cfg.Version, t.Token), nil
	}
	record, err := ReadRecord(cfg.Data)
	if err != nil {
		return nil, err
	}
	if record != nil && record.URL != "" && answers(ctx, record) {
		return newRemote(record.URL, fmt.Sprintf("using the server at %s (process %d), which has %s open", record.URL, record.PID, cfg.Data), cfg.Version, record.LocalToken), nil
	}
	if _, err := os.Stat(cfg.Data); errors.Is(err, fs.ErrNotExist) && !t.Create {
		return nil, fmt.Errorf("there is no data directory %s: name it with --data, or a server with --server", cfg.Data)
	}
	if cfg.Zone == nil || t.Config.Zone == nil {
		cfg.Zone = recalledZone(cfg.Data)
	}
	core, err := openCore(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &local{core: core, dir: cfg.Data}, nil
}

// recalledZone is the zone of the last server on the directory, UTC if there was none.
func recalledZone(dir string) *time.Location {
	text, err := os.ReadFile(zoneFile(dir))
	if err != nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(strings.TrimSpace(string(text)))
	if err != nil {
		return time.UTC
	}
	return zone
}

// local is a Target in this process.
type local struct {
	core *Core
	dir  string
}

func (l *local) Describe() string { return "no server is running on " + l.dir + ": opened it directly" }

func (l *local) Import(ctx context.Context, req ImportRequest) (ImportProgress, error) {
	if err := CheckFormat(req.Format); err != nil {
		return ImportProgress{}, err
	}
	if err := l.core.acted(ctx, "import", req.Format); err != nil {
		return ImportProgress{}, err
	}
	return l.core.Import(ctx, req)
}

// Query waits first for what an earlier process left in the log, so that the answer
// holds everything that was accepted.
func (l *local) Query(ctx context.Context, metric string, params url.Values, format string) ([]byte, error) {
	if err := l.core.Sink.Drain(ctx); err != nil {
		return nil, err
	}
	a, err := l.core.answer(ctx, metric, params)
	if err != nil {
		return nil, err
	}
	if format == "csv" {
		var b bytes.Buffer
		err := a.WriteCSV(&b)
		return b.Bytes(), err
	}
	return json.Marshal(a)
}

func (l *local) Rebuild(ctx context.Context, progress func(string, uint64)) error {
	if err := l.core.Sink.Drain(ctx); err != nil {
		return err
	}
	if err := l.core.acted(ctx, "rebuild", ""); err != nil {
		return err
	}
	return l.core.Store.Rebuild(ctx, progress)
}

func (l *local) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return l.core.Close(ctx)
}
