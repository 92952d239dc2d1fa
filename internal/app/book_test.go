package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/dashboards"
)

// A lead books a drill, a member plays it, and lets the team read what came of it, on the
// whole product.
func TestBookingAndSharing(t *testing.T) {
	o := newOrg()
	var moved atomic.Int64
	now := func() time.Time { return matrixNow.Add(time.Duration(moved.Add(1)) * time.Second) }
	a, _, _ := boot(t, Config{Data: t.TempDir(), Now: now, Dev: true})
	ctx := t.Context()
	if err := a.core.Publisher.Publish(ctx, o.history(t)...); err != nil {
		t.Fatal(err)
	}
	if err := a.core.Sink.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	as := func(person string) access.Who {
		t.Helper()
		m, err := a.core.Store.Membership(ctx, access.Identity{Person: person})
		if err != nil {
			t.Fatal(err)
		}
		w, _ := access.Policy{Default: access.Viewer}.Resolve(access.Identity{Person: person}, m)
		return w
	}
	lead, abe, amy, bea := as(o.alpha[0]), as(o.alpha[1]), as(o.alpha[2]), as(o.beta[0])
	p := newPlayer(a.core)
	const id = "lag-that-does-not-drain"
	work := func(starts string, people, teams []string) dashboards.Session {
		return dashboards.Session{Drill: id, Starts: starts, People: people, Teams: teams, Reason: "nobody is current in queues", Cites: []string{"inc-alpha-2-0"}}
	}
	list := func(who access.Who, f analytics.BookingFilter) []analytics.BookingRow {
		t.Helper()
		f.Drill = id // the history has bookings of another
		rows, err := a.core.Store.For(who, "").Bookings(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	refused := func(what string, err error, field string) {
		t.Helper()
		var bad *dashboards.LearnError
		var denied *access.Denied
		switch {
		case field == "denied" && errors.As(err, &denied):
		case field == "gone" && errors.Is(err, analytics.ErrNotFound):
		case errors.As(err, &bad) && bad.Field == field:
		default:
			t.Errorf("%s: %v, want %s", what, err, field)
		}
	}
	if err := p.Book(ctx, lead, work("2026-06-22T14:00", []string{abe.Person, abe.Person}, []string{"alpha"})); err != nil {
		t.Fatal(err)
	}
	if rows := list(lead, analytics.BookingFilter{Team: []string{"alpha"}}); len(rows) != 5 || rows[0].By != lead.Person || rows[0].Cites[0] != "inc-alpha-2-0" || !rows[0].Starts.Equal(time.Date(2026, 6, 22, 14, 0, 0, 0, time.UTC)) {
		t.Errorf("booked: %+v", rows)
	}
	missing := work("2026-06-22T15:00", []string{abe.Person}, nil)
	missing.Drill = "unheard-of"
	long := work("2026-06-22T15:00", []string{abe.Person}, nil)
	long.Reason = strings.Repeat("x", 501)
	cites := work("2026-06-22T15:00", []string{abe.Person}, nil)
	cites.Cites = []string{"none"}
	for _, c := range []struct {
		what  string
		who   access.Who
		w     dashboards.Session
		field string
	}{
		{"a second click", lead, work("2026-06-22T14:00", []string{abe.Person}, nil), "for"}, {"the team again", lead, work("2026-06-22T14:00", nil, []string{"alpha"}), "for"},
		{"in the past", lead, work("2026-06-20T11:00", []string{abe.Person}, nil), "starts"}, {"no time", lead, work("", []string{abe.Person}, nil), "starts"}, {"no such time", lead, work("soon", []string{abe.Person}, nil), "starts"},
		{"in ten years", lead, work("2036-06-22T14:00", []string{abe.Person}, nil), "starts"}, {"for nobody", lead, work("2026-06-22T15:00", nil, nil), "for"},
		{"no such drill", lead, missing, "drill"}, {"a long reason", lead, long, "reason"}, {"no such incident", lead, cites, "cites"},
		{"somebody else's people", lead, work("2026-06-22T15:00", []string{abe.Person, bea.Person}, nil), "denied"}, {"somebody else's team", lead, work("2026-06-22T15:00", nil, []string{"beta"}), "denied"},
		{"nobody in particular's", lead, work("2026-06-22T15:00", []string{"nobody@matrix.example"}, nil), "denied"}, {"a team-mate's", abe, work("2026-06-22T15:00", []string{amy.Person}, nil), "denied"}, {"one's team, as a member", abe, work("2026-06-22T15:00", nil, []string{"alpha"}), "denied"},
		{"nobody's, as the operator", access.Operator(), work("2026-06-22T15:00", []string{"nobody@matrix.example"}, nil), "for"},
	} {
		refused(c.what, p.Book(ctx, c.who, c.w), c.field)
	}
	if n := len(list(lead, analytics.BookingFilter{})); n != 5 {
		t.Errorf("what was refused is booked: %d rows", n)
	}
	if err := p.Book(ctx, amy, work("2026-06-23T09:30", []string{amy.Person}, nil)); err != nil { // of one's own accord
		t.Error(err)
	}
	own := list(abe, analytics.BookingFilter{Own: true})
	var mine, teams string
	for _, r := range own {
		if r.Team == "" {
			mine = r.ID
		} else {
			teams = r.ID
		}
	}
	refused("her lead's booking, moved by herself", p.Rebook(ctx, amy, mine, "2026-06-24T10:00"), "gone")
	refused("another lead's", p.Unbook(ctx, bea, mine), "gone")
	refused("no such booking", p.Unbook(ctx, lead, "none"), "gone")
	refused("the team's, by a member", p.Unbook(ctx, abe, teams), "denied")
	refused("into the past", p.Rebook(ctx, lead, mine, "2026-06-01T10:00"), "starts")
	if err := p.Rebook(ctx, abe, mine, "2026-06-24T10:00"); err != nil { // of one's own, whoever made it
		t.Error(err)
	}
	if err := p.Unbook(ctx, lead, teams); err != nil {
		t.Error(err)
	}
	if rows := list(abe, analytics.BookingFilter{}); len(rows) != 1 || rows[0].Starts.Day() != 24 || rows[0].Reason != "nobody is current in queues" {
		t.Errorf("after moving one and cancelling the other: %+v", rows)
	}

	attempt, err := p.Start(ctx, abe, id)
	if err != nil {
		t.Fatal(err)
	}
	refused("an attempt in play", p.Share(ctx, abe, attempt, "alpha", true), "attempt")
	if err := p.Finish(ctx, abe, attempt); err != nil {
		t.Fatal(err)
	}
	if rows := list(lead, analytics.BookingFilter{ID: mine}); len(rows) != 1 || rows[0].Open() {
		t.Errorf("played, and not done: %+v", rows)
	}
	refused("moved after it was done", p.Rebook(ctx, lead, mine, "2026-06-25T10:00"), "booking")
	read := func(who access.Who) error {
		_, err := a.core.Store.For(who, "").Debrief(ctx, attempt)
		return err
	}
	state := func() string {
		t.Helper()
		rows, err := a.core.Store.For(amy, "").Shared(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rows = slices.DeleteFunc(rows, func(r analytics.SharedRow) bool { return r.Attempt != attempt }) // the history has one of its own
		return fmt.Sprint(read(abe) == nil, read(amy) == nil, read(lead) == nil, read(bea) == nil, len(rows))
	}
	if got := state(); got != "true false false false 0" {
		t.Errorf("before it is shared: %s", got)
	}
	refused("with a team that is not one's own", p.Share(ctx, abe, attempt, "beta", true), "denied")
	refused("with no team", p.Share(ctx, abe, attempt, "", true), "denied")
	refused("by somebody else", p.Share(ctx, amy, attempt, "alpha", true), "gone")
	refused("by the lead", p.Share(ctx, lead, attempt, "alpha", true), "gone")
	refused("by the operator", p.Share(ctx, access.Operator(), attempt, "alpha", true), "gone")
	if err := p.Share(ctx, abe, attempt, "alpha", true); err != nil {
		t.Fatal(err)
	}
	if got := state(); got != "true true true false 1" {
		t.Errorf("shared: %s", got)
	}
	if err := p.Share(ctx, abe, attempt, "alpha", false); err != nil {
		t.Fatal(err)
	}
	if got := state(); got != "true false false false 0" {
		t.Errorf("after it was ended: %s", got)
	}
}
