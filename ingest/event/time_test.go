package event

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2025-06-01T10:00:00Z":             "2025-06-01T10:00:00Z",
		"2025-06-01t10:00:00.25z":          "2025-06-01T10:00:00.25Z",
		"2025-06-01T12:00:00.001+02:00":    "2025-06-01T10:00:00.001Z",
		"2016-12-31T23:59:60Z":             "2017-01-01T00:00:00Z",
		"2016-12-31t23:59:60.999z":         "2017-01-01T00:00:00Z",
		"2017-01-01T08:59:60.5+09:00":      "2017-01-01T00:00:00Z",
		"2016-12-31T23:58:60Z":             "",
		"2016-12-31T23:59:61Z":             "",
		"2016-12-31T23:59:60":              "",
		"2025-06-01 10:00:00Z":             "",
		"2025-06-01T10:00:00":              "",
		"2025-06-01T24:00:00Z":             "",
		"2025-02-29T10:00:00Z":             "",
		"":                                 "",
		"\x00":                             "",
		"2016-12-31T23:59:60.\xff":         "",
		"ſ016-12-31T23:59:60Z":             "",
		"2025-06-01T10:00:00Z and the day": "",
	} {
		got, err := ParseTime(text)
		if want == "" {
			if err == nil {
				t.Errorf("%q: %v, want an error", text, got)
			}
			continue
		}
		if err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v; want %s", text, got, err, want)
		}
	}
}
