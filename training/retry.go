package training

import "time"

// RetryPause is how long one waits after the second failure and after each further one. The
// first retry is free: one question misread is no reason to wait.
const RetryPause = 10 * time.Minute

// Tried is an attempt that was marked, as the log has it.
type Tried struct {
	Number int
	At     time.Time
	Passed bool
}

// Next is the number of the next attempt and from when it may be handed in; a zero time is at
// once. It is false once the quiz is passed. The same attempt may be among the tried several
// times, and in any order: the log delivers more than once.
func Next(tried []Tried) (number int, from time.Time, ok bool) {
	failed := map[int]bool{}
	var last time.Time
	for _, t := range tried {
		if t.Passed {
			return 0, time.Time{}, false
		}
		failed[t.Number] = true
		number = max(number, t.Number)
		if t.At.After(last) {
			last = t.At
		}
	}
	if len(failed) >= 2 {
		from = last.Add(RetryPause)
	}
	return number + 1, from, true
}
