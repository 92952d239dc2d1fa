package recommend

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stewardhq/steward/training"
)

// ForPerson asks the rules of a person.
func ForPerson(c *training.Curriculum, drills []Drill, p Person) List {
	out := newCollector(p.Now, p.Dismissed)
	all := p.Needs
	p.Needs = map[string][]Need{}
	for team, needs := range all {
		p.Needs[team] = taught(c, needs)
	}
	a := adviser{out, c, drills, p}
	a.firstShift()
	a.nextShift()
	a.escalatedAway()
	a.fading()
	return out.list()
}

type adviser struct {
	out    *collector
	c      *training.Curriculum
	drills []Drill
	p      Person
}

// done says whether there is nothing to ask of a person about a module: it is being learned,
// was waived, or was done and has not grown old.
func (a adviser) done(m *training.Module) bool {
	s := a.p.Modules[m.ID]
	return s.Open || s.Waived || !s.Done.IsZero() && a.p.Now.Before(s.Done.AddDate(0, 0, m.RefreshDays))
}

// way is what is not known of what a module wants first, and the module.
func (a adviser) way(m *training.Module) []string {
	var out []string
	for _, before := range a.c.Prerequisites(m.ID) {
		if !a.p.Modules[before.ID].Known {
			out = append(out, before.ID)
		}
	}
	return append(out, m.ID)
}

// learn puts a module into r that leads further in its skill than the person is, or practice
// where none does. It is false where the person is at one already.
func (a adviser) learn(r *Recommendation) bool {
	level := a.p.Levels[r.Skill].Level
	for _, m := range a.c.TeachesSkill(r.Skill) {
		i := slices.IndexFunc(m.Skills, func(t training.Teaches) bool { return t.ID == r.Skill })
		switch {
		case m.Skills[i].MaxLevel <= level:
		case a.p.Modules[m.ID].Open:
			return false
		case !a.done(m):
			r.Module, r.Path = m.ID, a.way(m)
			return true
		}
	}
	r.Drill = practice(a.drills, r.Skill)
	return true
}

func (a adviser) firstShift() {
	stages := a.c.DefaultPath()
	if a.p.OnCall || len(a.p.Needs) == 0 || len(stages) == 0 {
		return
	}
	r := Recommendation{Rule: FirstShift, Person: a.p.ID, Because: "You were never on call."}
	if n := a.p.Next; n != nil {
		r.By = n.From
		r.Because = fmt.Sprintf("You were never on call, and your first shift, for %s, begins %s.", n.TeamName, stamp(n.From, a.p.Zone))
	}
	minutes := 0
	for _, m := range stages[0].Modules {
		if !a.p.Modules[m.ID].Known && !a.done(m) {
			r.Path, r.Module = append(r.Path, m.ID), m.ID
			minutes += m.Minutes
		}
	}
	if r.Module != "" {
		r.Because += fmt.Sprintf(" %s of the way there are left, %d minutes.", plural(len(r.Path), "module", "modules"), minutes)
		a.out.add(r, nil)
	}
}

func (a adviser) nextShift() {
	next := a.p.Next
	if next == nil {
		return
	}
	shown := 0
	for _, n := range demanded(a.p.Needs[next.Team]) {
		l := a.p.Levels[n.Skill]
		if l.Level >= independent && l.Retention >= current || shown == needsShown {
			continue
		}
		r := Recommendation{Rule: NextShift, Person: a.p.ID, Skill: n.Skill, By: next.From}
		r.Because = fmt.Sprintf("Your next shift, for %s, begins %s, and %s. %s", next.TeamName, stamp(next.From, a.p.Zone), took(n, named(a.c, n.Skill)), a.standing(l))
		if a.learn(&r) {
			a.out.add(r, n.Incidents)
			shown++
		}
	}
}

// standing says where the person is in a skill.
func (a adviser) standing(l Level) string {
	text := fmt.Sprintf("You are at level %d", l.Level)
	switch {
	case l.Level < assisted || l.Last.IsZero() || l.Retention >= current:
		return text + "; 3 covers a shift."
	case l.Retention >= fading:
		text += ", fading"
	default:
		text += ", lapsed"
	}
	return fmt.Sprintf("%s: last shown on %s, retention %.2f.", text, l.Last.In(a.p.Zone).Format("2 Jan 2006"), l.Retention)
}

func (a adviser) escalatedAway() {
	recent := map[string][]Incident{}
	for skill, all := range a.p.Away {
		for _, i := range all {
			if knows(a.c, skill) && i.Opened.After(a.p.Now.Add(-awayFor)) {
				recent[skill] = append(recent[skill], i)
			}
		}
	}
	skills := slices.SortedFunc(maps.Keys(recent), func(x, y string) int {
		return cmp.Or(cmp.Compare(len(recent[y]), len(recent[x])), strings.Compare(x, y))
	})
	shown := 0
	for _, skill := range skills {
		r := Recommendation{Rule: EscalatedAway, Person: a.p.ID, Skill: skill}
		r.Because = fmt.Sprintf("%s of yours in the last %.0f days took %s and left your team.", plural(len(recent[skill]), "incident", "incidents"), awayFor.Hours()/24, named(a.c, skill))
		if shown < needsShown && a.learn(&r) {
			a.out.add(r, recent[skill])
			shown++
		}
	}
}

func (a adviser) fading() {
	demand, took := map[string]int{}, map[string][]Incident{}
	for _, needs := range a.p.Needs {
		for _, n := range needs {
			demand[n.Skill] += n.Demand
			took[n.Skill] = append(took[n.Skill], n.Incidents...)
		}
	}
	var skills []string
	for skill, l := range a.p.Levels {
		if l.Level >= assisted && l.Retention < current && len(took[skill]) > 0 {
			skills = append(skills, skill)
		}
	}
	slices.SortFunc(skills, func(x, y string) int {
		return cmp.Or(cmp.Compare(demand[y], demand[x]), cmp.Compare(a.p.Levels[x].Retention, a.p.Levels[y].Retention), strings.Compare(x, y))
	})
	for _, skill := range skills[:min(needsShown, len(skills))] {
		r := Recommendation{Rule: Fading, Person: a.p.ID, Skill: skill, Drill: practice(a.drills, skill), Because: a.standing(a.p.Levels[skill])}
		r.Because += fmt.Sprintf(" Your teams’ incidents took it %s in 365 days.", plural(len(took[skill]), "time", "times"))
		a.out.add(r, took[skill])
	}
}
