package source

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	goccy "github.com/goccy/go-json"
)

const (
	// MaxBody is the largest body that becomes an event. The whole of it is kept under
	// raw, and a record on the log must stay below the broker's usual limit of 1 MB.
	MaxBody = 512 << 10
	// maxDepth bounds nesting. Readers down the line refuse 10,000 levels, and the body
	// sits some levels deeper there than here; real payloads have fewer than 20.
	maxDepth = 200
)

// compact checks that a body is one JSON value fit to be kept and returns it without its
// insignificant whitespace, since the log and the exports are one event a line. It goes
// through the strict decoder of the standard library; the fast one, which is lax about
// what it accepts, then only meets input that is known to be valid.
func compact(body []byte) ([]byte, error) {
	if len(body) > MaxBody {
		return nil, &Undecodable{Reason: "larger than 512 KiB"}
	}
	if !utf8.Valid(body) {
		return nil, &Undecodable{Reason: "not valid UTF-8"}
	}
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if deeper(body, maxDepth) {
		return nil, &Undecodable{Reason: "nested more than 200 levels deep"}
	}
	var out bytes.Buffer
	out.Grow(len(body))
	if err := json.Compact(&out, body); err != nil {
		return nil, &Undecodable{Reason: "not valid JSON"}
	}
	return out.Bytes(), nil
}

// deeper reports whether brackets outside strings nest more than max levels.
func deeper(body []byte, max int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > max {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// unmarshal reads valid JSON into a vendor's shape.
func unmarshal(raw []byte, into any) error {
	if err := goccy.Unmarshal(raw, into); err != nil {
		return &Undecodable{Reason: "a member has an unexpected type"}
	}
	return nil
}

// word is a string member that some tools send as a number: ids of 38 digits among them,
// which no integer holds. It is opaque text; null and absent are "".
type word string

// UnmarshalJSON accepts a string, a number or null.
func (w *word) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || string(b) == "null":
		return nil
	case b[0] == '"':
		if bytes.IndexByte(b, '\\') < 0 { // nearly all; the body is known to be valid
			*w = word(b[1 : len(b)-1])
			return nil
		}
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*w = word(s)
		return nil
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*w = word(b)
		return nil
	}
	return &Undecodable{Reason: "must be a string"}
}

// plain makes a vendor's type name safe to repeat in a reason.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-' {
			return r
		}
		return '?'
	}, s)
	if len(s) > 80 {
		s = s[:80]
	}
	return s
}
