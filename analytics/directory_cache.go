package analytics

import (
	"sort"
	"strings"
	"sync"
	"time"
)

// A directory is reused for directoryFor whatever arrives, and at most directoryMax even
// if nothing does, since facts may be dated ahead.
const (
	directoryFor = 2 * time.Second
	directoryMax = time.Minute
)

type directoryCache struct {
	mu   sync.Mutex
	mark mark
	at   time.Time
	dir  *Directory
}

func sortStrings(s []string) { sort.Strings(s) }

// sortTeams orders by name, for reading; the id decides between equals.
func sortTeams(t []Team) {
	sort.Slice(t, func(i, j int) bool {
		a, b := strings.ToLower(t[i].Name), strings.ToLower(t[j].Name)
		if a != b {
			return a < b
		}
		return t[i].ID < t[j].ID
	})
}
