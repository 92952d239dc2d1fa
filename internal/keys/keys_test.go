package keys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 3, 1, 12, 0, 30, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time        { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(by time.Duration) { c.at.Add(int64(by)) }

func open(t testing.TB, path string, c *clock) *Store {
	t.Helper()
	s, err := Open(path, c.now)
	if err != nil {
		t.Fatal(err)
	}
	s.look = 0
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func keysPath(t testing.TB) string { return filepath.Join(t.TempDir(), "keys.json") }

func issue(t testing.TB, s *Store, expires time.Time, scopes ...string) (string, Token) {
	t.Helper()
	text, tok, err := s.Issue("deploy", scopes, expires, "test")
	if err != nil {
		t.Fatal(err)
	}
	return text, tok
}

func TestTokenText(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		text := newToken()
		if len(text) != 53 || !wellFormed(text) || seen[text] {
			t.Fatalf("a text of %d characters, well formed %v", len(text), wellFormed(text))
		}
		seen[text] = true
	}
	text := newToken()
	for i := range len(text) {
		typo := []byte(text)
		typo[i] = 'x'
		if typo[i] == text[i] {
			typo[i] = 'y'
		}
		if wellFormed(string(typo)) {
			t.Errorf("a typo at %d is not noticed", i)
		}
	}
	for _, bad := range []string{"", "stw_", text[1:], text + "0", text[:52], " " + text, "gh" + text[2:], strings.Repeat("\xff", 53)} {
		if wellFormed(bad) {
			t.Errorf("%d characters pass for a token", len(bad))
		}
	}
}

func TestCheckTellsWhy(t *testing.T) {
	c := newClock()
	s := open(t, keysPath(t), c)
	end := c.now().Add(time.Hour)
	text, made := issue(t, s, end, "read")
	if got, err := s.Check(text); err != nil || got.ID != made.ID || got.Name != "deploy" || got.CreatedBy != "test" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := s.Check(newToken()); !errors.Is(err, ErrUnknown) || errors.Is(err, ErrMistyped) {
		t.Errorf("another's token: %v", err)
	}
	if _, err := s.Check(text[:len(text)-1] + "!"); !errors.Is(err, ErrMistyped) || !errors.Is(err, ErrUnknown) {
		t.Errorf("a typo: %v", err)
	}
	// Valid up to the last nanosecond before the moment, and not at it.
	c.at.Store(end.UnixNano() - 1)
	if _, err := s.Check(text); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	c.at.Store(end.UnixNano())
	if got, err := s.Check(text); !errors.Is(err, ErrExpired) || got.ID != made.ID {
		t.Errorf("at its end: %v", err)
	}
	if err := s.Revoke(made.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(text); !errors.Is(err, ErrRevoked) {
		t.Errorf("revoked: %v", err)
	}
	if err := s.Revoke(text); !errors.Is(err, ErrNoID) || strings.Contains(err.Error(), text) {
		t.Errorf("revoking a text: %v", err)
	}
	forever, _ := issue(t, s, time.Time{}, "read")
	c.pass(200 * 365 * 24 * time.Hour)
	if _, err := s.Check(forever); err != nil {
		t.Errorf("a token that never ends: %v", err)
	}
}

func TestIssueRefuses(t *testing.T) {
	c := newClock()
	s := open(t, keysPath(t), c)
	for name, f := range map[string]func() error{
		"name: ":               func() error { _, _, err := s.Issue("", []string{"read"}, time.Time{}, ""); return err },
		"name: it":             func() error { _, _, err := s.Issue("a\x1b[31m", []string{"read"}, time.Time{}, ""); return err },
		"allowed: ingest, ":    func() error { _, _, err := s.Issue("n", []string{"write"}, time.Time{}, ""); return err },
		"none is given":        func() error { _, _, err := s.Issue("n", nil, time.Time{}, ""); return err },
		`"ingest:" is unknown`: func() error { _, _, err := s.Issue("n", []string{"ingest:"}, time.Time{}, ""); return err },
		`"ingest:a b"`:         func() error { _, _, err := s.Issue("n", []string{"ingest:a b"}, time.Time{}, ""); return err },
		"expires: ":            func() error { _, _, err := s.Issue("n", []string{"read"}, c.now(), ""); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(s.List()) != 0 {
		t.Error("something refused is listed")
	}
}

func TestAllows(t *testing.T) {
	for _, c := range []struct {
		has, asked string
		ok         bool
	}{
		{"ingest", "ingest", true}, {"ingest", "ingest:pagerduty", true}, {"ingest:pagerduty", "ingest:pagerduty", true},
		{"ingest:pagerduty", "ingest", false}, {"ingest:pagerduty", "ingest:cloudevents", false}, {"ingest:pager", "ingest:pagerduty", false},
		{"ingest", "read", false}, {"admin", "read", false}, {"admin", "ingest", false}, {"read", "admin", false}, {"admin", "admin", true},
		{"ingest", "ingestion", false}, {"read", "", false}, {"ingest", "directory", false}, {"admin", "directory", false}, {"directory", "directory", true}, {"directory", "ingest", false},
	} {
		if got := (Token{Scopes: []string{c.has}}).Allows(c.asked); got != c.ok {
			t.Errorf("%s allows %s: %v", c.has, c.asked, got)
		}
	}
}

func TestParseExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 30, 5, time.UTC)
	for text, want := range map[string]string{
		"": "2026-05-30T12:00:30Z", "30d": "2026-03-31T12:00:30Z", "1d": "2026-03-02T12:00:30Z", "never": "0001-01-01T00:00:00Z",
		"2026-03-02": "2026-03-02T00:00:00Z", "2026-03-01T14:00:00+01:00": "2026-03-01T13:00:00Z",
	} {
		if got, err := ParseExpiry(text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"0d", "-1d", "99999999d", "d", "soon", "2026-03-01", "2026-03-01T12:00:30Z", "1h", "NEVER", " "} {
		if got, err := ParseExpiry(bad, now); err == nil || !strings.HasPrefix(err.Error(), "expires: ") {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

// The text of a token is in no file, no list and no error.
func TestTokenTextIsNowhere(t *testing.T) {
	c := newClock()
	path := keysPath(t)
	s := open(t, path, c)
	text, _ := issue(t, s, time.Time{}, "admin")
	if _, err := s.Check(text); err != nil {
		t.Fatal(err)
	}
	if err := s.writeUses(); err != nil {
		t.Fatal(err)
	}
	body := strings.TrimPrefix(text, tokenPrefix)[:bodyLength]
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), body) {
			t.Errorf("%s holds the text", filepath.Base(n))
		}
		if info, err := os.Stat(n); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v, %v", filepath.Base(n), info.Mode(), err)
		}
	}
}

func TestLastUsedIsKeptToTheMinute(t *testing.T) {
	c := newClock()
	path := keysPath(t)
	s := open(t, path, c)
	text, _ := issue(t, s, time.Time{}, "read")
	unused, _ := issue(t, s, time.Time{}, "read")
	if _, err := s.Check(text); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := s.Check(text); err != nil {
			t.Fatal(err)
		}
	}
	if after, err := os.Stat(path); err != nil || !sameFile(before, after) {
		t.Errorf("a request writes the file: %v", err)
	}
	want := c.now().UTC().Truncate(time.Minute)
	if got := s.List()[0].LastUsed; !got.Equal(want) {
		t.Errorf("listed as used %v, want %v", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path, c)
	got := again.List()
	if !got[0].LastUsed.Equal(want) || !got[1].LastUsed.IsZero() {
		t.Errorf("after Close and Open: used %v and %v, want %v and never", got[0].LastUsed, got[1].LastUsed, want)
	}
	// A later use elsewhere is not overwritten by an earlier one from here.
	c.pass(-10 * time.Minute)
	if _, err := again.Check(text); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Check(unused); err != nil {
		t.Fatal(err)
	}
	if err := again.writeUses(); err != nil {
		t.Fatal(err)
	}
	if got := again.List()[0].LastUsed; !got.Equal(want) {
		t.Errorf("last used went back to %v", got)
	}
}

// The command line and a server share nothing but the file.
func TestTwoProcessesSeeEachOther(t *testing.T) {
	c := newClock()
	path := keysPath(t)
	server, cli := open(t, path, c), open(t, path, c)
	server.look = time.Hour // a new token works at once all the same
	text, tok := issue(t, cli, time.Time{}, "ingest")
	if _, err := server.Check(text); err != nil {
		t.Errorf("a new token: %v", err)
	}
	server.look = 0
	if err := cli.Revoke(tok.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Check(text); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked token: %v", err)
	}
	secret, _, err := cli.RotateSecret("pagerduty", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := server.Secrets("pagerduty", "default"); len(got) != 1 || got[0] != secret {
		t.Errorf("%d secrets are seen", len(got))
	}
}

// Nothing is lost when two stores, and several goroutines of each, change the file.
func TestConcurrentChanges(t *testing.T) {
	c := newClock()
	path := keysPath(t)
	stores := []*Store{open(t, path, c), open(t, path, c)}
	for _, s := range stores {
		s.Report(func(err error) { t.Errorf("a reader sees half a file: %v", err) })
	}
	const each = 10
	var all sync.WaitGroup
	texts := make(chan string, 4*each)
	for i := range 4 {
		s := stores[i%2]
		all.Go(func() {
			for n := range each {
				text, tok, err := s.Issue("n", []string{"read"}, time.Time{}, "")
				if err != nil {
					t.Error(err)
					return
				}
				texts <- text
				if _, err := s.Check(text); err != nil {
					t.Error(err)
				}
				if n == 0 {
					if err := s.Revoke(tok.ID); err != nil {
						t.Error(err)
					}
				}
			}
		})
		all.Go(func() {
			for range 200 {
				s.List()
				s.Secrets("pagerduty", "")
				_, _ = s.Check("nothing")
			}
			if err := s.writeUses(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	close(texts)
	revoked := 0
	for text := range texts {
		for _, s := range stores {
			if _, err := s.Check(text); errors.Is(err, ErrRevoked) {
				revoked++
			} else if err != nil {
				t.Error(err)
			}
		}
	}
	if n := len(stores[0].List()); n != 4*each || revoked != 8 {
		t.Errorf("%d tokens, %d refusals of revoked ones; want %d and 8", n, revoked, 4*each)
	}
}

func TestBrokenFile(t *testing.T) {
	c := newClock()
	path := keysPath(t)
	s := open(t, path, c)
	var said []string
	s.Report(func(err error) { said = append(said, err.Error()) })
	text, _ := issue(t, s, time.Time{}, "read")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{", `{"version":2}`, `{"version":1,"tokens":[{"id":"x","sha256":"zz"}]}`} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, c.now); err == nil {
			t.Errorf("%q is opened", bad)
		}
		said = nil
		for range 3 {
			if _, err := s.Check(text); err != nil {
				t.Errorf("%q: what was read before is forgotten: %v", bad, err)
			}
		}
		if len(said) > 1 {
			t.Errorf("%q is said %d times", bad, len(said))
		}
		if _, _, err := s.Issue("n", []string{"read"}, time.Time{}, ""); err == nil {
			t.Errorf("%q is written over", bad)
		}
	}
	// A file that others could read is closed to them.
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if open(t, path, c); true {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
	// One that was taken away holds nothing.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(text); !errors.Is(err, ErrUnknown) {
		t.Errorf("without a file: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	c := newClock()
	s := open(t, keysPath(t), c)
	rotate := func(account string) string {
		t.Helper()
		text, made, err := s.RotateSecret("pagerduty", account)
		if err != nil || len(text) < 40 || made.Last4 != text[len(text)-4:] || !made.Made {
			t.Fatalf("%+v, %v", made, err)
		}
		return text
	}
	equal := func(account string, want ...string) {
		t.Helper()
		if got := s.Secrets("pagerduty", account); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("account %q has %d secrets, want %d, or their order is wrong", account, len(got), len(want))
		}
	}
	equal("default")
	a := rotate("")
	b := rotate("")
	equal("default", b, a)
	acme := rotate("acme")
	equal("acme", acme, b, a)
	equal("other", b, a)
	third := rotate("")
	equal("acme", acme, third, b)
	const vendor = "a-secret-of-the-vendor"
	added, err := s.AddSecret("pagerduty", "acme", vendor)
	if err != nil {
		t.Fatal(err)
	}
	again := rotate("acme")
	last := rotate("acme")
	equal("acme", last, again, vendor, third, b)
	if _, err := s.AddSecret("pagerduty", "acme", vendor); err == nil || strings.Contains(err.Error(), vendor) {
		t.Errorf("the same once more: %v", err)
	}
	for _, bad := range []string{"", "short", "with a space in the middle", "line\nbreak-in-the-middle", strings.Repeat("x", 513)} {
		if _, err := s.AddSecret("pagerduty", "", bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := s.RetireSecret("pagerduty", "", added.ID); !errors.Is(err, ErrNoID) {
		t.Errorf("retired from the wrong place: %v", err)
	}
	if err := s.RetireSecret("pagerduty", "acme", added.ID); err != nil {
		t.Fatal(err)
	}
	equal("acme", last, again, third, b)
	if got := s.ListSecrets(); len(got) != 4 || got[0].Last4 != b[len(b)-4:] {
		t.Errorf("%+v", got)
	}
	if len(s.Secrets("cloudevents", "acme")) != 0 {
		t.Error("another source has them too")
	}
	for i := range maxAdded {
		if _, err := s.AddSecret("pagerduty", "many", vendor+strings.Repeat("x", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AddSecret("pagerduty", "many", vendor+"yy"); err == nil {
		t.Error("there is no bound")
	}
}
