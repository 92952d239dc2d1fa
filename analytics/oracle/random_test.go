package oracle

import (
	"math/rand"
	"reflect"
	"slices"
	"testing"

	"github.com/stewardhq/steward/ingest/event"
)

// TestOrderAndCopiesDoNotMatter: a shuffled history with more copies, seen later, gives
// every answer again.
func TestOrderAndCopiesDoNotMatter(t *testing.T) {
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		events := History(r, 150)
		again := slices.Clone(events)
		for _, e := range events {
			if r.Intn(3) == 0 {
				e.Seen = e.Seen.AddDate(0, 0, 1+r.Intn(30))
				again = append(again, e)
			}
		}
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		for _, metric := range Metrics() {
			p := RandomParams(r, metric)
			a, err1 := Answer(events, metric, p, Now())
			b, err2 := Answer(again, metric, p, Now())
			if err1 != nil || err2 != nil {
				t.Fatalf("seed %d %s %+v: %v, %v", seed, metric, p, err1, err2)
			}
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("seed %d %s %+v:\n%v\n%v", seed, metric, p, a, b)
			}
		}
	}
}

// TestBreakdownsAddUp: counts of a breakdown sum to the count of the whole, whatever is
// filtered; those that are distinct within a row are left aside.
func TestBreakdownsAddUp(t *testing.T) {
	for metric, columns := range map[string][]string{
		"incidents":          {"incidents", "incident_load", "auto_resolved", "reopened", "merged", "open"},
		"pages":              {"pages", "interrupting", "unanswered"},
		"interruptions":      {"interruptions", "sleep", "off", "business", "groups", "nights"},
		"time_to_ack":        {"n", "not_acked"},
		"time_to_resolve":    {"n", "unresolved"},
		"ownership_quadrant": {"n", "owned", "escalated_away", "misrouted", "owned_on_paper", "unowned", "untouched"},
		"hops":               {"n", "hops", "ping_pong", "owner_acted"},
	} {
		for seed := range int64(25) {
			r := rand.New(rand.NewSource(seed))
			events := History(r, 200)
			p := RandomParams(r, metric)
			whole := p
			whole.By, whole.Bucket = "none", "none"
			a, err1 := Answer(events, metric, p, Now())
			b, err2 := Answer(events, metric, whole, Now())
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			for _, c := range columns {
				if x, y := total(a, c), total(b, c); x != y {
					t.Errorf("seed %d %s %s: parts %d, whole %d (%+v)", seed, metric, c, x, y, p)
				}
			}
		}
	}
}

func total(r Result, column string) (sum int64) {
	for _, row := range r.Rows {
		sum += row[slices.Index(r.Columns, column)].(int64)
	}
	return sum
}

// TestHistoriesAreNasty: over a few histories every answer column is above zero somewhere,
// every assumed fact is used, and copies, ties and late news occur, so that agreement on
// such histories means something.
func TestHistoriesAreNasty(t *testing.T) {
	seen, asked, found := map[string]bool{}, 0, 0
	for seed := range int64(60) {
		r := rand.New(rand.NewSource(seed))
		events := History(r, 300)
		marks(events, seen)
		for _, metric := range Metrics() {
			p := RandomParams(r, metric)
			res, err := Answer(events, metric, p, Now())
			if err != nil {
				t.Fatal(err)
			}
			asked++
			if len(res.Rows) > 0 {
				found++
			}
			for _, row := range res.Rows {
				for n, v := range row {
					if v != int64(0) && v != "" && v != nil && v != 0.0 {
						seen[metric+"."+res.Columns[n]] = true
					}
				}
			}
			for name := range res.Assumed {
				seen["assumed."+name] = true
			}
			for _, c := range res.Columns {
				if key := metric + "." + c; !seen[key] && (c != "bucket" || len(Buckets(metric)) > 1) {
					seen[key] = false
				}
			}
		}
	}
	for _, name := range []string{"assumed.owner", "assumed.team", "assumed.zone", "assumed.opened", "copy", "copy that differs", "tie", "late", "twin"} {
		if !seen[name] {
			seen[name] = false
		}
	}
	for name, ok := range seen {
		if !ok {
			t.Errorf("never seen: %s", name)
		}
	}
	if found*2 < asked {
		t.Errorf("only %d of %d questions find anything", found, asked)
	}
}

// marks notes what sorts of trouble a history holds.
func marks(events []event.Event, seen map[string]bool) {
	identity, moment, ids := map[[2]string]event.Event{}, map[int64]string{}, map[string]string{}
	for _, e := range events {
		if first, ok := identity[[2]string{e.Source, e.ID}]; ok {
			seen["copy"] = true
			if !first.At.Equal(e.At) && string(first.Data) != string(e.Data) {
				seen["copy that differs"] = true
			}
			continue
		}
		identity[[2]string{e.Source, e.ID}] = e
		if id, ok := moment[e.At.UnixMilli()]; ok && id != e.ID {
			seen["tie"] = true
		}
		if source, ok := ids[e.ID]; ok && source != e.Source {
			seen["twin"] = true
		}
		moment[e.At.UnixMilli()], ids[e.ID] = e.ID, e.Source
		if e.Seen.Sub(e.At).Hours() > 48 {
			seen["late"] = true
		}
	}
}

// TestTheSameSeedGivesTheSameHistory, byte for byte.
func TestTheSameSeedGivesTheSameHistory(t *testing.T) {
	a, b := History(rand.New(rand.NewSource(7)), 200), History(rand.New(rand.NewSource(7)), 200)
	if !reflect.DeepEqual(a, b) {
		t.Error("two histories of one seed differ")
	}
}
