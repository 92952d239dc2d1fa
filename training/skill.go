package training

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
)

// Skill is something that operating a service takes, named so that evidence, gaps and modules
// can speak of the same thing.
type Skill struct {
	ID         string `yaml:"id"`
	Name       string `yaml:"name"`
	Definition string `yaml:"definition"`
	Signs      Signs  `yaml:"signs"`
	Platform   bool   `yaml:"platform"` // counts for a team's intersection with platform knowledge
	line       int
}

// Signs are what can be seen of somebody at the levels that reading alone does not give.
type Signs struct {
	Assisted    string `yaml:"assisted"`    // level 2
	Independent string `yaml:"independent"` // level 3
	Multiplier  string `yaml:"multiplier"`  // level 4
}

// Sign is that of a level, and empty for 0 and 1: a module and its quiz show to nobody.
func (s Skill) Sign(level int) string {
	switch level {
	case 2:
		return s.Signs.Assisted
	case 3:
		return s.Signs.Independent
	case 4:
		return s.Signs.Multiplier
	}
	return ""
}

const skillsFile = "training/skills.yaml"

//go:embed skills.yaml
var skillsText []byte

// Skills are the skills that Steward knows, in the order in which lists show them.
func Skills() ([]Skill, error) { return parseSkills(skillsFile, skillsText) }

// PlatformSkills are those of them that count for the intersection with platform knowledge.
func PlatformSkills() ([]Skill, error) {
	all, err := Skills()
	var out []Skill
	for _, s := range all {
		if s.Platform {
			out = append(out, s)
		}
	}
	return out, err
}

var skillID = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)

// parseSkills reads a list of skills; its error joins a Problem for each fault.
func parseSkills(file string, text []byte) ([]Skill, error) {
	var skills []Skill
	at, problems := strict(file, text, &skills)
	seen := map[string]bool{}
	for i, s := range skills {
		field := fmt.Sprintf("[%d]", i)
		skills[i].line = at.line(field)
		fault := func(name, reason string) {
			name = field + "." + name
			problems = append(problems, Problem{file, at.line(name), name, reason})
		}
		switch {
		case !skillID.MatchString(s.ID):
			fault("id", "must be lower-case words joined by hyphens")
		case seen[s.ID]:
			fault("id", s.ID+" is there twice")
		}
		seen[s.ID] = true
		for _, f := range []struct{ name, value string }{
			{"name", s.Name}, {"definition", s.Definition}, {"signs.assisted", s.Signs.Assisted},
			{"signs.independent", s.Signs.Independent}, {"signs.multiplier", s.Signs.Multiplier},
		} {
			if f.value == "" {
				fault(f.name, "missing")
			}
		}
	}
	if len(problems) > 0 {
		var errs []error
		for _, p := range problems {
			errs = append(errs, p)
		}
		return nil, errors.Join(errs...)
	}
	return skills, nil
}
