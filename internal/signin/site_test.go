package signin

import (
	"context"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
)

const (
	clientID     = "steward"
	clientSecret = "a secret that no page and no log may show"
	secretEnv    = "STEWARD_TEST_OIDC_SECRET"
)

// clock is moved by tests.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) set(ahead time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = ahead
}

// site is a small product around a SignIn: /who says who one is.
type site struct {
	*SignIn
	url   string
	clock *clock
	log   *journal

	mu       sync.Mutex
	happened []string // what the hooks were told
	refuse   error    // what OnSignIn answers
}

func (s *site) events() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.happened...)
}

// journal keeps the log, in which no secret may appear.
type journal struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.buf.String()
}

// stand makes a site with an address, so that a provider can be told of it first.
func stand(t *testing.T, secure bool) (*httptest.Server, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Listener.Close()
	server.Listener = l
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return server, scheme + l.Addr().String()
}

func oidcConfig(issuer, home string) Config {
	return Config{
		OIDC: &OIDC{
			Issuer: issuer, ClientID: clientID, ClientSecretEnv: secretEnv, RedirectURL: home + CallbackPath,
			Scopes: []string{"openid", "email", "profile", "groups"}, AllowPrivate: []string{"127.0.0.0/8", "::1"},
			SignedOutURL: home + "/signout",
		},
		DefaultRole: access.Viewer,
	}
}

// open starts the site.
func open(t *testing.T, server *httptest.Server, home string, c Config) *site {
	t.Helper()
	t.Setenv(secretEnv, clientSecret)
	s := &site{url: home, clock: &clock{}, log: &journal{}}
	var err error
	s.SignIn, err = New(t.Context(), c, Options{
		Now: s.clock.now, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		OnSignIn: func(_ context.Context, id access.Identity, _ *http.Request) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.happened = append(s.happened, "in "+id.Person)
			return s.refuse
		},
		OnSignOut: func(_ context.Context, id access.Identity, _ *http.Request) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.happened = append(s.happened, "out "+id.Person)
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/signin", s.Routes())
	mux.Handle("/signin/", s.Routes())
	mux.Handle("/signout", s.Routes())
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		// The policy of the product's pages: it decides what a sign-out may lead to.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; form-action 'self'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		id, ok := s.Identify(r)
		if !ok {
			fmt.Fprint(w, `<title>who</title><p id=who>nobody</p>`)
			return
		}
		fmt.Fprintf(w, `<title>who</title><p id=who>%s</p><form method=post action=/signout><input type=hidden name=csrf value=%s><button id=out>Sign out</button></form>`,
			html.EscapeString(strings.Join([]string{id.Person, id.Name, strings.Join(id.Groups, "+"), id.Method}, "|")), s.CSRF(r))
	})
	server.Config.Handler = mux
	if strings.HasPrefix(home, "https:") {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if strings.Contains(s.log.String(), clientSecret) {
			t.Error("the log holds the client's secret")
		}
		// Forgetting does not reach logs, so whoever signs in and out is not in them.
		if log := strings.ToLower(s.log.String()); strings.Contains(log, "@example.org") || strings.Contains(log, "ada <b>") {
			t.Errorf("the log names a person:\n%s", log)
		}
	})
	return s
}

// visitor is a browser without its own mind: it keeps cookies and follows nothing.
type visitor struct {
	t   *testing.T
	jar *cookiejar.Jar
	c   *http.Client
}

func visit(t *testing.T, server *httptest.Server) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if server != nil && server.TLS != nil {
		c.Transport = server.Client().Transport
	}
	return &visitor{t, jar, c}
}

type answer struct {
	code   int
	body   string
	header http.Header
	set    []*http.Cookie
}

func (v *visitor) do(r *http.Request) answer {
	v.t.Helper()
	resp, err := v.c.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(b), resp.Header, resp.Cookies()}
}

func (v *visitor) get(address string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.do(r)
}

func (v *visitor) post(address string, form url.Values, header ...string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return v.do(r)
}

// who is what the site takes the visitor for.
func (v *visitor) who(s *site) string {
	v.t.Helper()
	_, rest, _ := strings.Cut(v.get(s.url+"/who").body, "id=who>")
	who, _, _ := strings.Cut(rest, "<")
	return who
}

// session is the value of the visitor's session cookie.
func (v *visitor) session(s *site) string {
	u, _ := url.Parse(s.url)
	for _, c := range v.jar.Cookies(u) {
		if c.Name == s.sessionCookie() {
			return c.Value
		}
	}
	return ""
}
