package dashboards

import (
	"context"
	"fmt"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Evidence is of everybody: queues by every kind and by hostile texts, hosts by one that was
// contested.
func (s *fake) Evidence(_ context.Context, person string) ([]analytics.EvidenceRow, error) {
	if s.empty {
		return nil, nil
	}
	out := []analytics.EvidenceRow{
		{ID: "contested", Person: person, Skill: "host-debugging", Kind: "assist", Ref: hostile[6], Rule: "assist", RuleVersion: "e1", Own: true, At: s.now.AddDate(0, 0, -3), Voided: s.now.AddDate(0, 0, -1), VoidedBy: person, Why: hostile[0]},
		{ID: "wrong", Person: person, Skill: "host-debugging", Kind: "assist", Ref: "i9", Rule: "assist", RuleVersion: "e1", Own: true, At: s.now.AddDate(0, 0, -3), Voided: s.now.AddDate(0, 0, -1), VoidedBy: analytics.ByRules, Why: "corrected silently"},
	}
	for i, kind := range []string{"solo", "reverse_shadow", "led", "taught", "drill", "assist", "attested", "quiz", "shadow", "module", hostile[2]} {
		r := analytics.EvidenceRow{ID: hostile[0], Person: person, Skill: "queue-stream-ops", Kind: kind, Ref: hostile[6], Rule: kind, RuleVersion: hostile[0], Own: true, At: s.now.AddDate(0, 0, -i)}
		if kind == "attested" {
			r.Rule, r.By, r.Note, r.Own = "", hostile[4], hostile[0], false
		}
		out = append(out, r)
	}
	return out, nil
}

// Took is what incidents took: one skill by a rule, one by a person, one taken back.
func (s *fake) Took(context.Context, string) (*analytics.Took, error) {
	if s.empty {
		return &analytics.Took{}, s.broken
	}
	return &analytics.Took{Reads: true, Says: true, Self: true, Acted: []string{hostile[2], hostile[4]}, Tags: []analytics.TagRow{
		{Skill: "queue-stream-ops", Basis: "rule", Rule: hostile[0], At: s.now, Stands: true},
		{Skill: "datastore-ops", Basis: "responder", By: hostile[2], At: s.now, Stands: true},
		{Skill: hostile[2], Basis: hostile[4], At: s.now, UntaggedBy: hostile[0], Reason: hostile[2]},
	}}, nil
}

// fakeShowing keeps what was said.
type fakeShowing struct {
	acts []string
	err  error
}

func (l *fakeShowing) act(parts ...any) error {
	l.acts = append(l.acts, fmt.Sprint(parts...))
	return l.err
}

func (*fakeShowing) Likely(*analytics.Incident, int) []string {
	return []string{"incident-command", "queue-stream-ops"}
}
func (l *fakeShowing) Tag(_ context.Context, _ access.Who, i, s string) error {
	return l.act("tag ", i, " ", s)
}
func (l *fakeShowing) Untag(_ context.Context, _ access.Who, i, s, r string) error {
	return l.act("untag ", i, " ", s, " ", r)
}
func (l *fakeShowing) Attest(_ context.Context, _ access.Who, i, p, s, n string) error {
	return l.act("attest ", i, " ", p, " ", s, " ", n)
}
func (l *fakeShowing) Void(_ context.Context, _ access.Who, e, r string) error {
	return l.act("void ", e, " ", r)
}
