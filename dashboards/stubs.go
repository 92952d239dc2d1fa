package dashboards

import "github.com/labstack/echo/v4"

type incidentView struct{}
type recordView struct{}
type spans struct{}

func (s *Server) teams(c echo.Context) error       { return echo.ErrNotFound }
func (s *Server) team(c echo.Context) error        { return echo.ErrNotFound }
func (s *Server) oncall(c echo.Context) error      { return echo.ErrNotFound }
func (s *Server) ownership(c echo.Context) error   { return echo.ErrNotFound }
func (s *Server) services(c echo.Context) error    { return echo.ErrNotFound }
func (s *Server) service(c echo.Context) error     { return echo.ErrNotFound }
func (s *Server) incidents(c echo.Context) error   { return echo.ErrNotFound }
func (s *Server) incident(c echo.Context) error    { return echo.ErrNotFound }
func (s *Server) quarantine(c echo.Context) error  { return echo.ErrNotFound }
func (s *Server) quarantined(c echo.Context) error { return echo.ErrNotFound }
func (s *Server) redrive(c echo.Context) error     { return echo.ErrNotFound }
