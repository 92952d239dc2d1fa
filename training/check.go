package training

import (
	"fmt"
	"slices"
)

// Check is everything that is wrong with a curriculum, by file and line. What is not among
// skills, prerequisites or links is judged on its own; whether the lesson is any good is not.
//
// Theory of operation
//
//  1. Load's own complaints come first: files that could not be read, ids and tracks that do
//     not fit their place.
//  2. Each module alone: front matter (here), quiz (check_quiz.go), body (check_body.go).
//  3. All together: circles among prerequisites, skills that nobody teaches, what tracks are
//     said to add up to, the path of a new team.
func Check(c *Curriculum) []Problem {
	out := slices.Clone(c.faults)
	for _, m := range c.Modules() {
		out = append(out, c.checkFront(m)...)
		out = append(out, checkQuiz(m)...)
		out = append(out, c.checkBody(m)...)
	}
	for _, x := range c.cycles() {
		out = append(out, x.module.fault(fmt.Sprintf("prereqs[%d]", x.prereq), "modules require one another: "+x.text))
	}
	for _, s := range c.Skills {
		if len(c.TeachesSkill(s.ID)) == 0 {
			out = append(out, Problem{skillsFile, s.line, s.ID, "no module teaches this skill"})
		}
	}
	for _, t := range c.Tracks {
		if sum := t.Minutes(); t.Stated != 0 && t.Stated != sum {
			out = append(out, Problem{t.file, t.line, "track " + t.ID + " minutes", fmt.Sprintf("%d is stated, and its modules add up to %d", t.Stated, sum)})
		}
		if len(t.Modules) == 0 {
			out = append(out, Problem{t.file, t.line, "track " + t.ID, "has no module"})
		}
	}
	out = append(out, c.checkPath()...)
	sortProblems(out)
	return out
}

func (c *Curriculum) checkFront(m *Module) (out []Problem) {
	fault := func(field, format string, args ...any) {
		out = append(out, m.fault(field, fmt.Sprintf(format, args...)))
	}
	if m.Title == "" {
		fault("title", "missing")
	}
	for _, n := range []struct {
		field              string
		value, least, most int
	}{
		{"version", m.Version, 1, 1 << 20}, {"minutes", m.Minutes, 1, 24 * 60},
		{"exercise_minutes", m.ExerciseMinutes, 0, m.Minutes}, {"refresh_days", m.RefreshDays, 1, 3650},
	} {
		if n.value < n.least || n.value > n.most {
			fault(n.field, "must be from %d to %d", n.least, n.most)
		}
	}
	if len(out) == 0 && !m.withinEstimate() { // of nonsense nothing can be estimated
		fault("minutes", "%d is stated, and %.0f is estimated: %d words at %d a minute, %d questions, %d minutes of exercise; 30 %% either way is allowed",
			m.Minutes, m.Estimate(), m.Words, wordsPerMinute, len(m.Quiz), m.ExerciseMinutes)
	}
	if !slices.Contains(EvidenceKinds(), m.Evidence.Kind) {
		fault("evidence.kind", "%q is not one of %v", m.Evidence.Kind, EvidenceKinds())
	}
	if m.Evidence.Rule == "" {
		fault("evidence.rule", "missing: nobody can say what completes the module")
	}
	if c := m.Evidence.Check; c != "" && (m.Evidence.Kind != "event" || !slices.Contains(EventChecks(), c)) {
		fault("evidence.check", "is of an event, and one of %v", EventChecks())
	}
	if e := m.Evidence; e.Kind != "drill" && (e.Score != 0 || e.Drills != 0) {
		fault("evidence.score", "score and drills are of a drill")
	} else if e.Score < 0 || e.Score > 100 || e.Drills < 0 || e.Drills > 10 {
		fault("evidence.score", "score must be from 0 to 100 and drills from 0 to 10")
	}
	if e := m.Evidence; e.Also != "" && e.Kind != "event" && e.Kind != "drill" {
		fault("evidence.also", "is handed in beside an event or a drill; the rule says what an upload or an attestation must show")
	}
	if len(m.Skills) == 0 {
		fault("skills", "missing: it teaches nothing")
	}
	for i, s := range m.Skills {
		field := fmt.Sprintf("skills[%d].", i)
		if _, ok := c.Skill(s.ID); !ok {
			fault(field+"id", "unknown skill %q", s.ID)
		}
		if slices.ContainsFunc(m.Skills[:i], func(before Teaches) bool { return before.ID == s.ID }) {
			fault(field+"id", "%s is there twice", s.ID)
		}
		switch {
		case s.MaxLevel != 1 && s.MaxLevel != 2:
			fault(field+"max_level", "must be 1 or 2; more is shown in real incidents only")
		case s.MaxLevel == 2 && m.Evidence.Kind != "drill":
			fault(field+"max_level", "2 needs a drill as evidence, not %q: reading and a quiz lead to 1", m.Evidence.Kind)
		}
	}
	for i, p := range m.Prereqs {
		field := fmt.Sprintf("prereqs[%d]", i)
		if _, ok := c.modules[p]; !ok {
			fault(field, "unknown module %q", p)
		}
		if slices.Contains(m.Prereqs[:i], p) {
			fault(field, "%s is there twice", p)
		}
	}
	return out
}

func (c *Curriculum) checkPath() (out []Problem) {
	for i, s := range c.path.Path {
		fault := func(name, reason string) {
			field := fmt.Sprintf("path[%d].%s", i, name)
			out = append(out, Problem{c.path.file, c.path.at.line(field), field, reason})
		}
		if s.When == "" {
			fault("when", "missing")
		}
		if s.People < 0 {
			fault("people", "must not be negative; 0 is everybody")
		}
		for j, id := range s.Modules {
			if _, ok := c.modules[id]; !ok {
				fault(fmt.Sprintf("modules[%d]", j), fmt.Sprintf("unknown module %q", id))
			}
		}
		if _, ok := c.Track(s.Demanded); s.Demanded != "" && !ok {
			fault("demanded", fmt.Sprintf("unknown track %q", s.Demanded))
		}
	}
	return out
}
