package training

import (
	"cmp"
	"fmt"
	"slices"
)

// Problem is one thing wrong with a file that people write, told where they can mend it.
type Problem struct {
	File   string // as the author knows it
	Line   int    // from 1
	Field  string // "quiz[2].options[0].why", "headings", "links"; lists count from 0
	Reason string
}

// String is the form that editors turn into a link: FILE:LINE: field: reason.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d: %s: %s", p.File, max(p.Line, 1), p.Field, p.Reason)
}

func (p Problem) Error() string { return p.String() }

func sortProblems(list []Problem) {
	slices.SortStableFunc(list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Reason, b.Reason))
	})
}
