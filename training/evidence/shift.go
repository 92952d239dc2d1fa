package evidence

import (
	"slices"
	"time"
)

// Shift is one shift as its last statement has it.
type Shift struct {
	ID, Schedule, Person string
	Role                 string // primary, secondary, shadow, reverse_shadow; empty is by the level
	Level                int
	Start, End           time.Time
	Worked               bool // and not only planned
}

// Along says whether it is the shift of somebody who watches or is watched.
func (s Shift) Along() bool { return s.Role == Shadow || s.Role == ReverseShadow }

// Late is how long after a shift's end an incident of it may be resolved to count as worked
// in it. Without a bound no shift would ever be settled.
const Late = 7 * 24 * time.Hour

// hosts are the shifts that one who goes along goes along with: the primaries of the same
// schedule that hold the pager in the meantime.
func (s Shift) hosts(all []Shift) []Shift {
	var out []Shift
	for _, h := range all {
		primary := h.Role == "primary" || h.Role == "" && h.Level <= 1
		if primary && h.Schedule == s.Schedule && h.Person != s.Person && h.Start.Before(s.End) && s.Start.Before(h.End) {
			out = append(out, h)
		}
	}
	return out
}

// within says whether somebody began to work on the incident while both shifts ran.
func (i Incident) within(person string, s, h Shift) bool {
	for _, a := range i.Acts {
		if a.acted() && a.Person == person {
			return !a.At.Before(s.Start) && a.At.Before(s.End) && !a.At.Before(h.Start) && a.At.Before(h.End)
		}
	}
	return false
}

// Beside is what somebody showed beside the pager's holder.
type Beside struct {
	Showing
	Shift string // for Taught: the shift that was hosted, which is then what it is about
}

// Beside are the showings of one shift of somebody who goes along, in one incident:
//
//   - shadow: the primary they went along with worked on it; also where a reverse shadow was
//     taken over, since they were there.
//   - reverse_shadow: they resolved it, and the primary did nothing about it.
//   - taught: the primary, for the shift, whatever number of incidents there was in it.
//
// Only shifts that were worked count: a plan shows nothing.
func (s Shift) Beside(i Incident, all []Shift) []Beside {
	end, resolver, over := i.Ended()
	if !s.Along() || !s.Worked || !over || !i.Counts() || end.After(s.End.Add(Late)) {
		return nil
	}
	w := i.work()
	var out []Beside
	add := func(b Beside) {
		if !slices.Contains(out, b) {
			out = append(out, b)
		}
	}
	for _, h := range s.hosts(all) {
		_, took := w.first[h.Person]
		switch {
		case s.Role == ReverseShadow && !took && resolver == s.Person && i.within(s.Person, s, h):
			add(Beside{Showing{s.Person, ReverseShadow, end}, ""})
		case took && i.within(h.Person, s, h):
			add(Beside{Showing{s.Person, Shadow, end}, ""})
		default:
			continue
		}
		add(Beside{Showing{h.Person, Taught, s.End}, s.ID})
	}
	return out
}
