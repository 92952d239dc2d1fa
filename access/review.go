package access

import "slices"

// Theory of operation of reviews and of walking along
//
//  1. The pages of a team, and the verdicts on them, are its work: read by its members and by
//     people admins, who are recorded. Whoever was paged, their team-mates, and members of the
//     teams that own or owned the service give verdicts.
//  2. Whether a page made sense is what somebody says of themselves, since in reverse
//     shadowing it adds up to what they can do. It is for who said it and people admins.
//  3. Who is on call, and who walks along, stands in the rota, which a team reads of its own.
//  4. Graduation is what somebody can do, so its alerts and what was said of them are for them
//     and people admins. Their lead decides who goes on the rota and so reads the state and how
//     many alerts were acknowledged, as far as Learning lets read: a list of work, not scores.

// Reviews is nil for who may give a verdict on a page to a person of these teams, on a
// service that the owners own or owned.
func (w Who) Reviews(person string, teams, owners []string) error {
	switch {
	case !w.Known():
		return signIn
	case w.Person == "" || w.operator:
		return &Denied{Reason: "a verdict is a person's; you are " + w.Label() + ", which is nobody in particular"}
	case w.Is(person), slices.ContainsFunc(teams, w.InTeam), slices.ContainsFunc(owners, w.InTeam):
		return nil
	}
	return &Denied{Reason: "verdicts are given by whoever was paged, their team-mates and the team that owns the service"}
}

// PagesOf is nil for who reads the pages of a team one by one.
func (w Who) PagesOf(team string) error {
	if err := w.looks(); err != nil {
		return err
	}
	if w.operator || w.Has(PeopleAdmin) || w.InTeam(team) {
		return nil
	}
	return &Denied{Reason: "the list of what paged a team is for its members, its lead and people admins"}
}

// MadeSense says whether they read what somebody said of themselves: that a page made sense
// to them, or did not.
func (w Who) MadeSense(by string) bool {
	return w.operator || w.Has(PeopleAdmin) || w.Is(by)
}

// Rota says whether they read when a person of these teams is on call or walks along.
func (w Who) Rota(person string, teams []string) bool {
	return w.operator || w.Is(person) || slices.ContainsFunc(teams, w.InTeam)
}

// Plans is nil for who may let a person of these teams walk along: they themselves and their
// lead.
func (w Who) Plans(person string, teams []string) error {
	switch {
	case !w.Known():
		return signIn
	case w.operator, w.Is(person), slices.ContainsFunc(teams, w.HeadsTeam):
		return nil
	}
	return &Denied{Reason: "who walks along with a shift is planned by themselves and by the lead of their team"}
}
