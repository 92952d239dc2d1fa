package ingest

import (
	"bytes"
	"strings"

	"github.com/stewardhq/steward/identity"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/ingest/source"
)

// What a part of data is to the walk through it.
type within uint8

const (
	inNothing within = iota // things, not people: only its end is wanted
	inText                  // facts and text: nested people, strings with escapes
	inRaw                   // a tool's own JSON: references to users too
)

// maxSealed bounds nesting as the decoders do, which let in less.
const maxSealed = 256

// jsonPair is a member of an object: a quoted key and a value.
type jsonPair struct {
	key extent
	extent
	role role // at the top level of data
}

func (s *sealer) space(i int) int {
	for i < len(s.b) && (s.b[i] == ' ' || s.b[i] == '\n' || s.b[i] == '\t' || s.b[i] == '\r') {
		i++
	}
	return i
}

// value walks over one value and answers where it ends, -1 where it cannot be one. The JSON
// was validated before it came here, so the walk looks for quotes and brackets only.
func (s *sealer) value(i, depth int, in within, parent []byte) int {
	if i >= len(s.b) || depth > maxSealed {
		return -1
	}
	switch s.b[i] {
	case '"':
		return s.str(i, in)
	case '{':
		base := len(s.object)
		end := s.members(i, func(key extent, start int) (int, role) {
			return s.value(start, depth+1, in, s.b[key.start:key.end]), roleText
		})
		if end > 0 && in != inNothing {
			s.inside(s.object[base:], in, parent)
		}
		s.object = s.object[:base]
		return end
	case '[':
		if i = s.space(i + 1); i < len(s.b) && s.b[i] == ']' {
			return i + 1
		}
		for {
			i = s.value(i, depth+1, in, parent)
			if i < 0 {
				return -1
			}
			switch i = s.space(i); {
			case i < len(s.b) && s.b[i] == ',':
				i = s.space(i + 1)
			case i < len(s.b) && s.b[i] == ']':
				return i + 1
			default:
				return -1
			}
		}
	}
	start := i
	for i < len(s.b) && strings.IndexByte(",]} \n\t\r", s.b[i]) < 0 {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// str answers where a string ends, and notes one that holds escapes.
func (s *sealer) str(i int, in within) int {
	start, escapes := i, false
	for i++; ; {
		n := bytes.IndexByte(s.b[min(i, len(s.b)):], '"')
		if n < 0 {
			return -1
		}
		back := bytes.IndexByte(s.b[i:i+n], '\\')
		if back < 0 {
			i += n + 1
			break
		}
		escapes = true
		i += back + 2
	}
	if escapes && in != inNothing {
		s.escaped = append(s.escaped, extent{start, i})
	}
	return i
}

// members walks over an object and leaves its members on the stack. Where a value ends is
// asked of each, which may leave nothing more there.
func (s *sealer) members(i int, each func(key extent, start int) (end int, r role)) int {
	if i = s.space(i + 1); i < len(s.b) && s.b[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(s.b) || s.b[i] != '"' {
			return -1
		}
		p := jsonPair{key: extent{start: i}}
		if p.key.end = s.str(i, inText); p.key.end < 0 {
			return -1
		}
		if i = s.space(p.key.end); i >= len(s.b) || s.b[i] != ':' {
			return -1
		}
		if p.start = s.space(i + 1); p.start >= len(s.b) {
			return -1
		}
		if p.end, p.role = each(p.key, p.start); p.end < 0 {
			return -1
		}
		s.object = append(s.object, p)
		switch i = s.space(p.end); {
		case i < len(s.b) && s.b[i] == ',':
			i = s.space(i + 1)
		case i < len(s.b) && s.b[i] == '}':
			return i + 1
		default:
			return -1
		}
	}
}

// inside seals what one object says of people: under raw a reference to a user, elsewhere
// the members that name a person.
func (s *sealer) inside(object []jsonPair, in within, parent []byte) {
	if in == inText {
		for _, p := range object {
			if s.b[p.start] == '"' {
				switch string(s.b[p.key.start:p.key.end]) {
				case `"person"`, `"by"`, `"manager"`:
					s.whole(p.extent)
				}
			}
		}
		return
	}
	var u user
	for _, p := range object {
		if s.b[p.start] == '"' && p.end-p.start > 2 {
			s.member(&u, p, parent)
		}
	}
	if s.isUser(&u, parent) {
		s.user(&u)
	}
}

// user is a reference to one, as far as it is read: PagerDuty's {id, type, summary, email},
// and what other tools call these.
type user struct {
	typ, id, email string
	at             extent // of id
	names, links   [4]extent
	named, linked  int
}

// member reads one member of an object under raw. A desk's export names people in members
// of flat rows, as does the old CSV of log entries.
func (s *sealer) member(u *user, p jsonPair, parent []byte) {
	value := s.b[p.start:p.end]
	switch string(s.b[p.key.start:p.key.end]) {
	case `"type"`:
		u.typ, _ = unquote(value)
	case `"id"`, `"user_or_agent_id"`:
		u.id, _ = unquote(value)
		u.at = p.extent
	case `"email"`, `"mail"`, `"email_address"`:
		u.email, _ = unquote(value)
	case `"name"`, `"summary"`, `"display_name"`, `"displayName"`, `"full_name"`, `"fullName"`, `"real_name"`, `"first_name"`, `"last_name"`, `"username"`, `"login"`, `"user_or_agent_summary"`:
		if u.named < len(u.names) {
			u.names[u.named] = p.extent
			u.named++
		}
	case `"html_url"`, `"self"`, `"avatar_url"`, `"url"`:
		if u.linked < len(u.links) {
			u.links[u.linked] = p.extent
			u.linked++
		}
	case `"address"`: // a telephone number is whose page it was
		if string(parent) == `"notification"` {
			s.owned(p.extent, s.person)
		}
	case `"assigned_to"`, `"resolved_by"`, `"opened_by"`, `"closed_by"`, `"caller_id"`, `"sys_created_by"`, `"sys_updated_by"`:
		if name, ok := unquote(value); ok {
			s.owned(p.extent, source.DeskID(s.source, name))
		}
	}
}

// isUser: by its type; by an address where there is no type; by standing where PagerDuty
// puts users only; or by an id of the event's people.
func (s *sealer) isUser(u *user, parent []byte) bool {
	switch {
	case strings.HasPrefix(u.typ, "user"):
		return true
	case u.typ == "" && (strings.IndexByte(u.email, '@') > 0 || string(parent) == `"assignees"`):
		return true
	case u.id == "" || s.source == "":
		return false
	}
	for _, k := range s.people {
		if len(k.text) == len(s.source)+len(u.id) && strings.HasPrefix(view(k.text), s.source) && strings.HasSuffix(view(k.text), u.id) {
			return true
		}
	}
	return false
}

// user seals a reference. Its owner is the person the decoder makes of it.
func (s *sealer) user(u *user) {
	owner := ""
	if u.id != "" && !identity.IsToken(u.id) {
		owner = s.source + u.id
	}
	if strings.IndexByte(u.email, '@') > 0 {
		email := event.PersonID(u.email)
		if owner != "" && s.source != "" {
			s.token(identity.Entry{Text: owner, Owner: email})
		}
		owner = email
	}
	if owner == "" && identity.IsToken(u.id) {
		return // sealed before
	}
	for _, x := range u.names[:u.named] {
		s.owned(x, owner)
	}
	for _, x := range u.links[:u.linked] {
		s.hidden(x, owner)
	}
	if u.id != "" {
		s.owned(u.at, owner)
	}
}

// owned seals what somebody is called, and has it searched for in the rest.
func (s *sealer) owned(x extent, owner string) {
	text := s.b[x.start+1 : x.end-1]
	if token := s.hidden(x, owner); token != "" && distinct(view(text)) {
		for _, k := range s.names {
			if k.token == token {
				return
			}
		}
		s.names = append(s.names, known{text, token})
	}
}

// hidden seals a string that leads to somebody; "" where there was nothing to seal.
func (s *sealer) hidden(x extent, owner string) string {
	text, ok := unquote(s.b[x.start:x.end])
	if !ok || text == "" || identity.IsToken(text) {
		return ""
	}
	token := s.token(identity.Entry{Text: text, Owner: owner, Name: owner != ""})
	s.put(x, token)
	return token
}
