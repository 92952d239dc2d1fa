package source

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkPagerDuty decodes one acknowledged webhook, and for scale reads the same body
// into a map with the standard library.
func BenchmarkPagerDuty(b *testing.B) {
	body := fixture(b, "pagerduty", "acknowledged.json")
	h := http.Header{"X-Pagerduty-Signature": {sign(body, "s3cret")}}
	secrets := []string{"s3cret"}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decodePagerDuty(Delivery{Account: "shop", Body: body}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if err := verifyPagerDuty(h, body, secrets); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("standard map", func(b *testing.B) {
		for b.Loop() {
			var m map[string]any
			if err := json.Unmarshal(body, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// benchFile imports a file and reports events a second.
func benchFile(b *testing.B, f Format, text []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	n := 0
	for b.Loop() {
		lines, err := f.Open(bytes.NewReader(text))
		if err != nil {
			b.Fatal(err)
		}
		for {
			d, err := lines.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			events, err := f.Decode(d)
			if err != nil {
				b.Fatal(err)
			}
			n += len(events)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkLogEntries(b *testing.B) {
	benchFile(b, pagerDutyEntries(), bytes.Repeat(fixture(b, "pagerduty-log-entries", "pages.jsonl"), 100))
}

func BenchmarkUCI(b *testing.B) {
	text, err := os.ReadFile(filepath.Join(samples(b), "uci-incident-log", "incident_event_log.csv.gz"))
	if err != nil {
		b.Fatal(err)
	}
	benchFile(b, uciIncidentLog(), text)
}
