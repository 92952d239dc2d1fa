package dashboards

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/drill"
)

// debriefView is two timelines side by side.
type debriefView struct {
	Yours, Real []momentView
	Skip        []string
	Again       string
}

type momentView struct {
	Clock, Class, What, Mark, Why string
}

// eventMarks are how a moment counts: the colour of its dot and a word.
var eventMarks = map[string][2]string{
	"good": {"good", "good"}, "neutral": {"none", "neutral"}, "harmful": {"bad", "harmful"}, "decisive": {"act", "decisive"},
	"herring": {"warn", "red herring"}, "right": {"good", "the right service"}, "fact": {"page", ""},
}

// debrief lays an attempt beside the real case: parts first, then the two timelines.
func (s *Server) debrief(c echo.Context, a *analytics.Attempt) error {
	d, err := drill.NewDebrief(a.Drill, a.Plain())
	if err != nil {
		return err
	}
	v := &debriefView{Yours: moments(d.Yours), Real: moments(d.Real), Skip: d.Skip, Again: at("drills", a.Drill.ID)}
	p := &page{Title: a.Drill.Title, Nav: "Drills", Debrief: v}
	p.Sub = say("Debrief · ", linked("all drills", "/drills"), " · ", linked("play it again", v.Again))
	p.Answer = say("You have ", strong(points(d.Parts.Score)+" of 100 points"), ". ")
	if d.Time != nil {
		p.Answer = append(p.Answer, say("The harm ended at ", strong(onClock(*d.Time)), "; in the real case it took ", onClock(a.Drill.Facts.Reference), ". ")...)
	} else {
		p.Answer = append(p.Answer, say("The harm was not ended. ")...)
	}
	p.Answer = append(p.Answer, say(d.Lesson)...)
	p.Cards = []card{partsCard(d.Parts), herringCard(d.Parts), normCard(d.Norm)}
	return s.draw(c, http.StatusOK, p)
}

func moments(in []drill.Moment) []momentView {
	var out []momentView
	for _, m := range in {
		mark, ok := eventMarks[m.Mark]
		if !ok {
			mark = [2]string{"none", ""}
		}
		out = append(out, momentView{onClock(m.Offset), mark[0], m.What, mark[1], m.Why})
	}
	return out
}

func partsCard(parts drill.Parts) card {
	cd := card{ID: "parts", Title: "What is the score made of?", Wide: "w12", Say: say("Parts that do not apply to this incident have given their points to the others. The score is yours: no lead, colleague or admin is shown it.")}
	t := &table{List: true, Caption: "Parts of the score", Head: heads("part", "#points", "#of", "why")}
	for _, x := range parts.Parts {
		got, of := num(points(x.Points)), num(points(x.Of))
		if !x.Applies {
			got, of = dash(), dash()
		}
		t.add(txt(or(partNames[x.Part], x.Part)), got, of, txt(x.Why))
	}
	cd.Body = t
	return cd
}

func herringCard(parts drill.Parts) card {
	cd := card{ID: "herrings", Title: "What led me astray?", Wide: "w7"}
	if len(parts.Herrings) == 0 {
		cd.Empty = say("Nothing: no red herring was followed.")
		return cd
	}
	t := &table{List: true, Caption: "Red herrings that were followed", Head: heads("at", "what", "why it misleads")}
	for _, h := range parts.Herrings {
		what := "looked at " + h.Service
		if h.Service == "" {
			what = "opened " + h.Card
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
