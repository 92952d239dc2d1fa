package dashboards

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"
)

// Words is a page of a title and a sentence, for parts that have no pages of their own.
func (s *Server) Words(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	p := &page{Title: title, Answer: say(text), Version: s.Version, Dev: s.Dev}
	p.Sub = say(linked("Overview", "/"))
	s.write(w, r, status, p)
}

// TokenForm asks for a token where nothing else says who people are.
func (s *Server) TokenForm(w http.ResponseWriter, r *http.Request, status int, next, problem string) {
	p := &page{Title: "Sign in", Notice: problem, Version: s.Version, Dev: s.Dev, TokenForm: &next}
	p.Answer = say("Here API tokens say who asks.")
	p.Start = []step{{What: "No token yet?", Why: "On the machine that serves this, this makes one.", Command: "steward token create NAME --scope read"}}
	s.write(w, r, status, p)
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, status int, p *page) {
	c := s.echo.NewContext(r, w)
	if err := s.headers(func(c echo.Context) error { return s.draw(c, status, p) })(c); err != nil {
		s.Log.Error("a page could not be drawn", "path", url.PathEscape(r.URL.Path), "err", err)
	}
}
