package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// DrillReading is what pages of drills read besides the drills and one's own attempts.
type DrillReading interface {
	Debrief(ctx context.Context, attempt string) (*analytics.Attempt, error)
	Shares(ctx context.Context) (map[string][]string, error)
	Shared(ctx context.Context) ([]analytics.SharedRow, error)
	Bookings(ctx context.Context, f analytics.BookingFilter) ([]analytics.BookingRow, error)
	NextShift(ctx context.Context, person, team string) (time.Time, error)
	WorthDrill(ctx context.Context, limit int) ([]analytics.Worth, error)
}

// bookView is what is booked, and the form that books.
type bookView struct {
	Mine, Led []bookedLine
	Form      *bookForm // nil for who books for nobody
	First     bool      // the form was asked for, and stands above the lists
	Zone      string
}

// bookedLine is one booking. Played and Waiting are names of people, by name.
type bookedLine struct {
	Title, Href, Who, When, By, Why, State string
	Late, Done                             bool
	Cites                                  []navItem
	Played, Waiting                        []string
	Action, Csrf, Starts                   string // Action is empty where the asker cannot change it
}

type bookForm struct {
	Csrf, Problem, Bad    string // Bad is the label of the field at fault
	Drill                 string // the one; empty: choose among Drills
	Drills, Teams, People []choice
	Self                  string // for whom, where it can only be oneself
	Starts, Hint          string
	Reason, Cites         string
}

// doneShown is for how long a booking that is done stays in a lead's list.
const doneShown = 30 * 24 * time.Hour

// startsForm is how the browser writes a time without a zone.
const startsForm = "2006-01-02T15:04"

func (s *Server) bookings(c echo.Context, f *filter, n *names, x *played, drills []ranked, problem string) (*bookView, error) {
	w := who(c)
	v := &bookView{Zone: s.Zone.String()}
	csrf, _ := c.Get("csrf").(string)
	mine := slices.DeleteFunc(slices.Clone(x.mine), func(r analytics.BookingRow) bool { return !r.Open() })
	v.Mine = s.bookedLines(w, n, x, mine, csrf)
	led := slices.DeleteFunc(slices.Clone(x.led), func(r analytics.BookingRow) bool {
		return !r.Open() && s.Now().Sub(r.Done) > doneShown
	})
	v.Led = s.bookedLines(w, n, x, led, csrf)
	if s.Play == nil || !x.leads && w.Learns() != nil {
		return v, nil
	}
	form, err := c.FormParams()
	if err != nil {
		return nil, &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	v.First = problem != "" || f.get("skill") != "" || f.get("team") != "" || f.get("reason") != "" || f.get("cites") != ""
	b := &bookForm{Csrf: csrf, Problem: problem, Reason: clip(form.Get("reason"), 500), Cites: clip(form.Get("cites"), 2000), Starts: form.Get("starts")}
	b.Bad, _, _ = strings.Cut(problem, ": ")
	if len(drills) == 1 && c.Path() == "/drills/:drill" {
		b.Drill = drills[0].ID
	} else {
		for _, d := range drills {
			b.Drills = append(b.Drills, choice{d.ID, d.Title, d.ID == form.Get("drill")})
		}
	}
	team := form.Get("team")
	chosen := func(v string) bool { return slices.Contains(form["for"], v) || v == "team:"+team }
	for _, t := range n.dir.Teams {
		if w.HeadsTeam(t.ID) && t.Size > 0 {
			b.Teams = append(b.Teams, choice{"team:" + t.ID, "everybody in " + t.Name, chosen("team:" + t.ID)})
		}
	}
	for _, p := range n.dir.People {
		if w.Is(p.ID) {
			continue
		}
		if slices.ContainsFunc(p.Teams, w.HeadsTeam) {
			b.People = append(b.People, choice{"person:" + p.ID, p.Name, chosen("person:" + p.ID)})
		}
	}
	slices.SortStableFunc(b.People, func(a, b choice) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
	if w.Person != "" {
		self := choice{"person:" + w.Person, "myself", chosen("person:" + w.Person)}
		if b.People = append([]choice{self}, b.People...); len(b.People) == 1 && len(b.Teams) == 0 {
			b.Self, b.People = self.Value, nil
		}
	}
	if b.Self == "" && len(b.People)+len(b.Teams) == 0 {
		return v, nil // there is nobody yet to book it for
	}
	if err := s.suggest(c, n, w, b, team); err != nil {
		return nil, err
	}
	v.Form = b
	return v, nil
}

// suggest fills in a time before the next shift: of the team asked for, of the only team that
// one leads, or one's own.
func (s *Server) suggest(c echo.Context, n *names, w access.Who, b *bookForm, team string) error {
	heads := w.Heads()
	switch {
	case w.HeadsTeam(team) && n.teams[team].ID != "":
	case len(heads) == 1:
		team = heads[0]
	default:
		team = ""
	}
	whose, person := n.team(team)+"’s", ""
	if team == "" {
		whose, person = "your", w.Person
	}
	var shift time.Time
	var err error
	if team != "" || person != "" {
		if shift, err = s.reading(c).NextShift(c.Request().Context(), person, team); err != nil {
			return err
		}
	}
	at, before := drill.Suggest(s.Now(), shift, s.Zone)
	if b.Starts == "" {
		b.Starts = at.In(s.Zone).Format(startsForm)
	}
	when := shift.In(s.Zone).Format("Mon 2 Jan 15:04 MST")
	switch {
	case shift.IsZero():
		b.Hint = "no shift is planned, so this is the next working day"
	case before:
		b.Hint = "before " + whose + " next on-call shift, " + when
	default:
		b.Hint = whose + " next on-call shift begins too soon, " + when
	}
	b.Hint += "; the time is that of " + s.Zone.String()
	return nil
}

// bookedLines are bookings, a team's as one.
func (s *Server) bookedLines(w access.Who, n *names, x *played, rows []analytics.BookingRow, csrf string) []bookedLine {
	var out []bookedLine
	place := map[string]int{}
	now := s.Now()
	for _, r := range rows {
		i, seen := place[r.ID]
		if !seen {
			by := n.person(r.By)
			if w.Is(r.By) {
				by = "you"
			}
			l := bookedLine{Title: x.title(r.Drill), Href: at("drills", r.Drill), Who: n.person(r.Person), When: r.Starts.In(s.Zone).Format("Mon 2 Jan 2006 15:04 MST"), By: clip(by, 100), Why: clip(r.Reason, 500), Done: true}
			if w.Is(r.Person) {
				l.Who = "you"
			}
			teams := n.people[r.Person].Teams
			person := r.Person
			if r.Team != "" {
				l.Who, person, teams = "everybody in "+n.team(r.Team), "", []string{r.Team}
			}
			for _, id := range r.Cites {
				l.Cites = append(l.Cites, navItem{clip(id, 100), at("incidents", id)})
			}
			if s.Play != nil && w.Books(person, teams...) == nil {
				l.Action, l.Csrf, l.Starts = at("bookings", r.ID), csrf, r.Starts.In(s.Zone).Format(startsForm)
			}
			i = len(out)
			place[r.ID], out = i, append(out, l)
		}
		l := &out[i]
		if r.Open() {
			l.Done = false
			l.Waiting = append(l.Waiting, n.person(r.Person))
			l.Late = l.Late || now.After(r.Starts)
		} else {
			l.Played = append(l.Played, n.person(r.Person))
		}
	}
	for i := range out {
		l := &out[i]
		switch n := len(l.Played) + len(l.Waiting); {
		case l.Done && n == 1:
			l.State = "played"
		case l.Done:
			l.State = "played by all"
		case n > 1:
			l.State = fmt.Sprintf("played by %d of %d", len(l.Played), n)
		case l.Late:
			l.State = "not played, its time has passed"
		default:
			l.State = "not played yet"
		}
		if l.Done {
			l.Action = ""
		}
	}
	return out
}

// bookDrill books what the form says.
func (s *Server) bookDrill(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	w := Session{Drill: filled(c, "drill"), Starts: filled(c, "starts"), Reason: filled(c, "reason")}
	w.Cites = strings.FieldsFunc(form.Get("cites"), func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })
	for _, to := range form["for"] {
		kind, id, _ := strings.Cut(to, ":")
		switch {
		case kind == "person" && id != "":
			w.People = append(w.People, id)
		case kind == "team" && id != "":
			w.Teams = append(w.Teams, id)
		default:
			return s.drillsPage(c, http.StatusBadRequest, "For: a person or a team is wanted.")
		}
	}
	return s.booked(c, "booked", s.Play.Book(c.Request().Context(), who(c), w))
}

// changeBooking moves or cancels a booking.
func (s *Server) changeBooking(c echo.Context) error {
	ctx, id := c.Request().Context(), param(c, "booking")
	switch action := filled(c, "action"); action {
	case "move":
		return s.booked(c, "moved", s.Play.Rebook(ctx, who(c), id, filled(c, "starts")))
	case "cancel":
		return s.booked(c, "cancelled", s.Play.Unbook(ctx, who(c), id))
	default:
		return &apiError{status: http.StatusBadRequest, Message: "action: must be move or cancel", Param: "action"}
	}
}

func (s *Server) booked(c echo.Context, done string, err error) error {
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return s.drillsPage(c, http.StatusBadRequest, bad.under(bookLabel(bad.Field)))
	case err != nil:
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/drills?done="+done)
}

// bookLabel is what the form calls a field.
func bookLabel(field string) string {
	switch field {
	case "starts":
		return "Time"
	case "cites":
		return "Incidents"
	}
	return capital(field)
}

// bookedCard answers, on one's own page: which drills am I to play?
func (s *Server) bookedCard(f *filter, n *names, rows []analytics.BookingRow, titles []analytics.Drill) card {
	cd := card{ID: "drills", Title: "Which drills are booked for me?", Wide: "w12"}
	x := &played{all: titles}
	for _, r := range rows {
		if !r.Open() {
			continue
		}
		t := todo{Class: "none", What: say(linked(x.title(r.Drill), at("drills", r.Drill)), ", ", strong(f.stamp(r.Starts))), Action: "play", Href: at("drills", r.Drill)}
		if s.Now().After(r.Starts) {
			t.Class, t.What = "warn", append(t.What, say(", which has passed")...)
		}
		by := "by " + clip(n.person(r.By), 100)
		if r.By == r.Person {
			by = "by yourself"
		}
		t.Why = strings.TrimSuffix(by+": "+clip(r.Reason, 300), ": ")
		cd.Todo = append(cd.Todo, t)
	}
	if len(cd.Todo) == 0 {
		cd.Empty = say("None. ", linked("Any drill", "/drills"), " can be played of one’s own accord, or booked for a time.")
		return cd
	}
	cd.N = plural(float64(len(cd.Todo)), "booking", "bookings")
	return cd
}
