package training

import (
	"testing"
)

// An organisation's file may hold anything: it costs that file, never the start, and what
// stays can be walked through.
func FuzzOwnModule(f *testing.F) {
	good := lesson(f, "AA1", "version: 1", "version: 2\nreplaces: 1")
	for _, text := range []string{good, "", "---\n", "---\n---\n", "---\nid: AA1\ntrack: AA\n---\n", "---\n- id\n---\n", "---\nid: &a [*a]\n---\n",
		"---\r\nid: AA1\r\n---\r\n", "---\nid: AA1\ntrack: AA\nprereqs: [AA1, AA2]\nquiz: [{q: x, options: []}]\n---\n# x\n"} {
		f.Add(text, smallOutline)
	}
	f.Add(good, "tracks: [{id: AA}]\npath: [{modules: [AA1, ''], demanded: AA}]\n")
	f.Fuzz(func(t *testing.T, text, outline string) {
		c := loaded(t, small(t), files("aa/aa1.md", text, "curriculum.yaml", outline))
		for _, p := range Check(c) {
			if p.File == "" || p.Field == "" || p.Reason == "" {
				t.Errorf("a problem that says nothing: %s", p)
			}
		}
		if len(c.Order()) != len(c.Modules()) {
			t.Error("the order loses modules")
		}
		c.DefaultPath()
		for _, m := range c.Modules() {
			c.Prerequisites(m.ID)
			if bad := forbidden(m.HTML); len(bad) > 0 {
				t.Errorf("%v", bad)
			}
			if len(m.Quiz) > 0 {
				a := Attempt{Module: m.ID, Number: 3, Digest: m.Digest, Answers: make([]int, len(m.Quiz))}
				_, _ = a.Mark(m)
			}
		}
	})
}
