package pacing

import "testing"

// TestTrustFollowsTheTruth plays lines whose propensities are true, worthless or overstated.
func TestTrustFollowsTheTruth(t *testing.T) {
	for _, c := range []struct {
		name      string
		low, high float64 // true probability of a lead said to be at 0.2 and at 2.2 times the mean of 0.25
		least     float64
		most      float64
	}{
		{"true", 0.05, 0.55, 0.85, 1.15},
		{"worthless", 0.25, 0.25, 0, 0.12},
		{"overstated", 0.15, 0.40, 0.3, 0.6},
		{"the wrong way round", 0.55, 0.05, 0, 0.01},
	} {
		e := mustNew(t, Config{Mode: Progressive})
		e.table.share = 0.25
		random := uint32(1)
		for i := range 6000 {
			lean, p := e.lean(0.2), c.low
			if i%2 == 1 {
				lean, p = e.lean(2.2), c.high
			}
			random = random*1664525 + 1013904223
			e.learned.trust.learn(0.25, lean, float64(random>>8)/(1<<24) < p)
		}
		if w := e.learned.trust.weight; w < c.least || w > c.most {
			t.Errorf("%s: weight %.2f, not between %v and %v", c.name, w, c.least, c.most)
		}
	}
}

func TestAveragePropensityIsUnknown(t *testing.T) {
	e := mustNew(t, Config{Mode: Progressive})
	if a, b := e.lift(e.lean(0)), e.lift(e.lean(1)); a != 1 || b != 1 {
		t.Errorf("unknown multiplies by %v, average by %v", a, b)
	}
}
