package dashboards

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// Learn is what people do about learning. Each act is decided, kept as events, and returns
// when the next page shows it or a second has passed. Errors: *LearnError is the caller's
// mistake, *access.Denied says who may.
type Learn interface {
	Curriculum() *training.Curriculum
	// Assign gives the same work to everybody, every team and every rota named, and says how
	// many pieces that is. What somebody has to do already until the same day is left out; if
	// that is all of it, it is a *LearnError.
	Assign(ctx context.Context, who access.Who, w Work) (int, error)
	// Start begins a module, under the assignment that is open or of one's own accord.
	Start(ctx context.Context, who access.Who, module string) error
	// Answer marks an attempt; Assignment, Module, Number, Digest and Answers are the page's.
	Answer(ctx context.Context, who access.Who, a training.Attempt) (training.Marked, error)
	// Complete says what shows that a module was done: what was made, an event that one is in,
	// or drills that one played.
	Complete(ctx context.Context, who access.Who, assignment, module string, p Proof) error
	// WordKey is what the asker gives, with a link, to whoever is to give their word about a
	// module of an assignment. Nobody else can make it up.
	WordKey(who access.Who, assignment, module string) string
	// Attest says of somebody else of one's team that they did what completes a module; p.Key is
	// their WordKey, which their lead, who reads their work anyway, does not need.
	Attest(ctx context.Context, who access.Who, person, assignment, module string, p Proof) error
	// End ends a standing rule: its work is no longer that of who has not begun it.
	End(ctx context.Context, who access.Who, assignment, module string) error
	// Rate says whether a module helped; after is module or page.
	Rate(ctx context.Context, who access.Who, module string, helped bool, after string) error
	Abandon(ctx context.Context, who access.Who, assignment, module string) error
	// Waive excuses one person from a module of an assignment.
	Waive(ctx context.Context, who access.Who, assignment, module, person, reason string) error
}

// Work is what a lead gives.
type Work struct {
	Modules     []string
	Track       string // whose they all are, if it was given as a whole
	First       bool   // give each person what they lack before these as well
	People      []string
	Teams       []string
	Rotas       []TeamRota
	Due, Reason string   // Due is a date or empty; a rota's is each one's own
	Cites       []string // ids of incidents
}

// TeamRota is whoever of a team comes to be on a rota, before their first shift.
type TeamRota struct{ Team, Schedule string }

// Proof is what somebody hands in. Ref names it: an event, or what was made; Note is what the
// module wants beside it; Key shows that somebody's word was asked for (Learn.WordKey).
type Proof struct{ Ref, Note, Key string }

// LearnError is a request that cannot be met, by the field of the form.
type LearnError struct{ Field, Reason string }

func (e *LearnError) Error() string { return e.Field + ": " + e.Reason }

// tracks are the modules of each track, for assignments of whole tracks.
func (s *Server) tracks() map[string][]string {
	out := map[string][]string{}
	for _, t := range s.Learn.Curriculum().Tracks {
		for _, m := range t.Modules {
			out[t.ID] = append(out[t.ID], m.ID)
		}
	}
	return out
}

// Current is the row of a module to go on with: one that is open, else the one that is
// furthest.
func Current(rows []analytics.AssignmentRow, module string) (best analytics.AssignmentRow, found bool) {
	for _, r := range rows {
		if r.Module != module {
			continue
		}
		if !found || r.Open() && !best.Open() || r.Open() == best.Open() && further(r) >= further(best) {
			best, found = r, true
		}
	}
	return best, found
}

// further orders rows by how far they are.
func further(r analytics.AssignmentRow) int {
	switch r.State {
	case analytics.StateStarted:
		return 1
	case analytics.StatePassed:
		return 2
	case analytics.StateWaived:
		return 3
	case analytics.StateCompleted:
		return 4
	}
	return 0
}

// Missing are the modules that must be known before one is begun and are not.
func Missing(c *training.Curriculum, m *training.Module, rows []analytics.AssignmentRow) []*training.Module {
	known := map[string]bool{}
	for _, r := range rows {
		if r.Known() {
			known[r.Module] = true
		}
	}
	var out []*training.Module
	for _, id := range m.Prereqs {
		if before, ok := c.Module(id); ok && !known[id] {
			out = append(out, before)
		}
	}
	return out
}

// NextTry is the number of the next attempt at a row's quiz and from when it may be handed
// in; false once it is passed.
func NextTry(r analytics.AssignmentRow) (number int, from time.Time, ok bool) {
	var tried []training.Tried
	for _, t := range r.Tried {
		tried = append(tried, training.Tried{Number: t.Number, At: t.At, Passed: t.Passed})
	}
	return training.Next(tried)
}

// act is a form's handler: what was wrong is said on the module's page.
func (s *Server) act(c echo.Context, m *training.Module, done string, err error) error {
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return s.modulePage(c, m, http.StatusBadRequest, bad.sentence(), nil)
	case err != nil:
		return err
	}
	// A list of ours may have sent the form, and wants to be shown again.
	if back := filled(c, "back"); back == "/assignments" || strings.HasPrefix(back, "/assignments?") {
		if u, err := url.Parse(back); err == nil && u.Host == "" {
			v := withoutDone(u.Query())
			v.Set("done", done)
			return c.Redirect(http.StatusSeeOther, "/assignments?"+v.Encode())
		}
	}
	return c.Redirect(http.StatusSeeOther, at("training", m.ID)+"?done="+done)
}

// module is the one that the address names.
func (s *Server) moduleOf(c echo.Context) (*training.Module, error) {
	id := param(c, "module")
	m, ok := s.Learn.Curriculum().Module(id)
	if !ok {
		return nil, missing("module", id)
	}
	return m, nil
}

// onModule reads a form about a module and does something with it.
func (s *Server) onModule(done string, do func(c echo.Context, m *training.Module) error) echo.HandlerFunc {
	return func(c echo.Context) error {
		m, err := s.moduleOf(c)
		if err != nil {
			return err
		}
		if _, err := c.FormParams(); err != nil {
			return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
		}
		return s.act(c, m, done, do(c, m))
	}
}

func filled(c echo.Context, name string) string { return strings.TrimSpace(c.FormValue(name)) }

func (s *Server) assign(c echo.Context, m *training.Module) error {
	w, err := workOf(c)
	if err != nil {
		return err
	}
	w.Modules = []string{m.ID}
	_, err = s.Learn.Assign(c.Request().Context(), who(c), w)
	return err
}

// workOf reads who is to learn something, until when and why.
func workOf(c echo.Context) (Work, error) {
	form, _ := c.FormParams()
	w := Work{Due: filled(c, "due"), Reason: filled(c, "reason")}
	for _, to := range form["for"] {
		kind, id, _ := strings.Cut(to, ":")
		rota, isRota := rotaOf(to)
		switch {
		case kind == "person" && id != "":
			w.People = append(w.People, id)
		case kind == "team" && id != "":
			w.Teams = append(w.Teams, id)
		case isRota:
			w.Rotas = append(w.Rotas, rota)
		default:
			return w, &LearnError{"for", "a person, a team or a rota is wanted"}
		}
	}
	w.Cites = split(form["cites"])
	return w, nil
}

// split takes lists apart that people write with commas or blanks.
func split(texts []string) (out []string) {
	for _, t := range texts {
		out = append(out, strings.FieldsFunc(t, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\r' || r == '\t' })...)
	}
	return out
}

// rotaText is a rota as a form's value; the ids in it may hold any character.
func rotaText(r TeamRota) string {
	return "rota:" + url.QueryEscape(r.Team) + ":" + url.QueryEscape(r.Schedule)
}

func rotaOf(text string) (TeamRota, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 || parts[0] != "rota" {
		return TeamRota{}, false
	}
	team, err := url.QueryUnescape(parts[1])
	schedule, err2 := url.QueryUnescape(parts[2])
	return TeamRota{team, schedule}, err == nil && err2 == nil && team != "" && schedule != ""
}

func (s *Server) start(c echo.Context, m *training.Module) error {
	return s.Learn.Start(c.Request().Context(), who(c), m.ID)
}

func (s *Server) complete(c echo.Context, m *training.Module) error {
	return s.Learn.Complete(c.Request().Context(), who(c), filled(c, "assignment"), m.ID, Proof{Ref: filled(c, "evidence"), Note: filled(c, "note")})
}

func (s *Server) abandon(c echo.Context, m *training.Module) error {
	return s.Learn.Abandon(c.Request().Context(), who(c), filled(c, "assignment"), m.ID)
}

func (s *Server) waive(c echo.Context, m *training.Module) error {
	return s.Learn.Waive(c.Request().Context(), who(c), filled(c, "assignment"), m.ID, filled(c, "person"), filled(c, "reason"))
}

func (s *Server) endRule(c echo.Context, m *training.Module) error {
	return s.Learn.End(c.Request().Context(), who(c), filled(c, "assignment"), m.ID)
}

// answer marks a quiz and shows at once what came of it: which option was chosen is kept
// nowhere, so there is no page to lead to.
func (s *Server) answer(c echo.Context) error {
	m, err := s.moduleOf(c)
	if err != nil {
		return err
	}
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	a := training.Attempt{Assignment: filled(c, "assignment"), Module: m.ID, Digest: filled(c, "digest")}
	a.Number, _ = strconv.Atoi(filled(c, "number")) // 0 is refused with its name
	for i := range m.Quiz {
		place, err := strconv.Atoi(filled(c, "q"+strconv.Itoa(i)))
		if err != nil {
			place = -1
		}
		a.Answers = append(a.Answers, place)
	}
	marked, err := s.Learn.Answer(c.Request().Context(), who(c), a)
	if err != nil {
		return s.act(c, m, "", err)
	}
	return s.modulePage(c, m, http.StatusOK, "", &marked)
}
