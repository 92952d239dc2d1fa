package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

func (l *learners) publish(kind event.Kind, at time.Time, data map[string]any) {
	l.t.Helper()
	e, err := event.New("/import/matrix", kind, "x", fmt.Sprint(kind, at, data), at, data)
	if err != nil {
		l.t.Fatal(err)
	}
	if err := l.a.core.Publisher.Publish(l.t.Context(), e); err != nil {
		l.t.Fatal(err)
	}
}

func (l *learners) stored() {
	l.t.Helper()
	if err := l.a.core.Sink.Drain(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *learners) wants(person, path string, form url.Values, want int, says string) {
	l.t.Helper()
	code, text := l.send(person, "POST", path, form)
	if code != want || !strings.Contains(text, says) {
		_, answer, _ := strings.Cut(text, "<main")
		l.t.Errorf("%s posts %s %v: %d, want %d and %q: %.600s", person, path, form, code, want, says, answer)
	}
}

// A team reviews its week by taps: who may does, the latest holds, and the metric says so.
func TestWeeklyReview(t *testing.T) {
	l := newLearners(t)
	lead, member, other := l.o.alpha[0], l.o.alpha[1], l.o.beta[0]
	const week = "/oncall?team=alpha&to=2026-05-09"
	page := l.page(member, week)
	if !strings.Contains(page, "of 12 pages") && !strings.Contains(page, "0 of ") {
		t.Fatalf("there is no review: %.3000s", page)
	}
	progress := regexp.MustCompile(`(\d+) of (\d+) pages? reviewed`)
	before := progress.FindStringSubmatch(page)
	if before == nil || before[1] != "0" {
		t.Fatalf("progress %v", before)
	}
	tap := func(verdict, sense string) url.Values {
		v := url.Values{"incident": {"inc-alpha-2-0"}, "back": {week}}
		if verdict != "" {
			v.Set("verdict", verdict)
		}
		if sense != "" {
			v.Set("made_sense", sense)
		}
		return v
	}
	l.wants(member, "/oncall/reviews", tap("", "yes"), http.StatusBadRequest, "Verdict: missing")
	l.wants(member, "/oncall/reviews", tap("fine", ""), http.StatusBadRequest, "Verdict: ")
	l.wants(member, "/oncall/reviews", url.Values{"verdict": {"view"}}, http.StatusBadRequest, "a verdict on what?")
	l.wants(member, "/oncall/reviews", tap("threshold", ""), http.StatusSeeOther, "")
	page = l.page(member, week)
	if p := progress.FindStringSubmatch(page); p == nil || p[1] != "1" || !strings.Contains(page, "wrong threshold</b>, says "+nameOf(member)) {
		t.Errorf("after a tap: %v", p)
	}
	l.later(time.Minute)
	l.wants(member, "/oncall/reviews", tap("", "no"), http.StatusSeeOther, "")
	if !regexp.MustCompile(`value="no" aria-pressed="true"`).MatchString(l.page(member, week)) {
		t.Error("whether it made sense was not kept")
	}
	l.page(lead, week)
	l.later(time.Minute)
	l.wants(lead, "/oncall/reviews", tap("service", ""), http.StatusSeeOther, "")
	if page = l.page(member, week); !strings.Contains(page, "fixed the service</b>, says "+nameOf(lead)) || !strings.Contains(page, `value="threshold" aria-pressed="true"`) {
		t.Error("the latest does not hold, or one's own is not shown as one's own")
	}
	// What made sense to whom stays with them; the verdict is the team's.
	if story := l.page(lead, "/incidents/inc-alpha-2-0"); strings.Contains(story, `"made_sense":`) || !strings.Contains(story, `"verdict": "threshold"`) {
		t.Errorf("the lead reads what made sense to the member (%v), or not what they found", strings.Contains(story, `"made_sense":`))
	}
	if story := l.page(member, "/incidents/inc-alpha-2-0"); !strings.Contains(story, `"made_sense":`) {
		t.Error("the member does not read their own word")
	}
	// Others may not, and are not told whether there is such an incident.
	l.page(other, "/oncall")
	for _, id := range []string{"inc-alpha-2-0", "inc-unheard-of"} {
		v := tap("view", "")
		v.Set("incident", id)
		l.wants(other, "/oncall/reviews", v, http.StatusForbidden, "whoever was paged")
	}
	if text := l.page(other, week); strings.Contains(text, "reviewed") || strings.Contains(text, "/oncall/reviews") {
		t.Error("another team's lead reads the review")
	}
	var answer struct {
		Rows []struct{ Pages, Reviewed, Actionable, People int }
	}
	if err := json.Unmarshal([]byte(l.page(lead, "/api/v1/metrics/verdicts?team=alpha&from=2026-05-01&to=2026-05-09")), &answer); err != nil {
		t.Fatal(err)
	}
	if r := answer.Rows; len(r) != 1 || r[0].Reviewed != 1 || r[0].Actionable != 1 || fmt.Sprint(r[0].Pages) != before[2] {
		t.Errorf("%+v, want %s pages of which one is reviewed", r, before[2])
	}
}

// A newcomer plans to walk along, does, acknowledges alerts, says of them whether they made
// sense, and has graduated; the lead reads that and not which.
func TestWalkAlongToGraduation(t *testing.T) {
	l := newLearners(t)
	lead, trainee, mate, other := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2], l.o.beta[0]
	start := matrixNow.Add(48 * time.Hour)
	l.publish(event.ShiftPlanned, matrixNow.Add(-time.Hour), map[string]any{"shift": "next", "schedule": "alpha-rota", "person": lead, "start": start, "end": start.Add(72 * time.Hour), "level": 1})
	l.publish(event.ShiftPlanned, matrixNow.Add(-time.Hour), map[string]any{"shift": "later", "schedule": "alpha-rota", "person": mate, "start": start.AddDate(0, 0, 7), "end": start.AddDate(0, 0, 8), "level": 1})
	l.stored()
	page := l.page(trainee, "/readiness")
	option := regexp.MustCompile(`<option value="([0-9a-f]{16})">([^<]*)</option>`)
	hosts := option.FindAllStringSubmatch(page, -1)
	if len(hosts) != 2 || !strings.Contains(hosts[0][2], nameOf(lead)) || !strings.Contains(hosts[1][2], nameOf(mate)) || !strings.Contains(page, "10 of 10</b> are still open") {
		t.Fatalf("hosts %v: %.2000s", hosts, page)
	}
	own, form := "/readiness/"+url.PathEscape(trainee), func(host []string, role string) url.Values { return url.Values{"host": {host[1]}, "role": {role}} }
	l.wants(trainee, own+"/walk", form(hosts[0], "secondary"), http.StatusBadRequest, "Role: ")
	l.wants(trainee, own+"/walk", url.Values{"host": {"none"}, "role": {"shadow"}}, http.StatusBadRequest, "no such shift")
	l.wants(trainee, own+"/walk", form(hosts[0], "reverse_shadow"), http.StatusSeeOther, "")
	l.wants(trainee, own+"/walk", form(hosts[0], "shadow"), http.StatusBadRequest, "walk along then already")
	l.page(lead, own)
	l.wants(lead, own+"/walk", form(hosts[1], "shadow"), http.StatusSeeOther, "")
	for _, who := range []string{mate, other} { // neither lead nor themselves
		l.page(who, "/readiness")
		l.wants(who, own+"/walk", form(hosts[1], "shadow"), http.StatusForbidden, "the lead of their team")
		l.wants(who, own+"/calloff", url.Values{"shift": {"next"}}, http.StatusForbidden, "")
	}
	// A host cannot walk along with themselves, and their own shift is no walk.
	l.wants(lead, "/readiness/"+url.PathEscape(lead)+"/walk", form(hosts[0], "shadow"), http.StatusBadRequest, "no such shift")
	l.wants(lead, own+"/calloff", url.Values{"shift": {"next"}}, http.StatusBadRequest, "none such")

	page = l.page(lead, own)
	shifts := regexp.MustCompile(`name="shift" value="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(shifts) != 2 || strings.Contains(page, "made sense</th>") {
		t.Fatalf("shifts %v", shifts)
	}
	for _, s := range shifts {
		if strings.Contains(s[1], "@") || strings.Contains(s[1], "abe") {
			t.Errorf("a shift's id names somebody: %s", s[1])
		}
	}
	l.later(time.Second) // of two words in one moment, that of the smaller id would be the earlier
	l.wants(lead, own+"/calloff", url.Values{"shift": {shifts[1][1]}}, http.StatusSeeOther, "")
	if page = l.page(mate, "/teams/alpha"); strings.Count(page, "looks on") != 0 || strings.Count(page, "on call, with the host behind") != 1 {
		t.Errorf("the team does not read who walks along from now on: %.1500s", page[strings.Index(page, "Who gets ready"):])
	}

	// Ten alerts, an hour apart; of all but one it is said that they made sense.
	l.later(start.Sub(matrixNow))
	for i := range 10 {
		id, at := fmt.Sprint("walk-", i), start.Add(time.Duration(i)*time.Hour)
		l.publish(event.IncidentOpened, at, map[string]any{"incident": id, "title": "disk full", "service": "svc-alpha"})
		l.publish(event.PageSent, at.Add(time.Second), map[string]any{"page": "page-" + id, "incident": id, "person": trainee, "channel": "push"})
		l.publish(event.IncidentAcknowledged, at.Add(time.Minute), map[string]any{"incident": id, "person": aliasOf(trainee), "actor_kind": "user"})
	}
	l.stored()
	l.later(11 * time.Hour)
	tap := func(i int, sense string) {
		id := fmt.Sprint("walk-", i)
		l.wants(trainee, "/oncall/reviews", url.Values{"incident": {id}, "verdict": {"service"}, "made_sense": {sense}}, http.StatusSeeOther, "")
		l.later(time.Second)
	}
	for i := range 8 {
		tap(i, "yes")
	}
	tap(8, "no")
	if page = l.page(trainee, "/readiness"); !strings.Contains(page, "10 of 10</b> alerts acknowledged; not graduated yet") || !strings.Contains(page, "8 of 10</b> made sense; 1 waits for a tap") {
		t.Errorf("eight of ten: %.3000s", page)
	}
	tap(9, "yes")
	if page = l.page(trainee, "/readiness"); !strings.Contains(page, "Graduated</b> on ") || strings.Count(page, `/incidents/walk-`) != 10 {
		t.Error("nine of ten have not graduated")
	}
	page = l.page(lead, own)
	if !strings.Contains(page, "Graduated</b> on ") || strings.Contains(page, "/incidents/walk-") || strings.Contains(page, "made sense</b>") || strings.Contains(page, "of 10</b> made sense") {
		t.Error("a lead does not read that somebody graduated, or reads by which alerts")
	}
	if page = l.page(lead, "/teams/alpha"); !strings.Contains(page, "graduated") {
		t.Error("a lead's team page does not say who graduated")
	}
	if code, _ := l.send(other, "GET", own, nil); code != http.StatusForbidden {
		t.Errorf("another team's lead: %d", code)
	}
	// Walking along is no on-call time, and a walk that runs can be ended now.
	hours := l.page(lead, "/api/v1/metrics/oncall_hours?by=person&team=alpha&person="+url.QueryEscape(trainee)+"&from=2026-06-20&format=csv")
	if strings.Contains(hours, trainee) {
		t.Errorf("walking along counts as on call: %s", hours)
	}
	l.wants(trainee, own+"/calloff", url.Values{"shift": {shifts[0][1]}}, http.StatusSeeOther, "")
	if page = l.page(trainee, "/readiness"); strings.Contains(page, `name="shift"`) || !strings.Contains(page, "Graduated</b> on ") {
		t.Errorf("a walk that was ended runs on, or what was reached in it is gone: %.3000s", page[strings.Index(page, "<main"):])
	}
}
