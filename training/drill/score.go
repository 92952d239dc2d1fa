package drill

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The parts and their points, when all apply.
const (
	PartService    = "service"
	PartEvidence   = "evidence"
	PartDecisions  = "decisions"
	PartEscalation = "escalation"
	PartCadence    = "cadence"
	PartTime       = "time"
)

var weights = []struct {
	part   string
	points int
}{{PartService, 20}, {PartEvidence, 20}, {PartDecisions, 25}, {PartEscalation, 15}, {PartCadence, 10}, {PartTime, 10}}

// The times that formulas know, in seconds.
const (
	grace   = 300  // until then evidence is opened at once, and help asked for in time
	fade    = 1800 // how long points then take to fade
	looking = 4    // wrong services looked at first, after which nothing is left
)

// Part is one part of a score. Points and Of have one decimal. A part that does not apply to
// the drill has Of 0 and its reason in Why.
type Part struct {
	Part    string  `json:"part"`
	Points  float64 `json:"points"`
	Of      float64 `json:"of"`
	Applies bool    `json:"applies"`
	Why     string  `json:"why"`
}

// Parts is a score: its parts in their order, the sum of their points, and the red herrings
// that were followed.
type Parts struct {
	Score    float64    `json:"score"`
	Parts    []Part     `json:"parts"`
	Herrings []Followed `json:"herrings"`
}

// Followed is a red herring that a trainee took. It costs no points by itself; what it cost
// stands in the parts.
type Followed struct {
	Offset  int64  `json:"offset_s"`
	Service string `json:"service,omitempty"`
	Card    string `json:"card,omitempty"`
	Why     string `json:"why"`
}

// Score gives 0 to 100 points in parts. Only steps that were possible count. Each part is a
// share from 0 to 1 of its points:
//
//	service 20     1 − k/4, not below 0, where k is how many different other services were looked at
//	               before the right one; 0 if the right one never was. Opening a card is no look.
//	               Applies if there are at least two services to look at.
//	evidence 20    the mean over decisive cards of: 1 if first opened at most 300 s after its release,
//	               from there falling evenly to 0.5 at 2,100 s, then 0.5; 0 if never opened.
//	               Applies if a card is decisive.
//	decisions 25   Σ values of the chosen options / Σ over all decisions of the best option's value,
//	               between 0 and 1. What was not decided adds 0; harmful options subtract.
//	               Applies if there is a decision.
//	escalation 15  With T = Facts.Declared and t = the offset of the first declare, or of the first page to
//	               one of Facts.EscalatedTo (to anybody, if that is empty), whichever is first:
//	               1 for t ≤ T + 300, from there falling evenly to 0 at T + 2,100; 0 if never. Too early
//	               costs nothing. Applies if the real case was declared or escalated.
//	cadence 10     With G = Facts.UpdateGap and E = the trainee's time, or without one the later of the last
//	               step and Facts.Reference: the share of [0, E] that lies at most G after the opening
//	               or an update at an offset ≤ E. Without any update it is 1 if the trainee mitigated by G,
//	               since none was due, else 0. With E = 0 it is 1.
//	               Applies if the real responders gave updates.
//	time 10        With R = Facts.Reference and t = the trainee's time: 1 for t ≤ R, falling evenly to 0 at
//	               2R; 0 if never. Applies if a decision mitigates.
//
// The trainee's time is the offset at which the first good option (value above 0) of a
// decision that mitigates was chosen.
//
// The points of parts that do not apply are shared out over the others in proportion to
// theirs: a part's Of is 100 · its weight / the weights that apply, in tenths, the remaining
// tenths going to the largest remainders, of equal ones to the earlier part, so that the sum is
// 100.0. Points are the share of Of, rounded half up to a tenth; Score is their sum.
func Score(d Drill, steps []Step) (Parts, error) {
	a, err := Replay(d, steps)
	if err != nil {
		return Parts{}, err
	}
	return a.Score(), nil
}

// Score is that of the attempt so far.
func (a *Attempt) Score() Parts {
	marks := []mark{a.service(), a.evidence(), a.decisions(), a.escalation(), a.cadence(), a.speed()}
	of := tenths(marks)
	out := Parts{Parts: []Part{}, Herrings: a.herrings()}
	sum := 0
	for i, m := range marks {
		p := Part{Part: weights[i].part, Applies: m.applies, Why: m.why}
		if m.applies {
			got := int(math.Floor(float64(of[i])*m.share + 0.5 + 1e-9))
			p.Points, p.Of = float64(got)/10, float64(of[i])/10
			sum += got
		}
		out.Parts = append(out.Parts, p)
	}
	out.Score = float64(sum) / 10
	return out
}

// mark is one part before its points.
type mark struct {
	share   float64
	applies bool
	why     string
}

func full(share float64, format string, args ...any) mark {
	return mark{min(1, max(0, share)), true, fmt.Sprintf(format, args...)}
}

func none(why string) mark { return mark{why: why} }

// tenths shares 1,000 tenths of a point out over the parts that apply.
func tenths(marks []mark) []int {
	total := 0
	for i, m := range marks {
		if m.applies {
			total += weights[i].points
		}
	}
	out := make([]int, len(marks))
	if total == 0 {
		return out
	}
	left, order := 1000, []int{}
	for i, m := range marks {
		if m.applies {
			out[i] = 1000 * weights[i].points / total
			left -= out[i]
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return 1000*weights[j].points%total - 1000*weights[i].points%total
	})
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

func (a *Attempt) service() mark {
	right := a.Drill.Facts.Service
	if len(a.Drill.Services) < 2 {
		return none("there was one service only to look at")
	}
	others := map[string]bool{}
	for _, d := range a.Done {
		switch {
		case d.Action.Verb != Look:
		case d.Action.What != right:
			others[d.Action.What] = true
		case len(others) == 0:
			return full(1, "looked at %s first", right)
		default:
			return full(1-float64(len(others))/looking, "looked at %s after %s", right, counted(len(others), "other service", "other services"))
		}
	}
	return full(0, "never looked at %s", right)
}

func (a *Attempt) evidence() mark {
	if len(a.Drill.Decisive) == 0 {
		return none("no card is decisive")
	}
	sum, opened := 0.0, 0
	for _, id := range a.Drill.Decisive {
		i := slices.IndexFunc(a.Done, func(d Done) bool { return d.Action.Verb == Open && d.Action.What == id })
		if i < 0 {
			continue
		}
		opened++
		late := float64(a.Done[i].Offset - a.Drill.card(id).Offset - grace)
		sum += 1 - 0.5*min(1, max(0, late/fade))
	}
	return full(sum/float64(len(a.Drill.Decisive)), "opened %d of %s", opened, counted(len(a.Drill.Decisive), "decisive card", "decisive cards"))
}

func (a *Attempt) decisions() mark {
	if len(a.Drill.Decisions) == 0 {
		return none("nothing was to decide")
	}
	got, most, harmful := 0, 0, 0
	for _, q := range a.Drill.Decisions {
		top := 0
		for _, o := range q.Options {
			top = max(top, o.Value)
		}
		most += top
		if o := q.option(a.chosen[q.ID]); o != nil {
			got += o.Value
			if o.Value < 0 {
				harmful++
			}
		}
	}
	return full(float64(got)/float64(most), "%d of %d decided, worth %s of %d; %s", len(a.chosen), len(a.Drill.Decisions), strings.ReplaceAll(fmt.Sprint(got), "-", "−"), most, counted(harmful, "harmful option", "harmful options"))
}

func (a *Attempt) escalation() mark {
	need := a.Drill.Facts.Declared
	if need == nil {
		return none("the real case was neither declared nor escalated")
	}
	for _, d := range a.Done {
		helps := d.Action.Verb == Page && (len(a.Drill.Facts.EscalatedTo) == 0 || slices.Contains(a.Drill.Facts.EscalatedTo, d.Action.What))
		if d.Action.Verb == Declare || helps {
			return full(1-float64(d.Offset-*need-grace)/fade, "%s at %s; in the real case at %s", map[bool]string{true: "escalated", false: "declared"}[helps], clock(d.Offset), clock(*need))
		}
	}
	return full(0, "neither declared nor paged who was needed; the real case did at %s", clock(*need))
}

// mitigated is the trainee's time.
func (a *Attempt) mitigated() (int64, bool) {
	for _, d := range a.Done {
		if d.Action.Verb == Decide {
			if q := a.Drill.decision(d.Action.What); q.Mitigates && q.option(d.Action.Option).Value > 0 {
				return d.Offset, true
			}
		}
	}
	return 0, false
}

func (a *Attempt) cadence() mark {
	if a.Drill.Facts.UpdateGap == nil {
		return none("the real responders gave no updates to compare with")
	}
	gap := *a.Drill.Facts.UpdateGap
	end, mitigated := a.mitigated()
	if !mitigated {
		end = max(a.now, a.Drill.Facts.Reference)
	}
	if end == 0 {
		return full(1, "mitigated at once: no update was due")
	}
	updates, covered, from := 0, int64(0), int64(0)
	for _, d := range a.Done {
		if d.Action.Verb == Update && d.Offset <= end {
			updates++
			covered += min(gap, d.Offset-from)
			from = d.Offset
		}
	}
	covered += min(gap, end-from)
	switch {
	case updates == 0 && mitigated && end <= gap:
		return full(1, "mitigated before an update was due")
	case updates == 0:
		return full(0, "no update; the real ones came every %s", clock(gap))
	}
	return full(float64(covered)/float64(end), "%s; the others knew how it stood for %s of %s, at the real gap of %s", counted(updates, "update", "updates"), clock(covered), clock(end), clock(gap))
}

func (a *Attempt) speed() mark {
	if !slices.ContainsFunc(a.Drill.Decisions, func(q Decision) bool { return q.Mitigates }) {
		return none("no decision ends the harm, so there is no time to take")
	}
	reference := a.Drill.Facts.Reference
	basis := "the real case"
	if a.Drill.Facts.Norm.N >= NormSize {
		basis = fmt.Sprintf("the median of %d responders", a.Drill.Facts.Norm.N)
	}
	at, ok := a.mitigated()
	if !ok {
		return full(0, "not mitigated; %s took %s", basis, clock(reference))
	}
	return full(2-float64(at)/float64(reference), "mitigated at %s; %s took %s", clock(at), basis, clock(reference))
}

// herrings are the misleading services that were looked at before the right one, and the
// misleading cards that were opened before the trainee's time; each once.
func (a *Attempt) herrings() []Followed {
	out := []Followed{}
	right := false
	at, mitigated := a.mitigated()
	took := map[string]bool{}
	for _, d := range a.Done {
		if mitigated && d.Offset > at {
			break
		}
		if d.Action.Verb == Look && d.Action.What == a.Drill.Facts.Service {
			right = true
		}
		for _, h := range a.Drill.Herrings {
			service := d.Action.Verb == Look && h.Service == d.Action.What && !right
			card := d.Action.Verb == Open && h.Card == d.Action.What
			if key := h.Service + "\x00" + h.Card; (service || card) && !took[key] {
				took[key] = true
				out = append(out, Followed{d.Offset, h.Service, h.Card, h.Why})
			}
		}
	}
	return out
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// clock writes seconds as 1:02:03 or 14:05.
func clock(s int64) string {
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
