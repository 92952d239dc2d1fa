package analytics_test

import (
	"fmt"
	"math"
	"math/rand"
	"net/url"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/analytics/oracle"
	"github.com/stewardhq/steward/ingest/event"
)

// query writes the oracle's parameters as a caller would.
func query(p oracle.Params) url.Values {
	v := url.Values{}
	set := func(name, s string) {
		if s != "" {
			v.Set(name, s)
		}
	}
	at := func(name string, t time.Time) {
		if !t.IsZero() {
			v.Set(name, t.Format(time.RFC3339Nano))
		}
	}
	at("from", p.From)
	at("to", p.To)
	at("as_of", p.AsOf)
	at("known_at", p.KnownAt)
	set("tz", p.TZ)
	set("bucket", p.Bucket)
	set("by", p.By)
	set("lens", p.Lens)
	set("auto_resolved", p.AutoResolved)
	set("hours", p.Hours)
	set("profile", p.Profile)
	set("assume", p.Assume)
	for name, list := range map[string][]string{"team": p.Team, "service": p.Service, "person": p.Person, "urgency": p.Urgency,
		"priority": p.Priority, "alert_class": p.AlertClass, "source": p.Source, "skill": p.Skill} {
		for _, s := range list {
			v.Add(name, s)
		}
	}
	return v
}

// same compares numbers as numbers: the oracle counts some integers in float64.
func same(a, b any) bool {
	x, ok1 := float(a)
	y, ok2 := float(b)
	if ok1 && ok2 {
		return math.Abs(x-y) <= 1e-6*math.Max(1, math.Abs(x))
	}
	return a == b
}

func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// diff says where an answer leaves the oracle's; empty if nowhere.
func diff(a *analytics.Answer, r oracle.Result) string {
	if len(a.Rows) != len(r.Rows) {
		return fmt.Sprintf("%d rows, oracle %d\n  got  %v\n  want %v", len(a.Rows), len(r.Rows), a.Rows, r.Rows)
	}
	for i := range a.Rows {
		for j := range a.Rows[i] {
			if !same(a.Rows[i][j], r.Rows[i][j]) {
				return fmt.Sprintf("row %v, column %s: %v, oracle %v\n  got  %v\n  want %v", a.Rows[i][:2], a.Columns[j].Name, a.Rows[i][j], r.Rows[i][j], a.Rows[i], r.Rows[i])
			}
		}
	}
	for _, k := range []string{"owner", "team", "zone", "opened"} {
		if a.Assumed[k] != r.Assumed[k] {
			return fmt.Sprintf("assumed %s: %d, oracle %d", k, a.Assumed[k], r.Assumed[k])
		}
	}
	return ""
}

// number reads a size from the environment, so that CI and a curious developer can ask
// for more than the default.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// TestMetricsEqualOracle compares every metric with an independent reading of METRICS, on
// random histories and random parameters. STEWARD_HISTORIES and STEWARD_SEED vary it.
func TestMetricsEqualOracle(t *testing.T) {
	seed := number("STEWARD_SEED", 1)
	only := os.Getenv("STEWARD_METRIC")
	for h := range number("STEWARD_HISTORIES", 2) {
		t.Run(fmt.Sprintf("history %d of seed %d", h, seed), func(t *testing.T) {
			r := rand.New(rand.NewSource(int64(seed)*1000 + int64(h)))
			events := oracle.History(r, 60)
			s, db := openStore(t, oracle.Now())
			insert(t, db, events)
			for _, metric := range oracle.Metrics() {
				for range number("STEWARD_QUESTIONS", 8) {
					p := oracle.RandomParams(r, metric)
					if only != "" && only != metric {
						continue
					}
					compare(t, s, events, metric, p)
				}
			}
		})
	}
}

func compare(t *testing.T, s *analytics.View, events []event.Event, metric string, p oracle.Params) {
	t.Helper()
	want, err := oracle.Answer(events, metric, p, oracle.Now())
	if err != nil {
		t.Fatalf("oracle: %s %+v: %v", metric, p, err)
	}
	got, err := s.Query(t.Context(), metric, query(p))
	if err != nil {
		t.Fatalf("%s %v: %v", metric, query(p), err)
	}
	if d := diff(got, want); d != "" {
		t.Errorf("%s %s: %s", metric, query(p).Encode(), d)
	}
}
