package signin

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
)

// ErrCSRF says that a request does not carry the token of its session.
var ErrCSRF = errors.New("the form does not belong to this session; load the page again and repeat")

// CSRF is the token that forms of this session carry in a field csrf, and scripts in the
// header X-CSRF-Token. It is empty for a request that shows nobody. With a proxy, which has
// no sessions, it is of the person and this process.
func (s *SignIn) CSRF(r *http.Request) string {
	if s.proxy == nil {
		n, _ := s.session(r)
		return n.csrf
	}
	id, ok := s.proxy.identify(r)
	if !ok {
		return ""
	}
	m := hmac.New(sha256.New, s.csrfKey)
	m.Write([]byte(id.Person))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// CheckCSRF answers ErrCSRF unless the request carries its session's token. It reads the
// body of an ordinary form; a multipart form sends the header. A token in the address does
// not count: addresses end up in logs and in the Referer of others.
func (s *SignIn) CheckCSRF(r *http.Request) error {
	want := s.CSRF(r)
	got := r.Header.Get("X-CSRF-Token")
	if got == "" && r.ParseForm() == nil {
		got = r.PostForm.Get("csrf")
	}
	if want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return ErrCSRF
	}
	return nil
}
