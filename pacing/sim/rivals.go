package sim

import (
	"math"
	"time"

	"pronto/pacing"
)

// Reference pacers, written from what is publicly known of them. They keep what they know in a desk, which follows the events.

// desk counts agents, lines and answers.
type desk struct {
	state               map[pacing.AgentID]pacing.Kind
	ready, busy         int
	lines, waiting      map[pacing.CallID]bool
	dialed, ended, live int
	connected, lost     int
	now                 time.Time
}

func newDesk() desk {
	return desk{state: map[pacing.AgentID]pacing.Kind{}, lines: map[pacing.CallID]bool{}, waiting: map[pacing.CallID]bool{}}
}

// at moves an agent.
func (d *desk) at(id pacing.AgentID, to pacing.Kind) {
	count := func(k pacing.Kind, by int) {
		switch k {
		case pacing.AgentReady:
			d.ready += by
		case pacing.AgentTalking, pacing.AgentWrapUp:
			d.busy += by
		}
	}
	if old, ok := d.state[id]; ok {
		count(old, -1)
	}
	d.state[id] = to
	count(to, 1)
}

// Observe follows an event.
func (d *desk) Observe(e pacing.Event) error {
	d.now = e.At
	switch e.Kind {
	case pacing.AgentReady, pacing.AgentTalking, pacing.AgentWrapUp, pacing.AgentAway:
		d.at(e.Agent, e.Kind)
	case pacing.Dialed:
		d.dialed++
		d.lines[e.Call] = true
	case pacing.Answered:
		delete(d.lines, e.Call)
		d.waiting[e.Call] = true
	case pacing.Connected:
		delete(d.waiting, e.Call)
		d.at(e.Agent, pacing.AgentTalking)
		d.connected++
		d.live++
		d.ended++
	case pacing.Abandoned:
		delete(d.waiting, e.Call)
		d.lost++
		d.live++
		d.ended++
	case pacing.Ended:
		if d.lines[e.Call] || d.waiting[e.Call] {
			d.ended++
		}
		delete(d.lines, e.Call)
		delete(d.waiting, e.Call)
	}
	return nil
}

// agents are those who are not away.
func (d *desk) agents() int { return d.ready + d.busy }

// share is the part of lines answered by people so far.
func (d *desk) share() float64 { return (float64(d.live) + 2) / (float64(d.ended) + 8) }

// rate is the abandon rate so far.
func (d *desk) rate() float64 { return share(d.lost, d.live) }

// dial answers a question with a number of lines.
func dial(n int, now time.Time, again time.Duration) pacing.Decision {
	return pacing.Decision{Dial: max(n, 0), Again: now.Add(again)}
}

// ratio dials a fixed number of lines per ready agent.
type ratio struct {
	desk
	per float64
}

// FixedRatio dials that many lines per ready agent, whatever happens.
func FixedRatio(lines float64) Pacer { return &ratio{newDesk(), lines} }

// Decide implements Pacer.
func (r *ratio) Decide(now time.Time, _ []float64) pacing.Decision {
	return dial(int(r.per*float64(r.ready))-len(r.lines)-len(r.waiting), now, time.Minute)
}

// adaptive is VICIdial's ADAPT_TAPERED method: every 15 seconds the dial level, lines per agent, is multiplied by one plus the share of agents
// who wait; it stays between one and three; once the day's drop rate is above the limit it is brought down, at first gently and towards
// the end of the day all the way to one. Agents counted are all, or with available only, those ready.
type adaptive struct {
	desk
	level         float64
	next          time.Time
	begin         time.Time
	length        time.Duration
	limit         float64
	availableOnly bool
}

// Adaptive is VICIdial's tapered adaptive method for a day of that length; availableOnly counts only ready agents when dialing.
func Adaptive(begin time.Time, length time.Duration, limit float64, availableOnly bool) Pacer {
	return &adaptive{desk: newDesk(), level: 1, next: begin, begin: begin, length: length, limit: limit, availableOnly: availableOnly}
}

// Decide implements Pacer.
func (a *adaptive) Decide(now time.Time, _ []float64) pacing.Decision {
	if !now.Before(a.next) {
		a.next = now.Add(15 * time.Second)
		idle := float64(a.ready-len(a.waiting)) / math.Max(float64(a.agents()), 1)
		a.level = math.Min(math.Max(a.level*(1+idle), 1), 3)
		if a.rate() > a.limit {
			left := 1 - float64(now.Sub(a.begin))/float64(a.length)
			a.level = math.Min(a.level, 1+2*math.Max(left, 0)*math.Max(0, 2-a.rate()/a.limit))
		}
	}
	count := a.agents()
	if a.availableOnly {
		count = a.ready
	}
	busy := 0
	if !a.availableOnly {
		busy = a.busy
	}
	return dial(int(a.level*float64(count))-busy-len(a.lines)-len(a.waiting), now, time.Second)
}

// binomial is the textbook's: as many lines as keep the chance of more answers than free agents below the limit, where an agent is free who
// is ready or will be within the mean time to an answer, talks being memoryless.
type binomial struct {
	desk
	limit        float64
	delay, serve float64 // seconds
}

// Binomial dials so that answers, a binomial number, exceed the agents expected free with at most that probability. delay and handle are the
// mean times to an answer and in a call with its wrap-up, which it is told.
func Binomial(limit float64, delay, handle time.Duration) Pacer {
	return &binomial{newDesk(), limit, delay.Seconds(), handle.Seconds()}
}

// Decide implements Pacer.
func (b *binomial) Decide(now time.Time, _ []float64) pacing.Decision {
	p := b.share()
	free := 1 - math.Exp(-b.delay/b.serve)
	agents := float64(b.ready-len(b.waiting)) + float64(b.busy)*free
	lines := float64(len(b.lines))
	n := 0
	for ; n < 1000; n++ {
		mean := (lines + float64(n) + 1) * p
		deviation := math.Sqrt(mean*(1-p) + float64(b.busy)*free*(1-free) + 1e-9)
		if 0.5*math.Erfc((agents+0.5-mean)/deviation/math.Sqrt2) > b.limit {
			break
		}
	}
	floor := b.ready - len(b.waiting) - len(b.lines)
	return dial(max(n, floor), now, time.Second)
}
