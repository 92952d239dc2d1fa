package ingest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// ledger is a log that remembers, or refuses.
type ledger struct {
	mu     sync.Mutex
	events []event.Event
	poison []Poison
	err    error
}

func (l *ledger) Publish(_ context.Context, events ...event.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	for _, e := range events {
		e.Data = bytes.Clone(e.Data) // the intake's buffer is used again
		e.ID, e.Source = strings.Clone(e.ID), strings.Clone(e.Source)
		l.events = append(l.events, e)
	}
	return nil
}

func (l *ledger) PublishPoison(_ context.Context, x Poison) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return l.err
	}
	x.Body = bytes.Clone(x.Body)
	l.poison = append(l.poison, x)
	return nil
}

var intakeNow = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func testIntake(l *ledger) http.Handler {
	return NewIntake(IntakeConfig{
		Publisher: l, Now: func() time.Time { return intakeNow }, MaxBody: 64 << 10,
		SecretsFor: secretsOf("pagerduty", "old", "new"),
	})
}

func secretsOf(source string, secrets ...string) func(string, string) []string {
	return func(asked, _ string) []string {
		if asked != source {
			return nil
		}
		return secrets
	}
}

func sign(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

// delivery is a captured PagerDuty webhook.
func delivery(t testing.TB) []byte {
	t.Helper()
	names, err := filepath.Glob("source/testdata/pagerduty/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no captured delivery: %v", err)
	}
	slices.Sort(names)
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("incident.triggered")) {
			return b
		}
	}
	t.Fatal("no captured incident.triggered")
	return nil
}

func TestIntake(t *testing.T) {
	pd := delivery(t)
	structured := map[string]string{"Content-Type": contentStructured}
	batch := map[string]string{"Content-Type": contentBatch}
	binary := map[string]string{"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "dev.steward.incident.noted.v1"}
	signed := func(secret string, body []byte) map[string]string {
		return map[string]string{"X-PagerDuty-Signature": sign(secret, body), "Content-Type": "application/json", "Authorization": "Bearer hidden"}
	}
	unknown := strings.Replace(goodEvent, "incident.opened", "incident.imagined", 1)
	nofield := strings.Replace(goodEvent, `"incident":`, `"accident":`, 1)
	odd := []byte(`{"event":{"id":7}}`)
	for _, c := range []struct {
		name, method, path string
		header             map[string]string
		body               string
		err                error // of the log
		status             int
		events, poison     int
		text               string // in the answer
	}{
		{"structured", "POST", "/ingest/cloudevents", structured, goodEvent, nil, 202, 1, 0, `{"accepted":1}`},
		{"structured with charset", "POST", "/ingest/cloudevents/acme", map[string]string{"Content-Type": contentStructured + "; charset=utf-8"}, goodEvent, nil, 202, 1, 0, `{"accepted":1}`},
		{"binary", "POST", "/ingest/cloudevents", binary, `{"incident":"i"}`, nil, 202, 1, 0, `{"accepted":1}`},
		{"batch", "POST", "/ingest/cloudevents", batch, "[" + goodEvent + "," + goodEvent + "]", nil, 202, 2, 0, `{"accepted":2}`},
		{"empty batch", "POST", "/ingest/cloudevents", batch, "[]", nil, 202, 0, 0, `{"accepted":0}`},
		{"batch with an unknown type", "POST", "/ingest/cloudevents", batch, "[" + goodEvent + "," + unknown + "]", nil, 202, 1, 1, `{"accepted":2}`},
		{"batch with a wrong event", "POST", "/ingest/cloudevents", batch, "[" + goodEvent + "," + nofield + "]", nil, 400, 0, 0, `"field":"[1].data.incident"`},
		{"unknown type", "POST", "/ingest/cloudevents", structured, unknown, nil, 202, 0, 1, `{"accepted":1}`},
		{"missing field", "POST", "/ingest/cloudevents", structured, nofield, nil, 400, 0, 0, `"field":"data.incident"`},
		{"not JSON", "POST", "/ingest/cloudevents", structured, "{", nil, 400, 0, 0, `"field":"body"`},
		{"bomb", "POST", "/ingest/cloudevents", structured, strings.Repeat("[", 10_000), nil, 400, 0, 0, `"field":"body"`},
		{"no content type", "POST", "/ingest/cloudevents", nil, goodEvent, nil, 415, 0, 0, "error"},
		{"gzip", "POST", "/ingest/cloudevents", map[string]string{"Content-Type": contentStructured, "Content-Encoding": "gzip"}, goodEvent, nil, 415, 0, 0, "error"},
		{"too large", "POST", "/ingest/cloudevents", structured, goodEvent + strings.Repeat(" ", 64<<10), nil, 413, 0, 0, "error"},
		{"get", "GET", "/ingest/cloudevents", nil, "", nil, 405, 0, 0, "error"},
		{"unknown source", "POST", "/ingest/nagios", nil, "", nil, 404, 0, 0, "error"},
		{"account with a slash", "POST", "/ingest/pagerduty/a%2Fb", signed("old", pd), string(pd), nil, 404, 0, 0, "error"},
		{"log away", "POST", "/ingest/cloudevents", structured, goodEvent, ErrUnavailable, 503, 0, 0, "error"},
		{"log away, unknown type", "POST", "/ingest/cloudevents", structured, unknown, ErrUnavailable, 503, 0, 0, "error"},
		{"too large for the log", "POST", "/ingest/cloudevents", structured, goodEvent, ErrTooLarge, 413, 0, 0, "error"},

		{"pagerduty", "POST", "/ingest/pagerduty", signed("old", pd), string(pd), nil, 202, -1, 0, "accepted"},
		{"pagerduty, other secret of a rotation", "POST", "/ingest/pagerduty/acme", signed("new", pd), string(pd), nil, 202, -1, 0, "accepted"},
		{"pagerduty, wrong secret", "POST", "/ingest/pagerduty", signed("wrong", pd), string(pd), nil, 401, 0, 0, "signature"},
		{"pagerduty, no signature", "POST", "/ingest/pagerduty", nil, string(pd), nil, 401, 0, 0, "signature"},
		{"pagerduty, changed body", "POST", "/ingest/pagerduty", signed("old", pd), string(pd) + " ", nil, 401, 0, 0, "signature"},
		{"pagerduty, not understood", "POST", "/ingest/pagerduty", signed("old", odd), string(odd), nil, 202, 0, 1, `{"accepted":0}`},
		{"pagerduty, not JSON", "POST", "/ingest/pagerduty", signed("old", []byte("\x00")), "\x00", nil, 202, 0, 1, `{"accepted":0}`},
		{"pagerduty, log away", "POST", "/ingest/pagerduty", signed("old", pd), string(pd), ErrUnavailable, 503, 0, 0, "error"},
		{"pagerduty, not understood, log away", "POST", "/ingest/pagerduty", signed("old", odd), string(odd), ErrUnavailable, 503, 0, 0, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &ledger{err: c.err}
			req := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
			for k, v := range c.header {
				req.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			testIntake(l).ServeHTTP(w, req)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.text) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if c.events < 0 && len(l.events) == 0 || c.events >= 0 && len(l.events) != c.events || len(l.poison) != c.poison {
				t.Errorf("%d events and %d poison published", len(l.events), len(l.poison))
			}
			if c.status == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			for _, e := range l.events {
				if !e.Seen.Equal(intakeNow) || e.At.IsZero() {
					t.Errorf("seen %v, at %v", e.Seen, e.At)
				}
			}
			for _, x := range l.poison {
				if x.Reason == "" || len(x.Body) == 0 || x.Header["authorization"] != "" || x.Header["x-pagerduty-signature"] != "" {
					t.Errorf("%+v", x)
				}
			}
		})
	}
}

func TestIntakeHandshake(t *testing.T) {
	req := httptest.NewRequest("OPTIONS", "/ingest/cloudevents", nil)
	req.Header.Set("WebHook-Request-Origin", "events.example.org")
	req.Header.Set("WebHook-Request-Rate", "120")
	w := httptest.NewRecorder()
	testIntake(&ledger{}).ServeHTTP(w, req)
	if w.Code != 200 || w.Header().Get("WebHook-Allowed-Origin") != "events.example.org" || w.Header().Get("WebHook-Allowed-Rate") != "*" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}

func TestIntakeWithoutSecret(t *testing.T) {
	l := &ledger{}
	pd := delivery(t)
	req := httptest.NewRequest("POST", "/ingest/pagerduty", bytes.NewReader(pd))
	req.Header.Set("X-PagerDuty-Signature", sign("", pd))
	w := httptest.NewRecorder()
	NewIntake(IntakeConfig{Publisher: l}).ServeHTTP(w, req)
	if w.Code != 401 || len(l.events)+len(l.poison) != 0 {
		t.Errorf("%d, %d stored", w.Code, len(l.events)+len(l.poison))
	}
}

// A source that does not sign is let in or not before its body is read, and a source that
// signs is asked for nothing else.
func TestIntakeAuthorize(t *testing.T) {
	secret := errors.New("the token t7 is revoked")
	var asked []string
	var accounts []string
	l := &ledger{}
	h := NewIntake(IntakeConfig{
		Publisher: l,
		SecretsFor: func(source, account string) []string {
			accounts = append(accounts, source+"/"+account)
			return []string{"old"}
		},
		Authorize: func(r *http.Request, source string) error {
			asked = append(asked, source)
			if r.Header.Get("Authorization") != "Bearer good" {
				return secret
			}
			return nil
		},
	})
	ask := func(path, token string, body io.Reader, more ...string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("POST", path, body)
		req.Header.Set("Content-Type", contentStructured)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		for i := 0; i < len(more); i += 2 {
			req.Header.Set(more[i], more[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	for _, token := range []string{"", "bad"} {
		body := &endless{}
		w := ask("/ingest/cloudevents/acme", token, body)
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") != "Bearer" || strings.Contains(w.Body.String(), "t7") {
			t.Errorf("token %q: %d %v %s", token, w.Code, w.Header(), w.Body)
		}
		if body.n > 0 {
			t.Errorf("token %q: %d bytes of the body are read before the refusal", token, body.n)
		}
	}
	if len(l.events)+len(l.poison) != 0 {
		t.Error("something refused is stored")
	}
	if w := ask("/ingest/cloudevents", "good", strings.NewReader(goodEvent)); w.Code != 202 || len(l.events) != 1 {
		t.Errorf("a good token: %d %s", w.Code, w.Body)
	}
	before := len(asked)
	pd := delivery(t)
	if w := ask("/ingest/pagerduty/acme", "", bytes.NewReader(pd), "X-PagerDuty-Signature", sign("old", pd)); w.Code != 202 {
		t.Errorf("a signed delivery: %d %s", w.Code, w.Body)
	}
	if w := ask("/ingest/pagerduty", "good", bytes.NewReader(pd)); w.Code != 401 || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("a token in the place of a signature: %d %v", w.Code, w.Header())
	}
	if len(asked) != before || asked[0] != "cloudevents" {
		t.Errorf("asked about %v", asked)
	}
	if strings.Join(accounts, " ") != "pagerduty/acme pagerduty/default" {
		t.Errorf("secrets are asked for %v", accounts)
	}
}

// endless is a body of unknown length that never ends by itself.
type endless struct{ n int64 }

func (e *endless) Read(b []byte) (int, error) { e.n += int64(len(b)); return len(b), nil }

// TestIntakeOversizeMemory sends far more than the limit without a length.
func TestIntakeOversizeMemory(t *testing.T) {
	l := &ledger{}
	h := testIntake(l)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		body := &endless{}
		req := httptest.NewRequest("POST", "/ingest/cloudevents", io.NopCloser(body))
		req.ContentLength = -1
		req.Header.Set("Content-Type", contentStructured)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		if w.Code != 413 {
			t.Fatalf("%d", w.Code)
		}
		if body.n > maxDropped+1<<20 {
			t.Fatalf("%d bytes were read", body.n)
		}
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 50*(1<<20) {
		t.Errorf("%d bytes allocated for 50 requests", grown)
	}
}

// Bodies that are announced and hardly sent cost what was sent; bodies being read share a
// budget and give it back.
func TestIntakeSlowBodies(t *testing.T) {
	l := &ledger{}
	in := NewIntake(IntakeConfig{Publisher: l})
	ask := func(body io.Reader, length int64) int {
		req := httptest.NewRequest("POST", "/ingest/cloudevents", io.NopCloser(body))
		req.ContentLength = length
		req.Header.Set("Content-Type", contentStructured)
		w := httptest.NewRecorder()
		in.ServeHTTP(w, req)
		return w.Code
	}
	const slow = 300
	var wait sync.WaitGroup
	arrived := make(chan struct{}, slow)
	release := make(chan struct{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range slow {
		wait.Go(func() { ask(io.MultiReader(strings.NewReader("{"), &stuck{arrived, release}), 500<<10) })
	}
	for range slow {
		<-arrived
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > slow*64<<10 {
		t.Errorf("%d bytes for %d bodies of one byte", grown, slow)
	}
	close(release)
	wait.Wait()

	arrived, release = make(chan struct{}, slow), make(chan struct{})
	for range bodyBudget/(500<<10) + 1 {
		wait.Go(func() { ask(io.MultiReader(io.LimitReader(&endless{}, 500<<10), &stuck{arrived, release}), 510<<10) })
	}
	for range bodyBudget / (500 << 10) {
		<-arrived
	}
	if got := ask(io.LimitReader(&endless{}, 500<<10), 500<<10); got != 503 {
		t.Errorf("over the budget: %d", got)
	}
	close(release)
	wait.Wait()
	good := strings.ReplaceAll(goodEvent, "\n", "")
	if got := ask(strings.NewReader(good), int64(len(good))); got != 202 {
		t.Errorf("after the flood: %d", got)
	}
}

// A client that writes all of an oversize body before it reads still gets the 413: a
// connection closed on unread bytes would be reset under it.
func TestIntakeOversizeIsSeen(t *testing.T) {
	server := httptest.NewServer(testIntake(&ledger{}))
	defer server.Close()
	for range 20 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		const length = 5 << 20
		fmt.Fprintf(conn, "POST /ingest/cloudevents HTTP/1.1\r\nHost: steward\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", contentStructured, length)
		if _, err := io.CopyN(conn, &endless{}, length); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != 413 {
			t.Errorf("%d", resp.StatusCode)
		}
		conn.Close()
	}
}

// stuck says that it is waited for, and ends when released.
type stuck struct {
	arrived chan<- struct{}
	release <-chan struct{}
}

func (s *stuck) Read([]byte) (int, error) {
	select {
	case s.arrived <- struct{}{}:
	default:
	}
	<-s.release
	return 0, io.EOF
}

// TestPublisherDown answers ErrUnavailable in bounded time, and never one line a message.
func TestPublisherDown(t *testing.T) {
	p, err := NewPublisher(PublisherConfig{Brokers: []string{"127.0.0.1:1"}, Topic: "t", Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err = p.Publish(ctx, sample("x", 100)...)
	if !errors.Is(err, ErrUnavailable) || len(err.Error()) > 500 {
		t.Errorf("%v", err)
	}
	p.Close()
}

// TestPublisherFull: a log that refuses appends is unavailable, not silent (I4).
func TestPublisherFull(t *testing.T) {
	w := newWorld(t, false, 1)
	remove, err := w.broker.Inject(brokerFault(0, 56)) // produce: KAFKA_STORAGE_ERROR
	if err != nil {
		t.Fatal(err)
	}
	if err := w.pub.Publish(t.Context(), sample("x", 10)...); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
	remove()
	w.publish(sample("x", 10)...)
	s, _ := w.start(w.config())
	w.drain(s)
	w.exactly(10, 0)
}
