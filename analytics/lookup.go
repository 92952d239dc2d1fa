package analytics

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// ErrNotFound is the answer to a question about an incident or record that does not exist.
var ErrNotFound = errors.New("not found")

// present is the question that look-ups for pages stand on: everything known, now.
func (s *Store) present() question {
	now := s.now().UTC().Truncate(time.Millisecond)
	return question{
		from: now.Add(-90 * 24 * time.Hour), to: now.Add(time.Millisecond), asOf: now, knownAt: now, zone: s.zone, tz: s.zone.String(),
		bucket: "none", by: "none", lens: "owner_then", auto: "include", profile: "steward", assume: "first", hours: s.sets[0],
		splits: []Split{{"none", "none"}},
	}
}

// look runs a SELECT over facts and hands every row to scan.
func (s *Store) look(ctx context.Context, pass access.Pass, name string, q question, needs []string, sql string, extra []warehouse.Param, scan func(*warehouse.Rows) error) error {
	if len(needs) > 0 {
		m, err := s.mark(ctx)
		if err != nil {
			return err
		}
		if q.aliases, err = s.aliases(ctx, q.knownAt, m); err != nil {
			return fmt.Errorf("aliases: %w", err)
		}
		q.metric.facts = needs
		q.metric.SQL = sql
		if err = s.settle(ctx, &q, m); err != nil {
			return err
		}
		if sql, err = compose(s.facts, q); err != nil {
			return err
		}
	}
	rows, err := s.run(ctx, pass, name, sql, append(q.bind(), extra...)...)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// latest is the last non-empty text of a data member by (at, id).
func latest(member string) string {
	return "argMaxIf(JSONExtractString(data, '" + member + "'), (at, id), JSONExtractString(data, '" + member + "') != '')"
}

// everybody reads who and what there is, with nobody left out. It is kept for a few seconds: names change rarely
// and pages ask often.
func (s *Store) everybody(ctx context.Context) (*Directory, error) {
	m, err := s.mark(ctx)
	if err != nil {
		return nil, err
	}
	s.directory.mu.Lock()
	defer s.directory.mu.Unlock()
	if s.directory.dir != nil && s.directory.mark.gone == m.gone && (s.directory.mark == m || time.Since(s.directory.at) < directoryFor) && time.Since(s.directory.at) < directoryMax {
		return s.directory.dir, nil
	}
	d, pass := &Directory{}, access.Working()
	q := s.present()
	teams := map[string]*Team{}
	team := func(id string) *Team {
		if t, ok := teams[id]; ok {
			return t
		}
		teams[id] = &Team{ID: id, Name: id}
		return teams[id]
	}
	if err := s.look(ctx, pass, "directory teams", q, nil,
		"SELECT team, "+latest("name")+", "+latest("parent")+", "+latest("contact")+" FROM events WHERE kind = 'team.described' AND at <= {as_of:DateTime64(3, 'UTC')} GROUP BY team ORDER BY team", nil,
		func(r *warehouse.Rows) error {
			var id, name, parent, contact string
			if err := r.Scan(&id, &name, &parent, &contact); err != nil {
				return err
			}
			t := team(id)
			t.Parent, t.Contact = parent, contact
			if name != "" {
				t.Name = name
			}
			return nil
		}); err != nil {
		return nil, err
	}
	if err := s.look(ctx, pass, "directory services", q, []string{"ownership_epoch"}, `
SELECT service, max(name), max(description), max(lifecycle), max(runbook), max(tier), max(owner)
FROM (
    SELECT service, `+latest("name")+` AS name, `+latest("description")+` AS description, `+latest("lifecycle")+` AS lifecycle, `+latest("runbook_url")+` AS runbook,
        argMaxIf(JSONExtractInt(data, 'tier'), (at, id), JSONExtractInt(data, 'tier') > 0) AS tier, '' AS owner
    FROM events WHERE kind = 'service.described' AND at <= {as_of:DateTime64(3, 'UTC')} GROUP BY service
    UNION ALL
    SELECT service, '', '', '', '', toInt64(0), argMax(team, valid_from) FROM ownership_epoch GROUP BY service
    UNION ALL
    SELECT DISTINCT service, '', '', '', '', toInt64(0), '' FROM events
    WHERE kind IN ('incident.opened', 'incident.updated') AND service != '' AND at >= {from:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')})
GROUP BY service ORDER BY service`, nil,
		func(r *warehouse.Rows) error {
			var v Service
			var tier int64
			if err := r.Scan(&v.ID, &v.Name, &v.Description, &v.Lifecycle, &v.RunbookURL, &tier, &v.Owner); err != nil {
				return err
			}
			v.Tier, v.Description = int(tier), s.reveal(v.Description)
			if v.Name == "" {
				v.Name = v.ID
			}
			if v.Owner != "" {
				t := team(v.Owner)
				t.Services = append(t.Services, v.ID)
			}
			d.Services = append(d.Services, v)
			return nil
		}); err != nil {
		return nil, err
	}
	if err := s.look(ctx, pass, "directory people", q, []string{"membership_epoch", "person_epoch"}, `
SELECT member, max(name) AS name, max(zone) AS zone, groupUniqArrayArray(teams) AS teams
FROM (
    SELECT transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member, argMaxIf(name, (at, id), name != '') AS name, '' AS zone, CAST([], 'Array(String)') AS teams
    FROM person WHERE at <= {as_of:DateTime64(3, 'UTC')} GROUP BY member
    UNION ALL SELECT member, '', argMax(zone, valid_from), CAST([], 'Array(String)') FROM person_epoch GROUP BY member
    UNION ALL SELECT member, '', '', argMax(teams, valid_from) FROM membership_epoch GROUP BY member
    UNION ALL SELECT DISTINCT transform(person, {alias:Array(String)}, {person_of:Array(String)}, person), '', '', CAST([], 'Array(String)')
    FROM page WHERE person != '' AND at >= {from:DateTime64(3, 'UTC')} AND at <= {as_of:DateTime64(3, 'UTC')})
GROUP BY member ORDER BY member`, nil,
		func(r *warehouse.Rows) error {
			var p Person
			if err := r.Scan(&p.ID, &p.Name, &p.Zone, &p.Teams); err != nil {
				return err
			}
			p.ID, p.Name = s.reveal(p.ID), s.reveal(p.Name)
			if p.Name == "" {
				p.Name = p.ID
			}
			sortStrings(p.Teams)
			for _, id := range p.Teams {
				t := team(id)
				t.Members = append(t.Members, p.ID)
			}
			d.People = append(d.People, p)
			return nil
		}); err != nil {
		return nil, err
	}
	if err := s.look(ctx, pass, "directory leads", q, []string{"membership_epoch"}, `
SELECT transform(person, {alias:Array(String)}, {person_of:Array(String)}, person) AS member, team, argMax(lower(JSONExtractString(data, 'role')), (at, id)) AS role
FROM events WHERE kind = 'member.joined' AND at <= {as_of:DateTime64(3, 'UTC')} AND (member, team) IN
    (SELECT member, arrayJoin(teams) FROM (SELECT member, argMax(teams, valid_from) AS teams FROM membership_epoch GROUP BY member))
GROUP BY member, team HAVING role IN ('lead', 'manager') ORDER BY member, team`, nil,
		func(r *warehouse.Rows) error {
			var person, id, role string
			if err := r.Scan(&person, &id, &role); err != nil {
				return err
			}
			t := team(id)
			t.Leads = append(t.Leads, s.reveal(person))
			return nil
		}); err != nil {
		return nil, err
	}
	slices.SortFunc(d.People, func(a, b Person) int { return strings.Compare(a.ID, b.ID) })
	d.Size = len(d.People)
	for _, t := range teams {
		sortStrings(t.Members)
		sortStrings(t.Leads)
		t.Size = len(t.Members)
		d.Teams = append(d.Teams, *t)
	}
	sortTeams(d.Teams)
	s.directory.dir, s.directory.mark, s.directory.at = d, m, time.Now()
	return d, nil
}

const incidentColumns = `incident, last_title, last_service, last_urgency, last_priority, last_alert_class, opened_at, acked_at, resolved_at,
    owner_then, owner_now, resolver, is_auto, is_merged`

func (s *Store) scanIncident(r *warehouse.Rows) (IncidentRow, error) {
	var i IncidentRow
	var acked, resolved *time.Time
	var auto, merged bool
	err := r.Scan(&i.ID, &i.Title, &i.Service, &i.Urgency, &i.Priority, &i.AlertClass, &i.Opened, &acked, &resolved,
		&i.OwnerThen, &i.OwnerNow, &i.Resolver, &auto, &merged)
	i.Auto, i.Merged, i.Resolver, i.Title = auto, merged, s.reveal(i.Resolver), s.reveal(i.Title)
	if acked != nil {
		i.Acked = *acked
	}
	if resolved != nil {
		i.Resolved = *resolved
	}
	i.Over = merged || resolved != nil
	return i, err
}

// pagedLate is how long before the window an incident may have opened whose pages in the
// window are asked for.
const pagedLate = 31 * 24 * time.Hour

// incidents lists incidents by their opening, newest first; drills apart.
func (s *Store) incidents(ctx context.Context, pass access.Pass, f IncidentFilter) ([]IncidentRow, error) {
	q := s.present()
	if !f.To.IsZero() {
		q.to = f.To.UTC()
	}
	if !f.From.IsZero() {
		q.from = f.From.UTC()
	}
	q.service = f.Service
	q.team = f.Team
	if f.Limit <= 0 || f.Limit > 10000 {
		f.Limit = 1000
	}
	needs, where := []string{"incident_listed"}, ""
	extra := []warehouse.Param{{Name: "limit", Value: uint32(f.Limit)}}
	if len(f.Paged) > 0 {
		needs = append(needs, "page_teamed")
		where = ` WHERE incident IN (SELECT incident FROM page_teamed WHERE NOT is_unanswered AND member != '' AND has({paged:Array(String)}, team)
    AND at >= {paged_from:DateTime64(3, 'UTC')})`
		extra = append(extra, warehouse.Param{Name: "paged", Value: f.Paged}, warehouse.Param{Name: "paged_from", Value: q.from})
		// Asked by team, page_teamed finds people's teams; a filter by team would restrict incident_listed to owners.
		q.metric.Name, q.lens, q.splits = "pages", "responder_team", []Split{{"none", "team"}}
		q.from = q.from.Add(-pagedLate)
	}
	var out []IncidentRow
	err := s.look(ctx, pass, "incidents", q, needs, "SELECT "+incidentColumns+" FROM incident_listed"+where+" ORDER BY opened_at DESC, incident DESC LIMIT {limit:UInt32}", extra,
		func(r *warehouse.Rows) error {
			i, err := s.scanIncident(r)
			out = append(out, i)
			return err
		})
	return out, err
}

// incident is one incident with every event behind it. A drill or an incident that only
// has events is shown by its events. ErrNotFound if there are none.
func (s *Store) incident(ctx context.Context, pass access.Pass, id string) (*Incident, error) {
	if id == "" { // events that name no incident are not one
		return nil, fmt.Errorf("incident: %w", ErrNotFound)
	}
	events, err := s.events(ctx, pass, EventFilter{Incident: id, Limit: 10000})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, fmt.Errorf("incident: %w", ErrNotFound)
	}
	inc := &Incident{Events: events}
	inc.ID, inc.Opened = id, events[0].At
	q := s.present()
	q.from, q.onlyIncident = events[0].At, id
	err = s.look(ctx, pass, "incident", q, []string{"incident_listed"}, "SELECT "+incidentColumns+" FROM incident_listed", nil,
		func(r *warehouse.Rows) error {
			i, err := s.scanIncident(r)
			inc.IncidentRow = i
			return err
		})
	for _, e := range events {
		if e.Kind == "page.sent" {
			inc.Pages++
		}
		var said struct{ Drill bool }
		if e.Kind == "incident.opened" && json.Unmarshal([]byte(e.Data), &said) == nil && said.Drill {
			inc.Drill = true
		}
	}
	return inc, err
}

// events lists stored events in (at, id) order, each identity once: the copy seen first. What
// somebody answered about an incident, learned, or showed in it is no part of its story, and
// nobody's but theirs: a tool may name the incident in such an event.
func (s *Store) events(ctx context.Context, pass access.Pass, f EventFilter) ([]EventRow, error) {
	q := s.present()
	if !f.AsOf.IsZero() {
		q.asOf = f.AsOf.UTC()
	}
	if !f.KnownAt.IsZero() {
		q.knownAt = f.KnownAt.UTC()
	} else {
		q.knownAt = time.Date(2290, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if f.Limit <= 0 || f.Limit > 10000 {
		f.Limit = 1000
	}
	var out []EventRow
	err := s.look(ctx, pass, "events", q, nil, `
SELECT kind, at, id, source, subject, incident, service, team, person, actor, seen, time_quality, data, extensions
FROM (
    SELECT toString(kind) AS kind, at, id, toString(source) AS source, subject, incident, service, team, person, toString(actor) AS actor, seen, toString(time_quality) AS time_quality, data, extensions
    FROM events
    WHERE incident = {incident:String} AND kind NOT IN ('question.answered', 'skill.evidenced', 'evidence.voided', 'drill.started', 'drill.acted', 'drill.finished', 'drill.shared') AND NOT startsWith(toString(kind), 'training.') AND at <= {as_of:DateTime64(3, 'UTC')} AND seen <= {known_at:DateTime64(3, 'UTC')}
    ORDER BY seen LIMIT 1 BY source, id)
ORDER BY at, id, source
LIMIT {limit:UInt32}`,
		[]warehouse.Param{{Name: "incident", Value: f.Incident}, {Name: "limit", Value: uint32(f.Limit)}},
		func(r *warehouse.Rows) error {
			var e EventRow
			if err := r.Scan(&e.Kind, &e.At, &e.ID, &e.Source, &e.Subject, &e.Incident, &e.Service, &e.Team, &e.Person, &e.Actor, &e.Seen, &e.TimeQuality, &e.Data, &e.Extensions); err != nil {
				return err
			}
			e.Person, e.Subject, e.Data, e.Extensions = s.reveal(e.Person), s.reveal(e.Subject), s.revealJSON(e.Data), s.revealJSON(e.Extensions)
			out = append(out, e)
			return nil
		})
	return out, err
}

// ownershipHistory is the line of owners of a service, oldest first.
func (s *Store) ownershipHistory(ctx context.Context, pass access.Pass, service string) ([]OwnershipSpan, error) {
	q := s.present()
	q.assume = "none"
	var out []OwnershipSpan
	err := s.look(ctx, pass, "ownership history", q, []string{"ownership_epoch"},
		"SELECT team, valid_from FROM ownership_epoch WHERE service = {of:String} ORDER BY valid_from",
		[]warehouse.Param{{Name: "of", Value: service}},
		func(r *warehouse.Rows) error {
			var o OwnershipSpan
			if err := r.Scan(&o.Team, &o.From); err != nil {
				return err
			}
			if n := len(out); n > 0 {
				if out[n-1].Team == o.Team {
					return nil
				}
				out[n-1].To = o.From
			}
			out = append(out, o)
			return nil
		})
	return out, err
}
