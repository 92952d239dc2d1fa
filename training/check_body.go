package training

import (
	"fmt"
	"slices"
	"strings"
)

// reading is the heading below which links to other sites stand.
const reading = "Further reading"

// Sections are the headings of every lesson, in their order.
func Sections() []string {
	return []string{"Purpose", "The idea", "A worked example", "What good looks like", "Exercise", reading}
}

// SectionID is where a section's heading stands on its page, "the-idea"; empty of a heading
// that is none.
func SectionID(heading string) string {
	if !slices.Contains(Sections(), heading) {
		return ""
	}
	return strings.ReplaceAll(strings.ToLower(heading), " ", "-")
}

func (c *Curriculum) checkBody(m *Module) (out []Problem) {
	fault := func(line int, field, format string, args ...any) {
		out = append(out, m.faultAt(line, field, fmt.Sprintf(format, args...)))
	}
	c.checkHeadings(m, fault)
	for _, line := range slices.Compact(m.body.html) {
		fault(line, "HTML", "HTML is not shown: write Markdown, and put text that looks like a tag between backticks")
	}
	for _, line := range slices.Compact(m.body.images) {
		fault(line, "images", "images are not shown")
	}
	c.checkLinks(m, fault)
	return out
}

func (c *Curriculum) checkHeadings(m *Module, fault func(int, string, string, ...any)) {
	var found []string
	line := m.body.first
	for _, h := range m.body.headings {
		switch {
		case h.level == 1:
			fault(h.line, "headings", "%q is a heading of level 1, which is the title's", h.text)
		case h.level == 2 && !slices.Contains(Sections(), h.text):
			fault(h.line, "headings", "%q is not one of %s", h.text, strings.Join(Sections(), ", "))
		case h.level == 2:
			found, line = append(found, h.text), h.line
		}
	}
	for i, want := range Sections() {
		if i >= len(found) {
			fault(line, "headings", "%q is missing at the end", want)
			return
		}
		if found[i] != want {
			fault(line, "headings", "they must be, in this order, %s; number %d is %q", strings.Join(Sections(), ", "), i+1, found[i])
			return
		}
	}
	if len(found) > len(Sections()) {
		fault(line, "headings", "%q is there twice", found[len(Sections())])
	}
}

func (c *Curriculum) checkLinks(m *Module, fault func(int, string, string, ...any)) {
	cited := map[string]bool{}
	for _, l := range m.body.links {
		if id, track, ok := asModule(l.to); ok {
			if to, known := c.modules[id]; !known || to.Track != track {
				fault(l.line, "links", "%s leads to no module", l.to)
			}
			continue
		}
		switch {
		case !asWeb(l.to):
			fault(l.line, "links", "%q is neither a web page nor another module written ../track/module.md", l.to)
		case l.section != reading:
			fault(l.line, "links", "%s: other sites stand under %s only", l.to, reading)
		case cited[l.to]:
			fault(l.line, "links", "%s is there twice", l.to)
		default:
			cited[l.to] = true
			if !slices.ContainsFunc(m.Sources, func(s Source) bool { return s.URL == l.to }) {
				fault(l.line, "sources", "%s is under %s and not among the sources", l.to, reading)
			}
		}
	}
	if len(m.Sources) == 0 {
		out := m.fault("sources", "missing")
		fault(out.Line, out.Field, "%s", out.Reason)
	}
	for i, s := range m.Sources {
		field := fmt.Sprintf("sources[%d]", i)
		if s.Title == "" {
			fault(m.at.line(field), field+".title", "missing")
		}
		if !cited[s.URL] {
			fault(m.at.line(field+".url"), field+".url", "%q is not linked under %s", s.URL, reading)
		}
	}
}
