package dashboards

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/chromium"
)

// asPlayer is a gate that lets in the one person of the fake's attempts.
func asPlayer(d *Deps) {
	d.Gate = func(*http.Request) (access.Who, error) {
		return access.As(access.Identity{Person: "player", Name: "Player"}, access.Membership{Person: "player"}, access.Viewer, access.Member), nil
	}
	d.ViewAs = false
}

// hand posts forms as a browser does, with the page's token and its cookie.
type hand struct {
	t *testing.T
	s *Server
}

func (h hand) post(path string, form url.Values) (*http.Response, string) {
	h.t.Helper()
	cookies := get(h.t, h.s, "/drills/evil").Cookies()
	if len(cookies) == 0 {
		h.t.Fatal("no cookie of the form's token")
	}
	form.Set("csrf", cookies[0].Value)
	r := httptest.NewRequest(http.MethodPost, "http://steward.test"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(cookies[0])
	w := httptest.NewRecorder()
	h.s.Handler().ServeHTTP(w, r)
	return w.Result(), body(h.t, w.Result())
}

// A drill is played to its debrief by forms alone.
func TestDrillByForms(t *testing.T) {
	s := boot(t, newFake(), asPlayer)
	h := hand{t, s}
	const drill = "/drills/lag-that-does-not-drain"
	if got := text(t, body(t, get(t, s, "/drills"))); !strings.Contains(got, "Confirmation mails stop on a Saturday") || strings.Contains(got, "one message, not too little capacity") {
		t.Error("the list does not name the drill, or gives it away")
	}
	r, _ := h.post(drill, url.Values{})
	play := r.Header.Get("Location")
	if r.StatusCode != 303 || play != drill+"/played0" {
		t.Fatalf("started: %d %s", r.StatusCode, play)
	}
	act := func(action, extra string) (int, string, string) {
		t.Helper()
		r, page := h.post(play, url.Values{"action": {action}, "text": {extra}})
		return r.StatusCode, r.Header.Get("Location"), page
	}
	first := text(t, body(t, get(t, s, play)))
	if !strings.Contains(first, "The incident was opened on mail-sender") || strings.Contains(first, "was paged by push") {
		t.Error("the first table is not what had come at the opening")
	}
	for _, hidden := range []string{"skip to the end of the queue", "order-events-2", "misleads"} {
		if strings.Contains(first, hidden) {
			t.Errorf("a page in play says %q", hidden)
		}
	}
	for _, c := range []struct{ action, extra, place string }{
		{"look", "mail-sender", "#done"}, {"open:opened-0", "", "#card-opened-0"}, {"wait", "", "#clock"}, {"declare", "SEV3", "#done"}, {"page", "team:messaging", "#done"},
		{"update", "looking into it", "#done"}, {"update", "", "#done"}, {"hypothesis", "a poison message", "#done"}, {"speed", "20", "#clock"}, {"pause", "", "#clock"}, {"resume", "", "#clock"},
	} {
		if code, to, page := act(c.action, c.extra); code != 303 || to != play+c.place {
			t.Errorf("%s: %d %s: %.300s", c.action, code, to, text(t, page))
		}
	}
	if got := text(t, body(t, get(t, s, play))); !strings.Contains(got, "was paged by push") || !strings.Contains(got, "looking into it") || !strings.Contains(got, "queue-lag") {
		t.Errorf("the table after waiting and opening: %s", got)
	}
	for _, c := range []struct{ action, extra, says string }{
		{"open:note-840", "", "not on the table"}, {"look", "nowhere", "no service"}, {"decide:d1:z", "", "is not put"}, {"fly", "", "not known"}, {"speed", "7", "must be one of"}, {"", "", "not known"},
	} {
		if code, _, page := act(c.action, c.extra); code != 400 || !strings.Contains(text(t, page), c.says) {
			t.Errorf("%s %s: %d, does not say %q", c.action, c.extra, code, c.says)
		}
	}
	json := body(t, get(t, s, play+"/table"))
	if !strings.Contains(json, `"speed":20`) || strings.Contains(json, "note-840") || strings.Contains(json, "decisive") || strings.Contains(json, `"value":3`) {
		t.Errorf("the table as JSON: %s", json)
	}
	if code, to, _ := act("finish", ""); code != 303 || to != play {
		t.Errorf("finish: %d %s", code, to)
	}
	end := text(t, body(t, get(t, s, play)))
	for _, want := range []string{"of 100 points", "What I did", "What happened in the real case", "right service first", "There is no group to compare with", "one message, not too little capacity"} {
		if !strings.Contains(end, want) {
			t.Errorf("the debrief does not say %q", want)
		}
	}
	if code, _, page := act("update", ""); code != 400 || !strings.Contains(text(t, page), "finished") {
		t.Errorf("after the end: %d", code)
	}
	if code := get(t, s, "/drills/the-padlock-at-midnight/played0").StatusCode; code != 404 {
		t.Errorf("the attempt under another drill: %d", code)
	}
	if r, _ := (hand{t, s}).post("/drills/unheard-of", url.Values{}); r.StatusCode != 404 {
		t.Errorf("no such drill: %d", r.StatusCode)
	}
	bare := httptest.NewRequest(http.MethodPost, "http://steward.test"+play, strings.NewReader("action=update"))
	bare.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, bare)
	if w.Code < 400 {
		t.Errorf("without the form's token: %d", w.Code)
	}
	// The holder of the directory reads an attempt and has no forms in it.
	if got := body(t, get(t, boot(t, newFake()), "/drills/evil/going")); strings.Contains(got, `value="pause"`) || !strings.Contains(got, "Only whose attempt it is") {
		t.Error("the operator can act in somebody's attempt")
	}
}

// The pages of a drill as its player has them, by axe, in light, dark and on a phone.
func TestDrillPagesInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	server := httptest.NewServer(boot(t, newFake(), asLead).Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	sweep(t, tab, w, server.URL, "", []string{"/drills", "/drills/evil", "/drills/evil/going", "/drills/evil/over", "/drills/evil/shared", "/drills?skill=queue-stream-ops", "/drills/the-padlock-at-midnight", at("incidents", hostile[0]) + "/drill"})
}

// Somebody with a keyboard and nothing else plays a drill to its debrief.
func TestDrillByKeyboard(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	server := httptest.NewServer(boot(t, newFake(), asPlayer).Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	k := keyboard{t, tab}
	must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+"/drills")))
	k.press("Confirmation mails stop on a Saturday")
	k.until("What are you getting into?")
	k.press("Start the clock")
	k.until("What has come in?")
	k.press("Open: The incident was opened on mail-sender")
	k.until("queue-lag")
	for range 30 { // every card and question comes by waiting
		if !k.has("Next evidence") {
			break
		}
		before := k.text("#wait")
		k.press("Next evidence")
		k.untilScript(fmt.Sprintf(`document.readyState === 'complete' && (document.querySelector('#wait') || {}).innerText !== %q`, before))
	}
	k.until("Nothing more is to come.")
	k.press("Look at it")
	k.until("looked at ")
	// Radio buttons are chosen with an arrow or space, and sent with Enter.
	k.focus(`input[type=radio]`)
	k.key(" ")
	k.key("\r")
	k.until("decided")
	k.focus(`textarea`)
	must(t, chromedp.Do(tab, chromedp.KeyEvent("one partition does not drain")))
	k.press("Give an update")
	k.until("gave an update: one partition does not drain")
	k.press("Finish and debrief")
	k.until("What happened in the real case")
	k.until("of 100 points")
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
}

// keyboard moves by Tab alone, as far as a page goes.
type keyboard struct {
	t   *testing.T
	tab context.Context
}

func (k keyboard) eval(script string) string {
	k.t.Helper()
	out, err := chromedp.Run(k.tab, chromedp.Evaluate[string](script))
	must(k.t, err)
	return out
}

func (k keyboard) key(keys string) {
	k.t.Helper()
	must(k.t, chromedp.Do(k.tab, chromedp.KeyEvent(keys)))
}

func (k keyboard) text(selector string) string {
	return k.eval(fmt.Sprintf(`(document.querySelector(%q) || {}).innerText || ''`, selector))
}

func (k keyboard) has(words string) bool { return strings.Contains(k.text("main"), words) }

func (k keyboard) until(words string) {
	k.t.Helper()
	k.untilScript(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector('main').innerText.includes(%q)`, words))
}

func (k keyboard) untilScript(script string) {
	k.t.Helper()
	for range 100 {
		if k.eval("String("+script+")") == "true" {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	if dir := os.Getenv("STEWARD_SCREENSHOTS"); dir != "" {
		shoot(k.t, k.tab, "keyboard", "stuck")
	}
	k.t.Fatalf("never came: %s; the page says %.1500s", script, k.text("main"))
}

// tabTo presses Tab until the focused element fits.
func (k keyboard) tabTo(fits string) {
	k.t.Helper()
	for range 250 {
		k.key("\t")
		if k.eval(`String((() => { const e = document.activeElement; return `+fits+`; })())`) == "true" {
			return
		}
	}
	k.t.Fatalf("Tab never came to %s", fits)
}

func (k keyboard) focus(selector string) {
	k.t.Helper()
	k.tabTo(fmt.Sprintf(`e.matches(%q)`, selector))
}

// press tabs to a button or link of these words and presses Enter.
func (k keyboard) press(words string) {
	k.t.Helper()
	k.tabTo(fmt.Sprintf(`e.matches('a,button') && e.textContent.trim().startsWith(%q)`, words))
	k.key("\r")
}

// Evidence comes by itself while the clock runs, and what is being written stays.
func TestEvidenceComesInChromium(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	store := newFake()
	store.now, store.passes = time.Now(), true
	server := httptest.NewServer(boot(t, store, asPlayer, func(d *Deps) { d.Now = time.Now }).Handler())
	defer server.Close()
	tab, w := browse(t, strings.TrimPrefix(server.URL, "http://"))
	k := keyboard{t, tab}
	must(t, chromedp.Do(tab, chromedp.Navigate(server.URL+"/drills/lag-that-does-not-drain")))
	k.eval(`document.querySelector('form.plain button').click(); ''`)
	k.until("What has come in?")
	k.eval(`(() => { const s = document.querySelector('.clockbar select'); s.value = '60'; s.form.requestSubmit(); return ''; })()`)
	k.until("since the opening, at 60×")
	k.eval(`document.querySelector('textarea').value = 'half a sentence'; window.same = true; ''`)
	k.until("responder 1 acknowledged")
	if got := k.eval(`String(window.same) + document.querySelector('textarea').value + document.getElementById('news').textContent.includes('responder 1 acknowledged')`); got != "truehalf a sentencetrue" {
		t.Errorf("after evidence came: %q", got)
	}
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
}
