package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/stewardhq/steward/access"
)

// boot serves the fake. Time stands still at testNow, in Europe/Berlin.
func boot(t *testing.T, store *fake, change ...func(*Deps)) *Server {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	d := Deps{Store: store, Gate: open, Audit: func(context.Context, access.Who, string, string) error { return nil }, Insecure: true, ViewAs: true, Keys: &fakeKeys{empty: store.empty}, Learn: &fakeLearn{}, Outgoing: &out{}, Shadow: &fakeShadow{}, Advise: newAdvise(store), Redriver: store, Play: fakePlay{store}, Showing: &fakeShowing{}, Zone: zone, Now: func() time.Time { return testNow }, Version: "test", Dev: true}
	for _, f := range change {
		f(&d)
	}
	s, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// learningLead lets whoever opens pages of training in as somebody who learns and leads,
// so that these pages have every part that they can have.
func learningLead(d *Deps) {
	who := access.As(access.Identity{Name: "L"}, access.Membership{Person: hostile[2], Teams: hostile[:2], Leads: hostile[:2]}, access.Viewer, access.Member, access.Lead)
	d.Gate = func(r *http.Request) (access.Who, error) {
		if strings.HasPrefix(r.URL.Path, "/training") || r.URL.Path == "/recommendations" || r.URL.Path == "/me" && r.URL.RawQuery == "learn" {
			return who, nil
		}
		return access.Operator(), nil
	}
}

func get(t *testing.T, s *Server, path string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://steward.test"+path, nil)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// everyPage is each page there is, with ids that try to be code.
func everyPage() []string {
	out := []string{"/", "/teams", "/oncall", "/ownership", "/services", "/incidents", "/definitions", "/quarantine", "/quarantine/0a1b2c", "/me", "/audit", "/tokens", "/training", "/recommendations", "/recommendations?" + url.Values{"team": {hostile[0]}}.Encode(), "/training/PG1", "/training/LS1", "/training/reminders", "/training/FX1", "/training/unheard-of", "/training/PG1?" + url.Values{"for": {"person:" + hostile[0]}, "reason": {hostile[0]}, "cites": {hostile[4]}}.Encode(), "/readiness", at("readiness", hostile[4]), at("readiness", hostile[2]), "/drills", "/drills/evil", "/drills/lag-that-does-not-drain", "/drills/evil/going", "/drills/evil/over", "/drills/evil/nobody", "/skills", "/skills?" + url.Values{"team": {hostile[0]}, "skill": {hostile[0]}}.Encode(), "/skills?skill=queue-stream-ops", "/nowhere", "/services/unheard-of", at("people", hostile[0]), at("people", hostile[5]),
		"/?tz=" + url.QueryEscape(hostile[0]), "/ownership?lens=" + url.QueryEscape(hostile[2]), "/oncall?team=" + url.QueryEscape(hostile[0]) + "&from=" + url.QueryEscape(hostile[0]), "/incidents?team=" + url.QueryEscape(hostile[4])}
	for _, h := range hostile {
		for _, kind := range []string{"teams", "services", "incidents"} {
			out = append(out, at(kind, h))
		}
		out = append(out, at("incidents", h)+"/drill")
	}
	return out
}

// No page holds inline script or style, a handler attribute, a link that is not ours or
// http(s), or anything from another host; every one has the policy, one h1, and stays
// under 300 kB.
func TestPagesHoldNoCode(t *testing.T) {
	s := boot(t, newFake(), learningLead)
	for _, path := range everyPage() {
		r := get(t, s, path)
		text := body(t, r)
		if r.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s: policy is %q", path, r.Header.Get("Content-Security-Policy"))
		}
		if r.StatusCode >= 500 {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
		if len(text) > 300<<10 {
			t.Errorf("%s: %d bytes", path, len(text))
		}
		doc, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		h1 := 0
		ids := map[string]bool{}
		var walk func(n *html.Node)
		walk = func(n *html.Node) {
			if n.Type == html.ElementNode {
				a := map[string]string{}
				for _, at := range n.Attr {
					a[at.Key] = at.Val
					if strings.HasPrefix(at.Key, "on") || at.Key == "style" {
						t.Errorf("%s: attribute %s on %s", path, at.Key, n.Data)
					}
					if at.Key == "href" || at.Key == "src" || at.Key == "action" {
						outside := strings.HasPrefix(path, "/training/") && n.Data == "a" && strings.HasPrefix(at.Val, "https://") && slices.ContainsFunc(n.Attr, func(x html.Attribute) bool { return x.Key == "rel" && x.Val == "noopener noreferrer" })
						if !outside && !strings.HasPrefix(at.Val, "/") && !strings.HasPrefix(at.Val, "#") || strings.HasPrefix(at.Val, "//") {
							t.Errorf("%s: %s=%q leaves the host", path, at.Key, at.Val)
						}
					}
					if at.Key == "id" {
						if ids[at.Val] {
							t.Errorf("%s: id %q twice", path, at.Val)
						}
						ids[at.Val] = true
					}
				}
				switch n.Data {
				case "style", "iframe", "object", "base", "img":
					t.Errorf("%s: element %s", path, n.Data)
				case "script":
					if a["type"] == "application/json" {
						if n.FirstChild == nil || !json.Valid([]byte(n.FirstChild.Data)) {
							t.Errorf("%s: a chart's options are not JSON", path)
						}
					} else if a["src"] == "" || n.FirstChild != nil {
						t.Errorf("%s: inline script", path)
					}
				case "h1":
					h1++
				}
			}
			for c := n.FirstChild; c != nil; c = c.NextSibling {
				walk(c)
			}
		}
		walk(doc)
		if h1 != 1 {
			t.Errorf("%s: %d h1", path, h1)
		}
	}
}

func TestEveryResponseHasThePolicy(t *testing.T) {
	s := boot(t, newFake(), func(d *Deps) {
		d.Ingest = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) })
		d.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x 1\n")) })
	})
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200, "/ingest/pagerduty": 202, "/ingest/pagerduty/acme": 202, "/static/app.js": 200, "/static/steward.css": 200, "/static/server.go": 404,
		"/static/..%2fserver.go": 404, "/favicon.ico": 200, "/api/v1/metrics": 200, "/api/nowhere": 404, "/nowhere": 404, "/incidents/none": 404, "/quarantine/none": 404,
	} {
		r := get(t, s, path)
		if r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
		for _, h := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy"} {
			if r.Header.Get(h) == "" {
				t.Errorf("%s: no %s", path, h)
			}
		}
	}
}

func TestReadiness(t *testing.T) {
	s := boot(t, newFake(), func(d *Deps) {
		d.Ready = func(ctx context.Context) Readiness {
			return Readiness{LagRecords: 12, LagOldest: 1500 * time.Millisecond, Parts: map[string]string{"sink": "behind"}}
		}
	})
	r := get(t, s, "/readyz")
	if r.StatusCode != 503 {
		t.Errorf("status %d", r.StatusCode)
	}
	if got := body(t, r); !strings.Contains(got, `"lag_records":12`) || !strings.Contains(got, `"lag_seconds":1.5`) || !strings.Contains(got, `"ready":false`) || !strings.Contains(got, "behind") {
		t.Error(got)
	}
}

// A wrong method is not a wrong address: 405 says what is right.
func TestAPIMethods(t *testing.T) {
	s := boot(t, newFake())
	for path, want := range map[string]int{"/api/v1/metrics": 405, "/api/v1/metrics/hops": 405, "/api/v1/events": 405, "/api/v1/nothing": 404} {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != want || (want == 405) != (w.Header().Get("Allow") == "GET, HEAD") {
			t.Errorf("POST %s: %d, Allow %q, want %d", path, w.Code, w.Header().Get("Allow"), want)
		}
	}
}

func TestAPI(t *testing.T) {
	s := boot(t, newFake())
	if r := get(t, s, "/api/v1/metrics?team=a"); r.StatusCode != 400 || !strings.Contains(body(t, r), `"param":"team"`) {
		t.Error("the catalogue takes no parameters", r.StatusCode)
	}
	r := get(t, s, "/api/v1/metrics/interruptions?by=team&from=2026-09-01")
	var got struct {
		Metric  string
		Version int
		Params  map[string]any
		Columns []struct{ Name, Type string }
		Rows    []map[string]any
		Assumed map[string]int
	}
	text := body(t, r)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if got.Metric != "interruptions" || got.Version != 3 || len(got.Rows) != len(hostile)+1 || got.Rows[0]["key"] != hostile[0] || got.Columns[0].Name != "bucket" || got.Assumed["owner"] != 3 {
		t.Error(text)
	}
	if !strings.Contains(text, `"withheld":[]`) {
		t.Error("withheld is not a list")
	}
	for _, c := range []struct {
		path, param, says string
		status            int
	}{
		{"/api/v1/metrics/interruptions?nonsense=1", "nonsense", "unknown parameter", 400},
		{"/api/v1/metrics/interruptions?bucket=decade", "bucket", "decade", 400},
		{"/api/v1/metrics/interruptions?format=xml", "format", "xml", 400},
		{"/api/v1/metrics/sorrows", "metric", "sorrows", 404},
		{"/api/v1/events", "incident", "required", 400},
		{"/api/v1/events?incident=x&limit=0", "limit", "1 to 10000", 400},
		{"/api/v1/events?incident=x&colour=red", "colour", "unknown parameter", 400},
		{"/api/v1/events?incident=x&as_of=yesterday", "as_of", "RFC 3339", 400},
	} {
		r := get(t, s, c.path)
		var e struct {
			Error, Param string
			Allowed      []string
		}
		text := body(t, r)
		if err := json.Unmarshal([]byte(text), &e); err != nil || r.StatusCode != c.status || e.Param != c.param || !strings.Contains(e.Error, c.says) {
			t.Errorf("%s: %d %s", c.path, r.StatusCode, text)
		}
	}
}

func TestCSVIsExact(t *testing.T) {
	s := boot(t, newFake())
	r := get(t, s, "/api/v1/metrics/time_to_ack?by=team&format=csv")
	text := body(t, r)
	if !strings.HasPrefix(text, "bucket,key,n,not_acked,p50,p90,mean\n") {
		t.Errorf("header: %.80q", text)
	}
	if !strings.Contains(text, `,"=HYPERLINK(""http://evil"")",`) {
		t.Error("a key was changed:", text)
	}
	if !strings.Contains(r.Header.Get("Content-Type"), "text/csv") || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
		t.Error(r.Header)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if last := lines[len(lines)-1]; !strings.HasSuffix(last, ",") {
		t.Errorf("null is not empty: %q", last)
	}
}

func TestEventsKeepTheirData(t *testing.T) {
	s := boot(t, newFake())
	text := body(t, get(t, s, "/api/v1/events?limit=2&incident="+url.QueryEscape(hostile[0])))
	var got struct {
		Incident  string
		Truncated bool
		Events    []struct {
			Kind string
			Data map[string]json.RawMessage
		}
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err, text)
	}
	if len(got.Events) != 2 || !got.Truncated || string(got.Events[0].Data["big"]) != "12345678901234567890123456789012345678" || string(got.Events[0].Data["n"]) != "1e400" {
		t.Error(text)
	}
}

func TestErrorsOfTheStore(t *testing.T) {
	store := newFake()
	store.broken = errors.New("code: 241, secret statement")
	s := boot(t, store, func(d *Deps) { d.Dev = false })
	for _, path := range []string{"/", "/api/v1/metrics/pages"} {
		r := get(t, s, path)
		if text := body(t, r); r.StatusCode != 500 || strings.Contains(text, "secret statement") {
			t.Errorf("%s: %d %.400s", path, r.StatusCode, text)
		}
	}
}

// Assets are kept for ever under their digest, travel compressed, and the chart library
// may be any file that is named.
func TestAssets(t *testing.T) {
	lib := filepath.Join(t.TempDir(), "e.js")
	if err := os.WriteFile(lib, []byte("var echarts = 1;"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := boot(t, newFake(), func(d *Deps) { d.EchartsPath = lib })
	page := body(t, get(t, s, "/"))
	_, rest, found := strings.Cut(page, `src="/static/echarts.min.js?v=`)
	digest, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatal("the page does not load the chart library")
	}
	r := get(t, s, "/static/echarts.min.js?v="+digest)
	if body(t, r) != "var echarts = 1;" || !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Error(r.Header)
	}
	if r := get(t, s, "/static/echarts.min.js?v=other"); strings.Contains(r.Header.Get("Cache-Control"), "immutable") {
		t.Error("another version may be kept for ever")
	}
	q := httptest.NewRequest(http.MethodGet, "http://steward.test/static/app.js", nil)
	q.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, q)
	if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() >= len(s.assets["app.js"].plain) {
		t.Error("not compressed", w.Header())
	}
	q.Header.Set("If-None-Match", `"`+s.assets["app.js"].digest+`"`)
	w = httptest.NewRecorder()
	s.Handler().ServeHTTP(w, q)
	if w.Code != http.StatusNotModified {
		t.Error("status", w.Code)
	}
	if _, err := New(Deps{Store: newFake(), EchartsPath: lib + ".missing"}); err == nil {
		t.Error("a named library that is missing is no error")
	}
}

// A forwarded address is anybody's to write.
func TestForwardedAddressesAreNotBelieved(t *testing.T) {
	s := boot(t, newFake())
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Forwarded-For", "10.9.9.9")
	r.RemoteAddr = "192.0.2.7:1234"
	if ip := s.echo.IPExtractor(r); ip != "192.0.2.7" {
		t.Error(ip)
	}
}
