package source

import (
	"bytes"
	"io"
)

// values cuts a file into its JSON objects, however they are laid out: one a line,
// pretty-printed, one behind the other, in one array or in several.
//
//  1. Outside objects, brackets, commas and white space are skipped, so an array is as
//     good as a sequence. Anything else there is garbage up to the next line that begins
//     an object or an array.
//  2. Inside, only brackets and strings are followed, and just enough of the grammar to
//     see that an object cannot begin here: that is how a line that was cut off is
//     noticed before it swallows its neighbours.
//  3. After a fault the first line alone is given up and reading starts again at the
//     second. Lines lose themselves only, and of a broken page the whole entries survive.
//     Nesting is bounded, so starting again cannot make this quadratic.
type values struct{ w *window }

// next returns one object, or a part that is none together with why.
func (v values) next() ([]byte, *Undecodable, error) {
	w := v.w
	for {
		for w.len() > 0 && bytes.IndexByte([]byte(" \t\r\n,[]"), w.buf[w.pos]) >= 0 {
			w.pos++
		}
		if w.len() > 0 {
			break
		}
		if w.eof {
			return nil, nil, io.EOF
		}
		if err := w.fill(); err != nil {
			return nil, nil, err
		}
	}
	if w.buf[w.pos] != '{' {
		b, err := v.garbage()
		return b, &Undecodable{Reason: "not a JSON object"}, err
	}
	n, fault, err := v.object()
	if err != nil {
		return nil, nil, err
	}
	if fault != nil {
		b, err := w.reject()
		return b, fault, err
	}
	return w.take(n), nil, nil
}

// garbage takes lines up to one that begins with a bracket, or as many as are worth keeping.
func (v values) garbage() ([]byte, error) {
	out, err := v.w.reject()
	for err == nil && len(out) < maxEvidence {
		n, _, lerr := v.w.line(0)
		if lerr != nil {
			return nil, lerr
		}
		line := bytes.TrimLeft(v.w.rest()[:n], " \t\r\n")
		if n == 0 || len(line) > 0 && (line[0] == '{' || line[0] == '[') {
			break
		}
		var more []byte
		if more, err = v.w.reject(); err == nil {
			out = append(append(out, '\n'), more...)
		}
	}
	return bytes.TrimRight(evidence(out), "\n"), err
}

// object finds the end of the object at the window's start.
func (v values) object() (int, *Undecodable, error) {
	w := v.w
	var stack [maxDepth + 10]byte
	var last byte // the last significant byte
	depth, quoted := 0, false
	for i := 0; ; i++ {
		for i >= w.len() {
			switch {
			case w.eof:
				return 0, &Undecodable{Reason: "cut off"}, nil
			case i > maxValue:
				return 0, &Undecodable{Reason: "larger than 64 MiB"}, nil
			}
			if err := w.fill(); err != nil {
				return 0, nil, err
			}
		}
		c := w.buf[w.pos+i]
		if quoted {
			switch c {
			case '\\':
				i++ // a multi-byte escape has no quote in the rest of it
			case '"':
				quoted, last = false, c
			case '\n':
				return 0, &Undecodable{Reason: "not valid JSON"}, nil
			}
			continue
		}
		switch c {
		case ' ', '\t', '\r', '\n':
			continue
		case '"':
			quoted = true
		case '{', '[':
			if depth > 0 && last != ':' && last != '[' && (last != ',' || stack[depth-1] != '[') {
				return 0, &Undecodable{Reason: "not valid JSON"}, nil
			}
			if depth == len(stack) {
				return 0, &Undecodable{Reason: "nested too deep"}, nil
			}
			stack[depth] = c
			depth++
		case '}', ']':
			if stack[depth-1] != c-2 { // in ASCII each bracket is two before its partner
				return 0, &Undecodable{Reason: "not valid JSON"}, nil
			}
			if depth--; depth == 0 {
				return i + 1, nil, nil
			}
		}
		last = c
	}
}
