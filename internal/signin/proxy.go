package signin

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/stewardhq/steward/access"
)

// proxy believes headers.
//
//  1. Only the address of the connection says whether a request is from the proxy. What the
//     request says of itself, X-Forwarded-For included, anybody can write.
//  2. A header that is there twice means that a reader brought one along and the proxy added
//     its own: which is whose cannot be told, so the request is nobody's.
//  3. The proxy must remove these headers from what readers send. Where others can connect
//     from the proxy's address, such as a shared host, a secret tells them apart.
type proxy struct {
	cfg    Proxy
	from   []netip.Prefix
	secret *[sha256.Size]byte // hash of; nil: none is asked for
	log    *slog.Logger
}

func newProxy(c Proxy, log *slog.Logger) (*proxy, error) {
	p := &proxy{cfg: c, log: log, from: networks("proxy.from", c.From, func(string, string, ...any) {})}
	if c.SecretEnv != "" {
		secret, err := secretOf("proxy.secret", c.SecretEnv, "")
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(secret))
		p.secret = &sum
	}
	return p, nil
}

func (p *proxy) identify(r *http.Request) (access.Identity, bool) {
	if !p.trusts(r) {
		return access.Identity{}, false
	}
	who, once := single(r, p.cfg.PersonHeader)
	name, nameOnce := single(r, p.cfg.NameHeader)
	list, listOnce := single(r, p.cfg.GroupsHeader)
	id, err := person(who)
	if !once || !nameOnce || !listOnce || err != nil {
		// Told, since it looks like not being signed in, and is a proxy set up wrongly or an attack.
		if len(r.Header.Values(p.cfg.PersonHeader)) > 0 {
			p.log.Warn("the proxy's headers do not say who somebody is: one is there twice, or the name is none", "from", r.RemoteAddr)
		}
		return access.Identity{}, false
	}
	return access.Identity{Person: id, Name: greeting(name), Groups: groups(strings.Split(list, ",")), Method: "proxy"}, true
}

// trusts says whether a request comes from the proxy.
func (p *proxy) trusts(r *http.Request) bool {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	addr, within := a.Addr().WithZone("").Unmap(), false
	for _, n := range p.from {
		within = within || n.Contains(addr)
	}
	if !within {
		return false
	}
	if p.secret == nil {
		return true
	}
	given, once := single(r, p.cfg.SecretHeader)
	sum := sha256.Sum256([]byte(given))
	return once && subtle.ConstantTimeCompare(sum[:], p.secret[:]) == 1
}

// single is the value of a header that is there once or not at all.
func single(r *http.Request, name string) (string, bool) {
	v := r.Header.Values(name)
	if len(v) == 0 {
		return "", true
	}
	return v[0], len(v) == 1
}

// serveProxied answers /signin where a proxy signs people in.
func (s *SignIn) serveProxied(w http.ResponseWriter, r *http.Request, next string) {
	if _, ok := s.proxy.identify(r); ok {
		http.Redirect(w, r, next, http.StatusSeeOther)
		return
	}
	s.opts.Render(w, r, http.StatusUnauthorized, "Not signed in",
		"Here a reverse proxy in front of Steward signs people in, and this request does not come through it "+
			"or does not say who you are. Open Steward at the proxy's address.")
}
