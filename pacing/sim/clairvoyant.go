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

// Clairvoyant dials leads that will not be answered at once, and the others so that each answer meets an agent just become free. It is a
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
		first := slices.Index(c.free, slices.Min(c.free))
		if wait := c.free[first] - answer; wait > 0 {
			again = now.Add(time.Duration(wait))
			break
		}
		c.free[first] = max(answer, c.free[first]) + int64(c.s.Latency+l.Talk+l.WrapUp+l.Pause)
	}
	if n == 20 {
		again = now
	}
	return pacing.Decision{Dial: n, Again: again}
}
