package signin

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/stewardhq/steward/access"
)

// problem is one fault of a configuration, at a field written as in oidc.issuer or roles[2].
type problem struct {
	field string
	line  int // in the file; 0: not from a file
	text  string
}

func (p *problem) Error() string {
	if p.line > 0 {
		return fmt.Sprintf("line %d: %s: %s", p.line, p.field, p.text)
	}
	return p.field + ": " + p.text
}

// Validate reports everything that is wrong, joined. Each error names its field. Whether
// secrets are where they should be is seen by New.
func (c Config) Validate() error {
	var errs []error
	for _, p := range c.problems() {
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

func (c Config) problems() []*problem {
	c = c.withDefaults()
	var found []*problem
	say := func(field, format string, args ...any) {
		found = append(found, &problem{field: field, text: fmt.Sprintf(format, args...)})
	}
	switch {
	case c.OIDC == nil && c.Proxy == nil:
		say("oidc", "somebody must say who people are: give oidc, or proxy")
	case c.OIDC != nil && c.Proxy != nil:
		say("proxy", "oidc and proxy exclude each other")
	}
	if c.OIDC != nil {
		c.OIDC.check(say)
	}
	if c.Proxy != nil {
		c.Proxy.check(say)
	}
	for i, r := range c.Roles {
		if err := r.Validate(); err != nil {
			say(fmt.Sprintf("roles[%d]", i), "%v", err)
		}
	}
	if c.DefaultRole != "" {
		if _, err := access.ParseRole(string(c.DefaultRole)); err != nil {
			say("default_role", "%v", err)
		}
	} else if len(c.Roles) == 0 {
		say("roles", "nobody could use Steward: there is neither a rule nor a default_role")
	}
	return found
}

type sayer = func(field, format string, args ...any)

func (o *OIDC) check(say sayer) {
	allow := networks("oidc.allow_private", o.AllowPrivate, say)
	if u := absolute("oidc.issuer", o.Issuer, say); u != nil {
		if u.RawQuery != "" || u.ForceQuery {
			say("oidc.issuer", "an issuer has no query")
		}
		if u.Scheme == "http" && !(loopback(u.Hostname()) && allowsLoopback(u.Hostname(), allow)) {
			say("oidc.issuer", "must be https; http is for a loopback address that allow_private names")
		}
	}
	if u := absolute("oidc.redirect_url", o.RedirectURL, say); u != nil {
		if u.Scheme == "http" && !loopback(u.Hostname()) {
			say("oidc.redirect_url", "must be https; http is for a loopback address")
		}
		if u.Path != CallbackPath || u.RawQuery != "" || u.ForceQuery {
			say("oidc.redirect_url", "must be where Steward is, followed by %s", CallbackPath)
		}
	}
	if o.SignedOutURL != "" {
		if u := absolute("oidc.signed_out_url", o.SignedOutURL, say); u != nil && u.Scheme == "http" && !loopback(u.Hostname()) {
			say("oidc.signed_out_url", "must be https; http is for a loopback address")
		}
	}
	if o.ClientID == "" {
		say("oidc.client_id", "is missing")
	}
	if (o.ClientSecretEnv == "") == (o.ClientSecretFile == "") {
		say("oidc.client_secret_env", "give either client_secret_env or client_secret_file")
	}
	if strings.ContainsAny(o.ClientSecretEnv, "= \t\n\x00") {
		say("oidc.client_secret_env", "is the name of an environment variable, not the secret") // and is not repeated here
	}
	if !slices.Contains(o.Scopes, "openid") {
		say("oidc.scopes", "must contain openid")
	}
	for _, s := range o.Scopes {
		if s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r > '~' }) {
			say("oidc.scopes", "%q is not a scope", s)
		}
	}
}

func (p *Proxy) check(say sayer) {
	from := networks("proxy.from", p.From, say)
	if len(p.From) == 0 {
		say("proxy.from", "is missing: without it anybody could claim to be anybody")
	}
	for _, n := range from {
		if n.Bits() == 0 && p.SecretEnv == "" {
			say("proxy.from", "%s is everybody; name the proxy's addresses, or give secret_env", n)
		}
	}
	var seen []string
	for _, h := range []struct{ field, name string }{
		{"proxy.person_header", p.PersonHeader}, {"proxy.name_header", p.NameHeader},
		{"proxy.groups_header", p.GroupsHeader}, {"proxy.secret_header", p.SecretHeader},
	} {
		if !httpguts.ValidHeaderFieldName(h.name) {
			say(h.field, "%q is not the name of a header", h.name)
		}
		if slices.Contains(seen, strings.ToLower(h.name)) {
			say(h.field, "%s has another meaning already", h.name)
		}
		seen = append(seen, strings.ToLower(h.name))
	}
}

// absolute reads an https or http address without user, password and fragment.
func absolute(field, s string, say sayer) *url.URL {
	if s == "" {
		say(field, "is missing")
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		say(field, "is not an address such as https://login.example.org") // not repeated: it may hold a password
	case u.User != nil:
		say(field, "must not hold a user or a password")
	case u.Fragment != "":
		say(field, "must not have a fragment")
	default:
		return u
	}
	return nil
}

// networks reads 10.1.2.0/24 and 10.1.2.3, the latter as a network of one.
func networks(field string, list []string, say sayer) []netip.Prefix {
	var out []netip.Prefix
	for i, s := range list {
		p, err := netip.ParsePrefix(s)
		if a, aerr := netip.ParseAddr(s); aerr == nil && a.Zone() == "" {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		switch {
		case err != nil:
			say(fmt.Sprintf("%s[%d]", field, i), "%q is not a network such as 10.1.2.0/24", s)
		case p.Addr().Is4In6():
			say(fmt.Sprintf("%s[%d]", field, i), "write %q as an IPv4 network", s)
		case p != p.Masked():
			say(fmt.Sprintf("%s[%d]", field, i), "%s has bits beyond its length; did you mean %s?", p, p.Masked())
		default:
			out = append(out, p)
		}
	}
	return out
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// allowsLoopback says whether a loopback host is allowed; the name localhost is when any
// loopback address is, and the dialer judges the one it resolves to.
func allowsLoopback(host string, allow []netip.Prefix) bool {
	a, err := netip.ParseAddr(host)
	return slices.ContainsFunc(allow, func(p netip.Prefix) bool {
		if err != nil {
			return p.Addr().IsLoopback()
		}
		return p.Contains(a.Unmap())
	})
}
