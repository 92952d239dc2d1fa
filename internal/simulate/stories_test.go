package simulate

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// What the pages are to show must be in the default organisation: a count of zero here is
// an empty card there.
func TestTheDefaultOrganisationHasEveryStory(t *testing.T) {
	n := map[string]int{}
	owner, routed := map[string]string{}, map[string]map[string]bool{}
	seen := map[string]time.Time{}
	for _, e := range collect(t, Defaults()) {
		f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
		if err != nil {
			t.Fatal(err)
		}
		n["event"]++
		n[string(e.Kind)]++
		for name, v := range map[string]string{"channel ": f.Channel, "cause ": f.Cause, "urgency ": f.Urgency, "priority ": f.Priority, "state ": f.State} {
			if v != "" {
				n[name+v]++
			}
		}
		if e.Seen.Sub(e.At) > time.Hour {
			n["late"]++
		}
		switch e.Kind {
		case event.ServiceOwned:
			if f.Team == "" {
				n["given up"]++
			}
			if before, ok := owner[f.Service]; ok && before != f.Team {
				n["moved"]++
			}
			owner[f.Service] = f.Team
		case event.PageSent:
			if f.Delivered != nil && !*f.Delivered {
				n["undelivered"]++
			}
			if seen[f.Incident].IsZero() {
				n["page without opening"]++
			}
		case event.IncidentOpened:
			seen[f.Incident] = e.At
			routed[f.Incident] = map[string]bool{f.Team: true}
			if f.Drill != nil && *f.Drill {
				n["drill"]++
			}
			o, known := owner[f.Service]
			switch {
			case !known:
				n["owner known later"]++
			case o == "":
				n["unowned"]++
			case o != f.Team:
				n["misrouted"]++
			}
		case event.IncidentReassigned:
			team := f.To[0]
			if routed[f.Incident][team] || routed[f.Incident][team[len("team:"):]] {
				n["ping-pong"]++
			}
			routed[f.Incident][team] = true
		case event.IncidentResolved:
			if f.Auto != nil && *f.Auto {
				n["auto"]++
			}
		case event.ShiftPlanned:
			var s shiftData
			if err := json.Unmarshal(e.Data, &s); err != nil {
				t.Fatal(err)
			}
			n["role "+s.Role]++
			if s.Override {
				n["override"]++
			}
			if s.Start == s.End {
				n["cancelled"]++
			}
		}
	}
	for what, least := range map[string]int{
		"channel push": 1000, "channel sms": 500, "channel phone": 300, "channel email": 1000, "channel chat": 100,
		"cause manual": 50, "cause timeout": 100, "urgency low": 1000, "urgency high": 2000,
		"priority P1": 10, "priority P2": 100, "priority P3": 500, "priority P4": 100, "priority P5": 100,
		"state accepted": 50, "state declined": 5, "late": 100, "given up": 1, "moved": 7, "undelivered": 50, "drill": 5,
		"owner known later": 20, "unowned": 5, "misrouted": 100, "ping-pong": 10, "auto": 1000,
		"role primary": 500, "role secondary": 200, "role shadow": 2, "override": 30, "cancelled": 1,
		"incident.merged": 20, "incident.reopened": 20, "incident.snoozed": 50, "incident.noted": 200,
		"incident.unacknowledged": 5, "incident.updated": 50, "page.failed": 50, "page.unanswered": 3,
		"page.reviewed": 200, "review.published": 30, "runbook.reviewed": 10, "change.deployed": 500,
		"member.joined": 60, "member.left": 5, "policy.published": 10, "shift.worked": 500,
	} {
		if n[what] < least {
			t.Errorf("%s: %d, want %d at least", what, n[what], least)
		}
	}
	for what, bounds := range map[string][2]int{"event": {60_000, 100_000}, "incident.opened": {5000, 8000}, "page without opening": {0, 0}} {
		if n[what] < bounds[0] || n[what] > bounds[1] {
			t.Errorf("%s: %d, want %v", what, n[what], bounds)
		}
	}
}

func TestIncidentsFollowTheDayAndTheWeek(t *testing.T) {
	var hours [24]int
	var days [7]int
	var regressions, officeRegressions int
	for _, e := range collect(t, Defaults()) {
		if e.Kind != event.IncidentOpened {
			continue
		}
		hours[e.At.Hour()]++
		days[e.At.Weekday()]++
		f, _ := event.Decode(e.Kind, e.Data, json.Unmarshal)
		if f.AlertClass == "deploy-regression" {
			regressions++
			if d := e.At.Weekday(); d != time.Saturday && d != time.Sunday {
				officeRegressions++
			}
		}
	}
	nightly, quiet, busy := hours[2]+hours[3], hours[0]+hours[1], hours[14]+hours[15]
	if nightly < 3*quiet {
		t.Errorf("02–04 has %d incidents and 00–02 %d: the nightly batch does not show", nightly, quiet)
	}
	if busy*4 < quiet*5 {
		t.Errorf("14–16 has %d incidents and 00–02 %d: the working day does not show", busy, quiet)
	}
	if weekend, week := (days[0]+days[6])/2, (days[1]+days[2]+days[3]+days[4]+days[5])/5; weekend*10 > week*9 {
		t.Errorf("%d incidents on a weekend day, %d on a weekday: the week does not show", weekend, week)
	}
	if regressions == 0 || officeRegressions*100 < regressions*85 {
		t.Errorf("%d of %d regressions on weekdays", officeRegressions, regressions)
	}
}

func TestSizeFollowsTheFlagsAndMemoryDoesNotFollowTheDays(t *testing.T) {
	count := func(cfg Config) (events, peak int) {
		w, err := newWorld(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.found()
		for day := w.start; day.Before(cfg.End); day = day.Add(24 * time.Hour) {
			w.live(day)
			peak = max(peak, len(w.waiting))
			if err := w.flush(day.Add(24*time.Hour), func(event.Event) error { events++; return nil }); err != nil {
				t.Fatal(err)
			}
		}
		return events, peak
	}
	base := Config{Teams: 8, Services: 40, People: 60, Days: 200, End: defaultEnd, Seed: 1}
	n, peak := count(base)
	longer := base
	longer.Days *= 4
	n4, peak4 := count(longer)
	larger := base
	larger.Teams, larger.Services, larger.People = 32, 160, 240
	n4s, _ := count(larger)
	for what, got := range map[string]int{"four times the days": n4, "four times the organisation": n4s} {
		if got < 3*n || got > 5*n {
			t.Errorf("%s: %d events instead of %d", what, got, n)
		}
	}
	if peak4 > 2*peak {
		t.Errorf("%d events waited in four times the days, %d in the base", peak4, peak)
	}
}

// The rota leaves the gap it is meant to leave and no other: on a weekend nobody of the
// gap team is level 1, and an ordinary team always has somebody.
func TestRotasCoverWhatTheyShould(t *testing.T) {
	cfg := Defaults()
	cfg.Days = 150
	w, err := newWorld(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.found()
	for day := w.start; day.Before(cfg.End); day = day.Add(24 * time.Hour) {
		w.live(day)
		w.waiting = nil
		for _, team := range w.teams {
			for h := range 24 {
				at := day.Add(time.Duration(h) * time.Hour)
				p := team.rota.onCall(1, at)
				where := fmt.Sprintf("%s at %s", team.id, stamp(at))
				switch team.peculiar {
				case withoutOnCall:
					if p != nil {
						t.Fatalf("%s: %s is on call", where, p.id)
					}
				case weekendGap:
					if weekend := at.Weekday() == time.Sunday; weekend == (p != nil) && (weekend || at.Weekday() == time.Wednesday) {
						t.Fatalf("%s: level 1 is %v", where, p)
					}
				default:
					if p == nil && !at.Before(team.formed.Add(24*time.Hour)) {
						t.Fatalf("%s: nobody", where)
					}
				}
			}
		}
	}
}
