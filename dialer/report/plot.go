package report

import (
	"fmt"
	"html"
	"math"
	"strings"
	"time"
)

// A plot's size in SVG units, and the margins around its data.
const (
	plotWidth  = 860
	plotHeight = 240
	plotLeft   = 60
	plotBottom = 30
	plotTop    = 14
)

// plot is one chart, drawn as SVG.
type plot struct {
	from, to time.Time
	zone     *time.Location
	top      float64 // of the y axis; its foot is 0
	unit     func(float64) string
	parts    strings.Builder
}

// newPlot makes a chart whose y axis reaches the greatest of the values.
func newPlot(from, to time.Time, zone *time.Location, unit func(float64) string, values ...float64) *plot {
	p := &plot{from: from, to: to, zone: zone, unit: unit}
	for _, v := range values {
		p.top = math.Max(p.top, v)
	}
	if p.top == 0 {
		p.top = 1
	}
	p.top *= 1.1
	if !p.from.Before(p.to) {
		p.from, p.to = p.from.Add(-time.Hour), p.from.Add(time.Hour)
	}
	return p
}

func (p *plot) x(at time.Time) float64 {
	return plotLeft + (plotWidth-plotLeft-10)*float64(at.Sub(p.from))/float64(p.to.Sub(p.from))
}

func (p *plot) y(v float64) float64 {
	return plotHeight - plotBottom - (plotHeight-plotBottom-plotTop)*v/p.top
}

// line draws points; each holds until the next when steps is set.
func (p *plot) line(points []Point, colour string, steps bool) {
	var b strings.Builder
	for i, at := range points {
		if i > 0 && steps {
			fmt.Fprintf(&b, " %.1f,%.1f", p.x(at.At), p.y(points[i-1].Value))
		}
		fmt.Fprintf(&b, " %.1f,%.1f", p.x(at.At), p.y(at.Value))
	}
	fmt.Fprintf(&p.parts, `<polyline fill="none" stroke="%s" stroke-width="1.5" points="%s"/>`+"\n", colour, strings.TrimSpace(b.String()))
	for _, at := range points {
		if len(points) <= 40 {
			fmt.Fprintf(&p.parts, `<circle cx="%.1f" cy="%.1f" r="2.5" fill="%s"><title>%s: %s</title></circle>`+"\n",
				p.x(at.At), p.y(at.Value), colour, at.At.In(p.zone).Format("2006-01-02 15:04"), html.EscapeString(p.unit(at.Value)))
		}
	}
}

// bound draws a level that is not to be passed.
func (p *plot) bound(v float64, label string) {
	fmt.Fprintf(&p.parts, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#b00" stroke-dasharray="6 4"/><text x="%d" y="%.1f" fill="#b00" text-anchor="end">%s</text>`+"\n",
		plotLeft, p.y(v), plotWidth-10, p.y(v), plotWidth-12, p.y(v)-4, html.EscapeString(label))
}

// svg is the chart with its axes.
func (p *plot) svg() string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" role="img" xmlns="http://www.w3.org/2000/svg">`+"\n", plotWidth, plotHeight)
	for i := range 5 {
		v := p.top * float64(i) / 4
		fmt.Fprintf(&b, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n",
			plotLeft, p.y(v), plotWidth-10, p.y(v), plotLeft-6, p.y(v)+4, html.EscapeString(p.unit(v)))
	}
	layout := "2006-01-02"
	if p.to.Sub(p.from) < 48*time.Hour {
		layout = "02 Jan 15:04"
	}
	for i := range 5 {
		at := p.from.Add(time.Duration(i) * p.to.Sub(p.from) / 4)
		anchor := []string{"start", "middle", "middle", "middle", "end"}[i]
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="%s">%s</text>`+"\n", p.x(at), plotHeight-10, anchor, at.In(p.zone).Format(layout))
	}
	b.WriteString(p.parts.String())
	b.WriteString("</svg>\n")
	return b.String()
}
