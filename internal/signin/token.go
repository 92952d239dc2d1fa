package signin

import (
	"errors"
	"net/http"

	"github.com/stewardhq/steward/access"
)

// maxForm bounds what a sign-in form may send, in bytes: a token has some fifty.
const maxForm = 8 << 10

// Where no provider and no proxy is configured, a browser signs in with an API token: it is
// typed in once and a session stands for it, so that the token itself is in no cookie. The
// session is as good as the token is at each request, which whoever asks Identify checks.

// serveTokenForm asks for a token.
func (s *SignIn) serveTokenForm(w http.ResponseWriter, r *http.Request) {
	s.opts.TokenForm(w, r, http.StatusOK, local(r.URL.Query().Get("next")), "")
}

// serveToken starts a session for a token that is valid.
func (s *SignIn) serveToken(w http.ResponseWriter, r *http.Request) {
	if err := s.sameSite.Check(r); err != nil {
		s.opts.Render(w, r, http.StatusForbidden, "Not signed in", "A page of another site asked for this.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		s.opts.Render(w, r, http.StatusBadRequest, "Not signed in", "The form could not be read.")
		return
	}
	next := local(r.PostForm.Get("next"))
	id, err := s.opts.Token(r.PostForm.Get("token"))
	if err == nil && s.opts.OnSignIn != nil {
		err = s.opts.OnSignIn(r.Context(), id, r)
	}
	var no *Refusal
	switch {
	case err == nil:
		s.start(w, r, id, "")
		http.Redirect(w, r, next, http.StatusSeeOther)
	case errors.As(err, &no):
		s.log.Info("a token was refused at the sign-in", "from", r.RemoteAddr)
		s.opts.TokenForm(w, r, http.StatusUnauthorized, next, no.Text)
	default:
		s.tell(w, r, &outcome{http.StatusServiceUnavailable, "Sign-in is not possible now", "Signing in could not be recorded, so it is not done. Try again.", err})
	}
}

// tokens says whether browsers sign in with a token here.
func (s *SignIn) tokens() bool { return s.oidc == nil && s.proxy == nil }

// NewTokens makes the SignIn of an installation that has API tokens alone.
func NewTokens(insecure bool, opts Options, check func(text string) (access.Identity, error)) (*SignIn, error) {
	if check == nil || opts.TokenForm == nil {
		return nil, errors.New("signin: tokens alone need a check and a form")
	}
	opts.Token = check
	return bare(insecure, opts), nil
}
