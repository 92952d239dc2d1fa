package signin

import (
	"errors"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Longer ones are no names of people or groups, and would only fill sessions and logs.
const (
	longestName = 254  // bytes; the longest e-mail address
	mostGroups  = 1000 // the rest is left out, and with it the roles it would give
)

// person checks and folds what a provider or a proxy names a person by. E-mail addresses
// become lower case, since events use them so; other ids are left as they are.
func person(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "":
		return "", errors.New("the name of the person is empty")
	case len(s) > longestName:
		return "", errors.New("the name of the person is too long")
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' || r == ',' || r == ';' }):
		return "", errors.New("the name of the person has a character that has no place in one")
	case strings.ContainsFunc(s, foldsToASCII):
		// Rules compare without case: the Kelvin sign would pass for the letter k, and who can
		// register such an address would pass for somebody else.
		return "", errors.New("the name of the person has a character that passes for another")
	}
	if strings.Contains(s, "@") {
		s = strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				return r + 'a' - 'A'
			}
			return r
		}, s)
	}
	return s, nil
}

// foldsToASCII says whether a letter beyond ASCII is equal to one within when case is
// not regarded.
func foldsToASCII(r rune) bool {
	if r < utf8.RuneSelf {
		return false
	}
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		if f < utf8.RuneSelf {
			return true
		}
	}
	return false
}

// greeting is a name fit to be shown, or nothing.
func greeting(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > longestName || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}

// groups drops what is no name and what is there twice.
func groups(list []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, g := range list {
		g = strings.TrimSpace(g)
		if g == "" || len(g) > longestName || !utf8.ValidString(g) || seen[g] || len(out) == mostGroups {
			continue
		}
		seen[g] = true
		out = append(out, g)
	}
	slices.Sort(out)
	return out
}
