package analytics_test

import (
	"context"
	"errors"
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

// The organisation of these tests: alpha has four people, beta three, duo two, gamma five, and each
// owns one service. Everybody was paged in April, May and June 2025, each a number of times
// of their own, and it is the middle of July.
var (
	viewNow = time.Date(2025, 7, 15, 12, 0, 0, 0, time.UTC)
	alpha   = []string{"ann@example.org", "abe@example.org", "amy@example.org", "art@example.org"}
	beta    = []string{"bea@example.org", "ben@example.org", "bob@example.org"}
	duo     = []string{"dan@example.org", "dee@example.org"}
	gamma   = []string{"gil@example.org", "gus@example.org", "guy@example.org", "gwen@example.org", "gabe@example.org"}
	people  = slices.Concat(alpha, beta, duo, gamma)
)

func viewHistory(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	tell := func(kind event.Kind, subject string, at time.Time, data map[string]any) {
		e, err := event.New("/import/test", kind, subject, fmt.Sprint(subject, len(out)), at, data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	page, incident := 0, 0
	for ti, team := range [][]string{alpha, beta, duo, gamma} {
		name := []string{"alpha", "beta", "duo", "gamma"}[ti]
		service := "s" + name
		tell(event.TeamDescribed, name, start, map[string]any{"team": name, "name": name})
		tell(event.ServiceOwned, service, start, map[string]any{"service": service, "team": name})
		for i, p := range team {
			role := ""
			if i == 0 {
				role = "lead"
			}
			tell(event.MemberJoined, name+p, start, map[string]any{"team": name, "person": p, "role": role})
			tell(event.PersonDescribed, p, start, map[string]any{"person": p, "name": "Name of " + p, "time_zone": "UTC", "aliases": []string{"chat:" + p[:3]}})
			for k, kind := range []string{"solo", "drill", "drill"} {
				tell(event.SkillEvidenced, p, start, map[string]any{"person": p, "skill": "queues", "kind": kind, "ref": fmt.Sprint("r", k), "rule_version": 1})
			}
		}
		tell(event.TrainingAssigned, name, start.AddDate(0, 2, 0), map[string]any{"assignment": name, "module": "FX4", "team": name, "by": team[0]})
		for month := range 3 {
			for i, p := range team {
				for k := range 2 + i + ti + month { // each their own number
					incident++
					id := fmt.Sprint("i", incident)
					at := time.Date(2025, time.Month(4+month), 1+k, 2+i+4*ti, 0, 0, 0, time.UTC)
					tell(event.IncidentOpened, id, at, map[string]any{"incident": id, "title": "down", "service": service, "urgency": "high", "raw": map[string]any{"assignee": "Name of " + p}})
					page++
					tell(event.PageSent, fmt.Sprint("page", page, p), at.Add(time.Second), map[string]any{"page": fmt.Sprint("page", page, p), "incident": id, "person": p, "channel": "push", "level": 1})
					tell(event.IncidentAcknowledged, id, at.Add(time.Minute), map[string]any{"incident": id, "person": "chat:" + p[:3], "actor_kind": "user"})
					tell(event.IncidentEscalated, id, at.Add(2*time.Minute), map[string]any{"incident": id, "to": []string{"person:" + p}, "cause": "manual", "person": p})
					tell(event.IncidentNoted, id, at.Add(3*time.Minute), map[string]any{"incident": id, "person": p, "text": "ask " + p})
					tell(event.SkillTagged, id, at.Add(5*time.Minute), map[string]any{"incident": id, "skill": "queues", "basis": "rule"})
					tell(event.IncidentResolved, id, at.Add(10*time.Minute), map[string]any{"incident": id, "person": p, "actor_kind": "user"})
				}
				from := time.Date(2025, time.Month(4+month), 2*i+1, 0, 0, 0, 0, time.UTC)
				tell(event.ShiftWorked, p, from.Add(48*time.Hour), map[string]any{"schedule": name, "person": p, "start": from.Format(time.RFC3339), "end": from.Add(time.Duration(20+i) * time.Hour).Format(time.RFC3339), "level": 1})
			}
		}
	}
	return out
}

// heard is a ledger that keeps what it is told, or refuses.
type heard struct {
	looks []access.Look
	err   error
}

func (h *heard) Record(_ context.Context, looks []access.Look) error {
	if h.err != nil {
		return h.err
	}
	h.looks = append(h.looks, looks...)
	return nil
}

func (h *heard) take() (people []string) {
	for _, l := range h.looks {
		people = append(people, l.Person)
	}
	h.looks = nil
	slices.Sort(people)
	return people
}

// askers resolves people as a policy does, whoever they are in the data.
func askers(t *testing.T, resolve func(access.Identity) access.Who) map[string]access.Who {
	t.Helper()
	person := func(id string) access.Who { return resolve(access.Identity{Person: id, Method: "test"}) }
	return map[string]access.Who{
		"nobody":       {},
		"viewer":       resolve(access.Identity{Name: "v", Method: "test"}),
		"member":       person(alpha[1]),
		"lead":         person(alpha[0]),
		"lead of beta": person(beta[0]),
		"people admin": access.As(access.Identity{Person: "pam@example.org"}, access.Membership{}, access.Viewer, access.PeopleAdmin),
		"admin":        access.As(access.Identity{Person: "adm@example.org"}, access.Membership{}, access.Viewer, access.Admin),
		"token":        access.Token("script", true, true),
		"operator":     access.Operator(),
	}
}

func TestWhoSeesWhatOfWhom(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, viewNow)
	insert(t, db, viewHistory(t))
	ledger := &heard{}
	all.Keep(ledger)
	policy := access.Policy{Default: access.Viewer}
	who := askers(t, func(id access.Identity) access.Who {
		m, err := all.Membership(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		w, ok := policy.Resolve(id, m)
		if !ok {
			t.Fatalf("%v is refused", id)
		}
		return w
	})
	if w := who["lead"]; !w.LeadsTeam("alpha") || w.LeadsTeam("beta") || !w.Has(access.Member) {
		t.Errorf("the lead of alpha is %+v", w)
	}
	if m, err := all.Membership(ctx, access.Identity{Person: "chat:ann"}); err != nil || m.Person != alpha[0] {
		t.Errorf("an alias signs in as %+v, %v", m, err)
	}
	const (
		no     = "no"
		months = "months"
		exact  = "exact"
	)
	type ask struct{ metric, query string }
	window := "&from=2025-04-01&to=2025-07-01"
	questions := []struct {
		ask
		viewer, member, lead, leadBeta, people string
		looks                                  []string // told of a lead's or people admin's look, but for themselves
	}{
		{ask{"interruptions", ""}, months, months, months, months, exact, nil},
		{ask{"interruptions", "by=team"}, months, months, months, months, exact, duo},
		{ask{"interruptions", "by=team&bucket=month"}, months, months, months, months, exact, duo},
		{ask{"interruptions", "bucket=week"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "by=hour_class"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "by=weekday_hour&team=alpha"}, no, no, exact, no, exact, alpha},
		{ask{"interruptions", "service=salpha"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "urgency=high"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "tz=Asia/Tokyo"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "as_of=2025-06-20"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "known_at=2025-06-20"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "assume=none"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "hours=incident-io"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "lens=owner_then&team=alpha"}, no, no, no, no, exact, nil},
		{ask{"interruptions", "team=alpha"}, months, months, exact, months, exact, nil},
		{ask{"interruptions", "team=alpha&team=beta"}, months, months, months, months, exact, nil},
		{ask{"interruptions", "by=person"}, no, no, no, no, exact, people},
		{ask{"interruptions", "by=person&team=alpha"}, no, no, exact, no, exact, alpha},
		{ask{"interruptions", "by=person&team=alpha&team=beta"}, no, no, no, no, exact, slices.Concat(alpha, beta)},
		{ask{"interruptions", "person=" + alpha[1]}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"interruptions", "person=chat:abe"}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"interruptions", "person=" + alpha[1] + "&person=" + alpha[2]}, no, no, no, no, exact, alpha[1:3]},
		{ask{"interruptions", "person=" + alpha[1] + "&team=alpha"}, no, exact, exact, no, exact, alpha[1:2]},
		{ask{"interruptions", "person=" + alpha[1] + "&by=person"}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"pages", "by=team"}, no, no, no, no, exact, duo},
		{ask{"time_to_ack", "by=hour_class"}, no, no, no, no, exact, nil},
		{ask{"incidents", "by=hour_class&team=alpha"}, no, no, no, no, exact, nil},
		{ask{"pages", "by=person&team=beta"}, no, no, no, exact, exact, beta},
		{ask{"pages", "by=level"}, no, no, no, no, exact, nil},
		{ask{"oncall_hours", "by=team"}, months, months, months, months, exact, duo},
		{ask{"oncall_hours", "by=person&team=alpha"}, no, no, exact, no, exact, alpha},
		{ask{"oncall_hours", "person=" + beta[0]}, no, no, no, exact, exact, beta[:1]},
		{ask{"incidents", "by=team"}, exact, exact, exact, exact, exact, nil},
		{ask{"incidents", "by=service&bucket=day"}, exact, exact, exact, exact, exact, nil},
		{ask{"incidents", "by=team&lens=responder_team"}, no, no, no, no, exact, people},
		{ask{"incidents", "lens=responder_team&team=alpha"}, no, no, exact, no, exact, alpha},
		{ask{"time_to_ack", "by=urgency"}, exact, exact, exact, exact, exact, nil},
		{ask{"hops", "service=salpha"}, exact, exact, exact, exact, exact, nil},
		{ask{"skill_levels", ""}, no, no, no, no, exact, people},
		{ask{"skill_levels", "skill=queues&team=alpha"}, no, no, no, no, exact, alpha},
		{ask{"skill_levels", "by=skill"}, no, no, no, no, no, nil},
		{ask{"skill_levels", "by=skill&team=alpha"}, no, no, no, no, no, nil},
		{ask{"skill_levels", "by=skill&person=" + alpha[1]}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"skill_levels", "person=" + alpha[1]}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"skill_levels", "person=chat:abe&team=alpha"}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"skill_levels", "person=" + alpha[1] + "&person=" + alpha[2]}, no, no, no, no, exact, alpha[1:3]},
		{ask{"skill_gaps", "team=alpha"}, exact, exact, exact, exact, exact, nil},
		{ask{"skill_coverage", "bucket=day"}, exact, exact, exact, exact, exact, nil},
		{ask{"training_progress", "by=team"}, exact, exact, exact, exact, exact, nil},
		{ask{"training_progress", "by=person"}, no, no, no, no, exact, people},
		{ask{"training_progress", "by=person&team=alpha"}, no, no, exact, no, exact, alpha},
		{ask{"training_progress", "by=person&team=alpha&team=beta"}, no, no, no, no, exact, slices.Concat(alpha, beta)},
		{ask{"training_progress", "person=" + alpha[1]}, no, exact, no, no, exact, alpha[1:2]},
		{ask{"training_progress", "person=" + alpha[1] + "&team=alpha"}, no, exact, exact, no, exact, alpha[1:2]},
		{ask{"training_progress", "person=" + beta[1]}, no, no, no, no, exact, beta[1:2]},
	}
	for _, q := range questions {
		want := map[string]string{"nobody": no, "viewer": q.viewer, "member": q.member, "lead": q.lead, "lead of beta": q.leadBeta, "people admin": q.people, "admin": q.viewer, "token": q.viewer, "operator": exact}
		for name, w := range who {
			params, err := url.ParseQuery(q.query + window)
			if err != nil {
				t.Fatal(err)
			}
			a, err := all.For(w, "a test").Query(ctx, q.metric, params)
			got := exact
			var denied *access.Denied
			switch {
			case errors.As(err, &denied):
				got = no
				for _, p := range people {
					if strings.Contains(err.Error(), p) {
						t.Errorf("%s, %s?%s: the refusal names a person: %v", name, q.metric, q.query, err)
					}
				}
			case err != nil:
				t.Errorf("%s, %s?%s: %v", name, q.metric, q.query, err)
			case a.Published:
				got = months
			}
			if got != want[name] {
				t.Errorf("%s, %s?%s: %s, want %s", name, q.metric, q.query, got, want[name])
			}
			var told []string
			if got == exact && name != "operator" {
				told = slices.DeleteFunc(slices.Clone(q.looks), func(p string) bool { return p == w.Person || name == "member" })
				slices.Sort(told)
			}
			if heard := ledger.take(); !slices.Equal(heard, told) {
				t.Errorf("%s, %s?%s: the ledger has %v, want %v", name, q.metric, q.query, heard, told)
			}
		}
	}
	t.Run("published", func(t *testing.T) { published(t, all, who["viewer"]) })
	t.Run("work of small teams", func(t *testing.T) { smallTeams(t, all, who) })
	t.Run("skills of small teams", func(t *testing.T) { skillsOfSmallTeams(t, all, who) })
	t.Run("stories", func(t *testing.T) { stories(t, all, who, ledger) })
	t.Run("names", func(t *testing.T) { directories(t, all, who) })
	t.Run("no record, no answer", func(t *testing.T) {
		ledger.err = errors.New("the log is down")
		defer func() { ledger.err = nil }()
		if a, err := all.For(who["lead"], "x").Query(ctx, "interruptions", url.Values{"by": {"person"}, "team": {"alpha"}}); err == nil || a != nil {
			t.Errorf("answered unrecorded: %v", err)
		}
		if a, err := all.For(who["member"], "x").Query(ctx, "interruptions", url.Values{"person": {alpha[1]}}); err != nil || len(a.Rows) == 0 {
			t.Errorf("one's own data needs no record: %v", err)
		}
	})
	t.Run("one record a view", func(t *testing.T) {
		v := all.For(who["lead"], "load on /teams/alpha")
		for _, metric := range []string{"interruptions", "oncall_hours", "interruptions"} {
			if _, err := v.Query(ctx, metric, url.Values{"by": {"person"}, "team": {"alpha"}, "from": {"2025-04-01"}}); err != nil {
				t.Fatal(err)
			}
		}
		if len(ledger.looks) != 3 || ledger.looks[0].What != "load on /teams/alpha" || ledger.looks[0].By != alpha[0] {
			t.Errorf("%+v", ledger.looks)
		}
		ledger.take()
	})
	t.Run("worn down", func(t *testing.T) {
		w, err := all.For(who["viewer"], "x").WornDown(ctx, url.Values{"from": {"2025-03-20"}}, 3)
		if err != nil || w.People != 14 || w.Over < 1 || w.Months != 3 {
			t.Errorf("%+v, %v", w, err)
		}
		if _, err := all.For(access.Who{}, "x").WornDown(ctx, nil, 3); err == nil {
			t.Error("nobody was answered")
		}
	})
}

// published: duo is hidden, beta with it, or all less the others were duo, and alpha with
// both, or the lead of beta could take their own away.
func published(t *testing.T, all *analytics.View, viewer access.Who) {
	ctx := t.Context()
	get := func(query string) *analytics.Answer {
		t.Helper()
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		a, err := all.For(viewer, "x").Query(ctx, "interruptions", v)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	exact := ask(t, all, "interruptions", "by=team", "bucket=month", "from=2025-04-01", "to=2025-07-01")
	a := get("by=team&bucket=month&from=2025-03-15&to=2025-07-15")
	if got := a.Params["from"]; got != "2025-04-01T00:00:00.000Z" || a.Params["to"] != "2025-07-01T00:00:00.000Z" {
		t.Errorf("covers %v to %v", got, a.Params["to"])
	}
	if len(a.Rows) != 3 {
		t.Errorf("rows %v", a.Rows)
	}
	for _, r := range a.Rows {
		if r[1] != "gamma" {
			t.Errorf("shows %v", r)
		}
		for _, x := range exact.Rows {
			if x[0] == r[0] && x[1] == r[1] && (x[2] != r[2] || x[9] != r[9]) {
				t.Errorf("published %v, exactly %v", r, x)
			}
		}
	}
	if len(a.Withheld) < 9 {
		t.Errorf("withheld: %v", a.Withheld)
	}
	total, sum := get("from=2025-04-01&to=2025-07-01"), int64(0)
	for _, r := range exact.Rows {
		sum += r[2].(int64)
	}
	if len(total.Rows) != 1 || total.Rows[0][2] != sum || total.Rows[0][9] != int64(14) {
		t.Errorf("in all %v, want %d of 14 people", total.Rows, sum)
	}
	for _, q := range []string{"team=duo", "team=beta", "team=duo&team=beta", "team=duo&by=team&bucket=quarter"} {
		if a := get(q + "&from=2025-04-01&to=2025-07-01"); len(a.Rows) != 0 || len(a.Withheld) == 0 {
			t.Errorf("%s: %v, withheld %v", q, a.Rows, a.Withheld)
		}
	}
	if a := get("from=2025-07-01"); len(a.Rows) != 0 || len(a.Withheld) == 0 {
		t.Errorf("the month that fills: %v", a.Rows)
	}
}

func smallTeams(t *testing.T, all *analytics.View, who map[string]access.Who) {
	ctx := t.Context()
	rows := func(w access.Who, metric, query string) (keys []string, n int64) {
		t.Helper()
		v, _ := url.ParseQuery(query + "&from=2025-04-01")
		a, err := all.For(w, "x").Query(ctx, metric, v)
		if err != nil {
			t.Fatalf("%s?%s: %v", metric, query, err)
		}
		for _, r := range a.Rows {
			keys, n = append(keys, r[1].(string)), n+r[2].(int64)
		}
		return keys, n
	}
	for _, metric := range []string{"time_to_ack", "time_to_resolve", "ownership_quadrant", "hops"} {
		_, everything := rows(who["operator"], metric, "")
		for name, want := range map[string]string{"viewer": "alpha beta gamma", "member": "alpha beta gamma", "lead": "alpha beta gamma", "lead of beta": "alpha beta gamma", "people admin": "alpha beta duo gamma", "operator": "alpha beta duo gamma"} {
			if keys, _ := rows(who[name], metric, "by=team"); strings.Join(keys, " ") != want {
				t.Errorf("%s by team, %s: %v, want %s", metric, name, keys, want)
			}
			services, _ := rows(who[name], metric, "by=service")
			if got := strings.ReplaceAll(strings.Join(services, " "), "s", ""); got != want {
				t.Errorf("%s by service, %s: %v", metric, name, services)
			}
			// In all, and under any other filter, the small team is not there to be subtracted.
			_, small := rows(who["operator"], metric, "team=duo")
			for _, q := range []string{"", "urgency=high", "by=urgency", "by=weekday_hour"} {
				_, all := rows(who["operator"], metric, q)
				if !strings.Contains(want, "duo") {
					all -= small
				}
				if _, n := rows(who[name], metric, q); n != all {
					t.Errorf("%s?%s, %s: %d of %d, %d of them the small team's", metric, q, name, n, everything, small)
				}
			}
		}
		for _, q := range []string{"team=duo", "service=sduo", "service=sduo&by=urgency"} {
			if keys, _ := rows(who["viewer"], metric, q); len(keys) != 0 {
				t.Errorf("%s?%s shows %v", metric, q, keys)
			}
		}
	}
}

func stories(t *testing.T, all *analytics.View, who map[string]access.Who, ledger *heard) {
	ctx := t.Context()
	for name, c := range map[string]struct {
		sees  string // whose names of an incident of alpha's
		raw   bool
		looks int
	}{"viewer": {"", false, 0}, "token": {"", false, 0}, "admin": {"", false, 0}, "lead of beta": {"", false, 0}, "member": {"ann", true, 0}, "lead": {"ann", true, 0}, "people admin": {"ann", true, 1}, "operator": {"ann", true, 0}} {
		inc, err := all.For(who[name], "story of /incidents/i1").Incident(ctx, "i1") // one that ann handled
		if err != nil {
			t.Fatal(name, err)
		}
		events, err := all.For(who[name], "x").Events(ctx, analytics.EventFilter{Incident: "i1"})
		if err != nil {
			t.Fatal(name, err)
		}
		text := fmt.Sprintf("%+v %+v", inc, events)
		for _, p := range people {
			short := p[:3]
			if found := strings.Contains(text, p) || strings.Contains(text, "chat:"+short); found != (short == c.sees) {
				t.Errorf("%s: %s in the story: %v\n%s", name, p, found, text)
			}
		}
		if strings.Contains(text, "assignee") != c.raw || strings.Contains(text, "Name of") != c.raw {
			t.Errorf("%s: what the vendor sent is shown: %v", name, !c.raw)
		}
		if strings.Contains(text, "page.sent") != (c.sees != "") {
			t.Errorf("%s: reads who was woken when: %v", name, c.sees == "")
		}
		if c.sees == "" && (!strings.Contains(text, "responder 1") || strings.Contains(text, "responder 2")) {
			t.Errorf("%s: one person is not one pseudonym: %s", name, text)
		}
		if n := len(ledger.take()); n != 2*c.looks {
			t.Errorf("%s: %d looks recorded", name, n)
		}
		rows, err := all.For(who[name], "x").Incidents(ctx, analytics.IncidentFilter{From: viewNow.AddDate(0, -4, 0), Service: []string{"salpha"}})
		if err != nil || len(rows) == 0 {
			t.Fatal(name, err)
		}
		if (rows[0].Resolver != analytics.Somebody) != (c.sees != "") {
			t.Errorf("%s: the list says %q resolved", name, rows[0].Resolver)
		}
		ledger.take()
	}
	if _, err := all.For(who["viewer"], "x").Incidents(ctx, analytics.IncidentFilter{Paged: []string{"duo"}}); err == nil {
		t.Error("a viewer reads what paged a team")
	}
	for _, f := range []func(*analytics.View) error{
		func(v *analytics.View) error { _, err := v.Incident(ctx, "i1"); return err },
		func(v *analytics.View) error {
			_, err := v.Events(ctx, analytics.EventFilter{Incident: "i1"})
			return err
		},
		func(v *analytics.View) error { _, err := v.Incidents(ctx, analytics.IncidentFilter{}); return err },
		func(v *analytics.View) error { _, err := v.Directory(ctx); return err },
		func(v *analytics.View) error { _, err := v.OwnershipHistory(ctx, "salpha"); return err },
		func(v *analytics.View) error { _, _, err := v.Quarantine(ctx, 1, 0); return err },
		func(v *analytics.View) error { _, err := v.QuarantineItem(ctx, "x"); return err },
		func(v *analytics.View) error { _, err := v.Looks(ctx, 1); return err },
		func(v *analytics.View) error { _, err := v.Audit(ctx, 1); return err },
	} {
		var denied *access.Denied
		if err := f(all.For(access.Who{}, "x")); !errors.As(err, &denied) || !denied.SignIn {
			t.Errorf("nobody: %v", err)
		}
	}
}

func directories(t *testing.T, all *analytics.View, who map[string]access.Who) {
	for name, want := range map[string]int{"viewer": 0, "admin": 0, "token": 0, "member": 4, "lead": 4, "lead of beta": 3, "people admin": 14, "operator": 14} {
		d, err := all.For(who[name], "x").Directory(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		members := 0
		for _, team := range d.Teams {
			members += len(team.Members)
			if size := map[string]int{"alpha": 4, "beta": 3, "duo": 2, "gamma": 5}[team.ID]; team.Size != size {
				t.Errorf("%s has %d members", team.ID, team.Size)
			}
		}
		if len(d.People) != want || members != want || d.Size != 14 {
			t.Errorf("%s knows %d people, %d members of teams, of %d", name, len(d.People), members, d.Size)
		}
		_, _, err = all.For(who[name], "x").Quarantine(t.Context(), 10, 0)
		if may := name == "admin" || name == "operator" || name == "token"; (err == nil) != may {
			t.Errorf("%s and the quarantine: %v", name, err)
		}
	}
}
