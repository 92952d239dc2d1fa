package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stewardhq/steward/ingest/event"
)

// ofKind is a valid structured event of a kind.
func ofKind(kind, source string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":"1","source":%q,"type":"dev.steward.%s.v1","data":{"person":"ana@example.org","team":"t","service":"s","name":"n","policy":"p","incident":"i",`+
		`"by":"b","what":"w","action":"a","report":"r","metrics":[],"params":{},"digest":"d","rollout":"r","module":"m","seed":1,"metric":"m","window":"w","evidence":"e","reason":"r"}}`, source, kind)
}

// Whoever could send what Steward itself is the witness of could write the ledger of looks
// and the audit log. It is nobody's, whatever the mode, and takes its batch along.
func TestIntakeRefusesStewardsOwn(t *testing.T) {
	const fine = "incident.noted"
	for _, c := range []struct{ kind, source, field string }{
		{"view.recorded", "/x", "type"}, {"audit.recorded", "/x", "type"}, {"person.forgotten", "/x", "type"},
		{"report.published", "/x", "type"}, {"rollout.drawn", "/x", "type"}, {"audit.recorded", "/steward", "type"},
		{"evidence.voided", "/x", "type"},
		{fine, "/steward", "source"}, {fine, "/steward/", "source"}, {fine, "/steward/ledger", "source"},
		{"not.known", "/steward", "source"}, // of a later version, perhaps
		{fine, "/stewards", ""}, {fine, "/x/steward", ""}, {"not.known", "/x", ""}, {"member.joined", "/x", ""},
	} {
		one := ofKind(c.kind, c.source)
		_, data, _ := strings.Cut(strings.TrimSuffix(one, "}"), `"data":`)
		inner := ofKind("not.known", "/x") // in binary mode this is data, and no envelope
		for mode, send := range map[string]struct {
			body   string
			header []string
		}{
			"structured": {one, []string{"Content-Type", contentStructured}},
			"batch":      {"[" + ofKind(fine, "/x") + "," + one + "]", []string{"Content-Type", contentBatch}},
			"binary": {data, []string{"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Id", "1",
				"Ce-Source", url.PathEscape(c.source), "Ce-Type", "dev.steward." + c.kind + ".v1"}},
			"disguised": {inner, []string{"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Id", "1",
				"Ce-Source", c.source, "Ce-Type", "dev.steward.not.known.v1"}},
		} {
			if mode == "disguised" && c.field != "source" {
				continue
			}
			l := &ledger{}
			r := httptest.NewRequest("POST", "/ingest/cloudevents", strings.NewReader(send.body))
			for i := 0; i < len(send.header); i += 2 {
				r.Header.Set(send.header[i], send.header[i+1])
			}
			w := httptest.NewRecorder()
			testIntake(l).ServeHTTP(w, r)
			if c.field == "" {
				if w.Code != http.StatusAccepted {
					t.Errorf("%s, %s from %s: %d %s", mode, c.kind, c.source, w.Code, w.Body)
				}
				continue
			}
			if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `"field":"`+c.field+`"`) {
				t.Errorf("%s, %s from %s: %d %s", mode, c.kind, c.source, w.Code, w.Body)
			}
			if len(l.events)+len(l.poison) != 0 {
				t.Errorf("%s, %s from %s is refused, and %d are stored", mode, c.kind, c.source, len(l.events)+len(l.poison))
			}
		}
	}
}

// What was kept because its type was not known is no way around that once it is.
func TestRedriveRefusesStewardsOwn(t *testing.T) {
	row := badRow{source: cloudEvents, headers: `{"content-type":"` + contentStructured + `"}`, raw: []byte(ofKind("audit.recorded", "/x"))}
	var no *refusal
	if _, err := redecode(row); !errors.As(err, &no) {
		t.Errorf("what came through the intake: %v", err)
	}
	row.headers = "{}" // of an import, which may say it
	if events, err := redecode(row); err != nil || len(events) != 1 {
		t.Errorf("what came by an import: %v", err)
	}
}

// Some kinds are for some senders. The question is asked once for a request, with each kind
// once, and a no refuses the whole.
func TestIntakeMay(t *testing.T) {
	var asked [][]event.Kind
	l := &ledger{}
	h := NewIntake(IntakeConfig{Publisher: l, May: func(r *http.Request, kinds []event.Kind) error {
		asked = append(asked, kinds)
		if r.Header.Get("Authorization") == "" && slices.ContainsFunc(kinds, event.Kind.Directory) {
			return errors.New("member.joined is not yours")
		}
		return nil
	}})
	send := func(token string, events ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "/ingest/cloudevents", strings.NewReader("["+strings.Join(events, ",")+"]"))
		r.Header.Set("Content-Type", contentBatch)
		if token != "" {
			r.Header.Set("Authorization", token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	note, joined := ofKind("incident.noted", "/x"), ofKind("member.joined", "/x")
	if w := send("", note, joined, note, ofKind("not.known", "/x")); w.Code != 403 || w.Body.String() != `{"error":"member.joined is not yours","field":"type"}`+"\n" || len(l.events)+len(l.poison) > 0 {
		t.Errorf("%d %s, %d stored", w.Code, w.Body, len(l.events)+len(l.poison))
	}
	if len(asked) != 1 || !slices.Equal(asked[0], []event.Kind{event.IncidentNoted, event.MemberJoined}) {
		t.Errorf("asked %v", asked)
	}
	if w := send("x", note, joined); w.Code != 202 || len(l.events) != 2 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send("", note); w.Code != 202 || len(l.events) != 3 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := send("", ofKind("member.joined", "/steward")); w.Code != 403 || !strings.Contains(w.Body.String(), `"source"`) || len(asked) != 3 {
		t.Errorf("%d %s, asked %d times", w.Code, w.Body, len(asked))
	}
}
