package oracle

import (
	"fmt"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// TestLoad: 30 minutes inclusive, along a chain, by service and class as they are in the
// end; drills are no predecessors, merged and filtered incidents are.
func TestLoad(t *testing.T) {
	disk := data{"service": "api", "alert_class": "disk"}
	for name, c := range map[string]struct {
		tell func(h *history)
		want string
	}{
		"inclusive": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", disk)
			h.opened("2025-05-05T10:30:00Z", "b", disk)
		}, "||2|1"},
		"a millisecond more": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", disk)
			h.opened("2025-05-05T10:30:00.001Z", "b", disk)
		}, "||2|2"},
		"a chain": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", disk)
			h.opened("2025-05-05T10:25:00Z", "b", disk)
			h.opened("2025-05-05T10:50:00Z", "c", disk)
		}, "||3|1"},
		"one instant": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "b", disk)
			h.opened("2025-05-05T10:00:00Z", "a", disk)
		}, "||2|1"},
		"other service": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", disk)
			h.opened("2025-05-05T10:01:00Z", "b", disk)
			h.add("2025-05-06T10:01:00Z", event.IncidentUpdated, data{"incident": "b", "service": "db"})
		}, "||2|2"},
		"no class": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", data{"service": "api"})
			h.opened("2025-05-05T10:01:00Z", "b", data{"service": "api"})
		}, "||2|2"},
		"a drill before": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", disk)
			h.opened("2025-05-07T10:00:00Z", "a", data{"drill": true})
			h.opened("2025-05-05T10:10:00Z", "b", disk)
		}, "||1|1"},
		"merged before": {func(h *history) {
			h.opened("2025-05-05T10:00:00Z", "a", disk)
			h.add("2025-05-05T10:02:00Z", event.IncidentMerged, data{"incident": "a", "into": "z"})
			h.opened("2025-05-05T10:10:00Z", "b", disk)
		}, "||2|1"},
		"before the window": {func(h *history) {
			h.opened("2024-12-31T23:59:00Z", "a", disk)
			h.opened("2025-01-01T00:01:00Z", "b", disk)
		}, "||1|0"},
	} {
		h := &history{t: t}
		c.tell(h)
		want(t, name, rows(t, h.answer("incidents", year(t)), "incidents", "incident_load"), c.want)
	}
	h := &history{t: t}
	h.opened("2025-05-05T10:00:00Z", "a", data{"service": "api", "alert_class": "disk", "urgency": "low"})
	h.opened("2025-05-05T10:10:00Z", "b", data{"service": "api", "alert_class": "disk", "urgency": "high"})
	p := year(t)
	p.Urgency = []string{"high"}
	want(t, "filtered before", rows(t, h.answer("incidents", p), "incidents", "incident_load"), "||1|0")
}

// TestStates: reopening after the last resolution, in the order of time and then id.
func TestStates(t *testing.T) {
	const at = "2025-05-05T12:00:00Z"
	res := func(h *history, at string, d data) { d["incident"] = "i"; h.add(at, event.IncidentResolved, d) }
	user := func() data { return data{"actor_kind": "user", "person": ana} }
	for name, c := range map[string]struct {
		tell func(h *history)
		want string // auto_resolved, reopened, merged, open
	}{
		"open":                {func(h *history) {}, "||0|0|0|1"},
		"resolved":            {func(h *history) { res(h, at, user()) }, "||0|0|0|0"},
		"by nobody known":     {func(h *history) { res(h, at, data{"actor_kind": "unknown"}) }, "||1|0|0|0"},
		"by a nameless user":  {func(h *history) { res(h, at, data{"actor_kind": "user"}) }, "||0|0|0|0"},
		"a user, marked auto": {func(h *history) { d := user(); d["auto"] = true; res(h, at, d) }, "||1|0|0|0"},
		"reopened": {func(h *history) {
			res(h, at, user())
			h.add("2025-05-05T13:00:00Z", event.IncidentReopened, data{"incident": "i"})
		}, "||0|1|0|1"},
		"reopened at once": {func(h *history) { // the resolution has the larger id
			h.add(at, event.IncidentReopened, data{"incident": "i"})
			res(h, at, user())
		}, "||0|1|0|0"},
		"the last one counts": {func(h *history) {
			res(h, at, data{"actor_kind": "service"})
			h.add("2025-05-05T13:00:00Z", event.IncidentReopened, data{"incident": "i"})
			res(h, "2025-05-05T14:00:00Z", user())
		}, "||0|1|0|0"},
		"merged": {func(h *history) {
			h.add(at, event.IncidentMerged, data{"incident": "i", "into": "z"})
		}, "||0|0|1|0"},
	} {
		h := &history{t: t}
		h.opened("2025-05-05T10:00:00Z", "i", nil)
		c.tell(h)
		want(t, name, rows(t, h.answer("incidents", year(t)), "auto_resolved", "reopened", "merged", "open"), c.want)
	}
}

// TestWithoutOpening: an incident is there by any event that names it, and opened by the
// earliest of them until an opening is seen, even one that happened later.
func TestWithoutOpening(t *testing.T) {
	h := &history{t: t}
	h.add("2025-05-05T11:00:00Z", event.IncidentNoted, data{"incident": "i", "text": "x"})
	h.add("2025-05-05T10:00:00Z", event.ResponderRequested, data{"incident": "i", "person": ana})
	h.resolved("2025-05-05T12:00:00Z", "i", ana)
	h.add("2025-05-05T10:00:00Z", event.PageReviewed, data{"incident": "j", "by": ana, "verdict": "view"})
	res := h.answer("time_to_resolve", year(t))
	want(t, "assumed", rows(t, res, "n", "p50"), "||1|7200")
	if res.Assumed["opened"] != 1 {
		t.Errorf("assumed %v, want one opening", res.Assumed)
	}
	h.opened("2025-05-05T11:30:00Z", "i", nil)
	res = h.answer("time_to_resolve", year(t))
	want(t, "seen", rows(t, res, "n", "p50"), "||1|1800")
	if len(res.Assumed) != 0 {
		t.Errorf("assumed %v, want none", res.Assumed)
	}
	h.opened("2025-05-05T12:30:00Z", "late", nil)
	h.acked("2025-05-05T12:29:00Z", "late", ana)
	h.resolved("2025-05-05T12:29:30Z", "late", ana)
	want(t, "a clock running behind", rows(t, h.answer("time_to_resolve", year(t)), "n", "p50", "p90", "mean"), "||2|1800|1800|900")
	want(t, "ack too", rows(t, h.answer("time_to_ack", year(t)), "n", "not_acked", "mean"), "||1|1|0")
}

// TestAcknowledgement: only a named user's; profiles differ in what else will do.
func TestAcknowledgement(t *testing.T) {
	h := &history{t: t}
	h.opened("2025-05-05T10:00:00Z", "i", nil)
	h.add("2025-05-05T10:01:00Z", event.IncidentAcknowledged, data{"incident": "i", "actor_kind": "user"})
	h.add("2025-05-05T10:02:00Z", event.IncidentAcknowledged, data{"incident": "i", "actor_kind": "service", "person": ana})
	h.add("2025-05-05T10:03:00Z", event.IncidentSnoozed, data{"incident": "i", "until": "2025-05-05T11:00:00Z"})
	h.acked("2025-05-05T10:04:00Z", "i", ana)
	h.add("2025-05-05T10:05:00Z", event.IncidentUnacknowledged, data{"incident": "i", "actor_kind": "user", "person": ana})
	h.opened("2025-05-05T10:00:00Z", "closed", nil)
	h.add("2025-05-05T10:10:00Z", event.IncidentResolved, data{"incident": "closed", "actor_kind": "service"})
	h.add("2025-05-05T10:20:00Z", event.IncidentReopened, data{"incident": "closed"})
	h.add("2025-05-05T10:30:00Z", event.IncidentResolved, data{"incident": "closed", "actor_kind": "service"})
	for profile, line := range map[string]string{
		"steward": "||1|0|240", "pagerduty": "||1|1|240", "incident-io": "||1|1|240", "goalert": "||0|1|<nil>",
		"opsgenie": "||1|0|1800", "grafana-oncall": "||2|0|390",
	} {
		p := year(t)
		p.Profile = profile
		want(t, profile, rows(t, h.answer("time_to_ack", p), "n", "not_acked", "mean"), line)
	}
	p := year(t)
	p.Profile, p.AsOf = "goalert", ts(t, "2025-05-05T10:25:00Z")
	want(t, "all open then", rows(t, h.answer("time_to_ack", p), "n"))
	p.Profile = "pagerduty"
	p.AsOf = ts(t, "2025-05-05T10:03:59.999Z")
	want(t, "not yet", rows(t, h.answer("time_to_ack", p), "n", "not_acked", "p50"), "||0|2|<nil>")
}

// TestQuantiles are sorted[int(p·n)].
func TestQuantiles(t *testing.T) {
	for n, want := range map[int][2]float64{1: {60, 60}, 2: {120, 120}, 9: {300, 540}, 10: {360, 600}, 11: {360, 600}} {
		h := &history{t: t}
		for k := range n {
			at := ts(t, "2025-05-05T10:00:00Z")
			id := fmt.Sprint("i", k)
			h.opened(at.Format(time.RFC3339), id, nil)
			h.acked(at.Add(time.Duration(k+1)*time.Minute).Format(time.RFC3339), id, ana)
		}
		row := h.answer("time_to_ack", year(t)).Rows[0]
		if row[4] != want[0] || row[5] != want[1] {
			t.Errorf("n %d: %v, want %v", n, row, want)
		}
	}
}

// TestKnowledge: known_at and as_of are inclusive, and a redelivery hides nothing.
func TestKnowledge(t *testing.T) {
	h := &history{t: t}
	h.opened("2025-05-05T10:00:00Z", "i", nil)
	e := h.events[0]
	e.Seen = ts(t, "2025-07-01T00:00:00Z")
	h.events = append([]event.Event{e}, h.events...) // the later copy first
	h.events[1].Seen = ts(t, "2025-06-01T00:00:00Z")
	for at, lines := range map[string][]string{"2025-05-31T23:59:59.999Z": {}, "2025-06-01T00:00:00Z": {"||1"}} {
		p := year(t)
		p.KnownAt = ts(t, at)
		want(t, "known "+at, rows(t, h.answer("incidents", p), "incidents"), lines...)
	}
	for at, lines := range map[string][]string{"2025-05-05T09:59:59.999Z": {}, "2025-05-05T10:00:00Z": {"||1"}} {
		p := year(t)
		p.AsOf = ts(t, at)
		want(t, "as of "+at, rows(t, h.answer("incidents", p), "incidents"), lines...)
	}
	p := Params{AsOf: ts(t, "2025-05-05T10:00:00Z")} // to is as_of, and a window ends before its to
	want(t, "default to", rows(t, h.answer("incidents", p), "incidents"))
	p = Params{AsOf: ts(t, "2025-05-05T10:00:00.001Z").Add(90 * 24 * time.Hour)}
	want(t, "default from", rows(t, h.answer("incidents", p), "incidents"))
	p.AsOf = p.AsOf.Add(-time.Millisecond)
	want(t, "from is included", rows(t, h.answer("incidents", p), "incidents"), "||1")
}
