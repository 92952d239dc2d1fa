package analytics

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func catalogue(t *testing.T) map[string]metricFile {
	t.Helper()
	m, err := loadMetrics(files)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// asked parses "name=value" parameters of a metric as of 2026-03-10 11:22:33.4567, UTC.
func asked(t *testing.T, metric string, params ...string) (question, error) {
	t.Helper()
	m, ok := catalogue(t)[metric]
	if !ok {
		t.Fatalf("no metric %s", metric)
	}
	v := url.Values{}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		v.Add(name, value)
	}
	now := time.Date(2026, 3, 10, 11, 22, 33, 456_789_000, time.UTC)
	sets := append(BuiltinHourSets(), HourSet{Name: "ours", Spans: []HourSpan{{0, week, "business"}}})
	return parse(m, v, now, time.UTC, sets)
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		metric  string
		params  []string
		param   string
		allowed []string // all of these are listed
	}{
		{"incidents", []string{"nonsense=1"}, "nonsense", []string{"as_of", "auto_resolved", "bucket", "by", "from", "hours", "known_at", "lens", "service", "source", "team", "to", "tz", "urgency"}},
		{"incidents", []string{"person=ana"}, "person", []string{"team"}},
		{"incidents", []string{"profile=goalert"}, "profile", []string{"team"}},
		{"time_to_resolve", []string{"profile=goalert"}, "profile", []string{"auto_resolved"}},
		{"pages", []string{"auto_resolved=only"}, "auto_resolved", []string{"person"}},
		{"oncall_hours", []string{"lens=owner_now"}, "lens", []string{"person", "team"}},
		{"oncall_hours", []string{"service=db"}, "service", []string{"person", "team"}},
		{"incidents", []string{"From=2026-01-01"}, "From", []string{"from"}},
		{"incidents", []string{"bucket=year"}, "bucket", buckets},
		{"incidents", []string{"by=person"}, "by", []string{"none", "team", "service", "hour_class", "urgency", "priority", "severity", "alert_class", "source", "weekday_hour"}},
		{"oncall_hours", []string{"by=service"}, "by", []string{"none", "team", "person", "level", "hour_class", "weekday_hour"}},
		{"incidents", []string{"lens=owner"}, "lens", lenses},
		{"incidents", []string{"auto_resolved=yes"}, "auto_resolved", []string{"include", "exclude", "only"}},
		{"time_to_ack", []string{"profile=firehydrant"}, "profile", profiles},
		{"incidents", []string{"hours=9to5"}, "hours", []string{"steward", "pagerduty", "incident-io", "ours"}},
		{"incidents", []string{"assume=last"}, "assume", assumes},
		{"incidents", []string{"urgency=high", "urgency=severe"}, "urgency", []string{"high", "low"}},
		{"incidents", []string{"tz=Mars/Olympus"}, "tz", nil},
		{"incidents", []string{"tz=Local"}, "tz", nil},
		{"incidents", []string{"tz=../../etc/passwd"}, "tz", nil},
		{"incidents", []string{"from=yesterday"}, "from", nil},
		{"incidents", []string{"from=2026-02-30"}, "from", nil},
		{"incidents", []string{"to=2026-03-01T10:00:00"}, "to", nil}, // no offset: of which zone?
		{"incidents", []string{"as_of=1772355600"}, "as_of", nil},
		{"incidents", []string{"from=0001-01-01"}, "from", nil},
		{"incidents", []string{"known_at=2999-01-01T00:00:00Z"}, "known_at", nil},
		{"incidents", []string{"from=2026-03-02", "to=2026-03-01"}, "from", nil},
		{"incidents", []string{"from=2026-03-02", "as_of=2026-03-01"}, "from", nil}, // to follows as_of
		{"incidents", []string{"from=2026-01-01", "from=2026-01-01"}, "from", nil},
		{"incidents", []string{"by=team", "by=service"}, "by", nil},
		{"incidents", []string{"tz=UTC", "tz=UTC"}, "tz", nil},
	} {
		_, err := asked(t, c.metric, c.params...)
		var e *ParamError
		if !errors.As(err, &e) {
			t.Errorf("%s %v: %v, want a ParamError", c.metric, c.params, err)
			continue
		}
		if e.Param != c.param || e.Reason == "" || !strings.Contains(e.Error(), c.param) {
			t.Errorf("%s %v: blames %q: %v", c.metric, c.params, e.Param, e)
		}
		for _, a := range c.allowed {
			if !slices.Contains(e.Allowed, a) || !strings.Contains(e.Error(), a) {
				t.Errorf("%s %v: does not list %s: %v", c.metric, c.params, a, e)
			}
		}
	}
}

// TestParseInstants: what a text of from, to, as_of or known_at stands for.
func TestParseInstants(t *testing.T) {
	for _, c := range []struct{ param, tz, text, want string }{
		{"from", "UTC", "2026-01-01", "2026-01-01T00:00:00.000Z"},
		{"to", "UTC", "2026-01-01", "2026-01-01T00:00:00.000Z"},
		{"from", "Europe/Berlin", "2026-01-01", "2025-12-31T23:00:00.000Z"},
		{"from", "Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00.000Z"}, // the clock changes at 02:00 of this day
		{"from", "Europe/Berlin", "2025-03-31", "2025-03-30T22:00:00.000Z"},
		{"from", "Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00.000Z"},
		{"from", "Europe/Berlin", "2025-10-27", "2025-10-26T23:00:00.000Z"},
		{"from", "Asia/Kathmandu", "2025-06-01", "2025-05-31T18:15:00.000Z"},
		{"from", "Australia/Lord_Howe", "2025-10-06", "2025-10-05T13:00:00.000Z"},
		{"from", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00.000Z"}, // begins at 01:00
		{"to", "America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00.000Z"},   // 23:00 of the 17th came twice
		{"from", "America/Havana", "2025-03-09", "2025-03-09T05:00:00.000Z"},    // begins at 01:00
		{"from", "America/Havana", "2025-11-02", "2025-11-02T04:00:00.000Z"},    // midnight comes twice: the first
		{"from", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z"},      // a day that never was: the next one
		{"as_of", "America/New_York", "2025-07-04", "2025-07-04T04:00:00.000Z"},
		{"known_at", "America/New_York", "2025-07-04", "2025-07-04T04:00:00.000Z"},
		{"from", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000Z"}, // exact, whatever tz
		{"from", "Europe/Berlin", "2026-01-01T00:00:00+05:30", "2025-12-31T18:30:00.000Z"},
		{"from", "UTC", "2026-01-01T00:00:00 05:30", "2025-12-31T18:30:00.000Z"}, // a plus that a URL made a blank
		{"from", "UTC", "2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z"},
		// Events have milliseconds. [from, to) holds none before its bounds, [..as_of] none after.
		{"from", "UTC", "2026-01-01T00:00:00.123000001Z", "2026-01-01T00:00:00.124Z"},
		{"to", "UTC", "2026-01-01T00:00:00.123000001Z", "2026-01-01T00:00:00.124Z"},
		{"as_of", "UTC", "2026-01-01T00:00:00.123999999Z", "2026-01-01T00:00:00.123Z"},
		{"known_at", "UTC", "2026-01-01T00:00:00.123999999Z", "2026-01-01T00:00:00.123Z"},
	} {
		q, err := asked(t, "incidents", "tz="+c.tz, c.param+"="+c.text)
		if err != nil && c.param != "from" {
			t.Errorf("%s=%s in %s: %v", c.param, c.text, c.tz, err)
			continue
		}
		got := map[string]time.Time{"from": q.from, "to": q.to, "as_of": q.asOf, "known_at": q.knownAt}[c.param]
		if stamp(got) != c.want {
			t.Errorf("%s=%s in %s: %s, want %s", c.param, c.text, c.tz, stamp(got), c.want)
		}
	}
}

func TestParseWindowDefaults(t *testing.T) {
	const now = "2026-03-10T11:22:33.456Z"
	for _, c := range []struct {
		params                  []string
		from, to, asOf, knownAt string
	}{
		{nil, "2025-12-10T11:22:33.456Z", now, now, now},
		{[]string{"as_of=2026-01-31"}, "2025-11-02T00:00:00.000Z", "2026-01-31T00:00:00.000Z", "2026-01-31T00:00:00.000Z", now},
		{[]string{"to=2026-01-31"}, "2025-11-02T00:00:00.000Z", "2026-01-31T00:00:00.000Z", now, now},
		{[]string{"from=2026-01-31"}, "2026-01-31T00:00:00.000Z", now, now, now},
		{[]string{"known_at=2026-01-31"}, "2025-12-10T11:22:33.456Z", now, now, "2026-01-31T00:00:00.000Z"},
		// 90 × 24 h, also where a clock changed in between
		{[]string{"to=2026-04-01", "tz=Europe/Berlin"}, "2025-12-31T22:00:00.000Z", "2026-03-31T22:00:00.000Z", now, now},
		{[]string{"from=2026-01-01", "to=2026-01-01"}, "2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.000Z", now, now},
	} {
		q, err := asked(t, "incidents", c.params...)
		if err != nil {
			t.Errorf("%v: %v", c.params, err)
			continue
		}
		got := []string{stamp(q.from), stamp(q.to), stamp(q.asOf), stamp(q.knownAt)}
		if want := []string{c.from, c.to, c.asOf, c.knownAt}; !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", c.params, got, want)
		}
	}
}

func TestParseDefaultsOfMetrics(t *testing.T) {
	for _, c := range []struct {
		metric     string
		params     []string
		lens, auto string
	}{
		{"incidents", nil, "owner_then", "include"},
		{"hops", nil, "owner_then", "include"},
		{"ownership_quadrant", nil, "owner_then", "include"},
		{"pages", nil, "responder_team", "include"},
		{"interruptions", nil, "responder_team", "include"},
		{"oncall_hours", nil, "responder_team", "include"},
		{"time_to_resolve", nil, "owner_then", "exclude"},
		{"time_to_ack", nil, "owner_then", "exclude"},
		{"time_to_ack", []string{"profile=steward"}, "owner_then", "exclude"},
		{"time_to_ack", []string{"profile=pagerduty"}, "owner_then", "include"},
		{"time_to_ack", []string{"profile=goalert"}, "owner_then", "include"},
		{"time_to_ack", []string{"profile=grafana-oncall"}, "owner_then", "include"},
		{"time_to_ack", []string{"profile=opsgenie"}, "owner_then", "include"},
		{"time_to_ack", []string{"profile=incident-io"}, "owner_then", "include"},
		{"time_to_ack", []string{"profile=goalert", "auto_resolved=only"}, "owner_then", "only"},
		{"pages", []string{"lens=owner_now"}, "owner_now", "include"},
	} {
		q, err := asked(t, c.metric, c.params...)
		if err != nil {
			t.Errorf("%s %v: %v", c.metric, c.params, err)
			continue
		}
		if q.lens != c.lens || q.auto != c.auto {
			t.Errorf("%s %v: lens %s, auto_resolved %s; want %s, %s", c.metric, c.params, q.lens, q.auto, c.lens, c.auto)
		}
		if q.bucket != "none" || q.by != "none" || q.assume != "first" || q.hours.Name != "steward" || q.tz != "UTC" {
			t.Errorf("%s: bucket %s, by %s, assume %s, hours %s, tz %s", c.metric, q.bucket, q.by, q.assume, q.hours.Name, q.tz)
		}
	}
}

// TestParseLeavesTheCaller: a page asks eight metrics with the same values at once.
func TestParseLeavesTheCaller(t *testing.T) {
	v := url.Values{"person": {"Ana@Example.org", "pagerduty:acme:U1"}, "team": {"b", "a"}}
	q, err := parse(catalogue(t)["pages"], v, time.Now(), time.UTC, BuiltinHourSets())
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"ana@example.org", "pagerduty:acme:U1"}; !slices.Equal(q.person, want) {
		t.Errorf("persons %v, want %v", q.person, want)
	}
	if v["person"][0] != "Ana@Example.org" {
		t.Errorf("the caller's own value became %q", v["person"][0])
	}
}

func TestCuts(t *testing.T) {
	for _, c := range []struct {
		params []string
		want   []string
	}{
		{[]string{"from=2025-03-01", "to=2025-04-01"}, nil},
		{[]string{"from=2025-03-29", "to=2025-04-01", "tz=Europe/Berlin", "bucket=day"}, []string{"2025-03-29T23:00:00.000Z", "2025-03-30T22:00:00.000Z"}},
		{[]string{"from=2025-10-25", "to=2025-10-28", "tz=Europe/Berlin", "bucket=day"}, []string{"2025-10-25T22:00:00.000Z", "2025-10-26T23:00:00.000Z"}},
		{[]string{"from=2018-11-03", "to=2018-11-06", "tz=America/Sao_Paulo", "bucket=day"}, []string{"2018-11-04T03:00:00.000Z", "2018-11-05T02:00:00.000Z"}},
		{[]string{"from=2025-03-24T12:00:00Z", "to=2025-04-08", "tz=Europe/Berlin", "bucket=week"}, []string{"2025-03-30T22:00:00.000Z", "2025-04-06T22:00:00.000Z"}},
		{[]string{"from=2025-02-15", "to=2025-05-01", "tz=America/New_York", "bucket=month"}, []string{"2025-03-01T05:00:00.000Z", "2025-04-01T04:00:00.000Z"}},
		{[]string{"from=2025-02-15", "to=2026-01-02", "tz=America/New_York", "bucket=quarter"},
			[]string{"2025-04-01T04:00:00.000Z", "2025-07-01T04:00:00.000Z", "2025-10-01T04:00:00.000Z", "2026-01-01T05:00:00.000Z"}},
		// bounds of the window are no cuts, and as_of ends it
		{[]string{"from=2025-06-02", "to=2025-06-16", "bucket=week"}, []string{"2025-06-09T00:00:00.000Z"}},
		{[]string{"from=2025-06-02", "to=2025-06-23", "as_of=2025-06-09T00:00:00.001Z", "bucket=week"}, []string{"2025-06-09T00:00:00.000Z"}},
		{[]string{"from=2025-06-02", "to=2025-06-23", "as_of=2025-06-09", "bucket=week"}, nil},
		// the local day of from may be another than its UTC day
		{[]string{"from=2025-05-31T22:30:00Z", "to=2025-06-02T21:00:00Z", "tz=Europe/Berlin", "bucket=day"}, []string{"2025-06-01T22:00:00.000Z"}},
	} {
		q, err := asked(t, "oncall_hours", c.params...)
		if err != nil {
			t.Errorf("%v: %v", c.params, err)
			continue
		}
		var got []string
		for _, ms := range q.cuts() {
			got = append(got, stamp(time.UnixMilli(ms)))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.params, got, c.want)
		}
	}
}
