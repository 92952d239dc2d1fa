package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/ingest/source"
)

// newVault has a table of its own, of nobody yet.
func newVault(t testing.TB) *identity.Vault {
	t.Helper()
	dir, err := os.MkdirTemp("", "steward-vault") // rapid's T has none
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return vaultIn(t, dir)
}

func vaultIn(t testing.TB, dir string) *identity.Vault {
	t.Helper()
	path := filepath.Join(dir, "identity.jsonl")
	key, err := identity.FileKey(path)
	if err != nil {
		t.Fatal(err)
	}
	f := identity.File(path)
	v, err := identity.Open(context.Background(), f, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return v
}

// nowhere is a journal that keeps nothing.
type nowhere struct{}

func (nowhere) Load(context.Context, func(identity.Record) error) error { return nil }
func (nowhere) Append(context.Context, []identity.Record) error         { return nil }
func (nowhere) Erase(context.Context, []string) error                   { return nil }

// sealed seals a copy and makes the vault learn.
func sealed(t testing.TB, v *identity.Vault, e event.Event) event.Event {
	t.Helper()
	var people []identity.Entry
	seal(v, &e, &people)
	if err := v.Register(context.Background(), people...); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSeal(t *testing.T) {
	v := newVault(t)
	ana, pd := v.Token("ana@example.org"), v.Token("pagerduty:acme:PANA1")
	name := v.NameToken("pagerduty:acme:PANA1", "Ana Lima")
	for _, c := range []struct {
		name    string
		kind    event.Kind
		subject string
		in      string
		want    string // with {ana}, {pd} and {name} for their tokens
	}{
		{"person", event.IncidentAcknowledged, "i", `{"incident":"i","person":"Ana@Example.org","actor_kind":"user"}`, `{"incident":"i","person":"{ana}","actor_kind":"user"}`},
		{"an opaque id", event.IncidentAcknowledged, "i", `{"person":"pagerduty:acme:PANA1"}`, `{"person":"{pd}"}`},
		{"white space", event.IncidentAcknowledged, "i", "{ \"person\" :\t\"ana@example.org\" ,\n\"by\": \"\" , \"x\":[ ] } ", "{ \"person\" :\t\"{ana}\" ,\n\"by\": \"\" , \"x\":[ ] } "},
		{"escapes", event.IncidentAcknowledged, "i", `{"per\u0073on":"ana\u0040example.org","text":"\"ana@example.org\"\nana@example.org"}`, `{"per\u0073on":"{ana}","text":"\"{ana}\"\u000a{ana}"}`},
		{"targets", event.IncidentEscalated, "i", `{"to":["person:Ana@example.org","team:payments","policy:ana@example.org"],"from":"ana@example.org"}`, `{"to":["person:{ana}","team:payments","policy:{ana}"],"from":"{ana}"}`},
		{"one target", event.IncidentReassigned, "i", `{"to":"person:pagerduty:acme:PANA1","from":"pagerduty:acme:PANA1"}`, `{"to":"person:{pd}","from":"{pd}"}`},
		{"a policy", event.PolicyPublished, "p", `{"policy":"p","levels":[{"targets":[{"person":"ana@example.org"},{"schedule":"s"}]}]}`, `{"policy":"p","levels":[{"targets":[{"person":"{ana}"},{"schedule":"s"}]}]}`},
		{"a shift", event.ShiftPlanned, "rota/1/ana@example.org/2026", `{"shift":"rota/1/ana@example.org/2026","person":"ana@example.org","schedule":"rota"}`, `{"shift":"rota/1/{ana}/2026","person":"{ana}","schedule":"rota"}`},
		{"things", event.TeamDescribed, "t", `{"team":"t","name":"Ana Lima","contact":"payments@example.org","parent":"x@example.org"}`, `{"team":"t","name":"Ana Lima","contact":"payments@example.org","parent":"x@example.org"}`},
		{"text", event.IncidentNoted, "i", `{"text":"ask (ana@example.org). or 'ana@example.org'!","title":"ana@example.org"}`, `{"text":"ask ({ana}). or '{ana}'!","title":"{ana}"}`},
		{"a title", event.IncidentOpened, "i", `{"incident":"i","title":"Disk of Ana@example.org is \"full\"","description":"ask ana\u0040example.org","service":"ana@example.org"}`, `{"incident":"i","title":"Disk of {ana} is \"full\"","description":"ask {ana}","service":"ana@example.org"}`},
		{"a title with a name", event.IncidentUpdated, "pagerduty:acme:Q1", `{"title":"Laptop of Ana Lima","raw":{"assignees":[{"id":"PANA1","type":"user_reference","summary":"Ana Lima"}]}}`, `{"title":"Laptop of {name}","raw":{"assignees":[{"id":"{id}","type":"user_reference","summary":"{name}"}]}}`},
		{"a description", event.ServiceDescribed, "s", `{"service":"s","name":"S","description":"ana@example.org knows","contact":"ana@example.org"}`, `{"service":"s","name":"S","description":"{ana} knows","contact":"ana@example.org"}`},
		{"a stranger's member", event.AlertFired, "a", `{"labels":{"owner":"ana@example.org","ana@example.org":1}}`, `{"labels":{"owner":"{ana}","{ana}":1}}`},
		{"an audit", event.AuditRecorded, "a", `{"by":"ana@example.org","action":"x","target":"person:ana@example.org"}`, `{"by":"{ana}","action":"x","target":"person:{ana}"}`},
		{"a view", event.ViewRecorded, "ana@example.org", `{"person":"ana@example.org","by":"pagerduty:acme:PANA1","what":"page"}`, `{"person":"{ana}","by":"{pd}","what":"page"}`},
		{
			"a reference", event.IncidentAcknowledged, "pagerduty:acme:Q1",
			`{"person":"pagerduty:acme:PANA1","raw":{"agent":{"id":"PANA1","type":"user_reference","summary":"Ana Lima"},"summary":"Acknowledged by Ana Lima","say":"\"Ana Lima\"","other":"Ana Limas","service":{"id":"S","summary":"Ana"}}}`,
			`{"person":"{pd}","raw":{"agent":{"id":"{id}","type":"user_reference","summary":"{name}"},"summary":"Acknowledged by {name}","say":"\"{name}\"","other":"Ana Limas","service":{"id":"S","summary":"Ana"}}}`,
		},
		{"sealed before", event.IncidentAcknowledged, "i", `{"person":"{ana}","to":"person:{ana}","text":"{ana}","raw":{"agent":{"id":"{id}","type":"user","summary":"{name}","html_url":"{name}"}}}`, `{"person":"{ana}","to":"person:{ana}","text":"{ana}","raw":{"agent":{"id":"{id}","type":"user","summary":"{name}","html_url":"{name}"}}}`},
		{"other shapes", event.IncidentNoted, "i", `{"person":{"by":"ana@example.org"},"by":null,"to":[["ana@example.org"],7,null],"aliases":{},"name":1,"raw":"ana@example.org"}`, `{"person":{"by":"{ana}"},"by":null,"to":[["{ana}"],7,null],"aliases":{},"name":1,"raw":"{ana}"}`},
		{"a person called 12", event.IncidentNoted, "i", `{"person":"12","x":[12,"12"],"manager":"null","y":[null,"a12"]}`, `{"person":"` + v.Token("12") + `","x":[12,"12"],"manager":"` + v.Token("null") + `","y":[null,"a12"]}`},
		{"no JSON", event.IncidentNoted, "i", `{"person":"ana@example.org"`, `{"person":"ana@example.org"`},
	} {
		tokens := strings.NewReplacer("{ana}", ana, "{pd}", pd, "{name}", name, "{id}", v.NameToken("pagerduty:acme:PANA1", "PANA1"))
		in, want := tokens.Replace(c.in), tokens.Replace(c.want)
		e := event.Event{Kind: c.kind, Subject: c.subject, Key: c.subject, Data: json.RawMessage(in)}
		got := sealed(t, v, e)
		if string(got.Data) != want {
			t.Errorf("%s: %s\n  got  %s\n  want %s", c.name, in, got.Data, want)
		}
		if string(e.Data) != in {
			t.Errorf("%s: the bytes given were written to", c.name)
		}
		if strings.Contains(got.Subject+got.Key, "@") || got.Key != got.Subject {
			t.Errorf("%s: subject %s, key %s", c.name, got.Subject, got.Key)
		}
		again := sealed(t, v, got)
		if !bytes.Equal(again.Data, got.Data) || again.Subject != got.Subject {
			t.Errorf("%s: sealing twice gives %s", c.name, again.Data)
		}
	}
}

// A foreign id that holds an address is replaced whole, and the same way every time, with the
// key that is made of it. All others stay.
func TestSealID(t *testing.T) {
	v := newVault(t)
	for _, id := range []string{"1", "38888888888888888888888888888888888888", "a@b", "@example.org", "user@host", "~p@x", "é"} {
		if e := sealed(t, v, event.Event{ID: id, Kind: event.IncidentNoted, Data: []byte(`{}`)}); e.ID != id {
			t.Errorf("%q became %q", id, e.ID)
		}
	}
	seen := map[string]bool{}
	for _, id := range []string{"ana@example.org", "Ana@example.org", "ana@example.org-1", "ticket/7/ana@example.org", "<CAF+x=1@mail.example.org>"} {
		e := event.Event{ID: id, Key: id, Kind: event.IncidentNoted, Data: []byte(`{"text":"x"}`)}
		got := sealed(t, v, e)
		if !strings.HasPrefix(got.ID, "sealed-") || len(got.ID) != len("sealed-")+24 || got.Key != got.ID || seen[got.ID] || e.ID != id {
			t.Errorf("%q became %q with the key %q", id, got.ID, got.Key)
		}
		seen[got.ID] = true
		if again := sealed(t, v, e); again.ID != got.ID {
			t.Errorf("%q is %q and %q", id, got.ID, again.ID)
		}
		if again := sealed(t, v, got); again.ID != got.ID || again.Key != got.Key {
			t.Errorf("%q sealed again is %q", got.ID, again.ID)
		}
		if _, err := v.Find(id); err == nil {
			t.Errorf("%q has become a person", id)
		}
	}
	e := event.Event{ID: "ana@example.org", Key: "ana@example.org", Subject: "ana@example.org", Kind: event.IncidentNoted, Data: []byte(`{}`)}
	if got := sealed(t, v, e); got.Key != got.Subject || got.Subject != v.Token("ana@example.org") || !strings.HasPrefix(got.ID, "sealed-") {
		t.Errorf("a subject that is the id too: %+v", got)
	}
	if e := (event.Event{ID: "ana@example.org", Data: []byte(`{}`)}); seal(nil, &e, nil) || e.ID != "ana@example.org" {
		t.Error("sealed without a vault")
	}
}

func TestSealDescribed(t *testing.T) {
	v := newVault(t)
	e := event.Event{Kind: event.PersonDescribed, Subject: "ana@example.org", Key: "ana@example.org", Extensions: []byte(`"who":"ana@example.org"`),
		Data: []byte(`{"aliases":["slack:U1","Ana.Lima@example.org"],"name":"Ana \"A\" Lima","manager":"bo@example.org","person":"ana@example.org"}`)}
	got := sealed(t, v, e)
	for _, plain := range []string{"slack", "Lima", "example"} {
		if strings.Contains(string(got.Data)+got.Subject+got.Key+string(got.Extensions), plain) {
			t.Errorf("%s is in the event: %s", plain, got.Data)
		}
	}
	p, err := v.Find("slack:U1")
	if err != nil || !reflect.DeepEqual(p.IDs, []string{"ana.lima@example.org", "ana@example.org", "slack:U1"}) || !reflect.DeepEqual(p.Names, []string{`Ana "A" Lima`}) {
		t.Errorf("what is known of the person: %+v, %v", p, err)
	}
	if v.Reveal(string(got.Extensions)) != string(e.Extensions) {
		t.Errorf("extensions: %s", got.Extensions)
	}
}

// Revealed, a sealed document is the one it was, whatever was in it; and sealing is a
// function of its input.
func TestSealRoundTrip(t *testing.T) {
	v := newVault(t)
	texts := []string{
		"ana@example.org", "bo@example.org", "o'brien+x@sub.example.co", "Ana Lima", "Zoë \"Z\"", "pagerduty:acme:PANA1", "PANA1", "ask ana@example.org, not Bo",
		"user", "user_reference", "team", "\u2028\n\t", "@", "@@a.b", "x@y", "日本ana@example.org語", "12", "null", "true", "", "~p", "~pabc", "a\\b", "é", "e",
		"rota-ana@example.org-2025", "https://x/u/PANA1", "person:ana@example.org", "person:", "team:payments", "mañana@example.org",
	}
	keys := []string{"person", "by", "manager", "to", "from", "target", "aliases", "name", "text", "note", "raw", "levels", "shift", "title", "x", "type", "id", "summary", "email", "html_url", "user", "assignees", "address", "notification", "assigned_to", "ana@example.org", "k\"\n"}
	text := rapid.OneOf(rapid.SampledFrom(texts), rapid.String(), rapid.Map(rapid.SliceOfN(rapid.SampledFrom(texts), 1, 3), func(p []string) string { return strings.Join(p, " ") }))
	kinds := event.Kinds()
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		scalar := rapid.OneOf(rapid.Map(text, func(s string) any { return strings.ToLower(s) }), rapid.SampledFrom([]any{nil, true, 12.0, 1e5, -3.0}))
		if depth == 0 {
			return scalar
		}
		return rapid.OneOf(scalar,
			rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 3), func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(rapid.SampledFrom(keys), rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 5), func(m map[string]any) any { return m }))
	}
	rapid.Check(t, func(t *rapid.T) {
		doc := rapid.MapOfN(rapid.SampledFrom(keys), value(3), 0, 6).Draw(t, "data")
		data, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "plain escapes") {
			data = bytes.ReplaceAll(data, []byte("@"), []byte(`\u0040`))
		}
		e := event.Event{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Subject: rapid.SampledFrom([]string{"pagerduty:acme:Q1", "ana@example.org", ""}).Draw(t, "subject"), Data: data}
		var people []identity.Entry
		once := e
		seal(v, &once, &people)
		if err := v.Register(context.Background(), people...); err != nil {
			t.Fatal(err)
		}
		again := e
		seal(v, &again, &people)
		if !bytes.Equal(once.Data, again.Data) || once.Subject != again.Subject {
			t.Fatalf("the same input gave\n%s\n%s", once.Data, again.Data)
		}
		var back any
		if err := json.Unmarshal([]byte(v.RevealJSON(string(once.Data))), &back); err != nil {
			t.Fatalf("%v in %s\nfrom %s", err, v.RevealJSON(string(once.Data)), data)
		}
		var want any
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, want) {
			t.Fatalf("sealed   %s\nrevealed %s\nwas      %s", once.Data, v.RevealJSON(string(once.Data)), data)
		}
		twice := once
		seal(v, &twice, &people)
		if !bytes.Equal(twice.Data, once.Data) {
			t.Fatalf("sealed again\n%s\nis not\n%s\nof %s", twice.Data, once.Data, data)
		}
	})
}

// captured decodes every delivery in testdata.
func captured(t testing.TB) []event.Event {
	t.Helper()
	names, err := filepath.Glob("source/testdata/pagerduty/*.json")
	if err != nil || len(names) < 30 {
		t.Fatalf("%d captured deliveries: %v", len(names), err)
	}
	var out []event.Event
	for _, name := range names {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range source.Webhooks() {
			if f.Name != "pagerduty" {
				continue
			}
			events, err := decode(f, source.Delivery{Account: "acme", Body: body, Received: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)})
			if err != nil {
				continue // those that are there to be refused
			}
			out = append(out, events...)
		}
	}
	return out
}

func TestSealCaptured(t *testing.T) {
	v := newVault(t)
	events := captured(t)
	if len(events) < 30 {
		t.Fatalf("only %d events", len(events))
	}
	for _, e := range events {
		got := sealed(t, v, e)
		for _, plain := range []string{"Ana", "Lima", "Quist", "PANA001", "PBOB002", "Shop.example", "shop.example"} {
			if i := strings.Index(string(got.Data)+got.Subject+got.Key, plain); i >= 0 {
				t.Errorf("%s: %s is in the event: …%s", e.Kind, plain, got.Data[max(0, i-80):min(len(got.Data), i+40)])
			}
		}
		var was, back any
		if json.Unmarshal(e.Data, &was) != nil || json.Unmarshal([]byte(v.RevealJSON(string(got.Data))), &back) != nil || !strings.EqualFold(fmt.Sprint(was), fmt.Sprint(back)) {
			t.Errorf("revealed, the event differs: %s", v.RevealJSON(string(got.Data)))
		}
		if _, err := event.Decode(e.Kind, got.Data, unmarshal); err != nil {
			t.Errorf("sealed, the event is not one: %v", err)
		}
	}
}

// Whatever the bytes are, sealing neither panics nor makes JSON of something else, and what
// was JSON is the same when it is revealed.
func FuzzSeal(f *testing.F) {
	for _, e := range captured(f) {
		f.Add([]byte(e.Data), e.Subject)
	}
	for _, s := range []string{`{`, `{"`, `{"a":"\`, `{"person":"a@b.c","raw":{"id":`, `{"to":[`, `{"to":["person:a@b.c",]}`, `{"raw":{"assignees":[{"id":"PX1","summary":"\"x\""}]}}`, "{\"text\":\"a@b.c\xff\"}"} {
		f.Add([]byte(s), "tool:acme:1")
	}
	v, err := identity.Open(f.Context(), nowhere{}, make([]byte, identity.KeySize)) // a sync for every input would be slow
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte, subject string) {
		e := event.Event{Kind: event.PersonDescribed, Subject: subject, Key: subject, Data: bytes.Clone(data)}
		valid := scanObject(data, nil) == nil
		got := sealed(t, v, e)
		if !bytes.Equal(e.Data, data) {
			t.Fatal("the input was written to")
		}
		if !valid || bytes.Contains(data, []byte("~p")) {
			return
		}
		if err := scanObject(got.Data, nil); err != nil {
			t.Fatalf("%v: %s", err, got.Data)
		}
		var was, back any
		if json.Unmarshal(data, &was) != nil { // a number that no float holds
			return
		}
		if err := json.Unmarshal([]byte(v.RevealJSON(string(got.Data))), &back); err != nil {
			t.Fatal(err)
		}
		if a, b := strings.ToLower(fmt.Sprint(was)), strings.ToLower(fmt.Sprint(back)); a != b { // as addresses are
			t.Fatalf("%s became %s", a, b)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	v := newVault(b)
	hot := sample("seal", 4)
	raw := captured(b)
	ack := raw[0]
	for name, e := range map[string]event.Event{"opened": hot[0], "acknowledged": hot[1], "escalated": hot[2], "noted": hot[3], "pagerduty-acknowledged": ack} {
		again := sealed(b, v, e)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(e.Data)))
			for b.Loop() {
				copied := e
				var people []identity.Entry
				seal(v, &copied, &people)
				if len(people) > 0 {
					b.Fatal("not known")
				}
			}
		})
		b.Run(name+"-sealed", func(b *testing.B) {
			for b.Loop() {
				copied := again
				var people []identity.Entry
				seal(v, &copied, &people)
			}
		})
		b.Run(name+"-marshal", func(b *testing.B) {
			for b.Loop() {
				MarshalCloudEvent(again)
			}
		})
	}
}

// BenchmarkPublishCPU prints what the publisher costs a processor for each event, the
// embedded broker included, with and without a vault.
func BenchmarkPublishCPU(b *testing.B) {
	hot, raw := sample("cpu", 1000), captured(b)
	for len(raw) < 1000 {
		raw = append(raw, raw...)
	}
	for name, events := range map[string][]event.Event{"hot": hot, "pagerduty": raw[:1000]} {
		for _, v := range []*identity.Vault{nil, newVault(b)} {
			b.Run(fmt.Sprint(name, "-sealed-", v != nil), func(b *testing.B) {
				w := newWorld(b, false, 2)
				pub, err := NewPublisher(PublisherConfig{Brokers: w.broker.Addrs(), Topic: w.topic, Vault: v})
				if err != nil {
					b.Fatal(err)
				}
				defer pub.Close()
				n := 0
				var before, after syscall.Rusage
				for b.Loop() {
					if n++; n == 2 { // everybody is known, connections are made
						_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
					}
					if err := pub.Publish(context.Background(), events...); err != nil {
						b.Fatal(err)
					}
				}
				_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
				if n > 1 {
					spent := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
					b.ReportMetric(float64(spent)/float64((n-1)*len(events)), "cpu-ns/event")
				}
			})
		}
	}
}
