package oracle

import (
	"maps"
	"slices"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// lesson is an assignment of training: what is to be learned, by whom, since when and until when.
type lesson struct {
	first, latest fact
	target        string // the module, or without one the track
}

// lessons are all assignments by id.
func (q *question) lessons() map[string]lesson {
	out := map[string]lesson{}
	for _, f := range q.facts {
		if f.Kind != event.TrainingAssigned {
			continue
		}
		l, known := out[f.raw.Assignment]
		if !known {
			l.first = f
		}
		l.latest, l.target = f, or(f.raw.Module, f.raw.Track)
		out[f.raw.Assignment] = l
	}
	return out
}

// pastDue: a date is due until its local end, an instant until then.
func (q *question) pastDue(due string) bool {
	if d, err := time.Parse(time.DateOnly, due); err == nil {
		return d.Format(time.DateOnly) < q.AsOf.In(q.zone).Format(time.DateOnly)
	}
	t, err := time.Parse(time.RFC3339, due)
	return err == nil && t.Before(q.AsOf)
}

// progress counts what became of assignments.
type progress struct{ assigned, started, passed, completed, overdue, waived int64 }

func (q *question) trainingProgress() Result {
	rows := map[rowKey]*progress{}
	lessons := q.lessons()
	for _, id := range slices.Sorted(maps.Keys(lessons)) {
		l := lessons[id]
		kinds := map[string]map[event.Kind]bool{} // what each person did
		waived := map[string]bool{}
		for _, f := range q.facts {
			if f.raw.Assignment != id || f.Kind == event.TrainingAssigned {
				continue
			}
			person := q.who(f.f.Person)
			if f.Kind == event.TrainingWaived {
				waived[person] = true
			} else if only := l.latest.raw.Module; only == "" || only == f.raw.Module {
				if kinds[person] == nil {
					kinds[person] = map[event.Kind]bool{}
				}
				// Which modules make a track no event says: its end has to name the track.
				kinds[person][f.Kind] = kinds[person][f.Kind] || f.raw.Module == l.target
			}
		}
		people := map[string]bool{}
		if person := q.who(l.latest.f.Person); person != "" {
			people[person] = true
		} else {
			for person := range q.members {
				if teams, _ := q.teams(person, l.first.At); slices.Contains(teams, l.latest.f.Team) {
					people[person] = true
				}
			}
			for person := range kinds {
				people[person] = true
			}
		}
		for person := range people {
			team := l.latest.f.Team
			if team == "" {
				team, _ = q.teamOf(person, l.first.At, "")
			}
			if !q.selects(subject{at: l.first.At, person: person, team: team}) {
				continue
			}
			key := map[string]string{"module": l.latest.raw.Module, "team": team, "track": l.latest.raw.Track, "person": person}[q.By]
			p, did := at(rows, rowKey{q.bucketOf(l.first.At), key}), kinds[person]
			p.assigned++
			p.started += one(len(did) > 0)
			p.passed += one(did[event.TrainingPassed])
			p.completed += one(did[event.TrainingCompleted])
			isWaived := waived[""] || waived[person]
			p.waived += one(isWaived)
			p.overdue += one(q.pastDue(l.latest.raw.Due) && !did[event.TrainingCompleted] && !isWaived)
		}
	}
	return table([]string{"assigned", "started", "passed", "completed", "overdue", "waived"}, rows, func(p *progress) []any {
		return []any{p.assigned, p.started, p.passed, p.completed, p.overdue, p.waived}
	})
}
