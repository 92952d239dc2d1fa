// Package simulate invents an organisation and its years of incidents: teams, services,
// people, rotas, moves of ownership, alerts, pages and how they ended, as events.
//
// Theory of operation
//
//  1. newOrganisation draws everything that exists and every change of people that will
//     happen (joiners, leavers, a team formed halfway). Its size follows from Teams,
//     Services and People alone.
//  2. Events then walks the window day by day. Each day plans rotas two weeks ahead,
//     applies the changes that fall due, draws the day's deployments and alerts from
//     rates that know the hour, the weekday and the zone, and plays each incident to its
//     end: paging, timeouts, hand-overs, notes, resolution.
//  3. What lies in the future (a resolution tomorrow, a review on Monday, the end of a
//     shift) waits in a buffer; at the end of a day all that fell due leaves in order of
//     time. So memory is bounded by the organisation and cost is linear in the events.
//  4. Every draw comes from one seeded generator in one goroutine, and nothing reads a
//     clock or ranges over a map where order matters: the same Config gives the same
//     bytes.
//  5. What Steward learns late is part of it: most events are seen within seconds, some
//     hours or days later, and some services and people are described only weeks after
//     their first incident.
package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Config is the size of the organisation and the window of its incidents.
type Config struct {
	Teams, Services, People int
	Days                    int       // the window is [End − Days, End), from midnight UTC on; facts about the organisation reach back further
	End                     time.Time // no event happens at or after it, and nothing is seen after it
	Seed                    uint64    // the same seed, and otherwise equal Config, gives the same bytes
}

// defaultEnd is fixed: a default that followed the clock would break "same seed, same bytes".
var defaultEnd = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// Defaults is an organisation small enough to load in seconds and large enough that every
// page has something to show: 8 teams, 40 services, 60 people, one year.
func Defaults() Config {
	return Config{Teams: 8, Services: 40, People: 60, Days: 365, End: defaultEnd, Seed: 1}
}

// Validate joins every reason why the organisation cannot be made.
func (c Config) Validate() error {
	var errs []error
	for _, f := range []struct {
		name     string
		n, limit int
	}{
		{"teams", c.Teams, 100_000}, {"services", c.Services, 1_000_000},
		{"people", c.People, 1_000_000}, {"days", c.Days, 36_500},
	} {
		if f.n < 1 || f.n > f.limit {
			errs = append(errs, fmt.Errorf("%s: %d is not from 1 to %d", f.name, f.n, f.limit))
		}
	}
	if first := c.End.AddDate(0, 0, -c.Days).AddDate(-prehistoryYears, 0, 0); c.Days >= 1 && first.Before(event.Earliest) {
		errs = append(errs, fmt.Errorf("end: the history would begin in %d, before 1970", first.Year()))
	}
	if !c.End.Before(event.Latest) {
		errs = append(errs, errors.New("end: after the year 2199"))
	}
	return errors.Join(errs...)
}

// prehistoryYears bounds how far before the window people joined and services were taken on.
const prehistoryYears = 4

// Source is the CloudEvents source of a seed's events, "/simulate/1".
func Source(seed uint64) string { return fmt.Sprintf("/simulate/%d", seed) }

// Events gives the history to emit in order of At. It stops at emit's first error and
// returns that error.
func Events(cfg Config, emit func(event.Event) error) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	cfg.End = cfg.End.UTC().Truncate(time.Millisecond)
	w, err := newWorld(cfg)
	if err != nil {
		return err
	}
	w.found()
	for day := w.start; day.Before(cfg.End); day = day.Add(24 * time.Hour) {
		w.live(day)
		if err := w.flush(day.Add(24*time.Hour), emit); err != nil {
			return err
		}
	}
	return w.flush(cfg.End, emit)
}

// line is one CloudEvent in structured mode but for its data, which Write appends: the
// data is compact JSON already, and encoding it once more would cost a fifth of the time.
// The order of the members is the order of bytes.
type line struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Subject         string `json:"subject"`
	Time            string `json:"time"`
	RecordedTime    string `json:"recordedtime"`
	PartitionKey    string `json:"partitionkey"`
	DataContentType string `json:"datacontenttype"`
}

// Write writes the history as CloudEvents in structured mode, one a line.
func Write(w io.Writer, cfg Config) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var head bytes.Buffer
	enc := json.NewEncoder(&head)
	err := Events(cfg, func(e event.Event) error {
		head.Reset()
		err := enc.Encode(&line{
			SpecVersion: "1.0", ID: e.ID, Source: e.Source, Type: e.Kind.Type(), Subject: e.Subject,
			Time: stamp(e.At), RecordedTime: stamp(e.Seen), PartitionKey: e.Key,
			DataContentType: "application/json",
		})
		if err != nil {
			return err
		}
		out.Write(bytes.TrimSuffix(head.Bytes(), []byte("}\n")))
		out.WriteString(`,"data":`)
		out.Write(e.Data)
		_, err = out.WriteString("}\n") // a bufio.Writer keeps its first error
		return err
	})
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return nil
}

// stamp writes an instant as the vocabulary does: RFC 3339, UTC, milliseconds.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// title turns an id into words: "card-vault" into "Card vault".
func title(id string) string {
	s := strings.ReplaceAll(id, "-", " ")
	return strings.ToUpper(s[:1]) + s[1:]
}
