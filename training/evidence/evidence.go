// Package evidence derives what people showed of skills from what happened: which skills an
// incident took, and who showed them how. It is pure: facts in, tags and evidence out.
//
// Theory of operation
//
//  1. Tagging rules (rules.go) say which skills an incident took, from its service, alert
//     class, title, severity and what its reviews found. What people tag stands beside it.
//  2. Evidence rules (incident.go, shift.go, learning.go) say who showed something, and what
//     kind of evidence it is. Each looks at facts that stand in the log and at nothing else;
//     where the facts do not say who did what, nobody has shown anything, and a person can
//     still attest it.
//  3. Settle (settle.go) compares what is derived with what was published before, and says
//     what to publish, to void and to untag. It touches only what the rules said themselves.
//  4. Escalating is never negative: the rules only ever add, and who called for help and
//     brought the incident to its end has led it.
package evidence

import "time"

// Version of the evidence rules. It is raised when what they derive changes, and stands in
// every piece of evidence.
const Version = "e1"

// The kinds of evidence that are derived; Attested is a peer's word.
const (
	Solo          = "solo"
	ReverseShadow = "reverse_shadow"
	Led           = "led"
	Assist        = "assist"
	Drill         = "drill"
	Quiz          = "quiz"
	Shadow        = "shadow"
	Taught        = "taught"
	Module        = "module"
	Attested      = "attested"
)

// Weight of a kind in hundredths, 0 of one that is not known (TRAINING.md, "The skill model";
// the fact skill_evidence holds the same table, and a test compares them).
func Weight(kind string) int {
	switch kind {
	case Solo:
		return 100
	case ReverseShadow:
		return 70
	case Led:
		return 60
	case Drill, Taught:
		return 50
	case Assist:
		return 40
	case Attested:
		return 30
	case Quiz:
		return 20
	case Shadow:
		return 15
	case Module:
		return 10
	}
	return 0
}

// Piece is one person's evidence in one skill.
type Piece struct {
	Person, Skill, Kind string
	Ref                 string // the incident, drill, module or shift
	Occasion            string // what tells two of one ref apart: an attempt, an assignment
	At                  time.Time
	Rule                string // which rule derived it, "solo", "quiz"
}

// key is what makes two pieces the same, whenever they were derived.
type key struct{ person, skill, kind, ref, occasion string }

func (p Piece) key() key { return key{p.Person, p.Skill, p.Kind, p.Ref, p.Occasion} }

// thing is what a person's void is about: that this occasion does not show this skill,
// whatever kind of evidence a rule would make of it.
type thing struct{ person, skill, ref, occasion string }

func (p Piece) thing() thing { return thing{p.Person, p.Skill, p.Ref, p.Occasion} }
