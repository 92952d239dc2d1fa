package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// apiCatalogue lists the metrics: {"metrics":[…]}.
func (s *Server) apiCatalogue(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	for name := range v {
		return &analytics.ParamError{Param: name, Reason: "unknown parameter; the catalogue takes none", Allowed: []string{}}
	}
	return c.JSON(http.StatusOK, map[string]any{"metrics": s.Store.Metrics()})
}

// apiMetric answers a metric as JSON, or as CSV with ?format=csv. CSV holds the values
// exactly as JSON does, also a key that begins with "=": scripts compare and join on them.
// It is therefore sent as a download of type text/csv; a spreadsheet should import keys
// as text.
func (s *Server) apiMetric(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	format := v.Get("format")
	if n := len(v["format"]); n > 1 {
		return &analytics.ParamError{Param: "format", Reason: "given more than once"}
	}
	delete(v, "format")
	switch format {
	case "", "json", "csv":
	default:
		return &analytics.ParamError{Param: "format", Reason: fmt.Sprintf("unknown value %q", format), Allowed: []string{"json", "csv"}}
	}
	a, err := s.reading(c).Query(c.Request().Context(), param(c, "name"), v)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if format == "csv" {
		if err := a.WriteCSV(&out); err != nil {
			return err
		}
		c.Response().Header().Set("Content-Disposition", `attachment; filename="`+a.Metric+`.csv"`)
		return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", out.Bytes())
	}
	body, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("%s: %w", a.Metric, err)
	}
	return c.JSONBlob(http.StatusOK, body)
}

// asked reads a script's parameters. What cannot be read is refused and not left out in
// silence, as the standard reading does: the answer would be to another question.
func asked(c echo.Context) (url.Values, error) {
	v, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, &analytics.ParamError{Param: "query", Reason: "the text behind the ? is not name=value pairs joined by &"}
	}
	return v, nil
}

// apiEvent is a stored event with its data and extension attributes as the objects they are.
type apiEvent struct {
	analytics.EventRow
	Data       any `json:"data"`
	Extensions any `json:"extensions,omitempty"`
}

// object embeds text that is JSON as what it is, other text as a string, none as nil.
func object(text string) any {
	switch {
	case text == "":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(text)
	}
	return text
}

// apiEvents lists the events behind an incident in (at, id) order:
// {"incident","events":[…],"truncated"}. Parameters: incident, limit (1,000; at most
// 10,000), as_of and known_at (RFC 3339).
func (s *Server) apiEvents(c echo.Context) error {
	allowed := []string{"incident", "limit", "as_of", "known_at"}
	f := analytics.EventFilter{Limit: 1000}
	params, err := asked(c)
	if err != nil {
		return err
	}
	for name, values := range params {
		bad := func(reason string) error {
			return &analytics.ParamError{Param: name, Reason: reason, Allowed: allowed}
		}
		if len(values) != 1 {
			return bad("given more than once")
		}
		v := values[0]
		var err error
		switch name {
		case "incident":
			f.Incident = v
		case "limit":
			if f.Limit, err = strconv.Atoi(v); err != nil || f.Limit < 1 || f.Limit > 10000 {
				return &analytics.ParamError{Param: name, Reason: fmt.Sprintf("%q is not a number from 1 to 10000", v)}
			}
		case "as_of", "known_at":
			t, err := s.instant(v, s.Zone)
			if err != nil {
				return &analytics.ParamError{Param: name, Reason: err.Error()}
			}
			if name == "as_of" {
				f.AsOf = t
			} else {
				f.KnownAt = t
			}
		default:
			return bad("unknown parameter of events")
		}
	}
	if f.Incident == "" {
		return &analytics.ParamError{Param: "incident", Reason: "the id of an incident is required"}
	}
	limit := f.Limit
	f.Limit = min(limit+1, 10000)
	rows, err := s.reading(c).Events(c.Request().Context(), f)
	if err != nil {
		return err
	}
	truncated := len(rows) > limit
	if truncated {
		rows = rows[:limit]
	}
	events := make([]apiEvent, len(rows))
	for i, r := range rows {
		events[i] = apiEvent{EventRow: r, Data: object(r.Data), Extensions: object(r.Extensions)}
	}
	return c.JSON(http.StatusOK, map[string]any{"incident": f.Incident, "events": events, "truncated": truncated})
}

// instant reads a date (local midnight in zone) or an RFC 3339 time.
func (s *Server) instant(v string, zone *time.Location) (time.Time, error) {
	if d, err := time.ParseInLocation(time.DateOnly, v, zone); err == nil {
		return d.UTC(), nil
	}
	// A "+" of an offset arrives as a blank where a URL was not encoded; RFC 3339 allows a small t and z.
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(strings.Replace(v, " ", "+", 1)))
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date like 2026-03-29 nor an RFC 3339 time", v)
	}
	return t.UTC(), nil
}
