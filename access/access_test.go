package access

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var (
	ana   = Membership{Person: "ana", Teams: []string{"a", "b"}, Leads: []string{"a"}}
	guest = Identity{Person: "guest", Method: "oidc", Groups: []string{"eng"}}
)

func TestPolicyGivesRoles(t *testing.T) {
	for _, c := range []struct {
		name   string
		policy Policy
		id     Identity
		m      Membership
		roles  string // "" is refused
		teams  string
		leads  string
	}{
		{"nothing is configured", Policy{}, guest, Membership{}, "", "", ""},
		{"nothing is configured, not even for who is in a team", Policy{}, Identity{Person: "ana"}, ana, "", "", ""},
		{"everybody views", Policy{Default: Viewer}, Identity{Method: "oidc"}, Membership{}, "viewer", "", ""},
		{"whoever is somebody has a page", Policy{Default: Viewer}, guest, Membership{Person: "guest"}, "viewer member", "", ""},
		{"teams come from events", Policy{Default: Viewer}, Identity{Person: "ana"}, ana, "viewer member lead", "a b", "a"},
		{"an alias signs in as who it is", Policy{Default: Viewer}, Identity{Person: "chat:A"}, ana, "viewer member lead", "a b", "a"},
		{"a group", Policy{Rules: []Rule{{Group: "eng", Role: Admin}}}, guest, Membership{}, "viewer admin", "", ""},
		{"another group", Policy{Rules: []Rule{{Group: "ops", Role: Admin}}}, guest, Membership{}, "", "", ""},
		{"a person, whatever case", Policy{Rules: []Rule{{Person: "GUEST", Role: PeopleAdmin}}}, guest, Membership{}, "viewer people-admin", "", ""},
		{"nobody is no person", Policy{Rules: []Rule{{Person: "guest", Role: PeopleAdmin}}}, Identity{}, Membership{}, "", "", ""},
		{"a lead by rule", Policy{Rules: []Rule{{Group: "eng", Role: Lead, Teams: []string{"x"}}}}, guest, Membership{}, "viewer member lead", "x", "x"},
		{"a member by rule", Policy{Rules: []Rule{{Group: "eng", Role: Member, Teams: []string{"x"}}}}, guest, Membership{}, "viewer member", "x", ""},
		{"rules add", Policy{Default: Viewer, Rules: []Rule{{Person: "ana", Role: Admin}, {Person: "ana", Role: Lead, Teams: []string{"c"}}}}, Identity{Person: "ana"}, ana, "viewer member lead admin", "a b c", "a c"},
		{"teams see their load", Policy{Default: Viewer, TeamSeesLoad: true}, Identity{Person: "ana"}, ana, "viewer member lead", "a b", "a b"},
		{"a rule alone gives no teams of events to a stranger", Policy{Rules: []Rule{{Group: "eng", Role: Viewer}}}, guest, Membership{}, "viewer", "", ""},
	} {
		w, ok := c.policy.Resolve(c.id, c.m)
		var roles []string
		for _, r := range w.Roles() {
			roles = append(roles, string(r))
		}
		teams, leads := w.Teams(), w.Leads()
		slices.Sort(teams)
		slices.Sort(leads)
		if ok != (c.roles != "") || strings.Join(roles, " ") != c.roles || strings.Join(teams, " ") != c.teams || strings.Join(leads, " ") != c.leads {
			t.Errorf("%s: %v, roles %v, teams %v, leads %v", c.name, ok, roles, teams, leads)
		}
		if ok && c.m.Person != "" && w.Person != c.m.Person {
			t.Errorf("%s: is %q", c.name, w.Person)
		}
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		r  Rule
		ok bool
	}{
		{Rule{Group: "g", Role: Admin}, true}, {Rule{Person: "p", Role: Lead, Teams: []string{"t"}}, true},
		{Rule{Role: Admin}, false}, {Rule{Group: "g", Person: "p", Role: Admin}, false}, {Rule{Group: "g", Role: "root"}, false}, {Rule{Group: "g"}, false}, {Rule{Group: "g", Role: Admin, Teams: []string{"t"}}, false},
	} {
		if err := c.r.Validate(); (err == nil) != c.ok {
			t.Errorf("%+v: %v", c.r, err)
		}
	}
}

// The decision, asker by asker. E exact, P as published, - refused; R adds a record.
func TestDecisions(t *testing.T) {
	as := func(person string, m Membership, roles ...Role) Who { return As(Identity{Person: person}, m, roles...) }
	askers := []struct {
		name string
		who  Who
		want string // per ask below
	}{
		{"nobody", Who{}, "- - - - - - - - -  - - - - - - -"},
		{"viewer", as("v", Membership{}, Viewer), "E P P P - - - - -  - - - - - - -"},
		{"member", as("m", Membership{Person: "m", Teams: []string{"a"}}, Viewer, Member), "E P P P - - E E -  - - - E - - E"},
		{"lead of a", as("l", Membership{Person: "l", Teams: []string{"a"}, Leads: []string{"a"}}, Viewer, Member, Lead), "E P ER P - ER - ER -  - - - - - ER -"},
		{"lead of both", as("l", Membership{Person: "l", Teams: []string{"a", "b"}, Leads: []string{"a", "b"}}, Viewer, Member, Lead), "E P ER ER - ER - ER -  - - - - - ER -"},
		{"people admin", as("p", Membership{}, Viewer, PeopleAdmin), "E ER ER ER ER ER ER ER ER  - ER ER ER ER ER ER"},
		{"admin", as("x", Membership{}, Viewer, Admin), "E P P P - - - - -  - - - - - - -"},
		{"a token that reads", Token("t", true, false), "E P P P - - - - -  - - - - - - -"},
		{"a token that administers", Token("t", false, true), "- - - - - - - - -  - - - - - - -"},
		{"a token that sends", Token("t", false, false), "- - - - - - - - -  - - - - - - -"},
		{"the operator", Operator(), "E E E E E E E E E  E E E E E E E"},
	}
	asks := []Ask{
		{},
		{Load: true},
		{Load: true, Teams: []string{"a"}},
		{Load: true, Teams: []string{"a", "b"}},
		{Load: true, Named: true},
		{Load: true, Named: true, Teams: []string{"a"}},
		{Load: true, Persons: []string{"m"}},
		{Load: true, Persons: []string{"m"}, Teams: []string{"a"}},
		{Load: true, Persons: []string{"m", "l"}},
		// what people can do: theirs, and people admins' who say whose
		{Skills: true},
		{Skills: true, Named: true},
		{Skills: true, Named: true, Teams: []string{"a"}},
		{Skills: true, Persons: []string{"m"}},
		{Skills: true, Persons: []string{"m", "l"}},
		// what they are to learn is a work list
		{Named: true, Teams: []string{"a"}},
		{Persons: []string{"m"}},
	}
	for _, a := range askers {
		for i, want := range strings.Fields(a.want) {
			p, err := a.who.Decide(asks[i])
			got := map[Form]string{nothing: "-", Published: "P", Exact: "E"}[p.Form()]
			if len(p.Looks("x", "somebody")) > 0 {
				got += "R"
			}
			if got != want {
				t.Errorf("%s asks %+v: %s, want %s", a.name, asks[i], got, want)
			}
			var denied *Denied
			if (got == "-") != errors.As(err, &denied) {
				t.Errorf("%s asks %+v: error %v", a.name, asks[i], err)
			}
			if (got != "-") != p.Opens() {
				t.Errorf("%s asks %+v: opens %v", a.name, asks[i], p.Opens())
			}
		}
	}
}

func TestLooks(t *testing.T) {
	lead := As(Identity{Person: "l"}, Membership{Person: "l", Leads: []string{"a"}}, Viewer, Lead)
	p, err := lead.Decide(Ask{Load: true, Named: true, Teams: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	got := p.Looks("load", "m", "l", "", "m", "n")
	if want := []Look{{"l", "m", "load"}, {"l", "n", "load"}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v: everybody else once", got, want)
	}
}

func TestStories(t *testing.T) {
	member := As(Identity{Person: "m"}, Membership{Person: "m", Teams: []string{"a"}}, Viewer, Member)
	for _, c := range []struct {
		name   string
		who    Who
		owners []string
		person string
		teams  []string
		named  bool
		looks  int
	}{
		{"own team's incident", member, []string{"a", ""}, "z", []string{"c"}, true, 0},
		{"somebody else's", member, []string{"b"}, "z", []string{"c"}, false, 0},
		{"a team-mate in somebody else's", member, []string{"b"}, "z", []string{"c", "a"}, true, 0},
		{"oneself", member, nil, "m", nil, true, 0},
		{"an unowned service", member, []string{""}, "z", []string{""}, false, 0},
		{"a viewer", As(Identity{}, Membership{}, Viewer), []string{""}, "", []string{""}, false, 0},
		{"a people admin", As(Identity{Person: "p"}, Membership{}, Viewer, PeopleAdmin), nil, "z", nil, true, 1},
		{"an admin", As(Identity{Person: "p"}, Membership{}, Viewer, Admin), []string{"a"}, "z", nil, false, 0},
	} {
		named, p := c.who.Story(c.owners, c.person, c.teams)
		if named != c.named || len(p.Looks("x", c.person)) != c.looks {
			t.Errorf("%s: named %v, %d looks", c.name, named, len(p.Looks("x", c.person)))
		}
	}
}

func TestAttemptsAreOnesOwn(t *testing.T) {
	m := Membership{Person: "m", Teams: []string{"a"}, Leads: []string{"a"}}
	for name, c := range map[string]struct {
		who Who
		ok  bool
	}{
		"nobody": {Who{}, false}, "oneself": {As(Identity{Person: "p"}, Membership{Person: "p"}, Viewer, Member), true}, "a lead": {As(Identity{}, m, Viewer, Member, Lead), false},
		"a people admin": {As(Identity{Person: "x"}, Membership{}, Viewer, PeopleAdmin), false}, "an admin": {As(Identity{Person: "x"}, Membership{}, Viewer, Admin), false},
		"a token": {Token("t", true, true), false}, "the operator": {Operator(), true},
	} {
		p, err := c.who.Plays("p")
		if (err == nil) != c.ok || p.Opens() != c.ok || p.Records() {
			t.Errorf("%s: opens %v, %v", name, p.Opens(), err)
		}
	}
	if _, err := As(Identity{}, Membership{}, Viewer).Plays(""); err == nil {
		t.Error("nobody in particular reads the attempt of nobody in particular")
	}
}

func TestAuthors(t *testing.T) {
	member := As(Identity{Person: "m"}, Membership{Person: "m", Teams: []string{"a"}}, Viewer, Member)
	for _, c := range []struct {
		name   string
		who    Who
		owners []string
		ok     bool
	}{
		{"nobody", Who{}, []string{"a"}, false}, {"the owner's", member, []string{"b", "a"}, true}, {"another's", member, []string{"b", ""}, false}, {"an unowned service's", member, []string{"", ""}, false},
		{"a people admin", As(Identity{Person: "x"}, Membership{}, Viewer, PeopleAdmin), []string{"a"}, false}, {"the operator", Operator(), nil, true}, {"a token", Token("t", true, true), []string{"a"}, false},
	} {
		if p, err := c.who.Authors(c.owners); (err == nil) != c.ok || p.Opens() != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAdministering(t *testing.T) {
	for name, c := range map[string]struct {
		who    Who
		ok     bool
		signIn bool
	}{
		"nobody": {Who{}, false, true}, "viewer": {As(Identity{}, Membership{}, Viewer), false, false}, "people admin": {As(Identity{}, Membership{}, Viewer, PeopleAdmin), false, false},
		"admin": {As(Identity{}, Membership{}, Admin), true, false}, "operator": {Operator(), true, false},
	} {
		err := c.who.Administer("it")
		var denied *Denied
		if (err == nil) != c.ok || errors.As(err, &denied) && denied.SignIn != c.signIn {
			t.Errorf("%s: %v", name, err)
		}
	}
}
