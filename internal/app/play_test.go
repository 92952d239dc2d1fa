package app

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// An attempt on the whole product: the clock is the server's, each step is an event, and
// nobody else acts in it.
func TestPlaying(t *testing.T) {
	var moved atomic.Int64
	now := func() time.Time {
		return time.Date(2026, 6, 20, 12, 0, 0, 0, time.UTC).Add(time.Duration(moved.Load()) * time.Second)
	}
	a, _, _ := boot(t, Config{Data: t.TempDir(), Now: now, Dev: true})
	ctx := t.Context()
	p := newPlayer(a.core)
	as := func(person string, roles ...access.Role) access.Who {
		return access.As(access.Identity{Person: person}, access.Membership{Person: person, Teams: []string{"x"}, Leads: []string{"x"}}, append(roles, access.Viewer, access.Member)...)
	}
	ann := as("ann@play.example")
	id, err := p.Start(ctx, ann, "lag-that-does-not-drain")
	if err != nil {
		t.Fatal(err)
	}
	read := func() *analytics.Attempt {
		t.Helper()
		x, err := a.core.Store.For(ann, "").Attempt(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	do := func(action string) {
		t.Helper()
		if err := p.Act(ctx, ann, id, action); err != nil {
			t.Fatalf("%s: %v", action, err)
		}
	}
	refused := func(says string, err error) {
		t.Helper()
		var step *drill.StepError
		if !errors.As(err, &step) || !strings.Contains(err.Error(), says) {
			t.Errorf("not refused with %q: %v", says, err)
		}
	}
	moved.Store(10)
	do("open:opened-0")
	refused("not on the table", p.Act(ctx, ann, id, "open:page-20"))
	if err := p.Wait(ctx, ann, id); err != nil {
		t.Fatal(err)
	}
	do("open:page-20") // at once: the step before may be stored or not
	do("speed:10")
	moved.Store(20)
	do("update:mail to ann@play.example and on")
	do("pause")
	moved.Store(1000)
	refused("paused", p.Act(ctx, ann, id, "update"))
	refused("paused", p.Wait(ctx, ann, id))
	do("resume")
	do("look:mail-sender")
	got := read()
	var offsets []int64
	for i, s := range got.Steps {
		offsets = append(offsets, s.Offset)
		if s.N != i+1 {
			t.Errorf("step %d has the number %d", i+1, s.N)
		}
	}
	if want := []int64{10, 20, 20, 20, 120, 120, 120, 120}; len(offsets) != len(want) {
		t.Errorf("offsets %v, want %v", offsets, want)
	} else {
		for i := range want {
			if offsets[i] != want[i] {
				t.Errorf("offsets %v, want %v", offsets, want)
				break
			}
		}
	}
	if got.Steps[4].Action != "update:mail to ann@play.example and on" {
		t.Errorf("her own words became %q", got.Steps[4].Action)
	}
	for name, who := range map[string]access.Who{"a lead": as("lea@play.example", access.Lead), "a people admin": as("pam@play.example", access.PeopleAdmin), "the operator": access.Operator(), "a token": access.Token("t", true, true)} {
		if err := p.Act(ctx, who, id, "finish"); !errors.Is(err, analytics.ErrNotFound) {
			t.Errorf("%s acts in it: %v", name, err)
		}
	}
	if _, err := p.Start(ctx, access.Operator(), "lag-that-does-not-drain"); err == nil {
		t.Error("nobody in particular plays")
	}
	if _, err := p.Start(ctx, ann, "unheard-of"); !errors.Is(err, analytics.ErrNotFound) {
		t.Errorf("no such drill: %v", err)
	}
	if err := p.Finish(ctx, ann, id); err != nil {
		t.Fatal(err)
	}
	refused("finished", p.Act(ctx, ann, id, "update"))
	rows, err := a.core.Store.For(ann, "").Attempts(ctx)
	if err != nil || len(rows) != 1 || rows[0].Finished.IsZero() || len(rows[0].Parts) != 6 || read().Finished.IsZero() {
		t.Errorf("the finished attempt: %+v, %v", rows, err)
	}
	want, err := drill.Score(read().Drill, read().Plain())
	if err != nil || rows[0].Score != want.Score || want.Score == 0 {
		t.Errorf("score %v, want %v, %v", rows[0].Score, want.Score, err)
	}
}

// A drill is compiled from what is stored, published, and played by somebody of another team
// who is told nobody's name.
func TestPublishing(t *testing.T) {
	o := newOrg()
	a, _, _ := boot(t, Config{Data: t.TempDir(), Now: func() time.Time { return matrixNow }, Dev: true})
	ctx := t.Context()
	if err := a.core.Publisher.Publish(ctx, o.history(t)...); err != nil {
		t.Fatal(err)
	}
	if err := a.core.Sink.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	as := func(person, team string) access.Who {
		return access.As(access.Identity{Person: person}, access.Membership{Person: person, Teams: []string{team}}, access.Viewer, access.Member)
	}
	author, other := as(o.alpha[1], "alpha"), as(o.beta[1], "beta")
	var denied *access.Denied
	if _, err := a.core.Store.For(other, "").DrillSource(ctx, "inc-alpha-2-0"); !errors.As(err, &denied) {
		t.Errorf("another team compiles it: %v", err)
	}
	src, err := a.core.Store.For(author, "").DrillSource(ctx, "inc-alpha-2-0")
	if err != nil {
		t.Fatal(err)
	}
	opts := src.Options
	opts.ID, opts.Title, opts.Decisive, opts.Skills = "own-1", "The disk of alpha", []string{"note-180"}, []string{"host-debugging"}
	opts.Decisions = []drill.Decision{{ID: "d1", At: 60, Question: "What now?", Options: []drill.Option{{ID: "a", Text: "make room", Value: 2, Why: "it is full"}, {ID: "b", Text: "wait", Value: -1, Why: "it stays full"}}}}
	d, err := drill.Compile(src.Events, opts)
	if err != nil {
		t.Fatal(err)
	}
	opts.Redactions = map[string]drill.Redaction{}
	for _, x := range d.Texts {
		opts.Redactions[x.Place] = drill.Redaction{Decision: drill.Keep, Of: x.Digest}
	}
	if d, err = drill.Compile(src.Events, opts); err != nil {
		t.Fatal(err)
	}
	p := newPlayer(a.core)
	if err := p.Publish(ctx, author, d); err != nil {
		t.Fatal(err)
	}
	id, err := p.Start(ctx, other, "own-1")
	if err != nil {
		t.Fatal(err)
	}
	x, err := a.core.Store.For(other, "").Attempt(ctx, id)
	if err != nil {
		t.Fatal(err)
	}
	want, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := x.Drill.Encode()
	if err != nil || string(got) != string(want) {
		t.Errorf("what is played is not what was published: %v\n%s", err, got)
	}
	for _, person := range o.all {
		for _, form := range []string{person, nameOf(person), aliasOf(person)} {
			if strings.Contains(string(got), form) {
				t.Errorf("the drill names %s", form)
			}
		}
	}
	if !strings.Contains(string(got), "wrote to responder 1") {
		t.Errorf("the note is not in the drill: %s", got)
	}
}
