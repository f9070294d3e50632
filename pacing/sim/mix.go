package sim

import (
	"math/rand/v2"
	"time"

	"pronto/pacing/propensity"
)

// lowShare of the leads of the mix are at 0.2 times the mean propensity, the others at 2.2 times.
const lowShare = 0.6

func mixture(u float64) float64 {
	if u < lowShare {
		return 0.2
	}
	return 2.2
}

// mix has two kinds of leads.
func mix(known bool) func(int, uint64) Scenario {
	return func(agents int, seed uint64) Scenario {
		m := Base(seed)
		m.Tell, m.Mix = known, mixture
		s := dayOf(agents, m)
		if known {
			s.Ahead = 64 + 2*agents
		}
		return s
	}
}

// mixLearned has them too, but what is known of a lead is a hint.
func mixLearned(agents int, seed uint64) Scenario {
	m := Base(seed)
	m.Mix = mixture
	s := dayOf(agents, m)
	s.Ahead = 64 + 2*agents
	s.Guess = newHinted(m, hintWrong)
	return s
}

// hinted guesses by a hint of the lead's kind and the hour.
type hinted struct {
	leads *Model
	model *propensity.Model
	wrong float64 // how often the hint is
}

const hintWrong = 0.1

func newHinted(m *Model, wrong float64) *hinted {
	model, err := propensity.New([]propensity.Factor{{Name: "hint", Levels: 2}, {Name: "hour", Levels: 8}})
	if err != nil {
		panic(err) // the factors are constants
	}
	return &hinted{m, model, wrong}
}

func (h *hinted) levels(k int, at time.Duration) []int {
	var source rand.PCG
	source.Seed(h.leads.Seed^0x51ed, uint64(k))
	kind := 0
	if h.leads.Trait(k) >= lowShare {
		kind = 1
	}
	if rand.New(&source).Float64() < h.wrong {
		kind = 1 - kind
	}
	return []int{kind, int(at/time.Hour) % 8}
}

// Propensity implements [Guesser].
func (h *hinted) Propensity(k int, at time.Duration) float64 {
	return h.model.Propensity(h.levels(k, at))
}

// Learn implements [Guesser].
func (h *hinted) Learn(k int, at time.Duration, live bool) { h.model.Learn(h.levels(k, at), live) }
