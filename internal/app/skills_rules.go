package app

import (
	"errors"
	"os"

	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/evidence"
)

// SkillRulesReport is what the check of tagging rules found.
type SkillRulesReport struct {
	Problems []training.Problem
	Rules    int
	Version  string
}

// CheckSkillRules checks the built-in tagging rules, or an organisation's own with them. A file
// that cannot be read is a *UsageError.
func CheckSkillRules(file string) (SkillRulesReport, error) {
	rules, err := readSkillRules(file)
	if err == nil {
		return SkillRulesReport{Rules: len(rules.List), Version: rules.Version}, nil
	}
	var out SkillRulesReport
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			var p training.Problem
			if !errors.As(one, &p) {
				return SkillRulesReport{}, err
			}
			out.Problems = append(out.Problems, p)
		}
		return out, nil
	}
	return out, err
}

// loadSkillRules reads the rules to run by; what is wrong with them is a *UsageError.
func loadSkillRules(file string) (*evidence.Rules, error) {
	rules, err := readSkillRules(file)
	if err != nil {
		return nil, &UsageError{Message: err.Error()}
	}
	return rules, nil
}

func readSkillRules(file string) (*evidence.Rules, error) {
	if file == "" {
		return evidence.Builtin()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &UsageError{Message: "skill rules: " + err.Error()}
	}
	return evidence.ReadRules(file, text)
}
