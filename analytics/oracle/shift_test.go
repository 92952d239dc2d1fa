package oracle

import (
	"testing"

	"github.com/stewardhq/steward/ingest/event"
)

const (
	planned = event.ShiftPlanned
	worked  = event.ShiftWorked
	start   = "2025-05-05T08:00:00Z" // a Monday
	ten     = "2025-05-05T10:00:00Z"
	end     = "2025-05-05T12:00:00Z"
)

// TestShiftPrecedence: on one schedule and level worked shifts count before overrides,
// overrides before plans, of one rank side by side; other schedules and levels do not
// mind; shadows neither count nor displace.
func TestShiftPrecedence(t *testing.T) {
	for name, c := range map[string]struct {
		tell func(h *history)
		want []string
	}{
		"plan": {func(h *history) {}, []string{"|ana@example.org|4|0|4"}},
		"override": {func(h *history) {
			h.shift(planned, start, "r", bo, ten, end, data{"override": true})
		}, []string{"|ana@example.org|2|0|2", "|bo@example.org|2|0|2"}},
		"worked before override": {func(h *history) {
			h.shift(planned, start, "r", bo, start, end, data{"override": true})
			h.shift(worked, ten, "r", ana, start, ten, data{"shift": "w"})
		}, []string{"|ana@example.org|2|0|2", "|bo@example.org|2|0|2"}},
		"side by side": {func(h *history) {
			h.shift(planned, start, "r", bo, ten, end, nil)
		}, []string{"|ana@example.org|4|0|4", "|bo@example.org|2|0|2"}},
		"another level": {func(h *history) {
			h.shift(planned, start, "r", bo, start, end, data{"override": true, "level": 2})
		}, []string{"|ana@example.org|4|0|4", "|bo@example.org|0|4|4"}},
		"another schedule": {func(h *history) {
			h.shift(worked, start, "s", bo, start, end, nil)
		}, []string{"|ana@example.org|4|0|4", "|bo@example.org|4|0|4"}},
		"secondary": {func(h *history) {
			h.shift(planned, start, "r", bo, start, end, data{"override": true, "role": "secondary"})
		}, []string{"|ana@example.org|4|0|4", "|bo@example.org|0|4|4"}},
		"secondary with a level": {func(h *history) {
			h.shift(planned, start, "r", bo, start, ten, data{"override": true, "role": "secondary", "level": 1})
		}, []string{"|ana@example.org|2|0|2", "|bo@example.org|2|0|2"}},
		"shadow": {func(h *history) {
			h.shift(worked, end, "r", bo, start, end, data{"role": "shadow"})
			h.shift(worked, end, "r", bo, start, end, data{"role": "reverse_shadow", "shift": "x"})
		}, []string{"|ana@example.org|4|0|4"}},
		"corrected": {func(h *history) {
			h.shift(planned, ten, "r", bo, start, end, data{"shift": "base"})
		}, []string{"|bo@example.org|4|0|4"}},
		"cancelled": {func(h *history) {
			h.shift(planned, ten, "r", ana, start, start, data{"shift": "base"})
		}, []string{}},
		"an older correction": {func(h *history) {
			h.shift(planned, "2025-04-01T00:00:00Z", "r", bo, start, end, data{"shift": "base"})
		}, []string{"|ana@example.org|4|0|4"}},
		"levels of one person": {func(h *history) { // level 1 for 4 h, level 2 from 10 to 14: 2 h of it alone
			h.shift(planned, start, "s", ana, ten, "2025-05-05T14:00:00Z", data{"level": 2})
		}, []string{"|ana@example.org|4|2|6"}},
	} {
		h := &history{t: t}
		h.shift(planned, "2025-05-01T00:00:00Z", "r", ana, start, end, data{"shift": "base"})
		c.tell(h)
		p := year(t)
		p.By = "person"
		want(t, name, rows(t, h.answer("oncall_hours", p), "primary", "secondary", "total"), c.want...)
	}
}

// TestLevelMinimum: a moment counts once, at the lowest level the person holds.
func TestLevelMinimum(t *testing.T) {
	h := &history{t: t}
	h.shift(planned, start, "r", ana, start, ten, data{"level": 1})
	h.shift(planned, start, "s", ana, start, end, data{"level": 3})
	h.shift(planned, start, "t", ana, ten, end, data{"level": 2})
	h.shift(planned, start, "u", bo, ten, end, data{"level": 3})
	p := year(t)
	p.By = "level"
	want(t, "levels", rows(t, h.answer("oncall_hours", p), "primary", "secondary", "total", "people"),
		"|1|2|0|2|1", "|2|0|2|2|1", "|3|0|2|2|1")
	p.By = "none"
	want(t, "all", rows(t, h.answer("oncall_hours", p), "primary", "secondary", "total", "people"), "||2|4|6|2")
}

// TestOnCallCuts: hours are cut at the window and at as_of; a shift that is stated later
// than as_of is none, and duty to come does not count.
func TestOnCallCuts(t *testing.T) {
	h := &history{t: t}
	h.shift(planned, "2025-05-01T00:00:00Z", "r", ana, start, end, nil)
	h.shift(planned, ten, "r", bo, start, end, nil)
	p := year(t)
	p.By = "person"
	p.AsOf = ts(t, "2025-05-05T09:30:00Z")
	want(t, "as_of", rows(t, h.answer("oncall_hours", p), "total"), "|ana@example.org|1.5")
	p.AsOf = ts(t, "2025-05-05T10:30:00Z")
	p.From, p.To = ts(t, "2025-05-05T10:00:00.036Z"), ts(t, "2025-05-05T11:00:00Z")
	want(t, "window", rows(t, h.answer("oncall_hours", p), "total"), "|ana@example.org|0.49999", "|bo@example.org|0.49999")
}

// TestOnCallSplits: teams, hours of the day and calendars cut a shift in pieces, with real
// elapsed time through a clock change.
func TestOnCallSplits(t *testing.T) {
	h := &history{t: t}
	h.described("2025-01-01T00:00:00Z", ana, data{"time_zone": "Europe/Berlin"})
	h.joined("2025-10-26T02:00:00Z", "core", ana)
	h.left("2025-10-26T03:00:00Z", "core", ana)
	h.joined("2025-10-26T03:00:00Z", "bolt", ana)
	h.joined("2025-10-26T03:00:00Z", "apex", ana)
	h.shift(planned, "2025-10-01T00:00:00Z", "r", ana, "2025-10-25T18:00:00Z", "2025-10-26T08:00:00Z", nil)
	p := year(t)
	p.By = "hour_class" // Saturday 20:00 to Sunday 09:00 in Berlin, 14 hours that night
	want(t, "classes", rows(t, h.answer("oncall_hours", p), "total", "people"), "|off|3|1", "|sleep|11|1")
	p.By = "team"
	res := h.answer("oncall_hours", p)
	want(t, "teams", rows(t, res, "total"), "|apex|5", "|core|9")
	if len(res.Assumed) != 0 {
		t.Errorf("assumed %v: no incident and no page is in question", res.Assumed)
	}
	p.Assume = "none"
	want(t, "teams, nothing assumed", rows(t, h.answer("oncall_hours", p), "total"), "||8", "|apex|5", "|core|1")
	p.Team = []string{"core"}
	want(t, "one team", rows(t, h.answer("oncall_hours", p), "total"), "|core|1")
	p = year(t)
	p.Bucket, p.TZ = "day", "Europe/Berlin"
	want(t, "days", rows(t, h.answer("oncall_hours", p), "total"), "2025-10-25||4", "2025-10-26||10")
	p.Bucket, p.By, p.From, p.To = "none", "weekday_hour", ts(t, "2025-10-26T00:30:00Z"), ts(t, "2025-10-26T02:15:00Z")
	want(t, "hours", rows(t, h.answer("oncall_hours", p), "total"), "|7-02|1.5", "|7-03|0.25")
}
