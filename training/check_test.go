package training

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestTheSmallCurriculumIsClean(t *testing.T) { expect(t, Check(loaded(t, small(t)))) }

// Every kind of problem, each alone, at its line.
func TestCheckFinds(t *testing.T) {
	long := strings.Repeat("word ", 900)
	for _, c := range []struct {
		name  string
		edits []string // of AA1
		at    string   // a text on the line that is to be named
		field string
		why   string

		unread bool // the file cannot be shown at all
	}{
		{"no title", []string{"title: A lesson", "title: ''"}, "title: ''", "title", "missing", false},
		{"a version of nought", []string{"version: 1", "version: 0"}, "version: 0", "version", "from 1", false},
		{"more exercise than time", []string{"exercise_minutes: 5", "exercise_minutes: 11"}, "exercise_minutes: 11", "exercise_minutes", "from 0 to 10", false},
		{"never refreshed", []string{"refresh_days: 365", "refresh_days: 0"}, "refresh_days: 0", "refresh_days", "from 1", false},
		{"longer than it says", []string{"Why.", long}, "minutes: 10", "minutes", "10 is stated, and 14 is estimated: 929 words at 200 a minute, 4 questions, 5 minutes of exercise", false},
		{"unknown skill", []string{"{id: reading", "{id: baking"}, "{id: baking", "skills[0].id", `unknown skill "baking"`, false},
		{"a skill twice", []string{"{id: writing", "{id: reading"}, "{id: reading, max_level: 1", "skills[1].id", "twice", false},
		{"a level of three", []string{"max_level: 2", "max_level: 3"}, "max_level: 3", "skills[0].max_level", "must be 1 or 2", false},
		{"level 2 by reading", []string{"kind: drill", "kind: upload"}, "max_level: 2", "skills[0].max_level", "needs a drill", false},
		{"unknown evidence", []string{"kind: drill", "kind: promise", "max_level: 2", "max_level: 1"}, "kind: promise", "evidence.kind", `"promise" is not one of`, false},
		{"evidence of nothing", []string{"rule: it was done", "rule: ''"}, "rule: ''", "evidence.rule", "missing", false},
		{"unknown prerequisite", []string{"prereqs: []", "prereqs: [ZZ1]"}, "prereqs: [ZZ1]", "prereqs[0]", `unknown module "ZZ1"`, false},
		{"a circle of one", []string{"prereqs: []", "prereqs: [AA1]"}, "prereqs: [AA1]", "prereqs[0]", "AA1 → AA1", false},
		{"a circle of two", []string{"prereqs: []", "prereqs: [AA2]"}, "", "prereqs[0]", "AA1 → AA2 → AA1", false},
		{"a pass mark of nought", []string{"pass_mark: 0.75", "pass_mark: 0"}, "pass_mark: 0", "pass_mark", "above 0", false},
		{"a pass mark above one", []string{"pass_mark: 0.75", "pass_mark: 1.5"}, "pass_mark: 1.5", "pass_mark", "at most 1", false},
		{"a pass mark that is no number", []string{"pass_mark: 0.75", "pass_mark: .nan"}, "pass_mark: .nan", "pass_mark", "above 0", false},
		{"no right option", []string{"right: true, ", ""}, "- {text: wrong", "quiz[0].options", "0 options are marked right", false},
		{"two right options", []string{"{text: wrong, ", "{text: wrong, right: true, "}, "- {text: wrong", "quiz[0].options", "2 options are marked right", false},
		{"an option without why", []string{", why: tempting}", ", why: ''}"}, "why: ''", "quiz[0].options[0].why", "missing", false},
		{"an option without text", []string{"{text: wrong", "{text: ''"}, "text: ''", "quiz[0].options[0].text", "missing", false},
		{"the same option twice", []string{"{text: other", "{text: wrong"}, "{text: wrong, why: not", "quiz[0].options[2].text", "the same", false},
		{"two options", []string{"      - {text: other, why: not this}\n", ""}, "- {text: wrong", "quiz[0].options", "2 options; 3 or 4", false},
		{"an empty question", []string{"q: Question 2?", "q: ''"}, "q: ''", "quiz[2].q", "missing", false},
		{"no explanation", []string{"explain: Because.", "explain: ''"}, "explain: ''", "quiz[0].explain", "missing", false},
		{"a heading too few", []string{"## Exercise", "Exercise"}, "## Further reading", "headings", `number 5 is "Further reading"`, false},
		{"a heading too many", []string{"## Exercise", "## Extra\n\n## Exercise"}, "## Extra", "headings", `"Extra" is not one of`, false},
		{"headings out of order", []string{"## The idea", "## X", "## Purpose", "## The idea", "## X", "## Purpose"}, "## Further reading", "headings", `number 1 is "The idea"`, false},
		{"a title in the body", []string{"Why.", "# Title"}, "# Title", "headings", "level 1", false},
		{"HTML in a line", []string{"What.", "What <b>now</b>"}, "What <b>", "HTML", "not shown", false},
		{"a block of HTML", []string{"What.", "<div>\nx\n</div>"}, "<div>", "HTML", "not shown", false},
		{"an image", []string{"What.", "![x](https://example.org/x.png)"}, "![x]", "images", "not shown", false},
		{"a link elsewhere", []string{"What.", "[x](https://example.org/x)"}, "[x]", "links", "other sites stand under", false},
		{"a bare link elsewhere", []string{"What.", "<https://example.org/x>"}, "<https", "links", "other sites stand under", false},
		{"a link to a script", []string{"What.", "[x](javascript:alert(1))"}, "[x]", "links", "neither a web page nor another module", false},
		{"a link with a password", []string{"says more.", "says more. [x](https://a:b@example.org/)"}, "- [A page]", "links", "neither a web page", false},
		{"a link into the site", []string{"What.", "[x](/admin)"}, "[x]", "links", "neither a web page", false},
		{"a link to no module", []string{"What.", "[x](../aa/aa9.md)"}, "[x]", "links", "leads to no module", false},
		{"a link to the wrong track", []string{"What.", "[x](../bb/aa2.md)"}, "[x]", "links", "leads to no module", false},
		{"a page linked twice", []string{"says more.", "says more. [B](https://example.org/a)"}, "- [A page]", "links", "twice", false},
		{"a link without source", []string{"says more.", "says more. [B](https://example.org/b)"}, "- [A page]", "sources", "not among the sources", false},
		{"a source without link", []string{"---\n\n## Purpose", "  - {title: B, url: \"https://example.org/b\"}\n---\n\n## Purpose"}, "title: B", "sources[1].url", "not linked", false},
		{"a source without title", []string{"title: A page", "title: ''"}, "title: ''", "sources[0].title", "missing", false},
		{"an unknown field", []string{"version: 1", "colour: red\nversion: 1"}, "colour: red", "colour", "unknown; the fields are id, track", true},
		{"an unknown field inside", []string{"{text: wrong", "{colour: red, text: wrong"}, "colour: red", "quiz[0].options[0].colour", "unknown; the fields are text, right, why", true},
		{"a field twice", []string{"version: 1", "version: 1\ntitle: B"}, "title: B", "title", "twice", true},
		{"a text for a number", []string{"minutes: 10", "minutes: ten"}, "minutes: ten", "minutes", "must be a whole number", true},
		{"a text for a list", []string{"prereqs: []", "prereqs: AA2"}, "prereqs: AA2", "prereqs", "must be a list", true},
		{"a text for fields", []string{"{id: reading, max_level: 2}", "reading"}, "- reading", "skills[0]", "must be fields", true},
		{"an anchor", []string{"title: A lesson", "title: &a A lesson"}, "title: &a", "title", "anchors", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := lesson(t, "AA1", c.edits...)
			got := Check(loaded(t, small(t, "aa/aa1.md", text)))
			if c.at == "" { // the circle is closed in the other file
				expect(t, got, fmt.Sprintf("base/aa/aa2.md:%d: %s ~ %s", lineOf(t, text, "prereqs:"), c.field, c.why))
				return
			}
			if c.unread { // others that speak of the module are at a loss as well
				got = slices.DeleteFunc(got, func(p Problem) bool { return p.File != "base/aa/aa1.md" })
			}
			expect(t, got, fmt.Sprintf("base/aa/aa1.md:%d: %s ~ %s", lineOf(t, text, c.at), c.field, c.why))
		})
	}
}

// Problems that belong to no field of a module.
func TestCheckFindsFilesAndTracks(t *testing.T) {
	bare := func(t *testing.T, id string) string {
		return lesson(t, id, "  - {id: writing, max_level: 1}\n", "")
	}
	for _, c := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"no front matter", []string{"aa/aa3.md", "# A lesson\n"}, []string{"base/aa/aa3.md:1: front matter ~ first line"}},
		{"front matter without end", []string{"aa/aa3.md", "---\nid: AA3\n"}, []string{"base/aa/aa3.md:1: front matter ~ no second line"}},
		{"broken YAML", []string{"aa/aa3.md", "---\nid: AA3\ntitle: [\n---\n"}, []string{"base/aa/aa3.md:3: YAML ~ "}},
		{"empty front matter", []string{"aa/aa3.md", "---\n\n---\n"}, []string{"base/aa/aa3.md:2: file ~ must be fields"}},
		{"id and file differ", []string{"aa/aa3.md", lesson(t, "AA4")}, []string{"base/aa/aa3.md:2: id ~ must be in a file aa4.md"}},
		{"track and folder differ", []string{"bb/aa3.md", lesson(t, "AA3")}, []string{"base/bb/aa3.md:3: track ~ must be in the folder aa/"}},
		{"a file at the wrong depth", []string{"aa3.md", lesson(t, "AA3")}, []string{"base/aa3.md:3: track ~ must be in the folder aa/"}},
		{"an id of small letters", []string{"aa/aa3.md", lesson(t, "aa3")}, []string{"base/aa/aa3.md:2: id ~ capital letters"}},
		{"an unknown track", []string{"bb/bb1.md", lesson(t, "BB1", "track: AA", "track: BB")}, []string{`base/bb/bb1.md:3: track ~ unknown track "BB"`}},
		{"a track that adds up to something else", []string{"aa/aa3.md", lesson(t, "AA3")}, []string{"base/curriculum.yaml:5: track AA minutes ~ 20 is stated, and its modules add up to 30"}},
		{"a skill that nobody teaches", []string{"aa/aa1.md", bare(t, "AA1"), "aa/aa2.md", bare(t, "AA2")}, []string{"training/skills.yaml:8: writing ~ no module teaches"}},
		{"a path to nowhere", []string{"curriculum.yaml", edit(t, smallOutline, "[AA1]", "[AA1, ZZ1]")}, []string{`base/curriculum.yaml:9: path[0].modules[1] ~ unknown module "ZZ1"`}},
		{"an unknown field of a track", []string{"curriculum.yaml", edit(t, smallOutline, "    name: First", "    colour: red\n    name: First")},
			[]string{"base/aa/aa1.md:3: track ~ unknown", "base/aa/aa2.md:3: track ~ unknown", "base/curriculum.yaml:3: tracks[0].colour ~ unknown; the fields are id, name, audience, minutes", "training/skills.yaml:7: reading ~ ", "training/skills.yaml:8: writing ~ "}},
		{"a track twice", []string{"curriculum.yaml", edit(t, smallOutline, "path:", "  - {id: AA, name: Again, audience: all, minutes: 20}\npath:")}, []string{"base/curriculum.yaml:6: tracks[1].id ~ twice"}},
		{"an empty track", []string{"curriculum.yaml", edit(t, smallOutline, "path:", "  - {id: CC, name: Empty, audience: all}\npath:")}, []string{"base/curriculum.yaml:6: track CC ~ has no module"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, Check(loaded(t, small(t, c.files...))), c.want...)
		})
	}
}

func TestQuizLength(t *testing.T) {
	m := &Module{File: "f", PassMark: 1, at: places{"quiz": 9}}
	good := Question{Q: "?", Explain: "!", Options: []Option{{"a", true, "w"}, {"b", false, "w"}, {"c", false, "w"}}}
	for n := range 12 {
		m.Quiz = nil
		for range n {
			m.Quiz = append(m.Quiz, good)
		}
		if got := len(checkQuiz(m)) == 0; got != (n >= 4 && n <= 8) {
			t.Errorf("%d questions: clean is %v", n, got)
		}
	}
}

func TestEstimateBounds(t *testing.T) {
	for _, c := range []struct {
		minutes, words int
		ok             bool
	}{{10, 2600, true}, {10, 2601, false}, {10, 1400, true}, {10, 1399, false}} {
		m := &Module{Minutes: c.minutes, Words: c.words}
		if m.withinEstimate() != c.ok {
			t.Errorf("%d words for %d minutes: %v", c.words, c.minutes, !c.ok)
		}
	}
}
