package source

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stewardhq/steward/ingest/event"
)

// seeds adds every fixture of a format.
func seeds(f *testing.F, name string) {
	files, err := filepath.Glob(filepath.Join("testdata", name, "*"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// honest checks what holds for any answer of Decode: events of the vocabulary that the
// log can carry and that come out the same again, or an Undecodable without events.
func honest(t *testing.T, f Format, d Delivery) {
	events, err := f.Decode(d)
	if err != nil {
		var u *Undecodable
		if !errors.As(err, &u) || len(events) > 0 {
			t.Fatalf("%d events and %v", len(events), err)
		}
		return
	}
	again, err := f.Decode(d)
	if err != nil || len(again) != len(events) {
		t.Fatalf("not the same again: %v", err)
	}
	for i, e := range events {
		sound(t, e)
		if !utf8.Valid(e.Data) || !utf8.ValidString(e.Subject+e.Key+e.Source) {
			t.Fatalf("%s is not UTF-8", e.Kind)
		}
		if !event.Known(e.Kind) || e.ID != again[i].ID || !bytes.Equal(e.Data, again[i].Data) {
			t.Fatalf("%s differs when decoded again", e.Kind)
		}
	}
}

func FuzzPagerDuty(f *testing.F) {
	seeds(f, "pagerduty")
	form := pagerDuty()
	f.Fuzz(func(t *testing.T, body []byte) {
		honest(t, form, Delivery{Account: "shop", Body: body, Received: received})
	})
}

func fuzzFile(f *testing.F, form Format) {
	seeds(f, form.Name)
	f.Fuzz(func(t *testing.T, text []byte) {
		honest(t, form, Delivery{Body: text, Received: received})
		lines, err := form.Open(bytes.NewReader(text))
		if err != nil {
			return
		}
		for n := 0; ; n++ {
			d, err := lines.Next()
			if err != nil {
				if err == io.EOF && lines.Offset() != int64(len(text)) {
					t.Fatalf("ended at %d of %d", lines.Offset(), len(text))
				}
				return
			}
			if n > len(text) {
				t.Fatal("more deliveries than bytes")
			}
			d.Received = received
			honest(t, form, d)
		}
	})
}

func FuzzLogEntries(f *testing.F) { fuzzFile(f, pagerDutyEntries()) }
func FuzzCaptures(f *testing.F)   { fuzzFile(f, pagerDutyCaptures()) }
func FuzzUCI(f *testing.F)        { fuzzFile(f, uciIncidentLog()) }

// FuzzSignature: no header passes that does not hold the one right value.
func FuzzSignature(f *testing.F) {
	body := []byte(`{"event":{}}`)
	good := sign(body, "s3cret")
	for _, h := range []string{"", good, "v1=00," + good, "v2=x, " + good, good[:20], strings.ToUpper(good), "v1=" + strings.Repeat(",v1=", 100)} {
		f.Add(h)
	}
	f.Fuzz(func(t *testing.T, h string) {
		err := verifyPagerDuty(http.Header{"X-Pagerduty-Signature": {h}}, body, []string{"s3cret"})
		if err == nil && !strings.Contains(strings.ToLower(h), good) {
			t.Fatalf("%q passes", h)
		}
		if err != nil && h == good {
			t.Fatal("the right signature fails")
		}
	})
}
