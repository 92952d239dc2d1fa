package dashboards

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/recommend"
)

// apiAdvice is a recommendation as scripts read it.
type apiAdvice struct {
	ID      string   `json:"id"`
	Rule    string   `json:"rule"`
	Version int      `json:"version"`
	Team    string   `json:"team,omitempty"`
	Person  string   `json:"person,omitempty"`
	Skill   string   `json:"skill,omitempty"`
	Module  string   `json:"module,omitempty"`
	Path    []string `json:"path"`
	Drill   string   `json:"drill,omitempty"`
	Because string   `json:"because"`
	Also    []string `json:"also"`
	N       int      `json:"n"`
	Cites   []string `json:"cites"`
	By      string   `json:"by"`
	Reason  string   `json:"dismissed_reason,omitempty"`
	At      string   `json:"dismissed_at,omitempty"`
	Back    string   `json:"back,omitempty"`
}

func adviceRows(rows []recommend.Recommendation) []apiAdvice {
	out := make([]apiAdvice, len(rows))
	for i, r := range rows {
		out[i] = apiAdvice{ID: r.ID, Rule: r.Rule.ID, Version: r.Rule.Version, Team: r.Team, Person: r.Person, Skill: r.Skill, Module: r.Module, Path: append([]string{}, r.Path...), Drill: r.Drill,
			Because: r.Because, Also: append([]string{}, r.Also...), N: r.N, Cites: append([]string{}, r.Cites...), By: moment(r.By)}
		if d := r.Dismissed; d != nil {
			out[i].Reason, out[i].At, out[i].Back = d.Reason, moment(d.At), moment(r.Back)
		}
	}
	return out
}

// apiRecommendations lists what a team, or with own=true the asker, should learn next:
// {"recommendations":[…],"dismissed":[…]}.
func (s *Server) apiRecommendations(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	allowed := []string{"team", "own"}
	for name, values := range v {
		switch {
		case !slices.Contains(allowed, name):
			return &analytics.ParamError{Param: name, Reason: "unknown parameter of recommendations", Allowed: allowed}
		case len(values) > 1:
			return &analytics.ParamError{Param: name, Reason: "given more than once"}
		}
	}
	own := false
	if v.Has("own") {
		if own, err = strconv.ParseBool(v.Get("own")); err != nil {
			return &analytics.ParamError{Param: "own", Reason: "unknown value", Allowed: []string{"true", "false"}}
		}
	}
	team := v.Get("team")
	if own == (team != "") {
		return &analytics.ParamError{Param: "team", Reason: "either a team or own=true is wanted", Allowed: allowed}
	}
	var list recommend.List
	if own {
		list, err = s.Advise.Own(c.Request().Context(), who(c))
	} else {
		list, err = s.Advise.Team(c.Request().Context(), who(c), team)
	}
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, map[string]any{"recommendations": adviceRows(list.Open), "dismissed": adviceRows(list.Dismissed)})
}
