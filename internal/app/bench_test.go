package app

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/warehouse"
)

// historyDay is one event of each kind for two hundred incidents a day, on forty services
// of eight teams; {first} and {days} bound the days. Ids are hashes, as other tools' are:
// neighbours in time are not neighbours in any index.
const historyDay = `
INSERT INTO events (kind, at, id, source, subject, incident, service, person, actor, title, urgency, alert_class, channel, level, delivered, data, seen)
SELECT
    kind, toDateTime64('2022-01-01 00:00:00', 3, 'UTC') + toIntervalDay(day) + toIntervalSecond(second) + toIntervalSecond(after) AS at,
    hex(sipHash128(kind, n, day)) AS id, '/bench/history', incident, hex(sipHash64(n, day, 'incident')) AS incident,
    if(kind = 'incident.opened', concat('service-', toString(n % 40)), ''),
    if(kind IN ('incident.opened', 'incident.updated'), '', concat('person-', toString((n + day) % 64), '@example.org')),
    if(kind IN ('incident.opened', 'incident.updated'), 'unknown', 'user'),
    if(kind = 'incident.opened', 'Something is slow', ''), if(kind = 'incident.opened', 'high', ''), if(kind = 'incident.opened', concat('class-', toString(n % 7)), ''),
    if(kind = 'page.sent', 'sms', ''), toInt16(1), toInt8(-1), '{}', at
FROM (
    SELECT number % 200 AS n, intDiv(number, 200) + {first:UInt32} AS day, sipHash64(n, day) % 86400 AS second,
        arrayJoin([('incident.opened', 0), ('page.sent', 5), ('incident.acknowledged', 240 + 5 * n), ('incident.updated', 300), ('incident.noted', 900 + 5 * n), ('incident.resolved', 3600 + 300 * n)]) AS e,
        e.1 AS kind, e.2 AS after
    FROM numbers({days:UInt32} * 200))`

const historyFacts = `
INSERT INTO events (kind, at, id, source, subject, service, team, person, data, seen)
SELECT kind, toDateTime64('2021-12-01 00:00:00', 3, 'UTC') AS at, concat(kind, toString(n)), '/bench/history', id,
    if(kind = 'service.owned', id, ''), if(kind = 'person.described', '', concat('team-', toString(n % 8))), if(kind = 'service.owned', '', id),
    if(kind = 'person.described', '{"time_zone":"Europe/Berlin"}', '{}'), at
FROM (
    SELECT number AS n, arrayJoin([('service.owned', 'service-', '', 40), ('member.joined', 'person-', '@example.org', 64), ('person.described', 'person-', '@example.org', 64)]) AS f,
        f.1 AS kind, concat(f.2, toString(n), f.3) AS id
    FROM numbers(64) WHERE n < f.4)`

// BenchmarkLongHistory opens the pages of the last 90 days on 100 days of history (an
// interruption is looked for eight days back), and then on ten times as much: what a page
// costs must follow its window.
func BenchmarkLongHistory(b *testing.B) {
	ctx := context.Background()
	db, err := warehouse.Open(ctx, warehouse.Config{Dir: b.TempDir(), QueryTimeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, ingest.Migrations()); err != nil {
		b.Fatal(err)
	}
	const days = 1000
	now := time.Date(2022, 1, 1, 12, 0, 0, 0, time.UTC).AddDate(0, 0, days-1)
	clock := func() time.Time { now = now.Add(31 * time.Second); return now } // no answer is kept so long
	store, err := analytics.Open(ctx, db, analytics.Config{Now: clock})
	if err != nil {
		b.Fatal(err)
	}
	web, err := dashboards.New(dashboards.Deps{Store: store, Now: func() time.Time { return now }, Dev: true})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(web.Handler())
	defer server.Close()

	fill := func(first, n int) {
		b.Helper()
		for n > 0 {
			part := min(n, 100)
			if err := db.Exec(ctx, "fill", historyDay, warehouse.Param{Name: "first", Value: uint32(first)}, warehouse.Param{Name: "days", Value: uint32(part)}); err != nil {
				b.Fatal(err)
			}
			first, n = first+part, n-part
		}
		for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(200 * time.Millisecond) { // as it lies after a while
			if merges(b, db) == 0 {
				break
			}
		}
	}
	// open gives the medians of several openings of a page: time, and processor time, which
	// other work on the machine does not stretch.
	open := func(path string) (wall, cpu time.Duration) {
		b.Helper()
		var took, used []time.Duration
		for i := range 6 {
			begin, before := time.Now(), processor(b)
			resp, err := http.Get(server.URL + path)
			if err != nil {
				b.Fatal(err)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				b.Fatal(path, resp.Status, err)
			}
			if i > 0 { // the first one finds nothing warm
				took, used = append(took, time.Since(begin)), append(used, processor(b)-before)
			}
		}
		slices.Sort(took)
		slices.Sort(used)
		return took[len(took)/2], used[len(used)/2]
	}
	pages := []struct{ name, path string }{{"overview", "/"}, {"team", "/teams/team-3"}, {"oncall", "/oncall"}, {"ownership", "/ownership"}, {"service", "/services/service-3"}}
	for b.Loop() {
		if err := db.Exec(ctx, "facts", historyFacts); err != nil {
			b.Fatal(err)
		}
		fill(days-100, 100)
		short, cheap := map[string]time.Duration{}, map[string]time.Duration{}
		for _, p := range pages {
			short[p.name], cheap[p.name] = open(p.path)
		}
		fill(0, days-100)
		worst, dearest := 0.0, 0.0
		for _, p := range pages {
			long, dear := open(p.path)
			ratio := long.Seconds() / short[p.name].Seconds()
			worst, dearest = max(worst, ratio), max(dearest, dear.Seconds()/cheap[p.name].Seconds())
			b.ReportMetric(float64(short[p.name].Milliseconds()), p.name+"-ms")
			b.ReportMetric(ratio, p.name+"-10x/1x")
		}
		b.ReportMetric(dearest, "cpu-10x/1x")
		b.ReportMetric(worst, "10x/1x")
	}
}

// merges is how many are under way.
func merges(b *testing.B, db *warehouse.DB) (n uint64) {
	b.Helper()
	rows, err := db.Query(context.Background(), "merges", "SELECT count() FROM system.merges")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
}

// processor is the processor time of this process so far, the engine's included.
func processor(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
