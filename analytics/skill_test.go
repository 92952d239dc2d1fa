package analytics_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
)

// The organisation of these tests: payments is Ana, Bo and Cy and owns a service of tier 1,
// search is Dee, Eve and Fay. It is Monday, 2 March 2026.
var skillsNow = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

const queues = "queue-stream-ops"

func person(short string) string { return short + "@example.org" }

func skillsHistory(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	tell := func(kind event.Kind, at string, data map[string]any) *event.Event {
		t.Helper()
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		e, err := event.New("/import/test", kind, "x", fmt.Sprint(len(out)), when, data)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		e.ID, e.Seen = fmt.Sprintf("e%03d", len(out)), when
		out = append(out, e)
		return &out[len(out)-1]
	}
	type m = map[string]any
	const start = "2025-01-01T00:00:00Z"
	for _, p := range []string{"ana", "bo", "cy"} {
		tell(event.MemberJoined, start, m{"team": "payments", "person": person(p)})
	}
	for _, p := range []string{"dee", "eve", "fay"} {
		tell(event.MemberJoined, start, m{"team": "search", "person": person(p)})
	}
	tell(event.ServiceDescribed, start, m{"service": "pay", "name": "pay", "tier": 1})
	tell(event.ServiceDescribed, start, m{"service": "find", "name": "find", "tier": 2})
	tell(event.ServiceOwned, start, m{"service": "pay", "team": "payments"})
	tell(event.ServiceOwned, start, m{"service": "find", "team": "search"})

	shown := func(who, kind, ref, day string) *event.Event {
		return tell(event.SkillEvidenced, day+"T12:00:00Z", m{"person": person(who), "skill": queues, "kind": kind, "ref": ref, "rule_version": 1})
	}
	// Ana: 1 + 1 + 0.6 + 0.4 = 3 with solos on two days: level 3, since 10 February.
	shown("ana", "solo", "i1", "2026-01-05")
	shown("ana", "solo", "i2", "2026-01-20")
	shown("ana", "led", "i3", "2026-02-01")
	shown("ana", "assist", "i4", "2026-02-10")
	// Bo: a solo and two different drills, 2 in all: level 3, since 10 December. 81.5 days: 0.754.
	shown("bo", "solo", "i5", "2025-12-01")
	shown("bo", "drill", "d1", "2025-12-09")
	shown("bo", "drill", "d2", "2025-12-10")
	// Cy: a module and a quiz: level 1.
	shown("cy", "module", "FX4", "2026-02-02")
	shown("cy", "quiz", "FX4", "2026-02-03")
	// Dee: two shadows: level 2. A rumour is no evidence.
	shown("dee", "shadow", "i1", "2026-01-05")
	shown("dee", "shadow", "i2", "2026-01-20")
	shown("dee", "rumour", "i3", "2026-02-20")
	// Eve: level 3 and teaching: 4, but the last was 1 June: 273.5 days, lapsed. A quiz does not restore it.
	for i, day := range []string{"2025-03-01", "2025-04-01", "2025-05-01"} {
		shown("eve", "solo", fmt.Sprint("old", i), day)
	}
	shown("eve", "taught", "r1", "2025-05-20")
	shown("eve", "taught", "r2", "2025-06-01")
	shown("eve", "quiz", "FX4", "2026-02-25")
	// Fay: would be level 3 but for a voided solo.
	shown("fay", "solo", "i6", "2026-02-01")
	shown("fay", "drill", "d1", "2026-02-02")
	wrong := shown("fay", "drill", "d2", "2026-02-03")
	tell(event.EvidenceVoided, "2026-02-25T00:00:00Z", m{"evidence": wrong.ID, "reason": "it was somebody else"})

	incident := func(id, service, at, priority string, paged, solved string, skills ...string) {
		when, _ := time.Parse(time.RFC3339, at)
		later := func(d time.Duration) string { return when.Add(d).Format(time.RFC3339) }
		tell(event.IncidentOpened, at, m{"incident": id, "title": "lag", "service": service, "priority": priority})
		tell(event.PageSent, later(time.Second), m{"page": "p-" + id, "incident": id, "person": person(paged), "channel": "push"})
		tell(event.IncidentResolved, later(time.Hour), m{"incident": id, "person": person(solved), "actor_kind": "user"})
		for _, s := range skills {
			tell(event.SkillTagged, later(2*time.Hour), m{"incident": id, "skill": s, "basis": "responder"})
		}
	}
	incident("i1", "pay", "2026-01-05T10:00:00Z", "P1", "ana", "ana", queues)
	incident("i2", "pay", "2026-01-20T10:00:00Z", "P3", "ana", "ana", queues, queues) // said twice
	incident("i6", "pay", "2026-02-01T10:00:00Z", "", "bo", "fay", queues)            // escalated away
	incident("i7", "find", "2026-02-05T10:00:00Z", "sev2", "dee", "ana", queues, "datastore-ops")
	incident("i8", "find", "2026-02-06T10:00:00Z", "", "dee", "dee", "datastore-ops")
	incident("i9", "find", "2026-02-07T10:00:00Z", "P1", "dee", "dee") // took nothing that was said

	// Payments are on call around the clock: weeks of Ana and Cy in turns; 23 February is Cy's, 2 March Ana's.
	for i, who := range []string{"ana", "cy", "ana"} {
		from := time.Date(2026, 2, 16+7*i, 0, 0, 0, 0, time.UTC)
		tell(event.ShiftPlanned, "2026-02-01T00:00:00Z", m{"shift": fmt.Sprint("week", i), "schedule": "pay", "person": person(who), "start": from, "end": from.AddDate(0, 0, 7)})
	}
	// Bo is second on the Wednesday of Cy's week: half a day covered, twelve hours.
	tell(event.ShiftPlanned, "2026-02-01T00:00:00Z", m{"shift": "second", "schedule": "pay", "person": person("bo"), "level": 2, "start": "2026-02-25T08:00:00Z", "end": "2026-02-25T20:00:00Z"})
	// Fay has a day: the evidence that was voided never counted.
	tell(event.ShiftPlanned, "2026-02-01T00:00:00Z", m{"shift": "day", "schedule": "find", "person": person("fay"), "start": "2026-02-24T08:00:00Z", "end": "2026-02-24T18:00:00Z"})

	assigned := func(id, at string, d m) {
		d["assignment"], d["by"] = id, "lead@example.org"
		tell(event.TrainingAssigned, at, d)
	}
	did := func(kind event.Kind, id, module, who, at string) {
		tell(kind, at, m{"assignment": id, "module": module, "person": person(who), "question": 1, "correct": true})
	}
	assigned("a1", "2026-01-10T00:00:00Z", m{"module": "FX4", "track": "FX", "team": "search", "due": "2026-02-01"})
	did(event.TrainingStarted, "a1", "FX4", "dee", "2026-01-11T00:00:00Z")
	did(event.TrainingPassed, "a1", "FX4", "dee", "2026-01-12T00:00:00Z")
	did(event.TrainingCompleted, "a1", "FX4", "dee", "2026-02-10T00:00:00Z") // late, and no longer overdue
	did(event.TrainingAnswered, "a1", "FX4", "eve", "2026-01-15T00:00:00Z")  // which is a start
	did(event.TrainingStarted, "a1", "FX3", "fay", "2026-01-15T00:00:00Z")   // another module
	assigned("a2", "2026-02-20T00:00:00Z", m{"module": "PG1", "track": "PG", "person": person("cy"), "due": "2026-03-02"})
	assigned("a3", "2026-02-20T00:00:00Z", m{"track": "PG", "person": person("bo"), "due": "2026-02-21T00:00:00Z"})
	did(event.TrainingCompleted, "a3", "PG2", "bo", "2026-02-21T00:00:00Z") // a start of the track, not its end
	tell(event.TrainingWaived, "2026-02-28T00:00:00Z", m{"assignment": "a3", "by": "lead@example.org", "reason": "equivalent"})
	return out
}

// TestSkillsByHand: figures that were worked out on paper.
func TestSkillsByHand(t *testing.T) {
	s, db := openStore(t, skillsNow)
	insert(t, db, skillsHistory(t))
	expect := func(metric, params, want string) {
		t.Helper()
		a := ask(t, s, metric, strings.Fields(params)...)
		var got []string
		for _, r := range a.Rows {
			var cells []string
			for _, v := range r[1:] {
				cells = append(cells, analytics.Text(v))
			}
			got = append(got, strings.Join(cells, " "))
		}
		if text := strings.Join(got, "\n"); text != want {
			t.Errorf("%s %s:\n%s\nwant\n%s", metric, params, text, want)
		}
	}
	// 2^(−19.5/200), 2^(−81.5/200), 2^(−26.5/200), 2^(−40.5/200), 2^(−273.5/200), 2^(−27.5/200)
	expect("skill_levels", "skill="+queues, `ana@example.org 3 3 0.934651 2026-02-10T12:00:00.000Z
bo@example.org 3 2 0.753929 2025-12-10T12:00:00.000Z
cy@example.org 1 0.3 0.912249 2026-02-03T12:00:00.000Z
dee@example.org 2 0.3 0.869043 2026-01-20T12:00:00.000Z
eve@example.org 4 4.2 0.387562 2025-06-01T12:00:00.000Z
fay@example.org 2 1.5 0.909093 2026-02-02T12:00:00.000Z`)
	expect("skill_levels", "person=ana@example.org by=skill", queues+" 3 3 0.934651 2026-02-10T12:00:00.000Z")
	// Before the voiding was heard of, Fay was independent.
	expect("skill_levels", "skill="+queues+" person=fay@example.org known_at=2026-02-24", "fay@example.org 3 2 0.912249 2026-02-03T12:00:00.000Z")

	// Payments: i1 counts 3, i2 and i6 one each; 5 in all, 1 of it away. Everywhere i7 besides,
	// 3 more of which all went away: 4 of 8. (1 + 5·0.5)/(5 + 5) = 0.35. Two of the three people
	// it takes around the clock: 5·(0.5·(1 − 2/3) + 0.5·0.35). Covered: Ana's week of the two
	// that are past, 168 h, and Bo's 12 h, of 336.
	expect("skill_gaps", "team=payments skill="+queues, queues+" 3 5 2 3 0.535714 0.35 1.708333")
	// Search: i7 alone, away: (3 + 2.5)/(3 + 5) = 0.6875. Nobody of two; not on call around the clock.
	expect("skill_gaps", "team=search", `datastore-ops 2 4 0 2 0 0.75 3.5
`+queues+" 1 3 0 2 0 0.6875 2.53125")
	// As one: 8, 4 of it away; 180 of 346 hours.
	expect("skill_gaps", "skill="+queues, queues+" 4 8 2 3 0.520231 0.5 3.333333")
	expect("skill_gaps", "team=nobody", "")

	// Cy's week, but for Bo's half day; the week to come is Ana's, judged as of now.
	expect("skill_coverage", "team=payments skill="+queues+" from=2026-02-23 to=2026-03-09 bucket=week", queues+" 168 12 0.071429\n"+queues+" 168 168 1")
	expect("skill_coverage", "team=search skill="+queues+" from=2026-02-01", queues+" 10 0 0")
	// At the start of Ana's first week there were 3 in all; ten days before there were not.
	expect("skill_coverage", "team=payments skill="+queues+" from=2026-02-16 to=2026-02-17", queues+" 24 24 1")
	// Asked for, a skill that nobody ever named has hours, and none of them covered.
	expect("skill_coverage", "team=payments skill=backup-restore from=2026-03-02 to=2026-03-03", "backup-restore 24 0 0")

	expect("training_progress", "", ` 1 1 0 0 0 1
FX4 3 2 1 1 2 0
PG1 1 0 0 0 0 0`)
	expect("training_progress", "by=track", "FX 3 2 1 1 2 0\nPG 2 1 0 0 0 1")
	expect("training_progress", "by=team", "payments 2 1 0 0 0 1\nsearch 3 2 1 1 2 0")
	expect("training_progress", "person=dee@example.org by=person", "dee@example.org 1 1 1 1 0 0")
	expect("training_progress", "as_of=2026-02-05 person=dee@example.org", "FX4 1 1 1 0 1 0")
	expect("training_progress", "as_of=2026-03-02T12:00:00Z to=2026-03-03 team=payments person=cy@example.org", "PG1 1 0 0 0 0 0") // due today

	// Whoever is in no team is asked for by the empty one, as everywhere.
	gus, err := event.New("/t", event.SkillEvidenced, "s", "gus", skillsNow.Add(-200*24*time.Hour), map[string]any{"person": "gus@example.org", "skill": queues, "kind": "solo", "ref": "i1", "rule_version": "1"})
	if err != nil {
		t.Fatal(err)
	}
	insert(t, db, []event.Event{gus})
	expect("skill_levels", "team=", "gus@example.org 1 1 0.5 2025-08-14T00:00:00.000Z")
	expect("skill_levels", "team= team=nobody by=skill person=gus@example.org person=ana@example.org", queues+" 1 1 0.5 2025-08-14T00:00:00.000Z")
	expect("skill_levels", "team=payments person=gus@example.org", "")
}

// skillsOfSmallTeams: duo's two people can both do queues, and each would know of the other
// by what they are together. Whoever is not in the team gets no row of it at all.
func skillsOfSmallTeams(t *testing.T, all *analytics.View, who map[string]access.Who) {
	who["member of duo"] = access.As(access.Identity{Person: duo[1]}, access.Membership{Person: duo[1], Teams: []string{"duo"}}, access.Viewer, access.Member)
	who["lead of duo"] = access.As(access.Identity{Person: duo[0]}, access.Membership{Person: duo[0], Teams: []string{"duo"}, Leads: []string{"duo"}}, access.Viewer, access.Member, access.Lead)
	defer func() { delete(who, "member of duo"); delete(who, "lead of duo") }()
	const (
		none = "none" // no row
		part = "part" // without what it says of skills
		full = "full"
	)
	for _, c := range []struct {
		metric, query   string
		secret, plain   []string
		viewer, in, pam string
	}{
		{"skill_gaps", "team=duo", []string{"supply", "coverage", "gap"}, []string{"incidents", "demand", "need", "away"}, none, part, full},
		{"skill_coverage", "team=duo&from=2025-04-01", []string{"covered", "coverage"}, []string{"hours"}, none, part, full},
		{"skill_gaps", "team=duo&team=alpha", []string{"supply"}, []string{"demand"}, full, part, full}, // to others it is alpha's alone
		{"skill_gaps", "team=alpha", []string{"supply"}, []string{"demand"}, full, full, full},
		{"skill_gaps", "", []string{"supply"}, []string{"demand"}, full, full, full},
		{"training_progress", "team=duo", nil, []string{"assigned"}, none, full, full},
	} {
		for name, want := range map[string]string{"viewer": c.viewer, "token": c.viewer, "lead": c.viewer, "member of duo": c.in, "lead of duo": c.in, "people admin": c.pam, "operator": c.pam} {
			if c.metric == "training_progress" && name == "member of duo" {
				want = none // how far the other is, is the lead's to read and not a team-mate's
			}
			v, _ := url.ParseQuery(c.query)
			a, err := all.For(who[name], "x").Query(t.Context(), c.metric, v)
			if err != nil {
				t.Fatalf("%s, %s?%s: %v", name, c.metric, c.query, err)
			}
			got := full
			if len(a.Rows) == 0 {
				got = none
			}
			for i, column := range a.Columns {
				for _, r := range a.Rows {
					switch {
					case slices.Contains(c.secret, column.Name) && r[i] == nil:
						got = part
					case slices.Contains(c.secret, column.Name) && got == part, slices.Contains(c.plain, column.Name) && r[i] == nil:
						t.Errorf("%s, %s?%s: %s is %v", name, c.metric, c.query, column.Name, r[i])
					}
				}
			}
			if got != want || got != full && len(a.Withheld) == 0 {
				t.Errorf("%s, %s?%s: %s, want %s; withheld %v", name, c.metric, c.query, got, want, a.Withheld)
			}
		}
	}
}

// TestVoidingOneEvidence: of all that can be asked, exactly what rests on Bo's second drill
// changes when it is voided.
func TestVoidingOneEvidence(t *testing.T) {
	s, db := openStore(t, skillsNow)
	events := skillsHistory(t)
	insert(t, db, events)
	var questions []question
	for _, team := range []string{"payments", "search"} {
		for _, metric := range []string{"skill_levels", "skill_gaps", "skill_coverage"} {
			questions = append(questions, question{metric, []string{"team=" + team, "from=2026-01-01", "to=2026-03-09"}})
		}
	}
	for _, metric := range []string{"incidents", "ownership_quadrant", "oncall_hours", "training_progress"} {
		questions = append(questions, question{metric, nil})
	}
	told := func() map[string]string {
		out := map[string]string{}
		for i, a := range askAll(t, s, questions) {
			for _, r := range a.Rows {
				out[fmt.Sprint(questions[i].metric, questions[i].params, " ", r[1])] = strings.TrimSpace(fmt.Sprintln(r[2:]...))
			}
		}
		return out
	}
	before := told()
	drill := slices.IndexFunc(events, func(e event.Event) bool {
		return e.Kind == event.SkillEvidenced && strings.Contains(string(e.Data), "bo@") && strings.Contains(string(e.Data), `"d2"`)
	})
	void, err := event.New("/steward", event.EvidenceVoided, "x", "void", skillsNow.Add(-time.Hour), map[string]any{"evidence": events[drill].ID, "reason": "contested"})
	if err != nil {
		t.Fatal(err)
	}
	void.Seen = void.At
	insert(t, db, []event.Event{void})
	time.Sleep(100 * time.Millisecond) // the state of the log is looked at 20 times a second
	var changed []string
	for name, was := range told() {
		if before[name] != was {
			changed = append(changed, name+": "+before[name]+" → "+was)
		}
		delete(before, name)
	}
	slices.Sort(changed)
	const window = "[team=payments from=2026-01-01 to=2026-03-09] "
	want := []string{
		// Ana alone is left, and the twelve hours in which Bo was second are not covered.
		"skill_coverage" + window + queues + ": 504 348 0.690476 → 504 336 0.666667",
		"skill_gaps" + window + queues + ": 3 5 2 3 0.690476 0.35 1.708333 → 3 5 1 3 0.666667 0.35 2.541667",
		"skill_levels" + window + person("bo") + ": 3 2 0.753929 2025-12-10T12:00:00.000Z → 2 1.5 0.75132 2025-12-09T12:00:00.000Z",
	}
	if !slices.Equal(changed, want) || len(before) != 0 {
		t.Errorf("changed\n%s\nwant\n%s\ngone %v", strings.Join(changed, "\n"), strings.Join(want, "\n"), before)
	}
}
