package drill

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// factsOf reads what really happened, up to the last resolution. An escalation is one by
// cause other than timeout, a reassignment, or a request for another responder: somebody
// chose to bring in help. A timeout says only that nobody answered.
func factsOf(story []Event, start time.Time, o Options) Facts {
	f := Facts{EscalatedTo: []string{}}
	var severity, priority string
	var updates []int64
	escalate := func(at int64, to []string) {
		if f.Escalated == nil {
			f.Escalated = &at
		}
		for _, t := range to {
			if team := behind(t, o.Teams); team != "" && !slices.Contains(f.EscalatedTo, team) {
				f.EscalatedTo = append(f.EscalatedTo, team)
			}
		}
	}
	declare := func(at int64) {
		if f.Declared == nil {
			f.Declared = &at
		}
	}
	for _, e := range story {
		at := max(0, seconds(e.At.Sub(start)))
		person := cmp.Or(e.Person, text(e.Data, "person"))
		switch e.Kind {
		case event.IncidentOpened:
			severity, priority = cmp.Or(severity, text(e.Data, "severity")), cmp.Or(priority, text(e.Data, "priority"))
			f.Service = cmp.Or(e.Service, text(e.Data, "service"), f.Service)
		case event.IncidentUpdated:
			f.Service = cmp.Or(text(e.Data, "service"), e.Service, f.Service)
			s, p := text(e.Data, "severity"), text(e.Data, "priority")
			if raised(severity, s) || raised(priority, p) {
				declare(at)
			}
			severity, priority = cmp.Or(s, severity), cmp.Or(p, priority)
		case event.IncidentEscalated:
			if text(e.Data, "cause") != "timeout" {
				escalate(at, targets(e.Data["to"]))
				declare(at)
			}
		case event.IncidentReassigned:
			escalate(at, targets(e.Data["to"]))
			declare(at)
		case event.ResponderRequested:
			escalate(at, []string{"person:" + person})
			declare(at)
		case event.AlertFired:
			f.Mitigated = nil
		case event.AlertResolved:
			f.Mitigated = &at
		case event.IncidentResolved:
			f.Resolved = at
		}
		if (e.Kind == event.IncidentNoted || e.Kind == event.IncidentUpdated) && person != "" && text(e.Data, "actor_kind") != "service" {
			updates = append(updates, at)
		}
	}
	f.Service = cmp.Or(o.Service, f.Service)
	if o.Mitigated != nil {
		f.Mitigated = o.Mitigated
	}
	end := f.Resolved
	if f.Mitigated != nil {
		end = *f.Mitigated
	}
	var gaps []int64
	last := int64(0)
	for _, at := range updates {
		if at > end {
			break
		}
		f.Updates++
		if at > last { // several at one moment are one update
			gaps = append(gaps, at-last)
			last = at
		}
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		f.UpdateGap = &gaps[len(gaps)/2]
	}
	return f
}

// behind is the team or policy of a target; of a person it is their team, or nothing.
func behind(t string, teams map[string]string) string {
	if team := teams[t]; team != "" {
		return "team:" + strings.TrimPrefix(team, "team:")
	}
	if target(t) {
		return t
	}
	return ""
}

// raised says whether a severity or priority became graver. One that was unknown and is set
// by somebody counts as raised; one outside the known words cannot be compared.
func raised(before, after string) bool {
	if after == "" || strings.EqualFold(before, after) {
		return false
	}
	a, known := rank(after)
	if before == "" {
		return known
	}
	b, comparable := rank(before)
	return known && comparable && a < b
}

// rank is 1 for the gravest.
func rank(word string) (int, bool) {
	w := strings.ToUpper(strings.TrimSpace(word))
	for _, prefix := range []string{"SEV-", "SEV", "P"} {
		if n, ok := strings.CutPrefix(w, prefix); ok && len(n) == 1 && n >= "0" && n <= "9" {
			return int(n[0] - '0'), true
		}
	}
	switch w {
	case "CRITICAL":
		return 1, true
	case "HIGH", "ERROR", "MAJOR":
		return 2, true
	case "WARNING", "MEDIUM", "MODERATE":
		return 3, true
	case "LOW", "INFO", "MINOR":
		return 4, true
	}
	return 0, false
}
