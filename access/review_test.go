package access

import "testing"

func TestWhoReviewsAndPlans(t *testing.T) {
	m := Membership{Person: "m", Teams: []string{"a"}}
	open, ok := Policy{Default: Viewer, TeamSeesLoad: true}.Resolve(Identity{Person: "m"}, m)
	if !ok {
		t.Fatal("refused")
	}
	for _, c := range []struct {
		name                                     string
		who                                      Who
		reviews, owns, pages, sense, rota, plans bool
	}{
		{"nobody", Who{}, false, false, false, false, false, false},
		{"a viewer", As(Identity{Person: "v"}, Membership{}, Viewer), false, false, false, false, false, false},
		{"they themselves", As(Identity{}, Membership{Person: "p", Teams: []string{"a"}}, Viewer, Member), true, true, true, true, true, true},
		{"a team-mate", As(Identity{}, m, Viewer, Member), true, false, true, false, true, false},
		{"a team-mate who sees load", open, true, false, true, false, true, false},
		{"their lead", As(Identity{}, Membership{Person: "l", Leads: []string{"a"}}, Viewer, Lead), true, false, true, false, true, true},
		{"somebody of the owning team", As(Identity{}, Membership{Person: "o", Teams: []string{"owner"}}, Viewer, Member), false, true, false, false, false, false},
		{"another lead", As(Identity{}, Membership{Person: "l", Leads: []string{"b"}}, Viewer, Lead), false, false, false, false, false, false},
		{"a people admin", As(Identity{Person: "x"}, Membership{}, Viewer, PeopleAdmin), false, false, true, true, false, false},
		{"an admin", As(Identity{Person: "x"}, Membership{}, Viewer, Admin), false, false, false, false, false, false},
		{"a token", Token("t", true, true), false, false, false, false, false, false},
		{"the operator", Operator(), false, false, true, true, true, true},
	} {
		if got := c.who.Reviews("p", []string{"a"}, nil) == nil; got != c.reviews {
			t.Errorf("%s reviews: %v", c.name, got)
		}
		if got := c.who.Reviews("p", nil, []string{"", "owner"}) == nil; got != c.owns {
			t.Errorf("%s reviews a page on a service: %v", c.name, got)
		}
		if got := c.who.PagesOf("a") == nil; got != c.pages {
			t.Errorf("%s reads the pages of a team: %v", c.name, got)
		}
		if got := c.who.MadeSense("p"); got != c.sense {
			t.Errorf("%s reads whether it made sense: %v", c.name, got)
		}
		if got := c.who.Rota("p", []string{"a"}); got != c.rota {
			t.Errorf("%s reads the rota: %v", c.name, got)
		}
		if got := c.who.Plans("p", []string{"a"}) == nil; got != c.plans {
			t.Errorf("%s plans: %v", c.name, got)
		}
	}
}
