package ingest

import (
	"encoding/json"
	"errors"
	"strconv"

	"github.com/stewardhq/steward/ingest/event"
)

// unmarshal is the event.Unmarshal of the write side. The scanner reads what events look
// like; whatever else comes is left to encoding/json, whose errors name the field.
// Strings in the result share memory with data.
func unmarshal(data []byte, into any) error {
	var err error
	switch v := into.(type) {
	case *event.Fields:
		err = scanObject(data, func(key, raw []byte) error { return field(v, key, raw) })
	case *map[string]json.RawMessage:
		m := make(map[string]json.RawMessage, 8)
		err = scanObject(data, func(key, raw []byte) error {
			name, _ := unquote(key)
			m[name] = raw
			return nil
		})
		*v = m
	default:
		return json.Unmarshal(data, into)
	}
	if errors.Is(err, errShape) {
		if f, ok := into.(*event.Fields); ok {
			*f = event.Fields{}
		}
		return json.Unmarshal(data, into)
	}
	return err
}

// errShape says that a member is not of the plain shape field reads.
var errShape = errors.New("another shape")

func field(f *event.Fields, key, raw []byte) error {
	var dst *string
	switch string(key) {
	case `"incident"`:
		dst = &f.Incident
	case `"service"`:
		dst = &f.Service
	case `"team"`:
		dst = &f.Team
	case `"person"`:
		dst = &f.Person
	case `"actor_kind"`:
		dst = &f.ActorKind
	case `"title"`:
		dst = &f.Title
	case `"urgency"`:
		dst = &f.Urgency
	case `"priority"`:
		dst = &f.Priority
	case `"severity"`:
		dst = &f.Severity
	case `"alert_class"`:
		dst = &f.AlertClass
	case `"cause"`:
		dst = &f.Cause
	case `"channel"`:
		dst = &f.Channel
	case `"state"`:
		dst = &f.State
	case `"page"`:
		dst = &f.Page
	case `"policy"`:
		dst = &f.Policy
	case `"until"`:
		dst = &f.Until
	case `"into"`:
		dst = &f.Into
	case `"fingerprint"`:
		dst = &f.Fingerprint
	case `"starts_at"`:
		dst = &f.StartsAt
	case `"to"`:
		return targets(f, raw)
	case `"level"`:
		if isNull(raw) {
			return nil
		}
		n, err := strconv.Atoi(view(raw))
		if err != nil || raw[0] == '+' {
			return errShape
		}
		f.Level = &n
		return nil
	case `"auto"`:
		return boolean(&f.Auto, raw)
	case `"drill"`:
		return boolean(&f.Drill, raw)
	case `"delivered"`:
		return boolean(&f.Delivered, raw)
	default:
		return nil
	}
	if isNull(raw) {
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		return errShape
	}
	*dst = s
	return nil
}

func boolean(dst **bool, raw []byte) error {
	switch raw[0] {
	case 't', 'f':
		b := raw[0] == 't'
		*dst = &b
		return nil
	case 'n':
		return nil
	}
	return errShape
}

func targets(f *event.Fields, raw []byte) error {
	switch raw[0] {
	case 'n':
		return nil
	case '"':
		s, ok := unquote(raw)
		if !ok {
			return errShape
		}
		if s != "" {
			f.To = event.Targets{s}
		}
		return nil
	case '[':
		list := event.Targets{}
		s := scanner{b: raw}
		err := s.array(1, func(v []byte) error {
			t, ok := unquote(v)
			if !ok {
				return errShape
			}
			list = append(list, t)
			return nil
		})
		f.To = list
		return err
	}
	return errShape
}
