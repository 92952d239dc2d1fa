package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/drill"
)

// The organisation of these tests: ann, bob and lea, who leads, are in pay; cid was and left;
// dee leads find, with eve. It is Saturday, 20 June 2026.
type played struct {
	t      *testing.T
	now    time.Time
	events []event.Event
	s      *analytics.View
	ledger heard
}

func playedOrg(t *testing.T) *played {
	p := &played{t: t, now: time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)}
	start := p.now.AddDate(0, -3, 0)
	for i, m := range [][3]string{{"pay", "ann", "member"}, {"pay", "bob", "member"}, {"pay", "lea", "lead"}, {"pay", "cid", "member"}, {"find", "dee", "lead"}, {"find", "eve", "member"}, {"ops", "ann", "member"}} {
		p.tell(event.MemberJoined, start.Add(time.Duration(i)), map[string]any{"team": m[0], "person": m[1], "role": m[2]})
	}
	p.tell(event.PersonDescribed, start, map[string]any{"person": "ann", "name": "Ann", "aliases": []string{"chat:ANN"}})
	p.tell(event.MemberLeft, p.now.AddDate(0, 0, -2), map[string]any{"team": "pay", "person": "cid"})
	return p
}

func (p *played) add(e event.Event, err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	p.events = append(p.events, e)
}

func (p *played) tell(kind event.Kind, at time.Time, data map[string]any) {
	p.t.Helper()
	p.add(event.New("/import/test", kind, "x", fmt.Sprint(len(p.events)), at, data))
}

func (p *played) booked(b drill.Booking, ago time.Duration) string {
	p.t.Helper()
	e, id, err := drill.Booked(b, p.now.Add(-ago))
	p.add(e, err)
	return id
}

// finished is an attempt that ended so long ago.
func (p *played) finished(person, id, drillID string, score float64, ago time.Duration) {
	p.t.Helper()
	who := drill.Player{Drill: drillID, Attempt: id, Person: person}
	p.add(drill.Started(who, p.now.Add(-ago-time.Minute)))
	p.add(drill.Finished(who, drill.Parts{Score: score}, p.now.Add(-ago)))
}

func (p *played) shared(person, id, drillID, team string, on bool, ago time.Duration) {
	p.t.Helper()
	p.add(drill.Shared(drill.Share{Player: drill.Player{Drill: drillID, Attempt: id, Person: person}, Shared: on, To: "team:" + team}, p.now.Add(-ago)))
}

func (p *played) open() {
	p.t.Helper()
	s, db := openStore(p.t, p.now)
	insert(p.t, db, p.events)
	s.Keep(&p.ledger)
	p.s = s
}

// as is the store as the events say somebody is, with a role more.
func (p *played) as(person string, roles ...access.Role) *analytics.View {
	p.t.Helper()
	m, err := p.s.Membership(context.Background(), access.Identity{Person: person})
	if err != nil {
		p.t.Fatal(err)
	}
	policy := access.Policy{Default: access.Viewer}
	for _, r := range roles {
		policy.Rules = append(policy.Rules, access.Rule{Person: person, Role: r})
	}
	w, ok := policy.Resolve(access.Identity{Person: person}, m)
	if !ok {
		p.t.Fatal("not let in")
	}
	return p.s.For(w, "tests")
}

const day = 24 * time.Hour

func TestBookings(t *testing.T) {
	p := playedOrg(t)
	ctx := context.Background()
	one := p.booked(drill.Booking{Drill: "d1", By: "lea", Person: "chat:ANN", Starts: p.now.Add(day), Reason: "queues", Cites: []string{"i1"}}, 5*day)
	team := p.booked(drill.Booking{Drill: "d2", By: "lea", Team: "pay", Starts: p.now.Add(2 * day)}, 5*day)
	gone := p.booked(drill.Booking{Drill: "d1", By: "lea", Person: "bob", Starts: p.now.Add(day)}, 4*day)
	p.booked(drill.Booking{ID: gone, Drill: "d1", By: "lea", Person: "bob", Starts: p.now.Add(day), Cancelled: true}, 3*day)
	p.booked(drill.Booking{ID: one, Drill: "d1", By: "lea", Person: "ann", Starts: p.now.Add(3 * day)}, 3*day) // another time
	p.booked(drill.Booking{Drill: "d3", By: "dee", Person: "eve", Starts: p.now.Add(-day)}, 2*day)
	p.booked(drill.Booking{Drill: "d4", By: "bob", Person: "bob", Starts: p.now.Add(-day)}, 2*day)
	p.finished("bob", "b0", "d2", 90, 6*day) // before it was booked
	p.finished("bob", "b1", "d2", 20, 4*day)
	p.finished("bob", "b2", "d2", 90, 2*day)
	p.finished("ann", "a1", "d2", 90, 6*day)
	p.finished("chat:ANN", "a2", "d1", 10, day) // after the booking, whichever time it then had
	forged := p.events[len(p.events)-1]
	e, _, err := drill.Booked(drill.Booking{Drill: "d9", By: "mallory", Person: "ann", Starts: p.now}, p.now.Add(-day))
	if err != nil {
		t.Fatal(err)
	}
	e.Source = "/import/elsewhere" // not Steward's word
	p.events = append(p.events, e, forged)
	p.tell(event.ShiftPlanned, p.now.Add(-3*day), map[string]any{"shift": "s1", "schedule": "x", "person": "ann", "start": "2026-06-25T08:00:00Z", "end": "2026-06-26T08:00:00Z"})
	p.tell(event.ShiftPlanned, p.now.Add(-2*day), map[string]any{"shift": "s1", "schedule": "x", "person": "chat:ANN", "start": "2026-06-24T08:00:00Z", "end": "2026-06-25T08:00:00Z"}) // moved
	p.tell(event.ShiftPlanned, p.now.Add(-2*day), map[string]any{"shift": "s2", "schedule": "x", "person": "bob", "start": "2026-06-22T08:00:00Z", "end": "2026-06-23T08:00:00Z", "role": "shadow"})
	p.tell(event.ShiftPlanned, p.now.Add(-2*day), map[string]any{"shift": "s3", "schedule": "x", "person": "bob", "start": "2026-06-19T08:00:00Z", "end": "2026-06-23T08:00:00Z"}) // has begun
	p.tell(event.ShiftPlanned, p.now.Add(-2*day), map[string]any{"shift": "s4", "schedule": "y", "person": "eve", "start": "2026-06-21T08:00:00Z", "end": "2026-06-22T08:00:00Z"})
	p.open()

	list := func(v *analytics.View, f analytics.BookingFilter) string {
		t.Helper()
		rows, err := v.Bookings(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range rows {
			state := "open"
			if !r.Open() {
				state = "done " + r.Done.Format("2")
			}
			out = append(out, fmt.Sprint(r.Person, " ", r.Drill, " ", r.Starts.Format("2"), " ", state))
		}
		return strings.Join(out, "; ")
	}
	const anns = "ann d2 22 open; ann d1 23 done 19"
	const pays = "bob d4 19 open; ann d2 22 open; bob d2 22 done 16; lea d2 22 open; ann d1 23 done 19"
	for _, c := range []struct {
		name string
		v    *analytics.View
		f    analytics.BookingFilter
		want string
	}{
		{"ann", p.as("ann"), analytics.BookingFilter{}, anns},
		{"ann by her other id", p.as("chat:ANN"), analytics.BookingFilter{Own: true}, anns},
		{"ann, one drill", p.as("ann"), analytics.BookingFilter{Drill: "d1"}, "ann d1 23 done 19"},
		{"ann, one booking", p.as("ann"), analytics.BookingFilter{ID: team}, "ann d2 22 open"},
		{"her lead", p.as("lea"), analytics.BookingFilter{Team: []string{"pay"}}, pays},
		{"her lead, own", p.as("lea"), analytics.BookingFilter{Own: true}, "lea d2 22 open"},
		{"another lead", p.as("dee"), analytics.BookingFilter{}, "eve d3 19 open"},
		{"who left", p.as("cid"), analytics.BookingFilter{}, ""},
		{"a people admin", p.as("pam", access.PeopleAdmin), analytics.BookingFilter{Drill: "d3"}, "eve d3 19 open"},
		{"a viewer", p.s.For(access.As(access.Identity{}, access.Membership{}, access.Viewer), ""), analytics.BookingFilter{}, ""},
		{"a token", p.s.For(access.Token("t", true, true), ""), analytics.BookingFilter{}, ""},
		{"the operator", p.s, analytics.BookingFilter{Drill: "d2"}, "ann d2 22 open; bob d2 22 done 16; lea d2 22 open"},
	} {
		if got := list(c.v, c.f); got != c.want {
			t.Errorf("%s reads\n%s, want\n%s", c.name, got, c.want)
		}
		if told := strings.Join(p.ledger.take(), " "); told != map[bool]string{true: "eve"}[c.name == "a people admin"] {
			t.Errorf("of what %s reads is told %q", c.name, told)
		}
	}
	rows, err := p.as("ann").Bookings(ctx, analytics.BookingFilter{ID: one})
	if err != nil || len(rows) != 1 || rows[0].By != "lea" || !rows[0].Booked.Equal(p.now.Add(-5*day)) || rows[0].Team != "" {
		t.Errorf("%+v, %v", rows, err)
	}
	p.ledger.err = errors.New("full")
	if rows, err := p.as("pam", access.PeopleAdmin).Bookings(ctx, analytics.BookingFilter{}); err == nil || rows != nil {
		t.Errorf("not recorded and given: %v", err)
	}
	p.ledger.err = nil
	var denied *access.Denied
	for name, v := range map[string]*analytics.View{"a member": p.as("bob"), "another lead": p.as("dee"), "who left": p.as("cid")} {
		if _, err := v.Bookings(ctx, analytics.BookingFilter{Team: []string{"pay"}}); !errors.As(err, &denied) {
			t.Errorf("%s asks about the team: %v", name, err)
		}
		if _, err := v.NextShift(ctx, "", "pay"); !errors.As(err, &denied) {
			t.Errorf("%s asks when the team is on call: %v", name, err)
		}
		if _, err := v.NextShift(ctx, "ann", ""); !errors.As(err, &denied) {
			t.Errorf("%s asks when ann is on call: %v", name, err)
		}
	}
	if _, err := p.s.For(access.Who{}, "").Bookings(ctx, analytics.BookingFilter{}); err == nil {
		t.Error("nobody reads bookings")
	}
	for _, c := range []struct {
		v            *analytics.View
		person, team string
		want         string
	}{{p.as("lea"), "", "pay", "2026-06-24"}, {p.as("lea"), "ann", "", "2026-06-24"}, {p.as("lea"), "bob", "", "0001-01-01"}, {p.as("ann"), "ann", "", "2026-06-24"}, {p.as("dee"), "", "find", "2026-06-21"}} {
		if got, err := c.v.NextShift(ctx, c.person, c.team); err != nil || got.Format(time.DateOnly) != c.want {
			t.Errorf("next shift of %s%s: %s, want %s, %v", c.person, c.team, got.Format(time.DateOnly), c.want, err)
		}
	}
}

func TestSharedDebriefs(t *testing.T) {
	p := playedOrg(t)
	ctx := context.Background()
	demos, err := drill.Demos()
	if err != nil {
		t.Fatal(err)
	}
	id := demos[0].Drill.ID
	p.finished("ann", "first", id, 40, 9*day)
	p.finished("chat:ANN", "second", id, 85, 8*day)
	p.finished("bob", "bobs", id, 70, 7*day)
	p.finished("cid", "cids", id, 70, 7*day)
	p.add(drill.Started(drill.Player{Drill: id, Attempt: "going", Person: "ann"}, p.now.Add(-day)))
	p.shared("chat:ANN", "first", id, "pay", true, 6*day)
	p.shared("ann", "second", id, "pay", true, 6*day)
	p.shared("ann", "second", id, "ops", true, 5*day)
	p.shared("ann", "second", id, "pay", false, 4*day) // ended
	p.shared("ann", "going", id, "pay", true, 4*day)   // is in play, and stays hers
	p.shared("cid", "cids", id, "pay", true, 4*day)    // and then left
	p.shared("eve", "bobs", id, "find", true, 4*day)   // of an attempt that is not hers
	forged, err := drill.Shared(drill.Share{Player: drill.Player{Drill: id, Attempt: "bobs", Person: "bob"}, Shared: true, To: "team:pay"}, p.now.Add(-3*day))
	if err != nil {
		t.Fatal(err)
	}
	forged.Source = "/import/elsewhere"
	p.events = append(p.events, forged)
	p.open()

	all := []string{"first", "second", "bobs", "cids", "going"}
	for _, c := range []struct {
		name  string
		v     *analytics.View
		reads []string
		lists []string
	}{
		{"the player", p.as("ann"), []string{"first", "second", "going"}, nil},
		{"a member", p.as("bob"), []string{"first", "bobs"}, []string{"first"}},
		{"a lead who joined the team", p.as("lea"), []string{"first"}, []string{"first"}},
		{"who left", p.as("cid"), []string{"cids"}, nil},
		{"a lead of another team", p.as("dee"), nil, nil},
		{"a member of another team", p.as("eve"), nil, nil},
		{"a people admin", p.as("pam", access.PeopleAdmin), nil, nil},
		{"an admin", p.as("adm", access.Admin), nil, nil},
		{"a viewer", p.s.For(access.As(access.Identity{}, access.Membership{}, access.Viewer), ""), nil, nil},
		{"a token", p.s.For(access.Token("t", true, true), ""), nil, nil},
	} {
		for _, a := range all {
			x, err := c.v.Debrief(ctx, a)
			if want := slices.Contains(c.reads, a); (err == nil) != want || !want && !errors.Is(err, analytics.ErrNotFound) || want && x.ID != a {
				t.Errorf("%s reads %s: %v", c.name, a, err)
			}
			if _, err := c.v.Attempt(ctx, a); err == nil && slices.Contains(c.lists, a) {
				t.Errorf("%s is the player of %s", c.name, a)
			}
		}
		rows, err := c.v.Shared(ctx)
		var lists []string
		for _, r := range rows {
			lists = append(lists, r.Attempt)
			if r.Person != "ann" || r.Team != "pay" || r.Drill != id || !r.Finished.Equal(p.now.Add(-9*day)) {
				t.Errorf("%s is told %+v", c.name, r)
			}
		}
		if err != nil || !slices.Equal(lists, c.lists) {
			t.Errorf("%s is shown %v, want %v, %v", c.name, lists, c.lists, err)
		}
	}
	if _, err := p.s.For(access.Who{}, "").Debrief(ctx, "first"); err == nil {
		t.Error("nobody reads a debrief")
	}
	got, err := p.as("ann").Shares(ctx)
	if err != nil || fmt.Sprint(got) != "map[first:[pay] going:[pay] second:[ops]]" {
		t.Errorf("ann is told that she shares %v, %v", got, err)
	}
	if got, err := p.as("cid").Shares(ctx); err != nil || len(got) != 0 {
		t.Errorf("who left is told that they share %v, %v", got, err)
	}
	// Of two finished attempts at a drill the second knew the answers.
	rows, err := p.as("ann").Attempts(ctx)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%+v, %v", rows, err)
	}
	for i, want := range []string{"going false false", "second true false", "first false true"} {
		if got := fmt.Sprint(rows[i].ID, " ", rows[i].Passed(), " ", rows[i].Unaided); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Which incidents are worth a drill, and which skills one would exercise.
func TestWorthADrill(t *testing.T) {
	p := playedOrg(t)
	ctx := context.Background()
	start := p.now.AddDate(0, -2, 0)
	incident := func(id, service string, hours float64, severity string, notes int, more func(at time.Time)) {
		at := start.Add(time.Duration(len(p.events)) * time.Hour)
		data := map[string]any{"incident": id, "title": id, "service": service, "urgency": "high"}
		if severity != "" {
			data["severity"] = severity
		}
		p.tell(event.IncidentOpened, at, data)
		for n := range notes {
			p.tell(event.IncidentNoted, at.Add(time.Duration(n+1)*time.Minute), map[string]any{"incident": id, "person": "bob", "text": "x", "actor_kind": "user"})
		}
		if more != nil {
			more(at)
		}
		p.tell(event.IncidentResolved, at.Add(time.Duration(hours*float64(time.Hour))), map[string]any{"incident": id, "person": "bob", "actor_kind": "user"})
	}
	for _, x := range [][2]string{{"svc", "pay"}, {"other", "find"}} {
		p.tell(event.ServiceOwned, start.AddDate(0, -1, 0), map[string]any{"service": x[0], "team": x[1]})
	}
	incident("short", "svc", 0.2, "", 0, nil)                    // 0.1
	incident("grave", "svc", 1, "SEV-2", 2, func(at time.Time) { // 0.5 + 1 + 0.5 + 1 = 3
		p.tell(event.IncidentEscalated, at.Add(5*time.Minute), map[string]any{"incident": "grave", "cause": "manual", "to": []string{"team:find"}, "person": "bob"})
		for _, s := range []string{"queue-stream-ops", "alert-triage"} {
			p.tell(event.SkillTagged, at.Add(time.Hour), map[string]any{"incident": "grave", "skill": s, "basis": "rule"})
		}
	})
	incident("long", "svc", 9, "SEV3", 1, func(at time.Time) { // 1 + 0.25; a timeout is nobody's choice
		p.tell(event.IncidentEscalated, at.Add(5*time.Minute), map[string]any{"incident": "long", "cause": "timeout", "to": []string{"team:find"}})
	})
	incident("theirs", "other", 9, "SEV1", 9, nil)
	p.tell(event.IncidentOpened, start.AddDate(0, 0, 9), map[string]any{"incident": "open", "title": "open", "service": "svc", "severity": "SEV1"})
	demos, err := drill.Demos()
	if err != nil {
		t.Fatal(err)
	}
	incident("has one", "svc", 9, "SEV1", 9, nil)
	d := demos[0].Drill
	d.ID, d.Incident = "own-1", "has one"
	p.add(drill.Compiled(d, "bob", p.now.Add(-day)))
	p.finished("bob", "b1", "own-1", 99, time.Hour)
	p.finished("ann", "a1", "own-1", 99, time.Hour)
	p.open()
	for person, want := range map[string]string{"ann": "grave 3 [2 notes, 1 escalations] long 1.25 [1 notes, 0 escalations] short 0.1 [0 notes, 0 escalations]", "dee": "theirs 3 [9 notes, 0 escalations]", "cid": ""} {
		rows, err := p.as(person).WorthDrill(ctx, 9)
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%s %.4g [%d notes, %d escalations]", r.ID, r.Points, r.Notes, r.Escalations))
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s, %v", person, strings.Join(got, " "), want, err)
		}
	}
	if rows, err := p.as("ann").WorthDrill(ctx, 1); err != nil || len(rows) != 1 {
		t.Errorf("%d of one, %v", len(rows), err)
	}
	src, err := p.as("ann").DrillSource(ctx, "grave")
	if err != nil || fmt.Sprint(src.Options.Skills) != "[alert-triage queue-stream-ops]" {
		t.Errorf("skills %v, %v", src, err)
	}
	// Its author knew the answers; whoever plays it first otherwise did not.
	for person, want := range map[string]bool{"bob": false, "ann": true} {
		if rows, err := p.as(person).Attempts(ctx); err != nil || len(rows) != 1 || rows[0].Unaided != want || !rows[0].Passed() {
			t.Errorf("%s: %+v, %v", person, rows, err)
		}
	}
}
