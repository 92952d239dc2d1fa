package signin

import (
	"net/http"
	"net/url"
)

// serveSignOut ends the session of this browser, here and then at the provider.
func (s *SignIn) serveSignOut(w http.ResponseWriter, r *http.Request) {
	if err := s.sameSite.Check(r); err != nil {
		s.opts.Render(w, r, http.StatusForbidden, "Not signed out", "A page of another site asked for this.")
		return
	}
	if s.proxy != nil {
		s.opts.Render(w, r, http.StatusOK, "Sign out at the proxy",
			"Here a reverse proxy in front of Steward signs people in; who signs out there is signed out here.")
		return
	}
	n, ok := s.session(r)
	s.put(w, s.sessionCookie(), "", 0)
	if ok {
		s.sessions.remove(n.key)
		s.log.Info("signed out", "method", n.id.Method, "from", r.RemoteAddr)
		if s.opts.OnSignOut != nil {
			if err := s.opts.OnSignOut(r.Context(), n.id, r); err != nil {
				s.log.Error("a sign-out could not be recorded", "from", r.RemoteAddr, "err", err)
			}
		}
		if to := s.endSession(n.hint); to != "" {
			// Not a redirect: the policy form-action 'self' of the page that holds the form
			// counts for the redirects of its answer too, and the browser would stop there.
			w.Header().Set("Refresh", "0; url="+to)
			s.opts.Render(w, r, http.StatusOK, "Signed out", "You are signed out of Steward, and are being signed out at the provider.")
			return
		}
	}
	s.serveSignedOut(w, r)
}

// serveSignedOut is also where the provider may send people after its own sign-out. It
// does not lead on by itself: the provider would sign them in again at once.
func (s *SignIn) serveSignedOut(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		if _, ok := s.Identify(r); ok {
			w.Header().Set("Allow", http.MethodPost)
			s.opts.Render(w, r, http.StatusMethodNotAllowed, "Still signed in", "Signing out is a button, so that a mere link cannot do it.")
			return
		}
	}
	s.opts.Render(w, r, http.StatusOK, "Signed out", "You are signed out. Sign in again at /signin, or as somebody else at /signin?prompt=select_account.")
}

// endSession is the provider's sign-out (OpenID Connect RP-Initiated Logout 1.0), or nothing.
func (s *SignIn) endSession(hint string) string {
	if s.discovery == nil {
		return ""
	}
	p := s.discovery.known()
	if p == nil || p.endSession == "" {
		return ""
	}
	u, err := url.Parse(p.endSession)
	if err != nil {
		return ""
	}
	q := u.Query()
	q.Set("client_id", s.oidc.ClientID)
	if hint != "" {
		q.Set("id_token_hint", hint)
	}
	if s.oidc.SignedOutURL != "" {
		q.Set("post_logout_redirect_uri", s.oidc.SignedOutURL)
	}
	u.RawQuery = q.Encode()
	return u.String()
}
