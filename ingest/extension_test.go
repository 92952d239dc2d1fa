package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stewardhq/steward/ingest/event"
)

// Attributes outside our vocabulary travel with the event in every mode, as they came.
func TestExtensionsAreKept(t *testing.T) {
	const body = `{"incident":"i","title":"t"}`
	const want = `"dataschema":"https://example.org/s","hops":3,"traceparent":"00-\u00e9"`
	structured := `{"specversion":"1.0","id":"1","source":"/s","type":"dev.steward.incident.opened.v1","partitionkey":"theirs","datacontenttype":"application/json",` + want + `,"nothing":null,"data":` + body + `}`
	first, _, err := ParseCloudEvent([]byte(structured))
	if err != nil || string(first.Extensions) != want {
		t.Fatalf("%s, %v", first.Extensions, err)
	}
	again, _, err := ParseCloudEvent(MarshalCloudEvent(first))
	if err != nil || string(again.Extensions) != want {
		t.Errorf("after the log: %s, %v", again.Extensions, err)
	}
	h := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Source": {"/s"}, "Ce-Type": {"dev.steward.incident.opened.v1"},
		"Ce-Traceparent": {"00-%C3%A9"}, "Ce-Hops": {"3"}, "Ce-Partitionkey": {"theirs"}}
	binary, _, err := binaryHTTP(h, []byte(body))
	if err != nil || string(binary.Extensions) != `"hops":"3","traceparent":"00-é"` {
		t.Errorf("binary: %s, %v", binary.Extensions, err)
	}
	var b block
	b.add("t", 0, record{time: intakeNow, value: MarshalCloudEvent(first)})
	if b.rows() != 1 || b.extensions[0] != "{"+want+"}" {
		t.Errorf("stored: %q", b.extensions)
	}
}

// A required field of the wrong type is refused by its name, in every kind.
func TestRequiredFieldsHaveTypes(t *testing.T) {
	for _, c := range []struct{ kind, data, field string }{
		{"service.described", `{"service":"s","name":{"a":1}}`, "data.name"},
		{"team.described", `{"team":"t","name":[1]}`, "data.name"},
		{"page.reviewed", `{"page":"p","by":12345,"verdict":"view"}`, "data.by"},
		{"training.answered", `{"assignment":"a","module":"m","person":"p","question":1,"correct":{"a":1}}`, "data.correct"},
		{"training.answered", `{"assignment":"a","module":"m","person":"p","question":1,"correct":false}`, ""},
		{"drill.acted", `{"drill":"d","attempt":"1","person":"p","offset_s":"x","action":"ack"}`, "data.offset_s"},
		{"drill.acted", `{"drill":"d","attempt":"1","person":"p","offset_s":-1.5,"action":{"do":"ack"}}`, ""},
		{"skill.evidenced", `{"person":"p","skill":"s","kind":"k","ref":["e"],"rule_version":2}`, ""},
		{"rollout.drawn", `{"rollout":"r","module":"m","seed":7,"metric":"pages","window":{"from":"2026-01-01"}}`, ""},
		{"report.published", `{"report":[],"by":"b","metrics":["pages"],"params":{},"digest":"d"}`, "data.report"},
	} {
		_, _, err := ParseCloudEvent(fmt.Appendf(nil, `{"specversion":"1.0","id":"1","source":"/s","type":"dev.steward.%s.v1","data":%s}`, c.kind, c.data))
		var fe *event.FieldError
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &fe) || fe.Field != c.field) {
			t.Errorf("%s %s: %v, want the field %q", c.kind, c.data, err, c.field)
		}
	}
}
