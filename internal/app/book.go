package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of sharing and booking
//
//  1. Both are events that Steward alone says. What may be said is decided here, whatever the
//     page offered: package access says who, the log what there is.
//  2. One word after the other: a second click finds what the first one did.

// timeForm is how the form of a booking writes a time, in the organisation's zone.
const timeForm = "2006-01-02T15:04"

// farthest is how far ahead a drill can be booked.
const farthest = 366 * 24 * time.Hour

// Share lets a team read a finished attempt of who shares it, or ends that.
func (p *player) Share(ctx context.Context, who access.Who, attempt, team string, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, err := p.attempt(ctx, who, attempt)
	if err != nil {
		return err
	}
	if on { // to end it one may have left the team
		if err := who.Shares(a.Person, team); err != nil {
			return err
		}
	}
	if a.Finished.IsZero() {
		return wrong("attempt", "it is not finished; finish it, then there is a debrief to share")
	}
	if team == "" {
		return wrong("team", "which?")
	}
	e, err := drill.Shared(drill.Share{Player: playerOf(a), Shared: on, To: "team:" + team}, p.now())
	if err != nil {
		return built(err)
	}
	return p.keep(ctx, e)
}

// keep publishes events and waits a moment for the sink.
func (p *player) keep(ctx context.Context, events ...event.Event) error {
	if err := p.c.Publisher.Publish(ctx, events...); err != nil {
		return err
	}
	return p.stored(ctx)
}

// Book books a drill for people and teams.
func (p *player) Book(ctx context.Context, who access.Who, w dashboards.Session) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.c.Store.For(who, "").Drill(ctx, w.Drill); errors.Is(err, analytics.ErrNotFound) {
		return wrong("drill", "there is none called so")
	} else if err != nil {
		return err
	}
	starts, err := p.starts(w.Starts)
	if err != nil {
		return err
	}
	slices.Sort(w.People)
	slices.Sort(w.Teams)
	w.People, w.Teams = slices.Compact(w.People), slices.Compact(w.Teams)
	switch n := len(w.People) + len(w.Teams); {
	case n == 0:
		return wrong("for", "a person or a team is wanted")
	case n > mostWork:
		return wrong("for", "at most %d at a time", mostWork)
	case len([]rune(w.Reason)) > longestReason:
		return wrong("reason", "at most %d characters", longestReason)
	case len(w.Cites) > mostCites:
		return wrong("cites", "at most %d incidents", mostCites)
	}
	for _, id := range w.Cites {
		if _, err := p.c.Store.For(who, "a cited incident").Incident(ctx, id); errors.Is(err, analytics.ErrNotFound) {
			return wrong("cites", "there is no incident %q", clip(id))
		} else if err != nil {
			return err
		}
	}
	d, err := p.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return err
	}
	booked, err := p.c.Store.For(access.Operator(), "").Bookings(ctx, analytics.BookingFilter{Drill: w.Drill})
	if err != nil {
		return err
	}
	var events []event.Event
	add := func(b drill.Booking) error {
		for _, r := range booked {
			if r.Open() && r.Starts.Equal(starts) && r.Team == b.Team && (b.Team != "" || r.Person == b.Person) {
				return wrong("for", "%s has it booked for that time already", clip(b.Person+b.Team))
			}
		}
		b.Drill, b.By, b.Starts, b.Reason, b.Cites = w.Drill, who.By(), starts, w.Reason, w.Cites
		e, _, err := drill.Booked(b, p.now())
		if err != nil {
			return built(err)
		}
		events = append(events, e)
		return nil
	}
	for _, person := range w.People {
		i := slices.IndexFunc(d.People, func(x analytics.Person) bool { return x.ID == person })
		var teams []string
		if i >= 0 {
			teams = d.People[i].Teams
		}
		// Whether there is such a person is told to their lead alone.
		if err := who.Books(person, teams...); err != nil {
			return err
		}
		if i < 0 && !who.Is(person) {
			return wrong("for", "nobody is called so")
		}
		if err := add(drill.Booking{Person: person}); err != nil {
			return err
		}
	}
	for _, t := range w.Teams {
		if err := who.Books("", t); err != nil {
			return err
		}
		i := slices.IndexFunc(d.Teams, func(x analytics.Team) bool { return x.ID == t })
		if i < 0 || len(d.Teams[i].Members) == 0 {
			return wrong("for", "no team with people in it is called so")
		}
		if err := add(drill.Booking{Team: t}); err != nil {
			return err
		}
	}
	return p.keep(ctx, events...)
}

// starts reads the time of a form.
func (p *player) starts(text string) (time.Time, error) {
	at, err := time.ParseInLocation(timeForm, text, p.c.cfg.Zone)
	switch now := p.now(); {
	case text == "":
		return at, wrong("starts", "when?")
	case err != nil:
		return at, wrong("starts", "must be a time like 2026-03-29T14:00")
	case at.Before(now):
		return at, wrong("starts", "is in the past")
	case at.After(now.Add(farthest)):
		return at, wrong("starts", "is more than a year away")
	}
	return at, nil
}

// Rebook moves a booking to another time; Unbook ends it. Both are for who may book it.
func (p *player) Rebook(ctx context.Context, who access.Who, id, starts string) error {
	at, err := p.starts(starts)
	if err != nil {
		return err
	}
	return p.change(ctx, who, id, func(b *drill.Booking) { b.Starts = at })
}

// Unbook ends a booking.
func (p *player) Unbook(ctx context.Context, who access.Who, id string) error {
	return p.change(ctx, who, id, func(b *drill.Booking) { b.Cancelled = true })
}

func (p *player) change(ctx context.Context, who access.Who, id string, how func(*drill.Booking)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	gone := fmt.Errorf("booking: %w", analytics.ErrNotFound)
	if _, err := p.c.Store.For(who, "").Bookings(ctx, analytics.BookingFilter{Own: true}); err != nil {
		return err // they may ask nothing at all
	}
	rows, err := p.c.Store.For(access.Operator(), "").Bookings(ctx, analytics.BookingFilter{ID: id})
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return gone
	}
	r := rows[0]
	b := drill.Booking{ID: r.ID, Drill: r.Drill, By: who.By(), Person: r.Person, Team: r.Team, Starts: r.Starts, Reason: r.Reason, Cites: r.Cites}
	teams := []string{r.Team}
	if r.Team != "" {
		b.Person = ""
	} else {
		d, err := p.c.Store.For(access.Operator(), "").Directory(ctx)
		if err != nil {
			return err
		}
		teams = nil
		for _, x := range d.People {
			if x.ID == r.Person {
				teams = x.Teams
			}
		}
	}
	if err := who.Books(b.Person, teams...); err != nil {
		if !slices.ContainsFunc(rows, func(r analytics.BookingRow) bool { return who.Is(r.Person) }) {
			return gone // that there is such a booking is not for them
		}
		return err
	}
	if b.Person != "" && !r.Open() {
		return wrong("booking", "it is done already")
	}
	how(&b)
	e, _, err := drill.Booked(b, p.now())
	if err != nil {
		return built(err)
	}
	return p.keep(ctx, e)
}
