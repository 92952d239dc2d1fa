package oracle

import (
	"math"
	"testing"

	"github.com/stewardhq/steward/ingest/event"
)

// reference is the scenario of METRICS, June 2025.
func reference(t *testing.T) *history {
	h := &history{t: t}
	const u1, u2 = "u1@example.org", "u2@example.org"
	for _, u := range []string{u1, u2} {
		h.described("2025-01-01T00:00:00Z", u, data{"time_zone": "America/New_York"})
		h.joined("2025-01-01T00:00:00Z", "A", u)
	}
	h.owned("2025-01-01T00:00:00Z", "S", "A")
	h.owned("2025-06-15T12:00:00Z", "S", "B")
	open := func(at, id, class, urgency string) {
		d := data{"service": "S", "urgency": urgency}
		if class != "" {
			d["alert_class"] = class
		}
		h.opened(at, id, d)
		h.paged(at, u1, data{"incident": id})
	}
	open("2025-06-02T07:00:00Z", "i1", "", "high")
	h.acked("2025-06-02T07:04:00Z", "i1", u1)
	h.resolved("2025-06-02T08:04:00Z", "i1", u1)
	open("2025-06-03T18:00:00Z", "i2", "", "high")
	h.acked("2025-06-03T18:06:00Z", "i2", u1)
	h.resolved("2025-06-03T18:30:00Z", "i2", u1)
	for id, at := range map[string]string{"i3": "06:10", "i4": "06:14", "i5": "06:18"} {
		open("2025-06-05T"+at+":00Z", id, "disk", "high")
	}
	for id, at := range map[string]string{"i3": "06:12", "i4": "06:16", "i5": "06:20"} {
		h.add("2025-06-05T"+at+":00Z", event.IncidentResolved, data{"incident": id, "actor_kind": "service", "auto": true})
	}
	open("2025-06-16T03:30:00Z", "i6", "", "high")
	h.add("2025-06-16T03:40:00Z", event.IncidentEscalated, data{"incident": "i6", "cause": "timeout",
		"from": "person:" + u1, "to": []string{"person:" + u2}})
	h.paged("2025-06-16T03:40:00Z", u2, data{"incident": "i6"})
	h.acked("2025-06-16T03:42:00Z", "i6", u2)
	h.resolved("2025-06-16T04:20:00Z", "i6", u2)
	open("2025-06-17T14:00:00Z", "i7", "", "high")
	h.acked("2025-06-17T14:03:00Z", "i7", u1)
	open("2025-06-18T19:00:00Z", "i8", "", "low")
	h.resolved("2025-06-19T05:00:00Z", "i8", u1)
	return h
}

func TestReferenceScenario(t *testing.T) {
	h, p := reference(t), year(t)
	by := func(v string) Params { q := p; q.By = v; return q }
	with := func(q Params, f func(*Params)) Params { f(&q); return q }

	for set, lines := range map[string][]string{
		"steward":     {"|business|3", "|sleep|5"},
		"pagerduty":   {"|business|3", "|sleep|5"},
		"incident-io": {"|business|3", "|sleep|5"},
	} {
		q := with(by("hour_class"), func(q *Params) { q.Hours = set })
		want(t, "hour class "+set, rows(t, h.answer("incidents", q), "incidents"), lines...)
	}
	want(t, "load", rows(t, h.answer("incidents", p), "incidents", "incident_load", "auto_resolved", "open"), "||8|6|3|1")
	want(t, "owner then", rows(t, h.answer("incidents", by("team")), "incidents"), "|A|5", "|B|3")
	now := with(by("team"), func(q *Params) { q.Lens = "owner_now" })
	want(t, "owner now", rows(t, h.answer("incidents", now), "incidents"), "|B|8")
	want(t, "steward", rows(t, h.answer("time_to_ack", p), "n", "not_acked", "p50", "p90", "mean"), "||4|1|360|720|375")

	for profile, minutes := range map[string]float64{"pagerduty": 6.25, "goalert": 7.333, "grafana-oncall": 78.875, "opsgenie": 89.714} {
		r := h.answer("time_to_ack", with(p, func(q *Params) { q.Profile = profile }))
		if got := r.Rows[0][6].(float64) / 60; math.Abs(got-minutes) > 0.001 {
			t.Errorf("%s: %v minutes, want %v", profile, got, minutes)
		}
	}
	want(t, "resolve", rows(t, h.answer("time_to_resolve", p), "n", "unresolved", "mean"), "||4|1|11160")
	all := with(p, func(q *Params) { q.AutoResolved = "include" })
	want(t, "resolve all", rows(t, h.answer("time_to_resolve", all), "n", "unresolved", "p50", "mean"), "||7|1|1800|6428.571")
	want(t, "quadrant", rows(t, h.answer("ownership_quadrant", p), "n", "owned", "escalated_away", "misrouted",
		"owned_on_paper", "unowned", "untouched"), "||8|2|0|0|3|0|3")
	want(t, "interruptions", rows(t, h.answer("interruptions", p), "interruptions", "sleep", "off", "business", "groups",
		"hours", "nights", "people"), "||9|6|0|3|7|7|4|2")
}
