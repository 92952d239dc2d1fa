package drill

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/ingest/event"
)

// Event is an event of the incident, or of what surrounds it (alerts and deployments of the
// services), as the author chose to hand it over. Person is the canonical id.
type Event struct {
	Kind    event.Kind
	At      time.Time
	ID      string // breaks ties of time
	Person  string
	Service string
	Team    string
	Data    map[string]any
}

// Options are the author's decisions.
type Options struct {
	ID       string
	Incident string
	Title    string
	Lesson   string
	Skills   []string
	Service  string   // the right service; empty: the last one the incident had
	Services []string // further services that can be looked at
	Targets  []string // further teams and policies that can be paged
	// Teams is the team behind a person or policy at the time, by target: "person:ana@example.org" → "payments".
	Teams map[string]string
	// People is what texts may call a person besides the id, by canonical id.
	People     map[string][]string
	Mitigated  *int64 // when the harm ended, in seconds from the opening
	Decisive   []string
	Herrings   []Herring
	Decisions  []Decision
	Redactions map[string]Redaction // by Text.Place
	Past       []Past               // of which those of the same service and alert class make the norm
}

// Compile makes a drill of an incident. Events may come in any order and more than once; what
// is not evidence (verdicts, tags, reviews) and what happened after the last resolution, as a
// note of the next day, is hindsight and left out. The errors name their fields.
func Compile(events []Event, o Options) (Drill, error) {
	var c complaints
	story := inOrder(events)
	opened, resolved := -1, -1
	for i, e := range story {
		switch {
		case e.Kind == event.IncidentOpened && opened < 0:
			opened = i
		case e.Kind == event.IncidentResolved:
			resolved = i
		case e.Kind == event.IncidentReopened:
			resolved = -1
		}
	}
	if opened < 0 {
		c.add("events", "no incident.opened: offsets have nothing to count from")
	}
	if resolved < 0 {
		c.add("events", "no incident.resolved: an incident that is open has no end to learn from")
	}
	if len(c) > 0 {
		return Drill{}, errors.Join(c...)
	}
	story = story[:resolved+1]
	t := &table{people: newCast(o.People), start: story[opened].At, ids: map[string]int{}}
	var kept []Event
	for _, e := range story {
		if evidence(e.Kind) {
			kept = append(kept, e)
			t.lay(e)
		}
	}
	d := Drill{
		Format: Format, ID: o.ID, Incident: o.Incident, Skills: append([]string{}, o.Skills...), Cards: t.cards,
		Decisive: append([]string{}, o.Decisive...), Herrings: append([]Herring{}, o.Herrings...), Decisions: append([]Decision{}, o.Decisions...),
	}
	d.Facts = factsOf(kept, t.start, o)
	for _, e := range kept {
		d.AlertClass = cmp.Or(text(e.Data, "alert_class"), d.AlertClass)
	}
	d.Facts.norm(o.Past, d.AlertClass)
	d.Services, d.Targets = t.surroundings(d.Facts, o)
	t.close(&d, o, &c)
	if err := d.Validate(); err != nil {
		c = append(c, err)
	}
	return d, errors.Join(c...)
}

// inOrder sorts by (at, id) and drops copies.
func inOrder(events []Event) []Event {
	out := slices.Clone(events)
	slices.SortStableFunc(out, func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind))
	})
	return slices.CompactFunc(out, func(a, b Event) bool {
		return a.ID != "" && a.ID == b.ID && a.Kind == b.Kind && a.At.Equal(b.At)
	})
}

// table is a drill's cards while they are laid.
type table struct {
	people *cast
	start  time.Time
	ids    map[string]int
	cards  []Card
	texts  []Text
}

// lay makes a card of an event. What happened before the opening lies on the table from the
// beginning, since whoever was paged could have found it.
func (t *table) lay(e Event) {
	card := Card{Offset: seconds(e.At.Sub(t.start)), Kind: string(e.Kind), Service: e.Service, Team: e.Team}
	word, when := words[e.Kind], fmt.Sprint(card.Offset)
	if card.Offset < 0 || e.At.Before(t.start) {
		card.Before, card.Offset = max(1, -card.Offset), 0
		when = fmt.Sprintf("before-%d", card.Before)
	}
	card.ID = word + "-" + when
	if t.ids[card.ID]++; t.ids[card.ID] > 1 {
		card.ID = fmt.Sprintf("%s-%d", card.ID, t.ids[card.ID])
	}
	person := cmp.Or(e.Person, text(e.Data, "person"))
	card.Person = t.people.name(person)
	if by := text(e.Data, "by"); by != "" {
		t.people.name(by)
	}
	to, from := t.named(e.Data["to"]), t.named(e.Data["from"])
	for _, name := range plain {
		if v := text(e.Data, name); v != "" {
			card.Details = append(card.Details, Detail{name, v})
		}
	}
	for _, d := range []Detail{{"to", strings.Join(to, ", ")}, {"from", strings.Join(from, ", ")}} {
		if d.Value != "" {
			card.Details = append(card.Details, d)
		}
	}
	card.Summary = summary(e, card.Person, to)
	for _, field := range free {
		if v := text(e.Data, field); v != "" {
			t.texts = append(t.texts, Text{Place: card.ID + "." + field, Card: card.ID, Field: field, Text: v})
		}
	}
	t.cards = append(t.cards, card)
}

// named are targets with people's pseudonyms.
func (t *table) named(v any) []string {
	var out []string
	for _, target := range targets(v) {
		if n := t.people.target(target); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// surroundings are the services to look at and the targets to page: those of the incident
// and those the author added.
func (t *table) surroundings(f Facts, o Options) (services, pagees []string) {
	services = append(services, o.Services...)
	services = append(services, f.Service)
	for _, card := range t.cards {
		services = append(services, card.Service)
		for _, d := range card.Details {
			if d.Name == "service" {
				services = append(services, d.Value)
			}
		}
	}
	return set(services), set(append(slices.Clone(o.Targets), f.EscalatedTo...))
}

// set is sorted, without the empty and the repeated.
func set(words []string) []string {
	out := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
	slices.Sort(out)
	return append([]string{}, slices.Compact(out)...)
}

// close replaces people in all that is text, once everybody is known, and applies the
// author's redactions.
func (t *table) close(d *Drill, o Options, c *complaints) {
	all := []string{o.Title, o.Lesson}
	for _, x := range t.texts {
		all = append(all, x.Text)
	}
	for _, r := range o.Redactions {
		all = append(all, r.Text)
	}
	for _, q := range o.Decisions {
		all = append(all, q.Question)
		for _, a := range q.Options {
			all = append(all, a.Text, a.Why)
		}
	}
	for _, h := range o.Herrings {
		all = append(all, h.Why)
	}
	t.people.close(all)
	say := t.people.text
	for i := range t.texts {
		t.texts[i].Text = say(t.texts[i].Text)
	}
	for i := range d.Cards {
		for j := range d.Cards[i].Details {
			d.Cards[i].Details[j].Value = say(d.Cards[i].Details[j].Value)
		}
		d.Cards[i].Summary = say(d.Cards[i].Summary)
	}
	d.Title, d.Lesson = say(o.Title), say(o.Lesson)
	for i := range d.Herrings {
		d.Herrings[i].Why = say(d.Herrings[i].Why)
	}
	for i := range d.Decisions {
		q := &d.Decisions[i]
		q.Question, q.Options = say(q.Question), slices.Clone(q.Options)
		for j := range q.Options {
			q.Options[j].Text, q.Options[j].Why = say(q.Options[j].Text), say(q.Options[j].Why)
		}
	}
	d.Texts = append([]Text{}, redact(t.texts, o.Redactions, t.people, c)...)
	d.Participants = len(t.people.order)
}
