package training

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Walk is a shift in which a newcomer walks along: they look on, or are on call with a host
// behind them.
type Walk struct {
	Shift      string // empty: made of the others
	Schedule   string
	Level      int
	Person     string
	Reverse    bool
	Start, End time.Time
}

type walkData struct {
	Shift    string `json:"shift"`
	Schedule string `json:"schedule"`
	Person   string `json:"person"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Level    int    `json:"level"`
	Role     string `json:"role"`
}

// Role is the word of the vocabulary.
func (w Walk) Role() string {
	if w.Reverse {
		return "reverse_shadow"
	}
	return "shadow"
}

// id names the shift. It is a digest, since it holds whose it is; planned anew after it was
// called off, it is the same shift.
func (w Walk) id() string {
	if w.Shift != "" {
		return w.Shift
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s/%d/%d:%s/%s/%d", len(w.Schedule), w.Schedule, w.Level, len(w.Person), w.Person, w.Role(), w.Start.UnixMilli()))
	return "walk-" + hex.EncodeToString(sum[:10])
}

// Walks is that the shift is planned.
func Walks(w Walk, at time.Time) (event.Event, error) {
	switch {
	case w.Schedule == "":
		return event.Event{}, errors.New("host: missing: whose shift?")
	case !w.End.After(w.Start):
		return event.Event{}, errors.New("end: not after the start")
	}
	return w.said(w.End, at)
}

// CalledOff is that the shift is not to be, or, once it runs, that it ends now.
func CalledOff(w Walk, at time.Time) (event.Event, error) {
	end := w.Start
	if at.After(end) {
		end = at
	}
	return w.said(end, at)
}

func (w Walk) said(end, at time.Time) (event.Event, error) {
	id := w.id()
	const form = "2006-01-02T15:04:05.000Z"
	d := walkData{Shift: id, Schedule: w.Schedule, Person: w.Person, Level: w.Level, Role: w.Role(), Start: w.Start.UTC().Format(form), End: end.UTC().Format(form)}
	return event.New(source, event.ShiftPlanned, "shift:"+id, id+"/"+d.End, at, d)
}
