package signin

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
