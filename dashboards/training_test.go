package dashboards

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// What somebody is shown follows from how far they are.
func TestTrainingPagesSayWhatIsNext(t *testing.T) {
	s := boot(t, newFake(), learningLead)
	for path, want := range map[string][]string{
		"/training":        {"What is on my list?", "What is open in my teams?", "Ready for the pager", "overdue", "PG2 Reachable"},
		"/training/PG1":    {"Quiz, attempt 2", "Hand in", "Given by", "Who should learn this?", "everybody in", "Stop working on it"},
		"/training/LS1":    {"quiz passed with 88 %", "What shows that it was done?", "A link to it"},
		"/training/FX1":    {"completed", "Shown by:", hostile[0]},
		"/training/FX3":    {"Nobody has assigned it to you", "First comes LS4"},
		"/training/nobody": {"No module"},
		"/me?learn":        {"What is on my list?", "read it and answer the quiz"},
	} {
		got := text(t, body(t, get(t, s, path)))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
	}
	if page := body(t, get(t, s, "/training/PG1?for=person:"+url.QueryEscape(hostile[0])+"&due=2026-12-24")); !strings.Contains(page, "2026-12-24") || strings.Count(page, "\" checked>") != 1 {
		t.Error("what the address gives is not in the form")
	}
	r := get(t, s, "/training/PG1")
	if r.Header.Get("Content-Encoding") != "" || len(r.Cookies()) != 1 {
		t.Error("a page with a token is compressed, or has none")
	}
	without := boot(t, newFake(), func(d *Deps) { d.Learn = nil })
	if r := get(t, without, "/training"); r.StatusCode != 404 || strings.Contains(body(t, get(t, without, "/")), `href="/training"`) {
		t.Errorf("without a curriculum: %d", r.StatusCode)
	}
}

// A viewer and a member read no form and nobody's work but their own.
func TestTrainingFormsAreTheLeads(t *testing.T) {
	for name, c := range map[string]struct {
		who  access.Who
		give bool
	}{
		"a viewer":        {access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer), false},
		"a member":        {access.As(access.Identity{}, access.Membership{Person: "m", Teams: hostile[:1]}, access.Viewer, access.Member), false},
		"a people admin":  {access.As(access.Identity{Person: "p"}, access.Membership{}, access.Viewer, access.PeopleAdmin), false},
		"a lead":          {access.As(access.Identity{}, access.Membership{Person: "l", Leads: hostile[:1]}, access.Viewer, access.Lead), true},
		"a laptop's user": {access.Operator(), true},
	} {
		s := boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return c.who, nil } })
		page := body(t, get(t, s, "/training/PG1"))
		if got := strings.Contains(page, "/assign"); got != c.give || strings.Contains(page, "/waive") != c.give {
			t.Errorf("%s: has the form %v", name, got)
		}
		if got := strings.Contains(body(t, get(t, s, "/training")), "in my teams"); got != c.give {
			t.Errorf("%s: reads others' work: %v", name, got)
		}
	}
}

func TestTrainingForms(t *testing.T) {
	learn := &fakeLearn{}
	s := boot(t, newFake(), learningLead, func(d *Deps) { d.Learn = learn })
	cookie := get(t, s, "/training/PG1").Cookies()[0]
	post := func(path, csrf string, form url.Values) (*http.Response, string) {
		form.Set("csrf", csrf)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test/training/"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		b, _ := io.ReadAll(w.Result().Body)
		return w.Result(), string(b)
	}
	forms := []struct {
		path, done, act string
		form            url.Values
	}{
		{"PG1/assign", "assigned", "assign [PG1]  [chat:U1] [a] [] false 2026-12-24 why [i1 i2]", url.Values{"for": {"person:chat:U1", "team:a"}, "due": {"2026-12-24"}, "reason": {" why "}, "cites": {"i1, i2"}}},
		{"PG1/start", "started", "start PG1", url.Values{}},
		{"PG1/complete", "completed", "complete a PG1 https://x", url.Values{"assignment": {"a"}, "evidence": {"https://x "}}},
		{"PG1/abandon", "abandoned", "abandon a PG1", url.Values{"assignment": {"a"}}},
		{"PG1/waive", "waived", "waive a PG1 p tested-out", url.Values{"assignment": {"a"}, "person": {"p"}, "reason": {"tested-out"}}},
	}
	for _, f := range forms {
		if r, _ := post(f.path, "guess", f.form); r.StatusCode < 400 || len(learn.acts) != 0 {
			t.Errorf("%s without the page's token: %d, %v", f.path, r.StatusCode, learn.acts)
		}
		if r, _ := post(f.path, cookie.Value, f.form); r.StatusCode != 303 || r.Header.Get("Location") != "/training/PG1?done="+f.done || !slices.Equal(learn.acts, []string{f.act}) {
			t.Errorf("%s: %d, %v", f.path, r.StatusCode, learn.acts)
		}
		learn.acts = nil
	}
	if r, page := post("PG1/assign", cookie.Value, url.Values{"for": {"everybody"}}); r.StatusCode != 400 || !strings.Contains(page, "For: a person, a team or a rota is wanted.") {
		t.Errorf("to nobody: %d", r.StatusCode)
	}
	learn.err = &LearnError{"due", "is in the past"}
	if r, page := post("PG1/assign", cookie.Value, url.Values{"reason": {"keep me"}}); r.StatusCode != 400 || !strings.Contains(page, "Due: is in the past.") || !strings.Contains(page, "keep me") {
		t.Errorf("a bad date: %d", r.StatusCode)
	}
	learn.err = &access.Denied{Reason: "no"}
	if r, _ := post("PG1/waive", cookie.Value, url.Values{}); r.StatusCode != 403 {
		t.Errorf("refused: %d", r.StatusCode)
	}
	learn.err = nil
	if r, _ := post("none/start", cookie.Value, url.Values{}); r.StatusCode != 404 {
		t.Errorf("no module: %d", r.StatusCode)
	}

	// The quiz: what the page shows is what is marked, wrong answers say why and not what is right.
	m, _ := builtIn().Module("PG1")
	a := training.Attempt{Assignment: "a0", Person: hostile[2], Module: "PG1", Number: 2, Digest: m.Digest}
	page := body(t, get(t, s, "/training/PG1"))
	wrong, right := url.Values{"assignment": {"a0"}, "number": {"2"}, "digest": {m.Digest}}, url.Values{"assignment": {"a0"}, "number": {"2"}, "digest": {m.Digest}}
	for i, q := range a.Shown(m) {
		last := 0
		for place, o := range q.Options {
			at := strings.Index(page, string(training.Inline(o.Text)))
			if at < last {
				t.Errorf("question %d: option %d is not shown in its place", i, place)
			}
			last = at
			if o.Right {
				right.Set("q"+strconv.Itoa(i), strconv.Itoa(place))
			} else {
				wrong.Set("q"+strconv.Itoa(i), strconv.Itoa(place))
			}
		}
	}
	r, page := post("PG1/quiz", cookie.Value, wrong)
	if r.StatusCode != 200 || !strings.Contains(page, "not passed") || strings.Contains(page, "Right is:") {
		t.Errorf("all wrong: %d", r.StatusCode)
	}
	if r, page = post("PG1/quiz", cookie.Value, right); r.StatusCode != 200 || !strings.Contains(page, "right: passed.") {
		t.Errorf("all right: %d", r.StatusCode)
	}
	right.Del("q1")
	learn.err = &LearnError{"answers[1]", "not answered"}
	if r, page = post("PG1/quiz", cookie.Value, right); r.StatusCode != 400 || !strings.Contains(page, "Answers[1]: not answered") {
		t.Errorf("one left out: %d", r.StatusCode)
	}
}

func TestCurrentIsWhatIsOpen(t *testing.T) {
	at := time.Now()
	rows := []analytics.AssignmentRow{
		{ID: "done", Module: "M", State: analytics.StateCompleted, Completed: at}, {ID: "open", Module: "M", State: analytics.StateAssigned},
		{ID: "begun", Module: "M", State: analytics.StateStarted}, {ID: "left", Module: "M", State: analytics.StateAbandoned}, {ID: "N", Module: "N", State: analytics.StateWaived, Waived: at},
	}
	if r, ok := Current(rows, "M"); !ok || r.ID != "begun" {
		t.Errorf("goes on with %s", r.ID)
	}
	if r, ok := Current(rows[3:], "M"); !ok || r.ID != "left" {
		t.Errorf("goes on with %s", r.ID)
	}
	if _, ok := Current(rows, "X"); ok {
		t.Error("goes on with nothing")
	}
}
