package analytics

import (
	"context"
	"net/url"

	"github.com/stewardhq/steward/access"
)

// WornDown says how many people had a month with too many interruptions outside working
// hours, and names nobody.
type WornDown struct {
	People int // who were interrupted in the window
	Over   int // of these, with a month of more than the limit asleep or off
	// Months is how many whole months it is about where the asker may see no others, else 0.
	Months   int
	Withheld string // why there is nothing to say, if so
}

// WornDown counts people whose interruptions in sleep and off hours were above a limit in
// any month of the window. A count of people is everybody's where there are enough of them.
// Params are those of the metric interruptions, without bucket and by.
func (v *View) WornDown(ctx context.Context, params url.Values, above float64) (out WornDown, err error) {
	pass, err := v.who.Decide(access.Ask{Load: true})
	if err != nil {
		return out, err
	}
	questions, err := v.s.questions("interruptions", params, []Split{{"month", "none"}})
	if err != nil {
		return out, err
	}
	mark, err := v.s.mark(ctx)
	if err != nil {
		return out, err
	}
	q := questions[0]
	if pass.Form() == access.Published {
		if err := publishable(q, v.s.zone); err != nil {
			return out, err
		}
		months := wholeMonths(q.from, q.to, q.asOf, v.s.zone)
		if len(months) == 0 {
			out.Withheld = "the window holds no whole month that has ended"
			return out, nil
		}
		out.Months = len(months)
		q.from, q.to = months[0], monthAfter(months[len(months)-1], v.s.zone)
	}
	q.by, q.splits = "person", []Split{{"month", "person"}}
	answers, err := v.s.answer(ctx, pass, []question{q}, mark)
	if err != nil {
		return out, err
	}
	at := map[string]int{}
	for i, c := range q.metric.Columns {
		at[c.Name] = i
	}
	people, over := group{}, group{}
	for _, r := range answers[0].Rows {
		person, _ := r[1].(string)
		sleep, _ := r[at["sleep"]].(int64)
		off, _ := r[at["off"]].(int64)
		people[person] = true
		if float64(sleep+off) > above {
			over[person] = true
		}
	}
	if pass.Form() == access.Published && people.small() {
		out.Withheld = "fewer than three people were interrupted"
		return out, nil
	}
	out.People, out.Over = len(people), len(over)
	return out, nil
}
