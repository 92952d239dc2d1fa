package signin

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// idBytes is the size of every random id: 256 bits.
const idBytes = 32

func random() string {
	b := make([]byte, idBytes)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b)
}

// __Host- makes the browser refuse the cookie unless it is Secure, has no Domain and the
// path /: neither a sibling host nor plain http can plant one.
func (s *SignIn) sessionCookie() string {
	if s.insecure {
		return "steward_session"
	}
	return "__Host-steward"
}

// presented is the key of the session that a request shows. Two cookies of the name mean
// that somebody planted one; which of them is ours cannot be told, so neither counts.
func (s *SignIn) presented(r *http.Request) (key, bool) {
	found := r.CookiesNamed(s.sessionCookie())
	if len(found) != 1 || len(found[0].Value) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return key{}, false
	}
	return sha256.Sum256([]byte(found[0].Value)), true
}

// put sets a cookie for seconds; 0 or less takes it away.
func (s *SignIn) put(w http.ResponseWriter, name, value string, seconds int) {
	if seconds <= 0 {
		value, seconds = "", -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: seconds,
		Secure: !s.insecure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
