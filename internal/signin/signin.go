// Package signin proves who is asking. What they may is decided elsewhere.
//
// Theory of operation
//
//  1. A provider of OpenID Connect signs people in (flow.go): authorization code with
//     PKCE, state and nonce, the three bound to the browser by a sealed cookie that is good
//     once and for ten minutes (ticket.go). What comes back is believed after signature,
//     algorithm, issuer, audience, expiry, nonce and at_hash have been checked (verify.go).
//  2. The provider is asked for its addresses when somebody first signs in, and again every
//     hour (discovery.go). The server starts and serves who is signed in while the provider
//     is down. All requests to it go through a client that reaches public addresses only,
//     unless allow_private names them.
//  3. Who signed in gets a session (session.go): in memory, found by the hash of a random
//     id, ended by idleness, by age, by signing out. Each sign-in makes a new id and never
//     adopts one that the browser shows, so that nobody can be put into a session that
//     another one knows.
//  4. Instead of all that, a reverse proxy may say in headers who somebody is (proxy.go).
//     It is believed by the address of the connection and nothing else in the request.
//  5. With neither, an API token is typed in once (token.go).
//  6. Requests that change something carry a token of the session (csrf.go).
package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/stewardhq/steward/access"
)

// Options are what a SignIn needs besides its configuration. All may be left out.
type Options struct {
	Now func() time.Time // default time.Now
	Log *slog.Logger     // default: none

	// OnSignIn is asked when a provider has proved who somebody is, before there is a session.
	// A *Refusal ends the sign-in with its words, any other error with 503: whoever must be
	// written down does not get in unwritten. Not called for a proxy, which signs in nobody:
	// it says who asks, anew with each request.
	OnSignIn func(context.Context, access.Identity, *http.Request) error
	// OnSignOut is told when somebody ended their session. Its error is logged and keeps
	// nobody signed in.
	OnSignOut func(context.Context, access.Identity, *http.Request) error
	// Render shows a page that is only words. Default: plain text. Headers that are set
	// already must be kept.
	Render func(w http.ResponseWriter, r *http.Request, status int, title, text string)

	// TokenForm shows the form for a token, with a problem or none, and Token proves one; its
	// *Refusal is for the reader. Only NewTokens uses them.
	TokenForm func(w http.ResponseWriter, r *http.Request, status int, next, problem string)
	Token     func(text string) (access.Identity, error)
}

// Refusal is an error of OnSignIn that is for the eyes of who signs in.
type Refusal struct{ Text string }

func (r *Refusal) Error() string { return r.Text }

// SignIn proves who is asking. All methods are goroutine-safe.
type SignIn struct {
	opts     Options
	now      func() time.Time
	log      *slog.Logger
	insecure bool

	oidc      *OIDC      // or nil
	discovery *discovery // with oidc
	tickets   *tickets   // with oidc
	proxy     *proxy     // or nil

	sessions *sessions
	csrfKey  []byte
	sameSite *http.CrossOriginProtection
}

// New checks the configuration, reads the secrets it names, and asks the provider for its
// addresses in the background, only so that the log says early when that fails.
func New(ctx context.Context, c Config, opts Options) (*SignIn, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	s := bare(c.Insecure, opts)
	opts = s.opts
	var err error
	if c.Proxy != nil {
		if s.proxy, err = newProxy(*c.Proxy, opts.Log); err != nil {
			return nil, err
		}
		return s, nil
	}
	s.oidc = c.OIDC
	// What counts is what browsers see: a server that speaks http behind a proxy that speaks
	// https has secure cookies.
	s.insecure = isPlain(c.OIDC.RedirectURL)
	if s.tickets, err = newTickets(opts.Now); err != nil {
		return nil, err
	}
	if s.discovery, err = newDiscovery(*c.OIDC, opts.Now, opts.Log); err != nil {
		return nil, err
	}
	go func() { _, _ = s.discovery.get(ctx) }() // logs by itself
	return s, nil
}

// bare is a SignIn with sessions and nobody yet who proves anything.
func bare(insecure bool, opts Options) *SignIn {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Render == nil {
		opts.Render = renderText
	}
	s := &SignIn{
		opts: opts, now: opts.Now, log: opts.Log, insecure: insecure,
		sessions: newSessions(opts.Now), csrfKey: make([]byte, 32), sameSite: http.NewCrossOriginProtection(),
	}
	_, _ = rand.Read(s.csrfKey) // never fails
	return s
}

// Identify says who a request is from, or that it shows nobody. With a proxy its headers
// count alone; otherwise the session does, which is thereby kept from idling.
func (s *SignIn) Identify(r *http.Request) (access.Identity, bool) {
	if s.proxy != nil {
		return s.proxy.identify(r)
	}
	n, ok := s.session(r)
	return n.id, ok
}

func (s *SignIn) session(r *http.Request) (session, bool) {
	k, ok := s.presented(r)
	if !ok {
		return session{}, false
	}
	return s.sessions.get(k)
}

// Start begins a session for somebody who was proved, and ends the one that the browser
// shows, whosever it is. It writes a header and so comes before the body.
func (s *SignIn) Start(w http.ResponseWriter, r *http.Request, id access.Identity) {
	s.start(w, r, id, "")
}

// SignOutEverywhere ends all sessions of a person and says how many there were.
func (s *SignIn) SignOutEverywhere(person string) int { return s.sessions.removePerson(person) }

// Routes serves /signin, /signin/callback and /signout.
func (s *SignIn) Routes() http.Handler {
	mux := http.NewServeMux()
	if s.tokens() {
		mux.HandleFunc("GET /signin", s.serveTokenForm)
		mux.HandleFunc("POST /signin", s.serveToken)
	} else {
		mux.HandleFunc("GET /signin", s.serveStart)
		mux.HandleFunc("GET "+CallbackPath, s.serveCallback)
	}
	mux.HandleFunc("POST /signout", s.serveSignOut)
	mux.HandleFunc("GET /signout", s.serveSignedOut)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "same-origin") // the callback's address holds a code
		h.Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

func renderText(w http.ResponseWriter, _ *http.Request, status int, title, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "%s\n\n%s\n", title, text) // the reader may be gone
}

// outcome is an end of a sign-in that is told to people. Its cause is for the log.
type outcome struct {
	status      int
	title, text string
	cause       error
}

func (o *outcome) Error() string { return o.text }
func (o *outcome) Unwrap() error { return o.cause }

// tell shows an outcome; what is none is a fault of ours.
func (s *SignIn) tell(w http.ResponseWriter, r *http.Request, err error) {
	var o *outcome
	if !errors.As(err, &o) {
		o = &outcome{http.StatusInternalServerError, "Sign-in failed", "Signing in failed; the log of the server says why.", err}
	}
	s.log.Warn("sign-in failed", "status", o.status, "said", o.text, "cause", o.cause, "from", r.RemoteAddr)
	if o.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "10")
	}
	s.opts.Render(w, r, o.status, o.title, o.text)
}
