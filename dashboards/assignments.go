package dashboards

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// apiAssignment is a row as scripts read it. Attempts and Score stand only where the asker
// reads scores.
type apiAssignment struct {
	Assignment string   `json:"assignment"`
	Module     string   `json:"module"`
	Track      string   `json:"track,omitempty"`
	Person     string   `json:"person"`
	Team       string   `json:"team,omitempty"`
	Rota       string   `json:"rota,omitempty"` // of a standing rule: the schedule
	By         string   `json:"by"`
	Reason     string   `json:"reason"`
	Cites      []string `json:"cites"`
	Assigned   string   `json:"assigned"`
	Due        string   `json:"due"`
	State      string   `json:"state"`
	Overdue    bool     `json:"overdue"`
	Started    string   `json:"started"`
	Passed     string   `json:"passed"`
	Completed  string   `json:"completed"`
	Evidence   string   `json:"evidence,omitempty"`
	EvidenceBy string   `json:"evidence_by,omitempty"` // who vouched for it
	Waived     string   `json:"waived"`
	Excuse     string   `json:"excuse,omitempty"`
	Attempts   *int     `json:"attempts"`
	Score      *float64 `json:"score"`
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func apiRow(r analytics.AssignmentRow) apiAssignment {
	out := apiAssignment{Assignment: r.ID, Module: r.Module, Track: r.Track, Person: r.Person, Team: r.Team, Rota: r.Rota, By: r.By, Reason: r.Reason, Cites: append([]string{}, r.Cites...),
		Assigned: moment(r.Assigned), Due: moment(r.Due), State: r.State, Overdue: r.Overdue, Started: moment(r.Started), Passed: moment(r.Passed),
		Completed: moment(r.Completed), Evidence: r.Evidence, EvidenceBy: r.EvidenceBy, Waived: moment(r.Waived), Excuse: r.Excuse}
	if r.Scored {
		n := len(r.Tried)
		if out.Attempts = &n; n > 0 {
			out.Score = &r.Score
		}
	}
	return out
}

// apiAssignments lists what people are to learn, as far as the asker reads it: all of it, or
// that of teams or persons: {"assignments":[…]}, or CSV with ?format=csv.
func (s *Server) apiAssignments(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	for name := range v {
		if name != "format" && name != "team" && name != "person" {
			return &analytics.ParamError{Param: name, Reason: "unknown parameter of assignments", Allowed: []string{"team", "person", "format"}}
		}
	}
	format := v.Get("format")
	if len(v["format"]) > 1 || format != "" && format != "json" && format != "csv" {
		return &analytics.ParamError{Param: "format", Reason: "unknown value", Allowed: []string{"json", "csv"}}
	}
	rows, err := s.reading(c).Assignments(c.Request().Context(), analytics.AssignmentFilter{Team: v["team"], Person: v["person"], Tracks: s.tracks()})
	if err != nil {
		return err
	}
	list := make([]apiAssignment, len(rows))
	for i, r := range rows {
		list[i] = apiRow(r)
	}
	if format != "csv" {
		return c.JSON(http.StatusOK, map[string]any{"assignments": list})
	}
	lines := [][]string{strings.Fields("assignment module track person team rota by reason cites assigned due state overdue started passed completed evidence evidence_by waived excuse attempts score")}
	for _, r := range list {
		attempts, score := "", ""
		if r.Attempts != nil {
			attempts = strconv.Itoa(*r.Attempts)
		}
		if r.Score != nil {
			score = strconv.FormatFloat(*r.Score, 'f', -1, 64)
		}
		lines = append(lines, []string{r.Assignment, r.Module, r.Track, r.Person, r.Team, r.Rota, r.By, inert(r.Reason), strings.Join(r.Cites, " "), r.Assigned, r.Due, r.State,
			strconv.FormatBool(r.Overdue), r.Started, r.Passed, r.Completed, inert(r.Evidence), r.EvidenceBy, r.Waived, r.Excuse, attempts, score})
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(lines); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="assignments.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", out.Bytes())
}

// inert is what somebody wrote, for a spreadsheet that somebody else opens: what would be taken
// for a formula gets an apostrophe in front. JSON has it as it was written.
func inert(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
