package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// PagerDuty log entries: the timeline of incidents as its REST interface tells it, and
// the only place where pages are.
//
//  1. The entry's id is the key of the event and names the page. Entries without one (the
//     old CSV) get a key from their own content, so importing twice still counts once; but
//     the CSV and the JSON of one period name their pages differently: import one of them.
//  2. Who did it is `agent`, except for a page, where `user` is who was notified. A
//     notification may lack its user or its channel: it still is a page.
//  3. Webhooks and entries both tell of openings, acknowledgements and resolutions, under
//     ids that cannot be compared. They are two events about the same incident id, and
//     that is safe because no reader counts such events: an opening and an
//     acknowledgement are a minimum, a resolution is a maximum over time, and consecutive
//     assignments to one team are one. The entry, whose clock has whole seconds, is the
//     earlier copy and so wins the minimum; it alone has causes, levels and channels, so
//     what is counted by cause or channel is counted over entries. Pages, unanswered
//     policies and snoozes exist only here, responder requests only in webhooks.
//  4. An assignment often has the very second of the opening it belongs to. It is put one
//     millisecond later, which is inside the source's precision, so that the opening
//     comes first in the order by (at, id).

// pdNotification is how a person was told.
type pdNotification struct {
	Type   word `json:"type"`
	Status word `json:"status"`
}

// pdEntry is one log entry. Members whose shape differs between types stay raw.
type pdEntry struct {
	ID        word   `json:"id"`
	Type      string `json:"type"`
	Summary   word   `json:"summary"`
	CreatedAt word   `json:"created_at"`
	Agent     *pdRef `json:"agent"`
	User      *pdRef `json:"user"`
	Service   *pdRef `json:"service"`
	Incident  *struct {
		pdRef
		Title    word   `json:"title"`
		Urgency  word   `json:"urgency"`
		Priority *pdRef `json:"priority"`
		Service  *pdRef `json:"service"`
	} `json:"incident"`
	Teams     []pdRef `json:"teams"`
	Assignees []pdRef `json:"assignees"`
	Policy    *pdRef  `json:"escalation_policy"`
	Channel   *struct {
		Type         word            `json:"type"`
		Summary      word            `json:"summary"`
		Content      word            `json:"content"`
		Notification *pdNotification `json:"notification"`
	} `json:"channel"`
	Notification   *pdNotification `json:"notification"` // where old entries have it
	Level          word            `json:"level"`
	EscalationStep word            `json:"escalation_level"`
	Urgency        word            `json:"urgency"`
	Priority       *pdRef          `json:"priority"`
	Note           json.RawMessage `json:"note"`
	Details        json.RawMessage `json:"event_details"`
	Actions        []struct {
		At word `json:"at"`
	} `json:"changed_actions"`
}

// pdTimeline is one entry on its way to an event.
type pdTimeline struct {
	pdAccount
	origin
	*pdEntry
}

// decodeEntries reads one log entry, one wrapped in {"log_entry"}, a page of them, or a
// row of the old CSV below its header.
func decodeEntries(d Delivery) ([]event.Event, error) {
	if d.fault != nil {
		return nil, d.fault
	}
	name, err := account(d.Account, "default")
	if err != nil {
		return nil, err
	}
	if !looksJSON(d.Body) {
		return decodeEntryRows(d, name)
	}
	raw, err := compact(d.Body)
	if err != nil {
		return nil, err
	}
	entries, err := pageEntries(raw)
	if err != nil {
		return nil, err
	}
	var out []event.Event
	for _, raw := range entries {
		e := new(pdEntry)
		if err := unmarshal(raw, e); err != nil {
			return nil, err
		}
		key := string(e.ID)
		if key == "" {
			key = contentKey(raw)
		}
		made, err := e.event(name, key, raw, d.Received)
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	return out, nil
}

// pageEntries takes a page apart; what is no page is one entry.
func pageEntries(raw []byte) ([]json.RawMessage, error) {
	var page struct {
		Entries *[]json.RawMessage `json:"log_entries"`
		Entry   json.RawMessage    `json:"log_entry"`
	}
	if err := unmarshal(raw, &page); err != nil {
		return nil, err
	}
	switch {
	case page.Entries != nil:
		return *page.Entries, nil
	case len(page.Entry) > 0:
		return []json.RawMessage{page.Entry}, nil
	}
	return []json.RawMessage{raw}, nil
}

// contentKey is the key of what has no id of its own.
func contentKey(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "content-" + hex.EncodeToString(sum[:12])
}

func (e *pdEntry) event(account, key string, raw []byte, received time.Time) (event.Event, error) {
	t := pdTimeline{pdAccount: pdAccount(account), pdEntry: e}
	t.origin = origin{source: "/pagerduty/" + account + "/log-entries", key: key, raw: raw}
	var err error
	if t.origin, err = t.timed("created_at", string(e.CreatedAt), received); err != nil {
		return event.Event{}, err
	}
	if e.Type == "" {
		return event.Event{}, &Undecodable{Field: "type", Reason: "missing"}
	}
	if e.Incident == nil || !e.Incident.known() {
		return event.Event{}, &Undecodable{Field: "incident.id", Reason: "missing"}
	}
	f := fact{Incident: t.id(&e.Incident.pdRef)}
	f.Person, f.ActorKind = t.actor(e.Agent)
	return t.event(f)
}

// event maps one entry by its type.
func (t pdTimeline) event(f fact) (event.Event, error) {
	subject := f.Incident
	typ := strings.TrimSuffix(t.Type, "_log_entry")
	switch typ {
	case "trigger":
		return t.origin.event(event.IncidentOpened, subject, t.opened(f))
	case "notify":
		return t.page(f)
	case "assign", "delegate", "escalate":
		return t.assigned(typ, f)
	case "acknowledge", "acknowledgement":
		f.Channel = t.channelType()
		return t.origin.event(event.IncidentAcknowledged, subject, f)
	case "unacknowledge":
		f.Channel = t.channelType()
		return t.origin.event(event.IncidentUnacknowledged, subject, f)
	case "resolve":
		auto := f.ActorKind != "user"
		f.Auto = &auto
		return t.origin.event(event.IncidentResolved, subject, f)
	case "snooze":
		f.Until = t.until()
		return t.origin.event(event.IncidentSnoozed, subject, f)
	case "exhaust_escalation_path":
		return t.origin.event(event.PageUnanswered, subject, fact{Incident: f.Incident, Reason: "exhausted"})
	case "urgency_change", "priority_change", "field_value_change", "custom_field_value_change":
		f.Urgency, f.Priority = pdUrgency(t.Urgency), pdPriority(t.Priority)
		return t.origin.event(event.IncidentUpdated, subject, f)
	case "annotate", "unsnooze", "repeat_escalation_path", "reach_ack_limit", "reach_trigger_limit":
		f.Text = t.note(typ)
		return t.origin.event(event.IncidentNoted, subject, f)
	}
	return event.Event{}, &Undecodable{Field: "type", Reason: "unknown type " + plain(t.Type)}
}

// opened: an incident that is included in full has a title; a reference has it in its
// summary behind the number. An entry that names no service was triggered by its agent.
func (t pdTimeline) opened(f fact) fact {
	var details struct {
		Description word `json:"description"`
	}
	if err := unmarshal(t.Details, &details); err != nil || len(t.Details) == 0 {
		details.Description = "" // of any shape, and only a last resort for a title
	}
	i := t.Incident
	f.Title = first(string(i.Title), withoutNumber(string(i.Summary)), string(details.Description), string(t.Summary), "Incident "+string(i.ID))
	f.Service = first(t.id(t.Service), t.id(i.Service))
	if f.Service == "" && t.Agent != nil && strings.HasPrefix(t.Agent.Type, "service") {
		f.Service = t.id(t.Agent)
	}
	f.Urgency = first(pdUrgency(t.Urgency), pdUrgency(i.Urgency))
	f.Priority = first(pdPriority(t.Priority), pdPriority(i.Priority))
	if len(t.Teams) > 0 {
		f.Team = t.id(&t.Teams[0])
	}
	return f
}

// withoutNumber takes "[#1234] " off a summary.
func withoutNumber(s string) string {
	if rest, ok := strings.CutPrefix(s, "[#"); ok {
		if n, title, ok := strings.Cut(rest, "] "); ok && strings.Trim(n, "0123456789") == "" {
			return title
		}
	}
	return s
}

func (t pdTimeline) assigned(typ string, f fact) (event.Event, error) {
	f.To = t.targets(t.Assignees)
	if typ == "delegate" && t.Policy.known() {
		f.To = targets{"policy:" + t.id(t.Policy)}
	}
	if typ == "escalate" {
		f.Level, f.Cause = t.level(), t.cause()
		return t.origin.event(event.IncidentEscalated, f.Incident, f)
	}
	if len(f.To) == 0 { // the old CSV names no assignee
		f.Text = t.note(typ)
		return t.origin.event(event.IncidentNoted, f.Incident, f)
	}
	o := t.origin
	if typ == "assign" && o.quality == "" && o.at.Nanosecond() == 0 {
		o.at = o.at.Add(time.Millisecond)
	}
	return o.event(event.IncidentReassigned, f.Incident, f)
}

func (t pdTimeline) cause() string {
	switch {
	case t.channelType() == "timeout":
		return "timeout"
	case t.Agent.isUser():
		return "manual"
	case t.Agent.known():
		return "timeout" // a service or an integration escalates by its policy only
	}
	return "unknown"
}

// level is the escalation level, where one is given and sane.
func (t pdTimeline) level() *int {
	n, err := strconv.Atoi(first(string(t.Level), string(t.EscalationStep)))
	if err != nil || n < 0 || n > 1000 {
		return nil
	}
	return &n
}

func (t pdTimeline) channelType() string {
	if t.Channel == nil {
		return ""
	}
	return strings.ToLower(string(t.Channel.Type))
}

// page: status success means that the carrier took it, not that anybody read it. A page
// still on its way has no outcome yet.
func (t pdTimeline) page(f fact) (event.Event, error) {
	page := fact{Page: t.named(t.key), Incident: f.Incident, Person: t.person(t.User), Channel: "unknown", Level: t.level(), Policy: t.id(t.Policy)}
	n := t.Notification
	if t.Channel != nil && t.Channel.Notification != nil {
		n = t.Channel.Notification
	}
	if n != nil {
		page.Channel = pdChannel(string(n.Type))
		if n.Status != "" && !strings.EqualFold(string(n.Status), "in_progress") {
			delivered := strings.EqualFold(string(n.Status), "success")
			page.Delivered = &delivered
		}
	}
	return t.origin.event(event.PageSent, page.Page, page)
}

// pdChannel: there are several sorts of push, all of them with the word in their name.
func pdChannel(typ string) string {
	typ = strings.TrimSuffix(strings.ToLower(typ), "_notification")
	switch {
	case strings.Contains(typ, "push"):
		return "push"
	case typ == "sms" || typ == "phone" || typ == "email":
		return typ
	}
	return "unknown"
}

// until is the moment at which the snoozed incident comes back; without one the snooze
// is known but has no length.
func (t pdTimeline) until() string {
	for _, a := range t.Actions {
		if at, err := time.Parse(time.RFC3339Nano, string(a.At)); err == nil && event.CheckTime("", at) == nil {
			return at.UTC().Format(time.RFC3339Nano)
		}
	}
	return t.at.UTC().Format(time.RFC3339Nano)
}

// note is what was written, wherever this sort of entry has it.
func (t pdTimeline) note(typ string) string {
	var text string
	if json.Unmarshal(t.Note, &text) != nil {
		text = ""
	}
	if text == "" && t.Channel != nil {
		text = first(string(t.Channel.Content), string(t.Channel.Summary))
	}
	return first(text, string(t.Summary), typ)
}
