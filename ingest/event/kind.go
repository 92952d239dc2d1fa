package event

import (
	"sort"
	"strings"
)

// Kind names what sort of fact an event is. The set is closed: a new kind is a new
// constant here with its required fields, and a line in docs/events.md.
type Kind string

// The kinds, in the order of the vocabulary.
const (
	AlertFired    Kind = "alert.fired"
	AlertResolved Kind = "alert.resolved"

	IncidentOpened         Kind = "incident.opened"
	IncidentAcknowledged   Kind = "incident.acknowledged"
	IncidentUnacknowledged Kind = "incident.unacknowledged"
	IncidentEscalated      Kind = "incident.escalated"
	IncidentReassigned     Kind = "incident.reassigned"
	IncidentUpdated        Kind = "incident.updated"
	IncidentResolved       Kind = "incident.resolved"
	IncidentReopened       Kind = "incident.reopened"
	IncidentSnoozed        Kind = "incident.snoozed"
	IncidentMerged         Kind = "incident.merged"
	IncidentNoted          Kind = "incident.noted"

	ResponderRequested Kind = "responder.requested"
	ResponderResponded Kind = "responder.responded"

	PageSent       Kind = "page.sent"
	PageFailed     Kind = "page.failed"
	PageUnanswered Kind = "page.unanswered"
	PageReviewed   Kind = "page.reviewed"

	ServiceDescribed Kind = "service.described"
	ServiceOwned     Kind = "service.owned"
	ServiceAttested  Kind = "service.attested"
	ExemptionGranted Kind = "exemption.granted"
	TeamDescribed    Kind = "team.described"
	MemberJoined     Kind = "member.joined"
	MemberLeft       Kind = "member.left"
	PersonDescribed  Kind = "person.described"
	PersonForgotten  Kind = "person.forgotten"
	PolicyPublished  Kind = "policy.published"
	ShiftPlanned     Kind = "shift.planned"
	ShiftWorked      Kind = "shift.worked"
	RunbookReviewed  Kind = "runbook.reviewed"
	ReviewPublished  Kind = "review.published"
	ChangeDeployed   Kind = "change.deployed"

	SkillTagged       Kind = "skill.tagged"
	SkillUntagged     Kind = "skill.untagged"
	SkillEvidenced    Kind = "skill.evidenced"
	EvidenceVoided    Kind = "evidence.voided"
	TrainingAssigned  Kind = "training.assigned"
	TrainingStarted   Kind = "training.started"
	TrainingAnswered  Kind = "training.answered"
	TrainingPassed    Kind = "training.passed"
	TrainingFailed    Kind = "training.failed"
	TrainingCompleted Kind = "training.completed"
	TrainingAbandoned Kind = "training.abandoned"
	TrainingWaived    Kind = "training.waived"
	TrainingRated     Kind = "training.rated"
	ReminderSent      Kind = "reminder.sent"
	ReminderChosen    Kind = "reminder.chosen"
	CalendarAddressed Kind = "calendar.addressed"
	QuestionAnswered  Kind = "question.answered"

	RecommendationDismissed Kind = "recommendation.dismissed"

	DrillCompiled   Kind = "drill.compiled"
	DrillStarted    Kind = "drill.started"
	DrillActed      Kind = "drill.acted"
	DrillFinished   Kind = "drill.finished"
	DrillShared     Kind = "drill.shared"
	DrillBooked     Kind = "drill.booked"
	ViewRecorded    Kind = "view.recorded"
	AuditRecorded   Kind = "audit.recorded"
	ReportPublished Kind = "report.published"
	RolloutDrawn    Kind = "rollout.drawn"
)

// Kinds lists the vocabulary in alphabetical order.
func Kinds() []Kind {
	out := make([]Kind, 0, len(specs))
	for k := range specs {
		out = append(out, k)
	}
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

// Known says whether a kind belongs to the vocabulary.
func Known(k Kind) bool { _, ok := specs[k]; return ok }

// OwnSource is the source of what Steward itself is the witness of.
const OwnSource = "/steward"

// IsOwnSource says whether a source is Steward's own, which nobody else may speak as.
func IsOwnSource(source string) bool {
	return source == OwnSource || strings.HasPrefix(source, OwnSource+"/")
}

// Own says whether only Steward itself says such facts: who looked, what admins did, who was
// forgotten, what was published and drawn, whom somebody lets see their own attempts, and what
// does not count any more. Whoever could say them could forge the ledger, open what is private,
// or take from somebody what they showed.
func (k Kind) Own() bool {
	switch k {
	case ViewRecorded, AuditRecorded, PersonForgotten, ReportPublished, RolloutDrawn, DrillShared, QuestionAnswered, ReminderSent, ReminderChosen, CalendarAddressed,
		EvidenceVoided:
		return true
	}
	return false
}

// Directory says whether such facts tell who people are and where they belong. What somebody
// may see follows from them, and so does whose a service's load is.
func (k Kind) Directory() bool {
	switch k {
	case MemberJoined, MemberLeft, PersonDescribed, TeamDescribed, ServiceOwned, ServiceDescribed, PolicyPublished:
		return true
	}
	return false
}

// spec is what one kind demands of its data. A requirement is a list of alternatives,
// of which at least one must be present; most lists have one element.
type spec struct {
	required [][]string
	mayEmpty string // a required field whose empty string is a value (service.owned.team)
	hot      bool   // decoded into Fields directly: the kinds that arrive by the million
}

func need(names ...string) [][]string {
	out := make([][]string, len(names))
	for i, n := range names {
		out[i] = []string{n}
	}
	return out
}

func hot(names ...string) spec  { return spec{required: need(names...), hot: true} }
func rare(names ...string) spec { return spec{required: need(names...)} }

func (s spec) or(alternatives ...string) spec {
	s.required = append(s.required, alternatives)
	return s
}

// specs is read-only after package initialisation.
var specs = map[Kind]spec{
	AlertFired:    hot("fingerprint", "starts_at"),
	AlertResolved: hot("fingerprint", "starts_at"),

	IncidentOpened:         hot("incident", "title"),
	IncidentAcknowledged:   hot("incident", "actor_kind"),
	IncidentUnacknowledged: hot("incident", "actor_kind"),
	IncidentEscalated:      hot("incident", "cause"),
	IncidentReassigned:     hot("incident", "to"),
	IncidentUpdated:        hot("incident"),
	IncidentResolved:       hot("incident", "actor_kind"),
	IncidentReopened:       hot("incident"),
	IncidentSnoozed:        hot("incident", "until"),
	IncidentMerged:         hot("incident", "into"),
	IncidentNoted:          hot("incident"),
	ResponderRequested:     hot("incident", "person"),
	ResponderResponded:     hot("incident", "person"),
	PageSent:               hot("page", "channel"),
	PageFailed:             hot("incident"),
	PageUnanswered:         hot("incident"),

	PageReviewed:     rare("by", "verdict").or("page", "incident"),
	ServiceDescribed: rare("service", "name"),
	ServiceOwned:     {required: need("service", "team"), mayEmpty: "team"},
	ServiceAttested:  rare("service", "check"),
	ExemptionGranted: rare("service", "check", "reason", "until"),
	TeamDescribed:    rare("team", "name"),
	MemberJoined:     rare("team", "person"),
	MemberLeft:       rare("team", "person"),
	PersonDescribed:  rare("person"),
	PersonForgotten:  rare("person"),
	PolicyPublished:  rare("policy"),
	ShiftPlanned:     rare("schedule", "person", "start", "end"),
	ShiftWorked:      rare("schedule", "person", "start", "end"),
	RunbookReviewed:  rare("service"),
	ReviewPublished:  rare("incident"),
	ChangeDeployed:   rare("service"),

	SkillTagged:             rare("incident", "skill", "basis"),
	SkillUntagged:           rare("incident", "skill", "by"),
	SkillEvidenced:          rare("person", "skill", "kind", "ref", "rule_version"),
	EvidenceVoided:          rare("evidence", "reason"),
	TrainingAssigned:        rare("assignment", "by").or("module", "track").or("person", "team", "rota"),
	TrainingStarted:         rare("assignment", "module", "person"),
	TrainingAnswered:        rare("assignment", "module", "person", "question", "correct"),
	TrainingPassed:          rare("assignment", "module", "person"),
	TrainingFailed:          rare("assignment", "module", "person"),
	TrainingCompleted:       rare("assignment", "module", "person"),
	TrainingAbandoned:       rare("assignment", "module", "person"),
	TrainingWaived:          rare("assignment", "by", "reason"),
	TrainingRated:           rare("module", "person"),
	DrillCompiled:           rare("drill", "incident", "by"),
	DrillStarted:            rare("drill", "attempt", "person"),
	DrillActed:              rare("drill", "attempt", "person", "offset_s", "action"),
	DrillFinished:           rare("drill", "attempt", "person"),
	DrillShared:             rare("drill", "attempt", "person", "shared"),
	DrillBooked:             rare("booking", "drill", "by", "starts_at").or("person", "team"),
	ReminderSent:            rare("reminder", "person", "channel"),
	ReminderChosen:          rare("person", "reminders"),
	CalendarAddressed:       rare("person", "address"),
	QuestionAnswered:        rare("question", "person", "incident", "correct"),
	RecommendationDismissed: rare("recommendation", "by", "reason").or("person", "team"),
	ViewRecorded:            rare("person", "by", "what"),
	AuditRecorded:           rare("by", "action"),
	ReportPublished:         rare("report", "by", "metrics", "params", "digest"),
	RolloutDrawn:            rare("rollout", "module", "seed", "metric", "window"),
}
