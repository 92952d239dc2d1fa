package access

import "testing"

func TestSkills(t *testing.T) {
	as := func(person string, m Membership, roles ...Role) Who {
		return As(Identity{Person: person}, m, append(roles, Viewer)...)
	}
	member := as("m", Membership{Person: "m", Teams: []string{"a"}}, Member)
	for _, c := range []struct {
		name                string
		who                 Who
		reads, says, actsOK bool // without having acted; having acted
		attests             bool // having acted, of somebody who did
		voidsOwn, voids     bool // m's, somebody else's
		derives             bool
	}{
		{"nobody", Who{}, false, false, false, false, false, false, false},
		{"a viewer", as("", Membership{}), false, false, false, false, false, false, false},
		{"a member of the owner", member, true, true, true, true, true, false, false},
		{"somebody else", as("o", Membership{Person: "o", Teams: []string{"b"}}, Member), false, false, true, true, false, false, false},
		{"the lead of another team", as("l", Membership{Person: "l", Teams: []string{"b"}, Leads: []string{"b"}}, Member, Lead), false, false, true, true, false, false, false},
		{"a people admin", as("p", Membership{}, PeopleAdmin), true, false, true, true, true, true, false},
		{"an admin", as("x", Membership{}, Admin), false, false, true, true, false, false, false},
		{"a token", Token("t", true, true), false, false, false, false, false, false, false},
		{"the operator", Operator(), true, false, false, false, true, true, true},
	} {
		reads, err := c.who.Tells([]string{"", "a"}, false)
		if reads != c.reads || (err == nil) != c.says {
			t.Errorf("%s: reads %v, says %v", c.name, reads, err)
		}
		if _, err := c.who.Tells([]string{""}, true); (err == nil) != c.actsOK {
			t.Errorf("%s, having acted, says: %v", c.name, err)
		}
		if err := c.who.Attests("z", true, true); (err == nil) != c.attests {
			t.Errorf("%s attests: %v", c.name, err)
		}
		for _, bad := range []error{c.who.Attests("z", false, true), c.who.Attests("z", true, false), c.who.Attests(c.who.Person, true, true)} {
			if bad == nil {
				t.Errorf("%s attests what they did not see, or themselves", c.name)
			}
		}
		if err := c.who.Voids("m"); (err == nil) != c.voidsOwn {
			t.Errorf("%s voids m's: %v", c.name, err)
		}
		if err := c.who.Voids("z"); (err == nil) != c.voids {
			t.Errorf("%s voids somebody's: %v", c.name, err)
		}
		if p, err := c.who.Derives(); (err == nil) != c.derives || p.Opens() != c.derives {
			t.Errorf("%s derives: %v", c.name, err)
		}
	}
}
