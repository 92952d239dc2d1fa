package source

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// pagerDutyEntries imports log entries: pages of the REST interface in any layout, bare
// entries, or the CSV that PagerDuty's own old exporter wrote.
func pagerDutyEntries() Format {
	return Format{
		Name: "pagerduty-log-entries", Title: "PagerDuty log entries, with their pages",
		Decode: decodeEntries, Open: openEntries,
	}
}

// pagerDutyCaptures imports captured webhook deliveries.
func pagerDutyCaptures() Format {
	return Format{
		Name: "pagerduty-webhooks", Title: "PagerDuty V3 webhooks, captured",
		Decode: decodeCapture, Open: openCaptures,
	}
}

// looksJSON tells JSON from CSV by the first character.
func looksJSON(body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	return len(body) == 0 || body[0] == '{' || body[0] == '[' || bytes.IndexByte(body, ',') < 0
}

// captureLines hands out one captured delivery at a time.
type captureLines struct{ values }

func openCaptures(r io.Reader) (Lines, error) {
	w, err := newWindow(r)
	if err != nil {
		return nil, err
	}
	return captureLines{values{w}}, nil
}

func (c captureLines) Offset() int64 { return c.w.count.n }

func (c captureLines) Next() (Delivery, error) {
	b, fault, err := c.next()
	if err != nil {
		return Delivery{}, err
	}
	return deliver(b, fault), nil
}

// deliver keeps what is too large out of memory and quarantine, and says so.
func deliver(b []byte, fault *Undecodable) Delivery {
	if fault == nil && len(b) > MaxBody {
		b, fault = bytes.Clone(evidence(b)), &Undecodable{Reason: "larger than 512 KiB"}
	}
	return Delivery{Body: b, fault: fault}
}

// decodeCapture reads a bare body, or one with what the capturing proxy put around it:
// {"headers":…, "body": object or text, "received": time}.
func decodeCapture(d Delivery) ([]event.Event, error) {
	if d.fault != nil {
		return nil, d.fault
	}
	raw, err := compact(d.Body)
	if err != nil {
		return nil, err
	}
	var wrapped struct {
		Event    json.RawMessage `json:"event"`
		Body     json.RawMessage `json:"body"`
		Received word            `json:"received"`
	}
	if err := unmarshal(raw, &wrapped); err != nil {
		return nil, err
	}
	if len(wrapped.Event) > 0 || len(wrapped.Body) == 0 {
		d.Body = raw
		return decodePagerDuty(d)
	}
	d.Body = wrapped.Body
	var text string
	if wrapped.Body[0] == '"' && json.Unmarshal(wrapped.Body, &text) == nil {
		d.Body = []byte(text)
	}
	if t, err := event.ParseTime(string(wrapped.Received)); err == nil {
		d.Received = t
	}
	return decodePagerDuty(d)
}

// entryLines hands out one log entry at a time, pages taken apart.
type entryLines struct {
	values
	rows  records
	head  []byte            // of the CSV; nil for JSON
	queue []json.RawMessage // entries of the page at hand
}

func openEntries(r io.Reader) (Lines, error) {
	w, err := newWindow(r)
	if err != nil {
		return nil, err
	}
	l := &entryLines{values: values{w}, rows: records{w}}
	n, _, err := w.line(0)
	if err != nil {
		return nil, err
	}
	if columns, _, err := header(bytes.TrimSpace(w.rest()[:n])); err == nil && entryColumns(columns) == nil {
		l.head = bytes.TrimRight(w.take(n), "\r\n")
	}
	return l, nil
}

// Offset counts a page as consumed when its first entry is handed out.
func (l *entryLines) Offset() int64 { return l.w.count.n }

func (l *entryLines) Next() (Delivery, error) {
	if l.head != nil {
		row, fault, err := l.rows.next()
		if err != nil {
			return Delivery{}, err
		}
		if fault != nil {
			return deliver(row, fault), nil
		}
		return deliver(bytes.Join([][]byte{l.head, row}, []byte{'\n'}), nil), nil
	}
	for len(l.queue) == 0 {
		b, fault, err := l.next()
		if err != nil {
			return Delivery{}, err
		}
		// Only a page is worth taking apart here, since only a page may be large; what is
		// broken goes on as it is and fails in Decode.
		if fault != nil || !bytes.Contains(b, []byte(`"log_entries"`)) || !json.Valid(b) {
			return deliver(b, fault), nil
		}
		entries, err := pageEntries(b)
		if err != nil {
			return deliver(b, &Undecodable{Field: "log_entries", Reason: "must be a list"}), nil
		}
		l.queue = entries
	}
	b := l.queue[0]
	l.queue = l.queue[1:]
	return deliver(b, nil), nil
}

// entryColumns says which column the old CSV must have and has not.
func entryColumns(columns map[string]int) error {
	for _, name := range []string{"incident_id", "created_at", "type"} {
		if _, ok := columns[name]; !ok {
			return &Undecodable{Field: name, Reason: "no such column"}
		}
	}
	return nil
}

// decodeEntryRows reads rows of the old CSV: incident_id, created_at, type,
// user_or_agent_id, user_or_agent_summary, notification_type, channel_type, summary. It
// names no assignees, no service and no kind of agent, so assignments become notes and
// who acted is inferred from the channel: people have telephones and browsers.
func decodeEntryRows(d Delivery, account string) ([]event.Event, error) {
	if len(d.Body) > MaxBody {
		return nil, &Undecodable{Reason: "larger than 512 KiB"}
	}
	columns, values, err := rows(bytes.TrimPrefix(bytes.ToValidUTF8(d.Body, []byte("\ufffd")), []byte("\ufeff")))
	if err != nil {
		return nil, err
	}
	if err := entryColumns(columns); err != nil {
		return nil, err
	}
	var out []event.Event
	for _, row := range values {
		cells := make(map[string]string, len(columns))
		for name, i := range columns {
			if v := strings.TrimSpace(row[i]); v != "" {
				cells[name] = v
			}
		}
		raw, err := json.Marshal(cells) // sorted by name, so the same row is the same bytes
		if err != nil {
			return nil, &Undecodable{Reason: "cannot be written as JSON"}
		}
		entry, err := entryOfRow(cells)
		if err != nil {
			return nil, err
		}
		made, err := entry.event(account, first(cells["id"], contentKey(raw)), raw, d.Received)
		if err != nil {
			return nil, err
		}
		out = append(out, made)
	}
	if len(out) == 0 {
		return nil, &Undecodable{Reason: "neither JSON nor a row below its header"}
	}
	return out, nil
}

// entryOfRow gives a row the shape of an entry.
func entryOfRow(cells map[string]string) (*pdEntry, error) {
	at, err := rowTime(cells["created_at"])
	if err != nil {
		return nil, err
	}
	shape := map[string]any{
		"type": cells["type"], "created_at": at, "summary": cells["summary"],
		"incident": map[string]string{"id": cells["incident_id"], "type": "incident_reference"},
		"channel":  map[string]any{"type": cells["channel_type"]},
	}
	if n := cells["notification_type"]; n != "" {
		shape["notification"] = map[string]string{"type": n}
	}
	if id := cells["user_or_agent_id"]; id != "" {
		who := map[string]string{"id": id, "summary": cells["user_or_agent_summary"], "type": "user_reference"}
		if strings.TrimSuffix(cells["type"], "_log_entry") == "notify" {
			shape["user"] = who
		} else {
			switch cells["channel_type"] {
			case "website", "mobile", "phone", "sms", "email", "slack", "note":
			default:
				who["type"] = "agent_reference"
			}
			shape["agent"] = who
		}
	}
	text, err := json.Marshal(shape)
	if err != nil {
		return nil, &Undecodable{Reason: "cannot be written as JSON"}
	}
	entry := new(pdEntry)
	return entry, unmarshal(text, entry)
}

// rowTime accepts what spreadsheets make of a time. Without a zone it is UTC.
func rowTime(s string) (string, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 UTC", "2006-01-02 15:04:05", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC().Format(time.RFC3339Nano), nil
		}
	}
	if s == "" {
		return "", nil
	}
	return "", &Undecodable{Field: "created_at", Reason: "must be a time like 2026-01-31T13:00:00Z"}
}
