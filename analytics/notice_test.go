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

// notices tells coming shifts, what was sent, and what people chose; some of it by strangers.
func notices(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	at := viewNow.AddDate(0, 0, -10)
	tell := func(source string, kind event.Kind, data map[string]any) {
		at = at.Add(time.Minute)
		e, err := event.New(source, kind, "x", fmt.Sprint(len(out)), at, data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	hour := func(n int) string {
		return viewNow.Truncate(time.Hour).Add(time.Duration(n) * time.Hour).Format(time.RFC3339)
	}
	shift := func(id, person string, from, to, level int, more map[string]any) {
		data := map[string]any{"shift": id, "schedule": "s", "person": person, "start": hour(from), "end": hour(to), "level": level}
		for k, v := range more {
			data[k] = v
		}
		tell("/import/test", event.ShiftPlanned, data)
	}
	shift("w1", alpha[1], 10, 34, 1, nil)
	shift("w2", alpha[2], 34, 58, 1, nil)
	shift("o1", "chat:"+alpha[3][:3], 20, 24, 1, map[string]any{"override": true}) // takes the middle of w1, under another id
	shift("sh", beta[0], 10, 34, 1, map[string]any{"role": "shadow"})
	shift("w3", alpha[1], 60, 84, 2, nil)
	shift("w3", beta[1], 60, 84, 2, nil) // given away: the later statement holds
	shift("past", alpha[1], -50, -26, 1, nil)
	for _, source := range []string{event.OwnSource, "/import/test"} {
		tell(source, event.ReminderSent, map[string]any{"reminder": "r-" + source, "person": alpha[1], "channel": "mail", "covers": []string{"k1", "k2"}})
		tell(source, event.ReminderChosen, map[string]any{"person": alpha[2], "reminders": "off"})
		tell(source, event.CalendarAddressed, map[string]any{"person": alpha[1], "address": "d1" + source})
	}
	tell("/import/test", event.ReminderChosen, map[string]any{"person": alpha[1], "reminders": "off"})
	tell(event.OwnSource, event.CalendarAddressed, map[string]any{"person": alpha[3], "address": "d3"})
	tell(event.OwnSource, event.CalendarAddressed, map[string]any{"person": alpha[3], "address": analytics.NoAddress})
	tell(event.OwnSource, event.CalendarAddressed, map[string]any{"person": "leaver@example.org", "address": "d4"})
	// Said within one millisecond: the one that was seen last holds, whatever their ids.
	instant := at
	for i, address := range []string{"d5", analytics.NoAddress, "d6", analytics.NoAddress, "d7", analytics.NoAddress, "d8"} {
		tell(event.OwnSource, event.CalendarAddressed, map[string]any{"person": alpha[2], "address": address})
		last := &out[len(out)-1]
		last.At, last.Seen = instant, instant.Add(time.Duration(i+1)*time.Millisecond)
	}
	return out
}

func TestDuties(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, viewNow)
	insert(t, db, slices.DeleteFunc(viewHistory(t), func(e event.Event) bool { return e.Kind == event.ShiftPlanned || e.Kind == event.ShiftWorked }))
	insert(t, db, notices(t))
	policy := access.Policy{Default: access.Viewer}
	who := askers(t, func(id access.Identity) access.Who {
		m, err := all.Membership(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := policy.Resolve(id, m)
		return w
	})
	hours := func(at time.Time) int { return int(at.Sub(viewNow.Truncate(time.Hour)).Hours()) }
	const whole = "abe 10-20, art 20-24, abe 24-34, amy 34-58, ben 60-84"
	for _, c := range []struct {
		who    string
		own    bool
		team   []string
		shifts string
	}{
		{"operator", false, nil, whole},
		{"operator", false, []string{"beta"}, "ben 60-84"},
		{"lead", false, nil, "abe 10-20, art 20-24, abe 24-34, amy 34-58"},
		{"lead", false, []string{"beta"}, "denied"},
		{"lead of beta", false, nil, "ben 60-84"},
		{"member", false, nil, "abe 10-20, abe 24-34"},
		{"member", true, nil, "abe 10-20, abe 24-34"},
		{"people admin", false, nil, ""}, // not recorded here, so not shown
		{"viewer", false, nil, ""},
		{"nobody", false, nil, "denied"},
	} {
		v := all.For(who[c.who], "test")
		said := func(n int, line func(i int) string, err error) string {
			if denied := (*access.Denied)(nil); errors.As(err, &denied) {
				return "denied"
			} else if err != nil {
				t.Fatal(err)
			}
			var out []string
			for i := range n {
				out = append(out, line(i))
			}
			return strings.Join(out, ", ")
		}
		shifts, err := v.Duties(ctx, analytics.DutyFilter{From: viewNow, To: viewNow.AddDate(0, 0, 20), Team: c.team, Own: c.own})
		if got := said(len(shifts), func(i int) string {
			return fmt.Sprintf("%s %d-%d", shifts[i].Person[:3], hours(shifts[i].Start), hours(shifts[i].End))
		}, err); got != c.shifts {
			t.Errorf("%s %v: shifts\n got  %s\n want %s", c.who, c.team, got, c.shifts)
		}
	}
}

// What Steward says of itself is believed from Steward alone, and read by the person alone.
func TestNotices(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, viewNow)
	insert(t, db, viewHistory(t))
	insert(t, db, notices(t))
	member := all.For(access.As(access.Identity{Person: alpha[1]}, access.Membership{Person: alpha[1], Teams: []string{"alpha"}}, access.Viewer, access.Member), "test")
	lead := all.For(access.As(access.Identity{Person: alpha[0]}, access.Membership{Person: alpha[0], Leads: []string{"alpha"}}, access.Viewer, access.Lead), "test")
	admin := all.For(access.As(access.Identity{Person: "pam@example.org"}, access.Membership{}, access.Viewer, access.PeopleAdmin), "test")
	for _, c := range []struct {
		who             string
		v               *analytics.View
		sent, off, open string
	}{
		{"operator", all, "r-/steward", alpha[2], alpha[1] + " " + alpha[2] + " leaver@example.org"}, {"member", member, "r-/steward", "", alpha[1]}, {"lead", lead, "", "", ""}, {"people admin", admin, "", "", ""},
	} {
		rows, err := c.v.Reminders(ctx, viewNow.AddDate(0, 0, -30))
		if err != nil {
			t.Fatal(err)
		}
		var sent []string
		for _, r := range rows {
			sent = append(sent, r.Reminder)
			if r.Person != alpha[1] || r.Channel != "mail" || !slices.Equal(r.Covers, []string{"k1", "k2"}) {
				t.Errorf("%+v", r)
			}
		}
		keys := func(m map[string]bool, err error) string {
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for k := range m {
				out = append(out, k)
			}
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		if got := strings.Join(sent, " "); got != c.sent {
			t.Errorf("%s reads %q, want %q", c.who, got, c.sent)
		}
		if got := keys(c.v.ReminderChoices(ctx)); got != c.off {
			t.Errorf("%s: off for %q, want %q", c.who, got, c.off)
		}
		if got := keys(c.v.CalendarAddresses(ctx)); got != c.open {
			t.Errorf("%s: addresses of %q, want %q", c.who, got, c.open)
		}
	}
	for digest, want := range map[string]string{"d1/steward": alpha[1], "d1/import/test": "", "d3": "", "none": "", "": "", "d4": "", "d5": "", "d6": "", "d7": "", "d8": alpha[2]} {
		person, _, found, err := all.CalendarOf(ctx, digest)
		if err != nil || person != want || found != (want != "") {
			t.Errorf("%q opens %q %v %v", digest, person, found, err)
		}
	}
	if _, err := lead.Addresses(ctx); err == nil {
		t.Error("a lead reads addresses")
	}
	if a, err := all.Addresses(ctx); err != nil || a[alpha[1]] != alpha[1] {
		t.Error(a, err)
	}
}

func TestLearningFactsAndWhoReadsThem(t *testing.T) {
	ctx := t.Context()
	all, db := openStore(t, viewNow)
	insert(t, db, viewHistory(t))
	insert(t, db, learning(t))
	ledger := &heard{}
	all.Keep(ledger)
	policy := access.Policy{Default: access.Viewer}
	who := askers(t, func(id access.Identity) access.Who {
		m, err := all.Membership(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		w, _ := policy.Resolve(id, m)
		return w
	})
	for _, c := range []struct {
		who    string
		all    bool
		of     []string
		denied bool
		people int // -1: everybody who has any
		looks  []string
	}{
		{"member", false, nil, false, 1, nil},
		{"member", false, []string{alpha[1]}, false, 1, nil},
		{"member", false, []string{"chat:abe"}, false, 1, nil},
		{"member", false, []string{alpha[2]}, true, 0, nil},
		{"member", true, nil, true, 0, nil},
		{"lead", false, []string{alpha[1]}, true, 0, nil},
		{"lead", true, nil, true, 0, nil},
		{"people admin", false, []string{alpha[1]}, false, 1, []string{alpha[1]}},
		{"people admin", true, nil, false, -1, nil},
		{"token", true, nil, true, 0, nil},
		{"viewer", false, nil, true, 0, nil},
		{"nobody", true, nil, true, 0, nil},
		{"operator", true, nil, false, -1, nil},
	} {
		facts, err := all.For(who[c.who], "test").LearningFacts(ctx, c.all, c.of)
		looks := ledger.take()
		if denied := (*access.Denied)(nil); errors.As(err, &denied) != c.denied {
			t.Errorf("%s %v: %v", c.who, c.of, err)
			continue
		} else if c.denied {
			if len(facts) > 0 || len(looks) > 0 {
				t.Errorf("%s is denied and told %d facts", c.who, len(facts))
			}
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		people := map[string]bool{}
		for _, f := range facts {
			if f.Person != "" {
				people[f.Person] = true
			}
		}
		if c.people >= 0 && (len(people) != c.people || !people[alpha[1]]) || c.people < 0 && len(people) < 4 {
			t.Errorf("%s %v: facts of %v", c.who, c.of, people)
		}
		if c.looks != nil && !slices.Equal(looks, c.looks) || c.who == "member" && len(looks) > 0 || c.who == "people admin" && c.all && len(looks) < 3 {
			t.Errorf("%s %v: recorded %v", c.who, c.of, looks)
		}
	}
}
