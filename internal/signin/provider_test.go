package signin

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// realProvider is a whole OpenID Connect provider with a few people, run at localhost, so
// that to a browser it is another site than 127.0.0.1.
type realProvider struct {
	op.Storage // what is not written below is not used, and would panic
	url        string
	home       string // of the client
	inToken    bool   // claims of scopes in the id_token, not at the userinfo endpoint
	key        *rsa.PrivateKey
	out        chan string // subjects that signed out

	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]string
	tokens   map[string]*request
}

var people = map[string]struct {
	email, name string
	groups      []string
	unverified  bool
}{
	"u1": {email: "Ada@Example.org", name: "Ada <b>L</b>", groups: []string{"steward-admins", "payments"}},
	"u2": {email: "bob@example.org", name: "Bob", groups: []string{"payments"}},
	"u3": {email: "eve@example.org", name: "Eve", unverified: true},
}

func startProvider(t *testing.T, home string, inToken bool) *realProvider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &realProvider{home: home, inToken: inToken, key: key, out: make(chan string, 100),
		requests: map[string]*request{}, codes: map[string]string{}, tokens: map[string]*request{}}
	server := httptest.NewUnstartedServer(nil)
	p.url = strings.Replace("http://"+server.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	provider, err := op.NewProvider(&op.Config{CryptoKey: [32]byte{1}, CodeMethodS256: true, DefaultLogoutRedirectURI: "/out"}, p, op.StaticIssuer(p.url), op.WithAllowInsecure())
	if err != nil {
		t.Fatal(err)
	}
	back := op.AuthCallbackURL(provider)
	intercept := op.NewIssuerInterceptor(provider.IssuerFromRequest)
	mux := http.NewServeMux()
	mux.Handle("/", provider)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<title>login</title><form method=post action=/login><input type=hidden name=id value="%s"><input id=user name=user><button id=go>Go</button></form>`, html.EscapeString(r.FormValue("id")))
	})
	mux.Handle("POST /login", intercept.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		if q := p.requests[r.FormValue("id")]; q != nil {
			q.user, q.done, q.at = r.FormValue("user"), true, time.Now()
		}
		p.mu.Unlock()
		http.Redirect(w, r, back(r.Context(), r.FormValue("id")), http.StatusFound)
	}))
	server.Config.Handler = mux
	server.Start()
	t.Cleanup(server.Close)
	return p
}

// request is an authorization request under way.
type request struct {
	oidc.AuthRequest
	id, user string
	done     bool
	at       time.Time
}

func (r *request) GetID() string                      { return r.id }
func (r *request) GetACR() string                     { return "" }
func (r *request) GetAMR() []string                   { return []string{"pwd"} }
func (r *request) GetAudience() []string              { return []string{r.ClientID} }
func (r *request) GetAuthTime() time.Time             { return r.at }
func (r *request) GetClientID() string                { return r.ClientID }
func (r *request) GetNonce() string                   { return r.Nonce }
func (r *request) GetRedirectURI() string             { return r.RedirectURI }
func (r *request) GetScopes() []string                { return r.Scopes }
func (r *request) GetState() string                   { return r.State }
func (r *request) GetSubject() string                 { return r.user }
func (r *request) Done() bool                         { return r.done }
func (r *request) GetResponseType() oidc.ResponseType { return r.ResponseType }
func (r *request) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}

func (p *realProvider) Health(context.Context) error { return nil }

func (p *realProvider) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if r.CodeChallenge == "" || r.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is required")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	q := &request{AuthRequest: *r, id: strconv.Itoa(len(p.requests) + 1)}
	p.requests[q.id] = q
	return q, nil
}

func (p *realProvider) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if q := p.requests[id]; q != nil {
		return q, nil
	}
	return nil, errors.New("no such request")
}

func (p *realProvider) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	p.mu.Lock()
	id, ok := p.codes[code]
	p.mu.Unlock()
	if !ok {
		return nil, errors.New("no such code")
	}
	return p.AuthRequestByID(ctx, id)
}

func (p *realProvider) SaveAuthCode(_ context.Context, id, code string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes[code] = id
	return nil
}

func (p *realProvider) DeleteAuthRequest(_ context.Context, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for code, of := range p.codes {
		if of == id {
			delete(p.codes, code)
		}
	}
	return nil
}

func (p *realProvider) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := random()
	p.tokens[id] = r.(*request)
	return id, time.Now().Add(time.Hour), nil
}

func (p *realProvider) TerminateSession(_ context.Context, user, _ string) error {
	p.out <- user
	return nil
}

type signing struct {
	key any
}

func (s signing) ID() string                                  { return "k1" }
func (s signing) Algorithm() jose.SignatureAlgorithm          { return jose.RS256 }
func (s signing) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (s signing) Use() string                                 { return "sig" }
func (s signing) Key() any                                    { return s.key }

func (p *realProvider) SigningKey(context.Context) (op.SigningKey, error) {
	return signing{p.key}, nil
}
func (p *realProvider) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}
func (p *realProvider) KeySet(context.Context) ([]op.Key, error) {
	return []op.Key{signing{&p.key.PublicKey}}, nil
}

func (p *realProvider) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != clientID {
		return nil, errors.New("no such client")
	}
	return client{p}, nil
}

func (p *realProvider) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != clientID || secret != clientSecret {
		return errors.New("wrong secret")
	}
	return nil
}

func (p *realProvider) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (p *realProvider) SetUserinfoFromScopes(_ context.Context, info *oidc.UserInfo, user, _ string, scopes []string) error {
	return p.tell(info, user, scopes)
}

func (p *realProvider) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, _, _ string) error {
	p.mu.Lock()
	q := p.tokens[token]
	p.mu.Unlock()
	if q == nil {
		return errors.New("no such token")
	}
	return p.tell(info, q.user, q.Scopes)
}

func (p *realProvider) tell(info *oidc.UserInfo, user string, scopes []string) error {
	who, ok := people[user]
	if !ok {
		return errors.New("no such person")
	}
	info.Subject = user
	for _, s := range scopes {
		switch s {
		case "email":
			info.Email, info.EmailVerified = who.email, oidc.Bool(!who.unverified)
			if who.unverified {
				info.AppendClaims("email_verified", false) // which the library leaves out
			}
		case "profile":
			info.Name = who.name
		case "groups":
			info.AppendClaims("groups", who.groups)
		}
	}
	return nil
}

// client is how Steward is registered.
type client struct{ p *realProvider }

func (c client) GetID() string                       { return clientID }
func (c client) RedirectURIs() []string              { return []string{c.p.home + CallbackPath} }
func (c client) PostLogoutRedirectURIs() []string    { return []string{c.p.home + "/signout"} }
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }
func (c client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodBasic }
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}
func (c client) GrantTypes() []oidc.GrantType                                 { return []oidc.GrantType{oidc.GrantTypeCode} }
func (c client) LoginURL(id string) string                                    { return "/login?id=" + id }
func (c client) AccessTokenType() op.AccessTokenType                          { return op.AccessTokenTypeBearer }
func (c client) IDTokenLifetime() time.Duration                               { return time.Hour }
func (c client) DevMode() bool                                                { return true }
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return same }
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }
func (c client) IsScopeAllowed(scope string) bool                             { return scope == "groups" }
func (c client) IDTokenUserinfoClaimsAssertion() bool                         { return c.p.inToken }
func (c client) ClockSkew() time.Duration                                     { return 0 }

func same(s []string) []string { return s }

// login walks the provider's own pages and answers where it sends the browser back to.
func (p *realProvider) login(v *visitor, authorize, user string) string {
	v.t.Helper()
	page := v.get(authorize)
	_, id, ok := strings.Cut(page.header.Get("Location"), "/login?id=")
	if !ok {
		v.t.Fatalf("the provider answered %d: %s %v", page.code, page.body, page.header)
	}
	back := v.post(p.url+"/login", map[string][]string{"id": {id}, "user": {user}})
	to := v.get(back.header.Get("Location"))
	if to.code != http.StatusFound {
		v.t.Fatalf("the provider answered %d: %s", to.code, to.body)
	}
	return to.header.Get("Location")
}
