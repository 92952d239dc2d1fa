package signin

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// hostile is a provider that answers whatever a test wants. Its authorize page is never
// visited: tests read state and nonce from the address, as somebody who controls the
// browser can.
type hostile struct {
	url string
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey

	mu       sync.Mutex
	down     bool
	asked    int // token requests
	found    int // discoveries
	forms    []url.Values
	auth     []string
	meta     map[string]any // overrides of the discovery document
	respond  map[string]any // of the token endpoint
	status   int
	userinfo map[string]any
}

func startHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{meta: map[string]any{}}
	var err error
	if h.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if h.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, h.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hostile) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *hostile) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if h.down {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	say := func(v any) { _ = json.NewEncoder(w).Encode(v) }
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		h.found++
		doc := map[string]any{
			"issuer": h.url, "authorization_endpoint": h.url + "/authorize", "token_endpoint": h.url + "/token", "jwks_uri": h.url + "/keys",
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "RS256", "ES256", "PS256", "EdDSA", "RS512"},
		}
		maps.Copy(doc, h.meta)
		say(doc)
	case "/keys":
		say(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: &h.rsa.PublicKey, KeyID: "rsa", Use: "sig"}, {Key: &h.ec.PublicKey, KeyID: "ec", Use: "sig"}, {Key: h.ed.Public(), KeyID: "ed", Use: "sig"},
		}})
	case "/token":
		h.asked++
		_ = r.ParseForm()
		h.forms = append(h.forms, r.PostForm)
		h.auth = append(h.auth, r.Header.Get("Authorization"))
		if h.status != 0 {
			w.WriteHeader(h.status)
		}
		say(h.respond)
	case "/userinfo":
		say(h.userinfo)
	default:
		http.NotFound(w, r)
	}
}

// claims are those of a token that is in order.
func (h *hostile) claims(nonce string) map[string]any {
	return map[string]any{
		"iss": h.url, "aud": clientID, "sub": "7", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "nonce": nonce,
		"email": "ada@example.org", "email_verified": true, "name": "Ada", "groups": []string{"g"},
	}
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, k any, id string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k}, (&jose.SignerOptions{}).WithHeader("kid", id))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	j, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := j.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (h *hostile) sign(t *testing.T, claims map[string]any) string {
	return sign(t, jose.RS256, h.rsa, "rsa", claims)
}

// trap is a site with a hostile provider.
func trap(t *testing.T, change ...func(*Config)) (*site, *hostile, *visitor) {
	t.Helper()
	server, home := stand(t, false)
	h := startHostile(t)
	c := oidcConfig(h.url, home)
	for _, f := range change {
		f(&c)
	}
	return open(t, server, home, c), h, visit(t, nil)
}

// begin starts a sign-in and answers state and nonce.
func begin(t *testing.T, s *site, v *visitor) (state, nonce string) {
	t.Helper()
	a := v.get(s.url + "/signin?next=/who")
	if a.code != http.StatusFound {
		t.Fatalf("start: %d %s", a.code, a.body)
	}
	q := query(t, a.header.Get("Location"))
	return q.Get("state"), q.Get("nonce")
}

func back(s *site, state string, more ...string) string {
	q := url.Values{"state": {state}, "code": {"c0de"}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
		if more[i+1] == "" {
			q.Del(more[i])
		}
	}
	return s.url + CallbackPath + "?" + q.Encode()
}

func unsigned(t *testing.T, claims map[string]any, alg string) string {
	t.Helper()
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"alg":"`+alg+`","typ":"JWT"}`)) + "." + e(b) + "."
}

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

// inOrder makes the provider answer with a token in order.
func (h *hostile) inOrder(t *testing.T, nonce string) {
	raw := h.sign(t, h.claims(nonce))
	h.set(func() { h.respond = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": raw} })
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

// The code goes out with the verifier that fits the challenge, and the secret in the way
// that the provider names, once.
func TestExchange(t *testing.T) {
	for method, inHeader := range map[string]bool{"client_secret_basic": true, "client_secret_post": false} {
		s, h, v := trap(t)
		h.set(func() { h.meta["token_endpoint_auth_methods_supported"] = []string{method} })
		s.clock.set(rediscover + time.Minute) // an earlier look may have been before the change
		a := v.get(s.url + "/signin")
		q := query(t, a.header.Get("Location"))
		v.get(back(s, q.Get("state")))
		if len(h.forms) != 1 {
			t.Fatalf("%d token requests", len(h.forms))
		}
		f := h.forms[0]
		sum := sha256.Sum256([]byte(f.Get("code_verifier")))
		if base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") || f.Get("code") != "c0de" || f.Get("redirect_uri") != s.url+CallbackPath {
			t.Errorf("the provider was sent %v", f)
		}
		if (h.auth[0] != "") != inHeader || f.Has("client_secret") == inHeader {
			t.Errorf("%s: %q %v", method, h.auth[0], f)
		}
	}
}

// RFC 9207.
func TestIssuerOfTheAnswer(t *testing.T) {
	s, h, v := trap(t)
	for iss, want := range map[string]int{"https://evil.example": http.StatusBadGateway, h.url: http.StatusSeeOther} {
		state, nonce := begin(t, s, v)
		h.inOrder(t, nonce)
		if a := v.get(back(s, state, "iss", iss)); a.code != want {
			t.Errorf("iss %s: %d %s", iss, a.code, a.body)
		}
	}
	h.set(func() { h.meta["authorization_response_iss_parameter_supported"] = true })
	s.clock.set(rediscover + time.Minute)
	state, nonce := begin(t, s, v)
	h.inOrder(t, nonce)
	if a := v.get(back(s, state)); a.code != http.StatusBadGateway {
		t.Errorf("an answer without iss where the provider says it: %d %s", a.code, a.body)
	}
}

// What the provider, or whoever writes its answers, says is not repeated.
func TestErrorsOfTheProvider(t *testing.T) {
	s, h, v := trap(t)
	for code, want := range map[string]int{
		"access_denied": 403, "login_required": 403, "server_error": 503, "temporarily_unavailable": 503,
		"invalid_scope": 502, "<script>alert(1)</script>": 502, strings.Repeat("x", 5000): 502,
	} {
		state, _ := begin(t, s, v)
		a := v.get(back(s, state, "code", "", "error", code, "error_description", "<script>alert(2)</script>", "error_uri", "https://evil.example"))
		if a.code != want || strings.Contains(a.body, "script") || strings.Contains(a.body, "evil") || strings.Contains(a.body, "xxxx") ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || v.session(s) != "" {
			t.Errorf("%.40s: %d %s", code, a.code, a.body)
		}
	}
	for status, want := range map[int]int{400: 502, 401: 502, 503: 503} {
		state, _ := begin(t, s, v)
		h.set(func() {
			h.status, h.respond = status, map[string]any{"error": "invalid_grant", "error_description": clientSecret + " c0de"}
		})
		if a := v.get(back(s, state)); a.code != want || strings.Contains(a.body+s.log.String(), "c0de") {
			t.Errorf("token endpoint %d: %d %s\n%s", status, a.code, a.body, s.log)
		}
	}
}

// The server starts while the provider is down, says so, and finds it when it is back; who
// is signed in does not notice.
func TestProviderDown(t *testing.T) {
	server, home := stand(t, false)
	h := startHostile(t)
	h.set(func() { h.down = true })
	s, v := open(t, server, home, oidcConfig(h.url, home)), visit(t, nil)
	for range 5 {
		if a := v.get(s.url + "/signin"); a.code != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "cannot be reached") {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
	if v.who(s) != "nobody" {
		t.Error("the rest does not answer")
	}
	h.set(func() { h.down = false })
	s.clock.set(breather + time.Second)
	state, nonce := begin(t, s, v)
	h.inOrder(t, nonce)
	if a := v.get(back(s, state)); a.code != http.StatusSeeOther {
		t.Fatalf("%d %s", a.code, a.body)
	}
	h.set(func() { h.down = true })
	s.clock.set(2 * rediscover)
	if v.who(s) == "nobody" {
		t.Error("signed out because the provider is down")
	}
	if a := v.get(s.url + "/signin"); a.code != http.StatusFound {
		t.Errorf("what was known of the provider is forgotten: %d", a.code)
	}
	if h.found != 1 {
		t.Errorf("%d discoveries, want 1", h.found)
	}
}

// A provider behind https of an authority of one's own, which ca_file names.
func TestOwnAuthority(t *testing.T) {
	h := startHostile(t)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(h.serve))
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	defer secure.Close()
	h.url = secure.URL
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]int{ca: http.StatusSeeOther, "": http.StatusServiceUnavailable} {
		server, home := stand(t, false)
		c := oidcConfig(h.url, home)
		c.OIDC.CAFile = file
		s, v := open(t, server, home, c), visit(t, nil)
		a := v.get(s.url + "/signin")
		if a.code == http.StatusFound {
			q := query(t, a.header.Get("Location"))
			h.inOrder(t, q.Get("nonce"))
			a = v.get(back(s, q.Get("state")))
		}
		if a.code != want {
			t.Errorf("ca_file %q: %d %s", file, a.code, a.body)
		}
	}
}

// Without allow_private a provider inside is not asked.
func TestProviderInside(t *testing.T) {
	s, _, v := trap(t, func(c *Config) {
		c.OIDC.Issuer = strings.Replace(c.OIDC.Issuer, "http:", "https:", 1)
		c.OIDC.AllowPrivate = nil
	})
	if a := v.get(s.url + "/signin"); a.code != http.StatusServiceUnavailable || !strings.Contains(s.log.String(), "is a loopback address") {
		t.Errorf("%d %s\n%s", a.code, a.body, s.log)
	}
}

// A new key of the provider is fetched when a token names it.
func TestKeysRefresh(t *testing.T) {
	s, h, v := trap(t)
	for range 2 {
		state, nonce := begin(t, s, v)
		h.inOrder(t, nonce)
		if a := v.get(back(s, state)); a.code != http.StatusSeeOther {
			t.Fatalf("%d %s\n%s", a.code, a.body, s.log)
		}
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		h.set(func() { h.rsa = k })
	}
}

// A discovery document that leads elsewhere, or to algorithms that are not taken.
func TestHostileDiscovery(t *testing.T) {
	for name, meta := range map[string]map[string]any{
		"another issuer":             {"issuer": "https://evil.example"},
		"plain http":                 {"token_endpoint": "http://evil.example/token"},
		"keys over plain http":       {"jwks_uri": "http://evil.example/keys"},
		"no keys":                    {"jwks_uri": ""},
		"a script":                   {"authorization_endpoint": "javascript:alert(1)"},
		"userinfo with a password":   {"userinfo_endpoint": "https://a:b@evil.example/"},
		"symmetric algorithms alone": {"id_token_signing_alg_values_supported": []string{"HS256", "none"}},
		"too long":                   {"x": strings.Repeat("x", 2<<20)},
	} {
		server, home := stand(t, false)
		h := startHostile(t)
		h.set(func() { h.meta = meta })
		s := open(t, server, home, oidcConfig(h.url, home))
		if a := visit(t, nil).get(s.url + "/signin"); a.code != http.StatusServiceUnavailable || strings.Contains(a.body, "evil") {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
}

// A token endpoint at the metadata service of a cloud is not asked.
func TestTokenEndpointInside(t *testing.T) {
	s, h, v := trap(t)
	h.set(func() { h.meta["token_endpoint"] = "https://169.254.169.254/token" })
	s.clock.set(rediscover + time.Minute)
	state, _ := begin(t, s, v)
	if a := v.get(back(s, state)); a.code != http.StatusServiceUnavailable || !strings.Contains(s.log.String(), "169.254.169.254 is a link-local address") {
		t.Errorf("%d %s\n%s", a.code, a.body, s.log)
	}
}

// Userinfo fills in and does not overrule; it must speak of the same person.
func TestUserInfo(t *testing.T) {
	s, h, _ := trap(t, func(c *Config) { c.OIDC.GroupsClaim = "realm_access.roles" })
	h.set(func() { h.meta["userinfo_endpoint"] = h.url + "/userinfo" })
	s.clock.set(rediscover + time.Minute)
	for name, c := range map[string]struct {
		drop []string
		info map[string]any
		code int
		who  string
	}{
		"fills in":       {[]string{"email", "email_verified"}, map[string]any{"sub": "7", "email": "bob@example.org", "email_verified": true, "realm_access": map[string]any{"roles": []string{"a", "b"}}}, 303, "bob@example.org|Ada|a+b|oidc"},
		"overrules not":  {nil, map[string]any{"sub": "7", "email": "bob@example.org", "name": "Bob"}, 303, "ada@example.org|Ada||oidc"},
		"somebody else":  {[]string{"email"}, map[string]any{"sub": "8", "email": "bob@example.org"}, 502, "nobody"},
		"not verified":   {[]string{"email_verified"}, map[string]any{"sub": "7", "email_verified": false}, 403, "nobody"},
		"nothing at all": {[]string{"email"}, map[string]any{"sub": "7"}, 403, "nobody"},
	} {
		v := visit(t, nil)
		state, nonce := begin(t, s, v)
		claims := h.claims(nonce)
		claims["exp"], claims["iat"] = s.clock.now().Add(time.Hour).Unix(), s.clock.now().Unix()
		for _, d := range c.drop {
			delete(claims, d)
		}
		raw := h.sign(t, claims)
		h.set(func() {
			h.userinfo, h.respond = c.info, map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": raw}
		})
		if a := v.get(back(s, state)); a.code != c.code || v.who(s) != c.who {
			t.Errorf("%s: %d %s, and one is %s", name, a.code, a.body, v.who(s))
		}
	}

}
