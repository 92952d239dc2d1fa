package app

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	questionHidden = regexp.MustCompile(`name="(question|digest)" value="([^"]*)"`)
	questionOption = regexp.MustCompile(`type="radio" name="answer" value="([^"]*)" required> <span>([^<]*)<`)
	questionRight  = regexp.MustCompile(`it was “([^”]*)”|Right: “([^”]*)”`)
)

// One question a week, asked and answered in the browser's way: what a form brings is not
// believed, two windows answer once, and nobody else reads of it.
func TestQuestionIsAnsweredOnceAWeek(t *testing.T) {
	l := newLearners(t)
	member, lead := l.o.alpha[1], l.o.alpha[0]
	asked := func(page string) (form url.Values, options [][2]string) {
		form = url.Values{}
		for _, x := range questionHidden.FindAllStringSubmatch(page, -1) {
			form.Set(x[1], x[2])
		}
		for _, x := range questionOption.FindAllStringSubmatch(page, -1) {
			options = append(options, [2]string{x[1], x[2]})
		}
		return form, options
	}
	page := l.page(member, "/training/question")
	form, options := asked(page)
	if form.Get("question") == "" || len(options) < 3 || !strings.Contains(form.Get("question"), ":inc-alpha-") {
		t.Fatalf("%v %v: %.600s", form, options, after(page))
	}
	if !strings.Contains(l.page(member, "/me"), "answer it") || !strings.Contains(l.page(member, "/training"), "answer it") {
		t.Error("a question waits, and neither /me nor /training says so")
	}
	send := func(person string, change ...string) (int, string) {
		f := url.Values{"question": {form.Get("question")}, "digest": {form.Get("digest")}, "answer": {options[0][0]}}
		for i := 0; i < len(change); i += 2 {
			f.Set(change[i], change[i+1])
		}
		return l.send(person, "POST", "/training/question", f)
	}
	for says, change := range map[string][]string{
		"Answer: choose one": {"answer", ""}, "Answer: choose one.": {"answer", "of my own"}, "Question: it has changed": {"digest", "old"}, "Question: it has changed since": {"question", "lasted:inc-duo-0-0"},
	} {
		if code, page := send(member, change...); code != http.StatusBadRequest || !strings.Contains(page, says) || !strings.Contains(page, `name="answer"`) {
			t.Errorf("%v: %d, want %q: %.600s", change, code, says, after(page))
		}
	}
	// The question of one is not another's to answer.
	l.page("guest@matrix.example", "/training/question")
	if code, page := send("guest@matrix.example"); code != http.StatusBadRequest || !strings.Contains(page, "it has changed") {
		t.Errorf("a stranger: %d %.400s", code, after(page))
	}
	l.page(l.o.beta[0], "/training/question")
	if code, _ := send(l.o.beta[0]); code != http.StatusBadRequest {
		t.Errorf("a lead elsewhere: %d", code)
	}
	// Two windows, or a button that is pressed five times.
	var done, refused atomic.Int32
	var result atomic.Value
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			switch code, page := send(member); code {
			case http.StatusOK:
				done.Add(1)
				result.Store(page)
			case http.StatusBadRequest:
				refused.Add(1)
			}
		})
	}
	all.Wait()
	if done.Load() != 1 || refused.Load() != 4 {
		t.Fatalf("of five, %d were marked and %d refused", done.Load(), refused.Load())
	}
	marked, _ := result.Load().(string)
	found := questionRight.FindStringSubmatch(marked)
	if found == nil || !strings.Contains(marked, "minute by minute") || !strings.Contains(marked, "Monday, 22 Jun") {
		t.Fatalf("%.900s", after(marked))
	}
	right := found[1]+found[2] == options[0][1]
	if strings.Contains(marked, "Right: ") != right {
		t.Errorf("%v was chosen of %v: %.600s", options[0], options, after(marked))
	}
	page = l.page(member, "/training/question")
	if _, left := asked(page); len(left) != 0 || !strings.Contains(page, "“"+found[1]+found[2]+"”") || !strings.Contains(page, "The next one comes") {
		t.Errorf("after it: %.900s", after(page))
	}
	for _, person := range []string{lead, "pam@matrix.example"} {
		for _, path := range []string{"/training/question", "/incidents/" + strings.SplitN(form.Get("question"), ":", 2)[1], "/people/" + url.PathEscape(member), "/api/v1/events?incident=" + strings.SplitN(form.Get("question"), ":", 2)[1]} {
			if _, page := l.send(person, "GET", path, nil); strings.Contains(page, "question.answered") || strings.Contains(page, answeredOf(member)) {
				t.Errorf("%s reads on %s what somebody answered", person, path)
			}
		}
	}
	// The next week there is another, or the same if it was not right.
	l.later(7 * 24 * time.Hour)
	next, _ := asked(l.page(member, "/training/question"))
	if id := next.Get("question"); id == "" || !right && id != form.Get("question") {
		t.Errorf("a week after a right answer (%v) to %s: %s", right, form.Get("question"), id)
	}
}
