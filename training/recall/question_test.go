package recall

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// moved is a case with every fact: acknowledged after 4 minutes, a note after 9, search
// brought in after 20, over after 70 minutes.
func moved() Case {
	open := time.Date(2026, 5, 4, 1, 0, 0, 0, time.UTC)
	at := func(m int) time.Time { return open.Add(time.Duration(m) * time.Minute) }
	return Case{
		Incident: "i1", Title: "Consumer lag above 10,000", First: Named{"edge", "Edge"}, Service: Named{"pay", "Payments"}, Owner: "payments", AlertClass: "lag",
		Opened: open, Resolved: at(70), Before: 3, BeforeKnown: true,
		Steps:    []Step{{Acknowledge, at(4), ""}, {Note, at(9), ""}, {BringIn, at(20), "search"}, {Resolve, at(70), ""}},
		Services: []Named{{"pay", "Payments"}, {"ledger", "Ledger"}, {"find", "Find"}, {"cart", "Cart"}},
		Teams:    []Named{{"payments", "Payments"}, {"search", "Search"}, {"edge-team", "Edge"}, {"web", "Web"}},
		Classes:  []string{"disk", "lag", "latency", "certificate"},
	}
}

func byKind(t *testing.T, c Case) map[string]Question {
	t.Helper()
	out := map[string]Question{}
	for _, q := range Ask(c) {
		kind, _, _ := strings.Cut(q.ID, ":")
		out[kind] = q
		if len(q.Options) < 3 || len(q.Options) > 4 || q.Answer(q.Right) == "" || q.Explain == "" || q.Text == "" {
			t.Errorf("%+v", q)
		}
		keys := map[string]bool{}
		for _, o := range q.Options {
			if o.Text == "" || keys[o.Key] || keys[o.Text] {
				t.Errorf("%s: option %+v is empty or there twice", q.ID, o)
			}
			keys[o.Key], keys[o.Text] = true, true
		}
	}
	return out
}

func TestQuestionsAskForFacts(t *testing.T) {
	got := byKind(t, moved())
	for kind, want := range map[string][2]string{
		"cause": {"Payments", "moved to Payments"}, "help": {"Search", "after 20 minutes"}, "first": {"a note was written", "after 4 minutes; 5 minutes after that"},
		"lasted": {"one to four hours", "70 minutes"}, "class": {"lag", ""}, "again": {"two to four times", "3 of them"},
	} {
		q, ok := got[kind]
		if !ok {
			if kind == "class" { // the title has the word
				continue
			}
			t.Errorf("no question of the kind %s", kind)
			continue
		}
		if q.Answer(q.Right) != want[0] || !strings.Contains(q.Explain, want[1]) {
			t.Errorf("%s: %q, right is %q, explained by %q", kind, q.Text, q.Answer(q.Right), q.Explain)
		}
	}
	if _, ok := got["class"]; ok {
		t.Error("the class is asked for, which the title says")
	}
	if q := got["cause"]; !slices.ContainsFunc(q.Options, func(o Option) bool { return o.Key == "edge" }) {
		t.Error("the service it was filed under is no wrong option")
	}
	// The title says it all: neither service nor class is asked.
	c := moved()
	c.Title, c.First = "payments: lag", c.Service
	if got := byKind(t, c); got["cause"].ID != "" || got["class"].ID != "" {
		t.Errorf("%+v", got)
	}
	c = moved()
	c.Title = "Something is slow"
	if got := byKind(t, c); got["class"].Right != "lag" {
		t.Errorf("%+v", got["class"])
	}
	// Help of one's own team is none.
	c = moved()
	c.Steps[2].Team = "payments"
	if got := byKind(t, c); got["help"].Right != nobodyElse {
		t.Errorf("%+v", got["help"])
	}
	// Without facts there are no questions.
	if got := Ask(Case{Incident: "i2", Title: "x"}); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if _, ok := byKind(t, Case{Incident: "i", Title: "x", Service: Named{"a", "A"}, Services: []Named{{"a", "A"}, {"b", "B"}}})["cause"]; ok {
		t.Error("a question of two options")
	}
}

// The same facts give the same question, whatever order what exists is listed in behind the
// nearest; other facts give another digest.
func TestQuestionsAreDeterministic(t *testing.T) {
	a, b := Ask(moved()), Ask(moved())
	if !reflect.DeepEqual(a, b) {
		t.Error("twice the same facts, two questions")
	}
	c := moved()
	c.Services[1].Name = "Books"
	for i, q := range Ask(c) {
		if changed := strings.HasPrefix(q.ID, "cause"); (q.Digest != a[i].Digest) != changed {
			t.Errorf("%s: its digest %v with a name", q.ID, changed)
		}
	}
	// The right one is not always at the same place.
	places := map[int]int{}
	for i := range 200 {
		c := moved()
		c.Incident = string(rune('a'+i%26)) + string(rune('a'+i/26))
		q := byKind(t, c)["lasted"]
		places[slices.IndexFunc(q.Options, func(o Option) bool { return o.Key == q.Right })]++
	}
	for place := range 4 {
		if places[place] < 25 {
			t.Errorf("the right one is at place %d in %d of 200 questions", place, places[place])
		}
	}
}

func TestAnsweredNamesNobodyInItsID(t *testing.T) {
	q := byKind(t, moved())["cause"]
	at := time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC)
	week := WeekOf(at, time.UTC)
	e, err := Answered("Ana@Example.org", q, week, false, at)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Answered("ana@example.org", q, week, false, at)
	if err != nil {
		t.Fatal(err)
	}
	if e.ID != again.ID || e.Source != event.OwnSource || strings.Contains(strings.ToLower(e.ID+e.Subject+e.Key), "ana") {
		t.Errorf("%+v and %+v", e, again)
	}
	var data answeredData
	if err := json.Unmarshal(e.Data, &data); err != nil || data.Grade != 1 || data.Correct || data.Week != week.Name || data.Incident != "i1" || strings.Contains(string(e.Data), `"cart"`) {
		t.Errorf("%s %v", e.Data, err)
	}
}
