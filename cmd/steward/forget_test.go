package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A person is forgotten by the command, on the directory it opens itself.
func TestForgetCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(t.TempDir(), "events.jsonl")
	const event = `{"specversion":"1.0","id":"e1","source":"/try/acme","type":"dev.steward.incident.noted.v1","subject":"i","time":"2026-01-05T09:00:00Z","data":{"incident":"i","person":"ana@example.org","text":"x"}}` + "\n"
	if err := os.WriteFile(file, []byte(event), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := steward(t, nil, "import", "--format", "cloudevents", "--data", dir, file); r.code != exitDone {
		t.Fatalf("import: %+v", r)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"forget", "--data", dir}, exitUsage, "1 arg"},
		{[]string{"forget", "--data", dir, "ana@example.org"}, exitUsage, "--yes"},
		{[]string{"forget", "--yes", "--data", dir, "bo@example.org"}, exitUsage, "nobody is known by that"},
		{[]string{"forget", "--yes", "--data", filepath.Join(dir, "none"), "bo@example.org"}, exitFailed, "no data directory"},
		{[]string{"forget", "--yes", "--data", dir, "Ana@example.org"}, exitDone, "forgotten: 1 names and ids, 0 quarantined records; the person is ~p"},
		{[]string{"forget", "--yes", "--data", dir, "ana@example.org"}, exitDone, "forgotten: 0 names and ids"},
	} {
		if got := steward(t, nil, c.args...); got.code != c.code || !strings.Contains(got.out+got.err, c.want) {
			t.Errorf("%q: %+v, want %d and %q", c.args, got, c.code, c.want)
		}
	}
	table, err := os.ReadFile(filepath.Join(dir, "identity.jsonl"))
	if err != nil || strings.Contains(string(table), "ana@") || !strings.Contains(string(table), `"forgotten":true`) {
		t.Errorf("the table: %s, %v", table, err)
	}
}
