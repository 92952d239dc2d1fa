package dashboards

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Showing is what people say about skills: what an incident took, what a colleague showed in
// it, and what does not show what it seems to. Each act is decided, kept as events, and
// returns when the next page shows it or a second has passed. Errors: *LearnError is the
// caller's mistake, *access.Denied says who may, analytics.ErrNotFound.
type Showing interface {
	// Likely are the skills that the tagging rules find in an incident, by what is known now.
	Likely(inc *analytics.Incident, tier int) []string
	Tag(ctx context.Context, who access.Who, incident, skill string) error
	// Untag says that it did not take the skill, whoever said so.
	Untag(ctx context.Context, who access.Who, incident, skill, reason string) error
	Attest(ctx context.Context, who access.Who, incident, person, skill, note string) error
	// Void takes a piece of evidence out: one's own, or as a people admin somebody's.
	Void(ctx context.Context, who access.Who, evidence, reason string) error
}

// showRoutes are the forms; the pages that hold them have routes of their own.
func (s *Server) showRoutes(r router) {
	r.post("/incidents/:incident/skills", signedIn, s.sayTook, r.csrf)
	r.post("/me/skills", signedIn, s.contest, r.csrf)
	r.post("/people/:person/skills", signedIn, s.contest, r.csrf)
}

// saidDone are the words after an act, by what the address says.
var saidDone = map[string]string{
	"tagged": "Thank you. What the incident took is noted.", "untagged": "Taken back. What was derived from it goes too, in a few seconds.",
	"attested": "Attested. They see it on their own page, with your name.", "voided": "Taken out. It counts nowhere from now on, and is not derived again.",
}

// sayTook reads the forms of an incident's page.
func (s *Server) sayTook(c echo.Context) error {
	id := param(c, "incident")
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	ctx, w := c.Request().Context(), who(c)
	var done string
	var err error
	switch {
	case filled(c, "tag") != "":
		done, err = "tagged", s.Showing.Tag(ctx, w, id, filled(c, "tag"))
	case filled(c, "untag") != "":
		done, err = "untagged", s.Showing.Untag(ctx, w, id, filled(c, "untag"), filled(c, "reason"))
	default:
		done, err = "attested", s.Showing.Attest(ctx, w, id, filled(c, "person"), filled(c, "skill"), filled(c, "note"))
	}
	return s.shown(c, at("incidents", id), "took", done, err)
}

// contest reads the form beside a piece of evidence.
func (s *Server) contest(c echo.Context) error {
	if _, err := c.FormParams(); err != nil {
		return &apiError{status: http.StatusBadRequest, Message: "the form could not be read"}
	}
	back := "/me"
	if p := param(c, "person"); p != "" {
		back = at("people", p)
	}
	return s.shown(c, back, "can", "voided", s.Showing.Void(c.Request().Context(), who(c), filled(c, "evidence"), filled(c, "reason")))
}

// shown leads back to the page, which says what came of it; a mistake in the form is said by
// its field.
func (s *Server) shown(c echo.Context, page, place, done string, err error) error {
	var bad *LearnError
	switch {
	case errors.As(err, &bad):
		return &apiError{status: http.StatusBadRequest, Message: bad.Field + ": " + bad.Reason}
	case err != nil:
		return err
	}
	return c.Redirect(http.StatusSeeOther, page+"?"+url.Values{"done": {done}}.Encode()+"#"+place)
}

// tookView is the part of an incident's page that asks what it took.
type tookView struct {
	Action, Csrf  string
	Say           []bit
	Tags          []tagLine
	Offers, Other []choice
	Says          bool
	People        []choice // whom the asker may attest
	Skills        []choice // of an attestation, those that the incident took first
}

type tagLine struct {
	ID, Name, Basis, When, ISO string
	Gone                       string // who took it back, and why; empty: it stands
}

// took draws it; nil for who has nothing to do with the incident.
func (s *Server) took(c echo.Context, f *filter, n *names, inc *analytics.Incident, t *analytics.Took) *tookView {
	if s.Showing == nil || s.Learn == nil || !t.Reads || inc.Drill {
		return nil
	}
	csrf, _ := c.Get("csrf").(string)
	v := &tookView{Action: at("incidents", inc.ID) + "/skills", Csrf: csrf, Says: t.Says}
	skills := s.Learn.Curriculum().Skills
	name := map[string]string{}
	for _, k := range skills {
		name[k.ID] = k.Name
	}
	stands := map[string]bool{}
	for _, r := range t.Tags {
		l := tagLine{ID: r.Skill, Name: or(name[r.Skill], r.Skill), When: f.stamp(r.At), ISO: r.At.UTC().Format("2006-01-02T15:04:05Z")}
		switch r.Basis {
		case "rule":
			l.Basis = "by the rule " + or(clip(r.Rule, 120), "of another tool")
		case "responder", "reviewer":
			l.Basis = "by " + or(n.person(r.By), "somebody") + ", " + r.Basis
		default:
			l.Basis = "by " + clip(r.Basis, 60)
		}
		if !r.Stands {
			l.Gone = "taken back by " + n.person(r.UntaggedBy)
			if r.UntaggedBy == analytics.ByRules {
				l.Gone = "taken back by the rules"
			}
			if r.Reason != "" {
				l.Gone += ": " + clip(r.Reason, 300)
			}
		}
		stands[r.Skill] = stands[r.Skill] || r.Stands
		v.Tags = append(v.Tags, l)
	}
	var took []string
	for _, k := range skills {
		if stands[k.ID] {
			took = append(took, k.Name)
			v.Skills = append(v.Skills, choice{k.ID, k.Name, false})
		}
	}
	switch {
	case len(took) > 0:
		v.Say = say("So far: ", strong(list(took)), ".")
	case t.Says:
		v.Say = say("Nobody has said so yet. One tap a skill is enough.")
	default:
		v.Say = say("Nobody has said so yet.")
	}
	if t.Says {
		v.Say = append(v.Say, say(" Tap what it took; you are asked because you acted in it or your team owns the service. It says what incidents demand, and nothing of who was good.")...)
	}
	likely := s.Showing.Likely(inc, int(n.services[inc.Service].Tier))
	for _, k := range skills {
		if stands[k.ID] {
			continue
		}
		v.Skills = append(v.Skills, choice{k.ID, k.Name, false})
		if contains(likely, k.ID) {
			v.Offers = append(v.Offers, choice{k.ID, k.Name, true})
		} else {
			v.Other = append(v.Other, choice{k.ID, k.Name, false})
		}
	}
	if w := who(c); t.Self && t.Says && !inc.Resolved.IsZero() {
		for _, p := range t.Acted {
			if !w.Is(p) {
				v.People = append(v.People, choice{p, n.person(p), false})
			}
		}
	}
	return v
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if strings.EqualFold(s, one) {
			return true
		}
	}
	return false
}
