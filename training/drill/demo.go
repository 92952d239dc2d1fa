package drill

import (
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed demo/*.json demo/*.md
var demos embed.FS

// Demo is a drill that ships with the demonstration organisation, with the text that
// introduces it: Markdown, whose heading is the title.
type Demo struct {
	Drill Drill
	Intro string
}

// Demos are the authored drills, of an online shop that does not exist, in order of id.
func Demos() ([]Demo, error) {
	entries, err := demos.ReadDir("demo")
	if err != nil {
		return nil, err
	}
	var out []Demo
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		data, err := demos.ReadFile("demo/" + e.Name())
		if err != nil {
			return nil, err
		}
		d, err := Decode(data)
		if err != nil {
			return nil, fmt.Errorf("demo/%s: %w", e.Name(), err)
		}
		intro, err := demos.ReadFile("demo/" + name + ".md")
		if err != nil {
			return nil, err
		}
		out = append(out, Demo{d, string(intro)})
	}
	slices.SortFunc(out, func(a, b Demo) int { return strings.Compare(a.Drill.ID, b.Drill.ID) })
	return out, nil
}
