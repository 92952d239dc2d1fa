package app

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/signin"
	"github.com/stewardhq/steward/training"
)

// learners is a running product with the matrix' organisation and a clock that can be put on,
// asked by people as their browsers do.
type learners struct {
	t     *testing.T
	a     *App
	cfg   Config
	logs  *logs
	stop  func()
	o     org
	clock atomic.Int64
	token map[string]string // of each one's forms
}

func newLearners(t *testing.T, also ...func(*Config)) *learners {
	t.Helper()
	l := &learners{t: t, o: newOrg(), token: map[string]string{}}
	l.clock.Store(matrixNow.UnixMilli())
	cfg := Config{Data: t.TempDir(), Now: func() time.Time { return time.UnixMilli(l.clock.Load()).UTC() }, Access: &signin.Config{
		Proxy: &signin.Proxy{From: []string{"127.0.0.1/32"}}, DefaultRole: access.Viewer, Roles: []access.Rule{{Group: "people", Role: access.PeopleAdmin}},
	}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	for _, change := range also {
		change(&cfg)
	}
	l.cfg = cfg
	l.a, l.logs, l.stop = boot(t, cfg)
	events := slices.DeleteFunc(l.o.history(t), func(e event.Event) bool { return strings.HasPrefix(string(e.Kind), "training.") })
	if err := l.a.core.Publisher.Publish(t.Context(), events...); err != nil {
		t.Fatal(err)
	}
	if err := l.a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *learners) later(d time.Duration) { l.clock.Add(d.Milliseconds()) }

const csrfName = "__Host-steward_csrf"

func (l *learners) send(person, method, path string, form url.Values) (int, string) {
	l.t.Helper()
	if form != nil {
		form.Set("csrf", l.token[person])
	}
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.a.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-Email", person)
	if person == "pam@matrix.example" {
		req.Header.Set("X-Forwarded-Groups", "people")
	}
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", ip.Add(1)>>16&255, ip.Load()>>8&255, ip.Load()&255))
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if l.token[person] != "" {
		req.AddCookie(&http.Cookie{Name: csrfName, Value: l.token[person]})
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == csrfName {
			l.token[person] = c.Value
		}
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, html.UnescapeString(string(text))
}

func (l *learners) page(person, path string) string {
	l.t.Helper()
	code, text := l.send(person, "GET", path, nil)
	if code != http.StatusOK {
		l.t.Fatalf("%s reads %s: %d %.300s", person, path, code, text)
	}
	return text
}

// post sends a form and wants a status and, where it is not led on, words.
func (l *learners) post(person, path string, form url.Values, want int, says string) string {
	l.t.Helper()
	code, text := l.send(person, "POST", "/training/"+path, form)
	if code != want || !strings.Contains(text, says) {
		_, answer, _ := strings.Cut(text, "<main")
		l.t.Errorf("%s posts %s %v: %d, want %d and %q: %.600s", person, path, form, code, want, says, answer)
	}
	return text
}

var hiddenInput = regexp.MustCompile(`name="(assignment|number|digest)" value="([^"]*)"`)

// quiz fills in the form of a page: right or wrong.
func (l *learners) quiz(person, page string, right bool) url.Values {
	l.t.Helper()
	return l.quizOf("PG1", person, page, right)
}

func (l *learners) quizOf(module, person, page string, right bool) url.Values {
	l.t.Helper()
	m, _ := l.a.curriculum.Module(module)
	form := url.Values{}
	_, part, _ := strings.Cut(page, `action="/training/`+module+`/quiz"`)
	for _, x := range hiddenInput.FindAllStringSubmatch(part, 3) {
		form.Set(x[1], x[2])
	}
	number, err := strconv.Atoi(form.Get("number"))
	if err != nil {
		l.t.Fatalf("%s has no quiz on the page", person)
	}
	a := training.Attempt{Assignment: form.Get("assignment"), Person: person, Module: module, Number: number}
	for i, q := range a.Shown(m) {
		for place, o := range q.Options {
			if o.Right == right {
				form.Set("q"+strconv.Itoa(i), strconv.Itoa(place))
			}
		}
	}
	return form
}

// A lead assigns a module to two people; one reads it, fails, is held off, passes and shows
// what they made, the other is excused. The lead's list follows, and no ledger of looks.
func TestLearningFromAssignmentToEvidence(t *testing.T) {
	l := newLearners(t)
	lead, abe, amy, other, pam := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2], l.o.beta[0], "pam@matrix.example"
	for _, p := range []string{lead, abe, amy, other, pam} {
		l.page(p, "/training/PG1") // brings the token of the forms
	}
	work := func(change ...string) url.Values {
		v := url.Values{"for": {"person:" + abe, "person:" + amy}, "due": {"2026-07-01"}, "reason": {"the night of the full disk"}, "cites": {"inc-alpha-0-0"}}
		for i := 0; i < len(change); i += 2 {
			v.Set(change[i], change[i+1])
		}
		return v
	}
	for says, form := range map[string]url.Values{
		"Due: must be a date": work("due", "soon"), "Due: is in the past": work("due", "2026-06-19"), "Cites: there is no incident": work("cites", "inc-none"),
		"For: a person, a team or a rota": {}, "Reason: at most": work("reason", strings.Repeat("x", 501)),
	} {
		l.post(lead, "PG1/assign", form, http.StatusBadRequest, says)
	}
	l.post(lead, "NO1/assign", work(), http.StatusNotFound, "")
	for who, to := range map[string]string{other: "person:" + abe, abe: "person:" + amy, pam: "person:" + abe, lead: "person:" + other} {
		l.post(who, "PG1/assign", work("for", to), http.StatusForbidden, "lead of the team")
	}
	l.post(abe, "PG1/assign", work("for", "team:alpha"), http.StatusForbidden, "lead of the team")
	l.post(lead, "PG1/assign", work("for", "team:beta"), http.StatusForbidden, "lead of the team")
	if text := l.page(lead, "/training"); !strings.Contains(text, "Nothing is open.") {
		t.Error("what was refused is there")
	}
	l.post(lead, "PG1/assign", work(), http.StatusSeeOther, "")

	l.later(time.Minute)
	l.post(lead, "PG1/assign", work("for", "person:"+abe), http.StatusBadRequest, "has it to do already") // a second click

	open := func() (out []string) { // in the lead's list
		text := l.page(lead, "/training")
		_, text, _ = strings.Cut(text, "What is open in my teams?")
		text, _, _ = strings.Cut(text, "</section>")
		for _, p := range l.o.alpha {
			if strings.Contains(text, nameOf(p)+"</a></th>") {
				out = append(out, p)
			}
		}
		return out
	}
	if got := open(); !slices.Equal(got, []string{abe, amy}) {
		t.Errorf("open are %v", got)
	}
	if text := l.page(other, "/training"); strings.Contains(text, nameOf(abe)) {
		t.Error("another lead reads it")
	}
	if text := l.page(abe, "/me"); !strings.Contains(text, "PG1 ") || !strings.Contains(text, "1 Jul 2026") || !strings.Contains(text, "the night of the full disk") || !strings.Contains(text, nameOf(lead)) {
		t.Error("/me does not say what to learn, until when, why and who says so")
	}

	l.post(abe, "PG2/start", url.Values{}, http.StatusBadRequest, "Prerequisites: first comes PG1")
	l.post(abe, "PG1/start", url.Values{}, http.StatusSeeOther, "")
	l.later(time.Minute)
	text := l.page(abe, "/training/PG1?done=started")
	if !strings.Contains(text, "inc-alpha-0-0") || strings.Contains(text, "/assign") || !strings.Contains(text, "Purpose") {
		t.Error("the page lacks the incident or the text, or has a lead's form")
	}
	first := l.quiz(abe, text, false)
	half := url.Values{}
	for k, v := range first {
		half[k] = v
	}
	half.Del("q2")
	l.post(abe, "PG1/quiz", half, http.StatusBadRequest, "Answers[2]: not answered")
	l.post(amy, "PG1/quiz", first, http.StatusBadRequest, "you have none such") // somebody else's page
	text = l.post(abe, "PG1/quiz", first, http.StatusOK, "not passed")
	if strings.Contains(text, "Right is:") || !strings.Contains(text, "Quiz, attempt 2") {
		t.Error("a failure tells the answers, or offers no second attempt")
	}
	l.later(time.Minute)
	l.post(abe, "PG1/quiz", first, http.StatusBadRequest, "Number: this attempt was handed in already")
	text = l.post(abe, "PG1/quiz", l.quiz(abe, text, false), http.StatusOK, "not passed")
	if !strings.Contains(text, "can be handed in from 12:13") {
		t.Error("the page does not say how long the pause is")
	}
	third := l.quiz(abe, `action="/training/PG1/quiz" name="assignment" value="`+first.Get("assignment")+`" name="number" value="3" name="digest" value="`+first.Get("digest")+`"`, true)
	l.post(abe, "PG1/quiz", third, http.StatusBadRequest, "from 12:13 on")
	l.post(abe, "PG1/complete", url.Values{"assignment": {first.Get("assignment")}, "evidence": {"https://wiki.example/own"}}, http.StatusBadRequest, "pass the quiz first")
	l.later(11 * time.Minute)
	l.post(abe, "PG1/quiz", third, http.StatusOK, "right: passed.")

	csv := func(person, query string) string { return l.page(person, "/api/v1/assignments?format=csv"+query) }
	if got := csv(abe, ""); !strings.Contains(got, ",quiz passed,") || !strings.Contains(got, ",3,1\n") || strings.Count(got, "\n") != 2 {
		t.Errorf("their own export: %s", got)
	}
	if got := csv(lead, "&team=alpha"); !strings.Contains(got, ",quiz passed,") || strings.Contains(got, ",3,1\n") || strings.Count(got, ",,\n") != 2 {
		t.Errorf("the lead's export holds scores, or not the state: %s", got)
	}
	_, text, _ = strings.Cut(l.page(lead, "/training/PG1"), "Who of my teams is to learn it?")
	if !strings.Contains(text, "quiz passed") || strings.Contains(text, "passed with") || strings.Contains(text, "times") {
		t.Error("the lead reads how the quiz went")
	}
	l.post(abe, "PG1/complete", url.Values{"assignment": {first.Get("assignment")}}, http.StatusBadRequest, "Evidence: missing")
	l.post(abe, "PG1/complete", url.Values{"assignment": {first.Get("assignment")}, "evidence": {"javascript:alert(1)"}}, http.StatusBadRequest, "Evidence: a link")
	l.post(abe, "PG1/complete", url.Values{"assignment": {first.Get("assignment")}, "evidence": {"https://wiki.example/own"}}, http.StatusSeeOther, "")
	if text := l.page(lead, "/training/PG1"); !strings.Contains(text, "shown by: https://wiki.example/own") {
		t.Error("the lead does not read what shows it")
	}
	if got := open(); !slices.Equal(got, []string{amy}) {
		t.Errorf("open after one is done: %v", got)
	}
	l.post(abe, "PG2/start", url.Values{}, http.StatusSeeOther, "") // of their own accord, PG1 being done
	if text := l.page(abe, "/training"); !strings.Contains(text, "completed 20 Jun 2026") || !strings.Contains(text, "yourself") {
		t.Error("the tracks do not show what is done and begun")
	}

	// The other is excused.
	rows := csv(lead, "&person="+url.QueryEscape(amy))
	assignment, _, _ := strings.Cut(strings.SplitN(rows, "\n", 2)[1], ",")
	waiver := func(reason string) url.Values {
		return url.Values{"assignment": {assignment}, "person": {amy}, "reason": {reason}}
	}
	l.post(lead, "PG1/waive", waiver(""), http.StatusBadRequest, "Reason: must be one of")
	for _, p := range []string{amy, abe, other, pam} {
		l.post(p, "PG1/waive", waiver("tested-out"), http.StatusForbidden, "lead of the team")
	}
	l.post(lead, "PG1/waive", waiver("tested-out"), http.StatusSeeOther, "")
	if got := open(); !slices.Equal(got, []string{abe}) { // PG2
		t.Errorf("open after the waiver: %v", got)
	}
	l.post(amy, "PG2/start", url.Values{}, http.StatusSeeOther, "")
	l.later(time.Minute)
	own := csv(amy, "")
	id := ""
	for _, line := range strings.Split(own, "\n") {
		if strings.Contains(line, ",PG2,") {
			id, _, _ = strings.Cut(line, ",")
		}
	}
	l.post(amy, "PG2/abandon", url.Values{"assignment": {id}}, http.StatusSeeOther, "")
	if got := csv(amy, ""); !strings.Contains(got, ",abandoned,") {
		t.Errorf("what was left: %s", got)
	}

	// Work lists are no looks; a people admin's is one.
	if text := l.page(abe, "/me"); !strings.Contains(text, "Nobody but you.") {
		t.Error("the lead's work list is told as a look")
	}
	if got := csv(pam, "&person="+url.QueryEscape(abe)); !strings.Contains(got, ",3,1\n") {
		t.Errorf("a people admin reads no scores: %s", got)
	}
	if err := l.a.core.Sink.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := l.page(abe, "/me"); !strings.Contains(text, "export of assignments") || strings.Contains(l.page(amy, "/me"), "export of assignments") {
		t.Error("the people admin's look is not told to whom it was at, or to somebody else")
	}
}

func TestATeamsWorkIsItsPeoples(t *testing.T) {
	l := newLearners(t)
	lead := l.o.alpha[0]
	l.page(lead, "/training/LS1")
	l.post(lead, "LS1/assign", url.Values{"for": {"team:alpha"}}, http.StatusSeeOther, "")
	for i, p := range l.o.all {
		if got := strings.Contains(l.page(p, "/me"), `href="/training/LS1"`); got != (i < len(l.o.alpha)) {
			t.Errorf("%s is to learn it: %v", p, got)
		}
	}
}

// What shows a module is kept for every assignment of it that there is, so that the metric, which
// counts what is said of each, has what the list has.
func TestShownOnceIsShownForAllOfIt(t *testing.T) {
	l := newLearners(t)
	lead, abe := l.o.alpha[0], l.o.alpha[1]
	l.page(lead, "/training/PG1")
	l.page(abe, "/training/PG1")
	l.gives(lead, http.StatusSeeOther, "", url.Values{"module": {"PG1"}, "for": {"person:" + abe}, "reason": {"=1+1"}})
	l.post(abe, "PG1/start", url.Values{}, http.StatusSeeOther, "")
	l.gives(lead, http.StatusSeeOther, "", url.Values{"module": {"PG1"}, "for": {"team:alpha"}})
	form := l.quiz(abe, l.page(abe, "/training/PG1"), true)
	l.post(abe, "PG1/quiz", form, http.StatusOK, "right: passed.")
	l.post(abe, "PG1/complete", url.Values{"assignment": {form.Get("assignment")}, "evidence": {"https://wiki.example/own"}}, http.StatusSeeOther, "")
	l.stored()
	l.later(time.Minute)
	if n := rowsOf(t, l.a.core, "SELECT 'n', uniqExact(JSONExtractString(data, 'assignment')) FROM events WHERE kind = 'training.completed' AND source = '/steward'")["n"]; n != 2 {
		t.Errorf("%d of 2 assignments are completed", n)
	}
	_, list, _ := strings.Cut(l.page(abe, "/api/v1/assignments?format=csv"), "\n")
	if n := strings.Count(list, ",completed,"); n != 2 {
		t.Errorf("the list has %d completed, want 2", n)
	}
	if !strings.Contains(list, ",'=1+1,") || !strings.Contains(l.page(abe, "/api/v1/assignments"), `"reason":"=1+1"`) {
		t.Error("a spreadsheet computes what somebody wrote, or JSON has not what was written")
	}
	a, err := l.a.core.Store.For(access.Operator(), "").Query(t.Context(), "training_progress", url.Values{"by": {"person"}, "person": {abe}})
	if err != nil || len(a.Rows) != 1 {
		t.Fatalf("%v, %+v", err, a)
	}
	for i, c := range a.Columns {
		if want := map[string]int64{"assigned": 2, "started": 2, "passed": 1, "completed": 2, "overdue": 0}; c.Name != "waived" && c.Type == "integer" && a.Rows[0][i] != want[c.Name] {
			t.Errorf("%s: %v, want %d", c.Name, a.Rows[0][i], want[c.Name])
		}
	}
}

func TestACurriculumThatIsNotThereIsSaid(t *testing.T) {
	var usage *UsageError
	if _, err := New(Config{Data: t.TempDir(), Curriculum: "/nowhere/at/all"}); !errors.As(err, &usage) {
		t.Errorf("%v", err)
	}
}
