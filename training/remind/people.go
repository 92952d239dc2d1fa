package remind

import (
	"time"

	"github.com/stewardhq/steward/analytics"
)

// Horizon is how far ahead shifts matter.
const Horizon = (farthest + 2) * 24 * time.Hour

// Window are the shifts that a plan needs: those to come, and the row of shifts that they may follow.
func Window(now time.Time) (from, to time.Time) {
	return now.Add(-long - 3*together), now.Add(Horizon)
}

// People are those with open work, in the order of the rows. zone is where somebody lives.
func People(rows []analytics.AssignmentRow, shifts []analytics.DutyRow, zone func(person string) *time.Location) []Person {
	var out []Person
	at := map[string]int{}
	for _, r := range rows {
		if !r.Open() {
			continue
		}
		i, found := at[r.Person]
		if !found {
			i = len(out)
			at[r.Person] = i
			out = append(out, Person{ID: r.Person, Zone: zone(r.Person)})
		}
		out[i].Work = append(out[i].Work, Work{r.ID, r.Module, r.Assigned, r.Due})
	}
	for _, s := range shifts {
		if i, found := at[s.Person]; found {
			out[i].Shifts = append(out[i].Shifts, Shift{s.Start, s.End})
		}
	}
	return out
}
