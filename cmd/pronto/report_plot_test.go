package main

import (
	"bytes"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pronto/dialer/report"
	"pronto/dnc/rules"
)

// aWeek is the report of a campaign of a week, with as many agents.
func aWeek(agents int) report.Report {
	start := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	var r report.Report
	whole, day := report.Running{Period: rules.Campaign, Base: rules.OfConnected, Cap: 0.03}, report.Running{Period: rules.Rolling, Length: "24h", Base: rules.OfConnected, Cap: 0.04}
	for i := range 600 {
		at := start.Add(time.Duration(i) * 12 * time.Minute)
		whole.Points = append(whole.Points, report.Point{At: at, Value: 0.025 + 0.5/float64(i+1)})
		day.Points = append(day.Points, report.Point{At: at, Value: 0.02 + 0.001*float64(i%17)})
	}
	r.Abandon.Campaigns = []report.Abandon{{Campaign: "spring", Running: []report.Running{whole, day}}, {Campaign: "uncapped"}}
	c := report.CampaignFigures{Campaign: "spring", Zone: "Europe/Rome"}
	for i := range 11 {
		c.Hours = append(c.Hours, report.HourOfDay{Hour: 9 + i, Dialed: 900 + 40*i, AnswerRate: 0.2 + 0.02*float64(i%6)})
	}
	for i := range 10 {
		c.Tries = append(c.Tries, report.Try{Try: i + 1, Dialed: 5000 >> i, AnswerRate: 0.3 / float64(i+1)})
	}
	r.Campaigns.Campaigns = []report.CampaignFigures{c}
	for i := range agents {
		r.Agents.Agents = append(r.Agents.Agents, report.Agent{Agent: fmt.Sprintf("agent%03d", i), Talking: 400 + 10*float64(i%9), WrapUp: 60, Ready: 90, NotReady: float64(i % 5 * 30), Utilisation: 0.8})
	}
	return r
}

// TestReportPlots draws each picture in both forms, and reads what stands in it.
func TestReportPlots(t *testing.T) {
	rome := func(string) *time.Location { return time.FixedZone("Europe/Rome", 3600) }
	for _, c := range []struct {
		name     string
		drawings []*drawing
		height   int // of the PNG, at least
		says     []string
	}{
		{"abandon", abandonPlots(aWeek(0), rome), 700, []string{"Abandoned calls of spring", "whole campaign", "last 24h", "its cap, 3 %", "% of connected", "24 Nov"}},
		{"campaign", campaignPlots(aWeek(0)), 1400, []string{"hour of the day, Europe/Rome", "19:00", "10 and more", "above a bar: calls", "1300"}},
		{"agents", agentsPlot(aWeek(60)), 2500, []string{"agent059  80 %", "wrap-up", "not ready"}},
		{"too many agents", agentsPlot(aWeek(130)), 4000, []string{"(100 of 130)", "agent129"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"a.png", "a.svg"} {
				if err := savePlot(filepath.Join(dir, name), c.drawings...); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(filepath.Join(dir, "a.svg"))
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.says {
				if !strings.Contains(string(text), want) {
					t.Errorf("the picture does not say %q", want)
				}
			}
			data, err := os.ReadFile(filepath.Join(dir, "a.png"))
			if err != nil {
				t.Fatal(err)
			}
			picture, err := png.DecodeConfig(bytes.NewReader(data))
			if err != nil || picture.Height < c.height {
				t.Errorf("a picture of %d by %d, %v", picture.Width, picture.Height, err)
			}
		})
	}
	if len(abandonPlots(report.Report{}, rome))+len(campaignPlots(report.Report{}))+len(agentsPlot(report.Report{})) != 0 {
		t.Error("something is drawn of nothing")
	}
}

// TestTimeTicks: whatever the span, there are some marks and not too many, all within it.
func TestTimeTicks(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		from := float64(rapid.Int64Range(1.7e9, 1.9e9).Draw(r, "from"))
		span := float64(rapid.Int64Range(180, 400*86400).Draw(r, "span"))
		marks := timeTicks{time.FixedZone("", 5400)}.Ticks(from, from+span)
		if len(marks) < 1 || len(marks) > 10 {
			r.Fatalf("%d marks over %v s", len(marks), span)
		}
		for i, m := range marks {
			if m.Value < from-1 || m.Value > from+span || m.Label == "" || i > 0 && m.Value <= marks[i-1].Value {
				r.Fatalf("mark %+v of %v to %v", m, from, from+span)
			}
		}
	})
}
