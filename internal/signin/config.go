package signin

import (
	"github.com/stewardhq/steward/access"
)

// CallbackPath is where the provider sends people back to; redirect_url ends in it.
const CallbackPath = "/signin/callback"

// Config is the file of --access: who proves who somebody is, and what follows from it.
// It holds no secret, only where secrets are.
type Config struct {
	OIDC        *OIDC         `yaml:"oidc"`
	Proxy       *Proxy        `yaml:"proxy"`
	Roles       []access.Rule `yaml:"roles"`
	DefaultRole access.Role   `yaml:"default_role"` // of everybody who signs in; empty: who has no rule is refused
	// TeamSeesLoad lets members see, as their leads do, what each person of their team carries.
	TeamSeesLoad bool `yaml:"team_sees_load"`

	// Insecure says that browsers see plain http on loopback: cookies then go without Secure
	// and the __Host- prefix, which need https. With OIDC it follows from redirect_url and
	// need not be set.
	Insecure bool `yaml:"-"`
}

// OIDC is an OpenID Connect provider.
type OIDC struct {
	Issuer           string   `yaml:"issuer"`
	ClientID         string   `yaml:"client_id"`
	ClientSecretEnv  string   `yaml:"client_secret_env"`
	ClientSecretFile string   `yaml:"client_secret_file"`
	RedirectURL      string   `yaml:"redirect_url"`
	Scopes           []string `yaml:"scopes"`         // default openid, email, profile
	GroupsClaim      string   `yaml:"groups_claim"`   // default groups; a.b is b within a
	PersonClaim      string   `yaml:"person_claim"`   // default email
	SignedOutURL     string   `yaml:"signed_out_url"` // where the provider sends people after signing out; registered there; empty: they stay there
	CAFile           string   `yaml:"ca_file"`        // PEM, instead of the system's authorities
	AllowPrivate     []string `yaml:"allow_private"`  // networks in which the provider may live although they are not public
}

// Proxy is a reverse proxy that signs people in and says who they are in headers.
type Proxy struct {
	From         []string `yaml:"from"`          // addresses of the proxy; nobody else's headers are believed
	PersonHeader string   `yaml:"person_header"` // default X-Forwarded-Email
	NameHeader   string   `yaml:"name_header"`   // default X-Forwarded-Preferred-Username
	GroupsHeader string   `yaml:"groups_header"` // default X-Forwarded-Groups; comma separated
	SecretHeader string   `yaml:"secret_header"` // default X-Steward-Proxy-Secret
	SecretEnv    string   `yaml:"secret_env"`    // when given, the proxy must send this secret besides
}

func (c Config) withDefaults() Config {
	if c.OIDC != nil {
		o := *c.OIDC
		if o.Scopes == nil {
			o.Scopes = []string{"openid", "email", "profile"}
		}
		o.GroupsClaim = or(o.GroupsClaim, "groups")
		o.PersonClaim = or(o.PersonClaim, "email")
		c.OIDC = &o
	}
	if c.Proxy != nil {
		p := *c.Proxy
		p.PersonHeader = or(p.PersonHeader, "X-Forwarded-Email")
		p.NameHeader = or(p.NameHeader, "X-Forwarded-Preferred-Username")
		p.GroupsHeader = or(p.GroupsHeader, "X-Forwarded-Groups")
		p.SecretHeader = or(p.SecretHeader, "X-Steward-Proxy-Secret")
		c.Proxy = &p
	}
	return c
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
