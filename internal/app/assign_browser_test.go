package app

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/chromium"
	"github.com/stewardhq/steward/training"
)

// hand is somebody at a browser.
type hand struct {
	l   *learners
	tab context.Context
	axe string
}

func (h *hand) as(person string) {
	h.l.t.Helper()
	if _, err := chromedp.Call(h.tab, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{dashboards.ViewAsHeader: "person:" + person}}); err != nil {
		h.l.t.Fatal(err)
	}
}

func (h *hand) opens(path string) {
	h.l.t.Helper()
	if err := chromedp.Do(h.tab, chromedp.Navigate(h.l.a.URL()+path)); err != nil {
		h.l.t.Fatal(err)
	}
}

func (h *hand) does(script string) {
	h.l.t.Helper()
	if _, err := chromedp.Run(h.tab, chromedp.Evaluate[bool](script+";true")); err != nil {
		h.l.t.Fatalf("%s: %v", script, err)
	}
}

// waits until the page says something; then axe-core looks at it.
func (h *hand) waits(path, says string) {
	h.l.t.Helper()
	var at, text string
	for range 400 {
		var err error
		if at, err = chromedp.Run(h.tab, chromedp.Evaluate[string](`location.pathname + location.search`)); err == nil {
			text, err = chromedp.Run(h.tab, chromedp.Evaluate[string](`document.readyState == 'complete' && document.body ? document.body.innerText : ''`))
		}
		if err == nil && strings.HasPrefix(at, path) && strings.Contains(text, says) {
			if h.axe != "" {
				chromium.Axe(h.l.t, h.tab, h.axe)
			}
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.l.t.Fatalf("the browser is at %s, which says %.1500q; want %s and %q", at, text, path, says)
}

// A lead comes from an incident, assigns what it would have taken to two people until a day, in
// two clicks and a form that is filled in; a member reads, fails, tries again and passes; the
// lead's list follows.
func TestAssigningByHand(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	l := newLearners(t, func(c *Config) { c.Access, c.TrustedProxies, c.Dev = nil, nil, true })
	lead, abe, amy := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2]
	l.tell(event.SkillTagged, "inc-alpha-0-0", l.now().Add(-time.Hour), map[string]any{"incident": "inc-alpha-0-0", "skill": "service-ownership", "basis": "reviewer", "by": lead})
	h := &hand{l, chromium.Tab(t, 4*time.Minute), chromium.AxeScript(t)}
	if err := chromedp.Do(h.tab, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	w := chromium.Watch(t, h.tab, strings.TrimPrefix(l.a.URL(), "http://"))

	h.as(lead)
	h.opens("/incidents/inc-alpha-0-0")
	h.does(`[...document.querySelectorAll('a')].find(a => a.textContent == 'assign training').click()`)
	h.waits("/training/assign?", "Who should learn what?")
	// The second link of a gap, with people and modules in it, is the same form.
	h.opens("/training/assign?" + url.Values{"module": {"PG1"}, "team": {"alpha"}, "cites": {"inc-alpha-0-0"}, "reason": {"the next night shift"}, "for": {"person:" + abe}}.Encode())
	h.waits("/training/assign?", "1 module")
	h.does(`document.querySelector('input[value="person:` + amy + `"]').click(); document.querySelector('input[name=due]').value = '2026-07-01'; document.querySelector('form.giving button:not([name])').click()`)
	h.waits("/assignments?done=assigned", "Assigned.")
	h.waits("/assignments?done=assigned", "2 assignments are to do by 2 people")
	h.waits("/assignments", "the next night shift")
	l.later(time.Minute)

	m, _ := l.a.curriculum.Module("PG1")
	answer := func(number int, right bool) {
		t.Helper()
		h.waits("/training/PG1", "Quiz, attempt "+string(rune('0'+number)))
		assignment, err := chromedp.Run(h.tab, chromedp.Evaluate[string](`document.querySelector('form.quiz input[name=assignment]').value`))
		if err != nil {
			t.Fatal(err)
		}
		a := training.Attempt{Assignment: assignment, Person: abe, Module: "PG1", Number: number}
		for i, q := range a.Shown(m) {
			for place, o := range q.Options {
				if o.Right == right {
					h.does(`document.querySelector('form.quiz input[name=q` + string(rune('0'+i)) + `][value="` + string(rune('0'+place)) + `"]').click()`)
				}
			}
		}
		h.does(`document.querySelector('form.quiz button').click()`)
	}
	h.as(abe)
	h.opens("/me")
	h.waits("/me", "the next night shift")
	h.opens("/training/PG1")
	h.waits("/training/PG1", "Purpose")
	h.does(`document.querySelector('form[action$="/start"] button').click()`)
	h.waits("/training/PG1?done=started", "Started.")
	answer(1, false)
	h.waits("/training/PG1/quiz", "not passed")
	l.later(time.Minute)
	answer(2, true)
	h.waits("/training/PG1/quiz", "right: passed.")
	h.waits("/training/PG1/quiz", "A link to it, or what it says")

	h.as(lead)
	h.opens("/assignments?team=alpha")
	h.waits("/assignments?team=alpha", "quiz passed")
	h.does(`const f = [...document.querySelectorAll('form[action$="/waive"]')].find(f => f.querySelector('input[name=person]').value == '` + amy + `'); f.querySelector('select').value = 'tested-out'; f.querySelector('button').click()`)
	h.waits("/assignments?done=waived&team=alpha", "Waived.")
	h.waits("/assignments", "1 assignment is to do")
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
	if w.Requests() < 20 {
		t.Errorf("%d requests prove little", w.Requests())
	}
}
