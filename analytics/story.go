package analytics

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of stories
//
//  1. That an incident happened, what it was called, when it was acknowledged and resolved
//     is everybody's: facts of a service. Who was woken, when and how, is people's load, and
//     who acted is a name in a work list: for the teams that own or owned the service, for
//     the person and their team-mates, and for people admins, whose looks are recorded.
//  2. Everybody else is told nothing of pages and requests, and reads "responder 1",
//     "responder 2", numbered by appearance within this one incident, so that nobody can be
//     followed from one incident to the next. Where the owning team is too small to be a
//     group, how it handled the incident is withheld altogether.
//  3. An event's document is then written anew from the members known to hold no person:
//     what the vendor sent (raw), free text and members nobody has thought of stay out.
//     "withheld" in the document names what did. Of a review, whether it made sense is for who
//     said it also within the team. Ids of events may be made of people's, and
//     become numbers; titles lose addresses and the names of the directory.

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
	st, err := v.story(ctx)
	if err != nil {
		return nil, err
	}
	st.of(inc.IncidentRow)
	out.Events = st.tell(inc.Events)
	st.row(&out.IncidentRow)
	out.Outside = !st.mine() && !v.who.Has(access.PeopleAdmin)
	out.Resolver = st.name(inc.Resolver)
	if out.Withheld {
		out.Resolver = ""
	}
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
	st, err := v.story(ctx)
	if err != nil {
		return nil, err
	}
	if f.Incident != "" {
		inc, err := v.s.incident(ctx, access.Working(), f.Incident)
		if err != nil {
			return nil, err
		}
		st.of(inc.IncidentRow)
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
	st, err := v.story(ctx)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		r := &rows[i]
		st.of(*r)
		if r.Resolver != "" && !st.sees(r.Resolver) {
			r.Resolver = Somebody
		}
		st.row(r)
	}
	return rows, st.record(ctx)
}

// story is the incidents of an answer as the asker may read them, one after the other.
type story struct {
	v      *View
	owners []string            // of the incident in hand
	small  bool                // and whether they are too small for the asker
	teams  map[string][]string // of people, now
	alias  aliases
	scrubs scrubber
	moves  []move // of teams, for how large they were
	owned  map[string][]string
	number map[string]string // pseudonyms given so far in this incident
	looked []string          // people named to somebody whose looks are recorded
	pass   access.Pass
}

func (v *View) story(ctx context.Context) (*story, error) {
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	st := &story{v: v, teams: map[string][]string{}, number: map[string]string{}, scrubs: newScrubber(d, v.who)}
	if st.alias, err = v.s.aliasesNow(ctx); err != nil {
		return nil, err
	}
	for _, p := range d.People {
		st.teams[p.ID] = p.Teams
	}
	st.moves, st.owned, err = v.s.movesAndServices(ctx)
	return st, err
}

// of takes an incident in hand.
func (st *story) of(r IncidentRow) {
	st.owners, st.number = []string{r.OwnerThen, r.OwnerNow}, map[string]string{}
	st.small = !st.v.who.IsOperator() && slices.ContainsFunc(smallIn(st.moves, r.Opened, r.Opened), func(team string) bool {
		return !st.v.who.TeamSums(team) && (slices.Contains(st.owners, team) || slices.Contains(st.owned[team], r.Service))
	})
}

// mine says whether the asker belongs to a team that owns or owned the service.
func (st *story) mine() bool { return slices.ContainsFunc(st.owners, st.v.who.InTeam) }

// row takes out of an incident's line what is not the asker's.
func (st *story) row(r *IncidentRow) {
	if st.mine() || st.v.who.Has(access.PeopleAdmin) {
		return
	}
	r.Title, r.Pages = st.scrubs.words(r.Title), 0
	if st.small {
		r.Acked, r.Resolved, r.Resolver, r.Withheld = time.Time{}, time.Time{}, "", true
	}
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
	"incident", "service", "team", "urgency", "priority", "severity", "alert_class", "cause", "auto", "drill",
	"state", "policy", "until", "into", "fingerprint", "starts_at", "actor_kind", "verdict", "made_sense", "skill", "basis",
}

// named are those that hold one person, targets those that hold targets.
var (
	named   = []string{"person", "by"}
	targets = []string{"to", "from"}
)

// ofPeople are the kinds of a story that are about who was woken or asked.
var ofPeople = []string{"page.", "responder.", "skill.", "evidence.", "review."}

// ofSmall are the kinds that are told of an incident whose owners are too few.
var ofSmall = []string{"incident.opened", "incident.updated", "incident.merged", "alert.fired"}

// tell writes events for the asker.
func (st *story) tell(events []EventRow) []EventRow {
	out := []EventRow{}
	for i, e := range events {
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
			out = append(out, st.sense(e, doc))
			continue
		}
		if slices.ContainsFunc(ofPeople, func(p string) bool { return strings.HasPrefix(e.Kind, p) }) || st.small && !slices.Contains(ofSmall, e.Kind) {
			continue
		}
		hidden := slices.DeleteFunc(slices.Clone(people), st.sees)
		e.Person, e.Extensions = st.name(e.Person), ""
		e.Data = st.write(doc)
		e.Subject, e.Data = st.scrub(e.Subject, hidden), st.scrub(e.Data, hidden)
		e.ID, e.Source = fmt.Sprint("event ", i+1), firstOf(e.Source)
		out = append(out, e)
	}
	return out
}

// firstOf is the first element of a source's path, "/pagerduty" of "/pagerduty/acme/webhook":
// the tool, without what somebody named its parts.
func firstOf(source string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(source, "/"), "/")
	return "/" + first
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
	return st.mine()
}

// sense takes out of a review whether it made sense to somebody else (access/review.go).
func (st *story) sense(e EventRow, doc map[string]any) EventRow {
	by, _ := doc["by"].(string)
	if _, said := doc["made_sense"]; !said || e.Kind != "page.reviewed" || st.v.who.MadeSense(st.v.s.canonical(st.alias, by)) {
		return e
	}
	delete(doc, "made_sense")
	text, err := json.Marshal(doc)
	if err != nil {
		text = []byte("{}") // what was read from JSON can be written as JSON
	}
	e.Data, e.Extensions = string(text), ""
	return e
}

func (st *story) write(doc map[string]any) string {
	out, withheld := map[string]any{}, []string{}
	for k, v := range doc {
		switch {
		case k == "title":
			title, _ := v.(string)
			out[k] = st.scrubs.words(title)
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
