package oracle

import (
	"slices"
	"strings"
	"testing"
)

const ana, bo = "ana@example.org", "bo@example.org"

// TestSixtySeconds: pages within 60 seconds of the first, inclusive, are one
// interruption; the chain does not stretch, and a new first page begins a new minute.
func TestSixtySeconds(t *testing.T) {
	for name, c := range map[string]struct {
		pages []string
		want  string
	}{
		"60 s is the same":         {[]string{"10:00:00Z", "10:01:00Z"}, "||1|1"},
		"a millisecond more":       {[]string{"10:00:00Z", "10:01:00.001Z"}, "||2|1"},
		"anchored at the first":    {[]string{"10:00:00Z", "10:00:40Z", "10:01:20Z"}, "||2|1"},
		"the third continues":      {[]string{"10:00:00Z", "10:01:20Z", "10:02:20Z"}, "||2|1"},
		"20 min joins":             {[]string{"10:00:00Z", "10:20:00Z"}, "||2|1"},
		"a millisecond more parts": {[]string{"10:00:00Z", "10:20:00.001Z"}, "||2|2"},
		"from first to first page": {[]string{"10:00:00Z", "10:01:00Z", "10:20:30Z"}, "||2|2"},
		"groups do chain":          {[]string{"10:00:00Z", "10:19:00Z", "10:38:00Z"}, "||3|1"},
	} {
		h := &history{t: t}
		for _, at := range c.pages {
			h.paged("2025-05-06T"+at, ana, nil)
		}
		want(t, name, rows(t, h.answer("interruptions", year(t)), "interruptions", "groups"), c.want)
	}
}

// TestWhatInterrupts: push, text and call to somebody, unless known undelivered.
func TestWhatInterrupts(t *testing.T) {
	h := &history{t: t}
	h.paged("2025-05-06T01:00:00Z", ana, data{"channel": "email"})
	h.paged("2025-05-06T02:00:00Z", ana, data{"channel": "chat"})
	h.paged("2025-05-06T03:00:00Z", ana, data{"channel": "webhook"})
	h.paged("2025-05-06T04:00:00Z", ana, data{"delivered": false})
	h.paged("2025-05-06T05:00:00Z", "", nil)
	h.paged("2025-05-06T06:00:00Z", ana, data{"channel": "sms", "delivered": true})
	h.paged("2025-05-06T07:00:00Z", bo, data{"channel": "phone"})
	want(t, "pages", rows(t, h.answer("pages", year(t)), "pages", "people", "interrupting", "unanswered"), "||7|2|3|0")
	want(t, "interruptions", rows(t, h.answer("interruptions", year(t)), "interruptions", "people"), "||2|2")
}

// TestWindowNeverSplits: an interruption, group and night begun before from start no new
// one after it, and filters form nothing anew.
func TestWindowNeverSplits(t *testing.T) {
	h := &history{t: t}
	h.opened("2025-05-06T23:00:00Z", "i1", data{"service": "api", "urgency": "low"})
	h.paged("2025-05-06T23:59:30Z", ana, nil)
	h.paged("2025-05-07T00:00:20Z", ana, nil)                    // same interruption
	h.paged("2025-05-07T00:15:00Z", ana, data{"incident": "i1"}) // same group, same night
	h.paged("2025-05-07T05:00:00Z", ana, data{"urgency": "high"})
	p := year(t)
	want(t, "year", rows(t, h.answer("interruptions", p), "interruptions", "groups", "nights", "hours"), "||3|2|1|3")
	p.From = ts(t, "2025-05-07T00:00:00Z")
	want(t, "from midnight", rows(t, h.answer("interruptions", p), "interruptions", "groups", "nights", "hours"), "||2|1|0|2")
	p.Urgency = []string{"low"}
	want(t, "low", rows(t, h.answer("interruptions", p), "interruptions", "groups", "nights"), "||1|0|0")
	p = year(t)
	p.Bucket = "day"
	want(t, "days", rows(t, h.answer("interruptions", p), "interruptions", "groups", "nights"),
		"2025-05-06||1|1|1", "2025-05-07||2|1|0")
}

// TestNights run from noon to noon on the person's clock.
func TestNights(t *testing.T) {
	h := &history{t: t}
	h.described("2025-01-01T00:00:00Z", ana, data{"time_zone": "Asia/Kolkata"}) // +05:30
	for _, at := range []string{
		"2025-05-06T17:00:00Z", // 22:30, night of the 6th
		"2025-05-06T20:00:00Z", // 01:30, the same night
		"2025-05-07T02:00:00Z", // 07:30, the same night
		"2025-05-07T06:00:00Z", // 11:30, business: no night
		"2025-05-07T16:30:00Z", // 22:00, night of the 7th
	} {
		h.paged(at, ana, nil)
	}
	want(t, "nights", rows(t, h.answer("interruptions", year(t)), "sleep", "business", "nights", "hours"), "||4|1|2|5")
}

// TestRepeatedHour: 02:30 comes twice in Berlin on 26 October 2025, and is two clock
// hours; the two half hours of 01 that Lord Howe has on 6 April are two as well.
func TestRepeatedHour(t *testing.T) {
	h := &history{t: t}
	h.described("2025-01-01T00:00:00Z", ana, data{"time_zone": "Europe/Berlin"})
	h.paged("2025-10-26T00:30:00Z", ana, nil) // 02:30 +02:00
	h.paged("2025-10-26T00:45:00Z", ana, nil) // 02:45 +02:00
	h.paged("2025-10-26T01:30:00Z", ana, nil) // 02:30 +01:00
	want(t, "Berlin", rows(t, h.answer("interruptions", year(t)), "interruptions", "hours", "nights"), "||3|2|1")

	h = &history{t: t}
	h.described("2025-01-01T00:00:00Z", ana, data{"time_zone": "Australia/Lord_Howe"})
	h.paged("2025-04-05T14:45:00Z", ana, nil) // 01:45 +11:00
	h.paged("2025-04-05T15:15:00Z", ana, nil) // 01:45 +10:30
	want(t, "Lord Howe", rows(t, h.answer("interruptions", year(t)), "interruptions", "hours"), "||2|2")

	h = &history{t: t}
	p := year(t)
	p.TZ, p.By = "America/New_York", "weekday_hour"
	h.paged("2025-11-02T05:30:00Z", ana, nil) // Sunday 01:30 -04:00
	h.paged("2025-11-02T06:30:00Z", ana, nil) // Sunday 01:30 -05:00
	want(t, "New York", rows(t, h.answer("interruptions", p), "interruptions", "hours"), "|7-01|2|2")
}

// TestHourClasses pins the bounds of each set, working hours and holidays, on UTC clocks.
// 2025-05-05 is a Monday.
func TestHourClasses(t *testing.T) {
	hours := data{"working_hours": data{"tue": [][]string{{"06:00", "09:00"}, {"22:30", "24:00"}}, "thu": [][]string{}}}
	holiday := data{"holidays": []string{"2025-05-06"}}
	both := data{"working_hours": hours["working_hours"], "holidays": holiday["holidays"]}
	none := data{"working_hours": data{}, "holidays": []string{}}
	for _, c := range []struct {
		set  string
		who  data
		want map[string]string
	}{
		{"steward", none, map[string]string{
			"2025-05-05T07:59:59Z": "sleep", "2025-05-05T08:00:00Z": "business", "2025-05-05T17:59:59Z": "business",
			"2025-05-05T18:00:00Z": "off", "2025-05-05T21:59:59Z": "off", "2025-05-05T22:00:00Z": "sleep",
			"2025-05-10T07:00:00Z": "sleep", "2025-05-10T08:00:00Z": "off", "2025-05-11T17:00:00Z": "off", "2025-05-11T23:00:00Z": "sleep",
		}},
		{"incident-io", none, map[string]string{
			"2025-05-05T07:59:59Z": "sleep", "2025-05-05T08:00:00Z": "business", "2025-05-05T18:59:59Z": "business",
			"2025-05-05T19:00:00Z": "off", "2025-05-05T22:59:59Z": "off", "2025-05-05T23:00:00Z": "sleep", "2025-05-10T12:00:00Z": "business",
		}},
		{"steward", hours, map[string]string{
			"2025-05-06T05:59:59Z": "sleep", "2025-05-06T06:00:00Z": "business", "2025-05-06T08:59:59Z": "business",
			"2025-05-06T09:00:00Z": "off", "2025-05-06T22:29:59Z": "sleep", "2025-05-06T23:59:59Z": "business",
			"2025-05-07T00:00:00Z": "sleep", "2025-05-07T10:00:00Z": "off", "2025-05-08T10:00:00Z": "off",
		}},
		{"incident-io", hours, map[string]string{"2025-05-10T12:00:00Z": "off", "2025-05-06T23:00:00Z": "business"}},
		{"steward", holiday, map[string]string{"2025-05-06T10:00:00Z": "off", "2025-05-06T07:00:00Z": "sleep", "2025-05-07T10:00:00Z": "business"}},
		{"steward", both, map[string]string{"2025-05-06T07:00:00Z": "sleep", "2025-05-06T08:30:00Z": "off", "2025-05-06T23:00:00Z": "sleep"}},
		{"incident-io", holiday, map[string]string{"2025-05-06T10:00:00Z": "off"}},
	} {
		for at, class := range c.want {
			h := &history{t: t}
			h.described("2025-01-01T00:00:00Z", ana, c.who)
			h.paged(at, ana, nil)
			p := year(t)
			p.By, p.Hours = "hour_class", c.set
			want(t, c.set+" "+at, rows(t, h.answer("pages", p), "pages"), "|"+class+"|1")
		}
	}
}

// TestDescriptionOfItsTime: a page is classed by the description then in force; several
// tools' parts add up, emptiness takes nothing back, the first one reaches into the past.
func TestDescriptionOfItsTime(t *testing.T) {
	h := &history{t: t}
	h.described("2025-03-01T00:00:00Z", ana, data{"time_zone": "Asia/Kolkata", "aliases": []string{"W1"}})
	h.described("2025-04-01T00:00:00Z", "W1", data{"time_zone": "", "working_hours": data{}, "holidays": nil, "name": "Ana"})
	h.described("2025-06-01T00:00:00Z", "W1", data{"time_zone": "America/New_York"})
	for _, at := range []string{"2025-02-04", "2025-05-06", "2025-07-01"} { // Tuesdays, 19:00 UTC
		h.paged(at+"T19:00:00Z", "W1", nil)
	}
	p := year(t)
	p.Bucket, p.By = "month", "hour_class"
	res := h.answer("interruptions", p)
	want(t, "first", rows(t, res, "interruptions", "people"),
		"2025-02-01|sleep|1|1", "2025-05-01|sleep|1|1", "2025-07-01|business|1|1")
	if res.Assumed["zone"] != 1 || len(res.Assumed) != 1 {
		t.Errorf("assumed %v, want one zone", res.Assumed)
	}
	p.Assume = "none"
	want(t, "none", rows(t, h.answer("interruptions", p), "interruptions"),
		"2025-02-01|off|1", "2025-05-01|sleep|1", "2025-07-01|business|1")
	p.AsOf = ts(t, "2025-05-31T00:00:00Z")
	want(t, "as of", rows(t, h.answer("interruptions", p), "interruptions"), "2025-02-01|off|1", "2025-05-01|sleep|1")
}

// TestBuckets begin on the organisation's calendar.
func TestBuckets(t *testing.T) {
	for bucket, day := range map[string]string{"day": "2025-04-01", "week": "2025-03-31", "month": "2025-04-01", "quarter": "2025-04-01", "none": ""} {
		h := &history{t: t}
		h.paged("2025-03-31T22:00:00Z", ana, nil) // Tuesday 1 April, 00:00 in Berlin
		p := year(t)
		p.Bucket, p.TZ = bucket, "Europe/Berlin"
		want(t, bucket, rows(t, h.answer("pages", p), "pages"), day+"||1")
	}
}

// TestRefusals: unknown values, and parameters that a metric does not take.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		metric string
		p      Params
	}{
		"metric": {"mttr", Params{}}, "by person": {"incidents", Params{By: "person"}}, "bucket": {"pages", Params{Bucket: "year"}},
		"lens of oncall": {"oncall_hours", Params{Lens: "owner_then"}}, "profile of resolve": {"time_to_resolve", Params{Profile: "goalert"}},
		"zone": {"pages", Params{TZ: "Mars/Olympus"}}, "auto of pages": {"pages", Params{AutoResolved: "only"}},
	} {
		if _, err := Answer(nil, c.metric, c.p, Now()); err == nil || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, m := range Metrics() {
		if r, err := Answer(nil, m, Params{}, Now()); err != nil || len(r.Rows) != 0 || !slices.Equal(r.Columns[:2], []string{"bucket", "key"}) {
			t.Errorf("%s of nothing: %v, %v", m, r, err)
		}
	}
}
