package analytics_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
)

// In the organisation of view_test.go Abe of alpha walks along with Ann: he shadowed in May,
// was on call with her behind him in June, and does it again in August. He acknowledged two
// alerts then; one of them made sense.
func shadowHistory(t *testing.T) []event.Event {
	w := &walkers{t: t}
	day := func(month time.Month, d int) time.Time { return time.Date(2025, month, d, 0, 0, 0, 0, time.UTC) }
	shift := func(id, person, role string, start, end, said time.Time) {
		w.tell(event.ShiftPlanned, said, map[string]any{"shift": id, "schedule": "alpha", "person": person, "start": walkTime(start), "end": walkTime(end), "role": role, "level": 1})
	}
	shift("looked on", alpha[1], "shadow", day(5, 12), day(5, 19), day(5, 1))
	shift("acted", alpha[1], "reverse_shadow", day(6, 9), day(6, 16), day(6, 1))
	shift("off", alpha[1], "reverse_shadow", day(6, 20), day(6, 20), day(6, 19))
	shift("again", "chat:abe", "reverse_shadow", day(8, 4), day(8, 11), day(7, 1))
	shift("hosted", alpha[0], "primary", day(6, 9), day(6, 16), day(6, 1))
	shift("to host", alpha[0], "primary", day(8, 4), day(8, 11), day(7, 1))
	shift("other team", beta[1], "shadow", day(8, 4), day(8, 11), day(7, 1))
	for i, id := range []string{"w1", "w2"} {
		at := day(6, 10+i)
		w.tell(event.IncidentOpened, at, map[string]any{"incident": id, "title": "disk of " + alpha[1], "service": "salpha"})
		w.tell(event.PageSent, at.Add(time.Second), map[string]any{"page": "p" + id, "incident": id, "person": alpha[1], "channel": "push"})
		w.tell(event.IncidentAcknowledged, at.Add(time.Minute), map[string]any{"incident": id, "person": "chat:abe", "actor_kind": "user"})
		w.tell(event.IncidentResolved, at.Add(time.Hour), map[string]any{"incident": id, "person": alpha[1], "actor_kind": "user"})
	}
	w.tell(event.PageSent, day(6, 10).Add(time.Minute), map[string]any{"page": "pw3", "incident": "w1", "person": alpha[0], "channel": "sms"})
	w.tell(event.PageSent, day(6, 13), map[string]any{"page": "alone", "person": alpha[2], "channel": "sms"})
	review := func(at time.Time, by, verdict string, more map[string]any) {
		d := map[string]any{"by": by, "verdict": verdict}
		for k, v := range more {
			d[k] = v
		}
		w.tell(event.PageReviewed, at, d)
	}
	review(day(6, 16), alpha[1], "view", map[string]any{"incident": "w1", "made_sense": true, "note": "first"})
	review(day(6, 17), alpha[0], "threshold", map[string]any{"incident": "w1", "note": "too low, says " + alpha[3]})
	review(day(6, 15), alpha[1], "service", map[string]any{"incident": "w1", "page": "pw3"})
	review(day(6, 16), "chat:abe", "not-needed", map[string]any{"incident": "w2", "made_sense": false})
	review(day(6, 18), alpha[1], "check-faulty", map[string]any{"incident": "w2"})
	return w.out
}

func shadowStore(t *testing.T) (*analytics.View, *heard, map[string]access.Who) {
	t.Helper()
	all, db := openStore(t, viewNow)
	insert(t, db, viewHistory(t))
	insert(t, db, shadowHistory(t))
	ledger := &heard{}
	all.Keep(ledger)
	policy := access.Policy{Default: access.Viewer}
	return all, ledger, askers(t, func(id access.Identity) access.Who {
		m, err := all.Membership(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := policy.Resolve(id, m)
		return w
	})
}

func refused(err error) bool {
	var denied *access.Denied
	return errors.As(err, &denied)
}

func TestReviewsAndWhoReadsThem(t *testing.T) {
	all, ledger, who := shadowStore(t)
	week := analytics.ReviewFilter{Team: []string{"alpha"}, From: time.Date(2025, 6, 9, 0, 0, 0, 0, time.UTC), To: time.Date(2025, 6, 16, 0, 0, 0, 0, time.UTC)}
	write := func(rows []analytics.PageRow) string {
		var out []string
		for _, r := range rows {
			s := r.Page + " " + strings.TrimSuffix(r.Person, "@example.org")
			for _, x := range []*analytics.Review{r.Verdict, r.Own} {
				if x != nil {
					s += " " + x.Verdict + "/" + strings.TrimSuffix(x.By, "@example.org")
					if x.MadeSense != nil {
						s += fmt.Sprint("=", *x.MadeSense)
					}
				}
			}
			if r.May {
				s += " may"
			}
			out = append(out, s)
		}
		return strings.Join(out, ", ")
	}
	for _, c := range []struct {
		name  string
		f     analytics.ReviewFilter
		want  string
		no    bool
		looks []string
	}{
		// The latest holds: Ann's of the incident after Abe's, of the page after both.
		{name: "member", f: week, want: "pw1 abe threshold/ann view/abe=true may, pw3 ann threshold/ann view/abe=true may, pw2 abe check-faulty/abe check-faulty/abe=false may, alone amy may"},
		{name: "lead", f: week, want: "pw1 abe threshold/ann threshold/ann may, pw3 ann threshold/ann threshold/ann may, pw2 abe check-faulty/abe may, alone amy may"},
		{name: "operator", f: week, want: "pw1 abe threshold/ann, pw3 ann threshold/ann, pw2 abe check-faulty/abe, alone amy"},
		{name: "people admin", f: week, want: "pw1 abe threshold/ann, pw3 ann threshold/ann, pw2 abe check-faulty/abe, alone amy", looks: []string{alpha[1], alpha[2], alpha[0]}},
		{name: "lead of beta", f: week, no: true}, {name: "viewer", f: week, no: true}, {name: "admin", f: week, no: true}, {name: "token", f: week, no: true}, {name: "nobody", f: week, no: true},
		{name: "viewer", f: analytics.ReviewFilter{Incident: "w2", From: week.From, To: week.To}},
		{name: "lead of beta", f: analytics.ReviewFilter{Page: "alone", From: week.From, To: week.To}},
		{name: "member", f: analytics.ReviewFilter{Page: "alone", From: week.From, To: week.To}, want: "alone amy may"},
		{name: "member", f: analytics.ReviewFilter{Incident: "w2", From: week.From, To: week.To}, want: "pw2 abe check-faulty/abe check-faulty/abe=false may"},
		{name: "member", f: analytics.ReviewFilter{Team: []string{"alpha"}, From: week.From.AddDate(0, 0, 4), To: week.To}, want: "alone amy may"},
	} {
		rows, err := all.For(who[c.name], "x").Reviews(t.Context(), c.f)
		// The pages of view_test.go are of the first days of a month.
		if refused(err) != c.no || err != nil && !c.no || write(rows) != c.want {
			t.Errorf("%s, %+v: %v\n got %s\nwant %s", c.name, c.f, err, write(rows), c.want)
		}
		told := ledger.take()
		if slices.Sort(c.looks); !slices.Equal(told, c.looks) {
			t.Errorf("%s: the ledger has %v", c.name, told)
		}
	}
	if _, err := all.For(who["member"], "x").Reviews(t.Context(), analytics.ReviewFilter{}); err == nil {
		t.Error("everybody's pages were given")
	}

	// A story keeps what made sense to whom for who said it.
	for name, want := range map[string]int{"member": 2, "lead": 0, "people admin": 2, "operator": 2, "viewer": 0} {
		n := 0
		for _, id := range []string{"w1", "w2"} {
			inc, err := all.For(who[name], "x").Incident(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range inc.Events {
				if strings.Contains(e.Data, "made_sense") {
					n++
				}
				if e.Kind == "page.reviewed" && !strings.Contains(e.Data, "verdict") {
					t.Errorf("%s reads %s", name, e.Data)
				}
			}
		}
		if n != want {
			t.Errorf("%s reads %d times whether it made sense, want %d", name, n, want)
		}
	}
}

// A tool may name an incident in what it says of a person's skills or learning. That is no part
// of the incident's story: a team-mate, a lead and who is not of the team read nothing of it.
func TestStoriesHoldNothingOfWhatPeopleCanDo(t *testing.T) {
	all, db := openStore(t, viewNow)
	all.Keep(&heard{})
	insert(t, db, viewHistory(t))
	insert(t, db, shadowHistory(t))
	w := &walkers{t: t}
	for kind, data := range map[event.Kind]map[string]any{
		event.SkillEvidenced:   {"person": alpha[2], "skill": "queues", "kind": "attested", "ref": "w1", "rule_version": 1, "note": "could not"},
		event.TrainingFailed:   {"person": alpha[2], "assignment": "a", "module": "PG1", "score": 0.1},
		event.TrainingAnswered: {"person": alpha[2], "assignment": "a", "module": "PG1", "question": "q", "correct": false},
		event.EvidenceVoided:   {"evidence": "e", "reason": "could not", "by": alpha[2]},
	} {
		data["incident"] = "w1"
		w.tell(kind, viewNow.AddDate(0, 0, -1), data)
	}
	insert(t, db, w.out)
	for name, who := range askers(t, func(id access.Identity) access.Who {
		m, err := all.Membership(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		x, _ := access.Policy{Default: access.Viewer}.Resolve(id, m)
		return x
	}) {
		events, err := all.For(who, "x").Events(t.Context(), analytics.EventFilter{Incident: "w1"})
		if refused(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 {
			t.Errorf("%s reads no story", name)
		}
		for _, e := range events {
			if strings.HasPrefix(e.Kind, "skill.") || strings.HasPrefix(e.Kind, "training.") || strings.HasPrefix(e.Kind, "evidence.") {
				t.Errorf("%s reads %s in a story: %s", name, e.Kind, e.Data)
			}
		}
	}
}

// What the owning team wrote beside its verdict is its words. Who was paged from another team
// reads the verdict, and neither the words nor whose they are.
func TestWordsOfAReviewAreOfTheTeamsConcerned(t *testing.T) {
	all, db := openStore(t, viewNow)
	insert(t, db, viewHistory(t))
	w := &walkers{t: t}
	at := viewNow.AddDate(0, 0, -3)
	w.tell(event.IncidentOpened, at, map[string]any{"incident": "n1", "title": "disk", "service": "salpha"})
	w.tell(event.PageSent, at.Add(time.Second), map[string]any{"page": "pn1", "incident": "n1", "person": beta[1], "channel": "push"})
	w.tell(event.PageReviewed, at.Add(time.Hour), map[string]any{"page": "pn1", "incident": "n1", "by": alpha[0], "verdict": "threshold", "note": "woken for nothing"})
	insert(t, db, w.out)
	as := func(person, team string) *analytics.View {
		return all.For(access.As(access.Identity{Person: person}, access.Membership{Person: person, Teams: []string{team}}, access.Viewer, access.Member), "x")
	}
	for _, c := range []struct {
		v        *analytics.View
		by, note string
	}{{as(beta[1], "beta"), "responder 1", ""}, {as(alpha[1], "alpha"), alpha[0], "woken for nothing"}} {
		rows, err := c.v.Reviews(t.Context(), analytics.ReviewFilter{Page: "pn1", From: at.Add(-time.Hour), To: viewNow})
		if err != nil || len(rows) != 1 || rows[0].Verdict == nil {
			t.Fatalf("%v %+v", err, rows)
		}
		if got := rows[0].Verdict; got.By != c.by || got.Note != c.note || got.Verdict != "threshold" {
			t.Errorf("%+v, want by %s and %q", got, c.by, c.note)
		}
	}
}

func TestReadinessAndWhoReadsIt(t *testing.T) {
	all, ledger, who := shadowStore(t)
	write := func(rows []analytics.Readiness) string {
		var out []string
		for _, r := range rows {
			s := fmt.Sprintf("%s %s %d+%d, %d coming, %d alerts", r.Person[:3], r.State, r.Shadow, r.Reverse, len(r.Coming), r.Acknowledged)
			if r.Detailed {
				s += fmt.Sprintf(" %d/%d", r.Sensible, r.Rated)
				for _, a := range r.Alerts {
					s += " " + a.Incident
				}
			}
			out = append(out, s)
		}
		return strings.Join(out, "; ")
	}
	const state, full = "abe reverse shadowing 1+1, 1 coming, 2 alerts", "abe reverse shadowing 1+1, 1 coming, 2 alerts 1/2 w1 w2"
	abe := analytics.ReadinessFilter{Person: "chat:abe"}
	for _, c := range []struct {
		name  string
		f     analytics.ReadinessFilter
		want  string
		no    bool
		looks []string
	}{
		{name: "member", f: abe, want: full},
		{name: "lead", f: abe, want: state},
		{name: "operator", f: abe, want: full},
		{name: "people admin", f: abe, want: full, looks: []string{alpha[1]}},
		{name: "lead of beta", f: abe, no: true}, {name: "viewer", f: abe, no: true}, {name: "admin", f: abe, no: true}, {name: "token", f: abe, no: true}, {name: "nobody", f: abe, no: true},
		{name: "member", f: analytics.ReadinessFilter{Person: alpha[2]}, no: true},
		{name: "member", f: analytics.ReadinessFilter{Team: "alpha"}, no: true},
		{name: "lead", f: analytics.ReadinessFilter{Team: "alpha"}, want: state},
		{name: "lead", f: analytics.ReadinessFilter{Team: "beta"}, no: true},
		{name: "lead of beta", f: analytics.ReadinessFilter{Team: "beta"}, want: "ben not begun 0+0, 1 coming, 0 alerts"},
		{name: "people admin", f: analytics.ReadinessFilter{Team: "alpha"}, want: full, looks: []string{alpha[1]}},
	} {
		rows, err := all.For(who[c.name], "x").Readiness(t.Context(), c.f)
		if refused(err) != c.no || err != nil && !c.no || write(rows) != c.want {
			t.Errorf("%s, %+v: %v\n got %s\nwant %s", c.name, c.f, err, write(rows), c.want)
		}
		if told := ledger.take(); !slices.Equal(told, c.looks) {
			t.Errorf("%s: the ledger has %v", c.name, told)
		}
	}
	rows, err := all.For(who["member"], "x").Readiness(t.Context(), abe)
	if err != nil || len(rows) != 1 || len(rows[0].Coming) != 1 || rows[0].Coming[0].Host != alpha[0] || rows[0].First.IsZero() || !rows[0].Next.IsZero() {
		t.Errorf("%v: %+v", err, rows)
	}
	ledger.err = errors.New("the log is down")
	if rows, err := all.For(who["people admin"], "x").Readiness(t.Context(), abe); err == nil || rows != nil {
		t.Errorf("given unrecorded: %v", err)
	}

	// The rota of a team is its own, and holds what is to come.
	for name, want := range map[string]int{"member": 2, "lead": 2, "lead of beta": 0, "viewer": 0, "operator": 2, "people admin": 0} {
		rows, err := all.For(who[name], "x").Rota(t.Context(), "alpha")
		if err != nil || len(rows) != want {
			t.Errorf("%s: %v, the rota has %+v", name, err, rows)
		}
	}
}

// How far somebody is by name is for them and for people admins, as what they can do is.
func TestGraduationIsNoLeads(t *testing.T) {
	all, ledger, who := shadowStore(t)
	for _, c := range []struct {
		name, by string
		want     bool
	}{
		{"member", "person=" + alpha[1], true}, {"member", "person=" + alpha[2], false}, {"member", "team=alpha", false},
		{"lead", "person=" + alpha[1], false}, {"lead", "team=alpha", false}, {"viewer", "team=alpha", false}, {"token", "", false},
		{"people admin", "team=alpha", true}, {"operator", "", true},
	} {
		k, v, _ := strings.Cut(c.by, "=")
		a, err := all.For(who[c.name], "x").Query(t.Context(), "graduation", map[string][]string{k: {v}})
		if c.by == "" {
			a, err = all.For(who[c.name], "x").Query(t.Context(), "graduation", nil)
		}
		if (err == nil) != c.want || err == nil && len(a.Rows) != 1 || err != nil && !refused(err) {
			t.Errorf("%s, %s: %v, %+v", c.name, c.by, err, a)
		}
		if told := ledger.take(); (len(told) > 0) != (c.name == "people admin") {
			t.Errorf("%s: the ledger has %v", c.name, told)
		}
	}
}
