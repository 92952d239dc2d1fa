package training

import (
	"fmt"
	"regexp"
	"slices"
)

// outline is curriculum.yaml.
type outline struct {
	Tracks []Track `yaml:"tracks"`
	Path   []stage `yaml:"path"`

	file string
	at   places
}

type stage struct {
	When     string   `yaml:"when"`
	People   int      `yaml:"people"`
	Modules  []string `yaml:"modules"`
	Demanded string   `yaml:"demanded"`
}

// Stage is a part of the way of a team that is new to on-call.
type Stage struct {
	When     string
	People   int       // of the team; 0 is everybody on the rota
	Modules  []*Module // in an order that keeps what they require
	Demanded *Track    // and of this track the module that the team's incidents ask for most; may be nil
}

// Minutes is what the stage takes one person, without the demanded module.
func (s Stage) Minutes() (sum int) {
	for _, m := range s.Modules {
		sum += m.Minutes
	}
	return sum
}

// Asked is the module of the demanded track that incidents ask for most: the one that leads
// furthest in the skill with the largest demand of those that the track teaches. Modules that
// the stage holds anyway are passed over. Equal demands are decided by the sum over a module's
// skills, then by the curriculum's order. Demand is by skill, as the metric skill_gaps has it;
// nil without any for the track.
func (s Stage) Asked(demand map[string]int64) *Module {
	if s.Demanded == nil {
		return nil
	}
	var best *Module
	var most [3]int64
	for _, m := range s.Demanded.Modules {
		if slices.Contains(s.Modules, m) {
			continue
		}
		var is [3]int64 // demand, how far it leads there, sum
		for _, k := range m.Skills {
			is[2] += demand[k.ID]
			if d := demand[k.ID]; d > is[0] || d == is[0] && int64(k.MaxLevel) > is[1] {
				is[0], is[1] = d, int64(k.MaxLevel)
			}
		}
		if is[0] > 0 && slices.Compare(is[:], most[:]) > 0 {
			best, most = m, is
		}
	}
	return best
}

// DefaultPath is the way of a team that is new to on-call. Each stage holds what its modules
// require, unless everybody has done it in an earlier one.
func (c *Curriculum) DefaultPath() []Stage {
	var out []Stage
	everybody := map[string]bool{}
	for _, s := range c.path.Path {
		stage := Stage{When: s.When, People: s.People}
		seen := map[string]bool{}
		for id := range everybody {
			seen[id] = true
		}
		for _, id := range s.Modules {
			if m, ok := c.modules[id]; ok {
				c.follow(seen, &stage.Modules, m)
			}
		}
		if t, ok := c.Track(s.Demanded); ok {
			stage.Demanded = t
		}
		if s.People == 0 {
			everybody = seen
		}
		out = append(out, stage)
	}
	return out
}

var trackID = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,7}$`)

// outline reads a layer's curriculum.yaml: a track of the same id is replaced, a new one
// added, and a path replaces the path. restated notes the tracks it speaks of.
func (c *Curriculum) outline(file string, text []byte, restated map[string]bool) {
	var o outline
	at, problems := strict(file, text, &o)
	if c.faults = append(c.faults, problems...); len(problems) > 0 {
		return
	}
	for i := range o.Tracks {
		t := &o.Tracks[i]
		field := fmt.Sprintf("tracks[%d].", i)
		fault := func(name, reason string) {
			c.faults = append(c.faults, Problem{file, at.line(field + name), field + name, reason})
		}
		t.file, t.line = file, at.line(field+"minutes")
		switch {
		case !trackID.MatchString(t.ID):
			fault("id", "must be capital letters and digits, beginning with a letter")
			continue
		case restated[t.ID]:
			fault("id", t.ID+" is there twice")
			continue
		case t.Name == "":
			fault("name", "missing")
		case t.Audience == "":
			fault("audience", "missing")
		case t.Stated < 0:
			fault("minutes", "must not be negative")
		}
		restated[t.ID] = true
		if before, ok := c.Track(t.ID); ok {
			*before = *t
		} else {
			c.Tracks = append(c.Tracks, t)
		}
	}
	if o.Path != nil {
		o.file, o.at = file, at
		c.path = o
	}
}
