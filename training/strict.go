package training

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// places says on which line of a file a field stands.
type places map[string]int

// line is that of the field, or of the nearest field around it that the file has.
func (p places) line(field string) int {
	for field != "" {
		if n, ok := p[field]; ok {
			return n
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return 1
}

// Strict reads YAML that people write into a struct or a list of structs, for packages below
// this one: line tells on which line a field such as "rules[2].when" stands.
func Strict(file string, text []byte, into any) (line func(field string) int, problems []Problem) {
	at, problems := strict(file, text, into)
	return at.line, problems
}

// strict reads YAML into a struct or a list of structs. The decoder's own complaints name a
// line and a Go type but not the field, and stop at some of the faults, so the tree is
// compared with the type first. Anchors are refused: nobody needs them here, and they are how
// a small file becomes a large one.
func strict(file string, text []byte, into any) (places, []Problem) {
	var tree yaml.Node
	if err := yaml.Unmarshal(text, &tree); err != nil {
		line, reason := syntax(err)
		return nil, []Problem{{file, line, "YAML", reason}}
	}
	if len(tree.Content) == 0 {
		return nil, []Problem{{file, 1, "YAML", "there is nothing in it"}}
	}
	c := comparison{file: file, places: places{}}
	c.compare(tree.Content[0], reflect.TypeOf(into).Elem(), "")
	if len(c.problems) > 0 {
		return c.places, c.problems
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		line, reason := syntax(err)
		return c.places, []Problem{{file, line, "YAML", reason}}
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return c.places, []Problem{{file, 1, "YAML", "the file holds more than one document"}}
	}
	return c.places, nil
}

var atLine = regexp.MustCompile(`line (\d+): `)

// syntax takes the decoder's sentence apart.
func syntax(err error) (line int, reason string) {
	reason, _, _ = strings.Cut(strings.TrimPrefix(err.Error(), "yaml: "), "\n")
	line = 1
	if m := atLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		_, reason, _ = strings.Cut(err.Error(), m[0])
	}
	return line, strings.TrimSpace(reason)
}

// comparison is a walk through the tree of a file along the type it is to become.
type comparison struct {
	file     string
	places   places
	problems []Problem
}

func (c *comparison) fault(n *yaml.Node, field, reason string) {
	if field == "" {
		field = "file"
	}
	c.problems = append(c.problems, Problem{c.file, n.Line, field, reason})
}

func (c *comparison) compare(n *yaml.Node, t reflect.Type, field string) {
	c.places[field] = n.Line
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		c.fault(n, field, "anchors and aliases are not read; write it out")
	case t.Kind() == reflect.Struct:
		c.fields(n, t, field)
	case t.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			c.fault(n, field, "must be a list")
			return
		}
		for i, item := range n.Content {
			c.compare(item, t.Elem(), fmt.Sprintf("%s[%d]", field, i))
		}
	case n.Kind != yaml.ScalarNode || !slices.Contains(scalars[t.Kind()].tags, n.Tag):
		c.fault(n, field, "must be "+scalars[t.Kind()].name)
	}
}

// scalars are the tags that YAML gives to what a type takes. A text that looks like a
// number is a text where one is wanted; nothing at all is not.
var scalars = map[reflect.Kind]struct {
	name string
	tags []string
}{
	reflect.String:  {"a text", []string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}},
	reflect.Int:     {"a whole number", []string{"!!int"}},
	reflect.Float64: {"a number", []string{"!!int", "!!float"}},
	reflect.Bool:    {"true or false", []string{"!!bool"}},
}

func (c *comparison) fields(n *yaml.Node, t reflect.Type, field string) {
	if n.Kind != yaml.MappingNode {
		c.fault(n, field, "must be fields with values")
		return
	}
	known := map[string]reflect.Type{}
	var names []string
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		known[name] = t.Field(i).Type
		names = append(names, name)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		path := strings.TrimPrefix(field+"."+key.Value, ".")
		switch typ, ok := known[key.Value]; {
		case !ok:
			c.fault(key, path, "unknown; the fields are "+strings.Join(names, ", "))
		case seen[key.Value]:
			c.fault(key, path, "given twice")
		default:
			seen[key.Value] = true
			c.compare(value, typ, path)
		}
	}
}
