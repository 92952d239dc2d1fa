package training

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func ids(modules []*Module) string {
	var out []string
	for _, m := range modules {
		out = append(out, m.ID)
	}
	return strings.Join(out, " ")
}

// What ships is without fault, and is what the outline promises.
func TestTheBuiltInCurriculumIsClean(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	expect(t, Check(c))
	if len(c.Tracks) != 6 || len(c.Modules()) != 33 || c.Minutes() != 1440 || len(c.Changes) != 0 {
		t.Errorf("%d tracks, %d modules, %d minutes, changes %v", len(c.Tracks), len(c.Modules()), c.Minutes(), c.Changes)
	}
	for _, m := range c.Modules() {
		if m.HTML == "" || m.Words < 500 || len(m.Digest) != 64 || m.Own {
			t.Errorf("%s: %d bytes of HTML, %d words, digest %q", m.ID, len(m.HTML), m.Words, m.Digest)
		}
		// Where all right options have one place, or are the longest, the place is what is learned.
		first, longest := 0, 0
		for _, q := range m.Quiz {
			right := slices.IndexFunc(q.Options, func(o Option) bool { return o.Right })
			if right == 0 {
				first++
			}
			if !slices.ContainsFunc(q.Options, func(o Option) bool { return len(o.Text) > len(q.Options[right].Text) }) {
				longest++
			}
		}
		if first == len(m.Quiz) || longest == len(m.Quiz) {
			t.Errorf("%s: the right options are first in %d and longest in %d of %d questions", m.ID, first, longest, len(m.Quiz))
		}
	}
}

func TestLinksLeadToModules(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	m, _ := c.Module("PG3")
	if !strings.Contains(string(m.HTML), `<a href="/training/PG4">Asking for help early</a>`) {
		t.Error("PG3 does not link to PG4's page")
	}
	if !strings.Contains(string(m.HTML), `<a href="https://sre.google/sre-book/effective-troubleshooting/" rel="noopener noreferrer">`) {
		t.Error("PG3 does not link to its first source")
	}
}

func TestOrderAndPrerequisites(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	place := map[string]int{}
	for i, m := range c.Order() {
		place[m.ID] = i
	}
	if len(place) != 33 {
		t.Fatalf("%d modules in order", len(place))
	}
	for _, m := range c.Modules() {
		for _, p := range m.Prereqs {
			if place[p] > place[m.ID] {
				t.Errorf("%s comes before %s, which it requires", m.ID, p)
			}
		}
	}
	for id, want := range map[string]string{
		"PG1": "", "PG6": "PG1 PG2 PG3 PG4 PG5 LS1", "FX7": "PG1 LS1 FX1 PG2 PG3 PG4", "ZZ1": "",
		"RS2": "PG1 RS1 PG2 PG3 LN3 LS1 LN4",
	} {
		if got := ids(c.Prerequisites(id)); got != want {
			t.Errorf("%s requires %q, not %q", id, got, want)
		}
	}
}

func TestTeachesSkill(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for skill, want := range map[string]string{
		"queue-stream-ops": "FX4", "datastore-ops": "FX3 RS3", "change-mitigation": "LS4 FX1", "baking": "",
		"alert-triage": "PG3 PG6 LN3", // PG3 ends in a drill and leads further
	} {
		if got := ids(c.TeachesSkill(skill)); got != want {
			t.Errorf("%s is taught by %q, not %q", skill, got, want)
		}
	}
}

func TestDefaultPath(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	path := c.DefaultPath()
	want := []struct {
		people  int
		modules string
	}{
		{0, "PG1 PG2 PG3 PG4 PG5 LS1 PG6"}, {0, "LS2 LS4 FX1 FX2"}, {2, "IC1 IC2 IC3 IC4 IC5"}, {1, "LN1 LN2 IC1 IC2 RS5"},
	}
	if len(path) != len(want) {
		t.Fatalf("%d stages", len(path))
	}
	for i, w := range want {
		if path[i].People != w.people || ids(path[i].Modules) != w.modules {
			t.Errorf("stage %d: %d people, %s", i, path[i].People, ids(path[i].Modules))
		}
	}
	if path[0].Minutes() != 275 {
		t.Errorf("%d minutes before the first solo shift", path[0].Minutes())
	}
	if path[1].Demanded == nil || path[1].Demanded.ID != "FX" {
		t.Errorf("demanded: %v", path[1].Demanded)
	}
}

// The demanded module of a stage is the one for the skill that incidents took most.
func TestStageAsked(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	second := c.DefaultPath()[1]
	for _, w := range []struct {
		demand map[string]int64
		want   string
	}{
		{nil, ""},
		{map[string]int64{"blameless-review": 90}, ""}, // the track does not teach it
		{map[string]int64{"queue-stream-ops": 12, "datastore-ops": 11, "blameless-review": 90}, "FX4"},
		{map[string]int64{"change-mitigation": 50, "overload-capacity": 40, "datastore-ops": 1}, "FX3"}, // FX1 and FX2 are in the stage
		{map[string]int64{"queue-stream-ops": 7, "datastore-ops": 7}, "FX3"},                            // the curriculum's order
		{map[string]int64{"queue-stream-ops": 7, "network-dns-tls": 7, "host-debugging": 3}, "FX5"},     // as much, and more besides
		{map[string]int64{"queue-stream-ops": 7, "network-dns-tls": 6, "host-debugging": 6}, "FX4"},     // the sum alone does not decide
		{map[string]int64{"queue-stream-ops": 0}, ""},
	} {
		got := ""
		if m := second.Asked(w.demand); m != nil {
			got = m.ID
		}
		if got != w.want {
			t.Errorf("%v asks for %q, want %q", w.demand, got, w.want)
		}
	}
	if m := c.DefaultPath()[0].Asked(map[string]int64{"queue-stream-ops": 9}); m != nil {
		t.Errorf("a stage without a demanded track adds %s", m.ID)
	}
}

func TestOwnModules(t *testing.T) {
	newer := func(id string, edits ...string) string {
		return lesson(t, id, append([]string{"version: 1", "version: 2\nreplaces: 1"}, edits...)...)
	}
	for _, c := range []struct {
		name    string
		own     fstest.MapFS
		changes string
		want    []string
	}{
		{"nothing", files(), "", nil},
		{"what is no module", files("README.md", "x", "aa/notes.txt", "x", ".git/x.md", "x"), "", nil},
		{"a new one", files("aa/aa3.md", lesson(t, "AA3")), "own/aa/aa3.md: adds AA3 version 1", nil},
		{"a new track", files("curriculum.yaml", "tracks:\n  - {id: BB, name: Ours, audience: us, minutes: 10}\n", "bb/bb1.md", lesson(t, "BB1", "track: AA", "track: BB")), "own/bb/bb1.md: adds BB1 version 1", nil},
		{"a replacement", files("aa/aa1.md", newer("AA1", "Why.", "Our why.")), "own/aa/aa1.md: AA1 version 2 replaces version 1", nil},
		{"one that changes the minutes", files("aa/aa1.md", newer("AA1", "minutes: 10", "minutes: 12")), "own/aa/aa1.md: AA1 version 2 replaces version 1", nil},
		{"and states them wrongly", files("curriculum.yaml", "tracks:\n  - {id: AA, name: First, audience: us, minutes: 20}\n", "aa/aa1.md", newer("AA1", "minutes: 10", "minutes: 12")), "own/aa/aa1.md: AA1 version 2 replaces version 1",
			[]string{"own/curriculum.yaml:2: track AA minutes ~ add up to 22"}},
		{"a replacement that does not say so", files("aa/aa1.md", lesson(t, "AA1")), "own/aa/aa1.md: AA1 version 1 replaces version 1", []string{"own/aa/aa1.md:1: replaces ~ missing"}},
		{"of an older text", files("aa/aa1.md", lesson(t, "AA1", "version: 1", "version: 9\nreplaces: 3")), "own/aa/aa1.md: AA1 version 9 replaces version 1", []string{"own/aa/aa1.md:6: replaces ~ made from version 3"}},
		{"without a version of its own", files("aa/aa1.md", lesson(t, "AA1", "version: 1", "version: 1\nreplaces: 1")), "own/aa/aa1.md: AA1 version 1 replaces version 1", []string{"own/aa/aa1.md:5: version ~ must be above 1"}},
		{"of nothing", files("aa/aa3.md", newer("AA3")), "own/aa/aa3.md: adds AA3 version 2", []string{"own/aa/aa3.md:6: replaces ~ no built-in AA3"}},
		{"an unreadable one", files("aa/aa1.md", "oops"), "", []string{"own/aa/aa1.md:1: front matter ~ first line"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := loaded(t, small(t), c.own)
			var changes []string
			for _, x := range got.Changes {
				changes = append(changes, x.String())
			}
			if s := strings.Join(changes, "\n"); s != c.changes {
				t.Errorf("changes: %s", s)
			}
			expect(t, Check(got), c.want...)
			if m, ok := got.Module("AA1"); !ok || m.Title == "" { // whatever was laid over it, there is one
				t.Error("AA1 is gone")
			}
		})
	}
}

// The replacement is what is shown, and who links to it meets it.
func TestReplacementIsShown(t *testing.T) {
	c := loaded(t, small(t), files("aa/aa1.md", lesson(t, "AA1", "version: 1", "version: 2\nreplaces: 1", "Why.", "Our own why.")))
	m, _ := c.Module("AA1")
	if !m.Own || !strings.Contains(string(m.HTML), "Our own why.") || m.File != "own/aa/aa1.md" {
		t.Errorf("%s, own %v: %s", m.File, m.Own, m.HTML)
	}
	if t1, _ := c.Track("AA"); len(t1.Modules) != 2 || t1.Modules[0] != m {
		t.Errorf("track: %s", ids(t1.Modules))
	}
}

func TestModulesStandInNaturalOrder(t *testing.T) {
	c := loaded(t, small(t, "aa/aa10.md", lesson(t, "AA10"), "aa/aa9.md", lesson(t, "AA9")))
	if got := ids(c.Modules()); got != "AA1 AA2 AA9 AA10" {
		t.Error(got)
	}
}

// Windows line ends change neither the text nor the lines of problems.
func TestLineEnds(t *testing.T) {
	text := lesson(t, "AA1", "version: 1", "version: 0")
	c := loaded(t, small(t, "aa/aa1.md", strings.ReplaceAll(text, "\n", "\r\n")))
	expect(t, Check(c), "base/aa/aa1.md:5: version ~ from 1")
}
