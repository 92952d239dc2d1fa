package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// policy lets a page use this host's script, style and data and nothing else; inline
// script and style are text.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'self'"

// headers goes on every response, errors and the ingest API included. Answers may name
// people, so caches between here and the reader keep nothing.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), interest-cohort=()")
		h.Set("Cache-Control", "private, no-cache")
		if c.Request().TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// recoverer turns a panic into a 500 of this one request, with its stack in the log.
func (s *Server) recoverer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if v := recover(); v != nil {
				if v == http.ErrAbortHandler {
					panic(v)
				}
				s.Log.Error("a request panicked", "path", loggable(c.Request().URL.Path), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
				err = errors.New("internal error")
			}
		}()
		return next(c)
	}
}

// loggable is a path without the secret that the address of a calendar holds.
func loggable(path string) string {
	if strings.HasPrefix(path, "/calendar/") {
		return "/calendar/…"
	}
	return path
}

// apiError is an error as the API words it. Param and Allowed stand only where a
// parameter is at fault.
type apiError struct {
	status  int
	Message string   `json:"error"`
	Param   string   `json:"param,omitempty"`
	Allowed []string `json:"allowed,omitempty"`
}

func (e *apiError) Error() string { return e.Message }

// explain maps an error to a status and to words. The words of an unforeseen error go to
// the log; readers see them only in development, since they may quote statements.
func (s *Server) explain(err error) *apiError {
	var (
		api     *apiError
		bad     *analytics.ParamError
		unknown *analytics.UnknownMetricError
		httpErr *echo.HTTPError
	)
	if e, denied := refusedTo(err); denied {
		return e
	}
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &bad):
		return &apiError{http.StatusBadRequest, bad.Error(), bad.Param, bad.Allowed}
	case errors.As(err, &unknown):
		return &apiError{http.StatusNotFound, unknown.Error(), "metric", unknown.Known}
	case errors.Is(err, analytics.ErrNotFound):
		return &apiError{status: http.StatusNotFound, Message: "not found"}
	case errors.As(err, &httpErr):
		return &apiError{status: httpErr.Code, Message: strings.ToLower(fmt.Sprint(httpErr.Message))}
	case errors.Is(err, context.DeadlineExceeded):
		return &apiError{status: http.StatusServiceUnavailable, Message: "the question took too long; a shorter window is cheaper"}
	}
	out := &apiError{status: http.StatusInternalServerError, Message: "this could not be answered; the log of the server says why"}
	if s.Dev {
		out.Message = "this could not be answered: " + clip(err.Error(), 400)
	}
	return out
}

// fail answers a request that ended in an error: JSON for the API, a page for people.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	r := c.Request()
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the reader left
	}
	e := s.explain(err)
	if e.status >= 500 {
		s.Log.Error("request failed", "method", r.Method, "path", loggable(r.URL.Path), "status", e.status, "err", err)
	}
	api := strings.HasPrefix(r.URL.Path, "/api/")
	if e.status == http.StatusUnauthorized {
		c.Response().Header().Set("WWW-Authenticate", "Bearer")
		if !api && r.Method == http.MethodGet && s.SignIn != nil && s.toSignIn(c) == nil {
			return
		}
	}
	if !api && !strings.HasPrefix(r.URL.Path, "/ingest/") && !strings.HasPrefix(r.URL.Path, "/static/") && r.URL.Path != "/metrics" {
		if err := s.failPage(c, e); err == nil {
			return
		}
	}
	body, err := json.Marshal(e)
	if err == nil {
		err = c.JSONBlob(e.status, body)
	}
	if err != nil {
		s.Log.Debug("an error could not be sent", "err", err)
	}
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
