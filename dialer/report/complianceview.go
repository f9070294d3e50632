package report

import (
	_ "embed" // the page is compiled in
	"fmt"
	"html/template"
	"io"
	"strconv"
	"time"

	"pronto/dnc/rules"
)

//go:embed compliance.html
var compliancePage string

// Fact is a line of a report's head.
type Fact struct {
	Name, Value string
}

// drawing is a chart with its title.
type drawing struct {
	Title string
	SVG   template.HTML
}

// page is what the HTML shows.
type page struct {
	Campaign     string
	Facts        []Fact
	Zone         string
	Report       Compliance
	RefusedTotal int
	Plots, Ages  []drawing
}

// WriteHTML writes the report as one self-contained page: no script, no file
// beside it. The facts stand in its head; zone is that of its days and times.
func (c Compliance) WriteHTML(w io.Writer, zone *time.Location, facts ...Fact) error {
	if zone == nil {
		zone = time.UTC
	}
	t, err := template.New("compliance").Funcs(template.FuncMap{
		"percent": percent, "base": baseWords, "words": words,
		"ms":   func(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) + " ms" },
		"days": ageText,
		"time": func(at time.Time) string { return at.In(zone).Format("2006-01-02 15:04:05 MST") },
	}).Parse(compliancePage)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	p := page{Campaign: c.Campaign, Facts: facts, Zone: zone.String(), Report: c, Plots: c.ratePlots(zone), Ages: c.agePlots(zone)}
	for _, n := range c.Refused {
		p.RefusedTotal += n
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

// ageText writes hours readably.
func ageText(hours float64) string {
	if hours < 48 {
		return strconv.FormatFloat(hours, 'f', 1, 64) + " h"
	}
	return strconv.FormatFloat(hours/24, 'f', 1, 64) + " d"
}

// ratePlots draws the rate of each window, and that of each day.
func (c Compliance) ratePlots(zone *time.Location) []drawing {
	var all []drawing
	for _, r := range c.Running {
		if len(r.Points) == 0 {
			continue
		}
		p := newPlot(r.Points[0].At, r.Points[len(r.Points)-1].At, zone, percent, append(values(r.Points), r.Cap)...)
		p.line(r.Points, "#246", true)
		p.bound(r.Cap, "cap "+percent(r.Cap))
		all = append(all, drawn("Abandoned of "+baseWords(r.Base)+", "+windowWords(r.Period, r.Length), p))
	}
	var daily []Point
	base := rules.OfLiveAnswered
	if len(c.Running) > 0 {
		base = c.Running[0].Base
	}
	for _, d := range c.Abandon.Days {
		daily = append(daily, Point{noonOf(d.Day, zone), d.rate(base)})
	}
	if len(daily) > 0 {
		p := newPlot(daily[0].At, daily[len(daily)-1].At, zone, percent, values(daily)...)
		p.line(daily, "#264", false)
		all = append(all, drawn("Abandoned of "+baseWords(base)+", each day", p))
	}
	return all
}

// agePlots draws how old each register's word was.
func (c Compliance) agePlots(zone *time.Location) []drawing {
	var all []drawing
	for _, r := range c.Registers {
		var middle, greatest []Point
		for _, d := range r.Days {
			at := noonOf(d.Day, zone)
			middle, greatest = append(middle, Point{at, d.P50}), append(greatest, Point{at, d.Max})
		}
		p := newPlot(middle[0].At, middle[len(middle)-1].At, zone, ageText, append(values(greatest), r.MaxAgeHours)...)
		p.line(middle, "#264", false)
		p.line(greatest, "#246", false)
		if r.MaxAgeHours > 0 {
			p.bound(r.MaxAgeHours, "allowed "+ageText(r.MaxAgeHours))
		}
		all = append(all, drawn(r.Register+": median (green) and greatest (blue) age on each day", p))
	}
	return all
}

// drawn is a chart that is safe to put into a page: plot escapes all text.
func drawn(title string, p *plot) drawing {
	return drawing{title, template.HTML(p.svg())} //nolint:gosec // as said
}

func values(points []Point) []float64 {
	all := make([]float64, len(points))
	for i, p := range points {
		all[i] = p.Value
	}
	return all
}

// noonOf is noon of a day.
func noonOf(day string, zone *time.Location) time.Time {
	at, err := time.ParseInLocation(time.DateOnly, day, zone)
	if err != nil {
		return time.Time{}
	}
	return at.Add(12 * time.Hour)
}
