package access

import "slices"

// Theory of operation of learning
//
//  1. What somebody is to learn is a work list: they read their own, and the lead of a team
//     reads those of its people by name, without a record. How they did in a quiz is no work
//     list: that is for themselves and for people admins, whose looks are recorded.
//  2. Work is given and waived by the lead of one's team, and by nobody above or beside them.
//     Anybody may take on a module of their own accord.
//  3. Leading means having joined as a lead, or a rule that says so. That members may see one
//     another's load, where an organisation wants that, gives nobody a say here.

// HeadsTeam says whether they give a team's people work.
func (w Who) HeadsTeam(team string) bool {
	return w.operator || team != "" && slices.Contains(w.heads, team)
}

// Heads are the teams whose people they give work.
func (w Who) Heads() []string { return slices.Clone(w.heads) }

// Learning says whether they read what a person of these teams is to learn, whether they
// read scores as well, and by which pass.
func (w Who) Learning(person string, teams []string) (reads, scores bool, p Pass) {
	switch {
	case w.operator:
		return true, true, Pass{form: Exact, people: true}
	case w.Is(person):
		return true, true, Pass{form: Exact, people: true, self: w.Person}
	case w.Has(PeopleAdmin):
		return true, true, Pass{form: Exact, people: true, record: true, by: w.By(), self: w.Person}
	case slices.ContainsFunc(teams, w.HeadsTeam):
		return true, false, Pass{form: Exact, people: true, self: w.Person}
	}
	return false, false, Pass{}
}

// LearningOf is nil for who may ask about a person of these teams by name, or about a team.
func (w Who) LearningOf(person string, teams ...string) error {
	if err := w.looks(); err != nil {
		return err
	}
	if reads, _, _ := w.Learning(person, teams); !reads {
		return &Denied{Reason: "what somebody is to learn is shown to that person, to the lead of their team and to people admins"}
	}
	return nil
}

// Told says whether they read what a person was reminded of, and where they want it: that is
// between Steward and that person.
func (w Who) Told(person string) bool { return w.operator || w.Is(person) }

// Gives is nil for who may give or waive work to learn: to one of these teams, or to a person
// who is in them.
func (w Who) Gives(teams ...string) error {
	switch {
	case !w.Known():
		return signIn
	case w.operator || slices.ContainsFunc(teams, w.HeadsTeam):
		return nil
	}
	return &Denied{Reason: "work to learn is given and waived by the lead of the team"}
}

// Advised is nil for who reads what a team should learn next: who is in it or leads it, and
// people admins. It is made of the team's sums and names nobody.
func (w Who) Advised(team string) error {
	if err := w.looks(); err != nil {
		return err
	}
	if w.TeamSums(team) || w.LeadsTeam(team) || w.HeadsTeam(team) {
		return nil
	}
	return &Denied{Reason: "what a team should learn next is shown to its members, its lead and people admins"}
}

// Learns is nil for a person, who learns for themselves.
func (w Who) Learns() error {
	switch {
	case !w.Known():
		return signIn
	case w.Person == "" || w.operator:
		return &Denied{Reason: "who learns is a person; you are " + w.Label() + ", which is nobody in particular"}
	}
	return nil
}
