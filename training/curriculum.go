package training

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

//go:embed curriculum
var builtIn embed.FS

const (
	builtInDir  = "training/curriculum"
	outlineFile = "curriculum.yaml"
	longestFile = 1 << 20 // bytes; the longest module is a fortieth of it
)

// Track is an ordered set of modules for an audience.
type Track struct {
	ID       string    `yaml:"id"`
	Name     string    `yaml:"name"`
	Audience string    `yaml:"audience"`
	Stated   int       `yaml:"minutes"` // what its modules are said to add up to; 0 if not said
	Modules  []*Module `yaml:"-"`

	file string
	line int
}

// Minutes is what the track's modules add up to.
func (t *Track) Minutes() (sum int) {
	for _, m := range t.Modules {
		sum += m.Minutes
	}
	return sum
}

// Curriculum is everything that can be learned. It is read-only once loaded and can be shared.
type Curriculum struct {
	Skills  []Skill
	Tracks  []*Track
	Changes []Change // what the organisation's own directories did to the built-in one

	modules map[string]*Module
	path    outline
	faults  []Problem // of reading
}

// Change is a module that an organisation's directory added or replaced.
type Change struct {
	Module  string
	File    string
	Was     int // version replaced, 0 if added
	Version int
}

func (c Change) String() string {
	if c.Was == 0 {
		return fmt.Sprintf("%s: adds %s version %d", c.File, c.Module, c.Version)
	}
	return fmt.Sprintf("%s: %s version %d replaces version %d", c.File, c.Module, c.Version, c.Was)
}

// Layer is a directory of modules, <track>/<id>.md, and optionally curriculum.yaml with tracks
// or a path of the organisation's own. Dir is how its files are named to people.
type Layer struct {
	Dir string
	FS  fs.FS
}

// Load reads the built-in curriculum and lays the given ones over it, in order. Its error is
// about directories that cannot be read; files with faults are left out, the built-in
// module of the same id staying, and Check lists them.
func Load(own ...Layer) (*Curriculum, error) {
	base, err := fs.Sub(builtIn, "curriculum")
	if err != nil {
		return nil, err
	}
	skills, err := Skills()
	if err != nil {
		return nil, err
	}
	return load(skills, append([]Layer{{builtInDir, base}}, own...))
}

func load(skills []Skill, layers []Layer) (*Curriculum, error) {
	c := &Curriculum{Skills: skills, modules: map[string]*Module{}}
	for i, layer := range layers {
		if err := c.lay(layer, i > 0); err != nil {
			return nil, fmt.Errorf("read the curriculum in %s: %w", layer.Dir, err)
		}
	}
	c.arrange()
	for _, m := range c.Modules() {
		html, err := m.body.render(func(id, track string) bool {
			to, ok := c.modules[id]
			return ok && to.Track == track
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.File, err)
		}
		m.HTML = html
	}
	return c, nil
}

// lay reads one directory over what is there.
func (c *Curriculum) lay(layer Layer, own bool) error {
	was := map[string]*Module{}
	for id, m := range c.modules {
		was[id] = m
	}
	restated := map[string]bool{}
	touched := map[string]bool{}
	err := fs.WalkDir(layer.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || d.Name() == "README.md" || path.Ext(name) != ".md" && name != outlineFile:
			return nil
		}
		file := path.Join(layer.Dir, name)
		text, err := fs.ReadFile(layer.FS, name)
		switch {
		case err != nil:
			return err
		case len(text) > longestFile:
			c.faults = append(c.faults, Problem{file, 1, "file", fmt.Sprintf("longer than %d bytes", longestFile)})
		case name == outlineFile:
			c.outline(file, text, restated)
		default:
			c.place(file, name, text, own, was, touched)
		}
		return nil
	})
	for _, t := range c.Tracks {
		if own && touched[t.ID] && !restated[t.ID] {
			t.Stated = 0 // was said of other modules
		}
	}
	return err
}

// place puts a module of a layer where its id says.
func (c *Curriculum) place(file, name string, text []byte, own bool, was map[string]*Module, touched map[string]bool) {
	m, problems := readModule(file, text)
	c.faults = append(c.faults, problems...)
	if m == nil {
		return
	}
	folder, base := path.Split(name)
	if !moduleID.MatchString(m.ID) {
		c.faults = append(c.faults, m.fault("id", "must be capital letters and digits, beginning with a letter"))
		return
	}
	if want := strings.ToLower(m.ID) + ".md"; base != want {
		c.faults = append(c.faults, m.fault("id", m.ID+" must be in a file "+want))
		return
	}
	if want := strings.ToLower(m.Track) + "/"; folder != want {
		c.faults = append(c.faults, m.fault("track", fmt.Sprintf("%s must be in the folder %s", m.Track, want)))
		return
	}
	if before, ok := c.modules[m.ID]; ok && before != was[m.ID] {
		c.faults = append(c.faults, m.fault("id", m.ID+" is also in "+before.File))
		return
	}
	m.Own = own
	if own {
		change := Change{Module: m.ID, File: file, Version: m.Version}
		if before := was[m.ID]; before != nil {
			change.Was = before.Version
			touched[before.Track] = true
			c.faults = append(c.faults, replacing(m, before)...)
		} else if m.Replaces != 0 {
			c.faults = append(c.faults, m.fault("replaces", "there is no built-in "+m.ID+" to replace"))
		}
		c.Changes = append(c.Changes, change)
	}
	touched[m.Track] = true
	c.modules[m.ID] = m
}

// replacing is what must be said by who replaces a module: which text they had before them, so
// that a later one is not hidden unseen, and a version of their own, so that progress of before
// and after can be told apart.
func replacing(m, before *Module) []Problem {
	switch {
	case m.Replaces == 0:
		return []Problem{m.fault("replaces", fmt.Sprintf("missing: %s is there already; replaces: %d says that version %d is meant to be replaced", m.ID, before.Version, before.Version))}
	case m.Replaces != before.Version:
		return []Problem{m.fault("replaces", fmt.Sprintf("made from version %d, and the text replaced is version %d now: compare them", m.Replaces, before.Version))}
	case m.Version <= before.Version:
		return []Problem{m.fault("version", fmt.Sprintf("must be above %d, the version it replaces", before.Version))}
	}
	return nil
}

var (
	moduleID = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,15}$`)
	digits   = regexp.MustCompile(`[0-9]+$`)
)

// arrange puts modules into their tracks: PG2 before PG10.
func (c *Curriculum) arrange() {
	for _, m := range c.modules {
		if t, ok := c.Track(m.Track); ok {
			t.Modules = append(t.Modules, m)
		} else {
			c.faults = append(c.faults, m.fault("track", fmt.Sprintf("unknown track %q; a new one is named in %s", m.Track, outlineFile)))
			delete(c.modules, m.ID)
		}
	}
	for _, t := range c.Tracks {
		slices.SortFunc(t.Modules, func(a, b *Module) int {
			an, bn := digits.FindString(a.ID), digits.FindString(b.ID)
			i, _ := strconv.Atoi(an)
			j, _ := strconv.Atoi(bn)
			return cmp.Or(cmp.Compare(strings.TrimSuffix(a.ID, an), strings.TrimSuffix(b.ID, bn)), cmp.Compare(i, j), cmp.Compare(a.ID, b.ID))
		})
	}
}

// Module finds a module by its id.
func (c *Curriculum) Module(id string) (*Module, bool) {
	m, ok := c.modules[id]
	return m, ok
}

// Track finds a track by its id.
func (c *Curriculum) Track(id string) (*Track, bool) {
	i := slices.IndexFunc(c.Tracks, func(t *Track) bool { return t.ID == id })
	if i < 0 {
		return nil, false
	}
	return c.Tracks[i], true
}

// Skill finds a skill by its id.
func (c *Curriculum) Skill(id string) (Skill, bool) {
	i := slices.IndexFunc(c.Skills, func(s Skill) bool { return s.ID == id })
	if i < 0 {
		return Skill{}, false
	}
	return c.Skills[i], true
}

// Modules are all of them, track by track.
func (c *Curriculum) Modules() []*Module {
	var out []*Module
	for _, t := range c.Tracks {
		out = append(out, t.Modules...)
	}
	return out
}

// TeachesSkill are the modules for a skill, those first that lead further.
func (c *Curriculum) TeachesSkill(skill string) []*Module {
	var out []*Module
	level := map[string]int{}
	for _, m := range c.Modules() {
		for _, s := range m.Skills {
			if s.ID == skill && level[m.ID] == 0 {
				level[m.ID] = max(s.MaxLevel, 1)
				out = append(out, m)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b *Module) int { return level[b.ID] - level[a.ID] })
	return out
}

// Minutes and Words are those of all modules.
func (c *Curriculum) Minutes() (sum int) {
	for _, t := range c.Tracks {
		sum += t.Minutes()
	}
	return sum
}

func (c *Curriculum) Words() (sum int) {
	for _, m := range c.Modules() {
		sum += m.Words
	}
	return sum
}
