package ingest

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nextEmail finds the first e-mail address of b at or after from: letters, digits and
// ._%+-' before the @, and a domain with a dot. Letters are those of scripts with upper and
// lower case, so that an address in the midst of Chinese text ends where it ends. start is
// -1 when there is none.
func nextEmail(b []byte, from int) (start, end int) {
	for at := from; at < len(b); at++ {
		i := bytes.IndexByte(b[at:], '@')
		if i < 0 {
			break
		}
		at += i
		start = at
		for start > from {
			r, n := utf8.DecodeLastRune(b[from:start])
			if !cased(r) && !strings.ContainsRune("._%+-'", r) {
				break
			}
			start -= n
		}
		for start < at && (b[start] == '.' || b[start] == '\'' || b[start] == '-') {
			start++ // punctuation of the sentence
		}
		end = at + 1
		for end < len(b) {
			r, n := utf8.DecodeRune(b[end:])
			if !cased(r) && r != '.' && r != '-' {
				break
			}
			end += n
		}
		for end > at && (b[end-1] == '.' || b[end-1] == '-') {
			end--
		}
		if start < at && bytes.IndexByte(b[at+1:end], '.') > 0 {
			return start, end
		}
	}
	return -1, -1
}

func cased(r rune) bool {
	if r < utf8.RuneSelf {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	}
	return unicode.IsUpper(r) || unicode.IsLower(r)
}

// nextWord finds word in b at or after from, where it is not a part of a longer word.
func nextWord(b, word []byte, from int) int {
	for from < len(b) {
		i := bytes.Index(b[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		if (i == 0 || !wordByte(b[i-1])) && (end == len(b) || !wordByte(b[end])) {
			return i
		}
		from = i + 1
	}
	return -1
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}
