package training

import "strings"

// Order is all modules, each after what it requires, otherwise track by track. Modules that
// require one another come as they stand.
func (c *Curriculum) Order() []*Module {
	var out []*Module
	c.follow(map[string]bool{}, &out, c.Modules()...)
	return out
}

// Prerequisites are what must be done before a module, each after what it requires itself,
// without the module.
func (c *Curriculum) Prerequisites(id string) []*Module {
	var out []*Module
	if m, ok := c.modules[id]; ok {
		c.follow(map[string]bool{}, &out, m)
		out = out[:len(out)-1]
	}
	return out
}

// follow appends modules and what they require, depth first, leaving out what was seen.
func (c *Curriculum) follow(seen map[string]bool, out *[]*Module, modules ...*Module) {
	for _, m := range modules {
		if seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		for _, p := range m.Prereqs {
			if before, ok := c.modules[p]; ok {
				c.follow(seen, out, before)
			}
		}
		*out = append(*out, m)
	}
}

// cycles are the circles among prerequisites, each once, as "FX1 → FX2 → FX1", with the module
// whose prerequisite closes it.
func (c *Curriculum) cycles() (found []cycle) {
	const walking, done = 1, 2
	state := map[string]int{}
	var stack []string
	var walk func(m *Module)
	walk = func(m *Module) {
		state[m.ID] = walking
		stack = append(stack, m.ID)
		for i, p := range m.Prereqs {
			before, ok := c.modules[p]
			switch {
			case !ok || state[p] == done:
			case state[p] == walking:
				from := len(stack) - 1
				for stack[from] != p {
					from--
				}
				found = append(found, cycle{m, i, strings.Join(stack[from:], " → ") + " → " + p})
			default:
				walk(before)
			}
		}
		stack = stack[:len(stack)-1]
		state[m.ID] = done
	}
	for _, m := range c.Modules() {
		if state[m.ID] == 0 {
			walk(m)
		}
	}
	return found
}

type cycle struct {
	module *Module
	prereq int // its place among the module's
	text   string
}
