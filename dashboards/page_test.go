package dashboards

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// text is what a reader reads of a page: every text node outside script.
func text(t *testing.T, page string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "noscript") {
			return
		}
		if n.Type == html.TextNode {
			out.WriteString(n.Data)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(doc)
	return out.String()
}

// Names that try to be code are there to be read, letter by letter.
func TestHostileNamesAreText(t *testing.T) {
	s := boot(t, newFake())
	for _, path := range []string{"/", "/teams", "/oncall", "/ownership", "/services", "/incidents"} {
		got := text(t, body(t, get(t, s, path)))
		for _, h := range hostile {
			if !strings.Contains(got, h) {
				t.Errorf("%s does not show %q", path, h)
			}
		}
	}
	for _, h := range hostile {
		for _, kind := range []string{"teams", "services", "incidents"} {
			r := get(t, s, at(kind, h))
			if got := text(t, body(t, r)); r.StatusCode != 200 || !strings.Contains(got, h) {
				t.Errorf("%s: status %d", at(kind, h), r.StatusCode)
			}
		}
	}
}

// go-echarts' pages turn what stands between its markers into functions. Here they must
// stay text, and a label cannot end the block it stands in.
func TestChartLabelsStayData(t *testing.T) {
	c := stacked("x", "label", hostile, nil, series{hostile[1], "--sleep", []float64{1, 2, 3}})
	if strings.ContainsAny(string(c.Options), "<>&") {
		t.Errorf("options can end their block: %s", c.Options)
	}
	var got struct {
		XAxis  []struct{ Data []string }
		Series []struct{ Name string }
	}
	if err := json.Unmarshal(c.Options, &got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.XAxis[0].Data, hostile) || got.Series[0].Name != hostile[1] {
		t.Errorf("labels changed: %v %v", got.XAxis[0].Data, got.Series[0].Name)
	}
}

// Which cards a page has follows from who asks; that answers are cut down too is the
// store's to see to, and tested with the real one.
func TestPersonsAreShownToTheirLead(t *testing.T) {
	const team = `=HYPERLINK("http://evil")`
	for name, c := range map[string]struct {
		who          access.Who
		all, ofTeams bool
	}{
		"viewer":           {access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer), false, false},
		"member":           {access.As(access.Identity{}, access.Membership{Person: "m", Teams: []string{team}}, access.Viewer, access.Member), false, false},
		"lead":             {access.As(access.Identity{}, access.Membership{Person: "l", Teams: []string{team}, Leads: []string{team}}, access.Viewer, access.Lead), false, true},
		"lead of others":   {access.As(access.Identity{}, access.Membership{Person: "l", Teams: []string{"x"}, Leads: []string{"x"}}, access.Viewer, access.Lead), false, false},
		"people admin":     {access.As(access.Identity{}, access.Membership{Person: "p"}, access.Viewer, access.PeopleAdmin), true, true},
		"admin":            {access.As(access.Identity{}, access.Membership{Person: "a"}, access.Viewer, access.Admin), false, false},
		"a laptop's owner": {access.Operator(), true, true},
	} {
		s := boot(t, newFake(), func(d *Deps) { d.Gate = func(*http.Request) (access.Who, error) { return c.who, nil } })
		for path, want := range map[string]bool{"/oncall": c.all, at("teams", team): c.ofTeams, "/oncall?team=" + url.QueryEscape(team): c.ofTeams} {
			page := body(t, get(t, s, path))
			shown := strings.Contains(page, "Load per person") || strings.Contains(page, "On-call load per person")
			if shown != want || !want && strings.Contains(page, "by=person") {
				t.Errorf("%s, %s: per-person table or a link to one shown: %v", name, path, shown)
			}
		}
	}
}

// An empty installation says what to do, on every page, and draws nothing.
func TestEmptyStatesSayWhatToDo(t *testing.T) {
	store := newFake()
	store.empty = true
	s := boot(t, store)
	for path, says := range map[string]string{
		"/": "/ingest/pagerduty", "/teams": "member.joined", "/oncall": "page.sent", "/ownership": "service.owned", "/services": "service.described", "/incidents": "the overview", "/quarantine": "Nothing",
	} {
		r := get(t, s, path)
		page := body(t, r)
		if r.StatusCode != 200 || !strings.Contains(text(t, page), says) {
			t.Errorf("%s: status %d, does not say %q", path, r.StatusCode, says)
		}
		if strings.Contains(page, "application/json") {
			t.Errorf("%s draws a chart of nothing", path)
		}
		if strings.Contains(page, "NaN") || strings.Contains(page, "Inf") {
			t.Errorf("%s divides by nothing", path)
		}
	}
}

// Every filter of the URL reaches the metrics that take it, and stays in the links.
func TestFiltersTravel(t *testing.T) {
	store := newFake()
	s := boot(t, store)
	page := body(t, get(t, s, "/ownership?from=2026-10-01&to=2026-11-01&tz=America/New_York&lens=owner_now&as_of=2026-11-15T00:00:00Z&team=x"))
	for _, want := range []string{"from=2026-10-01", "to=2026-11-01", "tz=America%2FNew_York", "as_of=2026-11-15T00%3A00%3A00Z"} {
		for _, asked := range store.asked {
			if !strings.Contains(asked, want) {
				t.Errorf("%s was asked without %s", asked, want)
			}
		}
		if !strings.Contains(page, strings.ReplaceAll(want, "&", "&amp;")) {
			t.Errorf("links lost %s", want)
		}
	}
	if !slices.ContainsFunc(store.asked, func(a string) bool {
		return strings.HasPrefix(a, "ownership_quadrant") && strings.Contains(a, "lens=owner_now") && strings.Contains(a, "team=x")
	}) {
		t.Error("lens and team were lost", store.asked)
	}
}

// A window of weeks begins on a Monday midnight of the zone, over changes of the clock.
func TestWindows(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ now, window, from string }{
		{"2026-11-22T14:30:00Z", "", "2026-08-24"},   // a Sunday
		{"2026-11-22T23:30:00Z", "", "2026-08-31"},   // a Monday already in Berlin
		{"2026-11-22T14:30:00Z", "1w", "2026-11-16"}, //
		{"2026-11-22T14:30:00Z", "1d", "2026-11-22"},
		{"2026-03-30T00:30:00Z", "2w", "2026-03-23"}, // the clock changed on the 29th
		{"2026-11-22T14:30:00Z", "9999w", "1990-01-01"},
		{"2026-11-15T23:00:00Z", "2w", "2026-11-02"}, // midnight of Monday the 16th in Berlin, of which nothing is in the window
	} {
		now, err := time.Parse(time.RFC3339, c.now)
		if err != nil {
			t.Fatal(err)
		}
		store := newFake()
		s := boot(t, store, func(d *Deps) { d.Zone, d.Now = berlin, func() time.Time { return now } })
		get(t, s, "/incidents?window="+c.window)
		if len(store.asked) == 0 || !strings.Contains(store.asked[0], "from="+c.from) {
			t.Errorf("%s of %s: asked %v, want from=%s", c.window, c.now, store.asked, c.from)
		}
	}
}

func TestWrongFiltersAreSaidOnce(t *testing.T) {
	s := boot(t, newFake())
	for _, q := range []string{"window=soon", "from=never", "tz=Mars%2FOlympus", "lens=mirror", "from=2026-11-01&to=2026-10-01", "tz=Local"} {
		r := get(t, s, "/?"+q)
		page := body(t, r)
		name, _, _ := strings.Cut(q, "=")
		if r.StatusCode != 400 || !strings.Contains(text(t, page), "A filter cannot be used") || !strings.Contains(text(t, page), name+": ") {
			t.Errorf("%s: status %d", q, r.StatusCode)
		}
		if n := strings.Count(page, `role="alert"`); n != 1 {
			t.Errorf("%s: said %d times", q, n)
		}
	}
}

// A re-drive needs the token of the page, from this site.
func TestRedriveNeedsTheToken(t *testing.T) {
	store := newFake()
	s := boot(t, store, func(d *Deps) { d.Insecure = false })
	page := get(t, s, "/quarantine/0a1b2c")
	var cookie *http.Cookie
	for _, c := range page.Cookies() {
		cookie = c
	}
	if cookie == nil || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode {
		t.Fatalf("cookie %v", cookie)
	}
	if !strings.Contains(body(t, page), cookie.Value) {
		t.Fatal("the form has no token")
	}
	post := func(token string, with bool, site string) int {
		r := httptest.NewRequest(http.MethodPost, "http://steward.test/quarantine/0a1b2c/redrive", strings.NewReader(url.Values{"csrf": {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if with {
			r.AddCookie(cookie)
		}
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Code
	}
	for _, c := range []struct {
		token string
		with  bool
		site  string
		ok    bool
	}{{"", true, "", false}, {"guess", true, "", false}, {cookie.Value, false, "", false}, {cookie.Value, true, "cross-site", false}, {cookie.Value, true, "", true}} {
		before := len(store.redrive)
		code := post(c.token, c.with, c.site)
		if done := len(store.redrive) > before; done != c.ok || (code == 303) != c.ok {
			t.Errorf("token %q, cookie %v, site %q: status %d, re-driven %v", c.token, c.with, c.site, code, done)
		}
	}
}

// Bytes that still cannot be read are an outcome to show; a re-drive that could not be
// tried is an error.
func TestRedriveOutcomes(t *testing.T) {
	for _, tried := range []bool{true, false} {
		store := newFake()
		store.refuse, store.tried = http.ErrHandlerTimeout, tried
		s := boot(t, store)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test/quarantine/0a1b2c/redrive", nil)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if (w.Code == 303) != tried || (w.Code == 500) == tried {
			t.Errorf("written down %v: status %d", tried, w.Code)
		}
		if tried && !strings.Contains(text(t, body(t, get(t, s, w.Header().Get("Location")))), "still not readable") {
			t.Error("the outcome is not shown")
		}
	}
}

func TestSafeLink(t *testing.T) {
	for in, want := range map[string]string{
		"https://wiki.example.org/runbook?x=1": "https://wiki.example.org/runbook?x=1", "javascript:alert(1)": "", "JaVaScRiPt:alert(1)": "", "//evil.example.org": "", "data:text/html,x": "", " https://x": "", "": "", "https:evil": "",
	} {
		if got := safeLink(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[float64]string{0: "0 s", 42.4: "42 s", 59.6: "1 min", 378: "6.3 min", 3600: "1 h", 8640: "2.4 h", 267840: "3.1 d"} {
		if got := duration(in); got != want {
			t.Errorf("%v s became %q, want %q", in, got, want)
		}
	}
	if got := count(1234567); got != "1,234,567" {
		t.Error(got)
	}
	if _, ok := share(4, 9); ok {
		t.Error("a percentage of nine")
	}
	// 61 of 98: Wilson's interval, computed by hand.
	if low, high := wilson(61, 98); low < 52.3 || low > 52.5 || high < 71.1 || high > 71.3 {
		t.Errorf("%.3f to %.3f", low, high)
	}
	if g := gini([]float64{1, 1, 1, 1}); g != 0 {
		t.Error(g)
	}
	if g := gini([]float64{0, 0, 0, 8}); g != 0.75 {
		t.Error(g)
	}
}

// A question of one page that fails takes its card along and nothing else.
func TestOneFailureIsOneCard(t *testing.T) {
	store := &half{fake: newFake()}
	s := boot(t, store.fake, func(d *Deps) { d.Store = store })
	r := get(t, s, "/")
	page := text(t, body(t, r))
	if r.StatusCode != 200 || !strings.Contains(page, "oncall_hours: ") || !strings.Contains(page, "How is each team?") || strings.Count(page, "could not be answered") != 1 {
		t.Errorf("status %d: %d failures shown", r.StatusCode, strings.Count(page, "could not be answered"))
	}
}

type half struct{ *fake }

func (h *half) For(access.Who, string) Reading { return h }

func (h *half) Query(ctx context.Context, name string, v url.Values) (*analytics.Answer, error) {
	if name == "oncall_hours" {
		return nil, http.ErrHandlerTimeout
	}
	return h.fake.Query(ctx, name, v)
}

func (h *half) QueryEach(ctx context.Context, name string, v url.Values, splits ...analytics.Split) ([]*analytics.Answer, error) {
	return each(ctx, h.Query, name, v, splits)
}
