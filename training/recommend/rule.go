package recommend

// Rule is one rule, as it is shown beside what it suggests.
type Rule struct {
	ID      string
	Version int
	Title   string
	Text    string // exactly
	Metric  string // whose definition it stands on; empty: none
}

// The rules, in the order in which they are asked.
var (
	ComingShift = Rule{"coming-shift", 1, "a coming shift without anybody current",
		"Of the five skills with the largest weighted demand on the team in 365 days, which at least three incidents took, those that nobody on call, primary or secondary, has at level 3 and current for some time within the next 14 days. By when that time begins, then by demand; at most three. Not for a team of fewer than three people.", "skill_coverage"}
	LargestGap = Rule{"largest-gap", 1, "the team’s largest gaps",
		"The three skills with the largest gap above 0 over 365 days; of equal ones that with more demand. A skill that no incident took has no gap. For a team of fewer than three people the three skills with the largest weighted demand, since supply would say what each of them can do. A module is left out once as many people have it to do, or did it, as are lacking.", "skill_gaps"}
	FirstShift = Rule{"first-shift", 1, "before a first shift",
		"Who is in a team and was never on call, shadowing apart, walks the first stage of the curriculum’s path, what they know left out.", ""}
	NextShift = Rule{"next-shift", 1, "what your next shift needs",
		"Of the five skills with the largest weighted demand on the team of your next shift in 365 days, which at least three incidents took, those that you have below level 3 or are no longer current in. By demand; at most three.", "skill_levels"}
	EscalatedAway = Rule{"escalated-away", 1, "an incident of yours that left the team",
		"Skills of incidents of the last 90 days whose first page or first act was yours and that another team resolved. By the number of such incidents; at most three. Escalating was right; it shows what to learn.", "ownership_quadrant"}
	Fading = Rule{"fading", 1, "currency that fades",
		"Skills that incidents of your teams took in 365 days, that you have at level 2 or above and whose retention is below 0.7. By your teams’ demand, then the lowest retention; at most three. A drill restores currency; a module does not.", "skill_levels"}
)

// Rules are all of them, a team's first.
func Rules() []Rule {
	return []Rule{ComingShift, LargestGap, FirstShift, NextShift, EscalatedAway, Fading}
}
