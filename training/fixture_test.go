package training

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// A small curriculum without fault, for tests that break one thing.

const smallOutline = `tracks:
  - id: AA
    name: First
    audience: everybody
    minutes: 20
path:
  - when: first
    people: 0
    modules: [AA1]
`

var smallSkills = []Skill{{ID: "reading", Name: "Reading", line: 7}, {ID: "writing", Name: "Writing", line: 8}}

// lesson is a module without fault; edits are pairs of what to replace and by what.
func lesson(t testing.TB, id string, edits ...string) string {
	t.Helper()
	var quiz strings.Builder
	for i := range 4 {
		fmt.Fprintf(&quiz, "  - q: Question %d?\n    options:\n      - {text: wrong, why: tempting}\n      - {text: correct, right: true, why: it is}\n      - {text: other, why: not this}\n    explain: Because.\n", i)
	}
	text := "---\nid: " + id + "\ntrack: AA\ntitle: A lesson\nversion: 1\nminutes: 10\nexercise_minutes: 5\n" +
		"skills:\n  - {id: reading, max_level: 2}\n  - {id: writing, max_level: 1}\nprereqs: []\n" +
		"evidence:\n  kind: drill\n  rule: it was done\nrefresh_days: 365\npass_mark: 0.75\nquiz:\n" + quiz.String() +
		"sources:\n  - {title: A page, url: \"https://example.org/a\"}\n---\n\n" +
		"## Purpose\n\nWhy.\n\n## The idea\n\nWhat.\n\n## A worked example\n\nHow.\n\n## What good looks like\n\nSigns.\n\n## Exercise\n\nDo it.\n\n## Further reading\n\n- [A page](https://example.org/a) says more.\n"
	return edit(t, text, edits...)
}

func edit(t testing.TB, text string, edits ...string) string {
	t.Helper()
	for i := 0; i+1 < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the fixture has no %q", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	return text
}

func files(pairs ...string) fstest.MapFS {
	out := fstest.MapFS{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return out
}

// small is the small curriculum with some files changed or added.
func small(t testing.TB, pairs ...string) fstest.MapFS {
	t.Helper()
	out := files("curriculum.yaml", smallOutline, "aa/aa1.md", lesson(t, "AA1"), "aa/aa2.md", lesson(t, "AA2", "prereqs: []", "prereqs: [AA1]"))
	for name, f := range files(pairs...) {
		out[name] = f
	}
	return out
}

func loaded(t testing.TB, layers ...fstest.MapFS) *Curriculum {
	t.Helper()
	var all []Layer
	for i, l := range layers {
		all = append(all, Layer{[]string{"base", "own", "own2"}[i], l})
	}
	c, err := load(smallSkills, all)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// expect compares problems with lines "FILE:LINE: field: part of the reason".
func expect(t *testing.T, got []Problem, want ...string) {
	t.Helper()
	for i, p := range got {
		if i >= len(want) {
			t.Errorf("unexpected: %s", p)
			continue
		}
		at, reason, _ := strings.Cut(want[i], " ~ ")
		if !strings.HasPrefix(p.String(), at+": ") || !strings.Contains(p.Reason, reason) {
			t.Errorf("got  %s\nwant %s", p, want[i])
		}
	}
	for _, w := range want[min(len(got), len(want)):] {
		t.Errorf("not found: %s", w)
	}
}

// lineOf is the line of a text on which part first stands.
func lineOf(t testing.TB, text, part string) int {
	t.Helper()
	i := strings.Index(text, part)
	if i < 0 {
		t.Fatalf("the fixture has no %q", part)
	}
	return 1 + strings.Count(text[:i], "\n")
}
