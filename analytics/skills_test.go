package analytics_test

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/analytics/oracle"
	"github.com/stewardhq/steward/ingest/event"
)

func gapText(g analytics.GapRow) string {
	text := func(v any) string {
		switch v := v.(type) {
		case *int64:
			if v != nil {
				return fmt.Sprint(*v)
			}
		case *float64:
			if v != nil {
				return fmt.Sprint(*v)
			}
		}
		return "-"
	}
	return fmt.Sprintln(g.Team, g.Skill, g.Incidents, g.Demand, text(g.Supply), g.Need, text(g.Coverage), g.Away, text(g.Gap))
}

// TestGapsOfAllTeams: one look at all teams says what the metric says of each.
func TestGapsOfAllTeams(t *testing.T) {
	r := rand.New(rand.NewSource(11))
	for name, c := range map[string]struct {
		now    time.Time
		events []event.Event
	}{
		"by hand": {skillsNow, skillsHistory(t)},
		"random":  {oracle.Now(), oracle.History(r, 90)},
	} {
		t.Run(name, func(t *testing.T) {
			v, db := openStore(t, c.now)
			insert(t, db, c.events)
			d, err := v.Directory(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			rows, left, err := v.Gaps(t.Context(), analytics.SkillFilter{})
			if err != nil || len(left) > 0 {
				t.Fatal(left, err)
			}
			got := map[string]string{}
			for _, g := range rows {
				got[g.Team+"/"+g.Skill] = gapText(g)
				if len(g.Cites) == 0 || len(g.Cites) > 5 || int64(len(g.Cites)) > g.Incidents {
					t.Errorf("%s %s cites %v of %d", g.Team, g.Skill, g.Cites, g.Incidents)
				}
			}
			demand, err := v.Demand(t.Context())
			if err != nil || len(demand) != len(rows) {
				t.Errorf("%d rows of demand, %d of gaps, %v", len(demand), len(rows), err)
			}
			for _, x := range demand {
				if !slices.ContainsFunc(rows, func(g analytics.GapRow) bool {
					return g.Team == x.Team && g.Skill == x.Skill && g.Incidents == x.Incidents && g.Demand == x.Demand
				}) {
					t.Errorf("demand %+v is of no gap", x)
				}
			}
			n := 0
			for _, team := range d.Teams {
				a := ask(t, v, "skill_gaps", "team="+team.ID)
				for _, row := range a.Rows {
					n++
					want := strings.NewReplacer("<nil>", "-").Replace(fmt.Sprintln(append([]any{team.ID}, row[1:]...)...))
					if key := team.ID + "/" + row[1].(string); got[key] != want {
						t.Errorf("%s: %swant %s", key, got[key], want)
					}
				}
			}
			if n != len(rows) || n == 0 {
				t.Errorf("%d rows, the metric has %d", len(rows), n)
			}
		})
	}
}

// TestSkillReadsByHand: figures that were worked out on paper, of the history of skill_test.
func TestSkillReadsByHand(t *testing.T) {
	ctx := t.Context()
	v, db := openStore(t, skillsNow)
	insert(t, db, skillsHistory(t))
	all := analytics.SkillFilter{}

	rows, _, err := v.Gaps(ctx, analytics.SkillFilter{To: skillsNow.AddDate(0, 0, 7)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range rows {
		got = append(got, strings.TrimSpace(gapText(g))+" "+strings.Join(g.Cites, ","))
	}
	// Largest first. Escalated away comes first, then the severe, each newest first: i6 left
	// payments, i1 was severe. To 9 March the three planned weeks are 504 h, Ana's two of them
	// and Bo's twelve hours covered: 348 h.
	want := []string{
		"search datastore-ops 2 4 0 2 0 0.75 3.5 i7,i8",
		"search queue-stream-ops 1 3 0 2 0 0.6875 2.53125 i7",
		"payments queue-stream-ops 3 5 2 3 0.690476 0.35 1.708333 i6,i1,i2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("gaps\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}

	standing, _, err := v.Standing(ctx, all)
	if want := []analytics.StandingRow{{Team: "payments", Skill: queues, Current: 2}}; err != nil || !slices.Equal(standing, want) {
		t.Errorf("standing %v, %v; want %v", standing, err, want) // Eve's level 4 has lapsed
	}

	cited, err := v.Cited(ctx, analytics.SkillFilter{Team: []string{"payments"}, Skill: []string{queues}}, 2)
	var told []string
	for _, c := range cited {
		told = append(told, fmt.Sprint(c.Incident, c.Title, c.Service, c.Severe, c.Away))
	}
	if err != nil || fmt.Sprint(told) != "[i6lagpayfalse true i2lagpayfalse false]" {
		t.Errorf("cited %v, %v", told, err)
	}

	// Payments are on call until 9 March, which is Ana's week.
	pieces, _, err := v.Ahead(ctx, all, skillsNow.AddDate(0, 0, 14))
	if err != nil || len(pieces) != 1 || pieces[0].Team != "payments" || !pieces[0].From.Equal(skillsNow) || !pieces[0].To.Equal(skillsNow.AddDate(0, 0, 7)) || !slices.Equal(pieces[0].Skills, []string{queues}) {
		t.Errorf("ahead %+v, %v", pieces, err)
	}
	rota, err := v.OnCall(ctx, all, skillsNow.AddDate(0, 0, 3))
	if err != nil || len(rota) != 1 || rota[0].Person != person("ana") || rota[0].Level != 1 || !rota[0].To.Equal(skillsNow.AddDate(0, 0, 3)) {
		t.Errorf("rota %+v, %v", rota, err)
	}

	// On call since December were Ana, who resolved three, Bo and Cy, who were paged or not and
	// did nothing, and Fay, who resolved one.
	u, err := v.Underload(ctx, all)
	if err != nil || len(u.Teams) != 2 || u.Teams[0].People != 3 || u.Teams[0].Idle != 2 || !slices.Equal(u.Teams[0].Persons, []string{person("bo"), person("cy")}) ||
		u.Teams[1].People != 1 || u.Teams[1].Idle != 0 {
		t.Errorf("underload %+v, %v", u, err)
	}
}

// TestStandingFades: as of 1 April Bo's last evidence is 111.5 days old, 0.679: fading.
func TestStandingFades(t *testing.T) {
	v, db := openStore(t, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
	insert(t, db, skillsHistory(t))
	rows, _, err := v.Standing(t.Context(), analytics.SkillFilter{})
	if want := []analytics.StandingRow{{Team: "payments", Skill: queues, Current: 1, Fading: 1}}; err != nil || !slices.Equal(rows, want) {
		t.Errorf("%v, %v; want %v", rows, err, want)
	}
}

// TestUnderloadEnds: Fay resolved i6 on 1 February at 11:00, which is 90 days before 2 May.
func TestUnderloadEnds(t *testing.T) {
	for at, want := range map[string]int{"2026-05-02T11:00:00Z": 0, "2026-05-02T11:01:00Z": 1} {
		t.Run(at, func(t *testing.T) {
			now, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			v, db := openStore(t, now)
			insert(t, db, skillsHistory(t))
			u, err := v.Underload(t.Context(), analytics.SkillFilter{Team: []string{"search"}})
			if err != nil || len(u.Teams) != 1 || u.Teams[0].People != 1 || u.Teams[0].Idle != want {
				t.Errorf("%+v, %v; want %d idle", u, err, want)
			}
		})
	}
}

// overlapping are teams whose people differ by few: red is one, two and three; rose has four in
// three's place; ruby is red and four; blue is three others; wee is two.
func overlapping(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	tell := func(kind event.Kind, at time.Time, data map[string]any) {
		e, err := event.New("/import/test", kind, "x", fmt.Sprint(len(out)), at, data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	for team, members := range map[string]string{"red": "one two three", "rose": "one two four", "ruby": "one two three four", "blue": "six seven eight", "wee": "nine ten"} {
		tell(event.ServiceOwned, at, map[string]any{"service": "s" + team, "team": team})
		for _, p := range strings.Fields(members) {
			tell(event.MemberJoined, at, map[string]any{"team": team, "person": person(p), "role": "lead"})
		}
		id := "i-" + team
		tell(event.IncidentOpened, skillsNow.AddDate(0, 0, -9), map[string]any{"incident": id, "title": "asked ada@example.org", "service": "s" + team})
		tell(event.SkillTagged, skillsNow.AddDate(0, 0, -9), map[string]any{"incident": id, "skill": queues, "basis": "rule"})
		tell(event.ShiftPlanned, at, map[string]any{"shift": "c-" + team, "schedule": team, "person": person(strings.Fields(members)[0]), "start": skillsNow.AddDate(0, 0, -3), "end": skillsNow.AddDate(0, 0, 3)})
	}
	for _, p := range []string{"one", "three", "six", "nine", "ten"} {
		for k, kind := range []string{"solo", "drill", "drill"} {
			tell(event.SkillEvidenced, skillsNow.AddDate(0, 0, -20), map[string]any{"person": person(p), "skill": queues, "kind": kind, "ref": fmt.Sprint("r", k), "rule_version": 1})
		}
	}
	return out
}

// TestTeamsThatTellOfOne: what two teams can do is not shown of both where their difference is
// one or two people, nor what a team of two can, to anybody but whoever holds the data.
func TestTeamsThatTellOfOne(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, skillsNow)
	insert(t, db, overlapping(t))
	ledger := &heard{}
	all.Keep(ledger)
	as := func(who string, roles ...access.Role) *analytics.View {
		m, err := all.Membership(ctx, access.Identity{Person: who})
		if err != nil {
			t.Fatal(err)
		}
		if len(roles) == 0 {
			roles = []access.Role{access.Viewer, access.Member, access.Lead}
		}
		return all.For(access.As(access.Identity{Person: who}, m, roles...), "a test")
	}
	askers := map[string]*analytics.View{"lead of red, rose, ruby": as(person("one")), "lead of wee": as(person("nine")), "viewer": as(person("nobody"), access.Viewer), "people admin": as("pam@example.org", access.Viewer, access.PeopleAdmin)}
	for name, v := range askers {
		standing, left, err := v.Standing(ctx, analytics.SkillFilter{})
		if want := "[{blue queue-stream-ops 1 0} {red queue-stream-ops 2 0}]"; err != nil || fmt.Sprint(standing) != want {
			t.Errorf("%s: %v, %v; want %s", name, standing, err, want)
		}
		var who []string
		for _, w := range left {
			who = append(who, w.Key)
		}
		if fmt.Sprint(who) != "[rose ruby wee]" {
			t.Errorf("%s: withheld %v", name, left)
		}
		gaps, left, err := v.Gaps(ctx, analytics.SkillFilter{})
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]bool{}
		for _, g := range gaps {
			shown[g.Team] = true
			open := g.Team == "blue" || g.Team == "red"
			if (g.Supply != nil) != open || (g.Gap != nil) != open || (g.Withheld == "") != open || g.Demand != 1 {
				t.Errorf("%s: %s", name, gapText(g))
			}
			if (g.Coverage != nil) != open { // of the others nobody is on call, or they are too few
				t.Errorf("%s: coverage of %s", name, gapText(g))
			}
		}
		outside := name == "lead of red, rose, ruby" || name == "viewer"
		if demand, err := v.Demand(ctx); err != nil || len(demand) != len(gaps) || slices.ContainsFunc(demand, func(x analytics.DemandRow) bool { return x.Team == "wee" }) == outside {
			t.Errorf("%s: demand %v, %v", name, demand, err)
		}
		if shown["wee"] == outside || (len(left) == 1) != outside {
			t.Errorf("%s: %v, left out %v", name, shown, left)
		}
		cited, err := v.Cited(ctx, analytics.SkillFilter{}, 50)
		if err != nil || len(cited) != map[bool]int{true: 4, false: 5}[outside] {
			t.Errorf("%s: cited %v, %v", name, cited, err)
		}
		for _, c := range cited {
			if outsider := name == "viewer" || name == "lead of wee" && c.Team != "wee" || name[:11] == "lead of red" && c.Team == "blue"; outsider == strings.Contains(c.Title, "ada@") {
				t.Errorf("%s reads %q of %s", name, c.Title, c.Team)
			}
		}
		pieces, _, err := v.Ahead(ctx, analytics.SkillFilter{}, skillsNow.AddDate(0, 0, 14))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pieces { // one's team is the first by name: red, blue and wee are on call
			if p.Hidden != (p.Team == "wee") || p.Hidden && len(p.Skills) > 0 || p.Team == "wee" && outside {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if len(pieces) == 0 {
			t.Errorf("%s: nobody is on call", name)
		}
		// The metrics say no more.
		for query, want := range map[string]bool{
			"skill_gaps team=red": true, "skill_gaps team=rose": name == "people admin", "skill_gaps team=ruby": name == "people admin",
			"skill_gaps team=red team=rose": name == "people admin", "skill_gaps": name == "people admin", "skill_gaps team=red team=blue": true,
			"skill_gaps team=blue team=rose": name == "people admin",
		} {
			metric, params, _ := strings.Cut(query, " ")
			a := ask(t, v, metric, strings.Fields(params)...)
			if len(a.Rows) != 1 || (cellOf(t, a, queues, "supply") != nil) != want {
				t.Errorf("%s, %s: %v, withheld %v", name, query, a.Rows, a.Withheld)
			}
		}
		overlap := ask(t, v, "skill_overlap")
		for _, r := range overlap.Rows {
			if (r[3] != nil) != (name == "people admin" || r[1] == "red" || r[1] == "blue") || r[1] == "wee" && outside {
				t.Errorf("%s: overlap %v", name, r)
			}
		}
	}
	if seen := ledger.take(); len(seen) > 0 {
		t.Errorf("looks at %v, where nobody is named", seen)
	}
}

// TestATeamBeforeAndAfterOneJoined: whoever may choose the moment could ask what a team can do
// just before and just after somebody joined, and the difference would be that person.
func TestATeamBeforeAndAfterOneJoined(t *testing.T) {
	all, db := openStore(t, skillsNow)
	all.Keep(&heard{})
	insert(t, db, overlapping(t))
	joined := skillsNow.AddDate(0, 0, -1)
	for team, at := range map[string]time.Time{"before": joined.AddDate(0, -1, 0), "red": joined} {
		e, err := event.New("/import/test", event.MemberJoined, team, team, at, map[string]any{"team": team, "person": person("late")})
		if err != nil {
			t.Fatal(err)
		}
		insert(t, db, []event.Event{e})
	}
	viewer := all.For(access.As(access.Identity{Person: person("nobody")}, access.Membership{}, access.Viewer), "a test")
	admin := all.For(access.As(access.Identity{Person: "pam@example.org"}, access.Membership{}, access.Viewer, access.PeopleAdmin), "a test")
	stamp := func(at time.Time) string { return at.Format(time.RFC3339) }
	for _, c := range []struct {
		params string
		shown  bool
	}{
		{"", true}, {"as_of=" + stamp(joined.Add(time.Hour)), true}, {"as_of=" + stamp(joined.Add(-time.Hour)), false}, {"known_at=" + stamp(joined.Add(-time.Hour)), false},
	} {
		for name, v := range map[string]*analytics.View{"viewer": viewer, "people admin": admin} {
			want := c.shown || name == "people admin"
			params := strings.Fields(c.params)
			if a := ask(t, v, "skill_gaps", append(params, "team=red")...); len(a.Rows) > 0 && (cellOf(t, a, queues, "supply") != nil) != want {
				t.Errorf("%s, %q: gaps %v, withheld %v", name, c.params, a.Rows, a.Withheld)
			} else if len(a.Rows) == 0 && !strings.Contains(c.params, "known_at") {
				t.Errorf("%s, %q: no gaps", name, c.params)
			}
			for _, r := range ask(t, v, "skill_overlap", append(params, "team=red")...).Rows {
				if (r[3] != nil) != want {
					t.Errorf("%s, %q: overlap %v", name, c.params, r)
				}
			}
		}
	}
}

// TestHowFarOnePersonIs: of what a team learns others read no row of one or two people, and none
// that follows from two windows.
func TestHowFarOnePersonIs(t *testing.T) {
	all, db := openStore(t, skillsNow)
	all.Keep(&heard{})
	insert(t, db, overlapping(t))
	give := func(module string, people ...string) {
		for _, p := range people {
			e, err := event.New("/import/test", event.TrainingAssigned, module+p, module+p, skillsNow.AddDate(0, 0, -9), map[string]any{"assignment": module + p, "module": module, "person": person(p), "by": person("one")})
			if err != nil {
				t.Fatal(err)
			}
			insert(t, db, []event.Event{e})
		}
	}
	give("PG1", "six", "seven", "eight")
	give("PG2", "six", "seven", "eight")
	give("PG2", "one")
	give("PG6", "six")
	as := func(who string, m access.Membership, roles ...access.Role) *analytics.View {
		return all.For(access.As(access.Identity{Person: who}, m, roles...), "a test")
	}
	for name, c := range map[string]struct {
		v    *analytics.View
		want string
		past bool
	}{
		"viewer":       {as(person("nobody"), access.Membership{}, access.Viewer), "[PG2]", false}, // PG1's are what hides PG6's
		"member":       {as(person("six"), access.Membership{Person: person("six"), Teams: []string{"blue"}}, access.Viewer, access.Member), "[PG2]", false},
		"lead":         {as(person("six"), access.Membership{Person: person("six"), Teams: []string{"blue"}, Leads: []string{"blue"}}, access.Viewer, access.Member, access.Lead), "[PG1 PG2 PG6]", true},
		"people admin": {as("pam@example.org", access.Membership{}, access.Viewer, access.PeopleAdmin), "[PG1 PG2 PG6]", true},
	} {
		keys := func(params ...string) string {
			out := []string{}
			for _, r := range ask(t, c.v, "training_progress", append(params, "by=module", "team=blue")...).Rows {
				out = append(out, r[1].(string))
			}
			return fmt.Sprint(out)
		}
		if got := keys(); got != c.want {
			t.Errorf("%s reads %s, want %s", name, got, c.want)
		}
		for _, p := range []string{"from=2026-01-01", "as_of=" + skillsNow.AddDate(0, 0, -1).Format(time.RFC3339)} {
			if got := keys(p); (got != "[]") != c.past {
				t.Errorf("%s, %s: reads %s", name, p, got)
			}
		}
	}
}

// TestWhoIsOnCallAndIdle: names of the coming rota are its team's, and who handled nothing is
// that person's and their lead's to know.
func TestWhoIsOnCallAndIdle(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, skillsNow)
	insert(t, db, skillsHistory(t))
	ledger := &heard{}
	all.Keep(ledger)
	lead := access.As(access.Identity{Person: person("cy")}, access.Membership{Person: person("cy"), Teams: []string{"payments"}, Leads: []string{"payments"}}, access.Viewer, access.Member, access.Lead)
	member := func(p, team string) access.Who {
		return access.As(access.Identity{Person: person(p)}, access.Membership{Person: person(p), Teams: []string{team}}, access.Viewer, access.Member)
	}
	pam := access.As(access.Identity{Person: "pam@example.org"}, access.Membership{}, access.Viewer, access.PeopleAdmin)
	for _, c := range []struct {
		name                string
		who                 access.Who
		rota                int
		payments            string // people, idle, names
		idle                bool   // they themselves
		rotaLook, underLook []string
	}{
		{name: "lead", who: lead, rota: 1, payments: "3 2 [bo@example.org cy@example.org]", idle: true, underLook: []string{person("ana"), person("bo")}},
		{name: "member", who: member("bo", "payments"), rota: 1, payments: "3 2 []", idle: true},
		{name: "who is on call", who: member("ana", "payments"), rota: 1, payments: "3 2 []"},
		{name: "other team", who: member("dee", "search"), payments: "3 2 []"},
		{name: "people admin", who: pam, rota: 1, payments: "3 2 []", rotaLook: []string{person("ana")}},
	} {
		v := all.For(c.who, "a test")
		rota, err := v.OnCall(ctx, analytics.SkillFilter{}, skillsNow.AddDate(0, 0, 14))
		if err != nil || len(rota) != c.rota {
			t.Errorf("%s: rota %v, %v", c.name, rota, err)
		}
		if got := ledger.take(); !slices.Equal(got, c.rotaLook) {
			t.Errorf("%s: looks at %v for a rota, want %v", c.name, got, c.rotaLook)
		}
		u, err := all.For(c.who, "another").Underload(ctx, analytics.SkillFilter{})
		if err != nil || len(u.Teams) != 2 {
			t.Fatalf("%s: %+v, %v", c.name, u, err)
		}
		if got := fmt.Sprint(u.Teams[0].People, " ", u.Teams[0].Idle, " ", append([]string{}, u.Teams[0].Persons...)); got != c.payments || u.OwnIdle != c.idle {
			t.Errorf("%s: payments %s, oneself %t; want %s, %t", c.name, got, u.OwnIdle, c.payments, c.idle)
		}
		if u.Teams[1].Withheld == "" || u.Teams[1].People+u.Teams[1].Idle > 0 { // Fay alone was on call
			t.Errorf("%s: search %+v", c.name, u.Teams[1])
		}
		if got := ledger.take(); !slices.Equal(got, c.underLook) {
			t.Errorf("%s: looks at %v for who is idle, want %v", c.name, got, c.underLook)
		}
	}
	// Who may see everybody names the team, and each look is told.
	u, err := all.For(pam, "a test").Underload(ctx, analytics.SkillFilter{Team: []string{"search"}})
	if err != nil || len(u.Teams) != 1 || !u.Teams[0].Named || u.Teams[0].People != 1 || !slices.Equal(ledger.take(), []string{person("fay")}) {
		t.Errorf("people admin: %+v, %v", u, err)
	}
	for _, nobody := range []access.Who{{}, access.As(access.Identity{Person: "adm@example.org"}, access.Membership{}, access.Admin)} {
		v := all.For(nobody, "x")
		_, _, e1 := v.Gaps(ctx, analytics.SkillFilter{})
		_, _, e2 := v.Standing(ctx, analytics.SkillFilter{})
		_, e3 := v.Cited(ctx, analytics.SkillFilter{}, 1)
		_, _, e4 := v.Ahead(ctx, analytics.SkillFilter{}, skillsNow)
		_, e5 := v.OnCall(ctx, analytics.SkillFilter{}, skillsNow)
		_, e6 := v.Underload(ctx, analytics.SkillFilter{})
		_, e7 := v.Demand(ctx)
		for i, err := range []error{e1, e2, e3, e4, e5, e6, e7} {
			if err == nil {
				t.Errorf("read %d answers somebody without a role", i)
			}
		}
	}
}
