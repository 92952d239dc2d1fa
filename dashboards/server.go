// Package dashboards is what people and scripts look at: pages, charts, JSON and CSV.
//
// Theory of operation
//
//  1. A page reads its filters from the URL (filter.go), asks every metric it needs in
//     parallel (ask.go), turns the answers into cards (card.go) and renders them in one go.
//     Nothing is stored here; the same URL shows a colleague the same page.
//  2. A card is a question, its answer in words, a picture, a table of the same numbers and
//     a footer with n, definition, CSV and the incidents behind it. Pages are written in Go
//     as lists of cards; one template draws them all (template/*.html).
//  3. Text from outside (names, titles, raw bytes) meets HTML only in html/template, and
//     charts only as JSON inside a data block (chart.go). go-echarts' own rendering, which
//     splices labels into script, is never called.
//  4. The policy in headers.go forbids inline script and style, so a mistake in 3 would be
//     text, not code. One stylesheet and one script are served from here; nothing loads
//     from elsewhere.
//  5. echo and go-echarts stay behind this package.
package dashboards

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/stewardhq/steward/analytics"
)

//go:embed template
var templateFiles embed.FS

// all: also what `make build` copies in beside the tracked files.
//
//go:embed all:static
var staticFiles embed.FS

// Redriver sends the bytes of one quarantined record through decoding again.
type Redriver interface {
	Redrive(ctx context.Context, id string) error
}

// Readiness says whether requests should be sent here. Parts names each component with
// "ok" or what is wrong with it.
type Readiness struct {
	Ready      bool
	LagRecords int64         // records on the topic that the sink has not stored
	LagOldest  time.Duration // age of the oldest of them; 0 without any
	Parts      map[string]string
}

// Deps is everything the server stands on. Store is required; the zero value of the rest
// means: no such part (its route answers 404), UTC, the wall clock, no log.
type Deps struct {
	Store       Store
	Gate        Gate         // who a request is from; required unless Dev
	SignIn      http.Handler // serves /signin, /signin/…, /signout
	Ingest      http.Handler // serves /ingest/…
	Redriver    Redriver
	Play        Play // nil: drills can be read and not played
	Ready       func(context.Context) Readiness
	Advise      Advise         // what to learn next; nil, or without Learn: it is not said
	Metrics     http.Handler   // serves /metrics
	Zone        *time.Location // the organisation's
	Now         func() time.Time
	Log         *slog.Logger
	Version     string
	Keys        Keys        // tokens and secrets; nil: their page does not exist
	Learn       Learn       // the curriculum and what people do about it; nil: there are no such pages
	Shadow      Shadow      // reviews of pages and walking along; nil: there are no such forms
	Showing     Showing     // what people say about skills; nil: nobody is asked. It needs Learn
	Outgoing    Outgoing    // reminders, calendars, learning records; nil, or without Learn: there are none
	Rollouts    Rollouts    // draws roll-outs; nil: they are read and not drawn
	Questions   Questions   // marks answers to the question of the week; nil: there is none
	Deriving    func() bool // skills are still being derived from history; nil: nobody knows
	Audit       Audit       // keeps administrative acts; required with Keys or Redriver
	Dev         bool        // loopback without sign-in: errors say more
	Insecure    bool        // served without TLS on loopback: cookies may travel so
	ViewAs      bool        // a switcher shows pages as others see them
	EchartsPath string      // a file to serve instead of the embedded or found chart library
}

// Server serves pages and API. It holds no state besides its parsed templates and assets.
type Server struct {
	Deps
	echo    *echo.Echo
	pages   *renderer
	assets  map[string]asset
	metrics map[string]analytics.Metric
}

// New parses templates and assets and wires the routes. It starts nothing.
func New(d Deps) (*Server, error) {
	if d.Store == nil {
		return nil, errors.New("dashboards: a store is required")
	}
	if d.Gate == nil {
		return nil, errors.New("dashboards: a gate is required")
	}
	if d.Audit == nil && (d.Keys != nil || d.Redriver != nil) {
		return nil, errors.New("dashboards: administrative acts need an audit log")
	}
	if d.Zone == nil {
		d.Zone = time.UTC
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{Deps: d, metrics: map[string]analytics.Metric{}}
	for _, m := range d.Store.Metrics() {
		s.metrics[m.Name] = m
	}
	static, err := fs.Sub(staticFiles, "static")
	if err != nil {
		return nil, fmt.Errorf("dashboards: %w", err)
	}
	if s.assets, err = loadAssets(static, d.EchartsPath); err != nil {
		return nil, fmt.Errorf("dashboards: %w", err)
	}
	if _, ok := s.assets["echarts.min.js"]; !ok {
		d.Log.Warn("echarts.min.js was not found, so charts stay empty and their tables open; `npm ci` fetches it")
	}
	if s.pages, err = newRenderer(templateFiles, s.assets); err != nil {
		return nil, fmt.Errorf("dashboards: %w", err)
	}
	s.echo = s.routes()
	return s, nil
}

// Handler serves everything.
func (s *Server) Handler() http.Handler { return s.echo }

func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	// The address of the connection: X-Forwarded-For is anybody's to write.
	e.IPExtractor = echo.ExtractIPDirect()
	e.HTTPErrorHandler = s.fail
	e.Use(s.headers, s.recoverer)

	get := func(path string, in comes, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, h, append([]echo.MiddlewareFunc{s.let(in)}, m...)...)
	}
	post := func(path string, in comes, h echo.HandlerFunc, m ...echo.MiddlewareFunc) {
		// The body is limited before anybody is asked who they are.
		e.POST(path, h, append([]echo.MiddlewareFunc{middleware.BodyLimit("64K"), s.let(in)}, m...)...)
	}
	zip := middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1024})
	get("/", signedIn, s.overview, zip)
	get("/teams", signedIn, s.teams, zip)
	get("/teams/:team", signedIn, s.team, zip)
	get("/ownership", signedIn, s.ownership, zip)
	get("/services", signedIn, s.services, zip)
	get("/services/:service", signedIn, s.service, zip)
	get("/incidents", signedIn, s.incidents, zip)
	get("/definitions", signedIn, s.definitions, zip)

	// Not compressed: these pages hold a token beside text that others can choose.
	csrf := middleware.CSRFWithConfig(middleware.CSRFConfig{
		TokenLookup: "form:csrf", CookieName: s.csrfCookie(), CookiePath: "/",
		CookieSecure: !s.Insecure, CookieHTTPOnly: true, CookieSameSite: http.SameSiteStrictMode,
	})
	get("/oncall", signedIn, s.oncall, csrf)
	get("/incidents/:incident", signedIn, s.incident, csrf)
	get("/me", signedIn, s.me, csrf)
	get("/people/:person", signedIn, s.person, csrf)
	r := router{get, post, csrf, zip}
	s.drillRoutes(r)
	get("/quarantine", admins, s.quarantine)
	get("/quarantine/:id", admins, s.quarantined, csrf)
	post("/quarantine/:id/redrive", admins, s.redrive, csrf)
	get("/audit", admins, s.auditPage)
	if s.Keys != nil {
		get("/tokens", admins, s.tokens, csrf)
		post("/tokens", admins, s.tokenCreate, csrf)
		post("/tokens/:id/revoke", admins, s.tokenRevoke, csrf)
		post("/secrets", admins, s.secretRotate, csrf)
		post("/secrets/:id/retire", admins, s.secretRetire, csrf)
	}
	if s.Shadow != nil {
		s.shadowRoutes(r)
	}
	if s.Learn != nil {
		s.learnRoutes(r)
		s.skillRoutes(r)
		s.rolloutRoutes(r)
		s.questionRoutes(r)
		if s.Advise != nil {
			s.recommendRoutes(r)
		}
		if s.Outgoing != nil {
			s.outgoingRoutes(r)
		}
	}
	if s.Showing != nil {
		s.showRoutes(r)
	}
	if s.ViewAs {
		post("/viewas", anybody, s.switchTo)
	}

	get("/api/v1/metrics", signedIn, s.apiCatalogue, zip)
	get("/api/v1/metrics/:name", signedIn, s.apiMetric, zip)
	get("/api/v1/events", signedIn, s.apiEvents, zip)
	get("/api/v1/audit", admins, s.apiAudit, zip)
	e.RouteNotFound("/api/*", func(c echo.Context) error {
		switch path := strings.TrimPrefix(c.Request().URL.Path, "/api/v1/"); {
		case path == "metrics", path == "events", path == "audit", path == "assignments" && s.Learn != nil, path == "recommendations" && s.advises(), path == "xapi/statements" && s.Outgoing != nil, strings.HasPrefix(path, "metrics/"), strings.HasPrefix(path, "skills/") && s.Learn != nil:
			c.Response().Header().Set("Allow", "GET, HEAD")
			return &apiError{status: http.StatusMethodNotAllowed, Message: "this is asked by GET"}
		}
		return &apiError{status: http.StatusNotFound, Message: "no such endpoint"}
	})

	get("/healthz", anybody, func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"status": "ok", "version": s.Version})
	})
	get("/readyz", anybody, s.ready)
	if s.Metrics != nil {
		get("/metrics", anybody, echo.WrapHandler(s.Metrics))
	}
	if s.Ingest != nil {
		e.Any("/ingest/*", echo.WrapHandler(s.Ingest)) // signatures and tokens are its own business
	}
	if s.SignIn != nil {
		for _, path := range []string{"/signin", "/signin/*", "/signout"} {
			e.Any(path, echo.WrapHandler(s.SignIn))
		}
	}
	get("/static/:file", anybody, s.asset)
	get("/favicon.ico", anybody, func(c echo.Context) error { c.SetParamNames("file"); c.SetParamValues("icon.svg"); return s.asset(c) })
	return e
}

// router is what a part of the pages puts its own routes on.
type router struct {
	get, post func(path string, in comes, h echo.HandlerFunc, m ...echo.MiddlewareFunc)
	csrf, zip echo.MiddlewareFunc // a page with a form is not compressed
}

// csrfCookie is bound to this host where TLS allows it, so that no neighbour can plant one.
func (s *Server) csrfCookie() string {
	if s.Insecure {
		return "steward_csrf"
	}
	return "__Host-steward_csrf"
}

func (s *Server) ready(c echo.Context) error {
	r := Readiness{Ready: true}
	if s.Ready != nil {
		r = s.Ready(c.Request().Context())
	}
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	if r.Parts == nil {
		r.Parts = map[string]string{}
	}
	return c.JSON(status, map[string]any{
		"ready": r.Ready, "version": s.Version, "parts": r.Parts,
		"sink": map[string]any{"lag_records": r.LagRecords, "lag_seconds": r.LagOldest.Seconds()},
	})
}

// param is a path parameter as it was meant: echo hands over the escaped form where the
// path was escaped in an unusual way, as with a "/" inside an id.
func param(c echo.Context, name string) string {
	v := c.Param(name)
	if c.Request().URL.RawPath != "" {
		if u, err := url.PathUnescape(v); err == nil {
			return u
		}
	}
	return v
}
