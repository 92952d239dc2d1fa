package source

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// entryIDs are the ids of what decoded, and how many deliveries did not.
func entryIDs(t testing.TB, text []byte) (ids string, bad int) {
	t.Helper()
	var list []string
	for _, d := range importAll(t, format(t, "pagerduty-log-entries"), "shop", text) {
		if d.err != nil {
			bad++
		}
		for _, e := range d.events {
			_, raw := withoutRaw(t, e)
			var v struct{ ID string }
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatal(err)
			}
			list = append(list, v.ID)
		}
	}
	return strings.Join(list, " "), bad
}

func entry(id string) string {
	return `{"id":"` + id + `","type":"annotate_log_entry","summary":"a {\"b\" [","created_at":"2026-03-02T09:00:00Z","agent":null,"incident":{"id":"P1","type":"incident_reference"}}`
}

// TestLayouts: the same entries in every layout, and what a fault costs.
func TestLayouts(t *testing.T) {
	pretty := func(s string) string {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(s), "", "  "); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	page := func(entries ...string) string {
		return `{"log_entries":[` + strings.Join(entries, ",") + `],"limit":100,"more":false}`
	}
	a, b, c := entry("A"), entry("B"), entry("C")
	for _, x := range []struct {
		name, text, ids string
		bad             int
	}{
		{"entries, one a line", a + "\n" + b + "\n\n" + c, "A B C", 0},
		{"Windows lines", a + "\r\n" + b + "\r\n", "A B", 0},
		{"pages, one a line", page(a, b) + "\n" + page(c) + "\n", "A B C", 0},
		{"a pretty page", pretty(page(a, b, c)), "A B C", 0},
		{"pretty pages, one behind the other", pretty(page(a, b)) + pretty(page(c)), "A B C", 0},
		{"an array of pages", "[" + page(a) + ",\n" + page(b, c) + "]", "A B C", 0},
		{"a pretty array of pages", pretty("[" + page(a) + "," + page(b, c) + "]"), "A B C", 0},
		{"an array of entries", "[\n" + a + ",\n" + b + "\n]\n", "A B", 0},
		{"a page with entries at the margin", "{\"log_entries\":[\n" + a + ",\n" + b + "\n]}", "A B", 0},
		{"one wrapped entry", `{"log_entry":` + a + `}`, "A", 0},
		{"a byte order mark", "\ufeff" + a, "A", 0},
		{"an empty page", page(), "", 0}, {"an empty file", "", "", 0}, {"an empty array", "[ ]", "", 0},
		{"cut in a string", a + "\n" + b[:30] + "\n" + c, "A C", 1},
		{"cut behind a comma", a + "\n" + b[:strings.Index(b, `"type"`)] + "\n" + c, "A C", 1},
		{"cut behind a colon", a + "\n" + `{"id":` + "\n" + b + "\n" + c + "\n" + a, "A B C A", 1},
		{"cut behind a value", a + "\n" + `{"id":"B"` + "\n" + b + "\n" + c, "A B C", 1},
		{"cut behind a bracket", a + "\n" + `{"x":[` + "\n" + b + "\n" + c, "A B C", 1},
		{"cut at the end", a + "\n" + b[:50], "A", 1},
		{"garbage between", a + "\nhello, world\n" + b + "\n12\nnull\n" + c, "A B C", 2},
		{"a bracket too many", a + "}\n" + b, "A B", 1},
		{"the wrong bracket", `{"x":[1}}` + "\n" + b, "B", 1},
		{"invalid UTF-8", a + "\n" + strings.Replace(b, "summary", "summ\xffary", 1) + "\n" + c, "A C", 1},
		{"deep", a + "\n" + `{"x":` + strings.Repeat("[", 10000) + "\n" + b, "A B", 1},
		{"a large entry", a + "\n" + strings.Replace(b, `"a {`, `"`+strings.Repeat("x", MaxBody)+` {`, 1) + "\n" + c, "A C", 1},
		{"a list that is none", a + "\n" + `{"log_entries":7}` + "\n" + b, "A B", 1},
		{"null in a page", page(a, "null", b), "A B", 1},
	} {
		for layout, text := range map[string][]byte{"plain": []byte(x.text), "gzip": zipped(t, []byte(x.text))} {
			if ids, bad := entryIDs(t, text); ids != x.ids || bad != x.bad {
				t.Errorf("%s, %s: entries %q, %d undecodable; want %q, %d", x.name, layout, ids, bad, x.ids, x.bad)
			}
		}
	}
	// A broken pretty page keeps its whole entries.
	text := strings.Replace(pretty(page(a, b, c)), `"id": "B"`, `"id": "B`, 1)
	if ids, bad := entryIDs(t, []byte(text)); ids != "A C" || bad == 0 {
		t.Errorf("of a broken page: %q, %d undecodable", ids, bad)
	}
}

// TestSlowReader: where reads end makes no difference.
func TestSlowReader(t *testing.T) {
	f := format(t, "pagerduty-log-entries")
	text := fixture(t, "pagerduty-log-entries", "hurt.jsonl")
	lines, err := f.Open(iotest.OneByteReader(bytes.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range importAll(t, f, "", text) {
		d, err := lines.Next()
		if err != nil || !bytes.Equal(d.Body, want.delivery.Body) {
			t.Fatalf("delivery %d: %v, %q", i, err, d.Body)
		}
	}
	if _, err := lines.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

// TestCutOffArchive: a damaged file is an error, not an early end.
func TestCutOffArchive(t *testing.T) {
	for _, f := range Imports() {
		text := fixture(t, "uci-incident-log", "small.csv")
		if f.Name != "uci-incident-log" {
			text = []byte(strings.Repeat(entry("A")+"\n", 50))
		}
		whole := zipped(t, text)
		lines, err := f.Open(bytes.NewReader(whole[:len(whole)-12]))
		for err == nil {
			_, err = lines.Next()
		}
		if err == io.EOF {
			t.Errorf("%s: a cut-off archive ends like a whole one", f.Name)
		}
	}
}

// TestEndlessLine: a line without end is given up without being held in memory.
func TestEndlessLine(t *testing.T) {
	size := int64(maxValue + maxValue/2)
	endless := io.MultiReader(strings.NewReader(`{"x":"`), io.LimitReader(zeros{}, size), strings.NewReader("\n"+entry("B")))
	lines, err := openEntries(endless)
	if err != nil {
		t.Fatal(err)
	}
	bad, good := 0, 0
	for {
		d, err := lines.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Body) > maxEvidence && d.fault != nil {
			t.Errorf("%d bytes of evidence", len(d.Body))
		}
		if _, err := decodeEntries(d); err != nil {
			bad++
		} else {
			good++
		}
	}
	if bad != 1 || good != 1 {
		t.Errorf("%d undecodable, %d good", bad, good)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// TestBrokenRows: a stray quote costs its row, not the rest of the CSV.
func TestBrokenRows(t *testing.T) {
	head := "incident_id,created_at,type,user_or_agent_id,user_or_agent_summary,notification_type,channel_type,summary\n"
	row := func(id, summary string) string {
		return id + ",2019-05-06T07:00:00Z,annotate_log_entry,P1,Ana,,website," + summary + "\n"
	}
	for _, c := range []struct {
		text      string
		good, bad int
	}{
		{row("A", "x") + row("B", `"open`) + row("C", "y") + row("D", "z"), 3, 1},
		{row("A", "x") + row("B", `mid"dle`) + row("C", "y"), 2, 1},
		{row("A", `"two`+"\n"+`lines"`) + row("B", "y"), 2, 0},
		{row("A", "x") + "B,too,few\n" + row("C", "x"), 2, 1},
		{row("A", "x") + strings.Replace(row("B", "x"), "2019-", "19-", 1) + row("C", "x"), 2, 1},
		{row("A", "x") + row("A", "x"), 2, 0},
		{"", 0, 0},
	} {
		all := importAll(t, format(t, "pagerduty-log-entries"), "shop", []byte(head+c.text))
		good, bad := len(eventsOf(all)), 0
		for _, d := range all {
			if d.err != nil {
				bad++
			}
		}
		if good != c.good || bad != c.bad {
			t.Errorf("%q: %d good, %d undecodable; want %d, %d", c.text, good, bad, c.good, c.bad)
		}
	}
}
