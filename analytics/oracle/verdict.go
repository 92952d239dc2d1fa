package oracle

import (
	"slices"

	"github.com/stewardhq/steward/ingest/event"
)

// reviews are all page.reviewed, in order.
func (q *question) reviews() []fact {
	var out []fact
	for _, f := range q.facts {
		if f.Kind == event.PageReviewed {
			out = append(out, f)
		}
	}
	return out
}

// verdictOf is the last verdict on a page, empty without one: a review that names a page is
// of that page alone, any other of every page of its incident.
func verdictOf(reviews []fact, page fact) string {
	for _, r := range slices.Backward(reviews) {
		if r.f.Page != "" && r.f.Page == page.f.Page || r.f.Page == "" && r.f.Incident == page.f.Incident {
			return r.raw.Verdict
		}
	}
	return ""
}

// verdicts counts pages, those with a verdict, and those with one that says that somebody
// did something.
func (q *question) verdicts() Result {
	type counts struct {
		pages, reviewed, actionable int64
		people                      map[string]bool
	}
	rows, assumed, all, reviews := map[rowKey]*counts{}, map[string]uint64{}, q.allIncidents(), q.reviews()
	for _, f := range q.facts {
		if f.Kind != event.PageSent || all[f.f.Incident].drill {
			continue
		}
		s := q.pageSubject(f, all)
		if !q.selects(s) {
			continue
		}
		c := at(rows, q.row(s))
		c.pages++
		if c.people == nil {
			c.people = map[string]bool{}
		}
		if s.person != "" {
			c.people[s.person] = true
		}
		switch verdictOf(reviews, f) {
		case "":
		case "service", "service-inappropriate-hour", "view":
			c.reviewed++
			c.actionable++
		default:
			c.reviewed++
		}
		q.count(assumed, s.doubts, doubts{})
	}
	res := table([]string{"pages", "reviewed", "actionable", "share", "reviewed_share", "people"}, rows, func(c *counts) []any {
		var share any
		if c.reviewed > 0 {
			share = round6(float64(c.actionable) / float64(c.reviewed))
		}
		return []any{c.pages, c.reviewed, c.actionable, share, round6(float64(c.reviewed) / float64(c.pages)), int64(len(c.people))}
	})
	res.Assumed = assumed
	return res
}
