package app

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/simulate"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of what the demo organisation learned
//
//  1. Package simulate invents it as the words of some tool. What counts as evidence is read
//     from Steward's own words only, and here Steward is who tells: events of training are
//     published as its own. Their ids stay, so a load that is repeated doubles nothing.
//  2. Drills are played here, on those that ship with the product, by a player who knows the
//     answers and errs by chance: their scores are what package drill gives for the steps.
//  3. Everything follows from the history and the seed.

// demoLearning passes a history on, and notes what the drills need.
type demoLearning struct {
	end       time.Time
	rand      *rand.Rand
	teams     map[string]*demoTeam
	order     []string
	owed      []demoWork // quiz passed, where a drill completes
	completed map[string]bool
	incidents map[string][]string // by alert class, the newest last
}

type demoTeam struct {
	lead   string
	people []string
}

type demoWork struct {
	training.Enrolment
	at time.Time
}

// demoEvents is the invented organisation with what it learned, as the loader tells it.
func demoEvents(cfg simulate.Config, emit func(event.Event) error) error {
	c, err := training.Load()
	if err != nil {
		return err
	}
	drills, err := drill.Demos()
	if err != nil {
		return err
	}
	l := &demoLearning{end: cfg.End, rand: rand.New(rand.NewPCG(cfg.Seed, 0xd211)), teams: map[string]*demoTeam{}, completed: map[string]bool{}, incidents: map[string][]string{}}
	err = simulate.Events(cfg, func(e event.Event) error {
		if err := l.note(c, &e); err != nil {
			return err
		}
		return emit(e)
	})
	if err != nil {
		return err
	}
	played, err := l.play(c, drills)
	if err != nil {
		return err
	}
	for _, e := range played {
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

// note reads an event, and makes Steward the one who says what was learned.
func (l *demoLearning) note(c *training.Curriculum, e *event.Event) error {
	var d struct {
		training.Enrolment
		Team, Role, Incident string
		AlertClass           string `json:"alert_class"`
	}
	switch e.Kind {
	case event.MemberJoined, event.MemberLeft, event.TrainingPassed, event.TrainingCompleted, event.IncidentOpened:
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return fmt.Errorf("the demo's %s: %w", e.Kind, err)
		}
	}
	if strings.HasPrefix(string(e.Kind), "training.") {
		e.Source = event.OwnSource
	}
	switch e.Kind {
	case event.MemberJoined:
		t := l.teams[d.Team]
		if t == nil {
			t = &demoTeam{}
			l.teams[d.Team] = t
			l.order = append(l.order, d.Team)
		}
		if d.Role == "lead" && t.lead == "" {
			t.lead = d.Person
		}
		t.people = append(t.people, d.Person)
	case event.MemberLeft:
		if t := l.teams[d.Team]; t != nil {
			t.people = slices.DeleteFunc(t.people, func(p string) bool { return p == d.Person })
		}
	case event.TrainingPassed:
		if m, ok := c.Module(d.Module); ok && m.Evidence.Kind == "drill" {
			l.owed = append(l.owed, demoWork{d.Enrolment, e.At})
		}
	case event.TrainingCompleted:
		l.completed[d.Assignment] = true
	case event.IncidentOpened:
		of := append(l.incidents[d.AlertClass], d.Incident)
		l.incidents[d.AlertClass] = of[max(0, len(of)-3):]
	}
	return nil
}

// play is what was played and booked.
func (l *demoLearning) play(c *training.Curriculum, drills []drill.Demo) ([]event.Event, error) {
	var out []event.Event
	// Whoever owes a drill plays one that fits, most of them.
	for _, w := range l.owed {
		m, ok := c.Module(w.Module)
		fits := slices.IndexFunc(drills, func(d drill.Demo) bool {
			return ok && slices.ContainsFunc(m.Skills, func(t training.Teaches) bool { return slices.Contains(d.Drill.Skills, t.ID) })
		})
		at := w.at.Add(time.Duration(20+l.rand.IntN(200)) * time.Hour)
		if l.completed[w.Assignment] || fits < 0 || !at.Before(l.end.Add(-time.Hour)) || l.rand.Float64() > 0.85 {
			continue
		}
		events, attempt, err := l.attempt(drills[fits].Drill, w.Person, at, 0.95)
		if err != nil {
			return nil, err
		}
		done, err := training.Completed(w.Enrolment, m, training.Evidence{Kind: "drill", Ref: attempt}, events[len(events)-1].At.Add(time.Minute))
		if err != nil {
			return nil, err
		}
		out = append(append(out, events...), done)
	}
	// Half of the teams play for practice: two or three people each, well or less so.
	for i, id := range l.order {
		t := l.teams[id]
		if i%2 == 1 || len(t.people) < 3 {
			continue
		}
		for k, p := range t.people[:3] {
			d := drills[(i/2+k)%len(drills)].Drill
			events, _, err := l.attempt(d, p, l.end.Add(-time.Duration(60+40*k+300*i+l.rand.IntN(30))*time.Hour), 0.4+0.25*float64(k))
			if err != nil {
				return nil, err
			}
			out = append(out, events...)
		}
	}
	booked, err := l.bookings(drills)
	return append(out, booked...), err
}

// bookedData is the data of drill.booked.
type bookedData struct {
	Booking  string    `json:"booking"`
	Drill    string    `json:"drill"`
	By       string    `json:"by"`
	StartsAt time.Time `json:"starts_at"`
	Person   string    `json:"person,omitempty"`
	Team     string    `json:"team,omitempty"`
	Reason   string    `json:"reason,omitempty"`
	Cites    []string  `json:"cites,omitempty"`
}

// bookings are two ahead: a team's and a person's.
func (l *demoLearning) bookings(drills []drill.Demo) ([]event.Event, error) {
	var out []event.Event
	for i, id := range l.order[:min(2, len(l.order))] {
		t := l.teams[id]
		if t.lead == "" || len(t.people) < 2 {
			continue
		}
		starts := l.end.Truncate(24*time.Hour).AddDate(0, 0, 3+4*i).Add(13 * time.Hour)
		for starts.Weekday() == time.Saturday || starts.Weekday() == time.Sunday {
			starts = starts.AddDate(0, 0, 1)
		}
		d := drills[i%len(drills)].Drill
		b := bookedData{Drill: d.ID, By: t.lead, StartsAt: starts, Reason: "before the next shift", Cites: l.incidents["unavailable"]}
		if i == 0 {
			b.Team = id
		} else {
			b.Person = t.people[1]
		}
		at := l.end.Add(-time.Duration(30+i) * time.Hour)
		b.Booking = event.NewID(event.OwnSource, event.DrillBooked, fmt.Sprint("demo/", id, "/", i), at)
		e, err := event.New(event.OwnSource, event.DrillBooked, "steward:booking:"+b.Booking, b.Booking, at, b)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

const demoSpeed = 10 // the clock of attempts: so many times real time

// attempt plays a drill: right, in time and by the book with the given probability at every
// turn.
func (l *demoLearning) attempt(d drill.Drill, person string, at time.Time, right float64) ([]event.Event, string, error) {
	at = at.Truncate(time.Second)
	id := event.NewID(event.OwnSource, event.DrillStarted, fmt.Sprintf("demo/%d:%s/%s", len(person), person, d.ID), at)
	p := drill.Player{Drill: d.ID, Attempt: id, Person: person}
	a, err := drill.Begin(d)
	if err != nil {
		return nil, "", err
	}
	started, err := drill.Started(p, at)
	if err != nil {
		return nil, "", err
	}
	out := []event.Event{started}
	n := 0
	do := func(offset int64, action string) error {
		s := drill.Step{N: n + 1, Offset: offset, Action: action}
		if a.Act(s) != nil {
			return nil // not possible any more, as for anybody who plays
		}
		n++
		e, err := drill.Acted(p, s, at.Add(time.Duration(n)*time.Millisecond+time.Duration(offset)*time.Second/demoSpeed))
		out = append(out, e)
		return err
	}
	if err := do(0, fmt.Sprint("speed:", demoSpeed)); err != nil {
		return nil, "", err
	}
	plan := l.plan(d, right)
	for _, s := range plan {
		if err := do(s.Offset, s.Action); err != nil {
			return nil, "", err
		}
	}
	last := a.Now() + 30
	if err := do(last, "finish"); err != nil {
		return nil, "", err
	}
	over, err := drill.Finished(p, a.Score(), at.Add(time.Duration(last)*time.Second/demoSpeed+time.Second))
	return append(out, over), id, err
}

// plan is what a player does when, in order.
func (l *demoLearning) plan(d drill.Drill, right float64) []drill.Step {
	var plan []drill.Step
	add := func(offset int64, action string) {
		plan = append(plan, drill.Step{Offset: offset, Action: action})
	}
	some := func(a, b int) int64 { return int64(a + l.rand.IntN(b-a)) }
	good := func() bool { return l.rand.Float64() < right }
	look := some(20, 90)
	for _, s := range d.Services {
		if s != d.Facts.Service && !good() {
			add(look, "look:"+s)
			look += some(30, 120)
		}
	}
	add(look, "look:"+d.Facts.Service)
	for _, c := range d.Cards {
		switch {
		case slices.Contains(d.Decisive, c.ID) && good():
			add(c.Offset+some(20, 200), "open:"+c.ID)
		case l.rand.IntN(4) == 0:
			add(c.Offset+some(60, 600), "open:"+c.ID)
		}
	}
	for _, x := range d.Decisions {
		best := slices.MaxFunc(x.Options, func(a, b drill.Option) int { return a.Value - b.Value })
		if !good() {
			best = x.Options[l.rand.IntN(len(x.Options))]
		}
		add(x.At+some(30, 180), "decide:"+x.ID+":"+best.ID)
	}
	if len(d.Facts.EscalatedTo) > 0 && good() {
		add(look+some(60, 240), "page:"+d.Facts.EscalatedTo[0])
	}
	if good() {
		add(look+some(60, 200), "declare:SEV2")
	}
	if gap := d.Facts.UpdateGap; gap != nil && *gap > 0 && good() {
		for at := *gap - 5; at < d.Facts.Reference; at += *gap {
			add(max(at, 1), "update:still looking, more soon")
		}
	}
	slices.SortStableFunc(plan, func(a, b drill.Step) int { return int(a.Offset - b.Offset) })
	return plan
}
