// Package access decides who may see what of whom. It is the one place that does: what
// reads people's data takes a Pass, and only this package makes one.
//
// Theory of operation
//
//  1. Signing in proves an Identity. Policy and membership as of now make it a Who: roles,
//     the teams somebody is in, the teams they lead. Nobody, the zero Who, may see nothing.
//  2. A question about data is described as an Ask: does it speak of what people carry, does
//     it name people, which people, which teams. Who.Decide answers with a Pass or a *Denied.
//  3. A Pass says in which form the answer may be given: exactly, or only as published, which
//     is whole months of groups of at least GroupSize people (package analytics).
//  4. Where the answer shows what another person carries, the Pass says that the look is to
//     be recorded, and the reader records it before it answers: no record, no answer.
//  5. A Pass is checked once more where statements leave for the warehouse: a statement
//     that names a person's column needs one that was decided for people.
package access

import (
	"slices"
	"strings"
)

// GroupSize is the smallest number of people whose sum is shown to somebody who may not see
// each of them.
const GroupSize = 3

// Who is somebody who asks, with what they may. The zero value is nobody. It is read-only
// once made and can be shared.
type Who struct {
	Identity
	roles    []Role
	member   []string // teams
	joined   []string // of these, not by leading alone
	leads    []string // whose people's load they see
	heads    []string // whose people they give work: those they do lead
	operator bool
}

// Membership is what the organisation's events say of a person as of now.
type Membership struct {
	Person string   // the id behind the one they signed in with, which may be an alias
	Teams  []string // joined and not left
	Leads  []string // of these, joined with the role lead or manager
}

// Policy is what an organisation configures.
type Policy struct {
	Rules        []Rule
	Default      Role // of everybody who signs in; empty: who has no rule is refused
	TeamSeesLoad bool // members see, as leads do, what each person of their team carries
}

// Operator is who holds the data directory: they could read its files. It is also who a
// laptop without sign-in shows everything to. Its looks are not recorded, since it is
// nobody in particular.
func Operator() Who {
	return Who{Identity: Identity{Name: "everything", Method: "development"}, roles: Roles(), operator: true}
}

// Token is a script with a token of these scopes. Reading shows what a viewer sees: a token
// is passed around, so it is never somebody's eyes for single people.
func Token(name string, read, admin bool) Who {
	w := Who{Identity: Identity{Name: name, Method: "token"}}
	if read {
		w.roles = append(w.roles, Viewer)
	}
	if admin { // configures, and has no business with figures
		w.roles = append(w.roles, Admin)
	}
	return w
}

// As is somebody with the given roles and teams, for tests and for looking at pages the way
// others see them.
func As(id Identity, m Membership, roles ...Role) Who {
	if m.Person != "" {
		id.Person = m.Person
	}
	w := Who{Identity: id, roles: slices.Clone(roles)}
	if w.Has(Member) || w.Has(Lead) {
		w.member, w.joined = slices.Clone(m.Teams), slices.Clone(m.Teams)
	}
	if w.Has(Lead) {
		w.leads, w.heads = slices.Clone(m.Leads), slices.Clone(m.Leads)
		for _, t := range m.Leads {
			w.member = with(w.member, t)
		}
	}
	return w
}

// Resolve makes a Who of an identity. Whoever is in a team is a member, whoever joined one
// as lead or manager leads it; rules add. It is false if the policy lets them not in.
func (p Policy) Resolve(id Identity, m Membership) (Who, bool) {
	var roles []Role
	add := func(r Role) {
		if r != "" && !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	add(p.Default)
	teams, leads := slices.Clone(m.Teams), slices.Clone(m.Leads)
	joined := slices.Clone(m.Teams)
	if p.Default != "" { // strangers to the policy get nothing from events either
		if len(teams) > 0 {
			add(Member)
		}
		if len(leads) > 0 {
			add(Lead)
		}
	}
	for _, r := range p.Rules {
		if !r.applies(id) {
			continue
		}
		add(r.Role)
		for _, t := range r.Teams {
			teams = with(teams, t)
			if r.Role == Lead {
				leads = with(leads, t)
			} else {
				joined = with(joined, t)
			}
		}
	}
	if len(roles) == 0 {
		return Who{}, false
	}
	add(Viewer)
	if len(teams) > 0 {
		add(Member)
	}
	if id.Person != "" && !slices.Contains(roles, Member) && m.Person != "" {
		add(Member) // without a team there is still what belongs to oneself
	}
	w := As(id, Membership{Person: m.Person, Teams: teams, Leads: leads}, roles...)
	if len(w.member) > 0 {
		w.joined = joined
	}
	if p.TeamSeesLoad {
		w.leads = slices.Clone(w.member)
	}
	return w, true
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// Known says whether anybody asks at all.
func (w Who) Known() bool { return len(w.roles) > 0 }

// Has says whether they have a role.
func (w Who) Has(r Role) bool { return slices.Contains(w.roles, r) }

// IsOperator says whether it is the holder of the data directory, or a laptop.
func (w Who) IsOperator() bool { return w.operator }

// Roles are the roles they have, the least first.
func (w Who) Roles() []Role {
	var out []Role
	for _, r := range Roles() {
		if w.Has(r) {
			out = append(out, r)
		}
	}
	return out
}

// Teams are the teams they belong to or lead.
func (w Who) Teams() []string { return slices.Clone(w.member) }

// Leads are the teams of which they see each person's load.
func (w Who) Leads() []string { return slices.Clone(w.leads) }

// InTeam says whether they belong to a team.
func (w Who) InTeam(team string) bool { return team != "" && slices.Contains(w.member, team) }

// LeadsTeam says whether they see what each person of a team carries.
func (w Who) LeadsTeam(team string) bool { return team != "" && slices.Contains(w.leads, team) }

// Is says whether a person is they themselves.
func (w Who) Is(person string) bool { return person != "" && person == w.Person }

// By is how the ledger and the audit name them: the person, else what signed in.
func (w Who) By() string {
	switch {
	case w.Person != "":
		return w.Person
	case w.operator:
		return "(operator)" // no id of a person looks like that
	case w.Method == "token":
		return "token:" + w.Name
	}
	return w.Method + ":" + w.Name
}

// Label is who they are in a few words: "Ana Ruiz · lead of payments".
func (w Who) Label() string {
	var roles []string
	for _, r := range w.Roles() {
		roles = append(roles, string(r))
	}
	name := w.Name
	if name == "" {
		name = w.Person
	}
	if w.operator {
		return "everything"
	}
	return strings.TrimPrefix(name+" · "+strings.Join(roles, ", "), " · ")
}
