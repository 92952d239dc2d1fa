package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training/evidence"
)

// shower makes events of what people say about skills.
//
// Theory of operation
//
//  1. Every act is decided here, whatever the page offered: who may is package access's to
//     say, and who acted in an incident is the log's.
//  2. What somebody says of an incident is a tag, by who acted in it as a responder and by
//     others of the owning teams as a reviewer. Taking one back needs a reason, and takes
//     back what anybody said of the skill up to now.
//  3. A void holds at once for every moment, and for good: the rules do not derive again what
//     a person contested (package evidence, Settle). One by a people admin is an act in the
//     audit log, and is done only once it stands there.
//  4. The deriver is woken, and what follows stands some moments later.
type shower struct {
	learner
	rules *evidence.Rules
	act   func(ctx context.Context, who access.Who, action, target string) error
}

// Likely are the skills that the rules find in an incident as it is known now.
func (s shower) Likely(inc *analytics.Incident, tier int) []string {
	i := evidence.Incident{ID: inc.ID, Service: inc.Service, Class: inc.AlertClass, Title: inc.Title, Priority: inc.Priority, Tier: tier}
	for _, e := range inc.Events { // in order of time
		var d struct{ Severity, Verdict string }
		if json.Unmarshal([]byte(e.Data), &d) != nil {
			continue
		}
		if d.Severity != "" && (e.Kind == string(event.IncidentOpened) || e.Kind == string(event.IncidentUpdated)) {
			i.Severity = d.Severity
		}
		if d.Verdict != "" && e.Kind == string(event.PageReviewed) {
			i.Verdicts = append(i.Verdicts, d.Verdict)
		}
	}
	var out []string
	for _, r := range s.rules.Likely(i) {
		out = append(out, r.Skill)
	}
	return out
}

func (s shower) skill(id string) error {
	if _, ok := s.curriculum.Skill(id); !ok {
		return wrong("skill", "there is none called so")
	}
	return nil
}

func reasoned(reason string) error {
	switch n := len([]rune(reason)); {
	case n == 0:
		return wrong("reason", "missing: say in a few words why")
	case n > longestReason:
		return wrong("reason", "at most %d characters", longestReason)
	}
	return nil
}

// took is what an incident took, for who may say so.
func (s shower) took(ctx context.Context, who access.Who, incident string) (*analytics.Took, error) {
	t, err := s.c.Store.For(who, "what an incident took").Took(ctx, incident)
	if err != nil {
		return nil, err
	}
	if !t.Says {
		inc, err := s.c.Store.For(access.Operator(), "").Incident(ctx, incident)
		if err != nil {
			return nil, err
		}
		_, denied := who.Tells([]string{inc.OwnerThen, inc.OwnerNow}, t.Self)
		return nil, denied
	}
	return t, nil
}

// Tag says that an incident took a skill. Saying it twice is saying it once.
func (s shower) Tag(ctx context.Context, who access.Who, incident, skill string) error {
	if err := s.skill(skill); err != nil {
		return err
	}
	defer s.turn(who)()
	t, err := s.took(ctx, who, incident)
	if err != nil {
		return err
	}
	basis := evidence.ByReviewer
	if t.Self {
		basis = evidence.ByResponder
	}
	if slices.ContainsFunc(t.Tags, func(r analytics.TagRow) bool { return r.Skill == skill && r.Basis == basis && r.Stands }) {
		return nil
	}
	return s.say(ctx)(evidence.TagAs(incident, skill, basis, who.Person, s.now()))
}

// Untag takes back what was said of a skill.
func (s shower) Untag(ctx context.Context, who access.Who, incident, skill, reason string) error {
	if err := reasoned(reason); err != nil {
		return err
	}
	defer s.turn(who)()
	t, err := s.took(ctx, who, incident)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(t.Tags, func(r analytics.TagRow) bool { return r.Skill == skill && r.Stands }) {
		return wrong("skill", "nobody says that it took this, so there is nothing to take back")
	}
	return s.say(ctx)(evidence.Untag(incident, skill, "", who.Person, reason, "", s.now()))
}

// Attest is a peer's word that somebody showed a skill in an incident in which both acted. It
// is evidence of when the incident was resolved, and given once: whoever it is about can void
// it, and then it stays so.
func (s shower) Attest(ctx context.Context, who access.Who, incident, person, skill, note string) error {
	if err := s.skill(skill); err != nil {
		return err
	}
	if len([]rune(note)) > longestReason {
		return wrong("note", "at most %d characters", longestReason)
	}
	if person == "" {
		return wrong("person", "missing: who showed it?")
	}
	defer s.turn(who)()
	t, err := s.took(ctx, who, incident)
	if err != nil {
		return err
	}
	if err := who.Attests(person, t.Self, slices.Contains(t.Acted, person)); err != nil {
		return err
	}
	inc, err := s.c.Store.For(access.Operator(), "").Incident(ctx, incident)
	if err != nil {
		return err
	}
	switch {
	case inc.Drill:
		return wrong("incident", "it was a drill")
	case inc.Resolved.IsZero():
		return wrong("incident", "it is not over yet")
	}
	before, err := s.c.Store.For(access.Operator(), "").SkillEvidence(ctx, []string{incident}, []string{evidence.Attested})
	if err != nil {
		return err
	}
	if slices.ContainsFunc(before, func(r analytics.EvidenceRow) bool { return r.Person == person && r.Skill == skill && who.Is(r.By) }) {
		return wrong("skill", "you have attested this already")
	}
	return s.say(ctx)(evidence.Attest(evidence.Piece{Person: person, Skill: skill, Ref: incident, At: inc.Resolved}, who.Person, note))
}

// Void takes a piece of evidence out.
func (s shower) Void(ctx context.Context, who access.Who, id, reason string) error {
	if err := reasoned(reason); err != nil {
		return err
	}
	defer s.turn(who)()
	row, err := s.c.Store.For(who, "").EvidenceByID(ctx, id)
	if errors.Is(err, analytics.ErrNotFound) {
		return wrong("evidence", "you have none such")
	}
	if err != nil {
		return err
	}
	if err := who.Voids(row.Person); err != nil {
		return err
	}
	if !row.Voided.IsZero() && row.VoidedBy != analytics.ByRules {
		return nil // a second click
	}
	if !who.Is(row.Person) {
		if err := s.act(ctx, who, "void evidence", id); err != nil {
			return err
		}
	}
	return s.say(ctx)(evidence.Void(id, reason, who.By(), "", s.now()))
}

// say keeps an event and lets what follows from it follow.
func (s shower) say(ctx context.Context) func(event.Event, error) error {
	return func(e event.Event, err error) error {
		if err != nil {
			return err
		}
		if err := s.publish(ctx, e); err != nil {
			return err
		}
		s.c.skillsChanged()
		return nil
	}
}
