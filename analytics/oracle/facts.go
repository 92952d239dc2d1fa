package oracle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// fact is one event with its decoded data. The fields' person is still the id as it was
// written; who gives the person behind it.
type fact struct {
	event.Event
	f   event.Fields
	raw rest
}

// rest holds the members of the rare kinds that event.Fields does not carry.
type rest struct {
	Aliases      []string              `json:"aliases"`
	TimeZone     string                `json:"time_zone"`
	WorkingHours map[string][][]string `json:"working_hours"`
	Holidays     []string              `json:"holidays"`

	Services []string `json:"services"`

	Shift    string    `json:"shift"`
	Schedule string    `json:"schedule"`
	Role     string    `json:"role"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	Level    *int      `json:"level"`
	Override bool      `json:"override"`

	Tier int `json:"tier"`

	Skill    string          `json:"skill"`
	Evidence string          `json:"evidence"` // of a voiding: the id of what it voids
	Kind     string          `json:"kind"`
	Basis    string          `json:"basis"`
	Ref      json.RawMessage `json:"ref"`

	Assignment string `json:"assignment"`
	Module     string `json:"module"`
	Track      string `json:"track"`
	Due        string `json:"due"`

	Verdict   string `json:"verdict"`
	MadeSense *bool  `json:"made_sense"`
}

// world is what a question may know, in the total order, sorted into the piles that the
// other files walk. Nothing in it lies after as_of or known_at, but for parent.
type world struct {
	facts     []fact
	about     map[string][]fact // by incident id
	described map[string][]fact // by person behind the id
	members   map[string][]fact // joined and left, by person
	owned     map[string][]fact // by service
	policies  map[string][]fact // by policy
	parent    map[string]string // alias → the id that claims it
}

// earlier is the total order of facts: by moment, then id as text; two sources may share
// an id, so the source decides last.
func earlier(a, b fact) int {
	return cmp.Or(a.At.Compare(b.At), strings.Compare(a.ID, b.ID), strings.Compare(a.Source, b.Source))
}

// gather builds the world. Of the copies of an event the earliest seen one is chosen
// before anything is left out, so that known_at does not depend on redelivery.
func gather(events []event.Event, asOf, knownAt time.Time) (world, error) {
	known := []fact{}
	for _, e := range oneCopyEach(events) {
		if e.Seen.After(knownAt) {
			continue
		}
		f, err := decode(e)
		if err != nil {
			return world{}, err
		}
		known = append(known, f)
	}
	slices.SortFunc(known, earlier)

	w := world{
		about: map[string][]fact{}, described: map[string][]fact{}, members: map[string][]fact{},
		owned: map[string][]fact{}, policies: map[string][]fact{}, parent: claims(known),
	}
	for _, f := range known {
		if f.At.After(asOf) { // later facts do not exist; aliases alone are outside time
			continue
		}
		w.facts = append(w.facts, f)
		person := w.who(f.f.Person)
		switch {
		case makesIncident(f):
			w.about[f.f.Incident] = append(w.about[f.f.Incident], f)
		case f.Kind == event.PersonDescribed:
			w.described[person] = append(w.described[person], f)
		case f.Kind == event.MemberJoined || f.Kind == event.MemberLeft:
			w.members[person] = append(w.members[person], f)
		case f.Kind == event.ServiceOwned:
			w.owned[f.f.Service] = append(w.owned[f.f.Service], f)
		case f.Kind == event.PolicyPublished:
			w.policies[f.f.Policy] = append(w.policies[f.f.Policy], f)
		}
	}
	return w, nil
}

// oneCopyEach keeps, of the events with the same source and id, the one seen earliest;
// among those seen at once, the one with the smaller time and data, so that the choice
// does not depend on the order of arrival.
func oneCopyEach(events []event.Event) []event.Event {
	best := map[[2]string]event.Event{}
	for _, e := range events {
		e.At, e.Seen = e.At.UTC().Truncate(time.Millisecond), e.Seen.UTC().Truncate(time.Millisecond)
		identity := [2]string{e.Source, e.ID}
		old, ok := best[identity]
		if !ok || cmp.Or(e.Seen.Compare(old.Seen), e.At.Compare(old.At), strings.Compare(string(e.Data), string(old.Data))) < 0 {
			best[identity] = e
		}
	}
	out := make([]event.Event, 0, len(best))
	for _, e := range best {
		out = append(out, e)
	}
	return out
}

func decode(e event.Event) (fact, error) {
	f, err := event.Decode(e.Kind, e.Data, json.Unmarshal)
	if err != nil {
		return fact{}, fmt.Errorf("event %s %s: %w", e.Kind, e.ID, err)
	}
	out := fact{Event: e, f: f}
	switch e.Kind {
	case event.PersonDescribed, event.PolicyPublished, event.ShiftPlanned, event.ShiftWorked, event.ServiceDescribed,
		event.SkillEvidenced, event.EvidenceVoided, event.SkillTagged, event.SkillUntagged, event.PageReviewed,
		event.TrainingAssigned, event.TrainingStarted, event.TrainingAnswered, event.TrainingPassed, event.TrainingFailed,
		event.TrainingCompleted, event.TrainingAbandoned, event.TrainingWaived:
		if err := json.Unmarshal(e.Data, &out.raw); err != nil {
			return fact{}, fmt.Errorf("event %s %s: %w", e.Kind, e.ID, err)
		}
	}
	return out, nil
}

// makesIncident: an incident exists by any incident.* or responder.* event, or a page
// that was sent, failed or stayed unanswered, which names it.
func makesIncident(f fact) bool {
	if f.f.Incident == "" {
		return false
	}
	switch f.Kind {
	case event.PageSent, event.PageFailed, event.PageUnanswered:
		return true
	}
	return onIncident(f) || strings.HasPrefix(string(f.Kind), "responder.")
}

func onIncident(f fact) bool { return strings.HasPrefix(string(f.Kind), "incident.") }

// upTo is the prefix of ordered facts that happened at or before t.
func upTo(facts []fact, t time.Time) []fact {
	n := 0
	for n < len(facts) && !facts[n].At.After(t) {
		n++
	}
	return facts[:n]
}
