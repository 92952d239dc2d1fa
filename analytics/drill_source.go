package analytics

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/drill"
)

// DrillSource is what a drill is compiled of: an incident's events, and what is known of
// those who stand in them, so that the drill can leave them out.
type DrillSource struct {
	IncidentRow
	Events  []drill.Event
	Options drill.Options // Incident, Teams, People, Past, and as Skills those the incident is tagged with; the rest is the author's
}

// normSpan is how far back the incidents of a norm group lie.
const normSpan = 365 * 24 * time.Hour

// DrillSource is an incident for its author, who belongs to a team that owns or owned the
// service. ErrNotFound; *access.Denied.
func (v *View) DrillSource(ctx context.Context, incident string) (*DrillSource, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	inc, err := v.s.incident(ctx, access.Working(), incident)
	if err != nil {
		return nil, err
	}
	pass, err := v.who.Authors([]string{inc.OwnerThen, inc.OwnerNow})
	if err != nil {
		return nil, err
	}
	alias, err := v.s.aliasesNow(ctx)
	if err != nil {
		return nil, err
	}
	everybody, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	out := &DrillSource{IncidentRow: inc.IncidentRow, Options: drill.Options{Incident: incident, Teams: map[string]string{}, People: map[string][]string{}}}
	for _, p := range everybody.People {
		out.Options.People[p.ID] = append(out.Options.People[p.ID], p.Name)
		if len(p.Teams) > 0 { // of now: who has moved since was escalated to as a person all the same
			out.Options.Teams["person:"+p.ID] = p.Teams[0]
		}
	}
	for i := 1; i < len(alias.from) && i < len(alias.to); i++ {
		id, person := v.s.reveal(alias.from[i]), v.s.reveal(alias.to[i])
		out.Options.People[person] = append(out.Options.People[person], id)
		if t := out.Options.Teams["person:"+person]; t != "" {
			out.Options.Teams["person:"+id] = t
		}
	}
	for _, e := range inc.Events {
		data := map[string]any{}
		if err := json.Unmarshal([]byte(e.Data), &data); err != nil {
			continue // what cannot be read is no evidence
		}
		person := e.Person
		if person != "" {
			person = v.s.canonical(alias, person)
		}
		out.Events = append(out.Events, drill.Event{Kind: event.Kind(e.Kind), At: e.At, ID: e.ID, Person: person, Service: e.Service, Team: e.Team, Data: data})
	}
	rows, err := v.s.incidents(ctx, pass, IncidentFilter{From: inc.Opened.Add(-normSpan), To: inc.Opened, Limit: 10000})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Resolver != "" && !r.Auto && !r.Merged && !r.Resolved.IsZero() {
			out.Options.Past = append(out.Options.Past, drill.Past{Person: r.Resolver, Service: r.Service, AlertClass: r.AlertClass, Seconds: int64(r.Resolved.Sub(r.Opened).Seconds())})
		}
	}
	err = v.s.look(ctx, pass, "skills of an incident", v.s.present(), []string{"tag_standing"},
		"SELECT skill FROM tag_standing WHERE incident = {of:String} ORDER BY skill", []warehouse.Param{{Name: "of", Value: incident}},
		func(r *warehouse.Rows) error {
			var skill string
			err := r.Scan(&skill)
			out.Options.Skills = append(out.Options.Skills, skill)
			return err
		})
	if err != nil {
		return nil, err
	}
	// In the order of ids, whatever order aliases came in: the same incident, the same drill.
	for id, names := range out.Options.People {
		slices.Sort(names)
		out.Options.People[id] = slices.Compact(names)
	}
	return out, nil
}
