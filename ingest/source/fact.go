package source

import (
	"encoding/json"
	"errors"
	"time"

	goccy "github.com/goccy/go-json"

	"github.com/stewardhq/steward/ingest/event"
)

// fact is the data of an event to be: the members of the vocabulary that sources fill.
// Its order of members is the order of the bytes, so encoding is deterministic.
type fact struct {
	Incident    string   `json:"incident,omitempty"`
	Title       string   `json:"title,omitempty"`
	Service     string   `json:"service,omitempty"`
	Team        string   `json:"team,omitempty"`
	Person      string   `json:"person,omitempty"`
	ActorKind   string   `json:"actor_kind,omitempty"`
	To          targets  `json:"to,omitempty"`
	Cause       string   `json:"cause,omitempty"`
	Level       *int     `json:"level,omitempty"`
	Urgency     string   `json:"urgency,omitempty"`
	Priority    string   `json:"priority,omitempty"`
	AlertClass  string   `json:"alert_class,omitempty"`
	Page        string   `json:"page,omitempty"`
	Policy      string   `json:"policy,omitempty"`
	Channel     string   `json:"channel,omitempty"`
	Delivered   *bool    `json:"delivered,omitempty"`
	State       string   `json:"state,omitempty"`
	Auto        *bool    `json:"auto,omitempty"`
	Reason      string   `json:"reason,omitempty"`
	Until       string   `json:"until,omitempty"`
	Into        string   `json:"into,omitempty"`
	Text        string   `json:"text,omitempty"`
	Name        string   `json:"name,omitempty"`
	Description string   `json:"description,omitempty"`
	Lifecycle   string   `json:"lifecycle,omitempty"`
	PagingIDs   []string `json:"paging_ids,omitempty"`
	By          string   `json:"by,omitempty"`
	Action      string   `json:"action,omitempty"`
	Target      string   `json:"target,omitempty"`
}

// targets is written as a string where there is one, else as a list.
type targets []string

// MarshalJSON writes one target as a string.
func (t targets) MarshalJSON() ([]byte, error) {
	if len(t) == 1 {
		return json.Marshal(t[0])
	}
	return json.Marshal([]string(t))
}

// origin is what the events of one delivery share.
type origin struct {
	source  string
	key     string    // the source's own key for the fact
	at      time.Time // by the source's clock, or the receive time
	quality string    // "received" where at is the receive time
	raw     []byte    // the vendor's body, compact JSON
}

// event makes one event. The vocabulary's own validation runs over the small members
// only: raw is already known to be valid, and reading it again would double the cost.
func (o origin) event(kind event.Kind, subject string, f fact) (event.Event, error) {
	if err := event.CheckTime("time", o.at); err != nil {
		return event.Event{}, undecodable(err)
	}
	data, err := json.Marshal(&f)
	if err != nil {
		return event.Event{}, &Undecodable{Reason: "cannot be written as JSON"}
	}
	fields, err := event.Decode(kind, data, goccy.Unmarshal)
	if err != nil {
		return event.Event{}, undecodable(err)
	}
	if len(o.raw) > 0 {
		whole := make([]byte, 0, len(data)+len(o.raw)+8)
		whole = append(whole, data[:len(data)-1]...)
		whole = append(whole, `,"raw":`...)
		whole = append(whole, o.raw...)
		data = append(whole, '}')
	}
	at := o.at.UTC().Truncate(time.Millisecond)
	identity := at
	if o.quality != "" {
		// The receive time differs from delivery to delivery, so it must not be part of
		// the identity: a redelivery would count twice.
		identity = time.Unix(0, 0)
	}
	return event.Event{
		ID: event.NewID(o.source, kind, o.key, identity), Source: o.source, Kind: kind, Subject: subject,
		At: at, Key: event.PartitionKey(fields, subject), TimeQuality: o.quality, Data: data,
	}, nil
}

// timed sets at from a source's own text, or from the receive time where there is none.
func (o origin) timed(field, text string, received time.Time) (origin, error) {
	if text == "" {
		if received.IsZero() {
			return o, &Undecodable{Field: field, Reason: "missing, and no receive time is known"}
		}
		o.at, o.quality = received, "received"
		return o, nil
	}
	t, err := event.ParseTime(text)
	if err != nil {
		return o, &Undecodable{Field: field, Reason: "must be an RFC 3339 time"}
	}
	if event.CheckTime(field, t) != nil {
		return o, &Undecodable{Field: field, Reason: "outside the years 1970 to 2199"}
	}
	o.at = t
	return o, nil
}

// undecodable carries a vocabulary error over into this package's.
func undecodable(err error) error {
	var fe *event.FieldError
	if errors.As(err, &fe) {
		return &Undecodable{Field: fe.Field, Reason: fe.Reason}
	}
	return &Undecodable{Reason: "not an event of the vocabulary"}
}

// account applies a format's default and refuses what would break ids and sources apart.
func account(given, fallback string) (string, error) {
	if given == "" {
		return fallback, nil
	}
	if len(given) > 64 || plain(given) != given {
		return "", &Undecodable{Field: "account", Reason: "may hold letters, digits, dot, underscore and dash only"}
	}
	return given, nil
}
