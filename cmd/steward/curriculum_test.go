package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCurriculumCheck(t *testing.T) {
	own := t.TempDir()
	if err := os.Mkdir(filepath.Join(own, "pg"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "---\nid: PG9\ntrack: PG\ncolour: red\n---\n"
	if err := os.WriteFile(filepath.Join(own, "pg", "pg9.md"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args      []string
		code      int
		out, errs string
	}{
		{[]string{"curriculum", "check"}, exitDone, "33 modules, 1,440 minutes, ", ""},
		{[]string{"curriculum", "check", own}, exitFailed, filepath.Join(own, "pg", "pg9.md") + ":4: colour: unknown; ", "steward: the curriculum has 1 problem"},
		{[]string{"curriculum", "check", filepath.Join(own, "none")}, exitUsage, "", "is not a directory"},
		{[]string{"curriculum", "check", own, own}, exitUsage, "", "at most 1"},
		{[]string{"curriculum", "bake"}, exitUsage, "", `unknown command "bake"`},
	} {
		r := steward(t, nil, c.args...)
		if r.code != c.code || !strings.HasPrefix(r.out, c.out) || !strings.Contains(r.err, c.errs) {
			t.Errorf("%v: exit %d, out %q, err %q", c.args, r.code, r.out, r.err)
		}
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
