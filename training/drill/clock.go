package drill

import "time"

// Clock turns wall time into drill time. It is a value: the server keeps one per attempt,
// or makes it anew from the attempt's events, so that a browser cannot choose its offsets.
type Clock struct {
	since  time.Time     // the last change
	at     time.Duration // drill time then
	speed  int           // 0 while paused
	before int           // the speed to resume with
}

// StartClock starts at offset 0 in real time.
func StartClock(now time.Time) Clock { return Clock{since: now, speed: 1, before: 1} }

// Offset is the drill time in whole seconds. A wall clock that steps back stands still here.
func (c Clock) Offset(now time.Time) int64 { return seconds(c.time(now)) }

func (c Clock) time(now time.Time) time.Duration {
	return c.at + max(0, now.Sub(c.since))*time.Duration(c.speed)
}

// Paused says whether the clock stands still.
func (c Clock) Paused() bool { return c.speed == 0 }

// Apply is the clock after an action at this moment; only pause, resume and speed change it.
// A speed that is set while the clock is paused holds from resume on.
func (c Clock) Apply(a Action, now time.Time) Clock {
	next := Clock{since: now, at: c.time(now), speed: c.speed, before: c.before}
	switch a.Verb {
	case Pause:
		next.speed = 0
	case Resume:
		next.speed = c.before
	case Speed:
		next.before = a.N
		if !c.Paused() {
			next.speed = a.N
		}
	default:
		return c
	}
	return next
}

// Wall is when an offset will be reached if nothing changes the clock; false while paused.
func (c Clock) Wall(offset int64) (time.Time, bool) {
	if c.Paused() {
		return time.Time{}, false
	}
	left := time.Duration(offset)*time.Second - c.at
	return c.since.Add((left + time.Duration(c.speed) - 1) / time.Duration(c.speed)), true
}
