package analytics

import (
	"context"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Every file of the folder metric is held to the same rules; a new one needs no Go here.

var (
	clock    = regexp.MustCompile(`(?i)\b(now|now64|today|yesterday|rand\w*|generateUUID\w*|currentTimestamp|serverTimezone|timezone)\s*\(`)
	quantile = regexp.MustCompile(`(?i)\b(quantiles?|median|uniq|topK|approx)\w*`)
	exact    = regexp.MustCompile(`^(quantileExact(OrNull|OrNullIf|If)?|uniqExact(If)?)$`)
)

func TestMetricFiles(t *testing.T) {
	facts, err := loadFacts(files)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range facts {
		if at := clock.FindString(f.body); at != "" {
			t.Errorf("fact %s: %s…: the same question would not have the same answer", name, at)
		}
	}
	for name, m := range catalogue(t) {
		t.Run(name, func(t *testing.T) {
			if m.Version < 1 || m.Title == "" || m.Unit == "" || len(m.Definition) < 40 || len(m.facts) == 0 {
				t.Errorf("header: version %d, title %q, unit %q, facts %v, definition %q", m.Version, m.Title, m.Unit, m.facts, m.Definition)
			}
			if len(m.Columns) < 3 {
				t.Errorf("columns %v", m.Columns)
			}
			seen := map[string]bool{}
			for i, c := range m.Columns {
				if seen[c.Name] || slices.Contains(hidden, c.Name) || i > 1 && c.Unit == "" {
					t.Errorf("column %+v: its name is taken or it has no unit", c)
				}
				seen[c.Name] = true
			}
			for _, p := range m.Params {
				if p.Help == "" {
					t.Errorf("parameter %s is not explained", p.Name)
				}
				if len(p.Allowed) > 0 && !slices.Contains(p.Allowed, p.Default) {
					t.Errorf("parameter %s: the default %q is not allowed: %v", p.Name, p.Default, p.Allowed)
				}
			}
			if at := clock.FindString(m.SQL); at != "" {
				t.Errorf("%s…: the same question would not have the same answer", at)
			}
			for _, f := range quantile.FindAllString(m.SQL, -1) {
				if !exact.MatchString(f) {
					t.Errorf("%s is not exact", f)
				}
			}
			if !strings.HasSuffix(m.SQL, "\nGROUP BY place, bucket, key\nORDER BY place, bucket, key") &&
				!regexp.MustCompile(`\nGROUP BY place, bucket, key\nHAVING [^\n]+\nORDER BY place, bucket, key$`).MatchString(m.SQL) {
				t.Error("rows are not one for each bucket and key, in that order")
			}
			for _, item := range selected(m.SQL) {
				if item == "*" || strings.HasSuffix(item, ".*") || strings.HasPrefix(item, "* ") {
					t.Errorf("%q: the columns are to be named", item)
				}
			}
			asked := func(change func(*question)) question {
				q := question{metric: m, lens: "responder_team", auto: "include", splits: []Split{{"none", m.by[0]}}}
				change(&q)
				return q
			}
			composed := func(q question) string {
				sql, err := compose(facts, q)
				if err != nil {
					t.Fatal(err)
				}
				return sql
			}
			for _, by := range m.by {
				for _, bucket := range m.buckets {
					composed(asked(func(q *question) { q.splits = []Split{{bucket, by}} }))
				}
			}
			plain := composed(asked(func(*question) {}))
			for _, p := range m.takes {
				switch p {
				case "lens", "hours": // choose facts and bind other parameters
				case "profile":
					if !strings.Contains(plain, "{profile:String}") {
						t.Error("profile is offered and changes nothing")
					}
				default:
					filtered := composed(asked(func(q *question) {
						v := []string{"a"}
						q.team, q.service, q.person, q.urgency, q.priority, q.alertClass, q.source, q.skill, q.auto = v, v, v, v, v, v, v, v, "only"
					}))
					if text := regexp.MustCompile(`[{]` + p + `:(Array\()?String`); text.MatchString(plain) || !text.MatchString(filtered) {
						t.Errorf("%s is offered and does not filter when and only when it is given", p)
					}
				}
			}
		})
	}
}

// selected are the expressions of a SELECT's own list.
func selected(sql string) []string {
	body := strings.TrimPrefix(sql, "SELECT")
	var out []string
	depth, from := 0, 0
	for i := range len(body) {
		switch c := body[i]; {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case depth > 0:
		case c == ',':
			out = append(out, strings.TrimSpace(body[from:i]))
			from = i + 1
		case strings.HasPrefix(body[i:], "\nFROM"):
			return append(out, strings.TrimSpace(body[from:i]))
		}
	}
	return out
}

func TestSelected(t *testing.T) {
	got := selected("SELECT\n    a, f(b, c) AS d,\n    i.*, *\nFROM (SELECT x, y FROM z) AS i")
	if want := []string{"a", "f(b, c) AS d", "i.*", "*"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestStatements composes every metric in its dearest form, asks an empty warehouse, and
// compares what comes back with the header; then asks it plainly.
func TestStatements(t *testing.T) {
	ctx := context.Background()
	db, err := warehouse.Open(ctx, warehouse.Config{Dir: t.TempDir()})
	if err != nil {
		if os.Getenv("STEWARD_CI") == "" && strings.Contains(err.Error(), "make engine") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(ctx, ingest.Migrations()); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 10, 11, 22, 33, 0, time.UTC)
	s, err := Open(ctx, db, Config{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range s.metrics {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dear := url.Values{"by": {m.by[len(m.by)-1]}, "bucket": {m.buckets[len(m.buckets)/2]}, "tz": {"America/Sao_Paulo"}, "as_of": {"2026-03-09T12:34:56Z"}}
			if m.takesParam("team") {
				dear.Set("team", "a")
			}
			if m.takesParam("lens") {
				dear.Set("lens", "responder_team")
			}
			q, err := parse(m, dear, now, time.UTC, s.sets)
			if err != nil {
				t.Fatal(err)
			}
			sql, err := s.statement(q)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(sql, "/*") {
				t.Errorf("a placeholder is left: %.60q", sql[strings.Index(sql, "/*"):])
			}
			holds(t, db, m, sql, q.bind())
			a, err := s.For(access.Operator(), "tests").Query(ctx, name, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Rows) != 0 || !a.Watermark.IsZero() || a.OrgZone != 0 {
				t.Errorf("of nothing: %v, watermark %v", a.Rows, a.Watermark)
			}
		})
	}
}

// holds runs a statement that finds nothing and compares its columns with the header.
func holds(t *testing.T, db *warehouse.DB, m metricFile, sql string, params []warehouse.Param) {
	t.Helper()
	rows, err := db.Query(context.Background(), "test", sql, params...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		v, err := rows.Values()
		t.Errorf("an empty history has the row %v (%v)", v, err)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	got := rows.Columns()
	if len(got) != len(m.Columns)+len(hidden) {
		t.Fatalf("%d columns, header %d and %d hidden: %v", len(got), len(m.Columns), len(hidden), got)
	}
	kinds := map[string]*regexp.Regexp{
		"string":  regexp.MustCompile(`^(LowCardinality\(String\)|String)$`),
		"integer": regexp.MustCompile(`^(U?Int(8|16|32|64)|Nullable\(U?Int(8|16|32|64)\))$`),
		"moment":  regexp.MustCompile(`^(DateTime64\(3, 'UTC'\)|Nullable\(DateTime64\(3, 'UTC'\)\))$`),
		"number":  regexp.MustCompile(`^(Float64|Nullable\(Float64\))$`),
	}
	for i, c := range got {
		want := Column{Name: "", Type: "integer"}
		if i < len(m.Columns) {
			want = m.Columns[i]
		} else {
			want.Name = hidden[i-len(m.Columns)]
		}
		if c.Name != want.Name || !kinds[want.Type].MatchString(c.Type) {
			t.Errorf("column %d is %s %s, the header says %s %s", i+1, c.Name, c.Type, want.Name, want.Type)
		}
	}
}
