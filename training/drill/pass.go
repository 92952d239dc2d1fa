package drill

// PassMark is the score from which an attempt is passed: "replay drill ≥ 70" of module LS5,
// and of every other that asks for a drill without a mark of its own.
const PassMark = 70

// Passed says whether a score of 0 to 100 passes.
func Passed(score float64) bool { return score >= PassMark }

// Unaided says whether an attempt was made without help. Drills give no hints while they are
// played; what helps is to know the answers. They are known from a debrief of the same drill,
// so only the first attempt counts that somebody finished, and to whoever published the drill.
// Responders of the real case are not told apart: a drill has pseudonyms only, and what they
// know they learned the hard way.
func Unaided(finishedBefore int, author bool) bool { return finishedBefore == 0 && !author }
