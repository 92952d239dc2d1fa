package outbound

import (
	"errors"
	"net/netip"
	"testing"
)

func TestCheck(t *testing.T) {
	for addr, public := range map[string]bool{
		"1.1.1.1": true, "93.184.216.34": true, "172.15.0.1": true, "172.32.0.1": true, "100.63.0.1": true, "100.128.0.1": true,
		"2606:4700:4700::1111": true, "64:ff9b::5db8:d822": true, "2002:5db8:d822::1": true, "::ffff:1.1.1.1": true,
		"2001:4860:4860::8888": true,

		"127.0.0.1": false, "127.255.255.254": false, "::1": false, "0.0.0.0": false, "0.1.2.3": false, "::": false,
		"10.0.0.1": false, "172.16.0.1": false, "172.31.255.255": false, "192.168.1.1": false, "100.64.0.1": false, "100.127.255.255": false,
		"169.254.169.254": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "fc00::1": false,
		"224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false, "198.18.0.1": false, "203.0.113.9": false,
		"192.0.0.170": false, "168.63.129.16": false, "2001:db8::1": false, "100::1": false, "3fff::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false, // IPv4-mapped
		"::127.0.0.1": false, "::ffff:0:127.0.0.1": false, // IPv4-compatible, IPv4-translated
		"64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, // NAT64
		"2002:7f00:1::1": false, "2002:a9fe:a9fe::": false, "2002:a00:1::1": false, // 6to4
		"2001:0:4136:e378:8000:63bf:3fff:fdd2": false,                                         // Teredo
		"2606:4700::5efe:a00:1":                false, "2606:4700::200:5efe:a9fe:a9fe": false, // ISATAP
	} {
		err := Check(netip.MustParseAddr(addr), nil)
		if (err == nil) != public {
			t.Errorf("%s: %v, want public %v", addr, err, public)
		}
		var refused *RefusedError
		if err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %T", addr, err)
		}
	}
	if Check(netip.Addr{}, nil) == nil {
		t.Error("no address is reached")
	}
}

// What is allowed is the very network, in whichever way its addresses are written.
func TestCheckAllowed(t *testing.T) {
	allow := []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24"), netip.MustParsePrefix("fd12::/16")}
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "::ffff:10.1.2.3": true, "fd12::1": true,
		"10.1.3.3": false, "127.0.0.1": false, "fd00:ec2::254": false, "64:ff9b::a01:203": false,
	} {
		if err := Check(netip.MustParseAddr(addr), allow); (err == nil) != want {
			t.Errorf("%s: %v, want allowed %v", addr, err, want)
		}
	}
}
