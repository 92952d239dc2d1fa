package dashboards

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/training/rollout"
)

// unit writes a value of the metric.
func (x *trial) unit(v float64) string {
	switch x.measure.Unit {
	case "seconds":
		return duration(v)
	case "share":
		return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// apart writes how far the trained moved against the others, in what the picture shows.
func (x *trial) apart(v float64) string {
	sign := "+"
	if v < 0 {
		sign = "−"
	}
	text := strconv.FormatFloat(math.Abs(v*x.apartScale()), 'f', 1, 64)
	switch {
	case x.Scale == rollout.Ratio:
		return sign + text + " %"
	case x.measure.Unit == "share":
		return sign + text + " points"
	}
	return sign + text
}

func (x *trial) apartScale() float64 {
	if x.Scale == rollout.Ratio || x.measure.Unit == "share" {
		return 100
	}
	return 1
}

// weeksCard draws the trained less the not yet trained teams by week.
func (s *Server) weeksCard(x *trial) card {
	cd := card{ID: "weeks", Title: "How did the teams move apart, week by week?", Wide: "w12"}
	if len(x.weeks) == 0 {
		cd.Empty = say("There are no weeks to show.")
		switch {
		case x.denied:
			cd.Empty = say(x.why)
		case x.why != "" && x.over:
			cd.Empty = say(x.why)
		case !x.over:
			cd.Empty = say("No week before the first start has ended yet with values of all teams; it fills by itself.")
		}
		return cd
	}
	pre := 0
	t := &table{Caption: "Trained and not yet trained teams by week", Head: heads("week from", "phase", "#trained, mean", "#not yet trained, mean", "#moved apart")}
	var names []string
	var values []*float64
	for _, w := range x.weeks {
		phase, first, others := "compared", dash(), dash()
		if w.Before {
			phase, pre = "before the first start", pre+1
		} else if w.Trained == 0 || w.NotYet == 0 {
			phase = "nothing to compare"
		}
		if w.Mean != nil {
			first = num(x.unit(*w.Mean)).with(plural(float64(w.Trained), "team", "teams"))
		}
		if w.Others != nil {
			others = num(x.unit(*w.Others)).with(plural(float64(w.NotYet), "team", "teams"))
		}
		moved := dash()
		if w.Apart != nil {
			moved = num(x.apart(*w.Apart))
		}
		t.add(dateCell(w.Week), txt(phase), first, others, moved)
		names, values = append(names, shortDate(w.Week.Format(time.DateOnly))), append(values, w.Apart)
	}
	cd.N = fmt.Sprintf("%s, %s %s", plural(float64(len(x.weeks)), "week", "weeks"), count(x.panel.N), x.behind())
	cd.Say = say("How far the trained teams moved from their own weeks before the first start, less how far the others did", x.inWords(), ". Before the first start the trained are those who were drawn to be first: what they show there is chance.")
	if !x.over {
		cd.Say = say("The weeks before the first start", x.inWords(), ": those who were drawn to be first, against the others. What they show is chance, and how much of it there is.")
	}
	cd.Key = []keyItem{{"business", "trained less not yet trained"}, {"cut", "paler: before the first start"}}
	if !x.over {
		cd.Key = []keyItem{{"cut", "first to start less the others, before the first start"}}
	} else if x.result != nil {
		cd.Wide = "w7" // beside the result
	}
	cd.Chart = apartChart("weeks", x.apartAxis(), names, values, pre, x.apartScale())
	cd.Fold = t
	cd.CSV = rolloutPath(x.Rollout.Rollout) + "/weeks"
	cd.Events, cd.EventsText = x.byTeam(), "the metric by team and week, CSV"
	return cd
}

func (x *trial) inWords() string {
	switch {
	case x.Scale == rollout.Ratio:
		return ", in percent"
	case x.measure.Unit == "share":
		return ", in percentage points"
	}
	return ", in " + x.measure.Unit
}

func (x *trial) apartAxis() string { return strings.TrimPrefix(x.inWords(), ", in ") }

// byTeam is the metric as anybody can ask for it.
func (x *trial) byTeam() string {
	return "/api/v1/metrics/" + url.PathEscape(x.measure.Metric) + "?" + url.Values{"by": {"team"}, "bucket": {"week"}, "team": x.Teams,
		"from": {x.panel.From.Format(time.DateOnly)}, "to": {x.panel.To.Format(time.DateOnly)}, "format": {"csv"}}.Encode()
}

// rolloutCSV is the picture's table.
func (s *Server) rolloutCSV(c echo.Context) error {
	x, err := s.rolloutOf(c)
	if err != nil {
		return err
	}
	if x.denied {
		return &access.Denied{Reason: "what people carry by the week is for people admins and for who leads all of these teams"}
	}
	lines := [][]string{{"week", "before", "trained_teams", "not_yet_teams", "trained_mean", "not_yet_mean", "apart"}}
	figure := func(v *float64) string {
		if v == nil {
			return ""
		}
		return strconv.FormatFloat(*v, 'f', -1, 64)
	}
	for _, w := range x.weeks {
		lines = append(lines, []string{w.Week.Format(time.DateOnly), strconv.FormatBool(w.Before), strconv.Itoa(w.Trained), strconv.Itoa(w.NotYet), figure(w.Mean), figure(w.Others), figure(w.Apart)})
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(lines); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="weeks.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", out.Bytes())
}
