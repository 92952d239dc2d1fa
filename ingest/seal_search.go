package ingest

import (
	"slices"

	"github.com/stewardhq/steward/identity"
)

// search looks for e-mail addresses, and for the people and names that the event has
// elsewhere, in the parts put aside for it. Strings that hold escapes are read, rewritten
// and written whole; all others are searched as they stand, many at a time.
func (s *sealer) search() {
	if len(s.text) == 0 && len(s.raw) == 0 {
		return
	}
	longFirst := func(a, b known) int { return len(b.text) - len(a.text) }
	slices.SortStableFunc(s.people, longFirst)
	slices.SortStableFunc(s.names, longFirst)
	for _, x := range s.escaped {
		in := func(y extent) bool { return x.start >= y.start && x.end <= y.end }
		raw := slices.ContainsFunc(s.raw, in)
		if !raw && !slices.ContainsFunc(s.text, in) {
			continue
		}
		s.rewriteQuoted(x, raw)
	}
	for _, x := range s.text {
		s.words(x, s.people)
		s.words(x, s.names)
		s.emails(x)
	}
	for _, x := range s.raw {
		s.words(x, s.names)
		s.emails(x)
	}
}

// emails seals the addresses of a part, beside the strings that hold escapes. What is sealed
// already is better known: rota-ana@example.org-2025 holds a person of the event, and as a
// whole would be an address that nobody forgets.
func (s *sealer) emails(x extent) {
	b := s.b[x.start:x.end]
	for at := 0; ; {
		start, end := nextEmail(b, at)
		if start < 0 {
			return
		}
		at = end
		if !s.isEscaped(x.start+start) && !s.isEdited(x.start+start, x.start+end) {
			s.edits = append(s.edits, edit{x.start + start, x.start + end, s.token(identity.Entry{Text: view(b[start:end])})})
		}
	}
}

// words seals the texts of a list wherever they stand as words.
func (s *sealer) words(x extent, list []known) {
	b := s.b[x.start:x.end]
	for _, k := range list {
		for at := 0; ; {
			at = nextWord(b, k.text, at)
			if at < 0 {
				break
			}
			if !s.isEscaped(x.start + at) {
				s.edits = append(s.edits, edit{x.start + at, x.start + at + len(k.text), k.token})
			}
			at += len(k.text)
		}
	}
}

func (s *sealer) isEscaped(at int) bool {
	i, found := slices.BinarySearchFunc(s.escaped, at, func(x extent, at int) int { return x.start - at })
	return found || i > 0 && at < s.escaped[i-1].end
}

func (s *sealer) isEdited(start, end int) bool {
	for _, e := range s.edits {
		if start < e.end && end > e.start {
			return true
		}
	}
	return false
}

// rewriteQuoted is the slow way, for a string that holds escapes.
func (s *sealer) rewriteQuoted(x extent, raw bool) {
	list := s.names
	if !raw {
		list = append(s.people[:len(s.people):len(s.people)], s.names...)
	}
	if len(list) == 0 && !mayHoldEmail(s.b[x.start:x.end]) {
		return
	}
	text, ok := unquote(s.b[x.start:x.end])
	if !ok {
		return
	}
	text, changed := s.rewrite(text, list)
	if changed {
		quoted := appendString(nil, text)
		s.edits = append(s.edits, edit{x.start + 1, x.end - 1, string(quoted[1 : len(quoted)-1])})
	}
}

// rewrite seals the addresses, and the texts of a list, inside a plain text.
func (s *sealer) rewrite(text string, list []known) (string, bool) {
	part := sealer{v: s.v, b: []byte(text), entries: s.entries}
	whole := extent{0, len(part.b)}
	part.words(whole, list)
	part.emails(whole)
	s.entries = part.entries
	if len(part.edits) == 0 {
		return text, false
	}
	return string(part.splice()), true
}
