package dashboards

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// Theory of operation of the charts
//
//  1. go-echarts builds the options here; only Validate and JSON are called. Its Render
//     splices labels into script.
//  2. json.Marshal writes "<", ">" and "&" as escapes, so nothing in a name can end the
//     data block it stands in. Markers that go-echarts' own pages would turn into
//     functions ("__f__…__f__") stay text, since nothing here evaluates them.
//  3. Colours are names of the stylesheet's variables ("--sleep", "--sleep 40" for 40 %
//     over the card); the script looks them up, so a chart follows light and dark.
//  4. Formatters are string templates ("{b}"), tooltips are drawn as rich text: the script
//     forces both.

// marshal turns a chart into data; charts.Bar and charts.HeatMap are such.
func marshal(id, label string, c interface {
	Validate()
	JSON() map[string]interface{}
}) *chart {
	c.Validate()
	b, err := json.Marshal(c.JSON())
	if err != nil { // numbers and texts always marshal; an infinity would not
		return nil
	}
	return &chart{ID: id, Label: label, Options: b}
}

func plain(tooltip opts.Tooltip) []charts.GlobalOpts {
	return []charts.GlobalOpts{
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(false)}),
		charts.WithAnimation(false),
		charts.WithTooltipOpts(tooltip),
		charts.WithGridOpts(opts.Grid{Left: "4", Right: "16", Top: "12", Bottom: "8", ContainLabel: opts.Bool(true)}),
	}
}

func axes(name string) []charts.GlobalOpts {
	return []charts.GlobalOpts{
		charts.WithXAxisOpts(opts.XAxis{Type: "category",
			AxisLine:  &opts.AxisLine{LineStyle: &opts.LineStyle{Color: "--line"}},
			AxisTick:  &opts.AxisTick{Show: opts.Bool(false)},
			AxisLabel: &opts.AxisLabel{Color: "--mute", FontSize: 11, HideOverlap: opts.Bool(true)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value", MinInterval: 1, Name: name,
			SplitLine: &opts.SplitLine{LineStyle: &opts.LineStyle{Color: "--line"}},
			AxisLabel: &opts.AxisLabel{Color: "--mute"}}),
	}
}

// series is one colour of a stacked bar chart.
type series struct {
	name, color string
	values      []float64
}

// stacked draws series on top of each other, the first at the bottom; the columns in cut
// hold less than a whole week and are paler, so that nobody reads a fall into them.
func stacked(id, label string, names []string, cut map[int]bool, parts ...series) *chart {
	bar := charts.NewBar()
	bar.SetGlobalOptions(append(plain(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis", AxisPointer: &opts.AxisPointer{Type: "shadow"}}), axes("")...)...)
	bar.SetXAxis(names)
	for _, p := range parts {
		data := make([]opts.BarData, len(p.values))
		for i, v := range p.values {
			data[i] = opts.BarData{Value: v}
			if cut[i] {
				data[i].ItemStyle = &opts.ItemStyle{Opacity: opts.Float(0.5)}
			}
		}
		bar.AddSeries(p.name, data,
			charts.WithBarChartOpts(opts.BarChart{Stack: "all", BarCategoryGap: "26%"}),
			charts.WithItemStyleOpts(opts.ItemStyle{Color: p.color, BorderColor: "--card", BorderWidth: 1}))
	}
	return marshal(id, label, bar)
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// shades is how many steps of one hour class's colour the heat map has.
const shades = 5

// heat draws interruptions by weekday and local hour. A field has the colour of the hour
// class most of its interruptions fall into, stronger the more there are; the third and
// fourth number of an item are the count and the colour's place in the scale.
func heat(id string, r *result) (*chart, *table) {
	hm := charts.NewHeatMap()
	byKey := r.byKey()
	most := 0.0
	for _, w := range byKey {
		most = math.Max(most, w.n("interruptions"))
	}
	hours := make([]string, 24)
	for h := range hours {
		hours[h] = fmt.Sprintf("%02d", h)
	}
	rows := make([]string, 7)
	for i := range rows {
		rows[i] = weekdays[6-i]
	}
	t := &table{Caption: "Interruptions by weekday and local hour", Head: heads("when", "#asleep", "#off hours", "#business hours", "#all")}
	var data []opts.HeatMapData
	for d := range 7 {
		for h := range 24 {
			w := byKey[fmt.Sprintf("%d-%02d", d+1, h)]
			n := w.n("interruptions")
			scale := 0
			if n > 0 {
				class := 0
				for i, k := range []string{"sleep", "off", "business"} {
					if w.n(k) > w.n([]string{"sleep", "off", "business"}[class]) {
						class = i
					}
				}
				scale = class*10 + int(math.Ceil(shades*n/most))
				t.add(txt(fmt.Sprintf("%s %02d:00", weekdays[d], h)), counted(w.n("sleep")), counted(w.n("off")), counted(w.n("business")), counted(n))
			}
			name := fmt.Sprintf("%s %02d:00–%02d:00: %s", weekdays[d], h, h+1, plural(n, "interruption", "interruptions"))
			if n > 0 {
				name += fmt.Sprintf("\n%s asleep, %s off hours, %s business", count(w.n("sleep")), count(w.n("off")), count(w.n("business")))
			}
			data = append(data, opts.HeatMapData{Name: name, Value: []any{h, 6 - d, n, scale}})
		}
	}
	pieces := []opts.Piece{{Lte: 0.5, Color: "--soft"}}
	for class, color := range []string{"--sleep", "--off", "--business"} {
		for step := 1; step <= shades; step++ {
			at := float32(class*10 + step)
			pieces = append(pieces, opts.Piece{Gt: at - 0.5, Lte: at + 0.5, Color: fmt.Sprintf("%s %d", color, 100*step/shades)})
		}
	}
	hm.SetGlobalOptions(append(plain(opts.Tooltip{Show: opts.Bool(true), Formatter: "{b}"}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category", Data: hours, AxisLabel: &opts.AxisLabel{Color: "--mute"},
			AxisLine: &opts.AxisLine{Show: opts.Bool(false)}, AxisTick: &opts.AxisTick{Show: opts.Bool(false)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "category", Data: rows, AxisLabel: &opts.AxisLabel{Color: "--mute"}}),
		charts.WithVisualMapOpts(opts.VisualMap{Type: "piecewise", Show: opts.Bool(false), Dimension: "3", Pieces: pieces}),
	)...)
	hm.SetXAxis(hours)
	hm.AddSeries("interruptions", data, charts.WithItemStyleOpts(opts.ItemStyle{BorderColor: "--card", BorderWidth: 2}))
	return marshal(id, "Interruptions by weekday and local hour; the table has the same numbers", hm), t
}
