package analytics_test

import (
	"context"
	"fmt"
	"math/rand"
	"net/url"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/analytics/oracle"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
)

// TestOrderDoesNotMatter brings one history in three ways: in order and at once; shuffled,
// with every event delivered again later, cut into blocks at random; backwards in small
// blocks. What is stored and what is answered is the same.
//
// Left out of the comparison: partition and offset of the events, which say where in the
// log a copy lay; and for the history that is delivered twice the projection arrival and
// the watermark, which say when we last heard anything, and a redelivery is something heard.
// With known_at the watermark is not compared at all: it is read from the copies that merges left.
func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewSource(int64(number("STEWARD_SEED", 1)) + 77))
	events := oracle.History(r, 150)
	sort.SliceStable(events, func(i, j int) bool { return events[i].Seen.Before(events[j].Seen) })

	twice := slices.Clone(events)
	for _, e := range events {
		e.Seen = e.Seen.Add(time.Duration(1+r.Intn(40*86400)) * time.Second)
		twice = append(twice, e)
	}
	r.Shuffle(len(twice), func(i, j int) { twice[i], twice[j] = twice[j], twice[i] })
	backwards := slices.Clone(events)
	slices.Reverse(backwards)
	middle := events[len(events)/2].Seen // some is known then, some is not

	var want map[string]string
	for _, way := range []struct {
		name  string
		cut   func() int
		told  []event.Event
		fresh bool // how fresh the news is can be compared
	}{
		{"in order at once", func() int { return len(events) }, events, true},
		{"shuffled twice over in random blocks", func() int { return 1 + r.Intn(80) }, twice, false},
		{"backwards in small blocks", func() int { return 10 + r.Intn(7) }, backwards, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			s, db := openStore(t, oracle.Now())
			for rest := way.told; len(rest) > 0; {
				n := min(way.cut(), len(rest))
				insert(t, db, rest[:n])
				rest = rest[n:]
			}
			got := everything(t, s, db, middle)
			if want == nil {
				want = got
				return
			}
			if len(got) != len(want) {
				t.Errorf("%d things compared, %d before", len(got), len(want))
			}
			for name, w := range want {
				if !way.fresh && (name == "table arrival" || strings.HasPrefix(name, "watermark")) {
					continue
				}
				if got[name] != w {
					t.Errorf("%s:\n%s", name, firstDifference(got[name], w))
				}
			}
		})
	}
}

// everything is the merged content of every table and the answer of every metric, as text.
func everything(t *testing.T, s *analytics.View, db *warehouse.DB, knownAt time.Time) map[string]string {
	t.Helper()
	out := map[string]string{}
	tables := []string{"events"}
	projections, err := os.ReadDir("schema") // every one of them
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range projections {
		tables = append(tables, strings.TrimSuffix(p.Name(), ".sql"))
	}
	for _, table := range tables {
		text := merged(t, db, table)
		if text == "" {
			t.Errorf("%s is empty: nothing is compared", table)
		}
		out["table "+table] = text
	}
	bys := map[string]string{"incidents": "service", "time_to_ack": "alert_class", "time_to_resolve": "source", "hops": "team",
		"ownership_quadrant": "urgency", "pages": "level", "interruptions": "person", "oncall_hours": "team",
		"skill_levels": "skill", "skill_gaps": "skill", "skill_coverage": "skill", "skill_overlap": "team", "training_progress": "team", "verdicts": "service", "graduation": "person"}
	var questions []question
	for _, m := range s.Metrics() {
		by, ok := bys[m.Name]
		if !ok {
			t.Errorf("%s: say by what to ask it here", m.Name)
		}
		bucket := "month"
		for _, p := range m.Params {
			if p.Name == "bucket" && len(p.Allowed) == 1 {
				bucket = p.Default
			}
		}
		questions = append(questions, question{m.Name, []string{"from=2025-01-01"}},
			question{m.Name, []string{"from=2025-01-01", "by=" + by, "bucket=" + bucket, "known_at=" + knownAt.Format(time.RFC3339Nano)}})
	}
	for i, a := range askAll(t, s, questions) {
		name := fmt.Sprint(questions[i])
		out[name] = fmt.Sprintln(a.Assumed, a.OrgZone) + lines(a.Rows)
		if len(questions[i].params) == 1 {
			out["watermark of "+name] = a.Watermark.String()
		}
	}
	return out
}

// question is one metric with its "name=value" parameters.
type question struct {
	metric string
	params []string
}

// askAll asks two questions at a time: most of a small question's cost is its plan, which
// uses one processor.
func askAll(t testing.TB, s *analytics.View, questions []question) []*analytics.Answer {
	t.Helper()
	out := make([]*analytics.Answer, len(questions))
	failed := make([]error, len(questions))
	var wait sync.WaitGroup
	next := make(chan int)
	for range 2 {
		wait.Go(func() {
			for i := range next {
				out[i], failed[i] = s.Query(context.Background(), questions[i].metric, values(questions[i].params))
			}
		})
	}
	for i := range questions {
		next <- i
	}
	close(next)
	wait.Wait()
	for i, err := range failed {
		if err != nil {
			t.Fatalf("%v: %v", questions[i], err)
		}
	}
	return out
}

func values(params []string) url.Values {
	v := url.Values{}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		v.Add(name, value)
	}
	return v
}

func lines(rows [][]any) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&b, r...)
	}
	return b.String()
}

// merged reads a table as if every merge had happened, with every column, in order. Sets
// have no order of their own, so they are sorted.
func merged(t *testing.T, db *warehouse.DB, table string) string {
	t.Helper()
	var columns []string
	for _, r := range selectAll(t, db, "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = '"+table+"' ORDER BY position") {
		name, kind := r[0].(string), r[1].(string)
		switch {
		case table == "events" && (name == "partition" || name == "offset"):
		case strings.Contains(kind, "groupUniqArrayArray"):
			columns = append(columns, "arraySort("+name+")")
		default:
			columns = append(columns, name)
		}
	}
	if len(columns) == 0 {
		t.Fatalf("no table %s", table)
	}
	var b strings.Builder
	for _, r := range selectAll(t, db, "SELECT toString(tuple("+strings.Join(columns, ", ")+")) AS line FROM "+table+" FINAL ORDER BY line") {
		fmt.Fprintln(&b, r[0])
	}
	return b.String()
}

func selectAll(t testing.TB, db *warehouse.DB, sql string) [][]any {
	t.Helper()
	rows, err := db.Query(context.Background(), "test", sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out [][]any
	for rows.Next() {
		v, err := rows.Values()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// firstDifference shows the first lines that differ of two texts.
func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		a, b := "(no line)", "(no line)"
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			return fmt.Sprintf("line %d\n  got  %s\n  want %s", i+1, a, b)
		}
	}
	return "no difference"
}
