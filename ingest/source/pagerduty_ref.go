package source

import (
	"strings"

	"github.com/stewardhq/steward/ingest/event"
)

// pdRef is PagerDuty's reference to anything: {id, type: "user_reference", summary, …}.
// A full object has the same members and more (a user's e-mail address).
type pdRef struct {
	ID      word   `json:"id"`
	Type    string `json:"type"`
	Summary word   `json:"summary"`
	Email   word   `json:"email"`
}

func (r *pdRef) known() bool  { return r != nil && r.ID != "" }
func (r *pdRef) isUser() bool { return r != nil && strings.HasPrefix(r.Type, "user") }

// pdAccount names things of one PagerDuty account.
type pdAccount string

// id is the namespaced id of a thing, "" for none.
func (a pdAccount) id(r *pdRef) string {
	if !r.known() {
		return ""
	}
	return a.named(string(r.ID))
}

func (a pdAccount) named(id string) string { return "pagerduty:" + string(a) + ":" + id }

// person is the e-mail address where the reference carries one (it then joins with other
// tools by itself), else the namespaced id.
func (a pdAccount) person(r *pdRef) string {
	if r != nil && strings.Contains(string(r.Email), "@") {
		return event.PersonID(string(r.Email))
	}
	return a.id(r)
}

// actor is who did it. No agent at all means automation, as does a service or an
// integration; only a user is a person.
func (a pdAccount) actor(agent *pdRef) (person, kind string) {
	if agent.isUser() && (agent.known() || agent.Email != "") {
		return a.person(agent), "user"
	}
	return "", "service"
}

// target writes a reference with its kind; "" for what is no target.
func (a pdAccount) target(r *pdRef) string {
	id := a.id(r)
	if id == "" {
		return ""
	}
	switch {
	case r.isUser():
		return "person:" + a.person(r)
	case strings.HasPrefix(r.Type, "escalation_policy"):
		return "policy:" + id
	case strings.HasPrefix(r.Type, "team"):
		return "team:" + id
	}
	return ""
}

// targets are those of a list of assignees. What is assigned without saying what it is,
// is a user: PagerDuty assigns to nobody else.
func (a pdAccount) targets(refs []pdRef) targets {
	var out targets
	for i := range refs {
		if refs[i].Type == "" {
			refs[i].Type = "user_reference"
		}
		if t := a.target(&refs[i]); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// pdPriority is a reference whose summary is what people call it, "P1".
func pdPriority(r *pdRef) string {
	if r == nil {
		return ""
	}
	return first(string(r.Summary), string(r.ID))
}

// pdUrgency keeps the two values there are.
func pdUrgency(s word) string {
	if s == "high" || s == "low" {
		return string(s)
	}
	return ""
}

// first is the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
