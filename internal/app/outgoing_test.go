package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/notify"
	"github.com/stewardhq/steward/training/xapi"
)

// receiver is the other side of a webhook and of a store of learning records.
type receiver struct {
	mu     sync.Mutex
	status int // of webhooks; 0: taken
	notes  []string
	ids    map[string]int
	kept   []string // statements: verb, activity
	raw    []string
	faults []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(q.Body)
	if q.URL.Path == "/xapi/statements" {
		var list []json.RawMessage
		if err := json.Unmarshal(body, &list); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, raw := range list {
			if f := xapi.ValidateCmi5(raw); len(f) > 0 {
				r.faults = append(r.faults, fmt.Sprint(f))
			}
			var s xapi.Statement
			_ = json.Unmarshal(raw, &s)
			r.kept = append(r.kept, s.Verb.Display["en"]+" "+s.Object.ID[strings.LastIndexByte(s.Object.ID, '/')+1:])
			r.raw = append(r.raw, string(raw))
		}
		return
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	var note struct {
		Data struct{ Person, Subject, Text string }
	}
	_ = json.Unmarshal(body, &note)
	r.notes = append(r.notes, note.Data.Person+": "+note.Data.Subject)
	if r.ids == nil {
		r.ids = map[string]int{}
	}
	r.ids[q.Header.Get("webhook-id")]++
}

func (r *receiver) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.notes
	r.notes = nil
	slices.Sort(out)
	return out
}

// config is a file of --notify that leads to the receiver.
func (r *receiver) config(t *testing.T) *notify.Config {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	t.Setenv("TEST_OUTGOING_SECRET", "a-secret-of-many-letters")
	path := filepath.Join(t.TempDir(), "notify.yaml")
	text := fmt.Sprintf("site: https://steward.matrix.example\nwebhooks: [{name: chat, url: %q, secret_env: TEST_OUTGOING_SECRET, allow_private: [127.0.0.0/8]}]\n"+
		"lrs: {endpoint: %q, user: u, secret_env: TEST_OUTGOING_SECRET, allow_private: [127.0.0.0/8]}\n", server.URL+"/hook", server.URL+"/xapi")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadNotify(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (l *learners) fact(kind event.Kind, at time.Time, data map[string]any) event.Event {
	l.t.Helper()
	e, err := event.New(event.OwnSource, kind, "outgoing", fmt.Sprint(kind, data), at, data)
	if err != nil {
		l.t.Fatal(err)
	}
	return e
}

func (l *learners) round() {
	l.t.Helper()
	if err := l.a.sender.round(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// assigned is PG1 for each of these, given two days ago, and due in a week.
func (l *learners) assigned(people ...string) (out []event.Event) {
	for _, p := range people {
		out = append(out, l.fact(event.TrainingAssigned, matrixNow.AddDate(0, 0, -2), map[string]any{"assignment": "w-" + nameOf(p), "module": "PG1", "person": p, "by": l.o.alpha[0], "due": "2026-06-27"}))
	}
	return out
}

// hostile is work on a module whose name is a message of whoever holds a token for sending.
func (l *learners) hostile(person string) {
	l.t.Helper()
	l.tell(event.TrainingAssigned, "hostile", matrixNow.AddDate(0, 0, -2), map[string]any{"assignment": "w-hostile", "module": "Your password has expired: https://evil.example", "person": person, "by": l.o.alpha[0], "due": "2026-06-27"})
}

func TestRemindersGoOutOnce(t *testing.T) {
	r := &receiver{}
	cfg := r.config(t)
	l := newLearners(t, func(c *Config) { c.Notify, c.noticeEvery = cfg, 24*time.Hour })
	abe, amy, art, ben, dan := l.o.alpha[1], l.o.alpha[2], l.o.alpha[3], l.o.beta[1], l.o.duo[0]
	l.keep(l.assigned(abe, amy, art, ben, dan)...)
	l.hostile(abe)
	l.keep(
		l.fact(event.ShiftPlanned, matrixNow.AddDate(0, 0, -5), map[string]any{"shift": "next", "schedule": "next", "person": amy, "start": "2026-06-21T12:00:00Z", "end": "2026-06-22T12:00:00Z"}),
		l.fact(event.TrainingWaived, matrixNow.AddDate(0, 0, -1), map[string]any{"assignment": "w-" + nameOf(ben), "by": l.o.beta[0], "reason": "tested-out"}),
	)
	// One switches them off on the page, one is forgotten.
	l.send(art, "GET", "/training/reminders", nil)
	if code, body := l.send(art, "POST", "/training/reminders", url.Values{"reminders": {"off"}}); code != http.StatusSeeOther {
		t.Fatal(code, body)
	}
	if _, err := l.a.core.Forget(t.Context(), dan, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}

	r.status = 500
	l.round()
	if got := r.take(); len(got) > 0 {
		t.Fatal(got)
	}
	if states := l.a.sender.states(); states[0].Waiting != 2 || states[0].Failed != 2 || strings.Contains(states[0].Trouble, "@") {
		t.Errorf("%+v", states)
	}
	r.status = 0
	l.round() // too early for another try
	if got := r.take(); len(got) > 0 {
		t.Fatal(got)
	}
	l.later(time.Minute)
	l.round()
	want := []string{abe + ": 1 module to learn", amy + ": 1 module to learn before your shift on Sun 21 Jun"}
	if got := r.take(); !slices.Equal(got, want) {
		t.Fatalf("%q", got)
	}
	for range 3 {
		l.later(time.Hour)
		l.round()
	}
	if got := r.take(); len(got) > 0 {
		t.Errorf("again: %q", got)
	}
	page := func(who string) string {
		_, body := l.send(who, "GET", "/training/reminders", nil)
		return body
	}
	if got := page(abe); !strings.Contains(got, "Fri 26 Jun 2026, 09:00 UTC") || !strings.Contains(got, "webhook “chat”") || strings.Contains(got, "Sat 20 Jun") {
		t.Error("the page of one who was told does not say what comes next")
	}
	if got := page(art); !strings.Contains(got, "switched reminders") || strings.Contains(got, "Fri 26 Jun 2026") {
		t.Error("the page of one who wants none does not say so")
	}
	if got := page(l.o.alpha[0]); !strings.Contains(got, nameOf(amy)) || !strings.Contains(got, "Sun 21 Jun 2026, 12:00") || strings.Contains(got, nameOf(ben)) {
		t.Error("a lead does not read who must learn what before their shift")
	}
	if got := page(amy); strings.Contains(got, nameOf(abe)) {
		t.Error("a member reads of others")
	}

	// A start later nothing is sent again, and what is due then goes out.
	l.stop()
	again := &learners{t: t, o: l.o, token: map[string]string{}}
	again.clock.Store(l.clock.Load())
	l.cfg.Now = func() time.Time { return time.UnixMilli(again.clock.Load()).UTC() }
	again.a, again.logs, _ = boot(t, l.cfg)
	again.round()
	if got := r.take(); len(got) > 0 {
		t.Errorf("after a start: %q", got)
	}
	again.clock.Store(time.Date(2026, 6, 26, 9, 0, 0, 0, time.UTC).UnixMilli())
	again.round()
	if got := r.take(); len(got) != 2 {
		t.Errorf("on the eve: %q", got)
	}
	for id, n := range r.ids {
		if n != 1 || strings.Contains(id, "@") {
			t.Errorf("%s was delivered %d times", id, n)
		}
	}
}

// What was taken and not written down, as by a crash, goes out again under its own id.
func TestReminderAfterACrash(t *testing.T) {
	r := &receiver{}
	cfg := r.config(t)
	l := newLearners(t, func(c *Config) { c.Notify, c.noticeEvery = cfg, 24*time.Hour })
	l.keep(l.assigned(l.o.alpha[1])...)
	s := l.a.sender
	s.turn.Lock()
	people, err := s.people(t.Context(), l.a.cfg.Now())
	if err != nil || len(people) != 1 {
		t.Fatal(people, err)
	}
	s.turn.Unlock()
	// Sent, and the log is full at that moment: the event is owed and comes before anything else.
	stop := l.a.core.Publisher
	full, err := ingest.NewPublisher(ingest.PublisherConfig{Brokers: l.a.core.Broker.Addrs(), Topic: l.a.cfg.Topic, Vault: l.a.core.Vault})
	if err != nil {
		t.Fatal(err)
	}
	if err := full.Close(); err != nil {
		t.Fatal(err)
	}
	l.a.core.Publisher = full
	if err := s.round(t.Context()); err == nil {
		t.Fatal("nothing was written down, and nobody says so")
	}
	l.a.core.Publisher = stop
	if len(s.owed) != 1 || len(r.take()) != 1 {
		t.Fatalf("%d owed", len(s.owed))
	}
	l.round()
	if got := r.take(); len(got) > 0 || len(s.owed) > 0 {
		t.Errorf("%q, %d owed", got, len(s.owed))
	}
	// A process that dies there knows nothing of it: simulated by forgetting what is owed.
	l.clock.Store(time.Date(2026, 6, 26, 9, 0, 0, 0, time.UTC).UnixMilli())
	l.a.core.Publisher = full
	if err := s.round(t.Context()); err == nil {
		t.Fatal("nothing was written down, and nobody says so")
	}
	l.a.core.Publisher, s.owed = stop, nil
	l.round()
	if got := r.take(); len(got) != 2 || len(r.ids) != 2 {
		t.Errorf("%q under %v", got, r.ids)
	}
}

var icsAddress = regexp.MustCompile(`https://steward\.matrix\.example(/calendar/[A-Za-z0-9_-]{43}\.ics)`)

func TestCalendarFeed(t *testing.T) {
	r := &receiver{}
	cfg := r.config(t)
	l := newLearners(t, func(c *Config) { c.Notify, c.noticeEvery = cfg, 24*time.Hour })
	abe, amy := l.o.alpha[1], l.o.alpha[2]
	l.keep(l.assigned(abe, amy)...)
	l.hostile(abe)
	l.keep(
		l.fact(event.ShiftPlanned, matrixNow.AddDate(0, 0, -5), map[string]any{"shift": "next", "schedule": "next", "person": abe, "start": "2026-06-23T12:00:00Z", "end": "2026-06-24T12:00:00Z"}),
		l.fact(event.DrillBooked, matrixNow.AddDate(0, 0, -1), map[string]any{"booking": "b1", "drill": "none", "by": l.o.alpha[0], "starts_at": "2026-06-22T10:00:00Z", "team": "alpha"}),
	)
	address := func(who string) string {
		t.Helper()
		l.send(who, "GET", "/training/reminders", nil)
		code, body := l.send(who, "POST", "/training/calendar", url.Values{})
		m := icsAddress.FindStringSubmatch(body)
		if code != 200 || m == nil {
			t.Fatal(code, body)
		}
		return m[1]
	}
	fetch := func(path, tag string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.a.URL()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tag != "" {
			req.Header.Set("If-None-Match", tag)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, resp.Header, string(b)
	}
	mine := address(abe)
	code, header, body := fetch(mine, "")
	if code != 200 || header.Get("Content-Type") != "text/calendar; charset=utf-8" || header.Get("Cache-Control") != "private, no-cache" {
		t.Fatal(code, header, body)
	}
	for _, want := range []string{"BEGIN:VCALENDAR", "SUMMARY:Due: PG1 ", "DTSTART;VALUE=DATE:20260627", "SUMMARY:On call", "DTSTART:20260623T120000Z", "SUMMARY:Drill", "DTSTART:20260622T100000Z"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%s", want, body)
		}
	}
	if strings.Contains(body, "evil.example") {
		t.Error("the calendar says what a tool wrote in place of a module")
	}
	for _, p := range l.o.all {
		if strings.Contains(body, nameOf(p)) || strings.Contains(body, p) {
			t.Errorf("the calendar names %s", p)
		}
	}
	l.later(time.Minute) // made later, and the same
	if code, _, body := fetch(mine, header.Get("ETag")); code != http.StatusNotModified || body != "" {
		t.Error(code, body)
	}
	l.keep(l.fact(event.TrainingCompleted, matrixNow, map[string]any{"assignment": "w-" + nameOf(abe), "module": "PG1", "person": abe, "ref": "x", "kind": "upload"}))
	if code, _, body := fetch(mine, header.Get("ETag")); code != 200 || strings.Contains(body, "Due: PG1") || !strings.Contains(body, "Nothing is left to learn") {
		t.Error(code, body)
	}
	// The secret opens that calendar alone, and only until there is another.
	secret := strings.TrimSuffix(strings.TrimPrefix(mine, "/calendar/"), ".ics")
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, l.a.URL()+"/me", nil)
	req.Header.Set("Authorization", "Bearer "+secret)
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode == 200 {
		t.Error("the secret signs in", err)
	}
	l.later(time.Millisecond) // if the log, too, took both within one, random ids would decide
	next := address(abe)
	for path, want := range map[string]int{mine: 404, next: 200, "/calendar/" + secret: 404, "/calendar/none.ics": 404, "/calendar/.ics": 404} {
		if code, _, _ := fetch(path, ""); code != want {
			t.Errorf("%s: %d, want %d", path, code, want)
		}
	}
	l.later(time.Millisecond)
	if code, _ := l.send(abe, "POST", "/training/calendar/revoke", url.Values{}); code != http.StatusSeeOther {
		t.Error(code)
	}
	if code, _, _ := fetch(next, ""); code != 404 {
		t.Error("an address that was taken back opens", code)
	}
	hers := address(amy)
	if code, _, _ := fetch(hers, ""); code != 200 {
		t.Fatal(code)
	}
	limited := false
	for range calendarBurst + 5 {
		code, _, _ = fetch(hers, "")
		limited = limited || code == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("a calendar may be fetched as often as one likes")
	}
	if strings.Contains(l.logs.String(), secret) || strings.Contains(l.logs.String(), strings.TrimPrefix(hers, "/calendar/")) {
		t.Error("the log holds an address")
	}
	l.later(time.Hour)
	if _, err := l.a.core.Forget(t.Context(), amy, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := fetch(hers, ""); code != 404 {
		t.Error("a forgotten person's calendar opens", code)
	}
}

func TestLearningRecordsArePushedAndAnswered(t *testing.T) {
	r := &receiver{}
	cfg := r.config(t)
	l := newLearners(t, func(c *Config) { c.Notify, c.noticeEvery = cfg, 24*time.Hour })
	abe, amy, dan := l.o.alpha[1], l.o.alpha[2], l.o.duo[0]
	at := matrixNow.AddDate(0, 0, -1)
	l.keep(l.assigned(abe, amy, dan)...)
	in := func(kind event.Kind, p string, more ...any) event.Event {
		data := map[string]any{"assignment": "w-" + nameOf(p), "module": "PG1", "person": p}
		for i := 0; i < len(more); i += 2 {
			data[more[i].(string)] = more[i+1]
		}
		at = at.Add(time.Minute)
		return l.fact(kind, at, data)
	}
	completed := in(event.TrainingCompleted, abe, "ref", "note", "kind", "upload")
	l.keep(in(event.TrainingStarted, abe), in(event.TrainingPassed, abe, "attempt", 1, "score", 1), completed, in(event.TrainingStarted, amy), in(event.TrainingStarted, dan))
	if _, err := l.a.core.Forget(t.Context(), dan, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	push := func() {
		t.Helper()
		if err := l.a.pusher.round(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	push()
	push()
	slices.Sort(r.kept)
	want := []string{"completed PG1", "initialized PG1", "initialized PG1", "launched PG1", "launched PG1", "passed PG1"}
	if !slices.Equal(r.kept, want) || len(r.faults) > 0 {
		t.Fatalf("%q %v", r.kept, r.faults)
	}
	for _, raw := range r.raw {
		for _, p := range l.o.all {
			if strings.Contains(raw, p) || strings.Contains(raw, nameOf(p)) {
				t.Errorf("%s stands in %s", p, raw)
			}
		}
	}
	r.kept = nil
	l.keep(l.fact(event.EvidenceVoided, matrixNow, map[string]any{"evidence": completed.ID, "reason": "not theirs"}))
	push()
	if len(r.kept) != 1 || !strings.HasPrefix(r.kept[0], "voided ") {
		t.Errorf("%q", r.kept)
	}

	ask := func(who, query string) (int, []string, string) {
		t.Helper()
		code, body := l.send(who, "GET", "/api/v1/xapi/statements"+query, nil)
		var answer struct {
			Statements []json.RawMessage
			More       string
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err, body)
		}
		var out []string
		for _, raw := range answer.Statements {
			if f := xapi.ValidateCmi5(raw); len(f) > 0 {
				t.Errorf("%v in %s", f, raw)
			}
			var s xapi.Statement
			_ = json.Unmarshal(raw, &s)
			out = append(out, s.Verb.Display["en"])
		}
		return code, out, answer.More
	}
	if code, got, _ := ask(abe, "?ascending=true"); code != 200 || !slices.Contains(got, "voided") || slices.Contains(got, "completed") || len(got) != 4 {
		t.Error(code, got)
	}
	var paged []string
	for next := "?limit=1"; next != ""; {
		code, got, more := ask(abe, next)
		if code != 200 || len(got) != 1 || len(paged) > 9 {
			t.Fatal(code, got)
		}
		paged = append(paged, got...)
		next = strings.TrimPrefix(more, "/api/v1/xapi/statements")
	}
	if _, got, _ := ask(abe, ""); !slices.Equal(got, paged) {
		t.Errorf("in pages %q, at once %q", paged, got)
	}
	if _, got, _ := ask(abe, "?since=2100-01-01"); len(got) != 0 {
		t.Error("since the future", got)
	}
	for _, c := range []struct {
		who, query string
		code, n    int
	}{
		{amy, "", 200, 2}, {amy, "?person=" + url.QueryEscape(abe), 403, 0}, {l.o.alpha[0], "?person=" + url.QueryEscape(abe), 403, 0}, {l.o.alpha[0], "?person=all", 403, 0},
		{"pam@matrix.example", "?person=" + url.QueryEscape(abe), 200, 4}, {"pam@matrix.example", "?person=all", 200, 6}, {amy, "?limit=x", 400, 0}, {amy, "?actor=x", 400, 0},
	} {
		if code, got, _ := ask(c.who, c.query); code != c.code || len(got) != c.n {
			t.Errorf("%s%s: %d, %q", c.who, c.query, code, got)
		}
	}
	if err := l.a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, body := l.send(abe, "GET", "/me", nil); !strings.Contains(body, "export of xapi/statements") {
		t.Error("a people admin's look is not recorded")
	}
}
