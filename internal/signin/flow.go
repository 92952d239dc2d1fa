package signin

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/stewardhq/steward/access"
)

// serveStart sends the browser to the provider, with a ticket for the way back.
func (s *SignIn) serveStart(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	next := local(q.Get("next"))
	if s.proxy != nil {
		s.serveProxied(w, r, next)
		return
	}
	p, err := s.discovery.get(r.Context())
	if err != nil {
		s.tell(w, r, unavailable(err))
		return
	}
	t := ticket{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Next: next, Until: s.now().Add(ticketFor)}
	if err := s.issue(w, r, t); err != nil {
		s.tell(w, r, err)
		return
	}
	params := []oauth2.AuthCodeOption{oidc.Nonce(t.Nonce), oauth2.S256ChallengeOption(t.Verifier)}
	switch prompt := q.Get("prompt"); prompt {
	case "select_account", "login": // to come back as somebody else; nothing else is passed on
		params = append(params, oauth2.SetAuthURLParam("prompt", prompt))
	}
	http.Redirect(w, r, p.oauth.AuthCodeURL(t.State, params...), http.StatusFound)
}

// serveCallback is where the provider sends the browser back to.
func (s *SignIn) serveCallback(w http.ResponseWriter, r *http.Request) {
	if s.oidc == nil || r.Method != http.MethodGet { // a HEAD would spend the ticket
		http.NotFound(w, r)
		return
	}
	id, hint, next, err := s.complete(w, r)
	if err == nil && s.opts.OnSignIn != nil {
		err = admitted(s.opts.OnSignIn(r.Context(), id, r))
	}
	if err != nil {
		s.tell(w, r, err)
		return
	}
	s.start(w, r, id, hint)
	s.log.Info("signed in", "method", id.Method, "groups", len(id.Groups), "from", r.RemoteAddr)
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// complete checks an answer of the provider from the outside in: first that this browser
// asked, which costs nothing and contacts nobody, then what the provider says.
func (s *SignIn) complete(w http.ResponseWriter, r *http.Request) (id access.Identity, hint, next string, err error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return id, "", "", s.stray(errors.New("the query is unreadable"))
	}
	for _, name := range []string{"state", "code", "error", "iss"} {
		if len(q[name]) > 1 {
			return id, "", "", s.stray(errors.New(name + " is there twice"))
		}
	}
	t, ok := s.redeem(w, r, q.Get("state"))
	if !ok {
		return id, "", "", s.stray(errors.New("no ticket of this browser fits the state, or it is spent or expired"))
	}
	p, err := s.discovery.get(r.Context())
	if err != nil {
		return id, "", "", unavailable(err)
	}
	// RFC 9207: the answer says whose it is, so that another provider's cannot be mixed in.
	if iss, there := q["iss"]; there && iss[0] != s.oidc.Issuer || !there && p.saysIssuer {
		return id, "", "", unproven(errors.New("the answer is from another issuer or does not say from which"))
	}
	if q.Has("error") {
		return id, "", "", providerSays(q.Get("error"))
	}
	if q.Get("code") == "" {
		return id, "", "", unproven(errors.New("the answer has neither a code nor an error"))
	}
	id, hint, err = s.exchange(r.Context(), p, q.Get("code"), t)
	return id, hint, t.Next, err
}

// start makes the session. The hint is the ID token, wanted for the provider's sign-out.
func (s *SignIn) start(w http.ResponseWriter, r *http.Request, id access.Identity, hint string) {
	for _, c := range r.CookiesNamed(s.sessionCookie()) {
		s.sessions.remove(sha256.Sum256([]byte(c.Value)))
	}
	if len(hint) > longestHint {
		hint = ""
	}
	value := random()
	s.sessions.add(&session{key: sha256.Sum256([]byte(value)), id: id, csrf: random(), hint: hint})
	s.put(w, s.sessionCookie(), value, int(atMost/time.Second))
}

// admitted words an error of OnSignIn.
func admitted(err error) error {
	var refusal *Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		return &outcome{http.StatusForbidden, "No access", refusal.Text, err}
	}
	return &outcome{http.StatusServiceUnavailable, "Sign-in is not possible right now",
		"The sign-in could not be recorded, and so it did not happen. Please try again in a moment.", err}
}
