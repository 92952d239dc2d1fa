package recommend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stewardhq/steward/training"
)

// ForTeam asks the rules of a team.
func ForTeam(c *training.Curriculum, drills []Drill, t Team) List {
	t.Needs = taught(c, t.Needs)
	out := newCollector(t.Now, t.Dismissed)
	if !t.Small {
		comingShift(out, c, drills, t)
	}
	largestGap(out, c, drills, t)
	return out.list()
}

func comingShift(out *collector, c *training.Curriculum, drills []Drill, t Team) {
	type hole struct {
		need         Need
		from, to     time.Time
		bare, onCall time.Duration
	}
	var holes []hole
	for _, n := range demanded(t.Needs) {
		h := hole{need: n}
		for _, s := range t.Ahead {
			h.onCall += s.To.Sub(s.From)
			if slices.Contains(s.Skills, n.Skill) {
				continue
			}
			switch {
			case h.bare == 0:
				h.from, h.to = s.From, s.To
			case s.From.Equal(h.to):
				h.to = s.To
			}
			h.bare += s.To.Sub(s.From)
		}
		if h.bare > 0 {
			holes = append(holes, h)
		}
	}
	slices.SortStableFunc(holes, func(a, b hole) int { return a.from.Compare(b.from) }) // demand first, as they came
	for _, h := range holes[:min(aheadShown, len(holes))] {
		r := Recommendation{Rule: ComingShift, Team: t.ID, Skill: h.need.Skill, By: h.from}
		r.Because = fmt.Sprintf("Nobody on call from %s to %s is current in %s; in the next %.0f days that is so for %s of %s hours on call. %s.",
			stamp(h.from, t.Zone), stamp(h.to, t.Zone), named(c, h.need.Skill), AheadFor.Hours()/24, hours(h.bare), hours(h.onCall), took(h.need, "it"))
		choose(&r, c, drills, t, h.need)
		out.add(r, h.need.Incidents)
	}
}

func largestGap(out *collector, c *training.Curriculum, drills []Drill, t Team) {
	needs, told := slices.Clone(t.Needs), !t.Small && !t.Veiled
	if told {
		needs = slices.DeleteFunc(needs, func(n Need) bool { return n.Gap <= 0 })
	}
	needs = slices.DeleteFunc(needs, func(n Need) bool { return len(n.Incidents) == 0 })
	slices.SortFunc(needs, func(a, b Need) int {
		if c := cmp.Compare(b.Gap, a.Gap); c != 0 && told {
			return c
		}
		return cmp.Or(cmp.Compare(b.Demand, a.Demand), strings.Compare(a.Skill, b.Skill))
	})
	for i, n := range needs[:min(gapsShown, len(needs))] {
		r := Recommendation{Rule: LargestGap, Team: t.ID, Skill: n.Skill}
		if r.Because = fmt.Sprintf("%s: the team’s %slargest demand.", took(n, named(c, n.Skill)), ordinal(i)); told {
			r.Because = fmt.Sprintf("The team’s %slargest gap, %.1f: %s; %s at level 3 and current where %d are wanted; an estimated %.0f %% of demand left the team.",
				ordinal(i), n.Gap, took(n, named(c, n.Skill)), people(n.Supply), n.Wanted, 100*n.Away)
		}
		choose(&r, c, drills, t, n)
		out.add(r, n.Incidents)
	}
}

// taught leaves out skills that the curriculum does not know: there is nothing to say of them.
func taught(c *training.Curriculum, needs []Need) []Need {
	return slices.DeleteFunc(slices.Clone(needs), func(n Need) bool { return !knows(c, n.Skill) })
}

func knows(c *training.Curriculum, skill string) bool {
	_, ok := c.Skill(skill)
	return ok
}

// demanded are the skills that a shift is looked at for, the most demanded first.
func demanded(needs []Need) []Need {
	out := slices.DeleteFunc(slices.Clone(needs), func(n Need) bool { return len(n.Incidents) < demandedMin })
	slices.SortFunc(out, func(a, b Need) int {
		return cmp.Or(cmp.Compare(b.Demand, a.Demand), strings.Compare(a.Skill, b.Skill))
	})
	return out[:min(demandedTop, len(out))]
}

// choose puts the module that closes a team's need into r, or practice where as many people
// as are lacking have each module already: the level that covers a shift comes from drills
// and incidents.
func choose(r *Recommendation, c *training.Curriculum, drills []Drill, t Team, n Need) {
	lacking := max(1, n.Wanted-n.Supply)
	if t.Small || t.Veiled {
		lacking = max(1, t.Members)
	}
	r.Drill = practice(drills, n.Skill)
	for _, m := range c.TeachesSkill(n.Skill) {
		if t.Held[m.ID] >= lacking {
			continue
		}
		r.Module = m.ID
		for _, before := range c.Prerequisites(m.ID) {
			if t.Held[before.ID] < lacking {
				r.Path = append(r.Path, before.ID)
			}
		}
		r.Path = append(r.Path, m.ID)
		return
	}
}

// practice is the drill of a skill to play: one not played to its end before others.
func practice(drills []Drill, skill string) string {
	id := ""
	for _, d := range drills {
		if slices.Contains(d.Skills, skill) {
			if !d.Done {
				return d.ID
			}
			id = or(id, d.ID)
		}
	}
	return id
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func skillName(c *training.Curriculum, id string) string {
	if s, ok := c.Skill(id); ok {
		return s.Name
	}
	return id
}

// took says how many incidents took a skill, which is called name there.
func took(n Need, name string) string {
	text := fmt.Sprintf("%s in 365 days took %s", plural(len(n.Incidents), "incident", "incidents"), name)
	var more []string
	if n.Demand > len(n.Incidents) {
		more = append(more, fmt.Sprintf("weighted %d", n.Demand))
	}
	if away := len(slices.DeleteFunc(slices.Clone(n.Incidents), func(i Incident) bool { return !i.Away })); away > 0 {
		more = append(more, fmt.Sprintf("%d left the team", away))
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, "; ") + ")"
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", many)
}

func people(n int) string {
	if n == 0 {
		return "nobody"
	}
	return plural(n, "person", "people")
}

// named is a skill within a sentence.
func named(c *training.Curriculum, skill string) string { return lower(skillName(c, skill)) }

func ordinal(i int) string { return []string{"", "second ", "third "}[i] }

// lower begins a skill's name within a sentence small, but for names like SLO.
func lower(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if next, _ := utf8.DecodeRuneInString(s[size:]); size == 0 || unicode.IsUpper(next) {
		return s
	}
	return string(unicode.ToLower(first)) + s[size:]
}

func hours(d time.Duration) string { return fmt.Sprintf("%.0f", d.Hours()) }

func stamp(t time.Time, zone *time.Location) string { return t.In(zone).Format("Mon 2 Jan 15:04 MST") }
