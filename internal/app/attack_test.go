package app

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/signin"
)

// Attacks on the whole product. Those on signing in are in internal/signin, those on
// fetched addresses in internal/outbound.

func signature(secret string, body []byte) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

func TestForgedAndReplayedWebhooks(t *testing.T) {
	a, _, _ := boot(t, Config{Data: t.TempDir(), PagerDutySecrets: []string{"the-secret-of-this-subscription"}})
	body, err := os.ReadFile("../../ingest/source/testdata/pagerduty/triggered.json")
	if err != nil {
		t.Fatal(err)
	}
	send := func(body []byte, head string) int {
		code, _, _ := present(t, "POST", a.URL()+"/ingest/pagerduty", "", string(body), "Content-Type", "application/json", "X-PagerDuty-Signature", head)
		return code
	}
	good := signature("the-secret-of-this-subscription", body)
	other := bytes.Replace(body, []byte("incident.triggered"), []byte("incident.resolved!"), 1)
	for name, c := range map[string]struct {
		body []byte
		head string
	}{
		"none": {body, ""}, "of another secret": {body, signature("x", body)}, "of another body": {other, good}, "of nothing": {body, "v1="}, "without a version": {body, strings.TrimPrefix(good, "v1=")},
		"cut": {body, good[:len(good)-1]}, "of another version": {body, "v2=" + good[3:]},
	} {
		if code := send(c.body, c.head); code != 401 {
			t.Errorf("a signature %s: %d", name, code)
		}
	}
	if err := a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	const count = "SELECT 'n', count() FROM (SELECT DISTINCT source, id FROM events WHERE kind != 'audit.recorded')"
	if n := rowsOf(t, a.core, count)["n"]; n != 0 {
		t.Fatalf("%d events of forged deliveries are stored", n)
	}
	for range 5 {
		if code := send(body, good); code != 202 {
			t.Fatalf("a delivery that is sent again: %d", code)
		}
	}
	if err := a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := rowsOf(t, a.core, count)["n"]
	if send(body, "v1=0000,"+good); first == 0 {
		t.Error("the delivery made no events")
	}
	if err := a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, a.core, count)["n"]; n != first {
		t.Errorf("sent again it counts %d instead of %d", n, first)
	}
}

// Headers that somebody else writes say nothing of who asks.
func TestForgedHeadersSayNothing(t *testing.T) {
	proxied := &signin.Config{Proxy: &signin.Proxy{From: []string{"192.0.2.0/24"}}, DefaultRole: access.Viewer, Roles: []access.Rule{{Person: "root@x.example", Role: access.PeopleAdmin}}}
	a, _, _ := boot(t, Config{Data: t.TempDir(), Access: proxied})
	for _, heads := range [][]string{
		{"X-Forwarded-Email", "root@x.example"},
		{"X-Forwarded-Email", "root@x.example", "X-Forwarded-For", "192.0.2.9"},
		{"X-Forwarded-Email", "root@x.example", "X-Real-Ip", "192.0.2.9", "Forwarded", "for=192.0.2.9"},
		{"Steward-View-As", "everything"},
		{"Steward-View-As", "people-admin", "Cookie", "steward_view_as=everything; __Host-steward=x; steward_session=x"},
		{"X-Http-Method-Override", "POST"},
		{"X-Original-Url", "/healthz"},
	} {
		for _, path := range []string{"/api/v1/metrics/interruptions?by=person", "/api/v1/metrics", "/audit", "/"} {
			code, _, text := present(t, "GET", a.URL()+path, "", "", heads...)
			if code != 401 && code != 429 { // 429: so many have failed from here
				t.Errorf("%v at %s: %d %.100s", heads, path, code, text)
			}
		}
	}
	if code, _, _ := present(t, "POST", a.URL()+"/viewas", "", "as=everything"); code < 400 {
		t.Errorf("the switcher of a laptop works where people sign in: %d", code)
	}
}

// Paths that spell a route in another way are that route or none.
func TestPathTricks(t *testing.T) {
	a, _, _ := boot(t, Config{Data: t.TempDir()})
	for _, path := range []string{
		"/static/../audit", "/static/..%2Faudit", "/static/%2e%2e/audit", "//audit", "/./audit", "/healthz/../audit", "/healthz%2F..%2Faudit", "/audit/", "/AUDIT", "/audit;x=healthz", "/audit%00", "/%61udit",
		"/api/v1/../../audit", "/api//v1/metrics", "/api/v1/metrics/%2e%2e/events?incident=x", "/api/v1/metrics/..%2Fevents", "/people/..%2F..%2Faudit", "/ingest/../audit", "/ingest/..%2f..%2faudit", "/quarantine/..%2ftokens", "/signin/..%2Faudit", "/static/..%5c..%5ckeys.json", "/static/%2fetc%2fpasswd", "/static/server.json",
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			conn.Close()
			continue // refused as no request at all
		}
		text, _ := io.ReadAll(resp.Body)
		conn.Close()
		if resp.StatusCode < 300 || strings.Contains(string(text), "Who did what?") {
			t.Errorf("%s: %d %.80s", path, resp.StatusCode, text)
		}
		if to := resp.Header.Get("Location"); to != "" && !strings.HasPrefix(to, "/signin?next=") && !strings.HasPrefix(to, "/") {
			t.Errorf("%s leads to %s", path, to)
		}
	}
}

// Bodies are bounded before anybody is asked who they are, and a sender that stalls holds
// nothing but its connection.
func TestBodies(t *testing.T) {
	a, _, _ := boot(t, Config{Data: t.TempDir()})
	huge := strings.Repeat("x", 600<<10)
	for path, want := range map[string]int{"/ingest/pagerduty": 413, "/tokens": 413, "/quarantine/x/redrive": 413, "/api/v1/forget": 401, "/api/v1/import?format=cloudevents": 401} {
		code, _, _ := present(t, "POST", a.URL()+path, "", huge, "Content-Type", "application/x-www-form-urlencoded")
		if code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	// Five hundred who send one byte of a body and no more; others are served.
	var conns []net.Conn
	for range 500 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL(), "http://"))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		fmt.Fprintf(conn, "POST /ingest/pagerduty HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500000\r\n\r\nx")
	}
	start := time.Now()
	if code, _, _ := present(t, "GET", a.URL()+"/healthz", "", ""); code != 200 || time.Since(start) > 5*time.Second {
		t.Errorf("others wait: %d after %v", code, time.Since(start))
	}
	for _, c := range conns {
		c.Close()
	}
	// A head that never ends.
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
	if err := conn.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(conn); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Error("a head that does not come keeps its connection")
	}
}

// A browser with somebody's session, on a page of somebody else.
func TestRequestsOfOtherSites(t *testing.T) {
	a, _, _ := boot(t, Config{Data: t.TempDir(), Dev: true})
	for _, path := range []string{"/viewas", "/tokens", "/tokens/x/revoke", "/secrets", "/quarantine/x/redrive", "/api/v1/import?format=cloudevents", "/api/v1/rebuild", "/api/v1/forget", "/ingest/cloudevents"} {
		for _, heads := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			code, _, _ := present(t, "POST", a.URL()+path, "", "x=1", append([]string{"Content-Type", "application/x-www-form-urlencoded"}, heads...)...)
			if code != http.StatusForbidden {
				t.Errorf("%v at %s: %d", heads, path, code)
			}
		}
	}
	// A name that somebody points at this machine.
	r := httptest.NewRequest("GET", a.URL()+"/api/v1/metrics", nil)
	r.RequestURI = ""
	r.Host = "rebound.evil.example"
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("a rebound name is answered: %d", resp.StatusCode)
	}
}

// A browser signs in with a token where there is nothing else; the session ends with it.
func TestSigningInWithAToken(t *testing.T) {
	dir := t.TempDir()
	k := keyring(t, dir)
	read, tok := newToken(t, k, "", "read")
	ingest, _ := newToken(t, k, "", "ingest")
	a, _, _ := boot(t, Config{Data: dir})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	do := func(method, path, body string, cookies ...*http.Cookie) *http.Response {
		t.Helper()
		r, err := http.NewRequest(method, a.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	if r := do("GET", "/teams?window=4w", ""); r.StatusCode != 303 || r.Header.Get("Location") != "/signin?next="+url.QueryEscape("/teams?window=4w") {
		t.Errorf("nobody is led to %q (%d)", r.Header.Get("Location"), r.StatusCode)
	}
	if r := do("GET", "/signin?next=/teams", ""); r.StatusCode != 200 {
		t.Errorf("the form: %d", r.StatusCode)
	}
	form := func(token, next string) string { return url.Values{"token": {token}, "next": {next}}.Encode() }
	for _, bad := range []string{"", "x", ingest, read[:len(read)-1] + "!"} {
		if r := do("POST", "/signin", form(bad, "/")); r.StatusCode != 401 || len(r.Cookies()) > 0 {
			t.Errorf("a token that does not hold: %d, %v", r.StatusCode, r.Cookies())
		}
	}
	if r := do("POST", "/signin", form(read, "//evil.example")); r.Header.Get("Location") != "/" {
		t.Errorf("leads to %q", r.Header.Get("Location"))
	}
	planted := &http.Cookie{Name: "steward_session", Value: "planted-by-somebody-else-planted-by-somebody"}
	in := do("POST", "/signin", form(read, "/teams"), planted)
	if in.StatusCode != 303 || in.Header.Get("Location") != "/teams" || len(in.Cookies()) != 1 || in.Cookies()[0].Value == planted.Value {
		t.Fatalf("%d to %q, %v", in.StatusCode, in.Header.Get("Location"), in.Cookies())
	}
	session := in.Cookies()[0]
	if !session.HttpOnly || strings.Contains(session.Value, "stw_") {
		t.Errorf("the cookie: %v", session)
	}
	if r := do("GET", "/teams", "", session); r.StatusCode != 200 {
		t.Errorf("signed in: %d", r.StatusCode)
	}
	if r := do("GET", "/audit", "", session); r.StatusCode != 403 {
		t.Errorf("a token for reading administers: %d", r.StatusCode)
	}
	if r := do("GET", "/teams", "", planted); r.StatusCode != 303 {
		t.Errorf("the planted session is signed in: %d", r.StatusCode)
	}
	if err := k.Revoke(tok.ID); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // the server looks at the file once a second
	if r := do("GET", "/teams", "", session); r.StatusCode != 303 {
		t.Errorf("the session outlives its token: %d", r.StatusCode)
	}
}

// While the provider is down the server runs, and signing in says so.
func TestProviderThatIsDown(t *testing.T) {
	t.Setenv("TEST_OIDC_SECRET", "a-secret-of-the-provider")
	a, _, _ := boot(t, Config{Data: t.TempDir(), Access: &signin.Config{DefaultRole: access.Viewer, OIDC: &signin.OIDC{
		Issuer: "http://127.0.0.1:1", ClientID: "steward", ClientSecretEnv: "TEST_OIDC_SECRET", RedirectURL: "http://127.0.0.1:8080/signin/callback", AllowPrivate: []string{"127.0.0.0/8"},
	}}})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(a.URL() + "/oncall")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/signin?next=%2Foncall" {
		t.Fatalf("%d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, err = client.Get(a.URL() + resp.Header.Get("Location")); err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Content-Security-Policy") == "" || !strings.Contains(string(text), "<h1>") {
		t.Errorf("%d, %v: %.300s", resp.StatusCode, err, text)
	}
	if strings.Contains(string(text), "a-secret") {
		t.Error("the page holds a secret")
	}
	for path, want := range map[string]int{"/healthz": 200, "/api/v1/metrics": 401} {
		if code, _, _ := present(t, "GET", a.URL()+path, "", ""); code != want {
			t.Errorf("%s: %d", path, code)
		}
	}
}
