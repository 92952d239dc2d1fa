package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/rollout"
)

// trials is organisations of eight teams each in one warehouse in Tokyo, whose weeks begin
// when in Greenwich it is Sunday, 15:00.
type trials struct {
	t     *testing.T
	zone  *time.Location
	store *analytics.Store
	all   []event.Event
}

var trialFrom = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

const trialPre, trialWeeks = 8, 16

func newTrials(t *testing.T, now time.Time) (*trials, func()) {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	_, db := openStore(t, now)
	x := &trials{t: t, zone: zone}
	if x.store, err = analytics.Open(context.Background(), db, analytics.Config{Now: func() time.Time { return now }, Zone: zone, Ledger: forgetful{}}); err != nil {
		t.Fatal(err)
	}
	return x, func() { load(t, db, x.all) }
}

func load(t *testing.T, db *warehouse.DB, events []event.Event) {
	t.Helper()
	if err := ingest.InsertDirect(context.Background(), db, events); err != nil {
		t.Fatal(err)
	}
}

// forgetful keeps looks nowhere.
type forgetful struct{}

func (forgetful) Record(context.Context, []access.Look) error { return nil }

func (x *trials) tell(kind event.Kind, at time.Time, data map[string]any) {
	x.t.Helper()
	e, err := event.New("/import/test", kind, "x", fmt.Sprint(len(x.all)), at, data)
	if err != nil {
		x.t.Fatal(err)
	}
	e.Seen = at
	x.all = append(x.all, e)
}

// team has people and one service.
func (x *trials) team(id string, people int) {
	start := trialFrom.AddDate(-1, 0, 0)
	for i := range people {
		x.tell(event.MemberJoined, start, map[string]any{"team": id, "person": fmt.Sprintf("%s-%d@example.org", id, i)})
	}
	x.tell(event.ServiceOwned, start, map[string]any{"service": "svc-" + id, "team": id})
}

func (x *trials) incident(team string, at time.Time) {
	id := fmt.Sprint("inc-", len(x.all))
	x.tell(event.IncidentOpened, at, map[string]any{"incident": id, "title": "slow", "service": "svc-" + team})
}

// at is a moment of a week, by the clock in Tokyo.
func (x *trials) at(week int, hours float64) time.Time {
	d := trialFrom.AddDate(0, 0, 7*week)
	return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, x.zone).Add(time.Duration(hours * float64(time.Hour)))
}

func (x *trials) draw(id, metric string, teams []string, seed int64) rollout.Drawn {
	x.t.Helper()
	var list []rollout.Team
	for _, t := range teams {
		list = append(list, rollout.Team{ID: t, People: 3})
	}
	d, err := rollout.Draw(rollout.Plan{Rollout: id, Module: "FX1", Metric: metric, From: trialFrom, To: trialFrom.AddDate(0, 0, 7*trialWeeks)}, list,
		[]rollout.Start{{Week: trialFrom.AddDate(0, 0, 7*trialPre), Teams: len(teams) / 2}}, seed)
	if err != nil {
		x.t.Fatal(err)
	}
	return d
}

func (x *trials) publish(d rollout.Drawn, at time.Time) {
	x.t.Helper()
	e, err := d.Event(at)
	if err != nil {
		x.t.Fatal(err)
	}
	e.Seen = at
	x.all = append(x.all, e)
}

// Simulated histories, with training that takes 70 % of the incidents away and without any
// effect, go through the real engine: what the panel says is what was simulated, an effect
// is found in every one, and its absence is not called one more often than chance.
func TestRolloutsOnSimulatedHistories(t *testing.T) {
	now := trialFrom.AddDate(0, 0, 7*trialWeeks+1)
	x, loaded := newTrials(t, now)
	const runs = 12
	want := map[string]map[string]float64{}
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 5))
		var teams []string
		for i := range 8 {
			id := fmt.Sprintf("r%02d-t%d", run, i)
			x.team(id, 3)
			teams = append(teams, id)
		}
		d := x.draw(fmt.Sprintf("run%02d", run), "incidents", teams, int64(1000+run))
		x.publish(d, trialFrom.AddDate(0, 0, 7*trialPre-3))
		begun := d.Started()
		want[d.Rollout] = map[string]float64{}
		for _, team := range teams {
			level := 5 + 5*r.Float64()
			for w := range trialWeeks {
				mean := level
				if week, ok := begun[team]; ok && run%2 == 0 && !trialFrom.AddDate(0, 0, 7*w).Before(week) {
					mean *= 0.3
				}
				n := 0
				for p, limit := r.Float64(), math.Exp(-mean); p > limit; n++ {
					p *= r.Float64()
				}
				for range n {
					x.incident(team, x.at(w, 168*r.Float64()))
				}
				want[d.Rollout][fmt.Sprint(team, w)] = float64(n)
			}
		}
	}
	loaded()
	viewer := x.store.For(access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer), "tests")
	all, err := viewer.Rollouts(context.Background())
	if err != nil || len(all) != runs {
		t.Fatalf("%d draws, %v", len(all), err)
	}
	found, claimed := 0, 0
	m, _ := analytics.MeasureOf("incidents")
	for _, r := range all {
		var run int
		if _, err := fmt.Sscanf(r.Rollout, "run%d", &run); err != nil {
			t.Fatal(err)
		}
		from, to, _ := r.Weeks()
		p, err := viewer.Panel(context.Background(), m, r.Teams, from, to)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Values) != 8*trialWeeks {
			t.Fatalf("%s: %d values", r.Rollout, len(p.Values))
		}
		for _, v := range p.Values {
			w := int(v.Week.Sub(trialFrom).Hours() / 168)
			if v.Value != want[r.Rollout][fmt.Sprint(v.Team, w)] {
				t.Fatalf("%s: %s, week %d: %v, simulated %v", r.Rollout, v.Team, w, v.Value, want[r.Rollout][fmt.Sprint(v.Team, w)])
			}
		}
		result, err := rollout.Estimate(p.Values, r.Drawn)
		if err != nil {
			t.Fatal(err)
		}
		weeks, err := rollout.Weekly(p.Values, r.Drawn)
		if err != nil || len(weeks) != trialWeeks {
			t.Fatal(len(weeks), err)
		}
		// With one start every compared week has the same weight: the effect is their mean.
		sum := 0.0
		for _, w := range weeks[trialPre:] {
			sum += *w.Apart
		}
		if mean := sum / (trialWeeks - trialPre); math.Abs(mean-result.Effect) > 1e-9 {
			t.Errorf("%s: the weeks move apart by %v, the effect is %v", r.Rollout, mean, result.Effect)
		}
		if run%2 == 0 && result.Claim() == rollout.Lower {
			found++
		}
		if run%2 == 1 && result.Claim() != "" {
			claimed++
		}
	}
	if found != runs/2 {
		t.Errorf("an effect of 70 %% is found in %d of %d", found, runs/2)
	}
	if claimed > 2 { // 3 of 6 happen by chance in 2 of 1,000
		t.Errorf("an effect is claimed in %d of %d without one", claimed, runs/2)
	}
}

// A week begins at Monday's midnight in the organisation's zone; one without an incident is
// 0 as a count and nothing as a median; one that goes on is none.
func TestPanelWeeks(t *testing.T) {
	now := time.Date(2026, 1, 26, 3, 0, 0, 0, time.UTC) // Monday noon in Tokyo
	x, loaded := newTrials(t, now)
	for _, team := range []string{"a", "b"} {
		x.team(team, 3)
	}
	done := func(team string, at time.Time, minutes int) {
		x.incident(team, at)
		id := fmt.Sprint("inc-", len(x.all)-1)
		x.tell(event.IncidentResolved, at.Add(time.Duration(minutes)*time.Minute), map[string]any{"incident": id, "person": team + "-0@example.org", "actor_kind": "user"})
	}
	done("a", x.at(0, -1.0/3600), 10)      // the second before
	done("a", x.at(0, 0), 20)              // the first second of 5 January there
	done("a", x.at(1, -1.0/3600), 30)      // its last
	done("b", x.at(1, 0), 0)               // at once
	done("b", x.at(3, 1), 40)              // in the week that goes on
	done("b", x.at(2, 167.99), 50)         // still in the last that ended
	x.incident("a", x.at(2, 5))            // not resolved: no median
	x.incident("elsewhere", x.at(1, 5.25)) // nobody's
	loaded()
	v := x.store.For(access.Operator(), "tests")
	panel := func(key string) map[string]float64 {
		m, ok := analytics.MeasureOf(key)
		if !ok {
			t.Fatal(key)
		}
		p, err := v.Panel(context.Background(), m, []string{"a", "b"}, trialFrom, trialFrom.AddDate(0, 0, 28))
		if err != nil {
			t.Fatal(err)
		}
		if want := trialFrom.AddDate(0, 0, 21); !p.To.Equal(want) {
			t.Errorf("%s: until %s, want %s", key, p.To, want)
		}
		out := map[string]float64{}
		for _, x := range p.Values {
			out[x.Team+x.Week.Format("0102")] = x.Value
		}
		return out
	}
	for key, want := range map[string]map[string]float64{
		"incidents":            {"a0105": 2, "a0112": 0, "a0119": 1, "b0105": 0, "b0112": 1, "b0119": 1},
		"time_to_resolve_p50":  {"a0105": 1800, "b0112": 1, "b0119": 3000}, // 0 stands as the least duration
		"escalated_away_share": {"a0105": 0, "b0112": 0, "b0119": 0},
	} {
		got := panel(key)
		if len(got) != len(want) {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
		for k, v := range want {
			if g, ok := got[k]; !ok || g != v {
				t.Errorf("%s %s: %v, want %v", key, k, g, v)
			}
		}
	}
}

// Who reads which figures of a roll-out, and what a small team does to it.
func TestPanelIsTheAskers(t *testing.T) {
	now := trialFrom.AddDate(0, 0, 7*trialWeeks+1)
	x, loaded := newTrials(t, now)
	for _, team := range []string{"a", "b", "duo"} {
		x.team(team, map[string]int{"duo": 2}[team]+3*boolInt(team != "duo"))
		for w := range trialWeeks {
			x.incident(team, x.at(w, 5))
		}
	}
	loaded()
	as := func(person string, leads []string, roles ...access.Role) *analytics.View {
		return x.store.For(access.As(access.Identity{Person: person, Name: person}, access.Membership{Person: person, Leads: leads}, append(roles, access.Viewer)...), "tests")
	}
	ctx := context.Background()
	var denied *access.Denied
	for _, c := range []struct {
		name  string
		view  *analytics.View
		load  bool
		small bool // sees what duo did
	}{
		{"viewer", as("", nil), false, false},
		{"lead of one", as("a-0@example.org", []string{"a"}, access.Member, access.Lead), false, false},
		{"lead of all", as("a-0@example.org", []string{"a", "b"}, access.Member, access.Lead), true, false},
		{"people admin", as("p", nil, access.PeopleAdmin), true, true},
		{"operator", x.store.For(access.Operator(), "tests"), true, true},
	} {
		for _, m := range analytics.Measures() {
			_, err := c.view.Panel(ctx, m, []string{"a", "b"}, trialFrom, trialFrom.AddDate(0, 0, 56))
			if want := c.load || !m.Load; (err == nil) != want || !want && !errors.As(err, &denied) {
				t.Errorf("%s, %s: %v", c.name, m.Key, err)
			}
			// A window of which nothing has ended says the same.
			_, err = c.view.Panel(ctx, m, []string{"a", "b"}, trialFrom.AddDate(1, 0, -1), trialFrom.AddDate(1, 1, 0))
			if want := c.load || !m.Load; (err == nil) != want {
				t.Errorf("%s, %s, ahead: %v", c.name, m.Key, err)
			}
		}
		m, _ := analytics.MeasureOf("escalated_away_share")
		p, err := c.view.Panel(ctx, m, []string{"a", "duo"}, trialFrom, trialFrom.AddDate(0, 0, 56))
		if err != nil {
			t.Fatal(err)
		}
		if (p.Withheld["duo"] == "") != c.small {
			t.Errorf("%s: withheld %v", c.name, p.Withheld)
		}
	}
	for _, who := range []access.Who{{}, access.Token("t", false, true)} {
		if _, err := x.store.For(who, "").Rollouts(ctx); err == nil {
			t.Errorf("%s lists draws", who.Label())
		}
	}
}

func boolInt(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// The draw that was seen first stands; what others say, and what is said later, does not.
func TestTheFirstDrawCounts(t *testing.T) {
	now := trialFrom.AddDate(0, 0, 7*trialWeeks+1)
	x, loaded := newTrials(t, now)
	teams := []string{"a", "b", "c", "d"}
	first := x.draw("one", "incidents", teams, 1)
	second := x.draw("one", "hops_mean", teams, 2)
	other := x.draw("two", "incidents", []string{"d", "e"}, 3)
	late := x.draw("three", "incidents", []string{"x", "y"}, 4)
	day := func(n int) time.Time { return trialFrom.AddDate(0, 0, n) }
	x.publish(first, day(3))
	x.publish(first, day(3)) // a copy
	x.publish(second, day(2))
	x.all[len(x.all)-1].Seen = day(9) // it says to be earlier, and came later
	x.publish(other, day(10))
	x.publish(late, day(11))
	// By UTC before the start; in Tokyo the Monday had begun.
	x.publish(func() rollout.Drawn { l := late; l.Rollout = "four"; return l }(), trialFrom.AddDate(0, 0, 7*trialPre).Add(-time.Hour))
	forged, err := x.draw("one", "interruptions", teams, 9).Event(day(1))
	if err != nil {
		t.Fatal(err)
	}
	forged.Source, forged.Seen = "/import/elsewhere", day(1)
	x.all = append(x.all, forged)
	slices.Reverse(x.all)
	loaded()
	v := x.store.For(access.Operator(), "tests")
	all, err := v.Rollouts(context.Background())
	if err != nil || len(all) != 4 {
		t.Fatalf("%+v %v", all, err)
	}
	one, err := v.Rollout(context.Background(), "one")
	if err != nil || one.Seed != 1 || one.Metric != "incidents" || one.Again != 1 || one.Late || len(one.Others) != 0 {
		t.Errorf("%+v %v", one, err)
	}
	two, err := v.Rollout(context.Background(), "two")
	if err != nil || !slices.Equal(two.Others, []string{"one"}) {
		t.Errorf("%+v %v", two, err)
	}
	if four, err := v.Rollout(context.Background(), "four"); err != nil || !four.Late {
		t.Errorf("%+v %v", four, err)
	}
	if _, err := v.Rollout(context.Background(), "none"); !errors.Is(err, analytics.ErrNotFound) {
		t.Errorf("%v", err)
	}
	// A draw is no incident's event and no metric's parameter.
	if _, err := v.Query(context.Background(), "incidents", url.Values{"rollout": {"one"}}); err == nil {
		t.Error("a metric takes a roll-out")
	}
}
