package signin

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
)

func proxied(t *testing.T, change func(*Proxy)) *SignIn {
	t.Helper()
	p := &Proxy{From: []string{"10.0.0.1", "fd12::/64"}}
	if change != nil {
		change(p)
	}
	s, err := New(t.Context(), Config{Proxy: p, DefaultRole: access.Viewer}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func from(addr string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = addr
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func TestProxyHeaders(t *testing.T) {
	s := proxied(t, nil)
	id, ok := s.Identify(from("10.0.0.1:999", "X-Forwarded-Email", "Ada@Example.org", "X-Forwarded-Preferred-Username", "Ada", "X-Forwarded-Groups", "b, a,,b"))
	if !ok || id.Person != "ada@example.org" || id.Name != "Ada" || !slices.Equal(id.Groups, []string{"a", "b"}) || id.Method != "proxy" {
		t.Errorf("got %+v, %v", id, ok)
	}
	for _, addr := range []string{"[fd12::5]:1", "[::ffff:10.0.0.1]:1", "[fd12::5%eth0]:1"} {
		if _, ok := s.Identify(from(addr, "X-Forwarded-Email", "a@b.c")); !ok {
			t.Errorf("%s is not believed", addr)
		}
	}
	for name, r := range map[string]*http.Request{
		"untrusted address":       from("10.0.0.2:1", "X-Forwarded-Email", "a@b.c"),
		"untrusted, forwarded":    from("10.0.0.2:1", "X-Forwarded-Email", "a@b.c", "X-Forwarded-For", "10.0.0.1", "X-Real-Ip", "10.0.0.1", "Forwarded", "for=10.0.0.1"),
		"a socket":                from("@", "X-Forwarded-Email", "a@b.c"),
		"no address":              from("", "X-Forwarded-Email", "a@b.c"),
		"no person":               from("10.0.0.1:1"),
		"an empty person":         from("10.0.0.1:1", "X-Forwarded-Email", " "),
		"two persons":             from("10.0.0.1:1", "X-Forwarded-Email", "a@b.c", "X-Forwarded-Email", "a@b.c"),
		"two persons, other case": from("10.0.0.1:1", "X-Forwarded-Email", "a@b.c", "x-forwarded-email", "root@b.c"),
		"two persons in one":      from("10.0.0.1:1", "X-Forwarded-Email", "a@b.c, root@b.c"),
		"groups twice":            from("10.0.0.1:1", "X-Forwarded-Email", "a@b.c", "X-Forwarded-Groups", "a", "X-Forwarded-Groups", "admins"),
		"names twice":             from("10.0.0.1:1", "X-Forwarded-Email", "a@b.c", "X-Forwarded-Preferred-Username", "a", "X-Forwarded-Preferred-Username", "b"),
		"a control character":     from("10.0.0.1:1", "X-Forwarded-Email", "a@b.c\x1b[1m"),
		"a very long person":      from("10.0.0.1:1", "X-Forwarded-Email", strings.Repeat("a", 300)),
	} {
		if id, ok := s.Identify(r); ok || id.Person != "" {
			t.Errorf("%s: %+v", name, id)
		}
	}
}

// What a proxy sends wrongly is in the log; whom it names is not, nor whose page was asked for.
func TestProxyLogsNobody(t *testing.T) {
	log := &journal{}
	s, err := New(t.Context(), Config{Proxy: &Proxy{From: []string{"10.0.0.1"}}, DefaultRole: access.Viewer}, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	r := from("10.0.0.1:1", "X-Forwarded-Email", "ada@b.c", "X-Forwarded-Email", "bob@b.c")
	r.URL.Path = "/people/ada@b.c"
	if _, ok := s.Identify(r); ok || !strings.Contains(log.String(), "there twice") || strings.Contains(log.String(), "@") {
		t.Errorf("%v: %s", ok, log)
	}
}

func TestProxySecret(t *testing.T) {
	t.Setenv("STEWARD_TEST_PROXY_SECRET", "s3cret")
	s := proxied(t, func(p *Proxy) { p.SecretEnv = "STEWARD_TEST_PROXY_SECRET" })
	for name, c := range map[string]struct {
		header []string
		want   bool
	}{
		"right": {[]string{"X-Steward-Proxy-Secret", "s3cret"}, true}, "wrong": {[]string{"X-Steward-Proxy-Secret", "s3cret2"}, false},
		"none": {nil, false}, "empty": {[]string{"X-Steward-Proxy-Secret", ""}, false},
		"twice": {[]string{"X-Steward-Proxy-Secret", "s3cret", "X-Steward-Proxy-Secret", "x"}, false},
	} {
		if _, ok := s.Identify(from("10.0.0.1:1", append(c.header, "X-Forwarded-Email", "a@b.c")...)); ok != c.want {
			t.Errorf("%s: %v", name, ok)
		}
	}
	if _, ok := s.Identify(from("10.0.0.2:1", "X-Steward-Proxy-Secret", "s3cret", "X-Forwarded-Email", "a@b.c")); ok {
		t.Error("the secret alone is believed")
	}
	t.Setenv("STEWARD_TEST_PROXY_SECRET", "")
	if _, err := New(t.Context(), Config{Proxy: &Proxy{From: []string{"10.0.0.1"}, SecretEnv: "STEWARD_TEST_PROXY_SECRET"}, DefaultRole: access.Viewer}, Options{}); err == nil || !strings.Contains(err.Error(), "proxy.secret_env") {
		t.Errorf("an empty secret: %v", err)
	}
}

func TestProxyRoutes(t *testing.T) {
	s := proxied(t, nil)
	for _, c := range []struct {
		method, path, addr string
		code               int
		says               string
	}{
		{http.MethodGet, "/signin", "10.0.0.2:1", http.StatusUnauthorized, "reverse proxy"},
		{http.MethodGet, "/signin?next=/x", "10.0.0.1:1", http.StatusSeeOther, `"/x"`},
		{http.MethodGet, "/signin?next=//evil", "10.0.0.1:1", http.StatusSeeOther, `"/"`},
		{http.MethodGet, CallbackPath + "?code=x&state=y", "10.0.0.1:1", http.StatusNotFound, ""},
		{http.MethodPost, "/signout", "10.0.0.1:1", http.StatusOK, "reverse proxy"},
	} {
		r := from(c.addr, "X-Forwarded-Email", "a@b.c")
		r.Method = c.method
		r.URL, _ = url.Parse(c.path)
		w := httptest.NewRecorder()
		s.Routes().ServeHTTP(w, r)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s %s from %s: %d %s", c.method, c.path, c.addr, w.Code, w.Body)
		}
	}
	// A session has no say where a proxy has.
	w := httptest.NewRecorder()
	s.Start(w, from("10.0.0.2:1"), access.Identity{Person: "root@b.c"})
	r := from("10.0.0.2:1")
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	if id, ok := s.Identify(r); ok {
		t.Errorf("a session passes the proxy by as %+v", id)
	}
}
