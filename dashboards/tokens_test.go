package dashboards

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
)

// A new token is shown once, on a page that nothing keeps; every form wants the page's own
// token besides coming from this site.
func TestTokensPage(t *testing.T) {
	keys := &fakeKeys{}
	s := boot(t, newFake(), func(d *Deps) { d.Keys = keys })
	page := get(t, s, "/tokens")
	cookies := page.Cookies()
	text := body(t, page)
	if page.StatusCode != 200 || len(cookies) != 1 || strings.Contains(text, "shownonce") || page.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d, cookies %v, cache %q", page.StatusCode, cookies, page.Header.Get("Cache-Control"))
	}
	post := func(path, csrf string, form url.Values) (*http.Response, string) {
		form.Set("csrf", csrf)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookies[0])
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		b, _ := io.ReadAll(w.Result().Body)
		return w.Result(), string(b)
	}
	for path, form := range map[string]url.Values{"/tokens": {"name": {"x"}, "scope": {"read"}}, "/tokens/a1/revoke": {}, "/secrets": {"source": {"pagerduty"}}, "/secrets/s1/retire": {}} {
		if r, _ := post(path, "guess", form); r.StatusCode < 400 {
			t.Errorf("%s without the page's token: %d", path, r.StatusCode)
		}
	}
	if len(keys.acts) != 0 {
		t.Fatalf("something was done: %v", keys.acts)
	}
	csrf := cookies[0].Value
	if r, text := post("/tokens", csrf, url.Values{"name": {"x"}, "scope": {"read"}, "expires": {"30d"}}); r.StatusCode != 200 || strings.Count(text, "stw_shownonce") != 1 || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a new token: %d", r.StatusCode)
	}
	if strings.Contains(body(t, get(t, s, "/tokens")), "shownonce") {
		t.Error("the token is shown again")
	}
	if r, text := post("/tokens", csrf, url.Values{"name": {"x"}}); r.StatusCode != 400 || !strings.Contains(text, "<b>Scope:</b> None is given") || !strings.Contains(text, `value="x"`) {
		t.Errorf("without a scope: %d", r.StatusCode)
	}
	for _, path := range []string{"/tokens/a1/revoke", "/secrets/s1/retire"} {
		if r, _ := post(path, csrf, url.Values{}); r.StatusCode != 303 || r.Header.Get("Location") != "/tokens" {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if !slices.Equal(keys.acts, []string{"issue x", "revoke a1", "retire s1"}) {
		t.Errorf("done: %v", keys.acts)
	}
}

// What cannot be recorded is not done.
func TestActsAreRecordedFirst(t *testing.T) {
	store := newFake()
	s := boot(t, store, func(d *Deps) {
		d.Audit = func(context.Context, access.Who, string, string) error { return http.ErrHandlerTimeout }
	})
	if r := get(t, s, "/quarantine/0a1b2c"); r.StatusCode < 500 {
		t.Errorf("a record is shown unrecorded: %d", r.StatusCode)
	}
	r := httptest.NewRequest(http.MethodPost, "http://steward.test/quarantine/0a1b2c/redrive", nil)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Code < 500 || len(store.redrive) != 0 {
		t.Errorf("re-driven unrecorded: %d, %v", w.Code, store.redrive)
	}
}

// The switcher leads back to a page of ours and nowhere else.
func TestSwitcherLeadsBack(t *testing.T) {
	s := boot(t, newFake())
	for next, want := range map[string]string{"/teams?window=4w": "/teams?window=4w", "//evil.example": "/", "https://evil.example": "/", `/\evil.example`: "/", "/\t/evil": "/", "": "/", "javascript:alert(1)": "/"} {
		r := httptest.NewRequest(http.MethodPost, "http://steward.test/viewas", strings.NewReader(url.Values{"as": {"person:a b@x"}, "next": {next}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != 303 || w.Header().Get("Location") != want {
			t.Errorf("%q leads to %q (%d)", next, w.Header().Get("Location"), w.Code)
		}
		back := httptest.NewRequest(http.MethodGet, "/", nil)
		for _, c := range w.Result().Cookies() {
			back.AddCookie(c)
		}
		if got := ViewingAs(back); got != "person:a b@x" {
			t.Errorf("remembered %q", got)
		}
	}
	off := boot(t, newFake(), func(d *Deps) { d.ViewAs = false })
	w := httptest.NewRecorder()
	off.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://steward.test/viewas", nil))
	if w.Code != 404 && w.Code != 405 {
		t.Errorf("there is a switcher where people sign in: %d", w.Code)
	}
}
