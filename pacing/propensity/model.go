package propensity

import (
	"errors"
	"fmt"
	"math"
)

// The model.
//
// A lead with levels l_1 .. l_F of the F factors is answered in person with log odds b_0 + Σ b_{f, l_f}: an intercept and one effect for every
// level of every factor. The effects have a normal law, at first with mean 0 and standard deviation priorDeviation, so that a level seen
// rarely stays near the campaign's average. Each outcome y, 0 or 1, moves the law as an extended Kalman filter does: with x the indicator of
// the lead's levels, m the mean, P the covariance, p = 1 / (1 + e^{-x·m}), w = p (1 - p) and u = P x,
//
//	P ← P - u uᵀ w / (1 + w x·u),    m ← m + P x (y - p)
//
// which is the maximum of the posterior after one Newton step. The variances of the lead's effects then grow by drift, never beyond their
// first value: effects change with time, and what is old fades.

// Factor is one thing known of leads.
type Factor struct {
	// Name is for reports.
	Name string
	// Levels is how many values it takes; a lead's level is from 0 to Levels-1, or -1 when unknown.
	Levels int
}

const (
	priorDeviation  = 0.7
	priorIntercept  = 2.0
	memory          = 20000 // leads, for the mean
	drift           = 4e-7  // variance of an effect's change from one lead that has it to the next
	enoughLeads     = 150
	enoughAnswers   = 25
	mostEffects     = 400
	mostPropensity  = 8
	leastPropensity = 0.02
)

// Model is what has been learned. Make one with [New]; it is not safe for concurrent use.
type Model struct {
	factors    []Factor
	first      []int     // index of each factor's level 0
	mean       []float64 // m
	covariance []float64 // P, row by row
	leads      float64   // learned, fading
	answered   float64
	predicted  float64 // sum of the predictions made before learning
	bins       [len(edges) + 1]Bin
	space      []float64
}

// New returns a model that knows nothing.
func New(factors []Factor) (*Model, error) {
	m := &Model{factors: append([]Factor(nil), factors...)}
	size := 1
	var all []error
	for i, f := range factors {
		if f.Levels < 1 {
			all = append(all, fmt.Errorf("propensity: factor %d, %q: %d levels", i, f.Name, f.Levels))
		}
		m.first = append(m.first, size)
		size += max(f.Levels, 0)
		if size > mostEffects {
			all = append(all, fmt.Errorf("propensity: factor %d, %q: more than %d levels in all", i, f.Name, mostEffects))
			break
		}
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	m.mean, m.space = make([]float64, size), make([]float64, size)
	m.covariance = make([]float64, size*size)
	for i := range size {
		m.covariance[i*size+i] = prior(i)
	}
	m.mean[0] = -1
	return m, nil
}

// prior is the variance an effect begins with.
func prior(i int) float64 {
	if i == 0 {
		return priorIntercept * priorIntercept
	}
	return priorDeviation * priorDeviation
}

// active calls with the index of every effect of a lead. Levels that are unknown, missing or out of range have none.
func (m *Model) active(levels []int, with func(i int)) {
	with(0)
	for f, l := range levels {
		if f < len(m.factors) && l >= 0 && l < m.factors[f].Levels {
			with(m.first[f] + l)
		}
	}
}

// Probability returns the chance of an answer by a person.
func (m *Model) Probability(levels []int) float64 {
	sum := 0.0
	m.active(levels, func(i int) { sum += m.mean[i] })
	return logistic(sum)
}

// Propensity returns the chance divided by its mean over the leads learned from, or 0 while too little is known to say.
func (m *Model) Propensity(levels []int) float64 {
	if m.leads < enoughLeads || m.answered < enoughAnswers {
		return 0
	}
	return min(max(m.Probability(levels)*m.leads/m.predicted, leastPropensity), mostPropensity)
}

// Learn takes the outcome of a dialed lead: whether a person answered.
func (m *Model) Learn(levels []int, live bool) {
	p := m.Probability(levels)
	m.calibrate(levels, p, live)
	const keep = 1 - 1.0/memory
	m.leads = float64(m.leads*keep) + 1
	m.predicted = float64(m.predicted*keep) + p
	m.answered = float64(m.answered * keep)
	miss := -p
	if live {
		m.answered++
		miss++
	}
	m.update(levels, float64(p*(1-p)), miss)
}

// update moves the law of the effects.
func (m *Model) update(levels []int, w, miss float64) {
	n := len(m.mean)
	u := m.space
	clear(u)
	m.active(levels, func(j int) {
		for i := range n {
			u[i] += m.covariance[i*n+j]
		}
	})
	across := 0.0
	m.active(levels, func(j int) { across += u[j] })
	shrink := w / (1 + float64(w*across))
	for i := range n {
		if u[i] == 0 {
			continue
		}
		by := float64(shrink * u[i])
		for j := range n {
			m.covariance[i*n+j] -= float64(by * u[j])
		}
	}
	step := miss / (1 + float64(w*across)) // P x after the update is u / (1 + w x·u)
	for i := range n {
		m.mean[i] += float64(u[i] * step)
	}
	m.active(levels, func(i int) {
		d := &m.covariance[i*n+i]
		*d += min(drift, max(prior(i)-*d, 0))
	})
}

// Effect is what one level of a factor does to the log odds.
type Effect struct {
	Factor         string
	Level          int
	Mean, Standard float64
}

// Effects lists what has been learned, factor by factor.
func (m *Model) Effects() []Effect {
	var out []Effect
	n := len(m.mean)
	for f, factor := range m.factors {
		for l := range factor.Levels {
			i := m.first[f] + l
			out = append(out, Effect{factor.Name, l, m.mean[i], math.Sqrt(max(m.covariance[i*n+i], 0))})
		}
	}
	return out
}

// logistic returns 1 / (1 + e^{-x}).
func logistic(x float64) float64 {
	x = min(max(x, -30), 30)
	// e^{-x} = 2^n e^r with |r| <= ln 2 / 2, and e^r by its Taylor polynomial: no assembly, no fused products.
	n := math.Floor(float64(-x*(1/math.Ln2)) + 0.5)
	r := -x - float64(n*math.Ln2)
	e := 1.0
	for i := 13; i >= 1; i-- {
		e = 1 + float64(e*r)/float64(i)
	}
	return 1 / (1 + math.Ldexp(e, int(n)))
}
