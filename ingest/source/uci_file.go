package source

import (
	"bytes"
	"encoding/json"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// uciRow is one row with the moment that its story gave it.
type uciRow struct {
	columns map[string]int
	names   [][]byte // "number": as JSON, by position; nil for a name that stands twice
	values  []string
	at      time.Time
	text    []byte
}

// get is a value, "" where it is null. A state of -100 is unknown.
func (r *uciRow) get(column string) string {
	i, ok := r.columns[column]
	if !ok {
		return ""
	}
	v := strings.TrimSpace(r.values[i])
	if v == "?" || v == "-100" && column == "incident_state" {
		return ""
	}
	return v
}

// json is the row as it stands in the file, without its nulls, in the file's order of
// columns. Rows of several events share it.
func (r *uciRow) json() []byte {
	if r.text != nil {
		return r.text
	}
	out := make([]byte, 0, 1024)
	for i, v := range r.values {
		if v == "?" || v == "" || r.names[i] == nil {
			continue
		}
		out = append(append(out, ','), r.names[i]...)
		out = appendString(out, v)
	}
	if len(out) == 0 {
		return nil
	}
	out[0] = '{'
	r.text = append(out, '}')
	return r.text
}

// appendString writes a JSON string; only what needs escaping goes the slow way.
func appendString(out []byte, v string) []byte {
	for i := range len(v) {
		if c := v[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			text, err := json.Marshal(v)
			if err != nil { // strings can always be written
				return append(out, `""`...)
			}
			return append(out, text...)
		}
	}
	return append(append(append(out, '"'), v...), '"')
}

// time reads a day-first time without a zone, zero of null.
func (r *uciRow) time(column string) (time.Time, error) {
	v := r.get(column)
	if v == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse("2/1/2006 15:04", v)
	if err != nil {
		t, err = time.Parse("2/1/2006 15:04:05", v)
	}
	if err != nil || event.CheckTime(column, t) != nil {
		return time.Time{}, &Undecodable{Field: column, Reason: "must be a day-first time like 29/2/2016 01:16"}
	}
	return t, nil
}

// uciColumns are the ones without which the file is something else.
var uciColumns = [...]string{"number", "opened_at", "resolved_at", "sys_updated_at"}

func uciRows(body []byte) ([]uciRow, error) {
	if len(body) > MaxBody {
		return nil, &Undecodable{Reason: "larger than 512 KiB"}
	}
	columns, values, err := rows(bytes.ToValidUTF8(body, []byte("\ufffd")))
	if err != nil {
		return nil, err
	}
	for _, name := range uciColumns {
		if _, ok := columns[name]; !ok {
			return nil, &Undecodable{Field: name, Reason: "no such column"}
		}
	}
	if len(values) == 0 {
		return nil, &Undecodable{Reason: "a header without rows"}
	}
	names := make([][]byte, len(values[0]))
	for name, i := range columns {
		names[i] = append(appendString(nil, name), ':')
	}
	out := make([]uciRow, len(values))
	for i, v := range values {
		out[i] = uciRow{columns: columns, names: names, values: v}
	}
	return out, nil
}

// sight is the first moment in one incident at which something was seen to exist.
type sight struct {
	key  string // "member group-56 resolver-89"
	at   time.Time
	kind event.Kind
	fact fact
}

// sights lists services, teams, people and who works where, by key.
func (s *uciStory) sights() []sight {
	seen := map[string]sight{}
	// Keys are without the account, which only Decode knows.
	note := func(key string, at time.Time, kind event.Kind, f fact) {
		key = strings.ReplaceAll(key, s.prefix, "")
		if _, ok := seen[key]; !ok {
			seen[key] = sight{key, at, kind, f}
		}
	}
	for i := range s.rows {
		r := &s.rows[i]
		at := r.at
		if i == 0 {
			at = s.opened
		}
		service, team, person := s.id(r.get("category")), s.id(r.get("assignment_group")), s.id(r.get("assigned_to"))
		if service != "" {
			note("service "+service, at, event.ServiceDescribed, fact{Service: service, Name: r.get("category")})
		}
		if team != "" {
			note("team "+team, at, event.TeamDescribed, fact{Team: team, Name: r.get("assignment_group")})
		}
		if person != "" {
			note("person "+person, at, event.PersonDescribed, fact{Person: person, Name: r.get("assigned_to")})
		}
		if team != "" && person != "" {
			note("member "+team+" "+person, at, event.MemberJoined, fact{Team: team, Person: person})
		}
	}
	out := make([]sight, 0, len(seen))
	for _, v := range seen {
		out = append(out, v)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// knownHeader lists what an earlier delivery of the same file already introduced. Without
// it a delivery introduces everything it sees, which is the same facts at a later moment.
const knownHeader = "Steward-Known"

// introduce describes what is seen for the first time.
func (s *uciStory) introduce(h http.Header) {
	known := map[string]bool{}
	for _, key := range h[knownHeader] {
		known[key] = true
	}
	for _, v := range s.sights() {
		if s.err != nil || known[v.key] {
			continue
		}
		subject := first(v.fact.Service, v.fact.Person, v.fact.Team)
		e, err := origin{source: s.source, key: v.key, at: v.at}.event(v.kind, subject, v.fact)
		s.out, s.err = append(s.out, e), err
	}
}
