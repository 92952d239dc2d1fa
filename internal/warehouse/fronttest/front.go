// Package fronttest is a ClickHouse server for tests: the embedded engine behind a loopback socket that speaks
// ClickHouse's HTTP interface, so that clickhouse-go's real transport runs, and that fails on demand.
package fronttest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

// Fault is a way for a request to go wrong.
type Fault int

const (
	CutBefore    Fault = iota // the connection is cut, nothing was done
	LoseReply                 // the work is done, the connection is cut instead of an answer
	CutAnswer                 // half of the answer, then the connection is cut
	Hang                      // nothing happens until the client goes away or Clear is called
	Unavailable               // 503 from something in between, no exception of ClickHouse
	TooManyParts              // exception 252
)

// Front is the server. Its methods are safe for concurrent use.
type Front struct {
	engine *warehouse.Engine
	server *httptest.Server

	mu      sync.Mutex
	rules   []*rule
	delay   time.Duration
	cleared chan struct{}
	hits    map[Fault]int
}

type rule struct {
	fault Fault
	match string
	times int
}

// New starts the engine in cfg.Dir behind a loopback address; both end with the test. A process has one engine
// at a time, so a test with a Front cannot open an embedded warehouse beside it.
func New(t testing.TB, cfg warehouse.Config) *Front {
	t.Helper()
	engine, err := warehouse.OpenEngine(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := &Front{engine: engine, cleared: make(chan struct{}), hits: map[Fault]int{}}
	f.server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.Clear()
		f.server.CloseClientConnections()
		f.server.Close()
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// DSN is what warehouse.Config.DSN takes to reach it.
func (f *Front) DSN() string { return f.server.URL + "/steward" }

// Inject makes the next times requests whose statement contains match fail; times < 0 means until Clear.
func (f *Front) Inject(fault Fault, times int, match string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = append(f.rules, &rule{fault, match, times})
}

// Delay makes every request wait.
func (f *Front) Delay(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.delay = d
}

// Clear ends all faults, and lets hanging requests go with a cut connection.
func (f *Front) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.delay = nil, 0
	close(f.cleared)
	f.cleared = make(chan struct{})
}

// Hits counts how often a fault has struck.
func (f *Front) Hits(fault Fault) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.hits[fault]
}

func (f *Front) next(sql string) (fault Fault, strike bool, delay time.Duration, cleared chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if r.times != 0 && strings.Contains(sql, r.match) {
			r.times--
			f.hits[r.fault]++
			return r.fault, true, f.delay, f.cleared
		}
	}
	return 0, false, f.delay, f.cleared
}

// ServeHTTP is ClickHouse's HTTP interface, as far as clickhouse-go uses it.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	q := r.URL.Query()
	sql := q.Get("query")
	if sql == "" {
		sql = string(body)
	}
	fault, strike, delay, cleared := f.next(sql)
	if delay > 0 {
		time.Sleep(delay)
	}
	ctx := r.Context()
	if strike {
		switch fault {
		case CutBefore:
			panic(http.ErrAbortHandler)
		case Hang:
			select {
			case <-ctx.Done():
			case <-cleared:
			}
			panic(http.ErrAbortHandler)
		case Unavailable:
			http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
			return
		case TooManyParts:
			w.Header().Set("X-ClickHouse-Exception-Code", "252")
			http.Error(w, "Code: 252. DB::Exception: Too many parts (600). (TOO_MANY_PARTS)", http.StatusInternalServerError)
			return
		case LoseReply:
			ctx = context.WithoutCancel(ctx)
		}
	}
	res, err := f.run(ctx, q, body)
	if err != nil {
		panic(http.ErrAbortHandler) // what ClickHouse's own end looks like from outside
	}
	defer res.Body.Close()
	if strike && fault == LoseReply {
		io.Copy(io.Discard, res.Body)
		panic(http.ErrAbortHandler)
	}
	answer(w, res, strike && fault == CutAnswer)
}

func (f *Front) run(ctx context.Context, q url.Values, body []byte) (*http.Response, error) {
	inner, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/?"+q.Encode(), strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	return f.engine.Transport(q.Get("readonly") == "1").RoundTrip(inner)
}

// tag marks exceptions inside an answer, as a server's random one does.
const tag = "stewardfronttest"

func answer(w http.ResponseWriter, res *http.Response, cut bool) {
	for k, v := range res.Header {
		w.Header()[k] = v
	}
	w.Header().Set("X-ClickHouse-Exception-Tag", tag)
	if cut {
		data, err := io.ReadAll(res.Body)
		if err == nil {
			w.Header().Set("Content-Length", strconv.Itoa(len(data)))
			w.WriteHeader(res.StatusCode)
			w.Write(data[:len(data)/2])
			w.(http.Flusher).Flush()
		}
		panic(http.ErrAbortHandler)
	}
	if res.ContentLength >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	w.WriteHeader(res.StatusCode)
	if _, err := io.Copy(w, res.Body); err != nil {
		var e *warehouse.Error
		if !errors.As(err, &e) {
			panic(http.ErrAbortHandler)
		}
		text := fmt.Sprintf("Code: %d. DB::Exception: %s\n", e.Code, e.Message)
		fmt.Fprintf(w, "\r\n__exception__\r\n%s\r\n%s%d %s\r\n__exception__\r\n", tag, text, len(text), tag)
	}
}
