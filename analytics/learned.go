package analytics

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// LearningFact is one event about learning, with scores. Fields that its kind does not have
// are empty.
type LearningFact struct {
	Kind, ID           string
	At, Seen           time.Time
	Person             string
	Assignment, Module string
	Track              string
	Attempt            int
	Score              float64
	Reason, Ref        string
	Evidence           string // the id of what was voided
}

// LearningFacts are the facts behind statements about these people's learning, or one's own
// if nobody is named, oldest first. All is everybody's. With scores in them they are a
// person's own and people admins', whose looks are recorded. Facts of nobody, such as a
// team's assignment or a voiding, are among them; forgotten people's are not.
func (v *View) LearningFacts(ctx context.Context, all bool, persons []string) ([]LearningFact, error) {
	alias, _, err := v.s.belonging(ctx)
	if err != nil {
		return nil, err
	}
	var of []string
	for _, p := range persons {
		of = append(of, v.s.canonical(alias, p))
	}
	if !all && len(of) == 0 {
		if err := v.who.Learns(); err != nil {
			return nil, err
		}
		of = []string{v.who.Person}
	}
	pass, err := v.who.Decide(access.Ask{Skills: true, Named: true, Persons: of})
	if err != nil {
		return nil, err
	}
	var out []LearningFact
	var seen []string
	err = v.s.look(ctx, pass, "learning facts", v.s.present(), nil, `
SELECT toString(kind), id, at, seen, person, data
FROM (SELECT kind, source, id, at, seen, person, data FROM events
    WHERE kind IN ('training.assigned', 'training.started', 'training.passed', 'training.failed', 'training.completed', 'training.abandoned', 'training.waived', 'skill.evidenced', 'evidence.voided')
      AND at <= {as_of:DateTime64(3, 'UTC')}
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`, nil,
		func(r *warehouse.Rows) error {
			var f LearningFact
			var data string
			if err := r.Scan(&f.Kind, &f.ID, &f.At, &f.Seen, &f.Person, &data); err != nil {
				return err
			}
			var d struct {
				Assignment, Module, Track, Reason, Ref, Evidence string
				Attempt                                          int
				Score                                            float64
			}
			if json.Unmarshal([]byte(v.s.revealJSON(data)), &d) != nil {
				return nil // a stranger's, whose members are of other types
			}
			if f.Person != "" {
				f.Person = v.s.reveal(alias.person(f.Person))
				if isFormer(f.Person) || len(of) > 0 && !slices.Contains(of, f.Person) {
					return nil
				}
				if f.Kind != "training.assigned" {
					seen = append(seen, f.Person)
				}
			}
			f.Assignment, f.Module, f.Track, f.Attempt, f.Score = d.Assignment, d.Module, d.Track, d.Attempt, d.Score
			f.Reason, f.Ref, f.Evidence = d.Reason, d.Ref, d.Evidence
			out = append(out, f)
			return nil
		})
	if err != nil {
		return nil, err
	}
	slices.Sort(seen)
	return out, v.record(ctx, pass, slices.Compact(seen))
}

// Opaque is a name of a person for the world outside, which tells nobody who they are: a
// digest of the token under which they are stored, and so made with the vault's key.
func (s *Store) Opaque(person string) string {
	sum := sha256.Sum256([]byte("learner:" + s.stored([]string{person})[0]))
	return hex.EncodeToString(sum[:16])
}
