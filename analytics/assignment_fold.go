package analytics

import (
	"cmp"
	"slices"
	"time"
)

// Rows are made of events here, as assignment.go says under 1 to 4; nothing here reads or decides.

// assignments folds events, in order of their time, into rows. first is when each person's
// first shift on each rota begins.
func (s *Store) assignments(events []learning, d *Directory, tracks map[string][]string, first map[seat]time.Time) []AssignmentRow {
	type place struct{ id, module, person string }
	given, order, ended := asGiven(events)
	rows := map[place]*AssignmentRow{}
	var places []place
	row := func(id, module, person string) *AssignmentRow {
		a, found := given[id]
		if !found || module == "" || person == "" {
			return nil
		}
		at := place{id, module, person}
		if rows[at] == nil {
			r := &AssignmentRow{ID: id, Module: module, Track: a.Track, Person: person, Team: cmp.Or(a.team, a.Within), Rota: a.Rota, By: a.By, Reason: a.Reason, Cites: a.Cites, Assigned: a.at, Due: s.lastMoment(a.Due)}
			if a.Rota != "" {
				if begins := first[seat{a.Rota, person}]; begins.After(a.at) {
					r.FirstShift, r.Due = begins, s.dayBefore(begins, a.at)
				}
			}
			rows[at] = r
			places = append(places, at)
		}
		return rows[at]
	}
	modules := func(a learning) []string {
		if a.Module != "" {
			return []string{a.Module}
		}
		return tracks[a.Track]
	}
	for _, id := range order {
		a := given[id]
		if ended[id] {
			continue
		}
		people := []string{a.person}
		if a.person == "" {
			people = nil
			for _, t := range d.Teams {
				if t.ID == cmp.Or(a.team, a.Within) {
					people = t.Members
				}
			}
			if a.Rota != "" {
				people = slices.DeleteFunc(slices.Clone(people), func(p string) bool { return !first[seat{a.Rota, p}].After(a.at) })
			}
		}
		for _, m := range modules(a) {
			for _, p := range people {
				row(id, m, p)
			}
		}
	}
	shown := map[place][]learning{} // by module and person, in order of time
	for _, e := range events {
		a, found := given[e.Assignment]
		if !found || e.kind == "training.assigned" || e.kind == "training.waived" || a.person != "" && a.person != e.person || !slices.Contains(modules(a), e.Module) {
			continue
		}
		if r := row(e.Assignment, e.Module, e.person); r != nil {
			r.learn(e)
			if e.kind == "training.completed" {
				of := place{"", e.Module, e.person}
				shown[of] = append(shown[of], e)
			}
		}
	}
	// Waivers last: one of a whole team's is of everybody's who has a row.
	for _, e := range events {
		if e.kind != "training.waived" || e.person == "" && ended[e.Assignment] {
			continue
		}
		for _, at := range places {
			r := rows[at]
			if at.id == e.Assignment && (e.Module == "" || e.Module == at.module) && (e.person == "" || e.person == at.person) && r.Waived.IsZero() {
				r.Waived, r.WaivedBy, r.Excuse = e.at, e.By, e.Reason
			}
		}
	}
	// What was shown once is shown for every assignment of the module that there was then.
	for _, at := range places {
		r := rows[at]
		for _, e := range shown[place{"", at.module, at.person}] {
			if !e.at.Before(r.Assigned) {
				r.learn(e) // nothing, if it was completed before
			}
		}
	}
	out := make([]AssignmentRow, 0, len(places))
	for _, at := range places {
		r := rows[at]
		r.settle(s.now())
		out = append(out, *r)
	}
	return out
}

// asGiven are assignments as they were said last, each of the time when it was said first, in
// that order; and which of them are rules of a rota that were ended.
func asGiven(events []learning) (given map[string]learning, order []string, ended map[string]bool) {
	given, ended = map[string]learning{}, map[string]bool{}
	for _, e := range events {
		if e.kind != "training.assigned" || e.Assignment == "" {
			continue
		}
		if first, twice := given[e.Assignment]; twice {
			e.at = first.at
		} else {
			order = append(order, e.Assignment)
		}
		given[e.Assignment] = e
	}
	for _, e := range events {
		if e.kind == "training.waived" && e.person == "" && given[e.Assignment].Rota != "" {
			ended[e.Assignment] = true
		}
	}
	return given, order, ended
}

// learn puts one event into its row.
func (r *AssignmentRow) learn(e learning) {
	first := func(t *time.Time) {
		if t.IsZero() {
			*t = e.at
		}
	}
	switch e.kind {
	case "training.started":
		first(&r.Started)
		if e.at.After(r.Abandoned) {
			r.Abandoned = time.Time{}
		}
	case "training.abandoned":
		r.Abandoned = e.at
	case "training.completed":
		if r.Completed.IsZero() {
			r.Completed, r.Evidence, r.EvidenceBy = e.at, e.Ref, e.By
		}
	case "training.passed", "training.failed":
		passed := e.kind == "training.passed"
		if passed {
			first(&r.Passed)
		}
		if i := slices.IndexFunc(r.Tried, func(t Try) bool { return t.Number == e.Attempt }); i < 0 {
			r.Tried = append(r.Tried, Try{e.Attempt, e.at, passed, e.Score})
		} else if passed && !r.Tried[i].Passed {
			r.Tried[i] = Try{e.Attempt, e.at, true, e.Score}
		}
		r.Score = max(r.Score, e.Score)
	}
}

func (r *AssignmentRow) settle(now time.Time) {
	slices.SortFunc(r.Tried, func(a, b Try) int { return cmp.Compare(a.Number, b.Number) })
	switch {
	case !r.Completed.IsZero():
		r.State = StateCompleted
	case !r.Waived.IsZero():
		r.State = StateWaived
	case !r.Abandoned.IsZero():
		r.State = StateAbandoned
	case !r.Passed.IsZero():
		r.State = StatePassed
	case !r.Started.IsZero():
		r.State = StateStarted
	default:
		r.State = StateAssigned
	}
	r.Overdue = r.Completed.IsZero() && r.Waived.IsZero() && !r.Due.IsZero() && !now.Before(r.Due)
}

// lastMoment is the end of a day in the organisation's zone, or the moment itself; zero if
// it is neither.
func (s *Store) lastMoment(due string) time.Time {
	if d, err := time.ParseInLocation(time.DateOnly, due, s.zone); err == nil {
		return d.AddDate(0, 0, 1).UTC()
	}
	t, err := time.Parse(time.RFC3339, due)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
