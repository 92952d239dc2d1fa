package dashboards

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/remind"
	"github.com/stewardhq/steward/training/xapi"
)

// Outgoing is what goes out about learning. Acts are of who asks, and return when the next
// page shows them or a second has passed; *access.Denied says who may.
type Outgoing interface {
	Rules() remind.Rules
	Channels() []string // names of how reminders go out; none: they do not
	States() []ChannelState
	Site() string // the configured address of Steward; empty: the one that was asked
	Choose(ctx context.Context, who access.Who, on bool) error
	OpenCalendar(ctx context.Context, who access.Who) (secret string, err error)
	CloseCalendar(ctx context.Context, who access.Who) error
	Calendar(w http.ResponseWriter, r *http.Request, secret, home string)
	Statements(facts []analytics.LearningFact, home string) ([]xapi.Exported, error)
}

// ChannelState is how a channel goes in this process since its start. It names nobody.
type ChannelState struct {
	Name                  string
	Sent, Failed, Waiting int
	Last                  time.Time // of the last success
	Trouble               string    // the last failure
}

// DrillPath is where a drill's page is.
func DrillPath(id string) string { return at("drills", id) }

func (s *Server) outgoingRoutes(r router) {
	r.get("/training/reminders", signedIn, s.reminders, r.csrf)
	r.post("/training/reminders", signedIn, s.chooseReminders, r.csrf)
	r.post("/training/calendar", signedIn, s.openCalendar, r.csrf)
	r.post("/training/calendar/revoke", signedIn, s.closeCalendar, r.csrf)
	r.get("/calendar/:file", anybody, s.calendar) // its address is the proof
	r.get("/api/v1/xapi/statements", signedIn, s.apiStatements, r.zip)
}

// firstShown is how many reminders stand on somebody's page, which is about more.
const firstShown = 3

// comingDays is how far ahead the page says what will come.
const comingDays = 28

// remindersView is the page's own part: what somebody sets for themselves.
type remindersView struct {
	Csrf     string
	On       bool
	Channels string // how they go out; empty: they do not
	Calendar bool   // whether there is an address
	Shown    string // a new address, this once
}

// reminders answers: what will I be told, when and how; and of a lead's people, what is due
// before their next shift?
func (s *Server) reminders(c echo.Context) error {
	return s.remindersPage(c, "", map[string]string{"on": "Reminders are on.", "off": "Reminders are off.", "revoked": "The calendar’s address opens nothing any more."}[c.QueryParam("done")])
}

func (s *Server) remindersPage(c echo.Context, shown, notice string) error {
	f, w := s.filter(c), who(c)
	ask := s.asker(c, f)
	dir := ask.names()
	x := s.toLearn(ask, w, "")
	r := s.toldOf(ask, w, true)
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	p := &page{Title: "Reminders", Nav: "Training", Notice: notice}
	p.Sub = say(linked("Training", "/training"), " · What goes out about learning: before a shift, before a due date, and when one has passed. One message a day, never at night, and none once the work is done.")
	csrf, _ := c.Get("csrf").(string)
	switch {
	case x.self:
		coming := s.coming(n, w.Person, x.own, r)
		p.Answer = s.remindersAnswer(n, w, coming, r)
		p.Cards = append(p.Cards, s.comingCard(n, w.Person, coming, r, false))
		p.Reminders = &remindersView{Csrf: csrf, On: !r.off[w.Person], Channels: channelWords(s.Outgoing.Channels()), Calendar: r.calendar[w.Person] || shown != "", Shown: shown}
	case x.leads:
		p.Answer = say("Reminders are for people, and you are ", strong(w.Label()), ". Below is what is open in the teams you lead.")
	default:
		p.Answer = say("Reminders are for people who have something to learn. You are ", strong(w.Label()), ", which is nobody in particular.")
	}
	if x.leads {
		p.Cards = append(p.Cards, s.beforeShiftCard(f, n, x.led, r.teams))
	}
	if w.Administer("") == nil {
		p.Cards = append(p.Cards, s.channelsCard(f))
	}
	if shown != "" {
		c.Response().Header().Set("Cache-Control", "no-store")
	}
	return s.render(c, p)
}

// told is what the page reads besides assignments.
type told struct {
	own, teams []analytics.DutyRow
	sent       []analytics.ReminderRow
	off        map[string]bool
	calendar   map[string]bool
}

func (s *Server) toldOf(ask *asker, w access.Who, teams bool) *told {
	r := &told{}
	from, to := remind.Window(s.Now())
	if w.Learns() == nil {
		ask.do(func(ctx context.Context) (err error) {
			r.own, err = ask.read.Duties(ctx, analytics.DutyFilter{From: from, To: to, Own: true})
			return
		})
		ask.do(func(ctx context.Context) (err error) {
			r.sent, err = ask.read.Reminders(ctx, s.Now().Add(-remind.Remembered))
			return
		})
		ask.do(func(ctx context.Context) (err error) { r.off, err = ask.read.ReminderChoices(ctx); return })
		ask.do(func(ctx context.Context) (err error) { r.calendar, err = ask.read.CalendarAddresses(ctx); return })
	}
	if teams && (w.IsOperator() || len(w.Heads()) > 0) {
		ask.do(func(ctx context.Context) (err error) {
			r.teams, err = ask.read.Duties(ctx, analytics.DutyFilter{From: from, To: to, Team: w.Heads()})
			return
		})
	}
	return r
}

// zoneOf is where a person lives; the organisation's zone where none is known.
func (s *Server) zoneOf(n *names, person string) *time.Location {
	if name := n.people[person].Zone; name != "" {
		if z, err := time.LoadLocation(name); err == nil {
			return z
		}
	}
	return s.Zone
}

// coming is what a person will be told in the next weeks, whichever channel is the first.
func (s *Server) coming(n *names, person string, rows []analytics.AssignmentRow, r *told) []remind.Message {
	people := remind.People(rows, r.own, func(p string) *time.Location { return s.zoneOf(n, p) })
	if len(people) == 0 || r.off[person] {
		return nil
	}
	p := people[0]
	for _, x := range r.sent {
		p.Sent = append(p.Sent, remind.Sent{At: x.At, Covers: x.Covers})
	}
	return remind.Coming(p, s.Outgoing.Rules(), s.Now(), comingDays)
}

func (s *Server) remindersAnswer(n *names, w access.Who, coming []remind.Message, r *told) []bit {
	next := say("No reminder is planned for the next four weeks.")
	if r.off[w.Person] {
		next = say("You have switched reminders ", strong("off"), ".")
	} else if len(coming) > 0 {
		when := coming[0].At.In(s.zoneOf(n, w.Person)).Format("Mon 2 Jan, 15:04 MST")
		if next = say("Your next reminder is planned for ", strong(when), "."); !s.Now().Before(coming[0].At) {
			next = say("Your next reminder has been due since ", strong(when))
			if len(s.Outgoing.Channels()) > 0 {
				next = append(next, say("; it goes out before your night begins")...)
			}
			next = append(next, bit{Text: "."})
		}
	}
	if len(s.Outgoing.Channels()) == 0 {
		return append(next, say(" Nothing is sent from here, since neither mail nor chat nor a webhook is configured; the calendar below works all the same.")...)
	}
	return next
}

// channelWords say channels as people call them.
func channelWords(channels []string) string {
	var out []string
	for _, c := range channels {
		if name, hook := strings.CutPrefix(c, "webhook:"); hook {
			c = "the webhook “" + name + "”"
		}
		out = append(out, c)
	}
	return strings.Join(out, " and ")
}

// comingCard lists a person's reminders to come; on one's own page with the way to change them.
func (s *Server) comingCard(n *names, person string, coming []remind.Message, r *told, linkedTo bool) card {
	zone := s.zoneOf(n, person)
	c := card{ID: "reminders", Title: "What will I be reminded of?", Wide: "w12", N: plural(float64(len(coming)), "reminder", "reminders") + " in " + count(comingDays) + " days, times in " + zone.String()}
	change := []bit{}
	if linkedTo {
		change = say(" ", linked("Switch them off, or put all of it into a calendar", "/training/reminders"), ".")
	}
	switch {
	case r.off[person]:
		c.Empty = say("You have switched reminders off; what is due stands in your list all the same.", change)
		return c
	case len(coming) == 0:
		c.Empty = say("Nothing in the next four weeks. Reminders come before a shift and a due date, for modules that are open.", change)
		return c
	}
	rules := s.Outgoing.Rules()
	c.Say = say("As things stand: ", daysWords(rules.BeforeShift), " before the next shift begins, ", daysWords(rules.BeforeDue), " before the last day, and every ", plural(float64(rules.OverdueEvery), "day", "days"), " after it. What is done until then is left out.", change)
	if len(s.Outgoing.Channels()) == 0 {
		c.Say = append(c.Say, say(" Neither mail nor chat nor a webhook is configured, so they stand on this page alone.")...)
	}
	t := &table{List: true, Caption: "Reminders to come", Head: heads("when", "module", "why")}
	if linkedTo && len(coming) > firstShown {
		c.Say = append(c.Say, say(" These are the next ", count(firstShown), ".")...)
		coming = coming[:firstShown]
	}
	for _, m := range coming {
		for i, it := range m.Items {
			when := cell{Text: m.At.In(zone).Format("Mon 2 Jan 2006, 15:04 MST"), Time: m.At.UTC().Format(time.RFC3339)}
			if i > 0 {
				when = txt("in the same message")
			}
			var why []string
			for _, o := range it.Occasions {
				why = append(why, o.Words(zone, s.Zone))
			}
			t.add(when, s.moduleCell(it.Module), txt(strings.Join(why, "; ")))
		}
	}
	c.Body = t
	return c
}

// daysWords writes days, the earliest first.
func daysWords(days []int) string {
	var out []string
	for _, d := range days {
		out = append(out, count(float64(d)))
	}
	if len(out) == 0 {
		return "no day"
	}
	last := days[len(days)-1]
	return strings.Join(out, " and ") + map[bool]string{true: " day", false: " days"}[last == 1]
}

// beforeShiftCard answers, for a lead: what is to be learned before my people's next shifts?
// A list of work by name, without how anybody did.
func (s *Server) beforeShiftCard(f *filter, n *names, rows []analytics.AssignmentRow, shifts []analytics.DutyRow) card {
	c := card{ID: "before", Title: "What is open before my people’s next shifts?", Wide: "w12"}
	t := &table{List: true, Caption: "Open modules of people with a shift in the next month, by name", Head: heads("who", "next turn of duty begins", "module", "due", "state")}
	people := remind.People(rows, shifts, func(p string) *time.Location { return s.zoneOf(n, p) })
	state := map[[3]string]analytics.AssignmentRow{}
	for _, r := range rows {
		state[[3]string{r.Person, r.ID, r.Module}] = r
	}
	on := 0
	for _, p := range people {
		turn := remind.NextTurn(p.Shifts, s.Now(), p.Zone)
		begins := cell{Text: turn.In(p.Zone).Format("Mon 2 Jan 2006, 15:04 MST"), Time: turn.UTC().Format(time.RFC3339)}
		onNow := slices.ContainsFunc(p.Shifts, func(x remind.Shift) bool { return !x.Start.After(s.Now()) && x.End.After(s.Now()) })
		switch {
		case turn.IsZero() && !onNow:
			continue
		case turn.IsZero():
			begins = txt("on call now")
		case onNow:
			begins.Sub = "on call now"
		}
		on++
		for _, work := range p.Work {
			r := state[[3]string{p.ID, work.Assignment, work.Module}]
			words := r.State
			if words == analytics.StateAssigned {
				words = "not begun"
			}
			due := f.dueCell(r)
			if !r.Due.IsZero() && !turn.IsZero() && r.Due.After(turn) && !r.Overdue {
				due.Sub = "after the shift begins"
			}
			t.add(f.personCell(n, p.ID), begins, s.moduleCell(r.Module), due, txt(words))
		}
	}
	c.N = plural(float64(len(t.Rows)), "open module", "open modules")
	if len(t.Rows) == 0 {
		c.Empty = say("Nobody with an open module has a shift in the next month. Shifts come with shift.planned events; a module’s page has the form that assigns it.")
		return c
	}
	c.Say = say(strong(plural(float64(on), "person", "people")), " with open modules ", map[bool]string{true: "is", false: "are"}[on == 1], " on call now or within a month, ", strong(plural(float64(len(t.Rows)), "module", "modules")), " in all. Each is told by a reminder; by name, and nobody’s scores.")
	c.Body = t
	return c
}

// channelsCard answers, for admins: do messages get out?
func (s *Server) channelsCard(f *filter) card {
	c := card{ID: "channels", Title: "Do messages get out?", Wide: "w12"}
	states := s.Outgoing.States()
	if len(states) == 0 {
		if names := s.Outgoing.Channels(); len(names) > 0 {
			c.Empty = say("Sent by the process with the role sink, by ", channelWords(names), "; its /metrics say how it goes.")
			return c
		}
		c.Empty = say("Nothing is configured, so nothing leaves this machine. The flag --notify names a file with webhooks, a mail server or a store of learning records (docs/notifications.md).")
		return c
	}
	t := &table{Caption: "Ways out, since this process started", Head: heads("way", "#sent", "#failed", "#waiting", "last sent", "last trouble")}
	waiting := 0
	for _, x := range states {
		last := txt("not yet")
		if !x.Last.IsZero() {
			last = f.moment(x.Last)
		}
		waiting += x.Waiting
		t.add(txt(x.Name), counted(float64(x.Sent)), counted(float64(x.Failed)), counted(float64(x.Waiting)), last, txt(clip(or(x.Trouble, "none"), 300)))
	}
	c.N = plural(float64(len(states)), "way", "ways")
	c.Say = say("Since this process started. ", strong(plural(float64(waiting), "reminder is", "reminders are")), " waiting for another try.")
	c.Body = t
	return c
}

func (s *Server) chooseReminders(c echo.Context) error {
	choice := c.FormValue("reminders")
	if choice != "on" && choice != "off" {
		return &apiError{status: http.StatusBadRequest, Message: "reminders: choose on or off"}
	}
	if err := s.Outgoing.Choose(c.Request().Context(), who(c), choice == "on"); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/training/reminders?done="+choice)
}

func (s *Server) openCalendar(c echo.Context) error {
	secret, err := s.Outgoing.OpenCalendar(c.Request().Context(), who(c))
	if err != nil {
		return err
	}
	return s.remindersPage(c, s.home(c)+"/calendar/"+secret+".ics", "The calendar has a new address.")
}

func (s *Server) closeCalendar(c echo.Context) error {
	if err := s.Outgoing.CloseCalendar(c.Request().Context(), who(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/training/reminders?done=revoked")
}

// home is the address of Steward as people open it.
func (s *Server) home(c echo.Context) string {
	if site := s.Outgoing.Site(); site != "" {
		return site
	}
	scheme := "https://"
	if s.Insecure {
		scheme = "http://"
	}
	return scheme + c.Request().Host
}

// calendarSuffix ends the address of a calendar.
const calendarSuffix = ".ics"

func (s *Server) calendar(c echo.Context) error {
	secret, ok := strings.CutSuffix(c.Param("file"), calendarSuffix)
	if !ok {
		secret = ""
	}
	s.Outgoing.Calendar(c.Response(), c.Request(), secret, s.home(c))
	return nil
}
