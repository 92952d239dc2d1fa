package limit

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func TestClientIP(t *testing.T) {
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "2001:db8:1::/48", "192.0.2.7"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, remote string
		headers      []string
		want         string
	}{
		{"no proxy", "198.51.100.1:4711", nil, "198.51.100.1"},
		{"no proxy, forged", "198.51.100.1:4711", []string{"1.1.1.1"}, "198.51.100.1"},
		{"no proxy, forged as if by a proxy", "198.51.100.1:4711", []string{"1.1.1.1, 10.0.0.1"}, "198.51.100.1"},
		{"behind one", "10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"behind one, without the header", "10.0.0.1:80", nil, "10.0.0.1"},
		{"behind one, with an empty header", "10.0.0.1:80", []string{""}, "10.0.0.1"},
		{"behind one, forged on the left", "10.0.0.1:80", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"behind one, a trusted address forged on the left", "10.0.0.1:80", []string{"10.0.0.9, 198.51.100.1"}, "198.51.100.1"},
		{"behind two", "10.0.0.1:80", []string{"198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"behind two, forged on the left", "10.0.0.1:80", []string{"1.1.1.1, 198.51.100.1, 192.0.2.7"}, "198.51.100.1"},
		{"several headers", "10.0.0.1:80", []string{"1.1.1.1", "198.51.100.1", "10.2.2.2"}, "198.51.100.1"},
		{"several headers, the last forgotten by nobody", "10.0.0.1:80", []string{"198.51.100.1", "198.51.100.2"}, "198.51.100.2"},
		{"all trusted", "10.0.0.1:80", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"mapped connection", "[::ffff:10.0.0.1]:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"mapped entry", "10.0.0.1:80", []string{"1.1.1.1, ::ffff:198.51.100.1"}, "198.51.100.1"},
		{"mapped proxy among the entries", "10.0.0.1:80", []string{"198.51.100.1, ::ffff:10.9.9.9"}, "198.51.100.1"},
		{"mapped stranger", "[::ffff:198.51.100.1]:80", []string{"1.1.1.1"}, "198.51.100.1"},
		{"ports", "10.0.0.1:80", []string{"198.51.100.1:4711, 10.2.2.2:80"}, "198.51.100.1"},
		{"IPv6", "[2001:db8:1::5]:80", []string{"2001:db8:9::1"}, "2001:db8:9::1"},
		{"IPv6 in brackets", "10.0.0.1:80", []string{"[2001:db8:9::1]"}, "2001:db8:9::1"},
		{"IPv6 with a port", "10.0.0.1:80", []string{"[2001:db8:9::1]:4711"}, "2001:db8:9::1"},
		{"a zone", "10.0.0.1:80", []string{"fe80::1%eth0"}, "fe80::1"},
		{"garbage", "10.0.0.1:80", []string{"unknown"}, "10.0.0.1"},
		{"garbage on the left", "10.0.0.1:80", []string{"<script>, 198.51.100.1"}, "198.51.100.1"},
		{"garbage in the middle", "10.0.0.1:80", []string{"1.1.1.1, _hidden, 10.2.2.2"}, "10.2.2.2"},
		{"an empty entry", "10.0.0.1:80", []string{"1.1.1.1,, 10.2.2.2"}, "10.2.2.2"},
		{"a name", "10.0.0.1:80", []string{"1.1.1.1, localhost"}, "10.0.0.1"},
		{"unspecified", "10.0.0.1:80", []string{"0.0.0.0"}, "10.0.0.1"},
		{"leading zeros", "10.0.0.1:80", []string{"010.000.000.001"}, "10.0.0.1"},
		{"very long", "10.0.0.1:80", []string{strings.Repeat("1.1.1.1,", 5000) + "198.51.100.1"}, "198.51.100.1"},
		{"a bare connection", "198.51.100.1", nil, "198.51.100.1"},
		{"no connection", "@", []string{"1.1.1.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.headers}}
		if got := ClientIP(r, proxies).String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	// Without the operator's word nobody is a proxy, loopback included.
	r := &http.Request{RemoteAddr: "127.0.0.1:1", Header: http.Header{"X-Forwarded-For": {"1.1.1.1"}}}
	if got := ClientIP(r, nil).String(); got != "127.0.0.1" {
		t.Errorf("without proxies: %s", got)
	}
}

// Whatever a client writes into the header, the address that the proxy appended stands;
// without a proxy the header says nothing.
func FuzzClientIP(f *testing.F) {
	for _, forged := range []string{"", "1.1.1.1", "10.0.0.1, 10.0.0.2", "[::1]:80,", ",,", "unknown\x00", "::ffff:10.0.0.1"} {
		f.Add(forged, false)
		f.Add(forged, true)
	}
	proxies, err := ParseProxies([]string{"10.0.0.0/8"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, forged string, apart bool) {
		headers := []string{forged + ", 198.51.100.1, 10.0.0.2"}
		if apart {
			headers = []string{forged, "198.51.100.1", "10.0.0.2"}
		}
		r := &http.Request{RemoteAddr: "10.0.0.1:80", Header: http.Header{"X-Forwarded-For": headers}}
		if got := ClientIP(r, proxies).String(); got != "198.51.100.1" {
			t.Errorf("behind a proxy: %s", got)
		}
		r.RemoteAddr = "203.0.113.9:80"
		if got := ClientIP(r, proxies).String(); got != "203.0.113.9" {
			t.Errorf("without a proxy: %s", got)
		}
	})
}

func TestClientKey(t *testing.T) {
	for addr, want := range map[string]string{
		"198.51.100.1": "198.51.100.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::1": "2001:db8:1:2::/64", "::1": "::/64",
	} {
		if got := ClientKey(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
	if got := ClientKey(netip.Addr{}); got == "" {
		t.Error("no address has no key")
	}
}

func TestParseProxies(t *testing.T) {
	got, err := ParseProxies([]string{"10.1.2.3/8", " 192.0.2.7", "::1", "::ffff:192.0.2.8"})
	want := []string{"10.0.0.0/8", "192.0.2.7/32", "::1/128", "192.0.2.8/32"}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i].String() != want[i] {
			t.Errorf("%v, want %s", got[i], want[i])
		}
	}
	for _, bad := range []string{"", "proxy.example", "10.0.0.0/33", "fe80::1%eth0", "::ffff:10.0.0.0/104", "10.0.0.1:80"} {
		if _, err := ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
