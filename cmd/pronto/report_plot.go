package main

import (
	"fmt"
	"image/color"
	"strconv"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"pronto/dialer/report"
	"pronto/dnc/rules"
)

// abandonPlots show, campaign by campaign, the rate of each window over time against its cap.
func abandonPlots(r report.Report, zone func(string) *time.Location) []*drawing {
	var all []*drawing
	for _, c := range r.Abandon.Campaigns {
		at := zone(c.Campaign)
		p := newPlot("Abandoned calls of "+c.Campaign, "time, "+at.String(), "abandoned in the window so far, %"+commonBase(c.Running))
		most, greatest := 0.0, 0.0
		for i, w := range c.Running {
			points := make(plotter.XYs, len(w.Points))
			for j, x := range w.Points {
				points[j] = plotter.XY{X: float64(x.At.Unix()), Y: 100 * x.Value}
				most = max(most, 100*x.Value)
			}
			if len(points) == 0 {
				continue
			}
			rate := curve(points, teamColor(i), false)
			rate.StepStyle, rate.Width = plotter.PostStep, vg.Points(max(4-2*float64(i), 1)) // where they agree both are seen
			greatest = max(greatest, 100*w.Cap)
			ceiling := curve(plotter.XYs{{X: points[0].X, Y: 100 * w.Cap}, {X: points[len(points)-1].X, Y: 100 * w.Cap}}, teamColor(i), true)
			p.Add(rate, ceiling)
			name := windowName(w)
			if commonBase(c.Running) == "" {
				name += ", of " + baseName(w.Base)
			}
			p.legend.Add(name, rate)
			p.legend.Add(fmt.Sprintf("its cap, %s %%", brief(100*w.Cap)), ceiling)
		}
		if len(c.Running) == 0 { // the rule set has no cap
			continue
		}
		p.Y.Min, p.Y.Max = 0, max(1.2*greatest, min(1.1*most, 4*greatest))
		p.X.Tick.Marker = timeTicks{at}
		all = append(all, p)
	}
	return all
}

// commonBase is what all the rates are shares of, to follow a per cent sign; empty: they
// differ.
func commonBase(all []report.Running) string {
	for _, w := range all {
		if w.Base != all[0].Base {
			return ""
		}
	}
	if len(all) == 0 {
		return ""
	}
	return " of " + baseName(all[0].Base)
}

// windowName names a window as a person would.
func windowName(w report.Running) string {
	switch w.Period {
	case rules.Campaign:
		return "whole campaign"
	case rules.Month:
		return "calendar month"
	case rules.Rolling:
		return "last " + w.Length
	case rules.Successive:
	}
	return "each " + w.Length
}

func baseName(b rules.Base) string {
	if b == rules.OfConnected {
		return "connected"
	}
	return "live answers"
}

// brief writes a figure without needless digits.
func brief(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// campaignPlots show when people answer: by the hour of the day, and by which call to them
// it was.
func campaignPlots(r report.Report) []*drawing {
	var all []*drawing
	for _, c := range r.Campaigns.Campaigns {
		hours, tries := bars{}, bars{}
		for _, h := range c.Hours {
			hours.add(h.HourText(), h.AnswerRate, h.Dialed)
		}
		for _, t := range c.Tries {
			tries.add(t.TryText(), t.AnswerRate, t.Dialed)
		}
		all = append(all,
			hours.draw("When people answer: "+c.Campaign+", by hour", "hour of the day, "+c.Zone, 0),
			tries.draw("When people answer: "+c.Campaign+", first call and later ones", "call to the same lead: first, second and so on", 1))
	}
	return all
}

// bars are shares with how many they are of.
type bars struct {
	names  []string
	shares plotter.Values
	of     []string
}

func (b *bars) add(name string, share float64, of int) {
	b.names, b.shares, b.of = append(b.names, name), append(b.shares, 100*share), append(b.of, strconv.Itoa(of))
}

// draw draws the bars, each with how many calls it stands for.
func (b *bars) draw(title, x string, shade int) *drawing {
	p := newPlot(title, x, "answered by a person, % of calls")
	chart, err := plotter.NewBarChart(b.shares, vg.Points(min(28, 420/float64(len(b.shares)))))
	if err != nil { // only of no value at all
		return p
	}
	chart.Color, chart.LineStyle.Width = teamColor(shade), 0
	p.Add(chart)
	most := 1.0
	for i, v := range b.shares {
		most = max(most, v)
		above(p, float64(i), v, b.of[i])
	}
	p.NominalX(b.names...)
	p.X.Tick.Label.Font = p.Y.Tick.Label.Font
	p.X.Tick.Length, p.X.Width = 0, vg.Points(0.5)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.7, float64(len(b.shares))-0.3, 0, 1.15*most
	p.legend.Add("answered, % of calls", chart)
	p.legend.Add("above a bar: calls")
	return p
}

// above writes a word in the middle above a point.
func above(p *drawing, x, y float64, word string) {
	labels, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: x, Y: y}}, Labels: []string{word}})
	if err != nil {
		return // only for coordinates that are no numbers
	}
	labels.TextStyle[0].Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, 9)
	labels.TextStyle[0].XAlign, labels.Offset = text.XCenter, vg.Point{Y: vg.Points(3)}
	p.Add(labels)
}

// mostAgents is how many agents a picture has room for.
const mostAgents = 100

// agentsPlot shows what the agents' time went to.
func agentsPlot(r report.Report) []*drawing {
	agents := r.Agents.Agents
	title := "What the agents' time went to"
	if r.Agents.Campaign != "" {
		title += ", " + r.Agents.Campaign
	}
	if len(agents) > mostAgents {
		title += fmt.Sprintf(" (%d of %d)", mostAgents, len(agents))
		agents = append(agents[:mostAgents-1:mostAgents-1], agents[len(agents)-1]) // and the sum
	}
	p := newPlot(title, "share of the time on the phone, %", "")
	p.height = vg.Points(22)*vg.Length(len(agents)) + vg.Points(90)
	parts := []struct {
		name  string
		color color.Color
		of    func(report.Agent) float64
	}{
		{"talking", teamColor(0), func(a report.Agent) float64 { return a.Talking }},
		{"wrap-up", teamColor(4), func(a report.Agent) float64 { return a.WrapUp }},
		{"waiting for a call", teamColor(5), func(a report.Agent) float64 { return a.Ready + a.Reserved }},
		{"not ready", color.Gray{0xBB}, func(a report.Agent) float64 { return a.NotReady }},
	}
	var below *plotter.BarChart
	for _, part := range parts {
		values := make(plotter.Values, len(agents))
		for i, a := range agents {
			if whole := a.Talking + a.WrapUp + a.Ready + a.Reserved + a.NotReady; whole > 0 {
				values[len(agents)-1-i] = 100 * part.of(a) / whole // the first on top
			}
		}
		chart, err := plotter.NewBarChart(values, vg.Points(14))
		if err != nil { // only of no agent at all
			return nil
		}
		chart.Horizontal, chart.Color, chart.LineStyle.Width = true, part.color, 0
		if below != nil {
			chart.StackOn(below)
		}
		below = chart
		p.Add(chart)
		p.legend.Add(part.name, chart)
	}
	names := make([]string, len(agents))
	for i, a := range agents {
		names[len(agents)-1-i] = fmt.Sprintf("%s  %.0f %%", a.Agent, 100*a.Utilisation)
	}
	p.legend.Add("beside a name: utilisation")
	p.NominalY(names...)
	p.Y.Tick.Label.Font, p.Y.Tick.Length = p.X.Tick.Label.Font, 0
	p.X.Min, p.X.Max, p.X.Tick.Marker = 0, 100, ticks{every: 10}
	return []*drawing{p}
}

// timeTicks marks instants, in seconds since 1970, at round times of a zone.
type timeTicks struct{ zone *time.Location }

var _ plot.Ticker = timeTicks{}

// Ticks implements plot.Ticker.
func (t timeTicks) Ticks(least, most float64) []plot.Tick {
	from, to := time.Unix(int64(least), 0).In(t.zone), time.Unix(int64(most), 0)
	span := to.Sub(from)
	step := 24 * time.Hour * time.Duration(1+int(span.Hours())/24/8)
	for _, s := range []time.Duration{time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour} {
		if span <= 8*s {
			step = s
			break
		}
	}
	layout := "15:04"
	if step >= 24*time.Hour {
		layout = "2 Jan"
	} else if span > 20*time.Hour {
		layout = "2 Jan 15:04"
	}
	var marks []plot.Tick
	day := time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, t.zone)
	for at := day; !at.After(to); at = at.Add(step) {
		if !at.Before(from) {
			marks = append(marks, plot.Tick{Value: float64(at.Unix()), Label: at.Format(layout)})
		}
	}
	return marks
}
