package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/limit"
	"github.com/stewardhq/steward/internal/notify"
	"github.com/stewardhq/steward/training/remind"
	"github.com/stewardhq/steward/training/xapi"
)

// outgoing is what goes out about learning, as its pages handle it.
//
// Theory of operation of calendars
//
//  1. The address of a calendar holds a secret of 256 bits, since calendars cannot sign in. It
//     is shown once; the log keeps its digest, so all processes know it and a copy of the log
//     opens nothing. A new one replaces the old.
//  2. A secret opens one person's calendar and nothing else: it is looked up here and in no
//     other place, and what is read is read as that person.
//  3. It opens while the person is in a team. Whoever left or is forgotten has none, and a
//     wrong secret gets the same answer.
//  4. An answer's tag is made of what it says without the moment of its making, so that a
//     calendar that asks every few minutes mostly gets 304.
type outgoing struct {
	a             *App
	asks, strange *limit.Limiter
}

// How often a calendar may be fetched, and how often an address may be wrong.
const (
	calendarPerSecond, calendarBurst = 1.0 / 30, 20
	strangePerSecond, strangeBurst   = 1.0 / 6, 20
)

func newOutgoing(a *App) outgoing {
	limiter := func(perSecond float64, burst int) *limit.Limiter {
		return limit.New(limit.Config{PerSecond: perSecond, Burst: burst, Now: a.cfg.Now})
	}
	return outgoing{a, limiter(calendarPerSecond, calendarBurst), limiter(strangePerSecond, strangeBurst)}
}

func (o outgoing) Rules() remind.Rules {
	if o.a.cfg.Notify == nil {
		return remind.Defaults()
	}
	return o.a.cfg.Notify.Reminders.Rules()
}

func (o outgoing) Channels() []string { return nameOfChannels(o.a.cfg.Notify) }

func (o outgoing) States() []dashboards.ChannelState {
	return append(o.a.sender.states(), o.a.pusher.states()...)
}

func (o outgoing) Site() string {
	if o.a.cfg.Notify == nil {
		return ""
	}
	return o.a.cfg.Notify.Site
}

func (o outgoing) say(ctx context.Context, kind event.Kind, who access.Who, data map[string]any) error {
	if err := who.Learns(); err != nil {
		return err
	}
	data["person"] = who.Person
	e, err := event.New(event.OwnSource, kind, "notices", rand.Text(), o.a.cfg.Now(), data)
	if err != nil {
		return err
	}
	return newLearner(o.a.core, o.a.curriculum).publish(ctx, e)
}

func (o outgoing) Choose(ctx context.Context, who access.Who, on bool) error {
	choice := "off"
	if on {
		choice = "on"
	}
	return o.say(ctx, event.ReminderChosen, who, map[string]any{"reminders": choice})
}

func (o outgoing) OpenCalendar(ctx context.Context, who access.Who) (string, error) {
	var b [32]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	secret := base64.RawURLEncoding.EncodeToString(b[:])
	return secret, o.say(ctx, event.CalendarAddressed, who, map[string]any{"address": digestOf(secret)})
}

func (o outgoing) CloseCalendar(ctx context.Context, who access.Who) error {
	return o.say(ctx, event.CalendarAddressed, who, map[string]any{"address": analytics.NoAddress})
}

func digestOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func (o outgoing) Statements(facts []analytics.LearningFact, home string) ([]xapi.Exported, error) {
	if s := o.Site(); s != "" {
		home = s
	}
	return siteOf(o.a.core, o.a.curriculum, home).Statements(factsOf(facts))
}

// Calendar answers a fetch. Its errors are written here: the path holds a secret, and must
// not reach the log.
func (o outgoing) Calendar(w http.ResponseWriter, r *http.Request, secret, home string) {
	w.Header().Set("Referrer-Policy", "no-referrer")
	digest := digestOf(secret)
	person, teams, found, err := o.a.core.Store.CalendarOf(r.Context(), digest)
	switch {
	case err != nil:
		o.a.log.Error("a calendar could not be read", "error", err)
		writeError(w, http.StatusServiceUnavailable, "the calendar cannot be read now", nil)
		return
	case !found:
		if wait, ok := o.strange.Take(limit.ClientKey(limit.ClientIP(r, o.a.cfg.TrustedProxies))); !ok {
			retryAfter(w, wait)
			writeError(w, http.StatusTooManyRequests, "too many requests", nil)
			return
		}
		writeError(w, http.StatusNotFound, "there is no such calendar", nil)
		return
	}
	if wait, ok := o.asks.Take(digest); !ok {
		retryAfter(w, wait)
		writeError(w, http.StatusTooManyRequests, "too many requests", nil)
		return
	}
	if s := o.Site(); s != "" {
		home = s
	}
	body, tag, err := o.calendar(r.Context(), person, teams, home)
	if err != nil {
		o.a.log.Error("a calendar could not be written", "error", err)
		writeError(w, http.StatusServiceUnavailable, "the calendar cannot be read now", nil)
		return
	}
	h := w.Header()
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", tag)
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="steward.ics"`)
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// calendar is a person's calendar, read as that person, and its tag.
func (o outgoing) calendar(ctx context.Context, person string, teams []string, home string) (body []byte, tag string, err error) {
	c := o.a.core
	now := o.a.cfg.Now()
	who := access.As(access.Identity{Person: person, Method: "calendar"}, access.Membership{Person: person, Teams: teams}, access.Viewer, access.Member)
	v := c.Store.For(who, "calendar")
	rows, err := v.Assignments(ctx, analytics.AssignmentFilter{Own: true, Tracks: tracksOf(o.a.curriculum)})
	if err != nil {
		return nil, "", err
	}
	rows = taughtOf(o.a.curriculum, rows)
	from, to := remind.Window(now)
	shifts, err := v.Duties(ctx, analytics.DutyFilter{From: from, To: to, Own: true})
	if err != nil {
		return nil, "", err
	}
	booked, err := v.Bookings(ctx, analytics.BookingFilter{Own: true})
	if err != nil {
		return nil, "", err
	}
	drills, err := v.Drills(ctx)
	if err != nil {
		return nil, "", err
	}
	names := map[string]string{}
	for _, d := range drills {
		names[d.ID] = d.Title
	}
	var dates []remind.Date
	for _, b := range booked {
		if b.Starts.Before(now.Add(-24 * time.Hour)) {
			continue
		}
		title := "Drill"
		if names[b.Drill] != "" {
			title += ": " + names[b.Drill]
		}
		dates = append(dates, remind.Date{Key: b.ID, At: b.Starts, Title: title, Path: dashboards.DrillPath(b.Drill)})
	}
	p := remind.Person{ID: person}
	if people := remind.People(rows, shifts, func(string) *time.Location { return nil }); len(people) > 0 {
		p = people[0]
	} else {
		for _, s := range shifts {
			p.Shifts = append(p.Shifts, remind.Shift{Start: s.Start, End: s.End})
		}
	}
	cal := p.Calendar(func(m string) string { return titleOf(o.a.curriculum, m) }, dates, home, o.a.cfg.Zone, now)
	var still, out bytes.Buffer
	if err := cal.Write(&still, time.Unix(0, 0)); err != nil {
		return nil, "", err
	}
	if err := cal.Write(&out, now); err != nil {
		return nil, "", err
	}
	sum := sha256.Sum256(still.Bytes())
	return out.Bytes(), `W/"` + hex.EncodeToString(sum[:16]) + `"`, nil
}

// openOutgoing starts what sends, in a process that can.
func (a *App) openOutgoing() (err error) {
	if a.cfg.Notify == nil || !a.cfg.has(RoleSink) {
		return nil
	}
	if a.sender, err = openSender(a.core, a.curriculum); err != nil {
		return err
	}
	if a.pusher, err = openPusher(a.core, a.curriculum); err != nil {
		return err
	}
	if a.sender != nil {
		a.core.loop("the sending of reminders", a.sender.run)
	}
	if a.pusher != nil {
		a.core.loop("the sending of learning records", a.pusher.run)
	}
	return nil
}

// LoadNotify reads the file of --notify. What is wrong in it is a *UsageError.
func LoadNotify(path string) (*notify.Config, error) {
	c, err := notify.Load(path)
	if err != nil {
		return nil, &UsageError{Message: err.Error()}
	}
	return c, nil
}
