package event

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Fields is the typed view of Data: the members that projections read. Strings are
// empty and pointers nil where the event does not carry the member.
type Fields struct {
	Incident    string  `json:"incident"`
	Service     string  `json:"service"`
	Team        string  `json:"team"`
	Person      string  `json:"person"`     // normalised by PersonID
	ActorKind   string  `json:"actor_kind"` // user, service, unknown; see Actor for the absent one
	Title       string  `json:"title"`
	Urgency     string  `json:"urgency"` // high, low
	Priority    string  `json:"priority"`
	Severity    string  `json:"severity"`
	AlertClass  string  `json:"alert_class"`
	Cause       string  `json:"cause"`   // manual, timeout, unknown
	Channel     string  `json:"channel"` // of a page: push, sms, phone, email, chat, webhook, unknown
	State       string  `json:"state"`   // pending, accepted, declined
	Page        string  `json:"page"`
	Policy      string  `json:"policy"`
	To          Targets `json:"to"`
	Level       *int    `json:"level"`
	Auto        *bool   `json:"auto"`
	Drill       *bool   `json:"drill"`
	Delivered   *bool   `json:"delivered"`
	Until       string  `json:"until"`
	Into        string  `json:"into"`
	Fingerprint string  `json:"fingerprint"`
	StartsAt    string  `json:"starts_at"`
}

// Actor is actor_kind with the rule for an absent one applied: user where a person is
// named, else unknown.
func (f *Fields) Actor() string {
	switch {
	case f.ActorKind != "":
		return f.ActorKind
	case f.Person != "":
		return "user"
	default:
		return "unknown"
	}
}

// Targets is one target or a list of them, each written with its kind: "person:ana@example.org".
type Targets []string

// UnmarshalJSON accepts a string, a list of strings or null.
func (t *Targets) UnmarshalJSON(b []byte) error {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0 || bytes.Equal(b, []byte("null")):
		return nil
	case b[0] == '"':
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if s != "" {
			*t = Targets{s}
		}
		return nil
	case b[0] == '[':
		var list []string
		if err := json.Unmarshal(b, &list); err != nil {
			return &FieldError{Field: "to", Reason: "must be a target or a list of targets"}
		}
		*t = list
		return nil
	}
	return &FieldError{Field: "to", Reason: "must be a target or a list of targets"}
}

// FieldError says which field of an event is wrong and why. Its text never repeats the
// value, which may be personal or hostile.
type FieldError struct {
	Field  string // "type", "time", "data.incident" …
	Reason string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// Unmarshal is the JSON decoder Decode uses: encoding/json's or a faster one.
type Unmarshal func([]byte, any) error

// Decode reads and validates the data of one kind. The error is a *FieldError that
// names the first field at fault. Unknown members are allowed and stay in Data.
func Decode(k Kind, data []byte, unmarshal Unmarshal) (Fields, error) {
	s, ok := specs[k]
	if !ok {
		return Fields{}, &FieldError{Field: "type", Reason: "not in the vocabulary"}
	}
	if t := bytes.TrimLeft(data, " \t\r\n"); len(t) == 0 || t[0] != '{' {
		return Fields{}, &FieldError{Field: "data", Reason: "must be a JSON object"}
	}
	if s.hot {
		return decodeHot(k, s, data, unmarshal)
	}
	return decodeRare(k, s, data, unmarshal)
}

func decodeHot(k Kind, s spec, data []byte, unmarshal Unmarshal) (Fields, error) {
	var f Fields
	if err := unmarshal(data, &f); err != nil {
		return Fields{}, typeError(err)
	}
	for _, alternatives := range s.required {
		if !f.has(alternatives[0]) {
			return Fields{}, &FieldError{Field: "data." + alternatives[0], Reason: "required by " + string(k)}
		}
	}
	f.normalise()
	return f, f.check(k)
}

func decodeRare(k Kind, s spec, data []byte, unmarshal Unmarshal) (Fields, error) {
	var m map[string]json.RawMessage
	if err := unmarshal(data, &m); err != nil {
		return Fields{}, typeError(err)
	}
	for _, alternatives := range s.required {
		if !anyPresent(m, alternatives, s.mayEmpty) {
			return Fields{}, &FieldError{Field: "data." + alternatives[0], Reason: "required by " + string(k)}
		}
		for _, name := range alternatives {
			if err := checkShape(m, name); err != nil {
				return Fields{}, err
			}
		}
	}
	f := Fields{}
	for name, dst := range map[string]*string{
		"incident": &f.Incident, "service": &f.Service, "team": &f.Team, "person": &f.Person,
		"page": &f.Page, "policy": &f.Policy,
	} {
		if raw, ok := m[name]; ok {
			if err := stringInto(raw, dst); err != nil {
				return Fields{}, &FieldError{Field: "data." + name, Reason: "must be a string"}
			}
		}
	}
	f.normalise()
	return f, checkRare(k, m)
}

func anyPresent(m map[string]json.RawMessage, names []string, mayEmpty string) bool {
	for _, n := range names {
		raw, ok := m[n]
		if !ok || bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
			continue
		}
		if n != mayEmpty && bytes.Equal(bytes.TrimSpace(raw), []byte(`""`)) {
			continue
		}
		return true
	}
	return false
}

func stringInto(raw json.RawMessage, dst *string) error {
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return nil
	}
	return json.Unmarshal(raw, dst)
}

// has reports whether a required field of a hot kind is present and not empty.
func (f *Fields) has(name string) bool {
	switch name {
	case "incident":
		return f.Incident != ""
	case "title":
		return f.Title != ""
	case "actor_kind":
		return f.ActorKind != ""
	case "cause":
		return f.Cause != ""
	case "to":
		return len(f.To) > 0
	case "until":
		return f.Until != ""
	case "into":
		return f.Into != ""
	case "person":
		return f.Person != ""
	case "page":
		return f.Page != ""
	case "channel":
		return f.Channel != ""
	case "fingerprint":
		return f.Fingerprint != ""
	case "starts_at":
		return f.StartsAt != ""
	}
	return false
}

func (f *Fields) normalise() {
	f.Person = PersonID(f.Person)
	for i, t := range f.To {
		if len(t) > 7 && t[:7] == "person:" {
			f.To[i] = "person:" + PersonID(t[7:])
		}
	}
}

// typeError turns a decoder's error into one that names the field.
func typeError(err error) error {
	var fe *FieldError
	if errors.As(err, &fe) {
		return &FieldError{Field: "data." + fe.Field, Reason: fe.Reason}
	}
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) && te.Field != "" {
		return &FieldError{Field: "data." + te.Field, Reason: fmt.Sprintf("must be a %s", te.Type)}
	}
	return &FieldError{Field: "data", Reason: "not valid JSON of the kind's shape"}
}

// maxLevel keeps a hostile escalation level inside the column's type.
const maxLevel = math.MaxInt16

func intIn(raw json.RawMessage, lo, hi int) bool {
	n, err := strconv.Atoi(string(bytes.TrimSpace(raw)))
	return err == nil && n >= lo && n <= hi
}
