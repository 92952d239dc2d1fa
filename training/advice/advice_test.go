package advice

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// reader has one person's turns, and an incident for each that a shift is looked for by.
type reader struct {
	Reader
	turns []analytics.TurnRow
}

func (r reader) Query(context.Context, string, url.Values) (*analytics.Answer, error) {
	return nil, &access.Denied{}
}

func (r reader) DemandBehind(context.Context, ...string) (out []analytics.TookRow, err error) {
	for _, id := range []string{"i1", "i2", "i3"} {
		out = append(out, analytics.TookRow{Incident: id, Skill: "queue-stream-ops", Team: "payments"})
	}
	return out, nil
}

func (r reader) OwnTurns(context.Context, time.Time) ([]analytics.TurnRow, bool, error) {
	return r.turns, true, nil
}

func (r reader) Assignments(context.Context, analytics.AssignmentFilter) ([]analytics.AssignmentRow, error) {
	return nil, nil
}

func (r reader) Dismissals(context.Context, string) ([]analytics.DismissedRow, error) {
	return nil, nil
}

func (r reader) Drills(context.Context) ([]analytics.Drill, error)        { return nil, nil }
func (r reader) Attempts(context.Context) ([]analytics.AttemptRow, error) { return nil, nil }
func (r reader) Directory(context.Context) (*analytics.Directory, error) {
	return &analytics.Directory{}, nil
}

// The store cuts a turn that has begun to the moment at which it looks, which is later than the
// moment of the question by as long as it takes: still it is not the one to prepare for.
func TestAShiftThatHasBegunIsNotTheNext(t *testing.T) {
	c, err := training.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	who := access.As(access.Identity{Person: "ana@example.org"}, access.Membership{Person: "ana@example.org", Teams: []string{"payments"}}, access.Viewer, access.Member)
	on := analytics.TurnRow{Team: "payments", From: now.Add(3 * time.Millisecond), To: now.Add(time.Hour), Begun: true}
	next := analytics.TurnRow{Team: "payments", From: now.AddDate(0, 0, 7), To: now.AddDate(0, 0, 14)}
	for _, turns := range [][]analytics.TurnRow{{on}, {on, next}} {
		list, err := Own(t.Context(), reader{turns: turns}, c, At{Now: now, Zone: time.UTC}, who)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(turns) - 1; len(list.Open) != want {
			t.Fatalf("%d recommendations, want %d: %+v", len(list.Open), want, list.Open)
		}
		if len(turns) > 1 && !list.Open[0].By.Equal(next.From) {
			t.Errorf("%+v", list.Open[0])
		}
	}
}
