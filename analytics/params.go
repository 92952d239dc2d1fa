package analytics

import (
	"fmt"
	"net/url"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/stewardhq/steward/internal/warehouse"
)

// Lenses, profiles and the other closed sets of METRICS; the default comes first.
var (
	buckets  = []string{"none", "day", "week", "month", "quarter"}
	lenses   = []string{"owner_then", "owner_now", "responder_team"}
	autos    = []string{"include", "exclude", "only"}
	profiles = []string{"steward", "pagerduty", "goalert", "grafana-oncall", "opsgenie", "incident-io"}
	assumes  = []string{"first", "none"}
)

// common are the parameters every metric takes, in the order they are shown.
var common = []string{"from", "to", "tz", "bucket", "by", "as_of", "known_at", "assume"}

// question is one metric asked with every parameter resolved.
type question struct {
	metric   metricFile
	from, to time.Time
	asOf     time.Time
	knownAt  time.Time
	asOfGiven,
	knownGiven bool
	zone                                  *time.Location
	tz, bucket, by, lens, auto, profile   string
	assume                                string
	hours                                 HourSet
	team, service, person, urgency, skill []string
	persons, who                          []string            // person as stored, and who that is
	withheld                              []string            // services that the asker does not see
	nowIn                                 map[string][]string // teams of people, now; where a question names them
	priority, alertClass, source          []string
	onlyIncident                          string
	aliases                               aliases
	past, disputed                        bool    // see Store.settle
	splits                                []Split // what one statement answers; {bucket, by} alone unless batched
}

// takes says whether a metric has a parameter.
func (m metricFile) takesParam(name string) bool {
	return slices.Contains(common, name) || slices.Contains(m.takes, name)
}

func (m metricFile) paramNames() []string {
	out := append(append([]string(nil), common...), m.takes...)
	sort.Strings(out)
	return out
}

// defaultOf is what a parameter is when it is not given. The two that depend on the
// metric follow METRICS: durations leave auto-resolved incidents out under profile
// steward, and people carry the load of pages.
func (m metricFile) defaultOf(name, profile string) string {
	switch name {
	case "by":
		if m.key != "" {
			return m.key
		}
		return "none"
	case "bucket":
		return "none"
	case "lens":
		if m.takesParam("person") {
			return "responder_team"
		}
		return "owner_then"
	case "auto_resolved":
		if (m.Name == "time_to_ack" || m.Name == "time_to_resolve") && profile == "steward" {
			return "exclude"
		}
		return "include"
	case "profile", "hours":
		return "steward"
	case "assume":
		return "first"
	}
	return ""
}

func describeParams(m metricFile) []Param {
	help := map[string]string{
		"from": fmt.Sprintf("start of the window, inclusive; a date is local midnight in tz; default %d × 24 h before to", m.days),
		"to":   "end of the window, exclusive; default as_of", "tz": "the organisation's zone: buckets, dates, people without a zone",
		"bucket": "time buckets", "by": "one row per value of", "as_of": "inclusive; later events do not exist; default now",
		"known_at": "inclusive; events learned later do not exist; default now", "assume": "what holds before a catalog's first fact",
		"team": "filter; what it means is the lens", "service": "filter", "person": "filter; an alias names the person", "urgency": "filter",
		"priority": "filter", "alert_class": "filter", "source": "filter", "skill": "filter", "lens": "what team means", "auto_resolved": "auto-resolved incidents",
		"hours": "set of hour classes", "profile": "another tool's rule",
	}
	var out []Param
	for _, name := range append(append([]string(nil), common...), m.takes...) {
		p := Param{Name: name, Default: m.defaultOf(name, "steward"), Help: help[name]}
		switch name {
		case "bucket":
			p.Allowed = m.buckets
		case "by":
			p.Allowed = m.by
		case "lens":
			p.Allowed = lenses
		case "auto_resolved":
			p.Allowed = autos
		case "profile":
			p.Allowed = profiles
		case "assume":
			p.Allowed = assumes
		}
		p.Repeatable = repeatable(name)
		out = append(out, p)
	}
	return out
}

func (e *ParamError) Error() string {
	s := fmt.Sprintf("%s: %s", e.Param, e.Reason)
	if len(e.Allowed) > 0 {
		s += "; allowed: " + strings.Join(e.Allowed, ", ")
	}
	return s
}

func (e *UnknownMetricError) Error() string {
	return fmt.Sprintf("no metric %q; there are: %s", e.Name, strings.Join(e.Known, ", "))
}

// parse resolves what was asked. now is the moment that the defaults of as_of and
// known_at stand for; zone the organisation's.
func parse(m metricFile, v url.Values, now time.Time, zone *time.Location, sets []HourSet) (question, error) {
	q := question{metric: m, zone: zone}
	for name, values := range v {
		if !m.takesParam(name) {
			return q, &ParamError{Param: name, Reason: "unknown parameter of " + m.Name, Allowed: m.paramNames()}
		}
		if len(values) > 1 && !repeatable(name) {
			return q, &ParamError{Param: name, Reason: "given more than once"}
		}
	}
	var err error
	pick := func(name string, allowed []string) string {
		s := v.Get(name)
		if s == "" {
			return m.defaultOf(name, q.profile)
		}
		if !slices.Contains(allowed, s) && err == nil {
			err = &ParamError{Param: name, Reason: fmt.Sprintf("unknown value %q", s), Allowed: allowed}
		}
		return s
	}
	q.profile = pick("profile", profiles)
	q.bucket = pick("bucket", m.buckets)
	q.by = pick("by", m.by)
	q.lens = pick("lens", lenses)
	q.auto = pick("auto_resolved", autos)
	q.assume = pick("assume", assumes)
	var names []string
	for _, s := range sets {
		names = append(names, s.Name)
	}
	name := pick("hours", names)
	if err != nil {
		return q, err
	}
	if i := slices.IndexFunc(sets, func(s HourSet) bool { return s.Name == name }); i >= 0 {
		q.hours = sets[i]
	}
	if tz := v.Get("tz"); tz != "" {
		loc, lerr := time.LoadLocation(tz)
		if lerr != nil || tz == "Local" {
			return q, &ParamError{Param: "tz", Reason: fmt.Sprintf("unknown time zone %q; an IANA name like Europe/Berlin is wanted", tz)}
		}
		q.zone = loc
	}
	q.tz = q.zone.String()
	for name, dst := range map[string]*[]string{
		"team": &q.team, "service": &q.service, "person": &q.person, "urgency": &q.urgency,
		"priority": &q.priority, "alert_class": &q.alertClass, "source": &q.source, "skill": &q.skill,
	} {
		*dst = slices.Clone(v[name]) // they are changed below, and are the caller's
	}
	for i, p := range q.person {
		if strings.Contains(p, "@") {
			q.person[i] = strings.ToLower(p)
		}
	}
	for _, u := range q.urgency {
		if u != "" && u != "high" && u != "low" {
			return q, &ParamError{Param: "urgency", Reason: fmt.Sprintf("unknown value %q", u), Allowed: []string{"high", "low"}}
		}
	}
	q.splits = []Split{{q.bucket, q.by}}
	return q, q.window(v, now)
}

// given says whether a filter restricts the question, and whether there is such a filter.
// Besides the caller's there are past, disputed and undisputed (see disputed.go).
func (q *question) given(name string) (given, known bool) {
	switch name {
	case "auto_resolved":
		return q.auto != "include", true
	case "withheld":
		return len(q.withheld) > 0, true
	case "past":
		return q.past, true
	case "disputed":
		return q.disputed, true
	case "undisputed":
		return !q.disputed, true
	}
	values, known := map[string][]string{
		"team": q.team, "service": q.service, "person": q.person, "urgency": q.urgency,
		"priority": q.priority, "alert_class": q.alertClass, "source": q.source, "skill": q.skill,
	}[name]
	return len(values) > 0, known
}

func repeatable(name string) bool {
	switch name {
	case "team", "service", "person", "urgency", "priority", "alert_class", "source", "skill":
		return true
	}
	return false
}

// farthest is the longest reach of any metric.
const farthest = 8 * 24 * time.Hour

// reach is how far before from a metric must look, in seconds: load units look 30
// minutes back; interruptions, groups and nights are formed before the window cuts them,
// and eight days hold any burst, group or night that people live through.
func (q *question) reach() uint32 {
	switch q.metric.Name {
	case "interruptions":
		return uint32(farthest / time.Second)
	case "incidents":
		return 1801
	}
	return 0
}

// usesTeam and usesHours say which facts the question pays for.
func (q *question) usesTeam() bool {
	return q.splitsBy("team") || q.splitsBy(byTeamPerson) || len(q.team) > 0
}
func (q *question) usesHours() bool {
	return q.splitsBy("hour_class") || q.metric.Name == "interruptions"
}

func (q *question) splitsBy(by string) bool {
	return slices.ContainsFunc(q.splits, func(s Split) bool { return s.By == by })
}

// variant picks the fact that answers this question at the least cost.
func (q *question) variant(name string) string {
	switch name {
	case "incident_part":
		if q.onlyIncident != "" {
			return "incident_part.one"
		}
		if q.past || q.disputed {
			return "incident_part.exact"
		}
		return "incident_part.live"
	case "incident_asked_for":
		if q.metric.Name == "incidents" {
			return "incident_asked_for.load"
		}
		return "incident_asked_for.plain"
	case "incident_teamed":
		switch {
		case q.metric.Name == "ownership_quadrant" || q.metric.Name == "hops" || q.metric.Name == "skill_gaps",
			q.usesTeam() && q.lens == "responder_team":
			return "incident_teamed.acted"
		case q.usesTeam():
			return "incident_teamed.owner"
		}
		return "incident_teamed.none"
	case "incident_hours", "page_hours", "shift_hours", "shift_change":
		if q.usesHours() {
			return name + ".zone"
		}
		return name + ".none"
	case "page_begun":
		if q.metric.Name == "interruptions" {
			return "page_begun.interruptions"
		}
		return "page_begun.pages"
	case "page_teamed":
		switch {
		case q.usesTeam() && q.lens == "responder_team":
			return "page_teamed.responder"
		case q.usesTeam():
			return "page_teamed.owner"
		}
		return "page_teamed.none"
	}
	return name
}

// bind gives every parameter of the facts a value.
func (q *question) bind() []warehouse.Param {
	grid := 0
	if q.splitsBy("weekday_hour") {
		grid = 900
	}
	if fine := q.hours.step() * 60; q.splitsBy("hour_class") && (grid == 0 || fine < grid) {
		grid = fine
	}
	p := func(name string, v any) warehouse.Param { return warehouse.Param{Name: name, Value: v} }
	s := func(v []string) []string {
		if v == nil {
			return []string{}
		}
		return v
	}
	team := uint8(0)
	if q.usesTeam() {
		team = 1
	}
	return []warehouse.Param{
		p("uses_team", team), p("from", q.from), p("to", q.to), p("as_of", q.asOf), p("known_at", q.knownAt), p("reach", q.reach()), p("apart", uint16(apart)),
		p("tz", q.tz), p("lens", q.lens), p("assume", q.assume),
		p("auto_resolved", q.auto), p("profile", q.profile), p("only_incident", q.onlyIncident),
		p("team", s(q.team)), p("service", s(q.service)), p("withheld", s(q.withheld)), p("person", s(q.persons)), p("urgency", s(q.urgency)),
		p("priority", s(q.priority)), p("alert_class", s(q.alertClass)), p("source", s(q.source)), p("skill", s(q.skill)),
		p("alias", s(q.aliases.from)), p("person_of", s(q.aliases.to)),
		p("hour_slots", q.hours.slots()), p("slot_minutes", uint16(q.hours.step())), p("cuts", numbers(q.cuts())), p("grid", uint32(grid)),
	}
}

// numbers writes an array of integers as ClickHouse reads it.
func numbers[N int | int64](n []N) string {
	return strings.ReplaceAll(fmt.Sprint(n), " ", ",")
}

// applied is what the answer says it was asked: every parameter the metric takes.
func (q *question) applied() map[string]any {
	all := map[string]any{
		"from": stamp(q.from), "to": stamp(q.to), "as_of": stamp(q.asOf), "known_at": stamp(q.knownAt), "tz": q.tz,
		"bucket": q.bucket, "by": q.by, "assume": q.assume, "lens": q.lens, "auto_resolved": q.auto, "profile": q.profile, "hours": q.hours.Name,
		"team": q.team, "service": q.service, "person": q.person, "urgency": q.urgency, "priority": q.priority,
		"alert_class": q.alertClass, "source": q.source, "skill": q.skill,
	}
	out := map[string]any{}
	for _, name := range q.metric.paramNames() {
		if l, ok := all[name].([]string); ok && l == nil {
			out[name] = []string{}
			continue
		}
		out[name] = all[name]
	}
	return out
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
