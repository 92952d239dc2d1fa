package training

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Theory of operation of evidence
//
//  1. What completes a module stands in its front matter: a kind, a rule for people, and of
//     the rule what a program can tell. Nothing else completes it.
//  2. A drill is one's own finished attempt at a drill that exercises one of the module's
//     skills. An event is one that the log holds and that the person is in.
//  3. What no tool of the organisation tells of, a lab, a tabletop, a note that was read back,
//     is shown by the word of somebody else who saw it. Nobody's own word completes anything.

// EventChecks are what a program can tell of an event that is handed in:
//
//   - acknowledged: an incident that the person acknowledged
//   - deployed: a deployment of a service of one of their teams
//   - attested: an attestation of such a service, not older than AttestedFor
//   - reviewed: a page that they reviewed and found to have needed no action
//   - handover: a shift of theirs that has ended; who holds the next one says that they took it over
//   - shadowing: a shadow shift, a reverse-shadow shift, and in that enough alerts that made sense
func EventChecks() []string {
	return []string{"acknowledged", "deployed", "attested", "reviewed", "handover", "shadowing"}
}

// AttestedFor is how old the attestation of a catalogue entry may be.
const AttestedFor = 90 * 24 * time.Hour

// Bounds of a reverse shadow: how many acknowledged alerts there must be, and which share of
// them must have made sense.
const (
	ShadowedAlerts = 10
	ShadowedSense  = 0.8
)

// Played is a finished attempt at a drill.
type Played struct {
	Attempt, Drill string
	Skills         []string // that the drill exercises
	Score          float64  // of 100
	Finished       time.Time
}

// LeastScore is how many points of 100 a drill needs to show a module.
func (m *Module) LeastScore() float64 {
	if m.Evidence.Score > 0 {
		return float64(m.Evidence.Score)
	}
	return 100 * m.PassMark
}

// LeastDrills is how many different drills a module needs.
func (m *Module) LeastDrills() int { return max(m.Evidence.Drills, 1) }

// Fits says whether a drill exercises what the module teaches.
func (m *Module) Fits(skills []string) bool {
	return slices.ContainsFunc(m.Skills, func(t Teaches) bool { return slices.Contains(skills, t.ID) })
}

// DrillsFor are, of attempts in any order, those since a moment that show a module: one for
// each drill, the first that was good enough, by their end; no more than it takes. They are
// enough if there are LeastDrills of them.
func (m *Module) DrillsFor(played []Played, since time.Time) []Played {
	played = slices.Clone(played)
	slices.SortFunc(played, func(a, b Played) int {
		return cmp.Or(a.Finished.Compare(b.Finished), cmp.Compare(a.Attempt, b.Attempt))
	})
	var out []Played
	for _, p := range played {
		switch {
		case p.Finished.IsZero(), p.Finished.Before(since), p.Score < m.LeastScore()-1e-9, !m.Fits(p.Skills), len(out) == m.LeastDrills():
		case !slices.ContainsFunc(out, func(x Played) bool { return x.Drill == p.Drill }):
			out = append(out, p)
		}
	}
	return out
}

// Badge is what a completed module gives, until it is out of date.
type Badge struct {
	Since   time.Time // the first completion
	Renewed time.Time // the last completion, or quiz passed after the first
	Refresh time.Time // when the module's refresh period ends
	Until   time.Time // when the badge expires: Refresh, or later where its skills are kept current
}

// Expired says whether the badge is out of date.
func (b Badge) Expired(now time.Time) bool { return !now.Before(b.Until) }

// currentDays is how long evidence keeps a skill current: R = 2^(−days/200) is at least 0.7.
var currentDays = 200 * math.Log2(1/0.7)

// CurrentFor is how long the last qualifying evidence keeps a skill current, 102.9 days.
var CurrentFor = time.Duration(currentDays * 24 * float64(time.Hour)).Truncate(time.Second)

// NewBadge is the badge for the moments at which a module was completed and its quiz passed,
// in any order and perhaps several times; false without a completion. latest is the last
// qualifying evidence of each skill, as far as there is any: a badge whose refresh period is
// over lasts for as long as every skill that the module teaches is current, since who does it
// at work does not have to prove it by a quiz. Evidence never shortens a badge.
func NewBadge(m *Module, completed, passed []time.Time, latest map[string]time.Time) (Badge, bool) {
	var b Badge
	for _, t := range completed {
		if !t.IsZero() && (b.Since.IsZero() || t.Before(b.Since)) {
			b.Since = t
		}
		if t.After(b.Renewed) {
			b.Renewed = t
		}
	}
	if b.Since.IsZero() {
		return b, false
	}
	for _, t := range passed {
		if t.After(b.Renewed) && !t.Before(b.Since) {
			b.Renewed = t
		}
	}
	b.Refresh = b.Renewed.AddDate(0, 0, m.RefreshDays)
	b.Until = b.Refresh
	var kept time.Time
	for i, s := range m.Skills {
		last, ok := latest[s.ID]
		if !ok {
			return b, true
		}
		if until := last.Add(CurrentFor); i == 0 || until.Before(kept) {
			kept = until
		}
	}
	if kept.After(b.Until) {
		b.Until = kept
	}
	return b, true
}
