package dashboards

import (
	"encoding/csv"
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Who asks reads of their own team first, also where it lacks nothing, and then which teams do.
func TestSkillsSpeakOfTheOwnTeamFirst(t *testing.T) {
	for team, wants := range map[string][]string{
		hostile[1]: {hostile[1] + " is covered: in the coming 7 days every hour on call has somebody current. On ", "1 of 2 teams has hours on call with nobody current in one of the skills that their incidents take most: " + hostile[0] + "."},
		hostile[0]: {"On Sunday night’s shift of " + hostile[0]},
	} {
		member := access.As(access.Identity{Name: "M"}, access.Membership{Person: hostile[4], Teams: []string{team}}, access.Viewer, access.Member)
		s := boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return member, nil } })
		got := text(t, body(t, get(t, s, "/skills")))
		at := 0
		for _, w := range wants {
			i := strings.Index(got[at:], w)
			if i < 0 {
				t.Fatalf("a member of %s is not told %q, in this order: %.900s", team, w, got[strings.Index(got, "nobody’s level stands"):])
			}
			at += i
		}
		if covered := strings.Contains(got, " is covered: "); covered != (team == hostile[1]) {
			t.Errorf("a member of %s is told that their team is covered: %v", team, covered)
		}
	}
}

// The sentence of a page of skills is the first thing that is lacking, and each card says its
// own; what the fake's teams lack is written there.
func TestSkillsPageSaysWhatIsLacking(t *testing.T) {
	lead := access.As(access.Identity{Name: "L"}, access.Membership{Person: hostile[2], Teams: hostile[:1], Leads: hostile[:1]}, access.Viewer, access.Member, access.Lead)
	s := boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return lead, nil } })
	page := body(t, get(t, s, "/skills"))
	got := text(t, page)
	for _, want := range []string{
		"On Sunday night’s shift of " + hostile[0] + " (22 Nov 22:00–08:00 CET) nobody on call is current in Queues and streams",
		"1 of 2 teams has hours on call with nobody current", // the third may not be told of
		"current in Queues and streams. Assign FX4, or book a drill.",
		"Largest: Queues and streams in " + hostile[0] + ", where 12 incidents took it and 1 of 3 people needed are current",
		"14 of 14 hours", "nobody on call", // of the fields, in words
		"1 of 3 +2", "2 of 2",
		"You were on call and handled nothing in 90 days.", "withheld: fewer than 3 people on call",
		"not named", "Assign FX4", "Read FX3", "Book a drill",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("/skills does not say %q", want)
		}
	}
	// From a gap it is one link to the filled form, and its button.
	var form string
	for _, part := range strings.Split(page, `href="`) {
		if href := html.UnescapeString(part[:strings.Index(part+`"`, `"`)]); strings.HasPrefix(href, "/training/FX4?") {
			form = href
		}
	}
	u, err := url.Parse(form)
	if err != nil || form == "" {
		t.Fatalf("no link to the form: %q, %v", form, err)
	}
	q := u.Query()
	if q.Get("for") != "team:"+hostile[0] || q.Get("cites") != hostile[2]+","+hostile[6] || !strings.Contains(q.Get("reason"), "12 incidents of ours took it; 1 of 3 people needed are current") || u.Fragment != strings.TrimPrefix(assignForm, "#") {
		t.Errorf("the form is filled with %v, #%s", q, u.Fragment)
	}
	filled := body(t, get(t, s, form))
	if !strings.Contains(filled, `id="`+u.Fragment+`"`) || strings.Count(filled, `" checked>`) != 1 || !strings.Contains(text(t, filled), "everybody in "+hostile[0]) {
		t.Error("the form that the link leads to is not there, or nobody is chosen in it")
	}
	for path, wants := range map[string][]string{
		"/skills?skill=queue-stream-ops":                        {"What is it?", "3 independent", "Taught by FX4", "Which incidents took it?", "escalated away", "nobody on call is current in Queues and streams"},
		"/skills?" + url.Values{"skill": {hostile[0]}}.Encode(): {"is not in the list of skills", hostile[0]},
		"/skills?" + url.Values{"team": {hostile[1]}}.Encode():  {"every hour on call has somebody current", "in every one of the skills that incidents take most, in " + hostile[1]},
		"/skills?" + url.Values{"team": {hostile[2]}}.Encode():  {"is not shown for these teams", "withheld"},
		at("teams", hostile[0]):                                 {"Which skills are missing?", "Who learns what?", "Sunday night’s shift: nobody on call is current in Queues and streams", "Assign a module", "All skills of the team"},
		at("teams", hostile[1]):                                 {"Which skills are missing?", "Read FX3"},
		"/":                                                     {"has hours on call with nobody", "skills covered, 7 days", "overdue training"},
		"/skills?team=unheard-of-by-anybody&window=" + url.QueryEscape("1x"): {"1x"},
	} {
		got := text(t, body(t, get(t, s, path)))
		for _, w := range wants {
			if !strings.Contains(got, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
	}
	if got := text(t, body(t, get(t, s, at("teams", hostile[1])))); strings.Contains(got, "Assign a module") {
		t.Error("a gap that is met needs attention")
	}
	if got := body(t, get(t, s, "/?as_of=2026-11-01")); strings.Contains(got, "skills covered") {
		t.Error("a page of the past speaks of the coming days")
	}
}

// Somebody who gives nobody work is offered the lesson, and no form.
func TestSkillActionsAreTheLeads(t *testing.T) {
	for name, who := range map[string]access.Who{
		"a viewer": access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer),
		"a member": access.As(access.Identity{}, access.Membership{Person: "m", Teams: hostile[:1]}, access.Viewer, access.Member),
	} {
		s := boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return who, nil } })
		for _, path := range []string{"/skills", at("teams", hostile[0])} {
			got := text(t, body(t, get(t, s, path)))
			if strings.Contains(got, "Assign FX4") || strings.Contains(got, "Assign a module") || !strings.Contains(got, "Read FX4") {
				t.Errorf("%s on %s is offered the form, or not the lesson", name, path)
			}
		}
	}
}

// Nothing is known: each card says what to do, and no card is wrong.
func TestSkillsPageOfNothing(t *testing.T) {
	f := newFake()
	f.empty = true
	s := boot(t, f)
	r := get(t, s, "/skills")
	got := text(t, body(t, r))
	for _, want := range []string{"No incident has been tagged with a skill yet", "No shift is known", "no opportunity is no gap", "Nobody has shown a skill yet", "Nobody is known to have been on call"} {
		if !strings.Contains(got, want) {
			t.Errorf("an empty page does not say %q", want)
		}
	}
	f.broken = errors.New("code: 241, secret statement")
	if r := get(t, s, "/skills"); r.StatusCode != 500 || !strings.Contains(body(t, r), "alert") {
		t.Errorf("with a broken store: %d", r.StatusCode)
	}
}

func TestSkillTables(t *testing.T) {
	s := boot(t, newFake())
	for table, want := range map[string][]string{
		"gaps":      {hostile[0], "queue-stream-ops", "12", "20", "1", "3", "0.25", "0.4", "10.67", "", hostile[2] + " " + hostile[6]},
		"standing":  {hostile[0], "queue-stream-ops", "1", "2"},
		"incidents": {hostile[0], "queue-stream-ops", hostile[2], hostile[0], hostile[4], "2026-11-19T14:30:00.000Z", "true", "true"},
		"underload": {hostile[0], "5", "2", "2026-08-24T14:30:00.000Z", "2026-11-22T14:30:00.000Z", hostile[2] + " " + hostile[4]},
		"ahead":     nil,
	} {
		r := get(t, s, "/api/v1/skills/"+table+"?format=csv")
		lines, err := csv.NewReader(strings.NewReader(body(t, r))).ReadAll()
		if err != nil || r.StatusCode != 200 || len(lines) < 2 {
			t.Fatalf("%s: %d, %v, %d lines", table, r.StatusCode, err, len(lines))
		}
		if want != nil && !slices.Equal(lines[1], want) {
			t.Errorf("%s: %q, want %q", table, lines[1], want)
		}
		if j := body(t, get(t, s, "/api/v1/skills/"+table)); !strings.Contains(j, `"rows":[`) || !strings.Contains(j, `"withheld":[`) {
			t.Errorf("%s as JSON: %.200s", table, j)
		}
	}
	// By hand: it is Sunday 15:30 in Berlin; the first team's day ends 6.5 hours from now and is covered, its
	// night of ten hours is not; on Thursday nobody is on call.
	lines, err := csv.NewReader(strings.NewReader(body(t, get(t, s, "/api/v1/skills/ahead?format=csv&skill=queue-stream-ops&"+url.Values{"team": {hostile[0]}}.Encode())))).ReadAll()
	if err != nil || len(lines) != 1+2*aheadDays {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, want := range map[int]string{1: "day 6.5 6.5 6.5", 2: "night 10 10 0", 3: "day 14 14 14", 8: "night 10 10 0", 9: "day 14 0 0"} {
		if got := strings.Join(lines[i][4:], " "); got != want {
			t.Errorf("part %d is %q, want %q", i, got, want)
		}
	}
	for path, want := range map[string]int{"/api/v1/skills/people": 404, "/api/v1/skills/gaps?person=x": 400, "/api/v1/skills/gaps?format=xml": 400, "/api/v1/skills/gaps?window=1x": 400, "/api/v1/skills/gaps?as_of=2026-01-01": 400} {
		if r := get(t, s, path); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

// A night belongs to the day it begins on, also while it runs and where a clock is put back.
func TestPartsOfDays(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	f := &filter{zone: berlin, now: time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC)} // 01:00 on Sunday; clocks go back at 03:00
	parts := f.parts(2)
	var got []string
	for _, p := range parts {
		got = append(got, p.words()+" "+p.from.Format("15:04")+" "+decimal(p.hours()))
	}
	want := []string{"Sat 24 Oct, night 01:00 8", "Sun 25 Oct, day 08:00 14", "Sun 25 Oct, night 22:00 10", "Mon 26 Oct, day 08:00 14", "Mon 26 Oct, night 22:00 10"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if p := parts[0]; p.shift() != "Saturday night’s shift" || parts[1].shift() != "Sunday’s day shift" {
		t.Errorf("%q, %q", p.shift(), parts[1].shift())
	}
	c := parts[0].cover([]analytics.Piece{{Team: "a", From: parts[0].from.Add(-time.Hour), To: parts[0].from.Add(2 * time.Hour), Skills: []string{"s"}}, {Team: "b", From: parts[0].from, To: parts[0].to}}, "a", "s")
	if c != (cover{onCall: 2, covered: 2}) {
		t.Errorf("cover %+v", c)
	}
}

// While history is being derived, pages that speak of skills say so, and then no more.
func TestSkillsStillBeingWorkedOut(t *testing.T) {
	deriving := true
	s := boot(t, newFake(), func(d *Deps) { d.Deriving = func() bool { return deriving } })
	for _, deriving = range []bool{true, false} {
		for _, path := range []string{"/skills", "/", at("teams", hostile[0]), "/recommendations"} {
			if got := strings.Contains(body(t, get(t, s, path)), "Skills are still being worked out"); got != deriving {
				t.Errorf("%s, deriving %v: it says so %v", path, deriving, got)
			}
		}
	}
}

// What the first sentence says is lacking stands in the heat map too, also where it is not
// among the skills that are shown of every team.
func TestChartedSkills(t *testing.T) {
	now := time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	x := &skillAnswers{parts: []part{{from: now, to: now.Add(10 * time.Hour)}, {from: now.AddDate(0, 0, 8), to: now.AddDate(0, 0, 8).Add(10 * time.Hour)}}}
	for i, skill := range []string{"a", "b", "c", "d"} {
		x.gaps = append(x.gaps, analytics.GapRow{Team: "t", Skill: skill, Demand: int64(9 - i)})
	}
	x.pieces = []analytics.Piece{{Team: "t", From: now, To: now.Add(10 * time.Hour), Skills: []string{"a", "d"}}}
	if got := x.charted("t", 2, now.AddDate(0, 0, 7)); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("shown are %v", got)
	}
	x.pieces[0].Skills = []string{"a", "b", "c"}
	if got := x.charted("t", 2, now.AddDate(0, 0, 7)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("with everybody current %v", got)
	}
}
