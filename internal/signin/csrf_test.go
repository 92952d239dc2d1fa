package signin

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
)

func TestCSRF(t *testing.T) {
	t.Setenv(secretEnv, clientSecret)
	ofSessions, err := New(t.Context(), oidcConfig("https://login.invalid", "https://steward.invalid"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	session := func(person string) func(*http.Request) {
		w := httptest.NewRecorder()
		ofSessions.Start(w, httptest.NewRequest(http.MethodGet, "/", nil), access.Identity{Person: person})
		return func(r *http.Request) { r.AddCookie(w.Result().Cookies()[0]) }
	}
	header := func(person string) func(*http.Request) {
		return func(r *http.Request) {
			r.RemoteAddr = "10.0.0.1:1"
			r.Header.Set("X-Forwarded-Email", person)
		}
	}
	for name, c := range map[string]struct {
		s        *SignIn
		ada, bob func(*http.Request)
	}{
		"sessions": {ofSessions, session("ada"), session("bob")},
		"proxy":    {proxied(t, nil), header("ada"), header("bob")},
	} {
		t.Run(name, func(t *testing.T) {
			request := func(who func(*http.Request), form url.Values, header string) *http.Request {
				r := httptest.NewRequest(http.MethodPost, "/x?csrf="+url.QueryEscape(form.Get("query")), strings.NewReader(form.Encode()))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				if header != "" {
					r.Header.Set("X-CSRF-Token", header)
				}
				if who != nil {
					who(r)
				}
				return r
			}
			adas, bobs := c.s.CSRF(request(c.ada, nil, "")), c.s.CSRF(request(c.bob, nil, ""))
			if len(adas) != 43 || adas == bobs || adas != c.s.CSRF(request(c.ada, nil, "")) {
				t.Fatalf("tokens %q and %q", adas, bobs)
			}
			if got := c.s.CSRF(request(nil, nil, "")); got != "" {
				t.Errorf("nobody has the token %q", got)
			}
			for name, r := range map[string]*http.Request{
				"field":  request(c.ada, url.Values{"csrf": {adas}}, ""),
				"header": request(c.ada, nil, adas),
			} {
				if err := c.s.CheckCSRF(r); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			for name, r := range map[string]*http.Request{
				"nothing":          request(c.ada, nil, ""),
				"another's":        request(c.ada, url.Values{"csrf": {bobs}}, ""),
				"in the address":   request(c.ada, url.Values{"query": {adas}}, ""),
				"nobody, nothing":  request(nil, nil, ""),
				"nobody, a token":  request(nil, nil, adas),
				"header over form": request(c.ada, url.Values{"csrf": {adas}}, bobs),
			} {
				if err := c.s.CheckCSRF(r); !errors.Is(err, ErrCSRF) {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}
