package app

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/keys"
)

func keyring(t *testing.T, dir string) *Keyring {
	t.Helper()
	k, err := OpenKeyring(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
	})
	return k
}

func newToken(t *testing.T, k *Keyring, expires string, scopes ...string) (string, Token) {
	t.Helper()
	text, tok, err := k.NewToken("test", scopes, expires, "test")
	if err != nil {
		t.Fatal(err)
	}
	return text, tok
}

// present sends a request with an Authorization header, if any.
func present(t *testing.T, method, address, authorization, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

const tried = `{"specversion":"1.0","id":"e1","source":"/try/acme","type":"dev.steward.incident.opened.v1","subject":"try:acme:1",` +
	`"time":"2026-01-05T09:00:00Z","data":{"incident":"try:acme:1","title":"Slow"}}`

// A running server lets in who shows the right token, of which the command line made some
// only now, and nobody learns why another is refused.
func TestTokensOpenDoors(t *testing.T) {
	dir := t.TempDir()
	k := keyring(t, dir)
	early, _ := newToken(t, k, "", "ingest")
	a, l, stop := boot(t, Config{Data: dir})
	one, _ := newToken(t, k, "never", "ingest:cloudevents")
	other, _ := newToken(t, k, "", "ingest:pagerduty")
	read, _ := newToken(t, k, "", "read")
	admin, adminToken := newToken(t, k, "", "admin")
	gone, goneToken := newToken(t, k, "", "ingest", "admin")
	if err := k.Revoke(goneToken.ID); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond) // the server looks at the file once a second, and may have done so in between
	record, err := ReadRecord(dir)
	if err != nil || record == nil || len(record.LocalToken) < 43 {
		t.Fatalf("the note has no token: %v", err)
	}
	if info, err := os.Stat(recordPath(dir)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the note with the token has the mode %v, %v", info.Mode(), err)
	}
	typo := early[:20] + "!" + early[21:]
	var words string
	for _, c := range []struct {
		name, authorization string
		ingest, rebuild     int
	}{
		{"nothing", "", 401, 401},
		{"another scheme", "Basic " + early, 401, 401},
		{"an empty token", "Bearer ", 401, 401},
		{"a typo", "Bearer " + typo, 401, 401},
		{"revoked", "Bearer " + gone, 401, 401},
		{"every source", "Bearer " + early, 202, 403},
		{"this source", "bearer  " + one, 202, 403},
		{"another source", "Bearer " + other, 401, 403},
		{"read", "Bearer " + read, 401, 403},
		{"admin", "Bearer " + admin, 401, 200},
		{"the local token", "Bearer " + record.LocalToken, 202, 200},
	} {
		code, head, body := present(t, "POST", a.URL()+"/ingest/cloudevents", c.authorization, tried, "Content-Type", "application/cloudevents+json")
		if code != c.ingest {
			t.Errorf("%s: the intake answers %d %s, want %d", c.name, code, body, c.ingest)
		}
		if code == 401 && head.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: the intake says WWW-Authenticate: %q", c.name, head.Get("WWW-Authenticate"))
		}
		for _, work := range []string{"rebuild", "import?format=cloudevents"} {
			code, head, body = present(t, "POST", a.URL()+"/api/v1/"+work, c.authorization, tried)
			if code != c.rebuild {
				t.Errorf("%s: %s answers %d %s, want %d", c.name, work, code, body, c.rebuild)
			}
			if code >= 400 && !strings.HasPrefix(head.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: %s says no WWW-Authenticate", c.name, work)
			}
			if code == 401 {
				if words == "" {
					words = body
				}
				if body != words {
					t.Errorf("%s is told %s, others are told %s", c.name, body, words)
				}
			}
		}
	}
	stop()
	for _, text := range []string{early, one, other, read, admin, gone, typo, record.LocalToken} {
		if strings.Contains(l.String(), text[4:40]) {
			t.Error("the log holds the text of a token")
		}
	}
	if !strings.Contains(l.String(), goneToken.ID) {
		t.Error("the log does not say which token was refused")
	}
	for _, tok := range k.List() {
		if used := !tok.LastUsed.IsZero(); tok.ID == adminToken.ID && !used || tok.ID == goneToken.ID && used {
			t.Errorf("token %s: last used %v", tok.ID, tok.LastUsed)
		}
	}
}

func TestDevAndDemoTrust(t *testing.T) {
	for name, cfg := range map[string]Config{"dev": {Dev: true}, "demo": {Demo: true}} {
		a := &App{cfg: cfg.withDefaults()}
		w := httptest.NewRecorder()
		a.needs("admin", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })(w, httptest.NewRequest("POST", "/", nil))
		if w.Code != http.StatusNoContent {
			t.Errorf("%s: %d", name, w.Code)
		}
		made, err := New(cfg)
		if err != nil || made.authorize != nil || made.may != nil {
			t.Errorf("%s: the intake asks for tokens; %v", name, err)
		}
	}
	if made, err := New(Config{}); err != nil || made.authorize == nil || made.may == nil {
		t.Errorf("a plain server asks for nothing; %v", err)
	}
}

// A token for sending incidents is not one for saying who leads a team: its holder could
// make themselves the lead, or another person.
func TestTokensForTheDirectory(t *testing.T) {
	dir := t.TempDir()
	k := keyring(t, dir)
	sender, _ := newToken(t, k, "", "ingest")
	both, _ := newToken(t, k, "", "ingest:cloudevents", "directory")
	alone, _ := newToken(t, k, "", "directory", "admin")
	a, _, _ := boot(t, Config{Data: dir})
	record, err := ReadRecord(dir)
	if err != nil || record == nil {
		t.Fatal(err)
	}
	n := 0
	send := func(token string, kinds ...event.Kind) (int, string) {
		var batch []string
		for _, kind := range kinds {
			n++
			batch = append(batch, fmt.Sprintf(`{"specversion":"1.0","id":"d%d","source":"/try","type":%q,"data":{"person":"mallory@try.example","team":"t","role":"lead","aliases":["ana@try.example"],`+
				`"service":"s","name":"n","policy":"p","incident":"i","schedule":"r","start":"2026-01-05T09:00:00Z","end":"2026-01-05T10:00:00Z"}}`, n, kind.Type()))
		}
		code, _, text := present(t, "POST", a.URL()+"/ingest/cloudevents", "Bearer "+token, "["+strings.Join(batch, ",")+"]", "Content-Type", "application/cloudevents-batch+json")
		return code, text
	}
	stored := func() uint64 {
		t.Helper()
		if err := a.core.Sink.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		return rowsOf(t, a.core, "SELECT 'n', count() FROM events WHERE source = '/try'")["n"]
	}
	directory := []event.Kind{event.MemberJoined, event.MemberLeft, event.PersonDescribed, event.TeamDescribed, event.ServiceOwned, event.ServiceDescribed, event.PolicyPublished}
	for _, kind := range directory {
		code, text := send(sender, event.IncidentNoted, kind)
		if code != 403 || !strings.Contains(text, `"field":"type"`) || !strings.Contains(text, string(kind)) || !strings.Contains(text, "scope directory") {
			t.Errorf("%s with a token for sending: %d %s", kind, code, text)
		}
	}
	if got := stored(); got != 0 {
		t.Errorf("%d events of refused deliveries are stored", got)
	}
	if code, text := send(alone, event.MemberJoined); code != 401 {
		t.Errorf("a token that may not send at all: %d %s", code, text)
	}
	if code, text := send(sender, event.IncidentNoted, event.ChangeDeployed); code != 202 {
		t.Errorf("what a sender may say: %d %s", code, text)
	}
	for _, token := range []string{both, record.LocalToken} {
		if code, text := send(token, append(directory, event.IncidentNoted)...); code != 202 {
			t.Errorf("with the scope: %d %s", code, text)
		}
	}
	if got := stored(); got != 2+8+8 {
		t.Errorf("%d events are stored", got)
	}
}

// On a laptop whoever looks as somebody else may do what that one may: the switcher shows a
// colleague what they will see, and must not leave the operator's power in their hands.
func TestViewingAsAdministers(t *testing.T) {
	a, _, _ := boot(t, Config{Data: t.TempDir(), Dev: true})
	for as, want := range map[string]int{"": 200, "everything": 200, "admin": 200, "viewer": 403, "people-admin": 403, "person:ana@try.example": 403, "nobody": 403} {
		for _, how := range []string{"Steward-View-As", "Cookie"} {
			value := as
			if how == "Cookie" {
				value = "steward_view_as=" + url.QueryEscape(as)
			}
			for path, body := range map[string]string{"import?format=cloudevents": "", "rebuild": "", "forget": `{"person":"nobody@try.example"}`} {
				code, _, text := present(t, "POST", a.URL()+"/api/v1/"+path, "", body, how, value)
				if path == "forget" && code == 404 { // let through, and nobody knows them
					code = 200
				}
				if code != want {
					t.Errorf("%s as %q by %s: %d %s, want %d", path, as, how, code, text, want)
				}
			}
		}
	}
}

// Two tokens may have one name; what is done with them is told apart.
func TestActsOfTokensOfOneName(t *testing.T) {
	dir := t.TempDir()
	k := keyring(t, dir)
	one, oneToken := newToken(t, k, "", "admin", "read")
	two, twoToken := newToken(t, k, "", "admin")
	if oneToken.Name != twoToken.Name {
		t.Fatal("this test would prove nothing")
	}
	a, _, _ := boot(t, Config{Data: dir})
	for _, token := range []string{one, two} {
		if code, _, text := present(t, "POST", a.URL()+"/api/v1/rebuild", "Bearer "+token, ""); code != 200 {
			t.Fatalf("%d %s", code, text)
		}
	}
	if resp, err := http.PostForm(a.URL()+"/signin", url.Values{"token": {one}}); err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	by := acts(t, a.core)
	for _, want := range []string{"rebuild by token:" + called(oneToken), "rebuild by token:" + called(twoToken), "signed in by token:" + called(oneToken)} {
		if by[want] != 1 {
			t.Errorf("the audit log does not have %q: %v", want, by)
		}
	}
	if w, err := ofToken(oneToken); err != nil || w.By() != "token:"+oneToken.Name+" ("+oneToken.ID+")" {
		t.Errorf("%q, %v", w.By(), err)
	}
}

// acts are the audit log: "ACTION by WHO", and of what behind it.
func acts(t *testing.T, c *Core) map[string]uint64 {
	t.Helper()
	if err := c.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	out := map[string]uint64{}
	for act, n := range rowsOf(t, c, "SELECT concat(JSONExtractString(data, 'action'), ' by ', JSONExtractString(data, 'by'), if(JSONExtractString(data, 'target') = '', '', ' of '), JSONExtractString(data, 'target')), uniqExact(source, id) FROM events WHERE kind = 'audit.recorded' GROUP BY 1") {
		action, by, _ := strings.Cut(act, " by ")
		by, target, of := strings.Cut(by, " of ")
		act = action + " by " + c.Vault.Reveal(by)
		if of {
			act += " of " + target
		}
		out[act] += n
	}
	return out
}

func pdSign(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

// While a secret is rotated a real server takes deliveries signed with the old and the new
// one; the next rotation ends the oldest. A secret of the vendor and one of the command
// line stay beside them, and an account's own is for that account alone.
func TestSecretsRotate(t *testing.T) {
	dir := t.TempDir()
	k := keyring(t, dir)
	a, l, stop := boot(t, Config{Data: dir, PagerDutySecrets: []string{"of-the-flag"}})
	const body = `{"event":{"id":"01X","event_type":"pagey.ping","resource_type":"pagey","occurred_at":"2026-01-05T09:00:00.000Z","agent":null,"client":null,"data":{"type":"ping","message":"Hello"}}}`
	send := func(path, secret string) int {
		t.Helper()
		code, _, _ := present(t, "POST", a.URL()+path, "", body, "Content-Type", "application/json", "X-PagerDuty-Signature", pdSign(secret, body))
		return code
	}
	check := func(path, secret string, want int) {
		t.Helper()
		// A change is noticed within a second.
		deadline := time.Now().Add(3 * time.Second)
		for {
			code := send(path, secret)
			if code == want {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s answers %d, want %d", path, code, want)
			}
			time.Sleep(200 * time.Millisecond)
		}
	}
	rotate := func(account string) string {
		t.Helper()
		text, _, err := k.RotateSecret("pagerduty", account)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	check("/ingest/pagerduty", "of-the-flag", 202)
	first := rotate("")
	check("/ingest/pagerduty", first, 202)
	second := rotate("")
	check("/ingest/pagerduty", second, 202)
	check("/ingest/pagerduty", first, 202)
	check("/ingest/pagerduty/acme", first, 202)
	third := rotate("")
	check("/ingest/pagerduty", third, 202)
	check("/ingest/pagerduty", second, 202)
	check("/ingest/pagerduty", first, 401)
	const vendor = "a-secret-that-pagerduty-made"
	if _, err := k.AddSecret("pagerduty", "", vendor); err != nil {
		t.Fatal(err)
	}
	check("/ingest/pagerduty", vendor, 202)
	own := rotate("acme")
	check("/ingest/pagerduty/acme", own, 202)
	check("/ingest/pagerduty", own, 401)
	check("/ingest/pagerduty", "of-the-flag", 202)
	stop()
	for _, secret := range []string{first, second, third, own, vendor, "of-the-flag"} {
		if strings.Contains(l.String(), secret) {
			t.Error("the log holds a secret")
		}
	}
}

// What a command says when a server wants a token, or another one.
func TestServersRefusalsAreSentences(t *testing.T) {
	dir := t.TempDir()
	k := keyring(t, dir)
	a, _, _ := boot(t, Config{Data: dir})
	read, _ := newToken(t, k, "", "read")
	admin, _ := newToken(t, k, "", "admin")
	rebuild := func(token string) error {
		where, err := OpenTarget(t.Context(), TargetConfig{Server: a.URL(), Token: token})
		if err != nil {
			return err
		}
		defer where.Close()
		return where.Rebuild(t.Context(), nil)
	}
	for token, want := range map[string]string{
		"": "set STEWARD_TOKEN", "stw_x": "does not accept the token", read: "needs a token with the scope admin",
	} {
		err := rebuild(token)
		if err == nil || !strings.Contains(err.Error(), want) || token != "" && strings.Contains(err.Error(), token) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	if err := rebuild(admin); err != nil {
		t.Errorf("the right token: %v", err)
	}
	// An import is refused before its body is read, however long that is.
	where, err := OpenTarget(t.Context(), TargetConfig{Server: a.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer where.Close()
	for range 5 {
		_, err := where.Import(t.Context(), ImportRequest{Format: "cloudevents", Reader: bytes.NewReader(make([]byte, 32<<20))})
		if err == nil || !strings.Contains(err.Error(), "set STEWARD_TOKEN") {
			t.Errorf("a long import without a token: %v", err)
		}
	}
}

// A token goes to the server that was named, encrypted or within this machine, and nowhere
// else.
func TestATokenStaysWithItsServer(t *testing.T) {
	const token = "stw_secret"
	for server, ok := range map[string]bool{
		"http://127.0.0.1:1": true, "http://localhost:1": true, "http://[::1]:1": true, "https://steward.example": true,
		"http://steward.example": false, "http://10.0.0.1:8080": false, "http://127.0.0.1.example": false, "http://localhost@steward.example": false,
	} {
		_, err := OpenTarget(t.Context(), TargetConfig{Server: server, Token: token})
		var usage *UsageError
		if (err == nil) != ok || !ok && (!errors.As(err, &usage) || !strings.Contains(err.Error(), "without encryption") || strings.Contains(err.Error(), token)) {
			t.Errorf("%s: %v", server, err)
		}
		if _, err := OpenTarget(t.Context(), TargetConfig{Server: server}); err != nil {
			t.Errorf("%s without a token: %v", server, err)
		}
	}

	var got []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = append(got, r.Header.Get("Authorization")) }))
	defer other.Close()
	var own []string
	named := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		own = append(own, r.Header.Get("Authorization"))
		switch {
		case strings.HasSuffix(r.URL.Path, "/away"):
			http.Redirect(w, r, other.URL+"/?token=x", http.StatusTemporaryRedirect)
		case strings.HasSuffix(r.URL.Path, "/here"):
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		default:
			fmt.Fprint(w, "{}")
		}
	}))
	defer named.Close()
	where, err := OpenTarget(t.Context(), TargetConfig{Server: named.URL, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer where.Close()
	if _, err := where.Query(t.Context(), "away", nil, "json"); err == nil || !strings.Contains(err.Error(), "--server") || strings.Contains(err.Error(), token) {
		t.Errorf("a redirect to another server: %v", err)
	}
	if len(got) != 0 {
		t.Errorf("the other server was sent %q", got)
	}
	if _, err := where.Query(t.Context(), "here", nil, "json"); err != nil {
		t.Errorf("a redirect within the server: %v", err)
	}
	if own[len(own)-1] != "Bearer "+token {
		t.Errorf("the server was shown %q", own)
	}
}

func TestKeyring(t *testing.T) {
	if _, err := OpenKeyring(t.TempDir()+"/none", false); err == nil || !strings.Contains(err.Error(), "no data directory") {
		t.Errorf("a directory that is not there: %v", err)
	}
	k := keyring(t, t.TempDir()+"/new")
	for want, f := range map[string]func() error{
		"allowed: ingest, ingest:SOURCE, directory, read, admin": func() error { _, _, err := k.NewToken("n", []string{"write"}, "", ""); return err },
		"cloudevents, pagerduty":                                 func() error { _, _, err := k.NewToken("n", []string{"ingest:nagios"}, "", ""); return err },
		"expires: ":                                              func() error { _, _, err := k.NewToken("n", []string{"read"}, "soon", ""); return err },
		"allowed: pagerduty":                                     func() error { return CheckSigning("cloudevents") },
	} {
		var usage *UsageError
		if err := f(); !errors.As(err, &usage) || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
	_, tok := newToken(t, k, "", "read")
	if text, err := json.Marshal(tok); err != nil || strings.Contains(string(text), "sha256") || tok.Expires.Sub(tok.Created) != keys.DefaultExpiry {
		t.Errorf("%s, %v", text, err)
	}
}
