// Package oracle answers the metrics the slow way: loops over slices of events, one
// small function per sentence of the definitions. It exists to be compared with the SQL
// on random histories, so it shares nothing with it but the vocabulary.
//
// Theory of operation
//
//  1. gather (facts.go) picks one copy of every event, applies known_at and as_of and puts
//     the rest into the total order (at, id, source).
//  2. The catalogue (people.go, owner.go, clock.go) answers "who was this, in which team,
//     owning what, at which hour" for one moment, by walking the facts up to it.
//  3. incident.go assembles incidents; page.go and interruption.go pages and what they
//     form; shift.go on-call time; skill.go, coverage.go and gap.go what people can do and
//     where that is missing; training.go what they were to learn; verdict.go what
//     reviews said of pages, graduation.go how far trainees are.
//  4. Every counted thing becomes a subject (select.go): its moment and the attributes
//     that filters and by look at. Each metric sorts the selected subjects into rows.
//
// It is test support: it favours being obviously right over being fast.
package oracle

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Params are the parameters of a question. Zero values mean the default of METRICS; TZ
// empty is UTC. Times are exact instants (the caller turns dates into local midnights).
type Params struct {
	From, To, AsOf, KnownAt                                      time.Time
	TZ, Bucket, By                                               string
	Team, Service, Person, Urgency, Priority, AlertClass, Source []string
	Skill                                                        []string
	Lens, AutoResolved, Hours, Profile, Assume                   string
}

// Result is an answer: one value per column (string, int64, float64 or nil) in each row,
// rows ordered by bucket, then key. Assumed holds only counts above zero, under owner,
// team, zone and opened.
type Result struct {
	Columns []string
	Rows    [][]any
	Assumed map[string]uint64
}

// question is one call of Answer: the parameters with defaults applied, and the world as
// known to it.
type question struct {
	Params
	metric string
	zone   *time.Location
	zones  map[string]*time.Location
	world
}

// Metrics lists the metrics, alphabetically.
func Metrics() []string {
	return []string{"graduation", "hops", "incidents", "interruptions", "oncall_hours", "ownership_quadrant", "pages",
		"skill_coverage", "skill_gaps", "skill_levels", "skill_overlap", "time_to_ack", "time_to_resolve", "training_progress", "verdicts"}
}

// Answer computes one metric over all events ever received, copies included. It fails on
// an unknown metric, a parameter value outside METRICS, or an event that does not decode.
func Answer(events []event.Event, metric string, p Params, now time.Time) (Result, error) {
	q, err := ask(metric, p, now)
	if err != nil {
		return Result{}, err
	}
	if q.world, err = gather(events, q.AsOf, q.KnownAt); err != nil {
		return Result{}, err
	}
	switch metric {
	case "incidents":
		return q.incidents(), nil
	case "time_to_ack":
		return q.timeToAck(), nil
	case "time_to_resolve":
		return q.timeToResolve(), nil
	case "ownership_quadrant":
		return q.quadrant(), nil
	case "hops":
		return q.hops(), nil
	case "pages":
		return q.pages(), nil
	case "interruptions":
		return q.interruptions(), nil
	case "skill_levels":
		return q.skillLevels(), nil
	case "skill_coverage":
		return q.skillCoverage(), nil
	case "skill_gaps":
		return q.skillGaps(), nil
	case "skill_overlap":
		return q.skillOverlap(), nil
	case "training_progress":
		return q.trainingProgress(), nil
	case "verdicts":
		return q.verdicts(), nil
	case "graduation":
		return q.graduation(), nil
	default:
		return q.oncallHours(), nil
	}
}

// ask applies the defaults: as_of and known_at are now, to is as_of, from is 90 times 24
// hours before to, 365 times for gaps; lens and auto_resolved default by metric and profile.
func ask(metric string, p Params, now time.Time) (*question, error) {
	q := &question{Params: p, metric: metric, zones: map[string]*time.Location{}}
	if !slices.Contains(Metrics(), metric) {
		return nil, fmt.Errorf("unknown metric %q", metric)
	}
	def := func(t *time.Time, d time.Time) {
		if t.IsZero() {
			*t = d
		}
		*t = t.UTC().Truncate(time.Millisecond)
	}
	def(&q.AsOf, now)
	def(&q.KnownAt, now)
	def(&q.To, q.AsOf)
	days := 90
	if metric == "skill_gaps" {
		days = 365
	}
	def(&q.From, q.To.Add(-time.Duration(days)*24*time.Hour))

	q.Person = slices.Clone(q.Person)
	for i := range q.Person {
		q.Person[i] = event.PersonID(q.Person[i])
	}
	q.Bucket, q.By = or(q.Bucket, "none"), or(q.By, Bys(metric)[0])
	q.Hours, q.Profile, q.Assume = or(q.Hours, "steward"), or(q.Profile, "steward"), or(q.Assume, "first")
	if slices.Contains([]string{"pages", "verdicts", "interruptions", "oncall_hours"}, metric) {
		q.Lens = or(q.Lens, "responder_team")
	}
	q.Lens = or(q.Lens, "owner_then")
	if metric == "time_to_resolve" || metric == "time_to_ack" && q.Profile == "steward" {
		q.AutoResolved = or(q.AutoResolved, "exclude")
	}
	q.AutoResolved = or(q.AutoResolved, "include")

	var err error
	if q.zone, err = time.LoadLocation(or(q.TZ, "UTC")); err != nil {
		return nil, fmt.Errorf("tz: %w", err)
	}
	return q, q.check(p)
}

// check refuses values outside the table of parameters, and parameters the metric does
// not take.
func (q *question) check(given Params) error {
	for _, c := range []struct {
		name, value, allowed string
	}{
		{"bucket", q.Bucket, strings.Join(Buckets(q.metric), " ")},
		{"by", q.By, strings.Join(Bys(q.metric), " ")},
		{"lens", q.Lens, "owner_then owner_now responder_team"},
		{"auto_resolved", q.AutoResolved, "exclude include only"},
		{"hours", q.Hours, "steward pagerduty incident-io"},
		{"profile", q.Profile, "steward pagerduty goalert grafana-oncall opsgenie incident-io"},
		{"assume", q.Assume, "first none"},
	} {
		if !slices.Contains(strings.Fields(c.allowed), c.value) {
			return fmt.Errorf("%s: %q is not one of %s", c.name, c.value, c.allowed)
		}
	}
	for name, is := range map[string]bool{
		"service": len(given.Service) > 0, "person": len(given.Person) > 0, "urgency": len(given.Urgency) > 0,
		"priority": len(given.Priority) > 0, "alert_class": len(given.AlertClass) > 0,
		"source": len(given.Source) > 0, "skill": len(given.Skill) > 0, "hours": given.Hours != "", "lens": given.Lens != "", "auto_resolved": given.AutoResolved != "",
		"profile": given.Profile != "",
	} {
		if is && !slices.Contains(Takes(q.metric), name) {
			return fmt.Errorf("%s does not take %s", q.metric, name)
		}
	}
	return nil
}

// Buckets lists how a metric can be cut in time. Levels and gaps are of one moment.
func Buckets(metric string) []string {
	if metric == "skill_levels" || metric == "skill_gaps" || metric == "skill_overlap" || metric == "graduation" {
		return []string{"none"}
	}
	return []string{"none", "day", "week", "month", "quarter"}
}

// Bys lists what a metric can be broken down by, the default first.
func Bys(metric string) []string {
	incident := []string{"none", "team", "service", "hour_class", "urgency", "priority", "severity", "alert_class",
		"source", "weekday_hour"}
	switch metric {
	case "graduation":
		return []string{"person"}
	case "pages", "verdicts", "interruptions":
		return append(incident, "person", "level")
	case "oncall_hours":
		return []string{"none", "team", "person", "level", "hour_class", "weekday_hour"}
	case "skill_levels":
		return []string{"person", "skill"}
	case "skill_gaps", "skill_coverage":
		return []string{"skill"}
	case "skill_overlap":
		return []string{"team"}
	case "training_progress":
		return []string{"module", "team", "track", "person"}
	default:
		return incident
	}
}

// Takes lists the parameters that only some metrics take.
func Takes(metric string) []string {
	switch metric {
	case "pages", "verdicts", "interruptions":
		return []string{"team", "service", "person", "urgency", "priority", "alert_class", "source", "lens", "hours"}
	case "oncall_hours":
		return []string{"team", "person", "hours"}
	case "skill_levels":
		return []string{"skill", "team", "person"}
	case "skill_gaps", "skill_coverage", "skill_overlap":
		return []string{"skill", "team"}
	case "training_progress", "graduation":
		return []string{"team", "person"}
	case "time_to_ack":
		return []string{"team", "service", "urgency", "priority", "alert_class", "source", "lens", "auto_resolved", "hours", "profile"}
	default:
		return []string{"team", "service", "urgency", "priority", "alert_class", "source", "lens", "auto_resolved", "hours"}
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
