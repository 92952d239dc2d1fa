package simulate

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// small is an organisation with every peculiarity and a third of a year.
func small() Config {
	c := Defaults()
	c.Days = 120
	return c
}

func collect(t *testing.T, cfg Config) []event.Event {
	t.Helper()
	var out []event.Event
	if err := Events(cfg, func(e event.Event) error { out = append(out, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryEventIsValidAndItsReferencesResolve(t *testing.T) {
	for _, cfg := range []Config{
		small(),
		{Teams: 1, Services: 1, People: 1, Days: 30, End: defaultEnd, Seed: 9},
		{Teams: 3, Services: 5, People: 2, Days: 60, End: defaultEnd.Add(13*time.Hour + 7*time.Minute), Seed: 2},
		{Teams: 20, Services: 90, People: 130, Days: 40, End: defaultEnd, Seed: 3},
	} {
		t.Run(fmt.Sprintf("%d teams", cfg.Teams), func(t *testing.T) { checkHistory(t, cfg) })
	}
}

func checkHistory(t *testing.T, cfg Config) {
	events := collect(t, cfg)
	teams, services, people := map[string]bool{}, map[string]bool{}, map[string]bool{}
	opened, pages := map[string]time.Time{}, map[string]string{}
	for _, e := range events {
		f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
		if err != nil {
			t.Fatalf("%s: %v: %s", e.Kind, err, e.Data)
		}
		switch e.Kind {
		case event.TeamDescribed:
			teams[f.Team] = true
		case event.ServiceDescribed:
			services[f.Service] = true
		case event.PersonDescribed:
			people[f.Person] = true
			var p personData
			if err := json.Unmarshal(e.Data, &p); err != nil {
				t.Fatal(err)
			}
			for _, a := range p.Aliases {
				people[a] = true
			}
		case event.IncidentOpened:
			if !opened[f.Incident].IsZero() {
				t.Errorf("%s opened twice", f.Incident)
			}
			opened[f.Incident] = e.At
		case event.PageSent:
			pages[f.Page] = f.Incident
		}
	}
	ids := make(map[string]bool, len(events))
	var last time.Time
	for _, e := range events {
		f, _ := event.Decode(e.Kind, e.Data, json.Unmarshal)
		fail := func(format string, args ...any) {
			t.Helper()
			t.Errorf("%s at %s: %s: %s", e.Kind, stamp(e.At), fmt.Sprintf(format, args...), e.Data)
		}
		switch {
		case ids[e.ID]:
			fail("id twice")
		case e.At.Before(last):
			fail("after %s", stamp(last))
		case !e.At.Before(cfg.End) || e.Seen.After(cfg.End) || e.Seen.Before(e.At):
			fail("seen %s, end %s", stamp(e.Seen), stamp(cfg.End))
		case e.Key != event.PartitionKey(f, e.Subject):
			fail("key %s", e.Key)
		case e.Source != Source(cfg.Seed) || !strings.HasPrefix(e.Subject, "simulate:"):
			fail("source %s, subject %s", e.Source, e.Subject)
		}
		ids[e.ID], last = true, e.At
		// A catalog may learn of somebody after their first page, but within the window.
		late := cfg.Days < 45
		if f.Team != "" && !teams[f.Team] || f.Service != "" && !services[f.Service] && !late ||
			f.Person != "" && !people[f.Person] && !late {
			fail("a team, service or person nobody described")
		}
		for _, to := range f.To {
			kind, id, _ := strings.Cut(to, ":")
			if kind == "person" && !people[id] && !late || kind == "team" && !teams[id] || kind == "policy" && !teams[strings.TrimSuffix(id, "-escalation")] {
				fail("target %s", to)
			}
		}
		if f.Incident != "" && (opened[f.Incident].IsZero() || e.At.Before(opened[f.Incident])) {
			fail("incident not opened by then")
		}
		if e.Kind == event.IncidentMerged && opened[f.Into].IsZero() {
			fail("merged into nothing")
		}
		if e.Kind == event.PageReviewed && f.Page != "" && pages[f.Page] != f.Incident {
			fail("review of page %s", f.Page)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func TestSameSeedSameBytes(t *testing.T) {
	sum := func(cfg Config) string {
		h := sha256.New()
		if err := Write(h, cfg); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	cfg := small()
	if a, b := sum(cfg), sum(cfg); a != b {
		t.Errorf("two runs differ: %s, %s", a, b)
	}
	other := cfg
	other.Seed++
	if sum(cfg) == sum(other) {
		t.Error("another seed gave the same bytes")
	}
}

func TestWriteIsCloudEventsOneALine(t *testing.T) {
	cfg := Config{Teams: 2, Services: 3, People: 4, Days: 10, End: defaultEnd, Seed: 5}
	var out bytes.Buffer
	if err := Write(&out, cfg); err != nil {
		t.Fatal(err)
	}
	events := collect(t, cfg)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(events) {
		t.Fatalf("%d lines for %d events", len(lines), len(events))
	}
	for i, text := range lines {
		var l struct {
			line
			Data json.RawMessage `json:"data"`
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&l); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		e := events[i]
		k, ok := event.KindOf(l.Type)
		at, err1 := time.Parse(time.RFC3339Nano, l.Time)
		seen, err2 := time.Parse(time.RFC3339Nano, l.RecordedTime)
		if !ok || k != e.Kind || l.SpecVersion != "1.0" || l.ID != e.ID || l.Source != e.Source || l.Subject != e.Subject ||
			l.PartitionKey != e.Key || err1 != nil || err2 != nil || !at.Equal(e.At) || !seen.Equal(e.Seen) || !bytes.Equal(l.Data, e.Data) {
			t.Fatalf("line %d does not say what the event says: %s", i, text)
		}
		if !strings.HasPrefix(text, `{"specversion":"1.0","id":"`) {
			t.Fatalf("line %d begins otherwise: %s", i, text)
		}
	}
}

func TestErrorsOfTheReaderStopTheHistory(t *testing.T) {
	full := errors.New("disk full")
	n := 0
	err := Events(small(), func(event.Event) error {
		if n++; n == 1000 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || n != 1000 {
		t.Errorf("stopped after %d with %v", n, err)
	}
	if err := Write(refusing{}, small()); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a refused write gave %v", err)
	}
}

type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestValidateNamesEverythingThatIsWrong(t *testing.T) {
	err := Config{Services: -1, People: 2_000_000, Days: 10, End: time.Date(1972, 1, 1, 0, 0, 0, 0, time.UTC)}.Validate()
	if err == nil {
		t.Fatal("accepted")
	}
	for _, word := range []string{"teams", "services", "people", "before 1970"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not mention %s", err, word)
		}
	}
	if err := Defaults().Validate(); err != nil {
		t.Errorf("the defaults are refused: %v", err)
	}
	if err := Events(Config{}, func(event.Event) error { return nil }); err == nil {
		t.Error("Events accepted an empty Config")
	}
}

func TestNamesAreUniqueAtAnySize(t *testing.T) {
	w, err := newWorld(Config{Teams: 700, Services: 9000, People: 7000, Days: 1, End: defaultEnd})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	once := func(kind, name string) {
		if seen[kind+name] {
			t.Fatalf("%s %s twice", kind, name)
		}
		seen[kind+name] = true
	}
	for _, x := range w.teams {
		once("team", x.id)
	}
	for _, x := range w.services {
		once("service", x.id)
	}
	for _, x := range w.people {
		once("person", x.id)
		for _, a := range x.aliases {
			once("alias", a)
		}
	}
}
