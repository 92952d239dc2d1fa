package signin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
)

// The whole way with a real provider, over https, which is what cookies are made for.
func TestSignInAndOut(t *testing.T) {
	for name, inToken := range map[string]bool{"claims in the id_token": true, "claims at userinfo": false} {
		t.Run(name, func(t *testing.T) {
			server, home := stand(t, true)
			p := startProvider(t, home, inToken)
			s := open(t, server, home, oidcConfig(p.url, home))
			v := visit(t, server)

			start := v.get(s.url + "/signin?next=/who%3Fa%3Db")
			if start.code != http.StatusFound || !strings.HasPrefix(start.header.Get("Location"), p.url+"/authorize?") {
				t.Fatalf("start: %d %s %s", start.code, start.header.Get("Location"), start.body)
			}
			q := query(t, start.header.Get("Location"))
			if q.Get("code_challenge_method") != "S256" || len(q.Get("state")) != 43 || len(q.Get("nonce")) != 43 || q.Get("code_challenge") == "" || q.Has("prompt") {
				t.Errorf("asked with %v", q)
			}
			wantCookie(t, start, "__Host-steward-signin-", 600)

			done := v.get(p.login(v, start.header.Get("Location"), "u1"))
			if done.code != http.StatusSeeOther || done.header.Get("Location") != "/who?a=b" || done.header.Get("Cache-Control") != "no-store" {
				t.Fatalf("callback: %d %s %s\n%s", done.code, done.header.Get("Location"), done.body, s.log)
			}
			wantCookie(t, done, "__Host-steward", 7*24*3600)
			if got, want := v.who(s), "ada@example.org|Ada &lt;b&gt;L&lt;/b&gt;|payments+steward-admins|oidc"; got != want {
				t.Errorf("one is %q, want %q", got, want)
			}

			out := v.post(s.url+"/signout", nil, "Sec-Fetch-Site", "same-origin")
			refresh := out.header.Get("Refresh")
			if out.code != http.StatusOK || !strings.HasPrefix(refresh, "0; url="+p.url+"/end_session?") || v.who(s) != "nobody" || v.session(s) != "" {
				t.Fatalf("sign-out: %d %q, and one is %s", out.code, refresh, v.who(s))
			}
			end := v.get(strings.TrimPrefix(refresh, "0; url="))
			if end.header.Get("Location") != home+"/signout" || <-p.out != "u1" {
				t.Errorf("the provider's sign-out: %d %s %s", end.code, end.header.Get("Location"), end.body)
			}
			if back := v.get(home + "/signout"); back.code != http.StatusOK || !strings.Contains(back.body, "You are signed out") {
				t.Errorf("back from there: %d %s", back.code, back.body)
			}
			if got := s.events(); !slices.Equal(got, []string{"in ada@example.org", "out ada@example.org"}) {
				t.Errorf("the hooks were told %v", got)
			}
		})
	}
}

func query(t *testing.T, address string) url.Values {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

func wantCookie(t *testing.T, a answer, prefix string, seconds int) {
	t.Helper()
	for _, c := range a.set {
		if strings.HasPrefix(c.Name, prefix) && c.MaxAge > 0 {
			if !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != seconds {
				t.Errorf("cookie %s: %s", c.Name, c.Raw)
			}
			return
		}
	}
	t.Errorf("no cookie %s…: %v", prefix, a.set)
}

// pair is a site on plain http with a real provider, and a visitor.
func pair(t *testing.T) (*site, *realProvider, *visitor) {
	t.Helper()
	server, home := stand(t, false)
	p := startProvider(t, home, true)
	return open(t, server, home, oidcConfig(p.url, home)), p, visit(t, server)
}

// enter signs a visitor in.
func enter(t *testing.T, s *site, p *realProvider, v *visitor, user string) {
	t.Helper()
	a := v.get(p.login(v, v.get(s.url+"/signin").header.Get("Location"), user))
	if a.code != http.StatusSeeOther {
		t.Fatalf("callback: %d %s\n%s", a.code, a.body, s.log)
	}
}

func TestUnverifiedAddressIsRefused(t *testing.T) {
	s, p, v := pair(t)
	a := v.get(p.login(v, v.get(s.url+"/signin").header.Get("Location"), "u3"))
	if a.code != http.StatusForbidden || !strings.Contains(a.body, "not verified") || v.who(s) != "nobody" {
		t.Errorf("%d %s, and one is %s", a.code, a.body, v.who(s))
	}
}

func TestOnSignInMayRefuse(t *testing.T) {
	s, p, v := pair(t)
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{&Refusal{"No rule gives you a role."}, http.StatusForbidden, "No rule gives you a role."},
		{errors.New("audit at 10.0.0.7 down"), http.StatusServiceUnavailable, "could not be recorded"},
	} {
		s.mu.Lock()
		s.refuse = c.err
		s.mu.Unlock()
		a := v.get(p.login(v, v.get(s.url+"/signin").header.Get("Location"), "u1"))
		if a.code != c.code || !strings.Contains(a.body, c.says) || strings.Contains(a.body, "10.0.0.7") || v.session(s) != "" {
			t.Errorf("%v: %d %s", c.err, a.code, a.body)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	s, p, v := pair(t)
	enter(t, s, p, v, "u2")
	for h := range 21 { // used often enough, it lives on
		s.clock.set(time.Duration(h) * 8 * time.Hour)
		if v.who(s) == "nobody" {
			t.Fatalf("signed out after %d hours", h*8)
		}
	}
	s.clock.set(7*24*time.Hour - time.Minute)
	if v.who(s) == "nobody" {
		t.Error("signed out before seven days")
	}
	s.clock.set(7*24*time.Hour + time.Minute)
	if got := v.who(s); got != "nobody" {
		t.Errorf("after seven days one is %s", got)
	}

	s.clock.set(0)
	enter(t, s, p, v, "u2")
	s.clock.set(12*time.Hour - time.Minute)
	if v.who(s) == "nobody" {
		t.Error("signed out before twelve idle hours")
	}
	s.clock.set(24*time.Hour + time.Minute)
	if got := v.who(s); got != "nobody" {
		t.Errorf("after twelve idle hours one is %s", got)
	}
}

// Signing in again makes a new id and ends the old session; a planted id is not adopted.
func TestRotationAndFixation(t *testing.T) {
	s, p, v := pair(t)
	u, _ := url.Parse(s.url)
	planted := random()
	v.jar.SetCookies(u, []*http.Cookie{{Name: s.sessionCookie(), Value: planted, Path: "/"}})
	enter(t, s, p, v, "u2")
	first := v.session(s)
	if first == planted || first == "" {
		t.Fatal("the planted id was adopted")
	}
	enter(t, s, p, v, "u2")
	second := v.session(s)
	if second == first {
		t.Fatal("the id did not change")
	}

	// Somebody's own live session, planted into another browser, ends there too.
	mallory := visit(t, nil)
	enter(t, s, p, mallory, "u1")
	hers := mallory.session(s)
	v.jar.SetCookies(u, []*http.Cookie{{Name: s.sessionCookie(), Value: hers, Path: "/"}})
	enter(t, s, p, v, "u2")
	if got := mallory.who(s); got != "nobody" {
		t.Errorf("the planted session lives on as %s", got)
	}
	if got := v.who(s); !strings.HasPrefix(got, "bob@") {
		t.Errorf("one is %s", got)
	}
	for _, old := range []string{planted, first, hers} {
		w := visit(t, nil)
		w.jar.SetCookies(u, []*http.Cookie{{Name: s.sessionCookie(), Value: old, Path: "/"}})
		if got := w.who(s); got != "nobody" {
			t.Errorf("an old id is %s", got)
		}
	}
}

// Two cookies of the name, as a sibling host can plant them over plain http, count as none.
func TestTwoSessionCookies(t *testing.T) {
	s, p, v := pair(t)
	enter(t, s, p, v, "u1")
	hers := v.session(s)
	for _, header := range []string{
		s.sessionCookie() + "=" + hers + "; " + s.sessionCookie() + "=" + random(),
		s.sessionCookie() + "=" + random() + "; " + s.sessionCookie() + "=" + hers,
		s.sessionCookie() + "=" + hers + "x",
		s.sessionCookie() + "=" + strings.Repeat("x", 20_000),
		s.sessionCookie() + "=",
		s.ticketPrefix() + "x=" + strings.Repeat("x", 20_000),
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/who", nil)
		r.Header.Set("Cookie", header)
		if a := visit(t, nil).do(r); !strings.Contains(a.body, "nobody") {
			t.Errorf("with the cookies %.80s one is %s", header, a.body)
		}
	}
	if v.who(s) == "nobody" {
		t.Error("the one right cookie does not count; this test would prove nothing")
	}
}

func TestSignOutEverywhere(t *testing.T) {
	s, p, v := pair(t)
	other, bob := visit(t, nil), visit(t, nil)
	enter(t, s, p, v, "u1")
	enter(t, s, p, other, "u1")
	enter(t, s, p, bob, "u2")
	if n := s.SignOutEverywhere("ada@example.org"); n != 2 || v.who(s) != "nobody" || other.who(s) != "nobody" || bob.who(s) == "nobody" {
		t.Errorf("%d sessions ended; %s %s %s", n, v.who(s), other.who(s), bob.who(s))
	}
}

// That somebody signed out is in the log, and that it could not be recorded; who is not.
func TestSignOutThatIsNotRecorded(t *testing.T) {
	s, p, v := pair(t)
	enter(t, s, p, v, "u1")
	s.opts.OnSignOut = func(context.Context, access.Identity, *http.Request) error { return errors.New("the log is full") }
	if v.post(s.url+"/signout", nil); v.who(s) != "nobody" {
		t.Errorf("one stays signed in as %s", v.who(s))
	}
	for _, want := range []string{"signed in", "signed out", "a sign-out could not be recorded", "the log is full", "from=127.0.0.1:"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, s.log)
		}
	}
}

func TestSignOutIsNotForOtherSites(t *testing.T) {
	s, p, v := pair(t)
	enter(t, s, p, v, "u1")
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		if a := v.post(s.url+"/signout", nil, header...); a.code != http.StatusForbidden || v.who(s) == "nobody" {
			t.Errorf("%v: %d", header, a.code)
		}
	}
	if a := v.get(s.url + "/signout"); a.code != http.StatusMethodNotAllowed || v.who(s) == "nobody" {
		t.Errorf("a link signed out: %d", a.code)
	}
}

// Tabs sign in side by side, and a browser keeps few tickets.
func TestTabs(t *testing.T) {
	s, p, v := pair(t)
	one := v.get(s.url + "/signin?next=/who%3F1").header.Get("Location")
	two := v.get(s.url + "/signin?next=/who%3F2").header.Get("Location")
	if a := v.get(p.login(v, one, "u1")); a.header.Get("Location") != "/who?1" {
		t.Errorf("the first tab: %d %s", a.code, a.body)
	}
	if a := v.get(p.login(v, two, "u1")); a.header.Get("Location") != "/who?2" {
		t.Errorf("the second tab: %d %s", a.code, a.body)
	}
	u, _ := url.Parse(s.url)
	for range 20 {
		v.get(s.url + "/signin")
	}
	if n := len(v.jar.Cookies(u)); n > mostTickets+1 {
		t.Errorf("%d cookies after 20 starts", n)
	}
}

func TestPrompt(t *testing.T) {
	s, _, v := pair(t)
	for in, want := range map[string]string{"select_account": "select_account", "login": "login", "none": "", "x&client_id=evil": ""} {
		if q := query(t, v.get(s.url+"/signin?prompt="+url.QueryEscape(in)).header.Get("Location")); q.Get("prompt") != want || len(q["client_id"]) != 1 {
			t.Errorf("prompt %s became %v", in, q)
		}
	}
}
