package sandbox

import (
	"slices"
	"time"
)

// Shift is a stretch of dialing one line for each free agent.
type Shift struct {
	Agents      int
	Duration    time.Duration
	WrapUp      time.Duration
	RingTimeout time.Duration // from ringing to CANCEL
}

// OneForOne is what progressive dialing would reach in the world on these
// numbers, in their order, each called once: one line for each ready agent,
// nobody waits, nobody is abandoned.
type OneForOne struct {
	Dialed      int           `json:"dialed"`
	Connected   int           `json:"connected"`
	Utilisation float64       `json:"utilisation"` // share of the agents' time in talk and wrap-up
	Wait        time.Duration `json:"wait"`        // mean time from ready to the next customer
}

// Progressive computes OneForOne. It ends with the shift or the last number;
// time after the numbers ran out counts as idle.
func (w World) Progressive(numbers []string, s Shift) OneForOne {
	var out OneForOne
	if s.Agents <= 0 || s.Duration <= 0 {
		return out
	}
	free := make([]time.Duration, s.Agents)  // when each agent's next line may start
	ready := make([]time.Duration, s.Agents) // since when each waits for a customer
	var busy, waited time.Duration
	for _, number := range numbers {
		a := slices.Index(free, slices.Min(free))
		if free[a] >= s.Duration {
			break
		}
		out.Dialed++
		b := w.Behave(number, 1)
		if b.Plan != Live || b.Ring >= s.RingTimeout {
			free[a] += b.PostDial + w.fruitless(b, s.RingTimeout)
			continue
		}
		start := free[a] + b.PostDial + b.Ring
		end := start + b.Talk + s.WrapUp
		if start < s.Duration {
			out.Connected++
			waited += start - ready[a]
			busy += min(end, s.Duration) - start
		}
		free[a], ready[a] = end, end
	}
	if out.Connected > 0 {
		out.Wait = waited / time.Duration(out.Connected)
	}
	out.Utilisation = float64(busy) / float64(time.Duration(s.Agents)*s.Duration)
	return out
}

// fruitless is how long a line without an answer is held after the post-dial delay.
func (w World) fruitless(b Behaviour, ringTimeout time.Duration) time.Duration {
	if b.Plan == NoAnswer || b.Plan == Live {
		return min(ringTimeout, w.RingFor)
	}
	return 0
}
