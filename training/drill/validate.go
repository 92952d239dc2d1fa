package drill

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// worst and best bound an option's value.
const worst, best = -3, 3

// complaints collects errors that each name a field.
type complaints []error

func (c *complaints) add(field, format string, args ...any) {
	*c = append(*c, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
}

// Validate names every field at fault. What it passes can be played once it is published.
func (d Drill) Validate() error {
	var c complaints
	if d.Format != Format {
		c.add("format", "%d; this version reads %d", d.Format, Format)
	}
	for _, f := range []struct{ name, value string }{{"id", d.ID}, {"incident", d.Incident}, {"title", d.Title}} {
		if strings.TrimSpace(f.value) == "" {
			c.add(f.name, "required")
		}
	}
	if !slices.IsSorted(d.Services) || slices.Contains(d.Services, "") {
		c.add("services", "must be named and in alphabetical order")
	}
	if !slices.IsSorted(d.Targets) {
		c.add("targets", "must be in alphabetical order")
	}
	for i, t := range d.Targets {
		if !target(t) {
			c.add(fmt.Sprintf("targets[%d]", i), "must be team: or policy: with an id behind it")
		}
	}
	d.validateCards(&c)
	d.validateFacts(&c)
	for i, id := range d.Decisive {
		if d.card(id) == nil {
			c.add(fmt.Sprintf("decisive[%d]", i), "no card %q", id)
		} else if slices.Index(d.Decisive, id) != i {
			c.add(fmt.Sprintf("decisive[%d]", i), "listed twice")
		}
	}
	for i, h := range d.Herrings {
		field := fmt.Sprintf("herrings[%d]", i)
		switch {
		case (h.Service == "") == (h.Card == ""):
			c.add(field, "names either a service or a card")
		case h.Service != "" && !slices.Contains(d.Services, h.Service):
			c.add(field+".service", "%q is not among the services", h.Service)
		case h.Service != "" && h.Service == d.Facts.Service:
			c.add(field+".service", "is the right service")
		case h.Card != "" && d.card(h.Card) == nil:
			c.add(field+".card", "no card %q", h.Card)
		case h.Card != "" && slices.Contains(d.Decisive, h.Card):
			c.add(field+".card", "is decisive")
		}
		if strings.TrimSpace(h.Why) == "" {
			c.add(field+".why", "required: a red herring is reported with its reason")
		}
	}
	d.validateDecisions(&c)
	return errors.Join(c...)
}

func (d Drill) validateCards(c *complaints) {
	if len(d.Cards) == 0 {
		c.add("cards", "required")
	}
	seen := map[string]bool{}
	for i, card := range d.Cards {
		field := fmt.Sprintf("cards[%d]", i)
		if card.ID == "" || strings.ContainsAny(card.ID, ":. ") || seen[card.ID] {
			c.add(field+".id", "must be given once, without colon, full stop and space")
		}
		seen[card.ID] = true
		if card.Offset < 0 || card.Before < 0 || card.Before > 0 && card.Offset > 0 {
			c.add(field+".offset_s", "must not be negative, and is 0 for what came before the opening")
		}
		if i > 0 && card.Offset < d.Cards[i-1].Offset {
			c.add(field+".offset_s", "must not be before the card before")
		}
		if card.Offset > d.Facts.Resolved {
			c.add(field+".offset_s", "is after the resolution")
		}
		if card.Summary == "" {
			c.add(field+".summary", "required")
		}
	}
	places := map[string]bool{}
	for i, t := range d.Texts {
		field := fmt.Sprintf("texts[%d]", i)
		if d.card(t.Card) == nil {
			c.add(field+".card", "no card %q", t.Card)
		}
		if t.Place != t.Card+"."+t.Field || places[t.Place] {
			c.add(field+".place", "must be card and field, once")
		}
		places[t.Place] = true
		switch t.Decision {
		case Undecided, Keep, Replace:
		case Drop:
			if t.Text != "" {
				c.add(field+".text", "is dropped and must be empty")
			}
		default:
			c.add(field+".decision", "%q; the decisions are keep, replace, drop", t.Decision)
		}
	}
}

func (d Drill) validateFacts(c *complaints) {
	f := d.Facts
	if f.Service != "" && !slices.Contains(d.Services, f.Service) {
		c.add("facts.service", "%q is not among the services", f.Service)
	}
	if f.Resolved <= 0 {
		c.add("facts.resolved_s", "must be after the opening: an incident that is open has no end to learn from")
	}
	if f.Reference <= 0 {
		c.add("facts.reference_s", "must be above zero")
	}
	if f.UpdateGap != nil && *f.UpdateGap <= 0 {
		c.add("facts.update_gap_s", "must be above zero")
	}
	for _, o := range []struct {
		name string
		at   *int64
	}{{"escalated_s", f.Escalated}, {"declared_s", f.Declared}, {"mitigated_s", f.Mitigated}} {
		if o.at != nil && (*o.at < 0 || *o.at > f.Resolved) {
			c.add("facts."+o.name, "must lie between the opening and the resolution")
		}
	}
	for i, t := range f.EscalatedTo {
		if !slices.Contains(d.Targets, t) {
			c.add(fmt.Sprintf("facts.escalated_to[%d]", i), "%q is not among the targets", t)
		}
	}
}

func (d Drill) validateDecisions(c *complaints) {
	seen := map[string]bool{}
	for i, q := range d.Decisions {
		field := fmt.Sprintf("decisions[%d]", i)
		if q.ID == "" || strings.ContainsAny(q.ID, ": ") || seen[q.ID] {
			c.add(field+".id", "must be given once, without colon and space")
		}
		seen[q.ID] = true
		if q.At < 0 || q.At > d.Facts.Resolved {
			c.add(field+".at_s", "must lie between the opening and the resolution")
		}
		if strings.TrimSpace(q.Question) == "" {
			c.add(field+".question", "required")
		}
		if len(q.Options) < 2 {
			c.add(field+".options", "at least 2: else nothing is decided")
		}
		good, options := false, map[string]bool{}
		for j, o := range q.Options {
			at := fmt.Sprintf("%s.options[%d]", field, j)
			if o.ID == "" || strings.ContainsAny(o.ID, ": ") || options[o.ID] {
				c.add(at+".id", "must be given once, without colon and space")
			}
			options[o.ID] = true
			good = good || o.Value > 0
			if o.Value < worst || o.Value > best {
				c.add(at+".value", "%d; must be from %d (harmful) to %d (good)", o.Value, worst, best)
			}
			if strings.TrimSpace(o.Text) == "" {
				c.add(at+".text", "required")
			}
			if strings.TrimSpace(o.Why) == "" {
				c.add(at+".why", "required: without the reason nothing is learnt")
			}
		}
		if !good {
			c.add(field+".options", "none is good")
		}
		if q.Real != "" && q.option(q.Real) == nil {
			c.add(field+".real", "no option %q", q.Real)
		}
	}
}

// Unpublished lists what is left to decide before a drill can be played: texts without a
// decision, and what a score needs at least. It is empty for a published drill.
func (d Drill) Unpublished() []string {
	var out []string
	for _, t := range d.Texts {
		if t.Decision == Undecided {
			out = append(out, "texts["+t.Place+"]: keep, replace or drop")
		}
	}
	if d.Facts.Service == "" {
		out = append(out, "facts.service: the right service")
	}
	if len(d.Decisive) == 0 {
		out = append(out, "decisive: at least one card")
	}
	if len(d.Decisions) == 0 {
		out = append(out, "decisions: at least one")
	}
	return out
}

// target says whether something can be paged in a drill. People cannot: they have no names.
func target(t string) bool {
	kind, id, ok := strings.Cut(t, ":")
	return ok && id != "" && (kind == "team" || kind == "policy")
}
