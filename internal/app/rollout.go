package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/training/rollout"
)

// roller lets chance decide which teams are trained first.
//
// Theory of operation
//
//  1. What is decided before looking is checked here, whatever the page offered, and
//     published with a seed from the system's random source. Nobody chooses a seed, and
//     nobody learns one before it is in the log.
//  2. The act is recorded first, then the draw is published. The id comes with the form, so
//     a form that is sent twice finds the draw of the first time.
//  3. Nothing starts by itself. From a team's Monday on, its page says that it is to start.
type roller struct {
	learner
	act dashboards.Audit
	one *sync.Mutex
}

func newRoller(l learner, act dashboards.Audit) roller { return roller{l, act, new(sync.Mutex)} }

// Bounds of a draw.
const (
	mostRolled    = 200 // teams
	longestWindow = 156 // weeks
)

// rolloutID is what the page's form makes.
var rolloutID = regexp.MustCompile(`^[a-z2-7]{20,32}$`)

// Plan is the draw as the form asks for it, with seed 0.
func (r roller) Plan(ctx context.Context, who access.Who, f dashboards.RolloutForm) (rollout.Drawn, error) {
	if err := who.Draws(f.Teams...); err != nil && (len(f.Teams) > 0 || !who.DrawsSome()) {
		return rollout.Drawn{}, err
	}
	var errs []error
	bad := func(field, format string, args ...any) { errs = append(errs, wrong(field, format, args...)) }
	if !r.teaches(f.Module) {
		bad("module", "there is none called so")
	}
	m, known := analytics.MeasureOf(f.Metric)
	if !known {
		bad("metric", "choose one of the list")
	}
	plan := rollout.Plan{Rollout: cmp.Or(f.ID, "unnamed"), Module: cmp.Or(f.Module, "?"), Metric: cmp.Or(f.Metric, "?"), Scale: m.Scale, Expect: rollout.Direction(f.Expect)}
	plan.From, plan.To = monday(f.From, "from", bad), monday(f.To, "to", bad)
	d, err := r.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return rollout.Drawn{}, err
	}
	teams := rolled(f.Teams, d, bad)
	starts := startsOf(f, bad)
	if weeks := plan.To.Sub(plan.From).Hours() / (7 * 24); weeks > longestWindow {
		bad("to", "at most %d weeks after the first", longestWindow)
	}
	if len(errs) > 0 {
		return rollout.Drawn{}, errors.Join(errs...)
	}
	out, err := rollout.Draw(plan, teams, starts, 0)
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			errs = append(errs, built(errors.New(line)))
		}
		return rollout.Drawn{}, errors.Join(errs...)
	}
	// By the organisation's clock and by UTC, whichever Monday comes first.
	y, mo, day := out.Steps[0].Week.Date()
	if first, now := time.Date(y, mo, day, 0, 0, 0, 0, r.c.cfg.Zone), r.now(); !now.Before(first) || !now.Before(out.Steps[0].Week) {
		return rollout.Drawn{}, wrong("steps[0].week", "must lie ahead: a draw is published before the first team starts")
	}
	return out, nil
}

// Draw publishes a draw.
func (r roller) Draw(ctx context.Context, who access.Who, f dashboards.RolloutForm) (string, error) {
	if !rolloutID.MatchString(f.ID) {
		return "", wrong("id", "open the form again")
	}
	r.one.Lock()
	defer r.one.Unlock()
	d, err := r.Plan(ctx, who, f)
	if err != nil {
		return "", err
	}
	switch _, err := r.c.Store.For(access.Operator(), "").Rollout(ctx, f.ID); {
	case err == nil:
		return f.ID, nil // the second click
	case !errors.Is(err, analytics.ErrNotFound):
		return "", err
	}
	seed, err := rand.Int(rand.Reader, big.NewInt(rollout.MaxSeed+1))
	if err != nil {
		return "", fmt.Errorf("draw: %w", err)
	}
	from, to, err := d.Weeks()
	if err != nil {
		return "", err
	}
	var teams []rollout.Team
	for _, t := range d.Teams { // their sizes were checked by Plan
		teams = append(teams, rollout.Team{ID: t, People: rollout.TeamSize})
	}
	drawn, err := rollout.Draw(rollout.Plan{Rollout: d.Rollout, Module: d.Module, Metric: d.Metric, Scale: d.Scale, Expect: d.Expect, From: from, To: to}, teams, d.Steps, seed.Int64())
	if err != nil {
		return "", built(err)
	}
	e, err := drawn.Event(r.now())
	if err != nil {
		return "", built(err)
	}
	if err := r.act(ctx, who, "rollout.drawn", drawn.Rollout); err != nil {
		return "", err
	}
	return drawn.Rollout, r.publish(ctx, e)
}

func (r roller) teaches(id string) bool {
	if _, ok := r.curriculum.Module(id); ok {
		return true
	}
	_, ok := r.curriculum.Track(id)
	return ok
}

// rolled are the teams of a form, each there once and large enough.
func rolled(ids []string, d *analytics.Directory, bad func(field, format string, args ...any)) []rollout.Team {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > mostRolled {
		bad("teams", "at most %d", mostRolled)
		return nil
	}
	var out []rollout.Team
	for _, id := range ids {
		i := slices.IndexFunc(d.Teams, func(t analytics.Team) bool { return t.ID == id })
		switch {
		case i < 0:
			bad("teams", "no team is called %s", clip(id))
		case d.Teams[i].Size < rollout.TeamSize:
			bad("teams", "%s has %d people; what a team of fewer than %d does is what somebody does", clip(cmp.Or(d.Teams[i].Name, id)), d.Teams[i].Size, rollout.TeamSize)
		default:
			out = append(out, rollout.Team{ID: id, People: d.Teams[i].Size})
		}
	}
	return out
}

// startsOf are the starts that were filled in.
func startsOf(f dashboards.RolloutForm, bad func(field, format string, args ...any)) []rollout.Start {
	var out []rollout.Start
	for i := range max(len(f.Weeks), len(f.Counts)) {
		week, count := "", ""
		if i < len(f.Weeks) {
			week = strings.TrimSpace(f.Weeks[i])
		}
		if i < len(f.Counts) {
			count = strings.TrimSpace(f.Counts[i])
		}
		if week == "" && (count == "" || count == "0") {
			continue
		}
		field := fmt.Sprintf("steps[%d]", i)
		s := rollout.Start{Week: monday(week, field+".week", bad)}
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 || n > mostRolled {
			bad(field+".teams", "a number of teams is wanted")
		}
		s.Teams = n
		out = append(out, s)
	}
	return out
}

func monday(text, field string, bad func(field, format string, args ...any)) time.Time {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(text))
	switch {
	case err != nil:
		bad(field, "the date of a Monday is wanted")
	case t.Weekday() != time.Monday:
		bad(field, "%s is a %s; weeks begin on Monday", t.Format(time.DateOnly), t.Weekday())
	}
	return t
}

// CheckedDraw is what the check of a draw found.
type CheckedDraw struct {
	Rollout, Module, Metric, Window string
	Seed                            int64
	Order                           []string
	Draws                           string
}

// longestDraw bounds what is read of a draw, in bytes.
const longestDraw = 1 << 20

// CheckDraw reads the data of a rollout.drawn event, alone or in its event, and draws again
// by its teams and seed. The error says where the publication and the seed differ.
func CheckDraw(from io.Reader) (CheckedDraw, error) {
	text, err := io.ReadAll(io.LimitReader(from, longestDraw))
	if err != nil {
		return CheckedDraw{}, err
	}
	d, err := rollout.ReadAny(text)
	if err != nil {
		return CheckedDraw{}, err
	}
	if err := d.Reproduce(); err != nil {
		return CheckedDraw{}, fmt.Errorf("the draw is not the one its seed gives: %w", err)
	}
	return CheckedDraw{d.Rollout, d.Module, d.Metric, d.Window, d.Seed, d.Order, d.Assignments().String()}, nil
}
