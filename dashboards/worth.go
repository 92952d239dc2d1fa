package dashboards

import (
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/analytics"
)

// worthCard answers, by alert class: which pages asked for something to be done?
func (s *Server) worthCard(f *filter, team string, r *result) card {
	c := card{ID: "worth", Title: "Which alerts are worth a page?", Wide: "w12", Err: s.failed(r)}
	if c.Err != "" {
		return c
	}
	events := f.link("/incidents", "team", team)
	w := r.total()
	pages, done, action := w.n("pages"), w.n("reviewed"), w.n("actionable")
	c.sourced(f, r, plural(pages, "page", "pages")+", "+count(done)+" reviewed", events)
	if pages == 0 {
		c.Empty = say("No page in this window.")
		return c
	}
	if done == 0 {
		c.Empty = say("No page of this window has a verdict yet. The week’s pages above take one tap each; whoever was paged gives it, or a team-mate, or the owners of the service.")
		return c
	}
	c.Say = say("Of ", plural(pages, "page", "pages"), ", ", strong(count(done)), " have a verdict; on ", strong(count(action)+" of these"), " somebody did something", interval(action, done), ". A class that is paged often and acted on seldom is the one to change. By name; a share stands where ten or more were reviewed.")
	t := &table{Caption: "Verdicts by alert class", Head: heads("alert class", "#pages", "#reviewed", "#action taken", "#share of reviewed")}
	by := r.byKey()
	for _, k := range keys(as, nil, r) {
		w := by[k]
		p, ok := share(w.n("actionable"), w.n("reviewed"))
		if !ok {
			p = "–"
		}
		t.add(ref(or(clip(k, 80), "no class"), f.link("/incidents", "team", team, "alert_class", k)), counted(w.n("pages")), counted(w.n("reviewed")), counted(w.n("actionable")), num(p))
	}
	c.Body = t
	return c
}

// incidentReview is the review of one incident's pages, for those who read them.
func (s *Server) incidentReview(c echo.Context, f *filter, n *names, inc *analytics.Incident) (*reviewView, error) {
	if s.Shadow == nil || len(inc.Events) == 0 || inc.Drill {
		return nil, nil
	}
	first, last := inc.Events[0].At, inc.Events[len(inc.Events)-1].At
	rows, err := s.reading(c).Reviews(c.Request().Context(), analytics.ReviewFilter{Incident: inc.ID, From: first, To: last.Add(time.Millisecond)})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	v := s.review(c, f, n, rows)
	v.Title, v.N = "Was it worth it?", plural(float64(len(rows)), "page", "pages")
	v.Say = say("One tap says what its pages turned out to be; the weekly review is on ", linked("On call", f.link("/oncall")), ".")
	return v, nil
}
