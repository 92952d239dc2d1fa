package ingest

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
)

// Sealing puts tokens in the place of the texts that say who somebody is.
//
// Theory of operation
//
//  1. Every event passes here before it is written: webhooks, imports, the demo, what
//     people do. Nothing at rest has ever held the text, so nothing has to be rewritten
//     when it must go (package identity).
//  2. A decoder has made the event's id before, from what the source sent. Sealing leaves
//     ids alone: a redelivery and a second import still find their first copy. Only a
//     foreign id that holds an e-mail address is replaced, whole, by its keyed digest, which
//     finds copies as well.
//  3. The members of the vocabulary that name people are sealed whole: person, by, manager,
//     aliases, targets written person:…, the name of person.described, and person inside
//     lists such as a policy's levels. An id made of people's (a shift's, the subject) has
//     the token in the person's place.
//  4. In text that people write (text, note, reason, members we do not know) e-mail
//     addresses are sealed, and the ids and names that the same event has elsewhere. So
//     they are in titles and descriptions, which name things but are written by people. A
//     name that somebody typed and that stands nowhere else stays: it cannot be told from a
//     word. What names things and not people stays as it is (roleOf).
//  5. Under raw, e-mail addresses are sealed wherever they are; in an object that refers
//     to a user, its name, id and links too, and that name in the rest of raw
//     (seal_raw.go).
//  6. The result is a pure function of the event and the key: the same input gives the same
//     bytes, on every machine and at every time. What the vault does not know yet is
//     collected, and registered before the event is written.
//  7. What is sealed stays as it is when it is sealed again. The JSON is not written anew:
//     tokens need no escaping, and are spliced in.

// role is what a member of data says about people.
type role uint8

const (
	roleText    role = iota // whatever somebody writes, and what we do not know
	roleAsIs                // names a thing, holds a time, comes from a closed set
	rolePerson              // a person's id
	roleTargets             // one or several, people among them
	roleAliases             // further ids of the event's person
	roleName                // what the event's person is called, or a thing
	roleRaw                 // the tool's own JSON
)

// roleOf knows the vocabulary's members. Contacts of teams and services are how to reach
// these. A switch and not a map: it is asked for every member of every event.
func roleOf(name string) role {
	switch name {
	case "person", "by", "manager":
		return rolePerson
	case "to", "from", "target":
		return roleTargets
	case "aliases":
		return roleAliases
	case "name":
		return roleName
	case "raw":
		return roleRaw
	case "incident", "service", "team", "urgency", "priority", "severity", "alert_class", "cause", "channel", "state",
		"policy", "actor_kind", "level", "auto", "drill", "delivered", "until", "into", "fingerprint", "starts_at",
		"tier", "lifecycle", "contact", "runbook_url", "dashboards", "dependencies", "paging_ids", "services",
		"time_zone", "working_hours", "holidays", "schedule", "start", "end", "role", "override", "module", "track", "skill",
		"environment", "version", "check", "expires", "due", "parent":
		return roleAsIs
	}
	return roleText
}

// edit replaces data[start:end] by text.
type edit struct {
	start, end int
	text       string
}

// known is a text of the event that says who somebody is, as it stands in JSON, and its
// token.
type known struct {
	text  []byte
	token string
}

// extent is a part of data, as offsets.
type extent struct{ start, end int }

// sealer is the work on one event. Its slices are kept for the next.
type sealer struct {
	v       *identity.Vault
	b       []byte // data
	source  string // "pagerduty:acme:": what precedes a tool's own ids
	person  string // of the event
	edits   []edit
	people  []known    // of the vocabulary's members
	names   []known    // of raw's users
	text    []extent   // to be searched when people and names are known
	raw     []extent   // the same, under raw
	escaped []extent   // quoted strings inside both that hold escapes
	object  []jsonPair // the members of the objects that are open
	entries []identity.Entry
}

var sealers = sync.Pool{New: func() any { return new(sealer) }}

// seal rewrites e in place, without touching the bytes it was given, and appends what the
// vault has to learn. It says whether anything changed.
func seal(v *identity.Vault, e *event.Event, entries *[]identity.Entry) bool {
	if v == nil {
		return false
	}
	s := sealers.Get().(*sealer)
	s.v, s.b, s.entries = v, e.Data, *entries
	s.source = toolOf(e)
	changed := s.event(e)
	*entries = s.entries
	s.recycle()
	return changed
}

func (s *sealer) recycle() {
	clear(s.edits)
	clear(s.people)
	clear(s.names)
	*s = sealer{edits: s.edits[:0], people: s.people[:0], names: s.names[:0], text: s.text[:0], raw: s.raw[:0], escaped: s.escaped[:0], object: s.object[:0]}
	sealers.Put(s)
}

// toolOf is what precedes a tool's own ids: "pagerduty:acme:" of the subject, or the key,
// "pagerduty:acme:PT4KHLK".
func toolOf(e *event.Event) string {
	for _, id := range []string{e.Subject, e.Key} {
		if i := strings.LastIndexByte(id, ':'); i >= 0 {
			return id[:i+1]
		}
	}
	return ""
}

func (s *sealer) event(e *event.Event) bool {
	if !s.data(e.Kind) {
		return false // not JSON; whoever reads it says so
	}
	s.search()
	changed := len(s.edits) > 0
	if changed {
		e.Data = s.splice()
	}
	same := e.Key == e.Subject
	if id := sealedID(s.v, e.ID); id != e.ID {
		if e.Key == e.ID {
			e.Key = id
		}
		e.ID, changed = id, true
	}
	if id, ok := s.identifier(e.Subject); ok {
		e.Subject, changed = id, true
	}
	if same {
		e.Key = e.Subject
	} else if id, ok := s.identifier(e.Key); ok {
		e.Key, changed = id, true
	}
	if len(e.Extensions) > 0 && mayHoldEmail(e.Extensions) {
		s.edits, s.text, s.raw, s.escaped = s.edits[:0], s.text[:0], s.raw[:0], s.escaped[:0]
		s.b = append(append([]byte{'{'}, e.Extensions...), '}')
		if s.value(0, 0, inText, nil) == len(s.b) {
			s.text = append(s.text, extent{0, len(s.b)})
			s.search()
			if len(s.edits) > 0 {
				whole := s.splice()
				e.Extensions, changed = whole[1:len(whole)-1], true
			}
		}
	}
	return changed
}

// sealedPrefix begins an id that stands for one that held an address.
const sealedPrefix = "sealed-"

// sealedID is the id under which an event is stored: its own, or the digest of one that
// holds an e-mail address. It is a function of id and key, and what is sealed stays so.
func sealedID(v *identity.Vault, id string) string {
	if v == nil || strings.IndexByte(id, '@') < 0 {
		return id
	}
	if start, _ := nextEmail([]byte(id), 0); start < 0 {
		return id
	}
	return sealedPrefix + v.Digest(id)
}

// token is an entry's, which the vault learns if it has to. A name's owner comes first, so
// that the name can be found by it.
func (s *sealer) token(e identity.Entry) string {
	if e.Owner != "" && e.Owner != e.Text {
		s.token(identity.Entry{Text: e.Owner})
	}
	token, ok := s.v.Lookup(e)
	if !ok {
		s.entries = append(s.entries, e)
	}
	return token
}

// data goes through the top level. raw comes last in what our decoders make, so that the
// people of the event are known when it is looked at.
func (s *sealer) data(kind event.Kind) bool {
	i := s.space(0)
	if i >= len(s.b) || s.b[i] != '{' {
		return false
	}
	base := len(s.object)
	defer func() { s.object = s.object[:base] }()
	rawAt := -1
	end := s.members(i, func(key extent, start int) (int, role) {
		name, _ := unquote(s.b[key.start:key.end])
		r := roleOf(name)
		switch {
		case r == roleAsIs:
			return s.value(start, 1, inNothing, nil), r
		case r != roleRaw || s.b[start] == '"':
			return s.value(start, 1, inText, nil), r
		}
		if rawAt < 0 {
			s.facts(kind, s.object[base:])
		}
		rawAt = len(s.object)
		n := s.value(start, 1, inRaw, nil)
		if n > 0 {
			s.raw = append(s.raw, extent{start, n})
		}
		return n, r
	})
	if end < 0 || s.space(end) != len(s.b) {
		return false
	}
	if rawAt < 0 {
		s.facts(kind, s.object[base:])
	} else if rawAt < len(s.object) {
		s.facts(kind, s.object[rawAt:]) // of a stranger, who put raw elsewhere
	}
	return true
}

// facts seals the members of the vocabulary: people first, since the others are theirs.
func (s *sealer) facts(kind event.Kind, members []jsonPair) {
	for _, p := range members {
		if p.role == rolePerson {
			text := s.whole(p.extent)
			if s.person == "" && string(s.b[p.key.start:p.key.end]) == `"person"` {
				s.person = text
			}
		}
	}
	for _, p := range members {
		quoted := s.b[p.start] == '"'
		switch {
		case p.role == roleTargets:
			s.each(p, s.target)
		case p.role == roleAliases:
			s.each(p, s.alias)
		case p.role == roleName && kind == event.PersonDescribed:
			s.called(p.extent)
		case p.role == roleRaw && quoted, p.role == roleText && (quoted || s.b[p.start] == '[' || s.b[p.start] == '{'):
			s.text = append(s.text, p.extent)
		}
	}
}

// whole seals a string that is a person's id, and answers it in plain.
func (s *sealer) whole(x extent) string {
	text, ok := unquote(s.b[x.start:x.end])
	if !ok || text == "" {
		return ""
	}
	s.put(x, s.met(text))
	return text
}

// met is the token of somebody who appears in the event.
func (s *sealer) met(id string) string {
	token := s.token(identity.Entry{Text: id})
	if token != id && distinct(id) {
		s.people = append(s.people, known{[]byte(id), token})
	}
	return token
}

// distinct says whether a text can be searched for in JSON: long enough to mean somebody,
// plain inside a string, and never a value by itself, as null and 12 are.
func distinct(text string) bool {
	if len(text) < 3 || text == "null" || text == "true" || text == "false" {
		return false
	}
	letters := false
	for i := range len(text) {
		c := text[i]
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
		letters = letters || wordByte(c) && (c < '0' || c > '9') && c != 'e' && c != 'E'
	}
	return letters
}

// put replaces the inside of a quoted string.
func (s *sealer) put(x extent, token string) {
	if inner := s.b[x.start+1 : x.end-1]; string(inner) != token {
		s.edits = append(s.edits, edit{x.start + 1, x.end - 1, token})
	}
}

// each hands over a string, or the strings of a list.
func (s *sealer) each(p jsonPair, f func(extent)) {
	switch s.b[p.start] {
	case '"':
		f(p.extent)
	case '[':
		for i := s.space(p.start + 1); i < p.end && s.b[i] != ']'; {
			end := s.value(i, 1, inNothing, nil)
			if end < 0 {
				return
			}
			if s.b[i] == '"' {
				f(extent{i, end})
			} else {
				s.text = append(s.text, extent{i, end})
			}
			if i = s.space(end); i < p.end && s.b[i] == ',' {
				i = s.space(i + 1)
			}
		}
	default:
		s.text = append(s.text, p.extent)
	}
}

const personPrefix = "person:"

// target seals person:ana@example.org behind its kind. What has no kind is a person if it
// is an address, or one of the event's people; it is then left to the search.
func (s *sealer) target(x extent) {
	text, ok := unquote(s.b[x.start:x.end])
	if !ok {
		return
	}
	id, ok := strings.CutPrefix(text, personPrefix)
	if !ok {
		s.text = append(s.text, x)
		return
	}
	if id != "" {
		s.put(x, personPrefix+s.met(id))
	}
}

// alias seals another id of the event's person, to whom it is tied.
func (s *sealer) alias(x extent) {
	text, ok := unquote(s.b[x.start:x.end])
	if ok && text != "" {
		s.put(x, s.token(identity.Entry{Text: text, Owner: s.person}))
	}
}

// called seals what the event's person is called.
func (s *sealer) called(x extent) {
	text, ok := unquote(s.b[x.start:x.end])
	if ok && text != "" {
		s.put(x, s.token(identity.Entry{Text: text, Owner: s.person, Name: true}))
	}
}

// identifier seals the people inside a subject or a key.
func (s *sealer) identifier(id string) (string, bool) {
	if id == "" || len(s.people) == 0 && strings.IndexByte(id, '@') < 0 {
		return id, false
	}
	return s.rewrite(id, s.people)
}

// splice makes the new bytes. Of two edits in one place the first made counts, which is the
// one that knows more.
func (s *sealer) splice() []byte {
	slices.SortStableFunc(s.edits, func(a, b edit) int { return a.start - b.start })
	grow := 0
	for _, e := range s.edits {
		grow += len(e.text)
	}
	out := make([]byte, 0, len(s.b)+grow)
	done := 0
	for _, e := range s.edits {
		if e.start < done {
			continue
		}
		out = append(append(out, s.b[done:e.start]...), e.text...)
		done = e.end
	}
	return append(out, s.b[done:]...)
}

// mayHoldEmail is the cheap question before the search; an @ may be written as an escape.
func mayHoldEmail(b []byte) bool {
	return bytes.IndexByte(b, '@') >= 0 || bytes.Contains(b, []byte(`\u0040`))
}
