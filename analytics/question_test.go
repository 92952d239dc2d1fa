package analytics_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/ingest/event"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/recall"
)

// asked is an organisation whose payments team had incidents: Ana resolves all of them. Its
// clock can be put on.
type asked struct {
	t     *testing.T
	now   time.Time
	order func([]event.Event) // in which events are stored
	db    *warehouse.DB
	store *analytics.Store
	all   []event.Event // not stored yet
	told  int
}

// Tuesday, in the week from Monday, 1 June.
var askedNow = time.Date(2026, 6, 2, 12, 0, 0, 0, time.UTC)

func (x *asked) tell(source string, kind event.Kind, at time.Time, data map[string]any) {
	x.t.Helper()
	e, err := event.New(source, kind, "x", fmt.Sprint(x.told), at, data)
	x.told++
	if err != nil {
		x.t.Fatal(err)
	}
	e.Seen = at
	x.all = append(x.all, e)
}

func newAsked(t *testing.T, order func([]event.Event)) *asked {
	t.Helper()
	x := &asked{t: t, now: askedNow, order: order}
	_, x.db = openStore(t, x.now)
	var err error
	if x.store, err = analytics.Open(context.Background(), x.db, analytics.Config{Now: func() time.Time { return x.now }}); err != nil {
		t.Fatal(err)
	}
	start := askedNow.AddDate(-1, 0, 0)
	for _, m := range [][2]string{{"ana", "payments"}, {"ben", "payments"}, {"cy", "payments"}, {"dee", "search"}, {"eve", "search"}, {"fay", "search"}} {
		person, team := m[0], m[1]
		x.tell("/import/t", event.MemberJoined, start, map[string]any{"team": team, "person": person + "@example.org", "role": map[bool]string{true: "lead"}[person == "ana"]})
		x.tell("/import/t", event.PersonDescribed, start, map[string]any{"person": person + "@example.org", "name": strings.ToUpper(person) + " Surname", "time_zone": "Pacific/Auckland", "aliases": []string{"chat:" + person}})
	}
	for _, m := range [][2]string{{"pay", "payments"}, {"ledger", "payments"}, {"cards", "payments"}, {"find", "search"}, {"web", "web"}} {
		service, team := m[0], m[1]
		x.tell("/import/t", event.ServiceOwned, start, map[string]any{"service": service, "team": team})
	}
	for i := range 12 {
		x.incident(fmt.Sprint("pay-", i), "pay", "ana", askedNow.AddDate(0, 0, -20-7*i))
		x.incident(fmt.Sprint("find-", i), "find", "dee", askedNow.AddDate(0, 0, -20-7*i))
	}
	return x
}

func (x *asked) incident(id, service, resolver string, at time.Time) {
	who := resolver + "@example.org"
	x.tell("/import/t", event.IncidentOpened, at, map[string]any{"incident": id, "title": "Slow, says ANA Surname (ana@example.org)", "service": service, "alert_class": []string{"lag", "disk", "latency"}[x.told%3]})
	x.tell("/import/t", event.IncidentAcknowledged, at.Add(3*time.Minute), map[string]any{"incident": id, "person": who, "actor_kind": "user"})
	x.tell("/import/t", event.IncidentEscalated, at.Add(10*time.Minute), map[string]any{"incident": id, "to": []string{"person:eve@example.org"}, "cause": "manual", "person": who})
	x.tell("/import/t", event.IncidentResolved, at.Add(30*time.Minute), map[string]any{"incident": id, "person": who, "actor_kind": "user"})
}

// as is what a person of a team sees now, with everything stored that was told.
func (x *asked) as(person, team string, roles ...access.Role) *analytics.View {
	x.t.Helper()
	if x.order != nil {
		x.order(x.all)
	}
	insert(x.t, x.db, x.all)
	x.all = nil
	return x.store.For(access.As(access.Identity{}, access.Membership{Person: person, Teams: []string{team}, Leads: []string{team}}, append(roles, access.Viewer, access.Member)...), "tests")
}

func (x *asked) ask(v *analytics.View) *analytics.WeekQuestion {
	x.t.Helper()
	got, err := v.Question(context.Background())
	if err != nil {
		x.t.Fatal(err)
	}
	return got
}

// answer writes what somebody answered as the product does.
func (x *asked) answer(w *analytics.WeekQuestion, person string, right bool, at time.Time) {
	x.t.Helper()
	e, err := recall.Answered(person, *w.Question, w.Week, right, at)
	if err != nil {
		x.t.Fatal(err)
	}
	e.Seen = at
	x.all = append(x.all, e)
}

func TestQuestionOfTheWeek(t *testing.T) {
	var first *recall.Question
	t.Run("in order", func(t *testing.T) { first = questionOfTheWeek(t, nil) })
	t.Run("reversed", func(t *testing.T) {
		if got := questionOfTheWeek(t, slices.Reverse[[]event.Event]); !reflect.DeepEqual(got, first) {
			t.Errorf("in another order %+v, want %+v", got, first)
		}
	})
}

func questionOfTheWeek(t *testing.T, order func([]event.Event)) *recall.Question {
	x := newAsked(t, order)
	ben := x.ask(x.as("ben@example.org", "payments"))
	if ben.Question == nil || !strings.HasPrefix(ben.Question.Incident, "pay-") || ben.Again || ben.Answered != nil {
		t.Fatalf("%+v", ben)
	}
	if ben.Week.Name != "2026-W23" || ben.Week.From.Location().String() != "Pacific/Auckland" {
		t.Errorf("a week of %s in %s", ben.Week.Name, ben.Week.From.Location())
	}
	for _, text := range []string{"ANA", "ana@", "@example.org"} {
		if strings.Contains(fmt.Sprint(*ben.Question), text) {
			t.Errorf("the question names somebody: %+v", ben.Question)
		}
	}
	// Others are asked other things; a member of another team about theirs; nobody about nothing.
	if dee := x.ask(x.as("dee@example.org", "search")); dee.Question == nil || !strings.HasPrefix(dee.Question.Incident, "find-") {
		t.Errorf("%+v", dee.Question)
	}
	if none := x.ask(x.as("zoe@example.org", "web")); none.Question != nil || len(none.Cards) != 0 {
		t.Errorf("%+v", none.Question)
	}
	var denied *access.Denied
	for _, who := range []access.Who{{}, access.Operator(), access.Token("t", true, false)} {
		if _, err := x.store.For(who, "").Question(context.Background()); !errors.As(err, &denied) {
			t.Errorf("%s: %v", who.Label(), err)
		}
	}
	// The same from Monday's midnight in Auckland on, all week, whatever happens in it.
	x.incident("pay-new", "pay", "ana", askedNow.AddDate(0, 0, 1))
	for _, now := range []time.Time{time.Date(2026, 5, 31, 12, 0, 0, 0, time.UTC), askedNow.AddDate(0, 0, 4)} {
		x.now = now
		if got := x.ask(x.as("ben@example.org", "payments")); !reflect.DeepEqual(got.Question, ben.Question) {
			t.Errorf("at %s: %+v, want %+v", now, got.Question, ben.Question)
		}
	}
	x.now = time.Date(2026, 5, 31, 11, 59, 0, 0, time.UTC)
	if got := x.ask(x.as("ben@example.org", "payments")); got.Week.Name != "2026-W22" {
		t.Errorf("Sunday, 23:59 in Auckland, is in %s", got.Week.Name)
	}
	return ben.Question
}

func TestQuestionsComeAgain(t *testing.T) {
	x := newAsked(t, slices.Reverse[[]event.Event])
	at := x.now
	first := x.ask(x.as("ben@example.org", "payments"))
	x.answer(first, "chat:ben", false, at)                                                                                                                                                                                                 // an alias of his
	x.all = append(x.all, x.all[len(x.all)-1])                                                                                                                                                                                             // a copy
	x.answer(first, "ana@example.org", true, at)                                                                                                                                                                                           // somebody else's
	x.tell("/import/t", event.QuestionAnswered, at.Add(-time.Hour), map[string]any{"question": first.Question.ID, "incident": first.Question.Incident, "person": "ben@example.org", "correct": true, "week": first.Week.Name, "grade": 3}) // a stranger's word
	got := x.ask(x.as("ben@example.org", "payments"))
	if got.Answered == nil || got.Answered.Correct || !reflect.DeepEqual(got.Question, first.Question) || len(got.Cards) != 1 || got.Cards[0].Answers != 1 {
		t.Fatalf("%+v", got)
	}
	// His lead, a people admin and the story of the incident tell nobody of it.
	lead := x.as("ana@example.org", "payments", access.Lead, access.PeopleAdmin)
	if theirs := x.ask(lead); len(theirs.Cards) != 1 || !theirs.Cards[0].Correct {
		t.Errorf("a lead reads %+v", theirs.Cards)
	}
	for name, view := range map[string]*analytics.View{"lead": lead, "himself": x.as("ben@example.org", "payments"), "operator": x.store.For(access.Operator(), "")} {
		inc, err := view.Incident(context.Background(), first.Question.Incident)
		if err != nil {
			t.Fatal(err)
		}
		events, err := view.Events(context.Background(), analytics.EventFilter{Incident: first.Question.Incident})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range append(inc.Events, events...) {
			if e.Kind == "question.answered" {
				t.Errorf("%s reads in the incident's story what was answered: %s", name, e.Data)
			}
		}
	}
	// What was wrong comes again the week after; then something new; each week one.
	at = at.AddDate(0, 0, 7)
	x.now = at
	second := x.ask(x.as("ben@example.org", "payments"))
	if second.Question == nil || second.Question.ID != first.Question.ID || !second.Again || second.Answered != nil {
		t.Fatalf("%+v", second)
	}
	x.answer(second, "ben@example.org", true, at)
	at = at.AddDate(0, 0, 7)
	x.now = at
	third := x.ask(x.as("ben@example.org", "payments"))
	if due := third.Cards[0].Due; third.Again != !due.After(third.Week.From) || third.Question == nil {
		t.Errorf("due %s, asked %+v", due, third)
	}
	if !third.Again && third.Question.Incident == first.Question.Incident {
		t.Error("a new question about the same incident while there are others")
	}
}

// What somebody resolved on Thursday is no question to them on Monday.
func TestQuestionsAreNotOfYesterday(t *testing.T) {
	x := newAsked(t, slices.Reverse[[]event.Event])
	x.all = slices.DeleteFunc(x.all, func(e event.Event) bool { return strings.Contains(string(e.Data), `"pay-`) })
	x.incident("pay-fresh", "pay", "ben", askedNow.AddDate(0, 0, -4))
	x.incident("pay-open", "pay", "ben", askedNow.Add(-time.Hour)) // within the week
	if got := x.ask(x.as("ben@example.org", "payments")); got.Question != nil {
		t.Errorf("he resolved it four days ago: %+v", got.Question)
	}
	if got := x.ask(x.as("cy@example.org", "payments")); got.Question == nil || got.Question.Incident != "pay-fresh" {
		t.Errorf("somebody else of the team: %+v", got.Question)
	}
	x.now = askedNow.AddDate(0, 0, 7)
	if got := x.ask(x.as("ben@example.org", "payments")); got.Question == nil || got.Question.Incident != "pay-fresh" {
		t.Errorf("a week later: %+v", got.Question)
	}
}
