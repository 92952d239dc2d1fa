package evidence

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Who says that an incident took a skill.
const (
	ByRule      = "rule"
	ByResponder = "responder"
	ByReviewer  = "reviewer"
)

// Tag is a statement that an incident took a skill, and whether it stands.
type Tag struct {
	Skill, Basis string
	At           time.Time
	Rules        string // which rules said so; empty of people's
	Own          bool   // one of these rules' own
	Stands       bool
	Undone       string // what took it back: "" nothing, else UndoneByRules or UndoneByPeople
	UndoneAt     time.Time
}

// What took something back.
const (
	UndoneByRules  = "rules"
	UndoneByPeople = "people"
)

// Ruled is a skill that rules find in an incident.
type Ruled struct {
	Skill string
	Rules []string // ids
	Shows bool     // whether working on it shows the skill
}

// Match are the skills that the rules find in an incident, by skill.
func (r *Rules) Match(i Incident) []Ruled { return r.match(i, false) }

// Likely are those, and what rules only suggest.
func (r *Rules) Likely(i Incident) []Ruled { return r.match(i, true) }

func (r *Rules) match(i Incident, suggested bool) []Ruled {
	var out []Ruled
	for _, rule := range r.List {
		if rule.Suggest && !suggested || !rule.When.holds(i) {
			continue
		}
		for _, s := range rule.Skills {
			k := slices.IndexFunc(out, func(x Ruled) bool { return x.Skill == s })
			if k < 0 {
				k, out = len(out), append(out, Ruled{Skill: s})
			}
			out[k].Rules, out[k].Shows = append(out[k].Rules, rule.ID), out[k].Shows || !rule.Needed
		}
	}
	slices.SortFunc(out, func(a, b Ruled) int { return strings.Compare(a.Skill, b.Skill) })
	return out
}

func (w When) holds(i Incident) bool {
	one := func(patterns []string, match func(string) bool) bool {
		return len(patterns) == 0 || slices.ContainsFunc(patterns, match)
	}
	like := func(value string) func(string) bool {
		return func(pattern string) bool {
			return value != "" && glob(strings.ToLower(pattern), strings.ToLower(value))
		}
	}
	same := func(value string) func(string) bool {
		return func(v string) bool { return value != "" && strings.EqualFold(v, value) }
	}
	title := words(i.Title)
	return one(w.Service, like(i.Service)) && one(w.AlertClass, like(i.Class)) &&
		one(w.Severity, same(i.Severity)) && one(w.Priority, same(i.Priority)) &&
		one(w.Title, func(v string) bool { return strings.Contains(title, words(v)) }) &&
		(len(w.Tier) == 0 || slices.Contains(w.Tier, i.Tier)) &&
		one(w.Factor, func(p string) bool { return slices.ContainsFunc(i.Factors, func(f string) bool { return like(f)(p) }) }) &&
		one(w.Verdict, func(v string) bool { return slices.Contains(i.Verdicts, v) })
}

// words are a text's letters and digits in lower case, apart by single blanks and framed by
// them, so that "lag" is not found in "flag".
func words(s string) string {
	return " " + strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }), " ") + " "
}

// glob matches a pattern with * and ? against the whole of a text. It goes back to the last
// star only, which is enough, and so takes no longer than both lengths multiplied.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	i, star, mark := 0, -1, 0
	for k := 0; k < len(t); {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, k
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[k]):
			i++
			k++
		case star >= 0:
			mark++
			i, k = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
