package evidence

import (
	"cmp"
	"slices"
	"time"

	"github.com/stewardhq/steward/training/drill"
)

// Played is a finished attempt at a drill that exercises skills.
type Played struct {
	Person, Drill, Attempt string
	Skills                 []string
	Score                  float64
	At                     time.Time
	Author                 bool // published the drill
}

// Drills are what finished attempts show: those that pass and were made unaided.
func Drills(attempts []Played) []Piece {
	attempts = slices.Clone(attempts)
	slices.SortStableFunc(attempts, func(a, b Played) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Attempt, b.Attempt))
	})
	var out []Piece
	last := map[[2]string]time.Time{}
	for _, a := range attempts {
		what := [2]string{a.Person, a.Drill}
		unaided := drill.Unaided(last[what], a.At, a.Author)
		last[what] = a.At
		if !unaided || !drill.Passed(a.Score) {
			continue
		}
		for _, skill := range a.Skills {
			out = append(out, Piece{a.Person, skill, Drill, a.Drill, a.Attempt, a.At, "drill"})
		}
	}
	return unique(out)
}

// Learned is that somebody passed a module's quiz or completed it.
type Learned struct {
	Person, Module, Assignment string
	Skills                     []string // that the module teaches
	Done                       bool     // completed, else its quiz was passed
	At                         time.Time
}

// Lessons are what modules show, the first time under each assignment. That they lead to
// level 1 and no further is the level's rule.
func Lessons(all []Learned) []Piece {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Learned) int { return a.At.Compare(b.At) })
	var out []Piece
	for _, l := range all {
		kind := Quiz
		if l.Done {
			kind = Module
		}
		for _, skill := range l.Skills {
			out = append(out, Piece{l.Person, skill, kind, l.Module, l.Assignment, l.At, kind})
		}
	}
	return unique(out)
}

// unique keeps the first of pieces that are the same.
func unique(pieces []Piece) []Piece {
	seen := map[key]bool{}
	return slices.DeleteFunc(pieces, func(p Piece) bool {
		k := p.key()
		twice := seen[k]
		seen[k] = true
		return twice
	})
}
