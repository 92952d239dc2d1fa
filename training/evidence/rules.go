package evidence

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/stewardhq/steward/training"
)

// Rule says which skills an incident took. Every condition that is given must hold; of a
// list one is enough.
type Rule struct {
	ID     string   `yaml:"id"`
	When   When     `yaml:"when"`
	Skills []string `yaml:"skills"`
	// Needed: the incident wanted the skills, and resolving it does not show them. Who turned
	// off a noisy alert at three has not shown how one is designed.
	Needed bool `yaml:"needed"`
	// Suggest: people are offered the skills when they say what an incident took, and the rule
	// tags nothing itself.
	Suggest bool `yaml:"suggest"`
}

// When are the conditions of a rule. Service, alert class and factor are patterns in which *
// stands for anything and ? for one character; a title is words that stand in it together.
// Letters' case makes no difference.
type When struct {
	Service    []string `yaml:"service"`
	AlertClass []string `yaml:"alert_class"`
	Title      []string `yaml:"title"`
	Severity   []string `yaml:"severity"`
	Priority   []string `yaml:"priority"`
	Tier       []int    `yaml:"tier"`
	Factor     []string `yaml:"factor"`  // of review.published
	Verdict    []string `yaml:"verdict"` // of page.reviewed
}

// Rules are tagging rules that hold together.
type Rules struct {
	List    []Rule
	Version string // as declared, and a digest of what they say: "1-0a1b2c3d"
}

// rulesFile is a file of rules. Mode "add" lays them over the built-in ones, where the same id
// replaces; "replace" leaves those out.
type rulesFile struct {
	Version string `yaml:"version"`
	Mode    string `yaml:"mode"`
	Rules   []Rule `yaml:"rules"`
}

//go:embed rules.yaml
var builtin []byte

// Builtin are the rules that ship with the product.
func Builtin() (*Rules, error) { return read("training/evidence/rules.yaml", builtin, true) }

// ReadRules reads an organisation's own. The error joins a training.Problem for each fault;
// file is its name as the author knows it.
func ReadRules(file string, text []byte) (*Rules, error) { return read(file, text, false) }

func read(file string, text []byte, shipped bool) (*Rules, error) {
	var f rulesFile
	line, problems := training.Strict(file, text, &f)
	if len(problems) == 0 {
		known, err := training.Skills()
		if err != nil {
			return nil, err
		}
		problems = f.check(file, line, known)
	}
	if len(problems) > 0 {
		var errs []error
		for _, p := range problems {
			errs = append(errs, p)
		}
		return nil, errors.Join(errs...)
	}
	r := &Rules{List: f.Rules}
	sum := sha256.New()
	if f.Mode == "add" && !shipped {
		base, err := Builtin()
		if err != nil {
			return nil, err
		}
		r.List = nil
		for _, b := range base.List {
			if !slices.ContainsFunc(f.Rules, func(own Rule) bool { return own.ID == b.ID }) {
				r.List = append(r.List, b)
			}
		}
		r.List = append(r.List, f.Rules...)
		sum.Write([]byte(base.Version))
	}
	sum.Write(text)
	r.Version = f.Version + "-" + hex.EncodeToString(sum.Sum(nil)[:4])
	return r, nil
}

// verdicts are those of METRICS.
var verdicts = []string{"service", "service-inappropriate-hour", "view", "inappropriate-hour", "downtime-expired", "downtime-not-set", "threshold", "check-faulty", "not-needed"}

// check finds what is wrong with the values of a file.
func (f rulesFile) check(file string, line func(string) int, skills []training.Skill) []training.Problem {
	var out []training.Problem
	fault := func(field, format string, args ...any) {
		out = append(out, training.Problem{File: file, Line: line(field), Field: field, Reason: fmt.Sprintf(format, args...)})
	}
	if f.Version == "" {
		fault("version", "missing; it stands in every tag, so raise it when the rules change")
	}
	if f.Mode != "add" && f.Mode != "replace" {
		fault("mode", "must be add, which lays the rules over the built-in ones, or replace, which leaves those out")
	}
	if len(f.Rules) == 0 {
		fault("rules", "there are none")
	}
	seen := map[string]bool{}
	for i, r := range f.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		switch {
		case !ruleID(r.ID):
			fault(at+".id", "must be lower-case letters and digits joined by hyphens")
		case seen[r.ID]:
			fault(at+".id", "%s is there twice", r.ID)
		}
		seen[r.ID] = true
		if len(r.Skills) == 0 {
			fault(at+".skills", "missing; without a skill the rule says nothing")
		}
		for k, s := range r.Skills {
			field := fmt.Sprintf("%s.skills[%d]", at, k)
			switch {
			case !slices.ContainsFunc(skills, func(x training.Skill) bool { return x.ID == s }):
				fault(field, "no skill is called %q; training/skills.yaml names them", s)
			case slices.Contains(r.Skills[:k], s):
				fault(field, "%s is there twice", s)
			}
		}
		texts := r.When.texts()
		given := len(r.When.Tier)
		for _, t := range texts {
			given += len(t.values)
			for k, v := range t.values {
				field := fmt.Sprintf("%s.when.%s[%d]", at, t.name, k)
				switch {
				case strings.TrimSpace(v) == "", t.name == "title" && words(v) == "  ":
					fault(field, "is empty")
				case t.name == "verdict" && !slices.Contains(verdicts, v):
					fault(field, "no verdict is called so; they are %s", strings.Join(verdicts, ", "))
				}
			}
		}
		for k, tier := range r.When.Tier {
			if tier < 1 || tier > 3 {
				fault(fmt.Sprintf("%s.when.tier[%d]", at, k), "must be 1, 2 or 3")
			}
		}
		if given == 0 {
			fault(at+".when", "names no condition; a rule for every incident would say nothing of any")
		}
	}
	return out
}

type texts struct {
	name   string
	values []string
}

func (w When) texts() []texts {
	return []texts{{"service", w.Service}, {"alert_class", w.AlertClass}, {"title", w.Title}, {"severity", w.Severity}, {"priority", w.Priority}, {"factor", w.Factor}, {"verdict", w.Verdict}}
}

func ruleID(s string) bool {
	for _, part := range strings.Split(s, "-") {
		if part == "" || strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}
