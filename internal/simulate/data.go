package simulate

import (
	"encoding/json"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// The data of each kind the generator writes, one struct per shape. Structs instead of
// maps fix the order of the members, and with it the bytes.

// payload is the data of one event. incident is what its Kafka key follows from: the
// incident it names, or "" for a fact about something else.
type payload interface{ incident() string }

type fact struct{}

func (fact) incident() string { return "" }

type teamData struct {
	fact
	Team    string `json:"team"`
	Name    string `json:"name"`
	Parent  string `json:"parent,omitempty"`
	Contact string `json:"contact,omitempty"`
}

type memberData struct {
	fact
	Team   string `json:"team"`
	Person string `json:"person"`
	Role   string `json:"role,omitempty"`
}

type personData struct {
	fact
	Person       string                 `json:"person"`
	Name         string                 `json:"name,omitempty"`
	TimeZone     string                 `json:"time_zone,omitempty"`
	WorkingHours map[string][][2]string `json:"working_hours,omitempty"`
	Holidays     []string               `json:"holidays,omitempty"`
	Aliases      []string               `json:"aliases,omitempty"`
	Manager      string                 `json:"manager,omitempty"`
}

type serviceData struct {
	fact
	Service      string   `json:"service"`
	Name         string   `json:"name"`
	Description  string   `json:"description,omitempty"`
	Tier         int      `json:"tier,omitempty"`
	Lifecycle    string   `json:"lifecycle,omitempty"`
	Contact      string   `json:"contact,omitempty"`
	RunbookURL   string   `json:"runbook_url,omitempty"`
	Dashboards   []string `json:"dashboards,omitempty"`
	Dependencies []string `json:"dependencies,omitempty"`
	PagingIDs    []string `json:"paging_ids,omitempty"`
}

type ownedData struct {
	fact
	Service string `json:"service"`
	Team    string `json:"team"` // empty: unowned
}

type policyData struct {
	fact
	Policy   string        `json:"policy"`
	Name     string        `json:"name,omitempty"`
	Services []string      `json:"services"`
	Levels   []policyLevel `json:"levels"`
}

type policyLevel struct {
	Targets        []policyTarget `json:"targets"`
	TimeoutMinutes int            `json:"timeout_minutes"`
}

type policyTarget struct {
	Schedule string `json:"schedule,omitempty"`
	Person   string `json:"person,omitempty"`
	Team     string `json:"team,omitempty"`
}

type shiftData struct {
	fact
	Shift    string `json:"shift"`
	Schedule string `json:"schedule"`
	Person   string `json:"person"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Level    int    `json:"level"`
	Role     string `json:"role"`
	Override bool   `json:"override,omitempty"`
	Policy   string `json:"policy,omitempty"`
}

type deployData struct {
	fact
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Version     string `json:"version"`
}

type runbookData struct {
	fact
	Service string `json:"service"`
	URL     string `json:"url"`
	By      string `json:"by"`
}

type alertData struct {
	fact
	Fingerprint string            `json:"fingerprint"`
	StartsAt    string            `json:"starts_at"`
	Service     string            `json:"service"`
	Team        string            `json:"team,omitempty"`
	Severity    string            `json:"severity,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	RunbookURL  string            `json:"runbook_url,omitempty"`
}

type openedData struct {
	Incident   string `json:"incident"`
	Title      string `json:"title"`
	Service    string `json:"service,omitempty"`
	Team       string `json:"team,omitempty"`
	Urgency    string `json:"urgency,omitempty"`
	Priority   string `json:"priority,omitempty"`
	Severity   string `json:"severity,omitempty"`
	AlertClass string `json:"alert_class,omitempty"`
	Drill      bool   `json:"drill,omitempty"`
}

// actionData is an acknowledgement, its end, or a reopening.
type actionData struct {
	Incident  string `json:"incident"`
	Person    string `json:"person,omitempty"`
	ActorKind string `json:"actor_kind"`
	Channel   string `json:"channel,omitempty"`
}

type escalatedData struct {
	Incident  string   `json:"incident"`
	To        []string `json:"to"`
	From      string   `json:"from,omitempty"`
	Level     int      `json:"level,omitempty"`
	Cause     string   `json:"cause"`
	Person    string   `json:"person,omitempty"`
	ActorKind string   `json:"actor_kind"`
}

type reassignedData struct {
	Incident  string `json:"incident"`
	To        string `json:"to"`
	From      string `json:"from,omitempty"`
	Person    string `json:"person,omitempty"`
	ActorKind string `json:"actor_kind"`
}

type updatedData struct {
	Incident  string `json:"incident"`
	Service   string `json:"service,omitempty"`
	Priority  string `json:"priority,omitempty"`
	Urgency   string `json:"urgency,omitempty"`
	Title     string `json:"title,omitempty"`
	Severity  string `json:"severity,omitempty"`
	Person    string `json:"person,omitempty"`
	ActorKind string `json:"actor_kind"`
}

type resolvedData struct {
	Incident  string `json:"incident"`
	Person    string `json:"person,omitempty"`
	ActorKind string `json:"actor_kind"`
	Auto      bool   `json:"auto,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

type snoozedData struct {
	Incident  string `json:"incident"`
	Until     string `json:"until"`
	Person    string `json:"person"`
	ActorKind string `json:"actor_kind"`
}

type mergedData struct {
	Incident  string `json:"incident"`
	Into      string `json:"into"`
	Person    string `json:"person,omitempty"`
	ActorKind string `json:"actor_kind"`
}

type notedData struct {
	Incident  string `json:"incident"`
	Text      string `json:"text"`
	Person    string `json:"person"`
	ActorKind string `json:"actor_kind"`
}

type responderData struct {
	Incident string `json:"incident"`
	Person   string `json:"person"`
	State    string `json:"state"`
}

type pageData struct {
	Page      string `json:"page"`
	Incident  string `json:"incident"`
	Person    string `json:"person"`
	Policy    string `json:"policy,omitempty"`
	Level     int    `json:"level,omitempty"`
	Channel   string `json:"channel"`
	Urgency   string `json:"urgency,omitempty"`
	Delivered *bool  `json:"delivered,omitempty"`
}

// failedData is a page.failed or a page.unanswered.
type failedData struct {
	Incident string `json:"incident"`
	Reason   string `json:"reason"`
	Level    int    `json:"level,omitempty"`
}

type reviewedData struct {
	Page      string `json:"page,omitempty"`
	Incident  string `json:"incident"`
	By        string `json:"by"`
	Verdict   string `json:"verdict"`
	MadeSense bool   `json:"made_sense"`
	Note      string `json:"note,omitempty"`
}

type reviewData struct {
	Incident string   `json:"incident"`
	URL      string   `json:"url"`
	By       string   `json:"by"`
	Factors  []string `json:"factors,omitempty"` // what it found to have contributed
}

func (d openedData) incident() string     { return d.Incident }
func (d actionData) incident() string     { return d.Incident }
func (d escalatedData) incident() string  { return d.Incident }
func (d reassignedData) incident() string { return d.Incident }
func (d updatedData) incident() string    { return d.Incident }
func (d resolvedData) incident() string   { return d.Incident }
func (d snoozedData) incident() string    { return d.Incident }
func (d mergedData) incident() string     { return d.Incident }
func (d notedData) incident() string      { return d.Incident }
func (d responderData) incident() string  { return d.Incident }
func (d pageData) incident() string       { return d.Incident }
func (d failedData) incident() string     { return d.Incident }
func (d reviewedData) incident() string   { return d.Incident }
func (d reviewData) incident() string     { return d.Incident }

// makeEvent builds an event without decoding its data again, which event.New would do
// for each of a hundred thousand a second; the tests decode every one instead. The
// payloads hold strings, numbers and lists of them, so marshalling cannot fail.
func makeEvent(source string, kind event.Kind, subject, key string, at, seen time.Time, data payload) event.Event {
	body, err := json.Marshal(data)
	if err != nil {
		body = nil // refused by every reader, so a payload that cannot be written is seen at once
	}
	e := event.Event{
		ID: event.NewID(source, kind, key, at), Source: source, Kind: kind, Subject: subject,
		At: at.UTC().Truncate(time.Millisecond), Seen: seen.UTC().Truncate(time.Millisecond),
		Key: data.incident(), Data: body,
	}
	if e.Key == "" {
		e.Key = subject
	}
	return e
}
