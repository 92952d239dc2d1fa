package dashboards

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/drill"
)

// Names that try to be code. They stand for every id, name, title and value in the fake.
var hostile = []string{
	`</script><script>alert(1)</script>`, `__f__alert(1)__f__`, `<img src=x onerror=alert(1)>`, `javascript:alert(1)`,
	`" onmouseover="alert(1)`, `{{.}}`, `a/b c%2F?#&`, `=HYPERLINK("http://evil")`, `--sleep`, `{b|c} {a}`,
}

// fake is a store that answers from a formula: every group has figures that follow from
// its key, so tests can tell what must be on a page.
type fake struct {
	mu        sync.Mutex
	asked     []string
	empty     bool
	broken    error
	now       time.Time
	redrive   []string
	refuse    error // what a re-drive ends with
	passes    bool  // whether time does
	tried     bool  // whether that is written down
	played    []analytics.Attempt
	published []drill.Drill
}

var testNow = time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)

func newFake() *fake { return &fake{now: testNow} }

func (s *fake) For(access.Who, string) Reading { return s }

func (s *fake) WornDown(context.Context, url.Values, float64) (analytics.WornDown, error) {
	if s.empty {
		return analytics.WornDown{}, s.broken
	}
	return analytics.WornDown{People: 9, Over: 2}, s.broken
}

func (s *fake) Looks(context.Context, int) ([]analytics.LookRow, error) {
	if s.empty {
		return nil, nil
	}
	return []analytics.LookRow{{At: s.now, By: hostile[0], What: hostile[2]}}, nil
}

// Assignments are of everybody: module PG1 is begun, PG2 overdue, LS1 passed, FX1 done, and
// one is of a module that nobody teaches.
func (s *fake) Assignments(_ context.Context, f analytics.AssignmentFilter) ([]analytics.AssignmentRow, error) {
	if s.empty {
		return nil, nil
	}
	var out []analytics.AssignmentRow
	for i, m := range []string{"PG1", "PG2", "LS1", "FX1", hostile[0]} {
		r := analytics.AssignmentRow{ID: fmt.Sprint("a", i), Module: m, Person: hostile[2], By: hostile[4], Reason: hostile[0], Cites: []string{hostile[6]}, Assigned: s.now.AddDate(0, 0, -9), Due: s.now.AddDate(0, 0, 9),
			State: []string{"started", "assigned", "quiz passed", "completed", "assigned"}[i], Scored: true}
		if i != 1 {
			r.Started = s.now.AddDate(0, 0, -8)
		}
		switch i {
		case 0:
			r.Tried = []analytics.Try{{Number: 1, At: s.now.AddDate(0, 0, -7)}}
		case 1:
			r.Due, r.Overdue = s.now.AddDate(0, 0, -1), true
		case 2:
			r.Passed, r.Tried, r.Score = s.now.AddDate(0, 0, -1), []analytics.Try{{Number: 1, At: s.now.AddDate(0, 0, -1), Passed: true, Score: 0.875}}, 0.875
		case 3:
			r.Completed, r.Evidence = s.now.AddDate(0, 0, -1), hostile[0]
		}
		if f.Module == "" || f.Module == m {
			out = append(out, r)
		}
	}
	return out, nil
}

func (s *fake) Audit(context.Context, int) ([]analytics.AuditRow, error) {
	if s.empty {
		return nil, nil
	}
	return []analytics.AuditRow{{At: s.now, By: hostile[0], Action: hostile[2], Target: hostile[4]}}, nil
}

// open is a gate that lets everybody in as the operator.
func open(*http.Request) (access.Who, error) { return access.Operator(), nil }

func metricOf(name, unit string, by, params, cols string) analytics.Metric {
	m := analytics.Metric{Name: name, Version: 3, Title: strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "_", " "), Unit: unit, Definition: "What " + name + " counts.", SQL: "SELECT '" + hostile[0] + "'"}
	for _, p := range strings.Fields("from to tz bucket as_of known_at assume " + params) {
		par := analytics.Param{Name: p, Help: "meaning of " + p}
		switch p {
		case "bucket":
			par.Allowed = []string{"none", "day", "week", "month", "quarter"}
		case "hours":
			par.Allowed = []string{"steward", "pagerduty", "incident-io"}
		case "profile":
			par.Allowed = []string{"steward", "pagerduty", "goalert", "grafana-oncall", "opsgenie", "incident-io"}
		case "lens":
			par.Allowed = []string{"owner_then", "owner_now", "responder_team"}
		}
		m.Params = append(m.Params, par)
	}
	m.Params = append(m.Params, analytics.Param{Name: "by", Default: "none", Allowed: append([]string{"none"}, strings.Fields(by)...)})
	m.Columns = []analytics.Column{{Name: "bucket", Type: "string"}, {Name: "key", Type: "string"}}
	for _, c := range strings.Fields(cols) {
		typ := "integer"
		if strings.HasPrefix(c, "p") && len(c) == 3 || c == "mean" || strings.Contains(c, "_p") || unit == "hours" && c != "people" || c == "hops_mean" {
			typ = "number"
		}
		m.Columns = append(m.Columns, analytics.Column{Name: c, Type: typ})
	}
	return m
}

func (*fake) Metrics() []analytics.Metric {
	const by = "team service hour_class urgency priority severity alert_class source weekday_hour"
	const inc = "team service urgency priority alert_class source lens auto_resolved hours"
	const pag = "team service person urgency priority alert_class source lens hours"
	return append(skillMetrics(), []analytics.Metric{
		metricOf("graduation", "alerts", "person", "team person", "acknowledged rated made_sense share graduated_at"),
		metricOf("hops", "hops", by, inc, "n hops hops_mean hops_p90 ping_pong owner_acted to_owner_p50 to_owner_p90"),
		metricOf("incidents", "incidents", by, inc, "incidents incident_load auto_resolved reopened merged open"),
		metricOf("interruptions", "interruptions", by+" person level", pag, "interruptions sleep off business groups hours nights people"),
		metricOf("oncall_hours", "hours", "team person level hour_class weekday_hour", "team person hours", "primary secondary total people"),
		metricOf("ownership_quadrant", "incidents", by, inc, "n owned escalated_away misrouted owned_on_paper unowned untouched"),
		metricOf("pages", "pages", by+" person level", pag, "pages people interrupting unanswered"),
		metricOf("skill_levels", "level", "person skill", "person team skill", "level weight retention last_evidence"),
		metricOf("time_to_ack", "seconds", by, inc+" profile", "n not_acked p50 p90 mean"),
		metricOf("time_to_resolve", "seconds", by, inc, "n unresolved p50 p90 mean"),
		metricOf("verdicts", "pages", by+" person level", pag, "pages reviewed actionable share reviewed_share people"),
	}...)
}

func (s *fake) Query(_ context.Context, name string, v url.Values) (*analytics.Answer, error) {
	s.mu.Lock()
	s.asked = append(s.asked, name+"?"+v.Encode())
	s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	var m *analytics.Metric
	var known []string
	for _, x := range s.Metrics() {
		known = append(known, x.Name)
		if x.Name == name {
			m = &x
		}
	}
	if m == nil {
		return nil, &analytics.UnknownMetricError{Name: name, Known: known}
	}
	for k, vals := range v {
		i := slices.IndexFunc(m.Params, func(p analytics.Param) bool { return p.Name == k })
		if i < 0 {
			return nil, &analytics.ParamError{Param: k, Reason: "unknown parameter of " + name, Allowed: []string{"from", "to"}}
		}
		if a := m.Params[i].Allowed; len(a) > 0 && !slices.Contains(a, vals[0]) {
			return nil, &analytics.ParamError{Param: k, Reason: fmt.Sprintf("unknown value %q", vals[0]), Allowed: a}
		}
		if k == "tz" {
			if _, err := time.LoadLocation(vals[0]); err != nil {
				return nil, &analytics.ParamError{Param: k, Reason: fmt.Sprintf("unknown time zone %q", vals[0])}
			}
		}
	}
	a := &analytics.Answer{Metric: name, Version: 3, Title: m.Title, Unit: m.Unit, Definition: m.Definition, Params: map[string]any{}, AsOf: s.now, KnownAt: s.now,
		Columns: m.Columns, Rows: [][]any{}, Assumed: map[string]uint64{"owner": 3}, Withheld: []analytics.Withheld{}, OrgZone: 2, Watermark: s.now}
	if s.empty {
		return a, nil
	}
	buckets := []string{""}
	switch v.Get("bucket") {
	case "week":
		buckets = nil
		for d := time.Date(2026, 8, 31, 0, 0, 0, 0, time.UTC); d.Before(s.now); d = d.AddDate(0, 0, 7) {
			buckets = append(buckets, d.Format(time.DateOnly))
		}
	case "month":
		buckets = []string{"2026-10-01", "2026-11-01"}
	}
	groups := []string{""}
	switch v.Get("by") {
	case "team", "service", "person", "alert_class":
		groups = append(slices.Clone(hostile), "")
	case "hour_class":
		groups = []string{"sleep", "off", "business"}
	case "level":
		groups = []string{"1", "2"}
	case "weekday_hour":
		groups = nil
		for d := range 7 {
			for h := range 24 {
				if (d+h)%3 != 0 {
					groups = append(groups, fmt.Sprintf("%d-%02d", d+1, h))
				}
			}
		}
	}
	for _, b := range buckets {
		for _, g := range groups {
			row := []any{b, g}
			for i, c := range m.Columns[2:] {
				h := fnv.New32()
				fmt.Fprint(h, b, g, name)
				n := int64(12 + h.Sum32()%40 + uint32(i))
				if c.Name == "interruptions" || c.Name == "n" {
					n *= 4
				}
				switch {
				case c.Name == "mean" && g == "":
					row = append(row, nil)
				case c.Type == "number":
					row = append(row, float64(n)*13.25)
				default:
					row = append(row, n)
				}
			}
			a.Rows = append(a.Rows, row)
		}
	}
	return a, nil
}

func (s *fake) Directory(context.Context) (*analytics.Directory, error) {
	d := &analytics.Directory{}
	if s.empty {
		return d, nil
	}
	for i, h := range hostile {
		owner := h
		if i == 2 {
			owner = ""
		}
		d.Teams = append(d.Teams, analytics.Team{ID: h, Name: h, Contact: "javascript:alert(2)", Members: hostile[:3], Size: 3, Services: []string{h}})
		d.Services = append(d.Services, analytics.Service{ID: h, Name: h, Description: h, Owner: owner, Tier: 1 + i%3, RunbookURL: "javascript:alert(3)", Lifecycle: h})
		d.People = append(d.People, analytics.Person{ID: h, Name: h, Zone: "Europe/Berlin", Teams: []string{h}})
	}
	return d, nil
}

func (s *fake) row(id string) analytics.IncidentRow {
	return analytics.IncidentRow{ID: id, Title: id, Service: id, Urgency: "high", Priority: id, AlertClass: id, Opened: s.now.Add(-3 * time.Hour), Acked: s.now.Add(-175 * time.Minute),
		Resolved: s.now.Add(-time.Hour), OwnerThen: id, OwnerNow: hostile[0], Resolver: id}
}

func (s *fake) Incident(_ context.Context, id string) (*analytics.Incident, error) {
	if !slices.Contains(hostile, id) {
		return nil, fmt.Errorf("incident: %w", analytics.ErrNotFound)
	}
	events, _ := s.Events(context.Background(), analytics.EventFilter{Incident: id})
	return &analytics.Incident{IncidentRow: s.row(id), Events: events}, nil
}

func (s *fake) Events(_ context.Context, f analytics.EventFilter) ([]analytics.EventRow, error) {
	if !slices.Contains(hostile, f.Incident) {
		return nil, nil
	}
	var out []analytics.EventRow
	for i, k := range []string{"incident.opened", "page.sent", "incident.acknowledged", "incident.escalated", "incident.noted", "incident.resolved"} {
		out = append(out, analytics.EventRow{Kind: k, At: s.now.Add(time.Duration(i*20-180) * time.Minute), ID: fmt.Sprint("ev-", i), Source: hostile[0], Subject: f.Incident, Incident: f.Incident,
			Person: hostile[2], Actor: "user", Seen: s.now, Data: `{"incident":"x","text":"</script><script>alert(4)</script>","to":["javascript:alert(1)"],"channel":"push","big":12345678901234567890123456789012345678,"n":1e400}`})
	}
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, nil
}

func (s *fake) Incidents(_ context.Context, f analytics.IncidentFilter) ([]analytics.IncidentRow, error) {
	var out []analytics.IncidentRow
	for _, h := range hostile {
		if !s.empty && (len(f.Service) == 0 || f.Service[0] == h) {
			out = append(out, s.row(h))
		}
	}
	return out, nil
}

func (s *fake) OwnershipHistory(_ context.Context, service string) ([]analytics.OwnershipSpan, error) {
	if s.empty {
		return nil, nil
	}
	at := s.now.AddDate(0, -5, 0)
	return []analytics.OwnershipSpan{{Team: hostile[0], From: s.now.AddDate(-1, 0, 0), To: at}, {Team: "", From: at, To: at.AddDate(0, 1, 0)}, {Team: hostile[2], From: at.AddDate(0, 1, 0)}}, nil
}

func (s *fake) record() analytics.QuarantineRow {
	return analytics.QuarantineRow{ID: "0a1b2c", Source: hostile[0], Account: hostile[2], Reason: hostile[0], Field: hostile[3], Received: s.now, Bytes: 42, Partition: 1, Offset: 7,
		Headers: map[string]string{"content-type": hostile[0]}, Raw: []byte("{\"a\":\x00\xff</script><script>alert(5)</script>\n\x1b[31m")}
}

func (s *fake) Quarantine(_ context.Context, limit, offset int) ([]analytics.QuarantineRow, uint64, error) {
	if s.empty {
		return nil, 0, nil
	}
	r := s.record()
	r.Raw = nil
	return []analytics.QuarantineRow{r}, 1, nil
}

func (s *fake) QuarantineItem(_ context.Context, id string) (*analytics.QuarantineRow, error) {
	if id != "0a1b2c" {
		return nil, fmt.Errorf("record: %w", analytics.ErrNotFound)
	}
	r := s.record()
	if s.tried && len(s.redrive) > 0 {
		r.Redriven, r.Outcome = s.now, "still not readable"
	}
	return &r, nil
}

func (s *fake) Redrive(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redrive = append(s.redrive, id)
	return s.refuse
}

// each asks one question after the other, as a store answers them together.
func each(ctx context.Context, query func(context.Context, string, url.Values) (*analytics.Answer, error), name string, v url.Values, splits []analytics.Split) ([]*analytics.Answer, error) {
	var out []*analytics.Answer
	for _, split := range splits {
		one := maps.Clone(v)
		for name, value := range map[string]string{"bucket": split.Bucket, "by": split.By} {
			if one.Del(name); value != "" {
				one.Set(name, value)
			}
		}
		a, err := query(ctx, name, one)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

func (s *fake) QueryEach(ctx context.Context, name string, v url.Values, splits ...analytics.Split) ([]*analytics.Answer, error) {
	return each(ctx, s.Query, name, v, splits)
}

// fakeKeys are tokens and secrets with names that try to be code.
type fakeKeys struct {
	mu    sync.Mutex
	acts  []string
	empty bool
}

func (k *fakeKeys) act(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.acts = append(k.acts, s)
}

func (k *fakeKeys) Tokens() []TokenRow {
	if k.empty {
		return nil
	}
	return []TokenRow{{ID: "a1", Name: hostile[0], By: hostile[2], Scopes: []string{hostile[4]}, Created: testNow, State: "valid"}, {ID: "a2", Name: hostile[1], Created: testNow, Expires: testNow, LastUsed: testNow, State: "expired"}}
}

func (k *fakeKeys) Issue(_ context.Context, _ access.Who, name string, scopes []string, expires string) (string, error) {
	if len(scopes) == 0 {
		return "", &KeyError{Field: "scope", Reason: "none is given"}
	}
	k.act("issue " + name)
	return "stw_shownonce", nil
}

func (k *fakeKeys) Revoke(_ context.Context, _ access.Who, id string) error {
	k.act("revoke " + id)
	return nil
}

func (k *fakeKeys) Secrets() []SecretRow {
	if k.empty {
		return nil
	}
	return []SecretRow{{ID: "s1", Source: hostile[0], Account: hostile[2], Ends: "abcd", Created: testNow}}
}

func (k *fakeKeys) Rotate(_ context.Context, _ access.Who, source, account string) (string, error) {
	k.act("rotate " + source)
	return "stws_shownonce", nil
}

func (k *fakeKeys) Retire(_ context.Context, _ access.Who, id string) error {
	k.act("retire " + id)
	return nil
}

func (k *fakeKeys) Sources() []string { return []string{"pagerduty", hostile[0]} }
func (k *fakeKeys) Scopes() []string  { return []string{"read", "admin", hostile[0]} }

// The fake's drills are the shipped ones and one whose every text tries to be code; its
// attempts are "going" and "over", and whatever was begun since.
func (s *fake) Drills(context.Context) ([]analytics.Drill, error) {
	if s.broken != nil || s.empty {
		return nil, s.broken
	}
	demos, err := drill.Demos()
	if err != nil {
		return nil, err
	}
	var out []analytics.Drill
	for _, d := range demos {
		out = append(out, analytics.Drill{Drill: d.Drill, Intro: d.Intro})
	}
	evil := demos[0].Drill
	evil.ID, evil.Title, evil.Lesson = "evil", hostile[0], hostile[2]
	evil.Services, evil.Targets = hostile, []string{"team:" + hostile[0], "policy:" + hostile[4]}
	evil.Cards = slices.Clone(evil.Cards)
	for i := range evil.Cards {
		evil.Cards[i].Summary, evil.Cards[i].Service = hostile[i%len(hostile)], hostile[i%len(hostile)]
	}
	evil.Decisions = slices.Clone(evil.Decisions)
	for i := range evil.Decisions {
		evil.Decisions[i].Question = hostile[i]
	}
	evil.Facts.Norm = drill.Norm{N: 6, Q1: 100, Median: 200, Q3: 300}
	return append(out, analytics.Drill{Drill: evil, Intro: "# x\n\n" + hostile[0], Published: s.now}), nil
}

func (s *fake) Drill(ctx context.Context, id string) (*analytics.Drill, error) {
	all, err := s.Drills(ctx)
	for i := range all {
		if all[i].ID == id {
			return &all[i], err
		}
	}
	return nil, fmt.Errorf("drill: %w", analytics.ErrNotFound)
}

func (s *fake) attempts() []analytics.Attempt {
	d, err := s.Drill(context.Background(), "evil")
	if err != nil {
		return nil
	}
	begun := s.now.Add(-20 * time.Minute)
	step := func(n, minute int, action string) drill.Timed {
		return drill.Timed{Step: drill.Step{N: n, Offset: int64(60 * minute), Action: action}, At: begun.Add(time.Duration(minute) * time.Minute)}
	}
	q := d.Decisions[0]
	steps := []drill.Timed{step(1, 1, "look:"+hostile[0]), step(2, 2, "open:"+d.Cards[0].ID), step(3, 3, "update:"+hostile[2]), step(4, 4, "hypothesis:"+hostile[4]), step(5, 15, "decide:"+q.ID+":"+q.Options[0].ID)}
	over := append(slices.Clone(steps), step(6, 19, "finish"))
	return append([]analytics.Attempt{{ID: "going", Person: "player", Drill: d.Drill, Started: begun, Steps: steps}, {ID: "over", Person: "player", Drill: d.Drill, Started: begun, Finished: s.now, Steps: over}}, s.played...)
}

func (s *fake) Attempts(context.Context) ([]analytics.AttemptRow, error) {
	var out []analytics.AttemptRow
	for _, a := range s.attempts() {
		row := analytics.AttemptRow{ID: a.ID, Drill: a.Drill.ID, Started: a.Started, Finished: a.Finished}
		if parts, err := drill.Score(a.Drill, a.Plain()); err == nil && !a.Finished.IsZero() {
			row.Score, row.Parts = parts.Score, parts.Parts
		}
		out = append(out, row)
	}
	return out, s.broken
}

func (s *fake) Attempt(_ context.Context, id string) (*analytics.Attempt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.attempts() {
		if a.ID == id {
			return &a, nil
		}
	}
	return nil, fmt.Errorf("attempt: %w", analytics.ErrNotFound)
}

// fakePlay plays in memory.
type fakePlay struct{ s *fake }

// moment is now, which stands still unless a test wants it to pass.
func (s *fake) moment() time.Time {
	if s.passes {
		return time.Now()
	}
	return s.now
}

func (p fakePlay) Start(ctx context.Context, who access.Who, id string) (string, error) {
	d, err := p.s.Drill(ctx, id)
	if err != nil {
		return "", err
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	a := analytics.Attempt{ID: fmt.Sprint("played", len(p.s.played)), Person: who.Person, Drill: d.Drill, Started: p.s.moment()}
	p.s.played = append(p.s.played, a)
	return a.ID, nil
}

func (p fakePlay) do(id, action string, wait bool) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for i := range p.s.played {
		a := &p.s.played[i]
		if a.ID != id {
			continue
		}
		r, err := drill.Replay(a.Drill, a.Plain())
		if err != nil {
			return err
		}
		step := drill.Step{N: len(a.Steps) + 1, Offset: max(r.Now(), a.Clock().Offset(p.s.moment())), Action: action}
		if next := r.Table(step.Offset).Next; wait && next != nil {
			step.Offset = *next
		}
		if err := r.Act(step); err != nil {
			return err
		}
		a.Steps = append(a.Steps, drill.Timed{Step: step, At: p.s.moment()})
		if r.Finished() {
			a.Finished = p.s.moment()
		}
		return nil
	}
	return fmt.Errorf("attempt: %w", analytics.ErrNotFound)
}

func (p fakePlay) Act(_ context.Context, _ access.Who, id, action string) error {
	return p.do(id, action, false)
}
func (p fakePlay) Wait(_ context.Context, _ access.Who, id string) error {
	return p.do(id, "speed:1", true)
}
func (p fakePlay) Finish(_ context.Context, _ access.Who, id string) error {
	return p.do(id, "finish", false)
}

func (p fakePlay) Publish(_ context.Context, _ access.Who, d drill.Drill) error {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.published = append(p.s.published, d)
	return nil
}

// DrillSource is the fake incident's, whose note is hostile and whose resolver is known.
func (s *fake) DrillSource(_ context.Context, id string) (*analytics.DrillSource, error) {
	if !slices.Contains(hostile, id) {
		return nil, fmt.Errorf("incident: %w", analytics.ErrNotFound)
	}
	out := &analytics.DrillSource{IncidentRow: s.row(id), Options: drill.Options{Incident: id, People: map[string][]string{"ann@example.org": {"Ann Surname"}}}}
	add := func(minute int, kind event.Kind, data map[string]any) {
		out.Events = append(out.Events, drill.Event{Kind: kind, At: s.now.Add(time.Duration(minute) * time.Minute), ID: fmt.Sprint(minute), Person: "ann@example.org", Service: "svc", Data: data})
	}
	add(0, event.IncidentOpened, map[string]any{"title": hostile[0], "alert_class": "disk"})
	add(5, event.IncidentNoted, map[string]any{"text": "Ann Surname says: " + hostile[2]})
	add(30, event.IncidentResolved, map[string]any{"reason": "done"})
	return out, nil
}

// fakeLearn has the built-in curriculum and keeps what was done.
type fakeLearn struct {
	mu   sync.Mutex
	acts []string
	err  error
}

var builtIn = sync.OnceValue(func() *training.Curriculum {
	c, err := training.Load()
	if err != nil {
		panic(err)
	}
	return c
})

func (l *fakeLearn) act(parts ...any) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.acts = append(l.acts, strings.TrimSpace(fmt.Sprintln(parts...)))
	}
	return l.err
}

func (*fakeLearn) Curriculum() *training.Curriculum { return builtIn() }
func (l *fakeLearn) Assign(_ context.Context, _ access.Who, w Work) (int, error) {
	return 1, l.act("assign", w.Modules, w.Track, w.People, w.Teams, w.Rotas, w.First, w.Due, w.Reason, w.Cites)
}
func (l *fakeLearn) Start(_ context.Context, _ access.Who, m string) error { return l.act("start", m) }
func (l *fakeLearn) Complete(_ context.Context, _ access.Who, a, m string, p Proof) error {
	return l.act("complete", a, m, p.Ref, p.Note)
}
func (l *fakeLearn) Abandon(_ context.Context, _ access.Who, a, m string) error {
	return l.act("abandon", a, m)
}
func (l *fakeLearn) Waive(_ context.Context, _ access.Who, a, m, p, r string) error {
	return l.act("waive", a, m, p, r)
}
func (l *fakeLearn) Answer(_ context.Context, w access.Who, a training.Attempt) (training.Marked, error) {
	m, _ := builtIn().Module(a.Module)
	a.Person = w.Person
	if err := l.act("answer", a.Assignment, a.Number, a.Answers); err != nil {
		return training.Marked{}, err
	}
	return a.Mark(m)
}
