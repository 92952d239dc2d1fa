package drill

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/stewardhq/steward/ingest/event"
)

// words begin a card's id. A kind that has none is no evidence: verdicts, tags and reviews
// are hindsight.
var words = map[event.Kind]string{
	event.AlertFired: "alert", event.AlertResolved: "clear", event.ChangeDeployed: "change",
	event.IncidentOpened: "opened", event.IncidentAcknowledged: "ack", event.IncidentUnacknowledged: "unack",
	event.IncidentEscalated: "escalated", event.IncidentReassigned: "reassigned", event.IncidentUpdated: "update",
	event.IncidentResolved: "resolved", event.IncidentReopened: "reopened", event.IncidentSnoozed: "snoozed",
	event.IncidentMerged: "merged", event.IncidentNoted: "note",
	event.ResponderRequested: "request", event.ResponderResponded: "response",
	event.PageSent: "page", event.PageFailed: "pagefailed", event.PageUnanswered: "unanswered",
}

func evidence(k event.Kind) bool { return words[k] != "" }

// plain are the members of an event's data that hold neither a person nor free text; free
// are texts. What is in neither list, as what a vendor sent (raw), stays out of a drill.
var (
	plain = []string{"service", "team", "severity", "priority", "urgency", "alert_class", "cause", "channel", "level", "state", "policy",
		"environment", "version", "until", "delivered"}
	free = []string{"title", "text", "reason", "note", "description", "labels", "runbook_url"}
)

// text is a member as words: strings as they are, numbers and truth in JSON's way, labels as
// "k=v" in alphabetical order.
func text(data map[string]any, name string) string {
	switch v := data[name].(type) {
	case string:
		return strings.TrimSpace(v)
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case fmt.Stringer: // json.Number
		return v.String()
	case map[string]any:
		var pairs []string
		for k := range v {
			if w := text(v, k); w != "" {
				pairs = append(pairs, k+"="+w)
			}
		}
		return strings.Join(set(pairs), ", ")
	}
	return ""
}

// targets reads a target or a list of them.
func targets(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []string:
		return v
	case []any:
		var out []string
		for _, t := range v {
			if s, ok := t.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// summary says what a card is without what it says: enough to choose whether to open it.
func summary(e Event, person string, to []string) string {
	who := person
	if who == "" {
		who = "somebody"
		if actor := text(e.Data, "actor_kind"); actor == "service" || actor == "unknown" || text(e.Data, "auto") == "true" {
			who = "automation"
		}
	}
	on := ""
	if e.Service != "" {
		on = " on " + e.Service
	}
	toward := strings.Join(to, ", ")
	if toward == "" {
		toward = "somebody else"
	}
	switch e.Kind {
	case event.AlertFired:
		return "An alert fired" + on
	case event.AlertResolved:
		return "An alert cleared" + on
	case event.ChangeDeployed:
		return "A change was deployed" + on
	case event.IncidentOpened:
		return "The incident was opened" + on
	case event.IncidentAcknowledged:
		return who + " acknowledged"
	case event.IncidentUnacknowledged:
		return "The acknowledgement lapsed"
	case event.IncidentEscalated:
		if text(e.Data, "cause") == "timeout" {
			return "Nobody answered in time: escalated to " + toward
		}
		return who + " escalated to " + toward
	case event.IncidentReassigned:
		return who + " reassigned it to " + toward
	case event.IncidentUpdated:
		return who + " changed " + changed(e.Data)
	case event.IncidentResolved:
		return who + " resolved the incident"
	case event.IncidentReopened:
		return "The incident was reopened"
	case event.IncidentSnoozed:
		return who + " snoozed the incident"
	case event.IncidentMerged:
		return "The incident was merged into another"
	case event.IncidentNoted:
		return who + " wrote a note"
	case event.ResponderRequested:
		return who + " was asked to help"
	case event.ResponderResponded:
		return who + " answered: " + strings.ToLower(text(e.Data, "state"))
	case event.PageSent:
		return who + " was paged" + by(text(e.Data, "channel"))
	case event.PageFailed:
		return "A page failed"
	default:
		return "A page stayed unanswered"
	}
}

func by(channel string) string {
	if channel == "" || channel == "unknown" {
		return ""
	}
	return " by " + channel
}

func changed(data map[string]any) string {
	var out []string
	for _, name := range []string{"severity", "priority", "urgency", "service", "title"} {
		if text(data, name) != "" {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return "the incident"
	}
	return strings.Join(out, ", ")
}
