package dashboards

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
)

// newcomer is somebody of a team, whose every page of this part has all that it can have.
func newcomer(d *Deps) {
	who := access.As(access.Identity{Name: "N"}, access.Membership{Person: hostile[2], Teams: hostile[:1]}, access.Viewer, access.Member)
	d.Gate = func(*http.Request) (access.Who, error) { return who, nil }
}

func TestReviewPagesSayWhatIsLeft(t *testing.T) {
	s := boot(t, newFake(), newcomer)
	for path, want := range map[string][]string{
		"/oncall":                   {"2 of 4 pages reviewed", "Action was taken on 1 of the 2", "all 3 pages", "1 wrong threshold and 2 without a verdict", "looked, and it was worth it, says", "change it, or say if it made sense"},
		at("incidents", hostile[4]): {"Was it worth it?", "Did it make sense?", "all 3 pages"},
		"/readiness":                {"Am I ready for the pager?", "9 of 10 are left", "begins 12 Dec 2026", "on call, with the host behind", "Plan it", "call off", "3 of 10 alerts acknowledged", "1 of 3 made sense; 1 waits for a tap", "nobody has said", "the checklist of accesses"},
		at("readiness", hostile[4]): {"Readiness of", "3 of 10 alerts acknowledged", "’s to read"},
		"/me":                       {"What is left before a first shift on my own"},
		at("teams", hostile[0]):     {"Who gets ready for the pager?", "1 shift with somebody beside the host"},
		"/readiness?done=planned":   {"Planned."},
	} {
		got := text(t, body(t, get(t, s, path)))
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
	}
	if got := text(t, body(t, get(t, s, at("readiness", hostile[4])))); strings.Contains(got, "nobody has said") || strings.Contains(got, "Plan it") {
		t.Error("somebody else's alerts, or a form that is not theirs, are shown")
	}
	page := body(t, get(t, s, "/oncall"))
	if n := strings.Count(page, `aria-pressed="true"`); n != 2 { // the verdict and the word of the page that one judged
		t.Errorf("%d buttons are pressed", n)
	}
	if r := get(t, s, at("readiness", hostile[2])); r.StatusCode != http.StatusSeeOther {
		t.Errorf("one's own page under one's id: %d", r.StatusCode)
	}
	for _, path := range []string{"/oncall", at("incidents", hostile[4]), "/readiness"} {
		if r := get(t, s, path); r.Header.Get("Content-Encoding") != "" || len(r.Cookies()) != 1 {
			t.Errorf("%s holds a token and is compressed, or has none", path)
		}
	}
	empty := boot(t, &fake{empty: true, now: testNow}, newcomer)
	for path, want := range map[string]string{"/oncall": "Nobody was paged between", "/readiness": "10 of 10 are left", at("teams", hostile[0]): ""} {
		if got := text(t, body(t, get(t, empty, path))); !strings.Contains(got, want) {
			t.Errorf("%s without anything does not say %q", path, want)
		}
	}
	lead := boot(t, newFake(), func(d *Deps) {
		who := access.As(access.Identity{Name: "L"}, access.Membership{Person: hostile[0], Teams: hostile[:1], Leads: hostile[:1]}, access.Viewer, access.Member, access.Lead)
		d.Gate = func(*http.Request) (access.Who, error) { return who, nil }
	})
	if got := text(t, body(t, get(t, lead, at("teams", hostile[0])))); !strings.Contains(got, "1 newcomer, 0 graduated") || !strings.Contains(got, "3 of 10") {
		t.Error("a lead does not read how far newcomers are")
	}
}

func TestReviewForms(t *testing.T) {
	shadow := &fakeShadow{}
	s := boot(t, newFake(), newcomer, func(d *Deps) { d.Shadow = shadow })
	cookie := get(t, s, "/oncall").Cookies()[0]
	post := func(path, csrf string, form url.Values) *http.Response {
		form.Set("csrf", csrf)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Result()
	}
	me := at("readiness", hostile[2])
	for _, c := range []struct {
		path string
		form url.Values
		told string
		to   string
	}{
		{"/oncall/reviews", url.Values{"incident": {"i"}, "page": {""}, "verdict": {"view"}, "back": {"/oncall?team=x&to=2026-11-01"}}, "review |i|view|-|", "/oncall?team=x&to=2026-11-01#review"},
		{"/oncall/reviews", url.Values{"page": {"p"}, "made_sense": {"no"}, "back": {"/incidents/i%2F1"}}, "review p|||false|", "/incidents/i%2F1#review"},
		{"/oncall/reviews", url.Values{"incident": {"i"}, "note": {" a note "}, "back": {"//evil.example"}}, "review |i||-|a note", "/oncall#review"},
		{"/oncall/reviews", url.Values{"incident": {"i"}, "verdict": {"view"}, "back": {"/oncall\\@evil.example"}}, "review |i|view|-|", "/oncall#review"},
		{"/oncall/reviews", url.Values{"incident": {"i"}, "verdict": {"view"}, "back": {"https://evil.example/oncall"}}, "review |i|view|-|", "/oncall#review"},
		{me + "/walk", url.Values{"role": {"shadow"}, "host": {"h"}}, "walk " + hostile[2] + "|shadow|h", "/readiness?done=planned"},
		{me + "/calloff", url.Values{"shift": {hostile[0]}}, "off " + hostile[2] + "|" + hostile[0], "/readiness?done=off"},
		{at("readiness", "x@y") + "/walk", url.Values{"role": {"shadow"}}, "walk x@y|shadow|", "/readiness/x@y?done=planned"},
	} {
		if r := post(c.path, "wrong", c.form); r.StatusCode != http.StatusForbidden && r.StatusCode != http.StatusBadRequest || len(shadow.take()) > 0 {
			t.Errorf("%s without the page's token: %d", c.path, r.StatusCode)
		}
		r := post(c.path, cookie.Value, c.form)
		if told := shadow.take(); r.StatusCode != http.StatusSeeOther || !slices.Equal(told, []string{c.told}) || r.Header.Get("Location") != c.to {
			t.Errorf("%s: %d to %s, told %q", c.path, r.StatusCode, r.Header.Get("Location"), told)
		}
	}
	if r := post("/oncall/reviews", cookie.Value, url.Values{"incident": {"i"}, "made_sense": {"perhaps"}}); r.StatusCode != http.StatusBadRequest || len(shadow.take()) > 0 {
		t.Errorf("a word that is none: %d", r.StatusCode)
	}
	shadow.err = &LearnError{"host", "there is no such shift"}
	r := post(me+"/walk", cookie.Value, url.Values{"role": {"reverse_shadow"}, "host": {"h"}})
	if got := text(t, body(t, r)); r.StatusCode != http.StatusBadRequest || !strings.Contains(got, "Host: there is no such shift.") {
		t.Errorf("a mistake: %d", r.StatusCode)
	}
	if r := post("/oncall/reviews", cookie.Value, url.Values{"incident": {"i"}}); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a mistake: %d", r.StatusCode)
	}
	shadow.err = &access.Denied{Reason: "not yours"}
	if r := post("/oncall/reviews", cookie.Value, url.Values{"incident": {"i"}}); r.StatusCode != http.StatusForbidden {
		t.Errorf("refused: %d", r.StatusCode)
	}
	without := boot(t, newFake(), newcomer, func(d *Deps) { d.Shadow = nil })
	if r := get(t, without, "/readiness"); r.StatusCode != 404 {
		t.Errorf("without this part: %d", r.StatusCode)
	}
	if got := body(t, get(t, without, "/oncall")); strings.Contains(got, "/oncall/reviews") {
		t.Error("there are forms that lead nowhere")
	}
}
