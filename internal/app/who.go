package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/internal/keys"
	"github.com/stewardhq/steward/internal/signin"
)

// Who a request is from.
//
// Theory of operation
//
//  1. A token counts first: whoever sends one wants to be that. The one of server.json is
//     the holder of the data directory, who could read its files.
//  2. With --dev or --demo and nothing else configured, whoever connects is trusted, and the
//     switcher, or the header Steward-View-As, says as whom they want to look.
//  3. Otherwise a session or a trusted proxy tells an identity; the rules of --access and
//     the membership of this moment make of it what somebody may. Nothing is kept in the
//     session but who they are, so a change of team counts at the next request.
//  4. A session that was begun with a token is as good as that token is now.

// who is the gate of pages and API.
func (a *App) who(r *http.Request) (access.Who, error) {
	t, found, err := a.bearer(r)
	switch {
	case err != nil:
		return access.Who{}, &access.Denied{Reason: "the token is not valid", SignIn: true}
	case found && t.ID == localID:
		return access.Operator(), nil
	case found:
		return ofToken(t)
	case a.trusting():
		return a.viewingAs(r)
	case a.signin == nil:
		return access.Who{}, nil
	}
	id, ok := a.signin.Identify(r)
	if !ok {
		return access.Who{}, nil
	}
	if id.Method == methodToken {
		for _, t := range a.keys.List() {
			if t.ID == id.Name && t.State(a.cfg.Now()) == "valid" {
				return ofToken(t)
			}
		}
		return access.Who{}, nil
	}
	return a.resolve(r.Context(), id)
}

// methodToken marks the sessions of tokens-only installations; their Name is the token's id.
const methodToken = "token"

// called is a token in the ledger and the audit log: names need not be unique, ids are.
func called(t keys.Token) string { return t.Name + " (" + t.ID + ")" }

func ofToken(t keys.Token) (access.Who, error) {
	w := access.Token(called(t), t.Allows(keys.ScopeRead), t.Allows(keys.ScopeAdmin))
	if !w.Known() {
		return w, &access.Denied{Reason: "this token may send events and nothing else; figures need the scope read"}
	}
	return w, nil
}

// resolve says what somebody may who has proved who they are.
func (a *App) resolve(ctx context.Context, id access.Identity) (access.Who, error) {
	m, err := a.core.Store.Membership(ctx, id)
	if err != nil {
		return access.Who{}, err
	}
	w, ok := a.policy.Resolve(id, m)
	if !ok {
		return access.Who{}, &access.Denied{Reason: "you are signed in, and no rule gives you a role here; ask an admin of Steward"}
	}
	return w, nil
}

// viewingAs is who a laptop without sign-in shows pages to.
func (a *App) viewingAs(r *http.Request) (access.Who, error) {
	as := dashboards.ViewingAs(r)
	switch as {
	case "everything", "":
		return access.Operator(), nil
	case string(access.Viewer), string(access.PeopleAdmin), string(access.Admin):
		return access.As(access.Identity{Name: "a " + as, Method: "development"}, access.Membership{}, access.Viewer, access.Role(as)), nil
	}
	person, ok := strings.CutPrefix(as, "person:")
	if !ok || person == "" {
		return access.Who{}, &access.Denied{Reason: "nobody is called so: view as everything, viewer, people-admin, admin or person:ID"}
	}
	policy := a.policy
	policy.Default = access.Viewer
	id := access.Identity{Person: person, Method: "development"}
	m, err := a.core.Store.Membership(r.Context(), id)
	if err != nil {
		return access.Who{}, err
	}
	w, _ := policy.Resolve(id, m)
	return w, nil
}

// openSignIn makes the way in for browsers, if there is to be one.
func (a *App) openSignIn(ctx context.Context) (err error) {
	if a.trusting() || !a.cfg.has(RoleWeb) {
		return nil
	}
	opts := signin.Options{
		Now: a.cfg.Now, Log: a.log.With("part", "sign-in"),
		OnSignIn: a.signedIn,
		OnSignOut: func(ctx context.Context, id access.Identity, _ *http.Request) error {
			return a.noteSign(ctx, id, "signed out")
		},
		Render: func(w http.ResponseWriter, r *http.Request, status int, title, text string) {
			a.pages.Words(w, r, status, title, text)
		},
		TokenForm: func(w http.ResponseWriter, r *http.Request, status int, next, problem string) {
			a.pages.TokenForm(w, r, status, next, problem)
		},
	}
	if a.cfg.Access == nil {
		a.signin, err = signin.NewTokens(a.insecure(), opts, a.tokenIdentity)
		return err
	}
	c := *a.cfg.Access
	c.Insecure = a.insecure()
	a.signin, err = signin.New(ctx, c, opts)
	return err
}

// insecure says whether browsers come over plain http, which is only so on loopback.
func (a *App) insecure() bool {
	switch c := a.cfg.Access; {
	case a.trusting():
		return true
	case c == nil:
		return loopbackHost(a.cfg.Listen)
	case c.OIDC != nil:
		return strings.HasPrefix(c.OIDC.RedirectURL, "http://")
	}
	return false
}

// signedIn lets in whoever has a role, once it is written down.
func (a *App) signedIn(ctx context.Context, id access.Identity, _ *http.Request) error {
	if id.Method != methodToken {
		if _, err := a.resolve(ctx, id); err != nil {
			if denied := (*access.Denied)(nil); errors.As(err, &denied) {
				return &signin.Refusal{Text: "Signed in, but no rule gives you a role here. Ask an admin of Steward."}
			}
			return err
		}
	}
	return a.noteSign(ctx, id, "signed in")
}

func (a *App) noteSign(ctx context.Context, id access.Identity, action string) error {
	if id.Method == methodToken {
		for _, t := range a.keys.List() {
			if t.ID == id.Name {
				id.Name = called(t) // as what is done with it
			}
		}
	}
	by := access.Who{Identity: id}.By()
	return a.ledger.note(ctx, by, action, "", fmt.Sprintf("%s/%d", by, a.cfg.Now().UnixNano()), a.cfg.Now())
}

// tokenIdentity proves a token that was typed into a form.
func (a *App) tokenIdentity(text string) (access.Identity, error) {
	t, err := a.keys.Check(strings.TrimSpace(text))
	if err != nil {
		return access.Identity{}, &signin.Refusal{Text: "That is not a valid token."}
	}
	if w, err := ofToken(t); err != nil || !w.Known() {
		return access.Identity{}, &signin.Refusal{Text: "That token may send events and nothing else; looking needs the scope read."}
	}
	return access.Identity{Name: t.ID, Method: methodToken}, nil
}

// LoadAccess reads the file of --access. What is wrong in it is a *UsageError.
func LoadAccess(path string) (*signin.Config, error) {
	c, err := signin.Load(path)
	if err != nil {
		return nil, &UsageError{Message: err.Error()}
	}
	return &c, nil
}
