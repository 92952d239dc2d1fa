package xapi

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// passedText is a statement of the profile written by hand from its section 9.
const passedText = `{"id":"2a41c918-b88b-4220-20a5-a4c32391a240","actor":{"objectType":"Agent","account":{"homePage":"https://steward.example.org","name":"k3x7q2ab"}},
"verb":{"id":"http://adlnet.gov/expapi/verbs/passed","display":{"en":"passed"}},"object":{"objectType":"Activity","id":"https://steward.example.org/training/PG3"},
"result":{"score":{"scaled":0.8},"success":true,"duration":"PT9M"},
"context":{"registration":"ec531277-b57b-4c15-8d91-d292c5b2b8f7","contextActivities":{"grouping":[{"id":"https://steward.dev/curriculum/PG3"}],
"category":[{"id":"https://w3id.org/xapi/cmi5/context/categories/cmi5"},{"id":"https://w3id.org/xapi/cmi5/context/categories/moveon"}]},
"extensions":{"https://w3id.org/xapi/cmi5/context/extensions/sessionid":"s1","https://w3id.org/xapi/cmi5/context/extensions/masteryscore":0.75}},"timestamp":"2026-05-04T09:00:00.000Z"}`

var good = strings.Replace(passedText, "4220-20a5", "4220-a0a5", 1)

func TestCmi5(t *testing.T) {
	if faults := ValidateCmi5([]byte(good)); len(faults) > 0 {
		t.Fatal(faults)
	}
	if faults := ValidateCmi5([]byte(voidingText)); len(faults) > 0 {
		t.Fatal(faults)
	}
	verb := func(name string) []string {
		return []string{"http://adlnet.gov/expapi/verbs/passed", verbs[name]}
	}
	const moveon = `,{"id":"https://w3id.org/xapi/cmi5/context/categories/moveon"}`
	for _, c := range []struct {
		name  string
		edits []string
		path  string // empty: it is good
	}{
		{"no UUID", []string{"4220-a0a5", "4220-20a5"}, "id"},
		{"no id", []string{`"id":"2a41c918-b88b-4220-a0a5-a4c32391a240",`, ``}, "id"},
		{"no timestamp", []string{`,"timestamp":"2026-05-04T09:00:00.000Z"`, ``}, "timestamp"},
		{"a zone", []string{"00.000Z", "00.000+01:00"}, "timestamp"},
		{"an address", []string{`"account":{"homePage":"https://steward.example.org","name":"k3x7q2ab"}`, `"mbox":"mailto:ana@example.org"`}, "actor"},
		{"an actor that does not say Agent", []string{`"objectType":"Agent",`, ``}, "actor.objectType"},
		{"another verb", []string{"verbs/passed", "verbs/experienced"}, "verb.id"},
		{"no registration", []string{`"registration":"ec531277-b57b-4c15-8d91-d292c5b2b8f7",`, ``}, "context.registration"},
		{"no session", []string{"extensions/sessionid", "extensions/other"}, "context.extensions"},
		{"no category", []string{"categories/cmi5", "categories/other"}, "context.contextActivities.category"},
		{"no moveOn", []string{moveon, ``}, "context.contextActivities.category"},
		{"no publisher", []string{`"grouping":[{"id":"https://steward.dev/curriculum/PG3"}],`, ``}, "context.contextActivities.grouping"},
		{"not a success", []string{`"success":true`, `"success":false`}, "result.success"},
		{"no success", []string{`"success":true,`, ``}, "result.success"},
		{"a completion", []string{`"success":true`, `"success":true,"completion":true`}, "result.completion"},
		{"no duration", []string{`,"duration":"PT9M"`, ``}, "result.duration"},
		{"a score below nought", []string{`0.8`, `-0.5`}, "result.score.scaled"},
		{"passed below the mark", []string{`0.8`, `0.7`}, "result.score.scaled"},
		{"raw alone", []string{`"scaled":0.8`, `"scaled":0.8,"raw":4`}, "result.score.raw"},
		{"a mark above one", []string{`masteryscore":0.75`, `masteryscore":75`}, "context.extensions"},
		{"failed, with success", verb("failed"), "result.success"},
		{"failed above the mark", append(verb("failed"), `"success":true`, `"success":false`), "result.score.scaled"},
		{"failed at the mark", append(verb("failed"), `"success":true`, `"success":false`, `0.8`, `0.75`), "result.score.scaled"},
		{"failed", append(verb("failed"), `"success":true`, `"success":false`, `0.8`, `0.5`), ""},
		{"completed, with success", append(verb("completed"), `"score":{"scaled":0.8},"success":true`, `"success":true,"completion":true`), "result.success"},
		{"completed, with a score", append(verb("completed"), `"success":true`, `"completion":true`), "result.score"},
		{"completed", append(verb("completed"), `"score":{"scaled":0.8},"success":true`, `"completion":true`), ""},
		{"initialized, with moveOn", append(verb("initialized"), `"score":{"scaled":0.8},"success":true,`, ``), "context.contextActivities.category"},
		{"initialized", append(verb("initialized"), `"score":{"scaled":0.8},"success":true,`, ``, moveon, ``), ""},
		{"abandoned without duration", append(verb("abandoned"), `"result":{"score":{"scaled":0.8},"success":true,"duration":"PT9M"},`, ``, moveon, ``), "result.duration"},
		{"waived without reason", append(verb("waived"), `"score":{"scaled":0.8},"success":true`, `"success":true,"completion":true`), "result.extensions"},
		{"waived", append(verb("waived"), `"score":{"scaled":0.8},"success":true`, `"success":true,"completion":true,"extensions":{"https://w3id.org/xapi/cmi5/result/extensions/reason":"Tested Out"}`), ""},
		{"satisfied with a module", append(verb("satisfied"), `"score":{"scaled":0.8},"success":true,`, ``, moveon, ``), "object.definition.type"},
		{"launched without launch data", append(verb("launched"), `"score":{"scaled":0.8},"success":true,`, ``, moveon, ``), "context.extensions"},
	} {
		text := good
		for i := 0; i < len(c.edits); i += 2 {
			if !strings.Contains(text, c.edits[i]) {
				t.Fatalf("%s: there is no %s", c.name, c.edits[i])
			}
			text = strings.Replace(text, c.edits[i], c.edits[i+1], 1)
		}
		faults := ValidateCmi5([]byte(text))
		found := c.path == "" && len(faults) == 0
		for _, f := range faults {
			found = found || f.Path == c.path
		}
		if !found {
			t.Errorf("%s: want a fault at %q, got %v", c.name, c.path, faults)
		}
	}
}

var session = Session{
	Learner:      Account{"https://steward.example.org", "k3x7q2ab"},
	Registration: "ec531277-b57b-4c15-8d91-d292c5b2b8f7", ID: "s1",
	Activity: "https://steward.example.org/training/PG3", Publisher: "https://steward.dev/curriculum/PG3",
	Title: "The first five minutes of a page", LaunchURL: "https://steward.example.org/training/PG3", MasteryScore: 0.75,
}

// Whatever this package writes, its own reader of the rules lets pass.
func TestWhatIsWrittenIsValid(t *testing.T) {
	at := time.Date(2026, 5, 4, 11, 0, 0, 0, time.FixedZone("", 2*3600))
	list := map[string]Statement{
		"launched": session.Launched(at), "initialized": session.Initialized(at),
		"passed": session.Passed(at, 0.75, 9*time.Minute), "failed": session.Failed(at, 0.5, 90*time.Second),
		"completed": session.Completed(at, time.Hour), "abandoned": session.Abandoned(at, -time.Second), "terminated": session.Terminated(at, 1234*time.Millisecond),
		"satisfied": session.Satisfied(at, Block, "https://steward.example.org/training#PG", "https://steward.dev/curriculum/PG", "Ready for the pager"),
		"voided":    Voiding(Account{"https://steward.example.org", "steward"}, session.Passed(at, 0.75, 0).ID, at),
	}
	for _, reason := range []string{"tested-out", "equivalent", "equivalent-in-a-real-incident", "administrative"} {
		s, err := session.Waived(at, reason)
		if err != nil {
			t.Fatal(err)
		}
		list["waived "+reason] = s
	}
	if _, err := session.Waived(at, "too busy"); err == nil {
		t.Error("an unknown reason waives")
	}
	seen := map[string]string{}
	for name, s := range list {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if faults := ValidateCmi5(text); len(faults) > 0 {
			t.Errorf("%s: %v in %s", name, faults, text)
		}
		if s.Timestamp != "2026-05-04T09:00:00.000Z" {
			t.Errorf("%s: at %s", name, s.Timestamp)
		}
		if other := seen[s.ID]; other != "" && !strings.HasPrefix(name, "waived") {
			t.Errorf("%s and %s are one statement", name, other)
		}
		seen[s.ID] = name
	}
	if session.Passed(at, 0.75, 0).ID != session.Passed(at, 0.75, time.Hour).ID {
		t.Error("exporting the same twice makes two statements")
	}
}

func TestDurations(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "PT0S", -time.Second: "PT0S", 90 * time.Second: "PT90S", 1234 * time.Millisecond: "PT1.23S", 3 * time.Hour: "PT10800S"} {
		if got := iso(d); got != want || !isDuration(got) {
			t.Errorf("%v: %s", d, got)
		}
	}
}

func TestSessionKeepsAddressesIn(t *testing.T) {
	if err := session.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Session){
		"learner.name":     func(s *Session) { s.Learner.Name = "ana@example.org" },
		"learner.homePage": func(s *Session) { s.Learner.HomePage = "steward" },
		"registration":     func(s *Session) { s.Registration = "a1" },
		"id":               func(s *Session) { s.ID = "" },
		"activity":         func(s *Session) { s.Activity = "PG3" },
		"publisher":        func(s *Session) { s.Publisher = "" },
		"launch URL":       func(s *Session) { s.LaunchURL = "/training/PG3" },
		"mastery score":    func(s *Session) { s.MasteryScore = 75 },
	} {
		s := session
		change(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+": ") {
			t.Errorf("%s: %v", field, err)
		}
	}
}
