package access

import (
	"errors"
	"slices"
	"testing"
)

func TestWhoReadsASharedDebrief(t *testing.T) {
	resolve := func(p Policy, id Identity, m Membership) Who {
		t.Helper()
		w, ok := p.Resolve(id, m)
		if !ok {
			t.Fatalf("%+v is let in by nothing", id)
		}
		return w
	}
	open := Policy{Default: Viewer}
	rule := func(role Role, teams ...string) Policy {
		return Policy{Default: Viewer, Rules: []Rule{{Person: "r", Role: role, Teams: teams}}}
	}
	people := Policy{Default: Viewer, Rules: []Rule{{Group: "hr", Role: PeopleAdmin}}}
	for _, c := range []struct {
		name         string
		who          Who
		team, alone  bool // reads what is shared with team a; reads what is not shared
		shares, book bool // may share p's with a; may book for p, who is in a and c
	}{
		{"nobody", Who{}, false, false, false, false},
		{"a viewer", resolve(open, Identity{Name: "v"}, Membership{}), false, false, false, false},
		{"the player", resolve(open, Identity{Person: "p"}, Membership{Person: "p", Teams: []string{"a", "c"}}), true, true, true, true},
		{"the player, who left a", resolve(open, Identity{Person: "p"}, Membership{Person: "p", Teams: []string{"c"}}), true, true, false, true},
		{"a member", resolve(open, Identity{Person: "m"}, Membership{Person: "m", Teams: []string{"a"}}), true, false, false, false},
		{"who left", resolve(open, Identity{Person: "m"}, Membership{Person: "m"}), false, false, false, false},
		{"a member of another team of the player's", resolve(open, Identity{Person: "m"}, Membership{Person: "m", Teams: []string{"c"}}), false, false, false, false},
		{"a lead who joined", resolve(open, Identity{Person: "l"}, Membership{Person: "l", Teams: []string{"a"}, Leads: []string{"a"}}), true, false, false, true},
		{"a lead of another team", resolve(open, Identity{Person: "l"}, Membership{Person: "l", Teams: []string{"b"}, Leads: []string{"b"}}), false, false, false, false},
		{"a lead by a rule", resolve(rule(Lead, "a"), Identity{Person: "r"}, Membership{Person: "r"}), false, false, false, true},
		{"a member by a rule", resolve(rule(Member, "a"), Identity{Person: "r"}, Membership{Person: "r"}), true, false, false, false},
		{"a lead of b by a rule, member of a", resolve(rule(Lead, "b"), Identity{Person: "r"}, Membership{Person: "r", Teams: []string{"a"}}), true, false, false, false},
		{"a people admin", resolve(people, Identity{Person: "x", Groups: []string{"hr"}}, Membership{Person: "x"}), false, false, false, false},
		{"a people admin in the team", resolve(people, Identity{Person: "x", Groups: []string{"hr"}}, Membership{Person: "x", Teams: []string{"a"}}), true, false, false, false},
		{"an admin", As(Identity{Person: "x"}, Membership{Person: "x"}, Viewer, Admin), false, false, false, false},
		{"a token", Token("t", true, true), false, false, false, false},
		{"the operator", Operator(), true, true, false, true},
	} {
		for _, q := range []struct {
			teams []string
			want  bool
		}{{[]string{"a"}, c.team}, {[]string{"z", "a"}, c.team}, {nil, c.alone}, {[]string{""}, c.alone}, {[]string{"z"}, c.alone}} {
			p, err := c.who.Debriefs("p", q.teams)
			var denied *Denied
			if (err == nil) != q.want || p.Opens() != q.want || err != nil && !errors.As(err, &denied) {
				t.Errorf("%s reads what is shared with %q: %v", c.name, q.teams, err)
			}
			if len(p.Looks("x", "p")) > 0 {
				t.Errorf("%s is recorded, though the player asked for it", c.name)
			}
		}
		if err := c.who.Shares("p", "a"); (err == nil) != c.shares {
			t.Errorf("%s shares it: %v", c.name, err)
		}
		if err := c.who.Books("p", "a", "c"); (err == nil) != c.book {
			t.Errorf("%s books for them: %v", c.name, err)
		}
		if err := c.who.Books("", "a"); (err == nil) != (c.book && !c.who.Is("p")) {
			t.Errorf("%s books for the team: %v", c.name, err)
		}
	}
	if slices.ContainsFunc([]string{"", "b"}, As(Identity{Person: "l"}, Membership{Person: "l", Leads: []string{"b"}}, Lead).Belongs) {
		t.Error("leading alone is belonging")
	}
}
