package analytics

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of events that show something was learned
//
//  1. EventsOf are the events of some kinds that a person is in: that name them, that they
//     said, or, of a service's, that are about a service of one of their teams. They are that
//     person's to read, and nobody else's by this way.
//  2. So an event that is handed in as evidence is looked for among them: that there is one
//     which somebody is not in is not told.

// OwnEvent is an event that somebody is in.
type OwnEvent struct {
	ID, Kind string
	At       time.Time
	Incident string
	Service  string
	Title    string // of the incident, where the event says it
	Schedule string // of a shift
	Shift    string
	Role     string
	From, To time.Time // of a shift
	Verdict  string    // of a review
	Version  string    // of a deployment
}

// eventsShown is how many events are read of one person, the newest.
const eventsShown = 2000

// EventsOf are the events of these kinds that a person is in, since a moment, newest first. Of
// a shift's statements the latest holds, whomever it names. They are for that person; the operator, in whose
// name evidence is checked, reads them too. Errors: *access.Denied.
func (v *View) EventsOf(ctx context.Context, person string, since time.Time, kinds ...string) ([]OwnEvent, error) {
	if !v.who.Is(person) && !v.who.IsOperator() {
		return nil, &access.Denied{Reason: "what somebody was in is shown to that person"}
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	services := []string{}
	for _, p := range d.People {
		for _, t := range d.Teams {
			if p.ID == person && slices.Contains(p.Teams, t.ID) {
				services = append(services, t.Services...)
			}
		}
	}
	var out []OwnEvent
	err = v.s.look(ctx, access.Working(), "events of a person", v.s.present(), []string{"membership_epoch"}, `
SELECT id, kind, at, incident, service, data
FROM (SELECT toString(kind) AS kind, at, id, source, incident, service, person, data, JSONExtractString(data, 'by') AS said_by FROM events
    WHERE kind IN {kinds:Array(String)} AND at >= {since:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')}
      AND (arrayExists(p -> p != '' AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), transform(p, {alias:Array(String)}, {person_of:Array(String)}, p)), [person, said_by])
        OR kind IN ('change.deployed', 'service.attested') AND has({services:Array(String)}, service))
      AND (kind NOT IN ('shift.planned', 'shift.worked') OR (source, id) IN (
          SELECT latest.3, latest.2 FROM (SELECT max((at, id, toString(source))) AS latest FROM shift WHERE at <= {as_of:DateTime64(3, 'UTC')} GROUP BY shift)))
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at DESC, id DESC LIMIT {limit:UInt32}`,
		[]warehouse.Param{{Name: "of", Value: v.s.stored([]string{person})}, {Name: "kinds", Value: kinds}, {Name: "since", Value: since.UTC()}, {Name: "services", Value: services}, {Name: "limit", Value: uint32(eventsShown)}},
		func(r *warehouse.Rows) error {
			var e OwnEvent
			var data string
			if err := r.Scan(&e.ID, &e.Kind, &e.At, &e.Incident, &e.Service, &data); err != nil {
				return err
			}
			var d struct {
				Title, Shift, Schedule, Role, Start, End, Verdict, Version string
			}
			if json.Unmarshal([]byte(v.s.revealJSON(data)), &d) != nil {
				return nil // a stranger's, whose members are of other types
			}
			e.Title, e.Schedule, e.Shift, e.Role, e.Verdict, e.Version = d.Title, d.Schedule, d.Shift, d.Role, d.Verdict, d.Version
			e.From, _ = time.Parse(time.RFC3339, d.Start) // zero where there is none
			e.To, _ = time.Parse(time.RFC3339, d.End)
			out = append(out, e)
			return nil
		})
	return slices.DeleteFunc(out, func(e OwnEvent) bool { return e.Schedule != "" && !e.From.Before(e.To) }), err
}

// Shadowing is how far somebody is with shadowing.
type Shadowing struct {
	Shadowed, Reverse int // shifts that have ended
	Alerts, Sense     int // acknowledged in reverse shadowing and judged, and of these, that made sense
}

// ShadowingOf counts a person's shadow shifts and, of the incidents that they acknowledged in
// reverse-shadow shifts, those of which somebody said whether the alert made sense; the last
// word on each holds. It is for that person and for the operator.
func (v *View) ShadowingOf(ctx context.Context, person string) (Shadowing, error) {
	var out Shadowing
	events, err := v.EventsOf(ctx, person, time.Time{}, "shift.planned", "shift.worked", "incident.acknowledged")
	if err != nil {
		return out, err
	}
	now := v.s.present().asOf
	var reverse []OwnEvent
	for _, e := range events {
		switch {
		case e.To.After(now):
		case e.Role == "shadow":
			out.Shadowed++
		case e.Role == "reverse_shadow":
			out.Reverse++
			reverse = append(reverse, e)
		}
	}
	incidents := []string{}
	for _, e := range events {
		if e.Kind == "incident.acknowledged" && slices.ContainsFunc(reverse, func(s OwnEvent) bool { return !e.At.Before(s.From) && e.At.Before(s.To) }) {
			incidents = append(incidents, e.Incident)
		}
	}
	if len(incidents) == 0 {
		return out, nil
	}
	err = v.s.look(ctx, access.Working(), "what made sense", v.s.present(), nil, `
SELECT argMax(JSONExtractBool(data, 'made_sense'), (at, id))
FROM (SELECT at, id, source, incident, data FROM events
    WHERE kind = 'page.reviewed' AND has({incidents:Array(String)}, incident) AND JSONHas(data, 'made_sense') AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
GROUP BY incident`, []warehouse.Param{{Name: "incidents", Value: incidents}}, func(r *warehouse.Rows) error {
		var sense bool
		if err := r.Scan(&sense); err != nil {
			return err
		}
		out.Alerts++
		if sense {
			out.Sense++
		}
		return nil
	})
	return out, err
}

// Helped is what people said of a module.
type Helped struct {
	People, Yes int   // 0 of fewer people than make a group
	Mine        *bool // the asker's own word; nil: none
}

// Helped counts, over people, whether a module helped; of each the last word, after the module
// or after a page. Of fewer than access.GroupSize people there is no count.
func (v *View) Helped(ctx context.Context, module string) (Helped, error) {
	var out Helped
	if _, err := v.who.Facts(); err != nil {
		return out, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return out, err
	}
	said := map[string]bool{}
	err = v.s.look(ctx, access.Working(), "whether it helped", v.s.present(), nil, `
SELECT person, JSONExtractBool(data, 'helped')
FROM (SELECT at, id, source, person, data FROM events
    WHERE kind = 'training.rated' AND source = '/steward' AND JSONExtractString(data, 'module') = {module:String} AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`, []warehouse.Param{{Name: "module", Value: module}}, func(r *warehouse.Rows) error {
		var person string
		var helped bool
		if err := r.Scan(&person, &helped); err != nil {
			return err
		}
		said[v.s.reveal(alias.person(person))] = helped
		return nil
	})
	if err != nil {
		return out, err
	}
	for p, helped := range said {
		if v.who.Is(p) {
			out.Mine = &helped
		}
		if helped {
			out.Yes++
		}
	}
	if out.People = len(said); out.People < access.GroupSize {
		out.People, out.Yes = 0, 0
	}
	return out, nil
}
