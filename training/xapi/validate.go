package xapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Fault is a rule that a statement breaks, and where.
type Fault struct {
	Path   string // "result.score.scaled"; "" is the statement
	Reason string
}

func (f Fault) Error() string {
	if f.Path == "" {
		return f.Reason
	}
	return f.Path + ": " + f.Reason
}

// Validate reads one statement as JSON against the rules of xAPI 1.0.3 part two: properties
// that the specification does not know, null, wrong types and formats are refused, as a
// conforming store does.
func Validate(statement []byte) []Fault {
	v := &validator{}
	if s := v.read(statement); s != nil {
		v.statement("", s, false)
	}
	return v.faults
}

type object = map[string]any

type validator struct{ faults []Fault }

func (v *validator) fault(path, format string, args ...any) {
	v.faults = append(v.faults, Fault{strings.TrimPrefix(path, "."), fmt.Sprintf(format, args...)})
}

func (v *validator) read(text []byte) object {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		v.fault("", "not JSON: %v", err)
		return nil
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		v.fault("", "more than one JSON value")
		return nil
	}
	s, ok := value.(object)
	if !ok {
		v.fault("", "must be an object")
	}
	return s
}

// properties refuses what is not known and what is null, and wants what is required.
func (v *validator) properties(path string, o object, known string, required ...string) {
	names := strings.Fields(known)
	for _, name := range sorted(o) {
		switch {
		case !slices.Contains(names, name):
			v.fault(path+"."+name, "unknown property")
		case o[name] == nil:
			v.fault(path+"."+name, "must not be null")
		}
	}
	for _, name := range required {
		if _, ok := o[name]; !ok {
			v.fault(path+"."+name, "required")
		}
	}
}

func sorted(o object) []string {
	var out []string
	for name := range o {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// object is the property as an object, nil if it is not there; another type is a fault.
func (v *validator) object(path string, o object, name string) object {
	value, ok := o[name]
	if !ok || value == nil {
		return nil
	}
	out, ok := value.(object)
	if !ok {
		v.fault(path+"."+name, "must be an object")
	}
	return out
}

// text checks a property that is a text of some form; one that is not there is left alone.
func (v *validator) text(path string, o object, name string, form func(string) bool, what string) {
	value, ok := o[name]
	if !ok || value == nil {
		return
	}
	if s, ok := value.(string); !ok || form != nil && !form(s) {
		v.fault(path+"."+name, "must be %s", what)
	}
}

func (v *validator) boolean(path string, o object, name string) {
	if value, ok := o[name]; ok && value != nil {
		if _, ok := value.(bool); !ok {
			v.fault(path+"."+name, "must be true or false")
		}
	}
}

func (v *validator) statement(path string, s object, sub bool) {
	if sub {
		v.properties(path, s, "objectType actor verb object result context timestamp attachments", "actor", "verb", "object")
	} else {
		v.properties(path, s, "id actor verb object result context timestamp stored authority version attachments", "actor", "verb", "object")
	}
	v.text(path, s, "id", isUUID, "a UUID")
	v.text(path, s, "timestamp", isTime, "an ISO 8601 time with its zone, and not -00:00")
	v.text(path, s, "stored", isTime, "an ISO 8601 time with its zone, and not -00:00")
	v.text(path, s, "version", func(s string) bool { return s == "1.0" || strings.HasPrefix(s, "1.0.") }, "1.0.x")
	if a := v.object(path, s, "actor"); a != nil {
		v.actor(path+".actor", a)
	}
	if a := v.object(path, s, "authority"); a != nil {
		v.actor(path+".authority", a)
	}
	verb := v.object(path, s, "verb")
	if verb != nil {
		v.properties(path+".verb", verb, "id display", "id")
		v.text(path+".verb", verb, "id", isIRI, "an IRI")
		v.languages(path+".verb", verb, "display")
	}
	kind := "Activity"
	if o := v.object(path, s, "object"); o != nil {
		kind = v.target(path+".object", o, sub)
	}
	if verb != nil && verb["id"] == voided && kind != "StatementRef" {
		v.fault(path+".object", "a voiding statement refers to a statement")
	}
	if r := v.object(path, s, "result"); r != nil {
		v.result(path+".result", r)
	}
	if c := v.object(path, s, "context"); c != nil {
		v.context(path+".context", c, kind)
	}
	v.attachments(path, s)
}

// target is the object of a statement; it answers its kind.
func (v *validator) target(path string, o object, sub bool) string {
	kind := "Activity"
	if t, ok := o["objectType"]; ok {
		kind, _ = t.(string)
	}
	switch kind {
	case "Activity":
		v.activity(path, o)
	case "Agent", "Group":
		v.actor(path, o)
	case "StatementRef":
		v.properties(path, o, "objectType id", "id")
		v.text(path, o, "id", isUUID, "a UUID")
	case "SubStatement":
		if sub {
			v.fault(path, "a SubStatement must not hold another")
			break
		}
		v.statement(path, o, true)
	default:
		v.fault(path+".objectType", "must be Activity, Agent, Group, StatementRef or SubStatement")
	}
	return kind
}

func (v *validator) result(path string, r object) {
	v.properties(path, r, "score success completion response duration extensions")
	v.boolean(path, r, "success")
	v.boolean(path, r, "completion")
	v.text(path, r, "response", nil, "a text")
	v.text(path, r, "duration", isDuration, "an ISO 8601 duration")
	v.extensions(path, r)
	s := v.object(path, r, "score")
	if s == nil {
		return
	}
	path += ".score"
	v.properties(path, s, "scaled raw min max")
	numbers := map[string]float64{}
	for _, name := range []string{"scaled", "raw", "min", "max"} {
		value, ok := s[name]
		if !ok || value == nil {
			continue
		}
		n, ok := value.(json.Number)
		f, err := n.Float64()
		if !ok || err != nil {
			v.fault(path+"."+name, "must be a number")
			continue
		}
		numbers[name] = f
	}
	has := func(name string) bool { _, ok := numbers[name]; return ok }
	if f := numbers["scaled"]; f < -1 || f > 1 {
		v.fault(path+".scaled", "must be from -1 to 1")
	}
	if has("min") && has("max") && numbers["min"] >= numbers["max"] {
		v.fault(path+".max", "must be above min")
	}
	if has("raw") && (has("min") && numbers["raw"] < numbers["min"] || has("max") && numbers["raw"] > numbers["max"]) {
		v.fault(path+".raw", "must be from min to max")
	}
}

func (v *validator) context(path string, c object, kind string) {
	v.properties(path, c, "registration instructor team contextActivities revision platform language statement extensions")
	v.text(path, c, "registration", isUUID, "a UUID")
	v.text(path, c, "revision", nil, "a text")
	v.text(path, c, "platform", nil, "a text")
	v.text(path, c, "language", isLanguage, "a language tag")
	for _, name := range []string{"revision", "platform"} {
		if _, ok := c[name]; ok && kind != "Activity" {
			v.fault(path+"."+name, "only where the object is an activity")
		}
	}
	if a := v.object(path, c, "instructor"); a != nil {
		v.actor(path+".instructor", a)
	}
	if a := v.object(path, c, "team"); a != nil {
		if v.actor(path+".team", a); a["objectType"] != "Group" {
			v.fault(path+".team", "must be a Group")
		}
	}
	if r := v.object(path, c, "statement"); r != nil {
		if r["objectType"] != "StatementRef" {
			v.fault(path+".statement.objectType", "must be StatementRef")
		}
		v.properties(path+".statement", r, "objectType id", "id")
		v.text(path+".statement", r, "id", isUUID, "a UUID")
	}
	if a := v.object(path, c, "contextActivities"); a != nil {
		v.properties(path+".contextActivities", a, "parent grouping category other")
		for _, name := range sorted(a) {
			at := path + ".contextActivities." + name
			switch list := a[name].(type) {
			case object:
				v.activity(at, list)
			case []any:
				for i, item := range list {
					if o, ok := item.(object); ok {
						v.activity(fmt.Sprintf("%s[%d]", at, i), o)
					} else {
						v.fault(fmt.Sprintf("%s[%d]", at, i), "must be an activity")
					}
				}
			default:
				v.fault(at, "must be an activity or a list of them")
			}
		}
	}
	v.extensions(path, c)
}
