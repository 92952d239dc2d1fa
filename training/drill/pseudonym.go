package drill

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// cast gives everybody who appears in an incident a pseudonym that holds through the drill.
type cast struct {
	names  map[string][]string // of a person: what else texts may call them
	person map[string]string   // any id to the one that stands for the person
	number map[string]string
	order  []string
	// pattern finds every known id and name; nil until everybody has appeared.
	pattern *regexp.Regexp
	known   map[string]string // lower-case id or name to pseudonym
}

// newCast takes for each person the names and ids texts may use: "ana@example.org" →
// "Ana Ruiz", "@ana", "pagerduty:acme:PXXX".
func newCast(people map[string][]string) *cast {
	c := &cast{names: people, person: map[string]string{}, number: map[string]string{}}
	for id, names := range people {
		c.person[strings.ToLower(id)] = id
		for _, n := range names {
			if _, taken := people[n]; !taken {
				c.person[strings.ToLower(n)] = id
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
	ids := make([]string, 0, len(c.names))
	for id := range c.names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		if mentioned(texts, append([]string{id}, c.names[id]...)) {
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
		learn(key, c.number[key])
		for _, n := range c.names[c.owner(key)] {
			learn(n, c.number[key])
		}
	}
	words := make([]string, 0, len(c.known))
	for w := range c.known {
		words = append(words, w)
	}
	if len(words) == 0 {
		return
	}
	// The longest first, so that "Ana Ruiz" is not left as "responder 1 Ruiz".
	slices.SortFunc(words, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	c.pattern = regexp.MustCompile(`(?i)(^|[^\p{L}\p{N}])(` + strings.Join(words, "|") + `)($|[^\p{L}\p{N}])`)
}

func (c *cast) owner(key string) string {
	if p, ok := c.person[key]; ok {
		return p
	}
	return key
}

func mentioned(texts, words []string) bool {
	for _, t := range texts {
		low := strings.ToLower(t)
		for _, w := range words {
			if w != "" && strings.Contains(low, strings.ToLower(w)) {
				return true
			}
		}
	}
	return false
}

// text replaces everybody known in a text, as whole words. It is a help for the author and
// no proof: nicknames and the unknown stay, which is why each text needs a decision.
func (c *cast) text(s string) string {
	if c.pattern == nil {
		return s
	}
	// Neighbours share their separator, which one pass consumes; the second finds the rest.
	for range 2 {
		s = c.pattern.ReplaceAllStringFunc(s, func(m string) string {
			parts := c.pattern.FindStringSubmatch(m)
			return parts[1] + c.known[strings.ToLower(parts[2])] + parts[3]
		})
	}
	return s
}
