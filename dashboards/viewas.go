package dashboards

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
)

// ViewAsCookie and ViewAsHeader say, on a laptop without sign-in, as whom pages and the API
// are asked: everything, viewer, people-admin, admin, or person:ID for one of the people of
// the data. The header is for scripts.
const (
	ViewAsCookie = "steward_view_as"
	ViewAsHeader = "Steward-View-As"
)

// choices are those of the switcher: the roles, then the people of the data, who are their
// teams' members and leads.
func (s *Server) choices(c echo.Context) []choice {
	w := who(c)
	current := ViewingAs(c.Request())
	out := []choice{{"everything", "everything", false}, {"viewer", "a viewer", false}, {"people-admin", "a people admin", false}, {"admin", "an admin", false}}
	d, err := s.Store.For(access.Operator(), "").Directory(c.Request().Context())
	if err != nil {
		s.Log.Warn("the people to view as could not be read", "err", err)
	} else {
		leads := map[string][]string{}
		names := map[string]string{}
		for _, t := range d.Teams {
			names[t.ID] = t.Name
			for _, p := range t.Leads {
				leads[p] = append(leads[p], t.Name)
			}
		}
		for _, p := range d.People {
			text := p.Name
			switch {
			case len(leads[p.ID]) > 0:
				text += ", lead of " + strings.Join(leads[p.ID], ", ")
			case len(p.Teams) > 0:
				var in []string
				for _, t := range p.Teams {
					in = append(in, or(names[t], t))
				}
				text += ", member of " + strings.Join(in, ", ")
			}
			out = append(out, choice{"person:" + p.ID, text, false})
		}
		slices.SortStableFunc(out[4:], func(a, b choice) int { return strings.Compare(strings.ToLower(a.Text), strings.ToLower(b.Text)) })
	}
	if i := slices.IndexFunc(out, func(o choice) bool { return o.Value == current }); i >= 0 {
		out[i].Selected = true
	} else if w.IsOperator() {
		out[0].Selected = true
	} else {
		out = append(out, choice{current, w.Label(), true})
	}
	return out
}

// ViewingAs is what a request says it wants to be asked as; "everything" without a word.
func ViewingAs(r *http.Request) string {
	if h := r.Header.Get(ViewAsHeader); h != "" {
		return h
	}
	if c, err := r.Cookie(ViewAsCookie); err == nil {
		as, _ := url.QueryUnescape(c.Value) // what is no cookie of ours chooses nobody
		return as
	}
	return "everything"
}

// switchTo remembers the choice for this browser and leads back.
func (s *Server) switchTo(c echo.Context) error {
	as := c.FormValue("as")
	if len(as) > 500 {
		return &apiError{status: http.StatusBadRequest, Message: "as: too long"}
	}
	c.SetCookie(&http.Cookie{Name: ViewAsCookie, Value: url.QueryEscape(as), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	return c.Redirect(http.StatusSeeOther, localPath(c.FormValue("next")))
}

// localPath is a path of ours, or the first page: what a form carries must not lead away.
func localPath(s string) string {
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return "/"
	}
	return s
}
