package oracle

import (
	"math/rand"
	"time"
)

// RandomParams asks a valid question of a metric: every parameter it takes comes up,
// alone and together, with windows and as_of whose edges fall on the focal moments of
// random histories. Half of the questions look at the whole year, so that they find
// something.
func RandomParams(r *rand.Rand, metric string) Params {
	p := Params{
		TZ: maybe(r, 2, zoneName), Bucket: maybe(r, 2, Buckets(metric)),
		Assume: maybe(r, 3, []string{"none", "first"}),
	}
	if r.Intn(3) > 0 {
		p.By = pick(r, Bys(metric))
	}
	randomTimes(r, &p)
	if metric == "skill_coverage" && r.Intn(2) == 0 { // hours to come
		p.AsOf, p.To = near(r, pick(r, anchors())), Now()
		p.From = p.AsOf.AddDate(0, 0, r.Intn(9)-4)
	}
	p.Team = some(r, 5, append([]string{"ghosts", ""}, teams...))
	for _, name := range Takes(metric) {
		switch name {
		case "hours":
			p.Hours = maybe(r, 2, []string{"steward", "pagerduty", "incident-io", "incident-io"})
		case "skill":
			p.Skill = some(r, 3, append([]string{"unheard-of"}, skills...))
		case "service":
			p.Service = some(r, 10, services)
		case "person":
			p.Person = some(r, 8, people)
		case "urgency":
			p.Urgency = some(r, 12, []string{"high", "low"})
		case "priority":
			p.Priority = some(r, 12, []string{"P1", "P2"})
		case "alert_class":
			p.AlertClass = some(r, 12, classes)
		case "source":
			p.Source = some(r, 12, sources)
		case "lens":
			p.Lens = maybe(r, 2, []string{"owner_then", "owner_now", "responder_team"})
		case "auto_resolved":
			p.AutoResolved = maybe(r, 2, []string{"exclude", "include", "only"})
		case "profile":
			p.Profile = maybe(r, 2, []string{"steward", "pagerduty", "goalert", "grafana-oncall", "opsgenie", "incident-io"})
		}
	}
	return p
}

func randomTimes(r *rand.Rand, p *Params) {
	moment := func() time.Time { return near(r, pick(r, anchors())) }
	p.From = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	switch r.Intn(9) {
	case 0:
		p.From = moment()
	case 1:
		p.From = moment()
		p.To = p.From.Add(time.Duration(1+r.Intn(20*86400)) * time.Second)
	case 2:
		p.To = moment()
	case 3:
		p.From = time.Time{}
	}
	if r.Intn(4) == 0 {
		p.AsOf = moment()
	}
	if r.Intn(5) == 0 {
		p.KnownAt = moment()
	}
	to := Now()
	for _, t := range []time.Time{p.AsOf, p.To} {
		if !t.IsZero() {
			to = t
		}
	}
	if !p.From.Before(to) { // a window that ends before it begins is no question
		p.From = time.Time{}
	}
}

// maybe is empty (the default) unless drawn, which happens once in n.
func maybe(r *rand.Rand, n int, values []string) string {
	if r.Intn(n) > 0 {
		return ""
	}
	return pick(r, values)
}

// some is a filter of one or two values, set once in n.
func some(r *rand.Rand, n int, values []string) []string {
	if r.Intn(n) > 0 {
		return nil
	}
	out := []string{pick(r, values)}
	if r.Intn(2) == 0 {
		out = append(out, pick(r, values))
	}
	return out
}
