package dashboards

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// The page of everything that is due: what is overdue first, then by date. For a lead it is a
// list of work to talk about, by day and then by name; it holds no scores, and nothing in it is
// ordered by what somebody can do.

// dueView is the list with its forms.
type dueView struct {
	Csrf, Back, Say string
	Said            []bit
	CSV             string
	N               string
	Lines           []dueLine
	Waives          bool // whether any line can be waived
	Rules           []ruleLine
	Reasons         []string
	Empty           []bit
	Give            string // address of the page that assigns; empty for whom it is not
}

// ruleLine is a standing rule.
type ruleLine struct {
	Module, ModuleHref, For, By, Why string
	Action, Assignment               string // of the form that ends it
}

type dueLine struct {
	Name, Href         string
	Module, ModuleHref string
	Due, DueISO, Soon  string
	Overdue            bool
	State, By, Why     string
	Cites              []navItem
	Action             string // of the form that waives; empty: none
	Assignment, Person string
}

// dueStates are the choices of the filter by state; the first is what is shown without one.
var dueStates = [][2]string{{"", "to do"}, {"overdue", "overdue"}, {"week", "due within 7 days"}, {analytics.StateAssigned, "not begun"}, {analytics.StateStarted, "begun"}, {analytics.StatePassed, "quiz passed"},
	{analytics.StateCompleted, "completed"}, {analytics.StateWaived, "waived"}, {analytics.StateAbandoned, "abandoned"}, {"all", "all"}}

// inState says whether a row is in a state of the filter.
func inState(r analytics.AssignmentRow, state string, now time.Time) bool {
	switch state {
	case "":
		return r.ToDo()
	case "all":
		return true
	case "overdue":
		return r.Overdue
	case "week":
		return r.Open() && !r.Overdue && !r.Due.IsZero() && !r.Due.After(now.AddDate(0, 0, 7))
	}
	return r.State == state
}

// assignments answers: what is due, for me and for the teams I lead?
func (s *Server) assignments(c echo.Context) error {
	f, w := s.filter(c), who(c)
	teams := dueTeams(w, f)
	ask := s.asker(c, f)
	dir := ask.names()
	var rows []analytics.AssignmentRow
	ask.do(func(ctx context.Context) (err error) {
		if len(teams) == 0 && !w.IsOperator() {
			if w.Learns() == nil {
				rows, err = ask.read.Assignments(ctx, analytics.AssignmentFilter{Own: true, Tracks: s.tracks()})
			}
			return err
		}
		rows, err = ask.read.Assignments(ctx, analytics.AssignmentFilter{Team: teams, Tracks: s.tracks()})
		if err == nil && f.get("team") == "" && w.Learns() == nil {
			var own []analytics.AssignmentRow
			own, err = ask.read.Assignments(ctx, analytics.AssignmentFilter{Own: true, Tracks: s.tracks()})
			for _, r := range own { // a lead need not be in a team they lead
				if !slices.ContainsFunc(rows, func(x analytics.AssignmentRow) bool {
					return x.ID == r.ID && x.Module == r.Module && x.Person == r.Person
				}) {
					rows = append(rows, r)
				}
			}
		}
		return err
	})
	var rules []analytics.Rule
	ask.do(func(ctx context.Context) (err error) { rules, err = ask.read.Rules(ctx); return })
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Assignments", Nav: "Training", Notice: doneWords[c.QueryParam("done")]}
	p.Sub = say(linked("training", "/training"), " · what is to be learned, by whom and until when; overdue first")
	p.Filter = s.dueForm(f, n, w, rows)
	kept := s.dueRows(f, rows)
	p.Answer = dueAnswer(s, rows, w)
	csrf, _ := c.Get("csrf").(string)
	v := &dueView{Csrf: csrf, Back: "/assignments?" + withoutDone(c.QueryParams()).Encode(), Reasons: training.WaiverReasons(), N: plural(float64(len(kept)), "assignment", "assignments")}
	if len(w.Heads()) > 0 || w.IsOperator() {
		v.Give = "/training/assign"
	}
	if len(kept) > 0 {
		q := url.Values{"format": {"csv"}}
		switch {
		case len(teams) > 0:
			q["team"] = teams
		case !w.IsOperator():
			q.Set("person", w.Person)
		}
		v.CSV = "/api/v1/assignments?" + q.Encode()
	}
	for _, r := range kept {
		l := s.dueLine(f, n, w, r)
		v.Lines, v.Waives = append(v.Lines, l), v.Waives || l.Action != ""
	}
	for _, r := range rules {
		if t := f.get("team"); t != "" && t != r.Team {
			continue
		}
		m := s.moduleCell(r.Module)
		l := ruleLine{Module: m.Text, ModuleHref: m.Href, For: n.team(r.Team) + ", before the first shift on " + clip(r.Rota, 80), By: clip(n.person(r.By), 100), Why: clip(r.Reason, 200), Assignment: r.ID}
		if r.Rota == training.AnyRota {
			l.For = n.team(r.Team) + ", before the first shift on any rota"
		}
		if m.Href != "" {
			l.Action = m.Href + "/end"
		}
		v.Rules = append(v.Rules, l)
	}
	switch {
	case len(kept) > 0:
		v.Said = say("Times in ", f.zone.String(), ". How somebody did in a quiz is theirs and stands in no list.")
	case len(rows) > 0:
		v.Empty = say("Nothing of that sort. ", linked("Everything that is to do", "/assignments"), ", or ", linked("all there ever was", "/assignments?state=all"), ".")
	case v.Give != "":
		v.Empty = say("Nothing is assigned. ", linked("Assign something", v.Give), ": the path for a team that is new to on-call is a good beginning.")
	default:
		v.Empty = say("Nothing is assigned to you. ", linked("Any module", "/training"), " can be started of one’s own accord.")
	}
	p.Due = v
	p.Version, p.Dev = s.Version, s.Dev
	status := 200
	if len(p.Filter.Problems) > 0 {
		status = 400
	}
	return s.draw(c, status, p)
}

func withoutDone(v url.Values) url.Values {
	out := url.Values{}
	for _, name := range []string{"team", "state", "module", "track", "person", "tz"} {
		if x := v.Get(name); x != "" {
			out.Set(name, x)
		}
	}
	return out
}

// dueTeams are the teams whose list is asked for: the one of the filter, else those led.
func dueTeams(w access.Who, f *filter) []string {
	if t := f.get("team"); t != "" {
		return []string{t}
	}
	return w.Heads()
}

// dueRows are those that the filters leave, overdue ones first, then by day, then by name.
func (s *Server) dueRows(f *filter, rows []analytics.AssignmentRow) []analytics.AssignmentRow {
	cur := s.Learn.Curriculum()
	inTrack := func(id string) bool {
		m, ok := cur.Module(id)
		return f.get("track") == "" || ok && m.Track == f.get("track")
	}
	var out []analytics.AssignmentRow
	for _, r := range rows { // in order of names
		if inState(r, f.get("state"), s.Now()) && inTrack(r.Module) && (f.get("module") == "" || r.Module == f.get("module")) && (f.get("person") == "" || r.Person == f.get("person")) {
			out = append(out, r)
		}
	}
	return byDay(out)
}

// byDay puts what is overdue first, then by day, then as it came.
func byDay(rows []analytics.AssignmentRow) []analytics.AssignmentRow {
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b analytics.AssignmentRow) int {
		day := func(r analytics.AssignmentRow) int64 {
			if r.Due.IsZero() {
				return 1 << 62
			}
			return r.Due.UnixMilli()
		}
		rank := func(r analytics.AssignmentRow) int {
			switch {
			case r.Overdue:
				return 0
			case r.Open():
				return 1
			}
			return 2
		}
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(day(a), day(b)))
	})
	return out
}

// dueAnswer counts in words what there is, whatever the filters leave of it.
func dueAnswer(s *Server, rows []analytics.AssignmentRow, w access.Who) []bit {
	var open, overdue, week, begun int
	people := map[string]bool{}
	for _, r := range rows {
		if !r.ToDo() {
			continue
		}
		open++
		people[r.Person] = true
		if r.Overdue {
			overdue++
		}
		if inState(r, "week", s.Now()) {
			week++
		}
		if !r.Started.IsZero() {
			begun++
		}
	}
	if open == 0 {
		return say("There is nothing to do.")
	}
	out := say(strong(plural(float64(open), "assignment", "assignments")), verbN(float64(open), " is", " are"), " to do")
	if len(people) > 1 || !w.Is(rows[0].Person) {
		out = append(out, say(" by ", plural(float64(len(people)), "person", "people"))...)
	}
	out = append(out, say(": ", linked(count(float64(overdue))+" overdue", "/assignments?state=overdue"), ", ", linked(count(float64(week))+" due within 7 days", "/assignments?state=week"), ", ", count(float64(begun)), " begun.")...)
	return out
}

// dueForm is the form of the filters; a value that is none of the choices is said.
func (s *Server) dueForm(f *filter, n *names, w access.Who, rows []analytics.AssignmentRow) *filterView {
	b := formBuilder{f, &filterView{Action: "/assignments", Reset: "/assignments"}}
	known := func(name string, options [][2]string) {
		v := f.get(name)
		if !slices.ContainsFunc(options, func(o [2]string) bool { return o[0] == v }) {
			f.complain(&analytics.ParamError{Param: name, Reason: fmt.Sprintf("%q is not known here", clip(v, 60))})
		}
		b.pick(name, capital(name), options)
	}
	all := [2]string{"", "all"}
	teams := [][2]string{all}
	for _, t := range n.dir.Teams {
		if w.LearningOf("", t.ID) == nil {
			teams = append(teams, [2]string{t.ID, or(t.Name, t.ID)})
		}
	}
	cur := s.Learn.Curriculum()
	tracks, modules, people := [][2]string{all}, [][2]string{all}, [][2]string{all}
	for _, t := range cur.Tracks {
		tracks = append(tracks, [2]string{t.ID, t.ID + " " + t.Name})
		for _, m := range t.Modules {
			modules = append(modules, [2]string{m.ID, m.ID + " " + m.Title})
		}
	}
	for _, r := range rows {
		if o := [2]string{r.Person, n.person(r.Person)}; !slices.Contains(people, o) {
			people = append(people, o)
		}
		if _, ok := cur.Module(r.Module); !ok && !slices.ContainsFunc(modules, func(o [2]string) bool { return o[0] == r.Module }) {
			modules = append(modules, [2]string{r.Module, clip(r.Module, 60)})
		}
	}
	if len(teams) > 1 || f.get("team") != "" {
		known("team", teams)
	}
	known("state", dueStates)
	known("track", tracks)
	known("module", modules)
	if len(people) > 2 || f.get("person") != "" {
		known("person", people)
	}
	for _, p := range f.problems {
		b.v.Problems = append(b.v.Problems, p.Param+": "+p.Reason)
	}
	return b.v
}

func (s *Server) dueLine(f *filter, n *names, w access.Who, r analytics.AssignmentRow) dueLine {
	m := s.moduleCell(r.Module)
	l := dueLine{Name: n.person(r.Person), Href: f.personCell(n, r.Person).Href, Module: m.Text, ModuleHref: m.Href, Due: f.lastDay(r.Due), Overdue: r.Overdue, State: leadState(f, r), By: clip(n.person(r.By), 100), Why: clip(r.Reason, 200)}
	if r.By == r.Person {
		l.By, l.Why = "own choice", ""
	}
	if !r.Due.IsZero() {
		l.DueISO = r.Due.Add(-time.Millisecond).In(f.zone).Format(time.DateOnly)
	}
	if !r.FirstShift.IsZero() {
		l.Soon = "before the first shift, " + f.stamp(r.FirstShift)
	}
	for _, id := range r.Cites {
		l.Cites = append(l.Cites, navItem{clip(id, 60), at("incidents", id)})
	}
	if (r.Open() || r.State == analytics.StateAbandoned) && slices.ContainsFunc(n.people[r.Person].Teams, w.HeadsTeam) && m.Href != "" {
		l.Action, l.Assignment, l.Person = m.Href+"/waive", r.ID, r.Person
	}
	return l
}

// leadState is how far a row is in the words of a list of work, in which no attempts stand.
func leadState(f *filter, r analytics.AssignmentRow) string {
	switch r.State {
	case analytics.StateAssigned:
		return "not begun"
	case analytics.StateStarted:
		return "begun"
	case analytics.StateCompleted:
		return "completed " + r.Completed.In(f.zone).Format("2 Jan 2006")
	case analytics.StateWaived:
		return "waived: " + excuseWords(r.Excuse)
	}
	return r.State
}
