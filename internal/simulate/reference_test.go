package simulate

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The figures that METRICS prints for the scenario, computed here in the most naive way,
// so that a slip in the events is not later taken for a slip in a metric.
func TestReferenceGivesThePrintedFigures(t *testing.T) {
	type incident struct {
		opened, acked, resolved, firstPage time.Time
		team                               string
		auto                               bool
	}
	incidents := map[string]*incident{}
	get := func(id string) *incident {
		if incidents[id] == nil {
			incidents[id] = &incident{}
		}
		return incidents[id]
	}
	ids := map[string]bool{}
	var last time.Time
	for _, e := range Reference() {
		f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
		if err != nil {
			t.Fatalf("%s: %v", e.Kind, err)
		}
		if want := event.PartitionKey(f, e.Subject); e.Key != want {
			t.Errorf("%s: key %q, want %q", e.Kind, e.Key, want)
		}
		if ids[e.ID] {
			t.Errorf("%s: id twice", e.Subject)
		}
		ids[e.ID] = true
		if e.At.Before(last) && f.Incident == "" {
			t.Errorf("%s: out of order", e.Subject)
		}
		last = e.At
		switch e.Kind {
		case event.IncidentOpened:
			get(f.Incident).opened, get(f.Incident).team = e.At, f.Team
		case event.IncidentAcknowledged:
			get(f.Incident).acked = e.At
		case event.IncidentResolved:
			get(f.Incident).resolved, get(f.Incident).auto = e.At, f.Auto != nil && *f.Auto
		case event.PageSent:
			if i := get(f.Incident); i.firstPage.IsZero() {
				i.firstPage = e.At
			}
		}
	}
	if len(incidents) != 8 {
		t.Fatalf("%d incidents, want 8", len(incidents))
	}
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	var ack, closedAck, firstAction, closedFirst, resolve, resolveAuto []float64
	var sleep, business, ownerA int
	for id, i := range incidents {
		if i.firstPage != i.opened {
			t.Errorf("%s: first page %v, want the opening", id, i.firstPage)
		}
		h := i.firstPage.In(zone).Hour()
		if h < 8 || h >= 22 {
			sleep++
		} else if h < 18 {
			business++
		}
		if i.team == ReferenceTeamA {
			ownerA++
		}
		minutes := func(to time.Time) float64 { return to.Sub(i.opened).Minutes() }
		acked, closed := !i.acked.IsZero(), !i.resolved.IsZero()
		if acked {
			ack = append(ack, minutes(i.acked))
			firstAction = append(firstAction, minutes(i.acked))
			if closed {
				closedAck = append(closedAck, minutes(i.acked))
				closedFirst = append(closedFirst, minutes(i.acked))
			}
		} else {
			firstAction = append(firstAction, minutes(i.resolved))
			closedFirst = append(closedFirst, minutes(i.resolved))
		}
		if closed {
			resolveAuto = append(resolveAuto, minutes(i.resolved))
			if !i.auto {
				resolve = append(resolve, minutes(i.resolved))
			}
		}
	}
	mean := func(v []float64) (m float64) {
		for _, x := range v {
			m += x / float64(len(v))
		}
		return m
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"pagerduty", mean(ack), 6.25}, {"goalert", mean(closedAck), 7.33},
		{"grafana-oncall", mean(firstAction), 78.9}, {"opsgenie", mean(closedFirst), 89.7},
		{"resolve", mean(resolve), 186}, {"resolve with auto", mean(resolveAuto), 107},
		{"sleep", float64(sleep), 5}, {"business", float64(business), 3}, {"owner then A", float64(ownerA), 5},
	} {
		tolerance := 0.05
		if c.want > 100 {
			tolerance = 0.5
		}
		if c.got < c.want-tolerance || c.got > c.want+tolerance {
			t.Errorf("%s: %.3f, want %v", c.what, c.got, c.want)
		}
	}
}
