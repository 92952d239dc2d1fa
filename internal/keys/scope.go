package keys

import (
	"fmt"
	"slices"
	"strings"
)

// Scopes of tokens. ScopeIngest alone is for every source; followed by a colon and a
// source's name it is for that one. ScopeDirectory is wanted besides it for events that say
// who people are and where they belong, since what somebody may see follows from those.
const (
	ScopeIngest    = "ingest"    // send events
	ScopeDirectory = "directory" // say who people are and where they belong
	ScopeRead      = "read"      // ask for figures
	ScopeAdmin     = "admin"     // import, rebuild, configure
)

// AllowedScopes is what a scope may be, for sentences.
const AllowedScopes = "ingest, ingest:SOURCE, directory, read, admin"

// ParseScopes checks scopes and answers them sorted, each once. Whether a source of that
// name exists is for the caller to say: sources come and go with the program.
func ParseScopes(scopes []string) ([]string, error) {
	if len(scopes) == 0 {
		return nil, fmt.Errorf("scope: none is given; allowed: %s", AllowedScopes)
	}
	out := slices.Clone(scopes)
	for _, scope := range out {
		source, ofSource := strings.CutPrefix(scope, ScopeIngest+":")
		if !slices.Contains([]string{ScopeIngest, ScopeDirectory, ScopeRead, ScopeAdmin}, scope) && !(ofSource && plainName(source)) {
			return nil, fmt.Errorf("scope: %q is unknown; allowed: %s", scope, AllowedScopes)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// plainName is the form of names in addresses: sources and accounts.
func plainName(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
