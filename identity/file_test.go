package identity

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever part of the last line a crash left, everything before it is there, and what is
// appended afterwards is whole.
func TestTornLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.jsonl")
	v, f := open(t, path)
	register(t, v, Entry{Text: "ana@example.org"})
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	register(t, v, Entry{Text: "bo@example.org"})
	f.Close()
	both, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(whole); cut < len(both); cut++ {
		torn := both[:cut:cut]
		if cut%2 == 1 { // the disk had something else there
			torn = append(torn, 0, 0, '\n')
		}
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		v, f := open(t, path)
		if _, ok := v.Text(v.Token("ana@example.org")); !ok {
			t.Fatalf("cut at %d: what was durable is lost", cut)
		}
		register(t, v, Entry{Text: "cy@example.org"})
		f.Close()
		v, f = open(t, path)
		if _, ok := v.Text(v.Token("cy@example.org")); !ok {
			t.Fatalf("cut at %d: what came after is lost", cut)
		}
		f.Close()
	}
	if err := os.WriteFile(path, append([]byte("{}\n"), both...), 0o600); err != nil {
		t.Fatal(err)
	}
	key, err := FileKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), File(path), key); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("damage in the middle: %v", err)
	}
}

// A crash before the rename leaves the old table and no trace of the new one; after it, the
// new table.
func TestInterruptedErasure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.jsonl")
	v, f := open(t, path)
	register(t, v, ana...)
	f.Close()
	for _, left := range []string{"", `{"token":"~pa`, "{\"token\":\"" + v.Token("ana@example.org") + "\",\"forgotten\":true}\n"} {
		if err := os.WriteFile(path+".new", []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		again, f := open(t, path)
		if text, ok := again.Text(v.Token("ana@example.org")); !ok || text != "ana@example.org" {
			t.Errorf("the old table is not in force after %q", left)
		}
		if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
			t.Errorf("the new file is still there: %v", err)
		}
		f.Close()
	}
	again, f := open(t, path)
	if err := os.Mkdir(path+".new", 0o700); err != nil { // so that the erasure fails
		t.Fatal(err)
	}
	if _, err := again.Forget(t.Context(), "ana@example.org"); err == nil {
		t.Fatal("an erasure that failed is none")
	}
	if _, ok := again.Text(v.Token("ana@example.org")); !ok {
		t.Error("gone from memory and not from the file")
	}
	if err := os.Remove(path + ".new"); err != nil {
		t.Fatal(err)
	}
	if n, err := again.Forget(t.Context(), "ana@example.org"); n != 4 || err != nil {
		t.Errorf("the second attempt: %d, %v", n, err)
	}
	register(t, again, Entry{Text: "cy@example.org"})
	f.Close()
	last, _ := open(t, path)
	if _, ok := last.Text(v.Token("cy@example.org")); !ok {
		t.Error("what came after the erasure is lost")
	}
}

func TestKeyAndModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.jsonl")
	v, f := open(t, path)
	register(t, v, ana...)
	f.Close()
	key := filepath.Join(filepath.Dir(path), "identity.key")
	for _, name := range []string{path, key} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", filepath.Base(name), info.Mode(), err)
		}
	}
	mine, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(strings.Repeat("ab", KeySize)), 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := FileKey(path); err != nil {
		t.Error(err)
	} else if _, err := Open(context.Background(), File(path), k); err == nil || !strings.Contains(err.Error(), "does not fit") {
		t.Errorf("another key: %v", err)
	}
	for _, bad := range []string{"", "xyz", string(mine[:10])} {
		if err := os.WriteFile(key, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := FileKey(path); err == nil {
			t.Errorf("the key %q is taken", bad)
		}
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	if _, err := FileKey(path); err == nil || !strings.Contains(err.Error(), "put the key back") {
		t.Errorf("no key: %v", err)
	}
}
