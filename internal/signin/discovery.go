package signin

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/stewardhq/steward/internal/outbound"
)

const (
	// rediscover bounds how long a key that the provider withdrew is believed. Keys that it
	// adds are fetched when a token names one.
	rediscover = time.Hour
	// breather is between two attempts, so that a provider that is down is not flooded by
	// people who reload.
	breather = 5 * time.Second
)

// algorithms that may sign a token. A provider that offers others is asked for these;
// symmetric ones and none are not among them whatever a provider offers.
var algorithms = []string{oidc.RS256, oidc.ES256, oidc.PS256, oidc.EdDSA}

// provider is what a discovery found.
type provider struct {
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	about      *oidc.Provider
	userinfo   bool
	saysIssuer bool   // RFC 9207
	endSession string // or empty
}

// discovery finds the provider when it is needed. All methods are goroutine-safe; who comes
// while an attempt is under way waits for it, ten seconds at most.
type discovery struct {
	cfg    OIDC
	secret string
	client *http.Client
	now    func() time.Time
	log    *slog.Logger

	mu    sync.Mutex
	last  *provider
	tried time.Time // last attempt
	found time.Time // last that succeeded
	err   error     // of the last attempt
}

func newDiscovery(c OIDC, now func() time.Time, log *slog.Logger) (*discovery, error) {
	secret, err := secretOf("oidc.client_secret", c.ClientSecretEnv, c.ClientSecretFile)
	if err != nil {
		return nil, err
	}
	out := outbound.Config{Allow: networks("oidc.allow_private", c.AllowPrivate, func(string, string, ...any) {})}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("oidc.ca_file: %w", err)
		}
		out.Roots = x509.NewCertPool()
		if !out.Roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("oidc.ca_file: there is no certificate in it")
		}
	}
	return &discovery{cfg: c, secret: secret, client: outbound.New(out), now: now, log: log}, nil
}

// get answers the provider; one found earlier serves on while a new look fails.
func (d *discovery) get(ctx context.Context) (*provider, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if d.last != nil && age(now, d.found) < rediscover {
		return d.last, nil
	}
	if d.tried.IsZero() || age(now, d.tried) >= breather {
		// The result is for everybody: that this one reader leaves must not fail it.
		p, err := d.discover(context.WithoutCancel(ctx))
		d.tried, d.err = now, err
		if err == nil {
			d.last, d.found = p, now
		} else {
			d.log.Warn("the sign-in provider could not be asked for its addresses", "issuer", d.cfg.Issuer, "err", clip(err.Error()))
		}
	}
	if d.last == nil {
		return nil, d.err
	}
	return d.last, nil
}

// known answers what was found before, without asking.
func (d *discovery) known() *provider {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// age is how long ago something was; a clock that was set back makes everything old.
func age(now, then time.Time) time.Duration {
	if a := now.Sub(then); a >= 0 {
		return a
	}
	return rediscover
}

func (d *discovery) discover(ctx context.Context) (*provider, error) {
	ctx = oidc.ClientContext(ctx, d.client)
	about, err := oidc.NewProvider(ctx, d.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	var meta struct {
		Algorithms  []string `json:"id_token_signing_alg_values_supported"`
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		EndSession  string   `json:"end_session_endpoint"`
		JWKS        string   `json:"jwks_uri"`
		SaysIssuer  bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := about.Claims(&meta); err != nil {
		return nil, err
	}
	endpoint := about.Endpoint()
	for name, u := range map[string]string{
		"authorization_endpoint": endpoint.AuthURL, "token_endpoint": endpoint.TokenURL, "jwks_uri": meta.JWKS,
	} {
		if err := d.fit(u); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if u := about.UserInfoEndpoint(); u != "" {
		if err := d.fit(u); err != nil {
			return nil, fmt.Errorf("userinfo_endpoint: %w", err)
		}
	}
	if meta.EndSession != "" && d.fit(meta.EndSession) != nil {
		meta.EndSession = "" // signing out here works without
	}
	use := slices.DeleteFunc(slices.Clone(algorithms), func(a string) bool { return !slices.Contains(meta.Algorithms, a) })
	if len(meta.Algorithms) == 0 {
		use = []string{oidc.RS256} // what the standard obliges every provider to
	}
	if len(use) == 0 {
		return nil, fmt.Errorf("the provider signs with none of %s", strings.Join(algorithms, ", "))
	}
	// Chosen, not tried out: trying sends the code twice, and a provider takes it once.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	if len(meta.AuthMethods) > 0 && !slices.Contains(meta.AuthMethods, "client_secret_basic") {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &provider{
		oauth: oauth2.Config{
			ClientID: d.cfg.ClientID, ClientSecret: d.secret, Endpoint: endpoint,
			RedirectURL: d.cfg.RedirectURL, Scopes: d.cfg.Scopes,
		},
		verifier: about.VerifierContext(ctx, &oidc.Config{ClientID: d.cfg.ClientID, SupportedSigningAlgs: use, Now: d.now}),
		about:    about, userinfo: about.UserInfoEndpoint() != "",
		saysIssuer: meta.SaysIssuer, endSession: meta.EndSession,
	}, nil
}

// fit says whether an address of the discovery document may be used: one of an https
// provider is https.
func (d *discovery) fit(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && !(u.Scheme == "http" && isPlain(d.cfg.Issuer) && loopback(u.Hostname())) {
		return errors.New("the provider names an address that is not https")
	}
	return nil
}

func isPlain(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "http"
}
