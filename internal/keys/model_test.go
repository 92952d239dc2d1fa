package keys

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// model is what a keys file should hold, kept as plainly as can be.
type model struct {
	tokens  []modelToken
	secrets []modelSecret
}

type modelToken struct {
	text, id         string
	scopes           []string
	expires, used    time.Time
	revoked, unsaved bool // unsaved: used holds what a crash may lose
}

type modelSecret struct {
	source, account, id, text string
	made                      bool
}

// Whatever is done, through either of two stores, with crashes and clean ends in between,
// the file holds what the model holds: a crash loses nothing but last uses.
func TestStoreFollowsItsModel(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, rapid.StringMatching(`[a-z]{12}`).Draw(t, "name"), "keys.json")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(filepath.Dir(path))
		c := newClock()
		reopen := func() *Store {
			s, err := Open(path, c.now)
			if err != nil {
				t.Fatal(err)
			}
			s.look = 0
			return s
		}
		stores := []*Store{reopen(), reopen()}
		defer func() {
			for _, s := range stores {
				_ = s.Close() // its directory may be gone
			}
		}()
		var m model
		pick := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "which") }
		store := func() *Store { return stores[pick(2)] }
		place := func() (string, string) {
			return rapid.SampledFrom([]string{"pagerduty", "grafana"}).Draw(t, "source"), rapid.SampledFrom([]string{"", "acme"}).Draw(t, "account")
		}
		t.Repeat(map[string]func(*rapid.T){
			"issue": func(t *rapid.T) {
				scopes := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"ingest", "ingest:pagerduty", "read", "admin"}), 1, 3, rapid.ID[string]).Draw(t, "scopes")
				var expires time.Time
				if rapid.Bool().Draw(t, "ends") {
					expires = c.now().Add(time.Duration(rapid.IntRange(2, 90).Draw(t, "minutes")) * time.Minute).UTC()
				}
				text, tok, err := store().Issue("n", scopes, expires, "model")
				if err != nil {
					t.Fatal(err)
				}
				slices.Sort(scopes)
				m.tokens = append(m.tokens, modelToken{text: text, id: tok.ID, scopes: scopes, expires: expires})
			},
			"check": func(t *rapid.T) {
				if len(m.tokens) == 0 {
					t.Skip()
				}
				x := &m.tokens[pick(len(m.tokens))]
				got, err := store().Check(x.text)
				var want error
				switch {
				case x.revoked:
					want = ErrRevoked
				case !x.expires.IsZero() && !c.now().Before(x.expires):
					want = ErrExpired
				}
				if !errors.Is(err, want) || got.ID != x.id || !slices.Equal(got.Scopes, x.scopes) {
					t.Fatalf("%v, want %v", err, want)
				}
				if minute := c.now().UTC().Truncate(time.Minute); want == nil && minute.After(x.used) {
					x.used, x.unsaved = minute, true
				}
			},
			"revoke": func(t *rapid.T) {
				if len(m.tokens) == 0 {
					t.Skip()
				}
				x := &m.tokens[pick(len(m.tokens))]
				if err := store().Revoke(x.id); err != nil {
					t.Fatal(err)
				}
				x.revoked = true
			},
			"rotate": func(t *rapid.T) {
				source, account := place()
				text, x, err := store().RotateSecret(source, account)
				if err != nil {
					t.Fatal(err)
				}
				m.secrets = append(m.secrets, modelSecret{source, account, x.ID, text, true})
				var made []int
				for i, o := range m.secrets {
					if o.made && o.source == source && o.account == account {
						made = append(made, i)
					}
				}
				if len(made) > 2 {
					m.secrets = slices.Delete(m.secrets, made[0], made[0]+1)
				}
			},
			"add": func(t *rapid.T) {
				source, account := place()
				text := rapid.StringMatching(`[a-zA-Z0-9+/]{30,40}`).Draw(t, "text")
				x, err := store().AddSecret(source, account, text)
				if err != nil {
					t.Skip(err)
				}
				m.secrets = append(m.secrets, modelSecret{source, account, x.ID, text, false})
			},
			"retire": func(t *rapid.T) {
				if len(m.secrets) == 0 {
					t.Skip()
				}
				i := pick(len(m.secrets))
				x := m.secrets[i]
				if err := store().RetireSecret(x.source, x.account, x.id); err != nil {
					t.Fatal(err)
				}
				m.secrets = slices.Delete(m.secrets, i, i+1)
			},
			"time passes": func(t *rapid.T) {
				c.pass(time.Duration(rapid.IntRange(1, 1200).Draw(t, "seconds")) * time.Second)
			},
			"end and start": func(t *rapid.T) {
				for i, s := range stores {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					stores[i] = reopen()
				}
				for i := range m.tokens {
					m.tokens[i].unsaved = false
				}
			},
			"crash and start": func(t *rapid.T) {
				for i, s := range stores {
					s.once.Do(func() { close(s.stop) }) // a killed process writes nothing more
					s.stopped.Wait()
					// What it was writing is left half done.
					if err := os.WriteFile(path+".new", []byte("{"), 0o644); err != nil {
						t.Fatal(err)
					}
					stores[i] = reopen()
				}
				listed := stores[0].List()
				for i := range m.tokens {
					if x := &m.tokens[i]; x.unsaved {
						if listed[i].LastUsed.After(x.used) {
							t.Fatal("a use that never was")
						}
						x.used, x.unsaved = listed[i].LastUsed, false
					}
				}
			},
			"": func(t *rapid.T) {
				for _, s := range stores {
					same(t, s, m)
				}
			},
		})
	})
}

// same compares everything that a store answers with the model.
func same(t *rapid.T, s *Store, m model) {
	listed := s.List()
	if len(listed) != len(m.tokens) {
		t.Fatalf("%d tokens, want %d", len(listed), len(m.tokens))
	}
	for i, x := range m.tokens {
		got := listed[i]
		if got.ID != x.id || !slices.Equal(got.Scopes, x.scopes) || !got.Expires.Equal(x.expires) || got.Revoked.IsZero() == x.revoked {
			t.Fatalf("token %d is %+v, want %+v", i, got, x)
		}
		if !x.unsaved && !got.LastUsed.Equal(x.used) {
			t.Fatalf("token %d was used %v, want %v", i, got.LastUsed, x.used)
		}
	}
	secrets := s.ListSecrets()
	if len(secrets) != len(m.secrets) {
		t.Fatalf("%d secrets, want %d", len(secrets), len(m.secrets))
	}
	for i, x := range m.secrets {
		if secrets[i].ID != x.id || secrets[i].Made != x.made || !strings.HasSuffix(x.text, secrets[i].Last4) {
			t.Fatalf("secret %d is %+v, want %+v", i, secrets[i], x)
		}
	}
	for _, source := range []string{"pagerduty", "grafana"} {
		for _, account := range []string{"acme", "default"} {
			var want []string
			for _, of := range []string{account, ""} {
				for _, x := range slices.Backward(m.secrets) {
					if x.source == source && x.account == of {
						want = append(want, x.text)
					}
				}
			}
			if got := s.Secrets(source, account); !slices.Equal(got, want) {
				t.Fatalf("%s/%s verifies with %d secrets, want %d, or their order is wrong", source, account, len(got), len(want))
			}
		}
	}
}
