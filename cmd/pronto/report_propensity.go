package main

import (
	"fmt"
	"image/color"

	"github.com/spf13/cobra"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"pronto/dialer/report"
)

func newReportPropensityCommand(g *globals) *cobra.Command {
	o := reportOptions{}
	file := ""
	cmd := &cobra.Command{
		Use:   "propensity",
		Short: "How well it can be told beforehand who will answer",
		Long: `How well it can be told beforehand who will answer. A logistic model learns, call by call, from the hour and weekday in
the jurisdiction's zone, the kind and area of the number, the attempts so far and the last outcome. Before each call it says
how likely an answer by a person is; the table holds that against what came. A propensity is the lead's chance over the
mean of the campaign; 1 is average. The running campaign learns the same way and paces by it. Calls that the trunk
failed to place teach nothing. While a campaign has fewer than 150 calls or 25 answers nothing is said.

Everything is computed from the journal alone; anyone who has it comes to the same figures. Of numbers that were
erased kind and area are unknown.`,
		Args: needs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runReportPropensity(cmd, g, o, file) },
	}
	o.addFlags(cmd)
	cmd.Flags().StringVar(&file, "plot", "", "write the table as a plot, .png or .svg")
	return cmd
}

func runReportPropensity(cmd *cobra.Command, g *globals, o reportOptions, file string) error {
	if err := checkPlot("plot", file); err != nil {
		return err
	}
	from, options, err := o.sources(cmd, g)
	if err != nil {
		return err
	}
	r, err := report.ReadPropensities(from, options)
	if err != nil {
		return err
	}
	if file != "" {
		if err := savePlot(file, calibrationPlot(r)); err != nil {
			return err
		}
	}
	return writeSheet(cmd, g, o, r)
}

// calibrationPlot shows what was expected against what came: on the dashed line
// they are the same.
func calibrationPlot(r report.PropensityReport) *drawing {
	p := newPlot("Who answers: expected and seen", "expected to answer, %", "answered, %")
	most := 10.0
	for i, c := range r.Campaigns {
		if len(c.Bins) == 0 {
			continue
		}
		var m marked
		for _, b := range c.Bins {
			m.XYs = append(m.XYs, plotter.XY{X: 100 * b.Expected, Y: 100 * b.Answered})
			m.YErrors = append(m.YErrors, struct{ Low, High float64 }{100 * (b.Answered - b.Low), 100 * (b.High - b.Answered)})
			most = max(most, 100*b.Expected, 100*b.High)
		}
		points := &plotter.Scatter{XYs: m.XYs, GlyphStyle: draw.GlyphStyle{Color: teamColor(i), Radius: vg.Points(4), Shape: draw.CircleGlyph{}}}
		p.Add(points)
		if bars, err := plotter.NewYErrorBars(m); err == nil {
			bars.Color = teamColor(i)
			p.Add(bars)
		}
		p.legend.Add(fmt.Sprintf("%s, %s", c.Campaign, plural(c.Told, "call")), points)
	}
	same := curve(plotter.XYs{{}, {X: most, Y: most}}, color.Gray{0x60}, true)
	p.Add(same)
	p.legend.Add("as expected", same)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, most, 0, most
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{every: 10}, ticks{every: 10}
	return p
}
