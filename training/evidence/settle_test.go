package evidence

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"testing"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// log is what was published, read back as the product does.
type log struct {
	events []event.Event
	ids    map[string]bool
}

func (l *log) add(events ...event.Event) (n int) {
	for _, e := range events {
		if l.ids == nil {
			l.ids = map[string]bool{}
		}
		if !l.ids[e.ID] {
			l.ids[e.ID], l.events, n = true, append(l.events, e), n+1
		}
	}
	return n
}

func (l *log) published() []Published {
	var out []Published
	for _, e := range l.events {
		var d evidencedData
		if e.Kind == event.SkillEvidenced && json.Unmarshal(e.Data, &d) == nil {
			out = append(out, Published{Piece: Piece{d.Person, d.Skill, d.Kind, d.Ref, d.Occasion, e.At, d.Rule}, ID: e.ID, Own: d.Rule != ""})
		}
	}
	for _, e := range l.events {
		var d voidedData
		if e.Kind != event.EvidenceVoided || json.Unmarshal(e.Data, &d) != nil {
			continue
		}
		for i := range out {
			if out[i].ID == d.Evidence && d.By == ByRules && out[i].Voided == "" {
				out[i].Voided = UndoneByRules
			} else if out[i].ID == d.Evidence && d.By != ByRules {
				out[i].Voided = UndoneByPeople
			}
		}
	}
	return out
}

// standing are the pieces that count.
func (l *log) standing() map[string]bool {
	out := map[string]bool{}
	for _, p := range l.published() {
		if p.Voided == "" {
			out[fmt.Sprint(p.Piece)] = true
		}
	}
	return out
}

func settle(t *testing.T, l *log, derived []Piece, now time.Time) int {
	t.Helper()
	events, err := Settle(derived, l.published(), "e1", now)
	if err != nil {
		t.Fatal(err)
	}
	return l.add(events...)
}

// Whatever is derived one after the other, and whatever people void in between: what stands
// is what is derived now less what people contested; settling again changes nothing; and a
// void takes out that piece and nothing else.
func TestSettling(t *testing.T) {
	r := rand.New(rand.NewSource(7))
	for round := range 300 {
		l := &log{}
		now := monday.AddDate(0, 1, 0)
		contested := map[thing]bool{}
		attested, err := Attest(Piece{Person: "p0", Skill: "s0", Ref: "i0", At: monday}, "p9", "")
		if err != nil {
			t.Fatal(err)
		}
		l.add(attested)
		for range 6 {
			now = now.Add(time.Hour)
			var derived []Piece
			for range r.Intn(8) {
				derived = append(derived, Piece{fmt.Sprint("p", r.Intn(2)), fmt.Sprint("s", r.Intn(2)), []string{Solo, Led}[r.Intn(2)], fmt.Sprint("i", r.Intn(3)), "", monday.Add(time.Duration(r.Intn(2)) * time.Hour), "r"})
			}
			settle(t, l, derived, now)
			if n := settle(t, l, derived, now.Add(time.Minute)); n != 0 {
				t.Fatalf("round %d: settling again published %d events", round, n)
			}
			want := map[string]bool{fmt.Sprint(Piece{Person: "p0", Skill: "s0", Kind: Attested, Ref: "i0", At: monday}): true}
			first := map[key]Piece{}
			for _, p := range derived {
				if f, ok := first[p.key()]; !ok || p.At.Before(f.At) {
					first[p.key()] = p
				}
			}
			for _, p := range first {
				if !contested[p.thing()] {
					want[fmt.Sprint(p)] = true
				}
			}
			if got := l.standing(); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("round %d: %v stands, want %v", round, got, want)
			}
			// Somebody contests one of those that stand.
			var own []Published
			for _, p := range l.published() {
				if p.Own && p.Voided == "" {
					own = append(own, p)
				}
			}
			if len(own) == 0 || r.Intn(2) == 0 {
				continue
			}
			p := own[r.Intn(len(own))]
			before := l.standing()
			e, err := Void(p.ID, "it was somebody else", p.Person, "", now.Add(2*time.Minute))
			if err != nil {
				t.Fatal(err)
			}
			l.add(e)
			contested[p.thing()] = true
			delete(before, fmt.Sprint(p.Piece))
			if after := l.standing(); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Fatalf("round %d: a void of %v left %v, want %v", round, p.Piece, after, before)
			}
		}
	}
}

func TestSettlingTags(t *testing.T) {
	i := story("open; ana ack; ana resolve")
	found := []Ruled{{"x", []string{"r1"}, true}, {"y", []string{"r1", "r2"}, false}}
	end := monday.Add(2 * time.Minute)
	now := monday.AddDate(0, 0, 1)
	at := func(events []event.Event) (out []string) {
		for _, e := range events {
			var d taggedData
			if err := json.Unmarshal(e.Data, &d); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(e.Kind, " ", d.Skill, " ", e.At.Sub(end)))
		}
		slices.Sort(out)
		return out
	}
	for _, c := range []struct {
		name  string
		tags  []Tag
		found []Ruled
		want  string
		shows string
	}{
		{"nothing yet", nil, found, "[skill.tagged x 0s skill.tagged y 0s]", "[x]"},
		{"said", []Tag{{Skill: "x", Basis: ByRule, Own: true, Stands: true}, {Skill: "y", Basis: ByRule, Own: true, Stands: true}}, found, "[]", "[x]"},
		{"not found any more", []Tag{{Skill: "z", Basis: ByRule, Own: true, Stands: true}}, nil, fmt.Sprint("[skill.untagged z ", now.Sub(end), "]"), "[]"},
		{"somebody else's rule", []Tag{{Skill: "z", Basis: ByRule, Stands: true}}, nil, "[]", "[z]"},
		{"people said so", []Tag{{Skill: "z", Basis: ByResponder, Stands: true}}, nil, "[]", "[z]"},
		{"people took it back", []Tag{{Skill: "x", Basis: ByRule, Own: true, Undone: UndoneByPeople}}, found[:1], "[]", "[]"},
		{"the rules took it back", []Tag{{Skill: "x", Basis: ByRule, Own: true, Undone: UndoneByRules, UndoneAt: now}}, found[:1], fmt.Sprint("[skill.tagged x ", now.Add(time.Millisecond).Sub(end), "]"), "[x]"},
	} {
		i.Tags = c.tags
		events, err := SettleTags(i, c.found, "v", now)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(at(events)); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if got := fmt.Sprint(i.Skills(c.found)); got != c.shows {
			t.Errorf("%s: shows %s, want %s", c.name, got, c.shows)
		}
		again, err := SettleTags(i, c.found, "v", now)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(events) {
			t.Errorf("%s: twice is not the same: %v", c.name, err)
		}
	}
}

// No id of a person stands in plain in what identifies an event.
func TestIdsHoldNobody(t *testing.T) {
	p := Piece{"ana@example.org", "x", Solo, "i1", "", monday, "solo"}
	a, err := Evidenced(p, "e1", 0)
	b, err2 := Evidenced(p, "e2", 0)
	c, err3 := Evidenced(p, "e1", 1)
	if err != nil || err2 != nil || err3 != nil {
		t.Fatal(err, err2, err3)
	}
	if a.ID != b.ID || a.ID == c.ID || a.Key != "skill:x" {
		t.Error("an id follows from what it says and how often, not from the rules' version")
	}
}
