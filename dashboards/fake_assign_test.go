package dashboards

import (
	"context"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// What the fake knows of rotas, of events that somebody was in, and of what they said: every
// text tries to be code.

func (s *fake) Rotas(_ context.Context, team string) ([]analytics.Rota, error) {
	if s.empty {
		return nil, nil
	}
	return []analytics.Rota{{Schedule: hostile[0], Coming: hostile[:2]}, {Schedule: "sched of " + team}}, nil
}

func (s *fake) Rules(context.Context) ([]analytics.Rule, error) {
	if s.empty {
		return nil, nil
	}
	return []analytics.Rule{{ID: "rule", Module: "PG1", Team: hostile[0], Rota: hostile[2], By: hostile[4], Reason: hostile[1], Given: s.now}}, nil
}

func (s *fake) EventsOf(_ context.Context, person string, since time.Time, kinds ...string) ([]analytics.OwnEvent, error) {
	if s.empty {
		return nil, nil
	}
	var out []analytics.OwnEvent
	for _, k := range kinds {
		e := analytics.OwnEvent{ID: "own-" + k, Kind: k, At: s.now.AddDate(0, 0, -3), Service: hostile[2], Title: hostile[0], Version: hostile[4]}
		switch k {
		case "shift.worked", "shift.planned":
			e.Schedule, e.Shift, e.From, e.To = hostile[0], "own-"+k, s.now.AddDate(0, 0, -3), s.now.AddDate(0, 0, -2)
		case "page.reviewed":
			e.Verdict = "threshold"
		case "incident.acknowledged":
			e.Incident = hostile[6]
		}
		out = append(out, e)
	}
	return out, nil
}

func (s *fake) ShadowingOf(context.Context, string) (analytics.Shadowing, error) {
	return analytics.Shadowing{Shadowed: 2, Reverse: 1, Alerts: 11, Sense: 9}, nil
}

func (s *fake) Helped(context.Context, string) (analytics.Helped, error) {
	if s.empty {
		return analytics.Helped{}, nil
	}
	no := false
	return analytics.Helped{People: 5, Yes: 4, Mine: &no}, nil
}

func (l *fakeLearn) Attest(_ context.Context, _ access.Who, person, a, m string, p Proof) error {
	return l.act("attest", person, a, m, p.Key, p.Ref, p.Note)
}

func (l *fakeLearn) WordKey(w access.Who, a, m string) string { return "key-of-" + a }

func (l *fakeLearn) End(_ context.Context, _ access.Who, a, m string) error {
	return l.act("end", a, m)
}

func (l *fakeLearn) Rate(_ context.Context, _ access.Who, m string, helped bool, after string) error {
	return l.act("rate", m, helped, after)
}
