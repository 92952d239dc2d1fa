package app

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/drill"
	"github.com/stewardhq/steward/training/evidence"
)

// From incidents to what people can do, on the whole product.
//
// The organisation is the matrix': ann leads alpha, where abe and amy are on call and art goes
// along; bea leads beta. It is noon on Saturday, 20 June 2026.

// showers is a running product whose skills are derived when the test says so.
type showers struct {
	*learners
	n int
}

func (s *showers) tell(kind event.Kind, at time.Time, data map[string]any) {
	s.t.Helper()
	s.n++
	source := "/tool/acme"
	if strings.HasPrefix(string(kind), "training.") {
		source = "/steward"
	}
	e, err := event.New(source, kind, "x", fmt.Sprint("shown", s.n), at, data)
	if err != nil {
		s.t.Fatal(err)
	}
	s.add(e)
}

func (s *showers) add(events ...event.Event) {
	s.t.Helper()
	if err := s.a.core.Publisher.Publish(s.t.Context(), events...); err != nil {
		s.t.Fatal(err)
	}
	if err := s.a.core.Sink.Drain(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// incident tells a story: "abe ack", "abe escalate amy", "amy note", "abe resolve"; ten
// minutes apart, over by end.
func (s *showers) incident(id, class string, from time.Time, steps ...string) {
	s.tell(event.IncidentOpened, from, map[string]any{"incident": id, "title": "lag", "service": "svc-alpha", "alert_class": class, "priority": "P2"})
	for n, step := range steps {
		w := strings.Fields(step)
		s.act(id, from.Add(time.Duration(n+1)*10*time.Minute), w[0], w[1:]...)
	}
}

func (s *showers) act(id string, at time.Time, who string, what ...string) {
	d := map[string]any{"incident": id, "person": s.who(who), "actor_kind": "user"}
	kind := map[string]event.Kind{"ack": event.IncidentAcknowledged, "note": event.IncidentNoted, "resolve": event.IncidentResolved, "escalate": event.IncidentEscalated, "reopen": event.IncidentReopened}[what[0]]
	if kind == event.IncidentEscalated {
		d["to"], d["cause"] = []string{"person:" + s.who(what[1])}, "manual"
	}
	s.tell(kind, at, d)
}

func (s *showers) who(short string) string {
	return s.o.all[slices.IndexFunc(s.o.all, func(p string) bool { return strings.HasPrefix(p, short+"-") })]
}

func (s *showers) derive() derived {
	s.t.Helper()
	got, err := s.a.core.deriver.settle(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// stands is what somebody's evidence that stands says: "skill kind ref".
func (s *showers) stands(short string) string {
	s.t.Helper()
	rows, err := s.a.core.Store.For(access.Operator(), "").Evidence(s.t.Context(), s.who(short))
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, r := range rows {
		if r.Voided.IsZero() && r.Skill != "queues" && r.Skill != "drill-facilitation" { // which the matrix' history begins with
			ref := r.Ref
			if strings.HasPrefix(ref, "shift-") {
				ref = "shift"
			}
			out = append(out, r.Skill+" "+r.Kind+" "+ref)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// levels are all levels and weights there are.
func (s *showers) levels() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, skill := range []string{"queue-stream-ops", "datastore-ops", "hypothesis-debugging", "queues"} {
		a, err := s.a.core.Store.For(access.Operator(), "").Query(s.t.Context(), "skill_levels", url.Values{"skill": {skill}})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range a.Rows {
			out[fmt.Sprint(r[1], " ", skill)] = fmt.Sprint(r[2:5])
		}
	}
	return out
}

// changed are the keys of two maps that differ.
func changed(before, after map[string]string) []string {
	var out []string
	for k := range maps.Keys(after) {
		if before[k] != after[k] {
			out = append(out, k)
		}
	}
	for k := range maps.Keys(before) {
		if _, ok := after[k]; !ok {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

var evidenceInput = regexp.MustCompile(`name="evidence" value="([^"]+)"`)

// piece is the id that the page of a person has in the form beside a text.
func (s *showers) piece(page, text string) string {
	s.t.Helper()
	at := strings.Index(page, text)
	if at < 0 {
		s.t.Fatalf("the page does not say %q", text)
	}
	m := evidenceInput.FindStringSubmatch(page[at:])
	if m == nil {
		s.t.Fatalf("no form after %q", text)
	}
	return m[1]
}

// form posts one and wants a status.
func (s *showers) form(person, path string, form url.Values, want int, says string) {
	s.t.Helper()
	if code, text := s.send(person, "POST", path, form); code != want || !strings.Contains(text, says) {
		_, answer, _ := strings.Cut(text, "<main")
		s.t.Errorf("%s posts %s %v: %d, want %d and %q: %.400s", person, path, form, code, want, says, answer)
	}
}

func TestSkillsFromIncidents(t *testing.T) {
	s := &showers{learners: newLearners(t)}
	s.a.core.deriver.rest = func(context.Context, time.Duration) {}
	const queues = "queue-stream-ops"
	abe, amy, ann, bea := s.who("abe"), s.who("amy"), s.who("ann"), s.who("bea")
	day := func(n, hour int) time.Time { return time.Date(2026, 6, n, hour, 0, 0, 0, time.UTC) }

	s.incident("x1", "queue-lag", day(1, 9), "abe ack", "abe resolve")
	s.incident("x2", "queue-lag", day(2, 9), "abe ack", "abe resolve")
	s.incident("x3", "queue-lag", day(3, 9), "abe ack", "abe escalate amy", "amy note", "abe resolve")
	s.incident("merged", "queue-lag", day(4, 9), "abe ack", "abe resolve")
	s.tell(event.IncidentMerged, day(4, 12), map[string]any{"incident": "merged", "into": "x3", "person": abe})
	s.incident("auto", "queue-lag", day(5, 9), "abe ack")
	s.tell(event.IncidentResolved, day(5, 10), map[string]any{"incident": "auto", "actor_kind": "service", "auto": true})
	shift := func(id, who, role string, from, to time.Time) {
		s.tell(event.ShiftWorked, to, map[string]any{"shift": id + who, "schedule": "alpha", "person": who, "role": role, "start": from, "end": to})
	}
	shift("week/", abe, "primary", day(1, 0), day(8, 0))
	shift("beside/", s.who("art"), "shadow", day(1, 0), day(2, 0))
	s.tell(event.TrainingPassed, day(6, 9), map[string]any{"assignment": "as", "module": "FX4", "person": amy})
	if e, err := event.New("/tool/acme", event.TrainingPassed, "x", "theirs", day(6, 9), map[string]any{"assignment": "other", "module": "FX4", "person": bea}); err != nil {
		t.Fatal(err)
	} else {
		s.add(e)
	}
	for k, score := range []float64{80, 90} { // the second knew the answers
		e, err := drill.Finished(drill.Player{Drill: "lag-that-does-not-drain", Attempt: fmt.Sprint("try", k), Person: amy}, drill.Parts{Score: score}, day(7, 9+k))
		if err != nil {
			t.Fatal(err)
		}
		s.add(e)
	}

	before := s.levels()
	got := s.derive()
	if !got.All || got.Tags == 0 || got.Evidence == 0 || got.Undone != 0 {
		t.Fatalf("the first run: %+v", got)
	}
	const abes = queues + " led x3, " + queues + " solo x1, " + queues + " solo x2, " + queues + " taught shift"
	for who, want := range map[string]string{"abe": abes, "art": queues + " shadow x1", "bea": ""} {
		if got := s.stands(who); got != want {
			t.Errorf("%s shows %s, want %s", who, got, want)
		}
	}
	if got := s.stands("amy"); !strings.Contains(got, queues+" assist x3") || !strings.Contains(got, queues+" quiz FX4") || strings.Count(got, "drill lag-that-does-not-drain") != len(demoSkills(t, s, "lag-that-does-not-drain")) {
		t.Errorf("amy shows %s", got)
	}
	if after := s.levels(); !strings.HasPrefix(after[abe+" "+queues], "[3 3.1 ") || len(changed(before, after)) == 0 {
		t.Errorf("abe's level is %s", after[abe+" "+queues]) // two solo days and 3.1 points
	}
	if got := s.derive(); got.events() != 0 || got.All {
		t.Errorf("again: %+v", got)
	}
	if s.a.core.skillsBehind() {
		t.Error("all is derived, and pages say it is not")
	}
	if err := s.a.core.skillsUnknown(); err != nil {
		t.Fatal(err)
	}
	if !s.a.core.skillsBehind() {
		t.Error("all of history is to be derived, and no page says so")
	}
	if got := s.derive(); got.events() != 0 || !got.All || s.a.core.skillsBehind() {
		t.Errorf("all of history again: %+v, behind %v", got, s.a.core.skillsBehind())
	}

	// Contested, it is out at once, changes that person's skill alone, and is not derived again.
	before = s.levels()
	page := s.page(abe, "/me")
	if !strings.Contains(page, "What can I do?") || !strings.Contains(page, "resolved alone") {
		t.Fatal("the page does not say what abe can do")
	}
	id := s.piece(page, ">x2</a>")
	s.form(abe, "/me/skills", url.Values{"evidence": {id}, "reason": {""}}, http.StatusBadRequest, "eason: missing")
	s.page(amy, "/me")
	s.form(amy, "/me/skills", url.Values{"evidence": {id}, "reason": {"envy"}}, http.StatusBadRequest, "you have none such")
	s.form(abe, "/me/skills", url.Values{"evidence": {id}, "reason": {"it healed itself"}}, http.StatusSeeOther, "")
	if got := changed(before, s.levels()); fmt.Sprint(got) != "["+abe+" "+queues+"]" {
		t.Errorf("a void changed %v", got)
	}
	if err := s.a.core.skillsUnknown(); err != nil {
		t.Fatal(err)
	}
	if got := s.derive(); got.events() != 0 {
		t.Errorf("what was contested is derived again: %+v", got)
	}
	if page := s.page(abe, "/me"); !strings.Contains(page, "it healed itself") || !strings.Contains(page, "1 taken out") {
		t.Error("what was taken out is not there to read")
	}

	// A late word: x1 was reopened, and somebody else resolved it.
	s.later(time.Hour)
	s.act("x1", day(1, 10), "amy", "reopen")
	s.act("x1", day(1, 11), "amy", "resolve")
	if got := s.derive(); got.All || got.Undone == 0 {
		t.Errorf("a late event: %+v", got)
	}
	if got := s.stands("abe"); got != queues+" led x3, "+queues+" taught shift" {
		t.Errorf("after the late event abe shows %s", got)
	}

	// One tap, by whom it concerns; taken back with a reason.
	s.page(ann, "/incidents/x3")
	s.form(ann, "/incidents/x3/skills", url.Values{"tag": {"datastore-ops"}}, http.StatusSeeOther, "")
	s.form(ann, "/incidents/x3/skills", url.Values{"tag": {"juggling"}}, http.StatusBadRequest, "there is none called so")
	if page := s.page(bea, "/incidents/x3"); strings.Contains(page, "What did it take?") {
		t.Error("who has nothing to do with it is asked")
	}
	s.form(bea, "/incidents/x3/skills", url.Values{"tag": {"datastore-ops"}}, http.StatusForbidden, "")
	s.derive()
	if got := s.stands("abe"); !strings.Contains(got, "datastore-ops led x3") {
		t.Errorf("tagged, abe shows %s", got)
	}
	if page := s.page(abe, "/incidents/x3"); !strings.Contains(page, ", reviewer") || !strings.Contains(page, "by the rule queue") {
		t.Error("who said so is not there")
	}
	// Somebody of another team who acted says so too, and reads neither names nor words.
	s.act("auto", day(5, 9).Add(30*time.Minute), "bea", "note")
	s.page(ann, "/incidents/auto")
	s.form(ann, "/incidents/auto/skills", url.Values{"tag": {"datastore-ops"}}, http.StatusSeeOther, "")
	s.form(ann, "/incidents/auto/skills", url.Values{"untag": {"datastore-ops"}, "reason": {"Zebra crossing"}}, http.StatusSeeOther, "")
	if page := s.page(bea, "/incidents/auto"); !strings.Contains(page, "taken back by somebody") || strings.Contains(page, nameOf(ann)) || strings.Contains(page, ann) || strings.Contains(page, "Zebra") {
		t.Error("an outside responder does not read what it took, or reads who said so and why")
	}
	s.form(bea, "/incidents/auto/skills", url.Values{"tag": {"hypothesis-debugging"}}, http.StatusSeeOther, "")
	if page := s.page(ann, "/incidents/auto"); !strings.Contains(page, ", responder") {
		t.Error("what an outside responder said is not there")
	}
	s.form(ann, "/incidents/x3/skills", url.Values{"untag": {"datastore-ops"}, "reason": {"it was not"}}, http.StatusSeeOther, "")
	s.form(ann, "/incidents/x3/skills", url.Values{"untag": {queues}, "reason": {"nor that"}}, http.StatusSeeOther, "")
	s.later(time.Minute)
	s.derive()
	if got := s.stands("abe"); got != queues+" taught shift" {
		t.Errorf("taken back, abe shows %s", got)
	}
	if err := s.a.core.skillsUnknown(); err != nil {
		t.Fatal(err)
	}
	if got := s.derive(); got.events() != 0 {
		t.Errorf("the rules say again what a person took back: %+v", got)
	}

	// A peer who was there attests; nobody else does, and no lead reads it.
	attest := url.Values{"person": {abe}, "skill": {"hypothesis-debugging"}, "note": {"Asked what had changed"}}
	s.form(ann, "/incidents/x3/skills", maps.Clone(attest), http.StatusForbidden, "both acted")
	s.page(amy, "/incidents/x3")
	s.form(amy, "/incidents/x3/skills", url.Values{"person": {amy}, "skill": {queues}}, http.StatusForbidden, "nobody attests themselves")
	s.form(amy, "/incidents/x3/skills", maps.Clone(attest), http.StatusSeeOther, "")
	s.form(amy, "/incidents/x3/skills", maps.Clone(attest), http.StatusBadRequest, "already")
	if page := s.page(abe, "/me"); !strings.Contains(page, "the word of "+nameOf(amy)+": Asked what had changed") {
		t.Error("abe does not read who attested what")
	}
	if page := s.page(ann, "/people/"+url.PathEscape(abe)); strings.Contains(page, "What can they do?") || strings.Contains(page, "Asked what had") {
		t.Error("a lead reads what somebody can do")
	}
	if _, events := s.send(ann, "GET", "/api/v1/events?incident=x3", nil); strings.Contains(events, "Asked what had") {
		t.Error("an attestation stands among the incident's events")
	}

	// A people admin takes it out; the look and the act are recorded.
	page = s.page("pam@matrix.example", "/people/"+url.PathEscape(abe))
	s.form("pam@matrix.example", "/people/"+url.PathEscape(abe)+"/skills", url.Values{"evidence": {s.piece(page, "Asked what had changed")}, "reason": {"they are the same person"}}, http.StatusSeeOther, "")
	if got := s.stands("abe"); strings.Contains(got, "attested") {
		t.Errorf("voided by a people admin, abe shows %s", got)
	}
	if page := s.page(abe, "/me"); !strings.Contains(page, "pam@matrix.example") {
		t.Error("abe does not read who looked")
	}
	if n := rowsOf(t, s.a.core, "SELECT JSONExtractString(data, 'action'), count() FROM events WHERE kind = 'audit.recorded' GROUP BY 1")["void evidence"]; n != 1 {
		t.Errorf("%d acts in the audit log", n)
	}
}

func demoSkills(t *testing.T, s *showers, id string) []string {
	t.Helper()
	d, err := s.a.core.Store.For(access.Operator(), "").Drill(t.Context(), id)
	if err != nil || len(d.Skills) == 0 {
		t.Fatalf("%s exercises %v, %v", id, d, err)
	}
	return d.Skills
}

// Other rules: what the old ones said and the new ones do not is taken back, and comes again
// with the old ones, but for what somebody contested.
func TestOtherRulesDeriveAnew(t *testing.T) {
	s := &showers{learners: newLearners(t)}
	at := time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)
	s.incident("x1", "queue-lag", at, "abe ack", "abe resolve")
	s.incident("x2", "queue-lag", at.AddDate(0, 0, 1), "amy ack", "amy resolve")
	d := s.a.core.deriver
	d.rest = func(context.Context, time.Duration) {}
	old := d.rules
	other, err := evidence.ReadRules("own.yaml", []byte("version: b\nmode: replace\nrules:\n  - {id: db, when: {alert_class: [\"queue-*\"]}, skills: [datastore-ops]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s.derive()
	before := s.stands("abe") + "; " + s.stands("amy")
	if before != "queue-stream-ops solo x1; queue-stream-ops solo x2" {
		t.Fatal(before)
	}
	page := s.page(s.who("amy"), "/me")
	s.form(s.who("amy"), "/me/skills", url.Values{"evidence": {s.piece(page, ">x2</a>")}, "reason": {"no"}}, http.StatusSeeOther, "")
	for k, want := range []string{"datastore-ops solo x1; datastore-ops solo x2", "queue-stream-ops solo x1; ", "datastore-ops solo x1; datastore-ops solo x2", "queue-stream-ops solo x1; "} {
		s.later(time.Minute)
		if d.rules = other; k%2 == 1 {
			d.rules = old
		}
		if got := s.derive(); !got.All || got.Undone == 0 || got.Tags == 0 {
			t.Errorf("change %d: %+v", k, got)
		}
		if got := s.stands("abe") + "; " + s.stands("amy"); got != want {
			t.Errorf("change %d: %s, want %s", k, got, want)
		}
		if err := s.a.core.skillsUnknown(); err != nil {
			t.Fatal(err)
		}
		if got := s.derive(); got.events() != 0 {
			t.Errorf("change %d, again: %+v", k, got)
		}
		for incident, n := range rowsOf(t, s.a.core, "SELECT incident, uniqExact(skill) FROM tag GROUP BY incident") {
			if n > 2 {
				t.Errorf("%s was tagged with %d skills", incident, n)
			}
		}
	}
}
