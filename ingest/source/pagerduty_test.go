package source

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

func fixture(t testing.TB, parts ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{"testdata"}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestEveryTypeHasAFixture keeps the list of types and the fixtures together, and says
// for each what it must become, independently of the golden files.
func TestEveryTypeHasAFixture(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "pagerduty", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, path := range files {
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var env struct {
			Event struct {
				Type string `json:"event_type"`
			}
		}
		if err := json.Unmarshal(body, &env); err != nil {
			t.Fatal(err)
		}
		seen[env.Event.Type] = true
		events, err := decodePagerDuty(Delivery{Account: "shop", Body: body, Received: received})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		var want bytes.Buffer
		if err := json.Compact(&want, body); err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if _, raw := withoutRaw(t, e); !bytes.Equal(raw, want.Bytes()) {
				t.Errorf("%s: %s does not keep the vendor's body", path, e.Kind)
			}
		}
	}
	for typ := range pdKinds {
		if !seen[typ] {
			t.Errorf("no fixture for %s", typ)
		}
	}
}

func TestPagerDutyFacts(t *testing.T) {
	const incident = `"incident":"pagerduty:shop:QKLT0000000042"`
	for _, c := range []struct {
		file string
		want []string // kind, then members the data must have
	}{
		{"triggered", []string{`incident.opened "service":"pagerduty:shop:PSVCKLT" "team":"pagerduty:shop:PTMPAY1" "urgency":"high" "priority":"P1" "actor_kind":"service"`,
			`incident.reassigned "to":"person:pagerduty:shop:PANA001"`}},
		{"acknowledged", []string{`incident.acknowledged "person":"pagerduty:shop:PANA001" "actor_kind":"user"`}},
		{"acknowledged_by_email", []string{`incident.acknowledged "person":"ana.lima@shop.example"`}},
		{"unacknowledged", []string{`incident.unacknowledged "actor_kind":"service"`}},
		{"escalated", []string{`incident.escalated "cause":"unknown" "to":["person:pagerduty:shop:PBOB002","person:pagerduty:shop:PANA001"]`}},
		{"delegated", []string{`incident.reassigned "to":"policy:pagerduty:shop:PPOLDBA"`}},
		{"resolved", []string{`incident.resolved "actor_kind":"user" "auto":false "person":"pagerduty:shop:PBOB002"`}},
		{"resolved_by_automation", []string{`incident.resolved "actor_kind":"service" "auto":true`}},
		{"resolved_by_service", []string{`incident.resolved "actor_kind":"service" "auto":true`}},
		{"resolved_by_merge", []string{`incident.resolved "actor_kind":"user"`, `incident.merged "into":"pagerduty:shop:QKLT0000000041"`}},
		{"service_updated", []string{`incident.updated "service":"pagerduty:shop:PSVCDB1" "urgency":"low"`}},
		{"annotated", []string{`incident.noted "text":"Cache was cold – warmed it"`}},
		{"responder_added", []string{`responder.requested "person":"pagerduty:shop:PBOB002" "state":"pending"`}},
		{"responder_accepted", []string{`responder.responded "person":"pagerduty:shop:PBOB002" "state":"accepted"`}},
	} {
		events, err := decodePagerDuty(Delivery{Account: "shop", Body: fixture(t, "pagerduty", c.file+".json"), Received: received})
		if err != nil || len(events) != len(c.want) {
			t.Errorf("%s: %d events, %v", c.file, len(events), err)
			continue
		}
		for i, want := range c.want {
			kind, members, _ := strings.Cut(want, " ")
			data, _ := withoutRaw(t, events[i])
			if string(events[i].Kind) != kind {
				t.Errorf("%s: %s, not %s", c.file, events[i].Kind, kind)
			}
			for _, m := range append(strings.Split(members, ` "`), incident) {
				if m = `"` + strings.TrimPrefix(m, `"`); !strings.Contains(data, m) {
					t.Errorf("%s: %s lacks %s: %s", c.file, kind, m, data)
				}
			}
		}
	}
}

// TestRedelivery: the identity does not depend on when or how often a delivery comes, nor
// on its white space.
func TestRedelivery(t *testing.T) {
	for _, file := range []string{"triggered", "no_time"} {
		body := fixture(t, "pagerduty", file+".json")
		one, err := decodePagerDuty(Delivery{Body: body, Received: received})
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			t.Fatal(err)
		}
		two, err := decodePagerDuty(Delivery{Body: compact.Bytes(), Received: received.Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		for i := range one {
			if one[i].ID != two[i].ID || !bytes.Equal(one[i].Data, two[i].Data) {
				t.Errorf("%s: event %d differs when redelivered", file, i)
			}
		}
	}
	// Another account is another incident.
	body := fixture(t, "pagerduty", "triggered.json")
	a, _ := decodePagerDuty(Delivery{Account: "a", Body: body})
	b, _ := decodePagerDuty(Delivery{Account: "b", Body: body})
	if a[0].ID == b[0].ID || a[0].Subject == b[0].Subject {
		t.Error("two accounts share an identity")
	}
}

func TestPagerDutyMalformed(t *testing.T) {
	event := func(members string) string { return `{"event":{` + members + `}}` }
	const ok = `"id":"01X","event_type":"incident.acknowledged","occurred_at":"2026-03-02T09:00:00Z"`
	const data = `"data":{"id":"P1","type":"incident"}`
	for _, c := range []struct{ name, account, body, field string }{
		{"empty", "", ``, ""}, {"text", "", `hello`, ""}, {"number", "", `1e400`, ""}, {"null", "", `null`, "event"}, {"list", "", `[]`, ""},
		{"cut off", "", `{"event":{"id":"01X"`, ""}, {"trailing", "", event(ok+`,`+data) + `}`, ""},
		{"invalid UTF-8", "", event(ok + `,"data":{"id":"P` + "\xff" + `"}`), ""},
		{"deep", "", `{"event":` + strings.Repeat(`[`, 10000) + strings.Repeat(`]`, 10000) + `}`, ""},
		{"large", "", event(ok + `,"data":{"id":"P1","type":"incident","x":"` + strings.Repeat("x", MaxBody) + `"}`), ""},
		{"no event", "", `{"hello":1}`, "event"}, {"no type", "", event(`"id":"01X"`), "event.event_type"},
		{"unknown type", "", event(`"id":"01X","event_type":"incident.teleported"`), "event.event_type"},
		{"no id", "", event(`"event_type":"incident.acknowledged",` + data), "event.id"},
		{"bad time", "", event(`"id":"01X","event_type":"incident.acknowledged","occurred_at":"soon",` + data), "event.occurred_at"},
		{"year 1", "", event(`"id":"01X","event_type":"incident.acknowledged","occurred_at":"0001-01-01T00:00:00Z",` + data), "event.occurred_at"},
		{"no data", "", event(ok), "event.data.incident.id"}, {"null data", "", event(ok + `,"data":null`), "event.data.incident.id"},
		{"no incident", "", event(ok + `,"data":{"type":"incident_note"}`), "event.data.incident.id"},
		{"id of a wrong type", "", event(ok + `,"data":{"id":{"a":1},"type":"incident"}`), ""},
		{"service without id", "", event(`"id":"01X","event_type":"service.updated","occurred_at":"2026-03-02T09:00:00Z","data":{}`), "event.data.id"},
		{"account with a slash", "a/b", event(ok + `,` + data), "account"}, {"account with a colon", "a:b", event(ok + `,` + data), "account"},
		{"long account", strings.Repeat("a", 65), event(ok + `,` + data), "account"},
	} {
		events, err := decodePagerDuty(Delivery{Account: c.account, Body: []byte(c.body), Received: received})
		var u *Undecodable
		if !errors.As(err, &u) || len(events) > 0 {
			t.Errorf("%s: %d events, %v", c.name, len(events), err)
			continue
		}
		if u.Field != c.field || u.Reason == "" {
			t.Errorf("%s: field %q, reason %q", c.name, u.Field, u.Reason)
		}
	}
	_, err := decodePagerDuty(Delivery{Body: []byte(event(`"id":"01X","event_type":"x<script>` + strings.Repeat("y", 200) + `"`))})
	if err == nil || strings.Contains(err.Error(), "<") || len(err.Error()) > 140 {
		t.Errorf("a reason repeats hostile text: %v", err)
	}
	if _, err := decodePagerDuty(Delivery{Body: []byte(event(`"id":"01X","event_type":"incident.acknowledged",` + data))}); err == nil {
		t.Error("no time at all was accepted")
	}
}

// TestHardBodies are odd and must be kept whole.
func TestHardBodies(t *testing.T) {
	for _, extra := range []string{`"x":1e400`, `"x":"\u0000\ud800"`, `"x":31415926535897932384626433832795028841`, `"x":` + strings.Repeat("[", 150) + strings.Repeat("]", 150), `"id":"P2"`} {
		body := `{"event":{"id":"01X","event_type":"incident.acknowledged","occurred_at":"2026-03-02T09:00:00Z","data":{"id":"P1","type":"incident",` + extra + `}}}`
		events, err := decodePagerDuty(Delivery{Body: []byte(body)})
		if err != nil || len(events) != 1 {
			t.Errorf("%.40s: %d events, %v", extra, len(events), err)
			continue
		}
		sound(t, events[0])
		if !bytes.Contains(events[0].Data, []byte(extra)) {
			t.Errorf("%.40s is not kept", extra)
		}
	}
}

func sign(body []byte, secret string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write(body)
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

func TestSignature(t *testing.T) {
	body := []byte(`{"event":{"title":"Zürich – down"}}`)
	good, old := sign(body, "s3cret"), sign(body, "old")
	for _, c := range []struct {
		name    string
		lines   []string
		secrets []string
		ok      bool
	}{
		{"one", []string{good}, []string{"s3cret"}, true},
		{"second of two", []string{old + "," + good}, []string{"s3cret"}, true},
		{"spaces and an unknown version", []string{"v2=abcdef, " + good}, []string{"s3cret"}, true},
		{"two header lines", []string{old, good}, []string{"s3cret"}, true},
		{"second secret", []string{good}, []string{"other", "s3cret"}, true},
		{"upper-case hex", []string{"v1=" + strings.ToUpper(good[3:])}, []string{"s3cret"}, true},
		{"none", nil, []string{"s3cret"}, false},
		{"empty", []string{""}, []string{"s3cret"}, false},
		{"wrong secret", []string{good}, []string{"other"}, false},
		{"no secret", []string{good}, nil, false},
		{"the empty secret", []string{sign(body, "")}, []string{""}, false},
		{"the value as v2", []string{"v2=" + good[3:]}, []string{"s3cret"}, false},
		{"without version", []string{good[3:]}, []string{"s3cret"}, false},
		{"truncated", []string{good[:40]}, []string{"s3cret"}, false},
		{"no hex", []string{"v1=" + strings.Repeat("z", 64)}, []string{"s3cret"}, false},
	} {
		err := verifyPagerDuty(http.Header{"X-Pagerduty-Signature": c.lines}, body, c.secrets)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// The signature is over the bytes: a proxy that writes the same JSON in another way fails.
	other := []byte(`{"event":{"title":"Z\u00fcrich – down"}}`)
	if verifyPagerDuty(http.Header{"X-Pagerduty-Signature": {good}}, other, []string{"s3cret"}) == nil {
		t.Error("a re-encoded body passed")
	}
}

// TestBothCopies: the webhook's and the entry's telling of one incident meet in its id,
// and what is taken as a minimum or a maximum is the same with one of them and with both.
func TestBothCopies(t *testing.T) {
	entries := eventsOf(importAll(t, format(t, "pagerduty-log-entries"), "shop", fixture(t, "pagerduty-log-entries", "pages.jsonl")))
	hooks := eventsOf(importAll(t, format(t, "pagerduty-webhooks"), "shop", fixture(t, "pagerduty-webhooks", "captured.jsonl")))
	const incident = "pagerduty:shop:QKLT0000000042"
	firstOf := func(k event.Kind, sets ...[]event.Event) (at time.Time, n int) {
		ids := map[string]bool{}
		for _, set := range sets {
			for _, e := range set {
				if e.Kind != k || e.Key != incident {
					continue
				}
				if ids[e.Source+e.ID] {
					t.Errorf("%s twice in one copy", k)
				}
				ids[e.Source+e.ID] = true
				if n++; at.IsZero() || e.At.Before(at) {
					at = e.At
				}
			}
		}
		return at, n
	}
	for _, k := range []event.Kind{event.IncidentOpened, event.IncidentAcknowledged, event.IncidentResolved} {
		h, n := firstOf(k, hooks)
		e, m := firstOf(k, entries)
		both, _ := firstOf(k, entries, hooks)
		if n == 0 || m == 0 {
			t.Fatalf("%s: %d from webhooks, %d from entries", k, n, m)
		}
		if k != event.IncidentResolved && (both != e || h.Before(e)) {
			t.Errorf("%s: %s by entries, %s by both", k, e, both)
		}
	}
	for _, k := range []event.Kind{event.PageSent, event.PageUnanswered, event.IncidentSnoozed} {
		if _, n := firstOf(k, hooks); n != 0 {
			t.Errorf("webhooks tell of %s, so both copies would count twice", k)
		}
	}
}

// samples finds the collection of real payloads, which is not part of the repository.
func samples(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("STEWARD_SAMPLES")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "samples")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("STEWARD_CI") == "1" {
			t.Fatalf("the samples must be there: %v", err)
		}
		t.Skip("no samples beside the checkout; STEWARD_SAMPLES names another place")
	}
	return dir
}

// TestRealDeliveries decodes every captured and documented webhook and REST page.
func TestRealDeliveries(t *testing.T) {
	dir := filepath.Join(samples(t), "pagerduty")
	files, err := filepath.Glob(filepath.Join(dir, "webhook_v3*", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no webhooks: %v", err)
	}
	types := map[string]string{ // documented data without its envelope
		"incident": "incident.triggered", "incident_note": "incident.annotated", "incident_responder": "incident.responder.added",
		"incident_status_update": "incident.status_update_published", "incident_task": "incident.task.created",
		"incident_conference_bridge": "incident.conference_bridge.updated", "incident_field_values": "incident.custom_field_values.updated",
		"incident_role_assignment": "incident.role.assigned", "incident_action_invocation": "incident.action_invocation.created",
		"incident_workflow_instance": "incident.workflow.started", "service": "service.updated", "service_field_values": "service.custom_field_values.updated",
	}
	for _, path := range files {
		name := filepath.Base(path)
		body, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "create_") {
			continue // a request of ours to PagerDuty, no delivery
		}
		if strings.HasPrefix(name, "data_") {
			var data struct{ Type string }
			if err := json.Unmarshal(body, &data); err != nil {
				t.Fatal(err)
			}
			body = fmt.Appendf(nil, `{"event":{"id":"01DOC","event_type":%q,"occurred_at":"2026-03-02T09:00:00Z","agent":null,"data":%s}}`, types[data.Type], body)
		}
		events, err := decodePagerDuty(Delivery{Account: "acme", Body: body, Received: received})
		if err != nil || len(events) == 0 && !strings.Contains(name, "ping") {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
		for _, e := range events {
			sound(t, e)
		}
	}
	for _, name := range []string{"incident_log_entries.json", "log_entries.json", "log_entry.json"} {
		body, err := os.ReadFile(filepath.Join(dir, "rest", name))
		if err != nil {
			t.Fatal(err)
		}
		all := importAll(t, format(t, "pagerduty-log-entries"), "acme", body)
		if len(all) != 1 || all[0].err != nil || len(all[0].events) != 1 {
			t.Fatalf("%s: %+v", name, all)
		}
		if e := all[0].events[0]; e.Kind != event.IncidentOpened || !bytes.Contains(e.Data, []byte(`"title":"The server is on fire."`)) || !bytes.Contains(e.Data, []byte(`"service":"pagerduty:acme:PIJ90N7"`)) {
			t.Errorf("%s: %s %s", name, e.Kind, e.Data)
		}
	}
}
