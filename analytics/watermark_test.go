package analytics_test

import (
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// An event was learned when its first copy was, in whatever order the copies come and
// whatever is rebuilt: a redelivery moves no watermark.
func TestWatermarkOfCopies(t *testing.T) {
	told := time.Date(2025, 6, 10, 12, 0, 0, 0, time.UTC)
	history := func(seen time.Duration) (out []event.Event) {
		for i := range 12 { // over more days than are looked at one by one
			at := told.AddDate(0, 0, -i)
			e, err := event.New("/test", event.IncidentOpened, "i", string(rune('a'+i)), at, map[string]any{"incident": string(rune('a' + i)), "title": "t"})
			if err != nil {
				t.Fatal(err)
			}
			e.Seen = at.Add(time.Minute + seen)
			out = append(out, e)
		}
		return out
	}
	now := told.AddDate(0, 1, 0)
	for name, copies := range map[string][]time.Duration{"first copies first": {0, 9 * 24 * time.Hour}, "first copies last": {9 * 24 * time.Hour, 0}} {
		s, db := openStore(t, now)
		for _, late := range copies {
			insert(t, db, history(late))
		}
		expect := func(what string, want time.Time, params ...string) {
			t.Helper()
			if got := ask(t, s, "incidents", params...).Watermark; !got.Equal(want) {
				t.Errorf("%s, %s: watermark %v, want %v", name, what, got, want)
			}
		}
		expect("now", told.Add(time.Minute))
		expect("as of the day before", told.AddDate(0, 0, -1).Add(time.Minute), "as_of=2025-06-10T11:59:59Z")
		expect("as of that very moment", told.Add(time.Minute), "as_of=2025-06-10T12:00:00Z")
		expect("known before the second copies", told.AddDate(0, 0, -1).Add(time.Minute), "known_at=2025-06-10T12:00:30Z")
		if err := s.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		expect("rebuilt", told.Add(time.Minute))
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
