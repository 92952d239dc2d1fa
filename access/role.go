package access

import (
	"fmt"
	"slices"
	"strings"
)

// Role is what somebody may do. Roles add up: who has several may what any of them may.
type Role string

// The roles, from the least to the most that they show of people. Admin is last because it
// shows nothing of people: it is about the installation.
const (
	Viewer      Role = "viewer"       // figures of the organisation and of teams, over at least GroupSize people
	Member      Role = "member"       // besides, what belongs to oneself, and the work lists of one's teams
	Lead        Role = "lead"         // besides, what each person of the teams one leads carries
	PeopleAdmin Role = "people-admin" // figures of every person; each look is recorded for that person
	Admin       Role = "admin"        // configuration, sources, tokens, quarantine; no figures of people
)

// Roles lists all of them in that order.
func Roles() []Role { return []Role{Viewer, Member, Lead, PeopleAdmin, Admin} }

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	var names []string
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return "", fmt.Errorf("unknown role %q; the roles are %s", s, strings.Join(names, ", "))
}

// Identity is who somebody proved to be when signing in. It says nothing of what they may.
type Identity struct {
	Person string   // e-mail, lower case, or another id that events use; empty for a token without a person
	Name   string   // for greeting only
	Groups []string // as the provider or the proxy named them
	Method string   // oidc, proxy, token, development
}

// Rule gives a role to a group of the identity provider, or to one person. Teams are those
// that a lead leads or a member belongs to besides what member.joined events say.
type Rule struct {
	Group  string   `yaml:"group"`
	Person string   `yaml:"person"`
	Role   Role     `yaml:"role"`
	Teams  []string `yaml:"teams"`
}

// Validate names the field at fault.
func (r Rule) Validate() error {
	if (r.Group == "") == (r.Person == "") {
		return fmt.Errorf("a rule names either a group or a person")
	}
	if _, err := ParseRole(string(r.Role)); err != nil {
		return fmt.Errorf("role: %w", err)
	}
	if len(r.Teams) > 0 && r.Role != Lead && r.Role != Member {
		return fmt.Errorf("teams: only the roles member and lead are about teams, not %s", r.Role)
	}
	return nil
}

// applies says whether a rule is about who signed in.
func (r Rule) applies(id Identity) bool {
	if r.Person != "" {
		return id.Person != "" && strings.EqualFold(r.Person, id.Person)
	}
	return slices.Contains(id.Groups, r.Group)
}
