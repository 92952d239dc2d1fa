// Package outbound is an HTTP client for addresses that come from configuration: the
// sign-in provider, webhooks, stores of records. Whoever may write such an address must
// not gain the server's own view of the network by it.
//
// Theory of operation
//
//  1. The judgement is about addresses, never about names (address.go). It is made by the
//     dialer's control hook, after the name has been resolved and before a packet leaves:
//     a name that answered well when it was checked and otherwise a moment later gains
//     nothing, and neither does a redirect, since every connection passes the hook.
//  2. Loopback, link-local, private, shared, multicast and special addresses are refused,
//     as are the IPv6 addresses that carry a refused IPv4 one, unless the configuration
//     allows the very network.
//  3. Redirects are few, stay on https once there, and are followed for GET and HEAD only:
//     a redirected POST would hand its body, which may hold a secret, to another host
//     (redirect.go).
//  4. Answers are bounded in time, headers and body; a body that is too long is an error,
//     never a shorter body (body.go). The bound counts after decompression.
//  5. HTTP_PROXY and its like are not read: a proxy would connect in our place, and the
//     hook would judge the proxy's address instead of the target's.
package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Config says what a client may reach. The zero value reaches public addresses only.
type Config struct {
	Allow     []netip.Prefix // networks reached although they are not public
	Roots     *x509.CertPool // default: the system's
	Timeout   time.Duration  // of a whole exchange, redirects and body included; default 10 s
	MaxBody   int64          // bytes of an answer; default 1 MiB
	Redirects int            // followed at most; default 3, negative: none
	Resolver  *net.Resolver  // default: the system's
}

func (c Config) withDefaults() Config {
	if c.Timeout == 0 {
		c.Timeout = 10 * time.Second
	}
	if c.MaxBody == 0 {
		c.MaxBody = 1 << 20
	}
	if c.Redirects == 0 {
		c.Redirects = 3
	}
	return c
}

// Dialer connects under the same judgement, for protocols that are not HTTP, such as mail.
// Of the configuration it reads Allow, Timeout and Resolver.
func Dialer(c Config) *net.Dialer {
	c = c.withDefaults()
	return &net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second, Resolver: c.Resolver, ControlContext: control(c.Allow)}
}

// New makes a client. It is safe for concurrent use and keeps few idle connections, each
// to an address that passed when it was opened.
func New(c Config) *http.Client {
	c = c.withDefaults()
	dialer := Dialer(c)
	return &http.Client{
		Timeout:       c.Timeout,
		CheckRedirect: follow(c.Redirects),
		Transport: bounded{limit: c.MaxBody, next: &http.Transport{
			Proxy:                  nil, // on purpose: see 5
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    c.Timeout,
			ResponseHeaderTimeout:  c.Timeout,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           8,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
		}},
	}
}
