package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

var update = flag.Bool("update", false, "write the golden files from what is decoded now")

// received is the receive time of every delivery in these tests.
var received = time.Date(2026, 3, 2, 9, 30, 0, 250e6, time.UTC)

func format(t testing.TB, name string) Format {
	t.Helper()
	for _, f := range append(Webhooks(), Imports()...) {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return Format{}
}

// decoded is what one delivery came to.
type decoded struct {
	delivery Delivery
	events   []event.Event
	err      error
}

// importAll reads a whole file as the importer would.
func importAll(t testing.TB, f Format, account string, text []byte) []decoded {
	t.Helper()
	lines, err := f.Open(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	var out []decoded
	for {
		d, err := lines.Next()
		if err == io.EOF {
			if lines.Offset() != int64(len(text)) {
				t.Errorf("offset at the end is %d of %d bytes", lines.Offset(), len(text))
			}
			return out
		}
		if err != nil {
			t.Fatalf("next: %v", err)
		}
		d.Account, d.Received = account, received
		events, err := f.Decode(d)
		out = append(out, decoded{d, events, err})
	}
}

// eventsOf collects the events of all deliveries.
func eventsOf(all []decoded) []event.Event {
	var out []event.Event
	for _, d := range all {
		out = append(out, d.events...)
	}
	return out
}

// withoutRaw takes the vendor's body off an event's data and returns both.
func withoutRaw(t testing.TB, e event.Event) (data string, raw json.RawMessage) {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &m); err != nil {
		t.Fatalf("%s: data: %v", e.Kind, err)
	}
	raw = m["raw"]
	delete(m, "raw")
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b), raw
}

// sound checks what holds for every event of every decoder.
func sound(t testing.TB, e event.Event) {
	t.Helper()
	f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
	if err != nil {
		t.Fatalf("%s is not of the vocabulary: %v", e.Kind, err)
	}
	if want := event.PartitionKey(f, e.Subject); e.Key != want {
		t.Errorf("%s has the key %q, not %q", e.Kind, e.Key, want)
	}
	if e.ID == "" || e.Source == "" || e.Subject == "" || e.At.IsZero() || e.At.Location() != time.UTC {
		t.Errorf("%s lacks an attribute: %+v", e.Kind, e)
	}
	if err := event.CheckTime("time", e.At); err != nil {
		t.Errorf("%s: %v", e.Kind, err)
	}
	if bytes.ContainsAny(e.Data, "\n\r") {
		t.Errorf("%s: data holds a line break", e.Kind)
	}
}

func render(t testing.TB, out *strings.Builder, d decoded) {
	if d.err != nil {
		var u *Undecodable
		if !errors.As(d.err, &u) {
			t.Errorf("not an Undecodable: %v", d.err)
		}
		if len(d.events) > 0 {
			t.Errorf("events together with an error: %v", d.err)
		}
		fmt.Fprintf(out, "undecodable: %v\n", d.err)
	}
	for _, e := range d.events {
		sound(t, e)
		data, _ := withoutRaw(t, e)
		at := e.At.Format("2006-01-02T15:04:05.000Z")
		if e.TimeQuality != "" {
			at += " (" + e.TimeQuality + ")"
		}
		fmt.Fprintf(out, "%s %s %s\n  %s %s %s\n", at, e.Kind, data, e.Source, e.ID, e.Subject)
	}
}

// TestGolden decodes every file of testdata and compares with the table kept beside it.
func TestGolden(t *testing.T) {
	for _, f := range append(Webhooks(), Imports()...) {
		t.Run(f.Name, func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join("testdata", f.Name, "*"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no fixtures: %v", err)
			}
			var out strings.Builder
			for _, path := range files {
				text, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&out, "# %s\n", filepath.Base(path))
				if f.Open != nil {
					for _, d := range importAll(t, f, "shop", text) {
						render(t, &out, d)
					}
					continue
				}
				d := Delivery{Account: "shop", Body: text, Received: received}
				events, err := f.Decode(d)
				render(t, &out, decoded{d, events, err})
			}
			golden := filepath.Join("testdata", f.Name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v (write it with -update)", err)
			}
			if out.String() != string(want) {
				t.Errorf("decoding changed; if it is meant to, run with -update.\n%s", difference(string(want), out.String()))
			}
		})
	}
}

// difference shows the first lines that differ.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			return fmt.Sprintf("line %d\nwant %s\ngot  %s", i+1, w[i], strings.Join(g[min(i, len(g)):min(i+1, len(g))], ""))
		}
	}
	return "more lines than before"
}
