package signin

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
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

// inOrder makes the provider answer with a token in order.
func (h *hostile) inOrder(t *testing.T, nonce string) {
	raw := h.sign(t, h.claims(nonce))
	h.set(func() { h.respond = map[string]any{"access_token": "at", "token_type": "Bearer", "id_token": raw} })
}
