// Package advice gathers the facts that recommendations go by, as one asker may read them,
// and asks the rules.
//
// Theory of operation
//
//  1. A Reader is the store as somebody sees it. Each of its methods decides for itself; what
//     it withholds, the rules do without.
//  2. Figures are the metrics': skill_gaps for what a team's incidents took and who there is,
//     as the pages read it of all teams at once, skill_levels for oneself. The incidents behind
//     them come from the same facts.
//  3. Nothing is kept here: the same rows and moment give the same recommendations with the same
//     ids, so a form that dismisses one can name it.
package advice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/recommend"
)

// ownAhead is how far one's own next shift is looked for.
const ownAhead = 60 * 24 * time.Hour

// Reader is what is read; *analytics.View is one.
type Reader interface {
	Query(ctx context.Context, name string, params url.Values) (*analytics.Answer, error)
	Gaps(ctx context.Context, f analytics.SkillFilter) ([]analytics.GapRow, []analytics.Withheld, error)
	Directory(ctx context.Context) (*analytics.Directory, error)
	DemandBehind(ctx context.Context, teams ...string) ([]analytics.TookRow, error)
	TeamAhead(ctx context.Context, team string, until time.Time) ([]analytics.AheadRow, error)
	TeamLearning(ctx context.Context, team string, tracks map[string][]string) (analytics.TeamLearning, error)
	OwnTurns(ctx context.Context, until time.Time) ([]analytics.TurnRow, bool, error)
	Dismissals(ctx context.Context, team string) ([]analytics.DismissedRow, error)
	Assignments(ctx context.Context, f analytics.AssignmentFilter) ([]analytics.AssignmentRow, error)
	Drills(ctx context.Context) ([]analytics.Drill, error)
	Attempts(ctx context.Context) ([]analytics.AttemptRow, error)
}

// At is when and where it is: the moment, and the zone of moments in words.
type At struct {
	Now  time.Time
	Zone *time.Location
}

// Team is what a team should learn next. Errors: *access.Denied, or the warehouse's.
func Team(ctx context.Context, r Reader, c *training.Curriculum, at At, team string) (recommend.List, error) {
	t := recommend.Team{ID: team, Now: at.Now, Zone: at.Zone}
	// Before the others, since it is the one that refuses at no cost.
	learning, err := r.TeamLearning(ctx, team, Tracks(c))
	if err != nil {
		return recommend.List{}, err
	}
	t.Members, t.Small, t.Held = learning.Members, learning.Small, learning.Held
	var gaps []analytics.GapRow
	var took []analytics.TookRow
	var drills []recommend.Drill
	err = together(ctx,
		func(ctx context.Context) (err error) {
			gaps, _, err = r.Gaps(ctx, analytics.SkillFilter{Team: []string{team}})
			return err
		},
		func(ctx context.Context) (err error) { took, err = r.DemandBehind(ctx, team); return err },
		func(ctx context.Context) error {
			rows, err := r.TeamAhead(ctx, team, at.Now.Add(recommend.AheadFor))
			for _, x := range rows {
				t.Ahead = append(t.Ahead, recommend.Stretch(x))
			}
			return err
		},
		func(ctx context.Context) (err error) {
			t.Dismissed, err = dismissals(ctx, r, team)
			return err
		},
		func(ctx context.Context) (err error) { drills, err = playable(ctx, r, false); return err },
	)
	if err != nil {
		return recommend.List{}, err
	}
	figures, veiled := readGaps(gaps)
	t.Needs, t.Veiled = needs(took, team), veiled
	for i := range t.Needs {
		n := &t.Needs[i]
		if f, ok := figures[n.Skill]; ok {
			n.Demand, n.Supply, n.Wanted, n.Away, n.Gap = f.demand, f.supply, f.need, f.away, f.gap
		}
	}
	if t.Small || t.Veiled { // what the asker may be told all the same, as a people admin, must not change what is suggested
		for i := range t.Needs {
			t.Needs[i].Supply, t.Needs[i].Gap = 0, 0
		}
	}
	return recommend.ForTeam(c, drills, t), nil
}

// Own is what the asker should learn next. Errors: *access.Denied for who is no person, or
// the warehouse's.
func Own(ctx context.Context, r Reader, c *training.Curriculum, at At, who access.Who) (recommend.List, error) {
	if err := who.Learns(); err != nil {
		return recommend.List{}, err
	}
	p := recommend.Person{ID: who.Person, Now: at.Now, Zone: at.Zone, Levels: map[string]recommend.Level{}, Needs: map[string][]recommend.Need{},
		Away: map[string][]recommend.Incident{}, Modules: map[string]recommend.State{}}
	var levels *analytics.Answer
	var took []analytics.TookRow
	var coming []analytics.TurnRow
	var rows []analytics.AssignmentRow
	var drills []recommend.Drill
	var dir *analytics.Directory
	err := together(ctx,
		func(ctx context.Context) (err error) {
			levels, err = r.Query(ctx, "skill_levels", url.Values{"by": {"skill"}, "person": {who.Person}})
			var denied *access.Denied
			if errors.As(err, &denied) { // of whom nothing was ever stored, the store does not know that it is the asker
				return nil
			}
			return err
		},
		func(ctx context.Context) (err error) { took, err = r.DemandBehind(ctx, who.Teams()...); return err },
		func(ctx context.Context) (err error) {
			coming, p.OnCall, err = r.OwnTurns(ctx, at.Now.Add(ownAhead))
			return err
		},
		func(ctx context.Context) (err error) {
			rows, err = r.Assignments(ctx, analytics.AssignmentFilter{Own: true, Tracks: Tracks(c)})
			return err
		},
		func(ctx context.Context) (err error) { p.Dismissed, err = dismissals(ctx, r, ""); return err },
		func(ctx context.Context) (err error) { drills, err = playable(ctx, r, true); return err },
		func(ctx context.Context) (err error) { dir, err = r.Directory(ctx); return err },
	)
	if err != nil {
		return recommend.List{}, err
	}
	if err := readLevels(levels, p.Levels); err != nil {
		return recommend.List{}, err
	}
	for _, t := range who.Teams() {
		p.Needs[t] = needs(took, t)
	}
	for _, x := range took {
		if x.Yours && x.Away {
			p.Away[x.Skill] = append(p.Away[x.Skill], incident(x))
		}
	}
	for _, s := range coming { // the next that begins: one that has begun is not to be prepared for
		if !s.Begun {
			p.Next = &recommend.Shift{Team: s.Team, TeamName: s.Team, From: s.From, To: s.To}
			for _, t := range dir.Teams {
				if t.ID == s.Team {
					p.Next.TeamName = t.Name
				}
			}
			break
		}
	}
	for _, a := range rows {
		s := p.Modules[a.Module]
		s.Open = s.Open || a.Open()
		s.Known = s.Known || a.Known()
		s.Waived = s.Waived || !a.Waived.IsZero()
		if a.Completed.After(s.Done) {
			s.Done = a.Completed
		}
		p.Modules[a.Module] = s
	}
	return recommend.ForPerson(c, drills, p), nil
}

// Tracks are the modules of each track, as assignments are asked for.
func Tracks(c *training.Curriculum) map[string][]string {
	out := map[string][]string{}
	for _, t := range c.Tracks {
		for _, m := range t.Modules {
			out[t.ID] = append(out[t.ID], m.ID)
		}
	}
	return out
}

// together runs a few reads beside one another; the first error is the answer.
func together(ctx context.Context, reads ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, read := range reads {
		g.Go(func() error { return read(ctx) })
	}
	return g.Wait()
}

func incident(x analytics.TookRow) recommend.Incident {
	return recommend.Incident{ID: x.Incident, Opened: x.Opened, Severe: x.Severe, Away: x.Away}
}

// needs puts a team's incidents together by skill, weighted as by skill_gaps.
func needs(rows []analytics.TookRow, team string) []recommend.Need {
	by := map[string]*recommend.Need{}
	for _, x := range rows {
		if x.Team != team {
			continue
		}
		n := by[x.Skill]
		if n == nil {
			n = &recommend.Need{Skill: x.Skill}
			by[x.Skill] = n
		}
		n.Incidents = append(n.Incidents, incident(x))
		if n.Demand++; x.Severe {
			n.Demand += 2
		}
	}
	var out []recommend.Need
	for _, n := range by {
		out = append(out, *n)
	}
	slices.SortFunc(out, func(a, b recommend.Need) int {
		return cmp.Or(cmp.Compare(b.Demand, a.Demand), strings.Compare(a.Skill, b.Skill))
	})
	return out
}

func dismissals(ctx context.Context, r Reader, team string) ([]recommend.Dismissal, error) {
	rows, err := r.Dismissals(ctx, team)
	var out []recommend.Dismissal
	for _, x := range rows {
		out = append(out, recommend.Dismissal(x))
	}
	return out, err
}

// playable are the drills, and of one's own which were played to their end.
func playable(ctx context.Context, r Reader, own bool) ([]recommend.Drill, error) {
	drills, err := r.Drills(ctx)
	if err != nil {
		return nil, err
	}
	var attempts []analytics.AttemptRow
	if own {
		if attempts, err = r.Attempts(ctx); err != nil {
			return nil, err
		}
	}
	var out []recommend.Drill
	for _, d := range drills {
		out = append(out, recommend.Drill{ID: d.ID, Title: d.Title, Skills: d.Skills, Done: slices.ContainsFunc(attempts, func(a analytics.AttemptRow) bool { return a.Drill == d.ID && !a.Finished.IsZero() })})
	}
	return out, nil
}

type figure struct {
	demand, supply, need int
	away, gap            float64
}

var errColumn = errors.New("a column is not there or of another type")

// readGaps are the figures by skill, and whether a gap among them was withheld.
func readGaps(rows []analytics.GapRow) (out map[string]figure, veiled bool) {
	out = map[string]figure{}
	for _, g := range rows {
		f := figure{demand: int(g.Demand), need: int(g.Need), away: g.Away}
		if g.Supply != nil {
			f.supply = int(*g.Supply)
		}
		if g.Gap != nil {
			f.gap = *g.Gap
		}
		out[g.Skill] = f
		veiled = veiled || g.Gap == nil
	}
	return out, veiled
}

func readLevels(a *analytics.Answer, into map[string]recommend.Level) error {
	if a == nil {
		return nil
	}
	for _, row := range a.Rows {
		key, ok1 := cell(a, row, "key").(string)
		level, ok2 := cell(a, row, "level").(int64)
		retention, ok3 := cell(a, row, "retention").(float64)
		text, ok4 := cell(a, row, "last_evidence").(string)
		last, err := time.Parse(time.RFC3339Nano, text)
		if !ok1 || !ok2 || !ok3 || !ok4 || err != nil {
			return fmt.Errorf("skill_levels: %w", errors.Join(errColumn, err))
		}
		into[key] = recommend.Level{Level: int(level), Retention: retention, Last: last}
	}
	return nil
}

func cell(a *analytics.Answer, row []any, column string) any {
	for i, c := range a.Columns {
		if c.Name == column && i < len(row) {
			return row[i]
		}
	}
	return nil
}
