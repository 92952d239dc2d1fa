package analytics_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// A tag that is taken back does not stand, from then on; hand-computed. Each case is an
// incident of its own day, so that the sum of incidents tells how many stand.
func TestUntagging(t *testing.T) {
	now := time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC)
	s, db := openStore(t, now)
	var events []event.Event
	n := 0
	tell := func(kind event.Kind, id string, at time.Time, data map[string]any) {
		n++
		e, err := event.New("/steward", kind, "x", fmt.Sprint(n), at, data)
		if err != nil {
			t.Fatal(err)
		}
		if e.Seen = at; id != "" {
			e.ID = id
		}
		events = append(events, e)
	}
	tell(event.ServiceOwned, "", now.AddDate(-1, 0, 0), map[string]any{"service": "pay", "team": "payments"})
	type said struct {
		minute int
		id     string
		untag  bool
		basis  string
	}
	const tag, untag = false, true
	cases := []struct {
		name   string
		said   []said
		stands bool
	}{
		{"said", []said{{1, "", tag, "rule"}}, true},
		{"taken back", []said{{1, "", tag, "rule"}, {2, "", untag, ""}}, false},
		{"taken back before", []said{{2, "", tag, "rule"}, {1, "", untag, ""}}, true},
		{"said again", []said{{1, "", tag, "rule"}, {2, "", untag, ""}, {3, "", tag, "responder"}}, true},
		{"of another basis", []said{{1, "", tag, "responder"}, {2, "", untag, "rule"}}, true},
		{"of its basis", []said{{1, "", tag, "responder"}, {2, "", untag, "responder"}}, false},
		{"one of two", []said{{1, "", tag, "responder"}, {1, "", tag, "rule"}, {2, "", untag, "rule"}}, true},
		{"both of two", []said{{1, "", tag, "responder"}, {1, "", tag, "rule"}, {2, "", untag, ""}}, false},
		{"at once, the smaller id", []said{{1, "b6", tag, "rule"}, {1, "a6", untag, ""}}, true},
		{"at once, the larger id", []said{{1, "a7", tag, "rule"}, {1, "b7", untag, ""}}, false},
		{"never said", []said{{1, "", untag, ""}}, false},
	}
	want := int64(0)
	for k, c := range cases {
		at := time.Date(2026, 3, 1+k, 9, 0, 0, 0, time.UTC)
		id := fmt.Sprint("i", k)
		tell(event.IncidentOpened, "", at, map[string]any{"incident": id, "title": "x", "service": "pay"})
		for _, x := range c.said {
			d := map[string]any{"incident": id, "skill": "datastore-ops", "basis": x.basis, "by": "ana@example.org"}
			kind := event.SkillTagged
			if x.untag {
				if kind = event.SkillUntagged; x.basis == "" {
					delete(d, "basis")
				}
			}
			tell(kind, x.id, at.Add(time.Duration(x.minute)*time.Minute), d)
		}
		if c.stands {
			want++
		}
	}
	insert(t, db, events)
	if got := cellOf(t, ask(t, s, "skill_gaps"), "datastore-ops", "incidents"); got != want {
		t.Errorf("%v incidents took it, want %d", got, want)
	}
	for k, c := range cases { // each by itself, and as of the moment before and after
		next := int64(0)
		if c.stands {
			next = 1
		}
		day := time.Date(2026, 3, 1+k, 0, 0, 0, 0, time.UTC)
		a := ask(t, s, "skill_gaps", "from="+day.Format(time.RFC3339), "to="+day.AddDate(0, 0, 1).Format(time.RFC3339))
		got, _ := cellOf(t, a, "datastore-ops", "incidents").(int64)
		if got != next {
			t.Errorf("%s: stands %d, want %d", c.name, got, next)
		}
	}
	// Before it was taken back it stood: a plan made then was made by it.
	a := ask(t, s, "skill_gaps", "from=2026-03-02", "to=2026-03-03", "as_of=2026-03-02T09:01:30Z")
	if got := cellOf(t, a, "datastore-ops", "incidents"); got != int64(1) {
		t.Errorf("before it was taken back: %v", got)
	}
}
