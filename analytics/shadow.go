package analytics

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of walking along
//
//  1. A shadow shift is a shift event with the role shadow (the host acts, the newcomer looks
//     on) or reverse_shadow (the other way about). It never counts as on-call hours. Like any
//     shift it holds as last stated; one that ends at its start was called off.
//  2. A shift that was planned and has passed was walked, unless it was called off: nothing
//     else tells that somebody looked on.
//  3. The rota is the team's: whoever is in it reads who walks along and who is on call from
//     now on. What lies behind is how far a newcomer is, and read as access.Who.Learning says.

// Roles of shifts in which somebody walks along.
const (
	RoleShadow  = "shadow"
	RoleReverse = "reverse_shadow"
)

// ShiftRow is a shift in [Start, End).
type ShiftRow struct {
	ID, Schedule, Person string
	Host                 string // of a shadow shift: who is on call on that schedule then
	Role                 string
	Level                int
	Start, End           time.Time
}

// Walks says whether somebody walks along in it, and is not on call.
func (r ShiftRow) Walks() bool { return r.Role == RoleShadow || r.Role == RoleReverse }

// shiftRows are all shadow shifts, and of the others those that last beyond a moment, are of
// these people, or lie on the schedules of shadow shifts at their time; by start.
func (v *View) shiftRows(ctx context.Context, beyond time.Time, people ...string) ([]ShiftRow, error) {
	var out []ShiftRow
	// What comes out is cut down for the asker by Rota and by Readiness.
	err := v.s.look(ctx, access.Working(), "rota", v.s.present(), []string{"shift_said"}, `
SELECT s.shift, s.schedule, s.member, s.start, s.end, s.level, s.role
FROM shift_said AS s LEFT JOIN (SELECT schedule, min(start) AS first, max(end) AS last FROM shift_said WHERE role IN ('shadow', 'reverse_shadow') GROUP BY schedule) AS w ON s.schedule = w.schedule
WHERE s.role IN ('shadow', 'reverse_shadow') OR s.end > {beyond:DateTime64(3, 'UTC')}
   OR has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), s.member)
   OR w.schedule != '' AND s.start < w.last AND s.end > w.first
ORDER BY s.start, s.schedule, s.level, s.member, s.shift`,
		[]warehouse.Param{{Name: "beyond", Value: beyond.UTC()}, {Name: "of", Value: append([]string{}, v.s.stored(people)...)}},
		func(r *warehouse.Rows) error {
			var x ShiftRow
			var level int16
			if err := r.Scan(&x.ID, &x.Schedule, &x.Person, &x.Start, &x.End, &level, &x.Role); err != nil {
				return err
			}
			x.ID, x.Person, x.Level = v.s.reveal(x.ID), v.s.reveal(x.Person), int(level)
			out = append(out, x)
			return nil
		})
	for i, x := range out {
		if !x.Walks() {
			continue
		}
		for _, h := range out { // whoever is on call when it begins, on the same level if there is one
			if !h.Walks() && h.Schedule == x.Schedule && h.Person != x.Person && !h.Start.After(x.Start) && h.End.After(x.Start) && (out[i].Host == "" || h.Level == x.Level) {
				out[i].Host = h.Person
			}
		}
	}
	return out, err
}

// Rota lists the shifts from now on of a team's people, those of who walks along among them,
// as far as the asker reads a rota: by start. A team they are not in has none for them.
func (v *View) Rota(ctx context.Context, team string) ([]ShiftRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	teams := map[string][]string{}
	for _, p := range d.People {
		teams[p.ID] = p.Teams
	}
	now := v.s.now()
	rows, err := v.shiftRows(ctx, now)
	return slices.DeleteFunc(rows, func(r ShiftRow) bool {
		return !r.End.After(now) || !slices.Contains(teams[r.Person], team) || !v.who.Rota(r.Person, teams[r.Person])
	}), err
}

// States of a newcomer, from the first to the last.
const (
	ReadyNew       = "not begun"
	ReadyShadow    = "shadowing"
	ReadyReverse   = "reverse shadowing"
	ReadyGraduated = "graduated"
)

// AlertsNeeded is how many acknowledged alerts graduation takes, and more than SenseNeeded of
// them have to have made sense (TRAINING, On-call graduation).
const (
	AlertsNeeded = 10
	SenseNeeded  = 0.8
)

// AlertRow is an alert that a trainee acknowledged.
type AlertRow struct {
	Incident, Title string
	Acked           time.Time
	MadeSense       *bool  // nil: nobody has said
	By              string // who said it last
}

// Readiness is how far somebody is on the way to their first shift on their own.
type Readiness struct {
	Person          string
	Teams           []string
	Shadow          int // shifts of each kind that are over
	Reverse         int
	Coming          []ShiftRow // of both kinds, running or to come
	First           time.Time  // start of their first shift on call on their own, past or planned; zero: none
	Next            time.Time  // of the next or running one; zero: none
	NextSchedule    string
	State           string
	Acknowledged    int
	Graduated       time.Time // zero: not yet
	Detailed        bool      // whether the asker reads what follows
	Rated, Sensible int
	Alerts          []AlertRow // by acknowledgement
}

// ReadinessFilter selects one person, or the people of a team who walk along, have done so
// in the last half year, or were never on call on their own.
type ReadinessFilter struct{ Person, Team string }

// walkedLately is how long after their last shadow shift somebody stands in the list of a team.
const walkedLately = 183 * 24 * time.Hour

// Readiness says how far newcomers are, by name. Who may not ask about the person, or the
// team, is refused.
func (v *View) Readiness(ctx context.Context, f ReadinessFilter) ([]Readiness, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	teams, names := d.placed()
	var people []string
	if f.Person != "" {
		people = []string{v.s.canonical(alias, f.Person)}
	} else {
		for _, p := range d.People {
			if slices.Contains(p.Teams, f.Team) {
				people = append(people, p.ID)
			}
		}
	}
	if f.Person != "" {
		err = v.who.LearningOf(people[0], teams[people[0]]...)
	} else {
		err = v.who.LearningOf("", f.Team)
	}
	if err != nil {
		return nil, err
	}
	if f.Person != "" && names[people[0]] == "" && !v.who.Is(people[0]) {
		return nil, nil // nobody is called so, which is told to those who may ask
	}
	now := v.s.now()
	rows, err := v.shiftRows(ctx, now, people...)
	if err != nil {
		return nil, err
	}
	far, err := v.s.keptGraduations(ctx, slowFor)
	if err != nil {
		return nil, err
	}
	var out []Readiness
	var pass access.Pass
	var seen []string
	for _, p := range people {
		reads, scores, decided := v.who.Learning(p, teams[p])
		if !reads {
			continue
		}
		r := readiness(p, rows, now)
		r.Teams = teams[p]
		r.graduation(far[p], scores)
		lately := slices.ContainsFunc(rows, func(x ShiftRow) bool { return x.Walks() && x.Person == p && x.End.After(now.Add(-walkedLately)) })
		if f.Person == "" && !lately && !r.First.IsZero() && r.First.Before(now) {
			continue
		}
		if decided.Records() && !v.who.Is(p) {
			pass, seen = decided, append(seen, p)
		}
		out = append(out, r)
	}
	slices.SortStableFunc(out, func(a, b Readiness) int {
		return cmp.Or(strings.Compare(strings.ToLower(names[a.Person]), strings.ToLower(names[b.Person])), strings.Compare(a.Person, b.Person))
	})
	scrubs := newScrubber(d, v.who)
	for i := range out {
		for j := range out[i].Alerts {
			out[i].Alerts[j].Title = scrubs.words(out[i].Alerts[j].Title)
		}
	}
	if err := v.record(ctx, pass, seen); err != nil {
		return nil, err
	}
	return out, nil
}

// readiness folds a person's shifts.
func readiness(person string, rows []ShiftRow, now time.Time) Readiness {
	r := Readiness{Person: person, State: ReadyNew}
	begun := map[string]bool{}
	for _, x := range rows { // by start
		switch {
		case x.Person != person:
		case !x.Walks():
			if r.First.IsZero() {
				r.First = x.Start
			}
			if r.Next.IsZero() && x.End.After(now) {
				r.Next, r.NextSchedule = x.Start, x.Schedule
			}
		default:
			begun[x.Role] = begun[x.Role] || !x.Start.After(now)
			switch {
			case x.End.After(now):
				r.Coming = append(r.Coming, x)
			case x.Role == RoleShadow:
				r.Shadow++
			default:
				r.Reverse++
			}
		}
	}
	switch {
	case begun[RoleReverse]:
		r.State = ReadyReverse
	case begun[RoleShadow]:
		r.State = ReadyShadow
	}
	return r
}

// graduated is what the facts of graduation say of a person.
type graduated struct {
	at     time.Time
	alerts []AlertRow
}

func (r *Readiness) graduation(g graduated, detailed bool) {
	r.Acknowledged, r.Graduated, r.Detailed = len(g.alerts), g.at, detailed
	if !g.at.IsZero() {
		r.State = ReadyGraduated
	}
	if !detailed {
		return
	}
	r.Alerts = slices.Clone(g.alerts)
	for _, a := range g.alerts {
		if a.MadeSense != nil {
			r.Rated++
			if *a.MadeSense {
				r.Sensible++
			}
		}
	}
}

// keptGraduations are what allGraduations reads, most old at most: a tap shows at once, an alert
// that nobody tapped up to slowFor later.
func (s *Store) keptGraduations(ctx context.Context, most time.Duration) (map[string]graduated, error) {
	return slowly(ctx, s, most, "graduations", s.allGraduations)
}

// allGraduations are everybody's alerts and when they graduated, as the metric graduation says.
// Who gets them must not change them.
func (s *Store) allGraduations(ctx context.Context) (map[string]graduated, error) {
	out := map[string]graduated{}
	// What comes out is cut down for the asker by Readiness.
	err := s.look(ctx, access.Working(), "graduations", s.present(), []string{"graduation"}, `
SELECT a.member, a.incident, a.acked_at, a.made_sense, a.said_by, e.named, g.graduated_at
FROM alert_taken AS a
INNER JOIN graduation AS g ON a.member = g.member
LEFT JOIN (
    SELECT incident, argMax(title, (at, id)) AS named FROM events
    WHERE startsWith(kind, 'incident.') AND title != '' AND at <= {as_of:DateTime64(3, 'UTC')} AND incident IN (SELECT incident FROM alert_taken)
    GROUP BY incident) AS e ON a.incident = e.incident
ORDER BY a.member, a.acked_at, a.incident`, nil,
		func(r *warehouse.Rows) error {
			var member string
			var a AlertRow
			var sense int64
			var at *time.Time
			if err := r.Scan(&member, &a.Incident, &a.Acked, &sense, &a.By, &a.Title, &at); err != nil {
				return err
			}
			member, a.By, a.Title = s.reveal(member), s.reveal(a.By), s.reveal(a.Title)
			if sense >= 0 {
				yes := sense == 1
				a.MadeSense = &yes
			}
			g := out[member]
			if at != nil {
				g.at = *at
			}
			g.alerts = append(g.alerts, a)
			out[member] = g
			return nil
		})
	return out, err
}
