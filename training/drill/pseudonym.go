package drill

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// cast gives everybody who appears in an incident a pseudonym that holds through the drill.
type cast struct {
	names   map[string][]string // of a person: what else texts may call them
	person  map[string]string   // any id to the one that stands for the person
	number  map[string]string
	order   []string
	pattern *regexp.Regexp    // finds every known id and name, once everybody has appeared
	known   map[string]string // lower-case id or name to pseudonym
}

// newCast takes for each person the names and ids texts may use: "ana@example.org" →
// "Ana Ruiz", "@ana", "pagerduty:acme:PXXX".
func newCast(people map[string][]string) *cast {
	c := &cast{names: people, person: map[string]string{}, number: map[string]string{}}
	ids := slices.Sorted(maps.Keys(people))
	for _, id := range ids {
		c.person[strings.ToLower(id)] = id
	}
	for _, id := range ids { // a name that two share stands for the first by id, in every run
		for _, n := range people[id] {
			if key := strings.ToLower(n); c.person[key] == "" {
				c.person[key] = id
			}
		}
	}
	return c
}

// name is the pseudonym of an id, given on first appearance; empty for no id.
func (c *cast) name(id string) string {
	if id == "" {
		return ""
	}
	key := strings.ToLower(id)
	if p, ok := c.person[key]; ok {
		key = strings.ToLower(p)
	}
	if c.number[key] == "" {
		c.order = append(c.order, key)
		c.number[key] = fmt.Sprintf("responder %d", len(c.order))
	}
	return c.number[key]
}

// target is a target as a drill may show it: teams, policies and schedules as they are,
// people by pseudonym. A target without a kind may be anybody.
func (c *cast) target(t string) string {
	kind, id, ok := strings.Cut(t, ":")
	switch {
	case t == "":
		return ""
	case ok && kind == "person":
		return c.name(id)
	case ok && (kind == "team" || kind == "policy" || kind == "schedule"):
		return t
	}
	return c.name(t)
}

// close ends the appearances, so that texts read the same wherever they stand. People of the
// list who only texts mention are numbered after those who acted, in alphabetical order.
func (c *cast) close(texts []string) {
	for _, id := range slices.Sorted(maps.Keys(c.names)) {
		if word := wholeWord(c.own(id)); slices.ContainsFunc(texts, word.MatchString) {
			c.name(id)
		}
	}
	c.known = map[string]string{}
	learn := func(word, pseudonym string) {
		if w := strings.ToLower(strings.TrimSpace(word)); w != "" && c.known[w] == "" {
			c.known[w] = pseudonym
		}
	}
	for _, key := range c.order {
		for _, n := range append(c.own(c.owner(key)), key) {
			learn(n, c.number[key])
		}
	}
	c.pattern = wholeWord(slices.Collect(maps.Keys(c.known)))
}

// wholeWord finds any of the words, in any case, where neither letter nor digit is beside it:
// before it in group 1, itself in group 2, after it in group 3.
func wholeWord(words []string) *regexp.Regexp {
	quoted := []string{`[^\s\S]`} // which nothing matches
	// The longest first, so that "Ana Ruiz" is not left as "responder 1 Ruiz".
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, w := range words {
		if w = strings.TrimSpace(w); w != "" {
			quoted = append(quoted, regexp.QuoteMeta(w))
		}
	}
	return regexp.MustCompile(`(?i)(^|[^\p{L}\p{N}])(` + strings.Join(quoted, "|") + `)($|[^\p{L}\p{N}])`)
}

// address finds e-mail addresses, whose owner need not be known for them to be somebody's.
var address = regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`)

// own are a person's id and the names that stand for nobody else.
func (c *cast) own(id string) []string {
	out := []string{id}
	for _, n := range c.names[id] {
		if c.person[strings.ToLower(n)] == id {
			out = append(out, n)
		}
	}
	return out
}

func (c *cast) owner(key string) string {
	if p, ok := c.person[key]; ok {
		return p
	}
	return key
}

// text replaces everybody known in a text, as whole words, and what is left of e-mail
// addresses. It is a help for the author and no proof: nicknames and the unknown stay, which
// is why each text needs a decision.
func (c *cast) text(s string) string {
	// Neighbours share their separator, which one pass consumes; the second finds the rest.
	for range 2 {
		s = c.pattern.ReplaceAllStringFunc(s, func(m string) string {
			parts := c.pattern.FindStringSubmatch(m)
			name := c.known[strings.ToLower(parts[2])]
			return parts[1] + cmp.Or(name, "somebody") + parts[3] // letters that only folding makes equal
		})
	}
	return address.ReplaceAllString(s, "[address]")
}
