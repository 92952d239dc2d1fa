package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"
)

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
	asked := h.asked
	if a := v.get(back(s, state)); a.code != http.StatusBadGateway || h.asked != asked {
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
