package sim

import (
	"fmt"
	"slices"
	"testing"
)

// What a cap that must hold every day costs a small team.
//
// Let a day have N live answers. At each, a pacer chooses how often answers are lost from here on, knowing how many are still to come and how
// many have been lost; being lost at rate a keeps the agents busy u(a). A shortage loses one caller or several. The best such pacer that never
// ends a day above the cap is found backwards from the day's end: with c the abandons in hand and V_n(c) the best sum over n answers,
//
//	V_n(c) = max_a [ u(a) + (1 - a/m) V_{n-1}(c + e) + a/m Σ_k b_k V_{n-1}(c - k) ]
//
// where e is what a connected answer earns, b_k how often a shortage loses k and m its mean, and V_0 is 0 where the cap held and ruinous where
// it did not. u and b were measured with a copy of the engine whose θ was held fixed, 48 seeds of the base case.
type hardCap struct {
	agents, answers int
	rate, use       []float64 // u(a), both in per cent
	burst           []float64 // b_1, b_2, ..
}

var hardCaps = []hardCap{
	{
		5, 460,
		[]float64{0, 0.04, 0.11, 0.34, 0.94, 1.82, 2.55, 4.79, 6.66, 8.4},
		[]float64{69.0, 71.0, 72.0, 74.0, 76.6, 78.3, 79.5, 82.3, 83.6, 84.6},
		[]float64{0.96, 0.04},
	},
	{
		10, 960,
		[]float64{0, 0.006, 0.07, 0.15, 0.44, 0.82, 1.14, 1.97, 2.76, 3.72, 6.37, 8.2},
		[]float64{70.4, 72.7, 75, 76.6, 78.9, 80.45, 81.5, 83.26, 84.42, 85.32, 87.36, 88.28},
		[]float64{0.89, 0.10, 0.01},
	},
}

// TestSweepHardCap prints the best that can be had under a cap of 3 %, with shortages as they are and if each lost one caller alone.
func TestSweepHardCap(t *testing.T) {
	sweeping(t, "hardcap")
	for _, h := range hardCaps {
		use, lost := h.best()
		h.burst = []float64{1}
		single, lostSingle := h.best()
		fmt.Printf("%d agents: %.1f @ %.1f; losing one at a time %.1f @ %.1f\n", h.agents, use, lost, single, lostSingle)
	}
}

const (
	hardSteps = 32 // in an abandon; a connected answer earns one of them, 0.03 / 0.97 = 1/32.3
	hardReach = 34 // abandons in hand or missing, at most
)

// best returns the utilisation and the abandon rate of the best pacer, in per cent.
func (h hardCap) best() (use, lost float64) {
	const size = 2*hardReach*hardSteps + 1
	const middle = hardReach * hardSteps
	value, left := make([]float64, size), make([]float64, size)
	for c := range size {
		if c < middle {
			value[c] = -1e9
		}
		left[c] = float64(max(c-middle, 0)) / hardSteps
	}
	mean := 0.0
	for k, b := range h.burst {
		mean += float64(k+1) * b
	}
	for range h.answers {
		nextValue, nextLeft := make([]float64, size), make([]float64, size)
		for c := range size {
			up := min(c+1, size-1)
			var downValue, downLeft float64
			for k, b := range h.burst {
				down := max(c-(k+1)*hardSteps, 0)
				downValue, downLeft = downValue+b*value[down], downLeft+b*left[down]
			}
			for i := range 25 {
				a := float64(i) / 4 // per cent
				p := a / 100 / mean
				if v := h.useAt(a) + (1-p)*value[up] + p*downValue; i == 0 || v > nextValue[c] {
					nextValue[c], nextLeft[c] = v, (1-p)*left[up]+p*downLeft
				}
			}
		}
		value, left = nextValue, nextLeft
	}
	n := float64(h.answers)
	return value[middle] / n, 3 - 100*left[middle]/n
}

// useAt interpolates u.
func (h hardCap) useAt(a float64) float64 {
	i, _ := slices.BinarySearch(h.rate, a)
	if i == 0 || i == len(h.rate) {
		return h.use[min(i, len(h.use)-1)]
	}
	part := (a - h.rate[i-1]) / (h.rate[i] - h.rate[i-1])
	return h.use[i-1] + part*(h.use[i]-h.use[i-1])
}
