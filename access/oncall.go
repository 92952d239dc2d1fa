package access

// OnCall says whether they read by name that a person is on call for a team in the days to
// come, and by which pass. It is the team's work list: its members read it without a record,
// whoever is on call reads their own turns, and a people admin's look is recorded.
func (w Who) OnCall(team, person string) (named bool, p Pass) {
	switch {
	case w.operator:
		return true, Pass{form: Exact, people: true}
	case w.Is(person), w.InTeam(team):
		return true, Pass{form: Exact, people: true, self: w.Person}
	case w.Has(PeopleAdmin):
		return true, Pass{form: Exact, people: true, record: true, by: w.By(), self: w.Person}
	}
	return false, Pass{}
}
