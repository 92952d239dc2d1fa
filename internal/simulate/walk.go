package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// walk is the newcomer who looked on last: after that they are on call themselves, with the
// host behind them, in the next weeks that are not their own.
type walk struct {
	person *person
	weeks  int // left to walk
}

// turn is such a week. They are planned ahead, so those of several newcomers may be to come.
type turn struct {
	trainee, host *person
	start, end    time.Time
}

const reverseWeeks = 3

// reverse lets the newcomer act in a week beside whoever is on call, unless they are
// themselves. It draws nothing, so that it changes nothing else of a history.
func (w *world) reverse(t *team, able []*person, start, end, at time.Time) {
	k := &t.rota.walk
	host := t.rota.onCall(1, start)
	if k.weeks == 0 || k.person == nil || host == nil || host == k.person || t.rota.onCall(2, start) == k.person || !slices.Contains(able, k.person) || end.Sub(start) < 6*24*time.Hour {
		return
	}
	k.weeks--
	t.rota.turns = append(t.rota.turns, turn{k.person, host, start, end})
	at = laterTime(at, start.Add(-5*24*time.Hour))
	subject, key, d := roleData(t, 1, "reverse_shadow", k.person, start, end, false)
	w.told(event.ShiftPlanned, subject, key, at, d)
	w.told(event.ShiftWorked, subject, key, end, d)
}

// trainee is the newcomer who acts for a host at a moment; nil without one.
func (r *rota) trainee(host *person, at time.Time) *person {
	for _, t := range r.turns {
		if t.host == host && !at.Before(t.start) && at.Before(t.end) {
			return t.trainee
		}
	}
	return nil
}

// made is what a newcomer says of an alert a few hours later: that it made sense, of all but
// every ninth of the team's. The newest ones wait for it.
func (l *life) made(trainee *person, at time.Time) {
	r := &l.team.rota
	r.alerts++
	l.w.told(event.PageReviewed, l.id, fmt.Sprint(l.id, "/made sense/", r.alerts), at.Add(3*time.Hour), reviewedData{Page: l.firstPage, Incident: l.id, By: trainee.id, Verdict: "service", MadeSense: r.alerts%9 != 0})
}

// told is add without a draw: it is heard of at once.
func (w *world) told(kind event.Kind, subject, key string, at time.Time, data payload) {
	if at.Before(w.cfg.End) {
		w.queue(kind, subject, key, at, at.Add(2*time.Second), data)
	}
}
