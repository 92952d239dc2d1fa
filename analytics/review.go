package analytics

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
)

// Theory of operation of the weekly review
//
//  1. What is reviewed are the pages that people of a team got, drills apart, as the metric
//     pages counts them under the responder's team. Each is listed with the verdict that
//     holds: the latest by (at, id) of those that name the page, or that name no page and its
//     incident. The metric verdicts counts by the same rule.
//  2. Every tap is an event and stays one; of one person's taps about a page the latest is
//     what they say of it. Whether it made sense is told to who tapped.
//  3. The list is a team's (access.Who.PagesOf), names in it are those of the incident's story.

// Review is what somebody said of a page, or of all pages of an incident.
type Review struct {
	By      string // a person's id, or who they are to the asker
	At      time.Time
	Verdict string
	Note    string
	// MadeSense is nil where it was not said, and where it is not the asker's to read.
	MadeSense *bool
}

// PageRow is one page to a person.
type PageRow struct {
	Page, Incident, Title string
	Service, AlertClass   string
	Person, Team          string // who was paged, and the team they then stood for
	Channel, Urgency      string
	At                    time.Time
	OwnerThen, OwnerNow   string
	Verdict               *Review // that holds; nil: none
	Own                   *Review // the asker's latest about it
	May                   bool    // whether the asker may give one
}

// ReviewFilter selects pages sent in [From, To): to people of these teams, of one incident, or
// by their id. One of the three is wanted.
type ReviewFilter struct {
	Team     []string
	Incident string
	Page     string
	From, To time.Time
}

// Reviews lists pages with what was said of them, oldest first. Of an incident there are
// those that the asker reads, which may be none.
func (v *View) Reviews(ctx context.Context, f ReviewFilter) ([]PageRow, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	for _, t := range f.Team {
		if err := v.who.PagesOf(t); err != nil {
			return nil, err
		}
	}
	if len(f.Team) == 0 && f.Incident == "" && f.Page == "" {
		return nil, &ParamError{Param: "team", Reason: "missing: whose pages?"}
	}
	q := v.s.present()
	q.from, q.to, q.onlyIncident = f.From.UTC().Add(-pagedLate), f.To.UTC(), f.Incident
	// Asked by team, page_teamed finds people's teams; a filter by team would restrict incident_listed to owners.
	q.metric.Name, q.lens, q.splits = "pages", "responder_team", []Split{{"none", "team"}}
	where := "NOT p.is_unanswered AND p.member != '' AND p.at >= {paged_from:DateTime64(3, 'UTC')}"
	if len(f.Team) > 0 {
		where += " AND has({paged:Array(String)}, p.team)"
	}
	if f.Incident != "" {
		where += " AND p.incident = {of:String}"
	}
	if f.Page != "" {
		where += " AND p.page = {page:String}"
	}
	var out []PageRow
	var stories []IncidentRow
	err := v.s.look(ctx, access.Working(), "pages to review", q, []string{"page_teamed", "incident_listed"}, `
SELECT p.page, p.incident, p.at, p.member, p.team, p.channel, p.urgency, p.service, p.alert_class, i.last_title, i.owner_then, i.owner_now, i.opened_at
FROM page_teamed AS p LEFT JOIN incident_listed AS i ON p.incident = i.incident
WHERE `+where+` ORDER BY p.at, p.id, p.source`,
		[]warehouse.Param{{Name: "paged", Value: append([]string{}, f.Team...)}, {Name: "of", Value: f.Incident}, {Name: "page", Value: f.Page}, {Name: "paged_from", Value: f.From.UTC()}},
		func(r *warehouse.Rows) error {
			var p PageRow
			var opened time.Time
			err := r.Scan(&p.Page, &p.Incident, &p.At, &p.Person, &p.Team, &p.Channel, &p.Urgency, &p.Service, &p.AlertClass, &p.Title, &p.OwnerThen, &p.OwnerNow, &opened)
			p.Person, p.Title = v.s.reveal(p.Person), v.s.reveal(p.Title)
			if opened.Before(p.At.Add(-pagedLate)) {
				opened = p.At // of a page without an incident
			}
			out = append(out, p)
			stories = append(stories, IncidentRow{Opened: opened, Service: p.Service, OwnerThen: p.OwnerThen, OwnerNow: p.OwnerNow})
			return err
		})
	if err != nil || len(out) == 0 {
		return nil, err
	}
	said, err := v.said(ctx, out)
	if err != nil {
		return nil, err
	}
	st, err := v.story(ctx)
	if err != nil {
		return nil, err
	}
	shown := out[:0]
	for i, p := range out {
		st.of(stories[i])
		teams := append(slices.Clone(st.teams[p.Person]), p.Team)
		if len(f.Team) == 0 && !st.mine() && !v.who.Has(access.PeopleAdmin) && !v.who.Is(p.Person) && !slices.ContainsFunc(teams, v.who.InTeam) {
			continue
		}
		p.May = v.who.Reviews(p.Person, teams, st.owners) == nil
		said.about(&p, v.who)
		for _, r := range []*Review{p.Verdict, p.Own} {
			if r == nil {
				continue
			}
			if by := st.name(r.By); by != r.By { // words are of the teams concerned, as in the story
				r.By, r.Note = by, ""
			}
		}
		p.Person, p.Title = st.name(p.Person), st.scrubs.words(p.Title)
		shown = append(shown, p)
	}
	if err := st.record(ctx); err != nil {
		return nil, err
	}
	return shown, nil
}

// saidOf are reviews by the page, or by the incident, that they are about, in order.
type saidOf struct{ page, incident map[string][]ordered }

type ordered struct {
	Review
	id, source string
}

// said reads the reviews of these pages.
func (v *View) said(ctx context.Context, pages []PageRow) (saidOf, error) {
	var names, incidents []string
	for _, p := range pages {
		names, incidents = append(names, p.Page), append(incidents, p.Incident)
	}
	out := saidOf{map[string][]ordered{}, map[string][]ordered{}}
	// What comes out is cut down by about, for the asker.
	err := v.s.look(ctx, access.Working(), "reviews", v.s.present(), []string{"review_said"}, `
SELECT page, incident, at, id, source, member, verdict, made_sense, note FROM review_said
WHERE page != '' AND has({pages:Array(String)}, page) OR page = '' AND incident != '' AND has({incidents:Array(String)}, incident) ORDER BY at, id, source`,
		[]warehouse.Param{{Name: "pages", Value: slices.Compact(slices.Sorted(slices.Values(names)))}, {Name: "incidents", Value: slices.Compact(slices.Sorted(slices.Values(incidents)))}},
		func(r *warehouse.Rows) error {
			var page, incident string
			var o ordered
			var sense int16
			if err := r.Scan(&page, &incident, &o.At, &o.id, &o.source, &o.By, &o.Verdict, &sense, &o.Note); err != nil {
				return err
			}
			o.By, o.Note = v.s.reveal(o.By), v.s.reveal(o.Note)
			if sense >= 0 {
				yes := sense == 1
				o.MadeSense = &yes
			}
			if page != "" {
				out.page[page] = append(out.page[page], o)
			} else {
				out.incident[incident] = append(out.incident[incident], o)
			}
			return nil
		})
	return out, err
}

// about puts what was said of a page into its row. What one person says of it is their latest
// verdict and note, and the latest of their words on whether it made sense.
func (s saidOf) about(p *PageRow, who access.Who) {
	all := slices.Clone(s.page[p.Page])
	if p.Page == "" {
		all = nil
	}
	if p.Incident != "" {
		all = append(all, s.incident[p.Incident]...)
	}
	slices.SortFunc(all, func(a, b ordered) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.id, b.id), cmp.Compare(a.source, b.source))
	})
	for _, o := range all {
		r := o.Review
		if !who.MadeSense(r.By) {
			r.MadeSense = nil
		}
		p.Verdict = &r
		if who.Is(o.By) {
			own := o.Review
			if own.MadeSense == nil && p.Own != nil {
				own.MadeSense = p.Own.MadeSense
			}
			p.Own = &own
		}
	}
}
