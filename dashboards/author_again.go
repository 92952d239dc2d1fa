package dashboards

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/stewardhq/steward/training/drill"
)

// formOf is the form that a published drill was made with, for its next edition. plain is the
// incident as it compiles today: a text that was kept is proposed to be kept again only if it
// is the same text.
func formOf(d, plain drill.Drill) url.Values {
	v := url.Values{"title": {d.Title}, "lesson": {d.Lesson}, "service": {d.Facts.Service}, "skill": d.Skills, "decisive": d.Decisive}
	further := func(all, known []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(known, s) }), ", ")
	}
	v.Set("services", further(d.Services, plain.Services))
	v.Set("targets", further(d.Targets, plain.Targets))
	if m := d.Facts.Mitigated; m != nil && (plain.Facts.Mitigated == nil || *m != *plain.Facts.Mitigated) {
		v.Set("mitigated", onClock(*m))
	}
	for _, h := range d.Herrings {
		if h.Card != "" {
			v.Set("herring-"+h.Card, h.Why)
		} else {
			v.Set("astray-"+h.Service, h.Why)
		}
	}
	for _, t := range d.Texts {
		i := slices.IndexFunc(plain.Texts, func(p drill.Text) bool { return p.Place == t.Place })
		switch {
		case i < 0 || t.Decision == drill.Keep && plain.Texts[i].Text != t.Text:
		case t.Decision == drill.Replace:
			v.Set("with-"+t.Place, t.Text)
			fallthrough
		default:
			v.Set("redact-"+t.Place, string(t.Decision))
		}
	}
	for i, q := range d.Decisions[:min(len(d.Decisions), asking)] {
		name := func(s string) string { return fmt.Sprintf("q%d-%s", i+1, s) }
		v.Set(name("question"), q.Question)
		v.Set(name("at"), onClock(q.At))
		if q.Mitigates {
			v.Set(name("mitigates"), "1")
		}
		v.Set(name("real"), q.Real)
		for j, o := range q.Options[:min(len(q.Options), answers)] {
			id := string(rune('a' + j))
			v.Set(name(id+"-text"), o.Text)
			v.Set(name(id+"-why"), o.Why)
			v.Set(name(id+"-value"), fmt.Sprint(o.Value))
		}
	}
	return v
}
