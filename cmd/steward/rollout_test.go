package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A draw that is published is checked by anybody who has its file: the right order passes,
// another seed and another order do not, alone or within the event.
func TestRolloutCheck(t *testing.T) {
	const draw = `{"rollout":"r","module":"FX1","metric":"incidents","window":"2026-06-01/2026-11-23","scale":"difference","expect":"lower",` +
		`"teams":["checkout","identity","insights","logistics","messaging","payments","platform","search"],` +
		`"steps":[{"week":"2026-08-24T00:00:00Z","teams":2},{"week":"2026-09-14T00:00:00Z","teams":2}],` +
		`"order":["search","checkout","messaging","platform","insights","logistics","identity","payments"],"seed":77}`
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		name, text string
		code       int
		out, errs  string
	}{
		{"the draw", draw, exitDone, "roll-out r of FX1, metric incidents", ""},
		{"its event", `{"specversion":"1.0","type":"dev.steward.rollout.drawn.v1","data":` + draw + `}`, exitDone, "roll-out r of FX1", ""},
		{"another seed", strings.Replace(draw, `"seed":77`, `"seed":78`, 1), exitFailed, "", "not the one its seed gives"},
		{"two teams changed places", strings.Replace(draw, `["search","checkout"`, `["checkout","search"`, 1), exitFailed, "", "not the one its seed gives"},
		{"a team that was left out", strings.Replace(draw, `"order":["search",`, `"order":[`, 1), exitFailed, "", "order: must list exactly the teams"},
		{"another event", `{"type":"dev.steward.page.sent.v1","data":` + draw + `}`, exitFailed, "", "the event is a"},
		{"no draw", `{}`, exitFailed, "", "rollout: required"},
		{"no JSON", `draw`, exitFailed, "", "rollout.drawn"},
	} {
		r := steward(t, nil, "rollout", "check", file("draw.json", c.text))
		if r.code != c.code || !strings.HasPrefix(r.out, c.out) || !strings.Contains(r.err, c.errs) {
			t.Errorf("%s: exit %d, out %q, err %q", c.name, r.code, r.out, r.err)
		}
	}
	if r := steward(t, nil, "rollout", "check", filepath.Join(t.TempDir(), "none.json")); r.code != exitUsage {
		t.Errorf("no file: exit %d, %q", r.code, r.err)
	}
}
