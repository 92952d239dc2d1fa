package limit

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ClientIP is the address of whoever sent a request: the connection's, unless it belongs
// to a trusted proxy; then the last address of X-Forwarded-For that is no trusted proxy's.
// A proxy appends the address that it saw, so everything before that was written by the
// client and may be anything. At an entry that is no address the walk stops at the last
// one that was good: what stands before it was not written by a proxy of ours. The answer
// is invalid only where the connection has no address, as in some tests.
func ClientIP(r *http.Request, trustedProxies []netip.Prefix) netip.Addr {
	client := connection(r.RemoteAddr)
	if !trusted(client, trustedProxies) {
		return client
	}
	// Several headers are one list, in their order.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr, ok := forwarded(hop)
		if !ok {
			break
		}
		client = addr
		if !trusted(client, trustedProxies) {
			break
		}
	}
	return client
}

// ClientKey is what requests of an address are counted under.
func ClientKey(addr netip.Addr) string {
	if addr.Is6() {
		if net, err := addr.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return addr.String()
}

// connection reads HOST:PORT as net/http writes it.
func connection(remote string) netip.Addr {
	if ap, err := netip.ParseAddrPort(remote); err == nil {
		return plain(ap.Addr())
	}
	addr, err := netip.ParseAddr(remote)
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr)
}

// forwarded reads an entry of X-Forwarded-For. Some proxies write ports too.
func forwarded(hop string) (netip.Addr, bool) {
	hop = strings.TrimSpace(hop)
	if ap, err := netip.ParseAddrPort(hop); err == nil {
		return plain(ap.Addr()), true
	}
	if inner, ok := strings.CutPrefix(hop, "["); ok {
		hop = strings.TrimSuffix(inner, "]")
	}
	addr, err := netip.ParseAddr(hop)
	if err != nil || addr.IsUnspecified() {
		return netip.Addr{}, false
	}
	return plain(addr), true
}

// plain writes one address in one way: ::ffff:192.0.2.1 is 192.0.2.1, and zones are ours
// alone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func trusted(addr netip.Addr, prefixes []netip.Prefix) bool {
	return addr.IsValid() && slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}
