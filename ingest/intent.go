package ingest

import (
	"strconv"
	"strings"
)

// span is a closed range of offsets of one partition.
type span struct{ first, last int64 }

// metadata is the span as the sink writes it beside a committed offset: "first-last".
func (s span) metadata() string {
	return strconv.FormatInt(s.first, 10) + "-" + strconv.FormatInt(s.last, 10)
}

// maxIntent bounds a span that a foreign or damaged metadata could make a new owner read
// into memory. The sink cuts spans of at most ten thousand records.
const maxIntent = 1 << 20

// parseIntent reads the metadata of the committed offset at. Empty metadata is no intent.
// ok is false for anything the sink cannot have written there, which is then ignored by
// starting at the offset: at worst rows are inserted twice under another token, which the
// tables merge away.
func parseIntent(at int64, metadata string) (s span, pending, ok bool) {
	if metadata == "" {
		return span{}, false, true
	}
	a, b, found := strings.Cut(metadata, "-")
	if !found {
		return span{}, false, false
	}
	first, ok1 := offset(a)
	last, ok2 := offset(b)
	if !ok1 || !ok2 || first != at || last < first || last-first >= maxIntent {
		return span{}, false, false
	}
	return span{first, last}, true, true
}

// offset reads digits only: no sign, no leading zero.
func offset(s string) (int64, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
