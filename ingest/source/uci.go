package source

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stewardhq/steward/ingest/event"
)

// The "Incident management process enriched event log" (UCI repository): the audit log
// of a ServiceNow desk, one CSV row for each update of an incident.
//
//  1. A delivery is the header and all rows of one incident, which stand together in the
//     file. Facts are differences between its rows, so they are decoded together.
//  2. The category is the service, the assignment group the team, the subcategory the
//     alert class (a symptom is missing in a quarter of the rows), the assigned_to the
//     responder. "?" is null, the state "-100" is unknown.
//  3. opened_at and resolved_at stand in every row with their final values; those of the
//     last row count. Without resolved_at there the incident stays unresolved, whatever
//     its state says. Nobody owns a service in this log, so all of them are unowned.
//  4. Times have no zone and are taken as UTC. They have minutes only, so rows of one
//     minute are put a millisecond apart in the order of the file: otherwise (at, id)
//     would decide by chance which priority came last.
//  5. The final resolution stands after the last reopening, as the log's own numbers have
//     it: a reopening that is written down in or after the minute of the resolution is put
//     a millisecond before it. A resolution that was reopened is taken from the row whose
//     state says so; who did that one is not in the log.
//  6. A person who is assigned is asked to respond (responder.requested). It is no
//     reassignment: people here work in up to 27 groups, so a person would stand for some
//     other group of theirs and make hops that never were.
//  7. The three ways of naming people ("Resolver 89", "Resolved by 149", "Updated by 908")
//     are separate pseudonyms that must not be equated. Only an assigned_to is seen at
//     work in a group, and joins it. Whether an updater is a person is unknown.

// uciIncidentLog is the importer.
func uciIncidentLog() Format {
	return Format{
		Name: "uci-incident-log", Title: "UCI incident management event log (CSV)",
		Decode: decodeUCI, Open: openUCI,
	}
}

// uciDesk names things of one log.
type uciDesk struct{ source, prefix string }

func newUCIDesk(given string) (uciDesk, error) {
	name, err := account(given, "uci")
	if err != nil {
		return uciDesk{}, err
	}
	d := uciDesk{source: "/import/" + name, prefix: "uci:"}
	if name != "uci" {
		d.prefix += name + ":"
	}
	return d, nil
}

// id makes "Resolved by 149" into uci:resolved-by-149; "" of null.
func (d uciDesk) id(name string) string { return DeskID(d.prefix, name) }

// DeskID is the id of somebody or something that a desk's export calls by a name; prefix is
// "uci:account:".
func DeskID(prefix, name string) string {
	b := append(make([]byte, 0, 48), prefix...)
	empty, dash := len(b), false
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			dash = true
			continue
		}
		if dash && len(b) > empty {
			b = append(b, '-')
		}
		b, dash = utf8.AppendRune(b, unicode.ToLower(r)), false
	}
	if len(b) == empty {
		return ""
	}
	return string(b)
}

// uciStory turns one incident's rows into events.
type uciStory struct {
	uciDesk
	rows     []uciRow
	incident string
	opened   time.Time
	resolved time.Time // zero: unresolved
	out      []event.Event
	err      error
}

func decodeUCI(d Delivery) ([]event.Event, error) {
	if d.fault != nil {
		return nil, d.fault
	}
	desk, err := newUCIDesk(d.Account)
	if err != nil {
		return nil, err
	}
	rows, err := uciRows(d.Body)
	if err != nil {
		return nil, err
	}
	s, err := desk.story(rows)
	if err != nil {
		return nil, err
	}
	s.open()
	s.updates()
	s.resolve()
	s.introduce(d.Header)
	if s.err != nil {
		return nil, s.err
	}
	return s.out, nil
}

// story reads what holds for the whole incident and gives each row its moment.
func (d uciDesk) story(rows []uciRow) (*uciStory, error) {
	s := &uciStory{uciDesk: d, rows: rows}
	number := rows[0].get("number")
	if number == "" {
		return nil, &Undecodable{Field: "number", Reason: "missing"}
	}
	for i := range rows {
		if rows[i].get("number") != number {
			return nil, &Undecodable{Field: "number", Reason: "rows of more than one incident"}
		}
	}
	s.incident = d.prefix + number
	last := &rows[len(rows)-1]
	var err error
	if s.opened, err = last.time("opened_at"); err != nil {
		return nil, err
	}
	if s.opened.IsZero() {
		return nil, &Undecodable{Field: "opened_at", Reason: "missing"}
	}
	if s.resolved, err = last.time("resolved_at"); err != nil {
		return nil, err
	}
	before := s.opened
	for i := range rows {
		at, err := rows[i].time("sys_updated_at")
		if err != nil {
			return nil, err
		}
		if next := before.Add(time.Millisecond); at.Before(next) {
			at = next
		}
		rows[i].at, before = at, at
	}
	return s, nil
}

// add makes one event from a row. The key is the row's place in the incident's history,
// which further rows of a later export do not change.
func (s *uciStory) add(kind event.Kind, row int, what string, at time.Time, f fact) {
	if s.err != nil {
		return
	}
	f.Incident = s.incident
	key := s.incident
	if what != "" {
		key += "/" + strconv.Itoa(row) + "/" + what
	}
	o := origin{source: s.source, key: key, at: at, raw: s.rows[row].json()}
	e, err := o.event(kind, s.incident, f)
	s.out, s.err = append(s.out, e), err
}

func (s *uciStory) open() {
	r := &s.rows[0]
	title := make([]string, 0, 3)
	for _, c := range []string{"category", "subcategory", "u_symptom"} {
		if v := r.get(c); v != "" {
			title = append(title, v)
		}
	}
	s.add(event.IncidentOpened, 0, "", s.opened, fact{
		Title: first(strings.Join(title, ", "), r.get("number")), Service: s.id(r.get("category")),
		Team: s.id(r.get("assignment_group")), AlertClass: r.get("subcategory"),
		Priority: uciPriority(r.get("priority")), Urgency: uciUrgency(r.get("urgency")), ActorKind: "unknown",
	})
}

// updates walks the rows and tells each difference. A null says that nothing is known,
// not that something was taken away.
func (s *uciStory) updates() {
	r0 := &s.rows[0]
	group, person := r0.get("assignment_group"), ""
	category, priority, urgency := r0.get("category"), uciPriority(r0.get("priority")), uciUrgency(r0.get("urgency"))
	reopened, closedBy := 0, -1
	for i := range s.rows {
		r := &s.rows[i]
		by := fact{Person: s.id(r.get("sys_updated_by")), ActorKind: "unknown"}
		if v := r.get("assignment_group"); changed(&group, v) {
			f := by
			f.To = targets{"team:" + s.id(v)}
			s.add(event.IncidentReassigned, i, "group", r.at, f)
		}
		if v := r.get("assigned_to"); changed(&person, v) {
			s.add(event.ResponderRequested, i, "person", r.at, fact{Person: s.id(v), State: "pending"})
		}
		f, any := by, false
		if v := r.get("category"); changed(&category, v) {
			f.Service, any = s.id(v), true
		}
		if v := uciPriority(r.get("priority")); changed(&priority, v) {
			f.Priority, any = v, true
		}
		if v := uciUrgency(r.get("urgency")); changed(&urgency, v) {
			f.Urgency, any = v, true
		}
		if any {
			s.add(event.IncidentUpdated, i, "update", r.at, f)
		}
		if v := r.get("reopen_count"); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				s.err = &Undecodable{Field: "reopen_count", Reason: "must be a number"}
				return
			}
			if n > reopened {
				s.reopen(i, closedBy, by)
				reopened, closedBy = n, -1
			}
		}
		if state := r.get("incident_state"); closedBy < 0 && (state == "Resolved" || state == "Closed") {
			closedBy = i
		}
	}
}

// reopen tells the reopening and, before it, the resolution that it undid.
func (s *uciStory) reopen(row, closedBy int, by fact) {
	at := s.rows[row].at
	if !s.resolved.IsZero() && !at.Before(s.resolved) {
		at = s.resolved.Add(-time.Millisecond)
	}
	if closedBy >= 0 {
		undone := s.rows[closedBy].at
		if latest := at.Add(-time.Millisecond); undone.After(latest) {
			undone = latest
		}
		if undone.After(s.opened) {
			s.add(event.IncidentResolved, closedBy, "undone", undone, fact{ActorKind: "unknown"})
		}
	}
	s.add(event.IncidentReopened, row, "reopen", at, by)
}

func (s *uciStory) resolve() {
	if s.resolved.IsZero() {
		return
	}
	row := len(s.rows) - 1
	f := fact{ActorKind: "unknown", Person: s.id(s.rows[row].get("resolved_by"))}
	if f.Person != "" {
		auto := false
		f.ActorKind, f.Auto = "user", &auto
	}
	s.add(event.IncidentResolved, row, "", s.resolved, f)
}

// changed reports whether a value is known and new, and remembers it.
func changed(last *string, v string) bool {
	if v == "" || v == *last {
		return false
	}
	*last = v
	return true
}

// uciPriority is the digit of "1 - Critical".
func uciPriority(s string) string {
	digit, _, _ := strings.Cut(s, " ")
	return digit
}

// uciUrgency: a desk with three urgencies wakes somebody for the first only.
func uciUrgency(s string) string {
	switch {
	case s == "":
		return ""
	case strings.HasPrefix(s, "1"):
		return "high"
	}
	return "low"
}
