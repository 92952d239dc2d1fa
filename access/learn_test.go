package access

import (
	"errors"
	"testing"
)

func TestWhoReadsWhatSomebodyIsToLearn(t *testing.T) {
	m := Membership{Person: "m", Teams: []string{"a"}}
	open, ok := Policy{Default: Viewer, TeamSeesLoad: true}.Resolve(Identity{Person: "m"}, m)
	if !ok || !open.LeadsTeam("a") {
		t.Fatalf("%+v", open)
	}
	for _, c := range []struct {
		name                          string
		who                           Who
		reads, scores, records, gives bool
		learns                        bool
	}{
		{"nobody", Who{}, false, false, false, false, false},
		{"a viewer", As(Identity{}, Membership{}, Viewer), false, false, false, false, false},
		{"they themselves", As(Identity{}, Membership{Person: "p", Teams: []string{"a"}}, Viewer, Member), true, true, false, false, true},
		{"a team-mate", As(Identity{}, m, Viewer, Member), false, false, false, false, true},
		{"a team-mate who sees load", open, false, false, false, false, true},
		{"their lead", As(Identity{}, Membership{Person: "l", Leads: []string{"a"}}, Viewer, Lead), true, false, false, true, true},
		{"another lead", As(Identity{}, Membership{Person: "l", Leads: []string{"b"}}, Viewer, Lead), false, false, false, false, true},
		{"a people admin", As(Identity{Person: "x"}, Membership{}, Viewer, PeopleAdmin), true, true, true, false, true},
		{"an admin", As(Identity{Person: "x"}, Membership{}, Viewer, Admin), false, false, false, false, true},
		{"a token", Token("t", true, true), false, false, false, false, false},
		{"the operator", Operator(), true, true, false, true, false},
	} {
		reads, scores, p := c.who.Learning("p", []string{"a", "c"})
		if reads != c.reads || scores != c.scores || len(p.Looks("x", "p")) > 0 != c.records || p.Opens() != c.reads {
			t.Errorf("%s: reads %v, scores %v, %d looks", c.name, reads, scores, len(p.Looks("x", "p")))
		}
		if err := c.who.LearningOf("p", "a"); (err == nil) != c.reads {
			t.Errorf("%s asks by name: %v", c.name, err)
		}
		var denied *Denied
		if err := c.who.Gives("a", "c"); (err == nil) != c.gives || err != nil && !errors.As(err, &denied) {
			t.Errorf("%s gives work: %v", c.name, err)
		}
		if err := c.who.Learns(); (err == nil) != c.learns {
			t.Errorf("%s learns: %v", c.name, err)
		}
	}
}
