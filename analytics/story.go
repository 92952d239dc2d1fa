package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of stories
//
//  1. What happened to an incident, and when, is everybody's. Who was woken and who acted is
//     a name in a work list: for the teams that own or owned the service, for the person and
//     their team-mates, and for people admins, whose looks are recorded.
//  2. Everybody else reads "responder 1", "responder 2", numbered by appearance within this
//     one incident, so that nobody can be followed from one incident to the next.
//  3. An event's document is then written anew from the members known to hold no person:
//     what the vendor sent (raw), free text and members nobody has thought of stay out.
//     "withheld" in the document names what did.

// Incident is one incident with every event behind it, in (at, id) order. ErrNotFound.
func (v *View) Incident(ctx context.Context, id string) (*Incident, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	inc, err := v.s.incident(ctx, access.Working(), id)
	if err != nil || v.who.IsOperator() {
		return inc, err
	}
	out := *inc
	st, err := v.story(ctx, []string{inc.OwnerThen, inc.OwnerNow})
	if err != nil {
		return nil, err
	}
	out.Events = st.tell(inc.Events)
	out.Resolver = st.name(inc.Resolver)
	return &out, st.record(ctx)
}

// Events lists the events behind an incident in (at, id) order, each identity once: the copy
// seen first.
func (v *View) Events(ctx context.Context, f EventFilter) ([]EventRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	events, err := v.s.events(ctx, access.Working(), f)
	if err != nil || v.who.IsOperator() || len(events) == 0 {
		return events, err
	}
	var owners []string
	if f.Incident != "" {
		inc, err := v.s.incident(ctx, access.Working(), f.Incident)
		if err != nil {
			return nil, err
		}
		owners = []string{inc.OwnerThen, inc.OwnerNow}
	}
	st, err := v.story(ctx, owners)
	if err != nil {
		return nil, err
	}
	return st.tell(events), st.record(ctx)
}

// Somebody stands for who resolved an incident where the asker does not read the name.
const Somebody = "somebody"

// Incidents lists incidents by their opening, newest first; drills apart. Who resolved one
// stands there for those who read it in the incident's story.
func (v *View) Incidents(ctx context.Context, f IncidentFilter) ([]IncidentRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	// Which incidents paged a team is its people's load, one page at a time.
	if len(f.Paged) > 0 && !v.who.IsOperator() && !v.who.Has(access.PeopleAdmin) && slices.ContainsFunc(f.Paged, func(t string) bool { return !v.who.InTeam(t) }) {
		return nil, &access.Denied{Reason: "the list of what paged a team is for its members, its lead and people admins"}
	}
	rows, err := v.s.incidents(ctx, access.Working(), f)
	if err != nil || v.who.IsOperator() {
		return rows, err
	}
	names, err := v.story(ctx, nil)
	if err != nil {
		return nil, err
	}
	for i, r := range rows {
		st := *names
		st.owners = []string{r.OwnerThen, r.OwnerNow}
		if r.Resolver != "" && !st.sees(r.Resolver) {
			rows[i].Resolver = Somebody
		}
		names.looked = st.looked
	}
	return rows, names.record(ctx)
}

// story is one incident's names as the asker may read them.
type story struct {
	v      *View
	owners []string
	teams  map[string][]string // of people, now
	alias  aliases
	number map[string]string // pseudonyms given so far
	looked []string          // people named to somebody whose looks are recorded
	pass   access.Pass
}

func (v *View) story(ctx context.Context, owners []string) (*story, error) {
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	m, err := v.s.mark(ctx)
	if err != nil {
		return nil, err
	}
	st := &story{v: v, owners: owners, teams: map[string][]string{}, number: map[string]string{}}
	if st.alias, err = v.s.aliases(ctx, v.s.present().knownAt, m); err != nil {
		return nil, fmt.Errorf("aliases: %w", err)
	}
	for _, p := range d.People {
		st.teams[p.ID] = p.Teams
	}
	return st, nil
}

// canonical is who stands behind an id as events write it.
func (s *Store) canonical(a aliases, id string) string {
	for _, stored := range s.stored([]string{id}) {
		if p := a.person(stored); p != stored {
			return s.reveal(p)
		}
	}
	return id
}

// sees says whether the asker reads a person's name here, and notes the look.
func (st *story) sees(id string) bool {
	person := st.v.s.canonical(st.alias, id)
	named, pass := st.v.who.Story(st.owners, person, st.teams[person])
	if named && len(pass.Looks("", person)) > 0 {
		st.pass, st.looked = pass, append(st.looked, person)
	}
	return named
}

func (st *story) record(ctx context.Context) error {
	return st.v.record(ctx, st.pass, st.looked)
}

// name is the id, or who it is to this asker.
func (st *story) name(id string) string {
	if id == "" || st.sees(id) {
		return id
	}
	person := st.v.s.canonical(st.alias, id)
	if st.number[person] == "" {
		st.number[person] = fmt.Sprintf("responder %d", len(st.number)+1)
	}
	return st.number[person]
}

// plain are the members of an event's document that hold no person.
var plain = []string{
	"incident", "service", "team", "title", "urgency", "priority", "severity", "alert_class", "cause", "channel", "level", "auto", "drill", "delivered",
	"state", "page", "policy", "until", "into", "fingerprint", "starts_at", "actor_kind", "verdict", "made_sense", "skill", "basis",
}

// named are those that hold one person, targets those that hold targets.
var (
	named   = []string{"person", "by"}
	targets = []string{"to", "from"}
)

// tell writes events for the asker.
func (st *story) tell(events []EventRow) []EventRow {
	out := slices.Clone(events)
	for i := range out {
		e := &out[i]
		var doc map[string]any
		dec := json.NewDecoder(strings.NewReader(e.Data))
		dec.UseNumber()
		if err := dec.Decode(&doc); err != nil {
			doc = nil
		}
		people := peopleIn(doc)
		if e.Person != "" {
			people = append(people, e.Person)
		}
		if st.open(people) {
			continue
		}
		hidden := slices.DeleteFunc(slices.Clone(people), st.sees)
		e.Person, e.Extensions = st.name(e.Person), ""
		e.Data = st.write(doc)
		e.Subject, e.Data = st.scrub(e.Subject, hidden), st.scrub(e.Data, hidden)
	}
	return out
}

// open says whether an event's document may be read as it is: it is the asker's own teams'
// incident, or they read everything. Somebody who only knows the people named may not: what
// the vendor sent can name others.
func (st *story) open(people []string) bool {
	w := st.v.who
	if w.Has(access.PeopleAdmin) {
		for _, p := range people {
			st.sees(p)
		}
		return true
	}
	return slices.ContainsFunc(st.owners, w.InTeam)
}

func (st *story) write(doc map[string]any) string {
	out, withheld := map[string]any{}, []string{}
	for k, v := range doc {
		switch {
		case slices.Contains(plain, k):
			out[k] = v
		case slices.Contains(named, k):
			s, _ := v.(string)
			out[k] = st.name(s)
		case slices.Contains(targets, k):
			out[k] = st.targets(v)
		default:
			withheld = append(withheld, k)
		}
	}
	if len(withheld) > 0 {
		slices.Sort(withheld)
		out["withheld"] = withheld
	}
	text, err := json.Marshal(out)
	if err != nil {
		return "{}" // what was read from JSON can be written as JSON
	}
	return string(text)
}

// targets keeps teams and policies and puts pseudonyms for people. A target without a kind
// may be anybody.
func (st *story) targets(v any) any {
	switch v := v.(type) {
	case string:
		kind, id, ok := strings.Cut(v, ":")
		switch {
		case ok && kind == "person":
			return "person:" + st.name(id)
		case ok && (kind == "team" || kind == "policy" || kind == "schedule"), v == "":
			return v
		}
		return st.name(v)
	case []any:
		out := []any{}
		for _, t := range v {
			out = append(out, st.targets(t))
		}
		return out
	}
	return nil
}

// scrub takes the ids of people out of a text that is made of ids, as some tools make a
// page's of a person's.
func (st *story) scrub(text string, hidden []string) string {
	for _, p := range hidden {
		text = strings.ReplaceAll(text, p, st.name(p))
	}
	return text
}

// peopleIn are the people a document names where it is known to.
func peopleIn(doc map[string]any) []string {
	var out []string
	for _, k := range named {
		if s, ok := doc[k].(string); ok && s != "" {
			out = append(out, s)
		}
	}
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case string:
			if id, ok := strings.CutPrefix(v, "person:"); ok && id != "" {
				out = append(out, id)
			}
		case []any:
			for _, t := range v {
				add(t)
			}
		}
	}
	for _, k := range targets {
		add(doc[k])
	}
	return out
}
