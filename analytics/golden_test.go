package analytics_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/simulate"
)

// update writes what is answered now into testdata/golden; the change is then read in review.
var update = flag.Bool("update", false, "write the golden files")

// goldenHistory is one shared history and the questions asked of each metric about it.
type goldenHistory struct {
	name   string
	now    time.Time
	events func(t *testing.T) []event.Event
	window string
	asked  map[string][]string // parameters by metric, besides the window; "" stands for none
}

var goldenHistories = []goldenHistory{
	{
		name: "reference", now: time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC), window: "from=2025-06-01 to=2025-07-01",
		events: func(*testing.T) []event.Event { return simulate.Reference() },
		asked: map[string][]string{
			"incidents":          {"by=team bucket=week"},
			"pages":              {"by=level"},
			"interruptions":      {"by=person"},
			"time_to_ack":        {"profile=opsgenie by=urgency"},
			"time_to_resolve":    {"auto_resolved=include by=service"},
			"oncall_hours":       {""},
			"ownership_quadrant": {"by=team"},
			"hops":               {"by=team lens=owner_now"},
		},
	},
	{
		name: "organisation", now: organisation.End, window: "from=2026-08-15 to=2026-10-01 tz=America/New_York",
		events: simulated,
		asked: map[string][]string{
			"incidents":          {"bucket=week", "by=hour_class known_at=2026-09-10T12:00:00Z"},
			"pages":              {"by=person bucket=month", "by=weekday_hour urgency=high"},
			"interruptions":      {"by=person bucket=month", "by=team"},
			"time_to_ack":        {"by=team bucket=month", "profile=grafana-oncall by=priority as_of=2026-09-10T12:00:00Z"},
			"time_to_resolve":    {"by=service", "bucket=day by=urgency"},
			"oncall_hours":       {"by=team bucket=week", "by=hour_class hours=incident-io"},
			"ownership_quadrant": {"by=team", "by=service assume=none lens=owner_now"},
			"hops":               {"by=team lens=responder_team", "by=alert_class"},
			"verdicts":           {"by=team bucket=month", "by=alert_class", "by=person known_at=2026-09-10T12:00:00Z"},
			"graduation":         {""},
		},
	},
	{
		name: "walks", now: walkNow, window: "to=2026-05-01",
		events: walkHistory,
		asked: map[string][]string{
			"verdicts":   {"by=person"},
			"graduation": {"", "as_of=2026-04-06T20:00:00Z", "person=chat:edges"},
		},
	},
	{
		name: "skills", now: skillsNow, window: "to=2026-03-09",
		events: skillsHistory,
		asked: map[string][]string{
			"skill_levels":      {"skill=queue-stream-ops", "by=skill person=ana@example.org", "skill=queue-stream-ops team=search as_of=2026-02-20"},
			"skill_gaps":        {"", "team=payments", "team=search known_at=2026-02-20"},
			"skill_coverage":    {"from=2026-02-23 team=payments bucket=week", "from=2026-02-23 skill=queue-stream-ops"},
			"skill_overlap":     {"", "skill=queue-stream-ops skill=backup-restore team=payments", "as_of=2026-01-25"},
			"training_progress": {"", "by=person", "by=team bucket=month", "by=track"},
		},
	},
}

var organisation = simulate.Config{Teams: 3, Services: 6, People: 12, Days: 60, End: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), Seed: 7}

func simulated(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	if err := simulate.Events(organisation, func(e event.Event) error { out = append(out, e); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGolden holds the rows of every metric over shared histories, as CSV. A change of a
// definition shows as a change of these files; run with -update to make it, and say in
// the commit why the numbers move.
func TestGolden(t *testing.T) {
	got := map[string]*bytes.Buffer{}
	ran, asked := 0, map[string]bool{}
	for _, h := range goldenHistories {
		t.Run(h.name, func(t *testing.T) {
			ran++
			s, db := openStore(t, h.now)
			insert(t, db, h.events(t))
			var questions []question
			for _, m := range s.Metrics() {
				asked[m.Name] = asked[m.Name] || len(h.asked[m.Name]) > 0
				for _, params := range h.asked[m.Name] {
					questions = append(questions, question{m.Name, strings.Fields(h.window + " " + params)})
				}
			}
			for i, a := range askAll(t, s, questions) {
				b := got[a.Metric]
				if b == nil {
					b = &bytes.Buffer{}
					got[a.Metric] = b
				}
				fmt.Fprintf(b, "# %s: %s\n", h.name, strings.Join(questions[i].params, " "))
				if err := a.WriteCSV(b); err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(b, "# assumed owner %d team %d zone %d opened %d\n\n", a.Assumed["owner"], a.Assumed["team"], a.Assumed["zone"], a.Assumed["opened"])
			}
		})
	}
	if t.Failed() || ran < len(goldenHistories) { // -run may have chosen some: a file holds all
		return
	}
	for metric, is := range asked {
		if !is {
			t.Errorf("%s: ask it something", metric)
		}
	}
	files, err := filepath.Glob("testdata/golden/*.csv")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if got[strings.TrimSuffix(filepath.Base(f), ".csv")] == nil && !*update {
			t.Errorf("%s is of no metric", f)
		}
	}
	for metric, b := range got {
		file := filepath.Join("testdata", "golden", metric+".csv")
		if *update {
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v; -update writes it", err)
			continue
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s, -update writes what is answered now:\n%s", file, firstDifference(b.String(), string(want)))
		}
	}
}
