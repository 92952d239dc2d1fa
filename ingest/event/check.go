package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The closed value sets of the vocabulary. Verdicts follow METRICS: the first three say
// that action was taken, the others that none was.
var (
	urgencies  = []string{"high", "low"}
	actorKinds = []string{"user", "service", "unknown"}
	causes     = []string{"manual", "timeout", "unknown"}
	states     = []string{"pending", "accepted", "declined"}
	channels   = []string{"push", "sms", "phone", "email", "chat", "webhook", "unknown"}
	roles      = []string{"primary", "secondary", "shadow", "reverse_shadow"}
	bases      = []string{"rule", "responder", "reviewer"}
	waivers    = []string{"tested-out", "equivalent", "equivalent-in-a-real-incident", "administrative"}
	verdicts   = []string{"service", "service-inappropriate-hour", "view", "inappropriate-hour", "downtime-expired",
		"downtime-not-set", "threshold", "check-faulty", "not-needed"}
	weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
)

// Earliest and Latest bound every instant of an event. Outside them a source's clock
// or a zero value spoke, and the day-keyed projections would gain absurd days.
var (
	Earliest = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	Latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// CheckTime refuses instants outside [Earliest, Latest).
func CheckTime(field string, t time.Time) error {
	if t.Before(Earliest) || !t.Before(Latest) {
		return &FieldError{Field: field, Reason: "outside the years 1970 to 2199"}
	}
	return nil
}

func oneOf(field, v string, allowed []string) error {
	if v == "" || slices.Contains(allowed, v) {
		return nil
	}
	return &FieldError{Field: "data." + field, Reason: "must be one of " + strings.Join(allowed, ", ")}
}

// check validates the values of a hot kind.
func (f *Fields) check(k Kind) error {
	for _, c := range [...]struct {
		field, v string
		allowed  []string
	}{
		{"urgency", f.Urgency, urgencies}, {"actor_kind", f.ActorKind, actorKinds},
		{"cause", f.Cause, causes}, {"state", f.State, states},
	} {
		if err := oneOf(c.field, c.v, c.allowed); err != nil {
			return err
		}
	}
	if k == PageSent {
		if err := oneOf("channel", f.Channel, channels); err != nil {
			return err
		}
	}
	if f.Level != nil && (*f.Level < 0 || *f.Level > maxLevel) {
		return &FieldError{Field: "data.level", Reason: fmt.Sprintf("must be from 0 to %d", maxLevel)}
	}
	for field, v := range map[string]string{"until": f.Until, "starts_at": f.StartsAt} {
		if v == "" {
			continue
		}
		if _, err := instant("data."+field, v); err != nil {
			return err
		}
	}
	return nil
}

func instant(field, v string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, v)
	if err != nil {
		return time.Time{}, &FieldError{Field: field, Reason: "must be an RFC 3339 time"}
	}
	return t, CheckTime(field, t)
}

// checkRare validates the members of a rare kind that a projection or a page relies on.
func checkRare(k Kind, m map[string]json.RawMessage) error {
	switch k {
	case ShiftPlanned, ShiftWorked:
		return checkShift(m)
	case PersonDescribed:
		return checkPerson(m)
	case PolicyPublished:
		return checkList(m, "services")
	case ServiceDescribed:
		if raw, ok := present(m, "tier"); ok && !intIn(raw, 1, 3) {
			return &FieldError{Field: "data.tier", Reason: "must be 1, 2 or 3"}
		}
		return nil
	case PageReviewed:
		return checkEnum(m, "verdict", verdicts)
	case SkillTagged:
		return checkEnum(m, "basis", bases)
	case TrainingWaived:
		return checkEnum(m, "reason", waivers)
	case ExemptionGranted:
		_, err := timeOf(m, "until")
		return err
	}
	return nil
}

func present(m map[string]json.RawMessage, name string) (json.RawMessage, bool) {
	raw, ok := m[name]
	if !ok || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return nil, false
	}
	return raw, true
}

func text(m map[string]json.RawMessage, name string) (string, error) {
	raw, ok := present(m, name)
	if !ok {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", &FieldError{Field: "data." + name, Reason: "must be a string"}
	}
	return s, nil
}

func checkEnum(m map[string]json.RawMessage, name string, allowed []string) error {
	s, err := text(m, name)
	if err != nil {
		return err
	}
	return oneOf(name, s, allowed)
}

func timeOf(m map[string]json.RawMessage, name string) (time.Time, error) {
	s, err := text(m, name)
	if err != nil {
		return time.Time{}, err
	}
	return instant("data."+name, s)
}

func checkList(m map[string]json.RawMessage, name string) error {
	raw, ok := present(m, name)
	if !ok {
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return &FieldError{Field: "data." + name, Reason: "must be a list of strings"}
	}
	return nil
}

// checkShift: end ≥ start (a cancelled shift ends at its start).
func checkShift(m map[string]json.RawMessage) error {
	start, err := timeOf(m, "start")
	if err != nil {
		return err
	}
	end, err := timeOf(m, "end")
	if err != nil {
		return err
	}
	if end.Before(start) {
		return &FieldError{Field: "data.end", Reason: "before data.start"}
	}
	for _, name := range []string{"schedule", "shift"} {
		if _, err := text(m, name); err != nil {
			return err
		}
	}
	if raw, ok := present(m, "level"); ok && !intIn(raw, 1, maxLevel) {
		return &FieldError{Field: "data.level", Reason: fmt.Sprintf("must be from 1 to %d", maxLevel)}
	}
	if raw, ok := present(m, "override"); ok {
		var b bool
		if json.Unmarshal(raw, &b) != nil {
			return &FieldError{Field: "data.override", Reason: "must be true or false"}
		}
	}
	return checkEnum(m, "role", roles)
}

func checkPerson(m map[string]json.RawMessage) error {
	zone, err := text(m, "time_zone")
	if err != nil {
		return err
	}
	if zone != "" {
		if _, err := time.LoadLocation(zone); err != nil || zone == "Local" {
			return &FieldError{Field: "data.time_zone", Reason: "not an IANA time zone"}
		}
	}
	if err := checkList(m, "aliases"); err != nil {
		return err
	}
	if err := checkList(m, "holidays"); err != nil {
		return err
	}
	if raw, ok := present(m, "holidays"); ok {
		var days []string
		if err := json.Unmarshal(raw, &days); err != nil {
			return &FieldError{Field: "data.holidays", Reason: "must be a list of strings"}
		}
		for _, d := range days {
			if _, err := time.Parse(time.DateOnly, d); err != nil {
				return &FieldError{Field: "data.holidays", Reason: "must be dates like 2026-12-25"}
			}
		}
	}
	if raw, ok := present(m, "working_hours"); ok {
		return checkWorkingHours(raw)
	}
	return nil
}

// checkWorkingHours: weekdays to lists of ["09:00","17:30"] pairs; 24:00 is allowed as
// an end, and a pair may not cross midnight.
func checkWorkingHours(raw json.RawMessage) error {
	bad := func(why string) error { return &FieldError{Field: "data.working_hours", Reason: why} }
	var days map[string][][]string
	if err := json.Unmarshal(raw, &days); err != nil {
		return bad(`must map weekdays to lists of ["09:00","17:30"] pairs`)
	}
	for day, pairs := range days {
		if !slices.Contains(weekdays, day) {
			return bad("weekdays are " + strings.Join(weekdays, ", "))
		}
		for _, p := range pairs {
			if len(p) != 2 {
				return bad("each entry is a pair of times")
			}
			from, ok1 := clock(p[0])
			to, ok2 := clock(p[1])
			if !ok1 || !ok2 {
				return bad("times are written 09:00, up to 24:00")
			}
			if to < from {
				return bad("a pair may not cross midnight")
			}
		}
	}
	return nil
}

// clock reads "HH:MM" into minutes since midnight, 0 to 1440.
func clock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	for _, i := range []int{0, 1, 3, 4} {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	h, m := int(s[0]-'0')*10+int(s[1]-'0'), int(s[3]-'0')*10+int(s[4]-'0')
	if m > 59 || h > 24 || (h == 24 && m != 0) {
		return 0, false
	}
	return h*60 + m, true
}

// shape is what the JSON of a field may begin with ("" for anything), and its name.
type shape struct{ begins, name string }

// shapes are the required fields of rare kinds that are not always text.
var shapes = map[string]shape{
	"correct": {"tf", "true or false"}, "shared": {"tf", "true or false"}, "offset_s": {"-0123456789", "a number"}, "action": {`"{`, "a string or an object"},
	"question": {`"-0123456789`, "a string or a number"}, "seed": {`"-0123456789`, "a string or a number"}, "rule_version": {`"-0123456789`, "a string or a number"},
	"metrics": {}, "params": {}, "window": {}, "ref": {},
}

// checkShape refuses a required field of the wrong type, as in a name that is an object.
func checkShape(m map[string]json.RawMessage, name string) error {
	raw, ok := present(m, name)
	if !ok {
		return nil
	}
	want, special := shapes[name]
	if !special {
		want = shape{`"`, "a string"}
	}
	if first := bytes.TrimSpace(raw)[:1]; want.begins != "" && !bytes.ContainsAny(first, want.begins) {
		return &FieldError{Field: "data." + name, Reason: "must be " + want.name}
	}
	return nil
}
