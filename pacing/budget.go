package pacing

import "time"

// The budget: how much risk the next line may take.
//
// The engine dials the next line when the chance that its answer is lost is at most θ. θ is learned: with α the aimed share of abandons,
//
//	log θ += η ρ with each live answer,    log θ -= η/α with each abandon,
//
// so that in the long run, whatever the forecast's error, abandons are ρ α of answers: the drift of log θ is zero only there. ρ is the pace
// that spreads what the tightest window has left over what remains of it; θ ρ is the risk of a line, less where a burst could not be borne.
type budget struct {
	log float64 // of θ
}

const (
	budgetStep  = 0.0015 // η
	budgetBegin = -3.5   // log θ before anything is learned
	budgetFast  = 0.5
	budgetSlow  = 60
	budgetLow   = -8
	budgetHigh  = -0.7
	leanRisk    = 0.0003 // θ when nothing more may be lost: still better than one line per agent, at next to no risk
)

func newBudget() budget { return budget{log: budgetBegin} }

// learn moves θ by an answer, given the pace that was asked for.
func (b *budget) learn(alpha, pace float64, answers int, abandoned bool) {
	step := max(budgetStep, budgetFast/(float64(answers)+budgetSlow))
	move := float64(step * pace)
	if abandoned {
		move -= step / alpha
	}
	b.log = clamp(b.log+move, budgetLow, budgetHigh)
}

// learnBudget learns from an answer before it is counted.
func (e *Engine) learnBudget(c count) {
	alpha := 1.0
	for _, w := range e.config.Windows {
		alpha = min(alpha, float64(w.Cap*e.config.target()))
	}
	if e.config.progressiveOnly() || len(e.config.Windows) == 0 {
		return
	}
	e.budget.learn(alpha, e.allow(e.now).pace, e.learned.answered, c.abandoned > 0)
}

// allowance is what the windows together allow.
type allowance struct {
	risk         float64 // θ
	pace         float64 // at which abandons are to be spent
	lean         bool    // nothing may be lost
	spend, sure  float64 // as in view, of the window that has least
	late         float64 // of the window nearest its end
	credit, rate float64 // of the tightest window, at its cap
}

// allow asks every window.
func (e *Engine) allow(at int64) allowance {
	a := allowance{risk: exp(e.budget.log)}
	a.pace, a.spend, a.sure = paceHigh, float64(never), float64(never)
	for i := range e.ledgers {
		l := &e.ledgers[i]
		c := l.at(at)
		credit := float64(l.share(l.window.Cap)*c.connected) - c.abandoned
		if i == 0 || credit < a.credit {
			a.credit, a.rate = credit, l.rate(c)
		}
		v := e.view(l, c, at)
		a.pace, a.spend, a.sure = min(a.pace, v.pace), min(a.spend, v.spend), min(a.sure, v.sure)
		a.late = max(a.late, v.late)
		a.lean = a.lean || v.sure < sureNeed
	}
	a.risk = clamp(float64(a.risk*a.pace), 0, 0.5)
	return a
}

// view is what one window has to say.
type view struct {
	spend float64 // abandons that may be spent now, those borrowed from answers to come included
	sure  float64 // the same at the cap itself, with less borrowed
	late  float64 // 0 until the last hour of the window, 1 at its end
	pace  float64 // share of the even rate at which to spend from here on
}

// How far a window is trusted with answers that have not come yet, and how what is left is spread.
const (
	borrowShare = 0.8  // of what the present flow would earn,
	borrowSpan  = 5400 // seconds: the more distant, the less of it,
	borrowFew   = 70   // answers: and never more than these earn
	borrowMany  = 1    // and as many again as there have been

	sureNeed  = 1.5  // abandons: below it nothing may be lost
	sureShare = 0.35 // of what the present flow would earn: agents may be leaving, and at one line each they earn less
	sureSpan  = 5400 // seconds, at most

	lateSpan = 3600 // seconds

	startFree = 2                       // abandons a window without a known end may begin with, as may any
	startSpan = int64(30 * time.Minute) // with so much time left before the first answers

	flowTrust   = 0.6 // of the present flow, that it goes on while a rolling window lets go of old answers
	rollingKeep = 0.8 // abandons kept back in it

	paceFew  = 100  // answers: nothing is spread over fewer
	paceOpen = 1500 // answers, over which a window without a known end spreads
	paceKeep = 1.5  // abandons kept back,
	openKeep = 2    // and in a window without a known end
	paceLow  = 0.05
	paceHigh = 1.2 // a hurry at the end earns little and risks the cap
)

// view weighs one window that holds c at that instant.
func (e *Engine) view(l *ledger, c count, at int64) view {
	share := l.share(float64(l.window.Cap * e.config.target()))
	credit := float64(share*c.connected) - c.abandoned
	earned := float64(share * max(c.connected, 0))
	atCap := l.share(l.window.Cap)
	creditAtCap := float64(atCap*c.connected) - c.abandoned
	var v view
	perSecond := e.learned.flow.perSecond(at)
	if l.window.Period == Rolling {
		v.spend = e.rollingCredit(l, c, share, perSecond, at)
		v.sure = e.rollingCredit(l, c, atCap, perSecond, at) - rollingKeep
		v.pace = pace(v.spend, max(float64(share*float64(perSecond*seconds(l.tail.length))), float64(share*paceFew)))
		return v
	}
	left, known := e.left(l, at)
	if !known || perSecond == 0 && left > startSpan {
		v.spend = credit + max(0, startFree-earned)
		v.sure = creditAtCap + max(0, startFree-float64(atCap*max(c.connected, 0)))
		v.pace = pace(v.spend-openKeep, float64(share*paceOpen))
		return v
	}
	ahead := float64(share * float64(perSecond*seconds(left)))
	most := float64(share * (borrowFew + float64(borrowMany*max(c.connected, 0))))
	soon := float64(borrowSpan * (1 - exp(-seconds(left)/borrowSpan)))
	v.spend = credit + min(float64(borrowShare*float64(share*float64(perSecond*soon))), most)
	v.sure = creditAtCap + min(float64(sureShare*float64(atCap*float64(perSecond*min(seconds(left), sureSpan)))), most)
	v.late = clamp(1-seconds(left)/lateSpan, 0, 1)
	v.pace = pace(credit-paceKeep, max(ahead, float64(share*paceFew)))
	return v
}

// pace spreads what is left over the answers still to come: what they will earn and what is in hand, as a share of what they will earn.
func pace(credit, ahead float64) float64 { return clamp((credit+ahead)/ahead, paceLow, paceHigh) }

// left returns how long the window will still be dialed in, if that is known.
func (e *Engine) left(l *ledger, at int64) (int64, bool) {
	end, known := never, false
	if !e.config.Close.IsZero() {
		if c := e.config.Close.UnixNano(); c > at {
			end, known = c, true
		}
	}
	if w := l.end(at); w < end {
		end, known = w, true
	}
	return end - at, known
}

// rollingCredit returns what a rolling window can spend now so that it holds at every instant to come: as it moves on it lets go of old
// answers, and only some of those expected in their place are counted on. Before it has run its length, only instants after that count.
func (e *Engine) rollingCredit(l *ledger, c count, share, perSecond float64, at int64) float64 {
	step := max(l.tail.length/segments, 1)
	first := at
	if l.tail.started {
		first = l.tail.origin
	}
	closing := never
	if !e.config.Close.IsZero() && e.config.Close.UnixNano() > at {
		closing = e.config.Close.UnixNano()
	}
	least := float64(never)
	for i := int64(0); i < segments; i++ {
		then := at + i*step
		if i > 0 {
			if old := l.tail.segmentAt(at) - segments + i; old >= 0 && old <= l.tail.segment && old > l.tail.segment-segments {
				s := l.tail.segments[old%segments]
				c.connected -= s.connected
				c.abandoned -= s.abandoned
			}
		}
		if then > closing && least < float64(never) {
			break
		}
		if then < first+l.tail.length && i < segments-1 && then <= closing {
			continue
		}
		come := float64(float64(flowTrust*perSecond) * seconds(then-at))
		least = min(least, float64(share*(c.connected+come))-c.abandoned)
	}
	return least
}
