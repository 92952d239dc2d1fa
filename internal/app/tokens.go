package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/keys"
)

// Who is asking, where a machine asks.
//
// Theory of operation
//
//  1. A request proves itself by Authorization: Bearer and the text of a token. Tokens are
//     in keys.json (internal/keys); the command line makes them and this process notices.
//  2. There is one token besides: a random one made at every start and written into
//     server.json for the commands of this machine. Who can read it can read the data
//     directory too, and so may do here what opening the directory would allow. Only its
//     hash is kept in memory.
//  3. Without a valid token the answer is the same 401 whether it is missing, mistyped,
//     expired or revoked; a valid one that does not allow what is asked gets 403, except
//     at the intake, which tells senders nothing of the kind. The log knows the reason and
//     the token's id, never its text.
//  4. --dev and --demo trust whoever can connect, which is why they are for loopback. Who
//     looks as somebody else there may do what that one may, and no more.

// localID is the id of the token in server.json. No token of a keys file has it: theirs
// are hexadecimal.
const localID = "local"

func keysPath(dir string) string { return filepath.Join(dir, "keys.json") }

// trusting says whether nobody needs to prove anything.
func (a *App) trusting() bool { return a.cfg.trusting() }

// openKeys makes tokens and secrets known, until the cleanup.
func (a *App) openKeys() error {
	store, err := keys.Open(keysPath(a.cfg.Data), a.cfg.Now)
	if err != nil {
		return err
	}
	store.Report(func(err error) { a.log.Warn("tokens and secrets", "error", err) })
	a.keys = store
	a.cleanup.add("tokens and secrets", func(context.Context) error { return store.Close() })
	return nil
}

// newLocalToken makes the token of this run and answers its text.
func (a *App) newLocalToken() string {
	var b [32]byte
	rand.Read(b[:]) // without randomness Go ends the program
	text := base64.RawURLEncoding.EncodeToString(b[:])
	a.local = sha256.Sum256([]byte(text))
	return text
}

// bearer answers the token that a request presents. Found is false where it presents
// none; an error means that it presents one which is not valid, and then the token is
// empty. It may be called several times for one request.
func (a *App) bearer(r *http.Request) (t keys.Token, found bool, err error) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return keys.Token{}, false, nil
	}
	text = strings.TrimSpace(text)
	if sum := sha256.Sum256([]byte(text)); subtle.ConstantTimeCompare(sum[:], a.local[:]) == 1 {
		return keys.Token{
			ID: localID, Name: "a command on the data directory",
			Scopes: []string{keys.ScopeAdmin, keys.ScopeDirectory, keys.ScopeIngest, keys.ScopeRead},
		}, true, nil
	}
	t, err = a.keys.Check(text)
	if err != nil {
		a.log.Debug("a token is refused", "token", t.ID, "reason", err)
		return keys.Token{}, true, err
	}
	return t, true, nil
}

var errNoToken = errors.New("no token is presented")

// authorizeIngest decides for the intake, for sources that do not sign.
func (a *App) authorizeIngest(r *http.Request, source string) error {
	t, found, err := a.bearer(r)
	switch {
	case err != nil:
		return err
	case !found:
		return errNoToken
	case !t.Allows(keys.ScopeIngest + ":" + source):
		return fmt.Errorf("the token %s has not the scope for it", t.ID)
	}
	return nil
}

// maySend lets events that say who people are and where they belong be sent only with a
// token for that: whoever can say who leads a team, or that two ids are one person, could
// make themselves either.
func (a *App) maySend(r *http.Request, kinds []event.Kind) error {
	i := slices.IndexFunc(kinds, event.Kind.Directory)
	if i < 0 {
		return nil
	}
	if t, found, err := a.bearer(r); err != nil || !found || !t.Allows(keys.ScopeDirectory) {
		return fmt.Errorf("%s says who people are and where they belong; it needs a token with the scope %s besides", kinds[i], keys.ScopeDirectory)
	}
	return nil
}

// secretsFor joins the secrets of the data directory with those of the command line.
func (a *App) secretsFor(source, account string) []string {
	secrets := a.keys.Secrets(source, account)
	if source == "pagerduty" {
		secrets = append(secrets, a.cfg.PagerDutySecrets...)
	}
	return secrets
}

// needs lets a request through whose token has the scope; where none is asked for, one of
// whoever administers. The body is not touched before.
func (a *App) needs(scope string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if a.trusting() {
			who, err := a.viewingAs(r)
			if err == nil {
				err = who.Administer("this")
			}
			var no *access.Denied
			switch {
			case errors.As(err, &no):
				writeError(w, http.StatusForbidden, no.Reason, nil)
			case err != nil:
				writeError(w, http.StatusServiceUnavailable, "who is asking could not be found out", nil)
			default:
				next(w, r)
			}
			return
		}
		t, found, err := a.bearer(r)
		switch {
		case !found || err != nil:
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeError(w, http.StatusUnauthorized, "this needs a valid token with the scope "+scope, nil)
		case !t.Allows(scope):
			w.Header().Set("WWW-Authenticate", `Bearer error="insufficient_scope", scope="`+scope+`"`)
			writeError(w, http.StatusForbidden, "this needs a token with the scope "+scope, nil)
		default:
			next(w, r)
		}
	}
}
