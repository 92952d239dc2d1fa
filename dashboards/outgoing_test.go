package dashboards

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/xapi"
)

func TestRemindersPage(t *testing.T) {
	o := &out{channels: []string{"mail", "webhook:chat"}, states: []ChannelState{{Name: "mail", Sent: 3, Failed: 1, Waiting: 2, Last: testNow, Trouble: "answered 451"}}}
	own := boot(t, newFake(), learningLead, func(d *Deps) { d.Outgoing = o })
	got := text(t, body(t, get(t, own, "/training/reminders")))
	for _, w := range []string{"Your next reminder", "What will I be reminded of?", "your next shift begins", "They go out by mail and the webhook “chat”", "Switch reminders off", "Make an address", "What is open before my people’s next shifts?"} {
		if !strings.Contains(got, w) {
			t.Errorf("the page does not say %q in %s", w, got)
		}
	}
	if strings.Contains(got, "Do messages get out?") {
		t.Error("a lead reads how channels go")
	}
	operator := boot(t, newFake(), func(d *Deps) {
		d.Outgoing, d.Gate = o, func(*http.Request) (access.Who, error) { return access.Operator(), nil }
	})
	got = text(t, body(t, get(t, operator, "/training/reminders")))
	for _, w := range []string{"Reminders are for people", "Do messages get out?", "2 reminders are waiting", "answered 451"} {
		if !strings.Contains(got, w) {
			t.Errorf("an operator does not read %q", w)
		}
	}
	if strings.Contains(got, "Make an address") {
		t.Error("nobody in particular has a calendar")
	}
	empty := newFake()
	empty.empty = true
	none := boot(t, empty, func(d *Deps) {
		d.Outgoing = &out{}
		d.Gate = func(*http.Request) (access.Who, error) {
			return access.As(access.Identity{Person: "m"}, access.Membership{}, access.Viewer), nil
		}
	})
	got = text(t, body(t, get(t, none, "/training/reminders")))
	for _, w := range []string{"No reminder is planned", "neither mail nor chat nor a webhook is configured", "Nothing in the next four weeks"} {
		if !strings.Contains(got, w) {
			t.Errorf("an empty page does not say %q", w)
		}
	}
	if got := text(t, body(t, get(t, own, "/me?learn"))); !strings.Contains(got, "What will I be reminded of?") {
		t.Error("/me does not say what will come")
	}
}

func TestRemindersForms(t *testing.T) {
	o := &out{}
	s := boot(t, newFake(), learningLead, func(d *Deps) { d.Outgoing = o })
	r := get(t, s, "/training/reminders")
	if r.Header.Get("Content-Encoding") != "" || len(r.Cookies()) != 1 {
		t.Fatal("a page with a token is compressed, or has none")
	}
	cookie := r.Cookies()[0]
	post := func(path, csrf string, form url.Values) (*http.Response, string) {
		form.Set("csrf", csrf)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Result(), w.Body.String()
	}
	for _, c := range []struct {
		path, csrf, choice string
		code               int
		act                string
	}{
		{"/training/reminders", cookie.Value, "off", 303, "off"}, {"/training/reminders", cookie.Value, "on", 303, "on"}, {"/training/reminders", cookie.Value, "perhaps", 400, ""},
		{"/training/reminders", "other", "off", 403, ""}, {"/training/calendar", "other", "", 403, ""}, {"/training/calendar/revoke", "other", "", 403, ""},
		{"/training/calendar", cookie.Value, "", 200, "open"}, {"/training/calendar/revoke", cookie.Value, "", 303, "close"},
	} {
		o.acts = nil
		r, page := post(c.path, c.csrf, url.Values{"reminders": {c.choice}})
		if r.StatusCode != c.code || strings.Join(o.acts, " ") != c.act {
			t.Errorf("%s %s: %d, did %v", c.path, c.choice, r.StatusCode, o.acts)
		}
		if c.act == "open" && (!strings.Contains(page, "http://steward.test/calendar/secret.ics") || r.Header.Get("Cache-Control") != "no-store") {
			t.Error("the new address is not shown, or may be kept by others")
		}
	}
	o.acts = nil
	get(t, s, "/calendar/abc.ics")
	get(t, s, "/calendar/abc")
	if len(o.acts) != 2 || !strings.HasPrefix(o.acts[0], "calendar abc http://") || !strings.HasPrefix(o.acts[1], "calendar  http://") {
		t.Errorf("%q", o.acts)
	}
}

// Paging gives every statement once, whatever the size of a page, also when several became
// known at one moment and when more do between pages.
func TestStatementsInPages(t *testing.T) {
	o := &out{}
	for i := range 23 {
		e := xapi.Exported{Statement: xapi.Voiding(xapi.Account{HomePage: "https://a.example", Name: "s"}, fmt.Sprintf("2a41c918-b88b-4220-a0a5-%012d", i), testNow), Seen: testNow.Add(time.Duration(i/4) * time.Second)}
		e.Void = i == 5
		o.exported = append(o.exported, e)
	}
	s := boot(t, newFake(), func(d *Deps) { d.Outgoing = o })
	ask := func(path string) (ids []string, more string) {
		t.Helper()
		r := get(t, s, path)
		if r.StatusCode != 200 || r.Header.Get("X-Experience-API-Version") != "1.0.3" || r.Header.Get("X-Experience-API-Consistent-Through") == "" {
			t.Fatal(path, r.StatusCode, r.Header)
		}
		var a struct {
			Statements []struct{ ID, Stored string }
			More       string
		}
		if err := json.Unmarshal([]byte(body(t, r)), &a); err != nil {
			t.Fatal(err)
		}
		for _, x := range a.Statements {
			if _, err := time.Parse(time.RFC3339, x.Stored); err != nil {
				t.Error(err)
			}
			ids = append(ids, x.ID)
		}
		return ids, a.More
	}
	const api = "/api/v1/xapi/statements"
	all, more := ask(api + "?ascending=true")
	if len(all) != 22 || more != "" || slices.Contains(all, o.exported[5].ID) {
		t.Fatal(len(all), more)
	}
	back, _ := ask(api)
	slices.Reverse(back)
	if !slices.Equal(back, all) {
		t.Error("the other direction is another list")
	}
	for _, limit := range []int{1, 3, 11, 21, 22, 23} {
		var got []string
		for next := fmt.Sprintf("%s?ascending=true&limit=%d", api, limit); next != ""; {
			var ids []string
			if ids, next = ask(next); len(ids) > limit || len(got) > 40 {
				t.Fatal(len(ids), next)
			}
			got = append(got, ids...)
		}
		if !slices.Equal(got, all) {
			t.Errorf("by %d: %d statements", limit, len(got))
		}
	}
	since := testNow.Add(2 * time.Second).UTC().Format(time.RFC3339)
	if got, _ := ask(api + "?ascending=true&since=" + since); !slices.Equal(got, all[11:]) {
		t.Errorf("since: %d", len(got))
	}
	if got, _ := ask(api + "?ascending=true&until=" + since); !slices.Equal(got, all[:11]) {
		t.Errorf("until: %d", len(got))
	}
	for _, bad := range []string{"limit=-1", "limit=1001", "since=soon", "ascending=maybe", "after=%21", "verb=x", "limit=1&limit=2", "person=all&person=x"} {
		if r := get(t, s, api+"?"+bad); r.StatusCode != 400 {
			t.Errorf("%s: %d", bad, r.StatusCode)
		}
	}
}
