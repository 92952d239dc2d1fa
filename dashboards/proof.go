package dashboards

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// What shows that a module was done: the forms by which it is handed in, and the page on which
// somebody else gives their word.

// EvidenceOf are the kinds of events that may show a module.
func EvidenceOf(m *training.Module) []string {
	switch m.Evidence.Check {
	case "acknowledged":
		return []string{"incident.acknowledged"}
	case "deployed":
		return []string{"change.deployed"}
	case "attested":
		return []string{"service.attested"}
	case "reviewed":
		return []string{"page.reviewed"}
	case "handover":
		return []string{"shift.planned", "shift.worked"}
	case "shadowing":
		return nil // it is counted, not chosen
	}
	return []string{"incident.acknowledged", "incident.escalated", "incident.noted", "incident.resolved", "responder.responded", "page.reviewed", "review.published", "runbook.reviewed", "change.deployed", "shift.worked"}
}

// actionTaken are the verdicts after which a page had something to do.
var actionTaken = map[string]bool{"service": true, "service-inappropriate-hour": true, "view": true}

// Shows says whether an event that somebody is in shows a module, as far as a program can tell.
func Shows(m *training.Module, e analytics.OwnEvent, now time.Time) bool {
	switch m.Evidence.Check {
	case "attested":
		return !e.At.Before(now.Add(-training.AttestedFor))
	case "reviewed":
		return e.Verdict != "" && !actionTaken[e.Verdict]
	case "handover":
		return !e.To.IsZero() && !e.To.After(now)
	}
	return true
}

// PlayedOf are attempts that ended, with the skills of their drills.
func PlayedOf(attempts []analytics.AttemptRow, drills []analytics.Drill) []training.Played {
	skills := map[string][]string{}
	for _, d := range drills {
		skills[d.ID] = d.Skills
	}
	var out []training.Played
	for _, a := range attempts {
		if !a.Finished.IsZero() {
			out = append(out, training.Played{Attempt: a.ID, Drill: a.Drill, Skills: skills[a.Drill], Score: a.Score, Finished: a.Finished})
		}
	}
	return out
}

// evidenceView is what shows that the module was done, or how to show it.
type evidenceView struct {
	Rule, Kind         string
	Assignment, Person string
	Done, By           string
	Say                []bit
	Form               bool     // something can be handed in
	Ref                string   // what the form's main field is called; empty: it has none
	Events             []choice // to choose from, instead of a text
	Also               string   // what is wanted beside it
	Drills             []navItem
	Word, WordSay      string // address for whoever gives their word, and what for
	Next               string // of a hand-over: field in which the shift is chosen
}

// shownAtMost is how many events a form offers, the newest.
const shownAtMost = 30

// evidenceSince is how far back an event may lie.
const evidenceSince = 90 * 24 * time.Hour

// evidence is the part of the page about what completes the module. Reading for it costs two or
// three looks, so it is done only where something can be handed in.
func (s *Server) evidence(ctx context.Context, w access.Who, read Reading, f *filter, n *names, m *training.Module, r analytics.AssignmentRow) (*evidenceView, error) {
	v := &evidenceView{Rule: m.Evidence.Rule, Kind: evidenceWords[m.Evidence.Kind], Assignment: r.ID, Person: r.Person, Also: m.Evidence.Also}
	switch {
	case r.State == analytics.StateCompleted:
		v.Done = r.Evidence
		if r.EvidenceBy != "" {
			v.By = n.person(r.EvidenceBy)
		}
		return v, nil
	case !r.Open() || r.Started.IsZero():
		return nil, nil
	case r.Passed.IsZero() && len(m.Quiz) > 0:
		v.Say = say("The quiz comes first.")
		return v, nil
	}
	if m.Evidence.Kind != "upload" {
		q := url.Values{"person": {r.Person}, "assignment": {r.ID}, "key": {s.Learn.WordKey(w, r.ID, m.ID)}}
		v.Word = at("training", m.ID) + "/word?" + q.Encode()
		v.WordSay = map[string]string{
			"attestation": "A teammate or your lead who saw it says so.",
			"drill":       "A drill that was run elsewhere, in a lab or at a table, is shown by the word of a teammate or your lead who saw it.",
			"event":       "Where no tool tells of it, a teammate or your lead who saw it says so.",
		}[m.Evidence.Kind]
	}
	switch m.Evidence.Kind {
	case "upload":
		v.Form, v.Ref = true, "A link to it, or what it says"
		return v, nil
	case "attestation":
		return v, nil
	case "drill":
		return v, s.drillEvidence(ctx, read, m, r, v)
	}
	return v, s.eventEvidence(ctx, read, f, n, m, r, v)
}

func (s *Server) drillEvidence(ctx context.Context, read Reading, m *training.Module, r analytics.AssignmentRow, v *evidenceView) error {
	attempts, err := read.Attempts(ctx)
	if err != nil {
		return err
	}
	drills, err := read.Drills(ctx)
	if err != nil {
		return err
	}
	for _, d := range drills {
		if m.Fits(d.Skills) {
			v.Drills = append(v.Drills, navItem{clip(d.Title, 200), at("drills", d.ID)})
		}
	}
	found := m.DrillsFor(PlayedOf(attempts, drills), r.Assigned)
	need := m.LeastDrills()
	what := fmt.Sprintf("%s for its skills, with %.0f points or more of 100, played since it was assigned", plural(float64(need), "drill", "different drills"), m.LeastScore())
	switch {
	case len(found) >= need && m.Evidence.Also == "":
		v.Form, v.Say = true, say(strong("Your drill shows it."), " It counts when you hand it in.")
	case len(found) >= need:
		v.Form, v.Say = true, say(strong("Your drill shows its part."), " Beside it is wanted: ", m.Evidence.Also, ".")
	case need > 1:
		v.Say = say("It takes ", what, "; ", strong(count(float64(len(found)))+" of "+count(float64(need))), " are there.")
	default:
		v.Say = say("It takes ", what, ".")
	}
	if m.Evidence.Also == "" && len(found) < need {
		v.Say = append(v.Say, say(" A drill that is good enough completes the module at once.")...)
	}
	return nil
}

func (s *Server) eventEvidence(ctx context.Context, read Reading, f *filter, n *names, m *training.Module, r analytics.AssignmentRow, v *evidenceView) error {
	if m.Evidence.Check == "shadowing" {
		x, err := read.ShadowingOf(ctx, r.Person)
		if err != nil {
			return err
		}
		v.Form = true
		v.Say = say("So far ", strong(plural(float64(x.Shadowed), "shadow shift", "shadow shifts")), " and ", strong(plural(float64(x.Reverse), "reverse-shadow shift", "reverse-shadow shifts")), " have ended; ",
			strong(fmt.Sprintf("%d of %d", x.Sense, x.Alerts)), fmt.Sprintf(" acknowledged alerts made sense. It takes one of each, and %.0f %% of at least %d alerts.", 100*training.ShadowedSense, training.ShadowedAlerts))
		return nil
	}
	events, err := read.EventsOf(ctx, r.Person, s.Now().Add(-evidenceSince), EvidenceOf(m)...)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, e := range events {
		value := or(e.Incident, e.ID)
		if len(v.Events) == shownAtMost || seen[value] || !Shows(m, e, s.Now()) {
			continue
		}
		seen[value] = true
		v.Events = append(v.Events, choice{Value: value, Text: eventLine(f, n, e)})
	}
	days := int(evidenceSince.Hours() / 24)
	if m.Evidence.Check == "handover" {
		v.Next = "shift"
		v.Say = say("Choose the shift and give the link to whoever holds the next one: they accept the note after reading it back.")
		if len(v.Events) == 0 {
			v.Say = say(fmt.Sprintf("No shift of yours has ended in the last %d days. ", days), "Who took over without one that Steward knows of can still say so by the link.")
		}
		return nil
	}
	v.Form, v.Ref = true, "Which event shows it"
	v.Say = say(fmt.Sprintf("Events of the last %d days that you are in. The id of another one can be written instead.", days))
	if len(v.Events) == 0 {
		v.Say = say(fmt.Sprintf("None of your tools has told of one in the last %d days. ", days), "When it has, it can be chosen here.")
	}
	return nil
}

// eventLine says an event in one line, for a list to choose from.
func eventLine(f *filter, n *names, e analytics.OwnEvent) string {
	what := e.Kind
	if w, ok := eventWords[e.Kind]; ok {
		what = w[0]
	}
	switch {
	case e.Schedule != "":
		return clip(f.stamp(e.From)+" to "+f.stamp(e.To)+", "+or(strings.ReplaceAll(e.Role, "_", " "), "shift")+" on "+e.Schedule, 200)
	case e.Kind == "change.deployed":
		what = "Deployed " + e.Version
	case e.Kind == "service.attested":
		what = "Attested"
	case e.Verdict != "":
		what += " (" + e.Verdict + ")"
	}
	about := or(e.Title, e.Incident)
	if about == "" && e.Service != "" {
		about = n.service(e.Service)
	}
	return clip(f.stamp(e.At)+", "+what+": "+or(about, e.ID), 200)
}

// wordView is the page on which somebody gives their word.
type wordView struct {
	Action, Csrf             string
	Rule, Also, Name, Module string
	Person, Assignment, Ref  string
	Key                      string
	Shift                    bool
	Note                     string
	Own                      string // address to give to somebody, where who asks is the person themselves
}

// word asks for somebody's word about somebody else. Whom it is asked of, the link says; what
// may be said, the learner decides. Whether there is such work is told to nobody.
func (s *Server) word(c echo.Context) error {
	m, err := s.moduleOf(c)
	if err != nil {
		return err
	}
	return s.wordPage(c, m, http.StatusOK, "")
}

func (s *Server) wordPage(c echo.Context, m *training.Module, status int, notice string) error {
	dir, err := s.reading(c).Directory(c.Request().Context())
	if err != nil {
		return err
	}
	n := newNames(dir)
	csrf, _ := c.Get("csrf").(string)
	v := &wordView{Action: at("training", m.ID) + "/word", Csrf: csrf, Rule: capital(m.Evidence.Rule), Also: m.Evidence.Also, Module: m.ID + " " + m.Title,
		Person: filled(c, "person"), Assignment: filled(c, "assignment"), Ref: filled(c, "evidence"), Note: filled(c, "note"), Key: filled(c, "key"), Shift: m.Evidence.Check == "handover"}
	p := &page{Title: "Your word", Nav: "Training", Word: v, Notice: notice, Version: s.Version, Dev: s.Dev}
	p.Sub = say(linked(v.Module, at("training", m.ID)))
	v.Name = "a colleague"
	if _, known := n.people[v.Person]; known {
		v.Name = n.person(v.Person)
	}
	if w := who(c); w.Is(v.Person) {
		scheme := "https"
		if s.Insecure {
			scheme = "http"
		}
		q := url.Values{"person": {v.Person}, "assignment": {v.Assignment}, "key": {s.Learn.WordKey(w, v.Assignment, m.ID)}}
		if v.Ref != "" {
			q.Set("evidence", v.Ref)
		}
		v.Own = scheme + "://" + c.Request().Host + v.Action + "?" + q.Encode()
		p.Title, p.Answer = "Somebody else’s word", say("It is shown by the word of somebody else who saw it.")
		p.Word = v
		return s.draw(c, status, p)
	}
	p.Answer = say("Did ", strong(clip(v.Name, 100)), " do it, and did you see it? What you say stands in the log with your name.")
	return s.draw(c, status, p)
}

func (s *Server) attest(c echo.Context) error {
	m, err := s.moduleOf(c)
	if err != nil {
		return err
	}
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	err = s.Learn.Attest(c.Request().Context(), who(c), filled(c, "person"), filled(c, "assignment"), m.ID, Proof{Ref: filled(c, "evidence"), Note: filled(c, "note"), Key: filled(c, "key")})
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return s.wordPage(c, m, http.StatusBadRequest, bad.sentence())
	case err != nil:
		return err
	}
	return c.Redirect(http.StatusSeeOther, at("training", m.ID)+"?done=attested")
}

// sentence is the error as a form says it.
func (e *LearnError) sentence() string { return e.under(e.Field) }

// under is that sentence with the name that a form's field has for people.
func (e *LearnError) under(field string) string {
	end := "."
	if strings.HasSuffix(e.Reason, "?") {
		end = ""
	}
	return capital(field) + ": " + e.Reason + end
}

// rate keeps whether a module helped.
func (s *Server) rate(c echo.Context, m *training.Module) error {
	helped := filled(c, "helped")
	if helped != "yes" && helped != "no" {
		return &LearnError{"helped", "must be yes or no"}
	}
	return s.Learn.Rate(c.Request().Context(), who(c), m.ID, helped == "yes", or(filled(c, "after"), "module"))
}
