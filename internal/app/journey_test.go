package app

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/chromium"
	"github.com/stewardhq/steward/training"
)

// From "our next night shift has nobody current in queues" to somebody who is, on the whole
// product in a real browser: a lead opens the gap, assigns its module to two people with a
// date and books a drill; a member reads it, fails the quiz, tries again and passes, and plays
// the drill to its debrief. The gap, the progress and the ledger of looks follow.
//
// The organisation is the matrix'. Queues wake amy of alpha, who calls bea of beta, who
// resolves. abe resolved one alone and has played one drill elsewhere: another makes him
// independent (level 3), which is what a gap counts.

// queues tells that history up to noon of Saturday, 20 June 2026.
func (l *learners) queues() {
	l.t.Helper()
	abe, amy, art, bea := l.o.alpha[1], l.o.alpha[2], l.o.alpha[3], l.o.beta[0]
	var all []event.Event
	add := func(kind event.Kind, subject string, at time.Time, data map[string]any) {
		e, err := event.New("/import/tool", kind, subject, fmt.Sprint(subject, at, data), at, data)
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, e)
	}
	at := func(month time.Month, day, hour int) time.Time {
		return time.Date(2026, month, day, hour, 0, 0, 0, time.UTC)
	}
	incident := func(id string, opened time.Time, first, resolver string) {
		tell := func(kind event.Kind, after int, data map[string]any) {
			data["incident"] = id
			add(kind, id, opened.Add(time.Duration(after)*time.Minute), data)
		}
		tell(event.IncidentOpened, 0, map[string]any{"title": "lag grows", "service": "svc-alpha", "alert_class": "queue-lag", "priority": "P2"})
		tell(event.PageSent, 0, map[string]any{"page": "pg-" + id, "person": first, "channel": "push", "level": 1})
		tell(event.IncidentAcknowledged, 4, map[string]any{"person": first, "actor_kind": "user"})
		if resolver != first {
			tell(event.IncidentEscalated, 9, map[string]any{"person": first, "actor_kind": "user", "cause": "manual", "to": []string{"person:" + resolver}})
		}
		tell(event.IncidentResolved, 50, map[string]any{"person": resolver, "actor_kind": "user"})
	}
	for i := range 6 {
		incident(fmt.Sprint("lag-", i), at(5, 4+3*i, 2), amy, bea)
	}
	incident("lag-alone", at(6, 1, 10), abe, abe)
	add(event.SkillEvidenced, abe, at(6, 2, 10), map[string]any{"person": abe, "skill": "queue-stream-ops", "kind": "drill", "ref": "game-day-1", "rule_version": "1"})
	add(event.TrainingAssigned, abe, at(5, 1, 9), map[string]any{"assignment": "before", "module": "LS4", "person": abe, "by": l.o.alpha[0]})
	add(event.TrainingStarted, abe, at(5, 2, 9), map[string]any{"assignment": "before", "module": "LS4", "person": abe})
	add(event.TrainingPassed, abe, at(5, 2, 10), map[string]any{"assignment": "before", "module": "LS4", "person": abe, "attempt": 1, "score": 1})
	for level, person := range map[int]string{1: amy, 2: art} {
		add(event.ShiftPlanned, person, at(6, 10, 9), map[string]any{"shift": "next-" + person, "schedule": "nights", "person": person, "level": level,
			"start": at(6, 20, 9).Format(time.RFC3339), "end": at(6, 27, 9).Format(time.RFC3339)})
	}
	l.keep(all...)
	l.derive()
}

// derive makes skills of what happened so far, which the product does by itself in seconds.
func (l *learners) derive() {
	l.t.Helper()
	if _, err := l.a.core.deriver.settle(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
	if err := l.a.core.Sink.Drain(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

// figures are one row of a metric.
func (l *learners) figures(metric string, params url.Values) map[string]float64 {
	l.t.Helper()
	a, err := l.a.core.Store.For(access.Operator(), "").Query(l.t.Context(), metric, params)
	if err != nil {
		l.t.Fatal(err)
	}
	if len(a.Rows) != 1 {
		l.t.Fatalf("%s %v has %d rows", metric, params, len(a.Rows))
	}
	out := map[string]float64{}
	for i, c := range a.Columns {
		switch v := a.Rows[0][i].(type) {
		case int64:
			out[c.Name] = float64(v)
		case float64:
			out[c.Name] = v
		}
	}
	return out
}

func TestFromANightNobodyCanCarry(t *testing.T) {
	if testing.Short() {
		t.Skip("drives a browser")
	}
	chromium.Path(t)
	l := newLearners(t, func(c *Config) { c.Access, c.TrustedProxies, c.Dev = nil, nil, true })
	l.queues()
	lead, abe, amy := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2]
	h := &hand{l, chromium.Tab(t, 10*time.Minute), chromium.AxeScript(t)}
	if err := chromedp.Do(h.tab, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	w := chromium.Watch(t, h.tab, strings.TrimPrefix(l.a.URL(), "http://"))
	queues := url.Values{"team": {"alpha"}, "skill": {"queue-stream-ops"}}
	gap := l.figures("skill_gaps", queues)
	if gap["supply"] != 0 || gap["gap"] == 0 {
		t.Fatalf("there is no gap to close: %v", gap)
	}

	// The lead, from the sentence to an assignment and a booking.
	h.as(lead)
	h.opens("/skills?team=alpha")
	h.waits("/skills?team=alpha", "On Saturday night’s shift of Team alpha (20 Jun 22:00–08:00 UTC) nobody on call is current in Queues and streams.")
	h.clicks(`[...document.querySelectorAll('p.answer a')].find(a => a.textContent == 'Assign FX4')`)
	h.waits("/training/", "Lag, poison messages, replays")
	h.does(`for (const p of ['` + abe + `', '` + amy + `']) { const box = document.querySelector('input[name=for][value="person:' + p + '"]'); if (!box.checked) box.click() }
		for (const box of document.querySelectorAll('input[name=for][value^="team:"]')) box.checked = false;
		document.querySelector('form input[name=due]').value = '2026-07-01'`)
	h.clicks(`document.querySelector('form input[name=due]').form.querySelector('button:not([name])')`)
	h.waits("/", "Assigned.")
	h.opens("/skills?team=alpha")
	h.waits("/skills?team=alpha", "nobody on call is current")
	h.clicks(`[...document.querySelectorAll('p.answer a')].find(a => /book a drill/i.test(a.textContent))`)
	h.waits("/drills?", "When should")
	h.does(`document.querySelector('#book select[name=drill]').value = 'lag-that-does-not-drain'`)
	h.clicks(`document.querySelector('#book button[type=submit]')`)
	h.waits("/drills", "What is booked in my teams?")
	h.waits("/drills", "Confirmation mails stop on a Saturday")
	l.later(time.Minute)
	if got := l.figures("training_progress", url.Values{"team": {"alpha"}, "by": {"module"}, "from": {"2026-06-20"}}); got["assigned"] != 2 || got["started"] != 0 {
		t.Errorf("assigned: %v", got)
	}

	// The member reads, fails, tries again and passes.
	h.as(abe)
	h.opens("/me")
	h.waits("/me", "Lag, poison messages, replays")
	h.opens("/training/FX4")
	h.waits("/training/FX4", "A worked example")
	h.clicks(`document.querySelector('form[action$="/start"] button')`)
	h.waits("/training/FX4?done=started", "Started.")
	h.answers(abe, "FX4", 1, false)
	h.waits("/training/FX4/quiz", "not passed")
	l.later(time.Minute)
	h.answers(abe, "FX4", 2, true)
	h.waits("/training/FX4/quiz", "right: passed.")

	// And plays the drill to its debrief.
	h.opens("/drills/lag-that-does-not-drain")
	h.waits("/drills/", "What are you getting into?")
	h.clicks(`[...document.querySelectorAll('button')].find(b => b.textContent == 'Start the clock')`)
	h.waits("/drills/lag-that-does-not-drain/", "What has come in?")
	h.says("look", "mail-sender")
	h.until("d1")
	h.clicks(`document.querySelector('button[value="open:note-420"]')`)
	h.decides("d1", "b")
	h.says("update", "One partition does not move.")
	h.until("d2")
	h.clicks(`document.querySelector('button[value="open:note-840"]')`)
	h.decides("d2", "b")
	h.says("page", "team:messaging")
	h.says("declare", "SEV2")
	h.says("update", "One message is set aside.")
	h.until("d3")
	h.decides("d3", "b")
	h.says("update", "Mails go out again.")
	h.clicks(`document.querySelector('button[value=finish]')`)
	h.waits("/drills/lag-that-does-not-drain/", "of 100")
	l.derive()

	// The gap, the progress and the ledger follow.
	after := l.figures("skill_gaps", queues)
	if after["supply"] != 1 || after["gap"] >= gap["gap"] || after["demand"] != gap["demand"] {
		t.Errorf("the gap was %v and is %v", gap, after)
	}
	if got := l.figures("training_progress", url.Values{"team": {"alpha"}, "by": {"module"}, "from": {"2026-06-20"}}); got["assigned"] != 2 || got["started"] != 1 || got["passed"] != 1 || got["completed"] != 1 {
		t.Errorf("progress: %v", got)
	}
	h.opens("/training/FX4")
	h.waits("/training/FX4", "completed")
	h.as(lead)
	h.opens("/assignments?team=alpha&state=completed")
	h.waits("/assignments?team=alpha", "FX4 Lag, poison messages, replays")
	h.opens("/drills")
	h.waits("/drills", "What is booked in my teams?")
	h.opens("/people/" + url.PathEscape(abe))
	h.waits("/people/", nameOf(abe))
	h.as(abe)
	h.opens("/me")
	h.waits("/me", "Who looked at this?")
	h.waits("/me", nameOf(lead))
	h.waits("/me", "level 3")
	for _, trouble := range w.Take() {
		t.Error(trouble)
	}
	if w.Requests() < 60 {
		t.Errorf("%d requests prove little", w.Requests())
	}
}

// clicks something that leads to another page, or to this one anew, and waits for it.
func (h *hand) clicks(what string) {
	h.l.t.Helper()
	h.does(`window.before = true; (` + what + `).click()`)
	for range 400 {
		if gone, err := chromedp.Run(h.tab, chromedp.Evaluate[bool](`!window.before && document.readyState == 'complete'`)); err == nil && gone {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	h.l.t.Fatalf("nothing follows a click on %s", what)
}

// answers hands in an attempt at a module's quiz, all right or all wrong.
func (h *hand) answers(person, module string, number int, right bool) {
	h.l.t.Helper()
	h.waits("/training/"+module, fmt.Sprint("Quiz, attempt ", number))
	assignment, err := chromedp.Run(h.tab, chromedp.Evaluate[string](`document.querySelector('form.quiz input[name=assignment]').value`))
	if err != nil {
		h.l.t.Fatal(err)
	}
	m, _ := h.l.a.curriculum.Module(module)
	a := training.Attempt{Assignment: assignment, Person: person, Module: module, Number: number}
	for i, q := range a.Shown(m) {
		for place, o := range q.Options {
			if o.Right == right {
				h.does(fmt.Sprintf(`document.querySelector('form.quiz input[name=q%d][value="%d"]').click()`, i, place))
			}
		}
	}
	h.clicks(`document.querySelector('form.quiz button')`)
}

// says does one of the player's actions that take a text.
func (h *hand) says(action, text string) {
	h.l.t.Helper()
	h.does(fmt.Sprintf(`document.querySelector('#act input[name=action][value=%s]').form.elements.text.value = %q`, action, text))
	h.clicks(fmt.Sprintf(`document.querySelector('#act input[name=action][value=%s]').form.querySelector('button')`, action))
}

// until lets evidence come in until a question is asked.
func (h *hand) until(question string) {
	h.l.t.Helper()
	for range 20 {
		if there, err := chromedp.Run(h.tab, chromedp.Evaluate[bool](fmt.Sprintf(`!!document.querySelector('input[value^="decide:%s:"]')`, question))); err != nil {
			h.l.t.Fatal(err)
		} else if there {
			return
		}
		h.clicks(`document.querySelector('#wait')`)
	}
	h.l.t.Fatalf("question %s never came", question)
}

func (h *hand) decides(question, option string) {
	h.l.t.Helper()
	h.does(fmt.Sprintf(`document.querySelector('input[value="decide:%s:%s"]').click()`, question, option))
	h.clicks(fmt.Sprintf(`document.querySelector('input[value="decide:%s:%s"]').form.querySelector('button')`, question, option))
}
