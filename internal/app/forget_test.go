package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/simulate"
)

// people of the history below, in every form they have at a source.
var everyForm = []string{
	"ana.lima@shop.example", "ana.lima@Shop.example", "Ana.Lima@Shop.example", "Ana Lima", "Bo Quist", "PANA001", "PBOB002", "slack:UANA",
	"bo@shop.example", "lead@shop.example", "+15550100",
}

// aHistory has one event of every kind, each with people wherever its data can name them.
func aHistory(t *testing.T) []event.Event {
	t.Helper()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var out []event.Event
	for _, kind := range event.Kinds() {
		data := map[string]any{
			"incident": "pagerduty:default:QKLT0000000042", "title": "Slow", "actor_kind": "user", "cause": "manual", "until": "2026-03-03T09:00:00Z",
			"into": "pagerduty:default:Q2", "page": "p1", "channel": "push", "fingerprint": "f", "starts_at": "2026-03-02T09:00:00Z", "verdict": "service",
			"service": "checkout", "name": "Ana Lima", "team": "payments", "check": "runbook", "policy": "day", "schedule": "rota", "start": "2026-03-02T09:00:00Z",
			"end": "2026-03-02T17:00:00Z", "skill": "sql", "basis": "rule", "kind": "drill", "ref": "r", "rule_version": 1, "evidence": "e/Ana.Lima@Shop.example",
			"assignment": "a1", "module": "m", "question": "q", "correct": true, "drill": "d", "attempt": "t", "offset_s": 1, "action": "asked ana.lima@shop.example",
			"what": "page", "report": "r", "metrics": []string{"mtta"}, "params": map[string]any{"person": "bo@shop.example"}, "digest": "x", "rollout": "r", "seed": 1, "metric": "mtta", "window": "w",
			"person": "Ana.Lima@Shop.example", "by": "lead@shop.example", "to": []string{"person:bo@shop.example", "team:payments"}, "from": "person:ana.lima@shop.example",
			"text": "told bo@shop.example", "note": "see Ana.Lima@Shop.example", "reason": "administrative", "target": "person:bo@shop.example",
			"booking": "b", "shared": true, "recommendation": "m", "reminder": "n", "reminders": "on", "address": "none",
		}
		subject := fmt.Sprint("subject of ", kind)
		switch kind {
		case event.PersonForgotten:
			continue // nobody is, yet
		case event.PersonDescribed:
			data["aliases"], data["manager"], subject = []string{"slack:UANA", "pagerduty:default:PANA001"}, "lead@shop.example", "Ana.Lima@Shop.example"
		case event.ServiceDescribed, event.TeamDescribed:
			data["name"] = "Payments"
		case event.PolicyPublished:
			data["levels"] = []any{map[string]any{"targets": []any{map[string]any{"person": "bo@shop.example"}, map[string]any{"schedule": "rota"}}, "timeout_minutes": 5}}
		case event.ShiftPlanned, event.ShiftWorked:
			subject = "rota/1/ana.lima@shop.example/2026-03-02"
			data["shift"] = subject
		}
		if kind != event.PersonDescribed && kind != event.ServiceDescribed && kind != event.TeamDescribed {
			delete(data, "name")
		}
		if !strings.HasPrefix(string(kind), "incident.") || kind == event.IncidentOpened {
			delete(data, "reason")
			if kind == event.ExemptionGranted || kind == event.EvidenceVoided || kind == event.TrainingWaived || kind == event.RecommendationDismissed {
				data["reason"] = "administrative"
			}
		}
		if kind.Type() != "" && !strings.HasPrefix(string(kind), "drill.") {
			delete(data, "drill")
		}
		e, err := event.New("/steward", kind, subject, string(kind), at, data)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		out = append(out, e)
	}
	return out
}

// plainOnDisk looks for texts in every file of a directory, as they are.
func plainOnDisk(t *testing.T, dir string, texts []string, except ...string) {
	t.Helper()
	read := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || slices.Contains(except, d.Name()) {
			return err
		}
		body, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // merged away
		}
		if err != nil {
			return err
		}
		read += len(body)
		for _, text := range texts {
			if bytes.Contains(body, []byte(text)) {
				t.Errorf("%s holds %q", path, text)
			}
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Fatalf("%d bytes read: %v", read, err)
	}
}

// rowsOf runs a query of one text column and one number.
func rowsOf(t *testing.T, c *Core, sql string) map[string]uint64 {
	t.Helper()
	rows, err := c.DB.Query(t.Context(), "test", sql)
	if err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
	defer rows.Close()
	out := map[string]uint64{}
	for rows.Next() {
		var k string
		var n uint64
		if err := rows.Scan(&k, &n); err != nil {
			t.Fatal(err)
		}
		out[k] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// plainInTables looks for texts in every column of every table that can hold one.
func plainInTables(t *testing.T, c *Core, texts []string, except ...string) {
	t.Helper()
	columns := rowsOf(t, c, "SELECT concat(table, '.', name), toUInt64(position) FROM system.columns WHERE database = currentDatabase() AND (type LIKE '%String%') AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')")
	if len(columns) < 30 {
		t.Fatalf("only %d columns are looked at", len(columns))
	}
	var list []string
	for _, text := range texts {
		list = append(list, "'"+text+"'")
	}
	for column := range columns {
		table, name, _ := strings.Cut(column, ".")
		if slices.Contains(except, table) {
			continue
		}
		found := rowsOf(t, c, fmt.Sprintf("SELECT toString(`%s`) AS v, toUInt64(1) AS n FROM `%s` WHERE arrayExists(x -> position(v, x) > 0, [%s]) LIMIT 3", name, table, strings.Join(list, ",")))
		for v := range found {
			t.Errorf("%s holds %.300s", column, v)
		}
	}
}

func TestForget(t *testing.T) {
	dir := t.TempDir()
	a, _, stop := boot(t, Config{Data: dir, Dev: true})
	c := a.core
	ctx := t.Context()
	if err := c.Publisher.Publish(ctx, aHistory(t)...); err != nil {
		t.Fatal(err)
	}
	deliveries, err := filepath.Glob("../../ingest/source/testdata/pagerduty/*.json")
	if err != nil || len(deliveries) < 30 {
		t.Fatal(len(deliveries), err)
	}
	for _, name := range deliveries {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		stats, err := c.Import(ctx, ImportRequest{Format: "pagerduty-webhooks", Reader: bytes.NewReader(bytes.ReplaceAll(body, []byte("\n"), []byte(" ")))})
		if err != nil || stats.Quarantined > 0 {
			t.Fatalf("%s: %+v, %v", name, stats, err)
		}
	}
	if _, err := c.Import(ctx, ImportRequest{Format: "pagerduty-log-entries", Reader: strings.NewReader(
		`{"id":"R1","type":"notify_log_entry","summary":"Notified Ana Lima","created_at":"2026-03-02T09:00:01Z","channel":{"type":"auto","notification":{"type":"phone","address":"+15550100","status":"success"}},` +
			`"incident":{"id":"Q42","type":"incident_reference"},"user":{"id":"PANA001","type":"user_reference","summary":"Ana Lima"}}` + "\n")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Sink.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	plainInTables(t, c, everyForm)
	plainOnDisk(t, filepath.Join(dir, "log"), everyForm)
	plainOnDisk(t, filepath.Join(dir, "engine"), everyForm)

	counts := func() map[string]uint64 {
		all := rowsOf(t, c, "SELECT toString(kind), uniqExact((source, id)) FROM events WHERE kind NOT IN ('person.forgotten', 'audit.recorded') GROUP BY kind")
		for k, n := range rowsOf(t, c, "SELECT person, count() FROM events WHERE kind NOT IN ('person.forgotten', 'audit.recorded') GROUP BY person") {
			all["person "+k] = n
		}
		for k, n := range rowsOf(t, c, "SELECT concat('day ', toString(day)), uniqExact(incident) FROM incident GROUP BY day") {
			all[k] = n
		}
		return all
	}
	before := counts()
	token := c.Vault.Token("ana.lima@shop.example")
	if before["person "+token] < 10 || c.Vault.Reveal(token) != "ana.lima@shop.example" {
		t.Fatalf("%d events of the person, who is %s", before["person "+token], c.Vault.Reveal(token))
	}

	// Quarantined: one two with the person, after an escape and in capitals, two without.
	for _, body := range []string{`{"x": "\nAna Lima"`, `{"x": "ANA.LIMA@shop.example`, `{"x": "Ana Limanova lana.lima@shop.example"`, `{`} {
		if err := c.Publisher.PublishPoison(ctx, ingest.Poison{Source: "cloudevents", Account: "default", Reason: "test", Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Sink.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	quarantined := rowsOf(t, c, "SELECT 'n', count() FROM quarantine")["n"]

	post := func(body string) (int, string) {
		resp, err := http.Post(a.URL()+"/api/v1/forget", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		return resp.StatusCode, b.String()
	}
	for body, want := range map[string]int{`{}`: 400, `{"person":1}`: 400, `[`: 400, `{"person":"x","y":1}`: 400, `{"person":"nobody@shop.example"}`: 404} {
		if code, text := post(body); code != want || strings.Contains(text, "shop.example") {
			t.Errorf("%s: %d %s", body, code, text)
		}
	}
	code, text := post(`{"person":"slack:UANA"}`) // by an alias
	var done ForgetResult
	if err := json.Unmarshal([]byte(text), &done); err != nil || code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	if done.Person != token || done.Texts < 4 || done.Quarantined != 2 || done.Plain != 0 {
		t.Errorf("forgetting came to %+v", done)
	}
	if left := rowsOf(t, c, "SELECT 'n', count() FROM quarantine")["n"]; left != quarantined-2 {
		t.Errorf("%d quarantined records are left of %d", left, quarantined)
	}
	anas := []string{"ana.lima@", "Ana.Lima@", "Ana Lima", "PANA001", "UANA", "+15550100"}
	plainInTables(t, c, anas, "quarantine") // it holds somebody of a similar name
	if text, err := os.ReadFile(filepath.Join(dir, "identity.jsonl")); err != nil || !bytes.Contains(text, []byte("bo@shop.example")) {
		t.Errorf("the identity table is not where it is looked for: %v", err)
	}
	// The log still holds the poison until it is trimmed, and the engine for some minutes
	// the part that the mutation replaced.
	plainOnDisk(t, dir, anas, filesOf(t, filepath.Join(dir, "log"), filepath.Join(dir, "engine"))...)
	if now := counts(); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Errorf("the numbers changed:\n%v\n%v", before, now)
	}
	if got := c.Vault.Reveal(token); !strings.HasPrefix(got, "former-") {
		t.Errorf("the person is still %s", got)
	}
	if c.Vault.Reveal(c.Vault.Token("bo@shop.example")) != "bo@shop.example" {
		t.Error("somebody else is forgotten too")
	}
	if n := rowsOf(t, c, "SELECT person, uniqExact((source, id)) FROM events WHERE kind = 'person.forgotten' GROUP BY person"); len(n) != 1 || n[token] != 1 {
		t.Errorf("the fact is not in the log: %v", n)
	}

	// The same address later: the same token, unreadable, also after a restart.
	late := simulateNote(t, "Ana.Lima@Shop.example")
	if err := c.Publisher.Publish(ctx, late); err != nil {
		t.Fatal(err)
	}
	if err := c.Sink.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, c, "SELECT person, uniqExact((source, id)) FROM events WHERE kind != 'audit.recorded' GROUP BY person")[token]; n != before["person "+token]+2 {
		t.Errorf("%d events are the person's, want the late one and the forgetting more than %d", n, before["person "+token])
	}
	stop()
	local := target(t, dir)
	if again, err := local.Forget(ctx, "ana.lima@shop.example"); err != nil || again.Texts != 0 || again.Person != token || again.Plain != 0 {
		t.Errorf("forgetting once more: %+v, %v", again, err)
	}
}

// filesOf names the files of directories.
func filesOf(t *testing.T, dirs ...string) (names []string) {
	t.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				names = append(names, d.Name())
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func simulateNote(t *testing.T, person string) event.Event {
	t.Helper()
	e, err := event.New("/import/late", event.IncidentNoted, "late", "late", time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), map[string]any{"incident": "late", "person": person, "text": "by " + person})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Who forgot somebody is in the audit log, and whom, as the token that stays: recorded before
// anything is forgotten, and without the name that was to go.
func TestForgettingIsRecorded(t *testing.T) {
	dir := t.TempDir()
	a, _, stop := boot(t, Config{Data: dir, Dev: true})
	for _, who := range []string{"ana@example.org", "bo@example.org"} {
		if err := a.core.Publisher.Publish(t.Context(), simulateNote(t, who)); err != nil {
			t.Fatal(err)
		}
	}
	ana, bo := a.core.Vault.Token("ana@example.org"), a.core.Vault.Token("bo@example.org")
	for body, want := range map[string]int{`{"person":"ana@example.org"}`: 200, `{"person":"nobody@example.org"}`: 404} {
		if code, _, text := present(t, "POST", a.URL()+"/api/v1/forget", "", body, "Steward-View-As", "admin"); code != want {
			t.Errorf("%s: %d %s", body, code, text)
		}
	}
	forgotten := func(c *Core) (list []string) {
		for act := range acts(t, c) {
			if strings.HasPrefix(act, "forget ") {
				_, of, _ := strings.Cut(act, " of ")
				list = append(list, of)
			}
		}
		slices.Sort(list)
		return list
	}
	if got := forgotten(a.core); !slices.Equal(got, []string{ana}) || acts(t, a.core)["forget by development:a admin of "+ana] != 1 {
		t.Errorf("the audit log: %v", acts(t, a.core))
	}
	stop()
	found := target(t, dir)
	if _, err := found.Forget(t.Context(), "bo@example.org"); err != nil {
		t.Fatal(err)
	}
	want := []string{ana, bo}
	slices.Sort(want)
	c := found.(*local).core
	if got := forgotten(c); !slices.Equal(got, want) {
		t.Errorf("the command's: %q, want %q", got, want)
	}
	// What cannot be recorded is not done.
	if err := c.Publisher.Publish(t.Context(), simulateNote(t, "cy@example.org")); err != nil {
		t.Fatal(err)
	}
	no := errors.New("the log is full")
	if _, err := c.Forget(t.Context(), "cy@example.org", func(string) error { return no }); !errors.Is(err, no) || c.Vault.Reveal(c.Vault.Token("cy@example.org")) != "cy@example.org" {
		t.Errorf("unrecorded: %v, and they are %s", err, c.Vault.Reveal(c.Vault.Token("cy@example.org")))
	}
}

// Events from before there was a table are counted and said.
func TestForgetSaysWhatIsLeft(t *testing.T) {
	found := target(t, t.TempDir())
	c := found.(*local).core
	old := simulateNote(t, "ana@example.org")
	if err := ingest.InsertDirect(t.Context(), c.DB, []event.Event{old}); err != nil {
		t.Fatal(err)
	}
	var usage *UsageError
	if _, err := found.Forget(t.Context(), "ana@example.org"); !errors.As(err, &usage) {
		t.Errorf("nobody knows them yet: %v", err)
	}
	if err := c.Publisher.Publish(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	done, err := found.Forget(t.Context(), "ana@example.org")
	if err != nil || done.Plain != 1 || !strings.Contains(done.Warning(), "1 stored event") {
		t.Errorf("%+v, %q, %v", done, done.Warning(), err)
	}
}

// A directory whose table is gone, or never was, says so.
func TestEventsWithoutTable(t *testing.T) {
	dir := t.TempDir()
	_, logged, stop := boot(t, Config{Data: dir})
	stop()
	if strings.Contains(logged.String(), "identity table: who is named") {
		t.Error("a new directory is complained about")
	}
	found := target(t, dir)
	if err := found.(*local).core.Publisher.Publish(t.Context(), simulateNote(t, "ana@example.org")); err != nil {
		t.Fatal(err)
	}
	if err := found.(*local).core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := found.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "identity.jsonl")); err != nil {
		t.Fatal(err)
	}
	_, logged, _ = boot(t, Config{Data: dir})
	if !strings.Contains(logged.String(), "identity table: who is named") {
		t.Error("nothing is said of a lost table")
	}
}

// The demo organisation holds nobody in plain.
func TestNobodyOfTheDemoInPlain(t *testing.T) {
	found := target(t, t.TempDir())
	c := found.(*local).core
	cfg := simulate.Defaults()
	cfg.Days, cfg.Teams, cfg.Services, cfg.People = 30, 3, 6, 15
	if _, err := c.publishAll(t.Context(), func(emit func(event.Event) error) error { return simulate.Events(cfg, emit) }); err != nil {
		t.Fatal(err)
	}
	if err := c.Sink.Drain(context.Background()); err != nil {
		t.Fatal(err)
	}
	names := rowsOf(t, c, "SELECT name, count() FROM person GROUP BY name")
	texts := []string{"@example.org", "slack:U0"}
	for token := range names {
		if name, ok := c.Vault.Text(token); ok && name != "" {
			texts = append(texts, name)
		}
	}
	if len(texts) < 10 {
		t.Fatalf("only %d texts", len(texts))
	}
	plainInTables(t, c, texts, "quarantine")
}
