package ingest

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Content types of CloudEvents over HTTP and Kafka.
const (
	contentStructured = "application/cloudevents+json"
	contentBatch      = "application/cloudevents-batch+json"
)

// maxAttribute bounds id, source and subject in bytes: sort keys and Kafka keys are made
// of them. Ids in the wild have up to 40 characters, sources are URLs.
const maxAttribute = 2048

// ErrUnknownType is found in the error of a well-formed CloudEvent whose type is outside
// the vocabulary. Such an event is kept in quarantine rather than refused, since a later
// version may understand it.
var ErrUnknownType = errors.New("unknown type")

// envelope is the attributes of a CloudEvent, whichever mode carried them.
type envelope struct {
	spec, id, source, typ, subject string
	at, seen, quality              string
	data, extensions               []byte
	base64                         bool // data is a quoted base64 string
	loose                          bool // data was not scanned as a part of a larger document
}

// ParseCloudEvent reads one event in structured mode. Errors: *event.FieldError naming
// the first field at fault ("body" when it is not JSON at all), or ErrUnknownType. The
// event and its fields share memory with b, which must not change afterwards.
//
// Seen is zero where the event carries no recordedtime, and At where it carries no time;
// TimeQuality is then "received" and the caller puts the receive time there.
func ParseCloudEvent(b []byte) (event.Event, event.Fields, error) {
	var v envelope
	err := scanObject(b, v.member)
	if err != nil {
		return event.Event{}, event.Fields{}, bodyError(err)
	}
	return v.event()
}

// bodyError names the body as the field at fault for errors that have no field.
func bodyError(err error) error {
	var fe *event.FieldError
	if errors.As(err, &fe) {
		return err
	}
	return &event.FieldError{Field: "body", Reason: err.Error()}
}

func (v *envelope) member(key, raw []byte) error {
	name, _ := unquote(key)
	if isNull(raw) {
		return nil
	}
	switch name {
	case "data":
		v.data, v.base64 = raw, false
		return nil
	case "data_base64":
		v.data, v.base64 = raw, true
		return nil
	}
	dst := v.attribute(name)
	if dst == nil {
		if !rewritten(name) {
			v.extend(key, raw)
		}
		return nil
	}
	s, ok := unquote(raw)
	if !ok {
		return &event.FieldError{Field: strings.Clone(name), Reason: "must be a string"}
	}
	*dst = s
	return nil
}

// rewritten are the attributes that Steward writes itself, whatever came.
func rewritten(name string) bool { return name == "partitionkey" || name == "datacontenttype" }

// extend keeps an extension attribute: its quoted name and its value, both JSON.
func (v *envelope) extend(key, raw []byte) {
	if len(v.extensions) > 0 {
		v.extensions = append(v.extensions, ',')
	}
	v.extensions = append(append(v.extensions, key...), ':')
	v.extensions = appendData(v.extensions, raw)
}

// attribute is where an attribute's text goes, nil for extensions.
func (v *envelope) attribute(name string) *string {
	switch name {
	case "specversion":
		return &v.spec
	case "id":
		return &v.id
	case "source":
		return &v.source
	case "type":
		return &v.typ
	case "subject":
		return &v.subject
	case "time":
		return &v.at
	case "recordedtime":
		return &v.seen
	case "timequality":
		return &v.quality
	}
	return nil
}

// event validates the attributes and the data.
func (v *envelope) event() (event.Event, event.Fields, error) {
	var none event.Fields
	e := event.Event{ID: v.id, Source: v.source, Subject: v.subject}
	if v.spec != "1.0" {
		return e, none, &event.FieldError{Field: "specversion", Reason: `must be "1.0"`}
	}
	for _, a := range [...]struct {
		name, value string
		required    bool
	}{{"id", v.id, true}, {"source", v.source, true}, {"type", v.typ, true}, {"subject", v.subject, false}} {
		if a.required && a.value == "" {
			return e, none, &event.FieldError{Field: a.name, Reason: "required"}
		}
		if len(a.value) > maxAttribute {
			return e, none, &event.FieldError{Field: a.name, Reason: fmt.Sprintf("longer than %d bytes", maxAttribute)}
		}
	}
	var ok bool
	if e.Kind, ok = event.KindOf(v.typ); !ok {
		return e, none, fmt.Errorf("%w", ErrUnknownType)
	}
	var err error
	if e.At, err = instant("time", v.at); err != nil {
		return e, none, err
	}
	if e.Seen, err = instant("recordedtime", v.seen); err != nil {
		return e, none, err
	}
	switch {
	case v.at == "":
		e.TimeQuality = qualityReceived
	case v.quality != "" && v.quality != qualityReceived:
		return e, none, &event.FieldError{Field: "timequality", Reason: `must be "received" or absent`}
	default:
		e.TimeQuality = v.quality
	}
	if v.base64 {
		if v.data, err = decodeBase64(v.data); err != nil {
			return e, none, err
		}
		v.loose = true
	}
	if len(v.data) == 0 {
		return e, none, &event.FieldError{Field: "data", Reason: "required"}
	}
	if v.loose {
		if err := scanObject(v.data, nil); err != nil {
			return e, none, &event.FieldError{Field: "data", Reason: err.Error()}
		}
	}
	f, err := event.Decode(e.Kind, v.data, unmarshal)
	if err != nil {
		return e, none, err
	}
	e.Data, e.Extensions = v.data, v.extensions
	if e.Key = event.PartitionKey(f, e.Subject); e.Key == "" {
		e.Key = e.ID
	}
	return e, f, nil
}

// qualityReceived marks an event whose time is the moment it was received.
const qualityReceived = "received"

func instant(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := event.ParseTime(text)
	if err != nil {
		return time.Time{}, &event.FieldError{Field: field, Reason: "must be an RFC 3339 time"}
	}
	t = t.UTC().Truncate(time.Millisecond)
	return t, event.CheckTime(field, t)
}

func decodeBase64(raw []byte) ([]byte, error) {
	bad := &event.FieldError{Field: "data_base64", Reason: "must be base64 of a JSON object"}
	text, ok := unquote(raw)
	if !ok {
		return nil, bad
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, bad
	}
	return data, nil
}

// ParseBatch reads the batched mode: a JSON array of structured events. It is all or
// nothing; the error is a *event.FieldError that names the event's index, as in
// "[3].data.incident". Well-formed events of an unknown type are no error: their bytes
// come back apart, for quarantine. Everything shares memory with b.
func ParseBatch(b []byte) (events []event.Event, unknown [][]byte, err error) {
	n := 0
	err = scanArray(b, func(raw []byte) error {
		var v envelope
		s := scanner{b: raw}
		err := s.object(1, v.member)
		var e event.Event
		if err == nil {
			e, _, err = v.event()
		}
		switch {
		case err == nil:
			events = append(events, e)
		case errors.Is(err, ErrUnknownType):
			unknown = append(unknown, raw)
		default:
			return indexed(n, bodyError(err))
		}
		n++
		return nil
	})
	if err != nil {
		return nil, nil, bodyError(err)
	}
	return events, unknown, nil
}

func indexed(i int, err error) error {
	var fe *event.FieldError
	if errors.As(err, &fe) {
		return &event.FieldError{Field: fmt.Sprintf("[%d].%s", i, fe.Field), Reason: fe.Reason}
	}
	return err
}

// MarshalCloudEvent writes an event in structured mode on one line. Seen and At are left
// out where they are zero.
func MarshalCloudEvent(e event.Event) []byte {
	b := make([]byte, 0, 256+len(e.Data)+len(e.ID)+len(e.Source)+2*len(e.Subject))
	b = append(b, `{"specversion":"1.0","id":`...)
	b = appendString(b, e.ID)
	b = append(b, `,"source":`...)
	b = appendString(b, e.Source)
	b = append(b, `,"type":"`...)
	b = append(b, e.Kind.Type()...)
	b = append(b, '"')
	if e.Subject != "" {
		b = append(b, `,"subject":`...)
		b = appendString(b, e.Subject)
	}
	if !e.At.IsZero() {
		b = append(b, `,"time":"`...)
		b = appendTime(b, e.At)
		b = append(b, '"')
	}
	if !e.Seen.IsZero() {
		b = append(b, `,"recordedtime":"`...)
		b = appendTime(b, e.Seen)
		b = append(b, '"')
	}
	if e.Key != "" {
		b = append(b, `,"partitionkey":`...)
		b = appendString(b, e.Key)
	}
	if e.TimeQuality != "" {
		b = append(b, `,"timequality":`...)
		b = appendString(b, e.TimeQuality)
	}
	if len(e.Extensions) > 0 {
		b = append(append(b, ','), e.Extensions...)
	}
	b = append(b, `,"datacontenttype":"application/json","data":`...)
	b = appendData(b, e.Data)
	return append(b, '}')
}

func appendTime(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}

// appendData writes JSON without line breaks, so that a file holds one event a line.
// Inside a valid document they occur only between tokens.
func appendData(b, data []byte) []byte {
	if len(data) == 0 {
		return append(b, "{}"...)
	}
	if bytes.IndexByte(data, '\n') < 0 && bytes.IndexByte(data, '\r') < 0 { // nearly all
		return append(b, data...)
	}
	for _, c := range data {
		if c == '\n' || c == '\r' {
			c = ' '
		}
		b = append(b, c)
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString quotes s. Bytes that are not UTF-8 become U+FFFD, as encoding/json does.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		case r < 0x80:
			b = append(b, byte(r))
		default:
			b = append(b, string(r)...)
		}
	}
	return append(b, '"')
}
