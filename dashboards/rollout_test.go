package dashboards

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
)

func rolling(d *Deps) {
	learningLead(d)
	d.Rollouts, d.Questions = &fakeRollouts{}, &fakeQuestions{s: d.Store.(*fake)}
}

func TestRolloutPages(t *testing.T) {
	s := boot(t, newFake(), rolling)
	for path, want := range map[string][]string{
		"/training/rollouts":            {"6 roll-outs", "can be read", "drawn, not begun", "Draw a new one", "all starts made, the window is open"},
		"/training/rollouts/done":       {"90 % interval", "Trained teams had lower incidents per week", "512 incidents", "smallest p this draw could give", "teams are needed", "seed", "steward rollout check", "was a draw before it", "drawn again 1 time"},
		"/training/rollouts/ratio":      {"90 % interval", "median time to resolve", "in percent"},
		"/training/rollouts/load":       {"Not shown to you: what people carry", "Who starts when?", "What was decided before looking?"},
		"/training/rollouts/open":       {"There is no result yet", "Who starts when?", "for 5 weeks", "before the first start"},
		"/training/rollouts/ahead":      {"There is no result yet", "in 4 weeks"},
		"/training/rollouts/odd":        {"are withheld", "published after the first start"},
		"/training/rollouts/none":       {"No roll-out"},
		"/training/rollouts/new":        {"What is taught", "Nothing is published yet"},
		"/training":                     {"Did it help?", "Question of the week", "answer it"},
		"/me?learn":                     {"Question of the week", "answer it"},
		"/training/rollouts/done/draw":  {`"seed":42`},
		"/training/rollouts/done/weeks": {"week,before,trained_teams"},
	} {
		got := text(t, body(t, get(t, s, path)))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
		for _, arrow := range []string{"↓", "↑", "▼", "▲", "improved"} {
			if strings.Contains(got, arrow) {
				t.Errorf("%s has %q", path, arrow)
			}
		}
	}
	// A window that is open shows no week from the first start on, on the page or in the CSV.
	if page := body(t, get(t, s, "/training/rollouts/open")); strings.Contains(page, "2026-10-26") || !strings.Contains(page, "2026-10-12") {
		t.Error("the page tells of a week after the first start while the window is open, or of none before")
	}
	if lines := body(t, get(t, s, "/training/rollouts/open/weeks")); strings.Contains(lines, "2026-10-19") || !strings.Contains(lines, "2026-10-12,true") {
		t.Errorf("the CSV of an open window: %s", lines)
	}
	for path, want := range map[string]int{"/training/rollouts/load/weeks": 403, "/training/rollouts/none/draw": 404, "/training/rollouts/done/weeks": 200} {
		if r := get(t, s, path); r.StatusCode != want {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	// No parameter changes a result.
	plain := body(t, get(t, s, "/training/rollouts/done/weeks"))
	if odd := body(t, get(t, s, "/training/rollouts/done/weeks?metric=hops_mean&expect=higher&from=2026-01-05&seed=1&team=t1")); odd != plain {
		t.Error("parameters of the address change the result")
	}
	empty := boot(t, &fake{now: testNow, empty: true}, rolling)
	if got := text(t, body(t, get(t, empty, "/training/rollouts"))); !strings.Contains(got, "No roll-out was drawn yet") {
		t.Errorf("%.300s", got)
	}
	without := boot(t, newFake(), learningLead)
	if r := get(t, without, "/training/question"); r.StatusCode != 404 {
		t.Errorf("without questions: %d", r.StatusCode)
	}
}

func TestRolloutForm(t *testing.T) {
	s := boot(t, newFake(), rolling)
	filled := url.Values{"id": {"idididididididididididid"}, "module": {"FX1"}, "metric": {"incidents"}, "expect": {"lower"}, "from": {"2026-10-05"}, "to": {"2027-02-08"}, "team": fakeTeams(), "week": {"2026-12-14", ""}, "teams": {"4", ""}}
	page := body(t, get(t, s, "/training/rollouts/new?"+filled.Encode()))
	for _, w := range []string{"70 possible draws", "0.015", "teams are needed", "Draw and publish", `name="team" value="t1"`} {
		if !strings.Contains(page, w) {
			t.Errorf("the plan does not say %q", w)
		}
	}
	bad := url.Values{}
	for k, v := range filled {
		bad[k] = v
	}
	bad.Set("change", "-200")
	if page := text(t, body(t, get(t, s, "/training/rollouts/new?"+bad.Encode()))); !strings.Contains(page, "Change: must be above") {
		t.Errorf("%.400s", page)
	}
	bad.Set("change", "NaN")
	if page := text(t, body(t, get(t, s, "/training/rollouts/new?"+bad.Encode()))); !strings.Contains(page, "Change: a number of percent is wanted") {
		t.Errorf("%.400s", page)
	}
	// What is wrong is said by its field, and the form keeps what was filled in.
	rolls := &fakeRollouts{err: errors.Join(&LearnError{"steps[1].week", "is a Tuesday"}, &LearnError{"teams", "too few"})}
	s = boot(t, newFake(), rolling, func(d *Deps) { d.Rollouts = rolls })
	r := get(t, s, "/training/rollouts/new?"+filled.Encode())
	if page := body(t, r); r.StatusCode != 400 || !strings.Contains(page, "Start 2, week: is a Tuesday.") || !strings.Contains(page, "Teams: too few.") || strings.Contains(page, "Draw and publish") || !strings.Contains(page, "2026-12-14") {
		t.Errorf("%d", r.StatusCode)
	}
	post := func(s *Server, form url.Values) *http.Response {
		first := get(t, s, "/training/rollouts/new")
		cookie := first.Cookies()[0]
		form.Set("csrf", cookie.Value)
		req := httptest.NewRequest(http.MethodPost, "http://steward.test/training/rollouts", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		return w.Result()
	}
	if r := post(s, filled); r.StatusCode != 400 || len(rolls.drawn) != 0 {
		t.Errorf("%d %v", r.StatusCode, rolls.drawn)
	}
	rolls.err = nil
	if r := post(s, filled); r.StatusCode != 303 || r.Header.Get("Location") != "/training%2Frollouts/done" && r.Header.Get("Location") != "/training/rollouts/done" || len(rolls.drawn) != 1 || len(rolls.drawn[0].Teams) != 8 || rolls.drawn[0].Counts[0] != "4" {
		t.Errorf("%d %s %+v", r.StatusCode, r.Header.Get("Location"), rolls.drawn)
	}
	// Who leads one team can draw none.
	one := boot(t, newFake(), rolling, func(d *Deps) {
		d.Gate = func(*http.Request) (access.Who, error) {
			return access.As(access.Identity{}, access.Membership{Person: "l", Leads: hostile[:1]}, access.Viewer, access.Lead), nil
		}
	})
	if r := get(t, one, "/training/rollouts/new"); r.StatusCode != 403 {
		t.Errorf("%d", r.StatusCode)
	}
	if strings.Contains(body(t, get(t, one, "/training/rollouts")), "Draw a new one") {
		t.Error("who cannot draw is led to the form")
	}
}

func TestQuestionPage(t *testing.T) {
	store := newFake()
	questions := &fakeQuestions{s: store}
	s := boot(t, store, rolling, func(d *Deps) { d.Questions = questions })
	r := get(t, s, "/training/question")
	page := body(t, r)
	for _, w := range []string{"Which service was it?", `value="digest0"`, "What was I asked"} {
		if !strings.Contains(page, w) {
			t.Errorf("does not say %q", w)
		}
	}
	if strings.Contains(page, "{{.}} See") || strings.Contains(page, "It was See") {
		t.Error("the page tells the answer before it is given")
	}
	cookie := r.Cookies()[0]
	post := func(answer string) (int, string) {
		form := url.Values{"csrf": {cookie.Value}, "question": {"q"}, "digest": {"digest0"}, "answer": {answer}}
		req := httptest.NewRequest(http.MethodPost, "http://steward.test/training/question", strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, req)
		return w.Code, text(t, w.Body.String())
	}
	if code, page := post("c"); code != 200 || !strings.Contains(page, "Right: “See”.") || !strings.Contains(page, "minute by minute") || !strings.Contains(page, "The next one comes on Monday") {
		t.Errorf("%d %.900s", code, page)
	}
	if code, page := post("a"); code != 200 || !strings.Contains(page, "You said “"+hostile[2]+"”; it was “See”.") {
		t.Errorf("%d %.900s", code, page)
	}
	if len(questions.given) != 2 || questions.given[0] != "q digest0 c" {
		t.Errorf("%v", questions.given)
	}
	questions.err = &LearnError{"answer", "choose one"}
	if code, page := post(""); code != 400 || !strings.Contains(page, "Answer: choose one.") || !strings.Contains(page, "Which service was it?") {
		t.Errorf("%d %.900s", code, page)
	}
	store.tried = true
	if page := text(t, body(t, get(t, s, "/training/question"))); !strings.Contains(page, "Right: “See”.") {
		t.Errorf("%.900s", page)
	}
	empty := boot(t, &fake{now: testNow, empty: true}, rolling)
	if page := text(t, body(t, get(t, empty, "/training/question"))); !strings.Contains(page, "nothing to ask you this week") {
		t.Errorf("%.900s", page)
	}
	nobody := boot(t, newFake(), rolling, func(d *Deps) { d.Gate = open })
	if page := text(t, body(t, get(t, nobody, "/training/question"))); !strings.Contains(page, "nobody in particular") {
		t.Errorf("%.900s", page)
	}
}

// rolloutPages are drawn in the browser too, with so many charts each.
var rolloutPages = []struct {
	path   string
	charts int
}{
	{"/training/rollouts", 0}, {"/training/rollouts/done", 1}, {"/training/rollouts/ratio", 1}, {"/training/rollouts/open", 1}, {"/training/rollouts/load", 0}, {"/training/question", 0},
	{"/training/rollouts/new?module=FX1&metric=incidents&expect=lower&from=2026-10-05&to=2027-02-08&team=t1&team=t2&week=2026-12-14&teams=4", 0},
}
