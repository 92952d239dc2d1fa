package signin

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/stewardhq/steward/internal/chromium"
)

// ownCertificate: the test server has made its certificate itself.
var ownCertificate = chromedp.Flag("ignore-certificate-errors", true)

// reader is somebody at a browser.
type reader struct {
	t   *testing.T
	tab context.Context
	s   *site
}

func (r *reader) do(a ...chromedp.Action[chromedp.Void]) {
	r.t.Helper()
	if err := chromedp.Do(r.tab, a...); err != nil {
		r.t.Fatal(err)
	}
}

// waits until the page at an address, any query beyond it aside, says something.
func (r *reader) waits(address, says string) {
	r.t.Helper()
	var at, text string
	for range 200 {
		var err error
		if at, err = chromedp.Run(r.tab, chromedp.Evaluate[string](`location.href`)); err == nil {
			text, err = chromedp.Run(r.tab, chromedp.Evaluate[string](`document.body ? document.body.innerText : ''`))
		}
		if err == nil && strings.HasPrefix(at, address) && strings.Contains(text, says) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	r.t.Fatalf("the browser is at %s, which says %q; want %s and %q\n%s", at, text, address, says, r.s.log)
}

// login starts at an address of the site and signs in on the provider's page.
func (r *reader) login(p *realProvider, path, user string) {
	r.t.Helper()
	r.do(chromedp.Navigate(r.s.url + path))
	r.waits(p.url+"/login", "")
	r.do(chromedp.WaitVisible("#user"), chromedp.SendKeys("#user", user), chromedp.Click("#go"))
}

// cookie is the session's, as the browser keeps it.
func (r *reader) cookie() *network.Cookie {
	r.t.Helper()
	got, err := chromedp.Call(r.tab, network.GetCookies, network.GetCookiesParams{URLs: []string{r.s.url + "/"}})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range got.Cookies {
		if c.Name == r.s.sessionCookie() {
			return c
		}
	}
	return nil
}

// A whole sign-in and sign-out in a real browser, with a real provider on another site:
// cookies that a browser would not store or not send, and policies that it would enforce,
// are seen nowhere else.
func TestSignInInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	for name, secure := range map[string]bool{"https": true, "http on loopback": false} {
		t.Run(name, func(t *testing.T) {
			server, home := stand(t, secure)
			p := startProvider(t, home, false)
			s := open(t, server, home, oidcConfig(p.url, home))
			r := &reader{t, chromium.Tab(t, 2*time.Minute, ownCertificate), s}

			r.do(chromedp.Navigate(s.url + "/who"))
			r.waits(s.url+"/who", "nobody")

			// A cookie that was there before is not adopted. One that has the name but not its
			// marks the browser refuses by itself, so on https there is none to plant.
			if !secure {
				_, err := chromedp.Call(r.tab, network.SetCookie, network.SetCookieParams{Name: s.sessionCookie(), Value: random(), URL: s.url + "/", Path: "/"})
				if err != nil {
					t.Fatal(err)
				}
			}
			planted := r.cookie()
			r.login(p, "/signin?next=/who%3Fa%3Db", "u1")
			r.waits(s.url+"/who?a=b", "ada@example.org|Ada <b>L</b>|payments+steward-admins|oidc")
			first := r.cookie()
			if first == nil || planted != nil && planted.Value == first.Value {
				t.Fatalf("the cookie was %v and is %v", planted, first)
			}
			if first.Secure != secure || !first.HTTPOnly || first.SameSite != network.CookieSameSiteLax || first.Path != "/" || first.Domain != "127.0.0.1" {
				t.Errorf("the browser keeps %+v", first)
			}
			if seen, err := chromedp.Run(r.tab, chromedp.Evaluate[string](`document.cookie`)); err != nil || seen != "" {
				t.Errorf("a script sees %q, %v", seen, err)
			}

			// Signing in again changes the id.
			r.login(p, "/signin?next=/who", "u2")
			r.waits(s.url+"/who", "bob@example.org")
			second := r.cookie()
			if second == nil || second.Value == first.Value {
				t.Fatalf("the id did not change: %v", second)
			}

			// Idle for too long, then too old.
			s.clock.set(idle - time.Minute)
			r.do(chromedp.Navigate(s.url + "/who"))
			r.waits(s.url+"/who", "bob@example.org")
			s.clock.set(2*idle + time.Minute)
			r.do(chromedp.Navigate(s.url + "/who"))
			r.waits(s.url+"/who", "nobody")
			s.clock.set(0)
			r.login(p, "/signin?next=/who", "u2")
			r.waits(s.url+"/who", "bob@example.org")
			for at := time.Duration(0); at < atMost; at += idle / 2 {
				s.clock.set(at)
				r.do(chromedp.Navigate(s.url + "/who"))
				r.waits(s.url+"/who", "bob@example.org")
			}
			s.clock.set(atMost)
			r.do(chromedp.Navigate(s.url + "/who"))
			r.waits(s.url+"/who", "nobody")
			s.clock.set(0)

			// Signing out: a form under the policy of the product's pages, on to the provider,
			// which is another site, and back.
			r.login(p, "/signin?next=/who", "u1")
			r.waits(s.url+"/who", "ada@example.org")
			r.do(chromedp.Click("#out"))
			r.waits(s.url+"/signout", "You are signed out.")
			select {
			case who := <-p.out:
				if who != "u1" {
					t.Errorf("%s signed out at the provider", who)
				}
			case <-time.After(10 * time.Second):
				t.Error("nobody signed out at the provider")
			}
			if c := r.cookie(); c != nil {
				t.Errorf("the browser still keeps %v", c)
			}
			r.do(chromedp.Navigate(s.url + "/who"))
			r.waits(s.url+"/who", "nobody")

			// An answer that was not asked for.
			r.do(chromedp.Navigate(s.url + CallbackPath + "?state=x&code=y"))
			r.waits(s.url+CallbackPath, "did not start here")
		})
	}
}
