package app

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// advised is what the API says of a team or, with "", of the asker.
type advised struct {
	Recommendations, Dismissed []struct {
		ID, Rule, Team, Person, Skill, Module, Because, By string
		Path, Cites                                        []string
		N                                                  int
		Reason                                             string `json:"dismissed_reason"`
	}
}

func (a advised) rules() (out []string) {
	for _, r := range a.Recommendations {
		out = append(out, strings.TrimSpace(r.Rule+" "+r.Module))
	}
	return out
}

func (l *learners) advised(person, team string) (a advised) {
	l.t.Helper()
	query := "own=true"
	if team != "" {
		query = "team=" + team
	}
	code, text := l.send(person, "GET", "/api/v1/recommendations?"+query, nil)
	if code != http.StatusOK {
		l.t.Fatalf("%s asks for %q: %d %s", person, team, code, text)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		l.t.Fatal(err)
	}
	return a
}

// needy says that alpha's incidents, and one of duo's, took queues, and that Abe, whom nobody
// ever saw on call, is on call next.
func (l *learners) needy() {
	l.t.Helper()
	var events []event.Event
	tell := func(kind event.Kind, subject string, at time.Time, data map[string]any) {
		e, err := event.New("/import/matrix", kind, subject, fmt.Sprint("needy", len(events)), at, data)
		if err != nil {
			l.t.Fatal(err)
		}
		events = append(events, e)
	}
	for _, id := range []string{"inc-alpha-0-0", "inc-alpha-0-1", "inc-alpha-1-0", "inc-alpha-2-0", "inc-duo-0-0"} {
		tell(event.SkillTagged, id, matrixNow.Add(-time.Hour), map[string]any{"incident": id, "skill": "queue-stream-ops", "basis": "responder"})
	}
	from := matrixNow.Add(30 * time.Hour)
	tell(event.ShiftPlanned, "next", matrixNow.Add(-24*time.Hour), map[string]any{"shift": "next", "schedule": "alpha", "person": l.o.alpha[1], "start": from.Format(time.RFC3339), "end": from.Add(24 * time.Hour).Format(time.RFC3339), "level": 1})
	if err := l.a.core.Publisher.Publish(l.t.Context(), events...); err != nil {
		l.t.Fatal(err)
	}
	if err := l.a.core.Sink.Drain(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

var assignLink = regexp.MustCompile(`href="(/training/[^"]*for=team%3Aalpha[^"]*)"`)

// A lead comes from the team's page to an assignment in two clicks, which answers the
// recommendation; what is not wanted is dismissed for a reason, and a person's own is theirs.
func TestFromARecommendationToAnAssignment(t *testing.T) {
	l := newLearners(t)
	l.needy()
	lead, abe, amy, other, pam := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2], l.o.beta[0], "pam@matrix.example"

	a := l.advised(lead, "alpha")
	if got := a.rules(); !slices.Equal(got, []string{"coming-shift FX4"}) {
		t.Fatalf("the team is advised %v", got)
	}
	r := a.Recommendations[0]
	if r.N != 4 || len(r.Cites) != 4 || !slices.Contains(r.Cites, "inc-alpha-2-0") || r.By != "2026-06-21T18:00:00.000Z" || !strings.Contains(r.Because, "for 24 of 24 hours on call") {
		t.Errorf("%+v", r)
	}
	if got := l.advised(abe, "alpha"); fmt.Sprint(got) != fmt.Sprint(a) { // whoever looks
		t.Errorf("a member is told %v", got)
	}
	for _, who := range []string{other, l.o.duo[0]} {
		if code, text := l.send(who, "GET", "/api/v1/recommendations?team=alpha", nil); code != http.StatusForbidden || strings.Contains(text, "FX4") {
			t.Errorf("another team reads it: %d", code)
		}
		if strings.Contains(l.page(who, "/teams/alpha"), "What should we learn next?") {
			t.Errorf("%s has the card on another team's page", who)
		}
	}
	if got := l.advised(l.o.duo[0], "duo"); len(got.Recommendations) != 1 || strings.Contains(got.Recommendations[0].Because, "current") {
		t.Errorf("a team of two is told what each can do: %+v", got)
	}

	// Abe's own: the shift needs what he has not, and he was never on call in queues' sense.
	own := l.advised(abe, "")
	if got := own.rules(); !slices.Equal(got, []string{"next-shift FX4"}) || own.Recommendations[0].Person != abe {
		t.Fatalf("his own: %v", got)
	}
	if got := l.advised(amy, "").rules(); len(got) != 0 {
		t.Errorf("Amy, who has no shift ahead, is advised %v", got)
	}
	for _, who := range []string{lead, amy, pam} {
		if got := l.advised(who, ""); strings.Contains(fmt.Sprint(got), own.Recommendations[0].ID) {
			t.Errorf("%s reads what Abe should learn", who)
		}
	}
	if text := l.page(abe, "/me"); !strings.Contains(text, "What should I learn before my next shift?") || !strings.Contains(text, "Start with PG1") || !strings.Contains(text, "inc-alpha-") {
		t.Error("/me does not say what to learn, where to start and why")
	}

	// Dismissing: a team's is the lead's, one's own one's own.
	dismiss := func(person, team, id, reason string, want int) {
		t.Helper()
		l.page(person, "/recommendations")
		code, text := l.send(person, "POST", "/recommendations/dismiss", url.Values{"team": {team}, "recommendation": {id}, "reason": {reason}})
		if code != want {
			_, text, _ = strings.Cut(text, "<main")
			t.Errorf("%s dismisses %s of %q: %d, want %d: %.400s", person, id, team, code, want, text)
		}
	}
	mine := own.Recommendations[0].ID
	dismiss(abe, "alpha", r.ID, "no", http.StatusForbidden)
	dismiss(other, "alpha", r.ID, "no", http.StatusForbidden)
	dismiss(lead, "", mine, "no", http.StatusBadRequest) // it is not among the lead's own
	dismiss(lead, "alpha", mine, "no", http.StatusBadRequest)
	dismiss(lead, "alpha", r.ID, "", http.StatusBadRequest)
	dismiss(abe, "", mine, "I ran the queues at my last job", http.StatusSeeOther)
	dismiss(abe, "", mine, "again", http.StatusBadRequest)
	if got := l.advised(abe, ""); len(got.Recommendations) != 0 || len(got.Dismissed) != 1 || got.Dismissed[0].Reason != "I ran the queues at my last job" {
		t.Errorf("dismissed: %+v", got)
	}
	if text := l.page(abe, "/recommendations"); !strings.Contains(text, "What was dismissed?") || !strings.Contains(text, "It comes back after 18 Sep 2026") {
		t.Error("the page does not say when it comes back")
	}
	for _, who := range []string{lead, amy, pam} {
		if strings.Contains(l.page(who, "/recommendations"), "my last job") {
			t.Errorf("%s reads why Abe does not want it", who)
		}
	}

	// Two clicks: the button of the team's page leads to the form, filled in.
	found := assignLink.FindStringSubmatch(l.page(lead, "/teams/alpha"))
	if found == nil {
		t.Fatal("the team's page has no button to assign")
	}
	path := html.UnescapeString(found[1])
	form := l.page(lead, strings.Split(path, "#")[0])
	if !strings.Contains(form, `value="team:alpha" checked`) || !strings.Contains(form, r.Cites[0]) || !strings.Contains(form, "coming shift without anybody current") {
		t.Error("the form is not filled in")
	}
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	l.post(lead, "FX4/assign", url.Values{"for": u.Query()["for"], "reason": u.Query()["reason"], "cites": u.Query()["cites"]}, http.StatusSeeOther, "")
	if got := l.advised(lead, "alpha"); !slices.Equal(got.rules(), []string{"coming-shift"}) || got.Recommendations[0].Skill != "queue-stream-ops" {
		t.Errorf("after all have it to learn, what is left is practice: %v", got.rules())
	}
	dismiss(lead, "alpha", l.advised(lead, "alpha").Recommendations[0].ID, "a game day is planned", http.StatusSeeOther)
	if got := l.advised(abe, "alpha"); len(got.Recommendations) != 0 || len(got.Dismissed) != 1 {
		t.Errorf("dismissed by the lead: %+v", got)
	}
	// Nobody was looked at but by the page that shows what each carries: what a team should
	// learn is of its sums.
	_, looks, _ := strings.Cut(l.page(abe, "/me"), "Who looked at this?")
	looks, _, _ = strings.Cut(looks, "</section>")
	if strings.Contains(looks, "learn") || strings.Contains(looks, "recommend") {
		t.Errorf("recommendations are told as looks: %.500s", looks)
	}
	// The incident's page leads to what teaches what it took.
	if text := l.page(lead, "/incidents/inc-alpha-2-0"); !strings.Contains(text, "What teaches what it took?") || !strings.Contains(text, "/training/FX4?cites=inc-alpha-2-0") && !strings.Contains(text, "module=FX4") {
		t.Error("the incident's page does not lead to an assignment")
	}
}
