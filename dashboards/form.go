package dashboards

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/analytics"
)

// The form of a page's filters. Folded it is a line of chips, which say what every number
// on the page stands on; each chip's words must therefore be understood without opening it.

// choice is one option of a select.
type choice struct {
	Value, Text string
	Selected    bool
}

// field is one input of the filter form.
type field struct {
	Name, Label, Hint, Value, Kind string // Kind: select, text, date
	Choices                        []choice
	Offers                         []string // what a text may be, to choose from
	Bad                            bool
}

// chip is a filter as the folded form shows it.
type chip struct{ Label, Value string }

// filterView is the form of a page.
type filterView struct {
	Action   string
	Chips    []chip
	Fields   []field
	Hidden   []chip
	Problems []string
	Reset    string
}

var windowChoices = [][2]string{{"", "13 weeks"}, {"1w", "this week"}, {"4w", "4 weeks"}, {"26w", "26 weeks"}, {"52w", "52 weeks"}}

// What "team" may mean. Without a choice each metric takes its own: pages go to the team
// of the person paged, incidents to the owner at the time.
var (
	lensChoices      = [][2]string{{"", "owner then, or who was paged"}, {"owner_then", "owner at the time"}, {"owner_now", "owner now"}, {"responder_team", "responder’s team"}}
	ownerLensChoices = [][2]string{{"", "owner at the time"}, {"owner_now", "owner now"}, {"responder_team", "responder’s team"}}
)

// hourWords say what a set of hour classes calls asleep, which is the class that matters.
var hourWords = map[string]string{"steward": "steward: asleep 22–08", "pagerduty": "pagerduty: asleep 22–08", "incident-io": "incident-io: asleep 23–08"}

// form is what a page shows of its filters; names lists those that mean something on it.
// "owner lens" is the lens where every number is of incidents, so that its usual meaning
// has a name.
func (s *Server) form(f *filter, dir *analytics.Directory, names ...string) *filterView {
	if dir == nil {
		dir = &analytics.Directory{}
	}
	b := formBuilder{f, &filterView{Action: f.page, Reset: f.page}}
	v := b.v
	for _, p := range f.problems {
		msg := p.Param + ": " + p.Reason
		if len(p.Allowed) > 0 {
			msg += "; allowed: " + strings.Join(p.Allowed, ", ")
		}
		v.Problems = append(v.Problems, msg)
	}
	b.window()
	b.date("from", "From", "the first day", "")
	b.date("to", "To", "the day after the last; empty is now", "")
	for _, n := range names {
		switch n {
		case "team":
			b.pick("team", "Team", named(dir.Teams, func(t analytics.Team) (string, string) { return t.ID, t.Name }))
		case "service":
			b.pick("service", "Service", named(dir.Services, func(t analytics.Service) (string, string) { return t.ID, t.Name }))
		case "skill":
			b.pick("skill", "Skill", s.skillChoices())
		case "lens":
			b.pick("lens", "Team means", lensChoices)
		case "owner lens":
			b.pick("lens", "Team means", ownerLensChoices)
		case "hours":
			b.pick("hours", "Hours", b.sets(s.allowed("interruptions", "hours", "pagerduty", "incident-io"), hourWords))
		case "profile":
			b.pick("profile", "Definitions", b.sets(s.allowed("time_to_ack", "profile"), nil))
		}
	}
	v.Fields = append(v.Fields, field{Name: "tz", Label: "Time zone", Hint: "an IANA name; empty is " + s.Zone.String(), Value: f.get("tz"), Kind: "text", Bad: b.bad("tz"), Offers: zones(dir)})
	v.Chips = append(v.Chips, chip{"time zone", f.zone.String()})
	asOf := "now"
	if f.get("as_of") != "" {
		asOf = f.stamp(f.now)
	}
	b.date("as_of", "As of", "what had happened by then; empty is now", asOf)
	if k := f.get("known_at"); k != "" {
		v.Hidden = append(v.Hidden, chip{"known_at", k})
		v.Chips = append(v.Chips, chip{"known at", k})
	}
	return v
}

type formBuilder struct {
	f *filter
	v *filterView
}

func (b formBuilder) bad(name string) bool {
	return slices.ContainsFunc(b.f.problems, func(p *analytics.ParamError) bool { return p.Param == name })
}

// pick adds a select and its chip; a value that is none of the options stays as it came.
func (b formBuilder) pick(name, label string, options [][2]string) {
	fd := field{Name: name, Label: label, Kind: "select", Bad: b.bad(name)}
	cur := b.f.get(name)
	if name == "lens" && cur == "owner_then" && options[0][1] == ownerLensChoices[0][1] {
		cur = "" // the same by its other name
	}
	text, known := cur, false
	for _, o := range options {
		fd.Choices = append(fd.Choices, choice{o[0], o[1], o[0] == cur})
		if o[0] == cur {
			text, known = o[1], true
		}
	}
	if !known {
		fd.Choices = append(fd.Choices, choice{cur, cur, true})
	}
	b.v.Chips = append(b.v.Chips, chip{strings.ToLower(label), text})
	b.v.Fields = append(b.v.Fields, fd)
}

// window adds the length of the window; its chip says from when on, too.
func (b formBuilder) window() {
	if b.f.window == "" {
		fd := field{Name: "window", Label: "Window", Kind: "select", Hint: "from and to stand above it"}
		for _, o := range windowChoices {
			fd.Choices = append(fd.Choices, choice{o[0], o[1], false})
		}
		b.v.Chips = append(b.v.Chips, chip{"window", b.f.stamp(b.f.from) + " to " + b.f.stamp(b.f.to)})
		b.v.Fields = append(b.v.Fields, fd)
		return
	}
	options := windowChoices
	if m := windowText.FindStringSubmatch(b.f.get("window")); m != nil && !slices.ContainsFunc(options, func(o [2]string) bool { return o[0] == m[0] }) {
		unit := map[string]string{"d": " days", "w": " weeks"}[m[2]]
		options = append(slices.Clone(options), [2]string{m[0], m[1] + unit})
	}
	b.pick("window", "Window", options)
	if !b.bad("window") {
		c := &b.v.Chips[len(b.v.Chips)-1]
		c.Value += " from " + b.f.from.In(b.f.zone).Format("2 Jan")
		if b.f.toText != "" {
			c.Value += " to " + b.f.stamp(b.f.to)
		}
	}
}

// date adds a day to choose. A moment with its hour, which a link may carry, is kept as text.
func (b formBuilder) date(name, label, hint, shown string) {
	fd := field{Name: name, Label: label, Hint: hint, Value: b.f.get(name), Kind: "date", Bad: b.bad(name)}
	if _, err := time.Parse(time.DateOnly, fd.Value); err != nil && fd.Value != "" {
		fd.Kind, fd.Hint = "text", "a date, or an RFC 3339 time"
	}
	b.v.Fields = append(b.v.Fields, fd)
	if shown != "" {
		b.v.Chips = append(b.v.Chips, chip{strings.ToLower(label), shown})
	}
}

// sets are the values of a parameter whose usual one is steward.
func (formBuilder) sets(values []string, words map[string]string) [][2]string {
	out := [][2]string{{"", cmp.Or(words["steward"], "steward")}}
	for _, v := range values {
		if v != "steward" {
			out = append(out, [2]string{v, cmp.Or(words[v], v)})
		}
	}
	return out
}

func named[T any](things []T, read func(T) (id, name string)) [][2]string {
	out := [][2]string{{"", "all"}}
	for _, t := range things {
		id, name := read(t)
		out = append(out, [2]string{id, or(name, id)})
	}
	return out
}

// zones are those that people are in, and UTC.
func zones(dir *analytics.Directory) []string {
	out := []string{"UTC"}
	for _, p := range dir.People {
		if p.Zone != "" {
			out = append(out, p.Zone)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// allowed lists the values of a metric's parameter, or what else there is.
func (s *Server) allowed(metric, name string, other ...string) []string {
	for _, p := range s.metrics[metric].Params {
		if p.Name == name && len(p.Allowed) > 0 {
			return p.Allowed
		}
	}
	return other
}
