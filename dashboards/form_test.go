package dashboards

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
)

// The chips are all that most readers see of the filters, so they say them in words.
func TestChipsAreWords(t *testing.T) {
	s := boot(t, newFake())
	for path, want := range map[string][]string{
		"/":                                   {"13 weeks from 24 Aug", "owner then, or who was paged", "steward: asleep 22–08"},
		"/?window=90d":                        {"90 days from 25 Aug"},
		"/?window=2w":                         {"2 weeks from 9 Nov"},
		"/?hours=incident-io":                 {"incident-io: asleep 23–08"},
		"/ownership":                          {"owner at the time"},
		"/ownership?lens=owner_then":          {"owner at the time"},
		"/ownership?lens=owner_now":           {"owner now"},
		"/?from=2026-11-01T06:30:00Z&tz=UTC":  {"1 Nov 2026 06:30 UTC to 22 Nov 2026 14:30 UTC"},
		"/incidents?state=open":               {"state", "open"},
		"/services?team=%3Cimg+src%3Dx+onerr": {"<img src=x onerr"},
	} {
		chips := text(t, between(t, body(t, get(t, s, path)), `<span class="chips">`, "</summary>"))
		for _, w := range want {
			if !strings.Contains(chips, w) {
				t.Errorf("%s: chips %q lack %q", path, chips, w)
			}
		}
	}
}

func between(t *testing.T, s, from, to string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, from)
	s, _, also := strings.Cut(s, to)
	if !ok || !also {
		t.Fatalf("no %s … %s", from, to)
	}
	return s
}

// A moment that a link carries stays in the form as it was; a day is a date to choose.
func TestDatesKeepTheirHour(t *testing.T) {
	for in, kind := range map[string]string{"": "date", "2026-11-01": "date", "2026-11-01T06:30:00Z": "text"} {
		f := &filter{values: url.Values{"from": {in}}, zone: time.UTC}
		b := formBuilder{f, &filterView{}}
		b.date("from", "From", "", "")
		if got := b.v.Fields[0]; got.Kind != kind || got.Value != in {
			t.Errorf("%q became %+v", in, got)
		}
	}
}

func TestZonesOnOffer(t *testing.T) {
	got := zones(&analytics.Directory{People: []analytics.Person{{Zone: "Europe/Berlin"}, {Zone: ""}, {Zone: "Asia/Tokyo"}, {Zone: "Europe/Berlin"}}})
	if !slices.Equal(got, []string{"Asia/Tokyo", "Europe/Berlin", "UTC"}) {
		t.Error(got)
	}
}

func TestASentenceEndsOnce(t *testing.T) {
	for want, e := range map[string]*LearnError{"Time: when?": {"time", "when?"}, "Time: has passed.": {"time", "has passed"}} {
		if got := e.sentence(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
