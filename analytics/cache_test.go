package analytics_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/simulate"
	"github.com/stewardhq/steward/internal/warehouse"
)

// counted is a store whose statements are counted by name, and whose clock is set.
type counted struct {
	*analytics.View
	db  *warehouse.DB
	now atomic.Pointer[time.Time]
	mu  sync.Mutex
	n   map[string]int
}

func openCounted(t *testing.T, now time.Time) *counted {
	t.Helper()
	ctx := context.Background()
	c := &counted{n: map[string]int{}}
	c.now.Store(&now)
	var err error
	c.db, err = warehouse.Open(ctx, warehouse.Config{Dir: t.TempDir(), Observe: func(s warehouse.Stat) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.n[s.Name]++
	}})
	if err != nil {
		if os.Getenv("STEWARD_CI") == "" && strings.Contains(err.Error(), "make engine") {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() { c.db.Close() })
	if err := c.db.Migrate(ctx, ingest.Migrations()); err != nil {
		t.Fatal(err)
	}
	s, err := analytics.Open(ctx, c.db, analytics.Config{Now: func() time.Time { return *c.now.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	c.View = s.For(access.Operator(), "tests")
	return c
}

func (c *counted) later(d time.Duration) {
	now := c.now.Load().Add(d)
	c.now.Store(&now)
}

// asks counts how often the statement of a metric ran while f did.
func (c *counted) asks(metric string, f func()) int {
	count := func() int {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.n["metric "+metric]
	}
	before := count()
	f()
	return count() - before
}

func TestCache(t *testing.T) {
	c := openCounted(t, time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC))
	events := simulate.Reference()
	insert(t, c.db, events)
	expect := func(what string, want, got int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: asked %d times, want %d", what, got, want)
		}
	}
	incidents := func(params ...string) func() {
		return func() { ask(t, c.View, "incidents", append(params, "from=2025-06-01")...) }
	}

	// Identical questions at one time are one, and a caller who leaves takes nobody along.
	gone, leave := context.WithCancel(context.Background())
	answers := make([]*analytics.Answer, 16)
	expect("sixteen at once", 1, c.asks("incidents", func() {
		var wait sync.WaitGroup
		start := make(chan struct{})
		for i := range answers {
			wait.Go(func() {
				<-start
				answers[i] = ask(t, c.View, "incidents", "from=2025-06-01")
			})
		}
		wait.Go(func() {
			<-start
			_, err := c.Query(gone, "incidents", values([]string{"from=2025-06-01"}))
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		close(start)
		leave()
		wait.Wait()
	}))
	for _, a := range answers {
		if a == nil || cellOf(t, a, "", "incidents") != int64(8) {
			t.Fatalf("answers %v", answers)
		}
	}

	// Without as_of a question is about now, which lasts half a minute.
	expect("again", 0, c.asks("incidents", incidents()))
	expect("other parameters", 1, c.asks("incidents", incidents("by=team")))
	expect("another metric", 1, c.asks("pages", func() { ask(t, c.View, "pages", "from=2025-06-01") }))
	c.later(29 * time.Second)
	expect("29 s later", 0, c.asks("incidents", incidents()))
	c.later(2 * time.Second)
	expect("31 s later", 1, c.asks("incidents", incidents()))

	// With as_of it is the same for ever, until something arrives.
	expect("as of June", 1, c.asks("incidents", incidents("as_of=2025-06-20")))
	c.later(24 * time.Hour)
	expect("as of June, a day later", 0, c.asks("incidents", incidents("as_of=2025-06-20")))

	at := time.Date(2025, 6, 10, 12, 0, 0, 0, time.UTC)
	extra, err := event.New("/test", event.IncidentOpened, "i9", "i9", at, map[string]any{"incident": "i9", "title": "late news"})
	if err != nil {
		t.Fatal(err)
	}
	extra.Seen = at.Add(time.Minute) // an import: older than the latest that is known
	insert(t, c.db, []event.Event{extra})
	time.Sleep(100 * time.Millisecond) // the state of the log is looked at 20 times a second
	var a *analytics.Answer
	expect("after an insert", 1, c.asks("incidents", func() { a = ask(t, c.View, "incidents", "as_of=2025-06-20", "from=2025-06-01") }))
	if got := cellOf(t, a, "", "incidents"); got != int64(9) {
		t.Errorf("%v incidents after one more arrived, want 9", got)
	}
	expect("after an insert, again", 0, c.asks("incidents", incidents("as_of=2025-06-20")))
}

// TestHalfAnInsertIsNotKept: an insert reaches events first and then one projection after the
// other. Who asks between reads half of it, and must not leave that to who asks later.
func TestHalfAnInsertIsNotKept(t *testing.T) {
	t.Run("as made", func(t *testing.T) { halfAnInsert(t, false) })
	t.Run("rebuilt", func(t *testing.T) { halfAnInsert(t, true) })
}

func halfAnInsert(t *testing.T, rebuilt bool) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	c := openCounted(t, now)
	ctx := t.Context()
	told := func(kind event.Kind, data map[string]any) event.Event {
		e, err := event.New("/t", kind, "s", string(kind), now.Add(-24*time.Hour), data)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	if rebuilt {
		if err := c.Rebuild(ctx, func(string, uint64) {}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := c.db.Query(ctx, "views", "SELECT name, as_select FROM system.tables WHERE database = currentDatabase() AND name LIKE 'person_mv_%'")
	if err != nil {
		t.Fatal(err)
	}
	var view, selects string
	for rows.Next() {
		if err := rows.Scan(&view, &selects); err != nil {
			t.Fatal(err)
		}
	}
	rows.Close()
	exec := func(sql string) {
		t.Helper()
		if err := c.db.Exec(ctx, "half an insert", sql); err != nil {
			t.Fatal(err)
		}
	}
	exec("DETACH TABLE " + view) // what would reach person has not yet
	insert(t, c.db, []event.Event{
		told(event.SkillEvidenced, map[string]any{"person": "chat:ana", "skill": "alert-triage", "kind": "solo", "ref": "i1", "rule_version": "1"}),
		told(event.PersonDescribed, map[string]any{"person": "ana@example.org", "aliases": []string{"chat:ana"}}),
	})
	who := func() any {
		t.Helper()
		time.Sleep(100 * time.Millisecond) // longer than a mark is shared
		a := ask(t, c.View, "skill_levels", "as_of=2026-03-02T00:00:00Z", "known_at=2026-03-02T00:00:00Z")
		if len(a.Rows) != 1 {
			t.Fatalf("rows: %v", a.Rows)
		}
		return a.Rows[0][1]
	}
	if got := who(); got != "chat:ana" {
		t.Fatalf("before the alias was there: %v", got)
	}
	exec("INSERT INTO " + strings.Replace(view, "_mv_", "_", 1) + " " + selects)
	if got := who(); got != "ana@example.org" {
		t.Errorf("after the rest of the insert: %v", got)
	}
}
