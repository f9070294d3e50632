package main

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"pronto/pacing"
	"pronto/pacing/sim"
)

// slot is how many minutes make one point of a day's plot.
const slot = 10

// dayPlot shows a day over time: utilisation, and abandoned calls so far.
func dayPlot(d simulateDoc, days []dayRuns) []*drawing {
	span := fmt.Sprintf("mean of %d days", d.Seeds)
	work := newPlot("A day of "+d.Campaign+", "+span, "", "utilisation of agents, %")
	lost := newPlot("", "time of day", "abandoned so far, %")
	for i, team := range days {
		ours := curve(timeline(d, team.campaign, busyShare), teamColor(i), false)
		one := curve(timeline(d, team.progressive, busyShare), teamColor(i), true)
		work.Add(ours, one)
		work.legend.Add(fmt.Sprintf("%d agents, %s", team.agents, d.Mode), ours)
		lost.Add(curve(timeline(d, team.campaign, lostSoFar(d.base)), teamColor(i), false))
	}
	work.Y.Max = 100
	work.Y.Min = math.Floor(min(work.Y.Min, 90)/10) * 10
	lost.Y.Min, lost.Y.Max = 0, max(lost.Y.Max, 150*d.Cap, 1)
	if d.Cap > 0 {
		lost.Add(curve(plotter.XYs{{X: d.begin, Y: 100 * d.Cap}, {X: d.begin + d.Hours, Y: 100 * d.Cap}}, color.Gray{0x60}, true))
		addText(lost, d.begin+d.Hours*0.01, 100*d.Cap*1.02, "the campaign's cap")
	}
	work.legend.Add("one line each", curve(nil, color.Gray{0x60}, true))
	work.Y.Tick.Marker, lost.Y.Tick.Marker = ticks{every: 5}, ticks{every: 1}
	all := []*drawing{work, lost}
	if len(d.Suppose.Rota) > 0 {
		lost.X.Label.Text = ""
		all = append(all, staffPlot(d, days))
	}
	for _, p := range all {
		p.X.Min, p.X.Max = d.begin, d.begin+d.Hours
		p.X.Tick.Marker = ticks{every: math.Max(1, math.Ceil(d.Hours/12)), clock: true}
	}
	return all
}

// staffPlot shows how many agents are at work.
func staffPlot(d simulateDoc, days []dayRuns) *drawing {
	p := newPlot("", "time of day", "agents at work")
	most := 1.0
	for i, team := range days {
		points := timeline(d, team.campaign, atWork)
		for j := range points {
			points[j].Y /= 100
			most = max(most, points[j].Y)
		}
		p.Add(curve(points, teamColor(i), false))
	}
	p.Y.Min, p.Y.Max = 0, 1.1*most
	p.Y.Tick.Marker = ticks{every: math.Max(1, math.Round(most/5))}
	return p
}

// atWork is the number of agents signed in, of the slot.
func atWork(runs []sim.Result, from, to int) (part, of float64) {
	for _, r := range runs {
		for _, m := range r.Minutes[from:to] {
			part += m.Logged.Minutes()
			of++
		}
	}
	return part, of
}

// ticks mark every so much; those of a clock are hours.
type ticks struct {
	every float64
	clock bool
}

// Ticks implements plot.Ticker.
func (t ticks) Ticks(from, to float64) []plot.Tick {
	var all []plot.Tick
	for n := math.Ceil(from / t.every); n*t.every <= to; n++ {
		v := n * t.every
		label := fmt.Sprintf("%g", v)
		if t.clock {
			label = fmt.Sprintf("%02d:00", int(v)%24)
		}
		all = append(all, plot.Tick{Value: v, Label: label})
	}
	return all
}

// timeline takes a share from each slot of a day, all days together. Slots in
// which there was nothing to share are left out.
func timeline(d simulateDoc, runs []sim.Result, share func(runs []sim.Result, from, to int) (part, of float64)) plotter.XYs {
	var points plotter.XYs
	for from := 0; from+slot <= len(runs[0].Minutes); from += slot {
		if part, of := share(runs, from, from+slot); of > 0 {
			points = append(points, plotter.XY{X: d.begin + (float64(from)+slot/2)/60, Y: 100 * part / of})
		}
	}
	return points
}

// busyShare is work over time logged in, of the slot.
func busyShare(runs []sim.Result, from, to int) (part, of float64) {
	for _, r := range runs {
		for _, m := range r.Minutes[from:to] {
			part += m.Work.Seconds()
			of += m.Logged.Seconds()
		}
	}
	return part, of
}

// lostSoFar is the abandon rate from the day's begin to the slot's end.
func lostSoFar(base pacing.Base) func(runs []sim.Result, _, to int) (part, of float64) {
	return func(runs []sim.Result, _, to int) (part, of float64) {
		for _, r := range runs {
			for _, m := range r.Minutes[:to] {
				part += float64(m.Abandoned)
				of += float64(m.Connected)
			}
		}
		if base == pacing.OfLiveAnswered {
			of += part
		}
		return part, of
	}
}
