package dashboards

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// asLead is a gate that lets in the fake's player as lead of its first team.
func asLead(d *Deps) {
	d.Gate = func(*http.Request) (access.Who, error) {
		return access.As(access.Identity{Person: "player", Name: "Player"}, access.Membership{Person: "player", Teams: hostile[:1], Leads: hostile[:1]}, access.Viewer, access.Member, access.Lead), nil
	}
	d.ViewAs = false
}

func TestBookingByForms(t *testing.T) {
	store := newFake()
	s := boot(t, store, asLead)
	h := hand{t, s}
	last := func() string { return store.asked[len(store.asked)-1] }
	page := body(t, get(t, s, "/drills?skill=third-party-failure&team="+url.QueryEscape(hostile[0])+"&reason=no+one&cites=i1"))
	plain := text(t, page)
	for _, want := range []string{"What is booked for me?", "its time has passed", "What is booked in my teams?", "played by 1 of 3", "played: ", "before " + hostile[0], "needed help"} {
		if !strings.Contains(plain, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	// What was asked for by a link is filled in, and the drill of that skill is the first.
	for _, want := range []string{`value="no one"`, `value="i1"`, `value="2026-11-24T14:00"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the form does not hold %s", want)
		}
	}
	_, form, _ := strings.Cut(page, `<select name="drill">`)
	if first, _, _ := strings.Cut(form, "</option>"); !strings.Contains(first, "the-padlock-at-midnight") {
		t.Errorf("the first drill offered is %s", first)
	}
	if a, b := strings.Index(page, `id="book"`), strings.Index(page, `id="ready"`); a < 0 || a > b {
		t.Error("a form that was asked for is not the first thing")
	}
	if n := strings.Count(page, " checked"); n != 1 {
		t.Errorf("%d boxes are ticked, want the team's", n)
	}
	r, _ := h.post("/drills", url.Values{"drill": {"lag-that-does-not-drain"}, "for": {"person:player", "team:" + hostile[0]}, "starts": {"2026-11-30T14:00"}, "reason": {" why "}, "cites": {"i1, i2"}})
	if r.StatusCode != 303 || r.Header.Get("Location") != "/drills?done=booked" || last() != "book lag-that-does-not-drain [player] ["+hostile[0]+"] 2026-11-30T14:00 why [i1 i2]" {
		t.Errorf("booked: %d %s %s", r.StatusCode, r.Header.Get("Location"), last())
	}
	if r, again := h.post("/drills", url.Values{"for": {"everybody"}}); r.StatusCode != 400 || !strings.Contains(text(t, again), "For: a person or a team is wanted.") {
		t.Errorf("for nobody: %d", r.StatusCode)
	}
	store.refuse = &LearnError{"starts", "is in the past"}
	r, again := h.post("/drills", url.Values{"drill": {"evil"}, "for": {"person:player"}, "starts": {"2020-01-01T14:00"}, "reason": {"kept"}})
	if r.StatusCode != 400 || !strings.Contains(text(t, again), "Time: is in the past.") || !strings.Contains(again, `aria-invalid="true"`) || !strings.Contains(again, `value="kept"`) || !strings.Contains(again, `value="2020-01-01T14:00"`) {
		t.Errorf("refused: %d", r.StatusCode)
	}
	store.refuse = nil
	for _, c := range []struct {
		form      url.Values
		did, done string
	}{
		{url.Values{"action": {"move"}, "starts": {"2026-12-01T09:00"}}, "move " + hostile[6] + " 2026-12-01T09:00", "moved"},
		{url.Values{"action": {"cancel"}}, "cancel " + hostile[6], "cancelled"},
	} {
		if r, _ := h.post(at("bookings", hostile[6]), c.form); r.Header.Get("Location") != "/drills?done="+c.done || last() != c.did {
			t.Errorf("%v: %d %s", c.form, r.StatusCode, last())
		}
	}
	if r, _ := h.post("/bookings/b1", url.Values{"action": {"burn"}}); r.StatusCode != 400 {
		t.Errorf("an act that there is not: %d", r.StatusCode)
	}
	for path, want := range map[string]int{"/drills?skill=flying": 200, "/drills?team=none": 200, "/drills?done=booked": 200, "/drills/evil": 200} {
		if r := get(t, s, path); r.StatusCode != want {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if got := text(t, body(t, get(t, s, "/drills?skill=flying"))); !strings.Contains(got, "skill: is not known") {
		t.Error("a skill that nobody knows is not said to be unknown")
	}
	// A member books for themselves alone; who is nobody books for nobody.
	if got := body(t, get(t, boot(t, newFake(), asPlayer), "/drills")); !strings.Contains(got, `type="hidden" name="for" value="person:player"`) || strings.Contains(got, "What is booked in my teams?") {
		t.Error("a member's form is not their own")
	}
	viewer := boot(t, newFake(), func(d *Deps) {
		d.Gate = func(*http.Request) (access.Who, error) {
			return access.As(access.Identity{Name: "v"}, access.Membership{}, access.Viewer), nil
		}
	})
	if got := body(t, get(t, viewer, "/drills")); strings.Contains(got, `id="book"`) || strings.Contains(got, `id="mine"`) {
		t.Error("a viewer can book")
	}
	if got := text(t, body(t, get(t, s, "/me"))); !strings.Contains(got, "Which drills are booked for me?") || !strings.Contains(got, "which has passed") {
		t.Error("one's own page does not say what is booked")
	}
}

func TestSharingByForms(t *testing.T) {
	store := newFake()
	s := boot(t, store, asLead)
	h := hand{t, s}
	page := text(t, body(t, get(t, s, "/drills/evil/over")))
	for _, want := range []string{"Who can read this?", "at the moment of reading", "Withdraw it from", "What I did"} {
		if !strings.Contains(page, want) {
			t.Errorf("one's own debrief does not say %q", want)
		}
	}
	for _, on := range []string{"true", "false"} {
		r, _ := h.post("/drills/evil/over/share", url.Values{"team": {"pay"}, "shared": {on}})
		done := map[string]string{"true": "shared", "false": "withdrawn"}[on]
		if want := "share over pay " + on; store.asked[len(store.asked)-1] != want || r.Header.Get("Location") != "/drills/evil/over?done="+done+"#readers" {
			t.Errorf("%d %s", r.StatusCode, r.Header.Get("Location"))
		}
	}
	if r, _ := h.post("/drills/evil/over/share", url.Values{"team": {"pay"}, "shared": {"perhaps"}}); r.StatusCode != 400 {
		t.Errorf("perhaps shared: %d", r.StatusCode)
	}
	store.refuse = &LearnError{"attempt", "it is not finished"}
	if r, again := h.post("/drills/evil/going/share", url.Values{"team": {"pay"}, "shared": {"true"}}); r.StatusCode != 400 || !strings.Contains(text(t, again), "not finished") {
		t.Errorf("in play: %d", r.StatusCode)
	}
	// The fake's asker has finished that drill, so a colleague's debrief is open at once, with no form.
	theirs := body(t, get(t, s, "/drills/evil/shared"))
	if got := text(t, theirs); !strings.Contains(got, "who lets you read it") || strings.Contains(got, "Who can read this?") || strings.Contains(got, "What I did") {
		t.Error("a colleague's debrief reads as one's own")
	}
	if code := get(t, s, "/drills/evil/shared/table").StatusCode; code != 404 {
		t.Errorf("the table of a colleague's attempt: %d", code)
	}
	if r, _ := h.post("/drills/evil/shared", url.Values{"action": {"update"}}); r.StatusCode != 404 {
		t.Errorf("acting in a colleague's attempt: %d", r.StatusCode)
	}
	if got := text(t, body(t, get(t, s, "/drills"))); !strings.Contains(got, "What is shared with my teams?") || !strings.Contains(got, "play the drill first") {
		t.Error("what is shared does not stand on the list")
	}
}

// Who could still play a drill without knowing its answers is asked before they are shown.
func TestADebriefGivesTheAnswersAway(t *testing.T) {
	member := access.As(access.Identity{Person: "m"}, access.Membership{Person: "m", Teams: []string{"a"}}, access.Viewer, access.Member)
	a := &analytics.Attempt{ID: "x", Person: "p", Drill: drill.Drill{ID: "d"}}
	row := func(id string, over bool) analytics.AttemptRow {
		r := analytics.AttemptRow{ID: "y", Drill: id}
		if over {
			r.Finished = testNow
		}
		return r
	}
	for _, c := range []struct {
		who  access.Who
		own  []analytics.AttemptRow
		want bool
	}{{member, nil, true}, {member, []analytics.AttemptRow{row("d", false), row("e", true)}, true}, {member, []analytics.AttemptRow{row("d", true)}, false}, {access.Operator(), nil, false}} {
		if got := spoils(c.who, a, c.own); got != c.want {
			t.Errorf("%s with %v: %v", c.who.Label(), c.own, got)
		}
	}
}

// Rows of the debrief: what was done stands beside the moment of the real case it followed.
func TestSidesOfADebrief(t *testing.T) {
	at := func(s int64, what string) drill.Moment { return drill.Moment{Offset: s, What: what} }
	d := drill.Debrief{Real: []drill.Moment{at(-60, "a"), at(0, "b"), at(120, "c"), at(120, "d"), at(600, "e")},
		Yours: []drill.Moment{at(0, "1"), at(119, "2"), at(120, "3"), at(700, "4")}}
	var got []string
	for _, r := range sides(d) {
		line := r.Clock + ":"
		for _, m := range r.Yours {
			line += " " + m.Clock + m.What
		}
		line += " |"
		for _, m := range r.Real {
			line += " " + m.Clock + m.What
		}
		got = append(got, line)
	}
	if want := "−1:00: | a; 0:00: 1 1:592 | b; 2:00: 3 | c d; 10:00: 11:404 | e"; strings.Join(got, "; ") != want {
		t.Errorf("%s, want %s", strings.Join(got, "; "), want)
	}
	if v := tracks(d, 600); len(v.Real) != 4 || len(v.Yours) != 4 || v.Yours[3].X != 980 || v.Ticks[len(v.Ticks)-1].Text != "10:00" {
		t.Errorf("%+v", v)
	}
	if got := sides(drill.Debrief{Yours: []drill.Moment{at(5, "x")}}); len(got) != 1 || len(got[0].Yours) != 1 {
		t.Errorf("without a real case: %+v", got)
	}
}

// What to play next is ordered by what was asked for, what is booked, and need, and says so.
func TestWhatToPlayNext(t *testing.T) {
	d := func(id string, skills ...string) analytics.Drill {
		return analytics.Drill{Drill: drill.Drill{ID: id, Title: id, Skills: skills, Cards: []drill.Card{{Kind: "incident.opened", Service: id}}}, Published: testNow}
	}
	large, small, other := 8.0, 4.0, 16.0
	gaps := []analytics.GapRow{{Team: "t", Skill: "q", Gap: &large}, {Team: "t", Skill: "w", Gap: &small}, {Team: "t", Skill: "n"}, {Team: "another", Skill: "w", Gap: &other}}
	x := &played{all: []analytics.Drill{d("a"), d("b", "w"), d("c", "n", "q"), d("d", "z"), d("e"), d("ours")}, gaps: gaps, gapsFrom: []string{"t"},
		own:  []analytics.AttemptRow{{Drill: "d", Finished: testNow, Score: 90}, {Drill: "c", Finished: testNow, Score: 20}},
		mine: []analytics.BookingRow{{Drill: "e", Starts: testNow.Add(time.Hour)}}}
	n := newNames(&analytics.Directory{Teams: []analytics.Team{{ID: "t", Name: "Team"}}, Services: []analytics.Service{{ID: "ours", Owner: "t"}}})
	f := &filter{zone: time.UTC}
	list := func(skill string) string {
		var out []string
		for _, r := range x.rank(f, n, skill) {
			out = append(out, r.ID)
		}
		return strings.Join(out, " ")
	}
	if got := list(""); got != "e b c ours a d" {
		t.Errorf("by need: %s", got)
	}
	if got := list("z"); got != "d e b c ours a" {
		t.Errorf("by skill: %s", got)
	}
	why := map[string]string{}
	for _, r := range x.rank(f, n, "") {
		why[r.ID] = r.why
	}
	for id, want := range map[string]string{"e": "booked for", "c": "q, the largest gap of Team (8)", "b": "w, a gap of Team (4); not played yet", "ours": "an incident of Team; not played yet", "d": "passed", "a": "not played yet"} {
		if !strings.Contains(why[id], want) {
			t.Errorf("%s stands there because of %q, want %q", id, why[id], want)
		}
	}
}
