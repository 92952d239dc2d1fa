package drill

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

var zero = time.Date(2026, 3, 14, 2, 0, 0, 0, time.UTC)

func at(s int) time.Time { return zero.Add(time.Duration(s) * time.Second) }

type data = map[string]any

// night is an incident in which Ana is paged, Ben helps, and a note of the next day tells all.
func night() []Event {
	return []Event{
		{Kind: event.ChangeDeployed, At: at(-600), ID: "e00", Service: "billing", Data: data{"service": "billing", "version": "7"}},
		{Kind: event.IncidentOpened, At: at(0), ID: "e01", Service: "checkout", Team: "orders", Data: data{"title": "checkout: errors, ask Ana Ruiz", "severity": "SEV3", "alert_class": "error-rate", "raw": data{"assignee": "ana@example.org"}}},
		{Kind: event.PageSent, At: at(20), ID: "e02", Service: "checkout", Person: "ana@example.org", Data: data{"channel": "push", "level": 1.0, "page": "PAGE-ana@example.org"}},
		{Kind: event.IncidentAcknowledged, At: at(90), ID: "e03", Service: "checkout", Person: "ana@example.org", Data: data{"actor_kind": "user"}},
		{Kind: event.IncidentNoted, At: at(300), ID: "e04", Service: "checkout", Person: "ana@example.org", Data: data{"text": "5xx only on card payments. @ben knows; asked ben@example.org and BEN@example.org, zoe@mail.example.com too; not Bendix, nor Pandora."}},
		{Kind: event.IncidentEscalated, At: at(600), ID: "e05", Service: "checkout", Person: "ana@example.org", Data: data{"cause": "manual", "to": []any{"person:ben@example.org", "policy:P9"}}},
		{Kind: event.IncidentUpdated, At: at(900), ID: "e06", Service: "checkout", Person: "ben@example.org", Data: data{"severity": "SEV2", "service": "billing"}},
		{Kind: event.IncidentNoted, At: at(1500), ID: "e07", Service: "billing", Person: "ben@example.org", Data: data{"text": "Rolling billing back to 6."}},
		{Kind: event.AlertResolved, At: at(1700), ID: "e08", Service: "checkout", Data: data{"alert_class": "error-rate"}},
		{Kind: event.IncidentResolved, At: at(2400), ID: "e09", Service: "billing", Person: "ben@example.org", Data: data{"actor_kind": "user", "reason": "billing 7 lost the card token"}},
		{Kind: event.IncidentNoted, At: at(90000), ID: "e10", Service: "billing", Person: "cleo@example.org", Data: data{"text": "hindsight"}},
		{Kind: event.PageReviewed, At: at(1000), ID: "e11", Person: "cleo@example.org", Data: data{"verdict": "service"}},
	}
}

func options() Options {
	return Options{ID: "card-errors", Incident: "i1", Title: "Card payments fail", Lesson: "Ben found it by asking what changed.", Skills: []string{"hypothesis-debugging"}, Targets: []string{"team:network"},
		Teams:    map[string]string{"person:ben@example.org": "billing"},
		People:   map[string][]string{"ana@example.org": {"Ana Ruiz", "Ana"}, "ben@example.org": {"Ben", "@ben", "pagerduty:acme:PBEN"}, "dora@example.org": {"Dora", "ben"}},
		Decisive: []string{"change-before-600", "note-300"},
		Herrings: []Herring{{Service: "checkout", Why: "it only passes errors on, Ben says"}},
		Decisions: []Decision{{ID: "d1", At: 300, Question: "What next?", Mitigates: true, Real: "a", Options: []Option{
			{ID: "a", Text: "Take billing back", Value: 3, Why: "it changed"}, {ID: "b", Text: "Restart checkout", Value: -1, Why: "it only waits"}}}},
	}
}

func compiled(t *testing.T, events []Event, o Options) Drill {
	t.Helper()
	d, err := Compile(events, o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestCompile(t *testing.T) {
	d := compiled(t, night(), options())
	var ids []string
	for _, c := range d.Cards {
		ids = append(ids, c.ID)
	}
	if want := []string{"change-before-600", "opened-0", "page-20", "ack-90", "note-300", "escalated-600", "update-900", "note-1500", "clear-1700", "resolved-2400"}; !slices.Equal(ids, want) {
		t.Errorf("cards %v", ids)
	}
	six, ten, gap, cleared := int64(600), int64(600), int64(600), int64(1700)
	want := Facts{Service: "billing", EscalatedTo: []string{"team:billing", "policy:P9"}, Escalated: &six, Declared: &ten, Updates: 3, UpdateGap: &gap, Mitigated: &cleared, Resolved: 2400,
		Norm: Norm{Reason: "0 people resolved incidents of this service and alert class; fewer than 5 are no norm"}, Reference: 1700}
	if !reflect.DeepEqual(d.Facts, want) {
		t.Errorf("facts %+v", d.Facts)
	}
	if !slices.Equal(d.Services, []string{"billing", "checkout"}) || !slices.Equal(d.Targets, []string{"policy:P9", "team:billing", "team:network"}) || d.Participants != 2 || d.AlertClass != "error-rate" {
		t.Errorf("%v %v %d %s", d.Services, d.Targets, d.Participants, d.AlertClass)
	}
	if got := d.Cards[5]; got.Person != "responder 1" || got.Summary != "responder 1 escalated to responder 2, policy:P9" {
		t.Errorf("%+v", got)
	}
	texts := map[string]string{}
	for _, x := range d.Texts {
		texts[x.Place] = x.Text
	}
	for place, want := range map[string]string{
		"opened-0.title":       "checkout: errors, ask responder 1",
		"note-300.text":        "5xx only on card payments. responder 2 knows; asked responder 2 and responder 2, [address] too; not Bendix, nor Pandora.",
		"resolved-2400.reason": "billing 7 lost the card token",
	} {
		if texts[place] != want {
			t.Errorf("%s: %q, want %q", place, texts[place], want)
		}
	}
	if d.Lesson != "responder 2 found it by asking what changed." || d.Herrings[0].Why != "it only passes errors on, responder 2 says" {
		t.Errorf("%q %q", d.Lesson, d.Herrings[0].Why)
	}
	body, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"ana@", "@ben", "zoe", "cleo", "ruiz", "hindsight", "assignee", "example.org"} {
		if strings.Contains(strings.ToLower(string(body)), word) {
			t.Errorf("the drill contains %q", word)
		}
	}
}

// The same incident and decisions give the same bytes, whatever the order and the copies,
// and what is written is read back the same.
func TestCompileIsStable(t *testing.T) {
	want, err := compiled(t, night(), options()).Encode()
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(50) {
		events := append(night(), night()[3:7]...)
		rand.New(rand.NewPCG(seed, 1)).Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		got, err := compiled(t, events, options()).Encode()
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: %v\n%s", seed, err, got)
		}
	}
	back, err := Decode(want)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := back.Encode()
	if !bytes.Equal(again, want) || !reflect.DeepEqual(back, compiled(t, night(), options())) {
		t.Error("a drill does not come back as it was written")
	}
	if _, err := Decode(bytes.Replace(want, []byte(`"format": 1`), []byte(`"format": 2`), 1)); err == nil || !strings.Contains(err.Error(), "format:") {
		t.Errorf("another format: %v", err)
	}
}

func decideAll(t *testing.T, o Options) Options {
	t.Helper()
	o.Redactions = map[string]Redaction{}
	for _, x := range compiled(t, night(), options()).Texts {
		o.Redactions[x.Place] = Redaction{Decision: Keep, Of: x.Digest}
	}
	o.Redactions["note-1500.text"] = Redaction{Decision: Drop}
	o.Redactions["opened-0.title"] = Redaction{Decision: Replace, Text: "Errors, ask Ben"}
	return o
}

func TestRedaction(t *testing.T) {
	open := compiled(t, night(), options())
	if left := open.Unpublished(); len(left) != 4 || !strings.HasPrefix(left[0], "texts[opened-0.title]") {
		t.Errorf("%v", left)
	}
	if _, err := Begin(open); err == nil {
		t.Error("an unpublished drill can be played")
	}
	if _, err := Compiled(open, "lead@example.org", at(0)); err == nil {
		t.Error("an unpublished drill can be published")
	}
	d := compiled(t, night(), decideAll(t, options()))
	if left := d.Unpublished(); len(left) != 0 || d.Redactions() != "2 kept, 1 replaced, 1 dropped" {
		t.Errorf("%v %s", left, d.Redactions())
	}
	body, _ := d.Encode()
	if strings.Contains(string(body), "Rolling billing back") || strings.Contains(string(body), `"digest"`) || !strings.Contains(string(body), "Errors, ask responder 2") {
		t.Error("a dropped text is in the drill, or a replacement names somebody")
	}
	e, err := Compiled(d, "lead@example.org", at(99999))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := ReadCompiled(e.Data); err != nil || !reflect.DeepEqual(back, d) {
		t.Errorf("%v", err)
	}
	// A text that changed under its place is not what was read.
	events := night()
	events[4].Data = data{"text": "the customer is Mr Smith"}
	if _, err := Compile(events, decideAll(t, options())); err == nil || !strings.Contains(err.Error(), "redactions[note-300.text].of:") {
		t.Errorf("%v", err)
	}
	for field, r := range map[string]Redaction{"redactions[note-300.text].decision": {Decision: "hide"}, "redactions[note-300.text].text": {Decision: Replace}, "redactions[note-9.text]": {Decision: Drop}} {
		o := options()
		place, _, _ := strings.Cut(strings.TrimPrefix(field, "redactions["), "]")
		o.Redactions = map[string]Redaction{place: r}
		if _, err := Compile(night(), o); err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestCompileNamesTheField(t *testing.T) {
	for field, change := range map[string]func(*Options){
		"id":                            func(o *Options) { o.ID = "" },
		"title":                         func(o *Options) { o.Title = " " },
		"targets[0]":                    func(o *Options) { o.Targets = []string{"person:x"} },
		"decisive[1]":                   func(o *Options) { o.Decisive[1] = "note-301" },
		"herrings[0].service":           func(o *Options) { o.Herrings[0].Service = "billing" },
		"herrings[0].why":               func(o *Options) { o.Herrings[0].Why = "" },
		"decisions[0].at_s":             func(o *Options) { o.Decisions[0].At = 2401 },
		"decisions[0].question":         func(o *Options) { o.Decisions[0].Question = "" },
		"decisions[0].options":          func(o *Options) { o.Decisions[0].Options = o.Decisions[0].Options[:1] },
		"decisions[0].options[1].value": func(o *Options) { o.Decisions[0].Options[1].Value = 9 },
		"decisions[0].options[1].why":   func(o *Options) { o.Decisions[0].Options[1].Why = "" },
		"decisions[0].real":             func(o *Options) { o.Decisions[0].Real = "z" },
		"facts.mitigated_s":             func(o *Options) { m := int64(9999); o.Mitigated = &m },
	} {
		o := options()
		change(&o)
		if _, err := Compile(night(), o); err == nil || !strings.Contains(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := Compile(night()[:9], options()); err == nil || !strings.Contains(err.Error(), "no incident.resolved") {
		t.Errorf("%v", err)
	}
	if _, err := Compile(night()[2:], options()); err == nil || !strings.Contains(err.Error(), "no incident.opened") {
		t.Errorf("%v", err)
	}
}

func TestFacts(t *testing.T) {
	for _, c := range []struct {
		before, after string
		want          bool
	}{{"SEV3", "SEV2", true}, {"P2", "P4", false}, {"", "P1", true}, {"critical", "warning", false}, {"warning", "CRITICAL", true}, {"odd", "P1", false}, {"P1", "P1", false}, {"P2", "", false}} {
		if got := raised(c.before, c.after); got != c.want {
			t.Errorf("raised(%q, %q) = %v", c.before, c.after, got)
		}
	}
	events := night()
	events[5].Data = data{"cause": "timeout", "to": []any{"team:billing"}}
	d := compiled(t, events, options())
	if d.Facts.Escalated != nil || *d.Facts.Declared != 900 || len(d.Facts.EscalatedTo) != 0 {
		t.Errorf("a timeout counts as a decision: %+v", d.Facts)
	}
}

func TestNorm(t *testing.T) {
	o := options()
	for i, s := range []int64{100, 200, 300, 400, 500} {
		o.Past = append(o.Past, Past{string(rune('a' + i)), "billing", "error-rate", s})
	}
	// Other services and classes do not count, and who was there often counts once.
	o.Past = append(o.Past, Past{"z", "checkout", "error-rate", 1}, Past{"y", "billing", "disk", 1}, Past{"a", "billing", "error-rate", 900}, Past{"a", "billing", "error-rate", 950})
	d := compiled(t, night(), o)
	if want := (Norm{N: 5, Q1: 300, Median: 400, Q3: 500}); d.Facts.Norm != want || d.Facts.Reference != 400 {
		t.Errorf("%+v, reference %d", d.Facts.Norm, d.Facts.Reference)
	}
	body, _ := json.Marshal(d.Facts.Norm)
	if string(body) != `{"n":5,"q1_s":300,"median_s":400,"q3_s":500}` {
		t.Errorf("%s", body)
	}
	o.Past = o.Past[1:5]
	if d = compiled(t, night(), o); d.Facts.Norm.Median != 0 || d.Facts.Norm.Reason == "" || d.Facts.Reference != 1700 {
		t.Errorf("%+v", d.Facts.Norm)
	}
}
