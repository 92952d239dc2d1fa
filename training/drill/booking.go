package drill

import (
	"fmt"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Share is that a player lets a team read one of their attempts, or ends it.
type Share struct {
	Player
	Shared bool   `json:"shared"`
	To     string `json:"to"` // "team:payments"
}

// Shared is one such word of the player. Of an attempt and a team the latest holds.
func Shared(s Share, at time.Time) (event.Event, error) {
	if kind, id, _ := strings.Cut(s.To, ":"); kind != "team" || id == "" {
		return event.Event{}, fmt.Errorf("to: an attempt is shared with a team")
	}
	return s.event(event.DrillShared, fmt.Sprint("/", s.To, "/", s.Shared), at, s)
}

// Booking is that a drill is to be played at a time, by a person or by each of a team.
type Booking struct {
	ID        string    `json:"booking"`
	Drill     string    `json:"drill"`
	By        string    `json:"by"`
	Starts    time.Time `json:"starts_at"`
	Person    string    `json:"person,omitempty"`
	Team      string    `json:"team,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Cites     []string  `json:"cites,omitempty"` // incidents
	Cancelled bool      `json:"cancelled,omitempty"`
}

// Booked is a booking, a new time for it, or its end: of one ID the latest holds. A booking
// without an ID gets one, which follows from what is booked for whom and when that was said.
// Errors begin with the field.
func Booked(b Booking, at time.Time) (event.Event, string, error) {
	switch {
	case b.Drill == "":
		return event.Event{}, "", fmt.Errorf("drill: required")
	case (b.Person == "") == (b.Team == ""):
		return event.Event{}, "", fmt.Errorf("for: a person or a team")
	case b.Starts.IsZero():
		return event.Event{}, "", fmt.Errorf("starts_at: required")
	}
	b.Starts = b.Starts.UTC().Truncate(time.Second)
	if b.ID == "" {
		b.ID = event.NewID(source, event.DrillBooked, fmt.Sprintf("%s/%d:%s/%s", b.Drill, len(b.Person), b.Person, b.Team), at)
	}
	e, err := event.New(source, event.DrillBooked, "steward:booking:"+b.ID, fmt.Sprint(b.ID, "/", b.Starts.Unix(), "/", b.Cancelled), at, b)
	return e, b.ID, err
}

// Times of Suggest, in the zone it is asked for.
const (
	playHour = 14 // early afternoon: after the morning's work, before anybody goes home
	playLead = time.Hour
)

// Suggest is when a drill is well played: at 14:00 on the last weekday before a shift begins,
// a day at least ahead of it where there is one. A shift that begins too soon for that, one
// that has begun, and no shift at all (the zero time) leave the next weekday's 14:00; before
// says whether the time lies before the shift.
func Suggest(now, shift time.Time, zone *time.Location) (at time.Time, before bool) {
	on := func(day time.Time, plus int) time.Time {
		d := day.In(zone)
		return time.Date(d.Year(), d.Month(), d.Day()+plus, playHour, 0, 0, 0, zone)
	}
	weekday := func(t time.Time) bool { return t.Weekday() != time.Saturday && t.Weekday() != time.Sunday }
	earliest := now.Add(playLead)
	if shift.After(now) {
		for back := -1; back >= -4; back-- { // a weekend and a day are the farthest back a weekday is
			if at := on(shift, back); weekday(at) {
				if at.Before(earliest) {
					break
				}
				return at, true
			}
		}
		if at := on(shift, 0); !at.Before(earliest) && at.Add(2*playLead).Before(shift) {
			return at, true
		}
	}
	for plus := 0; ; plus++ {
		if at := on(now, plus); weekday(at) && !at.Before(earliest) {
			return at, shift.After(at)
		}
	}
}
