package dashboards

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Debrief is an attempt of the fake, or "shared", which is somebody else's.
func (s *fake) Debrief(ctx context.Context, id string) (*analytics.Attempt, error) {
	if id != "shared" {
		return s.Attempt(ctx, id)
	}
	a, err := s.Attempt(ctx, "over")
	if err == nil {
		a.ID, a.Person = id, hostile[2]
	}
	return a, err
}

func (s *fake) Shares(context.Context) (map[string][]string, error) {
	return map[string][]string{"over": {hostile[0]}}, s.broken
}

func (s *fake) Shared(context.Context) ([]analytics.SharedRow, error) {
	if s.empty {
		return nil, s.broken
	}
	return []analytics.SharedRow{{Attempt: "shared", Drill: "evil", Person: hostile[2], Team: hostile[0], Finished: s.now}}, s.broken
}

// Bookings are one for the asker, whose time has passed, and one of a team's three people, of
// whom one has played.
func (s *fake) Bookings(_ context.Context, f analytics.BookingFilter) ([]analytics.BookingRow, error) {
	if s.empty {
		return nil, s.broken
	}
	at := func(days int) time.Time { return s.now.AddDate(0, 0, days) }
	var out []analytics.BookingRow
	for _, r := range []analytics.BookingRow{
		{ID: "b1", Drill: "evil", Person: "player", By: hostile[4], Reason: hostile[0], Cites: []string{hostile[6]}, Booked: at(-3), Starts: at(-1)},
		{ID: hostile[6], Drill: "lag-that-does-not-drain", Person: hostile[0], Team: hostile[0], By: "player", Booked: at(-3), Starts: at(2)},
		{ID: hostile[6], Drill: "lag-that-does-not-drain", Person: hostile[2], Team: hostile[0], By: "player", Booked: at(-3), Starts: at(2), Done: at(-1)},
		{ID: hostile[6], Drill: "lag-that-does-not-drain", Person: hostile[4], Team: hostile[0], By: "player", Booked: at(-3), Starts: at(2)},
	} {
		if (!f.Own || r.Person == "player") && (f.Drill == "" || f.Drill == r.Drill) {
			out = append(out, r)
		}
	}
	return out, s.broken
}

func (s *fake) NextShift(context.Context, string, string) (time.Time, error) {
	return s.now.AddDate(0, 0, 3), s.broken
}

func (s *fake) WorthDrill(_ context.Context, limit int) ([]analytics.Worth, error) {
	if s.empty {
		return nil, s.broken
	}
	var out []analytics.Worth
	for _, id := range hostile[:min(limit, len(hostile))] {
		out = append(out, analytics.Worth{IncidentRow: s.row(id), Took: 2 * time.Hour, Notes: 3, Escalations: 1, Grave: true, Points: 4})
	}
	return slices.Clone(out), s.broken
}

func (p fakePlay) act(parts ...any) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.asked = append(p.s.asked, fmt.Sprint(parts...))
	return p.s.refuse
}

func (p fakePlay) Share(_ context.Context, _ access.Who, attempt, team string, on bool) error {
	return p.act("share ", attempt, " ", team, " ", on)
}

func (p fakePlay) Book(_ context.Context, _ access.Who, w Session) error {
	return p.act("book ", w.Drill, " ", w.People, " ", w.Teams, " ", w.Starts, " ", w.Reason, " ", w.Cites)
}

func (p fakePlay) Rebook(_ context.Context, _ access.Who, id, starts string) error {
	return p.act("move ", id, " ", starts)
}

func (p fakePlay) Unbook(_ context.Context, _ access.Who, id string) error {
	return p.act("cancel ", id)
}
