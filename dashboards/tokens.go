package dashboards

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
)

// Keys are the tokens of scripts and the secrets of sources. Errors of Issue and Rotate
// name the field at fault in their words; *KeyError is the caller's mistake.
type Keys interface {
	Tokens() []TokenRow
	Issue(ctx context.Context, who access.Who, name string, scopes []string, expires string) (text string, err error)
	Revoke(ctx context.Context, who access.Who, id string) error
	Secrets() []SecretRow
	Rotate(ctx context.Context, who access.Who, source, account string) (text string, err error)
	Retire(ctx context.Context, who access.Who, id string) error
	Sources() []string // that have secrets
	Scopes() []string
}

// KeyError is a request for a token or secret that cannot be met.
type KeyError struct{ Field, Reason string }

func (e *KeyError) Error() string { return e.Field + ": " + e.Reason }

// TokenRow is a token without its text, which nobody has.
type TokenRow struct {
	ID, Name, By               string
	Scopes                     []string
	Created, Expires, LastUsed time.Time // zero: never
	State                      string    // valid, expired, revoked
}

// SecretRow is a source's secret without its text.
type SecretRow struct {
	ID, Source, Account, Ends string // Ends: its last characters, to tell it by
	Created                   time.Time
}

// tokensView is the page's own part.
type tokensView struct {
	Shown, ShownWhat string // a new text, this once
	Csrf             string
	Tokens           []TokenLine
	Secrets          []SecretLine
	Scopes           []scopeLine
	Sources          []string
	Form             keyForm
}

// scopeLine is a scope with what it lets a script do.
type scopeLine struct {
	Name, Text string
	Chosen     bool
}

// keyForm is what was asked for and could not be met: what was typed, and why it cannot be, by
// the field at fault.
type keyForm struct {
	Name, Expires, Account string
	Field, Reason          string
}

// scopeWords say what each scope lets a script do; ingest:SOURCE is for that source alone.
var scopeWords = map[string]string{"read": "ask for figures, as a viewer", "admin": "import, rebuild, forget", "ingest": "send events of every source", "directory": "with ingest: say who people are and where they belong"}

// TokenLine and SecretLine are rows as the template draws them.
type (
	TokenLine struct {
		TokenRow
		Made, Ends, Used, Revoke string
	}
	SecretLine struct {
		SecretRow
		Made, Retire string
	}
)

// tokens answers: which scripts may do what, and which secrets do sources sign with?
func (s *Server) tokens(c echo.Context) error { return s.tokensPage(c, http.StatusOK, "", "", nil) }

func (s *Server) tokensPage(c echo.Context, status int, shown, what string, problem *KeyError) error {
	f := s.filter(c)
	csrf, _ := c.Get("csrf").(string)
	v := &tokensView{Shown: shown, ShownWhat: what, Csrf: csrf, Sources: s.Keys.Sources(), Form: keyForm{Expires: "90d"}}
	chosen := []string{}
	if problem != nil {
		form, _ := c.FormParams()
		v.Form = keyForm{clip(form.Get("name"), 100), clip(form.Get("expires"), 40), clip(form.Get("account"), 64), problem.Field, capital(problem.Reason) + "."}
		chosen = form["scope"]
	}
	for _, name := range s.Keys.Scopes() {
		v.Scopes = append(v.Scopes, scopeLine{name, scopeWords[name], slices.Contains(chosen, name)})
	}
	valid := 0
	for _, t := range s.Keys.Tokens() {
		t.By = actor(t.By)
		l := TokenLine{TokenRow: t, Made: f.stamp(t.Created), Ends: f.stamp(t.Expires), Used: f.stamp(t.LastUsed)}
		if t.State == "valid" {
			valid++
			l.Revoke = "/tokens/" + url.PathEscape(t.ID) + "/revoke"
		}
		v.Tokens = append(v.Tokens, l)
	}
	for _, x := range s.Keys.Secrets() {
		v.Secrets = append(v.Secrets, SecretLine{x, f.stamp(x.Created), "/secrets/" + url.PathEscape(x.ID) + "/retire"})
	}
	p := &page{Title: "Tokens and secrets", Nav: "Tokens", Tokens: v}
	p.Answer = say(strong(plural(float64(valid), "token", "tokens")), verbN(float64(valid), " is", " are"), " valid, and ", strong(plural(float64(len(v.Secrets)), "secret", "secrets")), " of sources. The text of a new one is shown once, and never again.")
	s.asked(c, p)
	p.Version, p.Dev = s.Version, s.Dev
	c.Response().Header().Set("Cache-Control", "no-store") // a text may stand on it
	return s.draw(c, status, p)
}

// refusedKey shows a mistake on the page; other errors are errors.
func (s *Server) refusedKey(c echo.Context, err error) error {
	if bad, ok := err.(*KeyError); ok {
		return s.tokensPage(c, http.StatusBadRequest, "", "", bad)
	}
	return err
}

func (s *Server) tokenCreate(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	scopes := slices.DeleteFunc(slices.Clone(form["scope"]), func(s string) bool { return s == "" })
	text, err := s.Keys.Issue(c.Request().Context(), who(c), strings.TrimSpace(form.Get("name")), scopes, strings.TrimSpace(form.Get("expires")))
	if err != nil {
		return s.refusedKey(c, err)
	}
	return s.tokensPage(c, http.StatusOK, text, "The new token. It is shown this once; send it as “Authorization: Bearer …”, or set STEWARD_TOKEN for the command line.", nil)
}

func (s *Server) tokenRevoke(c echo.Context) error {
	if err := s.Keys.Revoke(c.Request().Context(), who(c), param(c, "id")); err != nil {
		return s.refusedKey(c, err)
	}
	return c.Redirect(http.StatusSeeOther, "/tokens")
}

func (s *Server) secretRotate(c echo.Context) error {
	text, err := s.Keys.Rotate(c.Request().Context(), who(c), strings.TrimSpace(c.FormValue("source")), strings.TrimSpace(c.FormValue("account")))
	if err != nil {
		return s.refusedKey(c, err)
	}
	return s.tokensPage(c, http.StatusOK, text, "The new secret. It is shown this once; the one before it stays valid until the next rotation or until it is retired.", nil)
}

func (s *Server) secretRetire(c echo.Context) error {
	if err := s.Keys.Retire(c.Request().Context(), who(c), param(c, "id")); err != nil {
		return s.refusedKey(c, err)
	}
	return c.Redirect(http.StatusSeeOther, "/tokens")
}
