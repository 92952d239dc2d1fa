package source

import (
	"encoding/json"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// PagerDuty V3 webhooks: one event a request, never batched, at least once.
//
//  1. The envelope's event.id is the key of every event made from it, so a redelivery and
//     a second subscription give the same identity. It is opaque text: some look like
//     ULIDs and are none, workflow events have 38 digits.
//  2. Types are a closed list (pdKinds). A type outside it is undecodable, by name, and so
//     is kept in quarantine until a later version knows it. pagey.ping, PagerDuty's own
//     test, is nothing to keep.
//  3. Everything but the id, the type and the incident's id is optional: captures of 2021
//     lack incident_key, created_at and incident_type, and notes carry nothing of the
//     incident but its id.
//  4. Webhooks never tell of a page, and an escalation says neither who had it before nor
//     whether it was a timeout. The log entries do; see pagerduty_entry.go for how both
//     together count once.
//  5. What our vocabulary has no word for (roles, tasks, conference bridges, workflows,
//     actions, custom fields) becomes incident.noted with the type as its text: the
//     incident's existence is known, and raw has the rest.

// pagerDuty is the webhook source.
func pagerDuty() Format {
	return Format{Name: "pagerduty", Title: "PagerDuty V3 webhooks", Decode: decodePagerDuty, Verify: verifyPagerDuty}
}

// pdEnvelope is the body of a webhook.
type pdEnvelope struct {
	Event *struct {
		ID         word            `json:"id"`
		Type       string          `json:"event_type"`
		OccurredAt word            `json:"occurred_at"`
		Agent      *pdRef          `json:"agent"`
		Data       json.RawMessage `json:"data"`
	} `json:"event"`
}

// pdData is the union of the data types; members that one does not have stay zero.
type pdData struct {
	pdRef
	// incident
	Title         word    `json:"title"`
	Service       *pdRef  `json:"service"`
	Assignees     []pdRef `json:"assignees"`
	Policy        *pdRef  `json:"escalation_policy"`
	Teams         []pdRef `json:"teams"`
	Priority      *pdRef  `json:"priority"`
	Urgency       word    `json:"urgency"`
	ResolveReason *struct {
		Type     string `json:"type"`
		Incident *pdRef `json:"incident"`
	} `json:"resolve_reason"`
	// note, status update, responder, task …
	Incident *pdRef `json:"incident"`
	User     *pdRef `json:"user"`
	Content  word   `json:"content"`
	Message  word   `json:"message"`
	State    string `json:"state"`
	Roles    []struct {
		Incident *pdRef `json:"incident"`
	} `json:"incident_role_assignments"`
	// service
	Description word `json:"description"`
}

// pdHook is one webhook on its way to events.
type pdHook struct {
	pdAccount
	origin
	typ   string
	agent *pdRef
	pdData
}

// pdKinds is every type we know and what it becomes. A kind of "" keeps nothing.
var pdKinds = map[string]event.Kind{
	"pagey.ping":                            "",
	"incident.triggered":                    event.IncidentOpened,
	"incident.acknowledged":                 event.IncidentAcknowledged,
	"incident.unacknowledged":               event.IncidentUnacknowledged,
	"incident.escalated":                    event.IncidentEscalated,
	"incident.reassigned":                   event.IncidentReassigned,
	"incident.delegated":                    event.IncidentReassigned,
	"incident.resolved":                     event.IncidentResolved,
	"incident.reopened":                     event.IncidentReopened,
	"incident.priority_updated":             event.IncidentUpdated,
	"incident.service_updated":              event.IncidentUpdated,
	"incident.incident_type.changed":        event.IncidentUpdated,
	"incident.annotated":                    event.IncidentNoted,
	"incident.status_update_published":      event.IncidentNoted,
	"incident.responder.added":              event.ResponderRequested,
	"incident.responder.replied":            event.ResponderResponded,
	"incident.conference_bridge.updated":    event.IncidentNoted,
	"incident.custom_field_values.updated":  event.IncidentNoted,
	"incident.role.assigned":                event.IncidentNoted,
	"incident.task.created":                 event.IncidentNoted,
	"incident.task.updated":                 event.IncidentNoted,
	"incident.task.completed":               event.IncidentNoted,
	"incident.action_invocation.created":    event.IncidentNoted,
	"incident.action_invocation.updated":    event.IncidentNoted,
	"incident.action_invocation.terminated": event.IncidentNoted,
	"incident.workflow.started":             event.IncidentNoted,
	"incident.workflow.completed":           event.IncidentNoted,
	"service.created":                       event.ServiceDescribed,
	"service.updated":                       event.ServiceDescribed,
	"service.deleted":                       event.ServiceDescribed,
	"service.custom_field_values.updated":   event.AuditRecorded,
}

func decodePagerDuty(d Delivery) ([]event.Event, error) {
	if d.fault != nil {
		return nil, d.fault
	}
	name, err := account(d.Account, "default")
	if err != nil {
		return nil, err
	}
	raw, err := compact(d.Body)
	if err != nil {
		return nil, err
	}
	var env pdEnvelope
	if err := unmarshal(raw, &env); err != nil {
		return nil, err
	}
	if env.Event == nil {
		return nil, &Undecodable{Field: "event", Reason: "missing"}
	}
	e := env.Event
	kind, known := pdKinds[e.Type]
	switch {
	case e.Type == "":
		return nil, &Undecodable{Field: "event.event_type", Reason: "missing"}
	case !known:
		return nil, &Undecodable{Reason: "unknown type " + plain(e.Type), Field: "event.event_type"}
	case kind == "":
		return nil, nil
	case e.ID == "":
		return nil, &Undecodable{Field: "event.id", Reason: "missing"}
	}
	h := pdHook{pdAccount: pdAccount(name), typ: e.Type, agent: e.Agent}
	h.origin = origin{source: "/pagerduty/" + name + "/webhook", key: string(e.ID), raw: raw}
	if h.origin, err = h.timed("event.occurred_at", string(e.OccurredAt), d.Received); err != nil {
		return nil, err
	}
	if len(e.Data) > 0 {
		if err := unmarshal(e.Data, &h.pdData); err != nil {
			return nil, err
		}
	}
	return h.events(kind)
}

func (h *pdHook) events(kind event.Kind) ([]event.Event, error) {
	switch kind {
	case event.ServiceDescribed:
		return h.describe()
	case event.AuditRecorded:
		return h.audit()
	}
	incident := h.incident()
	if incident == "" {
		return nil, &Undecodable{Field: "event.data.incident.id", Reason: "missing"}
	}
	person, actor := h.actor(h.agent)
	f := fact{Incident: incident, Person: person, ActorKind: actor}
	switch kind {
	case event.IncidentOpened:
		return h.open(f)
	case event.IncidentEscalated:
		f.Cause, f.To = "unknown", h.targets(h.Assignees)
	case event.IncidentReassigned:
		f.To = h.targets(h.Assignees)
		if h.typ == "incident.delegated" && h.Policy.known() {
			f.To = targets{"policy:" + h.id(h.Policy)}
		}
		if len(f.To) == 0 { // taken off everybody: known, but no target to name
			kind, f.Text = event.IncidentNoted, h.typ
		}
	case event.IncidentResolved:
		return h.resolve(f)
	case event.IncidentUpdated:
		f.Title, f.Service = string(h.Title), h.id(h.Service)
		f.Urgency, f.Priority = pdUrgency(h.Urgency), pdPriority(h.Priority)
	case event.IncidentNoted:
		f.Text = first(string(h.Content), h.noteMessage(), h.typ)
	case event.ResponderRequested, event.ResponderResponded:
		return h.respond(kind, f)
	}
	return one(h.event(kind, incident, f))
}

// incident is the incident's id wherever the data type has it.
func (h *pdHook) incident() string {
	switch {
	case h.Incident.known():
		return h.id(h.Incident)
	case len(h.Roles) > 0 && h.Roles[0].Incident.known():
		return h.id(h.Roles[0].Incident)
	case h.Type == "incident" || h.Type == "incident_reference":
		return h.id(&h.pdRef)
	}
	return ""
}

// noteMessage is the text of a status update; a task's or a responder's message is not one.
func (h *pdHook) noteMessage() string {
	if h.typ == "incident.status_update_published" {
		return string(h.Message)
	}
	return ""
}

// open gives the opening and, where somebody was assigned by it, that first assignment. It
// is put one millisecond later, since both come from one instant and (at, id) alone
// would order them by chance.
func (h *pdHook) open(f fact) ([]event.Event, error) {
	opened := f
	opened.Title = first(string(h.Title), string(h.Summary), "Incident "+string(h.ID))
	opened.Service, opened.Urgency, opened.Priority = h.id(h.Service), pdUrgency(h.Urgency), pdPriority(h.Priority)
	if len(h.Teams) > 0 {
		opened.Team = h.id(&h.Teams[0])
	}
	out, err := one(h.event(event.IncidentOpened, f.Incident, opened))
	to := h.targets(h.Assignees)
	if err != nil || len(to) == 0 {
		return out, err
	}
	o := h.origin
	o.at = o.at.Add(time.Millisecond)
	// The escalation policy chose the assignee, whoever opened the incident.
	assigned, err := o.event(event.IncidentReassigned, f.Incident, fact{Incident: f.Incident, ActorKind: "service", To: to})
	if err != nil {
		return nil, err
	}
	return append(out, assigned), nil
}

// resolve gives the resolution and, where the reason is a merge, the merge. Nothing here
// says who worked the incident: its assignees are empty by then.
func (h *pdHook) resolve(f fact) ([]event.Event, error) {
	auto := f.ActorKind != "user"
	resolved := f
	resolved.Auto = &auto
	var into string
	if r := h.ResolveReason; r != nil {
		resolved.Reason = r.Type
		if r.Type == "merge_resolve_reason" {
			into = h.id(r.Incident)
		}
	}
	out, err := one(h.event(event.IncidentResolved, f.Incident, resolved))
	if err != nil || into == "" {
		return out, err
	}
	merged := f
	merged.Into = into
	m, err := h.event(event.IncidentMerged, f.Incident, merged)
	if err != nil {
		return nil, err
	}
	return append(out, m), nil
}

// respond: person is the responder, who did not necessarily do anything yet. A request
// to a whole policy names nobody and is a note.
func (h *pdHook) respond(kind event.Kind, f fact) ([]event.Event, error) {
	if !h.User.known() {
		f.Text = h.typ
		return one(h.event(event.IncidentNoted, f.Incident, f))
	}
	f.Person, f.ActorKind = h.person(h.User), ""
	if h.State == "pending" || h.State == "accepted" || h.State == "declined" {
		f.State = h.State
	}
	if h.Policy.known() {
		f.Policy = h.id(h.Policy)
	}
	return one(h.event(kind, f.Incident, f))
}

// describe: a PagerDuty service is a catalog entry of its own until a catalog claims its
// paging id. Its teams are not taken for owners; they stay in raw.
func (h *pdHook) describe() ([]event.Event, error) {
	id := h.id(&h.pdRef)
	if id == "" {
		return nil, &Undecodable{Field: "event.data.id", Reason: "missing"}
	}
	f := fact{Service: id, Name: first(string(h.Summary), string(h.ID)), Description: string(h.Description), PagingIDs: []string{id}}
	if h.typ == "service.deleted" {
		f.Lifecycle = "retired"
	}
	return one(h.event(event.ServiceDescribed, id, f))
}

// audit: custom fields of a service say nothing that our catalog has a word for, and
// they come without the service's name, so they are kept as something that was done.
func (h *pdHook) audit() ([]event.Event, error) {
	id := first(h.id(h.Service), h.id(&h.pdRef))
	if id == "" {
		return nil, &Undecodable{Field: "event.data.service.id", Reason: "missing"}
	}
	person, _ := h.actor(h.agent)
	f := fact{By: first(person, "pagerduty:"+string(h.pdAccount)), Action: h.typ, Target: id}
	return one(h.event(event.AuditRecorded, id, f))
}

func one(e event.Event, err error) ([]event.Event, error) {
	if err != nil {
		return nil, err
	}
	return []event.Event{e}, nil
}
