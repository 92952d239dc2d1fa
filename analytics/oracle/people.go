package oracle

import (
	"maps"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// claims reads who is whose alias: every id listed in a description is the described
// person. Claims are taken from the latest to the earliest, and the first one taken for an
// alias stays; a claim on oneself says nothing, and one that would close a circle is
// passed over as if never made.
func claims(known []fact) map[string]string {
	parent := map[string]string{}
	for i := len(known) - 1; i >= 0; i-- {
		if known[i].Kind != event.PersonDescribed {
			continue
		}
		person := known[i].f.Person
		for _, alias := range known[i].raw.Aliases {
			alias = event.PersonID(alias)
			if _, taken := parent[alias]; taken || alias == "" || root(parent, person) == alias {
				continue
			}
			parent[alias] = person
		}
	}
	return parent
}

// root follows a chain of aliases to its end.
func root(parent map[string]string, id string) string {
	for parent[id] != "" {
		id = parent[id]
	}
	return id
}

// who is the person behind an id, whatever alias was written.
func (w *world) who(id string) string {
	return root(w.parent, event.PersonID(id))
}

// description is what is known of a person at a moment.
type description struct {
	zone     string                // IANA name; empty: the organisation's
	hours    map[string][][]string // nil: none described
	holidays []string              // dates
}

// describe folds a person's descriptions up to t: for each field the last one that is not
// empty holds, since several tools each know a part. Before the first description that
// one (with those of the same instant) is assumed to have held.
func (q *question) describe(person string, t time.Time) (d description, assumed bool) {
	all := q.described[person]
	facts := upTo(all, t)
	if len(facts) == 0 && len(all) > 0 && q.Assume == "first" {
		facts, assumed = upTo(all, all[0].At), true
	}
	for _, f := range facts {
		if f.raw.TimeZone != "" {
			d.zone = f.raw.TimeZone
		}
		if len(f.raw.WorkingHours) > 0 {
			d.hours = f.raw.WorkingHours
		}
		if len(f.raw.Holidays) > 0 {
			d.holidays = f.raw.Holidays
		}
	}
	return d, assumed
}

// teams are those a person joined and has not yet left at t, alphabetically. Before the
// first joining they are assumed to be in the team, or teams, of that instant.
func (q *question) teams(person string, t time.Time) (teams []string, assumed bool) {
	all := q.members[person]
	first := slices.IndexFunc(all, func(f fact) bool { return f.Kind == event.MemberJoined })
	in := map[string]bool{}
	if first >= 0 && t.Before(all[first].At) && q.Assume == "first" {
		for _, f := range all {
			if f.Kind == event.MemberJoined && f.At.Equal(all[first].At) {
				in[f.f.Team] = true
			}
		}
		return slices.Sorted(maps.Keys(in)), true
	}
	for _, f := range upTo(all, t) {
		if f.Kind == event.MemberJoined {
			in[f.f.Team] = true
		} else {
			delete(in, f.f.Team)
		}
	}
	return slices.Sorted(maps.Keys(in)), false
}

// teamOf is the one team that stands for a person at t: the owning team if they are in
// it, else the alphabetically first; empty without any.
func (q *question) teamOf(person string, t time.Time, owner string) (team string, assumed bool) {
	if person == "" {
		return "", false
	}
	teams, assumed := q.teams(person, t)
	switch {
	case owner != "" && slices.Contains(teams, owner):
		return owner, assumed
	case len(teams) > 0:
		return teams[0], assumed
	default:
		return "", false
	}
}
