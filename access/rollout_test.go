package access

import "testing"

// Who may let chance decide over which teams; that members see one another's load gives nobody
// a say.
func TestDraws(t *testing.T) {
	as := func(leads []string, roles ...Role) Who {
		return As(Identity{Person: "p"}, Membership{Person: "p", Teams: []string{"a", "b", "c"}, Leads: leads}, append(roles, Viewer)...)
	}
	open, _ := Policy{Default: Viewer, TeamSeesLoad: true}.Resolve(Identity{Person: "p"}, Membership{Person: "p", Teams: []string{"a", "b"}})
	for _, c := range []struct {
		name  string
		who   Who
		teams []string
		draws bool
		some  bool
	}{
		{"nobody", Who{}, []string{"a"}, false, false},
		{"operator", Operator(), []string{"a", "b"}, true, true},
		{"people admin", as(nil, PeopleAdmin), []string{"a", "b"}, true, true},
		{"admin", as(nil, Admin), []string{"a", "b"}, false, false},
		{"member", as(nil, Member), []string{"a", "b"}, false, false},
		{"lead of both", as([]string{"a", "b"}, Member, Lead), []string{"a", "b"}, true, true},
		{"lead of both, of three", as([]string{"a", "b"}, Member, Lead), []string{"a", "b", "c"}, false, true},
		{"lead of none of them", as([]string{"a", "b"}, Member, Lead), nil, false, true},
		{"lead of one", as([]string{"a"}, Member, Lead), []string{"a"}, true, false},
		{"who sees the team's load", open, []string{"a", "b"}, false, false},
		{"token", Token("t", true, true), []string{"a", "b"}, false, false},
	} {
		if got := c.who.Draws(c.teams...) == nil; got != c.draws || c.who.DrawsSome() != c.some {
			t.Errorf("%s: draws %v, some %v", c.name, got, c.who.DrawsSome())
		}
	}
}
