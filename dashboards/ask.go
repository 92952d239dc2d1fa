package dashboards

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/sync/errgroup"

	"github.com/stewardhq/steward/access"
	"github.com/stewardhq/steward/analytics"
)

// A page's questions run side by side, but not so many that one page takes every
// connection of the warehouse.
const askAtOnce = 4

// asker collects the questions of one page. Handlers say what they want to know, then wait
// once. Questions that differ in bucket and by only are asked as one, since the statement's
// analysis is most of what each costs. A question that fails leaves its error with its
// card, and with those it was asked together with; the others go on.
type asker struct {
	ctx    context.Context
	read   Reading
	who    access.Who
	s      *Server
	f      *filter
	g      errgroup.Group
	asked  []*result
	wrong  []*analytics.ParamError // of what do ran; read after it ended
	others []*error
}

// result is the answer to one question, or its error.
type result struct {
	Metric analytics.Metric
	Params url.Values
	Answer *analytics.Answer
	Err    error
	index  map[string]int
}

func (s *Server) asker(c echo.Context, f *filter) *asker {
	a := &asker{ctx: c.Request().Context(), read: s.reading(c), who: who(c), s: s, f: f}
	a.g.SetLimit(askAtOnce)
	return a
}

// metric asks one metric with the page's filters and the given name, value pairs on top.
// A value "" removes a filter. Parameters that the metric does not take are left out.
func (a *asker) metric(name string, pairs ...string) *result {
	m := a.s.metrics[name]
	r := &result{Metric: m, Params: a.f.params(m, pairs...)}
	a.asked = append(a.asked, r)
	return r
}

// wornResult is the answer to how many people are being worn down.
type wornResult struct {
	analytics.WornDown
	result
}

// worn asks it beside the page's questions.
func (a *asker) worn() *wornResult {
	m := a.s.metrics["interruptions"]
	out := &wornResult{result: result{Metric: m, Params: a.f.params(m)}}
	a.do(func(ctx context.Context) error {
		out.WornDown, out.Err = a.read.WornDown(ctx, out.Params, badMonth)
		var bad *analytics.ParamError
		if errors.As(out.Err, &bad) {
			a.wrong = append(a.wrong, bad)
		}
		return nil
	})
	return out
}

// ask sends the questions off, grouped by what they have in common.
func (a *asker) ask() {
	groups := map[string][]*result{}
	var order []string
	for _, r := range a.asked {
		common := maps.Clone(r.Params)
		common.Del("bucket")
		common.Del("by")
		key := r.Metric.Name + "?" + common.Encode()
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], r)
	}
	for _, key := range order {
		group := groups[key]
		a.g.Go(func() error {
			splits := make([]analytics.Split, len(group))
			for i, r := range group {
				splits[i] = analytics.Split{Bucket: r.Params.Get("bucket"), By: r.Params.Get("by")}
			}
			answers, err := a.read.QueryEach(a.ctx, group[0].Metric.Name, group[0].Params, splits...)
			for i, r := range group {
				if r.Err = err; err == nil {
					r.take(answers[i])
				}
			}
			return nil
		})
	}
}

func (r *result) take(answer *analytics.Answer) {
	r.Answer, r.index = answer, map[string]int{}
	for i, c := range answer.Columns {
		r.index[c.Name] = i
	}
}

// do runs something else beside the questions; its error is the page's.
func (a *asker) do(f func(context.Context) error) {
	err := new(error)
	a.others = append(a.others, err)
	a.g.Go(func() error {
		*err = f(a.ctx)
		return nil
	})
}

// wait returns the errors of what do ran. Errors of questions stay with them; those about
// a parameter go to the filter too, which says them once for the whole page.
func (a *asker) wait() error {
	a.ask()
	_ = a.g.Wait()
	for _, r := range a.asked {
		var bad *analytics.ParamError
		if errors.As(r.Err, &bad) {
			a.f.complain(bad)
		}
	}
	for _, bad := range a.wrong {
		a.f.complain(bad)
	}
	var errs []error
	for _, e := range a.others {
		errs = append(errs, *e)
	}
	return errors.Join(errs...)
}

// row is one row of an answer, read by column name.
type row struct {
	r      *result
	values []any
}

func (r *result) rows() []row {
	if r == nil || r.Answer == nil {
		return nil
	}
	out := make([]row, len(r.Answer.Rows))
	for i, v := range r.Answer.Rows {
		out[i] = row{r, v}
	}
	return out
}

func (w row) cell(col string) any {
	if w.r == nil {
		return nil
	}
	i, ok := w.r.index[col]
	if !ok || i >= len(w.values) {
		return nil
	}
	return w.values[i]
}

func (w row) bucket() string { s, _ := w.cell("bucket").(string); return s }
func (w row) key() string    { s, _ := w.cell("key").(string); return s }

// has says whether the cell holds a value; a quantile of nothing is none.
func (w row) has(col string) bool { return w.cell(col) != nil }

// n is the cell as a number, 0 where there is none.
func (w row) n(col string) float64 {
	switch v := w.cell(col).(type) {
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case float64:
		return v
	}
	return 0
}

// one is the only row of an answer without bucket and by; empty if nothing counted.
func (r *result) one() row {
	if rows := r.rows(); len(rows) > 0 {
		return rows[0]
	}
	return row{}
}

// byKey indexes rows by key.
func (r *result) byKey() map[string]row {
	out := map[string]row{}
	for _, w := range r.rows() {
		out[w.key()] = w
	}
	return out
}

// folded adds rows up that share what by says. It serves columns that count, of which each
// thing is in exactly one row (METRICS: they add up); one question then answers for teams,
// weeks and the whole. Quantiles, means and `people` do not add up.
func (r *result) folded(by func(row) string) map[string]row {
	out := map[string]row{}
	for _, w := range r.rows() {
		k := by(w)
		sum, ok := out[k]
		if !ok {
			sum = row{r, make([]any, len(w.values))}
			out[k] = sum
		}
		for i, v := range w.values {
			if ok && sum.values[i] == nil { // a part is withheld, so the sum is
				continue
			}
			switch v := v.(type) {
			case nil:
				sum.values[i] = nil
			case int64:
				old, _ := sum.values[i].(int64)
				sum.values[i] = old + v
			case float64:
				old, _ := sum.values[i].(float64)
				sum.values[i] = old + v
			case string:
				sum.values[i] = v
			}
		}
	}
	return out
}

func (r *result) perKey() map[string]row    { return r.folded(row.key) }
func (r *result) perBucket() map[string]row { return r.folded(row.bucket) }
func (r *result) total() row                { return r.folded(func(row) string { return "" })[""] }

// since adds up per key the weeks from the one that holds the given date on.
func (r *result) since(date string) map[string]row {
	if d, err := time.Parse(time.DateOnly, date); err == nil {
		date = d.AddDate(0, 0, -(int(d.Weekday())+6)%7).Format(time.DateOnly)
	}
	recent := *r
	if r.Answer != nil {
		a := *r.Answer
		a.Rows = nil
		for _, w := range r.rows() {
			if w.bucket() >= date {
				a.Rows = append(a.Rows, w.values)
			}
		}
		recent.Answer = &a
	}
	return recent.perKey()
}

// sum adds a column up, where it adds up.
func (r *result) sum(col string) float64 { return r.total().n(col) }

// notes says what an answer rests on that a reader should know.
func (r *result) notes() []string {
	if r == nil || r.Answer == nil {
		return nil
	}
	var out []string
	words := map[string]string{
		"owner": "an owner assumed from the catalog's first entry", "team": "a team assumed from a first membership",
		"zone": "a time zone assumed from a first description", "opened": "an opening time assumed from the first event",
	}
	for _, k := range []string{"owner", "team", "zone", "opened"} {
		if n := r.Answer.Assumed[k]; n > 0 {
			out = append(out, fmt.Sprintf("%s rest on %s", count(float64(n)), words[k]))
		}
	}
	if n := r.Answer.OrgZone; n > 0 {
		out = append(out, fmt.Sprintf("%s counted in the organisation's zone, since the person has none", plural(float64(n), "page", "pages")))
	}
	for _, w := range r.Answer.Withheld {
		out = append(out, strings.TrimSpace("left out: "+w.Key+" "+w.Reason))
	}
	return out
}

// refused stands for an answer that a wrong filter prevented; the page names the filter
// once, above (wait), and leaves such cards out (render).
const refused = "the filter named above has to be put right first"

// withheld begins the words of a question that was refused to this asker, which is no
// failure: the card says it in place of its figures.
const withheld = "\x00"

// failed words the errors of the questions a card stands on.
func (s *Server) failed(results ...*result) string {
	for _, r := range results {
		if r != nil && r.Err != nil {
			if bad := (*analytics.ParamError)(nil); errors.As(r.Err, &bad) {
				return refused
			}
			e := s.explain(r.Err)
			if _, denied := refusedTo(r.Err); denied {
				return withheld + e.Message
			}
			if e.status >= 500 && !errors.Is(r.Err, context.Canceled) {
				s.Log.Error("a metric failed", "metric", r.Metric.Name, "err", clip(r.Err.Error(), 2000))
			}
			return r.Metric.Name + ": " + e.Message
		}
	}
	return ""
}

// one is a filter's value as a list; none for no filter.
func one(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// incidents lists the newest incidents of the page's window into rows.
func (a *asker) incidents(rows *[]analytics.IncidentRow, limit int, team, service, paged string) {
	a.do(func(ctx context.Context) (err error) {
		*rows, err = a.read.Incidents(ctx, analytics.IncidentFilter{From: a.f.from, To: a.f.to, Team: one(team), Service: one(service), Paged: one(paged), Limit: limit})
		return err
	})
}
