package app

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/drill"
)

// tell keeps a fact that a tool of the organisation tells; its id is returned.
func (l *learners) tell(kind event.Kind, subject string, at time.Time, data map[string]any) string {
	l.t.Helper()
	e, err := event.New("/import/tool", kind, subject, fmt.Sprint(subject, at, data), at, data)
	if err != nil {
		l.t.Fatal(err)
	}
	l.keep(e)
	return e.ID
}

func (l *learners) keep(events ...event.Event) {
	l.t.Helper()
	if err := l.a.core.Publisher.Publish(l.t.Context(), events...); err != nil {
		l.t.Fatal(err)
	}
	if err := l.a.core.Sink.Drain(l.t.Context()); err != nil {
		l.t.Fatal(err)
	}
}

func (l *learners) now() time.Time { return time.UnixMilli(l.clock.Load()).UTC() }

// passed is that somebody has passed a module's quiz and lacks its evidence alone.
func (l *learners) passed(module, person string) (assignment string) {
	l.t.Helper()
	at := l.now().Add(-48 * time.Hour)
	first, id, err := training.Assigned(training.Assignment{Module: module, Person: person, By: l.o.alpha[0]}, at)
	if err != nil {
		l.t.Fatal(err)
	}
	n := training.Enrolment{Assignment: id, Module: module, Version: 1, Person: person}
	started, err := training.Started(n, at.Add(time.Minute))
	if err != nil {
		l.t.Fatal(err)
	}
	l.keep(first, started)
	l.tell(event.TrainingPassed, "pass "+id, at.Add(time.Hour), map[string]any{"assignment": id, "module": module, "person": person, "attempt": 1, "score": 1})
	return id
}

// state is that of a person's row in the export that their lead reads.
func (l *learners) state(assignment, module string) string {
	l.t.Helper()
	for _, line := range strings.Split(l.page(l.o.alpha[0], "/api/v1/assignments?format=csv"), "\n") {
		if strings.HasPrefix(line, assignment+","+module+",") {
			return line
		}
	}
	return ""
}

func (l *learners) done(assignment, module string, want bool, ref string) {
	l.t.Helper()
	if got := l.state(assignment, module); strings.Contains(got, ",completed,") != want || !strings.Contains(got, ref) {
		l.t.Errorf("%s is completed: want %v by %q, have %s", module, want, ref, got)
	}
}

func TestAModuleIsCompletedByAnEventOneIsIn(t *testing.T) {
	l := newLearners(t)
	lead, abe, amy := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2]
	for _, p := range []string{lead, abe, amy} {
		l.page(p, "/training/FX1")
	}
	complete := func(module, assignment, ref, note string, want int, says string) {
		t.Helper()
		l.later(time.Second)
		l.post(abe, module+"/complete", url.Values{"assignment": {assignment}, "evidence": {ref}, "note": {note}}, want, says)
	}
	const bad, ok = http.StatusBadRequest, http.StatusSeeOther
	day := 24 * time.Hour

	// A deployment of a service of one's own team.
	fx1 := l.passed("FX1", abe)
	own := l.tell(event.ChangeDeployed, "svc-alpha", l.now().Add(-5*day), map[string]any{"service": "svc-alpha", "environment": "staging", "version": "v41, back from v42"})
	theirs := l.tell(event.ChangeDeployed, "svc-beta", l.now().Add(-5*day), map[string]any{"service": "svc-beta", "environment": "staging", "version": "Secret99"})
	if text := l.page(abe, "/training/FX1"); !strings.Contains(text, "v41, back from v42") || strings.Contains(text, "Secret99") {
		t.Error("the form does not offer the deployment of the own service, or offers another team's")
	}
	complete("FX1", fx1, own, "", bad, "Note: missing")
	complete("FX1", fx1, "", "https://wiki.example/x", bad, "Evidence: missing")
	complete("FX1", fx1, theirs, "https://wiki.example/x", bad, "no such event of yours")
	complete("FX1", fx1, "made-up", "https://wiki.example/x", bad, "no such event of yours")
	complete("FX1", fx1, "inc-alpha-1-0", "https://wiki.example/x", bad, "no such event of yours") // an incident is no deployment
	l.done(fx1, "FX1", false, "")
	complete("FX1", fx1, own, "https://wiki.example/rollback", ok, "")
	l.done(fx1, "FX1", true, "change.deployed "+own+"; https://wiki.example/rollback")

	// An incident that one acknowledged, and not one that somebody else did.
	pg2 := l.passed("PG2", abe)
	complete("PG2", pg2, "inc-alpha-2-0", "my list", bad, "no such event of yours")
	complete("PG2", pg2, "inc-alpha-1-0", "my list", ok, "")
	l.done(pg2, "PG2", true, "inc-alpha-1-0; my list")

	// An attestation of the own service that is not too old.
	rs1 := l.passed("RS1", abe)
	old := l.tell(event.ServiceAttested, "svc-alpha", l.now().Add(-91*day), map[string]any{"service": "svc-alpha", "check": "contacts"})
	fresh := l.tell(event.ServiceAttested, "svc-alpha", l.now().Add(-80*day), map[string]any{"service": "svc-alpha", "check": "tier"})
	complete("RS1", rs1, old, "the entry", bad, "no such event of yours")
	complete("RS1", rs1, fresh, "the entry", ok, "")

	// A page that they reviewed under another of their ids, and found to want nothing.
	ln3 := l.passed("LN3", abe)
	useful := l.tell(event.PageReviewed, "pg-1", l.now().Add(-3*day), map[string]any{"page": "pg-1", "by": aliasOf(abe), "verdict": "service"})
	noisy := l.tell(event.PageReviewed, "pg-2", l.now().Add(-3*day), map[string]any{"page": "pg-2", "by": aliasOf(abe), "verdict": "threshold"})
	amys := l.tell(event.PageReviewed, "pg-3", l.now().Add(-3*day), map[string]any{"page": "pg-3", "by": amy, "verdict": "threshold"})
	for _, ref := range []string{useful, amys} {
		complete("LN3", ln3, ref, "30 pages, then 4", bad, "no such event of yours")
	}
	complete("LN3", ln3, noisy, "30 pages, then 4", ok, "")

	// Shadowing is counted: one shift of each sort, ten alerts, four in five that made sense.
	pg6 := l.passed("PG6", abe)
	complete("PG6", pg6, "", "", bad, "no shadow shift has ended")
	at := l.now().Add(-10 * day)
	shift := func(role string, from time.Time) {
		l.tell(event.ShiftWorked, role, from.Add(12*time.Hour), map[string]any{"shift": role, "schedule": "s", "person": abe, "start": from.Format(time.RFC3339), "end": from.Add(12 * time.Hour).Format(time.RFC3339), "role": role})
	}
	shift("shadow", at)
	complete("PG6", pg6, "", "", bad, "no reverse-shadow shift has ended")
	shift("reverse_shadow", at.Add(day))
	judge := func(i int, sense bool, after time.Duration) {
		id := fmt.Sprint("inc-shadowed-", i)
		if after == 0 {
			l.tell(event.IncidentAcknowledged, id, at.Add(day+time.Duration(i)*time.Minute), map[string]any{"incident": id, "person": abe, "actor_kind": "user"})
		}
		l.tell(event.PageReviewed, id, at.Add(day+time.Hour+after), map[string]any{"incident": id, "by": amy, "verdict": "service", "made_sense": sense})
	}
	for i := range 9 {
		judge(i, true, 0)
	}
	complete("PG6", pg6, "", "", bad, "9 acknowledged alerts were judged, and 10 are wanted")
	judge(9, true, 0)
	for i := range 3 {
		judge(i, false, time.Minute) // a second word holds
	}
	complete("PG6", pg6, "", "", bad, "7 of 10 alerts made sense")
	judge(0, true, 2*time.Minute)
	if text := l.page(abe, "/training/PG6"); !strings.Contains(text, "8 of 10") {
		t.Error("the page does not say how far the shadowing is")
	}
	complete("PG6", pg6, "", "", ok, "")
	l.done(pg6, "PG6", true, "alerts acknowledged in reverse shadowing")
	// Their lead reads that it is shown, and not how many made sense.
	for _, path := range []string{"/api/v1/assignments", "/api/v1/assignments?format=csv", "/training/PG6", "/assignments?state=all", "/readiness/" + url.QueryEscape(abe)} {
		if text := l.page(l.o.alpha[0], path); strings.Contains(text, "8 of 10") || strings.Contains(text, "made sense in") {
			t.Errorf("the lead reads in %s how many alerts made sense", path)
		}
	}
}

func TestAModuleIsCompletedBySomebodyElsesWord(t *testing.T) {
	l := newLearners(t)
	lead, abe, amy, art, bea := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2], l.o.alpha[3], l.o.beta[0]
	for _, p := range []string{lead, abe, amy, art, bea} {
		l.page(p, "/training/LN2")
	}
	const bad, ok = http.StatusBadRequest, http.StatusSeeOther
	key := func(module, assignment string) string {
		return newLearner(l.a.core, l.a.curriculum).wordKey(abe, assignment, module)
	}
	word := func(by, module, assignment, ref, note string, want int, says string) {
		t.Helper()
		l.later(time.Second)
		l.post(by, module+"/word", url.Values{"person": {abe}, "assignment": {assignment}, "key": {key(module, assignment)}, "evidence": {ref}, "note": {note}}, want, says)
	}
	ln2 := l.passed("LN2", abe)
	link := "/training/LN2/word?" + url.Values{"person": {abe}, "assignment": {ln2}, "key": {key("LN2", ln2)}}.Encode()
	if text := l.page(abe, "/training/LN2"); !strings.Contains(text, link) {
		t.Error("the page has no link for whoever gives their word")
	}
	if text := l.page(abe, link); strings.Contains(text, "I saw it") || !strings.Contains(text, "Give this address") {
		t.Error("somebody is offered a form about themselves")
	}
	if text := l.page(amy, link); !strings.Contains(text, "I saw it") || !strings.Contains(text, nameOf(abe)) {
		t.Error("a teammate has no form")
	}
	if text := l.page(bea, link); strings.Contains(text, nameOf(abe)) {
		t.Error("who is not of the team reads the name")
	}
	l.post(abe, "LN2/complete", url.Values{"assignment": {ln2}, "evidence": {"I did it"}}, bad, "somebody else’s word")
	word(abe, "LN2", ln2, "", "I did it", bad, "nobody gives their word for themselves")
	word(bea, "LN2", ln2, "", "she did it", http.StatusForbidden, "")
	word(amy, "LN2", ln2, "", "", bad, "Note: missing")
	word(amy, "LN2", "made-up", "", "saw it", bad, "it does not wait")
	l.done(ln2, "LN2", false, "")
	word(amy, "LN2", ln2, "", "the review of inc-alpha-1-0", ok, "")
	l.done(ln2, "LN2", true, "the review of inc-alpha-1-0")
	word(amy, "LN2", ln2, "", "again", bad, "it does not wait")
	if text := l.page(abe, "/training/LN2"); !strings.Contains(text, nameOf(amy)+" gave their word") {
		t.Error("the page does not say whose word it was")
	}

	// What a whole team has to do has one id for all of it, which is no link: without one's key a
	// teammate is not told how far one is, and cannot say that one has done it.
	given, team, err := training.Assigned(training.Assignment{Module: "LN2", Team: "alpha", By: lead}, l.now().Add(-48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	begun, err := training.Started(training.Enrolment{Assignment: team, Module: "LN2", Version: 1, Person: art}, l.now().Add(-47*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	l.keep(given, begun)
	l.tell(event.TrainingPassed, "pass "+team, l.now().Add(-46*time.Hour), map[string]any{"assignment": team, "module": "LN2", "person": art, "attempt": 1, "score": 1})
	about := func(by, key, note string, want int, says string) {
		t.Helper()
		l.post(by, "LN2/word", url.Values{"person": {art}, "assignment": {team}, "key": {key}, "note": {note}}, want, says)
	}
	about(amy, "", "", bad, "it does not wait")
	about(amy, "", "saw it", bad, "it does not wait")
	about(amy, key("LN2", team), "saw it", bad, "it does not wait") // somebody else's
	about(lead, "", "", bad, "Note: missing")                       // who reads that list anyway
	about(amy, newLearner(l.a.core, l.a.curriculum).wordKey(art, team, "LN2"), "saw it", ok, "")

	// A shift is handed over to who holds the next one.
	pg5 := l.passed("PG5", abe)
	hold := func(person string, from, to int) string {
		at := l.now().Add(-72 * time.Hour)
		start, end := at.Add(time.Duration(from)*time.Hour), at.Add(time.Duration(to)*time.Hour)
		return l.tell(event.ShiftWorked, person, end, map[string]any{"shift": fmt.Sprint("over-", from, person), "schedule": "over", "person": person, "start": start.Format(time.RFC3339), "end": end.Format(time.RFC3339)})
	}
	first := hold(abe, 0, 12)
	hold(art, 12, 24)
	hold(amy, 40, 52) // not the next one
	word(amy, "PG5", pg5, first, "read it back", bad, "the next shift is not yours")
	word(art, "PG5", pg5, "made-up", "read it back", bad, "no such shift")
	word(art, "PG5", pg5, first, "read it back", ok, "")
	l.done(pg5, "PG5", true, "shift.worked "+first+"; read it back")

	// A drill that was run at a table.
	ic4 := l.passed("IC4", abe)
	l.post(abe, "IC4/complete", url.Values{"assignment": {ic4}, "note": {"amy took over"}}, bad, "0 of 1 drills")
	word(lead, "IC4", ic4, "", "tabletop of 12 May, hand-over to Amy at 14:20", ok, "")
	l.done(ic4, "IC4", true, "tabletop of 12 May")
}

// A drill that is good enough completes its module at once, whichever comes last of drill and
// quiz; and one that is not does nothing.
func TestADrillCompletesItsModuleAtOnce(t *testing.T) {
	dir := t.TempDir()
	text, err := os.ReadFile("../../training/curriculum/ls/ls5.md")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(strings.Replace(string(text), "version: 1\n", "version: 2\nreplaces: 1\n", 1), "  score: 70\n", "  score: 15\n", 1)
	if err := os.MkdirAll(filepath.Join(dir, "ls"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ls", "ls5.md"), []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	l := newLearners(t, func(c *Config) { c.Curriculum = dir })
	if m, _ := l.a.curriculum.Module("LS5"); m.Version != 2 || m.LeastScore() != 15 {
		t.Fatalf("the curriculum: %d, %v", m.Version, m.LeastScore())
	}
	abe, amy := l.o.alpha[1], l.o.alpha[2]
	for _, p := range []string{abe, amy} {
		l.page(p, "/training/LS5")
	}
	play := newPlayer(l.a.core)
	play.over = newLearner(l.a.core, l.a.curriculum).Played
	as := func(p string) access.Who {
		return access.As(access.Identity{Person: p}, access.Membership{Person: p, Teams: []string{"alpha"}}, access.Viewer, access.Member)
	}
	played := func(p string, steps ...string) string {
		t.Helper()
		l.later(time.Second)
		id, err := play.Start(t.Context(), as(p), "the-database-that-was-not")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			l.later(time.Second)
			if err := play.Act(t.Context(), as(p), id, s); err != nil {
				t.Fatal(err)
			}
		}
		l.later(time.Second)
		if err := play.Finish(t.Context(), as(p), id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	demos, err := drill.Demos()
	if err != nil {
		t.Fatal(err)
	}
	right := ""
	for _, d := range demos {
		if d.Drill.ID == "the-database-that-was-not" {
			right = d.Drill.Facts.Service
		}
	}
	ls5 := l.passed("LS5", abe)
	played(abe)
	l.done(ls5, "LS5", false, "")
	if text := l.page(abe, "/training/LS5"); !strings.Contains(text, "15 points or more") || !strings.Contains(text, "/drills/the-database-that-was-not") {
		t.Error("the page does not say which drill is wanted, or where it is")
	}
	l.post(abe, "LS5/complete", url.Values{"assignment": {ls5}}, http.StatusBadRequest, "0 of 1 drills")
	good := played(abe, "look:"+right)
	l.done(ls5, "LS5", true, "attempt "+good)

	// First the drill, then the quiz; what it completes does not depend on who looks.
	at := l.now()
	first, id, err := training.Assigned(training.Assignment{Module: "LS5", Person: amy, By: l.o.alpha[0]}, at)
	if err != nil {
		t.Fatal(err)
	}
	started, err := training.Started(training.Enrolment{Assignment: id, Module: "LS5", Version: 2, Person: amy}, at)
	if err != nil {
		t.Fatal(err)
	}
	l.keep(first, started)
	good = played(amy, "look:"+right)
	l.done(id, "LS5", false, "")
	l.post(amy, "LS5/quiz", l.quizOf("LS5", amy, l.page(amy, "/training/LS5"), true), http.StatusOK, "right: passed.")
	l.done(id, "LS5", true, "attempt "+good)
}

// A badge expires, is renewed by the quiz alone, and what people say of the module is counted
// from three on.
func TestABadgeIsRenewedAndAModuleRated(t *testing.T) {
	l := newLearners(t)
	lead, abe, amy, art, bea := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2], l.o.alpha[3], l.o.beta[0]
	for _, p := range []string{lead, abe, amy, art, bea} {
		l.page(p, "/training/PG1")
	}
	shown := l.passed("PG1", abe)
	l.post(abe, "PG1/complete", url.Values{"assignment": {shown}, "evidence": {"https://wiki.example/own"}}, http.StatusSeeOther, "")
	if text := l.page(abe, "/me"); !strings.Contains(text, "expires 20 Jun 2027") || !strings.Contains(text, "<b>1 current</b>") {
		t.Error("/me does not say how long the badge lasts")
	}
	if text := l.page(lead, "/training/PG1"); !strings.Contains(text, "refresh due 20 Jun 2027") || !strings.Contains(text, "<b>1 person</b> of the 1 below") {
		t.Error("the lead does not read when the refresh is due")
	}
	l.later(365 * 24 * time.Hour)
	if text := l.page(abe, "/me"); !strings.Contains(text, "expired 20 Jun 2027") || !strings.Contains(text, "<b>0 current</b>, 1 expired") {
		t.Error("/me does not say that the badge has expired")
	}
	if text := l.page(lead, "/training/PG1"); !strings.Contains(text, "refresh overdue since 20 Jun 2027") {
		t.Error("the lead does not read that the refresh is overdue")
	}
	l.post(abe, "PG1/start", url.Values{}, http.StatusSeeOther, "")
	l.later(time.Hour)
	l.post(abe, "PG1/quiz", l.quiz(abe, l.page(abe, "/training/PG1"), true), http.StatusOK, "right: passed.")
	if text := l.page(abe, "/me"); !strings.Contains(text, "expires 19 Jun 2028") || strings.Contains(text, "show it by") {
		t.Error("the quiz does not renew the badge, or leaves work to do")
	}

	l.post(amy, "PG1/rate", url.Values{"helped": {"yes"}, "after": {"module"}}, http.StatusBadRequest, "pass its quiz first")
	l.post(abe, "PG1/rate", url.Values{"helped": {"perhaps"}, "after": {"module"}}, http.StatusBadRequest, "Helped: must be yes or no")
	l.post(abe, "PG1/rate", url.Values{"helped": {"no"}, "after": {"never"}}, http.StatusBadRequest, "After: must be")
	l.passed("PG1", amy)
	l.passed("PG1", art)
	rate := func(p, word, after string) {
		l.later(time.Second)
		l.post(p, "PG1/rate", url.Values{"helped": {word}, "after": {after}}, http.StatusSeeOther, "")
	}
	rate(abe, "no", "module")
	rate(abe, "yes", "page") // their last word
	rate(amy, "no", "module")
	for _, p := range []string{lead, abe, bea} {
		if text := l.page(p, "/training/PG1"); strings.Contains(text, "say that it helped") {
			t.Errorf("%s reads what two people said", p)
		}
	}
	if text := l.page(abe, "/training/PG1"); !strings.Contains(text, "You said yes.") {
		t.Error("one's own word is not shown to oneself")
	}
	rate(art, "yes", "module")
	for _, p := range []string{lead, bea} {
		if text := l.page(p, "/training/PG1"); !strings.Contains(text, "<b>2 of 3</b> people say that it helped") {
			t.Errorf("%s does not read what three people said", p)
		}
	}
}
