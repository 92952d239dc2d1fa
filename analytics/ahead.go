package analytics

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of the days to come
//
//  1. Who will be on call is what planned shifts say by now; who can do what then is what
//     they can do now. Both are the facts of the metric skill_coverage.
//  2. That a shift has nobody current in a skill is a figure of the team, which it has to act
//     on, and everybody's like skill_coverage. Who is on call is the team's work list.

// AheadMost is how far ahead may be asked.
const AheadMost = 62 * 24 * time.Hour

// Piece is a stretch of time with somebody of a team on call, and the skills that one of
// them, primary or secondary, has at level 3 or above and current. Pieces of a team do not
// overlap.
type Piece struct {
	Team     string
	From, To time.Time
	Skills   []string
	Hidden   bool // the team is too small to say which skills
}

// Ahead lists the coming pieces from now until then, by team and time, and the teams left out.
func (v *View) Ahead(ctx context.Context, f SkillFilter, until time.Time) ([]Piece, []Withheld, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, nil, err
	}
	all, err := v.s.coming(ctx, until)
	if err != nil {
		return nil, nil, err
	}
	hidden, small, left, err := v.teamsHidden(ctx, v.s.present()) // its sizes of the last 90 days
	if err != nil {
		return nil, nil, err
	}
	var out []Piece
	for _, p := range all {
		if p.Team == "" || len(f.Team) > 0 && !slices.Contains(f.Team, p.Team) || slices.Contains(small, p.Team) {
			continue
		}
		if hidden.few[p.Team] && !v.who.IsOperator() {
			p.Skills, p.Hidden = nil, true
		}
		out = append(out, p)
	}
	return out, left, nil
}

func (s *Store) aheadQuestion() question {
	q := s.present()
	q.metric = s.metrics["skill_coverage"]
	q.from, q.to = q.asOf, q.asOf.Add(AheadMost)
	return q
}

// keptPieces and keptTurns are what is to come as far as any page looks, most old at most.
func (s *Store) keptPieces(ctx context.Context, most time.Duration) ([]Piece, error) {
	return slowly(ctx, s, most, "ahead", func(ctx context.Context) ([]Piece, error) { return s.pieces(ctx, s.aheadQuestion()) })
}

func (s *Store) keptTurns(ctx context.Context, most time.Duration) ([]OnCallRow, error) {
	return slowly(ctx, s, most, "rota", func(ctx context.Context) ([]OnCallRow, error) { return s.rota(ctx, s.aheadQuestion()) })
}

// coming are all teams' pieces from now until then, by team and time. However far a page
// looks, it is the one read that all share, cut to what was asked.
func (s *Store) coming(ctx context.Context, until time.Time) ([]Piece, error) {
	all, err := s.keptPieces(ctx, slowFor)
	now := s.now()
	var out []Piece
	for _, p := range all {
		if p.From, p.To = within(p.From, p.To, now, until); p.From.Before(p.To) {
			out = append(out, p)
		}
	}
	return out, err
}

// comingTurns are everybody's turns, likewise, by time.
func (s *Store) comingTurns(ctx context.Context, until time.Time) ([]OnCallRow, error) {
	all, err := s.keptTurns(ctx, slowFor)
	now := s.now()
	var out []OnCallRow
	for _, d := range all {
		if d.From, d.To = within(d.From, d.To, now, until); d.From.Before(d.To) {
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(a, b OnCallRow) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.Team, b.Team), cmp.Compare(a.Level, b.Level), cmp.Compare(a.Person, b.Person))
	})
	return out, err
}

// within cuts a stretch of time to another.
func within(from, to, least, most time.Time) (time.Time, time.Time) {
	if least = least.UTC().Truncate(time.Millisecond); from.Before(least) {
		from = least
	}
	if to.After(most) {
		to = most.UTC()
	}
	return from, to
}

func (s *Store) pieces(ctx context.Context, q question) ([]Piece, error) {
	var out []Piece
	err := s.look(ctx, access.Working(), "coming hours", q, []string{"cover_piece"},
		"SELECT team, began, ended, arraySort(skills) AS skills FROM cover_piece WHERE began < ended ORDER BY team, began", nil,
		func(r *warehouse.Rows) error {
			var p Piece
			err := r.Scan(&p.Team, &p.From, &p.To, &p.Skills)
			out = append(out, p)
			return err
		})
	return out, err
}

// OnCallRow is a person's coming turn on call.
type OnCallRow struct {
	Team, Person string
	Level        int // 1: primary
	From, To     time.Time
}

// OnCall lists who is on call from now until then, by time, as far as the asker reads it by
// name: their own teams' turns and their own. Of other teams it says nothing.
func (v *View) OnCall(ctx context.Context, f SkillFilter, until time.Time) ([]OnCallRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	all, err := v.s.comingTurns(ctx, until)
	if err != nil {
		return nil, err
	}
	var out []OnCallRow
	var pass access.Pass
	var seen []string
	for _, d := range all {
		if len(f.Team) > 0 && !slices.Contains(f.Team, d.Team) {
			continue
		}
		named, p := v.who.OnCall(d.Team, d.Person)
		if !named {
			continue
		}
		if p.Records() && !v.who.Is(d.Person) {
			pass, seen = p, append(seen, d.Person)
		}
		out = append(out, d)
	}
	return out, v.record(ctx, pass, seen)
}

func (s *Store) rota(ctx context.Context, q question) ([]OnCallRow, error) {
	var out []OnCallRow
	err := s.look(ctx, access.Working(), "coming turns", q, []string{"cover_turn"}, `
SELECT team, member, toInt64(level) AS level, began, ended FROM cover_turn
WHERE began < ended GROUP BY team, member, level, began, ended ORDER BY team, member, level, began`, nil,
		func(r *warehouse.Rows) error {
			var d OnCallRow
			var level int64
			if err := r.Scan(&d.Team, &d.Person, &level, &d.From, &d.To); err != nil {
				return err
			}
			d.Person, d.Level = s.reveal(d.Person), int(level)
			if n := len(out) - 1; n >= 0 && out[n].Team == d.Team && out[n].Person == d.Person && out[n].Level == d.Level && !out[n].To.Before(d.From) {
				if d.To.After(out[n].To) { // cut where somebody else's shift begins, or held twice
					out[n].To = d.To
				}
				return nil
			}
			out = append(out, d)
			return nil
		})
	return out, err
}
