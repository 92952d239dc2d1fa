package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// processHeader is on every answer of /healthz, so that a command knows whether the
// process behind an address is the one noted in the data directory.
const processHeader = "Steward-Process"

// answers says whether the server of a note is alive and the one that wrote it.
func answers(ctx context.Context, r *Record) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.URL+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.Header.Get(processHeader) == strconv.Itoa(r.PID)
}

// remote is a Target behind HTTP.
type remote struct {
	base, describe, agent string
	token                 string // "": none
	client                *http.Client
}

func newRemote(base, describe, version, token string) *remote {
	return &remote{base: base, describe: describe, agent: "steward/" + version, token: token, client: &http.Client{CheckRedirect: sameServer}}
}

// confidential refuses to say a token where others could listen.
func confidential(server *url.URL, token string) error {
	if token == "" || server.Scheme == "https" || loopbackHost(server.Host) {
		return nil
	}
	return &UsageError{Message: fmt.Sprintf("refusing to send the token in STEWARD_TOKEN to %s without encryption, where everybody on the way could read it: use https", server.Host)}
}

// sameServer keeps a request, and with it a token, at the server that was named: net/http
// by itself would take the token along to a subdomain and from https to http.
func sameServer(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	if next.URL.Scheme != first.Scheme || next.URL.Host != first.Host {
		return fmt.Errorf("it redirects to %s://%s, which was not asked for: if that is the server, give it with --server", next.URL.Scheme, next.URL.Host)
	}
	if len(before) >= 5 {
		return errors.New("it redirects in circles")
	}
	return nil
}

func (r *remote) Describe() string { return r.describe }
func (r *remote) Close() error     { r.client.CloseIdleConnections(); return nil }

func (r *remote) do(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", r.agent)
	if r.token != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/octet-stream")
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("the server does not answer: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("the server answered %s and broke off: %w", resp.Status, err)
	}
	switch {
	case resp.StatusCode == http.StatusUnauthorized && r.token == "":
		return nil, errors.New("the server wants a token: set STEWARD_TOKEN; on the server's machine, `steward token create NAME --scope read,admin` makes one")
	case resp.StatusCode == http.StatusUnauthorized:
		return nil, errors.New("the server does not accept the token: it is mistyped, expired, revoked or another server's; `steward token list` on the server's machine tells, and `steward token create NAME --scope read,admin` makes a new one")
	case resp.StatusCode == http.StatusTooManyRequests:
		return nil, fmt.Errorf("the server has had too many requests: try again in %s seconds", retrySeconds(resp))
	}
	return nil, refusal(resp, text)
}

// retrySeconds is what the server asks for, as a number and nothing else.
func retrySeconds(resp *http.Response) string {
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		return strconv.Itoa(n)
	}
	return "a few"
}

// refusal reads the error an API answers: a question that cannot be asked is a
// *UsageError, everything else is the server's failure.
func refusal(resp *http.Response, text []byte) error {
	var e struct {
		Error   string   `json:"error"`
		Allowed []string `json:"allowed"`
	}
	if err := json.Unmarshal(text, &e); err != nil || e.Error == "" {
		return fmt.Errorf("the server answered %s: %s", resp.Status, bytes.TrimSpace(text[:min(len(text), 200)]))
	}
	if resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusNotFound {
		if strings.Contains(e.Error, strings.Join(e.Allowed, ", ")) {
			e.Allowed = nil // the sentence says it already
		}
		return &UsageError{Message: e.Error, Allowed: e.Allowed}
	}
	if resp.StatusCode == http.StatusForbidden {
		return fmt.Errorf("the server refuses: %s", e.Error)
	}
	return fmt.Errorf("the server answered %s: %s", resp.Status, e.Error)
}

// patience is how long a question waits for events that the log has and the warehouse not.
const patience = time.Second

// markAge is a little more than how old the server's view of the warehouse's state may be.
const markAge = 60 * time.Millisecond

// settle waits until what was acknowledged before the question is queryable, as somebody
// expects who has just sent it; under a steady stream it gives up and asks anyway.
func (r *remote) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"/readyz", nil)
		if err != nil {
			return
		}
		resp, err := r.client.Do(req)
		if err != nil {
			return // the question itself will say so
		}
		var state struct {
			Sink struct {
				LagRecords int64 `json:"lag_records"`
			} `json:"sink"`
		}
		err = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&state)
		resp.Body.Close()
		if err != nil || state.Sink.LagRecords == 0 {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	time.Sleep(markAge)
}

func (r *remote) Query(ctx context.Context, metric string, params url.Values, format string) ([]byte, error) {
	r.settle(ctx)
	q := url.Values{}
	for k, v := range params {
		q[k] = v
	}
	if format == "csv" {
		q.Set("format", "csv")
	}
	resp, err := r.do(ctx, http.MethodGet, "/api/v1/metrics/"+url.PathEscape(metric)+"?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return body, nil
}

func (r *remote) Import(ctx context.Context, req ImportRequest) (ImportProgress, error) {
	q := url.Values{"format": {req.Format}}
	if req.Account != "" {
		q.Set("account", req.Account)
	}
	var last ImportProgress
	// A reader like a terminal may block for ever, and the HTTP client waits for it even
	// when it is told to stop. So the body is a pipe that can be cut; whoever feeds it is
	// left behind in its read. The reader itself belongs to the caller and is not closed.
	body, feed := io.Pipe()
	defer body.Close()
	defer context.AfterFunc(ctx, func() { body.CloseWithError(context.Cause(ctx)) })()
	go func() {
		_, err := io.Copy(feed, req.Reader)
		feed.CloseWithError(err)
	}()
	resp, err := r.do(ctx, http.MethodPost, "/api/v1/import?"+q.Encode(), body)
	if err != nil {
		return last, err
	}
	err = lines(resp.Body, func(line []byte) error {
		if err := json.Unmarshal(line, &last); err != nil {
			return err
		}
		if req.Progress != nil {
			req.Progress(last)
		}
		return nil
	})
	return last, err
}

func (r *remote) Rebuild(ctx context.Context, progress func(string, uint64)) error {
	resp, err := r.do(ctx, http.MethodPost, "/api/v1/rebuild", nil)
	if err != nil {
		return err
	}
	return lines(resp.Body, func(line []byte) error {
		var p rebuildProgress
		if err := json.Unmarshal(line, &p); err != nil {
			return err
		}
		if progress != nil && p.Projection != "" {
			progress(p.Projection, p.Rows)
		}
		return nil
	})
}

// Forget returns when the server has forgotten the person.
func (r *remote) Forget(ctx context.Context, person string) (ForgetResult, error) {
	var done ForgetResult
	ask, err := json.Marshal(map[string]string{"person": person})
	if err != nil {
		return done, err
	}
	resp, err := r.do(ctx, http.MethodPost, "/api/v1/forget", bytes.NewReader(ask))
	if err != nil {
		return done, err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&done); err != nil {
		return done, fmt.Errorf("the server's answer is not understood: %w", err)
	}
	return done, nil
}

// lines reads the progress of long work, one JSON object a line. The last one says that it
// is done or why it is not; without it the work was cut short.
func lines(body io.ReadCloser, each func([]byte) error) error {
	defer body.Close()
	sc := bufio.NewScanner(body)
	for sc.Scan() {
		var end outcome
		if err := json.Unmarshal(sc.Bytes(), &end); err != nil {
			return fmt.Errorf("the server sent something else than progress: %w", err)
		}
		if end.Error != "" {
			return errors.New(end.Error)
		}
		if err := each(sc.Bytes()); err != nil {
			return fmt.Errorf("the server's progress is not understood: %w", err)
		}
		if end.Done {
			return nil
		}
	}
	return errors.Join(errors.New("the server broke off; running the command again is safe"), sc.Err())
}
