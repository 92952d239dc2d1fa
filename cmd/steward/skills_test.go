package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSkillRulesCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yaml")
	for _, c := range []struct {
		text      string
		args      []string
		code      int
		out, errs string
	}{
		{"", []string{"skills", "rules", "check"}, exitDone, "24 rules, version 1-", ""},
		{"version: a\nmode: add\nrules:\n  - {id: x, when: {tier: [1]}, skills: [datastore-ops]}\n", []string{"skills", "rules", "check", file}, exitDone, "25 rules, version a-", ""},
		{"version: a\nmode: replace\nrules:\n  - {id: x, when: {tier: [9]}, skills: [none]}\n", []string{"skills", "rules", "check", file}, exitFailed, file + ":4: rules[0].skills[0]: no skill is called", "the rules have 2 problems"},
		{"a: [", []string{"skills", "rules", "check", file}, exitFailed, file + ":", "the rules have 1 problem"},
		{"", []string{"skills", "rules", "check", file + ".none"}, exitUsage, "", "no such file"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		r := steward(t, nil, c.args...)
		if r.code != c.code || !strings.HasPrefix(r.out, c.out) || !strings.Contains(r.err, c.errs) {
			t.Errorf("%v: exit %d, out %q, err %q", c.args, r.code, r.out, r.err)
		}
	}
	if r := steward(t, map[string]string{"STEWARD_SKILL_RULES": file + ".none"}, "serve", "--data", t.TempDir(), "--dev"); r.code != exitUsage || !strings.Contains(r.err, "skill rules") {
		t.Errorf("serve with rules that are not there: exit %d, %q", r.code, r.err)
	}
}
