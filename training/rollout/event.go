package rollout

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

func window(from, to time.Time) string {
	return from.UTC().Format(time.DateOnly) + "/" + to.UTC().Format(time.DateOnly)
}

// Weeks is the window's first Monday and the one after its last week.
func (d Drawn) Weeks() (from, to time.Time, err error) {
	a, b, ok := strings.Cut(d.Window, "/")
	if !ok {
		return from, to, fmt.Errorf("must be two Mondays, as in 2026-01-05/2026-06-29")
	}
	for _, p := range []struct {
		text string
		into *time.Time
	}{{a, &from}, {b, &to}} {
		if *p.into, err = time.Parse(time.DateOnly, p.text); err != nil || !monday(*p.into) {
			return from, to, fmt.Errorf("%q is not the date of a Monday", p.text)
		}
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("ends before it begins")
	}
	return from, to, nil
}

// Event is the draw as a fact of the log, published before the first start. Its id follows
// from the rollout and the moment, so publishing it twice is one event. A draw may not be
// repeated until it pleases: of several draws of one rollout the reader takes the first by
// (seen, id) and shows that there were others.
func (d Drawn) Event(at time.Time) (event.Event, error) {
	if err := d.Validate(); err != nil {
		return event.Event{}, err
	}
	if !at.Before(d.Steps[0].Week) {
		return event.Event{}, fmt.Errorf("at: the draw must be published before the first start, %s", d.Steps[0].Week.Format(time.DateOnly))
	}
	return event.New("/steward", event.RolloutDrawn, "steward:rollout:"+d.Rollout, d.Rollout, at, d)
}

// Read reads a draw from the data of a rollout.drawn event.
func Read(data []byte) (Drawn, error) {
	var d Drawn
	if err := json.Unmarshal(data, &d); err != nil {
		return Drawn{}, fmt.Errorf("rollout.drawn: %w", err)
	}
	return d, d.Validate()
}

// ReadAny reads a draw from the data of its event, or from the whole CloudEvent.
func ReadAny(text []byte) (Drawn, error) {
	var e struct {
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return Drawn{}, fmt.Errorf("rollout.drawn: %w", err)
	}
	switch {
	case e.Data == nil:
		return Read(text)
	case e.Type != event.RolloutDrawn.Type():
		return Drawn{}, fmt.Errorf("rollout.drawn: the event is a %q", e.Type)
	}
	return Read(e.Data)
}
