package evidence

import (
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Act is one event of an incident.
type Act struct {
	Kind   event.Kind
	At     time.Time
	Person string   // who did it, or who was asked to respond; empty: nobody named
	User   bool     // a person did it, not automation
	To     []string // of an escalation or a reassignment: "person:…", "team:…"
	Cause  string   // of an escalation: manual, timeout, unknown
	State  string   // of a response: accepted, declined
}

// Incident is what is known of one. Acts are its incident.* and responder.* events in order
// of (at, id), one copy of each; people are those behind their aliases.
type Incident struct {
	ID, Service, Class string
	Title              string
	Severity, Priority string
	Tier               int // of the service; 0: not known
	Drill, Merged      bool
	Acts               []Act
	Factors, Verdicts  []string // what its reviews found
	Tags               []Tag
}

// Showing is that a person showed something in an incident, whatever skills it took.
type Showing struct {
	Person, Kind string
	At           time.Time
}

// Ended is when the incident was resolved for the last time, and by whom; who is empty where
// automation did. ok is false while it is open.
func (i Incident) Ended() (at time.Time, who string, ok bool) {
	n := i.end()
	if n < 0 {
		return time.Time{}, "", false
	}
	a := i.Acts[n]
	if a.User {
		who = a.Person
	}
	return a.At, who, true
}

// end is the place of the resolution that holds, -1 without one.
func (i Incident) end() int {
	n := -1
	for k, a := range i.Acts {
		switch a.Kind {
		case event.IncidentResolved:
			n = k
		case event.IncidentReopened:
			n = -1
		}
	}
	return n
}

// acted says whether an act is something that a person did about the incident (METRICS,
// "Human action"), other than saying that they come.
func (a Act) acted() bool {
	return a.User && a.Person != "" && a.Kind != event.IncidentOpened && strings.HasPrefix(string(a.Kind), "incident.")
}

// Touched says whether anybody did anything about it until it was over.
func (i Incident) Touched() bool {
	n := i.end()
	return slices.ContainsFunc(i.Acts[:n+1], func(a Act) bool {
		return a.acted() || a.Kind == event.ResponderResponded && a.State == "accepted"
	})
}

// Counts says whether an incident shows or takes anything at all: it is over, somebody worked
// on it, and it was neither a drill nor a part of another.
func (i Incident) Counts() bool { return !i.Drill && !i.Merged && i.Touched() }

// work is who did what until the incident was resolved.
type work struct {
	first, last map[string]int // places of each one's acts
	people      []string       // by first act
	called      map[string]bool
	calls       int // how often a person called somebody in
}

// work reads the acts up to and with the resolution.
//
// Somebody is called in by an escalation, a reassignment or a request that names them, or that
// names a team, a policy or a schedule if it is then that they begin; who was at it already is
// not. A timeout calls nobody: whoever it reaches is the next to be on call.
func (i Incident) work() work {
	w := work{first: map[string]int{}, last: map[string]int{}, called: map[string]bool{}}
	type call struct {
		by string
		at int
	}
	var groups []call
	for k, a := range i.Acts[:i.end()+1] {
		var named []string
		group := false
		switch {
		case a.Kind == event.ResponderRequested, a.Kind == event.ResponderResponded && a.State == "accepted":
			named = []string{a.Person}
		case a.Kind == event.IncidentEscalated && a.Cause != "timeout", a.Kind == event.IncidentReassigned && a.User:
			for _, t := range a.To {
				if p, ok := strings.CutPrefix(t, "person:"); ok {
					named = append(named, p)
				} else {
					group = true
				}
			}
		}
		if a.Kind == event.ResponderRequested || group || len(named) > 0 && a.Kind != event.ResponderResponded {
			w.calls++
		}
		for _, p := range named {
			if _, here := w.first[p]; !here && (p != a.Person || !a.acted()) {
				w.called[p] = true
			}
		}
		if group {
			groups = append(groups, call{a.Person, k})
		}
		if a.acted() {
			if _, here := w.first[a.Person]; !here {
				w.first[a.Person], w.people = k, append(w.people, a.Person)
			}
			w.last[a.Person] = k
		}
	}
	for _, p := range w.people {
		for _, c := range groups {
			if p != c.by && w.first[p] > c.at {
				w.called[p] = true
			}
		}
	}
	return w
}

// Showings are what people showed in an incident that a person resolved, by whom it was
// resolved:
//
//   - solo: the only one who acted, and nobody was called in by anybody.
//   - led: who resolved it without having been called in, and called others in; or who called
//     somebody in, stayed, and let them resolve it.
//   - assist: who was called in and acted.
//
// What automation resolved may have resolved itself, so it shows nothing. Two who worked on
// it uncalled are both left out: the events do not say who did what, but they can attest.
func (i Incident) Showings() []Showing {
	end, resolver, ok := i.Ended()
	if !ok || resolver == "" || !i.Counts() {
		return nil
	}
	w := i.work()
	if w.calls == 0 {
		if len(w.people) == 1 {
			return []Showing{{resolver, Solo, end}}
		}
		return nil
	}
	joined := len(i.Acts) // when the first who was called in began
	for p := range w.called {
		if k, here := w.first[p]; here {
			joined = min(joined, k)
		}
	}
	var out []Showing
	for _, p := range w.people {
		switch {
		case w.called[p]:
			out = append(out, Showing{p, Assist, i.Acts[w.last[p]].At})
		case p == resolver:
			out = append(out, Showing{p, Led, end})
		case w.called[resolver] && w.last[p] > joined && p == w.leader():
			out = append(out, Showing{p, Led, i.Acts[w.last[p]].At})
		}
	}
	return out
}

// leader is, of those who were not called in, who stayed longest.
func (w work) leader() string {
	best := ""
	for _, p := range w.people {
		if !w.called[p] && (best == "" || w.last[p] > w.last[best]) {
			best = p
		}
	}
	return best
}
