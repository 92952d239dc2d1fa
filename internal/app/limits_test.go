package app

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/keys"
)

// limitedApp is an App that answers 204, and 401 to wrong tokens, behind its limits.
func limitedApp(t *testing.T, cfg Config, now *time.Time) (*App, http.Handler) {
	t.Helper()
	cfg.Now = func() time.Time { return *now }
	cfg.Log = slog.New(slog.DiscardHandler)
	store, err := keys.Open(keysPath(t.TempDir()), cfg.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() }) // its directory may be gone
	a := &App{cfg: cfg.withDefaults(), log: cfg.Log, keys: store}
	return a, a.limited(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, found, err := a.bearer(r); err != nil || !found && r.URL.Path == "/ingest/signed" {
			writeError(w, http.StatusUnauthorized, "no", nil)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
}

func askFrom(h http.Handler, path, address, token, forwarded string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	r.RemoteAddr = address
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Proofs that fail are counted by address; who proves itself from the same address is
// served all the same.
func TestFailedProofsAreLimited(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	a, h := limitedApp(t, Config{}, &now)
	good, _, err := a.keys.Issue("n", []string{"ingest"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range failBurst {
		path := []string{"/ingest/signed", "/ingest/cloudevents", "/api/v1/metrics"}[i%3]
		token := "stw_wrong"
		if i%3 == 0 {
			token = "" // as a delivery with a wrong signature
		}
		if w := askFrom(h, path, "198.51.100.1:1000", token, ""); w.Code != 401 {
			t.Fatalf("failure %d: %d", i+1, w.Code)
		}
	}
	w := askFrom(h, "/ingest/cloudevents", "198.51.100.1:2000", "stw_wrong", "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "6" {
		t.Errorf("one failure too many: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := askFrom(h, "/ingest/cloudevents", "198.51.100.1:3000", good, ""); w.Code != 204 {
		t.Errorf("a good token from the same address: %d", w.Code)
	}
	if w := askFrom(h, "/ingest/cloudevents", "198.51.100.2:1", "stw_wrong", ""); w.Code != 401 {
		t.Errorf("another address: %d", w.Code)
	}
	// One host has a whole /64, and forged headers change nothing.
	for i := range failBurst {
		askFrom(h, "/ingest/signed", "[2001:db8::"+strconv.Itoa(i+1)+"]:1", "", strconv.Itoa(i)+".1.1.1")
	}
	if w := askFrom(h, "/ingest/signed", "[2001:db8::ffff]:1", "", "1.1.1.1"); w.Code != 429 {
		t.Errorf("the rest of a /64: %d", w.Code)
	}
	now = now.Add(7 * time.Second)
	if w := askFrom(h, "/ingest/signed", "198.51.100.1:1000", "", ""); w.Code != 401 {
		t.Errorf("after the wait: %d", w.Code)
	}
}

func TestCallersAreLimited(t *testing.T) {
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	a, h := limitedApp(t, Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, &now)
	token, _, err := a.keys.Issue("n", []string{"ingest"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	local := a.newLocalToken()
	until := func(burst int, path, token, forwarded string) {
		t.Helper()
		for i := range burst {
			if w := askFrom(h, path, "10.0.0.1:1", token, forwarded); w.Code != 204 {
				t.Fatalf("%s, request %d of a burst of %d: %d", path, i+1, burst, w.Code)
			}
		}
		if w := askFrom(h, path, "10.0.0.1:1", token, forwarded); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s, one too many: %d, Retry-After %q", path, w.Code, w.Header().Get("Retry-After"))
		}
	}
	until(askBurst, "/incidents", "", "198.51.100.1")
	if w := askFrom(h, "/incidents", "10.0.0.1:1", "", "9.9.9.9, 198.51.100.1"); w.Code != 429 {
		t.Errorf("with a forged hop: %d", w.Code)
	}
	if w := askFrom(h, "/incidents", "10.0.0.1:1", "", "198.51.100.2"); w.Code != 204 {
		t.Errorf("another caller behind the proxy: %d", w.Code)
	}
	if w := askFrom(h, "/healthz", "10.0.0.1:1", "", "198.51.100.1"); w.Code != 204 {
		t.Errorf("a probe: %d", w.Code)
	}
	until(ingestBurst, "/ingest/cloudevents", token, "198.51.100.1")
	if w := askFrom(h, "/ingest/cloudevents", "203.0.113.1:1", token, ""); w.Code != 429 {
		t.Errorf("the token from another address: %d", w.Code)
	}
	for range 2 * askBurst {
		if w := askFrom(h, "/api/v1/metrics", "127.0.0.1:1", local, ""); w.Code != 204 {
			t.Fatalf("a command of this machine: %d", w.Code)
		}
	}
	_, free := limitedApp(t, Config{Dev: true}, &now)
	for range 2 * ingestBurst {
		if w := askFrom(free, "/ingest/x", "127.0.0.1:1", "", ""); w.Code != 204 {
			t.Fatalf("with Dev: %d", w.Code)
		}
	}
}
