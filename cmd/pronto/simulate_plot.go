package main

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a plot.
const (
	plotWidth   = 24 * vg.Centimeter
	plotHeight  = 13 * vg.Centimeter // of one of the plots that stand below one another
	legendWidth = 6 * vg.Centimeter  // at the right of a plot
	plotDots    = 144                // per inch of a PNG
)

// drawing is a plot with its legend, which stands beside it.
type drawing struct {
	*plot.Plot
	legend plot.Legend
	height vg.Length // when it needs more than plotHeight
}

// checkPlot finds a plot's file name that tells no format.
func checkPlot(flag, file string) error {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".png", ".svg":
		return nil
	case "":
		if file == "" {
			return nil
		}
	}
	return usageError(fmt.Errorf("--%s %s: give a name that ends in .png or .svg", flag, file))
}

// savePlot writes plots below one another into a file.
func savePlot(file string, drawings ...*drawing) error {
	width, height := plotWidth, vg.Length(0)
	for _, d := range drawings {
		height += max(plotHeight, d.height)
	}
	var canvas vg.CanvasWriterTo
	if strings.EqualFold(filepath.Ext(file), ".svg") {
		canvas = vgsvg.New(width, height)
	} else {
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(plotDots))}
	}
	drawAll(draw.New(canvas), drawings)
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	if _, err := canvas.WriteTo(f); err != nil {
		return errors.Join(fmt.Errorf("plot %s: %w", file, err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// drawAll draws plots below one another, their axes in line.
func drawAll(page draw.Canvas, drawings []*drawing) {
	rows := make([][]*plot.Plot, len(drawings))
	for i, p := range drawings {
		rows[i] = []*plot.Plot{p.Plot}
	}
	gap := vg.Points(10)
	tiles := draw.Tiles{Rows: len(drawings), Cols: 1, PadTop: gap, PadBottom: gap, PadLeft: gap, PadY: 2 * gap}
	left, right := draw.Crop(page, 0, -legendWidth, 0, 0), draw.Crop(page, page.Max.X-page.Min.X-legendWidth+gap, -gap, 0, 0)
	for i, row := range plot.Align(rows, tiles, left) {
		drawings[i].Draw(row[0])
		beside := right
		beside.Min.Y, beside.Max.Y = row[0].Min.Y, row[0].Max.Y-4*gap
		drawings[i].legend.Draw(beside)
	}
}

// teamColor is a team's colour; they stay apart for eyes that see fewer (Okabe and Ito).
func teamColor(i int) color.Color {
	colors := []color.RGBA{
		{0x00, 0x72, 0xB2, 0xFF}, {0xD5, 0x5E, 0x00, 0xFF}, {0x00, 0x9E, 0x73, 0xFF}, {0xCC, 0x79, 0xA7, 0xFF}, {0xE6, 0x9F, 0x00, 0xFF}, {0x56, 0xB4, 0xE9, 0xFF},
	}
	return colors[i%len(colors)]
}

// newPlot makes a plot with a plain face and a grid.
func newPlot(title, x, y string) *drawing {
	p := &drawing{Plot: plot.New(), legend: plot.NewLegend()}
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	sans := font.Font{Typeface: "Liberation", Variant: "Sans"}
	p.Title.TextStyle.Font = font.From(sans, 14)
	for _, f := range []*font.Font{&p.X.Label.TextStyle.Font, &p.Y.Label.TextStyle.Font, &p.legend.TextStyle.Font} {
		*f = font.From(sans, 11)
	}
	for _, f := range []*font.Font{&p.X.Tick.Label.Font, &p.Y.Tick.Label.Font} {
		*f = font.From(sans, 10)
	}
	p.Title.Padding, p.X.Label.Padding, p.Y.Label.Padding = vg.Points(8), vg.Points(4), vg.Points(4)
	p.legend.Padding, p.legend.ThumbnailWidth, p.legend.Top, p.legend.Left = vg.Points(3), vg.Points(24), true, true
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{0xDD}, color.Gray{0xDD}
	p.Add(grid)
	return p
}

// curve is a line through points; dashed for what others do.
func curve(points plotter.XYs, c color.Color, dashed bool) *plotter.Line {
	l := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: c, Width: vg.Points(2)}}
	if dashed {
		l.Width, l.Dashes = vg.Points(1.3), []vg.Length{vg.Points(5), vg.Points(4)}
	}
	return l
}

// marked are points with their intervals.
type marked struct {
	plotter.XYs
	plotter.YErrors
}

// tradeoffPlot shows the abandon cap against utilisation.
func tradeoffPlot(d simulateDoc) *drawing {
	p := newPlot("What the abandon cap costs: "+d.Campaign, "cap on abandoned calls, %", "utilisation of agents, %")
	least, most := 0.0, 0.0
	for i, team := range d.Teams {
		var m marked
		for _, t := range d.Tradeoff {
			if t.Agents == team.Agents {
				m.XYs = append(m.XYs, plotter.XY{X: 100 * t.Cap, Y: 100 * t.Utilisation.Mean})
				m.YErrors = append(m.YErrors, struct{ Low, High float64 }{100 * t.Utilisation.Half, 100 * t.Utilisation.Half})
				most = max(most, 100*t.Cap)
			}
		}
		ours := curve(m.XYs, teamColor(i), false)
		plain := 100 * team.Pacings[1].Utilisation.Mean
		one := curve(plotter.XYs{{X: 0, Y: plain}, {X: most, Y: plain}}, teamColor(i), true)
		p.Add(ours, one)
		if bars, err := plotter.NewYErrorBars(m); err == nil {
			bars.Color = teamColor(i)
			p.Add(bars)
		}
		p.legend.Add(fmt.Sprintf("%d agents, predictive", team.Agents), ours)
		for _, xy := range append(m.XYs, plotter.XY{Y: plain}) {
			if least == 0 || xy.Y < least {
				least = xy.Y
			}
		}
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, most+0.1, math.Floor(least/10)*10, 100
	if d.Cap > 0 {
		p.Add(curve(plotter.XYs{{X: 100 * d.Cap, Y: p.Y.Min}, {X: 100 * d.Cap, Y: 100}}, color.Gray{0x60}, true))
		addText(p, 100*d.Cap+0.05, p.Y.Min+(100-p.Y.Min)*0.02, "the campaign's cap")
	}
	p.legend.Add("one line each", curve(nil, color.Gray{0x60}, true))
	p.X.Tick.Marker, p.Y.Tick.Marker = ticks{every: 1}, ticks{every: 5}
	return p
}

// addText writes a word into the plot.
func addText(p *drawing, x, y float64, text string) {
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{text}})
	if err != nil {
		return // only for coordinates that are no numbers
	}
	labels.TextStyle[0].Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, 10)
	p.Add(labels)
}
