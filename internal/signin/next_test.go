package signin

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

var elsewhere = []string{
	"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `/\/evil.example`, `\/evil.example`,
	"/%2Fevil.example", "/%2fevil.example", "%2F%2Fevil.example", "%2F%2Fevil.example/%2e%2e", "/%5Cevil.example", "/%252Fevil.example", "/%25252Fevil.example",
	"https:evil.example", "https:/evil.example", "https://evil.example", "http://evil.example", "HTTPS://evil.example", "evil.example", "@evil.example",
	"\t//evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b", "/%09/evil.example", "/%0d%0aX: y", " //evil.example", "/\x00/evil",
	"javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "/\u2028x", "?x=//evil", "#x", "", "..", "./x",
	"/signin", "/signin?next=/", "/signin/callback?x", "/signout", "/x/../signout", "/%zz", "/" + strings.Repeat("x", longestNext),
}

func TestLocal(t *testing.T) {
	for _, next := range elsewhere {
		if got := local(next); got != "/" {
			t.Errorf("%q leads to %q", next, got)
		}
	}
	for _, next := range []string{"/", "/who", "/incidents?team=a&window=90d", "/services/https%3A%2F%2Fx", "/teams/%C3%A4", "/x?to=https://a.example//b", "/x#part", "/signing", "/a//b"} {
		if got := local(next); got != next {
			t.Errorf("%q became %q", next, got)
		}
	}
}

// The whole way: whatever next says, one stays on the site.
func TestNoOpenRedirect(t *testing.T) {
	s, h, v := trap(t)
	for _, next := range elsewhere {
		a := v.get(s.url + "/signin?next=" + url.QueryEscape(next))
		q := query(t, a.header.Get("Location"))
		h.inOrder(t, q.Get("nonce"))
		b := v.get(back(s, q.Get("state")))
		if to := b.header.Get("Location"); b.code != http.StatusSeeOther || to != "/" {
			t.Errorf("%q leads to %q: %d %s", next, to, b.code, b.body)
		}
	}
}

func FuzzLocal(f *testing.F) {
	for _, next := range elsewhere {
		f.Add(next)
	}
	base, _ := url.Parse("https://steward.example.org/signin/callback")
	f.Fuzz(func(t *testing.T, next string) {
		got := local(next)
		u, err := base.Parse(got)
		if err != nil || u.Host != base.Host || u.Scheme != "https" || strings.HasPrefix(u.Path, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Errorf("%q leads to %v, %v", next, u, err)
		}
	})
}
