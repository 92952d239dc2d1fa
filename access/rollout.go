package access

import "slices"

// Draws is nil for who may let chance decide when these teams are trained: people admins, and
// whoever leads all of them. What is drawn and what came of it are figures of teams, which
// everybody reads in the form that the figures themselves are shown in.
func (w Who) Draws(teams ...string) error {
	switch {
	case !w.Known():
		return signIn
	case w.operator, w.Has(PeopleAdmin), len(teams) > 0 && !slices.ContainsFunc(teams, func(t string) bool { return !w.HeadsTeam(t) }):
		return nil
	}
	return &Denied{Reason: "a roll-out is drawn by people admins, or by the lead of all its teams"}
}

// DrawsSome says whether there can be a roll-out that they may draw: it takes two teams.
func (w Who) DrawsSome() bool { return w.operator || w.Has(PeopleAdmin) || len(w.heads) > 1 }
