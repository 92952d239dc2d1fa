package outbound

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// RefusedError says that an address is not to be reached. errors.As finds it under the
// errors of net/http.
type RefusedError struct {
	Addr   netip.Addr
	Reason string // "a private address" and the like
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s is %s, and the configuration does not allow it", e.Addr, e.Reason)
}

// control is asked by the dialer once per address, after resolution, before the connect.
func control(allow []netip.Prefix) func(context.Context, string, string, syscall.RawConn) error {
	return func(_ context.Context, network, address string, _ syscall.RawConn) error {
		if network != "tcp4" && network != "tcp6" {
			return fmt.Errorf("outbound connections are TCP, not %s", network)
		}
		a, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("the resolved address is unreadable: %w", err)
		}
		return Check(a.Addr(), allow)
	}
}

// Check answers a *RefusedError for an address that is neither public nor within allow.
func Check(a netip.Addr, allow []netip.Prefix) error {
	a = a.WithZone("").Unmap()
	for _, p := range allow {
		if p.Contains(a) {
			return nil
		}
	}
	if reason := refusal(a); reason != "" {
		return &RefusedError{Addr: a, Reason: reason}
	}
	return nil
}

// special lists what the methods of netip.Addr do not know: the special-purpose registries
// of IANA (RFC 6890 and its successors), and one public address that clouds answer themselves.
var special = []struct {
	network netip.Prefix
	reason  string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "an address of this network"},
	{netip.MustParsePrefix("100.64.0.0/10"), "a shared address of a carrier"},
	{netip.MustParsePrefix("192.0.0.0/24"), "an address for protocols"},
	{netip.MustParsePrefix("192.0.2.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("192.88.99.0/24"), "a relay of 6to4"},
	{netip.MustParsePrefix("198.18.0.0/15"), "an address for benchmarks"},
	{netip.MustParsePrefix("198.51.100.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("203.0.113.0/24"), "an address for documentation"},
	{netip.MustParsePrefix("240.0.0.0/4"), "a reserved address"},
	{netip.MustParsePrefix("168.63.129.16/32"), "the host of an Azure machine"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "a local address of NAT64"},
	{netip.MustParsePrefix("100::/64"), "an address that discards"},
	{netip.MustParsePrefix("2001::/23"), "an address for protocols"}, // Teredo, benchmarks, ORCHID
	{netip.MustParsePrefix("2001:db8::/32"), "an address for documentation"},
	{netip.MustParsePrefix("3fff::/20"), "an address for documentation"},
	{netip.MustParsePrefix("5f00::/16"), "an address for segment routing"},
	{netip.MustParsePrefix("fec0::/10"), "a site-local address"},
}

// carriers are IPv6 networks whose addresses hold an IPv4 address, and where it starts.
var carriers = []struct {
	network netip.Prefix
	at      int
}{
	{netip.MustParsePrefix("::/96"), 12},           // IPv4-compatible, deprecated
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12}, // IPv4-translated, RFC 2765
	{netip.MustParsePrefix("64:ff9b::/96"), 12},    // NAT64, RFC 6052
	{netip.MustParsePrefix("2002::/16"), 2},        // 6to4, RFC 3056
}

// refusal is why an address is not public, or nothing.
func refusal(a netip.Addr) string {
	switch {
	case !a.IsValid():
		return "no address"
	case a.IsUnspecified():
		return "the unspecified address"
	case a.IsLoopback():
		return "a loopback address"
	case a.IsLinkLocalUnicast():
		return "a link-local address" // 169.254.169.254, where clouds keep credentials, is one
	case a.IsMulticast():
		return "a multicast address"
	case a.IsPrivate():
		return "a private address" // fd00:ec2::254 is one
	}
	for _, s := range special {
		if s.network.Contains(a) {
			return s.reason
		}
	}
	if !a.Is6() {
		return ""
	}
	b := a.As16()
	for _, c := range carriers {
		if c.network.Contains(a) {
			return within(b[c.at : c.at+4])
		}
	}
	if (b[8]&^3) == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP, RFC 5214
		return within(b[12:])
	}
	return ""
}

func within(b []byte) string {
	if reason := refusal(netip.AddrFrom4([4]byte(b))); reason != "" {
		return "a carrier of " + reason
	}
	return ""
}
