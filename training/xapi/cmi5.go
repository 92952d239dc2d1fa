package xapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// ValidateCmi5 is Validate and, for the profile's verbs, section 9 of cmi5. A voiding
// statement is not the profile's, and only the first applies.
func ValidateCmi5(statement []byte) []Fault {
	v := &validator{}
	s := v.read(statement)
	if s == nil {
		return v.faults
	}
	v.statement("", s, false)
	if len(v.faults) > 0 { // the rest reads what these rules promise
		return v.faults
	}
	verb := ""
	id := s["verb"].(object)["id"]
	for name, iri := range verbs {
		if id == iri {
			verb = name
		}
	}
	switch {
	case id == voided:
	case verb == "":
		v.fault("verb.id", "not a verb of cmi5")
	default:
		v.cmi5Statement(s, verb)
	}
	return v.faults
}

func (v *validator) cmi5Statement(s object, verb string) {
	for _, name := range []string{"id", "timestamp", "context"} {
		if _, ok := s[name]; !ok {
			v.fault(name, "required by cmi5")
		}
	}
	if t, ok := s["timestamp"].(string); ok {
		if at, err := time.Parse(time.RFC3339Nano, t); err == nil {
			if _, offset := at.Zone(); offset != 0 {
				v.fault("timestamp", "must be in UTC")
			}
		}
	}
	actor := s["actor"].(object)
	if actor["objectType"] != "Agent" {
		v.fault("actor.objectType", "must be Agent")
	}
	if _, ok := actor["account"]; !ok {
		v.fault("actor", "must be known by an account")
	}
	target := s["object"].(object)
	if t, ok := target["objectType"]; ok && t != "Activity" {
		v.fault("object.objectType", "must be Activity")
	}
	if verb == "satisfied" {
		definition, _ := target["definition"].(object)
		if t := definition["type"]; t != Block && t != Course {
			v.fault("object.definition.type", "must be a block's or a course's")
		}
	}
	result, _ := s["result"].(object)
	v.cmi5Result(result, verb)
	if context, ok := s["context"].(object); ok {
		v.cmi5Context(context, result, verb)
	}
}

func (v *validator) cmi5Result(result object, verb string) {
	is := func(verbs ...string) bool { return slices.Contains(verbs, verb) }
	// flag wants a property to be true or false for some verbs and to be absent for the others.
	flag := func(name string, yes, no []string) {
		value, ok := result[name]
		switch {
		case is(yes...) && value != true:
			v.fault("result."+name, "must be true of %s", verb)
		case is(no...) && value != false:
			v.fault("result."+name, "must be false of %s", verb)
		case ok && !is(yes...) && !is(no...):
			v.fault("result."+name, "must not be there of %s", verb)
		}
	}
	flag("success", []string{"passed", "waived"}, []string{"failed"})
	flag("completion", []string{"completed", "waived"}, nil)
	if _, ok := result["duration"]; !ok && is("terminated", "completed", "passed", "failed", "abandoned") {
		v.fault("result.duration", "required of %s", verb)
	}
	extensions, _ := result["extensions"].(object)
	if reason, _ := extensions[reasonIRI].(string); verb == "waived" && !slices.Contains([]string{"Tested Out", "Equivalent AU", "Equivalent Outside Activity", "Administrative"}, reason) {
		v.fault("result.extensions", "the reason of a waiver must be one of the four that cmi5 knows")
	}
	score, ok := result["score"].(object)
	switch {
	case !ok:
	case !is("passed", "failed"):
		v.fault("result.score", "must not be there of %s", verb)
	default:
		if f, ok := number(score["scaled"]); ok && (f < 0 || f > 1) {
			v.fault("result.score.scaled", "must be from 0 to 1")
		}
		_, raw := score["raw"]
		_, least := score["min"]
		_, most := score["max"]
		if raw && (!least || !most) {
			v.fault("result.score.raw", "needs min and max")
		}
	}
}

func (v *validator) cmi5Context(context, result object, verb string) {
	if _, ok := context["registration"]; !ok {
		v.fault("context.registration", "required by cmi5")
	}
	activities, _ := context["contextActivities"].(object)
	category := idsOf(activities["category"])
	if !slices.Contains(category, categories+"cmi5") {
		v.fault("context.contextActivities.category", "must hold %scmi5", categories)
	}
	_, success := result["success"]
	_, completion := result["completion"]
	if has := slices.Contains(category, categories+"moveon"); has != (success || completion) {
		v.fault("context.contextActivities.category", "must hold %smoveon where the result has success or completion, and nowhere else", categories)
	}
	if len(idsOf(activities["grouping"])) == 0 {
		v.fault("context.contextActivities.grouping", "must hold the publisher's id of the activity")
	}
	x, _ := context["extensions"].(object)
	if id, ok := x[extensions+"sessionid"].(string); !ok || id == "" {
		v.fault("context.extensions", "%ssessionid is required", extensions)
	}
	if verb == "launched" {
		v.launch(x)
	}
	mastery, ok := x[extensions+"masteryscore"]
	if !ok {
		return
	}
	least, ok := number(mastery)
	if !ok || least < 0 || least > 1 {
		v.fault("context.extensions", "%smasteryscore must be from 0 to 1", extensions)
		return
	}
	score, _ := result["score"].(object)
	if scaled, ok := number(score["scaled"]); ok && (verb == "passed" && scaled < least || verb == "failed" && scaled >= least) {
		v.fault("result.score.scaled", "%s does not agree with a mastery score of %v", verb, least)
	}
}

func (v *validator) launch(x object) {
	for _, c := range [][2]string{{"launchmode", "Normal Browse Review"}, {"moveon", "Passed Completed CompletedAndPassed CompletedOrPassed NotApplicable"}} {
		if value, _ := x[extensions+c[0]].(string); !slices.Contains(strings.Fields(c[1]), value) {
			v.fault("context.extensions", "%s%s must be one of %s", extensions, c[0], c[1])
		}
	}
	if value, _ := x[extensions+"launchurl"].(string); !isIRI(value) {
		v.fault("context.extensions", "%slaunchurl must be an address", extensions)
	}
}

// idsOf are the ids of one activity or a list of them.
func idsOf(value any) (out []string) {
	switch value := value.(type) {
	case object:
		out = append(out, fmt.Sprint(value["id"]))
	case []any:
		for _, item := range value {
			out = append(out, idsOf(item)...)
		}
	}
	return out
}

func number(value any) (float64, bool) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := n.Float64()
	return f, err == nil
}
