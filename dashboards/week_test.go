package dashboards

import (
	"encoding/json"
	"strings"
	"testing"
)

// A week that the window cuts is paler in the picture and says so in the table and the key;
// a whole one is not.
func TestCutWeeks(t *testing.T) {
	for _, c := range []struct {
		query, says string
		pale        []int
		weeks       int
	}{
		{"", "so far", []int{12}, 13}, // now is a Sunday afternoon
		{"?to=2026-11-16", "", nil, 13},
		{"?from=2026-10-07&to=2026-11-05", "in part", []int{0, 4}, 5},
	} {
		s := boot(t, newFake())
		page := body(t, get(t, s, "/"+c.query))
		_, rest, _ := strings.Cut(page, `id="o-worn">`)
		options, _, _ := strings.Cut(rest, "</script>")
		var got struct {
			Series []struct {
				Data []struct{ ItemStyle struct{ Opacity float64 } }
			}
		}
		if err := json.Unmarshal([]byte(options), &got); err != nil {
			t.Fatal(c.query, err)
		}
		var pale []int
		for i, d := range got.Series[0].Data {
			if d.ItemStyle.Opacity > 0 {
				pale = append(pale, i)
			}
		}
		if len(got.Series[0].Data) != c.weeks || len(pale) != len(c.pale) {
			t.Fatalf("%s: %d weeks, paler %v, want %v", c.query, len(got.Series[0].Data), pale, c.pale)
		}
		for i := range pale {
			if pale[i] != c.pale[i] {
				t.Errorf("%s: paler %v, want %v", c.query, pale, c.pale)
			}
		}
		read := text(t, page)
		if c.says != "" && !strings.Contains(read, c.says) || strings.Contains(read, "paler") != (c.says != "") {
			t.Errorf("%s: the page does not say %q, or says it without need", c.query, c.says)
		}
	}
}
