package ingest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// faults stands between clickhouse-go and the engine and breaks inserts.
type faults struct {
	mu     sync.Mutex
	before func(req *http.Request, sql string) error // an error: the engine never sees the insert
	after  func(req *http.Request, sql string) error // an error: the insert is done and its reply lost
}

func (f *faults) clear() { f.set(nil, nil) }

func (f *faults) set(before, after func(*http.Request, string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *faults) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(req *http.Request) (*http.Response, error) {
		sql := req.URL.Query().Get("query")
		if !strings.HasPrefix(sql, "INSERT INTO") {
			if sql == "" && req.Body != nil { // reads carry the text in the body
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return nil, err
				}
				req.Body = io.NopCloser(bytes.NewReader(body))
			}
			return next.RoundTrip(req)
		}
		f.mu.Lock()
		before, after := f.before, f.after
		f.mu.Unlock()
		if before != nil {
			if err := before(req, sql); err != nil {
				return nil, err
			}
		}
		res, err := next.RoundTrip(req)
		if err == nil && after != nil {
			if err := after(req, sql); err != nil {
				io.Copy(io.Discard, res.Body)
				res.Body.Close()
				return nil, err
			}
		}
		return res, err
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

var errCut = errors.New("connection reset by peer")
