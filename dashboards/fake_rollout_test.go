package dashboards

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/recall"
	"github.com/stewardhq/steward/training/rollout"
)

// fakeTeams are eight, some of whose names try to be code.
func fakeTeams() []string {
	teams := []string{"t1", "t2", "t3", "t4", "t5", hostile[0], hostile[2], hostile[6]}
	slices.Sort(teams)
	return teams
}

// monday0 is the Monday of the week that the fake's clock is in.
var monday0 = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// drawOf is a draw whose window ended so many weeks ago, of eight weeks before and after.
func drawOf(id, metric string, ended int) rollout.Drawn {
	var list []rollout.Team
	for _, t := range fakeTeams() {
		list = append(list, rollout.Team{ID: t, People: 3})
	}
	to := monday0.AddDate(0, 0, -7*ended)
	m, _ := analytics.MeasureOf(metric)
	d, err := rollout.Draw(rollout.Plan{Rollout: id, Module: "FX1", Metric: metric, Scale: m.Scale, From: to.AddDate(0, 0, -16*7), To: to}, list, []rollout.Start{{Week: to.AddDate(0, 0, -8*7), Teams: 4}}, 42)
	if err != nil {
		panic(err)
	}
	return d
}

func (s *fake) Rollouts(context.Context) ([]analytics.Rollout, error) {
	if s.empty {
		return nil, nil
	}
	var out []analytics.Rollout
	for _, d := range []rollout.Drawn{drawOf("done", "incidents", 0), drawOf("ratio", "time_to_resolve_p50", 0), drawOf("load", "interruptions", 0), drawOf("open", "incidents", -4), drawOf("ahead", "incidents", -12), drawOf("odd", "escalated_away_share", 0)} {
		out = append(out, analytics.Rollout{Drawn: d, At: d.Steps[0].Week.AddDate(0, 0, -7)})
	}
	out[0].Again, out[0].Others = 1, []string{"x"}
	out[5].Late = true
	return out, nil
}

func (s *fake) Rollout(_ context.Context, id string) (*analytics.Rollout, error) {
	all, err := s.Rollouts(context.Background())
	for _, r := range all {
		if r.Rollout == id {
			return &r, err
		}
	}
	return nil, fmt.Errorf("roll-out: %w", analytics.ErrNotFound)
}

// Panel is 10, and 4 for the trained teams of a draw from the eighth week on, with a little
// that differs by team and week.
func (s *fake) Panel(_ context.Context, m analytics.Measure, teams []string, from, to time.Time) (*analytics.Panel, error) {
	if m.Load {
		return nil, &access.Denied{Reason: "not your load"}
	}
	p := &analytics.Panel{Measure: m, Version: 3, From: from, To: to, N: 512, AsOf: s.now}
	trained := drawOf("any", m.Key, 0)
	if m.Key == "escalated_away_share" {
		p.Withheld = map[string]string{teams[0]: "too small"}
	}
	begun := trained.Started()
	for i, t := range teams {
		for w := 0; ; w++ {
			week := from.AddDate(0, 0, 7*w)
			if !week.Before(to) || !week.Before(monday0) {
				break
			}
			v := 10 + float64((i*7+w*3)%5)/10
			if _, ok := begun[t]; ok && w >= 8 {
				v -= 6
			}
			p.Values = append(p.Values, rollout.Value{Team: t, Week: week, Value: v})
		}
	}
	return p, nil
}

// Question is open for whoever asks, and answered where the fake was tried.
func (s *fake) Question(context.Context) (*analytics.WeekQuestion, error) {
	zone := time.FixedZone("Z", 3600)
	x := &analytics.WeekQuestion{Week: recall.WeekOf(s.now, zone)}
	if s.empty {
		return x, nil
	}
	x.Question = &recall.Question{ID: "cause:" + hostile[6], Incident: hostile[6], Title: hostile[0], Opened: s.now.AddDate(0, 0, -30), Text: "Which service was it?",
		Options: []recall.Option{{Key: "a", Text: hostile[2]}, {Key: "b", Text: hostile[4]}, {Key: "c", Text: "See"}}, Right: "c", Explain: hostile[5], Digest: "digest0"}
	x.Cards = []recall.Card{{Question: x.Question.ID, Incident: hostile[6], Answers: 2, Last: s.now.AddDate(0, 0, -9), Due: s.now.AddDate(0, 0, 9)}}
	if s.tried {
		x.Answered = &recall.Answer{Question: x.Question.ID, Correct: true}
	}
	return x, nil
}

// fakeRollouts draws by the seed 42.
type fakeRollouts struct {
	err   error
	drawn []RolloutForm
}

func (r *fakeRollouts) Plan(_ context.Context, _ access.Who, f RolloutForm) (rollout.Drawn, error) {
	return drawOf("plan", f.Metric, -12), r.err
}

func (r *fakeRollouts) Draw(_ context.Context, _ access.Who, f RolloutForm) (string, error) {
	if r.err == nil {
		r.drawn = append(r.drawn, f)
	}
	return "done", r.err
}

// fakeQuestions says that the option c is right.
type fakeQuestions struct {
	s     *fake
	err   error
	given []string
}

func (q *fakeQuestions) Answer(ctx context.Context, _ access.Who, question, digest, option string) (recall.Question, bool, error) {
	if q.err != nil {
		return recall.Question{}, false, q.err
	}
	q.given = append(q.given, question+" "+digest+" "+option)
	x, err := q.s.Question(ctx)
	if err != nil {
		return recall.Question{}, false, err
	}
	return *x.Question, option == x.Question.Right, nil
}
