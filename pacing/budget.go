package pacing

// The budget: how much risk the next line may take.
//
// The engine dials the next line when the chance that its answer is lost is at most θ. θ is learned: with α the aimed share of abandons,
//
//	log θ += η with each answer,    log θ -= η/α with each abandon,
//
// so that in the long run, whatever the forecast's error, abandons are α of answers: the drift of log θ is zero only there. Each window then
// scales θ by what it has left, and forbids risk when it has nothing.
type budget struct {
	log float64 // of θ
}

const (
	budgetStep  = 0.0015 // η
	budgetBegin = -4     // log θ before anything is learned
	budgetLow   = -8
	budgetHigh  = -0.7
	leanRisk    = 0.001 // θ when a window has nothing to spend: far better than one line per agent, at next to no risk
)

func newBudget() budget { return budget{log: budgetBegin} }

// learn moves θ by an answer.
func (b *budget) learn(e *Engine, c count) {
	alpha := 1.0
	for _, w := range e.config.Windows {
		alpha = min(alpha, float64(w.Cap*e.config.target()))
	}
	if len(e.config.Windows) == 0 || alpha <= 0 {
		return
	}
	step := budgetStep
	if c.abandoned > 0 {
		step -= budgetStep / alpha
	}
	b.log = clamp(b.log+step, budgetLow, budgetHigh)
}

// allowance is what the windows together allow.
type allowance struct {
	risk         float64 // θ
	over         bool    // no risk at all: one line per ready agent
	lean         bool    // nothing to spend
	spend        float64 // abandons that may be spent now
	credit, rate float64 // of the tightest window, at its cap
}

// allow asks every window.
func (e *Engine) allow(at int64) allowance {
	a := allowance{risk: exp(e.budget.log)}
	scale, spend := 0.0, float64(never)
	for i := range e.ledgers {
		l := &e.ledgers[i]
		c := l.at(at)
		credit := float64(l.share(l.window.Cap)*c.connected) - c.abandoned
		if i == 0 || credit < a.credit {
			a.credit, a.rate = credit, l.rate(c)
		}
		v := e.view(l, c, at)
		if i == 0 || v.scale < scale {
			scale = v.scale
		}
		spend = min(spend, v.spend)
		a.lean = a.lean || v.spend < 1
		a.over = a.over || v.heal < 0
	}
	a.risk = clamp(float64(a.risk*exp(scale)), 0, 0.5)
	a.spend = spend
	return a
}

// view is what one window has to say.
type view struct {
	spend float64 // abandons that may be spent now, those borrowed from answers to come included
	heal  float64 // credit at the window's end if nothing is spent from here on
	scale float64 // of log θ
}

// How far a window is trusted with answers that have not come yet.
const (
	borrowShare = 0.35
	borrowMany  = 3
	borrowFew   = 200
	startFree   = 2 // abandons a window without a known end may begin with
	flowTrust   = 0.7
)

// view weighs one window that holds c at that instant.
func (e *Engine) view(l *ledger, c count, at int64) view {
	share := l.share(float64(l.window.Cap * e.config.target()))
	credit := float64(share*c.connected) - c.abandoned
	earned := float64(share * max(c.connected, 0))
	v := view{scale: float64(0.25 * clamp(float64((credit-1.5)*3)/(3+float64(0.1*earned)), -5, 3))}
	perSecond := e.learned.flow.perSecond(at)
	if l.window.Period == Rolling {
		v.spend = e.rollingCredit(l, c, share, perSecond, at)
		v.heal = v.spend + 3
		return v
	}
	left, known := e.left(l, at)
	if !known {
		v.spend = credit + max(0, startFree-earned)
		v.heal = credit + startFree + 3
		return v
	}
	ahead := float64(share * float64(perSecond*seconds(left)))
	most := float64(share * (borrowFew + float64(borrowMany*max(c.connected, 0))))
	v.spend = credit + float64(borrowShare*min(ahead, most))
	v.heal = credit + ahead
	if e.learned.answered < 20 {
		v.heal = credit + startFree + 3
	}
	return v
}

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
			if old := l.tail.segment - segments + i; old >= 0 {
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
