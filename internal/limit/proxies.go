package limit

import (
	"fmt"
	"net/netip"
	"strings"
)

// ParseProxies reads CIDRs; an address stands for itself alone.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range list {
		p, err := parseProxy(strings.TrimSpace(text))
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// parseProxy reads one entry. A prefix of mapped addresses would match nothing, since
// addresses are compared unmapped, so it is refused rather than silently useless.
func parseProxy(text string) (netip.Prefix, error) {
	wrong := fmt.Errorf("the trusted proxy %q is neither an address nor a network like 10.0.0.0/8", text)
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, wrong
	}
	return p.Masked(), nil
}
