package analytics

import (
	"slices"
	"strings"

	"github.com/stewardhq/steward/identity"
)

// How people are stored and how they are read: events hold tokens, package identity knows
// whose they are, and answers hold ids and names. That is done here and at the edge of each
// answer, so that statements and facts know tokens only. Rows that were stored before there
// were tokens hold ids, and are read as they are.

// stored is how the warehouse may hold people whom a filter names.
func (s *Store) stored(people []string) []string {
	var out []string
	for _, p := range people {
		// Who is forgotten is not found by what is gone: an old list of addresses must not
		// tell who the former people are.
		if t := s.names.Token(p); t != p && !s.names.IsForgotten(t) {
			out = append(out, t)
		}
		out = append(out, p)
	}
	return out
}

// reveal puts people's ids and names where a text from the warehouse has tokens. Of who is
// forgotten it puts "former-" and a few characters that tell one from another.
func (s *Store) reveal(text string) string { return s.names.Reveal(text) }

// isFormer says whether an id is what reveal puts for somebody who is forgotten.
func isFormer(id string) bool { return identity.IsFormer(id) }

// revealJSON is reveal within the strings of a document.
func (s *Store) revealJSON(text string) string { return s.names.RevealJSON(text) }

// forgotten counts up with every text that is forgotten, so that nothing kept outlives it.
func (s *Store) forgotten() uint64 { return s.names.Forgotten() }

// nameRows puts people's names for the keys of rows by person, which must be in order of
// what is read.
func (s *Store) nameRows(a *Answer) {
	for _, r := range a.Rows {
		if key, ok := r[1].(string); ok {
			r[1] = s.reveal(key)
		}
	}
	slices.SortStableFunc(a.Rows, func(x, y []any) int {
		bx, _ := x[0].(string)
		by, _ := y[0].(string)
		if bx != by {
			return strings.Compare(bx, by)
		}
		kx, _ := x[1].(string)
		ky, _ := y[1].(string)
		return strings.Compare(kx, ky)
	})
}
