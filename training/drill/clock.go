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

// Reach is the clock set forward to an offset, as a step does that says it was done there;
// it never goes back.
func (c Clock) Reach(offset int64, now time.Time) Clock {
	if c.Offset(now) >= offset {
		return c
	}
	c.since, c.at = now, time.Duration(offset)*time.Second
	return c
}

// Timed is a step with the moment it was done at.
type Timed struct {
	Step
	At time.Time
}

// ClockOf makes the clock of an attempt anew from its steps, in order of their numbers.
func ClockOf(start time.Time, steps []Timed) Clock {
	c := StartClock(start)
	for _, s := range steps {
		if act, err := Parse(s.Action); err == nil {
			c = c.Reach(s.Offset, s.At).Apply(act, s.At)
		}
	}
	return c
}

// Speed is how many times as fast as the wall it runs, or will after a pause.
func (c Clock) Speed() int { return c.before }
