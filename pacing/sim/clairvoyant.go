package sim

import (
	"slices"
	"time"

	"pronto/pacing"
)

// clairvoyant knows every lead and every agent's release beforehand: nobody can do better than about this.
type clairvoyant struct {
	s    Scenario
	next int     // lead
	free []int64 // when each agent is free, from the start of the day
}

// Clairvoyant dials leads that will not be answered at once, and the others so that each answer meets the agent who becomes free just
// before it. It is a
// bound, for scenarios without rota, retries or limits.
func Clairvoyant(s Scenario) Pacer {
	return &clairvoyant{s: s, free: make([]int64, s.Agents)}
}

// Observe counts the leads; all else is known.
func (c *clairvoyant) Observe(e pacing.Event) error {
	if e.Kind == pacing.Dialed {
		c.next++
	}
	return nil
}

// Decide implements Pacer.
func (c *clairvoyant) Decide(now time.Time, _ []float64) pacing.Decision {
	at := now.Sub(c.s.Begin())
	again := now.Add(time.Second)
	n := 0
	for ; n < 20; n++ {
		l := c.s.Lead(c.next+n, at)
		if l.Outcome != pacing.Completed {
			continue
		}
		answer := int64(at + l.PostDial + l.Ring + l.Detect)
		who := c.fitting(answer)
		if who < 0 {
			again = now.Add(time.Duration(slices.Min(c.free) - answer))
			break
		}
		c.free[who] = answer + int64(c.s.Latency+l.Talk+l.WrapUp+l.Pause)
	}
	if n == 20 {
		again = now
	}
	return pacing.Decision{Dial: n, Again: again}
}

// fitting returns the agent who becomes free last before an instant, or -1.
func (c *clairvoyant) fitting(by int64) int {
	best := -1
	for i, f := range c.free {
		if f <= by && (best < 0 || f > c.free[best]) {
			best = i
		}
	}
	return best
}
