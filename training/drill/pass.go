package drill

import "time"

// PassMark is the score from which an attempt is passed: "replay drill ≥ 70" of module LS5,
// and of every other that asks for a drill without a mark of its own.
const PassMark = 70

// Passed says whether a score of 0 to 100 passes.
func Passed(score float64) bool { return score >= PassMark }

// Again is how long a debrief is remembered: what is played later than that is played without
// its answers. Without it a drill could restore the currency of a skill only once.
const Again = 90 * 24 * time.Hour

// Unaided says whether an attempt that was finished at a moment was made without help. Drills
// give no hints while they are played; what helps is to know the answers. They are known for a
// while from a debrief of the same drill, so last, when the person finished it before, has to
// be zero or long ago; and always to whoever published it. Responders of the real case are not
// told apart: a drill has pseudonyms only, and what they know they learned the hard way.
func Unaided(last, at time.Time, author bool) bool {
	return !author && (last.IsZero() || at.Sub(last) >= Again)
}
