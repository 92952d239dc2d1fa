package dashboards

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// poster sends forms to a server with the token of its pages.
func poster(t *testing.T, s *Server) func(path string, form url.Values) (*http.Response, string) {
	t.Helper()
	cookie := get(t, s, "/training/PG1").Cookies()[0]
	return func(path string, form url.Values) (*http.Response, string) {
		form.Set("csrf", cookie.Value)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		b, _ := io.ReadAll(w.Result().Body)
		return w.Result(), string(b)
	}
}

func TestWhatIsDue(t *testing.T) {
	s := boot(t, newFake(), learningLead)
	page := body(t, get(t, s, "/assignments"))
	got := text(t, page)
	for _, want := range []string{"4 assignments are to do", "1 overdue", "3 begun", "PG2 Reachable", "not begun", "What does a rota’s newcomer learn?", "before the first shift on"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, hidden := range []string{"88 %", "0.875", "tried"} { // a lead's list
		if strings.Contains(got, hidden) {
			t.Errorf("the list says how a quiz went: %q", hidden)
		}
	}
	if rows := page[strings.Index(page, "<tbody"):]; strings.Index(rows, ">PG2 ") > strings.Index(rows, ">PG1 ") || !strings.Contains(rows, ">PG1 ") {
		t.Error("what is overdue does not stand first")
	}
	for query, want := range map[string]string{"state=overdue": "PG2", "module=LS1": "LS1", "track=LS": "LS1", "state=completed": "FX1", "state=" + url.QueryEscape("quiz passed"): "LS1"} {
		rows := body(t, get(t, s, "/assignments?"+query))
		rows = rows[strings.Index(rows, "<tbody"):strings.Index(rows, "</tbody>")]
		if strings.Count(rows, "<tr ") != 1 || !strings.Contains(rows, ">"+want+" ") {
			t.Errorf("%s shows %s", query, rows)
		}
	}
	for _, bad := range []string{"state=x", "team=nowhere", "module=x", "track=x", "person=x"} {
		r := get(t, s, "/assignments?"+bad)
		name, _, _ := strings.Cut(bad, "=")
		if page := body(t, r); r.StatusCode != 400 || !strings.Contains(page, name+":") {
			t.Errorf("%s: %d", bad, r.StatusCode)
		}
	}
	empty := boot(t, &fake{empty: true, now: testNow}, learningLead)
	if got := text(t, body(t, get(t, empty, "/assignments"))); !strings.Contains(got, "There is nothing to do.") || !strings.Contains(got, "Assign something") {
		t.Error("an empty list does not say what to do")
	}
}

func TestTheFormThatAssigns(t *testing.T) {
	learn := &fakeLearn{}
	s := boot(t, newFake(), learningLead, func(d *Deps) { d.Learn = learn })
	person := "person:" + hostile[0]
	address := "/training/assign?" + url.Values{"skill": {"queue-stream-ops"}, "for": {person}, "cites": {"i1,i2"}, "reason": {hostile[2]}, "due": {"2026-12-24"}, "team": {hostile[0]}}.Encode()
	page := body(t, get(t, s, address))
	for _, want := range []string{`name="module" value="FX4" checked`, `value="2026-12-24"`, `value="i1, i2"`, "first needs", "PG1 What owning"} {
		if !strings.Contains(page, want) {
			t.Errorf("the form does not hold %q", want)
		}
	}
	if strings.Contains(page, "<img src=x") || strings.Contains(page, "<script>alert") {
		t.Error("a text of the address is markup")
	}
	if got := strings.Count(page, `name="for"`) - strings.Count(page, `value="rota:`); got != 2 {
		t.Errorf("of one team %d are offered: everybody, and one person", got)
	}
	post := poster(t, s)
	rota := rotaText(TeamRota{hostile[6], hostile[0]})
	if r, _ := post("/training/assign", url.Values{"module": {"FX4", "PG1"}, "for": {person, "team:x", rota}, "cites": {"i1, i2"}, "due": {"2026-12-24"}, "first": {"yes"}, "team": {"x"}}); r.StatusCode != 303 || r.Header.Get("Location") != "/assignments?done=assigned&team=x" {
		t.Errorf("%d %s", r.StatusCode, r.Header.Get("Location"))
	}
	if want := []string{"assign [FX4 PG1]  [" + hostile[0] + "] [x] [{" + hostile[6] + " " + hostile[0] + "}] true 2026-12-24  [i1 i2]"}; !slices.Equal(learn.acts, want) {
		t.Errorf("gave %q, want %q", learn.acts, want)
	}
	learn.acts = nil
	if r, _ := post("/training/assign", url.Values{"path": {"1"}, "for": {"team:x"}}); r.StatusCode != 303 || !strings.Contains(learn.acts[0], "[PG1 PG2 PG3") {
		t.Errorf("the path: %d %v", r.StatusCode, learn.acts)
	}
	// Of its second stage comes, too, what the one team's incidents took most.
	for _, c := range []struct {
		to   []string
		want string
	}{{[]string{"team:" + hostile[0]}, "[LS2 LS4 FX1 FX2 FX4]"}, {[]string{"team:" + hostile[0], "team:x"}, "[LS2 LS4 FX1 FX2]"}, {[]string{"team:x"}, "[LS2 LS4 FX1 FX2]"}} {
		learn.acts = nil
		if r, page := post("/training/assign", url.Values{"path": {"2"}, "for": c.to}); r.StatusCode != 303 || len(learn.acts) != 1 || !strings.Contains(learn.acts[0], c.want) {
			t.Errorf("stage 2 for %v gives %v, want %s: %s", c.to, learn.acts, c.want, page)
		}
	}
	if page := text(t, body(t, get(t, s, "/training/assign?team="+url.QueryEscape(hostile[0])))); !strings.Contains(page, "5 modules, 210 min, everybody, with FX4, which the team’s incidents took most") {
		t.Error("the form does not say which module a team's incidents ask for")
	}
	if r, page := post("/training/assign", url.Values{"path": {"9"}, "for": {"team:x"}}); r.StatusCode != 400 || !strings.Contains(page, "Path: has no such stage.") {
		t.Errorf("no such stage: %d", r.StatusCode)
	}
	if r, page := post("/training/assign", url.Values{"track": {"PG"}, "module": {"FX4"}, "for": {"team:x"}}); r.StatusCode != 400 || !strings.Contains(page, "Track: is given as a whole") {
		t.Errorf("a track and a module: %d", r.StatusCode)
	}
	learn.acts = nil
	if r, page := post("/training/assign", url.Values{"module": {"FX4"}, "for": {person}, "do": {"look"}, "reason": {"keep me"}}); r.StatusCode != 200 || len(learn.acts) != 0 || !strings.Contains(page, "keep me") || !strings.Contains(page, "first needs") {
		t.Errorf("to look is to give: %d %v", r.StatusCode, learn.acts)
	}
	for name, w := range map[string]access.Who{
		"a member": access.As(access.Identity{}, access.Membership{Person: "m", Teams: hostile[:1]}, access.Viewer, access.Member),
		"a viewer": access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer),
	} {
		other := boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return w, nil } })
		if r := get(t, other, "/training/assign"); r.StatusCode != 403 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
	}
	// From a team and an incident it is a link and the button.
	if page := body(t, get(t, s, "/incidents/"+url.PathEscape(hostile[0]))); !strings.Contains(page, `href="/training/assign?cites=`) {
		t.Error("an incident does not lead to the form")
	}
	if page := body(t, get(t, s, "/teams/"+url.PathEscape(hostile[0]))); !strings.Contains(page, `href="/training/assign?team=`) {
		t.Error("a team does not lead to the form")
	}
}

func TestWaivingFromTheListLeadsBackToIt(t *testing.T) {
	learn := &fakeLearn{}
	post := poster(t, boot(t, newFake(), learningLead, func(d *Deps) { d.Learn = learn }))
	for back, want := range map[string]string{
		"/assignments?state=overdue&team=x&evil=1": "/assignments?done=waived&state=overdue&team=x",
		"/assignments":                "/assignments?done=waived",
		"//evil.example/assignments":  "/training/PG1?done=waived",
		"https://evil.example":        "/training/PG1?done=waived",
		"/assignments.evil.example/x": "/training/PG1?done=waived",
	} {
		if r, _ := post("/training/PG1/waive", url.Values{"assignment": {"a"}, "person": {"p"}, "reason": {"tested-out"}, "back": {back}}); r.StatusCode != 303 || r.Header.Get("Location") != want {
			t.Errorf("%s leads to %d %s, want %s", back, r.StatusCode, r.Header.Get("Location"), want)
		}
	}
	if r, _ := post("/training/PG1/end", url.Values{"assignment": {"rule"}, "back": {"/assignments"}}); r.StatusCode != 303 || !slices.Contains(learn.acts, "end rule PG1") {
		t.Errorf("ending a rule: %d, %v", r.StatusCode, learn.acts)
	}
}

// waiting is a fake whose every assignment waits for evidence.
type waiting struct {
	*fake
	module string
}

func (w waiting) For(access.Who, string) Reading { return w }

func (w waiting) Assignments(context.Context, analytics.AssignmentFilter) ([]analytics.AssignmentRow, error) {
	at := w.now.AddDate(0, 0, -9)
	return []analytics.AssignmentRow{{ID: "w", Module: w.module, Person: hostile[2], By: hostile[4], Assigned: at, Started: at, Passed: at, State: analytics.StatePassed, Scored: true}}, nil
}

func TestEvidenceForms(t *testing.T) {
	for module, want := range map[string][]string{
		"PG1": {"A link to it, or what it says"},
		"FX1": {"Which event shows it", "Deployed ", "Beside it: where the rollback is logged", "Another event, by its id", "The link to give them"},
		"PG2": {"Which event shows it", "Acknowledged: "},
		"PG5": {"Shift that was handed over", "Show the link"},
		"PG6": {"9 of 11 acknowledged alerts made sense", "Hand in"},
		"LN2": {"somebody else’s word", "The link to give them"},
		"FX4": {"It takes 1 drill for its skills, with 75 points or more", "Confirmation mails stop on a Saturday", "A drill that was run elsewhere"},
		"FX5": {"It takes 2 different drills", "0 of 2 are there"},
	} {
		s := boot(t, newFake(), func(d *Deps) {
			d.Store = waiting{newFake(), module}
			d.Gate = func(*http.Request) (access.Who, error) {
				return access.As(access.Identity{}, access.Membership{Person: hostile[2]}, access.Viewer, access.Member), nil
			}
		})
		page := body(t, get(t, s, "/training/"+module))
		got := text(t, page)
		for _, x := range want {
			if !strings.Contains(got, x) {
				t.Errorf("%s does not say %q", module, x)
			}
		}
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") {
			t.Errorf("%s: a text from outside is markup", module)
		}
	}
}

func TestSomebodysWord(t *testing.T) {
	learn := &fakeLearn{}
	s := boot(t, newFake(), learningLead, func(d *Deps) { d.Learn = learn })
	address := "/training/PG5/word?" + url.Values{"person": {hostile[0]}, "assignment": {"a"}, "key": {`k"><script>alert(1)</script>`}, "evidence": {hostile[4]}}.Encode()
	if page := body(t, get(t, s, address)); strings.Contains(page, "<script>alert") || !strings.Contains(page, "I saw it") {
		t.Error("the form is not there, or a text is markup")
	}
	post := poster(t, s)
	if r, _ := post("/training/PG5/word", url.Values{"person": {"p"}, "assignment": {"a"}, "key": {"k"}, "evidence": {"e"}, "note": {" seen "}}); r.StatusCode != 303 || !slices.Equal(learn.acts, []string{"attest p a PG5 k e seen"}) {
		t.Errorf("%d, %v", r.StatusCode, learn.acts)
	}
	learn.err = &LearnError{"note", "missing: what shows it?"}
	if r, page := post("/training/PG5/word", url.Values{"person": {"p"}}); r.StatusCode != 400 || !strings.Contains(page, "Note: missing: what shows it?") || strings.Contains(page, "?.") {
		t.Errorf("%d", r.StatusCode)
	}
}

// Tags of an incident stand until they are taken back, on one basis or on all.
func TestTaggedSkills(t *testing.T) {
	e := func(kind, data string) analytics.EventRow {
		return analytics.EventRow{Kind: kind, At: time.Now(), Data: data}
	}
	got := tagged([]analytics.EventRow{
		e("skill.tagged", `{"skill":"a","basis":"rule"}`), e("skill.tagged", `{"skill":"b","basis":"rule"}`), e("skill.tagged", `{"skill":"a","basis":"responder"}`), e("skill.tagged", `{"skill":"c","basis":"rule"}`),
		e("skill.untagged", `{"skill":"a","basis":"rule"}`), e("skill.untagged", `{"skill":"b"}`), e("skill.untagged", `{"skill":"c","basis":"rule"}`), e("skill.tagged", `{"skill":"c","basis":"reviewer"}`),
		e("skill.tagged", `{"skill":7}`), e("incident.noted", `{"skill":"d"}`),
	})
	if !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("tagged with %v", got)
	}
}

// What was given up leaves the list of work and comes back when its date is past.
func TestGivenUpComesBackWhenItIsOverdue(t *testing.T) {
	for _, late := range []bool{false, true} {
		r := analytics.AssignmentRow{State: analytics.StateAbandoned, Overdue: late}
		if open, overdue := tally([]analytics.AssignmentRow{r}); inState(r, "", time.Time{}) != late || (open == 1) != late || (overdue == 1) != late {
			t.Errorf("overdue %v: to do %v, %d open, %d overdue", late, inState(r, "", time.Time{}), open, overdue)
		}
	}
}
