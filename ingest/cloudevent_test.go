package ingest

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

const goodEvent = `{"specversion":"1.0","id":"38888888888888888888888888888888888888","source":"/import/uci","type":"dev.steward.incident.opened.v1",` +
	`"subject":"uci:INC1","time":"2026-03-01T10:00:00.1239+02:00","recordedtime":"2026-03-02T00:00:00Z","partitionkey":"ignored",` +
	`"extra":7,"data":{"incident":"uci:INC1","title":"Disk \"full\" \u00fc \ud83d\ude00","urgency":"high","level":3,"to":["team:a","person:X@Y.org"],"unknown":{"deep":[1e400,12345678901234567890123456789012345678]},"auto":false,"person":null}}`

func TestParseCloudEvent(t *testing.T) {
	e, f, err := ParseCloudEvent([]byte(goodEvent))
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != "38888888888888888888888888888888888888" || e.Source != "/import/uci" || e.Kind != event.IncidentOpened || e.Subject != "uci:INC1" || e.Key != "uci:INC1" {
		t.Errorf("%+v", e)
	}
	if want := time.Date(2026, 3, 1, 8, 0, 0, 123e6, time.UTC); e.At != want {
		t.Errorf("at %v", e.At)
	}
	if want := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC); e.Seen != want {
		t.Errorf("seen %v", e.Seen)
	}
	if f.Title != `Disk "full" ü 😀` || *f.Level != 3 || !reflect.DeepEqual([]string(f.To), []string{"team:a", "person:x@y.org"}) || f.Auto == nil || *f.Auto {
		t.Errorf("%+v", f)
	}
	if !strings.Contains(string(e.Data), "1e400") || !strings.Contains(string(e.Data), "12345678901234567890123456789012345678") {
		t.Errorf("data %s", e.Data)
	}
}

func TestParseCloudEventRefuses(t *testing.T) {
	edit := func(old, new string) string {
		s := strings.Replace(goodEvent, old, new, 1)
		if s == goodEvent {
			t.Fatalf("nothing to replace: %s", old)
		}
		return s
	}
	for _, c := range []struct{ name, body, field string }{
		{"empty", "", "body"},
		{"array", "[]", "body"},
		{"null", "null", "body"},
		{"cut off", goodEvent[:100], "body"},
		{"trailing", goodEvent + "x", "body"},
		{"nul between", strings.Replace(goodEvent, ",", ",\x00", 1), "body"},
		{"nul in a string", edit("Disk", "Di\x00sk"), "body"},
		{"nul at the end", goodEvent + "\x00", "body"},
		{"not utf-8", edit("Disk", "Di\xffsk"), "body"},
		{"bad escape", edit(`\u00fc`, `\u00f`), "body"},
		{"leading zero", edit(`"level":3`, `"level":03`), "body"},
		{"plus sign", edit(`"level":3`, `"level":+3`), "body"},
		{"trailing comma", edit(`"person":null`, `"person":null,`), "body"},
		{"bomb", edit(`{"deep"`, strings.Repeat(`{"a":`, 10_000)+`{"deep"`), "body"},
		{"bracket bomb", strings.Repeat("[", 10_000), "body"},
		{"closed bomb", edit(`"extra":7`, `"extra":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)), "body"},
		{"specversion", edit(`"specversion":"1.0"`, `"specversion":"0.3"`), "specversion"},
		{"no id", edit(`"id":"38888888888888888888888888888888888888",`, ""), "id"},
		{"number id", edit(`"38888888888888888888888888888888888888"`, `38888888888888888888888888888888888888`), "id"},
		{"1e400 id", edit(`"38888888888888888888888888888888888888"`, `1e400`), "id"},
		{"huge id", edit("3888", strings.Repeat("3", 100_000)), "id"},
		{"no source", edit(`"source":"/import/uci",`, ""), "source"},
		{"no type", edit(`"type":"dev.steward.incident.opened.v1",`, ""), "type"},
		{"time", edit("2026-03-01T10:00", "yesterday"), "time"},
		{"time of year 9999", edit("2026-03-01", "9999-03-01"), "time"},
		{"recordedtime", edit("2026-03-02T00:00:00Z", "0001-01-01T00:00:00Z"), "recordedtime"},
		{"no data", edit(`"data":`, `"date":`), "data"},
		{"data of text", edit(`"data":`, `"data":"x","date":`), "data"},
		{"no incident", edit(`"incident":"uci:INC1"`, `"incident":""`), "data.incident"},
		{"incident of number", edit(`"incident":"uci:INC1"`, `"incident":7`), "data.incident"},
		{"urgency", edit(`"urgency":"high"`, `"urgency":"huge"`), "data.urgency"},
		{"level", edit(`"level":3`, `"level":1e400`), "data.level"},
		{"level too high", edit(`"level":3`, `"level":99999`), "data.level"},
		{"target", edit(`"to":["team:a",`, `"to":[7,`), "data.to"},
		{"base64", edit(`"data":`, `"data_base64":"%%","date":`), "data_base64"},
		{"base64 of a bomb", edit(`"data":`, `"data_base64":"W1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tbW1tb","date":`), "data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := ParseCloudEvent([]byte(c.body))
			var fe *event.FieldError
			if !errors.As(err, &fe) || fe.Field != c.field {
				t.Errorf("%v, want the field %s", err, c.field)
			}
		})
	}
	if _, _, err := ParseCloudEvent([]byte(edit("incident.opened.v1", "incident.opened.v2"))); !errors.Is(err, ErrUnknownType) {
		t.Errorf("the next version's type: %v", err)
	}
}

func TestMarshalRoundTrip(t *testing.T) {
	for _, e := range append(sample("r", 8), mustParse(t, goodEvent)) {
		b := MarshalCloudEvent(e)
		if !json.Valid(b) || strings.ContainsAny(string(b), "\n\r") {
			t.Fatalf("not a line of JSON: %s", b)
		}
		got := mustParse(t, string(b))
		if !reflect.DeepEqual(got, e) {
			t.Errorf("\n%+v\n%+v", got, e)
		}
	}
	hostile := event.Event{ID: "\x00\"\\\u2028</script>\xff", Source: "/x", Kind: event.IncidentNoted, At: time.Unix(1e9, 0).UTC(), Data: json.RawMessage("{\n\"incident\":\r\"i\"}")}
	got := mustParse(t, string(MarshalCloudEvent(hostile)))
	if got.ID != "\x00\"\\\u2028</script>\ufffd" {
		t.Errorf("%q", got.ID)
	}
}

func mustParse(t testing.TB, s string) event.Event {
	t.Helper()
	e, _, err := ParseCloudEvent([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestBinary(t *testing.T) {
	h := http.Header{}
	for k, v := range map[string]string{
		"ce-specversion": "1.0", "CE-Id": "a%20b%22%C3%BC+c", "ce-source": "/x", "ce-type": "dev.steward.incident.noted.v1",
		"ce-time": "2026-01-01T00:00:00Z", "ce-subject": "s", "x-other": "%zz",
	} {
		h.Set(k, v)
	}
	body := []byte(`{"incident":"i","text":"t"}`)
	e, f, err := binaryHTTP(h, body)
	if err != nil || e.ID != `a b"ü+c` || e.Subject != "s" || f.Incident != "i" || string(e.Data) != string(body) {
		t.Errorf("%+v %v", e, err)
	}
	for name, value := range map[string]string{"ce-id": "%zz", "ce-source": "%ff", "ce-time": "now"} {
		bad := h.Clone()
		bad.Set(name, value)
		var fe *event.FieldError
		if _, _, err := binaryHTTP(bad, body); !errors.As(err, &fe) || fe.Field != name[3:] {
			t.Errorf("%s: %v", name, err)
		}
	}
	var fe *event.FieldError
	if _, _, err := binaryHTTP(h, []byte(`{"incident":"i","x":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+"}")); !errors.As(err, &fe) || fe.Field != "data" {
		t.Errorf("bomb: %v", err)
	}
	kafkaHeaders := []header{{"ce_specversion", []byte("1.0")}, {"ce_id", []byte("a%20b")}, {"ce_source", []byte("/x")}, {"ce_type", []byte("dev.steward.incident.noted.v1")}, {"ce_time", []byte("2026-01-01T00:00:00Z")}}
	e, _, err = decodeRecord(&record{value: body, headers: kafkaHeaders})
	if err != nil || e.ID != "a%20b" {
		t.Errorf("kafka: %+v %v", e, err)
	}
	kafkaHeaders[1].value = []byte("\xff")
	if _, _, err = decodeRecord(&record{value: body, headers: kafkaHeaders}); !errors.As(err, &fe) || fe.Field != "id" {
		t.Errorf("kafka, not UTF-8: %v", err)
	}
}

func TestParseBatch(t *testing.T) {
	unknown := strings.Replace(goodEvent, "incident.opened", "incident.imagined", 1)
	events, others, err := ParseBatch([]byte("[" + goodEvent + "," + unknown + "," + goodEvent + "]"))
	if err != nil || len(events) != 2 || len(others) != 1 || string(others[0]) != unknown {
		t.Errorf("%d %d %v", len(events), len(others), err)
	}
	if events, _, err := ParseBatch([]byte(" [ ] ")); err != nil || len(events) != 0 {
		t.Errorf("%d %v", len(events), err)
	}
	var fe *event.FieldError
	if _, _, err := ParseBatch([]byte("[" + goodEvent + "," + strings.Replace(goodEvent, `"incident":`, `"accident":`, 1) + "]")); !errors.As(err, &fe) || fe.Field != "[1].data.incident" {
		t.Errorf("%v", err)
	}
	if _, _, err := ParseBatch([]byte("[" + goodEvent)); !errors.As(err, &fe) || fe.Field != "body" {
		t.Errorf("%v", err)
	}
	if _, _, err := ParseBatch([]byte("[7]")); !errors.As(err, &fe) || fe.Field != "[0].body" {
		t.Errorf("%v", err)
	}
}

// TestAccountOf fixes the meaning of a source's path.
func TestAccountOf(t *testing.T) {
	for source, want := range map[string]string{"/pagerduty/acme/webhook": "acme", "/import/uci": "uci", "/steward": "", "": "", "x/y": "", "//": "", "/a//b": ""} {
		if got := accountOf(source); got != want {
			t.Errorf("%q: %q, want %q", source, got, want)
		}
	}
}

func TestParseIntent(t *testing.T) {
	for _, c := range []struct {
		at          int64
		metadata    string
		pending, ok bool
	}{
		{5, "", false, true}, {5, "5-9", true, true}, {5, "5-5", true, true}, {0, "0-0", true, true},
		{5, "4-9", false, false}, {5, "5-4", false, false}, {5, "5", false, false}, {5, "-", false, false}, {5, "5-", false, false},
		{5, "05-9", false, false}, {5, "5-09", false, false}, {5, "+5-9", false, false}, {5, "5-9-", false, false}, {5, " 5-9", false, false},
		{0, "0-99999999999999999999", false, false}, {0, "0-9223372036854775807", false, false},
	} {
		s, pending, ok := parseIntent(c.at, c.metadata)
		if pending != c.pending || ok != c.ok {
			t.Errorf("%d %q: %v %t %t", c.at, c.metadata, s, pending, ok)
		}
		if pending && s.metadata() != c.metadata {
			t.Errorf("%q became %q", c.metadata, s.metadata())
		}
	}
}

func FuzzParseIntent(f *testing.F) {
	for _, s := range []string{"", "5-9", "0-0", "5-", "-", "5-99999999999999999999", "５-９"} {
		f.Add(int64(5), s)
	}
	f.Fuzz(func(t *testing.T, at int64, metadata string) {
		s, pending, ok := parseIntent(at, metadata)
		if pending && (!ok || s.metadata() != metadata || s.first != at || s.last < s.first || s.last-s.first >= maxIntent) {
			t.Errorf("%d %q: %v", at, metadata, s)
		}
		if !pending && ok && metadata != "" {
			t.Errorf("%q is no intent and no error", metadata)
		}
	})
}

// FuzzStructured holds the scanner to encoding/json: what it takes is valid, what it reads
// is what encoding/json reads, and writing it again changes nothing.
func FuzzStructured(f *testing.F) {
	f.Add([]byte(goodEvent))
	for _, e := range sample("f", 4) {
		f.Add(MarshalCloudEvent(e))
	}
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/x","type":"dev.steward.service.owned.v1","time":"2026-01-01T00:00:00Z","data":{"service":"s","team":""}}`))
	f.Add([]byte(strings.Repeat("[", 100)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := scanObject(b, nil); (err == nil) != (json.Valid(b) && strings.HasPrefix(strings.TrimLeft(string(b), " \t\r\n"), "{")) && !errors.Is(err, errDepth) && !errors.Is(err, errUTF8) {
			t.Fatalf("scanner %v, encoding/json %t: %q", err, json.Valid(b), b)
		}
		e, fields, err := ParseCloudEvent(b)
		if err != nil {
			return
		}
		want, werr := event.Decode(e.Kind, e.Data, json.Unmarshal)
		// encoding/json matches names without regard to case, which CloudEvents forbids; an
		// event that relies on it is not compared.
		if werr == nil && !foldsNames(e.Data) && !reflect.DeepEqual(fields, want) {
			t.Fatalf("fields\n%+v\n%+v", fields, want)
		}
		again, _, err := ParseCloudEvent(MarshalCloudEvent(e))
		if err != nil || string(again.Data) != strings.NewReplacer("\n", " ", "\r", " ").Replace(string(e.Data)) || again.ID != strings.ToValidUTF8(e.ID, "\ufffd") || again.At != e.At || again.Seen != e.Seen {
			t.Fatalf("written again: %v\n%+v\n%+v", err, again, e)
		}
	})
}

func foldsNames(data []byte) bool {
	folds := false
	var m map[string]json.RawMessage
	if json.Unmarshal(data, &m) != nil {
		return true
	}
	for k := range m {
		folds = folds || strings.ToLower(k) != k
	}
	return folds
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte("[" + goodEvent + "]"))
	f.Add([]byte("[]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		events, unknown, err := ParseBatch(b)
		if err != nil && (events != nil || unknown != nil) {
			t.Error("an error with events")
		}
		if err == nil && !json.Valid(b) {
			t.Errorf("not JSON: %q", b)
		}
	})
}

func FuzzBinary(f *testing.F) {
	f.Add("a%20b", "/x", "dev.steward.incident.noted.v1", "2026-01-01T00:00:00Z", []byte(`{"incident":"i"}`))
	f.Add("%", "", "", "", []byte("\xff"))
	f.Fuzz(func(t *testing.T, id, source, typ, at string, body []byte) {
		h := http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {id}, "Ce-Source": {source}, "Ce-Type": {typ}, "Ce-Time": {at}}
		e, _, err := binaryHTTP(h, body)
		if err == nil && (e.ID == "" || e.Source == "" || !json.Valid(e.Data)) {
			t.Errorf("%+v", e)
		}
		r := record{value: body, headers: []header{{"ce_specversion", []byte("1.0")}, {"ce_id", []byte(id)}, {"ce_source", []byte(source)}, {"ce_type", []byte(typ)}, {"ce_time", []byte(at)}}}
		var b block
		b.add("t", 0, r)
		if b.rows()+len(b.bad) != 1 {
			t.Errorf("a record became %d rows and %d in quarantine", b.rows(), len(b.bad))
		}
	})
}
