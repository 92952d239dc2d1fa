// Package event is Steward's vocabulary: the closed set of kinds, the fields each
// of them needs, and how an event gets its identity.
//
// Theory of operation
//
//  1. Every fact that reaches Steward becomes an Event: who said it (Source), what
//     kind of fact it is (Kind), when it happened (At) and when we learned it (Seen).
//  2. Identity is (Source, ID). Decoders make ID a pure function of what happened
//     (see NewID), so a redelivered webhook, a second subscription and an import that
//     is run twice all arrive at the same identity and count once.
//  3. Data keeps the whole payload as JSON. Fields is the typed view of those members
//     that projections read; Decode fills it and names the first field that is wrong.
//  4. The package imports only the standard library, so that decoders, training and
//     the read side can all depend on it without dragging in a broker or a database.
package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Event is one immutable fact.
type Event struct {
	ID      string // unique within Source
	Source  string // "/pagerduty/acme/webhook", "/import/uci", "/steward"
	Kind    Kind
	Subject string    // namespaced id of the thing, "pagerduty:acme:PT4KHLK"
	At      time.Time // when it happened by the source's clock; milliseconds, UTC
	Seen    time.Time // when Steward learned it; zero until intake sets it
	// Key is the Kafka key (CloudEvents partitionkey): the incident for incident and
	// page events, else the subject. One incident is one ordered partition.
	Key string
	// TimeQuality is "received" when the source gave no time and the receive time
	// stands in for it; otherwise empty.
	TimeQuality string
	// Data is the kind's fields as a JSON object; unknown source fields live under "raw".
	Data json.RawMessage
	// Extensions are the CloudEvents attributes outside Steward's own vocabulary, as
	// members of a JSON object without its braces: `"traceparent":"00-…","hops":3`.
	// Nothing reads them; they are kept because somebody sent them.
	Extensions []byte
}

// TypePrefix and TypeSuffix frame a kind in the CloudEvents type attribute.
const (
	TypePrefix = "dev.steward."
	TypeSuffix = ".v1"
)

// Type is the CloudEvents type of a kind: "dev.steward.incident.opened.v1".
func (k Kind) Type() string { return TypePrefix + string(k) + TypeSuffix }

// KindOf reads a CloudEvents type; ok is false for a type outside the vocabulary.
func KindOf(typ string) (k Kind, ok bool) {
	s, found := strings.CutPrefix(typ, TypePrefix)
	if !found {
		return "", false
	}
	s, found = strings.CutSuffix(s, TypeSuffix)
	if !found {
		return "", false
	}
	_, known := specs[Kind(s)]
	return Kind(s), known
}

// New builds an event whose ID follows from (source, kind, key, at), whose Kafka key
// is the incident if data names one, else the subject. key is the source's own key for
// the fact. data is marshalled with sorted object keys, so the bytes are reproducible.
func New(source string, kind Kind, subject, key string, at time.Time, data any) (Event, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return Event{}, fmt.Errorf("event %s: data: %w", kind, err)
	}
	e := Event{
		ID: NewID(source, kind, key, at), Source: source, Kind: kind, Subject: subject,
		At: at.UTC().Truncate(time.Millisecond), Data: body,
	}
	f, err := Decode(kind, body, json.Unmarshal)
	if err != nil {
		return Event{}, err
	}
	e.Key = PartitionKey(f, subject)
	return e, nil
}

// PartitionKey is the Kafka key for an event with these fields: the incident where one
// is named, else the subject.
func PartitionKey(f Fields, subject string) string {
	if f.Incident != "" {
		return f.Incident
	}
	return subject
}

// PersonID normalises the id of a person: e-mail addresses compare in lower case,
// every other id is opaque.
func PersonID(s string) string {
	if strings.Contains(s, "@") {
		return strings.ToLower(s)
	}
	return s
}
