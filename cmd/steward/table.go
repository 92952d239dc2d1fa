package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// answer is what a table needs of the API's body.
type answer struct {
	Title      string            `json:"title"`
	Unit       string            `json:"unit"`
	Definition string            `json:"definition"`
	AsOf       string            `json:"as_of"`
	Watermark  *string           `json:"watermark"`
	Params     map[string]any    `json:"params"`
	Assumed    map[string]uint64 `json:"assumed"`
	Columns    []struct {
		Name string `json:"name"`
		Type string `json:"type"`
		Unit string `json:"unit"`
	} `json:"columns"`
	Rows     []map[string]any `json:"rows"`
	Withheld []struct {
		Key    string `json:"key"`
		Reason string `json:"reason"`
	} `json:"withheld"`
}

// writeTable shows an answer to a person: numbers right-aligned, units in the head,
// underneath what the numbers rest on.
func writeTable(w io.Writer, body []byte) error {
	var a answer
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // a number is shown as it was sent
	if err := dec.Decode(&a); err != nil {
		return fmt.Errorf("the answer is not understood: %w", err)
	}
	lines := make([][]string, 1, len(a.Rows)+1)
	shown := a.shown()
	for _, i := range shown {
		head := a.Columns[i].Name
		if u := a.Columns[i].Unit; u != "" && u != head {
			head += " [" + u + "]"
		}
		lines[0] = append(lines[0], head)
	}
	for _, r := range a.Rows {
		line := make([]string, 0, len(shown))
		for _, i := range shown {
			line = append(line, cell(r[a.Columns[i].Name]))
		}
		lines = append(lines, line)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n\n", plain(a.Title))
	if len(a.Rows) == 0 {
		out.WriteString("no rows: nothing in the window counts\n")
	} else {
		a.align(&out, lines, shown)
	}
	a.foot(&out)
	_, err := io.WriteString(w, out.String())
	return err
}

// shown leaves out bucket and key where no row has one.
func (a *answer) shown() []int {
	var out []int
	for i, c := range a.Columns {
		if c.Name == "bucket" || c.Name == "key" {
			if !slices.ContainsFunc(a.Rows, func(r map[string]any) bool { return cell(r[c.Name]) != "" }) {
				continue
			}
		}
		out = append(out, i)
	}
	return out
}

func (a *answer) align(out *strings.Builder, lines [][]string, shown []int) {
	width := make([]int, len(shown))
	for _, l := range lines {
		for i, s := range l {
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	for _, l := range lines {
		var row strings.Builder
		for i, s := range l {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if i > 0 {
				row.WriteString("  ")
			}
			if kind := a.Columns[shown[i]].Type; kind == "string" || kind == "moment" {
				row.WriteString(s + pad)
			} else {
				row.WriteString(pad + s)
			}
		}
		out.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
}

func (a *answer) foot(out *strings.Builder) {
	out.WriteString("\n" + wrap(plain(a.Definition), 100) + "\n")
	fmt.Fprintf(out, "window %v to %v, as of %s", a.Params["from"], a.Params["to"], a.AsOf)
	if a.Watermark != nil {
		fmt.Fprintf(out, ", latest event learned %s", *a.Watermark)
	}
	out.WriteString("\n")
	for _, name := range slices.Sorted(maps.Keys(a.Assumed)) {
		if n := a.Assumed[name]; n > 0 {
			fmt.Fprintf(out, "%d rest on an assumed %s\n", n, name)
		}
	}
	for _, h := range a.Withheld {
		fmt.Fprintf(out, "withheld: %s: %s\n", plain(h.Key), plain(h.Reason))
	}
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return plain(v)
	case json.Number:
		return v.String()
	}
	return plain(fmt.Sprint(v))
}

// plain keeps what a name from outside may hold from steering the terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
}

// wrap breaks prose at spaces, so that a terminal does not break it inside words.
func wrap(s string, width int) string {
	var out strings.Builder
	used := 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+n > width:
			out.WriteByte('\n')
			used = 0
		default:
			out.WriteByte(' ')
			used++
		}
		out.WriteString(word)
		used += n
	}
	return out.String()
}
