package analytics

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/internal/warehouse"
	"github.com/stewardhq/steward/training/recall"
)

// Theory of operation of the question of the week
//
//  1. It is made for the asker from incidents of services that their teams own or owned, read
//     as they read them, and from their own answers. Nobody else can ask for it: there is no
//     parameter that names a person.
//  2. What they were asked before and is due comes first. Else it is an incident that was
//     resolved before the week began, of the last half year, and not resolved by themselves
//     in the seven days before: what one did on Thursday is no question on Monday.
//  3. Which one is chosen follows from the person, the week and the incident's id, so it is
//     the same question all week, and nobody chose it.
//  4. Who acted is not in a question: titles lose every name of the directory.

// QuestionReach is how far back incidents are asked about anew, in days.
const QuestionReach = 180

// WeekQuestion is what somebody is asked in the week that goes on.
type WeekQuestion struct {
	Week     recall.Week
	Question *recall.Question // nil: there is nothing to ask
	Answered *recall.Answer   // this week's; nil: not yet
	Again    bool             // it was asked before
	Cards    []recall.Card    // what they answered so far, the last answered first
}

// Question is the asker's own; *access.Denied for who is no person.
func (v *View) Question(ctx context.Context) (*WeekQuestion, error) {
	if err := v.who.Learns(); err != nil {
		return nil, err
	}
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	d, err := v.s.everybody(ctx)
	if err != nil {
		return nil, err
	}
	now := v.s.now()
	out := &WeekQuestion{Week: recall.WeekOf(now, v.s.zoneOf(d, v.who.Person))}
	history, err := v.answersOf(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range recall.Replayed(history, now) {
		if a.Week == out.Week.Name {
			out.Answered = &a
		}
	}
	if out.Cards, err = recall.Cards(history, now); err != nil {
		return nil, err
	}
	slices.SortFunc(out.Cards, func(a, b recall.Card) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Question, b.Question))
	})
	past := &pastOf{v: v, d: d, week: out.Week}
	if out.Answered != nil {
		out.Question, err = past.find(ctx, out.Answered.Incident, out.Answered.Question)
		return out, err
	}
	before, err := recall.Cards(history, out.Week.From)
	if err != nil {
		return nil, err
	}
	for _, c := range before {
		if c.Due.After(out.Week.From) {
			continue
		}
		if out.Question, err = past.find(ctx, c.Incident, c.Question); err != nil || out.Question != nil {
			out.Again = true
			return out, err
		}
	}
	out.Question, err = past.fresh(ctx, before)
	return out, err
}

// answersOf are the asker's own answers.
func (v *View) answersOf(ctx context.Context) ([]recall.Answer, error) {
	var out []recall.Answer
	err := v.s.look(ctx, access.Working(), "answers", v.s.present(), []string{"membership_epoch"}, `
SELECT at, data
FROM (SELECT at, id, source, data FROM events
    WHERE kind = 'question.answered' AND source = '/steward' AND at <= {as_of:DateTime64(3, 'UTC')}
      AND has(arrayMap(p -> transform(p, {alias:Array(String)}, {person_of:Array(String)}, p), {of:Array(String)}), transform(person, {alias:Array(String)}, {person_of:Array(String)}, person))
    ORDER BY seen, at, data LIMIT 1 BY source, id)
ORDER BY at, id`,
		[]warehouse.Param{{Name: "of", Value: v.s.stored([]string{v.who.Person})}},
		func(r *warehouse.Rows) error {
			var at time.Time
			var data string
			if err := r.Scan(&at, &data); err != nil {
				return err
			}
			var a struct {
				Question, Incident, Week string
				Correct                  bool
			}
			if err := json.Unmarshal([]byte(v.s.revealJSON(data)), &a); err != nil {
				return err
			}
			out = append(out, recall.Answer{Question: a.Question, Incident: a.Incident, Week: a.Week, At: at.UTC(), Correct: a.Correct})
			return nil
		})
	return out, err
}

// zoneOf is where somebody lives, else the organisation's zone.
func (s *Store) zoneOf(d *Directory, person string) *time.Location {
	for _, p := range d.People {
		if p.ID == person && p.Zone != "" {
			if loc, err := time.LoadLocation(p.Zone); err == nil {
				return loc
			}
		}
	}
	return s.zone
}

// pastOf is the incidents that somebody can be asked about in a week.
type pastOf struct {
	v    *View
	d    *Directory
	week recall.Week
	rows []IncidentRow // of the reach; nil until read
	read bool
}

func (p *pastOf) incidents(ctx context.Context) ([]IncidentRow, error) {
	if p.read || len(p.v.who.Teams()) == 0 {
		return p.rows, nil
	}
	var err error
	p.rows, err = p.v.Incidents(ctx, IncidentFilter{From: p.week.From.AddDate(0, 0, -QuestionReach), To: p.week.From, Team: p.v.who.Teams(), Limit: 10000})
	p.read = err == nil
	return p.rows, err
}

// fresh is a question that was not asked yet, nil if there is none.
func (p *pastOf) fresh(ctx context.Context, asked []recall.Card) (*recall.Question, error) {
	rows, err := p.incidents(ctx)
	if err != nil {
		return nil, err
	}
	times := map[string]int{}
	known := map[string]bool{}
	for _, c := range asked {
		times[c.Incident]++
		known[c.Question] = true
	}
	me := p.v.who
	could := slices.DeleteFunc(slices.Clone(rows), func(r IncidentRow) bool {
		return r.Merged || r.Auto || r.Drill || r.Withheld || r.Resolved.IsZero() || !r.Resolved.Before(p.week.From) ||
			me.Is(r.Resolver) && !r.Resolved.Before(p.week.From.AddDate(0, 0, -7))
	})
	rank := func(thing string) string { return recall.Rank(me.Person, p.week, thing) }
	slices.SortFunc(could, func(a, b IncidentRow) int {
		return cmp.Or(cmp.Compare(times[a.ID], times[b.ID]), cmp.Compare(rank(a.ID), rank(b.ID)))
	})
	for _, r := range could[:min(len(could), questionTries)] {
		made, err := p.questions(ctx, r.ID)
		if err != nil {
			return nil, err
		}
		made = slices.DeleteFunc(made, func(q recall.Question) bool { return known[q.ID] })
		if len(made) == 0 {
			continue
		}
		slices.SortFunc(made, func(a, b recall.Question) int { return cmp.Compare(rank(a.ID), rank(b.ID)) })
		return &made[0], nil
	}
	return nil, nil
}

// questionTries bounds how many incidents are read to find one that a question can be made of.
const questionTries = 8

// find is one question again; nil if it cannot be made any more, or is not the asker's now.
func (p *pastOf) find(ctx context.Context, incident, id string) (*recall.Question, error) {
	made, err := p.questions(ctx, incident)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(made, func(q recall.Question) bool { return q.ID == id }); i >= 0 {
		return &made[i], nil
	}
	return nil, nil
}
