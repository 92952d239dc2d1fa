package analytics_test

import (
	"testing"
	"time"

	"github.com/stewardhq/steward/internal/simulate"
)

// TestReferenceScenario holds every figure that METRICS prints for the eight incidents.
func TestReferenceScenario(t *testing.T) {
	s, db := openStore(t, time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC))
	insert(t, db, simulate.Reference())
	window := []string{"from=2025-06-01", "to=2025-07-01"}
	for _, c := range []struct {
		name, metric string
		params       []string
		key, column  string
		want         any
	}{
		{"hour classes", "incidents", []string{"by=hour_class"}, "sleep", "incidents", int64(5)},
		{"hour classes", "incidents", []string{"by=hour_class"}, "off", "incidents", nil},
		{"hour classes", "incidents", []string{"by=hour_class"}, "business", "incidents", int64(3)},
		{"incident-io hours", "incidents", []string{"by=hour_class", "hours=incident-io"}, "sleep", "incidents", int64(5)},
		{"incident-io hours", "incidents", []string{"by=hour_class", "hours=incident-io"}, "off", "incidents", nil},
		{"incident-io hours", "incidents", []string{"by=hour_class", "hours=incident-io"}, "business", "incidents", int64(3)},
		{"load", "incidents", nil, "", "incident_load", int64(6)},
		{"all", "incidents", nil, "", "incidents", int64(8)},
		{"auto", "incidents", nil, "", "auto_resolved", int64(3)},
		{"open", "incidents", nil, "", "open", int64(1)},
		{"owner then", "incidents", []string{"by=team"}, "A", "incidents", int64(5)},
		{"owner then", "incidents", []string{"by=team"}, "B", "incidents", int64(3)},
		{"owner now", "incidents", []string{"by=team", "lens=owner_now"}, "A", "incidents", nil},
		{"owner now", "incidents", []string{"by=team", "lens=owner_now"}, "B", "incidents", int64(8)},
		{"pagerduty", "time_to_ack", []string{"profile=pagerduty"}, "", "mean", 6.25 * 60},
		{"goalert", "time_to_ack", []string{"profile=goalert"}, "", "mean", 440.0},
		{"goalert n", "time_to_ack", []string{"profile=goalert"}, "", "n", int64(3)},
		{"goalert not acked", "time_to_ack", []string{"profile=goalert"}, "", "not_acked", int64(4)},
		{"grafana-oncall", "time_to_ack", []string{"profile=grafana-oncall"}, "", "mean", 631.0 * 60 / 8},
		{"opsgenie", "time_to_ack", []string{"profile=opsgenie"}, "", "mean", 5382.857},
		{"steward", "time_to_ack", nil, "", "mean", 6.25 * 60},
		{"steward not acked", "time_to_ack", nil, "", "not_acked", int64(1)},
		{"resolve without auto", "time_to_resolve", nil, "", "mean", 186.0 * 60},
		{"resolve with auto", "time_to_resolve", []string{"auto_resolved=include"}, "", "mean", 6428.571},
		{"resolve median with auto", "time_to_resolve", []string{"auto_resolved=include"}, "", "p50", 30.0 * 60},
		{"quadrant", "ownership_quadrant", nil, "", "owned", int64(5)},
		{"quadrant", "ownership_quadrant", nil, "", "untouched", int64(3)},
		{"pages", "pages", nil, "", "pages", int64(9)},
		{"interruptions", "interruptions", nil, "", "interruptions", int64(9)},
		{"hops", "hops", nil, "", "n", int64(8)},
		{"on call", "oncall_hours", nil, "", "total", nil},
	} {
		a := ask(t, s, c.metric, append(append([]string(nil), window...), c.params...)...)
		if got := cellOf(t, a, c.key, c.column); got != c.want {
			t.Errorf("%s: %s %v: %s of %q = %v, want %v", c.name, c.metric, c.params, c.column, c.key, got, c.want)
		}
	}
}
