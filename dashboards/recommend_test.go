package dashboards

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

func TestRecommendationsSayRuleIncidentsAndWhatToDo(t *testing.T) {
	s := boot(t, newFake(), learningLead)
	team := hostile[0]
	as := func(w access.Who) *Server {
		return boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return w, nil } })
	}
	lead := as(access.As(access.Identity{Name: "L"}, access.Membership{Person: hostile[2], Teams: []string{team}, Leads: []string{team}}, access.Viewer, access.Member, access.Lead))
	member := as(access.As(access.Identity{Name: "M"}, access.Membership{Person: hostile[2], Teams: []string{team}}, access.Viewer, access.Member))
	viewer := as(access.As(access.Identity{Name: "V"}, access.Membership{}, access.Viewer))
	const assign = "/training/FX4?cites="
	for name, c := range map[string]struct {
		s        *Server
		path     string
		has, not []string
	}{
		"a team's page, for its lead":   {lead, at("teams", team), []string{"What should we learn next?", "first, unless known", "/training/LS4", "because ", "also: another reason", "n = 7 incidents", "the team’s largest gaps v1", assign, "due=2026-11-26", "team%3A", "#r-1", "needed by 27 Nov 2026 15:30 CET", "first 3 of", "/drills/the-padlock-at-midnight", "no drill of it is there yet"}, []string{`action="/recommendations/dismiss"`, "Start with"}},
		"a team's page, for a member":   {member, at("teams", team), []string{"What should we learn next?", "/training/FX4"}, []string{assign, "#r-1"}},
		"a team's page, for others":     {viewer, at("teams", team), nil, []string{"What should we learn next?"}},
		"one's own page":                {member, "/me", []string{"What should I learn before my next shift?", "Start with LS4", "#r-1", "1 other was dismissed"}, []string{assign}},
		"training":                      {s, "/training", []string{"What should I learn before my next shift?", "What should a team learn next?"}, nil},
		"all of a team's, for its lead": {lead, "/recommendations?team=" + url.QueryEscape(team), []string{`action="/recommendations/dismiss"`, "What was dismissed?", "It comes back after 17 Feb 2027", "By which rules?", "a coming shift without anybody current", "LS1"}, []string{"before a first shift"}},
		"for a member":                  {member, "/recommendations?team=" + url.QueryEscape(team), []string{"What was dismissed?"}, []string{`action="/recommendations/dismiss"`}},
		"all of one's own":              {member, "/recommendations", []string{`action="/recommendations/dismiss"`, "before a first shift"}, []string{"The three skills with the largest gap above"}},
		"for nobody in particular":      {viewer, "/recommendations", []string{"nobody in particular"}, []string{"What is suggested?"}},
	} {
		r := get(t, c.s, c.path)
		page := body(t, r)
		if r.StatusCode != 200 {
			t.Errorf("%s: %d", name, r.StatusCode)
		}
		low := strings.ToLower(page)
		for _, w := range c.has {
			if !strings.Contains(low, strings.ToLower(w)) {
				t.Errorf("%s does not say %q", name, w)
			}
		}
		for _, w := range c.not {
			if strings.Contains(low, strings.ToLower(w)) {
				t.Errorf("%s says %q", name, w)
			}
		}
		if strings.HasPrefix(c.path, "/recommendations") && r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: a page with a token is compressed", name)
		}
		if strings.Contains(page, hostile[0]) {
			t.Errorf("%s: a text is code", name)
		}
	}
	if r := get(t, viewer, "/recommendations?team="+url.QueryEscape(team)); r.StatusCode != 403 {
		t.Errorf("another team's: %d", r.StatusCode)
	}
	empty := newFake()
	empty.empty = true
	if got := text(t, body(t, get(t, boot(t, empty, learningLead), "/training"))); !strings.Contains(got, "Nothing is lacking for your next shift") {
		t.Error("an empty card does not say what to do")
	}
	without := boot(t, newFake(), learningLead, func(d *Deps) { d.Advise = nil })
	if r := get(t, without, "/recommendations"); r.StatusCode != 404 || strings.Contains(body(t, get(t, without, "/training")), "before my next shift") {
		t.Errorf("without rules: %d", r.StatusCode)
	}
	for path, want := range map[string]int{"?own=true": 200, "": 400, "?own=1&team=x": 400, "?own=maybe": 400, "?team=a&team=b": 400, "?colour=red": 400} {
		if r := get(t, member, "/api/v1/recommendations"+path); r.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, want)
		}
	}
}

func TestDismissForm(t *testing.T) {
	var advise fakeAdvise
	s := boot(t, newFake(), func(d *Deps) {
		d.Gate = func(*http.Request) (access.Who, error) {
			return access.As(access.Identity{Name: "M"}, access.Membership{Person: "m"}, access.Viewer, access.Member), nil
		}
		advise = d.Advise.(fakeAdvise)
	})
	cookie := get(t, s, "/recommendations").Cookies()[0]
	post := func(csrf string) (*http.Response, string) {
		form := url.Values{"csrf": {csrf}, "recommendation": {"1"}, "reason": {" later "}}
		r := httptest.NewRequest(http.MethodPost, "http://steward.test/recommendations/dismiss", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		b, _ := io.ReadAll(w.Result().Body)
		return w.Result(), string(b)
	}
	if r, _ := post("guess"); r.StatusCode < 400 || len(*advise.acts) != 0 {
		t.Errorf("without the page's token: %d", r.StatusCode)
	}
	if r, _ := post(cookie.Value); r.StatusCode != 303 || r.Header.Get("Location") != "/recommendations?done=dismissed" || !slices.Equal(*advise.acts, []string{"|1|later"}) {
		t.Errorf("%d %v", r.StatusCode, *advise.acts)
	}
	*advise.err = &LearnError{"recommendation", "it is not suggested now"}
	if r, page := post(cookie.Value); r.StatusCode != 400 || !strings.Contains(page, "Recommendation: it is not suggested now.") || !strings.Contains(page, `name="csrf"`) {
		t.Errorf("%d", r.StatusCode)
	}
	*advise.err = &access.Denied{Reason: "no"}
	if r, _ := post(cookie.Value); r.StatusCode != 403 {
		t.Errorf("refused: %d", r.StatusCode)
	}
}

func TestWhatAnIncidentTook(t *testing.T) {
	tag := func(kind, skill, basis string) analytics.EventRow {
		return analytics.EventRow{Kind: kind, Data: `{"skill":"` + skill + `","basis":"` + basis + `"}`}
	}
	for _, c := range []struct {
		events []analytics.EventRow
		want   []string
	}{
		{nil, nil},
		{[]analytics.EventRow{tag("skill.tagged", "b", "rule"), tag("skill.tagged", "a", "responder"), tag("skill.tagged", "b", "responder")}, []string{"a", "b"}},
		{[]analytics.EventRow{tag("skill.tagged", "b", "rule"), tag("skill.tagged", "b", "responder"), tag("skill.untagged", "b", "rule")}, []string{"b"}},
		{[]analytics.EventRow{tag("skill.tagged", "b", "rule"), tag("skill.untagged", "b", "rule")}, nil},
		{[]analytics.EventRow{tag("skill.tagged", "b", "rule"), tag("skill.tagged", "b", "responder"), tag("skill.untagged", "b", "")}, nil},
		{[]analytics.EventRow{tag("skill.untagged", "b", ""), tag("skill.tagged", "b", "rule"), {Kind: "skill.tagged", Data: `{"skill":7}`}}, []string{"b"}},
	} {
		if got := tookSkills(c.events); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.events, got, c.want)
		}
	}
}
