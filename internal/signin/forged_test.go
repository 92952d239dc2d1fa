package signin

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Each token here must be refused, and so must nobody be signed in by it.
func TestForgedTokens(t *testing.T) {
	s, h, v := trap(t)
	der, err := x509.MarshalPKIXPublicKey(&h.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	with := func(k string, value any) func(string) string {
		return func(nonce string) string {
			c := h.claims(nonce)
			if c[k] = value; value == nil {
				delete(c, k)
			}
			return h.sign(t, c)
		}
	}
	for name, forge := range map[string]func(nonce string) string{
		"HS256 with the public key as PEM":      func(n string) string { return sign(t, jose.HS256, public, "rsa", h.claims(n)) },
		"HS256 with the public key as DER":      func(n string) string { return sign(t, jose.HS256, der, "rsa", h.claims(n)) },
		"HS256 with the client's secret":        func(n string) string { return sign(t, jose.HS256, []byte(clientSecret), "", h.claims(n)) },
		"alg none":                              func(n string) string { return unsigned(t, h.claims(n), "none") },
		"alg nOnE":                              func(n string) string { return unsigned(t, h.claims(n), "nOnE") },
		"RS256 without a signature":             func(n string) string { return unsigned(t, h.claims(n), "RS256") },
		"RS512, which is offered but not taken": func(n string) string { return sign(t, jose.RS512, h.rsa, "rsa", h.claims(n)) },
		"a key of somebody else":                func(n string) string { return sign(t, jose.RS256, stranger, "rsa", h.claims(n)) },
		"a key of somebody else, unknown":       func(n string) string { return sign(t, jose.RS256, stranger, "x", h.claims(n)) },
		"a changed payload": func(n string) string {
			c := h.claims(n)
			parts := strings.Split(h.sign(t, c), ".")
			c["email"] = "root@example.org"
			return parts[0] + "." + strings.Split(unsigned(t, c, "RS256"), ".")[1] + "." + parts[2]
		},
		"another nonce":                 with("nonce", random()),
		"no nonce":                      with("nonce", nil),
		"another audience":              with("aud", "grafana"),
		"no audience":                   with("aud", nil),
		"several audiences, no azp":     with("aud", []string{clientID, "grafana"}),
		"azp of another":                with("azp", "grafana"),
		"azp that is no text":           with("azp", []string{clientID}),
		"another issuer":                with("iss", "https://evil.example"),
		"the issuer with a slash":       with("iss", h.url+"/"),
		"no issuer":                     with("iss", nil),
		"expired":                       with("exp", time.Now().Add(-time.Minute).Unix()),
		"no expiry":                     with("exp", nil),
		"not yet valid":                 with("nbf", time.Now().Add(time.Hour).Unix()),
		"from the future":               with("iat", time.Now().Add(time.Hour).Unix()),
		"no subject":                    with("sub", nil),
		"another at_hash":               with("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"address not verified":          with("email_verified", false),
		"address not verified, as text": with("email_verified", "false"),
		"address verified perhaps":      with("email_verified", 1),
		"address that is a list":        with("email", []string{"ada@example.org"}),
		"address with a Kelvin sign":    with("email", "ada@\u212Aexample.org"),
		"address with a line":           with("email", "ada@example.org\nroot@example.org"),
		"no address":                    with("email", nil),
		"no token":                      func(string) string { return "" },
		"rubbish":                       func(string) string { return "a.b.c" },
		"very long":                     func(n string) string { return strings.Repeat("a", 2<<20) },
	} {
		t.Run(name, func(t *testing.T) {
			state, nonce := begin(t, s, v)
			raw := forge(nonce)
			h.set(func() { h.respond = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": raw} })
			a := v.get(back(s, state))
			if a.code < 400 || v.session(s) != "" || v.who(s) != "nobody" {
				t.Fatalf("%d %s", a.code, a.body)
			}
			if raw != "" && (strings.Contains(a.body, raw) || strings.Contains(s.log.String(), raw) || strings.Contains(a.body, "evil")) {
				t.Error("the token is repeated")
			}
		})
	}
	if len(s.events()) != 0 {
		t.Errorf("the hooks were told %v", s.events())
	}
	// The same with a token in order must work, or the above would prove nothing.
	hash := func(h crypto.Hash, of string) string {
		w := h.New()
		w.Write([]byte(of))
		return base64.RawURLEncoding.EncodeToString(w.Sum(nil)[:h.Size()/2])
	}
	for name, good := range map[string]func(c map[string]any) string{
		"RS256": func(c map[string]any) string { return h.sign(t, c) },
		"PS256": func(c map[string]any) string { return sign(t, jose.PS256, h.rsa, "rsa", c) },
		"ES256": func(c map[string]any) string { return sign(t, jose.ES256, h.ec, "ec", c) },
		"EdDSA": func(c map[string]any) string {
			c["at_hash"] = hash(crypto.SHA512, "at")
			return sign(t, jose.EdDSA, h.ed, "ed", c)
		},
		"at_hash": func(c map[string]any) string { c["at_hash"] = hash(crypto.SHA256, "at"); return h.sign(t, c) },
		"audiences and azp": func(c map[string]any) string {
			c["aud"] = []string{"x", clientID}
			c["azp"] = clientID
			return h.sign(t, c)
		},
		"verified as text": func(c map[string]any) string { c["email_verified"] = "true"; return h.sign(t, c) },
	} {
		state, nonce := begin(t, s, v)
		raw := good(h.claims(nonce))
		h.set(func() { h.respond = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": raw} })
		if a := v.get(back(s, state)); a.code != http.StatusSeeOther || v.who(s) != "ada@example.org|Ada|g|oidc" {
			t.Errorf("%s: %d %s, and one is %s\n%s", name, a.code, a.body, v.who(s), s.log)
		}
	}
}

// What a browser brings that did not ask is refused before the provider hears of it.
func TestForgedCallbacks(t *testing.T) {
	s, h, v := trap(t)
	state, nonce := begin(t, s, v)
	h.inOrder(t, nonce)
	mallory := visit(t, nil)
	hers, _ := begin(t, s, mallory)
	for name, address := range map[string]string{
		"no state":            back(s, state, "state", ""),
		"forged state":        back(s, random()),
		"another's state":     back(s, hers),
		"state twice":         back(s, state) + "&state=" + state,
		"code twice":          back(s, state) + "&code=x",
		"bad query":           back(s, state) + "&a=%zz",
		"error without start": back(s, "x", "error", "access_denied"),
	} {
		if a := v.get(address); a.code != http.StatusBadRequest || v.session(s) != "" || !strings.Contains(a.body, "did not start here") {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
	// Login CSRF: mallory's answer opened in a browser that did not ask.
	if a := visit(t, nil).get(back(s, hers)); a.code != http.StatusBadRequest {
		t.Errorf("a callback without a cookie: %d", a.code)
	}
	// A ticket under the name of another's.
	u, _ := url.Parse(s.url)
	for _, c := range v.jar.Cookies(u) {
		w := visit(t, nil)
		w.jar.SetCookies(u, []*http.Cookie{{Name: s.ticketCookie(hers), Value: c.Value, Path: "/"}})
		if a := w.get(back(s, hers)); a.code != http.StatusBadRequest {
			t.Errorf("a renamed ticket: %d", a.code)
		}
	}
	if h.asked != 0 {
		t.Fatalf("the provider was asked %d times", h.asked)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodHead, back(s, state), nil)
	if a := v.do(r); a.code != http.StatusNotFound {
		t.Errorf("HEAD: %d", a.code)
	}
	if a := v.get(back(s, state)); a.code != http.StatusSeeOther {
		t.Errorf("the right callback: %d %s; this test would prove nothing", a.code, a.body)
	}
}

// A ticket is good once, even for a browser that keeps the cookie, and for ten minutes.
func TestReplay(t *testing.T) {
	s, h, v := trap(t)
	u, _ := url.Parse(s.url)
	state, nonce := begin(t, s, v)
	h.inOrder(t, nonce)
	kept := v.jar.Cookies(u)
	if a := v.get(back(s, state)); a.code != http.StatusSeeOther {
		t.Fatalf("%d %s", a.code, a.body)
	}
	if len(v.jar.Cookies(u)) != 1 {
		t.Errorf("the ticket is still there: %v", v.jar.Cookies(u))
	}
	thief := visit(t, nil)
	thief.jar.SetCookies(u, kept)
	if a := thief.get(back(s, state)); a.code != http.StatusBadRequest || thief.session(s) != "" || h.asked != 1 {
		t.Errorf("a replay: %d after %d token requests", a.code, h.asked)
	}
	state, nonce = begin(t, s, v)
	h.inOrder(t, nonce)
	s.clock.set(ticketFor + time.Second)
	if a := v.get(back(s, state)); a.code != http.StatusBadRequest || h.asked != 1 {
		t.Errorf("an old ticket: %d", a.code)
	}
}
