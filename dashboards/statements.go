package dashboards

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training/xapi"
)

// statementsVersion is that of the Experience API which answers follow.
const statementsVersion = "1.0.3"

// statementsMargin is what is not promised yet: facts on their way to the log.
const statementsMargin = time.Minute

// Bounds of a page of statements.
const (
	statementsUsual = 100
	statementsMost  = 1000
)

// apiStatements answers statements as a record store would: {"statements":[…],"more":"…"}, the
// newest first unless ascending=true. Without parameters they are one's own; person names
// somebody, and person=all is everybody's, both for people admins. since and until are of when
// they became known here. Withdrawn statements are left out, their withdrawals are not.
func (s *Server) apiStatements(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	q := statementsAsk{limit: statementsUsual}
	if err := q.read(v, func(text string) (time.Time, error) { return s.instant(text, s.Zone) }); err != nil {
		return err
	}
	facts, err := s.reading(c).LearningFacts(c.Request().Context(), q.all, q.persons)
	if err != nil {
		return err
	}
	all, err := s.Outgoing.Statements(facts, s.home(c))
	if err != nil {
		return err
	}
	page, more := q.page(all)
	next := ""
	if more != "" {
		v.Set("after", more)
		next = c.Request().URL.Path + "?" + v.Encode()
	}
	h := c.Response().Header()
	h.Set("X-Experience-API-Version", statementsVersion)
	through := s.Now().Add(-statementsMargin)
	if s.Ready != nil { // what is in the log and not stored yet
		through = through.Add(-s.Ready(c.Request().Context()).LagOldest)
	}
	h.Set("X-Experience-API-Consistent-Through", moment(through))
	return c.JSON(http.StatusOK, map[string]any{"statements": page, "more": next})
}

type statementsAsk struct {
	all          bool
	persons      []string
	since, until time.Time
	limit        int
	ascending    bool
	after        string // the place of the last one of the page before
}

func (q *statementsAsk) read(v url.Values, instant func(string) (time.Time, error)) error {
	allowed := []string{"person", "since", "until", "limit", "ascending", "after"}
	for name, values := range v {
		bad := func(reason string) error {
			return &analytics.ParamError{Param: name, Reason: reason, Allowed: allowed}
		}
		if len(values) != 1 && name != "person" {
			return bad("given more than once")
		}
		var err error
		switch text := values[0]; name {
		case "person":
			if q.all = slices.Contains(values, "all"); !q.all {
				q.persons = values
			} else if len(values) > 1 {
				return bad("all, or people")
			}
		case "since":
			q.since, err = instant(text)
		case "until":
			q.until, err = instant(text)
		case "limit":
			q.limit, err = strconv.Atoi(text)
			if err != nil || q.limit < 0 || q.limit > statementsMost {
				return bad(fmt.Sprintf("must be a number up to %d; 0 is as many", statementsMost))
			}
			if q.limit == 0 {
				q.limit = statementsMost
			}
		case "ascending":
			q.ascending, err = strconv.ParseBool(text)
		case "after":
			b, bad := base64.RawURLEncoding.DecodeString(text)
			q.after, err = string(b), bad
		default:
			return bad("unknown parameter of statements")
		}
		if err != nil {
			return bad("cannot be read")
		}
	}
	return nil
}

// place orders statements: by when they became known, then by id.
func placeOf(s xapi.Exported) string { return moment(s.Seen) + " " + s.ID }

// page is one page, and the place of its last statement if there are more.
func (q statementsAsk) page(all []xapi.Exported) (out []xapi.Statement, more string) {
	all = slices.DeleteFunc(slices.Clone(all), func(s xapi.Exported) bool {
		// The store's own clock: whole milliseconds, as written.
		seen := s.Seen.Truncate(time.Millisecond)
		return s.Void || !q.since.IsZero() && !seen.After(q.since) || !q.until.IsZero() && seen.After(q.until)
	})
	slices.SortFunc(all, func(a, b xapi.Exported) int {
		if q.ascending {
			return strings.Compare(placeOf(a), placeOf(b))
		}
		return strings.Compare(placeOf(b), placeOf(a))
	})
	out = []xapi.Statement{}
	for _, s := range all {
		at := placeOf(s)
		if q.after != "" && (q.ascending && at <= q.after || !q.ascending && at >= q.after) {
			continue
		}
		if len(out) == q.limit {
			return out, base64.RawURLEncoding.EncodeToString([]byte(more))
		}
		s.Stored = moment(s.Seen)
		out, more = append(out, s.Statement), at
	}
	return out, ""
}
