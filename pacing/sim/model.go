package sim

import (
	"math"
	"math/rand/v2"
	"time"

	"pronto/pacing"
)

// Spread is a lognormal time.
type Spread struct {
	// Mean is in seconds; CV is the standard deviation over it.
	Mean, CV float64
}

// draw takes one value.
func (s Spread) draw(r *rand.Rand) time.Duration {
	z := r.NormFloat64()
	if s.Mean <= 0 {
		return 0
	}
	v := math.Log1p(s.CV * s.CV)
	return time.Duration(math.Exp(math.Log(s.Mean)-v/2+math.Sqrt(v)*z) * 1e9)
}

// Model draws leads. Everything of lead k comes from its own generator, seeded by (Seed, k), in a fixed order, so that a change of one
// parameter changes nothing else. Tried again, a lead is drawn anew, but for its trait.
type Model struct {
	// Seed tells runs apart.
	Seed uint64
	// Live is the probability of an answer by a person at that time into the day, for an average lead.
	Live func(at time.Duration) float64
	// Mix, if set, is a lead's true propensity given a uniform number in [0, 1).
	Mix func(u float64) float64
	// Tell says that the pacer is told the propensity.
	Tell bool
	// Machine, Busy, Invalid and Failed share out the rest; what remains is no answer.
	Machine, Busy, Invalid, Failed float64
	// PostDial, Ring and Pickup are the times to the first ringing, from it to a person's answer and to a machine's.
	PostDial, Ring, Pickup Spread
	// RingTimeout ends a ringing.
	RingTimeout time.Duration
	// Detect is how long telling machines apart takes; DetectPeople says that people wait through it too.
	Detect       time.Duration
	DetectPeople bool
	// Mistakes is how often the detection errs.
	Mistakes float64
	// Talk and WrapUp are agents' times; TalkBy, if set, scales talk by the time into the day.
	Talk, WrapUp Spread
	TalkBy       func(at time.Duration) float64
	// PauseShare of calls are followed by a pause.
	PauseShare float64
	Pause      Spread
	// Patience is how long people wait for an agent; mean 0 is for ever.
	Patience Spread
}

// Base is the reference case: one call in four is answered by a person, talks last two minutes.
func Base(seed uint64) *Model {
	return &Model{
		Seed: seed, Live: Always(0.25),
		Machine: 0.40, Busy: 0.08, Invalid: 0.08, Failed: 0.06,
		PostDial: Spread{2, 0.5}, Ring: Spread{8.5, 0.55}, Pickup: Spread{16, 0.3}, RingTimeout: 22 * time.Second,
		Detect: 1500 * time.Millisecond,
		Talk:   Spread{120, 1}, WrapUp: Spread{20, 0.8},
		PauseShare: 0.01, Pause: Spread{240, 0.5},
	}
}

// Always is a probability that does not change.
func Always(p float64) func(time.Duration) float64 { return func(time.Duration) float64 { return p } }

// Trait is the uniform number that Mix makes lead k's propensity of, the same at every try.
func (m *Model) Trait(k int) float64 {
	var source rand.PCG
	source.Seed(m.Seed, uint64(k%Again)+1)
	r := rand.New(&source)
	r.Float64()
	r.Float64()
	return r.Float64()
}

// Lead returns lead k dialed at that time.
func (m *Model) Lead(k int, at time.Duration) Lead {
	var source rand.PCG
	source.Seed(m.Seed, uint64(k)+1)
	r := rand.New(&source)
	u, rest, mix := r.Float64(), r.Float64(), r.Float64()
	l := Lead{PostDial: m.PostDial.draw(r), Rings: true}
	ring, pickup := m.Ring.draw(r), m.Pickup.draw(r)
	l.Talk, l.WrapUp = m.Talk.draw(r), m.WrapUp.draw(r)
	pause, away, mistake := m.Pause.draw(r), r.Float64(), r.Float64()
	l.Patience = m.Patience.draw(r)
	if away < m.PauseShare {
		l.Pause = pause
	}
	if m.TalkBy != nil {
		l.Talk = time.Duration(float64(l.Talk) * m.TalkBy(at))
	}
	p := m.Live(at)
	if m.Mix != nil {
		if k >= Again {
			mix = m.Trait(k)
		}
		own := m.Mix(mix)
		p *= own
		if m.Tell {
			l.Propensity = own
		}
	}
	l.Mistaken = mistake < m.Mistakes
	l.Outcome, l.Ring = pacing.NoAnswer, m.RingTimeout
	switch {
	case u < p:
		if ring < m.RingTimeout {
			l.Outcome, l.Ring = pacing.Completed, ring
		}
		if m.DetectPeople {
			l.Detect = m.Detect
		}
	case rest < m.Machine:
		if pickup < m.RingTimeout {
			l.Outcome, l.Ring, l.Detect = pacing.Machine, pickup, m.Detect
		}
	case rest < m.Machine+m.Busy:
		l.Outcome, l.Ring, l.Rings = pacing.Busy, 0, false
	case rest < m.Machine+m.Busy+m.Invalid:
		l.Outcome, l.Ring, l.Rings = pacing.Invalid, 0, false
	case rest < m.Machine+m.Busy+m.Invalid+m.Failed:
		l.Outcome, l.Ring, l.Rings = pacing.Failed, 0, false
	}
	return l
}
