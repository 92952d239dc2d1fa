package warehouse

import (
	"strings"
	"unicode"
)

// token is a piece of SQL text. Only what is needed to cut statements apart and to find clauses: no grammar.
type token struct {
	kind  byte // 'w' word, 's' string, 'q' quoted name, 'c' comment or space, 'p' one character of the rest
	text  string
	start int
	depth int // of parentheses, around the token
}

func (t token) is(word string) bool { return t.kind == 'w' && strings.EqualFold(t.text, word) }

// tokens cuts a text into all of its pieces; joined they give the text again.
func tokens(text string) []token {
	var out []token
	depth := 0
	for i := 0; i < len(text); {
		start, kind := i, byte('p')
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "--") || c == '#' && (i+1 < len(text) && (text[i+1] == ' ' || text[i+1] == '!')):
			kind = 'c'
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n + 1
			} else {
				i = len(text)
			}
		case strings.HasPrefix(text[i:], "/*"):
			kind = 'c'
			if n := strings.Index(text[i+2:], "*/"); n >= 0 {
				i += n + 4
			} else {
				i = len(text)
			}
		case unicode.IsSpace(rune(c)):
			kind = 'c'
			for i < len(text) && unicode.IsSpace(rune(text[i])) {
				i++
			}
		case c == '\'' || c == '`' || c == '"':
			kind = 'q'
			if c == '\'' {
				kind = 's'
			}
			for i++; i < len(text); i++ {
				if text[i] == '\\' {
					i++
				} else if text[i] == c {
					if i+1 < len(text) && text[i+1] == c {
						i++
						continue
					}
					break
				}
			}
			i = min(i+1, len(text))
		case isWord(c):
			kind = 'w'
			for i < len(text) && isWord(text[i]) {
				i++
			}
		default:
			i++
		}
		t := token{kind: kind, text: text[start:i], start: start, depth: depth}
		switch t.text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
			t.depth = depth
		}
		out = append(out, t)
	}
	return out
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

// words are the tokens that mean something.
func words(text string) []token {
	var out []token
	for _, t := range tokens(text) {
		if t.kind != 'c' {
			out = append(out, t)
		}
	}
	return out
}

// splitStatements cuts a file at its semicolons. Pieces without words are left out; comments before a
// statement stay with it.
func splitStatements(text string) []string {
	var out []string
	start, full := 0, false
	add := func(end int) {
		if full {
			out = append(out, strings.TrimSpace(text[start:end]))
		}
		full = false
	}
	for _, t := range tokens(text) {
		switch {
		case t.kind == 'p' && t.text == ";":
			add(t.start)
			start = t.start + 1
		case t.kind != 'c':
			full = true
		}
	}
	add(len(text))
	return out
}

// normalSQL is a text without comments and with single spaces: what a change of meaning changes.
func normalSQL(text string) string {
	var b strings.Builder
	gap := false
	for _, t := range tokens(text) {
		if t.kind == 'c' {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteString(t.text)
	}
	return b.String()
}

// clause finds a word outside all parentheses, from the given token on; -1 if there is none.
func clause(ts []token, from int, word string) int {
	for i := from; i < len(ts); i++ {
		if ts[i].depth == 0 && ts[i].is(word) {
			return i
		}
	}
	return -1
}
