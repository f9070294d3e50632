package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pronto/dialer/report"
)

// TestPlotsShowEveryTeam draws the plots of two teams and finds both colours in
// the picture, and well-formed XML in the drawing.
func TestPlotsShowEveryTeam(t *testing.T) {
	s := testStudy(t, func(o *simulateOptions) { o.agents, o.seeds, o.hours = []int{3, 6}, 2, 0.5 })
	doc, days := playStudy(t, s)
	var err error
	if doc.Tradeoff, err = s.playTradeoff(newLab(t.Context(), io.Discard)); err != nil {
		t.Fatal(err)
	}
	bins := []report.Bin{{From: 0.5, To: 1, Calls: 40, Expected: 0.1, Answered: 0.2, Low: 0.1, High: 0.3}}
	both := report.PropensityReport{Campaigns: []report.Propensity{{Campaign: "spring", Bins: bins}, {Campaign: "autumn", Bins: bins}, {Campaign: "new"}}}
	for name, drawings := range map[string][]*drawing{
		"tradeoff": {tradeoffPlot(doc)}, "day": dayPlot(doc, days), "calibration": {calibrationPlot(both)},
	} {
		file := filepath.Join(t.TempDir(), name+".svg")
		if err := savePlot(file, drawings...); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(data, new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for i := range 2 {
			r, g, b, _ := teamColor(i).RGBA()
			if want := fmt.Sprintf("#%02X%02X%02X", r>>8, g>>8, b>>8); strings.Count(string(data), want) < 2 {
				t.Errorf("%s: team %d, %s, is not there", name, i, want)
			}
		}
	}
	if a, b := dotsOf(t, tradeoffPlot(doc)); a < 10 || b < 10 {
		t.Errorf("%d and %d dots of the teams", a, b)
	}
	if err := savePlot(filepath.Join(t.TempDir(), "no", "day.png"), dayPlot(doc, days)...); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

// dotsOf counts one in six dots of the first two teams in a picture.
func dotsOf(t *testing.T, d *drawing) (first, second int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "plot.png")
	if err := savePlot(file, d); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(f)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	for y := 0; y < img.Bounds().Dy(); y += 3 {
		for x := 0; x < img.Bounds().Dx(); x += 2 {
			switch color.RGBAModel.Convert(img.At(x, y)) {
			case teamColor(0):
				first++
			case teamColor(1):
				second++
			}
		}
	}
	return first, second
}

func TestPlotsAreAskedForByName(t *testing.T) {
	for _, name := range []string{"", "a.png", "b.SVG", "c/d.svg"} {
		if err := checkPlot("plot", name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a", "a.gif", "png", ".pdf"} {
		if err := checkPlot("plot", name); statusOf(err) != statusUsage {
			t.Errorf("%q: %v, want a usage error", name, err)
		}
	}
}
