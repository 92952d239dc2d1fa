package analytics

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/stewardhq/steward/access"
)

// Theory of operation of a view
//
//  1. A View is the store as somebody may see it. It is made for one request: Purpose says
//     in the ledger what they were looking at, and each person is told once.
//  2. A question is described to package access, which answers with a pass or a refusal.
//     Exact questions run as asked. Others about people run in the published form, which is
//     coarse enough that no sum or difference of answers is about fewer than three people
//     (published.go).
//  3. Work and ownership are figures of services, and everybody's, without those of teams
//     too small to be a group (small.go).
//  4. What single people can do is shown to themselves, and to people admins. What a team of
//     one or two can do is what each of them can, so sums over it are withheld from the
//     team's own people too (veil.go).
//  5. Looks at named people are recorded after the answer is known and before it is given:
//     who would be shown is who is told. If that fails, so does the question.
//  6. The stories of incidents keep their facts and lose the names of people the asker has
//     nothing to do with (story.go).

// View is what one asker sees. Its methods are goroutine-safe. Those that answer an asker
// with too few rights return *access.Denied.
type View struct {
	s       *Store
	who     access.Who
	purpose string
	told    toldOf
}

// For is the store for somebody. purpose is what the ledger says they looked at, such as
// "load on /teams/payments"; it must name no person.
func (s *Store) For(who access.Who, purpose string) *View {
	return &View{s: s, who: who, purpose: purpose}
}

// Query answers one metric. Errors: *UnknownMetricError, *ParamError, *access.Denied, or
// the warehouse's.
func (v *View) Query(ctx context.Context, name string, params url.Values) (*Answer, error) {
	answers, err := v.QueryEach(ctx, name, params, Split{params.Get("bucket"), params.Get("by")})
	if err != nil {
		return nil, err
	}
	return answers[0], nil
}

// QueryEach answers one metric once for each split, in their order, as that many Querys
// with these values of bucket and by would; it costs little more than one of them. Errors
// as of Query; one split that is refused refuses all.
func (v *View) QueryEach(ctx context.Context, name string, params url.Values, splits ...Split) ([]*Answer, error) {
	if _, err := v.who.Facts(); err != nil { // before anything is said about what there is
		return nil, err
	}
	questions, err := v.s.questions(name, params, splits)
	if err != nil {
		return nil, err
	}
	mark, err := v.s.mark(ctx)
	if err != nil {
		return nil, err
	}
	passes := make([]access.Pass, len(questions))
	for i := range questions {
		if passes[i], err = v.decide(ctx, &questions[i], mark); err != nil {
			return nil, err
		}
	}
	left := make([][]Withheld, len(questions))
	for i := range questions {
		if left[i], err = v.withhold(ctx, &questions[i]); err != nil {
			return nil, err
		}
	}
	answers := make([]*Answer, len(questions))
	var exact []question
	var places []int
	for i, q := range questions {
		switch passes[i].Form() {
		case access.Exact:
			exact, places = append(exact, q), append(places, i)
		case access.Published:
			if answers[i], err = v.s.published(ctx, passes[i], q, mark); err != nil {
				return nil, err
			}
		}
	}
	if len(exact) > 0 {
		got, err := v.s.answer(ctx, passes[places[0]], exact, mark)
		if err != nil {
			return nil, err
		}
		for i, place := range places {
			if answers[place], err = v.finish(ctx, passes[place], exact[i], got[i], left[place], mark); err != nil {
				return nil, err
			}
		}
	}
	return answers, nil
}

// decide puts a question to package access.
func (v *View) decide(ctx context.Context, q *question, m mark) (access.Pass, error) {
	ask := access.Ask{Named: q.by == "person", Skills: q.metric.people == peopleSkills}
	ask.Load = q.metric.people == peopleLoad || q.lens == "responder_team" && q.metric.takesParam("lens")
	if q.by == "hour_class" { // the class of the hour where the person paged lives
		ask.Load = true
	}
	if len(q.persons) > 0 {
		a, err := v.s.aliases(ctx, q.knownAt, m)
		if err != nil {
			return access.Pass{}, fmt.Errorf("aliases: %w", err)
		}
		for _, p := range q.persons {
			if person := v.s.reveal(a.person(p)); !slices.Contains(ask.Persons, person) {
				ask.Persons = append(ask.Persons, person)
			}
		}
		q.who = ask.Persons
	}
	if ask.Named || len(ask.Persons) > 0 {
		d, err := v.s.everybody(ctx)
		if err != nil {
			return access.Pass{}, err
		}
		q.nowIn = map[string][]string{}
		for _, p := range d.People {
			q.nowIn[p.ID] = p.Teams
		}
	}
	// Under the other lenses a team's pages go to whoever was paged, of any team.
	if q.lens == "responder_team" || !q.metric.takesParam("lens") {
		ask.Teams = q.team
	}
	// Of people who have left a lead's team, or are yet to join it, its sums are all there is.
	if len(ask.Persons) > 0 && slices.ContainsFunc(ask.Persons, func(p string) bool {
		return !slices.ContainsFunc(q.nowIn[p], func(t string) bool { return slices.Contains(ask.Teams, t) })
	}) {
		ask.Teams = nil
	}
	return v.who.Decide(ask)
}

// finish makes an exact answer the asker's: what was left out is said, and looks at people
// are recorded. A kept answer is shared and never changed.
func (v *View) finish(ctx context.Context, pass access.Pass, q question, a *Answer, left []Withheld, m mark) (*Answer, error) {
	if len(left) > 0 {
		out := *a
		out.Withheld = append(slices.Clone(a.Withheld), left...)
		a = &out
	}
	a, err := v.behindVeil(ctx, q, a)
	if err != nil {
		return nil, err
	}
	a = v.behindProgress(q, a)
	people := q.who
	switch {
	case q.by == "person":
		var gone int
		if a, gone = v.without(q, a); gone > 0 {
			out := *a
			out.Withheld = append(slices.Clone(a.Withheld), Withheld{Reason: fmt.Sprintf("%d people who are not in the team now", gone)})
			a = &out
		}
		people = nil
		for _, r := range a.Rows {
			key, _ := r[1].(string)
			people = append(people, key)
		}
	case len(people) == 0 && fewPeople(q, a) && pass.Records():
		// A sum over one or two people is a look at them, though it names nobody.
		if people, err = v.behind(ctx, pass, q, m); err != nil {
			return nil, err
		}
	}
	if len(a.Rows) == 0 {
		people = nil
	}
	return a, v.record(ctx, pass, people)
}

// without takes rows of people out whom a lead does not lead now: what they did in the team
// then is in its sums. It says how many they were.
func (v *View) without(q question, a *Answer) (*Answer, int) {
	if v.who.IsOperator() || v.who.Has(access.PeopleAdmin) || len(q.who) > 0 {
		return a, 0
	}
	led := func(p string) bool {
		return v.who.Is(p) || slices.ContainsFunc(q.nowIn[p], v.who.LeadsTeam)
	}
	out := *a
	out.Rows = nil
	gone := map[string]bool{}
	for _, r := range a.Rows {
		if key, _ := r[1].(string); led(key) {
			out.Rows = append(out.Rows, r)
		} else {
			gone[key] = true
		}
	}
	if out.Rows == nil {
		out.Rows = [][]any{}
	}
	return &out, len(gone)
}

// Metrics lists the catalogue by name. It is everybody's.
func (v *View) Metrics() []Metric { return v.s.Metrics() }

// Directory is who and what there is, as far as the asker may know people by name. Sizes of
// teams are everybody's.
func (v *View) Directory(ctx context.Context) (*Directory, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	all, err := v.s.everybody(ctx)
	if err != nil || v.who.IsOperator() {
		return all, err
	}
	d := &Directory{Teams: slices.Clone(all.Teams), Services: slices.Clone(all.Services), Size: all.Size}
	scrub := newScrubber(all, v.who)
	for i := range d.Services {
		d.Services[i].Description = scrub.known(d.Services[i].Description)
	}
	seen := map[string]bool{}
	for _, p := range all.People {
		if v.who.Sees(p.ID, p.Teams) {
			d.People, seen[p.ID] = append(d.People, p), true
		}
	}
	for i, t := range d.Teams {
		unknown := func(p string) bool { return !seen[p] }
		d.Teams[i].Members = slices.DeleteFunc(slices.Clone(t.Members), unknown)
		d.Teams[i].Contact = scrub.known(t.Contact)
		d.Teams[i].Leads = slices.DeleteFunc(slices.Clone(t.Leads), unknown)
	}
	return d, nil
}

// OwnershipHistory is the line of owners of a service, oldest first.
func (v *View) OwnershipHistory(ctx context.Context, service string) ([]OwnershipSpan, error) {
	if _, err := v.who.Facts(); err != nil {
		return nil, err
	}
	return v.s.ownershipHistory(ctx, access.Working(), service)
}

// Quarantine lists what could not become an event, newest first, without its bytes, and
// says how many there are in all. It is for admins.
func (v *View) Quarantine(ctx context.Context, limit, offset int) ([]QuarantineRow, uint64, error) {
	if err := v.who.Administer("the quarantine"); err != nil {
		return nil, 0, err
	}
	return v.s.quarantine(ctx, access.Working(), limit, offset)
}

// QuarantineItem is one quarantined record with its bytes and headers; ErrNotFound. It is
// for admins.
func (v *View) QuarantineItem(ctx context.Context, id string) (*QuarantineRow, error) {
	if err := v.who.Administer("the quarantine"); err != nil {
		return nil, err
	}
	return v.s.quarantineItem(ctx, access.Working(), id)
}
