package access

// Theory of operation of skills
//
//  1. What somebody showed is theirs to read, with what it was derived from, and people
//     admins', whose look is recorded (Decide, with Ask.Skills). Leads read sums over teams.
//  2. What an incident took is said by those who acted in it and by the people of the teams
//     that own or owned its service. It is about work, and read by the same.
//  3. A peer attests what they saw: both acted in the incident, and nobody attests themselves.
//  4. Evidence is voided by whose it is, since it only lowers what they can do, and by people
//     admins. Nobody else can take something from somebody.

// Derives is the pass of rules that read everything and show it to nobody: the operator's.
func (w Who) Derives() (Pass, error) {
	if !w.operator {
		return Pass{}, &Denied{Reason: "what people showed is derived by Steward itself"}
	}
	return Pass{form: Exact, people: true}, nil
}

// Tells is nil for who says what an incident took, and reads what others said: owners are the
// teams that own or owned the service, acted whether the asker did something about it.
// People admins read it and say nothing.
func (w Who) Tells(owners []string, acted bool) (reads bool, err error) {
	if err := w.looks(); err != nil {
		return false, err
	}
	concerned := acted
	for _, t := range owners {
		concerned = concerned || w.InTeam(t)
	}
	switch {
	case w.Person != "" && !w.operator && concerned:
		return true, nil
	case w.operator || w.Has(PeopleAdmin) || concerned:
		return true, &Denied{Reason: "what an incident took is said by a person, who acted in it or is in the team that owns or owned the service"}
	}
	return false, &Denied{Reason: "what an incident took is said by those who acted in it and by the people of the team that owns or owned the service"}
}

// Attests is nil for a peer: both acted in the same incident.
func (w Who) Attests(person string, acted, other bool) error {
	if err := w.looks(); err != nil {
		return err
	}
	if w.operator || w.Person == "" || w.Is(person) || !acted || !other {
		return &Denied{Reason: "somebody attests what they saw: both acted in the incident, and nobody attests themselves"}
	}
	return nil
}

// Voids is nil for who may take a piece of a person's evidence out: they themselves and
// people admins.
func (w Who) Voids(person string) error {
	if err := w.looks(); err != nil {
		return err
	}
	if w.operator || w.Is(person) || w.Has(PeopleAdmin) {
		return nil
	}
	return &Denied{Reason: "evidence is taken out by whose it is, and by people admins"}
}
