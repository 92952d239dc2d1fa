package dashboards

import (
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// apartChart draws a difference by week around 0; the first pre weeks are paler, and a week
// without a value has no bar.
func apartChart(id, unit string, names []string, values []*float64, pre int, scale float64) *chart {
	bar := charts.NewBar()
	bar.SetGlobalOptions(append(plain(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis", AxisPointer: &opts.AxisPointer{Type: "shadow"}}),
		charts.WithXAxisOpts(opts.XAxis{Type: "category",
			AxisLine:  &opts.AxisLine{LineStyle: &opts.LineStyle{Color: "--line"}},
			AxisTick:  &opts.AxisTick{Show: opts.Bool(false)},
			AxisLabel: &opts.AxisLabel{Color: "--mute", FontSize: 11, HideOverlap: opts.Bool(true)}}),
		charts.WithYAxisOpts(opts.YAxis{Type: "value",
			SplitLine: &opts.SplitLine{LineStyle: &opts.LineStyle{Color: "--line"}},
			AxisLabel: &opts.AxisLabel{Color: "--mute"}}))...)
	bar.SetXAxis(names)
	data := make([]opts.BarData, len(values))
	for i, v := range values {
		if v != nil {
			data[i].Value = math.Round(*v*scale*10) / 10
		}
		if i < pre {
			data[i].ItemStyle = &opts.ItemStyle{Opacity: opts.Float(0.5)}
		}
	}
	bar.AddSeries("moved apart, "+unit, data, charts.WithItemStyleOpts(opts.ItemStyle{Color: "--business"}))
	return marshal(id, "Trained less not yet trained teams by week, "+unit+"; the table has the same numbers", bar)
}
