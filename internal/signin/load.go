package signin

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// longest is more than any such file needs, in bytes.
const longest = 1 << 20

// Load reads and validates a configuration file. Its errors are joined, and each names the
// field and its line; none repeats a value that could be a secret in the wrong place.
func Load(path string) (Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return Config{}, fmt.Errorf("access configuration: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, longest+1))
	if err != nil {
		return Config{}, fmt.Errorf("access configuration: %w", err)
	}
	if len(b) > longest {
		return Config{}, fmt.Errorf("access configuration %s: longer than %d bytes", path, longest)
	}
	c, err := parse(b)
	if err != nil {
		return Config{}, fmt.Errorf("access configuration %s:\n%w", path, err)
	}
	return c, nil
}

func parse(b []byte) (Config, error) {
	var c Config
	var tree yaml.Node
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return Config{}, errors.New(unquoted(err.Error()))
	}
	dec := yaml.NewDecoder(bytes.NewReader(b))
	dec.KnownFields(true)
	if err := dec.Decode(&c); err != nil {
		if errors.Is(err, io.EOF) {
			return Config{}, errors.New("the file is empty")
		}
		return Config{}, worded(err, &tree)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("the file holds more than one document")
	}
	var errs []error
	for _, p := range c.problems() {
		p.line = lineOf(&tree, p.field)
		errs = append(errs, p)
	}
	if err := errors.Join(errs...); err != nil {
		return Config{}, err
	}
	return c, nil
}

var (
	atLine  = regexp.MustCompile(`^line (\d+): (.*)$`)
	unknown = regexp.MustCompile(`^field (\S+) not found in type .*$`)
	goType  = regexp.MustCompile(` into (\S+)$`)
	kinds   = strings.NewReplacer("cannot unmarshal", "is", " ,", ",", "!!seq", "a list", "!!map", "fields", "!!str", "a text", "!!int", "a number", "!!float", "a number", "!!bool", "true or false")
	quoted  = regexp.MustCompile("`[^`]*`")
)

// worded says in the file's terms what the decoder says in Go's.
func worded(err error, tree *yaml.Node) error {
	var types *yaml.TypeError
	if !errors.As(err, &types) {
		return errors.New(unquoted(err.Error()))
	}
	var errs []error
	for _, e := range types.Errors {
		m := atLine.FindStringSubmatch(e)
		if m == nil {
			errs = append(errs, errors.New(unquoted(e)))
			continue
		}
		line, _ := strconv.Atoi(m[1])
		text := unquoted(m[2])
		field := fieldAt(tree, line, "")
		if u := unknown.FindStringSubmatch(text); u != nil {
			field, text = fieldAt(tree, line, u[1]), "there is no such field"
		} else {
			text = goType.ReplaceAllStringFunc(text, func(s string) string {
				if strings.Contains(s, "[]") {
					return ", want a list"
				}
				if strings.Contains(s, "signin.") || strings.Contains(s, "access.Rule") {
					return ", want fields"
				}
				return ", want a text"
			})
			text = kinds.Replace(text)
		}
		errs = append(errs, &problem{field: field, line: line, text: text})
	}
	return errors.Join(errs...)
}

// unquoted takes the values out that the decoder quotes.
func unquoted(s string) string { return strings.TrimSpace(quoted.ReplaceAllString(s, "")) }

// lineOf finds where a field stands, or the nearest that holds it.
func lineOf(tree *yaml.Node, field string) int {
	line := 0
	walk(tree, "", func(path string, n *yaml.Node) {
		if path == field || path != "" && (strings.HasPrefix(field, path+".") || strings.HasPrefix(field, path+"[")) {
			line = n.Line // deeper ones come later
		}
	})
	return line
}

// fieldAt is the outermost field that a line names, of a name unless that is empty.
func fieldAt(tree *yaml.Node, line int, name string) string {
	field := ""
	walk(tree, "", func(path string, n *yaml.Node) {
		if field == "" && n.Line == line && (name == "" || n.Value == name) {
			field = path
		}
	})
	return or(or(field, name), "file")
}

// walk visits keys and list entries with their paths, outer before inner. Aliases are not
// entered: what they stand for is visited where it is written.
func walk(n *yaml.Node, path string, visit func(string, *yaml.Node)) {
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			walk(c, path, visit)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			p := strings.TrimPrefix(path+"."+n.Content[i].Value, ".")
			visit(p, n.Content[i])
			walk(n.Content[i+1], p, visit)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			p := fmt.Sprintf("%s[%d]", path, i)
			visit(p, c)
			walk(c, p, visit)
		}
	}
}
