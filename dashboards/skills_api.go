package dashboards

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// skillTables are the tables of /skills that are no metric's, by name.
var skillTables = []string{"ahead", "gaps", "incidents", "standing", "underload"}

// apiSkills gives a table of /skills under the page's filters: {"rows":[…],"withheld":[…]},
// or CSV with ?format=csv.
func (s *Server) apiSkills(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	allowed := []string{"team", "skill", "window", "from", "to", "tz", "format"}
	for name := range v {
		if !slices.Contains(allowed, name) {
			return &analytics.ParamError{Param: name, Reason: "unknown parameter of skills", Allowed: allowed}
		}
	}
	format := v.Get("format")
	if len(v["format"]) > 1 || format != "" && format != "json" && format != "csv" {
		return &analytics.ParamError{Param: "format", Reason: "unknown value", Allowed: []string{"json", "csv"}}
	}
	if v.Get("window") == "" && v.Get("from") == "" {
		c.QueryParams().Set("window", skillWindow)
	}
	f := s.filter(c)
	if len(f.problems) > 0 {
		return f.problems[0]
	}
	filter := analytics.SkillFilter{From: f.from, Team: v["team"], Skill: v["skill"]}
	if f.toText != "" {
		filter.To = f.to
	}
	columns, rows, left, err := s.skillTable(c, f, filter, param(c, "table"))
	if err != nil {
		return err
	}
	if format != "csv" {
		list := make([]map[string]any, len(rows))
		for i, r := range rows {
			list[i] = map[string]any{}
			for j, name := range columns {
				list[i][name] = r[j]
			}
		}
		if left == nil {
			left = []analytics.Withheld{}
		}
		return c.JSON(http.StatusOK, map[string]any{"rows": list, "withheld": left})
	}
	lines := [][]string{columns}
	for _, r := range rows {
		line := make([]string, len(r))
		for i, v := range r {
			line[i] = csvText(v)
		}
		lines = append(lines, line)
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(lines); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="skills-`+param(c, "table")+`.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", out.Bytes())
}

func csvText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case []string:
		return strings.Join(v, " ")
	}
	return ""
}

// orNil is what a pointer points to, or nil.
func orNil[T any](p *T) any {
	if p == nil {
		return nil
	}
	return *p
}

func (s *Server) skillTable(c echo.Context, f *filter, filter analytics.SkillFilter, table string) (columns []string, rows [][]any, left []analytics.Withheld, err error) {
	ctx, read := c.Request().Context(), s.reading(c)
	switch table {
	case "gaps":
		var gaps []analytics.GapRow
		gaps, left, err = read.Gaps(ctx, filter)
		columns = strings.Fields("team skill incidents demand supply need coverage away gap withheld cites")
		for _, g := range gaps {
			rows = append(rows, []any{g.Team, g.Skill, g.Incidents, g.Demand, orNil(g.Supply), g.Need, orNil(g.Coverage), g.Away, orNil(g.Gap), g.Withheld, append([]string{}, g.Cites...)})
		}
	case "standing":
		var standing []analytics.StandingRow
		standing, left, err = read.Standing(ctx, filter)
		columns = strings.Fields("team skill current fading")
		for _, r := range standing {
			rows = append(rows, []any{r.Team, r.Skill, r.Current, r.Fading})
		}
	case "incidents":
		var cited []analytics.CitedRow
		cited, err = read.Cited(ctx, filter, 10000)
		columns = strings.Fields("team skill incident title service opened severe escalated_away")
		for _, r := range cited {
			rows = append(rows, []any{r.Team, r.Skill, r.Incident, r.Title, r.Service, moment(r.Opened), r.Severe, r.Away})
		}
	case "underload":
		var u analytics.Underload
		u, err = read.Underload(ctx, analytics.SkillFilter{Team: filter.Team})
		columns = strings.Fields("team on_call handled_nothing from to who")
		for _, r := range u.Teams {
			from, to := u.MonthFrom, u.MonthTo
			if r.Named {
				from, to = u.From, u.To
			}
			row := []any{r.Team, int64(r.People), int64(r.Idle), moment(from), moment(to), append([]string{}, r.Persons...)}
			if r.Withheld != "" {
				row[1], row[2] = nil, nil
				left = append(left, analytics.Withheld{Key: r.Team, Reason: r.Withheld})
			}
			rows = append(rows, row)
		}
	case "ahead":
		return s.aheadTable(c, f, filter)
	default:
		return nil, nil, nil, &apiError{status: http.StatusNotFound, Message: "no such table; there are " + list(skillTables)}
	}
	return columns, rows, left, err
}

// aheadTable is the coming parts of days, team by team, for the skills that were asked for or
// else the most demanded ones of each team.
func (s *Server) aheadTable(c echo.Context, f *filter, filter analytics.SkillFilter) (columns []string, rows [][]any, left []analytics.Withheld, err error) {
	ctx, read := c.Request().Context(), s.reading(c)
	x := &skillAnswers{parts: f.parts(aheadDays)}
	if x.gaps, left, err = read.Gaps(ctx, filter); err != nil {
		return nil, nil, nil, err
	}
	if x.pieces, _, err = read.Ahead(ctx, filter, x.parts[len(x.parts)-1].to); err != nil {
		return nil, nil, nil, err
	}
	columns = strings.Fields("team skill from to part hours on_call covered")
	for _, team := range x.teamsAhead(newNames(nil)) {
		skills := filter.Skill
		if len(skills) == 0 {
			skills = x.demanded(team, 5)
		}
		for _, skill := range skills {
			for _, p := range x.parts {
				v := p.cover(x.pieces, team, skill)
				name := "day"
				if p.night {
					name = "night"
				}
				row := []any{team, skill, moment(p.from), moment(p.to), name, round(p.hours()), round(v.onCall), round(v.covered)}
				if v.hidden {
					row[7] = nil
				}
				rows = append(rows, row)
			}
		}
	}
	return columns, rows, left, nil
}

// round keeps hours to the second.
func round(hours float64) float64 {
	return float64(time.Duration(hours*float64(time.Hour)).Round(time.Second)) / float64(time.Hour)
}
