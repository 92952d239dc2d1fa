package app

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/signin"
	"github.com/stewardhq/steward/training/rollout"
)

// The whole way of a roll-out on the whole product, in Tokyo: planned and refused, drawn once
// however often the form is sent, started team by team and not before, read when the window
// has ended, and not to be changed by whoever reads.
func TestRolloutFromPlanToResult(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	at := func(week int, hours float64) time.Time {
		d := from.AddDate(0, 0, 7*week)
		return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, zone).Add(time.Duration(hours * float64(time.Hour)))
	}
	const pre, weeks = 8, 16
	l := &learners{t: t, o: newOrg(), token: map[string]string{}}
	put := func(now time.Time) { l.clock.Store(now.UnixMilli()) }
	put(at(pre-1, 30)) // Tuesday before the first start
	l.a, _, _ = boot(t, Config{Data: t.TempDir(), Zone: zone, Now: func() time.Time { return time.UnixMilli(l.clock.Load()).UTC() }, Access: &signin.Config{
		Proxy: &signin.Proxy{From: []string{"127.0.0.1/32"}}, DefaultRole: access.Viewer, Roles: []access.Rule{{Group: "people", Role: access.PeopleAdmin}},
	}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	var told []event.Event
	tell := func(source string, kind event.Kind, when time.Time, data any) {
		t.Helper()
		e, err := event.New(source, kind, "x", fmt.Sprint(kind, l.clock.Load(), len(told)), when, data)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, e)
	}
	publish := func() {
		t.Helper()
		if err := l.a.core.Publisher.Publish(t.Context(), told...); err != nil {
			t.Fatal(err)
		}
		if err := l.a.core.Sink.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		told = nil
	}
	var teams []string
	lead := func(team string) string { return team + "-lead@rollout.example" }
	for i := range 9 {
		team, people := fmt.Sprint("team", i), 3
		if i == 8 {
			team, people = "tiny", 2
		} else {
			teams = append(teams, team)
		}
		tell("/import/t", event.ServiceOwned, at(-40, 0), map[string]any{"service": "svc-" + team, "team": team})
		for k := range people {
			person, role := fmt.Sprintf("%s-%d@rollout.example", team, k), "member"
			if k == 0 {
				person, role = lead(team), "lead"
			}
			tell("/import/t", event.MemberJoined, at(-40, 0), map[string]any{"team": team, "person": person, "role": role})
			if i < 2 && k == 0 { // one person leads two teams
				tell("/import/t", event.MemberJoined, at(-40, 0), map[string]any{"team": fmt.Sprint("team", 1-i), "person": person, "role": "lead"})
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	incidents := func(team string, week int, mean float64) {
		n := 0
		for p, limit := r.Float64(), math.Exp(-mean); p > limit; n++ {
			p *= r.Float64()
		}
		for range n {
			tell("/import/t", event.IncidentOpened, at(week, 168*r.Float64()), map[string]any{"incident": fmt.Sprint("i", week, len(told), team), "title": "slow", "service": "svc-" + team})
		}
	}
	for w := -16; w < pre-1; w++ {
		for _, team := range teams {
			incidents(team, w, 7)
		}
	}
	publish()

	form := func() url.Values {
		return url.Values{"module": {"FX1"}, "metric": {"incidents"}, "expect": {"lower"}, "from": {"2026-01-05"}, "to": {from.AddDate(0, 0, 7*weeks).Format("2006-01-02")},
			"team": append([]string{}, teams...), "week": {from.AddDate(0, 0, 7*pre).Format("2006-01-02")}, "teams": {"4"}}
	}
	const pam = "pam@matrix.example"
	plan := func(change func(url.Values)) (int, string) {
		f := form()
		change(f)
		return l.send(pam, "GET", "/training/rollouts/new?"+f.Encode(), nil)
	}
	// Planning says what can be shown, and why not.
	if code, page := plan(func(url.Values) {}); code != 200 || !strings.Contains(page, "70 possible draws") || !strings.Contains(page, "0.015") || !strings.Contains(page, "teams are needed to find a change of −30 %") {
		t.Errorf("%d %.600s", code, after(page))
	}
	if code, page := plan(func(f url.Values) { f["team"] = teams[:4]; f.Set("teams", "2") }); code != 200 || !strings.Contains(page, "nothing can be shown") {
		t.Errorf("%d %.600s", code, after(page))
	}
	for says, change := range map[string]func(url.Values){
		"tiny has 2 people":              func(f url.Values) { f.Add("team", "tiny") },
		"no team is called nobody":       func(f url.Values) { f.Add("team", "nobody") },
		"2026-03-03 is a Tuesday":        func(f url.Values) { f.Set("week", "2026-03-03") },
		"must lie ahead":                 func(f url.Values) { f.Set("week", "2026-02-23") }, // the week that goes on
		"must lie inside the window":     func(f url.Values) { f.Set("week", "2026-12-07") },
		"choose one of the list":         func(f url.Values) { f.Set("metric", "salary") },
		"Module: there is none":          func(f url.Values) { f.Set("module", "XX9") },
		"all teams start in the same we": func(f url.Values) { f.Set("teams", "8") },
		"a number of teams is wanted":    func(f url.Values) { f.Set("teams", "some") },
		"the directions are":             func(f url.Values) { f.Set("expect", "better") },
	} {
		if code, page := plan(change); code != 400 || !strings.Contains(page, says) {
			t.Errorf("want %q: %d %.600s", says, code, after(page))
		}
	}

	// Who may: neither a viewer nor a lead of other teams, and nobody without the page's token.
	draw := func(person string, f url.Values) (int, string, string) {
		t.Helper()
		code, page := l.send(person, "GET", "/training/rollouts/new?"+form().Encode(), nil)
		if code != 200 {
			return code, page, ""
		}
		if id := regexp.MustCompile(`name="id" value="([a-z2-7]+)"`).FindStringSubmatch(page); f.Get("id") == "" && id != nil {
			f.Set("id", id[1])
		}
		code, page = l.send(person, "POST", "/training/rollouts", f)
		return code, page, f.Get("id")
	}
	for person, f := range map[string]url.Values{"guest@matrix.example": form(), lead("team3"): form(), lead("team0"): form()} {
		if code, page, _ := draw(person, f); code != http.StatusForbidden {
			t.Errorf("%s draws: %d %.300s", person, code, after(page))
		}
	}
	mine := form()
	mine["team"], mine["teams"] = teams[:2], []string{"1"}
	if code, page := l.send(lead("team0"), "GET", "/training/rollouts/new?"+mine.Encode(), nil); code != 200 || !strings.Contains(page, "2 possible draws") || strings.Contains(page, "team3") {
		t.Errorf("the lead of two teams plans for them: %d %.600s", code, after(page))
	}

	f := form()
	code, page, id := draw(pam, f)
	if code != http.StatusSeeOther {
		t.Fatalf("%d %.900s", code, after(page))
	}
	if code, _, again := draw(pam, f); code != http.StatusSeeOther || again != id { // the button was pressed twice
		t.Errorf("%d %s", code, again)
	}
	if err := l.a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := "/training/rollouts/" + id
	if n := strings.Count(l.page("guest@matrix.example", "/training/rollouts"), "drawn, not begun"); n != 1 {
		t.Errorf("%d draws are listed", n)
	}
	_, text := l.send(pam, "GET", path+"/draw", nil)
	var drawn rollout.Drawn
	if err := json.Unmarshal([]byte(text), &drawn); err != nil {
		t.Fatal(err, text)
	}
	if _, err := CheckDraw(strings.NewReader(text)); err != nil {
		t.Error(err)
	}
	if _, err := CheckDraw(strings.NewReader(strings.Replace(text, `"seed":`, `"seed":1`, 1))); err == nil {
		t.Error("another seed gives the same order")
	}
	rows, err := l.a.core.Store.For(access.Operator(), "").Audit(t.Context(), 10)
	if err != nil || len(rows) != 1 || rows[0].Action != "rollout.drawn" || rows[0].Target != id || rows[0].By != pam {
		t.Errorf("the audit log: %+v %v", rows, err)
	}

	// Nobody is asked to start before Monday, by the clock in Tokyo; then those who were drawn are.
	begun := drawn.Started()
	asked := func() (n int) {
		for _, team := range teams {
			page := l.page(lead(team), "/training")
			due := strings.Contains(page, "Which team is to start now?") && strings.Contains(page, "for=team%3A"+team+"&")
			if _, starts := begun[team]; due && !starts {
				t.Errorf("%s is asked to start, and was not drawn", team)
			}
			n += toInt(due)
		}
		return n
	}
	put(at(pre, -1.0/60))
	if n := asked(); n != 0 {
		t.Errorf("on Sunday, 23:59, %d teams are to start", n)
	}
	put(at(pre, 0))
	if n := asked(); n != 4 {
		t.Errorf("on Monday %d teams are to start", n)
	}
	if page := l.page("guest@matrix.example", path); strings.Contains(page, "assign it") || !strings.Contains(page, "There is no result yet") {
		t.Errorf("%.600s", after(page))
	}
	var first string
	for team := range begun {
		first = team
		break
	}
	l.page(lead(first), "/training/FX1")
	l.post(lead(first), "FX1/assign", url.Values{"for": {"team:" + first}}, http.StatusSeeOther, "")
	if n := asked(); n != 3 {
		t.Errorf("after one was given it, %d teams are to start", n)
	}

	for w := pre - 1; w < weeks; w++ {
		for _, team := range teams {
			mean := 7.0
			if _, ok := begun[team]; ok && w >= pre {
				mean = 2
			}
			incidents(team, w, mean)
		}
	}
	publish()
	put(at(weeks, -1.0/60))
	if page := l.page("guest@matrix.example", path); !strings.Contains(page, "There is no result yet") || strings.Contains(page, "p = ") {
		t.Errorf("in the last minute of the window: %.600s", after(page))
	}
	put(at(weeks, 0))
	page = l.page("guest@matrix.example", path)
	for _, want := range []string{"90 % interval; 8 teams", "Trained teams had lower incidents per week than teams not yet trained", "p = 0.015", "was decided before looking", fmt.Sprint(drawn.Seed)} {
		if !strings.Contains(page, want) {
			t.Errorf("the result does not say %q: %.900s", want, after(page))
		}
	}
	for _, team := range teams {
		if strings.Contains(page, "-1@rollout.example") || strings.Contains(page, lead(team)) {
			t.Errorf("the result names people of %s", team)
		}
	}
	// Later and other draws, and parameters, change nothing.
	_, before := l.send("guest@matrix.example", "GET", path+"/weeks", nil)
	second := drawn
	second.Order, second.Metric, second.Seed = drawn.Teams, "hops_mean", 5
	tell(event.OwnSource, event.RolloutDrawn, at(pre-1, 10), second)
	third := second
	third.Order = append([]string{}, drawn.Teams...)
	tell("/import/elsewhere", event.RolloutDrawn, at(0, 10), third)
	publish()
	_, now := l.send("guest@matrix.example", "GET", path+"/weeks?metric=hops_mean&seed=5&from=2026-02-02&team=team1&expect=higher&as_of=2026-03-01", nil)
	if now != before || strings.Count(before, "\n") != weeks+1 {
		t.Errorf("%s\nand then\n%s", before, now)
	}
	if page := l.page("guest@matrix.example", path); !strings.Contains(page, "drawn again 1 time") || !strings.Contains(page, "p = 0.015") {
		t.Errorf("%.900s", after(page))
	}
}

func after(page string) string {
	_, main, _ := strings.Cut(page, "<main")
	return main
}

func toInt(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
