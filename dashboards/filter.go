package dashboards

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// Theory of operation of the filters
//
//  1. Every filter of a page is in its URL under the name METRICS gives it, plus `window`,
//     which is short for a `from` that moves along: 13w, 26w, 90d.
//  2. A window begins at a local midnight, of a Monday where it is counted in weeks, so
//     that its first bar is a whole week and the same question has the same text all day,
//     which is what the answers' cache goes by. `to` is left to mean now unless it is given.
//  3. Wrong values are said once at the top of the page, with the field; the form keeps
//     what was typed.

const defaultWindow = "13w"

var windowText = regexp.MustCompile(`^([1-9][0-9]{0,3})([dw])$`)

// kept are the parameters that links between pages carry on.
var kept = []string{"window", "from", "to", "tz", "lens", "hours", "profile", "as_of", "known_at"}

type filter struct {
	page     string // path of the page, where the form leads
	values   url.Values
	zone     *time.Location
	now      time.Time // what as_of stands for: the given one or now
	from, to time.Time // resolved; to is now where it was left open
	fromText string    // as asked of metrics
	toText   string    // "" means now
	window   string    // "" where from was given
	problems []*analytics.ParamError
}

// filter reads the filters of a request. It never fails: problems are said on the page.
func (s *Server) filter(c echo.Context) *filter {
	f := &filter{page: c.Request().URL.EscapedPath(), values: c.QueryParams(), zone: s.Zone, now: s.Now()}
	if tz := f.get("tz"); tz != "" {
		if loc, err := time.LoadLocation(tz); err == nil && tz != "Local" {
			f.zone = loc
		} // metrics say what is wrong with it
	}
	at := func(name string) (time.Time, bool) {
		v := f.get(name)
		if v == "" {
			return time.Time{}, false
		}
		t, err := s.instant(v, f.zone)
		if err != nil {
			f.complain(&analytics.ParamError{Param: name, Reason: err.Error()})
			return time.Time{}, false
		}
		return t, true
	}
	if t, ok := at("as_of"); ok {
		f.now = t
	}
	f.to = f.now
	if t, ok := at("to"); ok {
		f.to, f.toText = t, f.get("to")
	}
	if t, ok := at("from"); ok {
		f.from, f.fromText = t, f.get("from")
	} else {
		f.window = f.get("window")
		m := windowText.FindStringSubmatch(f.window)
		if m == nil {
			if f.window != "" {
				f.complain(&analytics.ParamError{Param: "window", Reason: fmt.Sprintf("%q is not a number of weeks or days like 13w or 90d", f.window)})
			}
			f.window = defaultWindow
			m = windowText.FindStringSubmatch(f.window)
		}
		n, _ := strconv.Atoi(m[1])
		f.from = f.back(n, m[2])
		f.fromText = f.from.In(f.zone).Format(time.DateOnly)
	}
	if f.from.After(f.to) {
		f.complain(&analytics.ParamError{Param: "from", Reason: "is after to"})
		f.from, f.fromText = f.back(13, "w"), f.back(13, "w").In(f.zone).Format(time.DateOnly)
	}
	if slices.Contains(f.values["tz"], "Local") {
		f.complain(&analytics.ParamError{Param: "tz", Reason: "an IANA name like Europe/Berlin is wanted"})
	}
	return f
}

// back is the start of a window of n weeks or days that ends at to: n whole or begun ones.
func (f *filter) back(n int, unit string) time.Time {
	end := f.last()
	days := n - 1
	if unit == "w" {
		days = 7*(n-1) + (int(end.Weekday())+6)%7
	}
	t := time.Date(end.Year(), end.Month(), end.Day()-days, 0, 0, 0, 0, f.zone)
	if first := time.Date(1990, 1, 1, 0, 0, 0, 0, f.zone); t.Before(first) {
		return first
	}
	return t
}

// last is the last moment of the window: to itself is not in it, so that a window up to a
// Monday's midnight holds nothing of that Monday's week.
func (f *filter) last() time.Time { return f.to.Add(-time.Nanosecond).In(f.zone) }

func (f *filter) get(name string) string { return strings.TrimSpace(f.values.Get(name)) }

// complain notes a problem once.
func (f *filter) complain(p *analytics.ParamError) {
	for _, q := range f.problems {
		if q.Param == p.Param {
			return
		}
	}
	f.problems = append(f.problems, p)
}

// params are the parameters of a question: the page's filters, then pairs of name and
// value; "" removes. What the metric does not take is left out.
func (f *filter) params(m analytics.Metric, pairs ...string) url.Values {
	v := url.Values{"from": {f.fromText}}
	if f.toText != "" {
		v.Set("to", f.toText)
	}
	for _, name := range []string{"tz", "lens", "hours", "profile", "as_of", "known_at"} {
		if s := f.get(name); s != "" {
			v.Set(name, s)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		} else {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	for name := range v {
		if !slices.ContainsFunc(m.Params, func(p analytics.Param) bool { return p.Name == name }) {
			v.Del(name)
		}
	}
	return v
}

// link is an address of ours with the page's filters; pairs add to or, with "", take
// away from them.
func (f *filter) link(path string, pairs ...string) string {
	v := url.Values{}
	for _, name := range kept {
		if s := f.get(name); s != "" {
			v.Set(name, s)
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		} else {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

func at(kind, id string) string { return "/" + kind + "/" + url.PathEscape(id) }

// lastWeeks is the Monday with which the last n weeks of the window begin, or the window's
// own beginning where that is later.
func (f *filter) lastWeeks(n int) string {
	t := f.back(n, "w")
	if t.Before(f.from) {
		t = f.from
	}
	return t.In(f.zone).Format(time.DateOnly)
}

// since says the window in words: "the 13 weeks since Mon 31 Aug 2026".
func (f *filter) since() string {
	from := f.from.In(f.zone).Format("Mon 2 Jan 2006")
	days := f.to.Sub(f.from).Hours() / 24
	span := plural(float64(int(days+0.99)), "day", "days")
	if days > 20 && !strings.HasSuffix(f.window, "d") {
		span = plural(float64(int(days/7+0.99)), "week", "weeks")
	}
	if f.toText == "" && f.get("as_of") == "" {
		return "the " + span + " since " + from
	}
	return "the " + span + " from " + from + " to " + f.stamp(f.to)
}

// stamp writes a moment in the page's zone with the zone.
func (f *filter) stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.In(f.zone).Format("2 Jan 2006 15:04 MST")
}
