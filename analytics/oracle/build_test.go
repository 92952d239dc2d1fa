package oracle

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// history is a hand-written list of events.
type history struct {
	t      *testing.T
	events []event.Event
}

type data map[string]any

func ts(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// add appends an event seen when it happened; ids ascend in the order of writing.
func (h *history) add(at string, kind event.Kind, d data) *event.Event {
	h.t.Helper()
	when := ts(h.t, at)
	e, err := event.New("/test", kind, "s", fmt.Sprint(len(h.events)), when, d)
	if err != nil {
		h.t.Fatalf("%s: %v", kind, err)
	}
	e.ID, e.Seen = fmt.Sprintf("%05d", len(h.events)), when
	h.events = append(h.events, e)
	return &h.events[len(h.events)-1]
}

func (h *history) opened(at, id string, more data) {
	d := data{"incident": id, "title": id}
	maps.Copy(d, more)
	h.add(at, event.IncidentOpened, d)
}

func (h *history) acked(at, id, person string) {
	h.add(at, event.IncidentAcknowledged, data{"incident": id, "actor_kind": "user", "person": person})
}

func (h *history) resolved(at, id, person string) {
	h.add(at, event.IncidentResolved, data{"incident": id, "actor_kind": "user", "person": person})
}

func (h *history) paged(at, person string, more data) {
	d := data{"page": fmt.Sprint("p", len(h.events)), "person": person, "channel": "push"}
	if person == "" {
		delete(d, "person")
	}
	maps.Copy(d, more)
	h.add(at, event.PageSent, d)
}

func (h *history) owned(at, service, team string) {
	h.add(at, event.ServiceOwned, data{"service": service, "team": team})
}

func (h *history) joined(at, team, person string) {
	h.add(at, event.MemberJoined, data{"team": team, "person": person})
}

func (h *history) left(at, team, person string) {
	h.add(at, event.MemberLeft, data{"team": team, "person": person})
}

func (h *history) described(at, person string, d data) {
	all := data{"person": person}
	maps.Copy(all, d)
	h.add(at, event.PersonDescribed, all)
}

func (h *history) shift(kind event.Kind, at, schedule, person, start, end string, more data) {
	d := data{"schedule": schedule, "person": person, "start": start, "end": end}
	maps.Copy(d, more)
	h.add(at, kind, d)
}

// answer asks with a now beyond every history.
func (h *history) answer(metric string, p Params) Result {
	h.t.Helper()
	res, err := Answer(h.events, metric, p, ts(h.t, "2026-01-01T00:00:00Z"))
	if err != nil {
		h.t.Fatalf("%s: %v", metric, err)
	}
	return res
}

// year is a window that holds every event of the hand-written histories.
func year(t *testing.T) Params {
	return Params{From: ts(t, "2025-01-01T00:00:00Z"), To: ts(t, "2026-01-01T00:00:00Z")}
}

// rows renders an answer as "bucket|key|…" lines, by the named columns after the two.
func rows(t *testing.T, r Result, columns ...string) []string {
	t.Helper()
	out := []string{}
	for _, row := range r.Rows {
		line := fmt.Sprint(row[0], "|", row[1])
		for _, c := range columns {
			n := slices.Index(r.Columns, c)
			if n < 0 {
				t.Fatalf("no column %s in %v", c, r.Columns)
			}
			line += fmt.Sprint("|", row[n])
		}
		out = append(out, line)
	}
	return out
}

func want(t *testing.T, name string, got []string, lines ...string) {
	t.Helper()
	if !slices.Equal(got, lines) {
		t.Errorf("%s:\n got %q\nwant %q", name, got, lines)
	}
}
