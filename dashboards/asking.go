package dashboards

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Theory of operation of who asks
//
//  1. Every route says in routes() who may come: anybody (probes, style, signing in),
//     whoever is signed in, or admins. What is not said cannot be registered.
//  2. Gate tells who a request is from. Nobody is led to the sign-in from a page and gets a
//     401 from the API. A handler finds the asker with who(c) and reads through reading(c),
//     which is the store as that asker sees it: what of whom is decided there and nowhere in
//     this package.
//  3. Pages ask in advance, with Who.SeesLoad, only to choose which cards to show. A card
//     whose question was refused all the same says so; the page is not lost for it.

// Gate tells who a request is from. The error is an *access.Denied for credentials that do
// not hold, such as an expired token; nobody at all is the zero Who.
type Gate func(r *http.Request) (access.Who, error)

// Reading is the store as one asker sees it. *analytics.View is one; all methods are
// goroutine-safe, and any may answer *access.Denied.
type Reading interface {
	Query(ctx context.Context, name string, params url.Values) (*analytics.Answer, error)
	QueryEach(ctx context.Context, name string, params url.Values, splits ...analytics.Split) ([]*analytics.Answer, error)
	WornDown(ctx context.Context, params url.Values, above float64) (analytics.WornDown, error)
	Directory(ctx context.Context) (*analytics.Directory, error)
	Incident(ctx context.Context, id string) (*analytics.Incident, error)
	Events(ctx context.Context, f analytics.EventFilter) ([]analytics.EventRow, error)
	Incidents(ctx context.Context, f analytics.IncidentFilter) ([]analytics.IncidentRow, error)
	OwnershipHistory(ctx context.Context, service string) ([]analytics.OwnershipSpan, error)
	Drills(ctx context.Context) ([]analytics.Drill, error)
	Drill(ctx context.Context, id string) (*analytics.Drill, error)
	DrillSource(ctx context.Context, incident string) (*analytics.DrillSource, error)
	Attempts(ctx context.Context) ([]analytics.AttemptRow, error)
	Attempt(ctx context.Context, id string) (*analytics.Attempt, error)
	DrillReading
	Assignments(ctx context.Context, f analytics.AssignmentFilter) ([]analytics.AssignmentRow, error)
	Evidence(ctx context.Context, person string) ([]analytics.EvidenceRow, error)
	Took(ctx context.Context, incident string) (*analytics.Took, error)
	Reviews(ctx context.Context, f analytics.ReviewFilter) ([]analytics.PageRow, error)
	Rota(ctx context.Context, team string) ([]analytics.ShiftRow, error)
	Readiness(ctx context.Context, f analytics.ReadinessFilter) ([]analytics.Readiness, error)
	Duties(ctx context.Context, f analytics.DutyFilter) ([]analytics.DutyRow, error)
	Reminders(ctx context.Context, since time.Time) ([]analytics.ReminderRow, error)
	ReminderChoices(ctx context.Context) (map[string]bool, error)
	CalendarAddresses(ctx context.Context) (map[string]bool, error)
	LearningFacts(ctx context.Context, all bool, persons []string) ([]analytics.LearningFact, error)
	Rules(ctx context.Context) ([]analytics.Rule, error)
	Rotas(ctx context.Context, team string) ([]analytics.Rota, error)
	EventsOf(ctx context.Context, person string, since time.Time, kinds ...string) ([]analytics.OwnEvent, error)
	ShadowingOf(ctx context.Context, person string) (analytics.Shadowing, error)
	Helped(ctx context.Context, module string) (analytics.Helped, error)
	Rollouts(ctx context.Context) ([]analytics.Rollout, error)
	Rollout(ctx context.Context, id string) (*analytics.Rollout, error)
	Panel(ctx context.Context, m analytics.Measure, teams []string, from, to time.Time) (*analytics.Panel, error)
	Question(ctx context.Context) (*analytics.WeekQuestion, error)
	SkillReading
	Looks(ctx context.Context, limit int) ([]analytics.LookRow, error)
	Audit(ctx context.Context, limit int) ([]analytics.AuditRow, error)
	Quarantine(ctx context.Context, limit, offset int) ([]analytics.QuarantineRow, uint64, error)
	QuarantineItem(ctx context.Context, id string) (*analytics.QuarantineRow, error)
}

// Store makes readings.
type Store interface {
	Metrics() []analytics.Metric
	For(who access.Who, purpose string) Reading
}

// Over is a Store of the real one.
func Over(s *analytics.Store) Store { return overStore{s} }

type overStore struct{ *analytics.Store }

func (o overStore) For(who access.Who, purpose string) Reading { return o.Store.For(who, purpose) }

// who asks. It is nobody where the route lets anybody come.
func who(c echo.Context) access.Who {
	w, _ := c.Get("who").(access.Who)
	return w
}

// reading is the store as the asker sees it, for this request.
func (s *Server) reading(c echo.Context) Reading {
	if r, ok := c.Get("reading").(Reading); ok {
		return r
	}
	r := s.Store.For(who(c), purpose(c))
	c.Set("reading", r)
	return r
}

// purpose is what the ledger says was looked at: the page or export, and of the filters only
// what cannot be words, since whoever looks writes them and whoever is looked at reads them.
// It names no person: several may have been looked at.
func purpose(c echo.Context) string {
	out := c.Request().URL.Path
	switch {
	case c.Path() == "/people/:person":
		out = "what you carry"
	case strings.HasPrefix(out, "/api/"):
		out = "export of " + strings.TrimPrefix(strings.TrimPrefix(out, "/api/v1/"), "metrics/")
	}
	q := c.QueryParams()
	for _, f := range []struct {
		name string
		form *regexp.Regexp
	}{{"window", windowText}, {"from", momentText}, {"to", momentText}} {
		if v := q.Get(f.name); f.form.MatchString(v) {
			out += ", " + f.name + " " + v
		}
	}
	if n := len(q["team"]); n > 0 {
		out += ", by team"
	}
	return clip(out, 200)
}

// momentText is a date or a moment, as windows are bounded by.
var momentText = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{5,12}(Z|[+-][0-9:]{5}))?$`)

// comes says who may use a route.
type comes int

const (
	anybody comes = iota + 1
	signedIn
	admins
)

// let finds out who asks and lets on who may come.
func (s *Server) let(in comes) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		if in == anybody {
			return next
		}
		return func(c echo.Context) error {
			w, err := s.Gate(c.Request())
			if err != nil {
				return err
			}
			c.Set("who", w)
			switch in {
			case admins:
				err = w.Administer("this")
			default:
				_, err = w.Facts()
			}
			if err != nil {
				return err
			}
			return next(c)
		}
	}
}

// refusedTo turns a refusal into a status: 401 for nobody, 403 for somebody.
func refusedTo(err error) (*apiError, bool) {
	var denied *access.Denied
	if !errors.As(err, &denied) {
		return nil, false
	}
	status := http.StatusForbidden
	if denied.SignIn {
		status = http.StatusUnauthorized
	}
	return &apiError{status: status, Message: denied.Reason}, true
}

// toSignIn leads a person who opened a page to the sign-in, and back afterwards.
func (s *Server) toSignIn(c echo.Context) error {
	next := c.Request().URL.RequestURI()
	return c.Redirect(http.StatusSeeOther, "/signin?next="+url.QueryEscape(next))
}
