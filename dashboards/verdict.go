package dashboards

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// Theory of operation of the weekly review
//
//  1. What is listed are the pages of the last seven days of the window to people of the teams
//     one is in, or of the team in the filter. The pages of an incident stand together and are
//     judged by one tap; where they differ, each can be chosen on its own.
//  2. A button is a form of its own kind: it sends one word, works without script, and leads
//     back to where it stood. What was said before is taken along by whoever keeps the tap.
//  3. What has a verdict is folded, so that what is left to do is what one sees.

// reviewWeek is what a review looks back on.
const reviewWeek = 7 * 24 * time.Hour

// reviewListed is how many incidents a review lists; a week with more has other worries.
const reviewListed = 80

// reviewOpen is how many stand unfolded; the page has other questions too.
const reviewOpen = 6

// reviewView is the list of pages to judge.
type reviewView struct {
	Title, Csrf, Back string
	Say, Empty        []bit
	Groups            []reviewGroup
	First             int // how many of them are unfolded
	N                 string
	Meanings          []training.Verdict
}

// Rest says what is folded away.
func (v *reviewView) Rest() string {
	left := 0
	for _, g := range v.Groups[v.First:] {
		if !g.Done {
			left++
		}
	}
	out := plural(float64(len(v.Groups)-v.First), "more", "more")
	if left > 0 {
		out += ", " + count(float64(left)) + " of them without a verdict"
	}
	return out
}

// reviewGroup are the pages of an incident, or a page of none.
type reviewGroup struct {
	ID, Title, Href, Meta string
	Told                  []reviewPage // who was paged when, by which channels
	Pages                 []reviewPage
	Page, Incident        string
	Now                   []bit // what stands
	Sense, Note           string
	CanSense              bool // there is a verdict that a word on this can stand beside
	May, Done             bool
	Action, None          []reviewButton
}

type reviewPage struct {
	ID, Text string
	Time     string
}

type reviewButton struct {
	ID, Words string
	Pressed   bool
}

// reviewed are the teams whose pages a request reviews.
func reviewed(w access.Who, team string) []string {
	if team == "" {
		return w.Teams()
	}
	if w.PagesOf(team) != nil {
		return nil
	}
	return []string{team}
}

// toReview asks for the pages of the week; nil where there are none to ask for.
func (s *Server) toReview(ask *asker, f *filter, team string) *[]analytics.PageRow {
	teams := reviewed(ask.who, team)
	if s.Shadow == nil || len(teams) == 0 {
		return nil
	}
	rows := new([]analytics.PageRow)
	ask.do(func(ctx context.Context) (err error) {
		*rows, err = ask.read.Reviews(ctx, analytics.ReviewFilter{Team: teams, From: f.to.Add(-reviewWeek), To: f.to})
		return
	})
	return rows
}

// week is the review of a week's pages.
func (s *Server) week(c echo.Context, f *filter, n *names, rows []analytics.PageRow) *reviewView {
	v := s.review(c, f, n, rows)
	v.Title = "Was it worth it? The pages of the last seven days"
	from := f.to.Add(-reviewWeek)
	if len(rows) == 0 {
		v.Empty = say("Nobody was paged between ", f.stamp(from), " and ", f.stamp(f.to), ". An earlier “to” above shows an earlier week.")
		return v
	}
	done, action := 0, 0
	for _, r := range rows {
		if r.Verdict != nil {
			done++
			if k, _ := training.FindVerdict(r.Verdict.Verdict); k.Action {
				action++
			}
		}
	}
	v.N = plural(float64(len(rows)), "page", "pages")
	v.Say = say(strong(fmt.Sprintf("%s of %s reviewed", count(float64(done)), v.N)), ", sent from ", f.stamp(from), " to ", f.stamp(f.to), ". ")
	if done > 0 {
		v.Say = append(v.Say, say("Action was taken on ", strong(count(float64(action))+" of the "+count(float64(done))), ". ")...)
	}
	if done < len(rows) {
		v.Say = append(v.Say, say("One tap says what a page turned out to be; it holds until somebody taps again.")...)
	}
	return v
}

// review groups pages, those without a verdict first, else as they came.
func (s *Server) review(c echo.Context, f *filter, n *names, rows []analytics.PageRow) *reviewView {
	csrf, _ := c.Get("csrf").(string)
	v := &reviewView{Csrf: csrf, Back: c.Request().URL.RequestURI(), Meanings: training.Verdicts()}
	if c.Request().Method != http.MethodGet {
		v.Back = "/oncall"
	}
	var order []string
	groups := map[string][]analytics.PageRow{}
	for _, r := range rows {
		key := "incident:" + r.Incident
		if r.Incident == "" {
			key = "page:" + r.Page
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], r)
	}
	for _, key := range order {
		v.Groups = append(v.Groups, s.reviewGroup(f, n, key, groups[key]))
	}
	slices.SortStableFunc(v.Groups, func(a, b reviewGroup) int {
		return map[bool]int{true: 1}[a.Done] - map[bool]int{true: 1}[b.Done]
	})
	if len(v.Groups) > reviewListed {
		v.Groups = v.Groups[:reviewListed]
	}
	if v.First = reviewOpen; len(v.Groups) <= reviewOpen+1 { // to fold one away saves nothing
		v.First = len(v.Groups)
	}
	return v
}

func (s *Server) reviewGroup(f *filter, n *names, key string, rows []analytics.PageRow) reviewGroup {
	first := rows[0]
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	g := reviewGroup{ID: fmt.Sprintf("p%x", h.Sum64()), Incident: first.Incident, Title: clip(first.Title, 160), Done: true}
	if first.Incident == "" {
		g.Page, g.Title = first.Page, "A page of no incident"
	} else {
		g.Href = f.link(at("incidents", first.Incident))
		g.Title = or(g.Title, clip(first.Incident, 100))
	}
	var about []string
	for _, t := range []string{first.Service, first.AlertClass} {
		if t == first.Service && t != "" {
			t = n.service(t)
		}
		if t != "" {
			about = append(about, clip(t, 80))
		}
	}
	g.Meta = strings.Join(about, " · ")
	said := map[string]int{}
	var by string
	own := rows[0].Own
	for i, r := range rows {
		g.May = g.May || r.May
		text := r.At.In(f.zone).Format("Mon 2 Jan 15:04 MST") + ", " + clip(n.person(r.Person), 80)
		if r.Channel != "unknown" {
			text += " by " + r.Channel
		}
		page := reviewPage{ID: r.Page, Text: text, Time: r.At.UTC().Format(time.RFC3339)}
		g.Pages = append(g.Pages, page)
		if k := len(g.Told) - 1; k >= 0 && r.Channel != "unknown" && rows[i-1].Person == r.Person && r.At.Sub(rows[i-1].At) < time.Minute {
			g.Told[k].Text += ", " + r.Channel
		} else {
			g.Told = append(g.Told, page)
		}
		if r.Verdict == nil {
			g.Done = false
			continue
		}
		k, _ := training.FindVerdict(r.Verdict.Verdict)
		said[or(k.Words, r.Verdict.Verdict)]++
		by, g.CanSense = n.person(r.Verdict.By), true
		if r.Verdict.Note != "" {
			g.Note = clip(r.Verdict.Note, 500)
		}
		if own == nil || r.Own == nil || own.Verdict != r.Own.Verdict {
			own = nil
		}
	}
	g.Now = verdictStands(said, len(rows), clip(by, 80))
	if own != nil && own.MadeSense != nil {
		g.Sense = map[bool]string{true: "yes", false: "no"}[*own.MadeSense]
	}
	for _, k := range training.Verdicts() {
		b := reviewButton{k.ID, k.Words, own != nil && own.Verdict == k.ID}
		if k.Action {
			g.Action = append(g.Action, b)
		} else {
			g.None = append(g.None, b)
		}
	}
	return g
}

// verdictStands says what holds of some pages.
func verdictStands(said map[string]int, pages int, by string) []bit {
	var words []string
	done := 0
	for w, k := range said {
		done += k
		words = append(words, w)
	}
	slices.Sort(words)
	switch {
	case done == 0:
		return nil
	case len(words) == 1 && done == pages:
		return say(strong(words[0]), ", says ", by)
	}
	for i, w := range words {
		words[i] = fmt.Sprintf("%d %s", said[w], w)
	}
	if done < pages {
		words = append(words, fmt.Sprintf("%d without a verdict", pages-done))
	}
	return say(strong(list(words)))
}

// tap is a form of the review.
func (s *Server) tap(c echo.Context) error {
	form, err := c.FormParams()
	if err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	t := Tap{Page: form.Get("page"), Incident: form.Get("incident"), Verdict: filled(c, "verdict"), Note: filled(c, "note")}
	switch form.Get("made_sense") {
	case "yes", "no":
		yes := form.Get("made_sense") == "yes"
		t.MadeSense = &yes
	case "":
	default:
		return &apiError{status: http.StatusBadRequest, Message: "made_sense: yes or no is wanted"}
	}
	err = s.Shadow.Review(c.Request().Context(), who(c), t)
	var bad *LearnError
	if errors.As(err, &bad) {
		return &apiError{status: http.StatusBadRequest, Message: bad.Field + ": " + bad.Reason}
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, backTo(form.Get("back"))+"#review")
}

// backTo is where a form stood, or the page on call: an address that came with a form could
// lead anywhere.
func backTo(path string) string {
	plain := func(r rune) bool { return r <= ' ' || r == '\\' || r == '#' || r > '~' }
	if !strings.ContainsFunc(path, plain) && (path == "/oncall" || strings.HasPrefix(path, "/oncall?") || strings.HasPrefix(path, "/incidents/")) {
		return path
	}
	return "/oncall"
}
