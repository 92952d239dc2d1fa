package dashboards

import (
	"context"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// debriefView is two timelines side by side: a row is a moment of the real case and what was
// done from then until the next. Tracks is both on one axis.
type debriefView struct {
	Did    string // heads the player's side
	Rows   []debriefRow
	Tracks *tracksView
	Skip   []string
	Share  *shareView // nil for who only reads
}

type debriefRow struct {
	Clock       string
	Yours, Real []momentView
}

type momentView struct {
	Clock, Class, What, Mark, Why string
}

// tracksView is the picture: X is in thousandths of the width.
type tracksView struct {
	Label       string
	Yours, Real []dotView
	Ticks       []tickView
}

type dotView struct {
	X     float64
	Class string
}

type tickView struct {
	X    float64
	Text string
}

// eventMarks are how a moment counts: the colour of its dot and a word.
var eventMarks = map[string][2]string{
	"good": {"good", "good"}, "neutral": {"none", "neutral"}, "harmful": {"bad", "harmful"}, "decisive": {"act", "decisive"},
	"herring": {"warn", "red herring"}, "right": {"good", "the right service"}, "fact": {"page", ""},
}

// debrief lays an attempt beside the real case: parts first, then the two timelines.
func (s *Server) debrief(c echo.Context, a *analytics.Attempt) error {
	w := who(c)
	ask := s.asker(c, s.filter(c))
	dir := ask.names()
	var shares map[string][]string
	var own []analytics.AttemptRow
	ask.do(func(ctx context.Context) (err error) { shares, err = ask.read.Shares(ctx); return })
	ask.do(func(ctx context.Context) (err error) { own, err = ask.read.Attempts(ctx); return })
	if err := ask.wait(); err != nil {
		return err
	}
	n := *dir
	mine := w.Is(a.Person)
	name, poss := "You", "your"
	if !mine {
		name = n.person(a.Person)
		poss = name + "’s"
	}
	p := &page{Title: a.Drill.Title, Nav: "Drills", Notice: drillWords[c.QueryParam("done")]}
	if !mine && spoils(w, a, own) && c.QueryParam("answers") != "yes" {
		p.Sub = say("Debrief of ", name, " · ", linked("all drills", "/drills"))
		p.Answer = say("You have not played this drill. ", strong("The debrief gives its answers away"), ", and an attempt that knows them is no evidence. ",
			linked("Play it first", at("drills", a.Drill.ID)), ", or ", linked("read the debrief all the same", attemptPath(a.Drill.ID, a.ID)+"?answers=yes"), ".")
		return s.draw(c, http.StatusOK, p)
	}
	d, err := drill.NewDebrief(a.Drill, a.Plain())
	if err != nil {
		return err
	}
	v := &debriefView{Did: "What I did", Rows: sides(d), Tracks: tracks(d, a.Drill.Facts.Resolved), Skip: d.Skip}
	if !mine {
		v.Did = "What " + name + " did"
	}
	if mine && s.Play != nil {
		v.Share = s.shareOf(c, n, a, shares[a.ID])
	}
	p.Debrief = v
	p.Sub = say("Debrief · ", linked("all drills", "/drills"), " · ", linked("play it again", at("drills", a.Drill.ID)))
	if !mine {
		p.Sub = say("Debrief of ", name, ", who lets you read it · ", linked("all drills", "/drills"), " · ", linked("play it", at("drills", a.Drill.ID)))
	}
	p.Answer = debriefAnswer(a, d, name, mine)
	p.Cards = []card{partsCard(d.Parts, mine), herringCard(d.Parts, a.Drill, poss), normCard(d.Norm)}
	return s.draw(c, http.StatusOK, p)
}

func debriefAnswer(a *analytics.Attempt, d drill.Debrief, name string, mine bool) []bit {
	has := " have "
	if !mine {
		has = " has "
	}
	verdict := ", which passes"
	if !drill.Passed(d.Parts.Score) {
		verdict = fmt.Sprintf("; %d pass", drill.PassMark)
	}
	out := say(name, has, strong(points(d.Parts.Score)+" of 100 points"), verdict, ". ")
	basis := "in the real case it took "
	if a.Drill.Facts.Norm.N >= drill.NormSize {
		basis = "the median of real responders is "
	}
	if d.Time != nil {
		out = append(out, say("The harm ended at ", strong(onClock(*d.Time)), "; ", basis, onClock(a.Drill.Facts.Reference), ". ")...)
	} else {
		out = append(out, say("The harm was not ended; ", basis, onClock(a.Drill.Facts.Reference), ". ")...)
	}
	return append(out, say(d.Lesson)...)
}

// sides puts both timelines into rows: each moment of the real case begins one, and what was
// done from then on until the next stands beside it.
func sides(d drill.Debrief) []debriefRow {
	var out []debriefRow
	var starts []int64
	for i, m := range d.Real {
		if i == 0 || m.Offset != d.Real[i-1].Offset {
			out, starts = append(out, debriefRow{Clock: onClock(m.Offset)}), append(starts, m.Offset)
		}
		r := &out[len(out)-1]
		r.Real = append(r.Real, momentOf(m, r.Clock))
	}
	for _, m := range d.Yours {
		row := 0
		for row+1 < len(starts) && starts[row+1] <= m.Offset {
			row++
		}
		if len(out) == 0 {
			out = append(out, debriefRow{Clock: onClock(m.Offset)})
		}
		out[row].Yours = append(out[row].Yours, momentOf(m, out[row].Clock))
	}
	return out
}

// momentOf writes a moment; its time stands only where the row's does not say it.
func momentOf(m drill.Moment, row string) momentView {
	mark, ok := eventMarks[m.Mark]
	if !ok {
		mark = [2]string{"none", ""}
	}
	v := momentView{onClock(m.Offset), mark[0], m.What, mark[1], m.Why}
	if v.Clock == row {
		v.Clock = ""
	}
	return v
}

// tickSteps are the distances between ticks that are tried, in seconds.
var tickSteps = []int64{60, 300, 600, 900, 1800, 3600, 2 * 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600}

// tracks draws both timelines on one axis, from the opening to the later of their ends.
func tracks(d drill.Debrief, resolved int64) *tracksView {
	end := max(1, resolved)
	for _, m := range d.Yours {
		end = max(end, m.Offset)
	}
	const left, width = 90, 890
	x := func(at int64) float64 { return left + width*float64(max(0, at))/float64(end) }
	dots := func(of []drill.Moment) []dotView {
		var out []dotView
		for _, m := range of {
			if m.Offset < 0 {
				continue
			}
			class := "none"
			if mark, ok := eventMarks[m.Mark]; ok {
				class = mark[0]
			}
			out = append(out, dotView{x(m.Offset), class})
		}
		return out
	}
	v := &tracksView{Yours: dots(d.Yours), Real: dots(d.Real)}
	v.Label = fmt.Sprintf("Both timelines on one axis from the opening to %s: %s on one, %s on the other. The table below has each.", onClock(end), plural(float64(len(d.Yours)), "moment", "moments"), plural(float64(len(d.Real)), "moment", "moments"))
	step := tickSteps[len(tickSteps)-1]
	for _, s := range tickSteps {
		if end/s <= 8 {
			step = s
			break
		}
	}
	for at := int64(0); at <= end; at += step {
		v.Ticks = append(v.Ticks, tickView{x(at), onClock(at)})
	}
	return v
}

func partsCard(parts drill.Parts, mine bool) card {
	cd := card{ID: "parts", Title: "What is the score made of?", Wide: "w12", Say: say("Parts that do not apply to this incident have given their points to the others.")}
	if mine {
		cd.Say = append(cd.Say, say(" The score is yours: no lead, colleague or admin is shown it unless you let your team read it.")...)
	}
	t := &table{List: true, Caption: "Parts of the score", Head: heads("part", "share", "#points", "#of", "why")}
	for _, x := range parts.Parts {
		got, of := num(points(x.Points)), num(points(x.Of))
		bar := txt("does not apply")
		if x.Applies && x.Of > 0 {
			bar = cell{Bar: []seg{{"owned", 0, 100 * x.Points / x.Of}}, BarLabel: points(x.Points) + " of " + points(x.Of)}
		} else {
			got, of = dash(), dash()
		}
		t.add(txt(or(partNames[x.Part], x.Part)), bar, got, of, txt(x.Why))
	}
	t.add(txt("in all"), cell{Bar: []seg{{"owned", 0, parts.Score}, {"mark", drill.PassMark - 0.2, 0.4}}, BarLabel: points(parts.Score) + fmt.Sprintf(" of 100; %d pass", drill.PassMark)}, num(points(parts.Score)), num("100"), txt(fmt.Sprintf("the mark is at %d, from where it is passed", drill.PassMark)))
	cd.Body = t
	return cd
}

func herringCard(parts drill.Parts, d drill.Drill, poss string) card {
	cd := card{ID: "herrings", Title: "What led me astray?", Wide: "w7"}
	if poss != "your" {
		cd.Title = "What led them astray?"
	}
	if len(parts.Herrings) == 0 {
		cd.Empty = say("Nothing: no red herring was followed.")
		return cd
	}
	t := &table{List: true, Caption: "Red herrings that were followed", Head: heads("at", "what", "why it misleads")}
	for _, h := range parts.Herrings {
		what := "looked at " + h.Service
		for _, x := range d.Cards {
			if h.Service == "" && x.ID == h.Card {
				what = "opened: " + x.Summary
			}
		}
		t.add(txt(onClock(h.Offset)), txt(what), txt(h.Why))
	}
	cd.Say = say("A red herring costs no points by itself; what it cost is in the parts.")
	cd.Body = t
	return cd
}

func normCard(n drill.Norm) card {
	cd := card{ID: "norm", Title: "How long did real responders take?", Wide: "w5"}
	if n.N < drill.NormSize {
		cd.Empty = say("There is no group to compare with: " + or(n.Reason, fmt.Sprintf("fewer than %d people resolved such incidents", drill.NormSize)) + ".")
		return cd
	}
	cd.N = plural(float64(n.N), "person", "people")
	cd.Say = say("Half of them took between ", strong(onClock(n.Q1)), " and ", strong(onClock(n.Q3)), "; the median is ", strong(onClock(n.Median)), ". Each counts once, by their own median, for incidents of the same service and alert class.")
	return cd
}
