package ingest

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/stewardhq/steward/ingest/event"
)

// binaryHTTP reads the binary mode over HTTP: attributes in ce- headers, percent-encoded
// as the HTTP binding demands, and the data as the body.
func binaryHTTP(h http.Header, body []byte) (event.Event, event.Fields, error) {
	var v envelope
	for _, name := range slices.Sorted(maps.Keys(h)) { // the record's bytes follow from the request's
		values := h[name]
		attr, found := cutPrefixFold(name, "ce-")
		if !found || len(values) == 0 {
			continue
		}
		attr = strings.ToLower(attr)
		text, err := url.PathUnescape(values[0]) // unlike QueryUnescape it leaves + alone
		if err != nil || !utf8.ValidString(text) {
			return event.Event{}, event.Fields{}, &event.FieldError{Field: attr, Reason: "not percent-encoded UTF-8"}
		}
		v.header(attr, text)
	}
	v.data, v.loose = body, true
	return v.event()
}

// binaryKafka reads the binary mode over Kafka: attributes in ce_ headers, as UTF-8.
func binaryKafka(each func(yield func(name string, value []byte)), body []byte) (event.Event, event.Fields, error) {
	var v envelope
	var bad error
	each(func(name string, value []byte) {
		attr, found := strings.CutPrefix(name, "ce_")
		if !found {
			return
		}
		if !utf8.Valid(value) {
			bad = &event.FieldError{Field: attr, Reason: errUTF8.Error()}
			return
		}
		v.header(attr, string(value))
	})
	if bad != nil {
		return event.Event{}, event.Fields{}, bad
	}
	v.data, v.loose = body, true
	return v.event()
}

// header takes an attribute of the binary mode, where every value is text.
func (v *envelope) header(name, text string) {
	switch dst := v.attribute(name); {
	case dst != nil:
		*dst = text
	case !rewritten(name):
		v.extend(appendString(nil, name), appendString(nil, text))
	}
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
