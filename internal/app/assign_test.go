package app

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// work is what the lead of alpha reads of open work, as "person module due" in order.
func (l *learners) work() []string {
	l.t.Helper()
	lines, err := csv.NewReader(strings.NewReader(l.page(l.o.alpha[0], "/api/v1/assignments?format=csv&team=alpha"))).ReadAll()
	if err != nil {
		l.t.Fatal(err)
	}
	at := func(name string) int { return slices.Index(lines[0], name) }
	var out []string
	for _, x := range lines[1:] {
		if s := x[at("state")]; s == "assigned" || s == "started" || s == "quiz passed" {
			out = append(out, x[at("person")][:3]+" "+x[at("module")]+" "+x[at("due")][:min(10, len(x[at("due")]))])
		}
	}
	slices.Sort(out)
	return out
}

func (l *learners) gives(person string, want int, says string, form url.Values) {
	l.t.Helper()
	l.later(time.Second)
	l.post(person, "assign", form, want, says)
}

// A rule for a rota holds for who is added to it later and follows the plan; a track and what
// comes first are given in one go, and nothing twice.
func TestAssigningToARotaATrackAndWhatComesFirst(t *testing.T) {
	l := newLearners(t)
	lead, abe, amy, art, bea := l.o.alpha[0], l.o.alpha[1], l.o.alpha[2], l.o.alpha[3], l.o.beta[0]
	for _, p := range []string{lead, abe, bea} {
		l.page(p, "/training/PG1")
	}
	const bad, ok, no = http.StatusBadRequest, http.StatusSeeOther, http.StatusForbidden
	plan := func(shift, person, start string, hours int) {
		from, err := time.Parse(time.DateOnly, start)
		if err != nil {
			t.Fatal(err)
		}
		l.later(time.Second)
		l.tell(event.ShiftPlanned, shift, l.now(), map[string]any{"shift": shift, "schedule": "nights", "person": person, "start": from.Format(time.RFC3339), "end": from.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339)})
	}
	plan("abe-1", abe, "2026-06-01", 12) // has held one
	plan("abe-2", abe, "2026-07-01", 12)
	plan("amy-1", amy, "2026-07-02", 12)
	rule := func(team, rota string) url.Values {
		return url.Values{"module": {"PG1"}, "for": {"rota:" + team + ":" + rota}, "reason": {"before you are alone"}}
	}
	l.gives(abe, no, "lead of the team", rule("alpha", "nights"))
	l.gives(bea, no, "lead of the team", rule("alpha", "nights"))
	l.gives(lead, bad, "For: nobody of the team is on a rota called so", rule("alpha", "days"))
	if text := l.page(lead, "/training/assign"); !strings.Contains(text, "Team alpha on nights (1 newcomer planned)") {
		t.Error("the form does not offer the rota")
	}
	l.gives(lead, ok, "", rule("alpha", "nights"))
	l.gives(lead, bad, "For: it is a rule for the rota’s newcomers already", rule("alpha", "nights"))
	const due = "2026-07-02" // the moment at which the day before ends
	if got := l.work(); !slices.Equal(got, []string{"amy PG1 " + due}) {
		t.Errorf("open is %v", got)
	}
	plan("art-1", art, "2026-07-10", 12) // added later
	plan("amy-1", amy, "2026-07-05", 12) // moved
	if got := l.work(); !slices.Equal(got, []string{"amy PG1 2026-07-05", "art PG1 2026-07-10"}) {
		t.Errorf("after the plan changed open is %v", got)
	}
	if text := l.page(amy, "/me"); !strings.Contains(text, "before you are alone") || !strings.Contains(text, "4 Jul 2026") {
		t.Error("the newcomer does not read what to learn until when")
	}
	plan("art-1", art, "2026-07-10", 0) // cancelled
	if got := l.work(); !slices.Equal(got, []string{"amy PG1 2026-07-05"}) {
		t.Errorf("after a shift was cancelled open is %v", got)
	}
	rows, err := csv.NewReader(strings.NewReader(l.page(lead, "/api/v1/assignments?format=csv&team=alpha"))).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%v, %v", rows, err)
	}
	end := url.Values{"assignment": {rows[1][0]}}
	l.post(abe, "PG1/end", end, no, "lead of the team")
	l.post(bea, "PG1/end", end, no, "lead of the team")
	l.post(lead, "PG2/end", end, bad, "there is no such rule")
	l.post(lead, "PG1/end", end, ok, "")
	if got := l.work(); len(got) != 0 {
		t.Errorf("after the rule ended open is %v", got)
	}

	// What comes first is given to those who lack it, and a track without what they know.
	l.passed("PG1", abe)
	l.gives(lead, ok, "", url.Values{"module": {"LS2"}, "for": {"person:" + abe, "person:" + amy}, "first": {"yes"}})
	if got := l.work(); !slices.Equal(got, []string{"abe LS1 ", "abe LS2 ", "abe PG1 ", "amy LS1 ", "amy LS2 ", "amy PG1 "}) {
		t.Errorf("with what comes first open is %v", got)
	}
	l.gives(lead, bad, "has it to do already", url.Values{"module": {"LS2"}, "for": {"person:" + abe}, "first": {"yes"}})
	l.gives(lead, bad, "Track: there is none", url.Values{"track": {"XX"}, "for": {"person:" + art}})
	l.gives(lead, ok, "", url.Values{"track": {"LN"}, "for": {"person:" + art}, "due": {"2026-07-31"}})
	if got := l.work(); !slices.Equal(got[6:], []string{"art LN1 2026-08-01", "art LN2 2026-08-01", "art LN3 2026-08-01", "art LN4 2026-08-01", "art LN5 2026-08-01"}) {
		t.Errorf("the track is %v", got[6:])
	}
}
