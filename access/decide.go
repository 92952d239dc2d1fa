package access

import (
	"fmt"
	"slices"
)

// Ask describes a question as far as people go.
type Ask struct {
	Load    bool     // speaks of what people carry or did: pages, interruptions, on-call hours, a responder's team
	Skills  bool     // speaks of what single people can do
	Named   bool     // rows are single people
	Persons []string // only these people, canonical ids; empty: everybody
	Teams   []string // only people of these teams, by the people's own team; empty: everybody
}

// Form is how exactly an answer may be given.
type Form int

const (
	nothing   Form = iota
	Published      // whole months, by team or in all, over at least GroupSize people
	Exact          // as asked
)

// Pass is the leave to read. Only this package makes one that opens anything; the zero
// value opens nothing.
type Pass struct {
	form   Form
	people bool // statements may name people's columns
	record bool // what it shows of others is to be recorded first
	by     string
	self   string
}

// Form is how exactly the answer may be given.
func (p Pass) Form() Form { return p.form }

// Opens says whether statements may be run at all.
func (p Pass) Opens() bool { return p.form != nothing }

// People says whether statements may name people's columns.
func (p Pass) People() bool { return p.people }

// Look is one view of another person's data, as the ledger keeps it.
type Look struct{ By, Person, What string }

// Records says whether looks at others are recorded.
func (p Pass) Records() bool { return p.record }

// Looks are what has to be recorded before these people's data is shown; oneself is nobody else.
func (p Pass) Looks(what string, people ...string) []Look {
	if !p.record {
		return nil
	}
	var out []Look
	for _, person := range people {
		if person != "" && person != p.self && !slices.ContainsFunc(out, func(l Look) bool { return l.Person == person }) {
			out = append(out, Look{By: p.by, Person: person, What: what})
		}
	}
	return out
}

// Denied is the answer to somebody who may not see what they asked for: 403, or 401 if
// nobody is signed in. Its text names no person.
type Denied struct {
	Reason string
	SignIn bool // signing in might help
}

func (d *Denied) Error() string { return d.Reason }

var signIn = &Denied{Reason: "sign in first", SignIn: true}

// looks is nil for those who may look at figures at all. A token that only configures may not.
func (w Who) looks() error {
	switch {
	case !w.Known():
		return signIn
	case !w.Has(Viewer):
		return &Denied{Reason: "this needs the role viewer; of a token, the scope read"}
	}
	return nil
}

// Facts is the pass for what names no person: services, definitions, how much is stored.
func (w Who) Facts() (Pass, error) {
	if err := w.looks(); err != nil {
		return Pass{}, err
	}
	return Pass{form: Exact}, nil
}

// Working is the pass of statements whose rows never leave the reader as they are: aliases,
// membership, sums that are cut down to what may be published. It takes a pass that was
// decided, or is the reader's own business if there is nobody yet, as while signing in.
func Working() Pass { return Pass{form: Exact, people: true} }

// Decide is the rule of who may see what of whom.
//
//   - What says nothing of people is everybody's who is signed in.
//   - Oneself: exactly.
//   - People of teams one leads: exactly; looks are recorded.
//   - People admins: exactly; looks are recorded.
//   - Everybody else: sums over people as published, and nobody's name.
//   - What people can do is theirs, and people admins' if they say whose they look at. It is
//     no lead's: who is judged by it stops showing what they do not know.
func (w Who) Decide(a Ask) (Pass, error) {
	if err := w.looks(); err != nil {
		return Pass{}, err
	}
	switch {
	case w.operator, !a.Load && !a.Skills && !a.Named && len(a.Persons) == 0:
		return Pass{form: Exact, people: true}, nil
	case w.onlySelf(a.Persons):
		return Pass{form: Exact, people: true, self: w.Person}, nil
	case a.Skills && !w.Has(PeopleAdmin):
		return Pass{}, &Denied{Reason: "what a person can do is shown to that person and to people admins; of teams there are skill_gaps and skill_coverage"}
	case a.Skills && !a.Named && len(a.Persons) == 0:
		return Pass{}, &Denied{Reason: "levels are of people: ask by person, or name whose, so that the look can be recorded"}
	case w.Has(PeopleAdmin), w.leadsAll(a.Teams):
		return Pass{form: Exact, people: true, record: true, by: w.By(), self: w.Person}, nil
	case len(a.Persons) > 0:
		return Pass{}, &Denied{Reason: "what a person carries is shown to that person, to the lead of their team and to people admins; this question is about somebody else"}
	case a.Named:
		return Pass{}, &Denied{Reason: "rows by person are shown for the teams one leads, and to people admins; ask by team"}
	}
	return Pass{form: Published, people: true}, nil
}

func (w Who) onlySelf(persons []string) bool {
	return len(persons) > 0 && !slices.ContainsFunc(persons, func(p string) bool { return !w.Is(p) })
}

func (w Who) leadsAll(teams []string) bool {
	return len(teams) > 0 && !slices.ContainsFunc(teams, func(t string) bool { return !w.LeadsTeam(t) })
}

// Story is the pass for the names in an incident's story, which is a work list and not a
// sum of anybody's load: owners are the teams that own or owned the service, and teams are
// those of one person in it. The person themselves, their team-mates and the owning teams
// see the name; people admins do and it is recorded.
func (w Who) Story(owners []string, person string, teams []string) (named bool, p Pass) {
	switch {
	case w.operator:
		return true, Pass{form: Exact, people: true}
	case w.Is(person), slices.ContainsFunc(owners, w.InTeam), slices.ContainsFunc(teams, w.InTeam):
		return true, Pass{form: Exact, people: true, self: w.Person}
	case w.Has(PeopleAdmin):
		return true, Pass{form: Exact, people: true, record: true, by: w.By(), self: w.Person}
	}
	return false, Pass{form: Exact, people: true}
}

// Sees says whether a person's name stands in directories they read: their own, those of
// their teams' people, everybody's for people admins.
func (w Who) Sees(person string, teams []string) bool {
	return w.operator || w.Has(PeopleAdmin) || w.Is(person) || slices.ContainsFunc(teams, w.InTeam)
}

// TeamSums says whether figures about a team too small to be a group are theirs: they are
// in it, or people's figures are open to them.
func (w Who) TeamSums(team string) bool {
	return w.operator || w.Has(PeopleAdmin) || w.InTeam(team)
}

// Plays is the pass to somebody's attempts at drills: their own, and whoever holds the data
// directory. What was tried and missed in practice is nobody else's, lead or not.
func (w Who) Plays(person string) (Pass, error) {
	if err := w.looks(); err != nil {
		return Pass{}, err
	}
	if w.operator || w.Is(person) {
		return Pass{form: Exact, people: true, self: w.Person}, nil
	}
	return Pass{}, &Denied{Reason: "an attempt at a drill is shown to who made it and to nobody else"}
}

// Authors is the pass to make a drill of an incident: owners are the teams that own or owned
// its service. Whoever compiles reads all its texts, and decides what others may.
func (w Who) Authors(owners []string) (Pass, error) {
	if err := w.looks(); err != nil {
		return Pass{}, err
	}
	if w.operator || slices.ContainsFunc(owners, w.InTeam) {
		return Pass{form: Exact, people: true, self: w.Person}, nil
	}
	return Pass{}, &Denied{Reason: "a drill is made of an incident by a member of the team that owns or owned the service"}
}

// Administer is nil for what admins do: configuration, sources, tokens, quarantine.
func (w Who) Administer(what string) error {
	switch {
	case !w.Known():
		return signIn
	case w.operator || w.Has(Admin):
		return nil
	}
	return &Denied{Reason: fmt.Sprintf("%s is for the role %s", what, Admin)}
}

// SeesLoad says whether questions about what people of these teams carry, all teams if none
// is named, will be answered exactly. Pages choose by it what to ask.
func (w Who) SeesLoad(teams ...string) bool {
	p, err := w.Decide(Ask{Load: true, Teams: teams})
	return err == nil && p.Form() == Exact
}
