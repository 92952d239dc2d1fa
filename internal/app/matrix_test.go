package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/signin"
	"github.com/stewardhq/steward/training/drill"
)

// Who may ask what: every route, every kind of asker, own and other teams, oneself and
// others, as a page, JSON, CSV and chart data, on the whole product.
//
//  1. The organisation has three teams; every person's id, name, alias and hours are found
//     nowhere else, so that a text of an answer can be searched for each of them.
//  2. A row of the table says which askers are answered (2xx), and whose names the answer
//     may hold at most. What else is found is a leak, whatever the status.
//  3. A route without a row fails the test.

// asker is one way to come.
type asker struct {
	name   string
	header map[string]string
	knows  []string // whose names they may read anywhere: themselves, their teams' people
	loads  []string // whose load they may read: themselves, and of whom they lead
	works  []string // whose work to learn they may read: themselves, of whom they lead; people admins everybody's
	scores []string // whose scores: themselves; people admins everybody's
}

type org struct {
	alpha, beta, duo []string
	all              []string
}

func newOrg() org {
	o := org{
		alpha: []string{"ann-lead@matrix.example", "abe-mem@matrix.example", "amy-x@matrix.example", "art-y@matrix.example"},
		beta:  []string{"bea-lead@matrix.example", "ben-z@matrix.example", "bob-q@matrix.example"},
		duo:   []string{"dan-k@matrix.example", "dee-j@matrix.example"},
	}
	o.all = slices.Concat(o.alpha, o.beta, o.duo)
	return o
}

func nameOf(person string) string {
	short, _, _ := strings.Cut(person, "@")
	return "Nm" + strings.ReplaceAll(short, "-", "") + "Surname"
}

func aliasOf(person string) string {
	short, _, _ := strings.Cut(person, "@")
	return "chat:U" + strings.ToUpper(strings.ReplaceAll(short, "-", ""))
}

// hoursOf are a person's hours on call in May, which nobody else and no sum of others has.
func (o org) hoursOf(person string) float64 {
	return 31 + 7*float64(slices.Index(o.all, person)) + float64(1+slices.Index(o.all, person))/64
}

// reasonOf is why somebody is to learn something, and scoreOf how they did in a quiz; nobody
// else has either.
func reasonOf(person string) string { return "Rsn" + strings.TrimPrefix(nameOf(person), "Nm") }

// wordOf is what somebody attested of a person, which only who reads their evidence reads.
func wordOf(person string) string { return "Shw" + strings.TrimPrefix(nameOf(person), "Nm") }

func (o org) scoreOf(person string) float64 { return float64(20+5*slices.Index(o.all, person)) / 64 }

var matrixNow = time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)

func (o org) history(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	tell := func(kind event.Kind, subject string, at time.Time, data map[string]any) {
		e, err := event.New("/import/matrix", kind, subject, fmt.Sprint(subject, len(out)), at, data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for ti, team := range [][]string{o.alpha, o.beta, o.duo} {
		name := []string{"alpha", "beta", "duo"}[ti]
		tell(event.TeamDescribed, name, start, map[string]any{"team": name, "name": "Team " + name})
		tell(event.ServiceDescribed, "svc-"+name, start, map[string]any{"service": "svc-" + name, "name": "Service " + name, "tier": 1})
		tell(event.ServiceOwned, "svc-"+name, start, map[string]any{"service": "svc-" + name, "team": name})
		for i, p := range team {
			role := "member"
			if strings.Contains(p, "lead") {
				role = "lead"
			}
			tell(event.PersonDescribed, p, start, map[string]any{"person": p, "name": nameOf(p), "time_zone": "UTC", "aliases": []string{aliasOf(p)}})
			tell(event.MemberJoined, name+"/"+p, start, map[string]any{"team": name, "person": p, "role": role})
			tell(event.SkillEvidenced, p, start, map[string]any{"person": p, "skill": "queues", "kind": "drill", "ref": "d", "rule_version": 1})
			tell(event.SkillEvidenced, p, start, map[string]any{"person": p, "skill": "drill-facilitation", "kind": "attested", "ref": "inc-" + name + "-0-0", "rule_version": 1, "note": wordOf(p)})
			tell(event.TrainingAssigned, p, start.AddDate(0, 2, 0), map[string]any{"assignment": "tr-" + name + fmt.Sprint(i), "module": "FX4", "person": p, "by": team[0]})
			for k := range 3 + i {
				id := fmt.Sprintf("inc-%s-%d-%d", name, i, k)
				at := time.Date(2026, 5, 2+3*k, 1+i, 10*ti, 0, 0, time.UTC)
				tell(event.IncidentOpened, id, at, map[string]any{"incident": id, "title": "disk full", "service": "svc-" + name, "urgency": "high", "alert_class": "disk",
					"raw": map[string]any{"assignee": map[string]any{"type": "user_reference", "id": aliasOf(p)[5:], "summary": nameOf(p), "email": p}}})
				tell(event.PageSent, "pg-"+id, at.Add(time.Second), map[string]any{"page": "pg-" + id, "incident": id, "person": aliasOf(p), "channel": "push", "level": 1})
				tell(event.IncidentAcknowledged, id, at.Add(time.Minute), map[string]any{"incident": id, "person": p, "actor_kind": "user"})
				tell(event.IncidentEscalated, id, at.Add(2*time.Minute), map[string]any{"incident": id, "to": []string{"person:" + p}, "cause": "manual", "person": p})
				tell(event.IncidentNoted, id, at.Add(3*time.Minute), map[string]any{"incident": id, "person": p, "text": "wrote to " + p})
				tell(event.IncidentResolved, id, at.Add(20*time.Minute), map[string]any{"incident": id, "person": p, "actor_kind": "user"})
				tell(event.SkillTagged, id, at.Add(30*time.Minute), map[string]any{"incident": id, "skill": "queues", "basis": "rule"})
			}
			work := "work-" + name + fmt.Sprint(i)
			tell(event.TrainingAssigned, "as-"+p, start.AddDate(0, 2, 0), map[string]any{"assignment": work, "module": "PG1", "person": p, "by": team[0], "reason": reasonOf(p), "due": "2026-05-20"})
			tell(event.TrainingStarted, "st-"+p, start.AddDate(0, 2, 1), map[string]any{"assignment": work, "module": "PG1", "person": aliasOf(p)})
			tell(event.TrainingPassed, "ps-"+p, start.AddDate(0, 2, 2), map[string]any{"assignment": work, "module": "PG1", "person": p, "attempt": 1, "score": o.scoreOf(p)})
			from := time.Date(2026, 5, 3, 0, 0, 0, 0, time.UTC)
			tell(event.ShiftWorked, "sh-"+p, from.Add(200*time.Hour), map[string]any{"shift": "sh-" + name + fmt.Sprint(i), "schedule": "sched-" + name + fmt.Sprint(i), "person": p, "start": from.Format(time.RFC3339),
				"end": from.Add(time.Duration(o.hoursOf(p) * float64(time.Hour))).Format(time.RFC3339), "level": 1})
		}
	}
	out = append(out, o.rollouts(t)...)
	return append(out, o.attempts(t)...)
}

// walking is what each says of their first page, and when they walk along or are on call next.
func (o org) walking(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	tell := func(kind event.Kind, subject string, at time.Time, data map[string]any) {
		e, err := event.New("/steward", kind, subject, subject, at, data)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	for ti, team := range [][]string{o.alpha, o.beta, o.duo} {
		name := []string{"alpha", "beta", "duo"}[ti]
		for i, p := range team {
			id := fmt.Sprintf("inc-%s-%d-0", name, i)
			soon := matrixNow.AddDate(0, 0, 1+i)
			tell(event.ShiftPlanned, "pl-"+p, matrixNow.AddDate(0, 0, -9), map[string]any{"shift": "pl-" + name + fmt.Sprint(i), "schedule": "soon-" + name, "person": aliasOf(p), "start": soon.Format(time.RFC3339), "end": soon.Add(9 * time.Hour).Format(time.RFC3339)})
			tell(event.PageReviewed, "rv-"+id, matrixNow.AddDate(0, -1, 0), map[string]any{"page": "pg-" + id, "incident": id, "by": aliasOf(p), "verdict": "threshold", "made_sense": true, "note": "wrote to " + p})
			tell(event.ShiftPlanned, "wk-"+id, matrixNow.AddDate(0, 0, -9), map[string]any{"shift": "wk-" + id, "schedule": "walk-" + name, "person": p, "role": []string{"primary", "reverse_shadow", "shadow"}[min(i, 2)],
				"start": matrixNow.AddDate(0, 0, 5).Format(time.RFC3339), "end": matrixNow.AddDate(0, 0, 6).Format(time.RFC3339)})
		}
	}
	return out
}

// attempts are three of the member's, two of them finished and one of these shared with their
// team, and a drill booked for everybody.
func (o org) attempts(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	add := func(e event.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	at := matrixNow.Add(-time.Hour)
	for i, p := range o.all {
		team, lead := "alpha", o.alpha[0]
		if slices.Contains(o.beta, p) {
			team, lead = "beta", o.beta[0]
		}
		e, _, err := drill.Booked(drill.Booking{ID: fmt.Sprint("bk-", team, i), Drill: "the-padlock-at-midnight", By: lead, Person: p, Starts: matrixNow.Add(time.Duration(i+1) * time.Hour), Reason: reasonOf(p)}, at)
		add(e, err)
	}
	for _, id := range []string{"going", "over", "shown"} {
		p := drill.Player{Drill: "the-padlock-at-midnight", Attempt: id, Person: o.alpha[1]}
		add(drill.Started(p, at))
		add(drill.Acted(p, drill.Step{N: 1, Offset: 10, Action: "update:wrote to " + o.alpha[1]}, at.Add(10*time.Second)))
		if id != "going" {
			add(drill.Acted(p, drill.Step{N: 2, Offset: 20, Action: "finish"}, at.Add(20*time.Second)))
			add(drill.Finished(p, drill.Parts{}, at.Add(20*time.Second)))
		}
		if id == "shown" {
			add(drill.Shared(drill.Share{Player: p, Shared: true, To: "team:alpha"}, at.Add(30*time.Second)))
		}
	}
	return out
}

// row is one address with who is answered.
type row struct {
	route, path string
	body        string // of a POST form
	answers     string // who gets 2xx: "all", or roles; everybody else is refused
	load        bool   // whether an answer may hold loads of single people at all
}

// The askers of a row's answers, by a word.
const (
	everybody = "nobody viewer member lead other people admin read-token admin-token ingest-token"
	signedIn  = "viewer member lead other people admin read-token" // a token for reading is a viewer
	admining  = "admin admin-token"
)

// w is a window in which May is a whole month.
const w = "from=2026-04-15&to=2026-06-15"

func (o org) rows() []row {
	q := url.QueryEscape
	rows := []row{
		{"GET /", "/?" + w, "", signedIn, false},
		{"GET /teams", "/teams?" + w, "", signedIn, false},
		{"GET /teams/:team", "/teams/alpha?" + w, "", signedIn, true},
		{"GET /teams/:team", "/teams/duo?" + w, "", signedIn, true},
		{"GET /teams/:team", "/teams/alph%61?" + w, "", signedIn, true},
		{"GET /oncall", "/oncall?" + w, "", signedIn, true},
		{"GET /oncall", "/oncall?team=alpha&" + w, "", signedIn, true},
		{"GET /oncall", "/oncall?team=alpha&team=duo&" + w, "", signedIn, true},
		{"GET /ownership", "/ownership?" + w, "", signedIn, false},
		{"GET /ownership", "/ownership?team=duo&lens=responder_team&" + w, "", signedIn, false},
		{"GET /services", "/services?" + w, "", signedIn, false},
		{"GET /services", "/services?team=alpha&" + w, "", signedIn, false},
		{"GET /services/:service", "/services/svc-alpha?" + w, "", signedIn, false},
		{"GET /services/:service", "/services/svc-duo?" + w, "", signedIn, false},
		{"GET /incidents", "/incidents?" + w, "", signedIn, false},
		{"GET /incidents", "/incidents?paged=alpha&" + w, "", "member lead people", false},
		{"GET /incidents/:incident", "/incidents/inc-alpha-2-0", "", signedIn, false},
		{"GET /incidents/:incident", "/incidents/inc-duo-0-0", "", signedIn, false},
		{"GET /incidents/:incident", "/incidents/inc-duo%2D0-0", "", signedIn, false},
		{"GET /incidents/:incident/drill", "/incidents/inc-alpha-2-0/drill", "", "member lead", false},
		{"GET /incidents/:incident/drill", "/incidents/inc-duo-0-0/drill", "", "", false},
		{"GET /incidents/:incident/drill", "/incidents/none/drill", "", "", false},
		{"POST /incidents/:incident/drill", "/incidents/inc-alpha-2-0/drill", "title=x", "", false}, // without the page's token nobody
		{"GET /me", "/me?" + w, "", signedIn, true},
		{"GET /people/:person", "/people/" + q(o.alpha[2]) + "?" + w, "", "lead people", true},
		{"GET /people/:person", "/people/" + q(o.alpha[1]) + "?" + w, "", "member lead people", true}, // a member is led to /me
		{"GET /people/:person", "/people/" + q(o.duo[0]) + "?" + w, "", "people", true},
		{"GET /people/:person", "/people/nobody@matrix.example", "", "", true},
		{"GET /people/:person", "/people/..%2F" + q(o.duo[0]), "", "", true},
		{"GET /drills", "/drills", "", signedIn, false},
		{"GET /drills/:drill", "/drills/the-padlock-at-midnight", "", signedIn, false},
		{"GET /drills/:drill", "/drills/unheard-of", "", "", false},
		// An attempt is its player's, whoever leads or administers them.
		{"GET /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/going", "", "member", false},
		{"GET /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/over", "", "member", false},
		{"GET /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/g%6Fing", "", "member", false},
		{"GET /drills/:drill/:attempt", "/drills/unheard-of/going", "", "", false},
		{"GET /drills/:drill/:attempt/table", "/drills/the-padlock-at-midnight/going/table", "", "member", false},
		{"GET /drills/:drill/:attempt/table", "/drills/the-padlock-at-midnight/over/table", "", "member", false},
		// Shared with their team it is read by who is in it, of whom the lead is one, and by nobody above or beside.
		{"GET /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/shown", "", "member lead", false},
		{"GET /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/shown?answers=yes", "", "member lead", false},
		{"GET /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/sh%6Fwn?answers=yes", "", "member lead", false},
		{"GET /drills/:drill/:attempt", "/drills/unheard-of/shown", "", "", false},
		{"GET /drills/:drill/:attempt/table", "/drills/the-padlock-at-midnight/shown/table", "", "member", false},
		{"POST /drills/:drill/:attempt/share", "/drills/the-padlock-at-midnight/over/share", "team=alpha&shared=true", "", false}, // without the page's token nobody
		{"GET /drills", "/drills?skill=queue-stream-ops&team=duo", "", signedIn, false},
		{"POST /drills", "/drills", "drill=the-padlock-at-midnight&for=person:" + q(o.alpha[1]) + "&starts=2026-07-01T14:00", "", false},
		{"POST /bookings/:booking", "/bookings/bk-alpha1", "action=cancel", "", false},
		{"POST /drills/:drill", "/drills/the-padlock-at-midnight", "x=1", "", false}, // without the page's token nobody
		{"POST /drills/:drill/:attempt", "/drills/the-padlock-at-midnight/going", "action=finish", "", false},
		{"GET /training", "/training", "", signedIn, false},
		{"GET /training/:module", "/training/PG1", "", signedIn, false},
		{"GET /training/:module", "/training/PG2?for=person:" + q(o.duo[0]) + "&reason=x", "", signedIn, false},
		{"GET /training/:module", "/training/none", "", "", false},
		{"GET /recommendations", "/recommendations", "", signedIn, false},
		{"GET /recommendations", "/recommendations?team=alpha", "", "member lead people", false},
		{"GET /recommendations", "/recommendations?team=duo", "", "people", false},
		{"GET /recommendations", "/recommendations?team=nowhere", "", "people", false},
		{"POST /recommendations/dismiss", "/recommendations/dismiss", "team=alpha&recommendation=x&reason=y", "", false}, // without the page's token nobody
		{"GET /api/v1/recommendations", "/api/v1/recommendations?team=alpha", "", "member lead people", false},
		{"GET /api/v1/recommendations", "/api/v1/recommendations?team=duo", "", "people", false},
		{"GET /api/v1/recommendations", "/api/v1/recommendations?own=true", "", "viewer member lead other people admin", false},
		{"GET /api/v1/recommendations", "/api/v1/recommendations?own=true&team=alpha", "", "", false},
		{"GET /api/v1/recommendations", "/api/v1/recommendations?person=" + q(o.alpha[1]), "", "", false},
		// How far a newcomer is: themselves, their lead, people admins. Others are refused alike.
		{"GET /readiness", "/readiness", "", signedIn, false}, // a person's own; to who is nobody in particular it says so
		{"GET /readiness/:person", "/readiness/" + q(o.alpha[2]), "", "lead people", false},
		{"GET /readiness/:person", "/readiness/" + q(aliasOf(o.alpha[2])), "", "lead people", false},
		{"GET /readiness/:person", "/readiness/" + q(o.duo[0]), "", "people", false},
		{"GET /readiness/:person", "/readiness/nobody@matrix.example", "", "", false},
		{"POST /readiness/:person/walk", "/readiness/" + q(o.alpha[1]) + "/walk", "role=shadow&host=x", "", false}, // without the page's token nobody
		{"POST /readiness/:person/calloff", "/readiness/" + q(o.alpha[1]) + "/calloff", "shift=sh-alpha1", "", false},
		{"POST /oncall/reviews", "/oncall/reviews", "incident=inc-alpha-2-0&verdict=view", "", false},
		{"GET /oncall", "/oncall?team=alpha&from=2026-05-01&to=2026-05-09", "", signedIn, true}, // a week that has pages to review
		{"GET /oncall", "/oncall?team=duo&from=2026-05-01&to=2026-05-09", "", signedIn, true},
		{"GET /definitions", "/definitions", "", signedIn, false},
		{"GET /quarantine", "/quarantine", "", admining, false},
		{"GET /quarantine/:id", "/quarantine/none", "", "", false},
		{"POST /quarantine/:id/redrive", "/quarantine/none/redrive", "x=1", "", false},
		{"GET /audit", "/audit", "", admining, false},
		{"GET /api/v1/audit", "/api/v1/audit", "", admining, false},
		{"GET /api/v1/audit", "/api/v1/audit?format=csv", "", admining, false},
		{"GET /tokens", "/tokens", "", admining, false},
		{"POST /tokens", "/tokens", "name=x&scope=read", "", false}, // without the page's token nobody
		{"POST /tokens/:id/revoke", "/tokens/none/revoke", "x=1", "", false},
		{"POST /secrets", "/secrets", "source=pagerduty", "", false},
		{"POST /secrets/:id/retire", "/secrets/none/retire", "x=1", "", false},
		{"GET /api/v1/metrics", "/api/v1/metrics", "", signedIn, false},
		{"GET /api/v1/events", "/api/v1/events?incident=inc-alpha-2-0", "", signedIn, false},
		{"GET /api/v1/events", "/api/v1/events?incident=inc-duo-0-0", "", signedIn, false},
		{"GET /healthz", "/healthz", "", everybody, false},
		{"GET /readyz", "/readyz", "", everybody, false},
		{"GET /metrics", "/metrics", "", everybody, false},
		{"GET /static/:file", "/static/steward.css", "", everybody, false},
		{"GET /favicon.ico", "/favicon.ico", "", everybody, false},
		{"GET /signin", "/signin", "", "viewer member lead other people admin", false}, // led on by the proxy's word
		{"POST /signin", "/signin", "token=x", "", false},
		{"GET /signin/*", "/signin/elsewhere", "", "", false},
		{"POST /signout", "/signout", "x=1", everybody, false},
		{"POST /ingest/*", "/ingest/cloudevents", "x=1", "", false},
		{"POST /ingest/*", "/ingest/pagerduty", "{}", "", false},
		{"POST /api/v1/import", "/api/v1/import?format=cloudevents", "", "admin-token", false},
		{"POST /api/v1/rebuild", "/api/v1/rebuild", "", "admin-token", false},
		{"POST /api/v1/forget", "/api/v1/forget", `{"person":"nobody@matrix.example"}`, "", false},
		{"GET /nowhere", "/nowhere/" + q(o.duo[0]), "", "", false},
	}
	// What is due, the form that assigns, and somebody's word about somebody else.
	for path, answers := range map[string]string{
		"": signedIn, "?state=all": signedIn, "?team=alpha&state=all": "lead people", "?team=duo&state=all": "people", "?state=none": "", "?person=" + q(o.duo[0]): "",
	} {
		rows = append(rows, row{"GET /assignments", "/assignments" + path, "", answers, false})
	}
	for path, answers := range map[string]string{
		"?module=FX4&skill=queue-stream-ops": "lead other", "?team=alpha&for=person:" + q(o.alpha[2]) + "&module=FX4": "lead", "?for=person:" + q(o.duo[0]) + "&module=FX4": "lead other", "?team=duo": "",
	} {
		rows = append(rows, row{"GET /training/assign", "/training/assign" + path, "", answers, false})
	}
	rows = append(rows, row{"POST /training/assign", "/training/assign", "module=FX4&for=person:" + q(o.alpha[1]), "", false},
		row{"GET /training/:module/word", "/training/LN2/word", "", signedIn, false},
		row{"GET /training/:module/word", "/training/LN2/word?assignment=work-alpha1&person=" + q(o.alpha[1]), "", signedIn, false},
		row{"GET /training/:module/word", "/training/none/word", "", "", false})
	for path, answers := range map[string]string{
		"": signedIn, "team=alpha": "lead people", "team=duo": "people", "team=alpha&team=duo": "people", "person=" + q(o.alpha[1]): "member lead people",
		"person=" + q(o.alpha[2]): "lead people", "person=" + q(aliasOf(o.alpha[2])): "lead people", "person=" + q(o.alpha[1]) + "&person=" + q(o.alpha[2]): "lead people",
		"person=" + q(o.duo[0]): "people", "person=" + q(o.duo[0]) + "&team=alpha": "people", "person=nobody@matrix.example": "people", "colour=red": "",
	} {
		for _, format := range []string{"", "&format=csv", "&format=json"} {
			rows = append(rows, row{"GET /api/v1/assignments", "/api/v1/assignments?" + path + format, "", answers, false})
		}
	}
	for _, form := range []string{"tag=datastore-ops", "untag=datastore-ops&reason=x", "person=" + q(o.alpha[1]) + "&skill=datastore-ops"} { // without the page's token nobody
		rows = append(rows, row{"POST /incidents/:incident/skills", "/incidents/inc-alpha-2-0/skills", form, "", false})
	}
	rows = append(rows, row{"POST /me/skills", "/me/skills", "evidence=x&reason=x", "", false},
		row{"POST /people/:person/skills", "/people/" + q(o.alpha[1]) + "/skills", "evidence=x&reason=x", "", false})
	for _, act := range []string{"assign", "start", "quiz", "complete", "abandon", "waive", "word", "rate", "end"} { // without the page's token nobody
		rows = append(rows, row{"POST /training/:module/" + act, "/training/PG1/" + act, "assignment=work-alpha1&person=" + q(o.alpha[1]) + "&reason=administrative&for=person:" + q(o.alpha[1]), "", false})
	}
	rows = append(rows, // what goes out
		row{"GET /training/reminders", "/training/reminders", "", signedIn, false},
		row{"POST /training/reminders", "/training/reminders", "reminders=off", "", false},
		row{"POST /training/calendar", "/training/calendar", "x=1", "", false},
		row{"POST /training/calendar/revoke", "/training/calendar/revoke", "x=1", "", false},
		row{"GET /calendar/:file", "/calendar/" + strings.Repeat("A", 43) + ".ics", "", "", false},
	)
	for query, answers := range map[string]string{
		"": "viewer member lead other people admin", "?person=" + q(o.alpha[1]): "member people", "?person=" + q(aliasOf(o.alpha[2])): "people", "?person=all": "people",
		"?person=" + q(o.alpha[1]) + "&person=" + q(o.alpha[2]): "people", "?person=nobody@matrix.example": "people", "?colour=red": "", "?person=all&person=" + q(o.duo[0]): "",
	} {
		rows = append(rows, row{"GET /api/v1/xapi/statements", "/api/v1/xapi/statements" + query, "", answers, false})
	}
	metric := func(query, answers string, load bool) {
		for _, format := range []string{"", "&format=csv"} {
			rows = append(rows, row{"GET /api/v1/metrics/:name", "/api/v1/metrics/" + query + "&" + w + format, "", answers, load})
		}
	}
	for _, m := range []string{"interruptions", "pages", "oncall_hours"} {
		if m == "pages" { // what they are more than interruptions is a few people's
			metric(m+"?by=team", "people", false)
			metric(m+"?team=alpha", "lead people", true)
		} else {
			metric(m+"?by=team", signedIn, false)
			metric(m+"?bucket=month", signedIn, false)
			metric(m+"?team=alpha", signedIn, true)
			metric(m+"?team=duo", signedIn, false)
		}
		metric(m+"?by=person", "people", true)
		metric(m+"?by=person&team=alpha", "lead people", true)
		metric(m+"?by=person&team=alpha&team=duo", "people", true)
		metric(m+"?by=person&team=duo", "people", true)
		metric(m+"?person="+q(o.alpha[2]), "people", true)
		metric(m+"?person="+q(aliasOf(o.alpha[2])), "people", true)
		metric(m+"?person="+q(o.alpha[2])+"&team=alpha", "lead people", true)
		metric(m+"?person="+q(o.alpha[1]), "member people", true)
		metric(m+"?person="+q(o.alpha[1])+"&person="+q(o.alpha[2]), "people", true)
		metric(m+"?bucket=day", "people", true)
		metric(m+"?by=weekday_hour&team=alpha", "lead people", true)
		metric(m+"?by=level", "people", true)
		metric(m+"?tz=Asia/Tokyo", "people", true)
		metric(m+"?as_of=2026-05-20", "people", true)
		metric(m+"?known_at=2026-05-20", "people", true)
		metric(m+"?by=%70erson", "people", true)
		metric(m+"?by=team&by=person", "", true)
	}
	metric("interruptions?service=svc-duo", "people", true)
	metric("interruptions?lens=owner_then&team=alpha", "people", true)
	for _, m := range []string{"time_to_ack", "time_to_resolve", "ownership_quadrant", "hops", "incidents"} {
		metric(m+"?by=team", signedIn, false)
		metric(m+"?by=service", signedIn, false)
		metric(m+"?team=duo", signedIn, false)
		metric(m+"?by=team&lens=responder_team", "people", false)
		metric(m+"?by=hour_class", "people", false)
		metric(m+"?by=alert_class&urgency=high", signedIn, false)
	}
	metric("skill_levels?skill=queues", "people", false)
	metric("skill_levels?team=alpha", "people", false)
	metric("skill_levels?by=skill", "", false)
	metric("skill_levels?by=skill&person="+q(o.alpha[1]), "member people", false)
	metric("skill_levels?person="+q(aliasOf(o.alpha[2]))+"&team=alpha", "people", false)
	metric("skill_gaps?team=alpha", signedIn, false)
	metric("skill_coverage?team=duo", signedIn, false)
	metric("training_progress?by=team", signedIn, false)
	metric("training_progress?by=person", "people", false)
	metric("training_progress?by=person&team=alpha", "lead people", false)
	metric("training_progress?person="+q(o.alpha[1]), "member people", false)
	metric("verdicts?by=team", "people", false) // as pages, whose difference from interruptions is a few people's
	metric("verdicts?team=alpha", "lead people", true)
	metric("verdicts?by=alert_class&team=alpha", "lead people", true)
	metric("verdicts?team=duo", "people", true)
	metric("verdicts?by=person", "people", true)
	metric("verdicts?person="+q(o.alpha[1]), "member people", true)
	metric("graduation?team=alpha", "people", false) // what somebody can do is no lead's to read
	metric("graduation?person="+q(o.alpha[1]), "member people", false)
	metric("graduation?person="+q(aliasOf(o.alpha[2]))+"&team=alpha", "people", false)
	metric("nothing?by=person", "", false)
	rows = append(rows, o.rolloutRows()...)
	// What teams can do is everybody's; who is on call, who handles nothing and who can do what
	// are names, and load.
	metric("skill_overlap?skill=queues", signedIn, false)
	metric("skill_overlap?team=duo", signedIn, false)
	for _, f := range []string{"", "team=alpha", "team=duo", "skill=queues", "team=alpha&skill=queues"} {
		rows = append(rows, row{"GET /skills", "/skills?" + f + "&" + w, "", signedIn, false})
		for _, table := range []string{"gaps", "standing", "incidents", "ahead", "underload"} {
			rows = append(rows, row{"GET /api/v1/skills/:table", "/api/v1/skills/" + table + "?format=csv&" + f, "", signedIn, false})
		}
	}
	rows = append(rows, row{"GET /api/v1/skills/:table", "/api/v1/skills/gaps?person=" + q(o.alpha[2]), "", "", false},
		row{"GET /api/v1/skills/:table", "/api/v1/skills/people", "", "", false})
	return rows
}

func TestMatrix(t *testing.T) {
	o := newOrg()
	cfg := Config{Data: t.TempDir(), Now: func() time.Time { return matrixNow }, Access: &signin.Config{
		Proxy: &signin.Proxy{From: []string{"127.0.0.1/32"}}, DefaultRole: access.Viewer,
		Roles: []access.Rule{{Group: "people", Role: access.PeopleAdmin}, {Group: "admins", Role: access.Admin}},
	}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	k := keyring(t, cfg.Data)
	// A token may ask so often at once that the table is longer: several take turns.
	tokens := map[string][]string{}
	for _, scope := range []string{"read", "admin"} {
		for range 3 {
			token, _ := newToken(t, k, "never", scope)
			tokens[scope] = append(tokens[scope], token)
		}
	}
	ingest, _ := newToken(t, k, "never", "ingest")
	a, l, _ := boot(t, cfg)
	if err := a.core.Publisher.Publish(t.Context(), append(o.history(t), o.walking(t)...)...); err != nil {
		t.Fatal(err)
	}
	if err := a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	as := func(person, groups string) map[string]string {
		return map[string]string{"X-Forwarded-Email": person, "X-Forwarded-Groups": groups}
	}
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
	lead, member, other := o.alpha[0], o.alpha[1], o.beta[0]
	askers := []asker{
		{name: "nobody"},
		{name: "viewer", header: as("guest@matrix.example", "")},
		{"member", as(member, ""), o.alpha, []string{member}, []string{member}, []string{member}},
		{"lead", as(lead, ""), o.alpha, o.alpha, o.alpha, []string{lead}},
		{"other", as(other, ""), o.beta, o.beta, o.beta, []string{other}},
		{"people", as("pam@matrix.example", "people"), o.all, o.all, o.all, o.all},
		{name: "admin", header: as("adm@matrix.example", "admins")},
		{name: "read-token", header: bearer(tokens["read"][0])},
		{name: "admin-token", header: bearer(tokens["admin"][0])},
		{name: "ingest-token", header: bearer(ingest)},
	}
	rows := o.rows()
	tried := map[string]bool{}
	for _, r := range rows {
		tried[r.route] = true
	}
	served := a.pages.Routes()
	for _, route := range append(served, "POST /api/v1/import", "POST /api/v1/rebuild", "POST /api/v1/forget") {
		method, path, _ := strings.Cut(route, " ")
		if method == "HEAD" { // registered with its GET, by one call
			method = "GET"
		}
		if strings.HasPrefix(path, "/ingest/") || strings.HasPrefix(path, "/sign") { // any method; a POST and a GET are tried
			if method != "POST" && method != "GET" || path == "/ingest/*" && method == "GET" || path == "/signout" && method == "GET" || path == "/signin/*" && method == "POST" {
				continue
			}
		}
		if !tried[method+" "+path] {
			t.Errorf("%s has no row: who may use it, and whom may its answers name?", route)
		}
	}
	if len(served) < 20 {
		t.Fatalf("%d routes", len(served))
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: false}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var asked, answered atomic.Int64
	t.Run("askers", func(t *testing.T) {
		for _, who := range askers {
			t.Run(who.name, func(t *testing.T) {
				t.Parallel()
				for i, r := range rows {
					if scope, token := strings.CutSuffix(who.name, "-token"); token && len(tokens[scope]) > 0 {
						who.header = bearer(tokens[scope][i%len(tokens[scope])])
					}
					method, _, _ := strings.Cut(r.route, " ")
					code, head, text := r.ask(t, client, a.URL(), method, who)
					if code == http.StatusSeeOther && r.route == "GET /people/:person" && head.Get("Location") != "" {
						again := r
						again.path = head.Get("Location")
						code, _, text = again.ask(t, client, a.URL(), method, who)
					}
					asked.Add(1)
					ok := code >= 200 && code < 300 || code == http.StatusSeeOther && (r.route == "GET /signin" || r.route == "POST /signout")
					if want := slices.Contains(strings.Fields(r.answers), who.name); ok != want {
						t.Errorf("%s, %s %s: %d, answered %v, want %v: %.200s", who.name, method, r.path, code, ok, want, text)
					}
					if ok {
						answered.Add(1)
					}
					o.leaks(t, who, r, code, text)
				}
			})
		}
	})
	if answered.Load() < 300 {
		t.Errorf("of %d requests %d were answered; that proves little", asked.Load(), answered.Load())
	}
	t.Logf("%d requests of %d askers to %d addresses on %d routes, %d answered", asked.Load(), len(askers), len(rows), len(served), answered.Load())
	for _, p := range o.all {
		if strings.Contains(l.String(), p) || strings.Contains(l.String(), nameOf(p)) || strings.Contains(l.String(), aliasOf(p)) {
			t.Errorf("the log names %s", p)
		}
	}
	// The test must be able to fail: they themselves and the people admin do read it.
	for _, c := range []struct {
		who  asker
		path string
	}{{askers[2], "/me"}, {askers[5], "/people/" + url.QueryEscape(member)}} {
		if _, _, text := (row{path: c.path}).ask(t, client, a.URL(), "GET", c.who); !strings.Contains(text, wordOf(member)) {
			t.Errorf("%s does not read the member's evidence at %s", c.who.name, c.path)
		}
	}
	t.Run("the ledger", func(t *testing.T) { o.ledger(t, client, a, askers) })
}

func (r row) ask(t *testing.T, client *http.Client, base, method string, who asker) (int, http.Header, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, base+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(r.path, err)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept-Encoding", "gzip")
	for k, v := range who.header {
		req.Header.Set(k, v)
	}
	// Each request from an address of its own, so that limits, which have tests of their own, stay out of it.
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", ip.Add(1)>>16&255, ip.Load()>>8&255, ip.Load()&255))
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var from io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if from, err = gzip.NewReader(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, fmt.Sprint(resp.Header) + "\n" + string(text)
}

var ip atomic.Uint32

var number = regexp.MustCompile(`\d[\d.]*`)

// leaks looks for everybody in an answer. What the asker sent comes back to them in links
// and words, so a person whom the address itself names is only looked for by the other names.
func (o org) leaks(t *testing.T, who asker, r row, code int, text string) {
	t.Helper()
	plain := html.UnescapeString(text)
	o.answersLeak(t, who, r, plain)
	if u, err := url.PathUnescape(r.path); err == nil {
		plain += "" // the path may be echoed; see below
		r.path = u
	}
	for _, p := range o.all {
		for _, form := range []string{p, nameOf(p), aliasOf(p), url.QueryEscape(p)} {
			if slices.Contains(who.knows, p) || strings.Contains(r.path, form) || strings.Contains(r.path, p) && form == url.QueryEscape(p) {
				continue
			}
			if strings.Contains(plain, form) || strings.Contains(text, form) {
				t.Errorf("%s, %s (%d): the answer holds %s", who.name, r.path, code, form)
			}
		}
		if !slices.Contains(who.works, p) && strings.Contains(plain, reasonOf(p)) {
			t.Errorf("%s, %s (%d): the answer says why %s is to learn something", who.name, r.path, code, p)
		}
		if !slices.Contains(who.scores, p) && strings.Contains(plain, wordOf(p)) {
			t.Errorf("%s, %s (%d): the answer says what %s showed", who.name, r.path, code, p)
		}
		for _, score := range []string{strconv.FormatFloat(o.scoreOf(p), 'f', -1, 64), fmt.Sprintf("passed with %.0f %%", 100*o.scoreOf(p))} {
			if !slices.Contains(who.scores, p) && strings.Contains(plain, score) {
				t.Errorf("%s, %s (%d): the answer holds %s's score %s", who.name, r.path, code, p, score)
			}
		}
		if slices.Contains(who.loads, p) && r.load {
			continue
		}
		want := fmt.Sprint(o.hoursOf(p))
		if !slices.Contains(who.loads, p) && slices.Contains(number.FindAllString(plain, -1), want) {
			t.Errorf("%s, %s (%d): the answer holds %s, what only %s carries", who.name, r.path, code, want, p)
		}
	}
}

// ledger: whoever was looked at by a lead or a people admin reads it on their page, and
// nobody else does.
func (o org) ledger(t *testing.T, client *http.Client, a *App, askers []asker) {
	if err := a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	page := func(person string) string {
		_, _, text := row{path: "/me?" + w}.ask(t, client, a.URL(), "GET", asker{header: map[string]string{"X-Forwarded-Email": person}})
		return text
	}
	for person, want := range map[string][]string{
		o.alpha[2]: {o.alpha[0], "pam@matrix.example"}, // her lead, and the people admin
		o.duo[0]:   {"pam@matrix.example"},
		o.alpha[0]: {"pam@matrix.example"}, // her own looks are no looks
	} {
		text := html.UnescapeString(page(person))
		_, looks, found := strings.Cut(text, "Who looked at this?")
		if !found {
			t.Fatalf("%s has no list of looks", person)
		}
		looks, _, _ = strings.Cut(looks, "</section>")
		for _, by := range want {
			if !strings.Contains(looks, by) && !strings.Contains(looks, nameOf(by)) {
				t.Errorf("%s does not read that %s looked", person, by)
			}
		}
		for _, by := range []string{o.alpha[1], o.beta[0], "adm@matrix.example", "guest@matrix.example"} {
			if strings.Contains(looks, by) || strings.Contains(looks, nameOf(by)) {
				t.Errorf("%s reads that %s looked, who never was shown anything", person, by)
			}
		}
	}
	var audit struct{ Audit []struct{ By, Action string } }
	i := slices.IndexFunc(askers, func(x asker) bool { return x.name == "admin" })
	_, _, text := row{path: "/api/v1/audit"}.ask(t, client, a.URL(), "GET", askers[i])
	_, body, _ := strings.Cut(text, "\n")
	if err := json.NewDecoder(bytes.NewReader([]byte(body))).Decode(&audit); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, x := range audit.Audit {
		found[x.Action] = true
	}
	for _, action := range []string{"import", "rebuild"} {
		if !found[action] {
			t.Errorf("the audit log does not have %s: %v", action, found)
		}
	}
}
