package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/simulate"
	"github.com/stewardhq/steward/internal/warehouse"
)

// logs collects what was logged, for tests that look for a sentence.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// boot starts the whole product on a free port; the returned function stops it.
func boot(t *testing.T, cfg Config) (a *App, l *logs, stop func()) {
	t.Helper()
	l = &logs{}
	cfg.Listen = "127.0.0.1:0"
	cfg.Log = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = a.Start(t.Context())
	if errors.Is(err, warehouse.ErrNoLibrary) && os.Getenv("STEWARD_CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, l)
	}
	if a.core.deriver != nil {
		a.core.deriver.held.Store(true) // tests say when skills are derived, and count events
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("stopping: %v", err)
		}
		if t.Failed() {
			t.Log(l)
		}
	})
	t.Cleanup(stop)
	return a, l, stop
}

func target(t *testing.T, dir string) Target {
	t.Helper()
	found, err := OpenTarget(t.Context(), TargetConfig{Create: true, Config: Config{Data: dir}})
	if errors.Is(err, warehouse.ErrNoLibrary) && os.Getenv("STEWARD_CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := found.Close(); err != nil {
			t.Error(err)
		}
	})
	return found
}

func reference() io.Reader {
	var b bytes.Buffer
	for _, e := range simulate.Reference() {
		b.Write(ingest.MarshalCloudEvent(e))
		b.WriteByte('\n')
	}
	return &b
}

var june = url.Values{"from": {"2025-06-01"}, "to": {"2025-07-01"}, "as_of": {"2025-07-01T00:00:00Z"}, "known_at": {"2025-07-01T00:00:00Z"}}

func get(t *testing.T, address string) (int, http.Header, string) {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// One directory, first behind a server, then opened by a command: the same reference
// scenario in, the same bytes out, and the figures that METRICS prints.
func TestServerAndDirectoryAnswerTheSame(t *testing.T) {
	dir := t.TempDir()
	a, _, stop := boot(t, Config{Data: dir, Dev: true})
	server := target(t, dir)
	if _, ok := server.(*remote); !ok {
		t.Fatalf("a running server is not found: %s", server.Describe())
	}
	n := uint64(len(simulate.Reference()))
	for i, want := range []ImportProgress{{Events: n}, {Duplicates: n}} {
		var seen int
		got, err := server.Import(t.Context(), ImportRequest{Format: "cloudevents", Reader: reference(), Progress: func(ImportProgress) { seen++ }})
		if want.Bytes = got.Bytes; err != nil || got != want || got.Bytes == 0 {
			t.Fatalf("import %d: %+v, %v; want %+v", i, got, err, want)
		}
		if seen == 0 {
			t.Error("an import tells nothing of its progress")
		}
	}

	type asked struct {
		metric, format string
		params         url.Values
	}
	questions := []asked{
		{"time_to_ack", "json", with(june, "profile", "opsgenie")},
		{"incidents", "csv", june},
		{"interruptions", "json", with(june, "by", "hour_class")},
		{"ownership_quadrant", "csv", with(june, "by", "team")},
	}
	answers := make([]string, len(questions))
	for i, q := range questions {
		body, err := server.Query(t.Context(), q.metric, q.params, q.format)
		if err != nil {
			t.Fatalf("%s: %v", q.metric, err)
		}
		answers[i] = string(body)
	}
	if !strings.Contains(answers[0], `"mean":5382.857`) { // 89.7 minutes
		t.Errorf("profile opsgenie: %s", answers[0])
	}
	if _, _, body := get(t, a.URL()+"/api/v1/metrics/time_to_ack?"+questions[0].params.Encode()); strings.TrimSpace(body) != answers[0] {
		t.Errorf("the API says %s, the command line %s", body, answers[0])
	}
	if err := server.Rebuild(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	stop()
	if r, err := ReadRecord(dir); r != nil || err != nil {
		t.Errorf("a clean end leaves its note: %+v, %v", r, err)
	}

	direct := target(t, dir)
	if _, ok := direct.(*local); !ok {
		t.Fatalf("no server is there: %s", direct.Describe())
	}
	for i, q := range questions {
		body, err := direct.Query(t.Context(), q.metric, q.params, q.format)
		if err != nil || string(body) != answers[i] {
			t.Errorf("%s: %v\nserver    %s\ndirectory %s", q.metric, err, answers[i], body)
		}
	}
	again, err := direct.Import(t.Context(), ImportRequest{Format: "cloudevents", Reader: reference()})
	if err != nil || again.Events != 0 || again.Duplicates != n {
		t.Errorf("import into the directory: %+v, %v", again, err)
	}
}

func with(v url.Values, pairs ...string) url.Values {
	out := url.Values{}
	for k, s := range v {
		out[k] = slices.Clone(s)
	}
	for i := 0; i < len(pairs); i += 2 {
		out.Set(pairs[i], pairs[i+1])
	}
	return out
}

func TestWhatDoesNotExistIsSaidAlikeEverywhere(t *testing.T) {
	dir := t.TempDir()
	_, _, stop := boot(t, Config{Data: dir, Dev: true})
	ask := func(where Target) (out []string) {
		for _, q := range []struct {
			metric string
			params url.Values
		}{
			{"nonsense", nil}, {"incidents", url.Values{"colour": {"red"}}}, {"incidents", url.Values{"bucket": {"decade"}}}, {"incidents", url.Values{"from": {"soon"}}},
		} {
			_, err := where.Query(t.Context(), q.metric, q.params, "json")
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Errorf("%s %v: %v is no error of usage", q.metric, q.params, err)
				continue
			}
			out = append(out, err.Error())
		}
		_, err := where.Import(t.Context(), ImportRequest{Format: "telegram", Reader: strings.NewReader("")})
		var usage *UsageError
		if !errors.As(err, &usage) || !slices.Equal(usage.Allowed, Formats()) && !strings.Contains(err.Error(), strings.Join(Formats(), ", ")) {
			t.Errorf("an unknown format: %v", err)
		}
		return append(out, err.Error())
	}
	remotely := ask(target(t, dir))
	stop()
	directly := ask(target(t, dir))
	if !slices.Equal(remotely, directly) {
		t.Errorf("the server says\n%s\nthe directory says\n%s", strings.Join(remotely, "\n"), strings.Join(directly, "\n"))
	}
	for _, want := range []string{"time_to_ack", "bucket", "quarter"} {
		if !strings.Contains(strings.Join(directly, "\n"), want) {
			t.Errorf("%q is not listed as allowed", want)
		}
	}
}

func TestADirectoryHasOneProcess(t *testing.T) {
	dir := t.TempDir()
	_, _, stop := boot(t, Config{Data: dir, Dev: true})
	second, err := New(Config{Data: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if err := second.Start(t.Context()); !errors.As(err, &busy) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("a second server on the directory: %v", err)
	}
	if r, err := ReadRecord(dir); err != nil || r == nil || r.PID != os.Getpid() {
		t.Errorf("the refused server touched the note of the first: %+v, %v", r, err)
	}
	stop()
}

func TestAnUncleanEndIsSaidAtTheNextStart(t *testing.T) {
	dir := t.TempDir()
	_, l, stop := boot(t, Config{Data: dir, Dev: true})
	if strings.Contains(l.String(), "did not end cleanly") {
		t.Error("a first start complains about a predecessor")
	}
	note, err := os.ReadFile(recordPath(dir))
	if err != nil {
		t.Fatal(err)
	}
	stop()
	// A killed process leaves its note.
	if err := os.WriteFile(recordPath(dir), note, 0o644); err != nil {
		t.Fatal(err)
	}
	_, l, stop = boot(t, Config{Data: dir, Dev: true})
	if !strings.Contains(l.String(), "did not end cleanly") {
		t.Error("an unclean end is not said")
	}
	stop()
	_, l, _ = boot(t, Config{Data: dir, Dev: true})
	if strings.Contains(l.String(), "did not end cleanly") {
		t.Error("a clean end is taken for an unclean one")
	}
}

func TestStrangersAreKeptOut(t *testing.T) {
	a, _, _ := boot(t, Config{Data: t.TempDir(), Dev: true})
	send := func(method, path, host string, header ...string) int {
		t.Helper()
		req, err := http.NewRequest(method, a.URL()+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if code := send("GET", "/api/v1/metrics", "rebound.example"); code != http.StatusMisdirectedRequest {
		t.Errorf("a foreign name for this machine gets %d", code)
	}
	if code := send("GET", "/healthz", "probe.example"); code != http.StatusOK {
		t.Errorf("a probe gets %d", code)
	}
	if code := send("POST", "/ingest/pagerduty", "tunnel.example"); code != http.StatusUnauthorized {
		t.Errorf("an unsigned delivery through a tunnel gets %d", code)
	}
	if code := send("POST", "/ingest/cloudevents", "rebound.example"); code != http.StatusMisdirectedRequest {
		t.Errorf("a source that does not sign, under a foreign name, gets %d", code)
	}
	if code := send("POST", "/api/v1/rebuild", "localhost", "Origin", "http://evil.example"); code != http.StatusForbidden {
		t.Errorf("another site's request gets %d", code)
	}
	if code := send("POST", "/api/v1/rebuild", "localhost", "Sec-Fetch-Site", "cross-site"); code != http.StatusForbidden {
		t.Errorf("another site's request gets %d", code)
	}
}

// What a delivery changes shows in metrics, lag and the answer, and the log gives back
// what is stored.
func TestADeliveryIsCountedStoredAndTrimmed(t *testing.T) {
	dir := t.TempDir()
	a, _, _ := boot(t, Config{Data: dir, Dev: true})
	const event = `{"specversion":"1.0","id":"e1","source":"/try/acme","type":"dev.steward.incident.opened.v1","subject":"try:acme:1",` +
		`"time":"2026-01-05T09:00:00Z","data":{"incident":"try:acme:1","title":"Slow"}}`
	for range 3 {
		resp, err := http.Post(a.URL()+"/ingest/cloudevents", "application/cloudevents+json", strings.NewReader(event))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusAccepted {
			t.Fatalf("a good event gets %d", resp.StatusCode)
		}
	}
	if err := a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, _, csv := get(t, a.URL()+"/api/v1/metrics/incidents?format=csv&from=2026-01-05&to=2026-01-06")
	if !strings.Contains(csv, "\n,,1,1,") {
		t.Errorf("three copies of one incident count as:\n%s", csv)
	}
	_, _, page := get(t, a.URL()+"/metrics")
	for _, want := range []string{
		`steward_ingest_deliveries_total{outcome="accepted",source="cloudevents"} 3`, `steward_sink_rows_total 3`,
		`steward_sink_lag_records 0`, `steward_sink_healthy 1`, `steward_log_writable 1`, `steward_warehouse_statements_total{code="0",kind="insert"}`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	var ready struct {
		Ready bool              `json:"ready"`
		Parts map[string]string `json:"parts"`
	}
	_, _, body := get(t, a.URL()+"/readyz")
	if err := json.Unmarshal([]byte(body), &ready); err != nil || !ready.Ready || ready.Parts["sink"] != "ok" || ready.Parts["warehouse"] != "ok" || ready.Parts["log"] != "ok" {
		t.Errorf("/readyz: %s", body)
	}
	if err := a.core.Broker.Trim(t.Context(), a.cfg.Topic, a.core.Sink.Committed()); err != nil {
		t.Error(err)
	}
	if err := a.core.Broker.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnImportThatTheClientLeavesEnds(t *testing.T) {
	dir := t.TempDir()
	boot(t, Config{Data: dir, Dev: true})
	server := target(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	go func() {
		_, _ = io.Copy(w, reference())
		cancel() // the file goes on, the client does not
	}()
	_, err := server.Import(ctx, ImportRequest{Format: "cloudevents", Reader: r})
	w.Close()
	if err == nil {
		t.Fatal("an import that was cut off reports success")
	}
	n := uint64(len(simulate.Reference()))
	ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := server.Import(ctx, ImportRequest{Format: "cloudevents", Reader: reference()})
	if err != nil || got.Events+got.Duplicates != n || got.Quarantined != 0 {
		t.Errorf("the second run: %+v, %v; want %d in all", got, err, n)
	}
}
