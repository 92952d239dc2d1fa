package drill

import (
	"fmt"
	"slices"
	"strings"
)

// Debrief lays an attempt beside the real case. It contains the answers and is for after the end.
type Debrief struct {
	Yours  []Moment `json:"yours"`
	Real   []Moment `json:"real"`
	Parts  Parts    `json:"parts"`
	Norm   Norm     `json:"norm"`   // of real responders; a reason instead, where there is none
	Time   *int64   `json:"time_s"` // the trainee's time, nil if the harm was not ended
	Lesson string   `json:"lesson"`
	Skip   []string `json:"skip,omitempty"` // steps that could not have been done, and why
}

// Moment is one entry of a timeline. Mark says how it counts: good, neutral, harmful for
// options, decisive and herring for evidence, right for the service, fact for milestones of
// the real case; empty for the rest.
type Moment struct {
	Offset int64  `json:"offset_s"`
	What   string `json:"what"`
	Card   string `json:"card,omitempty"`
	Mark   string `json:"mark,omitempty"`
	Why    string `json:"why,omitempty"`
}

// NewDebrief is the debrief of an attempt's steps.
func NewDebrief(d Drill, steps []Step) (Debrief, error) {
	a, err := Replay(d, steps)
	if err != nil {
		return Debrief{}, err
	}
	out := Debrief{Yours: a.timeline(), Real: d.timeline(), Parts: a.Score(), Norm: d.Facts.Norm, Lesson: d.Lesson}
	if at, ok := a.mitigated(); ok {
		out.Time = &at
	}
	for _, e := range a.Refused {
		out.Skip = append(out.Skip, e.Error())
	}
	return out, nil
}

// timeline is the trainee's; the clock's verbs are no moments of an incident.
func (a *Attempt) timeline() []Moment {
	out := []Moment{}
	herring := func(service, card string) (string, bool) {
		for _, h := range a.Drill.Herrings {
			if h.Service == service && h.Card == card {
				return h.Why, true
			}
		}
		return "", false
	}
	for _, d := range a.Done {
		m, act := Moment{Offset: d.Offset}, d.Action
		switch act.Verb {
		case Look:
			m.What = "looked at " + act.What
			if why, ok := herring(act.What, ""); ok {
				m.Mark, m.Why = "herring", why
			}
			if act.What == a.Drill.Facts.Service {
				m.Mark = "right"
			}
		case Open:
			m.What, m.Card = "opened: "+a.Drill.card(act.What).Summary, act.What
			if why, ok := herring("", act.What); ok {
				m.Mark, m.Why = "herring", why
			}
			if slices.Contains(a.Drill.Decisive, act.What) {
				m.Mark = "decisive"
			}
		case Page:
			m.What = "paged " + act.What
		case Declare:
			m.What = "declared " + act.What
		case Update:
			m.What, m.Why = "gave an update", act.What
		case Hypothesis:
			m.What, m.Why = "suspected", act.What
		case Decide:
			q := a.Drill.decision(act.What)
			o := q.option(act.Option)
			m.What, m.Why, m.Mark = q.Question+" "+o.Text, o.Why, worth(o.Value)
		case Finish:
			m.What = "finished"
		default:
			continue
		}
		out = append(out, m)
	}
	return out
}

func worth(value int) string {
	switch {
	case value > 0:
		return "good"
	case value < 0:
		return "harmful"
	}
	return "neutral"
}

// timeline is the real one: all cards with their texts, the milestones, and what the real
// responders chose where the author knows.
func (d Drill) timeline() []Moment {
	out := []Moment{}
	for _, c := range d.Cards {
		m := Moment{Offset: c.Offset - c.Before, What: c.Summary, Card: c.ID}
		var texts []string
		for _, t := range d.Texts {
			if t.Card == c.ID && t.Text != "" {
				texts = append(texts, t.Text)
			}
		}
		m.Why = strings.Join(texts, " · ")
		if slices.Contains(d.Decisive, c.ID) {
			m.Mark = "decisive"
		}
		if slices.ContainsFunc(d.Herrings, func(h Herring) bool { return h.Card == c.ID }) {
			m.Mark = "herring"
		}
		out = append(out, m)
	}
	for _, f := range []struct {
		at   *int64
		what string
	}{{d.Facts.Escalated, "help was brought in"}, {d.Facts.Declared, "the incident was declared"}, {d.Facts.Mitigated, "the harm ended"}, {&d.Facts.Resolved, "the incident was over"}} {
		if f.at != nil {
			out = append(out, Moment{Offset: *f.at, What: f.what, Mark: "fact"})
		}
	}
	for _, q := range d.Decisions {
		if o := q.option(q.Real); o != nil {
			out = append(out, Moment{Offset: q.At, What: fmt.Sprintf("%s In the real case: %s", q.Question, o.Text), Mark: worth(o.Value), Why: o.Why})
		}
	}
	slices.SortStableFunc(out, func(a, b Moment) int { return int(a.Offset - b.Offset) })
	return out
}
