package app

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/training"
	"github.com/stewardhq/steward/training/drill"
)

// Theory of operation of completing
//
//  1. A module is completed by an event of ours that names what shows it. What is handed in
//     is checked against the log: an event must be one that the person is in, of the sort that
//     the module asks for; drills must be their own, finished and good enough.
//  2. A drill module whose drill says everything is completed when the drill ends, or when the
//     quiz is passed after it. The moment is that of the later of the two, so the event's id
//     follows from what happened and a second process writes the same event.
//  3. Where nobody's tool tells of it, somebody else of the team says that they saw it. Who is
//     asked for their word has a link from the person, with a key that nobody else can make:
//     the id of an assignment to a team is in the page of everybody who has it.
//  4. What shows a module shows it for every assignment of it that the person has then: each is
//     completed by an event of its own.
//  5. Who has shown a module before renews its badge by the quiz alone.

// shownFor is how far back an event may lie that is handed in; a shift or a deployment of last
// month may well show what is learned now.
const shownFor = 90 * 24 * time.Hour

// ready is nil for a row that only lacks what shows it.
func (l learner) ready(r analytics.AssignmentRow, m *training.Module) error {
	switch {
	case r.Started.IsZero():
		return wrong("assignment", "start the module first")
	case r.Passed.IsZero() && len(m.Quiz) > 0:
		return wrong("evidence", "pass the quiz first")
	}
	return nil
}

// text checks what somebody writes as evidence.
func (l learner) text(field, text string) error {
	switch u, err := url.Parse(text); {
	case text == "":
		return wrong(field, "missing: what shows it?")
	case len(text) > longestRef:
		return wrong(field, "at most %d bytes; a link may lead to more", longestRef)
	case err == nil && u.Scheme != "" && !strings.ContainsAny(text, " \n") && u.Scheme != "http" && u.Scheme != "https":
		return wrong(field, "a link must begin with https://")
	}
	return nil
}

// Complete takes what somebody hands in.
func (l learner) Complete(ctx context.Context, who access.Who, assignment, module string, p dashboards.Proof) error {
	m, err := l.module(module)
	if err != nil {
		return err
	}
	defer l.turn(who)()
	r, rows, err := l.mine(ctx, who, assignment, module)
	if err != nil {
		return err
	}
	if err := l.ready(r, m); err != nil {
		return err
	}
	if m.Evidence.Also != "" {
		if err := l.text("note", p.Note); err != nil {
			return err
		}
	}
	ref := p.Ref
	switch m.Evidence.Kind {
	case "upload":
		err = l.text("evidence", ref)
	case "event":
		ref, err = l.event(ctx, m, who.Person, ref)
	case "drill":
		ref, _, err = l.drills(ctx, who, m, r, nil)
	default:
		err = wrong("evidence", "%s is completed by somebody else’s word: give a teammate the link", m.ID)
	}
	if err != nil {
		return err
	}
	return l.completed(ctx, rows, r, m, training.Evidence{Kind: m.Evidence.Kind, Ref: beside(ref, m, p.Note)}, l.now())
}

// beside joins what was named with what the module wants beside it.
func beside(ref string, m *training.Module, note string) string {
	if m.Evidence.Also == "" {
		return ref
	}
	return ref + "; " + note
}

// completed keeps that a row is done, and with it the others of the module that there are.
func (l learner) completed(ctx context.Context, rows []analytics.AssignmentRow, r analytics.AssignmentRow, m *training.Module, e training.Evidence, at time.Time) error {
	events, err := l.done(rows, r, m, e, at)
	if err != nil {
		return built(err)
	}
	return l.publish(ctx, events...)
}

// done are the events by which evidence completes a row, and every other of the person's for
// the module that is neither completed nor waived. The list takes them for completed anyway;
// metrics and other programs count what is said of each assignment.
func (l learner) done(rows []analytics.AssignmentRow, r analytics.AssignmentRow, m *training.Module, e training.Evidence, at time.Time) ([]event.Event, error) {
	ids := []string{r.ID}
	for _, x := range rows {
		if x.ID != r.ID && x.Person == r.Person && x.Module == m.ID && x.Completed.IsZero() && x.Waived.IsZero() && !x.Assigned.After(at) {
			ids = append(ids, x.ID)
		}
	}
	var out []event.Event
	for _, id := range ids {
		done, err := training.Completed(training.Enrolment{Assignment: id, Module: m.ID, Version: m.Version, Person: r.Person}, m, e, at)
		if err != nil {
			return nil, err
		}
		out = append(out, done)
	}
	return out, nil
}

// event checks that an event or an incident shows a module, and says how it is referred to. The
// events are read as Steward, since also who gives their word about them has them checked.
func (l learner) event(ctx context.Context, m *training.Module, person, ref string) (string, error) {
	view := l.c.Store.For(access.Operator(), "")
	if m.Evidence.Check == "shadowing" {
		s, err := view.ShadowingOf(ctx, person)
		switch {
		case err != nil:
			return "", err
		case s.Shadowed == 0:
			return "", wrong("evidence", "no shadow shift has ended yet")
		case s.Reverse == 0:
			return "", wrong("evidence", "no reverse-shadow shift has ended yet")
		case s.Alerts < training.ShadowedAlerts:
			return "", wrong("evidence", "%d acknowledged alerts were judged, and %d are wanted", s.Alerts, training.ShadowedAlerts)
		case float64(s.Sense) < training.ShadowedSense*float64(s.Alerts):
			return "", wrong("evidence", "%d of %d alerts made sense, and %.0f %% are wanted", s.Sense, s.Alerts, 100*training.ShadowedSense)
		}
		// How many made sense is theirs alone, and what shows it is read by their lead.
		return "alerts acknowledged in reverse shadowing", nil
	}
	if ref == "" {
		return "", wrong("evidence", "missing: which event shows it?")
	}
	kinds := dashboards.EvidenceOf(m)
	events, err := view.EventsOf(ctx, person, l.now().Add(-shownFor), kinds...)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(events, func(e analytics.OwnEvent) bool {
		return (e.ID == ref || e.Incident != "" && e.Incident == ref || e.Shift != "" && e.Shift == ref) && dashboards.Shows(m, e, l.now())
	})
	if i < 0 {
		return "", wrong("evidence", "there is no such event of yours in the last %d days that shows it", int(shownFor.Hours()/24))
	}
	e := events[i]
	if e.Incident != "" {
		return e.Incident, nil
	}
	return e.Kind + " " + e.ID, nil
}

// drills are what of one's attempts shows a module, and the moment from which they do. just is
// an attempt that ended a moment ago and may not be stored yet.
func (l learner) drills(ctx context.Context, who access.Who, m *training.Module, r analytics.AssignmentRow, just *analytics.Attempt) (string, time.Time, error) {
	view := l.c.Store.For(who, "")
	attempts, err := view.Attempts(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	all, err := view.Drills(ctx)
	if err != nil {
		return "", time.Time{}, err
	}
	played := dashboards.PlayedOf(attempts, all)
	if just != nil && !slices.ContainsFunc(played, func(p training.Played) bool { return p.Attempt == just.ID }) {
		parts, err := drill.Score(just.Drill, just.Plain())
		if err != nil {
			return "", time.Time{}, err
		}
		played = append(played, training.Played{Attempt: just.ID, Drill: just.Drill.ID, Skills: just.Drill.Skills, Score: parts.Score, Finished: just.Finished})
	}
	found := m.DrillsFor(played, r.Assigned)
	if n := m.LeastDrills(); len(found) < n {
		return "", time.Time{}, wrong("evidence", "%d of %d drills are there with %.0f points or more, since it was assigned", len(found), n, m.LeastScore())
	}
	var ids []string
	at := r.Started
	for _, t := range []time.Time{r.Passed, found[len(found)-1].Finished} {
		if t.After(at) {
			at = t
		}
	}
	for _, p := range found {
		ids = append(ids, "drill "+p.Drill+", attempt "+p.Attempt)
	}
	return strings.Join(ids, "; "), at, nil
}

// Played completes what a finished drill shows, at once.
func (l learner) Played(ctx context.Context, who access.Who, just *analytics.Attempt) error {
	if who.Learns() != nil {
		return nil
	}
	defer l.turn(who)()
	rows, err := l.own(ctx, who)
	if err != nil {
		return err
	}
	done := map[string]bool{} // with all of a module's rows
	for _, r := range rows {
		m, ok := l.curriculum.Module(r.Module)
		if ok && r.Open() && !done[m.ID] {
			shown, failed := l.byDrill(ctx, who, rows, m, r, just)
			done[m.ID], err = shown, errors.Join(err, failed)
		}
	}
	return err
}

// byDrill completes a row that drills show without a further word, and leaves others; it says
// which it did.
func (l learner) byDrill(ctx context.Context, who access.Who, rows []analytics.AssignmentRow, m *training.Module, r analytics.AssignmentRow, just *analytics.Attempt) (bool, error) {
	if m.Evidence.Kind != "drill" || m.Evidence.Also != "" || l.ready(r, m) != nil {
		return false, nil
	}
	ref, at, err := l.drills(ctx, who, m, r, just)
	var short *dashboards.LearnError
	if errors.As(err, &short) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	err = l.completed(ctx, rows, r, m, training.Evidence{Kind: "drill", Ref: ref}, at)
	return err == nil, err
}

// renewed are the events by which a passed quiz completes again what was shown before.
func (l learner) renewed(rows []analytics.AssignmentRow, r analytics.AssignmentRow, m *training.Module, at time.Time) []event.Event {
	i := slices.IndexFunc(rows, func(x analytics.AssignmentRow) bool {
		return x.Module == m.ID && !x.Completed.IsZero() && x.Completed.Before(r.Assigned)
	})
	if i < 0 {
		return nil
	}
	events, err := l.done(rows, r, m, training.Evidence{Kind: m.Evidence.Kind, Ref: rows[i].Evidence, By: rows[i].EvidenceBy}, at)
	if err != nil {
		return nil // it was shown in a way that does not count any more
	}
	return events
}

// WordKey is the asker's, of an assignment and module.
func (l learner) WordKey(who access.Who, assignment, module string) string {
	return l.wordKey(who.Person, assignment, module)
}

func (l learner) wordKey(person, assignment, module string) string {
	return l.c.Vault.Digest(fmt.Sprintf("word %q", []string{person, assignment, module}))
}

// Attest is somebody else's word. What they say of whom stands in the event with their name.
func (l learner) Attest(ctx context.Context, who access.Who, person, assignment, module string, p dashboards.Proof) error {
	m, err := l.module(module)
	if err != nil {
		return err
	}
	if err := who.Learns(); err != nil {
		return err
	}
	if who.Is(event.PersonID(person)) {
		return wrong("person", "nobody gives their word for themselves")
	}
	d, err := l.c.Store.For(access.Operator(), "").Directory(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(d.People, func(x analytics.Person) bool { return x.ID == person })
	if i < 0 || !slices.ContainsFunc(d.People[i].Teams, func(t string) bool { return who.InTeam(t) || who.HeadsTeam(t) }) {
		return &access.Denied{Reason: "that somebody did something is said by a teammate or the lead"}
	}
	none := wrong("assignment", "it does not wait for anybody’s word")
	// Before anything is read of their work, so that neither words nor time tell how far they are.
	if !slices.ContainsFunc(d.People[i].Teams, who.HeadsTeam) && subtle.ConstantTimeCompare([]byte(p.Key), []byte(l.wordKey(person, assignment, m.ID))) == 0 {
		return none
	}
	defer l.turn(access.Who{Identity: access.Identity{Person: person}})()
	f := l.filter()
	f.Person, f.Module = []string{person}, m.ID
	rows, err := l.c.Store.For(access.Operator(), "").Assignments(ctx, f)
	if err != nil {
		return err
	}
	i = slices.IndexFunc(rows, func(r analytics.AssignmentRow) bool { return r.ID == assignment })
	if i < 0 || !rows[i].Open() || l.ready(rows[i], m) != nil || m.Evidence.Kind == "upload" {
		return none
	}
	if err := l.text("note", p.Note); err != nil {
		return err
	}
	ref := p.Note
	if m.Evidence.Check == "handover" && p.Ref != "" {
		shift, err := l.handedOver(ctx, m, person, who.Person, p.Ref)
		if err != nil {
			return err
		}
		ref = shift + "; " + p.Note
	}
	return l.completed(ctx, rows, rows[i], m, training.Evidence{Kind: m.Evidence.Kind, Ref: ref, By: who.Person}, l.now())
}

// nextShift is how long after the end of a shift the next one may begin.
const nextShift = 24 * time.Hour

// handedOver checks that a shift was somebody's and that another held the next one.
func (l learner) handedOver(ctx context.Context, m *training.Module, from, to, ref string) (string, error) {
	view := l.c.Store.For(access.Operator(), "")
	events, err := view.EventsOf(ctx, from, l.now().Add(-shownFor), dashboards.EvidenceOf(m)...)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(events, func(e analytics.OwnEvent) bool {
		return (e.ID == ref || e.Shift == ref) && dashboards.Shows(m, e, l.now())
	})
	if i < 0 {
		return "", wrong("evidence", "there is no such shift of theirs that has ended")
	}
	next, err := view.EventsOf(ctx, to, l.now().Add(-shownFor), dashboards.EvidenceOf(m)...)
	if err != nil {
		return "", err
	}
	if !slices.ContainsFunc(next, func(e analytics.OwnEvent) bool {
		return e.Schedule == events[i].Schedule && e.From.After(events[i].From) && e.To.After(events[i].To) && !e.From.After(events[i].To.Add(nextShift))
	}) {
		return "", wrong("evidence", "the next shift is not yours; who takes over accepts the note")
	}
	return events[i].Kind + " " + events[i].ID, nil
}

// Rate says whether a module helped.
func (l learner) Rate(ctx context.Context, who access.Who, module string, helped bool, after string) error {
	m, err := l.module(module)
	if err != nil {
		return err
	}
	defer l.turn(who)()
	rows, err := l.own(ctx, who)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(rows, func(r analytics.AssignmentRow) bool { return r.Module == m.ID && r.Known() }) {
		return wrong("helped", "pass its quiz first")
	}
	e, err := training.Rated(training.Rating{Module: m.ID, Person: who.Person, Helped: helped, After: after}, l.now())
	if err != nil {
		return built(err)
	}
	return l.publish(ctx, e)
}
