package ingest

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
	"unsafe"
)

// maxDepth bounds the nesting of any JSON that is let in. Real payloads stay under ten;
// the bound keeps a bomb of ten thousand brackets away from every recursive decoder
// behind this one, the warehouse's included.
const maxDepth = 64

var (
	errJSON  = errors.New("not valid JSON")
	errUTF8  = errors.New("not valid UTF-8")
	errDepth = errors.New("nested too deeply")
)

// scanObject validates b as one JSON object, strictly and without allocating, and hands
// each member of its top level to member. Keys and values are slices of b: a key is
// quoted and may hold escapes. Its errors are errJSON, errUTF8, errDepth, or member's.
func scanObject(b []byte, member func(key, value []byte) error) error {
	if !utf8.Valid(b) {
		return errUTF8
	}
	s := scanner{b: b}
	if err := s.object(1, member); err != nil {
		return err
	}
	return s.end()
}

// scanArray is scanObject for an array: each element is handed over validated.
func scanArray(b []byte, element func(value []byte) error) error {
	if !utf8.Valid(b) {
		return errUTF8
	}
	s := scanner{b: b}
	if err := s.array(1, element); err != nil {
		return err
	}
	return s.end()
}

type scanner struct {
	b []byte
	i int
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// next skips space and answers the byte there, 0 at the end.
func (s *scanner) next() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *scanner) end() error {
	if s.space(); s.i != len(s.b) {
		return errJSON
	}
	return nil
}

func (s *scanner) object(depth int, member func(key, value []byte) error) error {
	if depth > maxDepth {
		return errDepth
	}
	if s.next() != '{' {
		return errJSON
	}
	s.i++
	if s.next() == '}' {
		s.i++
		return nil
	}
	for {
		s.space()
		start := s.i
		if err := s.str(); err != nil {
			return err
		}
		key := s.b[start:s.i]
		if s.next() != ':' {
			return errJSON
		}
		s.i++
		s.space()
		start = s.i
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if member != nil {
			if err := member(key, s.b[start:s.i:s.i]); err != nil {
				return err
			}
		}
		switch s.next() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return errJSON
		}
	}
}

func (s *scanner) array(depth int, element func(value []byte) error) error {
	if depth > maxDepth {
		return errDepth
	}
	if s.next() != '[' {
		return errJSON
	}
	s.i++
	if s.next() == ']' {
		s.i++
		return nil
	}
	for {
		s.space()
		start := s.i
		if err := s.value(depth + 1); err != nil {
			return err
		}
		if element != nil {
			if err := element(s.b[start:s.i:s.i]); err != nil {
				return err
			}
		}
		switch s.next() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return errJSON
		}
	}
}

func (s *scanner) value(depth int) error {
	switch c := s.next(); {
	case c == '"':
		return s.str()
	case c == '{':
		return s.object(depth, nil)
	case c == '[':
		return s.array(depth, nil)
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return errJSON
}

func (s *scanner) word(w string) error {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return errJSON
	}
	s.i += len(w)
	return nil
}

func (s *scanner) str() error {
	if s.i >= len(s.b) || s.b[s.i] != '"' {
		return errJSON
	}
	for i := s.i + 1; i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.i = i + 1
			return nil
		case c < 0x20:
			return errJSON
		case c == '\\':
			i++
			if i >= len(s.b) {
				return errJSON
			}
			switch s.b[i] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				if len(s.b)-i < 5 || !hex4(s.b[i+1:i+5]) {
					return errJSON
				}
				i += 4
			default:
				return errJSON
			}
		}
	}
	return errJSON
}

func hex4(b []byte) bool {
	for _, c := range b {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// number checks RFC 8259's grammar. 1e400 is a number there, and is kept as its text.
func (s *scanner) number() error {
	digits := func() bool {
		start := s.i
		for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
			s.i++
		}
		return s.i > start
	}
	if s.b[s.i] == '-' {
		s.i++
	}
	if s.i < len(s.b) && s.b[s.i] == '0' {
		s.i++
	} else if !digits() {
		return errJSON
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if !digits() {
			return errJSON
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if !digits() {
			return errJSON
		}
	}
	return nil
}

// view is b as a string without a copy; b must never change afterwards.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// unquote reads a validated JSON string. ok is false when the value is not a string.
// The result shares memory with raw where there is nothing to unescape.
func unquote(raw []byte) (s string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	inner := raw[1 : len(raw)-1]
	for _, c := range inner {
		if c == '\\' {
			return unescape(raw)
		}
	}
	return view(inner), true
}

// unescape is apart so that the ordinary string, which has no escapes, costs no allocation.
func unescape(raw []byte) (s string, ok bool) {
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

func isNull(raw []byte) bool { return len(raw) == 4 && raw[0] == 'n' }
