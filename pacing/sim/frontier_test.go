package sim

import (
	"fmt"
	"testing"

	"pronto/pacing"
)

// TestSweepFrontier trades the cap against utilisation in the base case.
func TestSweepFrontier(t *testing.T) {
	sweeping(t, "frontier")
	for _, agents := range teams(10, 50) {
		fmt.Printf("| %d agents |", agents)
		for _, limit := range []float64{0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.10} {
			s, err := Summarise(Cases()[0], agents, Seeds(sweepSeed, number("PRONTO_SEEDS", 12)), func(s Scenario) (Pacer, error) {
				return pacing.New(pacing.Config{
					Windows: []pacing.Window{{Period: pacing.Campaign, Start: s.Begin(), Cap: limit}}, Grace: s.Grace, Close: s.End(),
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf(" %s |", s.cell())
		}
		fmt.Println()
	}
}
