package pacing

import "math"

// Prediction.
//
// Let, at knot j, A be the answers of the lines in flight, D the agents that come free, I the agents idle now less the people waiting, and q
// the chance that a new line has been answered by then. If m new lines were dialed before it, the next line, answered in the slice that ends
// at knot k, takes an agent that some later caller lacks, or finds none itself, when at some knot j >= k there are more answers than agents:
//
//	lost(m) = Σ_k f_k max_{j>=k} P(A_j + m q_j - D_j - I >= 0)
//
// with f_k = 1/8, since the knots are even quantiles of the answer's delay, and the normal law with half a unit for continuity, bent by the
// skewness. lost(m) grows with m, so lines are added until it exceeds θ.

// idleRisk is the share of θ that may be taken while nobody is idle: waiting a little for better information then costs nothing.
const idleRisk = 0.4

// A shortage, when it comes, loses several callers at once. So the whole of θ is taken only while a window can spend burstMost standard
// deviations of the forecast, more while little is known, and, of what is sure, burstSure.
const (
	burstMore  = 300.0
	burstMost  = 1.2
	burstSure  = 3.0
	burstLeast = 0.7  // standard deviation, and
	sureLeast  = 1.5  // of what is sure: even five agents can lose four callers within a minute
	burstLow   = 0.15 // of θ, while a window can still heal
)

// The ramp: until this many lines have ended, lines per idle agent grow with the lines that have.
const (
	rampLines = 200
	rampStep  = 40
)

// predict returns the number of lines that θ allows.
func (e *Engine) predict(q *question) (int, Reason) {
	e.foresee(q.at)
	risk := q.allowance.risk
	spare := float64(e.counts[agentReady]) - e.expectedWaiting(q.at)
	if spare <= 0 {
		risk *= idleRisk
	}
	var s sums
	s.begin(&e.forecast, spare, e.doubt())
	deviation := max(math.Sqrt(s.variance[knots-1]), burstLeast)
	risk *= clamp((q.spend-0.5)/float64(e.burst()*deviation), burstLow, 1)
	risk *= clamp((q.sure-1)/float64(burstSure*max(deviation, float64(sureLeast*q.late))), 0, 1)
	risk /= max(e.learned.level.lift, 1) // nobody knows yet how far the rise goes
	if q.lean {
		risk = leanRisk
	}
	n := e.fit(q, &s, risk)
	reason := Reason(Predictive)
	if q.lean {
		reason = OverBudget
	}
	if done := e.learned.completed; done < rampLines {
		lines := float64(float64(e.counts[agentReady]) * (1 + float64(done)/rampStep))
		if most := max(int(lines)-(len(e.lines.call)-e.kept), 0); n > most {
			n, reason = most, ColdStart
		}
	}
	if n < q.progressive {
		if reason == Predictive {
			reason = Floor
		}
		n = q.progressive
	}
	return n, reason
}

// expectedWaiting returns how many of the answered calls not yet resolved are people.
func (e *Engine) expectedWaiting(at int64) float64 {
	w := 0.0
	for found, n := range e.waitingBy {
		fresh := 0
		if e.freshAt == at {
			fresh = e.freshBy[found]
		}
		w += float64(float64(fresh) * e.learned.answer.share(answerFresh))
		w += float64(float64(n-fresh) * e.learned.answer.share(answerIdle+found))
	}
	return w
}

// fitMost bounds the lines of one decision.
const fitMost = 5000

// fit returns the largest number of lines whose last may still be dialed, and notes that line's risk.
func (e *Engine) fit(q *question, s *sums, risk float64) int {
	lift := e.learned.level.lift
	average := e.newLine(lift)
	most := fitMost
	if q.next != nil {
		most = min(most, len(q.next))
	}
	for n := range most {
		lost := s.lost()
		if n == 0 || lost <= risk {
			q.risk = lost
		}
		if lost > risk {
			return n
		}
		if q.next == nil || !(q.next[n] > 0) {
			s.add(&average)
			continue
		}
		one := e.newLine(float64(lift * e.lift(e.lean(q.next[n]))))
		s.add(&one)
	}
	return most
}

// burst is burstMost, and more while few answers have taught little.
func (e *Engine) burst() float64 {
	return burstMost + float64(burstMost*burstMore)/float64(e.learned.answered+50)
}

// doubt is the square of the relative error of what has been learned from few answers.
func (e *Engine) doubt() float64 { return 1/float64(e.learned.answered+2) + e.learned.level.doubt }

// chance is a new line's part in the forecast.
type chance struct{ mean, variance, skew [knots]float64 }

func (e *Engine) newLine(lift float64) (c chance) {
	g := e.table.chances(dialing, 0, lift)
	for k := range knots {
		p := float64(g[k]) / float64(fixedOne)
		c.mean[k] = p
		c.variance[k] = float64(p * (1 - p))
		c.skew[k] = float64(c.variance[k] * (1 - float64(2*p)))
	}
	return c
}

// sums are the excess of answers over agents at each knot: mean, variance and third cumulant.
type sums struct{ excess, variance, skew [knots]float64 }

func (s *sums) begin(f *forecast, spare, doubt float64) {
	const one = float64(fixedOne)
	for k := range knots {
		a, r := float64(f.answers[k])/one, float64(f.releases[k])/one
		s.excess[k] = a - r - spare + 0.5
		s.variance[k] = float64(f.variance[k])/one + 1e-3 + float64(doubt*(float64(a*a)+float64(r*r)))
		s.skew[k] = float64(f.skew[k]) / one
	}
}

func (s *sums) add(c *chance) {
	for k := range knots {
		s.excess[k] += c.mean[k]
		s.variance[k] += c.variance[k]
		s.skew[k] += c.skew[k]
	}
}

// lost returns the chance that the next line's answer is lost.
func (s *sums) lost() float64 {
	worst, sum := 0.0, 0.0
	for k := knots - 1; k >= 0; k-- {
		worst = max(worst, above(s.excess[k], s.variance[k], s.skew[k]))
		sum += worst
	}
	return sum / knots
}

const (
	skewMost = 0.8
	skewFar  = -3.75
)

// above returns the chance that an excess is above zero. Few agents and lines make it lopsided: with γ its skewness, z is moved by
// γ(z²-1)/6 (Cornish and Fisher), no further than where that still grows with z.
func above(mean, variance, skew float64) float64 {
	deviation := math.Sqrt(variance)
	z := mean / deviation
	if z >= 1 || z < -6 {
		return normal(z)
	}
	lopsided := clamp(skew/float64(variance*deviation), -skewMost, skewMost)
	near := max(z, skewFar)
	return normal(z + float64(lopsided*(float64(near*near)-1))/6)
}
