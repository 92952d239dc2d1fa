package dashboards

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/stewardhq/steward/analytics"
)

// bit is a piece of a sentence; Href is always an address of ours.
type bit struct {
	Text, Href string
	Strong     bool
}

func strong(s string) bit       { return bit{Text: s, Strong: true} }
func linked(s, href string) bit { return bit{Text: s, Href: href} }

// say builds a sentence from texts and bits.
func say(parts ...any) []bit {
	var out []bit
	for _, p := range parts {
		switch p := p.(type) {
		case bit:
			out = append(out, p)
		case []bit:
			out = append(out, p...)
		default:
			out = append(out, bit{Text: fmt.Sprint(p)})
		}
	}
	return out
}

// seg is one piece of a bar in a table cell, in per cent of the bar.
type seg struct {
	Class string
	X, W  float64
}

// cell is one cell of a table.
type cell struct {
	Text, Sub, Href string
	Num             bool
	Bar             []seg
	BarLabel        string
	Time            string // machine-readable time of Text
	Acts            []bit  // what can be done about the row: links
}

func txt(s string) cell              { return cell{Text: s} }
func ref(s, href string) cell        { return cell{Text: s, Href: href} }
func num(s string) cell              { return cell{Text: s, Num: true} }
func counted(n float64) cell         { return num(count(n)) }
func (c cell) with(sub string) cell  { c.Sub = sub; return c }
func dash() cell                     { return num("–") }
func seconds(w row, col string) cell { return maybe(w, col, duration) }

func maybe(w row, col string, write func(float64) string) cell {
	if !w.has(col) {
		return dash()
	}
	return num(write(w.n(col)))
}

// head is a column's heading; Num aligns it with its numbers.
type head struct {
	Text string
	Num  bool
}

func heads(names ...string) []head {
	out := make([]head, len(names))
	for i, n := range names {
		if n != "" && n[0] == '#' {
			out[i] = head{n[1:], true}
		} else {
			out[i] = head{n, false}
		}
	}
	return out
}

// table is a table with a caption for screen readers. The first cell of a row heads it.
type table struct {
	Caption string
	Head    []head
	Rows    [][]cell
	List    bool // rows are things to read one by one; on a phone each is a block
}

func (t *table) add(cells ...cell) { t.Rows = append(t.Rows, cells) }

type keyItem struct{ Class, Text string }

var hourKey = []keyItem{{"sleep", "asleep"}, {"off", "off hours"}, {"business", "business hours"}}

// quadCell is one field of the ownership quadrant.
type quadCell struct{ Class, N, Share, Text string }

// todo is one line of what needs attention, with its action.
type todo struct {
	Class   string // bad, warn, none
	What    []bit
	Why     string
	Action  string
	Href    string
	Urgency float64 // larger first; not shown
}

// card is a question and its answer.
type card struct {
	ID, Title, Wide string
	Lead            []bit // the one figure, for the page's first sentence
	Say             []bit
	Err             string
	Empty           []bit
	Key             []keyItem
	Chart           *chart
	Grid            *grid
	Quad            []quadCell
	Body            *table // shown
	Fold            *table // the chart's numbers, one tap away
	Todo            []todo
	Advice          []adviceLine
	N               string
	Metric          *analytics.Metric
	CSV, Events     string
	EventsText      string // what Events leads to, where it is not just the incidents behind
	Notes           []string
}

// sourced gives a card the footer of a result: definition, CSV, what it rests on, and the
// incidents behind it.
func (c *card) sourced(f *filter, r *result, n string, events string) {
	m := r.Metric
	c.N, c.Metric, c.Events = n, &m, events
	if team := r.Params.Get("team"); team != "" && events != "" && !byOwner(r) {
		if m.Name == "oncall_hours" || r.Params.Get("lens") == "owner_now" {
			c.EventsText = "incidents on the team’s services"
		} else {
			c.Events, c.EventsText = f.link("/incidents", "team", "", "paged", team), "incidents that paged the team"
		}
	}
	v := url.Values{}
	for k, vals := range r.Params {
		v[k] = vals
	}
	v.Set("format", "csv")
	c.CSV = "/api/v1/metrics/" + url.PathEscape(m.Name) + "?" + v.Encode()
	c.Notes = r.notes()
}

// byOwner says whether a question's team is the owner at the time, which is what the list
// of incidents goes by. Otherwise that list is near to the number, and not what it counts.
func byOwner(r *result) bool {
	switch r.Params.Get("lens") {
	case "owner_then":
		return true
	case "":
		return r.Metric.Name != "interruptions" && r.Metric.Name != "pages" && r.Metric.Name != "oncall_hours"
	}
	return false
}

// unbucketed points the CSV at the same question without its buckets, for a card that adds
// them up.
func (c *card) unbucketed() { c.csvWithout("bucket") }

func (c *card) csvWithout(param string) {
	path, query, _ := strings.Cut(c.CSV, "?")
	v, err := url.ParseQuery(query)
	if err != nil {
		return
	}
	v.Del(param)
	c.CSV = path + "?" + v.Encode()
}

// stackBar draws hour classes as one bar, long as the row's share of the longest.
func stackBar(w row, longest float64) cell {
	c := cell{}
	x := 0.0
	for _, class := range []string{"sleep", "off", "business"} {
		if n := w.n(class); n > 0 && longest > 0 {
			c.Bar = append(c.Bar, seg{class, x, 100 * n / longest})
			x += 100 * n / longest
		}
	}
	if c.Bar == nil {
		c.Bar = []seg{}
	}
	if !w.has("sleep") && w.has("interruptions") { // the classes are withheld, the whole is not
		c.Bar = []seg{{"owned", 0, 100 * w.n("interruptions") / math.Max(longest, 1)}}
		c.BarLabel = count(w.n("interruptions")) + " interruptions; their hour classes are withheld"
		return c
	}
	c.BarLabel = fmt.Sprintf("%s asleep, %s off hours, %s business", count(w.n("sleep")), count(w.n("off")), count(w.n("business")))
	return c
}

// hourKeyOf is the key of stacked bars, with what a bar of one colour means if there is one.
func hourKeyOf(rows map[string]row) []keyItem {
	for _, w := range rows {
		if w.has("interruptions") && !w.has("sleep") {
			return append(slices.Clone(hourKey), keyItem{"owned", "hour classes withheld"})
		}
	}
	return hourKey
}

// quad turns a row of ownership_quadrant into the four fields; percentages only from n ≥ 10.
func quad(w row) []quadCell {
	handled := handled(w)
	var out []quadCell
	for _, q := range [][3]string{
		{"owned", "owned", "owned"}, {"escalated_away", "away", "escalated away"},
		{"misrouted", "misrouted", "misrouted"}, {"owned_on_paper", "paper", "owned on paper"},
	} {
		p, _ := share(w.n(q[0]), handled)
		out = append(out, quadCell{q[1], count(w.n(q[0])), p, q[2]})
	}
	return out
}

// handled are the incidents that somebody owned and somebody acted on.
func handled(w row) float64 {
	return w.n("owned") + w.n("escalated_away") + w.n("misrouted") + w.n("owned_on_paper")
}

// ownedShare is the owned part of what was handled, with n; a dash below ten.
func ownedShare(w row) cell {
	h := handled(w)
	if h == 0 {
		return dash()
	}
	p, ok := share(w.n("owned"), h)
	if !ok {
		p = "–"
	}
	return num(p).with("of " + count(h))
}

// chart is what the script draws: go-echarts options as data.
type chart struct {
	ID, Label string
	Tall      bool
	Options   json.RawMessage
}
