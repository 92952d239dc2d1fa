package dashboards

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/evidence"
)

func TestWhatItTook(t *testing.T) {
	shows := func(d *Deps) { d.Showing = &fakeShowing{} }
	s := boot(t, newFake(), shows)
	got := text(t, body(t, get(t, s, "/incidents/--sleep")))
	for _, want := range []string{"What did it take?", "Queues and streams", "by the rule " + hostile[0], ", responder", "taken back by " + hostile[0], "+ Incident command", "it did not", "A colleague showed something here", "counts 0.3"} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Index(got, "+ Incident command") > strings.Index(got, "+ On-call readiness") {
		t.Error("what is likely does not come first")
	}
	if strings.Contains(got, "+ Queues and streams") {
		t.Error("what was said is offered again")
	}
	for name, c := range map[string]*Server{"nobody is asked": boot(t, newFake(), func(d *Deps) { d.Showing = nil }), "nothing of it is theirs": boot(t, &fake{now: testNow, empty: true}, shows)} {
		r := get(t, c, "/incidents/--sleep")
		if page := body(t, r); strings.Contains(page, "What did it take?") {
			t.Errorf("%s: the form is there", name)
		}
	}
}

func TestWhatSomebodyCan(t *testing.T) {
	store := newFake()
	who := access.As(access.Identity{}, access.Membership{Person: "me@example.org"}, access.Viewer, access.Member)
	s := boot(t, store, func(d *Deps) {
		d.Showing = &fakeShowing{}
		d.Gate = func(*http.Request) (access.Who, error) { return who, nil }
	})
	page := body(t, get(t, s, "/me"))
	got := text(t, page)
	for _, want := range []string{"What can I do?", "Queues and streams", "resolved alone", "weight 1.00", "attested by a peer", "the word of " + hostile[4], "6 older", "this does not show it", "1 taken out", "No opportunity yet: On-call readiness", "That is not a gap", hostile[0]} {
		if !strings.Contains(got, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(got, "corrected silently") {
		t.Error("what the rules corrected themselves is there to read")
	}
	if !strings.Contains(page, `href="/drills/`) || !strings.Contains(page, `href="/training/`) || !strings.Contains(page, `href="/incidents/`) {
		t.Error("evidence does not lead to what it is about")
	}
	// On somebody's page it is a people admin's, and no lead's.
	for _, c := range []struct {
		role access.Role
		want bool
	}{{access.PeopleAdmin, true}, {access.Lead, false}} {
		who = access.As(access.Identity{}, access.Membership{Person: "l@example.org", Leads: hostile}, access.Viewer, access.Member, c.role)
		r := get(t, s, "/people/"+url.PathEscape(hostile[2]))
		if got := strings.Contains(body(t, r), "What can they do?"); got != c.want || r.StatusCode != 200 {
			t.Errorf("%s: %d, reads what somebody can do: %v", c.role, r.StatusCode, got)
		}
	}
}

func TestShowingForms(t *testing.T) {
	show := &fakeShowing{}
	s := boot(t, newFake(), func(d *Deps) { d.Showing = show })
	cookie := get(t, s, "/incidents/--sleep").Cookies()[0]
	post := func(path, csrf string, form url.Values) *http.Response {
		form.Set("csrf", csrf)
		r := httptest.NewRequest(http.MethodPost, "http://steward.test"+path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookie)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		return w.Result()
	}
	for _, f := range []struct {
		path, act, to string
		form          url.Values
	}{
		{"/incidents/a%2Fb/skills", "tag a/b datastore-ops", "/incidents/a%2Fb?done=tagged#took", url.Values{"tag": {"datastore-ops"}}},
		{"/incidents/i1/skills", "untag i1 datastore-ops it was DNS", "/incidents/i1?done=untagged#took", url.Values{"untag": {"datastore-ops"}, "reason": {" it was DNS "}}},
		{"/incidents/i1/skills", "attest i1 p datastore-ops saw it", "/incidents/i1?done=attested#took", url.Values{"person": {"p"}, "skill": {"datastore-ops"}, "note": {"saw it"}}},
		{"/me/skills", "void e1 not me", "/me?done=voided#can", url.Values{"evidence": {"e1"}, "reason": {"not me"}}},
		{"/people/p%40x/skills", "void e1 not me", "/people/p@x?done=voided#can", url.Values{"evidence": {"e1"}, "reason": {"not me"}}},
	} {
		show.acts, show.err = nil, nil
		if r := post(f.path, "guess", f.form); r.StatusCode < 400 || len(show.acts) != 0 {
			t.Errorf("%s without the page's token: %d, %v", f.path, r.StatusCode, show.acts)
		}
		r := post(f.path, cookie.Value, f.form)
		if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != f.to || fmt.Sprint(show.acts) != "["+f.act+"]" {
			t.Errorf("%s: %d to %s, %v", f.path, r.StatusCode, r.Header.Get("Location"), show.acts)
		}
		show.err = &LearnError{"reason", "missing"}
		if r := post(f.path, cookie.Value, f.form); r.StatusCode != http.StatusBadRequest || !strings.Contains(body(t, r), "eason: missing") {
			t.Errorf("%s refused: %d", f.path, r.StatusCode)
		}
	}
	if page := text(t, body(t, get(t, s, "/incidents/--sleep?done=attested"))); !strings.Contains(page, "They see it on their own page") {
		t.Error("what was done is not said")
	}
}

// What the next level wants, by hand.
func TestNextLevel(t *testing.T) {
	day := 0
	var rows []analytics.EvidenceRow
	say := func(level int, want string) {
		t.Helper()
		if got := nextLevel(level, rows, time.UTC); got != want {
			t.Errorf("level %d with %d pieces: %q, want %q", level, len(rows), got, want)
		}
	}
	show := func(kind, ref string) {
		rows = append(rows, analytics.EvidenceRow{Kind: kind, Ref: ref, At: testNow.AddDate(0, 0, -day)})
		day++
	}
	say(0, "a module completed and its quiz passed, or anything shown in an incident")
	show(evidence.Shadow, "i1")
	say(1, "two incidents worked on or shadowed (1 so far), or a drill passed")
	show(evidence.Solo, "i2")
	say(2, "1 more resolved alone on another day and 1.85 points; or 2 different drills")
	show(evidence.Drill, "d1")
	show(evidence.Drill, "d1")
	say(2, "1 more resolved alone on another day and 0.85 points; or 1 different drill")
	rows = rows[2:]
	show(evidence.Drill, "d2")
	say(2, "2 resolved alone on different days and 1.50 points; or one resolved alone")
	show(evidence.Taught, "s")
	say(3, "two teaching events, such as hosting a shadow (1 so far)")
	rows[len(rows)-1].Voided = testNow
	say(3, "two teaching events, such as hosting a shadow (0 so far)")
	say(4, "")
}
