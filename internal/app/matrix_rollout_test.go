package app

import (
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/recall"
	"github.com/stewardhq/steward/training/rollout"
)

// answeredOf stands in what somebody answered to a question of the week, and nowhere else.
func answeredOf(person string) string { return "Qst" + strings.TrimPrefix(nameOf(person), "Nm") }

// rollouts are two draws whose windows have ended, one of them of what people carry, and an
// answer of everybody's to a question about an incident that others read, and about one that
// only the answer names.
func (o org) rollouts(t *testing.T) []event.Event {
	t.Helper()
	var out []event.Event
	add := func(e event.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	day := func(month, d int) time.Time { return time.Date(2026, time.Month(month), d, 0, 0, 0, 0, time.UTC) }
	for id, metric := range map[string]string{"mx": "incidents", "mxload": "interruptions"} {
		d, err := rollout.Draw(rollout.Plan{Rollout: id, Module: "FX1", Metric: metric, From: day(3, 2), To: day(6, 15)},
			[]rollout.Team{{ID: "alpha", People: 4}, {ID: "beta", People: 3}}, []rollout.Start{{Week: day(5, 4), Teams: 1}}, 7)
		if err != nil {
			t.Fatal(err)
		}
		add(d.Event(day(4, 20)))
	}
	for _, p := range o.all {
		for i, q := range []recall.Question{{ID: "lasted:" + answeredOf(p), Incident: "inc-alpha-2-0"}, {ID: "lasted:" + answeredOf(p) + "-2", Incident: answeredOf(p)}} {
			at := day(5, 12+7*i)
			add(recall.Answered(p, q, recall.WeekOf(at, time.UTC), i == 0, at))
		}
	}
	return out
}

// rolloutRows: everybody reads what was drawn and what came of it, in the form in which the
// figures are theirs; who may not draw does not get the form; a question is one's own.
func (o org) rolloutRows() []row {
	const form = "module=FX1&metric=incidents&expect=lower&from=2026-05-04&to=2026-08-31&team=alpha&team=beta&week=2026-07-06&teams=1"
	return []row{
		{"GET /training/rollouts", "/training/rollouts", "", signedIn, false},
		{"GET /training/rollouts/new", "/training/rollouts/new", "", "people", false},
		{"GET /training/rollouts/new", "/training/rollouts/new?" + form, "", "people", false},
		{"GET /training/rollouts/new", "/training/rollouts/new?" + form + "&team=duo", "", "", false},
		{"POST /training/rollouts", "/training/rollouts", form + "&id=aaaaaaaaaaaaaaaaaaaaaaaaaa", "", false}, // without the page's token nobody
		{"GET /training/rollouts/:rollout", "/training/rollouts/mx", "", signedIn, false},
		{"GET /training/rollouts/:rollout", "/training/rollouts/m%78?team=duo&metric=interruptions", "", signedIn, false},
		{"GET /training/rollouts/:rollout", "/training/rollouts/mxload", "", signedIn, false},
		{"GET /training/rollouts/:rollout", "/training/rollouts/none", "", "", false},
		{"GET /training/rollouts/:rollout/draw", "/training/rollouts/mxload/draw", "", signedIn, false},
		{"GET /training/rollouts/:rollout/weeks", "/training/rollouts/mx/weeks", "", signedIn, false},
		{"GET /training/rollouts/:rollout/weeks", "/training/rollouts/mxload/weeks", "", "people", false},
		{"GET /training/question", "/training/question", "", signedIn, false},
		{"GET /training/question", "/training/question?person=" + o.alpha[2], "", signedIn, false},
		{"POST /training/question", "/training/question", "question=lasted:inc-alpha-2-0&answer=1h", "", false},
	}
}

// answersLeak looks for what others answered: it is nobody's, whoever leads or administers them.
func (o org) answersLeak(t *testing.T, who asker, r row, text string) {
	t.Helper()
	for _, p := range o.all {
		if who.header["X-Forwarded-Email"] != p && strings.Contains(text, answeredOf(p)) {
			t.Errorf("%s, %s: the answer holds what %s answered", who.name, r.path, p)
		}
	}
}
