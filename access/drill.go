package access

// Theory of operation of drills
//
//  1. An attempt at a drill is its player's: Plays. Nobody above them is told that it exists.
//  2. A player may let a team read what came of a finished attempt: Debriefs. It is for who
//     belongs to that team at the moment of reading. Leading it by a rule, administering
//     people or having belonged to it is not belonging; a lead who joined the team does.
//  3. A drill is booked as work is given: by the lead of a team for it and its people, and by
//     anybody for themselves: Books. Who reads a booking is Learning's to say.

// Belongs says whether they joined a team, or a rule makes them its member. Leading it alone
// does not.
func (w Who) Belongs(team string) bool {
	for _, t := range w.joined {
		if t == team && team != "" {
			return true
		}
	}
	return false
}

// Debriefs is the pass to what came of a finished attempt of a person who lets these teams
// read it: the player's, and that of who belongs to one of the teams.
func (w Who) Debriefs(person string, teams []string) (Pass, error) {
	if p, err := w.Plays(person); err == nil || w.looks() != nil {
		return p, err
	}
	for _, t := range teams {
		if w.Person != "" && w.Belongs(t) {
			return Pass{form: Exact, people: true, self: w.Person}, nil
		}
	}
	return Pass{}, &Denied{Reason: "an attempt at a drill is shown to who made it, and to the teams they let read it"}
}

// Shares is nil for who may let a team read an attempt of a person: the player, with a team
// they belong to.
func (w Who) Shares(person, team string) error {
	switch {
	case !w.Known():
		return signIn
	case w.operator || !w.Is(person):
		return &Denied{Reason: "an attempt at a drill is its player’s to share"}
	case !w.Belongs(team):
		return &Denied{Reason: "an attempt is shared with a team one belongs to"}
	}
	return nil
}

// Books is nil for who may book a drill for a person of these teams, or without a person for
// one of the teams: the person themselves, and the lead of one of the teams.
func (w Who) Books(person string, teams ...string) error {
	switch {
	case !w.Known():
		return signIn
	case w.Is(person):
		return nil
	case w.Gives(teams...) == nil:
		return nil
	}
	return &Denied{Reason: "a drill is booked by whom it is for, or by the lead of their team"}
}
