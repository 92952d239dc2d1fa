package app

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/internal/warehouse"
)

// historyDay is one event of each kind for two hundred incidents a day, on forty services
// of eight teams; {first} and {days} bound the days. Ids are hashes, as other tools' are:
// neighbours in time are not neighbours in any index.
const historyDay = `
INSERT INTO events (kind, at, id, source, subject, incident, service, person, actor, title, urgency, alert_class, channel, level, delivered, data, seen, digest)
SELECT
    kind, toDateTime64('2022-01-01 00:00:00', 3, 'UTC') + toIntervalDay(day) + toIntervalSecond(second) + toIntervalSecond(after) AS at,
    hex(sipHash128(kind, n, day)) AS id, '/bench/history', incident, hex(sipHash64(n, day, 'incident')) AS incident,
    if(kind = 'incident.opened', concat('service-', toString(n % 40)), ''),
    if(kind IN ('incident.opened', 'incident.updated'), '', concat('person-', toString((n + day) % 64), '@example.org')),
    if(kind IN ('incident.opened', 'incident.updated'), 'unknown', 'user'),
    if(kind = 'incident.opened', 'Something is slow', ''), if(kind = 'incident.opened', 'high', ''), if(kind = 'incident.opened', concat('class-', toString(n % 7)), ''),
    if(kind = 'page.sent', 'sms', ''), toInt16(1), toInt8(-1), '{}', at, sipHash64(id)
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

// TestMain lets the test binary also be one of the two servers of BenchmarkLongHistory.
func TestMain(m *testing.M) {
	if days, err := strconv.Atoi(os.Getenv("STEWARD_BENCH_HISTORY")); err == nil {
		if err := serveHistory(days, os.Getenv("STEWARD_BENCH_DIR")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const historyDays = 1000

// serveHistory fills a directory with the last days of the history and serves its pages
// until standard input ends. It prints its address when it is ready. A header tells the
// processor time of the whole process so far, which other work on the machine does not stretch.
func serveHistory(days int, dir string) error {
	ctx := context.Background()
	db, err := warehouse.Open(ctx, warehouse.Config{Dir: dir, QueryTimeout: time.Minute})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Migrate(ctx, ingest.Migrations()); err != nil {
		return err
	}
	// Now is after the last event: with some still to be learned, every question would be one about the past.
	now := time.Date(2022, 1, 1, 18, 0, 0, 0, time.UTC).AddDate(0, 0, historyDays)
	clock := func() time.Time { now = now.Add(31 * time.Second); return now } // no answer is kept so long
	store, err := analytics.Open(ctx, db, analytics.Config{Now: clock})
	if err != nil {
		return err
	}
	web, err := dashboards.New(dashboards.Deps{Store: dashboards.Over(store), Gate: func(*http.Request) (access.Who, error) { return access.Operator(), nil }, Now: func() time.Time { return now }, Dev: true})
	if err != nil {
		return err
	}
	if err := db.Exec(ctx, "facts", historyFacts); err != nil {
		return err
	}
	for first := historyDays - days; first < historyDays; first += 100 {
		if err := db.Exec(ctx, "fill", historyDay, warehouse.Param{Name: "first", Value: uint32(first)}, warehouse.Param{Name: "days", Value: uint32(100)}); err != nil {
			return err
		}
	}
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(200 * time.Millisecond) { // as it lies after a while
		if n, err := merges(ctx, db); err != nil {
			return err
		} else if n == 0 {
			break
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before := processor()
		web.Handler().ServeHTTP(w, r)
		w.Header().Set(http.TrailerPrefix+"Processor", strconv.FormatInt(int64(processor()-before), 10))
	}))
	defer server.Close()
	fmt.Println(server.URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// BenchmarkLongHistory opens the pages of the last 90 days on 100 days of history (an
// interruption is looked for eight days back) and on ten times as much: what a page costs
// must follow its window. Each history has a process of its own, and they are asked in
// turn, so that both meet the same machine.
func BenchmarkLongHistory(b *testing.B) {
	short, long := startHistory(b, 100), startHistory(b, historyDays)
	pages := []struct{ name, path string }{{"overview", "/"}, {"team", "/teams/team-3"}, {"oncall", "/oncall"}, {"ownership", "/ownership"}, {"service", "/services/service-3"}}
	for b.Loop() {
		worst, dearest := 0.0, 0.0
		for _, p := range pages {
			var took, used [2][]time.Duration
			for round := range 11 {
				for i, server := range []string{short, long} {
					wall, cpu := openPage(b, server+p.path)
					if round > 1 { // the first ones find nothing warm
						took[i], used[i] = append(took[i], wall), append(used[i], cpu)
					}
				}
			}
			ratio, dear := median(took[1])/median(took[0]), median(used[1])/median(used[0])
			worst, dearest = max(worst, ratio), max(dearest, dear)
			b.ReportMetric(1000*median(took[0]), p.name+"-ms")
			b.ReportMetric(ratio, p.name+"-10x/1x")
		}
		b.ReportMetric(dearest, "cpu-10x/1x")
		b.ReportMetric(worst, "10x/1x")
	}
}

// startHistory starts a server of so many days and returns its address.
func startHistory(b *testing.B, days int) string {
	b.Helper()
	cmd := exec.Command(os.Args[0]) // it ends with its standard input
	cmd.Env = append(os.Environ(), "STEWARD_BENCH_HISTORY="+strconv.Itoa(days), "STEWARD_BENCH_DIR="+b.TempDir())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error("the server of ", days, " days: ", err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal("the server of ", days, " days did not start: ", err)
	}
	return strings.TrimSpace(address)
}

// openPage reads a page to its end.
func openPage(b *testing.B, url string) (wall, cpu time.Duration) {
	b.Helper()
	begin := time.Now()
	resp, err := http.Get(url)
	if err != nil {
		b.Fatal(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		b.Fatal(url, resp.Status, err)
	}
	wall = time.Since(begin)
	used, err := strconv.ParseInt(resp.Trailer.Get("Processor"), 10, 64)
	if err != nil {
		b.Fatal("no processor time: ", err)
	}
	return wall, time.Duration(used)
}

// median in seconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

// merges is how many are under way.
func merges(ctx context.Context, db *warehouse.DB) (n uint64, err error) {
	rows, err := db.Query(ctx, "merges", "SELECT count() FROM system.merges")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, rows.Err()
}

// processor is the processor time of this process so far, the engine's included.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
