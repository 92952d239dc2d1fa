package dashboards

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// Audit keeps an administrative act before it is done: what cannot be recorded is not done.
// Target names the thing, never a secret.
type Audit func(ctx context.Context, who access.Who, action, target string) error

const auditShown = 500

func (s *Server) audit(c echo.Context, action, target string) error {
	if s.Audit == nil {
		return nil
	}
	return s.Audit(c.Request().Context(), who(c), action, target)
}

// auditPage answers: who changed or looked at what, as an admin?
func (s *Server) auditPage(c echo.Context) error {
	f := s.filter(c)
	rows, err := s.reading(c).Audit(c.Request().Context(), auditShown)
	if err != nil {
		return err
	}
	p := &page{Title: "Audit", Nav: "Audit"}
	cd := card{ID: "acts", Title: "Who did what?", Wide: "w12", N: plural(float64(len(rows)), "act", "acts"), CSV: "/api/v1/audit?format=csv"}
	if len(rows) == 0 {
		cd.Empty = say("Nothing yet. Signing in, tokens, secrets, re-drives, imports, rebuilds and forgetting stand here.")
		cd.CSV = ""
		p.Answer = say(strong("No act"), " is recorded yet.")
		p.Cards = []card{cd}
		return s.render(c, p)
	}
	p.Answer = say("The newest act was ", strong(actWords(rows[0].Action)), " by ", actor(rows[0].By), " at ", f.stamp(rows[0].At), ".")
	cd.Say = say("Newest first. Acts are events like all others: nothing is changed or taken away afterwards.")
	if len(rows) == auditShown {
		cd.Say = say("The newest ", count(auditShown), "; the export has 10,000.")
	}
	t := &table{List: true, Caption: "Administrative acts, newest first", Head: heads("when", "who", "act", "of what")}
	for _, r := range rows {
		t.add(f.moment(r.At), txt(actor(r.By)), actCell(r.Action), txt(clip(r.Target, 300)))
	}
	cd.Body = t
	p.Cards = []card{cd}
	return s.render(c, p)
}

// actWords are what an act is, in words; what has none here stays as it was recorded.
func actWords(action string) string {
	words := map[string]string{
		"signed.in": "a sign-in", "signed.out": "a sign-out", "token.created": "a new token", "token.revoke": "the revoking of a token", "token.revoked": "a token revoked",
		"secret.created": "a new secret", "secret.rotate": "the rotation of a secret", "secret.retire": "the retiring of a secret", "secret.retired": "a secret retired",
		"quarantine.viewed": "a look at quarantined bytes", "quarantine.redriven": "a re-drive", "rollout.drawn": "the draw of a roll-out", "void evidence": "the voiding of evidence",
		"import": "an import", "rebuild": "a rebuild", "forget": "the forgetting of a person",
	}
	return or(words[action], clip(action, 100))
}

func actCell(action string) cell {
	if words := actWords(action); words != action {
		return txt(words).with(action)
	}
	return txt(clip(action, 100))
}

// actor is who acted; the operator is whoever runs the server, and no person.
func actor(by string) string {
	switch by {
	case "":
		return ""
	case access.Operator().By():
		return "the operator"
	}
	return clip(by, 200)
}

// apiAudit exports the acts: {"audit":[{at,by,action,target}]}, or CSV with ?format=csv.
func (s *Server) apiAudit(c echo.Context) error {
	v, err := asked(c)
	if err != nil {
		return err
	}
	for name := range v {
		if name != "format" {
			return &analytics.ParamError{Param: name, Reason: "unknown parameter of audit", Allowed: []string{"format"}}
		}
	}
	format := v.Get("format")
	if format != "" && format != "json" && format != "csv" {
		return &analytics.ParamError{Param: "format", Reason: "unknown value", Allowed: []string{"json", "csv"}}
	}
	rows, err := s.reading(c).Audit(c.Request().Context(), 10000)
	if err != nil {
		return err
	}
	if format != "csv" {
		return c.JSON(http.StatusOK, map[string]any{"audit": rows})
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	lines := [][]string{{"at", "by", "action", "target"}}
	for _, r := range rows {
		lines = append(lines, []string{r.At.UTC().Format(time.RFC3339Nano), r.By, r.Action, r.Target})
	}
	if err := w.WriteAll(lines); err != nil {
		return err
	}
	c.Response().Header().Set("Content-Disposition", `attachment; filename="audit.csv"`)
	return c.Blob(http.StatusOK, "text/csv; charset=utf-8; header=present", out.Bytes())
}
