package dashboards

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Reviews are three pages of an incident, of which one has a verdict, and one of no incident
// that is judged. Whatever can be text tries to be code.
func (s *fake) Reviews(_ context.Context, f analytics.ReviewFilter) ([]analytics.PageRow, error) {
	if s.empty {
		return nil, s.broken
	}
	yes := true
	row := func(page, incident string, hours int) analytics.PageRow {
		return analytics.PageRow{Page: page, Incident: incident, Title: hostile[0], Service: hostile[2], AlertClass: hostile[8], Person: hostile[4], Team: hostile[0], Channel: "push", At: s.now.Add(-time.Duration(hours) * time.Hour), May: true}
	}
	a, b, c, d := row(hostile[6], hostile[4], 30), row(hostile[0], hostile[4], 29), row(hostile[3], hostile[4], 28), row(hostile[1], "", 10)
	b.Verdict = &analytics.Review{By: hostile[2], Verdict: "threshold", At: s.now, Note: hostile[0]}
	d.Verdict = &analytics.Review{By: hostile[0], Verdict: "view", At: s.now, MadeSense: &yes}
	d.Own = d.Verdict
	if f.Incident != "" {
		return []analytics.PageRow{a, b, c}, s.broken
	}
	return []analytics.PageRow{a, b, c, d}, s.broken
}

func (s *fake) Rota(context.Context, string) ([]analytics.ShiftRow, error) {
	if s.empty {
		return nil, s.broken
	}
	host := analytics.ShiftRow{ID: hostile[0], Schedule: hostile[4], Person: hostile[0], Level: 1, Start: s.now.AddDate(0, 0, 3), End: s.now.AddDate(0, 0, 10)}
	walk := host
	walk.ID, walk.Person, walk.Host, walk.Role = hostile[2], hostile[2], hostile[0], analytics.RoleReverse
	return []analytics.ShiftRow{host, walk}, s.broken
}

// Readiness of one person is as far as two shifts and three alerts.
func (s *fake) Readiness(_ context.Context, f analytics.ReadinessFilter) ([]analytics.Readiness, error) {
	if s.empty {
		return []analytics.Readiness{{Person: f.Person, State: analytics.ReadyNew, Detailed: true}}[:min(1, len(f.Person))], s.broken
	}
	yes, no := true, false
	rota, _ := s.Rota(context.Background(), "")
	r := analytics.Readiness{Person: or(f.Person, hostile[2]), Teams: hostile[:1], Shadow: 1, Coming: rota[1:], Next: s.now.AddDate(0, 0, 20), NextSchedule: hostile[8], First: s.now.AddDate(0, 0, 20), State: analytics.ReadyShadow,
		Acknowledged: 3, Detailed: f.Person != hostile[4], Rated: 2, Sensible: 1}
	if r.Detailed {
		r.Alerts = []analytics.AlertRow{{Incident: hostile[6], Title: hostile[0], Acked: s.now, MadeSense: &yes, By: hostile[2]}, {Incident: hostile[4], Title: hostile[2], Acked: s.now, MadeSense: &no, By: hostile[0]}, {Incident: hostile[3], Acked: s.now}}
	}
	return []analytics.Readiness{r}, s.broken
}

// fakeShadow keeps what it is told.
type fakeShadow struct {
	told []string
	err  error
}

func (s *fakeShadow) tell(args ...any) error {
	s.told = append(s.told, fmt.Sprint(args...))
	return s.err
}

func (s *fakeShadow) Review(_ context.Context, _ access.Who, t Tap) error {
	sense := "-"
	if t.MadeSense != nil {
		sense = fmt.Sprint(*t.MadeSense)
	}
	return s.tell("review ", t.Page, "|", t.Incident, "|", t.Verdict, "|", sense, "|", t.Note)
}

func (s *fakeShadow) Walk(_ context.Context, _ access.Who, w Walk) error {
	return s.tell("walk ", w.Person, "|", w.Role, "|", w.Host)
}

func (s *fakeShadow) CallOff(_ context.Context, _ access.Who, person, shift string) error {
	return s.tell("off ", person, "|", shift)
}

func (s *fakeShadow) take() (out []string) {
	out, s.told = slices.Clone(s.told), nil
	return out
}
