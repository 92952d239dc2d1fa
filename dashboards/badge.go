package dashboards

import (
	"slices"
	"strings"
	"time"

	"github.com/stewardhq/steward/analytics"
	"github.com/stewardhq/steward/training"
)

// Badges are worked out at each look, from what was completed and from the evidence of skills.
//
//   - For oneself a badge lasts as training.NewBadge says, by the currency of one's skills too.
//   - A lead reads completions and no skills, so for them there is the date on which the
//     refresh period ends: the same badge without what evidence adds to it.

// badgeOf is the badge of a person's rows for a module; latest is the last qualifying evidence
// of their skills, nil for whom it is not shown to.
func badgeOf(m *training.Module, rows []analytics.AssignmentRow, latest map[string]time.Time) (training.Badge, bool) {
	var completed, passed []time.Time
	for _, r := range rows {
		if r.Module == m.ID {
			completed, passed = append(completed, r.Completed), append(passed, r.Passed)
		}
	}
	return training.NewBadge(m, completed, passed, latest)
}

// ownSkills asks for the last evidence of each of one's skills; read it after wait.
func (a *asker) ownSkills() func() map[string]time.Time {
	if _, known := a.s.metrics["skill_levels"]; a.who.Person == "" || !known {
		return func() map[string]time.Time { return nil }
	}
	r := a.metric("skill_levels", "person", a.who.Person, "by", "skill", "team", "")
	return func() map[string]time.Time {
		out := map[string]time.Time{}
		for _, w := range r.rows() {
			at, _ := w.cell("last_evidence").(string)
			if t, err := time.Parse(time.RFC3339, at); err == nil {
				out[w.key()] = t
			}
		}
		return out
	}
}

// badgeWords say how long a badge lasts.
func (s *Server) badgeWords(f *filter, b training.Badge) string {
	day := b.Until.In(f.zone).Format("2 Jan 2006")
	if b.Expired(s.Now()) {
		return "expired " + day
	}
	return "expires " + day
}

// badgesCard answers, for oneself: what have I shown, and until when does it hold?
func (s *Server) badgesCard(f *filter, rows []analytics.AssignmentRow, latest map[string]time.Time) card {
	c := card{ID: "badges", Title: "What have I shown, and until when?", Wide: "w8"}
	t := &table{List: true, Caption: "Own badges, those that expire first above", Head: heads("module", "shown", "badge", "kept by")}
	type line struct {
		m *training.Module
		b training.Badge
	}
	var lines []line
	for _, m := range s.Learn.Curriculum().Modules() {
		if b, ok := badgeOf(m, rows, latest); ok {
			lines = append(lines, line{m, b})
		}
	}
	if len(lines) == 0 {
		c.Empty = say("No badge yet. A module that is ", linked("completed by its evidence", "/training"), " gives one; it lasts until the module’s refresh period ends, and longer where its skills are used.")
		return c
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		if n := a.b.Until.Compare(b.b.Until); n != 0 {
			return n
		}
		return strings.Compare(a.m.ID, b.m.ID)
	})
	expired, soon := 0, 0
	for _, l := range lines {
		kept := "refresh by the quiz or by new evidence"
		if l.b.Until.After(l.b.Refresh) {
			kept = "its skills, used at work"
		}
		switch {
		case l.b.Expired(s.Now()):
			expired++
		case l.b.Until.Before(s.Now().AddDate(0, 0, 30)):
			soon++
		}
		t.add(s.moduleCell(l.m.ID), f.moment(l.b.Renewed), txt(s.badgeWords(f, l.b)), txt(kept))
	}
	c.N = plural(float64(len(lines)), "badge", "badges")
	c.Say = say(strong(count(float64(len(lines)-expired))+" current"), ", ", count(float64(expired)), " expired, ", count(float64(soon)), " to expire within 30 days.")
	c.Body = t
	return c
}
