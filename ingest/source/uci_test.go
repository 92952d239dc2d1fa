package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// told is one incident as the definitions read it from events: the oracle of these tests.
type told struct {
	opened, resolved time.Time
	priority         string
	reopened, human  bool
	teams            []string
}

// before is the total order of events.
func before(a, b event.Event) bool {
	if !a.At.Equal(b.At) {
		return a.At.Before(b.At)
	}
	return a.ID < b.ID
}

// read folds events, in the order (at, id), into incidents.
func read(t testing.TB, events []event.Event) map[string]*told {
	t.Helper()
	events = slices.Clone(events)
	sort.Slice(events, func(i, j int) bool { return before(events[i], events[j]) })
	out := map[string]*told{}
	for _, e := range events {
		f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
		if err != nil {
			t.Fatal(err)
		}
		if f.Incident == "" {
			continue
		}
		x := out[f.Incident]
		if x == nil {
			x = &told{}
			out[f.Incident] = x
		}
		if f.Priority != "" {
			x.priority = f.Priority
		}
		switch e.Kind {
		case event.IncidentOpened:
			x.opened = e.At
			if f.Team != "" {
				x.teams = append(x.teams, "team:"+f.Team)
			}
		case event.IncidentReassigned:
			x.teams = append(x.teams, f.To...)
		case event.IncidentResolved:
			x.resolved, x.human = e.At, f.Actor() == "user"
		case event.IncidentReopened:
			x.resolved, x.reopened = time.Time{}, true
		}
	}
	return out
}

func TestUCISmall(t *testing.T) {
	f := format(t, "uci-incident-log")
	all := importAll(t, f, "", fixture(t, "uci-incident-log", "small.csv"))
	x := read(t, eventsOf(all))
	if len(x) != 3 {
		t.Fatalf("%d incidents", len(x))
	}
	one := x["uci:TCK0001"]
	if h := one.resolved.Sub(one.opened); h != 33*time.Hour+10*time.Minute || one.priority != "1" || !one.reopened || !one.human {
		t.Errorf("TCK0001: %v, %+v", h, one)
	}
	if !slices.Equal(one.teams, []string{"team:uci:group-5", "team:uci:group-6"}) {
		t.Errorf("TCK0001 went through %v", one.teams)
	}
	if two := x["uci:TCK0002"]; !two.resolved.IsZero() || two.reopened {
		t.Errorf("closed without a resolution is resolved: %+v", two)
	}
	if five := x["uci:TCK0005"]; !five.resolved.Equal(five.opened) || !five.reopened || five.human {
		t.Errorf("resolved in the minute it was opened: %+v", five)
	}
	var bad []string
	for _, d := range all {
		if d.err != nil {
			bad = append(bad, d.err.Error())
		}
	}
	if len(bad) != 2 {
		t.Errorf("undecodable: %q", bad)
	}
	for _, e := range eventsOf(all) {
		if e.Source != "/import/uci" {
			t.Fatalf("source %s", e.Source)
		}
	}
}

// An audit log is often in order of time, with its incidents interleaved, or comes in
// pieces that overlap: the events are the same, whatever stands beside what.
func TestUCIScattered(t *testing.T) {
	f := format(t, "uci-incident-log")
	const head = "number,incident_state,opened_at,sys_updated_at,sys_mod_count,resolved_at,reopen_count,assignment_group\n"
	a := []string{
		"A,New,1/1/2016 00:00,1/1/2016 00:05,0,2/1/2016 00:00,0,Group 1\n", "A,Active,1/1/2016 00:00,1/1/2016 00:05,1,2/1/2016 00:00,0,Group 2\n",
		"A,Active,1/1/2016 00:00,1/1/2016 09:00,2,2/1/2016 00:00,0,Group 1\n", "A,Resolved,1/1/2016 00:00,2/1/2016 00:00,3,2/1/2016 00:00,0,Group 1\n",
	}
	b := []string{"B,New,1/1/2016 00:01,1/1/2016 00:06,0,?,0,Group 1\n", "B,Active,1/1/2016 00:01,3/1/2016 00:00,5,?,1,Group 3\n"}
	told := func(rows ...string) string {
		t.Helper()
		var out []string
		for _, d := range importAll(t, f, "", []byte(head+strings.Join(rows, ""))) {
			if d.err != nil {
				t.Fatal(d.err)
			}
			for _, e := range d.events {
				out = append(out, fmt.Sprint(e.ID, e.Kind, e.At, string(e.Data)))
			}
		}
		slices.Sort(out)
		return strings.Join(out, "\n")
	}
	want := told(a[0], a[1], a[2], a[3], b[0], b[1])
	for name, rows := range map[string][]string{
		"in order of time": {a[0], a[1], b[0], a[2], a[3], b[1]},
		"shuffled":         {a[3], b[1], a[1], b[0], a[2], a[0]},
		"twice":            {a[0], a[1], a[2], a[3], b[0], b[1], a[0], a[1], a[2], a[3], b[0], b[1]},
	} {
		if got := told(rows...); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestUCIWithoutNeighbours: a delivery taken from quarantine has no known-list any more.
// It tells the same facts of its incident under the same ids.
func TestUCIWithoutNeighbours(t *testing.T) {
	f := format(t, "uci-incident-log")
	for _, d := range importAll(t, f, "", fixture(t, "uci-incident-log", "small.csv")) {
		if d.err != nil {
			continue
		}
		again, err := f.Decode(Delivery{Body: d.delivery.Body})
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, e := range again {
			ids[e.ID] = true
		}
		for _, e := range d.events {
			if !ids[e.ID] {
				t.Errorf("%s is not told again", e.Kind)
			}
		}
	}
}

func TestUCIMalformed(t *testing.T) {
	f := format(t, "uci-incident-log")
	if _, err := f.Open(strings.NewReader("a,b,c\n1,2,3\n")); err == nil || !strings.Contains(err.Error(), "number") {
		t.Errorf("another CSV was opened: %v", err)
	}
	lines, err := f.Open(strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lines.Next(); err != io.EOF {
		t.Errorf("an empty file: %v", err)
	}
	const head = "number,opened_at,sys_updated_at,resolved_at,reopen_count\n"
	for _, c := range []struct{ body, field string }{
		{"", "number"}, {head, ""}, {head + "A,1/1/2016 00:00", ""},
		{head + "?,1/1/2016 00:00,1/1/2016 00:00,?,0", "number"},
		{head + "A,?,1/1/2016 00:00,?,0", "opened_at"}, {head + "A,2016-01-01,1/1/2016 00:00,?,0", "opened_at"},
		{head + "A,1/1/2016 00:00,30/2/2016 00:00,?,0", "sys_updated_at"}, {head + "A,1/1/2016 00:00,1/1/2016 00:00,1/1/0001 00:00,0", "resolved_at"},
		{head + "A,1/1/2016 00:00,1/1/2016 00:00,?,many", "reopen_count"},
		{head + "A,1/1/2016 00:00,1/1/2016 00:00,?,0\nB,1/1/2016 00:00,1/1/2016 00:00,?,0", "number"},
	} {
		events, err := f.Decode(Delivery{Body: []byte(c.body)})
		var u *Undecodable
		if !errors.As(err, &u) || u.Field != c.field || len(events) > 0 {
			t.Errorf("%q: %d events, %v; want a fault of %q", c.body, len(events), err, c.field)
		}
	}
}

// TestUCILog imports the real log and meets the numbers that were counted from it by
// other means.
func TestUCILog(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(samples(t), "uci-incident-log", "incident_event_log.csv.gz"))
	if err != nil {
		t.Fatal(err)
	}
	all := importAll(t, format(t, "uci-incident-log"), "", text)
	var events []event.Event
	ids, kinds := map[string]bool{}, map[event.Kind]int{}
	for _, d := range all {
		if d.err != nil {
			t.Fatalf("undecodable: %v\n%s", d.err, d.delivery.Body)
		}
		for _, e := range d.events {
			if ids[e.ID] {
				t.Fatalf("an id twice in one import: %s %s", e.Kind, e.Data)
			}
			ids[e.ID] = true
			kinds[e.Kind]++
			events = append(events, e)
		}
	}
	incidents := read(t, events)
	var hours []float64
	sum, reopened, unresolved, hops := 0.0, 0, 0, 0
	priorities := map[string]int{}
	for _, x := range incidents {
		priorities[x.priority]++
		if x.reopened {
			reopened++
		}
		if n := len(slices.Compact(x.teams)); n > 1 {
			hops++
		}
		if x.resolved.IsZero() {
			unresolved++
			continue
		}
		h := x.resolved.Sub(x.opened).Hours()
		hours = append(hours, h)
		sum += h
	}
	sort.Float64s(hours)
	n := len(hours)
	round := func(v float64) float64 { return math.Round(v*10) / 10 }
	quantile := func(p float64) float64 { return round(hours[int(p*float64(n))]) }
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"incidents", len(incidents), 20769}, {"resolved", n, 19351}, {"unresolved", unresolved, 1418},
		{"median hours", quantile(0.5), 24.6}, {"p90 hours", quantile(0.9), 397.4}, {"mean hours", round(sum / float64(n)), 187.7},
		{"reopened", reopened, 234}, {"priority 1", priorities["1"], 220}, {"priority 2", priorities["2"], 337},
		{"priority 3", priorities["3"], 19554}, {"priority 4", priorities["4"], 658},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	t.Logf("%d events: %v; %d incidents changed team", len(events), kinds, hops)

	// A second import, of which some is enough, tells the same.
	f := format(t, "uci-incident-log")
	lines, err := f.Open(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2000 {
		d, err := lines.Next()
		if err != nil {
			t.Fatal(err)
		}
		again, err := f.Decode(d)
		if err != nil || len(again) != len(all[i].events) {
			t.Fatalf("a second import: %d events, %v", len(again), err)
		}
		for j, e := range again {
			if first := all[i].events[j]; e.ID != first.ID || !bytes.Equal(e.Data, first.Data) {
				t.Fatalf("a second import tells %s otherwise", e.Kind)
			}
		}
	}
}
