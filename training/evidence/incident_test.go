package evidence

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

var monday = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// story reads an incident from words, a minute apart: "ana ack", "ana escalate team:db",
// "timeout person:bo", "ana ask cy", "cy accept", "ana resolve", "auto resolve", "reopen".
func story(text string) Incident {
	i := Incident{ID: "i1", Class: "queue-lag"}
	for n, line := range strings.Split(text, "; ") {
		w := strings.Fields(line)
		a := Act{At: monday.Add(time.Duration(n) * time.Minute), Person: w[0], User: true}
		switch {
		case w[0] == "open":
			a = Act{Kind: event.IncidentOpened, At: a.At}
		case w[0] == "timeout":
			a = Act{Kind: event.IncidentEscalated, At: a.At, Cause: "timeout", To: w[1:]}
		case w[0] == "reopen":
			a = Act{Kind: event.IncidentReopened, At: a.At}
		case w[0] == "auto":
			a = Act{Kind: event.IncidentResolved, At: a.At}
		case w[1] == "ack":
			a.Kind = event.IncidentAcknowledged
		case w[1] == "note":
			a.Kind = event.IncidentNoted
		case w[1] == "escalate":
			a.Kind, a.Cause, a.To = event.IncidentEscalated, "manual", w[2:]
		case w[1] == "pass":
			a.Kind, a.To = event.IncidentReassigned, w[2:]
		case w[1] == "ask":
			a = Act{Kind: event.ResponderRequested, At: a.At, Person: w[2], State: "pending"}
		case w[1] == "accept":
			a = Act{Kind: event.ResponderResponded, At: a.At, Person: w[0], User: true, State: "accepted"}
		case w[1] == "decline":
			a = Act{Kind: event.ResponderResponded, At: a.At, Person: w[0], User: true, State: "declined"}
		case w[1] == "resolve":
			a.Kind = event.IncidentResolved
		default:
			panic(line)
		}
		i.Acts = append(i.Acts, a)
	}
	return i
}

func TestShowings(t *testing.T) {
	for _, c := range []struct{ story, want string }{
		{"open; ana ack; ana resolve", "ana solo +2"},
		{"open; ana resolve", "ana solo +1"},
		{"open; timeout person:ana; ana ack; ana resolve", "ana solo +3"}, // nobody called: the next was rung
		{"open; ana ack; ana escalate team:db; bo ack; bo resolve", "bo assist +4"},
		{"open; ana ack; ana escalate person:bo; bo ack; ana note; bo resolve", "ana led +4, bo assist +5"},
		{"open; ana ack; ana escalate person:bo; ana note; bo ack; bo resolve", "bo assist +5"}, // handed over before bo came
		{"open; ana ack; ana escalate person:bo; bo ack; bo note; ana resolve", "ana led +5, bo assist +4"},
		{"open; ana ack; ana escalate person:bo; ana resolve", "ana led +3"}, // escalating takes nothing away
		{"open; ana ack; ana ask cy; cy accept; ana resolve", "ana led +4"},  // coming is not yet acting
		{"open; ana ack; ana ask cy; cy accept; cy note; ana resolve", "ana led +5, cy assist +4"},
		{"open; ana ack; ana ask cy; cy decline; ana resolve", "ana led +4"},
		{"open; ana ack; ana pass team:b; bo ack; bo resolve", "bo assist +4"},
		{"open; ana ack; bo resolve", ""},                                             // the events do not say who did what
		{"open; ana ack; bo note; ana escalate person:bo; ana resolve", "ana led +4"}, // bo was there already
		{"open; ana ack; auto resolve", ""},
		{"open; auto resolve", ""},
		{"open; ana ack", ""},
		{"open; ana ack; ana resolve; reopen", ""},
		{"open; ana ack; ana resolve; reopen; ana resolve", "ana solo +4"},
		{"open; ana ack; ana resolve; bo note", "ana solo +2"}, // a note of the next day resolves nothing
		{"open; ana ack; ana escalate team:db; bo ack; cy note; bo resolve", "bo assist +5, cy assist +4"},
	} {
		var got []string
		for _, s := range story(c.story).Showings() {
			got = append(got, fmt.Sprintf("%s %s +%d", s.Person, s.Kind, int(s.At.Sub(monday).Minutes())))
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %v, want %s", c.story, got, c.want)
		}
	}
	for _, spoil := range []func(*Incident){func(i *Incident) { i.Drill = true }, func(i *Incident) { i.Merged = true }} {
		i := story("open; ana ack; ana resolve")
		if spoil(&i); len(i.Showings()) != 0 {
			t.Error("a drill or a part of another incident shows something")
		}
	}
}

// Whoever escalates loses nothing by it against the same story in which nobody is called and
// somebody else brings it to its end.
func TestEscalatingIsNeverNegative(t *testing.T) {
	weigh := func(text string) (sum int) {
		for _, s := range story(text).Showings() {
			if s.Person == "ana" {
				sum += Weight(s.Kind)
			}
		}
		return sum
	}
	for _, c := range [][2]string{
		{"open; ana ack; bo resolve", "open; ana ack; ana escalate person:bo; bo resolve"},
		{"open; ana ack; bo note; ana resolve", "open; ana ack; ana escalate person:bo; bo note; ana resolve"},
		{"open; ana ack; auto resolve", "open; ana ack; ana escalate person:bo; auto resolve"},
	} {
		if a, b := weigh(c[0]), weigh(c[1]); b < a {
			t.Errorf("%s shows %d, %s shows %d", c[0], a, c[1], b)
		}
	}
}

func TestBeside(t *testing.T) {
	shift := func(person, role string, from, to int) Shift {
		return Shift{ID: person + "-" + role, Schedule: "pay", Person: person, Role: role, Level: 1, Start: monday.Add(time.Duration(from) * time.Minute), End: monday.Add(time.Duration(to) * time.Minute), Worked: true}
	}
	week := shift("ana", "primary", -100, 100)
	other := func(s Shift, change func(*Shift)) Shift { change(&s); return s }
	for _, c := range []struct {
		name, story string
		shifts      []Shift
		want        string
	}{
		{"a shadow", "open; ana ack; ana resolve", []Shift{week, shift("new", "shadow", -10, 50)}, "ana solo i1, ana taught new-shadow, new shadow i1"},
		{"planned only", "open; ana ack; ana resolve", []Shift{week, other(shift("new", "shadow", -10, 50), func(s *Shift) { s.Worked = false })}, "ana solo i1"},
		{"of another schedule", "open; ana ack; ana resolve", []Shift{week, other(shift("new", "shadow", -10, 50), func(s *Shift) { s.Schedule = "find" })}, "ana solo i1"},
		{"cancelled", "open; ana ack; ana resolve", []Shift{week, shift("new", "shadow", 1, 1)}, "ana solo i1"},
		{"before it began", "open; ana ack; ana resolve", []Shift{week, shift("new", "shadow", 2, 50)}, "ana solo i1"},
		{"of the secondary", "open; bo ack; bo resolve", []Shift{week, shift("bo", "secondary", -100, 100), shift("new", "shadow", -10, 50)}, "bo solo i1"},
		{"automation ended it", "open; ana ack; auto resolve", []Shift{week, shift("new", "shadow", -10, 50)}, "ana taught new-shadow, new shadow i1"},
		{"nobody acted", "open; auto resolve", []Shift{week, shift("new", "shadow", -10, 50)}, ""},
		{"a reverse shadow", "open; new ack; new resolve", []Shift{week, shift("new", "reverse_shadow", -10, 50)}, "ana taught new-reverse_shadow, new reverse_shadow i1"},
		{"taken over", "open; new ack; ana note; ana resolve", []Shift{week, shift("new", "reverse_shadow", -10, 50)}, "ana taught new-reverse_shadow, new shadow i1"},
		{"helped by a specialist", "open; new ack; new escalate person:bo; bo note; new resolve", []Shift{week, shift("new", "reverse_shadow", -10, 50)}, "ana taught new-reverse_shadow, bo assist i1, new reverse_shadow i1"},
		{"a shadow who acted", "open; ana ack; ana ask new; new note; ana resolve", []Shift{week, shift("new", "shadow", -10, 50)}, "ana led i1, ana taught new-shadow, new assist i1"},
	} {
		i := story(c.story)
		var got []string
		for _, p := range i.Pieces([]Ruled{{Skill: "queue-stream-ops", Shows: true}}, c.shifts) {
			got = append(got, p.Person+" "+p.Kind+" "+p.Ref)
		}
		slices.Sort(got)
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
	late := story("open; ana ack; ana resolve")
	late.Acts[2].At = monday.Add(50*time.Minute + Late + time.Second)
	if got := late.Pieces([]Ruled{{Skill: "x", Shows: true}}, []Shift{week, shift("new", "shadow", -10, 50)}); len(got) != 1 {
		t.Errorf("an incident that was over more than a week later is of the shift: %v", got)
	}
}

func TestLearning(t *testing.T) {
	day := func(n int) time.Time { return monday.AddDate(0, 0, n) }
	got := Drills([]Played{
		{"ana", "d1", "a1", []string{"x", "y"}, 69.9, day(0), false},
		{"ana", "d1", "a2", []string{"x", "y"}, 100, day(1), false},  // the debrief of a1 helped
		{"ana", "d1", "a3", []string{"x", "y"}, 100, day(90), false}, // and that of a2
		{"ana", "d1", "a4", []string{"x", "y"}, 80, day(180), false}, // 90 days after a3
		{"ana", "d2", "a5", []string{"x"}, 70, day(2), false},
		{"bo", "d1", "a6", []string{"x"}, 80, day(2), false},
		{"bo", "d2", "a7", []string{"x"}, 80, day(2), true}, // whoever made it knows it
	})
	var words []string
	for _, p := range got {
		words = append(words, p.Person+p.Occasion+p.Skill)
	}
	if want := "anaa5x boa6x anaa4x anaa4y"; strings.Join(words, " ") != want {
		t.Errorf("drills show %v, want %s", words, want)
	}
	lessons := Lessons([]Learned{{"ana", "FX4", "as1", []string{"x"}, false, day(3)}, {"ana", "FX4", "as1", []string{"x"}, false, day(2)}, {"ana", "FX4", "as1", []string{"x"}, true, day(4)}, {"ana", "FX4", "as2", []string{"x"}, false, day(9)}})
	if len(lessons) != 3 || lessons[0].Kind != Quiz || !lessons[0].At.Equal(day(2)) || lessons[1].Kind != Module || lessons[2].Occasion != "as2" {
		t.Errorf("lessons show %v", lessons)
	}
}
