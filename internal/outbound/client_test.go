package outbound

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// counted is a server on 127.0.0.1 that knows whether it was reached.
func counted(t *testing.T, h http.HandlerFunc) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		if h != nil {
			h(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s, &n
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func wantRefused(t *testing.T, err error, addr string) {
	t.Helper()
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Addr.String() != addr {
		t.Fatalf("got %v, want %s refused", err, addr)
	}
}

func TestLoopbackNeedsPermission(t *testing.T) {
	s, n := counted(t, nil)
	_, err := get(t, New(Config{}), s.URL)
	wantRefused(t, err, "127.0.0.1")
	_, err = get(t, New(Config{}), strings.Replace(s.URL, "127.0.0.1", "[::ffff:127.0.0.1]", 1))
	wantRefused(t, err, "127.0.0.1")
	if n.Load() != 0 {
		t.Fatal("the server was reached")
	}
	if _, err := get(t, New(Config{Allow: loopback}), s.URL); err != nil || n.Load() != 1 {
		t.Fatalf("an allowed address: %v after %d requests", err, n.Load())
	}
}

// A proxy would connect in our place: what the environment says of proxies is not read.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	s, n := counted(t, nil)
	t.Setenv("HTTP_PROXY", s.URL)
	if New(Config{}).Transport.(bounded).next.(*http.Transport).Proxy != nil { // net/http reads the environment once, so the request below may miss it
		t.Error("the transport knows of a proxy")
	}
	_, err := get(t, New(Config{Allow: loopback, Timeout: 2 * time.Second}), "http://10.255.255.1/")
	wantRefused(t, err, "10.255.255.1")
	if n.Load() != 0 {
		t.Error("the proxy was asked")
	}
}

// The name answers with a public address when somebody looks, and with loopback when the
// connection is made.
func TestRebinding(t *testing.T) {
	s, n := counted(t, nil)
	port := s.URL[strings.LastIndex(s.URL, ":"):]
	var asked atomic.Int64
	resolver := nameserver(t, func() [4]byte {
		if asked.Add(1) == 1 {
			return [4]byte{93, 184, 216, 34}
		}
		return [4]byte{127, 0, 0, 1}
	})
	seen, err := resolver.LookupNetIP(t.Context(), "ip4", "issuer.example.")
	if err != nil || len(seen) != 1 || Check(seen[0], nil) != nil {
		t.Fatalf("the first look: %v, %v", seen, err)
	}
	_, err = get(t, New(Config{Resolver: resolver}), "http://issuer.example."+port)
	wantRefused(t, err, "127.0.0.1")
	if n.Load() != 0 {
		t.Fatal("the server was reached")
	}
	if _, err := get(t, New(Config{Resolver: resolver, Allow: loopback}), "http://issuer.example."+port); err != nil || n.Load() != 1 {
		t.Fatalf("the same when allowed: %v after %d requests; this test would prove nothing", err, n.Load())
	}
}

// nameserver answers every question for an IPv4 address with what answer says.
func nameserver(t *testing.T, answer func() [4]byte) *net.Resolver {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			k, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:k]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
			if q.Type == dnsmessage.TypeA {
				reply.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: answer()},
				}}
			}
			if b, err := reply.Pack(); err == nil {
				_, _ = conn.WriteTo(b, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func TestRedirects(t *testing.T) {
	var to atomic.Value
	s, n := counted(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", to.Load().(string))
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c := New(Config{Allow: loopback, Timeout: 3 * time.Second})
	for target, addr := range map[string]string{
		"http://169.254.169.254/latest/meta-data/": "169.254.169.254",
		"http://[fd00:ec2::254]/":                  "fd00:ec2::254",
		"http://[::ffff:a9fe:a9fe]/":               "169.254.169.254",
		"http://2852039166/":                       "", // an address in one number is a name here, and resolves to nothing or is refused
	} {
		to.Store(target)
		_, err := get(t, c, s.URL)
		if addr == "" {
			if err == nil {
				t.Errorf("%s was followed", target)
			}
			continue
		}
		wantRefused(t, err, addr)
	}
	to.Store("file:///etc/passwd")
	if _, err := get(t, c, s.URL); err == nil || !strings.Contains(err.Error(), "neither https nor http") {
		t.Errorf("file: %v", err)
	}
	to.Store("http://user:password@127.0.0.1/")
	if _, err := get(t, c, s.URL); err == nil || !strings.Contains(err.Error(), "a user and a password") {
		t.Errorf("userinfo: %v", err)
	}
	to.Store(s.URL)
	n.Store(0)
	if _, err := get(t, c, s.URL); err == nil || n.Load() != 4 {
		t.Errorf("a loop: %v after %d requests, want 4", err, n.Load())
	}
	n.Store(0)
	resp, err := c.Post(s.URL, "text/plain", strings.NewReader("secret"))
	if err == nil {
		resp.Body.Close()
	}
	if err == nil || n.Load() != 1 {
		t.Errorf("a POST was redirected: %v after %d requests", err, n.Load())
	}
}

func TestNoWayBackFromHTTPS(t *testing.T) {
	plain, n := counted(t, nil)
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer secure.Close()
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	_, err := get(t, New(Config{Allow: loopback, Roots: roots}), secure.URL)
	if err == nil || !strings.Contains(err.Error(), "from https to http") || n.Load() != 0 {
		t.Errorf("got %v after %d requests", err, n.Load())
	}
	if _, err := get(t, New(Config{Allow: loopback}), secure.URL); err == nil {
		t.Error("a certificate of nobody was believed")
	}
}

func TestBodyIsBounded(t *testing.T) {
	var size atomic.Int64
	s, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		body := strings.Repeat("a", int(size.Load()))
		switch r.URL.Path {
		case "/chunked":
			_, _ = io.WriteString(w, body[:len(body)/2])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, body[len(body)/2:])
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, body)
			_ = z.Close()
		default:
			_, _ = io.WriteString(w, body)
		}
	})
	c := New(Config{Allow: loopback, MaxBody: 1000})
	for _, path := range []string{"/", "/chunked", "/gzip"} {
		size.Store(1000)
		if b, err := get(t, c, s.URL+path); err != nil || len(b) != 1000 {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
		size.Store(1001)
		var long *TooLongError
		if b, err := get(t, c, s.URL+path); !errors.As(err, &long) || len(b) > 1000 {
			t.Errorf("%s: %d bytes, %v", path, len(b), err)
		}
	}
}

func TestTimeIsBounded(t *testing.T) {
	s, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	start := time.Now()
	_, err := get(t, New(Config{Allow: loopback, Timeout: 200 * time.Millisecond}), s.URL)
	if err == nil || time.Since(start) > 5*time.Second {
		t.Errorf("got %v after %s", err, time.Since(start))
	}
}
