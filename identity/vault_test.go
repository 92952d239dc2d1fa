package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func open(t testing.TB, path string) (*Vault, *FileJournal) {
	t.Helper()
	key, err := FileKey(path)
	if err != nil {
		t.Fatal(err)
	}
	f := File(path)
	v, err := Open(context.Background(), f, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return v, f
}

func register(t testing.TB, v *Vault, entries ...Entry) {
	t.Helper()
	if err := v.Register(context.Background(), entries...); err != nil {
		t.Fatal(err)
	}
}

var ana = []Entry{
	{Text: "ana@example.org"},
	{Text: "pagerduty:acme:PANA1", Owner: "ana@example.org"},
	{Text: "Ana Lima", Owner: "ana@example.org", Name: true},
	{Text: "A. Lima", Owner: "pagerduty:acme:PANA1", Name: true},
	{Text: "bo@example.org"},
	{Text: "Ana Lima", Owner: "bo@example.org", Name: true},
}

func TestTokens(t *testing.T) {
	v, _ := open(t, filepath.Join(t.TempDir(), "identity.jsonl"))
	token := v.Token("Ana@Example.org")
	if !IsToken(token) || len(token) != 26 || token != v.Token("ana@example.org") || token != v.Token(token) {
		t.Errorf("the token of an address is %q", token)
	}
	if v.Token("SLACK:U1") == v.Token("slack:u1") {
		t.Error("ids that are no addresses are opaque")
	}
	if v.Token("") != "" || IsToken("") || IsToken("~p") || IsToken(strings.ToUpper(token)) || IsToken(token+"a") {
		t.Error("something else is a token")
	}
	if v.NameToken("ana@example.org", "Ana") == v.NameToken("bo@example.org", "Ana") {
		t.Error("two people of one name share a token")
	}
	other, _ := open(t, filepath.Join(t.TempDir(), "identity.jsonl"))
	if other.Token("ana@example.org") == token {
		t.Error("the token does not depend on the key")
	}
	var none *Vault
	if text, ok := none.Text("x"); none.Token("Ana@x") != "Ana@x" || none.Reveal(token) != token || text != "x" || !ok || none.Register(t.Context(), ana...) != nil {
		t.Error("no vault changes something")
	}
}

// A digest of a text is not the token of whoever the text names, and is not made of its
// lower case: two ids of events that differ in case are two events.
func TestDigest(t *testing.T) {
	v, _ := open(t, filepath.Join(t.TempDir(), "identity.jsonl"))
	a, b := v.Digest("ana@example.org"), v.Digest("Ana@example.org")
	if a == b || a != v.Digest("ana@example.org") || "~p"+a == v.Token("ana@example.org") || !IsToken("~p"+a) {
		t.Errorf("%s and %s", a, b)
	}
}

func TestReveal(t *testing.T) {
	v, _ := open(t, filepath.Join(t.TempDir(), "identity.jsonl"))
	register(t, v, ana...)
	register(t, v, Entry{Text: "Zoë \"Z\" \\\n", Owner: "bo@example.org", Name: true})
	a, z := v.Token("ana@example.org"), v.NameToken("bo@example.org", "Zoë \"Z\" \\\n")
	stranger := v.Token("never@example.org")
	for in, want := range map[string]string{
		"":                         "",
		"~p":                       "~p",
		"x ~px " + a + "/" + a:     "x ~px ana@example.org/ana@example.org",
		"~p" + a:                   "~pana@example.org",
		stranger:                   former(stranger),
		a[:25] + "-" + a + "~pa~p": a[:25] + "-ana@example.org~pa~p",
	} {
		if got := v.Reveal(in); got != want {
			t.Errorf("Reveal(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := v.RevealJSON(`{"n":"`+z+`"}`), `{"n":"Zoë \"Z\" \\\u000a"}`; got != want {
		t.Errorf("RevealJSON gives %s, want %s", got, want)
	}
}

// Whoever is named, by whatever, goes with all that is theirs and nobody else does.
func TestForget(t *testing.T) {
	for _, by := range []string{"ana@example.org", "ANA@example.org", "pagerduty:acme:PANA1", "A. Lima", "token"} {
		path := filepath.Join(t.TempDir(), "identity.jsonl")
		v, f := open(t, path)
		register(t, v, ana...)
		tokens := []string{v.Token("ana@example.org"), v.Token("pagerduty:acme:PANA1"), v.NameToken("ana@example.org", "Ana Lima"), v.NameToken("pagerduty:acme:PANA1", "A. Lima")}
		if by == "token" {
			by = tokens[0]
		}
		n, err := v.Forget(t.Context(), by)
		if err != nil || n != 4 {
			t.Fatalf("forgetting by %s: %d texts, %v", by, n, err)
		}
		check := func(v *Vault) {
			t.Helper()
			for _, token := range tokens {
				if text, ok := v.Text(token); ok || v.Reveal(token) != former(token) {
					t.Errorf("by %s: still readable: %q", by, text)
				}
			}
			if v.Reveal(v.NameToken("bo@example.org", "Ana Lima")) != "Ana Lima" {
				t.Error("the namesake is forgotten too")
			}
			if v.Token("ana@example.org") != tokens[0] || v.NameToken("pagerduty:acme:PANA1", "A. Lima") != tokens[3] {
				t.Error("the tokens changed")
			}
		}
		check(v)
		// What comes later stays out, and so does what is newly tied to the person.
		register(t, v, Entry{Text: "slack:U1"})
		register(t, v, ana...)
		register(t, v, Entry{Text: "slack:U1", Owner: "ana@example.org"}, Entry{Text: "Ana L.", Owner: "ana@example.org", Name: true})
		for _, token := range []string{v.Token("slack:U1"), v.NameToken("ana@example.org", "Ana L.")} {
			if text, ok := v.Text(token); ok {
				t.Errorf("taken in again: %q", text)
			}
		}
		for _, e := range append(ana, Entry{Text: "slack:U1", Owner: "ana@example.org"}) {
			if _, known := v.Lookup(e); !known {
				t.Errorf("%+v would be written again and again", e)
			}
		}
		if n, err := v.Forget(t.Context(), "ana@example.org"); n != 0 || err != nil {
			t.Errorf("forgetting twice: %d, %v", n, err)
		}
		if _, err := v.Forget(t.Context(), "nobody@example.org"); !errors.Is(err, ErrUnknown) {
			t.Errorf("forgetting nobody: %v", err)
		}
		f.Close()
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, gone := range []string{"ana@", "PANA1", "A. Lima", "slack", "Ana L."} {
			if bytes.Contains(text, []byte(gone)) {
				t.Errorf("the file holds %s", gone)
			}
		}
		again, _ := open(t, path)
		check(again)
	}
}

func TestForgetWhoIsWho(t *testing.T) {
	v, _ := open(t, filepath.Join(t.TempDir(), "identity.jsonl"))
	register(t, v, ana...)
	if _, err := v.Forget(t.Context(), "Ana Lima"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("two people of one name: %v", err)
	}
	// A shared alias is the first's; a circle of aliases is one person.
	register(t, v, Entry{Text: "pagerduty:acme:PANA1", Owner: "bo@example.org"})
	if n, err := v.Forget(t.Context(), "bo@example.org"); n != 2 || err != nil {
		t.Errorf("forgetting bo: %d, %v", n, err)
	}
	register(t, v, Entry{Text: "c@example.org"}, Entry{Text: "d@example.org", Owner: "c@example.org"}, Entry{Text: "c@example.org", Owner: "d@example.org"})
	if n, err := v.Forget(t.Context(), "d@example.org"); n != 2 || err != nil {
		t.Errorf("forgetting a circle: %d, %v", n, err)
	}
	// Only ever seen as the owner of a name.
	register(t, v, Entry{Text: "Eve", Owner: "tool:E", Name: true})
	if n, err := v.Forget(t.Context(), "tool:E"); n != 1 || err != nil {
		t.Errorf("forgetting an owner: %d, %v", n, err)
	}
}

// Registering, asking, revealing and forgetting at the same time; -race watches.
func TestConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.jsonl")
	v, f := open(t, path)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 50 {
				id := fmt.Sprintf("p%d@example.org", i)
				if err := v.Register(context.Background(), Entry{Text: id}, Entry{Text: fmt.Sprint("Name ", i), Owner: id, Name: true}); err != nil {
					t.Error(err)
				}
				token := v.Token(id)
				if got := v.Reveal(token); got != id && got != former(token) {
					t.Errorf("revealed %q", got)
				}
				if i%10 == g {
					if _, err := v.Forget(context.Background(), id); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	f.Close()
	again, _ := open(t, path)
	for i := range 50 {
		id := fmt.Sprintf("p%d@example.org", i)
		if _, ok := again.Text(v.Token(id)); ok != (i%10 > 3) {
			t.Errorf("%s is readable: %t", id, ok)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	v, _ := open(b, filepath.Join(b.TempDir(), "identity.jsonl"))
	register(b, v, ana...)
	for name, e := range map[string]Entry{"id": ana[0], "alias": ana[1], "name": ana[2]} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, known := v.Lookup(e); !known {
					b.Fatal("not known")
				}
			}
		})
	}
}
